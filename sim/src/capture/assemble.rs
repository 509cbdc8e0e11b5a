//! Messages as a trace.

use std::collections::BTreeMap;

use sansip::Instant;

use super::nodes::{Names, Nodes};
use super::reader::{Message, Place};
use crate::packet::Packet;
use crate::trace::{NodeId, Trace, Transmission, What};

/// Makes a trace of messages, as if a simulated run had written it, and gives the place of each of its entries. Times are counted from `zero`.
pub fn trace(messages: &[Message], names: &[Names], zero: u64) -> (Trace, Vec<Place>) {
    let mut nodes = Nodes::new(names);
    for message in messages {
        if let Some(packet) = Packet::read(&message.bytes) {
            nodes.learn(message, &packet);
        }
    }
    // Messages that were sent, then those that arrived; in this order within one moment.
    let sent = messages.iter().enumerate().map(|(number, message)| (message.time, number, false));
    let arrived = messages.iter().enumerate();
    let arrived = arrived.filter_map(|(number, message)| Some((message.arrived?, number, true)));
    let mut order: Vec<(u64, usize, bool)> = sent.chain(arrived).collect();
    order.sort();
    let (mut trace, mut places) = (Trace::default(), Vec::with_capacity(order.len()));
    trace.set_captured();
    let mut ordinals: BTreeMap<(NodeId, NodeId), u32> = BTreeMap::new();
    // The entry of each message, and who it was for.
    let mut entries: Vec<Option<(usize, NodeId)>> = vec![None; messages.len()];
    for (time, number, is_arrival) in order {
        let (message, time) = (&messages[number], Instant::from_nanos(time.saturating_sub(zero)));
        if is_arrival {
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

fn node(trace: &mut Trace, name: &str) -> NodeId {
    trace.node(name).unwrap_or_else(|| trace.add_node(name))
}
