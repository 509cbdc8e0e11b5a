//! The answer of an element of a certain role: a real node is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use sansip::message::header::NameAddrBuf;
use sansip::message::{HeaderId, Host, HostBuf, Limits, Message, Response, Uri};
use sansip::transport::Network;
use sansip::user_agent::Profile;
use sansip::{Config, Input, Instant, Listener, Node, Output, Seed, Server, Stack, TransactionUser, UserAgent, server};

/// The addresses of the element, unless the Request-URI names another, and that of the sender. They are for benchmarks (RFC
/// 2544, 5180), so that no example has them.
const ELEMENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 1));
const ELEMENT_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 1));
const SENDER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 18, 0, 2)), 5060);

/// The default port of SIP over UDP (RFC 3261 §18.1.1).
const PORT: u16 = 5060;

/// The default port of SIP over TLS.
const TLS_PORT: u16 = 5061;

/// Who receives the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A user agent server with no dialog, which takes calls for anybody.
    UserAgentServer,
    /// A proxy that is responsible for no domain and forwards to any other.
    Proxy,
    /// The registrar and proxy of the domains that Request-URI and To name, with nobody registered.
    Registrar,
}

impl FromStr for Role {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "uas" => Ok(Self::UserAgentServer),
            "proxy" => Ok(Self::Proxy),
            "registrar" => Ok(Self::Registrar),
            _ => Err("the roles are uas, proxy and registrar"),
        }
    }
}

impl Role {
    /// Its name in a sentence.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UserAgentServer => "user agent server",
            Self::Proxy => "proxy",
            Self::Registrar => "registrar",
        }
    }

    /// The final response to this datagram, which holds this message if it can be read; `None` is silence, or a request that is
    /// taken or forwarded.
    pub(super) fn answer(self, datagram: &[u8], message: Option<&Message>) -> Option<Answer> {
        let config = Config::new(Seed::from_u64(1));
        match self {
            Self::UserAgentServer => {
                let identity = NameAddrBuf::from_str("<sip:user@198.18.0.1>").ok()?;
                // The message alone does not say whose user agent it is.
                let profile = Profile { any_user: true, ..Profile::new(identity) };
                let node = UserAgent::user_agent(config, profile);
                first_final(node, SocketAddr::new(ELEMENT, PORT), datagram)
            }
            Self::Proxy => {
                let settings = server::Settings { relay: true, ..server::Settings::default() };
                first_final(Server::server(config, settings), SocketAddr::new(ELEMENT, PORT), datagram)
            }
            Self::Registrar => {
                let request_uri = match message {
                    Some(Message::Request(request)) => request.uri().ok(),
                    Some(Message::Response(_)) | None => None,
                };
                let to = message.and_then(|message| message.headers().to()).map(|to| to.uri);
                let domains = [request_uri, to].into_iter().flatten().filter_map(Uri::host).map(Host::to_buf);
                let settings =
                    server::Settings { domains: domains.collect::<Vec<HostBuf>>(), ..server::Settings::default() };
                // The domain is ours where its name says that we listen.
                let ip = request_uri.and_then(Uri::host).and_then(Host::ip).unwrap_or(ELEMENT);
                let port = request_uri.and_then(Uri::port).unwrap_or(PORT);
                first_final(Server::server(config, settings), SocketAddr::new(ip, port), datagram)
            }
        }
    }
}

/// A final response, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The reason phrase, and what of the headers says more.
    pub reason: String,
}

impl Answer {
    fn of(response: &Response) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let phrase = text(response.reason());
        let more = [HeaderId::Unsupported, HeaderId::Warning, HeaderId::Allow, HeaderId::Accept, HeaderId::MinExpires]
            .into_iter()
            .filter(|_| response.status().is_final() && !response.status().is_success())
            .find_map(|id| Some(format!("{phrase} ({}: {})", id.as_str(), text(response.headers().raw(id)?))));
        Self { status: response.status().get(), reason: more.unwrap_or(phrase) }
    }
}

/// Hands the datagram to a node that listens there, and takes the first final response among what it sends at once.
fn first_final<U: TransactionUser>(mut node: Stack<U>, local: SocketAddr, datagram: &[u8]) -> Option<Answer> {
    // The message alone does not say in which network the element is: any address can be near.
    let everywhere = [ELEMENT, ELEMENT_V6].map(|address| Network { address, prefix: 0 });
    let listener = node.listen(Listener::udp(local).with_inside(everywhere));
    // A proxy may have to go on with the other version of IP, or over TLS.
    node.listen(Listener::udp(SocketAddr::new(if local.is_ipv4() { ELEMENT_V6 } else { ELEMENT }, PORT)));
    node.listen(Listener::tls(SocketAddr::new(local.ip(), TLS_PORT)));
    node.handle(Instant::ZERO, Input::Datagram { listener, remote: SENDER, bytes: datagram });
    while let Some(output) = node.poll() {
        let Output::Send(transmit) = output else { continue };
        if let Ok(Message::Response(response)) = Message::parse(&transmit.bytes, &Limits::default())
            && response.status().is_final()
        {
            return Some(Answer::of(&response));
        }
    }
    None
}
