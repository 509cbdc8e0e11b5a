//! Requests in the dialog of a session (RFC 3261 §12.2.2).

use super::super::agent::Cx;
use super::super::floor::Floor;
use super::super::server::{Served, refuse_for_now};
use super::Calls;
use super::machine::Phase;
use super::offered::refuse;
use crate::dialog::DialogId;
use crate::message::{Method, StatusCode};
use crate::user_agent::CallId;

impl Calls {
    /// Whether our BYE has told the peer that the session of a dialog is over, or theirs us.
    fn has_said_bye(&self, call: CallId, dialog: DialogId) -> bool {
        let mut sessions = self.table.get(call).map(|call| call.sessions.iter()).into_iter().flatten();
        sessions.any(|it| it.dialog == dialog && matches!(it.phase, Phase::Ending | Phase::Over))
    }

    /// Whether the session of a dialog is over for the application, and the dialog waits for the end of a transaction alone.
    pub(in crate::user_agent) fn is_left(&self, call: CallId, dialog: DialogId) -> bool {
        self.has_said_bye(call, dialog) || self.awaits_only_prack(call)
    }

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
        // After our BYE there is no session that anything but the peer's own BYE could be for (RFC 5407 §3.2.2).
        let is_late = method != Method::Bye && self.has_said_bye(call, dialog);
        if is_late || (method != Method::Prack && self.awaits_only_prack(call)) {
            return on.respond_final(cx, served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
        }
        // A second INVITE before our answer to the first is no question of order, and is told when to come again (§14.2).
        if method == Method::Invite
            && let Some(status) = self.pending_invite(call, dialog, &served.request)
        {
            return refuse_for_now(on, cx, served, status);
        }
        if !on.is_in_order(dialog, &served.request) {
            return on.respond_final(cx, served, StatusCode::SERVER_INTERNAL_ERROR, |_| {});
        }
        match method {
            Method::Bye => self.bye_received(on, cx, served, call, dialog),
            Method::Options => on.respond_options(cx, served),
            Method::Invite => self.reinvited(on, cx, served, call, dialog),
            Method::Update => self.update_received(on, cx, served, call, dialog),
            Method::Prack => self.prack_received(on, cx, served, call, dialog),
            _ => refuse(on, cx, served),
        }
    }
}
