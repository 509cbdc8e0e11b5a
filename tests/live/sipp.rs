//! sipp as caller, as callee, and as both.

use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::processes::{Process, free_port, is_here, scratch};
use crate::scenario::Scenario;

/// Whether sipp is here.
pub(crate) fn sipp_is_here() -> bool {
    is_here("sipp", "sip-tester")
}

/// How many calls, and how.
#[derive(Clone, Copy)]
pub(crate) struct Calls {
    pub(crate) number: u32,
    /// How many begin in a second.
    pub(crate) rate: u32,
    /// Per cent of the messages that each sipp loses, of those it sends and of those it gets.
    pub(crate) loss: u32,
    /// How long a scenario's `talks` is.
    pub(crate) talk: Duration,
    /// sipp waits for the message that it needs, whatever else comes: on a slow machine messages come again, or overtake others.
    pub(crate) is_patient: bool,
    /// The transport as sipp calls it: `u1` UDP, `t1` one TCP connection for all calls, `tn` one for each.
    pub(crate) transport: &'static str,
}

impl Default for Calls {
    fn default() -> Self {
        Self { number: 10, rate: 100, loss: 0, talk: Duration::from_millis(100), is_patient: false, transport: "u1" }
    }
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
pub(crate) fn pair(
    target: u16,
    callee: u16,
    calls: &Calls,
    (calling, answering): &(Scenario, Scenario),
) -> (Outcome, Outcome) {
    let answering = self::answering(callee, calls, answering);
    let caller = alone(target, calls, calling);
    (caller, answering.outcome())
}

/// A callee that runs.
pub(crate) struct Answering {
    port: u16,
    process: Process,
}

impl Answering {
    /// How it fared, now that the callers have ended.
    pub(crate) fn outcome(mut self) -> Outcome {
        // One that missed a call waits for ever.
        self.process.ends_by(Instant::now() + Duration::from_secs(2));
        drop(self.process);
        outcome(self.port)
    }
}

/// Starts a callee and waits until it listens.
pub(crate) fn answering(port: u16, calls: &Calls, scenario: &Scenario) -> Answering {
    // One that is called does not choose how many connections there are.
    let transport = if calls.transport == "tn" { "t1" } else { calls.transport };
    let process = start(port, &Calls { transport, ..*calls }, scenario, &[]);
    wait_for(port, transport);
    Answering { port, process }
}

/// Waits until something listens there.
pub(crate) fn wait_for(port: u16, transport: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let is_free = || match transport {
        "u1" => UdpSocket::bind(("127.0.0.1", port)).is_ok(),
        _ => TcpListener::bind(("127.0.0.1", port)).is_ok(),
    };
    while is_free() {
        assert!(Instant::now() < deadline, "the callee does not listen");
        sleep(Duration::from_millis(20));
    }
}

/// Runs a caller that sends to `target`.
pub(crate) fn alone(target: u16, calls: &Calls, scenario: &Scenario) -> Outcome {
    alone_at(free_port(), target, calls, scenario)
}

/// Runs a caller at `own` that sends to `target`.
pub(crate) fn alone_at(own: u16, target: u16, calls: &Calls, scenario: &Scenario) -> Outcome {
    let talk = calls.talk.as_millis().to_string();
    let (rate, remote) = (calls.rate.to_string(), format!("127.0.0.1:{target}"));
    // Else its credentials are for a URI of the address that it sends to, and the server answers 400.
    let digest_uri = scenario.digest_uri();
    let options = ["-s", "bob", "-auth_uri", digest_uri, "-r", &rate, "-l", "2000", "-d", &talk, &remote];
    let mut calling = start(own, calls, scenario, &options);
    let begin = u64::from(calls.number / calls.rate);
    let has_ended = calling.ends_by(Instant::now() + Duration::from_secs(begin + 150));
    drop(calling);
    assert!(has_ended, "the caller did not end: {:?}", outcome(own));
    outcome(own)
}

fn start(port: u16, calls: &Calls, scenario: &Scenario, more: &[&str]) -> Process {
    let scenario_file = file(port, "xml");
    std::fs::write(&scenario_file, scenario.xml()).expect("a scenario is written");
    let mut command = Command::new("sipp");
    command.arg("-sf").arg(scenario_file).args(["-i", "127.0.0.1", "-p", &port.to_string()]);
    command.args(["-m", &calls.number.to_string(), "-t", calls.transport]);
    if calls.transport == "tn" {
        command.args(["-max_socket", "1000"]);
    }
    command.args(["-max_invite_retrans", "10", "-max_non_invite_retrans", "10", "-nostdin", "-fd", "1"]);
    if calls.loss > 0 {
        command.args(["-lost", &calls.loss.to_string()]);
    }
    if calls.loss > 0 || calls.is_patient {
        // sipp ends a call when a message comes again that it has forgotten to expect, or overtakes another. It is to wait
        // for the one it needs, but not for ever.
        command.args(["-default_behaviors", "all,-abortunexp", "-recv_timeout", "60000"]);
    }
    command
        .args(["-trace_stat", "-stf"])
        .arg(file(port, "csv"))
        .args(["-trace_err", "-error_file"])
        .arg(file(port, "err"));
    command.args(more).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Process::start_with("sipp", &mut command)
}

/// A file of the sipp at `port`.
fn file(port: u16, extension: &str) -> PathBuf {
    scratch(&format!("sipp_{port}.{extension}"))
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
    for extension in ["csv", "err", "xml"] {
        let _ = std::fs::remove_file(file(port, extension));
    }
    Outcome { successful: value("SuccessfulCall(C)"), failed: value("FailedCall(C)"), errors }
}
