//! Whether two messages came from one hop, as far as a source can say that.

use core::net::IpAddr;

use crate::flow::Flow;

use super::special::meant;
use super::wire::{TimerKey, Wire};

impl<K: TimerKey> Wire<K> {
    /// Whether a CANCEL that came along a flow may be from whoever has sent the request whose responses go along `path`. The request came from there, unless
    /// its listener follows a `maddr`.
    pub(crate) fn may_cancel(&self, path: Flow, cancel: Flow) -> bool {
        let Some(listener) = self.listeners.get(path.listener) else { return false };
        if !listener.cancel_from_source || !listener.maddr.is_empty() || path.remote.ip().is_multicast() {
            return true;
        }
        let addresses = [path.remote, cancel.remote].map(|remote| meant(remote.ip()));
        let [one, other] = addresses;
        let is_one_hop = || {
            let mut hops = listener.hops.iter().chain(&self.hops);
            hops.any(|hop| addresses.iter().all(|address: &IpAddr| hop.contains(*address)))
        };
        one == other || is_one_hop() || self.have_one_identity(path, cancel)
    }

    /// Whether the far ends of two connections have proved to have one name.
    fn have_one_identity(&self, one: Flow, other: Flow) -> bool {
        let of = |flow: Flow| flow.connection.and_then(|id| self.connections.get(id));
        let (Some(one), Some(other)) = (of(one), of(other)) else { return false };
        one.identities.iter().any(|name| other.identities.contains(name))
    }
}
