//! The walk through the tree of runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sansip::{Duration, Instant};

use super::Exploration;
use super::choice::{fates, is_of_call};
use super::memory::Memory;
use crate::check::{Check, Judge, Library, standard};
use crate::crew::{Progress, crew};
use crate::fault::{Event, Plan, TimedFault};
use crate::run::{BrokenChecks, Case, Verdict, guarded, judged};
use crate::topology::Wrap;
use crate::trace::What;
use crate::world::World;

/// The findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Runs by their number of faults.
    pub runs: Vec<u64>,
    /// The checks that were broken.
    pub broken: BrokenChecks<First>,
    /// Whether every placement was run.
    pub whole: bool,
}

/// The run that broke a check first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    /// Its place in the order of the walk: the first fault's, and the run's among those with it.
    place: (usize, u64),
    /// The faults.
    pub plan: Plan,
}

impl PartialOrd for First {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for First {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

impl Findings {
    /// All runs.
    pub fn total(&self) -> u64 {
        self.runs.iter().sum()
    }

    fn add(&mut self, other: Self) {
        self.whole &= other.whole;
        self.runs.resize(self.runs.len().max(other.runs.len()), 0);
        for (sum, runs) in self.runs.iter_mut().zip(other.runs) {
            *sum += runs;
        }
        self.broken.add(other.broken);
    }
}

/// Walks the whole tree on so many threads, or until it is stopped, and calls `watch` on this thread meanwhile. What is found
/// does not depend on the number of threads, unless it is stopped.
pub fn walk(exploration: &Exploration, jobs: usize, progress: &Progress, watch: &mut dyn FnMut()) -> Findings {
    walk_all(std::slice::from_ref(exploration), jobs, progress, watch).swap_remove(0)
}

/// Explores several: the findings of each. Threads begin far from one another, since each remembers for itself, and help with
/// what is left when they have done theirs.
pub fn walk_all(
    explorations: &[Exploration],
    jobs: usize,
    progress: &Progress,
    watch: &mut dyn FnMut(),
) -> Vec<Findings> {
    walk_with(explorations, &|case, wrap| case.scenario().world_with(wrap), standard, jobs, progress, watch)
}

/// As above, in worlds of your own, by checks of your own. A world is a function of the case.
pub fn walk_with(
    explorations: &[Exploration],
    world: &(dyn Fn(&Case, Wrap<'_>) -> World + Sync),
    checks: fn() -> Vec<Box<dyn Check>>,
    jobs: usize,
    progress: &Progress,
    watch: &mut dyn FnMut(),
) -> Vec<Findings> {
    let tickets: Vec<AtomicUsize> = explorations.iter().map(|_| AtomicUsize::new(0)).collect();
    let threads = AtomicUsize::new(0);
    let labour = || {
        let first = threads.fetch_add(1, Ordering::Relaxed) * explorations.len() / jobs;
        let order = (0..explorations.len()).map(|number| (first + number) % explorations.len());
        let walked = order.map(|which| {
            let (checks, library) = (checks(), Library::default());
            let judge = Judge::new(&checks, &library, PARTS);
            let mut walker = Walker::new(&explorations[which], judge, progress, &tickets[which]);
            let begin = world(&explorations[which].case, &mut |_, actor| walker.memory.wrap(actor));
            walker.descend(begin, 0, 0);
            (which, walker.findings)
        });
        walked.collect::<Vec<_>>()
    };
    let mut sums = vec![Findings { whole: true, ..Findings::default() }; explorations.len()];
    for (which, part) in crew(jobs, labour, watch).into_iter().flatten() {
        sums[which].add(part);
    }
    sums
}

/// So many parts of runs are remembered with what the checks say of them: some 100 MB.
const PARTS: usize = 1 << 16;

/// So many steps of nodes are remembered: some 200 MB.
const STEPS: usize = 1 << 17;

/// One thread's part. Every thread walks the path without faults; the first fault is dealt out by tickets.
struct Walker<'a> {
    faults: usize,
    events: &'a [Event],
    end: Instant,
    judge: Judge<'a>,
    memory: Arc<Memory>,
    progress: &'a Progress,
    tickets: &'a AtomicUsize,
    ticket: usize,
    /// First faults passed so far: whoever has the ticket of that number takes it.
    passed: usize,
    /// Runs of this ticket.
    runs: u64,
    findings: Findings,
}

impl<'a> Walker<'a> {
    fn new(exploration: &'a Exploration, judge: Judge<'a>, progress: &'a Progress, tickets: &'a AtomicUsize) -> Self {
        Self {
            faults: exploration.faults,
            events: &exploration.events,
            end: exploration.case.scenario().end(),
            judge,
            memory: Memory::new(STEPS),
            progress,
            tickets,
            ticket: tickets.fetch_add(1, Ordering::Relaxed),
            passed: 0,
            runs: 0,
            findings: Findings { runs: vec![0; exploration.faults + 1], whole: true, ..Findings::default() },
        }
    }

    /// Runs a world with so many faults to its end, and before that every world that it can become by further faults among the
    /// datagrams sent from the entry `from` of the trace on.
    fn descend(&mut self, mut world: World, faults: usize, from: usize) {
        if faults == self.faults {
            return self.finish(world, faults);
        }
        // As it was after the last datagram was sent.
        let mut fork = world.clone();
        let mut seen = from;
        while !world.is_quiet() && world.next_event().is_some_and(|next| next <= self.end) {
            if self.progress.is_stopped() {
                self.findings.whole = false;
                return;
            }
            if let Err(panic) = guarded(|| world.step()) {
                return self.record(&world, faults, &Verdict::panicked(&world, &*panic));
            }
            let sends = self.branch(&fork, &world, faults, seen);
            seen = world.trace().entries().len().max(from);
            if sends {
                self.strike(&world, faults, seen);
                fork = world.clone();
            }
        }
        self.finish(world, faults);
    }

    /// Goes every other way from `fork`, which is `world` before its last datagrams were sent: those from the entry `seen` on.
    fn branch(&mut self, fork: &World, world: &World, faults: usize, seen: usize) -> bool {
        let trace = world.trace();
        let mut sends = false;
        for (index, entry) in trace.entries().iter().enumerate().skip(seen) {
            let What::Sent(sent) = &entry.what else { continue };
            let Some(to) = sent.to.filter(|_| is_of_call(entry.time)) else { continue };
            sends = true;
            for fate in fates(trace, index, sent) {
                if faults == 0 && !self.is_mine() {
                    continue;
                }
                let mut other = fork.clone();
                if other.set_fate(trace.name(sent.from), trace.name(to), sent.ordinal, fate) {
                    self.descend(other, faults + 1, index + 1);
                }
                if faults == 0 {
                    self.ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
                    self.runs = 0;
                }
            }
        }
        sends
    }

    /// Goes every other way on which an event happens now, when its datagrams were sent and none has arrived.
    fn strike(&mut self, world: &World, faults: usize, seen: usize) {
        for event in self.events {
            if faults == 0 && !self.is_mine() {
                continue;
            }
            let mut other = world.clone();
            // In the run of the plan it comes behind what happens at this moment, too.
            other.add_timed_fault(TimedFault { at: world.now() + Duration::from_nanos(1), event: event.clone() });
            self.descend(other, faults + 1, seen);
            if faults == 0 {
                self.ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
                self.runs = 0;
            }
        }
    }

    fn is_mine(&mut self) -> bool {
        self.passed += 1;
        self.passed - 1 == self.ticket
    }

    fn finish(&mut self, mut world: World, faults: usize) {
        // The run without faults is the last ticket.
        if faults == 0 && self.ticket != self.passed {
            return;
        }
        // Nothing branches off from here.
        self.memory.keep_up(false);
        let verdict = judged(&mut world, self.end, &mut self.judge);
        self.memory.keep_up(true);
        self.record(&world, faults, &verdict);
    }

    fn record(&mut self, world: &World, faults: usize, verdict: &Verdict) {
        let place = (self.ticket, self.runs);
        self.runs += 1;
        self.findings.runs[faults] += 1;
        self.progress.count();
        self.findings.broken.note(verdict, || First { place, plan: world.faults_met() });
    }
}

#[cfg(test)]
mod tests;
