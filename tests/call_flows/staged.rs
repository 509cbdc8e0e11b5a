//! A network of one's own: the B2BUA of the driver's examples under sweep, exploration and shrinking, and two mistakes in it that these find.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use sansip::user_agent::Profile;
use sansip::{Config, Listener, NextHop, Seed, Stack};
use sansip_sim::actor::NodeActor;
use sansip_sim::crew::Progress;
use sansip_sim::fault::strategy;
use sansip_sim::planted::{Faulty, Hooks, Notebook};
use sansip_sim::render::ladder;
use sansip_sim::run::Case;
use sansip_sim::stage::Stage;
use sansip_sim::sweep::{Length, Scope, Shard, Sweep};
use sansip_sim::topology::Phone;

use crate::b2bua::bridge::{Bridge, Told};

const NODES: [&str; 3] = ["alice", "b2bua", "bob"];

/// Alice calls Bob through the B2BUA, which has this mistake.
fn stage(mistake: Option<Hooks>) -> Stage {
    Stage::new("replays", &NODES, move |scenario, scene| {
        let mut alice = scenario.alice.clone();
        alice.calls[0].to = "<sip:bob@192.0.2.2>".parse().expect("a name-addr");
        scene.phone(Phone::new("alice", "Alice <sip:alice@atlanta.com>", [192, 0, 2, 1]), &alice);
        let build = |life: u32| {
            let profile = Profile::new("<sip:b2bua@192.0.2.2>".parse().expect("an identity"));
            let next_hop = NextHop::from(std::net::SocketAddr::from(([192, 0, 2, 4], 5060)));
            let seed = Seed::from_u64(2 + u64::from(life));
            let mut stack = Stack::new(Config::new(seed), Bridge::new(profile, next_hop, seed));
            stack.listen(Listener::udp(([192, 0, 2, 2], 5060).into()));
            stack
        };
        let mut calls = 0;
        let bridge = NodeActor::of_stack(build(0), move |_, _, told| match told {
            Told::Begun(_) => {
                calls += 1;
                Some(format!("call {calls}").into())
            }
            Told::Answered | Told::Over(_) | Told::Dropped(..) => None,
        })
        .restartable(build);
        match mistake {
            None => scene.node("b2bua", bridge, &[]),
            Some(mistake) => scene.node("b2bua", Faulty::new(Box::new(bridge), mistake), &[]),
        }
        scene.phone(Phone::new("bob", "Bob <sip:bob@192.0.2.4>", [192, 0, 2, 4]), &scenario.bob);
    })
}

/// Runs a line that a failure has printed.
fn replays(line: &str) {
    let stage = stage(None);
    stage.expect_holds(&stage.case(line).expect("a line of this stage"));
}

fn sweep(runs: u64) -> Sweep {
    let scope = Scope::default();
    Sweep { seed: 7, length: Length::Runs(runs), scope, shard: Shard::WHOLE, twice: true, learns: false }
}

#[test]
fn a_b2bua_holds_all_checks_in_a_sweep() {
    let stage = stage(None);
    let results = stage.sweep(&sweep(150), 2, &Progress::default());
    if let Some(first) = results.broken.0.values().map(|broken| broken.first).min() {
        stage.expect_holds(&stage.draw(&Scope::default(), 7, first));
    }
    assert_eq!((results.runs, results.different, results.status()), (150, 0, 0), "{results}");
    assert!(results.faults > 1_000, "{results}");
}

#[test]
fn every_placement_of_a_fault_on_a_call_through_a_b2bua_holds() {
    let stage = stage(None);
    let case = stage.case("").expect("the usual call");
    let found = stage.explore(&case, 1, 2, &Progress::default());
    assert!(found.whole && found.broken.0.is_empty(), "{found:?}");
    let messages = stage.run(&case).world.trace().transmissions().count();
    // Lost, doubled, and late in two ways.
    assert_eq!(found.runs, [1, 4 * messages as u64]);
}

#[test]
fn a_line_is_read_back_by_the_function_that_it_names() {
    replays("--plan 'b2bua>bob INVITE#1:drop, bob>b2bua 200/INVITE#1:+700ms, b2bua@90s:crash' --seed 1");
    let case = stage(None).case("--reply reject:1s --hang-up alice --plan 'alice>b2bua#2:drop'").unwrap();
    assert_eq!(stage(None).case(&stage(None).line(&case)), Ok(case));
    for (line, why) in [
        ("--plan 'carol>bob#1:drop'", "there is no node `carol`; the nodes are alice, b2bua, bob"),
        ("--topology nat", "--topology: the network is this program's"),
    ] {
        assert_eq!(stage(None).case(line).unwrap_err(), why);
    }
}

/// An ACK that is owed is never released.
fn no_ack(_: &mut Notebook, kind: &str, text: String) -> Vec<String> {
    if kind == "ACK" { Vec::new() } else { vec![text] }
}

/// A leg that a BYE has ended gets a BYE of its own.
fn second_bye(notes: &mut Notebook, kind: &str, text: String) -> Vec<String> {
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    if kind == "INVITE" {
        notes.texts.insert("number", line("CSeq:").replace(" INVITE", ""));
    }
    if kind == "200 BYE"
        && let Some(number) = notes.texts.get("number").and_then(|number| number.parse::<u32>().ok())
    {
        let (us, peer, call_id) = (line("To:"), line("From:"), line("Call-ID:"));
        let uri = peer.split(['<', '>']).nth(1).unwrap_or_default();
        let bye = format!(
            "BYE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKsecond\r\nMax-Forwards: 70\r\n\
             From: {us}\r\nTo: {peer}\r\nCall-ID: {call_id}\r\nCSeq: {} BYE\r\nContent-Length: 0\r\n\r\n",
            number + 1
        );
        notes.send_later(300, bye);
    }
    vec![text]
}

#[test]
fn mistakes_of_a_b2bua_are_found_and_cut_down_to_a_line_of_this_program() {
    for (mistake, check) in [(Hooks::sending(no_ack), "acknowledged"), (Hooks::sending(second_bye), "after-bye")] {
        let stage = stage(Some(mistake));
        let results = stage.sweep(&Sweep { twice: false, ..sweep(40) }, 2, &Progress::default());
        let first = results.broken.0.get(check).unwrap_or_else(|| panic!("{check}: {results}")).first;
        let failure = stage.failure(&stage.draw(&Scope::default(), 7, first)).expect("it breaks a check");
        let said = failure.to_string();
        assert!(said.contains("\nreplay, in this program: replays(\"") && !said.contains("sansip-sim"), "{said}");
        assert!(failure.shrunk.plan.len() <= 2, "{said}");
        // The exploration finds it as well, and a test fails with what is left of it.
        let usual = stage.case("--ring-after never --plan 'b2bua>bob ACK#1:+1s'").unwrap();
        let found = stage.explore(&usual, 0, 1, &Progress::default());
        assert!(found.broken.0.contains_key(check), "{check}: {found:?}");
        let panic = catch_unwind(AssertUnwindSafe(|| stage.expect_holds(&usual))).unwrap_err();
        let said = panic.downcast_ref::<String>().expect("words").clone();
        assert!(
            said.contains(&format!("rule broken: {check} ")) && said.contains("replays(\"--seed 1\")"),
            "{check}: {said}"
        );
    }
}

#[test]
fn a_ladder_is_a_snapshot_in_one_statement() {
    let stage = stage(None);
    insta::assert_snapshot!(ladder(stage.run(&stage.case("").unwrap()).world.trace()));
}

#[test]
#[should_panic(expected = "`b2bua` listens nowhere: `listen` comes before it enters a world")]
fn a_listener_that_is_forgotten_is_said() {
    let forgetful = Stage::new("replays", &NODES, |_, scene| {
        let profile = Profile::new("<sip:b2bua@192.0.2.2>".parse().expect("an identity"));
        let next_hop = NextHop::from(std::net::SocketAddr::from(([192, 0, 2, 4], 5060)));
        let stack = Stack::new(Config::new(Seed::from_u64(2)), Bridge::new(profile, next_hop, Seed::from_u64(2)));
        scene.node("b2bua", NodeActor::of_stack(stack, |_, _, _| None), &[]);
    });
    forgetful.run(&Case::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn plans_that_are_drawn_are_plans_of_these_nodes(plan in strategy(&NODES, 4)) {
        prop_assert!(plan.len() <= 4);
        prop_assert!(plan.nodes().all(|name| NODES.contains(&name)), "{}", plan);
        let stage = stage(None);
        let line = format!("--plan '{plan}'");
        let run = stage.run(&stage.case(&line).map_err(TestCaseError::fail)?);
        prop_assert!(run.verdict.holds(), "{}: {:?}", line, run.verdict);
    }
}
