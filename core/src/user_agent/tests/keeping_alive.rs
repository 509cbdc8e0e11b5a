//! Flows to registrars that are kept alive (RFC 5626 §4.4).

use alloc::vec::Vec;

use super::bindings::{at_biloxi, bob, one, register};
use super::lone::Lone;
use super::pair::short;
use super::text::Text;
use crate::error::CommandError;
use crate::message::header::Protocol;
use crate::time::Duration;
use crate::user_agent::{BackOff, KeepAlive, KeptFlowId, Outgoing, Profile, Register, UserAgent};
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

fn options(seconds: u64) -> KeepAlive {
    KeepAlive::options(Duration::from_secs(seconds))
}

fn carol() -> Outgoing {
    Outgoing::to(&"Carol <sip:carol@192.0.2.9>".parse().unwrap())
}

/// Bob keeps a flow to Carol, and has asked her; the OPTIONS.
fn keeping(keep_alive: KeepAlive) -> (Lone, KeptFlowId, Text) {
    let mut bob = Lone::new();
    let kept = bob.command(|agent, now| agent.keep_flow(now, carol(), keep_alive)).unwrap();
    let sent = one(&mut bob);
    assert_eq!((sent.method(), sent.start.as_str()), ("OPTIONS", "OPTIONS sip:carol@192.0.2.9 SIP/2.0"));
    (bob, kept, sent)
}

/// Lets at most so many seconds pass, until a request is sent.
#[track_caller]
fn until_sent(bob: &mut Lone, seconds: u64) -> Text {
    for _ in 0..=seconds * 10 {
        if let Some(sent) = bob.take().into_iter().next() {
            return sent;
        }
        bob.run(Duration::from_millis(100));
    }
    panic!("nothing was sent");
}

#[test]
fn a_flow_is_kept_without_a_registration_until_it_is_left() {
    // By line ends.
    let (mut bob, kept, sent) = keeping(KeepAlive::crlf(Duration::from_secs(29)));
    assert!(bob.told().is_empty());
    bob.receive(&sent.respond("404 Not Found", "c", ""));
    assert_eq!(bob.told(), ["flow kept"]);
    bob.run(Duration::from_secs(300));
    assert!((10..=13).contains(&bob.pings.len()), "{}", bob.pings.len());
    assert_eq!(bob.agent.user().census().kept_flows, 1);
    bob.command(|agent, now| agent.leave_flow(now, kept)).unwrap();
    assert_eq!(bob.command(|agent, now| agent.leave_flow(now, kept)), Err(CommandError::Gone));
    let before = bob.pings.len();
    bob.finish();
    assert_eq!((bob.pings.len(), bob.told()), (before, ["flow kept".into()].into()));
    // By OPTIONS, each of which has an answer.
    let (mut bob, kept, sent) = keeping(options(60));
    bob.receive(&sent.respond("200 OK", "c", ""));
    for _ in 0..5 {
        bob.run(Duration::from_secs(40));
        assert!(bob.take().is_empty());
        let sent = until_sent(&mut bob, 20);
        bob.receive(&sent.respond("200 OK", "c", ""));
    }
    assert_eq!(bob.told(), ["flow kept"]);
    // One that is left while it is asked for says nothing any more.
    let sent = until_sent(&mut bob, 60);
    bob.command(|agent, now| agent.leave_flow(now, kept)).unwrap();
    bob.receive(&sent.respond("200 OK", "c", ""));
    bob.finish();
    assert_eq!(bob.told(), ["flow kept"]);
}

/// As RFC 5626 §4.5 has it for registrations.
#[test]
fn a_flow_that_is_lost_is_asked_for_at_once_and_then_after_waits_that_double() {
    let (mut bob, _, sent) = keeping(options(60));
    bob.receive(&sent.respond("200 OK", "c", ""));
    let sent = until_sent(&mut bob, 60);
    bob.receive(&sent.respond("200 OK", "c", ""));
    // No answer to the next one in 64·T1: the flow is lost, and Carol asked again at once, in vain.
    until_sent(&mut bob, 60);
    bob.run(Duration::from_secs(32));
    assert_eq!(bob.told(), ["flow kept", "kept flow lost, again"]);
    bob.run(Duration::from_secs(32));
    assert_eq!(bob.told().len(), 3);
    bob.take();
    for (least, most) in [(60, 120), (120, 240)] {
        bob.run(Duration::from_secs(least - 1));
        assert!(bob.take().is_empty(), "{least}");
        until_sent(&mut bob, most - least + 1);
        bob.run(Duration::from_secs(32));
        bob.take();
    }
    bob.run(Duration::from_secs(239));
    let sent = until_sent(&mut bob, 480);
    bob.receive(&sent.respond("200 OK", "c", ""));
    assert_eq!(bob.told().last().map(|told| &**told), Some("flow kept"));
    // A keep-alive that came through makes the next loss a first one again.
    let sent = until_sent(&mut bob, 60);
    bob.receive(&sent.respond("200 OK", "c", ""));
    let before = until_sent(&mut bob, 60);
    bob.take();
    bob.run(Duration::from_secs(32));
    let again = bob.take().pop().unwrap();
    assert_ne!(again.header("call-id"), before.header("call-id"));
    // As often as the policy says, and then the handle is gone.
    let mut bob = Lone::with(|_, profile| {
        profile.policy.registering = Some(BackOff { failures: Some(1), ..BackOff::default() });
    });
    let kept = bob.command(|agent, now| agent.keep_flow(now, carol(), options(60))).unwrap();
    bob.run(Duration::from_secs(32));
    assert_eq!(bob.told(), ["kept flow lost"]);
    assert_eq!(bob.command(|agent, now| agent.leave_flow(now, kept)), Err(CommandError::Gone));
}

#[test]
fn a_flow_whose_listener_moves_and_one_at_the_end_of_the_day() {
    let (mut bob, _, sent) = keeping(options(60));
    let (listener, to) = (bob.listener, Listener::udp("203.0.113.9:5060".parse().unwrap()));
    bob.command(|agent, now| agent.listener_moved(now, listener, to)).unwrap();
    let second = one(&mut bob);
    // The first says nothing of where Bob is now.
    bob.receive(&sent.respond("200 OK", "c", ""));
    assert!(bob.told().is_empty());
    bob.receive(&second.respond("200 OK", "c", ""));
    let (listener, to) = (bob.listener, Listener::udp("198.51.100.7:5060".parse().unwrap()));
    bob.command(|agent, now| agent.listener_moved(now, listener, to)).unwrap();
    let sent = one(&mut bob);
    assert_eq!((sent.method(), sent.header("contact")), ("OPTIONS", "<sip:bob@198.51.100.7>"));
    bob.receive(&sent.respond("200 OK", "c", ""));
    assert_eq!(bob.told(), ["flow kept", "flow kept"]);
    bob.command(|agent, now| agent.shut_down(now));
    assert_eq!(bob.told().last().map(|told| &**told), Some("shut down"));
    assert_eq!(bob.command(|agent, now| agent.keep_flow(now, carol(), options(60))), Err(CommandError::Draining));
    bob.finish();
}

/// A connection: closed by the peer, and then without a pong.
#[test]
fn a_connection_without_a_registration_is_kept_open_and_formed_anew() {
    let mut bob = Connected::new(at_biloxi());
    bob.accept();
    let outgoing = Outgoing::to(&"<sip:carol@192.0.2.9;transport=tcp>".parse().unwrap());
    bob.agent.keep_flow(bob.now, outgoing, KeepAlive::crlf(Duration::from_secs(120))).unwrap();
    bob.drain();
    let answer = |bob: &mut Connected| {
        let sent = core::mem::take(&mut bob.sent);
        let text = Text::of(sent.last().unwrap());
        assert_eq!(text.method(), "OPTIONS");
        bob.receive(text.respond("200 OK", "r", "").as_bytes());
    };
    answer(&mut bob);
    for _ in 0..3 {
        bob.run_to_ping();
        bob.receive(b"\r\n");
    }
    assert_eq!(bob.opened, 1);
    bob.agent.handle(bob.now, Input::Connection { connection: bob.connection, change: Change::Closed });
    bob.drain();
    assert_eq!((bob.told.last().map(|told| &**told), bob.opened), (Some("kept flow lost, again"), 2));
    answer(&mut bob);
    assert_eq!(bob.told.last().map(|told| &**told), Some("flow kept"));
    bob.run_to_ping();
    bob.run(Duration::from_secs(10));
    assert_eq!((bob.told.last().map(|told| &**told), bob.opened), (Some("kept flow lost, again"), 3));
}
