//! Connections (RFC 3261 §18, RFC 5626, 5923, 7118).

mod closing;
mod framing;
mod keepalive;
mod limits;
mod opening;
mod serving;
mod size;
mod tls;

use sansip::message::header::Protocol;
use sansip::{Config, Listener, ListenerId, NextHop, Seed};

use crate::bench::{Bench, HERE, THERE, address};

/// A bench that listens on TCP too, at the same port.
pub(crate) fn bench() -> (Bench, ListenerId) {
    let mut config = Config::new(Seed::from_u64(1));
    config.rport = false;
    bench_with(config)
}

pub(crate) fn bench_with(config: Config) -> (Bench, ListenerId) {
    let mut bench = Bench::with(config);
    let tcp = bench.endpoint.listen(Listener::tcp(address(HERE)));
    (bench, tcp)
}

/// The peer, over TCP.
pub(crate) fn there() -> NextHop {
    over(Protocol::Tcp)
}

pub(crate) fn over(protocol: Protocol) -> NextHop {
    NextHop { protocol: Some(protocol), ..NextHop::from(address(THERE)) }
}

/// A Via value of the peer's own address, over TCP.
pub(crate) fn their_via(branch: &str) -> String {
    format!("SIP/2.0/TCP 192.0.2.9;branch={branch}")
}
