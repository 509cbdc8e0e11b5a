//! Where messages come from and go to (RFC 3261 §18, RFC 3581), without a socket.

mod destination;
mod listener;
mod received;

pub use destination::NextHop;
pub use listener::Listener;
pub(crate) use listener::Listeners;
pub(crate) use received::{ReturnPath, response_destination, stamp};
