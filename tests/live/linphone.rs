//! Linphone's console phone at the example server, with the example phone at the other end. It has no sound card and needs none.

use std::path::PathBuf;
use std::process::Command;

use crate::examples::{Server, phone};
use crate::processes::{Process, free_port, is_here, scratch};

/// One linphonec, whose user is lin@biloxi.com with the password `l`.
struct Linphone {
    process: Process,
    folder: PathBuf,
}

impl Linphone {
    /// Starts one that registers along that protocol, and waits until it has.
    fn start(protocol: &str, server: &mut Server) -> Self {
        let (sip, sound, registrar) = (free_port(), free_port(), server.port_of(protocol));
        let folder = scratch(&format!("linphone_{sip}"));
        std::fs::create_dir_all(folder.join(".local/share/linphone")).expect("a folder");
        let port = |own| if own == protocol { sip.to_string() } else { "0".to_owned() };
        let [udp, tcp] = ["udp", "tcp"].map(port);
        let config = format!(
            "[sip]\nsip_port={udp}\nsip_tcp_port={tcp}\nsip_tls_port=0\ndefault_proxy=0\nguess_hostname=0\nuse_ipv6=0\n\
             contact=<sip:lin@127.0.0.1>\n\
             [auth_info_0]\nusername=lin\npasswd=l\nrealm=biloxi.com\ndomain=biloxi.com\n\
             [proxy_0]\nreg_proxy=<sip:127.0.0.1:{registrar};transport={protocol}>\n\
             reg_route=<sip:127.0.0.1:{registrar};transport={protocol};lr>\nreg_identity=sip:lin@biloxi.com\nreg_expires=60\n\
             reg_sendregister=1\npublish=0\n[rtp]\naudio_rtp_port={sound}\n[video]\nenabled=0\n"
        );
        let file = folder.join("linphonerc");
        std::fs::write(&file, config).expect("a file is written");
        let mut command = Command::new("linphonec");
        command.arg("-c").arg(file).env("HOME", &folder).env("LANG", "C");
        let process = Process::start("linphonec", &mut command);
        server.process.says("bound lin@biloxi.com");
        Self { process, folder }
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A server that Alice and Linphone's user may use, if Linphone is here.
fn server() -> Option<Server> {
    let options = ["--record-route", "--user", "alice:a", "--user", "lin:l"];
    is_here("linphonec", "linphone-cli").then(|| Server::start(&options))
}

/// Linphone calls, holds, resumes and hangs up.
fn linphone_calls(protocol: &str) {
    let Some(mut server) = server() else { return };
    let mut alice = phone("alice", &server.registrar(protocol), "a", &["--answer"]);
    alice.says("registered");
    let mut linphone = Linphone::start(protocol, &mut server);
    linphone.process.hears("call sip:alice@biloxi.com");
    alice.says("is established");
    linphone.process.says("Media streams established");
    for (change, done) in [("pause", "is now paused"), ("resume", "Media streams established")] {
        linphone.process.hears(change);
        alice.says("was changed by the other end");
        linphone.process.says(done);
    }
    linphone.process.hears("terminate");
    alice.says("is over");
    assert_eq!(alice.ends(), Some(0));
    server.is_read_by_wireshark();
}

/// Linphone is called, is held, and the caller hangs up.
fn linphone_is_called(protocol: &str) {
    let Some(mut server) = server() else { return };
    let mut linphone = Linphone::start(protocol, &mut server);
    let mut alice = phone("alice", &server.registrar(protocol), "a", &["--call", "sip:lin@biloxi.com"]);
    alice.says("180");
    linphone.process.hears("answer");
    alice.says("is established");
    linphone.process.says("Media streams established");
    for change in ["h", "r"] {
        alice.hears(change);
        alice.says("is changed");
    }
    alice.hears("q");
    linphone.process.says("ended");
    assert_eq!(alice.ends(), Some(0));
    server.is_read_by_wireshark();
}

#[test]
fn linphone_calls_holds_and_hangs_up_over_udp() {
    linphone_calls("udp");
}

#[test]
fn linphone_calls_holds_and_hangs_up_over_tcp() {
    linphone_calls("tcp");
}

#[test]
fn linphone_is_called_and_held_over_udp() {
    linphone_is_called("udp");
}

#[test]
fn linphone_is_called_and_held_over_tcp() {
    linphone_is_called("tcp");
}
