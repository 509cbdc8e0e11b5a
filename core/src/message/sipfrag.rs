//! Fragments of SIP messages as bodies: `message/sipfrag` (RFC 3420).

use super::error::BuildError;
use super::status::StatusCode;
use super::text;
use super::write::{Content, Lines};
use alloc::vec::Vec;

/// The status line that a body of type `message/sipfrag` begins with: how the action stands that a REFER has asked for (RFC 3515 §2.4.5).
///
/// ```
/// # use sansip::message::{StatusCode, StatusLine};
/// let line = StatusLine::of_fragment(b"SIP/2.0 180 Ringing\r\nTo: <sip:carol@cleveland.example.org>\r\n").unwrap();
/// assert_eq!((line.status, line.reason), (StatusCode::RINGING, &b"Ringing"[..]));
/// assert!(StatusLine::of_fragment(b"Content-Type: text/plain\r\n").is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusLine<'a> {
    /// The status.
    pub status: StatusCode,
    /// The reason phrase, which may be empty.
    pub reason: &'a [u8],
}

impl<'a> StatusLine<'a> {
    /// The content type of a fragment (RFC 3420 §2).
    pub(crate) const CONTENT_TYPE: &'static str = "message/sipfrag;version=2.0";

    /// Reads the status line of a fragment. More is forgiven than RFC 3420 §3.2 allows, as nothing but the status hangs on it: empty lines in
    /// front, a line feed alone at the end of the line, no reason phrase. `None` if the fragment begins with something else.
    pub fn of_fragment(body: &'a [u8]) -> Option<Self> {
        let body = body.trim_ascii_start();
        let end = body.iter().position(|octet| *octet == b'\n').unwrap_or(body.len());
        let line = body.get(..end)?.trim_ascii_end();
        let (version, rest) = text::split_once(line, b' ')?;
        if !version.eq_ignore_ascii_case(b"SIP/2.0") {
            return None;
        }
        let rest = rest.trim_ascii_start();
        let (code, reason) = text::split_once(rest, b' ').unwrap_or((rest, &[]));
        if code.len() != 3 || !code.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = code.iter().fold(0_u16, |number, digit| number * 10 + u16::from(digit - b'0'));
        Some(Self { status: StatusCode::new(number)?, reason: reason.trim_ascii() })
    }

    /// A fragment that begins with this status line, and has these fields and this body of a response (RFC 3420 §2.1).
    ///
    /// # Errors
    /// The first name or value that cannot be written.
    pub(crate) fn fragment(status: StatusCode, lines: &Lines, content: Content<'_>) -> Result<Vec<u8>, BuildError> {
        let mut fragment = alloc::format!("SIP/2.0 {} {}\r\n", status.get(), status.reason()).into_bytes();
        fragment.extend_from_slice(lines.check()?);
        if !content.octets.is_empty() {
            fragment.extend_from_slice(&content.type_parts()?.concat());
            let length = alloc::format!("Content-Length: {}\r\n\r\n", content.octets.len());
            fragment.extend_from_slice(length.as_bytes());
            fragment.extend_from_slice(content.octets);
        }
        Ok(fragment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::HeaderId;

    fn read(text: &str) -> Option<(u16, &[u8])> {
        StatusLine::of_fragment(text.as_bytes()).map(|line| (line.status.get(), line.reason))
    }

    /// RFC 3420 §3.1, RFC 3515 §2.4.5.
    #[test]
    fn the_examples_of_the_rfcs() {
        assert_eq!(read("SIP/2.0 603 Declined"), Some((603, &b"Declined"[..])));
        assert_eq!(read("SIP/2.0 100 Trying\r\n"), Some((100, &b"Trying"[..])));
        let text = "SIP/2.0 400 Bad Request\r\nWarning: 399 atlanta.com Your Event header field was malformed\r\n";
        assert_eq!(read(text), Some((400, &b"Bad Request"[..])));
        let text = "SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
        assert_eq!(read(text), Some((200, &b"OK"[..])));
        // Others begin with a request line, or with none.
        assert_eq!(read("INVITE sip:alice@atlanta.com SIP/2.0"), None);
        assert_eq!(read("From: Alice <sip:alice@atlanta.com>\r\n"), None);
        assert_eq!(read("Content-Type: text/plain\r\nContent-Length: 11\r\n\r\nHi There!"), None);
    }

    #[test]
    fn a_line_that_is_nearly_right_is_read() {
        for (text, status) in [
            ("\r\nSIP/2.0 200 OK\r\n", 200),
            ("SIP/2.0 200 OK\nX: y", 200),
            ("sip/2.0  180  Ringing  \r\n", 180),
            ("SIP/2.0 486", 486),
            ("SIP/2.0 486 \r\n", 486),
        ] {
            assert_eq!(read(text).map(|line| line.0), Some(status), "{text}");
        }
    }

    /// RFC 3420 §3.2, and what is no status.
    #[test]
    fn what_is_no_status_line_says_nothing() {
        for text in [
            "",
            "\r\n",
            "SIP/2.0",
            "404 Not Found",
            "SIP/2.0 99 X",
            "SIP/2.0 700 X",
            "SIP/2.0 20 X",
            "SIP/2.0 2000 X",
            "SIP/1.0 200 OK",
            "SIP/2.0 +20 X",
            "SIP/2.0 abc",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut lines = Lines::new();
        let plain = StatusLine::fragment(StatusCode::OK, &lines, Content::default()).unwrap();
        assert_eq!(plain, b"SIP/2.0 200 OK\r\n");
        lines.header(HeaderId::Warning, "399 a \"b\"");
        let content = Content { content_type: "text/plain", octets: b"c" };
        let declined = StatusLine::fragment(StatusCode::DECLINE, &lines, content).unwrap();
        let rest = b"Warning: 399 a \"b\"\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nc";
        assert_eq!(declined, [&b"SIP/2.0 603 Decline\r\n"[..], rest].concat());
        assert_eq!(StatusLine::of_fragment(&declined).map(|line| line.status), Some(StatusCode::DECLINE));
        let unwritable = StatusLine::fragment(StatusCode::OK, &lines, Content { content_type: "a\r\nb", octets: b"c" });
        assert_eq!(unwritable, Err(BuildError::Control));
    }
}
