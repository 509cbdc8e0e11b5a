//! Counters: what went by, what was dropped and why.

/// Counts what has happened since the start, in messages unless said otherwise. Drops are counted here by reason; a
/// [`DropCause`](crate::DropCause) tells them one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Datagrams that arrived, and whole messages on connections.
    pub received: u64,
    /// Messages queued for sending, retransmissions included.
    pub sent: u64,
    /// Messages that we sent again, by timer or because the peer did.
    pub retransmitted: u64,
    /// Requests and ACKs that arrived again and were absorbed by their transaction.
    pub absorbed: u64,
    /// Dropped: no SIP message, or one that is malformed or above a limit of [`message::Limits`](crate::message::Limits) and is
    /// no request that could be answered.
    pub malformed: u64,
    /// Dropped: a response or ACK that lacks what is needed, or a request without a usable Via.
    pub unusable: u64,
    /// Dropped: a response whose topmost Via is not ours (RFC 3261 §18.1.2).
    pub foreign: u64,
    /// Dropped: a response that nobody waits for (RFC 6026 §8.9), unless the [`TransactionUser`](crate::TransactionUser) takes them.
    pub stray: u64,
    /// Dropped: it arrived while [`Limits::outputs`](crate::transport::Limits::outputs) were queued.
    pub overrun: u64,
    /// Dropped: it arrived at a listener that is not known.
    pub unlistened: u64,
    /// Answered statelessly: invalid requests (400, 505 ...), and those above a limit (413, 414, 513).
    pub rejected: u64,
    /// Refused: requests and dialogs above a limit other than that of outputs ([`Limit`](crate::error::Limit) says how).
    pub refused: u64,
    /// Answered statelessly: 503 while the endpoint drains.
    pub drained: u64,
    /// Times the network said that something could not be delivered.
    pub unreachable: u64,
    /// Requests that went to another address of their next hop after the first failed.
    pub failovers: u64,
    /// Dropped: it was to be sent along a connection that is gone or takes no more.
    pub disconnected: u64,
    /// Connections refused or closed at a limit: [`Limits::connections`](crate::transport::Limits::connections) and those beside it.
    pub refused_connections: u64,
    /// Connections closed because their stream could be read no further (RFC 3261 §18.3).
    pub broken_streams: u64,
    /// Connections closed because a message, or the first one, did not come whole within 64·T1.
    pub slow_connections: u64,
    /// Connections closed at [`Limits::stalled_octets`](crate::transport::Limits::stalled_octets).
    pub stalled_connections: u64,
}
