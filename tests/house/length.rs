//! A file is short enough to be read in one sitting.

use crate::source::sources;

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
