use super::*;
use crate::check::{Check, Reading, Report};
use crate::fault::Fate;
use crate::run::{Case, digest, run};
use crate::topology::Topology;

fn explored(topology: Topology, faults: usize, jobs: usize) -> Findings {
    let case = Case { topology, ..Case::default() };
    walk(&Exploration::new(case, faults), jobs, &Progress::default(), &mut || {})
}

#[test]
fn with_one_fault_there_is_a_run_for_every_fault_of_every_datagram_of_the_call() {
    let findings = explored(Topology::Trapezoid, 1, 1);
    // F1 to F14, and four things that can happen to each.
    assert_eq!((findings.runs.as_slice(), findings.whole), (&[1, 14 * 4][..], true));
    assert_eq!(findings.broken, BrokenChecks::default());
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
fn several_walks_at_once_find_what_each_finds_alone() {
    let case = Case { topology: Topology::OneProxy, ..Case::default() };
    let all: Vec<_> = Exploration::calls(&case).into_iter().map(|case| Exploration::new(case, 1)).collect();
    let alone: Vec<_> = all.iter().map(|one| walk(one, 1, &Progress::default(), &mut || {})).collect();
    for jobs in [1, 2, 4, 9] {
        assert_eq!(walk_all(&all, jobs, &Progress::default(), &mut || {}), alone, "{jobs}");
    }
}

#[test]
fn a_walk_that_is_stopped_is_not_whole() {
    let case = Case::default();
    let progress = Progress::default();
    let findings = walk(&Exploration::new(case, 3), 1, &progress, &mut || {
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
    let exploration = Exploration::new(case.clone(), 1);
    let mut walker = Walker::new(&exploration, Judge::new(&checks, &library, PARTS), &progress, &tickets);
    let mut fork = case.scenario().world_with(&mut |_, actor| walker.memory.wrap(actor));
    fork.run_until(Instant::from_millis(1_050));
    assert!(fork.set_fate("bob", "biloxi", 3, Fate::Lost));
    let verdict = judged(&mut fork, walker.end, &mut walker.judge);
    assert!(verdict.holds());
    walker.record(&fork, 1, &verdict);
    let planned = run(&Case { plan: "bob>biloxi#3:drop".parse().unwrap(), ..case });
    assert_eq!(format!("{:?}", planned.world.trace()), format!("{:?}", fork.trace()));
    assert!(!fork.set_fate("bob", "biloxi", 3, Fate::Lost), "it was sent already");
}

/// Runs the faults of each run that it judges once more, without anything to remember.
struct Replayed(Case);

impl Check for Replayed {
    fn name(&self) -> &'static str {
        "replayed"
    }

    fn source(&self) -> &'static str {
        "docs/poll.md"
    }

    fn check(&self, reading: &Reading<'_>, report: &mut Report<'_>) {
        let trace = reading.trace();
        let mut plan = Plan::new();
        for (_, _, sent) in trace.transmissions().filter(|(_, _, sent)| sent.fate != Fate::FINE) {
            let to = sent.to.expect("what goes nowhere has no fate");
            plan.set(trace.name(sent.from), trace.name(to), sent.ordinal, sent.fate);
        }
        let plain = run(&Case { plan: plan.clone(), ..self.0.clone() }).world;
        let alike = reading.actors().zip(plain.actors()).all(|((node, _, one), (_, _, other))| {
            // Not what there is room for: a clone has less to spare.
            (one.census(), one.calls(), one.is_idle(), reading.peak(node))
                == (other.census(), other.calls(), other.is_idle(), plain.peak(node))
        });
        if !alike || (reading.now(), digest(trace)) != (plain.now(), digest(plain.trace())) {
            report.breach(crate::trace::NodeId(0), reading.now(), format!("'{plan}' went another way"));
        }
    }
}

/// Walks with so much room to remember, and runs everything again; how many runs.
fn replayed(topology: Topology, faults: usize, room: usize) -> u64 {
    let case = Case { topology, ..Case::default() };
    let checks: [Box<dyn Check>; 1] = [Box::new(Replayed(case.clone()))];
    let (library, progress, tickets) = (Library::default(), Progress::default(), AtomicUsize::new(0));
    let exploration = Exploration::new(case.clone(), faults);
    let mut walker = Walker::new(&exploration, Judge::new(&checks, &library, PARTS), &progress, &tickets);
    walker.memory = Memory::new(room);
    walker.descend(case.scenario().world_with(&mut |_, actor| walker.memory.wrap(actor)), 0, 0);
    assert_eq!(walker.findings.broken, BrokenChecks::default());
    walker.findings.total()
}

#[test]
fn what_is_remembered_is_what_would_be_done() {
    assert!(replayed(Topology::OneProxy, 2, STEPS) > 500);
}

#[test]
fn what_is_forgotten_is_done_again() {
    for room in [1, 7, 100] {
        assert!(replayed(Topology::Direct, 2, room) > 300);
    }
}

#[test]
fn nodes_with_connections_are_not_remembered_and_go_on_alike() {
    assert!(replayed(Topology::Mixed, 1, STEPS) > 40);
}
