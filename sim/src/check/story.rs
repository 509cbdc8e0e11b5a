//! Traces made by hand, for the tests of checks.

use std::net::SocketAddr;

use sansip::Instant;

use super::judge::Judge;
use super::{Check, Library};
use crate::fault::Fate;
use crate::trace::{NodeId, Trace, Transmission, What};

/// A trace of two nodes, the first of which is judged.
pub(super) struct Story(Trace);

const JUDGED: NodeId = NodeId(0);
const OTHER: NodeId = NodeId(1);

impl Story {
    pub(super) fn new() -> Self {
        let mut trace = Trace::default();
        trace.add_node("judged");
        trace.add_node("other");
        Self(trace)
    }

    fn transmit(&mut self, from: NodeId, to: NodeId, at: u64, stream: Option<u32>, message: &str) -> usize {
        let address = |node: NodeId| SocketAddr::from(([192, 0, 2, node.0 as u8], 5060));
        let sent = Transmission {
            from,
            to: Some(to),
            source: address(from),
            destination: address(to),
            ordinal: 1,
            fate: Fate::FINE,
            stopped: None,
            stream,
            changed: None,
            bytes: message.as_bytes().into(),
        };
        self.0.push(Instant::from_millis(at), What::Sent(sent))
    }

    pub(super) fn sends(mut self, at: u64, message: &str) -> Self {
        self.transmit(JUDGED, OTHER, at, None, message);
        self
    }

    /// Along the connection of that number.
    pub(super) fn writes(mut self, at: u64, stream: u32, message: &str) -> Self {
        self.transmit(JUDGED, OTHER, at, Some(stream), message);
        self
    }

    /// The connection of that number is no more.
    pub(super) fn loses(mut self, stream: u32) -> Self {
        self.0.lose(JUDGED, stream);
        self
    }

    pub(super) fn receives(mut self, at: u64, message: &str) -> Self {
        let sent = self.transmit(OTHER, JUDGED, at, None, message);
        self.0.push(Instant::from_millis(at), What::Arrived { node: JUDGED, sent });
        self
    }

    pub(super) fn sends_at(self, times: &[u64], message: &str) -> Self {
        times.iter().fold(self, |story, at| story.sends(*at, message))
    }

    /// What this check says of what the first node did, at the end of second 100.
    pub(super) fn breaches(&self, check: impl Check + 'static) -> Vec<String> {
        let (library, checks): (_, [Box<dyn Check>; 1]) = (Library::default(), [Box::new(check)]);
        let breaches = Judge::new(&checks, &library, 0).judge(&self.0, None, Instant::from_millis(100_000));
        breaches.into_iter().map(|breach| breach.what).filter(|what| what.starts_with("judged")).collect()
    }
}

pub(super) fn message(start: &str, vias: &[&str], to_tag: &str, method: &str) -> String {
    let vias: String = vias.iter().map(|via| format!("Via: SIP/2.0/UDP host;branch=z9hG4bK{via}\r\n")).collect();
    format!("{start}\r\n{vias}From: <sip:a@a>;tag=a\r\nTo: <sip:b@b>{to_tag}\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n\r\n")
}

pub(super) fn request(method: &str, vias: &[&str]) -> String {
    message(&format!("{method} sip:b@b SIP/2.0"), vias, "", method)
}

pub(super) fn response(status: u16, method: &str, vias: &[&str]) -> String {
    message(&format!("SIP/2.0 {status} Reason"), vias, ";tag=b", method)
}
