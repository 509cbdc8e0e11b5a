//! Call-ID (RFC 3261 §20.8).

use super::Header;
use crate::message::error::ParseError;
use crate::message::name::HeaderId;
use alloc::vec::Vec;

/// Call-ID; compared with regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallId<'a>(pub &'a str);

impl<'a> Header<'a> for CallId<'a> {
    const ID: HeaderId = HeaderId::CallId;
    const LIST: bool = false;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}
