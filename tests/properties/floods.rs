//! Floods: a stranger sends a server many times what it has room for, and every check holds of the others.

use sansip_sim::fault::Preset;
use sansip_sim::packet::Packet;
use sansip_sim::run::{Case, Run, run};
use sansip_sim::topology::Topology;
use sansip_sim::trace::{Note, What};

/// A run in such weather.
fn flooded(topology: Topology, seed: u64) -> (Case, Run) {
    let mut case = Case { topology, record_route: true, seed, ..Case::default() };
    case.add_events_of(Preset::Flood);
    let run = run(&case);
    (case, run)
}

/// How often somebody said this status to the stranger.
fn said(run: &Run, status: u16) -> usize {
    let trace = run.world.trace();
    let stranger = run.world.node("stranger").expect("the stranger");
    let arrived = trace.entries().iter().filter_map(|entry| match entry.what {
        What::Arrived { node, sent } if node == stranger => trace.sent(sent),
        _ => None,
    });
    arrived.filter(|sent| Packet::read(&sent.bytes).is_some_and(|packet| packet.status() == Some(status))).count()
}

#[test]
fn a_server_in_a_flood_refuses_what_it_has_no_room_for_and_breaks_no_rule() {
    for (topology, seed) in
        [(Topology::OneProxy, 1), (Topology::Trapezoid, 2), (Topology::Auth, 3), (Topology::Fork(2), 4)]
    {
        let (case, run) = flooded(topology, seed);
        let broken: Vec<_> = run.verdict.breaches().map(ToString::to_string).collect();
        assert!(broken.is_empty(), "{case}\n{}", broken.join("\n"));
        assert!(said(&run, 503) > 200, "{case}: {} refusals", said(&run, 503));
        for (node, name, _) in run.world.actors() {
            let most = run.world.peak(node).endpoint.server_transactions;
            assert!(most <= 225, "{case}: {name} has {most} server transactions");
        }
    }
}

/// The store of a farm speaks no SIP, and owes nobody an answer.
#[test]
fn a_flood_of_the_store_of_a_farm_is_nobodys_fault() {
    let plan = "store@1500ms..6s:flood(100)".parse().expect("a plan");
    let case = Case { topology: Topology::Farm(2), plan, ..Case::default() };
    let run = run(&case);
    let broken: Vec<_> = run.verdict.breaches().map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    let store = run.world.node("store").expect("the store");
    let arrived = |entry: &&sansip_sim::trace::Entry| matches!(entry.what, What::Arrived { node, .. } if node == store);
    assert!(run.world.trace().entries().iter().filter(arrived).count() > 400);
}

/// Bob hangs up when the proxy between him and Alice has no room left: his BYE goes on, and she hears of it.
#[test]
fn a_call_in_progress_ends_well_in_a_flood() {
    let plan = "biloxi@2s..12s:flood(300)".parse().expect("a plan");
    let case = Case { record_route: true, plan, ..Case::default() };
    let run = run(&case);
    assert!(run.verdict.holds(), "{:?}", run.verdict);
    let trace = run.world.trace();
    let ended = |name: &str| {
        let node = run.world.node(name).expect("a phone");
        let over = trace
            .entries()
            .iter()
            .find(|entry| matches!(&entry.what, What::Noted { node: at, note: Note::CallEnded { .. } } if *at == node));
        over.map(|entry| entry.time.as_millis()).expect("the end of the call")
    };
    let (alice, bob) = (ended("alice"), ended("bob"));
    assert!(bob < 9_000 && alice < bob + 1_000, "{bob} {alice}");
    assert!(said(&run, 503) > 1_000);
}
