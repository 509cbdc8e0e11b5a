//! Requests on their way out (RFC 3261 §8.1.2, §18.1.1; RFC 3263 §4).
//!
//! A delivery is a request without our Via, the addresses left to try, and where it stands. Each attempt is a client
//! transaction of its own with a new branch, so that a transaction's way never changes; the handle that the core holds
//! outlives attempts.

mod attempt;
mod locating;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::endpoint::DeliveryId;
use crate::error::CommandError;
use crate::flow::{ConnectionId, Flow};
use crate::message::header::Protocol;
use crate::message::{HostBuf, Method, Request, Response, SharedBytes, StatusCode};
use crate::tag::Tag;
use crate::time::Instant;
use crate::transaction::ClientTransactionId;
use crate::transaction::key::RequestKey;
use crate::transport::NextHop;

use super::search::Places;
use super::{Endpoint, Failure, Indication};

/// A request on its way.
#[derive(Clone, Debug)]
pub(in crate::endpoint) struct Delivery {
    tag: Tag,
    purpose: Purpose,
    /// Whom the next hop must prove to be, where it has to.
    server_name: HostBuf,
    /// How far a multicast request may go.
    ttl: Option<u8>,
    stage: Stage,
    /// The request without our Via, as long as it may have to be sent anew.
    request: Option<Box<Request>>,
    /// What is to be tried before anything else, the best last.
    destinations: Vec<Destination>,
    /// Where the next hop is.
    places: Places,
}

/// A place to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Destination {
    At {
        protocol: Protocol,
        address: SocketAddr,
    },
    /// Over UDP though the request is too large for it: there, no TCP connection could be opened (RFC 3261 §18.1.1).
    Fallback(SocketAddr),
    /// Along this flow, and no other.
    Along(Flow),
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
    /// Nothing is on its way: the place to try is not known yet.
    Locating,
    /// The way is a connection that is being opened; nothing was sent.
    Opening { connection: ConnectionId },
    /// An attempt is under way or has its final response.
    Sent { client: ClientTransactionId, progress: Progress, cancel: Cancel },
    /// An ACK for a 2xx is out and can be repeated.
    Kept { flow: Flow, bytes: SharedBytes },
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
    /// `Limit`: `deliveries` or `client_transactions`; `Draining`; `Invalid` for an ACK.
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
        let key = RequestKey::of(request.headers(), request.uri_bytes()).ok_or(CommandError::Invalid("Via"))?;
        let branch = self.stateless_branch(&key, branch_suffix).into();
        self.deliver(now, request, next_hop, Tag::NONE, Purpose::Relay { branch }).map(drop)
    }

    /// Sends a kept ACK again: the same bytes, the same way, or if that connection is gone, along another to the same address.
    /// While its next hop is still being resolved or its connection opened there is nothing to do: it goes out then.
    ///
    /// # Errors
    /// `Gone`; `WrongState` if this is no ACK.
    pub fn repeat(&mut self, now: Instant, delivery: DeliveryId) -> Result<(), CommandError> {
        self.advance(now);
        let kept = self.deliveries.get(delivery).ok_or(CommandError::Gone)?;
        match (&kept.purpose, &kept.stage) {
            (Purpose::Acknowledgement, Stage::Kept { flow, bytes }) => {
                let (flow, bytes, server_name) = (*flow, bytes.clone(), kept.server_name.clone());
                self.stats.retransmitted += 1;
                if let Some(renewed) = self.renewed(flow, &server_name) {
                    self.send(renewed, bytes.clone());
                    if let Some(kept) = self.deliveries.get_mut(delivery) {
                        kept.stage = Stage::Kept { flow: renewed, bytes };
                    }
                }
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
            Stage::Locating | Stage::Opening { .. } => {
                self.fail_delivery(delivery, Failure::Cancelled);
            }
        }
        Ok(())
    }

    /// Takes a request back that is not on its way: its next hop, or the next place after one that could not be reached, is
    /// still looked for or being connected to. False, and nothing happens, if it is. Nothing more is said of it.
    pub fn withdraw(&mut self, delivery: DeliveryId) -> bool {
        let unsent = |delivery: &Delivery| matches!(delivery.stage, Stage::Locating | Stage::Opening { .. });
        self.deliveries.get(delivery).is_some_and(unsent) && self.end_delivery(delivery).is_some()
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
        let limits = &self.config.limits;
        if self.deliveries.len() >= limits.deliveries {
            return Err(CommandError::Limit("deliveries"));
        }
        if matches!(purpose, Purpose::Transaction { .. }) {
            if self.draining {
                return Err(CommandError::Draining);
            }
            if self.clients.len() >= limits.transaction.client_transactions {
                return Err(CommandError::Limit("client_transactions"));
            }
        }
        let id = self.deliveries.insert(Delivery {
            tag,
            purpose,
            server_name: next_hop.host.clone(),
            ttl: next_hop.ttl,
            stage: Stage::Locating,
            request: Some(Box::new(request)),
            destinations: next_hop.flow.into_iter().map(Destination::Along).collect(),
            places: Places::None,
        });
        match next_hop.flow {
            Some(_) => self.dispatch(id),
            None => self.locate(id, &next_hop),
        }
        Ok(id)
    }

    /// A response came for the present attempt.
    pub(in crate::endpoint) fn delivery_answered(
        &mut self,
        id: DeliveryId,
        client: ClientTransactionId,
        response: Response,
        flow: Flow,
    ) {
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
        } else {
            *progress = Progress::Provisional;
        }
        if cancel_now {
            *cancel = Cancel::Sent;
        }
        let tag = delivery.tag;
        if is_final {
            self.end_places(id);
        }
        self.tell(Indication::Response { delivery: id, tag, response, flow });
        if cancel_now {
            self.send_cancel(client);
        }
    }

    /// The present attempt came to nothing.
    pub(in crate::endpoint) fn delivery_failed(&mut self, id: DeliveryId, failure: Failure) {
        let Some(Delivery { stage: Stage::Sent { progress, .. }, .. }) = self.deliveries.get(id) else { return };
        let progress = *progress;
        match progress {
            // The ACK did not arrive; the response is known all the same.
            Progress::Final => self.delivery_finished(id),
            Progress::Nothing if self.may_fail_over(id) => {
                if self.attempt(id) {
                    self.stats.failovers += 1;
                } else {
                    self.no_destination(id, failure);
                }
            }
            Progress::Nothing | Progress::Provisional => self.fail_delivery(id, failure),
        }
    }

    /// The transaction of the final response is over.
    pub(in crate::endpoint) fn delivery_finished(&mut self, id: DeliveryId) {
        if let Some(delivery) = self.end_delivery(id) {
            self.tell(Indication::Finished { delivery: id, tag: delivery.tag });
        }
    }

    /// Whom the next hop of a request must prove to be, where it has to.
    pub(in crate::endpoint) fn server_name(&self, id: DeliveryId) -> Option<HostBuf> {
        self.deliveries.get(id).map(|delivery| delivery.server_name.clone())
    }

    /// Whether another address may be tried (RFC 3263 §4.3): there is one, and nobody wants the request back.
    fn may_fail_over(&self, id: DeliveryId) -> bool {
        self.clients.len() < self.config.limits.transaction.client_transactions
            && self.deliveries.get(id).is_some_and(|delivery| {
                delivery.has_more() && matches!(delivery.stage, Stage::Sent { cancel: Cancel::No, .. })
            })
    }

    fn fail_delivery(&mut self, id: DeliveryId, failure: Failure) {
        let Some(delivery) = self.end_delivery(id) else { return };
        if !matches!(delivery.purpose, Purpose::Relay { .. }) {
            self.tell(Indication::Failed { delivery: id, tag: delivery.tag, failure });
        }
    }

    fn end_delivery(&mut self, id: DeliveryId) -> Option<Delivery> {
        self.end_places(id);
        self.deliveries.remove(id)
    }
}

impl Delivery {
    /// Whether there is another place to try, or may be.
    fn has_more(&self) -> bool {
        !self.destinations.is_empty() || !self.places.are_spent()
    }
}
