//! Bindings of a NAT, seen from both sides.

use super::*;

const OUTSIDE: [u8; 4] = [203, 0, 113, 1];

/// Sends a datagram to each of these at its time; notes what arrives.
#[derive(Clone, Debug)]
struct Sender {
    to: VecDeque<(u64, SocketAddr)>,
    out: VecDeque<Output<Note>>,
}

impl Sender {
    fn new(to: &[(u64, &str)]) -> Box<Self> {
        let to = to.iter().map(|(at, address)| (*at, address.parse().unwrap())).collect();
        Box::new(Self { to, out: VecDeque::new() })
    }
}

impl Node for Sender {
    type Event = Note;
    fn handle(&mut self, now: Instant, input: Input<'_>) {
        while let Some((_, to)) = self.to.pop_front_if_due(now) {
            let flow = Flow::datagram(HERE, to);
            self.out.push_back(Output::Send(Transmit { flow, ttl: None, bytes: b"x".as_slice().into() }));
        }
        match input {
            Input::Datagram { remote, .. } => self.out.push_back(Output::Event(Note::Said(format!("from {remote}")))),
            Input::Unreachable { remote, .. } => {
                self.out.push_back(Output::Event(Note::Said(format!("none {remote}"))))
            }
            _ => {}
        }
    }
    fn poll(&mut self) -> Option<Output<Note>> {
        self.out.pop_front()
    }
    fn deadline(&self) -> Option<Instant> {
        self.to.front().map(|(at, _)| Instant::from_millis(*at))
    }
    fn is_idle(&self) -> bool {
        self.to.is_empty() && self.out.is_empty()
    }
    fn reserve(&mut self) -> ConnectionId {
        unreachable!("no connection is ever accepted for it")
    }
}

impl Actor for Sender {
    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}

trait Due {
    fn pop_front_if_due(&mut self, now: Instant) -> Option<(u64, SocketAddr)>;
}

impl Due for VecDeque<(u64, SocketAddr)> {
    fn pop_front_if_due(&mut self, now: Instant) -> Option<(u64, SocketAddr)> {
        if self.front().is_some_and(|(at, _)| Instant::from_millis(*at) <= now) { self.pop_front() } else { None }
    }
}

/// `a` and `b` are behind the NAT, `c` and `d` are not.
fn world(nat: Nat, plan: &str, sends: [&[(u64, &str)]; 4]) -> Vec<String> {
    let mut world = World::new(Setting { plan: plan.parse().unwrap(), ..Setting::default() });
    world.add_nat("nat", nat);
    for (index, (name, sends)) in ["a", "b", "c", "d"].into_iter().zip(sends).enumerate() {
        let address = if index < 2 { [10, 0, 0, 1 + index as u8] } else { [192, 0, 2, 1 + index as u8] };
        let node = world.add(name, Sender::new(sends), [(HERE, SocketAddr::from((address, 5060)))]);
        if index < 2 {
            world.put_behind(node, "nat");
        }
    }
    world.run_until(Instant::from_millis(1_000_000));
    assert_eq!(world.faults_met().to_string(), plan);
    notes(&world)
}

const A: &str = "10.0.0.1:5060";
const B: &str = "10.0.0.2:5060";
const C: &str = "192.0.2.3:5060";
const D: &str = "192.0.2.4:5060";
const FIRST: &str = "203.0.113.1:49152";
const SECOND: &str = "203.0.113.1:49153";

fn strict() -> Nat {
    Nat::strict(OUTSIDE.into())
}

#[test]
fn each_far_end_sees_another_port_and_only_it_gets_in_there() {
    let heard =
        world(strict(), "", [&[(100, C), (200, C), (300, D)], &[], &[(400, FIRST)], &[(500, FIRST), (600, SECOND)]]);
    let expected = [
        "0.110 c: from 203.0.113.1:49152",
        "0.210 c: from 203.0.113.1:49152",
        "0.310 d: from 203.0.113.1:49153",
        "0.410 a: from 192.0.2.3:5060",
        "0.610 a: from 192.0.2.4:5060",
    ];
    assert_eq!(heard, expected);
}

#[test]
fn a_nat_whose_mapping_does_not_depend_on_the_far_end_has_one_port_for_all() {
    let cone = Nat { mapping_depends: false, ..strict() };
    let sends: [&[_]; 4] = [&[(100, C)], &[(200, D)], &[], &[(300, FIRST), (400, SECOND)]];
    assert_eq!(world(cone, "", sends)[2..], ["0.410 b: from 192.0.2.4:5060"]);
    let open = Nat { filtering_depends: false, ..cone };
    assert_eq!(world(open, "", sends)[2..], ["0.310 a: from 192.0.2.4:5060", "0.410 b: from 192.0.2.4:5060"]);
}

#[test]
fn a_binding_is_gone_after_its_timeout_and_only_what_comes_from_inside_renews_it() {
    let sends: [&[_]; 4] = [&[(0, C), (100_000, C)], &[], &[(219_000, FIRST), (221_000, FIRST)], &[]];
    let heard = world(strict(), "", sends);
    assert_eq!(heard[2..], ["219.010 a: from 192.0.2.3:5060"]);
}

#[test]
fn a_nat_that_forgets_gives_another_port() {
    let sends: [&[_]; 4] = [&[(100, C), (300, C)], &[], &[(250, FIRST), (400, SECOND)], &[]];
    let heard = world(strict(), "nat@200ms:forget", sends);
    assert_eq!(
        heard,
        ["0.110 c: from 203.0.113.1:49152", "0.310 c: from 203.0.113.1:49153", "0.410 a: from 192.0.2.3:5060"]
    );
}

#[test]
fn those_inside_reach_one_another_directly_and_by_hairpin_only_if_there_is_one() {
    let sends: [&[_]; 4] = [&[(100, B), (300, FIRST)], &[(200, C)], &[], &[]];
    let open = Nat { mapping_depends: false, filtering_depends: false, ..strict() };
    let direct = ["0.110 b: from 10.0.0.1:5060", "0.210 c: from 203.0.113.1:49152"];
    assert_eq!(world(open, "", sends), direct);
    let heard = world(Nat { hairpin: true, ..open }, "", sends);
    assert_eq!(heard, [direct[0], direct[1], "0.310 b: from 203.0.113.1:49153"]);
}

#[test]
fn nobody_outside_reaches_an_inside_address() {
    assert_eq!(world(strict(), "", [&[], &[], &[(100, A)], &[]]), [""; 0]);
}
