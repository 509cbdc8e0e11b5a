//! Reliable provisional responses: RAck, RSeq (RFC 3262 §7).

use super::numbers::number_header;
use super::{Header, write_text};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::method::Method;
use crate::message::name::HeaderId;
use crate::message::text::{self, Cursor};
use alloc::vec::Vec;

number_header!(
    /// RSeq: the number of a reliable provisional response (RFC 3262 §7.1).
    RSeq(u32)
);

/// RAck: which provisional response a PRACK acknowledges (RFC 3262 §7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RAck<'a> {
    /// The RSeq of the response.
    pub rseq: u32,
    /// The number of the CSeq of the response.
    pub cseq: u32,
    /// The method of the CSeq of the response.
    pub method: Method<'a>,
}

impl<'a> Header<'a> for RAck<'a> {
    const ID: HeaderId = HeaderId::RAck;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text::trim(value));
        let rseq = spaced_number(&mut cursor)?;
        let cseq = spaced_number(&mut cursor)?;
        let method = Method::parse(cursor.rest()).ok_or(cursor.error(ParseErrorKind::Method))?;
        Ok(Self { rseq, cseq, method })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_text(out, format_args!("{} {} {}", self.rseq, self.cseq, self.method));
    }
}

/// A number and the white space behind it.
fn spaced_number(cursor: &mut Cursor<'_>) -> Result<u32, ParseError> {
    let error = cursor.error(ParseErrorKind::Number);
    let rest = cursor.rest();
    let end = rest.iter().position(|&octet| text::is_lws(octet)).ok_or(error)?;
    let number = text::number(cursor.take(end)).ok_or(error)?;
    cursor.lws();
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Header, RAck, RSeq};
    use crate::message::Method;

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(round_trip::<RAck<'_>>("776656 1 INVITE"), "776656 1 INVITE");
        assert_eq!(round_trip::<RSeq>("988789"), "988789");
        let folded = RAck::parse(b" 1\r\n  4294967295\tX ");
        assert_eq!(folded, Ok(RAck { rseq: 1, cseq: u32::MAX, method: Method::Other("X") }));
    }

    #[test]
    fn malformed_ones_are_refused() {
        refused::<RAck<'_>>(&[
            "",
            "1",
            "1 2",
            "1 2 ",
            "1 INVITE",
            "4294967296 1 INVITE",
            "1 2 INVITE x",
            "-1 2 X",
            "1,2 X",
        ]);
        refused::<RSeq>(&["", "4294967296", "-1", "1 2", "x"]);
    }
}
