//! Many runs, each drawn from a seed and its number.
//!
//! Run `i` of a sweep is a function of the base seed and of `i` alone, so that a sweep can be spread over threads and over machines:
//! the results add up to the same in whatever order.

mod draw;
mod file;
mod learned;
mod results;
mod work;

pub use draw::{Calls, Scope, draw, draw_among};
pub use file::{line, merge, read, write};
pub use learned::{DELAYS, Learned, SetUps};
pub use results::Results;
pub use work::{record, work, work_with};

use std::fmt;
use std::str::FromStr;

use sansip::Duration;

/// A part of a sweep: the runs whose number leaves this remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub number: u64,
    /// How many there are.
    pub of: u64,
}

impl Shard {
    /// The most that there are: a run's number times this is to be a number.
    const MOST: u64 = 1_000_000;
    /// All runs.
    pub const WHOLE: Self = Self { number: 1, of: 1 };

    /// The number of this shard's `n`-th run, from 0.
    pub const fn run(self, n: u64) -> u64 {
        n.saturating_mul(self.of).saturating_add(self.number - 1)
    }

    /// How many of the first `runs` runs are this shard's.
    pub const fn share(self, runs: u64) -> u64 {
        runs / self.of + (self.number <= runs % self.of) as u64
    }
}

impl FromStr for Shard {
    type Err = &'static str;

    /// Reads `3/8`: the third of eight.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if 1 <= number && number <= of && of <= Self::MOST => Ok(Self { number, of }),
            _ => Err("a shard is I/N with I from 1 to N and N up to 1000000, as in 3/8"),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// How long a sweep goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many runs, over all shards.
    Runs(u64),
    /// So long on the clock on the wall.
    For(Duration),
}

/// A sweep as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The base seed.
    pub seed: u64,
    /// How long.
    pub length: Length,
    /// The ranges that are drawn from.
    pub scope: Scope,
    /// Which part of it.
    pub shard: Shard,
    /// Whether each run is run twice and compared.
    pub twice: bool,
    /// Whether something is learned of the calls, which takes a while.
    pub learns: bool,
}

impl Sweep {
    /// How many runs this shard has; `None` if that depends on the clock.
    pub const fn share(&self) -> Option<u64> {
        match self.length {
            Length::Runs(runs) => Some(self.shard.share(runs)),
            Length::For(_) => None,
        }
    }
}
