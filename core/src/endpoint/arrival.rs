//! Requests on their way in.

use core::net::SocketAddr;

use crate::id::{ListenerId, ServerTransactionId};
use crate::message::Request;
use crate::tag::Tag;

/// A valid request that matches no transaction, waiting for the core's choice.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The request; its topmost Via says where it came from (RFC 3261 §18.2.1, RFC 3581 §4).
    pub request: Request,
    /// Where it came in.
    pub listener: ListenerId,
    /// Where it came from.
    pub remote: SocketAddr,
    /// Of a CANCEL: the transaction that it cancels, if there is one (RFC 3261 §9.2).
    pub cancels: Option<(ServerTransactionId, Tag)>,
}
