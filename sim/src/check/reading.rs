//! A run, read once for all checks.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};

use sansip::{Answer, Instant, Question, Timers};

use crate::actor::{Actor, Census};
use crate::packet::Packet;
use crate::trace::{Entry, NodeId, Note, Trace, Transmission, What};
use crate::world::World;

/// The messages of a trace, each read once: by the index of the entry that sent it.
#[derive(Clone, Debug, Default)]
pub(super) struct Messages<'a> {
    sent: Vec<Option<Message<'a>>>,
    /// Whether any was changed on its way.
    corrupted: bool,
    /// The Call-IDs that somebody began something under.
    begun: HashSet<&'a str>,
    /// Those of messages that were changed on their way, as they were and as they became.
    changed: HashSet<&'a str>,
}

#[derive(Clone, Debug)]
struct Message<'a> {
    packet: Packet<'a>,
    hop: usize,
    below: Option<usize>,
}

impl<'a> Messages<'a> {
    pub(super) fn read(trace: &'a Trace) -> Self {
        let mut hops = Numbers::default();
        let mut messages =
            Self { corrupted: trace.transmissions().any(|(.., sent)| sent.changed.is_some()), ..Self::default() };
        for entry in trace.entries() {
            let What::Sent(sent) = &entry.what else {
                messages.sent.push(None);
                continue;
            };
            let packet = Packet::read(&sent.bytes);
            if messages.corrupted
                && let Some(packet) = &packet
            {
                messages.note(packet, sent);
            }
            messages.sent.push(packet.map(|packet| Message {
                hop: hops.of(packet.top().id()),
                below: packet.vias.get(1).map(|via| hops.of(via.id())),
                packet,
            }));
        }
        messages
    }

    /// Takes note of which calls can be judged although messages were changed.
    fn note(&mut self, packet: &Packet<'a>, sent: &'a Transmission) {
        if packet.is_request() && packet.vias.len() == 1 && !matches!(packet.method, "ACK" | "CANCEL") {
            self.begun.insert(packet.call_id);
        }
        if let Some(changed) = &sent.changed {
            self.changed.insert(packet.call_id);
            self.changed.extend(Packet::read(changed).map(|packet| packet.call_id));
        }
    }

    /// Whether all that goes by this Call-ID is as it was sent.
    fn is_whole(&self, call_id: &str) -> bool {
        !self.corrupted || (self.begun.contains(call_id) && !self.changed.contains(call_id))
    }
}

/// Small numbers for names, in the order of asking.
#[derive(Debug, Default)]
struct Numbers<'a>(HashMap<(&'a str, &'a str), usize>);

impl<'a> Numbers<'a> {
    fn of(&mut self, name: (&'a str, &'a str)) -> usize {
        let next = self.0.len();
        *self.0.entry(name).or_insert(next)
    }
}

/// A run that is over, as checks see it: what each node saw of each call, and the nodes as they are at the end.
#[derive(Debug)]
pub struct Reading<'a> {
    now: Instant,
    trace: &'a Trace,
    world: Option<&'a World>,
    parts: Vec<Part<'a>>,
    corrupted: bool,
}

/// A node's part in what goes by one Call-ID: what it sent and received of it, and what it said of it, in order. Datagrams that are
/// no SIP messages belong nowhere. A node that has crashed and come up again knows nothing of before: that is another part.
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
    /// When that was over, by its own clock: when it crashed, or the run was over.
    pub until: Instant,
    /// Whether it crashed.
    pub crashed: bool,
}

/// Something that a node saw, and when.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When, by the node's own clock.
    pub time: Instant,
    /// Its place among everything that happened in the run.
    pub index: usize,
    /// A number for the topmost Via (branch and sent-by), the same in the whole run: who asked. 0 of a note.
    pub hop: usize,
    /// The same for the Via below it: on whose behalf.
    pub below: Option<usize>,
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

impl<'a> Part<'a> {
    /// What the node sent, in order.
    pub fn sent(&self) -> impl Iterator<Item = (&Seen<'a>, &'a Packet<'a>, &'a Transmission)> + Clone {
        self.seen.iter().filter_map(|seen| match seen.what {
            Sight::Sent(packet, transmission) => Some((seen, packet, transmission)),
            _ => None,
        })
    }

    /// What came to the node, in order.
    pub fn received(&self) -> impl Iterator<Item = (&Seen<'a>, &'a Packet<'a>, &'a Transmission)> + Clone {
        self.seen.iter().filter_map(|seen| match seen.what {
            Sight::Received(packet, transmission) => Some((seen, packet, transmission)),
            _ => None,
        })
    }

    /// Every copy of a request that came from this hop before `index`. They differ only if their sender is mistaken.
    pub fn copies(
        &self,
        hop: usize,
        method: &'a str,
        index: usize,
    ) -> impl Iterator<Item = (&Seen<'a>, &'a Packet<'a>, &'a Transmission)> + Clone {
        let before = self.received().take_while(move |(seen, ..)| seen.index < index);
        before.filter(move |(seen, packet, _)| seen.hop == hop && packet.is(method))
    }

    /// By when the transaction in which the node answered finally with this To tag is over (timers H, I, J, L; RFC 3261 §17.2,
    /// RFC 6026 §7.1): a copy of the request that comes then is a new request.
    pub fn served_until(&self, hop: usize, method: &str, tag: &str, timers: &Timers) -> Option<Instant> {
        let mut answers = self.sent().filter(|(seen, packet, _)| (seen.hop, packet.method) == (hop, method));
        let (last, answer, _) = answers
            .find(|(_, packet, _)| packet.to_tag == tag && packet.status().is_some_and(|status| status >= 200))?;
        let rejected = method == "INVITE" && answer.status().is_some_and(|status| status >= 300);
        let mut acks = self.received().filter(|(seen, packet, _)| seen.hop == hop && packet.is("ACK"));
        let ack = acks.find(|(_, ack, _)| rejected && ack.to_tag == tag).map(|(seen, ..)| seen.time + timers.t4);
        // Timer J is zero where nothing is resent.
        if method != "INVITE" && answer.top().is_reliable() {
            return Some(last.time);
        }
        let unacknowledged = last.time + timers.sixty_four_t1();
        Some(ack.map_or(unacknowledged, |ack| unacknowledged.min(ack)))
    }

    /// The first final response to the INVITE that the node sent under this hop, if the INVITE was still waiting for one when it came
    /// (RFC 3261 §9.1, §17.1.1.2).
    pub fn first_final(&self, hop: usize, timers: &Timers) -> Option<(&Seen<'a>, &'a Packet<'a>)> {
        let (invite, ..) = self.sent().find(|(seen, packet, _)| seen.hop == hop && packet.is("INVITE"))?;
        let mut responses = self
            .received()
            .filter(|(seen, packet, _)| seen.hop == hop && packet.method == "INVITE" && packet.status().is_some());
        // Giving up comes before what arrives at the same moment.
        let given_up = invite.time + timers.sixty_four_t1();
        let (mut heard, mut first) = (false, None);
        for (seen, packet, _) in responses.by_ref() {
            if packet.answers(1, "INVITE") {
                heard |= seen.time < given_up;
            } else {
                first = Some((seen, packet));
                break;
            }
        }
        let (seen, packet) = first?;
        let cancelled = self.sent().any(|(cancel, packet, _)| {
            cancel.hop == hop && packet.is("CANCEL") && cancel.time + timers.sixty_four_t1() <= seen.time
        });
        (!cancelled && (heard || seen.time < given_up)).then_some((seen, packet))
    }

    /// Whether the node sent a request of that method on behalf of this hop: it is a proxy of it.
    pub fn forwards(&self, hop: usize, method: &str) -> bool {
        self.sent().any(|(seen, packet, _)| seen.below == Some(hop) && packet.is(method))
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
        let mut places: HashMap<(&'a str, NodeId, u32), usize> = HashMap::new();
        let mut lives = vec![0; trace.nodes().len()];
        for (index, entry) in trace.entries().iter().enumerate() {
            if let What::Noted { node, note: Note::Crashed } = entry.what {
                let until = trace.local(node, entry.time);
                for part in parts.iter_mut().filter(|part| part.node == node && !part.crashed) {
                    (part.until, part.crashed) = (until, true);
                }
                lives[node.0] += 1;
            }
            let Some((node, call_id, seen)) = see(trace, messages, index, entry) else { continue };
            if !messages.is_whole(call_id) {
                continue;
            }
            let place = *places.entry((call_id, node, lives[node.0])).or_insert_with(|| {
                let until = trace.local(node, now);
                let (name, seen) = (trace.name(node), Vec::with_capacity(32));
                parts.push(Part { node, name, call_id, seen, until, crashed: false });
                parts.len() - 1
            });
            parts[place].seen.push(seen);
        }
        Self { now, trace, world: None, parts, corrupted: messages.corrupted }
    }

    /// Whether messages were changed on their way: then only checks of safety are judged.
    pub const fn is_corrupted(&self) -> bool {
        self.corrupted
    }

    /// When the run was over.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// All that happened.
    pub const fn trace(&self) -> &'a Trace {
        self.trace
    }

    /// What each node saw of each call, in the order in which the first of each was seen. A call of which a message was changed on its
    /// way is left out: who can tell what such a message obliges anybody to?
    pub fn parts(&self) -> &[Part<'a>] {
        &self.parts
    }

    /// The addresses of a host name, if names are known; of an unknown name there are none.
    pub fn addresses(&self, name: &str) -> Option<Vec<IpAddr>> {
        let question = Question::Address { name: name.to_ascii_lowercase().trim_end_matches('.').into() };
        let answers = self.world?.setting().zone.answer(&question);
        Some(
            answers
                .into_iter()
                .filter_map(|answer| if let Answer::Address(ip) = answer { Some(ip) } else { None })
                .collect(),
        )
    }

    /// The most of each thing that was ever alive in a node.
    pub fn peak(&self, node: NodeId) -> Census {
        self.world.map_or_else(Census::default, |world| world.peak(node))
    }

    /// The nodes with their names, as they are now.
    pub fn actors(&self) -> impl Iterator<Item = (NodeId, &'a str, &'a dyn Actor)> {
        self.world.into_iter().flat_map(World::actors)
    }
}

/// Who saw what, of which call.
fn see<'a>(
    trace: &'a Trace,
    messages: &'a Messages<'a>,
    index: usize,
    entry: &'a Entry,
) -> Option<(NodeId, &'a str, Seen<'a>)> {
    let message = |index: usize| messages.sent.get(index)?.as_ref();
    // By the node's own clock: that is what its timers go by.
    let seen = |node, hop, below, what| Seen { time: trace.local(node, entry.time), index, hop, below, what };
    Some(match &entry.what {
        What::Sent(sent) => {
            let Message { packet, hop, below } = message(index)?;
            (sent.from, packet.call_id, seen(sent.from, *hop, *below, Sight::Sent(packet, sent)))
        }
        What::Arrived { node, sent } => {
            let Message { packet, hop, below } = message(*sent)?;
            (*node, packet.call_id, seen(*node, *hop, *below, Sight::Received(packet, trace.sent(*sent)?)))
        }
        What::Noted { node, note } => match note {
            Note::CallBegan { call_id } | Note::CallEnded { call_id, .. } => {
                (*node, call_id, seen(*node, 0, None, Sight::Noted(note)))
            }
            Note::Crashed | Note::Restarted | Note::Said(_) => return None,
        },
    })
}
