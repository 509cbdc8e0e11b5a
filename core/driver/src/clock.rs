//! Where a node's time and seed come from.

use sansip::{Instant, Seed};

/// The clock of a driver: the time since it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zero: std::time::Instant,
}

impl Clock {
    /// A clock that stands at [`Instant::ZERO`] now.
    #[expect(clippy::disallowed_methods, reason = "a driver is where time comes from")]
    #[expect(clippy::new_without_default, reason = "two of them differ")]
    pub fn new() -> Self {
        Self { zero: std::time::Instant::now() }
    }

    /// The time now.
    pub fn now(&self) -> Instant {
        Instant::ZERO + self.zero.elapsed()
    }
}

/// A seed that nobody can guess, from the system's randomness.
///
/// # Errors
/// The system has none to give.
///
/// ```
/// let config = sansip::Config::new(sansip_driver::seed()?);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn seed() -> std::io::Result<Seed> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(Seed::new(bytes))
}
