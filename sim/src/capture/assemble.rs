//! Messages as a trace.

use std::collections::BTreeMap;

use sansip::Instant;

use super::nodes::{Names, Nodes};
use super::reader::{Message, Place};
use super::remark::{Remark, Said};
use crate::packet::Packet;
use crate::trace::{NodeId, Trace, Transmission, What};

/// Makes a trace of messages and of remarks, both in the order of time and place, as if a simulated run had written it, and gives the place of each of its entries.
/// Times are counted from `zero`.
pub fn trace(messages: &[Message], remarks: &[Remark], names: &[Names], zero: u64) -> (Trace, Vec<Place>) {
    let mut nodes = Nodes::new(names);
    for message in messages {
        if let Some(packet) = Packet::read(&message.bytes) {
            nodes.learn(message, &packet);
        }
    }
    // Within one moment: what was said before a message was sent, the message, its arrival.
    let sent = messages.iter().enumerate().map(|(number, message)| (message.time, number, Step::Sent));
    let arrived = messages.iter().enumerate();
    let arrived = arrived.filter_map(|(number, message)| Some((message.arrived?, number, Step::Arrived)));
    let said = remarks.iter().enumerate().map(|(remark, it)| {
        let before = messages.partition_point(|message| (message.time, message.place) < (it.time, it.place));
        (it.time, before, Step::Said(remark))
    });
    let mut order: Vec<(u64, usize, Step)> = sent.chain(arrived).chain(said).collect();
    order.sort();
    let (mut trace, mut places) = (Trace::default(), Vec::with_capacity(order.len()));
    trace.set_captured();
    let mut ordinals: BTreeMap<(NodeId, NodeId), u32> = BTreeMap::new();
    // The entry of each message, and who it was for.
    let mut entries: Vec<Option<(usize, NodeId)>> = vec![None; messages.len()];
    for (time, number, step) in order {
        let time = Instant::from_nanos(time.saturating_sub(zero));
        if let Step::Said(remark) = step {
            if say(&mut trace, time, &remarks[remark], zero) {
                places.push(remarks[remark].place);
            }
            continue;
        }
        let message = &messages[number];
        if step == Step::Arrived {
            // A clock that is set back makes nothing arrive before it was sent.
            let Some((sent, node)) = entries[number] else { continue };
            trace.push(time, What::Arrived { node, sent });
        } else {
            let behind = message.behind.unwrap_or((message.source, message.destination));
            let name = |given: &Option<String>, at| given.clone().unwrap_or_else(|| nodes.name(at));
            let from = node(&mut trace, &name(&message.names.0, message.source));
            let to = node(&mut trace, &name(&message.names.1, behind.1));
            let ordinal = ordinals.entry((from, to)).or_default();
            *ordinal += 1;
            let sent = Transmission {
                from,
                to: Some(to),
                source: behind.0,
                destination: message.destination,
                ordinal: *ordinal,
                stream: message.stream,
                fate: message.fate,
                stopped: None,
                changed: None,
                bytes: message.bytes.clone(),
            };
            entries[number] = Some((trace.push(time, What::Sent(sent)), to));
        }
        places.push(message.place);
    }
    (trace, places)
}

/// A step of what happens, in the order within one moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Said(usize),
    Sent,
    Arrived,
}

/// Records a remark; whether it is an entry of the trace.
fn say(trace: &mut Trace, time: Instant, remark: &Remark, zero: u64) -> bool {
    let node = node(trace, &remark.node);
    match remark.said.clone() {
        Said::Note(note) => {
            trace.push(time, What::Noted { node, note });
            true
        }
        Said::State(mut state) => {
            state.times().for_each(|at| *at = Instant::from_nanos(at.as_nanos().saturating_sub(zero)));
            trace.change(time, node, state);
            false
        }
    }
}

fn node(trace: &mut Trace, name: &str) -> NodeId {
    trace.node(name).unwrap_or_else(|| trace.add_node(name))
}
