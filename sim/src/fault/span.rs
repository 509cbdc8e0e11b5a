//! Durations and moments as text, exactly.

use std::fmt;

use sansip::{Duration, Instant};

/// A duration in its exact text form: a whole number of the largest unit that divides it.
#[derive(Clone, Copy)]
pub(crate) struct Span(pub(crate) Duration);

const UNITS: [(&str, u64); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

impl Span {
    /// The longest time that a plan or a command line may say: two of them, one after the other, are still a moment of any clock.
    pub(crate) const LONGEST: Duration = Duration::from_secs(366 * 24 * 3_600);

    /// Reads a duration that is at most [`LONGEST`](Self::LONGEST).
    pub(crate) fn parse(text: &str) -> Option<Duration> {
        Self::parse_any(text).filter(|span| *span <= Self::LONGEST)
    }

    /// As above, however long.
    pub(crate) fn parse_any(text: &str) -> Option<Duration> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let (_, nanos) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        Some(Duration::from_nanos(number.parse::<u64>().ok()?.checked_mul(nanos)?))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0ms");
        }
        match UNITS.into_iter().find(|(_, unit)| nanos.is_multiple_of(u128::from(*unit))) {
            Some((name, unit)) => write!(f, "{}{name}", nanos / u128::from(unit)),
            None => write!(f, "{nanos}ns"),
        }
    }
}

/// A moment: the time since the world's zero.
pub(super) fn moment(text: &str) -> Option<Instant> {
    Some(Instant::ZERO + Span::parse(text)?)
}

/// A moment as text.
pub(super) const fn since_zero(moment: Instant) -> Span {
    Span(moment.since(Instant::ZERO))
}
