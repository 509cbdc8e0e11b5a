//! The limits that both drivers keep.

use sansip::Duration;

/// Octets held for a connection before the node is told that it takes no more. What the node sends even so is bounded by
/// `Limits::stalled_octets`.
pub(crate) const HELD: usize = 64 * 1_024;

/// How long a connection that the node has closed may take to bring what is left to the far end, and to hear that it has closed too.
pub(crate) const LINGER: Duration = Duration::from_secs(10);

/// Connections that may do so at once; above it the one that does so longest is cut.
pub(crate) const LINGERING: usize = 256;

/// How long no connection is accepted after the system has refused one: a descriptor has to become free.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// Messages of a connection that are written at once.
pub(crate) const TOGETHER: usize = 16;

/// Datagrams that are read or written at once.
pub(crate) const BATCH: usize = 32;
