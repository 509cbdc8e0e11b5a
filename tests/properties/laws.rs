//! The laws of the poll API (docs/poll.md) over whole nodes: two user agents and a domain's server between them, on a network
//! that loses and delays. What each node was given is written down, and given again to a fresh one in other ways.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::SocketAddr;

use proptest::prelude::*;
use sansip::message::UriBuf;
use sansip::message::header::NameAddrBuf;
use sansip::server::{Server, Settings};
use sansip::transport::NextHop;
use sansip::user_agent::{Event, Profile, Register, UserAgent};
use sansip::{Answer, CallId, Config, Duration, Input, Instant, Listener, ListenerId, Node, Output, QueryId, Seed};

/// Something a node was given.
#[derive(Clone, Debug)]
enum Step {
    Datagram(SocketAddr, Vec<u8>),
    Resolved(QueryId),
    Tick,
    Register,
    Call,
    Ring(CallId),
    Answer(CallId),
    ByWhom(CallId),
}

type Journal = Vec<(Instant, Step)>;

/// A node that a journal can be played to.
trait Player: Node + Clone {
    fn command(&mut self, now: Instant, step: &Step);

    fn play(&mut self, listener: ListenerId, now: Instant, step: &Step) {
        match step {
            Step::Datagram(remote, bytes) => {
                self.handle(now, Input::Datagram { listener, remote: *remote, bytes });
            }
            Step::Resolved(query) => {
                let answers = [Answer::Address(address(2).ip())];
                self.handle(now, Input::Resolved { query: *query, answers: &answers });
            }
            Step::Tick => self.handle(now, Input::Tick),
            command => self.command(now, command),
        }
    }
}

impl Player for Server {
    fn command(&mut self, _: Instant, _: &Step) {}
}

impl Player for UserAgent {
    fn command(&mut self, now: Instant, step: &Step) {
        // A command that comes too late is refused: the same each time, and nothing more than that.
        let _ = match step {
            Step::Register => {
                let registrar: UriBuf = "sip:biloxi.com".parse().expect("a URI");
                self.register(now, Register::at(&registrar).expires(600)).map(drop)
            }
            Step::Call => {
                let bob: NameAddrBuf = "Bob <sip:bob@biloxi.com>".parse().expect("a name-addr");
                self.call(now, &bob).map(drop)
            }
            Step::Ring(call) => self.ring(now, *call),
            Step::Answer(call) => self.answer(now, *call, None),
            Step::ByWhom(call) => self.hang_up(now, *call),
            Step::Datagram(..) | Step::Resolved(_) | Step::Tick => Ok(()),
        };
    }
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 5060))
}

fn phone(seed: u64, last: u8, name: &str) -> (UserAgent, ListenerId) {
    let mut profile = Profile::new(name.parse().expect("a name-addr"));
    profile.outbound = Some(NextHop::from(address(2)));
    let mut phone = UserAgent::user_agent(Config::new(Seed::from_u64(seed)), profile);
    let listener = phone.listen(Listener::udp(address(last)));
    (phone, listener)
}

fn server() -> (Server, ListenerId) {
    let domain = "biloxi.com".parse().expect("a host");
    let proxy = sansip::proxy::Settings { record_route: true, ..Default::default() };
    let settings = Settings { domains: vec![domain], proxy, ..Settings::default() };
    let mut server = Server::server(Config::new(Seed::from_u64(2)), settings);
    let listener = server.listen(Listener::udp(address(2)));
    (server, listener)
}

/// The three nodes, what is under way between them, and what each was given.
struct Net {
    alice: (UserAgent, ListenerId),
    server: (Server, ListenerId),
    bob: (UserAgent, ListenerId),
    journals: [Journal; 3],
    under_way: BTreeMap<(Instant, u64), (usize, Step)>,
    sequence: u64,
    dice: Vec<u8>,
}

impl Net {
    fn new(dice: Vec<u8>) -> Self {
        let mut net = Self {
            alice: phone(1, 1, "Alice <sip:alice@atlanta.com>"),
            server: server(),
            bob: phone(3, 4, "Bob <sip:bob@biloxi.com>"),
            journals: Default::default(),
            under_way: BTreeMap::new(),
            sequence: 0,
            dice,
        };
        net.plan(Instant::ZERO, 2, Step::Register);
        net.plan(Instant::from_millis(2_000), 0, Step::Call);
        net
    }

    fn plan(&mut self, at: Instant, node: usize, step: Step) {
        self.sequence += 1;
        self.under_way.insert((at, self.sequence), (node, step));
    }

    /// Runs until nothing is planned and no timer is due by `until`.
    fn run(mut self, until: Instant) -> [Journal; 3] {
        loop {
            let deadlines = [self.alice.0.deadline(), self.server.0.deadline(), self.bob.0.deadline()];
            let tick = (0..3).filter_map(|node| Some((deadlines[node]?, node))).min();
            let planned = self.under_way.first_key_value().map(|(&(at, _), _)| at);
            let (now, node, step) = match (planned, tick) {
                (Some(at), tick) if tick.is_none_or(|(deadline, _)| at <= deadline) => {
                    let (_, (node, step)) = self.under_way.pop_first().expect("it was just seen");
                    (at, node, step)
                }
                (_, Some((deadline, node))) => (deadline, node, Step::Tick),
                (_, None) => return self.journals,
            };
            if now > until {
                return self.journals;
            }
            self.journals[node].push((now, step.clone()));
            match node {
                0 => self.alice.0.play(self.alice.1, now, &step),
                1 => self.server.0.play(self.server.1, now, &step),
                _ => self.bob.0.play(self.bob.1, now, &step),
            }
            self.drain(now, node);
        }
    }

    fn drain(&mut self, now: Instant, node: usize) {
        if node == 1 {
            while let Some(output) = self.server.0.poll() {
                self.carry(now, node, &output);
            }
            return;
        }
        while let Some(output) = if node == 0 { self.alice.0.poll() } else { self.bob.0.poll() } {
            self.carry(now, node, &output);
            let Output::Event(event) = output else { continue };
            match event {
                Event::Incoming { call, .. } => {
                    self.plan(now + Duration::from_millis(150), node, Step::Ring(call));
                    self.plan(now + Duration::from_millis(1_700), node, Step::Answer(call));
                    self.plan(now + Duration::from_millis(9_000), node, Step::ByWhom(call));
                }
                Event::Answered { call, .. } => {
                    self.plan(now + Duration::from_millis(7_300), node, Step::ByWhom(call));
                }
                _ => {}
            }
        }
    }

    fn carry<E>(&mut self, now: Instant, node: usize, output: &Output<E>) {
        match output {
            Output::Send(transmit) => {
                let die = self.dice[self.sequence as usize % self.dice.len()];
                let to = [1, 2, 4].iter().position(|&last| address(last) == transmit.flow.remote);
                // One in four is lost, the others take up to two seconds.
                let (Some(to), false) = (to, die.is_multiple_of(4)) else {
                    self.sequence += 1;
                    return;
                };
                let delay = Duration::from_millis(if die > 200 { 9 * u64::from(die) } else { 10 });
                let from = address([1, 2, 4][node]);
                self.plan(now + delay, to, Step::Datagram(from, transmit.bytes.to_vec()));
            }
            Output::Resolve { query, .. } => self.plan(now + Duration::from_millis(5), node, Step::Resolved(*query)),
            _ => {}
        }
    }
}

fn drain<N: Node>(node: &mut N, into: &mut Vec<String>)
where
    N::Event: Debug,
{
    into.extend(std::iter::from_fn(|| node.poll()).map(|output| format!("{output:?}")));
}

/// Plays the journal to `node` and gives its outputs. With `extra`, ticks come between the steps whenever no timer is due;
/// without `prompt`, nothing is drained before the end.
fn play<N: Player>((mut node, listener): (N, ListenerId), journal: &Journal, extra: bool, prompt: bool) -> Vec<String>
where
    N::Event: Debug,
{
    let mut outputs = Vec::new();
    for (index, (now, step)) in journal.iter().enumerate() {
        if extra {
            let before = if index == 0 { Instant::ZERO } else { journal[index - 1].0 };
            let middle = before + (*now - before) / 2;
            if node.deadline().is_none_or(|deadline| middle < deadline) {
                let deadline = node.deadline();
                node.handle(middle, Input::Tick);
                assert_eq!(node.deadline(), deadline, "an early tick moved the deadline");
            }
        }
        node.play(listener, *now, step);
        if prompt {
            drain(&mut node, &mut outputs);
        }
        assert!(node.deadline().is_none_or(|deadline| deadline > *now), "a timer that is due was left");
    }
    drain(&mut node, &mut outputs);
    outputs
}

/// Plays the first part of the journal, clones, and plays the rest to both.
fn play_twice<N: Player>((mut node, listener): (N, ListenerId), journal: &Journal) -> [Vec<String>; 2]
where
    N::Event: Debug,
{
    let (first, rest) = journal.split_at(journal.len() / 2);
    let mut outputs = Vec::new();
    for (now, step) in first {
        node.play(listener, *now, step);
    }
    drain(&mut node, &mut outputs);
    let mut clone = node.clone();
    let mut others = outputs.clone();
    for (now, step) in rest {
        node.play(listener, *now, step);
        drain(&mut node, &mut outputs);
    }
    for (now, step) in rest {
        clone.play(listener, *now, step);
        drain(&mut clone, &mut others);
    }
    [outputs, others]
}

fn obeys_the_laws<N: Player>(fresh: impl Fn() -> (N, ListenerId), journal: &Journal)
where
    N::Event: Debug,
{
    let plain = play(fresh(), journal, false, true);
    assert!(!plain.is_empty());
    assert_eq!(play(fresh(), journal, false, true), plain, "the same inputs give the same outputs");
    assert_eq!(play(fresh(), journal, true, true), plain, "ticks before the deadline change nothing");
    assert_eq!(play(fresh(), journal, false, false), plain, "draining late changes nothing");
    let [original, clone] = play_twice(fresh(), journal);
    assert_eq!((&original, &clone), (&plain, &plain), "a clone behaves like its original");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whole_nodes_obey_the_laws(dice in prop::collection::vec(any::<u8>(), 40..80)) {
        let [alice, server_journal, bob] = Net::new(dice).run(Instant::from_millis(200_000));
        obeys_the_laws(|| phone(1, 1, "Alice <sip:alice@atlanta.com>"), &alice);
        obeys_the_laws(server, &server_journal);
        obeys_the_laws(|| phone(3, 4, "Bob <sip:bob@biloxi.com>"), &bob);
    }
}
