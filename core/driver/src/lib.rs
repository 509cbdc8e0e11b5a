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
//! ```no_run
//! use sansip::user_agent::{Body, Event, Profile, UserAgent};
//! use sansip::{Config, Listener};
//! use sansip_driver::Turn;
//! use sansip_driver::blocking::Driver;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut driver = Driver::new()?;
//! let mut phone = UserAgent::user_agent(
//!     Config::new(sansip_driver::seed()?),
//!     Profile::new("Bob <sip:bob@127.0.0.1>".parse()?),
//! );
//! driver.listen(&mut phone, Listener::udp("127.0.0.1:5060".parse()?))?;
//! loop {
//!     match driver.next(&mut phone, None)? {
//!         // With the offer as the answer: whoever calls hears itself.
//!         Turn::Event(Event::Incoming { call, request, .. }) => {
//!             phone.answer(driver.now(), call, Body::of_request(&request))?;
//!         }
//!         other => println!("{other:?}"),
//!     }
//! }
//! # }
//! ```
//!
//! # The order of things
//!
//! * `Output::Send` for a connection may come before `Output::Open` is done. The octets are kept, and written first when the connection is
//!   open; if it cannot be opened they are dropped, and the node is told `Failed`.
//! * `Stalled` is told when more than 64 KiB wait to be written along one connection, `Writable` when nothing waits any more.
//! * `Output::Open` may be called off at any time by `Output::Close`, which ends an attempt that is not done at once. `Output::Close` itself
//!   cannot be called off: what is left is written, within 10 s.
//! * `Output::Send` cannot be called off once it is taken. `Output::Resolve` is called off at any time by `Node::asker`, which gives `None`
//!   when nobody waits for the answer any more.
//! * The future of `tokio::Driver::next` may be dropped at any time, and `next` called again: nothing is lost, nor told twice.
//!   `stop` cannot be called off; given again it sets the time anew.
//!
//! `docs/embedding.md` tells how to build a phone or a server on it, and when what may be said to a node.

#![forbid(unsafe_code)]

mod backlog;
pub mod blocking;
mod common;
mod datagrams;
mod later;
mod limits;
mod resolver;
mod seed;
mod seen;
mod socket;
mod stun;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "tokio")]
pub mod tokio;
mod trouble;
mod turn;
mod waker;

#[cfg(feature = "dns")]
pub use resolver::Dns;
pub use resolver::Resolver;
pub use sansip::Clock;
pub use seed::seed;
pub use seen::{Direction, Seen};
pub use socket::fit_descriptors;
#[cfg(feature = "tls")]
pub use tls::Tls;
pub use trouble::{Attempt, Trouble};
pub use turn::Turn;
pub use waker::Waker;
