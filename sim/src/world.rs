//! The simulated network: nodes, links, names and one clock.

use std::net::SocketAddr;
use std::sync::Arc;

use sansip::message::header::Protocol;
use sansip::{Answer, Input, Instant, Listener, ListenerId, Output, QueryId};

use crate::actor::{Actor, Census};
use crate::fault::{Event, Fate, Fault, Plan, TimedFault, Weather, is_name};
use crate::link::Links;
use crate::trace::{Clock, NodeId, Recording, Trace, What};
use crate::zone::Zone;
use datagram::{Datagram, Sender};
use hash::Map;
use listening::compare_listeners;
pub(crate) use listening::listeners_of;
pub use nat::Nat;
use nat::NatBox;
use queue::{Due, Queue};
use stream::{StreamEvent, Streams};
use watch::Watched;
use wire::Wires;

mod datagram;
pub(crate) mod hash;
mod listening;
mod nat;
mod outage;
mod queue;
mod stream;
mod watch;
mod wire;

/// The settings of a world, which is made of these and its nodes.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    /// The wires.
    pub links: Links,
    /// The host names.
    pub zone: Zone,
    /// The plan: which message meets which fate, and when something happens to the network.
    pub plan: Plan,
    /// The weather, which draws further faults for messages that the plan does not name.
    pub weather: Option<Weather>,
    /// How much of what happens is kept in the trace.
    pub recording: Recording,
}

/// A network of nodes under one virtual clock.
///
/// Discrete events in one queue, in order of time and, at one time, in the order in which they were put there. The clock jumps
/// from event to event; nothing ticks in between. A clone is a fork: it goes on by itself exactly as the original does.
#[derive(Clone, Debug)]
pub struct World {
    now: Instant,
    queue: Queue,
    nodes: Vec<Place>,
    /// Nodes that are up and not idle.
    busy: usize,
    /// By address, and whether it is for streams.
    ports: Map<(SocketAddr, bool), Port>,
    wires: Wires,
    streams: Streams,
    nats: Vec<NatBox>,
    /// The events that last and have begun.
    lasting: Vec<Event>,
    setting: Arc<Setting>,
    met: Met,
    trace: Trace,
    /// The entries of the trace whose transactions were asked for.
    named: usize,
}

/// A local address of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The name that the node gives it.
    pub listener: ListenerId,
    /// Its transport protocol.
    pub protocol: Protocol,
    /// The address.
    pub address: SocketAddr,
}

impl From<(ListenerId, SocketAddr)> for Bound {
    /// UDP.
    fn from((listener, address): (ListenerId, SocketAddr)) -> Self {
        Self { listener, protocol: Protocol::Udp, address }
    }
}

impl From<(ListenerId, &Listener)> for Bound {
    fn from((id, listener): (ListenerId, &Listener)) -> Self {
        Self { listener: id, protocol: listener.protocol, address: listener.local }
    }
}

/// Who listens at an address.
#[derive(Clone, Copy, Debug)]
struct Port {
    node: NodeId,
    listener: ListenerId,
    protocol: Protocol,
}

/// A node with its surroundings.
#[derive(Clone, Debug)]
struct Place {
    actor: Box<dyn Actor>,
    listeners: Vec<Bound>,
    /// The NAT that it is behind.
    behind: Option<usize>,
    /// The most that was ever alive in it.
    peak: Census,
    /// False from a crash to the restart.
    up: bool,
    /// Whether it counts as one of the busy nodes.
    busy: bool,
    /// How often it was restarted.
    life: u32,
    /// `None`: it shows the world's time.
    clock: Option<Clock>,
    /// The node's deadline on its own clock, as it was after the last input.
    deadline: Option<Instant>,
    /// The earliest wake-up in the queue.
    wake: Option<Instant>,
    /// Says what was found in it last, if the trace has that.
    watched: Watched,
}

/// The faults met so far.
#[derive(Clone, Debug, Default)]
struct Met {
    messages: Vec<(NodeId, NodeId, u32, Fate)>,
    timed: Vec<Fault>,
}

#[derive(Clone, Debug)]
enum Happening {
    Datagram(Datagram),
    Unreachable(Box<Sender>),
    Stream(StreamEvent),
    Resolved { node: NodeId, life: u32, query: QueryId, answers: Vec<Answer> },
    Fault(Box<TimedFault>),
}

impl Happening {
    /// Whether the network is not quiet before this has happened.
    const fn is_business(&self) -> bool {
        !matches!(self, Self::Fault(_))
    }
}

impl World {
    /// An empty world at time zero.
    pub fn new(setting: Setting) -> Self {
        let mut queue = Queue::default();
        for fault in setting.plan.timed() {
            queue.add(fault.at, Happening::Fault(Box::new(fault.clone())));
        }
        Self {
            now: Instant::ZERO,
            queue,
            nodes: Vec::new(),
            busy: 0,
            ports: Map::default(),
            wires: Wires::new(&setting),
            streams: Streams::default(),
            nats: Vec::new(),
            lasting: Vec::new(),
            trace: Trace::new(setting.recording),
            setting: Arc::new(setting),
            met: Met::default(),
            named: 0,
        }
    }

    /// Puts a node into the world, listening at the given addresses: a [`Bound`], or id and address for UDP.
    ///
    /// # Panics
    /// If the name is taken or has other characters than letters, digits, `-`, `_` and `.` (it could not stand in a plan), or
    /// if somebody listens at one of the addresses already.
    pub fn add(
        &mut self,
        name: &str,
        actor: Box<dyn Actor>,
        listeners: impl IntoIterator<Item = impl Into<Bound>>,
    ) -> NodeId {
        assert!(is_name(name), "`{name}` is no name for a node");
        assert!(self.node(name).is_none(), "there is a node `{name}` already");
        let node = self.trace.add_node(name);
        if actor.is_stateless() {
            self.trace.set_stateless(node);
        }
        let listeners: Vec<Bound> = listeners.into_iter().map(Into::into).collect();
        compare_listeners(name, &*actor, &listeners);
        for bound in &listeners {
            let port = Port { node, listener: bound.listener, protocol: bound.protocol };
            let is_stream = bound.protocol != Protocol::Udp;
            assert!(
                self.ports.insert((bound.address, is_stream), port).is_none(),
                "somebody listens at {} already",
                bound.address
            );
        }
        self.nodes.push(Place {
            actor,
            listeners,
            behind: None,
            peak: Census::default(),
            up: true,
            busy: false,
            life: 0,
            clock: None,
            deadline: None,
            wake: None,
            watched: Watched::default(),
        });
        self.drain(node);
        self.settle();
        node
    }

    /// The present moment.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// All that has happened so far.
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The settings that the world was made of.
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// The faults met so far. With these as the plan and without weather, a run of the same world is the same run.
    pub fn faults_met(&self) -> Plan {
        let mut plan: Plan = self.met.timed.iter().cloned().collect();
        for &(from, to, ordinal, fate) in &self.met.messages {
            plan.set(self.trace.name(from), self.trace.name(to), ordinal, fate);
        }
        plan
    }

    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.trace.node(name)
    }

    /// All nodes that are up with their names, in the order of adding.
    pub fn actors(&self) -> impl Iterator<Item = (NodeId, &str, &dyn Actor)> {
        let nodes = self.trace.nodes().zip(&self.nodes).filter(|(_, place)| place.up);
        nodes.map(|((node, name), place)| (node, name, &*place.actor))
    }

    /// The most of each thing that was ever alive in a node; nothing if the trace does not keep everything.
    pub fn peak(&self, node: NodeId) -> Census {
        self.nodes[node.0].peak
    }

    /// Whether nothing is under way: no datagram, nothing on a stream, no question of a resolver, and every node that is up is idle. Nodes may
    /// still have deadlines, such as the refreshing of a registration, and faults may still have their time.
    pub fn is_quiet(&self) -> bool {
        self.queue.is_quiet() && self.busy == 0
    }

    /// When the next event is; `None` if there is none.
    pub fn next_event(&self) -> Option<Instant> {
        self.queue.next()
    }

    /// Lets the next event happen; false if there is none.
    pub fn step(&mut self) -> bool {
        let Some((time, due)) = self.queue.pop() else { return false };
        self.now = self.now.max(time);
        match due {
            Due::Wake(node) => {
                self.nodes[node.0].wake = None;
                self.tick(node);
            }
            Due::Happening(happening) => self.happen(happening),
        }
        self.settle();
        true
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Datagram(datagram) => self.arrive(&datagram),
            Happening::Unreachable(sender) => self.unreachable(&sender),
            Happening::Stream(event) => self.stream_event(event),
            Happening::Resolved { node, life, query, answers } => {
                if self.is_alive(node, life) {
                    self.wake(node);
                    self.handle(node, Input::Resolved { query, answers: &answers });
                }
            }
            Happening::Fault(fault) => self.strike(*fault),
        }
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

    /// Whether the node lives that life.
    fn is_alive(&self, node: NodeId, life: u32) -> bool {
        let place = &self.nodes[node.0];
        place.up && place.life == life
    }

    /// The time that the clock of a node shows.
    fn local(&self, node: NodeId) -> Instant {
        self.nodes[node.0].clock.map_or(self.now, |clock| clock.at(self.now))
    }

    /// When the node wants to be woken, on the world's clock.
    fn due(&self, node: NodeId) -> Option<Instant> {
        let place = &self.nodes[node.0];
        let deadline = place.deadline.filter(|_| place.up)?;
        Some(place.clock.map_or(deadline, |clock| clock.when(deadline)))
    }

    /// Lets the timers of a node that are due at this moment fire. It would do so itself with its next input; before it, the
    /// trace shows what came of what.
    fn wake(&mut self, node: NodeId) {
        while self.due(node).is_some_and(|due| due <= self.now) {
            self.tick(node);
        }
    }

    fn tick(&mut self, node: NodeId) {
        let now = self.local(node);
        let actor = &mut self.nodes[node.0].actor;
        actor.handle(now, Input::Tick);
        assert!(
            actor.deadline().is_none_or(|deadline| deadline > now),
            "`{}` still has the deadline that it was woken for, {now}",
            self.trace.name(node),
        );
        self.drain(node);
    }

    fn handle(&mut self, node: NodeId, input: Input<'_>) {
        let now = self.local(node);
        self.nodes[node.0].actor.handle(now, input);
        self.drain(node);
    }

    /// Takes a node's outputs and sees to its wake-up.
    fn drain(&mut self, node: NodeId) {
        if self.setting.recording.is_whole() {
            let place = &mut self.nodes[node.0];
            place.peak = place.peak.max(place.actor.census());
        }
        while let Some(output) = self.nodes[node.0].actor.poll() {
            match output {
                Output::Send(transmit) => match transmit.flow.connection {
                    Some(connection) => self.write_stream(node, connection, transmit),
                    None => self.send_datagram(node, transmit),
                },
                Output::Open { connection, listener, protocol, remote, server_name } => {
                    self.open_stream(node, connection, (listener, protocol, remote), server_name);
                }
                Output::Close { connection } => self.close_stream(node, connection),
                Output::Resolve { query, question } => self.resolve(node, query, &question),
                Output::Event(note) => {
                    self.trace.push(self.now, What::Noted { node, note });
                }
                // A kind of output that this world does not know is a question without an answer.
                _ => {}
            }
        }
        let place = &mut self.nodes[node.0];
        place.deadline = place.actor.deadline();
        self.count(node);
        self.rearm(node);
        if self.setting.recording == Recording::States {
            self.watch(node);
        }
    }

    /// Counts the node among the busy ones, or not any more.
    fn count(&mut self, node: NodeId) {
        let place = &mut self.nodes[node.0];
        let busy = place.up && !place.actor.is_idle();
        self.busy = self.busy + usize::from(busy) - usize::from(place.busy);
        place.busy = busy;
    }

    /// Puts a wake-up into the queue if none is there that is early enough.
    fn rearm(&mut self, node: NodeId) {
        let Some(due) = self.due(node) else { return };
        // A deadline in the past is due now.
        let due = due.max(self.now);
        let place = &mut self.nodes[node.0];
        if place.wake.is_none_or(|wake| due < wake) {
            place.wake = Some(due);
            self.queue.wake(due, node);
        }
    }

    /// Takes wake-ups that nobody needs from the head of the queue: the next event is one that happens.
    fn settle(&mut self) {
        while let Some((time, node)) = self.queue.next_wake() {
            let is_newest = self.nodes[node.0].wake == Some(time);
            if is_newest && self.due(node).is_some_and(|due| due <= time) {
                return;
            }
            self.queue.pop();
            if is_newest {
                self.nodes[node.0].wake = None;
                self.rearm(node);
            }
        }
    }
}

#[cfg(test)]
mod tests;
