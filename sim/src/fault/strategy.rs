//! Plans for proptest (feature `proptest`).

use std::num::NonZeroU32;

use proptest::prelude::*;
use sansip::Duration;

use super::{Effect, Fault, Plan, Selector};

/// The message of a link whose fate is drawn is one of its first so many.
const MESSAGES: u32 = 8;

/// Plans of up to `max` faults of messages between these nodes: each is lost, late by up to 2.3 s, or arrives twice. A plan that fails becomes a plan with fewer of its
/// faults, and with shorter times.
///
/// ```
/// use proptest::prelude::*;
/// use sansip_sim::fault::strategy;
/// use sansip_sim::run::{Case, run};
/// proptest!(ProptestConfig::with_cases(8), |(plan in strategy(&["alice", "bob"], 3))| {
///     let case = Case { topology: "direct".parse().unwrap(), plan, ..Case::default() };
///     prop_assert!(run(&case).verdict.holds(), "{case}");
/// });
/// ```
///
/// # Panics
/// If there are fewer than two nodes.
pub fn strategy(nodes: &[&str], max: usize) -> impl Strategy<Value = Plan> + use<> {
    assert!(nodes.len() > 1, "messages go between two nodes");
    let nodes: Vec<String> = nodes.iter().map(|name| (*name).to_owned()).collect();
    let effect = prop_oneof![
        Just(Effect::Drop),
        (1..=2_300_u64).prop_map(|millis| Effect::Late(Duration::from_millis(millis))),
        (1..=2_300_u64).prop_map(|millis| Effect::Again(Duration::from_millis(millis))),
    ];
    let place = (0..nodes.len(), 1..nodes.len(), 1..=MESSAGES);
    let fault = (place, effect).prop_map(move |((from, further, ordinal), effect)| {
        let to = (from + further) % nodes.len();
        let ordinal = NonZeroU32::MIN.saturating_add(ordinal - 1);
        Fault::Message(Selector::nth(&nodes[from], &nodes[to], ordinal), effect)
    });
    // Of two that contradict each other the first is meant.
    prop::collection::vec(fault, 0..=max).prop_map(|faults| faults.into_iter().collect())
}
