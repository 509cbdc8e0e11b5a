//! Requests of ours, from their sending to their end (RFC 3261 §8.1).
//!
//! [`Requests`] is the table of them. `write.rs` writes a request outside of dialogs, `inside.rs` one inside, `retry.rs` says what a
//! response asks to be done again, `again.rs` does it, and `redirect.rs` is one step of it. `ask.rs` sends any other method. The commands are those of
//! `commands.rs`.

mod again;
mod ask;
mod commands;
mod inside;
mod redirect;
mod retry;
mod write;

use alloc::boxed::Box;

use super::agent::{Cx, Work};
use super::event::Cause;
use crate::dialog::DialogId;
use crate::endpoint::{DeliveryId, Failure};
use crate::error::CommandError;
use crate::id::Arena;
use crate::message::{Lines, Method, Recipe, Request, Response};
use crate::targets::TargetSet;
use crate::timer::TimerId;
use crate::transport::{Here, NextHop};
use crate::user_agent::{
    AccountId, CallId, KeptFlowId, ReferralId, RegistrationId, RequestId, RequestKind, SubscriptionId,
};
pub use again::Amend;
pub(super) use ask::is_of_the_core;
pub(super) use inside::Inside;
use redirect::Before;
pub(super) use redirect::Step;
use retry::Tried;
pub(super) use retry::after_glare;
pub(super) use write::Outside;

/// Who waits for what becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The INVITE of a call.
    Invite(CallId),
    /// A re-INVITE in the dialog of a call.
    Modify(CallId),
    /// A PRACK in a dialog of a call, and whether it counts for the offer/answer.
    Prack(CallId, DialogId, bool),
    /// An UPDATE in a dialog of a call.
    Update(CallId, DialogId),
    /// The BYE that ends a dialog of a call.
    Bye(CallId, DialogId),
    /// The BYE for a fork of which nothing else is kept but the delivery of its ACK.
    TurnAway(DeliveryId),
    /// The REGISTER of a registration.
    Register(RegistrationId),
    /// The OPTIONS that keeps the flow of a registration alive.
    KeepAlive(RegistrationId),
    /// The OPTIONS by which a flow without a registration is formed and kept.
    KeptFlow(KeptFlowId),
    /// The SUBSCRIBE or REFER of a subscription.
    Subscribe(SubscriptionId),
    /// A NOTIFY to the sender of a REFER.
    Notify(ReferralId),
    /// Nobody but the application, which knows the request itself.
    Ask(RequestId),
    /// The application, and the call in whose dialog a request of this method went.
    AskInside(CallId, Method<'static>),
}

/// The news that an owner is told of its request.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    /// A provisional response above 100.
    Provisional(Response),
    /// A final response. For an INVITE that was answered by 2xx more of them may follow, and then [`Concluded::Finished`]; else it is
    /// the end.
    Final(Response),
    /// The end: the request has met one of the peer's (491), and its owner sends another one later (§14.1, RFC 3311 §5.3).
    Collided(Response),
    /// The request has its response, but goes out again later, or when the application has answered.
    Paused,
    /// The request went out again: another response will come.
    Again(Again),
    /// The end, without a final response or after a 2xx to INVITE.
    Over(Concluded),
}

/// All that an owner has to know of a request that went out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Again {
    /// The CSeq number that the request has now.
    pub(super) number: u32,
    /// The interval that it asks for now, if that has changed: Expires (§10.2.8), or Min-SE (RFC 4028 §7.4).
    pub(super) interval: Option<u32>,
}

/// How a request ends that does not end with a final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concluded {
    /// No final response came.
    Failed(Failure),
    /// The request was to go out again, and its dialog is over for the peer.
    Left,
    /// The transaction is over. Either every response to an INVITE has been told, or there was none that could be used.
    Finished,
}

impl From<Concluded> for Cause {
    /// A transaction that is over without a response that could be used is as good as one that got none (§8.1.3.1).
    fn from(concluded: Concluded) -> Self {
        match concluded {
            Concluded::Failed(failure) => failure.into(),
            Concluded::Left => Self::Lost,
            Concluded::Finished => Self::TimedOut,
        }
    }
}

impl Outcome {
    /// Whether a request other than an INVITE ends with this.
    pub(super) const fn is_end(&self) -> bool {
        matches!(self, Self::Final(_) | Self::Collided(_) | Self::Over(_))
    }
}

/// A request of ours that waits for its end.
#[derive(Clone, Debug)]
struct Pending {
    owner: Owner,
    stage: Stage,
    /// The request that is sent again with a change and that responses are held against, where there is a need for either.
    kept: Option<Box<Kept>>,
    /// A request inside a dialog.
    inside: Option<Inside>,
    tried: Tried,
    /// An INVITE that has its 2xx, which may come again.
    is_answered: bool,
}

impl Pending {
    /// A request that is not sent yet.
    fn of(owner: Owner) -> Self {
        let (stage, tried) = (Stage::Sending, Tried::default());
        Self { owner, stage, kept: None, inside: None, tried, is_answered: false }
    }

    /// Whether this is the way that the request is on now.
    fn is_on(&self, way: DeliveryId) -> bool {
        matches!(self.stage, Stage::Sent(delivery) if delivery == way)
    }
}

/// Where a request of ours stands.
#[derive(Clone, Debug)]
enum Stage {
    /// It is being sent.
    Sending,
    /// It is on its way.
    Sent(DeliveryId),
    /// It goes out again when the timer fires.
    Waiting(TimerId),
    /// The application is asked what to do about this response, until the timer fires.
    Asking { timer: TimerId, response: Response },
}

/// The rest of a request that was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// It is on its way: its end will be told.
    Sent,
    /// Nothing: it was about to go out again.
    Over,
}

/// A request without our Via, as it was sent last.
#[derive(Clone, Debug)]
struct Kept {
    /// The account whose logins it has.
    account: AccountId,
    request: Request,
    /// The field in which each attempt names the listener that it goes from.
    here: Here,
    next_hop: NextHop,
    /// Where a redirected request can go.
    targets: Option<TargetSet>,
    /// The fields that the URI of the present target has changed, as they were.
    before: Before,
}

/// The requests of ours that wait for their end; as many as there are deliveries at most
/// ([`Limits::deliveries`](crate::endpoint::Limits::deliveries)).
#[derive(Clone, Debug)]
pub(super) struct Requests {
    table: Arena<RequestKind, Pending>,
    /// How many of them are answered.
    answered: usize,
}

impl Requests {
    pub(super) const fn new() -> Self {
        Self { table: Arena::new(), answered: 0 }
    }

    /// Sends a request that is kept as it is, so that it can be sent again with a change.
    ///
    /// # Errors
    /// As [`Endpoint::request`](crate::Endpoint::request).
    pub(super) fn send(
        &mut self,
        cx: &mut Cx<'_>,
        owner: impl FnOnce(RequestId) -> Owner,
        account: AccountId,
        request: Request,
        here: Here,
        next_hop: NextHop,
    ) -> Result<RequestId, CommandError> {
        let kept = Box::new(Kept { account, request, here, next_hop, targets: None, before: Before::default() });
        let Kept { request, here, next_hop, .. } = &*kept;
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
        self.begin(cx, |_| owner, recipe, &Here::Unsaid, next_hop)
    }

    fn begin(
        &mut self,
        cx: &mut Cx<'_>,
        owner: impl FnOnce(RequestId) -> Owner,
        recipe: &dyn Recipe,
        here: &Here,
        next_hop: NextHop,
    ) -> Result<RequestId, CommandError> {
        let id = self.table.insert_with(|id| Pending::of(owner(id)));
        match cx.request_from(recipe, here, next_hop, Work::Request(id), "") {
            Ok(delivery) => {
                if let Some(pending) = self.table.get_mut(id) {
                    pending.stage = Stage::Sent(delivery);
                }
                Ok(id)
            }
            Err(error) => {
                self.remove(id);
                Err(error)
            }
        }
    }

    /// The request as it was sent last, without our Via.
    pub(super) fn request(&self, id: RequestId) -> Option<&Request> {
        Some(&self.kept(id)?.request)
    }

    fn kept(&self, id: RequestId) -> Option<&Kept> {
        self.table.get(id)?.kept.as_deref()
    }

    /// Cancels an INVITE (§9.1), with what the CANCEL says besides. Nothing is done again from now on.
    ///
    /// # Errors
    /// As [`Endpoint::cancel`](crate::Endpoint::cancel).
    pub(super) fn cancel(
        &mut self,
        cx: &mut Cx<'_>,
        id: RequestId,
        fields: Option<Box<Lines>>,
    ) -> Result<Cancelled, CommandError> {
        let pending = self.table.get_mut(id).ok_or(CommandError::Gone)?;
        match &pending.stage {
            Stage::Sending => Err(CommandError::WrongState),
            Stage::Sent(delivery) => {
                cx.cancel_with(*delivery, fields)?;
                pending.tried.settled = true;
                Ok(Cancelled::Sent)
            }
            Stage::Waiting(timer) | Stage::Asking { timer, .. } => {
                cx.disarm(*timer);
                self.remove(id);
                Ok(Cancelled::Over)
            }
        }
    }

    /// Takes a request back that is not on its way: true if there is none any more.
    pub(super) fn withdraw(&mut self, cx: &mut Cx<'_>, id: RequestId) -> bool {
        let withdrawn = match self.table.get(id).map(|pending| &pending.stage) {
            Some(Stage::Sent(delivery)) => cx.withdraw(*delivery),
            Some(Stage::Waiting(timer) | Stage::Asking { timer, .. }) => {
                cx.disarm(*timer);
                true
            }
            Some(Stage::Sending) | None => false,
        };
        if withdrawn {
            self.remove(id);
        }
        withdrawn
    }

    /// The owner wants something else by now: whatever comes back for the request ends it. True if there is none any more, and nothing is
    /// told of it: it had its response and was to go out again.
    pub(super) fn settle_for(&mut self, cx: &mut Cx<'_>, id: RequestId) -> bool {
        let Some(pending) = self.table.get_mut(id) else { return true };
        pending.tried.settled = true;
        let (Stage::Waiting(timer) | Stage::Asking { timer, .. }) = &pending.stage else { return false };
        cx.disarm(*timer);
        self.remove(id);
        true
    }

    /// Ends a request; `None` if a final response has ended it before.
    pub(super) fn end(&mut self, id: RequestId) -> Option<Owner> {
        self.remove(id).map(|pending| pending.owner)
    }

    fn remove(&mut self, id: RequestId) -> Option<Pending> {
        let removed = self.table.remove(id)?;
        self.answered = self.answered.saturating_sub(usize::from(removed.is_answered));
        Some(removed)
    }

    /// Notes that an INVITE has its 2xx.
    fn note_answer(&mut self, id: RequestId) {
        if let Some(pending) = self.table.get_mut(id) {
            self.answered += usize::from(!core::mem::replace(&mut pending.is_answered, true));
        }
    }

    /// Whether each request has its final response, so that at most a 2xx may come again.
    pub(super) const fn are_answered(&self) -> bool {
        self.table.len() == self.answered
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
