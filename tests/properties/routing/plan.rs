//! A network as data: its nodes and routes, and what its phones ask for; with how it is drawn.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use proptest::prelude::*;

/// The most nodes of a network.
pub(super) const NODES: usize = 8;
/// Users of a domain.
pub(super) const USERS: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Phone,
    /// A stateful proxy and registrar of a domain of its own.
    Stateful,
    /// A stateless proxy, which sends its domain's requests to one target.
    Stateless,
    /// A router as RFC 2543 has them.
    Strict,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Contact {
    /// A phone by its address.
    Phone(usize),
    /// A user of a domain, perhaps of the same one.
    User(usize, usize),
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) v4: bool,
    pub(super) v6: bool,
    pub(super) records: bool,
    /// Where requests go that nothing else settles.
    pub(super) default: Option<usize>,
    /// The node that a domain's requests are sent to.
    pub(super) routes: Vec<(usize, usize)>,
    /// The contacts of its users; of a stateless proxy, the first one's first is the target.
    pub(super) users: Vec<Vec<Contact>>,
}

impl Node {
    pub(super) const fn is_proxy(&self) -> bool {
        matches!(self.kind, Kind::Stateful | Kind::Stateless)
    }

    pub(super) const fn meets(&self, other: &Self) -> bool {
        self.v4 && other.v4 || self.v6 && other.v6
    }

    pub(super) fn addresses(&self, place: usize) -> Vec<SocketAddr> {
        let both = [(self.v4, v4(place)), (self.v6, v6(place))];
        both.into_iter().filter(|(has, _)| *has).map(|(_, ip)| (ip, 5060).into()).collect()
    }
}

fn v4(place: usize) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, 10 + place as u8).into()
}

fn v6(place: usize) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 10 + place as u16).into()
}

/// The course of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Message,
    /// The caller hangs up in the end.
    Call,
    /// The callee does.
    CallEndedThere,
    /// Nobody answers, and the caller gives up.
    Ringing,
}

#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) from: usize,
    pub(super) at: u64,
    pub(super) what: What,
    pub(super) to: Contact,
    /// The proxies of a preloaded Route.
    pub(super) via: Vec<usize>,
}

#[derive(Clone)]
pub(super) struct Net {
    pub(super) nodes: Vec<Node>,
    pub(super) asks: Vec<Ask>,
    pub(super) seed: u64,
    /// Percent of datagrams lost, and of those that come twice or late, while there is weather.
    pub(super) loss: u32,
    pub(super) late: u32,
}

impl fmt::Debug for Net {
    /// A line for each node and request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, node) in self.nodes.iter().enumerate() {
            let Node { kind, v4, v6, records, default, routes, users } = node;
            let (families, records) = (
                ["no", "v6", "v4", "v4+v6"][usize::from(*v4) * 2 + usize::from(*v6)],
                ["", " records"][usize::from(*records)],
            );
            writeln!(
                f,
                "node {place}: {kind:?} {families}{records}, * to {default:?}, routes {routes:?}, users {users:?}"
            )?;
        }
        for Ask { from, at, what, to, via } in &self.asks {
            writeln!(f, "{at} ms: {from} {what:?} {to:?} via {via:?}")?;
        }
        write!(f, "seed {}, loss {} %, late {} %", self.seed, self.loss, self.late)
    }
}

pub(super) fn domain(place: usize) -> String {
    format!("d{place}.test")
}

impl Net {
    /// The URI of a contact.
    pub(super) fn uri(&self, contact: Contact) -> String {
        match contact {
            Contact::Phone(place) => format!("sip:p{place}@{}", host(self.nodes[place].addresses(place)[0].ip())),
            Contact::User(place, user) => format!("sip:u{user}@{}", domain(place)),
        }
    }

    /// The value of Route that names a node.
    pub(super) fn route(&self, place: usize) -> String {
        match self.nodes[place].kind {
            Kind::Strict => format!("sip:{}", domain(place)),
            _ => format!("sip:{};lr", domain(place)),
        }
    }

    /// The node that a host part names.
    pub(super) fn named(&self, host: &str) -> Option<usize> {
        let host = host.trim_matches(['[', ']']);
        (0..self.nodes.len()).find(|place| {
            let is_domain = self.nodes[*place].kind != Kind::Phone && domain(*place).eq_ignore_ascii_case(host);
            is_domain || self.nodes[*place].addresses(*place).iter().any(|at| at.ip().to_string() == host)
        })
    }

    /// The phone that registers the users of a domain: the first one that can send there.
    pub(super) fn registrant(&self, place: usize) -> Option<usize> {
        let is_it =
            |phone: &usize| self.nodes[*phone].kind == Kind::Phone && self.nodes[*phone].meets(&self.nodes[place]);
        (0..self.nodes.len()).find(is_it)
    }
}

pub(super) fn host(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

/// Everything that is drawn of a node: indices count modulo what there is.
type Drawn = (u8, u8, bool, Option<usize>, Vec<(usize, usize)>, Vec<Vec<(bool, usize, usize)>>);

fn drawn() -> impl Strategy<Value = Drawn> {
    let index = || 0..NODES;
    let contact = || (prop::bool::weighted(0.6), index(), 0..USERS);
    let contacts = prop_oneof![1 => Just(Vec::new()), 6 => prop::collection::vec(contact(), 1..3)];
    let users = prop::collection::vec(contacts, USERS);
    let default = prop_oneof![1 => Just(None), 1 => index().prop_map(Some)];
    (0..10_u8, 0..6_u8, any::<bool>(), default, prop::collection::vec((index(), index()), 0..3), users)
}

fn node((kind, family, records, default, routes, users): Drawn) -> Node {
    let kind = match kind {
        0..4 => Kind::Stateful,
        4..6 => Kind::Stateless,
        6..8 => Kind::Strict,
        _ => Kind::Phone,
    };
    // A phone and a strict router are at home in one family; half of the proxies are in both.
    let single = matches!(kind, Kind::Phone | Kind::Strict);
    let (v4, v6) = match family {
        0..3 if !single => (true, true),
        0..2 | 3..5 => (true, false),
        _ => (false, true),
    };
    let contact = |(is_phone, place, user): (bool, usize, usize)| match is_phone {
        true => Contact::Phone(place),
        false => Contact::User(place, user),
    };
    let users = users.into_iter().map(|contacts| contacts.into_iter().map(contact).collect()).collect();
    Node { kind, v4, v6, records, default, routes, users }
}

/// Any network of up to eight nodes, of which the first two are phones and the third is a registrar.
pub(super) fn nets() -> impl Strategy<Value = Net> {
    let what = prop_oneof![
        3 => Just(What::Message),
        2 => Just(What::Call),
        2 => Just(What::CallEndedThere),
        1 => Just(What::Ringing),
    ];
    let contact = (prop::bool::weighted(0.1), 0..NODES, 0..USERS);
    let ask = (0..NODES, 2_000..8_000_u64, what, contact, prop::collection::vec(0..NODES, 0..3));
    let asks = prop::collection::vec(ask, 1..5);
    let weather = (any::<u64>(), prop_oneof![Just(0), 0..30_u32], prop_oneof![Just(0), 0..30_u32]);
    (prop::collection::vec(drawn(), 4..=NODES), asks, weather).prop_map(|(nodes, asks, (seed, loss, late))| {
        let mut nodes: Vec<Node> = nodes.into_iter().map(node).collect();
        for (place, kind) in [Kind::Phone, Kind::Phone, Kind::Stateful].into_iter().enumerate() {
            nodes[place].kind = kind;
            if kind == Kind::Phone {
                nodes[place].v6 = !nodes[place].v4;
            }
        }
        let count = nodes.len();
        let phones: Vec<usize> = (0..count).filter(|place| nodes[*place].kind == Kind::Phone).collect();
        let others: Vec<usize> = (0..count).filter(|place| nodes[*place].kind != Kind::Phone).collect();
        let proxies: Vec<usize> = others.iter().copied().filter(|place| nodes[*place].is_proxy()).collect();
        let of = |places: &[usize], index: usize| places[index % places.len()];
        let contact = |contact| match contact {
            Contact::Phone(index) => Contact::Phone(of(&phones, index)),
            Contact::User(index, user) => Contact::User(of(&proxies, index), user),
        };
        for node in &mut nodes {
            node.default = node.default.map(|index| of(&others, index));
            node.routes = node.routes.iter().map(|(key, to)| (of(&proxies, *key), of(&others, *to))).collect();
            for contacts in &mut node.users {
                contacts.iter_mut().for_each(|it| *it = contact(*it));
            }
        }
        // A route for the node's own domain would stand before its users.
        for (place, node) in nodes.iter_mut().enumerate() {
            node.routes.retain(|(key, to)| *key != place && *to != place);
            node.default = node.default.filter(|to| *to != place);
        }
        let ask = |(from, at, what, (is_phone, place, user), via): (_, _, _, (bool, _, _), Vec<usize>)| {
            let to = if is_phone { Contact::Phone(place) } else { Contact::User(place, user) };
            let via = via.into_iter().map(|index| of(&others, index)).collect();
            Ask { from: of(&phones, from), at, what, to: contact(to), via }
        };
        let asks = asks.into_iter().map(ask).collect();
        Net { nodes, asks, seed, loss, late }
    })
}
