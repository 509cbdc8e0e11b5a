//! Privacy (RFC 3323 §4.2).

use super::Header;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::text::{self, Cursor};
use alloc::vec::Vec;

/// Privacy: what is to be hidden; tokens with semicolons between them.
#[derive(Clone, Copy)]
pub struct Privacy<'a>(&'a [u8]);

impl<'a> Privacy<'a> {
    /// The tokens, such as `id` or `none`; compare without case.
    pub fn values(self) -> impl Iterator<Item = &'a str> + Clone {
        self.0.split(|&octet| octet == b';').map(|value| text::ascii(text::trim(value)))
    }

    /// Whether this token is among them, without case.
    pub fn has(self, value: &str) -> bool {
        self.values().any(|mine| mine.eq_ignore_ascii_case(value))
    }
}

impl<'a> Header<'a> for Privacy<'a> {
    const ID: HeaderId = HeaderId::Privacy;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let value = text::trim(value);
        let mut cursor = Cursor::new(value);
        cursor.token()?;
        cursor.lws();
        while !cursor.is_done() {
            cursor.separator(b';', ParseErrorKind::Trailing)?;
            cursor.token()?;
            cursor.lws();
        }
        Ok(Self(value))
    }

    fn write(&self, out: &mut Vec<u8>) {
        for (at, value) in self.values().enumerate() {
            if at > 0 {
                out.push(b';');
            }
            out.extend_from_slice(value.as_bytes());
        }
    }
}

impl core::fmt::Debug for Privacy<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.values()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Header, Privacy};
    use alloc::vec::Vec;

    #[test]
    fn tokens_between_semicolons() {
        let read = Privacy::parse(b"user; ID ;critical").unwrap();
        assert_eq!(read.values().collect::<Vec<_>>(), ["user", "ID", "critical"]);
        assert!(read.has("id") && !read.has("none"));
        assert_eq!(round_trip::<Privacy<'_>>("header;\r\n user"), "header;user");
        refused::<Privacy<'_>>(&["", ";", "id;", ";id", "a b", "a,b", "a;;b"]);
    }
}
