//! Each bound of `message::Limits`, met exactly and passed by one.

use sansip::message::{
    Comment, Frame, FrameErrorKind, Framer, HeaderId, Limits, Message, MessageView, Multipart, ParseError,
    ParseErrorKind, Request, Uri,
};

/// Every field is named here: a new one does not compile until it has its test.
const LIMITS: Limits =
    Limits { start_line: 40, header_section: 400, headers: 8, body: 10, via_values: 3, parameters: 4, parts: 2 };

const LINE: &str = "BYE sip:b.example SIP/2.0\r\n";

fn read(message: &str) -> Result<(), ParseErrorKind> {
    let owned = Message::parse(message.as_bytes(), &LIMITS).map(drop);
    assert_eq!(MessageView::parse(message.as_bytes(), &LIMITS).map(drop), owned);
    owned.map_err(ParseError::kind)
}

/// The message that this many of something make is read up to the bound and refused above it.
fn bounds(most: usize, error: ParseErrorKind, message: impl Fn(usize) -> String) {
    for (count, expected) in [(most - 1, Ok(())), (most, Ok(())), (most + 1, Err(error)), (most * 5, Err(error))] {
        assert_eq!(read(&message(count)), expected, "{count} of {most}");
    }
}

#[test]
fn a_start_line_has_so_many_octets() {
    let request = |length: usize| format!("BYE sip:{} SIP/2.0\r\n\r\n", "b".repeat(length - "BYE sip: SIP/2.0".len()));
    bounds(LIMITS.start_line, ParseErrorKind::StartLineTooLong, request);
    let response = |length: usize| format!("SIP/2.0 200 {}\r\n\r\n", "x".repeat(length - "SIP/2.0 200 ".len()));
    bounds(LIMITS.start_line, ParseErrorKind::StartLineTooLong, response);
}

#[test]
fn a_header_section_has_so_many_octets_with_its_empty_line() {
    for body in ["", "1", "\r\n\r\n"] {
        let fixed = LINE.len() + "X: \r\n\r\n".len();
        let message = |length: usize| format!("{LINE}X: {}\r\n\r\n{body}", "x".repeat(length - fixed));
        bounds(LIMITS.header_section, ParseErrorKind::HeaderSectionTooLong, message);
    }
}

#[test]
fn a_header_section_is_never_longer_than_its_offsets_reach() {
    let wide = Limits { header_section: usize::MAX, ..Limits::default() };
    let message = |length: usize| format!("{LINE}X: {}\r\n\r\nbody", "x".repeat(length - LINE.len() - 7));
    assert!(Message::parse(message(65_535).as_bytes(), &wide).is_ok());
    let error = Message::parse(message(65_536).as_bytes(), &wide).unwrap_err();
    assert_eq!(error.kind(), ParseErrorKind::HeaderSectionTooLong);
}

#[test]
fn there_are_so_many_header_fields() {
    bounds(LIMITS.headers, ParseErrorKind::TooManyHeaders, |count| format!("{LINE}{}\r\n", "X:\r\n".repeat(count)));
}

#[test]
fn a_body_has_so_many_octets() {
    bounds(LIMITS.body, ParseErrorKind::BodyTooLong, |length| format!("{LINE}\r\n{}", "x".repeat(length)));
    let said = |length: usize| format!("{LINE}l:{length}\r\n\r\n{}", "x".repeat(length));
    bounds(LIMITS.body, ParseErrorKind::BodyTooLong, said);
    let padded = format!("{LINE}l:10\r\n\r\n{}", "x".repeat(1_000));
    assert_eq!(read(&padded), Ok(()), "what is behind the body does not count");
}

#[test]
fn there_are_so_many_values_of_via_over_all_fields() {
    let error = ParseErrorKind::TooManyVias;
    bounds(LIMITS.via_values, error, |count| format!("{LINE}Via: {}\r\n\r\n", vec!["a"; count].join(",")));
    let mixed = |count: usize| format!("{LINE}v: a,a\r\nRoute: b,c\r\nVia: {}\r\n\r\n", vec!["a"; count - 2].join(","));
    assert_eq!((read(&mixed(3)), read(&mixed(4))), (Ok(()), Err(error)));
    let quoted = format!("{LINE}Via: a;x=\",,,\"\r\nVia: b;y=\",,,,\"\r\nVia: c\r\n\r\n");
    assert_eq!(read(&quoted), Ok(()), "a comma in quotes splits nothing");
}

#[test]
fn one_uri_or_value_has_so_many_parameters() {
    let error = ParseErrorKind::TooManyParameters;
    bounds(LIMITS.parameters, error, |count| format!("{LINE}To: <sip:b>{}\r\n\r\n", ";a=1".repeat(count)));
    bounds(LIMITS.parameters, error, |count| format!("{LINE}Via: x{}\r\n\r\n", ";a".repeat(count)));
    bounds(LIMITS.parameters, error, |count| format!("{LINE}Contact: <sip:b{}>\r\n\r\n", ";a".repeat(count)));
    bounds(LIMITS.parameters, error, |count| format!("{LINE}Contact: <sip:b?{}>\r\n\r\n", "a=&".repeat(count)));
    let each = |count: usize| format!("{LINE}m: <sip:b{0}>,<sip:c{0}>,<sip:d{0}>\r\n\r\n", ";a".repeat(count));
    bounds(LIMITS.parameters, error, each);
    for (count, expected) in [(4, Ok(())), (5, Err(error))] {
        assert_eq!(read(&format!("BYE sip:b{} SIP/2.0\r\n\r\n", ";a".repeat(count))), expected, "of the Request-URI");
    }
    let text = ";a".repeat(30);
    assert_eq!(read(&format!("{LINE}Subject: {text}\r\nX-Odd: {text}\r\n\r\n")), Ok(()), "text has no parameters");
}

#[test]
fn a_multipart_body_has_so_many_parts() {
    let limits = Limits { parts: LIMITS.parts, ..Limits::default() };
    let parts = |count: usize| {
        let body = format!("{}--b--", "--b\r\n\r\nx\r\n".repeat(count));
        let message = format!("{LINE}Content-Type: multipart/mixed;boundary=b\r\n\r\n{body}");
        let message = Message::parse(message.as_bytes(), &limits).unwrap();
        let parts = Multipart::of(message.headers(), message.body(), &limits).unwrap().unwrap();
        parts.map(|part| part.map(drop).map_err(ParseError::kind)).collect::<Vec<_>>()
    };
    assert_eq!(parts(2), [Ok(()), Ok(())]);
    assert_eq!(parts(3), [Ok(()), Ok(()), Err(ParseErrorKind::TooManyParts)]);
    assert_eq!(parts(300), parts(3));
}

#[test]
fn a_comment_is_nested_so_deep() {
    let nested =
        |depth: usize| Comment::parse(format!("{}x{}", "(".repeat(depth), ")".repeat(depth)).as_bytes()).map(drop);
    assert_eq!(nested(Limits::COMMENT_NESTING), Ok(()));
    for depth in [Limits::COMMENT_NESTING + 1, 60_000] {
        assert!(nested(depth).is_err(), "{depth} deep");
    }
    let beside = format!("({})", "()".repeat(60_000));
    assert!(Comment::parse(beside.as_bytes()).is_ok(), "beside one another they do not count");
}

#[test]
fn a_stream_keeps_to_the_same_bounds() {
    let frame = |stream: &str| {
        let mut framer = Framer::new(LIMITS);
        let mut last = None;
        for piece in stream.as_bytes().chunks(7) {
            let mut input = piece;
            while let Some(frame) = framer.read(&mut input) {
                last = Some(match frame {
                    Ok(Frame::Message(bytes)) => Ok(bytes.len()),
                    Ok(Frame::Ping | Frame::Pong) => panic!("a keep-alive"),
                    Err(error) => Err(error.kind()),
                });
            }
        }
        last
    };
    let head = |length: usize| format!("{LINE}l:0\r\nX: {}\r\n\r\n", "x".repeat(length - LINE.len() - 12));
    assert_eq!(frame(&head(400)), Some(Ok(400)));
    assert_eq!(frame(&head(401)), Some(Err(FrameErrorKind::HeaderSectionTooLong)));
    let body = |length: usize| format!("{LINE}l:{length}\r\n\r\n{}", "x".repeat(length));
    assert_eq!(frame(&body(10)), Some(Ok(body(10).len())));
    assert_eq!(frame(&body(11)), Some(Err(FrameErrorKind::BodyTooLong)));
}

#[test]
fn what_is_built_or_edited_is_no_longer_than_its_offsets_reach() {
    use sansip::message::{BuildError, Method};
    let base = || Request::builder(Method::Bye, Uri::parse(b"sip:b.example").unwrap());
    let fixed = base().finish().unwrap().as_bytes().len();
    let value = |length: usize| "x".repeat(length - fixed - "Subject: \r\n".len());
    assert_eq!(base().header(HeaderId::Subject, value(65_535)).finish().unwrap().as_bytes().len(), 65_535);
    assert_eq!(base().header(HeaderId::Subject, value(65_536)).finish(), Err(BuildError::TooLong));
    let request = base().finish().unwrap();
    assert_eq!(request.edit().append("Subject", value(65_535)).finish().unwrap().as_bytes().len(), 65_535);
    assert_eq!(request.edit().append("Subject", value(65_536)).finish(), Err(BuildError::TooLong));
}
