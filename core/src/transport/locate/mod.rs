//! Locating servers (RFC 3263 §4 and §5, RFC 2782, RFC 7984) as questions and answers.
//!
//! A [`Locator`] says what has to be asked and is told what was answered, in any order. It takes up to three steps: which
//! services a domain has (NAPTR), which servers offer them (SRV), and what addresses these have (A, AAAA). What comes out is
//! a list of ways, the best first; a way can be taken as soon as no better one can come.

mod naptr;
mod srv;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use smallvec::{SmallVec, smallvec};

use crate::message::header::Protocol;
use crate::message::{Host, HostBuf};
use crate::node::{Answer, Question};
use crate::random::Random;
use crate::transport::Limits;

use super::destination::over_tls;
use super::{Listener, Listeners, NextHop};
use srv::{Draw, Offer};

/// Octets of the longest name that DNS has, written with dots (RFC 1035 §2.3.4).
const LONGEST_NAME: usize = 253;

/// Octets of the longest label.
const LONGEST_LABEL: usize = 63;

/// Octets that a service puts before the name of its domain, at most.
const LONGEST_SERVICE: usize = "_sip._sctp.".len();

/// One way to a next hop: a protocol, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) address: SocketAddr,
    pub(crate) protocol: Protocol,
}

/// A next hop, as far as it is known before anybody is asked.
#[derive(Clone, Debug)]
pub(crate) enum Located {
    /// All there is to know.
    At(Place),
    /// The resolver has to be asked.
    Search(Locator),
    /// It cannot be reached.
    Nowhere,
}

/// Which question an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The services of the domain.
    Services,
    /// The servers of the service in this place.
    Servers(usize),
    /// The addresses of the host in this place.
    Addresses(usize),
}

/// Finds the ways to one next hop.
#[derive(Clone, Debug)]
pub(crate) struct Locator {
    /// The TARGET of RFC 3263 §4.
    name: Box<str>,
    /// The protocols that we have and may use, the preferred one first.
    protocols: Protocols,
    /// The protocol by which the name is reached if no service of it is known.
    default: Protocol,
    /// For a stateless proxy, in the place of randomness: equal records have the same order each time (§4.4).
    computed: Option<u64>,
    bounds: Bounds,
    step: Step,
    /// The questions that are to be asked.
    questions: VecDeque<(Asked, Question)>,
    /// Questions that were asked or are to be.
    asked: usize,
    /// The ways taken so far.
    taken: Vec<Place>,
}

/// The bounds on a search, from [`Limits`].
#[derive(Clone, Copy, Debug)]
struct Bounds {
    questions: usize,
    records: usize,
    destinations: usize,
}

/// A few protocols, each once.
type Protocols = SmallVec<[Protocol; 8]>;

/// The step of a search.
#[derive(Clone, Debug)]
enum Step {
    Services,
    Servers(Vec<Service>),
    Addresses {
        /// In the order in which they are to be tried.
        servers: Vec<Server>,
        hosts: Vec<Named>,
    },
}

/// A service that the domain may have.
#[derive(Clone, Debug)]
struct Service {
    protocol: Protocol,
    /// Who offers it, once that is known.
    offer: Option<Offer>,
}

/// One who offers a service.
#[derive(Clone, Copy, Debug)]
struct Server {
    /// The place of its name.
    host: usize,
    port: u16,
    protocol: Protocol,
}

/// A host and its addresses, once they are known.
#[derive(Clone, Debug)]
struct Named {
    name: Box<str>,
    addresses: Option<Vec<IpAddr>>,
}

/// Begins to look for `hop`. With `computed`, records without an order of their own get one that depends on nothing else;
/// without, a random one.
pub(crate) fn locate(hop: &NextHop, listeners: &Listeners, limits: &Limits, computed: Option<u64>) -> Located {
    if let Some(place) = already_known(hop) {
        return Located::At(place);
    }
    let protocols = protocols(hop, listeners);
    let usual = protocols.iter().find(|protocol| **protocol == hop.protocol());
    let Some(default) = usual.or(protocols.first()).copied().filter(|_| hop.port != Some(0)) else {
        return Located::Nowhere;
    };
    let name = match hop.target() {
        HostBuf::Name(name) => name.clone(),
        HostBuf::V4(ip) => return Located::At(Place::to(IpAddr::V4(*ip), hop.port, default)),
        HostBuf::V6(ip) => return Located::At(Place::to(IpAddr::V6(*ip), hop.port, default)),
    };
    if !is_askable(&name) || limits.questions == 0 {
        return Located::Nowhere;
    }
    let has_services = hop.port.is_none() && name.len() + LONGEST_SERVICE <= LONGEST_NAME;
    let Limits { questions, records, destinations, .. } = *limits;
    let mut locator = Locator {
        name: name.clone(),
        protocols,
        default,
        computed,
        bounds: Bounds { questions, records, destinations },
        step: Step::Services,
        questions: VecDeque::new(),
        asked: 0,
        taken: Vec::new(),
    };
    match hop.protocol {
        None if has_services => {
            locator.ask(Asked::Services, Question::Naptr { name });
        }
        Some(_) if has_services => locator.ask_for_servers(locator.known_services()),
        _ => {
            let port = hop.port.unwrap_or(default.default_port());
            locator.ask_for_addresses([(name, port, default)].into(), &[]);
        }
    }
    Located::Search(locator)
}

/// The place of a hop that names both its address and its protocol, as most do.
fn already_known(hop: &NextHop) -> Option<Place> {
    let ip = hop.target().as_host().ip()?;
    let protocol = hop.protocol.filter(|_| !hop.secure && hop.port != Some(0))?;
    Some(Place::to(ip, hop.port, protocol))
}

/// The protocols that `hop` can be reached by: the one that it names, else ours, that of the first listener first.
fn protocols(hop: &NextHop, listeners: &Listeners) -> Protocols {
    match hop.protocol {
        Some(protocol) if hop.secure => over_tls(protocol).into_iter().collect(),
        Some(protocol) => smallvec![protocol],
        None => {
            let mut protocols = Protocols::new();
            for (_, Listener { protocol, .. }) in listeners.iter() {
                if !protocols.contains(protocol) && (protocol.is_secure() || !hop.secure) {
                    protocols.push(*protocol);
                }
            }
            protocols
        }
    }
}

impl Place {
    fn to(ip: IpAddr, port: Option<u16>, protocol: Protocol) -> Self {
        Self { address: SocketAddr::new(ip, port.unwrap_or(protocol.default_port())), protocol }
    }
}

impl Locator {
    /// The next question to ask.
    pub(crate) fn question(&mut self) -> Option<(Asked, Question)> {
        self.questions.pop_front()
    }

    /// Whether the addresses are asked for: the last step.
    pub(crate) const fn asks_for_addresses(&self) -> bool {
        matches!(self.step, Step::Addresses { .. })
    }

    /// A question was answered. Answers of another kind than the question count for nothing.
    pub(crate) fn answer(&mut self, asked: Asked, answers: &[Answer], random: &mut Random) {
        let answers = answers.get(..self.bounds.records).unwrap_or(answers);
        match asked {
            Asked::Services => {
                if let Step::Services = self.step {
                    let mut services = naptr::services(answers, &self.protocols);
                    match services.first() {
                        Some((protocol, _)) => self.default = *protocol,
                        None => services = self.known_services(),
                    }
                    self.ask_for_servers(services);
                }
            }
            Asked::Servers(place) => {
                if let Step::Servers(services) = &mut self.step
                    && let Some(service) = services.get_mut(place)
                {
                    service.offer = Some(Offer::of(answers));
                }
            }
            Asked::Addresses(place) => {
                let addresses = answers.iter().filter_map(|answer| match answer {
                    Answer::Address(ip) => Some(*ip),
                    _ => None,
                });
                let addresses = self.in_order(addresses.collect());
                if let Step::Addresses { hosts, .. } = &mut self.step
                    && let Some(host) = hosts.get_mut(place)
                {
                    host.addresses = Some(addresses);
                }
            }
        }
        if let Step::Servers(services) = &self.step
            && services.iter().all(|service| service.offer.is_some())
        {
            self.choose_servers(random);
        }
    }

    /// The best way that was not taken yet; one that `is_silent` only if no other is left. While a better one may still come: none, if that is to be
    /// waited for, else the best that is known.
    pub(crate) fn take(
        &mut self,
        listeners: &Listeners,
        wait: bool,
        is_silent: impl Fn(Place) -> bool,
    ) -> Option<Place> {
        if self.taken.len() >= self.bounds.destinations {
            return None;
        }
        let best = self.best(listeners, wait, is_silent)?;
        self.taken.push(best);
        Some(best)
    }

    fn best(&self, listeners: &Listeners, wait: bool, is_silent: impl Fn(Place) -> bool) -> Option<Place> {
        let known = self.left().take_while(|way| way.is_some() || !wait).flatten();
        let mut usable = known.filter(|way| listeners.towards(way.protocol, way.address).is_some());
        let first = usable.next()?;
        if !is_silent(first) {
            return Some(first);
        }
        let other = usable.find(|way| !is_silent(*way));
        let may_come = wait && self.left().any(|way| way.is_none());
        other.or_else(|| (!may_come).then_some(first))
    }

    /// Whether no way is left and none can come.
    pub(crate) fn is_spent(&self) -> bool {
        self.taken.len() >= self.bounds.destinations || (self.asks_for_addresses() && self.left().next().is_none())
    }

    /// Whether there is an address, though perhaps none that a listener of ours leads to.
    pub(crate) fn has_addresses(&self) -> bool {
        !self.taken.is_empty() || self.left().any(|way| way.is_some())
    }

    /// The ways not yet taken, the best first; `None` in the place of those of a host whose addresses are not known yet.
    fn left(&self) -> impl Iterator<Item = Option<Place>> {
        let (servers, hosts) = match &self.step {
            Step::Addresses { servers, hosts } => (servers.as_slice(), hosts.as_slice()),
            Step::Services | Step::Servers(_) => Default::default(),
        };
        servers
            .iter()
            .flat_map(move |server| {
                let addresses = hosts.get(server.host).and_then(|host| host.addresses.as_deref());
                let ways = addresses.unwrap_or_default().iter();
                let ways = ways.map(|ip| Some(Place::to(*ip, Some(server.port), server.protocol)));
                addresses.is_none().then_some(None).into_iter().chain(ways)
            })
            .filter(|way| way.is_none_or(|way| !self.taken.contains(&way)))
    }

    /// The services to ask for if the domain names none: of each protocol allowed; of a SIP URI those over TLS only if we have
    /// nothing else (RFC 3263 §4.1: "_sip" for SIP URIs and "_sips" for SIPS URIs).
    fn known_services(&self) -> Vec<(Protocol, Box<str>)> {
        let plain = self.protocols.iter().any(|protocol| !protocol.is_secure());
        let asked = self.protocols.iter().filter(|protocol| !(plain && protocol.is_secure()));
        asked.filter_map(|protocol| Some((*protocol, srv::service_name(*protocol, &self.name)?))).collect()
    }

    /// Half of the questions at most are for services, so that some are left for addresses.
    fn ask_for_servers(&mut self, services: Vec<(Protocol, Box<str>)>) {
        let services = services.into_iter().take(self.bounds.questions.div_ceil(2)).enumerate().map(
            |(place, (protocol, name))| {
                let asked = self.ask(Asked::Servers(place), Question::Srv { name });
                Service { protocol, offer: if asked { None } else { Some(Offer::default()) } }
            },
        );
        self.step = Step::Servers(services.collect());
    }

    /// All offers are known: puts them in order and asks for addresses.
    fn choose_servers(&mut self, random: &mut Random) {
        let Step::Servers(services) = &mut self.step else { return };
        let mut draw = match self.computed {
            Some(seed) => Draw::Computed(seed),
            None => Draw::Random(random),
        };
        let mut servers = Vec::new();
        let mut known = Vec::new();
        for Service { protocol, offer } in services.iter_mut() {
            let Some(offer) = offer else { continue };
            let room = self.bounds.destinations.saturating_sub(servers.len());
            let records = srv::in_order(core::mem::take(&mut offer.records), room, &mut draw);
            servers.extend(records.into_iter().map(|record| (record.target, record.port, *protocol)));
            known.append(&mut offer.additional);
        }
        if servers.is_empty() {
            // Without servers the name is that of a host (RFC 3263 §4.2), unless it was said that it is none (RFC 2782).
            let offers = services.iter().map(|service| (service.protocol, service.offer.as_ref()));
            let refused: Protocols = offers
                .filter(|(_, offer)| offer.is_some_and(|offer| offer.refused))
                .map(|(protocol, _)| protocol)
                .collect();
            let mut left = [self.default].into_iter().chain(services.iter().map(|service| service.protocol));
            let protocol = left.find(|protocol| !refused.contains(protocol));
            servers.extend(protocol.map(|protocol| (self.name.clone(), protocol.default_port(), protocol)));
        }
        self.ask_for_addresses(servers, &known);
    }

    fn ask_for_addresses(&mut self, found: Vec<(Box<str>, u16, Protocol)>, known: &[(Box<str>, IpAddr)]) {
        let mut hosts: Vec<Named> = Vec::new();
        let mut servers = Vec::new();
        for (name, port, protocol) in found {
            let host = hosts.iter().position(|host| host.name == name).unwrap_or(hosts.len());
            if host == hosts.len() {
                let addresses: Vec<IpAddr> = known.iter().filter(|(of, _)| *of == name).map(|(_, ip)| *ip).collect();
                let asked =
                    addresses.is_empty() && self.ask(Asked::Addresses(host), Question::Address { name: name.clone() });
                hosts.push(Named { name, addresses: (!asked).then(|| self.in_order(addresses)) });
            }
            servers.push(Server { host, port, protocol });
        }
        self.step = Step::Addresses { servers, hosts };
    }

    /// Addresses in the order of trying: as the resolver gave them (RFC 6724), or if it must be the same each time by value,
    /// those of the family that came first before the others.
    fn in_order(&self, mut addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        if self.computed.is_some()
            && let Some(first) = addresses.first().map(IpAddr::is_ipv4)
        {
            addresses.sort_by_key(|ip| (ip.is_ipv4() != first, *ip));
        }
        addresses
    }

    /// Whether one more question may be asked; if so it is put into the queue.
    fn ask(&mut self, asked: Asked, question: Question) -> bool {
        let may = self.asked < self.bounds.questions;
        if may {
            self.asked += 1;
            self.questions.push_back((asked, question));
        }
        may
    }
}

/// Whether the resolver can be asked for `name`: it has a length that DNS allows (RFC 1035 §2.3.4).
fn is_askable(name: &str) -> bool {
    name.len() <= LONGEST_NAME && name.split('.').all(|label| label.len() <= LONGEST_LABEL)
}

/// A name out of an answer, in lower case and without a final dot; `None` if it is none, such as the root.
fn canonical(name: &str) -> Option<Box<str>> {
    match Host::parse(name.as_bytes())?.to_buf() {
        HostBuf::Name(name) => is_askable(&name).then_some(name),
        HostBuf::V4(_) | HostBuf::V6(_) => None,
    }
}
