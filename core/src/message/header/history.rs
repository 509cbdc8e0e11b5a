//! History-Info (RFC 7044 §5).

use super::NameAddr;

name_addr_header!(
    /// One value of History-Info: where a request was sent to before (RFC 7044 §5).
    HistoryInfo,
    list: true,
    parse: NameAddr::parse_bracketed
);

impl<'a> HistoryInfo<'a> {
    /// The `index`, such as `1.2.1`: the place in the tree of retargetings.
    pub fn index(&self) -> Option<&'a str> {
        self.parameters.token("index")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Header;
    use super::super::testing::{refused, round_trip};
    use super::HistoryInfo;

    #[test]
    fn a_value_has_an_index() {
        let text = "<sip:bob@example.com?Reason=SIP%3Bcause%3D302>;index=1.1;rc=1";
        assert_eq!(round_trip::<HistoryInfo<'_>>(text), text);
        assert_eq!(HistoryInfo::parse(text.as_bytes()).unwrap().index(), Some("1.1"));
        refused::<HistoryInfo<'_>>(&["", "sip:bob@example.com;index=1", "<sip:bob@example.com", "Bob;index=1"]);
    }
}
