//! One endpoint with 1,000 to 1,000,000 live transactions: nanoseconds for each operation, and what a poll costs when there is
//! nothing to do; besides, a server that refreshes bindings and forwards INVITEs, the octets of a binding, and a user agent that keeps registrations.
//! `cargo bench -p sansip --bench scale [-- LARGEST]`. `octets` beside it counts what a transaction holds.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a benchmark reads the clock, and stops when it measures nothing"
)]

mod forwarding;
mod holdings;
mod registrations;
mod transactions;

use std::hint::black_box;
use std::process::Command;
use std::time::Instant as Clock;

use registrations::{Bench, register};
use sansip::Input;
use transactions::{Lap, Order, Watch, clients, is_test, servers};

/// How many transactions are alive at once.
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// How much longer everything together, and the kind of operation that grows most, is to take with a million server transactions
/// in random order than with a thousand.
const AIMS: (f64, f64) = (2.2, 3.0);

fn main() {
    // `cargo bench` adds a flag of its own.
    let largest = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(usize::MAX);
    let largest = if is_test() { SIZES[0] } else { largest };
    let sizes: Vec<usize> = SIZES.into_iter().filter(|size| *size <= largest).collect();
    for (name, order) in [("in the order of their arrival", Order::Arrival), ("in random order", Order::Random)] {
        println!(
            "\nServer transactions {name}: every second an INVITE, refused with 486 and acknowledged; the others a BYE and its 200."
        );
        print_table(&sizes, &servers::PHASES, |size, report| servers::rounds(&order.of(size), report));
        println!(
            "\nClient transactions with their deliveries {name}: OPTIONS, sent again once by timer E, and their 200, which comes twice."
        );
        print_table(&sizes, &clients::PHASES, |size, report| clients::rounds(&order.of(size), report));
    }
    println!("Aims for a million server transactions in random order: {:.1}x and {:.1}x.", AIMS.0, AIMS.1);
    print_registrations(largest);
    print_octets(largest);
    print_forwarding();
    print_holdings(largest);
    println!("\nA poll with nothing to do: fire, Tick, poll, deadline.");
    for size in [0].into_iter().chain(sizes.last().copied()) {
        println!("{size:>10} live {:>8.1} ns", idle_poll(size));
    }
}

/// One kind of operation in a round over all transactions.
#[derive(Clone, Copy, Debug, Default)]
struct Phase {
    nanos: f64,
    /// The slowest single operation.
    slowest: u128,
    operations: usize,
}

impl Phase {
    fn each(&self) -> f64 {
        self.nanos / self.operations as f64
    }
}

/// The processor time of this thread, where Linux tells it: others that use the machine count for less.
fn cpu_nanos() -> Option<f64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// The cost of one size.
#[derive(Clone, Debug)]
struct Report {
    phases: Vec<Phase>,
}

impl Report {
    /// Nanoseconds of all operations, for each transaction.
    fn whole(&self) -> f64 {
        self.phases.iter().map(|phase| phase.nanos).sum::<f64>() / self.phases[0].operations as f64
    }
}

impl Watch for Report {
    fn phase(&mut self, phase: usize, operations: usize, run: impl FnOnce(&mut Lap)) {
        let (mut lap, start, cpu) = (Lap::new(), Clock::now(), cpu_nanos());
        run(&mut lap);
        let phase = &mut self.phases[phase];
        phase.nanos += match (cpu, cpu_nanos()) {
            (Some(start), Some(end)) => end - start,
            _ => start.elapsed().as_nanos() as f64,
        };
        phase.operations += operations;
        phase.slowest = phase.slowest.max(lap.slowest);
    }

    fn keeps(&mut self, _: usize, _: f64) {}
}

fn print_table(sizes: &[usize], names: &[&str], run: impl Fn(usize, &mut Report)) {
    print!("{:>10}", "live");
    names.iter().for_each(|name| print!("{name:>18}"));
    println!("{:>18}{:>18}", "all of these", "grows most");
    let mut first: Option<Report> = None;
    for &size in sizes {
        let mut report = Report { phases: vec![Phase::default(); names.len()] };
        run(size, &mut report);
        let base = first.get_or_insert_with(|| report.clone());
        print!("{size:>10}");
        let growth = report.phases.iter().zip(&base.phases).map(|(phase, base)| phase.each() / base.each());
        for (phase, growth) in report.phases.iter().zip(growth.clone()) {
            print!("{:>18}", format!("{:.0} ns {growth:.2}x", phase.each()));
        }
        let whole = report.whole();
        print!("{:>18}", format!("{whole:.0} ns {:.2}x", whole / base.whole()));
        println!("{:>18}", format!("{:.2}x", growth.fold(0.0, f64::max)));
        if size == 1_000_000 {
            print!("{:>10}", "slowest");
            report.phases.iter().for_each(|phase| print!("{:>18}", format!("{:.2} ms", phase.slowest as f64 / 1e6)));
            println!();
        }
    }
}

/// Nanoseconds of a poll that finds nothing, with so many transactions alive.
fn idle_poll(live: usize) -> f64 {
    let polls = if is_test() { 1_000 } else { 2_000_000 };
    let mut servers = servers::Servers::new(live);
    (0..live as u32).for_each(|number| servers.begin(number));
    let start = Clock::now();
    for _ in 0..polls {
        let bench = &mut servers.bench;
        assert!(!bench.endpoint.fire(black_box(bench.now)));
        let _ = bench.endpoint.handle(black_box(bench.now), Input::Tick);
        black_box(bench.endpoint.poll());
        black_box(bench.endpoint.deadline());
    }
    start.elapsed().as_nanos() as f64 / f64::from(polls)
}

/// Microseconds of a refresh, from the octets of the REGISTER to those of its 200.
fn print_registrations(largest: usize) {
    let refreshes = if is_test() { 1 } else { 100_000 };
    println!(
        "\nA refresh of a binding. Aims: 4 us, 100,000 within 1.5x of 1,000; one of 16 bindings of one user 6 us."
    );
    for (users, phones) in [(1_000, 1), (100_000, 1), (1_000, 16)].into_iter().filter(|(users, _)| *users <= largest) {
        let mut bench = Bench::new();
        for user in 0..users {
            (0..phones).for_each(|phone| bench.register(&register(user, phone, 1)));
        }
        bench.settle();
        let order = Order::Random.of(users);
        let (mut nanos, mut timed) = (0.0, 0);
        for cseq in 2.. {
            let requests: Vec<_> = order.iter().map(|user| register(*user as usize, cseq % phones, cseq)).collect();
            let (start, cpu) = (Clock::now(), cpu_nanos());
            requests.iter().for_each(|request| bench.register(black_box(request)));
            nanos += match (cpu, cpu_nanos()) {
                (Some(start), Some(end)) => end - start,
                _ => start.elapsed().as_nanos() as f64,
            };
            timed += requests.len();
            if timed >= refreshes {
                break;
            }
        }
        println!("{users:>10} users with {phones:>2} bindings {:>8.2} us", nanos / timed as f64 / 1e3);
    }
}

/// Has the benchmark `octets` say what a binding holds, in a process of its own: an allocator that counts would cost the times here.
fn print_octets(largest: usize) {
    // A run that only shows that the benchmarks work builds no other.
    if is_test() {
        return;
    }
    let mut octets = Command::new(env!("CARGO"));
    octets.args(["bench", "-q", "-p", "sansip", "--bench", "octets", "--", "bindings", &largest.to_string()]);
    let status = octets.status().expect("cargo, which has built this benchmark");
    assert!(status.success(), "the benchmark `octets` ends with {status}");
}

/// Microseconds of an INVITE that is forwarded, from its octets to those that go to the callee.
fn print_forwarding() {
    // Rounds of calls that are timed, each on a server of its own: the window over uses of nonces stays small.
    let (rounds, calls) = if is_test() { (1, 10) } else { (20, 2_000) };
    println!("\nAn INVITE that is forwarded to a registered phone.");
    for (name, asks) in [("without credentials", false), ("with its digest checked", true)] {
        let mut nanos = 0.0;
        for _ in 0..rounds {
            let mut bench = forwarding::Bench::new(asks);
            let invites: Vec<_> = (1..=calls).map(|number| bench.invite(number)).collect();
            let (start, cpu) = (Clock::now(), cpu_nanos());
            invites.iter().for_each(|invite| bench.forward(black_box(invite)));
            nanos += match (cpu, cpu_nanos()) {
                (Some(start), Some(end)) => end - start,
                _ => start.elapsed().as_nanos() as f64,
            };
        }
        println!("{name:>30} {:>8.2} us", nanos / (rounds * calls) as f64 / 1e3);
    }
}

/// Microseconds of a registration of a user agent that keeps so many, from the command, or the timer of its refresh, to the octets of the REGISTER,
/// and from the octets of the 200 to the event.
fn print_holdings(largest: usize) {
    println!("\nA registration of a user agent that keeps so many. Aim: 10,000 within 1.5x of 100.");
    println!("{:>10}{:>12}{:>12}{:>12}", "kept", "begun", "accepted", "refreshed");
    for size in [100, 10_000].into_iter().filter(|size| *size <= largest) {
        let rounds = if is_test() { 1 } else { (50_000 / size).max(1) };
        let mut nanos = [0.0; 3];
        for _ in 0..rounds {
            let (mut holder, mut sent) = (holdings::Holder::new(), Vec::with_capacity(size));
            nanos[0] += timed(|| (0..size).for_each(|number| holder.begin(number, &mut sent)));
            let accepted: Vec<_> = sent.drain(..).map(|register| holdings::accept(&register)).collect();
            nanos[1] += timed(|| accepted.iter().for_each(|response| holder.accepted(black_box(response))));
            holder.settle();
            nanos[2] += timed(|| {
                while sent.len() < size {
                    holder.refresh(&mut sent);
                }
            });
        }
        print!("{size:>10}");
        nanos.iter().for_each(|nanos| print!("{:>12}", format!("{:.2} us", nanos / (rounds * size) as f64 / 1e3)));
        println!();
    }
}

/// Nanoseconds of the processor that this takes.
fn timed(run: impl FnOnce()) -> f64 {
    let (start, cpu) = (Clock::now(), cpu_nanos());
    run();
    match (cpu, cpu_nanos()) {
        (Some(start), Some(end)) => end - start,
        _ => start.elapsed().as_nanos() as f64,
    }
}
