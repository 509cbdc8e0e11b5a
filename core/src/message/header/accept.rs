//! The kinds of answer that a sender can take: Accept, Accept-Encoding, Accept-Language (RFC 3261 §20.1 to §20.3).

use super::content_type::media_type;
use super::{Header, language, quality, write_text, write_unfolded};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::parameters::Parameters;
use crate::message::text::Cursor;
use alloc::vec::Vec;

/// One media range of Accept. Parameters of the media type and of the range cannot be told apart but for `q`.
#[derive(Clone, Copy, Debug)]
pub struct Accept<'a> {
    /// The type, or `*`; compare without case.
    pub kind: &'a str,
    /// The subtype, or `*`; compare without case.
    pub subtype: &'a str,
    /// The parameters, `q` among them.
    pub parameters: Parameters<'a>,
}

impl Accept<'_> {
    /// Whether the range includes this media type, whatever the parameters.
    pub fn includes(&self, kind: &str, subtype: &str) -> bool {
        let fits = |range: &str, name: &str| range == "*" || range.eq_ignore_ascii_case(name);
        fits(self.kind, kind) && fits(self.subtype, subtype)
    }

    /// The preference in thousandths; 1000 if none is given.
    pub fn q(&self) -> u16 {
        quality::q(self.parameters).unwrap_or(1000)
    }
}

impl<'a> Header<'a> for Accept<'a> {
    const ID: HeaderId = HeaderId::Accept;
    const LIST: bool = true;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        let (kind, subtype) = media_type(&mut cursor)?;
        if kind == "*" && subtype != "*" {
            return Err(ParseError::new(ParseErrorKind::Token, 0));
        }
        let before = cursor.offset();
        let parameters = super::parameters(&mut cursor)?;
        quality::check(parameters, before)?;
        Ok(Self { kind, subtype, parameters })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_text(out, format_args!("{}/{}", self.kind, self.subtype));
        write_unfolded(out, self.parameters.as_bytes());
    }
}

token_and_parameters_header!(
    /// One coding of Accept-Encoding (RFC 3261 §20.2).
    AcceptEncoding {
        /// The coding, such as `gzip`, or `*`; compare without case.
        coding
    },
    list: true,
    check: |read: Self| quality::check(read.parameters, read.coding.len()).map(|()| read)
);

impl AcceptEncoding<'_> {
    /// The preference in thousandths; 1000 if none is given.
    pub fn q(&self) -> u16 {
        quality::q(self.parameters).unwrap_or(1000)
    }
}

token_and_parameters_header!(
    /// One language range of Accept-Language (RFC 3261 §20.3).
    AcceptLanguage {
        /// The range, such as `en-gb`, or `*`; compare without case.
        range
    },
    list: true,
    check: |read: Self| {
        if read.range != "*" && !language::is_tag(read.range) {
            return Err(ParseError::new(ParseErrorKind::Token, 0));
        }
        quality::check(read.parameters, read.range.len()).map(|()| read)
    }
);

impl AcceptLanguage<'_> {
    /// The preference in thousandths; 1000 if none is given.
    pub fn q(&self) -> u16 {
        quality::q(self.parameters).unwrap_or(1000)
    }

    /// Whether the range includes this language: it is the same, begins with it and a hyphen, or the range is `*`.
    pub fn includes(&self, language: &str) -> bool {
        if self.range == "*" {
            return true;
        }
        let begins = language.get(..self.range.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(self.range));
        begins && matches!(language.as_bytes().get(self.range.len()), None | Some(b'-'))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Accept, AcceptEncoding, AcceptLanguage, Header};
    use crate::message::text::Values;
    use alloc::vec::Vec;

    #[test]
    fn the_ranges_of_the_rfc() {
        // RFC 3261 §20.1.
        let list: Vec<_> = Values::new(b"application/sdp;level=1, application/x-private, text/html")
            .map(|value| Accept::parse(value).unwrap())
            .collect();
        assert_eq!(list.len(), 3);
        assert!(list[0].includes("Application", "SDP") && !list[0].includes("text", "html"));
        assert_eq!((list[0].parameters.value("level"), list[0].q()), (Some(&b"1"[..]), 1000));
        assert_eq!(round_trip::<Accept<'_>>(" text / * ;q=0.5"), "text/*;q=0.5");
        assert!(Accept::parse(b"*/*").unwrap().includes("image", "png"));
        assert!(Accept::parse(b"text/*").unwrap().includes("text", "plain"));
        assert_eq!(round_trip::<Accept<'_>>("a/b\r\n ;\r\n\tc=\"d, e\";q=0"), "a/b; c=\"d, e\";q=0");
    }

    #[test]
    fn malformed_ranges_are_refused() {
        refused::<Accept<'_>>(&[
            "",
            "text",
            "text/",
            "*/xml",
            "text/html;q=1.1",
            "text/html;q",
            "text/html;q=0.1234",
            "a/b c",
        ]);
    }

    #[test]
    fn codings() {
        assert_eq!(round_trip::<AcceptEncoding<'_>>("gzip"), "gzip");
        assert_eq!(AcceptEncoding::parse(b"identity; q=0.5").unwrap().q(), 500);
        assert_eq!(round_trip::<AcceptEncoding<'_>>("*;q=0"), "*;q=0");
        refused::<AcceptEncoding<'_>>(&["", "gz ip", "gzip;q=2", ";q=1"]);
    }

    #[test]
    fn languages() {
        // RFC 3261 §20.3.
        let list: Vec<_> =
            Values::new(b"da, en-gb;q=0.8, en;q=0.7").map(|value| AcceptLanguage::parse(value).unwrap()).collect();
        assert_eq!(list.iter().map(AcceptLanguage::q).collect::<Vec<_>>(), [1000, 800, 700]);
        assert!(list[2].includes("EN-us") && list[2].includes("en") && !list[2].includes("eng"));
        assert!(!list[1].includes("en"));
        assert!(AcceptLanguage::parse(b"*").unwrap().includes("fr"));
        assert_eq!(round_trip::<AcceptLanguage<'_>>("en-gb ; q=0.8"), "en-gb; q=0.8");
        refused::<AcceptLanguage<'_>>(&["", "1a", "toolonglanguage", "en-", "-en", "en_gb", "en;q=x"]);
    }
}
