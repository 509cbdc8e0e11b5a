//! The connections that there are, found by name and by the far end (RFC 3261 §18).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::message::header::Protocol;
use crate::message::{Framer, Host, HostBuf};
use crate::time::{Duration, Instant};

use super::super::Limits;
use super::super::alarm::Alarm;

/// A connection.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) listener: ListenerId,
    pub(crate) protocol: Protocol,
    pub(crate) remote: SocketAddr,
    pub(crate) phase: Phase,
    /// The name that the far end had to prove when we opened it.
    pub(crate) server_name: Option<HostBuf>,
    /// The names that the far end has proved.
    pub(crate) identities: Vec<HostBuf>,
    /// The port at the far end's address that it is an alias for (RFC 5923 §8.2).
    pub(crate) alias: Option<u16>,
    /// Cuts a byte stream into messages; `None` for a protocol that keeps messages apart.
    pub(crate) framer: Option<Framer>,
    /// How many octets of an unfinished message are held, and since when.
    pub(crate) unfinished: Option<(usize, Instant)>,
    /// While the driver holds what it could not write: how much was sent since.
    pub(crate) stalled: Option<usize>,
    /// Whether the far end has ended its side: nothing more comes.
    pub(crate) ended: bool,
    /// Transactions that use it.
    pub(crate) users: usize,
    pub(crate) last_use: Instant,
    /// Until when it stays open though nothing uses it.
    pub(crate) kept_until: Option<Instant>,
    /// When a pong is missed.
    pub(crate) pong_due: Option<Instant>,
    pub(crate) alarm: Alarm,
}

/// How far a connection has come.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    /// We have asked for it.
    Opening {
        until: Instant,
    },
    /// The far end has opened it and not yet sent a whole message.
    Fresh {
        until: Instant,
    },
    Open,
}

impl Connection {
    pub(crate) fn new(
        listener: ListenerId,
        protocol: Protocol,
        remote: SocketAddr,
        phase: Phase,
        now: Instant,
    ) -> Self {
        Self {
            listener,
            protocol,
            remote,
            phase,
            server_name: None,
            identities: Vec::new(),
            alias: None,
            framer: None,
            unfinished: None,
            stalled: None,
            ended: false,
            users: 0,
            last_use: now,
            kept_until: None,
            pong_due: None,
            alarm: Alarm::default(),
        }
    }

    pub(crate) const fn is_half_open(&self) -> bool {
        !matches!(self.phase, Phase::Open)
    }

    /// The time at which this connection is given up if nothing else happens, and why. `patience` is 64·T1.
    pub(crate) fn deadline(&self, patience: Duration) -> Option<(Instant, Reason)> {
        let slow = self.unfinished.map(|(_, since)| (since + patience, Reason::Slow));
        let phase = match self.phase {
            Phase::Opening { until, .. } => Some((until, Reason::Unopened)),
            Phase::Fresh { until } => Some((until, Reason::Slow)),
            Phase::Open if self.users == 0 && self.ended => Some((self.last_use, Reason::Idle)),
            Phase::Open if self.users == 0 => {
                let idle = self.last_use + patience;
                Some((self.kept_until.map_or(idle, |until| idle.max(until)), Reason::Idle))
            }
            Phase::Open => None,
        };
        let pong = self.pong_due.map(|due| (due, Reason::NoPong));
        [slow, phase, pong].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Whether a request for a server of this name may go along it, its address being right. A far end that must show who
    /// it is has shown that it is this one (RFC 5922 §7.3, RFC 5923 §8.1).
    fn serves(&self, server_name: Host<'_>) -> bool {
        if !self.protocol.is_secure() {
            return true;
        }
        let proved = self.server_name.iter().chain(&self.identities);
        proved.into_iter().any(|proved| proved.as_host() == server_name)
    }
}

/// Why a connection is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It was not opened in time.
    Unopened,
    /// A message does not end, or the first one does not come.
    Slow,
    NoPong,
    Idle,
}

/// All connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections {
    /// Names given out so far.
    reserved: u64,
    table: BTreeMap<ConnectionId, Connection>,
    /// By the far end, and by the address it is an alias for.
    index: BTreeSet<(Protocol, SocketAddr, ConnectionId)>,
    addresses: BTreeMap<IpAddr, usize>,
    half_open: usize,
    /// Octets of unfinished messages.
    unfinished: usize,
    /// Those that hold too much that was not written, and are about to be closed.
    pub(crate) overflowed: Vec<ConnectionId>,
}

const FIRST: ConnectionId = ConnectionId::from_parts(0, 0);
const LAST: ConnectionId = ConnectionId::from_parts(u32::MAX, u32::MAX);

impl Connections {
    /// A name that was never given out before.
    pub(crate) fn reserve(&mut self) -> ConnectionId {
        self.reserved += 1;
        let (generation, slot) = ((self.reserved >> 32) as u32, self.reserved as u32);
        ConnectionId::from_parts(slot, generation)
    }

    /// Whether the name was given out, and is not in use.
    pub(crate) fn is_free(&self, id: ConnectionId) -> bool {
        let (slot, generation) = id.parts();
        let number = u64::from(generation) << 32 | u64::from(slot);
        (1..=self.reserved).contains(&number) && !self.table.contains_key(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// The connections of a listener, the oldest first: all are looked at.
    pub(crate) fn of_listener(&self, listener: ListenerId) -> Vec<ConnectionId> {
        self.table.iter().filter(|(_, connection)| connection.listener == listener).map(|(id, _)| *id).collect()
    }

    /// The flow of a connection that is there.
    pub(crate) fn flow(&self, id: ConnectionId) -> Option<Flow> {
        let connection = self.table.get(&id)?;
        Some(Flow { listener: connection.listener, remote: connection.remote, connection: Some(id) })
    }

    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.table.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.table.get_mut(&id)
    }

    /// Whether one more from or to this address is within the limits.
    pub(crate) fn admits(&self, remote: IpAddr, limits: &Limits) -> bool {
        self.table.len() < limits.connections
            && self.half_open < limits.half_open_connections
            && self.addresses.get(&remote).copied().unwrap_or(0) < limits.connections_per_address
    }

    pub(crate) fn insert(&mut self, id: ConnectionId, connection: Connection) {
        self.half_open += usize::from(connection.is_half_open());
        *self.addresses.entry(connection.remote.ip()).or_default() += 1;
        self.index.insert((connection.protocol, connection.remote, id));
        self.table.insert(id, connection);
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        let connection = self.table.remove(&id)?;
        self.half_open -= usize::from(connection.is_half_open());
        self.unfinished -= connection.unfinished.map_or(0, |(octets, _)| octets);
        self.index.remove(&(connection.protocol, connection.remote, id));
        if let Some(port) = connection.alias {
            self.index.remove(&(connection.protocol, SocketAddr::new(connection.remote.ip(), port), id));
        }
        if let Some(count) = self.addresses.get_mut(&connection.remote.ip()) {
            *count -= 1;
            if *count == 0 {
                self.addresses.remove(&connection.remote.ip());
            }
        }
        Some(connection)
    }

    /// Takes note that a connection is open.
    pub(super) fn establish(&mut self, id: ConnectionId) {
        let Some(connection) = self.table.get_mut(&id) else { return };
        self.half_open -= usize::from(connection.is_half_open());
        connection.phase = Phase::Open;
    }

    /// Takes note of how much is held of an unfinished message; whether all of it together is within the limit.
    pub(crate) fn hold(&mut self, id: ConnectionId, octets: usize, now: Instant, most: usize) -> bool {
        let Some(connection) = self.table.get_mut(&id) else { return true };
        let (before, since) = connection.unfinished.unwrap_or((0, now));
        connection.unfinished = (octets > 0).then_some((octets, since));
        self.unfinished = self.unfinished - before + octets;
        octets <= before || self.unfinished <= most
    }

    /// Makes it an alias for `port` at the far end's address (RFC 5923 §8.2).
    pub(crate) fn set_alias(&mut self, id: ConnectionId, port: u16) {
        let Some(connection) = self.table.get_mut(&id) else { return };
        let (protocol, ip) = (connection.protocol, connection.remote.ip());
        if let Some(old) = connection.alias.replace(port)
            && SocketAddr::new(ip, old) != connection.remote
        {
            self.index.remove(&(protocol, SocketAddr::new(ip, old), id));
        }
        self.index.insert((protocol, SocketAddr::new(ip, port), id));
    }

    /// A connection along which a request for this address and server may go: an open one if there is, the oldest of them.
    pub(crate) fn reusable(
        &self,
        protocol: Protocol,
        remote: SocketAddr,
        server_name: Host<'_>,
    ) -> Option<ConnectionId> {
        let there = self.index.range((protocol, remote, FIRST)..=(protocol, remote, LAST));
        let usable = there.filter_map(|&(_, _, id)| {
            let connection =
                self.table.get(&id).filter(|connection| !connection.ended && connection.serves(server_name))?;
            let opening = matches!(connection.phase, Phase::Opening { .. });
            (!self.overflowed.contains(&id)).then_some((opening, id))
        });
        usable.min().map(|(_, id)| id)
    }

    /// Takes note that so much is sent; false if the connection takes no more.
    pub(crate) fn sends(&mut self, id: ConnectionId, octets: usize, most: usize) -> bool {
        if self.overflowed.contains(&id) {
            return false;
        }
        let Some(connection) = self.table.get_mut(&id) else { return false };
        let Some(held) = &mut connection.stalled else { return true };
        *held = held.saturating_add(octets);
        if *held > most {
            self.overflowed.push(id);
            return false;
        }
        true
    }

    /// The name that the far end must show, in the form in which [`Output::Open`](crate::Output::Open) says it.
    pub(crate) fn written(server_name: &HostBuf) -> Box<str> {
        match server_name.as_host().ip() {
            Some(ip) => alloc::format!("{ip}").into(),
            None => alloc::format!("{server_name}").into(),
        }
    }
}
