//! **sansip-sim**: a deterministic simulator of SIP networks.
//!
//! The nodes are sansip's own state machines behind the same poll API as on real sockets; the network, the clock and the
//! resolver are simulated. Everything that happens is a function of the nodes, their scripts, and a plan of faults that can be
//! written in one line, so a run can be repeated, looked at, cut down and kept.
//!
//! # Reading order
//!
//! | module | what |
//! |---|---|
//! | [`world`] | the discrete-event network: nodes, links, names, one clock |
//! | [`link`], [`zone`] | the wires between nodes; host names |
//! | [`fault`] | faults as data: plans, and the weather that draws them |
//! | [`actor`] | nodes with their users: phones with a script, servers, your own |
//! | [`topology`] | networks by name, and the call of RFC 3261 §24 |
//! | [`trace`], [`packet`] | what happened, and a second reading of the messages |
//! | [`check`] | what must be true of every run |
//! | [`run`] | a call as a value, run to its end and judged |
//! | [`sweep`], [`shrink`], [`explore`] | many calls; the few faults that matter; every placement of a few faults |
//! | [`stage`] | a network of your own under all of these |
//! | [`crew`] | how these use several threads |
//! | [`planted`] | mistakes that the checks must find |
//! | [`render`] | ladders, messages, events and figures |
//! | [`capture`] | captures of Wireshark and tcpdump, in and out |
//! | [`inspect`] | messages, judged: what is wrong with them, and what an element owes the sender |

#![forbid(unsafe_code)]

pub mod actor;
pub mod capture;
pub mod check;
pub mod cli;
pub mod crew;
pub mod explore;
pub mod fault;
pub mod inspect;
pub mod link;
pub mod packet;
pub mod planted;
pub mod render;
pub mod run;
pub mod shrink;
pub mod stage;
pub mod sweep;
pub mod topology;
pub mod trace;
pub mod world;
pub mod zone;

pub use world::{Nat, Setting, World};

/// The examples of docs/simulation.md are run.
#[cfg(doctest)]
#[doc = include_str!("../../docs/simulation.md")]
mod simulation {}
