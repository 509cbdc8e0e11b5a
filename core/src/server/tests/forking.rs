//! Several branches (RFC 3261 §16.7): which response is the best, and what becomes of the others.

use super::*;

/// Three of Bob's phones have the INVITE.
fn called() -> (Bench, Vec<Sent>) {
    let mut bench = Bench::new();
    bench.register(3);
    let mut sent = bench.receive(ALICE, &invite());
    assert_eq!(
        summaries(&sent),
        ["100 192.0.2.1:5060", "INVITE 192.0.2.4:5060", "INVITE 192.0.2.5:5060", "INVITE 192.0.2.6:5060"]
    );
    sent.remove(0);
    (bench, sent)
}

/// The final responses that the phones give in turn; what goes upstream.
fn best(statuses: [u16; 3]) -> String {
    let (mut bench, calls) = called();
    let mut upstream = Vec::new();
    for (call, status) in calls.iter().zip(statuses) {
        let sent = bench.answer(call, status);
        upstream
            .extend(sent.into_iter().filter(|sent| sent.to == ALICE && !matches!(sent.message, Message::Request(_))));
    }
    assert_eq!(upstream.len(), 1, "{statuses:?}");
    bench.comes_to_rest();
    upstream[0].response().status().get().to_string()
}

#[test]
fn the_best_response_is_the_lowest_class_but_6xx_beats_all() {
    assert_eq!(best([404, 302, 500]), "302");
    assert_eq!(best([500, 486, 501]), "486");
    assert_eq!(best([302, 404, 603]), "603");
    // §16.7 step 6: the RFC's own example, and the others that help to ask again.
    assert_eq!(best([503, 501, 407]), "407");
    assert_eq!(best([404, 484, 486]), "484");
    assert_eq!(best([404, 420, 401]), "401");
    // A 503 says least of what one might do.
    assert_eq!(best([503, 503, 501]), "501");
    assert_eq!(best([503, 503, 503]), "500");
}

#[test]
fn a_time_out_of_one_branch_does_not_hide_what_another_says() {
    let (mut bench, calls) = called();
    bench.answer(&calls[0], 404);
    bench.answer(&calls[1], 486);
    let sent = bench.wait(Duration::from_secs(32));
    assert_eq!(sent.last().unwrap().summary(), "404 192.0.2.1:5060");
    bench.comes_to_rest();
}

#[test]
fn every_challenge_is_collected() {
    let (mut bench, calls) = called();
    bench.answer_with(&calls[0], 407, &[(HeaderId::ProxyAuthenticate, r#"Digest realm="a", nonce="1""#)]);
    bench.answer_with(&calls[1], 401, &[(HeaderId::WwwAuthenticate, r#"Digest realm="b", nonce="2""#)]);
    let two = [
        (HeaderId::WwwAuthenticate, r#"Digest realm="c", nonce="3""#),
        (HeaderId::ProxyAuthenticate, r#"Digest realm="d", nonce="4""#),
    ];
    let sent = bench.answer_with(&calls[2], 401, &two);
    let sent = sent.last().unwrap();
    assert_eq!(sent.summary(), "407 192.0.2.1:5060");
    assert_eq!(
        sent.values(HeaderId::ProxyAuthenticate),
        [r#"Digest realm="a", nonce="1""#, r#"Digest realm="d", nonce="4""#]
    );
    assert_eq!(
        sent.values(HeaderId::WwwAuthenticate),
        [r#"Digest realm="b", nonce="2""#, r#"Digest realm="c", nonce="3""#]
    );
}

#[test]
fn a_2xx_cancels_the_others_and_their_2xx_goes_on_too() {
    let (mut bench, calls) = called();
    bench.answer(&calls[1], 180);
    let sent = bench.answer(&calls[0], 200);
    // The third has not been heard of: its CANCEL waits for a provisional response (§9.1).
    assert_eq!(summaries(&sent), ["200 192.0.2.1:5060", "CANCEL 192.0.2.5:5060"]);
    assert_eq!(summaries(&bench.answer(&calls[2], 100)), ["CANCEL 192.0.2.6:5060"]);
    // The second had answered already, the third obeys.
    assert_eq!(summaries(&bench.answer(&calls[1], 200)), ["200 192.0.2.1:5060"]);
    assert_eq!(summaries(&bench.answer(&calls[2], 487)), ["ACK 192.0.2.6:5060"]);
    bench.comes_to_rest();
}

#[test]
fn a_6xx_cancels_the_others_and_waits_for_them() {
    let (mut bench, calls) = called();
    bench.answer(&calls[1], 180);
    bench.answer(&calls[2], 180);
    let sent = bench.answer(&calls[0], 600);
    assert_eq!(summaries(&sent), ["ACK 192.0.2.4:5060", "CANCEL 192.0.2.5:5060", "CANCEL 192.0.2.6:5060"]);
    assert_eq!(summaries(&bench.answer(&calls[1], 487)), ["ACK 192.0.2.5:5060"]);
    assert_eq!(summaries(&bench.answer(&calls[2], 487)), ["ACK 192.0.2.6:5060", "600 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

#[test]
fn a_2xx_that_crosses_the_cancel_of_a_6xx_wins() {
    let (mut bench, calls) = called();
    bench.answer(&calls[1], 180);
    bench.answer(&calls[0], 600);
    assert_eq!(bench.answer(&calls[1], 200)[0].summary(), "200 192.0.2.1:5060");
    bench.answer(&calls[2], 100);
    assert_eq!(summaries(&bench.answer(&calls[2], 487)), ["ACK 192.0.2.6:5060"]);
    bench.comes_to_rest();
}

#[test]
fn a_forked_request_that_is_no_invite_gets_one_answer_and_no_cancel() {
    let mut bench = Bench::new();
    bench.register(2);
    let sent = bench.receive(ALICE, &request("MESSAGE", "sip:bob@biloxi.com", ""));
    assert_eq!(summaries(&bench.answer(&sent[0], 200)), ["200 192.0.2.1:5060"]);
    assert_eq!(summaries(&bench.answer(&sent[1], 200)), [""; 0]);
    bench.comes_to_rest();
}

#[test]
fn the_most_preferred_contact_comes_first() {
    let mut bench = Bench::new();
    let contacts =
        "<sip:bob@192.0.2.41>;q=0.2, <sip:bob@192.0.2.42>;q=0.7, <mailto:bob@biloxi.com>, <sip:bob@192.0.2.43>";
    bench.bind(contacts);
    let sent = bench.receive(ALICE, &invite());
    assert_eq!(summaries(&sent[1..]), ["INVITE 192.0.2.43:5060", "INVITE 192.0.2.42:5060", "INVITE 192.0.2.41:5060"]);
}
