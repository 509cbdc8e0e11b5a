//! The server between two phones, and between two sipp processes, on loopback: real sockets, real time.
//!
//! Without sipp (Debian's `sip-tester`) the tests that need it say so and pass; with `SANSIP_LIVE=require` they fail then.

#![expect(clippy::disallowed_methods, reason = "real sockets run in real time")]

mod processes;

use std::io::Write;
use std::time::Duration;

use processes::{Call, Outcome, Phone, Server, free_port, pair};

/// Whether the peer is there. If not, says so past the test harness, which keeps what passing tests print.
fn sipp_is_here(test: &str) -> bool {
    if processes::sipp_version().is_some() {
        return true;
    }
    assert!(std::env::var("SANSIP_LIVE").as_deref() != Ok("require"), "sipp is required and was not found");
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: sipp was not found (Debian: apt-get install sip-tester)");
    false
}

#[test]
fn five_hundred_calls_cross_the_server_along_the_recorded_route_and_none_fails() {
    if !sipp_is_here("five hundred calls through the server") {
        return;
    }
    let callee = free_port();
    let mut server = Server::start(&["--record-route", "--route", &format!("bob@biloxi.com=udp:127.0.0.1:{callee}")]);
    let call = Call { calls: 500, loss: 0, talk: Duration::from_millis(500), transport: "u1" };
    let (caller, callee) = pair(server.port, callee, &call);
    assert_eq!((caller.successful, caller.failed), (500, 0), "{caller:?}");
    assert_eq!((callee.successful, callee.failed), (500, 0), "{callee:?}");
    let status = server.status();
    assert!(status.contains("malformed: 0, unusable: 0, foreign: 0, stray: 0, overrun: 0"), "{status}");
    assert!(server.is_idle_within(Duration::from_secs(40)), "{}", server.status());
}

#[test]
fn under_loss_no_more_calls_fail_through_the_server_than_without_it() {
    if !sipp_is_here("calls under loss") {
        return;
    }
    let call = Call { calls: 500, loss: 10, talk: Duration::from_millis(500), transport: "u1" };
    let (with, without) = (free_port(), free_port());
    let mut server = Server::start(&["--record-route", "--route", &format!("bob@biloxi.com=udp:127.0.0.1:{with}")]);
    let port = server.port;
    let (through, direct) = std::thread::scope(|scope| {
        let direct = scope.spawn(|| pair(without, without, &call));
        (pair(port, with, &call), direct.join().unwrap())
    });
    assert_eq!(through.0.successful + through.0.failed, 500, "{through:?}");
    let failed = |pair: &(Outcome, Outcome)| (500 - pair.0.successful, 500 - pair.1.successful);
    let ((caller, callee), (direct_caller, direct_callee)) = (failed(&through), failed(&direct));
    assert!(caller <= direct_caller && callee <= direct_callee, "through it {through:?}, without it {direct:?}");
    let status = server.status();
    assert!(!status.contains("absorbed: 0,"), "nothing was lost: {status}");
    // A call that failed may just have begun its last transaction: timers F and J.
    assert!(server.is_idle_within(Duration::from_secs(70)), "{}", server.status());
}

#[test]
fn calls_that_share_one_tcp_connection_cross_the_server() {
    calls_over_tcp("t1");
}

#[test]
fn calls_with_a_tcp_connection_each_cross_the_server() {
    calls_over_tcp("tn");
}

fn calls_over_tcp(transport: &'static str) {
    if !sipp_is_here("calls over TCP through the server") {
        return;
    }
    let callee = free_port();
    let mut server = Server::start(&["--record-route", "--route", &format!("bob@biloxi.com=tcp:127.0.0.1:{callee}")]);
    let call = Call { calls: 100, loss: 0, talk: Duration::from_millis(500), transport };
    let (caller, callee) = pair(server.tcp, callee, &call);
    assert_eq!((caller.successful, caller.failed), (100, 0), "{caller:?}");
    assert_eq!((callee.successful, callee.failed), (100, 0), "{callee:?}");
    let status = server.status();
    assert!(status.contains("malformed: 0, unusable: 0, foreign: 0, stray: 0, overrun: 0"), "{status}");
    assert!(status.contains("broken_streams: 0, slow_connections: 0, stalled_connections: 0"), "{status}");
    // Timers L and M.
    assert!(server.is_idle_within(Duration::from_secs(40)), "{}", server.status());
}

/// Two example phones at the example server: they register with their passwords, and one calls the other.
fn phones_call(protocol: &str) {
    let server = Server::start(&["--record-route", "--user", "alice:a", "--user", "bob:b"]);
    let port = if protocol == "tcp" { server.tcp } else { server.port };
    let registrar = format!("{protocol}:127.0.0.1:{port}");
    let mut bob = Phone::start("bob", &registrar, "b", &["--answer"]);
    bob.says("registered");
    let mut alice = Phone::start("alice", &registrar, "a", &["--call", "sip:bob@biloxi.com", "--hang-up-after", "1"]);
    alice.says("is established");
    bob.says("is established");
    bob.says("is over");
    assert_eq!((alice.ends(), bob.ends()), (Some(0), Some(0)));
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
    let registrar = format!("udp:127.0.0.1:{}", server.port);
    let mut alice = Phone::start("alice", &registrar, "wrong", &["--answer"]);
    alice.says("not registered");
    assert_eq!(alice.ends(), Some(1));
    let mut alice = Phone::start("alice", &registrar, "a", &["--call", "sip:bob@biloxi.com"]);
    alice.says("came to nothing: 480");
    assert_eq!(alice.ends(), Some(1));
}
