//! The public verbs of the core, one call each. Those of accounts and of what they hold are in `accounts.rs`.

mod accounts;

use alloc::vec::Vec;

use super::agent::{Closing, Core, Cx};
use super::client::Amend;
use super::compose::{Extra, Messages, Outgoing, Reply};
use super::event::CallInfo;
use super::registration::ToRemove;
use super::replace::Replace;
use super::server::Store;
use super::subscription::{Refer, Subscribe};
use crate::auth::{Login, Scope, Secret, Settings, Users};
use crate::dialog::{Dialog, DialogId};
use crate::error::CommandError;
use crate::message::{Method, StatusCode};
use crate::time::Duration;
use crate::user_agent::{CallDialog, CallId, ReferralId, RequestId, ServedId, SubscriptionId};

impl Core {
    /// As [`UserAgent::call`](super::UserAgent::call).
    ///
    /// # Errors
    /// As there.
    pub fn call(&mut self, cx: &mut Cx<'_>, outgoing: &Outgoing) -> Result<CallId, CommandError> {
        self.check_open()?;
        self.calls.call(&mut self.floor, cx, outgoing)
    }

    /// As [`UserAgent::progress`](super::UserAgent::progress).
    ///
    /// # Errors
    /// As there.
    pub fn progress(
        &mut self,
        cx: &mut Cx<'_>,
        call: CallId,
        status: StatusCode,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        self.calls.progress(&mut self.floor, cx, call, status, extra)
    }

    /// As [`UserAgent::progress_reliably`](super::UserAgent::progress_reliably).
    ///
    /// # Errors
    /// As there.
    pub fn progress_reliably(
        &mut self,
        cx: &mut Cx<'_>,
        call: CallId,
        status: StatusCode,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        self.calls.progress_reliably(&mut self.floor, cx, call, status, extra)
    }

    /// As [`UserAgent::answer`](super::UserAgent::answer).
    ///
    /// # Errors
    /// As there.
    pub fn answer(&mut self, cx: &mut Cx<'_>, call: CallId, extra: &Extra) -> Result<(), CommandError> {
        self.calls.answer(&mut self.floor, cx, call, extra)
    }

    /// As [`UserAgent::answer_offer`](super::UserAgent::answer_offer).
    ///
    /// # Errors
    /// As there.
    pub fn answer_offer(
        &mut self,
        cx: &mut Cx<'_>,
        of: impl Into<CallDialog>,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        self.calls.answer_offer(&mut self.floor, cx, of.into(), extra)
    }

    /// As [`UserAgent::modify`](super::UserAgent::modify).
    ///
    /// # Errors
    /// As there.
    pub fn modify(&mut self, cx: &mut Cx<'_>, call: CallId, extra: &Extra) -> Result<(), CommandError> {
        self.calls.modify(&mut self.floor, cx, call, extra)
    }

    /// As [`UserAgent::cancel_change_with`](super::UserAgent::cancel_change_with).
    ///
    /// # Errors
    /// As there.
    pub fn cancel_change(&mut self, cx: &mut Cx<'_>, call: CallId, extra: &Extra) -> Result<(), CommandError> {
        self.calls.cancel_change(&mut self.floor, cx, call, extra)
    }

    /// As [`UserAgent::update`](super::UserAgent::update).
    ///
    /// # Errors
    /// As there.
    pub fn update(&mut self, cx: &mut Cx<'_>, of: impl Into<CallDialog>, extra: &Extra) -> Result<(), CommandError> {
        self.calls.update(&mut self.floor, cx, of.into(), extra)
    }

    /// As [`UserAgent::accept_offer`](super::UserAgent::accept_offer).
    ///
    /// # Errors
    /// As there.
    pub fn accept_offer(
        &mut self,
        cx: &mut Cx<'_>,
        of: impl Into<CallDialog>,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        self.calls.accept_offer(&mut self.floor, cx, of.into(), extra)
    }

    /// As [`UserAgent::refuse_offer`](super::UserAgent::refuse_offer).
    ///
    /// # Errors
    /// As there.
    pub fn refuse_offer(
        &mut self,
        cx: &mut Cx<'_>,
        of: impl Into<CallDialog>,
        reply: &Reply,
    ) -> Result<(), CommandError> {
        self.calls.refuse_offer(&mut self.floor, cx, of.into(), reply)
    }

    /// As [`UserAgent::reject`](super::UserAgent::reject).
    ///
    /// # Errors
    /// As there.
    pub fn reject(&mut self, cx: &mut Cx<'_>, call: CallId, reply: &Reply) -> Result<(), CommandError> {
        self.calls.reject(&mut self.floor, cx, call, reply)
    }

    /// As [`UserAgent::cancel_with`](super::UserAgent::cancel_with).
    ///
    /// # Errors
    /// As there.
    pub fn cancel(&mut self, cx: &mut Cx<'_>, call: CallId, extra: &Extra) -> Result<(), CommandError> {
        self.calls.cancel(&mut self.floor, cx, call, extra)
    }

    /// As [`UserAgent::hang_up_with`](super::UserAgent::hang_up_with).
    ///
    /// # Errors
    /// As there.
    pub fn hang_up(&mut self, cx: &mut Cx<'_>, call: CallId, extra: &Extra) -> Result<(), CommandError> {
        self.calls.hang_up(&mut self.floor, cx, call, extra)
    }

    /// As [`UserAgent::standing`](super::UserAgent::standing).
    ///
    /// # Errors
    /// As there.
    pub fn standing(&mut self, messages: Messages, extra: Extra) -> Result<(), CommandError> {
        self.floor.set_standing(None, messages, extra)
    }

    /// As [`UserAgent::standing_in`](super::UserAgent::standing_in).
    ///
    /// # Errors
    /// As there.
    pub fn standing_in(&mut self, call: CallId, messages: Messages, extra: Extra) -> Result<(), CommandError> {
        self.calls.set_standing(&mut self.floor, call, messages, extra)
    }

    /// As [`UserAgent::replacing`](super::UserAgent::replacing).
    ///
    /// # Errors
    /// As there.
    pub fn replacing(&self, of: impl Into<CallDialog>) -> Result<Replace, CommandError> {
        self.calls.replacing(&self.floor, of.into())
    }

    /// As [`UserAgent::subscribe`](super::UserAgent::subscribe).
    ///
    /// # Errors
    /// As there.
    pub fn subscribe(&mut self, cx: &mut Cx<'_>, subscribe: Subscribe) -> Result<SubscriptionId, CommandError> {
        self.check_open()?;
        self.subscriptions.subscribe(&mut self.floor, cx, subscribe)
    }

    /// As [`UserAgent::unsubscribe_with`](super::UserAgent::unsubscribe_with).
    ///
    /// # Errors
    /// As there.
    pub fn unsubscribe(
        &mut self,
        cx: &mut Cx<'_>,
        subscription: SubscriptionId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        self.subscriptions.unsubscribe(&mut self.floor, cx, subscription, extra)
    }

    /// As [`UserAgent::unsubscribe_everywhere`](super::UserAgent::unsubscribe_everywhere).
    pub fn unsubscribe_everywhere(&mut self, cx: &mut Cx<'_>) {
        self.subscriptions.unsubscribe_everywhere(&mut self.floor, cx);
    }

    /// As [`UserAgent::refresh_subscription`](super::UserAgent::refresh_subscription).
    ///
    /// # Errors
    /// As there.
    pub fn refresh_subscription(&mut self, cx: &mut Cx<'_>, subscription: SubscriptionId) -> Result<(), CommandError> {
        self.subscriptions.refresh(&mut self.floor, cx, subscription)
    }

    /// As [`UserAgent::refer`](super::UserAgent::refer).
    ///
    /// # Errors
    /// As there.
    pub fn refer(&mut self, cx: &mut Cx<'_>, call: CallId, refer: &Refer) -> Result<SubscriptionId, CommandError> {
        self.check_open()?;
        let dialog = self.calls.established_dialog(call)?;
        self.subscriptions.refer(&mut self.floor, cx, dialog, refer)
    }

    /// As [`UserAgent::refer_outside`](super::UserAgent::refer_outside).
    ///
    /// # Errors
    /// As there.
    pub fn refer_outside(
        &mut self,
        cx: &mut Cx<'_>,
        outgoing: Outgoing,
        refer: &Refer,
    ) -> Result<SubscriptionId, CommandError> {
        self.check_open()?;
        self.subscriptions.refer_outside(&mut self.floor, cx, outgoing, refer)
    }

    /// As [`UserAgent::accept_refer_with`](super::UserAgent::accept_refer_with).
    ///
    /// # Errors
    /// As there.
    pub fn accept_refer(
        &mut self,
        cx: &mut Cx<'_>,
        served: ServedId,
        extra: &Extra,
    ) -> Result<Option<ReferralId>, CommandError> {
        self.subscriptions.accept_refer(&mut self.floor, cx, served, extra)
    }

    /// As [`UserAgent::notify_refer`](super::UserAgent::notify_refer).
    ///
    /// # Errors
    /// As there.
    pub fn notify_refer(&mut self, cx: &mut Cx<'_>, referral: ReferralId, reply: &Reply) -> Result<(), CommandError> {
        self.subscriptions.notify_refer(&mut self.floor, cx, referral, reply)
    }

    /// The subscriptions that are alive, in the order of their slots.
    pub fn subscriptions(&self) -> impl Iterator<Item = SubscriptionId> {
        self.subscriptions.iter()
    }

    /// As [`UserAgent::ask`](super::UserAgent::ask).
    ///
    /// # Errors
    /// As there.
    pub fn ask(&mut self, cx: &mut Cx<'_>, method: Method<'_>, outgoing: &Outgoing) -> Result<RequestId, CommandError> {
        self.check_open()?;
        self.floor.ask_peer(cx, method, outgoing)
    }

    /// As [`UserAgent::ask_in`](super::UserAgent::ask_in).
    ///
    /// # Errors
    /// As there.
    pub fn ask_in(
        &mut self,
        cx: &mut Cx<'_>,
        call: CallId,
        method: Method<'static>,
        extra: &Extra,
    ) -> Result<RequestId, CommandError> {
        self.calls.ask(&mut self.floor, cx, call, method, extra)
    }

    /// As [`UserAgent::respond`](super::UserAgent::respond).
    ///
    /// # Errors
    /// As there.
    pub fn respond(&mut self, cx: &mut Cx<'_>, served: ServedId, reply: &Reply) -> Result<(), CommandError> {
        self.floor.respond(cx, served, reply)
    }

    /// As [`UserAgent::guard`](super::UserAgent::guard).
    ///
    /// # Errors
    /// As there.
    pub fn guard(&mut self, cx: &mut Cx<'_>, settings: Option<(Settings, Users)>) -> Result<(), CommandError> {
        self.floor.set_guard(cx, settings.map(|(settings, users)| (settings, Store::Held(users))))
    }

    /// As [`UserAgent::guard_with_look_up`](super::UserAgent::guard_with_look_up).
    ///
    /// # Errors
    /// As there.
    pub fn guard_with_look_up(
        &mut self,
        cx: &mut Cx<'_>,
        settings: Settings,
        patience: Duration,
    ) -> Result<(), CommandError> {
        self.floor.set_guard(cx, Some((settings, Store::Asked(patience))))
    }

    /// As [`UserAgent::secret`](super::UserAgent::secret).
    ///
    /// # Errors
    /// As there.
    pub fn secret(
        &mut self,
        cx: &mut Cx<'_>,
        served: ServedId,
        user: Option<(&str, Secret)>,
    ) -> Result<(), CommandError> {
        if let Some(served) = self.floor.secret(cx, served, user)? {
            self.serve(cx, served);
        }
        Ok(())
    }

    /// As [`UserAgent::credentials`](super::UserAgent::credentials).
    ///
    /// # Errors
    /// As there.
    pub fn credentials(
        &mut self,
        cx: &mut Cx<'_>,
        request: RequestId,
        logins: Vec<(Scope, Login)>,
    ) -> Result<(), CommandError> {
        let told = self.floor.credentials(cx, request, logins);
        told.map(|(owner, outcome)| self.heard(cx, request, owner, outcome))
    }

    /// As [`UserAgent::amend`](super::UserAgent::amend).
    ///
    /// # Errors
    /// As there.
    pub fn amend(&mut self, cx: &mut Cx<'_>, request: RequestId, amend: Amend) -> Result<(), CommandError> {
        let told = self.floor.amend(cx, request, amend);
        told.map(|(owner, outcome)| self.heard(cx, request, owner, outcome))
    }

    /// As [`UserAgent::give_up`](super::UserAgent::give_up).
    ///
    /// # Errors
    /// As there.
    pub fn give_up(&mut self, cx: &mut Cx<'_>, request: RequestId) -> Result<(), CommandError> {
        let told = self.floor.give_up(cx, request);
        told.map(|(owner, outcome)| self.heard(cx, request, owner, outcome))
    }

    /// As [`UserAgent::shut_down`](super::UserAgent::shut_down).
    pub fn shut_down(&mut self, cx: &mut Cx<'_>) {
        let is_first = self.closing == Closing::No;
        self.closing = Closing::Waiting;
        self.calls.hang_up_all(&mut self.floor, cx);
        // A removal that has failed is not made again, however often the application asks.
        let removed = if is_first { ToRemove::All } else { ToRemove::Kept };
        self.registrations.remove_all(&mut self.floor, cx, removed);
        self.kept.leave_all(&mut self.floor, cx);
        self.subscriptions.unsubscribe_everywhere(&mut self.floor, cx);
        self.floor.refuse_referrals(cx);
        self.subscriptions.end_referrals(&mut self.floor, cx);
        self.tell_the_end(cx);
    }

    /// Whether something may be begun.
    fn check_open(&self) -> Result<(), CommandError> {
        if self.closing == Closing::No { Ok(()) } else { Err(CommandError::Draining) }
    }

    /// The calls that are alive, in the order of their slots.
    pub fn calls(&self) -> impl Iterator<Item = CallInfo<'_>> {
        self.calls.iter()
    }

    /// The dialogs that are alive, in the order of their slots (RFC 3261 §12).
    pub fn dialogs(&self) -> impl Iterator<Item = (DialogId, &Dialog)> {
        self.floor.dialogs.iter()
    }
}
