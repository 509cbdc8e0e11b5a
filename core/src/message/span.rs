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

/// The octets between two offsets.
pub(crate) fn part(bytes: &[u8], start: u16, end: u16) -> &[u8] {
    bytes.get(usize::from(start)..usize::from(end)).unwrap_or_default()
}

/// Offsets into the header section; the reader holds them within [`LONGEST_SECTION`], so that nothing is cut off.
pub(crate) const fn narrow(offset: usize) -> u16 {
    offset as u16
}
