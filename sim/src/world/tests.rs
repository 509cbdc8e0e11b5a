use std::collections::VecDeque;
use std::net::SocketAddr;

use sansip::{ConnectionId, Duration, Flow, Input, Instant, ListenerId, Node, Output, QueryId, Question, Transmit};

use super::*;
use crate::fault::Weather;
use crate::link::{Conditions, Link, Probability};
use crate::trace::{Note, Stopped};

mod nat;
mod outage;
mod stream;
mod watch;

const HERE: ListenerId = ListenerId::from_parts(0, 1);

/// Sends a numbered datagram every 100 ms, `count` times; notes what arrives, and answers the first of each kind.
#[derive(Clone, Debug)]
struct Beacon {
    peer: SocketAddr,
    left: u32,
    next: Instant,
    out: VecDeque<Output<Note>>,
}

impl Beacon {
    fn new(peer: SocketAddr, count: u32) -> Self {
        Self { peer, left: count, next: Instant::from_millis(100), out: VecDeque::new() }
    }

    fn send(&mut self, text: String) {
        let bytes = text.into_bytes().into();
        self.out.push_back(Output::Send(Transmit { flow: Flow::datagram(HERE, self.peer), ttl: None, bytes }));
    }
}

impl Node for Beacon {
    type Event = Note;
    fn handle(&mut self, now: Instant, input: Input<'_>) {
        if self.left > 0 && now >= self.next {
            self.send(format!("beacon {}", self.left));
            self.left -= 1;
            self.next = now + Duration::from_millis(100);
        }
        if let Input::Datagram { remote, bytes, .. } = input {
            let text = format!("{} from {remote}", bytes.escape_ascii());
            self.out.push_back(Output::Event(Note::Said(text)));
            if bytes.starts_with(b"beacon 1") {
                self.send("answer".to_owned());
            }
        }
        if let Input::Unreachable { remote, .. } = input {
            self.out.push_back(Output::Event(Note::Said(format!("nobody at {remote}"))));
        }
        if let Input::Resolved { answers, .. } = input {
            self.out.push_back(Output::Event(Note::Said(format!("{answers:?}"))));
        }
    }
    fn poll(&mut self) -> Option<Output<Note>> {
        self.out.pop_front()
    }
    fn deadline(&self) -> Option<Instant> {
        (self.left > 0).then_some(self.next)
    }
    fn is_idle(&self) -> bool {
        self.left == 0 && self.out.is_empty()
    }
    fn reserve(&mut self) -> ConnectionId {
        unreachable!("no connection is ever accepted for it")
    }
}

impl Actor for Beacon {
    /// Starts again with two more.
    fn restarted(&self, now: Instant, _: u32) -> Option<Box<dyn Actor>> {
        let next = now + Duration::from_millis(100);
        Some(Box::new(Self { next, ..Self::new(self.peer, 2) }))
    }
    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}

fn address(n: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n], 5060))
}

fn world(plan: &str, weather: Option<Weather>, beacons: u32) -> World {
    let bad = Conditions {
        loss: Probability::percent(30),
        duplication: Probability::percent(30),
        reordering: Probability::percent(30),
        latest: Duration::from_millis(250),
        ..Conditions::FINE
    };
    let links = Links::all(Link { conditions: bad, ..Link::default() });
    let mut world = World::new(Setting { links, plan: plan.parse().unwrap(), weather, ..Setting::default() });
    world.add("a", Box::new(Beacon::new(address(2), beacons)), [(HERE, address(1))]);
    world.add("b", Box::new(Beacon::new(address(1), 0)), [(HERE, address(2))]);
    world
}

/// The notes with their times.
fn notes(world: &World) -> Vec<String> {
    let entries = world.trace().entries().iter();
    entries
        .filter_map(|entry| match &entry.what {
            What::Noted { node, note } => Some(format!("{} {}: {note}", entry.time, world.trace().name(*node))),
            _ => None,
        })
        .collect()
}

/// Everything that can be seen of a run.
fn everything(world: &World) -> String {
    format!("{:?} {:?}", world.trace(), world.now())
}

#[test]
fn the_clock_jumps_to_deadlines_and_arrivals() {
    let mut world = world("", None, 2);
    assert!(world.run_until_quiet(Instant::from_millis(10_000)));
    assert_eq!(
        notes(&world),
        [
            "0.110 b: beacon 2 from 192.0.2.1:5060",
            "0.210 b: beacon 1 from 192.0.2.1:5060",
            "0.220 a: answer from 192.0.2.2:5060"
        ]
    );
    assert_eq!(world.now(), Instant::from_millis(220));
    assert_eq!(world.next_event(), None);
    assert!(!world.step());
}

#[test]
fn a_plan_drops_delays_and_duplicates_the_datagrams_it_names_and_no_others() {
    let mut world = world("a>b#1:drop, a>b#2:+150ms, a>b#3:dup(+20ms)", None, 4);
    assert!(world.run_until_quiet(Instant::from_millis(10_000)));
    assert_eq!(
        notes(&world),
        [
            "0.310 b: beacon 2 from 192.0.2.1:5060",
            "0.330 b: beacon 2 from 192.0.2.1:5060",
            "0.360 b: beacon 3 from 192.0.2.1:5060",
            "0.410 b: beacon 1 from 192.0.2.1:5060",
            "0.420 a: answer from 192.0.2.2:5060"
        ]
    );
    assert_eq!(world.faults_met().to_string(), "a>b#1:drop, a>b#2:+150ms, a>b#3:dup(+20ms)");
}

#[test]
fn the_faults_that_the_weather_drew_give_the_same_run_as_a_plan() {
    let weather = Weather { seed: 7, from: Instant::ZERO, calm_from: Instant::from_millis(5_000) };
    let mut drawn = world("", Some(weather), 50);
    drawn.run_until(Instant::from_millis(9_000));
    assert!(drawn.faults_met().len() > 10);
    let mut planned = world(&drawn.faults_met().to_string(), None, 50);
    planned.run_until(Instant::from_millis(9_000));
    assert_eq!(everything(&planned), everything(&drawn));
    assert_eq!(planned.faults_met(), drawn.faults_met());
}

#[test]
fn a_node_more_changes_nothing_for_the_others() {
    let weather = Weather { seed: 7, from: Instant::ZERO, calm_from: Instant::from_millis(5_000) };
    let mut alone = world("", Some(weather), 50);
    let mut crowded = world("", Some(weather), 50);
    crowded.add("c", Box::new(Beacon::new(address(2), 40)), [(HERE, address(3))]);
    alone.run_until(Instant::from_millis(9_000));
    crowded.run_until(Instant::from_millis(9_000));
    let of_a: Vec<_> = notes(&crowded).into_iter().filter(|note| note.contains("from 192.0.2.1")).collect();
    let alone: Vec<_> = notes(&alone).into_iter().filter(|note| note.contains("from 192.0.2.1")).collect();
    assert_eq!(of_a, alone);
}

#[test]
fn a_clone_goes_on_as_the_original_does() {
    let weather = Weather { seed: 9, from: Instant::ZERO, calm_from: Instant::from_millis(5_000) };
    let mut original = world("", Some(weather), 20);
    original.run_until(Instant::from_millis(1_050));
    let mut clone = original.clone();
    original.run_until(Instant::from_millis(9_000));
    assert_ne!(everything(&clone), everything(&original));
    clone.run_until(Instant::from_millis(9_000));
    assert_eq!(everything(&clone), everything(&original));
}

#[test]
fn a_datagram_to_where_nobody_listens_is_lost_and_seen() {
    let mut world = World::new(Setting::default());
    world.add("a", Box::new(Beacon::new(address(9), 1)), [(HERE, address(1))]);
    assert!(world.run_until_quiet(Instant::from_millis(1_000)));
    let (_, time, sent) = world.trace().transmissions().next().unwrap();
    assert_eq!((time, sent.to, sent.stopped), (Instant::from_millis(100), None, Some(Stopped::Nobody)));
    assert!(world.faults_met().is_empty());
}

#[test]
fn the_resolver_answers_after_its_delay_and_unknown_names_with_nothing_at_once() {
    let zone = Zone::new().with("Biloxi.com", address(3).ip());
    let mut world = World::new(Setting { zone, ..Setting::default() });
    let mut asking = Beacon::new(address(9), 0);
    for (slot, name) in [(1, "biloxi.com"), (2, "atlanta.com")] {
        let question = Question::Address { name: name.into() };
        asking.out.push_back(Output::Resolve { query: QueryId::from_parts(slot, 1), question });
    }
    world.add("a", Box::new(asking), [(HERE, address(1))]);
    assert!(!world.is_quiet());
    assert!(world.run_until_quiet(Instant::from_millis(1_000)));
    assert_eq!(notes(&world), ["0.000 a: []", "0.001 a: [Address(192.0.2.3)]"]);
}

#[test]
fn a_world_that_does_not_become_quiet_is_left_at_the_cap() {
    let mut world = world("", None, 100);
    assert!(!world.run_until_quiet(Instant::from_millis(450)));
    assert_eq!(world.now(), Instant::from_millis(410));
}

#[test]
#[should_panic(expected = "still has the deadline that it was woken for")]
fn a_node_whose_deadline_does_not_move_on_is_a_bug() {
    #[derive(Clone, Debug)]
    struct Stuck;
    impl Node for Stuck {
        type Event = Note;
        fn handle(&mut self, _: Instant, _: Input<'_>) {}
        fn poll(&mut self) -> Option<Output<Note>> {
            None
        }
        fn deadline(&self) -> Option<Instant> {
            Some(Instant::from_millis(5))
        }
        fn is_idle(&self) -> bool {
            true
        }
        fn reserve(&mut self) -> ConnectionId {
            unreachable!("no connection is ever accepted for it")
        }
    }
    impl Actor for Stuck {
        fn clone_box(&self) -> Box<dyn Actor> {
            Box::new(self.clone())
        }
    }
    let mut world = World::new(Setting::default());
    world.add("stuck", Box::new(Stuck), [] as [Bound; 0]);
    world.step();
}
