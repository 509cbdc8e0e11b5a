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
    // So is its response (§16.11).
    let answered = bench.answer(&sent[0], 200);
    assert_eq!(summaries(&answered), ["200 192.0.2.1:5060"]);
    assert_eq!(answered[0].values(HeaderId::Via).len(), 1);
    // In a CANCEL it has no meaning (RFC 5393 §5.4.1).
    assert_eq!(sent[0].values(HeaderId::MaxBreadth), [""; 0]);
    assert!(bench.server.is_idle());
    let nobody = request("CANCEL", "sip:carol@biloxi.com", "").replace("nashds8", "b");
    assert_eq!(summaries(&bench.receive(ALICE, &nobody)), ["481 192.0.2.1:5060"]);
    let last_hop = cancel().replace("nashds8", "c").replace("Max-Forwards: 70", "Max-Forwards: 0");
    assert_eq!(summaries(&bench.receive(ALICE, &last_hop)), ["483 192.0.2.1:5060"]);
    bench.comes_to_rest();
}
