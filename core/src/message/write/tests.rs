use super::{Content, Framing, Hop, Lines, Recipe, RequestParts, ResponseParts};
use crate::message::header::{CSeq, NameAddr, To};
use crate::message::layout::Layout;
use crate::message::read::Spans;
use crate::message::{BuildError, HeaderId, Limits, Message, Method, Request, Response, StatusCode, Uri, UriBuf};
use alloc::string::String;
use alloc::vec::Vec;

fn uri() -> UriBuf {
    "sip:bob@biloxi.com".parse().unwrap()
}

fn options() -> super::RequestBuilder {
    Request::builder(Method::Options, uri().as_uri())
}

fn parsed(text: &str) -> Request {
    match Message::parse(text.as_bytes(), &Limits::default()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_is_written_in_the_order_given() {
    let bob = NameAddr::parse(b"\"Bob\" <sip:bob@biloxi.com>").unwrap();
    let request = options()
        .header(HeaderId::Via, "SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKhjhs8ass877")
        .header("max-forwards", "70")
        .typed(&To(bob))
        .header(HeaderId::ContentLength, "999")
        .typed(&CSeq { number: 63104, method: Method::Options })
        .header("X-Other", "y")
        .body("text/plain", b"hello")
        .finish()
        .unwrap();
    let expected = "OPTIONS sip:bob@biloxi.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKhjhs8ass877\r\n\
        Max-Forwards: 70\r\n\
        To: \"Bob\" <sip:bob@biloxi.com>\r\n\
        CSeq: 63104 OPTIONS\r\n\
        X-Other: y\r\n\
        Content-Type: text/plain\r\n\
        Content-Length: 5\r\n\
        \r\n\
        hello";
    assert_eq!(String::from_utf8(request.as_bytes().to_vec()).unwrap(), expected);
    assert_spans(&Message::Request(request.clone()));
    assert_eq!((request.method(), request.body()), (Method::Options, &b"hello"[..]));
    assert_eq!(request.uri().unwrap().user(), Some("bob"));
}

#[test]
fn where_things_stand_is_known_without_a_look() {
    let folded =
        parsed("BYE sip:a SIP/2.0\r\nRecord-Route: <sip:b>,\r\n <sip:c>\r\nk : \r\nRecord-Route:<sip:d>  \r\n\r\n");
    let values = [
        "",
        " ",
        " x ",
        "\"Bob\" <sip:b@c>;tag=1",
        "<sip:b>;tag=1;tag=2",
        "sip:b",
        "<sip:\u{e9}>",
        "7 BYE",
        "7  BYE",
        "a@b",
    ];
    let ids = [HeaderId::To, HeaderId::From, HeaderId::CallId, HeaderId::CSeq, HeaderId::Via];
    for seed in 0..4_000_usize {
        let mut builder = options();
        let mut rest = seed;
        for _ in 0..5 {
            let value = values[rest % values.len()];
            builder = match rest / values.len() % 8 {
                5 => builder.header("X-Other", value),
                6 => builder.copy(&folded, HeaderId::RecordRoute).copy(&folded, HeaderId::Supported),
                7 => builder.header("l", "9").header("v", value),
                id => builder.header(ids[id], value),
            };
            rest = rest.wrapping_mul(0x9e37_79b9).rotate_right(7);
        }
        let content_type = ["", " ", "text/plain "][seed % 3];
        let built = builder.body(content_type, &b"hello"[..seed % 5]).finish().unwrap();
        assert_spans(&Message::Request(built));
    }
    // With a marked From, To, Call-ID and CSeq, and more fields than are kept in place.
    let usual = |builder: super::RequestBuilder| {
        builder
            .header(HeaderId::To, "<sip:b@c>;tag=1")
            .header(HeaderId::From, "Al <sip:a@c>;x;tag=22")
            .header(HeaderId::CallId, "a@b")
            .header(HeaderId::CSeq, "7 OPTIONS")
    };
    let built = usual(options()).finish().unwrap();
    assert!(Layout::unpack(built.as_bytes().tail()).marks.is_some());
    assert_spans(&Message::Request(built));
    let many = (0..60).fold(options(), |builder, _| builder.header("X-A", "1"));
    assert_spans(&Message::Request(usual(many).finish().unwrap()));
}

#[test]
fn where_things_stand_in_a_response_is_known_without_a_look() {
    let fields = [
        "Via: SIP/2.0/UDP a;branch=z9hG4bK1,\r\n SIP/2.0/UDP b",
        "v:SIP/2.0/UDP c ",
        "To: <sip:b@c>",
        "t : Bob <sip:b@c>;tag=1",
        "To: sip:b",
        "To:",
        "From: \"Al\"\t<sip:a@c>;tag=22",
        "f:<sip:a@c>",
        "Call-ID: a@b",
        "i:",
        "CSeq: 7 OPTIONS",
        "CSeq: 7  OPTIONS",
        "Timestamp: 54.2",
        "Timestamp: 54 1",
        "Record-Route: <sip:b>,\r\n <sip:c>",
        "no colon",
    ];
    for seed in 0..4_000_usize {
        let mut text = String::from("OPTIONS sip:b SIP/2.0\r\n");
        let mut rest = seed;
        for _ in 0..7 {
            let field = fields[rest % fields.len()];
            if field != "no colon" || !text.contains(field) {
                text += field;
                text += "\r\n";
            }
            rest = rest.wrapping_mul(0x9e37_79b9).rotate_right(7);
        }
        let request = parsed(&(text + "\r\n"));
        let status = [StatusCode::TRYING, StatusCode::OK][seed % 2];
        let lines = Lines::new();
        let parts = ResponseParts::new(&request, status, &lines);
        let delayed = ResponseParts { delay: Some("0.25"), to_tag: Some("9"), ..parts }.response().unwrap();
        assert_spans(&Message::Response(delayed));
        let builder = Response::to(&request, status).reason(["", "Fine", "\u{e9}"][seed % 3]).header("X-Other", "");
        let builder = if seed % 5 == 0 { builder } else { builder.to_tag("9") };
        let built = builder.copy(&request, HeaderId::RecordRoute).body("text/plain", b"hello").finish().unwrap();
        assert_spans(&Message::Response(built));
    }
    let usual = parsed(
        "BYE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nTo: <sip:b@c>\r\nFrom: <sip:a@c>;tag=1\r\nCall-ID: a\r\nCSeq: 7 BYE\r\n\r\n",
    );
    let built = Response::to(&usual, StatusCode::OK).to_tag("9").finish().unwrap();
    assert!(Layout::unpack(built.as_bytes().tail()).marks.is_some());
    assert_spans(&Message::Response(built));
}

#[test]
fn a_copied_content_length_is_left_out() {
    let other = parsed("BYE sip:b SIP/2.0\r\nl: 3\r\n\r\nabc");
    let request = options().copy(&other, HeaderId::ContentLength).body("text/plain", b"hello").finish().unwrap();
    assert_eq!(request.headers().count(HeaderId::ContentLength), 1);
    let response = Response::to(&other, StatusCode::OK).copy(&other, HeaderId::ContentLength).finish().unwrap();
    assert_eq!(response.headers().raw(HeaderId::ContentLength), Some(&b"0"[..]));
    assert_eq!(response.headers().count(HeaderId::ContentLength), 1);
}

#[test]
fn what_is_kept_for_long_is_octets_alone() {
    let request = options().header("X-A", "1").finish().unwrap();
    let bare = request.as_bytes().without_tail();
    assert_eq!((&bare, bare.tail()), (request.as_bytes(), &[][..]));
    assert!(!request.as_bytes().tail().is_empty());
    assert_eq!(bare.as_ptr(), bare.without_tail().as_ptr());
}

#[test]
fn nothing_is_injected() {
    for bad in ["a\r\nEvil: 1", "a\nb", "\r", "\0"] {
        assert_eq!(options().header("Subject", bad).finish(), Err(BuildError::Control));
        assert_eq!(options().body(bad, b"").finish(), Err(BuildError::Control));
        let trying = Response::to(&options().finish().unwrap(), StatusCode::TRYING);
        assert_eq!(trying.clone().reason(bad).finish(), Err(BuildError::Control));
        assert_eq!(trying.to_tag(bad).finish(), Err(BuildError::Tag));
    }
    for bad in ["", "a b", "a:", "a\r\n", "ä"] {
        assert_eq!(options().header(bad, "x").finish(), Err(BuildError::HeaderName));
    }
    let odd = Request::builder(Method::Other("A B"), uri().as_uri()).finish();
    assert_eq!(odd, Err(BuildError::Method));
    assert_eq!(Request::builder(Method::Ack, Uri::EMPTY).finish(), Err(BuildError::Uri));
}

/// The spans that were noted are those that a reader of the octets finds.
fn assert_spans(built: &Message) {
    let limits = Limits { header_section: 65_535, ..Limits::default() };
    let again = Message::parse(built.as_bytes(), &limits).unwrap();
    let fields = |message: &Message| -> Vec<_> {
        let headers = message.headers();
        headers.iter().map(|field| (field.name.as_str().len(), field.value.to_vec(), field.line.to_vec())).collect()
    };
    assert_eq!(fields(built), fields(&again));
    assert_eq!(built.body(), again.body());
    assert_eq!(alloc::format!("{built:?}"), alloc::format!("{again:?}"));
    let kept = Layout::unpack(built.as_bytes().tail());
    let read = Spans::of_written(built.as_bytes()).unwrap();
    assert_eq!(alloc::format!("{kept:?}"), alloc::format!("{:?}", read.layout()));
}

#[test]
fn headers_do_not_grow_beyond_the_bound() {
    let long = "x".repeat(65_400);
    let request = options().header("X-Long", &long).finish().unwrap();
    assert_spans(&Message::Request(request.clone()));
    assert_eq!(options().header("X-Long", &long).header("X", &long).finish(), Err(BuildError::TooLong));
    let text = alloc::format!("BYE sip:a SIP/2.0\r\nTo: <sip:b>\r\nVia: {long}\r\n\r\n");
    let limits = Limits { header_section: 65_535, ..Limits::default() };
    let Ok(Message::Request(request)) = Message::parse(text.as_bytes(), &limits) else { panic!() };
    let tagged = |length: usize| Response::to(&request, StatusCode::OK).to_tag(&"t".repeat(length)).finish();
    assert!(tagged(10).is_ok());
    assert_eq!(tagged(200), Err(BuildError::TooLong));
    assert_eq!(tagged(70_000), Err(BuildError::TooLong));
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

#[test]
fn a_request_from_parts_has_its_via_before_all_other_fields() {
    let mut lines = Lines::new();
    lines.number(HeaderId::MaxForwards, 70).parts(HeaderId::From, &[b" <sip:a@b>", b";tag=", b"1 "]);
    lines.typed(&To(NameAddr::parse(b"<sip:c@d>").unwrap())).header("Call-ID", "x").cseq(7, Method::Info);
    lines.header(HeaderId::Subject, " ").header(HeaderId::ContentLength, "9");
    let content = Content { content_type: "text/plain", octets: b"hi" };
    let parts = RequestParts { content, ..RequestParts::new(Method::Info, b"sip:c@d", &lines) };
    let expected = "INFO sip:c@d SIP/2.0\r\n\
        Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 7 INFO\r\nSubject: \r\n\
        Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";
    let request = parts.request().unwrap();
    assert_eq!(text(request.as_bytes()), expected);
    let via = ["SIP/2.0/UDP e;branch=", "z9hG4bK1"];
    let on_top = expected.replace("Max-F", "Via: SIP/2.0/UDP e;branch=z9hG4bK1\r\nMax-F");
    for framing in [Framing::Datagram, Framing::Stream] {
        let hop = Hop { via: &via, here: None, below: None, framing };
        for octets in [parts.octets_for(hop), request.octets_for(hop)] {
            assert_eq!(text(&octets.unwrap()), on_top);
        }
        let edit = request.edit().replace(HeaderId::MaxForwards, "69");
        assert_eq!(text(&edit.octets_for(hop).unwrap()), on_top.replace("70", "69"));
        // Where this end is reached.
        let hop = Hop { here: Some((HeaderId::Contact, "<sip:a@e>")), ..hop };
        let reached = on_top.replace("INFO\r\n", "INFO\r\nContact: <sip:a@e>\r\n");
        for octets in [parts.octets_for(hop), request.octets_for(hop)] {
            assert_eq!(text(&octets.unwrap()), reached);
        }
        assert_eq!(text(&edit.octets_for(hop).unwrap()), reached.replace("70", "69"));
    }
}

#[test]
fn a_length_that_is_left_out_is_checked_like_any_value() {
    let mut lines = Lines::new();
    lines.header(HeaderId::ContentLength, "1\r\nEvil: 1");
    assert_eq!(lines.check(), Err(BuildError::Control));
}

#[test]
fn what_would_end_a_line_is_refused_wherever_it_stands() {
    let request = parsed(REQUEST);
    let empty = Lines::new();
    for bad in ["a\r\nEvil: 1", "a\nb", "\r", "\0"] {
        let mut lines = Lines::new();
        lines.parts(HeaderId::Subject, &[b"x", bad.as_bytes()]).header(HeaderId::Subject, "fine");
        assert_eq!(ResponseParts::new(&request, StatusCode::OK, &lines).octets(), Err(BuildError::Control));
        assert_eq!(RequestParts::new(Method::Bye, b"sip:a", &lines).request(), Err(BuildError::Control));
        let response = ResponseParts::new(&request, StatusCode::OK, &empty);
        let reason = ResponseParts { reason: Some(bad.as_bytes()), ..response };
        assert_eq!(reason.octets(), Err(BuildError::Control));
        let tag = ResponseParts { to_tag: Some(bad), ..response };
        assert_eq!(tag.octets(), Err(BuildError::Tag));
        let content = Content { content_type: bad, octets: b"" };
        assert_eq!(ResponseParts { content, ..response }.octets(), Err(BuildError::Control));
        let parts = RequestParts::new(Method::Bye, b"sip:a", &empty);
        let hop = Hop { via: &[bad], here: None, below: None, framing: Framing::Datagram };
        assert_eq!(parts.octets_for(hop), Err(BuildError::Control));
        let hop = Hop { via: &["v"], here: Some((HeaderId::Contact, bad)), ..hop };
        assert_eq!(parts.octets_for(hop), Err(BuildError::Control));
        assert_eq!(RequestParts { content, ..parts }.request(), Err(BuildError::Control));
    }
    assert_eq!(RequestParts::new(Method::Other("A B"), b"sip:a", &empty).request(), Err(BuildError::Method));
    assert_eq!(RequestParts::new(Method::Bye, b"sip:a b", &empty).request(), Err(BuildError::Uri));
    let mut lines = Lines::new();
    lines.header("a b", "x");
    assert_eq!(RequestParts::new(Method::Bye, b"sip:a", &lines).request(), Err(BuildError::HeaderName));
}

const REQUEST: &str = "INVITE sip:bob@biloxi.com SIP/2.0\r\n\
    Record-Route: <sip:p2.com;lr>\r\n\
    Via: SIP/2.0/UDP a.com;branch=z9hG4bKa,\r\n  SIP/2.0/UDP b.com\r\n\
    Timestamp: 54\r\n\
    t:  Bob\r\n <sip:bob@biloxi.com>  \r\n\
    v: SIP/2.0/UDP c.com\r\n\
    FROM: <sip:alice@atlanta.com>;tag=88\r\n\
    Call-ID: x\r\n\
    From: <sip:mallory@atlanta.com>\r\n\
    CSeq: 1 INVITE\r\n\
    Record-Route: <sip:p1.com;lr>\r\n\
    Content-Length: 3\r\n\
    \r\n\
    abc";

#[test]
fn a_response_copies_what_the_rfc_says() {
    let response = Response::to(&parsed(REQUEST), StatusCode::OK)
        .copy(&parsed(REQUEST), HeaderId::RecordRoute)
        .to_tag("314159")
        .to_tag("another")
        .body("application/sdp", b"v=0")
        .finish()
        .unwrap();
    let expected = "SIP/2.0 200 OK\r\n\
        Via: SIP/2.0/UDP a.com;branch=z9hG4bKa,\r\n  SIP/2.0/UDP b.com\r\n\
        t:  Bob\r\n <sip:bob@biloxi.com>;tag=314159\r\n\
        v: SIP/2.0/UDP c.com\r\n\
        FROM: <sip:alice@atlanta.com>;tag=88\r\n\
        Call-ID: x\r\n\
        CSeq: 1 INVITE\r\n\
        Record-Route: <sip:p2.com;lr>\r\n\
        Record-Route: <sip:p1.com;lr>\r\n\
        Content-Type: application/sdp\r\n\
        Content-Length: 3\r\n\
        \r\n\
        v=0";
    assert_eq!(text(response.as_bytes()), expected);
    assert_spans(&Message::Response(response.clone()));
    let request = parsed(REQUEST);
    let mut lines = Lines::new();
    lines.copy(request.headers(), HeaderId::RecordRoute);
    let parts = ResponseParts::new(&request, StatusCode::OK, &lines);
    let content = Content { content_type: "application/sdp", octets: b"v=0" };
    let octets = ResponseParts { to_tag: Some("314159"), content, ..parts }.octets().unwrap();
    assert_eq!(text(&octets), expected);
    assert_eq!(response.to_header().unwrap().tag(), Some("314159"));
    assert_eq!((response.status(), response.reason()), (StatusCode::OK, &b"OK"[..]));
}

#[test]
fn trying_has_the_timestamp_and_keeps_the_tag_that_is_there() {
    let request = parsed(&REQUEST.replace("biloxi.com>  ", "biloxi.com>;tag=1"));
    let trying = Response::to(&request, StatusCode::TRYING).to_tag("2").finish().unwrap();
    assert_eq!(trying.headers().raw(HeaderId::Timestamp), Some(&b"54"[..]));
    assert_eq!(trying.to_header().unwrap().tag(), Some("1"));
    for to in ["<sip:b@c>;tag=1", "<sip:b@c>;x;TAG=1", "sip:b;tag=1", "<sip:b@c>;tag=1;tag=3", ""] {
        let request = parsed(&alloc::format!(
            "BYE sip:a SIP/2.0\r\nTo: {to}\r\nFrom: <sip:a>;tag=1\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n"
        ));
        let response = Response::to(&request, StatusCode::OK).to_tag("2").finish().unwrap();
        assert_eq!(response.headers().raw(HeaderId::To), Some(to.as_bytes()), "{to}");
    }
}

#[test]
fn a_tag_goes_behind_an_address_without_brackets() {
    let request = parsed("BYE sip:a SIP/2.0\r\nTo: sip:bob@biloxi.com;x=y\r\n\r\n");
    let response = Response::to(&request, StatusCode::OK).reason("Fine").to_tag("2").finish().unwrap();
    assert_eq!(response.headers().raw(HeaderId::To), Some(&b"sip:bob@biloxi.com;x=y;tag=2"[..]));
    assert_eq!(response.reason(), b"Fine");
}
