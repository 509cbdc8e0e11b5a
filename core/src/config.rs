//! What a node is told at its birth. Everything it does is a function of this, its inputs and its commands.

use crate::message;
use crate::random::{Script, Seed};
use crate::time::Duration;

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

/// The base values of the timers (RFC 3261 §17, table 4); the lettered timers are computed from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// T1, the round-trip estimate: 500 ms. Below 1 ms it counts as 1 ms: what is due again at once is due for ever.
    pub t1: Duration,
    /// T2, the longest interval of non-INVITE requests and INVITE responses: 4 s. Below 1 ms it counts as 1 ms.
    pub t2: Duration,
    /// T4, how long a message may stay in the network: 5 s.
    pub t4: Duration,
    /// Timer C, how long a proxy waits for a final response after a provisional one: more than 3 minutes (§16.6
    /// step 11).
    pub c: Duration,
}

impl Timers {
    /// 64·T1: timers B, F, H, L and M, and the wait after a CANCEL (§9.1).
    pub const fn sixty_four_t1(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// The same, with intervals that end.
    pub(crate) fn usable(self) -> Self {
        const LEAST: Duration = Duration::from_millis(1);
        Self { t1: self.t1.max(LEAST), t2: self.t2.max(LEAST), ..self }
    }
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
            c: Duration::from_secs(181),
        }
    }
}

/// Bounds on everything that a peer can make grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bounds on one message.
    pub message: message::Limits,
    /// Outputs queued and not yet taken by the driver; above it inputs from peers are dropped and counted. 65,536.
    pub outputs: usize,
    /// Server transactions alive at once; above it a new request gets a stateless 503. 1,000,000.
    pub server_transactions: usize,
    /// Deliveries (outgoing requests) alive at once; above it a command fails. 1,000,000.
    pub deliveries: usize,
    /// Client transactions alive at once, CANCELs and attempts that were given up for another address included; above it a
    /// command fails, and no other address is tried. 2,000,000.
    pub client_transactions: usize,
    /// Addresses tried for one request, and as backups for the responses to one (RFC 3263 §4.3, §5). 8.
    pub destinations: usize,
    /// Questions to the resolver for one request, and for the responses to one; what more there would be to ask is taken for
    /// unknown. 16.
    pub questions: usize,
    /// Records looked at in one answer of the resolver; the others are ignored. 64.
    pub records: usize,
    /// Connections alive at once; above it a new one is closed at once, and none is opened. 100,000.
    pub connections: usize,
    /// Connections from and to one address. 1,000.
    pub connections_per_address: usize,
    /// Connections that are still being opened, or that brought no whole message so far. 10,000.
    pub half_open_connections: usize,
    /// Octets held of messages that are not yet whole, over all connections; the connection that brings more is closed.
    /// 64 MiB.
    pub unfinished_octets: usize,
    /// Octets sent along a connection while the driver holds some that it could not write; then it is closed. 1 MiB.
    pub stalled_octets: usize,
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
            outputs: 65_536,
            server_transactions: 1_000_000,
            deliveries: 1_000_000,
            client_transactions: 2_000_000,
            destinations: 8,
            questions: 16,
            records: 64,
            connections: 100_000,
            connections_per_address: 1_000,
            half_open_connections: 10_000,
            unfinished_octets: 64 << 20,
            stalled_octets: 1 << 20,
            calls: 100_000,
            forks: 16,
            response_contexts: 1_000_000,
            addresses_of_record: 1_000_000,
            bindings: 16,
        }
    }
}

/// A field of [`Limits`] at which something that peers want is refused: what
/// [`Indication::Overload`](crate::Indication::Overload) names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::outputs`]: what came was dropped.
    Outputs,
    /// [`Limits::server_transactions`]: 503 with Retry-After.
    ServerTransactions,
    /// [`Limits::connections`], [`Limits::connections_per_address`] or [`Limits::half_open_connections`]: the connection was
    /// closed at once.
    Connections,
    /// [`Limits::unfinished_octets`]: the connection was closed.
    UnfinishedOctets,
    /// [`Limits::stalled_octets`]: the connection was closed.
    StalledOctets,
    /// [`Limits::calls`]: 486.
    Calls,
    /// [`Limits::forks`]: the dialog was ended at once.
    Forks,
    /// [`Limits::response_contexts`]: 503 with Retry-After.
    ResponseContexts,
    /// [`Limits::addresses_of_record`]: 503 with Retry-After.
    AddressesOfRecord,
    /// [`Limits::bindings`]: 403.
    Bindings,
}

impl Limit {
    /// How many there are.
    pub(crate) const COUNT: usize = Self::Bindings as usize + 1;
}
