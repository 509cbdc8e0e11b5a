//! How fast calls are: on the trapezoid in a simulated network, and between two user agents alone.
//!
//! `cargo bench -p sansip-sim`; `-- pair` or `-- trapezoid` for one of them. docs/performance.md has the figures.

mod pair;
mod trapezoid;

use std::time::{Duration, Instant};

fn main() {
    // `cargo test --benches` only wants to see that it runs.
    let calls = if std::env::args().any(|argument| argument == "--test") { 10 } else { 20_000 };
    let wanted: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    if wants("trapezoid") {
        trapezoid::print(calls);
        println!();
    }
    if wants("pair") {
        pair::print(calls);
    }
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
