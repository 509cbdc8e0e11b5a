//! The laws of the poll API (docs/poll.md) over whole nodes that talk along streams: two user agents and a domain's server
//! between them, over connections that are cut into pieces, refused and reset. What each node was given is written down, and
//! given again to a fresh one in other ways.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use proptest::prelude::*;
use sansip::message::UriBuf;
use sansip::message::header::{NameAddrBuf, Protocol};
use sansip::server::{Server, Settings};
use sansip::user_agent::{Event, Profile, Register, UserAgent};
use sansip::{
    CallId, Change, Config, ConnectionId, Duration, Flow, Input, Instant, Listener, ListenerId, NextHop, Node, Output,
    Seed,
};

/// Something a node was given.
#[derive(Clone, Debug)]
enum Step {
    Datagram(SocketAddr, Vec<u8>),
    Accepted(SocketAddr),
    Stream(ConnectionId, Vec<u8>),
    Opened(ConnectionId),
    Failed(ConnectionId),
    Closed(ConnectionId),
    Stalled(ConnectionId),
    Writable(ConnectionId),
    Tick,
    Register,
    Call,
    Answer(CallId),
    ByWhom(CallId),
}

type Journal = Vec<(Instant, Step)>;

/// A node on UDP and TCP.
#[derive(Clone)]
struct Host<N> {
    node: N,
    udp: ListenerId,
    tcp: ListenerId,
}

/// A node that a journal can be played to.
trait Player: Node<Event: std::fmt::Debug> + Clone {
    fn command(&mut self, _: Instant, _: &Step) {}

    /// The reaction of its user to an event, and after how many milliseconds.
    fn reaction(_: &Self::Event) -> Option<(u64, Step)> {
        None
    }
}

impl Player for Server {}

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
            Step::Answer(call) => self.answer(now, *call, None),
            Step::ByWhom(call) => self.hang_up(now, *call),
            _ => Ok(()),
        };
    }

    fn reaction(event: &Event) -> Option<(u64, Step)> {
        match event {
            Event::Incoming { call, .. } => Some((1_700, Step::Answer(*call))),
            Event::Answered { call, .. } => Some((40_000, Step::ByWhom(*call))),
            _ => None,
        }
    }
}

impl<N: Player> Host<N> {
    /// The name of the connection, if the step was that one was accepted.
    fn play(&mut self, now: Instant, step: &Step) -> Option<ConnectionId> {
        let change = |connection, change| Input::Connection { connection, change };
        let input = match step {
            Step::Datagram(remote, bytes) => Input::Datagram { listener: self.udp, remote: *remote, bytes },
            Step::Accepted(remote) => {
                let connection = self.node.reserve();
                self.node.handle(now, Input::Accepted { listener: self.tcp, connection, remote: *remote });
                return Some(connection);
            }
            Step::Stream(connection, bytes) => Input::Stream { connection: *connection, bytes },
            Step::Opened(connection) => change(*connection, Change::Opened { identities: &[] }),
            Step::Failed(connection) => change(*connection, Change::Failed),
            Step::Closed(connection) => change(*connection, Change::Closed),
            Step::Stalled(connection) => change(*connection, Change::Stalled),
            Step::Writable(connection) => change(*connection, Change::Writable),
            Step::Tick => Input::Tick,
            command => {
                self.node.command(now, command);
                return None;
            }
        };
        self.node.handle(now, input);
        None
    }

    fn drain(&mut self, into: &mut Vec<String>) {
        into.extend(std::iter::from_fn(|| self.node.poll()).map(|output| format!("{output:?}")));
    }
}

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, last], 5060))
}

fn phone(seed: u64, last: u8, name: &str) -> Host<UserAgent> {
    let mut profile = Profile::new(name.parse().expect("a name-addr"));
    profile.outbound = Some(NextHop { protocol: Some(Protocol::Tcp), ..NextHop::from(address(2)) });
    let mut node = UserAgent::user_agent(Config::new(Seed::from_u64(seed)), profile);
    let udp = node.listen(Listener::udp(address(last)));
    let tcp = node.listen(Listener::tcp(address(last)));
    Host { node, udp, tcp }
}

fn alice() -> Host<UserAgent> {
    phone(1, 1, "Alice <sip:alice@atlanta.com>")
}

fn bob() -> Host<UserAgent> {
    phone(3, 4, "Bob <sip:bob@biloxi.com>")
}

fn server() -> Host<Server> {
    let domain = "biloxi.com".parse().expect("a host");
    let proxy = sansip::proxy::Settings { record_route: true, ..Default::default() };
    let settings = Settings { domains: vec![domain], proxy, ..Settings::default() };
    let mut node = Server::server(Config::new(Seed::from_u64(2)), settings);
    let udp = node.listen(Listener::udp(address(2)));
    let tcp = node.listen(Listener::tcp(address(2)));
    Host { node, udp, tcp }
}

/// The last octets of the nodes' addresses.
const LAST: [u8; 3] = [1, 2, 4];

/// A connection between two nodes: who has opened it comes first.
struct Link {
    ends: [(usize, Option<ConnectionId>); 2],
    /// The octets that were sent before it was open.
    unsent: Vec<u8>,
    /// When the last piece arrives at each end.
    arrival: [Instant; 2],
    is_open: bool,
}

/// Something that is under way.
enum Happening {
    Step(usize, Step),
    Accept(usize),
    Open(usize),
    Piece(usize, usize, Vec<u8>),
    /// Both ends of a link see its end.
    Reset(usize),
}

/// The three nodes, what is under way between them, and what each was given.
struct Net {
    alice: Host<UserAgent>,
    server: Host<Server>,
    bob: Host<UserAgent>,
    journals: [Journal; 3],
    under_way: BTreeMap<(Instant, u64), Happening>,
    links: Vec<Link>,
    sequence: u64,
    dice: Vec<u8>,
}

impl Net {
    fn new(dice: Vec<u8>) -> Self {
        let mut net = Self {
            alice: alice(),
            server: server(),
            bob: bob(),
            journals: Default::default(),
            under_way: BTreeMap::new(),
            links: Vec::new(),
            sequence: 0,
            dice,
        };
        net.plan(Instant::ZERO, Happening::Step(2, Step::Register));
        for at in [2_000, 50_000] {
            net.plan(Instant::from_millis(at), Happening::Step(0, Step::Call));
        }
        net
    }

    fn plan(&mut self, at: Instant, event: Happening) {
        self.sequence += 1;
        self.under_way.insert((at, self.sequence), event);
    }

    fn die(&mut self) -> u8 {
        self.sequence += 1;
        self.dice[self.sequence as usize % self.dice.len()]
    }

    /// Runs until nothing is planned and no timer is due by `until`.
    fn run(mut self, until: Instant) -> [Journal; 3] {
        loop {
            let deadlines = [self.alice.node.deadline(), self.server.node.deadline(), self.bob.node.deadline()];
            let tick = (0..3).filter_map(|node| Some((deadlines[node]?, node))).min();
            let planned = self.under_way.first_key_value().map(|(&(at, _), _)| at);
            let (now, event) = match (planned, tick) {
                (Some(at), tick) if tick.is_none_or(|(deadline, _)| at <= deadline) => {
                    (at, self.under_way.pop_first().expect("it was just seen").1)
                }
                (_, Some((deadline, node))) => (deadline, Happening::Step(node, Step::Tick)),
                (_, None) => return self.journals,
            };
            if now > until {
                return self.journals;
            }
            self.happens(now, event);
        }
    }

    fn happens(&mut self, now: Instant, event: Happening) {
        match event {
            Happening::Step(node, step) => _ = self.give(now, node, step),
            Happening::Accept(link) => {
                let [(from, _), (to, _)] = self.links[link].ends;
                let remote = SocketAddr::from(([192, 0, 2, LAST[from]], 49_152 + link as u16));
                self.links[link].ends[1].1 = self.give(now, to, Step::Accepted(remote));
            }
            Happening::Open(link) => {
                let (node, id) = self.links[link].ends[0];
                self.links[link].is_open = true;
                let unsent = std::mem::take(&mut self.links[link].unsent);
                self.write(now, link, 1, &unsent);
                self.give(now, node, Step::Opened(id.expect("the opener has named it")));
            }
            Happening::Piece(link, end, bytes) => {
                if let (node, Some(id)) = self.links[link].ends[end]
                    && self.links[link].is_open
                {
                    self.give(now, node, Step::Stream(id, bytes));
                }
            }
            Happening::Reset(link) => {
                self.links[link].is_open = false;
                for (node, id) in self.links[link].ends {
                    if let Some(id) = id {
                        self.give(now, node, Step::Closed(id));
                    }
                }
            }
        }
    }

    fn give(&mut self, now: Instant, node: usize, step: Step) -> Option<ConnectionId> {
        self.journals[node].push((now, step.clone()));
        let id = match node {
            0 => self.alice.play(now, &step),
            1 => self.server.play(now, &step),
            _ => self.bob.play(now, &step),
        };
        while let Some(output) = match node {
            0 => self.alice.node.poll().map(|output| self.reacts(now, node, output)),
            1 => self.server.node.poll().map(|output| output.into_event().err()),
            _ => self.bob.node.poll().map(|output| self.reacts(now, node, output)),
        } {
            if let Some(output) = output {
                self.carry(now, node, output);
            }
        }
        id
    }

    fn reacts(&mut self, now: Instant, node: usize, output: Output<Event>) -> Option<Output<()>> {
        match output.into_event() {
            Err(output) => Some(output),
            Ok(event) => {
                if let Some((after, step)) = UserAgent::reaction(&event) {
                    self.plan(now + Duration::from_millis(after), Happening::Step(node, step));
                }
                None
            }
        }
    }

    fn carry(&mut self, now: Instant, node: usize, output: Output<()>) {
        match output {
            Output::Open { connection, remote, .. } => {
                let to = LAST.iter().position(|&last| address(last) == remote);
                let (Some(to), false) = (to, self.die().is_multiple_of(8)) else {
                    return self.plan(now + Duration::from_millis(30), Happening::Step(node, Step::Failed(connection)));
                };
                let ends = [(node, Some(connection)), (to, None)];
                let link = self.links.len();
                self.links.push(Link { ends, unsent: Vec::new(), arrival: [now; 2], is_open: false });
                self.plan(now + Duration::from_millis(10), Happening::Accept(link));
                self.plan(now + Duration::from_millis(20), Happening::Open(link));
            }
            Output::Close { connection } => {
                if let Some((link, end)) = self.link(node, connection) {
                    self.links[link].ends[end].1 = None;
                    let at = self.links[link].arrival[1 - end].max(now) + Duration::from_millis(10);
                    self.plan(at, Happening::Reset(link));
                }
            }
            Output::Send(transmit) => self.send(now, node, transmit.flow, &transmit.bytes),
            _ => {}
        }
    }

    fn link(&self, node: usize, connection: ConnectionId) -> Option<(usize, usize)> {
        let ends = |link: &Link| link.ends.iter().position(|end| *end == (node, Some(connection)));
        self.links.iter().enumerate().rev().find_map(|(index, link)| Some((index, ends(link)?)))
    }

    fn send(&mut self, now: Instant, node: usize, flow: Flow, bytes: &[u8]) {
        let Some(connection) = flow.connection else {
            let to = LAST.iter().position(|&last| address(last) == flow.remote);
            if let (Some(to), false) = (to, self.die().is_multiple_of(4)) {
                let step = Step::Datagram(address(LAST[node]), bytes.to_vec());
                self.plan(now + Duration::from_millis(10), Happening::Step(to, step));
            }
            return;
        };
        let Some((link, end)) = self.link(node, connection) else { return };
        match self.links[link].is_open {
            true => self.write(now, link, 1 - end, bytes),
            false => self.links[link].unsent.extend_from_slice(bytes),
        }
        match self.die() {
            0..12 => self.plan(now + Duration::from_millis(15), Happening::Reset(link)),
            12..30 => {
                self.plan(now, Happening::Step(node, Step::Stalled(connection)));
                self.plan(now + Duration::from_millis(40), Happening::Step(node, Step::Writable(connection)));
            }
            _ => {}
        }
    }

    /// Up to three pieces, one after the other.
    fn write(&mut self, now: Instant, link: usize, end: usize, mut bytes: &[u8]) {
        for _ in 0..3 {
            let cut = (usize::from(self.die()) * 3).min(bytes.len());
            let (piece, rest) = bytes.split_at(if rest_is_short(bytes, cut) { bytes.len() } else { cut });
            bytes = rest;
            let delay = Duration::from_millis(u64::from(self.die() % 50));
            let at = self.links[link].arrival[end].max(now) + delay;
            self.links[link].arrival[end] = at;
            self.plan(at, Happening::Piece(link, end, piece.to_vec()));
        }
        let at = self.links[link].arrival[end];
        self.plan(at, Happening::Piece(link, end, bytes.to_vec()));
    }
}

fn rest_is_short(bytes: &[u8], cut: usize) -> bool {
    bytes.len() - cut < 20
}

/// How a journal is played.
#[derive(Clone, Copy, Default)]
struct Way {
    /// Ticks come between the steps whenever no timer is due.
    ticks: bool,
    /// Nothing is drained before the end.
    late: bool,
    /// Streams come in pieces of this size.
    pieces: Option<usize>,
}

fn play<N: Player>(mut host: Host<N>, journal: &Journal, way: Way) -> Vec<String> {
    let mut outputs = Vec::new();
    for (index, (now, step)) in journal.iter().enumerate() {
        if way.ticks {
            let before = if index == 0 { Instant::ZERO } else { journal[index - 1].0 };
            let middle = before + (*now - before) / 2;
            let deadline = host.node.deadline();
            if deadline.is_none_or(|deadline| middle < deadline) {
                host.node.handle(middle, Input::Tick);
                assert_eq!(host.node.deadline(), deadline, "an early tick moved the deadline");
            }
        }
        match (step, way.pieces) {
            // A read without bytes tells the node the time, so it is no read less.
            (Step::Stream(connection, bytes), Some(size)) if !bytes.is_empty() => {
                for piece in bytes.chunks(size) {
                    host.play(*now, &Step::Stream(*connection, piece.to_vec()));
                }
            }
            _ => _ = host.play(*now, step),
        }
        if !way.late {
            host.drain(&mut outputs);
        }
        assert!(host.node.deadline().is_none_or(|deadline| deadline > *now), "a timer that is due was left");
    }
    host.drain(&mut outputs);
    outputs
}

/// Plays the first part of the journal, clones, and plays the rest to both.
fn play_twice<N: Player>(mut host: Host<N>, journal: &Journal) -> [Vec<String>; 2] {
    let (first, rest) = journal.split_at(journal.len() / 2);
    let mut outputs = Vec::new();
    for (now, step) in first {
        host.play(*now, step);
    }
    host.drain(&mut outputs);
    let (clone, others) = (host.clone(), outputs.clone());
    [(host, outputs), (clone, others)].map(|(mut host, mut outputs)| {
        for (now, step) in rest {
            host.play(*now, step);
            host.drain(&mut outputs);
        }
        outputs
    })
}

fn obeys_the_laws<N: Player>(fresh: impl Fn() -> Host<N>, journal: &Journal) {
    let plain = play(fresh(), journal, Way::default());
    let same = |way: Way, law: &str| assert_eq!(play(fresh(), journal, way), plain, "{law}");
    same(Way::default(), "the same inputs give the same outputs");
    same(Way { ticks: true, ..Way::default() }, "ticks before the deadline change nothing");
    same(Way { late: true, ..Way::default() }, "draining late changes nothing");
    for size in [1, 7, 100] {
        same(Way { pieces: Some(size), ..Way::default() }, "a stream may be cut anywhere");
    }
    assert_eq!(play_twice(fresh(), journal), [plain.clone(), plain], "a clone behaves like its original");
}

#[test]
fn without_faults_the_calls_go_through_over_tcp() {
    // Cut into three pieces each, nothing refused, nothing reset, and fast enough that no 200 comes twice.
    let [_, _, bob] = Net::new(vec![31]).run(Instant::from_millis(300_000));
    let streamed = bob.iter().filter_map(|(_, step)| match step {
        Step::Stream(_, bytes) => Some(&bytes[..]),
        _ => None,
    });
    let streamed = String::from_utf8(streamed.collect::<Vec<_>>().concat()).expect("SIP is text");
    let count = |what: &str| streamed.matches(what).count();
    assert_eq!(
        (count("SIP/2.0 200 OK"), count("INVITE sip:bob@"), count("ACK sip:bob@"), count("BYE sip:bob@")),
        (1, 2, 2, 2)
    );
    assert!(streamed.contains("Record-Route: <sip:192.0.2.2;transport=tcp;lr;token="), "{streamed}");
    assert!(streamed.contains("Contact: <sip:alice@192.0.2.1;transport=tcp>"), "{streamed}");
    assert!(!bob.iter().any(|(_, step)| matches!(step, Step::Datagram(..))));
}

/// A read without bytes comes just when a timer is due.
#[test]
fn an_empty_read_is_a_moment_like_any_other() {
    let dice = [
        30, 30, 0, 0, 30, 0, 0, 12, 0, 0, 0, 32, 244, 211, 10, 33, 14, 199, 205, 26, 11, 161, 69, 172, 160, 107, 162,
        228, 30, 91, 249, 191, 203, 240, 26, 229, 163, 137, 211, 52, 202, 56, 236, 114, 82, 11, 250, 0, 94, 200, 191,
        0, 80, 157, 199,
    ];
    let [_, server_journal, _] = Net::new(dice.to_vec()).run(Instant::from_millis(300_000));
    obeys_the_laws(server, &server_journal);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nodes_that_talk_along_streams_obey_the_laws(dice in prop::collection::vec(any::<u8>(), 40..80)) {
        let [alice_journal, server_journal, bob_journal] = Net::new(dice).run(Instant::from_millis(300_000));
        obeys_the_laws(alice, &alice_journal);
        obeys_the_laws(server, &server_journal);
        obeys_the_laws(bob, &bob_journal);
    }
}
