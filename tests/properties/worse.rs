//! Worse than weather: octets that change on their way, and nodes that crash and come up again.

use sansip_sim::link::Probability;
use sansip_sim::run::{Case, run};
use sansip_sim::sweep::{Scope, draw};

const RUNS: u64 = 300;

fn drawn(adapt: impl Fn(u64, &mut Case)) {
    for number in 0..RUNS {
        let mut case = draw(&Scope::default(), 7, number);
        adapt(number, &mut case);
        let verdict = run(&case).verdict;
        let broken: Vec<String> = verdict.breaches().map(ToString::to_string).collect();
        assert!(broken.is_empty(), "{}\n{case}", broken.join("\n"));
    }
}

#[test]
fn whatever_octets_change_on_their_way_nothing_happens_that_must_not() {
    drawn(|_, case| case.conditions.corruption = Probability::percent(10));
}

#[test]
fn whoever_crashes_and_comes_up_again_everything_ends_and_the_others_keep_the_rules() {
    drawn(|number, case| {
        let nodes = case.topology.nodes();
        let node = &nodes[number as usize % nodes.len()];
        let down = 1_000 + number * 37 % 9_000;
        let up = down + 1 + number * 61 % 40_000;
        case.plan = format!("{node}@{down}ms:crash, {node}@{up}ms:restart").parse().unwrap();
    });
}
