//! T1, T2, T4 and timer C are values of each endpoint, whatever they are (RFC 3261 §17, table 4).

use crate::bench::{Bench, Told, answer, ours, their_via, theirs};
use crate::node;
use sansip::{Config, Duration, Failure, Input, Instant, Node, Seed, Timers};

fn config(t1: Duration, t2: Duration, t4: Duration, c: Duration) -> Config {
    let mut config = Config::new(Seed::from_u64(1));
    config.rport = false;
    config.timers = Timers { t1, t2, t4, c };
    config
}

/// T1, T2 and T4 in milliseconds.
fn bench(t1: u64, t2: u64, t4: u64) -> Bench {
    let [t1, t2, t4] = [t1, t2, t4].map(Duration::from_millis);
    Bench::with(config(t1, t2, t4, Duration::from_secs(181)))
}

/// Two endpoints in one program, each with its own.
#[test]
fn two_endpoints_side_by_side_keep_their_own_times() {
    let mut quick = bench(100, 400, 1_000);
    let mut slow = bench(1_000, 8_000, 10_000);
    for bench in [&mut quick, &mut slow] {
        bench.request(&ours("INVITE"));
    }
    for bench in [&mut quick, &mut slow] {
        bench.run_to(200_000);
    }
    assert_eq!(quick.times("INVITE"), [0, 100, 300, 700, 1_500, 3_100, 6_300]);
    assert_eq!(quick.told, [(6_400, Told::Failed(Failure::Timeout))]);
    assert_eq!(slow.times("INVITE"), [0, 1_000, 3_000, 7_000, 15_000, 31_000, 63_000]);
    assert_eq!(slow.told, [(64_000, Told::Failed(Failure::Timeout))]);
}

#[test]
fn t1_t2_and_t4_are_those_of_every_timer() {
    let every_400: Vec<u64> = (700..6_400).step_by(400).collect();
    let resends: Vec<u64> = [0, 100, 300].into_iter().chain(every_400).collect();

    // E up to T2, F at 64·T1.
    let mut bench = bench(100, 400, 1_000);
    bench.request(&ours("BYE"));
    bench.run_to(10_000);
    assert_eq!(bench.times("BYE"), resends);
    assert_eq!(bench.last_told(), (6_400, Told::Failed(Failure::Timeout)));

    // K is T4; D is at least 32 s whatever T1 is.
    for (method, status, end) in [("OPTIONS", 200, 1_000), ("INVITE", 486, 32_000), ("INVITE", 200, 6_400)] {
        let mut bench = self::bench(100, 400, 1_000);
        bench.request(&ours(method));
        let request = bench.last().clone();
        bench.receive(&answer(&request, status));
        bench.run_to(100_000);
        assert_eq!(bench.last_told(), (end, Told::Finished), "{method}, {status}");
    }

    // G up to T2, H at 64·T1; with an ACK, I is T4.
    let mut bench = self::bench(100, 400, 1_000);
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
    let server = bench.accept();
    bench.respond(server, 486);
    let mut acknowledged = bench.clone();
    bench.run_to(10_000);
    assert_eq!(bench.times("SIP/2.0 486"), resends);
    assert_eq!(bench.last_told(), (6_400, Told::Completed { acknowledged: false }));
    acknowledged.receive(&theirs("ACK", &their_via("z9hG4bKa")));
    acknowledged.run_to(10_000);
    assert_eq!(acknowledged.last_told(), (1_000, Told::Completed { acknowledged: true }));

    // The 100 when timer E would reach T2: 0.1 + 0.2 s. J and L are 64·T1.
    for (method, trying) in [("OPTIONS", 300), ("INVITE", 200)] {
        let mut bench = self::bench(100, 400, 1_000);
        bench.receive(&theirs(method, &their_via("z9hG4bKa")));
        let server = bench.accept();
        bench.run_to(1_000);
        assert_eq!(bench.times("SIP/2.0 100"), [trying]);
        bench.respond(server, 200);
        bench.run_to(10_000);
        assert_eq!(bench.last_told(), (7_400, Told::Completed { acknowledged: true }), "{method}");
    }

    // 64·T1 after the CANCEL.
    let mut bench = self::bench(100, 400, 1_000);
    let delivery = bench.request(&ours("INVITE"));
    let invite = bench.last().clone();
    bench.receive(&answer(&invite, 180));
    bench.run_to(1_000);
    bench.cancel(delivery);
    bench.run_to(10_000);
    assert_eq!(bench.last_told(), (7_400, Told::Failed(Failure::Timeout)));
}

/// Timer E is MIN(2·T1, T2) from the second time on (§17.1.2.2).
#[test]
fn a_t2_below_t1_counts_from_the_second_time_on() {
    let mut bench = bench(500, 200, 5_000);
    bench.request(&ours("BYE"));
    bench.run_to(1_400);
    assert_eq!(bench.times("BYE"), [0, 500, 700, 900, 1_100, 1_300]);
}

/// A timer that is due again at once would be due for ever: below a millisecond counts as a millisecond.
#[test]
fn with_zeroes_everything_ends_soon_and_nothing_spins() {
    let mut bench = bench(0, 0, 0);
    bench.request(&ours("INVITE"));
    bench.run_to(64);
    assert_eq!(bench.times("INVITE"), [0, 1, 3, 7, 15, 31, 63]);
    assert_eq!(bench.last_told(), (64, Told::Failed(Failure::Timeout)));
    bench.request(&ours("OPTIONS"));
    let options = bench.last().clone();
    bench.receive(&answer(&options, 200));
    bench.run_to(64);
    // Timer K is T4.
    assert_eq!(bench.last_told(), (64, Told::Finished));
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
    let server = bench.accept();
    bench.respond(server, 486);
    bench.run_to(200);
    assert_eq!(bench.times("SIP/2.0 486").len(), 64);
    assert_eq!(bench.last_told(), (128, Told::Completed { acknowledged: false }));
    bench.assert_over();
}

#[test]
fn with_the_longest_times_nothing_fires_and_answers_still_count() {
    let mut bench = Bench::with(config(Duration::MAX, Duration::MAX, Duration::MAX, Duration::MAX));
    bench.request(&ours("INVITE"));
    assert_eq!(bench.endpoint.deadline(), None);
    bench.jump_to(u64::MAX / 2_000_000);
    assert_eq!((bench.times("INVITE").len(), bench.told.len()), (1, 0));
    let invite = bench.last().clone();
    bench.receive(&answer(&invite, 486));
    assert_eq!((bench.times("ACK").len(), bench.whats()), (1, vec![Told::Response(486)]));
    bench.receive(&theirs("OPTIONS", &their_via("z9hG4bKa")));
    let server = bench.accept();
    bench.respond(server, 200);
    assert_eq!(bench.times("SIP/2.0 200").len(), 1);
}

/// §16.6 step 11, §16.8: a proxy gives a ringing INVITE up after timer C.
#[test]
fn timer_c_is_that_of_the_proxy() {
    for (c, cancelled) in [(0, 100), (1_000, 1_100), (400_000, 400_100)] {
        let [t1, t2, t4] = [500, 4_000, 5_000].map(Duration::from_millis);
        let mut bench = node::server(config(t1, t2, t4, Duration::from_millis(c)));
        let text = theirs("INVITE", &their_via("z9hG4bKa")).replace("sip:alice@192.0.2.1 ", "sip:bob@192.0.2.77 ");
        bench.run_to(100);
        bench.receive(&text);
        let forwarded = bench.sent.iter().find(|sent| sent.text.starts_with("INVITE"));
        let invite = forwarded.unwrap_or_else(|| panic!("an INVITE among {:?}", bench.sent)).clone();
        assert_eq!(invite.to, "192.0.2.77:5060");
        if c > 0 {
            bench.receive_from("192.0.2.77:5060", &with_both_vias(&answer(&invite, 180), &invite.text));
        }
        bench.run_to(cancelled - 1);
        assert_eq!(bench.times("CANCEL"), [], "{c}");
        bench.run_to(cancelled);
        if c == 0 {
            // Without a provisional response the CANCEL waits for one (§9.1).
            bench.receive_from("192.0.2.77:5060", &with_both_vias(&answer(&invite, 180), &invite.text));
        }
        assert_eq!(bench.times("CANCEL"), [cancelled], "{c}");
    }
}

/// An answer as the next hop gives it: with the Vias of the request.
fn with_both_vias(answer: &str, request: &str) -> String {
    let vias: Vec<&str> = request.lines().filter(|line| line.starts_with("Via:")).collect();
    let (start, rest) = answer.split_once('\n').expect("a start line");
    let (_, rest) = rest.split_once('\n').expect("a Via");
    format!("{start}\n{}\n{rest}", vias.join("\n"))
}

/// The core of a user agent repeats a 2xx by T1 and T2, and a proxy waits 20·T1 for an answer: neither spins nor overflows.
#[test]
fn whole_nodes_live_with_any_values() {
    for nanos in [Duration::ZERO, Duration::from_nanos(1), Duration::from_millis(500), Duration::MAX] {
        for other in [Duration::ZERO, Duration::from_millis(500), Duration::MAX] {
            let mut agent = node::user_agent(config(nanos, other, other, other));
            agent.receive(
                &theirs("INVITE", &their_via("z9hG4bKa")).replace("Call-ID", "Contact: <sip:b@192.0.2.9>\nCall-ID"),
            );
            let call = agent.node.calls().next().expect("a call").call;
            agent.node.answer(agent.now, call, None).expect("can be answered");
            agent.drain();
            agent.run_to(40_000);
            assert!(!agent.times("SIP/2.0 200").is_empty());
            let mut server = node::server(config(nanos, other, other, other));
            server.receive(
                &theirs("INVITE", &their_via("z9hG4bKa")).replace("sip:alice@192.0.2.1 ", "sip:bob@192.0.2.77 "),
            );
            server.run_to(40_000);
            server.node.handle(Instant::from_nanos(u64::MAX), Input::Tick);
        }
    }
}
