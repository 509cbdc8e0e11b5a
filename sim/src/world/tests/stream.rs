//! Streams between two nodes: how they open, carry, stall and end.

use sansip::Change;
use sansip::message::header::Protocol;

use super::*;

/// Opens a connection at 100 ms if it has a peer, and writes to the newest that it has at its times; notes everything.
#[derive(Clone, Debug)]
struct Line {
    peer: Option<SocketAddr>,
    protocol: Protocol,
    writes: VecDeque<(u64, &'static str)>,
    connection: Option<ConnectionId>,
    named: u32,
    out: VecDeque<Output<Note>>,
}

impl Line {
    fn new(peer: Option<SocketAddr>, protocol: Protocol, writes: &[(u64, &'static str)]) -> Self {
        let (writes, out) = (writes.iter().copied().collect(), VecDeque::new());
        Self { peer, protocol, writes, connection: None, named: 0, out }
    }

    fn say(&mut self, text: String) {
        self.out.push_back(Output::Event(Note::Said(text)));
    }

    fn write(&mut self, text: &str) {
        let Some(connection) = self.connection else { return };
        if text == "close" {
            self.out.push_back(Output::Close { connection });
            return;
        }
        let flow = Flow { listener: HERE, remote: address(9), connection: Some(connection) };
        self.out.push_back(Output::Send(Transmit { flow, ttl: None, bytes: text.as_bytes().into() }));
    }
}

impl Node for Line {
    type Event = Note;
    fn handle(&mut self, now: Instant, input: Input<'_>) {
        if now >= Instant::from_millis(100)
            && let Some(remote) = self.peer.take()
        {
            let connection = self.reserve();
            self.connection = Some(connection);
            let (protocol, server_name) = (self.protocol, Some("b.example.com".into()));
            self.out.push_back(Output::Open { connection, listener: HERE, protocol, remote, server_name });
        }
        while self.writes.front().is_some_and(|(at, _)| Instant::from_millis(*at) <= now) {
            let (_, text) = self.writes.pop_front().unwrap();
            self.write(text);
        }
        match input {
            Input::Accepted { connection, remote, .. } => {
                self.connection = Some(connection);
                self.say(format!("accepted {remote}"));
            }
            Input::Stream { bytes, .. } => self.say(format!("got {}", bytes.escape_ascii())),
            Input::Message { bytes, .. } => self.say(format!("message {}", bytes.escape_ascii())),
            Input::Connection { change: Change::Opened { identities }, .. } => self.say(format!("open {identities:?}")),
            Input::Connection { change, .. } => self.say(format!("{change:?}")),
            _ => {}
        }
    }
    fn poll(&mut self) -> Option<Output<Note>> {
        self.out.pop_front()
    }
    fn deadline(&self) -> Option<Instant> {
        let open = self.peer.map(|_| Instant::from_millis(100));
        let write = self.writes.front().map(|(at, _)| Instant::from_millis(*at));
        [open, write].into_iter().flatten().min()
    }
    fn is_idle(&self) -> bool {
        self.deadline().is_none() && self.out.is_empty()
    }
    fn reserve(&mut self) -> ConnectionId {
        self.named += 1;
        ConnectionId::from_parts(self.named, 1)
    }
}

impl Actor for Line {
    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}

fn ran(plan: &str, protocol: Protocol, a: &[(u64, &'static str)], b: &[(u64, &'static str)]) -> World {
    let zone = Zone::new().with("b.example.com", address(2).ip());
    let mut world = World::new(Setting { plan: plan.parse().unwrap(), zone, ..Setting::default() });
    let bound = |n| Bound { listener: HERE, protocol, address: address(n) };
    world.add("a", Box::new(Line::new(Some(address(2)), protocol, a)), [bound(1)]);
    world.add("b", Box::new(Line::new(None, protocol, b)), [bound(2)]);
    world.run_until(Instant::from_millis(60_000));
    assert_eq!(world.faults_met().to_string(), plan);
    world
}

fn said(plan: &str, a: &[(u64, &'static str)], b: &[(u64, &'static str)]) -> Vec<String> {
    notes(&ran(plan, Protocol::Tcp, a, b))
}

const OPEN: [&str; 2] = ["0.110 b: accepted 192.0.2.1:49152", "0.120 a: open []"];

#[test]
fn a_connection_opens_carries_both_ways_and_closes_after_what_was_written() {
    let heard = said("", &[(200, "one"), (300, "two"), (300, "close")], &[(250, "hello"), (400, "late")]);
    let rest = ["0.210 b: got one", "0.260 a: got hello", "0.310 b: got two", "0.310 b: Closed"];
    assert_eq!(heard, [&OPEN[..], &rest].concat());
}

#[test]
fn what_is_written_before_it_is_open_waits_for_that() {
    let heard = said("", &[(100, "one"), (105, "two")], &[]);
    assert_eq!(heard, [&OPEN[..], &["0.130 b: got one", "0.130 b: got two"]].concat());
}

#[test]
fn nobody_there_is_a_failure_and_so_is_somebody_who_is_down() {
    let mut world = World::new(Setting::default());
    let bound = Bound { listener: HERE, protocol: Protocol::Tcp, address: address(1) };
    world.add("a", Box::new(Line::new(Some(address(2)), Protocol::Tcp, &[])), [bound]);
    // UDP is another port.
    world.add("b", Box::new(Beacon::new(address(1), 0)), [(HERE, address(2))]);
    world.run_until(Instant::from_millis(60_000));
    assert_eq!(notes(&world), ["0.120 a: Failed"]);
    assert_eq!(said("b@50ms:crash", &[], &[])[1..], ["0.120 a: Failed"]);
}

#[test]
fn an_open_connection_of_tls_says_who_the_far_end_has_proved_to_be() {
    let world = ran("", Protocol::Tls, &[], &[]);
    assert_eq!(notes(&world)[1], "0.120 a: open [\"b.example.com\"]");
}

#[test]
fn a_write_is_cut_into_pieces_and_arrives_when_all_of_it_has() {
    let world = ran("a>b#1:split(2)", Protocol::Tcp, &[(200, "abcde")], &[]);
    assert_eq!(notes(&world)[2..], ["0.210 b: got ab", "0.210 b: got cd", "0.210 b: got e"]);
    let arrived = world.trace().entries().iter().filter(|entry| matches!(entry.what, What::Arrived { .. }));
    assert_eq!(arrived.map(|entry| entry.time.as_nanos()).collect::<Vec<_>>(), [210_200_000]);
    // The octets that have waited come with the end of at most one write: here all of the first, and a piece of the second.
    let plan = "a>b#1:+100ms, a>b#2:split(2)";
    let heard = said(plan, &[(200, "abc"), (310, "de"), (310, "f")], &[]);
    assert_eq!(heard[2..], ["0.310 b: got abc", "0.320 b: got de", "0.320 b: got f"]);
    let heard = said("a>b#1:+100ms, a>b#2:split(3)", &[(200, "abc"), (250, "defg")], &[]);
    assert_eq!(heard[2..], ["0.310 b: got abcdef", "0.310 b: got g"]);
    // A protocol that keeps messages apart brings each whole, and one at a time.
    let world = ran("a>b#1:split(2)", Protocol::Ws, &[(100, "abcde"), (100, "f")], &[]);
    assert_eq!(notes(&world)[2..], ["0.130 b: message abcde", "0.130 b: message f"]);
}

#[test]
fn a_loss_is_a_delay_and_what_follows_waits() {
    let heard = said("a>b#1:+1s", &[(200, "one"), (300, "two"), (2_000, "three")], &[(250, "hello")]);
    assert_eq!(heard[2..], ["0.260 a: got hello", "1.210 b: got one", "1.210 b: got two", "2.010 b: got three"]);
    let mut world = World::new(Setting { plan: "a>b#1:drop".parse().unwrap(), ..Setting::default() });
    let bound = |n| Bound { listener: HERE, protocol: Protocol::Tcp, address: address(n) };
    world.add("a", Box::new(Line::new(Some(address(2)), Protocol::Tcp, &[(200, "one")])), [bound(1)]);
    world.add("b", Box::new(Line::new(None, Protocol::Tcp, &[])), [bound(2)]);
    world.run_until(Instant::from_millis(60_000));
    assert_eq!((notes(&world)[2].as_str(), world.faults_met().to_string().as_str()), ("1.210 b: got one", "a>b#1:+1s"));
}

#[test]
fn a_stall_holds_one_way_and_the_writer_knows() {
    let heard = said("a>b@150ms..500ms:stall", &[(200, "one"), (300, "two")], &[(250, "hello")]);
    assert_eq!(
        heard[2..],
        ["0.150 a: Stalled", "0.260 a: got hello", "0.500 a: Writable", "0.510 b: got one", "0.510 b: got two"]
    );
}

#[test]
fn a_reset_ends_it_for_both_and_what_is_written_then_goes_nowhere() {
    let heard = said("a>b#2:reset", &[(200, "one"), (300, "two"), (400, "three")], &[(500, "hello")]);
    assert_eq!(heard[2..], ["0.210 b: got one", "0.300 a: Closed", "0.300 b: Closed"]);
    let world = ran("a>b@250ms:reset", Protocol::Tcp, &[(245, "one"), (300, "two")], &[]);
    assert_eq!(notes(&world)[2..], ["0.250 a: Closed", "0.250 b: Closed"]);
    let stopped: Vec<_> = world.trace().transmissions().map(|(_, _, sent)| sent.stopped).collect();
    assert_eq!(stopped, [None, Some(Stopped::Closed)]);
}

#[test]
fn a_crash_closes_what_the_node_had() {
    let heard = said("b@205ms:crash", &[(200, "one"), (300, "two")], &[]);
    assert_eq!(heard[2..], ["0.205 b: crashed", "0.215 a: Closed"]);
}

#[test]
fn a_cut_delays_and_a_long_one_keeps_it_from_opening() {
    let heard = said("a|b@150ms..5s:cut", &[(200, "one"), (300, "two")], &[]);
    assert_eq!(heard[2..], ["5.010 b: got one", "5.010 b: got two"]);
    assert_eq!(said("a|b@50ms..2s:cut", &[], &[])[1], "2.020 a: open []");
    assert_eq!(said("a|b@50ms..50s:cut", &[], &[]), ["30.100 a: Failed"]);
}
