//! The runs of a sweep.

use std::fmt;
use std::str::FromStr;

use sansip::dialog::LEAST_SESSION_INTERVAL;
use sansip::random::Script;
use sansip::{Duration, Random, Seed};

use crate::fault::{Dice, Plan, Preset};
use crate::run::{ByWhom, Case, Reply};
use crate::topology::{Challenges, Topology};

/// The ranges that the runs of a sweep are drawn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The network; any, if none is given.
    pub topology: Option<Topology>,
    /// The weather; anything from fine to dreadful, if none is given.
    pub weather: Option<Preset>,
    /// Which calls.
    pub calls: Calls,
}

impl Scope {
    /// Plain calls, in any network and weather.
    pub const PLAIN: Self = Self { topology: None, weather: None, calls: Calls::Plain };
}

/// The calls that are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Calls {
    /// Half of them plain, the others with a few of hold, an offer that comes late, and credentials; and in a fifth of all Bob's phone rings
    /// reliably, in a tenth the session has a timer, and in a
    /// tenth the call is given to Carol. One in twelve goes to several phones, and one in six through a network with more to it than
    /// proxies in a row.
    #[default]
    Any,
    /// INVITE, BYE, CANCEL and REGISTER alone.
    Plain,
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "any",
            Self::Plain => "plain",
        })
    }
}

impl FromStr for Calls {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "any" => Ok(Self::Any),
            "plain" => Ok(Self::Plain),
            _ => Err("calls are any or plain"),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.topology {
            Some(topology) => write!(f, "topology {topology}")?,
            None => f.write_str("all topologies")?,
        }
        match self.weather {
            Some(weather) => write!(f, ", weather {weather}")?,
            None => f.write_str(", any weather")?,
        }
        match self.calls {
            Calls::Any => Ok(()),
            Calls::Plain => f.write_str(", plain calls"),
        }
    }
}

/// The networks of plain calls.
const PLAIN: [Topology; 7] = [
    Topology::Direct,
    Topology::OneProxy,
    Topology::Trapezoid,
    Topology::Nat,
    Topology::Mixed,
    Topology::Chain(3),
    Topology::Crowd(3),
];

/// The networks that have more to them than proxies in a row.
const OTHER: [Topology; 5] = [Topology::Redirect, Topology::Auth, Topology::Strict, Topology::Dual, Topology::Farm(2)];

/// The run of that number: who does what and when, how bad the network is, and now and then some exact faults.
pub fn draw(scope: &Scope, seed: u64, number: u64) -> Case {
    let mut dice = dice_of(seed, number, b"sweep");
    let topology = dice.one_of(&PLAIN);
    let mut case = Case { topology: scope.topology.unwrap_or(topology), ..Case::default() };
    case.record_route = dice.percent(50);
    case.ring_after = dice.percent(80).then(|| dice.span(3_000));
    let (after, reply) = (dice.span(12_000), dice.below(100));
    case.reply = match reply {
        0..77 => Reply::Answer(after),
        77..90 => Reply::Reject(after),
        _ => Reply::Nothing,
    };
    case.cancel_after = dice.percent(25).then(|| dice.span(12_000));
    let alice = dice.percent(50).then(|| dice.span(20_000));
    let bob = dice.percent(50).then(|| dice.span(20_000));
    case.hang_up = ByWhom { alice, bob };
    case.ring_limit = dice.millis(1_000, 60_000);
    case.calm_after = dice.millis(1_000, 90_000);
    let (preset, (delay, conditions)) = dice.weather();
    let preset = scope.weather.or(preset);
    (case.delay, case.conditions) = preset.map_or((delay, conditions), Preset::parts);
    case.seed = dice.0.next_u64();
    if dice.percent(20) {
        case.plan = dice.plan(&case.topology.nodes());
    }
    if let Some(preset) = preset {
        case.add_events_of(preset);
    }
    if scope.calls == Calls::Any {
        if scope.topology.is_none() {
            dice_of(seed, number, b"forks").fork(&mut case, preset);
            dice_of(seed, number, b"other").network(&mut case, preset);
        }
        // Dice of their own: the rest of the run is what it is without.
        dice_of(seed, number, b"extra").extras(&mut case);
        case.reliable = dice_of(seed, number, b"prack").percent(20);
        dice_of(seed, number, b"timer").session_timer(&mut case);
        dice_of(seed, number, b"refer").transfer(&mut case);
    }
    case
}

/// The run of that number in a network of somebody's own: a plain call, and faults among its nodes.
pub fn draw_among(nodes: &[String], scope: &Scope, seed: u64, number: u64) -> Case {
    let plain = Scope { topology: Some(Topology::Direct), weather: scope.weather, calls: Calls::Plain };
    let mut case = draw(&plain, seed, number);
    let mut dice = dice_of(seed, number, b"stage");
    case.plan = if dice.percent(20) { dice.plan(nodes) } else { Plan::new() };
    if let Some(preset) = scope.weather {
        case.add_events_among(preset, nodes);
    }
    case
}

/// The dice of one run, for one purpose.
fn dice_of(seed: u64, number: u64, purpose: &[u8; 5]) -> Dice {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    bytes[16..21].copy_from_slice(purpose);
    Dice(Random::new(Seed::new(bytes), Script::default()))
}

impl Dice {
    /// Half of the calls have a few things more than the plain ones.
    fn extras(&mut self, case: &mut Case) {
        if self.percent(50) {
            return;
        }
        let hold = |dice: &mut Self| dice.percent(35).then(|| dice.span(5_000));
        case.hold = ByWhom { alice: hold(self), bob: hold(self) };
        let (after, reply) = (self.span(8_000), self.below(100));
        case.change_reply = match reply {
            0..75 => Reply::Answer(after),
            75..93 => Reply::Reject(after),
            _ => Reply::Nothing,
        };
        case.late_offer = self.percent(25).then(|| self.span(12_000));
        let mut asks = || self.percent(25);
        case.challenge = Challenges { alice: asks(), bob: asks(), proxy: asks() };
        if self.percent(30) {
            case.nonce_age = self.millis(500, 5_000);
        }
    }

    /// One call in ten has a session timer, and most of these last for a few intervals.
    fn session_timer(&mut self, case: &mut Case) {
        if !self.percent(10) {
            return;
        }
        let seconds = |dice: &mut Self, more: u64| LEAST_SESSION_INTERVAL + dice.below(more) as u32;
        case.session_expires = Some(seconds(self, 60));
        case.min_se = self.percent(25).then(|| seconds(self, 90));
        (case.bob_refreshes, case.refresh_by_invite) = (self.percent(50), self.percent(50));
        if self.percent(80) {
            case.hang_up = ByWhom::NOBODY;
            case.calm_after = self.millis(60_000, 400_000);
        }
    }

    /// One call in twelve goes to several phones.
    fn fork(&mut self, case: &mut Case, preset: Option<Preset>) {
        if self.below(12) > 0 {
            return;
        }
        let phones = Topology::Fork(2 + self.below(3) as u8);
        self.go(case, phones, preset);
    }

    /// One call in six goes through another network.
    fn network(&mut self, case: &mut Case, preset: Option<Preset>) {
        if self.below(6) > 0 {
            return;
        }
        let other = self.one_of(&OTHER);
        self.go(case, other, preset);
    }

    /// The call goes through this network instead, with exact faults of its own.
    fn go(&mut self, case: &mut Case, topology: Topology, preset: Option<Preset>) {
        case.topology = topology;
        case.plan = if self.percent(20) { self.plan(&case.topology.nodes()) } else { Plan::new() };
        if let Some(preset) = preset {
            case.add_events_of(preset);
        }
    }

    /// One call in ten is given to Carol.
    fn transfer(&mut self, case: &mut Case) {
        if self.percent(10) {
            case.transfer = Some(self.span(5_000));
            case.attended = self.percent(50);
        }
    }

    /// Half of them short: races happen there.
    fn span(&mut self, longest: u64) -> Duration {
        let longest = if self.percent(50) { 200 } else { longest };
        self.millis(0, longest)
    }

    /// A preset, or anything up to the worst.
    fn weather(&mut self) -> (Option<Preset>, (Duration, crate::link::Conditions)) {
        let preset = self.one_of(&Preset::DRAWN);
        if self.percent(50) {
            return (Some(preset), preset.parts());
        }
        let mut percent = |most: u64| crate::link::Probability::percent(self.below(most + 1) as u32);
        let (loss, duplication, reordering) = (percent(50), percent(30), percent(40));
        // Late and doubled, it is in the network for less than T4, as RFC 3261 §17 supposes.
        let (latest, delay) = (self.millis(1, 2_300), self.millis(0, 300));
        let conditions =
            crate::link::Conditions { loss, duplication, reordering, latest, ..crate::link::Conditions::FINE };
        (None, (delay, conditions))
    }

    /// Up to three faults among the first datagrams of links.
    fn plan(&mut self, nodes: &[String]) -> Plan {
        let mut faults: Vec<String> = Vec::new();
        for _ in 0..=self.below(3) {
            let (from, to) = (self.index(nodes.len()), self.index(nodes.len()));
            let (from, to) = (&nodes[from], &nodes[to]);
            let (ordinal, millis) = (1 + self.below(8), 1 + self.below(2_300));
            let effect = match self.below(3) {
                0 => "drop".to_owned(),
                1 => format!("+{millis}ms"),
                _ => format!("dup(+{millis}ms)"),
            };
            let fault = format!("{from}>{to}#{ordinal}:{effect}");
            let all = [faults.as_slice(), &[fault]].concat();
            if from != to && all.join(", ").parse::<Plan>().is_ok() {
                faults = all;
            }
        }
        faults.join(", ").parse().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_a_function_of_seed_and_number() {
        let all = Scope::default();
        assert_eq!(draw(&all, 1, 7), draw(&all, 1, 7));
        assert_ne!(draw(&all, 1, 7), draw(&all, 1, 8));
        assert_ne!(draw(&all, 1, 7), draw(&all, 2, 7));
    }

    #[test]
    fn what_is_asked_for_is_kept_and_the_rest_stays_as_drawn() {
        let free = draw(&Scope::default(), 1, 7);
        for topology in Topology::ALL {
            let scope = Scope { topology: Some(topology), weather: Some(Preset::Hostile), ..Scope::default() };
            let bound = draw(&scope, 1, 7);
            assert_eq!((bound.topology, (bound.delay, bound.conditions)), (topology, Preset::Hostile.parts()));
            assert_eq!((bound.reply, bound.hang_up, bound.seed), (free.reply, free.hang_up, free.seed));
        }
    }

    #[test]
    fn every_kind_of_run_is_drawn() {
        let cases: Vec<_> = (0..500).map(|number| draw(&Scope::default(), 1, number)).collect();
        for topology in PLAIN.into_iter().chain(OTHER).chain([2, 3, 4].map(Topology::Fork)) {
            assert!(cases.iter().any(|case| case.topology == topology), "{topology}");
        }
        assert!(cases.iter().any(|case| case.cancel_after.is_some() && !case.plan.is_empty()));
        assert!(cases.iter().any(|case| matches!(case.reply, Reply::Reject(_)) && case.record_route));
        assert!(cases.iter().any(|case| case.hang_up == ByWhom::NOBODY && case.has_weather()));
        assert!(cases.iter().any(|case| case.reliable && case.late_offer.is_some()));
        assert!(cases.iter().any(|case| case.reliable && case.late_offer.is_none() && case.challenge.bob));
        let timed = |case: &&Case| case.session_expires.is_some() && case.calm_after > Duration::from_secs(200);
        let timed: Vec<_> = cases.iter().filter(timed).collect();
        assert!(timed.len() < 50 && timed.iter().any(|case| case.min_se.is_some()));
        assert!(timed.iter().any(|case| case.bob_refreshes && case.refresh_by_invite && case.has_weather()));
        assert!(timed.iter().any(|case| !case.bob_refreshes && !case.refresh_by_invite && case.has_weather()));
        let given: Vec<_> = cases.iter().filter(|case| case.transfer.is_some()).collect();
        assert!(given.len() < 100 && given.iter().any(|case| case.attended && case.has_weather()));
        assert!(given.iter().any(|case| !case.attended && case.challenge.bob));
        assert!(cases.iter().all(|case| case.check().is_ok()));
    }
}
