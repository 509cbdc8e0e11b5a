//! The settings of a domain's server: its names, its routes, and what it will relay.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use super::{Digest, Gateway, Peer, Steps, User};
use crate::error::CommandError;
use crate::message::{Host, HostBuf, HostPort, Uri, unescaped};
use crate::proxy;
use crate::registrar;
use crate::transport::{Network, NextHop};

/// The settings of a domain's server.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Settings {
    /// Every host part that means this domain: those of its addresses-of-record, and names like `registrar.biloxi.com`.
    pub domains: Vec<HostBuf>,
    /// Further names of domains.
    pub aliases: Vec<Alias>,
    /// The users of the domains. If a domain has any, registrations there need credentials (401), and so does whatever a sender with
    /// a From of that domain wants forwarded (407). If any domain has users, strangers reach the domains and nobody else through
    /// this server.
    pub users: Vec<User>,
    /// How users are asked for credentials.
    pub digest: Digest,
    /// Peers that are not asked for credentials, and whose requests are relayed.
    pub trusted: Vec<Peer>,
    /// Where requests go that neither a Route nor the location service settles; the most specific key that fits wins.
    pub routes: Vec<Route>,
    /// The next hops of routes that are watched, and passed over while they do not answer.
    pub gateways: Vec<Gateway>,
    /// Whether routes with one key share the requests: each Call-ID belongs to one of them, by rendezvous hashing
    /// ([`rendezvous`](crate::shard::rendezvous)). While a gateway is not there only its own Call-IDs go to others. Otherwise the first route takes all. Off
    /// by default.
    pub spread: bool,
    /// Whether the application is told when calls begin, are answered and end ([`Event::Call`](super::Event::Call)).
    pub accounting: bool,
    /// Answered calls whose end accounting waits for; above it the oldest is told to be forgotten. 100,000.
    pub accounted_calls: usize,
    /// The steps that the application takes over.
    pub steps: Steps,
    /// Questions to the application that may be open at once ([`Event::Question`](super::Event::Question)); above it a request gets a 503.
    /// 100,000.
    pub questions: usize,
    /// By how many octets all that is answered to a request may exceed it, if it came in a datagram of somebody who is neither authenticated nor trusted: who
    /// has sent it may be somebody else than its source says. A 2xx to REGISTER and a 3xx leave contacts out (which departs from RFC 3261 §10.3 step 8). Where
    /// there are [`users`](Self::users) an INVITE is refused statelessly, if that can be done at once, and no response is sent again beyond that; without
    /// users nobody can be known, and a response that is lost has to be sent again. 1,200.
    pub answer_octets: usize,
    /// Whether requests for the users of the domains are redirected to their contacts (RFC 3261 §8.3) instead of being forwarded.
    /// Without it a caller who asks for that by Request-Disposition is redirected (RFC 3841 §9.1), if
    /// [`caller_decides`](proxy::Settings::caller_decides) says so; where there are [`users`](Self::users) strangers are not, as contacts are
    /// the users' own business.
    pub redirect: bool,
    /// Whether anybody's requests are relayed anywhere, by a Request-URI or a Route that is not ours. Closed (403) by default: an open relay lets
    /// anybody send anything anywhere. Open or not, requests are relayed that our [`routes`](Self::routes) name, that
    /// [`users`](Self::users) or [`trusted`](Self::trusted) peers send, or that are of a dialog whose route we have recorded.
    pub relay: bool,
    /// The proxy's own settings.
    pub proxy: proxy::Settings,
    /// The registrar's own settings.
    pub registrar: registrar::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            domains: Vec::new(),
            aliases: Vec::new(),
            users: Vec::new(),
            digest: Digest::default(),
            trusted: Vec::new(),
            routes: Vec::new(),
            gateways: Vec::new(),
            spread: false,
            accounting: false,
            accounted_calls: 100_000,
            steps: Steps::default(),
            questions: 100_000,
            answer_octets: 1_200,
            redirect: false,
            relay: false,
            proxy: proxy::Settings::default(),
            registrar: registrar::Settings::default(),
        }
    }
}

/// Another name of a domain: its users have the same bindings by either name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Alias {
    /// The other name.
    pub name: HostBuf,
    /// The domain.
    pub domain: HostBuf,
}

/// An entry of the route table: requests that fit `key` go to `next_hop`, their Request-URI unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Route {
    /// Which Request-URIs.
    pub key: RouteKey,
    /// Where to.
    pub next_hop: NextHop,
}

/// Which Request-URIs an entry of the route table is for.
///
/// Written as `user@host`, `host`, `host:port` or `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteKey {
    /// One user, at whatever port.
    User {
        /// The user part, unescaped.
        user: Box<str>,
        /// The host part.
        host: HostBuf,
    },
    /// One host.
    Host {
        /// The host part.
        host: HostBuf,
        /// The port (5060 is the same as none in the Request-URI); any if this is `None`.
        port: Option<u16>,
    },
    /// Every Request-URI.
    Any,
}

/// The port of a SIP URI that names none (RFC 3261 §19.1.2).
const DEFAULT_PORT: u16 = 5060;

impl RouteKey {
    /// Whether `uri` is meant.
    pub fn matches(&self, uri: Uri<'_>) -> bool {
        match self {
            Self::User { user, host } => {
                uri.host() == Some(host.as_host())
                    && uri.user().is_some_and(|written| unescaped(written.as_bytes()).eq(user.bytes()))
            }
            Self::Host { host, port } => {
                uri.host() == Some(host.as_host()) && port.is_none_or(|port| uri.port().unwrap_or(DEFAULT_PORT) == port)
            }
            Self::Any => uri.is_sip(),
        }
    }

    /// The higher, the more it says.
    fn weight(&self) -> u8 {
        match self {
            Self::User { .. } => 3,
            Self::Host { port: Some(_), .. } => 2,
            Self::Host { port: None, .. } => 1,
            Self::Any => 0,
        }
    }
}

impl FromStr for RouteKey {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        const UNUSABLE: CommandError = CommandError::Invalid("route key");
        if text == "*" {
            return Ok(Self::Any);
        }
        match text.rsplit_once('@') {
            Some(("", _)) => Err(UNUSABLE),
            Some((user, host)) => {
                let host = Host::parse(host.as_bytes()).ok_or(UNUSABLE)?.to_buf();
                Ok(Self::User { user: user.into(), host })
            }
            None => {
                let at = HostPort::parse(text.as_bytes()).map_err(|_| UNUSABLE)?;
                Ok(Self::Host { host: at.host.to_buf(), port: at.port })
            }
        }
    }
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { user, host } => write!(f, "{user}@{host}"),
            Self::Host { host, port: Some(port) } => write!(f, "{host}:{port}"),
            Self::Host { host, port: None } => write!(f, "{host}"),
            Self::Any => f.write_str("*"),
        }
    }
}

impl Settings {
    /// Whether `host` is a domain of ours, or an alias of one.
    pub fn is_domain(&self, host: Host<'_>) -> bool {
        self.domains.iter().chain(self.aliases.iter().map(|alias| &alias.name)).any(|domain| domain.as_host() == host)
    }

    /// The addresses that these settings name: those of domains, routes and gateways, and of trusted peers that are one host each.
    pub(super) fn named(&self) -> Vec<IpAddr> {
        let domains = self.domains.iter().chain(self.aliases.iter().map(|alias| &alias.name));
        let routes = self.routes.iter().map(|route| route.next_hop.target());
        let gateways = self.gateways.iter().map(|gateway| gateway.next_hop.target());
        let hosts = domains.chain(routes).chain(gateways).filter_map(|host| host.as_host().ip());
        hosts.chain(self.trusted.iter().filter_map(Peer::host)).collect()
    }

    /// The networks of trusted peers: each is one hop.
    pub(super) fn hops(&self) -> Vec<Network> {
        self.trusted.iter().filter_map(Peer::network).collect()
    }

    /// The most specific entry of the route table for `uri`; the first of equals.
    pub fn route(&self, uri: Uri<'_>) -> Option<&Route> {
        let mut best: Option<&Route> = None;
        for route in self.routes.iter().filter(|route| route.key.matches(uri)) {
            if best.is_none_or(|best| best.key.weight() < route.key.weight()) {
                best = Some(route);
            }
        }
        best
    }
}

#[cfg(feature = "serde")]
crate::plain::as_text! {
    RouteKey, "user@host, a host, host:port or *", |text| text.parse().ok(), |key: &Self| key.clone();
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    fn hop(port: u16) -> NextHop {
        NextHop::from(core::net::SocketAddr::from(([127, 0, 0, 1], port)))
    }

    fn uri(text: &str) -> Uri<'_> {
        Uri::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_key_is_read_and_written_as_the_option_has_it() {
        for text in ["*", "bob@biloxi.com", "biloxi.com", "biloxi.com:5070", "127.0.0.1:5080", "bob@[::1]"] {
            assert_eq!(text.parse::<RouteKey>().unwrap().to_string(), text);
        }
        for text in ["", "@biloxi.com", "bob@", "biloxi.com:port"] {
            assert!(text.parse::<RouteKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_most_specific_key_wins_whatever_the_order() {
        let keys = ["*", "biloxi.com", "biloxi.com:5070", "bob@biloxi.com"];
        let routes: Vec<Route> =
            keys.iter().zip(1..).map(|(key, port)| Route { key: key.parse().unwrap(), next_hop: hop(port) }).collect();
        let mut settings = Settings { routes, ..Settings::default() };
        for _ in 0..2 {
            let port = |text| settings.route(uri(text)).unwrap().next_hop.port.unwrap();
            assert_eq!(port("sip:carol@chicago.com"), 1);
            assert_eq!(port("sip:carol@BILOXI.com"), 2);
            assert_eq!(port("sip:carol@biloxi.com:5070"), 3);
            assert_eq!(port("sip:bob@biloxi.com:5070"), 4);
            assert_eq!(port("sip:%62ob@biloxi.com"), 4);
            settings.routes.reverse();
        }
    }

    #[test]
    fn a_key_with_the_default_port_fits_a_uri_without_one() {
        let key: RouteKey = "biloxi.com:5060".parse().unwrap();
        assert!(key.matches(uri("sip:biloxi.com")));
        assert!(!key.matches(uri("sip:biloxi.com:5061")));
        let any: RouteKey = "biloxi.com".parse().unwrap();
        assert_eq!(
            vec![true, true, false],
            ["sip:biloxi.com", "sip:biloxi.com:9", "sip:x.biloxi.com"].map(|text| any.matches(uri(text))).to_vec()
        );
    }
}
