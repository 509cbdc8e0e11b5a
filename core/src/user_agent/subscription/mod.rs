//! Subscriptions to the state of others (RFC 6665 §4.1), and those that REFERs make, on both sides (RFC 3515).
//!
//! `subscribe.rs` is what the application asks for, `commands.rs` how it asks, `book.rs` the table of subscriptions. `send.rs` sends
//! SUBSCRIBEs, `heard.rs` takes what becomes of them, `notified.rs` takes NOTIFYs, `reason.rs` says what the reason of an end asks for, and
//! `ending.rs` ends a subscription or begins it anew. `refer.rs`, `refer_commands.rs` and `referring.rs` are the same for REFERs of ours;
//! `referral.rs` takes REFERs of peers, `target.rs` says whom they name, and `notifying.rs` tells their senders what becomes of them.

mod book;
mod commands;
mod ending;
mod heard;
mod notified;
mod notifying;
mod reason;
mod refer;
mod refer_commands;
mod referral;
mod referring;
mod send;
mod subscribe;
mod target;

use super::agent::Cx;
use super::compose::Extra;
use super::floor::Floor;
use crate::error::CommandError;
use crate::id::Arena;
use crate::time::Duration;
use crate::transport::Listener;
use crate::user_agent::{ReferralKind, SubscriptionId};
use alloc::boxed::Box;
use alloc::vec::Vec;
use book::{Book, Goal, Subscription, Terms};
pub use reason::{Reason, Resubscription, SubscriptionEnd};
pub use refer::Refer;
pub use referral::ReferralEnd;
pub use subscribe::Subscribe;

use referral::Referral;

/// The subscriptions of a user agent.
#[derive(Clone, Debug)]
pub(super) struct Subscriptions {
    book: Book,
    /// The REFERs of peers that we have accepted.
    referrals: Arena<ReferralKind, Referral>,
}

impl Subscriptions {
    /// No subscription yet. Names are hashed with this key.
    pub(super) const fn new(key: [u8; 16]) -> Self {
        Self { book: Book::new(key), referrals: Arena::new() }
    }

    /// See `KeyedIndex::key_probe`.
    #[cfg(test)]
    pub(in crate::user_agent) fn key_probe(&self) -> u64 {
        self.book.key_probe()
    }

    /// Number of subscriptions, those of peers included, and those that are over and may have forks.
    pub(super) const fn len(&self) -> usize {
        self.book.len() + self.referrals.len()
    }

    /// Subscriptions that there is room for without another allocation.
    pub(super) fn capacity(&self) -> usize {
        self.book.capacity() + self.referrals.capacity()
    }

    /// The subscriptions that the application knows, in the order of their slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = SubscriptionId> {
        self.book.iter().filter(|(_, subscription)| !subscription.over).map(|(id, _)| id)
    }

    /// Subscribes to a state, or polls it (RFC 6665 §4.1.2.1, §4.4.3).
    pub(super) fn subscribe(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        subscribe: Subscribe,
    ) -> Result<SubscriptionId, CommandError> {
        let event = subscribe.check()?;
        self.has_room(on)?;
        let goal = if subscribe.expires == 0 { Goal::End } else { Goal::Keep };
        let account = on.accounts.named(subscribe.outgoing.account)?;
        let id = self.add(on, Subscription::new(account, Terms::Subscribe(Box::new(subscribe)), event, goal));
        self.begin(on, cx, id).inspect_err(|_| self.remove(on, id))?;
        Ok(id)
    }

    /// Whether there is room for one more.
    fn has_room(&self, on: &Floor) -> Result<(), CommandError> {
        let is_full = self.len() >= on.profile.limits.subscriptions;
        if is_full { Err(CommandError::Limit("subscriptions")) } else { Ok(()) }
    }

    /// Takes in a subscription, whose account stays as long as it does.
    fn add(&mut self, on: &mut Floor, subscription: Subscription) -> SubscriptionId {
        on.accounts.hold(subscription.account);
        self.book.add(subscription)
    }

    fn remove(&mut self, on: &mut Floor, id: SubscriptionId) {
        if let Some(subscription) = self.book.remove(id) {
            on.accounts.let_go(subscription.account);
        }
    }

    /// Ends a subscription (RFC 6665 §4.1.2.3).
    pub(super) fn unsubscribe(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: SubscriptionId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        let subscription = self.alive(id)?;
        if subscription.goal == Goal::End {
            return Err(CommandError::WrongState);
        }
        subscribe::check(extra)?;
        subscription.goal = Goal::End;
        subscription.farewell = (!extra.is_empty()).then(|| Box::new(extra.clone()));
        let is_unsent = match subscription.request {
            // One that has its response and was to go out again, or has not gone out, is not waited for.
            Some(request) => on.requests.withdraw(cx, request) || on.requests.settle_for(cx, request),
            None => subscription.begun.is_none(),
        };
        if is_unsent {
            subscription.request = None;
        }
        let is_unknown = subscription.dialog.is_none() || subscription.is_refer_out && !subscription.is_notified;
        if is_unsent && is_unknown {
            // Nobody else knows the subscription: it waits until its SUBSCRIBE can go out, or until it begins anew.
            self.stop_beginning(cx, id);
            self.end(on, cx, id, SubscriptionEnd::Unsubscribed);
            return Ok(());
        }
        self.ask(on, cx, id).inspect_err(|_| {
            if let Some(subscription) = self.book.get_mut(id) {
                subscription.goal = Goal::Keep;
                subscription.farewell = None;
            }
            self.refresh_later(cx, id, crate::time::Duration::ZERO);
        })
    }

    /// Ends every subscription. One that cannot even be asked for its end is over at once.
    pub(super) fn unsubscribe_everywhere(&mut self, on: &mut Floor, cx: &mut Cx<'_>) {
        let all: Vec<SubscriptionId> = self.iter().collect();
        for id in all {
            match self.unsubscribe(on, cx, id, &Extra::new()) {
                Ok(()) | Err(CommandError::WrongState | CommandError::Gone) => {}
                Err(_) => self.end(on, cx, id, SubscriptionEnd::Unsubscribed),
            }
        }
    }

    /// Refreshes a subscription now, by which its notifier tells the state again (RFC 6665 §4.4.3).
    pub(super) fn refresh(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId) -> Result<(), CommandError> {
        let subscription = self.alive(id)?;
        if subscription.goal == Goal::End || subscription.dialog.is_none() || subscription.request.is_some() {
            return Err(CommandError::WrongState);
        }
        self.send_inside(on, cx, id)
    }

    /// The subscriptions that are kept, and whose dialogs may name that listener.
    pub(super) fn reached_at(&self, on: &Floor, cx: &Cx<'_>, listener: &Listener) -> Vec<SubscriptionId> {
        let names = |dialog| on.may_name(cx, dialog, listener);
        let is_it = |it: &Subscription| !it.over && it.goal == Goal::Keep && it.dialog.is_some_and(names);
        self.book.iter().filter(|(_, it)| is_it(it)).map(|(id, _)| id).collect()
    }

    /// The listener that these subscriptions name has moved: each tells its notifier by a refresh (RFC 6665 §4.1.2.2).
    pub(super) fn listener_moved(&mut self, on: &mut Floor, cx: &mut Cx<'_>, subscriptions: Vec<SubscriptionId>) {
        for id in subscriptions {
            if self.ask(on, cx, id).is_err() {
                self.refresh_later(cx, id, Duration::ZERO);
            }
        }
    }

    /// The subscription that the application means.
    fn alive(&mut self, id: SubscriptionId) -> Result<&mut Subscription, CommandError> {
        self.book.get_mut(id).filter(|subscription| !subscription.over).ok_or(CommandError::Gone)
    }
}
