//! Requests that need a connection (RFC 3261 §18, §18.1.1).

use super::{bench, over, there};
use crate::bench::{Told, address, answer, host, ours, theirs};
use sansip::message::header::Protocol;
use sansip::{Change, Failure, NextHop, Tag};

#[test]
fn a_connection_is_opened_on_demand_and_nothing_is_sent_before() {
    let (mut bench, _) = bench();
    bench.request_to(&ours("INVITE"), there());
    assert_eq!((bench.sent.len(), bench.opened.len()), (0, 1));
    let opened = bench.opened[0].clone();
    assert_eq!((opened.protocol, &*opened.to, opened.server_name), (Protocol::Tcp, "192.0.2.9:5060", None));
    assert!(!bench.endpoint.is_idle());
    bench.run_to(3_000);
    bench.open();
    assert_eq!((bench.last().at, bench.last().flow.connection), (3_000, Some(opened.connection)));
    assert!(bench.last().header("Via").starts_with("SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK"));
    // Nothing is sent again, and timer B started with the attempt.
    bench.run_to(100_000);
    assert_eq!(bench.times("INVITE"), [3_000]);
    assert!(bench.told.contains(&(35_000, Told::Failed(Failure::Timeout))));
}

#[test]
fn several_requests_wait_for_one_connection_and_go_out_in_their_order() {
    let (mut bench, _) = bench();
    for method in ["INVITE", "OPTIONS", "MESSAGE"] {
        bench.request_to(&ours(method), there());
    }
    assert_eq!(bench.opened.len(), 1);
    bench.open();
    let methods: Vec<&str> = bench.sent.iter().map(|sent| sent.start_line().split(' ').next().unwrap()).collect();
    assert_eq!(methods, ["INVITE", "OPTIONS", "MESSAGE"]);
}

/// A request that is taken back while its connection opens leaves nothing behind, however often that happens.
#[test]
fn a_request_that_is_withdrawn_or_cancelled_waits_for_its_connection_no_more() {
    let (mut bench, _) = bench();
    for _ in 0..100 {
        let withdrawn = bench.request_to(&ours("OPTIONS"), there());
        assert!(bench.endpoint.withdraw(withdrawn));
        let cancelled = bench.request_to(&ours("INVITE"), there());
        bench.cancel(cancelled);
    }
    let stays = bench.request_to(&ours("MESSAGE"), there());
    let census = bench.endpoint.census();
    assert_eq!((bench.opened.len(), census.waiting, census.deliveries), (1, 1, 1));
    bench.open();
    assert_eq!((bench.sent.len(), bench.endpoint.census().waiting), (1, 0));
    assert!(bench.last().start_line().starts_with("MESSAGE") && !bench.endpoint.withdraw(stays));
}

#[test]
fn an_open_connection_to_the_very_same_address_port_and_protocol_is_reused() {
    let (mut bench, tcp) = bench();
    let ephemeral = bench.accepted(tcp, "192.0.2.9:49152");
    let exact = bench.accepted(tcp, "192.0.2.9:5060");
    bench.request_to(&ours("OPTIONS"), there());
    assert_eq!(bench.last().flow.connection, Some(exact));
    assert_ne!(exact, ephemeral);
    bench.change(exact, Change::Closed);
    bench.request_to(&ours("MESSAGE"), there());
    assert_eq!(bench.opened.len(), 1);
}

#[test]
fn a_response_may_come_by_another_connection() {
    let (mut bench, tcp) = bench();
    bench.request_to(&ours("OPTIONS"), there());
    bench.open();
    let other = bench.accepted(tcp, "192.0.2.9:49152");
    let ok = answer(bench.last(), 200);
    bench.receive_along(other, &ok);
    assert_eq!(bench.last_told().1, Told::Response(200));
    assert_eq!(bench.flows[0].connection, Some(other), "the flow to keep alive (RFC 5626 §4.2)");
}

#[test]
fn a_request_whose_connection_fails_goes_to_the_next_address() {
    let (mut bench, _) = bench();
    let next_hop = NextHop { protocol: Some(Protocol::Tcp), ..host("biloxi.com") };
    bench.request_to(&ours("INVITE"), next_hop);
    bench.resolve(&["192.0.2.3", "192.0.2.4"]);
    let first = bench.opened[0].clone();
    assert_eq!(first.to, "192.0.2.3:5060");
    bench.change(first.connection, Change::Failed);
    assert_eq!(bench.opened[1].to, "192.0.2.4:5060");
    bench.open();
    assert_eq!(bench.last().to, "192.0.2.4:5060");
    assert_eq!((bench.sent.len(), bench.endpoint.stats().failovers), (1, 1));
}

#[test]
fn without_another_address_it_fails() {
    let (mut bench, _) = bench();
    bench.request_to(&ours("INVITE"), there());
    let connection = bench.opened[0].connection;
    bench.change(connection, Change::Failed);
    assert_eq!(bench.whats(), [Told::Failed(Failure::Transport)]);
    bench.assert_over();
}

/// Nobody says how long a connection may take to open; a dead address must not take longer than a dead server.
#[test]
fn an_opening_that_takes_too_long_is_given_up_and_closed() {
    let (mut bench, _) = bench();
    bench.request_to(&ours("INVITE"), there());
    bench.run_to(7_999);
    assert_eq!(bench.told, []);
    bench.run_to(8_000);
    assert_eq!(bench.told, [(8_000, Told::Failed(Failure::Transport))]);
    assert_eq!(bench.closed, [(8_000, bench.opened[0].connection)]);
    bench.assert_over();
}

#[test]
fn a_cancel_while_the_connection_opens_just_ends_the_request() {
    let (mut bench, _) = bench();
    let delivery = bench.request_to(&ours("INVITE"), there());
    bench.cancel(delivery);
    assert_eq!(bench.whats(), [Told::Failed(Failure::Cancelled)]);
    bench.open();
    assert_eq!(bench.sent, []);
    assert!(bench.endpoint.is_idle());
}

#[test]
fn a_connection_that_breaks_is_told_to_the_requests_along_it_and_to_no_other() {
    let (mut bench, _) = bench();
    bench.request_to(&ours("OPTIONS"), there());
    let broken = bench.open();
    bench.request_to(&ours("MESSAGE"), NextHop { protocol: Some(Protocol::Tcp), ..address("192.0.2.10:5060").into() });
    bench.open();
    bench.request(&ours("INFO"));
    bench.change(broken, Change::Closed);
    let failed = bench.whats().iter().filter(|told| **told == Told::Failed(Failure::Transport)).count();
    assert_eq!((failed, bench.endpoint.census().client_transactions), (1, 2));
}

/// Figure 5: an INVITE that is proceeding waits; the server will open a connection for its response (§18.2.2).
#[test]
fn an_invite_with_a_provisional_response_outlives_its_connection() {
    let (mut bench, tcp) = bench();
    bench.request_to(&ours("INVITE"), there());
    let connection = bench.open();
    let invite = bench.last().clone();
    bench.receive_along(connection, &answer(&invite, 180));
    bench.change(connection, Change::Closed);
    let other = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(other, &answer(&invite, 486));
    assert!(bench.whats().contains(&Told::Response(486)));
    // The ACK goes where the INVITE went, along a new connection (RFC 5923 §8.1).
    assert_eq!((bench.opened.len(), &*bench.opened[1].to), (2, "192.0.2.9:5060"));
    assert_eq!(bench.last().flow.connection, Some(bench.opened[1].connection));
    assert_eq!((bench.last().start_line(), bench.last().branch()), ("ACK sip:bob@biloxi.com SIP/2.0", invite.branch()));
}

#[test]
fn a_request_along_a_flow_uses_that_connection_whatever_its_address() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("REGISTER", &super::their_via("z9hG4bKa")));
    let flow = bench.arrivals[0].flow;
    assert_eq!(flow.connection, Some(connection));
    bench.request_to(&ours("INVITE"), NextHop::from(flow));
    assert_eq!((bench.last().flow, &*bench.last().to), (flow, "192.0.2.9:49152"));
    bench.change(connection, Change::Closed);
    bench.told.clear();
    bench.request_to(&ours("OPTIONS"), NextHop::from(flow));
    assert_eq!(bench.whats(), [Told::Failed(Failure::Transport)]);
    assert!(bench.opened.is_empty());
}

#[test]
fn a_flow_of_datagrams_is_a_listener_and_an_address() {
    let (mut bench, _) = bench();
    let second = bench.endpoint.listen(sansip::Listener::udp(address("192.0.2.2:5060")));
    let flow = sansip::Flow::datagram(second, address("192.0.2.9:40000"));
    bench.request_to(&ours("OPTIONS"), NextHop::from(flow));
    assert_eq!(bench.last().flow, flow);
}

#[test]
fn an_ack_waits_for_its_connection_and_is_repeated_along_another_if_that_is_gone() {
    let (mut bench, _) = bench();
    let ack = crate::bench::request(&ours("ACK"));
    let delivery = bench.endpoint.acknowledge(bench.now, ack, there(), Tag::NONE).unwrap();
    bench.collect();
    bench.endpoint.repeat(bench.now, delivery).unwrap();
    bench.collect();
    assert_eq!(bench.sent, []);
    let first = bench.open();
    bench.change(first, Change::Closed);
    bench.endpoint.repeat(bench.now, delivery).unwrap();
    bench.collect();
    let [one, two] = &bench.sent[..] else { panic!("two ACKs: {:?}", bench.sent) };
    assert_eq!(one.text, two.text);
    assert_eq!(two.flow.connection, Some(bench.opened[1].connection));
    bench.endpoint.release(delivery);
}

#[test]
fn without_a_listener_of_the_protocol_there_is_no_way() {
    let (mut bench, _) = bench();
    bench.request_to(&ours("OPTIONS"), over(Protocol::Sctp));
    assert_eq!(bench.whats(), [Told::Failed(Failure::Transport)]);
}

#[test]
fn a_request_without_content_length_gets_one_on_a_stream() {
    let (mut bench, _) = bench();
    bench.request_to(&ours("OPTIONS").replace("Content-Length: 0\n", ""), there());
    bench.open();
    assert_eq!(bench.last().header("Content-Length"), "0");
}

/// A far end that closes a connection at the moment at which it is used again may have seen the request or not: the second copy is a
/// retransmission to it (RFC 3261 §17.2.3), so that it has the same branch.
#[test]
fn a_request_on_a_reused_connection_that_is_closed_at_that_moment_goes_once_more_over_a_new_one() {
    for change in [Change::Closed, Change::Ended] {
        let (mut bench, tcp) = bench();
        let reused = bench.accepted(tcp, "192.0.2.9:5060");
        let other = bench.accepted(tcp, "192.0.2.9:5060");
        bench.request_to(&ours("MESSAGE"), there());
        let first = bench.last().clone();
        assert_eq!(first.flow.connection, Some(reused));
        bench.change(reused, change);
        assert_eq!((bench.whats().len(), bench.opened.len()), (usize::from(change == Change::Closed), 1), "{change:?}");
        bench.open();
        let second = bench.last().clone();
        assert!(second.flow.connection != Some(reused) && second.flow.connection != Some(other));
        assert_eq!(first.text, second.text);
        // Not a third time.
        bench.change(second.flow.connection.unwrap(), Change::Closed);
        assert!(bench.whats().contains(&Told::Failed(Failure::Transport)));
        assert_eq!(bench.opened.len(), 1);
    }
}

#[test]
fn a_request_that_something_came_back_for_does_not_go_once_more() {
    let (mut bench, tcp) = bench();
    let reused = bench.accepted(tcp, "192.0.2.9:5060");
    bench.request_to(&ours("INVITE"), there());
    let ringing = answer(bench.last(), 180);
    bench.receive_along(reused, &ringing);
    bench.change(reused, Change::Closed);
    assert_eq!((bench.opened.len(), bench.sent.len()), (0, 1));
}
