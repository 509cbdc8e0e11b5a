//! Weather by name.

use std::fmt;
use std::str::FromStr;

use sansip::Duration;

use crate::link::{Conditions, Probability};

/// A kind of bad network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Now and then a loss, some jitter.
    Wifi,
    /// A long way, few faults.
    Satellite,
    /// Full queues: losses and delays.
    Congested,
    /// Everything that RFC 3261 has to bear, at once.
    Hostile,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Wifi, Self::Satellite, Self::Congested, Self::Hostile];

    /// The name by which it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wifi => "wifi",
            Self::Satellite => "satellite",
            Self::Congested => "congested",
            Self::Hostile => "hostile",
        }
    }

    /// From sending to arriving, and what goes wrong.
    pub const fn parts(self) -> (Duration, Conditions) {
        let (delay, loss, duplication, reordering, latest) = match self {
            Self::Wifi => (5, 3, 1, 5, 80),
            Self::Satellite => (300, 2, 0, 2, 300),
            Self::Congested => (80, 15, 2, 20, 900),
            Self::Hostile => (40, 35, 20, 30, 2_300),
        };
        let conditions = Conditions {
            loss: Probability::percent(loss),
            duplication: Probability::percent(duplication),
            reordering: Probability::percent(reordering),
            latest: Duration::from_millis(latest),
        };
        (Duration::from_millis(delay), conditions)
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|preset| preset.name() == name)
            .ok_or("weather is wifi, satellite, congested or hostile")
    }
}
