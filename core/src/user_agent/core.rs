//! The core: what a user agent knows, and who takes which indication.

use super::call::{Call, Leg, LegState};
use super::event::{CallInfo, Event};
use super::profile::Profile;
use super::registration::Registration;
use super::requests::{RequestId, Requests};
use crate::dialog::{Dialog, DialogKey, KeyedIndex};
use crate::endpoint::DeliveryId;
use crate::endpoint::Indication;
use crate::error::CommandError;
use crate::id::Arena;
use crate::message::{HeaderId, Response};
use crate::stack::{Context, TransactionUser};
use crate::tag::{Tag, work};
use crate::user_agent::{CallId, CallKind, RegistrationId, RegistrationKind};

/// What a user agent knows: its calls, dialogs and registrations.
#[derive(Clone, Debug)]
pub struct Core {
    pub(super) profile: Profile,
    pub(super) calls: Arena<CallKind, Call>,
    /// The call that a dialog belongs to.
    pub(super) dialogs: KeyedIndex<CallId>,
    pub(super) requests: Requests,
    pub(super) registrations: Arena<RegistrationKind, Registration>,
}

/// What the core's functions work with.
pub(super) type Cx<'a> = Context<'a, Event>;

work! {
    /// What a delivery, server transaction or timer is for.
    pub(super) enum Work {
        /// An INVITE of ours.
        Invite(CallId) = 1,
        /// The ACK for a 2xx.
        Ack(CallId) = 2,
        /// A BYE of ours.
        Bye(CallId) = 3,
        /// A BYE for a fork of which nothing else is kept but the delivery of its ACK.
        TurnAway(DeliveryId) = 4,
        /// A REGISTER of ours.
        Register(RegistrationId) = 5,
        /// A request of a peer outside of any dialog.
        Request(RequestId) = 6,
        /// The timer that repeats a 180.
        Ringing(CallId) = 7,
        /// The timer that repeats a 2xx.
        Accepted(CallId) = 8,
        /// The timer of an invitation's Expires.
        Expiry(CallId) = 9,
        /// The timer that refreshes a registration.
        Refresh(RegistrationId) = 10,
    }
}

impl Work {
    /// The request outside of dialogs that the tag of a server transaction names.
    pub(super) fn request(tag: Tag) -> Option<RequestId> {
        match tag.try_into() {
            Ok(Self::Request(request)) => Some(request),
            _ => None,
        }
    }
}

/// How many there are: of what is alive, or of what there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Calls, those included that are over and have something left to do.
    pub calls: usize,
    /// Dialogs.
    pub dialogs: usize,
    /// Requests outside of dialogs whose server transactions live.
    pub requests: usize,
    /// Registrations: holdings, each with a timer for its refresh at most.
    pub registrations: usize,
}

impl Core {
    /// A core that knows nothing yet. Peers choose names that are hashed under `hash_key`: it must be secret.
    pub fn new(profile: Profile, hash_key: [u8; 16]) -> Self {
        Self {
            profile,
            calls: Arena::new(),
            dialogs: KeyedIndex::new(hash_key),
            requests: Requests::new(hash_key),
            registrations: Arena::new(),
        }
    }

    /// The calls that are alive, in the order of their slots.
    pub fn calls(&self) -> impl Iterator<Item = CallInfo<'_>> {
        self.calls.iter().filter(|(_, call)| !call.over).map(|(id, call)| CallInfo {
            call: id,
            call_id: &call.call_id,
            state: call.state(),
        })
    }

    /// The call that the application means.
    pub(super) fn alive(&mut self, id: CallId) -> Result<&mut Call, CommandError> {
        self.calls.get_mut(id).filter(|call| !call.over).ok_or(CommandError::Gone)
    }

    /// The call and the leg of a dialog.
    pub(super) fn find(&self, key: DialogKey<'_>) -> Option<(CallId, usize)> {
        let leg_in = |id| self.calls.get(id).and_then(|call| call.leg(key));
        let id = self.dialogs.find(key.hash_in(&self.dialogs), |id| leg_in(id).is_some())?;
        Some((id, leg_in(id)?))
    }

    /// Adds a dialog to a call.
    pub(super) fn add_leg(&mut self, id: CallId, dialog: Dialog, state: LegState, main: bool) {
        let hash = dialog.id.as_key().hash_in(&self.dialogs);
        if let Some(call) = self.calls.get_mut(id) {
            self.dialogs.insert(hash, id);
            call.legs.push(Leg { dialog, hash, state, ack: None, main });
        }
    }

    /// A dialog is over: no request finds it any more.
    pub(super) fn end_leg(&mut self, id: CallId, index: usize) {
        let Some(leg) = self.calls.get_mut(id).and_then(|call| call.legs.get_mut(index)) else { return };
        if leg.state != LegState::Over {
            leg.state = LegState::Over;
            self.dialogs.remove(leg.hash, id);
        }
    }

    /// Forgets a call and all its dialogs.
    pub(super) fn forget(&mut self, id: CallId) {
        let Some(call) = self.calls.remove(id) else { return };
        for leg in call.legs.iter().filter(|leg| leg.state != LegState::Over) {
            self.dialogs.remove(leg.hash, id);
        }
    }

    /// What is alive.
    pub fn census(&self) -> Census {
        Census {
            calls: self.calls.len(),
            dialogs: self.dialogs.len(),
            requests: self.requests.len(),
            registrations: self.registrations.len(),
        }
    }

    /// How many there is room for without another allocation.
    pub fn capacity(&self) -> Census {
        Census {
            calls: self.calls.capacity(),
            dialogs: self.dialogs.capacity(),
            requests: self.requests.capacity(),
            registrations: self.registrations.capacity(),
        }
    }

    /// Forgets a call if nothing can come of it any more.
    pub(super) fn settle(&mut self, id: CallId) {
        if self.calls.get(id).is_some_and(Call::is_done) {
            self.forget(id);
        }
    }
}

impl TransactionUser for Core {
    type Event = Event;

    fn indicate(&mut self, cx: &mut Cx<'_>, indication: Indication) {
        match indication {
            Indication::Request(arrival) => self.request(cx, arrival),
            Indication::Ack { request, server, .. } => self.acknowledged(cx, &request, server.map(|(_, tag)| tag)),
            Indication::Response { delivery, tag, response, .. } => match tag.try_into() {
                // Passed on by nobody and not ours: misrouted (§8.1.3.3). Without any final response that can be used,
                // the end of the transaction ends what waits for it.
                _ if has_several_vias(&response) => {}
                Ok(Work::Invite(id)) => self.invite_response(cx, id, response),
                Ok(Work::Bye(id)) if response.status().is_final() => self.bye_done(cx, id, delivery),
                Ok(Work::TurnAway(ack)) if response.status().is_final() => cx.release(ack),
                Ok(Work::Register(id)) => self.register_response(cx, id, response),
                _ => {}
            },
            Indication::Failed { delivery, tag, failure } => match tag.try_into() {
                Ok(Work::Invite(id)) => self.invite_failed(cx, id, failure.status()),
                Ok(Work::Ack(id)) => self.ack_failed(id, delivery),
                Ok(Work::Bye(id)) => self.bye_done(cx, id, delivery),
                Ok(Work::TurnAway(ack)) => cx.release(ack),
                Ok(Work::Register(id)) => self.register_failed(cx, id, failure.status(), None),
                _ => {}
            },
            Indication::Finished { delivery, tag } => match tag.try_into() {
                Ok(Work::Invite(id)) => self.invite_finished(cx, id),
                Ok(Work::Bye(id)) => self.bye_done(cx, id, delivery),
                Ok(Work::TurnAway(ack)) => cx.release(ack),
                Ok(Work::Register(id)) => self.register_finished(cx, id, delivery),
                _ => {}
            },
            Indication::Timer { tag, .. } => match tag.try_into() {
                Ok(Work::Ringing(id)) => self.ring_again(cx, id),
                Ok(Work::Accepted(id)) => self.accept_again(cx, id),
                Ok(Work::Expiry(id)) => self.expired(cx, id),
                Ok(Work::Refresh(id)) => self.refresh(cx, id),
                _ => {}
            },
            Indication::Completed { tag, .. } => {
                if let Some(request) = Work::request(tag) {
                    self.requests.end(request);
                }
            }
            Indication::Overload { limit, refused } => cx.emit(Event::Overload { limit, refused }),
            // A response that did not arrive is asked for again by its request, and a 2xx is repeated anyway.
            Indication::Unsent { .. } | Indication::FlowFailed { .. } => {}
            // For a stateless proxy (RFC 6026 §8.9).
            Indication::Stray { .. } => {}
        }
    }

    fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }
}

fn has_several_vias(response: &Response) -> bool {
    response.headers().values(HeaderId::Via, true).nth(1).is_some()
}
