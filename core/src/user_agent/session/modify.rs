//! Changes of a session that we ask for: re-INVITEs (RFC 3261 §14.1).

use super::super::agent::{Cx, Work};
use super::super::client::{Cancelled, Inside, Outcome, Owner};
use super::super::compose::Extra;
use super::super::description::response_describes;
use super::super::event::{Cause, Event};
use super::super::floor::Floor;
use super::Calls;
use super::call::{Ack, Call, Ours, Session, Side, Stage};
use super::machine::{Input, Phase};
use super::owed::send_ack;
use crate::auth::Fields;
use crate::dialog::{Carrier, Dialog, DialogId, Ended, Meaning, Purpose, ResponseEffect};
use crate::error::CommandError;
use crate::message::header::RetryAfter;
use crate::message::{Method, Response, StatusCode};
use crate::time::Duration;
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
        extra.check()?;
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
        session.changes().ours = Some(Ours { stage: Stage::Sent(request), extra, glares, is_refresh });
        Ok(())
    }

    /// Takes what has become of a re-INVITE of ours.
    pub(in crate::user_agent) fn modify_heard(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        request: RequestId,
        outcome: Outcome,
    ) {
        match outcome {
            Outcome::Provisional(_) | Outcome::Paused => {}
            Outcome::Again(again) => {
                if let Some(session) = self.table.get_mut(id).and_then(Call::main_mut) {
                    session.raise_interval(again.interval);
                }
            }
            Outcome::Final(response) if response.status().is_success() => {
                self.modified(on, cx, id, request, response);
            }
            Outcome::Final(response) => self.modify_refused(on, cx, id, request, Cause::Refused(response)),
            Outcome::Over(concluded) => {
                self.release_ack(cx, id, request);
                self.modify_refused(on, cx, id, request, concluded.into());
                self.settle(on, id);
            }
        }
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
            return acknowledge_again(cx, session, dialog_id, dialog, request, number, &credentials);
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
            let delivery = send_ack(cx, dialog_id, dialog, number, &credentials, Some(&extra)).ok();
            session.changes().answer = Some((number, extra));
            session.changes().acks.push(Ack { request, delivery });
        }
        if is_wanted {
            let is_news = self.timer_accepted(on, cx, id, dialog_id, Some((request, &ours.extra)), &response);
            if is_news || !ours.is_refresh {
                cx.emit(Event::Modified { call: id, response });
            }
            self.send_held(on, cx, id);
        }
    }

    /// Our change came to nothing: the session is as it was, unless the cause ends it (§14.1, RFC 5057 §5).
    fn modify_refused(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, request: RequestId, cause: Cause) {
        let limit = on.profile.limits.glares;
        let Some(call) = self.table.get_mut(id) else { return };
        let is_caller = matches!(call.side, Side::Caller(_));
        let Some(session) = call.main_mut() else { return };
        let Some(ours) = take_sent(session, request) else { return };
        // Neither UPDATE nor PRACK is in use: no exchange within the re-INVITE can be complete, so that the offer is void.
        let _ = session.offers.received(Carrier::InviteFailure, false);
        if session.phase != Phase::Established {
            return self.settle(on, id);
        }
        let status = cause.counts_as();
        if status == StatusCode::REQUEST_PENDING && ours.glares < limit {
            let timer = arm_glare(cx, id, is_caller);
            session.changes().ours = Some(Ours { stage: Stage::Waiting(timer), glares: ours.glares + 1, ..ours });
            return;
        }
        let retry_after = match &cause {
            Cause::Refused(response) => response.headers().get::<RetryAfter<'_>>().and_then(Result::ok),
            _ => None,
        };
        let retry_after = retry_after.map(|after| after.seconds);
        let dialog = session.dialog;
        let effect = ResponseEffect::of(Method::Invite, Purpose::Continue, status, retry_after);
        let has_no_refresh = self.timer_refused(cx, id, dialog, status) && ours.is_refresh;
        if !ours.is_refresh {
            cx.emit(Event::ModifyFailed { call: id, cause });
        }
        match effect.ended {
            Ended::Transaction => self.send_held(on, cx, id),
            Ended::Usage | Ended::Dialog if has_no_refresh || status == StatusCode::REQUEST_TIMEOUT => {
                self.step(on, cx, id, dialog, Input::TimedOut, None);
            }
            Ended::Usage | Ended::Dialog => {
                self.step(on, cx, id, dialog, Input::Lost, None);
            }
        }
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
            if !is_refresh {
                cx.emit(Event::ModifyFailed { call: id, cause: Cause::Unreachable });
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

    /// The session is over or will be: nothing changes it any more. The peer's re-INVITE gets its final response (§15.1.2), ours is
    /// cancelled.
    pub(super) fn drop_changes(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, dialog: DialogId) {
        let Some(session) = self.session_mut(id, dialog) else { return };
        session.end_refresh(cx);
        let Some(changes) = session.changes.as_mut() else { return };
        let is_out = match changes.ours.as_ref().map(|ours| ours.stage) {
            // Without a CANCEL a peer that says no more than 180 would hold the request for ever.
            Some(Stage::Sent(request)) => on.requests.cancel(cx, request) != Ok(Cancelled::Over),
            Some(Stage::Waiting(timer)) => {
                cx.disarm(timer);
                false
            }
            None => true,
        };
        if !is_out {
            changes.ours = None;
        }
        if let Some(theirs) = changes.theirs.take() {
            cx.disarm(theirs.timer);
            on.respond_final(cx, &theirs.served, StatusCode::REQUEST_TERMINATED, |_| {});
        }
    }
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
    id: DialogId,
    dialog: &Dialog,
    request: RequestId,
    number: u32,
    credentials: &Fields,
) {
    let Some(changes) = session.changes.as_mut() else { return };
    let Some(ack) = changes.acks.iter_mut().find(|ack| ack.request == request) else { return };
    if ack.delivery.is_some_and(|ack| cx.repeat(ack).is_ok()) {
        return;
    }
    let answer = changes.answer.as_ref().filter(|answer| answer.0 == number).map(|answer| &answer.1);
    ack.delivery = send_ack(cx, id, dialog, number, credentials, answer).ok();
}

/// Waits after a 491: another time for the end that owns the Call-ID, so that the two do not meet again (§14.1).
fn arm_glare(cx: &mut Cx<'_>, id: CallId, is_caller: bool) -> TimerId {
    let tens = if is_caller { 210 + cx.random().below(191) } else { cx.random().below(201) };
    cx.arm(cx.now() + Duration::from_millis(10 * tens), Work::Glare(id))
}
