//! Bytes that are written once and shared after.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

/// A message's octets: encoded once, then shared. A clone is the same octets behind the same pointer.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SharedBytes(Arc<[u8]>);

impl SharedBytes {
    /// These parts one behind the other.
    pub(super) fn of_parts(parts: &[&[u8]]) -> Self {
        let length = parts.iter().map(|part| part.len()).sum();
        Self::written(length, |out| parts.iter().for_each(|part| out.put(part)))
    }

    /// So many octets, which `write` puts in: one allocation, where a vector that is shared when it is full takes two.
    pub(super) fn written(length: usize, write: impl FnOnce(&mut Blank<'_>)) -> Self {
        let mut shared: Arc<[u8]> = core::iter::repeat_n(0, length).collect();
        let mut blank = Blank { rest: Arc::get_mut(&mut shared).unwrap_or_default() };
        write(&mut blank);
        debug_assert!(blank.rest.is_empty(), "all octets were put in");
        Self(shared)
    }
}

/// Octets that are to be put in, from left to right.
pub(super) struct Blank<'a> {
    rest: &'a mut [u8],
}

impl Blank<'_> {
    /// Puts these next.
    pub(super) fn put(&mut self, octets: &[u8]) {
        if let Some((place, rest)) = core::mem::take(&mut self.rest).split_at_mut_checked(octets.len()) {
            place.copy_from_slice(octets);
            self.rest = rest;
        }
    }
}

impl Deref for SharedBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for SharedBytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<Vec<u8>> for SharedBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}
