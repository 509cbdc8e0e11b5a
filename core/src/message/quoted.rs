//! Quoted strings and comments (RFC 3261 §25.1).

use super::error::{ParseError, ParseErrorKind};
use super::limits::Limits;
use super::text::{self, Cursor};
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A quoted string; equality is that of the text, with regard to case.
#[derive(Clone, Copy)]
pub struct Quoted<'a> {
    /// The text that stands between the quotes, or is to stand there.
    text: &'a [u8],
    /// Whether a backslash in `text` escapes what follows it.
    escaped: bool,
}

impl<'a> Quoted<'a> {
    /// Reads a quoted string, quotes included. `None` if it is none, or has a control character or a stray quote.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let [b'"', inner @ .., b'"'] = text else { return None };
        let mut rest = inner;
        loop {
            rest = match rest {
                [] => return Some(Self { text: inner, escaped: true }),
                [b'\\', next, tail @ ..] if !matches!(next, b'\r' | b'\n' | 0x80..) => tail,
                [b'"' | b'\\' | 0x7f, ..] => return None,
                [octet, tail @ ..] if *octet >= b' ' || text::is_lws(*octet) => tail,
                _ => return None,
            }
        }
    }

    /// Takes one from a text that is read.
    pub(crate) fn take(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let error = cursor.error(ParseErrorKind::Quotes);
        Self::parse(cursor.quoted()?).ok_or(error)
    }

    /// Any text, to be written: quotes and backslashes in it will be escaped.
    pub const fn of(text: &'a str) -> Self {
        Self { text: text.as_bytes(), escaped: false }
    }

    /// The text without escapes; a fold is one space.
    pub fn octets(self) -> impl Iterator<Item = u8> + Clone + 'a {
        let mut rest = self.text;
        core::iter::from_fn(move || {
            let (octet, tail) = match rest {
                [] => return None,
                [b'\\', next, tail @ ..] if self.escaped => (*next, tail),
                [b'\r', b'\n', tail @ ..] | [b'\n', tail @ ..] if self.escaped => (b' ', text::trim_start(tail)),
                [octet, tail @ ..] => (*octet, tail),
            };
            rest = tail;
            Some(octet)
        })
    }

    /// The text without escapes; borrowed where there are none.
    pub fn to_text(self) -> Cow<'a, [u8]> {
        if self.escaped && self.text.iter().any(|octet| matches!(octet, b'\\' | b'\n')) {
            Cow::Owned(self.octets().collect())
        } else {
            Cow::Borrowed(self.text)
        }
    }

    /// Whether the text is empty.
    pub const fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    /// Appends it, quotes included, folds as one space.
    pub fn write(self, out: &mut Vec<u8>) {
        out.push(b'"');
        for octet in self.octets() {
            if matches!(octet, b'"' | b'\\' | 0x7f | 0..b' ') && !text::is_lws(octet) {
                out.push(b'\\');
            }
            out.push(octet);
        }
        out.push(b'"');
    }
}

impl PartialEq for Quoted<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.octets().eq(other.octets())
    }
}

impl Eq for Quoted<'_> {}

impl PartialEq<str> for Quoted<'_> {
    fn eq(&self, other: &str) -> bool {
        self.octets().eq(other.bytes())
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        self.write(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

impl fmt::Debug for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A comment as written, without the outer parentheses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Comment<'a>(&'a [u8]);

impl<'a> Comment<'a> {
    /// Reads a comment, parentheses included.
    ///
    /// # Errors
    /// It is none, or [`Limits::COMMENT_NESTING`] is exceeded.
    pub fn parse(text: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        let comment = Self::take(&mut cursor)?;
        if cursor.is_done() { Ok(comment) } else { Err(cursor.error(ParseErrorKind::Trailing)) }
    }

    /// Takes one from a text that is read.
    pub(crate) fn take(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let (start, text) = (cursor.offset(), cursor.rest());
        let (mut rest, mut depth) = (text, 0_usize);
        loop {
            let bad = |kind| Err(ParseError::new(kind, start + text.len() - rest.len()));
            rest = match rest {
                [b'(', ..] if depth == Limits::COMMENT_NESTING => return bad(ParseErrorKind::CommentTooDeep),
                [b'(', tail @ ..] => {
                    depth += 1;
                    tail
                }
                [b')', tail @ ..] if depth > 0 => {
                    depth -= 1;
                    tail
                }
                [b'\\', next, tail @ ..] if depth > 0 && !matches!(next, b'\r' | b'\n' | 0x80..) => tail,
                [b'\\' | 0x7f, ..] | [] => return bad(ParseErrorKind::Comment),
                [octet, tail @ ..] if depth > 0 && (*octet >= b' ' || text::is_lws(*octet)) => tail,
                _ => return bad(ParseErrorKind::Comment),
            };
            if depth == 0 {
                let whole = cursor.take(text.len() - rest.len());
                return Ok(Self(whole.get(1..whole.len() - 1).unwrap_or_default()));
            }
        }
    }

    /// The text between the parentheses, escapes and folds kept.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Comment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({})", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::{Comment, Quoted};
    use crate::message::{Limits, ParseErrorKind};
    use alloc::string::ToString;

    #[test]
    fn escapes_and_folds_are_not_part_of_the_text() {
        let read = Quoted::parse(br#""a \"quoted\" \\ word""#).unwrap();
        assert_eq!(read, *r#"a "quoted" \ word"#);
        assert_eq!(read, Quoted::of(r#"a "quoted" \ word"#));
        assert_eq!(read.to_string(), r#""a \"quoted\" \\ word""#);
        assert_eq!(Quoted::parse(b"\"a\r\n \tb\"").unwrap(), *"a b");
        assert_eq!(Quoted::parse(br#""\a""#).unwrap().to_string(), "\"a\"");
        assert!(Quoted::parse(b"\"\"").unwrap().is_empty());
        assert_ne!(Quoted::of("a"), Quoted::of("A"));
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let borrowed =
            |text: &'static [u8]| matches!(Quoted::parse(text).unwrap().to_text(), alloc::borrow::Cow::Borrowed(_));
        assert!(borrowed(b"\"plain\""));
        assert!(!borrowed(br#""pl\ain""#));
    }

    #[test]
    fn malformed_quoted_strings_are_refused() {
        for bad in [
            &b""[..],
            b"\"",
            b"a",
            b"\"a",
            b"\"a\"b\"",
            b"\"a\\\"",
            b"\"\x00\"",
            b"\"\x7f\"",
            b"\"\\\r\n \"",
            b"\"\\\xc3\"",
        ] {
            assert!(Quoted::parse(bad).is_none(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn comments_nest() {
        assert_eq!(Comment::parse(br"(a (b) \) (c(d)))").unwrap().as_bytes(), br"a (b) \) (c(d))");
        assert_eq!(Comment::parse(b"()").unwrap().as_bytes(), b"");
        for bad in ["", "a", "(", "(a", "(a))", "((a)", "(a\\)", "(\0)", "\\(a)"] {
            assert!(Comment::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn comments_nest_only_so_deep() {
        let nested = |depth| "(".repeat(depth) + &")".repeat(depth);
        assert!(Comment::parse(nested(Limits::COMMENT_NESTING).as_bytes()).is_ok());
        let error = Comment::parse(nested(Limits::COMMENT_NESTING + 1).as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ParseErrorKind::CommentTooDeep);
        assert_eq!(error.offset() as usize, Limits::COMMENT_NESTING);
        assert!(Comment::parse(nested(100_000).as_bytes()).is_err());
    }
}
