//! How a transaction is found by the address it sends to.

use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use crate::flow::Flow;
use crate::id::{Id, Kind};

/// Which transactions have sent along a flow and would want to know that nothing arrives there.
///
/// An entry is taken when it is told: whoever sends again enters again. So a dead address costs one notice for each
/// message sent, not one for each transaction and message.
///
/// The transactions of a flow are a list that is linked by their slots, the latest first; most enter once and leave from its
/// middle or its end, which costs no hash.
#[derive(Clone)]
pub(crate) struct Senders<K> {
    /// By slot.
    links: Vec<Link>,
    /// The hash of a flow, and the slot at the head of its list. Never iterated.
    heads: HashTable<(u64, u32)>,
    len: usize,
    hash_key: [u8; 16],
    kind: PhantomData<fn() -> K>,
}

#[derive(Clone, Copy)]
struct Link {
    generation: u32,
    /// Towards the head; [`OUT`] if this slot is in no list.
    previous: u32,
    next: u32,
}

/// Beyond the end of a list.
const NONE: u32 = u32::MAX;
/// In no list.
const OUT: u32 = u32::MAX - 1;

impl Link {
    const UNUSED: Self = Self { generation: 0, previous: OUT, next: NONE };
}

impl<K: Kind> Senders<K> {
    pub(crate) fn new(hash_key: [u8; 16]) -> Self {
        Self { links: Vec::new(), heads: HashTable::new(), len: 0, hash_key, kind: PhantomData }
    }

    /// Enters a transaction, unless it is there. One that is about to send along another flow leaves the first one before.
    pub(crate) fn insert(&mut self, flow: Flow, id: Id<K>) {
        let (slot, generation) = id.parts();
        if self.links.len() <= slot as usize {
            self.links.resize(slot as usize + 1, Link::UNUSED);
        }
        if self.is_in(slot) {
            return;
        }
        let hash = self.hash(flow);
        let next = match self.heads.find_mut(hash, |head| head.0 == hash) {
            Some(head) => core::mem::replace(&mut head.1, slot),
            None => {
                self.heads.insert_unique(hash, (hash, slot), |head| head.0);
                NONE
            }
        };
        self.link(next, |link| link.previous = slot);
        self.link(slot, |link| *link = Link { generation, previous: NONE, next });
        self.len += 1;
    }

    pub(crate) fn remove(&mut self, flow: Flow, id: Id<K>) {
        let slot = id.parts().0;
        let Some(&Link { previous, next, .. }) = self.links.get(slot as usize) else { return };
        if previous == OUT {
            return;
        }
        if previous == NONE {
            self.behead(flow, next);
        }
        self.link(previous, |link| link.next = next);
        self.link(next, |link| link.previous = previous);
        self.link(slot, |link| *link = Link::UNUSED);
        self.len -= 1;
    }

    /// Whether any sent along `flow`; by a rare collision of the hash along another.
    pub(crate) fn contains(&self, flow: Flow) -> bool {
        let hash = self.hash(flow);
        self.heads.find(hash, |head| head.0 == hash).is_some()
    }

    /// Takes out all that sent along `flow` in the order of their entering, and by a rare collision of the hash perhaps others.
    pub(crate) fn take(&mut self, flow: Flow) -> Vec<Id<K>> {
        let hash = self.hash(flow);
        let Ok(head) = self.heads.find_entry(hash, |head| head.0 == hash) else { return Vec::new() };
        let ((_, mut slot), _) = head.remove();
        let mut ids = Vec::new();
        while let Some(link) = self.links.get_mut(slot as usize) {
            ids.push(Id::from_parts(slot, link.generation));
            slot = core::mem::replace(link, Link::UNUSED).next;
        }
        self.len -= ids.len();
        ids.reverse();
        ids
    }

    fn is_in(&self, slot: u32) -> bool {
        self.links.get(slot as usize).is_some_and(|link| link.previous != OUT)
    }

    fn link(&mut self, slot: u32, change: impl FnOnce(&mut Link)) {
        if let Some(link) = self.links.get_mut(slot as usize) {
            change(link);
        }
    }

    /// The head of a list leaves it.
    fn behead(&mut self, flow: Flow, next: u32) {
        let hash = self.hash(flow);
        let Ok(mut head) = self.heads.find_entry(hash, |head| head.0 == hash) else { return };
        if next == NONE {
            head.remove();
        } else {
            head.get_mut().1 = next;
        }
    }

    fn hash(&self, flow: Flow) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.hash_key);
        flow.hash(&mut hasher);
        hasher.finish()
    }
}

impl<K> fmt::Debug for Senders<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Senders({} entries)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::ListenerId;
    use crate::transaction::{ClientTransactionId, ClientTransactionKind};
    use alloc::vec;

    #[test]
    fn a_sender_is_told_once_for_each_time_it_entered() {
        let mut senders: Senders<ClientTransactionKind> = Senders::new([7; 16]);
        let listener = ListenerId::from_parts(0, 1);
        let [here, there] =
            ["192.0.2.1:5060", "192.0.2.2:5060"].map(|remote| Flow::datagram(listener, remote.parse().unwrap()));
        let ids = [1, 2, 3].map(|slot| ClientTransactionId::from_parts(slot, 1));
        senders.insert(here, ids[1]);
        senders.insert(here, ids[0]);
        senders.insert(there, ids[2]);
        assert_eq!(senders.take(here), vec![ids[1], ids[0]]);
        assert_eq!(senders.take(here), vec![]);
        assert_eq!(senders.take(there), vec![ids[2]]);
    }

    /// Against the obvious model: a list of pairs.
    #[test]
    fn agrees_with_a_list_under_random_use() {
        let mut senders: Senders<ClientTransactionKind> = Senders::new([7; 16]);
        let flows: Vec<Flow> = (1..6_u8)
            .map(|last| {
                Flow::datagram(ListenerId::from_parts(0, 1), core::net::SocketAddr::from(([192, 0, 2, last], 5060)))
            })
            .collect();
        let mut model: Vec<(Flow, ClientTransactionId)> = Vec::new();
        let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
        let mut roll = |n: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % n
        };
        for _ in 0..20_000 {
            let slot = roll(40);
            // Each transaction has one flow.
            let (flow, id) = (flows[(slot % 5) as usize], ClientTransactionId::from_parts(slot as u32, 3));
            match roll(8) {
                0..4 => {
                    senders.insert(flow, id);
                    if !model.contains(&(flow, id)) {
                        model.push((flow, id));
                    }
                }
                4..7 => {
                    senders.remove(flow, id);
                    model.retain(|entry| *entry != (flow, id));
                }
                _ => {
                    assert_eq!(senders.contains(flow), model.iter().any(|entry| entry.0 == flow));
                    let taken: Vec<_> = model.iter().filter(|entry| entry.0 == flow).map(|entry| entry.1).collect();
                    assert_eq!(senders.take(flow), taken);
                    model.retain(|entry| entry.0 != flow);
                }
            }
            assert_eq!(senders.len, model.len());
        }
    }
}
