//! The changes that each hop makes to messages, as patches: a hop notes in the sender's Via where a request came from (RFC 3261 §18.2.1, RFC 3581
//! §4), puts a Via of its own on top (§18.1.1), takes that off the response (§16.7 step 3), and adds a Content-Length where a
//! stream needs one (§18.3).

use super::patch::Patches;
use super::pops::Pop;
use crate::message::bytes::SharedBytes;
use crate::message::error::BuildError;
use crate::message::header::Via;
use crate::message::layout::Layout;
use crate::message::method::Method;
use crate::message::name::HeaderId;
use crate::message::parameters::Text;
use crate::message::read::MessageView;
use crate::message::request::Request;
use crate::message::response::Response;
use crate::message::text::{self, address, decimal};
use crate::message::write::{Framing, Hop, Recipe};
use arrayvec::ArrayVec;
use core::net::IpAddr;

/// The most parts that a Via put on top is given in.
const VIA_PARTS: usize = 8;

/// A copy with `received` in the topmost Via, which is this one, and with `rport` filled in if it stands there.
///
/// # Errors
/// The header section becomes too long.
fn stamped(
    bytes: &[u8],
    layout: &Layout<'_>,
    via: &Via<'_>,
    received: IpAddr,
    rport: Option<u16>,
) -> Result<SharedBytes, BuildError> {
    let mut patches = Patches::new();
    patches.stamp(bytes, via, Some(received), rport);
    patches.apply(bytes, layout)
}

/// The octets of a copy with what one attempt adds.
///
/// # Errors
/// A value cannot be written, the Via has more than eight parts, or the header section becomes too long.
fn with_hop(bytes: &[u8], layout: &Layout<'_>, hop: Hop<'_>) -> Result<SharedBytes, BuildError> {
    let mut patches = Patches::new();
    patches.frame(layout, hop.framing)?;
    patches.put_hop(layout, hop)?;
    patches.octets(bytes, layout)
}

/// The octets of a copy without the topmost Via, and with a Content-Length where the framing needs one.
///
/// # Errors
/// There is no Via.
fn without_top_via(bytes: &[u8], layout: &Layout<'_>, framing: Framing) -> Result<SharedBytes, BuildError> {
    let mut patches = Patches::new();
    Pop::first(HeaderId::Via).apply(bytes, layout, &mut patches)?;
    patches.frame(layout, framing)?;
    patches.octets(bytes, layout)
}

/// The octets of a copy with a Content-Length.
///
/// # Errors
/// The header section becomes too long.
fn with_length(bytes: &[u8], layout: &Layout<'_>) -> Result<SharedBytes, BuildError> {
    let mut patches = Patches::new();
    patches.frame(layout, Framing::Stream)?;
    patches.octets(bytes, layout)
}

impl Request {
    /// A copy whose topmost Via, which is `via`, says where it came from (RFC 3261 §18.2.1, RFC 3581 §4); `None` if it becomes
    /// too long.
    pub(crate) fn stamped(&self, via: &Via<'_>, received: IpAddr, rport: Option<u16>) -> Option<Self> {
        stamped(&self.bytes, &self.layout(), via, received, rport).map(Self::new).ok()
    }
}

impl MessageView<'_> {
    /// An owned copy of a request, one allocation, whose topmost Via, which is `via`, says where it came from
    /// (RFC 3261 §18.2.1, RFC 3581 §4); `None` of a response, or if it becomes too long.
    pub(crate) fn stamped(&self, via: &Via<'_>, received: IpAddr, rport: Option<u16>) -> Option<Request> {
        let bytes = stamped(self.bytes, &self.spans.layout(), via, received, rport).ok()?;
        self.is_request().then(|| Request::new(bytes))
    }
}

impl Recipe for Request {
    fn method(&self) -> Method<'_> {
        self.method()
    }

    fn octets_for(&self, hop: Hop<'_>) -> Result<SharedBytes, BuildError> {
        with_hop(&self.bytes, &self.layout(), hop)
    }

    fn request(&self) -> Result<Request, BuildError> {
        Ok(self.clone())
    }
}

impl Response {
    /// The octets, with a Content-Length where the framing needs one: a response that is passed on may lack it.
    ///
    /// # Errors
    /// The header section becomes too long.
    pub(crate) fn octets(&self, framing: Framing) -> Result<SharedBytes, BuildError> {
        if framing == Framing::Datagram || self.headers().contains(HeaderId::ContentLength) {
            return Ok(self.bytes.clone());
        }
        with_length(&self.bytes, &self.layout())
    }

    /// The octets of a copy without the topmost Via (RFC 3261 §16.7 step 3), and with a Content-Length where the framing needs
    /// one.
    ///
    /// # Errors
    /// There is no Via, or the header section becomes too long.
    pub(crate) fn octets_without_top_via(&self, framing: Framing) -> Result<SharedBytes, BuildError> {
        without_top_via(&self.bytes, &self.layout(), framing)
    }
}

impl Patches {
    /// Fills in this Via. Of several `received` or `rport` the first is filled in, and the others are taken out.
    pub(super) fn stamp(&mut self, bytes: &[u8], via: &Via<'_>, received: Option<IpAddr>, rport: Option<u16>) {
        if let (Some(port), Some(there)) = (rport, via.rport_text()) {
            self.set_parameter(bytes, there, decimal(port.into()).as_bytes());
        }
        match (received, via.received_text()) {
            (Some(ip), Some(there)) => self.set_parameter(bytes, there, &address(ip)),
            (Some(ip), None) => {
                let at = end_in(bytes, via.parameters.as_bytes());
                self.replace(at, at, &[b";received=", &address(ip)]);
            }
            (None, _) => {}
        }
        for (before, void) in via.void_notes(bytes) {
            self.cut(before, void.end_in(bytes));
        }
    }

    /// Puts this in the place of the value of a parameter, which may not have one yet.
    fn set_parameter(&mut self, bytes: &[u8], parameter: Text<'_>, text: &[u8]) {
        match parameter.value {
            Some(value) => {
                let from = text::offset_in(bytes, value);
                self.replace(from, from + value.len(), &[text]);
            }
            None => {
                let at = end_in(bytes, parameter.name);
                self.replace(at, at, &[b"=", text]);
            }
        }
    }

    /// Puts in what one attempt adds, but for the Content-Length.
    pub(super) fn put_hop(&mut self, layout: &Layout<'_>, hop: Hop<'_>) -> Result<(), BuildError> {
        match hop.here {
            Some((id @ HeaderId::Contact, value)) => {
                let cseq = layout.fields_of(HeaderId::CSeq).next();
                let at = cseq.map_or(layout.fields_end.into(), |cseq| layout.line_end(&cseq));
                self.insert_after(at, id.into(), &[value.as_bytes()])?;
            }
            Some((id, value)) => {
                let at = layout.top_of(id);
                if let Some(below) = hop.below {
                    self.insert_before(at, id.into(), &[below.as_bytes()])?;
                }
                self.insert_before(at, id.into(), &[value.as_bytes()])?;
            }
            None => {}
        }
        self.put_via(layout, hop.via)
    }

    /// Puts a Via of these parts on top.
    fn put_via(&mut self, layout: &Layout<'_>, via: &[&str]) -> Result<(), BuildError> {
        let mut parts: ArrayVec<&[u8], VIA_PARTS> = ArrayVec::new();
        for part in via {
            parts.try_push(part.as_bytes()).map_err(|_| BuildError::TooLong)?;
        }
        self.insert_before(layout.top_of(HeaderId::Via), HeaderId::Via.into(), &parts)
    }

    /// Adds a Content-Length if there is none and the framing needs one.
    pub(super) fn frame(&mut self, layout: &Layout<'_>, framing: Framing) -> Result<(), BuildError> {
        if framing == Framing::Datagram || layout.fields_of(HeaderId::ContentLength).next().is_some() {
            return Ok(());
        }
        let length = decimal(self.body_len(layout));
        self.insert_after(layout.fields_end.into(), HeaderId::ContentLength.into(), &[length.as_bytes()])
    }
}

fn end_in(bytes: &[u8], part: &[u8]) -> usize {
    text::offset_in(bytes, part) + part.len()
}

#[cfg(test)]
mod tests {
    use super::{Framing, HeaderId, Hop, Layout, SharedBytes, stamped, with_hop, with_length, without_top_via};
    use crate::message::header::{Header, Via};
    use crate::message::read::Spans;
    use crate::message::{BuildError, Limits};
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use core::net::IpAddr;

    const BEFORE: &str = "INVITE sip:bob@biloxi.com SIP/2.0\r\n\
        Subject: x\r\n\
        VIA: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds%% ,SIP/2.0/TCP b.com;rport\r\n\
        v:SIP/2.0/UDP c.com\r\n\
        To: Bob\r\n\t<sip:bob@biloxi.com>\r\n\
        l: 5\r\n\
        \r\n\
        hello";

    fn spans(text: &str) -> Spans {
        Spans::read(text.as_bytes(), &Limits { header_section: 65_535, ..Limits::default() }).unwrap()
    }

    fn with_via(text: &str, via: &[&str], framing: Framing) -> Result<SharedBytes, BuildError> {
        with_hop(text.as_bytes(), &spans(text).layout(), Hop { via, here: None, below: None, framing })
    }

    fn text(bytes: &SharedBytes) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// The lines of a text but those that a test takes out.
    fn lines(text: &str, keep: impl Fn(&str) -> bool) -> String {
        text.split_inclusive('\n').filter(|line| keep(line)).collect::<Vec<_>>().concat()
    }

    #[test]
    fn a_stamp_touches_two_parameters_of_the_topmost_via() {
        // Parameters, and the same with `received` 192.0.2.1 alone, and with port 5062 besides.
        let cases = [
            ("", ";received=192.0.2.1", ";received=192.0.2.1"),
            (";rport", ";rport;received=192.0.2.1", ";rport=5062;received=192.0.2.1"),
            (";rport=1", ";rport=1;received=192.0.2.1", ";rport=5062;received=192.0.2.1"),
            (";received=192.0.2.9", ";received=192.0.2.1", ";received=192.0.2.1"),
            (";received", ";received=192.0.2.1", ";received=192.0.2.1"),
            (";rport;received=::1", ";rport;received=192.0.2.1", ";rport=5062;received=192.0.2.1"),
            (";received=1.2.3.44;x; rport", ";received=192.0.2.1;x; rport", ";received=192.0.2.1;x; rport=5062"),
            (
                " ; rport = 9 ;x=\"rport\"",
                " ; rport = 9 ;x=\"rport\";received=192.0.2.1",
                " ; rport = 5062 ;x=\"rport\";received=192.0.2.1",
            ),
            (
                ";x;RPORT ;Received=\r\n 1",
                ";x;RPORT ;Received=\r\n 192.0.2.1",
                ";x;RPORT=5062 ;Received=\r\n 192.0.2.1",
            ),
            (";rport;rport=2", ";rport;received=192.0.2.1", ";rport=5062;received=192.0.2.1"),
            (
                " ; rport ;x ; RPORT = 2 ;received=1.1.1.1;y;Received= \"2\" ;rport;z",
                " ; rport ;x ;received=192.0.2.1;y;z",
                " ; rport=5062 ;x ;received=192.0.2.1;y;z",
            ),
            (";received;received=1.1.1.1;received", ";received=192.0.2.1", ";received=192.0.2.1"),
            (
                ";maddr=a;maddr=b;ttl=1;ttl=2",
                ";maddr=a;maddr=b;ttl=1;ttl=2;received=192.0.2.1",
                ";maddr=a;maddr=b;ttl=1;ttl=2;received=192.0.2.1",
            ),
        ];
        let ips: [IpAddr; 2] = [[192, 0, 2, 1].into(), "2001:db8::1".parse().unwrap()];
        for (parameters, received, both) in cases {
            for (ip, port) in ips.iter().flat_map(|ip| [(*ip, None), (*ip, Some(5062))]) {
                let before = BEFORE.replace("%%", parameters);
                let first = before.split_once("VIA: ").unwrap().1.split_once(" ,SIP").unwrap().0;
                let offset = before.find(first).unwrap();
                let via = Via::parse(&before.as_bytes()[offset..offset + first.len()]).unwrap();
                let bytes = stamped(before.as_bytes(), &spans(&before).layout(), &via, ip, port).unwrap();
                let after = if port.is_some() { both } else { received };
                let expected = BEFORE.replace("%%", &after.replace("192.0.2.1", &ip.to_string()));
                assert_eq!(text(&bytes), expected);
                assert_eq!(
                    alloc::format!("{:?}", Layout::unpack(bytes.tail())),
                    alloc::format!("{:?}", spans(&expected).layout())
                );
            }
        }
    }

    #[test]
    fn a_via_goes_before_the_first_and_a_length_behind_the_last_field() {
        let parts = ["SIP/2.0/UDP a;branch=", "z9hG4bK1"];
        for (without, before) in [("", "VIA:"), ("Subject", "VIA:"), ("VIA", "v:"), ("l:", "VIA:")] {
            let old = lines(BEFORE, |line| without.is_empty() || !line.starts_with(without));
            let new = old.replace(before, &alloc::format!("Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\n{before}"));
            let put = |framing| text(&with_via(&old, &parts, framing).unwrap());
            assert_eq!(put(Framing::Datagram), new);
            let length = if without == "l:" { "\r\nContent-Length: 5\r\n\r\n" } else { "\r\n\r\n" };
            assert_eq!(put(Framing::Stream), new.replace("\r\n\r\n", length));
            let long = text(&with_length(old.as_bytes(), &spans(&old).layout()).unwrap());
            assert_eq!(long, old.replace("\r\n\r\n", length));
        }
        let old = lines(BEFORE, |line| !line.to_lowercase().starts_with('v'));
        let new = old.replace("Subject", "Via: SIP/2.0/UDP a;branch=z9hG4bK1\r\nSubject");
        assert_eq!(text(&with_via(&old, &parts, Framing::Stream).unwrap()), new);
    }

    #[test]
    fn here_is_said_before_all_record_routes_or_behind_cseq() {
        let put = |old: &str, id, value| {
            let hop = Hop { via: &["v"], here: Some((id, value)), below: None, framing: Framing::Datagram };
            text(&with_hop(old.as_bytes(), &spans(old).layout(), hop).unwrap())
        };
        let old =
            "BYE sip:a SIP/2.0\r\nv: x\r\nTo: x\r\nCSEQ: 1 BYE\r\n ;y\r\nRecord-Route: <sip:b;lr>\r\nl: 0\r\n\r\n";
        let new = old.replace("v: x", "Via: v\r\nv: x");
        let routed = new.replace("Record", "Record-Route: <sip:c;lr>\r\nRecord");
        assert_eq!(put(old, HeaderId::RecordRoute, "<sip:c;lr>"), routed);
        assert_eq!(put(old, HeaderId::Contact, "<sip:c>"), new.replace(";y\r\n", ";y\r\nContact: <sip:c>\r\n"));
        let unrouted = lines(old, |line| !line.starts_with("Record"));
        let routed = unrouted.replace("v: x\r\n", "Via: v\r\nv: x\r\nRecord-Route: <sip:c;lr>\r\n");
        assert_eq!(put(&unrouted, HeaderId::RecordRoute, "<sip:c;lr>"), routed);
        // With neither Via nor CSeq: on top, and last.
        let bare = "BYE sip:a SIP/2.0\r\nTo: x\r\n\r\n";
        let [start, rest] = ["BYE sip:a SIP/2.0\r\nVia: v\r\n", "To: x\r\n"];
        assert_eq!(put(bare, HeaderId::RecordRoute, "<c>"), [start, "Record-Route: <c>\r\n", rest, "\r\n"].concat());
        assert_eq!(put(bare, HeaderId::Contact, "<c>"), [start, rest, "Contact: <c>\r\n\r\n"].concat());
    }

    #[test]
    fn what_would_end_a_line_is_no_via() {
        for bad in ["a\r\nEvil: 1", "a\n", "\0"] {
            assert_eq!(with_via(BEFORE, &["SIP/2.0/UDP ", bad], Framing::Datagram), Err(BuildError::Control));
        }
    }

    #[test]
    fn the_topmost_via_goes_with_its_line_or_its_comma() {
        let take = |old: &str| {
            without_top_via(old.as_bytes(), &spans(old).layout(), Framing::Stream).map(|bytes| text(&bytes))
        };
        let first = "SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds%% ,";
        assert_eq!(take(BEFORE), Ok(BEFORE.replace(first, "")));
        let alone = BEFORE.replace(" ,SIP/2.0/TCP b.com;rport", "\r\n \t");
        let gone = lines(BEFORE, |line| !line.starts_with("VIA"));
        assert_eq!(take(&alone), Ok(gone));
        let short = alone.replace("l: 5\r\n", "");
        let expected = lines(&BEFORE.replace("l: 5", "Content-Length: 5"), |line| !line.starts_with("VIA"));
        assert_eq!(take(&short), Ok(expected));
        assert_eq!(take("BYE sip:a SIP/2.0\r\n\r\n"), Err(BuildError::NoSuchValue));
    }

    #[test]
    fn what_lacks_its_empty_line_gets_it() {
        let old = "BYE sip:a SIP/2.0\r\nTo: x";
        let bytes = with_via(old, &["v"], Framing::Stream).unwrap();
        assert_eq!(text(&bytes), "BYE sip:a SIP/2.0\r\nVia: v\r\nTo: x\r\nContent-Length: 0\r\n\r\n");
    }

    #[test]
    fn nothing_grows_above_what_spans_can_name() {
        let long = "x".repeat(65_200 - BEFORE.len());
        let text = BEFORE.replace("Subject: x", &alloc::format!("Subject: {long}"));
        let on_top = |length| with_via(&text, &[&"b".repeat(length)], Framing::Datagram);
        assert!(on_top(300).is_ok());
        assert_eq!((on_top(400), on_top(70_000)), (Err(BuildError::TooLong), Err(BuildError::TooLong)));
    }
}
