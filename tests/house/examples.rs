//! Each command of a user agent is shown in an example of the docs, which the compiler reads.

use std::collections::BTreeSet;

use crate::source::texts;

/// The lines of the examples in the doc comments of a file.
fn examples(text: &str) -> Vec<&str> {
    let comments = text.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))
    });
    let mut is_inside = false;
    comments
        .filter(|line| {
            is_inside ^= line.trim_start().starts_with("```");
            is_inside
        })
        .collect()
}

/// The methods that a file gives to the node whose only core is a user agent, and that change something.
fn commands(text: &str) -> Vec<&str> {
    let of_node = text.split("\nimpl Stack<Core> {\n").skip(1).filter_map(|rest| rest.split("\n}\n").next());
    let functions = of_node.flat_map(|body| body.split("\n    pub fn ").skip(1));
    let named = functions.filter_map(|function| function.split_once('('));
    named.filter(|(_, rest)| rest.trim_start().starts_with("&mut self")).map(|(name, _)| name).collect()
}

#[test]
fn each_command_of_a_user_agent_has_an_example() {
    let files = texts("core/src/user_agent");
    let all: BTreeSet<&str> = files.iter().flat_map(|text| commands(text)).collect();
    assert!(all.len() > 40 && all.contains("call") && all.contains("shut_down"), "{all:?}");
    let lines: Vec<&str> = files.iter().flat_map(|text| examples(text)).collect();
    let is_shown = |name: &str| lines.iter().any(|line| line.contains(&format!(".{name}(")));
    let missing: Vec<&&str> = all.iter().filter(|name| !is_shown(name)).collect();
    assert!(missing.is_empty(), "no example calls {missing:?}");
}
