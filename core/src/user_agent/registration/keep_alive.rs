//! Flows to registrars that are kept alive, so that NATs on the way keep their mappings and a lost connection is noticed (RFC 5626
//! §3.5, §4.4).

use super::Registrations;
use super::book::Goal;
use crate::error::CommandError;
use crate::flow::Flow;
use crate::message::{HeaderId, Method};
use crate::random::Random;
use crate::time::Duration;
use crate::timer::TimerId;
use crate::user_agent::agent::{Cx, Work};
use crate::user_agent::client::{Outcome, Outside, Owner};
use crate::user_agent::compose::Extra;
use crate::user_agent::event::{Cause, Event};
use crate::user_agent::floor::Floor;
use crate::user_agent::{RegistrationId, RequestId};

/// How the flow that a registration came by is kept alive: see [`Register::keep_alive`](super::Register::keep_alive).
///
/// ```
/// # use sansip::Duration;
/// # use sansip::user_agent::{KeepAlive, Register};
/// // Over UDP, behind a NAT that forgets after half a minute.
/// let registrar = "sip:registrar.biloxi.com".parse()?;
/// let register = Register::at(&registrar).keep_alive(KeepAlive::crlf(Duration::from_secs(29)));
/// # let _ = register;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    way: Way,
    interval: Duration,
}

/// The message that keeps a flow alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Crlf,
    Options,
}

/// The shortest interval.
const SHORTEST: Duration = Duration::from_secs(1);

impl KeepAlive {
    /// By line ends, at intervals of 80 to 100 % of this one (RFC 5626 §4.4), at least of a second. A connection gets two of them, and has to
    /// answer with one within 10 s (§4.4.1); 120 s is usual. A flow without a connection gets one as a datagram, and nobody answers;
    /// 29 s is usual.
    pub const fn crlf(interval: Duration) -> Self {
        Self { way: Way::Crlf, interval }
    }

    /// By OPTIONS to the registrar, at the same intervals. Any response will do; where none comes, the flow is lost. For registrars that
    /// discard line ends, and to notice over UDP that a registrar is gone.
    pub const fn options(interval: Duration) -> Self {
        Self { way: Way::Options, interval }
    }

    /// How long until the next message.
    fn wait(self, random: &mut Random) -> Duration {
        let fifth = self.interval / 5;
        let part = random.below(u64::try_from(fifth.as_millis()).unwrap_or(u64::MAX).saturating_add(1));
        (self.interval.saturating_sub(fifth) + Duration::from_millis(part)).max(SHORTEST)
    }
}

/// A flow that is kept alive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alive {
    flow: Flow,
    /// When the next message is due.
    timer: TimerId,
    /// The OPTIONS that is out.
    probe: Option<RequestId>,
}

impl Registrations {
    /// The 2xx to a REGISTER came along this flow, which is kept alive from now on if the application wants that.
    pub(in crate::user_agent) fn came_along(&mut self, cx: &mut Cx<'_>, id: RegistrationId, flow: Flow) {
        let Some(registration) = self.book.get_mut(id) else { return };
        registration.listener = Some(flow.listener);
        let wanted = registration.terms.keep_alive.filter(|_| registration.goal == Goal::Keep);
        self.let_die(cx, id);
        let Some(keep_alive) = wanted else { return };
        let wait = keep_alive.wait(cx.random());
        let timer = cx.arm(cx.now() + wait, Work::KeepAlive(id));
        if let Some(registration) = self.book.get_mut(id) {
            registration.alive = Some(alloc::boxed::Box::new(Alive { flow, timer, probe: None }));
            cx.hold_flow(flow);
            self.flows.entry(flow).or_default().insert(id);
        }
    }

    /// The flow of a registration is not kept alive any more.
    pub(super) fn let_die(&mut self, cx: &mut Cx<'_>, id: RegistrationId) {
        let Some(alive) = self.book.get_mut(id).and_then(|registration| registration.alive.take()) else { return };
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
        let (Some(keep_alive), Some(alive)) = (registration.terms.keep_alive, registration.alive.as_mut()) else {
            return;
        };
        let wait = keep_alive.wait(cx.random());
        alive.timer = cx.arm(cx.now() + wait, Work::KeepAlive(id));
        let (flow, is_out) = (alive.flow, alive.probe.is_some());
        match keep_alive.way {
            Way::Crlf => {
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
        }
    }

    /// A connection is lost, or has not answered a ping.
    pub(in crate::user_agent) fn flow_failed(&mut self, on: &mut Floor, cx: &mut Cx<'_>, flow: Flow) {
        for id in self.flows.remove(&flow).unwrap_or_default() {
            self.lost(on, cx, id);
        }
    }

    /// The flow of a registration is lost: the application is told, and the registration made anew (RFC 5626 §4.2.1), unless a REGISTER is
    /// out anyway.
    fn lost(&mut self, on: &mut Floor, cx: &mut Cx<'_>, id: RegistrationId) {
        self.let_die(cx, id);
        let Some(registration) = self.book.get(id) else { return };
        let is_out = registration.pending.is_some();
        cx.emit(Event::FlowLost { registration: id });
        if !is_out && self.send(on, cx, id).is_err() {
            self.tell_failure(on, cx, id, Cause::Unreachable);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Script, Seed};

    /// RFC 5626 §4.4: between 80 and 100 % of the upper bound.
    #[test]
    fn the_interval_has_a_random_share_and_a_lower_bound() {
        let mut random = Random::new(Seed::from_u64(1), Script::default());
        let mut waits = |seconds| {
            let keep_alive = KeepAlive::crlf(Duration::from_secs(seconds));
            let all: alloc::vec::Vec<_> = (0..200).map(|_| keep_alive.wait(&mut random).as_millis()).collect();
            (*all.iter().min().unwrap(), *all.iter().max().unwrap())
        };
        let (least, most) = waits(120);
        assert!((96_000..97_000).contains(&least) && (119_000..=120_000).contains(&most), "{least} {most}");
        assert_eq!(waits(0), (1_000, 1_000));
        assert!(KeepAlive::options(Duration::MAX).wait(&mut random) > Duration::from_secs(1));
    }
}
