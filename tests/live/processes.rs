//! The processes of a live test: started here, and stopped by their own handle whatever happens.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A process that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Waits for it to end by itself; false if it has not by `deadline`.
    fn ends_by(&mut self, deadline: Instant) -> bool {
        while Instant::now() < deadline {
            if self.0.try_wait().expect("a child of ours").is_some() {
                return true;
            }
            sleep(Duration::from_millis(50));
        }
        false
    }
}

/// The first line with which sipp says its version, if it is there.
pub(crate) fn sipp_version() -> Option<String> {
    let output = Command::new("sipp").arg("-v").stdin(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().find(|line| line.contains("SIPp")).map(String::from)
}

/// A UDP port on loopback that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

/// The example server on ports of its own.
pub(crate) struct Server {
    process: Process,
    lines: BufReader<ChildStdout>,
    /// The port of UDP.
    pub(crate) port: u16,
    /// The port of TCP.
    pub(crate) tcp: u16,
}

impl Server {
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut child = Command::new(example("server"))
            .args(["--listen", "udp:127.0.0.1:0", "--domain", "biloxi.com"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut port_after = |prefix| {
            let mut line = String::new();
            lines.read_line(&mut line).expect("a line");
            line.trim().strip_prefix(prefix).expect("its address").parse().expect("a port")
        };
        let port = port_after("listening on udp:127.0.0.1:");
        let tcp = port_after("listening on tcp:127.0.0.1:");
        Self { process: Process(child), lines, port, tcp }
    }

    /// Its own words.
    pub(crate) fn status(&mut self) -> String {
        writeln!(self.process.0.stdin.as_mut().expect("a pipe"), "status").expect("the server listens to us");
        let mut line = String::new();
        while !line.contains(" status ") {
            line.clear();
            assert!(self.lines.read_line(&mut line).is_ok_and(|length| length > 0), "the server has ended");
        }
        line
    }

    pub(crate) fn is_idle_within(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            if self.status().contains("idle=true") {
                return true;
            }
            sleep(Duration::from_millis(500));
        }
        false
    }
}

/// A phone that runs by itself.
pub(crate) struct Phone {
    process: Process,
    lines: BufReader<ChildStdout>,
}

impl Phone {
    /// A phone on a port of its own, registered at `registrar` with that password, which is told `what` else.
    pub(crate) fn start(name: &str, registrar: &str, password: &str, what: &[&str]) -> Self {
        let (protocol, _) = registrar.split_once(':').expect("a protocol");
        let mut child = Command::new(example("phone"))
            .args(["--aor", &format!("sip:{name}@biloxi.com"), "--registrar", registrar, "--password", password])
            .args(["--listen", &format!("{protocol}:127.0.0.1:0")])
            .args(what)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the phone starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { process: Process(child), lines }
    }

    /// Reads what it says until it says `wanted`.
    pub(crate) fn says(&mut self, wanted: &str) {
        let mut line = String::new();
        while !line.contains(wanted) {
            line.clear();
            assert!(self.lines.read_line(&mut line).is_ok_and(|length| length > 0), "it never said {wanted}");
        }
    }

    /// Its exit code, once it has ended.
    pub(crate) fn ends(mut self) -> Option<i32> {
        assert!(self.process.ends_by(Instant::now() + Duration::from_secs(30)), "the phone does not end");
        self.process.0.wait().expect("a child of ours").code()
    }
}

/// Builds the examples with the profile of this very test, and says where that one is.
fn example(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let test = std::env::current_exe().expect("a path");
        let profile = test.ancestors().nth(2).expect("deps of a profile");
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or("cargo".into()));
        cargo.args(["build", "--quiet", "-p", "sansip-driver", "--examples"]);
        cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"), "--target-dir"]);
        cargo.arg(profile.parent().expect("the target directory"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().is_ok_and(|status| status.success()), "the examples do not build");
        profile.join("examples")
    });
    folder.join(name)
}

/// A scenario of two sipp processes.
pub(crate) struct Call {
    pub(crate) calls: u32,
    /// Per cent of the messages that each sipp loses, of those it sends and of those it gets.
    pub(crate) loss: u32,
    /// Between ACK and BYE.
    pub(crate) talk: Duration,
    /// The transport as sipp calls it: `u1` UDP, `t1` one TCP connection for all calls, `tn` one for each.
    pub(crate) transport: &'static str,
}

/// How one sipp process fared.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) successful: u32,
    pub(crate) failed: u32,
    /// The beginning of its error log.
    #[expect(dead_code, reason = "shown by a failing assertion")]
    errors: String,
}

/// Runs a callee at `callee` and a caller that sends to `target`; how the caller fared, and the callee.
pub(crate) fn pair(target: u16, callee: u16, call: &Call) -> (Outcome, Outcome) {
    let deadline = Instant::now() + Duration::from_secs(150);
    let mut answering = sipp(callee, call, "uas.xml", &[]);
    let is_free = || match call.transport {
        "u1" => UdpSocket::bind(("127.0.0.1", callee)).is_ok(),
        _ => TcpListener::bind(("127.0.0.1", callee)).is_ok(),
    };
    while is_free() {
        assert!(Instant::now() < deadline, "the callee does not listen");
        sleep(Duration::from_millis(20));
    }
    let own = free_port();
    let talk = call.talk.as_millis().to_string();
    let remote = format!("127.0.0.1:{target}");
    let mut calling = sipp(own, call, "uac.xml", &["-s", "bob", "-r", "100", "-l", "1000", "-d", &talk, &remote]);
    let caller_ended = calling.ends_by(deadline);
    // A callee that missed a call waits for ever.
    answering.ends_by(if caller_ended { Instant::now() + Duration::from_secs(2) } else { deadline });
    drop((calling, answering));
    assert!(caller_ended, "the caller did not end: {:?}", outcome(own));
    (outcome(own), outcome(callee))
}

fn sipp(port: u16, call: &Call, scenario: &str, more: &[&str]) -> Process {
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/live/scenarios/").to_owned() + scenario;
    let mut command = Command::new("sipp");
    command.args(["-sf", &scenario, "-i", "127.0.0.1", "-p", &port.to_string(), "-m", &call.calls.to_string()]);
    // One that is called does not choose how many connections there are.
    let transport =
        if scenario.ends_with("uas.xml") { call.transport.replace('n', "1") } else { call.transport.into() };
    command.args(["-t", &transport]);
    if transport == "tn" {
        command.args(["-max_socket", "1000"]);
    }
    command.args(["-max_invite_retrans", "10", "-max_non_invite_retrans", "10", "-nostdin", "-fd", "1"]);
    if call.loss > 0 {
        command.args(["-lost", &call.loss.to_string()]);
        // sipp ends a call when a message comes again that it has forgotten to expect, or overtakes another: under loss
        // it is to wait for the one it needs, but not for ever.
        command.args(["-default_behaviors", "all,-abortunexp", "-recv_timeout", "60000"]);
    }
    command
        .args(["-trace_stat", "-stf"])
        .arg(file(port, "csv"))
        .args(["-trace_err", "-error_file"])
        .arg(file(port, "err"));
    command.args(more).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Process(command.spawn().expect("sipp starts"))
}

/// A file of the sipp at `port`, in the directory that cargo keeps for this package's tests.
fn file(port: u16, extension: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sipp_{}_{port}.{extension}", std::process::id()))
}

/// The last line of the statistics, and the errors.
fn outcome(port: u16) -> Outcome {
    let statistics = std::fs::read_to_string(file(port, "csv")).unwrap_or_default();
    let mut lines = statistics.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(';').collect();
    let values: Vec<&str> = lines.next_back().unwrap_or_default().split(';').collect();
    let value = |name| {
        let column = names.iter().position(|column| *column == name);
        column.and_then(|column| values.get(column)?.parse().ok()).unwrap_or(u32::MAX)
    };
    let errors = std::fs::read(file(port, "err")).unwrap_or_default();
    let errors = String::from_utf8_lossy(&errors).chars().take(3_000).collect();
    for extension in ["csv", "err"] {
        let _ = std::fs::remove_file(file(port, extension));
    }
    Outcome { successful: value("SuccessfulCall(C)"), failed: value("FailedCall(C)"), errors }
}
