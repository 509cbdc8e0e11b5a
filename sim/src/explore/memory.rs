//! Nodes that remember what came of what.
//!
//! A node is a function of what it was given and when (docs/poll.md). So two nodes that began alike and were given the same at the same
//! times are the same, in whatever runs: what the one did need not be worked out again for the other. Most runs of an exploration
//! differ from others in what one or two nodes are given.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sansip::server::Settings;
use sansip::{Answer, ConnectionId, Input, Instant, ListenerId, Node, Output, QueryId};

use crate::actor::{Actor, Call, Census};
use crate::trace::Note;
use crate::world::hash::Map;

/// The acts of all nodes of an exploration so far, as far as there is room to remember them.
#[derive(Debug)]
pub(super) struct Memory {
    table: Mutex<Table>,
    /// So many steps are remembered; then all are forgotten.
    room: usize,
    states: AtomicU64,
    keeps_up: AtomicBool,
}

#[derive(Debug, Default)]
struct Table {
    steps: Map<Step, Arc<State>>,
    /// Numbers for what came, which are not used again.
    texts: Map<Arc<[u8]>, u32>,
    answers: Vec<(Arc<[Answer]>, u32)>,
    numbers: u32,
    facts: Map<Facts, Arc<Facts>>,
}

/// A state, and what a node in it was given: when, of which kind, from whom, and the number of what came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Step {
    state: u64,
    now: Instant,
    kind: Given,
    what: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Given {
    Tick,
    Datagram(ListenerId, SocketAddr),
    Resolved(QueryId),
    Unreachable(ListenerId, SocketAddr),
}

/// The octets that came, to be given again.
#[derive(Clone, Debug)]
enum Content {
    Nothing,
    Text(Arc<[u8]>),
    Answers(Arc<[Answer]>),
}

/// Everything that a node has become by what it was given.
struct State {
    number: u64,
    /// The state before, and the input that led here; nothing at the beginning.
    before: Option<(Arc<Self>, Instant, Given, Content)>,
    outputs: Box<[Output<Note>]>,
    /// Before and after its outputs were taken.
    deadlines: [Option<Instant>; 2],
    facts: [Arc<Facts>; 2],
}

/// The questions that can be asked of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    idle: bool,
    census: Census,
    capacity: Census,
    calls: Vec<Call>,
}

impl Hash for Facts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for (_, number) in self.census.all().into_iter().chain(self.capacity.all()) {
            state.write_usize(number);
        }
    }
}

impl Facts {
    fn of(node: &dyn Actor) -> Self {
        let (census, capacity, calls) = (node.census(), node.capacity(), node.calls());
        Self { idle: node.is_idle(), census, capacity, calls }
    }
}

impl Memory {
    /// A memory of nothing yet; so many steps are remembered at most.
    pub(super) fn new(room: usize) -> Arc<Self> {
        let (table, states, keeps_up) = (Mutex::default(), AtomicU64::new(0), AtomicBool::new(true));
        Arc::new(Self { table, room, states, keeps_up })
    }

    /// A node that remembers.
    pub(super) fn wrap(self: &Arc<Self>, node: Box<dyn Actor>) -> Box<dyn Actor> {
        let facts = self.table().known(Facts::of(&*node));
        let state = Arc::new(State {
            number: self.number(),
            before: None,
            outputs: Box::default(),
            deadlines: [node.deadline(); 2],
            facts: [Arc::clone(&facts), facts],
        });
        let (memory, outputs, at) = (Arc::clone(self), VecDeque::new(), Arc::clone(&state));
        let settings = node.settings();
        let node = Arc::new(Mutex::new(node));
        Box::new(Remembering { memory, node, at, state: Some(state), outputs, settings })
    }

    /// Whether nodes do what they remember as well, so that forks of them have nothing to catch up with.
    pub(super) fn keep_up(&self, keeps_up: bool) {
        self.keeps_up.store(keeps_up, Ordering::Relaxed);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> u64 {
        self.states.fetch_add(1, Ordering::Relaxed)
    }
}

impl Table {
    /// The shared copy of these bytes, and their number.
    fn text(&mut self, bytes: &[u8]) -> (Arc<[u8]>, u32) {
        if let Some((text, number)) = self.texts.get_key_value(bytes) {
            return (Arc::clone(text), *number);
        }
        let text: Arc<[u8]> = bytes.into();
        self.numbers += 1;
        self.texts.insert(Arc::clone(&text), self.numbers);
        (text, self.numbers)
    }

    /// The step that this input makes of a state, with what came; `None` of connections, which are not remembered.
    fn step(&mut self, state: u64, now: Instant, input: Input<'_>) -> Option<(Step, Content)> {
        let (kind, what, content) = match input {
            Input::Tick => (Given::Tick, 0, Content::Nothing),
            Input::Unreachable { listener, remote, quoted } => {
                let (text, number) = self.text(quoted);
                (Given::Unreachable(listener, remote), number, Content::Text(text))
            }
            Input::Datagram { listener, remote, bytes } => {
                let (text, number) = self.text(bytes);
                (Given::Datagram(listener, remote), number, Content::Text(text))
            }
            Input::Resolved { query, answers } => {
                let place = self.answers.iter().position(|(known, _)| **known == *answers).unwrap_or_else(|| {
                    self.numbers += 1;
                    self.answers.push((answers.into(), self.numbers));
                    self.answers.len() - 1
                });
                let (answers, number) = &self.answers[place];
                (Given::Resolved(query), *number, Content::Answers(Arc::clone(answers)))
            }
            _ => return None,
        };
        Some((Step { state, now, kind, what }, content))
    }

    fn known(&mut self, facts: Facts) -> Arc<Facts> {
        if let Some(known) = self.facts.get(&facts) {
            return Arc::clone(known);
        }
        let shared = Arc::new(facts.clone());
        self.facts.insert(facts, Arc::clone(&shared));
        shared
    }

    fn learn(&mut self, step: Step, state: &Arc<State>, room: usize) {
        if self.steps.len() >= room {
            *self = Self { numbers: self.numbers, ..Self::default() };
        }
        self.steps.insert(step, Arc::clone(state));
    }
}

/// A node that need not do what it remembers.
struct Remembering {
    memory: Arc<Memory>,
    /// As it was in the state `at`, from which it is behind; shared with its forks.
    node: Arc<Mutex<Box<dyn Actor>>>,
    at: Arc<State>,
    /// `None`: it was given something that is not remembered, and is a node like any other from then on.
    state: Option<Arc<State>>,
    outputs: VecDeque<Output<Note>>,
    /// The settings of the node.
    settings: Option<Arc<Settings>>,
}

impl Remembering {
    /// The node itself, this one's own.
    fn own(&mut self) -> &mut dyn Actor {
        if Arc::get_mut(&mut self.node).is_none() {
            self.node = Arc::new(Mutex::new(self.copy()));
        }
        let node = Arc::get_mut(&mut self.node).map(|node| node.get_mut().unwrap_or_else(PoisonError::into_inner));
        &mut **node.expect("nobody else has it")
    }

    fn copy(&self) -> Box<dyn Actor> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Does what it only remembered.
    fn catch_up(&mut self) {
        let Some(state) = self.state.clone() else { return };
        let mut missed = Vec::new();
        let mut back = &state;
        while back.number != self.at.number {
            let Some((before, now, kind, content)) = &back.before else { break };
            missed.push((*now, *kind, content));
            back = before;
        }
        let node = if missed.is_empty() { return } else { self.own() };
        for (now, kind, content) in missed.into_iter().rev() {
            give(node, now, kind, content);
            while node.poll().is_some() {}
        }
        self.at = state;
    }

    /// Goes on without memory.
    fn forget(&mut self) -> &mut dyn Actor {
        self.catch_up();
        self.state = None;
        self.own()
    }

    /// The answers that can be had at this moment.
    fn facts(&self) -> Option<&Facts> {
        let [undrained, drained] = &self.state.as_ref()?.facts;
        Some(if self.outputs.is_empty() { drained } else { undrained })
    }

    /// The answers of a node without memory.
    fn asked<R>(&self, ask: impl FnOnce(&dyn Actor) -> R) -> R {
        ask(&**self.node.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn give(node: &mut dyn Actor, now: Instant, kind: Given, content: &Content) {
    let input = match (kind, content) {
        (Given::Datagram(listener, remote), Content::Text(bytes)) => Input::Datagram { listener, remote, bytes },
        (Given::Resolved(query), Content::Answers(answers)) => Input::Resolved { query, answers },
        (Given::Unreachable(listener, remote), Content::Text(quoted)) => {
            Input::Unreachable { listener, remote, quoted }
        }
        _ => Input::Tick,
    };
    node.handle(now, input);
}

impl Node for Remembering {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        let Some(state) = self.state.clone() else { return self.own().handle(now, input) };
        let (step, content, known) = {
            let mut table = self.memory.table();
            let Some((step, content)) = table.step(state.number, now, input) else {
                drop(table);
                return self.forget().handle(now, input);
            };
            (step, content, table.steps.get(&step).cloned())
        };
        if let Some(next) = known {
            self.outputs.extend(next.outputs.iter().cloned());
            self.state = Some(next);
            if self.memory.keeps_up.load(Ordering::Relaxed) {
                self.catch_up();
            }
            return;
        }
        self.catch_up();
        let node = self.own();
        node.handle(now, input);
        let (undrained, before) = (Facts::of(node), node.deadline());
        let outputs: Box<[_]> = std::iter::from_fn(|| node.poll()).collect();
        let (drained, after) = (Facts::of(node), node.deadline());
        self.outputs.extend(outputs.iter().cloned());
        let mut table = self.memory.table();
        let facts = [undrained, drained].map(|facts| table.known(facts));
        let (number, before_it) = (self.memory.number(), Some((state, now, step.kind, content)));
        let next = Arc::new(State { number, before: before_it, outputs, deadlines: [before, after], facts });
        table.learn(step, &next, self.memory.room);
        drop(table);
        self.at = Arc::clone(&next);
        self.state = Some(next);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        match (self.outputs.pop_front(), &self.state) {
            (None, None) => self.own().poll(),
            (output, _) => output,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            Some(state) => state.deadlines[usize::from(self.outputs.is_empty())],
            None => self.asked(|node| node.deadline()),
        }
    }

    fn is_idle(&self) -> bool {
        self.facts().map_or_else(|| self.asked(|node| node.is_idle()), |facts| facts.idle)
    }

    fn reserve(&mut self) -> ConnectionId {
        self.forget().reserve()
    }
}

impl Actor for Remembering {
    fn calls(&self) -> Vec<Call> {
        self.facts().map_or_else(|| self.asked(|node| node.calls()), |facts| facts.calls.clone())
    }

    fn restarted(&self, now: Instant, life: u32) -> Option<Box<dyn Actor>> {
        let mut present = self.fork();
        present.forget().restarted(now, life)
    }

    fn census(&self) -> Census {
        self.facts().map_or_else(|| self.asked(|node| node.census()), |facts| facts.census)
    }

    fn capacity(&self) -> Census {
        self.facts().map_or_else(|| self.asked(|node| node.capacity()), |facts| facts.capacity)
    }

    fn is_stateless(&self) -> bool {
        self.asked(|node| node.is_stateless())
    }

    fn settings(&self) -> Option<Arc<Settings>> {
        self.settings.clone()
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.fork())
    }
}

impl Remembering {
    fn fork(&self) -> Self {
        Self {
            memory: Arc::clone(&self.memory),
            node: Arc::clone(&self.node),
            at: Arc::clone(&self.at),
            state: self.state.clone(),
            outputs: self.outputs.clone(),
            settings: self.settings.clone(),
        }
    }
}

impl fmt::Debug for Remembering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembering").field("node", &self.node).finish_non_exhaustive()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.number).finish()
    }
}
