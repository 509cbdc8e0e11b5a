//! From where to where.

use core::net::SocketAddr;

use crate::id::{ConnectionId, ListenerId};

/// An association between two ends over which messages go both ways (RFC 5626 §2): a pair of addresses of a datagram
/// protocol, or a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The local end.
    pub listener: ListenerId,
    /// The far end.
    pub remote: SocketAddr,
    /// The connection, of a protocol that has any.
    pub connection: Option<ConnectionId>,
}

impl Flow {
    /// Datagrams between a listener and an address.
    pub const fn datagram(listener: ListenerId, remote: SocketAddr) -> Self {
        Self { listener, remote, connection: None }
    }
}
