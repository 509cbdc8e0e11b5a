//! The kind of a body, and how it is to be taken: Content-Disposition, Content-Encoding, MIME-Version (RFC 3261 §20.11, §20.12,
//! §20.24).

use super::{Header, write_text};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::text::{self, Cursor};
use alloc::vec::Vec;

token_and_parameters_header!(
    /// Content-Disposition (RFC 3261 §20.11).
    ContentDisposition {
        /// The disposition, such as `session` or `render`; compare without case.
        kind
    },
    list: false,
    check: Ok
);

impl ContentDisposition<'_> {
    /// Whether the body must be understood: unless `handling` is `optional`. An unknown word is none of the two and taken as
    /// the stricter one, as is its absence.
    pub fn is_required(&self) -> bool {
        !self.parameters.token("handling").is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
    }
}

token_header!(
    /// One coding of Content-Encoding, in the order in which they were applied (RFC 3261 §20.12).
    ContentEncoding,
    list: true
);

/// MIME-Version (RFC 3261 §20.24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MimeVersion {
    /// Before the point.
    pub major: u32,
    /// After the point.
    pub minor: u32,
}

impl<'a> Header<'a> for MimeVersion {
    const ID: HeaderId = HeaderId::MimeVersion;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let value = text::trim(value);
        let mut cursor = Cursor::new(value);
        let error = ParseError::new(ParseErrorKind::Number, 0);
        let major = text::number(cursor.take_until(b'.')).ok_or(error)?;
        cursor.eat(b'.');
        let minor = text::number(cursor.rest()).ok_or(cursor.error(ParseErrorKind::Number))?;
        Ok(Self { major, minor })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_text(out, format_args!("{}.{}", self.major, self.minor));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{ContentDisposition, ContentEncoding, Header, MimeVersion};

    #[test]
    fn a_disposition_is_required_unless_it_says_optional() {
        assert_eq!(round_trip::<ContentDisposition<'_>>("session"), "session");
        let required = |text: &str| ContentDisposition::parse(text.as_bytes()).unwrap().is_required();
        // RFC 3261 §20.11 and its erratum 4567.
        assert!(required("session"));
        assert!(required("attachment; filename=smime.p7s;\r\n handling=required"));
        assert!(!required("icon;handling=OPTIONAL"));
        assert!(required("icon;handling=soon"));
        refused::<ContentDisposition<'_>>(&["", ";handling=optional", "a b", "session;handling="]);
    }

    #[test]
    fn codings_are_tokens_without_case() {
        assert_eq!(round_trip::<ContentEncoding<'_>>("gzip"), "gzip");
        assert_eq!(ContentEncoding::parse(b" GZIP"), Ok(ContentEncoding("gzip")));
        refused::<ContentEncoding<'_>>(&["", "a b", "gzip;q=1"]);
    }

    #[test]
    fn a_version_is_two_numbers() {
        assert_eq!(round_trip::<MimeVersion>("1.0"), "1.0");
        assert_eq!(MimeVersion::parse(b" 1.12 "), Ok(MimeVersion { major: 1, minor: 12 }));
        refused::<MimeVersion>(&["", "1", "1.", ".1", "1.0.0", "1 .0", "1.x", "4294967296.0"]);
    }
}
