use super::*;
use crate::run::HangUp;

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
        hang_up: HangUp::ALICE,
        calm_after: Duration::from_millis(7_777),
        plan: plan.parse().unwrap(),
        ..Case::default()
    };
    let mut runs = 0;
    let shrunk = shrink(&case, &mut |case| {
        runs += 1;
        needs_two(case)
    });
    let line = "sansip-sim call --topology trapezoid --plan 'alice>atlanta#1:+1ms, biloxi>atlanta#3:drop' --seed 1";
    assert_eq!(shrunk.to_string(), line);
    assert!(runs < 200, "{runs}");
}

#[test]
fn a_smaller_scene_is_taken_with_the_faults_on_the_links_that_are_left() {
    let plan = "alice>atlanta#7:drop, atlanta>biloxi#2:drop, biloxi>bob#1:+70ms";
    let case = Case { plan: plan.parse().unwrap(), ..Case::default() };
    let shrunk = shrink(&case, &mut |case| case.plan.to_string().contains(">bob#1"));
    assert_eq!(shrunk.to_string(), "sansip-sim call --topology direct --plan 'alice>bob#1:+1ms' --seed 1");
}
