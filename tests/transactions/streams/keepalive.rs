//! Keep-alives of ours (RFC 5626 §3.5.1, §4.4.1).

use super::{bench, their_via, there};
use crate::bench::{Told, address, answer, ours, theirs};
use sansip::{Change, CommandError, Failure, Flow};

#[test]
fn a_ping_is_two_line_ends_and_a_pong_keeps_the_flow() {
    let (mut bench, _) = bench();
    bench.request_to(&ours("OPTIONS"), there());
    let connection = bench.open();
    let ok = answer(bench.last(), 200);
    bench.receive_along(connection, &ok);
    let flow = bench.last().flow;
    for minute in 1..=10 {
        bench.endpoint.ping(bench.now, flow).unwrap();
        bench.collect();
        assert_eq!((bench.last().text.as_str(), bench.last().flow), ("\r\n\r\n", flow));
        bench.run_to(minute * 20_000 - 11_000);
        bench.stream(connection, b"\r\n");
        bench.run_to(minute * 20_000);
    }
    assert!(bench.closed.is_empty());
}

#[test]
fn without_a_pong_within_10_seconds_the_flow_has_failed() {
    let (mut bench, _) = bench();
    bench.request_to(&ours("OPTIONS"), there());
    let connection = bench.open();
    let flow = bench.last().flow;
    bench.run_to(1_000);
    bench.endpoint.ping(bench.now, flow).unwrap();
    bench.run_to(5_000);
    // Neither another ping nor a message is a pong.
    bench.endpoint.ping(bench.now, flow).unwrap();
    bench.receive_along(connection, &theirs("ACK", &their_via("z9hG4bKa")));
    bench.run_to(10_999);
    assert!(bench.closed.is_empty());
    bench.run_to(11_000);
    assert_eq!(bench.closed, [(11_000, connection)]);
    let told = &bench.whats()[1..];
    assert_eq!(told, [Told::Failed(Failure::Transport), Told::FlowFailed(address("192.0.2.9:5060"))]);
    assert_eq!(bench.endpoint.ping(bench.now, flow), Err(CommandError::Gone));
}

#[test]
fn a_flow_that_is_closed_has_failed_too() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.change(connection, Change::Closed);
    assert_eq!(bench.whats(), [Told::FlowFailed(address("192.0.2.9:49152"))]);
}

#[test]
fn only_an_open_connection_can_be_pinged() {
    let (mut bench, _) = bench();
    let datagrams = Flow::datagram(bench.listener, address("192.0.2.9:5060"));
    assert_eq!(bench.endpoint.ping(bench.now, datagrams), Err(CommandError::Invalid("flow")));
    bench.request_to(&ours("OPTIONS"), there());
    let flow = Flow { connection: Some(bench.opened[0].connection), ..datagrams };
    assert_eq!(bench.endpoint.ping(bench.now, flow), Err(CommandError::Gone));
}
