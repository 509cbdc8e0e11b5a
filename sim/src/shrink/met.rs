//! The faults that a failing run met, told by the messages that they hit.
//!
//! `atlanta>biloxi#40` is another message as soon as a call, a node or a loss less is in the run; `atlanta>biloxi 200/INVITE#2`, counted
//! among the calls that are left, is mostly the same one.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use super::scene::{Heirs, moved};
use crate::fault::{Effect, End, Fate, Fault, Kind, Plan, Selector};
use crate::packet::Packet;
use crate::trace::Trace;
use crate::world::World;

/// Every message of a run with its fate, and what happened at its time.
pub(super) struct Met {
    messages: Vec<Message>,
    timed: Vec<Fault>,
}

/// A message on its way between two nodes.
struct Message {
    from: String,
    to: String,
    /// `None` if it is no SIP message.
    kind: Option<Kind>,
    /// Who sent the first message with its Call-ID.
    caller: String,
    fate: Fate,
}

impl Met {
    pub(super) fn of(world: &World) -> Self {
        let met = world.faults_met();
        let timed = met.timed().cloned().map(Fault::Timed).collect();
        Self { messages: messages(world.trace()), timed }
    }

    /// The events, as a plan for a network in which nodes have these names; who is not named is not there, nor are the calls
    /// that he makes.
    pub(super) fn plan(&self, names: &Heirs) -> Plan {
        let mut counts: BTreeMap<(&str, &str, Option<&Kind>), u32> = BTreeMap::new();
        let mut plan = moved(&self.timed, names);
        for Message { from, to, kind, caller, fate } in &self.messages {
            let (Some(from), Some(to), true) = (names.get(from), names.get(to), names.contains_key(caller)) else {
                continue;
            };
            if from == to {
                continue;
            }
            // Without a kind all messages of the link are counted.
            let mut of_link = 0;
            for counted in BTreeSet::from([None, kind.as_ref()]) {
                let count = counts.entry((from, to, counted)).or_default();
                *count += 1;
                of_link = *count;
            }
            let ordinal = NonZeroU32::new(of_link);
            let [from, to] = [from, to].map(|name| End::Node(name.clone()));
            let selector = Selector { from, to, kind: kind.clone(), ordinal };
            plan.extend(fate.effects().map(|effect| Fault::Message(selector.clone(), effect)));
        }
        plan
    }
}

fn messages(trace: &Trace) -> Vec<Message> {
    let mut callers: BTreeMap<String, String> = BTreeMap::new();
    let sent = trace.transmissions().filter_map(|(_, _, sent)| Some((sent, sent.to?)));
    let messages = sent.map(|(sent, to)| {
        let from = trace.name(sent.from).to_owned();
        let packet = Packet::read(&sent.bytes);
        let call_id = packet.as_ref().map(|packet| packet.call_id.to_owned());
        let caller = call_id.map(|call_id| callers.entry(call_id).or_insert_with(|| from.clone()).clone());
        let kind = packet.as_ref().and_then(kind);
        Message {
            caller: caller.unwrap_or_else(|| from.clone()),
            from,
            to: trace.name(to).to_owned(),
            kind,
            fate: sent.fate,
        }
    });
    messages.collect()
}

/// The kind of just such messages.
fn kind(packet: &Packet<'_>) -> Option<Kind> {
    let text = match packet.status() {
        Some(status) => format!("{status}/{}", packet.method),
        None => packet.method.to_owned(),
    };
    text.parse().ok()
}

/// Plans in which several faults of a kind of message on a link, all with the same effect, are one fault of all such messages.
pub(super) fn wider(plan: &Plan) -> Vec<Plan> {
    let mut groups: BTreeMap<(Selector, Effect), Vec<Fault>> = BTreeMap::new();
    for fault in plan.faults() {
        if let Fault::Message(selector @ Selector { kind: Some(_), ordinal: Some(_), .. }, effect) = &fault {
            let all = Selector { ordinal: None, ..selector.clone() };
            groups.entry((all, *effect)).or_default().push(fault);
        }
    }
    let several = groups.into_iter().filter(|(_, faults)| faults.len() > 1);
    let wider = several.map(|((selector, effect), replaced)| {
        let others = plan.faults().filter(|fault| !replaced.contains(fault));
        others.chain([Fault::Message(selector, effect)]).collect()
    });
    wider.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Case, run};
    use crate::topology::Topology;

    fn met(case: &Case) -> Met {
        Met::of(&run(case).world)
    }

    fn names(names: &[(&str, &str)]) -> Heirs {
        names.iter().map(|&(from, to)| (from.to_owned(), to.to_owned())).collect()
    }

    #[test]
    fn a_fault_follows_its_message_when_other_calls_are_left_out() {
        // The last of three INVITEs, and of what else passes there, is Alice's third.
        let plan = "atlanta>biloxi#3:drop, alice3>atlanta#1:dup(+20ms), alice1>atlanta#2:drop, biloxi@1s:clock(+9ppm), bob1@1s:crash";
        let case = Case { topology: Topology::Crowd(3), plan: plan.parse().unwrap(), ..Case::default() };
        let met = met(&case);
        let kept = names(&[("alice3", "alice"), ("atlanta", "atlanta"), ("biloxi", "biloxi"), ("bob3", "bob")]);
        assert_eq!(
            met.plan(&kept).to_string(),
            "alice>atlanta INVITE#1:dup(+20ms), atlanta>biloxi INVITE#1:drop, biloxi@1s:clock(+9ppm)"
        );
    }

    #[test]
    fn told_by_kind_the_faults_are_the_same_run() {
        let plan =
            "alice>atlanta#1:drop, atlanta>biloxi#1:+700ms, bob>biloxi#2:dup(+3s), bob>biloxi#3:drop, bob>alice#1:drop";
        for topology in [Topology::Trapezoid, Topology::Mixed] {
            let case = Case { topology, plan: plan.parse().unwrap(), ..Case::default() };
            let all: Heirs = topology.nodes().into_iter().map(|name| (name.clone(), name)).collect();
            let told = Case { plan: met(&case).plan(&all), ..case.clone() };
            assert!(
                told.plan.len() == 5 && told.plan.messages().all(|(selector, _)| selector.kind.is_some()),
                "{told}"
            );
            assert_eq!(run(&told).world.faults_met(), run(&case).world.faults_met(), "{told}");
        }
    }

    #[test]
    fn several_faults_of_a_kind_are_one_of_all() {
        let plan = "a>b INVITE#1:drop, a>b INVITE#2:drop, a>b INVITE#3:+1s, a>b#2:drop, a>b#3:drop, b>a 200/BYE#1:drop";
        let wider: Vec<_> = wider(&plan.parse().unwrap()).iter().map(ToString::to_string).collect();
        assert_eq!(wider, ["a>b#2:drop, a>b#3:drop, a>b INVITE:drop, a>b INVITE#3:+1s, b>a 200/BYE#1:drop"]);
    }
}
