//! Network address translation (RFC 4787).

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use sansip::{Duration, Instant};

use super::World;
use crate::fault::is_name;
use crate::trace::{NodeId, Stopped};

/// A NAT: what it is like. It is no node of the trace: it changes addresses when a datagram is sent, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nat {
    /// Its address outside.
    pub address: IpAddr,
    /// How long a binding lasts after the last datagram from inside (RFC 4787 §4.3; REQ-5 asks for at least two minutes).
    pub timeout: Duration,
    /// Whether each far end sees another port (address and port-dependent mapping, §4.1).
    pub mapping_depends: bool,
    /// Whether only who was sent something lately gets in (address and port-dependent filtering, §5).
    pub filtering_depends: bool,
    /// Whether those inside can reach one another by outside addresses (§6).
    pub hairpin: bool,
}

impl Nat {
    /// The strict kind: a binding for each pair of inside and outside that only this outside can use, for two minutes, and no
    /// hairpin.
    pub const fn strict(address: IpAddr) -> Self {
        let timeout = Duration::from_secs(120);
        Self { address, timeout, mapping_depends: true, filtering_depends: true, hairpin: false }
    }
}

/// The first port that a binding has; others follow in order, none twice while it is bound.
const FIRST_PORT: u16 = 49_152;

/// A NAT with its bindings.
#[derive(Clone, Debug)]
pub(super) struct NatBox {
    name: String,
    nat: Nat,
    next_port: u16,
    /// By inside and, if mapping depends on it, outside.
    ports: BTreeMap<(SocketAddr, Option<SocketAddr>), u16>,
    bindings: BTreeMap<u16, Binding>,
}

#[derive(Clone, Debug)]
struct Binding {
    inside: SocketAddr,
    outside: Option<SocketAddr>,
    /// When something was last sent to each far end.
    sent: BTreeMap<SocketAddr, Instant>,
}

impl NatBox {
    /// The address that the far end sees of something that is sent from inside.
    fn outbound(&mut self, inside: SocketAddr, outside: SocketAddr, now: Instant) -> SocketAddr {
        self.expire(now);
        let key = (inside, self.nat.mapping_depends.then_some(outside));
        let port = match self.ports.get(&key) {
            Some(port) => *port,
            None => self.bind(key),
        };
        if let Some(binding) = self.bindings.get_mut(&port) {
            binding.sent.insert(outside, now);
        }
        SocketAddr::new(self.nat.address, port)
    }

    fn bind(&mut self, key: (SocketAddr, Option<SocketAddr>)) -> u16 {
        while self.bindings.contains_key(&self.next_port) {
            self.next_port = self.next_port.checked_add(1).unwrap_or(FIRST_PORT);
        }
        let port = self.next_port;
        self.next_port = port.checked_add(1).unwrap_or(FIRST_PORT);
        let (inside, outside) = key;
        self.ports.insert(key, port);
        self.bindings.insert(port, Binding { inside, outside, sent: BTreeMap::new() });
        port
    }

    /// Who inside gets something that comes from outside to a port.
    fn inbound(&mut self, port: u16, from: SocketAddr, now: Instant) -> Option<SocketAddr> {
        self.expire(now);
        let binding = self.bindings.get(&port)?;
        (!self.nat.filtering_depends || binding.sent.contains_key(&from)).then_some(binding.inside)
    }

    fn expire(&mut self, now: Instant) {
        let timeout = self.nat.timeout;
        let ports = &mut self.ports;
        self.bindings.retain(|_, binding| {
            binding.sent.retain(|_, sent| *sent + timeout > now);
            if binding.sent.is_empty() {
                ports.remove(&(binding.inside, binding.outside));
            }
            !binding.sent.is_empty()
        });
    }

    /// It forgets its bindings; new ones have other ports.
    pub(super) fn forget(&mut self) {
        self.ports.clear();
        self.bindings.clear();
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name
    }
}

/// The way of a datagram after every NAT on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    /// Where it seems to come from.
    pub(super) source: SocketAddr,
    /// Where it ends.
    pub(super) destination: SocketAddr,
}

impl World {
    /// Puts a NAT into the world. Its name is for plans: `nat@12s:forget`.
    ///
    /// # Panics
    /// If the name is taken or could not stand in a plan, or if there is a NAT of that address.
    pub fn add_nat(&mut self, name: &str, nat: Nat) {
        assert!(is_name(name), "`{name}` is no name for a NAT");
        let taken = self.node(name).is_some() || self.nats.iter().any(|other| other.is(name));
        assert!(!taken, "there is a node or NAT `{name}` already");
        assert!(!self.nats.iter().any(|other| other.nat.address == nat.address), "there is a NAT at {}", nat.address);
        let (ports, bindings) = (BTreeMap::new(), BTreeMap::new());
        self.nats.push(NatBox { name: name.to_owned(), nat, next_port: FIRST_PORT, ports, bindings });
    }

    /// Puts a node behind a NAT: its addresses are of use only to others behind the same one.
    ///
    /// # Panics
    /// If there is no NAT of that name.
    pub fn put_behind(&mut self, node: NodeId, nat: &str) {
        let behind = self.nats.iter().position(|found| found.is(nat));
        self.nodes[node.0].behind = Some(behind.unwrap_or_else(|| panic!("there is no NAT `{nat}`")));
    }

    /// The way of a datagram from a node's own address to a destination as the node wrote it.
    pub(super) fn route(
        &mut self,
        from: NodeId,
        source: SocketAddr,
        destination: SocketAddr,
    ) -> Result<Route, Stopped> {
        if self.nats.is_empty() {
            return Ok(Route { source, destination });
        }
        let now = self.now;
        let behind = self.nodes[from.0].behind;
        let nat_there = self.nats.iter().position(|other| other.nat.address == destination.ip());
        let node_there = self.ports.get(&(destination, false)).or_else(|| self.ports.get(&(destination, true)));
        let hidden = node_there.and_then(|port| self.nodes[port.node.0].behind);
        if hidden.is_some() && hidden == behind {
            return Ok(Route { source, destination });
        }
        if hidden.is_some() {
            return Err(Stopped::Nobody);
        }
        if nat_there.is_some() && nat_there == behind && !nat_there.is_some_and(|nat| self.nats[nat].nat.hairpin) {
            return Err(Stopped::Nat);
        }
        let source = behind.map_or(source, |nat| self.nats[nat].outbound(source, destination, now));
        match nat_there {
            None => Ok(Route { source, destination }),
            Some(nat) => {
                let inside = self.nats[nat].inbound(destination.port(), source, now);
                inside.map(|destination| Route { source, destination }).ok_or(Stopped::Nat)
            }
        }
    }
}
