//! Messages on their way out: our Via, and the Content-Length that a stream needs (RFC 3261 §18.1.1, §18.3).

use alloc::format;
use alloc::string::String;
use core::net::IpAddr;

use crate::flow::{Flow, ListenerId};
use crate::message::header::Protocol;
use crate::message::{Framing, Hop, Recipe, SharedBytes};

use super::Here;
use super::wire::{TimerKey, Wire};

impl<K: TimerKey> Wire<K> {
    /// How the far end of what goes by this listener finds the end of a message.
    pub(crate) fn framing(&self, listener: ListenerId) -> Framing {
        match self.listeners.get(listener).map(|listener| listener.protocol) {
            Some(Protocol::Tcp | Protocol::Tls) => Framing::Stream,
            _ => Framing::Datagram,
        }
    }

    /// The bytes of a request with our Via on top (§18.1.1), asking for rport if so configured (RFC 3581 §3), and with a
    /// Content-Length where a stream needs one (§18.3). `here` is said of the listener `reached_at`. `None` if that cannot be written,
    /// or the listener is not known.
    pub(crate) fn written(
        &self,
        recipe: &dyn Recipe,
        (here, reached_at): (&Here, ListenerId),
        flow: Flow,
        branch: &str,
        ttl: Option<u8>,
    ) -> Option<SharedBytes> {
        let rport = if self.rport && flow.connection.is_none() { ";rport" } else { "" };
        let group = group_parameters(flow.remote.ip(), ttl);
        let via = [self.listeners.via_up_to_branch(flow.listener)?, branch, rport, &group];
        let said = here.field(&self.listeners, reached_at, flow.remote.ip());
        let below = said.as_ref().and_then(|said| said.below.as_deref());
        let here = said.as_ref().map(|said| (said.header, said.value.as_str()));
        let written = recipe.octets_for(Hop { via: &via, here, below, framing: self.framing(flow.listener) });
        // Whoever delivers the request tells that it could not be sent.
        let Ok(bytes) = written else { return None };
        Some(bytes)
    }
}

/// The `maddr` and `ttl` that our Via has if `remote` is a group (§18.1.1).
fn group_parameters(remote: IpAddr, ttl: Option<u8>) -> String {
    match remote {
        IpAddr::V4(group) if group.is_multicast() => format!(";maddr={group};ttl={}", ttl.unwrap_or(1)),
        IpAddr::V6(group) if group.is_multicast() => format!(";maddr=[{group}]"),
        IpAddr::V4(_) | IpAddr::V6(_) => String::new(),
    }
}
