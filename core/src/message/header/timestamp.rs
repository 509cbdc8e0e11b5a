//! Timestamp (RFC 3261 §20.38).

use super::{Header, write_text};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::text;
use alloc::vec::Vec;

/// Timestamp: when a request was sent, in seconds of the sender's own clock. Kept as text: the UAS gives it back as it came
/// (RFC 3261 §8.2.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp<'a> {
    /// The time: digits, and perhaps a point and more digits.
    pub time: &'a str,
    /// In a response, how long the request waited at the UAS, in seconds; of the same form.
    pub delay: Option<&'a str>,
}

impl<'a> Header<'a> for Timestamp<'a> {
    const ID: HeaderId = HeaderId::Timestamp;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let value = text::trim(value);
        let space = value.iter().position(|&octet| text::is_lws(octet)).unwrap_or(value.len());
        let (time, delay) = value.split_at_checked(space).unwrap_or((value, &[]));
        let delay = text::trim(delay);
        if !time.first().is_some_and(u8::is_ascii_digit) || !is_decimal(time) {
            return Err(ParseError::new(ParseErrorKind::Number, 0));
        }
        if !is_decimal(delay) {
            return Err(ParseError::new(ParseErrorKind::Number, text::offset_in(value, delay)));
        }
        Ok(Self { time: text::ascii(time), delay: (!delay.is_empty()).then(|| text::ascii(delay)) })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.time.as_bytes());
        if let Some(delay) = self.delay {
            write_text(out, format_args!(" {delay}"));
        }
    }
}

/// Digits with at most one point among them; there may be none (`delay`).
fn is_decimal(text: &[u8]) -> bool {
    let points = text.iter().filter(|&&octet| octet == b'.').count();
    points <= 1 && text.iter().all(|octet| octet.is_ascii_digit() || *octet == b'.')
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Header, Timestamp};

    #[test]
    fn a_time_and_a_delay() {
        assert_eq!(round_trip::<Timestamp<'_>>("54"), "54");
        assert_eq!(round_trip::<Timestamp<'_>>("54.25\r\n .5"), "54.25 .5");
        assert_eq!(Timestamp::parse(b" 54. "), Ok(Timestamp { time: "54.", delay: None }));
        let long = "9".repeat(200);
        assert_eq!(Timestamp::parse(long.as_bytes()).unwrap().time, long);
    }

    #[test]
    fn malformed_ones_are_refused() {
        refused::<Timestamp<'_>>(&["", ".5", "-1", "1.2.3", "1 2 3", "1 x", "1,5", "1 1..2"]);
    }
}
