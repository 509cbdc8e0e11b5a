//! Weather: a seed that draws faults, each link from a stream of its own.

use sansip::random::{Script, Seed};
use sansip::{Duration, Instant, Random};

use super::Fate;
use crate::link::Conditions;

/// Bad weather for some time: the [`Conditions`] of each link hold from `from` until `calm_from`, and never else.
///
/// The fate of a datagram depends on this seed, the names of the two nodes and the datagram's ordinal on their link, and on
/// nothing else: a node more, or a busier link elsewhere, changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// Where the dice start.
    pub seed: u64,
    /// The first moment at which a fault can happen.
    pub from: Instant,
    /// The first moment at which none can happen any more.
    pub calm_from: Instant,
}

/// The dice of one link.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    weather: Weather,
    conditions: Conditions,
    random: Random,
}

impl Dice {
    pub(crate) fn new(weather: Weather, conditions: Conditions, from: &str, to: &str) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&weather.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&name_hash(from).to_le_bytes());
        seed[16..24].copy_from_slice(&name_hash(to).to_le_bytes());
        Self { weather, conditions, random: Random::new(Seed::new(seed), Script::default()) }
    }

    /// The fate of the link's next datagram. Takes the same number of values whatever happens, so that the n-th throw is
    /// the n-th datagram's.
    pub(crate) fn next(&mut self, now: Instant) -> Fate {
        let Conditions { loss, duplication, reordering, latest } = self.conditions;
        let lost = loss.throw(&mut self.random);
        let twice = duplication.throw(&mut self.random);
        let after = self.millis(latest);
        let held_up = reordering.throw(&mut self.random);
        let late = self.millis(latest);
        if now < self.weather.from || now >= self.weather.calm_from {
            return Fate::FINE;
        }
        if lost {
            return Fate::Lost;
        }
        Fate::Arrives { late: if held_up { late } else { Duration::ZERO }, again: twice.then_some(after) }
    }

    /// Whole milliseconds from 1 to `most`.
    fn millis(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
        Duration::from_millis(1 + self.random.below(most))
    }
}

/// FNV-1a, 64 bits: tells names apart, and is the same in every version.
fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Probability;

    const HALF: Conditions =
        Conditions { loss: Probability::percent(50), duplication: Probability::percent(50), ..Conditions::FINE };
    const WEATHER: Weather = Weather { seed: 7, from: Instant::ZERO, calm_from: Instant::from_millis(100) };

    fn fates(dice: &mut Dice, now: Instant) -> Vec<Fate> {
        (0..64).map(|_| dice.next(now)).collect()
    }

    #[test]
    fn each_direction_of_each_pair_has_its_own_stream() {
        let of = |from, to| fates(&mut Dice::new(WEATHER, HALF, from, to), Instant::ZERO);
        assert_eq!(of("a", "b"), of("a", "b"));
        assert_ne!(of("a", "b"), of("b", "a"));
        assert_ne!(of("a", "b"), of("a", "c"));
    }

    #[test]
    fn the_nth_fate_does_not_depend_on_what_the_weather_was_before() {
        let mut always = Dice::new(WEATHER, HALF, "a", "b");
        let mut calm_at_first = Dice::new(Weather { from: Instant::from_millis(1), ..WEATHER }, HALF, "a", "b");
        assert_eq!(fates(&mut calm_at_first, Instant::ZERO), vec![Fate::FINE; 64]);
        fates(&mut always, Instant::ZERO);
        let now = Instant::from_millis(1);
        assert_eq!(fates(&mut calm_at_first, now), fates(&mut always, now));
    }

    #[test]
    fn from_the_calm_on_nothing_happens() {
        let mut dice = Dice::new(WEATHER, HALF, "a", "b");
        assert!(fates(&mut dice, Instant::from_millis(99)).contains(&Fate::Lost));
        assert_eq!(fates(&mut dice, Instant::from_millis(100)), vec![Fate::FINE; 64]);
    }
}
