//! Bytes that are written once and shared after.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::ops::Deref;

/// A message's octets: encoded once, then shared. A clone is the same octets behind the same pointer.
///
/// Behind the octets, in the same allocation, stands what a reader found in them, if anything; and last of all how many octets there
/// are, so that this is one pointer.
#[derive(Clone)]
pub struct SharedBytes(Arc<[u8]>);

/// How many octets say how many octets there are.
const COUNT: usize = size_of::<u64>();

impl SharedBytes {
    /// Copies these parts one behind the other.
    pub(super) fn of_parts(parts: &[&[u8]]) -> Self {
        let length = parts.iter().map(|part| part.len()).sum();
        Self::written(length, |out| parts.iter().for_each(|part| out.put(part)))
    }

    /// Makes room for so many octets, which `write` puts in: one allocation, where a vector that is shared when it is full takes two.
    pub(super) fn written(length: usize, write: impl FnOnce(&mut Blank<'_>)) -> Self {
        Self::with_tail(length, 0, |octets, _| {
            let mut blank = Blank { rest: octets };
            write(&mut blank);
            debug_assert!(blank.rest.is_empty(), "all octets were put in");
        })
    }

    /// Makes room for so many octets and so large a tail, which `write` puts in.
    pub(super) fn with_tail(length: usize, tail: usize, write: impl FnOnce(&mut [u8], &mut [u8])) -> Self {
        let mut block: Arc<[u8]> = core::iter::repeat_n(0, length + tail + COUNT).collect();
        if let Some((rest, count)) = Arc::get_mut(&mut block).and_then(|block| block.split_last_chunk_mut())
            && let Some((octets, tail)) = rest.split_at_mut_checked(length)
        {
            *count = (length as u64).to_le_bytes();
            write(octets, tail);
        }
        Self(block)
    }

    /// The octets, and what stands behind them.
    fn split(&self) -> (&[u8], &[u8]) {
        // A block is made only with its count; the other arms are never taken.
        let (rest, count) = self.0.split_last_chunk().unwrap_or((&[], &[0; COUNT]));
        rest.split_at_checked(u64::from_le_bytes(*count) as usize).unwrap_or_default()
    }

    /// The octets with nothing behind them: what is kept for long need not keep where things stand in it.
    pub(crate) fn without_tail(&self) -> Self {
        match self.split() {
            (_, []) => self.clone(),
            (octets, _) => octets.into(),
        }
    }

    /// Gives the octets that stand behind the message.
    pub(super) fn tail(&self) -> &[u8] {
        self.split().1
    }
}

/// Octets that are to be put in, from left to right.
pub(super) struct Blank<'a> {
    rest: &'a mut [u8],
}

impl<'a> Blank<'a> {
    /// Begins at the first of these.
    pub(super) fn new(octets: &'a mut [u8]) -> Self {
        Self { rest: octets }
    }
}

impl Blank<'_> {
    /// Leaves so many as they are.
    pub(super) fn skip(&mut self, octets: usize) {
        self.rest = core::mem::take(&mut self.rest).get_mut(octets..).unwrap_or_default();
    }

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
        self.split().0
    }
}

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for SharedBytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SharedBytes {}

impl Hash for SharedBytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl From<&[u8]> for SharedBytes {
    fn from(bytes: &[u8]) -> Self {
        Self::of_parts(&[bytes])
    }
}

impl From<Vec<u8>> for SharedBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::of_parts(&[&bytes])
    }
}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}
