//! Client transactions (RFC 3261 §17.1 with RFC 6026).

use crate::bench::{Bench, THERE, Told, address, answer, ours, parameter, their_via, theirs};
use sansip::{Failure, Input};

#[test]
fn an_unanswered_invite_is_sent_seven_times_and_fails_after_64_t1() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    bench.run_to(100_000);
    assert_eq!(bench.times("INVITE"), [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert!(bench.sent.iter().all(|sent| sent.text == bench.sent[0].text && sent.to == "192.0.2.9:5060"));
    assert_eq!(bench.told, [(32_000, Told::Failed(Failure::Timeout))]);
    bench.assert_over();
}

#[test]
fn an_unanswered_bye_is_sent_eleven_times_and_fails_after_64_t1() {
    let mut bench = Bench::new();
    bench.request(&ours("BYE"));
    bench.run_to(100_000);
    let expected = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert_eq!(bench.times("BYE"), expected);
    assert_eq!(bench.told, [(32_000, Told::Failed(Failure::Timeout))]);
    bench.assert_over();
}

#[test]
fn a_via_of_ours_is_pushed_with_sent_by_and_branch() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    let via = bench.last().header("Via");
    assert!(via.starts_with("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"), "{via}");
    assert_eq!(bench.sent[0].text.matches("Via:").count(), 1);
}

#[test]
fn an_rport_is_asked_for_by_default() {
    let config = sansip::Config::new(sansip::Seed::from_u64(1));
    let mut bench = Bench::with(config);
    bench.request(&ours("OPTIONS"));
    assert_eq!(parameter(bench.last().header("Via"), "rport"), Some(""));
}

#[test]
fn a_provisional_response_stops_the_invite_and_timer_b() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    bench.run_to(600);
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 100));
    bench.receive(&answer(&invite, 180));
    bench.receive(&answer(&invite, 180));
    bench.run_to(600_000);
    assert_eq!(bench.times("INVITE"), [0, 500]);
    assert_eq!(bench.whats(), [Told::Response(100), Told::Response(180), Told::Response(180)]);
}

#[test]
fn a_non_2xx_is_told_once_and_acknowledged_each_time_it_comes() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.run_to(100);
    for millis in [100, 600, 1_600] {
        bench.run_to(millis);
        bench.receive(&answer(&invite, 486));
    }
    bench.run_to(100_000);
    assert_eq!(bench.times("ACK"), [100, 600, 1_600]);
    assert_eq!(bench.sent[1].text, bench.sent[2].text);
    // Timer D: at least 32 s after the final response.
    assert_eq!(bench.told, [(100, Told::Response(486)), (32_100, Told::Finished)]);
    bench.assert_over();
}

#[test]
fn a_later_2xx_does_not_change_a_completed_invite() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 486));
    bench.receive(&answer(&invite, 200));
    assert_eq!(bench.whats(), [Told::Response(486)]);
    assert_eq!(bench.times("ACK").len(), 1);
}

/// The example of §17.1.1.3.
#[test]
fn the_ack_for_a_non_2xx_has_the_values_of_its_invite_and_the_to_of_the_response() {
    let mut bench = Bench::new();
    let invite = ours("INVITE").replace(
        "Max-Forwards: 70\n",
        "Max-Forwards: 70\nRoute: <sip:p1.example.com;lr>\nRoute: <sip:p2.example.com;lr>\nRequire: 100rel\n",
    );
    bench.request(&invite);
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 486));
    let ack = bench.last();
    assert_eq!(ack.start_line(), "ACK sip:bob@biloxi.com SIP/2.0");
    assert_eq!(ack.header("Via"), invite.header("Via"));
    assert_eq!(ack.text.matches("Via:").count(), 1);
    assert_eq!(ack.header("To"), "Bob <sip:bob@biloxi.com>;tag=99sa0xk");
    assert_eq!(ack.header("From"), "Alice <sip:alice@atlanta.com>;tag=88sja8x");
    assert_eq!(ack.header("Call-ID"), "987asjd97y7atg");
    assert_eq!(ack.header("CSeq"), "986759 ACK");
    assert_eq!(ack.header("Max-Forwards"), "70");
    let routes: Vec<&str> = ack.text.lines().filter(|line| line.starts_with("Route:")).collect();
    assert_eq!(routes, ["Route: <sip:p1.example.com;lr>", "Route: <sip:p2.example.com;lr>"]);
    assert!(!ack.has("Require"));
    assert_eq!(ack.to, invite.to);
}

#[test]
fn every_2xx_to_invite_is_told_and_none_acknowledged_until_timer_m() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 200));
    bench.run_to(500);
    bench.receive(&answer(&invite, 200));
    bench.receive(&answer(&invite, 200).replace("99sa0xk", "another"));
    bench.receive(&answer(&invite, 486));
    bench.run_to(100_000);
    let ok = Told::Response(200);
    assert_eq!(bench.told, [(0, ok.clone()), (500, ok.clone()), (500, ok), (32_000, Told::Finished)]);
    assert_eq!(bench.sent.len(), 1);
    bench.assert_over();
}

#[test]
fn a_final_response_to_another_request_is_told_once_and_over_after_t4() {
    let mut bench = Bench::new();
    bench.request(&ours("BYE"));
    let bye = bench.sent[0].clone();
    bench.run_to(10);
    bench.receive(&answer(&bye, 200));
    bench.receive(&answer(&bye, 200));
    bench.run_to(100_000);
    assert_eq!(bench.told, [(10, Told::Response(200)), (5_010, Told::Finished)]);
    assert_eq!(bench.sent.len(), 1);
    bench.assert_over();
}

#[test]
fn after_a_provisional_response_a_request_is_resent_every_t2_and_still_given_up() {
    let mut bench = Bench::new();
    bench.request(&ours("OPTIONS"));
    let options = bench.sent[0].clone();
    bench.receive(&answer(&options, 100));
    bench.run_to(100_000);
    assert_eq!(bench.times("OPTIONS"), [0, 500, 4_500, 8_500, 12_500, 16_500, 20_500, 24_500, 28_500]);
    assert_eq!(bench.last_told(), (32_000, Told::Failed(Failure::Timeout)));
    bench.assert_over();
}

#[test]
fn an_unreachable_peer_fails_the_request_at_once() {
    for method in ["INVITE", "BYE"] {
        let mut bench = Bench::new();
        bench.request(&ours(method));
        bench.run_to(20);
        bench.unreachable("192.0.2.77:5060");
        assert_eq!(bench.told, []);
        bench.unreachable("192.0.2.9:5060");
        assert_eq!(bench.told, [(20, Told::Failed(Failure::Transport))]);
        bench.assert_over();
    }
}

/// RFC 3261 §16.9, §18.4: a response that did not arrive ends no client transaction, and a request no server transaction's way back.
#[test]
fn what_is_quoted_says_which_side_hears_of_it() {
    // The quotation, and the indications if a request, a response, or both went there.
    let unsent: &[Told] = &[Told::Failed(Failure::Transport)];
    for (quoted, [request, response, both]) in [
        (&b"OPTIONS sip:bob@biloxi.com SIP/2.0\r\nVia"[..], [unsent, &[], unsent]),
        (b"SIP/2.0 180 Ringing\r\n", [&[], &[Told::Unsent], &[Told::Unsent]]),
        (b"SIP/2.0 ", [&[], &[Told::Unsent], &[Told::Unsent]]),
        (b"SIP/2.0", [unsent, &[Told::Unsent], &[]]),
        (b"", [unsent, &[Told::Unsent], &[]]),
        (b"S", [unsent, &[Told::Unsent], &[]]),
        (b"SUBSCRIB", [unsent, &[], unsent]),
    ] {
        for (requests, responses, expected) in [(true, false, request), (false, true, response), (true, true, both)] {
            let mut bench = Bench::new();
            if requests {
                bench.request(&ours("OPTIONS"));
            }
            if responses {
                bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
                let server = bench.accept();
                bench.respond(server, 180);
            }
            bench.told.clear();
            bench.handle(Input::Unreachable { listener: bench.listener, remote: address(THERE), quoted });
            assert_eq!(bench.whats(), expected, "{}, {requests}, {responses}", quoted.escape_ascii());
        }
    }
}

#[test]
fn an_answered_invite_does_not_mind_an_unreachable_peer() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 180));
    bench.unreachable("192.0.2.9:5060");
    assert_eq!(bench.whats(), [Told::Response(180)]);
    bench.receive(&answer(&invite, 200));
    bench.unreachable("192.0.2.9:5060");
    assert_eq!(bench.whats(), [Told::Response(180), Told::Response(200)]);
}

#[test]
fn an_ack_that_cannot_be_delivered_ends_the_transaction() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 486));
    bench.unreachable("192.0.2.9:5060");
    assert_eq!(bench.whats(), [Told::Response(486), Told::Finished]);
    bench.assert_over();
}
