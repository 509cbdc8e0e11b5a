//! Calling: the INVITE that we send and what comes back (RFC 3261 §8.1, §13.2).

use alloc::boxed::Box;

use smallvec::SmallVec;

use super::call::{Call, Caller, Invite, LegState, Side};
use super::core::{Core, Cx, Work};
use super::event::{EndCause, Event};
use super::profile::Body;
use crate::dialog::{Dialog, DialogKey, DialogState, request_target};
use crate::endpoint::DeliveryId;
use crate::error::CommandError;
use crate::message::header::NameAddrBuf;
use crate::message::{HeaderId, Lines, Method, Recipe, RequestParts, Response, StatusCode, Uri};
use crate::tag::Tag;
use crate::transport::{Here, NextHop};
use crate::user_agent::CallId;

impl Core {
    /// Sends an INVITE (§13.2.1).
    pub(super) fn call(
        &mut self,
        cx: &mut Cx<'_>,
        to: &NameAddrBuf,
        body: Option<&Body>,
    ) -> Result<CallId, CommandError> {
        if self.calls.len() >= self.profile.limits.calls {
            return Err(CommandError::Limit("calls"));
        }
        if !to.uri().is_sip() {
            return Err(CommandError::Invalid("to"));
        }
        let target = request_target(to.uri());
        let next_hop = self.outside_hop(target.as_uri()).ok_or(CommandError::Invalid("to"))?;
        let random = cx.random();
        let call_id = random.call_id();
        let from = self.profile.identity.with_tag(&random.tag());
        let number = random.sequence_number();
        let mut lines = Lines::new();
        lines
            .number(HeaderId::MaxForwards, 70)
            .header(HeaderId::To, to.without_parameters())
            .header(HeaderId::From, from)
            .header(HeaderId::CallId, &call_id)
            .cseq(number, Method::Invite);
        let here = self.profile.add_contact_anywhere(&mut lines, cx, target.as_uri())?;
        self.profile.add_software(&mut lines, HeaderId::UserAgent);
        self.profile.add_capabilities(&mut lines);
        let parts = RequestParts::new(Method::Invite, target.as_bytes(), &lines);
        let invite = RequestParts { content: Body::content(body), ..parts }.request();
        let invite = invite.map_err(|_| CommandError::Invalid("body"))?;
        let side = Side::Caller(Caller { invite: None, ringing: false, answered: false, cancelled: false });
        let id = self.calls.insert(Call { call_id: call_id.into(), side, legs: SmallVec::new(), over: false });
        match cx.request_from(&invite, &here, next_hop, Work::Invite(id), "") {
            Ok(delivery) => {
                if let Some(caller) = self.caller(id) {
                    caller.invite = Some(Box::new(Invite { delivery, request: invite }));
                }
                Ok(id)
            }
            Err(error) => {
                self.forget(id);
                Err(error)
            }
        }
    }

    /// Cancels our INVITE (§9.1).
    pub(super) fn cancel(&mut self, cx: &mut Cx<'_>, id: CallId) -> Result<(), CommandError> {
        let Side::Caller(caller) = &mut self.alive(id)?.side else { return Err(CommandError::WrongState) };
        let Caller { invite: Some(invite), answered: false, cancelled: false, .. } = caller else {
            return Err(CommandError::WrongState);
        };
        cx.cancel(invite.delivery)?;
        caller.cancelled = true;
        Ok(())
    }

    /// Where a request outside of dialogs is sent (§8.1.2).
    pub(super) fn outside_hop(&self, target: Uri<'_>) -> Option<NextHop> {
        match &self.profile.outbound {
            Some(outbound) => Some(outbound.clone().for_request_uri(target)),
            None => NextHop::of_uri(target),
        }
    }

    /// A response to our INVITE (§13.2.2). What is not known by its number counts by its class (§8.1.3.2).
    pub(super) fn invite_response(&mut self, cx: &mut Cx<'_>, id: CallId, response: Response) {
        let status = response.status();
        if status.is_success() {
            self.answered(cx, id, response);
        } else if status.is_final() {
            self.refused(cx, id, status, Some(response));
        } else if status != StatusCode::TRYING {
            self.progressed(cx, id, response);
        }
    }

    /// The INVITE came to no response: 408 or 503 (§8.1.3.1). One that was cancelled is simply cancelled (§9.1).
    pub(super) fn invite_failed(&mut self, cx: &mut Cx<'_>, id: CallId, status: StatusCode) {
        let status = match self.caller(id) {
            Some(Caller { cancelled: true, .. }) => StatusCode::REQUEST_TERMINATED,
            _ => status,
        };
        self.refused(cx, id, status, None);
    }

    /// The INVITE's transaction is over: no more 2xx will come, early dialogs end (§13.2.2.4).
    pub(super) fn invite_finished(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let Some(caller) = self.caller(id) else { return };
        caller.invite = None;
        if !caller.answered {
            // There was a final response, but none that could be used.
            self.refused(cx, id, StatusCode::REQUEST_TIMEOUT, None);
            return;
        }
        for index in 0..self.calls.get(id).map_or(0, |call| call.legs.len()) {
            let Some(leg) = self.calls.get_mut(id).and_then(|call| call.legs.get_mut(index)) else { continue };
            if let Some(ack) = leg.ack.take() {
                cx.release(ack);
            }
            if leg.state == LegState::Early {
                self.end_leg(id, index);
            }
        }
        if let Some(call) = self.calls.get_mut(id) {
            call.legs.retain(|leg| leg.state != LegState::Over);
        }
        self.settle(id);
    }

    /// A kept ACK could not be sent: the next 2xx gets a new one.
    pub(super) fn ack_failed(&mut self, id: CallId, delivery: DeliveryId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        for leg in call.legs.iter_mut().filter(|leg| leg.ack == Some(delivery)) {
            leg.ack = None;
        }
    }

    /// A provisional response makes an early dialog if it has a tag (§13.2.2.1).
    fn progressed(&mut self, cx: &mut Cx<'_>, id: CallId, response: Response) {
        let Some(call) = self.calls.get(id) else { return };
        let Side::Caller(Caller { invite: Some(invite), answered: false, cancelled, .. }) = &call.side else { return };
        let (cancelled, over) = (*cancelled, call.over);
        let has_tag = response.to_tag().is_some();
        if has_tag
            && call.legs.len() < self.profile.limits.forks
            && let Some(key) = DialogKey::of_response(&invite.request, &response)
            && call.leg(key).is_none()
            && let Some(dialog) = Dialog::of_response(&invite.request, &response)
        {
            self.add_leg(id, dialog, LegState::Early, false);
        }
        if let Some(caller) = self.caller(id) {
            caller.ringing = true;
        }
        if !over && !cancelled {
            cx.emit(Event::Progress { call: id, response });
        }
    }

    /// A final response other than 2xx, or none, ends the call and all early dialogs (§13.2.2.3).
    fn refused(&mut self, cx: &mut Cx<'_>, id: CallId, status: StatusCode, response: Option<Response>) {
        let Some(call) = self.calls.get(id) else { return };
        let over = call.over;
        if matches!(call.side, Side::Caller(Caller { answered: true, .. })) {
            // The transaction layer lets nothing but 2xx follow a 2xx.
            return;
        }
        self.forget(id);
        if !over {
            cx.emit(Event::Failed { call: id, status, response });
        }
    }

    /// A 2xx confirms its dialog and is acknowledged, each time it comes (§13.2.2.4). The first is the call; the others are
    /// ended at once, and so is the first if the call was cancelled.
    fn answered(&mut self, cx: &mut Cx<'_>, id: CallId, response: Response) {
        let Some(call) = self.calls.get(id) else { return };
        let Side::Caller(Caller { invite: Some(invite), answered, cancelled, .. }) = &call.side else { return };
        let (first, cancelled) = (!*answered, *cancelled);
        let Some(key) = DialogKey::of_response(&invite.request, &response) else { return };
        let index = match call.leg(key) {
            Some(index) => index,
            None => {
                let Some(dialog) = Dialog::of_response(&invite.request, &response) else { return };
                if !first && call.legs.len() >= self.profile.limits.forks {
                    return self.turn_away(cx, &dialog);
                }
                self.add_leg(id, dialog, LegState::Early, false);
                call_legs(self, id).saturating_sub(1)
            }
        };
        if let Err(CommandError::Invalid(_)) = self.acknowledge(cx, id, index, &response) {
            // No ACK can be written, or there is no way for one, nor for a BYE: the peer gives up by itself (§13.3.1.4).
            if first {
                return self.refused(cx, id, StatusCode::SERVICE_UNAVAILABLE, Some(response));
            }
            return self.end_leg(id, index);
        }
        if let Some(caller) = self.caller(id) {
            caller.answered = true;
        }
        let Some(leg) = self.calls.get_mut(id).and_then(|call| call.legs.get_mut(index)) else { return };
        if leg.state != LegState::Early {
            if first {
                // The peer's BYE has overtaken its 2xx, and we had cancelled before: nothing else ends the call.
                self.over(cx, id, EndCause::Local);
            }
            return;
        }
        leg.state = LegState::Established;
        leg.main = first;
        if first && !cancelled {
            cx.emit(Event::Answered { call: id, response });
        } else if self.send_bye(cx, id, index).is_err() {
            self.leg_ended(cx, id, index);
        }
    }

    /// Sends the ACK of a leg: the kept one again if there is one. At the limit of deliveries the next 2xx gets one.
    fn acknowledge(
        &mut self,
        cx: &mut Cx<'_>,
        id: CallId,
        index: usize,
        response: &Response,
    ) -> Result<(), CommandError> {
        let leg = self.calls.get_mut(id).and_then(|call| call.legs.get_mut(index)).ok_or(CommandError::Gone)?;
        if leg.ack.is_some_and(|ack| cx.repeat(ack).is_ok()) {
            return Ok(());
        }
        if leg.dialog.state == DialogState::Early {
            leg.dialog.confirm(response);
        }
        leg.ack = None;
        leg.ack = Some(send_ack(cx, id, &leg.dialog, response)?);
        Ok(())
    }

    /// A 2xx from one fork more than are kept: acknowledged and ended. All that is kept of it is the ACK, named by the tag
    /// of the BYE and released with it; should the 2xx come again, so does this.
    fn turn_away(&mut self, cx: &mut Cx<'_>, dialog: &Dialog) {
        let Some(path) = dialog.path() else { return };
        let Some(number) = dialog.sequence.local else { return };
        let ack = dialog.lines(Method::Ack, number, &path);
        let mut bye = dialog.lines(Method::Bye, number.saturating_add(1), &path);
        self.profile.add_software(&mut bye, HeaderId::UserAgent);
        let ack = RequestParts::new(Method::Ack, path.request_uri.as_bytes(), &ack);
        let bye = RequestParts::new(Method::Bye, path.request_uri.as_bytes(), &bye);
        // At the limit of deliveries this end says nothing, and the fork gives up by itself (§13.3.1.4).
        let Ok(ack) = cx.acknowledge_from(&ack, path.next_hop.clone(), Tag::NONE) else { return };
        if cx.request_from(&bye, &Here::Unsaid, path.next_hop, Work::TurnAway(ack), "").is_err() {
            cx.release(ack);
        }
    }

    pub(super) fn caller(&mut self, id: CallId) -> Option<&mut Caller> {
        match &mut self.calls.get_mut(id)?.side {
            Side::Caller(caller) => Some(caller),
            Side::Callee(_) => None,
        }
    }
}

fn call_legs(core: &Core, id: CallId) -> usize {
    core.calls.get(id).map_or(0, |call| call.legs.len())
}

/// The ACK for a 2xx (§13.2.2.4): a request in the dialog, with the number of the INVITE.
fn send_ack(cx: &mut Cx<'_>, id: CallId, dialog: &Dialog, response: &Response) -> Result<DeliveryId, CommandError> {
    let path = dialog.path().ok_or(CommandError::Invalid("remote target"))?;
    let number = response.cseq().ok_or(CommandError::Invalid("response"))?.number;
    let lines = dialog.lines(Method::Ack, number, &path);
    let ack = RequestParts::new(Method::Ack, path.request_uri.as_bytes(), &lines);
    cx.acknowledge_from(&ack, path.next_hop, Work::Ack(id))
}
