//! Many calls at once through the server, from sipp to sipp.

use std::process::Command;
use std::time::Duration;

use crate::examples::Server;
use crate::processes::{Process, certificate, free_port, is_here, scratch};
use crate::scenario::Scenario;
use crate::scenarios::{call, call_between};
use crate::sipp::{Calls, Outcome, pair, sipp_is_here};

const TALK: Duration = Duration::from_millis(500);

pub(crate) fn route_to_bob(protocol: &str, port: u16) -> String {
    format!("bob@biloxi.com={protocol}:127.0.0.1:{port}")
}

/// A number of calls, of which none may fail and none may bring anything that the server cannot use.
fn all_succeed(protocol: &str, calls: &Calls) {
    if !sipp_is_here() {
        return;
    }
    let (callee, calls) = (free_port(), &Calls { is_patient: true, ..*calls });
    let mut server = Server::start(&["--record-route", "--route", &route_to_bob(protocol, callee)]);
    let (caller, callee) = pair(server.port_of(protocol), callee, calls, &call());
    assert_eq!((caller.successful, caller.failed), (calls.number, 0), "{caller:?}");
    assert_eq!((callee.successful, callee.failed), (calls.number, 0), "{callee:?}");
    let status = server.status();
    // A stray is a response that comes again after 32 s, as a slow machine has it.
    let unwanted =
        ["malformed", "unusable", "foreign", "overrun", "broken_streams", "slow_connections", "stalled_connections"];
    assert!(!unwanted.iter().any(|name| status.contains(&format!(" {name}="))), "{status}");
    // Timers J, L and M.
    assert!(server.is_idle_within(Duration::from_secs(40)), "{}", server.status());
    server.is_read_by_wireshark();
}

#[test]
fn five_hundred_calls_cross_the_server_along_the_recorded_route_and_none_fails() {
    all_succeed("udp", &Calls { number: 500, talk: TALK, ..Calls::default() });
}

#[test]
fn a_thousand_calls_are_up_at_once() {
    // The first hangs up a second after the last was answered.
    let talk = Duration::from_secs(11);
    all_succeed("udp", &Calls { number: 1000, talk, ..Calls::default() });
}

/// At the same time, as most of it is waiting for timers.
#[test]
fn calls_cross_the_server_on_one_tcp_connection_and_on_one_each() {
    if !sipp_is_here() {
        return;
    }
    let crowd = |transport| all_succeed("tcp", &Calls { number: 100, talk: TALK, transport, ..Calls::default() });
    std::thread::scope(|scope| {
        let shared = scope.spawn(|| crowd("t1"));
        crowd("tn");
        shared.join().expect("those that share one connection");
    });
}

/// stunnel does TLS for both ends, and knows the root that the server trusts.
#[test]
fn calls_cross_the_server_over_tls() {
    if !sipp_is_here() || !is_here("stunnel", "stunnel4") {
        return;
    }
    let [near, far, callee] = [free_port(), free_port(), free_port()];
    let server = Server::with_tls(&["--record-route", "--route", &route_to_bob("tls", far)]);
    let (root, own, key) = (certificate("root.pem"), certificate("biloxi.pem"), certificate("biloxi.key"));
    let settings = scratch(&format!("stunnel_{near}.conf"));
    let text = format!(
        "foreground = yes\npid =\n[near]\nclient = yes\naccept = 127.0.0.1:{near}\nconnect = 127.0.0.1:{}\nCAfile = {root}\n\
         verifyChain = yes\n[far]\naccept = 127.0.0.1:{far}\nconnect = 127.0.0.1:{callee}\ncert = {own}\nkey = {key}\n\
         sslVersionMax = TLSv1.2\n",
        server.port_of("tls")
    );
    std::fs::write(&settings, text).expect("a file is written");
    let mut stunnel = Process::start("stunnel", Command::new("stunnel").arg(&settings));
    stunnel.says("Configuration successful");
    let calls = Calls { number: 100, talk: TALK, transport: "t1", ..Calls::default() };
    let ends = (Scenario::caller().behind_tls(near), Scenario::callee().behind_tls(far));
    let scenarios = call_between(ends);
    let (caller, callee) = pair(near, callee, &calls, &scenarios);
    assert_eq!((caller.successful, caller.failed), (calls.number, 0), "{caller:?}");
    assert_eq!((callee.successful, callee.failed), (calls.number, 0), "{callee:?}");
    server.is_read_by_wireshark();
    let _ = std::fs::remove_file(settings);
}

#[test]
fn under_loss_no_more_calls_fail_through_the_server_than_without_it() {
    if !sipp_is_here() {
        return;
    }
    let calls = Calls { number: 500, loss: 10, talk: TALK, ..Calls::default() };
    let (with, without) = (free_port(), free_port());
    let mut server = Server::start(&["--record-route", "--route", &route_to_bob("udp", with)]);
    let port = server.port;
    let (through, direct) = std::thread::scope(|scope| {
        let direct = scope.spawn(|| pair(without, without, &calls, &call()));
        (pair(port, with, &calls, &call()), direct.join().unwrap())
    });
    assert_eq!(through.0.successful + through.0.failed, 500, "{through:?}");
    let failed = |pair: &(Outcome, Outcome)| (500 - pair.0.successful, 500 - pair.1.successful);
    let ((caller, callee), (direct_caller, direct_callee)) = (failed(&through), failed(&direct));
    assert!(caller <= direct_caller && callee <= direct_callee, "through it {through:?}, without it {direct:?}");
    let status = server.status();
    assert!(status.contains(" absorbed="), "nothing was lost: {status}");
    server.is_read_by_wireshark();
    // A call that failed may just have begun its last transaction: timers F and J.
    assert!(server.is_idle_within(Duration::from_secs(70)), "{}", server.status());
}
