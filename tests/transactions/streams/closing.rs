//! When connections end (RFC 3261 §18).

use super::{bench, their_via, there};
use crate::bench::{Told, address, answer, ours, theirs};
use sansip::Change;

#[test]
fn a_connection_is_closed_after_64_t1_of_idleness() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("OPTIONS", &their_via("z9hG4bKa")));
    let server = bench.accept();
    bench.run_to(1_000);
    bench.respond(server, 200);
    bench.run_to(1_000);
    assert!(bench.endpoint.is_idle(), "an open connection is no business");
    assert_eq!(bench.endpoint.census().connections, 1);
    bench.run_to(32_999);
    assert_eq!(bench.closed, []);
    bench.run_to(33_000);
    assert_eq!(bench.closed, [(33_000, connection)]);
    assert_eq!(bench.last_told().1, Told::FlowFailed(address("192.0.2.9:49152")));
    bench.assert_over();
}

#[test]
fn a_connection_is_never_closed_while_a_transaction_uses_it() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("INVITE", &their_via("z9hG4bKa")));
    let server = bench.accept();
    bench.respond(server, 180);
    bench.run_to(180_000);
    assert_eq!(bench.closed, []);
    bench.respond(server, 486);
    assert_eq!(bench.last().flow.connection, Some(connection));
    // Timer H, then 64·T1.
    bench.run_to(300_000);
    assert_eq!(bench.closed, [(244_000, connection)]);
    bench.assert_over();
}

#[test]
fn a_connection_of_ours_is_kept_for_a_long_call_set_up() {
    let (mut bench, _) = bench();
    bench.request_to(&ours("INVITE"), there());
    let connection = bench.open();
    let invite = bench.last().clone();
    bench.receive_along(connection, &answer(&invite, 180));
    bench.run_to(170_000);
    assert_eq!(bench.closed, []);
    bench.receive_along(connection, &answer(&invite, 200));
    // Timer M, then 64·T1.
    bench.run_to(400_000);
    assert_eq!(bench.closed, [(234_000, connection)]);
}

#[test]
fn each_message_and_each_keep_alive_begins_the_idleness_anew() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("ACK", &their_via("z9hG4bKa")));
    for minute in 1..=5 {
        bench.run_to(minute * 30_000);
        bench.stream(connection, b"\r\n\r\n");
        assert_eq!((bench.last().text.as_str(), bench.last().flow.connection), ("\r\n", Some(connection)));
    }
    // Nothing is no use.
    bench.run_to(160_000);
    bench.stream(connection, b"");
    bench.run_to(181_999);
    assert_eq!(bench.closed, []);
    bench.run_to(182_000);
    assert_eq!(bench.closed, [(182_000, connection)]);
}

#[test]
fn a_connection_that_the_driver_closes_is_gone_at_once() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.change(connection, Change::Closed);
    assert_eq!((bench.closed.len(), bench.endpoint.census().connections), (0, 0));
    bench.assert_over();
}
