//! Where what each hop asks for stands in a message in which that is written as usual, so that no hop looks for it again.

use super::method::Method;
use super::name::HeaderId;
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

/// [`Marks`] as they are kept: two octets an offset, four the number.
pub(crate) type PackedMarks = [u8; 32];

impl Marks {
    pub(super) fn pack(self) -> PackedMarks {
        let Self { to, from, call_id, method, number } = self;
        let offsets = [
            to.value.start,
            to.value.end,
            to.parameters,
            to.tag.start,
            to.tag.end,
            from.value.start,
            from.value.end,
            from.parameters,
            from.tag.start,
            from.tag.end,
            call_id.start,
            call_id.end,
            method.start,
            method.end,
            number as u16,
            (number >> 16) as u16,
        ];
        let mut packed: PackedMarks = [0; 32];
        for (to, from) in packed.as_chunks_mut().0.iter_mut().zip(offsets) {
            *to = from.to_le_bytes();
        }
        packed
    }

    #[inline(always)]
    pub(super) const fn unpack(packed: &PackedMarks) -> Self {
        let [
            a0,
            a1,
            a2,
            a3,
            a4,
            a5,
            a6,
            a7,
            a8,
            a9,
            b0,
            b1,
            b2,
            b3,
            b4,
            b5,
            b6,
            b7,
            b8,
            b9,
            c0,
            c1,
            c2,
            c3,
            d0,
            d1,
            d2,
            d3,
            number @ ..,
        ] = *packed;
        const fn mark(start: [u8; 2], end: [u8; 2]) -> Mark {
            Mark { start: u16::from_le_bytes(start), end: u16::from_le_bytes(end) }
        }
        let (to, from) = (mark([a6, a7], [a8, a9]), mark([b6, b7], [b8, b9]));
        Self {
            to: AddressMark { value: mark([a0, a1], [a2, a3]), parameters: u16::from_le_bytes([a4, a5]), tag: to },
            from: AddressMark { value: mark([b0, b1], [b2, b3]), parameters: u16::from_le_bytes([b4, b5]), tag: from },
            call_id: mark([c0, c1], [c2, c3]),
            method: mark([d0, d1], [d2, d3]),
            number: u32::from_le_bytes(number),
        }
    }
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
    /// Notes the value of a field, which begins there, if it is one of the four.
    #[inline(always)]
    pub(super) fn note(&mut self, id: HeaderId, start: u16, value: &[u8]) {
        match id {
            HeaderId::To => self.to(start, value),
            HeaderId::From => self.from(start, value),
            HeaderId::CallId => self.call_id(start, value),
            HeaderId::CSeq => self.cseq(start, value),
            _ => {}
        }
    }

    /// Notes a line of Via: whether it has a value.
    #[inline(always)]
    pub(super) const fn via(&mut self, value: &[u8]) {
        self.is_odd |= value.is_empty();
    }

    /// Notes a To, whose value begins there.
    #[inline(always)]
    fn to(&mut self, start: u16, value: &[u8]) {
        self.is_odd |= self.to.is_some();
        self.to = address(start, value);
        self.is_odd |= self.to.is_none();
    }

    /// Notes a From.
    #[inline(always)]
    fn from(&mut self, start: u16, value: &[u8]) {
        self.is_odd |= self.from.is_some();
        self.from = address(start, value);
        self.is_odd |= self.from.is_none();
    }

    /// Notes a Call-ID.
    #[inline(always)]
    fn call_id(&mut self, start: u16, value: &[u8]) {
        self.is_odd |= self.call_id.is_some() || !usual::is_call_id(value);
        self.call_id = Some(Mark { start, end: start + narrow(value.len()) });
    }

    /// Notes a CSeq.
    #[inline(always)]
    fn cseq(&mut self, start: u16, value: &[u8]) {
        let read = usual::cseq(value);
        self.is_odd |= self.cseq.is_some() || read.is_none();
        let end = start + narrow(value.len());
        self.cseq = read.map(|(number, method)| (number, Mark { start: start + narrow(method), end }));
    }

    /// The marks, if every one of the four stands there once and as usual.
    pub(super) fn finish(self) -> Option<PackedMarks> {
        let (number, method) = self.cseq?;
        let marks = Marks { to: self.to?, from: self.from?, call_id: self.call_id?, method, number };
        (!self.is_odd).then(|| marks.pack())
    }
}

#[inline(always)]
fn address(start: u16, value: &[u8]) -> Option<AddressMark> {
    let places = usual::tagged(value)?;
    let at = |offset: usize| start + narrow(offset);
    let (tag, tag_end) = places.tag.unwrap_or_default();
    Some(AddressMark {
        value: Mark { start, end: at(value.len()) },
        parameters: at(places.parameters),
        tag: Mark { start: at(tag), end: at(tag_end) },
    })
}

#[cfg(test)]
mod tests {
    use super::{AddressMark, Mark, Marks};

    #[test]
    fn what_is_packed_is_unpacked() {
        let mark = |start| Mark { start, end: start + 257 };
        let address = |at| AddressMark { value: mark(at), parameters: at + 3, tag: mark(at + 4) };
        let marks =
            Marks { to: address(1), from: address(1_000), call_id: mark(65_000), method: mark(7), number: 1 << 31 };
        assert_eq!(Marks::unpack(&marks.pack()), marks);
    }
}
