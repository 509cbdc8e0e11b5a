//! All that there is to see of a trace: a lifeline for each node, rows in the order of their times, and what lasts.
//!
//! Every drawing is made of a [`Picture`], and a picture of a trace alone, so that a simulated run and a capture look alike.

mod span;
mod stated;
#[cfg(test)]
pub(crate) mod tests;
mod text;

pub use span::{Kind, Piece, Span};
pub use text::{NAME, cut, visible, width};

use std::collections::BTreeMap;
use std::ops::Range;

use sansip::Instant;

use super::{Label, labels};
use crate::check::Breach;
use crate::fault::Effect;
use crate::packet::Packet;
use crate::trace::{Note, Stopped, Trace, Transmission, What};

/// All that there is to see of a trace.
#[derive(Clone, Debug)]
pub struct Picture<'t> {
    /// The names of the nodes, in the order of adding.
    pub names: Vec<&'t str>,
    /// Says what is seen, in the order of time.
    pub rows: Vec<Row<'t>>,
    /// Says what lasts: transactions, timers, dialogs, bindings.
    pub spans: Vec<Span>,
    /// Whether the nodes themselves say what lasts; else it is what messages prove.
    pub is_stated: bool,
    /// The Call-IDs, in the order in which they are first seen.
    pub calls: Vec<&'t str>,
}

/// Something at one moment.
#[derive(Clone, Debug)]
pub struct Row<'t> {
    /// When.
    pub time: Instant,
    /// Says what is seen.
    pub shown: Shown<'t>,
}

/// Something to see.
#[derive(Clone, Debug)]
pub enum Shown<'t> {
    /// A message is sent.
    Message(Box<Message<'t>>),
    /// A message arrives that was overtaken at its receiver, or arrives once more.
    Arrival(Arrival),
    /// A node says something of itself.
    Note {
        /// The node's place.
        node: usize,
        /// Its words.
        note: &'t Note,
    },
    /// A check is broken.
    Breach(&'t Breach),
}

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Message<'t> {
    /// Its transmission.
    pub sent: &'t Transmission,
    /// How it is called.
    pub label: Label,
    /// How it reads; `None` if it is no SIP message.
    pub packet: Option<Packet<'t>>,
    /// The place of its Call-ID.
    pub call: Option<usize>,
    /// When it arrived, and when once more.
    pub arrived: Vec<Instant>,
    /// The row of its first arrival, if that is seen by itself: it was overtaken at its receiver.
    pub overtaken: Option<usize>,
    /// The row of the message that the sender passes on by it.
    pub passed_on: Option<usize>,
    /// The row in which the same octets went the same way first.
    pub first: Option<usize>,
}

/// An arrival that is seen by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The row of the message.
    pub of: usize,
    /// Where it came from, and where it arrives.
    pub from: usize,
    /// The node that it arrives at.
    pub node: usize,
    /// Whether it has arrived before.
    pub is_again: bool,
}

impl Message<'_> {
    /// The place of the sender.
    pub const fn from(&self) -> usize {
        self.sent.from.0
    }

    /// The place of the receiver; `None` if nobody listens there.
    pub fn to(&self) -> Option<usize> {
        self.sent.to.map(|to| to.0)
    }

    /// The method, of a response that of its request; empty if it is no SIP message.
    pub fn method(&self) -> &str {
        self.packet.as_ref().map_or("", |packet| packet.method)
    }

    /// Says what befell it, in words; empty if nothing did.
    pub fn fate(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(stopped) = self.sent.stopped {
            words.push(match stopped {
                Stopped::Nobody => format!("nobody at {}", self.sent.destination),
                Stopped::Cut => "lost: the network is cut".to_owned(),
                Stopped::Nat => "lost: the NAT has no binding".to_owned(),
                other => format!("lost: {other}"),
            });
        }
        for effect in self.sent.fate.effects() {
            words.push(match effect {
                Effect::Drop => "lost".to_owned(),
                Effect::Reset => "the connection is reset".to_owned(),
                Effect::Late(_) => format!("{} late", effect.to_string().trim_start_matches('+')),
                Effect::Again(_) => "arrives twice".to_owned(),
                Effect::Flip(_) => "an octet is changed".to_owned(),
                Effect::Split(_) => "comes in pieces".to_owned(),
            });
        }
        if words.is_empty() && self.sent.to.is_some() && self.arrived.is_empty() {
            words.push("does not arrive".to_owned());
        }
        words
    }

    /// Whether it ends on its way.
    pub fn is_lost(&self) -> bool {
        self.sent.is_lost() || self.arrived.is_empty()
    }
}

/// Says what a node heard last, by which a message that it passes on is known: the Call-ID, CSeq and status.
type Heard<'t> = BTreeMap<(usize, &'t str, u32, &'t str, Option<u16>), Vec<usize>>;
/// So many messages of one kind are looked at for the one that is passed on.
const LOOKED_BACK: usize = 16;

impl<'t> Picture<'t> {
    /// Looks at a trace and at what is broken in it.
    pub fn of(trace: &'t Trace, breaches: impl IntoIterator<Item = &'t Breach>) -> Self {
        let mut maker = Maker::new(trace);
        for (entry, index) in trace.entries().iter().zip(trace.first()..) {
            maker.entry(entry.time, index, &entry.what);
        }
        let Maker { rows, calls, .. } = maker;
        let mut picture = Self {
            names: trace.nodes().map(|(_, name)| name).collect(),
            rows,
            spans: Vec::new(),
            is_stated: !trace.states().is_empty(),
            calls,
        };
        picture.overtake();
        picture.spans =
            if picture.is_stated { stated::spans(trace, picture.end()) } else { span::spans(trace, &picture) };
        picture.spans.sort_by_key(|span| (span.node, span.kind, span.pieces.first().map(|piece| piece.from)));
        picture.break_at(breaches);
        picture
    }

    /// The messages, each with its row.
    pub fn messages(&self) -> impl Iterator<Item = (usize, &Row<'t>, &Message<'t>)> {
        self.rows.iter().enumerate().filter_map(|(place, row)| match &row.shown {
            Shown::Message(message) => Some((place, row, &**message)),
            _ => None,
        })
    }

    /// The message of that row.
    pub fn message(&self, row: usize) -> Option<&Message<'t>> {
        match &self.rows.get(row)?.shown {
            Shown::Message(message) => Some(message),
            _ => None,
        }
    }

    /// The row of the first breach.
    pub fn broken(&self) -> Option<usize> {
        self.rows.iter().position(|row| matches!(row.shown, Shown::Breach(_)))
    }

    /// At most so many rows: those around the first breach, else the first ones.
    pub fn window(&self, most: usize) -> Range<usize> {
        // What led to it is more than what came of it.
        let from = self.broken().map_or(0, |at| at.saturating_sub(most - most / 4));
        let from = from.min(self.rows.len().saturating_sub(most));
        from..self.rows.len().min(from + most)
    }

    /// When all is over that is seen.
    pub fn end(&self) -> Instant {
        self.rows.last().map_or(Instant::ZERO, |row| row.time)
    }

    /// Takes out the arrivals that say nothing: the message arrived before anything else was seen at its receiver.
    fn overtake(&mut self) {
        let mut says = vec![true; self.rows.len()];
        // The last row that each node had.
        let mut last = vec![0; self.names.len()];
        for (place, row) in self.rows.iter().enumerate() {
            match &row.shown {
                Shown::Message(message) => last[message.from()] = place,
                Shown::Note { node, .. } => last[*node] = place,
                Shown::Arrival(Arrival { of, node, is_again, .. }) => {
                    says[place] = *is_again || last[*node] > *of;
                    // Something else is overtaken by it only if that was sent before.
                    last[*node] = last[*node].max(*of);
                }
                Shown::Breach(_) => {}
            }
        }
        let places: Vec<usize> = says
            .iter()
            .scan(0, |next, says| {
                let place = *next;
                *next += usize::from(*says);
                Some(place)
            })
            .collect();
        let rows = std::mem::take(&mut self.rows).into_iter().zip(says);
        self.rows = rows.filter_map(|(row, says)| says.then_some(row)).collect();
        self.renumber(&places);
        let arrivals = self.rows.iter().enumerate().filter_map(|(place, row)| match row.shown {
            Shown::Arrival(Arrival { of, is_again: false, .. }) => Some((of, place)),
            _ => None,
        });
        for (of, place) in arrivals.collect::<Vec<_>>() {
            if let Shown::Message(message) = &mut self.rows[of].shown {
                message.overtaken = Some(place);
            }
        }
    }

    /// The rows that others name are at other places now.
    fn renumber(&mut self, places: &[usize]) {
        let moved = |row: &mut Option<usize>| *row = row.map(|row| places[row]);
        for row in &mut self.rows {
            match &mut row.shown {
                Shown::Message(message) => {
                    moved(&mut message.passed_on);
                    moved(&mut message.first);
                    moved(&mut message.overtaken);
                }
                Shown::Arrival(arrival) => arrival.of = places[arrival.of],
                Shown::Note { .. } | Shown::Breach(_) => {}
            }
        }
    }

    /// Puts each breach behind all that happened until then.
    fn break_at(&mut self, breaches: impl IntoIterator<Item = &'t Breach>) {
        let mut breaches: Vec<&Breach> = breaches.into_iter().collect();
        if breaches.is_empty() {
            return;
        }
        breaches.sort_by_key(|breach| breach.time);
        let mut places = Vec::with_capacity(self.rows.len());
        let mut rows = Vec::with_capacity(self.rows.len() + breaches.len());
        let mut waiting = breaches.into_iter().peekable();
        let breach = |breach: &'t Breach| Row { time: breach.time, shown: Shown::Breach(breach) };
        for row in std::mem::take(&mut self.rows) {
            while let Some(due) = waiting.next_if(|breach| breach.time < row.time) {
                rows.push(breach(due));
            }
            places.push(rows.len());
            rows.push(row);
        }
        rows.extend(waiting.map(breach));
        self.rows = rows;
        self.renumber(&places);
    }
}

/// Rows that come to be.
struct Maker<'t> {
    labels: BTreeMap<usize, Label>,
    rows: Vec<Row<'t>>,
    calls: Vec<&'t str>,
    places: BTreeMap<&'t str, usize>,
    /// The row of each entry that is a transmission.
    sent: BTreeMap<usize, usize>,
    heard: Heard<'t>,
    /// The row in which each label was first seen.
    firsts: BTreeMap<String, usize>,
}

impl<'t> Maker<'t> {
    fn new(trace: &'t Trace) -> Self {
        Self {
            labels: labels(trace),
            rows: Vec::new(),
            calls: Vec::new(),
            places: BTreeMap::new(),
            sent: BTreeMap::new(),
            heard: BTreeMap::new(),
            firsts: BTreeMap::new(),
        }
    }

    fn entry(&mut self, time: Instant, index: usize, what: &'t What) {
        let place = self.rows.len();
        let shown = match what {
            What::Sent(sent) => {
                let Some(label) = self.labels.get(&index).cloned() else { return };
                self.sent.insert(index, place);
                Shown::Message(Box::new(self.message(sent, label, place)))
            }
            What::Arrived { node, sent } => {
                let Some(of) = self.sent.get(sent).copied() else { return };
                let Shown::Message(message) = &mut self.rows[of].shown else { return };
                let is_again = !message.arrived.is_empty();
                message.arrived.push(time);
                let from = message.from();
                if let Some(packet) = &message.packet {
                    let key = (node.0, packet.call_id, packet.sequence, packet.method, packet.status());
                    self.heard.entry(key).or_default().push(of);
                }
                Shown::Arrival(Arrival { of, from, node: node.0, is_again })
            }
            What::Noted { node, note } => Shown::Note { node: node.0, note },
        };
        self.rows.push(Row { time, shown });
    }

    fn message(&mut self, sent: &'t Transmission, label: Label, place: usize) -> Message<'t> {
        let packet = Packet::read(&sent.bytes);
        let call = packet.as_ref().map(|packet| {
            *self.places.entry(packet.call_id).or_insert_with(|| {
                self.calls.push(packet.call_id);
                self.calls.len() - 1
            })
        });
        let passed_on = packet.as_ref().and_then(|packet| self.passed_on(sent.from.0, packet));
        let first = *self.firsts.entry(label.number.clone()).or_insert(place);
        Message {
            sent,
            first: label.resent.then_some(first),
            label,
            packet,
            call,
            arrived: Vec::new(),
            overtaken: None,
            passed_on,
        }
    }

    /// The row of the message that came to a node and whose Via values are below those of this request, or above those of this response
    /// (RFC 3261 §16.6 step 8, §16.7 step 3).
    fn passed_on(&self, node: usize, packet: &Packet<'t>) -> Option<usize> {
        let key = (node, packet.call_id, packet.sequence, packet.method, packet.status());
        let rows = self.heard.get(&key)?.iter().rev().take(LOOKED_BACK);
        let came = rows.filter_map(|row| match &self.rows[*row].shown {
            Shown::Message(message) => Some((*row, message.packet.as_ref()?)),
            _ => None,
        });
        let (mut came, is_request) = (came, packet.is_request());
        came.find(|(_, other)| {
            let (upper, lower) = if is_request { (packet, *other) } else { (*other, packet) };
            upper.vias.len() == lower.vias.len() + 1
                && upper.vias.iter().skip(1).zip(&lower.vias).all(|(one, other)| one.id() == other.id())
        })
        .map(|(row, _)| row)
    }
}
