//! Tells which node an address belongs to.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::reader::Message;
use crate::packet::{Packet, Via};

/// Addresses that have one node's name: `192.0.2.3,10.0.0.3:5080=sbc`. One without a port has the name at every port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    name: String,
    addresses: Vec<(IpAddr, Option<u16>)>,
}

impl FromStr for Names {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const RIGHT: &str = "a name is given to addresses as in 192.0.2.3,10.0.0.3:5080=sbc";
        let (addresses, name) = text.split_once('=').filter(|(_, name)| !name.is_empty()).ok_or(RIGHT)?;
        let read = |text: &str| {
            let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
            let with_port = || text.trim().parse::<SocketAddr>().map(|address| (address.ip(), Some(address.port())));
            bare.parse().map(|ip| (ip, None)).or_else(|_| with_port()).map_err(|_| RIGHT)
        };
        let addresses = addresses.split(',').map(read).collect::<Result<_, _>>()?;
        Ok(Self { name: name.to_owned(), addresses })
    }
}

/// The nodes of some messages: an address and port each, but for what is known to be one.
#[derive(Debug)]
pub(super) struct Nodes<'n> {
    names: &'n [Names],
    /// Addresses that are another one's.
    others: BTreeMap<SocketAddr, SocketAddr>,
}

/// So many addresses may lead from one to the next.
const STEPS: usize = 8;

impl<'n> Nodes<'n> {
    pub(super) const fn new(names: &'n [Names]) -> Self {
        Self { names, others: BTreeMap::new() }
    }

    /// Learns whose the addresses of a message are: those on both sides of a NAT are one node's, and a port that a request was sent from belongs
    /// to the node that its topmost Via names (RFC 3261 §18.1.1).
    pub(super) fn learn(&mut self, message: &Message, packet: &Packet<'_>) {
        if let Some((source, destination)) = message.behind {
            self.join(source, message.source);
            self.join(message.destination, destination);
        }
        for (at, listener) in [(message.source, message.listeners.0), (message.destination, message.listeners.1)] {
            if let Some(listener) = listener {
                self.join(at, listener);
            }
        }
        if packet.is_request()
            && let Some(port) = listening(&packet.top(), message)
        {
            self.join(message.source, SocketAddr::new(message.source.ip(), port));
        }
    }

    fn join(&mut self, one: SocketAddr, other: SocketAddr) {
        let (one, other) = (self.first(one), self.first(other));
        if one != other {
            self.others.insert(one, other);
        }
    }

    fn first(&self, address: SocketAddr) -> SocketAddr {
        let step = |at: SocketAddr| self.others.get(&at).copied();
        std::iter::successors(Some(address), |at| step(*at)).take(STEPS).last().unwrap_or(address)
    }

    /// The name of the node at an address: one that was given, or the address.
    pub(super) fn name(&self, address: SocketAddr) -> String {
        let first = self.first(address);
        let has = |names: &&Names, at: SocketAddr| {
            names.addresses.iter().any(|(ip, port)| *ip == at.ip() && port.is_none_or(|port| port == at.port()))
        };
        let given = [address, first].into_iter().find_map(|at| self.names.iter().find(|names| has(names, at)));
        given.map_or_else(|| first.to_string(), |names| names.name.clone())
    }
}

/// Where the ends of connections listen. A phone registers along a connection, and is called along it in another call: there nothing says
/// whose port that is.
#[derive(Debug)]
pub(super) struct Listeners {
    known: BTreeMap<SocketAddr, SocketAddr>,
    /// The ends in the order in which they were learnt.
    order: VecDeque<SocketAddr>,
    most: usize,
}

impl Listeners {
    /// Knows none yet, and at most so many.
    pub(super) const fn new(most: usize) -> Self {
        Self { known: BTreeMap::new(), order: VecDeque::new(), most }
    }

    /// Learns where the sender of a request listens, and gives what is known of both ends of a message.
    pub(super) fn learn(&mut self, message: &Message, packet: &Packet<'_>) -> (Option<SocketAddr>, Option<SocketAddr>) {
        if message.stream.is_none() || message.names != (None, None) {
            return (None, None);
        }
        if packet.is_request()
            && let Some(port) = listening(&packet.top(), message)
            && self.known.insert(message.source, SocketAddr::new(message.source.ip(), port)).is_none()
        {
            self.order.push_back(message.source);
            if self.order.len() > self.most
                && let Some(oldest) = self.order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
        let of = |at| self.known.get(&at).copied();
        (of(message.source), of(message.destination))
    }
}

/// The port at which the sender of a request listens, if that is at the address that it was sent from. A host name is taken to be that over
/// connections, whose ports are of no meaning, unless it is one of nobody's (RFC 7118 §5).
fn listening(via: &Via<'_>, message: &Message) -> Option<u16> {
    let (host, port) = match via.sent_by.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host.trim(), Some(port.trim().parse().ok()?)),
        _ => (via.sent_by, None),
    };
    let is_there = match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(ip) => ip == message.source.ip(),
        Err(_) => message.stream.is_some() && !host.to_ascii_lowercase().ends_with(".invalid"),
    };
    let usual = if via.protocol().eq_ignore_ascii_case("TLS") { 5061 } else { 5060 };
    is_there.then(|| port.unwrap_or(usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_given() {
        let names: Names = "192.0.2.3,[2001:db8::1],10.0.0.3:5080=sbc".parse().unwrap();
        let names = [names];
        let nodes = Nodes::new(&names);
        let name = |at: &str| nodes.name(at.parse().unwrap());
        assert_eq!([name("192.0.2.3:9"), name("[2001:db8::1]:5060"), name("10.0.0.3:5080")], ["sbc"; 3]);
        assert_eq!(name("10.0.0.3:5060"), "10.0.0.3:5060");
        for wrong in ["", "sbc", "192.0.2.3=", "192.0.2=sbc", "192.0.2.3,=sbc", "host=sbc"] {
            assert!(wrong.parse::<Names>().is_err(), "{wrong}");
        }
    }
}
