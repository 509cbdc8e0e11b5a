//! One user agent against words on the wire.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::pair::short;
use super::text::Text;
use crate::endpoint::Census;
use crate::extension::Extensions;
use crate::user_agent::{Event, Profile, UserAgent};
use crate::{
    Answer, CallId, Config, Duration, Input, Instant, Listener, ListenerId, Node, Output, Question, Script, Seed,
};

/// Bob at 192.0.2.4, all alone; his peer is the test, at 192.0.2.9.
#[derive(Clone, Debug)]
pub(super) struct Lone {
    pub(super) now: Instant,
    pub(super) agent: UserAgent,
    pub(super) listener: ListenerId,
    sent: Vec<Text>,
    /// Where each message that was sent went.
    pub(super) ways: Vec<SocketAddr>,
    /// The addresses of every name.
    pub(super) addresses: Vec<IpAddr>,
    pub(super) events: Vec<Event>,
    /// The line ends that were sent to keep a flow alive.
    pub(super) pings: Vec<Vec<u8>>,
}

impl Lone {
    pub(super) fn new() -> Self {
        Self::with(|_, _| {})
    }

    pub(super) fn with(adapt: impl FnOnce(&mut Config, &mut Profile)) -> Self {
        let mut config = Config::new(Seed::from_u64(3));
        config.rport = false;
        config.script = Script { tags: ["bob-tag".into()].into(), ..Script::default() };
        let mut profile = Profile::new("Bob <sip:bob@biloxi.com>".parse().unwrap());
        // Each extension has tests of its own, which name it.
        profile.extensions = Extensions::NONE;
        adapt(&mut config, &mut profile);
        let mut agent = UserAgent::user_agent(config, profile);
        let listener = agent.listen(Listener::udp("192.0.2.4:5060".parse().unwrap()));
        let (ways, addresses) = (Vec::new(), Vec::new());
        Self {
            now: Instant::ZERO,
            agent,
            listener,
            sent: Vec::new(),
            ways,
            addresses,
            events: Vec::new(),
            pings: Vec::new(),
        }
    }

    /// A message arrives; its lines may end in `\n`.
    pub(super) fn receive(&mut self, text: &str) {
        let bytes = text.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
        let remote: SocketAddr = "192.0.2.9:5060".parse().unwrap();
        self.agent.handle(self.now, Input::Datagram { listener: self.listener, remote, bytes: &bytes });
        self.drain();
    }

    /// A message arrives; what is sent because of it.
    pub(super) fn exchange(&mut self, text: &str) -> Vec<Text> {
        self.sent.clear();
        self.receive(text);
        core::mem::take(&mut self.sent)
    }

    /// A request arrives; the one message that is sent because of it.
    #[track_caller]
    pub(super) fn ask(&mut self, text: &str) -> Text {
        let sent = self.exchange(text);
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.into_iter().next().unwrap()
    }

    /// The messages that have been sent since the last look.
    pub(super) fn take(&mut self) -> Vec<Text> {
        core::mem::take(&mut self.sent)
    }

    pub(super) fn command<R>(&mut self, command: impl FnOnce(&mut UserAgent, Instant) -> R) -> R {
        let result = command(&mut self.agent, self.now);
        self.drain();
        result
    }

    /// The network says that the last request did not arrive.
    pub(super) fn unreachable(&mut self) {
        let (listener, remote) = (self.listener, *self.ways.last().expect("a request"));
        // As much of a request as tells it from a response.
        self.agent.handle(self.now, Input::Unreachable { listener, remote, quoted: b"REQUEST " });
        self.drain();
    }

    /// Calls Carol at 192.0.2.9; the INVITE.
    pub(super) fn call(&mut self) -> (CallId, Text) {
        let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
        let call = self.command(|agent, now| agent.call(now, &carol)).unwrap();
        let sent = self.take();
        assert_eq!(sent.len(), 1);
        (call, sent.into_iter().next().unwrap())
    }

    /// Lets so much time pass, timer by timer.
    pub(super) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.agent.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.agent.handle(self.now, Input::Tick);
            self.drain();
        }
        self.now = end;
    }

    /// Lets all timers of transactions end, and checks that nothing is left.
    #[track_caller]
    pub(super) fn finish(&mut self) {
        self.run(Duration::from_secs(400));
        assert!(self.agent.is_idle(), "{:?}", self.agent);
        assert_eq!(self.agent.endpoint().census(), Census::default());
        assert_eq!(super::left_over(&self.agent), crate::user_agent::Census::default());
    }

    pub(super) fn told(&self) -> Vec<String> {
        self.events.iter().map(short).collect()
    }

    /// The handle of the last incoming call.
    pub(super) fn incoming(&self) -> CallId {
        let call = |event: &Event| match event {
            Event::Incoming { call, .. } => Some(*call),
            _ => None,
        };
        self.events.iter().rev().find_map(call).expect("an incoming call")
    }

    fn drain(&mut self) {
        while let Some(output) = self.agent.poll() {
            match output {
                Output::Send(transmit) if transmit.bytes.iter().all(u8::is_ascii_whitespace) => {
                    self.pings.push(transmit.bytes.to_vec());
                }
                Output::Send(transmit) => {
                    self.sent.push(Text::of(&transmit.bytes));
                    self.ways.push(transmit.flow.remote);
                }
                Output::Event(event) => self.events.push(event),
                Output::Resolve { query, question: Question::Address { .. } } => {
                    let answers: Vec<Answer> = self.addresses.iter().copied().map(Answer::Address).collect();
                    self.agent.handle(self.now, Input::Resolved { query, answers: &answers });
                }
                Output::Resolve { query, .. } => {
                    self.agent.handle(self.now, Input::Resolved { query, answers: &[] });
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

/// A request from Carol to Bob: outside of dialogs with an empty `to_tag`. `extra` is whole lines.
pub(super) fn request(method: &str, branch: &str, number: u32, to_tag: &str, extra: &str) -> String {
    let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    format!(
        "{method} sip:bob@192.0.2.4 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 70\r\n\
         To: Bob <sip:bob@biloxi.com>{tag}\r\n\
         From: Carol <sip:carol@chicago.com>;tag=carol-tag\r\n\
         Call-ID: 1j9FpLxk3uxtm8tn@chicago.com\r\n\
         CSeq: {number} {method}\r\n\
         {extra}Content-Length: 0\r\n\r\n"
    )
}

/// That message with a session description.
pub(super) fn described(text: &str) -> String {
    text.replace("Content-Length: 0\r\n\r\n", "Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n")
}

pub(super) const CONTACT: &str = "Contact: <sip:carol@192.0.2.9>\r\n";

/// Carol's INVITE.
pub(super) fn invite(branch: &str, number: u32) -> String {
    request("INVITE", branch, number, "", CONTACT)
}
