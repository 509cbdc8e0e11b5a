//! Bounds on what peers can make the transport layer hold.

use crate::error::Limit;
use crate::time::Duration;

/// Bounds on connections, on what is queued for the driver, and on the search for a next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Limits {
    /// Outputs queued and not yet taken by the driver; above it inputs from peers are dropped and counted. 65,536.
    pub outputs: usize,
    /// Addresses tried for one request, and as backups for the responses to one (RFC 3263 §4.3, §5). 8.
    pub destinations: usize,
    /// Addresses tried for one request after the first that was silent, which has cost it 64·T1 (RFC 4321 §1.3). 2.
    pub destinations_after_silence: usize,
    /// Addresses remembered for having been silent; above it the one that was silent first is forgotten. 1,000.
    pub silent_places: usize,
    /// How long an address that was silent is tried last, unless it answers. 5 minutes.
    pub silent_for: Duration,
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
    /// Bytes held of messages that are not yet whole, over all connections; the connection that brings more is closed. 64 MiB.
    pub unfinished_octets: usize,
    /// Bytes sent along a connection while the driver holds some that it could not write; then it is closed. 1 MiB.
    pub stalled_octets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            outputs: 65_536,
            destinations: 8,
            destinations_after_silence: 2,
            silent_places: 1_000,
            silent_for: Duration::from_secs(300),
            questions: 16,
            records: 64,
            connections: 100_000,
            connections_per_address: 1_000,
            half_open_connections: 10_000,
            unfinished_octets: 64 << 20,
            stalled_octets: 1 << 20,
        }
    }
}

impl Limit {
    /// [`Limits::outputs`]: what came was dropped.
    pub const OUTPUTS: Self = Self::named("outputs");
    /// [`Limits::connections`], [`Limits::connections_per_address`] or [`Limits::half_open_connections`]: the connection was
    /// closed at once.
    pub const CONNECTIONS: Self = Self::named("connections");
    /// [`Limits::unfinished_octets`]: the connection was closed.
    pub const UNFINISHED_OCTETS: Self = Self::named("unfinished_octets");
    /// [`Limits::stalled_octets`]: the connection was closed.
    pub const STALLED_OCTETS: Self = Self::named("stalled_octets");
}
