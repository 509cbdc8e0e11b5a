//! SUBSCRIBEs of ours (RFC 6665 §4.1.2).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Subscriptions;
use super::book::{Begun, Goal, Subscription, Terms};
use super::referring::event_of;
use crate::error::CommandError;
use crate::message::{HeaderId, Method};
use crate::user_agent::SubscriptionId;
use crate::user_agent::agent::{Cx, Work};
use crate::user_agent::client::{Inside, Outside, Owner};
use crate::user_agent::floor::Floor;

impl Subscriptions {
    /// Sends the SUBSCRIBE that begins a subscription, with a Call-ID and a tag of its own (§4.1.2.1, §4.1.2.2).
    pub(super) fn begin(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId) -> Result<(), CommandError> {
        let subscription = self.book.get(id).ok_or(CommandError::Gone)?;
        let account = subscription.account;
        let (method, fields) = match &subscription.terms {
            Terms::Subscribe(subscribe) => (Method::Subscribe, subscribe.fields(subscribe.expires)),
            Terms::Refer(terms) => (Method::Refer, terms.1.fields(on.profile.extensions())?),
        };
        let is_refer = method == Method::Refer;
        let outgoing = subscription.outgoing();
        let outgoing = outgoing.clone().extra(fields.and(&outgoing.extra));
        let path = on.outside_path(cx, &outgoing, account)?;
        let random = cx.random();
        let (call_id, tag, number) = (random.call_id(), random.tag(), random.sequence_number());
        let from = outgoing.caller_or(&on.accounts.get(account).identity).with_tag(&tag);
        let outside = Outside { account, method, from: &from, call_id: &call_id, number };
        let (request, here) = on.write_outside(cx, &outgoing, &path, &outside, |lines| {
            on.profile.add_software(lines, HeaderId::UserAgent);
        })?;
        let request = on.send(cx, Owner::Subscribe(id), account, request, here, path.next_hop)?;
        let timer = Some(cx.arm(cx.now() + cx.config().timers.sixty_four_t1(), Work::Begun(id)));
        self.book.begin(id, Begun { call_id, tag, number, forks: Vec::new(), timer });
        if let Some(subscription) = self.book.get_mut(id) {
            subscription.request = Some(request);
            (subscription.is_inside, subscription.is_told, subscription.is_notified) = (false, false, false);
            (subscription.expires, subscription.granted) = (None, None);
            if is_refer {
                subscription.event = event_of(number);
                subscription.is_refer_out = true;
            }
        }
        Ok(())
    }

    /// Asks for what the goal says, as soon as that can be asked for: when the response to the SUBSCRIBE before is there, and a dialog.
    pub(super) fn ask(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId) -> Result<(), CommandError> {
        let subscription = self.book.get_mut(id).ok_or(CommandError::Gone)?;
        if let Some(timer) = subscription.timer.take() {
            cx.disarm(timer);
        }
        if subscription.request.is_some() || subscription.dialog.is_none() {
            subscription.is_due = true;
            return Ok(());
        }
        self.send_inside(on, cx, id)
    }

    /// Sends a SUBSCRIBE in the dialog of a subscription: refreshes it, or ends it (§4.1.2.2, §4.1.2.3).
    pub(super) fn send_inside(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: SubscriptionId,
    ) -> Result<(), CommandError> {
        let subscription = self.book.get_mut(id).ok_or(CommandError::Gone)?;
        let dialog = subscription.dialog.ok_or(CommandError::WrongState)?;
        let expires = if subscription.goal == Goal::End { 0 } else { subscription.interval() };
        let extra = Some(Box::new(subscription.fields(expires)));
        let inside = Inside { dialog, method: Method::Subscribe, extra };
        let request = on.send_inside(cx, Owner::Subscribe(id), inside)?;
        subscription.request = Some(request);
        (subscription.is_inside, subscription.is_due, subscription.is_told) = (true, false, false);
        self.await_notify(cx, id);
        Ok(())
    }

    /// Sends what was to follow, now that it can be sent.
    pub(super) fn send_due(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId) {
        let is_due = |it: &Subscription| it.is_due && !it.over && it.request.is_none() && it.dialog.is_some();
        if !self.book.get(id).is_some_and(is_due) || self.send_inside(on, cx, id).is_ok() {
            return;
        }
        match self.book.get(id).map(|subscription| subscription.goal) {
            Some(Goal::End) => self.end(on, cx, id, super::SubscriptionEnd::Unsubscribed),
            Some(Goal::Keep) => self.refresh_later(cx, id, crate::time::Duration::ZERO),
            None => {}
        }
    }

    /// Begins timer N of a SUBSCRIBE that has gone out in the dialog.
    pub(super) fn await_notify(&mut self, cx: &mut Cx<'_>, id: SubscriptionId) {
        let Some(subscription) = self.book.get_mut(id) else { return };
        if let Some(timer) = subscription.unnotified.take() {
            cx.disarm(timer);
        }
        let at = cx.now() + cx.config().timers.sixty_four_t1();
        subscription.unnotified = Some(cx.arm(at, Work::Unnotified(id)));
    }
}
