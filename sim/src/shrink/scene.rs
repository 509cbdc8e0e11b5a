//! Smaller networks, and the faults of a larger one in them.

use std::collections::BTreeMap;

use crate::fault::{Fault, Plan};
use crate::topology::Topology;

/// Who a node is in a smaller network. The faults of those that are not named are left out.
pub(super) type Heirs = BTreeMap<String, String>;

/// The networks that are smaller or plainer, in the order in which they are worth a try, with who is who in them.
pub(super) fn smaller(present: Topology) -> Vec<(Topology, Heirs)> {
    match present {
        Topology::Crowd(pairs) => return smaller_crowds(pairs),
        Topology::Fork(phones) => return smaller_forks(phones),
        _ => {}
    }
    let is_plain = |other: &Topology| plainness(*other) < 2 || matches!(other, Topology::Chain(_));
    let mut all: Vec<_> = Topology::ALL.into_iter().filter(is_plain).collect();
    if let Topology::Chain(proxies) = present {
        all.extend((2..proxies).map(Topology::Chain));
    }
    all.retain(|other| size(*other) < size(present));
    all.sort_by_key(|other| size(*other));
    all.dedup();
    let heirs = |topology: Topology| [true, false].map(|towards_bob| (topology, heirs(present, topology, towards_bob)));
    all.into_iter().flat_map(heirs).collect()
}

/// By nodes, then by how plain it is.
fn size(topology: Topology) -> (usize, u8) {
    (topology.nodes().len(), plainness(topology))
}

/// The lower, the less there is to a network besides its nodes.
const fn plainness(topology: Topology) -> u8 {
    match topology {
        Topology::Direct | Topology::OneProxy | Topology::Trapezoid => 0,
        Topology::Mixed | Topology::Nat => 1,
        Topology::Chain(_) | Topology::Crowd(_) | Topology::Fork(_) => 2,
        Topology::Redirect | Topology::Auth | Topology::Strict | Topology::Dual | Topology::Farm(_) => 3,
    }
}

/// One phone alone, which is a single one behind its proxy; then all but one.
fn smaller_forks(phones: u8) -> Vec<(Topology, Heirs)> {
    let named = |kept: Vec<u8>| {
        let is_one = kept.len() == 1;
        let number = |place: usize| if is_one { String::new() } else { (place + 1).to_string() };
        let bobs = kept.iter().enumerate();
        let bobs = bobs.map(|(place, phone)| (format!("bob{phone}"), format!("bob{}", number(place))));
        let others = ["alice", "biloxi"].map(|name| (name.to_owned(), name.to_owned()));
        let topology = if is_one { Topology::OneProxy } else { Topology::Fork(kept.len() as u8) };
        (topology, bobs.chain(others).collect())
    };
    let alone = (1..=phones).map(|phone| vec![phone]);
    let without = (1..=phones).filter(|_| phones > 2);
    let left_out = without.map(|phone| (1..=phones).filter(|other| *other != phone).collect());
    alone.chain(left_out).map(named).collect()
}

/// A node that is left out is its neighbour, towards Bob or towards Alice.
fn heirs(from: Topology, to: Topology, towards_bob: bool) -> Heirs {
    let (old, new) = (from.nodes(), to.nodes());
    let there = |node: &&String| new.contains(node);
    let heir =
        |place: usize| if towards_bob { old[place..].iter().find(there) } else { old[..=place].iter().rfind(there) };
    let names = old.iter().enumerate().filter_map(|(place, name)| Some((name.clone(), heir(place)?.clone())));
    names.collect()
}

/// A crowd is taken apart into at most so many parts: larger ones lose half of their pairs first, or a quarter, and so on.
const PARTS: u32 = 64;

/// Delta debugging over the pairs: half of the crowd, or a quarter, …, or one pair alone, which is a trapezoid; then all but that.
fn smaller_crowds(pairs: u32) -> Vec<(Topology, Heirs)> {
    if pairs == 1 {
        return vec![(Topology::Trapezoid, pairs_kept(&[1]))];
    }
    let granularities = || [2, 4, 8, 16, 32].into_iter().filter(|parts| *parts < pairs).chain([pairs.min(PARTS)]);
    let part = |number: u32, of: u32| {
        let bound = |number: u32| (u64::from(pairs) * u64::from(number) / u64::from(of)) as u32;
        bound(number) + 1..=bound(number + 1)
    };
    let alone = granularities().flat_map(|of| (0..of).map(move |number| part(number, of).collect::<Vec<_>>()));
    let left_out = granularities().filter(|of| *of > 2).flat_map(|of| {
        (0..of).map(move |number| (1..=pairs).filter(|pair| !part(number, of).contains(pair)).collect::<Vec<_>>())
    });
    let named = |kept: Vec<u32>| {
        let topology = if kept.len() == 1 { Topology::Trapezoid } else { Topology::Crowd(kept.len() as u32) };
        (topology, pairs_kept(&kept))
    };
    alone.chain(left_out).map(named).collect()
}

/// Who the people of these pairs are when they are all: one pair has no numbers.
fn pairs_kept(kept: &[u32]) -> Heirs {
    let number = |place: usize| if kept.len() == 1 { String::new() } else { (place + 1).to_string() };
    let ends = |place: usize, pair: u32| {
        ["alice", "bob"].map(|name| (format!("{name}{pair}"), format!("{name}{}", number(place))))
    };
    let people = kept.iter().enumerate().flat_map(|(place, pair)| ends(place, *pair));
    people.chain(["atlanta", "biloxi"].map(|proxy| (proxy.to_owned(), proxy.to_owned()))).collect()
}

/// The faults as they are where nodes have other names; those that cannot be are left out, and of two that fall on one message and
/// contradict each other the second.
pub(super) fn moved(faults: &[Fault], heirs: &Heirs) -> Plan {
    faults.iter().filter_map(|fault| fault.renamed(|node| heirs.get(node).cloned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(plan: &str) -> Vec<Fault> {
        plan.parse::<Plan>().unwrap().faults().collect()
    }

    #[test]
    fn faults_of_nodes_that_are_left_out_are_their_neighbours() {
        let all = faults("alice>atlanta#1:drop, atlanta>biloxi ACK:drop, atlanta|*@1s..2s:cut, *>biloxi#2:+1s");
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
        let all = faults("alice2>atlanta#1:drop, biloxi>bob1#1:drop, biloxi@1s:crash");
        let plans: Vec<_> = smaller(Topology::Crowd(2))
            .into_iter()
            .map(|(topology, names)| format!("{topology} {}", moved(&all, &names)))
            .collect();
        let (first, second) =
            ("trapezoid biloxi>bob#1:drop, biloxi@1s:crash", "trapezoid alice>atlanta#1:drop, biloxi@1s:crash");
        assert_eq!(plans, [first, second]);
    }

    #[test]
    fn of_a_crowd_every_part_is_tried_alone_and_left_out() {
        let sizes = |pairs: u32| -> Vec<usize> {
            smaller(Topology::Crowd(pairs)).iter().map(|(_, names)| (names.len() - 2) / 2).collect()
        };
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(5), [2, 3, 1, 1, 1, 2, 1, 1, 1, 1, 1, 4, 4, 4, 3, 4, 4, 4, 4, 4]);
        let many = sizes(1_000);
        assert_eq!((many[0], many.len(), many[many.len() - 1]), (500, 250, 984));
    }

    #[test]
    fn every_smaller_network_is_smaller() {
        for topology in Topology::ALL.into_iter().chain([Topology::Chain(9), Topology::Crowd(100), Topology::Fork(1)]) {
            for (smaller, names) in smaller(topology) {
                assert!(size(smaller) < size(topology), "{topology} {smaller}");
                assert!(names.values().all(|name| smaller.nodes().contains(name)), "{topology} {smaller}");
            }
        }
    }
}
