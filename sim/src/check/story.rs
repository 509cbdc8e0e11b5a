//! Traces made by hand, for the tests of checks.

use std::net::SocketAddr;
use std::sync::Arc;

use sansip::server::Settings;
use sansip::{ConnectionId, Input, Instant, Node, Output};

use super::judge::Judge;
use super::{Check, Library, Serving};
use crate::actor::{Actor, Call, Census, Session};
use crate::fault::Fate;
use crate::trace::{NodeId, Note, Trace, Transmission, What};
use crate::world::{Bound, Setting, World};

/// A trace of two nodes, the first of which is judged.
pub(super) struct Story(Trace, Option<Arc<Settings>>);

const JUDGED: NodeId = NodeId(0);
const OTHER: NodeId = NodeId(1);

impl Story {
    pub(super) fn new() -> Self {
        let mut trace = Trace::default();
        trace.add_node("judged");
        trace.add_node("other");
        Self(trace, None)
    }

    /// The first node is a domain's server with these settings.
    pub(super) fn server(settings: Settings) -> Self {
        Self(Self::new().0, Some(Arc::new(settings)))
    }

    /// As above; the judged node keeps no transactions.
    pub(super) fn stateless() -> Self {
        let mut story = Self::new();
        story.0.set_stateless(JUDGED);
        story
    }

    /// A capture of what the judged node saw.
    pub(super) fn captured(mut self) -> Self {
        self.0.set_captured();
        self
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

    /// To another place than before.
    pub(super) fn sends_elsewhere(mut self, at: u64, message: &str) -> Self {
        self.transmit(JUDGED, JUDGED, at, None, message);
        self
    }

    /// Along the connection of that number.
    pub(super) fn writes(mut self, at: u64, stream: u32, message: &str) -> Self {
        self.transmit(JUDGED, OTHER, at, Some(stream), message);
        self
    }

    /// Adds a message that came along the connection of that number.
    pub(super) fn reads(mut self, at: u64, stream: u32, message: &str) -> Self {
        let sent = self.transmit(OTHER, JUDGED, at, Some(stream), message);
        self.0.push(Instant::from_millis(at), What::Arrived { node: JUDGED, sent });
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

    /// The judged node has the call from now on.
    pub(super) fn begins(mut self, at: u64) -> Self {
        let note = Note::CallBegan { call_id: "c".into() };
        self.0.push(Instant::from_millis(at), What::Noted { node: JUDGED, note });
        self
    }

    /// The judged node has the call no more.
    pub(super) fn ends(self, at: u64) -> Self {
        self.ends_with(at, None)
    }

    /// The judged node has the call no more, and this session (its description, the other's) is the last one that it had.
    pub(super) fn ends_with(mut self, at: u64, session: Option<(&str, &str)>) -> Self {
        let session =
            session.map(|(local, remote)| Session { local: local.as_bytes().into(), remote: remote.as_bytes().into() });
        let note = Note::CallEnded { call_id: "c".into(), why: "over".into(), session };
        self.0.push(Instant::from_millis(at), What::Noted { node: JUDGED, note });
        self
    }

    pub(super) fn sends_at(self, times: &[u64], message: &str) -> Self {
        times.iter().fold(self, |story, at| story.sends(*at, message))
    }

    /// Whether this check says just this of what the first node did; an empty text, if it says nothing.
    pub(super) fn shows(&self, check: impl Check + 'static, why: &str) {
        let breaches = self.breaches(check);
        let right = match &breaches[..] {
            [] => why.is_empty(),
            [breach] => !why.is_empty() && breach.ends_with(why),
            _ => false,
        };
        assert!(right, "`{why}` was expected: {breaches:?}");
    }

    /// The finding of this check about the first node, at the end of second 100.
    pub(super) fn breaches(&self, check: impl Check + 'static) -> Vec<String> {
        let (library, checks): (_, [Box<dyn Check>; 1]) = (Library::default(), [Box::new(check)]);
        let servers =
            self.1.iter().map(|settings| Serving { node: JUDGED, name: "judged", settings: Arc::clone(settings) });
        let servers: Vec<_> = servers.collect();
        let now = Instant::from_millis(100_000);
        let breaches = Judge::new(&checks, &library, 0).judge(&self.0, None, now, &servers);
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

/// This message in the dialog that the first 2xx or 180 made.
pub(super) fn in_dialog(method: &str, vias: &[&str]) -> String {
    message(&format!("{method} sip:b@b SIP/2.0"), vias, ";tag=b", method)
}

/// This message with another number in CSeq.
pub(super) fn numbered(number: u32, message: &str) -> String {
    message.replace("CSeq: 1 ", &format!("CSeq: {number} "))
}

/// This message with one more header field.
pub(super) fn with(field: &str, message: &str) -> String {
    message.replacen("\r\n\r\n", &format!("\r\n{field}\r\n\r\n"), 1)
}

/// A node that only is something, for the checks of what is left at the end.
#[derive(Clone, Debug)]
pub(super) struct Still {
    pub(super) idle: bool,
    pub(super) calls: Vec<Call>,
    pub(super) census: Census,
    pub(super) capacity: Census,
}

impl Default for Still {
    /// Idle, with nothing.
    fn default() -> Self {
        Self { idle: true, calls: Vec::new(), census: Census::default(), capacity: Census::default() }
    }
}

impl Still {
    /// This check says just this of the node; an empty text, if it says nothing.
    pub(super) fn shows(self, check: impl Check + 'static, why: &str) {
        let mut world = World::new(Setting::default());
        world.add("judged", Box::new(self), [] as [Bound; 0]);
        let breaches = super::breaches(&[Box::new(check)], &world);
        let said: Vec<&str> = breaches.iter().map(|breach| breach.what.as_str()).collect();
        assert_eq!(said, if why.is_empty() { vec![] } else { vec![why] });
    }
}

impl Node for Still {
    type Event = Note;

    fn handle(&mut self, _: Instant, _: Input<'_>) {}

    fn poll(&mut self) -> Option<Output<Note>> {
        None
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn is_idle(&self) -> bool {
        self.idle
    }

    fn reserve(&mut self) -> ConnectionId {
        unreachable!("nobody connects to it")
    }
}

impl Actor for Still {
    fn calls(&self) -> Vec<Call> {
        self.calls.clone()
    }

    fn census(&self) -> Census {
        self.census
    }

    fn capacity(&self) -> Census {
        self.capacity
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
