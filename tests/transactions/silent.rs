//! Places that were silent (RFC 4321 §1.3).

use sansip::Failure;

use crate::bench::{Bench, Told, answer, host, ours};

const FIRST: &str = "192.0.2.3";
const SECOND: &str = "192.0.2.4";

/// A BYE to a host of two addresses; where it goes first.
fn bye(bench: &mut Bench) -> String {
    bench.request_to(&ours("BYE"), host("biloxi.com"));
    bench.resolve(&[FIRST, SECOND]);
    bench.last().to.clone()
}

/// The last request is answered by whoever has got it.
fn answered(bench: &mut Bench, status: u16) {
    let last = bench.last().clone();
    bench.receive_from(&last.to, &answer(&last, status));
}

#[test]
fn a_place_that_was_silent_is_tried_last_until_it_answers() {
    let mut bench = Bench::new();
    assert_eq!(bye(&mut bench), "192.0.2.3:5060");
    bench.run_to(32_000);
    assert_eq!(bench.last().to, "192.0.2.4:5060");
    answered(&mut bench, 200);
    assert_eq!(bye(&mut bench), "192.0.2.4:5060", "the other one was silent");
    answered(&mut bench, 503);
    assert_eq!(bench.last().to, "192.0.2.3:5060", "but is tried");
    answered(&mut bench, 200);
    assert_eq!(bye(&mut bench), "192.0.2.3:5060", "and has answered");
    bench.run_to(100_000);
    bench.assert_over();
}

#[test]
fn a_place_that_was_silent_is_tried_first_again_after_five_minutes() {
    for (at, first) in [(331_999, "192.0.2.4:5060"), (332_000, "192.0.2.3:5060")] {
        let mut bench = Bench::new();
        bye(&mut bench);
        bench.run_to(32_000);
        answered(&mut bench, 200);
        bench.run_to(at);
        assert_eq!(bye(&mut bench), first);
    }
}

#[test]
fn after_silence_two_other_places_are_tried() {
    let mut bench = Bench::new();
    bench.request_to(&ours("INVITE"), host("biloxi.com"));
    bench.resolve(&[FIRST, SECOND, "192.0.2.5", "192.0.2.6", "192.0.2.7"]);
    bench.run_to(400_000);
    let mut tried: Vec<&str> = bench.sent.iter().map(|sent| sent.to.as_str()).collect();
    tried.dedup();
    assert_eq!(tried, ["192.0.2.3:5060", "192.0.2.4:5060", "192.0.2.5:5060"]);
    assert_eq!(bench.last_told(), (96_000, Told::Failed(Failure::Timeout)));
    bench.assert_over();
}
