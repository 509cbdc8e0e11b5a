//! Each command of a user agent and each public module is shown in an example of the docs, which the compiler reads.

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

/// Whether a file has an example that is compiled, and the public modules that it names.
fn shown(text: &str) -> (bool, Vec<&str>) {
    let is_compiled = |line: &str| {
        let fence = line.trim_start().trim_start_matches(['/', '!']).trim_start();
        fence.strip_prefix("```").is_some_and(|kind| ["", "no_run"].contains(&kind))
    };
    let comments = text.lines().filter(|line| line.trim_start().starts_with("//"));
    let public = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    (comments.into_iter().any(is_compiled), public.collect())
}

/// The public modules below a folder, each with the texts of its files, those of its private modules included.
fn public_modules(folder: &std::path::Path, name: &str, all: &mut Vec<(String, bool)>) {
    let text = |path: &std::path::Path| std::fs::read_to_string(path).ok();
    let root = ["lib.rs", "mod.rs"].iter().find_map(|file| text(&folder.join(file)));
    // A module with folders beside its file, or a folder that is none.
    let Some(root) = root.or_else(|| text(&folder.with_extension("rs"))) else { return };
    let (mut is_shown, public) = shown(&root);
    for module in &public {
        let inner = folder.join(module);
        match text(&inner.with_extension("rs")) {
            Some(text) if !inner.is_dir() => all.push((format!("{name}::{module}"), shown(&text).0)),
            _ => public_modules(&inner, &format!("{name}::{module}"), all),
        }
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        let is_public = path.file_stem().is_some_and(|stem| public.iter().any(|module| stem == *module));
        if !is_public && path.is_file() {
            is_shown |= text(&path).is_some_and(|text| shown(&text).0);
        } else if !is_public && path.is_dir() {
            let mut private = Vec::new();
            public_modules(&path, "", &mut private);
            is_shown |= private.iter().any(|(_, is_shown)| *is_shown);
        }
    }
    all.push((name.to_owned(), is_shown));
}

#[test]
fn each_public_module_has_an_example() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all = Vec::new();
    public_modules(&root.join("core/src"), "sansip", &mut all);
    public_modules(&root.join("core/driver/src"), "sansip_driver", &mut all);
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["sansip::message::header", "sansip::proxy::stateless", "sansip::node", "sansip_driver::tokio"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let missing: Vec<&str> = all.iter().filter(|(_, shown)| !shown).map(|(name, _)| name.as_str()).collect();
    assert!(missing.is_empty(), "no example in {missing:?}");
}
