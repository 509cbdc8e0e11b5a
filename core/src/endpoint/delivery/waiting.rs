//! The requests that wait for a connection to open.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::flow::ConnectionId;
use crate::transaction::DeliveryId;

use super::Deliveries;

impl Deliveries {
    /// How many requests wait for a connection to open.
    pub(in crate::endpoint) fn waiting(&self) -> usize {
        self.waiting.requests.len()
    }
}

/// The requests that wait for connections to open, those of each connection in the order of their coming.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    requests: BTreeMap<(ConnectionId, u64), DeliveryId>,
    next_place: u64,
}

impl Waiting {
    pub(super) const fn new() -> Self {
        Self { requests: BTreeMap::new(), next_place: 0 }
    }

    /// A request waits for `connection` from now on. Its place, by which it is taken out.
    pub(super) fn enter(&mut self, connection: ConnectionId, id: DeliveryId) -> u64 {
        self.next_place += 1;
        self.requests.insert((connection, self.next_place), id);
        self.next_place
    }

    /// The request at this place waits no more.
    pub(super) fn leave(&mut self, connection: ConnectionId, place: u64) {
        self.requests.remove(&(connection, place));
    }

    /// Takes out all that wait for `connection`.
    pub(super) fn end(&mut self, connection: ConnectionId) -> Vec<DeliveryId> {
        let mut waited = Vec::new();
        while let Some((place, id)) = self.requests.range((connection, 0)..=(connection, u64::MAX)).next() {
            let (place, id) = (*place, *id);
            self.requests.remove(&place);
            waited.push(id);
        }
        waited
    }
}
