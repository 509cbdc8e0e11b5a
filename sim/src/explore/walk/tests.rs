use super::*;
use crate::run::{Case, run};
use crate::topology::Topology;

fn explored(topology: Topology, faults: usize, jobs: usize) -> Findings {
    let case = Case { topology, ..Case::default() };
    walk(&Exploration { case, faults }, jobs, &Progress::default(), &mut || {})
}

#[test]
fn with_one_fault_there_is_a_run_for_every_fault_of_every_datagram_of_the_call() {
    let findings = explored(Topology::Trapezoid, 1, 1);
    // F1 to F14, and four things that can happen to each.
    assert_eq!((findings.runs.as_slice(), findings.whole), (&[1, 14 * 4][..], true));
    assert_eq!(findings.broken, BTreeMap::new());
}

#[test]
fn copies_that_a_fault_brings_about_have_faults_too() {
    // INVITE, 180, 200, ACK, BYE, 200; a lost INVITE is sent again, so a second fault can meet seven datagrams less the first.
    let findings = explored(Topology::Direct, 2, 2);
    assert_eq!(findings.runs[..2], [1, 6 * 4]);
    let without_copies = 4 * 4 * (5 + 4 + 3 + 2 + 1);
    assert!(findings.runs[2] > without_copies && findings.runs[2] < 3 * without_copies, "{:?}", findings.runs);
}

#[test]
fn what_is_found_does_not_depend_on_the_number_of_threads() {
    assert_eq!(explored(Topology::Direct, 2, 1), explored(Topology::Direct, 2, 3));
}

#[test]
fn a_walk_that_is_stopped_is_not_whole() {
    let case = Case::default();
    let progress = Progress::default();
    let findings = walk(&Exploration { case, faults: 3 }, 1, &progress, &mut || {
        if progress.done() > 0 {
            progress.stop()
        }
    });
    assert!(!findings.whole && findings.total() > 0);
}

#[test]
fn a_forked_world_is_the_run_of_its_plan() {
    let case = Case { topology: Topology::OneProxy, ..Case::default() };
    let (progress, tickets) = (Progress::default(), AtomicUsize::new(0));
    let (checks, library) = (standard(), Library::default());
    let exploration = Exploration { case: case.clone(), faults: 1 };
    let mut walker = Walker::new(&exploration, Judge::new(&checks, &library, PARTS), &progress, &tickets);
    let mut fork = case.scenario().world();
    fork.run_until(Instant::from_millis(1_050));
    assert!(fork.set_fate("bob", "biloxi", 3, crate::fault::Fate::Lost));
    let verdict = judged(&mut fork, walker.end, &mut walker.judge);
    assert!(verdict.holds());
    walker.record(&fork, 1, &verdict);
    let planned = run(&Case { plan: "bob>biloxi#3:drop".parse().unwrap(), ..case });
    assert_eq!(format!("{:?}", planned.world.trace()), format!("{:?}", fork.trace()));
    assert!(!fork.set_fate("bob", "biloxi", 3, crate::fault::Fate::Lost), "it was sent already");
}
