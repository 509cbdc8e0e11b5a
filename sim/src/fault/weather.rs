//! Weather: a seed that draws faults, each link from a stream of its own.

use std::num::{NonZeroU8, NonZeroU32};

use sansip::random::{Script, Seed};
use sansip::{Duration, Instant, Random};

use super::{Fate, Flip};
use crate::link::{Conditions, Probability};

/// Bad weather for some time: the [`Conditions`] of each link hold from `from` until `calm_from`, and never else.
///
/// The fate of a message depends on this seed, the names of the two nodes and the message's ordinal and length on their link,
/// and on nothing else: a node more, or a busier link elsewhere, changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// Where the dice start.
    pub seed: u64,
    /// The first moment at which a fault can happen.
    pub from: Instant,
    /// The first moment at which none can happen any more.
    pub calm_from: Instant,
}

/// A generator of its own for one purpose: the seed and up to three words that say what for.
pub(super) fn random(seed: u64, purpose: [u64; 3]) -> Random {
    let mut bytes = [0; 32];
    for (place, word) in bytes.chunks_exact_mut(8).zip([seed].into_iter().chain(purpose)) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    Random::new(Seed::new(bytes), Script::default())
}

/// The dice of one link.
#[derive(Clone, Debug)]
pub(crate) struct LinkDice {
    weather: Weather,
    conditions: Conditions,
    random: Random,
    /// In the model of Gilbert and Elliott.
    unwell: bool,
}

impl LinkDice {
    pub(crate) fn new(weather: Weather, conditions: Conditions, from: &str, to: &str) -> Self {
        let random = random(weather.seed, [name_hash(from), name_hash(to), 0]);
        Self { weather, conditions, random, unwell: false }
    }

    /// The fate of the link's next message, of so many octets. Takes the same number of values whatever happens, so that the
    /// n-th throw is the n-th message's; of what can never happen on this link it takes none.
    pub(crate) fn next(&mut self, now: Instant, length: usize) -> Fate {
        let Conditions { loss, burst, duplication, reordering, latest, jitter, corruption, splitting, resetting } =
            self.conditions;
        let mut lost = loss.throw(&mut self.random);
        let twice = duplication.throw(&mut self.random);
        let after = self.millis(latest);
        let held_up = reordering.throw(&mut self.random);
        let by = self.millis(latest);
        let mut late = if held_up { by } else { Duration::ZERO };
        if !jitter.is_zero() {
            late += self.millis(jitter) - Duration::from_millis(1);
        }
        if let Some(burst) = burst {
            let changes = if self.unwell { burst.end } else { burst.begin };
            self.unwell ^= changes.throw(&mut self.random);
            lost |= burst.loss.throw(&mut self.random) && self.unwell;
        }
        let flip = self.flip(corruption, length);
        let split = self.split(splitting, length);
        let reset = !resetting.is_never() && resetting.throw(&mut self.random);
        if now < self.weather.from || now >= self.weather.calm_from {
            return Fate::FINE;
        }
        match () {
            () if lost => Fate::Lost,
            () if reset => Fate::Reset,
            () => Fate::Arrives { late, again: twice.then_some(after), flip, split },
        }
    }

    fn flip(&mut self, corruption: Probability, length: usize) -> Option<Flip> {
        if corruption.is_never() {
            return None;
        }
        let happens = corruption.throw(&mut self.random);
        let octet = self.random.below(length as u64) as u32;
        let mask = NonZeroU8::new(1 + self.random.below(255) as u8)?;
        happens.then_some(Flip { octet, mask })
    }

    fn split(&mut self, splitting: Probability, length: usize) -> Option<NonZeroU32> {
        if splitting.is_never() {
            return None;
        }
        let happens = splitting.throw(&mut self.random);
        let size = NonZeroU32::new(1 + self.random.below(length as u64) as u32);
        size.filter(|_| happens)
    }

    /// Whole milliseconds from 1 to `most`.
    fn millis(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
        Duration::from_millis(1 + self.random.below(most))
    }
}

/// FNV-1a, 64 bits: tells names apart, and is the same in every version.
pub(super) fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Burst;

    const HALF: Conditions =
        Conditions { loss: Probability::percent(50), duplication: Probability::percent(50), ..Conditions::FINE };
    const WEATHER: Weather = Weather { seed: 7, from: Instant::ZERO, calm_from: Instant::from_millis(100) };
    const EVERYTHING: Conditions = Conditions {
        burst: Some(Burst {
            begin: Probability::percent(5),
            end: Probability::percent(25),
            loss: Probability::percent(100),
        }),
        reordering: Probability::percent(20),
        jitter: Duration::from_millis(20),
        corruption: Probability::percent(50),
        splitting: Probability::percent(50),
        resetting: Probability::percent(5),
        ..HALF
    };

    fn fates(dice: &mut LinkDice, now: Instant) -> Vec<Fate> {
        (0..64).map(|_| dice.next(now, 500)).collect()
    }

    fn many(conditions: Conditions) -> Vec<Fate> {
        let mut dice = LinkDice::new(WEATHER, conditions, "a", "b");
        (0..20_000).map(|_| dice.next(Instant::ZERO, 500)).collect()
    }

    #[test]
    fn each_direction_of_each_pair_has_its_own_stream() {
        let of = |from, to| fates(&mut LinkDice::new(WEATHER, HALF, from, to), Instant::ZERO);
        assert_eq!(of("a", "b"), of("a", "b"));
        assert_ne!(of("a", "b"), of("b", "a"));
        assert_ne!(of("a", "b"), of("a", "c"));
    }

    #[test]
    fn the_nth_fate_does_not_depend_on_what_the_weather_was_before() {
        for conditions in [HALF, EVERYTHING] {
            let mut always = LinkDice::new(WEATHER, conditions, "a", "b");
            let mut calm_at_first =
                LinkDice::new(Weather { from: Instant::from_millis(1), ..WEATHER }, conditions, "a", "b");
            assert_eq!(fates(&mut calm_at_first, Instant::ZERO), vec![Fate::FINE; 64]);
            fates(&mut always, Instant::ZERO);
            let now = Instant::from_millis(1);
            assert_eq!(fates(&mut calm_at_first, now), fates(&mut always, now));
        }
    }

    #[test]
    fn from_the_calm_on_nothing_happens() {
        let mut dice = LinkDice::new(WEATHER, EVERYTHING, "a", "b");
        assert!(fates(&mut dice, Instant::from_millis(99)).contains(&Fate::Lost));
        assert_eq!(fates(&mut dice, Instant::from_millis(100)), vec![Fate::FINE; 64]);
    }

    #[test]
    fn losses_of_gilbert_and_elliott_come_in_a_row() {
        // Unwell 5/(5+25) of the time, for four messages on average.
        let conditions = Conditions { burst: EVERYTHING.burst, ..Conditions::FINE };
        let fates = many(conditions);
        let lost = fates.iter().filter(|fate| **fate == Fate::Lost).count();
        let rows = fates.windows(2).filter(|pair| pair[0] != Fate::Lost && pair[1] == Fate::Lost).count();
        assert!((2_800..3_900).contains(&lost), "{lost}");
        assert!((3.5..4.5).contains(&(lost as f64 / rows as f64)), "{lost} in {rows} rows");
    }

    #[test]
    fn jitter_flips_and_pieces_stay_within_their_bounds_and_use_them() {
        let fates = many(Conditions { loss: Probability::NEVER, reordering: Probability::NEVER, ..EVERYTHING });
        let (mut latest, mut last_octet, mut largest) = (Duration::ZERO, 0, 0);
        for fate in fates {
            let Fate::Arrives { late, flip, split, .. } = fate else { continue };
            latest = latest.max(late);
            last_octet = last_octet.max(flip.map_or(0, |flip| flip.octet));
            largest = largest.max(split.map_or(0, NonZeroU32::get));
        }
        assert_eq!((latest, last_octet, largest), (Duration::from_millis(19), 499, 500));
    }
}
