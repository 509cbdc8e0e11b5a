//! Weather by name.

use std::fmt;
use std::str::FromStr;

use sansip::{Duration, Instant};

use super::weather::{name_hash, random};
use super::{ClockChange, Dice, DnsFault, End, Event, Fault, Plan, Side, TimedFault, Weather};
use crate::link::{Burst, Conditions, Link, Probability};

/// Weather by name: what links are like, and what else happens.
///
/// | name | one way | jitter | loss | bursts (begin, end, loss) | doubled | held up, by up to | besides |
/// |---|---|---|---|---|---|---|---|
/// | `calm` | 10 ms | | | | | | |
/// | `wifi` | 5 ms | 20 ms | 0.5 % | 1 %, 25 %, 80 % | 0.1 % | | |
/// | `satellite` | 300 ms | 20 ms | 1 % | | | | |
/// | `congested` | 60 ms | 240 ms | 2 % | 5 %, 20 %, 60 % | 0.5 % | 5 %, 1.5 s | |
/// | `flood` | 10 ms | | | | | | a stranger sends 100 to 500 datagrams a second to a server, for 5 to 10 s |
/// | `hostile` | 40 ms | 200 ms | 15 % | 2 %, 30 %, 90 % | 10 % | 15 %, 2 s | cuts, slow DNS, drifting clocks; streams in pieces, and reset (0.5 %) |
///
/// A message that is late, held up and doubled at once is in the network for less than T4 (5 s), as RFC 3261 §17 supposes: the timers that
/// absorb copies are no longer. Satellite's round trip is 600 ms and so longer than T1: every request is sent again at least once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// Nothing happens.
    #[default]
    Calm,
    /// Somebody walks around with the phone.
    Wifi,
    /// A geostationary satellite.
    Satellite,
    /// A full queue.
    Congested,
    /// Everything at once.
    Hostile,
    /// A stranger sends a server more than it has room for.
    Flood,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Calm, Self::Wifi, Self::Satellite, Self::Congested, Self::Hostile, Self::Flood];
    /// Those that are drawn where none is asked for.
    pub const DRAWN: [Self; 5] = [Self::Calm, Self::Wifi, Self::Satellite, Self::Congested, Self::Hostile];

    /// The name by which it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Wifi => "wifi",
            Self::Satellite => "satellite",
            Self::Congested => "congested",
            Self::Hostile => "hostile",
            Self::Flood => "flood",
        }
    }

    /// The kind of every link. Its delay holds in calm too; its conditions only while there is [`Weather`].
    pub const fn link(self) -> Link {
        let (delay, conditions) = match self {
            Self::Calm | Self::Flood => (10, Conditions::FINE),
            Self::Wifi => (5, WIFI),
            Self::Satellite => (300, SATELLITE),
            Self::Congested => (60, CONGESTED),
            Self::Hostile => (40, HOSTILE),
        };
        Link { delay: Duration::from_millis(delay), mtu: None, icmp: false, conditions }
    }

    /// The delay of every link, and its conditions.
    pub const fn parts(self) -> (Duration, Conditions) {
        let Link { delay, conditions, .. } = self.link();
        (delay, conditions)
    }

    /// The plan that the weather's seed makes of what else happens to the network, among nodes of these names.
    pub fn plan(self, weather: Weather, nodes: &[String]) -> Plan {
        if !matches!(self, Self::Hostile | Self::Flood) || weather.from >= weather.calm_from {
            return Plan::new();
        }
        if self == Self::Flood {
            return flood(weather, nodes);
        }
        let mut dice = Dice(random(weather.seed, [name_hash("the network"), 0, 0]));
        let mut faults = Vec::new();
        for node in nodes {
            let drift = dice.below(401) as i32 - 200;
            if drift != 0 {
                let change = ClockChange::Drift(drift);
                faults.push((Instant::ZERO, Event::Clock { node: End::Node(node.clone()), change }));
            }
        }
        for _ in 0..dice.below(3) {
            let (at, until) = window(weather, &mut dice, 8_000);
            let one = Side::Nodes([dice.one_of(nodes)].into());
            faults.push((at, Event::Cut { one, other: Side::Rest, until }));
        }
        for _ in 0..dice.below(3) {
            let (at, until) = window(weather, &mut dice, 20_000);
            let how = DnsFault::Slow(Duration::from_millis(1 + dice.below(SLOWEST_ANSWER)));
            faults.push((at, Event::Dns { node: End::Node(dice.one_of(nodes)), until, how }));
        }
        faults.into_iter().map(|(at, event)| Fault::Timed(TimedFault { at, event })).collect()
    }
}

/// A flood to one of the servers; to a phone, if there is none.
fn flood(weather: Weather, nodes: &[String]) -> Plan {
    let mut dice = Dice(random(weather.seed, [name_hash("the flood"), 0, 0]));
    // The store of a farm is no node of SIP.
    let is_server = |name: &&String| ["alice", "bob", "carol", "store"].iter().all(|other| !name.starts_with(other));
    let servers: Vec<_> = nodes.iter().filter(is_server).cloned().collect();
    let node = dice.one_of(if servers.is_empty() { nodes } else { &servers });
    // Calls are made at the very beginning: some are made in the flood, and others are there when it comes.
    let at = weather.from + Duration::from_millis(dice.below(5_000));
    let until = at + Duration::from_millis(5_000 + dice.below(5_000));
    let rate = 100 + dice.below(400) as u32;
    let (at, until) = (at.min(weather.calm_from), until.min(weather.calm_from));
    let event = Event::Flood { node, until, rate };
    if at < until { [Fault::Timed(TimedFault { at, event })].into_iter().collect() } else { Plan::new() }
}

/// In milliseconds. Three questions, one after the other (RFC 3263: NAPTR, SRV, A), are answered within T1, which is what
/// [`AGREEMENT`](crate::check::AGREEMENT) gives them before a BYE.
const SLOWEST_ANSWER: u64 = 150;

/// Whole milliseconds within the weather; at most `longest` of them.
fn window(weather: Weather, dice: &mut Dice, longest: u64) -> (Instant, Instant) {
    let span = weather.calm_from.as_millis() - weather.from.as_millis();
    let at = weather.from + Duration::from_millis(dice.below(span.max(1)));
    let until = at + Duration::from_millis(1 + dice.below(longest));
    (at, until.min(weather.calm_from).max(at + Duration::from_millis(1)))
}

const WIFI: Conditions = Conditions {
    loss: Probability::per_mille(5),
    burst: Some(Burst {
        begin: Probability::percent(1),
        end: Probability::percent(25),
        loss: Probability::percent(80),
    }),
    duplication: Probability::per_mille(1),
    jitter: Duration::from_millis(20),
    ..Conditions::FINE
};

const SATELLITE: Conditions =
    Conditions { loss: Probability::percent(1), jitter: Duration::from_millis(20), ..Conditions::FINE };

const CONGESTED: Conditions = Conditions {
    loss: Probability::percent(2),
    burst: Some(Burst {
        begin: Probability::percent(5),
        end: Probability::percent(20),
        loss: Probability::percent(60),
    }),
    duplication: Probability::per_mille(5),
    reordering: Probability::percent(5),
    latest: Duration::from_millis(1_500),
    jitter: Duration::from_millis(240),
    ..Conditions::FINE
};

const HOSTILE: Conditions = Conditions {
    loss: Probability::percent(15),
    burst: Some(Burst {
        begin: Probability::percent(2),
        end: Probability::percent(30),
        loss: Probability::percent(90),
    }),
    duplication: Probability::percent(10),
    reordering: Probability::percent(15),
    latest: Duration::from_millis(2_000),
    jitter: Duration::from_millis(200),
    splitting: Probability::percent(30),
    resetting: Probability::per_mille(5),
    ..Conditions::FINE
};

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|preset| preset.name() == name);
        found.ok_or("weather is calm, wifi, satellite, congested, hostile or flood")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sansip::Timers;

    const WEATHER: Weather =
        Weather { seed: 7, from: Instant::from_millis(1_000), calm_from: Instant::from_millis(9_000) };

    fn nodes() -> Vec<String> {
        ["alice", "atlanta", "bob"].map(String::from).into()
    }

    #[test]
    fn every_preset_is_found_by_its_name() {
        for preset in Preset::ALL {
            assert_eq!(preset.to_string().parse(), Ok(preset));
        }
        assert!("rain".parse::<Preset>().unwrap_err().contains("hostile"));
    }

    #[test]
    fn nothing_is_in_the_network_for_longer_than_t4() {
        for preset in Preset::ALL {
            let Link { delay, conditions, .. } = preset.link();
            assert!(delay + conditions.jitter + conditions.latest * 2 < Timers::default().t4, "{preset}");
        }
    }

    #[test]
    fn the_seed_makes_the_plan_and_it_is_over_with_the_calm() {
        let plans: Vec<_> = (0..50).map(|seed| Preset::Hostile.plan(Weather { seed, ..WEATHER }, &nodes())).collect();
        assert_eq!(plans[7], Preset::Hostile.plan(WEATHER, &nodes()));
        assert_ne!(plans[7], plans[8]);
        let all: String = plans.iter().map(|plan| format!("{plan}, ")).collect();
        for kind in [":cut", ":dns(+", ":clock(+", ":clock(-"] {
            assert!(all.contains(kind), "{kind}: {all}");
        }
        for fault in plans.iter().flat_map(Plan::timed) {
            if let Event::Cut { until, .. } | Event::Dns { until, .. } = fault.event {
                assert!(WEATHER.from <= fault.at && fault.at < until && until <= WEATHER.calm_from, "{fault}");
            }
        }
        assert!(Preset::Wifi.plan(WEATHER, &nodes()).is_empty());
    }
}
