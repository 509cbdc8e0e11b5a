//! Calling: the INVITE that we send and what comes back (RFC 3261 §8.1, §13.2).

use smallvec::SmallVec;

use super::super::agent::{Cx, Work};
use super::super::client::{Cancelled, Concluded, Outcome, Outside, Owner};
use super::super::compose::{Body, Extra, Outgoing, Sort, stand};
use super::super::description::{request_describes, response_describes};
use super::super::event::{Cause, EndCause, Event};
use super::super::floor::Floor;
use super::Calls;
use super::call::{Call, Caller, Progress, Session, Side};
use super::exchange::Described;
use super::machine::{Input, Phase};
use super::owed::send_ack;
use super::prack::Arrived;
use crate::auth::Fields;
use crate::dialog::{Carrier, Dialog, DialogId, DialogKey, DialogState, Meaning, OfferAnswer};
use crate::error::{CommandError, Limit};
use crate::message::header::Expires;
use crate::message::{HeaderId, Lines, Method, Recipe, Request, RequestParts, Response};
use crate::tag::Tag;
use crate::time::Duration;
use crate::timer::TimerId;
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
        let account = on.accounts.named(outgoing.account)?;
        let path = on.outside_path(cx, outgoing, account)?;
        let random = cx.random();
        let call_id = random.call_id();
        let from = outgoing.caller_or(&on.accounts.get(account).identity).with_tag(&random.tag());
        let number = random.sequence_number();
        let outside = Outside { account, method: Method::Invite, from: &from, call_id: &call_id, number };
        let (invite, here) = on.write_outside(cx, outgoing, &path, &outside, |lines| {
            on.profile.add_software(lines, HeaderId::UserAgent);
            on.profile.add_capabilities(lines);
            on.profile.add_session_timer(lines);
        })?;
        let side = Side::Caller(Caller { invite: None, progress: Progress::Nothing, cancelled: false, expiry: None });
        let id = self.begin_call(on, call_id.into(), side, account);
        if let Some(call) = self.table.get_mut(id) {
            call.refusal.clone_from(&outgoing.refusal);
        }
        for (messages, extra) in &outgoing.standing {
            stand(&mut on.standing, Some(id), *messages, extra.clone());
        }
        match on.send(cx, Owner::Invite(id), account, invite, here, path.next_hop) {
            Ok(invite) => {
                if let Some(caller) = self.caller(id) {
                    caller.invite = Some(invite);
                    // Nothing but the application puts Expires into an INVITE.
                    if outgoing.extra.has(HeaderId::Expires) {
                        caller.expiry = expiry(on.requests.request(invite), cx, id);
                    }
                }
                Ok(id)
            }
            Err(error) => {
                self.forget(on, cx, id);
                Err(error)
            }
        }
    }

    /// Cancels our INVITE (§9.1). The CANCEL has these fields, and no body.
    pub(in crate::user_agent) fn cancel(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        extra.check_cancel()?;
        let Side::Caller(caller) = &mut self.alive(id)?.side else { return Err(CommandError::WrongState) };
        match caller {
            Caller { progress: Progress::Answered, .. } | Caller { cancelled: true, .. } => {
                Err(CommandError::WrongState)
            }
            Caller { invite: None, .. } => Err(CommandError::WrongState),
            Caller { invite: Some(invite), .. } => {
                let fields = on.cancel_fields(id, extra.lines());
                let cancelled = on.requests.cancel(cx, *invite, fields)?;
                caller.cancelled = true;
                if cancelled == Cancelled::Over {
                    self.refused(on, cx, id, Cause::Cancelled(None));
                }
                Ok(())
            }
        }
    }

    /// The Expires of our INVITE has passed without an answer: the INVITE is cancelled (§13.2.1).
    pub(super) fn invite_expired(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        let Some(caller) = self.caller(id) else { return };
        caller.expiry = None;
        self.cancel_for(on, cx, id, Cause::Expired);
    }

    /// There is an answer to our INVITE: its Expires is of no matter any more.
    fn answer_came(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let Some(caller) = self.caller(id) else { return };
        caller.progress = Progress::Answered;
        if let Some(timer) = caller.expiry.take() {
            cx.disarm(timer);
        }
    }

    /// The INVITE goes out again: what its early dialogs were made by is refused.
    fn end_early(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        self.drop_all_changes(on, cx, id);
        let Some(call) = self.table.get_mut(id) else { return };
        for session in core::mem::take(&mut call.sessions) {
            self.leave(on, id, session.dialog);
            on.dialogs.forget(session.dialog);
        }
        if let Some(caller) = self.caller(id) {
            caller.progress = Progress::Nothing;
        }
    }

    /// Takes what has become of our INVITE (§13.2.2).
    pub(in crate::user_agent) fn invite_heard(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        outcome: Outcome,
    ) {
        match outcome {
            Outcome::Provisional(response) => self.progressed(on, cx, id, response),
            // A status that is not known by its number counts by its class (§8.1.3.2).
            Outcome::Final(response) if response.status().is_success() => self.answered(on, cx, id, response),
            Outcome::Final(response) => self.refused(on, cx, id, Cause::Refused(response)),
            Outcome::Over(Concluded::Finished) => self.invite_finished(on, cx, id),
            // An INVITE that was cancelled is simply cancelled (§9.1).
            Outcome::Over(_) if self.caller(id).is_some_and(|caller| caller.cancelled) => {
                self.refused(on, cx, id, Cause::Cancelled(None));
            }
            Outcome::Over(failed) => self.refused(on, cx, id, failed.into()),
            // The dialogs of the branches that were refused are over (§13.2.2.3).
            Outcome::Paused | Outcome::Again(_) => self.end_early(on, cx, id),
            // A 491 is such an answer to requests inside a dialog alone.
            Outcome::Collided(_) => {}
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
        let is_over = |session: &&Session| matches!(session.phase.on(Input::InviteOver), Some((Phase::Over, _)));
        let over: SmallVec<[DialogId; 1]> =
            call.sessions.iter().filter(is_over).map(|session| session.dialog).collect();
        for dialog in over {
            self.enter(on, cx, id, dialog, Phase::Over);
        }
        let Some(call) = self.table.get_mut(id) else { return };
        call.sessions.retain(|session| {
            if let Some(ack) = session.ack.take() {
                cx.release(ack);
            }
            let stays = session.phase != Phase::Over || session.has_changes();
            if !stays {
                on.dialogs.forget(session.dialog);
            }
            stays
        });
        self.settle(on, cx, id);
    }

    /// A provisional response makes an early dialog if it has a tag (§13.2.2.1).
    fn progressed(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, response: Response) {
        let Some(call) = self.table.get(id) else { return };
        let Side::Caller(Caller { invite: Some(invite), progress, cancelled, .. }) = &call.side else { return };
        let Some(invite) = on.requests.request(*invite).filter(|_| *progress != Progress::Answered) else { return };
        let is_wanted = !*cancelled && !call.over;
        let mut dialog = None;
        if response.to_tag().is_some()
            && let Some(name) = DialogKey::of_response(invite, &response)
        {
            let known = session_named(on, call, name);
            dialog = if known.is_none() && call.sessions.len() < on.profile.limits.forks {
                let offers = offers_of(invite);
                let dialog = Dialog::named(name, invite, &response);
                dialog.and_then(|dialog| self.begin_session(on, id, dialog, false, offers))
            } else {
                known
            };
            let arrived = dialog.map(|dialog| self.provisional(on, cx, id, dialog, &response));
            match (arrived, dialog) {
                (Some(Arrived::Discarded), _) => return,
                (Some(Arrived::Unreliable), Some(dialog)) => self.previewed(on, id, dialog, &response),
                _ => {}
            }
        }
        if let Some(caller) = self.caller(id) {
            caller.progress = Progress::Ringing;
        }
        if is_wanted {
            cx.emit(Event::Progress { call: id, dialog, response });
        }
    }

    /// Notes the description of an unreliable provisional response: the first one is the answer (§13.2.1), and one that nobody asked for is ignored.
    fn previewed(&mut self, on: &Floor, id: CallId, dialog: DialogId, response: &Response) {
        let Some(session) = self.session_mut(id, dialog) else { return };
        let meaning = session.offers.received(Carrier::Provisional, response_describes(response));
        if meaning == Ok(Meaning::Preview) {
            session.note(&on.profile, Described::by_response(meaning, response), None);
        }
    }

    /// A final response other than 2xx, or none, ends the call and all early dialogs (§13.2.2.3).
    pub(super) fn refused(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, cause: Cause) {
        let Some(call) = self.table.get(id) else { return };
        let over = call.over;
        if matches!(call.side, Side::Caller(Caller { progress: Progress::Answered, .. })) {
            // The transaction layer lets nothing but 2xx follow a 2xx.
            return;
        }
        self.forget(on, cx, id);
        if !over {
            cx.emit(Event::Failed { call: id, cause });
        }
    }

    /// A 2xx confirms its dialog and is acknowledged, each time it comes (§13.2.2.4). The first is the call; the others are
    /// ended at once, and so is the first if the call was cancelled.
    fn answered(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, response: Response) {
        let Some(call) = self.table.get(id) else { return };
        let Side::Caller(Caller { invite: Some(invite), progress, cancelled, .. }) = &call.side else { return };
        let (first, cancelled) = (*progress != Progress::Answered, *cancelled);
        let Some(invite) = on.requests.request(*invite) else { return };
        let Some(name) = DialogKey::of_response(invite, &response) else { return };
        let Some(number) = response.cseq().map(|cseq| cseq.number) else { return };
        let is_description = response_describes(&response);
        let dialog = match session_named(on, call, name) {
            Some(dialog) => dialog,
            None => {
                let Some(dialog) = Dialog::named(name, invite, &response) else { return };
                if !first && call.sessions.len() >= on.profile.limits.forks {
                    let is_offer = is_description && !request_describes(invite);
                    let credentials = Fields::of(invite);
                    cx.refused(Limit::FORKS);
                    return turn_away(on, cx, &dialog, (id, call), &credentials, is_offer);
                }
                let offers = offers_of(invite);
                let Some(dialog) = self.begin_session(on, id, dialog, false, offers) else { return };
                dialog
            }
        };
        let Some(session) = self.session_mut(id, dialog) else { return };
        let is_new = session.phase == Phase::Early;
        let meaning = match is_new {
            true => session.offers.received(Carrier::InviteSuccess, is_description),
            false => Ok(Meaning::Nothing),
        };
        let is_offer = meaning == Ok(Meaning::Offer);
        if is_offer && first && !cancelled {
            return self.answered_by_offer(on, cx, id, dialog, response, number);
        }
        if session.awaits_answer() {
            // The 2xx has come again while its ACK waits.
            return;
        }
        if is_offer {
            let refusal = self.refusal(id);
            if let Some(session) = self.session_mut(id, dialog) {
                session.changes().answer = Some((number, refusal));
            }
        }
        if let Err(CommandError::Invalid(_)) = self.acknowledge(on, cx, id, dialog, &response) {
            // No ACK can be written, or there is no way for one, nor for a BYE: the peer gives up by itself (§13.3.1.4).
            if first {
                return self.refused(on, cx, id, Cause::Unreachable);
            }
            return self.enter(on, cx, id, dialog, Phase::Over);
        }
        self.answer_came(cx, id);
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
            self.timer_accepted(on, cx, id, dialog, None, &response);
            self.note_success(on, id, dialog, meaning, &response);
            cx.emit(Event::Answered { call: id, response });
        } else {
            self.step(on, cx, id, dialog, Input::Unwanted, None);
        }
    }

    /// The first 2xx has the offer: its ACK waits for the application's answer.
    fn answered_by_offer(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog_id: DialogId,
        response: Response,
        number: u32,
    ) {
        let Some(dialog) = on.dialogs.get_mut(dialog_id) else { return };
        if dialog.state == DialogState::Early {
            dialog.confirm(&response);
        }
        if dialog.path().is_none() {
            // As for a 2xx with an answer: there is no way for the ACK.
            return self.refused(on, cx, id, Cause::Unreachable);
        }
        self.answer_came(cx, id);
        if let Some(session) = self.session_mut(id, dialog_id) {
            session.main = true;
        }
        self.owe(on, cx, id, dialog_id, None, number);
        self.step(on, cx, id, dialog_id, Input::Owed, None);
        self.timer_accepted(on, cx, id, dialog_id, None, &response);
        self.note_success(on, id, dialog_id, Ok(Meaning::Offer), &response);
        cx.emit(Event::Answered { call: id, response });
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
        // Nothing but the keyring puts credentials into a request.
        let credentials = invite.filter(|_| on.keyring.spaces() > 0).map(Fields::of).unwrap_or_default();
        let call = self.table.get_mut(id).ok_or(CommandError::Gone)?;
        let session = call.session_mut(dialog_id).ok_or(CommandError::Gone)?;
        if session.ack.is_some_and(|ack| cx.repeat(ack).is_ok()) {
            return Ok(());
        }
        let dialog = on.dialogs.get_mut(dialog_id).ok_or(CommandError::Gone)?;
        if dialog.state == DialogState::Early {
            dialog.confirm(response);
        }
        session.ack = None;
        let number = response.cseq().ok_or(CommandError::Invalid("response"))?.number;
        let answer = session.changes.as_ref().and_then(|changes| changes.answer.as_ref());
        let answer = answer.filter(|answer| answer.0 == number).map(|answer| &answer.1);
        let standing = on.standing.as_deref().map(|standing| (standing, id));
        session.ack = Some(send_ack(cx, dialog_id, dialog, number, &credentials, answer, standing)?);
        Ok(())
    }
}

/// The timer of an INVITE's Expires; none for one that cannot be read.
fn expiry(invite: Option<&Request>, cx: &mut Cx<'_>, id: CallId) -> Option<TimerId> {
    let Expires(seconds) = invite?.headers().get::<Expires>()?.ok()?;
    Some(cx.arm(cx.now() + Duration::from_secs(seconds.into()), Work::Expiry(id)))
}

/// The dialog of that name among those of the call. At most [`Limits::forks`](crate::user_agent::Limits::forks) and one more are
/// looked at, those included that are over.
fn session_named(on: &Floor, call: &Call, name: DialogKey<'_>) -> Option<DialogId> {
    let is_it = |dialog: &DialogId| on.dialogs.get(*dialog).is_some_and(|dialog| dialog.name.as_key() == name);
    call.sessions.iter().map(|session| session.dialog).find(is_it)
}

/// A 2xx from one fork more than are kept: acknowledged and ended. All that is kept of it is the ACK, which the BYE's owner names
/// and which is released with it; should the 2xx come again, so does this.
fn turn_away(
    on: &mut Floor,
    cx: &mut Cx<'_>,
    dialog: &Dialog,
    (id, call): (CallId, &Call),
    credentials: &Fields,
    is_offer: bool,
) {
    let Some(path) = dialog.path() else { return };
    let Some(number) = dialog.sequence.local else { return };
    let (mut ack, mut bye) = (Lines::new(), Lines::new());
    dialog.add_to(&mut ack, Method::Ack, number, &path);
    // Those of the INVITE, and those that the keyring gives to every request (§22.1).
    for (id, value) in credentials.iter() {
        ack.header(id, value);
    }
    dialog.add_to(&mut bye, Method::Bye, number.saturating_add(1), &path);
    on.profile.add_software(&mut bye, HeaderId::UserAgent);
    on.profile.add_supported(&mut bye);
    let mut farewell = None;
    if let Some(standing) = &on.standing {
        standing.complete(Some(id), Sort::Request(Method::Ack), &mut ack);
        farewell = standing.complete(Some(id), Sort::Request(Method::Bye), &mut bye);
    }
    let ack = RequestParts::new(Method::Ack, path.request_uri.as_bytes(), &ack);
    let refusal = call.refusal.as_deref().filter(|_| is_offer);
    let ack = RequestParts { content: refusal.map(Body::content).unwrap_or_default(), ..ack };
    let bye = RequestParts::new(Method::Bye, path.request_uri.as_bytes(), &bye);
    let bye = RequestParts { content: farewell.map(Body::content).unwrap_or_default(), ..bye };
    let Ok(bye) = bye.request() else { return };
    let Ok(bye) = on.keyring.authorize(call.account, &bye).edit(bye.edit()).finish() else { return };
    // At the limit of deliveries this end says nothing, and the fork gives up by itself (§13.3.1.4).
    let Ok(ack) = cx.acknowledge_from(&ack, path.next_hop.clone(), Tag::NONE) else { return };
    if on.requests.send_from(cx, Owner::TurnAway(ack), &bye, path.next_hop).is_err() {
        cx.release(ack);
    }
}

/// The offer/answer of a dialog that our INVITE makes.
fn offers_of(invite: &Request) -> OfferAnswer {
    let mut offers = OfferAnswer::default();
    // In a new dialog an INVITE fits always.
    let _ = offers.sent(Carrier::Invite, request_describes(invite));
    offers
}
