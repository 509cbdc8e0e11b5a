//! From a trace to what each node saw of each call.

use std::cell::OnceCell;
use std::collections::HashSet;

use sansip::message::SharedBytes;
use sansip::{Duration, Instant, Timers};

use super::reading::{Carried, Part, Seen, Sight};
use super::shelf::{Filler, Shelf};
use crate::actor::Session;
use crate::packet::Packet;
use crate::trace::{Entry, NodeId, Note, Trace, Transmission, What};
use crate::world::hash::Map;

/// Keeps what is read; the words of a [`Reader`] are borrowed from it.
#[derive(Debug)]
pub(crate) struct Library<'a> {
    texts: Shelf<SharedBytes>,
    names: Shelf<String>,
    messages: Shelf<Message<'a>>,
    sessions: Shelf<Session>,
}

impl Default for Library<'_> {
    fn default() -> Self {
        Self { texts: Shelf::new(32), names: Shelf::new(8), messages: Shelf::new(32), sessions: Shelf::new(2) }
    }
}

/// A message, read once however often it is sent.
#[derive(Debug)]
struct Message<'a> {
    packet: Packet<'a>,
    /// Numbers for the Call-ID, for the topmost Via, and for the one below.
    call: usize,
    hop: usize,
    below: Option<usize>,
}

/// Reads traces. Equal messages of all that it reads are one packet, and equal names have one number.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    texts: Filler<'a, SharedBytes>,
    names: Filler<'a, String>,
    shelved: Filler<'a, Message<'a>>,
    sessions: Filler<'a, Session>,
    /// By their octets; `None` is no SIP message.
    messages: Map<&'a [u8], Option<&'a Message<'a>>>,
    hops: Map<(&'a str, &'a str), usize>,
    calls: Map<&'a str, usize>,
    /// The readings of the nodes, in their order.
    nodes: Vec<&'a str>,
    /// Room of parts that nobody needs any more.
    spare: Vec<Vec<Seen<'a>>>,
}

impl<'a> Reader<'a> {
    /// With an empty library.
    pub(crate) fn new(library: &'a Library<'a>) -> Self {
        Self {
            texts: Filler::new(&library.texts),
            names: Filler::new(&library.names),
            shelved: Filler::new(&library.messages),
            sessions: Filler::new(&library.sessions),
            messages: Map::default(),
            hops: Map::default(),
            calls: Map::default(),
            nodes: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// How many different messages it has read.
    pub(crate) fn messages(&self) -> usize {
        self.messages.len()
    }

    /// The parts of each call as each node saw them, in the order in which the first of each was seen; `now` is when the run was
    /// over. A call of which a message was changed on its way is left out.
    pub(super) fn read(&mut self, trace: &Trace, now: Instant) -> Vec<Part<'a>> {
        self.learn_names(trace);
        let corrupted = is_corrupted(trace);
        let mut changes = Changes::default();
        let mut sent = Vec::with_capacity(trace.entries().len());
        for entry in trace.entries() {
            let message = match &entry.what {
                What::Sent(transmission) => self.message(&transmission.bytes),
                _ => None,
            };
            if corrupted && let (What::Sent(transmission), Some(message)) = (&entry.what, message) {
                let changed = transmission.changed.as_ref().map(|changed| self.message(changed));
                changes.note(message, changed);
            }
            sent.push(message);
        }
        let nodes = self.nodes.clone();
        let mut parts = Parts::new(trace, now, &nodes, std::mem::take(&mut self.spare));
        for (index, entry) in trace.entries().iter().enumerate() {
            parts.pass(index);
            if let Some((node, call, call_id, seen)) = self.see(trace, &sent, index, entry)
                && (!corrupted || changes.is_whole(call))
            {
                parts.add(node, (call, call_id), seen);
            }
        }
        self.spare = parts.spare;
        parts.all
    }

    /// Takes back the room of a part that nobody needs any more.
    pub(super) fn recycle(&mut self, mut room: Vec<Seen<'a>>) {
        room.clear();
        self.spare.push(room);
    }

    fn learn_names(&mut self, trace: &Trace) {
        if self.nodes.iter().copied().ne(trace.nodes().map(|(_, name)| name)) {
            self.nodes = trace.nodes().map(|(_, name)| self.names.put(name.to_owned()).as_str()).collect();
        }
    }

    fn message(&mut self, bytes: &SharedBytes) -> Option<&'a Message<'a>> {
        if let Some(known) = self.messages.get(&**bytes) {
            return *known;
        }
        let text: &'a SharedBytes = self.texts.put(bytes.clone());
        let message = Packet::read(text).map(|packet| {
            let (hop, below) = (self.hop(packet.top().id()), packet.vias.get(1).map(|via| self.hop(via.id())));
            let call = self.call(packet.call_id);
            self.shelved.put(Message { packet, call, hop, below })
        });
        self.messages.insert(text, message);
        message
    }

    fn hop(&mut self, name: (&'a str, &'a str)) -> usize {
        let next = self.hops.len();
        *self.hops.entry(name).or_insert(next)
    }

    fn call(&mut self, call_id: &'a str) -> usize {
        let next = self.calls.len();
        *self.calls.entry(call_id).or_insert(next)
    }

    /// Who saw what, of which call.
    fn see(
        &mut self,
        trace: &Trace,
        sent: &[Option<&'a Message<'a>>],
        index: usize,
        entry: &Entry,
    ) -> Option<(NodeId, usize, &'a str, Seen<'a>)> {
        // By the node's own clock: that is what its timers go by.
        let world = entry.time;
        let seen = |node, hop, below, what| {
            let time = trace.local(node, world);
            Seen { time, world, index: 0, hop, below, what }
        };
        Some(match &entry.what {
            What::Sent(transmission) => {
                let message @ Message { packet, call, hop, below } = sent.get(index).copied()??;
                let what = Sight::Sent(&message.packet, carried(transmission));
                (transmission.from, *call, packet.call_id, seen(transmission.from, *hop, *below, what))
            }
            What::Arrived { node, sent: earlier } => {
                let message @ Message { packet, call, hop, below } = sent.get(*earlier).copied()??;
                let what = Sight::Received(&message.packet, carried(trace.sent(*earlier)?));
                (*node, *call, packet.call_id, seen(*node, *hop, *below, what))
            }
            What::Noted { node, note } => {
                let (call_id, what) = match note {
                    Note::CallBegan { call_id } => (call_id, Sight::Began),
                    Note::CallEnded { call_id, session, .. } => {
                        (call_id, Sight::Ended(session.clone().map(|session| self.sessions.put(session))))
                    }
                    Note::Crashed | Note::Restarted | Note::Said(_) => return None,
                };
                let (call_id, call) = match self.calls.get_key_value(call_id.as_str()) {
                    Some((call_id, call)) => (*call_id, *call),
                    None => {
                        let call_id: &'a str = self.names.put(call_id.clone());
                        (call_id, self.call(call_id))
                    }
                };
                (*node, call, call_id, seen(*node, 0, None, what))
            }
        })
    }
}

/// Whether any message was changed on its way.
pub(super) fn is_corrupted(trace: &Trace) -> bool {
    trace.transmissions().any(|(.., sent)| sent.changed.is_some())
}

const fn carried(transmission: &Transmission) -> Carried {
    let Transmission { source, destination, stream, .. } = *transmission;
    Carried { source, destination, stream }
}

/// Which calls can be judged although messages were changed.
#[derive(Debug, Default)]
struct Changes {
    /// Those that somebody began something under.
    begun: HashSet<usize>,
    /// Those of messages that were changed, as they were and as they became.
    changed: HashSet<usize>,
}

impl Changes {
    fn note(&mut self, message: &Message<'_>, changed: Option<Option<&Message<'_>>>) {
        let packet = &message.packet;
        if packet.is_request() && packet.vias.len() == 1 && !matches!(packet.method, "ACK" | "CANCEL") {
            self.begun.insert(message.call);
        }
        if let Some(changed) = changed {
            self.changed.insert(message.call);
            self.changed.extend(changed.map(|changed| changed.call));
        }
    }

    /// Whether all that goes by this Call-ID is as it was sent.
    fn is_whole(&self, call: usize) -> bool {
        self.begun.contains(&call) && !self.changed.contains(&call)
    }
}

/// Parts in the making.
struct Parts<'a, 't> {
    trace: &'t Trace,
    now: Instant,
    names: &'t [&'a str],
    all: Vec<Part<'a>>,
    spare: Vec<Vec<Seen<'a>>>,
    /// By Call-ID, node and its life.
    places: Map<(usize, NodeId, u32), usize>,
    lives: Vec<u32>,
    /// The crashes and ends of connections that are still to come.
    breaks: std::iter::Peekable<std::slice::Iter<'t, (usize, NodeId, u32)>>,
}

impl<'a, 't> Parts<'a, 't> {
    fn new(trace: &'t Trace, now: Instant, names: &'t [&'a str], spare: Vec<Vec<Seen<'a>>>) -> Self {
        Self {
            trace,
            now,
            names,
            all: Vec::with_capacity(2 * names.len()),
            spare,
            places: Map::default(),
            lives: vec![0; names.len()],
            breaks: trace.lost_streams().iter().peekable(),
        }
    }

    /// Takes note of what happened to nodes and connections before, or as, this entry was made.
    fn pass(&mut self, index: usize) {
        while let Some((_, node, stream)) = self.breaks.next_if(|(at, ..)| *at <= index) {
            for part in self.all.iter_mut().filter(|part| part.node == *node && !part.crashed) {
                part.lost.push((*stream, part.seen.len()));
            }
        }
        let Some(Entry { time, what: What::Noted { node, note: Note::Crashed } }) = self.trace.entries().get(index)
        else {
            return;
        };
        let until = self.trace.local(*node, *time);
        for part in self.all.iter_mut().filter(|part| part.node == *node && !part.crashed) {
            (part.until, part.crashed) = (until, true);
        }
        self.lives[node.0] += 1;
    }

    fn add(&mut self, node: NodeId, (call, call_id): (usize, &'a str), seen: Seen<'a>) {
        let place = *self.places.entry((call, node, self.lives[node.0])).or_insert_with(|| {
            self.all.push(Part {
                node,
                name: self.names[node.0],
                call_id,
                seen: self.spare.pop().unwrap_or_else(|| Vec::with_capacity(32)),
                lost: Vec::new(),
                timers: Timers::default(),
                haste: if self.trace.is_captured() { Timers::default().t1 } else { Duration::ZERO },
                groups: OnceCell::new(),
                until: self.trace.local(node, self.now),
                crashed: false,
                is_stateless: self.trace.is_stateless(node),
                keeps_time: self.trace.keeps_time(node),
            });
            self.all.len() - 1
        });
        let part = &mut self.all[place];
        part.seen.push(Seen { index: part.seen.len(), ..seen });
    }
}
