//! A run as events: JSON, one a line.

use serde_json::{Value, json};

use super::{Figures, labels};
use crate::run::{Case, Verdict};
use crate::trace::{Note, Trace, What};

/// Everything that happened, in order, and the end with the broken checks.
///
/// | `event` | fields |
/// |---|---|
/// | `sent` | `id`, `from`, `to`, `source`, `destination`, `ordinal` on its link, `number` as in a ladder, `kind`, `resent`, `faults`, `stopped` (why else it did not arrive), `bytes` as text |
/// | `arrived` | `at`, `id` of what was sent |
/// | `noted` | `node`, `note`, `call_id` if it is about a call |
/// | `broken` | `check`, `time`, `what` |
/// | `end` | figures, `verdict`, `replay`: the command that repeats the run, if there were faults |
///
/// `time` is in seconds since the start.
pub fn events(trace: &Trace, figures: &Figures, verdict: &Verdict, replay: Option<&Case>) -> Vec<Value> {
    let labels = labels(trace);
    let mut events = Vec::new();
    for (entry, index) in trace.entries().iter().zip(trace.first()..) {
        let time = entry.time.to_string();
        events.push(match &entry.what {
            What::Sent(sent) => {
                let label = labels.get(&index);
                json!({
                    "event": "sent", "time": time, "id": index,
                    "from": trace.name(sent.from), "to": sent.to.map(|to| trace.name(to)),
                    "source": sent.source.to_string(), "destination": sent.destination.to_string(),
                    "ordinal": sent.ordinal,
                    "number": label.map(|label| &label.number), "kind": label.map(|label| &label.kind),
                    "resent": label.is_some_and(|label| label.resent),
                    "faults": sent.fate.faults().collect::<Vec<_>>(),
                    "stopped": sent.stopped.map(|stopped| stopped.to_string()),
                    "bytes": String::from_utf8_lossy(&sent.bytes),
                })
            }
            What::Arrived { node, sent } => {
                json!({"event": "arrived", "time": time, "at": trace.name(*node), "id": sent})
            }
            What::Noted { node, note } => {
                let call_id = match note {
                    Note::CallBegan { call_id } | Note::CallEnded { call_id, .. } => Some(call_id),
                    Note::Crashed | Note::Restarted | Note::Said(_) => None,
                };
                let node = trace.name(*node);
                json!({"event": "noted", "time": time, "node": node, "note": note.to_string(), "call_id": call_id})
            }
        });
    }
    for breach in verdict.breaches() {
        let time = breach.time.to_string();
        events.push(json!({"event": "broken", "time": time, "check": breach.check, "what": breach.what}));
    }
    events.push(json!({
        "event": "end", "time": figures.simulated.to_string(),
        "messages": figures.messages, "retransmissions": figures.retransmissions,
        "lost": figures.lost, "duplicated": figures.duplicated,
        "verdict": verdict.outcome().to_string(), "replay": replay.map(ToString::to_string),
    }));
    events
}
