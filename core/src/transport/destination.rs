//! Where a request goes (RFC 3261 §8.1.2, RFC 3263 §4).

use core::net::{IpAddr, SocketAddr};

use crate::message::header::{Protocol, Route};
use crate::message::{Host, HostBuf, HostPort, Request, Scheme, Uri};

/// The next hop of a request: a host that may yet have to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// An address, or a name to ask the driver's resolver for.
    pub host: HostBuf,
    /// The port; the protocol's own if there is none.
    pub port: Option<u16>,
    /// The transport protocol; UDP if there is none.
    pub protocol: Option<Protocol>,
}

impl NextHop {
    /// Where `uri` says: its `maddr` or host, its port, its `transport` (RFC 3263 §4). `None` if it is not a SIP URI or
    /// names a transport that we do not know.
    pub fn of_uri(uri: Uri<'_>) -> Option<Self> {
        let host = match uri.parameters().value("maddr") {
            Some(maddr) => Host::parse(maddr)?,
            None => uri.host()?,
        };
        let named = uri.parameters().value("transport").map(Protocol::from_token);
        if named == Some(Protocol::Other) {
            return None;
        }
        let protocol = match (uri.scheme(), named) {
            (Scheme::Sips, None | Some(Protocol::Tcp)) => Some(Protocol::Tls),
            (_, named) => named,
        };
        Some(Self { host: host.to_buf(), port: uri.port(), protocol })
    }

    /// Where `request` goes by itself (RFC 3261 §8.1.2): its first Route, else its Request-URI. `None` if that is not a
    /// SIP URI.
    pub fn of_request(request: &Request) -> Option<Self> {
        match request.headers().get::<Route<'_>>() {
            Some(route) => Self::of_uri(route.ok()?.uri),
            None => Self::of_uri(request.uri().ok()?),
        }
    }

    /// The transport protocol to use.
    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol.unwrap_or(Protocol::Udp)
    }

    /// The full address of `ip` at this hop.
    pub(crate) fn at(&self, ip: IpAddr) -> SocketAddr {
        SocketAddr::new(ip, self.port.unwrap_or(self.protocol().default_port()))
    }
}

impl From<SocketAddr> for NextHop {
    fn from(address: SocketAddr) -> Self {
        Self { host: HostBuf::from(address.ip()), port: Some(address.port()), protocol: None }
    }
}

impl From<HostPort<'_>> for NextHop {
    fn from(host_port: HostPort<'_>) -> Self {
        Self { host: host_port.host.to_buf(), port: host_port.port, protocol: None }
    }
}
