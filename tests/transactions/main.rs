//! One endpoint against hand-written datagrams and streams, in virtual time: RFC 3261 §17 and §18, RFC 3581, 4320, 5626, 5923,
//! 6026, 7118.

mod backup;
mod bench;
mod cancel;
mod chaos;
mod client;
mod delivery;
mod dropped;
mod laws;
mod leniency;
mod limits;
mod locating;
mod matching;
mod merging;
mod multicast;
mod node;
mod overload;
mod server;
mod silent;
mod streams;
mod transport;
mod values;
