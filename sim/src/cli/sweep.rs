//! `sweep` and `merge`.

use std::path::Path;
use std::sync::Arc;

use super::line::{self, not_written};
use super::progress::Meter;
use super::{Out, Stop};
use crate::crew::Progress;
use crate::render::{SweepReport, ladder};
use crate::run::{Case, Run, run as run_case};
use crate::shrink::{Failure, write_whole};
use crate::sweep::{self, Learned, Length, Results, Scope, Shard, Sweep, draw, line};

/// Runs a sweep: the seed first, what was found, and the line that repeats it last.
pub(super) fn run(asked: line::Sweep, out: &mut Out<'_>) -> Result<u8, Stop> {
    run_by(asked, &run_case, out)
}

/// As above, with another way to run a case.
pub(super) fn run_by(
    asked: line::Sweep,
    run_case: &(dyn Fn(&Case) -> Run + Sync),
    out: &mut Out<'_>,
) -> Result<u8, Stop> {
    let sweep = read(&asked)?;
    let progress = Arc::new(Progress::default());
    stop_at_ctrl_c(&progress);
    head(&sweep, out)?;
    let limit = match sweep.length {
        Length::Runs(_) => None,
        Length::For(time) => Some(time),
    };
    let mut meter = Meter::new(out, sweep.share(), limit);
    if meter.is_over() {
        progress.stop();
    }
    let results = sweep::work(&sweep, asked.work.jobs(), run_case, &progress, &mut || {
        if meter.is_over() {
            progress.stop();
        }
        meter.show(progress.done());
    });
    meter.end(results.runs, out)?;
    keep(asked.json.as_deref(), &sweep, &results)?;
    let told = Told { sweep: &sweep, results: &results, report: asked.report.as_deref() };
    told.print(&asked.work.kept.failures(), run_case, out)
}

/// The question: a whole sweep has one, however many shards it is made of.
fn head(sweep: &Sweep, out: &mut Out<'_>) -> Result<(), Stop> {
    let shard = if sweep.shard == Shard::WHOLE { String::new() } else { format!(", shard {}", sweep.shard) };
    writeln!(out.stdout, "seed: {}\nsweep: {}{shard}", sweep.seed, sweep.scope)?;
    Ok(out.stdout.flush()?)
}

/// Writes the results to a file, if that was asked for.
fn keep(path: Option<&Path>, sweep: &Sweep, results: &Results) -> Result<(), Stop> {
    let Some(path) = path else { return Ok(()) };
    let wrong = |error| Stop::Usage(format!("--json `{}`: {}", path.display(), not_written(&error)));
    sweep::write(path, sweep, results).map_err(wrong)
}

/// Puts the results of shards together.
pub(super) fn merge(asked: line::Merge, out: &mut Out<'_>) -> Result<u8, Stop> {
    let mut parts = Vec::new();
    for path in &asked.files {
        let (sweep, results) = sweep::read(path).map_err(Stop::Usage)?;
        parts.push((path.display().to_string(), sweep, results));
    }
    let (sweep, results) = sweep::merge(&parts).map_err(Stop::Usage)?;
    keep(asked.json.as_deref(), &sweep, &results)?;
    head(&sweep, out)?;
    writeln!(out.stderr, "{} shards", parts.len())?;
    Told { sweep: &sweep, results: &results, report: None }.print(&asked.kept.failures(), &run_case, out)
}

fn read(asked: &line::Sweep) -> Result<Sweep, Stop> {
    let length = match (asked.runs, asked.time) {
        (Some(runs), None) => Length::Runs(runs),
        (None, Some(line::Time(time))) => Length::For(time),
        (Some(_), Some(_)) => return Err(Stop::Usage("a sweep is as long as --runs or --for says, once".into())),
        (None, None) => return Err(Stop::Usage("how long? `--runs 10000` or `--for 10m`".into())),
    };
    let scope = Scope { topology: asked.topology.0, weather: asked.weather, calls: asked.calls };
    Ok(Sweep {
        seed: asked.seed,
        length,
        scope,
        shard: asked.shard,
        twice: asked.check_determinism,
        learns: asked.report.is_some(),
    })
}

pub(super) fn stop_at_ctrl_c(progress: &Arc<Progress>) {
    let progress = Arc::clone(progress);
    let mut again = false;
    // Where there is no such signal, the sweep is as long as it was asked to be.
    let _ = ctrlc::try_set_handler(move || {
        if again {
            std::process::exit(130);
        }
        again = true;
        progress.stop();
    });
}

/// A sweep that is over.
struct Told<'a> {
    sweep: &'a Sweep,
    results: &'a Results,
    /// Where a page about it goes.
    report: Option<&'a Path>,
}

impl Told<'_> {
    /// Tells the findings: each broken check with its first run cut down, and last the line that repeats it.
    fn print(&self, failures: &Path, run_case: &dyn Fn(&Case) -> Run, out: &mut Out<'_>) -> Result<u8, Stop> {
        let Self { sweep, results, .. } = *self;
        write!(out.stdout, "{results}")?;
        let mut found = Vec::new();
        let mut firsts: Vec<u64> = results.broken.0.values().map(|broken| broken.first).collect();
        firsts.sort_unstable();
        firsts.dedup();
        for first in firsts {
            let case = draw(&sweep.scope, sweep.seed, first);
            let Some(failure) = Failure::run_by(&case, run_case) else {
                writeln!(out.stdout, "\nrun {first} holds now: {case}")?;
                continue;
            };
            write!(out.stdout, "\nrun {first}, ")?;
            out.tell(&failure, failures)?;
            found.push((first, failure));
        }
        if let Some(first) = results.first_different {
            writeln!(out.stdout, "not the same the second time: {}", draw(&sweep.scope, sweep.seed, first))?;
        }
        let line = self.line();
        self.write_report(&found, &line, run_case)?;
        let replay = found.first().map_or(line, |(_, failure)| failure.shrunk.to_string());
        let verdict = match results.status() {
            4 => "nothing was run".to_owned(),
            5 => "not deterministic".to_owned(),
            _ => results.broken.outcome().to_string(),
        };
        writeln!(out.stdout, "verdict: {verdict}\nreproduce: {replay}")?;
        Ok(results.status())
    }

    /// The command that repeats it, with as many runs as were run: a sweep that was stopped is repeated up to there.
    fn line(&self) -> String {
        let Self { sweep, results, .. } = *self;
        let runs = if sweep.share() == Some(results.runs) {
            sweep.length
        } else {
            Length::Runs(results.runs.saturating_mul(sweep.shard.of))
        };
        line(&Sweep { length: runs, ..sweep.clone() })
    }

    fn write_report(&self, found: &[(u64, Failure)], line: &str, run_case: &dyn Fn(&Case) -> Run) -> Result<(), Stop> {
        let Some(path) = self.report else { return Ok(()) };
        let nothing = Learned::default();
        let learned = self.results.learned.as_ref().unwrap_or(&nothing);
        let worst = learned.worst.map(|(_, number)| {
            let case = draw(&self.sweep.scope, self.sweep.seed, number);
            let done = run_case(&case);
            (case.planned(&done.world.faults_met()).to_string(), ladder(done.world.trace()))
        });
        let (scope, line) = (self.sweep.scope.to_string(), line.to_owned());
        let report = SweepReport { results: self.results, learned, scope, line, failures: found, worst };
        let wrong = |error| Stop::Usage(format!("--report `{}`: {error}", path.display()));
        write_whole(path, report.to_string()).map_err(wrong)
    }
}
