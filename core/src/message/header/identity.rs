//! Who it is among elements that trust one another: P-Asserted-Identity, P-Preferred-Identity (RFC 3325 §9).

use super::NameAddr;

name_addr_header!(
    /// One value of P-Asserted-Identity (RFC 3325 §9.1).
    PAssertedIdentity,
    list: true,
    parse: NameAddr::parse_with
);
name_addr_header!(
    /// One value of P-Preferred-Identity (RFC 3325 §9.2).
    PPreferredIdentity,
    list: true,
    parse: NameAddr::parse_with
);

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{PAssertedIdentity, PPreferredIdentity};

    #[test]
    fn the_examples_of_the_rfc() {
        // RFC 3325 §9.1, §9.2.
        let text = "\"Cullen Jennings\" <sip:fluffy@cisco.com>";
        assert_eq!(round_trip::<PAssertedIdentity<'_>>(text), text);
        assert_eq!(round_trip::<PAssertedIdentity<'_>>("tel:+14085264000"), "<tel:+14085264000>");
        assert_eq!(round_trip::<PPreferredIdentity<'_>>("\"Cullen\"\r\n <sip:a@b.com>"), "\"Cullen\" <sip:a@b.com>");
        refused::<PAssertedIdentity<'_>>(&["", "fluffy@cisco.com", "<sip:a@b.com", "\"a <sip:a@b.com>"]);
    }
}
