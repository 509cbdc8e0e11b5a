//! Allocations and octets allocated, of sansip and its peers on the same messages:
//! `cargo bench --manifest-path core/benches/peers/Cargo.toml --bench allocations`. A counting allocator costs time, so nothing is
//! timed here.

use allocation_counter::measure;
use sansip_peers::{Ezk, Peer, Rsip, Rsipstack, Sample, Sansip, SansipHop, SansipView, Sipx, samples};
use std::hint::black_box;

fn main() {
    for sample in samples() {
        println!("\n{}: {} octets", sample.name, sample.bytes.len());
        println!("  {:<18}{:>18}{:>22}{:>18}{:>18}", "", "(a) parse", "(b) parse, read six", "(c) forward", "(d) 200");
        peer::<SansipView>(&sample);
        peer::<Sansip>(&sample);
        peer::<SansipHop>(&sample);
        peer::<Rsipstack>(&sample);
        peer::<Sipx>(&sample);
        peer::<Ezk>(&sample);
        peer::<Rsip>(&sample);
    }
}

fn peer<P: Peer>(sample: &Sample) {
    let bytes = sample.bytes.as_slice();
    let parse = counted(|| P::parse(bytes));
    let six = counted(|| P::six(&P::parse(bytes)?));
    let mut read = P::parse(bytes);
    let forward = read.as_mut().and_then(|message| counted(|| P::forward(message)));
    let ok = P::parse(bytes).and_then(|message| counted(|| P::ok(&message)));
    println!("  {:<18}{:>18}{:>22}{:>18}{:>18}", P::NAME, told(parse), told(six), told(forward), told(ok));
}

/// How often something allocates, and how much, if it can be done.
fn counted<R>(work: impl FnOnce() -> Option<R>) -> Option<(u64, u64)> {
    let mut done = false;
    let counted = measure(|| done = black_box(work()).is_some());
    done.then_some((counted.count_total, counted.bytes_total))
}

fn told(counted: Option<(u64, u64)>) -> String {
    counted.map_or_else(|| "-".to_owned(), |(allocations, octets)| format!("{allocations}, {octets} B"))
}
