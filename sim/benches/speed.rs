//! How fast calls are, on the trapezoid in a simulated network and between two user agents alone; and how fast captures are read and judged.
//!
//! `cargo bench -p sansip-sim --bench speed`; `-- pair`, `-- trapezoid` or `-- captures` for one of them. docs/performance.md has the figures.

mod calls;

use std::time::{Duration, Instant};

use calls::{pair::Pair, trapezoid};
use sansip_sim::capture::{Calls, Capture, Carrier, Limits, Reader, judge};
use sansip_sim::run::{Case, run};
use sansip_sim::topology::Scenario;
use sansip_sim::trace::{Recording, What};

/// Microseconds that a two-party call is to take.
const PAIR_AIM: f64 = 8.0;
/// Calls a second on the trapezoid that one core is to carry.
const TRAPEZOID_AIM: f64 = 47_000.0;

fn main() {
    // `cargo test --benches` only wants to see that it runs.
    let calls = if std::env::args().any(|argument| argument == "--test") { 10 } else { 20_000 };
    let wanted: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    if wants("trapezoid") {
        print_trapezoid(calls);
        println!();
    }
    if wants("pair") {
        print_pair(calls);
        println!();
    }
    if wants("captures") {
        print_captures(calls / 10);
    }
}

/// Messages a second that are to be read and judged by one core.
const CAPTURE_AIM: f64 = 300_000.0;

fn print_captures(calls: u32) {
    let mut file = Capture::new(Vec::new(), Duration::ZERO).expect("memory");
    let case: Case = "sansip-sim call --topology trapezoid --record-route --seed 1".parse().expect("a case");
    let run = run(&case);
    // Calls of other names, one a millisecond.
    for call in 0..calls {
        let (id, later) = (format!("{call:06}"), Duration::from_millis(call.into()));
        for (_, time, sent) in run.world.trace().transmissions() {
            let text = String::from_utf8_lossy(&sent.bytes).replace("Call-ID: ", &format!("Call-ID: {id}"));
            let text = text.replace("z9hG4bK", &format!("z9hG4bK{id}"));
            file.packet(time + later, Carrier::Datagram, sent.source, sent.destination, text.as_bytes(), "")
                .expect("memory");
        }
    }
    let file = file.into_inner();
    println!("a capture of {calls} calls, one core");
    println!("| what | messages/s | the aim of {CAPTURE_AIM} x |");
    println!("|---|---|---|");
    for (what, judges) in [("read and grouped", false), ("judged", true)] {
        let best = (0..3).map(|_| time(|| read(&file, judges))).min();
        let Some((took, messages)) = best else { return };
        let rate = messages as f64 / took.as_secs_f64();
        println!("| {what} | {rate:.0} | {:.2} |", CAPTURE_AIM / rate);
    }
}

/// Reads a capture, and judges its calls; the messages in it.
fn read(file: &[u8], judges: bool) -> u64 {
    let (mut reader, mut calls, mut all) = (Reader::new(Limits::default()), Calls::new(Limits::default()), Vec::new());
    let mut take = |message| calls.add(message, &mut |call| all.push(call));
    reader.read(&mut { file }, &mut take).expect("a capture");
    reader.finish(&mut take);
    all.extend(calls.take_rest());
    if judges {
        all.iter().for_each(|call| drop(judge(&call.messages, &[], 0, u64::MAX)));
    }
    reader.counts().messages
}

fn print_pair(calls: u32) {
    println!("two user agents, five messages, one core");
    println!("| live transactions | µs per call | x the aim of {PAIR_AIM} µs |");
    println!("|---|---|---|");
    for live in [100, 10_000, 100_000] {
        let (mut pair, wait) = Pair::new().brought_to(live);
        let best = (0..3).map(|_| time(|| (0..calls).for_each(|_| pair.call(wait))).0).min().unwrap_or_default();
        let each = best.as_secs_f64() * 1e6 / f64::from(calls);
        println!("| {} | {each:.2} | {:.2} |", pair.transactions(), each / PAIR_AIM);
    }
}

fn print_trapezoid(calls: u32) {
    println!("calls on the trapezoid, F1 to F14, one core");
    println!(
        "| at once | lost | calls/s | the aim of {TRAPEZOID_AIM} x | ns per delivered message | simulated s per s |"
    );
    println!("|---|---|---|---|---|---|");
    for (pairs, percent_lost) in [(1, 0), (100, 0), (10_000, 0), (1, 20), (100, 20), (10_000, 20)] {
        let rounds = (calls / pairs).max(1);
        let scenario = trapezoid::scenario(pairs, rounds, percent_lost);
        let messages = delivered(&scenario);
        // The best of three: others use the machine too.
        let best = (0..3).map(|_| {
            let mut world = trapezoid::world(&scenario);
            let from = world.now();
            let (took, _) = time(|| world.run_until_quiet(scenario.end()));
            (took, world.now().since(from))
        });
        let Some((took, simulated)) = best.min() else { return };
        let seconds = took.as_secs_f64();
        let rate = f64::from(pairs * rounds) / seconds;
        println!(
            "| {pairs} | {percent_lost} % | {rate:.0} | {:.2} | {:.0} | {:.0} |",
            TRAPEZOID_AIM / rate,
            seconds * 1e9 / messages as f64,
            simulated.as_secs_f64() / seconds,
        );
    }
}

/// Messages that arrive in such a world; it is run once more for that, with a trace.
fn delivered(scenario: &Scenario) -> usize {
    let scenario = Scenario { recording: Recording::Everything, ..scenario.clone() };
    let mut world = trapezoid::world(&scenario);
    let before = world.trace().entries().len();
    world.run_until_quiet(scenario.end());
    let entries = world.trace().entries().iter().skip(before);
    entries.filter(|entry| matches!(entry.what, What::Arrived { .. })).count()
}

/// How long something keeps a processor busy; others may use the machine meanwhile. Where the kernel does not tell, what passes on
/// the wall.
#[expect(clippy::disallowed_methods, reason = "a benchmark is what reads the clock on the wall")]
fn time<R>(work: impl FnOnce() -> R) -> (Duration, R) {
    let (started, busy) = (Instant::now(), processor());
    let result = work();
    let took = started.elapsed();
    let busy = processor().zip(busy).map(|(after, before)| after - before);
    (busy.unwrap_or(took), result)
}

/// The time that this process had a processor (Linux: proc(5), `/proc/pid/schedstat`).
fn processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
