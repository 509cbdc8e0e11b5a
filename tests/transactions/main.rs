//! One endpoint against hand-written datagrams, in virtual time: RFC 3261 §17 and §18, RFC 3581, 4320, 6026.

mod bench;
mod cancel;
mod chaos;
mod client;
mod delivery;
mod laws;
mod matching;
mod merging;
mod node;
mod overload;
mod server;
mod transport;
mod values;
