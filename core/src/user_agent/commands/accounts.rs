//! The public verbs of the core that concern accounts and what they hold: logins, registrations, flows.

use crate::auth::{Login, Scope};
use crate::error::CommandError;
use crate::flow::ListenerId;
use crate::transport::Listener;
use crate::user_agent::account::Account;
use crate::user_agent::agent::{Core, Cx};
use crate::user_agent::compose::{Extra, Outgoing};
use crate::user_agent::keep_alive::KeepAlive;
use crate::user_agent::registration::Register;
use crate::user_agent::{AccountId, KeptFlowId, RegistrationId};

impl Core {
    /// As [`UserAgent::register`](crate::user_agent::UserAgent::register).
    ///
    /// # Errors
    /// As there.
    pub fn register(&mut self, cx: &mut Cx<'_>, register: Register) -> Result<RegistrationId, CommandError> {
        self.check_open()?;
        self.registrations.register(&mut self.floor, cx, register)
    }

    /// As [`UserAgent::unregister_with`](crate::user_agent::UserAgent::unregister_with).
    ///
    /// # Errors
    /// As there.
    pub fn unregister(
        &mut self,
        cx: &mut Cx<'_>,
        registration: RegistrationId,
        extra: &Extra,
    ) -> Result<(), CommandError> {
        self.registrations.unregister(&mut self.floor, cx, registration, extra)
    }

    /// As [`UserAgent::unregister_all`](crate::user_agent::UserAgent::unregister_all).
    ///
    /// # Errors
    /// As there.
    pub fn unregister_all(&mut self, cx: &mut Cx<'_>, register: Register) -> Result<RegistrationId, CommandError> {
        self.check_open()?;
        self.registrations.unregister_all(&mut self.floor, cx, register)
    }

    /// As [`UserAgent::unregister_everywhere`](crate::user_agent::UserAgent::unregister_everywhere).
    pub fn unregister_everywhere(&mut self, cx: &mut Cx<'_>) {
        self.registrations.unregister_everywhere(&mut self.floor, cx);
    }

    /// As [`UserAgent::query_bindings`](crate::user_agent::UserAgent::query_bindings).
    ///
    /// # Errors
    /// As there.
    pub fn query_bindings(&mut self, cx: &mut Cx<'_>, register: Register) -> Result<RegistrationId, CommandError> {
        self.check_open()?;
        self.registrations.query(&mut self.floor, cx, register)
    }

    /// As [`UserAgent::listener_moved`](crate::user_agent::UserAgent::listener_moved).
    ///
    /// # Errors
    /// As there.
    pub fn listener_moved(&mut self, cx: &mut Cx<'_>, listener: ListenerId, to: Listener) -> Result<(), CommandError> {
        let before = cx.listener(listener).ok_or(CommandError::Gone)?.clone();
        let calls = self.calls.reached_at(&self.floor, cx, &before);
        let subscriptions = self.subscriptions.reached_at(&self.floor, cx, &before);
        cx.move_listener(listener, to)?;
        self.registrations.listener_moved(&mut self.floor, cx, listener, &before);
        self.calls.listener_moved(&mut self.floor, cx, listener, calls);
        self.subscriptions.listener_moved(&mut self.floor, cx, subscriptions);
        self.kept.listener_moved(&mut self.floor, cx, listener);
        Ok(())
    }

    /// As [`UserAgent::keep_flow`](crate::user_agent::UserAgent::keep_flow).
    ///
    /// # Errors
    /// As there.
    pub fn keep_flow(
        &mut self,
        cx: &mut Cx<'_>,
        outgoing: Outgoing,
        keep_alive: KeepAlive,
    ) -> Result<KeptFlowId, CommandError> {
        self.check_open()?;
        self.kept.keep(&mut self.floor, cx, outgoing, keep_alive)
    }

    /// As [`UserAgent::leave_flow`](crate::user_agent::UserAgent::leave_flow).
    ///
    /// # Errors
    /// As there.
    pub fn leave_flow(&mut self, cx: &mut Cx<'_>, kept: KeptFlowId) -> Result<(), CommandError> {
        self.kept.leave(&mut self.floor, cx, kept)
    }

    /// As [`UserAgent::login`](crate::user_agent::UserAgent::login).
    ///
    /// # Errors
    /// As there.
    pub fn login(&mut self, scope: Scope, login: Login) -> Result<(), CommandError> {
        self.login_to(AccountId::DEFAULT, scope, login)
    }

    /// As [`UserAgent::login_to`](crate::user_agent::UserAgent::login_to).
    ///
    /// # Errors
    /// As there.
    pub fn login_to(&mut self, account: AccountId, scope: Scope, login: Login) -> Result<(), CommandError> {
        let account = self.floor.accounts.named(Some(account))?;
        self.floor.keyring.insert(account, scope, login)
    }

    /// As [`UserAgent::add_account`](crate::user_agent::UserAgent::add_account).
    ///
    /// # Errors
    /// As there.
    pub fn add_account(&mut self, account: Account) -> Result<AccountId, CommandError> {
        self.floor.accounts.add(account, self.floor.profile.limits.accounts)
    }

    /// As [`UserAgent::remove_account`](crate::user_agent::UserAgent::remove_account).
    ///
    /// # Errors
    /// As there.
    pub fn remove_account(&mut self, account: AccountId) -> Result<(), CommandError> {
        self.floor.accounts.remove(account)?;
        self.floor.keyring.forget_account(account);
        Ok(())
    }
}
