//! The transaction layer (RFC 3261 §17 with RFC 6026 and RFC 4320).
//!
//! Four machines, each readable beside its figure: `invite_client.rs` (figure 5), `client.rs` (figure 6),
//! `invite_server.rs` (figure 7), `server.rs` (figure 8). They are pure: an input goes in, the state and the two timers
//! change, and the actions that the figure shows come out. `client_transactions.rs` and `server_transactions.rs` are the tables
//! of all transactions, which carry the actions out over the transport layer; `backup.rs` is where a response goes that
//! could not be sent. `key.rs` is how messages find their transaction, `senders.rs` how bad news does; `derived.rs` makes the
//! ACK and the CANCEL of an INVITE. The tables return what is to be told: the endpoint is what one talks to.
//!
//! A program has to do with its timers and limits alone:
//!
//! ```
//! use sansip::transaction::{Limits, Timers};
//! use sansip::{Config, Duration, Seed};
//!
//! // A satellite link, whose round trips are slow (RFC 3261 §17.1.1.1).
//! let mut config = Config::new(Seed::from_u64(1));
//! config.timers = Timers { t1: Duration::from_secs(2), ..Timers::default() };
//! assert_eq!(config.timers.sixty_four_t1(), Duration::from_secs(128));
//! config.limits.transaction = Limits { server_transactions: 1_000, ..Limits::default() };
//! ```

mod backup;
mod client;
mod client_transactions;
mod config;
mod derived;
mod identity;
mod info;
mod invite_client;
mod invite_server;
pub(crate) mod key;
mod machine;
mod owner;
mod schedule;
mod senders;
mod server;
mod server_transactions;
#[cfg(test)]
mod table_test;

pub(crate) use client::Client;
pub(crate) use client_transactions::{ClientTransactions, Heard};
pub use config::{Limits, Timers};
pub use info::{Timer, TransactionId, TransactionInfo, TransactionState};
pub(crate) use invite_client::InviteClient;
pub(crate) use invite_server::InviteServer;
pub(crate) use machine::{ClientMachine, ServerMachine};
pub(crate) use owner::{Owner, Wire};
pub(crate) use schedule::{Clock, Schedule};
pub(crate) use server::Server;
pub(crate) use server_transactions::{ServerTransactions, Told};

use crate::id::handles;

handles! {
    /// An outgoing request on its way, over all its attempts, each of which is a client transaction.
    DeliveryId = Id<DeliveryKind>, "delivery";
    /// A client transaction (RFC 3261 §17.1): one attempt of a delivery.
    ClientTransactionId = Id<ClientTransactionKind>, "client";
    /// A server transaction (RFC 3261 §17.2).
    ServerTransactionId = Id<ServerTransactionKind>, "server";
}

/// The actions of a client transaction in a transition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ClientActions {
    pub(crate) send: Option<ClientSend>,
    pub(crate) tell: Option<ClientTell>,
}

/// A message that a client transaction sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientSend {
    /// The request, again.
    Request,
    /// The ACK for a non-2xx final response, new or again.
    Ack,
}

/// News of a client transaction for the transaction user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientTell {
    /// The response that came in.
    Response,
    /// Nobody answered in time.
    Timeout,
    /// The network cannot deliver.
    TransportError,
}

impl ClientActions {
    const NONE: Self = Self { send: None, tell: None };

    const fn send(send: ClientSend) -> Self {
        Self { send: Some(send), tell: None }
    }

    const fn tell(tell: ClientTell) -> Self {
        Self { send: None, tell: Some(tell) }
    }
}

/// The actions of a server transaction in a transition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerActions {
    pub(crate) send: Option<ServerSend>,
    pub(crate) tell: Option<ServerTell>,
}

/// A message that a server transaction sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerSend {
    /// The response that the transaction user gives.
    Given,
    /// The last response, again; nothing if there was none.
    Last,
    /// A 100 (Trying) of the transaction's own.
    Trying,
}

/// News of a server transaction for the transaction user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerTell {
    /// The ACK that came in.
    Ack,
    /// The network cannot deliver the response.
    TransportError,
    /// No ACK came for the final response.
    Unacknowledged,
}

impl ServerActions {
    const NONE: Self = Self { send: None, tell: None };

    const fn send(send: ServerSend) -> Self {
        Self { send: Some(send), tell: None }
    }

    const fn tell(tell: ServerTell) -> Self {
        Self { send: None, tell: Some(tell) }
    }
}
