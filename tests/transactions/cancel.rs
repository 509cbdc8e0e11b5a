//! CANCEL (RFC 3261 §9.1) in every state of an INVITE.

use crate::bench::{Bench, Told, answer, host, ours};
use sansip::{CommandError, Failure};

#[test]
fn before_it_was_sent_the_invite_just_ends() {
    let mut bench = Bench::new();
    let delivery = bench.request_to(&ours("INVITE"), host("biloxi.com"));
    bench.cancel(delivery);
    assert_eq!(bench.whats(), [Told::Failed(Failure::Cancelled)]);
    bench.resolve(&["192.0.2.9"]);
    assert_eq!(bench.sent, []);
    bench.assert_over();
}

#[test]
fn without_a_provisional_response_the_cancel_waits_for_one() {
    let mut bench = Bench::new();
    let delivery = bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.cancel(delivery);
    bench.run_to(2_000);
    assert_eq!(bench.times("CANCEL"), []);
    assert_eq!(bench.times("INVITE"), [0, 500, 1_500]);
    bench.receive(&answer(&invite, 100));
    assert_eq!(bench.times("CANCEL"), [2_000]);
    assert_eq!(bench.whats(), [Told::Response(100)]);
}

#[test]
fn without_any_response_a_cancelled_invite_times_out() {
    let mut bench = Bench::new();
    let delivery = bench.request(&ours("INVITE"));
    bench.cancel(delivery);
    bench.run_to(100_000);
    assert_eq!(bench.times("CANCEL"), []);
    assert_eq!(bench.told, [(32_000, Told::Failed(Failure::Timeout))]);
    bench.assert_over();
}

#[test]
fn a_final_response_makes_the_waiting_cancel_needless() {
    let mut bench = Bench::new();
    let delivery = bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.cancel(delivery);
    bench.receive(&answer(&invite, 200));
    bench.run_to(100_000);
    assert_eq!(bench.times("CANCEL"), []);
    assert_eq!(bench.whats(), [Told::Response(200), Told::Finished]);
}

#[test]
fn the_cancel_has_the_values_of_its_invite_and_goes_the_same_way() {
    let mut bench = Bench::new();
    let text = ours("INVITE")
        .replace("Max-Forwards: 70\n", "Max-Forwards: 70\nRoute: <sip:p1.example.com;lr>\nRequire: 100rel\n");
    let delivery = bench.request(&text);
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 180));
    bench.cancel(delivery);
    let cancel = bench.last();
    assert_eq!(cancel.start_line(), "CANCEL sip:bob@biloxi.com SIP/2.0");
    for name in ["Via", "Route", "To", "From", "Call-ID"] {
        assert_eq!(cancel.header(name), invite.header(name), "{name}");
    }
    assert_eq!(cancel.text.matches("Via:").count(), 1);
    assert_eq!(cancel.header("CSeq"), "986759 CANCEL");
    assert!(!cancel.has("Require"));
    assert_eq!(cancel.to, invite.to);
}

#[test]
fn the_cancel_is_a_transaction_of_its_own_of_which_the_user_hears_nothing() {
    let mut bench = Bench::new();
    let delivery = bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 180));
    bench.cancel(delivery);
    bench.run_to(600);
    assert_eq!(bench.times("CANCEL"), [0, 500]);
    let cancel = bench.last().clone();
    bench.receive(&answer(&cancel, 200));
    bench.receive(&answer(&invite, 487));
    bench.run_to(100_000);
    assert_eq!(bench.times("CANCEL"), [0, 500]);
    assert_eq!(bench.times("ACK"), [600]);
    assert_eq!(bench.told, [(0, Told::Response(180)), (600, Told::Response(487)), (32_600, Told::Finished)]);
    bench.assert_over();
}

#[test]
fn the_invite_is_given_up_64_t1_after_the_cancel() {
    let mut bench = Bench::new();
    let delivery = bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 180));
    bench.run_to(10_000);
    bench.cancel(delivery);
    let cancel = bench.last().clone();
    bench.receive(&answer(&cancel, 200));
    bench.run_to(100_000);
    assert_eq!(bench.last_told(), (42_000, Told::Failed(Failure::Timeout)));
    bench.assert_over();
}

#[test]
fn a_2xx_that_crosses_the_cancel_is_told() {
    let mut bench = Bench::new();
    let delivery = bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 180));
    bench.cancel(delivery);
    bench.receive(&answer(&invite, 200));
    assert_eq!(bench.whats(), [Told::Response(180), Told::Response(200)]);
}

#[test]
fn a_second_cancel_changes_nothing() {
    let mut bench = Bench::new();
    let delivery = bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.cancel(delivery);
    bench.cancel(delivery);
    bench.receive(&answer(&invite, 180));
    bench.cancel(delivery);
    assert_eq!(bench.times("CANCEL"), [0]);
}

#[test]
fn what_cannot_be_cancelled_says_so() {
    let mut bench = Bench::new();
    let delivery = bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 486));
    assert_eq!(bench.endpoint.cancel(bench.now, delivery), Err(CommandError::WrongState));
    bench.run_to(100_000);
    assert_eq!(bench.endpoint.cancel(bench.now, delivery), Err(CommandError::Gone));
    let delivery = bench.request(&ours("BYE"));
    assert_eq!(bench.endpoint.cancel(bench.now, delivery), Err(CommandError::WrongState));
    assert_eq!(bench.times("CANCEL"), []);
}
