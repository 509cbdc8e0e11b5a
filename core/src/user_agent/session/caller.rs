//! Calling: the INVITE that we send and what comes back (RFC 3261 §8.1, §13.2).

use smallvec::SmallVec;

use super::super::agent::{Cx, Work};
use super::super::client::{Cancelled, Concluded, Outcome, Outside, Owner};
use super::super::compose::Outgoing;
use super::super::event::{Cause, EndCause, Event};
use super::super::floor::{Floor, Usage};
use super::Calls;
use super::call::{Call, Caller, Progress, Side};
use super::machine::{Input, Phase};
use crate::auth::Fields;
use crate::dialog::{Dialog, DialogId, DialogKey, DialogState};
use crate::endpoint::DeliveryId;
use crate::error::CommandError;
use crate::message::{HeaderId, Method, RequestParts, Response};
use crate::tag::Tag;
use crate::user_agent::CallId;

impl Calls {
    /// Sends an INVITE (§13.2.1).
    pub(in crate::user_agent) fn call(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        outgoing: &Outgoing,
    ) -> Result<CallId, CommandError> {
        if self.are_full(on) {
            return Err(CommandError::Limit("calls"));
        }
        let path = on.outside_path(outgoing)?;
        let random = cx.random();
        let call_id = random.call_id();
        let from = outgoing.caller_or(&on.profile.identity).with_tag(&random.tag());
        let number = random.sequence_number();
        let outside = Outside { method: Method::Invite, from: &from, call_id: &call_id, number };
        let (invite, here) = on.write_outside(cx, outgoing, &path, &outside, |lines| {
            on.profile.add_software(lines, HeaderId::UserAgent);
            on.profile.add_capabilities(lines);
        })?;
        let side = Side::Caller(Caller { invite: None, progress: Progress::Nothing, cancelled: false });
        let id = self.table.insert(Call { call_id: call_id.into(), side, sessions: SmallVec::new(), over: false });
        match on.send(cx, Owner::Invite(id), invite, here, path.next_hop) {
            Ok(invite) => {
                if let Some(caller) = self.caller(id) {
                    caller.invite = Some(invite);
                }
                Ok(id)
            }
            Err(error) => {
                self.forget(on, id);
                Err(error)
            }
        }
    }

    /// Cancels our INVITE (§9.1).
    pub(in crate::user_agent) fn cancel(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
    ) -> Result<(), CommandError> {
        let Side::Caller(caller) = &mut self.alive(id)?.side else { return Err(CommandError::WrongState) };
        match caller {
            Caller { progress: Progress::Answered, .. } | Caller { cancelled: true, .. } => {
                Err(CommandError::WrongState)
            }
            Caller { invite: None, .. } => Err(CommandError::WrongState),
            Caller { invite: Some(invite), .. } => {
                let cancelled = on.requests.cancel(cx, *invite)?;
                caller.cancelled = true;
                if cancelled == Cancelled::Over {
                    self.refused(on, cx, id, Cause::Cancelled(None));
                }
                Ok(())
            }
        }
    }

    /// The INVITE goes out again: what its early dialogs were made by is refused.
    fn end_early(&mut self, on: &mut Floor, id: CallId) {
        let Some(call) = self.table.get_mut(id) else { return };
        for session in call.sessions.drain(..) {
            on.dialogs.end(session.dialog, Usage::Session(id));
            on.dialogs.forget(session.dialog);
        }
        if let Side::Caller(caller) = &mut call.side {
            caller.progress = Progress::Nothing;
        }
    }

    /// What has become of our INVITE (§13.2.2).
    pub(in crate::user_agent) fn invite_heard(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        outcome: Outcome,
    ) {
        match outcome {
            Outcome::Provisional(response) => self.progressed(on, cx, id, response),
            // What is not known by its number counts by its class (§8.1.3.2).
            Outcome::Final(response) if response.status().is_success() => self.answered(on, cx, id, response),
            Outcome::Final(response) => self.refused(on, cx, id, Cause::Refused(response)),
            Outcome::Over(Concluded::Finished) => self.invite_finished(on, cx, id),
            // An INVITE that was cancelled is simply cancelled (§9.1).
            Outcome::Over(_) if self.caller(id).is_some_and(|caller| caller.cancelled) => {
                self.refused(on, cx, id, Cause::Cancelled(None));
            }
            Outcome::Over(failed) => self.refused(on, cx, id, failed.into()),
            // The dialogs of the branches that were refused are over (§13.2.2.3).
            Outcome::Paused | Outcome::Again(_) => self.end_early(on, id),
        }
    }

    /// The INVITE's transaction is over: no more 2xx will come, early dialogs end (§13.2.2.4).
    fn invite_finished(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        let Some(caller) = self.caller(id) else { return };
        caller.invite = None;
        if caller.progress != Progress::Answered {
            // There was a final response, but none that could be used.
            self.refused(on, cx, id, Concluded::Finished.into());
            return;
        }
        let Some(call) = self.table.get_mut(id) else { return };
        call.sessions.retain(|session| {
            if let Some(ack) = session.ack.take() {
                cx.release(ack);
            }
            let is_over = matches!(session.phase.on(Input::InviteOver), Some((Phase::Over, _)));
            if is_over {
                on.dialogs.end(session.dialog, Usage::Session(id));
            }
            let stays = !is_over && session.phase != Phase::Over;
            if !stays {
                on.dialogs.forget(session.dialog);
            }
            stays
        });
        self.settle(on, id);
    }

    /// A provisional response makes an early dialog if it has a tag (§13.2.2.1).
    fn progressed(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, response: Response) {
        let Some(call) = self.table.get(id) else { return };
        let Side::Caller(Caller { invite: Some(invite), progress, cancelled }) = &call.side else { return };
        let Some(invite) = on.requests.request(*invite).filter(|_| *progress != Progress::Answered) else { return };
        let is_wanted = !*cancelled && !call.over;
        if response.to_tag().is_some()
            && call.sessions.len() < on.profile.limits.forks
            && let Some(name) = DialogKey::of_response(invite, &response)
            && session_named(on, call, name).is_none()
            && let Some(dialog) = Dialog::of_response(invite, &response)
        {
            self.begin_session(on, id, dialog, false);
        }
        if let Some(caller) = self.caller(id) {
            caller.progress = Progress::Ringing;
        }
        if is_wanted {
            cx.emit(Event::Progress { call: id, response });
        }
    }

    /// A final response other than 2xx, or none, ends the call and all early dialogs (§13.2.2.3).
    fn refused(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, cause: Cause) {
        let Some(call) = self.table.get(id) else { return };
        let over = call.over;
        if matches!(call.side, Side::Caller(Caller { progress: Progress::Answered, .. })) {
            // The transaction layer lets nothing but 2xx follow a 2xx.
            return;
        }
        self.forget(on, id);
        if !over {
            cx.emit(Event::Failed { call: id, cause });
        }
    }

    /// A 2xx confirms its dialog and is acknowledged, each time it comes (§13.2.2.4). The first is the call; the others are
    /// ended at once, and so is the first if the call was cancelled.
    fn answered(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, response: Response) {
        let Some(call) = self.table.get(id) else { return };
        let Side::Caller(Caller { invite: Some(invite), progress, cancelled }) = &call.side else { return };
        let (first, cancelled) = (*progress != Progress::Answered, *cancelled);
        let Some(invite) = on.requests.request(*invite) else { return };
        let Some(name) = DialogKey::of_response(invite, &response) else { return };
        let dialog = match session_named(on, call, name) {
            Some(dialog) => dialog,
            None => {
                let Some(dialog) = Dialog::of_response(invite, &response) else { return };
                if !first && call.sessions.len() >= on.profile.limits.forks {
                    return turn_away(on, cx, &dialog);
                }
                let Some(dialog) = self.begin_session(on, id, dialog, false) else { return };
                dialog
            }
        };
        if let Err(CommandError::Invalid(_)) = self.acknowledge(on, cx, id, dialog, &response) {
            // No ACK can be written, or there is no way for one, nor for a BYE: the peer gives up by itself (§13.3.1.4).
            if first {
                return self.refused(on, cx, id, Cause::Unreachable);
            }
            return self.enter(on, id, dialog, Phase::Over);
        }
        if let Some(caller) = self.caller(id) {
            caller.progress = Progress::Answered;
        }
        let Some(session) = self.session_mut(id, dialog) else { return };
        if session.phase != Phase::Early {
            if first {
                // The peer's BYE has overtaken its 2xx, and we had cancelled before: nothing else ends the call.
                self.tell_ended(cx, id, EndCause::Local, None);
            }
            return;
        }
        session.main = first;
        if first && !cancelled {
            self.step(on, cx, id, dialog, Input::Taken, None);
            cx.emit(Event::Answered { call: id, response });
        } else {
            self.step(on, cx, id, dialog, Input::Unwanted, None);
        }
    }

    /// Sends the ACK of a session: the kept one again if there is one. At the limit of deliveries the next 2xx gets one.
    fn acknowledge(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog_id: DialogId,
        response: &Response,
    ) -> Result<(), CommandError> {
        let invite = self.caller(id).and_then(|caller| on.requests.request(caller.invite?));
        let credentials = invite.map(Fields::of).unwrap_or_default();
        let session = self.session_mut(id, dialog_id).ok_or(CommandError::Gone)?;
        if session.ack.is_some_and(|ack| cx.repeat(ack).is_ok()) {
            return Ok(());
        }
        let dialog = on.dialogs.get_mut(dialog_id).ok_or(CommandError::Gone)?;
        if dialog.state == DialogState::Early {
            dialog.confirm(response);
        }
        session.ack = None;
        session.ack = Some(send_ack(cx, dialog_id, dialog, &credentials, response)?);
        Ok(())
    }
}

/// The dialog of that name among those of the call. At most [`Limits::forks`](crate::user_agent::Limits::forks) and one more are
/// looked at, those included that are over.
fn session_named(on: &Floor, call: &Call, name: DialogKey<'_>) -> Option<DialogId> {
    let is_it = |dialog: &DialogId| on.dialogs.get(*dialog).is_some_and(|dialog| dialog.name.as_key() == name);
    call.sessions.iter().map(|session| session.dialog).find(is_it)
}

/// A 2xx from one fork more than are kept: acknowledged and ended. All that is kept of it is the ACK, which the BYE's owner names
/// and which is released with it; should the 2xx come again, so does this.
fn turn_away(on: &mut Floor, cx: &mut Cx<'_>, dialog: &Dialog) {
    let Some(path) = dialog.path() else { return };
    let Some(number) = dialog.sequence.local else { return };
    let ack = dialog.lines(Method::Ack, number, &path);
    let mut bye = dialog.lines(Method::Bye, number.saturating_add(1), &path);
    on.profile.add_software(&mut bye, HeaderId::UserAgent);
    let ack = RequestParts::new(Method::Ack, path.request_uri.as_bytes(), &ack);
    let bye = RequestParts::new(Method::Bye, path.request_uri.as_bytes(), &bye);
    // At the limit of deliveries this end says nothing, and the fork gives up by itself (§13.3.1.4).
    let Ok(ack) = cx.acknowledge_from(&ack, path.next_hop.clone(), Tag::NONE) else { return };
    if on.requests.send_from(cx, Owner::TurnAway(ack), &bye, path.next_hop).is_err() {
        cx.release(ack);
    }
}

/// The ACK for a 2xx (§13.2.2.4): a request in the dialog, with the number and the credentials of the INVITE
/// (§22.1).
fn send_ack(
    cx: &mut Cx<'_>,
    id: DialogId,
    dialog: &Dialog,
    credentials: &Fields,
    response: &Response,
) -> Result<DeliveryId, CommandError> {
    let path = dialog.path().ok_or(CommandError::Invalid("remote target"))?;
    let number = response.cseq().ok_or(CommandError::Invalid("response"))?.number;
    let mut lines = dialog.lines(Method::Ack, number, &path);
    for (id, value) in credentials.iter() {
        lines.header(id, value);
    }
    let ack = RequestParts::new(Method::Ack, path.request_uri.as_bytes(), &lines);
    cx.acknowledge_from(&ack, path.next_hop, Work::Ack(id))
}
