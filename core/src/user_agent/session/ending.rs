//! The steps of sessions, and their ends: hanging up, and BYE from either side (RFC 3261 §15).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::super::agent::Cx;
use super::super::client::{Cancelled, Inside, Outcome, Owner};
use super::super::compose::{Extra, Messages, Reply};
use super::super::event::{Cause, EndCause, Event};
use super::super::floor::{Floor, Usage};
use super::super::server::Served;
use super::Calls;
use super::call::{Call, Callee, Caller, Progress, Side};
use super::machine::{Action, Input, Phase};
use crate::dialog::{DialogId, Ended, Purpose, ResponseEffect};
use crate::error::CommandError;
use crate::message::{Method, Request, StatusCode};
use crate::user_agent::CallId;

impl Calls {
    /// Gives an input to a session, with the peer's ACK or BYE if that is the input, and does what the machine says. A BYE that cannot be
    /// sent is done with at once. False if the input does nothing.
    pub(super) fn step(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        input: Input,
        message: Option<&Request>,
    ) -> bool {
        let Some(session) = self.session_mut(id, dialog) else { return false };
        let Some((next, actions)) = session.phase.on(input) else { return false };
        let main = session.main;
        self.enter(on, cx, id, dialog, next);
        for action in actions {
            match action {
                Action::StopRepeating => self.stop_repeating(cx, id),
                Action::SendBye => {
                    if self.send_bye(on, cx, id, dialog).is_err() {
                        self.enter(on, cx, id, dialog, Phase::Over);
                    }
                }
                Action::SendRefusal => self.refuse_owed(on, cx, id, dialog),
                Action::EndInvite => self.end_invite(on, cx, id, dialog),
                Action::TellConfirmed => {
                    if let Some(ack) = message {
                        cx.emit(Event::Confirmed { call: id, ack: ack.clone() });
                    }
                }
                Action::TellEnded(cause) if main => self.tell_ended(cx, id, *cause, message),
                Action::TellEnded(_) => {}
            }
        }
        let is_over = self.session_mut(id, dialog).is_some_and(|session| session.phase == Phase::Over);
        if is_over && next == Phase::Ending && main {
            self.tell_ended(cx, id, EndCause::Local, None);
        }
        if is_over {
            self.settle(on, cx, id);
        }
        true
    }

    /// A session is in that phase from now on. Where it is over, no request finds its dialog any more.
    pub(super) fn enter(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, dialog: DialogId, phase: Phase) {
        let Some(session) = self.session_mut(id, dialog) else { return };
        session.phase = phase;
        if session.changes.is_some() && matches!(phase, Phase::Leaving | Phase::Ending | Phase::Over) {
            self.drop_changes(on, cx, id, dialog);
        }
        if phase == Phase::Over {
            self.leave(on, id, dialog);
        }
    }

    /// The session of a call uses its dialog no more.
    pub(super) fn leave(&mut self, on: &mut Floor, id: CallId, dialog: DialogId) {
        let usage = Usage::Session(id);
        if on.dialogs.usages(dialog).contains(&usage) {
            self.ended.note(on, dialog);
            on.dialogs.end(dialog, usage);
        }
    }

    /// A response to a request of another usage of the dialog says that the dialog is over (RFC 5057 §5.1): so is the session.
    pub(in crate::user_agent) fn lost(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, dialog: DialogId) {
        self.step(on, cx, id, dialog, Input::Lost, None);
    }

    /// Ends a call by what ends it now.
    pub(in crate::user_agent) fn hang_up(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        extra.check()?;
        let call = self.alive(id)?;
        if !matches!(call.side, Side::Callee(Callee::Offered(_))) {
            extra.check_request()?;
        }
        let main = call.main().map(|session| (session.dialog, session.phase));
        if let Some((dialog, Phase::Established | Phase::Accepted | Phase::AnswerOwed)) = main
            && !extra.is_empty()
            && let Some(session) = call.session_mut(dialog)
        {
            session.farewell = Some(Box::new(extra.clone()));
        }
        match (&call.side, main) {
            (Side::Callee(Callee::Offered(_)), _) => {
                self.reject(on, cx, id, &Reply { status: StatusCode::TEMPORARILY_UNAVAILABLE, extra: extra.clone() })
            }
            (_, Some((dialog, Phase::Established))) => match self.send_bye(on, cx, id, dialog) {
                Ok(()) => {
                    self.enter(on, cx, id, dialog, Phase::Ending);
                    Ok(())
                }
                // No BYE can be written, or there is no way for one: the call is over all the same.
                Err(CommandError::Invalid(_)) => {
                    self.enter(on, cx, id, dialog, Phase::Ending);
                    self.step(on, cx, id, dialog, Input::ByeDone, None);
                    Ok(())
                }
                Err(error) => Err(error),
            },
            (_, Some((dialog, _))) => {
                if self.step(on, cx, id, dialog, Input::HangUp, None) {
                    Ok(())
                } else {
                    Err(CommandError::WrongState)
                }
            }
            (_, None) => self.cancel(on, cx, id, extra),
        }
    }

    /// Sets what stands in these messages of a call.
    pub(in crate::user_agent) fn set_standing(
        &mut self,
        on: &mut Floor,
        id: CallId,
        messages: Messages,
        extra: Extra,
    ) -> Result<(), CommandError> {
        self.alive(id)?;
        on.set_standing(Some(id), messages, extra)
    }

    /// Ends each call by what ends it now. One that is ending already goes on to its end.
    pub(in crate::user_agent) fn hang_up_all(&mut self, on: &mut Floor, cx: &mut Cx<'_>) {
        let alive: Vec<CallId> = self.iter().map(|info| info.call).collect();
        for id in alive {
            self.end_now(on, cx, id);
        }
    }

    /// Ends a call by what ends it now, or else without a word to the peer.
    pub(super) fn end_now(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        match self.hang_up(on, cx, id, &Extra::new()) {
            // The application has ended it, and knows.
            Ok(()) | Err(CommandError::WrongState | CommandError::Gone) => {}
            // No BYE can be sent: the session is over for this end, and the peer's timers or its BYE end it there.
            Err(_) => self.abandon(on, cx, id),
        }
    }

    /// The call is over without a word to the peer.
    fn abandon(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        let Some(dialog) = self.table.get(id).and_then(Call::main).map(|session| session.dialog) else { return };
        self.enter(on, cx, id, dialog, Phase::Ending);
        self.step(on, cx, id, dialog, Input::ByeDone, None);
    }

    /// Sends a BYE in the dialog of a session (§15.1.1).
    fn send_bye(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, dialog: DialogId) -> Result<(), CommandError> {
        let extra = self.session_mut(id, dialog).and_then(|session| session.farewell.take());
        let bye = Inside { dialog, method: Method::Bye, extra };
        let bye = on.send_inside(cx, Owner::Bye(id, dialog), bye)?;
        if let Some(session) = self.session_mut(id, dialog) {
            session.bye = Some(bye);
        }
        Ok(())
    }

    /// A BYE of ours has its final response, or will have none: the session is over whatever the response says (§15.1.1). The dialog that is
    /// over with it for all its usages, if it is.
    pub(in crate::user_agent) fn bye_done(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        outcome: &Outcome,
    ) -> Option<DialogId> {
        self.step(on, cx, id, dialog, Input::ByeDone, None);
        let (Outcome::Final(response) | Outcome::Collided(response)) = outcome else { return None };
        let effect = ResponseEffect::of(Method::Bye, Purpose::End, response.status(), None);
        (effect.ended == Ended::Dialog).then_some(dialog)
    }

    /// A BYE in a dialog (§15.1.2).
    pub(super) fn bye_received(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        served: &Served,
        id: CallId,
        dialog: DialogId,
    ) {
        on.respond_final(cx, served, StatusCode::OK, |_| {});
        let Some(call) = self.table.get_mut(id) else { return };
        let Some(session) = call.session_mut(dialog) else { return };
        let (phase, bye) = (session.phase, session.bye);
        match &call.side {
            // The resolver still looks for the way of our own BYE: there is nobody left to send it to. One that is on its way
            // ends the call with its answer, whatever that is: a challenge is not answered in a dialog that is over.
            _ if phase == Phase::Ending => {
                let Some(bye) = bye else { return };
                if on.requests.withdraw(cx, bye) {
                    self.step(on, cx, id, dialog, Input::ByeDone, None);
                } else {
                    on.requests.settle_for(cx, bye);
                    self.leave(on, id, dialog);
                }
            }
            Side::Callee(Callee::Offered(_)) => {
                let cause = Cause::Cancelled(Some(served.request.clone()));
                self.terminate(on, cx, id, StatusCode::REQUEST_TERMINATED, cause);
            }
            Side::Caller(Caller { progress, .. }) if phase == Phase::Early && *progress != Progress::Answered => {
                self.left_early(on, cx, id, dialog, Some(served.request.clone()));
            }
            _ => {
                self.step(on, cx, id, dialog, Input::Bye, Some(&served.request));
            }
        }
    }

    /// The peer does not know this early dialog, or does not answer in it (RFC 3311 §5.3): the INVITE cannot come to anything there. One
    /// of ours that was forked goes on in its other early dialogs. A 2xx that comes all the same is acknowledged and ended.
    fn end_invite(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, dialog: DialogId) {
        let Some(call) = self.table.get(id) else { return };
        let has_others = call.sessions.iter().any(|it| it.dialog != dialog && it.phase == Phase::Early);
        match &call.side {
            Side::Caller(Caller { progress, .. }) if has_others || *progress == Progress::Answered => {}
            Side::Caller(_) => self.cancel_for(on, cx, id, Cause::Lost),
            Side::Callee(_) => self.terminate(on, cx, id, StatusCode::SERVER_INTERNAL_ERROR, Cause::Lost),
        }
    }

    /// The peer ends a dialog of ours that is still early: it has answered and given up, and each of its 2xx was lost
    /// (§13.3.1.4). Nobody else can take the call any more: it is cancelled.
    fn left_early(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, dialog: DialogId, bye: Option<Request>) {
        self.enter(on, cx, id, dialog, Phase::Over);
        self.cancel_for(on, cx, id, Cause::Cancelled(bye));
    }

    /// Cancels our INVITE, of which the application is told the end now.
    pub(super) fn cancel_for(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, cause: Cause) {
        let Some(Caller { invite: Some(invite), cancelled, .. }) = self.caller(id) else { return };
        if core::mem::replace(cancelled, true) {
            // The user has hung up already; what comes of that ends the call.
            return;
        }
        match on.requests.cancel(cx, *invite, on.cancel_fields(id, None)) {
            // Its end ends the call.
            Ok(Cancelled::Sent) => {
                if let Some(call) = self.table.get_mut(id) {
                    call.over = true;
                    cx.emit(Event::Failed { call: id, cause });
                }
            }
            // The INVITE was to go out again, or has its final response: nothing more comes of it.
            Ok(Cancelled::Over) | Err(_) => self.refused(on, cx, id, cause),
        }
    }

    /// Tells the application, once, that an established call is over.
    pub(super) fn tell_ended(&mut self, cx: &mut Cx<'_>, id: CallId, cause: EndCause, bye: Option<&Request>) {
        let Some(call) = self.table.get_mut(id) else { return };
        if !core::mem::replace(&mut call.over, true) {
            cx.emit(Event::Ended { call: id, cause, bye: bye.cloned() });
        }
    }
}
