//! How a transaction is found by the address it sends to.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

use siphasher::sip::SipHasher13;

use crate::id::{Id, Kind};
use crate::transport::Flow;

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

    pub(crate) fn insert(&mut self, flow: Flow, id: Id<K>) {
        self.entries.insert((self.hash(flow), id));
    }

    pub(crate) fn remove(&mut self, flow: Flow, id: Id<K>) {
        self.entries.remove(&(self.hash(flow), id));
    }

    /// Takes out all that sent along `flow`, and by a rare collision of the hash perhaps others.
    pub(crate) fn take(&mut self, flow: Flow) -> Vec<Id<K>> {
        let hash = self.hash(flow);
        let (first, last) = (Id::from_parts(0, 0), Id::from_parts(u32::MAX, u32::MAX));
        let ids: Vec<Id<K>> = self.entries.range((hash, first)..=(hash, last)).map(|(_, id)| *id).collect();
        for id in &ids {
            self.entries.remove(&(hash, *id));
        }
        ids
    }

    fn hash(&self, flow: Flow) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.hash_key);
        flow.hash(&mut hasher);
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
    use crate::id::{ClientTransactionId, ListenerId, kind};
    use alloc::vec;

    #[test]
    fn a_sender_is_told_once_for_each_time_it_entered() {
        let mut senders: Senders<kind::ClientTransaction> = Senders::new([7; 16]);
        let listener = ListenerId::from_parts(0, 1);
        let [here, there] =
            ["192.0.2.1:5060", "192.0.2.2:5060"].map(|remote| Flow::datagram(listener, remote.parse().unwrap()));
        let ids = [1, 2, 3].map(|slot| ClientTransactionId::from_parts(slot, 1));
        senders.insert(here, ids[1]);
        senders.insert(here, ids[0]);
        senders.insert(there, ids[2]);
        assert_eq!(senders.take(here), vec![ids[0], ids[1]]);
        assert_eq!(senders.take(here), vec![]);
        assert_eq!(senders.take(there), vec![ids[2]]);
    }
}
