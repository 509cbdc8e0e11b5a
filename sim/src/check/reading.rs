//! A run, read once for all checks.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use sansip::Instant;

use crate::actor::Actor;
use crate::packet::Packet;
use crate::trace::{NodeId, Note, Trace, Transmission, What};
use crate::world::World;

/// The messages of a trace, each read once: by the index of the entry that sent it.
#[derive(Clone, Debug)]
pub(super) struct Messages<'a>(Vec<Option<Packet<'a>>>);

impl<'a> Messages<'a> {
    pub(super) fn read(trace: &'a Trace) -> Self {
        let read = |what: &'a What| match what {
            What::Sent(sent) => Packet::read(&sent.bytes),
            _ => None,
        };
        Self(trace.entries().iter().map(|entry| read(&entry.what)).collect())
    }
}

/// A run that is over, as checks see it: what each node saw of each call, and the nodes as they are at the end.
#[derive(Debug)]
pub struct Reading<'a> {
    now: Instant,
    trace: &'a Trace,
    world: Option<&'a World>,
    parts: Vec<Part<'a>>,
}

/// A node's part in what goes by one Call-ID: what it sent and received of it, and what it said of it, in order. Datagrams that are
/// no SIP messages belong nowhere.
#[derive(Debug)]
pub struct Part<'a> {
    /// Who.
    pub node: NodeId,
    /// Its name.
    pub name: &'a str,
    /// The Call-ID.
    pub call_id: &'a str,
    /// What it saw.
    pub seen: Vec<Seen<'a>>,
}

/// Something that a node saw, and when.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When.
    pub time: Instant,
    /// Its place among everything that happened in the run.
    pub index: usize,
    /// What.
    pub what: Sight<'a>,
}

/// What a node can see.
#[derive(Clone, Copy, Debug)]
pub enum Sight<'a> {
    /// The node sent this.
    Sent(&'a Packet<'a>, &'a Transmission),
    /// This came to the node.
    Received(&'a Packet<'a>, &'a Transmission),
    /// The node said this.
    Noted(&'a Note),
}

impl<'a> Seen<'a> {
    /// The message that the node sent, with where it went.
    pub fn sent(&self) -> Option<(&'a Packet<'a>, SocketAddr)> {
        match self.what {
            Sight::Sent(packet, transmission) => Some((packet, transmission.destination)),
            _ => None,
        }
    }

    /// The message that came to the node, with where it came from.
    pub fn received(&self) -> Option<(&'a Packet<'a>, SocketAddr)> {
        match self.what {
            Sight::Received(packet, transmission) => Some((packet, transmission.source)),
            _ => None,
        }
    }
}

impl<'a> Reading<'a> {
    /// A world at the end of its run.
    pub(super) fn of(world: &'a World, messages: &'a Messages<'a>) -> Self {
        Self { world: Some(world), ..Self::of_trace(world.trace(), messages, world.now()) }
    }

    /// A trace alone.
    pub(super) fn of_trace(trace: &'a Trace, messages: &'a Messages<'a>, now: Instant) -> Self {
        let mut parts: Vec<Part<'a>> = Vec::new();
        let mut places: BTreeMap<(&'a str, NodeId), usize> = BTreeMap::new();
        for (index, entry) in trace.entries().iter().enumerate() {
            let Some((node, call_id, what)) = sight(trace, messages, index, &entry.what) else { continue };
            let place = *places.entry((call_id, node)).or_insert_with(|| {
                parts.push(Part { node, name: trace.name(node), call_id, seen: Vec::new() });
                parts.len() - 1
            });
            parts[place].seen.push(Seen { time: entry.time, index, what });
        }
        Self { now, trace, world: None, parts }
    }

    /// When the run was over.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// All that happened.
    pub const fn trace(&self) -> &'a Trace {
        self.trace
    }

    /// What each node saw of each call, in the order in which the first of each was seen.
    pub fn parts(&self) -> &[Part<'a>] {
        &self.parts
    }

    /// The nodes with their names, as they are now.
    pub fn actors(&self) -> impl Iterator<Item = (NodeId, &'a str, &'a dyn Actor)> {
        self.world.into_iter().flat_map(World::actors)
    }
}

/// Who saw what, of which call.
fn sight<'a>(
    trace: &'a Trace,
    messages: &'a Messages<'a>,
    index: usize,
    what: &'a What,
) -> Option<(NodeId, &'a str, Sight<'a>)> {
    let packet = |index: usize| messages.0.get(index)?.as_ref();
    Some(match what {
        What::Sent(sent) => {
            let packet = packet(index)?;
            (sent.from, packet.call_id, Sight::Sent(packet, sent))
        }
        What::Arrived { node, sent } => {
            let packet = packet(*sent)?;
            (*node, packet.call_id, Sight::Received(packet, trace.sent(*sent)?))
        }
        What::Noted { node, note } => match note {
            Note::CallBegan { call_id } | Note::CallEnded { call_id, .. } => (*node, call_id, Sight::Noted(note)),
            Note::Said(_) => return None,
        },
    })
}
