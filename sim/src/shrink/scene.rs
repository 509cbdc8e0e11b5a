//! Smaller networks, and the faults of a larger one in them.

use std::collections::BTreeMap;

use crate::fault::Plan;
use crate::topology::Topology;

/// Who a node is in a smaller network. The faults of those that are not named are left out.
pub(super) type Names = BTreeMap<String, String>;

/// The networks that are smaller, the smallest first, with who is who in them.
pub(super) fn smaller(present: Topology) -> Vec<(Topology, Names)> {
    match present {
        Topology::Crowd(pairs) => smaller_crowds(pairs),
        _ => {
            let size = |topology: &Topology| topology.nodes().len();
            let mut all: Vec<_> = Topology::ALL.into_iter().filter(|other| !is_crowd(*other)).collect();
            if let Topology::Chain(proxies) = present {
                all.extend((2..proxies).map(Topology::Chain));
            }
            all.retain(|other| size(other) < size(&present));
            all.sort_by_key(size);
            all.dedup();
            let heirs =
                |topology: Topology| [true, false].map(|towards_bob| (topology, heirs(present, topology, towards_bob)));
            all.into_iter().flat_map(heirs).collect()
        }
    }
}

const fn is_crowd(topology: Topology) -> bool {
    matches!(topology, Topology::Crowd(_))
}

/// A node that is left out is its neighbour, towards Bob or towards Alice.
fn heirs(from: Topology, to: Topology, towards_bob: bool) -> Names {
    let (old, new) = (from.nodes(), to.nodes());
    let there = |node: &&String| new.contains(node);
    let heir =
        |place: usize| if towards_bob { old[place..].iter().find(there) } else { old[..=place].iter().rfind(there) };
    let names = old.iter().enumerate().filter_map(|(place, name)| Some((name.clone(), heir(place)?.clone())));
    names.collect()
}

/// More pairs than these are not looked at one by one.
const PAIRS: u32 = 16;

/// One pair alone on the trapezoid; then half of the crowd; then the crowd less one pair.
fn smaller_crowds(pairs: u32) -> Vec<(Topology, Names)> {
    let kept = |kept: &[u32], single: bool| -> Names {
        let number = |place: usize| if single { String::new() } else { (place + 1).to_string() };
        let ends = |pair: u32, place: usize| {
            ["alice", "bob"].map(|name| (format!("{name}{pair}"), format!("{name}{}", number(place))))
        };
        let pairs = kept.iter().enumerate().flat_map(|(place, &pair)| ends(pair, place));
        pairs.chain(["atlanta", "biloxi"].map(|proxy| (proxy.to_owned(), proxy.to_owned()))).collect()
    };
    let few = pairs.min(PAIRS);
    let mut smaller: Vec<_> = (1..=few).map(|pair| (Topology::Trapezoid, kept(&[pair], true))).collect();
    if pairs > 3 {
        for half in [1..=pairs / 2, pairs / 2 + 1..=pairs] {
            let half: Vec<_> = half.collect();
            smaller.push((Topology::Crowd(half.len() as u32), kept(&half, false)));
        }
    }
    if pairs > 1 {
        for left_out in 1..=few {
            let others: Vec<_> = (1..=pairs).filter(|pair| *pair != left_out).collect();
            smaller.push((Topology::Crowd(pairs - 1), kept(&others, false)));
        }
    }
    smaller
}

/// The faults as they are where nodes have other names; those that cannot be are left out.
pub(super) fn moved(faults: &[String], names: &Names) -> Plan {
    let mut moved: Vec<String> = Vec::new();
    for fault in faults {
        let Some(fault) = renamed(fault, names) else { continue };
        let all = [moved.as_slice(), &[fault]].concat();
        // Two faults that fall on one message and contradict each other: the first counts.
        if all.join(", ").parse::<Plan>().is_ok() {
            moved = all;
        }
    }
    moved.join(", ").parse().unwrap_or_default()
}

/// Nodes stand before the first `#`, `@`, space or `:`, with `>`, `|` or `+` between them.
fn renamed(fault: &str, names: &Names) -> Option<String> {
    let (nodes, rest) = fault.split_at(fault.find(['#', '@', ' ', ':'])?);
    let mut text = String::new();
    let mut all = Vec::new();
    for part in nodes.split_inclusive(['>', '|', '+']) {
        let name = part.trim_end_matches(['>', '|', '+']);
        let name = if name == "*" { name } else { names.get(name)? };
        if name != "*" && all.contains(&name) {
            return None;
        }
        all.push(name);
        text.push_str(name);
        text.push_str(part.get(part.trim_end_matches(['>', '|', '+']).len()..)?);
    }
    Some(text + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(faults: &[&str]) -> Vec<String> {
        faults.iter().map(|&fault| fault.to_owned()).collect()
    }

    #[test]
    fn faults_of_nodes_that_are_left_out_are_their_neighbours() {
        let all = texts(&["alice>atlanta#1:drop", "atlanta>biloxi ACK:drop", "atlanta|*@1s..2s:cut", "*>biloxi#2:+1s"]);
        let to_one = smaller(Topology::Trapezoid).into_iter().filter(|(topology, _)| *topology == Topology::OneProxy);
        let plans: Vec<_> = to_one.map(|(_, names)| moved(&all, &names).to_string()).collect();
        assert_eq!(
            plans,
            [
                "*>biloxi#2:+1s, alice>biloxi#1:drop, biloxi|*@1s..2s:cut",
                "*>biloxi#2:+1s, alice>biloxi ACK:drop, alice|*@1s..2s:cut"
            ]
        );
    }

    #[test]
    fn one_pair_of_a_crowd_is_a_trapezoid() {
        let all = texts(&["alice2>atlanta#1:drop", "biloxi>bob1#1:drop", "biloxi@1s:crash"]);
        let plans: Vec<_> = smaller(Topology::Crowd(2))
            .into_iter()
            .map(|(topology, names)| format!("{topology} {}", moved(&all, &names)))
            .collect();
        assert_eq!(
            plans,
            [
                "trapezoid biloxi>bob#1:drop, biloxi@1s:crash",
                "trapezoid alice>atlanta#1:drop, biloxi@1s:crash",
                "crowd:1 alice1>atlanta#1:drop, biloxi@1s:crash",
                "crowd:1 biloxi>bob1#1:drop, biloxi@1s:crash"
            ]
        );
    }

    #[test]
    fn every_smaller_network_is_smaller() {
        for topology in Topology::ALL.into_iter().chain([Topology::Chain(9), Topology::Crowd(100)]) {
            for (smaller, names) in smaller(topology) {
                assert!(smaller.nodes().len() < topology.nodes().len(), "{topology} {smaller}");
                assert!(names.values().all(|name| smaller.nodes().contains(name)), "{topology} {smaller}");
            }
        }
    }
}
