//! The laws of the poll API (docs/poll.md), over an endpoint.

use crate::bench::{Bench, Told, answer, host, ours, their_via, theirs};
use sansip::{Input, Instant, Tag};

/// A bench with something of everything under way.
fn busy() -> Bench {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    bench.request(&ours("BYE").replace("987asjd97y7atg", "other"));
    bench.request_to(&ours("OPTIONS"), host("biloxi.com"));
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
    bench.accept();
    bench.receive(&theirs("MESSAGE", &their_via("z9hG4bKb")));
    let server = bench.accept();
    bench.respond(server, 200);
    bench.arm(1_234, Tag::NONE);
    bench
}

#[test]
fn ticks_before_the_deadline_change_nothing() {
    let mut bench = busy();
    while let Some(deadline) = bench.endpoint.deadline() {
        let before = bench.clone();
        let early = Instant::from_nanos(deadline.as_nanos() - 1);
        assert!(!bench.endpoint.fire(early));
        assert_eq!(bench.endpoint.handle(early, Input::Tick), None);
        bench.collect();
        assert_eq!((&bench.sent, &bench.told), (&before.sent, &before.told));
        assert_eq!(bench.endpoint.deadline(), Some(deadline));
        bench.run_to(deadline.as_millis());
        assert!(bench.endpoint.deadline().is_none_or(|next| next > deadline));
    }
    // The INVITE that nobody answered is all that is left.
    assert_eq!((bench.endpoint.census().server_transactions, bench.endpoint.census().client_transactions), (1, 0));
}

#[test]
fn outputs_drained_late_are_the_same_in_the_same_order() {
    let mut prompt = busy();
    let mut late = prompt.clone();
    late.draining = false;
    for bench in [&mut prompt, &mut late] {
        bench.run_to(2_000);
        let invite = bench.sent[0].clone();
        bench.receive(&answer(&invite, 486));
        bench.run_to(100_000);
    }
    late.drain();
    let texts = |bench: &Bench| bench.sent.iter().map(|sent| (sent.to.clone(), sent.text.clone())).collect::<Vec<_>>();
    assert_eq!(texts(&prompt), texts(&late));
    assert_eq!(prompt.told, late.told);
}

#[test]
fn a_clone_behaves_like_its_original() {
    let mut original = busy();
    original.run_to(700);
    let mut clone = original.clone();
    for bench in [&mut original, &mut clone] {
        let invite = bench.sent[0].clone();
        bench.receive(&answer(&invite, 180));
        bench.request(&ours("INVITE").replace("987asjd97y7atg", "third"));
        bench.run_to(100_000);
    }
    assert_eq!(original.sent, clone.sent);
    assert_eq!(original.told, clone.told);
    assert_eq!(format!("{:?}", original.endpoint), format!("{:?}", clone.endpoint));
}

#[test]
fn a_late_tick_sends_once_and_counts_on_from_there() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    bench.jump_to(10_000);
    assert_eq!(bench.times("INVITE"), [0, 10_000]);
    // The interval has doubled to 1 s, from the present.
    bench.run_to(11_000);
    assert_eq!(bench.times("INVITE"), [0, 10_000, 11_000]);
    // Timer B is absolute.
    bench.run_to(100_000);
    assert_eq!(bench.last_told().0, 32_000);
}

#[test]
fn a_tick_later_than_everything_gives_up_without_sending() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    bench.jump_to(1_000_000);
    assert_eq!(bench.times("INVITE"), [0]);
    assert_eq!(bench.told, [(1_000_000, Told::Failed(sansip::Failure::Timeout))]);
    bench.assert_over();
}

#[test]
fn time_that_goes_back_stands_still() {
    let mut bench = Bench::new();
    bench.run_to(10_000);
    bench.handle(Input::Tick);
    bench.now = Instant::from_millis(3);
    bench.request(&ours("INVITE"));
    assert_eq!(bench.endpoint.deadline(), Some(Instant::from_millis(10_500)));
}

#[test]
fn timers_of_the_user_fire_once_unless_moved_or_disarmed() {
    let mut bench = Bench::new();
    let mark = |kind| Tag::new(kind, sansip::CallId::from_parts(0, 0));
    let moved = bench.arm(100, mark(1));
    let disarmed = bench.arm(200, mark(2));
    bench.arm(300, mark(3));
    assert!(bench.endpoint.is_idle());
    assert!(bench.endpoint.rearm(moved, Instant::from_millis(400)));
    bench.endpoint.disarm(disarmed);
    bench.run_to(1_000);
    assert_eq!(bench.told, [(300, Told::Timer(mark(3))), (400, Told::Timer(mark(1)))]);
    assert!(!bench.endpoint.rearm(moved, Instant::from_millis(2_000)));
    bench.assert_over();
}

#[test]
fn the_deadline_is_exact_when_a_transaction_moves_on() {
    let mut bench = Bench::new();
    bench.receive(&theirs("BYE", &their_via("z9hG4bKa")));
    let server = bench.accept();
    assert_eq!(bench.endpoint.deadline(), Some(Instant::from_millis(3_500)));
    bench.respond(server, 200);
    assert_eq!(bench.endpoint.deadline(), Some(Instant::from_millis(32_000)));
    bench.request(&ours("INVITE"));
    assert_eq!(bench.endpoint.deadline(), Some(Instant::from_millis(500)));
    let invite = bench.last().clone();
    bench.receive(&answer(&invite, 180));
    assert_eq!(bench.endpoint.deadline(), Some(Instant::from_millis(32_000)));
}
