//! A file is short enough to be read in one sitting.

use crate::source::{Source, sources};

/// Lines of a file, without its tests.
const LONGEST: usize = 450;

#[test]
fn no_file_is_longer_than_450_lines_without_its_tests() {
    let long: Vec<String> = ["core/src", "core/driver/src", "sim/src"]
        .into_iter()
        .flat_map(sources)
        .filter(|source| source.lines > LONGEST)
        .map(|source| format!("{}: {} lines", source.path, source.lines))
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST} lines:\n{}", long.join("\n"));
}

/// Lines of an example of the driver, and of each file that the examples share.
const LONGEST_EXAMPLE: usize = 149;

#[test]
fn each_example_of_the_driver_is_one_file_of_less_than_150_lines_beside_what_they_share() {
    let all = sources("core/driver/examples");
    let of = |source: &Source| source.path.trim_start_matches("core/driver/examples/").to_owned();
    let (shared, own): (Vec<String>, Vec<String>) = all.iter().map(of).partition(|path| path.starts_with("shared/"));
    assert!(!shared.is_empty());
    assert_eq!(own, ["b2bua.rs", "load.rs", "minimal.rs", "phone.rs", "server.rs"]);
    let long: Vec<String> = all
        .iter()
        .filter(|source| source.lines > LONGEST_EXAMPLE)
        .map(|source| format!("{}: {} lines", source.path, source.lines))
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST_EXAMPLE} lines:\n{}", long.join("\n"));
}

/// Lines of the blocking driver, which docs/embedding.md names as what a driver of one's own comes to.
const BLOCKING: usize = 500;

#[test]
fn the_blocking_driver_is_less_than_500_lines_without_its_tests() {
    let lines: usize = sources("core/driver/src/blocking").iter().map(|source| source.lines).sum();
    assert!(lines < BLOCKING, "{lines} lines");
}
