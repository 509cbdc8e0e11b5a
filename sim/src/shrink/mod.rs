//! A failing run cut down to what matters.

mod failure;
mod met;
mod scene;

pub use failure::{Failure, expect_holds, expect_holds_by, folder};
pub(crate) use failure::{WholeFile, can_be_written, write_whole};

use sansip::Duration;

use crate::fault::{Fault, Span};
use crate::run::{Case, OPTIONS, Run};
use crate::world::World;
use met::{Met, wider};
use scene::{Heirs, moved, smaller};

/// Cuts a failing case down while it fails, and returns what is left: fewer calls and nodes, fewer faults, usual times, shorter
/// delays. No fault of the result can be left out by itself, no smaller network does that [`Topology`](crate::topology::Topology)
/// knows, and no option can go back to its usual value by itself.
///
/// `failing` runs a case and gives the world at its end, if the case fails as it should. What a run met is read from that world: weather
/// becomes a plan, and faults by ordinal become faults by kind of message, which stay with their messages when others are left out. If
/// the faults alone do not fail, which would be a fault of the simulator, the weather stays.
pub fn shrink(case: &Case, failing: &mut dyn FnMut(&Case) -> Option<World>) -> Case {
    shrink_among(case, None, failing)
}

/// As above, in a network of somebody's own with these nodes, if it is one: there is no smaller network then.
fn shrink_among(case: &Case, nodes: Option<&[String]>, failing: &mut dyn FnMut(&Case) -> Option<World>) -> Case {
    let Some(world) = failing(case) else { return case.clone() };
    let mut shrinking = Shrinking { best: case.clone(), nodes, world, failing };
    if case.has_weather() {
        let planned = case.planned(&shrinking.world.faults_met());
        shrinking.take(planned);
    }
    loop {
        let before = shrinking.best.clone();
        while nodes.is_none() && shrinking.smaller_scene() {}
        shrinking.faults_by_kind();
        shrinking.fewer_faults();
        shrinking.wider_faults();
        shrinking.usual_options();
        shrinking.nearer_options();
        shrinking.nearer_faults();
        if shrinking.best == before {
            return before;
        }
    }
}

/// Runs a case that breaks a check, and cuts it down while the same check breaks; the run of what is left is watched ([`Case::watched`]). `None` if all
/// checks hold.
pub fn shrink_run(case: &Case, run: &dyn Fn(&Case) -> Run) -> Option<(Case, Run)> {
    shrink_run_among(case, None, run)
}

fn shrink_run_among(case: &Case, nodes: Option<&[String]>, run: &dyn Fn(&Case) -> Run) -> Option<(Case, Run)> {
    let check = run(case).verdict.check()?;
    let shrunk = shrink_among(case, nodes, &mut |case| {
        let Run { world, verdict } = run(case);
        verdict.breaks(check).then_some(world)
    });
    let run = run(&Case { watched: true, ..shrunk.clone() });
    Some((shrunk, run))
}

struct Shrinking<'a> {
    best: Case,
    /// The nodes of a network of somebody's own.
    nodes: Option<&'a [String]>,
    /// At the end of the run of that.
    world: World,
    failing: &'a mut dyn FnMut(&Case) -> Option<World>,
}

impl Shrinking<'_> {
    /// Goes on with `case` if that is another one and fails too.
    fn take(&mut self, case: Case) -> bool {
        // A network of somebody's own may have any names.
        if case == self.best || (case.check().is_err() && self.best.check().is_ok()) {
            return false;
        }
        let Some(world) = (self.failing)(&case) else { return false };
        (self.best, self.world) = (case, world);
        true
    }

    fn take_faults(&mut self, faults: impl IntoIterator<Item = Fault>) -> bool {
        self.take(Case { plan: faults.into_iter().collect(), ..self.best.clone() })
    }

    fn faults(&self) -> Vec<Fault> {
        self.best.plan.faults().collect()
    }

    /// Delta debugging: leaves parts out, ever smaller ones, until no single fault can be left out.
    fn fewer_faults(&mut self) {
        let mut part = self.faults().len();
        while part > 0 {
            let mut at = 0;
            loop {
                let all = self.faults();
                if at >= all.len() {
                    break;
                }
                let end = all.len().min(at + part);
                if !self.take_faults([&all[..at], &all[end..]].concat()) {
                    at += part;
                }
            }
            part /= 2;
        }
    }

    /// A smaller network, its faults moved to the links that are left, each with its message; as they stand, if that does not do.
    fn smaller_scene(&mut self) -> bool {
        let met = (!self.best.has_weather()).then(|| Met::of(&self.world));
        let faults = self.faults();
        let present = self.best.clone();
        smaller(present.topology).into_iter().any(|(topology, mut names)| {
            names.extend(present.transfer.map(|_| ("carol".to_owned(), "carol".to_owned())));
            let mut plans =
                met.iter().map(|met| met.plan(&names)).chain(std::iter::once_with(|| moved(&faults, &names)));
            plans.any(|plan| self.take(Case { topology, plan, ..present.clone() }))
        })
    }

    /// The faults that were met, each by the kind of message that it hit.
    fn faults_by_kind(&mut self) {
        if !self.best.has_weather() {
            let nodes = self.nodes.map_or_else(|| self.best.nodes(), <[String]>::to_vec);
            let names: Heirs = nodes.into_iter().map(|name| (name.clone(), name)).collect();
            let plan = Met::of(&self.world).plan(&names);
            // A fault of any message is not taken apart into one of each.
            if plan.faults().count() <= self.faults().len() {
                self.take_faults(plan.faults());
            }
        }
    }

    /// Faults of all messages of a kind in place of several.
    fn wider_faults(&mut self) {
        while wider(&self.best.plan).into_iter().any(|plan| self.take_faults(plan.faults())) {}
    }

    fn usual_options(&mut self) {
        let usual = Case::default();
        for option in OPTIONS.iter().filter(|option| !["topology", "plan"].contains(&option.name)) {
            let mut case = self.best.clone();
            if (option.set)(&mut case, &(option.get)(&usual)).is_ok() {
                self.take(case);
            }
        }
    }

    /// Values that have to differ from the usual ones have fewer parts, and round times.
    fn nearer_options(&mut self) {
        let usual = Case::default();
        for option in OPTIONS.iter().filter(|option| !["topology", "plan"].contains(&option.name)) {
            loop {
                let value = (option.get)(&self.best);
                let nearer = nearer(&value).into_iter().any(|nearer| {
                    let mut case = self.best.clone();
                    value != (option.get)(&usual) && (option.set)(&mut case, &nearer).is_ok() && self.take(case)
                });
                if !nearer {
                    break;
                }
            }
        }
    }

    /// Delays become short and round.
    fn nearer_faults(&mut self) {
        for at in 0..self.faults().len() {
            for simpler in simpler(&self.faults()[at]) {
                let mut all = self.faults();
                all[at] = simpler;
                if self.take_faults(all) {
                    break;
                }
            }
        }
    }
}

/// A value with a part less, then with a rounder time in it: `alice:175ms,bob` is `bob` or `alice:170ms,bob`.
fn nearer(value: &str) -> Vec<String> {
    let parts: Vec<&str> = value.split(',').collect();
    let without = |left_out| {
        let rest = parts.iter().enumerate().filter(move |(place, _)| *place != left_out);
        rest.map(|(_, part)| *part).collect::<Vec<_>>().join(",")
    };
    let mut nearer: Vec<String> = (0..parts.len()).map(without).filter(|rest| !rest.is_empty()).collect();
    let mut place = 0;
    for word in value.split_inclusive([':', ',']) {
        let time = word.trim_end_matches([':', ',']);
        let (before, after) = (&value[..place], &value[place + time.len()..]);
        let round = Span::parse(time).into_iter().flat_map(rounder);
        nearer.extend(round.map(|span| format!("{before}{}{after}", Span(span))));
        place += word.len();
    }
    nearer
}

/// A fault with a simpler time in it, the simplest first.
fn simpler(fault: &Fault) -> Vec<Fault> {
    let with = |span| {
        let mut simpler = fault.clone();
        *simpler.span_mut()? = span;
        Some(simpler)
    };
    let span = fault.clone().span_mut().copied();
    span.into_iter().flat_map(rounder).filter_map(with).collect()
}

/// Shorter spans with fewer digits, from the simplest to ones that are near.
fn rounder(span: Duration) -> impl Iterator<Item = Duration> {
    const ROUND: [u64; 16] =
        [1, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 33_000, 60_000, 100_000, 200_000];
    let round = ROUND.into_iter().map(Duration::from_millis);
    let near = [1_000, 100, 10].into_iter().map(move |step| {
        let millis = span.as_millis() as u64;
        Duration::from_millis(millis - millis % step)
    });
    let shorter = move |shorter: &Duration| *shorter < span && !shorter.is_zero();
    round.chain(near).filter(shorter)
}

#[cfg(test)]
mod tests;
