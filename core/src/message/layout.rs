//! Where things stand in a message.

use super::headers::Headers;
use smallvec::SmallVec;

#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldSpan {
    pub(crate) line: u16,
    pub(crate) start: u16,
    pub(crate) end: u16,
    pub(crate) id: u8,
    pub(crate) flags: u8,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(crate) fields: SmallVec<[FieldSpan; 32]>,
}

impl Layout {
    pub(crate) fn headers<'a>(&'a self, bytes: &'a [u8]) -> Headers<'a> {
        Headers::new(bytes, &self.fields)
    }
}
