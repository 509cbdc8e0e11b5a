//! Refer-To, Referred-By (RFC 3515 §2.1, RFC 3892 §3).

use super::NameAddr;
use crate::message::quoted::Quoted;

name_addr_header!(
    /// Refer-To: whom to contact, by which method (RFC 3515 §2.1).
    ReferTo,
    list: false,
    parse: NameAddr::parse_with
);
name_addr_header!(
    /// Referred-By: who said so (RFC 3892 §3).
    ReferredBy,
    list: false,
    parse: NameAddr::parse_with
);

impl<'a> ReferredBy<'a> {
    /// The `cid`: the Content-ID of the body part that proves it.
    pub fn cid(&self) -> Option<Quoted<'a>> {
        self.parameters.quoted("cid")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Header;
    use super::super::testing::{refused, round_trip};
    use super::{ReferTo, ReferredBy};

    #[test]
    fn the_examples_of_the_rfcs() {
        // RFC 3515 §2.1.
        for text in [
            "<sip:alice@atlanta.example.com>",
            "<sip:bob@biloxi.example.net?Accept-Contact=sip:bobsdesk.biloxi.example.net&Call-ID%3D55432%40alicepc.atlanta.example.com=>",
            "<sip:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994>",
            "<sip:carol@cleveland.example.org;method=SUBSCRIBE>",
            "<http://www.ietf.org>",
        ] {
            assert_eq!(round_trip::<ReferTo<'_>>(text), text);
        }
        // RFC 3892 §3.
        let text = "<sip:r@ref.example>;cid=\"2UWQFN309shb3@ref.example\"";
        assert_eq!(round_trip::<ReferredBy<'_>>(text), text);
        let read = ReferredBy::parse(text.as_bytes()).unwrap();
        assert_eq!(read.cid().unwrap(), *"2UWQFN309shb3@ref.example");
        assert_eq!(read.uri.user(), Some("r"));
    }

    #[test]
    fn malformed_ones_are_refused() {
        refused::<ReferTo<'_>>(&["", "alice", "sip:a@b.com?x=y", "<sip:a@b.com", "<sip:a@b.com> <sip:c@d.com>"]);
        refused::<ReferredBy<'_>>(&["", "<sip:a@b.com>;cid=", "<sip:a@b.com>;cid=\"a"]);
    }
}
