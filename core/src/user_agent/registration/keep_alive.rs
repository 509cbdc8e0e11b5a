//! Flows to registrars that are kept alive, so that NATs on the way keep their mappings and a lost connection is noticed (RFC 5626
//! §3.5, §4.4).

use alloc::boxed::Box;
use core::net::SocketAddr;

use super::Registrations;
use super::book::{Goal, Registration};
use super::home::Home;
use crate::error::CommandError;
use crate::extension::{Demand, Extension, Extensions};
use crate::flow::Flow;
use crate::message::header::FlowTimer;
use crate::message::{HeaderId, Method, Response};
use crate::time::{Duration, Instant};
use crate::timer::TimerId;
use crate::transport::PONG_WITHIN;
use crate::user_agent::agent::{Cx, Work};
use crate::user_agent::client::{Outcome, Outside, Owner};
use crate::user_agent::compose::Extra;
use crate::user_agent::event::{Cause, Event};
use crate::user_agent::floor::Floor;
use crate::user_agent::keep_alive::{KeepAlive, Way};
use crate::user_agent::{RegistrationId, RequestId};

/// A flow that is kept alive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alive {
    pub(super) flow: Flow,
    keep_alive: KeepAlive,
    /// When the next message is due.
    timer: TimerId,
    /// The OPTIONS that is out.
    probe: Option<RequestId>,
    /// When the first ping went along the connection.
    pinged: Option<Instant>,
    /// The registrar keeps it as a flow of RFC 5626.
    pub(super) is_outbound: bool,
    /// A keep-alive was answered, or none will ever be: the flow was a success (RFC 5626 §4.5).
    pub(super) is_proved: bool,
}

impl Registrations {
    /// The 2xx to a REGISTER that was sent to this place came along this flow, which is kept alive from now on if the application wants that.
    /// Where the registrar says that it is a flow of RFC 5626, it is kept alive in any case, and requests of the address-of-record go along it.
    pub(in crate::user_agent) fn came_along(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: RegistrationId,
        (flow, place): (Flow, SocketAddr),
        response: &Response,
    ) {
        let Some(registration) = self.book.get_mut(id) else { return };
        registration.listener = Some(flow.listener);
        let is_kept = registration.goal == Goal::Keep;
        let next_hop = registration.path(on, &registration.terms.outgoing()).ok().map(|path| path.next_hop);
        let home = next_hop.filter(|_| is_kept).and_then(|next_hop| Home::of(next_hop, cx, flow, place));
        registration.home = home.map(Box::new);
        let is_outbound = is_kept && registration.terms.outbound && requires_outbound(response);
        let server = response.headers().get::<FlowTimer>().and_then(Result::ok);
        let server = server.map(|FlowTimer(seconds)| Duration::from_secs(seconds.into()));
        let wanted = match (registration.terms.keep_alive, server) {
            (Some(wanted), Some(server)) => Some(wanted.within(server)),
            (Some(wanted), None) => Some(wanted),
            (None, server) if is_outbound => {
                let usual = KeepAlive::usual(flow);
                Some(KeepAlive { interval: server.unwrap_or(usual.interval), ..usual })
            }
            (None, _) => None,
        };
        let is_proved = registration.alive.as_ref().is_some_and(|alive| alive.flow == flow && alive.is_proved);
        self.let_die(on, cx, id);
        let Some(keep_alive) = wanted.filter(|_| is_kept) else { return };
        let is_silent = keep_alive.way == Way::Crlf && flow.connection.is_none();
        let wait = keep_alive.wait(cx.random());
        let timer = cx.arm(cx.now() + wait, Work::KeepAlive(id));
        let Some(registration) = self.book.get_mut(id) else { return };
        let is_proved = is_proved || is_silent;
        let alive = Alive { flow, keep_alive, timer, probe: None, pinged: None, is_outbound, is_proved };
        registration.alive = Some(Box::new(alive));
        if is_outbound {
            on.accounts.flows_mut(registration.terms.account).set(id, registration.terms.to.uri(), flow);
        }
        cx.hold_flow(flow);
        self.flows.entry(flow).or_default().insert(id);
    }

    /// The flow of a registration is not kept alive any more.
    pub(super) fn let_die(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId) {
        let Some(registration) = self.book.get_mut(id) else { return };
        let Some(alive) = registration.alive.take() else { return };
        on.accounts.flows_mut(registration.terms.account).clear(id, registration.terms.to.uri());
        cx.disarm(alive.timer);
        cx.release_flow(alive.flow);
        if let Some(ids) = self.flows.get_mut(&alive.flow) {
            ids.remove(&id);
            if ids.is_empty() {
                self.flows.remove(&alive.flow);
            }
        }
    }

    /// Time to keep a flow alive.
    pub(in crate::user_agent) fn keep_alive_due(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId) {
        let Some(registration) = self.book.get_mut(id) else { return };
        let Some(alive) = registration.alive.as_mut() else { return };
        let wait = alive.keep_alive.wait(cx.random());
        alive.timer = cx.arm(cx.now() + wait, Work::KeepAlive(id));
        let (flow, is_out, now) = (alive.flow, alive.probe.is_some(), cx.now());
        match alive.keep_alive.way {
            Way::Crlf => {
                // Without a pong the flow would have failed by now.
                if now.since(*alive.pinged.get_or_insert(now)) > PONG_WITHIN {
                    registration.prove();
                }
                if cx.keep_alive(flow).is_err() {
                    self.lost(on, cx, id);
                }
            }
            Way::Options if is_out => {}
            Way::Options => {
                // At a limit there is no OPTIONS this time.
                let probe = self.probe(on, cx, id, flow).ok();
                if let Some(alive) = self.book.get_mut(id).and_then(|registration| registration.alive.as_mut()) {
                    alive.probe = probe;
                }
            }
        }
    }

    /// Sends an OPTIONS to the registrar along that flow.
    fn probe(
        &self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: RegistrationId,
        flow: Flow,
    ) -> Result<RequestId, CommandError> {
        let terms = &self.book.get(id).ok_or(CommandError::Gone)?.terms;
        let outgoing = terms.outgoing().extra(Extra::new());
        let account = on.accounts.get(terms.account);
        let mut path = outgoing.path(&account.routes, account.outbound.as_ref())?;
        path.next_hop.flow = Some(flow);
        let (from, call_id) = (terms.from.with_tag(&cx.random().tag()), cx.random().call_id());
        let number = cx.random().sequence_number();
        let (account, method) = (terms.account, Method::Options);
        let outside = Outside { account, method, from: &from, call_id: &call_id, number };
        let (options, here) = on.write_outside(cx, &outgoing, &path, &outside, |lines| {
            on.profile.add_software(lines, HeaderId::UserAgent);
        })?;
        on.send(cx, Owner::KeepAlive(id), account, options, here, path.next_hop)
    }

    /// Takes what has become of an OPTIONS that keeps a flow alive: whatever the response says, the registrar is there.
    pub(in crate::user_agent) fn probed(
        &mut self,
        on: &mut Floor,
        cx: &mut Cx<'_>,
        id: RegistrationId,
        request: RequestId,
        outcome: &Outcome,
    ) {
        let alive = self.book.get_mut(id).and_then(|registration| registration.alive.as_mut());
        // The OPTIONS of a flow that was left since says nothing.
        let Some(alive) = alive.filter(|alive| alive.probe == Some(request) && outcome.is_end()) else { return };
        alive.probe = None;
        if matches!(outcome, Outcome::Over(_)) {
            self.lost(on, cx, id);
        } else if let Some(registration) = self.book.get_mut(id) {
            registration.prove();
        }
    }

    /// A connection is lost, or has not answered a ping.
    pub(in crate::user_agent) fn flow_failed(&mut self, on: &mut Floor, cx: &mut Cx<'_>, flow: Flow) {
        for id in self.flows.remove(&flow).unwrap_or_default() {
            self.lost(on, cx, id);
        }
    }

    /// The flow of a registration is lost: the application is told, and the registration made anew (RFC 5626 §4.2.1, §4.5), unless a REGISTER is
    /// out anyway. A flow of RFC 5626 that was never a success is a failure, after which the next one waits.
    fn lost(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId) {
        let Some(registration) = self.book.get(id) else { return };
        let is_out = registration.pending.is_some();
        let is_failure = registration.alive.as_ref().is_some_and(|alive| alive.is_outbound && !alive.is_proved);
        self.let_die(on, cx, id);
        cx.emit(Event::FlowLost { registration: id });
        if is_out || (is_failure && self.try_later(on, cx, id, Duration::ZERO).is_some()) {
            return;
        }
        if self.send(on, cx, id).is_err() {
            self.tell_failure(on, cx, id, Cause::Unreachable);
        }
    }
}

impl Registration {
    /// A keep-alive was answered.
    fn prove(&mut self) {
        if let Some(alive) = &mut self.alive {
            alive.is_proved = true;
            self.failures = 0;
        }
    }

    /// The flow of RFC 5626 that it has.
    pub(super) fn outbound_flow(&self) -> Option<Flow> {
        self.alive.as_ref().filter(|alive| alive.is_outbound).map(|alive| alive.flow)
    }
}

/// Whether the registrar says that it keeps the flow, and so do the proxies on the way (RFC 5626 §4.2.1).
fn requires_outbound(response: &Response) -> bool {
    Demand::of_require(response.headers(), Extensions::of(&[Extension::Outbound]))
        .understood
        .contains(Extension::Outbound)
}
