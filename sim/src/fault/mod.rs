//! Faults are data.
//!
//! A [`Plan`] says what happens to which datagram: `atlanta>biloxi#3:drop, bob>biloxi#1:+700ms`. [`Weather`] draws faults from
//! a seed; a world records the faults that it met as a plan, and that plan alone gives the same run again.

mod plan;
mod weather;

pub(crate) use plan::is_name;
pub use plan::{Plan, PlanError};
pub(crate) use weather::Dice;
pub use weather::Weather;

use std::fmt;

use sansip::Duration;

/// What becomes of one datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives: `drop`.
    Lost,
    /// It arrives.
    Arrives {
        /// So much later than the link would have it: `+700ms`.
        late: Duration,
        /// If it arrives twice, how long after the first time: `dup(+20ms)`.
        again: Option<Duration>,
    },
}

impl Fate {
    /// Nothing happens to it.
    pub const FINE: Self = Self::Arrives { late: Duration::ZERO, again: None };

    /// The faults in their text form, without the datagram they happen to.
    pub fn faults(self) -> impl Iterator<Item = String> {
        let texts = match self {
            Self::Lost => [Some("drop".to_owned()), None],
            Self::Arrives { late, again } => [
                (!late.is_zero()).then(|| format!("+{}", Span(late))),
                again.map(|after| format!("dup(+{})", Span(after))),
            ],
        };
        texts.into_iter().flatten()
    }
}

/// A duration in its exact text form: a whole number of the largest unit that divides it.
#[derive(Clone, Copy)]
pub(crate) struct Span(pub(crate) Duration);

const UNITS: [(&str, u128); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

impl Span {
    pub(crate) fn parse(text: &str) -> Option<Duration> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let (_, nanos) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        let nanos = number.parse::<u64>().ok()?.checked_mul(u64::try_from(nanos).ok()?)?;
        Some(Duration::from_nanos(nanos))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0ms");
        }
        match UNITS.into_iter().find(|(_, unit)| nanos.is_multiple_of(*unit)) {
            Some((name, unit)) => write!(f, "{}{name}", nanos / unit),
            None => write!(f, "{nanos}ns"),
        }
    }
}
