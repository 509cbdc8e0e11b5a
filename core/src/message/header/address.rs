//! Addresses: From, To, Route, Record-Route (RFC 3261 §20.10, §20.20, §20.30, §20.34, §20.39).

use super::Header;
use crate::message::bytes::SharedBytes;
use crate::message::error::ParseError;
use crate::message::name::HeaderId;
use crate::message::parameters::Parameters;
use crate::message::uri::Uri;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;
use core::str::FromStr;

/// A `name-addr` or `addr-spec` with parameters.
#[derive(Clone, Copy, Debug)]
pub struct NameAddr<'a> {
    /// The display name as written, quotes included.
    pub display_name: Option<&'a [u8]>,
    /// The URI.
    pub uri: Uri<'a>,
    /// The parameters of the header, not of the URI.
    pub parameters: Parameters<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value. Without angle brackets, `;` begins the header's parameters (RFC 3261 §20.10).
    ///
    /// # Errors
    /// The value is malformed.
    pub fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    /// The `tag`.
    pub fn tag(self) -> Option<&'a str> {
        todo!()
    }
    /// Writes the value, the URI in angle brackets.
    pub fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
    /// An owned copy.
    pub fn to_buf(self) -> NameAddrBuf {
        todo!()
    }
}

impl fmt::Display for NameAddr<'_> {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// An owned [`NameAddr`]. A clone is a pointer.
#[derive(Clone)]
pub struct NameAddrBuf(SharedBytes);

impl NameAddrBuf {
    /// Reads one value.
    ///
    /// # Errors
    /// The value is malformed.
    pub fn parse(_value: &[u8]) -> Result<Self, ParseError> {
        todo!()
    }
    /// Borrowed.
    pub fn as_name_addr(&self) -> NameAddr<'_> {
        todo!()
    }
    /// The value as written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    /// The URI.
    pub fn uri(&self) -> Uri<'_> {
        self.as_name_addr().uri
    }
    /// The `tag`.
    pub fn tag(&self) -> Option<&str> {
        self.as_name_addr().tag()
    }
    /// The same without the header's parameters.
    #[must_use]
    pub fn without_parameters(&self) -> NameAddrBuf {
        todo!()
    }
    /// The same with this `tag` in place of any other.
    #[must_use]
    pub fn with_tag(&self, _tag: &str) -> NameAddrBuf {
        todo!()
    }
}

impl AsRef<[u8]> for NameAddrBuf {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for NameAddrBuf {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for NameAddrBuf {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl fmt::Debug for NameAddrBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// From.
#[derive(Clone, Copy, Debug)]
pub struct From<'a>(pub NameAddr<'a>);

impl<'a> Deref for From<'a> {
    type Target = NameAddr<'a>;
    fn deref(&self) -> &NameAddr<'a> {
        &self.0
    }
}

impl<'a> Header<'a> for From<'a> {
    const ID: HeaderId = HeaderId::From;
    const LIST: bool = false;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// To.
#[derive(Clone, Copy, Debug)]
pub struct To<'a>(pub NameAddr<'a>);

impl<'a> Deref for To<'a> {
    type Target = NameAddr<'a>;
    fn deref(&self) -> &NameAddr<'a> {
        &self.0
    }
}

impl<'a> Header<'a> for To<'a> {
    const ID: HeaderId = HeaderId::To;
    const LIST: bool = false;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// One value of Route.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a>(pub NameAddr<'a>);

impl<'a> Deref for Route<'a> {
    type Target = NameAddr<'a>;
    fn deref(&self) -> &NameAddr<'a> {
        &self.0
    }
}

impl<'a> Header<'a> for Route<'a> {
    const ID: HeaderId = HeaderId::Route;
    const LIST: bool = true;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// One value of Record-Route.
#[derive(Clone, Copy, Debug)]
pub struct RecordRoute<'a>(pub NameAddr<'a>);

impl<'a> Deref for RecordRoute<'a> {
    type Target = NameAddr<'a>;
    fn deref(&self) -> &NameAddr<'a> {
        &self.0
    }
}

impl<'a> Header<'a> for RecordRoute<'a> {
    const ID: HeaderId = HeaderId::RecordRoute;
    const LIST: bool = true;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}
