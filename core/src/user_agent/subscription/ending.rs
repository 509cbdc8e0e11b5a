//! Ends of subscriptions, and how they begin anew (RFC 6665 §4.1.2, §4.1.3).

use super::Subscriptions;
use super::book::{Goal, Terms};
use super::heard::{asked_to_wait, set_timer};
use super::reason::{Resubscription, SubscriptionEnd};
use super::referral::ReferralEnd;
use crate::time::{Duration, Instant};
use crate::user_agent::agent::Cx;
use crate::user_agent::event::{Cause, Event};
use crate::user_agent::floor::{Floor, Usage};
use crate::user_agent::registration::may_pass;
use crate::user_agent::{ReferralId, SubscriptionId};

impl Subscriptions {
    /// Timer N of the SUBSCRIBE that began a subscription: no further NOTIFY makes a dialog for it (§4.1.2.4).
    pub(in crate::user_agent) fn begun(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId) {
        self.book.take_begun(id);
        let Some(subscription) = self.book.get(id) else { return };
        if subscription.over {
            self.remove(on, id);
        } else if subscription.dialog.is_none() {
            self.end(on, cx, id, SubscriptionEnd::Unconfirmed);
        }
    }

    /// Timer N of a SUBSCRIBE in the dialog of a subscription (§4.1.2.2).
    pub(in crate::user_agent) fn unnotified(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId) {
        if let Some(subscription) = self.book.get_mut(id) {
            subscription.unnotified = None;
            self.end(on, cx, id, SubscriptionEnd::Unconfirmed);
        }
    }

    /// Time to refresh a subscription, to end it, or to begin it anew.
    pub(in crate::user_agent) fn resubscribe(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId) {
        let Some(subscription) = self.book.get_mut(id) else { return };
        subscription.timer = None;
        let now = cx.now();
        match (subscription.dialog, subscription.expires) {
            (None, _) => {
                if self.begin(on, cx, id).is_err() {
                    self.end(on, cx, id, SubscriptionEnd::Failed(Cause::Unreachable));
                }
            }
            (Some(_), Some(expires)) if expires <= now => self.end(on, cx, id, SubscriptionEnd::Expired),
            (Some(_), Some(expires)) if subscription.request.is_some() => set_timer(subscription, cx, id, expires),
            (Some(_), _) => {
                if self.send_inside(on, cx, id).is_err() {
                    return self.refresh_later(cx, id, Duration::ZERO);
                }
                let Some(subscription) = self.book.get_mut(id) else { return };
                if let Some(expires) = subscription.expires {
                    set_timer(subscription, cx, id, expires);
                }
            }
        }
    }

    /// Ends a subscription, and tells so. It begins anew if it should (§4.1.3).
    pub(super) fn end(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId, cause: SubscriptionEnd) {
        let Some(subscription) = self.book.get_mut(id) else { return };
        for timer in [subscription.unnotified.take(), subscription.timer.take()].into_iter().flatten() {
            cx.disarm(timer);
        }
        if let Some(dialog) = subscription.dialog.take() {
            on.forget_keys(dialog);
            on.dialogs.end(dialog, Usage::Refer(id));
            on.dialogs.end(dialog, Usage::Subscription(id));
        }
        if let Some(request) = subscription.request.take() {
            on.requests.settle_for(cx, request);
        }
        subscription.is_due = false;
        let again = self.again(on, cx, id, &cause);
        cx.emit(Event::SubscriptionEnded { subscription: id, cause, again });
        if let Some(at) = again {
            self.stop_beginning(cx, id);
            if let Some(subscription) = self.book.get_mut(id) {
                set_timer(subscription, cx, id, at);
            }
            return;
        }
        match self.book.get_mut(id) {
            // Forks may come until timer N.
            Some(subscription) if subscription.begun.as_ref().is_some_and(|begun| begun.timer.is_some()) => {
                subscription.over = true;
            }
            _ => self.remove(on, id),
        }
    }

    /// A response to a request of another usage of its dialog says that the dialog is over (RFC 5057 §5.1): so is the subscription.
    pub(in crate::user_agent) fn lost(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId) {
        self.end(on, cx, id, SubscriptionEnd::Failed(Cause::Lost));
    }

    /// As [`lost`](Self::lost), for the subscription of a REFER of the peer.
    pub(in crate::user_agent) fn referral_lost(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: ReferralId) {
        let Some(referral) = self.referrals.get_mut(id) else { return };
        if let Some(request) = referral.request.take() {
            on.requests.settle_for(cx, request);
        }
        if referral.end.is_none() {
            cx.emit(Event::ReferralEnded { referral: id, cause: ReferralEnd::Failed(Cause::Lost) });
        }
        self.end_referral(on, cx, id);
    }

    /// When a subscription that is over begins anew by itself.
    fn again(&mut self, on: &Floor, cx: &mut Cx<'_>, id: SubscriptionId, cause: &SubscriptionEnd) -> Option<Instant> {
        let subscription = self.book.get_mut(id)?;
        // Nobody need subscribe anew to what becomes of a REFER (RFC 3515 §2.4.7), which would have to be sent anew.
        if subscription.goal == Goal::End || subscription.is_fork || matches!(subscription.terms, Terms::Refer(_)) {
            return None;
        }
        subscription.failures = subscription.failures.saturating_add(1);
        let failures = subscription.failures;
        let policy = on.profile.policy.subscribing;
        let (is_due, at_least) = match cause {
            SubscriptionEnd::Terminated { reason, retry_after } => match reason.resubscription(*retry_after) {
                Resubscription::AtOnce if failures == 1 => return Some(cx.now()),
                Resubscription::AtOnce => (true, Duration::ZERO),
                Resubscription::Later(wait) => (true, wait),
                Resubscription::Optional(wait) => (false, wait),
                Resubscription::Never => return None,
            },
            SubscriptionEnd::Failed(cause) if may_pass(cause) => (false, asked_to_wait(cause).unwrap_or_default()),
            SubscriptionEnd::Unconfirmed | SubscriptionEnd::Expired => (false, Duration::ZERO),
            SubscriptionEnd::Failed(_) | SubscriptionEnd::Unsubscribed | SubscriptionEnd::WithoutSubscription => {
                return None;
            }
        };
        let back_off = match policy {
            Some(back_off) => back_off,
            None if is_due && (failures as usize) <= on.profile.limits.retries => Default::default(),
            None => return None,
        };
        Some(cx.now() + back_off.wait(failures, cx.random())?.max(at_least))
    }
}
