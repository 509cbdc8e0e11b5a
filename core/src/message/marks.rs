//! Where what each hop asks for stands in a message in which that is written as usual, so that no hop looks for it again.

use super::method::Method;
use super::span::{narrow, part};
use super::text;
use super::usual;

/// From, To, Call-ID and CSeq of a message that has each of them once, as nearly all are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(super) to: AddressMark,
    pub(super) from: AddressMark,
    pub(super) call_id: Mark,
    /// The method of CSeq.
    pub(super) method: Mark,
    /// The number of CSeq.
    pub(super) number: u32,
}

/// A part of the message: where it begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(super) start: u16,
    pub(super) end: u16,
}

/// From or To.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AddressMark {
    pub(super) value: Mark,
    /// Where the address ends and the parameters begin.
    pub(super) parameters: u16,
    /// The tag; empty if there is none.
    pub(super) tag: Mark,
}

impl Mark {
    pub(super) fn of(self, bytes: &[u8]) -> &[u8] {
        part(bytes, self.start, self.end)
    }
}

impl Marks {
    /// The Call-ID.
    pub(super) fn call_id(self, bytes: &[u8]) -> &str {
        text::ascii(self.call_id.of(bytes))
    }

    /// The method of CSeq.
    pub(super) fn method(self, bytes: &[u8]) -> Option<Method<'_>> {
        Method::parse(self.method.of(bytes))
    }

    /// The marks of a copy; `shift` moves one part, and gives `None` if the part was touched.
    pub(super) fn shifted(self, shift: impl Fn(Mark) -> Option<u16>) -> Option<Self> {
        let mark = |mark: Mark, by: u16| Mark { start: mark.start.wrapping_add(by), end: mark.end.wrapping_add(by) };
        let address = |address: AddressMark| {
            let by = shift(address.value)?;
            Some(AddressMark {
                value: mark(address.value, by),
                parameters: address.parameters.wrapping_add(by),
                tag: mark(address.tag, by),
            })
        };
        Some(Self {
            to: address(self.to)?,
            from: address(self.from)?,
            call_id: mark(self.call_id, shift(self.call_id)?),
            method: mark(self.method, shift(self.method)?),
            number: self.number,
        })
    }
}

/// Collects the marks while a message is read.
#[derive(Default)]
pub(super) struct Marking {
    to: Option<AddressMark>,
    from: Option<AddressMark>,
    call_id: Option<Mark>,
    cseq: Option<(u32, Mark)>,
    /// Something is not as usual, or stands twice.
    is_odd: bool,
}

impl Marking {
    /// Notes a To, whose value begins there.
    #[inline(always)]
    pub(super) fn to(&mut self, start: u16, value: &[u8]) {
        self.is_odd |= self.to.is_some();
        self.to = address(start, value);
        self.is_odd |= self.to.is_none();
    }

    /// Notes a From.
    #[inline(always)]
    pub(super) fn from(&mut self, start: u16, value: &[u8]) {
        self.is_odd |= self.from.is_some();
        self.from = address(start, value);
        self.is_odd |= self.from.is_none();
    }

    /// Notes a Call-ID.
    #[inline(always)]
    pub(super) fn call_id(&mut self, start: u16, value: &[u8]) {
        self.is_odd |= self.call_id.is_some() || !usual::is_call_id(value);
        self.call_id = Some(Mark { start, end: start + narrow(value.len()) });
    }

    /// Notes a CSeq.
    #[inline(always)]
    pub(super) fn cseq(&mut self, start: u16, value: &[u8]) {
        let read = usual::cseq(value);
        self.is_odd |= self.cseq.is_some() || read.is_none();
        let end = start + narrow(value.len());
        self.cseq = read.map(|(number, method)| (number, Mark { start: start + narrow(method), end }));
    }

    /// The marks, if every one of the four stands there once and as usual.
    pub(super) fn finish(self) -> Option<Marks> {
        let (number, method) = self.cseq?;
        let marks = Marks { to: self.to?, from: self.from?, call_id: self.call_id?, method, number };
        (!self.is_odd).then_some(marks)
    }
}

#[inline(always)]
fn address(start: u16, value: &[u8]) -> Option<AddressMark> {
    let places = usual::address(value)?;
    let at = |offset: usize| start + narrow(offset);
    let (tag, tag_end) = places.tag.unwrap_or_default();
    Some(AddressMark {
        value: Mark { start, end: at(value.len()) },
        parameters: at(places.uri.end + 1),
        tag: Mark { start: at(tag), end: at(tag_end) },
    })
}
