//! TLS: who a connection leads to (RFC 3261 §18, RFC 5922, RFC 5923).

use super::{bench, over};
use crate::bench::{Bench, Told, address, host, ours, theirs};
use sansip::message::Uri;
use sansip::message::header::Protocol;
use sansip::{Change, ConnectionId, Failure, Listener, ListenerId, NextHop};

fn tls_bench() -> (Bench, ListenerId) {
    let (mut bench, _) = bench();
    let listener = Listener::tls(address("192.0.2.1:5061")).with_sent_by("atlanta.com".parse().expect("a host"));
    let tls = bench.endpoint.listen(listener);
    (bench, tls)
}

/// Asks for a connection to this name at this address; which was opened, if one was.
fn request(bench: &mut Bench, name: &str, ip: &str) -> Option<ConnectionId> {
    let before = bench.opened.len();
    bench.request_to(&ours("OPTIONS"), NextHop { protocol: Some(Protocol::Tls), ..host(name) });
    bench.resolve(&[ip]);
    bench.opened.get(before).map(|opened| opened.connection)
}

#[test]
fn a_sips_uri_goes_over_tls_to_port_5061_and_names_the_server() {
    let (mut bench, _) = tls_bench();
    let next_hop = NextHop::of_uri(Uri::parse(b"sips:bob@192.0.2.4").unwrap()).unwrap();
    bench.request_to(&ours("OPTIONS"), next_hop);
    let opened = bench.opened[0].clone();
    assert_eq!((opened.protocol, &*opened.to), (Protocol::Tls, "192.0.2.4:5061"));
    assert_eq!(opened.server_name.as_deref(), Some("192.0.2.4"));
    bench.open();
    assert!(bench.last().header("Via").starts_with("SIP/2.0/TLS atlanta.com;branch="));
}

#[test]
fn a_sips_uri_never_goes_without_tls() {
    let (mut bench, _) = bench();
    bench.request_to(&ours("OPTIONS"), NextHop::of_uri(Uri::parse(b"sips:bob@192.0.2.4").unwrap()).unwrap());
    assert_eq!((bench.sent.len(), bench.opened.len()), (0, 0));
    assert_eq!(bench.whats(), [Told::Failed(Failure::Transport)]);
}

#[test]
fn the_name_asked_for_is_that_of_the_next_hop_and_not_of_an_address() {
    let (mut bench, _) = tls_bench();
    request(&mut bench, "biloxi.com", "192.0.2.4").unwrap();
    assert_eq!(bench.opened[0].server_name.as_deref(), Some("biloxi.com"));
}

#[test]
fn an_open_connection_is_reused_for_the_names_it_has_proved_and_for_no_other() {
    let (mut bench, _) = tls_bench();
    let connection = request(&mut bench, "biloxi.com", "192.0.2.4").unwrap();
    // While it opens only the name asked for is known.
    assert_eq!(request(&mut bench, "biloxi.com", "192.0.2.4"), None);
    let other = request(&mut bench, "chicago.com", "192.0.2.4").unwrap();
    bench.change(connection, Change::Opened { identities: &["biloxi.com", "sip.Biloxi.example"] });
    bench.change(other, Change::Opened { identities: &["chicago.com"] });
    for (name, along) in [("biloxi.com", connection), ("SIP.biloxi.example", connection), ("chicago.com", other)] {
        assert_eq!(request(&mut bench, name, "192.0.2.4"), None);
        assert_eq!(bench.last().flow.connection, Some(along), "{name}");
    }
    // Another name, another address, another port, another protocol.
    assert!(request(&mut bench, "denver.com", "192.0.2.4").is_some());
    assert!(request(&mut bench, "biloxi.com", "192.0.2.5").is_some());
}

/// The example of RFC 5923 §5: P1 has opened a connection to P2, which sends requests back along it.
fn aliased(via: &str, identities: &[&str]) -> (Bench, ConnectionId) {
    let (mut bench, tls) = tls_bench();
    let connection = bench.accepted(tls, "192.0.2.1:49152");
    if !identities.is_empty() {
        bench.change(connection, Change::Opened { identities });
    }
    bench.receive_along(connection, &theirs("INVITE", via));
    (bench, connection)
}

const ALIAS: &str = "SIP/2.0/TLS p1.example.com;branch=z9hG4bKa7c8dze;alias";

#[test]
fn an_authenticated_alias_is_reused_for_requests_to_its_advertised_address() {
    let (mut bench, connection) = aliased(ALIAS, &["example.com", "p1.example.com"]);
    for name in ["p1.example.com", "example.com"] {
        assert_eq!(request(&mut bench, name, "192.0.2.1"), None, "{name}");
        assert_eq!(bench.last().flow.connection, Some(connection));
    }
    assert!(request(&mut bench, "p2.example.net", "192.0.2.1").is_some(), "another name");
    assert!(request(&mut bench, "p1.example.com", "192.0.2.2").is_some(), "another address");
    let opened = bench.opened.len();
    bench.change(connection, Change::Closed);
    // Each request that went along it goes once more, over a new connection for each name.
    assert_eq!(bench.opened.len(), opened + 2, "it is gone");
}

#[test]
fn the_port_of_an_alias_is_that_of_its_sent_by() {
    let (mut bench, connection) = aliased(&ALIAS.replace(".com;", ".com:5071;"), &["p1.example.com"]);
    let to = |port| NextHop { port: Some(port), protocol: Some(Protocol::Tls), ..host("p1.example.com") };
    bench.request_to(&ours("OPTIONS"), to(5071));
    bench.resolve(&["192.0.2.1"]);
    assert_eq!(bench.last().flow.connection, Some(connection));
    bench.request_to(&ours("OPTIONS"), to(5061));
    bench.resolve(&["192.0.2.1"]);
    assert_eq!(bench.opened.len(), 1);
}

#[test]
fn no_alias_without_the_parameter_without_proof_or_under_another_name() {
    for (via, identities) in
        [(ALIAS.trim_end_matches(";alias"), &["p1.example.com"][..]), (ALIAS, &[]), (ALIAS, &["attacker.example"])]
    {
        let (mut bench, _) = aliased(via, identities);
        assert!(request(&mut bench, "p1.example.com", "192.0.2.1").is_some(), "{via} {identities:?}");
        // Nor for the name that it has: it advertised another.
        assert!(request(&mut bench, "attacker.example", "192.0.2.1").is_some(), "{via} {identities:?}");
    }
}

/// RFC 5923 §3: without TLS nobody knows who is at the other end.
#[test]
fn no_alias_without_tls() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("INVITE", "SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKa;alias"));
    bench.request_to(&ours("OPTIONS"), over(Protocol::Tcp));
    assert_eq!(bench.opened.len(), 1);
}

#[test]
fn a_response_over_tls_that_needs_a_new_connection_goes_to_the_name_of_sent_by() {
    let (mut bench, connection) = aliased(ALIAS, &["p1.example.com"]);
    let server = bench.accept();
    bench.change(connection, Change::Closed);
    bench.respond(server, 200);
    let opened = &bench.opened[0];
    assert_eq!((opened.protocol, &*opened.to), (Protocol::Tls, "192.0.2.1:5061"));
    assert_eq!(opened.server_name.as_deref(), Some("p1.example.com"));
}
