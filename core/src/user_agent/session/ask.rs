//! Requests of other methods in the dialog of a session: INFO, MESSAGE, OPTIONS and the like (RFC 3261 §12.2.1; RFC 6086, 3428).

use alloc::boxed::Box;

use super::super::agent::Cx;
use super::super::client::{Inside, Outcome, Owner, is_of_the_core};
use super::super::compose::Extra;
use super::super::event::{Cause, Event};
use super::super::floor::Floor;
use super::Calls;
use super::call::Call;
use super::machine::Input;
use crate::dialog::{DialogId, Ended, Purpose, ResponseEffect};
use crate::error::CommandError;
use crate::message::header::RetryAfter;
use crate::message::{Method, Response, StatusCode};
use crate::user_agent::{CallId, RequestId};

impl Calls {
    /// Sends a request of another method in the dialog of a call.
    pub(in crate::user_agent) fn ask(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        method: Method<'static>,
        extra: &Extra,
    ) -> Result<RequestId, CommandError> {
        if is_of_the_core(method) {
            return Err(CommandError::Invalid("method"));
        }
        extra.check_request()?;
        let call = self.alive(id)?;
        let session = call.main().ok_or(CommandError::WrongState)?;
        if !session.is_usable() {
            return Err(CommandError::WrongState);
        }
        if session.changes.as_ref().is_some_and(|changes| changes.asks.len() >= on.profile.limits.asks) {
            return Err(CommandError::Limit("asks"));
        }
        let extra = (!extra.is_empty()).then(|| Box::new(extra.clone()));
        let dialog = session.dialog;
        let request = on.send_inside(cx, Owner::AskInside(id, method), Inside { dialog, method, extra })?;
        if let Some(session) = self.session_mut(id, dialog) {
            session.changes().asks.push(request);
        }
        Ok(request)
    }

    /// Takes what has become of such a request. A response may end the call, too: the peer knows no session (RFC 5057 §5.1). The dialog that
    /// is over with it, if it is.
    pub(in crate::user_agent) fn ask_heard(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        method: Method<'static>,
        request: RequestId,
        outcome: Outcome,
    ) -> Option<DialogId> {
        let (status, retry_after) = match outcome {
            Outcome::Provisional(_) | Outcome::Paused | Outcome::Again(_) => return None,
            Outcome::Final(response) | Outcome::Collided(response) => {
                let told = (response.status(), retry_after(&response));
                cx.emit(Event::Replied { request, response });
                told
            }
            Outcome::Over(concluded) => {
                let cause = Cause::from(concluded);
                let status = cause.counts_as();
                cx.emit(Event::Unanswered { request, cause });
                (status, None)
            }
        };
        let session = self.table.get_mut(id).and_then(Call::main_mut)?;
        let dialog = session.dialog;
        session.changes().asks.retain(|ask| *ask != request);
        self.end_by(on, cx, id, dialog, ResponseEffect::of(method, Purpose::Continue, status, retry_after), status)
    }

    /// Does what a final response to a request of ours, or none, means for the session. The dialog that is over with it for all its usages,
    /// if it is.
    pub(super) fn end_by(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        effect: ResponseEffect,
        status: StatusCode,
    ) -> Option<DialogId> {
        let input = match effect.ended {
            Ended::Transaction => return None,
            Ended::Usage | Ended::Dialog if status == StatusCode::REQUEST_TIMEOUT => Input::TimedOut,
            Ended::Usage | Ended::Dialog => Input::Lost,
        };
        self.step(on, cx, id, dialog, input, None);
        (effect.ended == Ended::Dialog).then_some(dialog)
    }
}

/// The seconds of Retry-After.
pub(super) fn retry_after(response: &Response) -> Option<u32> {
    Some(response.headers().get::<RetryAfter<'_>>()?.ok()?.seconds)
}
