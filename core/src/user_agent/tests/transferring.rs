//! Transfers among three user agents (RFC 5359 §2.4, §2.5).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::pair::short;
use super::text::Text;
use crate::extension::{Extension, Extensions};
use crate::message::{SharedBytes, UriBuf};
use crate::user_agent::{Body, Census, Event, Outgoing, Profile, Refer, UserAgent};
use crate::{CallId, Config, Duration, Input, Instant, Listener, ListenerId, Node, Output, ReferralId, Seed};

const NAMES: [&str; 3] = ["alice", "bob", "carol"];
const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

fn address(who: usize) -> SocketAddr {
    format!("192.0.2.{}:5060", who + 1).parse().unwrap()
}

fn uri(who: usize) -> UriBuf {
    format!("sip:{}@{}", NAMES[who], address(who).ip()).parse().unwrap()
}

/// Alice, Bob and Carol on one clock.
struct Trio {
    now: Instant,
    nodes: Vec<(UserAgent, ListenerId)>,
    wire: BTreeMap<(Instant, usize), (usize, SocketAddr, SharedBytes)>,
    count: usize,
    /// `alice > bob INVITE`, in the order of sending, without provisional responses.
    ladder: Vec<String>,
    sent: Vec<Text>,
    events: Vec<(usize, Event)>,
}

impl Trio {
    fn new() -> Self {
        let node = |who: usize| {
            let mut profile =
                Profile::new(format!("<{}>", core::str::from_utf8(uri(who).as_bytes()).unwrap()).parse().unwrap());
            profile.extensions = Extensions::of(&[Extension::Replaces]);
            profile.methods = ["REFER", "NOTIFY"].map(Into::into).into();
            let mut agent = UserAgent::user_agent(Config::new(Seed::from_u64(who as u64)), profile);
            let id = agent.listen(Listener::udp(address(who)));
            (agent, id)
        };
        Self {
            now: Instant::ZERO,
            nodes: (0..3).map(node).collect(),
            wire: BTreeMap::new(),
            count: 0,
            ladder: Vec::new(),
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    fn command<R>(&mut self, who: usize, command: impl FnOnce(&mut UserAgent, Instant) -> R) -> R {
        let result = command(&mut self.nodes[who].0, self.now);
        self.drain(who);
        result
    }

    fn drain(&mut self, who: usize) {
        while let Some(output) = self.nodes[who].0.poll() {
            match output {
                Output::Send(transmit) => {
                    let to = (0..3).find(|to| address(*to) == transmit.flow.remote).unwrap();
                    let text = Text::of(&transmit.bytes);
                    if !text.label().starts_with('1') {
                        self.ladder.push(format!("{} > {} {}", NAMES[who], NAMES[to], text.label()));
                    }
                    self.sent.push(text);
                    self.count += 1;
                    let at = self.now + Duration::from_millis(10);
                    self.wire.insert((at, self.count), (to, address(who), transmit.bytes));
                }
                Output::Event(event) => self.events.push((who, event)),
                other => panic!("{other:?}"),
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let due = (0..3).filter_map(|who| Some((self.nodes[who].0.deadline()?, who))).min();
            let arrival = self.wire.first_key_value().map(|(key, _)| key.0);
            match (arrival, due) {
                (Some(at), due) if at <= end && due.is_none_or(|due| at <= due.0) => {
                    let (_, (to, remote, bytes)) = self.wire.pop_first().unwrap();
                    self.now = at;
                    let (agent, listener) = &mut self.nodes[to];
                    agent.handle(at, Input::Datagram { listener: *listener, remote, bytes: &bytes });
                    self.drain(to);
                }
                (_, Some((at, who))) if at <= end => {
                    self.now = self.now.max(at);
                    self.nodes[who].0.handle(self.now, Input::Tick);
                    self.drain(who);
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn call(&mut self, from: usize, outgoing: Outgoing) -> CallId {
        let call = self.command(from, |agent, now| agent.call(now, outgoing.body(Body::sdp("v=0\r\n")))).unwrap();
        self.run(Duration::from_millis(50));
        call
    }

    /// Answers the last incoming call; its handle, and the call that it replaces.
    fn answer(&mut self, who: usize) -> (CallId, Option<CallId>) {
        let found = self.events.iter().rev().find_map(|(whose, event)| match event {
            Event::Incoming { call, replaces, .. } if *whose == who => Some((*call, *replaces)),
            _ => None,
        });
        let (call, replaces) = found.unwrap();
        self.command(who, |agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
        self.run(Duration::from_millis(50));
        (call, replaces)
    }

    /// Accepts the last REFER, and calls its target.
    fn follow(&mut self, who: usize) -> (Option<ReferralId>, CallId) {
        let found = self.events.iter().rev().find_map(|(whose, event)| match event {
            Event::Referred { served, request, .. } if *whose == who => Some((*served, request.clone())),
            _ => None,
        });
        let (served, request) = found.unwrap();
        let referral = self.command(who, |agent, now| agent.accept_refer(now, served)).unwrap();
        self.run(Duration::from_millis(50));
        let call = self.call(who, Outgoing::referred(&request).unwrap());
        (referral, call)
    }

    fn told(&self, who: usize) -> Vec<String> {
        self.events.iter().filter(|(whose, _)| *whose == who).map(|(_, event)| short(event)).collect()
    }

    fn calls(&self, who: usize) -> Vec<CallId> {
        self.nodes[who].0.calls().map(|info| info.call).collect()
    }

    fn hang_up(&mut self, who: usize, call: CallId) {
        self.command(who, |agent, now| agent.hang_up(now, call)).unwrap();
        self.run(Duration::from_millis(50));
    }

    fn finish(&mut self) {
        self.run(Duration::from_secs(400));
        for (agent, _) in &self.nodes {
            assert_eq!(agent.user().census(), Census::default());
        }
    }
}

/// RFC 5359 §2.4: Bob transfers Alice to Carol without asking Carol.
#[test]
fn a_blind_transfer() {
    let mut trio = Trio::new();
    let with_bob = trio.call(ALICE, Outgoing::to(&format!("<sip:bob@{}>", address(BOB).ip()).parse().unwrap()));
    let (with_alice, _) = trio.answer(BOB);
    trio.ladder.clear();
    trio.command(BOB, |agent, now| agent.refer(now, with_alice, &uri(CAROL))).unwrap();
    trio.run(Duration::from_millis(50));
    let (referral, with_carol) = trio.follow(ALICE);
    assert_eq!(trio.answer(CAROL).1, None);
    let told = crate::message::StatusCode::OK;
    trio.command(ALICE, |agent, now| agent.notify_refer(now, referral.unwrap(), told)).unwrap();
    trio.run(Duration::from_millis(50));
    trio.hang_up(BOB, with_alice);
    let expected = [
        "bob > alice REFER",
        "alice > bob 202 REFER",
        "alice > bob NOTIFY",
        "bob > alice 200 NOTIFY",
        "alice > carol INVITE",
        "carol > alice 200 INVITE",
        "alice > carol ACK",
        "alice > bob NOTIFY",
        "bob > alice 200 NOTIFY",
        "bob > alice BYE",
        "alice > bob 200 BYE",
    ];
    assert_eq!(trio.ladder, expected);
    assert_eq!(
        trio.told(BOB)[2..],
        ["subscribed 202", "notified 100", "notified 200", "terminated NoResource", "ended Local"]
    );
    assert_eq!(trio.calls(ALICE), [with_carol]);
    assert_ne!(with_carol, with_bob);
    assert_eq!((trio.calls(BOB).len(), trio.calls(CAROL).len()), (0, 1));
    trio.hang_up(ALICE, with_carol);
    trio.finish();
}

/// RFC 5359 §2.5: Bob speaks with Carol first, and Alice takes his place there.
#[test]
fn an_attended_transfer() {
    let mut trio = Trio::new();
    let bob = format!("<sip:bob@{}>", address(BOB).ip()).parse().unwrap();
    let carol = format!("<sip:carol@{}>", address(CAROL).ip()).parse().unwrap();
    trio.call(ALICE, Outgoing::to(&bob));
    let (with_alice, _) = trio.answer(BOB);
    let with_carol = trio.call(BOB, Outgoing::to(&carol));
    let (with_bob, _) = trio.answer(CAROL);
    trio.ladder.clear();
    let replace = trio.nodes[BOB].0.replacing(with_carol).unwrap();
    trio.command(BOB, |agent, now| agent.refer(now, with_alice, Refer::to(&uri(CAROL)).replaces(&replace))).unwrap();
    trio.run(Duration::from_millis(50));
    let (referral, transferred) = trio.follow(ALICE);
    assert_eq!(trio.answer(CAROL).1, Some(with_bob));
    let told = crate::message::StatusCode::OK;
    trio.command(ALICE, |agent, now| agent.notify_refer(now, referral.unwrap(), told)).unwrap();
    trio.run(Duration::from_millis(50));
    trio.hang_up(BOB, with_alice);
    let expected = [
        "bob > alice REFER",
        "alice > bob 202 REFER",
        "alice > bob NOTIFY",
        "bob > alice 200 NOTIFY",
        "alice > carol INVITE",
        "carol > alice 200 INVITE",
        "carol > bob BYE",
        "alice > carol ACK",
        "bob > carol 200 BYE",
        "alice > bob NOTIFY",
        "bob > alice 200 NOTIFY",
        "bob > alice BYE",
        "alice > bob 200 BYE",
    ];
    assert_eq!(trio.ladder, expected);
    // As Carol has sent them: her tag is the to-tag.
    let invite = trio.sent.iter().rfind(|text| text.start.starts_with("INVITE")).unwrap();
    let ok = trio.sent.iter().find(|text| text.label() == "200 INVITE" && text.header("to").contains("carol")).unwrap();
    let expected = format!("{};to-tag={};from-tag={}", ok.header("call-id"), ok.tag_of("to"), ok.tag_of("from"));
    assert_eq!(invite.header("replaces"), expected);
    assert_eq!((trio.calls(ALICE), trio.calls(BOB).len(), trio.calls(CAROL).len()), (alloc::vec![transferred], 0, 1));
    trio.hang_up(ALICE, transferred);
    trio.finish();
}
