//! `sweep` and `merge`.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sansip::Duration;

use super::options::{Argument, Threads, meant};
use super::progress::Meter;
use super::{Options, Out, Stop, Usage, help, jobs};
use crate::crew::Progress;
use crate::fault::Span;
use crate::run::{Case, Run, run as run_case};
use crate::shrink::{Failure, can_be_written, folder};
use crate::sweep::{self, Length, Results, Scope, Shard, Sweep, draw, line};

/// The options of the command line besides those of the sweep itself.
struct Asked {
    sweep: Sweep,
    jobs: usize,
    json: Option<PathBuf>,
    failures: PathBuf,
}

/// Runs a sweep: the seed first, what was found, and the line that repeats it last.
pub(super) fn run(arguments: &[OsString], out: &mut Out<'_>) -> Result<u8, Stop> {
    run_by(arguments, &run_case, out)
}

/// As above, with another way to run a case.
pub(super) fn run_by(
    arguments: &[OsString],
    run_case: &(dyn Fn(&Case) -> Run + Sync),
    out: &mut Out<'_>,
) -> Result<u8, Stop> {
    let Some(asked) = read(arguments)? else {
        out.stdout.write_all(help::SWEEP.as_bytes())?;
        return Ok(0);
    };
    let Asked { sweep, jobs, json, failures } = asked;
    let progress = Arc::new(Progress::default());
    stop_at_ctrl_c(&progress);
    head(&sweep, out)?;
    let limit = match sweep.length {
        Length::Runs(_) => None,
        Length::For(time) => Some(time),
    };
    let mut meter = Meter::new(out.stderr, sweep.share(), limit, out.terminal, out.colour);
    if meter.is_over() {
        progress.stop();
    }
    let results = sweep::work(&sweep, jobs, run_case, &progress, &mut || {
        if meter.is_over() {
            progress.stop();
        }
        meter.show(progress.done());
    });
    meter.end(results.runs)?;
    if let Some(path) = &json {
        sweep::write(path, &sweep, &results).map_err(|error| not_written(path, &error))?;
    }
    print(&sweep, &results, &failures, run_case, out)
}

/// The question: a whole sweep has one, however many shards it is made of.
fn head(sweep: &Sweep, out: &mut Out<'_>) -> Result<(), Stop> {
    let shard = if sweep.shard == Shard::WHOLE { String::new() } else { format!(", shard {}", sweep.shard) };
    writeln!(out.stdout, "seed: {}\nsweep: {}{shard}", sweep.seed, sweep.scope)?;
    Ok(out.stdout.flush()?)
}

fn not_written(path: &Path, error: &io::Error) -> Usage {
    Usage(format!("--json `{}`: {error}; a file that can be written is meant, as in results.json", path.display()))
}

/// Where results go: a file that can be written, which is to be known before there are results.
fn results_file(options: &mut Options) -> Result<Option<PathBuf>, Usage> {
    let path = options.path()?;
    can_be_written(&path).map_err(|error| not_written(&path, &error))?;
    Ok(Some(path))
}

/// Puts the results of shards together.
pub(super) fn merge(arguments: &[OsString], out: &mut Out<'_>) -> Result<u8, Stop> {
    let mut options = Options::of("merge", arguments);
    let (mut paths, mut json, mut failures) = (Vec::new(), None, folder());
    while let Some(argument) = options.next()? {
        match argument {
            Argument::Long(name) if name == "help" => {
                out.stdout.write_all(help::MERGE.as_bytes())?;
                return Ok(0);
            }
            Argument::Long(name) if name == "json" => json = results_file(&mut options)?,
            Argument::Long(name) if name == "failures" => failures = options.folder("failures")?,
            Argument::Word(path) => paths.push(PathBuf::from(path)),
            Argument::Long(_) => return options.unknown(&argument).map_err(Stop::from),
        }
    }
    let mut parts = Vec::new();
    for path in &paths {
        let (sweep, results) = sweep::read(path).map_err(Usage)?;
        parts.push((path.display().to_string(), sweep, results));
    }
    let (sweep, results) = sweep::merge(&parts).map_err(Usage)?;
    if let Some(path) = &json {
        sweep::write(path, &sweep, &results).map_err(|error| not_written(path, &error))?;
    }
    head(&sweep, out)?;
    writeln!(out.stderr, "{} shards", parts.len())?;
    print(&sweep, &results, &failures, &run_case, out)
}

fn read(arguments: &[OsString]) -> Result<Option<Asked>, Usage> {
    let mut options = Options::of("sweep", arguments);
    let mut length = None;
    let mut sweep =
        Sweep { seed: 1, length: Length::Runs(0), scope: Scope::default(), shard: Shard::WHOLE, twice: false };
    let (mut threads, mut json, mut failures) = (jobs(), None, folder());
    while let Some(argument) = options.next()? {
        let Argument::Long(name) = &argument else { return options.unknown(&argument) };
        match name.as_str() {
            "help" => return Ok(None),
            "runs" | "for" if length.is_some() => {
                return Err(Usage(format!("--{name}: a sweep is as long as --runs or --for says, once")));
            }
            "runs" => length = Some(Length::Runs(options.value(name)?)),
            "for" => length = Some(Length::For(options.value::<Time>(name)?.0)),
            "topology" => {
                let topology = options.text(name)?;
                sweep.scope.topology =
                    match topology.as_str() {
                        "all" => None,
                        one => Some(one.parse().map_err(|error| {
                            Usage(format!("--topology `{one}`{}: {error}, or all", meant(name, one)))
                        })?),
                    };
            }
            "weather" => sweep.scope.weather = Some(options.value(name)?),
            "calls" => sweep.scope.calls = options.value(name)?,
            "seed" => sweep.seed = options.value(name)?,
            "shard" => sweep.shard = options.value(name)?,
            "jobs" => threads = options.value::<Threads>(name)?.0,
            "check-determinism" => sweep.twice = true,
            "json" => json = results_file(&mut options)?,
            "failures" => failures = options.folder("failures")?,
            _ => return options.unknown(&argument),
        }
    }
    sweep.length = length.ok_or_else(|| Usage("how long? `--runs 10000` or `--for 10m`".into()))?;
    Ok(Some(Asked { sweep, jobs: threads, json, failures }))
}

/// A time on the wall: `90s`, `10m`, `2h`.
pub(super) struct Time(pub(super) Duration);

impl std::str::FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "a time is written 90s, 10m or 2h";
        let seconds = |unit: char, seconds: u64| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(seconds).map(Duration::from_secs)
        };
        let time = seconds('h', 3_600).or_else(|| seconds('m', 60)).or_else(|| Span::parse(text));
        time.filter(|time| u64::try_from(time.as_nanos()).is_ok()).map(Self).ok_or(WRONG)
    }
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

/// Tells the findings: each broken check with its first run cut down, and last the line that repeats it.
fn print(
    sweep: &Sweep,
    results: &Results,
    failures: &Path,
    run_case: &dyn Fn(&Case) -> Run,
    out: &mut Out<'_>,
) -> Result<u8, Stop> {
    write!(out.stdout, "{results}")?;
    let mut replay = None;
    let mut firsts: Vec<u64> = results.broken.0.values().map(|broken| broken.first).collect();
    firsts.sort_unstable();
    firsts.dedup();
    for first in firsts {
        let case = draw(&sweep.scope, sweep.seed, first);
        let Some(failure) = Failure::of_by(&case, run_case) else {
            writeln!(out.stdout, "\nrun {first} holds now: {case}")?;
            continue;
        };
        writeln!(out.stdout, "\nrun {first}, cut down:\n\n{}{failure}", failure.ladder)?;
        match failure.save(failures) {
            Ok(path) => writeln!(out.stdout, "kept in {}", path.display())?,
            Err(error) => writeln!(out.stderr, "sansip-sim: --failures {}: {error}", failures.display())?,
        }
        replay.get_or_insert(failure.shrunk.to_string());
    }
    if let Some(first) = results.first_different {
        writeln!(out.stdout, "not the same the second time: {}", draw(&sweep.scope, sweep.seed, first))?;
    }
    // As many as were run: a sweep that was stopped is repeated up to there.
    let shard = sweep.shard;
    let runs = if sweep.share() == Some(results.runs) {
        sweep.length
    } else {
        Length::Runs(results.runs.saturating_mul(shard.of))
    };
    let replay = replay.unwrap_or_else(|| line(&Sweep { length: runs, ..sweep.clone() }));
    let verdict = match results.status() {
        4 => "nothing was run".to_owned(),
        5 => "not deterministic".to_owned(),
        _ => results.broken.outcome().to_string(),
    };
    writeln!(out.stdout, "verdict: {verdict}\nreproduce: {replay}")?;
    Ok(results.status())
}
