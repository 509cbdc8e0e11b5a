//! Call-ID (RFC 3261 §20.8).

use super::Header;
use crate::message::error::{ParseError, ParseErrorKind};
use crate::message::name::HeaderId;
use crate::message::scan::{self, WORD};
use alloc::vec::Vec;

/// Call-ID; compared with regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId<'a>(pub &'a str);

impl<'a> Header<'a> for CallId<'a> {
    const ID: HeaderId = HeaderId::CallId;
    const LIST: bool = false;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let value = scan::trim(value);
        let word = |text: &[u8]| !text.is_empty() && WORD.covers(text);
        let good = match scan::split_once(value, b'@') {
            Some((local, host)) => word(local) && word(host),
            None => word(value),
        };
        if good { Ok(Self(scan::ascii(value))) } else { Err(ParseError::new(ParseErrorKind::Token, 0)) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::{CallId, Header};

    #[test]
    fn a_word_or_two() {
        for good in
            ["f81d4fae-7dec-11d0-a765-00a0c91e6bf6@biloxi.com", "a", "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"]
        {
            assert_eq!(CallId::parse(good.as_bytes()), Ok(CallId(good)));
        }
        for bad in ["", "@", "a@", "a@b@c", "a b", "a,b", "a;b", "ä"] {
            assert!(CallId::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
