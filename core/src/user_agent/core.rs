//! The core: what a user agent knows, and who takes which indication.

use super::call::{Call, Leg, LegState};
use super::event::{CallInfo, Event};
use super::profile::Profile;
use super::registration::Registration;
use super::requests::{RequestId, Requests};
use crate::dialog::{Dialog, DialogKey, KeyedIndex};
use crate::endpoint::Indication;
use crate::error::CommandError;
use crate::id::{Arena, Id};
use crate::message::{HeaderId, Response};
use crate::stack::{Context, TransactionUser};
use crate::tag::Tag;
use crate::user_agent::{CallId, CallKind, RegistrationKind};

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

/// What a delivery, server transaction or timer is for: the `kind` of its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Work {
    /// An INVITE of ours; names the call.
    Invite = 1,
    /// The ACK for a 2xx; names the call.
    Ack,
    /// A BYE of ours; names the call.
    Bye,
    /// A BYE for a fork of which nothing else is kept; names the delivery of its ACK.
    TurnAway,
    /// A REGISTER of ours; names the registration.
    Register,
    /// A request of a peer outside of any dialog; names the request.
    Request,
    /// The timer that repeats a 180; names the call.
    Ringing,
    /// The timer that repeats a 2xx; names the call.
    Accepted,
    /// The timer of an invitation's Expires; names the call.
    Expiry,
    /// The timer that refreshes a registration; names it.
    Refresh,
}

impl Work {
    const ALL: [Self; 10] = [
        Self::Invite,
        Self::Ack,
        Self::Bye,
        Self::TurnAway,
        Self::Register,
        Self::Request,
        Self::Ringing,
        Self::Accepted,
        Self::Expiry,
        Self::Refresh,
    ];

    /// The tag of this work on that thing.
    pub(super) const fn on<K>(self, id: Id<K>) -> Tag {
        Tag::new(Core::ROLE, self as u8, id)
    }

    fn of(tag: Tag) -> Option<Self> {
        Self::ALL.into_iter().find(|work| tag.role == Core::ROLE && tag.kind == *work as u8)
    }

    /// The request outside of dialogs that the tag of a server transaction names.
    pub(super) fn request(tag: Tag) -> Option<RequestId> {
        (Self::of(tag) == Some(Self::Request)).then(|| tag.id())
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
    /// The role in the tags of this core.
    pub const ROLE: u8 = 1;

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
        let id = self.dialogs.find(self.dialogs.hash(&key.parts()), |id| leg_in(id).is_some())?;
        Some((id, leg_in(id)?))
    }

    /// Adds a dialog to a call.
    pub(super) fn add_leg(&mut self, id: CallId, dialog: Dialog, state: LegState, main: bool) {
        let hash = self.dialogs.hash(&dialog.id.as_key().parts());
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
            Indication::Response { delivery, tag, response, .. } => match Work::of(tag) {
                // Passed on by nobody and not ours: misrouted (§8.1.3.3). Without any final response that can be used,
                // the end of the transaction ends what waits for it.
                _ if has_several_vias(&response) => {}
                Some(Work::Invite) => self.invite_response(cx, tag.id(), response),
                Some(Work::Bye) if response.status().is_final() => self.bye_done(cx, tag.id(), delivery),
                Some(Work::TurnAway) if response.status().is_final() => cx.endpoint.release(tag.id()),
                Some(Work::Register) => self.register_response(cx, tag.id(), response),
                _ => {}
            },
            Indication::Failed { delivery, tag, failure } => match Work::of(tag) {
                Some(Work::Invite) => self.invite_failed(cx, tag.id(), failure.status()),
                Some(Work::Ack) => self.ack_failed(tag.id(), delivery),
                Some(Work::Bye) => self.bye_done(cx, tag.id(), delivery),
                Some(Work::TurnAway) => cx.endpoint.release(tag.id()),
                Some(Work::Register) => self.register_failed(cx, tag.id(), failure.status(), None),
                _ => {}
            },
            Indication::Finished { delivery, tag } => match Work::of(tag) {
                Some(Work::Invite) => self.invite_finished(cx, tag.id()),
                Some(Work::Bye) => self.bye_done(cx, tag.id(), delivery),
                Some(Work::TurnAway) => cx.endpoint.release(tag.id()),
                Some(Work::Register) => self.register_finished(cx, tag.id(), delivery),
                _ => {}
            },
            Indication::Timer { tag, .. } => match Work::of(tag) {
                Some(Work::Ringing) => self.ring_again(cx, tag.id()),
                Some(Work::Accepted) => self.accept_again(cx, tag.id()),
                Some(Work::Expiry) => self.expired(cx, tag.id()),
                Some(Work::Refresh) => self.refresh(cx, tag.id()),
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
