use super::*;
use crate::fault::Plan;
use crate::run::{ByWhom, run};

/// A predicate on what is asked for, as one on what comes of it.
fn when(fails: impl Fn(&Case) -> bool) -> impl FnMut(&Case) -> Option<World> {
    move |case| fails(case).then(|| run(case).world)
}

/// Fails if alice's first INVITE and the first 200 that biloxi forwards are both lost or late, whatever else happens.
fn needs_two(case: &Case) -> bool {
    let text = case.plan.to_string();
    text.contains("alice>atlanta#1:") && text.contains("biloxi>atlanta#3:")
}

#[test]
fn what_is_left_fails_and_nothing_of_it_can_be_left_out() {
    let noise: Vec<_> = (2..40).map(|n| format!("bob>biloxi#{n}:drop, alice>bob#{n}:+1234ms")).collect();
    let plan = format!("alice>atlanta#1:+4567ms, biloxi>atlanta#3:drop, {}", noise.join(", "));
    let case = Case {
        record_route: true,
        hang_up: ByWhom::ALICE,
        calm_after: Duration::from_millis(7_777),
        plan: plan.parse().unwrap(),
        ..Case::default()
    };
    let runs = std::cell::Cell::new(0);
    let fails = |case: &Case| {
        runs.set(runs.get() + 1);
        needs_two(case)
    };
    let shrunk = shrink(&case, &mut when(fails));
    let line = "sansip-sim call --topology trapezoid --plan 'alice>atlanta#1:+1ms, biloxi>atlanta#3:drop' --seed 1";
    assert_eq!(shrunk.to_string(), line);
    assert!(runs.get() < 200, "{runs:?}");
}

#[test]
fn a_smaller_scene_is_taken_with_the_faults_on_the_links_that_are_left() {
    let plan = "alice>atlanta#7:drop, atlanta>biloxi#2:drop, biloxi>bob#1:+70ms";
    let case = Case { plan: plan.parse().unwrap(), ..Case::default() };
    let shrunk = shrink(&case, &mut when(|case| case.plan.to_string().contains(">bob#1")));
    assert_eq!(shrunk.to_string(), "sansip-sim call --topology direct --plan 'alice>bob#1:+1ms' --seed 1");
}

#[test]
fn values_have_fewer_parts_and_rounder_times() {
    for (value, some) in [
        ("alice:175ms,bob", &["bob", "alice:175ms", "alice:1ms,bob", "alice:100ms,bob", "alice:170ms,bob"][..]),
        ("answer:1234ms", &["answer:1ms", "answer:1s", "answer:1200ms", "answer:1230ms"]),
        ("90s", &["1ms", "60s"]),
    ] {
        let nearer = nearer(value);
        assert!(some.iter().all(|some| nearer.iter().any(|nearer| nearer == some)), "{value}: {nearer:?}");
        assert!(!nearer.iter().any(|nearer| nearer == value));
    }
    assert!(nearer("0.3").is_empty() && nearer("nobody").is_empty());
}

/// A check that no call without an answer survives.
fn unanswered(case: &Case) -> Run {
    let mut run = run(case);
    if case.reply == crate::run::Reply::Nothing {
        let (check, property, node) = ("our-own", crate::check::Property::Liveness, crate::trace::NodeId(0));
        let breach = crate::check::Breach {
            check,
            property,
            evidence: crate::check::Evidence::Missing,
            node,
            time: run.world.now(),
            what: "nobody answers".into(),
        };
        run.verdict.liveness.push(breach);
    }
    run
}

#[test]
fn a_test_that_expects_a_case_to_hold_fails_with_what_is_left_of_it() {
    let folder = std::env::temp_dir().join(format!("sansip-sim-expect-{}", std::process::id()));
    let plan = "*>bob ACK:drop, alice@1s:clock(+3ppm)".parse().unwrap();
    let good = Case { plan, record_route: true, ..Case::default() };
    expect_holds_by(&good, &folder, &unanswered);
    assert!(!folder.exists());
    let bad = Case { reply: crate::run::Reply::Nothing, ..good };
    let panic = std::panic::catch_unwind(|| expect_holds_by(&bad, &folder, &unanswered)).unwrap_err();
    let said = panic.downcast_ref::<String>().unwrap();
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let kinds: Vec<_> = files.iter().map(|path| path.extension().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["html", "mmd", "svg", "txt"]);
    for path in &files {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(
            text.contains("nobody answers") && text.contains("F1 INVITE") | text.contains("<b>F1</b> INVITE"),
            "{text}"
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
    for part in [
        "--- F1 INVITE --",
        "\nrule broken: our-own at ",
        "\nfound: sansip-sim call --topology trapezoid --record-route --reply nothing --plan ",
        "\nreplay, in this program: expect_holds_by(&Case::read(\"sansip-sim call --topology direct --reply nothing --seed 1\")?, …)\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.contains(&format!("kept in {}", folder.join("our-own-").display())), "{said}");
}

#[test]
fn a_plan_with_names_of_another_network_is_cut_down_too() {
    let plan = "gateway>bob#2:drop, alice>bob#1:drop, gateway@1s:crash, bob>alice#3:+1234ms";
    let line = format!("sansip-sim call --topology direct --plan '{plan}' --seed 1");
    let case = Case::read(&line).unwrap();
    assert!(line.parse::<Case>().unwrap_err().contains("no node `gateway`"));
    // The network that knows them is run elsewhere.
    let runs = |case: &Case| run(&Case { plan: Plan::new(), ..case.clone() }).world;
    let mut failing = |case: &Case| case.plan.to_string().contains("gateway>bob#2:drop").then(|| runs(case));
    let shrunk = shrink(&case, &mut failing);
    let left = "sansip-sim call --topology direct --plan 'gateway>bob#2:drop' --seed 1";
    assert_eq!((shrunk.to_string().as_str(), &Case::read(left).unwrap()), (left, &shrunk));
}
