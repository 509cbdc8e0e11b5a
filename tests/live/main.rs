//! The examples among others, on loopback: real sockets, real time.
//!
//! A peer that is not here is said, and its tests pass; with `SANSIP_LIVE=require` they fail then.

#![expect(clippy::disallowed_methods, reason = "real sockets run in real time")]

mod baresip;
mod crowds;
mod examples;
mod kamailio;
mod linphone;
mod phones;
mod processes;
mod recorded;
mod scenario;
mod scenarios;
mod sipp;
mod sngrep;
mod soak;
mod softphone;
mod streams;
mod wireshark;
