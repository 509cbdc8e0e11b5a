//! Flows to registrars that are kept alive (RFC 5626 §4.4).

use alloc::vec::Vec;

use super::bindings::{at_biloxi, bob, one, register};
use super::lone::Lone;
use super::pair::short;
use super::text::Text;
use crate::message::header::Protocol;
use crate::time::Duration;
use crate::user_agent::{KeepAlive, Profile, Register, UserAgent};
use crate::{Change, Config, ConnectionId, Input, Instant, Listener, NextHop, Node, Output, Seed};

const OURS: &str = "Contact: <sip:bob@192.0.2.4>;expires=3600\r\n";

fn registered(keep_alive: KeepAlive) -> (Lone, crate::RegistrationId) {
    let mut bob = bob();
    let (id, sent) = register(&mut bob, at_biloxi().keep_alive(keep_alive));
    bob.receive(&sent.respond("200 OK", "r", OURS));
    (bob, id)
}

#[test]
fn a_flow_of_datagrams_gets_one_line_end_now_and_then() {
    let (mut bob, id) = registered(KeepAlive::crlf(Duration::from_secs(29)));
    bob.run(Duration::from_secs(23));
    assert!(bob.pings.is_empty());
    bob.run(Duration::from_secs(6));
    assert_eq!(bob.pings, [b"\r\n"]);
    bob.run(Duration::from_secs(300));
    assert!((10..=13).contains(&(bob.pings.len() - 1)), "{}", bob.pings.len());
    // Without the registration there is nothing to keep.
    bob.command(|agent, now| agent.unregister(now, id)).unwrap();
    let sent = one(&mut bob);
    bob.receive(&sent.respond("200 OK", "r", ""));
    let before = bob.pings.len();
    bob.finish();
    assert_eq!(bob.pings.len(), before);
}

#[test]
fn without_the_wish_nothing_is_kept_alive() {
    let mut bob = bob();
    let (_, sent) = register(&mut bob, at_biloxi());
    bob.receive(&sent.respond("200 OK", "r", OURS));
    bob.run(Duration::from_secs(600));
    assert!(bob.pings.is_empty() && bob.take().is_empty());
}

#[test]
fn an_options_keeps_a_flow_alive_whatever_its_response_says() {
    let (mut bob, _) = registered(KeepAlive::options(Duration::from_secs(100)));
    for status in ["200 OK", "404 Not Found", "503 Busy"] {
        let mut sent = Vec::new();
        while sent.is_empty() {
            bob.run(Duration::from_millis(400));
            sent = bob.take();
        }
        let sent = sent.remove(0);
        assert_eq!((sent.method(), &*sent.start), ("OPTIONS", "OPTIONS sip:registrar.biloxi.com SIP/2.0"));
        bob.receive(&sent.respond(status, "r", ""));
    }
    assert_eq!(bob.told(), ["registered"]);
    assert!(bob.pings.is_empty());
}

/// The second OPTIONS waits for the end of the first; then the registration is made anew, and kept alive again.
#[test]
fn an_options_without_an_answer_tells_that_the_flow_is_lost() {
    let (mut bob, _) = registered(KeepAlive::options(Duration::from_secs(20)));
    bob.run(Duration::from_secs(53));
    let sent = bob.take();
    let methods: Vec<&str> = sent.iter().map(Text::method).collect();
    assert_eq!(bob.told(), ["registered", "flow lost"]);
    let (register, options) = methods.iter().partition::<Vec<&str>, _>(|method| **method == "REGISTER");
    assert!(!register.is_empty() && options.iter().all(|method| *method == "OPTIONS"), "{methods:?}");
    let branches: alloc::collections::BTreeSet<&str> =
        sent.iter().filter(|sent| sent.method() == "OPTIONS").map(|sent| sent.header("via")).collect();
    assert_eq!(branches.len(), 1, "one request, retransmitted");
    let again = sent.into_iter().find(|sent| sent.method() == "REGISTER").unwrap();
    bob.receive(&again.respond("200 OK", "r", OURS));
    bob.run(Duration::from_secs(20));
    assert!(bob.take().iter().any(|sent| sent.method() == "OPTIONS"));
}

/// The proxy that Bob connects to.
pub(super) fn proxy() -> NextHop {
    let proxy = NextHop::from("192.0.2.9:5060".parse::<core::net::SocketAddr>().unwrap());
    NextHop { protocol: Some(Protocol::Tcp), ..proxy }
}

/// Bob over TCP.
pub(super) struct Connected {
    pub(super) now: Instant,
    pub(super) agent: UserAgent,
    pub(super) connection: ConnectionId,
    pub(super) sent: Vec<Vec<u8>>,
    pub(super) told: Vec<alloc::string::String>,
    pub(super) opened: usize,
    pub(super) events: Vec<crate::user_agent::Event>,
}

impl Connected {
    pub(super) fn new(register: Register) -> Self {
        Self::with(register, |profile| profile.outbound = Some(proxy()))
    }

    pub(super) fn with(register: Register, adapt: impl FnOnce(&mut Profile)) -> Self {
        let mut profile = Profile::new("Bob <sip:bob@biloxi.com>".parse().unwrap());
        adapt(&mut profile);
        let mut agent = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
        agent.listen(Listener::tcp("192.0.2.4:5060".parse().unwrap()));
        let connection = ConnectionId::from_parts(0, 0);
        let (sent, told, events) = (Vec::new(), Vec::new(), Vec::new());
        let mut bob = Self { now: Instant::ZERO, agent, connection, sent, told, opened: 0, events };
        bob.agent.register(bob.now, register).unwrap();
        bob.drain();
        bob
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.agent.poll() {
            match output {
                Output::Send(transmit) => self.sent.push(transmit.bytes.to_vec()),
                Output::Event(event) => {
                    self.told.push(short(&event));
                    self.events.push(event);
                }
                Output::Open { connection, .. } => {
                    (self.connection, self.opened) = (connection, self.opened + 1);
                    let change = Change::Opened { identities: &[] };
                    self.agent.handle(self.now, Input::Connection { connection, change });
                }
                Output::Close { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.agent.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.agent.handle(self.now, Input::Tick);
            self.drain();
        }
        self.now = end;
    }

    /// Lets 96 to 120 s pass, until the ping.
    fn run_to_ping(&mut self) {
        self.run(Duration::from_secs(95));
        assert!(self.sent.is_empty());
        for _ in 0..25 {
            self.run(Duration::from_secs(1));
            if !self.sent.is_empty() {
                break;
            }
        }
        assert_eq!(core::mem::take(&mut self.sent), [b"\r\n\r\n"]);
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.agent.handle(self.now, Input::Stream { connection: self.connection, bytes });
        self.drain();
    }

    /// Takes the REGISTER that was sent last, with a 200.
    fn accept(&mut self) {
        let sent = core::mem::take(&mut self.sent);
        let text = Text::of(sent.last().unwrap());
        assert_eq!(text.method(), "REGISTER");
        self.receive(text.respond("200 OK", "r", "Expires: 3600\r\n").as_bytes());
    }
}

/// RFC 5626 §3.5.1, §4.4.1: two line ends, one in answer, within 10 s; else the flow has failed, and §4.2.1: registers anew.
#[test]
fn a_connection_that_does_not_answer_is_lost_and_the_registration_made_anew() {
    let mut bob = Connected::new(at_biloxi().keep_alive(KeepAlive::crlf(Duration::from_secs(120))));
    bob.accept();
    for _ in 0..3 {
        bob.run_to_ping();
        bob.receive(b"\r\n");
    }
    assert_eq!((bob.told.clone(), bob.opened), (["registered".into()].into(), 1));
    bob.run_to_ping();
    bob.run(Duration::from_secs(9));
    assert_eq!(bob.told.len(), 1);
    bob.run(Duration::from_secs(1));
    assert_eq!(bob.told.last().map(|told| &**told), Some("flow lost"));
    assert_eq!(bob.opened, 2, "another connection");
    bob.accept();
    assert_eq!(bob.told.last().map(|told| &**told), Some("registered"));
    // The new flow is kept alive, and one that is closed is lost at once.
    bob.run_to_ping();
    bob.receive(b"\r\n");
    bob.agent.handle(bob.now, Input::Connection { connection: bob.connection, change: Change::Closed });
    bob.drain();
    assert_eq!((bob.told.last().map(|told| &**told), bob.opened), (Some("flow lost"), 3));
}
