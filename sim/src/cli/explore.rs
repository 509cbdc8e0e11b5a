//! `explore`.

use std::path::Path;
use std::sync::Arc;

use super::line::{self, Faults};
use super::progress::Meter;
use super::sweep::stop_at_ctrl_c;
use super::{Out, Stop};
use crate::check::standard;
use crate::crew::Progress;
use crate::explore::{CANCEL, Exploration, Findings, walk_all};
use crate::fault::Event;
use crate::run::{Case, Outcome, PANIC};
use crate::shrink::Failure;

/// Explores a call, or the six that matter most.
pub(super) fn run(asked: line::Explore, out: &mut Out<'_>) -> Result<u8, Stop> {
    let Some(Faults(faults)) = asked.faults else {
        return Err(Stop::Usage("how many faults at most? `--faults 2`".into()));
    };
    let (calls, events) = (calls(&asked), events(&asked)?);
    let progress = Arc::new(Progress::default());
    stop_at_ctrl_c(&progress);
    let mut meter = Meter::new(out, None, asked.time.map(|line::Time(time)| time));
    let explore = |case: &Case| Exploration { events: events.clone(), ..Exploration::new(case.clone(), faults) };
    let explorations: Vec<_> = calls.iter().map(explore).collect();
    let found = walk_all(&explorations, asked.work.jobs(), &progress, &mut || {
        if meter.is_over() {
            progress.stop();
        }
        meter.show(progress.done());
    });
    let all: Vec<_> = calls.iter().zip(found).collect();
    meter.end(progress.done(), out)?;
    let mut replay = None;
    for (call, findings) in &all {
        print(call, findings, &asked.work.kept.failures(), &mut replay, out)?;
    }
    let runs: u64 = all.iter().map(|(_, findings)| findings.total()).sum();
    let whole = all.iter().all(|(_, findings)| findings.whole);
    let outcome = all.iter().map(|(_, findings)| findings.broken.outcome()).max().unwrap_or(Outcome::Holds);
    let covered =
        if whole { "covered whole".to_owned() } else { format!("not covered whole: stopped after {runs} runs") };
    let verdict = match outcome {
        _ if runs == 0 => "nothing was run".to_owned(),
        Outcome::Holds if !whole => format!("all checks hold in these {runs} runs"),
        _ => outcome.to_string(),
    };
    writeln!(out.stdout, "runs: {runs}\nspace: {covered}\nverdict: {verdict}")?;
    let line = command(&asked, faults);
    match replay {
        Some(replay) => writeln!(out.stdout, "reproduce: {replay}")?,
        None if whole => writeln!(out.stdout, "reproduce: {line}")?,
        // Which runs are done in a given time depends on the machine.
        None => writeln!(out.stdout, "the whole space: {line}")?,
    }
    Ok(if runs == 0 { 4 } else { outcome.status() })
}

/// The call that was described, or the six if nothing was said but where.
fn calls(asked: &line::Explore) -> Vec<Case> {
    let case = asked.parts.case.clone();
    if asked.cancel {
        return vec![Case { cancel_after: Some(CANCEL), ..case }];
    }
    let is_said = asked.parts.given.iter().any(|(name, _)| *name != "topology");
    if is_said { vec![case] } else { Exploration::calls(&case) }
}

fn events(asked: &line::Explore) -> Result<Vec<Event>, Stop> {
    let case = &asked.parts.case;
    let crash = asked.crash.iter().map(|node| ("crash", node, Event::Crash { node: node.clone() }));
    let restart = asked.restart.iter().map(|node| ("restart", node, Event::Restart { node: node.clone() }));
    let events = crash.chain(restart).map(|(option, node, event)| {
        let (topology, nodes) = (case.topology, case.nodes());
        let is_there = nodes.contains(node);
        let nodes = nodes.join(", ");
        let wrong = || format!("--{option}: there is no node `{node}` in topology {topology}; its nodes are {nodes}");
        if is_there { Ok(event) } else { Err(Stop::Usage(wrong())) }
    });
    events.collect()
}

/// The command that does all of this.
fn command(asked: &line::Explore, faults: usize) -> String {
    let mut line = format!("sansip-sim explore --faults {faults}");
    for (name, value) in &asked.parts.given {
        line += &format!(" --{name}");
        line += &if value.is_empty() { String::new() } else { format!(" {value}") };
    }
    line += if asked.cancel { " --cancel" } else { "" };
    for (name, nodes) in [("crash", &asked.crash), ("restart", &asked.restart)] {
        line += &if nodes.is_empty() { String::new() } else { format!(" --{name} {}", nodes.join(",")) };
    }
    line
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
    let covered = if findings.whole { "" } else { ", not all of them" };
    writeln!(out.stdout, "call: {call}\nruns: {} ({}){covered}", findings.total(), runs.join(", "))?;
    let names = standard().into_iter().map(|check| check.name()).chain([PANIC]);
    for (name, first) in names.filter_map(|name| Some((name, findings.broken.0.get(name)?))) {
        writeln!(out.stdout, "check {name}: broken in {} runs, first by '{}'", first.runs, first.first.plan)?;
        let Some(failure) = Failure::of(&Case { plan: first.first.plan.clone(), ..call.clone() }) else { continue };
        writeln!(out.stdout)?;
        out.tell(&failure, failures)?;
        replay.get_or_insert(failure.shrunk.to_string());
    }
    Ok(())
}
