//! Contact (RFC 3261 §20.10).

use super::Header;
use super::NameAddr;
use crate::message::error::ParseError;
use crate::message::name::HeaderId;
use alloc::vec::Vec;

/// One value of Contact.
#[derive(Clone, Copy, Debug)]
pub enum Contact<'a> {
    /// `*`: all bindings (RFC 3261 §10.2.2).
    Star,
    /// An address.
    Address(NameAddr<'a>),
}

impl<'a> Contact<'a> {
    /// The address, unless this is `*`.
    pub fn address(self) -> Option<NameAddr<'a>> {
        todo!()
    }
    /// The `expires` in seconds; `None` if absent or malformed.
    pub fn expires(self) -> Option<u32> {
        todo!()
    }
    /// The `q` in thousandths, 0 to 1000; `None` if absent or malformed.
    pub fn q(self) -> Option<u16> {
        todo!()
    }
}

impl<'a> Header<'a> for Contact<'a> {
    const ID: HeaderId = HeaderId::Contact;
    const LIST: bool = true;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}
