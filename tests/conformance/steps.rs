//! The tables of `docs/proxy.md` and `docs/registrar.md`: each numbered step of RFC 3261 §16 and §10.3, in the order of the RFC, with tests that exist.

use super::{Tests, fault};

const PROXY: &str = include_str!("../../docs/proxy.md");
const REGISTRAR: &str = include_str!("../../docs/registrar.md");

/// The sections of RFC 3261 §16 that say what a proxy does, and how many numbered steps each has; 0 where it numbers none.
const OF_A_PROXY: [(&str, usize); 9] = [
    ("16.3", 6),
    ("16.4", 0),
    ("16.5", 0),
    ("16.6", 11),
    ("16.7", 10),
    ("16.8", 0),
    ("16.9", 0),
    ("16.10", 0),
    ("16.11", 0),
];

/// §10.3, which numbers what a registrar does.
const OF_A_REGISTRAR: [(&str, usize); 1] = [("10.3", 8)];

/// The step of each row, and its tests as the list of requirements writes them.
fn rows(table: &str) -> Vec<(&str, String)> {
    let rows = table.lines().filter(|line| line.strip_prefix("| 1").is_some_and(|rest| rest.contains('.')));
    rows.map(|line| match line.trim_matches(['|', ' ']).split(" | ").collect::<Vec<_>>().as_slice() {
        [step, _, shown_by] => (*step, shown_by.replace('`', "")),
        _ => panic!("not three columns: {line}"),
    })
    .collect()
}

#[test]
fn each_step_of_a_proxy_stands_in_the_table_with_tests_that_exist() {
    holds(PROXY, &OF_A_PROXY);
}

#[test]
fn each_step_of_a_registrar_stands_in_the_table_with_tests_that_exist() {
    holds(REGISTRAR, &OF_A_REGISTRAR);
}

/// Whether a table has each numbered step of these sections once and in order, with tests that exist.
fn holds(table: &str, sections: &[(&str, usize)]) {
    let steps = sections.iter().flat_map(|(section, steps)| match steps {
        0 => vec![(*section).to_owned()],
        steps => (1..=*steps).map(|step| format!("{section} {step}")).collect(),
    });
    let rows = rows(table);
    assert_eq!(rows.iter().map(|(step, _)| (*step).to_owned()).collect::<Vec<_>>(), steps.collect::<Vec<_>>());
    let tests = Tests::of_sources();
    let faults: Vec<String> =
        rows.iter().filter_map(|(step, shown_by)| Some(format!("{step}: {}", fault(shown_by, &tests)?))).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
