//! Reliable provisional responses that we get, and their PRACKs (RFC 3262 §4).

use alloc::boxed::Box;

use super::super::agent::{Cx, Work};
use super::super::client::{Inside, Outcome, Owner};
use super::super::compose::Extra;
use super::super::description::response_describes;
use super::super::event::{Cause, Event};
use super::super::floor::Floor;
use super::Calls;
use super::call::{Call, Caller, Ours, Side, Unacknowledged};
use super::exchange::Described;
use super::modify::effect_of;
use crate::dialog::{Carrier, DialogId, Meaning, Misplaced, ReliableArrival, ReliableOrder};
use crate::error::CommandError;
use crate::extension::{Demand, Extension};
use crate::message::header::{Header, RAck, RSeq};
use crate::message::{HeaderId, Method, Response};
use crate::user_agent::{CallDialog, CallId, RequestId};

/// What a provisional response is for the order of its dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// The response is not sent reliably.
    Unreliable,
    /// The response is the next in order, and its PRACK is out, or waits for the application's answer. `is_news`: its description differs from
    /// the last one of the peer, or is an offer.
    InOrder { is_news: bool },
    /// The response has come before, or one before it is missing: it means nothing (§4).
    Discarded,
}

impl Floor {
    /// The RSeq of a provisional response that asks for a PRACK (§4). A 100 never does, and it does not come here.
    fn rseq(&self, response: &Response) -> Option<u32> {
        if !self.profile.extensions().contains(Extension::Reliable) {
            return None;
        }
        let demand = Demand::of_require(response.headers(), self.profile.extensions());
        let RSeq(rseq) = response.headers().get::<RSeq>()?.ok()?;
        demand.understood.contains(Extension::Reliable).then_some(rseq)
    }
}

impl Calls {
    /// Takes a provisional response to an INVITE of ours in a dialog, if it is a reliable one, and sends its PRACK.
    pub(super) fn provisional(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        response: &Response,
    ) -> Arrived {
        let Some(rseq) = on.rseq(response) else { return Arrived::Unreliable };
        let Some(number) = response.cseq().map(|cseq| cseq.number) else { return Arrived::Discarded };
        let limit = on.profile.limits.reliable_responses;
        let Some(session) = self.session_mut(id, dialog) else { return Arrived::Discarded };
        let changes = session.changes();
        // The peer sends the response again, and the PRACKs that are out have their end by then.
        if changes.pracks.len() >= limit || changes.unacknowledged.is_some() || !session.phase.is_alive() {
            return Arrived::Discarded;
        }
        let changes = session.changes();
        let (of, order) = changes.order.get_or_insert_with(|| (number, ReliableOrder::new(number)));
        if *of != number {
            (*of, *order) = (number, ReliableOrder::new(number));
        }
        let ReliableArrival::New(rack) = order.take(rseq) else { return Arrived::Discarded };
        // A first description that nobody asked for, and an offer that is missing, cannot be refused: the PRACK is due all the same.
        let meaning = session.offers.received(Carrier::Reliable, response_describes(response));
        let is_news = self.note_success(on, id, dialog, meaning, response);
        // RFC 6141 §4.7.
        if let Some(dialog) = on.dialogs.get_mut(dialog) {
            dialog.refresh(response.contact());
        }
        if meaning == Ok(Meaning::Offer) {
            let longest = cx.config().timers.t1.saturating_mul(63);
            let timer = cx.arm(cx.now() + on.profile.answer_time.min(longest), Work::Unacknowledged(dialog));
            if let Some(session) = self.session_mut(id, dialog) {
                session.changes().unacknowledged = Some(Unacknowledged { rack, timer });
            }
        } else {
            let is_answer = matches!(meaning, Ok(Meaning::Answer | Meaning::PreviewedAnswer));
            // Without a way for the PRACK the peer gives up by itself (§3).
            let _ = self.send_prack(on, cx, id, dialog, rack, &Extra::new(), is_answer);
        }
        Arrived::InOrder { is_news }
    }

    /// Sends a PRACK.
    #[expect(clippy::too_many_arguments, reason = "each is another thing")]
    fn send_prack(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        rack: RAck<'_>,
        extra: &Extra,
        counts: bool,
    ) -> Result<(), CommandError> {
        let mut prack = extra.clone();
        let describes = prack.describes();
        let mut value = alloc::vec::Vec::new();
        rack.write(&mut value);
        prack.write(HeaderId::RAck.into(), &value);
        let inside = Inside { dialog, method: Method::Prack, extra: Some(Box::new(prack)) };
        let request = on.send_inside(cx, Owner::Prack(id, dialog, counts), inside)?;
        if let Some(session) = self.session_mut(id, dialog) {
            session.changes().pracks.push(request);
            if counts {
                let meaning = session.offers.sent(Carrier::Prack, describes);
                session.note(&on.profile, Described::by_us(meaning, extra), None);
            }
        }
        Ok(())
    }

    /// Answers the offer of a reliable provisional response: its PRACK goes out (§5). False if none waits.
    pub(super) fn answer_reliable(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        of: CallDialog,
        extra: &Extra,
    ) -> Result<bool, CommandError> {
        extra.check()?;
        let waits = |session: &super::Session| session.changes.as_ref().is_some_and(|it| it.unacknowledged.is_some());
        let Ok(dialog) = self.dialog_of(of, waits) else { return Ok(false) };
        let session = self.session_mut(of.call, dialog).ok_or(CommandError::Gone)?;
        let waiting = session.changes.as_ref().and_then(|changes| changes.unacknowledged);
        let Some(Unacknowledged { rack, timer }) = waiting else { return Ok(false) };
        if !extra.describes() {
            return Err(CommandError::Invalid("answer"));
        }
        self.send_prack(on, cx, of.call, dialog, rack, extra, true)?;
        cx.disarm(timer);
        if let Some(session) = self.session_mut(of.call, dialog) {
            session.changes().unacknowledged = None;
        }
        Ok(true)
    }

    /// The application has not answered the offer of a reliable provisional response in time. The PRACK goes out with the refusal that the
    /// application has given beforehand, or else without a body, and nobody wants the call any more.
    pub(in crate::user_agent) fn unacknowledged(&mut self, on: &mut Floor, cx: &mut Cx<'_>, dialog: DialogId) {
        let Some(id) = on.call_of(dialog) else { return };
        let refusal = self.refusal(id);
        let Some(session) = self.session_mut(id, dialog) else { return };
        let waiting = session.changes.as_mut().and_then(|changes| changes.unacknowledged.take());
        let Some(Unacknowledged { rack, .. }) = waiting else { return };
        // An offer without an answer is void when the INVITE is over.
        let _ = self.send_prack(on, cx, id, dialog, rack, &refusal, refusal.describes());
        let is_early = matches!(
            self.table.get(id).map(|call| &call.side),
            Some(Side::Caller(Caller { invite: Some(_), progress, .. })) if *progress != super::call::Progress::Answered
        );
        if is_early {
            self.cancel_for(on, cx, id, Cause::Expired);
        } else {
            self.step(on, cx, id, dialog, super::machine::Input::Unanswered, None);
        }
    }

    /// Takes what has become of a PRACK of ours, which counts for the offer/answer or not. The dialog that is over with it for all its
    /// usages, if it is.
    pub(in crate::user_agent) fn prack_heard(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        (request, counts): (RequestId, bool),
        outcome: Outcome,
    ) -> Option<DialogId> {
        let cause = match outcome {
            Outcome::Provisional(_) | Outcome::Paused | Outcome::Again(_) => return None,
            Outcome::Final(response) | Outcome::Collided(response) if response.status().is_success() => {
                let fed = (Carrier::PrackSuccess, response_describes(&response));
                let meaning = self.prack_done(id, dialog, request, counts.then_some(fed));
                self.note_answer(on, id, dialog, Described::by_response(meaning, &response), None);
                return None;
            }
            Outcome::Final(response) | Outcome::Collided(response) => Cause::Refused(response),
            Outcome::Over(concluded) => concluded.into(),
        };
        let _ = self.prack_done(id, dialog, request, counts.then_some((Carrier::PrackFailure, false)));
        let (effect, status) = effect_of(Method::Prack, &cause);
        let is_wanted = self.table.get(id).is_some_and(|call| !call.over);
        if is_wanted { self.end_by(on, cx, id, dialog, effect, status) } else { None }
    }

    fn prack_done(
        &mut self,
        id: CallId,
        dialog: DialogId,
        request: RequestId,
        fed: Option<(Carrier, bool)>,
    ) -> Result<Meaning, Misplaced> {
        let Some(session) = self.session_mut(id, dialog) else { return Ok(Meaning::Nothing) };
        session.changes().pracks.retain(|prack| *prack != request);
        fed.map_or(Ok(Meaning::Nothing), |(carrier, describes)| session.offers.received(carrier, describes))
    }

    /// Takes a provisional response to a re-INVITE of ours.
    pub(super) fn modify_progressed(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, response: Response) {
        let Some(session) = self.table.get(id).and_then(Call::main) else { return };
        let (dialog, is_alive) = (session.dialog, session.phase.is_alive());
        let is_known = |ours: &Ours| ours.is_told;
        let is_told = session.changes.as_ref().and_then(|it| it.ours.as_ref()).is_some_and(is_known);
        let is_news = match self.provisional(on, cx, id, dialog, &response) {
            Arrived::Discarded => return,
            Arrived::InOrder { is_news } => is_news,
            Arrived::Unreliable => {
                if let Some(session) = self.session_mut(id, dialog) {
                    let _ = session.offers.received(Carrier::Provisional, response_describes(&response));
                }
                false
            }
        };
        // A refresh that changes the session is a change like any other from here on.
        let changes = self.session_mut(id, dialog).and_then(|session| session.changes.as_mut());
        if let Some(ours) = changes.and_then(|changes| changes.ours.as_mut()) {
            ours.is_told |= is_news;
        }
        if is_alive && (is_told || is_news) {
            cx.emit(Event::ModifyProgress { call: id, dialog, response });
        }
    }
}
