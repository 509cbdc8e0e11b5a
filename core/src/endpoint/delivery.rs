//! Requests on their way out (RFC 3261 §8.1.2, §18.1.1; RFC 3263 §4).
//!
//! A delivery is a request without our Via, the addresses left to try, and where it stands. Each attempt is a client
//! transaction of its own with a new branch, so that a transaction's way never changes; the handle that the core holds
//! outlives attempts.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::error::CommandError;
use crate::id::{ClientTransactionId, DeliveryId, ListenerId, QueryId};
use crate::message::header::Protocol;
use crate::message::{HeaderId, HostBuf, Method, Request, Response, SharedBytes, StatusCode};
use crate::node::{Answer, Output, Question};
use crate::tag::Tag;
use crate::time::Instant;
use crate::transaction::key::RequestKey;
use crate::transport::NextHop;

use super::timers::{Alarm, TimerKey};
use super::{Endpoint, Failure, Indication};

/// A request on its way.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    tag: Tag,
    purpose: Purpose,
    protocol: Protocol,
    stage: Stage,
    /// The request without our Via, as long as it may have to be sent anew.
    request: Option<Box<Request>>,
    /// The addresses not yet tried, the best last.
    destinations: Vec<SocketAddr>,
}

#[derive(Clone, Debug)]
enum Purpose {
    /// A request with client transactions.
    Transaction { is_invite: bool, branch_suffix: Box<str> },
    /// The ACK for a 2xx.
    Acknowledgement,
    /// A request forwarded statelessly under this branch.
    Relay { branch: Box<str> },
}

#[derive(Clone, Debug)]
enum Stage {
    /// The resolver has been asked.
    Resolving { query: QueryId, next_hop: NextHop, alarm: Alarm },
    /// The way is known; nothing was sent.
    Located,
    /// An attempt is under way or has its final response.
    Sent { client: ClientTransactionId, progress: Progress, cancel: Cancel },
    /// An ACK for a 2xx is out and can be repeated.
    Kept { listener: ListenerId, destination: SocketAddr, bytes: SharedBytes },
}

/// What has come back for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Nothing,
    Provisional,
    Final,
}

/// Whether an INVITE is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cancel {
    No,
    /// It is, but the CANCEL waits for a provisional response (§9.1).
    Waiting,
    Sent,
}

impl Endpoint {
    /// Sends a request (any method but ACK) to its next hop, in one client transaction per address tried.
    ///
    /// `request` carries no Via of ours: one is pushed when the way is known. `branch_suffix` is appended to each branch
    /// (the proxy's loop check, RFC 3261 §16.6 step 8; RFC 5393 §4.2), or empty.
    ///
    /// # Errors
    /// `Limit("deliveries")`; `Invalid` for an ACK.
    pub fn request(
        &mut self,
        now: Instant,
        request: Request,
        next_hop: NextHop,
        tag: Tag,
        branch_suffix: &str,
    ) -> Result<DeliveryId, CommandError> {
        if request.method() == Method::Ack {
            return Err(CommandError::Invalid("method"));
        }
        let is_invite = request.method() == Method::Invite;
        self.deliver(
            now,
            request,
            next_hop,
            tag,
            Purpose::Transaction { is_invite, branch_suffix: branch_suffix.into() },
        )
    }

    /// Sends the ACK for a 2xx: no transaction; the same bytes are kept for [`repeat`](Self::repeat) until
    /// [`release`](Self::release).
    ///
    /// # Errors
    /// `Limit("deliveries")`; `Invalid` for anything but an ACK.
    pub fn acknowledge(
        &mut self,
        now: Instant,
        ack: Request,
        next_hop: NextHop,
        tag: Tag,
    ) -> Result<DeliveryId, CommandError> {
        if ack.method() != Method::Ack {
            return Err(CommandError::Invalid("method"));
        }
        self.deliver(now, ack, next_hop, tag, Purpose::Acknowledgement)
    }

    /// Forwards a request statelessly (RFC 3261 §16.11): an ACK through a proxy, or a CANCEL without a context. No
    /// transaction, and nothing kept. The topmost Via must still be that of the previous hop: the branch is computed from
    /// it, so that retransmissions, ACK and CANCEL get the branch of their INVITE.
    ///
    /// # Errors
    /// `Limit("deliveries")`; `Invalid` for a request without a usable Via.
    pub fn relay(
        &mut self,
        now: Instant,
        request: Request,
        next_hop: NextHop,
        branch_suffix: &str,
    ) -> Result<(), CommandError> {
        let key = RequestKey::of(&request).ok_or(CommandError::Invalid("Via"))?;
        let branch = self.stateless_branch(&key, branch_suffix).into();
        self.deliver(now, request, next_hop, Tag::NONE, Purpose::Relay { branch }).map(drop)
    }

    /// Sends a kept ACK again: the same bytes, the same way. While its next hop is still being resolved there is nothing
    /// to do: it goes out then.
    ///
    /// # Errors
    /// `Gone`; `WrongState` if this is no ACK.
    pub fn repeat(&mut self, now: Instant, delivery: DeliveryId) -> Result<(), CommandError> {
        self.advance(now);
        let kept = self.deliveries.get(delivery).ok_or(CommandError::Gone)?;
        match (&kept.purpose, &kept.stage) {
            (Purpose::Acknowledgement, Stage::Kept { listener, destination, bytes }) => {
                let (listener, destination, bytes) = (*listener, *destination, bytes.clone());
                self.stats.retransmitted += 1;
                self.send(listener, destination, bytes);
                Ok(())
            }
            (Purpose::Acknowledgement, _) => Ok(()),
            _ => Err(CommandError::WrongState),
        }
    }

    /// Forgets a kept ACK.
    pub fn release(&mut self, delivery: DeliveryId) {
        let kept = self.deliveries.get(delivery);
        if kept.is_some_and(|kept| matches!(kept.purpose, Purpose::Acknowledgement)) {
            self.end_delivery(delivery);
        }
    }

    /// Cancels an INVITE (RFC 3261 §9.1): before it was sent it just ends ([`Failure::Cancelled`]); without a provisional
    /// response the CANCEL waits for one; 64·T1 after the CANCEL the INVITE is given up ([`Failure::Timeout`]). A second
    /// cancel changes nothing.
    ///
    /// # Errors
    /// `Gone`; `WrongState` after a final response, or if this is no INVITE.
    pub fn cancel(&mut self, now: Instant, delivery: DeliveryId) -> Result<(), CommandError> {
        self.advance(now);
        let cancelled = self.deliveries.get_mut(delivery).ok_or(CommandError::Gone)?;
        if !matches!(cancelled.purpose, Purpose::Transaction { is_invite: true, .. }) {
            return Err(CommandError::WrongState);
        }
        match &mut cancelled.stage {
            Stage::Sent { progress: Progress::Final, .. } | Stage::Kept { .. } => return Err(CommandError::WrongState),
            Stage::Sent { client, cancel: cancel @ Cancel::No, .. } => {
                let client = *client;
                if self.clients.is_proceeding_invite(client) {
                    *cancel = Cancel::Sent;
                    self.send_cancel(client);
                } else {
                    *cancel = Cancel::Waiting;
                }
            }
            Stage::Sent { cancel: Cancel::Waiting | Cancel::Sent, .. } => {}
            Stage::Resolving { .. } | Stage::Located => self.fail_delivery(delivery, Failure::Cancelled),
        }
        Ok(())
    }

    fn deliver(
        &mut self,
        now: Instant,
        request: Request,
        next_hop: NextHop,
        tag: Tag,
        purpose: Purpose,
    ) -> Result<DeliveryId, CommandError> {
        self.advance(now);
        if self.deliveries.len() >= self.config.limits.deliveries {
            return Err(CommandError::Limit("deliveries"));
        }
        let id = self.deliveries.insert(Delivery {
            tag,
            purpose,
            protocol: next_hop.protocol(),
            stage: Stage::Located,
            request: Some(Box::new(request)),
            destinations: Vec::new(),
        });
        self.locate(id, next_hop);
        Ok(id)
    }

    /// Goes on at once if the next hop is an address; asks the resolver if it is a name.
    fn locate(&mut self, id: DeliveryId, next_hop: NextHop) {
        let Some(delivery) = self.deliveries.get_mut(id) else { return };
        match (&next_hop.host, next_hop.host.as_host().ip()) {
            (_, Some(ip)) => {
                delivery.destinations.push(next_hop.at(ip));
                self.dispatch(id);
            }
            (HostBuf::Name(name), None) => {
                let query = self.queries.insert(id);
                let mut alarm = Alarm::default();
                let deadline = self.now + self.schedule.sixty_four_t1;
                alarm.set(&mut self.timers, Some(deadline), TimerKey::Delivery(id));
                let question = Question::Address { name: name.clone() };
                self.outputs.push_back(Output::Resolve { query, question });
                delivery.stage = Stage::Resolving { query, next_hop, alarm };
            }
            (_, None) => self.fail_delivery(id, Failure::Unresolved),
        }
    }

    /// The resolver has answered.
    pub(super) fn resolved(&mut self, query: QueryId, answers: &[Answer]) {
        let Some(id) = self.queries.remove(query) else { return };
        let Some(delivery) = self.deliveries.get_mut(id) else { return };
        let Stage::Resolving { next_hop, alarm, .. } = &mut delivery.stage else { return };
        alarm.stop(&mut self.timers);
        for Answer::Address(ip) in answers {
            let destination = next_hop.at(*ip);
            if delivery.destinations.len() < self.config.limits.destinations
                && !delivery.destinations.contains(&destination)
                && self.listeners.towards(delivery.protocol, destination).is_some()
            {
                delivery.destinations.push(destination);
            }
        }
        delivery.destinations.reverse();
        delivery.stage = Stage::Located;
        if answers.is_empty() {
            self.fail_delivery(id, Failure::Unresolved);
        } else {
            self.dispatch(id);
        }
    }

    /// The resolver has not answered in time.
    pub(super) fn delivery_timer(&mut self, id: DeliveryId) {
        if let Some(Delivery { stage: Stage::Resolving { alarm, .. }, .. }) = self.deliveries.get_mut(id) {
            alarm.fired();
            self.fail_delivery(id, Failure::Unresolved);
        }
    }

    /// Sends what is located.
    fn dispatch(&mut self, id: DeliveryId) {
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
        let (listener, destination) = self.next_way(id)?;
        let request = self.with_via(self.deliveries.get(id)?.request.as_deref()?, listener, branch)?;
        let bytes = request.as_bytes().clone();
        self.send(listener, destination, bytes.clone());
        Some(Stage::Kept { listener, destination, bytes })
    }

    /// Tries the next address in a new transaction; false if there is none that can be tried.
    fn attempt(&mut self, id: DeliveryId) -> bool {
        let Some((listener, destination)) = self.next_way(id) else { return false };
        let Some(delivery) = self.deliveries.get(id) else { return false };
        let Purpose::Transaction { branch_suffix, .. } = &delivery.purpose else { return false };
        let branch = self.random.branch(branch_suffix);
        let request = delivery.request.as_deref().and_then(|request| self.with_via(request, listener, &branch));
        let Some(request) = request else { return false };
        let client = self.start_client(Some(id), &request, &branch, listener, destination);
        if let Some(delivery) = self.deliveries.get_mut(id) {
            delivery.stage = Stage::Sent { client, progress: Progress::Nothing, cancel: Cancel::No };
            if delivery.destinations.is_empty() {
                delivery.request = None;
            }
        }
        true
    }

    /// The next address to try and the listener that leads there.
    fn next_way(&mut self, id: DeliveryId) -> Option<(ListenerId, SocketAddr)> {
        let delivery = self.deliveries.get_mut(id)?;
        loop {
            let destination = delivery.destinations.pop()?;
            if let Some(listener) = self.listeners.towards(delivery.protocol, destination) {
                return Some((listener, destination));
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

    /// A response came for the present attempt.
    pub(super) fn delivery_answered(&mut self, id: DeliveryId, client: ClientTransactionId, response: Response) {
        if response.status() == StatusCode::SERVICE_UNAVAILABLE && self.may_fail_over(id) {
            self.clients.set_owner(client, None);
            if self.attempt(id) {
                self.stats.failovers += 1;
                return;
            }
            self.clients.set_owner(client, Some(id));
        }
        let Some(delivery) = self.deliveries.get_mut(id) else { return };
        let Stage::Sent { progress, cancel, .. } = &mut delivery.stage else { return };
        let is_final = response.status().is_final();
        let cancel_now = !is_final && *cancel == Cancel::Waiting;
        if is_final {
            *progress = Progress::Final;
            delivery.request = None;
            delivery.destinations = Vec::new();
        } else {
            *progress = Progress::Provisional;
        }
        if cancel_now {
            *cancel = Cancel::Sent;
        }
        let tag = delivery.tag;
        self.tell(Indication::Response { delivery: id, tag, response });
        if cancel_now {
            self.send_cancel(client);
        }
    }

    /// The present attempt came to nothing.
    pub(super) fn delivery_failed(&mut self, id: DeliveryId, failure: Failure) {
        let Some(Delivery { stage: Stage::Sent { progress, .. }, .. }) = self.deliveries.get(id) else { return };
        let progress = *progress;
        match progress {
            // The ACK did not arrive; the response is known all the same.
            Progress::Final => self.delivery_finished(id),
            Progress::Nothing if self.may_fail_over(id) && self.attempt(id) => self.stats.failovers += 1,
            Progress::Nothing | Progress::Provisional => self.fail_delivery(id, failure),
        }
    }

    /// The transaction of the final response is over.
    pub(super) fn delivery_finished(&mut self, id: DeliveryId) {
        if let Some(delivery) = self.end_delivery(id) {
            self.tell(Indication::Finished { delivery: id, tag: delivery.tag });
        }
    }

    /// Whether another address may be tried (RFC 3263 §4.3): there is one, and nobody wants the request back.
    fn may_fail_over(&self, id: DeliveryId) -> bool {
        self.deliveries.get(id).is_some_and(|delivery| {
            !delivery.destinations.is_empty() && matches!(delivery.stage, Stage::Sent { cancel: Cancel::No, .. })
        })
    }

    fn fail_delivery(&mut self, id: DeliveryId, failure: Failure) {
        let Some(delivery) = self.end_delivery(id) else { return };
        if !matches!(delivery.purpose, Purpose::Relay { .. }) {
            self.tell(Indication::Failed { delivery: id, tag: delivery.tag, failure });
        }
    }

    fn end_delivery(&mut self, id: DeliveryId) -> Option<Delivery> {
        let mut delivery = self.deliveries.remove(id)?;
        if let Stage::Resolving { query, alarm, .. } = &mut delivery.stage {
            self.queries.remove(*query);
            alarm.stop(&mut self.timers);
        }
        Some(delivery)
    }
}
