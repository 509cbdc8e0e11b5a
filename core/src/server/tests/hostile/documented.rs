//! The documented table is that which is measured, and the documented limits are those of the code.

use super::*;
use crate::{auth, proxy, registrar, server};
use alloc::collections::BTreeMap;
use core::fmt::Debug;
extern crate std;

use std::{env, fs, path::Path, path::PathBuf};

/// The path of a file of the project.
fn path(of: &str) -> PathBuf {
    Path::new(core::env!("CARGO_MANIFEST_DIR")).join("..").join(of)
}

/// Holds the part of `docs/security.md` between two comments of this name against what it is to be. With `UPDATE_DOCS=1` it is written anew.
fn documented(name: &str, head: &str, rows: &str) {
    let path = path("docs/security.md");
    let written = fs::read_to_string(&path).expect("docs/security.md");
    let begin = format!("<!-- begin {name} -->\n");
    let end = format!("<!-- end {name} -->");
    let (before, rest) = written.split_once(&begin).expect("where the table begins");
    let (_, after) = rest.split_once(&end).expect("where it ends");
    let expected = format!("{before}{begin}\n{head}{rows}\n{end}{after}");
    if env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        fs::write(&path, &expected).expect("docs/security.md can be written");
    } else {
        let hint = "docs/security.md is stale: UPDATE_DOCS=1 cargo test -p sansip --lib documented -- --test-threads 1";
        assert!(written == expected, "{hint}");
    }
}

/// `docs/security.md` has the table as it is measured.
#[test]
fn the_documented_table_is_what_was_measured() {
    let head = "| A stranger sends | gets | others get | held meanwhile | gone after |\n|---|---|---|---|---|\n";
    let rows: String = ROWS.iter().map(|(_, row)| row().line()).collect();
    documented("measured", head, &rows);
}

/// The fields of what bounds a server, with their defaults, by the paths that they have in the code.
fn bounds() -> BTreeMap<String, String> {
    let config = Config::new(Seed::from_u64(1));
    let settings = Settings::default();
    let mut bounds = BTreeMap::new();
    read("", &config.limits, &mut bounds);
    read("auth::", &auth::Limits::default(), &mut bounds);
    read("proxy::", &proxy::Limits::default(), &mut bounds);
    read("registrar::", &registrar::Limits::default(), &mut bounds);
    let server::Settings { accounted_calls, questions, .. } = settings;
    for (name, value) in [("accounted_calls", accounted_calls), ("questions", questions)] {
        bounds.insert(format!("server::Settings::{name}"), told(&value.to_string()));
    }
    bounds
}

/// Reads the fields of limits, and of the limits in them, from what `Debug` writes of them.
fn read(module: &str, limits: &dyn Debug, out: &mut BTreeMap<String, String>) {
    let mut inner = String::new();
    for line in format!("{limits:#?}").lines().skip(1).map(str::trim) {
        match line.trim_end_matches(',').split_once(": ") {
            Some((name, "Limits {")) => inner = format!("{name}::"),
            Some((name, value)) => {
                out.insert(format!("{module}{inner}Limits::{name}"), told(value));
            }
            None => inner.clear(),
        }
    }
}

/// A number as the documents write it, "1,000,000"; anything else as it is.
fn told(value: &str) -> String {
    if !value.bytes().all(|digit| digit.is_ascii_digit()) {
        return value.into();
    }
    let groups: Vec<&str> =
        value.as_bytes().rchunks(3).rev().map(|group| core::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

/// `docs/security.md` has each limit with its default.
#[test]
fn the_documented_limits_are_those_of_the_code() {
    let rows: String = bounds().iter().map(|(name, default)| format!("| `{name}` | {default} |\n")).collect();
    documented("limits", "| limit | default |\n|---|---|\n", &rows);
}

/// The texts between back quotes, each with what follows the second one.
fn quoted(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut parts = text.split('`').skip(1).peekable();
    core::iter::from_fn(move || Some((parts.next()?, parts.next().unwrap_or_default())))
}

/// Each limit and each setting that the prose names is there, and a number in brackets behind the name of a limit is its default.
#[test]
fn the_limits_and_settings_of_the_prose_are_those_of_the_code() {
    let written = fs::read_to_string(path("docs/security.md")).expect("docs/security.md");
    let bounds = bounds();
    let settings = Settings::default();
    let fields = [format!("{settings:#?}"), format!("{:#?}", Listener::udp(OUR_ADDRESS.parse().unwrap()))].concat();
    let mut named = 0;
    for (name, after) in quoted(&written) {
        let Some((of, field)) = name.rsplit_once("::") else { continue };
        let default = after.strip_prefix(" (").and_then(|rest| rest.split([')', ' ']).next());
        let default = default.filter(|default| default.starts_with(|first: char| first.is_ascii_digit()));
        match bounds.get(name) {
            Some(bound) => {
                assert!(default.is_none_or(|default| default == bound), "`{name}` is {bound}, and not {default:?}");
                named += 1;
            }
            None if of.ends_with("Limits") => panic!("there is no limit `{name}`"),
            None if of.ends_with("Settings") || of == "Listener" => {
                assert!(fields.contains(&format!(" {field}: ")), "there is no `{name}`");
            }
            None => {}
        }
    }
    assert!(named > bounds.len(), "the table names each, and the prose some");
}

/// Each flood has a row that is measured, the limits that bound it, and tests that are there.
#[test]
fn the_floods_by_name_have_their_rows_tests_and_limits() {
    let written = fs::read_to_string(path("docs/security.md")).expect("docs/security.md");
    let (_, floods) = written.split_once("## The floods by name").expect("the floods");
    let source = sources(&path("core/src"));
    let bounds = bounds();
    let table: Vec<&str> = floods.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(table.len() > 8, "{table:?}");
    for line in table {
        let [_, _, row, limits, others, _] = line.split('|').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let (row, _) = quoted(row).next().expect("the row of a flood");
        assert!(ROWS.iter().any(|(name, _)| *name == row), "no row is measured by `{row}`");
        for (limit, _) in quoted(limits) {
            assert!(bounds.contains_key(limit), "there is no limit `{limit}`");
        }
        for (test, _) in quoted(others) {
            let is_there = match test.ends_with(".rs") {
                true => path(test).is_file(),
                false => source.contains(&format!("fn {test}()")),
            };
            assert!(is_there, "there is no test `{test}`");
        }
    }
}

/// The text of all sources in a folder and the folders in it.
fn sources(folder: &Path) -> String {
    let (mut text, mut folders) = (String::new(), Vec::from([PathBuf::from(folder)]));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                text.push_str(&fs::read_to_string(entry).expect("a source"));
            }
        }
    }
    text
}
