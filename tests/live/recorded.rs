//! Shows what peers say to each other, recorded on loopback and judged as `sansip-sim check` does: clean, or as `findings.tsv` has it.

use std::collections::BTreeSet;
use std::process::Command;

use sansip_sim::capture::{Calls as Captured, Finding, Limits, Message, Names, judge, unreadable};
use sansip_sim::check::Evidence;

use crate::baresip::Baresip;
use crate::kamailio::{Kamailio, Ways, kamailio_is_here};
use crate::processes::{Process, free_port, is_here};
use crate::scenario::Scenario;
use crate::scenarios::{call_between, cancelled, changed};
use crate::sipp::{Calls, alone_at, answering, sipp_is_here, wait_for};
use crate::wireshark::Capture;

/// Says what is known of peers, a finding a line: the test, the node in it, the check, the finding without what changes from call to call, whether it is
/// there `always` or `late`, which is where a slow machine has messages come again, the version of the peer, the sentence of the RFC, and the
/// requirement in `tests/conformance/requirements.tsv` that has it.
const KNOWN: &str = include_str!("findings.tsv");

/// A recording of what crosses the loopback interface.
struct Recorder {
    dumpcap: Process,
    capture: Capture,
}

impl Recorder {
    /// Records what comes from these ports or goes to them.
    fn start(ports: &[u16]) -> Self {
        let capture = Capture::new("recorded");
        let filter: Vec<String> = ports.iter().map(|port| format!("port {port}")).collect();
        let mut command = Command::new("dumpcap");
        command.args(["-q", "-i", "lo", "-f", &filter.join(" or "), "-w"]).arg(capture.path());
        let mut dumpcap = Process::start("dumpcap", &mut command);
        dumpcap.says("File: ");
        Self { dumpcap, capture }
    }

    /// Ends the recording, and compares what is to be said of it with what is known. Each of `names` is `ADDRESS=NAME`.
    fn ends_as_known(mut self, test: &str, names: &[String]) {
        // The last packets are on their way to it.
        std::thread::sleep(std::time::Duration::from_millis(500));
        self.dumpcap.ends_when_asked();
        let names: Vec<Names> = names.iter().map(|name| name.parse().expect("a name")).collect();
        let messages = self.capture.messages();
        assert!(!messages.is_empty(), "nothing was recorded");
        let found: BTreeSet<(String, String, String)> = judged(messages, &names).into_iter().map(row).collect();
        let known = |when: &str| -> BTreeSet<_> {
            let rows = KNOWN.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
            let rows = rows.filter(|row| row[0] == test && row[4] == when);
            rows.map(|row| (row[1].into(), row[2].into(), row[3].into())).collect()
        };
        let found: BTreeSet<_> = found.difference(&known("late")).cloned().collect();
        assert_eq!(found, known("always"), "what is said of {test}, and what is known");
        self.capture.is_read_by_wireshark(&[]);
    }
}

/// Whether packets can be recorded.
fn can_record() -> bool {
    is_here("dumpcap", "wireshark-common")
}

/// All that is held against anybody. The capture was made at all nodes.
fn judged(messages: Vec<Message>, names: &[Names]) -> Vec<Finding> {
    let (zero, end) = (messages[0].time, messages[messages.len() - 1].time);
    let (mut captured, mut over) = (Captured::new(Limits::default()), Vec::new());
    for message in messages {
        captured.add(message, &mut |call| over.push(call));
    }
    over.extend(captured.take_rest());
    let unread = captured.unreadable.iter().filter_map(|message| unreadable(message, names, zero));
    let of_calls = over.iter().flat_map(|call| judge(&call.messages, names, zero, end));
    of_calls.chain(unread).filter(|finding| finding.evidence != Evidence::Remark).collect()
}

/// The node, the check, and what is said without the branch, and with # for numbers.
fn row(finding: Finding) -> (String, String, String) {
    let Finding { node, check, what, .. } = finding;
    let what = match what.split_once(" (").and_then(|(before, rest)| Some((before, rest.split_once(')')?.1))) {
        Some((before, after)) => format!("{before}{}", numberless(after)),
        None => what,
    };
    (node, check.to_owned(), what)
}

fn numberless(text: &str) -> String {
    let pieces: Vec<&str> = text.split(|c: char| c.is_ascii_digit()).collect();
    let (first, rest) = pieces.split_first().expect("a piece");
    let is_between = |piece: &&&str| !piece.is_empty();
    let rest: String = rest.iter().filter(is_between).map(|piece| format!("#{piece}")).collect();
    let end = if text.ends_with(|c: char| c.is_ascii_digit()) { "#" } else { "" };
    format!("{first}{rest}{end}")
}

/// A name for what is at that port.
fn at(port: u16, name: &str) -> String {
    format!("127.0.0.1:{port}={name}")
}

/// Calls from sipp to sipp through Kamailio.
fn sipp_through_kamailio(test: &str, call: fn((Scenario, Scenario)) -> (Scenario, Scenario)) {
    if !sipp_is_here() || !kamailio_is_here() || !can_record() {
        return;
    }
    let [port, callee, caller] = [free_port(), free_port(), free_port()];
    let _kamailio = Kamailio::start(Ways { port, biloxi: "sip:127.0.0.1:9", callee, other: callee });
    let recorder = Recorder::start(&[port, callee, caller]);
    let calls = Calls::default();
    let uri = "sip:bob@atlanta.com";
    let ends = (Scenario::caller().towards(uri), Scenario::callee().towards(uri).keeping_its_invite(2));
    let (calling, answers) = call(ends);
    let answers = answering(callee, &calls, &answers);
    let outcome = alone_at(caller, port, &calls, &calling);
    assert_eq!((outcome.successful, outcome.failed), (calls.number, 0), "{outcome:?}");
    drop(answers);
    recorder.ends_as_known(test, &[at(port, "kamailio"), at(callee, "callee"), at(caller, "caller")]);
}

#[test]
fn sipp_calls_through_kamailio() {
    sipp_through_kamailio("sipp_calls_through_kamailio", call_between);
}

#[test]
fn sipp_cancels_through_kamailio() {
    sipp_through_kamailio("sipp_cancels_through_kamailio", cancelled);
}

#[test]
fn sipp_changes_a_call_through_kamailio() {
    sipp_through_kamailio("sipp_changes_a_call_through_kamailio", changed);
}

/// The scenarios that sipp has of its own.
fn sipp_as_it_comes(test: &str, transport: &str) {
    if !sipp_is_here() || !can_record() {
        return;
    }
    let [callee, caller] = [free_port(), free_port()];
    let recorder = Recorder::start(&[callee, caller]);
    let sipp = |scenario: &str, port: u16, more: &[&str]| {
        let mut command = Command::new("sipp");
        command.args(["-sn", scenario, "-t", transport, "-i", "127.0.0.1", "-p", &port.to_string(), "-nostdin"]);
        Process::start("sipp", command.args(["-m", "10", "-r", "50"]).args(more))
    };
    let answers = sipp("uas", callee, &[]);
    wait_for(callee, transport);
    let calls = sipp("uac", caller, &["-d", "100", &format!("127.0.0.1:{callee}")]);
    assert_eq!(calls.ends(), Some(0));
    drop(answers);
    recorder.ends_as_known(test, &[at(callee, "uas"), at(caller, "uac")]);
}

#[test]
fn sipp_as_it_comes_over_udp() {
    sipp_as_it_comes("sipp_as_it_comes", "u1");
}

#[test]
fn sipp_as_it_comes_over_tcp() {
    sipp_as_it_comes("sipp_as_it_comes", "t1");
}

/// One baresip calls another by Kamailio, where both are registered by Digest.
fn baresip_through_kamailio(test: &str, protocol: &str) {
    if !is_here("baresip", "baresip-core") || !kamailio_is_here() || !can_record() {
        return;
    }
    let port = free_port();
    let _kamailio = Kamailio::start(Ways { port, biloxi: "sip:127.0.0.1:9", callee: 9, other: 9 });
    let recorder = Recorder::start(&[port]);
    let mut alice = Baresip::of("alice@atlanta.com", "a", protocol, port);
    let mut carol = Baresip::of("carol@atlanta.com", "a", protocol, port);
    alice.does("dial", "sip:carol@atlanta.com");
    carol.tells("CALL_INCOMING");
    carol.does("accept", "");
    alice.tells("CALL_ESTABLISHED");
    for change in ["hold", "resume"] {
        alice.does(change, "");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
    carol.does("hangup", "");
    alice.tells("CALL_CLOSED");
    let names = [at(port, "kamailio"), at(alice.port, "alice"), at(carol.port, "carol")];
    recorder.ends_as_known(test, &names);
}

#[test]
fn baresip_calls_baresip_through_kamailio_over_udp() {
    baresip_through_kamailio("baresip_calls_baresip_through_kamailio", "udp");
}

#[test]
fn baresip_calls_baresip_through_kamailio_over_tcp() {
    baresip_through_kamailio("baresip_calls_baresip_through_kamailio", "tcp");
}

#[test]
fn what_is_known_of_peers_names_tests_and_requirements_that_are_there() {
    let requirements = include_str!("../conformance/requirements.tsv");
    let tests = include_str!("recorded.rs");
    for line in KNOWN.lines().skip(1) {
        let row: Vec<&str> = line.split('\t').collect();
        let &[test, _, _, _, when, _, sentence, requirement] = row.as_slice() else { panic!("{line}") };
        assert!(["always", "late"].contains(&when) && sentence.starts_with("RFC "), "{line}");
        assert!(tests.contains(&format!("\"{test}\"")), "{test}");
        assert!(requirements.contains(&format!("\n{requirement}\t")), "{requirement}");
    }
}
