//! Whole calls, looked at message by message and as ladders.

mod b2bua;
mod determinism;
mod early_bye;
mod faults;
mod gallery;
mod loss;
mod messages;
mod phone;
mod plans;
mod races;
mod record_route;
mod regressions;
mod services;
mod session_setup;
mod staged;
mod stateless;
mod topologies;
mod transfers;

use std::collections::BTreeMap;

use sansip_sim::World;
use sansip_sim::check::{breaches, standard};
use sansip_sim::render::{Figures, labels, ladder};
use sansip_sim::topology::{Scenario, Topology};
use sansip_sim::trace::Transmission;

/// Runs a scenario until nothing more happens; all checks hold.
pub(crate) fn run(scenario: &Scenario) -> World {
    let mut world = scenario.world();
    let quiet = world.run_until_quiet(scenario.end());
    let broken = breaches(&standard(), &world);
    assert!(quiet && broken.is_empty(), "{broken:#?}\n{}", drawn(&world));
    world
}

/// The call of RFC 3261 §24 with a plan of faults.
pub(crate) fn planned(topology: Topology, plan: &str) -> Scenario {
    Scenario { plan: plan.parse().expect("a plan"), ..Scenario::rfc3261(topology) }
}

/// Ladder and figures.
pub(crate) fn drawn(world: &World) -> String {
    format!("{}\n{}\n", ladder(world.trace()), Figures::of(world.trace(), world.now()))
}

/// The messages by number (`F1`), each as it was first sent.
pub(crate) fn numbered(world: &World) -> BTreeMap<String, Transmission> {
    let labels = labels(world.trace());
    let sent = world.trace().transmissions().filter(|(index, _, _)| !labels[index].resent);
    sent.map(|(index, _, sent)| (labels[&index].number.clone(), sent.clone())).collect()
}

/// Start line, and the values of each header field in order by name in lower case, unfolded and without the white space that
/// means nothing.
pub(crate) fn fields(message: &[u8]) -> (String, BTreeMap<String, Vec<String>>) {
    let text = std::str::from_utf8(message).expect("text").replace("\r\n", "\n");
    let head = text.split_once("\n\n").map_or(text.as_str(), |(head, _)| head);
    let head = head.replace("\n ;", ";").replace("\n ", " ");
    let mut lines = head.lines();
    let start = lines.next().expect("a start line").to_owned();
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').expect("a field");
        let name = name.trim().to_ascii_lowercase();
        let values: Vec<_> = match name.as_str() {
            // Lists: one field with commas is the same as several (RFC 3261 §7.3.1), and these examples have no other commas.
            "via" | "route" | "record-route" => value.split(',').collect(),
            _ => vec![value],
        };
        fields.entry(name).or_default().extend(values.iter().map(|value| value.trim().to_owned()));
    }
    (start, fields)
}
