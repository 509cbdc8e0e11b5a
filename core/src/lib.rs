//! **sansip**: SIP (RFC 3261) as pure state machines.
//!
//! No socket, no clock, no thread, no global: datagrams, answers of a resolver and points in time go in; outbound
//! messages, the next deadline and events come out.
//!
//! # Reading order
//!
//! Each layer imports only from those above it in this list.
//!
//! | module | RFC 3261 | what |
//! |---|---|---|
//! | [`time`], [`id`], [`timer`], [`random`], [`config`], [`error`] | | the ground |
//! | [`message`] | §7, §19, §20, §25 | bytes to requests, responses, headers, URIs and back |
//! | [`node`] | | the poll API that every node offers |
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::expect_used, clippy::panic, clippy::unreachable))]

extern crate alloc;

pub mod config;
pub mod error;
pub mod id;
pub mod message;
pub mod node;
pub mod random;
pub mod tag;
pub mod time;
pub mod timer;

pub use config::{Config, Limits, Timers};
pub use error::CommandError;
pub use id::{CallId, DeliveryId, ListenerId, QueryId, RegistrationId, ServerTransactionId};
pub use node::{Answer, Input, Node, Output, Question, Transmit};
pub use random::{Random, Script, Seed};
pub use tag::Tag;
pub use time::{Duration, Instant};
