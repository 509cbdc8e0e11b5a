//! Which transaction a message belongs to (RFC 3261 §9.2, §17.1.3, §17.2.3, §18.1.2).

use crate::bench::{Bench, Told, answer, ours, their_via, theirs};
use sansip::transport::Network;

fn requests(bench: &Bench) -> usize {
    bench.whats().iter().filter(|told| matches!(told, Told::Request(_))).count()
}

#[test]
fn sent_by_is_compared_without_case_and_with_the_default_port() {
    let mut bench = Bench::new();
    bench.receive(&theirs("OPTIONS", "SIP/2.0/UDP pc33.Atlanta.com;branch=z9hG4bKa"));
    bench.accept();
    bench.receive(&theirs("OPTIONS", "SIP/2.0/UDP PC33.atlanta.com:5060;branch=z9hG4bKa"));
    assert_eq!(requests(&bench), 1);
    bench.receive(&theirs("OPTIONS", "SIP/2.0/UDP pc33.atlanta.com:5070;branch=z9hG4bKa"));
    bench.receive(&theirs("OPTIONS", "SIP/2.0/UDP pc34.atlanta.com;branch=z9hG4bKa"));
    assert_eq!(requests(&bench), 3);
}

#[test]
fn the_same_branch_with_another_method_is_another_transaction() {
    let mut bench = Bench::new();
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
    bench.accept();
    bench.receive(&theirs("OPTIONS", &their_via("z9hG4bKa")));
    assert_eq!(requests(&bench), 2);
}

#[test]
fn a_repeated_request_may_come_from_another_port() {
    let mut bench = Bench::new();
    let text = theirs("INVITE", "SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKa;rport");
    bench.receive_from("192.0.2.9:40000", &text);
    bench.accept();
    bench.receive_from("192.0.2.9:40001", &text);
    assert_eq!(requests(&bench), 1);
    // The way back is that of the first.
    bench.run_to(200);
    assert_eq!(bench.last().to, "192.0.2.9:40000");
}

#[test]
fn cancel_finds_what_it_cancels() {
    let mut bench = Bench::new();
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
    let invite = bench.accept();
    bench.receive(&theirs("CANCEL", &their_via("z9hG4bKa")));
    assert_eq!(bench.arrivals[1].cancels.map(|(server, _)| server), Some(invite));
    bench.accept();
    bench.receive(&theirs("CANCEL", &their_via("z9hG4bKa")));
    assert_eq!(requests(&bench), 2);
    bench.receive(&theirs("CANCEL", &their_via("z9hG4bKb")));
    assert_eq!(bench.arrivals[2].cancels, None);
}

/// §9.2: whatever the method of the request to be cancelled, it is found.
#[test]
fn cancel_finds_a_request_other_than_invite() {
    let mut bench = Bench::new();
    bench.receive(&theirs("OPTIONS", &their_via("z9hG4bKa")));
    let options = bench.accept();
    bench.receive(&theirs("CANCEL", &their_via("z9hG4bKa")));
    assert_eq!(bench.arrivals[1].cancels.map(|(server, _)| server), Some(options));
}

#[test]
fn the_users_mark_comes_with_what_is_cancelled() {
    let mut bench = Bench::new();
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
    let tag = sansip::Tag::new(2, sansip::CallId::from_parts(3, 4)).in_role(1);
    let invite = bench.endpoint.accept(bench.now, bench.arrivals[0].clone(), tag);
    bench.receive(&theirs("CANCEL", &their_via("z9hG4bKa")));
    assert_eq!(bench.arrivals[1].cancels, Some((invite, tag)));
}

/// §17.2.3: without the magic cookie, Request-URI, tags, Call-ID, CSeq and topmost Via decide.
#[test]
fn requests_of_an_rfc_2543_peer_are_told_apart_by_their_headers() {
    for via in ["SIP/2.0/UDP 192.0.2.9", "SIP/2.0/UDP 192.0.2.9;branch=1", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK"] {
        let mut bench = Bench::new();
        let text = theirs("INVITE", via);
        bench.receive(&text);
        bench.accept();
        bench.receive(&text);
        assert_eq!(requests(&bench), 1, "{via}");
        let changes = [
            ("sip:alice@192.0.2.1 ", "sip:carol@192.0.2.1 "),
            ("tag=a6c85cf", "tag=other"),
            ("a84b4c76e66710", "another"),
            ("314159", "314160"),
            ("UDP 192.0.2.9", "UDP 192.0.2.9:5070"),
            ("<sip:alice@atlanta.com>", "<sip:alice@atlanta.com>;tag=x"),
        ];
        for (expected, (from, to)) in (2..).zip(changes) {
            assert!(text.contains(from));
            bench.receive(&text.replace(from, to));
            assert_eq!(requests(&bench), expected, "{via}: {to}");
        }
    }
}

#[test]
fn the_ack_of_an_rfc_2543_peer_is_matched_by_the_tag_of_the_response() {
    let via = "SIP/2.0/UDP 192.0.2.9";
    let mut bench = Bench::new();
    bench.receive(&theirs("INVITE", via));
    let server = bench.accept();
    bench.respond(server, 486);
    let ack = theirs("ACK", via).replace("<sip:alice@atlanta.com>", "<sip:alice@atlanta.com>;tag=ours");
    bench.receive(&ack.replace("tag=ours", "tag=of-another"));
    assert_eq!(bench.last_told().1, Told::Ack { matched: false });
    bench.receive(&ack);
    bench.receive(&ack);
    bench.run_to(10_000);
    assert_eq!(bench.times("SIP/2.0 486"), [0]);
    assert_eq!(bench.last_told(), (5_000, Told::Completed { acknowledged: true }));
}

#[test]
fn the_ack_of_an_rfc_2543_peer_for_a_2xx_is_the_users() {
    let via = "SIP/2.0/UDP 192.0.2.9";
    let mut bench = Bench::new();
    bench.receive(&theirs("INVITE", via));
    let server = bench.accept();
    bench.respond(server, 200);
    bench.receive(&theirs("ACK", via).replace("<sip:alice@atlanta.com>", "<sip:alice@atlanta.com>;tag=ours"));
    assert_eq!(bench.last_told().1, Told::Ack { matched: true });
    bench.run_to(100_000);
    bench.assert_over();
}

#[test]
fn the_cancel_of_an_rfc_2543_peer_finds_its_invite() {
    let via = "SIP/2.0/UDP 192.0.2.9";
    let mut bench = Bench::new();
    bench.receive(&theirs("INVITE", via));
    let invite = bench.accept();
    bench.receive(&theirs("CANCEL", via));
    assert_eq!(bench.arrivals[1].cancels.map(|(server, _)| server), Some(invite));
}

#[test]
fn a_response_needs_our_branch_and_our_method() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    let ok = answer(&invite, 200);
    bench.receive(&ok.replace(invite.branch(), "z9hG4bKnobody"));
    bench.receive(&ok.replace("CSeq: 986759 INVITE", "CSeq: 986759 BYE"));
    assert_eq!(bench.endpoint.stats().stray, 2);
    assert_eq!(bench.told, []);
    bench.receive(&ok);
    assert_eq!(bench.whats(), [Told::Response(200)]);
}

#[test]
fn a_response_with_a_sent_by_that_is_not_ours_is_dropped() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    let ok = answer(&bench.sent[0], 200);
    bench.receive(&ok.replace("UDP 192.0.2.1;", "UDP 192.0.2.2;"));
    bench.receive(&ok.replace("UDP 192.0.2.1;", "UDP 192.0.2.1:5070;"));
    assert_eq!(bench.endpoint.stats().foreign, 2);
    assert_eq!(bench.told, []);
    bench.receive(&ok.replace("UDP 192.0.2.1;", "UDP 192.0.2.1:5060;received=192.0.2.1;rport=5060;"));
    assert_eq!(bench.whats(), [Told::Response(200)]);
}

#[test]
fn a_late_response_is_a_stray() {
    let mut bench = Bench::new();
    bench.request(&ours("BYE"));
    let ok = answer(&bench.sent[0], 200);
    bench.run_to(32_000);
    bench.receive(&ok);
    assert_eq!(bench.endpoint.stats().stray, 1);
    assert_eq!(bench.whats().len(), 1);
}

#[test]
fn a_stray_is_shown_to_who_asks_for_it_and_its_via_is_ours() {
    let mut bench = Bench::new();
    bench.endpoint.show_strays();
    bench.request(&ours("INVITE"));
    let ok = answer(&bench.sent[0], 200);
    bench.receive(&ok);
    // While the transaction is there its 2xx are its own (RFC 6026 §7.2).
    bench.run_to(31_999);
    bench.receive(&ok);
    bench.run_to(32_000);
    bench.receive(&ok);
    bench.receive(&ok.replace("UDP 192.0.2.1;", "UDP 192.0.2.2;"));
    assert_eq!(bench.whats(), [Told::Response(200), Told::Response(200), Told::Finished, Told::Stray(200)]);
    assert_eq!((bench.endpoint.stats().stray, bench.endpoint.stats().foreign), (0, 1));
    bench.assert_over();
}

/// A stray 200 with these Vias, ours first.
fn stray(bench: &mut Bench, vias: &[&str]) -> sansip::message::Response {
    let vias: String = vias.iter().map(|via| format!("Via: {via}\n")).collect();
    bench.receive(&format!(
        "SIP/2.0 200 OK\n{vias}From: <sip:a@b.c>;tag=1\nTo: <sip:b@b.c>;tag=2\nCall-ID: 1\nCSeq: 1 INVITE\nContent-Length: 0\n\n"
    ));
    bench.responses.last().expect("a stray").clone()
}

#[test]
fn a_stateless_proxy_passes_a_response_on_to_where_the_next_via_says() {
    let mut bench = Bench::new();
    bench.endpoint.show_strays();
    let here = bench.endpoint.listener(bench.listener).expect("a listener").clone();
    let near = Network { address: here.local.ip(), prefix: 28 };
    bench.endpoint.move_listener(bench.now, bench.listener, here.with_maddr([near])).expect("a listener");
    let own = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKours";
    for (next, to) in [
        ("SIP/2.0/UDP 192.0.2.8:5070;maddr=192.0.2.99;branch=z9hG4bKa", "192.0.2.8:5070"),
        ("SIP/2.0/UDP 192.0.2.8:5070;branch=z9hG4bKa", "192.0.2.8:5070"),
        ("SIP/2.0/UDP pc33.atlanta.com;received=192.0.2.7;branch=z9hG4bKa", "192.0.2.7:5060"),
        ("SIP/2.0/UDP 10.1.1.1;received=192.0.2.7;rport=9988;branch=z9hG4bKa", "192.0.2.7:9988"),
        ("SIP/2.0/UDP pc33.atlanta.com:5080;maddr=192.0.2.6;received=192.0.2.7;branch=z9hG4bKa", "192.0.2.6:5080"),
    ] {
        let response = stray(&mut bench, &[own, next, "SIP/2.0/UDP 192.0.2.5;branch=z9hG4bKb"]);
        bench.endpoint.forward_response(bench.now, &response).expect("somewhere to go");
        bench.collect();
        let sent = bench.last();
        assert_eq!((sent.to.as_str(), sent.header("Via"), sent.text.matches("Via:").count()), (to, next, 2));
    }
    let sent = bench.sent.len();
    for vias in [
        &[own][..],
        &[own, "SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKa"],
        &[own, "SIP/2.0/UDP 192.0.2.8:0;branch=z9hG4bKa"],
        &[own, "SIP/2.0/TCP 192.0.2.8;branch=z9hG4bKa"],
        &[own, "SIP/2.0/WS 192.0.2.8;branch=z9hG4bKa"],
        &[own, "nonsense"],
    ] {
        let response = stray(&mut bench, vias);
        let error = bench.endpoint.forward_response(bench.now, &response);
        assert_eq!(error, Err(sansip::CommandError::Invalid("Via")), "{vias:?}");
    }
    bench.collect();
    assert_eq!(bench.sent.len(), sent);
    bench.assert_over();
}

/// A branch is what its sender chose to be unique (RFC 3261 §8.1.1.7): one that differs in case alone is another, and the
/// transactions of two calls are not taken for one. The magic cookie is known in any case.
#[test]
fn a_branch_is_compared_octet_for_octet() {
    let mut bench = Bench::new();
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKaBc")));
    let server = bench.accept();
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKAbC")));
    assert_eq!(requests(&bench), 2);
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKaBc")));
    assert_eq!(requests(&bench), 2);
    bench.respond(server, 486);
    bench.receive(&theirs("ACK", &their_via("z9hG4bKabc")));
    assert_eq!(bench.last_told().1, Told::Ack { matched: false });
    bench.receive(&theirs("ACK", &their_via("z9hG4bKaBc")));
    bench.receive(&theirs("OPTIONS", &their_via("Z9HG4BKx")));
    bench.accept();
    let count = requests(&bench);
    bench.receive(&theirs("OPTIONS", &their_via("Z9HG4BKx")));
    assert_eq!(requests(&bench), count);
    bench.request(&ours("OPTIONS"));
    let options = bench.last().clone();
    let told = bench.told.len();
    bench.receive(&answer(&options, 200).replace(options.branch(), &options.branch().to_uppercase()));
    assert_eq!(bench.told.len(), told);
    bench.receive(&answer(&options, 200));
    assert_eq!(bench.last_told().1, Told::Response(200));
    // A method is compared with case (§7.1).
    bench.receive(&theirs("OPTIONS", &their_via("z9hG4bKabd")));
    bench.receive(&theirs("options", &their_via("z9hG4bKabd")));
    assert_eq!(requests(&bench), count + 2);
}

/// The tags of the RFC 2543 rules are compared without ASCII case (§7.3.1), the Call-ID with it (§20.8).
#[test]
fn the_tags_of_an_rfc_2543_peer_are_compared_without_case() {
    let via = "SIP/2.0/UDP 192.0.2.9;branch=1";
    let mut bench = Bench::new();
    bench.receive(&theirs("INVITE", via));
    let server = bench.accept();
    bench.receive(&theirs("INVITE", via).replace("tag=a6c85cf", "tag=A6C85CF"));
    assert_eq!(requests(&bench), 1);
    bench.respond(server, 486);
    let ack = theirs("ACK", via).replace("<sip:alice@atlanta.com>\n", "<sip:alice@atlanta.com>;tag=OURS\n");
    bench.receive(&ack.replace("tag=a6c85cf", "tag=a6C85cf"));
    bench.run_to(10_000);
    assert_eq!(bench.last_told(), (5_000, Told::Completed { acknowledged: true }));
}

/// §17.2.3: a branch is unique for its sender only: sent-by is part of the name, so that nobody can be taken for another.
#[test]
fn an_ack_or_cancel_with_the_branch_but_another_sent_by_is_not_of_the_invite() {
    for sent_by in ["192.0.2.8", "192.0.2.9:5070", "pc33.atlanta.com"] {
        let mut bench = Bench::new();
        bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
        let server = bench.accept();
        let via = format!("SIP/2.0/UDP {sent_by};branch=z9hG4bKa");
        bench.receive(&theirs("CANCEL", &via));
        assert_eq!(bench.arrivals[1].cancels, None, "{sent_by}");
        bench.arrivals.pop();
        bench.respond(server, 486);
        bench.receive(&theirs("ACK", &via));
        assert_eq!(bench.last_told().1, Told::Ack { matched: false }, "{sent_by}");
        bench.run_to(500);
        assert_eq!(bench.times("SIP/2.0 486"), [0, 500], "{sent_by}");
    }
}

/// §9.2: what has been answered finally is found as well, so that the CANCEL gets its 200; an ACK or another CANCEL is
/// nothing to cancel.
#[test]
fn cancel_finds_what_is_answered_but_no_ack_and_no_cancel() {
    let mut bench = Bench::new();
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
    let invite = bench.accept();
    bench.respond(invite, 200);
    bench.receive(&theirs("CANCEL", &their_via("z9hG4bKa")));
    assert_eq!(bench.arrivals[1].cancels.map(|(server, _)| server), Some(invite));

    let mut bench = Bench::new();
    bench.receive(&theirs("ACK", &their_via("z9hG4bKb")));
    bench.receive(&theirs("CANCEL", &their_via("z9hG4bKb")));
    assert_eq!(bench.arrivals[0].cancels, None);
    let cancel = bench.accept();
    bench.respond(cancel, 481);
    let count = requests(&bench);
    bench.receive(&theirs("CANCEL", &their_via("z9hG4bKb")));
    assert_eq!((requests(&bench), bench.times("SIP/2.0 481").len()), (count, 2));
}

/// §17.2.3, all of it: with each value that differs, the ACK of an RFC 2543 peer belongs to something else, and so does its
/// CANCEL.
#[test]
fn an_rfc_2543_ack_or_cancel_needs_every_value_of_its_invite() {
    let via = "SIP/2.0/UDP 192.0.2.9;branch=1";
    let ours_in_to = ("<sip:alice@atlanta.com>\n", "<sip:alice@atlanta.com>;tag=ours\n");
    let changes = [
        ("sip:alice@192.0.2.1 ", "sip:carol@192.0.2.1 "),
        ("tag=a6c85cf", "tag=other"),
        (";tag=a6c85cf", ""),
        ("a84b4c76e66710", "A84B4C76E66710"),
        ("314159", "314160"),
        ("UDP 192.0.2.9;", "UDP 192.0.2.9:5070;"),
        ("SIP/2.0/UDP", "SIP/2.0/TCP"),
        ("branch=1", "branch=2"),
        (";branch=1", ""),
        (";branch=1", ";branch=1;hidden"),
    ];
    for (old, new) in changes {
        let mut bench = Bench::new();
        bench.receive(&theirs("INVITE", via));
        let server = bench.accept();
        let cancel = theirs("CANCEL", via);
        assert!(cancel.contains(old));
        bench.receive(&cancel.replace(old, new));
        assert_eq!(bench.arrivals[1].cancels, None, "CANCEL: {old} -> {new}");
        bench.arrivals.pop();
        bench.respond(server, 486);
        let ack = theirs("ACK", via).replace(ours_in_to.0, ours_in_to.1);
        bench.receive(&ack.replace(old, new));
        assert_eq!(bench.last_told().1, Told::Ack { matched: false }, "ACK: {old} -> {new}");
        let told = bench.told.len();
        bench.receive(&ack);
        assert_eq!((bench.told.len(), bench.endpoint.stats().absorbed), (told, 1), "{old} -> {new}");
    }
}

/// A peer with the cookie and one without never meet, even with the same branch behind it.
#[test]
fn the_two_rules_do_not_mix() {
    let mut bench = Bench::new();
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
    bench.accept();
    bench.receive(&theirs("INVITE", &their_via("a")));
    bench.accept();
    assert_eq!(requests(&bench), 2);
    // With the cookie, nothing but branch, sent-by and method counts.
    let other = theirs("INVITE", &their_via("z9hG4bKa")).replace("a84b4c76e66710", "x").replace("314159", "1");
    bench.receive(&other.replace("sip:alice@192.0.2.1 ", "sip:carol@192.0.2.1 "));
    assert_eq!(requests(&bench), 2);
}

/// RFC 6026 §7.1, §8.4: each 2xx goes up for 64·T1 from the first; what comes later is a stray and dropped.
#[test]
fn a_late_2xx_is_told_until_timer_m_and_a_stray_after() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    let ok = answer(&bench.sent[0], 200);
    bench.receive(&ok);
    bench.run_to(31_999);
    bench.receive(&ok.replace("99sa0xk", "fork"));
    let ok_told = Told::Response(200);
    assert_eq!(bench.whats(), [ok_told.clone(), ok_told.clone()]);
    bench.run_to(32_000);
    bench.receive(&ok);
    assert_eq!(bench.whats(), [ok_told.clone(), ok_told, Told::Finished]);
    assert_eq!((bench.endpoint.stats().stray, bench.sent.len()), (1, 1));
}

/// RFC 6026 §8.9: neither an ACK nor anything else for a response that belongs to nothing.
#[test]
fn strays_of_all_kinds_are_dropped_and_counted() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.run_to(32_000);
    for (count, status) in (1..).zip([100, 180, 200, 302, 486, 503, 600]) {
        bench.receive(&answer(&invite, status));
        assert_eq!(bench.endpoint.stats().stray, count);
    }
    assert_eq!((bench.told.len(), bench.times("ACK").len()), (1, 0));
    bench.assert_over();
}

/// §17.1.1.2: a response to the CANCEL is not one to the INVITE, though they share the branch.
#[test]
fn the_response_to_a_cancel_is_not_that_of_its_invite() {
    let mut bench = Bench::new();
    let delivery = bench.request(&ours("INVITE"));
    let invite = bench.sent[0].clone();
    bench.receive(&answer(&invite, 180));
    bench.cancel(delivery);
    let cancel = bench.last().clone();
    assert_eq!(cancel.branch(), invite.branch());
    bench.receive(&answer(&cancel, 200));
    assert_eq!(bench.whats(), [Told::Response(180)]);
    bench.receive(&answer(&invite, 487));
    assert_eq!(bench.whats(), [Told::Response(180), Told::Response(487)]);
}

/// §9.1, §17.1.1.3: whoever has no more than the branch of an INVITE neither cancels it nor ends the repetition of its rejection.
#[test]
fn a_cancel_and_an_ack_need_more_of_their_invite_than_its_branch() {
    let via = their_via("z9hG4bKa");
    let values = [("a84b4c76e66710", "other"), ("tag=a6c85cf", "tag=other"), ("314159", "314160")];
    for (old, new) in values.into_iter().chain([("tag=ours", "tag=other"), (";tag=ours", "")]) {
        let mut bench = Bench::new();
        bench.receive(&theirs("INVITE", &via));
        let server = bench.accept();
        let cancel = theirs("CANCEL", &via);
        if cancel.contains(old) {
            bench.receive(&cancel.replace(old, new));
            assert_eq!((requests(&bench), bench.times("SIP/2.0 481").len()), (1, 1), "{old}: nobody is shown it");
        }
        bench.respond(server, 486);
        let told = bench.told.len();
        bench.receive(&theirs("ACK", &via).replace(old, new));
        assert_eq!(bench.told.len(), told, "{old}");
        bench.run_to(500);
        assert_eq!(bench.times("SIP/2.0 486"), [0, 500], "{old}");
        bench.receive(&theirs("ACK", &via).replace("tag=a6c85cf", "tag=A6C85CF"));
        bench.run_to(30_000);
        assert_eq!(bench.times("SIP/2.0 486"), [0, 500], "{old}: tags have no case");
    }
}
