//! Requests in the dialog of a session (RFC 3261 §12.2.2).

use super::super::agent::Cx;
use super::super::floor::Floor;
use super::super::server::Served;
use super::Calls;
use super::call::{Callee, Caller, Side};
use super::machine::Phase;
use crate::dialog::DialogId;
use crate::message::{HeaderId, Method, Request, StatusCode};
use crate::user_agent::CallId;

impl Calls {
    /// Takes a request in the dialog of a session.
    pub(in crate::user_agent) fn serve(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        served: &Served,
        call: CallId,
        dialog: DialogId,
    ) {
        let method = served.request.method();
        // A second INVITE before our answer to the first is no question of order, and is told when to come again (§14.2).
        if method == Method::Invite
            && let Some(status) = self.pending_invite(call, dialog)
        {
            let wait = (status == StatusCode::SERVER_INTERNAL_ERROR).then(|| cx.random().below(11));
            return on.respond_final(cx, served, status, |lines| {
                if let Some(seconds) = wait {
                    lines.header(HeaderId::RetryAfter, alloc::format!("{seconds}"));
                }
            });
        }
        if !is_in_order(on, dialog, &served.request) {
            return on.respond_final(cx, served, StatusCode::SERVER_INTERNAL_ERROR, |_| {});
        }
        match method {
            Method::Bye => self.bye_received(on, cx, served, call, dialog),
            Method::Options => on.respond_options(cx, served),
            // A change of the session is not wanted: it goes on as it is (§14.2).
            _ => on.respond_final(cx, served, StatusCode::NOT_ACCEPTABLE_HERE, |lines| {
                lines.header(HeaderId::Warning, "399 sansip \"The session cannot be changed\"");
            }),
        }
    }

    /// The status for an INVITE within a dialog while another one is in progress (§14.2).
    fn pending_invite(&mut self, id: CallId, dialog: DialogId) -> Option<StatusCode> {
        let phase = self.session_mut(id, dialog)?.phase;
        match &self.table.get(id)?.side {
            Side::Callee(Callee::Offered(_)) => Some(StatusCode::SERVER_INTERNAL_ERROR),
            Side::Caller(Caller { invite: Some(_), .. }) if phase == Phase::Early => Some(StatusCode::REQUEST_PENDING),
            _ => None,
        }
    }
}

fn is_in_order(on: &mut Floor, dialog: DialogId, request: &Request) -> bool {
    let Some(dialog) = on.dialogs.get_mut(dialog) else { return false };
    request.cseq().is_some_and(|cseq| dialog.sequence.accept(cseq.number))
}
