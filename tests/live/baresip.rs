//! baresip, a phone, at the example server, with the example phone at the other end. It has no sound card and needs none.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::examples::{Server, phone};
use crate::processes::{Process, free_port, is_here, scratch};

/// One baresip.
pub(crate) struct Baresip {
    process: Process,
    /// Where it listens.
    pub(crate) port: u16,
    /// It takes commands there, and tells its events, as JSON in netstrings.
    control: TcpStream,
    /// The events that nobody has looked at yet.
    told: Vec<u8>,
    folder: PathBuf,
}

impl Baresip {
    /// Starts one whose user is bare@biloxi.com with the password `c`.
    fn start(protocol: &str, server: &Server) -> Self {
        Self::of("bare@biloxi.com", "c", protocol, server.port_of(protocol))
    }

    /// Starts one that registers along that protocol, and waits until it has.
    pub(crate) fn of(user: &str, password: &str, protocol: &str, registrar: u16) -> Self {
        let (port, control) = (free_port(), free_port());
        let (name, _) = user.split_once('@').expect("a user of a domain");
        let folder = scratch(&format!("baresip_{port}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let config = format!(
            "poll_method epoll\nsip_listen 127.0.0.1:{port}\nnet_interface 127.0.0.1\naudio_player aubridge,nil\n\
             audio_source aubridge,nil\naudio_alert aubridge,nil\nmodule_path /usr/lib/baresip/modules\nmodule g711.so\n\
             module aubridge.so\nmodule uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule ctrl_tcp.so\n\
             ctrl_tcp_listen 127.0.0.1:{control}\n"
        );
        // Nobody can open a connection to it, as it has no certificate: RFC 5626.
        let flow = if protocol == "tls" { ";sipnat=outbound;regid=1" } else { "" };
        let account = format!(
            "<sip:{user};transport={protocol}>;auth_user={name};auth_pass={password};\
             outbound=\"sip:127.0.0.1:{registrar};transport={protocol}\";regint=60{flow}\n"
        );
        for (name, text) in [("config", config), ("accounts", account), ("contacts", String::new())] {
            std::fs::write(folder.join(name), text).expect("a file is written");
        }
        let mut process = Process::start("baresip", Command::new("baresip").args(["-s", "-v", "-f"]).arg(&folder));
        process.says("ctrl_tcp: TCP socket listening");
        let control = TcpStream::connect(("127.0.0.1", control)).expect("its control socket");
        control.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
        let mut baresip = Self { process, port, control, told: Vec::new(), folder };
        // It may have registered before there was anybody to tell.
        baresip.process.says("200 OK");
        baresip
    }

    pub(crate) fn does(&mut self, command: &str, what: &str) {
        let text = format!("{{\"command\":\"{command}\",\"params\":\"{what}\"}}");
        write!(self.control, "{}:{text},", text.len()).expect("it reads");
    }

    /// Waits until it tells of that event.
    pub(crate) fn tells(&mut self, event: &str) {
        let wanted = format!("\"type\":\"{event}\"");
        loop {
            if let Some(at) = self.told.windows(wanted.len()).position(|window| window == wanted.as_bytes()) {
                self.told.drain(..at + wanted.len());
                return;
            }
            let mut piece = [0; 2000];
            let length = self.control.read(&mut piece);
            let Ok(length @ 1..) = length else { panic!("baresip never told of {event}: {length:?}") };
            self.told.extend_from_slice(&piece[..length]);
        }
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A server that Alice, Bob and baresip's user may use, if baresip is here. baresip 1.0 gives up at a challenge that comes before
/// that by MD5.
fn server() -> Option<Server> {
    let users = ["--user", "alice:a", "--user", "bob:b", "--user", "bare:c"];
    let options = [&["--record-route", "--algorithm", "MD5"][..], &users].concat();
    is_here("baresip", "baresip-core").then(|| Server::with_tls(&options))
}

/// The example phone of that user, registered.
fn registered(name: &str, protocol: &str, server: &Server) -> Process {
    let registrar = server.registrar(protocol);
    let mut phone = phone(name, &registrar, &name[..1], &["--answer"]);
    phone.says("registered");
    phone
}

/// baresip calls, holds, resumes and hangs up.
fn baresip_calls(protocol: &str) {
    let Some(server) = server() else { return };
    let mut alice = registered("alice", protocol, &server);
    let mut baresip = Baresip::start(protocol, &server);
    baresip.does("dial", "sip:alice@biloxi.com");
    baresip.tells("CALL_ESTABLISHED");
    alice.says("is established");
    for change in ["hold", "resume"] {
        baresip.does(change, "");
        alice.says("was changed by the other end");
    }
    baresip.does("hangup", "");
    alice.says("is over");
    assert_eq!(alice.ends(), Some(0));
    server.is_read_by_wireshark();
}

/// baresip is called, is held, and the caller hangs up.
fn baresip_is_called(protocol: &str) {
    let Some(server) = server() else { return };
    let mut baresip = Baresip::start(protocol, &server);
    let registrar = server.registrar(protocol);
    let mut alice = phone("alice", &registrar, "a", &["--call", "sip:bare@biloxi.com"]);
    baresip.tells("CALL_INCOMING");
    alice.says("180");
    baresip.does("accept", "");
    baresip.tells("CALL_ESTABLISHED");
    alice.says("is established");
    for change in ["h", "r"] {
        alice.hears(change);
        alice.says("is changed");
    }
    alice.hears("q");
    baresip.tells("CALL_CLOSED");
    assert_eq!(alice.ends(), Some(0));
    server.is_read_by_wireshark();
}

#[test]
fn baresip_calls_holds_and_hangs_up_over_udp() {
    baresip_calls("udp");
}

#[test]
fn baresip_calls_holds_and_hangs_up_over_tcp() {
    baresip_calls("tcp");
}

#[test]
fn baresip_calls_holds_and_hangs_up_over_tls() {
    baresip_calls("tls");
}

#[test]
fn baresip_is_called_and_held_over_udp() {
    baresip_is_called("udp");
}

#[test]
fn baresip_is_called_and_held_over_tcp() {
    baresip_is_called("tcp");
}

#[test]
fn baresip_is_called_and_held_over_tls() {
    baresip_is_called("tls");
}

#[test]
fn baresip_transfers_the_phone_to_another() {
    let Some(server) = server() else { return };
    let (mut alice, mut bob) = (registered("alice", "udp", &server), registered("bob", "udp", &server));
    let mut baresip = Baresip::start("udp", &server);
    baresip.does("dial", "sip:alice@biloxi.com");
    baresip.tells("CALL_ESTABLISHED");
    alice.says("is established");
    baresip.does("transfer", "sip:bob@biloxi.com");
    bob.says("is established");
    // The call from baresip ends, and that to Bob goes on.
    alice.says("is over");
    alice.hears("q");
    bob.says("is over");
    assert_eq!((alice.ends(), bob.ends()), (Some(0), Some(0)));
    server.is_read_by_wireshark();
}

#[test]
fn baresip_is_transferred_by_the_phone() {
    let Some(server) = server() else { return };
    let mut bob = registered("bob", "udp", &server);
    let mut baresip = Baresip::start("udp", &server);
    let registrar = server.registrar("udp");
    let mut alice = phone("alice", &registrar, "a", &["--call", "sip:bare@biloxi.com"]);
    baresip.tells("CALL_INCOMING");
    baresip.does("accept", "");
    alice.says("is established");
    alice.hears("t sip:bob@biloxi.com");
    bob.says("is established");
    alice.says("the transfer: 200");
    assert_eq!(alice.ends(), Some(0));
    baresip.does("hangup", "");
    bob.says("is over");
    assert_eq!(bob.ends(), Some(0));
    server.is_read_by_wireshark();
}
