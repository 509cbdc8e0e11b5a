//! Language tags: Content-Language (RFC 3261 §20.13).

use super::Header;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use alloc::vec::Vec;

/// One language of Content-Language; compared without case.
#[derive(Clone, Copy, Debug)]
pub struct ContentLanguage<'a>(pub &'a str);

impl PartialEq for ContentLanguage<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for ContentLanguage<'_> {}

impl<'a> Header<'a> for ContentLanguage<'a> {
    const ID: HeaderId = HeaderId::ContentLanguage;
    const LIST: bool = true;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let tag = super::whole_token(value)?;
        if is_tag(tag) { Ok(Self(tag)) } else { Err(ParseError::new(ParseErrorKind::Token, 0)) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

/// `language-tag`: up to eight letters, then subtags of up to eight letters or digits (RFC 3066 §2.1, which came after the
/// grammar of RFC 3261 and has digits in subtags).
pub(super) fn is_tag(text: &str) -> bool {
    let fits = |subtag: &str| (1..=8).contains(&subtag.len());
    let mut subtags = text.split('-');
    subtags.next().is_some_and(|primary| fits(primary) && primary.bytes().all(|octet| octet.is_ascii_alphabetic()))
        && subtags.all(|subtag| fits(subtag) && subtag.bytes().all(|octet| octet.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{ContentLanguage, Header};

    #[test]
    fn a_language_is_a_tag() {
        assert_eq!(round_trip::<ContentLanguage<'_>>("fr"), "fr");
        assert_eq!(round_trip::<ContentLanguage<'_>>(" es-419 "), "es-419");
        assert_eq!(ContentLanguage::parse(b"EN-gb"), Ok(ContentLanguage("en-GB")));
        refused::<ContentLanguage<'_>>(&["", "e1", "*", "en--gb", "abcdefghi", "fr;q=1"]);
    }
}
