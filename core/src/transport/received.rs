//! What a server notes about where a request came from, and where its responses go (RFC 3261 §18.2, RFC 3581 §4).

use core::net::SocketAddr;

use crate::message::header::Via;
use crate::message::{BuildError, Request};

/// Where responses to a request with this topmost Via go (§18.2.2, RFC 3581 §4).
///
/// The `received` of the rule is the address that the request came from: what a peer wrote there itself counts for
/// nothing. A `maddr` counts if it is an address that the listener can reach.
pub(crate) fn response_destination(via: &Via<'_>, remote: SocketAddr) -> SocketAddr {
    let port = via.sent_by.port.unwrap_or(via.protocol.default_port());
    let maddr = via.maddr().and_then(|maddr| maddr.ip()).filter(|ip| ip.is_ipv4() == remote.is_ipv4());
    match (maddr, via.rport()) {
        (Some(maddr), _) => SocketAddr::new(maddr, port),
        (None, Some(_)) => remote,
        (None, None) => SocketAddr::new(remote.ip(), port),
    }
}

/// The request with `received` and `rport` in its topmost Via (§18.2.1, RFC 3581 §4); `None` if neither is due.
///
/// # Errors
/// The request cannot grow any more.
pub(crate) fn stamp(request: &Request, remote: SocketAddr) -> Result<Option<Request>, BuildError> {
    let Some(via) = request.top_via() else { return Ok(None) };
    let asks = via.rport().is_some();
    let differs = via.sent_by.host.ip() != Some(remote.ip());
    let claims = via.received().is_some();
    if !(asks || differs || claims) {
        return Ok(None);
    }
    request.edit().stamp_via(Some(remote.ip()), asks.then(|| remote.port())).finish().map(Some)
}
