//! Call-ID, In-Reply-To (RFC 3261 §20.8, §20.21).

use super::Header;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::text::{self, WORD};
use alloc::vec::Vec;
use core::fmt;

/// Call-ID; compared with regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId<'a>(pub &'a str);

impl<'a> Header<'a> for CallId<'a> {
    const ID: HeaderId = HeaderId::CallId;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let value = text::trim(value);
        let word = |text: &[u8]| !text.is_empty() && WORD.covers(text);
        let good = match text::split_once(value, b'@') {
            Some((local, host)) => word(local) && word(host),
            None => word(value),
        };
        if good { Ok(Self(text::ascii(value))) } else { Err(ParseError::new(ParseErrorKind::Token, 0)) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

/// In-Reply-To: the Call-IDs of calls that this one answers. A Call-ID may have quotes and angle brackets, which hide no comma
/// here: so this is one whole field, not one value of it.
#[derive(Clone, Copy)]
pub struct InReplyTo<'a>(&'a [u8]);

impl<'a> InReplyTo<'a> {
    /// The Call-IDs in order.
    pub fn call_ids(self) -> impl Iterator<Item = CallId<'a>> + Clone {
        self.0.split(|&octet| octet == b',').map(|one| CallId(text::ascii(text::trim(one))))
    }
}

impl<'a> Header<'a> for InReplyTo<'a> {
    const ID: HeaderId = HeaderId::InReplyTo;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let value = text::trim(value);
        for one in value.split(|&octet| octet == b',') {
            CallId::parse(one).map_err(|error| error.moved(text::offset_in(value, one)))?;
        }
        Ok(Self(value))
    }

    fn write(&self, out: &mut Vec<u8>) {
        for (at, CallId(one)) in self.call_ids().enumerate() {
            if at > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(one.as_bytes());
        }
    }
}

impl fmt::Debug for InReplyTo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.call_ids()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refused, round_trip};
    use super::{CallId, Header, InReplyTo};
    use alloc::vec::Vec;

    #[test]
    fn a_word_or_two() {
        for good in
            ["f81d4fae-7dec-11d0-a765-00a0c91e6bf6@biloxi.com", "a", "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"]
        {
            assert_eq!(CallId::parse(good.as_bytes()), Ok(CallId(good)));
        }
        assert_eq!(round_trip::<CallId<'_>>(" f81d4fae@biloxi.com "), "f81d4fae@biloxi.com");
        for bad in ["", "@", "a@", "a@b@c", "a b", "a,b", "a;b", "ä"] {
            assert!(CallId::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn in_reply_to_lists_call_ids_whatever_they_have() {
        let text = "70710@saturn.bell-tel.com, 17320@saturn.bell-tel.com";
        assert_eq!(round_trip::<InReplyTo<'_>>(text), text);
        assert_eq!(round_trip::<InReplyTo<'_>>("a ,\r\n b"), "a, b");
        let read = InReplyTo::parse(b"a\"b,<c, d>").unwrap();
        assert_eq!(read.call_ids().collect::<Vec<_>>(), [CallId("a\"b"), CallId("<c"), CallId("d>")]);
        refused::<InReplyTo<'_>>(&["", ",", "a,", "a b", "a@b@c"]);
    }
}
