//! Warning (RFC 3261 §20.43).

use super::{Header, write_text};
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::host::HostPort;
use crate::message::name::HeaderId;
use crate::message::quoted::Quoted;
use crate::message::text::{self, Cursor};
use alloc::vec::Vec;

/// One value of Warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning<'a> {
    /// The code, of three digits.
    pub code: u16,
    /// Who warns: a host and perhaps a port, or a token.
    pub agent: &'a str,
    /// The text, for a person.
    pub text: Quoted<'a>,
}

impl<'a> Header<'a> for Warning<'a> {
    const ID: HeaderId = HeaderId::Warning;
    const LIST: bool = true;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(value);
        cursor.lws();
        let error = cursor.error(ParseErrorKind::Number);
        let digits = word(&mut cursor);
        let code = match digits {
            [b'1'..=b'9', _, _] => text::number(digits).and_then(|code| u16::try_from(code).ok()),
            _ => None,
        };
        let code = code.ok_or(error)?;
        let error = cursor.error(ParseErrorKind::Host);
        let agent = word(&mut cursor);
        if text::token(agent).is_none() && HostPort::parse(agent).is_err() {
            return Err(error);
        }
        let text = Quoted::take(&mut cursor)?;
        cursor.lws();
        if !cursor.is_done() {
            return Err(cursor.error(ParseErrorKind::Trailing));
        }
        Ok(Self { code, agent: text::ascii(agent), text })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_text(out, format_args!("{} {} ", self.code, self.agent));
        self.text.write(out);
    }
}

/// Takes what stands before the next white space, and the white space.
fn word<'a>(cursor: &mut Cursor<'a>) -> &'a [u8] {
    let rest = cursor.rest();
    let word = cursor.take(rest.iter().position(|&octet| text::is_lws(octet)).unwrap_or(rest.len()));
    cursor.lws();
    word
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{Header, Warning};
    use crate::message::Quoted;
    use crate::message::text::Values;
    use alloc::string::ToString;

    #[test]
    fn the_examples_of_the_rfc() {
        for text in [
            "307 isi.edu \"Session parameter 'foo' not understood\"",
            "301 isi.edu \"Incompatible network address type 'E.164'\"",
        ] {
            assert_eq!(round_trip::<Warning<'_>>(text), text);
        }
        let list = b"399 [2001:db8::1]:5060 \"a, \\\"b\\\"\", 399 atlanta \"c\"";
        assert_eq!(Values::new(list).filter(|value| Warning::parse(value).is_ok()).count(), 2);
        let read = Warning::parse(b"399\r\n  [2001:db8::1]:5060\t\"a, \\\"b\\\"\"").unwrap();
        assert_eq!(read, Warning { code: 399, agent: "[2001:db8::1]:5060", text: Quoted::of("a, \"b\"") });
        assert_eq!(read.to_string(), "399 [2001:db8::1]:5060 \"a, \\\"b\\\"\"");
    }

    #[test]
    fn malformed_ones_are_refused() {
        // A code of more digits: RFC 4475 §3.1.2.5.
        refused::<Warning<'_>>(&[
            "",
            "1812 overture \"In Progress\"",
            "99 a \"b\"",
            "099 a \"b\"",
            "3x7 a \"b\"",
            "307 a b",
            "307 a",
            "307 \"b\"",
            "307 a \"b",
            "307 a \"b\" c",
            "307 a,b \"c\"",
        ]);
    }
}
