//! Headers that are one number.

use super::Header;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::text;
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
                text::number(text::trim(value))
                    .and_then(|number| <$number>::try_from(number).ok())
                    .map(Self)
                    .ok_or(ParseError::new(ParseErrorKind::Number, 0))
            }

            fn write(&self, out: &mut Vec<u8>) {
                super::write_number(out, self.0.into());
            }
        }
    };
}
pub(super) use number_header;

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
/// A header that is one number of seconds, and nothing else.
macro_rules! seconds_header {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub u32);

        impl<'a> Header<'a> for $name {
            const ID: HeaderId = HeaderId::$name;
            const LIST: bool = false;

            fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
                seconds(text::trim(value)).map(Self).ok_or(ParseError::new(ParseErrorKind::Number, 0))
            }

            fn write(&self, out: &mut Vec<u8>) {
                super::write_number(out, self.0);
            }
        }
    };
}

seconds_header!(
    /// Expires in seconds; more than fit are as many as fit (RFC 3261 §20.19, §10.2.1.1).
    Expires
);
seconds_header!(
    /// Min-Expires in seconds; more than fit are as many as fit (RFC 3261 §20.23).
    MinExpires
);

seconds_header!(
    /// Flow-Timer in seconds: how long the server waits for a keep-alive before it may take the flow for dead; more than fit are as many as
    /// fit (RFC 5626 §4.4, §11.2).
    FlowTimer
);

/// `delta-seconds`. Values above 2**32-1 are equivalent to that (RFC 3261 §10.2.1.1). `None` if empty or with other
/// characters than digits.
pub(super) fn seconds(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u32, |value, octet| {
        let digit = octet.is_ascii_digit().then(|| u32::from(octet - b'0'))?;
        Some(value.saturating_mul(10).saturating_add(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{ContentLength, Expires, FlowTimer, Header, MaxBreadth, MaxForwards, MinExpires};

    #[test]
    fn the_examples_of_the_rfcs() {
        assert_eq!(round_trip::<MaxForwards>("6"), "6");
        assert_eq!(round_trip::<MaxBreadth>("69"), "69");
        assert_eq!(round_trip::<ContentLength>("349"), "349");
        assert_eq!(round_trip::<Expires>("5"), "5");
        assert_eq!(round_trip::<FlowTimer>(" 120"), "120");
        assert_eq!(round_trip::<MinExpires>(" 60\r\n "), "60");
    }

    #[test]
    fn numbers_have_only_digits_and_fit() {
        assert_eq!(MaxForwards::parse(b"0068"), Ok(MaxForwards(68)));
        assert_eq!(MaxForwards::parse(b" 255 "), Ok(MaxForwards(255)));
        refused::<MaxForwards>(&["", "256", "x", "1 2", "-1", "1;x"]);
        refused::<ContentLength>(&["", "-999", "4294967296", "0x10"]);
        refused::<MaxBreadth>(&["", "4294967296"]);
    }

    #[test]
    fn more_seconds_than_fit_are_as_many_as_fit() {
        assert_eq!(Expires::parse(b"4294967295"), Ok(Expires(u32::MAX)));
        assert_eq!(Expires::parse(b"4294967296"), Ok(Expires(u32::MAX)));
        assert_eq!(Expires::parse(b"1000000000000000000000000000000"), Ok(Expires(u32::MAX)));
        refused::<Expires>(&["", "-1", "1.5", "1 2", "Thu, 01 Dec 1994 16:00:00 GMT", "99999999999x"]);
        refused::<MinExpires>(&["", "soon"]);
        refused::<FlowTimer>(&["", "120 s", "-1"]);
    }
}
