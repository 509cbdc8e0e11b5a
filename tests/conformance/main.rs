//! The requirements of the RFCs: `requirements.tsv` names a test for each requirement, or says why there is none. Reads
//! the sources for the names.
//!
//! A test is named by a file or folder of the repository and the name of its function:
//! `core/src/dialog::the_six_patterns_row_by_row`.

mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The sections whose requirements are listed: RFC and section, as the identifiers begin.
const SECTIONS: [&str; 19] = [
    "3261-7", "3261-8", "3261-9", "3261-10", "3261-11", "3261-12", "3261-13", "3261-14", "3261-15", "3261-16",
    "3261-17", "3261-18", "3261-22", "3262", "3263", "3264", "4320", "5393", "6026",
];

/// How the RFCs oblige; in small letters where they do so without the word in capitals.
const LEVELS: [&str; 11] = [
    "MUST",
    "MUST NOT",
    "SHOULD",
    "SHOULD NOT",
    "MAY",
    "RECOMMENDED",
    "NOT RECOMMENDED",
    "must",
    "must not",
    "should",
    "should not",
];

const REQUIREMENTS: &str = include_str!("requirements.tsv");

struct Requirement<'a> {
    id: &'a str,
    level: &'a str,
    shown_by: &'a str,
}

/// The rows of the list behind its head.
fn requirements(list: &str) -> Result<Vec<Requirement<'_>>, String> {
    let mut lines = list.lines();
    if lines.next() != Some("id\tlevel\troles\trequirement\tshown by") {
        return Err("the head is another".to_owned());
    }
    lines
        .map(|line| match line.split('\t').collect::<Vec<_>>().as_slice() {
            [id, level, _, _, shown_by] => Ok(Requirement { id, level, shown_by }),
            _ => Err(format!("not five columns: {line}")),
        })
        .collect()
}

/// The tests that the sources have: each folder and file, with the names of the tests within.
struct Tests(BTreeMap<PathBuf, BTreeSet<String>>);

impl Tests {
    fn of_sources() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut tests = BTreeMap::new();
        for folder in ["core/src", "sim/src", "tests"] {
            collect(&root, &root.join(folder), &mut tests);
        }
        Self(tests)
    }

    fn has(&self, name: &str) -> bool {
        let Some((place, name)) = name.split_once("::") else { return false };
        self.0.get(Path::new(place)).is_some_and(|names| names.contains(name))
    }
}

/// Puts the tests of a file or folder, and of all within, where they stand and in each folder above.
fn collect(root: &Path, place: &Path, tests: &mut BTreeMap<PathBuf, BTreeSet<String>>) {
    if place.is_dir() {
        for entry in std::fs::read_dir(place).expect("a folder") {
            collect(root, &entry.expect("an entry").path(), tests);
        }
    } else if place.extension().is_some_and(|extension| extension == "rs") {
        let names = tests_in(&std::fs::read_to_string(place).expect("a source file"));
        let relative = place.strip_prefix(root).expect("a place below the root");
        for above in relative.ancestors() {
            tests.entry(above.to_owned()).or_default().extend(names.iter().cloned());
        }
    }
}

/// The names of the functions that have the attribute `#[test]`, with other attributes and comments between.
fn tests_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line == "#[test]" {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("fn ").filter(|_| is_test) {
            names.extend(rest.split('(').next().map(str::to_owned));
            is_test = false;
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            is_test = false;
        }
    }
    names
}

/// The fault of the last column of a row, if it has any.
fn fault(shown_by: &str, tests: &Tests) -> Option<String> {
    for reason in ["later: ", "not testable: "] {
        if let Some(words) = shown_by.strip_prefix(reason) {
            return words.trim().is_empty().then(|| format!("`{reason}` without words"));
        }
    }
    let missing: Vec<&str> = shown_by.split(", ").filter(|name| !tests.has(name)).collect();
    (!missing.is_empty()).then(|| format!("no such test: {}", missing.join(", ")))
}

#[test]
fn each_requirement_has_a_test_that_exists_or_a_reason() {
    let tests = Tests::of_sources();
    let requirements = requirements(REQUIREMENTS).expect("a list");
    let faults: Vec<String> =
        requirements.iter().filter_map(|row| Some(format!("{}: {}", row.id, fault(row.shown_by, &tests)?))).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_list_has_every_section_and_each_requirement_once() {
    let requirements = requirements(REQUIREMENTS).expect("a list");
    let mut ids = BTreeSet::new();
    let mut sections = BTreeSet::new();
    for row in &requirements {
        assert!(ids.insert(row.id), "{} stands there twice", row.id);
        assert!(LEVELS.contains(&row.level), "{}: {}", row.id, row.level);
        let is_of = |section: &&&str| {
            row.id.strip_prefix(**section).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('-'))
        };
        let section = SECTIONS.iter().find(is_of);
        sections.insert(*section.unwrap_or_else(|| panic!("{} is of no section listed", row.id)));
    }
    assert_eq!(sections, SECTIONS.into_iter().collect());
}

#[test]
fn a_name_without_a_test_is_found() {
    let tests = Tests::of_sources();
    for good in [
        "later: user agents",
        "not testable: the driver reads ICMP",
        "tests/conformance::a_name_without_a_test_is_found",
        "tests/conformance/main.rs::a_name_without_a_test_is_found, tests::a_name_without_a_test_is_found",
    ] {
        assert_eq!(fault(good, &tests), None, "{good}");
    }
    for bad in [
        "",
        "later: ",
        "later",
        "a_name_without_a_test_is_found",
        "tests/conformance::no_such_test",
        "tests/conformance::fault",
        "tests/house::a_name_without_a_test_is_found",
        "tests/conformance::a_name_without_a_test_is_found, tests/conformance::no_such_test",
    ] {
        assert!(fault(bad, &tests).is_some(), "{bad}");
    }
}

#[test]
fn a_row_has_five_columns() {
    let head = "id\tlevel\troles\trequirement\tshown by";
    assert!(requirements(&format!("{head}\n3261-7-01\tMUST\tall\tWrite\tlater: all")).is_ok());
    assert!(requirements(&format!("{head}\n3261-7-01\tMUST\tall\tWrite")).is_err());
    assert!(requirements("id\tlevel").is_err());
}

#[test]
fn a_test_is_told_from_what_is_none() {
    let text = "fn none() {}\n    #[test]\n    /// Says why.\n    #[ignore]\n    fn one() {\n}\n#[test]\nmod no {\nfn two() {}\n";
    assert_eq!(tests_in(text), ["one"]);
}
