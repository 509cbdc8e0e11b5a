//! Headers that are one number.

use super::Header;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::scan::{self, Cursor};
use alloc::vec::Vec;

/// A header that is one decimal number of this type, and nothing else.
macro_rules! number_header {
    ($(#[$doc:meta])* $name:ident($number:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $number);

        impl<'a> Header<'a> for $name {
            const ID: HeaderId = HeaderId::$name;
            const LIST: bool = false;

            fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
                scan::number(scan::trim(value))
                    .and_then(|number| <$number>::try_from(number).ok())
                    .map(Self)
                    .ok_or(ParseError::new(ParseErrorKind::Number, 0))
            }

            fn write(&self, out: &mut Vec<u8>) {
                super::write_text(out, format_args!("{}", self.0));
            }
        }
    };
}

number_header!(
    /// Max-Forwards: hops left (RFC 3261 §20.22).
    MaxForwards(u8)
);
number_header!(
    /// Max-Breadth: branches left that may be open at a time (RFC 5393 §5.3).
    MaxBreadth(u32)
);
number_header!(
    /// Content-Length in octets (RFC 3261 §20.14).
    ContentLength(u32)
);
number_header!(
    /// Expires in seconds (RFC 3261 §20.19).
    Expires(u32)
);
number_header!(
    /// Min-Expires in seconds (RFC 3261 §20.23).
    MinExpires(u32)
);

/// Retry-After in seconds; comment and parameters are not read (RFC 3261 §20.33).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub u32);

impl<'a> Header<'a> for RetryAfter {
    const ID: HeaderId = HeaderId::RetryAfter;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let value = scan::trim(value);
        let end = value.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(value.len());
        let mut cursor = Cursor::new(value);
        let seconds = scan::number(cursor.take(end)).ok_or(ParseError::new(ParseErrorKind::Number, 0))?;
        cursor.lws();
        if !matches!(cursor.peek(), None | Some(b';' | b'(')) {
            return Err(cursor.error(ParseErrorKind::Trailing));
        }
        Ok(Self(seconds))
    }

    fn write(&self, out: &mut Vec<u8>) {
        super::write_text(out, format_args!("{}", self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::{ContentLength, Expires, Header, MaxForwards, RetryAfter};

    #[test]
    fn numbers_have_only_digits_and_fit() {
        assert_eq!(MaxForwards::parse(b"0068"), Ok(MaxForwards(68)));
        assert_eq!(MaxForwards::parse(b" 255 "), Ok(MaxForwards(255)));
        assert!(MaxForwards::parse(b"256").is_err());
        assert!(ContentLength::parse(b"-999").is_err());
        assert!(ContentLength::parse(b"").is_err());
        assert!(Expires::parse(b"4294967296").is_err());
    }

    #[test]
    fn retry_after_may_have_a_comment_and_parameters() {
        assert_eq!(RetryAfter::parse(b"18000;duration=3600"), Ok(RetryAfter(18_000)));
        assert_eq!(RetryAfter::parse(b"120 (I'm in a meeting)"), Ok(RetryAfter(120)));
        assert!(RetryAfter::parse(b"120x").is_err());
        assert!(RetryAfter::parse(b"(soon)").is_err());
    }
}
