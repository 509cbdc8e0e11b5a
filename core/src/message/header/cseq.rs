//! CSeq (RFC 3261 §20.16).

use super::Header;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::method::Method;
use crate::message::name::HeaderId;
use crate::message::text::{self, Cursor};
use alloc::vec::Vec;

/// CSeq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// The sequence number.
    pub number: u32,
    /// The method.
    pub method: Method<'a>,
}

impl<'a> Header<'a> for CSeq<'a> {
    const ID: HeaderId = HeaderId::CSeq;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let value = text::trim(value);
        let space = value.iter().position(|&octet| text::is_lws(octet)).unwrap_or(value.len());
        let mut cursor = Cursor::new(value);
        let number = text::number(cursor.take(space)).ok_or(ParseError::new(ParseErrorKind::Number, 0))?;
        cursor.lws();
        let method = Method::parse(cursor.rest()).ok_or(cursor.error(ParseErrorKind::Method))?;
        Ok(Self { number, method })
    }

    fn write(&self, out: &mut Vec<u8>) {
        super::write_number(out, self.number);
        out.push(b' ');
        out.extend_from_slice(self.method.as_str().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::{CSeq, Header};
    use crate::message::Method;
    use alloc::vec::Vec;

    #[test]
    fn a_number_and_a_method() {
        assert_eq!(CSeq::parse(b"4711 INVITE"), Ok(CSeq { number: 4711, method: Method::Invite }));
        assert_eq!(CSeq::parse(b"0009\r\n  INVITE"), Ok(CSeq { number: 9, method: Method::Invite }));
        assert_eq!(CSeq::parse(b"4294967295 X"), Ok(CSeq { number: u32::MAX, method: Method::Other("X") }));
    }

    #[test]
    fn malformed_ones_are_refused() {
        for bad in ["", "1", "INVITE", "1INVITE", "4294967296 INVITE", "-1 INVITE", "1 IN VITE", "1 INVITE;x", "1 ("] {
            assert!(CSeq::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        let mut out = Vec::new();
        CSeq { number: 1, method: Method::Ack }.write(&mut out);
        assert_eq!(out, b"1 ACK");
    }

    #[test]
    fn the_example_of_the_rfc_comes_back() {
        let text = "4711 INVITE";
        assert_eq!(super::super::testing::round_trip::<CSeq<'_>>(text), text);
    }
}
