//! Requests of ours, from their sending to their end (RFC 3261 §8.1).
//!
//! [`Requests`] is the table of them. `retry.rs` says what a response asks to be done again; `write.rs` writes.

mod retry;
mod write;

use alloc::boxed::Box;

use super::agent::{Cx, Work};
use super::event::Cause;
use super::floor::Floor;
use crate::dialog::DialogId;
use crate::endpoint::{DeliveryId, Failure};
use crate::error::CommandError;
use crate::id::{Arena, Id, Kind};
use crate::message::{Recipe, Request, Response, StatusCode};
use crate::transport::{Here, NextHop};
use crate::user_agent::{CallId, RegistrationId};
pub(super) use retry::Amendment;
use retry::{Tried, Verdict};
pub(super) use write::Outside;

/// The kind that [`RequestId`] names.
#[derive(Clone, Copy, Debug)]
pub(super) enum RequestKind {}

impl Kind for RequestKind {
    const NAME: &'static str = "request";
}

/// A request of ours, however often it is sent.
pub(super) type RequestId = Id<RequestKind>;

/// Who waits for what becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The INVITE of a call.
    Invite(CallId),
    /// The BYE that ends a dialog of a call.
    Bye(CallId, DialogId),
    /// The BYE for a fork of which nothing else is kept but the delivery of its ACK.
    TurnAway(DeliveryId),
    /// The REGISTER of a registration.
    Register(RegistrationId),
}

/// What an owner is told of its request.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// A provisional response above 100.
    Provisional(Response),
    /// A final response. For an INVITE that was answered by 2xx more of them may follow, and then [`Concluded::Finished`]; else it is
    /// the end.
    Final(Response),
    /// The request went out again, with the next CSeq number and this change: another response will come.
    Again(Amendment),
    /// The end, without a final response or after a 2xx to INVITE.
    Over(Concluded),
}

/// How a request ends that does not end with a final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concluded {
    /// No final response came.
    Failed(Failure),
    /// The transaction is over. Either every response to an INVITE has been told, or there was none that could be used.
    Finished,
}

impl From<Concluded> for Cause {
    /// A transaction that is over without a response that could be used is as good as one that got none (§8.1.3.1).
    fn from(concluded: Concluded) -> Self {
        match concluded {
            Concluded::Failed(failure) => failure.into(),
            Concluded::Finished => Self::TimedOut,
        }
    }
}

impl Outcome {
    /// Whether a request other than an INVITE ends with this.
    pub(super) const fn is_end(&self) -> bool {
        matches!(self, Self::Final(_) | Self::Over(_))
    }
}

/// A request of ours that waits for its end.
#[derive(Clone, Debug)]
struct Pending {
    owner: Owner,
    /// The way that the request is on.
    delivery: Option<DeliveryId>,
    /// What is sent again with a change, and what responses are held against, where there is either.
    kept: Option<Box<Kept>>,
    tried: Tried,
}

/// A request without our Via, as it was sent last.
#[derive(Clone, Debug)]
struct Kept {
    request: Request,
    /// What each attempt says of the listener that it goes from.
    here: Here,
    next_hop: NextHop,
}

/// The requests of ours that wait for their end; as many as there are deliveries at most
/// ([`Limits::deliveries`](crate::endpoint::Limits::deliveries)).
#[derive(Clone, Debug)]
pub(super) struct Requests {
    table: Arena<RequestKind, Pending>,
}

impl Requests {
    pub(super) const fn new() -> Self {
        Self { table: Arena::new() }
    }

    /// Sends a request that is kept as it is, so that it can be sent again with a change.
    ///
    /// # Errors
    /// As [`Endpoint::request`](crate::Endpoint::request).
    pub(super) fn send(
        &mut self,
        cx: &mut Cx<'_>,
        owner: Owner,
        request: Request,
        here: Here,
        next_hop: NextHop,
    ) -> Result<RequestId, CommandError> {
        let kept = Box::new(Kept { request, here, next_hop });
        let Kept { request, here, next_hop } = &*kept;
        let sent = self.begin(cx, owner, request, here, next_hop.clone())?;
        if let Some(pending) = self.table.get_mut(sent) {
            pending.kept = Some(kept);
        }
        Ok(sent)
    }

    /// Sends a request whose responses have only their end to tell.
    ///
    /// # Errors
    /// As [`Endpoint::request`](crate::Endpoint::request).
    pub(super) fn send_from(
        &mut self,
        cx: &mut Cx<'_>,
        owner: Owner,
        recipe: &dyn Recipe,
        next_hop: NextHop,
    ) -> Result<RequestId, CommandError> {
        self.begin(cx, owner, recipe, &Here::Unsaid, next_hop)
    }

    fn begin(
        &mut self,
        cx: &mut Cx<'_>,
        owner: Owner,
        recipe: &dyn Recipe,
        here: &Here,
        next_hop: NextHop,
    ) -> Result<RequestId, CommandError> {
        let id = self.table.insert(Pending { owner, delivery: None, kept: None, tried: Tried::default() });
        match cx.request_from(recipe, here, next_hop, Work::Request(id), "") {
            Ok(delivery) => {
                if let Some(pending) = self.table.get_mut(id) {
                    pending.delivery = Some(delivery);
                }
                Ok(id)
            }
            Err(error) => {
                self.table.remove(id);
                Err(error)
            }
        }
    }

    /// The request as it was sent last, without our Via.
    pub(super) fn request(&self, id: RequestId) -> Option<&Request> {
        Some(&self.table.get(id)?.kept.as_ref()?.request)
    }

    /// Cancels an INVITE (§9.1).
    ///
    /// # Errors
    /// As [`Endpoint::cancel`](crate::Endpoint::cancel).
    pub(super) fn cancel(&self, cx: &mut Cx<'_>, id: RequestId) -> Result<(), CommandError> {
        cx.cancel(self.table.get(id).and_then(|pending| pending.delivery).ok_or(CommandError::Gone)?)
    }

    /// Takes a request back that is not on its way: true if there is none any more.
    pub(super) fn withdraw(&mut self, cx: &mut Cx<'_>, id: RequestId) -> bool {
        let delivery = self.table.get(id).and_then(|pending| pending.delivery);
        let withdrawn = delivery.is_some_and(|delivery| cx.withdraw(delivery));
        if withdrawn {
            self.table.remove(id);
        }
        withdrawn
    }

    /// The owner wants something else by now: whatever comes back for the request ends it.
    pub(super) fn settle_for(&mut self, id: RequestId) {
        if let Some(pending) = self.table.get_mut(id) {
            pending.tried.settled = true;
        }
    }

    /// Ends a request; `None` if a final response has ended it before.
    pub(super) fn end(&mut self, id: RequestId) -> Option<Owner> {
        self.table.remove(id).map(|pending| pending.owner)
    }

    /// Number of requests that wait for their end.
    pub(super) const fn len(&self) -> usize {
        self.table.len()
    }

    /// Requests that there is room for without another allocation.
    pub(super) fn capacity(&self) -> usize {
        self.table.capacity()
    }
}

impl Floor {
    /// A response to a request of ours: what its owner is told, if anything.
    pub(super) fn answered(&mut self, cx: &mut Cx<'_>, id: RequestId, response: Response) -> Option<(Owner, Outcome)> {
        let pending = self.requests.table.get(id)?;
        let (owner, status) = (pending.owner, response.status());
        if !status.is_final() {
            return (status != StatusCode::TRYING).then_some((owner, Outcome::Provisional(response)));
        }
        if let Some(kept) = &pending.kept
            && let Verdict::Again(amendment) = retry::next(&kept.request, &response, &pending.tried)
            && self.send_again(cx, id, amendment).is_ok()
        {
            return Some((owner, Outcome::Again(amendment)));
        }
        // More than one 2xx may answer an INVITE (§13.2.2.4).
        let is_last = !(matches!(owner, Owner::Invite(_)) && status.is_success());
        if is_last {
            self.requests.table.remove(id);
        }
        Some((owner, Outcome::Final(response)))
    }

    /// Sends a request once more, with a change and the next CSeq number, in a new transaction (§8.1.3.5).
    fn send_again(&mut self, cx: &mut Cx<'_>, id: RequestId, amendment: Amendment) -> Result<(), CommandError> {
        let pending = self.requests.table.get(id).ok_or(CommandError::Gone)?;
        let Kept { request, here, next_hop } = pending.kept.as_deref().ok_or(CommandError::WrongState)?;
        let request = amendment.applied_to(request).map_err(|_| CommandError::Invalid("message"))?;
        let delivery = cx.request_from(&request, here, next_hop.clone(), Work::Request(id), "")?;
        let pending = self.requests.table.get_mut(id).ok_or(CommandError::Gone)?;
        pending.delivery = Some(delivery);
        if let Some(kept) = &mut pending.kept {
            kept.request = request;
        }
        pending.tried.note(amendment);
        Ok(())
    }
}
