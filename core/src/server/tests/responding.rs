//! Responses (RFC 3261 §16.7), timer C (§16.8) and transport errors (§16.9).

use super::*;

/// Bob's phone has the INVITE.
fn called() -> (Bench, Sent) {
    let mut bench = Bench::new();
    bench.register(1);
    let sent = bench.receive(ALICE, &invite());
    (bench, sent[1].clone())
}

#[test]
fn provisional_responses_but_100_and_the_2xx_go_on_without_our_via() {
    let (mut bench, call) = called();
    assert_eq!(summaries(&bench.answer(&call, 100)), [""; 0]);
    for status in [180, 183, 200] {
        let sent = bench.answer(&call, status);
        assert_eq!(summaries(&sent), [format!("{status} 192.0.2.1:5060")]);
        assert_eq!(
            sent[0].values(HeaderId::Via),
            ["SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8;received=192.0.2.1"]
        );
        assert_eq!(sent[0].response().to_header().unwrap().tag(), Some("t1920245060"));
    }
    bench.comes_to_rest();
}

#[test]
fn every_retransmitted_2xx_goes_on_while_the_transaction_is_accepted() {
    let (mut bench, call) = called();
    for _ in 0..3 {
        assert_eq!(summaries(&bench.answer(&call, 200)), ["200 192.0.2.1:5060"]);
        assert_eq!(summaries(&bench.wait(Duration::from_secs(4))), [""; 0]);
    }
    // 64·T1 after the first one nobody waits any more (RFC 6026 §8.9).
    bench.wait(Duration::from_secs(21));
    assert_eq!(summaries(&bench.answer(&call, 200)), [""; 0]);
    assert!(bench.server.is_idle());
}

#[test]
fn a_rejection_is_acknowledged_here_and_sent_on() {
    let (mut bench, call) = called();
    let sent = bench.answer(&call, 486);
    assert_eq!(summaries(&sent), ["ACK 192.0.2.4:5060", "486 192.0.2.1:5060"]);
    assert_eq!(sent[1].response().to_header().unwrap().tag(), Some("t1920245060"));
    // Hop by hop: the sender's ACK ends here.
    let ack = in_dialog("ACK", "sip:bob@biloxi.com", "").replace("tag=a6c85cf", "tag=t1920245060");
    assert_eq!(summaries(&bench.receive(ALICE, &ack)), [""; 0]);
    bench.comes_to_rest();
}

#[test]
fn nothing_but_a_2xx_follows_a_final_response() {
    let (mut bench, call) = called();
    bench.answer(&call, 200);
    assert_eq!(summaries(&bench.answer(&call, 180)), [""; 0]);
    assert_eq!(summaries(&bench.answer(&call, 486)), [""; 0]);
}

#[test]
fn a_lone_503_goes_on_as_500() {
    let (mut bench, call) = called();
    assert_eq!(summaries(&bench.answer(&call, 503)), ["ACK 192.0.2.4:5060", "500 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

#[test]
fn a_hop_that_cannot_be_reached_counts_as_503_and_so_goes_on_as_500() {
    let (mut bench, _) = called();
    let remote = BOB.parse().unwrap();
    bench.server.handle(bench.now, Input::Unreachable { listener: bench.listener, remote, quoted: b"INVITE sip:" });
    assert_eq!(summaries(&bench.drain()), ["500 192.0.2.1:5060"]);
    let settings = bench.server.settings().clone();
    bench.server.set_settings(bench.now, Settings { relay: true, ..settings }).unwrap();
    let unknown = request("INVITE", "sip:bob@nowhere.example.com", "").replace("nashds8", "b");
    assert_eq!(summaries(&bench.receive(ALICE, &unknown)), ["100 192.0.2.1:5060", "500 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

/// RFC 3261 §16.9: nothing is cancelled for a response that could not be sent on, not even a branch to the same address.
#[test]
fn a_response_that_does_not_arrive_ends_no_branch() {
    let mut bench = Bench::new();
    bench.register(1);
    // Caller and callee are behind one address.
    let invite = request("INVITE", "sip:bob@biloxi.com", "").replace("UDP pc33.atlanta.com", "UDP 192.0.2.4");
    let sent = bench.receive(BOB, &invite);
    assert_eq!(summaries(&sent), ["100 192.0.2.4:5060", "INVITE 192.0.2.4:5060"]);
    let remote = BOB.parse().unwrap();
    let quoted = b"SIP/2.0 100 Trying\r\nVia: ";
    bench.server.handle(bench.now, Input::Unreachable { listener: bench.listener, remote, quoted });
    assert_eq!(summaries(&bench.drain()), [""; 0]);
    let quoted = b"INVITE sip:bob@192.0.2.4 SIP/2.0\r\nVia: ";
    bench.server.handle(bench.now, Input::Unreachable { listener: bench.listener, remote, quoted });
    assert_eq!(summaries(&bench.drain()), ["500 192.0.2.4:5060"]);
    bench.comes_to_rest();
}

#[test]
fn an_invite_that_nobody_answers_is_408_after_timer_b() {
    let (mut bench, _) = called();
    let sent = bench.wait(Duration::from_secs(32) - Duration::from_millis(1));
    assert!(sent.iter().all(|sent| sent.summary() == "INVITE 192.0.2.4:5060"), "{sent:?}");
    let sent = bench.wait(Duration::from_millis(1));
    assert_eq!(summaries(&sent), ["408 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

#[test]
fn any_other_request_that_nobody_answers_is_never_answered_with_408() {
    let mut bench = Bench::new();
    bench.register(1);
    bench.receive(ALICE, &request("MESSAGE", "sip:bob@biloxi.com", ""));
    let sent = bench.wait(Duration::from_secs(600));
    let others: Vec<String> = summaries(&sent).into_iter().filter(|summary| !summary.starts_with("MESSAGE")).collect();
    // RFC 4320 §4.1: the 100 when timer E of the sender has reached T2; §4.2: no 408.
    assert_eq!(others, ["100 192.0.2.1:5060"]);
    assert!(bench.server.is_idle());
}

/// RFC 4320 §4.2: an ICMP error on the last retransmission comes at 31.5 s. A 500 would reach the sender, who began earlier, when timer F has fired
/// there. A failure that is known with time to spare is told.
#[test]
fn a_failure_in_the_last_moment_before_the_deadline_is_not_told() {
    for (fails, told) in [(31_500, [].as_slice()), (31_999, &[]), (31_499, &["500 192.0.2.1:5060"])] {
        let mut bench = Bench::new();
        bench.register(1);
        bench.receive(ALICE, &request("MESSAGE", "sip:bob@biloxi.com", ""));
        bench.wait(Duration::from_millis(fails));
        let (listener, remote) = (bench.listener, BOB.parse().unwrap());
        bench.server.handle(bench.now, Input::Unreachable { listener, remote, quoted: b"MESSAGE sip:" });
        assert_eq!(summaries(&bench.drain()), told, "{fails} ms");
        assert_eq!(summaries(&bench.wait(Duration::from_secs(4))), [""; 0], "{fails} ms");
        // The request, sent again late, begins nothing.
        let again = bench.receive(ALICE, &request("MESSAGE", "sip:bob@biloxi.com", ""));
        assert_eq!(summaries(&again), told, "{fails} ms");
        bench.comes_to_rest();
    }
    // What the far end says in that moment goes on: it may yet arrive.
    let mut bench = Bench::new();
    bench.register(1);
    let sent = bench.receive(ALICE, &request("MESSAGE", "sip:bob@biloxi.com", ""));
    bench.wait(Duration::from_millis(31_999));
    assert_eq!(summaries(&bench.answer(&sent[0], 200)), ["200 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

/// RFC 4320 §4.2, in a dialog and however the way downstream ends: with silence nothing but the 100 is said.
#[test]
fn a_bye_that_nobody_answers_is_never_answered() {
    let mut bench = Bench::new();
    bench.register(1);
    let route = format!("Route: {}\n", bench.own_route("sip:server10.biloxi.com"));
    for uri in ["sip:bob@192.0.2.4", "sip:bob@biloxi.com", "sip:bob@outside.biloxi.com"] {
        let bye = in_dialog("BYE", uri, &route).replace("nashds8", &uri.replace([':', '@'], ""));
        let sent = bench.receive(ALICE, &bye);
        assert!(sent[0].summary().starts_with("BYE "), "{:?}", summaries(&sent));
        let sent = bench.wait(Duration::from_secs(600));
        let said: Vec<String> = summaries(&sent).into_iter().filter(|summary| !summary.starts_with("BYE")).collect();
        assert_eq!(said, ["100 192.0.2.1:5060"]);
    }
    bench.comes_to_rest();
}

#[test]
fn to_anything_but_an_invite_no_provisional_response_goes_on() {
    let mut bench = Bench::new();
    bench.register(1);
    let sent = bench.receive(ALICE, &request("MESSAGE", "sip:bob@biloxi.com", ""));
    assert_eq!(summaries(&bench.answer(&sent[0], 180)), [""; 0]);
    assert_eq!(summaries(&bench.answer(&sent[0], 200)), ["200 192.0.2.1:5060"]);
    assert_eq!(summaries(&bench.answer(&sent[0], 200)), [""; 0]);
    bench.comes_to_rest();
}

#[test]
fn a_response_that_has_only_our_via_goes_nowhere() {
    let (mut bench, call) = called();
    let ours = call.values(HeaderId::Via).remove(0);
    let response = format!(
        "SIP/2.0 486 Busy Here
        Via: {ours}
        To: Bob <sip:bob@biloxi.com>;tag=1
        From: Alice <sip:alice@atlanta.com>;tag=1928301774
        Call-ID: a84b4c76e66710
        CSeq: 314159 INVITE
        Content-Length: 0"
    );
    assert_eq!(summaries(&bench.receive(BOB, &response)), ["ACK 192.0.2.4:5060", "502 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

#[test]
fn timer_c_cancels_a_call_that_rings_for_ever_and_a_180_but_not_a_100_starts_it_anew() {
    let (mut bench, call) = called();
    bench.answer(&call, 180);
    bench.wait(Duration::from_secs(100));
    bench.answer(&call, 183);
    bench.wait(Duration::from_secs(100));
    bench.answer(&call, 100);
    assert_eq!(summaries(&bench.wait(Duration::from_secs(80))), [""; 0]);
    let sent = bench.wait(Duration::from_secs(1));
    assert_eq!(summaries(&sent), ["CANCEL 192.0.2.4:5060"]);
    bench.answer(&sent[0], 200);
    assert_eq!(summaries(&bench.answer(&call, 487)), ["ACK 192.0.2.4:5060", "487 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

#[test]
fn a_call_that_does_not_even_answer_the_cancel_of_timer_c_is_408() {
    let (mut bench, call) = called();
    bench.answer(&call, 180);
    let sent = bench.wait(Duration::from_secs(181 + 32));
    assert_eq!(sent.last().unwrap().summary(), "408 192.0.2.1:5060");
    bench.comes_to_rest();
}
