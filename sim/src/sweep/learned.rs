//! Shows what a sweep shows of calls beside whether the checks hold: how many were set up, how soon, and how much was sent again.

use std::collections::BTreeMap;

use sansip::{Duration, Instant};

use crate::fault::Preset;
use crate::render::picture::{Message, Picture};
use crate::run::Case;
use crate::trace::Trace;

/// Bounds of a histogram of set-up delays, in milliseconds; above the last one there is one more step.
pub const DELAYS: [u64; 9] = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

/// Says what was learned from some runs. It adds up in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    /// Calls by how they came out: `set up`, or the status that refused them, or `no final response`.
    pub outcomes: BTreeMap<String, u64>,
    /// Calls by the weather of their run.
    pub weathers: BTreeMap<String, SetUps>,
    /// Copies that were sent again, by the method of their request.
    pub resent: BTreeMap<String, u64>,
    /// The run in which most was sent again, with how much; the first of several.
    pub worst: Option<(u64, u64)>,
}

/// Calls in one weather.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetUps {
    /// How many were made.
    pub calls: u64,
    /// How many of them were set up, by their delay: [`DELAYS`] are the bounds.
    pub delays: [u64; DELAYS.len() + 1],
    /// All delays together, in milliseconds.
    pub sum: u64,
}

impl SetUps {
    /// How many were set up.
    pub fn set_up(&self) -> u64 {
        self.delays.iter().sum()
    }

    fn note(&mut self, delay: Option<Duration>) {
        self.calls += 1;
        if let Some(delay) = delay {
            let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
            let step = DELAYS.iter().position(|bound| millis <= *bound).unwrap_or(DELAYS.len());
            self.delays[step] += 1;
            self.sum = self.sum.saturating_add(millis);
        }
    }

    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.sum = self.sum.saturating_add(other.sum);
        for (sum, more) in self.delays.iter_mut().zip(other.delays) {
            *sum += more;
        }
    }
}

impl Learned {
    /// Learns from one run, of that number.
    pub fn of(case: &Case, weather: Option<Preset>, trace: &Trace, number: u64) -> Self {
        let picture = Picture::of(trace, []);
        let mut learned = Self::default();
        let setups = learned.weathers.entry(name_of(case, weather)).or_default();
        for call in calls(&picture) {
            setups.note(call.delay());
            let outcome = match (call.delay(), call.refused) {
                (Some(_), _) => "set up".to_owned(),
                (None, Some(status)) => status.to_string(),
                (None, None) => "no final response".to_owned(),
            };
            *learned.outcomes.entry(outcome).or_default() += 1;
        }
        let mut resent = 0;
        for (_, _, message) in picture.messages().filter(|(_, _, message)| message.label.resent) {
            *learned.resent.entry(message.method().to_owned()).or_default() += 1;
            resent += 1;
        }
        learned.worst = (resent > 0).then_some((resent, number));
        learned
    }

    /// Adds what was learned from other runs.
    pub fn add(&mut self, other: &Self) {
        for (name, more) in &other.outcomes {
            *self.outcomes.entry(name.clone()).or_default() += more;
        }
        for (name, more) in &other.weathers {
            self.weathers.entry(name.clone()).or_default().add(more);
        }
        for (name, more) in &other.resent {
            *self.resent.entry(name.clone()).or_default() += more;
        }
        let rank = |worst: &(u64, u64)| (worst.0, std::cmp::Reverse(worst.1));
        self.worst = [self.worst, other.worst].into_iter().flatten().max_by_key(rank);
    }
}

/// The name of a run's weather: the one that was asked for, or the one whose links are like these.
fn name_of(case: &Case, weather: Option<Preset>) -> String {
    let is_like = |preset: &Preset| preset.parts() == (case.delay, case.conditions);
    let known = weather.or_else(|| Preset::DRAWN.into_iter().find(is_like));
    known.map_or_else(|| "drawn".to_owned(), |preset| preset.name().to_owned())
}

/// A call of a run: the first INVITE of a Call-ID, and what came of it.
#[derive(Clone, Copy, Debug, Default)]
struct Call {
    caller: usize,
    asked: Instant,
    /// When the called node had the INVITE, and when it answered: the rest of the time is that of the network and of timers.
    came: Option<Instant>,
    answered: Option<Instant>,
    /// When the 2xx was at the caller.
    set_up: Option<Instant>,
    refused: Option<u16>,
}

impl Call {
    /// From the INVITE to its 2xx at the caller, without the time that the called node took.
    fn delay(&self) -> Option<Duration> {
        let (set_up, came, answered) = (self.set_up?, self.came?, self.answered?);
        let took = set_up.since(self.asked);
        Some(took - answered.since(came).min(took))
    }
}

/// The calls of a run, as its messages show them.
fn calls(picture: &Picture<'_>) -> Vec<Call> {
    let mut calls: BTreeMap<usize, Call> = BTreeMap::new();
    // When each node had the INVITE of each call first.
    let mut came: BTreeMap<(usize, usize), Instant> = BTreeMap::new();
    for (_, row, message) in picture.messages() {
        let (Some(packet), Some(number)) = (&message.packet, message.call) else { continue };
        if packet.method != "INVITE" {
            continue;
        }
        let arrived = message.arrived.first().copied();
        if packet.is_request() {
            if packet.to_tag.is_empty() && message.passed_on.is_none() {
                calls.entry(number).or_insert_with(|| Call {
                    caller: message.from(),
                    asked: row.time,
                    ..Call::default()
                });
            }
            if let (Some(to), Some(time)) = (message.to(), arrived) {
                let first = came.entry((number, to)).or_insert(time);
                *first = (*first).min(time);
            }
            continue;
        }
        let Some(call) = calls.get_mut(&number) else { continue };
        if call.set_up.is_some() {
            continue;
        }
        answer(call, row.time, arrived, message, came.get(&(number, message.from())).copied());
    }
    calls.into_values().collect()
}

fn answer(call: &mut Call, sent: Instant, arrived: Option<Instant>, message: &Message<'_>, came: Option<Instant>) {
    let Some(packet) = &message.packet else { return };
    let is_at_caller = message.to() == Some(call.caller) && packet.vias.len() == 1;
    match packet.status() {
        Some(200..300) => {
            if message.passed_on.is_none() && call.answered.is_none() {
                (call.came, call.answered) = (came, Some(sent));
            }
            if is_at_caller {
                call.set_up = arrived;
            }
        }
        Some(status @ 300..) if is_at_caller && arrived.is_some() => call.refused = Some(status),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::run;

    fn of(line: &str) -> Learned {
        let case: Case = line.parse().unwrap();
        Learned::of(&case, None, run(&case).world.trace(), 7)
    }

    #[test]
    fn a_delay_is_that_of_the_network_and_of_timers_alone() {
        // Three hops there and three back, of 10 ms each, and a millisecond in each proxy on the way there.
        let learned = of("sansip-sim call");
        let calm = &learned.weathers["calm"];
        assert_eq!((calm.calls, calm.set_up(), calm.sum), (1, 1, 61));
        assert_eq!((learned.outcomes["set up"], learned.worst), (1, None));
        // Timer A sends the INVITE again after 500 ms (RFC 3261 §17.1.1.2).
        let late = of("sansip-sim call --plan 'alice>atlanta INVITE#1:drop'");
        assert_eq!((late.weathers["calm"].sum, &late.resent["INVITE"], late.worst), (561, &1, Some((1, 7))));
    }

    #[test]
    fn calls_that_are_not_set_up_say_why() {
        assert_eq!(of("sansip-sim call --reply reject:1s").outcomes, [("486".to_owned(), 1)].into());
        let silent = of("sansip-sim call --topology direct --plan 'alice>bob INVITE:drop'");
        assert_eq!(silent.outcomes, [("no final response".to_owned(), 1)].into());
        assert_eq!(silent.weathers["calm"].set_up(), 0);
    }

    #[test]
    fn sums_do_not_depend_on_the_order() {
        let parts = [
            of("sansip-sim call"),
            of("sansip-sim call --loss 0.3 --seed 3"),
            of("sansip-sim call --loss 0.3 --seed 4"),
        ];
        let sum = |order: [usize; 3]| {
            order.into_iter().fold(Learned::default(), |mut sum, part| {
                sum.add(&parts[part]);
                sum
            })
        };
        assert_eq!(sum([0, 1, 2]), sum([2, 1, 0]));
        assert_eq!(sum([0, 1, 2]).weathers["drawn"].calls, 2);
    }
}
