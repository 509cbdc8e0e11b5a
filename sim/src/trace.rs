//! The trace of a run: all that happened, in order.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use sansip::Instant;
use sansip::message::SharedBytes;

use crate::actor::Session;
use crate::fault::{ClockChange, Fate};
pub use state::{Binding, Dialog, RequestName, State, StateChange, Timer, Transaction};

pub(crate) mod state;

/// All that happened in a world, in order; with the names of its nodes it can be drawn and judged alone.
#[derive(Debug, Default)]
pub struct Trace {
    nodes: Vec<Named>,
    by_name: BTreeMap<String, NodeId>,
    recording: Recording,
    /// Entries that were recorded and are not kept any more: the index of the first that is.
    forgotten: usize,
    entries: Vec<Entry>,
    lost: Vec<(usize, NodeId, u32)>,
    is_captured: bool,
    states: Vec<StateChange>,
}

/// How much of what happens a [`Trace`] keeps. Checks and ladders need everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recording {
    /// All of it.
    #[default]
    Everything,
    /// All of it, and what stands in the nodes besides: their transactions, timers, dialogs and bindings.
    States,
    /// The newest entries: at least so many, and never more than twice as many.
    Last(usize),
    /// Nothing.
    Nothing,
}

impl Recording {
    /// Whether nothing is forgotten.
    pub(crate) const fn is_whole(self) -> bool {
        matches!(self, Self::Everything | Self::States)
    }
}

#[derive(Clone, Debug)]
struct Named {
    name: String,
    /// The times that its clock was set to, in order.
    clocks: Vec<Clock>,
    /// Whether it keeps no transactions.
    is_stateless: bool,
}

/// A clock: what it shows at one moment of the world, and how fast it runs from then on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    world: Instant,
    shown: Instant,
    /// Fast by so many millionths.
    drift: i32,
}

impl Clock {
    const MILLION: u64 = 1_000_000;
    /// It shows whole microseconds. So there is a moment at which it shows just the deadline of a node, however it drifts.
    const STEP: u64 = 1_000;

    const fn rate(self) -> u64 {
        Self::MILLION.saturating_add_signed(self.drift as i64)
    }

    /// The time it shows at `world`, which is not before it was set.
    pub fn at(self, world: Instant) -> Instant {
        let since = world.as_nanos().saturating_sub(self.world.as_nanos());
        let shown = u128::from(since) * u128::from(self.rate()) / u128::from(Self::MILLION);
        let shown = self.shown.as_nanos().saturating_add(u64::try_from(shown).unwrap_or(u64::MAX));
        Instant::from_nanos(shown - shown % Self::STEP)
    }

    /// The first moment of the world at which it shows `shown`.
    pub(crate) fn when(self, shown: Instant) -> Instant {
        let shown = Instant::from_nanos(shown.as_nanos().next_multiple_of(Self::STEP));
        let until = u128::from(shown.as_nanos().saturating_sub(self.shown.as_nanos())) * u128::from(Self::MILLION);
        let until = until.div_ceil(u128::from(self.rate()));
        Instant::from_nanos(self.world.as_nanos().saturating_add(u64::try_from(until).unwrap_or(u64::MAX)))
    }

    /// This clock after a change at `world`.
    pub(crate) fn changed(self, world: Instant, change: ClockChange) -> Self {
        let shown = self.at(world);
        match change {
            ClockChange::Drift(drift) => Self { world, shown, drift },
            ClockChange::Jump(by) => Self { world, shown: shown + by, drift: self.drift },
        }
    }
}

/// A node of a world: its place in the order of adding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub time: Instant,
    /// The thing that happened.
    pub what: What,
}

/// Something that can happen.
#[derive(Clone, Debug)]
pub enum What {
    /// A node sent a datagram, or wrote to a stream.
    Sent(Transmission),
    /// It arrived, all of it, and was given to its node.
    Arrived {
        /// Where it arrived.
        node: NodeId,
        /// The index of the [`What::Sent`] entry.
        sent: usize,
    },
    /// A node has something to say, or a script did something.
    Noted {
        /// Who.
        node: NodeId,
        /// Its words.
        note: Note,
    },
}

/// A datagram, or a write to a stream, on its way.
#[derive(Clone, Debug)]
pub struct Transmission {
    /// Who sent it.
    pub from: NodeId,
    /// Who listens where it goes; nobody, then it is lost.
    pub to: Option<NodeId>,
    /// Where it was sent from, as who receives it sees it.
    pub source: SocketAddr,
    /// Where it goes.
    pub destination: SocketAddr,
    /// The how manieth datagram of this directed pair of nodes, from 1; 0 if nobody listens there.
    pub ordinal: u32,
    /// The connection it was written to, by a number of the world's; `None` if it is a datagram.
    pub stream: Option<u32>,
    /// The fate that the plan or the weather gives it.
    pub fate: Fate,
    /// Something else that keeps it from being delivered.
    pub stopped: Option<Stopped>,
    /// Its octets as they arrive, if not as they were sent.
    pub changed: Option<SharedBytes>,
    /// Its octets as they were sent.
    pub bytes: SharedBytes,
}

/// Why a message is not delivered although no fault of its own hit it. A node that crashes before it arrives does not show here:
/// there is no [`What::Arrived`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Nobody listens there.
    Nobody,
    /// It is larger than the link's MTU.
    TooLarge,
    /// The network is cut.
    Cut,
    /// A NAT on the way has no binding for it.
    Nat,
    /// The connection is not there any more.
    Closed,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "nobody there",
            Self::TooLarge => "too large",
            Self::Cut => "cut",
            Self::Nat => "no binding",
            Self::Closed => "connection closed",
        })
    }
}

impl Transmission {
    /// Its octets as they arrive.
    pub fn arriving(&self) -> &SharedBytes {
        self.changed.as_ref().unwrap_or(&self.bytes)
    }

    /// Whether it was lost on its way.
    pub fn is_lost(&self) -> bool {
        self.stopped.is_some() || self.fate == Fate::Lost
    }
}

/// Something that a node believes or does. The checks of calls go by the first two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// From now on the node has this call.
    CallBegan {
        /// The Call-ID.
        call_id: String,
    },
    /// From now on the node does not have this call any more, or has given up making it.
    CallEnded {
        /// The Call-ID.
        call_id: String,
        /// Why, in a word or two.
        why: String,
        /// The session as the node believes it to be by then, if there is one and it says so.
        session: Option<Session>,
    },
    /// The node has crashed: it has no call, hears nothing, and forgets everything.
    Crashed,
    /// The node is up again, as new.
    Restarted,
    /// Anything else worth a line.
    Said(String),
}

impl<T: Into<String>> From<T> for Note {
    fn from(text: T) -> Self {
        Self::Said(text.into())
    }
}

impl Note {
    pub(crate) const CRASHED: &str = "crashed";
    pub(crate) const RESTARTED: &str = "up again";
    /// Says what stands before the reason for which a call is over.
    pub(crate) const OVER: &str = "call over: ";

    /// The Call-ID of the call that it is about, if it is about one.
    pub fn call_id(&self) -> Option<&str> {
        match self {
            Self::CallBegan { call_id } | Self::CallEnded { call_id, .. } => Some(call_id),
            Self::Crashed | Self::Restarted | Self::Said(_) => None,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CallBegan { .. } => f.write_str("has the call"),
            Self::CallEnded { why, .. } => write!(f, "{}{why}", Self::OVER),
            Self::Crashed => f.write_str(Self::CRASHED),
            Self::Restarted => f.write_str(Self::RESTARTED),
            Self::Said(text) => f.write_str(text),
        }
    }
}

impl Clone for Trace {
    fn clone(&self) -> Self {
        let Self { nodes, by_name, recording, forgotten, entries, lost, is_captured, states } = self;
        // A fork goes on as the original did: room for as much again.
        let mut copied = Vec::with_capacity(2 * entries.len());
        copied.extend_from_slice(entries);
        Self {
            nodes: nodes.clone(),
            by_name: by_name.clone(),
            recording: *recording,
            forgotten: *forgotten,
            entries: copied,
            lost: lost.clone(),
            is_captured: *is_captured,
            states: states.clone(),
        }
    }
}

impl Trace {
    pub(crate) fn new(recording: Recording) -> Self {
        Self { recording, ..Self::default() }
    }

    /// The names of the nodes, in the order of adding.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (NodeId, &str)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId(index), node.name.as_str()))
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &str {
        self.nodes.get(node.0).map_or("?", |node| node.name.as_str())
    }

    /// The node of that name.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// The time that the clock of a node showed at that moment of the world.
    pub fn local(&self, node: NodeId, time: Instant) -> Instant {
        let clocks = self.nodes.get(node.0).map(|node| node.clocks.as_slice()).unwrap_or_default();
        clocks.iter().rev().find(|clock| clock.world <= time).map_or(time, |clock| clock.at(time))
    }

    /// Whether the clock of a node never jumped; it may run fast or slow.
    pub fn keeps_time(&self, node: NodeId) -> bool {
        let clocks = self.nodes.get(node.0).map(|node| node.clocks.as_slice()).unwrap_or_default();
        let mut before = Clock::default();
        clocks.iter().all(|clock| std::mem::replace(&mut before, *clock).at(clock.world) == clock.shown)
    }

    /// Whether the entries are what a capture of a network says.
    pub const fn is_captured(&self) -> bool {
        self.is_captured
    }

    /// Marks the entries as what a capture of a network says.
    pub(crate) const fn set_captured(&mut self) {
        self.is_captured = true;
    }

    /// Whether a node keeps no transactions.
    pub fn is_stateless(&self, node: NodeId) -> bool {
        self.nodes.get(node.0).is_some_and(|node| node.is_stateless)
    }

    /// This node keeps no transactions.
    pub(crate) fn set_stateless(&mut self, node: NodeId) {
        if let Some(node) = self.nodes.get_mut(node.0) {
            node.is_stateless = true;
        }
    }

    /// All entries that are kept, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The index of the first entry that is kept; it is what [`What::Arrived`] counts from.
    pub const fn first(&self) -> usize {
        self.forgotten
    }

    /// All transmissions in the order of sending, each with its index and its time.
    pub fn transmissions(&self) -> impl Iterator<Item = (usize, Instant, &Transmission)> {
        self.entries.iter().zip(self.first()..).filter_map(|(entry, index)| match &entry.what {
            What::Sent(transmission) => Some((index, entry.time, transmission)),
            _ => None,
        })
    }

    /// The transmission behind an [`What::Arrived`].
    pub fn sent(&self, index: usize) -> Option<&Transmission> {
        match &self.entries.get(index.checked_sub(self.forgotten)?)?.what {
            What::Sent(transmission) => Some(transmission),
            _ => None,
        }
    }

    /// The connections that a node came to have no more, by the numbers of [`Transmission::stream`], each with the index that the next
    /// entry had: it failed, was closed or reset, or the node has closed it.
    pub fn lost_streams(&self) -> &[(usize, NodeId, u32)] {
        &self.lost
    }

    /// Records that a node has a connection no more.
    pub(crate) fn lose(&mut self, node: NodeId, stream: u32) {
        if self.recording.is_whole() {
            self.lost.push((self.entries.len(), node, stream));
        }
    }

    /// The changes of what stands in the nodes, in order, each with the index of the entry before which it was found. Nothing unless
    /// [`Recording::States`] asks for it.
    pub fn states(&self) -> &[StateChange] {
        &self.states
    }

    /// Records that something stands in a node from now on, stands otherwise, or stands there no more.
    pub(crate) fn change(&mut self, time: Instant, node: NodeId, state: State) {
        let next = self.forgotten + self.entries.len();
        self.states.push(StateChange { time, node, next, state });
    }

    pub(crate) fn add_node(&mut self, name: &str) -> NodeId {
        let node = NodeId(self.nodes.len());
        self.nodes.push(Named { name: name.to_owned(), clocks: Vec::new(), is_stateless: false });
        self.by_name.insert(name.to_owned(), node);
        node
    }

    pub(crate) fn set_clock(&mut self, node: NodeId, clock: Clock) {
        self.nodes[node.0].clocks.push(clock);
    }

    /// Records what happened; its index.
    pub(crate) fn push(&mut self, time: Instant, what: What) -> usize {
        let index = self.forgotten + self.entries.len();
        match self.recording {
            Recording::Everything | Recording::States => {}
            Recording::Last(kept) if self.entries.len() < kept.saturating_mul(2).max(1) => {}
            Recording::Last(kept) => {
                let old = self.entries.len() - kept;
                self.entries.drain(..old);
                self.forgotten += old;
            }
            Recording::Nothing => {
                self.forgotten += 1;
                return index;
            }
        }
        self.entries.push(Entry { time, what });
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sansip::Duration;

    #[test]
    fn a_bounded_trace_keeps_the_newest_with_their_indices() {
        let mut trace = Trace::new(Recording::Last(3));
        let node = trace.add_node("a");
        for index in 0..100 {
            let note = Note::Said(index.to_string());
            assert_eq!(trace.push(Instant::ZERO, What::Noted { node, note }), index);
            assert!((index + 1).min(3) <= trace.entries().len() && trace.entries().len() <= 6);
        }
        assert!(
            matches!(&trace.entries().last().unwrap().what, What::Noted { note: Note::Said(text), .. } if text == "99")
        );
        let mut trace = Trace::new(Recording::Nothing);
        assert_eq!(
            (trace.push(Instant::ZERO, What::Noted { node, note: Note::Crashed }), trace.entries().len()),
            (0, 0)
        );
    }

    #[test]
    fn a_clock_shows_a_moment_first_when_it_says() {
        let slow = Clock::default().changed(Instant::from_millis(5), ClockChange::Drift(-200));
        let jumped = slow.changed(Instant::from_millis(7), ClockChange::Jump(Duration::from_secs(3)));
        let fast = jumped.changed(Instant::from_millis(9), ClockChange::Drift(99_999));
        assert_eq!(slow.at(Instant::from_millis(10_005)), Instant::from_millis(10_003));
        assert_eq!(fast.at(Instant::from_millis(9)).as_millis(), 3_008);
        for clock in [Clock::default(), slow, fast] {
            for shown in [3_100_001_000, 3_100_002_000, 7_654_321_000] {
                let (shown, when) = (Instant::from_nanos(shown), clock.when(Instant::from_nanos(shown)));
                assert_eq!(clock.at(when), shown, "{clock:?}");
                assert!(clock.at(Instant::from_nanos(when.as_nanos() - 1)) < shown, "{clock:?} {shown}");
            }
        }
    }
}
