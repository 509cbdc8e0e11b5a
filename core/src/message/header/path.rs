//! Routes that a registration brings about: Path, Service-Route (RFC 3327 §4, RFC 3608 §5).

use super::NameAddr;

name_addr_header!(
    /// One value of Path (RFC 3327 §4).
    Path,
    list: true,
    parse: NameAddr::parse_bracketed
);
name_addr_header!(
    /// One value of Service-Route (RFC 3608 §5).
    ServiceRoute,
    list: true,
    parse: NameAddr::parse_bracketed
);

#[cfg(test)]
mod tests {
    use super::super::Header;
    use super::super::testing::{refused, round_trip};
    use super::{Path, ServiceRoute};

    #[test]
    fn a_value_is_a_uri_in_brackets() {
        // RFC 3327 §5.5.1, RFC 3608 §6.4.2.
        let text = "<sip:P3.EXAMPLEHOME.COM;lr>";
        assert_eq!(round_trip::<Path<'_>>(text), text);
        assert!(Path::parse(text.as_bytes()).unwrap().uri.is_loose_router());
        let text = "<sip:HSP.HOME.EXAMPLE.COM;lr>;x=1";
        assert_eq!(round_trip::<ServiceRoute<'_>>(text), text);
        refused::<Path<'_>>(&["", "sip:a.com;lr", "<sip:a.com", "<>", "a.com"]);
        refused::<ServiceRoute<'_>>(&["sip:a.com;lr"]);
    }
}
