//! What a node is told at its birth. Everything it does is a function of this, its inputs and its commands.

use crate::error::Limit;
use crate::random::{Script, Seed};
use crate::transaction::Timers;
use crate::{message, transaction, transport};

/// The configuration of a node: a value, never a global.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where randomness starts.
    pub seed: Seed,
    /// Values to use before random ones; empty outside scenarios.
    pub script: Script,
    /// The timer values of RFC 3261 §17, table 4.
    pub timers: Timers,
    /// Bounds on what peers can make this node hold.
    pub limits: Limits,
    /// Whether the Vias of our requests ask for `rport` (RFC 3581 §3). On by default.
    pub rport: bool,
    /// Whether responses that no transaction waits for are shown ([`Indication::Stray`](crate::Indication::Stray)): a stateless
    /// proxy passes them on, and any other element must discard them (RFC 6026 §8.9). Off by default; a
    /// [`Server`](crate::Server) turns it on for the CANCEL that it forwards statelessly.
    pub strays: bool,
}

impl Config {
    /// The defaults, with the given seed.
    pub fn new(seed: Seed) -> Self {
        Self {
            seed,
            script: Script::default(),
            timers: Timers::default(),
            limits: Limits::default(),
            rport: true,
            strays: false,
        }
    }
}

/// Bounds on everything that a peer can make grow, those of each layer in a value of that layer's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bounds on one message.
    pub message: message::Limits,
    /// Bounds on connections, outputs and the search for a next hop.
    pub transport: transport::Limits,
    /// Bounds on transactions.
    pub transaction: transaction::Limits,
    /// Deliveries (outgoing requests) alive at once; above it a command fails. 1,000,000.
    pub deliveries: usize,
    /// Calls of a user agent alive at once; above it a new INVITE gets 486. 100,000.
    pub calls: usize,
    /// Dialogs that one INVITE of ours may make by forking; the 2xx of more are acknowledged and ended. 16.
    pub forks: usize,
    /// Response contexts of a proxy alive at once; above it a new request gets a 503. 1,000,000.
    pub response_contexts: usize,
    /// Addresses-of-record that a location service holds. 1,000,000.
    pub addresses_of_record: usize,
    /// Bindings of one address-of-record. 16.
    pub bindings: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message: message::Limits::default(),
            transport: transport::Limits::default(),
            transaction: transaction::Limits::default(),
            deliveries: 1_000_000,
            calls: 100_000,
            forks: 16,
            response_contexts: 1_000_000,
            addresses_of_record: 1_000_000,
            bindings: 16,
        }
    }
}

impl Limit {
    /// [`Limits::calls`]: 486.
    pub const CALLS: Self = Self::named("calls");
    /// [`Limits::forks`]: the dialog was ended at once.
    pub const FORKS: Self = Self::named("forks");
    /// [`Limits::response_contexts`]: 503 with Retry-After.
    pub const RESPONSE_CONTEXTS: Self = Self::named("response_contexts");
    /// [`Limits::addresses_of_record`]: 503 with Retry-After.
    pub const ADDRESSES_OF_RECORD: Self = Self::named("addresses_of_record");
    /// [`Limits::bindings`]: 403.
    pub const BINDINGS: Self = Self::named("bindings");
}
