//! Requests on their way out (RFC 3261 §8.1.2, §18.1.1; RFC 3263 §4).
//!
//! A delivery is a request without our Via, the addresses left to try, and where it stands. Each attempt is a client
//! transaction of its own, to each place with a new branch, so that a transaction's way never changes; the handle that the core holds
//! outlives attempts. What goes out is bytes, which serve retransmission alone; the request without our Via is kept only as
//! long as there may be another attempt, which is written from it. `locating.rs` finds the places to try, `attempt.rs` tries them one
//! after the other; here is what becomes of an attempt.

mod attempt;
mod locating;
mod purpose;
mod relays;
mod waiting;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use core::net::SocketAddr;

use crate::error::CommandError;
use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::id::Arena;
use crate::message::{HostBuf, Lines, Request, Response, SharedBytes, StatusCode};
use crate::random::Random;
use crate::tag::Tag;
use crate::time::Instant;
use crate::transaction::{
    ClientTell, ClientTransactionId, ClientTransactions, DeliveryId, DeliveryKind, Heard, Owner, Wire,
};
use crate::transport::{Here, NextHop, Places};

use super::indication::Indications;
use super::{Failure, Indication};
use attempt::OnceMore;
pub(super) use purpose::{Aim, Purpose, Source};
use relays::relay_name;
use waiting::Waiting;

/// All requests on their way out.
#[derive(Clone, Debug)]
pub(super) struct Deliveries {
    table: Arena<DeliveryKind, Delivery>,
    waiting: Waiting,
    /// What tells the requests of a stateless proxy that wait for their way: branch and method.
    relays: BTreeSet<String>,
    /// The fields that the ACK of a rejection has besides, of those INVITEs that have any.
    acks: BTreeMap<DeliveryId, Box<Lines>>,
}

/// The surroundings of a delivery: the layers below, and what it may use beside them.
#[derive(Debug)]
pub(super) struct Below<'a> {
    pub(super) wire: &'a mut Wire,
    pub(super) clients: &'a mut ClientTransactions,
    pub(super) random: &'a mut Random,
    pub(super) indications: &'a mut Indications,
}

/// A request on its way.
#[derive(Clone, Debug)]
struct Delivery {
    tag: Tag,
    purpose: Purpose,
    /// The name that the next hop must prove to have, where it has to prove one.
    server_name: HostBuf,
    /// How far a multicast request may go.
    ttl: Option<u8>,
    /// The listener that is to send, where it can.
    listener: Option<ListenerId>,
    stage: Stage,
    /// The source of another attempt, as long as there may be one.
    again: Option<Again>,
    /// Where to go over UDP though the request is too large for it: there, no TCP connection could be opened (RFC 3261 §18.1.1).
    fallback: Option<SocketAddr>,
    /// The attempt that goes out once more over a new connection if the one that it went along, which was there before, is lost before
    /// anything came back.
    once_more: Option<Box<OnceMore>>,
    /// Whether the request could not be written with our Via: it is too large.
    too_large: bool,
    /// How many places were silent.
    silences: u16,
    /// Where the next hop is.
    places: Places,
}

/// A [`Source`] that is kept.
#[derive(Clone, Debug)]
struct Again {
    request: Request,
    here: Here,
    branch: Box<str>,
}

impl Again {
    const fn source(&self) -> Source<'_> {
        Source { recipe: &self.request, here: &self.here, branch: &self.branch }
    }
}

#[derive(Clone, Debug)]
enum Stage {
    /// Nothing is on its way: the place to try is not known yet.
    Locating,
    /// The way is a connection that is being opened, for which the request waits at this place; nothing was sent.
    Opening { connection: ConnectionId, place: u64 },
    /// An attempt is under way or has its final response.
    Sent { client: ClientTransactionId, since: Instant, progress: Progress, cancel: Cancel },
    /// An ACK for a 2xx is out and can be repeated.
    Kept { flow: Flow, bytes: SharedBytes },
}

/// The progress of an attempt: what has come back for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    Nothing,
    Provisional,
    Final,
}

/// Whether an INVITE is cancelled.
#[derive(Clone, Debug)]
enum Cancel {
    No,
    /// It is, but the CANCEL, which has these fields besides, waits for a provisional response (§9.1).
    Waiting(Option<Box<Lines>>),
    Sent,
}

impl Deliveries {
    pub(super) const fn new() -> Self {
        Self { table: Arena::new(), waiting: Waiting::new(), relays: BTreeSet::new(), acks: BTreeMap::new() }
    }

    pub(super) const fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.table.capacity()
    }

    /// Begins to deliver a request.
    ///
    /// # Errors
    /// `Invalid("message")` if the request cannot be written.
    pub(super) fn deliver(
        &mut self,
        below: &mut Below<'_>,
        source: Source<'_>,
        Aim { next_hop, requester, computed }: Aim,
        tag: Tag,
        purpose: Purpose,
    ) -> Result<DeliveryId, CommandError> {
        let flow = next_hop.flow;
        let id = self.table.insert_with(|id| {
            let places = match flow {
                Some(_) => Places::None,
                None => below.wire.search(Owner::Delivery(id), &next_hop, computed, requester),
            };
            let NextHop { host: server_name, ttl, listener, .. } = next_hop;
            Delivery {
                tag,
                purpose,
                server_name,
                ttl,
                listener,
                stage: Stage::Locating,
                again: None,
                fallback: None,
                once_more: None,
                too_large: false,
                silences: 0,
                places,
            }
        });
        let sent = match flow {
            Some(flow) => self.attempt_flow(below, id, source, flow).is_some(),
            None => self.attempt(below, id, source),
        };
        if !sent || self.table.get(id).is_some_and(Delivery::may_go_again) {
            match source.recipe.request() {
                Ok(request) => {
                    if let Some(delivery) = self.table.get_mut(id) {
                        let here = source.here.clone();
                        delivery.again = Some(Again { request, here, branch: source.branch.into() });
                    }
                }
                // A request that was written with our Via can be written without.
                Err(_refused) if self.table.get(id).is_some_and(|delivery| !delivery.is_sent()) => {
                    self.end(below, id);
                    return Err(CommandError::Invalid("message"));
                }
                Err(_refused) => {}
            }
        }
        if !sent {
            self.exhausted(below, id);
        }
        Ok(id)
    }

    /// See [`Endpoint::repeat`](super::Endpoint::repeat).
    pub(super) fn repeat(&mut self, below: &mut Below<'_>, id: DeliveryId) -> Result<(), CommandError> {
        let kept = self.table.get_mut(id).ok_or(CommandError::Gone)?;
        match (&kept.purpose, &mut kept.stage) {
            (Purpose::Acknowledgement, Stage::Kept { flow, bytes }) => {
                below.wire.stats.retransmitted += 1;
                if let Some(renewed) = below.wire.renewed(*flow, &kept.server_name) {
                    below.wire.send(renewed, bytes.clone());
                    *flow = renewed;
                }
                Ok(())
            }
            (Purpose::Acknowledgement, _) => Ok(()),
            _ => Err(CommandError::WrongState),
        }
    }

    /// See [`Endpoint::release`](super::Endpoint::release).
    pub(super) fn release(&mut self, below: &mut Below<'_>, id: DeliveryId) {
        let kept = self.table.get(id);
        if kept.is_some_and(|kept| matches!(kept.purpose, Purpose::Acknowledgement)) {
            self.end(below, id);
        }
    }

    /// See [`Endpoint::cancel`](super::Endpoint::cancel).
    pub(super) fn cancel(
        &mut self,
        below: &mut Below<'_>,
        id: DeliveryId,
        fields: Option<Box<Lines>>,
    ) -> Result<(), CommandError> {
        let cancelled = self.table.get_mut(id).ok_or(CommandError::Gone)?;
        if !matches!(cancelled.purpose, Purpose::Transaction { is_invite: true, .. }) {
            return Err(CommandError::WrongState);
        }
        match &mut cancelled.stage {
            Stage::Sent { progress: Progress::Final, .. } | Stage::Kept { .. } => return Err(CommandError::WrongState),
            Stage::Sent { client, cancel: cancel @ Cancel::No, .. } => {
                let client = *client;
                if below.clients.is_proceeding_invite(client) {
                    *cancel = Cancel::Sent;
                    self.send_cancel(below, client, fields.as_deref());
                } else {
                    *cancel = Cancel::Waiting(fields);
                }
            }
            Stage::Sent { cancel: Cancel::Waiting(_) | Cancel::Sent, .. } => {}
            Stage::Locating | Stage::Opening { .. } => self.fail(below, id, Failure::Cancelled),
        }
        Ok(())
    }

    /// See [`Endpoint::equip_ack`](super::Endpoint::equip_ack).
    pub(super) fn equip_ack(&mut self, id: DeliveryId, fields: Box<Lines>) {
        if self.table.contains(id) {
            self.acks.insert(id, fields);
        }
    }

    /// See [`Endpoint::withdraw`](super::Endpoint::withdraw).
    pub(super) fn withdraw(&mut self, below: &mut Below<'_>, id: DeliveryId) -> bool {
        let unsent = |delivery: &Delivery| matches!(delivery.stage, Stage::Locating | Stage::Opening { .. });
        self.table.get(id).is_some_and(unsent) && self.end(below, id).is_some()
    }

    /// A response came in this client transaction.
    pub(super) fn responded(
        &mut self,
        below: &mut Below<'_>,
        client: ClientTransactionId,
        response: Response,
        flow: Flow,
    ) {
        let server_name = |owner| self.server_name(owner);
        let fields = |owner| self.acks.get(&owner).map(|fields| &**fields);
        let heard = below.clients.respond(below.wire, client, &response, server_name, fields);
        let Some(Heard { owner: Some(owner), tell, over, flow: asked }) = heard else { return };
        match tell {
            Some(ClientTell::Response) => {
                below.wire.spoke(asked);
                self.answered(below, owner, client, response, flow);
            }
            Some(ClientTell::Timeout) => self.failed(below, owner, Failure::Timeout, asked),
            Some(ClientTell::TransportError) => self.failed(below, owner, Failure::Transport, asked),
            None if over => self.finished(below, owner),
            None => {}
        }
    }

    /// A client transaction has moved by itself.
    pub(super) fn heard(&mut self, below: &mut Below<'_>, heard: Option<Heard>) {
        let Some(Heard { owner: Some(owner), tell, over, flow }) = heard else { return };
        match tell {
            Some(ClientTell::Timeout) => self.failed(below, owner, Failure::Timeout, flow),
            Some(ClientTell::TransportError) => self.failed(below, owner, Failure::Transport, flow),
            Some(ClientTell::Response) | None if over => self.finished(below, owner),
            Some(ClientTell::Response) | None => {}
        }
    }

    /// A response came for the present attempt.
    fn answered(
        &mut self,
        below: &mut Below<'_>,
        id: DeliveryId,
        client: ClientTransactionId,
        response: Response,
        flow: Flow,
    ) {
        if response.status() == StatusCode::SERVICE_UNAVAILABLE && self.may_fail_over(below, id) {
            below.clients.set_owner(client, None);
            if self.attempt_again(below, id) {
                below.wire.stats.failovers += 1;
                return;
            }
            below.clients.set_owner(client, Some(id));
        }
        let Some(delivery) = self.table.get_mut(id) else { return };
        let Stage::Sent { progress, cancel, .. } = &mut delivery.stage else { return };
        let is_final = response.status().is_final();
        let cancel_now = if !is_final && matches!(cancel, Cancel::Waiting(_)) {
            core::mem::replace(cancel, Cancel::Sent)
        } else {
            Cancel::No
        };
        if is_final {
            *progress = Progress::Final;
            delivery.again = None;
        } else {
            *progress = Progress::Provisional;
        }
        delivery.once_more = None;
        let tag = delivery.tag;
        if is_final {
            self.end_places(below, id);
        }
        below.indications.tell(Indication::Response { delivery: id, tag, response, flow });
        if let Cancel::Waiting(fields) = cancel_now {
            self.send_cancel(below, client, fields.as_deref());
        }
    }

    fn send_cancel(&self, below: &mut Below<'_>, client: ClientTransactionId, fields: Option<&Lines>) {
        below.clients.cancel(below.wire, client, fields, |owner| self.server_name(owner));
    }

    /// The present attempt, along `flow`, came to nothing.
    fn failed(&mut self, below: &mut Below<'_>, id: DeliveryId, failure: Failure, flow: Flow) {
        let Some(delivery) = self.table.get_mut(id) else { return };
        let Stage::Sent { progress, since, .. } = delivery.stage else { return };
        if failure == Failure::Timeout && progress == Progress::Nothing {
            delivery.silences = delivery.silences.saturating_add(1);
            // An attempt that was cut short says little of the place.
            if below.wire.now.since(since) * 2 >= below.wire.patience {
                below.wire.silent(flow);
            }
        }
        match progress {
            // The ACK did not arrive; the response is known all the same.
            Progress::Final => self.finished(below, id),
            Progress::Nothing if failure == Failure::Transport && self.attempt_once_more(below, id) => {}
            Progress::Nothing if self.may_fail_over(below, id) => {
                if self.attempt_again(below, id) {
                    below.wire.stats.failovers += 1;
                } else {
                    self.no_destination(below, id, failure);
                }
            }
            Progress::Nothing | Progress::Provisional => self.fail(below, id, failure),
        }
    }

    /// The transaction of the final response is over.
    fn finished(&mut self, below: &mut Below<'_>, id: DeliveryId) {
        if let Some(delivery) = self.end(below, id) {
            below.indications.tell(Indication::Finished { delivery: id, tag: delivery.tag });
        }
    }

    /// The name that the next hop of a request must prove to have, where it has to prove one.
    fn server_name(&self, id: DeliveryId) -> Option<HostBuf> {
        self.table.get(id).map(|delivery| delivery.server_name.clone())
    }

    /// Whether another address may be tried (RFC 3263 §4.3): there is one, and nobody wants the request back.
    fn may_fail_over(&self, below: &Below<'_>, id: DeliveryId) -> bool {
        !below.clients.is_full()
            && self.table.get(id).is_some_and(|delivery| {
                usize::from(delivery.silences) <= below.wire.limits.destinations_after_silence
                    && !delivery.purpose.is_over_time(below.wire.now)
                    && delivery.again.is_some()
                    && delivery.has_more()
                    && matches!(delivery.stage, Stage::Sent { cancel: Cancel::No, .. })
            })
    }

    fn fail(&mut self, below: &mut Below<'_>, id: DeliveryId, failure: Failure) {
        let Some(delivery) = self.end(below, id) else { return };
        if !delivery.purpose.is_forgotten() {
            below.indications.tell(Indication::Failed { delivery: id, tag: delivery.tag, failure });
        }
    }

    fn end(&mut self, below: &mut Below<'_>, id: DeliveryId) -> Option<Delivery> {
        self.end_places(below, id);
        let ended = self.table.remove(id)?;
        if !self.acks.is_empty() {
            self.acks.remove(&id);
        }
        if let Stage::Opening { connection, place } = ended.stage {
            self.waiting.leave(connection, place);
        }
        if let (Purpose::Stateless { .. }, Some(again)) = (ended.purpose, &ended.again) {
            self.relays.remove(&relay_name(&again.branch, again.request.method()));
        }
        Some(ended)
    }
}

impl Delivery {
    /// Whether there is another place to try, or may be.
    fn has_more(&self) -> bool {
        self.fallback.is_some() || !self.places.are_spent()
    }

    /// Whether an attempt is or was on its way.
    const fn is_sent(&self) -> bool {
        matches!(self.stage, Stage::Sent { .. } | Stage::Kept { .. })
    }

    /// Whether there may be another attempt, for which the request has to be kept.
    fn may_go_again(&self) -> bool {
        match self.stage {
            Stage::Locating | Stage::Opening { .. } => true,
            Stage::Sent { progress, .. } => {
                progress != Progress::Final && (self.has_more() || self.once_more.is_some())
            }
            Stage::Kept { .. } => false,
        }
    }
}
