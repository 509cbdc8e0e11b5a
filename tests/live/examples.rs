//! The examples of the driver as processes: a server, and phones.

use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::processes::{Process, certificate, example};
use crate::wireshark::Capture;

/// The example server on ports of its own, for biloxi.com.
pub(crate) struct Server {
    pub(crate) process: Process,
    /// The port of UDP.
    pub(crate) port: u16,
    /// The protocols with their ports.
    ports: Vec<(String, u16)>,
    /// The capture of its sockets.
    capture: Option<Capture>,
}

impl Server {
    /// One that listens on UDP and TCP.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::with(&[], options)
    }

    /// One that listens on TLS, too.
    pub(crate) fn with_tls(options: &[&str]) -> Self {
        Self::with(&["tls"], options)
    }

    /// One that listens on `protocols`, too.
    pub(crate) fn with(protocols: &[&str], options: &[&str]) -> Self {
        Self::new(protocols, options, Some(Capture::new("server")))
    }

    /// One whose sockets nobody looks at.
    pub(crate) fn uncaptured(options: &[&str]) -> Self {
        Self::new(&[], options, None)
    }

    fn new(protocols: &[&str], options: &[&str], capture: Option<Capture>) -> Self {
        let mut command = Command::new(example("server"));
        command.args(["--listen", "udp:127.0.0.1:0", "--domain", "biloxi.com"]).args(options);
        for protocol in protocols {
            command.args(["--listen", &format!("{protocol}:127.0.0.1:0")]);
        }
        if protocols.iter().any(|protocol| is_secure(protocol)) {
            let (own, key, roots) = (certificate("biloxi.pem"), certificate("biloxi.key"), certificate("root.pem"));
            command.args(["--certificate", &own, "--key", &key, "--roots", &roots]);
        }
        if let Some(capture) = &capture {
            command.arg("--pcap").arg(capture.path());
        }
        let mut process = Process::start("server", &mut command);
        let port_of = |protocol: &&str| {
            let prefix = format!("listening on {protocol}:127.0.0.1:");
            let line = process.says(&prefix);
            let port = line.trim().strip_prefix(&prefix).expect("its address").parse().expect("a port");
            ((*protocol).to_owned(), port)
        };
        let ports: Vec<(String, u16)> = ["udp", "tcp"].iter().chain(protocols).map(port_of).collect();
        Self { process, port: ports[0].1, ports, capture }
    }

    /// The port of `protocol`.
    pub(crate) fn port_of(&self, protocol: &str) -> u16 {
        self.ports.iter().find(|(known, _)| known == protocol).expect("it listens there").1
    }

    /// Where a phone registers along `protocol`.
    pub(crate) fn registrar(&self, protocol: &str) -> String {
        format!("{protocol}:127.0.0.1:{}", self.port_of(protocol))
    }

    /// Has Wireshark read what has crossed its sockets so far.
    pub(crate) fn is_read_by_wireshark(&self) {
        let ports: Vec<u16> = self.ports.iter().map(|(_, port)| *port).collect();
        self.capture.as_ref().expect("a capture").is_read_by_wireshark(&ports);
    }

    /// Its own words.
    pub(crate) fn status(&mut self) -> String {
        self.process.hears("status");
        self.process.says(" status ")
    }

    /// Asserts that it could use each message that came.
    pub(crate) fn has_used_all_messages(&mut self) {
        let status = self.status();
        let unused = ["malformed", "unusable", "foreign", "stray", "overrun"].map(|name| format!(" {name}="));
        assert!(!unused.iter().any(|count| status.contains(count)), "{status}");
    }

    pub(crate) fn is_idle_within(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            if self.status().contains("idle=true") {
                return true;
            }
            sleep(Duration::from_secs(1));
        }
        false
    }
}

/// The example phone of a user of biloxi.com; as [`phone_of`].
pub(crate) fn phone(name: &str, registrar: &str, password: &str, what: &[&str]) -> Process {
    phone_of(&format!("{name}@biloxi.com"), registrar, password, what)
}

/// The example phone on a port of its own, registered at `registrar` with that password, which is told `what` else.
pub(crate) fn phone_of(user: &str, registrar: &str, password: &str, what: &[&str]) -> Process {
    let (protocol, _) = registrar.split_once(':').expect("a protocol");
    let mut command = Command::new(example("phone"));
    command.args(["--aor", &format!("sip:{user}"), "--registrar", registrar, "--password", password]);
    command.args(["--listen", &format!("{protocol}:127.0.0.1:0")]);
    if is_secure(protocol) {
        command.args(["--roots", &certificate("root.pem")]);
    }
    Process::start(user, command.args(what))
}

fn is_secure(protocol: &str) -> bool {
    matches!(protocol, "tls" | "wss")
}
