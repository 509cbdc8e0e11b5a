//! Calls that take the place of others: an INVITE with Replaces (RFC 3891 §3), and the names of our calls for such an INVITE (§4).

use alloc::collections::VecDeque;

use super::super::floor::Floor;
use super::Calls;
use super::call::{Call, Callee, Caller, Progress, Side};
use super::machine::Phase;
use crate::dialog::{DialogId, DialogKey};
use crate::error::CommandError;
use crate::message::header::Replaces;
use crate::message::{Request, StatusCode, TagParam};
use crate::user_agent::replace::Replace;
use crate::user_agent::{CallDialog, CallId};

/// The keyed hashes of the names of the dialogs that have ended last.
#[derive(Clone, Debug)]
pub(super) struct Ended(VecDeque<u64>);

impl Ended {
    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Remembers a dialog that ends, if somebody may ask for it.
    pub(super) fn note(&mut self, on: &Floor, dialog: DialogId) {
        if !on.profile.has_replaces() {
            return;
        }
        let Some(dialog) = on.dialogs.get(dialog) else { return };
        self.0.push_back(on.dialogs.hash_of(dialog.name.as_key()));
        let surplus = self.0.len().saturating_sub(on.profile.limits.ended_dialogs);
        self.0.drain(..surplus);
    }

    fn has(&self, on: &Floor, name: DialogKey<'_>) -> bool {
        self.0.contains(&on.dialogs.hash_of(name))
    }
}

impl Calls {
    /// The call that an INVITE wants to take the place of (§3); `None` if the INVITE wants no such thing.
    ///
    /// # Errors
    /// The status that the INVITE is owed.
    pub(super) fn replaced_by(&self, on: &Floor, invite: &Request) -> Result<Option<CallId>, StatusCode> {
        if !on.profile.has_replaces() {
            return Ok(None);
        }
        let Some(replaces) = invite.headers().get::<Replaces<'_>>() else { return Ok(None) };
        let Replaces { call_id, to_tag, from_tag, early_only, .. } = replaces.map_err(|_| StatusCode::BAD_REQUEST)?;
        let name = |remote_tag| DialogKey { call_id, local_tag: to_tag, remote_tag };
        let tagged = name(Some(from_tag));
        // A tag of zero stands for none, too (§6.1).
        let untagged = (from_tag == TagParam::of("0")).then(|| name(None));
        let session = |name| on.dialogs.find(name).and_then(|dialog| Some((on.call_of(dialog)?, dialog)));
        match (session(tagged), untagged.and_then(session)) {
            (Some((call, dialog)), None) | (None, Some((call, dialog))) => {
                self.may_be_replaced(call, dialog, early_only).map(Some)
            }
            (None, None) if self.ended.has(on, tagged) || untagged.is_some_and(|name| self.ended.has(on, name)) => {
                Err(StatusCode::DECLINE)
            }
            // To match several is to match none.
            (None, None) | (Some(_), Some(_)) => Err(StatusCode::CALL_DOES_NOT_EXIST),
        }
    }

    /// Whether another call may take the place of this dialog; if not, the status that says so.
    fn may_be_replaced(&self, id: CallId, dialog: DialogId, early_only: bool) -> Result<CallId, StatusCode> {
        let call = self.table.get(id).ok_or(StatusCode::CALL_DOES_NOT_EXIST)?;
        let session = call.sessions.iter().find(|session| session.dialog == dialog);
        let phase = session.ok_or(StatusCode::CALL_DOES_NOT_EXIST)?.phase;
        match (phase, &call.side) {
            // One end has ended the call, and the dialog lasts until the other knows.
            _ if call.over || !phase.is_alive() => Err(StatusCode::DECLINE),
            (Phase::Early, Side::Callee(_)) => Err(StatusCode::CALL_DOES_NOT_EXIST),
            (Phase::Early, Side::Caller(Caller { cancelled, progress, .. })) => {
                // The call is cancelled, or another fork has answered.
                if *cancelled || *progress == Progress::Answered { Err(StatusCode::DECLINE) } else { Ok(id) }
            }
            _ if early_only => Err(StatusCode::BUSY_HERE),
            _ => Ok(id),
        }
    }

    /// The call that ends when this one is answered: that may have ended, or been answered, since the INVITE came.
    ///
    /// # Errors
    /// `WrongState`: the caller wants to replace the other call no more.
    pub(super) fn still_replaced(&self, on: &Floor, id: CallId) -> Result<Option<CallId>, CommandError> {
        let Some(Side::Callee(Callee::Offered(offered))) = self.table.get(id).map(|call| &call.side) else {
            return Ok(None);
        };
        if offered.replaces.is_none() {
            return Ok(None);
        }
        match self.replaced_by(on, &offered.served.request) {
            Ok(call) => Ok(call),
            Err(StatusCode::BUSY_HERE) => Err(CommandError::WrongState),
            Err(_) => Ok(None),
        }
    }

    /// The name of a dialog for an INVITE that is to take its place at the peer (§4).
    pub(in crate::user_agent) fn replacing(&self, on: &Floor, of: CallDialog) -> Result<Replace, CommandError> {
        if !on.profile.has_replaces() {
            return Err(CommandError::Invalid("extension"));
        }
        let call = self.table.get(of.call).filter(|call| !call.over).ok_or(CommandError::Gone)?;
        let session = match of.dialog {
            Some(dialog) => call.sessions.iter().find(|session| session.dialog == dialog).ok_or(CommandError::Gone)?,
            None => Call::main(call).ok_or(CommandError::WrongState)?,
        };
        // An early dialog can be replaced only at the end that has called.
        let is_callee = matches!(call.side, Side::Callee(_));
        if !session.phase.is_alive() || session.phase == Phase::Early && !is_callee {
            return Err(CommandError::WrongState);
        }
        let dialog = on.dialogs.get(session.dialog).ok_or(CommandError::Gone)?;
        Ok(Replace::of(dialog.name.clone()))
    }
}
