//! Sending what is located: one way after the other (RFC 3261 §18.1.1).

use alloc::format;
use alloc::string::String;

use crate::id::{DeliveryId, ListenerId};
use crate::message::{HeaderId, Request};
use crate::transport::Flow;

use super::super::{Endpoint, Failure};
use super::{Cancel, Progress, Purpose, Stage};

impl Endpoint {
    /// Sends what is located.
    pub(super) fn dispatch(&mut self, id: DeliveryId) {
        let Some(delivery) = self.deliveries.get(id) else { return };
        match &delivery.purpose {
            Purpose::Transaction { .. } => {
                if !self.attempt(id) {
                    self.fail_delivery(id, Failure::Transport);
                }
            }
            Purpose::Acknowledgement => {
                let branch = self.random.branch("");
                let sent = self.send_without_transaction(id, &branch);
                match (sent, self.deliveries.get_mut(id)) {
                    (Some(stage), Some(delivery)) => {
                        delivery.stage = stage;
                        delivery.request = None;
                    }
                    _ => self.fail_delivery(id, Failure::Transport),
                }
            }
            Purpose::Relay { branch } => {
                let branch = branch.clone();
                self.send_without_transaction(id, &branch);
                self.end_delivery(id);
            }
        }
    }

    fn send_without_transaction(&mut self, id: DeliveryId, branch: &str) -> Option<Stage> {
        let flow = self.next_way(id)?;
        let request = self.with_via(self.deliveries.get(id)?.request.as_deref()?, flow.listener, branch)?;
        let bytes = request.as_bytes().clone();
        self.send(flow, bytes.clone());
        Some(Stage::Kept { flow, bytes })
    }

    /// Tries the next address in a new transaction; false if there is none that can be tried.
    pub(super) fn attempt(&mut self, id: DeliveryId) -> bool {
        let Some(flow) = self.next_way(id) else { return false };
        let Some(delivery) = self.deliveries.get(id) else { return false };
        let Purpose::Transaction { branch_suffix, .. } = &delivery.purpose else { return false };
        let branch = self.random.branch(branch_suffix);
        let request = delivery.request.as_deref().and_then(|request| self.with_via(request, flow.listener, &branch));
        let Some(request) = request else { return false };
        let client = self.start_client(Some(id), &request, &branch, flow);
        if let Some(delivery) = self.deliveries.get_mut(id) {
            delivery.stage = Stage::Sent { client, progress: Progress::Nothing, cancel: Cancel::No };
            if delivery.destinations.is_empty() {
                delivery.request = None;
            }
        }
        true
    }

    /// The next address to try and the listener that leads there.
    fn next_way(&mut self, id: DeliveryId) -> Option<Flow> {
        let delivery = self.deliveries.get_mut(id)?;
        loop {
            let destination = delivery.destinations.pop()?;
            if let Some(listener) = self.listeners.towards(delivery.protocol, destination) {
                return Some(Flow::datagram(listener, destination));
            }
        }
    }

    /// The request with our Via on top (§18.1.1), asking for rport if so configured (RFC 3581 §3).
    fn with_via(&self, request: &Request, listener: ListenerId, branch: &str) -> Option<Request> {
        let listener = self.listeners.get(listener)?;
        let mut via: String = format!("SIP/2.0/{} {};branch={branch}", listener.protocol.as_str(), listener.sent_by);
        if self.config.rport {
            via.push_str(";rport");
        }
        request.edit().push_first(HeaderId::Via, via).finish().ok()
    }
}
