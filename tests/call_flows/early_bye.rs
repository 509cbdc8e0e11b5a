//! A caller that ends an early dialog with a BYE (RFC 5407 Appendix A), which `sansip::user_agent` never does: a script.

use std::collections::VecDeque;
use std::net::SocketAddr;

use sansip::message::header::{Header, To};
use sansip::message::{Limits, Message, Method};
use sansip::{ConnectionId, Flow, Input, Instant, ListenerId, Node, Output, Transmit};
use sansip_sim::World;
use sansip_sim::actor::Actor;
use sansip_sim::trace::Note;

const HERE: ListenerId = ListenerId::from_parts(0, 0);
const ALICE: &str = "192.0.2.1:5060";
const BOB: &str = "192.0.2.4:5060";

const EMPTY: &str = "Content-Length: 0\r\n\r\n";
const OFFER: &str =
    "Contact: <sip:alice@192.0.2.1>\r\nContent-Type: application/sdp\r\nContent-Length: 14\r\n\r\nv=0\r\ns=offer\r\n";

/// Calls at 0 ms, sends a BYE to the first early dialog at a given moment, and acknowledges each 2xx.
#[derive(Clone, Debug)]
pub(crate) struct EarlyBye {
    called: bool,
    bye: Option<Instant>,
    /// The To of the first response with a tag.
    to: Option<String>,
    out: VecDeque<Transmit>,
}

impl EarlyBye {
    pub(crate) fn at(milliseconds: u64) -> Self {
        Self { called: false, bye: Some(Instant::from_millis(milliseconds)), to: None, out: VecDeque::new() }
    }

    /// Puts the caller into a world.
    pub(crate) fn join(self, world: &mut World, name: &str) {
        world.add(name, Box::new(self), [(HERE, ALICE.parse::<SocketAddr>().expect("an address"))]);
    }

    fn send(&mut self, method: &str, number: u32, branch: &str, more: &str) {
        let to = self.to.as_deref().unwrap_or("<sip:bob@192.0.2.4>");
        let text = format!(
            "{method} sip:bob@192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP {ALICE};branch=z9hG4bK{branch}\r\n\
             Max-Forwards: 70\r\nFrom: Alice <sip:alice@atlanta.com>;tag=9fxced76sl\r\nTo: {to}\r\n\
             Call-ID: 3848276298220188511@192.0.2.1\r\nCSeq: {number} {method}\r\n{more}"
        );
        let flow = Flow::datagram(HERE, BOB.parse().expect("an address"));
        self.out.push_back(Transmit { flow, ttl: None, bytes: text.into_bytes().into() });
    }

    fn hear(&mut self, bytes: &[u8]) {
        let Ok(Message::Response(response)) = Message::parse(bytes, &Limits::default()) else { return };
        let to = response.headers().raw(To::ID).map(|to| String::from_utf8_lossy(to).into_owned());
        if self.to.is_none() {
            self.to = to.filter(|to| to.contains("tag="));
        }
        let is_invite = response.cseq().is_some_and(|cseq| cseq.method == Method::Invite);
        if is_invite && response.status().is_success() {
            self.send("ACK", 1, "ack", EMPTY);
        }
    }
}

impl Node for EarlyBye {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        if !self.called {
            self.called = true;
            self.send("INVITE", 1, "invite", OFFER);
        }
        if let Input::Datagram { bytes, .. } = input {
            self.hear(bytes);
        }
        if self.bye.is_some_and(|at| at <= now) {
            self.bye = None;
            self.send("BYE", 2, "bye", EMPTY);
        }
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        self.out.pop_front().map(Output::Send)
    }

    fn deadline(&self) -> Option<Instant> {
        if self.called { self.bye } else { Some(Instant::ZERO) }
    }

    fn is_idle(&self) -> bool {
        self.called && self.bye.is_none() && self.out.is_empty()
    }

    fn reserve(&mut self) -> ConnectionId {
        // Nothing connects to a UDP port.
        ConnectionId::from_parts(0, 0)
    }
}

impl Actor for EarlyBye {
    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
