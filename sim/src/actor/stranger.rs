//! A stranger who floods servers with whatever costs them something.

use std::collections::VecDeque;
use std::fmt::Write;
use std::net::SocketAddr;

use sansip::{ConnectionId, Duration, Flow, Input, Instant, ListenerId, Node, Output, Transmit};

use super::Actor;
use crate::fault::{Event, TimedFault};
use crate::trace::Note;

/// The name of the stranger in traces.
pub const STRANGER: &str = "stranger";

/// Datagrams that a stranger sends to one node for some time.
#[derive(Clone, Copy, Debug)]
pub struct Flood {
    to: SocketAddr,
    /// When the next datagram goes.
    next: Instant,
    until: Instant,
    /// From one datagram to the next.
    interval: Duration,
}

impl Flood {
    /// The flood that a fault says, if it is one; `address_of` knows where nodes are.
    pub fn of(fault: &TimedFault, address_of: impl Fn(&str) -> Option<SocketAddr>) -> Option<Self> {
        let Event::Flood { node, until, rate } = &fault.event else { return None };
        let interval = Duration::from_micros(1_000_000 / u64::from(*rate).max(1));
        Some(Self { to: address_of(node)?, next: fault.at, until: *until, interval })
    }
}

/// Sends floods, and hears nothing. Every datagram is another request: one for nobody, a registration, an ACK for nothing, credentials with a
/// nonce that was never given, a request of a dialog that is not there, something that is to be led to somebody else by its Request-URI or by a Route, or no message at all.
#[derive(Clone, Debug)]
pub struct Stranger {
    floods: Vec<Flood>,
    sent: u64,
    out: VecDeque<Transmit>,
}

const HERE: ListenerId = ListenerId::from_parts(0, 0);

impl Stranger {
    /// Where it is.
    pub(crate) const BOUND: (ListenerId, SocketAddr) =
        (HERE, SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 66)), 5060));

    /// A stranger with these plans.
    pub fn new(floods: Vec<Flood>) -> Self {
        Self { floods, sent: 0, out: VecDeque::new() }
    }

    /// The next datagram.
    fn datagram(&mut self) -> Vec<u8> {
        self.sent += 1;
        let number = self.sent;
        let request = |method: &str, uri: &str, to: &str, more: &str| {
            let mut text =
                format!("{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.66;branch=z9hG4bKs{number}\r\n");
            let _ = write!(
                text,
                "Max-Forwards: 70\r\nFrom: <sip:s{number}@stranger.example>;tag=s{number}\r\nTo: {to}\r\n\
                 Call-ID: s{number}@stranger\r\nCSeq: 1 {method}\r\n{more}Content-Length: 0\r\n\r\n"
            );
            text.into_bytes()
        };
        let contact = "Contact: <sip:s@203.0.113.66>\r\n";
        let own = format!("<sip:s{number}@biloxi.com>");
        match number % 10 {
            0 => b"INVITE sip:nobody@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.66;branch=z9hG4bK\r\n".to_vec(),
            1..=3 => request("INVITE", "sip:nobody@biloxi.com", "<sip:nobody@biloxi.com>", contact),
            4 => {
                let register = request("REGISTER", "sip:biloxi.com", &own, contact);
                String::from_utf8_lossy(&register).replace("@stranger.example>", "@biloxi.com>").into_bytes()
            }
            5 => request("OPTIONS", "sip:biloxi.com", "<sip:biloxi.com>", ""),
            6 => request("ACK", "sip:nobody@biloxi.com", "<sip:nobody@biloxi.com>;tag=none", ""),
            7 => request("BYE", "sip:nobody@biloxi.com", "<sip:nobody@biloxi.com>;tag=none", ""),
            8 => {
                let credentials = format!(
                    "Authorization: Digest username=\"bob\", realm=\"biloxi.com\", nonce=\"{number:064x}\", \
                     uri=\"sip:biloxi.com\", response=\"{number:032x}\", algorithm=MD5\r\n"
                );
                request("REGISTER", "sip:biloxi.com", "<sip:bob@biloxi.com>", &credentials)
            }
            _ if number % 20 == 9 => request("MESSAGE", "sip:bob@192.0.2.4", "<sip:bob@192.0.2.4>", ""),
            _ => request("MESSAGE", "sip:bob@biloxi.com", "<sip:bob@biloxi.com>", "Route: <sip:192.0.2.4;lr>\r\n"),
        }
    }
}

impl Node for Stranger {
    type Event = Note;

    fn handle(&mut self, now: Instant, _: Input<'_>) {
        for place in 0..self.floods.len() {
            while let Some(flood) =
                self.floods.get(place).copied().filter(|flood| flood.next <= now && flood.next < flood.until)
            {
                let bytes = self.datagram().into();
                self.out.push_back(Transmit { flow: Flow::datagram(HERE, flood.to), ttl: None, bytes });
                if let Some(flood) = self.floods.get_mut(place) {
                    flood.next += flood.interval;
                }
            }
        }
        self.floods.retain(|flood| flood.next < flood.until);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        self.out.pop_front().map(Output::Send)
    }

    fn deadline(&self) -> Option<Instant> {
        self.floods.iter().map(|flood| flood.next).min()
    }

    fn is_idle(&self) -> bool {
        self.floods.is_empty() && self.out.is_empty()
    }

    fn reserve(&mut self) -> ConnectionId {
        // Nothing connects to a UDP port.
        ConnectionId::from_parts(0, 0)
    }
}

impl Actor for Stranger {
    fn is_stranger(&self) -> bool {
        true
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_has_its_rate_and_its_end() {
        let at = |millis| Instant::from_millis(millis);
        let to = SocketAddr::from(([192, 0, 2, 3], 5060));
        let event = Event::Flood { node: "biloxi".into(), until: at(2_000), rate: 100 };
        let flood = Flood::of(&TimedFault { at: at(1_000), event }, |name| (name == "biloxi").then_some(to)).unwrap();
        let mut stranger = Stranger::new(vec![flood]);
        let mut sent = Vec::new();
        assert_eq!(stranger.deadline(), Some(at(1_000)));
        while let Some(next) = stranger.deadline() {
            stranger.handle(next, Input::Tick);
            while let Some(Output::Send(transmit)) = stranger.poll() {
                assert!(next < at(2_000) && transmit.flow == Flow::datagram(HERE, to));
                sent.push(String::from_utf8_lossy(&transmit.bytes).into_owned());
            }
        }
        assert!(stranger.is_idle());
        assert_eq!(sent.len(), 100);
        for method in ["INVITE", "REGISTER", "OPTIONS", "ACK", "BYE", "MESSAGE"] {
            assert!(sent.iter().any(|text| text.starts_with(method)), "{method}");
        }
        sent.sort_unstable();
        sent.dedup();
        assert_eq!(sent.len(), 91, "each is another request, but for what is none");
    }
}
