//! Sending what is located: one way after the other (RFC 3261 §18.1.1).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use crate::endpoint::DeliveryId;
use crate::flow::{ConnectionId, Flow};
use crate::message::header::Protocol;
use crate::message::{HeaderId, Request};

use super::super::connections::Way;
use super::super::{Endpoint, Failure};
use super::{Cancel, Delivery, Destination, Progress, Purpose, Stage};

/// A request with our Via on top, ready for its way.
struct Ready {
    flow: Flow,
    branch: String,
    request: Request,
}

impl Endpoint {
    /// Sends what is located.
    pub(super) fn dispatch(&mut self, id: DeliveryId) {
        if !self.attempt(id) {
            let unknown = self.deliveries.get(id).is_some_and(|delivery| delivery.places.are_unknown());
            self.no_destination(id, if unknown { Failure::Unresolved } else { Failure::Transport });
        }
    }

    /// Tries the next place, in a new transaction if there is any; false if there is none that can be tried.
    pub(super) fn attempt(&mut self, id: DeliveryId) -> bool {
        while let Some(destination) = self.next_destination(id) {
            let tried = match destination {
                Destination::At { protocol: Protocol::Udp, address } => self.attempt_datagram(id, address, true),
                Destination::Fallback(address) => self.attempt_datagram(id, address, false),
                Destination::At { protocol, address } => self.attempt_connection(id, protocol, address),
                Destination::Along(flow) => self.attempt_flow(id, flow),
            };
            if tried == Some(true) {
                return true;
            }
        }
        false
    }

    /// A request that may be too large for a datagram goes over TCP, if that can be had (§18.1.1).
    fn attempt_datagram(&mut self, id: DeliveryId, address: SocketAddr, size_counts: bool) -> Option<bool> {
        let listener = self.listeners.towards(Protocol::Udp, address)?;
        let branch = self.new_branch(id)?;
        let ready = self.ready(id, Flow::datagram(listener, address), branch)?;
        let largest = self.listeners.get(listener)?.largest_request();
        let too_large = ready.request.as_bytes().len() > largest && !address.ip().is_multicast();
        if size_counts && too_large && self.listeners.towards(Protocol::Tcp, address).is_some() {
            self.deliveries.get_mut(id)?.destinations.push(Destination::Fallback(address));
            return self.attempt_connection(id, Protocol::Tcp, address);
        }
        Some(self.launch(id, ready))
    }

    fn attempt_connection(&mut self, id: DeliveryId, protocol: Protocol, address: SocketAddr) -> Option<bool> {
        let listener = self.listeners.towards(protocol, address)?;
        let server_name = self.server_name(id)?;
        match self.connect(listener, address, &server_name)? {
            Way::Open(flow) => self.launch_along(id, flow),
            Way::Opening(connection) => self.wait_for(id, connection),
        }
    }

    fn attempt_flow(&mut self, id: DeliveryId, flow: Flow) -> Option<bool> {
        match flow.connection {
            None => {
                self.listeners.get(flow.listener).filter(|listener| !listener.protocol.is_reliable())?;
                self.launch_along(id, flow)
            }
            Some(connection) => match self.way_along(connection)? {
                Way::Open(flow) => self.launch_along(id, flow),
                Way::Opening(connection) => self.wait_for(id, connection),
            },
        }
    }

    fn wait_for(&mut self, id: DeliveryId, connection: ConnectionId) -> Option<bool> {
        self.deliveries.get_mut(id)?.stage = Stage::Opening { connection };
        self.await_opening(connection, id);
        Some(true)
    }

    /// The connection that a request waited for is open.
    pub(in crate::endpoint) fn delivery_opened(&mut self, id: DeliveryId, connection: ConnectionId) {
        if self.waits_for(id, connection) {
            let flow = self.connections.flow(connection);
            if flow.and_then(|flow| self.launch_along(id, flow)) != Some(true) {
                self.dispatch(id);
            }
        }
    }

    /// The connection that a request waited for could not be opened: the next place.
    pub(in crate::endpoint) fn delivery_unopened(&mut self, id: DeliveryId, connection: ConnectionId) {
        if self.waits_for(id, connection) {
            let more = self.deliveries.get(id).is_some_and(Delivery::has_more);
            self.stats.failovers += u64::from(more);
            self.dispatch(id);
        }
    }

    fn waits_for(&self, id: DeliveryId, connection: ConnectionId) -> bool {
        let stage = self.deliveries.get(id).map(|delivery| &delivery.stage);
        matches!(stage, Some(Stage::Opening { connection: awaited }) if *awaited == connection)
    }

    fn launch_along(&mut self, id: DeliveryId, flow: Flow) -> Option<bool> {
        let branch = self.new_branch(id)?;
        let ready = self.ready(id, flow, branch)?;
        Some(self.launch(id, ready))
    }

    /// The branch of the next attempt.
    fn new_branch(&mut self, id: DeliveryId) -> Option<String> {
        Some(match &self.deliveries.get(id)?.purpose {
            Purpose::Transaction { branch_suffix, .. } => self.random.branch(branch_suffix),
            Purpose::Acknowledgement => self.random.branch(""),
            Purpose::Relay { branch } => String::from(&**branch),
        })
    }

    fn ready(&self, id: DeliveryId, flow: Flow, branch: String) -> Option<Ready> {
        let delivery = self.deliveries.get(id)?;
        let request = self.with_via(delivery.request.as_deref()?, flow, &branch, delivery.ttl)?;
        Some(Ready { flow, branch, request })
    }

    /// Sends the request; false if it is no more.
    fn launch(&mut self, id: DeliveryId, Ready { flow, branch, request }: Ready) -> bool {
        let Some(delivery) = self.deliveries.get_mut(id) else { return false };
        if flow.connection.is_some() {
            delivery.destinations.retain(|destination| !matches!(destination, Destination::Fallback(_)));
        }
        match delivery.purpose {
            Purpose::Transaction { .. } => {
                if !delivery.has_more() {
                    // Not what there was room for either: a million requests wait like this.
                    delivery.destinations = Vec::new();
                    delivery.request = None;
                }
                let client = self.start_client(Some(id), &request, &branch, flow);
                if let Some(delivery) = self.deliveries.get_mut(id) {
                    delivery.stage = Stage::Sent { client, progress: Progress::Nothing, cancel: Cancel::No };
                }
            }
            Purpose::Acknowledgement => {
                let bytes = request.as_bytes().clone();
                delivery.stage = Stage::Kept { flow, bytes: bytes.clone() };
                delivery.request = None;
                self.end_places(id);
                self.send(flow, bytes);
            }
            Purpose::Relay { .. } => {
                self.end_delivery(id);
                self.send(flow, request.as_bytes().clone());
            }
        }
        true
    }

    /// The request with our Via on top (§18.1.1), asking for rport if so configured (RFC 3581 §3), and with a Content-Length
    /// where a stream needs one (§18.3).
    fn with_via(&self, request: &Request, flow: Flow, branch: &str, ttl: Option<u8>) -> Option<Request> {
        let rport = if self.config.rport && flow.connection.is_none() { ";rport" } else { "" };
        let group = match flow.remote.ip() {
            IpAddr::V4(group) if group.is_multicast() => format!(";maddr={group};ttl={}", ttl.unwrap_or(1)),
            IpAddr::V6(group) if group.is_multicast() => format!(";maddr=[{group}]"),
            IpAddr::V4(_) | IpAddr::V6(_) => String::new(),
        };
        let with_length;
        let lacks_length = !request.headers().contains(HeaderId::ContentLength);
        let request = if lacks_length && self.needs_content_length(flow.listener) {
            with_length = request.edit().content_length().finish().ok()?;
            &with_length
        } else {
            request
        };
        request.with_via_on_top(&[self.listeners.via_up_to_branch(flow.listener)?, branch, rport, &group])
    }
}
