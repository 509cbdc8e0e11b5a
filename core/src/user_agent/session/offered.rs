//! Changes of a session that the peer asks for: its re-INVITEs (RFC 3261 §14.2) and UPDATEs (RFC 3311 §5.2).

use super::super::agent::{Cx, Work};
use super::super::compose::{Extra, Reply};
use super::super::description::request_describes;
use super::super::event::{Cause, Event};
use super::super::floor::Floor;
use super::super::server::{Served, refuse_for_now};
use super::Calls;
use super::call::{Call, Callee, Caller, Session, Side, Theirs};
use super::exchange::Described;
use super::machine::Phase;
use crate::dialog::{Carrier, DialogId, Ended, Meaning, Purpose, ResponseEffect};
use crate::error::CommandError;
use crate::message::{HeaderId, Method, Request, StatusCode};
use crate::user_agent::{CallDialog, CallId, ServedId};

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
        let timer = cx.arm(cx.now() + on.profile.decision_time, Work::Decision(dialog));
        session.changes().theirs = Some(Theirs { served: served.clone(), timer });
        let same = session.same_answer(&served.request);
        on.serving.set_call(served.id, id);
        if same.is_some_and(|answer| self.accept_refresh(on, cx, id, dialog, &answer)) {
            return;
        }
        cx.emit(Event::Offered { call: id, dialog, request: served.request.clone() });
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
        let is_accepted = self.accept_offer(on, cx, (id, dialog).into(), answer).is_ok();
        if let Some(accepted) = self.session_mut(id, dialog).and_then(|session| session.accepted.as_mut()) {
            accepted.is_refresh = is_accepted;
        }
        is_accepted
    }

    /// An UPDATE (RFC 3311 §5.2): the application decides on its offer. One without an offer refreshes the remote target at once.
    pub(super) fn update_received(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        served: &Served,
        id: CallId,
        dialog_id: DialogId,
    ) {
        let Some(call) = self.table.get_mut(id) else { return };
        let is_unwanted = call.over || matches!(call.side, Side::Caller(Caller { cancelled: true, .. }));
        let session = call.session_mut(dialog_id).filter(|session| session.phase.is_alive());
        let Some(session) = session else {
            // Our BYE has told the peer that the session is over (RFC 5407 §3.2.3).
            return on.respond_final(cx, served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
        };
        let mut offers = session.offers;
        let received = offers.received(Carrier::Update, request_describes(&served.request));
        if session.phase != Phase::Early
            && received.is_ok()
            && let Err(least) = session.time_request(&on.profile, &served.request)
        {
            return on.refuse_interval(cx, served, least);
        }
        match received {
            Err(misplaced) => {
                let status = misplaced.refusal(Carrier::Update).unwrap_or(StatusCode::BAD_REQUEST);
                refuse_for_now(on, cx, served, status);
            }
            Ok(Meaning::Offer) if is_unwanted => refuse(on, cx, served),
            Ok(Meaning::Offer) => {
                session.offers = offers;
                session.note(&on.profile, Described::by_request(received, &served.request), None);
                // The sender gives up after 64·T1 (§17.1.2.2).
                let longest = cx.config().timers.t1.saturating_mul(63);
                let timer = cx.arm(cx.now() + on.profile.decision_time.min(longest), Work::Decision(dialog_id));
                session.changes().theirs = Some(Theirs { served: served.clone(), timer });
                cx.emit(Event::Offered { call: id, dialog: dialog_id, request: served.request.clone() });
            }
            Ok(_) => {
                // The 200 follows at once, so that the exchange is as it was.
                let timed = self.timed_answer(on, cx, id, Some(dialog_id), served, &Extra::new());
                let plain = Extra::new();
                let extra = timed.as_ref().map_or(&plain, |timed| &timed.extra);
                let Ok(response) = on.dialog_response(cx, served, StatusCode::OK, extra) else {
                    return on.respond_final(cx, served, StatusCode::SERVER_INTERNAL_ERROR, |_| {});
                };
                let _ = cx.respond_octets(served.server, StatusCode::OK, response);
                self.timer_answered(on, cx, id, dialog_id, served, timed);
                if let Some(dialog) = on.dialogs.get_mut(dialog_id) {
                    dialog.refresh(served.request.headers().contact());
                }
            }
        }
    }

    /// Accepts the peer's change: 200, to a re-INVITE sent again until the ACK comes.
    pub(in crate::user_agent) fn accept_offer(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        of: CallDialog,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        let id = of.call;
        let (dialog_id, served) = self.undecided_offer(of)?;
        let session = self.session_mut(id, dialog_id).ok_or(CommandError::Gone)?;
        let mut offers = session.offers;
        let (success, _) = carriers(&served);
        let meaning = offers.sent(success, extra.describes());
        meaning.map_err(|_| CommandError::Invalid("answer"))?;
        if success == Carrier::PrackSuccess {
            Self::answer_prack(on, cx, &served, extra)?;
            if let Some(session) = self.session_mut(id, dialog_id) {
                session.offers = offers;
            }
            self.note_ours(on, id, dialog_id, meaning, extra, &served);
            self.take_offer(cx, id, dialog_id, None);
            self.send_withheld(on, cx, id, dialog_id);
            return Ok(());
        }
        let timed = self.timed_answer(on, cx, id, Some(dialog_id), &served, extra);
        let carried = timed.as_ref().map_or(extra, |timed| &timed.extra);
        let response = on.dialog_response(cx, &served, StatusCode::OK, carried)?;
        if success == Carrier::InviteSuccess {
            self.accept(on, cx, id, dialog_id, &served, response)?;
        } else {
            cx.respond_octets(served.server, StatusCode::OK, response)?;
        }
        self.timer_answered(on, cx, id, dialog_id, &served, timed);
        self.note_ours(on, id, dialog_id, meaning, extra, &served);
        if let Some(dialog) = on.dialogs.get_mut(dialog_id) {
            dialog.refresh(served.request.headers().contact());
        }
        if let Some(session) = self.session_mut(id, dialog_id) {
            session.offers = offers;
        }
        self.take_offer(cx, id, dialog_id, None);
        Ok(())
    }

    /// Refuses the peer's change: the session is as it was.
    pub(in crate::user_agent) fn refuse_offer(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        of: CallDialog,
        reply: &Reply,
    ) -> Result<(), CommandError> {
        let (dialog, served) = self.undecided_offer(of)?;
        // A status that ends more than the change is no refusal of it (RFC 5057 §5.1).
        let effect = ResponseEffect::of(served.request.method(), Purpose::Continue, reply.status, None);
        if reply.status.class() < 3 || effect.ended != Ended::Transaction {
            return Err(CommandError::Invalid("status"));
        }
        let response = on.final_response(cx, &served, reply)?;
        cx.respond_octets(served.server, reply.status, response)?;
        self.refused_offer(cx, of.call, dialog, None);
        self.send_withheld(on, cx, of.call, dialog);
        Ok(())
    }

    /// The application has not decided in time.
    pub(in crate::user_agent) fn undecided(&mut self, on: &mut Floor, cx: &mut Cx<'_>, dialog: DialogId) {
        let Some(id) = on.call_of(dialog) else { return };
        let Some(served) = self.refused_offer(cx, id, dialog, None) else { return };
        if served.request.method() == Method::Invite {
            refuse(on, cx, &served);
        } else {
            // The user cannot be asked for as long as that (RFC 3311 §5.2).
            on.respond_final(cx, &served, StatusCode::SERVER_TIMEOUT, |_| {});
        }
        cx.emit(Event::OfferLapsed { call: id, dialog, cause: Cause::Expired });
        self.send_withheld(on, cx, id, dialog);
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
        let Some(dialog) = self.table.get(id).and_then(Call::main).map(|session| session.dialog) else { return false };
        let Some(served) = self.refused_offer(cx, id, dialog, Some(cancels)) else { return false };
        on.respond_final(cx, &served, StatusCode::REQUEST_TERMINATED, |_| {});
        cx.emit(Event::OfferLapsed { call: id, dialog, cause: Cause::Cancelled(Some(cancel.clone())) });
        true
    }

    /// The request that waits for the application's decision.
    fn undecided_offer(&mut self, of: CallDialog) -> Result<(DialogId, Served), CommandError> {
        let theirs = |session: &Session| Some(session.changes.as_ref()?.theirs.as_ref()?.served.clone());
        let dialog = self.dialog_of(of, |session| theirs(session).is_some())?;
        let served = self.session_mut(of.call, dialog).and_then(|session| theirs(session));
        served.map(|served| (dialog, served)).ok_or(CommandError::WrongState)
    }

    /// Takes the request that waits for a decision, whichever it is or that one.
    fn take_offer(&mut self, cx: &mut Cx<'_>, id: CallId, dialog: DialogId, which: Option<ServedId>) -> Option<Served> {
        let session = self.session_mut(id, dialog)?;
        let is_it = |theirs: &mut Theirs| which.is_none_or(|which| theirs.served.id == which);
        let theirs = session.changes.as_mut()?.theirs.take_if(is_it)?;
        cx.disarm(theirs.timer);
        Some(theirs.served)
    }

    /// As [`take_offer`](Self::take_offer), for a request that gets no 2xx.
    fn refused_offer(
        &mut self,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        which: Option<ServedId>,
    ) -> Option<Served> {
        let served = self.take_offer(cx, id, dialog, which)?;
        if let Some(session) = self.session_mut(id, dialog) {
            let (_, failure) = carriers(&served);
            let _ = session.offers.sent(failure, false);
        }
        if served.request.method() == Method::Prack {
            self.refused_prack(id, dialog, &served.request);
        }
        Some(served)
    }
}

/// What a 2xx to that request of the peer is for the offer/answer, and what a refusal is.
fn carriers(served: &Served) -> (Carrier, Carrier) {
    match served.request.method() {
        Method::Update => (Carrier::UpdateSuccess, Carrier::UpdateFailure),
        Method::Prack => (Carrier::PrackSuccess, Carrier::PrackFailure),
        _ => (Carrier::InviteSuccess, Carrier::InviteFailure),
    }
}

/// A change of the session is not wanted: it goes on as it is (§14.2).
pub(super) fn refuse(on: &mut Floor, cx: &mut Cx<'_>, served: &Served) {
    on.respond_final(cx, served, StatusCode::NOT_ACCEPTABLE_HERE, |lines| {
        lines.header(HeaderId::Warning, "399 sansip \"The session cannot be changed\"");
    });
}
