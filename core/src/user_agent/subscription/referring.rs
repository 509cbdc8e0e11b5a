//! REFERs of ours and the subscriptions that they make (RFC 3515 §2.4.1, §2.4.4).

use alloc::boxed::Box;

use super::book::{EventName, Goal, Subscription, Terms};
use super::refer::Refer;
use super::{SubscriptionEnd, Subscriptions};
use crate::dialog::DialogId;
use crate::error::CommandError;
use crate::message::{Method, Response};
use crate::user_agent::SubscriptionId;
use crate::user_agent::agent::Cx;
use crate::user_agent::client::{Inside, Owner};
use crate::user_agent::compose::Outgoing;
use crate::user_agent::floor::{Floor, Usage};

/// The event package of REFER (RFC 3515 §3.1).
pub(super) const PACKAGE: &str = "refer";

impl Subscriptions {
    /// Sends a REFER in a dialog.
    pub(in crate::user_agent) fn refer(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        dialog: DialogId,
        refer: &Refer,
    ) -> Result<SubscriptionId, CommandError> {
        let extra = refer.fields(on.profile.extensions())?;
        self.has_room(on)?;
        let (account, _) = on.account_in(dialog);
        let terms = Terms::Refer(Box::new((Outgoing::to(&on.accounts.get(account).identity), refer.clone())));
        let mut subscription = Subscription::new(account, terms, event_of(0), Goal::Keep);
        subscription.dialog = Some(dialog);
        let id = self.add(on, subscription);
        let inside = Inside { dialog, method: Method::Refer, extra: Some(Box::new(extra)) };
        let sent = on.send_inside(cx, Owner::Subscribe(id), inside).inspect_err(|_| self.remove(on, id))?;
        // The subscription uses the dialog from now on: its first NOTIFY may come before the response (§2.4.4).
        on.dialogs.join(dialog, Usage::Refer(id));
        let number = on.dialogs.get(dialog).and_then(|dialog| dialog.sequence.local);
        if let Some(subscription) = self.book.get_mut(id) {
            subscription.event = event_of(number.unwrap_or_default());
            (subscription.request, subscription.is_inside, subscription.is_refer_out) = (Some(sent), true, true);
        }
        self.await_notify(cx, id);
        Ok(id)
    }

    /// Sends a REFER outside of dialogs.
    pub(in crate::user_agent) fn refer_outside(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        outgoing: Outgoing,
        refer: &Refer,
    ) -> Result<SubscriptionId, CommandError> {
        refer.fields(on.profile.extensions())?;
        self.has_room(on)?;
        let account = on.accounts.named(outgoing.account)?;
        let terms = Terms::Refer(Box::new((outgoing, refer.clone())));
        let id = self.add(on, Subscription::new(account, terms, event_of(0), Goal::Keep));
        self.begin(on, cx, id).inspect_err(|_| self.remove(on, id))?;
        Ok(id)
    }

    /// A 2xx to our REFER, if it makes no subscription: the peer agrees to that (RFC 4488 §4).
    pub(super) fn is_without_subscription(&self, id: SubscriptionId, response: &Response) -> bool {
        let Some(Terms::Refer(terms)) = self.book.get(id).map(|subscription| &subscription.terms) else { return false };
        terms.1.without_subscription && says_no_subscription(response.headers().raw(super::refer::REFER_SUB))
    }

    /// The subscription ends because there is none.
    pub(super) fn end_without_subscription(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: SubscriptionId) {
        self.stop_beginning(cx, id);
        self.end(on, cx, id, SubscriptionEnd::WithoutSubscription);
    }
}

/// What the NOTIFYs of a REFER with that CSeq number name (§2.4.6).
pub(super) fn event_of(number: u32) -> EventName {
    EventName { package: PACKAGE.into(), id: Some(alloc::format!("{number}").into()) }
}

/// Whether a Refer-Sub says `false` (RFC 4488 §4).
pub(super) fn says_no_subscription(refer_sub: Option<&[u8]>) -> bool {
    let word = refer_sub.and_then(|value| value.split(|octet| *octet == b';').next());
    word.is_some_and(|word| word.trim_ascii().eq_ignore_ascii_case(b"false"))
}
