//! Texts of users: any text is a plan or a case that prints as it is read, or is refused in one line.

use proptest::prelude::*;
use sansip_sim::fault::Plan;
use sansip_sim::run::{Case, run};

/// Text that is nearly a plan: pieces of plans in any order, and now and then anything.
fn scraps() -> impl Strategy<Value = String> {
    let pieces = [
        "alice",
        "bob",
        "nat",
        "*",
        ">",
        "|",
        "+",
        " ",
        "ACK",
        "200/INVITE",
        "2xx/*",
        "#",
        "1",
        "0",
        "4294967296",
        ":",
        "@",
        "..",
        "5s",
        "20ms",
        "18446744073709551615ns",
        "drop",
        "reset",
        "dup(",
        ")",
        "flip(17^20)",
        "split(3)",
        "crash",
        "restart",
        "cut",
        "dns(silent)",
        "clock(",
        "-99999ppm",
        "stall",
        "forget",
        "flood(9)",
        ",",
        ", ",
        "é",
        "\n",
    ];
    let faults = [
        "alice>bob#1:drop",
        "*>bob ACK#2:+1s",
        "bob>alice 200/INVITE:dup(+20ms)",
        "alice|bob@1s..2s:cut",
        "bob@2s:crash",
        "bob@3s:restart",
        "alice>bob#2:flip(3^04)",
        "alice>bob#3:split(7)",
        "*@0s:clock(+200ppm)",
        "alice@1s..9s:dns(+1s)",
        "bob@1s..3s:flood(5)",
    ];
    let piece =
        prop_oneof![prop::sample::select(pieces.to_vec()).prop_map(String::from), any::<char>().prop_map(String::from)];
    let scrap = prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    let fault = prop::sample::select(faults.to_vec()).prop_map(String::from);
    prop::collection::vec(prop_oneof![3 => fault, 1 => scrap], 0..5).prop_map(|parts| parts.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_a_plan_that_prints_as_it_is_read_or_is_refused_in_a_line(text in scraps()) {
        match text.parse::<Plan>() {
            Ok(plan) => {
                prop_assert_eq!(plan.to_string().parse::<Plan>(), Ok(plan.clone()));
                let case = Case { topology: "direct".parse().expect("a topology"), plan, ..Case::default() };
                if case.check().is_ok() {
                    prop_assert_eq!(case.to_string().parse(), Ok(case.clone()));
                    let met = run(&case).world.faults_met();
                    prop_assert_eq!(run(&case.planned(&met)).world.faults_met(), met);
                }
            }
            Err(error) => {
                let error = error.to_string();
                prop_assert!(!error.contains('\n') && error.starts_with("fault "), "{}", error);
            }
        }
    }
}
