//! Where messages come from and go to (RFC 3261 §18, RFC 3581, 5626, 5923, 3263), without a socket.
//!
//! All of it works on one value, the `Wire` (`wire.rs`), which knows nothing of transactions: `listener.rs` is the local
//! addresses; `connections/` is streams from opening to end, with their framing and keep-alives; `destination.rs`, `locate/` and
//! `search.rs` find where a request goes, and `requester.rs` whether it may; `same_hop.rs` says whether a CANCEL may be its sender's; `outgoing.rs` puts our Via on top, and `here.rs` says where we are reached; `received.rs`
//! notes where a request came from and says where its responses go.
//!
//! ```
//! use sansip::Listener;
//!
//! // The address that a driver has bound, and the name that peers reach it by.
//! let listener = Listener::udp("192.0.2.4:5060".parse()?).with_sent_by("phone.biloxi.com:5060".parse()?);
//! assert_eq!(listener.uri(Some("bob"), false, ""), "sip:bob@phone.biloxi.com:5060");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alarm;
mod connections;
mod destination;
mod here;
mod limits;
mod listener;
mod locate;
mod network;
mod outgoing;
mod received;
mod requester;
mod reread;
mod same_hop;
mod search;
mod silent;
mod special;
mod stats;
mod wire;

pub(crate) use alarm::Alarm;
pub(crate) use connections::{Lost, PING, PONG, PONG_WITHIN, Way, source_of};
pub use destination::NextHop;
pub(crate) use here::{Dialog, Here, RecordRoute};
pub use limits::Limits;
pub use listener::Listener;
pub(crate) use listener::Listeners;
pub(crate) use locate::{Asked, Located, Locator, Place, locate};
pub use network::Network;
pub(crate) use received::{stamp, stamped};
pub(crate) use requester::{DialogKey, PEERS, Peers, Requester};
pub(crate) use reread::{reread, reread_response};
pub(crate) use search::Places;
pub(crate) use special::{is_special, meant};
pub use stats::Stats;
pub(crate) use wire::Wire;
