//! The commands that send requests.

use alloc::boxed::Box;
use alloc::string::String;

use crate::error::{CommandError, Limit};
use crate::message::{Lines, Method, Recipe, Request};
use crate::tag::Tag;
use crate::time::Instant;
use crate::transaction::DeliveryId;
use crate::transaction::key::RequestKey;
use crate::transport::{Here, NextHop, Requester};

use super::Endpoint;
use super::delivery::{Aim, Purpose, Source};

/// The terms on which a request is sent for somebody else.
#[derive(Debug)]
pub(crate) struct Terms {
    /// No attempt begins then or later, and that of anything but an INVITE ends: as if nobody had answered.
    pub(crate) until: Instant,
    /// For whom it is sent, if that decides which addresses may be tried.
    pub(crate) requester: Option<Requester>,
}

impl Terms {
    /// The request is our own.
    const OWN: Self = Self { until: Instant::NEVER, requester: None };
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
        self.request_from(now, &request, &Here::Unsaid, next_hop, tag, branch_suffix)
    }

    /// As [`request`](Self::request), with a request that is written as often as it is sent, and says `here` where it comes from.
    ///
    /// # Errors
    /// As [`request`](Self::request); `Invalid("message")` if it cannot be written.
    pub(crate) fn request_from(
        &mut self,
        now: Instant,
        recipe: &dyn Recipe,
        here: &Here,
        next_hop: NextHop,
        tag: Tag,
        branch_suffix: &str,
    ) -> Result<DeliveryId, CommandError> {
        self.request_for(now, (recipe, here), next_hop, tag, branch_suffix, Terms::OWN)
    }

    /// As [`request_from`](Self::request_from), on these terms.
    ///
    /// # Errors
    /// As [`request_from`](Self::request_from).
    pub(crate) fn request_for(
        &mut self,
        now: Instant,
        (recipe, here): (&dyn Recipe, &Here),
        next_hop: NextHop,
        tag: Tag,
        branch_suffix: &str,
        Terms { until, requester }: Terms,
    ) -> Result<DeliveryId, CommandError> {
        if recipe.method() == Method::Ack {
            return Err(CommandError::Invalid("method"));
        }
        let purpose = Purpose::Transaction { is_invite: recipe.method() == Method::Invite, until };
        let aim = Aim { requester, ..Aim::at(next_hop) };
        self.deliver(now, Source { recipe, here, branch: branch_suffix }, aim, tag, purpose)
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
        self.acknowledge_from(now, &ack, next_hop, tag)
    }

    /// As [`acknowledge`](Self::acknowledge), with an ACK that is written when its way is known.
    ///
    /// # Errors
    /// As [`acknowledge`](Self::acknowledge); `Invalid("message")` if it cannot be written.
    pub(crate) fn acknowledge_from(
        &mut self,
        now: Instant,
        recipe: &dyn Recipe,
        next_hop: NextHop,
        tag: Tag,
    ) -> Result<DeliveryId, CommandError> {
        if recipe.method() != Method::Ack {
            return Err(CommandError::Invalid("method"));
        }
        let source = Source { recipe, here: &Here::Unsaid, branch: "" };
        self.deliver(now, source, Aim::at(next_hop), tag, Purpose::Acknowledgement)
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
        self.relay_from(now, &request, &request, (next_hop, None), branch_suffix)
    }

    /// As [`relay`](Self::relay), with the request as it is forwarded, and as it was received; for an requester, if that decides which addresses may be
    /// tried.
    ///
    /// # Errors
    /// As [`relay`](Self::relay); `Invalid("message")` if it cannot be written.
    pub(crate) fn relay_from(
        &mut self,
        now: Instant,
        recipe: &dyn Recipe,
        received: &Request,
        (next_hop, requester): (NextHop, Option<Requester>),
        branch_suffix: &str,
    ) -> Result<(), CommandError> {
        let branch = self.relayed_branch(received, branch_suffix)?;
        let aim = Aim { requester, ..Aim::at(next_hop) };
        self.relay_under(now, (recipe, &Here::Unsaid), aim, &branch, Purpose::Relay).map(drop)
    }

    /// As [`relay_from`](Self::relay_from), for a stateless proxy (RFC 3261 §16.11): the branch ends with our keyed mark, by which
    /// [`has_marked`](Self::has_marked) knows its response, and the request says `here` where it comes from. It goes to one place, and
    /// is lost if that cannot be reached. While it waits for the resolver, or for its connection to open, a retransmission is dropped.
    ///
    /// # Errors
    /// As [`relay_from`](Self::relay_from); `Limit("waiting_relays")` if it would have to wait.
    pub(crate) fn relay_marked(
        &mut self,
        now: Instant,
        recipe: &dyn Recipe,
        here: &Here,
        received: &Request,
        next_hop: NextHop,
    ) -> Result<(), CommandError> {
        let mut branch = self.relayed_branch(received, "")?;
        self.token_key.mark(&mut branch);
        let named = (branch.as_str(), recipe.method());
        if self.deliveries.has_relay(named.0, named.1) {
            self.wire.stats.absorbed += 1;
            return Ok(());
        }
        let may_wait = self.deliveries.relays() < self.config.limits.waiting_relays;
        if !may_wait && self.wire.has_to_ask(&next_hop) {
            return Err(CommandError::Limit(Limit::WAITING_RELAYS.name()));
        }
        let purpose = Purpose::Stateless { chosen: false };
        let id = self.relay_under(now, (recipe, here), Aim::at(next_hop), &branch, purpose)?;
        let (deliveries, mut below) = self.deliveries();
        let kept = deliveries.keep_relay(&mut below, id, named, may_wait);
        if kept { Ok(()) } else { Err(CommandError::Limit(Limit::WAITING_RELAYS.name())) }
    }

    /// The branch under which a request that was received so is forwarded statelessly.
    fn relayed_branch(&self, received: &Request, suffix: &str) -> Result<String, CommandError> {
        let key = RequestKey::of(received.headers(), received.uri_bytes()).ok_or(CommandError::Invalid("Via"))?;
        Ok(self.token_key.branch(&key, suffix))
    }

    fn relay_under(
        &mut self,
        now: Instant,
        (recipe, here): (&dyn Recipe, &Here),
        aim: Aim,
        branch: &str,
        purpose: Purpose,
    ) -> Result<DeliveryId, CommandError> {
        // Each retransmission, its CANCEL and its ACK get one choice (RFC 3263 §4.4).
        let computed = Some(self.token_key.number(branch));
        let source = Source { recipe, here, branch };
        self.deliver(now, source, Aim { computed, ..aim }, Tag::NONE, purpose)
    }

    /// Sends a kept ACK again: the same bytes, the same way, or if that connection is gone, along another to the same address.
    /// While its next hop is still being resolved or its connection opened there is nothing to do: it goes out then.
    ///
    /// # Errors
    /// `Gone`; `WrongState` if this is no ACK.
    pub fn repeat(&mut self, now: Instant, delivery: DeliveryId) -> Result<(), CommandError> {
        self.wire.advance(now);
        let (deliveries, mut below) = self.deliveries();
        deliveries.repeat(&mut below, delivery)
    }

    /// Forgets a kept ACK.
    pub fn release(&mut self, delivery: DeliveryId) {
        let (deliveries, mut below) = self.deliveries();
        deliveries.release(&mut below, delivery);
    }

    /// Cancels an INVITE (RFC 3261 §9.1): before it was sent it just ends ([`Failure::Cancelled`](super::Failure::Cancelled));
    /// without a provisional response the CANCEL waits for one; 64·T1 after the CANCEL the INVITE is given up
    /// ([`Failure::Timeout`](super::Failure::Timeout)). A second cancel changes nothing.
    ///
    /// # Errors
    /// `Gone`; `WrongState` after a final response, or if this is no INVITE.
    pub fn cancel(&mut self, now: Instant, delivery: DeliveryId) -> Result<(), CommandError> {
        self.cancel_with(now, delivery, None)
    }

    /// As [`cancel`](Self::cancel), with what the CANCEL says besides.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn cancel_with(
        &mut self,
        now: Instant,
        delivery: DeliveryId,
        fields: Option<Box<Lines>>,
    ) -> Result<(), CommandError> {
        self.wire.advance(now);
        let (deliveries, mut below) = self.deliveries();
        deliveries.cancel(&mut below, delivery, fields)
    }

    /// Gives an INVITE on its way the fields of the ACK for a final response that is no 2xx, besides those of RFC 3261 §17.1.1.3.
    pub(crate) fn equip_ack(&mut self, invite: DeliveryId, fields: Box<Lines>) {
        self.deliveries.equip_ack(invite, fields);
    }

    /// Takes a request back that is not on its way: its next hop, or the next place after one that could not be reached, is
    /// still looked for or being connected to. False, and nothing happens, if it is. Nothing more is said of it.
    pub fn withdraw(&mut self, delivery: DeliveryId) -> bool {
        let (deliveries, mut below) = self.deliveries();
        deliveries.withdraw(&mut below, delivery)
    }

    fn deliver(
        &mut self,
        now: Instant,
        source: Source<'_>,
        aim: Aim,
        tag: Tag,
        purpose: Purpose,
    ) -> Result<DeliveryId, CommandError> {
        self.wire.advance(now);
        if self.deliveries.len() >= self.config.limits.deliveries {
            return Err(CommandError::Limit("deliveries"));
        }
        if matches!(purpose, Purpose::Transaction { .. }) {
            if self.draining {
                return Err(CommandError::Draining);
            }
            if self.clients.is_full() {
                return Err(CommandError::Limit("client_transactions"));
            }
        }
        let (deliveries, mut below) = self.deliveries();
        deliveries.deliver(&mut below, source, aim, tag, purpose)
    }
}
