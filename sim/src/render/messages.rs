//! A run as its messages, in full.

use std::fmt::Write as _;

use super::labels;
use crate::trace::{Trace, What};

/// Every message as it was sent, in order, each under a line that says its number, when, from whom to whom, and what became
/// of it. A copy is one line: its original stands above.
pub fn messages(trace: &Trace) -> String {
    let labels = labels(trace);
    let mut out = String::new();
    for (entry, index) in trace.entries().iter().zip(trace.first()..) {
        match &entry.what {
            What::Sent(sent) => {
                let Some(label) = labels.get(&index) else { continue };
                let to = sent.to.map_or_else(|| sent.destination.to_string(), |to| trace.name(to).to_owned());
                let resent = if label.resent { " (resent)" } else { "" };
                let _ = write!(out, "{} {} {} > {to}{resent}", label.number, entry.time, trace.name(sent.from));
                for fault in sent.fate.faults() {
                    let _ = write!(out, " {fault}");
                }
                out.push('\n');
                if !label.resent {
                    out.push('\n');
                    for line in String::from_utf8_lossy(&sent.bytes).lines() {
                        let _ = writeln!(out, "    {line}");
                    }
                    out.push('\n');
                }
            }
            What::Noted { node, note } => {
                let _ = writeln!(out, "* {} {} {note}", entry.time, trace.name(*node));
            }
            What::Arrived { .. } => {}
        }
    }
    out
}
