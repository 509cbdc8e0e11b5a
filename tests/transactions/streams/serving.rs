//! Requests that come along connections, and where their responses go (RFC 3261 §18.2.2).

use super::{bench, their_via};
use crate::bench::{Told, parameter, theirs, wire};
use sansip::message::Message;
use sansip::message::header::Protocol;
use sansip::{Change, ConnectionId, Input, Listener};

#[test]
fn a_response_goes_back_on_the_connection_that_the_request_came_by() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("OPTIONS", "SIP/2.0/TCP pc.biloxi.com:5070;branch=z9hG4bKa"));
    let server = bench.accept();
    bench.respond(server, 200);
    let sent = bench.last();
    assert_eq!((sent.flow.connection, &*sent.to), (Some(connection), "192.0.2.9:49152"));
    assert_eq!(parameter(sent.header("Via"), "received"), Some("192.0.2.9"));
    assert!(bench.opened.is_empty());
    // Timer J is zero.
    bench.run_to(0);
    assert_eq!(bench.last_told().1, Told::Completed { acknowledged: true });
}

#[test]
fn several_messages_in_one_read_are_settled_one_after_the_other() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    let options = wire(&theirs("OPTIONS", &their_via("z9hG4bKa")));
    let message = wire(&theirs("MESSAGE", &their_via("z9hG4bKb")));
    bench.stream(connection, &[b"\r\n", &options[..], b"\r\n", &message].concat());
    assert_eq!(bench.whats(), [Told::Request("OPTIONS".into()), Told::Request("MESSAGE".into())]);
    assert_eq!(bench.endpoint.stats().received, 2);
}

#[test]
fn a_message_may_come_octet_by_octet() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    for octet in wire(&theirs("OPTIONS", &their_via("z9hG4bKa"))) {
        assert_eq!(bench.told, []);
        bench.stream(connection, &[octet]);
    }
    assert_eq!(bench.whats(), [Told::Request("OPTIONS".into())]);
}

#[test]
fn over_a_connection_that_is_gone_a_response_goes_to_received_at_the_port_of_sent_by() {
    for (via, to) in [
        ("SIP/2.0/TCP pc.biloxi.com:5070;branch=z9hG4bKa", "192.0.2.9:5070"),
        ("SIP/2.0/TCP pc.biloxi.com;branch=z9hG4bKa", "192.0.2.9:5060"),
        // RFC 3581 is for datagrams, and maddr for what has no connection.
        ("SIP/2.0/TCP 10.1.1.1:5072;rport;maddr=192.0.2.77;branch=z9hG4bKa", "192.0.2.9:5072"),
    ] {
        let (mut bench, tcp) = bench();
        let connection = bench.accepted(tcp, "192.0.2.9:49152");
        bench.receive_along(connection, &theirs("OPTIONS", via));
        let server = bench.accept();
        bench.change(connection, Change::Closed);
        bench.respond(server, 200);
        let [opened] = &bench.opened[..] else { panic!("one connection: {:?}", bench.opened) };
        assert_eq!((opened.protocol, &*opened.to), (Protocol::Tcp, to));
        // The driver keeps it until the connection is open.
        assert_eq!(bench.last().flow.connection, Some(opened.connection));
        assert!(bench.last().start_line().starts_with("SIP/2.0 200"));
    }
}

#[test]
fn received_may_be_an_ipv6_address() {
    let (mut bench, _) = bench();
    let tcp = bench.endpoint.listen(Listener::tcp("[2001:db8::1]:5060".parse().unwrap()));
    let connection = bench.accepted(tcp, "[2001:db8::9]:49152");
    bench.receive_along(connection, &theirs("OPTIONS", "SIP/2.0/TCP pc.biloxi.com:5070;branch=z9hG4bKa"));
    let server = bench.accept();
    bench.change(connection, Change::Closed);
    bench.respond(server, 200);
    assert_eq!(bench.opened[0].to, "[2001:db8::9]:5070");
}

#[test]
fn a_connection_that_is_there_is_reused_for_a_response() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("INVITE", "SIP/2.0/TCP pc.biloxi.com:5070;branch=z9hG4bKa"));
    let server = bench.accept();
    bench.respond(server, 180);
    bench.change(connection, Change::Closed);
    assert!(!bench.whats().contains(&Told::Unsent), "what was written may have arrived");
    let other = bench.accepted(tcp, "192.0.2.9:5070");
    bench.respond(server, 486);
    assert_eq!(bench.last().flow.connection, Some(other));
    assert!(bench.opened.is_empty());
}

#[test]
fn a_response_whose_connection_cannot_be_opened_is_told_and_the_transaction_stays() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("INVITE", &their_via("z9hG4bKa")));
    let server = bench.accept();
    bench.change(connection, Change::Closed);
    bench.respond(server, 180);
    let opened = bench.opened[0].connection;
    bench.change(opened, Change::Failed);
    assert_eq!(bench.last_told().1, Told::Unsent);
    assert_eq!(bench.endpoint.census().server_transactions, 1);
    // The next response tries again.
    bench.respond(server, 200);
    assert_eq!(bench.opened.len(), 2);
    bench.open();
    assert_eq!(bench.last().flow.connection, Some(bench.opened[1].connection));
}

#[test]
fn what_was_not_written_when_the_connection_broke_goes_along_another_or_is_told() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("INVITE", &their_via("z9hG4bKa")));
    let server = bench.accept();
    bench.change(connection, Change::Stalled);
    bench.respond(server, 180);
    bench.change(connection, Change::Closed);
    assert!(!bench.whats().contains(&Told::Unsent));
    let [opened] = &bench.opened[..] else { panic!("one connection: {:?}", bench.opened) };
    let (connection, to) = (opened.connection, opened.to.clone());
    assert_eq!((to.as_str(), bench.last().flow.connection), ("192.0.2.9:5060", Some(connection)));
    bench.change(connection, Change::Failed);
    assert!(bench.whats().contains(&Told::Unsent));
}

#[test]
fn a_response_to_a_browser_that_is_gone_goes_nowhere() {
    let (mut bench, _) = bench();
    let ws = bench.endpoint.listen(Listener::ws("192.0.2.1:80".parse().unwrap()));
    let connection = bench.accepted(ws, "192.0.2.9:49152");
    let text = theirs("OPTIONS", "SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKa").replace("Content-Length: 0\n", "");
    // RFC 7118 §5: a message needs no Content-Length.
    bench.handle(Input::Message { connection, bytes: &wire(&text) });
    let server = bench.accept();
    let mut gone = bench.clone();
    bench.respond(server, 200);
    assert_eq!(bench.last().flow.connection, Some(connection));
    gone.change(connection, Change::Closed);
    gone.respond(server, 200);
    assert_eq!((gone.sent.len(), gone.opened.len()), (0, 0));
    assert!(gone.whats().contains(&Told::Unsent));
}

#[test]
fn a_stateless_answer_goes_back_on_the_connection_too() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("OPTIONS", &their_via("z9hG4bKa")).replace("Max-Forwards", "Max-Forwrds"));
    bench
        .receive_along(connection, &theirs("OPTIONS", &their_via("z9hG4bKa")).replace("Call-ID: a84b4c76e66710\n", ""));
    assert!(bench.last().start_line().starts_with("SIP/2.0 400"));
    assert_eq!(bench.last().flow.connection, Some(connection));
    assert!(bench.closed.is_empty());
}

#[test]
fn a_response_without_content_length_gets_one_on_a_stream() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("OPTIONS", &their_via("z9hG4bKa")));
    let server = bench.accept();
    let text = String::from_utf8(bench.response(200).as_bytes().to_vec()).unwrap();
    let text = text.replace("Content-Length: 0\r\n", "");
    let Ok(Message::Response(passed_on)) = Message::parse(text.as_bytes(), &Default::default()) else {
        panic!("{text}")
    };
    assert!(!text.contains("Content-Length"));
    bench.endpoint.respond(bench.now, server, passed_on).unwrap();
    bench.collect();
    assert_eq!(bench.last().header("Content-Length"), "0");
}

#[test]
fn what_comes_on_a_connection_that_was_never_accepted_is_nothing() {
    let (mut bench, tcp) = bench();
    let reserved = bench.endpoint.reserve();
    bench.receive_along(reserved, &theirs("OPTIONS", &their_via("z9hG4bKa")));
    bench.change(reserved, Change::Closed);
    // Nor is a name that was never given out.
    let unknown = ConnectionId::from_parts(77, 7);
    bench.handle(Input::Accepted { listener: tcp, connection: unknown, remote: "192.0.2.9:1".parse().unwrap() });
    bench.receive_along(unknown, &theirs("OPTIONS", &their_via("z9hG4bKa")));
    // Nor a connection to a listener of datagrams.
    let connection = bench.endpoint.reserve();
    let listener = bench.listener;
    bench.handle(Input::Accepted { listener, connection, remote: "192.0.2.9:1".parse().unwrap() });
    assert_eq!(bench.closed, [(0, connection)]);
    assert_eq!((bench.told.len(), bench.sent.len()), (0, 0));
    bench.assert_over();
}

/// A far end that has ended its side of the connection gets its answers along it, and then the connection is closed.
#[test]
fn a_half_closed_connection_carries_the_answer_and_is_closed_after_it() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("OPTIONS", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKhalf"));
    let server = bench.accept();
    bench.change(connection, Change::Ended);
    bench.run_to(5_000);
    bench.respond(server, 200);
    assert_eq!((bench.last().start_line(), bench.last().flow.connection), ("SIP/2.0 200 OK", Some(connection)));
    // Timer J is zero: the transaction is over, and so is the connection.
    bench.run_to(5_001);
    assert_eq!((bench.closed.as_slice(), bench.endpoint.census().connections), (&[(5_000, connection)][..], 0));
}

#[test]
fn a_half_closed_connection_that_nobody_uses_is_closed_at_once_and_takes_nothing_more() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    let options = theirs("OPTIONS", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKhalf");
    bench.receive_along(connection, &options[..40]);
    bench.change(connection, Change::Ended);
    bench.receive_along(connection, &options[40..]);
    bench.run_to(1);
    assert_eq!((bench.closed.as_slice(), bench.endpoint.census().connections), (&[(0, connection)][..], 0));
    assert_eq!(bench.endpoint.stats().received, 0);
}
