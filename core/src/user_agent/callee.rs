//! Being called: the INVITE that we got and how it is answered (RFC 3261 §9.2, §13.3).

use alloc::boxed::Box;

use smallvec::SmallVec;

use super::call::{Accepted, Call, Callee, Caller, LegState, Offered, Side};
use super::core::{Core, Cx, Work};
use super::event::{EndCause, Event};
use super::profile::Body;
use super::uas::Served;
use crate::dialog::{Dialog, DialogKey, DialogState};
use crate::error::CommandError;
use crate::error::Limit;
use crate::message::header::{Expires, RecordRoute};
use crate::message::{HeaderId, Request, ResponseParts, Scheme, SharedBytes, StatusCode};
use crate::tag::Tag;
use crate::time::Duration;
use crate::user_agent::CallId;

/// How often a 180 is repeated, so that no proxy gives up (§13.3.1.1).
const RINGING_INTERVAL: Duration = Duration::from_secs(60);

impl Core {
    /// An INVITE outside of dialogs (§13.3.1).
    pub(super) fn invited(&mut self, cx: &mut Cx<'_>, served: Served) {
        if self.calls.len() >= self.profile.limits.calls {
            cx.refused(Limit::CALLS);
            return self.respond_final(cx, &served, StatusCode::BUSY_HERE, |_| {});
        }
        // Whether there can be a dialog is asked now, not when the user answers.
        if let Err(rejection) = Dialog::can_be_made_of(&served.request) {
            let lines = self.response_lines();
            let parts = ResponseParts::new(&served.request, rejection.status, &lines);
            return self.respond_parts(
                cx,
                &served,
                ResponseParts { reason: Some(rejection.reason.as_bytes()), ..parts },
            );
        }
        let request = served.request.clone();
        let call_id: Box<str> = request.call_id().unwrap_or_default().into();
        let request_id = served.id;
        let side = Side::Callee(Callee::Offered(Box::new(Offered { served, ringing: None, expiry: None })));
        let id = self.calls.insert(Call { call_id, side, legs: SmallVec::new(), over: false });
        if let Some(request_id) = request_id {
            self.requests.set_call(request_id, id);
        }
        if let Some(Ok(Expires(seconds))) = request.headers().get::<Expires>() {
            let at = cx.now() + Duration::from_secs(seconds.into());
            let timer = cx.arm(at, Work::Expiry(id));
            if let Some(Callee::Offered(offered)) = self.callee(id) {
                offered.expiry = Some(timer);
            }
        }
        cx.emit(Event::Incoming { call: id, request });
    }

    /// Sends a 180 (§13.3.1.1).
    pub(super) fn ring(&mut self, cx: &mut Cx<'_>, id: CallId) -> Result<(), CommandError> {
        let served = self.offered(id)?;
        let response = self.dialog_response(cx, &served, StatusCode::RINGING, None)?;
        self.begin_dialog(cx, id, &served, DialogState::Early)?;
        cx.respond_octets(served.server, StatusCode::RINGING, response)?;
        let at = cx.now() + RINGING_INTERVAL;
        if let Some(Callee::Offered(offered)) = self.callee(id)
            && !offered.ringing.is_some_and(|timer| cx.rearm(timer, at))
        {
            offered.ringing = Some(cx.arm(at, Work::Ringing(id)));
        }
        Ok(())
    }

    /// Another minute has passed without a decision.
    pub(super) fn ring_again(&mut self, cx: &mut Cx<'_>, id: CallId) {
        // It has worked before; and if it does not now, another minute may help no more than this one.
        let _ = self.ring(cx, id);
    }

    /// Sends a 200 (§13.3.1.4).
    pub(super) fn answer(&mut self, cx: &mut Cx<'_>, id: CallId, body: Option<&Body>) -> Result<(), CommandError> {
        let served = self.offered(id)?;
        let response = self.dialog_response(cx, &served, StatusCode::OK, body)?;
        let number = served.request.cseq().ok_or(CommandError::Invalid("request"))?.number;
        self.begin_dialog(cx, id, &served, DialogState::Confirmed)?;
        cx.respond_octets(served.server, StatusCode::OK, response.clone())?;
        self.stop_offering(cx, id);
        let timers = cx.config().timers;
        let accepted = Accepted {
            server: served.server,
            response,
            number,
            timer: cx.arm(cx.now() + timers.t1, Work::Accepted(id)),
            interval: timers.t1,
            give_up: cx.now() + timers.sixty_four_t1(),
            hung_up: false,
        };
        if let Some(callee) = self.callee(id) {
            *callee = Callee::Accepted(Box::new(accepted));
        }
        Ok(())
    }

    /// The timer of an accepted call: the 2xx again, at intervals from T1 doubling up to T2, or after 64·T1 the end (§13.3.1.4).
    pub(super) fn accept_again(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let timers = cx.config().timers;
        let Some(Callee::Accepted(accepted)) = self.callee(id) else { return };
        if cx.now() >= accepted.give_up {
            return self.give_up(cx, id);
        }
        // The transaction stays for 64·T1 too (timer L); if it is gone, so is the need.
        let _ = cx.respond_octets(accepted.server, StatusCode::OK, accepted.response.clone());
        accepted.interval = accepted.interval.saturating_mul(2).min(timers.t2);
        let at = (cx.now() + accepted.interval).min(accepted.give_up);
        accepted.timer = cx.arm(at, Work::Accepted(id));
    }

    /// Sends a final response other than 2xx (§13.3.1.3).
    pub(super) fn reject(&mut self, cx: &mut Cx<'_>, id: CallId, status: StatusCode) -> Result<(), CommandError> {
        let served = self.offered(id)?;
        if status.class() < 3 {
            return Err(CommandError::Invalid("status"));
        }
        let lines = self.response_lines();
        let response = self.write_response(cx, &served, ResponseParts::new(&served.request, status, &lines))?;
        cx.respond_octets(served.server, status, response)?;
        self.stop_offering(cx, id);
        self.forget(id);
        Ok(())
    }

    /// The peer does not want an answer any more: 487, and the call is over.
    pub(super) fn terminate(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let Ok(served) = self.offered(id) else { return };
        self.respond_final(cx, &served, StatusCode::REQUEST_TERMINATED, |_| {});
        self.stop_offering(cx, id);
        self.forget(id);
        cx.emit(Event::Failed { call: id, status: StatusCode::REQUEST_TERMINATED, response: None });
    }

    /// The invitation's Expires has passed (§13.3.1).
    pub(super) fn expired(&mut self, cx: &mut Cx<'_>, id: CallId) {
        self.terminate(cx, id);
    }

    /// A CANCEL (§9.2): 200 if what it cancels exists, and 487 to that if it is an INVITE without a final response.
    pub(super) fn cancelled(&mut self, cx: &mut Cx<'_>, served: &Served, cancels: Option<Tag>) {
        let Some(tag) = cancels else {
            return self.respond_final(cx, served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
        };
        // Its response carries the To tag of those to the INVITE.
        let cancels = Work::request(tag);
        let served = Served { id: cancels, ..served.clone() };
        self.respond_final(cx, &served, StatusCode::OK, |_| {});
        if let Some(call) = cancels.and_then(|id| self.requests.call(id)) {
            self.terminate(cx, call);
        }
    }

    /// An ACK for a 2xx (§13.3.1.4). A second one, or one for nothing, has no effect. Where it names a dialog, only that counts:
    /// an ACK for a rejection that comes when a late copy of its INVITE has made a new call has the branch of that call.
    pub(super) fn acknowledged(&mut self, cx: &mut Cx<'_>, ack: &Request, server: Option<Tag>) {
        let by_dialog = DialogKey::of_request(ack).and_then(|key| self.find(key)).map(|(id, _)| id);
        let server = server.filter(|_| ack.to_tag().is_none());
        let Some(id) = by_dialog.or_else(|| self.requests.call(Work::request(server?)?)) else { return };
        let Some(callee) = self.callee(id) else { return };
        let Callee::Accepted(accepted) = callee else { return };
        if ack.cseq().is_none_or(|cseq| cseq.number != accepted.number) {
            return;
        }
        let hung_up = accepted.hung_up;
        cx.disarm(accepted.timer);
        *callee = Callee::Confirmed;
        if !hung_up {
            return cx.emit(Event::Confirmed { call: id });
        }
        if let Some(index) = self.calls.get(id).and_then(Call::main_leg)
            && self.send_bye(cx, id, index).is_err()
        {
            self.leg_ended(cx, id, index);
        }
    }

    /// No ACK in 64·T1: the dialog is confirmed, but the session is ended (§13.3.1.4).
    fn give_up(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let Some(callee) = self.callee(id) else { return };
        *callee = Callee::Confirmed;
        let Some(index) = self.calls.get(id).and_then(Call::main_leg) else { return };
        if self.send_bye(cx, id, index).is_err() {
            self.end_leg(id, index);
        }
        self.over(cx, id, EndCause::Unacknowledged);
        self.settle(id);
    }

    /// The status for an INVITE within a dialog while another one is in progress (§14.2).
    pub(super) fn pending_invite(&self, id: CallId, leg: usize) -> Option<StatusCode> {
        let call = self.calls.get(id)?;
        match &call.side {
            Side::Callee(Callee::Offered(_)) => Some(StatusCode::SERVER_INTERNAL_ERROR),
            Side::Caller(Caller { invite: Some(_), .. }) if call.legs.get(leg)?.state == LegState::Early => {
                Some(StatusCode::REQUEST_PENDING)
            }
            _ => None,
        }
    }

    /// A response that makes a dialog: with Record-Route as it came and Contact (§12.1.1), and a 2xx with what we can do.
    fn dialog_response(
        &mut self,
        cx: &mut Cx<'_>,
        served: &Served,
        status: StatusCode,
        body: Option<&Body>,
    ) -> Result<SharedBytes, CommandError> {
        let request = &served.request;
        let mut lines = self.response_lines();
        lines.copy(request.headers(), HeaderId::RecordRoute);
        self.profile.add_contact(&mut lines, cx.listener(served.listener), is_secured(request))?;
        if status.is_success() {
            self.profile.add_capabilities(&mut lines);
        }
        let parts = ResponseParts { content: Body::content(body), ..ResponseParts::new(request, status, &lines) };
        self.write_response(cx, served, parts)
    }

    /// A response is about to make or confirm the dialog of the call.
    fn begin_dialog(
        &mut self,
        cx: &mut Cx<'_>,
        id: CallId,
        served: &Served,
        state: DialogState,
    ) -> Result<(), CommandError> {
        let leg_state = match state {
            DialogState::Early => LegState::Early,
            DialogState::Confirmed => LegState::Established,
        };
        if let Some(leg) = self.calls.get_mut(id).and_then(|call| call.legs.first_mut()) {
            leg.dialog.state = state;
            leg.state = leg_state;
            return Ok(());
        }
        let local_tag = served.id.and_then(|id| self.requests.local_tag(id, cx.random())).ok_or(CommandError::Gone)?;
        let dialog =
            Dialog::of_request(&served.request, local_tag, state).map_err(|_| CommandError::Invalid("request"))?;
        self.add_leg(id, dialog, leg_state, true);
        Ok(())
    }

    /// The INVITE of a call that may still be answered.
    fn offered(&mut self, id: CallId) -> Result<Served, CommandError> {
        match &self.alive(id)?.side {
            Side::Callee(Callee::Offered(offered)) => Ok(offered.served.clone()),
            _ => Err(CommandError::WrongState),
        }
    }

    /// A final response is sent: no more 180s, and nothing expires.
    fn stop_offering(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let Some(Callee::Offered(offered)) = self.callee(id) else { return };
        for timer in [offered.ringing.take(), offered.expiry.take()].into_iter().flatten() {
            cx.disarm(timer);
        }
    }

    pub(super) fn callee(&mut self, id: CallId) -> Option<&mut Callee> {
        match &mut self.calls.get_mut(id)?.side {
            Side::Callee(callee) => Some(callee),
            Side::Caller(_) => None,
        }
    }
}

/// Whether the dialog that this request makes wants a SIPS URI in Contact (§12.1.1): its Request-URI is one, or its topmost
/// Record-Route, or without any its Contact.
fn is_secured(request: &Request) -> bool {
    let headers = request.headers();
    let way_back = match headers.get::<RecordRoute<'_>>() {
        Some(route) => route.ok().map(|route| route.uri.scheme()),
        None => headers.contact().map(|contact| contact.uri.scheme()),
    };
    way_back == Some(Scheme::Sips) || Scheme::of(request.uri_bytes()) == Some(Scheme::Sips)
}
