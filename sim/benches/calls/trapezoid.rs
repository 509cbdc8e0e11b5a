//! Calls on the trapezoid of RFC 3261 §24.2, F1 to F14: two user agents and two proxies in a world, with the clock, the links and
//! the resolver that belong to it.

use sansip::{Duration, Instant};
use sansip_sim::World;
use sansip_sim::link::{Conditions, Link, Links, Probability};
use sansip_sim::topology::{CALL_AT, Scenario, Topology};
use sansip_sim::trace::Recording;

/// From one call of a pair to its next: a call takes 7.1 s.
const EVERY: Duration = Duration::from_secs(10);

/// So many pairs at once, each with so many calls one after the other.
pub(crate) fn scenario(pairs: u32, rounds: u32, percent_lost: u32) -> Scenario {
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
pub(crate) fn world(scenario: &Scenario) -> World {
    let mut world = scenario.world();
    world.run_until(Instant::ZERO + (CALL_AT.since(Instant::ZERO) / 2));
    world
}
