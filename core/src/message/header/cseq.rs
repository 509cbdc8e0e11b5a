//! CSeq (RFC 3261 §20.16).

use super::Header;
use crate::message::error::ParseError;
use crate::message::method::Method;
use crate::message::name::HeaderId;
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
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}
