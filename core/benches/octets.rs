//! One endpoint with 1,000 to 1,000,000 live transactions: octets that each holds, beside those of the message that it keeps. A
//! counting allocator costs time, so nothing is timed here. `cargo bench -p sansip --bench octets [-- [bindings] [LARGEST]]`: with the word
//! `bindings` those alone are counted, as the benchmark `scale` wants them.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "the rounds are those of a benchmark that reads the clock, and stops when it measures nothing"
)]

mod registrations;
mod transactions;

use allocation_counter::measure;
use transactions::{Lap, Order, Watch, clients, servers};

/// How many transactions are alive at once.
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

fn main() {
    // `cargo bench` adds a flag of its own.
    let largest = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(usize::MAX);
    let largest = if transactions::is_test() { SIZES[0] } else { largest };
    if !std::env::args().any(|argument| argument == "bindings") {
        count_transactions(largest);
    }
    count_bindings(largest);
}

fn count_transactions(largest: usize) {
    for (name, order) in [("in the order of their arrival", Order::Arrival), ("in random order", Order::Random)] {
        println!("\nTransactions {name}");
        for size in SIZES.into_iter().filter(|size| *size <= largest) {
            let order = order.of(size);
            let mut held = Held::new(size, &servers::PHASES);
            servers::rounds(&order, &mut held);
            println!("{size:>10} server transactions: {}", held.told());
            let mut held = Held::new(size, &clients::PHASES);
            clients::rounds(&order, &mut held);
            println!("{size:>10} client transactions with their deliveries: {}", held.told());
        }
    }
}

fn count_bindings(largest: usize) {
    println!("\nOctets of a binding. Aim: 220 beside the text of each");
    for size in SIZES.into_iter().filter(|size| *size <= largest.min(100_000)) {
        let mut bench = registrations::Bench::new();
        let counted = measure(|| {
            (0..size).for_each(|user| bench.register(&registrations::register(user, 0, 1)));
            bench.settle();
        });
        let (held, text) =
            (counted.bytes_current as f64, (0..size).map(|user| registrations::text(user, 0)).sum::<usize>());
        println!(
            "{size:>10} bindings: {:.0} + {:.0} of text",
            (held - text as f64) / size as f64,
            text as f64 / size as f64
        );
    }
}

/// The octets that a transaction holds after each phase.
struct Held {
    size: usize,
    phases: &'static [&'static str; 5],
    octets: f64,
    /// All of it, and how much of that are messages.
    after: [Option<(f64, f64)>; 5],
}

impl Held {
    const fn new(size: usize, phases: &'static [&'static str; 5]) -> Self {
        Self { size, phases, octets: 0.0, after: [None; 5] }
    }

    fn told(&self) -> String {
        let told = self.phases.iter().zip(&self.after).filter_map(|(phase, after)| {
            let (all, kept) = (*after)?;
            Some(format!("{:.0} + {kept:.0} of messages after `{phase}`", all - kept))
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

impl Watch for Held {
    fn phase(&mut self, phase: usize, _: usize, run: impl FnOnce(&mut Lap)) {
        let counted = measure(|| run(&mut Lap::new()));
        self.octets = counted.bytes_current as f64 + if phase == 0 { 0.0 } else { self.octets };
    }

    fn keeps(&mut self, phase: usize, octets: f64) {
        self.after[phase] = Some((self.octets / self.size as f64, octets));
    }
}
