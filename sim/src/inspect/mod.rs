//! `inspect`: what a message is, what is wrong with it, and what an element owes its sender.
//!
//! Three verdicts: whether it can be read, whether it is well-formed, and what an element of a certain role makes of it
//! (RFC 4475 §3.3). The first two are the message layer's. The third is asked of a real node: the message is handed to it as
//! a datagram, and its first final response is the answer.
//!
//! Reading order: [`judge`], [`Role`], [`Options`], [`run`].

mod excerpt;
mod files;
mod judge;
mod options;
mod report;
mod role;
mod stream;

pub use files::{run, with_line_ends};
pub use judge::{Finding, Kind, judge};
pub use options::{HELP, Options};
pub use role::{Answer, Role};
