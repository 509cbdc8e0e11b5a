//! The wires: what becomes of the messages between two nodes.

use std::collections::BTreeMap;

use sansip::Instant;

use super::hash::Map;
use super::{Setting, World};
use crate::fault::{Fate, LinkDice, Selector};
use crate::link::Link;
use crate::packet::Packet;
use crate::trace::NodeId;

/// Every directed pair of nodes that was used, and the faults that select messages by more than one of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Wires {
    of_pair: Map<(NodeId, NodeId), u32>,
    wires: Vec<Wire>,
    selected: Vec<Selected>,
}

/// One direction between two nodes, made when it is first used.
#[derive(Clone, Debug)]
struct Wire {
    link: Link,
    sent: u32,
    planned: BTreeMap<u32, Fate>,
    /// Indices of the selectors that this pair fits.
    selected: Vec<usize>,
    dice: Option<LinkDice>,
}

/// A selector with how many messages it was for so far.
#[derive(Clone, Debug)]
struct Selected {
    selector: Selector,
    fate: Fate,
    seen: u32,
}

/// A message that is given to a wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    pub(super) link: Link,
    /// The how manieth of its pair, from 1.
    pub(super) ordinal: u32,
    pub(super) fate: Fate,
}

impl Wires {
    pub(super) fn new(setting: &Setting) -> Self {
        let several = setting.plan.messages().filter(|(selector, _)| selector.single().is_none());
        let selected = several.map(|(selector, fate)| Selected { selector: selector.clone(), fate, seen: 0 });
        Self { of_pair: Map::default(), wires: Vec::new(), selected: selected.collect() }
    }

    fn add(&mut self, pair: (NodeId, NodeId), wire: Wire) -> usize {
        let index = self.wires.len();
        self.wires.push(wire);
        self.of_pair.insert(pair, index as u32);
        index
    }

    /// The names that the plan may have for a message beyond its ordinal on its own link.
    fn select(&mut self, index: usize, bytes: &[u8]) -> Option<Fate> {
        let mut read = None;
        let mut chosen: Option<Fate> = None;
        for &which in &self.wires[index].selected {
            let Selected { selector, fate, seen } = &mut self.selected[which];
            let fits = selector.kind.as_ref().is_none_or(|kind| {
                read.get_or_insert_with(|| Packet::read(bytes)).as_ref().is_some_and(|packet| kind.fits(packet))
            });
            *seen += u32::from(fits);
            if fits && selector.ordinal.is_none_or(|ordinal| ordinal.get() == *seen) {
                chosen = Some(chosen.map_or(*fate, |chosen| chosen.and(*fate)));
            }
        }
        chosen
    }

    /// The next message of a wire.
    fn pass(&mut self, index: usize, now: Instant, bytes: &[u8]) -> Passage {
        let chosen = if self.wires[index].selected.is_empty() { None } else { self.select(index, bytes) };
        let wire = &mut self.wires[index];
        wire.sent += 1;
        let drawn = wire.dice.as_mut().map_or(Fate::FINE, |dice| dice.next(now, bytes.len()));
        let planned = match (wire.planned.get(&wire.sent), chosen) {
            (Some(planned), Some(chosen)) => Some(planned.and(chosen)),
            (planned, chosen) => planned.copied().or(chosen),
        };
        Passage { link: wire.link, ordinal: wire.sent, fate: planned.unwrap_or(drawn) }
    }
}

impl World {
    fn wire(&mut self, from: NodeId, to: NodeId) -> usize {
        if let Some(index) = self.wires.of_pair.get(&(from, to)) {
            return *index as usize;
        }
        let (from_name, to_name) = (self.trace.name(from), self.trace.name(to));
        let Setting { links, plan, weather, .. } = &*self.setting;
        let link = links.between(from_name, to_name);
        let single = plan.messages().filter_map(|(selector, fate)| Some((selector.single()?, fate)));
        let planned = single.filter(|((from, to, _), _)| (from.as_str(), to.as_str()) == (from_name, to_name));
        let planned = planned.map(|((_, _, ordinal), fate)| (ordinal, fate)).collect();
        let selected = self.wires.selected.iter().enumerate();
        let selected =
            selected.filter(|(_, selected)| selected.selector.is_of_link(from_name, to_name)).map(|(index, _)| index);
        let selected = selected.collect();
        let dice = weather.map(|weather| LinkDice::new(weather, link.conditions, from_name, to_name));
        self.wires.add((from, to), Wire { link, sent: 0, planned, selected, dice })
    }

    /// The link that connects a pair of nodes.
    pub(super) fn link(&mut self, from: NodeId, to: NodeId) -> Link {
        let index = self.wire(from, to);
        self.wires.wires[index].link
    }

    /// The fate of the next message of a directed pair: as the plan says, else as the weather draws.
    pub(super) fn pass(&mut self, from: NodeId, to: NodeId, bytes: &[u8]) -> Passage {
        let index = self.wire(from, to);
        self.wires.pass(index, self.now, bytes)
    }

    /// Plans the fate of a message that is still to be sent, the n-th from one node to another, in place of what was planned for
    /// it: a forked world goes another way. False if there is no such node, or if the message was sent already.
    pub fn set_fate(&mut self, from: &str, to: &str, ordinal: u32, fate: Fate) -> bool {
        let (Some(from), Some(to)) = (self.node(from), self.node(to)) else { return false };
        let index = self.wire(from, to);
        let wire = &mut self.wires.wires[index];
        let is_to_come = ordinal > wire.sent;
        if is_to_come {
            wire.planned.insert(ordinal, fate);
        }
        is_to_come
    }
}
