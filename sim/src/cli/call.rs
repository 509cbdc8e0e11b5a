//! `call`: one run, made visible.

use std::ffi::OsString;
use std::str::FromStr;

use super::options::Argument;
use super::{Options, Out, Stop, Usage, help, wall_clock};
use crate::render::{Figures, events, ladder, messages};
use crate::run::{Case, Run, run as run_case};

/// How a run is printed.
#[derive(Clone, Copy)]
enum Format {
    Ladder,
    Messages,
    Json,
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "ladder" => Ok(Self::Ladder),
            "messages" => Ok(Self::Messages),
            "json" => Ok(Self::Json),
            _ => Err("a format is ladder, messages or json"),
        }
    }
}

/// Runs a call and prints it, a line of figures, the rules that were broken, and the line that repeats it.
pub(super) fn run(arguments: &[OsString], out: &mut Out<'_>) -> Result<u8, Stop> {
    let mut options = Options::of("call", arguments);
    let (mut case, mut format) = (Case::default(), Format::Ladder);
    while let Some(argument) = options.next()? {
        match &argument {
            Argument::Long(name) if name == "help" => {
                out.stdout.write_all(help::CALL.as_bytes())?;
                return Ok(0);
            }
            Argument::Long(name) if name == "format" => format = options.value(name)?,
            Argument::Long(name) if options.case(name, &mut case)? => {}
            _ => return options.unknown(&argument).map_err(Stop::from),
        }
    }
    case.check().map_err(Usage)?;
    if let Some(weather) = options.weather {
        case.add_events_of(weather);
    }
    let started = wall_clock();
    let done = run_case(&case);
    let took = started.elapsed();
    print(&case, &done, format, out)?;
    out.stdout.flush()?;
    writeln!(out.stderr, "{:.1} ms of wall time", took.as_secs_f64() * 1e3)?;
    Ok(done.verdict.outcome().status())
}

fn print(case: &Case, done: &Run, format: Format, out: &mut Out<'_>) -> Result<(), Stop> {
    let trace = done.world.trace();
    let met = done.world.faults_met();
    let replay = (!met.is_empty()).then(|| case.planned(&met));
    let figures = Figures::of(trace, done.world.now());
    match format {
        Format::Json => {
            for event in events(trace, &figures, &done.verdict, replay.as_ref()) {
                writeln!(out.stdout, "{event}")?;
            }
            return Ok(());
        }
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
