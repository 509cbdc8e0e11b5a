//! Calls and their sessions (RFC 3261 §9, §13 to §15).
//!
//! Reading order: `call.rs` (what is kept), `machine.rs` (the phases of a session), then what happens: `caller.rs` to an INVITE
//! that we send, `callee.rs` to one that we get, `accepted.rs` to a 2xx of ours, `owed.rs` to an ACK of ours that waits for an answer,
//! `in_dialog.rs` to requests in the dialog, `modify.rs` to our re-INVITEs, `update.rs` to our UPDATEs and `offered.rs` to the offers of
//! the peer, `refresh.rs` and `exchange.rs` to the session timer, `moved.rs` when a listener has moved, `reliable.rs` to our reliable
//! provisional responses and `prack.rs` to the peer's,
//! `replaces.rs` to calls that take the place of others, `ending.rs` at the end. The commands are those of `commands.rs` and, for changes, of
//! `changes.rs`.

mod accepted;
mod ask;
mod call;
mod callee;
mod caller;
mod changes;
mod commands;
mod ending;
mod exchange;
mod in_dialog;
mod machine;
mod modify;
mod moved;
mod offered;
mod owed;
mod prack;
mod refresh;
mod reliable;
mod replaces;
mod update;

use alloc::boxed::Box;

use super::agent::Cx;
use super::event::CallInfo;
use super::floor::{Floor, Usage};
use crate::dialog::{Dialog, DialogId, OfferAnswer};
use crate::endpoint::DeliveryId;
use crate::error::CommandError;
use crate::id::Arena;
use crate::user_agent::{AccountId, CallDialog, CallId, CallKind};
use call::{Call, Callee, Caller, Session, Side};
use machine::Phase;
use moved::Untold;
use replaces::Ended;
use smallvec::SmallVec;

/// The calls of a user agent.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    table: Arena<CallKind, Call>,
    ended: Ended,
    /// The calls whose peers have to be told that a listener has moved. In a box, as that is seldom.
    untold: Option<Box<Untold>>,
}

impl Calls {
    pub(super) const fn new() -> Self {
        Self { table: Arena::new(), ended: Ended::new(), untold: None }
    }

    /// The calls that are alive, in the order of their slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = CallInfo<'_>> {
        self.table.iter().filter(|(_, call)| !call.over).map(|(id, call)| CallInfo {
            call: id,
            account: call.account,
            call_id: &call.call_id,
            state: call.state(),
        })
    }

    /// Number of calls, those included that are over and have something left to do.
    pub(super) const fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// Whether each call is over for both ends: at most a 2xx may come again, which is acknowledged again (§13.2.2.4).
    pub(super) fn are_over(&self) -> bool {
        self.table.iter().all(|(_, call)| call.over && !call.is_ending())
    }

    /// Calls that there is room for without another allocation.
    pub(super) fn capacity(&self) -> usize {
        self.table.capacity()
    }

    /// Whether no further call is taken.
    pub(super) const fn are_full(&self, on: &Floor) -> bool {
        self.table.len() >= on.profile.limits.calls
    }

    /// A kept ACK could not be sent: the next 2xx gets a new one.
    pub(super) fn ack_failed(&mut self, on: &Floor, dialog: DialogId, ack: DeliveryId) {
        for usage in on.dialogs.usages(dialog) {
            let Usage::Session(call) = usage else { continue };
            if let Some(session) = self.table.get_mut(*call).and_then(|call| call.session_mut(dialog))
                && session.ack == Some(ack)
            {
                session.ack = None;
            } else if let Some(session) = self.table.get_mut(*call).and_then(|call| call.session_mut(dialog))
                && let Some(changes) = &mut session.changes
                && let Some(kept) = changes.acks.iter_mut().find(|kept| kept.delivery == Some(ack))
            {
                kept.delivery = None;
            }
        }
    }

    /// The dialog that the application means. Without a name: the call's, or before there is an answer the only one that `fits`.
    fn dialog_of(&mut self, of: CallDialog, fits: impl Fn(&Session) -> bool) -> Result<DialogId, CommandError> {
        let call = self.alive(of.call)?;
        let mut sessions = call.sessions.iter();
        if let Some(dialog) = of.dialog {
            let is_it = |session: &Session| session.dialog == dialog && session.phase != Phase::Over;
            return if sessions.any(is_it) { Ok(dialog) } else { Err(CommandError::Gone) };
        }
        if let Some(main) = call.main() {
            return Ok(main.dialog);
        }
        let mut fitting = sessions.filter(|session| fits(session)).map(|session| session.dialog);
        match (fitting.next(), fitting.next()) {
            (Some(dialog), None) => Ok(dialog),
            _ => Err(CommandError::WrongState),
        }
    }

    /// The dialog of a call that is established.
    pub(super) fn established_dialog(&mut self, id: CallId) -> Result<DialogId, CommandError> {
        let session = self.alive(id)?.main().filter(|session| session.phase == Phase::Established);
        session.map(|session| session.dialog).ok_or(CommandError::WrongState)
    }

    /// The call that the application means.
    fn alive(&mut self, id: CallId) -> Result<&mut Call, CommandError> {
        self.table.get_mut(id).filter(|call| !call.over).ok_or(CommandError::Gone)
    }

    fn session_mut(&mut self, id: CallId, dialog: DialogId) -> Option<&mut Session> {
        self.table.get_mut(id)?.session_mut(dialog)
    }

    fn caller(&mut self, id: CallId) -> Option<&mut Caller> {
        match &mut self.table.get_mut(id)?.side {
            Side::Caller(caller) => Some(caller),
            Side::Callee(_) => None,
        }
    }

    fn callee(&mut self, id: CallId) -> Option<&mut Callee> {
        match &mut self.table.get_mut(id)?.side {
            Side::Callee(callee) => Some(callee),
            Side::Caller(_) => None,
        }
    }

    /// Takes in a call, whose account stays as long as it does.
    fn begin_call(&mut self, on: &mut Floor, call_id: Box<str>, side: Side, account: AccountId) -> CallId {
        on.accounts.hold(account);
        let sessions = SmallVec::new();
        self.table.insert(Call { call_id, side, sessions, over: false, user: None, account, refusal: None })
    }

    /// Adds a dialog to a call, with the offer/answer that the INVITE has begun.
    fn begin_session(
        &mut self,
        on: &mut Floor,
        id: CallId,
        dialog: Dialog,
        main: bool,
        offers: OfferAnswer,
    ) -> Option<DialogId> {
        let call = self.table.get_mut(id)?;
        let dialog = on.dialogs.begin(dialog, call.account, Usage::Session(id));
        call.sessions.push(Session::new(dialog, main, offers));
        Some(dialog)
    }

    /// Forgets a call and all its dialogs.
    fn forget(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        self.drop_all_changes(on, cx, id);
        let Some(call) = self.table.remove(id) else { return };
        if let Side::Caller(Caller { expiry: Some(timer), .. }) = call.side {
            cx.disarm(timer);
        }
        on.accounts.let_go(call.account);
        if let Some(standing) = &mut on.standing {
            standing.forget(id);
        }
        if on.keyring.spaces() > 0 {
            on.keyring.forget_call(call.account, &call.call_id);
        }
        for session in &call.sessions {
            self.leave(on, id, session.dialog);
            on.dialogs.forget(session.dialog);
        }
    }

    /// Forgets a call if nothing can come of it any more.
    fn settle(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId) {
        if self.table.get(id).is_some_and(Call::is_done) {
            self.forget(on, cx, id);
        }
    }
}
