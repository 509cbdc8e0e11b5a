//! Dice: what is drawn from a source of randomness.

use sansip::{Duration, Random};

/// A source of randomness with what is drawn from it.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) Random);

impl Dice {
    /// A number below that.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.below(end)
    }

    /// Whether something happens that does so in so many of a hundred cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A place in a list of that length.
    pub(crate) fn index(&mut self, of: usize) -> usize {
        self.below(of as u64) as usize
    }

    /// One of them, which are not none.
    pub(crate) fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.index(all.len())].clone()
    }

    /// Whole milliseconds, below `to`.
    pub(crate) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}
