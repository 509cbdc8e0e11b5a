//! The clock of the standard library, for drivers (feature `std`). Nothing else in this crate reads a clock.

extern crate std;

use crate::time::Instant;

/// Measures the time since it was made, to the nanosecond: drivers hand it to [`Node::handle`](crate::Node::handle).
///
/// ```
/// use sansip::{Clock, Duration};
/// let clock = Clock::new();
/// let now = clock.now();
/// assert!(clock.now() >= now);
/// assert_eq!(clock.at(std::time::Instant::now() + Duration::from_secs(9)).since(now).as_secs(), 9);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zero: std::time::Instant,
}

impl Clock {
    /// Makes a clock that stands at [`Instant::ZERO`] now.
    #[expect(clippy::disallowed_methods, reason = "a driver is where time comes from")]
    #[expect(clippy::new_without_default, reason = "two of them differ")]
    pub fn new() -> Self {
        Self { zero: std::time::Instant::now() }
    }

    /// Gives the time now.
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.zero.elapsed()
    }

    /// Translates that time to this clock: [`Instant::ZERO`] if it was before the clock was made.
    pub fn at(&self, time: std::time::Instant) -> Instant {
        Instant::ZERO + time.saturating_duration_since(self.zero)
    }
}
