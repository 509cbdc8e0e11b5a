//! Bodies of several parts (RFC 5621, RFC 2046 §5.1), split without copying.

use super::error::{ParseError, ParseErrorKind};
use super::header::ContentType;
use super::headers::Headers;
use super::limits::Limits;
use super::quoted::Quoted;
use super::read::PartLayout;
use super::text::{self, ALPHANUM, Set};
use super::uri::UserPart;

/// The parts of a `multipart` body, one after the other.
///
/// Text before the first part and after the last is skipped. A line is a delimiter only if nothing but white space
/// follows the boundary, so that a boundary may begin with that of an outer body. The last part must end with the closing
/// delimiter: without it there is no telling whether the body is whole, so that this part is an error; those before it are
/// given all the same. After an error nothing follows.
#[derive(Clone, Debug)]
pub struct Multipart<'a> {
    body: &'a [u8],
    /// Where the next part begins; `None` after the closing delimiter or an error.
    at: Option<usize>,
    boundary: Boundary,
    limits: Limits,
    /// Parts that may still come.
    left: usize,
}

impl<'a> Multipart<'a> {
    /// The parts of this body if its Content-Type, among these headers, is a `multipart`; else `None`. The headers are those
    /// of a message, or of a part that has parts itself.
    ///
    /// # Errors
    /// Content-Type is malformed, or the boundary is.
    pub fn of(headers: Headers<'_>, body: &'a [u8], limits: &Limits) -> Option<Result<Self, ParseError>> {
        match headers.get::<ContentType<'_>>()? {
            Ok(content) => content.kind.eq_ignore_ascii_case("multipart").then(|| Self::new(content, body, limits)),
            Err(error) => Some(Err(error)),
        }
    }

    /// The parts of a body of this type.
    ///
    /// # Errors
    /// There is no `boundary` of 1 to 70 permitted characters, or it is not in the body.
    pub fn new(content: ContentType<'_>, body: &'a [u8], limits: &Limits) -> Result<Self, ParseError> {
        let bad = ParseError::new(ParseErrorKind::Boundary, 0);
        let boundary = content.parameters.value("boundary").and_then(Boundary::new).ok_or(bad)?;
        let first = boundary.next(body, 0).filter(|delimiter| !delimiter.closing).ok_or(bad)?;
        Ok(Self { body, at: Some(first.after), boundary, limits: *limits, left: limits.parts })
    }

    fn part(&mut self, at: usize) -> Result<Part<'a>, ParseError> {
        if self.left == 0 {
            return Err(ParseError::new(ParseErrorKind::TooManyParts, at));
        }
        self.left -= 1;
        let end = self.boundary.next(self.body, at).ok_or(ParseError::new(ParseErrorKind::Boundary, at))?;
        let bytes = self.body.get(at..end.text_end.max(at)).unwrap_or_default();
        let layout = PartLayout::read(bytes, &self.limits).map_err(|error| error.moved(at))?;
        self.at = (!end.closing).then_some(end.after);
        Ok(Part { bytes, layout })
    }
}

impl<'a> Iterator for Multipart<'a> {
    type Item = Result<Part<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at.take()?;
        Some(self.part(at))
    }
}

/// One part: headers and a body, borrowed.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    bytes: &'a [u8],
    layout: PartLayout,
}

impl<'a> Part<'a> {
    /// The header fields; there may be none. Without Content-Type it is `text/plain` (RFC 2046 §5.1).
    pub fn headers(&self) -> Headers<'_> {
        Headers::new(self.bytes, &self.layout.fields, self.layout.fields_end, None, UserPart::Strict)
    }

    /// The body. A Content-Length among the headers has no meaning here.
    pub fn body(&self) -> &'a [u8] {
        self.bytes.get(self.layout.body..).unwrap_or_default()
    }

    /// Headers and body as they stand: what a signature is over (RFC 3261 §23.3).
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// A boundary without quotes and escapes.
#[derive(Clone, Copy, Debug)]
struct Boundary {
    octets: [u8; Self::LONGEST],
    length: usize,
}

/// A line with the boundary.
#[derive(Clone, Copy)]
struct Delimiter {
    /// Where the text before it ends: the line end between them belongs to the delimiter.
    text_end: usize,
    /// Where the next line begins.
    after: usize,
    closing: bool,
}

impl Boundary {
    const LONGEST: usize = 70;

    fn new(value: &[u8]) -> Option<Self> {
        static PERMITTED: Set = ALPHANUM.and(b"'()+_,-./:=? ");
        let mut boundary = Self { octets: [0; Self::LONGEST], length: 0 };
        let mut add = |octet| {
            *boundary.octets.get_mut(boundary.length)? = octet;
            boundary.length += 1;
            Some(())
        };
        match Quoted::parse(value) {
            Some(quoted) => quoted.octets().try_for_each(&mut add)?,
            None => value.iter().copied().try_for_each(&mut add)?,
        }
        let text = boundary.as_bytes();
        (!text.is_empty() && PERMITTED.covers(text) && text.last() != Some(&b' ')).then_some(boundary)
    }

    fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }

    /// The first delimiter at or after this place, where a line begins.
    fn next(&self, body: &[u8], from: usize) -> Option<Delimiter> {
        let mut at = from;
        loop {
            let rest = body.get(at..)?;
            let length = text::find(rest, b'\n').unwrap_or(rest.len());
            let (line, tail) = rest.split_at_checked(length)?;
            let after = body.len() - tail.get(1..).unwrap_or_default().len();
            if let Some(closing) = self.closes(line) {
                let before = body.get(..at).unwrap_or_default();
                let text = before.strip_suffix(b"\n").unwrap_or(before);
                let text = if text.len() < before.len() { text.strip_suffix(b"\r").unwrap_or(text) } else { text };
                return Some(Delimiter { text_end: text.len(), after, closing });
            }
            if tail.is_empty() {
                return None;
            }
            at = after;
        }
    }

    /// `None` if the line is no delimiter; else whether it is the closing one.
    fn closes(&self, line: &[u8]) -> Option<bool> {
        let padding = line.strip_prefix(b"--")?.strip_prefix(self.as_bytes())?;
        let (padding, closing) = match padding.strip_prefix(b"--") {
            Some(padding) => (padding, true),
            None => (padding, false),
        };
        text::trim(padding).is_empty().then_some(closing)
    }
}

#[cfg(test)]
mod tests {
    use super::{Multipart, Part};
    use crate::message::header::{ContentDisposition, ContentType, Header};
    use crate::message::{HeaderId, Limits, ParseError, ParseErrorKind};
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;

    fn open<'a>(content: &str, body: &'a str, limits: &Limits) -> Result<Multipart<'a>, ParseError> {
        Multipart::new(ContentType::parse(content.as_bytes()).unwrap(), body.as_bytes(), limits)
    }

    fn split<'a>(content: &str, body: &'a str) -> Result<Vec<Part<'a>>, ParseErrorKind> {
        let parts = open(content, body, &Limits::default()).map_err(ParseError::kind)?;
        parts.map(|part| part.map_err(ParseError::kind)).collect()
    }

    fn bodies(content: &str, body: &str) -> Result<Vec<String>, ParseErrorKind> {
        let text = |part: &Part<'_>| String::from_utf8_lossy(part.body()).into_owned();
        Ok(split(content, body)?.iter().map(text).collect())
    }

    #[test]
    fn the_example_of_rfc_2046() {
        // RFC 2046 §5.1.1.
        let body = "This is the preamble.  It is to be ignored, though it\r\nis a handy place.\r\n\r\n--simple boundary\r\n\r\nThis is implicitly typed plain US-ASCII text.\r\nIt does NOT end with a linebreak.\r\n--simple boundary\r\nContent-type: text/plain; charset=us-ascii\r\n\r\nThis is explicitly typed plain US-ASCII text.\r\nIt DOES end with a linebreak.\r\n\r\n--simple boundary--\r\n\r\nThis is the epilogue.  It is also to be ignored.\r\n";
        let parts = split("multipart/mixed; boundary=\"simple boundary\"", body).unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].headers().iter().count(), 0);
        assert!(parts[0].body().ends_with(b"does NOT end with a linebreak."), "{:?}", parts[0]);
        assert!(parts[1].headers().get::<ContentType<'_>>().unwrap().unwrap().is("text", "plain"));
        assert!(parts[1].body().ends_with(b"It DOES end with a linebreak.\r\n"));
    }

    #[test]
    fn parts_have_typed_headers() {
        // RFC 5621 §4.
        let body = "--b7c\r\nContent-Type: application/sdp\r\nContent-Disposition: session;\r\n handling=optional\r\n\r\nv=0\r\n--b7c\r\nContent-ID: <a@b>\r\n\r\n\r\n--b7c--";
        let parts = split("Multipart/Mixed;boundary=b7c", body).unwrap();
        assert!(!parts[0].headers().get::<ContentDisposition<'_>>().unwrap().unwrap().is_required());
        assert_eq!((parts[0].body(), parts[1].body()), (&b"v=0"[..], &b""[..]));
        assert_eq!(parts[1].headers().raw("content-id"), Some(&b"<a@b>"[..]));
        assert!(parts[0].as_bytes().starts_with(b"Content-Type") && parts[0].as_bytes().ends_with(b"v=0"));
    }

    #[test]
    fn parts_may_have_parts() {
        let inner = "--outer\r\nContent-Type: multipart/alternative; boundary=outer2\r\n\r\n--outer2\r\n\r\na\r\n--outer2\r\n\r\nb\r\n--outer2--\r\n--outer--\r\n";
        let parts = split("multipart/mixed;boundary=outer", inner).unwrap();
        assert_eq!(parts.len(), 1);
        let inner = Multipart::of(parts[0].headers(), parts[0].body(), &Limits::default()).unwrap().unwrap();
        let bodies: Vec<_> = inner.map(|part| part.unwrap().body()).collect();
        assert_eq!(bodies, [b"a", b"b"]);
    }

    #[test]
    fn only_a_multipart_has_parts() {
        let body = "--b\r\nContent-Type: text/plain;boundary=c\r\n\r\n--c\r\n\r\n--c--\r\n--b\r\n\r\nx\r\n--b--";
        let parts = split("multipart/mixed;boundary=b", body).unwrap();
        for part in parts {
            assert!(Multipart::of(part.headers(), part.body(), &Limits::default()).is_none());
        }
    }

    #[test]
    fn delimiters_may_have_white_space_and_end_with_a_line_feed() {
        let body = "--b \t\r\n\r\none\r\n--b\n\r\ntwo\n--bb\r\n --b\r\n--b-\r\n--b-- \r\n--b\r\n";
        assert_eq!(bodies("multipart/mixed;boundary=b", body).unwrap(), ["one", "two\n--bb\r\n --b\r\n--b-"]);
    }

    #[test]
    fn empty_parts_are_parts() {
        let body = "--b\r\n--b\r\n\r\n--b\r\nA: b\r\n--b\r\n\r\n\r\n--b--";
        let parts = split("multipart/mixed;boundary=b", body).unwrap();
        assert_eq!(parts.iter().map(|part| part.body().len()).collect::<Vec<_>>(), [0, 0, 0, 0]);
        assert!(parts[2].headers().contains("a"));
    }

    #[test]
    fn boundaries_are_tokens_or_quoted() {
        for (boundary, line) in [
            ("boundary42", "boundary42"),
            ("\"gc0pJq0M:08jU534c0p\"", "gc0pJq0M:08jU534c0p"),
            ("\"a\\-b\"", "a-b"),
            ("\"'()+_,-./:=? x\"", "'()+_,-./:=? x"),
        ] {
            let body = format!("--{line}\r\n\r\nx\r\n--{line}--\r\n");
            assert_eq!(bodies(&format!("multipart/mixed;boundary={boundary}"), &body).unwrap(), ["x"], "{boundary}");
        }
        let longest = "x".repeat(70);
        let body = format!("--{longest}\r\n\r\nx\r\n--{longest}--");
        assert!(split(&format!("multipart/mixed;boundary={longest}"), &body).is_ok());
        let too_long = format!("multipart/mixed;boundary=x{longest}");
        for bad in [
            "multipart/mixed",
            "multipart/mixed;boundary",
            "multipart/mixed;boundary=\"\"",
            "multipart/mixed;boundary=\"a \"",
            "multipart/mixed;boundary=\"a;b\"",
            &too_long,
        ] {
            assert_eq!(split(bad, "--a;b\r\n\r\n--a;b--").unwrap_err(), ParseErrorKind::Boundary, "{bad}");
        }
    }

    #[test]
    fn a_body_that_does_not_close_may_be_cut_short() {
        let read = |body| bodies("multipart/mixed;boundary=b", body);
        for bad in [
            "",
            "x",
            "--b",
            "--b\r\n",
            "--b\r\n\r\nx",
            "--b\r\n\r\nx\r\n--b",
            "--b\r\n\r\nx\r\n--b\r\n",
            "--b--",
            "--c\r\n\r\n--c--",
        ] {
            assert_eq!(read(bad), Err(ParseErrorKind::Boundary), "{bad:?}");
        }
        let mut parts = open("multipart/mixed;boundary=b", "--b\r\n\r\nx\r\n--b\r\n\r\ny", &Limits::default()).unwrap();
        assert_eq!(parts.next().unwrap().unwrap().body(), b"x");
        let error = parts.next().unwrap().unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ParseErrorKind::Boundary, 15));
        assert!(parts.next().is_none());
    }

    #[test]
    fn malformed_headers_of_a_part_are_errors() {
        let error = open("multipart/mixed;boundary=b", "--b\r\nA b\r\n\r\n--b--", &Limits::default()).unwrap().next();
        let error = error.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ParseErrorKind::HeaderLine, 5));
    }

    #[test]
    fn there_are_only_so_many_parts_with_so_many_headers() {
        let limits = Limits { parts: 2, headers: 1, ..Limits::default() };
        let kinds = |body: &str| -> Vec<_> {
            open("multipart/mixed;boundary=b", body, &limits)
                .unwrap()
                .map(|part| part.map_err(ParseError::kind).err())
                .collect()
        };
        assert_eq!(kinds("--b\r\n\r\n--b\r\n\r\n--b--"), [None, None]);
        assert_eq!(kinds("--b\r\n\r\n--b\r\n\r\n--b\r\n\r\n--b--"), [None, None, Some(ParseErrorKind::TooManyParts)]);
        assert_eq!(kinds("--b\r\nA:b\r\nC:d\r\n\r\n--b--"), [Some(ParseErrorKind::TooManyHeaders)]);
    }

    #[test]
    fn a_message_is_asked_by_its_headers() {
        let text = "BYE sip:b SIP/2.0\r\nc: multipart/mixed;boundary=\"-\"\r\n\r\n---\r\n\r\nx\r\n-----\r\n";
        let view = crate::message::MessageView::parse(text.as_bytes(), &Limits::default()).unwrap();
        let mut parts = Multipart::of(view.headers(), view.body(), &Limits::default()).unwrap().unwrap();
        assert_eq!(parts.next().unwrap().unwrap().body(), b"x");
        assert!(view.headers().contains(HeaderId::ContentType));
    }
}
