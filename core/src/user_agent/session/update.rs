//! Our UPDATEs: changes of a session that need no ACK, before the answer to the INVITE as well as after it (RFC 3311 §5.1, §5.3).

use super::super::agent::{Cx, Work};
use super::super::client::{Inside, Outcome, Owner, after_glare};
use super::super::compose::Extra;
use super::super::description::response_describes;
use super::super::event::{Cause, Event};
use super::super::floor::Floor;
use super::Calls;
use super::call::{Call, Caller, Ours, Progress, Session, Side, Stage};
use super::exchange::Described;
use super::machine::Phase;
use super::modify::{Change, effect_of};
use crate::dialog::{Carrier, DialogId, Ended};
use crate::error::CommandError;
use crate::message::{Method, Response, StatusCode};
use crate::timer::TimerId;
use crate::user_agent::{CallDialog, CallId, RequestId};

impl Calls {
    /// Sends an UPDATE: an offer, or a target refresh alone.
    pub(in crate::user_agent) fn update(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        of: CallDialog,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        extra.check_request()?;
        let dialog = self.dialog_of(of, |session| session.phase == Phase::Early)?;
        let call = self.alive(of.call)?;
        let is_lost = call.is_lost(dialog);
        let session = call.session_mut(dialog).ok_or(CommandError::Gone)?;
        let is_updating = session.changes.as_ref().is_some_and(|changes| changes.update.is_some());
        if is_updating || is_lost || session.is_unacknowledged() {
            return Err(CommandError::WrongState);
        }
        self.send_update(on, cx, of.call, dialog, Change { extra: extra.clone(), glares: 0, is_refresh: false })
    }

    pub(super) fn send_update(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        Change { extra, glares, is_refresh }: Change,
    ) -> Result<(), CommandError> {
        let session = self.session_mut(id, dialog).ok_or(CommandError::Gone)?;
        let mut offers = session.offers;
        // An offer is in progress, or the INVITE's own offer has no answer yet that the peer is known to have got (§5.1).
        let meaning = offers.sent(Carrier::Update, extra.describes()).map_err(|_| CommandError::WrongState)?;
        let is_timed = session.is_timed();
        let update = Inside { dialog, method: Method::Update, extra: session.timed_request(&extra) };
        let request = on.send_inside(cx, Owner::Update(id, dialog), update)?;
        session.offers = offers;
        let described = Described::by_us(Ok(meaning), &extra);
        let (stage, is_told) = (Stage::Sent(request), !is_refresh);
        session.changes().update = Some(Ours { stage, extra, glares, is_refresh, is_told, is_timed });
        session.note(&on.profile, described, None);
        Ok(())
    }

    /// Takes what has become of an UPDATE of ours. The dialog that is over with it for all its usages, if it is.
    pub(in crate::user_agent) fn update_heard(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        request: RequestId,
        outcome: Outcome,
    ) -> Option<DialogId> {
        match outcome {
            Outcome::Provisional(_) | Outcome::Paused => {}
            Outcome::Again(again) => {
                if let Some(session) = self.session_mut(id, dialog) {
                    session.raise_interval(again.interval);
                }
            }
            Outcome::Collided(response) => return self.update_collided(on, cx, id, dialog, request, response),
            Outcome::Final(response) if response.status().is_success() => {
                self.updated(on, cx, id, dialog, request, response);
            }
            Outcome::Final(response) => {
                return self.update_refused(on, cx, id, dialog, request, Cause::Refused(response));
            }
            Outcome::Over(concluded) => return self.update_refused(on, cx, id, dialog, request, concluded.into()),
        }
        None
    }

    /// A 2xx to our UPDATE: its session description is the answer, its Contact the remote target (§5.3).
    fn updated(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog_id: DialogId,
        request: RequestId,
        response: Response,
    ) {
        let Some(call) = self.table.get_mut(id) else { return };
        let is_over = call.over;
        let Some(session) = call.session_mut(dialog_id) else { return };
        let is_alive = session.phase.is_alive() && !is_over;
        let Some(ours) = take_sent(session, request) else { return };
        // Without the answer that is due the exchange is over all the same.
        let meaning = session.offers.received(Carrier::UpdateSuccess, response_describes(&response));
        if let Some(dialog) = on.dialogs.get_mut(dialog_id) {
            dialog.refresh(response.contact());
        }
        // One that has gone out before there was an answer asks for no timer, whatever the answer has said since.
        if is_alive && ours.is_timed {
            self.timer_accepted(on, cx, id, dialog_id, Some(request), &response);
        }
        self.note_answer(on, id, dialog_id, Described::by_response(meaning, &response), None);
        if is_alive && !ours.is_refresh {
            cx.emit(Event::Modified { call: id, dialog: dialog_id, response });
        } else {
            self.told(id);
        }
    }

    /// Our UPDATE has met a change of the peer's, and goes out again later (§5.3).
    fn update_collided(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        request: RequestId,
        response: Response,
    ) -> Option<DialogId> {
        let limit = on.profile.limits.glares;
        let call = self.table.get_mut(id)?;
        let is_caller = matches!(call.side, Side::Caller(_));
        let session = call.session_mut(dialog)?;
        let glares = session.changes.as_ref().and_then(|it| it.update.as_ref()).map_or(0, |ours| ours.glares);
        if !session.phase.is_alive() || glares >= limit {
            return self.update_refused(on, cx, id, dialog, request, Cause::Refused(response));
        }
        let ours = take_sent(session, request)?;
        let _ = session.offers.received(Carrier::UpdateFailure, false);
        let stage = Stage::Waiting(arm_update_glare(cx, dialog, is_caller));
        session.changes().update = Some(Ours { stage, glares: glares + 1, ..ours });
        None
    }

    /// Our UPDATE came to nothing: the session is as it was, unless the cause ends it (§5.3, RFC 5057 §5).
    fn update_refused(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        request: RequestId,
        cause: Cause,
    ) -> Option<DialogId> {
        let session = self.session_mut(id, dialog)?;
        let ours = take_sent(session, request)?;
        let _ = session.offers.received(Carrier::UpdateFailure, false);
        if !session.phase.is_alive() {
            return None;
        }
        let (effect, status) = effect_of(Method::Update, &cause);
        if ours.is_refresh && self.refresh_without_update(on, cx, id, dialog, status) {
            return None;
        }
        let has_no_refresh = self.timer_refused(cx, id, dialog, status) && ours.is_refresh;
        if !ours.is_refresh {
            cx.emit(Event::ModifyFailed { call: id, dialog, cause, synchronize: false });
        } else if effect.ended == Ended::Transaction && !has_no_refresh {
            self.not_told(cx, id, dialog, cause);
        }
        // Proxies hear of the end too (RFC 4028 §10).
        let status = if has_no_refresh { StatusCode::REQUEST_TIMEOUT } else { status };
        self.end_by(on, cx, id, dialog, effect, status)
    }

    /// An UPDATE that has met a change of the peer's is tried again (§5.3).
    pub(in crate::user_agent) fn update_again(&mut self, on: &mut Floor, cx: &mut Cx<'_>, dialog: DialogId) {
        let Some(id) = on.call_of(dialog) else { return };
        let Some(call) = self.table.get_mut(id) else { return };
        let is_caller = matches!(call.side, Side::Caller(_));
        let is_lost = call.is_lost(dialog);
        let Some(session) = call.session_mut(dialog) else { return };
        let (offers, is_unacknowledged) = (session.offers, session.is_unacknowledged());
        let Some(ours) = session.changes.as_mut().and_then(|changes| changes.update.as_mut()) else { return };
        if !is_lost && (is_unacknowledged || !offers.may_send(Carrier::Update, ours.extra.describes())) {
            // The ACK, and the exchange in progress, have their own ends.
            ours.stage = Stage::Waiting(arm_update_glare(cx, dialog, is_caller));
            return;
        }
        let Some(Ours { extra, glares, is_refresh, .. }) = session.changes().update.take() else { return };
        if is_lost {
            let cause = Cause::Cancelled(None);
            return cx.emit(Event::ModifyFailed { call: id, dialog, cause, synchronize: false });
        }
        if self.send_update(on, cx, id, dialog, Change { extra, glares, is_refresh }).is_err() {
            self.timer_refused(cx, id, dialog, StatusCode::SERVICE_UNAVAILABLE);
            if is_refresh {
                return self.not_told(cx, id, dialog, Cause::Unreachable);
            }
            cx.emit(Event::ModifyFailed { call: id, dialog, cause: Cause::Unreachable, synchronize: false });
        }
    }
}

impl Call {
    /// Whether the session of a dialog has nobody who wants it: it is over, the call is cancelled, or it is early still when another fork
    /// has answered.
    fn is_lost(&self, dialog: DialogId) -> bool {
        let session = self.sessions.iter().find(|session| session.dialog == dialog);
        let is_early = session.is_some_and(|session| session.phase == Phase::Early);
        session.is_none_or(|session| !session.phase.is_alive())
            || match self.side {
                Side::Caller(Caller { cancelled, progress, .. }) => {
                    cancelled || progress == Progress::Answered && is_early
                }
                Side::Callee(_) => false,
            }
    }
}

impl Session {
    /// Whether the ACK for our 2xx has not come: the peer may not have heard of the dialog, and would refuse an UPDATE with 481.
    fn is_unacknowledged(&self) -> bool {
        self.phase == Phase::Accepted
    }
}

/// Our UPDATE, if that request is it.
fn take_sent(session: &mut Session, request: RequestId) -> Option<Ours> {
    let is_it = |ours: &mut Ours| ours.stage == Stage::Sent(request);
    session.changes.as_mut()?.update.take_if(is_it)
}

fn arm_update_glare(cx: &mut Cx<'_>, dialog: DialogId, is_caller: bool) -> TimerId {
    let wait = after_glare(is_caller, cx.random());
    cx.arm(cx.now() + wait, Work::UpdateGlare(dialog))
}
