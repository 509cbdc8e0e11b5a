//! Where a request goes (RFC 3261 §8.1.2, RFC 3263 §4).

use core::net::SocketAddr;

use crate::flow::{Flow, ListenerId};
use crate::message::header::{Protocol, Route};
use crate::message::{Host, HostBuf, HostPort, Request, Scheme, Uri};

/// The next hop of a request: what its URI says of where it goes. The rest is found by RFC 3263 §4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// The host of the URI: an address, or a name to ask the driver's resolver for. Over TLS the far end must prove to be it,
    /// whatever the resolver made of it (RFC 5922 §7.2).
    pub host: HostBuf,
    /// The port. If there is none it comes with the name (SRV), or is the protocol's own.
    pub port: Option<u16>,
    /// The transport protocol. If there is none it comes with the name (NAPTR, SRV); an address, or a name with a port, is
    /// reached by UDP, or by TLS if it has to be secure.
    pub protocol: Option<Protocol>,
    /// Whether only TLS will do: the URI, or the Request-URI, is a SIPS URI (RFC 3261 §8.1.2, §26.2.2).
    pub secure: bool,
    /// Where the request goes instead of to the host (§19.1.1).
    pub maddr: Option<HostBuf>,
    /// How far a multicast request may go; 1 if nothing is said (§18.1.1).
    pub ttl: Option<u8>,
    /// Along this flow and no other, whatever the rest says (RFC 5626 §5.3): the far end may be behind a NAT. If its connection
    /// is gone the request fails ([`Failure::Transport`](crate::Failure::Transport)).
    pub flow: Option<Flow>,
    /// The listener that sends, where it reaches the next hop; any other place is sent to from the listener that reaches it best.
    pub listener: Option<ListenerId>,
}

impl NextHop {
    /// Where `uri` says: its host, `maddr`, port, `transport` and `ttl` (RFC 3263 §4). `None` if it is not a SIP URI or names a
    /// transport that cannot be.
    pub fn of_uri(uri: Uri<'_>) -> Option<Self> {
        let maddr = match uri.parameters().value("maddr") {
            Some(maddr) => Some(Host::parse(maddr)?.to_buf()),
            None => None,
        };
        let secure = uri.scheme() == Scheme::Sips;
        let protocol = match uri.parameters().value("transport").map(Protocol::from_token) {
            Some(Protocol::Other) => return None,
            // The transport of a SIPS URI is what TLS runs over (RFC 5630 §3.1.4).
            Some(named) if secure => Some(over_tls(named)?),
            named => named,
        };
        let ttl = uri.parameters().value("ttl").and_then(|ttl| core::str::from_utf8(ttl).ok()?.parse().ok());
        Some(Self {
            host: uri.host()?.to_buf(),
            port: uri.port(),
            protocol,
            secure,
            maddr,
            ttl,
            flow: None,
            listener: None,
        })
    }

    /// Where `request` goes by itself (RFC 3261 §8.1.2): its first Route, else its Request-URI; only over TLS if that is a
    /// SIPS URI. `None` if it is not a SIP URI.
    pub fn of_request(request: &Request) -> Option<Self> {
        let uri = request.uri().ok()?;
        match request.headers().get::<Route<'_>>() {
            Some(route) => Some(Self::of_uri(route.ok()?.uri)?.for_request_uri(uri)),
            None => Self::of_uri(uri),
        }
    }

    /// This hop for a request with this Request-URI: only over TLS if that is a SIPS URI (RFC 3261 §8.1.2, §16.6 step 7).
    #[must_use]
    pub fn for_request_uri(self, uri: Uri<'_>) -> Self {
        Self { secure: self.secure || uri.scheme() == Scheme::Sips, ..self }
    }

    /// The protocol that is named, else the usual one (RFC 3263 §4.1: UDP, or TLS over TCP).
    pub(crate) fn protocol(&self) -> Protocol {
        match self.protocol {
            Some(protocol) if self.secure => over_tls(protocol).unwrap_or(protocol),
            Some(protocol) => protocol,
            None if self.secure => Protocol::Tls,
            None => Protocol::Udp,
        }
    }

    /// Whether this next hop is `name`, or a place at which `name` was found: the same host, with the address, the port and the transport that
    /// the resolver has made of it.
    pub(crate) fn is_found_as(&self, name: &Self) -> bool {
        let is_place = name.maddr.is_none() && self.maddr.as_ref().is_some_and(|maddr| maddr.as_host().ip().is_some());
        self == name
            || is_place
                && self.host == name.host
                && self.secure == name.secure
                && self.flow.is_none()
                && name.flow.is_none()
    }

    /// The TARGET of RFC 3263 §4: the `maddr`, else the host.
    pub fn target(&self) -> &HostBuf {
        self.maddr.as_ref().unwrap_or(&self.host)
    }
}

/// The protocol that is `protocol` over TLS; `None` if there is none.
pub(super) const fn over_tls(protocol: Protocol) -> Option<Protocol> {
    match protocol {
        Protocol::Tcp | Protocol::Tls => Some(Protocol::Tls),
        Protocol::Ws | Protocol::Wss => Some(Protocol::Wss),
        _ => None,
    }
}

impl From<SocketAddr> for NextHop {
    fn from(address: SocketAddr) -> Self {
        Self { port: Some(address.port()), ..Self::from(HostBuf::from(address.ip())) }
    }
}

impl From<HostBuf> for NextHop {
    fn from(host: HostBuf) -> Self {
        Self { host, port: None, protocol: None, secure: false, maddr: None, ttl: None, flow: None, listener: None }
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

#[cfg(feature = "serde")]
impl serde::Serialize for NextHop {
    /// As the URI that leads there. A flow and a listener are of one run of a node, and cannot be written.
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.flow.is_some() || self.listener.is_some() {
            return Err(serde::ser::Error::custom("a next hop along a flow or from a listener cannot be written"));
        }
        to.collect_str(&WrittenHop(self))
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for NextHop {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let parse = |text: &str| Self::of_uri(Uri::parse(text.as_bytes()).ok()?);
        crate::plain::read(from, "a SIP URI of the next hop", parse)
    }
}

#[cfg(feature = "serde")]
struct WrittenHop<'a>(&'a NextHop);

#[cfg(feature = "serde")]
impl core::fmt::Display for WrittenHop<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let NextHop { host, port, protocol, secure, maddr, ttl, .. } = self.0;
        write!(f, "{}:{host}", if *secure { "sips" } else { "sip" })?;
        if let Some(port) = port {
            write!(f, ":{port}")?;
        }
        if let Some(protocol) = protocol {
            // The transport of a SIPS URI is what TLS runs over (RFC 5630 §3.1.4).
            let named = match protocol {
                Protocol::Tls if *secure => Protocol::Tcp,
                Protocol::Wss if *secure => Protocol::Ws,
                protocol => *protocol,
            };
            write!(f, ";transport={}", named.as_str().to_ascii_lowercase())?;
        }
        if let Some(maddr) = maddr {
            write!(f, ";maddr={maddr}")?;
        }
        match ttl {
            Some(ttl) => write!(f, ";ttl={ttl}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::{String, ToString};

    fn hop(uri: &str) -> Option<NextHop> {
        NextHop::of_uri(Uri::parse(uri.as_bytes()).expect("a URI"))
    }

    fn of(uri: &str) -> Option<String> {
        let hop = hop(uri)?;
        let port = hop.port.map_or(String::from("-"), |port| port.to_string());
        let secure = if hop.secure { " secure" } else { "" };
        Some(format!("{} {port} {}{secure}", hop.target(), hop.protocol.map_or("-", Protocol::as_str)))
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
        assert_eq!(of("sips:biloxi.com").as_deref(), Some("biloxi.com - - secure"));
        assert_eq!(of("sips:biloxi.com;transport=tcp").as_deref(), Some("biloxi.com - TLS secure"));
        assert_eq!(of("sips:biloxi.com;transport=ws").as_deref(), Some("biloxi.com - WSS secure"));
        assert_eq!(of("sips:biloxi.com;transport=udp"), None);
        assert_eq!(of("sips:biloxi.com;transport=sctp"), None);
    }

    #[test]
    fn tls_proves_the_host_of_the_uri_whatever_the_way_there() {
        assert_eq!(hop("sips:Biloxi.com;maddr=192.0.2.3").unwrap().host.to_string(), "biloxi.com");
    }

    #[test]
    fn a_request_goes_to_its_first_route_and_else_to_its_request_uri() {
        let text = b"BYE sip:bob@192.0.2.4 SIP/2.0\r\nRoute: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\n\r\n";
        let parse = |text: &[u8]| match crate::message::Message::parse(text, &crate::message::Limits::default()) {
            Ok(crate::message::Message::Request(request)) => NextHop::of_request(&request),
            other => panic!("no request: {other:?}"),
        };
        let host = |text: &[u8]| parse(text).map(|hop| hop.host.to_string());
        assert_eq!(host(text).as_deref(), Some("p1.example.com"));
        assert_eq!(host(b"BYE sip:bob@192.0.2.4 SIP/2.0\r\n\r\n").as_deref(), Some("192.0.2.4"));
        // A SIPS Request-URI binds the route as well (§8.1.2).
        let secured = parse(b"BYE sips:bob@biloxi.com SIP/2.0\r\nRoute: <sip:p1.example.com;lr>\r\n\r\n").unwrap();
        assert_eq!((secured.host.to_string().as_str(), secured.secure), ("p1.example.com", true));
    }
}
