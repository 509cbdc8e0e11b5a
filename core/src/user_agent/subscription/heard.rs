//! Responses to SUBSCRIBEs of ours (RFC 6665 §4.1.2).

use super::Subscriptions;
use super::book::{Goal, Subscription};
use super::reason::SubscriptionEnd;
use super::referring::event_of;
use crate::dialog::{DialogId, Ended, Purpose, ResponseEffect};
use crate::message::header::{Expires, RetryAfter};
use crate::message::{Method, Response, StatusCode};
use crate::time::Duration;
use crate::user_agent::agent::{Cx, Work};
use crate::user_agent::client::{Again, Outcome};
use crate::user_agent::event::{Cause, Event};
use crate::user_agent::floor::{Floor, Usage};
use crate::user_agent::registration::refresh_after;
use crate::user_agent::{RequestId, SubscriptionId};

impl Subscriptions {
    /// Takes what has become of a SUBSCRIBE or REFER. One that the subscription does not wait for any more says nothing. The dialog that is over with
    /// it for all its usages, if it is (RFC 5057 §5.1).
    pub(in crate::user_agent) fn heard(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: SubscriptionId,
        request: RequestId,
        outcome: Outcome,
    ) -> Option<DialogId> {
        let subscription = self.book.get_mut(id).filter(|it| it.request == Some(request))?;
        match outcome {
            Outcome::Provisional(_) => None,
            // Timer N counts from the sending of the request that is answered by a NOTIFY.
            Outcome::Paused => {
                self.stop_awaiting(cx, id);
                None
            }
            Outcome::Again(again) => {
                self.sent_again(on, cx, id, again);
                None
            }
            Outcome::Final(response) if response.status().is_success() => {
                subscription.request = None;
                if core::mem::take(&mut subscription.is_refer_out) {
                    self.refer_accepted(on, cx, id, response);
                } else {
                    self.accepted(on, cx, id, response);
                }
                None
            }
            Outcome::Final(response) | Outcome::Collided(response) => {
                subscription.request = None;
                self.refused(on, cx, id, Cause::Refused(response))
            }
            Outcome::Over(concluded) => {
                subscription.request = None;
                self.refused(on, cx, id, concluded.into())
            }
        }
    }

    /// Stops timer N of the SUBSCRIBE that is out.
    fn stop_awaiting(&mut self, cx: &mut Cx<'_>, id: SubscriptionId) {
        let Some(subscription) = self.book.get_mut(id) else { return };
        let timer = match &mut subscription.begun {
            Some(begun) if !subscription.is_inside => begun.timer.take(),
            _ => subscription.unnotified.take(),
        };
        if let Some(timer) = timer {
            cx.disarm(timer);
        }
    }

    /// The SUBSCRIBE went out again: timer N begins anew.
    fn sent_again(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId, again: Again) {
        self.stop_awaiting(cx, id);
        let Some(subscription) = self.book.get_mut(id) else { return };
        // 423: for as long as the notifier wants at least (RFC 3261 §10.2.8).
        if let Some(least) = again.interval {
            subscription.set_interval(least);
        }
        if subscription.is_refer_out {
            subscription.event = event_of(again.number);
        }
        if subscription.is_inside {
            return self.await_notify(cx, id);
        }
        if let Some(begun) = &mut subscription.begun {
            begun.number = again.number;
            let at = cx.now() + cx.config().timers.sixty_four_t1();
            begun.timer = Some(cx.arm(at, Work::Begun(id)));
        }
        if let Some(dialog) = subscription.dialog.and_then(|dialog| on.dialogs.get_mut(dialog)) {
            dialog.sequence.sent(again.number);
        }
    }

    /// A 2xx: the subscription is accepted, and a NOTIFY will come (§4.1.2.1).
    fn accepted(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId, response: Response) {
        // RFC 5839: no NOTIFY comes.
        let is_silent = response.status() == StatusCode::NO_NOTIFICATION;
        if is_silent {
            self.stop_awaiting(cx, id);
        }
        let Some(subscription) = self.book.get_mut(id) else { return };
        let asked = subscription.interval();
        let granted =
            response.headers().get::<Expires>().and_then(Result::ok).map_or(asked, |Expires(seconds)| seconds);
        // The duration is never longer than what was asked for (§4.1.2.1).
        let granted = granted.min(asked);
        if subscription.is_inside {
            subscription.failures = 0;
            if let Some(dialog) = subscription.dialog.and_then(|dialog| on.dialogs.get_mut(dialog)) {
                dialog.refresh(response.contact());
            }
        }
        let (is_told, has_dialog) = (subscription.is_told, subscription.dialog.is_some());
        subscription.granted = Some(granted);
        let over = subscription.over;
        let is_ending = subscription.goal == Goal::End && subscription.is_inside && !subscription.is_due;
        let is_silent_end = is_silent && is_ending;
        if has_dialog && !is_told {
            self.lasts(cx, id, granted);
        }
        if !over {
            cx.emit(Event::Subscribed { subscription: id, response });
        }
        if is_silent_end {
            return self.end(on, cx, id, SubscriptionEnd::Unsubscribed);
        }
        self.send_due(on, cx, id);
    }

    /// A 2xx to the REFER that begins the subscription; how long it lasts the NOTIFYs say (RFC 3515 §2.4.4).
    fn refer_accepted(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId, response: Response) {
        let Some(subscription) = self.book.get(id) else { return };
        let (dialog, over) = (subscription.dialog.filter(|_| subscription.is_inside), subscription.over);
        if let Some(dialog) = dialog {
            on.dialogs.turn(dialog, Usage::Refer(id), Usage::Subscription(id));
            // REFER is a target refresh request (RFC 5057 §5.4).
            if let Some(dialog) = on.dialogs.get_mut(dialog) {
                dialog.refresh(response.contact());
            }
        }
        let is_without_subscription = self.is_without_subscription(id, &response);
        if !over {
            cx.emit(Event::Subscribed { subscription: id, response });
        }
        if is_without_subscription {
            return self.end_without_subscription(on, cx, id);
        }
        self.send_due(on, cx, id);
    }

    /// A SUBSCRIBE or REFER came to nothing.
    fn refused(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId, cause: Cause) -> Option<DialogId> {
        let subscription = self.book.get_mut(id)?;
        let dialog = subscription.dialog;
        let was_refer = core::mem::take(&mut subscription.is_refer_out);
        if was_refer && subscription.is_inside {
            // After a NOTIFY the peer acts on the REFER, whatever the response says.
            if subscription.is_notified {
                self.send_due(on, cx, id);
                return None;
            }
            let effect = ResponseEffect::of(Method::Refer, Purpose::Begin, cause.counts_as(), None);
            self.end(on, cx, id, SubscriptionEnd::Failed(cause));
            return dialog.filter(|_| effect.ended == Ended::Dialog);
        }
        if !subscription.is_inside {
            // A NOTIFY has come all the same: from a fork that has accepted (§4.1.4).
            if subscription.dialog.is_none() && !subscription.over {
                self.stop_beginning(cx, id);
                self.end(on, cx, id, SubscriptionEnd::Failed(cause));
            }
            self.send_due(on, cx, id);
            return None;
        }
        let is_last = subscription.goal == Goal::End && !subscription.is_due;
        let (status, wait) = (cause.counts_as(), asked_to_wait(&cause));
        let retry_after = wait.map(|wait| u32::try_from(wait.as_secs()).unwrap_or(u32::MAX));
        let effect = ResponseEffect::of(Method::Subscribe, Purpose::Continue, status, retry_after);
        if is_last || effect.ended != Ended::Transaction {
            self.end(on, cx, id, SubscriptionEnd::Failed(cause));
            return dialog.filter(|_| effect.ended == Ended::Dialog);
        }
        // Where no response comes, timer N ends the subscription with the transaction.
        if !matches!(cause, Cause::TimedOut) {
            self.stop_awaiting(cx, id);
        }
        self.refresh_later(cx, id, wait.unwrap_or_default());
        self.send_due(on, cx, id);
        None
    }

    /// No further NOTIFY makes a dialog for the SUBSCRIBE that began the subscription.
    pub(super) fn stop_beginning(&mut self, cx: &mut Cx<'_>, id: SubscriptionId) {
        if let Some(timer) = self.book.take_begun(id).and_then(|begun| begun.timer) {
            cx.disarm(timer);
        }
    }

    /// The subscription lasts so many seconds from now: it is refreshed before. One that is to end waits for its last NOTIFY, and no longer
    /// than timer N.
    pub(super) fn lasts(&mut self, cx: &mut Cx<'_>, id: SubscriptionId, seconds: u32) {
        let Some(subscription) = self.book.get_mut(id).filter(|it| it.goal == Goal::Keep) else { return };
        subscription.expires = Some(cx.now() + Duration::from_secs(seconds.into()));
        set_timer(subscription, cx, id, cx.now() + refresh_after(seconds));
    }

    /// A refresh has failed and may succeed later: halfway to the end of the subscription, as long as there is time for it (§4.1.2.2).
    pub(super) fn refresh_later(&mut self, cx: &mut Cx<'_>, id: SubscriptionId, at_least: Duration) {
        let Some(subscription) = self.book.get_mut(id) else { return };
        let now = cx.now();
        let Some(expires) = subscription.expires else { return };
        let left = expires.since(now);
        let wait = (left / 2).max(at_least);
        let in_time = wait + cx.config().timers.sixty_four_t1() < left;
        set_timer(subscription, cx, id, if in_time { now + wait } else { expires });
    }
}

/// Sets when a subscription is refreshed, ends, or begins anew.
pub(super) fn set_timer(
    subscription: &mut Subscription,
    cx: &mut Cx<'_>,
    id: SubscriptionId,
    at: crate::time::Instant,
) {
    if let Some(timer) = subscription.timer.take() {
        cx.disarm(timer);
    }
    subscription.timer = Some(cx.arm(at, Work::Resubscribe(id)));
}

/// How long a response asks to wait at least (RFC 3261 §20.33).
pub(super) fn asked_to_wait(cause: &Cause) -> Option<Duration> {
    let Cause::Refused(response) = cause else { return None };
    let after = response.headers().get::<RetryAfter<'_>>()?.ok()?;
    Some(Duration::from_secs(after.seconds.into()))
}
