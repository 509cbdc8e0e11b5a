//! ACKs of our INVITEs, and those that wait for the application's answer to the offer of a 2xx (RFC 3261 §13.2.2.4).

use super::super::agent::{Cx, Work};
use super::super::compose::{Extra, Sort, Standing};
use super::super::floor::Floor;
use super::Calls;
use super::call::{Ack, Call, Owed};
use super::exchange::Described;
use super::machine::{Input, Phase};
use crate::auth::Fields;
use crate::dialog::{Carrier, Dialog, DialogId};
use crate::endpoint::DeliveryId;
use crate::error::CommandError;
use crate::message::{HeaderId, Lines, Method, RequestParts};
use crate::user_agent::{CallDialog, CallId, RequestId};

impl Calls {
    /// The ACK of a 2xx waits for the application's answer: of that re-INVITE, or of the call's INVITE.
    pub(super) fn owe(
        &mut self,
        on: &Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
        request: Option<RequestId>,
        number: u32,
    ) {
        let Some(session) = self.session_mut(id, dialog) else { return };
        // The INVITE's transaction, and with it the peer's patience, lasts for 64·T1 after the 2xx.
        let longest = cx.config().timers.t1.saturating_mul(63);
        let timer = cx.arm(cx.now() + on.profile.answer_time.min(longest), Work::Owed(id));
        session.changes().owed = Some(Owed { request, number, timer });
    }

    /// Answers the offer of a 2xx, or of a reliable provisional response: the ACK goes out, or the PRACK.
    pub(in crate::user_agent) fn answer_offer(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        of: CallDialog,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        extra.check_request()?;
        // Neither an ACK nor a PRACK demands what its INVITE has not (§8.2.2.3).
        if extra.has(HeaderId::ProxyRequire) {
            return Err(CommandError::HeaderOwned(HeaderId::ProxyRequire.as_str()));
        }
        if self.answer_reliable(on, cx, of, extra)? {
            return Ok(());
        }
        let id = of.call;
        let session = self.alive(id)?.main().ok_or(CommandError::WrongState)?;
        let (dialog, phase) = (session.dialog, session.phase);
        if phase != Phase::AnswerOwed {
            return Err(CommandError::WrongState);
        }
        if !extra.describes() {
            return Err(CommandError::Invalid("answer"));
        }
        self.acknowledge_owed(on, cx, id, dialog, extra)?;
        self.step(on, cx, id, dialog, Input::Answer, None);
        Ok(())
    }

    /// The application has not answered the offer of a 2xx in time.
    pub(in crate::user_agent) fn unanswered(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        if let Some(dialog) = self.table.get(id).and_then(Call::main).map(|session| session.dialog) {
            self.step(on, cx, id, dialog, Input::Unanswered, None);
        }
    }

    /// Nobody will answer the offer any more: the ACK goes out with the refusal that the application has given beforehand, or else
    /// without a body. §13.2.2.4 asks for an answer, which this end cannot make.
    pub(super) fn refuse_owed(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, dialog: DialogId) {
        let refusal = self.refusal(id);
        // Without a way for the ACK there is none for a BYE either.
        let _ = self.acknowledge_owed(on, cx, id, dialog, &refusal);
    }

    /// The answer that refuses an offer, if the application has given one.
    pub(super) fn refusal(&self, id: CallId) -> Extra {
        self.table.get(id).and_then(|call| call.refusal.as_deref().cloned()).into()
    }

    /// Sends the ACK that has waited.
    fn acknowledge_owed(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog_id: DialogId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        let first = self.caller(id).and_then(|caller| caller.invite);
        let call = self.table.get_mut(id).ok_or(CommandError::Gone)?;
        let session = call.session_mut(dialog_id).ok_or(CommandError::Gone)?;
        let changes = session.changes.as_mut().ok_or(CommandError::WrongState)?;
        let Owed { request, number, timer } = changes.owed.ok_or(CommandError::WrongState)?;
        let invite = request.or(first).and_then(|invite| on.requests.request(invite));
        let credentials = invite.map(Fields::of).unwrap_or_default();
        let dialog = on.dialogs.get(dialog_id).ok_or(CommandError::Gone)?;
        let standing = on.standing.as_deref().map(|standing| (standing, id));
        let delivery = send_ack(cx, dialog_id, dialog, number, &credentials, Some(extra), standing)?;
        cx.disarm(timer);
        changes.owed = None;
        changes.answer = Some((number, extra.clone()));
        match request {
            Some(request) => changes.acks.push(Ack { request, delivery: Some(delivery) }),
            None => session.ack = Some(delivery),
        }
        // An ACK that lacks the answer ends the exchange too.
        let meaning = session.offers.sent(Carrier::Ack, extra.describes());
        session.note(&on.profile, Described::by_us(meaning, extra), None);
        Ok(())
    }
}

/// The ACK for a 2xx (§13.2.2.4): a request in the dialog, with the number and the credentials of the INVITE (§22.1), what the
/// application gives now, and the fields that stand in the ACKs of the call.
pub(super) fn send_ack(
    cx: &mut Cx<'_>,
    id: DialogId,
    dialog: &Dialog,
    number: u32,
    credentials: &Fields,
    extra: Option<&Extra>,
    standing: Option<(&Standing, CallId)>,
) -> Result<DeliveryId, CommandError> {
    let path = dialog.path().ok_or(CommandError::Invalid("remote target"))?;
    let mut lines = Lines::new();
    dialog.add_to(&mut lines, Method::Ack, number, &path);
    for (id, value) in credentials.iter() {
        lines.header(id, value);
    }
    if let Some(extra) = extra {
        extra.add_to(&mut lines);
    }
    if let Some((standing, call)) = standing {
        standing.complete(Some(call), Sort::Request(Method::Ack), &mut lines);
    }
    let ack = RequestParts::new(Method::Ack, path.request_uri.as_bytes(), &lines);
    let ack = RequestParts { content: extra.map(Extra::content).unwrap_or_default(), ..ack };
    cx.acknowledge_from(&ack, path.next_hop, Work::Ack(id))
}
