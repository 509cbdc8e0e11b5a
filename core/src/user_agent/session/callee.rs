//! Being called: the INVITE that we got and how it is answered (RFC 3261 §9.2, §13.3).

use alloc::boxed::Box;

use super::super::agent::{Cx, Work};
use super::super::compose::{Extra, Reply};
use super::super::description::request_describes;
use super::super::event::{Cause, Event};
use super::super::floor::Floor;
use super::super::server::Served;
use super::Calls;
use super::call::{Call, Callee, Offered, Ringing, Side};
use super::refresh::least_interval;
use crate::dialog::{Carrier, DialogId, DialogState, OfferAnswer, Prospect};
use crate::error::{CommandError, Limit};
use crate::message::header::{Expires, RecordRoute};
use crate::message::{HeaderId, Request, ResponseParts, Scheme, SharedBytes, StatusCode};
use crate::time::Duration;
use crate::user_agent::CallId;

/// How often a 180 is repeated, so that no proxy gives up (§13.3.1.1).
const RINGING_INTERVAL: Duration = Duration::from_secs(60);

impl Calls {
    /// An INVITE outside of dialogs (§13.3.1).
    pub(in crate::user_agent) fn invited(&mut self, on: &mut Floor, cx: &mut Cx<'_>, served: Served) {
        if self.are_full(on) {
            cx.refused(Limit::CALLS);
            return on.respond_final(cx, &served, StatusCode::BUSY_HERE, |_| {});
        }
        // Whether there can be a dialog is asked now, not when the user answers.
        let prospect = match Prospect::of(&served.request) {
            Ok(prospect) => Some(prospect),
            Err(rejection) => {
                let lines = on.response_lines();
                let parts = ResponseParts::new(&served.request, rejection.status, &lines);
                let reason = Some(rejection.reason.as_ref());
                return on.respond_parts(cx, &served, ResponseParts { reason, ..parts });
            }
        };
        let replaces = match self.replaced_by(on, &served.request) {
            Ok(replaces) => replaces,
            Err(status) => return on.respond_final(cx, &served, status, |_| {}),
        };
        if let Err(least) = least_interval(&on.profile, &served.request) {
            return on.refuse_interval(cx, &served, least);
        }
        let request = served.request.clone();
        let call_id: Box<str> = request.call_id().unwrap_or_default().into();
        let (served_id, account) = (served.id, served.account);
        let offered = Offered { served, prospect, ringing: None, expiry: None, replaces };
        let side = Side::Callee(Callee::Offered(Box::new(offered)));
        let id = self.begin_call(on, call_id, side, account);
        on.serving.set_call(served_id, id);
        let user = on.serving.proved_user(served_id);
        let replaced = replaces.and_then(|replaced| self.table.get(replaced)?.user.as_ref());
        let replaces_own = user.is_some() && replaced == user.as_ref();
        if let Some(call) = self.table.get_mut(id) {
            call.user = user;
        }
        if let Some(Ok(Expires(seconds))) = request.headers().get::<Expires>() {
            let at = cx.now() + Duration::from_secs(seconds.into());
            let timer = cx.arm(at, Work::Expiry(id));
            if let Some(Callee::Offered(offered)) = self.callee(id) {
                offered.expiry = Some(timer);
            }
        }
        cx.emit(Event::Incoming { call: id, account, request, replaces, replaces_own });
    }

    /// Sends a provisional response from 101 to 199 (§13.3.1.1).
    pub(in crate::user_agent) fn progress(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        status: StatusCode,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        let served = self.offered(id)?;
        if Self::must_be_reliable(on, &served) {
            return self.progress_reliably(on, cx, id, status, extra);
        }
        if status.class() != 1 || status == StatusCode::TRYING {
            return Err(CommandError::Invalid("status"));
        }
        let mut offers = self.offers_of(id, &served);
        // Before the INVITE's offer there is nothing that a response which is not sent reliably could say (§13.2.1).
        offers.sent(Carrier::Provisional, extra.describes()).map_err(|_| CommandError::Invalid("body"))?;
        let response = on.dialog_response(cx, &served, status, extra)?;
        let dialog = self.offered_dialog(on, cx, id, &served, DialogState::Early)?;
        cx.respond_octets(served.server, status, response.clone())?;
        if let Some(session) = self.session_mut(id, dialog) {
            session.offers = offers;
        }
        let at = cx.now() + RINGING_INTERVAL;
        if let Some(Callee::Offered(offered)) = self.callee(id) {
            let rearmed = offered.ringing.take().filter(|ringing| cx.rearm(ringing.timer, at));
            let timer = rearmed.map_or_else(|| cx.arm(at, Work::Ringing(id)), |ringing| ringing.timer);
            offered.ringing = Some(Ringing { timer, status, response: Some(response) });
        }
        Ok(())
    }

    /// Another minute has passed without a decision: the last provisional response again.
    pub(in crate::user_agent) fn ring_again(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        let Some(Callee::Offered(offered)) = self.callee(id) else { return };
        let Some(ringing) = &mut offered.ringing else { return };
        let Some(response) = ringing.response.clone() else {
            let status = ringing.status;
            return self.ring_reliably(on, cx, id, status);
        };
        // A provisional response has gone out before; if this one does not, another minute may help no more.
        if cx.respond_octets(offered.served.server, ringing.status, response).is_ok() {
            ringing.timer = cx.arm(cx.now() + RINGING_INTERVAL, Work::Ringing(id));
        }
    }

    /// Sends a final response other than 2xx (§13.3.1.3).
    pub(in crate::user_agent) fn reject(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        reply: &Reply,
    ) -> Result<(), CommandError> {
        let served = self.offered(id)?;
        if reply.status.class() < 3 {
            return Err(CommandError::Invalid("status"));
        }
        let response = on.final_response(cx, &served, reply)?;
        cx.respond_octets(served.server, reply.status, response)?;
        self.stop_offering(cx, id);
        self.refused_invite(on, cx, id);
        Ok(())
    }

    /// Nobody waits for an answer any more: the INVITE is refused, and the call is over.
    pub(super) fn terminate(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, status: StatusCode, cause: Cause) {
        let Ok(served) = self.offered(id) else { return };
        on.respond_final(cx, &served, status, |_| {});
        self.stop_offering(cx, id);
        self.refused_invite(on, cx, id);
        cx.emit(Event::Failed { call: id, cause });
    }

    /// The invitation's Expires has passed (§13.3.1), or that of our INVITE.
    pub(in crate::user_agent) fn expired(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        if self.caller(id).is_some() {
            return self.invite_expired(on, cx, id);
        }
        self.terminate(on, cx, id, StatusCode::REQUEST_TERMINATED, Cause::Expired);
    }

    /// A CANCEL (§9.2): 200 if what it cancels exists, and 487 to that if it is an INVITE without a final response.
    pub(in crate::user_agent) fn cancelled(&mut self, on: &mut Floor, cx: &mut Cx<'_>, served: &Served) {
        let Some(cancels) = served.cancels else {
            return on.respond_final(cx, served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
        };
        // Its response carries the To tag of those to the INVITE.
        let served = Served { id: cancels, ..served.clone() };
        on.respond_final(cx, &served, StatusCode::OK, |_| {});
        if let Some(call) = on.serving.call(cancels)
            && !self.withdrawn(on, cx, call, cancels, &served.request)
        {
            let cause = Cause::Cancelled(Some(served.request.clone()));
            self.terminate(on, cx, call, StatusCode::REQUEST_TERMINATED, cause);
        }
    }

    /// The dialog of a call that a response is about to make or confirm.
    pub(super) fn offered_dialog(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        served: &Served,
        state: DialogState,
    ) -> Result<DialogId, CommandError> {
        let begun = self.table.get(id).and_then(Call::main).map(|session| session.dialog);
        if let Some(dialog) = begun.and_then(|dialog| on.dialogs.get_mut(dialog)) {
            dialog.state = state;
        }
        if let Some(dialog) = begun {
            return Ok(dialog);
        }
        let local_tag = on.serving.local_tag(served.id, cx.random()).ok_or(CommandError::Gone)?;
        let prospect = match self.callee(id) {
            Some(Callee::Offered(offered)) => offered.prospect.take(),
            _ => None,
        };
        let dialog = prospect.and_then(|prospect| prospect.dialog(&served.request, local_tag, state));
        let dialog = dialog.ok_or(CommandError::Invalid("request"))?;
        let offers = self.offers_of(id, served);
        self.begin_session(on, id, dialog, true, offers).ok_or(CommandError::Gone)
    }

    /// The offer/answer of an incoming call, which its INVITE has begun.
    pub(super) fn offers_of(&self, id: CallId, served: &Served) -> OfferAnswer {
        if let Some(session) = self.table.get(id).and_then(Call::main) {
            return session.offers;
        }
        let mut offers = OfferAnswer::default();
        // In a new dialog an INVITE fits always.
        let _ = offers.received(Carrier::Invite, request_describes(&served.request));
        offers
    }

    /// The INVITE of a call that may still be answered.
    pub(super) fn offered(&mut self, id: CallId) -> Result<Served, CommandError> {
        match &self.alive(id)?.side {
            Side::Callee(Callee::Offered(offered)) => Ok(offered.served.clone()),
            _ => Err(CommandError::WrongState),
        }
    }

    /// A final response is sent: no more 180s, and nothing expires.
    pub(super) fn stop_offering(&mut self, cx: &mut Cx<'_>, id: CallId) {
        let Some(Callee::Offered(offered)) = self.callee(id) else { return };
        let ringing = offered.ringing.take().map(|ringing| ringing.timer);
        for timer in [ringing, offered.expiry.take()].into_iter().flatten() {
            cx.disarm(timer);
        }
    }
}

impl Floor {
    /// A response that makes a dialog: with Record-Route as it came and Contact (§12.1.1), and a 2xx with what we can do.
    pub(in crate::user_agent) fn dialog_response(
        &mut self,
        cx: &mut Cx<'_>,
        served: &Served,
        status: StatusCode,
        extra: &Extra,
    ) -> Result<SharedBytes, CommandError> {
        extra.check()?;
        let request = &served.request;
        let mut lines = self.response_lines();
        lines.copy(request.headers(), HeaderId::RecordRoute);
        let account = self.accounts.get(served.account);
        let ob = self.accounts.flows(served.account).any(Some(served.listener));
        account.add_contact(&mut lines, cx.listener(served.listener), is_secured(request), ob)?;
        if status.is_success() {
            self.profile.add_capabilities(&mut lines);
        }
        extra.add_to(&mut lines);
        let parts = ResponseParts { content: extra.content(), ..ResponseParts::new(request, status, &lines) };
        self.write_response(cx, served, parts)
    }
}

/// Whether the dialog that this request makes wants a SIPS URI in Contact (§12.1.1): its Request-URI is one, or its topmost
/// Record-Route, or without any its Contact.
fn is_secured(request: &Request) -> bool {
    let headers = request.headers();
    let way_back = match headers.get::<RecordRoute<'_>>() {
        Some(route) => route.ok().map(|route| route.uri.scheme()),
        None if is_plainly_insecure(headers.raw(HeaderId::Contact)) => None,
        None => headers.contact().map(|contact| contact.uri.scheme()),
    };
    way_back == Some(Scheme::Sips) || Scheme::of(request.uri_bytes()) == Some(Scheme::Sips)
}

/// Whether a Contact begins with a URI in brackets that is no SIPS URI, as most do: then the rest need not be read.
fn is_plainly_insecure(contact: Option<&[u8]>) -> bool {
    let uri = contact.and_then(|value| value.strip_prefix(b"<"));
    uri.is_some_and(|uri| Scheme::of(uri) != Some(Scheme::Sips))
}
