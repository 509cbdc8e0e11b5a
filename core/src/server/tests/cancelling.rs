//! CANCEL (RFC 3261 §16.10).

use super::*;

fn cancel() -> String {
    request("CANCEL", "sip:bob@biloxi.com", "")
}

#[test]
fn a_cancel_is_answered_here_and_sent_on_and_the_487_comes_from_downstream() {
    let mut bench = Bench::new();
    bench.register(1);
    let call = bench.receive(ALICE, &invite()).remove(1);
    bench.answer(&call, 180);
    let sent = bench.receive(ALICE, &cancel());
    assert_eq!(summaries(&sent), ["200 192.0.2.1:5060", "CANCEL 192.0.2.4:5060"]);
    assert_eq!(sent[0].values(HeaderId::CSeq), ["314159 CANCEL"]);
    assert_eq!(branch(&sent[1]), branch(&call));
    assert_eq!(sent[1].request().uri_bytes(), b"sip:bob@192.0.2.4");
    assert_eq!(sent[1].values(HeaderId::Via).len(), 1);
    assert_eq!(summaries(&bench.answer(&sent[1], 200)), [""; 0]);
    assert_eq!(summaries(&bench.answer(&call, 487)), ["ACK 192.0.2.4:5060", "487 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

#[test]
fn a_cancel_waits_for_a_provisional_response_from_downstream() {
    let mut bench = Bench::new();
    bench.register(1);
    let call = bench.receive(ALICE, &invite()).remove(1);
    assert_eq!(summaries(&bench.receive(ALICE, &cancel())), ["200 192.0.2.1:5060"]);
    assert_eq!(summaries(&bench.answer(&call, 100)), ["CANCEL 192.0.2.4:5060"]);
    bench.comes_to_rest();
}

#[test]
fn a_cancel_after_the_2xx_changes_nothing() {
    let mut bench = Bench::new();
    bench.register(1);
    let call = bench.receive(ALICE, &invite()).remove(1);
    bench.answer(&call, 200);
    assert_eq!(summaries(&bench.receive(ALICE, &cancel())), ["200 192.0.2.1:5060"]);
    assert_eq!(summaries(&bench.answer(&call, 200)), ["200 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

#[test]
fn a_cancel_of_a_request_that_is_no_invite_changes_nothing() {
    let mut bench = Bench::new();
    bench.register(1);
    let message = bench.receive(ALICE, &request("MESSAGE", "sip:bob@biloxi.com", "")).remove(0);
    assert_eq!(summaries(&bench.receive(ALICE, &cancel())), ["200 192.0.2.1:5060"]);
    assert_eq!(summaries(&bench.answer(&message, 200)), ["200 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

#[test]
fn a_cancel_without_a_context_is_forwarded_statelessly_or_has_nothing_to_cancel() {
    let mut bench = Bench::new();
    bench.register(1);
    bench.wait(Duration::from_secs(32));
    let sent = bench.receive(ALICE, &cancel());
    assert_eq!(summaries(&sent), ["CANCEL 192.0.2.4:5060"]);
    assert_eq!(sent[0].values(HeaderId::Via).len(), 2);
    // Its response matches no client transaction, and is dropped and counted (RFC 6026 §8.9).
    let strays = bench.server.endpoint().stats().stray;
    assert_eq!(summaries(&bench.answer(&sent[0], 200)), [""; 0]);
    assert_eq!(bench.server.endpoint().stats().stray, strays + 1);
    // In a CANCEL it has no meaning (RFC 5393 §5.4.1).
    assert_eq!(sent[0].values(HeaderId::MaxBreadth), [""; 0]);
    assert!(bench.server.is_idle());
    let nobody = request("CANCEL", "sip:carol@biloxi.com", "").replace("nashds8", "b");
    assert_eq!(summaries(&bench.receive(ALICE, &nobody)), ["481 192.0.2.1:5060"]);
    let last_hop = cancel().replace("nashds8", "c").replace("Max-Forwards: 70", "Max-Forwards: 0");
    assert_eq!(summaries(&bench.receive(ALICE, &last_hop)), ["483 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

/// Section 16.10: it is forwarded only where its INVITE would be.
#[test]
fn a_cancel_without_a_context_to_where_nobody_may_be_called_is_481() {
    let mut bench = Bench::new();
    let stranger = request("CANCEL", "sip:bob@192.0.2.44", "");
    assert_eq!(summaries(&bench.receive(ALICE, &stranger)), ["481 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

/// RFC 3326 §2.
#[test]
fn the_reason_of_a_cancel_goes_along() {
    let mut bench = Bench::new();
    bench.register(1);
    let invite = bench.receive(ALICE, &invite()).remove(1);
    bench.answer(&invite, 180);
    let reasons = "Reason: SIP;cause=600;text=\"Busy Everywhere\"\nReason: Q.850;cause=16, x;cause=1\n";
    let sent = bench.receive(ALICE, &request("CANCEL", "sip:bob@biloxi.com", reasons));
    assert_eq!(summaries(&sent), ["200 192.0.2.1:5060", "CANCEL 192.0.2.4:5060"]);
    assert_eq!(sent[1].values(HeaderId::Reason), ["SIP;cause=600;text=\"Busy Everywhere\", Q.850;cause=16, x;cause=1"]);
}

#[test]
fn the_reason_of_a_cancel_waits_with_it() {
    let mut bench = Bench::new();
    bench.register(1);
    let invite = bench.receive(ALICE, &invite()).remove(1);
    let sent = bench.receive(ALICE, &request("CANCEL", "sip:bob@biloxi.com", "Reason: SIP;cause=200\n"));
    assert_eq!(summaries(&sent), ["200 192.0.2.1:5060"]);
    let sent = bench.answer(&invite, 100);
    assert_eq!(summaries(&sent), ["CANCEL 192.0.2.4:5060"]);
    assert_eq!(sent[0].values(HeaderId::Reason), ["SIP;cause=200"]);
}

#[test]
fn a_cancel_without_a_reason_gets_none() {
    let mut bench = Bench::new();
    bench.register(1);
    let invite = bench.receive(ALICE, &invite()).remove(1);
    bench.answer(&invite, 180);
    let sent = bench.receive(ALICE, &cancel());
    assert_eq!(sent[1].values(HeaderId::Reason), [""; 0]);
}

/// Whoever has seen an INVITE, or has guessed what is in it, cannot cancel it from elsewhere (beyond RFC 3261 §9.2). Its port and its connection do not matter, as
/// a NAT may change the one and a peer the other.
#[test]
fn a_cancel_comes_from_where_its_invite_has_come_from() {
    let ringing = |change: fn(&mut Settings), listener: fn(Listener) -> Listener| {
        let mut bench = Bench::with(change);
        let own = bench.server.endpoint().listener(bench.listener).unwrap().clone();
        let (now, id) = (bench.now, bench.listener);
        bench.server.command(now, |_, cx| cx.move_listener(id, listener(own))).unwrap();
        bench.register(1);
        let call = bench.receive(ALICE, &invite()).remove(1);
        bench.answer(&call, 180);
        bench
    };
    let usual = || ringing(|_| {}, |listener| listener);
    let taken = ["CANCEL 192.0.2.4:5060".to_string()];
    let cancels = |mut bench: Bench, from: &str| -> Vec<String> {
        let sent = summaries(&bench.receive(from, &cancel()));
        assert!(sent[0].starts_with("481 ") || sent[0].starts_with("200 "), "{sent:?}");
        assert_eq!(sent[0].starts_with("200 "), sent.len() > 1, "{sent:?}");
        bench.comes_to_rest();
        sent[1..].to_vec()
    };
    assert_eq!(cancels(usual(), ALICE), taken);
    assert_eq!(cancels(usual(), "192.0.2.1:40000"), taken, "another port");
    for elsewhere in ["192.0.2.99:5060", BOB, "[2001:db8::1]:5060"] {
        assert!(cancels(usual(), elsewhere).is_empty(), "{elsewhere}");
    }
    // An address of the same hop: a trusted network, or one that the listener names; another network is none.
    let trusting = || ringing(|settings| settings.trusted.push("192.0.2.0/29".parse().unwrap()), |listener| listener);
    assert_eq!(cancels(trusting(), "192.0.2.6:5060"), taken);
    assert!(cancels(trusting(), "192.0.2.99:5060").is_empty());
    let hop = || {
        ringing(
            |_| {},
            |listener| listener.with_hops([crate::transport::Network { address: [192, 0, 2, 0].into(), prefix: 29 }]),
        )
    };
    assert_eq!(cancels(hop(), "192.0.2.6:5060"), taken);
    assert!(cancels(hop(), "192.0.2.99:5060").is_empty());
    // The switch.
    assert_eq!(cancels(ringing(|_| {}, Listener::with_cancel_from_anywhere), "192.0.2.99:5060"), taken);
}
