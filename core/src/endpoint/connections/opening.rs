//! Which connection a message goes along, and opening one (RFC 3261 §18.1.1, §18.2.2).

use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::endpoint::DeliveryId;
use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::message::header::Protocol;
use crate::message::{Host, HostBuf, Response, SharedBytes};
use crate::node::Output;
use crate::time::Instant;
use crate::transaction::derived::reread_response;

use super::super::Endpoint;
use super::table::{Connection, Connections, Phase};

/// A connection that is not open after 16·T1 (8 s) is given up: three SYNs of a usual TCP went unanswered by then.
const OPEN_WITHIN: u32 = 16;

/// A way to somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::endpoint) enum Way {
    Open(Flow),
    /// Along this connection, once it is open.
    Opening(ConnectionId),
}

impl Endpoint {
    /// The way to an address: the datagrams of `listener`, a connection that is there, or a new one. `None` at a limit.
    pub(in crate::endpoint) fn connect(
        &mut self,
        listener: ListenerId,
        remote: SocketAddr,
        server_name: &HostBuf,
    ) -> Option<Way> {
        let protocol = self.listeners.get(listener)?.protocol;
        if !protocol.is_reliable() {
            return Some(Way::Open(Flow::datagram(listener, remote)));
        }
        if let Some(id) = self.connections.reusable(protocol, remote, server_name.as_host()) {
            return self.way_along(id);
        }
        self.open(listener, protocol, remote, server_name).map(Way::Opening)
    }

    /// The same as a flow at once: what is sent along a connection that is still opening is kept by the driver.
    pub(in crate::endpoint) fn flow_to(
        &mut self,
        listener: ListenerId,
        remote: SocketAddr,
        server_name: &HostBuf,
    ) -> Option<Flow> {
        match self.connect(listener, remote, server_name)? {
            Way::Open(flow) => Some(flow),
            Way::Opening(id) => self.connections.flow(id),
        }
    }

    /// The way along a connection; `None` if that is no more.
    pub(in crate::endpoint) fn way_along(&self, id: ConnectionId) -> Option<Way> {
        let flow = self.connections.flow(id)?;
        let opening = self.connections.get(id).is_some_and(Connection::is_opening);
        Some(if opening { Way::Opening(id) } else { Way::Open(flow) })
    }

    fn open(
        &mut self,
        listener: ListenerId,
        protocol: Protocol,
        remote: SocketAddr,
        server_name: &HostBuf,
    ) -> Option<ConnectionId> {
        if !self.connections.admits(remote.ip(), &self.config.limits.transport) {
            self.stats.refused_connections += 1;
            return None;
        }
        let id = self.connections.reserve();
        let until = self.now + self.schedule.t1.saturating_mul(OPEN_WITHIN);
        let mut connection =
            Connection::new(listener, protocol, remote, Phase::Opening { until, waiting: Vec::new() }, self.now);
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

    /// A request waits for a connection to open.
    pub(in crate::endpoint) fn await_opening(&mut self, id: ConnectionId, delivery: DeliveryId) {
        if let Some(Phase::Opening { waiting, .. }) =
            self.connections.get_mut(id).map(|connection| &mut connection.phase)
        {
            waiting.push(delivery);
        }
    }

    /// The flow, or if its connection is gone one along another connection to the same address. What is sent along one that
    /// is still opening is kept by the driver.
    pub(in crate::endpoint) fn renewed(&mut self, flow: Flow, server_name: &HostBuf) -> Option<Flow> {
        match flow.connection {
            Some(id) if self.connections.flow(id).is_none() => self.flow_to(flow.listener, flow.remote, server_name),
            _ => Some(flow),
        }
    }

    /// Where a response goes whose request came along `path`: the same way, or if that connection is gone, along one to
    /// `received` at the port of sent-by (§18.2.2). `None` if there is no such way.
    pub(in crate::endpoint) fn way_back(&mut self, path: Flow, response: &SharedBytes) -> Option<Flow> {
        match path.connection {
            Some(id) if self.connections.flow(id).is_none() => {
                let protocol = self.listeners.get(path.listener)?.protocol;
                // A WebSocket leads back to a browser, which nobody can call (RFC 7118 §5.3).
                if matches!(protocol, Protocol::Ws | Protocol::Wss) {
                    return None;
                }
                let response = reread_response(response)?;
                let (remote, name) = sender(&response, protocol)?;
                self.flow_to(path.listener, remote, &name)
            }
            _ => Some(path),
        }
    }
}

impl Connections {
    /// Until when a connection may be opening, if it is.
    pub(in crate::endpoint) fn opening_until(&self, id: ConnectionId) -> Option<Instant> {
        match self.get(id)?.phase {
            Phase::Opening { until, .. } => Some(until),
            Phase::Fresh { .. } | Phase::Open => None,
        }
    }
}

impl Connection {
    pub(super) const fn is_opening(&self) -> bool {
        matches!(self.phase, Phase::Opening { .. })
    }

    /// The requests that wait for it to open.
    pub(super) fn take_waiting(&mut self) -> Vec<DeliveryId> {
        match &mut self.phase {
            Phase::Opening { waiting, .. } => core::mem::take(waiting),
            Phase::Fresh { .. } | Phase::Open => Vec::new(),
        }
    }
}

/// The address and name that the topmost Via of a response gives for who sent the request.
fn sender(response: &Response, protocol: Protocol) -> Option<(SocketAddr, HostBuf)> {
    let via = response.top_via()?;
    let ip = via.received().or_else(|| via.sent_by.host.ip())?;
    let port = via.sent_by.port.unwrap_or(protocol.default_port());
    (port != 0).then(|| (SocketAddr::new(ip, port), Host::to_buf(via.sent_by.host)))
}
