//! How a transaction is found by the address it sends to.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::net::SocketAddr;

use siphasher::sip::SipHasher13;

use crate::id::{Id, Kind, ListenerId};

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
