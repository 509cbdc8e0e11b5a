//! `call`: one run, made visible.

use std::num::NonZeroU32;

use sansip::Duration;

use super::line::Call;
use super::print::Printed;
use super::progress::Meter;
use super::{Out, Stop, wall_clock};
use crate::crew::crew;
use crate::fault::{Fault, Selector};
use crate::packet::Packet;
use crate::run::{Case, Run, run as run_case, run_watched};
use crate::trace::Transmission;

/// Runs a call and prints it, a line of figures, the rules that were broken, and the line that repeats it.
pub(super) fn run(Call { parts, printing }: Call, out: &mut Out<'_>) -> Result<u8, Stop> {
    let mut case = parts.case;
    case.check().map_err(Stop::Usage)?;
    if let Some(weather) = parts.weather {
        case.add_events_of(weather);
    }
    let started = wall_clock();
    let mut meter = Meter::of_one(out);
    let run_it = if printing.has_states() { run_watched } else { run_case };
    let done = crew(1, || run_it(&case), &mut || meter.show(0));
    let done = done.into_iter().next().ok_or_else(|| Stop::Usage("nothing was run".into()))?;
    meter.clear();
    let took = started.elapsed();
    let met = done.world.faults_met();
    let replay = (!met.is_empty()).then(|| case.planned(&met));
    let (trace, end) = (done.world.trace(), done.world.now());
    let printed = Printed {
        trace,
        end,
        zero: Duration::ZERO,
        verdict: Some(&done.verdict),
        replay: replay.as_ref(),
        case: Some(&case),
    };
    printing.print(&printed, out)?;
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
