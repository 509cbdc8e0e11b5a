//! Sending what is located: one way after the other (RFC 3261 §18.1.1).

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::flow::{ConnectionId, Flow};
use crate::message::Request;
use crate::message::header::Protocol;
use crate::transaction::DeliveryId;
use crate::transport::Way;

use super::super::Failure;
use super::{Below, Cancel, Deliveries, Delivery, Destination, Progress, Purpose, Stage};

/// A request with our Via on top, ready for its way.
struct Ready {
    flow: Flow,
    branch: String,
    request: Request,
}

impl Deliveries {
    /// Sends what is located.
    pub(super) fn dispatch(&mut self, below: &mut Below<'_>, id: DeliveryId) {
        if !self.attempt(below, id) {
            let unknown = self.table.get(id).is_some_and(|delivery| delivery.places.are_unknown());
            self.no_destination(below, id, if unknown { Failure::Unresolved } else { Failure::Transport });
        }
    }

    /// Tries the next place, in a new transaction if there is any; false if there is none that can be tried.
    ///
    /// Each turn takes one place out, of which there are at most [`Limits::destinations`](crate::transport::Limits::destinations);
    /// a turn puts in one more at most, the fallback of a large request to UDP, which itself puts in none.
    pub(super) fn attempt(&mut self, below: &mut Below<'_>, id: DeliveryId) -> bool {
        while let Some(destination) = self.next_destination(below, id) {
            let tried = match destination {
                Destination::At { protocol: Protocol::Udp, address } => self.attempt_datagram(below, id, address, true),
                Destination::Fallback(address) => self.attempt_datagram(below, id, address, false),
                Destination::At { protocol, address } => self.attempt_connection(below, id, protocol, address),
                Destination::Along(flow) => self.attempt_flow(below, id, flow),
            };
            if tried == Some(true) {
                return true;
            }
        }
        false
    }

    /// A request that may be too large for a datagram goes over TCP, if that can be had (§18.1.1).
    fn attempt_datagram(
        &mut self,
        below: &mut Below<'_>,
        id: DeliveryId,
        address: SocketAddr,
        size_counts: bool,
    ) -> Option<bool> {
        let listener = below.wire.listeners.towards(Protocol::Udp, address)?;
        let ready = self.ready(below, id, Flow::datagram(listener, address))?;
        let largest = below.wire.listeners.get(listener)?.largest_request();
        let too_large = ready.request.as_bytes().len() > largest && !address.ip().is_multicast();
        if size_counts && too_large && below.wire.listeners.towards(Protocol::Tcp, address).is_some() {
            self.table.get_mut(id)?.destinations.push(Destination::Fallback(address));
            return self.attempt_connection(below, id, Protocol::Tcp, address);
        }
        Some(self.launch(below, id, ready))
    }

    fn attempt_connection(
        &mut self,
        below: &mut Below<'_>,
        id: DeliveryId,
        protocol: Protocol,
        address: SocketAddr,
    ) -> Option<bool> {
        let listener = below.wire.listeners.towards(protocol, address)?;
        let way = below.wire.connect(listener, address, &self.table.get(id)?.server_name)?;
        self.attempt_way(below, id, way)
    }

    fn attempt_flow(&mut self, below: &mut Below<'_>, id: DeliveryId, flow: Flow) -> Option<bool> {
        match flow.connection {
            None => {
                below.wire.listeners.get(flow.listener).filter(|listener| !listener.protocol.is_reliable())?;
                self.launch_along(below, id, flow)
            }
            Some(connection) => {
                let way = below.wire.way_along(connection)?;
                self.attempt_way(below, id, way)
            }
        }
    }

    fn attempt_way(&mut self, below: &mut Below<'_>, id: DeliveryId, way: Way) -> Option<bool> {
        match way {
            Way::Open(flow) => self.launch_along(below, id, flow),
            Way::Opening(connection) => {
                self.table.get_mut(id)?.stage = Stage::Opening { connection };
                self.waiting.entry(connection).or_default().push(id);
                Some(true)
            }
        }
    }

    /// A connection that requests may wait for is open.
    pub(in crate::endpoint) fn opened(&mut self, below: &mut Below<'_>, connection: ConnectionId) {
        for id in self.waiting.remove(&connection).unwrap_or_default() {
            if self.waits_for(id, connection) {
                let flow = below.wire.connections.flow(connection);
                if flow.and_then(|flow| self.launch_along(below, id, flow)) != Some(true) {
                    self.dispatch(below, id);
                }
            }
        }
    }

    /// A connection that requests may wait for could not be opened: the next place.
    pub(in crate::endpoint) fn unopened(&mut self, below: &mut Below<'_>, connection: ConnectionId) {
        for id in self.waiting.remove(&connection).unwrap_or_default() {
            if self.waits_for(id, connection) {
                let more = self.table.get(id).is_some_and(Delivery::has_more);
                below.wire.stats.failovers += u64::from(more);
                self.dispatch(below, id);
            }
        }
    }

    fn waits_for(&self, id: DeliveryId, connection: ConnectionId) -> bool {
        let stage = self.table.get(id).map(|delivery| &delivery.stage);
        matches!(stage, Some(Stage::Opening { connection: awaited }) if *awaited == connection)
    }

    fn launch_along(&mut self, below: &mut Below<'_>, id: DeliveryId, flow: Flow) -> Option<bool> {
        let ready = self.ready(below, id, flow)?;
        Some(self.launch(below, id, ready))
    }

    /// The request as it goes along `flow`, with a new branch.
    fn ready(&self, below: &mut Below<'_>, id: DeliveryId, flow: Flow) -> Option<Ready> {
        let delivery = self.table.get(id)?;
        let branch = match &delivery.purpose {
            Purpose::Transaction { branch_suffix, .. } => below.random.branch(branch_suffix),
            Purpose::Acknowledgement => below.random.branch(""),
            Purpose::Relay { branch } => String::from(&**branch),
        };
        let request = below.wire.with_via(delivery.request.as_deref()?, flow, &branch, delivery.ttl)?;
        Some(Ready { flow, branch, request })
    }

    /// Sends the request; false if it is no more.
    fn launch(&mut self, below: &mut Below<'_>, id: DeliveryId, Ready { flow, branch, request }: Ready) -> bool {
        let Some(delivery) = self.table.get_mut(id) else { return false };
        if flow.connection.is_some() {
            delivery.destinations.retain(|destination| !matches!(destination, Destination::Fallback(_)));
        }
        let bytes = request.as_bytes().clone();
        match delivery.purpose {
            Purpose::Transaction { .. } => {
                if !delivery.has_more() {
                    // The room for places is not kept either: a million requests wait like this.
                    delivery.destinations = Vec::new();
                    delivery.request = None;
                }
                let method = request.method();
                let client = below.clients.start(below.wire, Some(id), method.as_str(), &branch, flow, bytes);
                delivery.stage = Stage::Sent { client, progress: Progress::Nothing, cancel: Cancel::No };
            }
            Purpose::Acknowledgement => {
                delivery.stage = Stage::Kept { flow, bytes: bytes.clone() };
                delivery.request = None;
                self.end_places(below, id);
                below.wire.send(flow, bytes);
            }
            Purpose::Relay { .. } => {
                self.end(below, id);
                below.wire.send(flow, bytes);
            }
        }
        true
    }
}
