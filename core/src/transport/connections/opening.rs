//! Which connection a message goes along, and opening one (RFC 3261 §18.1.1, §18.2.2).

use core::net::SocketAddr;

use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::message::header::Protocol;
use crate::message::{Host, HostBuf, Response, SharedBytes};
use crate::node::Output;
use crate::time::Instant;

use super::super::reread::reread_response;
use super::super::special::meant;
use super::super::wire::{TimerKey, Wire};
use super::table::{Connection, Connections, Phase};

/// A way to somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Open(Flow),
    /// Along this connection, once it is open.
    Opening(ConnectionId),
}

impl<K: TimerKey> Wire<K> {
    /// The way to an address: the datagrams of `listener`, a connection that is there, or a new one. `None` at a limit.
    pub(crate) fn connect(&mut self, listener: ListenerId, remote: SocketAddr, server_name: &HostBuf) -> Option<Way> {
        let protocol = self.listeners.get(listener)?.protocol;
        if !protocol.is_reliable() {
            return Some(Way::Open(Flow::datagram(listener, remote)));
        }
        if let Some(id) = self.connections.reusable(protocol, remote, server_name.as_host()) {
            return self.way_along(id);
        }
        self.open(listener, protocol, remote, server_name).map(Way::Opening)
    }

    /// A way along a new connection, whatever others there are. `None` at a limit, and for a protocol without connections.
    pub(crate) fn connect_anew(
        &mut self,
        listener: ListenerId,
        remote: SocketAddr,
        server_name: &HostBuf,
    ) -> Option<Way> {
        let protocol = self.listeners.get(listener)?.protocol;
        protocol.is_reliable().then(|| self.open(listener, protocol, remote, server_name))?.map(Way::Opening)
    }

    /// As [`connect`](Self::connect), a flow at once: the driver keeps what is sent along a connection that is still opening.
    pub(crate) fn flow_to(&mut self, listener: ListenerId, remote: SocketAddr, server_name: &HostBuf) -> Option<Flow> {
        match self.connect(listener, remote, server_name)? {
            Way::Open(flow) => Some(flow),
            Way::Opening(id) => self.connections.flow(id),
        }
    }

    /// The way along a connection; `None` if that is no more.
    pub(crate) fn way_along(&self, id: ConnectionId) -> Option<Way> {
        let flow = self.connections.flow(id)?;
        let opening = self.connections.get(id).is_some_and(Connection::is_opening);
        Some(if opening { Way::Opening(id) } else { Way::Open(flow) })
    }

    /// Opens a connection. `None` at a limit.
    fn open(
        &mut self,
        listener: ListenerId,
        protocol: Protocol,
        remote: SocketAddr,
        server_name: &HostBuf,
    ) -> Option<ConnectionId> {
        if !self.connections.admits(remote.ip(), &self.limits) {
            self.stats.refused_connections += 1;
            return None;
        }
        let id = self.connections.reserve();
        let until = self.now + self.opening_patience;
        let mut connection = Connection::new(listener, protocol, remote, Phase::Opening { until }, self.now);
        let named = matches!(protocol, Protocol::Tls | Protocol::Ws | Protocol::Wss);
        let server_name = named.then_some(server_name);
        connection.server_name = server_name.cloned();
        self.outputs.push_back(Output::Open {
            connection: id,
            listener,
            protocol,
            remote,
            server_name: server_name.map(Connections::written),
        });
        self.add_connection(id, connection);
        Some(id)
    }

    /// Whether a response to whoever sent a request along `flow` may go to all places of the request's sent-by (RFC 3263 §5).
    pub(crate) fn follows_sent_by(&self, flow: Flow) -> bool {
        self.listeners.get(flow.listener).is_some_and(|listener| listener.backups)
            || self.named.contains(&meant(flow.remote.ip()))
    }

    /// Whether `flow` went along a connection that is gone.
    pub(crate) fn is_lost(&self, flow: Flow) -> bool {
        flow.connection.is_some_and(|id| self.connections.flow(id).is_none())
    }

    /// The flow, or if its connection is gone one along another connection to the same address. What is sent along one that
    /// is still opening is kept by the driver.
    pub(crate) fn renewed(&mut self, flow: Flow, server_name: &HostBuf) -> Option<Flow> {
        if self.is_lost(flow) { self.flow_to(flow.listener, flow.remote, server_name) } else { Some(flow) }
    }

    /// Where a response goes whose request came along `path`: the same way, or if that connection is gone, along one to
    /// `received` at the port of sent-by (§18.2.2). `None` if there is no such way.
    pub(crate) fn way_back(&mut self, path: Flow, response: &SharedBytes) -> Option<Flow> {
        if !self.is_lost(path) {
            return Some(path);
        }
        let protocol = self.listeners.get(path.listener)?.protocol;
        // A WebSocket leads back to a browser, which nobody can call (RFC 7118 §5.3).
        if matches!(protocol, Protocol::Ws | Protocol::Wss) {
            return None;
        }
        let response = reread_response(response)?;
        let (remote, name) = source_of(&response, protocol)?;
        self.flow_to(path.listener, remote, &name)
    }
}

impl Connections {
    /// Until when a connection may be opening, if it is.
    pub(crate) fn opening_until(&self, id: ConnectionId) -> Option<Instant> {
        match self.get(id)?.phase {
            Phase::Opening { until } => Some(until),
            Phase::Fresh { .. } | Phase::Open => None,
        }
    }
}

impl Connection {
    pub(super) const fn is_opening(&self) -> bool {
        matches!(self.phase, Phase::Opening { .. })
    }
}

/// The address and name that the topmost Via of a response gives for who sent the request: the address that it came from, at the port of the sent-by.
pub(crate) fn source_of(response: &Response, protocol: Protocol) -> Option<(SocketAddr, HostBuf)> {
    let via = response.top_via()?;
    let ip = via.received().or_else(|| via.sent_by.host.ip())?;
    let port = via.sent_by.port.unwrap_or(protocol.default_port());
    (port != 0).then(|| (SocketAddr::new(ip, port), Host::to_buf(via.sent_by.host)))
}
