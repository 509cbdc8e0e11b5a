//! `call`: one run, made visible.

use std::num::NonZeroU32;
use std::str::FromStr;

use sansip::Duration;

use super::line::Call;
use super::progress::Meter;
use super::{Out, Stop, wall_clock};
use crate::capture::capture;
use crate::crew::crew;
use crate::fault::{Fault, Selector};
use crate::packet::Packet;
use crate::render::{Figures, events, ladder, messages};
use crate::run::{Case, Run, run as run_case};
use crate::trace::Transmission;

/// How a run is printed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Ladder,
    Messages,
    Json,
    Pcap,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "ladder" => Ok(Self::Ladder),
            "messages" => Ok(Self::Messages),
            "json" => Ok(Self::Json),
            "pcap" => Ok(Self::Pcap),
            _ => Err("a format is ladder, messages, json or pcap"),
        }
    }
}

/// Runs a call and prints it, a line of figures, the rules that were broken, and the line that repeats it.
pub(super) fn run(Call { parts, format }: Call, out: &mut Out<'_>) -> Result<u8, Stop> {
    let mut case = parts.case;
    case.check().map_err(Stop::Usage)?;
    if let Some(weather) = parts.weather {
        case.add_events_of(weather);
    }
    let started = wall_clock();
    let mut meter = Meter::of_one(out);
    let done = crew(1, || run_case(&case), &mut || meter.show(0));
    let done = done.into_iter().next().ok_or_else(|| Stop::Usage("nothing was run".into()))?;
    meter.clear();
    let took = started.elapsed();
    print(&case, &done, format, out)?;
    out.stdout.flush()?;
    for fault in unmet(&case, &done) {
        writeln!(out.stderr, "not met: `{fault}`")?;
    }
    writeln!(out.stderr, "{:.1} ms of wall time", took.as_secs_f64() * 1e3)?;
    Ok(done.verdict.outcome().status())
}

/// The faults of the plan that nothing came of: there was no such message, or the run was over before. A word in it may be wrong.
fn unmet(case: &Case, done: &Run) -> Vec<Fault> {
    let (trace, met) = (done.world.trace(), done.world.faults_met());
    let fits = |selector: &Selector, sent: &Transmission| {
        let Some(to) = sent.to else { return false };
        let kind = selector.kind.as_ref();
        selector.is_of_link(trace.name(sent.from), trace.name(to))
            && kind.is_none_or(|kind| Packet::read(&sent.bytes).is_some_and(|packet| kind.fits(&packet)))
    };
    let is_met = |fault: &Fault| match fault {
        Fault::Message(selector, _) => {
            let ordinal = selector.ordinal.map_or(1, NonZeroU32::get);
            trace.transmissions().filter(|(_, _, sent)| fits(selector, sent)).nth(ordinal as usize - 1).is_some()
        }
        Fault::Timed(timed) => met.timed().any(|met| met == timed),
    };
    case.plan.faults().filter(|fault| !is_met(fault)).collect()
}

fn print(case: &Case, done: &Run, format: Format, out: &mut Out<'_>) -> Result<(), Stop> {
    let trace = done.world.trace();
    let met = done.world.faults_met();
    let replay = (!met.is_empty()).then(|| case.planned(&met));
    let figures = Figures::of(trace, done.world.now());
    match format {
        Format::Json => {
            for event in events(trace, &figures, Some(&done.verdict), replay.as_ref()) {
                writeln!(out.stdout, "{event}")?;
            }
            return Ok(());
        }
        Format::Pcap => return Ok(capture(trace, Duration::ZERO, &mut *out.stdout)?),
        Format::Ladder => out.stdout.write_all(ladder(trace).as_bytes())?,
        Format::Messages => out.stdout.write_all(messages(trace).as_bytes())?,
    }
    writeln!(out.stdout, "\n{figures}")?;
    for breach in done.verdict.breaches() {
        writeln!(out.stdout, "rule broken: {breach}")?;
    }
    if let Some(replay) = replay {
        writeln!(out.stdout, "replay: {replay}")?;
    }
    Ok(())
}
