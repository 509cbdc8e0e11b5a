//! Requests to a group and from one (RFC 3261 §10.2.6, §17.1.3, §18.1.1, §18.2.2).

use crate::bench::{Bench, HERE, Told, address, answer, ours, parameter, theirs};
use sansip::message::Uri;
use sansip::{Input, Listener, NextHop};

fn to_uri(bench: &mut Bench, method: &str, uri: &str) {
    let next_hop = NextHop::of_uri(Uri::parse(uri.as_bytes()).expect("a URI")).expect("a next hop");
    bench.request_to(&ours(method), next_hop);
}

#[test]
fn a_request_to_a_group_says_so_in_its_via_and_goes_one_hop() {
    let mut bench = Bench::new();
    // "All SIP servers", sip.mcast.net.
    to_uri(&mut bench, "REGISTER", "sip:224.0.1.75");
    let sent = bench.last();
    assert_eq!((sent.to.as_str(), sent.ttl), ("224.0.1.75:5060", Some(1)));
    assert_eq!(parameter(sent.header("Via"), "maddr"), Some("224.0.1.75"));
    assert_eq!(parameter(sent.header("Via"), "ttl"), Some("1"));
    // Its retransmission is the same.
    bench.run_to(500);
    assert_eq!((bench.sent[1].at, bench.sent[1].ttl, &bench.sent[1].text), (500, Some(1), &bench.sent[0].text));
}

#[test]
fn a_uri_may_say_the_group_and_how_far() {
    let mut bench = Bench::new();
    to_uri(&mut bench, "INVITE", "sip:alice@atlanta.com;maddr=239.255.255.1;ttl=15");
    let sent = bench.last();
    assert_eq!((sent.to.as_str(), sent.ttl), ("239.255.255.1:5060", Some(15)));
    assert_eq!(parameter(sent.header("Via"), "maddr"), Some("239.255.255.1"));
    assert_eq!(parameter(sent.header("Via"), "ttl"), Some("15"));
}

#[test]
fn what_goes_to_one_alone_says_nothing_of_the_kind() {
    let mut bench = Bench::new();
    to_uri(&mut bench, "INVITE", "sip:alice@atlanta.com;maddr=192.0.2.77;ttl=15");
    let sent = bench.last();
    assert_eq!((sent.to.as_str(), sent.ttl), ("192.0.2.77:5060", None));
    let via = sent.header("Via");
    assert_eq!((parameter(via, "maddr"), parameter(via, "ttl")), (None, None));
}

/// RFC 3261 §18.1.1: the parameter ttl is for IPv4 alone.
#[test]
fn a_group_of_ipv6_is_named_without_a_ttl() {
    let mut bench = Bench::new();
    bench.endpoint.listen(Listener::udp(address("[2001:db8::1]:5060")));
    to_uri(&mut bench, "REGISTER", "sip:[ff02::101]");
    let via = bench.last().header("Via");
    assert_eq!((parameter(via, "maddr"), parameter(via, "ttl")), (Some("[ff02::101]"), None));
}

/// §17.1.3: the first response is used, the others are seen as its retransmissions, whoever they come from.
#[test]
fn of_several_responses_the_first_final_one_wins() {
    let mut bench = Bench::new();
    to_uri(&mut bench, "REGISTER", "sip:224.0.1.75");
    let register = bench.last().clone();
    let of = |server: &str, status| answer(&register, status).replace("99sa0xk", server);
    bench.receive_from("192.0.2.10:5060", &of("one", 200));
    bench.receive_from("192.0.2.11:5060", &of("two", 200));
    bench.receive_from("192.0.2.12:5060", &of("three", 403));
    assert_eq!(bench.whats(), [Told::Response(200)]);
    assert_eq!(bench.endpoint.stats().absorbed, 2);
    bench.run_to(5_000);
    bench.receive_from("192.0.2.13:5060", &of("four", 200));
    assert_eq!((bench.whats().len(), bench.endpoint.stats().stray), (2, 1));
    bench.assert_over();
}

/// The way back of a request with this Via that came to a group.
fn way_back(via: &str) -> (String, Option<u8>, bool) {
    way_back_within(via, 16)
}

/// As [`way_back`], where the listener of the group lets responses go so far.
fn way_back_within(via: &str, ttl: u8) -> (String, Option<u8>, bool) {
    let mut bench = Bench::new();
    let group = bench.endpoint.listen(Listener::udp(address("224.0.1.75:5060")).with_ttl(ttl));
    let text = theirs("REGISTER", via).replace('\n', "\r\n");
    bench.handle(Input::Datagram { listener: group, remote: address("192.0.2.9:40000"), bytes: text.as_bytes() });
    let server = bench.accept();
    bench.respond(server, 200);
    let sent = bench.last();
    (sent.to.clone(), sent.ttl, sent.flow.listener == bench.listener)
}

#[test]
fn a_response_to_a_group_goes_to_maddr_as_far_as_the_via_says() {
    // Never from the address of the group itself.
    assert_eq!(
        way_back("SIP/2.0/UDP 192.0.2.9;maddr=224.0.1.75;ttl=16;branch=z9hG4bKa"),
        ("224.0.1.75:5060".into(), Some(16), true)
    );
    assert_eq!(
        way_back("SIP/2.0/UDP 192.0.2.9:5070;maddr=224.0.1.75;branch=z9hG4bKa"),
        ("224.0.1.75:5070".into(), Some(1), true)
    );
    assert_eq!(way_back("SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa"), ("192.0.2.9:5060".into(), None, true));
}

/// Whoever sends a request to a group has no response go farther, or to another group, than its listener has joined for.
#[test]
fn a_response_goes_no_farther_than_the_listener_of_its_group_and_to_no_other() {
    let via = "SIP/2.0/UDP 192.0.2.9;maddr=224.0.1.75;ttl=255;branch=z9hG4bKa";
    assert_eq!(way_back_within(via, 1), ("224.0.1.75:5060".into(), Some(1), true));
    assert_eq!(way_back_within(via, 32).1, Some(32));
    assert_eq!(Listener::udp(address("224.0.1.75:5060")).ttl, 1);
    let other = "SIP/2.0/UDP 192.0.2.9;maddr=239.255.255.1;ttl=16;branch=z9hG4bKa";
    assert_eq!(way_back(other), ("192.0.2.9:5060".into(), None, true));
    // A request that came to an address of our own was for no group.
    let mut bench = Bench::new();
    bench.endpoint.listen(Listener::udp(address("224.0.1.75:5060")));
    bench.receive_from("192.0.2.9:40000", &theirs("OPTIONS", via));
    let server = bench.accept();
    bench.respond(server, 200);
    assert_eq!(bench.last().to, "192.0.2.9:5060");
}

#[test]
fn nothing_is_sent_from_a_group() {
    let mut bench = Bench::new();
    bench.endpoint = sansip::Endpoint::new(bench.endpoint.config().clone());
    bench.endpoint.listen(Listener::udp(address("224.0.1.75:5060")));
    bench.listener = bench.endpoint.listen(Listener::udp(address(HERE)));
    bench.request(&ours("OPTIONS"));
    assert_eq!(bench.last().flow.listener, bench.listener);
}
