//! Shows what lasts at a node, as the node itself says: its transactions, timers, dialogs and bindings.

use std::collections::BTreeMap;

use sansip::{Duration, Instant};

use super::{Kind, Piece, Span};
use crate::trace::{Binding, Dialog, State, StateChange, Timer, Trace, Transaction};

/// Finds what lasts in the changes of what stands in the nodes. What stands at the end lasts until then.
pub(super) fn spans(trace: &Trace, end: Instant) -> Vec<Span> {
    let end = trace.states().last().map_or(end, |change| change.time.max(end));
    let mut maker = Maker::default();
    for StateChange { time, node, state, .. } in trace.states() {
        match state {
            State::Transaction(transaction) => maker.transaction(*time, node.0, transaction),
            State::Timer(Timer { id, name, at }) => {
                // Its letter where it has one: timer C of a proxy.
                let name = name.strip_prefix("Timer").unwrap_or(name);
                let set: Vec<(String, Instant)> = at.iter().map(|at| (name.to_owned(), *at)).collect();
                maker.timers(*time, (node.0, id), "", &set);
            }
            State::Dialog(Dialog { id, call_id, remote_tag, state, .. }) => {
                let name = remote_tag.as_deref().unwrap_or("none");
                maker.stands(*time, (node.0, Kind::Dialog, id), (name, call_id), (state, state == "terminated"));
            }
            State::Binding(Binding { address_of_record, contact, expires }) => {
                let id = format!("{address_of_record} {contact}");
                let state = if expires.is_some() { "bound" } else { "gone" };
                maker.stands(*time, (node.0, Kind::Binding, &id), (contact, &id), (state, expires.is_none()));
            }
        }
    }
    maker.end(end)
}

/// How long a timer runs.
pub(super) fn lasting(time: Duration) -> String {
    match time.as_millis() {
        millis if millis >= 10_000 && millis % 1_000 == 0 => format!("{} s", millis / 1_000),
        millis => format!("{millis} ms"),
    }
}

/// Something that stands in a node: the node, the kind, and its name there.
type Known = (usize, Kind, String);

#[derive(Default)]
struct Maker {
    spans: Vec<Span>,
    /// The span of each thing that stands.
    standing: BTreeMap<Known, usize>,
    /// The timers that are set, each with its span and when it fires: by node, by the name of what set it, and by their letter.
    set: BTreeMap<(usize, String, String), (usize, Instant)>,
    /// The span of each timer that was ever set.
    timers: BTreeMap<(usize, String, String), usize>,
}

impl Maker {
    fn transaction(&mut self, time: Instant, node: usize, transaction: &Transaction) {
        let Transaction { id, is_client, request, state, timers, remote } = transaction;
        let kind = if *is_client { Kind::Client } else { Kind::Server };
        let (method, branch) =
            request.as_ref().map_or(("", remote.as_str()), |request| (&*request.method, &*request.branch));
        self.stands(time, (node, kind, id), (method, branch), (state, state == "Terminated"));
        self.timers(time, (node, id), &format!("{method} {}", kind.name()), timers);
    }

    /// A thing stands in a node in that state, or has stood there until now.
    fn stands(
        &mut self,
        time: Instant,
        (node, kind, key): (usize, Kind, &str),
        (name, id): (&str, &str),
        (state, is_over): (&str, bool),
    ) {
        let known = (node, kind, key.to_owned());
        let place = match self.standing.get(&known).copied() {
            Some(place) => place,
            // What nobody saw standing says nothing by its end.
            None if is_over => return,
            None => {
                let (name, id) = (name.to_owned(), id.to_owned());
                self.spans.push(Span { node, kind, name, id, pieces: Vec::new() });
                self.standing.insert(known.clone(), self.spans.len() - 1);
                self.spans.len() - 1
            }
        };
        let span = &mut self.spans[place];
        if span.name.is_empty() {
            // A message told later what it is about.
            (span.name, span.id) = (name.to_owned(), id.to_owned());
        }
        if let Some(piece) = span.pieces.last_mut() {
            piece.until = time;
        }
        if is_over {
            self.standing.remove(&known);
        } else if span.pieces.last().is_none_or(|piece| piece.state != state) {
            span.pieces.push(Piece { from: time, until: time, state: state.to_owned() });
        }
    }

    /// These timers of one thing are set from now on, and no others.
    fn timers(&mut self, time: Instant, (node, id): (usize, &str), of: &str, set: &[(String, Instant)]) {
        let is_set = |letter: &str, at: Instant| set.iter().any(|(name, other)| name == letter && *other == at);
        let own = self.set.range((node, id.to_owned(), String::new())..);
        let own = own.take_while(|((at, of, _), _)| *at == node && of == id);
        let over = own.filter(|((.., letter), (_, at))| !is_set(letter, *at));
        let over: Vec<_> = over.map(|(key, _)| key.clone()).collect();
        for key in over {
            if let Some((span, at)) = self.set.remove(&key)
                && let Some(piece) = self.spans[span].pieces.last_mut()
            {
                piece.until = time.min(at);
                piece.state.push_str(if time >= at { ", fired" } else { ", stopped" });
            }
        }
        for (letter, at) in set {
            let key = (node, id.to_owned(), letter.clone());
            if self.set.contains_key(&key) {
                continue;
            }
            let spans = &mut self.spans;
            let place = *self.timers.entry(key.clone()).or_insert_with(|| {
                spans.push(Span {
                    node,
                    kind: Kind::Timer,
                    name: letter.clone(),
                    id: of.to_owned(),
                    pieces: Vec::new(),
                });
                spans.len() - 1
            });
            let state = lasting(at.since(time.min(*at)));
            spans[place].pieces.push(Piece { from: time, until: time, state });
            self.set.insert(key, (place, *at));
        }
    }

    fn end(mut self, end: Instant) -> Vec<Span> {
        let timers = self.set.into_values().map(|(span, at)| (span, end.min(at)));
        for (span, until) in self.standing.into_values().map(|span| (span, end)).chain(timers) {
            if let Some(piece) = self.spans[span].pieces.last_mut() {
                piece.until = piece.until.max(until);
            }
        }
        self.spans
    }
}
