//! Content-Type (RFC 3261 §20.15).

use super::Header;
use crate::message::error::ParseError;
use crate::message::name::HeaderId;
use crate::message::parameters::Parameters;
use alloc::vec::Vec;

/// Content-Type.
#[derive(Clone, Copy, Debug)]
pub struct ContentType<'a> {
    /// The type, such as `application`; compare without case.
    pub kind: &'a str,
    /// The subtype, such as `sdp`; compare without case.
    pub subtype: &'a str,
    /// The parameters.
    pub parameters: Parameters<'a>,
}

impl<'a> Header<'a> for ContentType<'a> {
    const ID: HeaderId = HeaderId::ContentType;
    const LIST: bool = false;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}
