//! The work of a sweep: runs, one by one, on several threads.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Learned, Results, Sweep, draw};
use crate::crew::{Progress, crew};
use crate::run::{Case, Run, digest};

/// Runs that a thread takes at once.
const BATCH: u64 = 32;

/// Runs a sweep on so many threads, each case by `run`, and calls `watch` on this thread until they are done. The results are those of the first
/// runs of the shard without a gap: all of them, or as many as were begun when it was stopped. They do not depend on the number
/// of threads.
pub fn work(
    sweep: &Sweep,
    jobs: usize,
    run: &(dyn Fn(&Case) -> Run + Sync),
    progress: &Progress,
    watch: &mut dyn FnMut(),
) -> Results {
    work_with(sweep, jobs, &|number| draw(&sweep.scope, sweep.seed, number), run, progress, watch)
}

/// As above, with runs that `draw` gives by their numbers.
pub fn work_with(
    sweep: &Sweep,
    jobs: usize,
    draw: &(dyn Fn(u64) -> Case + Sync),
    run: &(dyn Fn(&Case) -> Run + Sync),
    progress: &Progress,
    watch: &mut dyn FnMut(),
) -> Results {
    let share = sweep.share().unwrap_or(u64::MAX);
    let next = AtomicU64::new(0);
    let labour = || {
        let mut own = Results::default();
        while !progress.is_stopped() {
            let first = next.fetch_add(BATCH, Ordering::Relaxed);
            if first >= share {
                break;
            }
            for n in first..share.min(first.saturating_add(BATCH)) {
                let number = sweep.shard.run(n);
                own.add(&recorded(sweep, &draw(number), number, &mut |case| run(case)));
                progress.count();
            }
        }
        own
    };
    let mut sum = Results::default();
    for part in crew(jobs, labour, watch) {
        sum.add(&part);
    }
    sum
}

/// The result of one run of a sweep, run by `run`.
pub fn record(sweep: &Sweep, number: u64, run: &mut dyn FnMut(&Case) -> Run) -> Results {
    recorded(sweep, &draw(&sweep.scope, sweep.seed, number), number, run)
}

fn recorded(sweep: &Sweep, case: &Case, number: u64, run: &mut dyn FnMut(&Case) -> Run) -> Results {
    let mut results = Results { runs: 1, topologies: [(case.topology.to_string(), 1)].into(), ..Results::default() };
    let done = run(case);
    let trace = done.world.trace();
    results.sent = trace.transmissions().count() as u64;
    results.faults = done.world.faults_met().len() as u64;
    results.simulated = done.world.now().as_millis();
    results.digest = digest(trace);
    results.broken.note(&done.verdict, || number);
    results.learned = sweep.learns.then(|| Learned::of(case, sweep.scope.weather, trace, number));
    if sweep.twice && digest(run(case).world.trace()) != results.digest {
        (results.different, results.first_different) = (1, Some(number));
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::run;
    use crate::sweep::{Length, Scope, Shard};

    fn sweep(runs: u64) -> Sweep {
        let (scope, shard) = (Scope::default(), Shard::WHOLE);
        Sweep { seed: 1, length: Length::Runs(runs), scope, shard, twice: false, learns: true }
    }

    fn all(sweep: &Sweep, jobs: usize) -> Results {
        work(sweep, jobs, &run, &Progress::default(), &mut || {})
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads_or_shards() {
        let whole = all(&sweep(100), 1);
        assert_eq!(whole.runs, 100);
        assert_eq!(all(&sweep(100), 3), whole);
        let mut sum = Results::default();
        for number in 1..=3 {
            sum.add(&all(&Sweep { shard: Shard { number, of: 3 }, ..sweep(100) }, 2));
        }
        assert_eq!(sum, whole);
    }

    #[test]
    fn what_is_stopped_has_no_gaps() {
        let progress = Progress::default();
        progress.stop();
        assert_eq!(work(&sweep(100), 2, &run, &progress, &mut || {}).runs, 0);
        let progress = Progress::default();
        let some = work(&sweep(1_000_000), 2, &run, &progress, &mut || {
            if progress.done() > 0 {
                progress.stop()
            }
        });
        assert!(some.runs > 0 && some.runs < 1_000_000, "{}", some.runs);
        assert_eq!(all(&sweep(some.runs), 1), some);
    }

    #[test]
    fn a_run_that_is_another_the_second_time_is_found() {
        let twice = Sweep { twice: true, ..sweep(1) };
        assert_eq!(record(&twice, 0, &mut run).different, 0);
        let mut runs = 0;
        let mut moody = |case: &Case| {
            runs += 1;
            run(&Case { record_route: runs == 2, topology: crate::topology::Topology::Trapezoid, ..case.clone() })
        };
        let found = record(&twice, 0, &mut moody);
        assert_eq!((found.different, found.first_different, found.status()), (1, Some(0), 5));
    }
}
