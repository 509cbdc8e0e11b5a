//! Two example phones at the example server.

use crate::examples::{Server, phone};

/// They register with their passwords, and one calls the other.
fn phones_call(protocol: &str) {
    let server = Server::start(&["--record-route", "--user", "alice:a", "--user", "bob:b"]);
    let registrar = server.registrar(protocol);
    let mut bob = phone("bob", &registrar, "b", &["--answer"]);
    bob.says("registered");
    let mut alice = phone("alice", &registrar, "a", &["--call", "sip:bob@biloxi.com", "--hang-up-after", "1"]);
    alice.says("is established");
    bob.says("is established");
    bob.says("is over");
    assert_eq!((alice.ends(), bob.ends()), (Some(0), Some(0)));
    server.is_read_by_wireshark();
}

#[test]
fn a_phone_calls_another_through_the_server_over_udp() {
    phones_call("udp");
}

#[test]
fn a_phone_calls_another_through_the_server_over_tcp() {
    phones_call("tcp");
}

#[test]
fn a_phone_that_is_not_let_in_or_reaches_nobody_ends_with_a_failure() {
    let server = Server::start(&["--user", "alice:a", "--user", "bob:b"]);
    let registrar = server.registrar("udp");
    let mut alice = phone("alice", &registrar, "wrong", &["--answer"]);
    alice.says("not registered");
    assert_eq!(alice.ends(), Some(1));
    let mut alice = phone("alice", &registrar, "a", &["--call", "sip:bob@biloxi.com"]);
    alice.says("came to nothing: 480");
    assert_eq!(alice.ends(), Some(1));
}
