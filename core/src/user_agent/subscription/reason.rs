//! Why a subscription ends, and whether to subscribe again (RFC 6665 §4.1.3).

use crate::message::header::SubscriptionState;
use crate::time::Duration;
use crate::user_agent::event::Cause;

/// The reason that a notifier gives for the end of a subscription (RFC 6665 §4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// `deactivated`: another notifier may take over.
    Deactivated,
    /// `probation`: the subscriber is to come again later.
    Probation,
    /// `rejected`: a change of policy.
    Rejected,
    /// `timeout`: the subscription was not refreshed in time, or the subscriber has ended it.
    Timeout,
    /// `giveup`: nobody has said in time whether the subscriber may know the state.
    GiveUp,
    /// `noresource`: the state is no more. Of a REFER: its outcome is told.
    NoResource,
    /// `invariant`: the state will not change.
    Invariant,
    /// No reason, or one that RFC 6665 does not name.
    Unknown,
}

impl Reason {
    /// The reason that a Subscription-State gives.
    pub(super) fn of(state: &SubscriptionState<'_>) -> Self {
        const NAMES: [(&str, Reason); 7] = [
            ("deactivated", Reason::Deactivated),
            ("probation", Reason::Probation),
            ("rejected", Reason::Rejected),
            ("timeout", Reason::Timeout),
            ("giveup", Reason::GiveUp),
            ("noresource", Reason::NoResource),
            ("invariant", Reason::Invariant),
        ];
        let is_it = |name: &str| state.reason().is_some_and(|reason| reason.eq_ignore_ascii_case(name));
        NAMES.into_iter().find(|(name, _)| is_it(name)).map_or(Self::Unknown, |(_, reason)| reason)
    }

    /// Whether and when to subscribe again, if the notifier gives this reason and these seconds of `retry-after` (RFC 6665 §4.1.3).
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use sansip::user_agent::{Reason, Resubscription};
    /// let at_least = Duration::from_secs(60);
    /// assert_eq!(Reason::Probation.resubscription(Some(60)), Resubscription::Later(at_least));
    /// assert_eq!(Reason::Invariant.resubscription(Some(60)), Resubscription::Never);
    /// ```
    pub const fn resubscription(self, retry_after: Option<u32>) -> Resubscription {
        let wait = match retry_after {
            Some(seconds) => Duration::from_secs(seconds as u64),
            None => Duration::ZERO,
        };
        match self {
            Self::Deactivated => Resubscription::AtOnce,
            Self::Probation => Resubscription::Later(wait),
            Self::Rejected | Self::NoResource | Self::Invariant => Resubscription::Never,
            Self::Timeout => Resubscription::Optional(Duration::ZERO),
            Self::GiveUp | Self::Unknown => Resubscription::Optional(wait),
        }
    }
}

/// Whether a subscriber subscribes again after the end of a subscription (RFC 6665 §4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resubscription {
    /// The subscriber should subscribe again at once.
    AtOnce,
    /// The subscriber should subscribe again, but not before this time has passed.
    Later(Duration),
    /// The subscriber may subscribe again, but should not before this time has passed.
    Optional(Duration),
    /// The subscriber should not subscribe again.
    Never,
}

/// Why a subscription of ours is over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SubscriptionEnd {
    /// The notifier says so: a NOTIFY with `terminated`.
    Terminated {
        /// Why.
        reason: Reason,
        /// The seconds of its `retry-after`.
        retry_after: Option<u32>,
    },
    /// The SUBSCRIBE or REFER that was to begin it came to nothing, or the answer to one that refreshes it ends it (RFC 6665 §4.1.2.2).
    Failed(Cause),
    /// No NOTIFY has come in 64·T1, timer N (RFC 6665 §4.1.2.2, §4.1.2.4).
    Unconfirmed,
    /// No refresh was successful before its end.
    Expired,
    /// The application has ended it, and the notifier has not said so in a NOTIFY.
    Unsubscribed,
    /// The peer acts on our REFER without telling, as [`Refer::without_subscription`](crate::user_agent::Refer::without_subscription) asks
    /// (RFC 4488).
    WithoutSubscription,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::header::Header;

    /// The reasons of §4.1.3, one by one, without and with `retry-after`.
    #[test]
    fn every_reason_says_whether_to_subscribe_again() {
        let seconds = Duration::from_secs;
        for (name, reason, without, with) in [
            ("deactivated", Reason::Deactivated, Resubscription::AtOnce, Resubscription::AtOnce),
            ("PROBATION", Reason::Probation, Resubscription::Later(seconds(0)), Resubscription::Later(seconds(7))),
            ("rejected", Reason::Rejected, Resubscription::Never, Resubscription::Never),
            ("timeout", Reason::Timeout, Resubscription::Optional(seconds(0)), Resubscription::Optional(seconds(0))),
            ("giveup", Reason::GiveUp, Resubscription::Optional(seconds(0)), Resubscription::Optional(seconds(7))),
            ("noresource", Reason::NoResource, Resubscription::Never, Resubscription::Never),
            ("invariant", Reason::Invariant, Resubscription::Never, Resubscription::Never),
            ("other", Reason::Unknown, Resubscription::Optional(seconds(0)), Resubscription::Optional(seconds(7))),
        ] {
            let text = alloc::format!("terminated;reason={name}");
            let state = SubscriptionState::parse(text.as_bytes()).unwrap();
            assert_eq!(Reason::of(&state), reason);
            assert_eq!((reason.resubscription(None), reason.resubscription(Some(7))), (without, with), "{name}");
        }
        assert_eq!(Reason::of(&SubscriptionState::parse(b"terminated").unwrap()), Reason::Unknown);
    }
}
