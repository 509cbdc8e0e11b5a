//! A node with a mistake: what it sends and hears goes through somebody else's hands.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use sansip::server::Settings;
use sansip::{ConnectionId, Duration, Flow, Input, Instant, Node, Output, Transmit};

use super::text::kind;
use crate::actor::{Actor, Call, Census};
use crate::trace::{Note, State};
use crate::world::Bound;

/// A mistake of a node, in terms of its messages and of its words about itself.
#[derive(Clone, Copy, Debug)]
pub struct Hooks {
    /// The messages that go out in place of one: it gets the kind, like `200 INVITE`, and the message.
    pub sending: Change,
    /// The messages that the node hears in place of one.
    pub hearing: Change,
    /// Its words about itself.
    pub claims: Claims,
}

/// Takes a message, by its kind, and gives what is sent or heard in its place.
pub type Change = fn(&mut Notebook, &str, String) -> Vec<String>;

/// The words of a node about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claims {
    /// It tells the truth.
    Truth,
    /// That it has the call for ever.
    CallForEver,
    /// That it is never idle.
    NeverIdle,
    /// Room that grows with every message.
    MoreRoom,
    /// One live call more than it has.
    OneCallMore,
}

impl Hooks {
    /// Nothing is wrong.
    pub const NONE: Self = Self { sending: pass, hearing: pass, claims: Claims::Truth };

    /// Something is wrong with what goes out.
    pub const fn sending(sending: Change) -> Self {
        Self { sending, ..Self::NONE }
    }

    /// Something is wrong with what is heard.
    pub const fn hearing(hearing: Change) -> Self {
        Self { hearing, ..Self::NONE }
    }

    /// Something is wrong with what the node says of itself.
    pub const fn claims(claims: Claims) -> Self {
        Self { claims, ..Self::NONE }
    }
}

fn pass(_: &mut Notebook, _: &str, text: String) -> Vec<String> {
    vec![text]
}

/// The notes of a mistake, and the wishes it has besides.
#[derive(Clone, Debug, Default)]
pub struct Notebook {
    /// Texts by name.
    pub texts: BTreeMap<&'static str, String>,
    /// A counter.
    pub count: usize,
    /// The way each kind of message came last.
    ways: BTreeMap<String, Flow>,
    /// To be sent along with the present message, or in answer to it, so much later.
    wanted: Vec<(Duration, Option<String>, String)>,
}

impl Notebook {
    /// Sends this so many milliseconds later where the present message goes, or where it came from.
    pub fn send_later(&mut self, millis: u64, text: String) {
        self.wanted.push((Duration::from_millis(millis), None, text));
    }

    /// Sends this where messages of that kind last came from.
    pub fn send_where(&mut self, kind: &str, text: String) {
        self.wanted.push((Duration::ZERO, Some(kind.to_owned()), text));
    }

    /// Whether this is the first time that it is asked.
    pub fn first(&mut self) -> bool {
        self.count += 1;
        self.count == 1
    }
}

/// A node with a mistake.
#[derive(Clone, Debug)]
pub struct Faulty {
    node: Box<dyn Actor>,
    hooks: Hooks,
    notes: Notebook,
    now: Instant,
    heard: usize,
    planned: u64,
    later: BTreeMap<(Instant, u64), Transmit>,
    out: VecDeque<Transmit>,
}

impl Faulty {
    /// Puts the mistake between a node and the world.
    pub fn new(node: Box<dyn Actor>, hooks: Hooks) -> Self {
        Self {
            node,
            hooks,
            notes: Notebook::default(),
            now: Instant::ZERO,
            heard: 0,
            planned: 0,
            later: BTreeMap::new(),
            out: VecDeque::new(),
        }
    }

    /// Plans what the notes wants sent; `flow` is the way of the present message.
    fn take_wanted(&mut self, flow: Flow) {
        for (after, kind, text) in std::mem::take(&mut self.notes.wanted) {
            let flow = kind.map_or(Some(flow), |kind| self.notes.ways.get(&kind).copied());
            let Some(flow) = flow else { continue };
            let transmit = Transmit { flow, ttl: None, bytes: text.into_bytes().into() };
            if after.is_zero() {
                self.out.push_back(transmit);
            } else {
                self.later.insert((self.now + after, self.planned), transmit);
                self.planned += 1;
            }
        }
    }

    fn fire(&mut self) {
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= self.now) {
            self.out.push_back(entry.remove());
        }
    }
}

impl Node for Faulty {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.now = self.now.max(now);
        self.fire();
        let Input::Datagram { listener, remote, bytes } = input else { return self.node.handle(now, input) };
        let Ok(text) = std::str::from_utf8(bytes) else { return self.node.handle(now, input) };
        let flow = Flow::datagram(listener, remote);
        let kind = kind(text);
        self.heard += 1;
        self.notes.ways.insert(kind.clone(), flow);
        let heard = (self.hooks.hearing)(&mut self.notes, &kind, text.to_owned());
        if heard.is_empty() {
            self.node.handle(now, Input::Tick);
        }
        for text in heard {
            self.node.handle(now, Input::Datagram { listener, remote, bytes: text.as_bytes() });
        }
        self.take_wanted(flow);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        loop {
            if let Some(transmit) = self.out.pop_front() {
                return Some(Output::Send(transmit));
            }
            let transmit = match self.node.poll()? {
                Output::Send(transmit) => transmit,
                Output::Event(Note::CallEnded { .. }) if self.hooks.claims == Claims::CallForEver => continue,
                output => return Some(output),
            };
            let Ok(text) = std::str::from_utf8(&transmit.bytes) else { return Some(Output::Send(transmit)) };
            let sent = (self.hooks.sending)(&mut self.notes, &kind(text), text.to_owned());
            if sent.as_slice() == [text] && self.notes.wanted.is_empty() {
                // Equal bytes behind one pointer.
                return Some(Output::Send(transmit));
            }
            let Transmit { flow, ttl, .. } = transmit;
            self.out.extend(sent.into_iter().map(|text| Transmit { flow, ttl, bytes: text.into_bytes().into() }));
            self.take_wanted(flow);
        }
    }

    fn deadline(&self) -> Option<Instant> {
        [self.later.keys().next().map(|(time, _)| *time), self.node.deadline()].into_iter().flatten().min()
    }

    fn is_idle(&self) -> bool {
        self.hooks.claims != Claims::NeverIdle && self.later.is_empty() && self.node.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.node.reserve()
    }
}

impl Actor for Faulty {
    fn calls(&self) -> Vec<Call> {
        self.node.calls()
    }

    fn census(&self) -> Census {
        let mut census = self.node.census();
        census.user_agent.calls += usize::from(self.hooks.claims == Claims::OneCallMore);
        census
    }

    fn is_stateless(&self) -> bool {
        self.node.is_stateless()
    }

    fn capacity(&self) -> Census {
        let mut capacity = self.node.capacity();
        if self.hooks.claims == Claims::MoreRoom {
            capacity.endpoint.server_transactions += self.heard * 8;
        }
        capacity
    }

    fn states(&self) -> Vec<State> {
        self.node.states()
    }

    fn transaction_of(&self, request: &[u8], is_sent: bool) -> Option<String> {
        self.node.transaction_of(request, is_sent)
    }

    fn listeners(&self) -> Option<Vec<Bound>> {
        self.node.listeners()
    }

    fn speaks_sip(&self) -> bool {
        self.node.speaks_sip()
    }

    fn settings(&self) -> Option<Arc<Settings>> {
        self.node.settings()
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
