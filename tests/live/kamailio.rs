//! Kamailio, another proxy and registrar, beside the example server: Kamailio is atlanta.com, the server is biloxi.com.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::examples::{Server, phone_of};
use crate::processes::{Process, certificate, free_port, is_here, scratch};
use crate::scenario::{NONE, SDP, Scenario};
use crate::scenarios::{call_between, cancelled, changed};
use crate::sipp::{Calls, Outcome, answering, pair, sipp_is_here};

/// The columns of the table of its registrations.
const UACREG: &str = "id(int,auto) l_uuid(string) l_username(string) l_domain(string) r_username(string) r_domain(string) \
    realm(string) auth_username(string) auth_password(string) auth_ha1(string,null) auth_proxy(string) expires(int) flags(int) \
    reg_delay(int) contact_addr(string,null) socket(string,null)\n";

/// One Kamailio.
pub(crate) struct Kamailio {
    process: Process,
    port: u16,
    tls: u16,
    folder: PathBuf,
}

/// Where it sends what.
#[derive(Clone, Copy)]
pub(crate) struct Ways<'a> {
    pub(crate) port: u16,
    /// The next hop of biloxi.com, where it registers as kam@biloxi.com with the password `k` if that has such a user.
    pub(crate) biloxi: &'a str,
    /// Where bob@atlanta.com is, and both@atlanta.com.
    pub(crate) callee: u16,
    /// Where both@atlanta.com is as well.
    pub(crate) other: u16,
}

impl Kamailio {
    pub(crate) fn start(ways: Ways<'_>) -> Self {
        let Ways { port, biloxi, callee, other } = ways;
        let tls = port + 1;
        let folder = scratch(&format!("kamailio_{port}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut config = include_str!("kamailio.cfg").replace("@FOLDER@", &folder.display().to_string());
        for (word, value) in [("PORT", port), ("TLS", tls), ("CALLEE", callee), ("OTHER", other)] {
            config = config.replace(&format!("@{word}@"), &value.to_string());
        }
        let secure = format!(
            "[server:default]\nmethod = TLSv1.2+\nprivate_key = {}\ncertificate = {}\n\
             [client:default]\nmethod = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\nca_list = {}\n",
            certificate("biloxi.key"),
            certificate("biloxi.pem"),
            certificate("root.pem")
        );
        let registers = format!(
            "{}1:kam:alice:atlanta.com:kam:biloxi.com:biloxi.com:kam:k::{}:60:0:0::\n",
            UACREG,
            biloxi.replace(':', "\\:")
        );
        let texts = [
            ("kamailio.cfg", config.replace("@BILOXI@", biloxi)),
            ("tls.cfg", secure),
            ("version", "table_name(string) table_version(int)\nuacreg:5\n".to_owned()),
            ("uacreg", registers),
        ];
        for (name, text) in texts {
            std::fs::write(folder.join(name), text).expect("a file is written");
        }
        let mut command = Command::new("/usr/sbin/kamailio");
        command.arg("-f").arg(folder.join("kamailio.cfg")).args(["-DD", "-E", "-m", "64", "-M", "8", "-Y"]);
        let process = Process::start("kamailio", command.arg(&folder).arg("-w").arg(&folder));
        let mut kamailio = Self { process, port, tls, folder };
        // Connections are served by the last of its processes to start.
        while TcpStream::connect(("127.0.0.1", tls)).is_err() {
            assert!(!kamailio.process.ends_by(Instant::now() + Duration::from_millis(100)), "it has ended");
        }
        kamailio
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // It ends its own children, if it is asked to end.
        self.process.ends_when_asked();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn kamailio_is_here() -> bool {
    is_here("kamailio", "kamailio kamailio-tls-modules kamailio-websocket-modules")
}

fn are_here() -> bool {
    sipp_is_here() && kamailio_is_here()
}

fn all_succeeded(calls: &Calls, (caller, callee): (Outcome, Outcome)) {
    assert_eq!((caller.successful, caller.failed), (calls.number, 0), "{caller:?}");
    assert_eq!((callee.successful, callee.failed), (calls.number, 0), "{callee:?}");
}

/// Bob is called at atlanta.com through the server and then Kamailio, or at biloxi.com through Kamailio and then the server.
fn through_both(call: fn((Scenario, Scenario)) -> (Scenario, Scenario), protocol: &str, kamailio_is_first: bool) {
    if !are_here() {
        return;
    }
    let (port, callee) = (free_port(), free_port());
    let hop = |of_udp: u16| format!("{protocol}:127.0.0.1:{}", if protocol == "tls" { of_udp + 1 } else { of_udp });
    let to_kamailio = format!("atlanta.com={}", hop(port));
    let to_bob = format!("bob@biloxi.com=udp:127.0.0.1:{callee}");
    let mut server =
        Server::with_tls(&["--record-route", "--trust", "127.0.0.1", "--route", &to_kamailio, "--route", &to_bob]);
    let biloxi = format!("sip:127.0.0.1:{};transport={protocol}", server.port_of(protocol));
    let kamailio = Kamailio::start(Ways { port, biloxi: &biloxi, callee, other: callee });
    let calls = Calls::default();
    let (target, uri) = match kamailio_is_first {
        true => (kamailio.port, "sip:bob@biloxi.com"),
        false => (server.port, "sip:bob@atlanta.com"),
    };
    let scenarios = call((Scenario::caller().towards(uri), Scenario::callee().towards(uri).keeping_its_invite(3)));
    all_succeeded(&calls, pair(target, callee, &calls, &scenarios));
    server.has_used_all_messages();
    server.is_read_by_wireshark();
}

#[test]
fn calls_go_through_kamailio_and_then_the_server() {
    through_both(call_between, "udp", true);
}

#[test]
fn calls_go_through_the_server_and_then_kamailio() {
    through_both(call_between, "udp", false);
}

#[test]
fn calls_go_over_tls_from_kamailio_to_the_server() {
    through_both(call_between, "tls", true);
}

#[test]
fn calls_go_over_tls_from_the_server_to_kamailio() {
    through_both(call_between, "tls", false);
}

#[test]
fn calls_are_cancelled_through_kamailio_and_then_the_server() {
    through_both(cancelled, "udp", true);
}

#[test]
fn calls_are_cancelled_through_the_server_and_then_kamailio() {
    through_both(cancelled, "udp", false);
}

#[test]
fn both_ends_change_the_session_along_both_recorded_routes() {
    through_both(changed, "udp", true);
    through_both(changed, "udp", false);
}

/// Kamailio forks what the server sends it: one phone rings for ever and is cancelled, the other answers.
#[test]
fn kamailio_forks_a_call_of_the_server() {
    if !are_here() {
        return;
    }
    let (port, callee, other) = (free_port(), free_port(), free_port());
    let server = Server::start(&["--record-route", "--route", &format!("atlanta.com=udp:127.0.0.1:{port}")]);
    let kamailio = Kamailio::start(Ways { port, biloxi: "sip:127.0.0.1:9", callee, other });
    assert_eq!(kamailio.tls, port + 1);
    let calls = Calls::default();
    let rings = Scenario::callee().towards("sip:both@atlanta.com").keeping_its_invite(3);
    let rings = rings.takes("INVITE").says(180, NONE, NONE);
    let rings = rings.takes("CANCEL").says(200, NONE, NONE).says_to_invite(487, NONE, NONE).takes("ACK");
    let ringing = answering(other, &calls, &rings);
    let (caller, answers) = (Scenario::caller().towards("sip:both@atlanta.com"), Scenario::callee());
    let caller = caller.asks("INVITE", NONE, SDP).may_hear(100).may_hear(180).hears(200).acknowledges(NONE);
    // Some time for the other to ring.
    let answers = answers.takes("INVITE").says(180, NONE, NONE).waits(300).says(200, NONE, SDP).takes("ACK");
    let caller = caller.waits(200).asks("BYE", NONE, NONE).may_hear(100).hears(200);
    let answers = answers.takes("BYE").says(200, NONE, NONE);
    all_succeeded(&calls, pair(server.port, callee, &calls, &(caller, answers)));
    let ringing = ringing.outcome();
    assert_eq!((ringing.successful, ringing.failed), (calls.number, 0), "{ringing:?}");
}

/// A Kamailio that has registered at the server by Digest is called there, and has a phone that has registered at it by Digest called.
fn kamailio_registers(protocol: &str) {
    if !kamailio_is_here() {
        return;
    }
    let port = free_port();
    // It takes no other algorithm, nor one behind another.
    let options = ["--record-route", "--algorithm", "MD5", "--user", "bob:b", "--user", "kam:k"];
    let mut server = Server::with_tls(&options);
    let biloxi = format!("sip:127.0.0.1:{};transport={protocol}", server.port_of(protocol));
    let _kamailio = Kamailio::start(Ways { port, biloxi: &biloxi, callee: 9, other: 9 });
    let mut alice = phone_of("alice@atlanta.com", &format!("udp:127.0.0.1:{port}"), "a", &["--answer"]);
    alice.says("registered");
    server.process.says("bound kam@biloxi.com to sip:kam@");
    let what = ["--call", "sip:kam@biloxi.com", "--hang-up-after", "0"];
    let mut bob = phone_of("bob@biloxi.com", &server.registrar(protocol), "b", &what);
    bob.says("is established");
    assert_eq!((bob.ends(), alice.ends()), (Some(0), Some(0)));
    server.has_used_all_messages();
    server.is_read_by_wireshark();
}

#[test]
fn kamailio_and_a_phone_register_at_each_other_over_udp() {
    kamailio_registers("udp");
}

#[test]
fn kamailio_and_a_phone_register_at_each_other_over_tcp() {
    kamailio_registers("tcp");
}

#[test]
fn kamailio_and_a_phone_register_at_each_other_over_tls() {
    kamailio_registers("tls");
}

/// A phone of each domain, registered there by Digest; each calls the other.
fn phones_of_two_domains(protocol: &str) {
    if !kamailio_is_here() {
        return;
    }
    let port = free_port();
    let at_kamailio = |protocol| format!("{protocol}:127.0.0.1:{}", if protocol == "tls" { port + 1 } else { port });
    // Each of the two proxies can be reached by a WebSocket and opens none to the other.
    let between = if protocol == "ws" { "udp" } else { protocol };
    let route = format!("atlanta.com={}", at_kamailio(between));
    let options = ["--record-route", "--user", "bob:b", "--trust", "127.0.0.1", "--route", &route];
    let server = Server::with(&["tls", "ws"], &options);
    let (at_kamailio, at_server) = (at_kamailio(protocol), server.registrar(protocol));
    let biloxi = format!("sip:127.0.0.1:{};transport={between}", server.port_of(between));
    let _kamailio = Kamailio::start(Ways { port, biloxi: &biloxi, callee: 9, other: 9 });
    let (alice, bob) = (("alice@atlanta.com", &at_kamailio, "a"), ("bob@biloxi.com", &at_server, "b"));
    for (caller, callee) in [(alice, bob), (bob, alice)] {
        let mut answers = phone_of(callee.0, callee.1, callee.2, &["--answer"]);
        answers.says("registered");
        let target = format!("sip:{}", callee.0);
        let mut calls = phone_of(caller.0, caller.1, caller.2, &["--call", &target, "--hang-up-after", "0"]);
        calls.says("is established");
        assert_eq!((calls.ends(), answers.ends()), (Some(0), Some(0)));
    }
    server.is_read_by_wireshark();
}

#[test]
fn phones_of_two_domains_call_each_other_over_udp() {
    phones_of_two_domains("udp");
}

#[test]
fn phones_of_two_domains_call_each_other_over_tcp() {
    phones_of_two_domains("tcp");
}

#[test]
fn phones_on_websockets_of_two_domains_call_each_other() {
    phones_of_two_domains("ws");
}
