//! Requests too large for a datagram (RFC 3261 §18.1.1).

use super::bench;
use crate::bench::{Bench, Told, answer, ours, theirs};
use sansip::message::header::Protocol;
use sansip::{Change, Config, Failure, Listener, NextHop, Seed};

/// A request of ours that makes a datagram of so many octets.
fn sized(octets: usize) -> String {
    let (mut bench, _) = bench();
    let text = ours("MESSAGE").replace("Content-Length", "Subject: \nContent-Length");
    bench.request(&text);
    let missing = octets - bench.last().text.len();
    text.replace("Subject: ", &format!("Subject: {}", "a".repeat(missing)))
}

#[test]
fn up_to_1300_octets_go_over_udp_and_more_over_tcp() {
    let (mut bench, _) = bench();
    bench.request(&sized(1_300));
    assert_eq!((bench.last().text.len(), bench.opened.len()), (1_300, 0));
    bench.request(&sized(1_301));
    let opened = &bench.opened[0];
    assert_eq!((opened.protocol, &*opened.to), (Protocol::Tcp, "192.0.2.9:5060"));
    assert_eq!(bench.sent.len(), 1);
    bench.open();
    assert!(bench.last().header("Via").starts_with("SIP/2.0/TCP 192.0.2.1;branch="));
    // It is a reliable transport now.
    bench.run_to(20_000);
    assert_eq!(bench.times("MESSAGE").iter().filter(|at| **at > 0).count(), 8 - 1, "timer E of the first alone");
}

#[test]
fn a_known_path_mtu_takes_the_place_of_1500() {
    for (mtu, octets, over_tcp) in
        [(1_000, 800, false), (1_000, 801, true), (9_000, 8_800, false), (9_000, 8_801, true)]
    {
        let mut config = Config::new(Seed::from_u64(1));
        config.rport = false;
        let mut bench = Bench::with(config);
        bench.endpoint = sansip::Endpoint::new(bench.endpoint.config().clone());
        let local = "192.0.2.1:5060".parse().unwrap();
        bench.listener = bench.endpoint.listen(Listener::udp(local).with_mtu(mtu));
        bench.endpoint.listen(Listener::tcp(local));
        bench.request(&sized(octets));
        assert_eq!(bench.opened.len(), usize::from(over_tcp), "{octets} of {mtu}");
    }
}

#[test]
fn without_a_tcp_listener_there_is_only_udp() {
    let mut config = Config::new(Seed::from_u64(1));
    config.rport = false;
    let mut bench = Bench::with(config);
    bench.request(&sized(1_301));
    assert_eq!((bench.last().text.len(), bench.opened.len()), (1_301, 0));
}

#[test]
fn where_no_connection_can_be_opened_the_request_goes_over_udp_after_all() {
    let (mut bench, _) = bench();
    let delivery = bench.request(&sized(1_301));
    bench.run_to(100);
    let connection = bench.opened[0].connection;
    bench.change(connection, Change::Failed);
    assert_eq!(bench.told, []);
    assert_eq!((bench.last().at, bench.last().flow.connection), (100, None));
    assert!(bench.last().header("Via").starts_with("SIP/2.0/UDP 192.0.2.1;branch="));
    let ok = answer(bench.last(), 200);
    bench.receive(&ok);
    bench.run_to(100_000);
    assert_eq!(bench.whats(), [Told::Response(200), Told::Finished]);
    assert!(bench.ended.contains(&delivery));
    bench.assert_over();
}

#[test]
fn an_opening_that_takes_too_long_falls_back_as_well() {
    let (mut bench, _) = bench();
    bench.request(&sized(1_301));
    bench.run_to(8_000);
    assert_eq!((bench.last().at, bench.last().flow.connection), (8_000, None));
}

/// Only a refused connection says that the peer may not know TCP.
#[test]
fn once_it_went_over_tcp_it_does_not_go_over_udp() {
    let (mut bench, _) = bench();
    bench.request(&sized(1_301));
    let connection = bench.open();
    bench.change(connection, Change::Closed);
    assert_eq!(bench.whats()[0], Told::Failed(Failure::Transport));
    assert_eq!(bench.sent.len(), 1);
}

#[test]
fn a_cancel_goes_where_its_large_invite_went() {
    let (mut bench, _) = bench();
    let delivery = bench.request(&sized(1_310).replace("MESSAGE", "INVITE"));
    let connection = bench.open();
    let ringing = answer(bench.last(), 180);
    bench.receive_along(connection, &ringing);
    bench.cancel(delivery);
    assert!(bench.last().start_line().starts_with("CANCEL "));
    assert_eq!(bench.last().flow.connection, Some(connection));
}

#[test]
fn a_large_response_goes_where_the_request_came_from() {
    let (mut bench, _) = bench();
    bench.receive(&theirs("OPTIONS", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa"));
    let server = bench.accept();
    let large = bench.response(200).edit().body("text/plain", &[b'a'; 3_000]).finish().unwrap();
    bench.endpoint.respond(bench.now, server, large).unwrap();
    bench.collect();
    assert_eq!((bench.last().flow.connection, bench.opened.len()), (None, 0));
}

#[test]
fn a_large_request_to_a_group_stays_a_datagram() {
    let (mut bench, _) = bench();
    let group: std::net::SocketAddr = "224.0.1.75:5060".parse().unwrap();
    bench.request_to(&sized(1_400), NextHop::from(group));
    assert_eq!((bench.sent.len(), bench.opened.len()), (1, 0));
}
