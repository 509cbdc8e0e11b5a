//! Changes of a session that we ask for by re-INVITEs (RFC 3261 §14.1).

use smallvec::SmallVec;

use super::super::agent::{Cx, Work};
use super::super::client::{Cancelled, Inside, Outcome, Owner, after_glare};
use super::super::compose::{Extra, Standing};
use super::super::description::response_describes;
use super::super::event::{Cause, Event};
use super::super::floor::Floor;
use super::Calls;
use super::ask::retry_after;
use super::call::{Ack, Call, Ours, Session, Side, Stage};
use super::exchange::Described;
use super::machine::{Input, Phase};
use super::owed::send_ack;
use crate::auth::Fields;
use crate::dialog::{Carrier, Dialog, DialogId, Ended, Meaning, Purpose, ResponseEffect};
use crate::error::CommandError;
use crate::message::{Method, Response, StatusCode};
use crate::timer::TimerId;
use crate::user_agent::{CallId, RequestId};

/// A change of the session that is about to be sent.
pub(super) struct Change {
    /// The fields and the body of the re-INVITE.
    pub(super) extra: Extra,
    /// How often the change has met one of the peer's.
    pub(super) glares: usize,
    /// The session timer asks for it.
    pub(super) is_refresh: bool,
}

impl Calls {
    /// Asks for a change of the session.
    pub(in crate::user_agent) fn modify(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        extra.check_request()?;
        let session = self.alive(id)?.main_mut().ok_or(CommandError::WrongState)?;
        if session.hold_change(cx, id, extra) {
            return Ok(());
        }
        let is_changing = session.changes.as_ref().is_some_and(|changes| changes.ours.is_some());
        if session.phase != Phase::Established || is_changing {
            return Err(CommandError::WrongState);
        }
        let dialog = session.dialog;
        self.send_change(on, cx, id, dialog, Change { extra: extra.clone(), glares: 0, is_refresh: false })
    }

    /// Takes a change back: cancels our re-INVITE, or does not send it again (§9.1, RFC 6141 §3.8).
    pub(in crate::user_agent) fn cancel_change(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        extra.check_cancel()?;
        let session = self.alive(id)?.main_mut().ok_or(CommandError::WrongState)?;
        let dialog = session.dialog;
        let cause = Cause::Cancelled(None);
        if session.phase.is_alive() && session.take_held().is_some() {
            cx.emit(Event::ModifyFailed { call: id, dialog, cause, synchronize: false });
            return Ok(());
        }
        let ours = session.changes.as_ref().and_then(|changes| changes.ours.as_ref());
        // The application does not know of a refresh.
        let ours = ours.filter(|ours| !ours.is_refresh).ok_or(CommandError::WrongState)?;
        match ours.stage {
            Stage::Sent(request) => {
                if on.requests.cancel(cx, request, on.cancel_fields(id, extra.lines()))? == Cancelled::Over {
                    self.modify_refused(on, cx, id, request, cause);
                }
            }
            Stage::Waiting(timer) => {
                cx.disarm(timer);
                session.changes().ours = None;
                cx.emit(Event::ModifyFailed { call: id, dialog, cause, synchronize: false });
            }
        }
        Ok(())
    }

    /// Sends a re-INVITE.
    pub(super) fn send_change(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        Change { extra, glares, is_refresh }: Change,
    ) -> Result<(), CommandError> {
        let session = self.session_mut(id, dialog).ok_or(CommandError::Gone)?;
        let mut offers = session.offers;
        // Another INVITE or offer is in progress (§14.1).
        offers.sent(Carrier::Invite, extra.describes()).map_err(|_| CommandError::WrongState)?;
        let invite = Inside { dialog, method: Method::Invite, extra: session.timed_request(&extra) };
        let request = on.send_inside(cx, Owner::Modify(id), invite)?;
        session.offers = offers;
        let is_timed = session.is_timed();
        let (stage, is_told) = (Stage::Sent(request), !is_refresh);
        session.changes().ours = Some(Ours { stage, extra, glares, is_refresh, is_told, is_timed });
        Ok(())
    }

    /// Takes what has become of a re-INVITE of ours. The dialog that is over with it for all its usages, if it is.
    pub(in crate::user_agent) fn modify_heard(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        request: RequestId,
        outcome: Outcome,
    ) -> Option<DialogId> {
        match outcome {
            Outcome::Paused => {}
            Outcome::Provisional(response) => self.modify_progressed(on, cx, id, response),
            Outcome::Again(again) => {
                if let Some(session) = self.table.get_mut(id).and_then(Call::main_mut) {
                    session.raise_interval(again.interval);
                }
            }
            Outcome::Collided(response) => return self.modify_collided(on, cx, id, request, response),
            Outcome::Final(response) if response.status().is_success() => {
                self.modified(on, cx, id, request, response);
            }
            Outcome::Final(response) => return self.modify_refused(on, cx, id, request, Cause::Refused(response)),
            Outcome::Over(concluded) => {
                self.release_ack(cx, id, request);
                let lost = self.modify_refused(on, cx, id, request, concluded.into());
                self.settle(on, cx, id);
                return lost;
            }
        }
        None
    }

    /// A 2xx to our re-INVITE is acknowledged each time it comes (§13.2.2.4). The first one changes the session.
    fn modified(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, request: RequestId, response: Response) {
        let refusal = self.refusal(id);
        let Some(session) = self.table.get_mut(id).and_then(Call::main_mut) else { return };
        let Some(number) = response.cseq().map(|cseq| cseq.number) else { return };
        let dialog_id = session.dialog;
        let credentials = on.requests.request(request).map(Fields::of).unwrap_or_default();
        let Some(dialog) = on.dialogs.get_mut(dialog_id) else { return };
        let Some(ours) = take_sent(session, request) else {
            let standing = on.standing.as_deref().map(|standing| (standing, id));
            return acknowledge_again(cx, session, (dialog_id, dialog), request, number, &credentials, standing);
        };
        dialog.refresh(response.contact());
        let meaning = session.offers.received(Carrier::InviteSuccess, response_describes(&response));
        let (is_owed, is_wanted) = (meaning == Ok(Meaning::Offer), session.phase == Phase::Established);
        if is_owed && is_wanted {
            self.owe(on, cx, id, dialog_id, Some(request), number);
            self.step(on, cx, id, dialog_id, Input::Owed, None);
        } else {
            let extra = if is_owed { refusal } else { Extra::new() };
            // At the limit of deliveries the next 2xx gets the ACK.
            let standing = on.standing.as_deref().map(|standing| (standing, id));
            let delivery = send_ack(cx, dialog_id, dialog, number, &credentials, Some(&extra), standing).ok();
            session.changes().answer = Some((number, extra));
            session.changes().acks.push(Ack { request, delivery });
        }
        if is_wanted {
            self.timer_accepted(on, cx, id, dialog_id, Some(request), &response);
            let described = Described::by_response(meaning, &response);
            let is_news = self.note_answer(on, id, dialog_id, described, ours.extra.description().cloned());
            if is_news || ours.is_told {
                cx.emit(Event::Modified { call: id, dialog: dialog_id, response });
            }
            if ours.is_refresh {
                self.told(id);
            }
            self.send_held(on, cx, id);
        }
    }

    /// Our change came to nothing: the session is as it was, unless the cause ends it (§14.1, RFC 5057 §5).
    fn modify_refused(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        request: RequestId,
        cause: Cause,
    ) -> Option<DialogId> {
        let session = self.table.get_mut(id).and_then(Call::main_mut)?;
        let ours = take_sent(session, request)?;
        // An exchange within the re-INVITE stays in force (RFC 6141 §3.4).
        let synchronize = session.offers.received(Carrier::InviteFailure, false) == Ok(Meaning::Synchronize);
        if session.phase != Phase::Established {
            self.settle(on, cx, id);
            return None;
        }
        let dialog = session.dialog;
        let (effect, status) = effect_of(Method::Invite, &cause);
        let has_no_refresh = self.timer_refused(cx, id, dialog, status) && ours.is_refresh;
        if ours.is_told {
            cx.emit(Event::ModifyFailed { call: id, dialog, cause, synchronize });
        } else if effect.ended == Ended::Transaction {
            self.not_told(cx, id, dialog, cause);
        }
        if effect.ended == Ended::Transaction {
            self.send_held(on, cx, id);
        }
        // Proxies hear of the end too (RFC 4028 §10).
        let status = if has_no_refresh { StatusCode::REQUEST_TIMEOUT } else { status };
        self.end_by(on, cx, id, dialog, effect, status)
    }

    /// Our re-INVITE has met a change of the peer's, and goes out again later.
    fn modify_collided(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        request: RequestId,
        response: Response,
    ) -> Option<DialogId> {
        let limit = on.profile.limits.glares;
        let call = self.table.get_mut(id)?;
        let is_caller = matches!(call.side, Side::Caller(_));
        let session = call.main_mut()?;
        let glares = session.changes.as_ref().and_then(|it| it.ours.as_ref()).map_or(0, |ours| ours.glares);
        if session.phase != Phase::Established || glares >= limit {
            return self.modify_refused(on, cx, id, request, Cause::Refused(response));
        }
        let ours = take_sent(session, request)?;
        let _ = session.offers.received(Carrier::InviteFailure, false);
        let timer = arm_glare(cx, id, is_caller);
        session.changes().ours = Some(Ours { stage: Stage::Waiting(timer), glares: glares + 1, ..ours });
        None
    }

    /// A change that has met one of the peer's is tried again (§14.1).
    pub(in crate::user_agent) fn modify_again(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        let Some(call) = self.table.get_mut(id) else { return };
        let is_caller = matches!(call.side, Side::Caller(_));
        let Some(session) = call.main_mut() else { return };
        let dialog = session.dialog;
        let is_free = session.phase == Phase::Established;
        let Some(ours) = session.changes.as_mut().and_then(|changes| changes.ours.as_mut()) else { return };
        if !is_free || !session.offers.may_send(Carrier::Invite, ours.extra.describes()) {
            // The peer's change is not done: its decision and its ACK have their own ends.
            ours.stage = Stage::Waiting(arm_glare(cx, id, is_caller));
            return;
        }
        let Some(Ours { extra, glares, is_refresh, .. }) = session.changes().ours.take() else { return };
        let sent = self.send_change(on, cx, id, dialog, Change { extra, glares, is_refresh });
        if sent.is_err() {
            self.timer_refused(cx, id, dialog, StatusCode::SERVICE_UNAVAILABLE);
            let cause = Cause::Unreachable;
            if is_refresh {
                self.not_told(cx, id, dialog, cause);
            } else {
                cx.emit(Event::ModifyFailed { call: id, dialog, cause, synchronize: false });
            }
        }
    }

    /// The transaction of a re-INVITE is over: its 2xx does not come again.
    fn release_ack(&mut self, cx: &mut Cx<'_>, id: CallId, request: RequestId) {
        let Some(changes) = self.table.get_mut(id).and_then(Call::main_mut).and_then(|it| it.changes.as_mut()) else {
            return;
        };
        if let Some(place) = changes.acks.iter().position(|ack| ack.request == request)
            && let Some(delivery) = changes.acks.swap_remove(place).delivery
        {
            cx.release(delivery);
        }
    }

    /// As [`drop_changes`](Self::drop_changes), for each dialog of the call.
    pub(super) fn drop_all_changes(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        let sessions = self.table.get(id).map(|call| call.sessions.iter()).into_iter().flatten();
        let changing = sessions.filter(|session| session.changes.is_some()).map(|session| session.dialog);
        for dialog in changing.collect::<SmallVec<[DialogId; 1]>>() {
            self.drop_changes(on, cx, id, dialog);
        }
    }

    /// The session is over or will be: nothing changes it any more. The peer's request gets its final response (§15.1.2), our re-INVITE is
    /// cancelled.
    pub(super) fn drop_changes(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, dialog: DialogId) {
        let Some(session) = self.session_mut(id, dialog) else { return };
        session.end_refresh(cx);
        let Some(changes) = session.changes.as_mut() else { return };
        let is_out = match changes.ours.as_ref().map(|ours| ours.stage) {
            // Without a CANCEL a peer that says no more than 180 would hold the request for ever.
            Some(Stage::Sent(request)) => {
                on.requests.cancel(cx, request, on.cancel_fields(id, None)) != Ok(Cancelled::Over)
            }
            Some(Stage::Waiting(timer)) => {
                cx.disarm(timer);
                false
            }
            None => true,
        };
        if !is_out {
            changes.ours = None;
        }
        if let Some(waiting) = changes.unacknowledged.take() {
            cx.disarm(waiting.timer);
        }
        if let Some(reliable) = &mut changes.reliable {
            reliable.stop(cx);
        }
        match changes.update.take().map(|ours| ours.stage) {
            Some(Stage::Sent(request)) => {
                on.requests.settle_for(cx, request);
            }
            Some(Stage::Waiting(timer)) => cx.disarm(timer),
            None => {}
        }
        changes.pracks.retain(|prack| !on.requests.settle_for(cx, *prack));
        changes.asks.retain(|ask| {
            let is_over = on.requests.settle_for(cx, *ask);
            if is_over {
                cx.emit(Event::Unanswered { request: *ask, cause: Cause::Cancelled(None) });
            }
            !is_over
        });
        if let Some(theirs) = changes.theirs.take() {
            cx.disarm(theirs.timer);
            on.respond_final(cx, &theirs.served, StatusCode::REQUEST_TERMINATED, |_| {});
        }
    }
}

/// The effect of the end of such a request on its session (RFC 5057 §5.1), and the status that the end counts as.
pub(super) fn effect_of(method: Method<'_>, cause: &Cause) -> (ResponseEffect, StatusCode) {
    let status = cause.counts_as();
    let retry_after = if let Cause::Refused(response) = cause { retry_after(response) } else { None };
    (ResponseEffect::of(method, Purpose::Continue, status, retry_after), status)
}

/// Our change, if that re-INVITE asks for it.
fn take_sent(session: &mut Session, request: RequestId) -> Option<Ours> {
    let is_it = |ours: &mut Ours| ours.stage == Stage::Sent(request);
    session.changes.as_mut()?.ours.take_if(is_it)
}

/// The ACK for a 2xx that came again: the kept one, or a new one with the same answer. An ACK that waits for its answer waits on.
fn acknowledge_again(
    cx: &mut Cx<'_>,
    session: &mut Session,
    (id, dialog): (DialogId, &Dialog),
    request: RequestId,
    number: u32,
    credentials: &Fields,
    standing: Option<(&Standing, CallId)>,
) {
    let Some(changes) = session.changes.as_mut() else { return };
    let Some(ack) = changes.acks.iter_mut().find(|ack| ack.request == request) else { return };
    if ack.delivery.is_some_and(|ack| cx.repeat(ack).is_ok()) {
        return;
    }
    let answer = changes.answer.as_ref().filter(|answer| answer.0 == number).map(|answer| &answer.1);
    ack.delivery = send_ack(cx, id, dialog, number, credentials, answer, standing).ok();
}

fn arm_glare(cx: &mut Cx<'_>, id: CallId, is_caller: bool) -> TimerId {
    let wait = after_glare(is_caller, cx.random());
    cx.arm(cx.now() + wait, Work::Glare(id))
}
