//! Calls on the trapezoid of RFC 3261 §24.2, F1 to F14: two user agents and two proxies in a world, with the clock, the links and
//! the resolver that belong to it.

use sansip::{Duration, Instant};
use sansip_sim::World;
use sansip_sim::link::{Conditions, Link, Links, Probability};
use sansip_sim::topology::{CALL_AT, Scenario, Topology};
use sansip_sim::trace::{Recording, What};

use crate::time;

/// From one call of a pair to its next: a call takes 7.1 s.
const EVERY: Duration = Duration::from_secs(10);

/// So many pairs at once, each with so many calls one after the other.
fn scenario(pairs: u32, rounds: u32, percent_lost: u32) -> Scenario {
    let mut scenario = Scenario::rfc3261(Topology::Crowd(pairs));
    let first = scenario.alice.calls.remove(0);
    scenario.alice.calls = (0..rounds)
        .map(|round| {
            let mut call = first.clone();
            call.at = CALL_AT + EVERY * round;
            call
        })
        .collect();
    scenario.calm_from = CALL_AT + EVERY * (rounds + 10);
    let conditions = Conditions { loss: Probability::percent(percent_lost), ..Conditions::FINE };
    scenario.links = Links::all(Link { conditions, ..Link::default() });
    scenario.seed = (percent_lost > 0).then_some(1);
    scenario.recording = Recording::Nothing;
    scenario
}

/// The world with everybody registered, before the first call.
fn world(scenario: &Scenario) -> World {
    let mut world = scenario.world();
    world.run_until(Instant::ZERO + (CALL_AT.since(Instant::ZERO) / 2));
    world
}

/// Messages that arrive in such a world; it is run once more for that, with a trace.
fn delivered(scenario: &Scenario) -> usize {
    let scenario = Scenario { recording: Recording::Everything, ..scenario.clone() };
    let mut world = world(&scenario);
    let before = world.trace().entries().len();
    world.run_until_quiet(scenario.end());
    let entries = world.trace().entries().iter().skip(before);
    entries.filter(|entry| matches!(entry.what, What::Arrived { .. })).count()
}

pub(crate) fn print(calls: u32) {
    println!("calls on the trapezoid, F1 to F14, one core");
    println!("| at once | lost | calls/s | ns per delivered message | simulated s per s |");
    println!("|---|---|---|---|---|");
    for (pairs, percent_lost) in [(1, 0), (100, 0), (10_000, 0), (1, 20), (100, 20), (10_000, 20)] {
        let rounds = (calls / pairs).max(1);
        let scenario = scenario(pairs, rounds, percent_lost);
        let messages = delivered(&scenario);
        // The best of three: others use the machine too.
        let best = (0..3).map(|_| {
            let mut world = world(&scenario);
            let from = world.now();
            let (took, _) = time(|| world.run_until_quiet(scenario.end()));
            (took, world.now().since(from))
        });
        let Some((took, simulated)) = best.min() else { return };
        let calls = f64::from(pairs * rounds);
        let seconds = took.as_secs_f64();
        println!(
            "| {pairs} | {percent_lost} % | {:.0} | {:.0} | {:.0} |",
            calls / seconds,
            seconds * 1e9 / messages as f64,
            simulated.as_secs_f64() / seconds,
        );
    }
}
