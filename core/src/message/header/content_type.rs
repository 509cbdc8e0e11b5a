//! Content-Type (RFC 3261 §20.15).

use super::Header;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::parameters::Parameters;
use crate::message::text::Cursor;
use alloc::vec::Vec;

/// Content-Type.
#[derive(Clone, Copy, Debug)]
pub struct ContentType<'a> {
    /// The type, such as `application`; compare without case.
    pub kind: &'a str,
    /// The subtype, such as `sdp`; compare without case.
    pub subtype: &'a str,
    /// The parameters.
    pub parameters: Parameters<'a>,
}

impl ContentType<'_> {
    /// Whether this is that type and subtype, whatever the parameters.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }
}

impl<'a> Header<'a> for ContentType<'a> {
    const ID: HeaderId = HeaderId::ContentType;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        let (kind, subtype) = media_type(&mut cursor)?;
        Ok(Self { kind, subtype, parameters: super::parameters(&mut cursor)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        super::write_text(out, format_args!("{}/{}", self.kind, self.subtype));
        super::write_unfolded(out, self.parameters.as_bytes());
    }
}

/// Type and subtype, or the range of Accept.
pub(super) fn media_type<'a>(cursor: &mut Cursor<'a>) -> Result<(&'a str, &'a str), ParseError> {
    cursor.lws();
    let kind = cursor.token()?;
    cursor.separator(b'/', ParseErrorKind::Token)?;
    Ok((kind, cursor.token()?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{ContentType, Header};

    #[test]
    fn type_subtype_and_parameters() {
        let read = ContentType::parse(b"Application / SDP ; charset=\"a;b\"").unwrap();
        assert!(read.is("application", "sdp"));
        assert_eq!(read.parameters.value("charset"), Some(&b"\"a;b\""[..]));
        assert_eq!(round_trip::<ContentType<'_>>("application/sdp"), "application/sdp");
        assert_eq!(round_trip::<ContentType<'_>>("text/html;\r\n charset=ISO-8859-4"), "text/html; charset=ISO-8859-4");
        refused::<ContentType<'_>>(&["", "text", "text/", "/html", "text/html x", "text/html;"]);
    }
}
