//! A failing run cut down to what matters.

mod failure;
mod scene;

pub(crate) use failure::write_whole;
pub use failure::{Failure, expect_holds, folder};

use sansip::Duration;

use crate::fault::{Plan, Span};
use crate::run::{Case, OPTIONS, Run, run};
use scene::{moved, smaller};

/// Cuts a failing case down while `fails` says that it still fails, and returns what is left: simpler scenes, usual
/// times, fewer faults, shorter delays. No single fault of the result can be left out, and no option can go back to its usual
/// value by itself.
///
/// Weather becomes a plan of the faults that were met. `fails` must be true of `case`; if the faults alone do not fail, which
/// would be a fault of the simulator, the weather stays.
pub fn shrink(case: &Case, fails: &mut dyn FnMut(&Case) -> bool) -> Case {
    let mut shrinking = Shrinking { best: case.clone(), fails };
    if case.has_weather() {
        let planned = case.planned(&run(case).world.faults_met());
        shrinking.take(planned);
    }
    loop {
        let before = shrinking.best.clone();
        shrinking.fewer_faults();
        shrinking.smaller_scene();
        shrinking.usual_options();
        shrinking.nearer_options();
        shrinking.nearer_faults();
        if shrinking.best == before {
            return before;
        }
    }
}

/// Runs a case that breaks a check, and cuts it down while the same check breaks. `None` if all checks hold.
pub fn shrink_run(case: &Case) -> Option<(Case, Run)> {
    let check = run(case).verdict.check()?;
    let shrunk = shrink(case, &mut |case| run(case).verdict.breaks(check));
    let run = run(&shrunk);
    Some((shrunk, run))
}

struct Shrinking<'a> {
    best: Case,
    fails: &'a mut dyn FnMut(&Case) -> bool,
}

impl Shrinking<'_> {
    /// Goes on with `case` if that is another one and fails too.
    fn take(&mut self, case: Case) -> bool {
        let taken = case != self.best && case.check().is_ok() && (self.fails)(&case);
        if taken {
            self.best = case;
        }
        taken
    }

    fn take_faults(&mut self, faults: &[String]) -> bool {
        match faults.join(", ").parse() {
            Ok(plan) => self.take(Case { plan, ..self.best.clone() }),
            Err(_) => false,
        }
    }

    /// Delta debugging: leaves parts out, ever smaller ones, until no single fault can be left out.
    fn fewer_faults(&mut self) {
        let mut part = faults(&self.best.plan).len();
        while part > 0 {
            let mut at = 0;
            loop {
                let all = faults(&self.best.plan);
                if at >= all.len() {
                    break;
                }
                let end = all.len().min(at + part);
                if !self.take_faults(&[&all[..at], &all[end..]].concat()) {
                    at += part;
                }
            }
            part /= 2;
        }
    }

    /// The smallest network that will do, its faults moved to the links that are left.
    fn smaller_scene(&mut self) {
        for (topology, names) in smaller(self.best.topology) {
            let plan = moved(&faults(&self.best.plan), &names);
            if self.take(Case { topology, plan, ..self.best.clone() }) {
                return;
            }
        }
    }

    fn usual_options(&mut self) {
        let usual = Case::default();
        for option in OPTIONS.iter().filter(|option| !["topology", "plan", "seed"].contains(&option.name)) {
            let mut case = self.best.clone();
            if (option.set)(&mut case, &(option.get)(&usual)).is_ok() {
                self.take(case);
            }
        }
    }

    /// Times that have to differ from the usual ones become round.
    fn nearer_options(&mut self) {
        let usual = Case::default();
        for option in &OPTIONS {
            let value = (option.get)(&self.best);
            let Some(span) = Span::parse(&value).filter(|_| value != (option.get)(&usual)) else { continue };
            for rounder in rounder(span) {
                let mut case = self.best.clone();
                if (option.set)(&mut case, &Span(rounder).to_string()).is_ok() && self.take(case) {
                    break;
                }
            }
        }
    }

    /// Delays become short and round.
    fn nearer_faults(&mut self) {
        for at in 0..faults(&self.best.plan).len() {
            for simpler in simpler(&faults(&self.best.plan)[at]) {
                let mut all = faults(&self.best.plan);
                all[at] = simpler;
                if self.take_faults(&all) {
                    break;
                }
            }
        }
    }
}

/// The faults of a plan, each as a text of its own.
fn faults(plan: &Plan) -> Vec<String> {
    plan.to_string().split(", ").filter(|fault| !fault.is_empty()).map(str::to_owned).collect()
}

/// A fault with a simpler time in it, the simplest first.
fn simpler(fault: &str) -> Vec<String> {
    let Some((before, rest)) = fault.rsplit_once('+') else { return Vec::new() };
    let (time, after) = rest.split_at(rest.find(')').unwrap_or(rest.len()));
    let Some(span) = Span::parse(time) else { return Vec::new() };
    rounder(span).map(|span| format!("{before}+{}{after}", Span(span))).collect()
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
