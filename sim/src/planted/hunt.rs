//! Running a mistake until it is caught, and cutting down the run that shows it.

use super::{Faulty, How, Planted};
use crate::actor::Actor;
use crate::check::{Breach, standard};
use crate::run::{Case, Run, run_with};
use crate::shrink::shrink;
use crate::sweep::{Scope, draw};

/// A mistake that was found.
#[derive(Clone, Debug)]
pub struct Caught {
    /// How many runs it took.
    pub runs: u64,
    /// The finding of the check about the shrunk run.
    pub says: String,
    /// The run, cut down to what matters.
    pub shrunk: Case,
}

/// Finds a mistake, and cuts the run that shows it down. `None` if it is not found in `limit` runs.
pub fn hunt(planted: &Planted, limit: u64) -> Option<Caught> {
    let (runs, case) = find(planted, limit)?;
    let shrunk = cut_down(planted, &case);
    let says = breach(planted, &run(planted, &shrunk))?;
    Some(Caught { runs, says, shrunk })
}

/// The rest of a run in which the mistake is caught, when all is left out that need not be there.
pub fn cut_down(planted: &Planted, case: &Case) -> Case {
    shrink(case, &mut |case| {
        let run = run(planted, case);
        breach(planted, &run).map(|_| run.world)
    })
}

/// The first run of the sweep of plain calls with seed 1, changed as the mistake needs it, in which the mistake's check finds it, and how many runs
/// that took. A patched mistake must be switched on.
pub fn find(planted: &Planted, limit: u64) -> Option<(u64, Case)> {
    let mut drawn = (0..limit).map(|number| {
        let mut case = draw(&Scope::PLAIN, 1, number);
        planted.scene.adapt(&mut case);
        (number + 1, case)
    });
    drawn.find(|(_, case)| is_caught(planted, case))
}

/// Whether the mistake's check finds it in this run.
pub fn is_caught(planted: &Planted, case: &Case) -> bool {
    breach(planted, &run(planted, case)).is_some()
}

/// Runs a case with the mistake in it.
pub fn run(planted: &Planted, case: &Case) -> Run {
    let mut wrap = |name: &str, node: Box<dyn Actor>| -> Box<dyn Actor> {
        match (planted.how, planted.scene.provoked) {
            (How::Wrapped(at, hooks), _) if is_a(name, at) => Box::new(Faulty::new(node, hooks)),
            (_, Some((at, hooks))) if is_a(name, at) => Box::new(Faulty::new(node, hooks)),
            _ => node,
        }
    };
    run_with(case, &standard(), &mut wrap)
}

/// The finding of the check about the mistake.
fn breach(planted: &Planted, run: &Run) -> Option<String> {
    let mut found = blamed(planted, run).filter(|breach| breach.check == planted.check);
    found.next().map(|breach| breach.what.clone())
}

/// The findings that are the fault of whoever has the mistake: of the wrapped node, or of all but who provokes a patched one.
pub fn blamed<'a>(planted: &'a Planted, run: &'a Run) -> impl Iterator<Item = &'a Breach> {
    run.verdict.breaches().filter(|breach| {
        let name = run.world.trace().name(breach.node);
        match (planted.how, planted.scene.provoked) {
            (How::Wrapped(at, _), _) => is_a(name, at),
            (How::Patched, Some((at, _))) => !is_a(name, at),
            (How::Patched, None) => true,
        }
    })
}

/// In a crowd each Alice is one: `alice7`.
fn is_a(name: &str, role: &str) -> bool {
    name.trim_end_matches(|digit: char| digit.is_ascii_digit()) == role
}
