//! Nodes that crash, networks that are cut, resolvers and clocks that are wrong, and what else can happen on a link.

use super::*;
use crate::fault::{Effect, TimedFault};
use crate::link::Link;

fn said(plan: &str, link: Link, beacons: u32) -> Vec<String> {
    let setting = Setting { links: Links::all(link), plan: plan.parse().unwrap(), ..Setting::default() };
    let mut world = World::new(setting);
    world.add("a", Box::new(Beacon::new(address(2), beacons)), [(HERE, address(1))]);
    world.add("b", Box::new(Beacon::new(address(1), 0)), [(HERE, address(2))]);
    world.run_until(Instant::from_millis(5_000));
    assert_eq!(world.faults_met().to_string(), plan);
    notes(&world)
}

fn b_hears(time: &str, beacon: u32) -> String {
    format!("{time} b: beacon {beacon} from 192.0.2.1:5060")
}

#[test]
fn a_crashed_node_does_nothing_and_a_restarted_one_begins_anew() {
    let heard = said("a@250ms:crash, a@1s:restart", Link::default(), 9);
    let expected = [
        &b_hears("0.110", 9),
        &b_hears("0.210", 8),
        "0.250 a: crashed",
        "1.000 a: up again",
        &b_hears("1.110", 2),
        &b_hears("1.210", 1),
        "1.220 a: answer from 192.0.2.2:5060",
    ];
    assert_eq!(heard, expected);
}

#[test]
fn a_restart_without_a_crash_is_both_and_a_second_crash_is_none() {
    let heard = said("a@150ms:restart, a@160ms:crash", Link::default(), 9);
    assert_eq!(heard[1..], ["0.150 a: crashed", "0.150 a: up again", "0.160 a: crashed"]);
    let plan: Plan = "a@150ms:crash, a@160ms:crash, nobody@160ms:crash".parse().unwrap();
    let mut world = World::new(Setting { plan, ..Setting::default() });
    world.add("a", Box::new(Beacon::new(address(2), 9)), [(HERE, address(1))]);
    world.run_until(Instant::from_millis(5_000));
    assert_eq!(world.faults_met().to_string(), "a@150ms:crash");
    assert!(world.is_quiet() && world.actors().count() == 0);
}

#[test]
fn what_comes_to_a_crashed_node_is_lost_or_its_sender_is_told() {
    let (silent, telling) = (Link::default(), Link { icmp: true, ..Link::default() });
    assert_eq!(said("b@50ms:crash", silent, 1), ["0.050 b: crashed"]);
    assert_eq!(said("b@50ms:crash", telling, 1), ["0.050 b: crashed", "0.120 a: nobody at 192.0.2.2:5060"]);
    let mut world = World::new(Setting { links: Links::all(telling), ..Setting::default() });
    world.add("a", Box::new(Beacon::new(address(9), 1)), [(HERE, address(1))]);
    world.run_until(Instant::from_millis(5_000));
    assert_eq!(notes(&world), ["0.120 a: nobody at 192.0.2.9:5060"]);
}

#[test]
fn a_larger_datagram_than_the_mtu_is_lost_or_its_sender_is_told() {
    // `beacon 10` has nine octets, `beacon 9` eight.
    let narrow = Link { mtu: Some(8), ..Link::default() };
    assert_eq!(said("", narrow, 10)[0], b_hears("0.210", 9));
    let heard = said("", Link { icmp: true, ..narrow }, 10);
    assert_eq!(heard[..2], ["0.120 a: nobody at 192.0.2.2:5060".to_owned(), b_hears("0.210", 9)]);
}

#[test]
fn nothing_passes_a_cut_while_it_lasts() {
    // The cut begins with the second beacon and is over when the fourth is sent; what was under way arrives.
    let heard = said("a|b@200ms..400ms:cut", Link { delay: Duration::from_millis(150), ..Link::default() }, 4);
    assert_eq!(heard[..2], [b_hears("0.250", 4), b_hears("0.550", 1)]);
    assert_eq!(said("*|b@200ms..400ms:cut", Link::default(), 4)[..2], [b_hears("0.110", 4), b_hears("0.410", 1)]);
}

#[test]
fn an_octet_is_changed_on_the_way_and_the_trace_has_both() {
    let plan: Plan = "a>b#1:flip(0^20)".parse().unwrap();
    let mut world = World::new(Setting { plan, ..Setting::default() });
    world.add("a", Box::new(Beacon::new(address(2), 1)), [(HERE, address(1))]);
    world.add("b", Box::new(Beacon::new(address(1), 0)), [(HERE, address(2))]);
    world.run_until(Instant::from_millis(5_000));
    assert_eq!(notes(&world), ["0.110 b: Beacon 1 from 192.0.2.1:5060"]);
    let (_, _, sent) = world.trace().transmissions().next().unwrap();
    assert_eq!((&*sent.bytes, &**sent.arriving()), (&b"beacon 1"[..], &b"Beacon 1"[..]));
}

#[test]
fn messages_are_counted_by_selector_over_all_its_links() {
    let plan: Plan = "*>b#2:drop, a>*:+1ms, c>b#1:dup(+1s)".parse().unwrap();
    let mut world = World::new(Setting { plan, ..Setting::default() });
    world.add("a", Box::new(Beacon::new(address(2), 2)), [(HERE, address(1))]);
    world.add("b", Box::new(Beacon::new(address(1), 0)), [(HERE, address(2))]);
    world.add("c", Box::new(Beacon::new(address(2), 2)), [(HERE, address(3))]);
    world.run_until(Instant::from_millis(150));
    assert_eq!(world.faults_met().to_string(), "a>b#1:+1ms, c>b#1:drop");
    world.run_until(Instant::from_millis(250));
    assert_eq!(world.faults_met().to_string(), "a>b#1:+1ms, a>b#2:+1ms, c>b#1:drop");
}

#[test]
fn a_resolver_is_slow_silent_empty_or_lies_while_it_is_said_to() {
    let ask = |plan: &str| {
        let zone = Zone::new().with("biloxi.com", address(3).ip());
        let mut world = World::new(Setting { zone, plan: plan.parse().unwrap(), ..Setting::default() });
        let mut asking = Beacon::new(address(9), 0);
        let question = Question::Address { name: "biloxi.com".into() };
        asking.out.push_back(Output::Resolve { query: QueryId::from_parts(1, 1), question });
        // The node asks at zero, before anything can happen, and again after a second.
        world.add("a", Box::new(asking.clone()), [(HERE, address(1))]);
        world.run_until(Instant::from_millis(1_000));
        world.nodes[0].actor = Box::new(asking);
        world.drain(NodeId(0));
        world.run_until(Instant::from_millis(5_000));
        notes(&world).pop().unwrap_or_default()
    };
    assert_eq!(ask(""), "1.001 a: [Address(192.0.2.3)]");
    assert_eq!(ask("a@0ms..2s:dns(+2s)"), "3.001 a: [Address(192.0.2.3)]");
    assert_eq!(ask("*@0ms..2s:dns(none)"), "1.001 a: []");
    assert_eq!(ask("a@1s..2s:dns(192.0.2.9)"), "1.001 a: [Address(192.0.2.9)]");
    assert_eq!(ask("a@0ms..1s:dns(none)"), "1.001 a: [Address(192.0.2.3)]");
    assert_eq!(ask("b@0ms..2s:dns(none)"), "1.001 a: [Address(192.0.2.3)]");
    assert_eq!(ask("a@1ms..2s:dns(silent)"), "0.001 a: [Address(192.0.2.3)]");
}

#[test]
fn a_clock_that_drifts_or_jumps_moves_the_timers_of_its_node() {
    // 100 ms of a clock that is a tenth fast, less a millionth.
    let heard = said("a@0ms:clock(+99999ppm)", Link::default(), 2);
    assert_eq!(heard[..2], [b_hears("0.100", 2), b_hears("0.191", 1)]);
    let heard = said("a@0ms:clock(-50000ppm)", Link::default(), 2);
    assert_eq!(heard[..2], [b_hears("0.115", 2), b_hears("0.220", 1)]);
    // The beacon of 0.200 comes at the jump, and only once.
    let heard = said("*@150ms:clock(+10s)", Link::default(), 3);
    assert_eq!(heard[..3], [b_hears("0.110", 3), b_hears("0.160", 2), b_hears("0.260", 1)]);
}

#[test]
fn the_trace_knows_what_a_nodes_clock_showed() {
    let plan: Plan = "a@1s:clock(+10s), a@2s:clock(-1000ppm)".parse().unwrap();
    let mut world = World::new(Setting { plan, ..Setting::default() });
    let a = world.add("a", Box::new(Beacon::new(address(2), 0)), [(HERE, address(1))]);
    let b = world.add("b", Box::new(Beacon::new(address(1), 0)), [(HERE, address(2))]);
    world.run_until(Instant::from_millis(4_000));
    let shown = |node, millis| world.trace().local(node, Instant::from_millis(millis)).as_millis();
    assert_eq!([999, 1_000, 2_000, 3_000].map(|millis| shown(a, millis)), [999, 11_000, 12_000, 12_999]);
    assert_eq!(shown(b, 3_000), 3_000);
}

#[test]
fn a_fork_can_be_given_another_fate() {
    let mut original = world("", None, 3);
    original.run_until(Instant::from_millis(150));
    let mut fork = original.clone();
    assert!(fork.set_fate("a", "b", 2, Fate::Lost));
    assert!(!fork.set_fate("a", "b", 1, Fate::Lost) && !fork.set_fate("a", "nobody", 1, Fate::Lost));
    fork.add_timed_fault("b@305ms:crash".parse::<Fault>().map(timed).unwrap());
    for world in [&mut original, &mut fork] {
        world.run_until(Instant::from_millis(5_000));
    }
    assert_eq!(notes(&original).len(), 4);
    assert_eq!(notes(&fork), [b_hears("0.110", 3), "0.305 b: crashed".to_owned()]);
    assert_eq!(fork.faults_met().to_string(), "a>b#2:drop, b@305ms:crash");
}

fn timed(fault: Fault) -> TimedFault {
    match fault {
        Fault::Timed(timed) => timed,
        Fault::Message(..) => panic!("{fault}"),
    }
}

#[test]
fn the_flips_that_the_weather_drew_give_the_same_run_as_a_plan() {
    let conditions =
        Conditions { corruption: Probability::percent(40), jitter: Duration::from_millis(30), ..Conditions::FINE };
    let run = |plan: Plan, weather| {
        let links = Links::all(Link { conditions, ..Link::default() });
        let mut world = World::new(Setting { links, plan, weather, ..Setting::default() });
        world.add("a", Box::new(Beacon::new(address(2), 50)), [(HERE, address(1))]);
        world.add("b", Box::new(Beacon::new(address(1), 0)), [(HERE, address(2))]);
        world.run_until(Instant::from_millis(9_000));
        world
    };
    let drawn =
        run(Plan::new(), Some(Weather { seed: 7, from: Instant::ZERO, calm_from: Instant::from_millis(5_000) }));
    let met = drawn.faults_met();
    assert!(met.faults().filter(|fault| matches!(fault, Fault::Message(_, Effect::Flip(_)))).count() > 10);
    assert_eq!(everything(&run(met.to_string().parse().unwrap(), None)), everything(&drawn));
}
