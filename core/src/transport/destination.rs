//! Where a request goes (RFC 3261 §8.1.2, RFC 3263 §4).

use core::net::{IpAddr, SocketAddr};

use crate::message::header::{Protocol, Route};
use crate::message::{Host, HostBuf, HostPort, Request, Scheme, Uri};
use crate::transport::Flow;

/// The next hop of a request: a host that may yet have to be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// An address, or a name to ask the driver's resolver for.
    pub host: HostBuf,
    /// The port; the protocol's own if there is none.
    pub port: Option<u16>,
    /// The transport protocol; UDP if there is none.
    pub protocol: Option<Protocol>,
    /// How far a multicast request may go; 1 if nothing is said (RFC 3261 §18.1.1).
    pub ttl: Option<u8>,
    /// Along this flow and no other, whatever the host and the port (RFC 5626 §5.3): the far end may be behind a NAT. If its
    /// connection is gone the request fails ([`Failure::Transport`](crate::Failure::Transport)).
    pub flow: Option<Flow>,
}

impl NextHop {
    /// Where `uri` says: its `maddr` or host, its port, its `transport` (RFC 3263 §4). `None` if it is not a SIP URI or
    /// names a transport that cannot be.
    pub fn of_uri(uri: Uri<'_>) -> Option<Self> {
        let host = match uri.parameters().value("maddr") {
            Some(maddr) => Host::parse(maddr)?,
            None => uri.host()?,
        };
        let named = uri.parameters().value("transport").map(Protocol::from_token);
        let protocol = match (uri.scheme(), named) {
            (_, Some(Protocol::Other)) => return None,
            // A SIPS URI asks for TLS; its transport names what TLS runs over (RFC 5630 §3.1.4).
            (Scheme::Sips, None | Some(Protocol::Tcp | Protocol::Tls)) => Some(Protocol::Tls),
            (Scheme::Sips, Some(Protocol::Ws | Protocol::Wss)) => Some(Protocol::Wss),
            (Scheme::Sips, Some(_)) => return None,
            (_, named) => named,
        };
        let ttl = uri.parameters().value("ttl").and_then(|ttl| core::str::from_utf8(ttl).ok()?.parse().ok());
        Some(Self { host: host.to_buf(), port: uri.port(), protocol, ttl, flow: None })
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
        Self { port: Some(address.port()), ..Self::from(HostBuf::from(address.ip())) }
    }
}

impl From<HostBuf> for NextHop {
    fn from(host: HostBuf) -> Self {
        Self { host, port: None, protocol: None, ttl: None, flow: None }
    }
}

impl From<Flow> for NextHop {
    fn from(flow: Flow) -> Self {
        Self { flow: Some(flow), ..Self::from(flow.remote) }
    }
}

impl From<HostPort<'_>> for NextHop {
    fn from(host_port: HostPort<'_>) -> Self {
        Self { port: host_port.port, ..Self::from(host_port.host.to_buf()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    fn of(uri: &str) -> Option<String> {
        let hop = NextHop::of_uri(Uri::parse(uri.as_bytes()).expect("a URI"))?;
        let port = hop.port.map_or(String::from("-"), |port| port.to_string());
        Some(alloc::format!("{} {port} {}", hop.host, hop.protocol.map_or("-", Protocol::as_str)))
    }

    #[test]
    fn a_uri_says_where_by_maddr_host_port_and_transport() {
        assert_eq!(of("sip:bob@Biloxi.com").as_deref(), Some("biloxi.com - -"));
        assert_eq!(of("sip:bob@192.0.2.4:5070;transport=udp").as_deref(), Some("192.0.2.4 5070 UDP"));
        assert_eq!(of("sip:biloxi.com;maddr=192.0.2.3").as_deref(), Some("192.0.2.3 - -"));
        assert_eq!(of("sip:[2001:db8::9]:5060").as_deref(), Some("[2001:db8::9] 5060 -"));
        assert_eq!(of("sip:biloxi.com;transport=carrier-pigeon"), None);
        assert_eq!(of("tel:+1-201-555-0123"), None);
    }

    #[test]
    fn a_sips_uri_never_goes_without_tls() {
        assert_eq!(of("sips:biloxi.com").as_deref(), Some("biloxi.com - TLS"));
        assert_eq!(of("sips:biloxi.com;transport=tcp").as_deref(), Some("biloxi.com - TLS"));
        assert_eq!(of("sips:biloxi.com;transport=ws").as_deref(), Some("biloxi.com - WSS"));
        assert_eq!(of("sips:biloxi.com;transport=udp"), None);
    }

    #[test]
    fn the_port_left_out_is_that_of_the_protocol() {
        let hop = |protocol| NextHop { protocol, ..NextHop::from(HostBuf::from(IpAddr::from([192, 0, 2, 4]))) };
        assert_eq!(hop(None).at(IpAddr::from([192, 0, 2, 4])).port(), 5060);
        assert_eq!(hop(Some(Protocol::Tls)).at(IpAddr::from([192, 0, 2, 4])).port(), 5061);
    }

    #[test]
    fn a_request_goes_to_its_first_route_and_else_to_its_request_uri() {
        let text = b"BYE sip:bob@192.0.2.4 SIP/2.0\r\nRoute: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\n\r\n";
        let parse = |text: &[u8]| match crate::message::Message::parse(text, &crate::message::Limits::default()) {
            Ok(crate::message::Message::Request(request)) => request,
            other => panic!("no request: {other:?}"),
        };
        let host = |text: &[u8]| NextHop::of_request(&parse(text)).map(|hop| hop.host.to_string());
        assert_eq!(host(text).as_deref(), Some("p1.example.com"));
        assert_eq!(host(b"BYE sip:bob@192.0.2.4 SIP/2.0\r\n\r\n").as_deref(), Some("192.0.2.4"));
    }
}
