//! Which status a peer is owed (RFC 3261 §8.2, §16.3, §18.3). What only some roles look at is left to them.

use super::header::{CSeq, CallId, Header, NameAddrText, Via};
use super::headers::Headers;
use super::layout::{Defect, Layout, StartLine};
use super::marks::Marks;
use super::name::HeaderId;
use super::phrase::Phrase;
use super::status::StatusCode;
use super::text;
use super::uri::Uri;
use super::usual;
use core::fmt;

/// The answer to a request that cannot be processed; of a response, why it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The status code to answer a request with.
    pub status: StatusCode,
    /// The reason phrase.
    pub reason: Phrase,
    /// The octet of the message at which it was noticed; `None` if it is about something that is not there.
    pub offset: Option<u32>,
}

impl Rejection {
    /// 400 for something that is not there, or that is wrong with no one place.
    pub(crate) const fn bad(reason: Phrase) -> Self {
        Self { status: StatusCode::BAD_REQUEST, reason, offset: None }
    }

    fn bad_at(reason: Phrase, offset: usize) -> Self {
        Self { offset: u32::try_from(offset).ok(), ..Self::bad(reason) }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.reason)?;
        match self.offset {
            Some(offset) => write!(f, " (at octet {offset})"),
            None => Ok(()),
        }
    }
}

/// The values that the transaction layer asks of every message that can be processed (RFC 3261 §17.1.3, §17.2.3), read once.
#[derive(Clone, Copy, Debug)]
pub struct Essentials<'a> {
    /// The topmost Via.
    pub via: Via<'a>,
    /// CSeq.
    pub cseq: CSeq<'a>,
}

/// Reads the essentials of a message, or finds the first thing that keeps the message from being processed.
pub(super) fn message<'a>(bytes: &'a [u8], layout: &Layout<'a>) -> Result<Essentials<'a>, Rejection> {
    if let Some(essentials) = usual(bytes, layout) {
        return Ok(essentials);
    }
    if layout.is_request() { request(bytes, layout) } else { response(bytes, layout) }
}

/// Reads the essentials of a message in which all that must be there is written as usual: most was found when the message was read. `None` of
/// any other, in which what is wrong, if anything, is found step by step.
fn usual<'a>(bytes: &'a [u8], layout: &Layout<'a>) -> Option<Essentials<'a>> {
    let marks = layout.marks.filter(|_| layout.defect.is_none()).map(Marks::unpack)?;
    let headers = layout.headers(bytes);
    let cseq = CSeq { number: marks.number, method: marks.method(bytes)? };
    let via = Via::first_of(headers.of(HeaderId::Via).next()?)?;
    if via.other_branch().is_some() {
        return None;
    }
    if layout.is_request() {
        let uri = layout.uri(bytes);
        let is_usual = usual::uri(uri, 0).is_some_and(|places| places.end == uri.len());
        if !is_usual || Some(cseq.method) != layout.method(bytes) {
            return None;
        }
    }
    Some(Essentials { via, cseq })
}

fn request<'a>(bytes: &'a [u8], layout: &Layout<'a>) -> Result<Essentials<'a>, Rejection> {
    let headers = layout.headers(bytes);
    if layout.defect == Some(Defect::StartLine) {
        return Err(Rejection::bad_at(Phrase::BAD_REQUEST_LINE, odd_space(layout, bytes)));
    }
    let essentials = common(headers, layout, bytes)?;
    if Some(essentials.cseq.method) != layout.method(bytes) {
        let at = headers.raw(HeaderId::CSeq).map_or(0, |value| text::offset_in(bytes, value));
        return Err(Rejection::bad_at(Phrase::OTHER_METHOD, at));
    }
    let uri = layout.uri(bytes);
    let uri_at = text::offset_in(bytes, uri);
    let uri = Uri::parse_with(uri, layout.user_part)
        .map_err(|error| Rejection::bad_at(Phrase::BAD_REQUEST_URI, uri_at + error.offset() as usize))?;
    // RFC 3261 §19.1.1: headers have no place in a Request-URI.
    if let Some(uri_headers) = uri.headers() {
        return Err(Rejection::bad_at(Phrase::HEADERS_IN_REQUEST_URI, text::offset_in(bytes, uri_headers)));
    }
    body(headers, layout, bytes).map(|()| essentials)
}

fn response<'a>(bytes: &'a [u8], layout: &Layout<'a>) -> Result<Essentials<'a>, Rejection> {
    let headers = layout.headers(bytes);
    let essentials = common(headers, layout, bytes)?;
    body(headers, layout, bytes).map(|()| essentials)
}

/// Reads the headers that every message needs (RFC 3261 §8.1.1).
fn common<'a>(headers: Headers<'a>, layout: &Layout<'_>, bytes: &[u8]) -> Result<Essentials<'a>, Rejection> {
    if layout.defect == Some(Defect::Version) {
        let status = StatusCode::VERSION_NOT_SUPPORTED;
        let at = match layout.start {
            StartLine::Request { uri_end, .. } => u32::from(uri_end) + 1,
            StartLine::Response { .. } => 0,
        };
        return Err(Rejection { status, reason: Phrase::of(status), offset: Some(at) });
    }
    address(headers, HeaderId::To, bytes)?;
    address(headers, HeaderId::From, bytes)?;
    one::<CallId<'_>>(headers)?;
    let cseq = one(headers)?;
    // Only the topmost is looked at: the others are of no concern to this element (RFC 3261 §16.3).
    let reasons = reasons(HeaderId::Via);
    match (headers.raw(HeaderId::Via), headers.get::<Via<'_>>()) {
        (None, _) => Err(Rejection::bad(reasons.missing)),
        (Some([_, ..]), Some(Ok(via))) => match via.other_branch() {
            None if headers.has_blank(HeaderId::Via) => Err(Rejection::bad(reasons.bad)),
            None => Ok(Essentials { via, cseq }),
            Some(again) => Err(Rejection::bad_at(reasons.bad, text::offset_in(bytes, again.name))),
        },
        (Some(_), Some(Err(error))) => Err(Rejection::bad_at(reasons.bad, error.offset() as usize)),
        (Some(value), _) => Err(Rejection::bad_at(reasons.bad, text::offset_in(bytes, value))),
    }
}

fn body(headers: Headers<'_>, layout: &Layout<'_>, bytes: &[u8]) -> Result<(), Rejection> {
    match layout.defect {
        None => Ok(()),
        Some(Defect::Unterminated) => Err(Rejection::bad_at(Phrase::NO_EMPTY_LINE, layout.fields_end.into())),
        Some(Defect::ContentLength) => {
            let at = odd_length(headers).map_or(0, |value| text::offset_in(bytes, value));
            Err(Rejection::bad_at(Phrase::BAD_LENGTH, at))
        }
        Some(Defect::ShortBody) => Err(Rejection::bad_at(Phrase::SHORT_BODY, bytes.len())),
        Some(Defect::StartLine | Defect::Version) => Err(Rejection::bad_at(Phrase::BAD_START_LINE, 0)),
    }
}

/// Where white space stands in a request line that has too much of it.
fn odd_space(layout: &Layout<'_>, bytes: &[u8]) -> usize {
    let StartLine::Request { uri, uri_end, .. } = layout.start else { return 0 };
    let text = layout.uri(bytes);
    if text::trim_start(text).len() < text.len() {
        return uri.into();
    }
    if text::trim_end(text).len() < text.len() {
        return usize::from(uri) + text::trim_end(text).len();
    }
    let version = bytes.get(usize::from(uri_end) + 1..).unwrap_or_default();
    usize::from(uri_end) + 1 + version.iter().position(|octet| text::is_lws(*octet)).unwrap_or_default()
}

/// The first value of Content-Length that is no number or another one than before.
fn odd_length(headers: Headers<'_>) -> Option<&[u8]> {
    let mut values = headers.values(HeaderId::ContentLength, false);
    let first = values.clone().next().and_then(text::number);
    values.find(|value| text::number(value).is_none() || text::number(value) != first)
}

/// The value of a header that every message has once.
fn one<'a, H: Header<'a>>(headers: Headers<'a>) -> Result<H, Rejection> {
    let reasons = reasons(H::ID);
    let mut values = headers.of(H::ID);
    match (values.next(), values.next()) {
        (None, _) => Err(Rejection::bad(reasons.missing)),
        (Some(_), Some(second)) => Err(Rejection::bad_at(reasons.repeated, headers.offset_of(second))),
        (Some(value), None) => {
            headers.read(value).map_err(|error| Rejection::bad_at(reasons.bad, error.offset() as usize))
        }
    }
}

/// From or To: it stands once, and its tag, or that it has none (RFC 2543), can be read without doubt. What else is wrong with it
/// is for those to say who need the address (RFC 3261 §16.3).
fn address(headers: Headers<'_>, id: HeaderId, bytes: &[u8]) -> Result<(), Rejection> {
    let reasons = reasons(id);
    let mut values = headers.of(id);
    let address = match (values.next(), values.next()) {
        (None, _) => return Err(Rejection::bad(reasons.missing)),
        (Some(_), Some(second)) => return Err(Rejection::bad_at(reasons.repeated, headers.offset_of(second))),
        (Some(value), None) => NameAddrText::parse(value)
            .map_err(|error| Rejection::bad_at(reasons.bad, headers.offset_of(value) + error.offset() as usize))?,
    };
    match address.tags() {
        [None, _] => Ok(()),
        [Some(_), None] if address.tag().is_some() => Ok(()),
        [_, Some(tag)] | [Some(tag), None] => {
            Err(Rejection::bad_at(reasons.bad, text::offset_in(bytes, tag.name.as_bytes())))
        }
    }
}

struct Reasons {
    missing: Phrase,
    repeated: Phrase,
    bad: Phrase,
}

/// The phrases for each of the headers that every message needs.
const fn reasons(id: HeaderId) -> Reasons {
    let (missing, repeated, bad) = match id {
        HeaderId::To => (Phrase::NO_RECIPIENT, Phrase::REPEATED_RECIPIENT, Phrase::BAD_RECIPIENT),
        HeaderId::From => (Phrase::NO_SENDER, Phrase::REPEATED_SENDER, Phrase::BAD_SENDER),
        HeaderId::CallId => (Phrase::NO_CALL_IDENTIFIER, Phrase::REPEATED_CALL_IDENTIFIER, Phrase::BAD_CALL_IDENTIFIER),
        HeaderId::CSeq => (Phrase::NO_SEQUENCE_NUMBER, Phrase::REPEATED_SEQUENCE_NUMBER, Phrase::BAD_SEQUENCE_NUMBER),
        _ => (Phrase::NO_RETURN_ADDRESS, Phrase::REPEATED_RETURN_ADDRESS, Phrase::BAD_RETURN_ADDRESS),
    };
    Reasons { missing, repeated, bad }
}

#[cfg(test)]
mod tests {
    use super::{Phrase, Rejection, StatusCode};
    use crate::message::{Limits, Message};

    const GOOD: &str = "BYE sip:bob@192.0.2.4 SIP/2.0\r\n\
        Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds10\r\n\
        Max-Forwards: 70\r\n\
        From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
        To: Bob <sip:bob@biloxi.com>;tag=a6c85cf\r\n\
        Call-ID: a84b4c76e66710\r\n\
        CSeq: 231 BYE\r\n\
        Content-Length: 0\r\n\r\n";

    fn verdict(text: &str) -> Result<(), Rejection> {
        match Message::parse(text.as_bytes(), &Limits::default()) {
            Ok(Message::Request(request)) => request.validate(),
            Ok(Message::Response(response)) => response.validate(),
            Err(error) => panic!("{text}: {error}"),
        }
    }

    /// The verdict but for the place.
    fn judged(text: &str) -> Result<(), Rejection> {
        verdict(text).map_err(|rejection| Rejection { offset: None, ..rejection })
    }

    #[track_caller]
    fn changed(from: &str, to: &str) -> Result<(), Rejection> {
        assert!(GOOD.contains(from), "{from}");
        judged(&GOOD.replace(from, to))
    }

    const fn bad(reason: Phrase) -> Result<(), Rejection> {
        Err(Rejection::bad(reason))
    }

    #[test]
    fn a_good_message_passes() {
        assert_eq!(judged(GOOD), Ok(()));
        assert_eq!(changed("BYE sip:bob@192.0.2.4 SIP/2.0", "SIP/2.0 200 OK"), Ok(()));
    }

    #[test]
    fn what_rfc_2543_left_out_may_be_missing() {
        assert_eq!(changed("Max-Forwards: 70\r\n", ""), Ok(()));
        assert_eq!(changed(";tag=1928301774", ""), Ok(()));
        assert_eq!(changed(";branch=z9hG4bKnashds10", ""), Ok(()));
        assert_eq!(changed("Content-Length: 0\r\n", ""), Ok(()));
    }

    #[test]
    fn each_needed_header_stands_once_and_is_usable() {
        for (line, name, what) in [
            ("From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n", "From", "sender"),
            ("To: Bob <sip:bob@biloxi.com>;tag=a6c85cf\r\n", "To", "recipient"),
            ("Call-ID: a84b4c76e66710\r\n", "Call-ID", "call identifier"),
            ("CSeq: 231 BYE\r\n", "CSeq", "sequence number"),
        ] {
            let of = |result: Result<(), Rejection>| result.unwrap_err().reason.as_str();
            assert_eq!(of(changed(line, "")), alloc::format!("Missing {what}"));
            assert_eq!(of(changed(line, &line.repeat(2))), alloc::format!("Repeated {what}"));
            assert_eq!(of(changed(line, &alloc::format!("{name}: ;;\r\n"))), alloc::format!("Bad {what}"));
            assert_eq!(of(changed(line, &alloc::format!("{name}:\r\n"))), alloc::format!("Bad {what}"));
        }
        let via = "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds10\r\n";
        assert_eq!(changed(via, ""), bad(Phrase::NO_RETURN_ADDRESS));
        assert_eq!(changed(via, "Via:\r\nVia: SIP/2.0/UDP a.com\r\n"), bad(Phrase::BAD_RETURN_ADDRESS));
        assert_eq!(changed(via, "Via: SIP/2.0/UDP a.com;;\r\n"), bad(Phrase::BAD_RETURN_ADDRESS));
        assert_eq!(changed(via, "Via: SIP/2.0/UDP a.com;branch=a;branch=b\r\n"), bad(Phrase::BAD_RETURN_ADDRESS));
        assert_eq!(changed(via, &via.repeat(3)), Ok(()));
        // No line of a list that needs a value is empty.
        for blank in ["Via:\r\n", "v: \r\n  \r\n"] {
            assert_eq!(changed(via, &alloc::format!("{via}{blank}")), bad(Phrase::BAD_RETURN_ADDRESS));
            assert_eq!(changed(via, &alloc::format!("{via}{blank}{via}")), bad(Phrase::BAD_RETURN_ADDRESS));
        }
    }

    #[test]
    fn a_tag_stands_once_and_is_carried_as_it_is() {
        assert_eq!(changed(";tag=a6c85cf", ";tag=1;TAG=2"), bad(Phrase::BAD_RECIPIENT));
        assert_eq!(changed(";tag=a6c85cf", ";tag"), bad(Phrase::BAD_RECIPIENT));
        assert_eq!(changed(";tag=1928301774", ";tag=\"x\""), bad(Phrase::BAD_SENDER));
        assert_eq!(changed(";tag=a6c85cf", ";tag=a/b+c=="), Ok(()));
        assert_eq!(changed(";tag=1928301774", ";tag=x@y"), Ok(()));
    }

    #[test]
    fn of_from_and_to_the_tag_alone_is_needed() {
        for address in ["<sip:a#b@c.com>", "A <sip:a@b@c.com>", "<sip:a%zz@c.com:99999>", "<alan@jasomi.com>"] {
            assert_eq!(changed("Bob <sip:bob@biloxi.com>", address), Ok(()), "{address}");
            assert_eq!(changed("Alice <sip:alice@atlanta.com>", address), Ok(()), "{address}");
        }
        for address in
            ["A, B <sip:a@b.com>", "\"A <sip:a@b.com>", "<sip:a@b.com", "< sip:a@b.com >", "\"\0\" <sip:a@b.com>"]
        {
            assert_eq!(changed("Bob <sip:bob@biloxi.com>", address), bad(Phrase::BAD_RECIPIENT), "{address}");
        }
    }

    #[test]
    fn the_start_line_is_exact() {
        assert_eq!(changed("BYE sip", "BYE  sip"), bad(Phrase::BAD_REQUEST_LINE));
        assert_eq!(changed(" SIP/2.0\r\nVia", "  SIP/2.0\r\nVia"), bad(Phrase::BAD_REQUEST_LINE));
        assert_eq!(changed("SIP/2.0\r\nVia", "SIP/2.0 \r\nVia"), bad(Phrase::BAD_REQUEST_LINE));
        assert_eq!(changed("sip:bob@192.0.2.4", "<sip:bob@192.0.2.4>"), bad(Phrase::BAD_REQUEST_URI));
        assert_eq!(changed("sip:bob@192.0.2.4", "sip:bob@192.0.2.4; lr"), bad(Phrase::BAD_REQUEST_URI));
        assert_eq!(changed("sip:bob@192.0.2.4", "sip:bob@192.0.2.4?a=b"), bad(Phrase::HEADERS_IN_REQUEST_URI));
        assert_eq!(changed("231 BYE", "231 INVITE"), bad(Phrase::OTHER_METHOD));
    }

    #[test]
    fn a_version_has_its_own_status_and_any_scheme_passes() {
        let of = |result: Result<(), Rejection>| result.unwrap_err().status;
        assert_eq!(of(changed("SIP/2.0\r\nVia", "SIP/7.0\r\nVia")), StatusCode::VERSION_NOT_SUPPORTED);
        assert_eq!(changed("SIP/2.0\r\nVia", "sip/2.0\r\nVia"), Ok(()));
        // Which schemes are served is for the roles to say (RFC 4475 §3.3.2).
        assert_eq!(changed("sip:bob@192.0.2.4", "tel:+12015550123"), Ok(()));
        assert_eq!(changed("sip:bob@192.0.2.4", "nobody:x"), Ok(()));
    }

    #[test]
    fn max_forwards_is_of_concern_to_those_alone_that_forward() {
        for odd in ["Max-Forwards: 256", "Max-Forwards:", "Max-Forwards: 70\r\nMax-Forwards: 9"] {
            assert_eq!(changed("Max-Forwards: 70", odd), Ok(()));
        }
    }

    #[test]
    fn the_body_is_all_there() {
        assert_eq!(changed("Content-Length: 0", "Content-Length: 1"), bad(Phrase::SHORT_BODY));
        assert_eq!(changed("Content-Length: 0", "Content-Length: -1"), bad(Phrase::BAD_LENGTH));
        assert_eq!(changed("Content-Length: 0", "l: 0\r\nl: 1"), bad(Phrase::BAD_LENGTH));
        assert_eq!(changed("Content-Length: 0\r\n\r\n", "l: 0\r\n"), bad(Phrase::NO_EMPTY_LINE));
    }

    #[test]
    fn the_gravest_comes_first() {
        let two = GOOD.replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia").replace("CSeq: 231 BYE\r\n", "");
        assert_eq!(verdict(&two).unwrap_err().status, StatusCode::VERSION_NOT_SUPPORTED);
        let two = GOOD.replace("sip:bob@192.0.2.4", "sip:").replace("Call-ID: a84b4c76e66710\r\n", "");
        assert_eq!(judged(&two), bad(Phrase::NO_CALL_IDENTIFIER));
    }

    #[test]
    fn the_place_is_told_where_there_is_one() {
        // Each row says which text is changed, to which, and the text at the place.
        for (from, to, place) in [
            ("BYE sip", "BYE  sip", " sip:bob"),
            (" SIP/2.0\r\nVia", "  SIP/2.0\r\nVia", "  SIP/2.0"),
            ("SIP/2.0\r\nVia", "SIP/2.0 \r\nVia", " \r\nVia"),
            ("SIP/2.0\r\nVia", "SIP/7.0\r\nVia", "SIP/7.0"),
            ("sip:bob@192.0.2.4", "sip:bob@[192.0.2.4", "[192.0.2.4"),
            ("sip:bob@192.0.2.4", "sip:bob@192.0.2.4?a=b", "a=b"),
            ("231 BYE", "231 INVITE", "231 INVITE"),
            ("231 BYE", "4294967296 BYE", "4294967296"),
            ("CSeq: 231 BYE\r\n", "CSeq: 231 BYE\r\nCSeq: 9 BYE\r\n", "9 BYE"),
            (";tag=a6c85cf", ";tag=1;TAG=2", "TAG=2"),
            (";tag=a6c85cf", ";tag", "tag\r\n"),
            (";branch=z9hG4bKnashds10", ";branch=a;branch=b", "branch=b"),
            ("Content-Length: 0", "Content-Length: 0\r\nl: 1", "1\r\n"),
            ("Content-Length: 0\r\n\r\n", "Content-Length: 5\r\n\r\nabc", ""),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let text = GOOD.replace(from, to);
            let offset = verdict(&text).unwrap_err().offset.unwrap() as usize;
            assert!(text[offset..].starts_with(place), "{to}: {}", &text[offset..]);
            assert!(offset < text.len() || place.is_empty(), "{to}");
        }
        assert_eq!(verdict(&GOOD.replace("CSeq: 231 BYE\r\n", "")).unwrap_err().offset, None);
    }
}
