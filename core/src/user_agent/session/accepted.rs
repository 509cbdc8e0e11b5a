//! A 2xx of ours, which is repeated until its ACK comes (RFC 3261 §13.3.1.4).

use alloc::boxed::Box;

use super::super::agent::{Cx, Work};
use super::super::compose::Extra;
use super::super::description::request_describes;
use super::super::floor::Floor;
use super::super::server::{Served, served_of};
use super::Calls;
use super::call::{Accepted, Call, Callee};
use super::exchange::Described;
use super::machine::Input;
use crate::dialog::{
    Carrier, DialogId, DialogKey, DialogState, End, InvitePhase, Misplaced, OfferAnswer, OfferAnswerState,
};
use crate::error::CommandError;
use crate::message::{Request, SharedBytes, StatusCode};
use crate::tag::Tag;
use crate::user_agent::CallId;

impl Calls {
    /// Sends a 200 to the INVITE, once each reliable provisional response with a session description is acknowledged (RFC 3262 §3).
    pub(in crate::user_agent) fn answer(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        let served = self.offered(id)?;
        self.still_replaced(on, id)?;
        if let Some(session) = self.table.get_mut(id).and_then(Call::main_mut)
            && session.reliable().is_some()
        {
            extra.check()?;
            let mut offers = session.offers;
            match offers.sent(Carrier::InviteSuccess, extra.describes()) {
                Ok(_) | Err(Misplaced::Unacknowledged) => {}
                Err(_) => return Err(CommandError::Invalid("answer")),
            }
            on.dialog_response(cx, &served, StatusCode::OK, extra)?;
            if !session.accept_in_turn(cx, extra)? {
                // The INVITE is answered: nothing expires any more, and nothing rings (§13.3.1).
                self.stop_offering(cx, id);
                return Ok(());
            }
        }
        self.answer_now(on, cx, id, extra)
    }

    /// Sends a 200 to the INVITE.
    pub(super) fn answer_now(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        let served = self.offered(id)?;
        let replaced = self.still_replaced(on, id)?;
        let mut offers = self.offers_of(id, &served);
        let meaning = offers.sent(Carrier::InviteSuccess, extra.describes());
        match meaning {
            Ok(_) => {}
            // Neither end describes a session: there is nothing that the ACK could answer. §13.3.1.4 asks for an offer here, which not
            // every call has a use for.
            Err(Misplaced::Missing) if is_without_offer(offers) => offers = OfferAnswer::default(),
            Err(_) => return Err(CommandError::Invalid("answer")),
        }
        let timed = self.timed_answer(on, cx, id, None, &served, extra);
        let carried = timed.as_ref().map_or(extra, |timed| &timed.extra);
        let response = on.dialog_response(cx, &served, StatusCode::OK, carried)?;
        let dialog = self.offered_dialog(on, cx, id, &served, DialogState::Confirmed)?;
        self.accept(on, cx, id, dialog, &served, response)?;
        self.timer_answered(on, cx, id, dialog, &served, timed);
        self.note_ours(on, id, dialog, meaning, extra, &served);
        if let Some(callee) = self.callee(id) {
            *callee = Callee::Answered;
        }
        if let Some(session) = self.session_mut(id, dialog) {
            session.offers = offers;
        }
        if let Some(replaced) = replaced {
            self.end_now(on, cx, replaced);
        }
        Ok(())
    }

    /// Sends a 2xx to an INVITE or a re-INVITE, and keeps it until its ACK comes.
    pub(super) fn accept(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        served: &Served,
        response: SharedBytes,
    ) -> Result<(), CommandError> {
        let number = served.request.cseq().ok_or(CommandError::Invalid("request"))?.number;
        cx.respond_octets(served.server, StatusCode::OK, response.clone())?;
        self.step(on, cx, id, dialog, Input::Accept, None);
        self.stop_offering(cx, id);
        let timers = cx.config().timers;
        let accepted = Accepted {
            server: served.server,
            response,
            number,
            timer: cx.arm(cx.now() + timers.t1, Work::Accepted(id)),
            interval: timers.t1,
            give_up: cx.now() + timers.sixty_four_t1(),
            is_refresh: false,
        };
        if let Some(session) = self.session_mut(id, dialog) {
            session.accepted = Some(Box::new(accepted));
        }
        Ok(())
    }

    /// The timer of an accepted call: the 2xx again, at intervals from T1 doubling up to T2, or after 64·T1 the end: the dialog is
    /// confirmed, but the session is ended.
    pub(in crate::user_agent) fn accept_again(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        let timers = cx.config().timers;
        let Some(session) = self.table.get_mut(id).and_then(Call::main_mut) else { return };
        let dialog = session.dialog;
        let Some(accepted) = &mut session.accepted else { return };
        if cx.now() >= accepted.give_up {
            session.accepted = None;
            self.step(on, cx, id, dialog, Input::Unacknowledged, None);
            return;
        }
        // The transaction stays for 64·T1 too (timer L); if it is gone, so is the need.
        let _ = cx.respond_octets(accepted.server, StatusCode::OK, accepted.response.clone());
        accepted.interval = accepted.interval.saturating_mul(2).min(timers.t2);
        let at = (cx.now() + accepted.interval).min(accepted.give_up);
        accepted.timer = cx.arm(at, Work::Accepted(id));
    }

    /// The 2xx is not repeated any more.
    pub(super) fn stop_repeating(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let session = self.table.get_mut(id).and_then(Call::main_mut);
        if let Some(accepted) = session.and_then(|session| session.accepted.take()) {
            cx.disarm(accepted.timer);
        }
    }

    /// An ACK for a 2xx. A second one, or one for nothing, has no effect. Where the ACK names a dialog, only that counts: an ACK
    /// for a rejection that comes when a late copy of its INVITE has made a new call has the branch of that call.
    pub(in crate::user_agent) fn acknowledged(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        ack: &Request,
        server: Option<Tag>,
    ) {
        let Some(id) = call_of(on, ack, server) else { return };
        let Some(session) = self.table.get_mut(id).and_then(Call::main_mut) else { return };
        let Some(accepted) = &session.accepted else { return };
        if ack.cseq().is_none_or(|cseq| cseq.number != accepted.number) {
            return;
        }
        // The application does not know of a refresh.
        let told = (!accepted.is_refresh).then_some(ack);
        // Without the answer that is due the exchange is over all the same.
        let describes = request_describes(ack);
        let meaning = session.offers.received(Carrier::Ack, describes);
        if describes {
            session.note(&on.profile, Described::by_request(meaning, ack), None);
        }
        let dialog = session.dialog;
        self.step(on, cx, id, dialog, Input::Acknowledged, told);
        self.send_held(on, cx, id);
    }
}

/// Whether the INVITE had no offer.
fn is_without_offer(offers: OfferAnswer) -> bool {
    offers.state() == OfferAnswerState::Invite(End::Theirs, InvitePhase::Empty)
}

/// The call whose 2xx an ACK may be for.
fn call_of(on: &Floor, ack: &Request, server: Option<Tag>) -> Option<CallId> {
    let dialog = DialogKey::of_request(ack).and_then(|name| on.dialogs.find(name));
    if let Some(call) = dialog.and_then(|dialog| on.call_of(dialog)) {
        return Some(call);
    }
    on.serving.call(served_of(server.filter(|_| ack.to_tag().is_none())?)?)
}
