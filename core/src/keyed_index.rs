//! Finding things by names that peers choose.

use alloc::vec::Vec;
use core::fmt;
use core::hash::Hasher;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;
use siphasher::sip128::{Hasher128, SipHasher13 as SipHasher13Of128};

/// Small handles by the keyed hash of names that peers choose: without the key nobody can make names collide.
///
/// The names themselves stay where the handle points; the finder compares them. Never iterated.
#[derive(Clone)]
pub(crate) struct KeyedIndex<T> {
    key: [u8; 16],
    /// One table, and above [`FEW`] values [`TABLES`] of them: a table that grows moves all that it has, so that one of a million
    /// would make everybody wait.
    tables: Vec<HashTable<(u64, T)>>,
    len: usize,
}

const FEW: usize = 4_096;
const TABLES: usize = 64;

/// 128 bits of the keyed hash of a name: they stand for it. Without the key nobody can look for two names that share them, and
/// by accident a million names do so with a probability of 10^-27.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u64; 2]);

impl Fingerprint {
    /// The hash that it is filed under.
    pub(crate) const fn hash(self) -> u64 {
        self.0[0]
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.0[0], self.0[1])
    }
}

impl<T: Copy + PartialEq> KeyedIndex<T> {
    /// An empty index; allocates nothing.
    pub(crate) const fn new(key: [u8; 16]) -> Self {
        Self { key, tables: Vec::new(), len: 0 }
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

    /// The hash of one and the same name in each index: it shows whether two of them have the same key.
    #[cfg(test)]
    pub(crate) fn key_probe(&self) -> u64 {
        self.hash(&[b"probe"])
    }

    /// The value that stands for a name.
    pub(crate) fn fingerprint(&self, name: &[u8]) -> Fingerprint {
        let mut hasher = SipHasher13Of128::new_with_key(&self.key);
        hasher.write(name);
        let hash = hasher.finish128();
        Fingerprint([hash.h1, hash.h2])
    }

    /// Adds `value` under `hash`.
    pub(crate) fn insert(&mut self, hash: u64, value: T) {
        if self.tables.is_empty() {
            self.tables.push(HashTable::new());
        } else if self.tables.len() == 1 && self.len == FEW {
            let few = core::mem::take(&mut self.tables);
            self.tables.resize_with(TABLES, || HashTable::with_capacity(2 * FEW / TABLES));
            few.into_iter().flatten().for_each(|(hash, value)| self.file(hash, value));
        }
        self.file(hash, value);
        self.len += 1;
    }

    /// The value under `hash` that `is_it` accepts.
    pub(crate) fn find(&self, hash: u64, mut is_it: impl FnMut(T) -> bool) -> Option<T> {
        let table = self.tables.get(self.table(hash))?;
        table.find(hash, |entry| entry.0 == hash && is_it(entry.1)).map(|entry| entry.1)
    }

    /// Takes one `value` out from under `hash`, if it is there.
    pub(crate) fn remove(&mut self, hash: u64, value: T) {
        let place = self.table(hash);
        if let Some(table) = self.tables.get_mut(place)
            && let Ok(entry) = table.find_entry(hash, |entry| *entry == (hash, value))
        {
            entry.remove();
            self.len -= 1;
        }
    }

    /// Number of values.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    fn file(&mut self, hash: u64, value: T) {
        let place = self.table(hash);
        if let Some(table) = self.tables.get_mut(place) {
            table.insert_unique(hash, (hash, value), |entry| entry.0);
        }
    }

    /// Which table: by bits that the table itself does not look at first.
    fn table(&self, hash: u64) -> usize {
        if self.tables.len() < TABLES { 0 } else { (hash >> 40) as usize % TABLES }
    }

    /// Values that there is room for without another allocation.
    pub(crate) fn capacity(&self) -> usize {
        self.tables.iter().map(HashTable::capacity).sum()
    }
}

impl<T> fmt::Debug for KeyedIndex<T> {
    /// The key is a secret and the tables have no order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyedIndex({} entries)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_until_it_is_removed_however_many_there_are() {
        let mut index: KeyedIndex<u32> = KeyedIndex::new([3; 16]);
        let hash = |index: &KeyedIndex<u32>, value: u32| index.fingerprint(&value.to_le_bytes()).hash();
        let many = 3 * FEW as u32;
        for value in 0..many {
            index.insert(hash(&index, value), value);
            // Half of them twice under one hash.
            if value % 2 == 0 {
                index.insert(hash(&index, value), value + many);
            }
        }
        assert_eq!((index.len(), index.tables.len()), (3 * FEW * 3 / 2, TABLES));
        for value in 0..many {
            let hash = hash(&index, value);
            assert_eq!(index.find(hash, |found| found == value), Some(value));
            index.remove(hash, value);
            assert_eq!(index.find(hash, |_| true), (value % 2 == 0).then_some(value + many));
            index.remove(hash, value + many);
            assert_eq!(index.find(hash, |_| true), None);
        }
        assert_eq!(index.len(), 0);
    }

    #[test]
    fn names_and_keys_make_fingerprints_that_differ() {
        let [one, other]: [KeyedIndex<u32>; 2] = [KeyedIndex::new([1; 16]), KeyedIndex::new([2; 16])];
        assert_eq!(one.fingerprint(b"a"), one.fingerprint(b"a"));
        assert_ne!(one.fingerprint(b"a"), one.fingerprint(b"b"));
        assert_ne!(one.fingerprint(b"a"), other.fingerprint(b"a"));
    }
}
