//! Alice and Bob on one clock, with a wire that can lose what a test says.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::text::Text;
use crate::extension::Extensions;
use crate::message::SharedBytes;
use crate::user_agent::{Body, CallState, Cause, Event, Outgoing, Profile, ReferralEnd, SubscriptionEnd, UserAgent};
use crate::{
    Answer, CallId, Config, Duration, Input, Instant, Listener, ListenerId, Node, Output, Question, Script, Seed,
};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Alice,
    Bob,
}
use Who::{Alice, Bob};

impl Who {
    pub(super) fn other(self) -> Self {
        if self == Alice { Bob } else { Alice }
    }
    fn address(self) -> SocketAddr {
        if self == Alice { "192.0.2.1:5060" } else { "192.0.2.4:5060" }.parse().unwrap()
    }
}

/// One message put on the wire.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) at: Instant,
    pub(super) from: Who,
    pub(super) label: String,
    pub(super) bytes: SharedBytes,
}

/// A fault of the nth message of a label.
#[derive(Clone, Debug)]
struct Fault {
    from: Who,
    label: &'static str,
    /// Counted from 1; `None`: each.
    nth: Option<usize>,
    /// Later by so much; `None`: lost.
    late: Option<Duration>,
}

#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) now: Instant,
    nodes: [(UserAgent, ListenerId); 2],
    wire: BTreeMap<(Instant, usize), (Who, SharedBytes)>,
    faults: Vec<Fault>,
    pub(super) sent: Vec<Sent>,
    pub(super) events: Vec<(Instant, Who, Event)>,
    /// How long a message takes.
    pub(super) delay: Duration,
}

impl Pair {
    pub(super) fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// Without rport, Allow and Supported, and with the RFC's random values: as in RFC 3261 §24.2.
    pub(super) fn of_the_rfc() -> Self {
        Self::with(|config, profile| {
            config.rport = false;
            profile.capabilities = false;
            config.script = if profile.identity.to_string().contains("alice") {
                Script {
                    branches: ["nashds8".into(), "nashds9".into()].into(),
                    tags: ["1928301774".into()].into(),
                    call_ids: ["a84b4c76e66710".into()].into(),
                    sequence_numbers: [314_159].into(),
                    ..Script::default()
                }
            } else {
                Script {
                    branches: ["nashds10".into()].into(),
                    tags: ["a6c85cf".into()].into(),
                    sequence_numbers: [231].into(),
                    ..Script::default()
                }
            };
        })
    }

    pub(super) fn with(adapt: impl Fn(&mut Config, &mut Profile)) -> Self {
        let node = |who: Who, seed, identity: &str, sent_by: &str| {
            let mut config = Config::new(Seed::from_u64(seed));
            let mut profile = Profile::new(identity.parse().unwrap());
            // Each extension has tests of its own, which name it.
            profile.extensions = Extensions::NONE;
            adapt(&mut config, &mut profile);
            let mut agent = UserAgent::user_agent(config, profile);
            let id = agent.listen(Listener::udp(who.address()).with_sent_by(sent_by.parse().unwrap()));
            (agent, id)
        };
        Self {
            now: Instant::ZERO,
            nodes: [
                node(Alice, 1, "Alice <sip:alice@atlanta.com>", "pc33.atlanta.com"),
                node(Bob, 2, "Bob <sip:bob@biloxi.com>", "192.0.2.4"),
            ],
            wire: BTreeMap::new(),
            faults: Vec::new(),
            sent: Vec::new(),
            events: Vec::new(),
            delay: Duration::from_millis(10),
        }
    }

    /// Loses the nth message (from 1) of that label, such as `ACK` or `200 INVITE`.
    pub(super) fn lose(&mut self, from: Who, label: &'static str, nth: usize) {
        self.faults.push(Fault { from, label, nth: Some(nth), late: None });
    }

    /// Loses every message of that label.
    pub(super) fn lose_all(&mut self, from: Who, label: &'static str) {
        self.faults.push(Fault { from, label, nth: None, late: None });
    }

    /// Holds the nth message of that label up.
    pub(super) fn hold(&mut self, from: Who, label: &'static str, nth: usize, late: Duration) {
        self.faults.push(Fault { from, label, nth: Some(nth), late: Some(late) });
    }

    /// Loses nothing any more.
    pub(super) fn calm(&mut self) {
        self.faults.clear();
    }

    pub(super) fn agent(&self, who: Who) -> &UserAgent {
        &self.nodes[who as usize].0
    }

    /// Runs a command of one of the two at the present.
    pub(super) fn command<R>(&mut self, who: Who, command: impl FnOnce(&mut UserAgent, Instant) -> R) -> R {
        let result = command(&mut self.nodes[who as usize].0, self.now);
        self.drain(who);
        result
    }

    /// Alice calls Bob.
    pub(super) fn call(&mut self) -> CallId {
        let offer = Body { content_type: "application/sdp".into(), bytes: b"v=0\r\n"[..].into() };
        let bob = "Bob <sip:bob@biloxi.com>".parse().unwrap();
        self.command(Alice, |agent, now| agent.call(now, Outgoing::to(&bob).body(offer))).unwrap()
    }

    /// Alice calls Bob, who rings at once and answers after two seconds; both handles.
    pub(super) fn establish(&mut self) -> (CallId, CallId) {
        let alice = self.call();
        let bob = self.incoming();
        self.command(Bob, |agent, now| agent.ring(now, bob)).unwrap();
        self.run(Duration::from_secs(2));
        self.answer(bob);
        self.run(Duration::from_secs(1));
        (alice, bob)
    }

    pub(super) fn answer(&mut self, call: CallId) {
        let answer = Body { content_type: "application/sdp".into(), bytes: b"v=0\r\n"[..].into() };
        self.command(Bob, |agent, now| agent.answer(now, call, Some(answer))).unwrap();
    }

    pub(super) fn hang_up(&mut self, who: Who, call: CallId) {
        self.command(who, |agent, now| agent.hang_up(now, call)).unwrap();
    }

    /// Runs until the INVITE is at Bob's; his handle.
    pub(super) fn incoming(&mut self) -> CallId {
        for _ in 0..1000 {
            if let Some(call) = self.incoming_calls().last() {
                return *call;
            }
            assert!(self.step(Instant::from_nanos(u64::MAX)), "the INVITE never arrived");
        }
        panic!("the INVITE never arrived");
    }

    pub(super) fn incoming_calls(&self) -> Vec<CallId> {
        let call = |(_, _, event): &(Instant, Who, Event)| match event {
            Event::Incoming { call, .. } => Some(*call),
            _ => None,
        };
        self.events.iter().filter_map(call).collect()
    }

    /// Lets so much time pass.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
        self.now = end;
    }

    /// Lets time pass until nothing more can happen, and checks that nothing is left.
    #[track_caller]
    pub(super) fn finish(&mut self) {
        for _ in 0..100_000 {
            if !self.step(Instant::from_nanos(u64::MAX)) {
                break;
            }
        }
        for who in [Alice, Bob] {
            let agent = self.agent(who);
            assert!(agent.is_idle(), "{who:?} is not idle: {:?}", agent.user());
            let census = agent.endpoint().census();
            assert_eq!((census.client_transactions, census.server_transactions, census.deliveries), (0, 0, 0));
            assert_eq!((census.queries, census.timers, census.outputs), (0, 0, 0), "{who:?}");
            assert_eq!(super::left_over(agent), crate::user_agent::Census::default(), "{who:?}");
        }
    }

    /// The events that one of the two was told, in short.
    pub(super) fn told(&self, who: Who) -> Vec<String> {
        self.events.iter().filter(|entry| entry.1 == who).map(|(_, _, event)| short(event)).collect()
    }

    /// The labels of all that one of the two has sent.
    pub(super) fn labels(&self, who: Who) -> Vec<&str> {
        self.sent.iter().filter(|sent| sent.from == who).map(|sent| sent.label.as_str()).collect()
    }

    /// All that one of the two has sent under a label.
    pub(super) fn all(&self, who: Who, label: &str) -> Vec<Sent> {
        self.sent.iter().filter(|sent| sent.from == who && sent.label == label).cloned().collect()
    }

    /// The last that one of the two has sent under a label.
    #[track_caller]
    pub(super) fn last(&self, who: Who, label: &str) -> Text {
        Text::of(&self.all(who, label).last().unwrap_or_else(|| panic!("no {label} in {:?}", self.labels(who))).bytes)
    }

    pub(super) fn states(&self, who: Who) -> Vec<CallState> {
        self.agent(who).calls().map(|info| info.state).collect()
    }

    /// The answer of the network when nobody is at the other end.
    pub(super) fn unreachable(&mut self, who: Who) {
        let input =
            Input::Unreachable { listener: self.nodes[who as usize].1, remote: who.other().address(), quoted: b"" };
        self.nodes[who as usize].0.handle(self.now, input);
        self.drain(who);
    }

    /// The next thing that happens no later than `end`; false if there is none.
    fn step(&mut self, end: Instant) -> bool {
        let arrival = self.wire.first_key_value().map(|(key, _)| key.0);
        let due = [Alice, Bob].into_iter().filter_map(|who| Some((self.agent(who).deadline()?, who))).min();
        match (arrival, due) {
            (Some(at), due) if at <= end && due.is_none_or(|due| at <= due.0) => {
                let (_, (to, bytes)) = self.wire.pop_first().unwrap();
                self.now = at;
                let (agent, listener) = &mut self.nodes[to as usize];
                agent.handle(at, Input::Datagram { listener: *listener, remote: to.other().address(), bytes: &bytes });
                self.drain(to);
                true
            }
            (_, Some((at, who))) if at <= end => {
                self.now = self.now.max(at);
                self.nodes[who as usize].0.handle(self.now, Input::Tick);
                self.drain(who);
                true
            }
            _ => false,
        }
    }

    fn drain(&mut self, who: Who) {
        while let Some(output) = self.nodes[who as usize].0.poll() {
            match output {
                Output::Send(transmit) => self.send(who, transmit.bytes),
                Output::Resolve { query, question } => {
                    let address = match question {
                        Question::Address { name } if *name == *"pc33.atlanta.com" => Some(Alice),
                        Question::Address { name } if *name == *"biloxi.com" => Some(Bob),
                        _ => None,
                    };
                    let answers: Vec<Answer> = address.iter().map(|who| Answer::Address(who.address().ip())).collect();
                    self.nodes[who as usize].0.handle(self.now, Input::Resolved { query, answers: &answers });
                }
                Output::Event(event) => self.events.push((self.now, who, event)),
                other => panic!("{other:?}"),
            }
        }
    }

    fn send(&mut self, from: Who, bytes: SharedBytes) {
        let label = Text::of(&bytes).label();
        let nth = 1 + self.all(from, &label).len();
        self.sent.push(Sent { at: self.now, from, label: label.clone(), bytes: bytes.clone() });
        let hit = |fault: &&Fault| fault.from == from && fault.label == label && fault.nth.is_none_or(|n| n == nth);
        let late = match self.faults.iter().find(hit) {
            Some(Fault { late: None, .. }) => return,
            Some(Fault { late: Some(late), .. }) => *late,
            None => Duration::ZERO,
        };
        self.wire.insert((self.now + self.delay + late, self.sent.len()), (from.other(), bytes));
    }
}

/// An event in short, such as `failed 486`.
pub(super) fn short(event: &Event) -> String {
    match event {
        Event::Incoming { .. } => "incoming".into(),
        Event::Progress { response, .. } => format!("progress {}", response.status().get()),
        Event::Answered { response, .. } => format!("answered {}", response.status().get()),
        Event::Confirmed { .. } => "confirmed".into(),
        Event::Modified { response, .. } => format!("modified {}", response.status().get()),
        Event::MoveUntold { cause, .. } => format!("move untold {}", cause.counts_as().get()),
        Event::ModifyProgress { response, .. } => format!("modify progress {}", response.status().get()),
        Event::Acknowledged { .. } => "acknowledged".into(),
        Event::ModifyFailed { cause, synchronize, .. } => {
            let more = if *synchronize { " (synchronize)" } else { "" };
            format!("modify failed {}{more}", cause.counts_as().get())
        }
        Event::Offered { .. } => "offered".into(),
        Event::OfferLapsed { cause, .. } => format!("offer lapsed {}", cause.counts_as().get()),
        Event::Failed { cause, .. } => {
            let none = if matches!(cause, Cause::Refused(_)) { "" } else { " (none)" };
            format!("failed {}{none}", cause.counts_as().get())
        }
        Event::Ended { cause, .. } => format!("ended {cause:?}"),
        Event::Overload { limit, .. } => format!("overload {limit:?}"),
        Event::Dropped { why, .. } => format!("dropped {why:?}"),
        Event::Wanted { wanted, .. } => format!("wanted {wanted:?}"),
        Event::SecretWanted { user, .. } => format!("secret wanted {}", user.as_str()),
        Event::Asked { request, .. } => format!("asked {}", request.method().as_str()),
        Event::Replied { response, .. } => format!("replied {}", response.status().get()),
        Event::Unanswered { cause, .. } => format!("unanswered {}", cause.counts_as().get()),
        Event::WrongProof { .. } => "wrong proof".into(),
        Event::Registered { .. } => "registered".into(),
        Event::Bindings { .. } => "bindings".into(),
        Event::Unregistered => "unregistered".into(),
        Event::FlowLost { .. } => "flow lost".into(),
        Event::FlowKept { .. } => "flow kept".into(),
        Event::KeptFlowLost { again, .. } => format!("kept flow lost{}", if again.is_some() { ", again" } else { "" }),
        Event::ShutDown => "shut down".into(),
        Event::Subscribed { response, .. } => format!("subscribed {}", response.status().get()),
        Event::SubscriptionForked { .. } => "forked".into(),
        Event::Notified { status: Some(status), .. } => format!("notified {}", status.get()),
        Event::Notified { .. } => "notified".into(),
        Event::Referred { .. } => "referred".into(),
        Event::ReferralEnded { cause, .. } => match cause {
            ReferralEnd::Failed(cause) => format!("referral failed {}", cause.counts_as().get()),
            cause => format!("referral ended {cause:?}"),
        },
        Event::SubscriptionEnded { cause, again, .. } => {
            let again = if again.is_some() { ", again" } else { "" };
            match cause {
                SubscriptionEnd::Failed(cause) => format!("subscription failed {}{again}", cause.counts_as().get()),
                SubscriptionEnd::Terminated { reason, .. } => format!("terminated {reason:?}{again}"),
                cause => format!("subscription ended {cause:?}{again}"),
            }
        }
        Event::RegistrationFailed { cause, .. } => format!("registration failed {}", cause.counts_as().get()),
    }
}
