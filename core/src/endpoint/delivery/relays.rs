//! The requests of a stateless proxy that wait for their way: few, each once (RFC 3261 §16.11).

use alloc::string::String;

use crate::message::Method;
use crate::transaction::DeliveryId;

use super::{Below, Deliveries};

impl Deliveries {
    /// Whether a request of a stateless proxy waits for its way.
    pub(in crate::endpoint) fn has_relay(&self, branch: &str, method: Method<'_>) -> bool {
        !self.relays.is_empty() && self.relays.contains(&relay_name(branch, method))
    }

    /// How many of these there are.
    pub(in crate::endpoint) fn relays(&self) -> usize {
        self.relays.len()
    }

    /// Remembers a request of a stateless proxy if it waits for its way. One that must not is taken back: false.
    pub(in crate::endpoint) fn keep_relay(
        &mut self,
        below: &mut Below<'_>,
        id: DeliveryId,
        (branch, method): (&str, Method<'_>),
        may_wait: bool,
    ) -> bool {
        if self.table.get(id).is_none() {
            return true;
        }
        if may_wait {
            self.relays.insert(relay_name(branch, method));
        } else {
            self.end(below, id);
        }
        may_wait
    }
}

/// What tells a request of a stateless proxy from others: its CANCEL and its ACK have the same branch.
pub(super) fn relay_name(branch: &str, method: Method<'_>) -> String {
    [branch, " ", method.as_str()].concat()
}
