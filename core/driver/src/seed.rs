//! Where a node's randomness comes from.

use sansip::Seed;

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
