//! Limits on what peers can make us hold by connections, and slow ones (docs/architecture.md: every table has a limit).

use super::{bench, bench_with, over, their_via, there};
use crate::bench::{Told, host, ours, theirs, wire};
use sansip::message::header::Protocol;
use sansip::{Change, Config, ConnectionId, Failure, Limit, Limits, NextHop, Seed};

fn with_limits(set: impl FnOnce(&mut Limits)) -> Config {
    let mut config = Config::new(Seed::from_u64(1));
    config.rport = false;
    set(&mut config.limits);
    config
}

#[test]
fn above_the_limit_a_new_connection_is_closed_and_counted_and_the_old_ones_go_on() {
    for set in [
        (|limits: &mut Limits| limits.transport.connections = 2) as fn(&mut Limits),
        |limits| limits.transport.connections_per_address = 2,
        |limits| limits.transport.half_open_connections = 2,
    ] {
        let (mut bench, tcp) = bench_with(with_limits(set));
        let first = bench.accepted(tcp, "192.0.2.9:1001");
        bench.accepted(tcp, "192.0.2.9:1002");
        let third = bench.accepted(tcp, "192.0.2.9:1003");
        assert_eq!(bench.closed, [(0, third)]);
        assert_eq!((bench.endpoint.stats().refused_connections, bench.endpoint.census().connections), (1, 2));
        bench.receive_along(third, &theirs("OPTIONS", &their_via("z9hG4bKb")));
        assert_eq!(bench.whats(), [Told::Overload(Limit::CONNECTIONS, 1)]);
        bench.receive_along(first, &theirs("OPTIONS", &their_via("z9hG4bKa")));
        let server = bench.accept();
        bench.respond(server, 200);
        assert_eq!(bench.last().flow.connection, Some(first));
    }
}

#[test]
fn another_address_and_a_connection_that_brought_a_message_do_not_count_where_they_should_not() {
    let (mut bench, tcp) = bench_with(with_limits(|limits| limits.transport.connections_per_address = 1));
    bench.accepted(tcp, "192.0.2.9:1001");
    bench.accepted(tcp, "192.0.2.10:1001");
    assert!(bench.closed.is_empty());
    let (mut bench, tcp) = bench_with(with_limits(|limits| limits.transport.half_open_connections = 1));
    let first = bench.accepted(tcp, "192.0.2.9:1001");
    bench.receive_along(first, &theirs("OPTIONS", &their_via("z9hG4bKa")));
    bench.accepted(tcp, "192.0.2.9:1002");
    assert!(bench.closed.is_empty());
    // A connection that is closed makes room.
    bench.change(first, Change::Closed);
    let (mut bench, tcp) = bench_with(with_limits(|limits| limits.transport.connections = 1));
    let first = bench.accepted(tcp, "192.0.2.9:1001");
    bench.change(first, Change::Closed);
    bench.accepted(tcp, "192.0.2.9:1001");
    assert!(bench.closed.is_empty());
}

#[test]
fn at_the_limit_a_request_that_needs_a_connection_goes_elsewhere_or_fails() {
    let (mut bench, tcp) = bench_with(with_limits(|limits| limits.transport.connections_per_address = 1));
    bench.accepted(tcp, "192.0.2.3:1001");
    let next_hop = NextHop { protocol: Some(Protocol::Tcp), ..host("biloxi.com") };
    bench.request_to(&ours("OPTIONS"), next_hop);
    bench.resolve(&["192.0.2.3", "192.0.2.4"]);
    assert_eq!(bench.opened[0].to, "192.0.2.4:5060");
    bench.accepted(tcp, "192.0.2.9:1001");
    bench.request_to(&ours("MESSAGE"), there());
    assert_eq!(bench.whats(), [Told::Failed(Failure::Transport)]);
    assert_eq!(bench.endpoint.stats().refused_connections, 2);
}

#[test]
fn a_connection_without_a_message_is_closed_after_64_t1_whatever_else_it_brings() {
    let (mut bench, tcp) = bench();
    let silent = bench.accepted(tcp, "192.0.2.9:1001");
    let pinging = bench.accepted(tcp, "192.0.2.9:1002");
    let junk = bench.accepted(tcp, "192.0.2.9:1003");
    let slow = bench.accepted(tcp, "192.0.2.9:1004");
    for second in 1..=32 {
        bench.run_to(second * 1_000 - 1);
        bench.stream(pinging, b"\r\n\r\n");
        bench.stream(junk, b"junk\r\nl: 0\r\n\r\n");
        bench.stream(slow, b"a");
        assert_eq!(bench.closed, []);
    }
    bench.run_to(32_000);
    let at = |connection: ConnectionId| (32_000, connection);
    assert_eq!(bench.closed, [at(silent), at(pinging), at(junk), at(slow)]);
    assert_eq!(bench.endpoint.stats().slow_connections, 4);
    bench.assert_over();
}

#[test]
fn a_message_that_is_not_whole_after_64_t1_ends_its_connection() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:1001");
    bench.receive_along(connection, &theirs("INVITE", &their_via("z9hG4bKa")));
    let server = bench.accept();
    bench.respond(server, 180);
    let next = wire(&theirs("OPTIONS", &their_via("z9hG4bKb")));
    bench.run_to(10_000);
    for (index, octet) in next[..40].iter().enumerate() {
        bench.stream(connection, &[*octet]);
        bench.run_to(10_000 + (index as u64 + 1) * 799);
    }
    assert_eq!(bench.closed, []);
    bench.run_to(42_000);
    assert_eq!(bench.closed, [(42_000, connection)]);
    // The call goes on: its next response opens a connection.
    bench.respond(server, 200);
    assert_eq!(bench.opened.len(), 1);
}

#[test]
fn each_message_has_64_t1_of_its_own() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:1001");
    let message = wire(&theirs("ACK", &their_via("z9hG4bKa")));
    let (front, back) = message.split_at(50);
    bench.stream(connection, front);
    for round in 1..=4 {
        bench.run_to(round * 20_000);
        bench.stream(connection, &[back, front].concat());
    }
    assert_eq!((bench.told.len(), bench.closed.len()), (4, 0));
    bench.run_to(111_999);
    assert_eq!(bench.closed, []);
    bench.run_to(112_000);
    assert_eq!(bench.closed, [(112_000, connection)]);
}

#[test]
fn octets_of_unfinished_messages_are_bounded_over_all_connections() {
    let (mut bench, tcp) = bench_with(with_limits(|limits| limits.transport.unfinished_octets = 1_000));
    let first = bench.accepted(tcp, "192.0.2.9:1001");
    let second = bench.accepted(tcp, "192.0.2.9:1002");
    bench.stream(first, &[b'a'; 600]);
    bench.stream(second, &[b'a'; 400]);
    assert!(bench.closed.is_empty());
    bench.stream(second, b"a");
    assert_eq!(bench.closed, [(0, second)]);
    assert_eq!(bench.endpoint.stats().refused_connections, 1);
    assert_eq!(bench.whats()[0], Told::Overload(Limit::UNFINISHED_OCTETS, 1));
    // Its octets are free again.
    bench.stream(first, &[b'a'; 400]);
    assert_eq!(bench.closed.len(), 1);
}

/// A connection is not closed without the answer that can be given, and what else goes on along it goes another way (RFC 3261
/// §18.2.2, §18.3).
#[test]
fn a_request_that_meets_the_limit_of_unfinished_octets_gets_513_before_the_end() {
    let (mut bench, tcp) = bench_with(with_limits(|limits| limits.transport.unfinished_octets = 1_000));
    let connection = bench.accepted(tcp, "192.0.2.9:1001");
    bench.receive_along(connection, &theirs("INVITE", &their_via("z9hG4bKa")));
    let server = bench.accept();
    bench.respond(server, 180);
    let body = theirs("MESSAGE", &their_via("z9hG4bKb")).replace("Content-Length: 0", "Content-Length: 2000");
    bench.receive_along(connection, &(body + &"x".repeat(1_000)));
    assert_eq!(bench.last().start_line(), "SIP/2.0 513 Message Too Large");
    assert_eq!((bench.last().flow.connection, &bench.closed[..]), (Some(connection), &[(0, connection)][..]));
    assert_eq!((bench.last().branch(), bench.last().header("CSeq")), ("z9hG4bKb", "314159 MESSAGE"));
    bench.respond(server, 200);
    assert_eq!((bench.opened.len(), bench.endpoint.census().server_transactions), (1, 1));
    bench.open();
    assert!(bench.last().start_line().starts_with("SIP/2.0 200 "));
}

#[test]
fn of_a_header_section_that_is_too_long_the_lines_that_came_whole_are_enough_for_an_answer() {
    let whole = theirs("OPTIONS", &their_via("z9hG4bKa")).replace("Content-Length: 0\n\n", "");
    let answered = |begun: &str| {
        let (mut bench, tcp) = bench_with(with_limits(|limits| limits.message.header_section = 1_000));
        let connection = bench.accepted(tcp, "192.0.2.9:1001");
        let begun = String::from_utf8(wire(begun)).unwrap();
        bench.stream(connection, begun.as_bytes());
        bench.stream(connection, "x".repeat(1_001 - begun.len()).as_bytes());
        assert_eq!(bench.closed, [(0, connection)]);
        bench.sent.iter().map(|sent| sent.start_line().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(answered(&format!("{whole}Subject: ")), ["SIP/2.0 513 Message Too Large"]);
    // The last line that an answer copies may go on, or has not come.
    assert_eq!(answered(whole.trim_end()), [""; 0]);
    assert_eq!(answered(&format!("{whole} ")), [""; 0]);
    assert_eq!(answered(&whole.replace("Call-ID: a84b4c76e66710\n", "Subject: ")), [""; 0]);
    assert_eq!(answered(&format!("{whole}Subject: ").replace("OPTIONS", "ACK")), [""; 0]);
}

#[test]
fn what_is_sent_to_a_stalled_connection_is_bounded() {
    let (mut bench, tcp) = bench_with(with_limits(|limits| limits.transport.stalled_octets = 1_000));
    let connection = bench.accepted(tcp, "192.0.2.9:1001");
    bench.receive_along(connection, &theirs("INVITE", &their_via("z9hG4bKa")));
    let server = bench.accept();
    for _ in 0..20 {
        bench.respond(server, 180);
    }
    assert!(bench.closed.is_empty(), "the driver takes it all");
    bench.change(connection, Change::Stalled);
    let (octets, before) = (bench.last().text.len(), bench.sent.len());
    for _ in 0..1_000 / octets {
        bench.respond(server, 180);
    }
    bench.change(connection, Change::Writable);
    bench.change(connection, Change::Stalled);
    for _ in 0..1_000 / octets {
        bench.respond(server, 180);
    }
    assert_eq!((bench.closed.len(), bench.sent.len() - before), (0, 2 * (1_000 / octets)));
    bench.respond(server, 180);
    assert_eq!((&bench.closed[..], bench.endpoint.stats().stalled_connections), (&[(0, connection)][..], 1));
    // It was not sent; where else it might go nobody listens, and that is told; the transaction stays.
    bench.change(bench.opened[0].connection, Change::Failed);
    assert!(bench.whats().contains(&Told::Unsent));
    assert!(bench.whats().contains(&Told::Overload(Limit::STALLED_OCTETS, 1)));
    assert_eq!(bench.endpoint.census().server_transactions, 1);
}

#[test]
fn above_the_limit_of_outputs_messages_are_dropped_whole_and_the_stream_stays_readable() {
    let (mut bench, tcp) = bench_with(with_limits(|limits| limits.transport.outputs = 2));
    let connection = bench.accepted(tcp, "192.0.2.9:1001");
    bench.draining = false;
    let bad = theirs("OPTIONS", &their_via("z9hG4bKa")).replace("Call-ID: a84b4c76e66710\n", "");
    let stream = wire(&bad.repeat(5));
    bench.stream(connection, &stream[..stream.len() - 9]);
    assert_eq!((bench.endpoint.census().outputs, bench.endpoint.stats().overrun), (2, 2));
    bench.drain();
    bench.stream(connection, &stream[stream.len() - 9..]);
    assert_eq!((bench.endpoint.census().outputs, bench.endpoint.stats().overrun), (1, 2));
}

#[test]
fn a_name_that_was_reserved_costs_nothing() {
    let (mut bench, _) = bench();
    for _ in 0..1_000 {
        bench.endpoint.reserve();
    }
    bench.assert_over();
    bench.request_to(&ours("OPTIONS"), over(Protocol::Tcp));
    assert_eq!(bench.opened.len(), 1);
}
