//! Text that was received and is written again (RFC 3261 §7.3.1, §25.1).

use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::limits::Limits;
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// The value as it may be written again: each fold is one space, a legal quoted-pair is kept. Borrowed where nothing changes.
///
/// # Errors
/// A control octet stands where none may, or the value is longer than [`Limits::REWRITTEN_VALUE`]: the value is malformed.
pub(crate) fn unfolded(value: &[u8]) -> Result<Cow<'_, [u8]>, ParseError> {
    if value.len() > Limits::REWRITTEN_VALUE {
        return Err(ParseError::new(ParseErrorKind::ValueTooLong, Limits::REWRITTEN_VALUE));
    }
    unfolded_whole(value)
}

/// Does what [`unfolded`] does to a value of any length.
pub(in crate::message) fn unfolded_whole(value: &[u8]) -> Result<Cow<'_, [u8]>, ParseError> {
    if has_control(value) { unfold(value).map(Cow::Owned) } else { Ok(Cow::Borrowed(value)) }
}

/// Whether a value of any length can be written again.
pub(in crate::message) fn check_rewritable(value: &[u8]) -> Result<(), ParseError> {
    if has_control(value) { unfold(value).map(drop) } else { Ok(()) }
}

/// Whether the text has a control octet other than a tab. Reads all of it: so this becomes vector instructions.
fn has_control(text: &[u8]) -> bool {
    text.iter().fold(false, |found, &octet| found | is_control(octet))
}

/// Whether this is a control octet, which stands in a quoted-pair only; a tab is white space.
const fn is_control(octet: u8) -> bool {
    (octet < b' ' && octet != b'\t') || octet == 0x7f
}

/// Where a value has quoted-pairs: elsewhere a backslash is an octet like others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Value,
    Quotes,
    /// So many parentheses are open. A URI may have one that is never closed: a quoted string behind it is read alike.
    Comment(usize),
}

impl Within {
    /// The state behind this octet, which no backslash escapes.
    const fn behind(self, octet: u8) -> Self {
        match (self, octet) {
            (Self::Value, b'"') => Self::Quotes,
            (Self::Value, b'(') => Self::Comment(1),
            (Self::Quotes, b'"') | (Self::Comment(1), b')') => Self::Value,
            (Self::Comment(depth), b'(') => Self::Comment(depth + 1),
            (Self::Comment(depth), b')') => Self::Comment(depth - 1),
            _ => self,
        }
    }
}

/// Copies the value, each fold as one space.
fn unfold(value: &[u8]) -> Result<Vec<u8>, ParseError> {
    let mut out = Vec::with_capacity(value.len());
    let mut within = Within::Value;
    // How far the copy goes without the white space at its end.
    let mut dark = 0;
    let mut rest = value;
    loop {
        let control_at = |place: &[u8]| ParseError::new(ParseErrorKind::Control, value.len() - place.len());
        rest = match rest {
            [] => return Ok(out),
            [b'\r', b'\n', b' ' | b'\t', tail @ ..] => {
                out.truncate(dark);
                out.push(b' ');
                let length = tail.iter().position(|octet| !matches!(octet, b' ' | b'\t')).unwrap_or(tail.len());
                tail.get(length..).unwrap_or_default()
            }
            [b'\\', next, tail @ ..] if within != Within::Value && next.is_ascii() => {
                if matches!(next, b'\r' | b'\n') {
                    return Err(control_at(rest.get(1..).unwrap_or_default()));
                }
                out.extend_from_slice(&[b'\\', *next]);
                dark = out.len();
                tail
            }
            [octet, ..] if is_control(*octet) => return Err(control_at(rest)),
            [octet, tail @ ..] => {
                out.push(*octet);
                within = within.behind(*octet);
                if !matches!(octet, b' ' | b'\t') {
                    dark = out.len();
                }
                tail
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{unfolded, unfolded_whole};
    use crate::message::{Limits, ParseErrorKind};
    use alloc::borrow::Cow;
    use alloc::string::ToString;
    use alloc::vec;

    #[track_caller]
    fn assert_written(value: &[u8], expected: &[u8]) {
        let written = unfolded(value).unwrap_or_else(|error| panic!("{}: {error}", value.escape_ascii()));
        assert_eq!(written.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    #[test]
    fn a_fold_becomes_one_space() {
        for (value, expected) in [
            (&b"a\r\n b"[..], &b"a b"[..]),
            (b"a \t\r\n\t b", b"a b"),
            (b"a\r\n \r\n\t\r\n b", b"a b"),
            (b"\r\n a", b" a"),
            (b"<sip:a@b>;x=\"y\r\n  z\"", b"<sip:a@b>;x=\"y z\""),
            (b"\"a\\ \r\n b\"", b"\"a\\  b\""),
            (b"a  b\tc", b"a  b\tc"),
        ] {
            assert_written(value, expected);
        }
    }

    #[test]
    fn a_legal_quoted_pair_is_kept() {
        for value in [
            &b"\"\\\0\" <sip:a@b>"[..],
            b"\"\\\\\\\"\\\x7f\\\x01\" <sip:a@b>;x=\"\\\0\"",
            b"Phone (\\\0 (\\)) \"\\\x1f) 2",
            b"<sip:a(b@c>;x=\"\\\0\"",
        ] {
            assert_written(value, value);
        }
    }

    #[test]
    fn any_other_control_octet_makes_the_value_malformed() {
        for (value, offset) in [
            (&b"a\0"[..], 1),
            (b"\"a\0\"", 2),
            (b"\"a\" \\\0", 5),
            (b"(a)\\\0", 4),
            (b"\"\\\\\0\"", 3),
            (b"a\r\nb", 1),
            (b"a\r\n", 1),
            (b"a\n b", 1),
            (b"a\rb", 1),
            (b"\"\\\r\n a\"", 2),
            (b"\"\\\n a\"", 2),
            (b"a\x7f", 1),
            (b"a\x1b[0m", 1),
            (b"a\x0b\x0c", 1),
            (b"\"a\\", u32::MAX),
        ] {
            let error = unfolded(value).map(Cow::into_owned).err();
            let expected = (offset != u32::MAX).then_some((ParseErrorKind::Control, offset));
            assert_eq!(error.map(|error| (error.kind(), error.offset())), expected, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn what_changes_nothing_is_borrowed() {
        assert!(matches!(unfolded("Gr\u{fc}\u{df}e \u{85}".as_bytes()), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn a_value_that_is_too_long_is_malformed() {
        let longest = vec![b'x'; Limits::REWRITTEN_VALUE];
        assert!(unfolded(&longest).is_ok());
        let longer = [&*longest, b"x"].concat();
        assert_eq!(unfolded(&longer).unwrap_err().kind(), ParseErrorKind::ValueTooLong);
        assert!(unfolded_whole(&longer).is_ok());
    }
}
