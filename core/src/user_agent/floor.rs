//! The floor that all usages stand on: who we are, the requests of either side, and the dialogs.

use alloc::boxed::Box;

use super::account::{Account, Accounts};
use super::agent::Cx;
use super::client::Requests;
use super::compose::{Extra, Messages, Outgoing, Sort, Standing, stand};
use super::profile::Profile;
use super::serve::belongs_to_no_usage;
use super::server::{Guard, Serving};
use crate::auth::Keyring;
use crate::dialog::{Dialog, DialogId, Dialogs, Path};
use crate::error::CommandError;
use crate::flow::Flow;
use crate::message::{Lines, Method, Request};
use crate::transport::Listener;
use crate::user_agent::{AccountId, CallId, ReferralId, SubscriptionId};

/// All that a usage (a session, a registration) sees besides itself: never another usage.
#[derive(Clone, Debug)]
pub(super) struct Floor {
    pub(super) profile: Profile,
    /// The requests that we have sent.
    pub(super) requests: Requests,
    /// The requests that peers have sent.
    pub(super) serving: Serving,
    pub(super) dialogs: Dialogs<Usage, AccountId>,
    /// The logins that we prove ourselves with, and the challenges that were answered.
    pub(super) keyring: Keyring<AccountId>,
    /// Who has to prove themselves before they are served. In a box, as most user agents serve all.
    pub(super) guard: Option<Box<Guard>>,
    /// The fields and bodies that stand in messages of a sort. In a box, as most user agents have none.
    pub(super) standing: Option<Box<Standing>>,
    /// Who we are, and the ways that registrars have given to requests outside of dialogs.
    pub(super) accounts: Accounts,
}

/// A use of a dialog (RFC 5057).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// The session that an INVITE has set up.
    Session(CallId),
    /// A REFER of ours that the peer has not accepted, nor told anything of: its subscription uses the dialog at our end alone.
    Refer(SubscriptionId),
    /// A subscription of ours.
    Subscription(SubscriptionId),
    /// The subscription that a REFER of the peer has made.
    Referral(ReferralId),
}

impl Floor {
    /// Forgets the challenges that were answered in a dialog, which ends with its last usage.
    pub(super) fn forget_keys(&mut self, dialog: DialogId) {
        if self.keyring.spaces() > 0
            && self.dialogs.usages(dialog).len() == 1
            && let (account, _) = self.account_in(dialog)
            && let Some(dialog) = self.dialogs.get(dialog)
        {
            self.keyring.forget_call(account, dialog.name.as_key().call_id);
        }
    }

    /// Sets what stands in these messages: of that call, or of all.
    ///
    /// # Errors
    /// `HeaderOwned`, `Invalid`: what such messages cannot carry.
    pub(super) fn set_standing(
        &mut self,
        call: Option<CallId>,
        messages: Messages,
        extra: Extra,
    ) -> Result<(), CommandError> {
        messages.check(&extra)?;
        stand(&mut self.standing, call, messages, extra);
        Ok(())
    }

    /// The fields of a CANCEL (§9.1), with those that stand in it.
    pub(super) fn cancel_fields(&self, call: CallId, fields: Option<Box<Lines>>) -> Option<Box<Lines>> {
        let Some(standing) = &self.standing else { return fields };
        let mut fields = fields.unwrap_or_else(|| Box::new(Lines::new()));
        standing.complete(Some(call), Sort::Request(Method::Cancel), &mut fields);
        Some(fields)
    }

    /// Takes the CSeq number of a request in a dialog; false if the request is out of order (§12.2.2).
    pub(super) fn is_in_order(&mut self, dialog: DialogId, request: &Request) -> bool {
        let Some(dialog) = self.dialogs.get_mut(dialog) else { return false };
        request.cseq().is_some_and(|cseq| dialog.sequence.accept(cseq.number))
    }

    /// Whether the peer of a dialog may know that listener as the place where we are reached: unless our Contact is the application's own, or
    /// what we send in the dialog goes from another listener.
    pub(super) fn may_name(&self, cx: &Cx<'_>, dialog: DialogId, listener: &Listener) -> bool {
        let next_hop = self.dialogs.get(dialog).and_then(Dialog::path).map(|path| path.next_hop);
        let is_elsewhere = next_hop.is_some_and(|next_hop| {
            next_hop.target().as_host().ip().is_some() && cx.listener_towards(&next_hop) != Some(listener)
        });
        self.account_in(dialog).1.contact.is_none() && !is_elsewhere
    }

    /// The account of a dialog, and its handle.
    pub(super) fn account_in(&self, dialog: DialogId) -> (AccountId, &Account) {
        let id = self.dialogs.account(dialog).unwrap_or(AccountId::DEFAULT);
        (id, self.accounts.get(id))
    }

    /// The call whose session uses a dialog, unless the session is over.
    pub(super) fn call_of(&self, dialog: DialogId) -> Option<CallId> {
        self.dialogs.usages(dialog).iter().find_map(|usage| match usage {
            Usage::Session(call) => Some(*call),
            Usage::Refer(_) | Usage::Subscription(_) | Usage::Referral(_) => None,
        })
    }

    /// Whether nothing uses a dialog any more that its peer knows of: the session is over, and at most REFERs that the peer has not accepted are
    /// left. No request goes out again there (RFC 5057 §5.4).
    pub(super) fn is_left(&self, dialog: DialogId) -> bool {
        self.dialogs.usages(dialog).iter().all(|usage| matches!(usage, Usage::Refer(_)))
    }

    /// Whether a request of this method is still for somebody in a dialog whose session is over: there is another usage, and the request
    /// belongs to none, or begins one of its own (RFC 5057 §5.3, §5.4).
    pub(super) fn outlives_session(&self, dialog: DialogId, method: Method<'_>) -> bool {
        let begins_usage = method == Method::Refer;
        self.dialogs.usages(dialog).len() > 1 && (begins_usage || belongs_to_no_usage(method))
    }

    /// How a request outside of dialogs is addressed (§8.1.2): by a service route in the place of the account's routes (RFC 3608 §6.1), and along
    /// the flow that the caller is registered by, if that is one of RFC 5626 (§4.3), and the request says no way of its own.
    ///
    /// # Errors
    /// `NotSip`: To, Request-URI or a route is no SIP URI.
    pub(super) fn outside_path(&self, cx: &Cx<'_>, outgoing: &Outgoing, id: AccountId) -> Result<Path, CommandError> {
        let account = self.accounts.get(id);
        let caller = outgoing.caller_or(&account.identity);
        let routes = self.accounts.service_routes(id).of(caller).unwrap_or(&account.routes);
        let mut path = outgoing.path(routes, account.outbound.as_ref())?;
        let can_carry = |flow: &Flow| {
            let listener = cx.listener(flow.listener);
            let is_secure = listener.is_some_and(|listener| listener.protocol.is_secure());
            cx.has_flow(*flow) && (is_secure || !path.next_hop.secure)
        };
        let flow = self.accounts.flows(id).of(caller).filter(|_| !outgoing.says_way()).filter(can_carry);
        if flow.is_some() {
            path.next_hop.flow = flow;
        }
        Ok(path)
    }
}
