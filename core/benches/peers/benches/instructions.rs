//! Instructions that sansip needs, counted under valgrind: a figure that is the same on every run and however busy the machine is.
//!
//! `cargo install gungraun-runner`, then
//! `cargo bench --manifest-path core/benches/peers/Cargo.toml --features instructions --bench instructions`.

use gungraun::{library_benchmark, library_benchmark_group, main};
use sansip::message::{Message, MessageView, SharedBytes};
use sansip_peers::{Peer, Sample, Sansip, SansipView, Six, invite, long_invite, ok, register};
use std::hint::black_box;

/// The octets of a sample, for as long as the program runs.
fn octets(sample: Sample) -> &'static [u8] {
    sample.bytes.leak()
}

/// The header block of a sample.
fn block(sample: Sample) -> &'static [u8] {
    sample.header_block().to_vec().leak()
}

/// A sample that was read before.
fn message(sample: Sample) -> &'static mut Message {
    Box::leak(Box::new(Sansip::parse(&sample.bytes).expect("the samples can be parsed")))
}

#[library_benchmark]
#[bench::invite(args = (invite()), setup = block)]
#[bench::ok(args = (ok()), setup = block)]
#[bench::register(args = (register()), setup = block)]
#[bench::long_invite(args = (long_invite()), setup = block)]
fn httparse(block: &'static [u8]) -> bool {
    let mut headers = [::httparse::EMPTY_HEADER; 32];
    ::httparse::parse_headers(black_box(block), &mut headers).is_ok()
}

#[library_benchmark]
#[bench::invite(args = (invite()), setup = octets)]
#[bench::ok(args = (ok()), setup = octets)]
#[bench::register(args = (register()), setup = octets)]
#[bench::long_invite(args = (long_invite()), setup = octets)]
fn parse_borrowed(bytes: &'static [u8]) -> Option<MessageView<'static>> {
    SansipView::parse(black_box(bytes))
}

#[library_benchmark]
#[bench::invite(args = (invite()), setup = octets)]
#[bench::ok(args = (ok()), setup = octets)]
#[bench::register(args = (register()), setup = octets)]
#[bench::long_invite(args = (long_invite()), setup = octets)]
fn parse_owned(bytes: &'static [u8]) -> Option<Message> {
    Sansip::parse(black_box(bytes))
}

#[library_benchmark]
#[bench::invite(args = (invite()), setup = octets)]
#[bench::ok(args = (ok()), setup = octets)]
#[bench::register(args = (register()), setup = octets)]
#[bench::long_invite(args = (long_invite()), setup = octets)]
fn parse_and_read_six(bytes: &'static [u8]) -> Option<Six> {
    SansipView::six(&SansipView::parse(black_box(bytes))?)
}

#[library_benchmark]
#[bench::invite(args = (invite()), setup = message)]
#[bench::register(args = (register()), setup = message)]
#[bench::long_invite(args = (long_invite()), setup = message)]
fn forward(message: &'static mut Message) -> Option<SharedBytes> {
    Sansip::forward(black_box(message))
}

#[library_benchmark]
#[bench::invite(args = (invite()), setup = message)]
#[bench::register(args = (register()), setup = message)]
#[bench::long_invite(args = (long_invite()), setup = message)]
fn answer_200(message: &'static mut Message) -> Option<SharedBytes> {
    Sansip::ok(black_box(message))
}

library_benchmark_group!(
    name = messages;
    benchmarks = httparse, parse_borrowed, parse_owned, parse_and_read_six, forward, answer_200
);
main!(library_benchmark_groups = messages);
