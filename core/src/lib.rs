//! **sansip**: SIP (RFC 3261) as pure state machines.
//!
//! No socket, no clock, no thread, no global: datagrams, answers of a resolver and points in time go in; outbound
//! messages, the next deadline and events come out.
//!
//! Alice calls Bob and hangs up. The network is two loops: what one phone sends the other is given.
//!
//! ```
//! use core::net::SocketAddr;
//! use sansip::user_agent::{Event, Profile, UserAgent};
//! use sansip::{Config, Input, Instant, Listener, Node, Output, Seed};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (a, b): (SocketAddr, SocketAddr) = ("192.0.2.1:5060".parse()?, "192.0.2.4:5060".parse()?);
//! let mut alice = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@192.0.2.1>".parse()?));
//! let mut bob = UserAgent::user_agent(Config::new(Seed::from_u64(2)), Profile::new("<sip:bob@192.0.2.4>".parse()?));
//! let (at_alice, at_bob) = (alice.listen(Listener::udp(a)), bob.listen(Listener::udp(b)));
//!
//! let now = Instant::ZERO;
//! let call = alice.call(now, &"Bob <sip:bob@192.0.2.4>".parse()?)?;
//! for _turn in 0..10 {
//!     while let Some(output) = alice.poll() {
//!         match output {
//!             Output::Send(sent) => bob.handle(now, Input::Datagram { listener: at_bob, remote: a, bytes: &sent.bytes }),
//!             Output::Event(Event::Answered { .. }) => alice.hang_up(now, call)?,
//!             Output::Event(Event::Ended { .. }) => return Ok(()),
//!             _ => {}
//!         }
//!     }
//!     while let Some(output) = bob.poll() {
//!         match output {
//!             Output::Send(sent) => alice.handle(now, Input::Datagram { listener: at_alice, remote: b, bytes: &sent.bytes }),
//!             Output::Event(Event::Incoming { call, .. }) => bob.answer(now, call, None)?,
//!             _ => {}
//!         }
//!     }
//! }
//! # Err("the call has not ended".into())
//! # }
//! ```
//!
//! # Where to begin
//!
//! * A phone, an IVR, a trunk, a load generator: [`UserAgent`], its commands and its [`Event`](user_agent::Event)s.
//! * A domain's proxy and registrar: [`Server`] and its [`Settings`](server::Settings).
//! * A B2BUA, a presence server, any element of your own: a [`TransactionUser`] in a [`Stack`].
//! * A proxy whose decisions are all your own: such a transaction user around a [`proxy::Core`], or around a [`proxy::stateless::Core`], which
//!   keeps no state.
//! * Messages alone: [`Message`](message::Message).
//!
//! [`UserAgent`], [`Server`] and every [`Stack`] are a [`Node`]: a driver treats all of them alike. The package `sansip-driver` has
//! drivers for real sockets, and `sansip-sim` a network in virtual time.
//!
//! # Reading order
//!
//! Each layer imports only from those above it in this list, and in the ground each module from those before it.
//! The cores `user_agent`, `proxy` and `registrar` never import one another. A test holds this (`tests/house`).
//!
//! | module | RFC 3261 | what |
//! |---|---|---|
//! | [`time`], `clock`, `plain`, [`id`], [`timer`], [`error`], [`owner_tag`], [`random`], [`shard`], `keyed_index`, [`tag`] | | the ground |
//! | [`message`] | §7, §19, §20, §25 | bytes to requests, responses, headers, URIs and back |
//! | [`extension`] | §19.2 | option tags |
//! | [`flow`] | §18, RFC 5626 | where bytes go to and come from |
//! | `trace` | | what the feature `tracing` tells |
//! | [`node`] | | the poll API that every node offers |
//! | [`transport`] | §18, RFC 3581, 3263 | listeners, next hops, the way back of responses |
//! | [`transaction`] | §17, RFC 6026, 4320 | the four machines and how messages find them |
//! | [`endpoint`] | | transport and transactions as one |
//! | [`stack`] | | an endpoint and a transaction user as one node |
//! | [`auth`] | §22, RFC 7616, 8760 | Digest: the keyring of a client, the gate of a server |
//! | [`dialog`] | §12, RFC 3262, 3264, 4028, 5057 | identity, route set and sequence numbers of a dialog; offer/answer and timers of its session |
//! | [`targets`] | §8.1.3.4, §16.5 | where a request can go, by preference |
//! | [`user_agent`] | §8 to §15 | UAC and UAS core: calls, registrations, subscriptions |
//! | [`proxy`] | §16, RFC 5393, 6026, 4320 | the proxy cores, stateful and stateless |
//! | [`registrar`] | §10.3 | the registrar core and the location service |
//! | [`server`] | | a domain's server: both over one endpoint |
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::expect_used, clippy::panic, clippy::unreachable))]

extern crate alloc;

pub mod auth;
#[cfg(feature = "std")]
mod clock;
pub mod dialog;
pub mod endpoint;
pub mod error;
pub mod extension;
pub mod flow;
pub mod id;
mod keyed_index;
pub mod message;
pub mod node;
pub mod owner_tag;
#[cfg(feature = "serde")]
pub mod plain;
pub mod proxy;
pub mod random;
pub mod registrar;
pub mod server;
pub mod shard;
pub mod stack;
pub mod tag;
pub mod targets;
pub mod time;
pub mod timer;
mod trace;
pub mod transaction;
pub mod transport;
pub mod user_agent;

#[cfg(feature = "std")]
pub use clock::Clock;
pub use endpoint::{Arrival, Config, DeliveryId, DropCause, Endpoint, Failure, Held, Indication, Limits};
pub use error::{CommandError, Limit};
pub use flow::{ConnectionId, Flow, ListenerId};
pub use node::{Answer, Asker, Change, Input, Node, Output, QueryId, Question, Transmit};
pub use owner_tag::OwnerTag;
pub use random::{Key, Random, Script, Seed};
pub use server::Server;
pub use stack::{Context, Stack, TransactionUser};
pub use tag::Tag;
pub use time::{Duration, Instant};
pub use transaction::ServerTransactionId;
pub use transaction::Timers;
pub use transport::{Listener, NextHop};
pub use user_agent::{CallId, ReferralId, RegistrationId, SubscriptionId, UserAgent};
