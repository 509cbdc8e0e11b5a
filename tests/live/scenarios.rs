//! Calls of two sipp processes with each other through the server, and with the server itself.

use std::net::UdpSocket;
use std::time::Duration;

use crate::examples::Server;
use crate::processes::free_port;
use crate::scenario::{CREDENTIALS, NONE, SDP, Scenario};
use crate::sipp::{Calls, alone, pair, sipp_is_here};

/// A caller whose call is ringing.
fn calling(offer: &str) -> Scenario {
    Scenario::caller().asks("INVITE", NONE, offer).may_hear(100).may_hear(180)
}

/// A callee that rings.
fn ringing() -> Scenario {
    Scenario::callee().takes("INVITE").says(180, NONE, NONE)
}

/// The caller hangs up.
fn hangs_up(caller: Scenario, callee: Scenario) -> (Scenario, Scenario) {
    (caller.asks("BYE", NONE, NONE).may_hear(100).hears(200), callee.takes("BYE").says(200, NONE, NONE))
}

/// A call that is established.
fn established((caller, callee): (Scenario, Scenario)) -> (Scenario, Scenario) {
    let caller = caller.asks("INVITE", NONE, SDP).may_hear(100).may_hear(180).hears(200).acknowledges(NONE);
    let callee = callee.takes("INVITE").says(180, NONE, NONE).says(200, NONE, SDP).takes("ACK");
    (caller, callee)
}

/// A call that the caller ends.
pub(crate) fn call_between(ends: (Scenario, Scenario)) -> (Scenario, Scenario) {
    let (caller, callee) = established(ends);
    hangs_up(caller.talks(), callee)
}

/// A call that the caller ends; both stay for what is sent again late.
pub(crate) fn call() -> (Scenario, Scenario) {
    let (caller, callee) = call_between((Scenario::caller(), Scenario::callee()));
    (caller.lingers(), callee.lingers())
}

/// Bob, called through the server, which stays on the path.
fn through_the_server(scenarios: &(Scenario, Scenario)) {
    if !sipp_is_here() {
        return;
    }
    let callee = free_port();
    let route = |user| format!("{user}@biloxi.com=udp:127.0.0.1:{callee}");
    let options = ["--record-route", "--route", &route("bob"), "--route", &route("carol")];
    let mut server = Server::start(&options);
    let calls = Calls::default();
    let (caller, callee) = pair(server.port, callee, &calls, scenarios);
    assert_eq!((caller.successful, caller.failed), (calls.number, 0), "{caller:?}");
    assert_eq!((callee.successful, callee.failed), (calls.number, 0), "{callee:?}");
    server.has_used_all_messages();
    server.is_read_by_wireshark();
}

/// A caller whom the server answers itself.
fn at_the_server(options: &[&str], scenario: &Scenario) {
    if !sipp_is_here() {
        return;
    }
    let server = Server::start(options);
    let calls = Calls::default();
    let caller = alone(server.port, &calls, scenario);
    assert_eq!((caller.successful, caller.failed), (calls.number, 0), "{caller:?}");
}

/// A call that is cancelled while it rings.
pub(crate) fn cancelled((caller, callee): (Scenario, Scenario)) -> (Scenario, Scenario) {
    let caller = caller.asks("INVITE", NONE, SDP).may_hear(100).hears(180).waits(50).cancels();
    let caller = caller.hears(200).hears_of_invite(487).acknowledges_refusal(NONE);
    let callee = callee.takes("INVITE").says(180, NONE, NONE);
    let callee = callee.takes("CANCEL").says(200, NONE, NONE).says_to_invite(487, NONE, NONE).takes("ACK");
    (caller, callee)
}

#[test]
fn a_call_is_cancelled_while_it_rings() {
    through_the_server(&cancelled((Scenario::caller(), Scenario::callee().keeping_its_invite(2))));
}

#[test]
fn a_callee_is_busy() {
    let callee = ringing().says(486, NONE, NONE).takes("ACK");
    through_the_server(&(calling(SDP).hears(486).acknowledges_refusal(NONE), callee));
}

const CAROL: &str = "Contact: <sip:carol@biloxi.com>\n";

#[test]
fn a_redirection_reaches_the_caller() {
    let callee = Scenario::callee().takes("INVITE").says(302, CAROL, NONE).takes("ACK");
    through_the_server(&(calling(SDP).hears(302).acknowledges_refusal(NONE), callee));
}

#[test]
fn a_redirection_is_followed_by_the_caller() {
    let caller = calling(SDP).hears(302).acknowledges_refusal(NONE).towards("sip:carol@biloxi.com");
    let caller = caller.asks("INVITE", NONE, SDP).may_hear(100).may_hear(180).hears(200).acknowledges(NONE);
    let callee = Scenario::callee().takes("INVITE").says(302, CAROL, NONE).takes("ACK");
    let callee = callee.takes("INVITE").says(180, NONE, NONE).says(200, NONE, SDP).takes("ACK");
    through_the_server(&hangs_up(caller, callee));
}

#[test]
fn a_user_that_the_domain_does_not_have_is_not_found() {
    let caller = calling(SDP).hears(404).acknowledges_refusal(NONE);
    at_the_server(&[], &caller);
}

#[test]
fn a_callee_that_says_nothing_is_given_up_after_timer_b() {
    // A socket that nobody reads: nothing comes back, not even from the system.
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let route = format!("bob@biloxi.com=udp:{}", silent.local_addr().expect("an address"));
    at_the_server(&["--route", &route], &calling(SDP).hears(408).acknowledges_refusal(NONE));
}

/// A call whose session is changed by either end, and which the callee ends.
pub(crate) fn changed(ends: (Scenario, Scenario)) -> (Scenario, Scenario) {
    let (caller, callee) = established(ends);
    let caller = caller.talks().asks("INVITE", NONE, SDP).may_hear(100).hears(200).acknowledges(NONE);
    let callee = callee.takes("INVITE").says(200, NONE, SDP).takes("ACK");
    let callee = callee.waits(100).asks("INVITE", NONE, SDP).may_hear(100).hears(200).acknowledges(NONE);
    let caller = caller.takes("INVITE").says(200, NONE, SDP).takes("ACK");
    let callee = callee.waits(100).asks("BYE", NONE, NONE).may_hear(100).hears(200);
    (caller.takes("BYE").says(200, NONE, NONE), callee)
}

#[test]
fn either_end_changes_the_session_and_the_callee_hangs_up() {
    through_the_server(&changed((Scenario::caller(), Scenario::callee())));
}

#[test]
fn the_callee_offers_and_the_ack_answers() {
    let caller = calling(NONE).hears(200).acknowledges(SDP);
    let callee = ringing().says(200, NONE, SDP).takes("ACK");
    through_the_server(&hangs_up(caller, callee));
}

const RELIABLY: &str = "Supported: 100rel\n";

/// A caller and a callee whose 183 has been acknowledged by PRACK.
fn reliably_in_progress() -> (Scenario, Scenario) {
    let caller = Scenario::caller().asks("INVITE", RELIABLY, SDP).may_hear(100).hears(183);
    let caller = caller.asks("PRACK", "RAck: 1 1 INVITE\n", NONE).hears(200);
    let callee = Scenario::callee().keeping_its_invite(2).takes("INVITE");
    let callee = callee.says(183, "Require: 100rel\nRSeq: 1\n", SDP).takes("PRACK").says(200, NONE, NONE);
    (caller, callee)
}

#[test]
fn a_provisional_response_is_acknowledged() {
    let (caller, callee) = reliably_in_progress();
    let caller = caller.hears_of_invite(200).acknowledges(NONE);
    let callee = callee.says_to_invite(200, NONE, NONE).takes("ACK");
    through_the_server(&hangs_up(caller, callee));
}

#[test]
fn a_session_is_updated_before_it_is_answered() {
    let (caller, callee) = reliably_in_progress();
    let caller = caller.asks("UPDATE", NONE, SDP).hears(200).hears_of_invite(200).acknowledges(NONE);
    let callee = callee.takes("UPDATE").says(200, NONE, SDP).waits(50);
    let callee = callee.says_to_invite(200, NONE, NONE).takes("ACK");
    through_the_server(&hangs_up(caller, callee));
}

#[test]
fn capabilities_are_asked_of_the_callee_and_of_the_server() {
    let caller = Scenario::caller().asks("OPTIONS", NONE, NONE).hears(200);
    let callee = Scenario::callee().takes("OPTIONS").says(200, "Accept: application/sdp\n", NONE);
    through_the_server(&(caller, callee));
    let caller = Scenario::caller().towards("sip:biloxi.com").asks("OPTIONS", NONE, NONE).hears(200);
    at_the_server(&[], &caller);
}

/// sipp looks at the first challenge alone, and gives up unless that is MD5.
#[test]
fn credentials_by_md5_are_asked_for_and_taken() {
    let registering = Scenario::caller().asks("REGISTER", NONE, NONE).hears_challenge(401);
    let registered = registering.asks("REGISTER", CREDENTIALS, NONE).hears(200);
    at_the_server(&["--algorithm", "MD5", "--user", "alice:a"], &registered);
    let asked = calling(SDP).hears_challenge(407).acknowledges_refusal(NONE);
    let asked = asked.asks("INVITE", CREDENTIALS, SDP).may_hear(100).hears(480).acknowledges_refusal(NONE);
    at_the_server(&["--algorithm", "MD5", "--user", "alice:a", "--user", "bob:b"], &asked);
}

#[test]
fn calls_go_on_while_junk_arrives() {
    if !sipp_is_here() {
        return;
    }
    let callee = free_port();
    let mut server = Server::start(&["--record-route", "--route", &format!("bob@biloxi.com=udp:127.0.0.1:{callee}")]);
    let stranger = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let (calls, port) = (Calls { number: 100, is_patient: true, ..Calls::default() }, server.port);
    let (caller, callee) = std::thread::scope(|scope| {
        let calls = scope.spawn(|| pair(port, callee, &calls, &call()));
        let junk = [
            &b"INVITE sip:bob@biloxi.com SIP/2.0\r\n\r\n"[..],
            b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\n\r\n",
            b"INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKy\r\nContent-Length: 99\r\n\r\nv=0",
            b"\r\n\r\nNONSENSE",
            &[0xff; 1400],
            b"\0",
            b"",
        ];
        while !calls.is_finished() {
            for datagram in junk {
                stranger.send_to(datagram, ("127.0.0.1", port)).expect("loopback takes it");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        calls.join().unwrap()
    });
    assert_eq!((caller.successful, caller.failed), (100, 0), "{caller:?}");
    assert_eq!((callee.successful, callee.failed), (100, 0), "{callee:?}");
    let status = server.status();
    assert!(status.contains(" malformed=") && !status.contains(" overrun="), "{status}");
}
