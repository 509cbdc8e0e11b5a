//! Requests of peers that may be processed: each goes to whom it is for (RFC 3261 §12.2.2, §13.3, §15.1.2; RFC 5057 §5.3).

use super::agent::{Closing, Core, Cx};
use super::server::Served;
use crate::dialog::DialogKey;
use crate::message::{Method, StatusCode};

impl Core {
    /// Gives a request of a peer that may be processed to whom it is for (§12.2.2, §13.3, §15.1.2).
    pub(super) fn serve(&mut self, cx: &mut Cx<'_>, served: Served) {
        let on = &mut self.floor;
        match served.request.method() {
            // A NOTIFY may make its dialog.
            Method::Notify => return self.subscriptions.notified(on, cx, &served),
            Method::Subscribe => return self.subscriptions.resubscribed(on, cx, &served),
            Method::Refer => return self.referred(cx, served),
            _ => {}
        }
        if served.request.to_tag().is_some() {
            return self.serve_inside(cx, served);
        }
        match served.request.method() {
            // Whoever ends begins nothing (§21.5.4).
            _ if self.closing != Closing::No => {
                on.respond_final(cx, &served, StatusCode::SERVICE_UNAVAILABLE, |_| {});
            }
            Method::Invite => self.calls.invited(on, cx, served),
            // The status is that of an INVITE (§11.2).
            Method::Options if self.calls.are_full(on) => {
                on.respond_final(cx, &served, StatusCode::BUSY_HERE, |_| {});
            }
            Method::Options => on.respond_options(cx, &served),
            method if on.profile.answers(method) => on.ask_application(cx, served, None, None),
            // A BYE without To tag ends nothing (§15.1.2).
            _ => on.respond_final(cx, &served, StatusCode::CALL_DOES_NOT_EXIST, |_| {}),
        }
    }

    /// Gives a request in a dialog to the usage that it is for (§12.2.2, RFC 5057 §5.3).
    fn serve_inside(&mut self, cx: &mut Cx<'_>, served: Served) {
        let on = &mut self.floor;
        let method = served.request.method();
        let dialog = DialogKey::of_request(&served.request).and_then(|name| on.dialogs.find(name));
        let Some(dialog) = dialog else {
            return on.respond_final(cx, &served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
        };
        let call = on.call_of(dialog);
        match call {
            Some(call) if !on.profile.answers(method) => self.calls.serve(on, cx, &served, call, dialog),
            // Nobody answers for a session that is over, and the dialog is over with its last usage.
            Some(call) if self.calls.is_left(call, dialog) && !on.outlives_session(dialog, method) => {
                on.respond_final(cx, &served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
            }
            None if !belongs_to_no_usage(method) => {
                on.respond_final(cx, &served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
            }
            _ if !on.is_in_order(dialog, &served.request) => {
                on.respond_final(cx, &served, StatusCode::SERVER_INTERNAL_ERROR, |_| {});
            }
            _ if on.profile.answers(method) => on.ask_application(cx, served, Some(dialog), call),
            _ => on.respond_options(cx, &served),
        }
    }

    /// Gives a REFER to the subscriptions, unless its dialog is over with the session, or this end ends all that it does (§21.5.4).
    fn referred(&mut self, cx: &mut Cx<'_>, served: Served) {
        let on = &mut self.floor;
        let dialog = DialogKey::of_request(&served.request).and_then(|name| on.dialogs.find(name));
        let is_over = dialog.is_some_and(|dialog| {
            let call = on.call_of(dialog);
            call.is_some_and(|call| self.calls.is_left(call, dialog)) && !on.outlives_session(dialog, Method::Refer)
        });
        if is_over || served.request.to_tag().is_some() && dialog.is_none() {
            return on.respond_final(cx, &served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
        }
        if self.closing != Closing::No {
            return on.respond_final(cx, &served, StatusCode::SERVICE_UNAVAILABLE, |_| {});
        }
        self.subscriptions.referred(on, cx, served, dialog);
    }
}

/// Whether a request of this method in a dialog is answered as outside of one, whatever the dialog is used for (RFC 5057 §5.3).
pub(super) const fn belongs_to_no_usage(method: Method<'_>) -> bool {
    matches!(method, Method::Options | Method::Message | Method::Publish | Method::Other(_))
}
