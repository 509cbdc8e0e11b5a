//! Phones of others that are libraries, each worked by a script in `peers`: PJSIP in Python, and SIP.js in node. They speak the same few
//! words with the test, so that each goes through the same calls.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::examples::{Server, phone};
use crate::processes::{Process, certificate, is_here, is_installed, peers};

/// The library that a phone is made with.
#[derive(Clone, Copy)]
enum Library {
    Pjsip,
    SipJs,
}

impl Library {
    fn is_here(self) -> bool {
        match self {
            Self::Pjsip => is_here("python3", "python3") && is_installed("pjsua2"),
            Self::SipJs => is_here("node", "nodejs") && is_installed("sip.js") && is_installed("ws"),
        }
    }

    /// A phone of soft@biloxi.com, registered with its password.
    fn registered(self, protocol: &str, server: &Server) -> Process {
        let (program, script) = match self {
            Self::Pjsip => ("python3", "pjsip.py"),
            Self::SipJs => ("node", "sipjs.mjs"),
        };
        let mut command = Command::new(program);
        command.arg(format!("{}/{script}", peers())).args([
            protocol,
            &server.port_of(protocol).to_string(),
            "soft",
            "s",
        ]);
        let mut phone = Process::start(script, command.arg(certificate("root.pem")));
        phone.says("* registered");
        phone
    }

    /// A server that asks for passwords with that algorithm, or with all of its own.
    fn server(self, protocol: &str, algorithm: Option<&str>) -> Option<Server> {
        if !self.is_here() {
            return None;
        }
        let mut options = vec!["--record-route", "--user", "alice:a", "--user", "soft:s"];
        options.extend(algorithm.into_iter().flat_map(|algorithm| ["--algorithm", algorithm]));
        let others = ["tls", "ws", "wss"].into_iter().filter(|other| *other == protocol);
        Some(Server::with(&others.collect::<Vec<_>>(), &options))
    }
}

/// The library calls, holds, resumes and hangs up.
fn calls(library: Library, protocol: &str, algorithm: Option<&str>) {
    let Some(server) = library.server(protocol, algorithm) else { return };
    let mut alice = phone("alice", &server.registrar(protocol), "a", &["--answer"]);
    alice.says("registered");
    let mut soft = library.registered(protocol, &server);
    soft.hears("call sip:alice@biloxi.com");
    soft.says("* hears 180");
    soft.says("* is established");
    alice.says("is established");
    for (change, told) in [("hold", "* holds"), ("resume", "* resumes")] {
        soft.hears(change);
        soft.says(told);
        alice.says("was changed by the other end");
    }
    soft.hears("hang up");
    end(&server, soft, alice);
}

/// The library is called, is held and resumed, and the caller hangs up.
fn is_called(library: Library, protocol: &str, algorithm: Option<&str>) {
    let Some(server) = library.server(protocol, algorithm) else { return };
    let mut soft = library.registered(protocol, &server);
    let mut alice = phone("alice", &server.registrar(protocol), "a", &["--call", "sip:soft@biloxi.com"]);
    soft.says("* is called");
    alice.says("180");
    soft.hears("answer");
    soft.says("* is established");
    alice.says("is established");
    for (change, told) in [("h", "* is held"), ("r", "* is active")] {
        // SIP.js answers 500 to an INVITE that comes together with the ACK to the one before.
        sleep(Duration::from_millis(500));
        alice.hears(change);
        soft.says(told);
        alice.says("is changed");
    }
    alice.hears("q");
    end(&server, soft, alice);
}

/// One end has hung up: the call is over at both, they end, and what the server has carried can be read.
fn end(server: &Server, mut soft: Process, mut alice: Process) {
    soft.says("* is over");
    alice.says("is over");
    assert_eq!(alice.ends(), Some(0));
    soft.hears("quit");
    assert_eq!(soft.ends(), Some(0));
    server.is_read_by_wireshark();
}

#[test]
fn pjsip_calls_holds_and_hangs_up_over_udp_with_sha_256() {
    calls(Library::Pjsip, "udp", Some("SHA-256"));
}

#[test]
fn pjsip_calls_holds_and_hangs_up_over_tcp_with_md5() {
    calls(Library::Pjsip, "tcp", Some("MD5"));
}

#[test]
fn pjsip_calls_holds_and_hangs_up_over_tls() {
    calls(Library::Pjsip, "tls", None);
}

#[test]
fn pjsip_is_called_and_held_over_udp_with_md5() {
    is_called(Library::Pjsip, "udp", Some("MD5"));
}

#[test]
fn pjsip_is_called_and_held_over_tcp_with_sha_256() {
    is_called(Library::Pjsip, "tcp", Some("SHA-256"));
}

#[test]
fn pjsip_is_called_and_held_over_tls() {
    is_called(Library::Pjsip, "tls", None);
}

#[test]
fn sip_js_calls_holds_and_hangs_up_over_websocket() {
    calls(Library::SipJs, "ws", None);
}

#[test]
fn sip_js_is_called_and_held_over_websocket() {
    is_called(Library::SipJs, "ws", None);
}

#[test]
fn sip_js_calls_holds_and_hangs_up_over_secure_websocket() {
    calls(Library::SipJs, "wss", None);
}

#[test]
fn sip_js_is_called_and_held_over_secure_websocket() {
    is_called(Library::SipJs, "wss", None);
}
