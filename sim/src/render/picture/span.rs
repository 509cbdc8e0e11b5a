//! Transactions, their timers and dialogs, as far as messages prove them.

use std::collections::{BTreeMap, BTreeSet};

use sansip::Instant;

use super::{Message, Picture, Shown};
use crate::packet::Packet;
use crate::trace::Trace;

/// Something that lasts at a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The node's place.
    pub node: usize,
    /// The kind of thing.
    pub kind: Kind,
    /// Says what it is called: a method, the tag of the peer, the letter of a timer.
    pub name: String,
    /// The branch of a transaction, or the Call-ID of a dialog.
    pub id: String,
    /// Its states, one after the other.
    pub pieces: Vec<Piece>,
}

/// The kind of thing that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// RFC 3261 §12.
    Dialog,
    /// RFC 3261 §17.1.
    Client,
    /// RFC 3261 §17.2.
    Server,
    /// RFC 3261, table 4.
    Timer,
    /// RFC 3261 §10.
    Binding,
}

/// A state, and how long it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// When it begins.
    pub from: Instant,
    /// When it is over, or was seen last.
    pub until: Instant,
    /// The state, as the RFC calls it.
    pub state: String,
}

impl Kind {
    /// How such things are called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dialog => "dialog",
            Self::Client => "client transaction",
            Self::Server => "server transaction",
            Self::Timer => "timer",
            Self::Binding => "binding",
        }
    }
}

/// A transaction: node, branch and sent-by of the topmost Via, method (that of an ACK is INVITE), and which side (RFC 3261 §17.1.3, §17.2.3).
type Transaction<'t> = (usize, &'t str, &'t str, &'t str, Kind);
/// A dialog as a node has it: Call-ID, and the tags of both ends in the order in which the INVITE has them.
type Dialog<'t> = (usize, &'t str, &'t str, &'t str);

/// Finds what lasts in the messages of a picture.
pub(super) fn spans<'t>(trace: &'t Trace, picture: &Picture<'t>) -> Vec<Span> {
    let mut finder =
        Finder { stateless: trace.nodes().map(|(node, _)| trace.is_stateless(node)).collect(), ..Finder::default() };
    // Sendings and arrivals in the order of time; an arrival that is no row happened before anything else at its receiver.
    let mut seen: Vec<(Instant, usize, bool)> = Vec::new();
    for (row, at, message) in picture.messages() {
        seen.push((at.time, row, false));
        seen.extend(message.arrived.iter().map(|time| (*time, row, true)));
    }
    seen.sort();
    for (time, row, is_arrival) in seen {
        let Shown::Message(message) = &picture.rows[row].shown else { continue };
        let Some(packet) = &message.packet else { continue };
        match message.to() {
            Some(to) if is_arrival => finder.arrives(time, to, packet),
            _ if !is_arrival => finder.is_sent(time, message, packet),
            _ => {}
        }
    }
    finder.spans
}

#[derive(Default)]
struct Finder<'t> {
    stateless: Vec<bool>,
    spans: Vec<Span>,
    transactions: BTreeMap<Transaction<'t>, usize>,
    dialogs: BTreeMap<Dialog<'t>, usize>,
    /// The timer that sends each message of a node again, and when it went out last.
    timers: BTreeMap<(usize, String), (Instant, Option<usize>)>,
    /// Responses with a To tag that came to a node: it passes them on.
    passed: BTreeSet<Dialog<'t>>,
}

impl<'t> Finder<'t> {
    fn arrives(&mut self, time: Instant, node: usize, packet: &Packet<'t>) {
        let kind = if packet.is_request() { Kind::Server } else { Kind::Client };
        self.transaction(time, node, packet, kind);
        if !packet.is_request() && packet.method == "INVITE" && !packet.to_tag.is_empty() {
            if packet.vias.len() == 1 {
                self.dialog(time, node, packet);
            } else {
                self.passed.insert((node, packet.call_id, packet.from_tag, packet.to_tag));
            }
        }
        self.bye(time, node, packet);
    }

    fn is_sent(&mut self, time: Instant, message: &Message<'t>, packet: &Packet<'t>) {
        let node = message.from();
        let kind = if packet.is_request() { Kind::Client } else { Kind::Server };
        self.transaction(time, node, packet, kind);
        if !packet.is_request() && packet.method == "INVITE" && !packet.to_tag.is_empty() {
            let is_passed = self.passed.contains(&(node, packet.call_id, packet.from_tag, packet.to_tag));
            if !is_passed && message.passed_on.is_none() {
                self.dialog(time, node, packet);
            }
        }
        self.timer(time, node, message, packet);
        self.bye(time, node, packet);
    }

    fn transaction(&mut self, time: Instant, node: usize, packet: &Packet<'t>, kind: Kind) {
        if self.stateless.get(node).copied().unwrap_or_default() {
            return;
        }
        let top = packet.top();
        let method = if packet.method == "ACK" { "INVITE" } else { packet.method };
        let key = (node, top.branch, top.sent_by, method, kind);
        let Some(known) = self.transactions.get(&key).copied() else {
            // An ACK for a 2xx is no transaction, and a response to nothing that was seen proves none.
            if packet.is_request() && packet.method != "ACK" {
                let state = match (kind, method) {
                    (Kind::Client, "INVITE") => "Calling",
                    (Kind::Server, "INVITE") => "Proceeding",
                    _ => "Trying",
                };
                self.transactions.insert(key, self.spans.len());
                self.begin(node, kind, method, top.branch, time, state);
            }
            return;
        };
        let state = match (packet.status(), method) {
            (None, "INVITE") if packet.method == "ACK" => (kind == Kind::Server).then_some("Confirmed"),
            (None, _) => None,
            (Some(100..200), _) => Some("Proceeding"),
            // RFC 6026 §7.
            (Some(200..300), "INVITE") => Some("Accepted"),
            (Some(_), _) => Some("Completed"),
        };
        self.goes_on(known, time, state);
    }

    fn dialog(&mut self, time: Instant, node: usize, packet: &Packet<'t>) {
        let key = (node, packet.call_id, packet.from_tag, packet.to_tag);
        let turned = (node, packet.call_id, packet.to_tag, packet.from_tag);
        let known = self.dialogs.get(&key).or_else(|| self.dialogs.get(&turned)).copied();
        let state = match packet.status() {
            Some(101..200) => "early",
            Some(200..300) => "confirmed",
            _ if known.is_some() => "ended",
            _ => return,
        };
        match known {
            Some(known) => {
                let is_later = self.spans[known].pieces.last().is_some_and(|piece| piece.state == "early");
                self.goes_on(known, time, is_later.then_some(state));
            }
            None => {
                self.dialogs.insert(key, self.spans.len());
                self.begin(node, Kind::Dialog, packet.to_tag, packet.call_id, time, state);
            }
        }
    }

    /// A dialog is over with the final response to its BYE (RFC 3261 §15).
    fn bye(&mut self, time: Instant, node: usize, packet: &Packet<'t>) {
        for key in [
            (node, packet.call_id, packet.from_tag, packet.to_tag),
            (node, packet.call_id, packet.to_tag, packet.from_tag),
        ] {
            if let Some(known) = self.dialogs.get(&key).copied()
                && packet.method != "INVITE"
                && self.spans[known].pieces.last().is_some_and(|piece| piece.state != "ended")
            {
                self.goes_on(known, time, None);
                if packet.method == "BYE" && packet.is_final() {
                    self.goes_on(known, time, Some("ended"));
                }
            }
        }
    }

    /// The timer that sent a message again ran since the message went out before.
    fn timer(&mut self, time: Instant, node: usize, message: &Message<'_>, packet: &Packet<'_>) {
        let is_kept = packet.top().is_reliable() && !packet.answers(2, "INVITE");
        let name = match (packet.status(), packet.method) {
            _ if is_kept || self.stateless.get(node).copied().unwrap_or_default() => return,
            (None, "ACK") => return,
            (None, "INVITE") => "A",
            (None, _) => "E",
            (Some(101..200), "INVITE") if packet.values("rseq", "rseq").next().is_some() => "1xx",
            (Some(200..300), "INVITE") if message.passed_on.is_none() => "2xx",
            (Some(300..), "INVITE") => "G",
            _ => return,
        };
        let key = (node, message.label.number.clone());
        let Some((last, span)) = self.timers.insert(key.clone(), (time, None)) else { return };
        let place = span.unwrap_or(self.spans.len());
        let piece = Piece { from: last, until: time, state: super::stated::lasting(time.since(last)) };
        match span {
            Some(span) => self.spans[span].pieces.push(piece),
            None => self.spans.push(Span {
                node,
                kind: Kind::Timer,
                name: name.to_owned(),
                id: message.label.number.clone(),
                pieces: vec![piece],
            }),
        }
        self.timers.insert(key, (time, Some(place)));
    }

    fn begin(&mut self, node: usize, kind: Kind, name: &str, id: &str, from: Instant, state: &str) {
        let pieces = vec![Piece { from, until: from, state: state.to_owned() }];
        self.spans.push(Span { node, kind, name: name.to_owned(), id: id.to_owned(), pieces });
    }

    /// A span was seen again, in a state that may be another. A final state does not go back.
    fn goes_on(&mut self, span: usize, time: Instant, state: Option<&str>) {
        let rank = |state: &str| match state {
            "Calling" | "Trying" | "early" => 0,
            "Proceeding" => 1,
            "Completed" | "Accepted" | "confirmed" => 2,
            _ => 3,
        };
        let Some(piece) = self.spans[span].pieces.last_mut() else { return };
        piece.until = piece.until.max(time);
        if let Some(state) = state
            && rank(state) > rank(&piece.state)
        {
            self.spans[span].pieces.push(Piece { from: time, until: time, state: state.to_owned() });
        }
    }
}
