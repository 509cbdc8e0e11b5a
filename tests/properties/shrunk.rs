//! The rest of a failing run: nothing of it can be left out, and a crowd comes down to those who matter.

use sansip_sim::fault::{Fault, Plan, Preset};
use sansip_sim::planted::{Planted, TABLE, cut_down, is_caught};
use sansip_sim::run::{Case, OPTIONS};
use sansip_sim::sweep::{Scope, draw};
use sansip_sim::topology::Topology;

fn named(name: &str) -> Planted {
    TABLE.into_iter().find(|planted| planted.name == name).expect("it is in the table")
}

/// The first run of a sweep in which the mistake is found, and what is left of it.
fn found_and_shrunk(planted: &Planted, scope: &Scope, seed: u64) -> (Case, Case) {
    let adapted = |number| {
        let mut case = draw(scope, seed, number);
        planted.scene.adapt(&mut case);
        case
    };
    let found = (0..50).map(adapted).find(|case| is_caught(planted, case)).expect("it is found in 50 runs");
    let shrunk = cut_down(planted, &found);
    (found, shrunk)
}

/// Everything that a case could do without: each fault by itself, and each option at its usual value.
fn with_less(case: &Case) -> Vec<Case> {
    let faults: Vec<Fault> = case.plan.faults().collect();
    let without = |left_out: &Fault| faults.iter().filter(|fault| *fault != left_out).cloned().collect::<Plan>();
    let plans = faults.iter().map(|fault| Case { plan: without(fault), ..case.clone() });
    let usual = Case::default();
    let options = OPTIONS.iter().filter(|option| !["topology", "plan"].contains(&option.name)).map(|option| {
        let mut case = case.clone();
        (option.set)(&mut case, &(option.get)(&usual)).expect("the usual value can be set");
        case
    });
    plans.chain(options).filter(|less| less != case).collect()
}

/// The mistakes that show only if the network is bad.
const OF_FAULTS: [&str; 3] = ["ack-once", "2xx-once", "five-for-one"];

#[test]
fn of_what_is_left_nothing_can_be_left_out() {
    for planted in OF_FAULTS.map(named) {
        for seed in 1..=5 {
            let (found, shrunk) = found_and_shrunk(&planted, &Scope::default(), seed);
            assert!(is_caught(&planted, &shrunk), "{}: {shrunk}", planted.name);
            for less in with_less(&shrunk) {
                assert!(!is_caught(&planted, &less), "{}, found as\n{found}\n{shrunk}\n{less}", planted.name);
            }
        }
    }
}

#[test]
fn one_call_of_a_crowd_in_hostile_weather_is_left_with_a_fault_or_two() {
    let scope = Scope { topology: Some(Topology::Crowd(20)), weather: Some(Preset::Hostile), ..Scope::PLAIN };
    for planted in OF_FAULTS.map(named) {
        for seed in 1..=3 {
            let (found, shrunk) = found_and_shrunk(&planted, &scope, seed);
            assert!(is_caught(&planted, &shrunk) && found.topology == Topology::Crowd(20));
            assert!(shrunk.topology.nodes().len() <= 4 && shrunk.plan.faults().count() <= 2, "{found}\n{shrunk}");
        }
    }
}
