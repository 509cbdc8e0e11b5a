//! Shows what stands in the nodes, compared after each input ([`Recording::States`](crate::trace::Recording::States)).

use std::collections::BTreeMap;

use super::World;
use crate::packet::Packet;
use crate::trace::state::Key;
use crate::trace::{NodeId, RequestName, State, What};

/// Says what was found in a node last.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    states: BTreeMap<Key, State>,
    /// The requests of its transactions, as far as messages have shown them.
    requests: BTreeMap<String, RequestName>,
}

impl World {
    /// Records what stands otherwise in a node than when it was looked at last.
    pub(super) fn watch(&mut self, node: NodeId) {
        self.name_transactions();
        let (now, place) = (self.now, &mut self.nodes[node.0]);
        let found = if place.up { place.actor.states() } else { Vec::new() };
        let before = std::mem::take(&mut place.watched.states);
        let mut changes = Vec::new();
        for mut state in found {
            if let Some(clock) = place.clock {
                state.times().for_each(|at| *at = clock.when(*at));
            }
            if let State::Transaction(transaction) = &mut state {
                transaction.request = place.watched.requests.get(&transaction.id).cloned();
            }
            let key = state.key();
            if before.get(&key) != Some(&state) {
                changes.push(state.clone());
            }
            place.watched.states.insert(key, state);
        }
        // What is over comes first, so that a name that is used again names one thing at a time.
        let over = before.into_iter().filter(|(key, _)| !place.watched.states.contains_key(key));
        let over: Vec<State> = over.map(|(_, state)| state.over()).collect();
        for state in &over {
            if let State::Transaction(transaction) = state {
                place.watched.requests.remove(&transaction.id);
            }
        }
        over.into_iter().chain(changes).for_each(|state| self.trace.change(now, node, state));
    }

    /// Asks which transactions the requests belong to that came and went since this was asked last.
    fn name_transactions(&mut self) {
        for entry in self.trace.entries().get(self.named..).unwrap_or_default() {
            let (node, sent, is_sent) = match &entry.what {
                What::Sent(sent) => (sent.from, Some(sent), true),
                What::Arrived { node, sent } => (*node, self.trace.sent(*sent), false),
                What::Noted { .. } => continue,
            };
            let place = &mut self.nodes[node.0];
            let Some(bytes) = sent.map(|sent| if is_sent { &sent.bytes } else { sent.arriving() }) else { continue };
            if let Some(packet) = Packet::read(bytes).filter(Packet::is_request)
                && let Some(id) = place.actor.transaction_of(bytes, is_sent)
            {
                let request = RequestName {
                    method: packet.method.to_owned(),
                    branch: packet.top().branch.to_owned(),
                    call_id: packet.call_id.to_owned(),
                };
                place.watched.requests.entry(id).or_insert(request);
            }
        }
        self.named = self.trace.entries().len();
    }
}
