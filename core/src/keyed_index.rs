//! Finding things by names that peers choose.

use core::fmt;
use core::hash::Hasher;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

/// Small handles by the keyed hash of names that peers choose: without the key nobody can make names collide.
///
/// The names themselves stay where the handle points; the finder compares them. Never iterated.
#[derive(Clone)]
pub(crate) struct KeyedIndex<T> {
    key: [u8; 16],
    table: HashTable<(u64, T)>,
}

impl<T: Copy + PartialEq> KeyedIndex<T> {
    /// An empty index; allocates nothing.
    pub(crate) fn new(key: [u8; 16]) -> Self {
        Self { key, table: HashTable::new() }
    }

    /// The hash of a name of several parts.
    pub(crate) fn hash(&self, parts: &[&[u8]]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        for part in parts {
            hasher.write(part);
            // Ends the part: ("ab", "c") is not ("a", "bc").
            hasher.write_usize(part.len());
        }
        hasher.finish()
    }

    /// Adds `value` under `hash`.
    pub(crate) fn insert(&mut self, hash: u64, value: T) {
        self.table.insert_unique(hash, (hash, value), |entry| entry.0);
    }

    /// The value under `hash` that `is_it` accepts.
    pub(crate) fn find(&self, hash: u64, mut is_it: impl FnMut(T) -> bool) -> Option<T> {
        self.table.find(hash, |entry| entry.0 == hash && is_it(entry.1)).map(|entry| entry.1)
    }

    /// Takes one `value` out from under `hash`, if it is there.
    pub(crate) fn remove(&mut self, hash: u64, value: T) {
        if let Ok(entry) = self.table.find_entry(hash, |entry| *entry == (hash, value)) {
            entry.remove();
        }
    }

    /// Number of values.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Values that there is room for without another allocation.
    pub(crate) fn capacity(&self) -> usize {
        self.table.capacity()
    }
}

impl<T> fmt::Debug for KeyedIndex<T> {
    /// The key is a secret and the table has no order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyedIndex({} entries)", self.table.len())
    }
}
