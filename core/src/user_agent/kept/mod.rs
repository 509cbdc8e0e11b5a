//! Flows that are kept alive without a registration (RFC 5626 §4.4, for those who do not register).

mod commands;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::agent::{Cx, Work};
use super::client::{Outcome, Outside, Owner};
use super::compose::Outgoing;
use super::event::Event;
use super::floor::Floor;
use super::keep_alive::{KeepAlive, Way};
use crate::error::CommandError;
use crate::flow::{Flow, ListenerId};
use crate::id::Arena;
use crate::message::{HeaderId, Method};
use crate::timer::TimerId;
use crate::user_agent::{AccountId, KeptFlowId, KeptFlowKind, RequestId};

/// A flow that the application wants to be kept.
#[derive(Clone, Debug)]
struct Kept {
    /// The way to the peer.
    outgoing: Outgoing,
    account: AccountId,
    keep_alive: KeepAlive,
    /// The flow, while it is there.
    flow: Option<Flow>,
    /// Where the last response came from.
    answered: Option<Flow>,
    /// The OPTIONS that is out.
    request: Option<RequestId>,
    /// When the next keep-alive is due, or the peer is asked again.
    timer: Option<TimerId>,
    /// How often it was lost since a keep-alive came through.
    failures: u32,
}

/// The flows that are kept without a registration.
#[derive(Clone, Debug)]
pub(super) struct KeptFlows {
    table: Arena<KeptFlowKind, Kept>,
    /// Those that are there. Two commands may mean the same flow.
    flows: BTreeMap<Flow, BTreeSet<KeptFlowId>>,
}

impl KeptFlows {
    pub(super) const fn new() -> Self {
        Self { table: Arena::new(), flows: BTreeMap::new() }
    }

    /// Number of flows, those included that are lost.
    pub(super) const fn len(&self) -> usize {
        self.table.len()
    }

    /// Flows that there is room for without another allocation.
    pub(super) fn capacity(&self) -> usize {
        self.table.capacity()
    }

    /// Begins to keep a flow to a peer.
    pub(super) fn keep(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        outgoing: Outgoing,
        keep_alive: KeepAlive,
    ) -> Result<KeptFlowId, CommandError> {
        let account = on.accounts.named(outgoing.account)?;
        let (flow, answered, request, timer) = (None, None, None, None);
        let kept = Kept { outgoing, account, keep_alive, flow, answered, request, timer, failures: 0 };
        let id = self.table.insert(kept);
        on.accounts.hold(account);
        self.ask(on, cx, id).inspect_err(|_| self.forget(on, cx, id))?;
        Ok(id)
    }

    /// Keeps a flow no more.
    pub(super) fn leave(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: KeptFlowId) -> Result<(), CommandError> {
        if self.table.get(id).is_none() {
            return Err(CommandError::Gone);
        }
        self.forget(on, cx, id);
        Ok(())
    }

    /// Keeps no flow any more.
    pub(super) fn leave_all(&mut self, on: &mut Floor, cx: &mut Cx<'_>) {
        let all: Vec<KeptFlowId> = self.table.iter().map(|(id, _)| id).collect();
        all.into_iter().for_each(|id| self.forget(on, cx, id));
    }

    fn forget(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: KeptFlowId) {
        self.let_die(cx, id);
        if let Some(kept) = self.table.remove(id) {
            on.accounts.let_go(kept.account);
        }
    }

    /// The flow is not there any more, and nothing is due. What becomes of the OPTIONS that is out says nothing.
    fn let_die(&mut self, cx: &mut Cx<'_>, id: KeptFlowId) {
        let Some(kept) = self.table.get_mut(id) else { return };
        kept.request = None;
        if let Some(timer) = kept.timer.take() {
            cx.disarm(timer);
        }
        let Some(flow) = kept.flow.take() else { return };
        cx.release_flow(flow);
        if let Some(ids) = self.flows.get_mut(&flow) {
            ids.remove(&id);
            if ids.is_empty() {
                self.flows.remove(&flow);
            }
        }
    }

    /// Sends an OPTIONS, along the flow if that is there.
    fn ask(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: KeptFlowId) -> Result<(), CommandError> {
        let kept = self.table.get_mut(id).ok_or(CommandError::Gone)?;
        let account = kept.account;
        let mut path = on.outside_path(cx, &kept.outgoing, account)?;
        if kept.flow.is_some() {
            path.next_hop.flow = kept.flow;
        }
        let random = cx.random();
        let (call_id, number) = (random.call_id(), random.sequence_number());
        let from = kept.outgoing.caller_or(&on.accounts.get(account).identity).with_tag(&random.tag());
        let outside = Outside { account, method: Method::Options, from: &from, call_id: &call_id, number };
        let (options, here) = on.write_outside(cx, &kept.outgoing, &path, &outside, |lines| {
            on.profile.add_supported(lines);
            on.profile.add_software(lines, HeaderId::UserAgent);
        })?;
        kept.request = Some(on.send(cx, Owner::KeptFlow(id), account, options, here, path.next_hop)?);
        Ok(())
    }

    /// A response to an OPTIONS came along this flow.
    pub(super) fn came_along(&mut self, id: KeptFlowId, flow: Flow) {
        if let Some(kept) = self.table.get_mut(id) {
            kept.answered = Some(flow);
        }
    }

    /// Takes what has become of an OPTIONS: whatever the response says, the peer is there.
    pub(super) fn heard(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: KeptFlowId,
        request: RequestId,
        outcome: &Outcome,
    ) {
        let kept = self.table.get_mut(id).filter(|kept| kept.request == Some(request) && outcome.is_end());
        let Some(kept) = kept else { return };
        kept.request = None;
        if matches!(outcome, Outcome::Over(_)) {
            return self.lost(on, cx, id);
        }
        let Some(flow) = kept.answered.filter(|_| kept.flow.is_none()) else { return };
        kept.flow = Some(flow);
        let wait = kept.keep_alive.wait(cx.random());
        kept.timer = Some(cx.arm(cx.now() + wait, Work::KeptFlow(id)));
        cx.hold_flow(flow);
        self.flows.entry(flow).or_default().insert(id);
        cx.emit(Event::FlowKept { kept: id });
    }

    /// Time for a keep-alive, or to ask the peer again.
    pub(super) fn due(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: KeptFlowId) {
        let Some(kept) = self.table.get_mut(id) else { return };
        kept.timer = None;
        let Some(flow) = kept.flow else {
            if self.ask(on, cx, id).is_err() {
                self.lost(on, cx, id);
            }
            return;
        };
        kept.failures = 0;
        let wait = kept.keep_alive.wait(cx.random());
        kept.timer = Some(cx.arm(cx.now() + wait, Work::KeptFlow(id)));
        match kept.keep_alive.way {
            Way::Crlf if cx.keep_alive(flow).is_err() => self.lost(on, cx, id),
            // At a limit there is no OPTIONS this time.
            Way::Options if kept.request.is_none() => _ = self.ask(on, cx, id),
            Way::Crlf | Way::Options => {}
        }
    }

    /// A connection is lost, or has not answered a ping.
    pub(super) fn flow_failed(&mut self, on: &mut Floor, cx: &mut Cx<'_>, flow: Flow) {
        for id in self.flows.remove(&flow).unwrap_or_default() {
            self.lost(on, cx, id);
        }
    }

    /// A listener has moved: the flows that begin there are formed anew.
    pub(super) fn listener_moved(&mut self, on: &mut Floor, cx: &mut Cx<'_>, listener: ListenerId) {
        let is_there = |kept: &Kept| kept.flow.is_none_or(|flow| flow.listener == listener);
        let there: Vec<KeptFlowId> = self.table.iter().filter(|(_, kept)| is_there(kept)).map(|(id, _)| id).collect();
        for id in there {
            self.let_die(cx, id);
            if self.ask(on, cx, id).is_err() {
                self.lost(on, cx, id);
            }
        }
    }

    /// The flow is not there: the application is told, and the peer asked again, at once for the first time, else later.
    fn lost(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: KeptFlowId) {
        let was_there = self.table.get(id).is_some_and(|kept| kept.flow.is_some());
        self.let_die(cx, id);
        let Some(kept) = self.table.get_mut(id) else { return };
        let is_first = was_there && kept.failures == 0;
        kept.failures = kept.failures.saturating_add(1);
        let failures = kept.failures;
        if is_first && self.ask(on, cx, id).is_ok() {
            cx.emit(Event::KeptFlowLost { kept: id, again: Some(cx.now()) });
            return;
        }
        let again = on.profile.policy.registering.unwrap_or_default().wait(failures, cx.random());
        let again = again.map(|wait| cx.now() + wait);
        if let Some((kept, at)) = self.table.get_mut(id).zip(again) {
            kept.timer = Some(cx.arm(at, Work::KeptFlow(id)));
        } else {
            self.forget(on, cx, id);
        }
        cx.emit(Event::KeptFlowLost { kept: id, again });
    }
}
