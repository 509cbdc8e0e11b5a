//! Server transactions (RFC 3261 §17.2 with RFC 6026 and RFC 4320).

use crate::bench::{Bench, Told, their_via, theirs};
use sansip::CommandError;

const BRANCH: &str = "z9hG4bK776asdhds";

fn with_request(method: &str) -> (Bench, sansip::ServerTransactionId, String) {
    let mut bench = Bench::new();
    let text = theirs(method, &their_via(BRANCH));
    bench.receive(&text);
    let server = bench.accept();
    (bench, server, text)
}

#[test]
fn an_invite_is_answered_with_100_after_200_ms_if_nothing_else_was_sent() {
    let (mut bench, _, _) = with_request("INVITE");
    bench.run_to(10_000);
    assert_eq!(bench.times("SIP/2.0 100"), [200]);
    let trying = bench.last();
    assert_eq!(trying.start_line(), "SIP/2.0 100 Trying");
    assert_eq!(trying.header("Via"), their_via(BRANCH));
    // §17.2.1: no tag of ours.
    assert_eq!(trying.header("To"), "Alice <sip:alice@atlanta.com>");
    assert_eq!(trying.header("CSeq"), "314159 INVITE");
}

#[test]
fn a_180_within_200_ms_takes_the_place_of_the_100() {
    let (mut bench, server, _) = with_request("INVITE");
    bench.run_to(199);
    bench.respond(server, 180);
    bench.run_to(10_000);
    assert_eq!(bench.times("SIP/2.0"), [199]);
}

#[test]
fn a_repeated_invite_gets_the_latest_provisional_response_and_nobody_hears_of_it() {
    let (mut bench, server, invite) = with_request("INVITE");
    bench.receive(&invite);
    assert_eq!(bench.sent, []);
    bench.run_to(500);
    bench.receive(&invite);
    assert_eq!(bench.times("SIP/2.0 100"), [200, 500]);
    bench.respond(server, 180);
    bench.respond(server, 183);
    bench.receive(&invite);
    assert_eq!(bench.last().start_line(), "SIP/2.0 183 Session Progress");
    assert_eq!(bench.whats(), [Told::Request("INVITE".into())]);
}

#[test]
fn a_non_2xx_is_repeated_until_timer_h_which_is_told() {
    let (mut bench, server, _) = with_request("INVITE");
    bench.respond(server, 486);
    bench.run_to(100_000);
    let expected = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert_eq!(bench.times("SIP/2.0 486"), expected);
    assert_eq!(bench.last_told(), (32_000, Told::Completed { acknowledged: false }));
    bench.assert_over();
}

#[test]
fn the_ack_ends_the_repetition_and_is_absorbed() {
    let (mut bench, server, invite) = with_request("INVITE");
    bench.respond(server, 486);
    bench.run_to(600);
    bench.receive(&theirs("ACK", &their_via(BRANCH)));
    bench.run_to(1_000);
    bench.receive(&theirs("ACK", &their_via(BRANCH)));
    bench.receive(&invite);
    bench.run_to(100_000);
    assert_eq!(bench.times("SIP/2.0 486"), [0, 500]);
    // Timer I: T4 after the first ACK.
    assert_eq!(bench.last_told(), (5_600, Told::Completed { acknowledged: true }));
    assert_eq!(bench.told.len(), 2);
    bench.assert_over();
}

#[test]
fn a_repeated_invite_gets_the_final_response_again() {
    let (mut bench, server, invite) = with_request("INVITE");
    bench.respond(server, 486);
    bench.run_to(100);
    bench.receive(&invite);
    assert_eq!(bench.times("SIP/2.0 486"), [0, 100]);
    assert_eq!(bench.sent[0].text, bench.sent[1].text);
}

#[test]
fn a_2xx_is_the_users_to_repeat_and_repeated_invites_are_absorbed_until_timer_l() {
    let (mut bench, server, invite) = with_request("INVITE");
    bench.respond(server, 200);
    bench.run_to(500);
    bench.receive(&invite);
    assert_eq!(bench.times("SIP/2.0 200"), [0]);
    bench.respond(server, 200);
    assert_eq!(bench.times("SIP/2.0 200"), [0, 500]);
    for status in [180, 486] {
        let late = bench.response(status);
        assert_eq!(bench.endpoint.respond(bench.now, server, late), Err(CommandError::WrongState));
    }
    // An ACK under the INVITE's branch is the user's too.
    bench.receive(&theirs("ACK", &their_via(BRANCH)));
    bench.run_to(100_000);
    let invite = Told::Request("INVITE".into());
    let expected = [(0, invite), (500, Told::Ack { matched: true }), (32_000, Told::Completed { acknowledged: true })];
    assert_eq!(bench.told, expected);
    assert_eq!(bench.sent.len(), 2);
    bench.assert_over();
}

#[test]
fn an_ack_under_a_branch_of_its_own_is_the_users() {
    let (mut bench, server, _) = with_request("INVITE");
    bench.respond(server, 200);
    bench.receive(&theirs("ACK", &their_via("z9hG4bKanother")));
    assert_eq!(bench.last_told(), (0, Told::Ack { matched: false }));
}

#[test]
fn an_ack_before_the_final_response_is_absorbed() {
    let (mut bench, server, _) = with_request("INVITE");
    bench.receive(&theirs("ACK", &their_via(BRANCH)));
    bench.respond(server, 486);
    bench.run_to(500);
    assert_eq!(bench.times("SIP/2.0 486"), [0, 500]);
    assert_eq!(bench.told.len(), 1);
}

#[test]
fn another_request_is_answered_with_100_after_3500_ms_and_not_before() {
    let (mut bench, server, text) = with_request("OPTIONS");
    for millis in [500, 1_500, 3_499] {
        bench.run_to(millis);
        bench.receive(&text);
    }
    assert_eq!(bench.sent, []);
    bench.run_to(3_500);
    assert_eq!(bench.times("SIP/2.0 100"), [3_500]);
    bench.run_to(7_500);
    bench.receive(&text);
    assert_eq!(bench.times("SIP/2.0 100"), [3_500, 7_500]);
    bench.respond(server, 200);
    bench.run_to(100_000);
    assert_eq!(bench.told.len(), 2);
    assert_eq!(bench.last_told(), (39_500, Told::Completed { acknowledged: true }));
    bench.assert_over();
}

#[test]
fn the_final_response_to_another_request_is_sent_again_only_when_asked_until_timer_j() {
    let (mut bench, server, text) = with_request("BYE");
    bench.respond(server, 200);
    bench.run_to(500);
    bench.receive(&text);
    bench.run_to(31_999);
    bench.receive(&text);
    assert_eq!(bench.times("SIP/2.0 200"), [0, 500, 31_999]);
    let late = bench.response(500);
    assert_eq!(bench.endpoint.respond(bench.now, server, late), Err(CommandError::WrongState));
    bench.run_to(32_000);
    assert_eq!(bench.last_told(), (32_000, Told::Completed { acknowledged: true }));
    let late = bench.response(200);
    assert_eq!(bench.endpoint.respond(bench.now, server, late), Err(CommandError::Gone));
    bench.assert_over();
}

#[test]
fn a_408_to_another_request_is_never_sent() {
    let (mut bench, server, text) = with_request("BYE");
    bench.run_to(3_600);
    bench.respond(server, 408);
    bench.receive(&text);
    bench.run_to(100_000);
    assert_eq!(bench.times("SIP/2.0 408"), []);
    assert_eq!(bench.times("SIP/2.0"), [3_500]);
    assert_eq!(bench.last_told(), (35_600, Told::Completed { acknowledged: true }));
    bench.assert_over();
}

#[test]
fn a_408_to_an_invite_is_sent() {
    let (mut bench, server, _) = with_request("INVITE");
    bench.respond(server, 408);
    assert_eq!(bench.times("SIP/2.0 408"), [0]);
}

#[test]
fn provisional_responses_to_another_request_are_refused() {
    let (mut bench, server, _) = with_request("BYE");
    let ringing = bench.response(180);
    assert_eq!(bench.endpoint.respond(bench.now, server, ringing), Err(CommandError::Invalid("status")));
    let early = bench.response(100);
    assert_eq!(bench.endpoint.respond(bench.now, server, early), Err(CommandError::WrongState));
    bench.collect();
    assert_eq!(bench.sent, []);
}

#[test]
fn a_response_that_does_not_arrive_is_told_once_and_the_transaction_stays() {
    let (mut bench, server, invite) = with_request("INVITE");
    bench.unreachable("192.0.2.9:5060");
    assert_eq!(bench.told.len(), 1);
    bench.respond(server, 486);
    bench.unreachable("192.0.2.9:5060");
    bench.unreachable("192.0.2.9:5060");
    assert_eq!(bench.whats()[1..], [Told::Unsent]);
    bench.receive(&invite);
    bench.run_to(500);
    assert_eq!(bench.times("SIP/2.0 486"), [0, 0, 500]);
}

/// RFC 3261 §8.2.6.1: a 100 that is late says how late in its Timestamp.
#[test]
fn the_timestamp_of_a_100_says_how_long_it_was_delayed() {
    for (timestamp, answered) in [("54", "54 0.200"), ("54.5 1.5", "54.5 1.5"), ("noon", "noon")] {
        let mut bench = Bench::new();
        let invite = theirs("INVITE", &their_via(BRANCH));
        bench.receive(&invite.replace("Max-Forwards", &format!("Timestamp: {timestamp}\nMax-Forwards")));
        bench.accept();
        bench.run_to(200);
        assert_eq!(bench.last().start_line(), "SIP/2.0 100 Trying");
        assert_eq!(bench.last().header("Timestamp"), answered);
    }
}
