//! The core of a user agent is extended by the files that docs/architecture.md names, and by no other: a usage sees itself and the floor.

use std::collections::BTreeSet;
use std::path::Path;

use crate::source::sources;

#[test]
fn the_core_of_a_user_agent_is_written_in_the_files_that_the_architecture_names() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/architecture.md");
    let docs = std::fs::read_to_string(docs).expect("the architecture");
    let (_, after) = docs.split_once("`core/src/user_agent/`: ").expect("what a user agent is made of");
    let (sentence, _) = after.split_once("nothing else has `impl Core`").expect("which files have an `impl Core`");
    let quoted = sentence.split('`').skip(1).step_by(2);
    let named: BTreeSet<String> = quoted.map(|file| format!("core/src/user_agent/{file}")).collect();
    let is_core = |tokens: &[String]| tokens.windows(3).any(|words| words == ["impl", "Core", "{"]);
    let all = sources("core/src/user_agent").into_iter();
    let written: BTreeSet<String> =
        all.filter(|source| is_core(source.tokens())).map(|source| source.path.replace("/../", "/")).collect();
    assert_eq!(written, named);
}
