//! The session descriptions of the last exchange: a refresh by re-INVITE offers ours again (RFC 4028 §7.4), and a re-INVITE of the peer that
//! offers theirs again is answered with ours (RFC 3261 §14.2).
//!
//! They are noted wherever an exchange is completed: by a 2xx or its ACK, by a reliable provisional response, a PRACK or its 2xx (RFC 3262 §5),
//! by the 2xx to an UPDATE (RFC 3311). Nothing is kept for a session without a timer.

use alloc::boxed::Box;

use super::super::compose::{Body, Extra};
use super::super::description::{request_describes, response_describes};
use super::super::floor::Floor;
use super::super::profile::Profile;
use super::super::server::Served;
use super::Calls;
use super::call::Session;
use super::machine::Phase;
use crate::dialog::{DialogId, End, Meaning, Misplaced};
use crate::message::{Method, Request, Response};
use crate::user_agent::CallId;

/// The last exchange of session descriptions, and the offer of the next one.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchange {
    /// The end that made the offer of the last exchange.
    offer: Option<End>,
    ours: Option<Body>,
    theirs: Option<Body>,
    /// An offer in another request than an INVITE, or in a response, that waits for its answer.
    open: Option<Body>,
    /// The answer that the peer has given in an unreliable provisional response: it is the answer, whatever the 2xx says (§13.2.1).
    previewed: Option<Body>,
}

/// A description, or an offer, in a message of one end.
pub(super) struct Described {
    pub(super) from: End,
    pub(super) meaning: Result<Meaning, Misplaced>,
    pub(super) description: Option<Body>,
}

impl Described {
    pub(super) fn by_us(meaning: Result<Meaning, Misplaced>, extra: &Extra) -> Self {
        Self { from: End::Ours, meaning, description: extra.description().cloned() }
    }

    pub(super) fn by_request(meaning: Result<Meaning, Misplaced>, request: &Request) -> Self {
        Self { from: End::Theirs, meaning, description: description_of_request(request) }
    }

    pub(super) fn by_response(meaning: Result<Meaning, Misplaced>, response: &Response) -> Self {
        let description = response_describes(response).then(|| Body::of_response(response)).flatten();
        Self { from: End::Theirs, meaning, description }
    }
}

impl Session {
    /// Whether descriptions are noted: there is a session timer, or the answer to the INVITE may bring one.
    fn notes_descriptions(&self, profile: &Profile) -> bool {
        profile.has_session_timers() && (self.phase == Phase::Early || self.is_timed())
    }

    /// Notes a description. The offer that it answers is that of the INVITE, if that is given, or else the one that is open. False if the
    /// description is an answer of the peer that says what the peer has said before, or says nothing.
    pub(super) fn note(&mut self, profile: &Profile, described: Described, invite: Option<Body>) -> bool {
        if !self.notes_descriptions(profile) {
            return true;
        }
        let Described { from, meaning, description } = described;
        let exchange = self.changes().exchange.get_or_insert_with(Box::default);
        match meaning {
            Ok(Meaning::Offer) => {
                exchange.open = description;
                true
            }
            Ok(Meaning::Preview) => {
                exchange.previewed = description;
                true
            }
            Ok(meaning @ (Meaning::Answer | Meaning::PreviewedAnswer)) => {
                let previewed = exchange.previewed.take().filter(|_| meaning == Meaning::PreviewedAnswer);
                let description = previewed.filter(|_| from == End::Theirs).or(description);
                let Some(offer) = exchange.open.take().filter(|_| invite.is_none()).or(invite) else { return true };
                let (ours, theirs) = match from {
                    End::Ours => (description, Some(offer)),
                    End::Theirs => (Some(offer), description),
                };
                let is_news = theirs.is_some() && theirs != exchange.theirs;
                (exchange.offer, exchange.ours, exchange.theirs) = (Some(from.other()), ours, theirs);
                is_news
            }
            _ => false,
        }
    }

    /// The description that a refresh offers: the one that this end has sent last.
    pub(super) fn last_description(&self) -> Extra {
        let exchange = self.changes.as_ref().and_then(|changes| changes.exchange.as_ref());
        Extra::from(exchange.and_then(|exchange| exchange.ours.clone()))
    }

    /// The answer to a re-INVITE of the peer that offers what it has offered before (§14.2).
    pub(super) fn same_answer(&self, request: &Request) -> Option<Extra> {
        let Exchange { offer, ours, theirs, .. } = &**self.changes.as_ref()?.exchange.as_ref()?;
        let is_same = *offer == Some(End::Theirs) && theirs.is_some() && *theirs == description_of_request(request);
        ours.clone().filter(|_| is_same).map(Extra::from)
    }
}

impl Calls {
    /// Whether descriptions are noted in a dialog. Most sessions have no timer, and then none is read; what was noted before the answer said
    /// so is forgotten.
    fn notes_descriptions(&mut self, on: &Floor, id: CallId, dialog: DialogId) -> bool {
        let Some(session) = self.session_mut(id, dialog) else { return false };
        let notes = session.notes_descriptions(&on.profile);
        if let Some(changes) = session.changes.as_mut().filter(|_| !notes) {
            changes.exchange = None;
        }
        notes
    }

    /// Notes a description of the peer, or an answer of ours: as [`Session::note`].
    pub(super) fn note_answer(
        &mut self,
        on: &Floor,
        id: CallId,
        dialog: DialogId,
        described: Described,
        invite: Option<Body>,
    ) -> bool {
        self.session_mut(id, dialog).is_none_or(|session| session.note(&on.profile, described, invite))
    }

    /// Notes the description of a 2xx, or of a reliable provisional response, to the INVITE of ours that is in progress: as [`Session::note`].
    /// False, too, where no descriptions are noted, which only those of a refresh need.
    pub(super) fn note_success(
        &mut self,
        on: &Floor,
        id: CallId,
        dialog: DialogId,
        meaning: Result<Meaning, Misplaced>,
        response: &Response,
    ) -> bool {
        if !self.notes_descriptions(on, id, dialog) {
            return false;
        }
        let invite = self.our_offer(on, id, dialog);
        self.note_answer(on, id, dialog, Described::by_response(meaning, response), invite)
    }

    /// Notes the description of a response of ours.
    pub(super) fn note_ours(
        &mut self,
        on: &Floor,
        id: CallId,
        dialog: DialogId,
        meaning: Result<Meaning, Misplaced>,
        extra: &Extra,
        served: &Served,
    ) {
        if !self.notes_descriptions(on, id, dialog) {
            return;
        }
        let is_invite = served.request.method() == Method::Invite;
        let invite = if is_invite { description_of_request(&served.request) } else { None };
        self.note_answer(on, id, dialog, Described::by_us(meaning, extra), invite);
    }

    /// The offer of our INVITE that is in progress in a dialog: of our change, or of the call.
    pub(super) fn our_offer(&mut self, on: &Floor, id: CallId, dialog: DialogId) -> Option<Body> {
        let session = self.session_mut(id, dialog)?;
        if let Some(ours) = session.changes.as_ref().and_then(|changes| changes.ours.as_ref()) {
            return ours.extra.description().cloned();
        }
        let invite = self.caller(id)?.invite?;
        on.requests.request(invite).and_then(description_of_request)
    }
}

pub(super) fn description_of_request(request: &Request) -> Option<Body> {
    request_describes(request).then(|| Body::of_request(request)).flatten()
}
