//! **sansip-driver**: sansip nodes on real sockets.
//!
//! A node of `sansip` is a state machine without a socket or a clock. A driver here gives it both: it binds what the node listens
//! at, carries the octets, opens and closes connections, asks the resolver, keeps the time, and comes back with what the
//! application has to decide.
//!
//! | module | what |
//! |---|---|
//! | [`blocking`] | UDP and TCP in one thread |
//! | `tokio` | UDP, TCP, TLS and WebSocket in a tokio runtime (features `tokio`, `tls`, `ws`) |
//!
//! `docs/embedding.md` tells how to build a phone or a server on it, and when what may be said to a node.

#![forbid(unsafe_code)]

pub mod blocking;
mod clock;
mod limits;
mod resolver;
mod seen;
mod socket;
mod stun;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tokio")]
pub mod tokio;
mod trouble;
mod turn;

pub use clock::{Clock, seed};
#[cfg(feature = "dns")]
pub use resolver::Dns;
pub use resolver::Resolver;
pub use seen::{Direction, Seen};
pub use socket::fit_descriptors;
#[cfg(feature = "tls")]
pub use tls::Tls;
pub use trouble::{Attempt, Trouble};
pub use turn::Turn;
