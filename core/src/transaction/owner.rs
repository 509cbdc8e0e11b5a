//! The owner of a timer, or of a question to the resolver.

use crate::flow::ConnectionId;
use crate::tag::Tag;
use crate::transport;

use super::{ClientTransactionId, DeliveryId, ServerTransactionId};

/// The owner of a timer, or of a question to the resolver.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner {
    Connection(ConnectionId),
    Client(ClientTransactionId),
    Server(ServerTransactionId),
    /// The search for other places where the sender of a request may be.
    Backup(ServerTransactionId),
    /// The search for the next hop of a request.
    Delivery(DeliveryId),
    User(Tag),
}

impl From<ConnectionId> for Owner {
    fn from(connection: ConnectionId) -> Self {
        Self::Connection(connection)
    }
}

/// The transport layer as transactions use it.
pub(crate) type Wire = transport::Wire<Owner>;
