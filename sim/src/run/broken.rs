//! The checks that many runs have broken.

use std::collections::BTreeMap;

use super::{Outcome, Verdict};
use crate::check::Property;

/// The checks that some runs broke, by name; `F` tells which run was the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenChecks<F>(pub BTreeMap<String, Broken<F>>);

/// How often a check was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken<F> {
    /// Runs; never none.
    pub runs: u64,
    /// The first of them.
    pub first: F,
    /// Whether it is a matter of safety.
    pub safety: bool,
}

impl<F> Default for BrokenChecks<F> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<F: Ord> BrokenChecks<F> {
    /// Notes the breaches of one run.
    pub fn note(&mut self, verdict: &Verdict, first: impl Fn() -> F) {
        let mut broken = Self::default();
        for breach in verdict.breaches() {
            let safety = breach.property == Property::Safety;
            broken.0.entry(breach.check.to_owned()).or_insert_with(|| Broken { runs: 1, first: first(), safety });
        }
        self.add(broken);
    }

    /// Adds those of other runs. The order in which this is done does not matter.
    pub fn add(&mut self, other: Self) {
        for (check, broken) in other.0 {
            match self.0.get_mut(&check) {
                None => drop(self.0.insert(check, broken)),
                Some(sum) => {
                    // Files may say anything: no sum is too large.
                    sum.runs = sum.runs.saturating_add(broken.runs);
                    if broken.first < sum.first {
                        sum.first = broken.first;
                    }
                }
            }
        }
    }

    /// The worst of what was found.
    pub fn outcome(&self) -> Outcome {
        let worst = self.0.values().map(|broken| if broken.safety { Outcome::Safety } else { Outcome::Liveness });
        worst.max().unwrap_or(Outcome::Holds)
    }
}
