//! The header fields of one message, typed on demand.

use super::error::ParseError;
use super::header::{CSeq, Header, NameAddr, Via};
use super::layout::FieldSpan;
use super::name::{HeaderId, HeaderName};
use core::fmt;

/// The header fields of one message. `Copy`; typed on demand: absent, malformed and present are three answers.
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    fields: &'a [FieldSpan],
}

/// One header field.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// The name.
    pub name: HeaderName<'a>,
    /// The value without white space around it; folding inside is kept.
    pub value: &'a [u8],
    /// The whole field as it stands, line end included.
    pub line: &'a [u8],
}

impl<'a> Headers<'a> {
    pub(super) fn new(bytes: &'a [u8], fields: &'a [FieldSpan]) -> Self {
        Self { bytes, fields }
    }
    /// The first value of this header: `None` if absent.
    pub fn get<H: Header<'a>>(self) -> Option<Result<H, ParseError>> {
        todo!()
    }
    /// Every value of this header, over fields and commas, in order. A field without any value gives none.
    pub fn all<H: Header<'a>>(self) -> impl Iterator<Item = Result<H, ParseError>> + Clone {
        core::iter::empty()
    }
    /// Whether there is a field of this name.
    pub fn contains<'n>(self, _name: impl Into<HeaderName<'n>>) -> bool {
        todo!()
    }
    /// How many fields of this name there are; not values.
    pub fn count(self, _id: HeaderId) -> usize {
        todo!()
    }
    /// The value of the first field of this name, without white space around it; folding inside is kept.
    pub fn raw<'n>(self, _name: impl Into<HeaderName<'n>>) -> Option<&'a [u8]> {
        todo!()
    }
    /// Every field in order.
    pub fn iter(self) -> impl Iterator<Item = Field<'a>> + Clone {
        core::iter::empty()
    }
    /// The topmost Via; `None` if absent or malformed.
    pub fn top_via(self) -> Option<Via<'a>> {
        todo!()
    }
    /// From; `None` if absent or malformed.
    pub fn from(self) -> Option<NameAddr<'a>> {
        todo!()
    }
    /// To; `None` if absent or malformed.
    pub fn to(self) -> Option<NameAddr<'a>> {
        todo!()
    }
    /// Call-ID; `None` if absent or malformed.
    pub fn call_id(self) -> Option<&'a str> {
        todo!()
    }
    /// CSeq; `None` if absent or malformed.
    pub fn cseq(self) -> Option<CSeq<'a>> {
        todo!()
    }
    /// The first Contact; `None` if absent, malformed or `*`.
    pub fn contact(self) -> Option<NameAddr<'a>> {
        todo!()
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
