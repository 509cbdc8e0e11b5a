//! Octets that calls allocate and hold. A counting allocator costs time, so nothing is timed here.
//!
//! `cargo bench -p sansip-sim --bench allocations`. docs/performance.md has the figures.

mod calls;

use allocation_counter::measure;
use calls::pair::{self, Pair};
use calls::trapezoid;

/// Allocations that a two-party call is to take, both sides together.
const PAIR_AIM: f64 = 27.0;
/// Octets that an established call may hold, both sides together: a tenth more than the 2,353 of when user agents began to do more.
const HELD_MOST: i64 = 2_588;
/// Octets that a pair of a crowd is to hold at most.
const CROWD_AIM: f64 = 22_000.0;

fn main() {
    // `cargo test --benches` only wants to see that it runs.
    let is_test = std::env::args().any(|argument| argument == "--test");
    let calls = if is_test { 10 } else { 10_000 };
    println!("two user agents, five messages");
    println!("| live transactions | allocations | x the aim of {PAIR_AIM} | octets allocated |");
    println!("|---|---|---|---|");
    for live in [100, 10_000, 100_000].into_iter().take(if is_test { 1 } else { 3 }) {
        let (mut pair, wait) = Pair::new().brought_to(live);
        let transactions = pair.transactions();
        let counted = measure(|| (0..calls).for_each(|_| pair.call(wait)));
        let each = counted.count_total as f64 / f64::from(calls);
        let octets = counted.bytes_total as f64 / f64::from(calls);
        println!("| {transactions} | {each:.1} | {:.2} | {octets:.0} |", each / PAIR_AIM);
    }
    print_held(calls.max(1_000));
    print_crowd(calls);
}

/// So many established calls at once: few have tables with room to spare.
fn print_held(calls: u32) {
    let mut pair = Pair::new();
    let mut kept = Vec::with_capacity(calls as usize);
    let counted = measure(|| {
        kept.extend((0..calls).map(|_| pair.establish()));
        pair.wait(pair::OVER);
    });
    let held = counted.bytes_current / i64::from(calls);
    println!("octets held for an established call, both sides together: {held}");
    assert!(held <= HELD_MOST, "more than {HELD_MOST}");
    kept.into_iter().for_each(|call| pair.end(call));
}

/// Two user agents and the share of the proxies, with all calls at once.
fn print_crowd(pairs: u32) {
    let scenario = trapezoid::scenario(pairs, 2, 0);
    let mut world = None;
    let registered = measure(|| world = Some(trapezoid::world(&scenario)));
    let Some(mut world) = world else { return };
    let called = measure(|| {
        world.run_until_quiet(scenario.end());
    });
    let of_each = |octets: f64| octets / f64::from(pairs);
    let idle = of_each(registered.bytes_current as f64);
    let most = idle + of_each(called.bytes_max as f64);
    println!(
        "octets a pair of crowd:{pairs}: {idle:.0} when registered, {most:.0} at most ({:.2} x the aim of {CROWD_AIM})",
        most / CROWD_AIM
    );
}
