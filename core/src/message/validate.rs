//! Which status a peer is owed (RFC 3261 §8.2, §16.3, §18.3). What only some roles look at is left to them.

use super::error::ParseError;
use super::header::{CSeq, CallId, From, Header, MaxForwards, NameAddr, To, Via};
use super::headers::Headers;
use super::layout::{Defect, Layout};
use super::name::HeaderId;
use super::request::Request;
use super::response::Response;
use super::status::StatusCode;
use super::uri::Uri;
use core::fmt;

/// The answer to a request that cannot be processed; of a response, why it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The status code to answer a request with.
    pub status: StatusCode,
    /// The reason phrase, such as `Missing Call-ID header`.
    pub reason: &'static str,
}

impl Rejection {
    const fn bad(reason: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, reason }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.reason)
    }
}

/// The first thing that keeps a request from being processed.
pub(super) fn request(request: &Request, layout: &Layout) -> Result<(), Rejection> {
    if layout.defect == Some(Defect::StartLine) {
        return Err(Rejection::bad("Bad Request-Line"));
    }
    common(request.headers(), layout)?;
    let headers = request.headers();
    if request.cseq().is_some_and(|cseq| cseq.method != request.method()) {
        return Err(Rejection::bad("CSeq method is another"));
    }
    let uri = Uri::parse(request.uri_bytes()).map_err(|_| Rejection::bad("Bad Request-URI"))?;
    if !uri.is_sip() {
        let status = StatusCode::UNSUPPORTED_URI_SCHEME;
        return Err(Rejection { status, reason: status.reason() });
    }
    // RFC 3261 §19.1.1: headers have no place in a Request-URI.
    if uri.headers().is_some() {
        return Err(Rejection::bad("Headers in the Request-URI"));
    }
    match at_most_one::<MaxForwards>(headers) {
        Found::Many => Err(Rejection::bad("Repeated Max-Forwards header")),
        Found::Bad => Err(Rejection::bad("Bad Max-Forwards header")),
        Found::None | Found::One(_) => body(layout),
    }
}

/// Why a response is dropped, if it is.
pub(super) fn response(response: &Response, layout: &Layout) -> Result<(), Rejection> {
    common(response.headers(), layout)?;
    body(layout)
}

/// What every message needs (RFC 3261 §8.1.1).
fn common(headers: Headers<'_>, layout: &Layout) -> Result<(), Rejection> {
    if layout.defect == Some(Defect::Version) {
        let status = StatusCode::VERSION_NOT_SUPPORTED;
        return Err(Rejection { status, reason: status.reason() });
    }
    one::<To<'_>>(headers).and_then(|to| tag_is_usable(*to, HeaderId::To))?;
    one::<From<'_>>(headers).and_then(|from| tag_is_usable(*from, HeaderId::From))?;
    one::<CallId<'_>>(headers)?;
    one::<CSeq<'_>>(headers)?;
    // Only the topmost is looked at: the others are of no concern to this element (RFC 3261 §16.3).
    match (headers.raw(HeaderId::Via), headers.get::<Via<'_>>()) {
        (None, _) => Err(Rejection::bad(reasons(HeaderId::Via).missing)),
        (Some([_, ..]), Some(Ok(via))) if is_single(via.parameters.iter(), "branch") => Ok(()),
        _ => Err(Rejection::bad(reasons(HeaderId::Via).bad)),
    }
}

fn body(layout: &Layout) -> Result<(), Rejection> {
    match layout.defect {
        None => Ok(()),
        Some(Defect::Unterminated) => Err(Rejection::bad("Missing empty line after the headers")),
        Some(Defect::ContentLength) => Err(Rejection::bad("Bad Content-Length header")),
        Some(Defect::ShortBody) => Err(Rejection::bad("Body shorter than Content-Length")),
        Some(Defect::StartLine | Defect::Version) => Err(Rejection::bad("Bad start line")),
    }
}

enum Found<H> {
    None,
    One(H),
    Many,
    Bad,
}

fn at_most_one<'a, H: Header<'a>>(headers: Headers<'a>) -> Found<H> {
    let mut values = headers.all::<H>();
    match (values.next(), values.next()) {
        (None, _) => Found::None,
        (Some(_), Some(_)) => Found::Many,
        (Some(Ok(value)), None) => Found::One(value),
        (Some(Err(ParseError { .. })), None) => Found::Bad,
    }
}

fn one<'a, H: Header<'a>>(headers: Headers<'a>) -> Result<H, Rejection> {
    let reasons = reasons(H::ID);
    match at_most_one(headers) {
        Found::One(value) => Ok(value),
        Found::None => Err(Rejection::bad(reasons.missing)),
        Found::Many => Err(Rejection::bad(reasons.repeated)),
        Found::Bad => Err(Rejection::bad(reasons.bad)),
    }
}

/// A tag may be absent (RFC 2543), but not be two or no token.
fn tag_is_usable(address: NameAddr<'_>, id: HeaderId) -> Result<(), Rejection> {
    let usable =
        is_single(address.parameters.iter(), "tag") && address.parameters.has("tag") == address.tag().is_some();
    if usable { Ok(()) } else { Err(Rejection::bad(reasons(id).bad)) }
}

fn is_single<'a>(parameters: impl Iterator<Item = super::Parameter<'a>>, name: &str) -> bool {
    parameters.filter(|parameter| parameter.name.eq_ignore_ascii_case(name)).count() <= 1
}

struct Reasons {
    missing: &'static str,
    repeated: &'static str,
    bad: &'static str,
}

const fn reasons(id: HeaderId) -> Reasons {
    let (missing, repeated, bad) = match id {
        HeaderId::To => ("Missing To header", "Repeated To header", "Bad To header"),
        HeaderId::From => ("Missing From header", "Repeated From header", "Bad From header"),
        HeaderId::CallId => ("Missing Call-ID header", "Repeated Call-ID header", "Bad Call-ID header"),
        HeaderId::CSeq => ("Missing CSeq header", "Repeated CSeq header", "Bad CSeq header"),
        HeaderId::Via => ("Missing Via header", "Repeated Via header", "Bad Via header"),
        _ => ("Missing header", "Repeated header", "Bad header"),
    };
    Reasons { missing, repeated, bad }
}

#[cfg(test)]
mod tests {
    use super::{Rejection, StatusCode};
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

    #[track_caller]
    fn changed(from: &str, to: &str) -> Result<(), Rejection> {
        assert!(GOOD.contains(from), "{from}");
        verdict(&GOOD.replace(from, to))
    }

    const fn bad(reason: &'static str) -> Result<(), Rejection> {
        Err(Rejection { status: StatusCode::BAD_REQUEST, reason })
    }

    #[test]
    fn a_good_message_passes() {
        assert_eq!(verdict(GOOD), Ok(()));
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
        for (line, name) in [
            ("From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n", "From"),
            ("To: Bob <sip:bob@biloxi.com>;tag=a6c85cf\r\n", "To"),
            ("Call-ID: a84b4c76e66710\r\n", "Call-ID"),
            ("CSeq: 231 BYE\r\n", "CSeq"),
        ] {
            let of = |result: Result<(), Rejection>| result.unwrap_err().reason;
            assert_eq!(of(changed(line, "")), alloc::format!("Missing {name} header"));
            assert_eq!(of(changed(line, &line.repeat(2))), alloc::format!("Repeated {name} header"));
            assert_eq!(of(changed(line, &alloc::format!("{name}: ;;\r\n"))), alloc::format!("Bad {name} header"));
            assert_eq!(of(changed(line, &alloc::format!("{name}:\r\n"))), alloc::format!("Bad {name} header"));
        }
        let via = "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds10\r\n";
        assert_eq!(changed(via, ""), bad("Missing Via header"));
        assert_eq!(changed(via, "Via:\r\nVia: SIP/2.0/UDP a.com\r\n"), bad("Bad Via header"));
        assert_eq!(changed(via, "Via: SIP/2.0/UDP a.com;;\r\n"), bad("Bad Via header"));
        assert_eq!(changed(via, "Via: SIP/2.0/UDP a.com;branch=a;branch=b\r\n"), bad("Bad Via header"));
        assert_eq!(changed(via, &via.repeat(3)), Ok(()));
    }

    #[test]
    fn a_tag_is_one_token() {
        assert_eq!(changed(";tag=a6c85cf", ";tag=1;TAG=2"), bad("Bad To header"));
        assert_eq!(changed(";tag=a6c85cf", ";tag"), bad("Bad To header"));
        assert_eq!(changed(";tag=1928301774", ";tag=\"x\""), bad("Bad From header"));
    }

    #[test]
    fn the_start_line_is_exact() {
        assert_eq!(changed("BYE sip", "BYE  sip"), bad("Bad Request-Line"));
        assert_eq!(changed(" SIP/2.0\r\nVia", "  SIP/2.0\r\nVia"), bad("Bad Request-Line"));
        assert_eq!(changed("SIP/2.0\r\nVia", "SIP/2.0 \r\nVia"), bad("Bad Request-Line"));
        assert_eq!(changed("sip:bob@192.0.2.4", "<sip:bob@192.0.2.4>"), bad("Bad Request-URI"));
        assert_eq!(changed("sip:bob@192.0.2.4", "sip:bob@192.0.2.4; lr"), bad("Bad Request-URI"));
        assert_eq!(changed("sip:bob@192.0.2.4", "sip:bob@192.0.2.4?a=b"), bad("Headers in the Request-URI"));
        assert_eq!(changed("231 BYE", "231 INVITE"), bad("CSeq method is another"));
    }

    #[test]
    fn versions_and_schemes_have_their_own_status() {
        let of = |result: Result<(), Rejection>| result.unwrap_err().status;
        assert_eq!(of(changed("SIP/2.0\r\nVia", "SIP/7.0\r\nVia")), StatusCode::VERSION_NOT_SUPPORTED);
        assert_eq!(changed("SIP/2.0\r\nVia", "sip/2.0\r\nVia"), Ok(()));
        assert_eq!(of(changed("sip:bob@192.0.2.4", "tel:+12015550123")), StatusCode::UNSUPPORTED_URI_SCHEME);
        assert_eq!(of(changed("sip:bob@192.0.2.4", "nobody:x")), StatusCode::UNSUPPORTED_URI_SCHEME);
    }

    #[test]
    fn max_forwards_is_a_number_to_255() {
        assert_eq!(changed("Max-Forwards: 70", "Max-Forwards: 0"), Ok(()));
        assert_eq!(changed("Max-Forwards: 70", "Max-Forwards: 256"), bad("Bad Max-Forwards header"));
        assert_eq!(changed("Max-Forwards: 70", "Max-Forwards:"), bad("Bad Max-Forwards header"));
        assert_eq!(changed("CSeq", "Max-Forwards: 70\r\nCSeq"), bad("Repeated Max-Forwards header"));
    }

    #[test]
    fn the_body_is_all_there() {
        assert_eq!(changed("Content-Length: 0", "Content-Length: 1"), bad("Body shorter than Content-Length"));
        assert_eq!(changed("Content-Length: 0", "Content-Length: -1"), bad("Bad Content-Length header"));
        assert_eq!(changed("Content-Length: 0", "l: 0\r\nl: 1"), bad("Bad Content-Length header"));
        assert_eq!(changed("Content-Length: 0\r\n\r\n", "l: 0\r\n"), bad("Missing empty line after the headers"));
    }

    #[test]
    fn the_gravest_comes_first() {
        let two = GOOD.replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia").replace("CSeq: 231 BYE\r\n", "");
        assert_eq!(verdict(&two).unwrap_err().status, StatusCode::VERSION_NOT_SUPPORTED);
        let two = GOOD.replace("sip:bob@192.0.2.4", "tel:1").replace("Call-ID: a84b4c76e66710\r\n", "");
        assert_eq!(verdict(&two), bad("Missing Call-ID header"));
    }
}
