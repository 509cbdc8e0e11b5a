//! What happened in a run, in order.

use std::fmt;
use std::net::SocketAddr;

use sansip::Instant;
use sansip::message::SharedBytes;

use crate::fault::Fate;

/// Everything that happened in a world, in order; with the names of its nodes it can be drawn and judged alone.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    nodes: Vec<String>,
    entries: Vec<Entry>,
}

/// A node of a world: its place in the order of adding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub time: Instant,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Clone, Debug)]
pub enum What {
    /// A node sent a datagram.
    Sent(Transmission),
    /// A datagram arrived and was given to its node.
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
        /// What.
        note: Note,
    },
}

/// A datagram on its way.
#[derive(Clone, Debug)]
pub struct Transmission {
    /// Who sent it.
    pub from: NodeId,
    /// Who listens where it goes; nobody, then it is lost.
    pub to: Option<NodeId>,
    /// Where it was sent from.
    pub source: SocketAddr,
    /// Where it goes.
    pub destination: SocketAddr,
    /// The how manieth datagram of this directed pair of nodes, from 1; 0 if nobody listens there.
    pub ordinal: u32,
    /// What becomes of it.
    pub fate: Fate,
    /// Its octets.
    pub bytes: SharedBytes,
}

/// What a node believes or does. The first two are what the checks of calls go by.
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
    },
    /// Anything else worth a line.
    Said(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CallBegan { .. } => f.write_str("has the call"),
            Self::CallEnded { why, .. } => write!(f, "call over: {why}"),
            Self::Said(text) => f.write_str(text),
        }
    }
}

impl Trace {
    /// The names of the nodes, in the order of adding.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (NodeId, &str)> {
        self.nodes.iter().enumerate().map(|(index, name)| (NodeId(index), name.as_str()))
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &str {
        self.nodes.get(node.0).map_or("?", String::as_str)
    }

    /// All entries, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// All transmissions in the order of sending, each with its index among the entries and its time.
    pub fn transmissions(&self) -> impl Iterator<Item = (usize, Instant, &Transmission)> {
        self.entries.iter().enumerate().filter_map(|(index, entry)| match &entry.what {
            What::Sent(transmission) => Some((index, entry.time, transmission)),
            _ => None,
        })
    }

    /// The transmission behind an [`What::Arrived`].
    pub fn sent(&self, index: usize) -> Option<&Transmission> {
        match &self.entries.get(index)?.what {
            What::Sent(transmission) => Some(transmission),
            _ => None,
        }
    }

    pub(crate) fn add_node(&mut self, name: &str) -> NodeId {
        self.nodes.push(name.to_owned());
        NodeId(self.nodes.len() - 1)
    }

    pub(crate) fn push(&mut self, time: Instant, what: What) -> usize {
        self.entries.push(Entry { time, what });
        self.entries.len() - 1
    }
}
