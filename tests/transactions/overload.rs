//! Limits and what is told of them, draining, and how little a stranger can make us send (RFC 3261 §21.5.4, §26.3.2.4).

use crate::bench::{Bench, Told, address, answer, host, ours, request, their_via, theirs, wire};
use crate::node;
use sansip::message::StatusCode;
use sansip::{
    CommandError, Config, Duration, Endpoint, Input, Limit, Limits, Listener, NextHop, Node, Output, Seed, Tag,
    registrar, server, user_agent,
};

fn config(limit: impl FnOnce(&mut Limits)) -> Config {
    let mut config = Config::new(Seed::from_u64(1));
    config.rport = false;
    limit(&mut config.limits);
    config
}

/// A datagram with a branch of its own.
fn invite(number: usize) -> String {
    theirs("INVITE", &their_via(&format!("z9hG4bK{number}"))).replace("a84b4c76e66710", &format!("call-{number}"))
}

#[test]
fn of_many_refusals_one_is_told_and_the_next_after_64_t1() {
    let mut bench = Bench::with(config(|limits| limits.transaction.server_transactions = 0));
    for number in 0..100 {
        bench.run_to(number as u64 * 300);
        bench.receive(&invite(number));
    }
    assert_eq!(bench.told, [(0, Told::Overload(Limit::SERVER_TRANSACTIONS, 1))]);
    bench.run_to(31_999);
    bench.receive(&invite(100));
    assert_eq!(bench.told.len(), 1);
    bench.run_to(32_000);
    bench.receive(&invite(101));
    assert_eq!(bench.last_told(), (32_000, Told::Overload(Limit::SERVER_TRANSACTIONS, 101)));
    bench.receive(&invite(102));
    assert_eq!((bench.told.len(), bench.endpoint.stats().refused), (2, 103));
    assert_eq!(bench.times("SIP/2.0 503 ").len(), 103);
    bench.assert_over();
}

/// RFC 3261 §8.2.7, §9.2: what belongs to a stateless refusal ends here, and is told to nobody.
#[test]
fn the_ack_and_the_cancel_of_a_stateless_refusal_end_here() {
    let mut bench = Bench::with(config(|limits| limits.transaction.server_transactions = 0));
    bench.receive(&invite(1));
    let refusal = bench.last().clone();
    let tag = refusal.header("To").split_once(";tag=").unwrap().1.to_owned();
    bench.told.clear();
    let follows = |method: &str| {
        invite(1).replace("INVITE sip", &format!("{method} sip")).replace(" INVITE", &format!(" {method}"))
    };
    bench.receive(
        &follows("ACK")
            .replace("To: Alice <sip:alice@atlanta.com>", &format!("To: Alice <sip:alice@atlanta.com>;tag={tag}")),
    );
    assert_eq!((bench.whats(), bench.endpoint.stats().absorbed), (vec![], 1));
    bench.receive(&follows("CANCEL"));
    assert_eq!(bench.whats(), []);
    assert!(bench.last().start_line().starts_with("SIP/2.0 200 "), "{}", bench.last().start_line());
    assert!(bench.last().header("To").ends_with(&tag), "as the response to the INVITE has it (§9.2)");
    // With another tag the ACK may be for a 2xx of somebody behind us, and is told.
    bench.receive(
        &follows("ACK")
            .replace("To: Alice <sip:alice@atlanta.com>", "To: Alice <sip:alice@atlanta.com>;tag=0123456789abcdef"),
    );
    assert_eq!(bench.whats().len(), 1);
}

#[test]
fn past_its_limit_the_cancel_of_a_refused_request_is_one_that_matches_nothing() {
    let mut bench = Bench::with(config(|limits| {
        (limits.transaction.server_transactions, limits.refused_branches) = (0, 2);
    }));
    (1..=3).for_each(|number| bench.receive(&invite(number)));
    let mut cancelled = |number| {
        bench.receive(&invite(number).replace("INVITE sip", "CANCEL sip").replace(" INVITE", " CANCEL"));
        bench.last().start_line()[..11].to_owned()
    };
    assert_eq!([cancelled(2), cancelled(3), cancelled(1)], ["SIP/2.0 200", "SIP/2.0 200", "SIP/2.0 503"]);
}

#[test]
fn each_limit_has_a_word_of_its_own() {
    let mut bench =
        Bench::with(config(|limits| (limits.transport.outputs, limits.transaction.server_transactions) = (2, 0)));
    bench.draining = false;
    for number in 0..5 {
        bench.receive(&invite(number));
    }
    let expected = [Told::Overload(Limit::SERVER_TRANSACTIONS, 1), Told::Overload(Limit::OUTPUTS, 1)];
    assert_eq!(bench.whats(), expected);
    let stats = *bench.endpoint.stats();
    assert_eq!((stats.refused, stats.overrun, bench.endpoint.census().outputs), (2, 3, 2));
}

#[test]
fn client_transactions_have_a_limit_and_at_it_no_other_address_is_tried() {
    let mut bench = Bench::with(config(|limits| limits.transaction.client_transactions = 2));
    bench.request_to(&ours("INVITE"), host("biloxi.com"));
    bench.resolve(&["192.0.2.3", "192.0.2.4", "192.0.2.5"]);
    let first = bench.last().clone();
    bench.receive_from("192.0.2.3:5060", &answer(&first, 503));
    let second = bench.last().clone();
    assert_eq!(second.to, "192.0.2.4:5060");
    // The first attempt absorbs copies of its 503 until timer D: that is two.
    let next_hop = NextHop::from(address("192.0.2.9:5060"));
    let refused = bench.endpoint.request(bench.now, request(&ours("BYE")), next_hop.clone(), Tag::NONE, "");
    assert_eq!(refused, Err(CommandError::Limit("client_transactions")));
    bench.receive_from("192.0.2.4:5060", &answer(&second, 503));
    assert_eq!(bench.whats(), [Told::Response(503)]);
    // An ACK for a 2xx is no transaction.
    let ack = bench.endpoint.acknowledge(bench.now, request(&ours("ACK")), next_hop, Tag::NONE);
    assert!(ack.is_ok());
    bench.endpoint.release(ack.unwrap());
    bench.run_to(100_000);
    bench.assert_over();
}

#[test]
fn a_busy_user_agent_tells_its_application() {
    let mut bench = node::user_agent_with(config(|_| {}), |profile| profile.limits.calls = 0);
    let contact = |text: String| text.replace("Call-ID", "Contact: <sip:bob@192.0.2.9>\nCall-ID");
    bench.receive(&contact(invite(1)));
    bench.receive(&contact(invite(2)));
    assert_eq!(bench.times("SIP/2.0 486 ").len(), 2);
    let [(0, user_agent::Event::Overload { limit: Limit::CALLS, refused: 1 })] = &bench.events[..] else {
        panic!("{:?}", bench.events);
    };
    // So does one whose endpoint is full.
    let mut bench = node::user_agent(config(|limits| limits.transaction.server_transactions = 0));
    bench.receive(&contact(invite(1)));
    assert_eq!(bench.times("SIP/2.0 503 ").len(), 1);
    let event = &bench.events[0].1;
    assert!(matches!(event, user_agent::Event::Overload { limit: Limit::SERVER_TRANSACTIONS, .. }), "{event:?}");
}

#[test]
fn a_server_that_is_full_tells_its_application() {
    let register = |user: &str, contacts: &str| {
        theirs("REGISTER", &their_via(&format!("z9hG4bK{user}")))
            .replace("REGISTER sip:alice@192.0.2.1", "REGISTER sip:atlanta.com")
            .replace("To: Alice <sip:alice@atlanta.com>", &format!("To: <sip:{user}@atlanta.com>\nContact: {contacts}"))
    };
    let mut bench = node::server_with(config(|_| {}), |settings| {
        settings.registrar.limits = registrar::Limits { addresses_of_record: 1, bindings: 1, ..Default::default() };
        settings.registrar.third_party = true;
    });
    bench.receive(&register("alice", "<sip:alice@192.0.2.9>"));
    bench.receive(&register("carol", "<sip:carol@192.0.2.9>"));
    bench.receive(
        &register("alice", "<sip:alice@192.0.2.9>, <sip:alice@192.0.2.10>")
            .replace("z9hG4bKalice", "z9hG4bKtwo")
            .replace("a84b4c76e66710", "x"),
    );
    let statuses: Vec<&str> = bench.sent.iter().map(|sent| &sent.start_line()[8..11]).collect();
    assert_eq!(statuses, ["200", "503", "403"]);
    let limits: Vec<Limit> = bench.events.iter().filter_map(|(_, event)| overload(event)).collect();
    assert_eq!(limits, [Limit::ADDRESSES_OF_RECORD, Limit::BINDINGS]);

    let mut bench = node::server_with(config(|_| {}), |settings| settings.proxy.limits.response_contexts = 0);
    bench.receive(&invite(1).replace("sip:alice@192.0.2.1 ", "sip:bob@192.0.2.77 "));
    assert!(bench.last().start_line().starts_with("SIP/2.0 503 ") && bench.last().has("Retry-After"));
    assert_eq!(overload(&bench.events[0].1), Some(Limit::RESPONSE_CONTEXTS));
}

fn overload(event: &server::Event) -> Option<Limit> {
    match event {
        server::Event::Overload { limit, refused: 1 } => Some(*limit),
        _ => None,
    }
}

#[test]
fn a_draining_endpoint_begins_nothing_and_ends_what_it_has() {
    let mut bench = Bench::new();
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
    let server = bench.accept();
    let delivery = bench.request(&ours("INVITE"));
    let invite = bench.last().clone();
    bench.receive(&answer(&invite, 180));
    assert!(!bench.endpoint.is_draining());
    bench.endpoint.drain();
    assert!(bench.endpoint.is_draining() && !bench.endpoint.is_drained());

    // Nothing new: 503 with Retry-After, statelessly; and our own requests are refused.
    let told = bench.told.len();
    bench.receive(&theirs("OPTIONS", &their_via("z9hG4bKb")));
    assert!(bench.last().start_line().starts_with("SIP/2.0 503 "));
    assert_eq!(bench.last().header("Retry-After"), "32");
    assert_eq!((bench.told.len(), bench.endpoint.stats().drained, bench.endpoint.stats().refused), (told, 1, 0));
    let next_hop = || NextHop::from(address("192.0.2.9:5060"));
    let refused = bench.endpoint.request(bench.now, request(&ours("BYE")), next_hop(), Tag::NONE, "");
    assert_eq!(refused, Err(CommandError::Draining));

    // A call that is under way goes on: repeated, cancelled, answered, acknowledged.
    bench.run_to(200);
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")));
    assert_eq!(bench.times("SIP/2.0 100"), [200, 200]);
    bench.receive(&theirs("CANCEL", &their_via("z9hG4bKa")));
    assert_eq!(bench.last_told().1, Told::Request("CANCEL".into()));
    let cancel = bench.accept();
    bench.respond(cancel, 200);
    bench.cancel(delivery);
    assert_eq!(bench.times("CANCEL"), [200]);
    bench.receive(&answer(&invite, 487));
    assert_eq!(bench.times("ACK"), [200]);
    bench.arrivals.remove(1);
    bench.respond(server, 487);
    bench.receive(&theirs("ACK", &their_via("z9hG4bKa")));
    let ack = bench.endpoint.acknowledge(bench.now, request(&ours("ACK")), next_hop(), Tag::NONE).unwrap();
    bench.collect();
    bench.endpoint.release(ack);
    assert!(!bench.endpoint.is_drained());
    bench.run_to(100_000);
    assert!(bench.endpoint.is_drained());
    bench.assert_over();
}

#[test]
fn a_draining_attempt_may_still_try_another_address() {
    let mut bench = Bench::new();
    bench.request_to(&ours("INVITE"), host("biloxi.com"));
    bench.endpoint.drain();
    bench.resolve(&["192.0.2.3", "192.0.2.4"]);
    bench.unreachable("192.0.2.3:5060");
    assert_eq!(bench.last().to, "192.0.2.4:5060");
}

#[test]
fn a_draining_node_is_drained_when_its_calls_are_over() {
    let mut bench = node::user_agent(config(|_| {}));
    bench.receive(&invite(1).replace("Call-ID", "Contact: <sip:bob@192.0.2.9>\nCall-ID"));
    let call = bench.node.calls().next().unwrap().call;
    bench.node.drain();
    let bob = "<sip:bob@192.0.2.9>".parse().unwrap();
    assert_eq!(bench.node.call(bench.now, &bob), Err(CommandError::Draining));
    bench.receive(&invite(2));
    assert!(bench.last().start_line().starts_with("SIP/2.0 503 "));
    assert!(!bench.node.is_drained());
    bench.node.reject(bench.now, call, StatusCode::BUSY_HERE).unwrap();
    bench.drain();
    bench.run_to(100_000);
    assert!(bench.node.is_drained());
}

/// An endpoint that listens on IPv4 and IPv6 answers this datagram with at most one, and that hardly longer.
fn stateless(bench: &mut Bench, remote: &str, bytes: &[u8]) -> Option<usize> {
    let remote = address(remote);
    let listener = if remote.is_ipv6() {
        bench.endpoint.listeners().map(|(id, _)| id).last().expect("a listener")
    } else {
        bench.listener
    };
    let _ = bench.endpoint.handle(bench.now, Input::Datagram { listener, remote, bytes });
    while bench.endpoint.indication().is_some() {}
    let mut sent = Vec::new();
    while let Some(output) = bench.endpoint.poll() {
        let Output::Send(transmit) = output else { panic!("{output:?}") };
        sent.push(transmit.bytes.len());
    }
    assert!(sent.len() <= 1, "{sent:?}");
    sent.pop()
}

#[test]
fn a_stateless_answer_is_one_datagram_for_one_and_hardly_longer() {
    let mut full = Bench::with(config(|limits| limits.transaction.server_transactions = 0));
    full.endpoint.listen(Listener::udp(address("[2001:db8::1]:5060")));
    let plain = theirs("OPTIONS", "SIP/2.0/UDP a;branch=z9hG4bKa;rport");
    // As short as can be, and as many lines as an answer copies, each ended by a bare line feed.
    let short =
        "A a:a SIP/2.0\nv:SIP/2.0/UDP a;branch=z9hG4bKa;rport\nf:<a:a>;tag=a\nt:a:a\ni:a\nCSeq:1 A\nMax-Forwards:1\n\n";
    let vias = "v:SIP/2.0/UDP a;branch=z9hG4bKa;rport\n".to_string() + &"v:SIP/2.0/UDP a\n".repeat(127);
    let long = short.replace("v:SIP/2.0/UDP a;branch=z9hG4bKa;rport\n", &vias);
    let remote = "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535";
    let mut worst = 0;
    for text in [&plain, short, &long] {
        let lines: Vec<&str> = text.lines().collect();
        // Whole, and without each of its lines: all that is refused with a 400 or 503, and what is no request at all.
        let mut variants =
            vec![text.to_string(), text.replace("SIP/2.0\n", "SIP/3.0\n"), text.replacen("a:a", "%%", 1)];
        variants.extend((0..lines.len()).map(|gap| {
            lines.iter().enumerate().filter(|(place, _)| *place != gap).map(|(_, line)| format!("{line}\n")).collect()
        }));
        for variant in variants {
            for bytes in [variant.clone().into_bytes(), wire(&variant)] {
                for remote in [remote, "192.0.2.9:5060"] {
                    if let Some(length) = stateless(&mut full, remote, &bytes) {
                        worst = worst.max(length.saturating_sub(bytes.len()));
                    }
                }
            }
        }
    }
    assert!(full.endpoint.stats().refused > 0 && full.endpoint.stats().rejected > 0);
    assert!((100..=Endpoint::ANSWER_GROWTH).contains(&worst), "{worst}");
    assert_eq!(full.endpoint.census().server_transactions, 0);
}

/// Someone who sends an INVITE from an address that is not his, and never answers.
#[test]
fn an_invite_of_a_stranger_costs_a_100_the_provisionals_and_eleven_finals() {
    let with_contact = |text: String| text.replace("Call-ID", "Contact: <sip:bob@192.0.2.9>\nCall-ID");
    for answered in [false, true] {
        let mut bench = node::user_agent(config(|_| {}));
        bench.receive(&with_contact(invite(1)));
        let call = bench.node.calls().next().unwrap().call;
        bench.run_to(1_000);
        bench.node.ring(bench.now, call).unwrap();
        bench.drain();
        // Three more 180s in three minutes.
        bench.run_to(190_000);
        if answered {
            bench.node.answer(bench.now, call, None).unwrap();
        } else {
            bench.node.reject(bench.now, call, StatusCode::BUSY_HERE).unwrap();
        }
        bench.drain();
        bench.run_to(400_000);
        let count = |start| bench.times(start).len();
        let finals = if answered { "SIP/2.0 200" } else { "SIP/2.0 486" };
        assert_eq!((count("SIP/2.0 100"), count("SIP/2.0 180"), count(finals)), (1, 4, 11));
        // A 200 that nobody acknowledges ends in a BYE (§13.3.1.4), which is sent as often as any request.
        assert_eq!(bench.sent.len(), if answered { 16 + 11 } else { 16 });
        assert!(bench.node.is_idle());
    }
    // Nobody decides: the 100, and no more.
    let mut bench = node::user_agent(config(|_| {}));
    bench.receive(&with_contact(invite(1)));
    bench.run_to(Duration::from_secs(3_600).as_millis() as u64);
    assert_eq!(bench.sent.len(), 1);
}
