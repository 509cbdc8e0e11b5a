//! The parts of a message that is being written, before it is known how much room they need.

use smallvec::SmallVec;

/// Parts that are copied one behind the other. A usual message has no more of them than have room in place.
#[derive(Default)]
pub(super) struct Parts<'a> {
    list: SmallVec<[&'a [u8]; 32]>,
    octets: usize,
}

impl<'a> Parts<'a> {
    /// Adds these that are not empty.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, parts: [&'a [u8]; N]) {
        for part in parts {
            if !part.is_empty() {
                self.octets += part.len();
                self.list.push(part);
            }
        }
    }

    /// How many octets all of them have.
    pub(super) const fn len(&self) -> usize {
        self.octets
    }

    /// All parts.
    pub(super) fn as_slice(&self) -> &[&'a [u8]] {
        &self.list
    }
}
