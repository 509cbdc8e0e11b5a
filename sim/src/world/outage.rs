//! Events that happen to nodes and to the network at their time: crash and restart, cuts, resolvers, clocks.

use sansip::{Answer, Duration, QueryId, Question};

use super::{Happening, World, compare_listeners};
use crate::actor::STRANGER;
use crate::fault::{ClockChange, DnsFault, End, Event, Fault, TimedFault};
use crate::trace::{NodeId, Note, Recording, What};

impl World {
    /// Adds a fault that has its time, which is not over yet: a forked world goes another way.
    pub fn add_timed_fault(&mut self, fault: TimedFault) {
        let at = fault.at.max(self.now);
        self.queue.add(at, Happening::Fault(Box::new(TimedFault { at, event: fault.event })));
    }

    pub(super) fn strike(&mut self, fault: TimedFault) {
        let struck = match &fault.event {
            Event::Crash { node } => self.node(node).is_some_and(|node| self.crash(node)),
            Event::Restart { node } => self.node(node).is_some_and(|node| self.restart(node)),
            Event::Clock { node, change } => self.set_clocks(node, *change),
            Event::Cut { .. } | Event::Dns { .. } => {
                self.lasting.push(fault.event.clone());
                true
            }
            // The stranger knows when to send.
            Event::Flood { node, .. } => self.node(STRANGER).is_some() && self.node(node).is_some(),
            Event::Forget { nat } => self.forget(nat),
            Event::Reset { from, to } => self.reset_streams(from, to),
            Event::Stall { from, to, until } => {
                self.stall_streams(from, to, *until);
                self.lasting.push(fault.event.clone());
                true
            }
        };
        if struck {
            self.met.timed.push(Fault::Timed(fault));
        }
    }

    fn crash(&mut self, node: NodeId) -> bool {
        let place = &mut self.nodes[node.0];
        if !place.up {
            return false;
        }
        place.up = false;
        self.drop_streams(node);
        let place = &mut self.nodes[node.0];
        place.wake = None;
        self.count(node);
        self.trace.push(self.now, What::Noted { node, note: Note::Crashed });
        if self.setting.recording == Recording::States {
            self.watch(node);
        }
        true
    }

    fn forget(&mut self, nat: &str) -> bool {
        let Some(index) = self.nats.iter().position(|found| found.is(nat)) else { return false };
        self.nats[index].forget();
        self.reset_streams_behind(index);
        true
    }

    fn restart(&mut self, node: NodeId) -> bool {
        self.crash(node);
        let (now, place) = (self.local(node), &mut self.nodes[node.0]);
        let Some(actor) = place.actor.restarted(now, place.life + 1) else { return false };
        compare_listeners(self.trace.name(node), &*actor, &place.listeners);
        place.actor = actor;
        place.life += 1;
        place.up = true;
        self.trace.push(self.now, What::Noted { node, note: Note::Restarted });
        self.drain(node);
        true
    }

    fn set_clocks(&mut self, whose: &End, change: ClockChange) -> bool {
        let meant: Vec<NodeId> = self.trace.nodes().filter(|(_, name)| whose.is(name)).map(|(node, _)| node).collect();
        for &node in &meant {
            let clock = self.nodes[node.0].clock.unwrap_or_default().changed(self.now, change);
            self.nodes[node.0].clock = Some(clock);
            self.trace.set_clock(node, clock);
            self.wake(node);
            self.rearm(node);
        }
        !meant.is_empty()
    }

    /// Whether nothing passes between two nodes at this moment.
    pub(super) fn is_cut(&self, one: NodeId, other: NodeId) -> bool {
        let now = self.now;
        let (one, other) = (self.trace.name(one), self.trace.name(other));
        self.lasting
            .iter()
            .any(|event| matches!(event, Event::Cut { until, .. } if now < *until) && event.cuts(one, other))
    }

    pub(super) fn resolve(&mut self, node: NodeId, query: QueryId, question: &Question) {
        let name = self.trace.name(node);
        let how = self.lasting.iter().find_map(|event| match event {
            Event::Dns { node, until, how } if self.now < *until && node.is(name) => Some(*how),
            _ => None,
        });
        let zone = &self.setting.zone;
        let (delay, answers) = match (how, question) {
            (Some(DnsFault::Silent), _) => return,
            (Some(DnsFault::Slow(late)), _) => (zone.delay + late, zone.answer(question)),
            (Some(DnsFault::Empty), _) => (zone.delay, Vec::new()),
            (Some(DnsFault::Lie(address)), Question::Address { .. }) => (zone.delay, vec![Answer::Address(address)]),
            _ => match zone.answer(question) {
                // That there is no such record a resolver knows from before (RFC 2308).
                answers if answers.is_empty() => (Duration::ZERO, answers),
                answers => (zone.delay, answers),
            },
        };
        let life = self.nodes[node.0].life;
        self.queue.add(self.now + delay, Happening::Resolved { node, life, query, answers });
    }
}
