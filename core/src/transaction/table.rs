//! How a transaction is found: by its key, and by the address it sends to.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::net::SocketAddr;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use crate::id::{Id, Kind, ListenerId};

/// An index from keys to handles. The keys stay with what they name: only a hash of them is kept here. Peers choose
/// branches and Call-IDs, so the hash is keyed.
#[derive(Clone)]
pub(crate) struct Index<K> {
    slots: HashTable<(u64, Id<K>)>,
    hash_key: [u8; 16],
}

impl<K: 'static> Index<K> {
    pub(crate) fn new(hash_key: [u8; 16]) -> Self {
        Self { slots: HashTable::new(), hash_key }
    }

    /// The handle of the thing whose key is `key`; `is_key_of` compares with the key that the thing has kept.
    pub(crate) fn find(&self, key: &[u8], mut is_key_of: impl FnMut(Id<K>) -> bool) -> Option<Id<K>> {
        let hash = self.hash(key);
        self.slots.find(hash, |(other, id)| *other == hash && is_key_of(*id)).map(|(_, id)| *id)
    }

    pub(crate) fn insert(&mut self, key: &[u8], id: Id<K>) {
        let hash = self.hash(key);
        self.slots.insert_unique(hash, (hash, id), |(hash, _)| *hash);
    }

    pub(crate) fn remove(&mut self, key: &[u8], id: Id<K>) {
        let hash = self.hash(key);
        if let Ok(entry) = self.slots.find_entry(hash, |(_, other)| *other == id) {
            entry.remove();
        }
    }

    fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.hash_key);
        hasher.write(key);
        hasher.finish()
    }
}

impl<K> fmt::Debug for Index<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index({} keys)", self.slots.len())
    }
}

/// Which transactions have sent to an address and would want to know that nothing arrives there.
///
/// An entry is taken when it is told: whoever sends again enters again. So a dead address costs one notice for each
/// message sent, not one for each transaction and message.
#[derive(Clone)]
pub(crate) struct Senders<K> {
    entries: BTreeSet<(u64, Id<K>)>,
    hash_key: [u8; 16],
}

impl<K: Kind> Senders<K> {
    pub(crate) fn new(hash_key: [u8; 16]) -> Self {
        Self { entries: BTreeSet::new(), hash_key }
    }

    pub(crate) fn insert(&mut self, listener: ListenerId, destination: SocketAddr, id: Id<K>) {
        self.entries.insert((self.hash(listener, destination), id));
    }

    pub(crate) fn remove(&mut self, listener: ListenerId, destination: SocketAddr, id: Id<K>) {
        self.entries.remove(&(self.hash(listener, destination), id));
    }

    /// Takes out all that sent from `listener` to `destination`, and by a rare collision of the hash perhaps others.
    pub(crate) fn take(&mut self, listener: ListenerId, destination: SocketAddr) -> Vec<Id<K>> {
        let hash = self.hash(listener, destination);
        let (first, last) = (Id::from_parts(0, 0), Id::from_parts(u32::MAX, u32::MAX));
        let ids: Vec<Id<K>> = self.entries.range((hash, first)..=(hash, last)).map(|(_, id)| *id).collect();
        for id in &ids {
            self.entries.remove(&(hash, *id));
        }
        ids
    }

    fn hash(&self, listener: ListenerId, destination: SocketAddr) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.hash_key);
        listener.hash(&mut hasher);
        destination.hash(&mut hasher);
        hasher.finish()
    }
}

impl<K> fmt::Debug for Senders<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Senders({} entries)", self.entries.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ClientTransactionId, kind};
    use alloc::vec;

    #[test]
    fn a_key_is_found_until_it_is_removed() {
        let mut index: Index<kind::ClientTransaction> = Index::new([7; 16]);
        let (one, two) = (ClientTransactionId::from_parts(0, 1), ClientTransactionId::from_parts(1, 2));
        index.insert(b"one", one);
        index.insert(b"two", two);
        assert_eq!(index.find(b"one", |id| id == one), Some(one));
        index.remove(b"one", one);
        assert_eq!(index.find(b"one", |id| id == one), None);
        assert_eq!(index.find(b"two", |id| id == two), Some(two));
    }

    #[test]
    fn a_sender_is_told_once_for_each_time_it_entered() {
        let mut senders: Senders<kind::ClientTransaction> = Senders::new([7; 16]);
        let listener = ListenerId::from_parts(0, 1);
        let (here, there) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
        let ids = [1, 2, 3].map(|slot| ClientTransactionId::from_parts(slot, 1));
        senders.insert(listener, here, ids[1]);
        senders.insert(listener, here, ids[0]);
        senders.insert(listener, there, ids[2]);
        assert_eq!(senders.take(listener, here), vec![ids[0], ids[1]]);
        assert_eq!(senders.take(listener, here), vec![]);
        assert_eq!(senders.take(listener, there), vec![ids[2]]);
    }
}
