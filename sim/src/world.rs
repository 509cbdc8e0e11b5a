//! The simulated network: nodes, links, names and one clock.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use sansip::message::SharedBytes;
use sansip::{Answer, Duration, Input, Instant, ListenerId, Output, QueryId, Transmit};

use crate::actor::{Actor, Census};
use crate::fault::{Dice, Fate, Plan, Weather, is_name};
use crate::link::{Link, Links};
use crate::trace::{NodeId, Trace, Transmission, What};
use crate::zone::Zone;

/// What a world is made of besides its nodes.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// The wires.
    pub links: Links,
    /// The host names.
    pub zone: Zone,
    /// What happens to which datagram.
    pub plan: Plan,
    /// What draws further faults, for datagrams that the plan does not name.
    pub weather: Option<Weather>,
}

/// A network of nodes under one virtual clock.
///
/// Discrete events in one queue, in order of time and, at one time, in the order in which they were put there. The clock jumps
/// from event to event; nothing ticks in between. A clone is a fork: it goes on by itself exactly as the original does.
#[derive(Clone, Debug)]
pub struct World {
    now: Instant,
    /// Counts events as they are put into the queue: breaks ties.
    sequence: u64,
    queue: BTreeMap<(Instant, u64), Happening>,
    /// Happenings in the queue that are not wake-ups: the network's own unfinished business.
    in_flight: usize,
    nodes: Vec<Place>,
    listeners: BTreeMap<SocketAddr, (NodeId, ListenerId)>,
    wires: BTreeMap<(NodeId, NodeId), Wire>,
    setting: Setting,
    met: Plan,
    trace: Trace,
}

/// A node with its surroundings.
#[derive(Clone, Debug)]
struct Place {
    actor: Box<dyn Actor>,
    listeners: BTreeMap<ListenerId, SocketAddr>,
    /// The most that was ever alive in it.
    peak: Census,
    /// The wake-up in the queue.
    wake: Option<(Instant, u64)>,
}

/// One direction between two nodes, made when it is first used.
#[derive(Clone, Debug)]
struct Wire {
    link: Link,
    sent: u32,
    planned: BTreeMap<u32, Fate>,
    dice: Option<Dice>,
}

#[derive(Clone, Debug)]
enum Happening {
    Arrival { node: NodeId, listener: ListenerId, remote: SocketAddr, bytes: SharedBytes, sent: usize },
    Resolved { node: NodeId, query: QueryId, answers: Vec<Answer> },
    Wake { node: NodeId },
}

impl World {
    /// An empty world at time zero.
    pub fn new(setting: Setting) -> Self {
        Self {
            now: Instant::ZERO,
            sequence: 0,
            queue: BTreeMap::new(),
            in_flight: 0,
            nodes: Vec::new(),
            listeners: BTreeMap::new(),
            wires: BTreeMap::new(),
            setting,
            met: Plan::new(),
            trace: Trace::default(),
        }
    }

    /// Puts a node into the world, listening at the given addresses.
    ///
    /// # Panics
    /// If the name is taken or has other characters than letters, digits, `-`, `_` and `.` (it could not stand in a plan), or
    /// if somebody listens at one of the addresses already.
    pub fn add(
        &mut self,
        name: &str,
        actor: Box<dyn Actor>,
        listeners: impl IntoIterator<Item = (ListenerId, SocketAddr)>,
    ) -> NodeId {
        assert!(is_name(name), "`{name}` is no name for a node");
        assert!(self.node(name).is_none(), "there is a node `{name}` already");
        let node = self.trace.add_node(name);
        let listeners: BTreeMap<_, _> = listeners.into_iter().collect();
        for (&listener, &address) in &listeners {
            assert!(
                self.listeners.insert(address, (node, listener)).is_none(),
                "somebody listens at {address} already"
            );
        }
        self.nodes.push(Place { actor, listeners, peak: Census::default(), wake: None });
        self.drain(node);
        node
    }

    /// The present moment.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// What has happened so far.
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The faults met so far. With these as the plan and without weather, a run of the same world is the same run.
    pub const fn faults_met(&self) -> &Plan {
        &self.met
    }

    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.trace.nodes().find(|(_, found)| *found == name).map(|(node, _)| node)
    }

    /// All nodes with their names, in the order of adding.
    pub fn actors(&self) -> impl Iterator<Item = (NodeId, &str, &dyn Actor)> {
        self.trace.nodes().zip(&self.nodes).map(|((node, name), place)| (node, name, &*place.actor))
    }

    /// The most of each thing that was ever alive in a node.
    pub fn peak(&self, node: NodeId) -> Census {
        self.nodes[node.0].peak
    }

    /// What it is made of besides its nodes.
    pub const fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Whether nothing is under way: no datagram, no question of a resolver, and every node is idle. Nodes may still have
    /// deadlines, such as the refreshing of a registration.
    pub fn is_quiet(&self) -> bool {
        self.in_flight == 0 && self.nodes.iter().all(|place| place.actor.is_idle())
    }

    /// When the next event is; `None` if there is none.
    pub fn next_event(&self) -> Option<Instant> {
        self.queue.first_key_value().map(|((time, _), _)| *time)
    }

    /// Lets the next event happen; false if there is none.
    pub fn step(&mut self) -> bool {
        let Some(((time, _), happening)) = self.queue.pop_first() else { return false };
        self.now = time;
        match happening {
            Happening::Arrival { node, listener, remote, bytes, sent } => {
                self.in_flight -= 1;
                self.wake(node);
                self.trace.push(time, What::Arrived { node, sent });
                self.handle(node, Input::Datagram { listener, remote, bytes: &bytes });
            }
            Happening::Resolved { node, query, answers } => {
                self.in_flight -= 1;
                self.wake(node);
                self.handle(node, Input::Resolved { query, answers: &answers });
            }
            Happening::Wake { node } => {
                self.nodes[node.0].wake = None;
                self.tick(node);
            }
        }
        true
    }

    /// Lets everything happen up to and including `until`, and sets the clock there.
    pub fn run_until(&mut self, until: Instant) {
        while self.next_event().is_some_and(|next| next <= until) {
            self.step();
        }
        self.now = self.now.max(until);
    }

    /// Runs until the world is quiet; false if it is not by `cap`, or if nothing more would ever happen. The clock stands at
    /// the last event.
    pub fn run_until_quiet(&mut self, cap: Instant) -> bool {
        while !self.is_quiet() {
            if self.next_event().is_none_or(|next| next > cap) || !self.step() {
                return false;
            }
        }
        true
    }

    /// Lets the timers of a node that are due at this moment fire. It would do so itself with its next input; before it, the
    /// trace shows what came of what.
    fn wake(&mut self, node: NodeId) {
        while let Some(wake) = self.nodes[node.0].wake.filter(|(due, _)| *due <= self.now) {
            self.queue.remove(&wake);
            self.nodes[node.0].wake = None;
            self.tick(node);
        }
    }

    fn tick(&mut self, node: NodeId) {
        let (now, actor) = (self.now, &mut self.nodes[node.0].actor);
        actor.handle(now, Input::Tick);
        assert!(
            actor.deadline().is_none_or(|deadline| deadline > now),
            "`{}` still has the deadline that it was woken for, {now}",
            self.trace.name(node),
        );
        self.drain(node);
    }

    fn handle(&mut self, node: NodeId, input: Input<'_>) {
        self.nodes[node.0].actor.handle(self.now, input);
        self.drain(node);
    }

    /// Takes a node's outputs and moves its wake-up.
    fn drain(&mut self, node: NodeId) {
        let place = &mut self.nodes[node.0];
        place.peak = place.peak.max(place.actor.census());
        while let Some(output) = self.nodes[node.0].actor.poll() {
            match output {
                Output::Send(transmit) => self.send(node, transmit),
                Output::Resolve { query, question } => {
                    let answers = self.setting.zone.answer(&question);
                    // That there is no such record a resolver knows from before (RFC 2308).
                    let delay = if answers.is_empty() { Duration::ZERO } else { self.setting.zone.delay };
                    let time = self.now + delay;
                    self.in_flight += 1;
                    self.schedule(time, Happening::Resolved { node, query, answers });
                }
                Output::Event(note) => {
                    self.trace.push(self.now, What::Noted { node, note });
                }
                // A kind of output that this world does not know is a question without an answer.
                _ => {}
            }
        }
        let deadline = self.nodes[node.0].actor.deadline();
        let wake = self.nodes[node.0].wake;
        if deadline != wake.map(|(time, _)| time) {
            if let Some(wake) = wake {
                self.queue.remove(&wake);
            }
            // A deadline in the past is due now.
            self.nodes[node.0].wake =
                deadline.map(|deadline| self.schedule(deadline.max(self.now), Happening::Wake { node }));
        }
    }

    fn schedule(&mut self, time: Instant, happening: Happening) -> (Instant, u64) {
        let key = (time, self.sequence);
        self.sequence += 1;
        self.queue.insert(key, happening);
        key
    }

    fn send(&mut self, from: NodeId, transmit: Transmit) {
        let Transmit { flow, bytes, .. } = transmit;
        let (listener, destination) = (flow.listener, flow.remote);
        let source = self.nodes[from.0].listeners.get(&listener).copied();
        let source = source.expect("a node sends from the listeners that it was added with");
        let Some(&(to, listener)) = self.listeners.get(&destination) else {
            let sent = Transmission { from, to: None, source, destination, ordinal: 0, fate: Fate::Lost, bytes };
            self.trace.push(self.now, What::Sent(sent));
            return;
        };
        let (link, ordinal, fate) = self.fate(from, to);
        let sent = Transmission { from, to: Some(to), source, destination, ordinal, fate, bytes: bytes.clone() };
        let sent = self.trace.push(self.now, What::Sent(sent));
        let Fate::Arrives { late, again } = fate else { return };
        let first = self.now + link.delay + late;
        for time in [Some(first), again.map(|after| first + after)].into_iter().flatten() {
            let bytes = bytes.clone();
            self.in_flight += 1;
            self.schedule(time, Happening::Arrival { node: to, listener, remote: source, bytes, sent });
        }
    }

    /// Plans the fate of a message that is still to be sent, the n-th from one node to another, in place of what was planned for
    /// it: a forked world goes another way. False if there is no such node, or if the message was sent already.
    pub fn set_fate(&mut self, from: &str, to: &str, ordinal: u32, fate: Fate) -> bool {
        let (Some(from), Some(to)) = (self.node(from), self.node(to)) else { return false };
        let wire = self.wire(from, to);
        let is_to_come = ordinal > wire.sent;
        if is_to_come {
            wire.planned.insert(ordinal, fate);
        }
        is_to_come
    }

    fn wire(&mut self, from: NodeId, to: NodeId) -> &mut Wire {
        let (from_name, to_name) = (self.trace.name(from), self.trace.name(to));
        self.wires.entry((from, to)).or_insert_with(|| {
            let link = self.setting.links.between(from_name, to_name);
            Wire {
                link,
                sent: 0,
                planned: self.setting.plan.of_link(from_name, to_name),
                dice: self.setting.weather.map(|weather| Dice::new(weather, link.conditions, from_name, to_name)),
            }
        })
    }

    /// What becomes of the next datagram of a directed pair: what the plan says, else what the weather draws.
    fn fate(&mut self, from: NodeId, to: NodeId) -> (Link, u32, Fate) {
        let now = self.now;
        let wire = self.wire(from, to);
        wire.sent += 1;
        let drawn = wire.dice.as_mut().map_or(Fate::FINE, |dice| dice.next(now));
        let fate = wire.planned.get(&wire.sent).copied().unwrap_or(drawn);
        let (link, sent) = (wire.link, wire.sent);
        if fate != Fate::FINE {
            self.met.set(self.trace.name(from), self.trace.name(to), sent, fate);
        }
        (link, sent, fate)
    }
}

#[cfg(test)]
mod tests;
