//! Headers that list tokens.

use super::Header;
use crate::message::error::ParseError;
use crate::message::method::Method;
use crate::message::name::HeaderId;
use alloc::vec::Vec;

/// One method of Allow (RFC 3261 §20.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allow<'a>(pub Method<'a>);

impl<'a> Header<'a> for Allow<'a> {
    const ID: HeaderId = HeaderId::Allow;
    const LIST: bool = true;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// One option tag of Require (RFC 3261 §20.32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Require<'a>(pub &'a str);

impl<'a> Header<'a> for Require<'a> {
    const ID: HeaderId = HeaderId::Require;
    const LIST: bool = true;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// One option tag of Proxy-Require (RFC 3261 §20.29).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyRequire<'a>(pub &'a str);

impl<'a> Header<'a> for ProxyRequire<'a> {
    const ID: HeaderId = HeaderId::ProxyRequire;
    const LIST: bool = true;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// One option tag of Supported (RFC 3261 §20.37).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Supported<'a>(pub &'a str);

impl<'a> Header<'a> for Supported<'a> {
    const ID: HeaderId = HeaderId::Supported;
    const LIST: bool = true;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// One option tag of Unsupported (RFC 3261 §20.40).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported<'a>(pub &'a str);

impl<'a> Header<'a> for Unsupported<'a> {
    const ID: HeaderId = HeaderId::Unsupported;
    const LIST: bool = true;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}
