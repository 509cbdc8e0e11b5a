//! Instructions that sansip needs, counted by valgrind: figures that hardly differ from run to run, however busy the machine is.
//!
//! `cargo bench --manifest-path core/benches/peers/Cargo.toml --bench instructions`; `-- calls` or `-- messages` for one half.

#[path = "../../../../sim/benches/calls/mod.rs"]
mod calls;

use std::hint::black_box;
use std::process::{Command, ExitCode};

use calls::{pair::Pair, trapezoid};
use sansip_peers::{Peer, Sample, Sansip, SansipView, invite, long_invite, ok, register};

/// The word before the name of what is to be run, when valgrind runs this program.
const RUN: &str = "--run";

/// Calls over which the instructions of one are averaged.
const CALLS: u32 = 300;

/// The work of a message layer on a message.
#[derive(Clone, Copy)]
enum Work {
    Httparse,
    ParseBorrowed,
    ParseOwned,
    ParseAndReadSix,
    Forward,
    Answer200,
}

const WORKS: [(&str, Work); 6] = [
    ("httparse", Work::Httparse),
    ("parse-borrowed", Work::ParseBorrowed),
    ("parse-owned", Work::ParseOwned),
    ("parse-and-read-six", Work::ParseAndReadSix),
    ("forward", Work::Forward),
    ("answer-200", Work::Answer200),
];

const SAMPLES: [(&str, fn() -> Sample); 4] =
    [("invite", invite), ("ok", ok), ("register", register), ("long-invite", long_invite)];

/// The kinds of calls, by the names that their figures have: two user agents without extensions, two with what a profile has by default, and
/// the trapezoid.
const TWO_PARTY: &str = "two-party";
const TWO_PARTY_DEFAULTS: &str = "two-party-defaults";
const TRAPEZOID: &str = "trapezoid";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [first, name] = arguments.as_slice()
        && first == RUN
    {
        run(name);
        return ExitCode::SUCCESS;
    }
    // `cargo test --benches` only wants to see that it runs.
    if arguments.iter().any(|argument| argument == "--test") {
        run(TWO_PARTY);
        return ExitCode::SUCCESS;
    }
    let wants = |half: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == half);
    let mut names = Vec::new();
    if wants("calls") {
        names.extend([TWO_PARTY, TWO_PARTY_DEFAULTS, TRAPEZOID].map(str::to_owned));
    }
    if wants("messages") {
        names.extend(WORKS.iter().flat_map(|(work, _)| SAMPLES.map(|(sample, _)| format!("{work}:{sample}"))));
    }
    for name in names {
        match count(&name) {
            Ok(Some(instructions)) => println!("{name} {instructions}"),
            Ok(None) => {}
            Err(error) => {
                eprintln!("{name}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// The instructions of one call or message, as valgrind counts them; `None` if nothing was done.
fn count(name: &str) -> Result<Option<u64>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let done = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--collect-atstart=no",
            "--toggle-collect=*counted*",
        ])
        .arg(program)
        .args([RUN, name])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let told = String::from_utf8_lossy(&done.stderr);
    let collected = told.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse::<u64>().ok());
    let calls = if name.contains(':') { 1 } else { u64::from(CALLS) };
    match collected {
        Some(0) => Ok(None),
        Some(instructions) if done.status.success() => Ok(Some(instructions / calls)),
        _ => Err(told.into_owned()),
    }
}

/// All work in here is counted: valgrind knows the function by its name.
#[inline(never)]
fn counted<R>(work: impl FnOnce() -> R) -> R {
    black_box(work())
}

fn run(name: &str) {
    match name {
        TWO_PARTY | TWO_PARTY_DEFAULTS => {
            let pair = if name == TWO_PARTY { Pair::new() } else { Pair::with(|_| {}) };
            let (mut pair, wait) = pair.brought_to(100);
            (0..100).for_each(|_| pair.call(wait));
            counted(|| (0..CALLS).for_each(|_| pair.call(wait)));
        }
        TRAPEZOID => {
            let scenario = trapezoid::scenario(1, CALLS, 0);
            let mut world = trapezoid::world(&scenario);
            counted(|| {
                world.run_until_quiet(scenario.end());
            });
        }
        _ => {
            let Some((work, sample)) = name.split_once(':') else { return };
            let work = WORKS.iter().find(|(name, _)| *name == work);
            let sample = SAMPLES.iter().find(|(name, _)| *name == sample);
            if let (Some((_, work)), Some((_, sample))) = (work, sample) {
                message(*work, &sample());
            }
        }
    }
}

fn message(work: Work, sample: &Sample) {
    let (bytes, block) = (sample.bytes.as_slice(), sample.header_block());
    let mut parsed = Sansip::parse(bytes).expect("the samples can be parsed");
    let is_request = matches!(parsed, sansip::message::Message::Request(_));
    match work {
        Work::Httparse => {
            let mut headers = [httparse::EMPTY_HEADER; 32];
            counted(|| httparse::parse_headers(black_box(block), &mut headers).is_ok());
        }
        Work::ParseBorrowed => drop(counted(|| SansipView::parse(black_box(bytes)))),
        Work::ParseOwned => drop(counted(|| Sansip::parse(black_box(bytes)))),
        Work::ParseAndReadSix => {
            counted(|| SansipView::six(&SansipView::parse(black_box(bytes))?));
        }
        Work::Forward if is_request => drop(counted(|| Sansip::forward(black_box(&mut parsed)))),
        Work::Answer200 if is_request => drop(counted(|| Sansip::ok(black_box(&parsed)))),
        Work::Forward | Work::Answer200 => {}
    }
}
