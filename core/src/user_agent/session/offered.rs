//! Changes of a session that the peer asks for: its re-INVITEs (RFC 3261 §14.2).

use super::super::agent::{Cx, Work};
use super::super::compose::{Extra, Reply};
use super::super::description::request_describes;
use super::super::event::{Cause, Event};
use super::super::floor::Floor;
use super::super::server::Served;
use super::Calls;
use super::call::{Call, Callee, Caller, Side, Theirs};
use super::machine::Phase;
use crate::dialog::{Carrier, DialogId, Ended, Purpose, ResponseEffect};
use crate::error::CommandError;
use crate::message::{HeaderId, Method, Request, StatusCode};
use crate::user_agent::{CallId, ServedId};

impl Calls {
    /// The status for an INVITE within a dialog while another one, or an offer, is in progress (§14.2, RFC 5407 §3.1.4, §3.1.5).
    pub(super) fn pending_invite(&mut self, id: CallId, dialog: DialogId, request: &Request) -> Option<StatusCode> {
        let session = self.session_mut(id, dialog)?;
        let (phase, mut offers) = (session.phase, session.offers);
        match &self.table.get(id)?.side {
            Side::Callee(Callee::Offered(_)) => Some(StatusCode::SERVER_INTERNAL_ERROR),
            Side::Caller(Caller { invite: Some(_), .. }) if phase == Phase::Early => Some(StatusCode::REQUEST_PENDING),
            _ if phase == Phase::Accepted => Some(StatusCode::REQUEST_PENDING),
            _ if matches!(phase, Phase::Established | Phase::AnswerOwed) => {
                offers.received(Carrier::Invite, request_describes(request)).err()?.refusal(Carrier::Invite)
            }
            _ => None,
        }
    }

    /// A re-INVITE in a dialog: the application decides. One for a dialog that is not the call, or is over, changes nothing.
    pub(super) fn reinvited(&mut self, on: &mut Floor, cx: &mut Cx<'_>, served: &Served, id: CallId, dialog: DialogId) {
        let is_description = request_describes(&served.request);
        let session = self.session_mut(id, dialog).filter(|it| it.main && it.phase == Phase::Established);
        let Some(session) = session else { return refuse(on, cx, served) };
        if let Err(least) = session.time_request(&on.profile, &served.request) {
            return on.refuse_interval(cx, served, least);
        }
        if session.offers.received(Carrier::Invite, is_description).is_err() {
            return refuse(on, cx, served);
        }
        let timer = cx.arm(cx.now() + on.profile.decision_time, Work::Decision(id));
        session.changes().theirs = Some(Theirs { served: served.clone(), timer });
        let same = session.same_answer(&served.request);
        on.serving.set_call(served.id, id);
        if same.is_some_and(|answer| self.accept_refresh(on, cx, id, dialog, &answer)) {
            return;
        }
        cx.emit(Event::Offered { call: id, request: served.request.clone() });
    }

    /// Accepts a re-INVITE of the peer that changes nothing, if that can be done now.
    fn accept_refresh(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        answer: &Extra,
    ) -> bool {
        let is_accepted = self.accept_offer(on, cx, id, answer).is_ok();
        if let Some(accepted) = self.session_mut(id, dialog).and_then(|session| session.accepted.as_mut()) {
            accepted.is_refresh = is_accepted;
        }
        is_accepted
    }

    /// Accepts the peer's change: 200, sent again until the ACK comes.
    pub(in crate::user_agent) fn accept_offer(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        let (dialog_id, served) = self.undecided_offer(id)?;
        let session = self.session_mut(id, dialog_id).ok_or(CommandError::Gone)?;
        let mut offers = session.offers;
        offers.sent(Carrier::InviteSuccess, extra.describes()).map_err(|_| CommandError::Invalid("answer"))?;
        let timed = self.timed_answer(on, cx, id, &served, extra);
        let extra = timed.as_ref().map_or(extra, |timed| &timed.extra);
        let response = on.dialog_response(cx, &served, StatusCode::OK, extra)?;
        self.accept(on, cx, id, dialog_id, &served, response)?;
        self.timer_answered(on, cx, id, dialog_id, &served, timed);
        if let Some(dialog) = on.dialogs.get_mut(dialog_id) {
            dialog.refresh(served.request.headers().contact());
        }
        if let Some(session) = self.session_mut(id, dialog_id) {
            session.offers = offers;
        }
        self.take_offer(cx, id, None);
        Ok(())
    }

    /// Refuses the peer's change: the session is as it was.
    pub(in crate::user_agent) fn refuse_offer(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        reply: &Reply,
    ) -> Result<(), CommandError> {
        let (_, served) = self.undecided_offer(id)?;
        // A status that ends more than the change is no refusal of it (RFC 5057 §5.1).
        let effect = ResponseEffect::of(Method::Invite, Purpose::Continue, reply.status, None);
        if reply.status.class() < 3 || effect.ended != Ended::Transaction {
            return Err(CommandError::Invalid("status"));
        }
        let response = on.final_response(cx, &served, reply)?;
        cx.respond_octets(served.server, reply.status, response)?;
        self.refused_offer(cx, id, None);
        Ok(())
    }

    /// The application has not decided in time.
    pub(in crate::user_agent) fn undecided(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        if let Some(served) = self.refused_offer(cx, id, None) {
            refuse(on, cx, &served);
            cx.emit(Event::OfferLapsed { call: id, cause: Cause::Expired });
        }
    }

    /// The peer has cancelled its re-INVITE (§9.2): 487. False if the CANCEL is for another INVITE.
    pub(super) fn withdrawn(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        cancels: ServedId,
        cancel: &Request,
    ) -> bool {
        let Some(served) = self.refused_offer(cx, id, Some(cancels)) else { return false };
        on.respond_final(cx, &served, StatusCode::REQUEST_TERMINATED, |_| {});
        cx.emit(Event::OfferLapsed { call: id, cause: Cause::Cancelled(Some(cancel.clone())) });
        true
    }

    /// The re-INVITE that waits for the application's decision.
    fn undecided_offer(&mut self, id: CallId) -> Result<(DialogId, Served), CommandError> {
        let session = self.alive(id)?.main().ok_or(CommandError::WrongState)?;
        let theirs = session.changes.as_ref().and_then(|changes| changes.theirs.as_ref());
        theirs.map(|theirs| (session.dialog, theirs.served.clone())).ok_or(CommandError::WrongState)
    }

    /// Takes the re-INVITE that waits for a decision, whichever it is or that one.
    fn take_offer(&mut self, cx: &mut Cx<'_>, id: CallId, which: Option<ServedId>) -> Option<Served> {
        let session = self.table.get_mut(id).and_then(Call::main_mut)?;
        let is_it = |theirs: &mut Theirs| which.is_none_or(|which| theirs.served.id == which);
        let theirs = session.changes.as_mut()?.theirs.take_if(is_it)?;
        cx.disarm(theirs.timer);
        Some(theirs.served)
    }

    /// As [`take_offer`](Self::take_offer), for a re-INVITE that gets no 2xx.
    fn refused_offer(&mut self, cx: &mut Cx<'_>, id: CallId, which: Option<ServedId>) -> Option<Served> {
        let served = self.take_offer(cx, id, which)?;
        if let Some(session) = self.table.get_mut(id).and_then(Call::main_mut) {
            let _ = session.offers.sent(Carrier::InviteFailure, false);
        }
        Some(served)
    }
}

/// A change of the session is not wanted: it goes on as it is (§14.2).
pub(super) fn refuse(on: &mut Floor, cx: &mut Cx<'_>, served: &Served) {
    on.respond_final(cx, served, StatusCode::NOT_ACCEPTABLE_HERE, |lines| {
        lines.header(HeaderId::Warning, "399 sansip \"The session cannot be changed\"");
    });
}
