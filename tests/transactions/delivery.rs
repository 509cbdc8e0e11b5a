//! Deliveries: names, fail-over, ACKs for 2xx, stateless forwarding (RFC 3261 §8.1.2, §16.11; RFC 3263 §4).

use crate::bench::{Bench, Told, address, answer, host, ours, parameter, request, their_via, theirs};
use sansip::{CommandError, Failure, NextHop, Tag};

#[test]
fn a_name_is_asked_for_and_the_request_goes_to_the_first_address() {
    let mut bench = Bench::new();
    bench.request_to(&ours("INVITE"), host("Biloxi.COM"));
    assert_eq!(bench.questions[0].1, "biloxi.com");
    assert_eq!(bench.sent, []);
    bench.run_to(700);
    bench.resolve(&["192.0.2.3", "192.0.2.4"]);
    assert_eq!((bench.last().at, bench.last().to.as_str()), (700, "192.0.2.3:5060"));
    // Timers A and B start with the attempt.
    bench.run_to(1_200);
    assert_eq!(bench.times("INVITE"), [700, 1_200]);
}

#[test]
fn a_numeric_next_hop_asks_nobody() {
    let mut bench = Bench::new();
    let next_hop = NextHop { port: Some(5070), ..host("192.0.2.44") };
    bench.request_to(&ours("INVITE"), next_hop);
    assert!(bench.questions.is_empty());
    assert_eq!(bench.last().to, "192.0.2.44:5070");
}

#[test]
fn an_unanswered_question_fails_after_64_t1_and_a_late_answer_is_nothing() {
    let mut bench = Bench::new();
    bench.request_to(&ours("INVITE"), host("biloxi.com"));
    bench.run_to(40_000);
    assert_eq!(bench.told, [(32_000, Told::Failed(Failure::Unresolved))]);
    bench.resolve(&["192.0.2.3"]);
    assert_eq!(bench.sent, []);
    bench.assert_over();
}

#[test]
fn a_name_without_an_address_fails_at_once() {
    let mut bench = Bench::new();
    bench.request_to(&ours("INVITE"), host("biloxi.com"));
    bench.resolve(&[]);
    assert_eq!(bench.told, [(0, Told::Failed(Failure::Unresolved))]);
    bench.assert_over();
}

#[test]
fn an_address_that_no_listener_reaches_is_passed_over() {
    let mut bench = Bench::new();
    bench.request_to(&ours("INVITE"), host("biloxi.com"));
    bench.resolve(&["2001:db8::9", "192.0.2.3"]);
    assert_eq!(bench.last().to, "192.0.2.3:5060");
    bench.request_to(&ours("BYE"), host("biloxi.com"));
    bench.resolve(&["2001:db8::9"]);
    assert_eq!(bench.whats(), [Told::Failed(Failure::Transport)]);
}

#[test]
fn a_time_out_tries_the_next_address_under_a_new_branch() {
    let mut bench = Bench::new();
    bench.request_to(&ours("BYE"), host("biloxi.com"));
    bench.resolve(&["192.0.2.3", "192.0.2.4"]);
    bench.run_to(32_000);
    let (first, second) = (&bench.sent[0], bench.last());
    assert_eq!((second.at, second.to.as_str()), (32_000, "192.0.2.4:5060"));
    assert_ne!(first.branch(), second.branch());
    assert_eq!(bench.told, []);
    bench.run_to(100_000);
    assert_eq!(bench.told, [(64_000, Told::Failed(Failure::Timeout))]);
    assert_eq!(bench.endpoint.stats().failovers, 1);
    bench.assert_over();
}

#[test]
fn a_time_out_after_a_provisional_response_tries_nobody_else() {
    let mut bench = Bench::new();
    bench.request_to(&ours("OPTIONS"), host("biloxi.com"));
    bench.resolve(&["192.0.2.3", "192.0.2.4"]);
    let options = bench.sent[0].clone();
    bench.receive_from("192.0.2.3:5060", &answer(&options, 100));
    bench.run_to(100_000);
    assert_eq!(bench.last_told(), (32_000, Told::Failed(Failure::Timeout)));
    assert!(bench.sent.iter().all(|sent| sent.to == "192.0.2.3:5060"));
}

#[test]
fn a_503_is_acknowledged_and_the_next_address_tried() {
    let mut bench = Bench::new();
    bench.request_to(&ours("INVITE"), host("biloxi.com"));
    bench.resolve(&["192.0.2.3", "192.0.2.4"]);
    let first = bench.sent[0].clone();
    bench.receive_from("192.0.2.3:5060", &answer(&first, 503));
    assert_eq!(bench.told, []);
    let [_, ack, second] = &bench.sent[..] else { panic!("INVITE, ACK, INVITE: {:?}", bench.sent) };
    assert_eq!((ack.start_line(), ack.to.as_str()), ("ACK sip:bob@biloxi.com SIP/2.0", "192.0.2.3:5060"));
    assert_eq!((second.start_line(), second.to.as_str()), (first.start_line(), "192.0.2.4:5060"));
    assert_ne!(first.branch(), second.branch());
    let second = second.clone();
    // The 503 comes again: its ACK too, and nobody hears of it.
    bench.receive_from("192.0.2.3:5060", &answer(&first, 503));
    assert_eq!(bench.times("ACK").len(), 2);
    // The last address has the last word.
    bench.receive_from("192.0.2.4:5060", &answer(&second, 503));
    bench.run_to(100_000);
    assert_eq!(bench.whats(), [Told::Response(503), Told::Finished]);
    bench.assert_over();
}

#[test]
fn an_unreachable_address_makes_way_for_the_next() {
    let mut bench = Bench::new();
    bench.request_to(&ours("INVITE"), host("biloxi.com"));
    bench.resolve(&["192.0.2.3", "192.0.2.4"]);
    bench.unreachable("192.0.2.3:5060");
    assert_eq!(bench.last().to, "192.0.2.4:5060");
    assert_eq!(bench.told, []);
}

#[test]
fn nobody_else_is_tried_for_a_cancelled_invite() {
    let mut bench = Bench::new();
    let delivery = bench.request_to(&ours("INVITE"), host("biloxi.com"));
    bench.resolve(&["192.0.2.3", "192.0.2.4"]);
    bench.cancel(delivery);
    bench.run_to(100_000);
    assert_eq!(bench.whats(), [Told::Failed(Failure::Timeout)]);
    assert!(bench.sent.iter().all(|sent| sent.to == "192.0.2.3:5060"));
}

#[test]
fn no_more_addresses_are_tried_than_the_limit() {
    let mut config = sansip::Config::new(sansip::Seed::from_u64(1));
    config.limits.transport.destinations = 2;
    let mut bench = Bench::with(config);
    bench.request_to(&ours("BYE"), host("biloxi.com"));
    bench.resolve(&["192.0.2.3", "192.0.2.3", "192.0.2.4", "192.0.2.5"]);
    for _ in 0..3 {
        let to = bench.last().to.clone();
        bench.unreachable(&to);
    }
    let tried: Vec<&str> = bench.sent.iter().map(|sent| sent.to.as_str()).collect();
    assert_eq!(tried, ["192.0.2.3:5060", "192.0.2.4:5060"]);
    assert_eq!(bench.whats(), [Told::Failed(Failure::Transport)]);
}

#[test]
fn deliveries_have_a_limit() {
    let mut config = sansip::Config::new(sansip::Seed::from_u64(1));
    config.limits.deliveries = 1;
    let mut bench = Bench::with(config);
    bench.request(&ours("INVITE"));
    let next_hop = NextHop::from(address("192.0.2.9:5060"));
    let second = bench.endpoint.request(bench.now, request(&ours("BYE")), next_hop, Tag::NONE, "");
    assert_eq!(second, Err(CommandError::Limit("deliveries")));
}

#[test]
fn the_suffix_stands_at_the_end_of_each_branch() {
    let mut bench = Bench::new();
    let next_hop = NextHop::from(address("192.0.2.9:5060"));
    bench.endpoint.request(bench.now, request(&ours("INVITE")), next_hop, Tag::NONE, "loop").unwrap();
    bench.collect();
    assert!(bench.last().branch().ends_with(".loop"));
}

#[test]
fn the_ack_for_a_2xx_is_repeated_byte_for_byte_until_it_is_released() {
    let mut bench = Bench::new();
    let next_hop = NextHop::from(address("192.0.2.9:5060"));
    let ack = bench.endpoint.acknowledge(bench.now, request(&ours("ACK")), next_hop, Tag::NONE).unwrap();
    bench.run_to(500);
    bench.endpoint.repeat(bench.now, ack).unwrap();
    bench.run_to(40_000);
    assert_eq!(bench.sent.len(), 2);
    assert_eq!(bench.sent[0].text, bench.sent[1].text);
    assert!(bench.sent[0].branch().starts_with("z9hG4bK"));
    assert!(!bench.endpoint.is_idle());
    bench.endpoint.release(ack);
    assert_eq!(bench.endpoint.repeat(bench.now, ack), Err(CommandError::Gone));
    bench.assert_over();
}

#[test]
fn an_ack_that_waits_for_its_address_goes_out_once_it_is_known() {
    let mut bench = Bench::new();
    let ack = bench.endpoint.acknowledge(bench.now, request(&ours("ACK")), host("biloxi.com"), Tag::NONE).unwrap();
    bench.collect();
    bench.endpoint.repeat(bench.now, ack).unwrap();
    bench.resolve(&["192.0.2.3"]);
    assert_eq!(bench.times("ACK"), [0]);
    bench.endpoint.repeat(bench.now, ack).unwrap();
    bench.collect();
    assert_eq!(bench.times("ACK"), [0, 0]);
}

#[test]
fn only_an_ack_is_acknowledged_repeated_and_released() {
    let mut bench = Bench::new();
    let next_hop = || NextHop::from(address("192.0.2.9:5060"));
    let wrong = bench.endpoint.acknowledge(bench.now, request(&ours("BYE")), next_hop(), Tag::NONE);
    assert_eq!(wrong, Err(CommandError::Invalid("method")));
    let wrong = bench.endpoint.request(bench.now, request(&ours("ACK")), next_hop(), Tag::NONE, "");
    assert_eq!(wrong, Err(CommandError::Invalid("method")));
    let bye = bench.request(&ours("BYE"));
    assert_eq!(bench.endpoint.repeat(bench.now, bye), Err(CommandError::WrongState));
    bench.endpoint.release(bye);
    assert_eq!(bench.endpoint.census().deliveries, 1);
}

/// §16.11: the branch is a function of what arrives.
#[test]
fn stateless_forwarding_gives_the_branch_of_the_invite_to_its_ack_its_cancel_and_its_copies() {
    let vias = [
        "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK776asdhds",
        "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK776asdhdt",
        // RFC 2543: no branch.
        "SIP/2.0/UDP 192.0.2.9",
    ];
    let mut branches = Vec::new();
    for via in vias {
        let mut bench = Bench::new();
        for method in ["INVITE", "INVITE", "ACK", "CANCEL"] {
            let next_hop = NextHop::from(address("192.0.2.4:5060"));
            bench.endpoint.relay(bench.now, request(&theirs(method, via)), next_hop, "").unwrap();
            bench.collect();
        }
        assert_eq!(bench.sent.len(), 4);
        assert!(bench.sent.iter().all(|sent| sent.branch() == bench.sent[0].branch()));
        assert!(bench.sent[0].text.matches("Via:").count() == 2);
        bench.assert_over();
        branches.push(bench.sent[0].branch().to_string());
    }
    branches.dedup();
    assert_eq!(branches.len(), 3);
    assert!(branches.iter().all(|branch| branch.starts_with("z9hG4bK")));
}

#[test]
fn what_is_forwarded_statelessly_to_a_name_goes_out_when_it_is_resolved() {
    let mut bench = Bench::new();
    let ack = request(&theirs("ACK", &their_via("z9hG4bKa")));
    bench.endpoint.relay(bench.now, ack, host("biloxi.com"), "x").unwrap();
    bench.collect();
    bench.resolve(&["192.0.2.3"]);
    assert_eq!(bench.last().to, "192.0.2.3:5060");
    assert!(parameter(bench.last().header("Via"), "branch").unwrap().ends_with(".x"));
    bench.endpoint.relay(bench.now, request(&theirs("ACK", &their_via("z9hG4bKa"))), host("a.b"), "").unwrap();
    bench.collect();
    bench.run_to(100_000);
    assert_eq!(bench.told, []);
    bench.assert_over();
}

#[test]
fn the_end_of_a_replaced_attempt_is_not_the_end_of_the_request() {
    let mut bench = Bench::new();
    bench.request_to(&ours("INVITE"), host("biloxi.com"));
    bench.resolve(&["192.0.2.3", "192.0.2.4"]);
    let first = bench.sent[0].clone();
    bench.receive_from("192.0.2.3:5060", &answer(&first, 503));
    let second = bench.last().clone();
    bench.receive_from("192.0.2.4:5060", &answer(&second, 180));
    // Timer D of the first attempt fires meanwhile.
    bench.run_to(60_000);
    assert_eq!(bench.endpoint.census().client_transactions, 1);
    bench.receive_from("192.0.2.4:5060", &answer(&second, 200));
    assert_eq!(bench.whats(), [Told::Response(180), Told::Response(200)]);
}
