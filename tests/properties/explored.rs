//! Small spaces are covered whole: every way in which up to two datagrams of a call can be lost, doubled, or late.

use std::thread;

use sansip_sim::crew::Progress;
use sansip_sim::explore::{Exploration, walk};
use sansip_sim::run::Case;
use sansip_sim::shrink::expect_holds;
use sansip_sim::topology::Topology;

/// Explores the six calls of a topology. A breach is cut down and drawn.
fn explore(topology: Topology, faults: usize) {
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    for case in Exploration::calls(&Case { topology, ..Case::default() }) {
        let exploration = Exploration::new(case, faults);
        let findings = walk(&exploration, jobs, &Progress::default(), &mut || {});
        if let Some(first) = findings.broken.0.into_values().next() {
            expect_holds(&Case { plan: first.first.plan, ..exploration.case.clone() });
            panic!("a fork of {} is not the run of its plan", exploration.case);
        }
        assert!(findings.whole && findings.runs[2] > 100, "{:?}", findings.runs);
    }
}

#[test]
fn no_two_faults_break_a_call_on_the_trapezoid() {
    explore(Topology::Trapezoid, 2);
}

#[test]
fn no_two_faults_break_a_call_without_a_proxy() {
    explore(Topology::Direct, 2);
}
