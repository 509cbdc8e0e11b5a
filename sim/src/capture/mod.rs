//! Captures of Wireshark and tcpdump, in and out.
//!
//! A [`Reader`] turns the packets of pcap and pcapng files, and the events of a trace, into SIP [`Message`]s. [`Calls`] groups them by Call-ID, and
//! [`trace`] makes of a group the same [`Trace`](crate::trace::Trace) that a simulated run writes, so that one printer shows both. [`Capture`] writes
//! pcapng.
//!
//! Reading order, from the file up: `file` (blocks and packets), `packet` (link and IP), `fragments`, `tcp`, `content` (the messages on a stream),
//! `websocket`, `reader` (all of these as one), `events` (traces), `calls`, `nodes`, `assemble`, `findings` (what the checks say of a call). Whatever a file makes this module remember is bounded by
//! [`Limits`].

mod anonymous;
mod assemble;
mod calls;
mod content;
mod events;
mod file;
mod findings;
mod fragments;
mod limits;
mod nodes;
mod packet;
mod reader;
mod remark;
mod tcp;
#[cfg(test)]
mod tests;
mod unseen;
mod websocket;
mod write;

pub use anonymous::Anonymous;
pub use assemble::trace;
pub use calls::{Call, Calls};
pub use file::Trouble;
pub use findings::{Decided, Finding, TABLE, judge, unreadable};
pub use limits::Limits;
pub use nodes::Names;
pub use reader::{Counts, Message, Place, Reader};
pub use remark::{Remark, Said};
pub use unseen::Unseen;
pub use write::{Capture, Carrier, capture};
