//! `explore`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sansip::Duration;

use super::options::{Argument, Threads};
use super::progress::Meter;
use super::sweep::{Time, stop_at_ctrl_c};
use super::{Options, Out, Stop, Usage, help, jobs};
use crate::check::standard;
use crate::crew::Progress;
use crate::explore::{CANCEL, Exploration, Findings, walk_all};
use crate::fault::Event;
use crate::run::{ByWhom, Case, OPTIONS, Outcome, PANIC};
use crate::shrink::{Failure, folder};

/// The parts of a call that are options here as they are those of `call`.
const PARTS: [&str; 11] = [
    "hold",
    "change-reply",
    "late-offer",
    "reliable",
    "session-expires",
    "min-se",
    "bob-refreshes",
    "refresh-by-invite",
    "transfer",
    "attended",
    "challenge",
];

/// The options of the command line.
struct Asked {
    calls: Vec<Case>,
    faults: usize,
    events: Vec<Event>,
    limit: Option<Duration>,
    jobs: usize,
    failures: PathBuf,
    line: String,
}

/// Explores a call, or the six that matter most.
pub(super) fn run(arguments: &[OsString], out: &mut Out<'_>) -> Result<u8, Stop> {
    let Some(asked) = read(arguments)? else {
        out.stdout.write_all(help::EXPLORE.as_bytes())?;
        return Ok(0);
    };
    let progress = Arc::new(Progress::default());
    stop_at_ctrl_c(&progress);
    let mut meter = Meter::new(out.stderr, None, asked.limit, out.terminal, out.colour);
    let faults = asked.faults;
    let explore = |case: &Case| Exploration { events: asked.events.clone(), ..Exploration::new(case.clone(), faults) };
    let explorations: Vec<_> = asked.calls.iter().map(explore).collect();
    let found = walk_all(&explorations, asked.jobs, &progress, &mut || {
        if meter.is_over() {
            progress.stop();
        }
        meter.show(progress.done());
    });
    let all: Vec<_> = asked.calls.iter().zip(found).collect();
    meter.end(progress.done())?;
    let mut replay = None;
    for (call, findings) in &all {
        print(call, findings, &asked.failures, &mut replay, out)?;
    }
    let runs: u64 = all.iter().map(|(_, findings)| findings.total()).sum();
    let whole = all.iter().all(|(_, findings)| findings.whole);
    let outcome = all.iter().map(|(_, findings)| findings.broken.outcome()).max().unwrap_or(Outcome::Holds);
    let covered =
        if whole { "covered whole".to_owned() } else { format!("not covered whole: stopped after {runs} runs") };
    let status = if runs == 0 { 4 } else { outcome.status() };
    let verdict = if runs == 0 { "nothing was run".to_owned() } else { outcome.to_string() };
    writeln!(out.stdout, "runs: {runs}\nspace: {covered}\nverdict: {verdict}")?;
    writeln!(out.stdout, "reproduce: {}", replay.unwrap_or(asked.line))?;
    Ok(status)
}

fn read(arguments: &[OsString]) -> Result<Option<Asked>, Usage> {
    let mut options = Options::of("explore", arguments);
    let (mut faults, mut limit, mut threads, mut failures) = (None, None, jobs(), folder());
    let (mut case, mut every) = (Case::default(), true);
    let (mut words, mut struck) = (Vec::new(), Vec::new());
    while let Some(argument) = options.next()? {
        let Argument::Long(name) = &argument else { return options.unknown(&argument) };
        match name.as_str() {
            "help" => return Ok(None),
            "faults" => faults = Some(options.value(name)?),
            "for" => limit = Some(options.value::<Time>(name)?.0),
            "jobs" => threads = options.value::<Threads>(name)?.0,
            "failures" => failures = options.folder(name)?,
            "crash" | "restart" => {
                let nodes = options.text(name)?;
                words.push(format!(" --{name} {nodes}"));
                struck.extend(nodes.split(',').map(|node| (name.clone(), node.to_owned())));
            }
            "topology" => {
                case.topology = options.value(name)?;
                words.push(format!(" --topology {}", case.topology));
            }
            "record-route" => {
                (case.record_route, every) = (true, false);
                words.push(" --record-route".to_owned());
            }
            "cancel" => {
                (case.cancel_after, every) = (Some(CANCEL), false);
                words.push(" --cancel".to_owned());
            }
            "hang-up" => {
                (case.hang_up, every) = (options.value::<ByWhom>(name)?, false);
                words.push(format!(" --hang-up {}", case.hang_up));
            }
            _ => {
                let Some(part) = OPTIONS.iter().find(|part| part.name == *name && PARTS.contains(&part.name)) else {
                    return options.unknown(&argument);
                };
                let before = case.clone();
                options.case(name, &mut case)?;
                every &= case == before;
                let value = if part.is_switch { String::new() } else { format!(" {}", (part.get)(&case)) };
                words.push(format!(" --{name}{value}"));
            }
        }
    }
    let Some(faults) = faults else { return Err(Usage("how many faults at most? `--faults 2`".into())) };
    let mut events = Vec::new();
    for (option, node) in struck {
        if !case.nodes().contains(&node) {
            let (topology, nodes) = (case.topology, case.nodes().join(", "));
            return Err(Usage(format!(
                "--{option}: there is no node `{node}` in topology {topology}; its nodes are {nodes}"
            )));
        }
        events.push(if option == "crash" { Event::Crash { node } } else { Event::Restart { node } });
    }
    let calls = if every { Exploration::calls(&case) } else { vec![case] };
    let line = format!("sansip-sim explore --faults {faults}{}", words.concat());
    Ok(Some(Asked { calls, faults, events, limit, jobs: threads, failures, line }))
}

/// Tells the findings about one call: each broken check with its first run cut down.
fn print(
    call: &Case,
    findings: &Findings,
    failures: &Path,
    replay: &mut Option<String>,
    out: &mut Out<'_>,
) -> Result<(), Stop> {
    let runs: Vec<_> =
        findings.runs.iter().enumerate().map(|(faults, runs)| format!("{runs} with {faults} faults")).collect();
    writeln!(out.stdout, "call: {call}\nruns: {} ({})", findings.total(), runs.join(", "))?;
    let names = standard().into_iter().map(|check| check.name()).chain([PANIC]);
    for (name, first) in names.filter_map(|name| Some((name, findings.broken.0.get(name)?))) {
        writeln!(out.stdout, "check {name}: broken in {} runs, first by '{}'", first.runs, first.first.plan)?;
        let Some(failure) = Failure::of(&Case { plan: first.first.plan.clone(), ..call.clone() }) else { continue };
        writeln!(out.stdout, "\ncut down:\n\n{}{failure}", failure.ladder)?;
        match failure.save(failures) {
            Ok(path) => writeln!(out.stdout, "kept in {}", path.display())?,
            Err(error) => writeln!(out.stderr, "sansip-sim: --failures {}: {error}", failures.display())?,
        }
        replay.get_or_insert(failure.shrunk.to_string());
    }
    Ok(())
}
