//! Times of sansip and its peers on the same messages: `cargo bench --manifest-path core/benches/peers/Cargo.toml --bench peers`,
//! and ` -- sansip` for those of that name only. `allocations` beside it counts what they allocate.
//!
//! Each time is the best of many rounds, so that a busy machine shows as little as may be; ratios are to
//! `httparse::parse_headers` on the same header block in the same run.

use sansip_peers::{Ezk, Peer, Rsip, Rsipstack, Sample, Sansip, SansipHop, SansipView, Sipx, samples};
use std::hint::black_box;
use std::time::{Duration, Instant};

fn main() {
    // `cargo test --all-targets` runs it without `--bench`: then everything runs once.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 300 } else { 1 };
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for sample in samples() {
        let unit = floors(&sample, rounds);
        let table = Table { sample: &sample, unit, rounds, only: only.as_deref() };
        table.of::<SansipView>();
        table.of::<Sansip>();
        table.of::<SansipHop>();
        table.of::<Rsipstack>();
        table.of::<Sipx>();
        table.of::<Ezk>();
        table.of::<Rsip>();
    }
}

/// The floor that no reader can be faster than; returns the time of httparse, if it reads the message.
fn floors(sample: &Sample, rounds: u32) -> Option<f64> {
    let (bytes, block) = (sample.bytes.as_slice(), sample.header_block());
    println!("\n{}: {} octets, {} of them headers", sample.name, bytes.len(), block.len());
    let lines = time(rounds, || memchr::memchr_iter(b'\n', black_box(bytes)).count());
    let copy = time(rounds, || black_box(bytes).to_vec());
    let read = || {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        httparse::parse_headers(black_box(block), &mut headers).is_ok()
    };
    // All ratios hang on this one: it gets ten times the rounds, so that a processor not yet at its speed does not flatter us.
    let headers = read().then(|| time(rounds * 10, read));
    let shown = headers.map_or_else(|| "refuses it: folds".to_string(), |headers| format!("{headers:.0} ns"));
    println!("  floor: memchr {lines:.0} ns, copy {copy:.0} ns, httparse {shown}");
    println!("  {:<18}{:>22}{:>22}{:>22}{:>22}", "", "(a) parse", "(b) parse, read six", "(c) forward", "(d) 200");
    headers
}

/// The lines of one message.
struct Table<'a> {
    sample: &'a Sample,
    /// The time of httparse.
    unit: Option<f64>,
    rounds: u32,
    /// The text that the name of a peer has to contain to be measured.
    only: Option<&'a str>,
}

impl Table<'_> {
    fn of<P: Peer>(&self) {
        if self.only.is_some_and(|only| !P::NAME.contains(only)) {
            return;
        }
        let bytes = self.sample.bytes.as_slice();
        print!("  {:<18}", P::NAME);
        if P::parse(bytes).is_none() {
            println!("{:>22}", "cannot parse it");
            return;
        }
        self.show(Some(time(self.rounds, || P::parse(black_box(bytes)))));
        let read = || P::parse(black_box(bytes)).and_then(|message| P::six(&message));
        match (read(), Sansip::parse(bytes).and_then(|message| Sansip::six(&message))) {
            (None, _) => print!("{:>22}", "cannot read them"),
            (read, right) if read != right => print!("{:>22}", "reads them wrong"),
            _ => self.show(Some(time(self.rounds, read))),
        }
        self.show(self.written::<P>(P::forward));
        self.show(self.written::<P>(|message| P::ok(message)));
        println!();
    }

    /// The cost of writing from a message that was parsed before.
    fn written<'m, P: Peer>(&'m self, write: impl Fn(&mut P::Message<'m>) -> Option<P::Written>) -> Option<f64> {
        const CALLS: usize = 64;
        let bytes = self.sample.bytes.as_slice();
        write(&mut P::parse(bytes)?)?;
        let mut best = Duration::MAX;
        for _ in 0..self.rounds * 4 {
            let mut messages: Vec<_> = (0..CALLS).filter_map(|_| P::parse(bytes)).collect();
            let start = Instant::now();
            for message in &mut messages {
                black_box(write(black_box(message)));
            }
            best = best.min(start.elapsed());
        }
        Some(best.as_nanos() as f64 / CALLS as f64)
    }

    fn show(&self, nanoseconds: Option<f64>) {
        let Some(nanoseconds) = nanoseconds else { return print!("{:>22}", "-") };
        let ratio = self.unit.map_or_else(String::new, |unit| format!(" {:.2}x", nanoseconds / unit));
        print!("{:>22}", format!("{nanoseconds:.0} ns{ratio}"));
    }
}

/// Nanoseconds a call, in the best of the rounds.
fn time<R>(rounds: u32, call: impl Fn() -> R) -> f64 {
    const CALLS: u32 = 400;
    let mut best = Duration::MAX;
    for _ in 0..rounds * 2 {
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(call());
        }
        best = best.min(start.elapsed());
    }
    best.as_nanos() as f64 / f64::from(CALLS)
}
