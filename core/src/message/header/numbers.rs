//! Headers that are one number.

use super::Header;
use crate::message::error::ParseError;
use crate::message::name::HeaderId;
use alloc::vec::Vec;

/// Max-Forwards: hops left (RFC 3261 §20.22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxForwards(pub u8);

impl<'a> Header<'a> for MaxForwards {
    const ID: HeaderId = HeaderId::MaxForwards;
    const LIST: bool = false;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// Max-Breadth: parallel branches left (RFC 5393 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxBreadth(pub u32);

impl<'a> Header<'a> for MaxBreadth {
    const ID: HeaderId = HeaderId::MaxBreadth;
    const LIST: bool = false;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// Content-Length in octets (RFC 3261 §20.14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentLength(pub u32);

impl<'a> Header<'a> for ContentLength {
    const ID: HeaderId = HeaderId::ContentLength;
    const LIST: bool = false;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// Expires in seconds (RFC 3261 §20.19).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expires(pub u32);

impl<'a> Header<'a> for Expires {
    const ID: HeaderId = HeaderId::Expires;
    const LIST: bool = false;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// Min-Expires in seconds (RFC 3261 §20.23).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinExpires(pub u32);

impl<'a> Header<'a> for MinExpires {
    const ID: HeaderId = HeaderId::MinExpires;
    const LIST: bool = false;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}

/// Retry-After in seconds; comment and parameters are left out (RFC 3261 §20.33).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub u32);

impl<'a> Header<'a> for RetryAfter {
    const ID: HeaderId = HeaderId::RetryAfter;
    const LIST: bool = false;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}
