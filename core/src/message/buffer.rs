//! Octets that are appended one part after the other, the usual number of them without an allocation.

use alloc::vec::Vec;
use arrayvec::ArrayVec;

/// Up to `N` octets stand in place; when more come, all of them move to the heap.
pub(crate) struct Buffer<const N: usize> {
    inline: ArrayVec<u8, N>,
    /// All octets, once they are too many; empty until then.
    heap: Vec<u8>,
}

impl<const N: usize> Clone for Buffer<N> {
    /// A derived one copies the octets one by one.
    fn clone(&self) -> Self {
        let mut copy = Self::new();
        copy.put(self.as_bytes());
        copy
    }
}

impl<const N: usize> core::ops::Deref for Buffer<N> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl<const N: usize> Buffer<N> {
    pub(crate) const fn new() -> Self {
        Self { inline: ArrayVec::new_const(), heap: Vec::new() }
    }

    /// Appends a part.
    #[inline]
    pub(crate) fn put(&mut self, part: &[u8]) {
        if self.heap.is_empty() {
            if self.inline.try_extend_from_slice(part).is_ok() {
                return;
            }
            self.heap.reserve(2 * N + part.len());
            self.heap.extend_from_slice(&self.inline);
        }
        self.heap.extend_from_slice(part);
    }

    pub(super) fn len(&self) -> usize {
        self.as_bytes().len()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        if self.heap.is_empty() { &self.inline } else { &self.heap }
    }

    /// Takes octets off the end until so many are left, of which there must be one at least.
    pub(super) fn truncate(&mut self, length: usize) {
        if self.heap.is_empty() { self.inline.truncate(length) } else { self.heap.truncate(length) }
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn octets_are_the_same_in_place_and_on_the_heap() {
        for length in 0..12 {
            let mut buffer = Buffer::<6>::new();
            let text = "abcdefghijkl";
            for at in 0..length {
                buffer.put(&text.as_bytes()[at..=at]);
            }
            assert_eq!((buffer.len(), buffer.as_bytes()), (length, &text.as_bytes()[..length]));
            assert_eq!(buffer.heap.is_empty(), length <= 6);
            buffer.put(b"");
            buffer.put(b"xyz");
            buffer.truncate(length + 1);
            assert_eq!(buffer.as_bytes(), [&text.as_bytes()[..length], b"x"].concat());
            assert_eq!(buffer.clone().as_bytes(), buffer.as_bytes());
        }
    }
}
