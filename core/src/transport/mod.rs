//! Where messages come from and go to (RFC 3261 §18, RFC 3581), without a socket.

mod destination;
mod limits;
mod listener;
mod locate;
mod received;

pub use destination::NextHop;
pub use limits::Limits;
pub use listener::Listener;
pub(crate) use listener::Listeners;
pub(crate) use locate::{Asked, Located, Locator, Place, locate};
pub(crate) use received::{forwarded_destination, response_destination, stamp, stamped};
