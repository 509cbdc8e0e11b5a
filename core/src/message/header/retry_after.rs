//! Retry-After (RFC 3261 §20.33).

use super::numbers::seconds;
use super::{Header, write_text, write_unfolded};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::parameters::Parameters;
use crate::message::quoted::Comment;
use crate::message::text::Cursor;
use alloc::vec::Vec;

/// Retry-After.
#[derive(Clone, Copy, Debug)]
pub struct RetryAfter<'a> {
    /// Seconds to wait; more than fit are as many as fit.
    pub seconds: u32,
    /// Why, for a person.
    pub comment: Option<Comment<'a>>,
    /// The parameters.
    pub parameters: Parameters<'a>,
}

impl RetryAfter<'_> {
    /// The `duration`: how long it will then be reachable, in seconds.
    pub fn duration(&self) -> Option<u32> {
        seconds(self.parameters.value("duration")?)
    }
}

impl<'a> Header<'a> for RetryAfter<'a> {
    const ID: HeaderId = HeaderId::RetryAfter;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.lws();
        let error = cursor.error(ParseErrorKind::Number);
        let rest = cursor.rest();
        let end = rest.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(rest.len());
        let seconds = seconds(cursor.take(end)).ok_or(error)?;
        cursor.lws();
        let comment = if cursor.peek() == Some(b'(') { Some(Comment::take(&mut cursor)?) } else { None };
        let before = cursor.offset();
        let read = Self { seconds, comment, parameters: super::parameters(&mut cursor)? };
        if read.parameters.has("duration") && read.duration().is_none() {
            return Err(ParseError::new(ParseErrorKind::Number, before));
        }
        Ok(read)
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_text(out, format_args!("{}", self.seconds));
        if let Some(comment) = self.comment {
            out.extend_from_slice(b" (");
            write_unfolded(out, comment.as_bytes());
            out.push(b')');
        }
        write_unfolded(out, self.parameters.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Header, RetryAfter};

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(round_trip::<RetryAfter<'_>>("18000;duration=3600"), "18000;duration=3600");
        assert_eq!(round_trip::<RetryAfter<'_>>("120 (I'm in a meeting)"), "120 (I'm in a meeting)");
        let read = RetryAfter::parse(b"18000 (a (b))\r\n ; duration = 3600").unwrap();
        assert_eq!((read.seconds, read.duration()), (18_000, Some(3_600)));
        assert_eq!(read.comment.unwrap().as_bytes(), b"a (b)");
    }

    #[test]
    fn more_seconds_than_fit_are_as_many_as_fit() {
        // RFC 4475 §3.1.2.5.
        assert_eq!(RetryAfter::parse(b"949302838503028349304023988").unwrap().seconds, u32::MAX);
    }

    #[test]
    fn malformed_ones_are_refused() {
        refused::<RetryAfter<'_>>(&[
            "",
            "120x",
            "(soon)",
            "-1",
            "120 (soon",
            "120;duration=x",
            "120 (a) b",
            "1 2",
            "120;",
        ]);
    }
}
