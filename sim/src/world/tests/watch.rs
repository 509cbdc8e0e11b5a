//! Shows what stands in the nodes, as the trace has it.

use std::collections::BTreeMap;

use crate::run::{Case, digest, run, run_watched};
use crate::trace::{State, Trace};

const CASES: [&str; 7] = [
    "--topology trapezoid --plan 'alice>atlanta#1:drop'",
    "--topology mixed --record-route --loss 0.2 --seed 3",
    "--topology nat --cancel-after 1s",
    "--topology fork:3 --reply reject:1s",
    "--topology direct --reliable --hold alice:1s --session-expires 90s --hang-up alice:200s --calm-after 300s",
    "--topology trapezoid --plan 'biloxi@2s:crash, biloxi@4s:restart, bob@0s:clock(+200ppm)'",
    "--topology farm:2 --transfer 1s",
];

fn case(line: &str) -> Case {
    format!("sansip-sim call {line}").parse().unwrap()
}

#[test]
fn a_watched_run_is_the_same_run() {
    for line in CASES {
        let (plain, watched) = (run(&case(line)), run_watched(&case(line)));
        assert_eq!(digest(plain.world.trace()), digest(watched.world.trace()), "{line}");
        assert_eq!((plain.world.trace().states().len(), plain.world.now()), (0, watched.world.now()), "{line}");
    }
}

/// The states of each transaction, in order, by node, name and request.
fn lives(trace: &Trace, line: &str) -> Vec<(bool, String, Vec<String>)> {
    let mut alive: BTreeMap<(usize, String), (bool, String, Vec<String>)> = BTreeMap::new();
    let mut lives = Vec::new();
    for change in trace.states() {
        let State::Transaction(it) = &change.state else { continue };
        let request = it.request.as_ref().unwrap_or_else(|| panic!("{line}: {} has no request: {change:?}", it.id));
        let key = (change.node.0, it.id.clone());
        let begun = || (it.is_client, format!("{} {}", request.method, request.branch), Vec::new());
        let life = alive.entry(key.clone()).or_insert_with(begun);
        assert_eq!(life.1, format!("{} {}", request.method, request.branch), "{line}: one name, one transaction");
        if life.2.last() != Some(&it.state) {
            life.2.push(it.state.clone());
        }
        if it.state == "Terminated" {
            assert!(it.timers.is_empty(), "{change:?}");
            lives.push(alive.remove(&key).unwrap());
        }
    }
    assert_eq!(alive.len(), 0, "{line}: {alive:?}");
    lives
}

/// RFC 3261 §17 with RFC 6026: figures 5 to 8. More than one step may be made at once.
#[test]
fn each_transaction_lives_as_the_figures_say() {
    let mut seen = std::collections::BTreeSet::new();
    for line in CASES {
        for (is_client, request, states) in lives(run_watched(&case(line)).world.trace(), line) {
            let order: &[&str] = match (is_client, request.starts_with("INVITE ")) {
                (true, true) => &["Calling", "Proceeding", "Accepted", "Completed", "Terminated"],
                (true, false) => &["Trying", "Proceeding", "Completed", "Terminated"],
                (false, true) => &["Proceeding", "Accepted", "Completed", "Confirmed", "Terminated"],
                (false, false) => &["Trying", "Proceeding", "Completed", "Terminated"],
            };
            let places: Vec<_> = states.iter().map(|state| order.iter().position(|it| it == state)).collect();
            assert!(places.is_sorted() && !places.contains(&None), "{line}: {request}: {states:?}");
            assert!(!(states.contains(&"Accepted".into()) && states.contains(&"Completed".into())), "{request}");
            seen.extend(states.into_iter().map(|state| (is_client, state)));
        }
    }
    assert_eq!(seen.len(), 12, "each state of each side: {seen:?}");
}

#[test]
fn dialogs_and_timers_are_over_in_the_end_and_bindings_as_long_as_registered() {
    for line in CASES {
        let world = run_watched(&case(line)).world;
        let (mut dialogs, mut timers, mut bindings) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for change in world.trace().states() {
            let node = world.trace().name(change.node).to_owned();
            match &change.state {
                State::Dialog(it) => drop(dialogs.insert((node, it.id.clone()), it.state.clone())),
                State::Timer(it) if it.at.is_some() => drop(timers.insert((node, it.id.clone()), it.name.clone())),
                State::Timer(it) => drop(timers.remove(&(node, it.id.clone()))),
                State::Binding(it) => bindings.push((node, it.address_of_record.clone(), it.expires.is_some())),
                State::Transaction(_) => {}
            }
        }
        assert!(dialogs.len() >= 2 || line.contains("reject"), "{line}: {dialogs:?}");
        assert!(dialogs.values().all(|state| state == "terminated"), "{line}: {dialogs:?}");
        // Registrations and bindings outlast a run.
        assert!(timers.values().all(|name| ["Refresh", "Binding"].contains(&name.as_str())), "{line}: {timers:?}");
        let bob = |is_there| ("biloxi".to_owned(), "bob@biloxi.com".to_owned(), is_there);
        if line.contains("crash") {
            assert_eq!(bindings, [bob(true), bob(false)], "what a crash takes is gone");
        } else if line.contains("trapezoid") || line.contains("mixed") {
            assert_eq!(bindings, [bob(true)], "{line}");
        }
    }
}

/// RFC 3261 §17.1.1.2: timer A doubles; the clock of the node runs fast.
#[test]
fn timers_are_told_in_the_time_of_the_world() {
    let line = "--topology direct --plan 'alice@0s:clock(+99999ppm), alice>bob#1:drop, alice>bob#2:drop'";
    let world = run_watched(&case(line)).world;
    let fired: Vec<u64> = world.trace().transmissions().take(3).map(|(_, time, _)| time.as_nanos()).collect();
    let mut set = Vec::new();
    for change in world.trace().states() {
        let State::Transaction(it) = &change.state else { continue };
        set.extend(it.timers.iter().filter(|(name, _)| name == "A").map(|(_, at)| at.as_nanos()));
    }
    assert_eq!(set[..2], fired[1..], "a timer fires when it was said to");
    assert!(fired[1] - fired[0] < 460_000_000, "{fired:?}");
}
