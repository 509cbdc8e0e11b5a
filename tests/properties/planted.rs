//! The checks can fail: mistakes put between a node and the world, each found by the check that it is for. Those that are patches
//! of core are found by `tests/planted/run`.

use std::collections::BTreeSet;

use sansip::Duration;
use sansip_sim::actor::Actor;
use sansip_sim::check::standard;
use sansip_sim::planted::{Faulty, Hooks, How, Planted, TABLE, blamed, find, hunt, is_caught, run};
use sansip_sim::run::{Case, Reply, digest, run_with};
use sansip_sim::sweep::{Scope, draw};
use sansip_sim::topology::Topology;

/// More than any of them needs.
const RUNS: u64 = 50;

fn named(name: &str) -> Planted {
    TABLE.iter().copied().find(|planted| planted.name == name).expect("it is in the table")
}

#[test]
fn every_planted_mistake_is_found_by_its_check() {
    for planted in TABLE.iter().filter(|planted| matches!(planted.how, How::Wrapped(..))) {
        assert!(
            find(planted, RUNS).is_some(),
            "{}: {} was not found by {}",
            planted.name,
            planted.mistake,
            planted.check
        );
    }
}

#[test]
fn every_check_finds_some_mistake() {
    let finding: BTreeSet<&str> = TABLE.iter().map(|planted| planted.check).collect();
    let all: BTreeSet<&str> = standard().iter().map(|check| check.name()).collect();
    assert_eq!(finding, all);
    let names: BTreeSet<&str> = TABLE.iter().map(|planted| planted.name).collect();
    assert_eq!(names.len(), TABLE.len(), "each has a name of its own");
}

#[test]
fn a_run_is_cut_down_until_no_fault_can_be_left_out() {
    let planted = named("ack-once");
    let caught = hunt(&planted, RUNS).unwrap();
    assert!(is_caught(&planted, &caught.shrunk));
    let plan = caught.shrunk.plan.to_string();
    let faults: Vec<&str> = plan.split(", ").filter(|fault| !fault.is_empty()).collect();
    for left_out in 0..faults.len() {
        let rest: Vec<&str> = [&faults[..left_out], &faults[left_out + 1..]].concat();
        let case = Case { plan: rest.join(", ").parse().unwrap(), ..caught.shrunk.clone() };
        assert!(!is_caught(&planted, &case), "{} without {}", caught.shrunk, faults[left_out]);
    }
}

#[test]
fn a_wrapper_without_effect_changes_nothing() {
    for number in 0..20 {
        let case = draw(&Scope::PLAIN, 1, number);
        let bare = run_with(&case, &standard(), &mut |_, node| node);
        let wrapped = run_with(&case, &standard(), &mut |_, node| Box::new(Faulty::new(node, Hooks::NONE)));
        assert_eq!(digest(wrapped.world.trace()), digest(bare.world.trace()), "{case}");
        assert!(wrapped.verdict.holds());
    }
}

#[test]
fn what_provokes_a_mistake_is_none_of_those_who_are_provoked() {
    for planted in TABLE.iter().filter(|planted| planted.scene.provoked.is_some()) {
        // Without the patch, or with a wrapper that does nothing, nobody makes the mistake.
        let how = match planted.how {
            How::Wrapped(at, _) => How::Wrapped(at, Hooks::NONE),
            How::Patched => How::Patched,
        };
        let innocent = Planted { how, ..*planted };
        for number in 0..20 {
            let mut case = draw(&Scope::PLAIN, 1, number);
            innocent.scene.adapt(&mut case);
            let run = run(&innocent, &case);
            let blamed: Vec<_> = blamed(&innocent, &run).filter(|breach| breach.check == innocent.check).collect();
            assert!(blamed.is_empty(), "{}: {blamed:?}\n{case}", innocent.name);
        }
    }
}

/// The findings about atlanta with this mistake, on a network where it speaks TCP with biloxi, and Bob rejects.
fn said_over_tcp(hooks: Hooks) -> Vec<(&'static str, String)> {
    let case = Case {
        topology: Topology::Mixed,
        reply: Reply::Reject(Duration::from_millis(100)),
        plan: "biloxi>atlanta#3:split(9)".parse().expect("a plan"),
        ..Case::default()
    };
    let mut wrap = |name: &str, node: Box<dyn Actor>| -> Box<dyn Actor> {
        if name == "atlanta" { Box::new(Faulty::new(node, hooks)) } else { node }
    };
    let run = run_with(&case, &standard(), &mut wrap);
    let atlanta = run.world.node("atlanta");
    let of_atlanta = run.verdict.breaches().filter(|breach| Some(breach.node) == atlanta);
    of_atlanta.map(|breach| (breach.check, breach.what.clone())).collect()
}

#[test]
fn mistakes_over_connections_are_found_as_well() {
    assert_eq!(said_over_tcp(Hooks::NONE), []);
    let silent = said_over_tcp(Hooks::sending(|_, kind, text| if kind == "ACK" { vec![] } else { vec![text] }));
    assert!(
        silent.iter().any(|(check, what)| *check == "acknowledged" && what.contains("no ACK for 486")),
        "{silent:?}"
    );
    let twice = said_over_tcp(Hooks::sending(|memory, kind, text| {
        if kind == "INVITE" {
            memory.send_later(5, text.clone());
        }
        vec![text]
    }));
    assert!(twice.iter().any(|(check, what)| *check == "schedule" && what.ends_with("loses nothing")), "{twice:?}");
}
