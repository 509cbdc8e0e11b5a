//! The first line of a message (RFC 3261 §7.1, §7.2).

use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::layout::{Defect, StartLine};
use crate::message::limits::Limits;
use crate::message::span::narrow;
use crate::message::status::StatusCode;
use crate::message::text::{self, TOKEN};

/// Reads the first line, given without its end.
pub(in crate::message) fn read(line: &[u8], limits: &Limits) -> Result<(StartLine, Option<Defect>), ParseError> {
    if line.len() > limits.start_line {
        return Err(ParseError::new(ParseErrorKind::StartLineTooLong, limits.start_line));
    }
    match line {
        [b'S' | b's', b'I' | b'i', b'P' | b'p', b'/', ..] => status_line(line),
        _ => request_line(line),
    }
}

/// `SIP/2.0 200 OK`.
fn status_line(line: &[u8]) -> Result<(StartLine, Option<Defect>), ParseError> {
    let (version, rest) = text::split_once(line, b' ').ok_or(ParseError::new(ParseErrorKind::StartLine, 0))?;
    let at = text::offset_in(line, rest);
    let defect = version_defect(version).ok_or(ParseError::new(ParseErrorKind::StartLine, 0))?;
    let (code, reason) = match rest {
        [a, b, c, b' ', reason @ ..] => ([*a, *b, *c], reason),
        [a, b, c] => ([*a, *b, *c], &[][..]),
        _ => return Err(ParseError::new(ParseErrorKind::Status, at)),
    };
    let status = text::number(&code)
        .and_then(|code| StatusCode::new(u16::try_from(code).ok()?))
        .ok_or(ParseError::new(ParseErrorKind::Status, at))?;
    let reason = line.len() - reason.len();
    Ok((StartLine::Response { status, reason: narrow(reason), reason_end: narrow(line.len()) }, defect))
}

/// `INVITE sip:bob@biloxi.com SIP/2.0`. The Request-URI is whatever stands between the first and the last space.
pub(super) fn request_line(line: &[u8]) -> Result<(StartLine, Option<Defect>), ParseError> {
    if let Some(usual) = usual_request_line(line) {
        return Ok((usual, None));
    }
    let bad = ParseError::new(ParseErrorKind::StartLine, 0);
    if line.is_empty() {
        return Err(ParseError::new(ParseErrorKind::Empty, 0));
    }
    let (method, rest) = text::split_once(line, b' ').ok_or(bad)?;
    if text::token(method).is_none() {
        return Err(ParseError::new(ParseErrorKind::Method, 0));
    }
    let trimmed = text::trim_end(rest);
    let space = trimmed.iter().rposition(|octet| matches!(octet, b' ' | b'\t')).ok_or(bad)?;
    let (uri, version) = trimmed.split_at_checked(space).ok_or(bad)?;
    let version_defect = version_defect(version.get(1..).ok_or(bad)?).ok_or(bad)?;
    let inner = text::trim(uri);
    let neat = trimmed.len() == rest.len() && inner.len() == uri.len() && version.first() == Some(&b' ');
    let defect = if neat { version_defect } else { Some(Defect::StartLine) };
    let start = line.len() - rest.len();
    let start_line =
        StartLine::Request { method: narrow(method.len()), uri: narrow(start), uri_end: narrow(start + uri.len()) };
    Ok((start_line, defect))
}

/// One space on each side of a Request-URI that has none, and the version as everybody writes it.
fn usual_request_line(line: &[u8]) -> Option<StartLine> {
    let rest = line.strip_suffix(b" SIP/2.0")?;
    let (method, uri) = text::split_once(rest, b' ')?;
    let is_usual = TOKEN.covers(method) && !method.is_empty() && text::find_either(uri, b' ', b'\t').is_none();
    let end = narrow(rest.len());
    is_usual.then_some(StartLine::Request { method: narrow(method.len()), uri: end - narrow(uri.len()), uri_end: end })
}

/// `None` if this is no SIP version at all; else what is wrong with it. Compared without case (RFC 3261 §7.1).
fn version_defect(version: &[u8]) -> Option<Option<Defect>> {
    if version == b"SIP/2.0" {
        return Some(None);
    }
    let (name, number) = text::split_once(version, b'/')?;
    let (major, minor) = text::split_once(number, b'.')?;
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if !name.eq_ignore_ascii_case(b"SIP") || !digits(major) || !digits(minor) {
        return None;
    }
    Some((number != b"2.0").then_some(Defect::Version))
}

#[cfg(test)]
mod tests {
    use crate::message::{Limits, MessageView, Method, ParseError, ParseErrorKind, StatusCode};

    fn view(text: &[u8]) -> MessageView<'_> {
        MessageView::parse(text, &Limits::default()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn error(text: &str) -> (ParseErrorKind, u32) {
        let read = MessageView::parse(text.as_bytes(), &Limits::default()).map(|view| panic!("{view:?}"));
        let error: ParseError = read.unwrap_err();
        (error.kind(), error.offset())
    }

    #[test]
    fn start_lines_are_of_two_forms() {
        let request = view(b"re%47 sip:a;b SIP/2.0\r\n\r\n");
        assert_eq!(request.method(), Some(Method::Other("re%47")));
        let response = view(b"sip/2.0 183 \xd0\x9f x\r\n\r\n");
        assert_eq!(response.status(), Some(StatusCode::SESSION_PROGRESS));
        assert_eq!(view(b"SIP/2.0 100 \r\n\r\n").status(), Some(StatusCode::TRYING));
        for (text, kind) in [
            ("", ParseErrorKind::Empty),
            ("\r\n\r\n", ParseErrorKind::Empty),
            ("INVITE sip:a\r\n\r\n", ParseErrorKind::StartLine),
            ("INVITE\r\n\r\n", ParseErrorKind::StartLine),
            ("GET / HTTP/1.1\r\n\r\n", ParseErrorKind::StartLine),
            ("IN{VITE sip:a SIP/2.0\r\n\r\n", ParseErrorKind::Method),
            (" sip:a SIP/2.0\r\n\r\n", ParseErrorKind::Method),
            ("SIP/2.0 099 x\r\n\r\n", ParseErrorKind::Status),
            ("SIP/2.0 700 x\r\n\r\n", ParseErrorKind::Status),
            ("SIP/2.0 4294967301 x\r\n\r\n", ParseErrorKind::Status),
            ("SIP/2.0 2x0 x\r\n\r\n", ParseErrorKind::Status),
            ("SIP/2.0  200 x\r\n\r\n", ParseErrorKind::Status),
            ("SIP/a 200 x\r\n\r\n", ParseErrorKind::StartLine),
        ] {
            assert_eq!(error(text).0, kind, "{text}");
        }
    }
}
