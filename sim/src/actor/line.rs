//! A call of a phone, as its user sees it: who offered what, and the session that came of it.

use sansip::message::SharedBytes;
use sansip::user_agent::Body;
use sansip::{CallId, Duration};

use super::Session;
use super::session::{Direction, redirected, refused};

/// A call that is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub(super) call_id: String,
    pub(super) incoming: bool,
    pub(super) answered: bool,
    /// It is there for good: answered, or the ACK for the answer came.
    pub(super) settled: bool,
    /// The session, once an offer was answered.
    pub(super) session: Option<Session>,
    /// The last description of this end, whether it came into force or not.
    description: Option<SharedBytes>,
    /// The offer of this end that is out, and whether it means hold.
    ours: Option<(SharedBytes, bool)>,
    /// The offer of the other end that waits for the answer; without a description the other end waits for an offer.
    theirs: Option<Option<SharedBytes>>,
    /// Our answer, or offer, is out in a reliable provisional response: the 2xx has no other.
    pub(super) is_described: bool,
    /// The PRACK of that response came.
    pub(super) is_acknowledged: bool,
    /// The 2xx waits for that PRACK.
    pub(super) answer_waits: bool,
    /// The answers to our offer that came in reliable provisional responses, by the To tags of these.
    early: Vec<(String, SharedBytes)>,
    /// The call whose place this one takes.
    pub(super) replaces: Option<CallId>,
    /// Whether this end holds the other.
    holds: bool,
    /// How long the offer of a 2xx waits.
    late_offer: Option<Duration>,
}

impl Line {
    /// A call that goes out with this offer, or without it if the other end is to make one.
    pub(super) fn calling(body: Option<&Body>, late_offer: Option<Duration>) -> Self {
        let description = body.map(|body| body.bytes.clone());
        let ours = if late_offer.is_some() { None } else { description.clone().map(|offer| (offer, false)) };
        Self { description, ours, late_offer, ..Self::default() }
    }

    /// A call that came in with this offer, or without one, to take the place of that other.
    pub(super) fn called(call_id: String, offer: Option<Body>, replaces: Option<CallId>) -> Self {
        Self { call_id, replaces, incoming: true, theirs: Some(offer.map(|body| body.bytes)), ..Self::default() }
    }

    /// The description of this end for another call, which nobody holds.
    pub(super) fn description(&self) -> Option<Body> {
        Some(redirected(self.description.as_deref()?, Direction { sends: true, receives: true }))
    }

    /// The answer to an offer that is not wanted.
    pub(super) fn refusal(&self) -> Option<Body> {
        self.description.as_deref().map(refused)
    }

    /// The offer that asks for hold, or for its end.
    pub(super) fn offer(&self, hold: bool) -> Option<Body> {
        Some(redirected(self.description.as_deref()?, Direction { sends: true, receives: !hold }))
    }

    /// That offer is out.
    pub(super) fn offered(&mut self, offer: SharedBytes, hold: bool) {
        self.description = Some(offer.clone());
        self.ours = Some((offer, hold));
    }

    /// The answer to the offer that waits, or the offer that is waited for.
    pub(super) fn reply(&self) -> Option<Body> {
        let own = self.description.as_deref()?;
        Some(match self.theirs.as_ref()? {
            Some(offer) => redirected(own, Direction::of(offer).answered(self.holds)),
            None => Body::sdp(own),
        })
    }

    /// That reply is out.
    pub(super) fn answer(&mut self, local: SharedBytes) {
        self.description = Some(local.clone());
        match self.theirs.take() {
            Some(Some(remote)) => self.session = Some(Session { local, remote }),
            _ => self.ours = Some((local, self.holds)),
        }
    }

    /// The offer that waits is refused, or is not wanted any more.
    pub(super) fn lapse(&mut self) {
        self.theirs = None;
    }

    /// The other end wants another session.
    pub(super) fn was_offered(&mut self, offer: Option<Body>) {
        self.theirs = Some(offer.map(|body| body.bytes));
    }

    /// The call was answered. If that is the offer, says how long it waits for the answer.
    pub(super) fn was_answered(&mut self, body: Option<Body>) -> Option<Duration> {
        if self.late_offer.is_some() && body.is_some() {
            self.theirs = Some(body.map(|body| body.bytes));
            return self.late_offer;
        }
        self.was_modified(body);
        None
    }

    /// A reliable provisional response with a description came. If that is the offer, says how long it waits for the answer.
    pub(super) fn was_progressed(&mut self, tag: &str, body: Body) -> Option<Duration> {
        if self.late_offer.is_some() {
            self.theirs = Some(Some(body.bytes));
            return self.late_offer;
        }
        self.early.push((tag.to_owned(), body.bytes));
        None
    }

    /// The description of the 2xx with that To tag, or else the one that came before it in a reliable response.
    pub(super) fn early(&self, tag: &str) -> Option<Body> {
        let (_, bytes) = self.early.iter().find(|(other, _)| other == tag)?;
        Some(Body::sdp(bytes.clone()))
    }

    /// The ACK, or the PRACK, has the answer to the offer of our response.
    pub(super) fn was_confirmed(&mut self, body: Body) {
        self.was_modified(Some(body));
    }

    /// Our offer was answered with this description. Whether that means that this end holds the other from now on. An offer that the user
    /// did not make is that of a refresh: what this end said last (RFC 4028 §7.4).
    pub(super) fn was_modified(&mut self, body: Option<Body>) -> bool {
        let asked = self.ours.take();
        let Some(Body { bytes: remote, .. }) = body else { return false };
        if let Some((local, hold)) = asked {
            self.holds = hold;
            self.session = Some(Session { local, remote });
            return hold;
        }
        if let (Some(session), Some(said)) = (&mut self.session, &self.description) {
            *session = Session { local: said.clone(), remote };
        }
        false
    }

    /// Our offer was refused.
    pub(super) fn was_refused(&mut self) {
        self.ours = None;
    }
}
