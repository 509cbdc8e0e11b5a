//! Equal options give equal bytes, and the plan that a run prints gives them again.

use sansip_sim::cli::{Out, run};

/// The output of a command on stdout; all checks hold.
fn print(line: &str, plan: Option<&str>) -> String {
    let arguments: Vec<_> = line.split_whitespace().chain(plan.map(|_| "--plan")).chain(plan).collect();
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut out = Out { stdout: &mut stdout, stderr: &mut stderr, terminal: false, colour: false };
    assert_eq!(run(arguments, &mut out), 0, "{line}");
    String::from_utf8(stdout).expect("text")
}

/// The plan in the last line of a run.
fn replay(text: &str) -> Option<&str> {
    let line = text.lines().next_back()?.strip_prefix("replay: sansip-sim ")?;
    Some(line.split_once("--plan '")?.1.split_once('\'')?.0)
}

#[test]
fn a_run_twice_prints_the_same_bytes() {
    for line in ["call", "call --loss 0.3 --seed 7", "call --loss 0.2 --duplicate 0.2 --reorder 0.2 --record-route"] {
        assert_eq!(print(line, None), print(line, None), "{line}");
    }
}

#[test]
fn another_seed_is_another_run() {
    assert_ne!(print("call --loss 0.3 --seed 7", None), print("call --loss 0.3 --seed 8", None));
}

#[test]
fn the_printed_plan_repeats_the_run_without_the_weather() {
    let bad = "--loss 0.3 --duplicate 0.2 --reorder 0.2";
    for options in ["", "--record-route", "--topology one-proxy --hang-up alice", "--topology direct"] {
        for seed in 1..=5 {
            let seed = format!("--seed {seed}");
            let drawn = print(&format!("call {options} {bad} {seed}"), None);
            let plan = replay(&drawn).expect("a line that repeats the run");
            let planned = print(&format!("call {options} {seed}"), Some(plan));
            assert_eq!(planned, drawn, "{options} {seed}");
        }
    }
}

#[test]
fn a_run_without_faults_has_nothing_to_repeat() {
    let printed = print("call", None);
    assert!(replay(&printed).is_none());
    assert!(printed.lines().next_back().is_some_and(|line| line.starts_with("16 messages, 0 retransmissions")));
}

#[test]
fn a_lossy_call_shows_losses_and_retransmissions_and_breaks_no_rule() {
    let printed = print("call --loss 0.3 --seed 7", None);
    assert!(printed.contains("x  ") && printed.contains("(resent)"), "{printed}");
}
