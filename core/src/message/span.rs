//! Where a field stands in its message.

use super::name::HeaderId;

/// The most octets of start line and headers: offsets into them are 16 bits wide.
pub(crate) const LONGEST_SECTION: usize = 65_535;

/// One field: offsets into the message. It ends where the next field or the empty line begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FieldSpan {
    /// Where the line begins.
    pub(crate) line: u16,
    /// Where the value begins and ends, without white space around it.
    pub(crate) start: u16,
    pub(crate) end: u16,
    /// The header, if it is a known one.
    pub(crate) id: Option<HeaderId>,
}

/// A [`FieldSpan`] as it is kept: two octets an offset, and one for the header, which is 0 if it is not a known one.
pub(crate) type PackedSpan = [u8; 8];

impl FieldSpan {
    pub(crate) const fn pack(self) -> PackedSpan {
        let ([a, b], [c, d], [e, f]) = (self.line.to_le_bytes(), self.start.to_le_bytes(), self.end.to_le_bytes());
        let id = if let Some(id) = self.id { code(id) } else { 0 };
        [a, b, c, d, e, f, id, 0]
    }

    #[inline(always)]
    pub(crate) fn unpack(packed: PackedSpan) -> Self {
        let [a, b, c, d, e, f, id, _] = packed;
        let [line, start, end] = [[a, b], [c, d], [e, f]].map(u16::from_le_bytes);
        Self { line, start, end, id: HeaderId::ALL.get(usize::from(id).wrapping_sub(1)).copied() }
    }

    /// Where the value of a packed span ends.
    #[inline(always)]
    pub(crate) const fn end_of(packed: &PackedSpan) -> u16 {
        let [_, _, _, _, a, b, _, _] = *packed;
        u16::from_le_bytes([a, b])
    }

    /// A packed span by so many octets, modulo 2^64, further on; where it comes to stand is within the section.
    #[inline(always)]
    pub(crate) const fn moved(packed: PackedSpan, by: usize) -> PackedSpan {
        // Each of the three offsets fits where it is, so that nothing is carried from one to the next.
        const EACH: u64 = 0x1_0001_0001;
        u64::from_le_bytes(packed).wrapping_add((by as i64 as u64).wrapping_mul(EACH)).to_le_bytes()
    }

    /// Whether a packed span is that of a field of this name.
    #[inline(always)]
    pub(crate) const fn is(packed: &PackedSpan, id: HeaderId) -> bool {
        let [.., found, _] = packed;
        *found == code(id)
    }
}

const fn code(id: HeaderId) -> u8 {
    id as u8 + 1
}

/// The octets between two offsets.
pub(crate) fn part(bytes: &[u8], start: u16, end: u16) -> &[u8] {
    bytes.get(usize::from(start)..usize::from(end)).unwrap_or_default()
}

/// Offsets into the header section; the reader holds them within [`LONGEST_SECTION`], so that nothing is cut off.
pub(crate) const fn narrow(offset: usize) -> u16 {
    offset as u16
}

#[cfg(test)]
mod tests {
    use super::{FieldSpan, HeaderId};

    #[test]
    fn a_span_is_moved_forth_and_back() {
        for (id, line, by) in [
            (Some(HeaderId::Via), 0_u16, 65_000_usize),
            (None, 65_000, 65_000_usize.wrapping_neg()),
            (Some(HeaderId::To), 300, 45),
            (Some(HeaderId::To), 300, 0),
        ] {
            let span = FieldSpan { line, start: line + 5, end: line + 500, id };
            let packed = FieldSpan::moved(span.pack(), by);
            let moved = FieldSpan::unpack(packed);
            let at = |offset: u16| usize::from(offset).wrapping_add(by) as u16;
            assert_eq!((moved.line, moved.start, moved.end, moved.id), (at(line), at(line + 5), at(line + 500), id));
            assert_eq!(FieldSpan::end_of(&packed), moved.end);
        }
    }
}
