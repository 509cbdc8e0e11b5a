//! Reads captures by sngrep.

use std::process::{Command, Stdio};
use std::time::Duration;

use sansip_sim::capture::capture;
use sansip_sim::run::{Case, run};

use crate::processes::is_here;
use crate::wireshark::Capture;

/// Asserts that sngrep reads each message of the capture of a simulated call: what it writes has as many.
fn reads(options: &str) {
    if !is_here("sngrep", "sngrep") {
        return;
    }
    let case: Case = format!("sansip-sim call {options}").parse().expect("a case");
    let (written, read) = (Capture::new("simulated"), Capture::new("sngrep"));
    let file = std::fs::File::create(written.path()).expect("a file");
    capture(run(&case).world.trace(), Duration::from_secs(1_000_000_000), file).expect("it is written");
    let mut sngrep = Command::new("sngrep");
    sngrep.args(["-F", "-N", "-q", "-I"]).arg(written.path()).arg("-O").arg(read.path());
    let ended = sngrep.stdin(Stdio::null()).stdout(Stdio::null()).env("TERM", "dumb").status().expect("it runs");
    assert!(ended.success(), "sngrep {}", written.path().display());
    let (written, read) = (written.messages(), read.messages());
    assert!(!written.is_empty());
    let octets = |messages: &[sansip_sim::capture::Message]| -> Vec<Vec<u8>> {
        messages.iter().map(|message| message.bytes.to_vec()).collect()
    };
    assert_eq!(octets(&read), octets(&written), "{options}");
}

#[test]
fn sngrep_reads_a_call_on_a_bad_network() {
    reads("--topology trapezoid --loss 0.3 --seed 7");
}

#[test]
fn sngrep_reads_a_call_over_udp_and_tcp() {
    reads("--topology mixed --record-route");
}
