//! Names of messages as RFCs number them: R1, R2 for registrations, F1, F2, … for the rest.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use crate::actor::VERBS;
use crate::packet::{Packet, Start};
use crate::trace::{NodeId, Trace};

/// How a transmission is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// `F1`: numbered in the order of first sending, registrations by themselves as `R1`, and what a farm asks its store as `Q1`. A copy
    /// has its original's.
    pub number: String,
    /// `INVITE` or `180`.
    pub kind: String,
    /// `Ringing`; empty for a request.
    pub reason: String,
    /// Whether the same octets went the same way before.
    pub resent: bool,
}

impl Label {
    /// `F8 180 (resent)`: without the reason phrase.
    pub fn short(&self) -> String {
        let Self { number, kind, resent, .. } = self;
        format!("{number} {kind}{}", if *resent { " (resent)" } else { "" })
    }
}

impl fmt::Display for Label {
    /// `F8 180 Ringing (resent)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, kind, reason, resent } = self;
        write!(f, "{number} {kind}")?;
        if !reason.is_empty() {
            write!(f, " {reason}")?;
        }
        f.write_str(if *resent { " (resent)" } else { "" })
    }
}

/// The labels of all transmissions, by the index of their entry in the trace.
pub fn labels(trace: &Trace) -> BTreeMap<usize, Label> {
    let mut known: BTreeMap<(NodeId, SocketAddr, &[u8]), Label> = BTreeMap::new();
    let (mut registrations, mut others, mut questions) = (0, 0, 0);
    let mut labels = BTreeMap::new();
    for (index, _, sent) in trace.transmissions() {
        let key = (sent.from, sent.destination, &*sent.bytes);
        let label = match known.get(&key) {
            Some(label) => Label { resent: true, ..label.clone() },
            None => {
                let packet = Packet::read(&sent.bytes);
                let number = if packet.as_ref().is_some_and(|packet| packet.method == "REGISTER") {
                    registrations += 1;
                    format!("R{registrations}")
                } else if packet.is_none() && word(&sent.bytes).is_some() {
                    questions += 1;
                    format!("Q{questions}")
                } else {
                    others += 1;
                    format!("F{others}")
                };
                let (kind, reason) = match &packet {
                    Some(Packet { start: Start::Response { status, reason }, .. }) => {
                        (status.to_string(), (*reason).to_owned())
                    }
                    Some(request) => (request.method.to_owned(), String::new()),
                    None => match word(&sent.bytes) {
                        Some(word) => (word.to_owned(), String::new()),
                        None => (format!("{} octets", sent.bytes.len()), String::new()),
                    },
                };
                let label = Label { number, kind, reason, resent: false };
                known.insert(key, label.clone());
                label
            }
        };
        labels.insert(index, label);
    }
    labels
}

/// The first word of a question to the store of a farm, or of its answer.
fn word(bytes: &[u8]) -> Option<&str> {
    let (word, _) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
    VERBS.contains(&word).then_some(word)
}
