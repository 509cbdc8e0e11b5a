//! The results of a sweep, in a form that adds up.

use std::collections::BTreeMap;
use std::fmt;

use super::Learned;
use crate::check::standard;
use crate::run::{Broken, BrokenChecks, PANIC};

/// The sum over some runs. Sums of different runs can be added in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// Runs.
    pub runs: u64,
    /// Runs by the name of their topology.
    pub topologies: BTreeMap<String, u64>,
    /// Messages sent.
    pub sent: u64,
    /// Faults that they met; one message may meet several.
    pub faults: u64,
    /// Time on the virtual clocks, in milliseconds.
    pub simulated: u64,
    /// The sum of the runs' [digests](crate::run::digest).
    pub digest: u64,
    /// Runs that were not the same the second time.
    pub different: u64,
    /// The lowest number among those.
    pub first_different: Option<u64>,
    /// The checks that were broken, with the lowest number of a run that did.
    pub broken: BrokenChecks<u64>,
    /// Says what was learned of the calls, if that was asked for.
    pub learned: Option<Learned>,
}

impl Results {
    /// Adds the results of other runs.
    pub fn add(&mut self, other: &Self) {
        // Files may say anything: no sum is too large.
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        add(&mut self.runs, other.runs);
        for (name, runs) in &other.topologies {
            add(self.topologies.entry(name.clone()).or_default(), *runs);
        }
        add(&mut self.sent, other.sent);
        add(&mut self.faults, other.faults);
        add(&mut self.simulated, other.simulated);
        self.digest = self.digest.wrapping_add(other.digest);
        add(&mut self.different, other.different);
        self.first_different = [self.first_different, other.first_different].into_iter().flatten().min();
        self.broken.add(other.broken.clone());
        if let Some(other) = &other.learned {
            self.learned.get_or_insert_default().add(other);
        }
    }

    /// The exit status: 4 if nothing was run, 5 if a run was not the same the second time, else that of the outcome.
    pub fn status(&self) -> u8 {
        match self.runs {
            0 => 4,
            _ if self.different > 0 => 5,
            _ => self.broken.outcome().status(),
        }
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topologies: Vec<_> = self.topologies.iter().map(|(name, runs)| format!("{name} {runs}")).collect();
        writeln!(f, "runs: {} ({})", self.runs, topologies.join(", "))?;
        writeln!(f, "sent: {} messages, faults met: {}", self.sent, self.faults)?;
        writeln!(f, "simulated: {} s", self.simulated / 1_000)?;
        writeln!(f, "digest: {:016x}", self.digest)?;
        let mut names: Vec<&str> = standard().iter().map(|check| check.name()).collect();
        names.extend(self.broken.0.contains_key(PANIC).then_some(PANIC));
        for name in names {
            match self.broken.0.get(name) {
                None => writeln!(f, "check {name}: holds")?,
                Some(Broken { runs, first, .. }) => {
                    writeln!(f, "check {name}: broken in {runs} runs, first in run {first}")?;
                }
            }
        }
        match self.first_different {
            None => Ok(()),
            Some(first) => writeln!(f, "not deterministic: {} runs, first run {first}", self.different),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(first: u64, check: &str, safety: bool) -> Results {
        Results {
            runs: 2,
            digest: u64::MAX,
            topologies: BTreeMap::from([("direct".into(), 2)]),
            broken: BrokenChecks([(check.to_owned(), Broken { runs: 1, first, safety })].into()),
            ..Results::default()
        }
    }

    #[test]
    fn sums_do_not_depend_on_the_order() {
        let parts = [results(5, "idle", false), results(3, "idle", false), results(9, "schedule", true)];
        let sum = |order: [usize; 3]| {
            order.into_iter().fold(Results::default(), |mut sum, part| {
                sum.add(&parts[part]);
                sum
            })
        };
        assert_eq!(sum([0, 1, 2]), sum([2, 1, 0]));
        assert_eq!(sum([0, 1, 2]).broken.0["idle"], Broken { runs: 2, first: 3, safety: false });
        assert_eq!((sum([0, 1, 2]).runs, sum([0, 1, 2]).topologies["direct"]), (6, 6));
    }

    #[test]
    fn the_exit_status_says_the_worst() {
        assert_eq!(Results::default().status(), 4);
        assert_eq!(results(0, "idle", false).status(), 3);
        assert_eq!(results(0, "schedule", true).status(), 1);
        assert_eq!(Results { different: 1, ..results(0, "schedule", true) }.status(), 5);
        assert_eq!(Results { runs: 1, ..Results::default() }.status(), 0);
    }
}
