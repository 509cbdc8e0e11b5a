//! Headers that are free text: Organization, Subject (RFC 3261 §20.25, §20.36).

use super::{Header, write_unfolded};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::text;
use alloc::vec::Vec;

/// A header that is UTF-8 text (`TEXT-UTF8-TRIM`).
macro_rules! text_header {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name<'a>(
            /// The text as written, folds kept.
            pub &'a str,
        );

        impl<'a> Header<'a> for $name<'a> {
            const ID: HeaderId = HeaderId::$name;
            const LIST: bool = false;

            fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
                text(value).map(Self)
            }

            fn write(&self, out: &mut Vec<u8>) {
                write_unfolded(out, self.0.as_bytes());
            }
        }
    };
}

text_header!(
    /// Organization; may be empty (RFC 3261 §20.25).
    Organization
);
text_header!(
    /// Subject; may be empty (RFC 3261 §20.36).
    Subject
);

fn text(value: &[u8]) -> Result<&str, ParseError> {
    let bad = |at| ParseError::new(ParseErrorKind::Text, at);
    let value = text::trim(value);
    let control = value.iter().position(|&octet| (octet < b' ' && !text::is_lws(octet)) || octet == 0x7f);
    if let Some(at) = control {
        return Err(bad(at));
    }
    core::str::from_utf8(value).map_err(|error| bad(error.valid_up_to()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Header, Organization, Subject};
    use crate::message::ParseErrorKind;

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(round_trip::<Organization<'_>>("Boxes by Bob"), "Boxes by Bob");
        assert_eq!(round_trip::<Subject<'_>>(" Need more boxes "), "Need more boxes");
        assert_eq!(round_trip::<Subject<'_>>("I know you're there,\r\n  pick up"), "I know you're there, pick up");
        assert_eq!(round_trip::<Subject<'_>>("Grüße, 世界"), "Grüße, 世界");
        assert_eq!(Subject::parse(b""), Ok(Subject("")));
    }

    #[test]
    fn text_is_utf8_without_control_characters() {
        refused::<Subject<'_>>(&["a\0b", "\u{1b}[2J", "a\u{7f}"]);
        let error = Subject::parse(b"Gr\xfc\xdfe").unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ParseErrorKind::Text, 2));
    }
}
