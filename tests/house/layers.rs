//! Each layer uses only those below it, in the order of the table of core/src/lib.rs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::source::{Source, macros, shown, sources};

/// The layers as the table of `lib.rs` has them, the lowest first, and the cores that never use one another.
fn table() -> (Vec<String>, Vec<String>) {
    let lib = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/lib.rs");
    let lib = std::fs::read_to_string(lib).expect("the root of the crate");
    let names = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | ")?.split('|').next());
    let cores = lib.lines().find(|line| line.starts_with("//! The cores ")).expect("which the cores are");
    (rows.flat_map(names).collect(), names(cores))
}

fn of_folder<'a>(all: &'a [Source], folder: &[&str]) -> &'a Source {
    all.iter().find(|source| source.module == folder).expect("the root of a folder")
}

#[test]
fn each_layer_uses_only_those_below_it_and_no_core_another() {
    let (layers, cores) = table();
    let all = sources("core/src");
    let mut reexports: BTreeMap<_, _> = shown(of_folder(&all, &[])).into_iter().collect();
    reexports.extend(macros(&all).into_iter().map(|(name, module)| (name, module[0].clone())));
    let place = |name: &str| layers.iter().position(|layer| layer == name);
    let mut wrong = BTreeSet::new();
    for source in &all {
        // The root shows all layers.
        let Some(own) = source.module.first() else { continue };
        let Some(from) = place(own) else { panic!("`{own}` is not in the table of lib.rs") };
        for path in source.paths() {
            let first = path.first().map_or("*", String::as_str);
            let layer = reexports.get(first).map_or(first, String::as_str);
            let Some(to) = place(layer) else { panic!("{}: `{}` is no layer", source.path, path.join("::")) };
            let is_other_core = own != layer && cores.contains(own) && cores.iter().any(|core| core == layer);
            if to > from || is_other_core {
                wrong.insert(format!("{}: crate::{}", source.path, path.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "used from above:\n{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Which files of a folder use which.
fn uses(all: &[Source], folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let reexports: BTreeMap<_, _> = shown(of_folder(all, &[folder])).into_iter().collect();
    let own_macros = macros(all).into_iter().filter(|(_, module)| module.len() > 1 && module[0] == folder);
    let own_macros: BTreeMap<_, _> = own_macros.map(|(name, module)| (name, module[1].clone())).collect();
    let own = |source: &Source| (source.module.first()? == folder).then(|| source.module.get(1).cloned())?;
    let mut graph: BTreeMap<String, BTreeSet<String>> =
        all.iter().filter_map(own).map(|name| (name, BTreeSet::new())).collect();
    for source in all {
        let Some(from) = own(source) else { continue };
        for path in source.paths() {
            let to = match path.as_slice() {
                [name] if own_macros.contains_key(name) => &own_macros[name],
                [first, name, ..] if first == folder => reexports.get(name).unwrap_or(name),
                _ => continue,
            };
            if *to != from && graph.contains_key(to) {
                graph.entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    graph
}

fn reachable(graph: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(name) = open.pop() {
        let next = graph.get(&name).into_iter().flatten();
        open.extend(next.filter(|next| found.insert((*next).clone())).cloned());
    }
    found
}

#[test]
fn no_files_of_message_use_one_another_in_a_circle() {
    let all = sources("core/src");
    let graph = uses(&all, "message");
    let reach: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|name| (name, reachable(&graph, name))).collect();
    let circles: BTreeSet<Vec<&str>> = graph
        .keys()
        .filter(|name| reach[name].contains(*name))
        .map(|name| reach[name].iter().filter(|other| reach[other].contains(name)).map(String::as_str).collect())
        .collect();
    let wrong: Vec<String> = circles
        .into_iter()
        .map(|circle| {
            let inner = circle.iter().map(|name| {
                let used: Vec<&str> =
                    graph[*name].iter().map(String::as_str).filter(|to| circle.contains(to)).collect();
                format!("  {name} uses {}", used.join(", "))
            });
            inner.collect::<Vec<_>>().join("\n")
        })
        .collect();
    assert!(wrong.is_empty(), "in a circle:\n{}", wrong.join("\n\n"));
}
