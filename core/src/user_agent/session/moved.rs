//! Telling the peers of calls that a listener has moved: the target refresh of each established dialog (RFC 3261 §12.2, RFC 3311 §5.1).
//!
//! An UPDATE without a session description, or, for a peer that is known not to take that method, a re-INVITE with the description that this
//! end has sent last: the request that refreshes a session too. A call whose dialog is not established, or whose session is being
//! changed, is told later. The 2xx of a call that is not answered yet tells by itself.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::super::agent::{Cx, Work};
use super::super::compose::Extra;
use super::super::event::{Cause, Event};
use super::super::floor::Floor;
use super::Calls;
use super::call::{Call, Callee, Changes, Ours, Session, Side};
use super::machine::Phase;
use super::modify::Change;
use crate::dialog::{Carrier, DialogId};
use crate::error::CommandError;
use crate::flow::ListenerId;
use crate::time::Duration;
use crate::timer::TimerId;
use crate::transport::Listener;
use crate::user_agent::{CallId, CallState};

/// How long a call that cannot be told at present waits: as long as a refresh waits for a change of the session.
const WAIT: Duration = Duration::from_secs(4);

/// The calls whose peers have to be told that a listener has moved.
#[derive(Clone, Debug)]
pub(super) struct Untold {
    calls: Vec<(CallId, Telling)>,
    /// When those that wait are looked at again.
    timer: Option<TimerId>,
}

/// How far the telling of a peer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    /// Nothing was sent.
    Waiting,
    /// The request is out.
    Asked,
    /// There is nothing to be told, or no more.
    Done,
}

impl Calls {
    /// The calls whose dialogs may name that listener.
    pub(in crate::user_agent) fn reached_at(&self, on: &Floor, cx: &Cx<'_>, listener: &Listener) -> Vec<CallId> {
        let names = |call: &Call| match call.main() {
            Some(session) => on.may_name(cx, session.dialog, listener),
            None => on.accounts.get(call.account).contact.is_none(),
        };
        let is_reached = |call: &Call| !call.over && call.state() != CallState::Ending && names(call);
        self.table.iter().filter(|(_, call)| is_reached(call)).map(|(id, _)| id).collect()
    }

    /// The listener that these calls name has moved.
    pub(in crate::user_agent) fn listener_moved(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        listener: ListenerId,
        calls: Vec<CallId>,
    ) {
        if calls.is_empty() || !on.profile.policy.tells_moves {
            return;
        }
        let untold = self.untold.get_or_insert_with(|| Box::new(Untold { calls: Vec::new(), timer: None }));
        untold.calls.retain(|(call, _)| !calls.contains(call));
        untold.calls.extend(calls.into_iter().map(|call| (call, Telling::Waiting)));
        self.tell_moved(on, cx, listener);
    }

    /// Tells each peer that can be told by now.
    pub(in crate::user_agent) fn tell_moved(&mut self, on: &mut Floor, cx: &mut Cx<'_>, listener: ListenerId) {
        let Some(untold) = self.untold.as_mut() else { return };
        if let Some(timer) = untold.timer.take() {
            cx.disarm(timer);
        }
        let mut calls = mem::take(&mut untold.calls);
        calls.retain_mut(|(call, telling)| {
            *telling = self.tell(on, cx, *call, *telling);
            *telling != Telling::Done
        });
        self.untold = (!calls.is_empty()).then(|| {
            let timer = Some(cx.arm(cx.now() + WAIT, Work::Moved(listener)));
            Box::new(Untold { calls, timer })
        });
    }

    fn tell(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: CallId, telling: Telling) -> Telling {
        let Some(call) = self.table.get(id).filter(|call| !call.over) else { return Telling::Done };
        // The 2xx that is to come has the Contact of then.
        let is_undecided = matches!(call.side, Side::Callee(Callee::Offered(_)));
        let Some(session) = call.main() else {
            return if is_undecided { Telling::Done } else { Telling::Waiting };
        };
        let is_alive = session.phase.is_alive() && call.state() != CallState::Ending;
        if is_undecided || !is_alive {
            return Telling::Done;
        }
        let is_refresh = |ours: &Ours| ours.is_refresh;
        let changes = session.changes.as_deref();
        let is_out =
            changes.is_some_and(|changes| [&changes.ours, &changes.update].into_iter().flatten().any(is_refresh));
        if telling == Telling::Asked {
            // A change that the application has asked for in the place of ours has told the peer.
            return if is_out { Telling::Asked } else { Telling::Done };
        }
        if !session.may_renew() {
            return Telling::Waiting;
        }
        let dialog = session.dialog;
        match self.renew(on, cx, id, dialog) {
            Ok(()) => Telling::Asked,
            Err(CommandError::Limit(_)) => Telling::Waiting,
            Err(_) => {
                cx.emit(Event::MoveUntold { call: id, dialog, cause: Cause::Unreachable });
                Telling::Done
            }
        }
    }

    /// Sends the request that renews session and target, and changes nothing.
    pub(super) fn renew(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: CallId,
        dialog: DialogId,
    ) -> Result<(), CommandError> {
        let (carrier, extra) = self.session_mut(id, dialog).ok_or(CommandError::Gone)?.renewal();
        let change = Change { extra, glares: 0, is_refresh: true };
        match carrier {
            Carrier::Update => self.send_update(on, cx, id, dialog, change),
            _ => self.send_change(on, cx, id, dialog, change),
        }
    }

    /// The peer has accepted a refresh: it knows where this end is, if it did not.
    pub(super) fn told(&mut self, id: CallId) {
        self.take_asked(id);
    }

    /// A refresh came to nothing, and the session goes on.
    pub(super) fn not_told(&mut self, cx: &mut Cx<'_>, id: CallId, dialog: DialogId, cause: Cause) {
        if self.take_asked(id) {
            cx.emit(Event::MoveUntold { call: id, dialog, cause });
        }
    }

    /// Ends the telling whose request was out; false if none was.
    fn take_asked(&mut self, id: CallId) -> bool {
        let Some(untold) = self.untold.as_mut() else { return false };
        let place = untold.calls.iter().position(|it| *it == (id, Telling::Asked));
        place.map(|place| untold.calls.swap_remove(place)).is_some()
    }
}

impl Session {
    /// The request that renews session and target, and changes nothing: an UPDATE, unless the peer is known not to take it, else a re-INVITE
    /// with the description that we have sent last.
    fn renewal(&self) -> (Carrier, Extra) {
        match self.refresh() {
            Some(refresh) if !refresh.has_update => (Carrier::Invite, self.last_description()),
            _ => (Carrier::Update, Extra::new()),
        }
    }

    /// Whether that may be sent: no change of the session is in progress.
    pub(super) fn may_renew(&self) -> bool {
        let is_idle =
            |changes: &Changes| changes.ours.is_none() && changes.theirs.is_none() && changes.update.is_none();
        let (carrier, extra) = self.renewal();
        self.phase == Phase::Established
            && self.changes.as_deref().is_none_or(is_idle)
            && self.offers.may_send(carrier, extra.describes())
    }
}
