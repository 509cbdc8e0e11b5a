//! The transport layer (RFC 3261 §18, RFC 3581), bad input and limits.

use crate::bench::{Bench, HERE, THERE, Told, address, answer, ours, parameter, their_via, theirs};
use sansip::message::{HostPort, StatusCode};
use sansip::transport::Network;
use sansip::{Config, Failure, Input, Limit, Listener, NextHop, Seed};

/// The topmost Via of the last arrival, and where the response to it goes.
fn way_back(via: &str, remote: &str) -> (String, String) {
    way_back_at(Listener::udp(address(HERE)), via, remote)
}

/// As [`way_back`], at this listener.
fn way_back_at(listener: Listener, via: &str, remote: &str) -> (String, String) {
    let mut bench = Bench::new();
    bench.endpoint.move_listener(bench.now, bench.listener, listener).expect("a listener");
    bench.receive_from(remote, &theirs("OPTIONS", via));
    let server = bench.accept();
    bench.respond(server, 200);
    let sent = bench.last();
    (sent.header("Via").to_string(), sent.to.clone())
}

#[test]
fn a_response_goes_to_sent_by_if_that_is_the_source() {
    let (via, to) = way_back("SIP/2.0/UDP 192.0.2.9:5080;branch=z9hG4bKa", "192.0.2.9:40000");
    assert_eq!(via, "SIP/2.0/UDP 192.0.2.9:5080;branch=z9hG4bKa");
    assert_eq!(to, "192.0.2.9:5080");
}

#[test]
fn a_sent_by_that_is_a_name_is_marked_with_the_source() {
    let (via, to) = way_back("SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bKa", "192.0.2.4:40000");
    assert_eq!(parameter(&via, "received"), Some("192.0.2.4"));
    assert_eq!(to, "192.0.2.4:5060");
    let (_, to) = way_back("SIP/2.0/UDP bobspc.biloxi.com;branch=z9hG4bKa", "192.0.2.4:40000");
    assert_eq!(to, "192.0.2.4:5060");
}

#[test]
fn a_sent_by_that_differs_from_the_source_is_marked_with_it() {
    let (via, to) = way_back("SIP/2.0/UDP 10.1.1.1:4540;branch=z9hG4bKa", "192.0.2.1:9988");
    assert_eq!(parameter(&via, "received"), Some("192.0.2.1"));
    assert_eq!(to, "192.0.2.1:4540");
}

/// The example of RFC 3581 §6.
#[test]
fn rport_brings_the_response_to_the_source_port() {
    let (via, to) = way_back("SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff", "192.0.2.1:9988");
    assert_eq!(parameter(&via, "received"), Some("192.0.2.1"));
    assert_eq!(parameter(&via, "rport"), Some("9988"));
    assert_eq!(to, "192.0.2.1:9988");
}

/// RFC 3581 §4: with rport there is a received even if it equals sent-by.
#[test]
fn rport_is_never_without_received() {
    let (via, _) = way_back("SIP/2.0/UDP 192.0.2.9;rport;branch=z9hG4bKa", "192.0.2.9:5060");
    assert_eq!(parameter(&via, "received"), Some("192.0.2.9"));
    assert_eq!(parameter(&via, "rport"), Some("5060"));
}

#[test]
fn a_received_that_the_peer_wrote_itself_counts_for_nothing() {
    let (via, to) = way_back("SIP/2.0/UDP 192.0.2.9;received=203.0.113.1;branch=z9hG4bKa", "192.0.2.9:5060");
    assert_eq!(parameter(&via, "received"), Some("192.0.2.9"));
    assert_eq!(to, "192.0.2.9:5060");
}

/// Where the listener follows a maddr in that network: else anybody could send a response to anybody.
#[test]
fn a_response_goes_to_maddr_at_the_port_of_sent_by() {
    let via = "SIP/2.0/UDP 192.0.2.9:5070;maddr=192.0.2.200;branch=z9hG4bKa";
    let follows = |prefix| {
        let network = Network { address: address(HERE).ip(), prefix };
        way_back_at(Listener::udp(address(HERE)).with_maddr([network]), via, "192.0.2.9:40000").1
    };
    assert_eq!(follows(24), "192.0.2.200:5070");
    assert_eq!(follows(28), "192.0.2.9:5070");
    // As if it were absent: received and rport hold.
    assert_eq!(way_back(via, "192.0.2.9:40000").1, "192.0.2.9:5070");
    assert_eq!(way_back(&via.replace("maddr", "rport;maddr"), "192.0.2.9:40000").1, "192.0.2.9:40000");
}

#[test]
fn the_response_leaves_where_the_request_came_in() {
    let mut bench = Bench::new();
    let second = bench.endpoint.listen(Listener::udp(address("192.0.2.2:5060")));
    let text = theirs("OPTIONS", &their_via("z9hG4bKa")).replace('\n', "\r\n");
    bench.handle(Input::Datagram { listener: second, remote: address(THERE), bytes: text.as_bytes() });
    bench.draining = false;
    let server = bench.accept();
    bench.respond(server, 200);
    let Some(sansip::Output::Send(transmit)) = bench.endpoint.poll() else { panic!("the response") };
    assert_eq!(transmit.flow.listener, second);
}

#[test]
fn an_advertised_address_stands_in_our_via_and_is_ours() {
    let mut config = Config::new(Seed::from_u64(1));
    config.rport = false;
    let mut bench = Bench::with(config);
    let listener = Listener::udp(address("10.0.0.1:5070")).with_sent_by("sip.example.com:5060".parse().unwrap());
    bench.endpoint = sansip::Endpoint::new(Config::new(Seed::from_u64(1)));
    bench.listener = bench.endpoint.listen(listener);
    bench.request(&ours("INVITE"));
    let invite = bench.last().clone();
    assert!(invite.header("Via").starts_with("SIP/2.0/UDP sip.example.com:5060;"));
    bench.receive(&answer(&invite, 200));
    assert_eq!(bench.whats(), [Told::Response(200)]);
    for (name, ours) in [
        ("sip.example.com", true),
        ("SIP.example.com:5060", true),
        ("10.0.0.1:5070", true),
        ("10.0.0.1", false),
        ("sip.example.com:5070", false),
        ("example.com", false),
    ] {
        assert_eq!(bench.endpoint.is_ours(HostPort::parse(name.as_bytes()).unwrap()), ours, "{name}");
    }
}

#[test]
fn an_invalid_request_is_answered_with_400_under_a_tag_that_stays_the_same() {
    let mut bench = Bench::new();
    let text = theirs("INVITE", &their_via("z9hG4bKa")).replace("Call-ID: a84b4c76e66710\n", "");
    bench.receive(&text);
    bench.run_to(500);
    bench.receive(&text);
    assert_eq!(bench.told, []);
    let [first, second] = &bench.sent.clone()[..] else { panic!("two answers: {:?}", bench.sent) };
    assert!(first.start_line().starts_with("SIP/2.0 400 "));
    assert!(first.start_line().contains("call identifier"), "{}", first.start_line());
    assert_eq!(first.text, second.text);
    let tag = parameter(first.header("To"), "tag").expect("a tag of ours");
    bench.receive(&text.replace("z9hG4bKa", "z9hG4bKb"));
    assert_ne!(parameter(bench.last().header("To"), "tag"), Some(tag));
    assert_eq!(bench.endpoint.stats().rejected, 3);
    bench.assert_over();
}

#[test]
fn an_invalid_ack_is_never_answered() {
    let mut bench = Bench::new();
    bench.receive(&theirs("ACK", &their_via("z9hG4bKa")).replace("Call-ID: a84b4c76e66710\n", ""));
    assert_eq!((bench.sent.len(), bench.told.len()), (0, 0));
    assert_eq!(bench.endpoint.stats().unusable, 1);
}

#[test]
fn without_a_usable_via_there_is_silence() {
    let mut bench = Bench::new();
    let text = theirs("INVITE", &their_via("z9hG4bKa"));
    bench.receive(&text.replace("Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\n", ""));
    bench.receive(&text.replace("SIP/2.0/UDP 192.0.2.9;", "nonsense;;;"));
    bench.receive(&text.replace("SIP/2.0/UDP 192.0.2.9;", "SIP/2.0/UDP ;"));
    assert_eq!((bench.sent.len(), bench.told.len()), (0, 0));
    assert_eq!(bench.endpoint.stats().unusable, 3);
}

#[test]
fn a_via_that_is_malformed_behind_its_sent_by_still_brings_a_400_to_the_sender() {
    let mut bench = Bench::new();
    let bad = ("192.0.2.9;", "192.0.2.9;;,;,,");
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKa")).replace(bad.0, bad.1));
    assert_eq!((bench.sent.len(), bench.told.len()), (1, 0));
    assert_eq!((bench.last().start_line(), &*bench.last().to), ("SIP/2.0 400 Bad return address", THERE));
    bench.receive(&theirs("ACK", &their_via("z9hG4bKa")).replace(bad.0, bad.1));
    assert_eq!((bench.sent.len(), bench.endpoint.stats().unusable), (1, 1));
}

#[test]
fn what_is_no_sip_is_dropped_and_counted() {
    let mut bench = Bench::new();
    for text in ["", "\n\n", "hello", "GET / HTTP/1.1\nHost: a\n\n", "SIP/2.0 99999 Odd\n\n"] {
        bench.receive(text);
    }
    assert_eq!((bench.sent.len(), bench.told.len()), (0, 0));
    assert_eq!((bench.endpoint.stats().malformed, bench.endpoint.stats().received), (5, 5));
}

#[test]
fn a_response_that_lacks_what_is_needed_is_dropped() {
    let mut bench = Bench::new();
    bench.request(&ours("INVITE"));
    let ok = answer(&bench.sent[0], 200);
    bench.receive(&ok.replace("CSeq: 986759 INVITE\n", ""));
    bench.receive(&ok.replace("Call-ID: 987asjd97y7atg\n", ""));
    bench.receive(&ok.replace("Via:", "X-Via:"));
    assert_eq!(bench.endpoint.stats().unusable, 3);
    assert_eq!(bench.told, []);
}

#[test]
fn at_the_limit_a_new_request_gets_503_with_retry_after_and_nothing_else_suffers() {
    let mut config = Config::new(Seed::from_u64(1));
    config.limits.transaction.server_transactions = 1;
    let mut bench = Bench::with(config);
    let invite = theirs("INVITE", &their_via("z9hG4bKa"));
    bench.receive(&invite);
    let server = bench.accept();
    bench.receive(&theirs("INVITE", &their_via("z9hG4bKb")));
    assert!(bench.last().start_line().starts_with("SIP/2.0 503 "));
    assert_eq!(bench.last().header("Retry-After"), "32");
    let told = [Told::Request("INVITE".into()), Told::Overload(Limit::SERVER_TRANSACTIONS, 1)];
    assert_eq!(bench.whats(), told);
    // Its ACK finds nothing and costs nothing.
    bench.receive(&theirs("ACK", &their_via("z9hG4bKb")));
    assert_eq!(bench.endpoint.census().server_transactions, 1);
    // The call in progress goes on: repeated, cancelled, answered.
    bench.receive(&invite);
    bench.receive(&theirs("CANCEL", &their_via("z9hG4bKa")));
    assert_eq!(bench.last_told().1, Told::Request("CANCEL".into()));
    bench.respond(server, 180);
    assert_eq!(bench.endpoint.stats().refused, 1);
}

#[test]
fn above_the_limit_of_outputs_datagrams_are_dropped_and_counted() {
    let mut config = Config::new(Seed::from_u64(1));
    config.limits.transport.outputs = 2;
    let mut bench = Bench::with(config);
    bench.draining = false;
    let bad = theirs("INVITE", &their_via("z9hG4bKa")).replace("Call-ID: a84b4c76e66710\n", "");
    for _ in 0..5 {
        bench.receive(&bad);
    }
    assert_eq!(bench.endpoint.census().outputs, 2);
    assert_eq!(bench.endpoint.stats().overrun, 3);
    bench.drain();
    bench.receive(&bad);
    assert_eq!(bench.endpoint.stats().overrun, 3);
}

#[test]
fn a_datagram_at_no_listener_of_ours_is_dropped() {
    let mut bench = Bench::new();
    let nowhere = sansip::ListenerId::from_parts(7, 7);
    bench.handle(Input::Datagram {
        listener: nowhere,
        remote: address(THERE),
        bytes: b"OPTIONS sip:a@b SIP/2.0\r\n\r\n",
    });
    assert_eq!(bench.endpoint.stats().unlistened, 1);
}

#[test]
fn a_stateless_reply_leaves_nothing_behind() {
    let mut bench = Bench::new();
    bench.receive(&theirs("OPTIONS", "SIP/2.0/UDP pc.example.com;rport;branch=z9hG4bKa"));
    let arrival = bench.arrivals[0].clone();
    let tag = bench.endpoint.stateless_tag(&arrival.request);
    let response = sansip::message::Response::to(&arrival.request, StatusCode::NOT_FOUND).to_tag(&tag).finish();
    bench.endpoint.reply(bench.now, &arrival, response.unwrap());
    bench.collect();
    assert_eq!(bench.last().to, THERE);
    bench.assert_over();
}

#[test]
fn a_request_that_cannot_be_answered_anywhere_is_dropped() {
    let mut bench = Bench::new();
    bench.receive(&theirs("OPTIONS", "SIP/2.0/UDP 192.0.2.9:0;branch=z9hG4bKa"));
    assert_eq!((bench.sent.len(), bench.told.len()), (0, 0));
    assert_eq!(bench.endpoint.stats().unusable, 1);
}

/// RFC 5118 §4.5: no brackets in our `received`, and either way in what comes back.
#[test]
fn ipv6_senders_are_marked_without_brackets_and_answered_at_the_port_of_sent_by() {
    let mut bench = Bench::new();
    let listener = bench.endpoint.listen(Listener::udp(address("[2001:db8::1]:5060")));
    for (sent_by, to) in [
        ("pc.biloxi.com", "[2001:db8::9:255]:5060"),
        ("[2001:db8::9:1]:5070", "[2001:db8::9:255]:5070"),
        ("[2001:db8::9:255]", "[2001:db8::9:255]:5060"),
    ] {
        let text = theirs("OPTIONS", &format!("SIP/2.0/UDP {sent_by};branch=z9hG4bK{}", to.len() + sent_by.len()));
        let remote = address("[2001:db8::9:255]:40000");
        bench.handle(Input::Datagram { listener, remote, bytes: text.replace('\n', "\r\n").as_bytes() });
        let server = bench.accept();
        bench.respond(server, 200);
        let received = parameter(bench.last().header("Via"), "received").map(String::from);
        let differs = sent_by != "[2001:db8::9:255]";
        assert_eq!(received.as_deref(), differs.then_some("2001:db8::9:255"), "{sent_by}");
        assert_eq!(bench.last().to, to);
    }
}

#[test]
fn an_ipv6_next_hop_is_reached_from_an_ipv6_listener_with_brackets_in_the_via() {
    let mut bench = Bench::new();
    bench.endpoint.listen(Listener::udp(address("[2001:db8::1]:5062")));
    bench.request_to(&ours("OPTIONS"), crate::bench::host("[2001:db8::9]"));
    assert_eq!(bench.last().to, "[2001:db8::9]:5060");
    assert!(bench.last().header("Via").starts_with("SIP/2.0/UDP [2001:db8::1]:5062;branch="));
    let register = bench.last().clone();
    // A server may write received with brackets or without: it is not ours to read.
    bench.receive(&answer(&register, 200).replace(";branch", ";received=[2001:db8::1];branch"));
    assert_eq!(bench.whats(), [Told::Response(200)]);
}

/// A request from the peer whose datagram has that many bytes, nearly all of them header section.
fn of_length(length: usize) -> String {
    let request = theirs("OPTIONS", "SIP/2.0/UDP there.example.com;branch=z9hG4bKlong;rport");
    let wire_length = |text: &str| text.len() + text.matches('\n').count();
    let padded = |filler: usize| request.replace("Max-Forwards", &format!("X: {}\nMax-Forwards", "x".repeat(filler)));
    padded(length - wire_length(&padded(0)))
}

/// RFC 3261 §18.1.1: 65,535 bytes with the headers of IP and UDP.
#[test]
fn the_largest_datagram_is_taken() {
    let mut bench = Bench::new();
    bench.receive(&of_length(65_507));
    assert_eq!(bench.whats(), [Told::Request("OPTIONS".into())]);
    let server = bench.accept();
    bench.respond(server, 200);
    assert!(bench.last().start_line().starts_with("SIP/2.0 200 "));
}

#[test]
fn what_only_our_notes_make_too_large_gets_513() {
    let mut config = Config::new(Seed::from_u64(1));
    config.limits.message.header_section = 65_535;
    let mut bench = Bench::with(config);
    bench.receive(&of_length(65_530));
    assert!(bench.whats().is_empty());
    assert_eq!(bench.last().start_line(), "SIP/2.0 513 Message Too Large");
    assert_eq!(bench.endpoint.stats().rejected, 1);
}

#[test]
fn a_request_that_our_via_makes_too_large_fails_as_513() {
    let mut bench = Bench::new();
    let request = ours("OPTIONS").replace("Max-Forwards", &format!("X: {}\nMax-Forwards", "x".repeat(65_300)));
    bench.request_to(&request, NextHop::from(address("192.0.2.9:5060")));
    assert_eq!(bench.whats(), [Told::Failed(Failure::TooLarge)]);
    assert_eq!(Failure::TooLarge.status(), StatusCode::MESSAGE_TOO_LARGE);
}
