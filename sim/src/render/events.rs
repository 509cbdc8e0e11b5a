//! A run as events: JSON, one a line.

use std::net::SocketAddr;

use sansip::Instant;
use serde_json::{Value, json};

use super::{Figures, labels, state};
use crate::run::{Case, Verdict};
use crate::trace::{Trace, What};

/// An event `sent` with what is known of any traffic, that of a real node included: its number, when, between which nodes and addresses,
/// and the octets as text. [`events`] adds what only a simulation knows.
pub fn sent(
    id: usize,
    time: Instant,
    (from, to): (Option<&str>, Option<&str>),
    (source, destination): (SocketAddr, SocketAddr),
    bytes: &[u8],
) -> Value {
    json!({
        "event": "sent", "time": time.to_string(), "id": id, "from": from, "to": to,
        "source": source.to_string(), "destination": destination.to_string(),
        "bytes": String::from_utf8_lossy(bytes),
    })
}

/// The version of the form that events have (docs/trace.schema.json). It changes with the meaning of a field, when a field goes, or when there are events
/// of another kind; a field more is no other form. Version 1 has no `transaction`, `timer`, `dialog` and `binding`, and is read as well.
pub const VERSION: u64 = 2;

/// Everything that happened, in order, and the end with the broken checks; docs/trace.schema.json has their form.
///
/// | `event` | fields |
/// |---|---|
/// | `trace` | the first one: `version` of this form |
/// | `sent` | `id`, `from`, `to`, `source`, `destination`, `ordinal` on its link, `number` as in a ladder, `kind`, `resent`, `faults`, `stopped` (why else it did not arrive), `bytes` as text |
/// | `arrived` | `at`, `id` of what was sent |
/// | `noted` | `node`, `note`, `call_id` if it is about a call |
/// | `transaction` | `node`, `id`, `role`, `method`, `branch`, `call_id`, `remote`, `state`, `timers` that are set: `name`, `at` |
/// | `timer` | `node`, `id`, `name`, `at` (null if it is not set any more): a timer of the transaction user |
/// | `dialog` | `node`, `id`, `call_id`, `local_tag`, `remote_tag`, `state` |
/// | `binding` | `node`, `address_of_record`, `contact`, `expires` (null if it is gone) |
/// | `broken` | `check`, `time`, `what` |
/// | `end` | figures, `verdict` (null if nothing was judged), `replay`: the command that repeats the run, if there were faults |
///
/// `time` is in seconds since the start. What stands in the nodes is there if the trace has it ([`Recording::States`](crate::trace::Recording::States)).
pub fn events(trace: &Trace, figures: &Figures, verdict: Option<&Verdict>, replay: Option<&Case>) -> Vec<Value> {
    let labels = labels(trace);
    let mut events = vec![json!({"event": "trace", "version": VERSION})];
    let mut changes = trace.states().iter().peekable();
    let mut changed = |events: &mut Vec<Value>, until: usize| {
        while let Some(change) = changes.next_if(|change| change.next <= until) {
            events.push(state::written(change.time, trace.name(change.node), &change.state));
        }
    };
    for (entry, index) in trace.entries().iter().zip(trace.first()..) {
        changed(&mut events, index);
        let time = entry.time.to_string();
        events.push(match &entry.what {
            What::Sent(sent) => {
                let label = labels.get(&index);
                let to = sent.to.map(|to| trace.name(to));
                let addresses = (sent.source, sent.destination);
                let mut event =
                    self::sent(index, entry.time, (Some(trace.name(sent.from)), to), addresses, &sent.bytes);
                event["ordinal"] = json!(sent.ordinal);
                event["number"] = json!(label.map(|label| &label.number));
                event["kind"] = json!(label.map(|label| &label.kind));
                event["resent"] = json!(label.is_some_and(|label| label.resent));
                event["faults"] = json!(sent.fate.faults().collect::<Vec<_>>());
                event["stopped"] = json!(sent.stopped.map(|stopped| stopped.to_string()));
                event
            }
            What::Arrived { node, sent } => {
                json!({"event": "arrived", "time": time, "at": trace.name(*node), "id": sent})
            }
            What::Noted { node, note } => {
                let (node, call_id) = (trace.name(*node), note.call_id());
                json!({"event": "noted", "time": time, "node": node, "note": note.to_string(), "call_id": call_id})
            }
        });
    }
    changed(&mut events, usize::MAX);
    for breach in verdict.into_iter().flat_map(Verdict::breaches) {
        let time = breach.time.to_string();
        events.push(json!({"event": "broken", "time": time, "check": breach.check, "what": breach.what}));
    }
    events.push(json!({
        "event": "end", "time": figures.simulated.to_string(),
        "messages": figures.messages, "retransmissions": figures.retransmissions,
        "lost": figures.lost, "duplicated": figures.duplicated,
        "verdict": verdict.map(|verdict| verdict.outcome().to_string()), "replay": replay.map(ToString::to_string),
    }));
    events
}
