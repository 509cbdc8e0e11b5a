//! Content-Length, read in one way for datagrams, streams and salvage (RFC 3261 §18.3, §20.14).

use super::lines::Lines;
use crate::message::layout::Defect;
use crate::message::name::HeaderId;
use crate::message::text;

/// The length that the Content-Length fields say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// There is none.
    Absent,
    /// One number, however often.
    Octets(u32),
    /// One is no number, or two differ.
    Unusable,
}

impl Length {
    /// Adds one field, given its value without white space around it.
    pub(super) fn with(self, value: &[u8]) -> Self {
        match (self, text::number(value)) {
            (Self::Absent, Some(octets)) => Self::Octets(octets),
            (Self::Octets(before), Some(octets)) if before == octets => self,
            _ => Self::Unusable,
        }
    }

    /// Reads the length out of a whole header section. Lines that are no fields are passed over: they are for the parser to judge.
    pub(super) fn of_section(section: &[u8]) -> Self {
        let fields = Lines::behind_start_line(section).filter_map(|line| line.known());
        fields
            .filter(|(id, _)| *id == HeaderId::ContentLength)
            .fold(Self::Absent, |length, (_, value)| length.with(text::trim(value)))
    }

    /// Says where the body ends that begins at `body` in so many octets, and what is wrong with that.
    pub(super) fn end_of_body(self, body: usize, available: usize) -> (usize, Option<Defect>) {
        match self {
            Self::Absent => (available, None),
            Self::Unusable => (available, Some(Defect::ContentLength)),
            Self::Octets(octets) => match body.checked_add(octets as usize) {
                Some(end) if end <= available => (end, None),
                _ => (available, Some(Defect::ShortBody)),
            },
        }
    }
}
