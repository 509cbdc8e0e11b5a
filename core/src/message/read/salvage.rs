//! Salvage: a request that cannot be parsed is read as far as an answer needs (RFC 3261 §8.2, §18.3).

use super::collect::Spans;
use super::lines::Lines;
use super::parse::behind_line_ends;
use super::start_line::request_line;
use crate::message::bytes::SharedBytes;
use crate::message::limits::Limits;
use crate::message::method::Method;
use crate::message::name::HeaderId;
use crate::message::request::Request;
use crate::message::span::LONGEST_SECTION;
use crate::message::text;
use alloc::vec::Vec;

/// The text that is put between the method and the fields: no answer has the Request-URI, which may be what is too long.
const REST_OF_LINE: &[u8] = b" sip:unread.invalid SIP/2.0\r\n";

impl Request {
    /// Reads as much of a datagram that [`Message::parse`](crate::message::Message::parse) refuses as it takes to answer it: a request
    /// of that method with every Via and the first To, From, Call-ID and CSeq byte for byte. Other lines are left out, whatever
    /// is wrong with them, and so is the body; the Request-URI is a stand-in.
    ///
    /// `None` if it is not to be answered, being no request or an ACK, or if even that much cannot be read, has a carriage return or
    /// line feed that stands alone, or exceeds [`Limits::header_section`], [`Limits::headers`] or [`Limits::via_values`]: an answer has every
    /// Via (§8.2.6.2), and nobody is sent what would not be read here.
    pub fn salvage(datagram: &[u8], limits: &Limits) -> Option<Self> {
        let most = limits.header_section.min(LONGEST_SECTION);
        let section = behind_line_ends(datagram);
        let (line, _) = text::split_line(section)?;
        let method = method_of(line)?;
        let mut kept = Vec::with_capacity(512);
        kept.extend_from_slice(method);
        kept.extend_from_slice(REST_OF_LINE);
        let (mut to, mut from, mut call_id, mut cseq) = (false, false, false, false);
        for line in Lines::behind_start_line(section) {
            let is_needed = match line.known() {
                Some((HeaderId::Via, _)) => true,
                Some((HeaderId::To, _)) => !core::mem::replace(&mut to, true),
                Some((HeaderId::From, _)) => !core::mem::replace(&mut from, true),
                Some((HeaderId::CallId, _)) => !core::mem::replace(&mut call_id, true),
                Some((HeaderId::CSeq, _)) => !core::mem::replace(&mut cseq, true),
                _ => false,
            };
            if is_needed {
                // Two elements may see two things in such a line: nothing is said to either.
                if line.has_half_line_end() {
                    return None;
                }
                kept.extend_from_slice(line.text());
                kept.extend_from_slice(b"\r\n");
            }
            if kept.len() + b"\r\n".len() > most {
                return None;
            }
        }
        kept.extend_from_slice(b"\r\n");
        let spans = Spans::of_written(&kept).ok().filter(|spans| spans.are_within(&kept, limits))?;
        Some(Self::new(SharedBytes::of_message(&kept, &spans)))
    }
}

impl Request {
    /// As [`salvage`](Self::salvage), of as much of a message as has come. Without its whole header section, a line counts only if
    /// the next one has begun, which might continue it; and `None` if a field that an answer copies has not come yet.
    pub fn salvage_begun(begun: &[u8], limits: &Limits) -> Option<Self> {
        const COPIED: [HeaderId; 5] = [HeaderId::Via, HeaderId::To, HeaderId::From, HeaderId::CallId, HeaderId::CSeq];
        if begun.windows(4).any(|octets| octets == b"\r\n\r\n") {
            return Self::salvage(begun, limits);
        }
        let ends_line = |&at: &usize| matches!(begun.get(at..), Some([b'\n', next, ..]) if !text::is_lws(*next));
        let end = (0..begun.len()).rev().find(ends_line)?;
        let request = Self::salvage(begun.get(..=end)?, limits)?;
        COPIED.into_iter().all(|id| request.headers().contains(id)).then_some(request)
    }
}

/// The method of a request line; `None` of anything else, and of ACK, which has no answer.
fn method_of(line: &[u8]) -> Option<&[u8]> {
    if line.len() > LONGEST_SECTION || line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/")) {
        return None;
    }
    request_line(line).ok()?;
    let (method, _) = text::split_once(line, b' ')?;
    (method != Method::Ack.as_str().as_bytes()).then_some(method)
}

#[cfg(test)]
mod tests {
    use crate::message::{HeaderId, Limits, Message, Request, Response, StatusCode};
    use alloc::string::String;
    use alloc::{format, vec};

    const NEEDED: &str = "v: SIP/2.0/UDP a.com;branch=z9hG4bKa,\r\n SIP/2.0/UDP b.com\r\n\
        To : <sip:bob@biloxi.com>\r\nFrom: <sip:alice@atlanta.com>;tag=1\r\nCall-ID: x\r\nCSeq: 7 INVITE\r\n\
        Via: SIP/2.0/UDP c.com\r\n";

    fn salvaged(datagram: &str) -> Option<String> {
        let limits = Limits { header_section: 400, headers: 8, start_line: 60, via_values: 3, ..Limits::default() };
        assert!(Message::parse(datagram.as_bytes(), &limits).is_err(), "{datagram}");
        let request = Request::salvage(datagram.as_bytes(), &limits)?;
        let answer = Response::to(&request, StatusCode::BAD_REQUEST).to_tag("tag").finish().unwrap();
        assert!(answer.as_bytes().len() <= datagram.len() + 100, "no amplifier");
        assert!(answer.validate().is_ok(), "{datagram}");
        Some(String::from_utf8(request.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn what_an_answer_copies_is_kept_and_nothing_else() {
        let kept = format!("INVITE sip:unread.invalid SIP/2.0\r\n{NEEDED}\r\n");
        let line = "INVITE sip:bob@biloxi.com SIP/2.0\r\n";
        for datagram in [
            format!("\r\n{line}<no name>: x\r\n folded: on\r\n{NEEDED}\r\nbody: x"),
            format!("{line}{NEEDED}<sip:a>: b\r\nTo: <sip:second>\r\n\r\nVia: d.com\r\n"),
            format!("{line}X: \r x\r\n{NEEDED}\r\n"),
            format!("{line}X: a\nTo: <sip:mallory@x>\n\nCSeq: 8 BYE\r\n{NEEDED}\r\n"),
            format!("INVITE sip:b\n SIP/2.0\r\n{NEEDED}\r\n"),
            format!("{line}{NEEDED}{}\r\n", "X: y\r\n".repeat(9)),
            format!("{line}{}{NEEDED}\r\n", "X: y\r\n".repeat(99)),
            format!("INVITE sip:{} SIP/2.0\r\n{NEEDED}\r\n", "x".repeat(9_000)),
            format!("INVITE  sip:{} SIP/7.0 \r\n{NEEDED}\r\n", "x".repeat(9_000)),
            format!("{line}{}no end", NEEDED),
        ] {
            assert_eq!(salvaged(&datagram).as_deref(), Some(&*kept), "{datagram}");
        }
    }

    /// An answer has every Via (§8.2.6.2): what has more of them than would be read here gets none.
    #[test]
    fn what_has_more_vias_than_an_answer_may_have_is_not_salvaged() {
        let datagram = |vias: &str| format!("INVITE sip:bob@biloxi.com SIP/2.0\r\n<no name>: x\r\n{NEEDED}{vias}\r\n");
        assert!(salvaged(&datagram("")).is_some());
        // NEEDED has three values in six lines.
        for vias in ["Via: SIP/2.0/UDP d.com\r\n", "Via: a,\r\n b\r\n"] {
            assert_eq!(salvaged(&datagram(vias)), None, "{vias}");
        }
        let limits = |headers, via_values| Limits { headers, via_values, ..Limits::default() };
        let text = datagram("Via: SIP/2.0/UDP d.com\r\n");
        let is_salvaged = |limits: Limits| Request::salvage(text.as_bytes(), &limits).is_some();
        assert_eq!([limits(7, 4), limits(6, 4), limits(7, 3)].map(is_salvaged), [true, false, false]);
    }

    #[test]
    fn what_is_not_to_be_answered_is_not_salvaged() {
        for datagram in [
            String::new(),
            "INVITE sip:bob@biloxi.com".into(),
            format!("ACK sip:bob@biloxi.com SIP/2.0\r\n<no name>: x\r\n{NEEDED}\r\n"),
            format!("SIP/2.0 200 OK\r\n<no name>: x\r\n{NEEDED}\r\n"),
            format!("sip/2.0 sip:bob@biloxi.com SIP/2.0\r\n<no name>: x\r\n{NEEDED}\r\n"),
            format!("GET / HTTP/1.1\r\n<no name>: x\r\n{NEEDED}\r\n"),
            format!("INVITE sip:bob@biloxi.com SIP/2.0\r\n<no name>: x\r\n{}\r\n", NEEDED.replace("a.com", "a\rb.com")),
            format!("INVITE sip:bob@biloxi.com SIP/2.0\r\n{}\r\n", NEEDED.replace("Call-ID: x", "Call-ID: x\nX: y")),
            format!("INVITE sip:bob@biloxi.com SIP/2.0\r\n{}\r\n", NEEDED.replace("Call-ID: x", "Call-ID: x\n")),
            format!("INVITE sip:bob@biloxi.com SIP/2.0\r\n{}\r\n", NEEDED.replace("Via: ", "Via: \n ")),
            format!("INVITE sip:bob@biloxi.com SIP/2.0\n{NEEDED}\r\n"),
            format!("ACK sip:bob@biloxi.com SIP/2.0\r\nX: a\nb\r\n{NEEDED}\r\n"),
            format!("SIP/2.0 200 OK\r\nX: a\nb\r\n{NEEDED}\r\n"),
            format!("INVITE sip:bob@biloxi.com SIP/2.0\r\n<no name>: x\r\n{}\r\n", NEEDED.repeat(9)),
        ] {
            assert_eq!(salvaged(&datagram), None, "{datagram}");
        }
    }

    #[test]
    fn no_more_is_kept_than_a_header_section_may_have() {
        let text = format!("BYE sip:b SIP/2.0\r\n<no name>: x\r\n{}\r\n", "v: a\r\n".repeat(20_000));
        assert_eq!(Request::salvage(text.as_bytes(), &Limits::default()), None);
        let wide = Limits { header_section: usize::MAX, ..Limits::default() };
        assert_eq!(Request::salvage(text.as_bytes(), &wide), None);
        let text = [b"BYE sip:b SIP/2.0\r\n<no name>: x\r\nv: a\r\n", &*vec![b'x'; 100_000]].concat();
        let request = Request::salvage(&text, &Limits::default()).unwrap();
        assert_eq!(request.headers().raw(HeaderId::Via), Some(&b"a"[..]));
    }
}
