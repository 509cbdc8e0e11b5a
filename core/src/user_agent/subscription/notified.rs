//! NOTIFYs (RFC 6665 §4.1.3, §4.4.1).

use super::Subscriptions;
use super::book::{Begun, Goal, Terms};
use super::reason::{Reason, SubscriptionEnd};
use crate::dialog::{Dialog, DialogId, DialogKey, DialogState};
use crate::error::Limit;
use crate::message::header::{Event as EventHeader, SubscriptionState};
use crate::message::{Phrase, Rejection, Request, StatusCode, StatusLine, TagParam};
use crate::user_agent::SubscriptionId;
use crate::user_agent::agent::Cx;
use crate::user_agent::event::Event;
use crate::user_agent::floor::{Floor, Usage};
use crate::user_agent::server::Served;

/// The subscription that a NOTIFY is for.
enum Found {
    /// That one, whose dialog is there.
    Known(SubscriptionId, DialogId),
    /// The NOTIFY makes a dialog for the SUBSCRIBE of that one.
    New(SubscriptionId),
    /// There is no such subscription.
    Nothing(StatusCode),
}

impl Subscriptions {
    /// Takes a NOTIFY, and answers it at once (§4.1.3).
    pub(in crate::user_agent) fn notified(&mut self, on: &mut Floor, cx: &mut Cx<'_>, served: &Served) {
        let request = &served.request;
        let headers = request.headers();
        let Some(Ok(event)) = headers.get::<EventHeader<'_>>() else {
            return on.reject(cx, served, Phrase::BAD_PACKAGE);
        };
        let (id, is_new) = match self.find(on, request, event) {
            Found::Nothing(status) => return on.respond_final(cx, served, status, |_| {}),
            Found::Known(id, dialog) => {
                if !on.is_in_order(dialog, request) {
                    return on.respond_final(cx, served, StatusCode::SERVER_INTERNAL_ERROR, |_| {});
                }
                (id, false)
            }
            Found::New(id) => (id, true),
        };
        let Some(Ok(state)) = headers.get::<SubscriptionState<'_>>() else {
            return on.reject(cx, served, Phrase::BAD_SUBSCRIPTION);
        };
        let id = if is_new {
            match self.make_dialog(on, cx, served, id, state.is_terminated()) {
                Some(id) => id,
                None => return,
            }
        } else {
            id
        };
        on.respond_final(cx, served, StatusCode::OK, |_| {});
        if let Some(dialog) = self.book.get(id).and_then(|subscription| subscription.dialog) {
            on.dialogs.turn(dialog, Usage::Refer(id), Usage::Subscription(id));
            if let Some(dialog) = on.dialogs.get_mut(dialog) {
                dialog.refresh(headers.contact());
            }
        }
        let mut status = None;
        if let Some(subscription) = self.book.get_mut(id) {
            subscription.is_notified = true;
            subscription.shows_id |= event.id().is_some();
            if matches!(subscription.terms, Terms::Refer(_)) {
                status = StatusLine::of_fragment(request.body()).map(|line| line.status);
            }
        }
        cx.emit(Event::Notified { subscription: id, status, request: request.clone() });
        if state.is_terminated() {
            let (reason, retry_after) = (Reason::of(&state), state.retry_after());
            self.end(on, cx, id, SubscriptionEnd::Terminated { reason, retry_after });
        } else {
            self.goes_on(on, cx, id, state.expires());
        }
    }

    /// The subscription that a NOTIFY is for: in its dialog, or by Call-ID and our tag; and Event (§4.4.1, §8.2.1).
    fn find(&self, on: &Floor, request: &Request, event: EventHeader<'_>) -> Found {
        let unknown = Found::Nothing(StatusCode::CALL_DOES_NOT_EXIST);
        let Some(name) = DialogKey::of_request(request) else { return unknown };
        let mut is_other_package = false;
        if let Some(dialog) = on.dialogs.find(name) {
            for usage in on.dialogs.usages(dialog) {
                let (Usage::Refer(id) | Usage::Subscription(id)) = *usage else { continue };
                let Some(subscription) = self.book.get(id) else { continue };
                if subscription.matches(event) {
                    return Found::Known(id, dialog);
                }
                is_other_package |= *subscription.event.package != *event.package;
            }
        } else if let Some(id) = self.book.find_begun(name)
            && let Some(subscription) = self.book.get(id)
        {
            // What comes late for a dialog that is over makes no new one.
            if subscription.begun.as_ref().is_some_and(|begun| begun.has_made(name.remote_tag)) {
                return unknown;
            }
            if subscription.matches(event) {
                return Found::New(id);
            }
            is_other_package = *subscription.event.package != *event.package;
        }
        if is_other_package { Found::Nothing(StatusCode::BAD_EVENT) } else { unknown }
    }

    /// The subscription that a NOTIFY makes: the one that the SUBSCRIBE was sent for if it is the first, else one more. `None` if the NOTIFY is
    /// answered.
    fn make_dialog(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        served: &Served,
        origin: SubscriptionId,
        is_terminated: bool,
    ) -> Option<SubscriptionId> {
        let (is_full, most) = (self.len() >= on.profile.limits.subscriptions, on.profile.limits.forks);
        let remote_tag = served.request.headers().text_of_from().and_then(|from| from.tag());
        let subscription = self.book.get_mut(origin)?;
        let account = subscription.account;
        let Begun { tag, number, forks, .. } = &mut **subscription.begun.as_mut()?;
        let is_first = forks.is_empty();
        let over = if is_full { Limit::SUBSCRIPTIONS } else { Limit::FORKS };
        if !is_first && (is_full || forks.len() >= most) {
            cx.refused(over);
            on.respond_final(cx, served, StatusCode::CALL_DOES_NOT_EXIST, |_| {});
            return None;
        }
        let mut dialog = match Dialog::of_request(&served.request, tag, DialogState::Confirmed) {
            Ok(dialog) => dialog,
            Err(Rejection { reason, .. }) => {
                on.reject(cx, served, reason);
                return None;
            }
        };
        dialog.sequence.sent(*number);
        forks.push(remote_tag.map_or("", TagParam::as_str).into());
        let id = if is_first {
            origin
        } else {
            let fork = subscription.fork();
            self.add(on, fork)
        };
        if !is_terminated {
            let dialog = on.dialogs.begin(dialog, account, Usage::Subscription(id));
            on.dialogs.forget(dialog);
            self.book.get_mut(id)?.dialog = Some(dialog);
        }
        if !is_first {
            cx.emit(Event::SubscriptionForked { subscription: origin, fork: id });
        }
        Some(id)
    }

    /// A NOTIFY says that the subscription is there, and perhaps for how long: that counts (§4.1.3).
    fn goes_on(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId, expires: Option<u32>) {
        let Some(subscription) = self.book.get_mut(id) else { return };
        // The notifier does not know yet that the subscription is to end, or was asked for the state once and goes on.
        subscription.is_due |= subscription.goal == Goal::End && !subscription.is_inside;
        // One that is to end waits for the NOTIFY that says so.
        if subscription.goal == Goal::Keep
            && let Some(timer) = subscription.unnotified.take()
        {
            cx.disarm(timer);
        }
        subscription.is_told |= expires.is_some();
        if let (Terms::Refer(_), Some(seconds)) = (&subscription.terms, expires) {
            subscription.granted = Some(seconds);
        }
        // A NOTIFY that does not say how long leaves it at what the 2xx says, and before that, or to a REFER, at what is asked for.
        let known = subscription.granted.unwrap_or_else(|| subscription.interval());
        if let Some(seconds) = expires.or_else(|| subscription.expires.is_none().then_some(known)) {
            self.lasts(cx, id, seconds);
        }
        self.send_due(on, cx, id);
    }
}
