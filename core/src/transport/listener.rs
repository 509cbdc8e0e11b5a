//! The local addresses.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::mem;
use core::net::{IpAddr, SocketAddr};

use crate::error::CommandError;
use crate::flow::{ListenerId, ListenerKind};
use crate::id::Arena;
use crate::message::header::Protocol;
use crate::message::{HostPort, HostPortBuf, Uri};

use super::special::inside_of;
use super::{Network, NextHop};

/// How much a response may be larger than its request without being cut up (§18.1.1).
const HEADROOM: u16 = 200;

/// The path MTU that is assumed where none is known: that of an Ethernet (§18.1.1).
const USUAL_MTU: u16 = 1_500;

/// A local address that the driver binds, and what we call it towards others.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(from = "plain::Written"))]
pub struct Listener {
    /// The transport protocol.
    pub protocol: Protocol,
    /// The bound address.
    pub local: SocketAddr,
    /// The sent-by in the Vias of our requests (§18.1.1); may differ from the bound address.
    pub sent_by: HostPortBuf,
    /// The path MTU of datagrams, if it is known; a request that comes within 200 octets of it (1300 octets if it is not known)
    /// goes over TCP if there is a TCP listener (§18.1.1).
    pub mtu: Option<u16>,
    /// The networks that are reached from here; if there are none, all of the address family.
    pub networks: Vec<Network>,
    /// The networks that are inside: who is in one of them may have a server forward requests to others in it, though their addresses are loopback or
    /// private ones. If the local address is such a one, its block: 127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or fc00::/7.
    pub inside: Vec<Network>,
    /// The networks in which the `maddr` of a Via is followed, where a request says that its response is to go there (RFC 3261 §18.2.2). None by default:
    /// whoever sends a request could have anybody get the response. A `maddr` that is the group of this listener needs no network.
    pub maddr: Vec<Network>,
    /// How far a response to the group of this listener goes, where the Via of its request wants that: 1.
    pub ttl: u8,
    /// Whether a response that cannot be sent to where its request came from goes to the other addresses of the sent-by (RFC 3263 §5). Off by default: a
    /// stranger could lead it to anybody. A peer whose address the configuration of a server names has them in any case.
    pub backups: bool,
    /// The networks each of which is one hop, such as that of a load balancer: a CANCEL may come from another of its addresses than the INVITE.
    pub hops: Vec<Network>,
    /// Whether a CANCEL must come from where its INVITE has come from: the same address, at any port and along any connection, one of the same
    /// [hop](Self::hops), or a connection whose far end has proved the same name. RFC 3261 §22.1 only says which CANCEL should be accepted, and §9.2 asks for
    /// nothing of the kind. On by default: off for a listener whose peers send from several addresses that nobody can name.
    pub cancel_from_source: bool,
}

impl Listener {
    /// A UDP listener whose sent-by is the bound address; port 5060 is left out.
    pub fn udp(local: SocketAddr) -> Self {
        Self::new(Protocol::Udp, local)
    }

    /// A TCP listener, likewise.
    pub fn tcp(local: SocketAddr) -> Self {
        Self::new(Protocol::Tcp, local)
    }

    /// A TLS listener; port 5061 is left out. Its sent-by should be a name that its certificate proves.
    pub fn tls(local: SocketAddr) -> Self {
        Self::new(Protocol::Tls, local)
    }

    /// A WebSocket listener (RFC 7118); port 80 is left out. A client that nobody can open a connection to is advertised as a
    /// name under `.invalid`.
    pub fn ws(local: SocketAddr) -> Self {
        Self::new(Protocol::Ws, local)
    }

    /// A WebSocket listener over TLS (RFC 7118); port 443 is left out.
    pub fn wss(local: SocketAddr) -> Self {
        Self::new(Protocol::Wss, local)
    }

    /// An SCTP listener (RFC 4168), for a driver that has SCTP.
    pub fn sctp(local: SocketAddr) -> Self {
        Self::new(Protocol::Sctp, local)
    }

    fn new(protocol: Protocol, local: SocketAddr) -> Self {
        let mut sent_by = HostPortBuf::from(local);
        if sent_by.port == Some(protocol.default_port()) {
            sent_by.port = None;
        }
        let inside = inside_of(local.ip()).into_iter().collect();
        let [networks, maddr, hops] = [const { Vec::new() }; 3];
        let (mtu, ttl, backups, cancel_from_source) = (None, 1, false, true);
        Self { protocol, local, sent_by, mtu, networks, inside, maddr, ttl, backups, hops, cancel_from_source }
    }

    /// This listener, with a path MTU that is known.
    pub fn with_mtu(self, mtu: u16) -> Self {
        Self { mtu: Some(mtu), ..self }
    }

    /// This listener, from which only these networks are reached. Where several listeners reach an address, the one whose
    /// network has the longest prefix is taken, then the one added first.
    pub fn with_networks(self, networks: impl IntoIterator<Item = Network>) -> Self {
        Self { networks: networks.into_iter().collect(), ..self }
    }

    /// This listener, with these networks [inside](Self::inside).
    pub fn with_inside(self, networks: impl IntoIterator<Item = Network>) -> Self {
        Self { inside: networks.into_iter().collect(), ..self }
    }

    /// This listener, which follows a [`maddr`](Self::maddr) in these networks.
    pub fn with_maddr(self, networks: impl IntoIterator<Item = Network>) -> Self {
        Self { maddr: networks.into_iter().collect(), ..self }
    }

    /// This listener, whose responses to its group go [so far](Self::ttl).
    pub fn with_ttl(self, ttl: u8) -> Self {
        Self { ttl, ..self }
    }

    /// This listener, whose responses have [backups](Self::backups).
    pub fn with_backups(self) -> Self {
        Self { backups: true, ..self }
    }

    /// This listener, for which each of these networks is [one hop](Self::hops).
    pub fn with_hops(self, networks: impl IntoIterator<Item = Network>) -> Self {
        Self { hops: networks.into_iter().collect(), ..self }
    }

    /// This listener, to which a CANCEL may come [from anywhere](Self::cancel_from_source).
    pub fn with_cancel_from_anywhere(self) -> Self {
        Self { cancel_from_source: false, ..self }
    }

    /// Whether a response may go to any `maddr` at all.
    pub(super) fn follows_any(&self) -> bool {
        self.local.ip().is_multicast() || !self.maddr.is_empty()
    }

    /// Whether a response may go to the `maddr` of a Via whose request came here.
    pub(super) fn follows(&self, maddr: IpAddr) -> bool {
        match maddr.is_multicast() {
            true => maddr == self.local.ip(),
            false => self.maddr.iter().any(|network| network.contains(maddr)),
        }
    }

    /// How many bits of `ip` the networks of this listener name, if it reaches `ip`.
    fn reach(&self, ip: IpAddr) -> Option<u8> {
        if self.local.is_ipv4() != ip.is_ipv4() {
            return None;
        }
        if self.networks.is_empty() {
            return Some(0);
        }
        self.networks.iter().filter(|network| network.contains(ip)).map(|network| network.prefix).max()
    }

    /// The URI by which this end is reached here: what Contact and Record-Route say where they mean "here" (§8.1.1.8, §16.6 step
    /// 4). A SIPS URI if `secure`; its transport is then what TLS runs over (RFC 5630 §3.1.4). `parameters` stand last.
    pub fn uri(&self, user: Option<&str>, secure: bool, parameters: &str) -> String {
        self.uri_with(user, secure, self.transport_parameter(secure), parameters)
    }

    /// The `transport` that a URI needs to lead here; none for what it leads to without one.
    pub(super) const fn transport_parameter(&self, secure: bool) -> &'static str {
        match self.protocol {
            Protocol::Udp | Protocol::Other => "",
            Protocol::Tcp | Protocol::Tls if secure => "",
            Protocol::Ws | Protocol::Wss if secure => ";transport=ws",
            Protocol::Tcp => ";transport=tcp",
            Protocol::Tls => ";transport=tls",
            Protocol::Sctp => ";transport=sctp",
            Protocol::Ws => ";transport=ws",
            Protocol::Wss => ";transport=wss",
        }
    }

    /// As [`uri`](Self::uri), with this `transport`.
    pub(super) fn uri_with(&self, user: Option<&str>, secure: bool, transport: &str, parameters: &str) -> String {
        let scheme = if secure { "sips" } else { "sip" };
        let (user, at) = user.map_or(("", ""), |user| (user, "@"));
        let mut uri = String::with_capacity(64);
        [scheme, ":", user, at].into_iter().for_each(|part| uri.push_str(part));
        self.sent_by.as_host_port().parts(|part| uri.push_str(part));
        [transport, parameters].into_iter().for_each(|part| uri.push_str(part));
        uri
    }

    /// The size of the largest request that may go in a datagram (§18.1.1).
    pub(crate) fn largest_request(&self) -> usize {
        self.mtu.unwrap_or(USUAL_MTU).saturating_sub(HEADROOM).into()
    }

    /// This listener, advertised as `sent_by`.
    pub fn with_sent_by(self, sent_by: HostPortBuf) -> Self {
        Self { sent_by, ..self }
    }

    /// Whether `sent_by` is what this listener puts into its Vias.
    fn is_sent_by(&self, sent_by: HostPort<'_>) -> bool {
        same(self.sent_by.as_host_port(), sent_by, self.protocol)
    }

    /// Whether `host_port` is the bound address.
    fn is_local(&self, host_port: HostPort<'_>) -> bool {
        host_port.host.ip() == Some(self.local.ip())
            && host_port.port.unwrap_or(self.protocol.default_port()) == self.local.port()
    }
}

/// Equal hosts and ports, an absent port being the protocol's own.
fn same(one: HostPort<'_>, other: HostPort<'_>, protocol: Protocol) -> bool {
    let port = |host_port: HostPort<'_>| host_port.port.unwrap_or(protocol.default_port());
    one.host == other.host && port(one) == port(other)
}

/// All local addresses of an endpoint: few, so a scan is a lookup.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listeners(Arena<ListenerKind, Known>);

#[derive(Clone, Debug)]
struct Known {
    listener: Listener,
    /// The beginning of the Vias of our requests, up to the branch.
    via: Box<str>,
    /// The sent-by that it had before, the last one first: requests that went out with it may still be answered.
    former: Vec<HostPortBuf>,
}

/// How many former sent-bys of a listener are known: as often may it move while a request waits for its answer.
const FORMER: usize = 4;

impl Known {
    fn new(listener: Listener, former: Vec<HostPortBuf>) -> Self {
        let via = format!("SIP/2.0/{} {};branch=", listener.protocol.as_str(), listener.sent_by).into();
        Self { listener, via, former }
    }
}

impl Listeners {
    pub(crate) fn add(&mut self, listener: Listener) -> ListenerId {
        self.0.insert(Known::new(listener, Vec::new()))
    }

    /// Puts a listener of the same protocol in the place of one, whose handle it has from now on: the one that was.
    ///
    /// # Errors
    /// `Gone`; `Invalid("listener")`: the protocol is another.
    pub(crate) fn replace(&mut self, id: ListenerId, listener: Listener) -> Result<Listener, CommandError> {
        let known = self.0.get_mut(id).ok_or(CommandError::Gone)?;
        if known.listener.protocol != listener.protocol {
            return Err(CommandError::Invalid("listener"));
        }
        let mut former = mem::take(&mut known.former);
        if known.listener.sent_by != listener.sent_by {
            former.insert(0, known.listener.sent_by.clone());
            former.truncate(FORMER);
        }
        Ok(mem::replace(known, Known::new(listener, former)).listener)
    }

    pub(crate) fn get(&self, id: ListenerId) -> Option<&Listener> {
        self.0.get(id).map(|known| &known.listener)
    }

    /// The beginning of the Vias of our requests from this listener: all before the value of the branch (§18.1.1).
    pub(crate) fn via_up_to_branch(&self, id: ListenerId) -> Option<&str> {
        self.0.get(id).map(|known| &*known.via)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ListenerId, &Listener)> {
        self.0.iter().map(|(id, known)| (id, &known.listener))
    }

    /// Whether `host_port` names one of ours, by sent-by or bound address.
    pub(crate) fn is_ours(&self, host_port: HostPort<'_>) -> bool {
        self.iter().any(|(_, listener)| listener.is_sent_by(host_port) || listener.is_local(host_port))
    }

    /// Whether a Via with this sent-by is one of ours (§18.1.2): a listener has it, or had it before it moved.
    pub(crate) fn inserts(&self, sent_by: HostPort<'_>) -> bool {
        self.0.iter().any(|(_, Known { listener, former, .. })| {
            let is_former = |it: &HostPortBuf| same(it.as_host_port(), sent_by, listener.protocol);
            listener.is_sent_by(sent_by) || former.iter().any(is_former)
        })
    }

    /// Whether a listener is bound to this address, or is said to be there.
    pub(super) fn have_address(&self, ip: IpAddr) -> bool {
        self.iter().any(|(_, listener)| listener.local.ip() == ip || listener.sent_by.host.as_host().ip() == Some(ip))
    }

    /// How far a response to a group goes: as far as the listener of the group lets it.
    pub(super) fn ttl_of(&self, group: IpAddr) -> u8 {
        let of_group = self.iter().filter(|(_, listener)| listener.local.ip() == group);
        of_group.map(|(_, listener)| listener.ttl).max().unwrap_or(1)
    }

    /// Whether these addresses are in one network that is inside for this listener.
    pub(super) fn has_inside(&self, id: ListenerId, addresses: [IpAddr; 2]) -> bool {
        let has_all = |network: &Network| addresses.iter().all(|ip| network.contains(*ip));
        self.get(id).is_some_and(|listener| listener.inside.iter().any(has_all))
    }

    /// Whether requests can go to `destination` from this listener by this protocol.
    pub(crate) fn reaches(&self, id: ListenerId, protocol: Protocol, destination: SocketAddr) -> bool {
        let ip = destination.ip();
        self.get(id).is_some_and(|listener| {
            listener.protocol == protocol && !listener.local.ip().is_multicast() && listener.reach(ip).is_some()
        })
    }

    /// The listener that `uri` names: its sent-by and its protocol.
    pub(crate) fn named_by(&self, uri: Uri<'_>) -> Option<ListenerId> {
        let (at, protocol) = (uri.host_port()?, NextHop::of_uri(uri)?.protocol());
        let named = |listener: &Listener| listener.protocol == protocol && listener.is_sent_by(at);
        self.iter().find(|(_, listener)| named(listener)).map(|(id, _)| id)
    }

    /// The listener to reach `destination` from: of this protocol, with the longest network that has the address, loopback to
    /// loopback if there is a choice, then the first that was added. Nothing is sent from a group's address.
    pub(crate) fn towards(&self, protocol: Protocol, destination: SocketAddr) -> Option<ListenerId> {
        let ip = destination.ip();
        let fits = |listener: &Listener| {
            (listener.protocol == protocol && !listener.local.ip().is_multicast()).then(|| listener.reach(ip)).flatten()
        };
        let far = |listener: &Listener| listener.local.ip().is_loopback() != ip.is_loopback();
        let reaching = self.iter().filter_map(|(id, listener)| Some(((Reverse(fits(listener)?), far(listener)), id)));
        reaching.min_by_key(|(rank, _)| *rank).map(|(_, id)| id)
    }
}

/// As configuration has it.
#[cfg(feature = "serde")]
mod plain {
    use super::{HostPortBuf, Listener, Network, Protocol, SocketAddr, Vec};

    /// A listener, whose sent-by is its local address if nothing else is said.
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    pub(super) struct Written {
        protocol: Protocol,
        local: SocketAddr,
        sent_by: Option<HostPortBuf>,
        mtu: Option<u16>,
        #[serde(default)]
        networks: Vec<Network>,
        inside: Option<Vec<Network>>,
        #[serde(default)]
        maddr: Vec<Network>,
        ttl: Option<u8>,
        #[serde(default)]
        backups: bool,
        #[serde(default)]
        hops: Vec<Network>,
        cancel_from_source: Option<bool>,
    }

    impl From<Written> for Listener {
        fn from(written: Written) -> Self {
            let Written { protocol, local, sent_by, mtu, networks, inside, maddr, ttl, backups, hops, .. } = written;
            let own = Self::new(protocol, local);
            let (sent_by, inside) = (sent_by.unwrap_or(own.sent_by), inside.unwrap_or(own.inside));
            let cancel_from_source = written.cancel_from_source.unwrap_or(own.cancel_from_source);
            let ttl = ttl.unwrap_or(own.ttl);
            Self { protocol, local, sent_by, mtu, networks, inside, maddr, ttl, backups, hops, cancel_from_source }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listeners(locals: &[&str]) -> (Listeners, alloc::vec::Vec<ListenerId>) {
        let mut listeners = Listeners::default();
        let ids = locals.iter().map(|local| listeners.add(Listener::udp(local.parse().expect("an address"))));
        let ids = ids.collect();
        (listeners, ids)
    }

    #[test]
    fn the_listener_towards_an_address_has_its_family_and_stays_on_its_side_of_loopback() {
        let (listeners, ids) = listeners(&["127.0.0.1:5060", "192.0.2.1:5060", "192.0.2.2:5060", "[2001:db8::1]:5060"]);
        let towards = |address: &str| listeners.towards(Protocol::Udp, address.parse().expect("an address"));
        assert_eq!(towards("198.51.100.1:5060"), Some(ids[1]));
        assert_eq!(towards("127.0.0.1:5070"), Some(ids[0]));
        assert_eq!(towards("[2001:db8::9]:5060"), Some(ids[3]));
        assert_eq!(listeners.towards(Protocol::Tcp, "192.0.2.9:5060".parse().expect("an address")), None);
    }

    #[test]
    fn the_listener_whose_network_names_most_of_the_address_wins_and_then_the_first() {
        let network = |address: &str, prefix| Network { address: address.parse().expect("an address"), prefix };
        let udp = |local: &str| Listener::udp(local.parse().expect("an address"));
        let mut listeners = Listeners::default();
        let inner = listeners.add(udp("192.0.2.1:5060").with_networks([network("10.0.0.0", 8), network("fd00::", 8)]));
        let v6 = listeners.add(udp("[2001:db8::1]:5060").with_networks([network("fd00::", 8)]));
        let any = listeners.add(udp("198.51.100.1:5060"));
        let nearer = listeners.add(udp("192.0.2.2:5060").with_networks([network("10.1.0.0", 16)]));
        listeners.add(udp("192.0.2.3:5060").with_networks([network("10.1.255.255", 16)]));
        let towards = |address: &str| listeners.towards(Protocol::Udp, address.parse().expect("an address"));
        assert_eq!(towards("10.2.0.1:5060"), Some(inner));
        assert_eq!(towards("10.1.0.1:5060"), Some(nearer));
        assert_eq!(towards("203.0.113.1:5060"), Some(any));
        assert_eq!(towards("[fd00::1]:5060"), Some(v6));
        assert_eq!(towards("[2001:db8::9]:5060"), None);
    }

    #[test]
    fn a_listener_that_has_moved_keeps_its_handle_and_its_last_sent_bys_come_back_in_responses() {
        let (mut listeners, ids) = listeners(&["192.0.2.1:5060", "192.0.2.2:5060"]);
        let sent_by = |text: &str| text.parse::<HostPortBuf>().unwrap();
        let at = |place: usize| Listener::udp(SocketAddr::from(([198, 51, 100, place as u8], 5060)));
        for place in 1..=6 {
            let before = listeners.get(ids[0]).unwrap().clone();
            assert_eq!(listeners.replace(ids[0], at(place)), Ok(before));
        }
        assert_eq!(listeners.get(ids[0]), Some(&at(6)));
        assert_eq!(listeners.via_up_to_branch(ids[0]), Some("SIP/2.0/UDP 198.51.100.6;branch="));
        assert!(listeners.is_ours(sent_by("198.51.100.6").as_host_port()));
        let known = |text: &str| {
            (listeners.inserts(sent_by(text).as_host_port()), listeners.is_ours(sent_by(text).as_host_port()))
        };
        assert_eq!([known("198.51.100.5"), known("198.51.100.2")], [(true, false); 2]);
        assert_eq!([known("198.51.100.1"), known("192.0.2.1")], [(false, false); 2]);
        // The other one stays where it is, and nothing takes the place of what is none, or of another protocol.
        assert_eq!(listeners.get(ids[1]), Some(&Listener::udp("192.0.2.2:5060".parse().unwrap())));
        let tcp = Listener::tcp("198.51.100.9:5060".parse().unwrap());
        assert_eq!(listeners.replace(ids[0], tcp), Err(CommandError::Invalid("listener")));
        assert_eq!(listeners.replace(ListenerId::from_parts(7, 1), at(7)), Err(CommandError::Gone));
        assert_eq!(listeners.get(ids[0]), Some(&at(6)));
    }

    #[test]
    fn here_is_written_with_the_transport_that_leads_here() {
        let local: SocketAddr = "192.0.2.1:5070".parse().expect("an address");
        let uri = |listener: Listener, secure| listener.uri(Some("bob"), secure, ";lr");
        assert_eq!(uri(Listener::udp(local), false), "sip:bob@192.0.2.1:5070;lr");
        assert_eq!(uri(Listener::tcp(local), false), "sip:bob@192.0.2.1:5070;transport=tcp;lr");
        assert_eq!(uri(Listener::tls(local), false), "sip:bob@192.0.2.1:5070;transport=tls;lr");
        assert_eq!(uri(Listener::tls(local), true), "sips:bob@192.0.2.1:5070;lr");
        assert_eq!(uri(Listener::wss(local), true), "sips:bob@192.0.2.1:5070;transport=ws;lr");
        assert_eq!(uri(Listener::ws(local), false), "sip:bob@192.0.2.1:5070;transport=ws;lr");
        assert_eq!(Listener::sctp(local).uri(None, false, ""), "sip:192.0.2.1:5070;transport=sctp");
    }

    #[test]
    fn the_default_port_is_left_out_of_sent_by() {
        use alloc::string::ToString;
        let sent_by = |local: &str| Listener::udp(local.parse().expect("an address")).sent_by.to_string();
        assert_eq!(sent_by("192.0.2.1:5060"), "192.0.2.1");
        assert_eq!(sent_by("192.0.2.1:5070"), "192.0.2.1:5070");
        assert_eq!(sent_by("[2001:db8::1]:5070"), "[2001:db8::1]:5070");
        // RFC 3261 §18.2.2, RFC 7118 §5.5.
        let defaults = [
            (Listener::tcp as fn(SocketAddr) -> Listener, 5060),
            (Listener::sctp, 5060),
            (Listener::tls, 5061),
            (Listener::ws, 80),
            (Listener::wss, 443),
        ];
        for (listener, default) in defaults {
            let port = |port| listener(SocketAddr::from(([192, 0, 2, 1], port))).sent_by.port;
            assert_eq!((port(default), port(5070)), (None, Some(5070)));
        }
    }
}
