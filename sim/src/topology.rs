//! Networks by name, with the people of RFC 3261 §24 in them.
//!
//! | node | address | names |
//! |---|---|---|
//! | `alice` | 192.0.2.1 | pc33.atlanta.com |
//! | `atlanta` | 192.0.2.2 | atlanta.com, bigbox3.site3.atlanta.com |
//! | `biloxi` | 192.0.2.3 | biloxi.com, registrar.biloxi.com, server10.biloxi.com |
//! | `bob` | 192.0.2.4 | |
//! | `carol`, if a call is transferred to her | 192.0.2.5 | |
//! | `nat`, with Alice behind it at 10.0.0.1 | 203.0.113.1 | |
//! | `proxy1`, `proxy2`, … of a chain | 198.51.100.1, … | proxy1.example.net, … |
//! | `bob1`, `bob2`, … of a fork | 192.0.2.101, … | |
//! | `alice1`, `bob1`, … of a crowd | 10.0.0.1, … and 10.128.0.1, … | |

use std::fmt;
use std::str::FromStr;

use sansip::{Duration, Instant, Timers};

use crate::actor::{Behaviour, Incoming, Outgoing, Reaction, Register, Transfer};
use crate::fault::{Plan, Preset, Weather};
use crate::link::Links;
use crate::world::{Setting, World};
use rfc::{ALICE_SDP, BOB_SDP, CAROL_SDP, sdp};
use scene::parsed;
pub use scene::{Domain, Phone, Scene, Wrap};
pub use secrets::PASSWORDS;

mod build;
mod rfc;
mod scene;
mod secrets;

/// A network that can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// `direct`: Alice calls Bob at his address.
    Direct,
    /// `one-proxy`: Alice's calls go to Bob's domain.
    OneProxy,
    /// `trapezoid`: Alice's calls go to her domain's proxy, from there to Bob's domain: RFC 3261 §24.2.
    Trapezoid,
    /// `nat`: a trapezoid, with Alice behind a NAT, `nat`, of the strict kind.
    Nat,
    /// `mixed`: a trapezoid whose proxies speak TCP with each other and UDP with the phones.
    Mixed,
    /// `chain:5`: Alice's calls go through so many proxies, of which the last is Bob's domain; `chain` is `chain:3`.
    Chain(u8),
    /// `fork:3`: Alice's calls go to Bob's domain, where so many phones of his are registered; `fork` is `fork:3`.
    Fork(u8),
    /// `crowd:100`: so many pairs on a trapezoid, all calling at once; `crowd` is `crowd:10`.
    Crowd(u32),
}

impl Topology {
    /// One of each kind, the larger kinds at a size that is quickly run.
    pub const ALL: [Self; 8] = [
        Self::Direct,
        Self::OneProxy,
        Self::Trapezoid,
        Self::Nat,
        Self::Mixed,
        Self::Chain(3),
        Self::Crowd(3),
        Self::Fork(3),
    ];

    /// The most proxies of a chain: Max-Forwards is 70 (RFC 3261 §8.1.1.6).
    const LONGEST_CHAIN: u8 = 69;
    /// The most phones of a fork: a request may be in 60 places at once (RFC 5393 §5.3.3).
    const WIDEST_FORK: u8 = 20;
    /// The most pairs of a crowd.
    const LARGEST_CROWD: u32 = 1_000_000;

    /// The names of its NATs, which can stand in a plan too.
    pub const fn nats(self) -> &'static [&'static str] {
        match self {
            Self::Nat => &["nat"],
            _ => &[],
        }
    }

    /// The names of its nodes, from Alice to Bob.
    pub fn nodes(self) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let numbered = |name: &'static str, n: u32| (1..=n).map(move |number| format!("{name}{number}"));
        match self {
            Self::Direct => owned(&["alice", "bob"]),
            Self::OneProxy => owned(&["alice", "biloxi", "bob"]),
            Self::Trapezoid | Self::Nat | Self::Mixed => owned(&["alice", "atlanta", "biloxi", "bob"]),
            Self::Chain(n) => {
                let proxies = numbered("proxy", u32::from(n) - 1).chain(["biloxi".to_owned()]);
                ["alice".to_owned()].into_iter().chain(proxies).chain(["bob".to_owned()]).collect()
            }
            Self::Fork(n) => owned(&["alice", "biloxi"]).into_iter().chain(numbered("bob", n.into())).collect(),
            Self::Crowd(n) => {
                let proxies = ["atlanta", "biloxi"].map(String::from);
                numbered("alice", n).chain(proxies).chain(numbered("bob", n)).collect()
            }
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::OneProxy => f.write_str("one-proxy"),
            Self::Trapezoid => f.write_str("trapezoid"),
            Self::Nat => f.write_str("nat"),
            Self::Mixed => f.write_str("mixed"),
            Self::Chain(n) => write!(f, "chain:{n}"),
            Self::Fork(n) => write!(f, "fork:{n}"),
            Self::Crowd(n) => write!(f, "crowd:{n}"),
        }
    }
}

impl FromStr for Topology {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        const CHAIN: &str = "a chain has 1 to 69 proxies, as in chain:5";
        const FORK: &str = "a fork is 1 to 20 phones, as in fork:3";
        const CROWD: &str = "a crowd is 1 to 1000000 pairs, as in crowd:100";
        let (kind, size) = name.split_once(':').map_or((name, None), |(kind, size)| (kind, Some(size)));
        let digits = size.is_none_or(|size| size.bytes().all(|byte| byte.is_ascii_digit()));
        match (kind, size) {
            ("direct", None) => Ok(Self::Direct),
            ("one-proxy", None) => Ok(Self::OneProxy),
            ("trapezoid", None) => Ok(Self::Trapezoid),
            ("nat", None) => Ok(Self::Nat),
            ("mixed", None) => Ok(Self::Mixed),
            ("chain", None) => Ok(Self::Chain(3)),
            ("fork", None) => Ok(Self::Fork(3)),
            ("crowd", None) => Ok(Self::Crowd(10)),
            ("chain", Some(size)) => {
                let size = size.parse().ok().filter(|size| digits && (1..=Self::LONGEST_CHAIN).contains(size));
                size.map(Self::Chain).ok_or(CHAIN)
            }
            ("fork", Some(size)) => {
                let size = size.parse().ok().filter(|size| digits && (1..=Self::WIDEST_FORK).contains(size));
                size.map(Self::Fork).ok_or(FORK)
            }
            ("crowd", Some(size)) => {
                let size = size.parse().ok().filter(|size| digits && (1..=Self::LARGEST_CROWD).contains(size));
                size.map(Self::Crowd).ok_or(CROWD)
            }
            _ => Err(
                "a topology is direct, one-proxy, trapezoid, nat, mixed, or chain:5, fork:3 or crowd:100 with another number",
            ),
        }
    }
}

/// Who asks everybody for credentials before serving them (RFC 3261 §22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Challenges {
    /// Alice's phone: 401.
    pub alice: bool,
    /// Bob's phone: 401.
    pub bob: bool,
    /// The first proxy on Alice's way, which asks the users of her domain alone: 407.
    pub proxy: bool,
}

impl Challenges {
    /// Each, with its name.
    const fn parts(&mut self) -> [(&'static str, &mut bool); 3] {
        let Self { alice, bob, proxy } = self;
        [("alice", alice), ("bob", bob), ("proxy", proxy)]
    }
}

impl fmt::Display for Challenges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut asking = *self;
        let names = asking.parts().into_iter().filter_map(|(name, asks)| asks.then_some(name));
        let names: Vec<_> = names.collect();
        f.write_str(if names.is_empty() { "nobody".to_owned() } else { names.join(",") }.as_str())
    }
}

impl FromStr for Challenges {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Self::default();
        for name in text.split(',').filter(|_| text != "nobody") {
            let part = all.parts().into_iter().find(|(known, asks)| *known == name && !**asks);
            let (_, asks) =
                part.ok_or("alice, bob or proxy asks for credentials, or nobody, or several as in alice,proxy")?;
            *asks = true;
        }
        Ok(all)
    }
}

/// A session timer that both phones ask for (RFC 4028).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimer {
    /// The interval, in seconds.
    pub interval: u32,
    /// The least interval that Bob's phone takes, in seconds.
    pub minimum: u32,
    /// Bob refreshes the session; else Alice does.
    pub bob_refreshes: bool,
    /// The session is refreshed by re-INVITEs, since neither phone says that it takes UPDATE.
    pub by_invite: bool,
}

/// A call from Alice to Bob: who does what, in which network. A value; [`Scenario::world`] makes a world of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The network.
    pub topology: Topology,
    /// Whether the proxies stay on the path of dialogs.
    pub record_route: bool,
    /// The acts of Alice; in a crowd of each of her kind, who calls her own Bob.
    pub alice: Behaviour,
    /// The acts of Bob; in a crowd of each of his kind.
    pub bob: Behaviour,
    /// The acts of Carol, if she is there: a call can be transferred to her.
    pub carol: Option<Behaviour>,
    /// Who asks for credentials.
    pub challenges: Challenges,
    /// Whether both phones use 100rel (RFC 3262), and Bob's says reliably how it goes on.
    pub reliable: bool,
    /// The session timer that both phones ask for (RFC 4028).
    pub session_timer: Option<SessionTimer>,
    /// How long a nonce is good for.
    pub nonce_age: Duration,
    /// The wires.
    pub links: Links,
    /// The faults.
    pub plan: Plan,
    /// The weather, which draws further faults from [`CALL_AT`] on.
    pub seed: Option<u64>,
    /// From here on nothing draws faults any more, and both ends end every call that they have or get.
    pub calm_from: Instant,
    /// How much of what happens the trace keeps.
    pub recording: crate::trace::Recording,
}

/// When Alice calls. Bob is registered by then.
pub const CALL_AT: Instant = Instant::from_millis(1_000);

impl Scenario {
    /// RFC 3261 §24: Bob registers, Alice calls, Bob rings, answers, and hangs up first.
    pub fn rfc3261(topology: Topology) -> Self {
        let at_home = topology != Topology::Direct;
        let bob = if at_home { "Bob <sip:bob@biloxi.com>" } else { "Bob <sip:bob@192.0.2.4>" };
        let call =
            Outgoing { at: CALL_AT, to: parsed(bob), body: Some(sdp(ALICE_SDP)), late_offer: None, cancel_after: None };
        let register = Register { at: Instant::ZERO, registrar: parsed("sip:registrar.biloxi.com"), expires: 7_200 };
        let answer = (Duration::from_secs(2), Reaction::Answer(Some(sdp(BOB_SDP))));
        Self {
            topology,
            record_route: false,
            alice: Behaviour { calls: vec![call], ..Behaviour::default() },
            bob: Behaviour {
                register: at_home.then_some(register),
                incoming: Incoming { ring_after: Some(Duration::from_millis(100)), then: Some(answer) },
                hang_up_after: Some(Duration::from_secs(5)),
                ..Behaviour::default()
            },
            carol: None,
            challenges: Challenges::default(),
            reliable: false,
            session_timer: None,
            nonce_age: Duration::from_secs(300),
            links: Links::default(),
            plan: Plan::new(),
            seed: None,
            calm_from: Instant::from_millis(120_000),
            recording: crate::trace::Recording::Everything,
        }
    }

    /// Carol is there, and Alice gives her call to her so long after it is there; `attended`: she calls Carol before.
    pub fn transfer_after(&mut self, after: Duration, attended: bool) {
        let at_home = self.topology != Topology::Direct;
        let to = parsed(if at_home { "Carol <sip:carol@biloxi.com>" } else { "Carol <sip:carol@192.0.2.5>" });
        let answer = (Duration::from_secs(1), Reaction::Answer(Some(sdp(CAROL_SDP))));
        self.alice.transfer = Some(Transfer { after, to, attended });
        self.carol = Some(Behaviour {
            incoming: Incoming { then: Some(answer), ..self.bob.incoming },
            hang_up_after: None,
            hold_after: None,
            ..self.bob.clone()
        });
    }

    /// Puts the call into weather of that name: the links are as it says, and the seed draws what happens to messages and, into
    /// the plan, what happens to the network. Set `calm_from` before.
    #[must_use]
    pub fn in_weather(mut self, preset: Preset, seed: u64) -> Self {
        self.links = Links::all(preset.link());
        self.seed = (preset != Preset::Calm).then_some(seed);
        let weather = Weather { seed, from: CALL_AT, calm_from: self.calm_from };
        let events: Vec<_> = preset.plan(weather, &self.topology.nodes()).faults().collect();
        self.plan.extend(events);
        self
    }

    /// The world in which this happens, at time zero.
    pub fn world(&self) -> World {
        self.world_with(&mut |_, actor| actor)
    }

    /// As above, with something between some nodes and the world, such as a mistake that checks must find.
    pub fn world_with(&self, wrap: Wrap<'_>) -> World {
        let weather = self.seed.map(|seed| Weather { seed, from: CALL_AT, calm_from: self.calm_from });
        let (links, plan, recording) = (self.links.clone(), self.plan.clone(), self.recording);
        let mut scene = Scene::new(Setting { links, plan, weather, recording, ..Setting::default() });
        self.people(&mut scene);
        scene.world(wrap)
    }

    /// By when nobody has a call and every node is idle: calm, then max(ring limit, timer C) + 64·T1 + the absorbing timers
    /// (64·T1 for J, H, L, M, and T4 for I, K), by the slowest clock that may be there.
    pub fn end(&self) -> Instant {
        let timers = Timers::default();
        let ring_limit = self.alice.ring_limit.max(self.bob.ring_limit);
        let end =
            self.calm_from + ring_limit.max(timers.c) + timers.sixty_four_t1() + timers.sixty_four_t1() + timers.t4;
        end + end.since(Instant::ZERO) / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topology_is_found_by_its_name() {
        for topology in Topology::ALL {
            assert_eq!(topology.to_string().parse(), Ok(topology));
        }
        for (name, same) in [("chain", "chain:3"), ("fork", "fork:3"), ("crowd", "crowd:10"), ("chain:07", "chain:7")] {
            assert_eq!(name.parse::<Topology>().unwrap().to_string(), same);
        }
    }

    #[test]
    fn what_is_no_topology_is_said_in_a_line_with_what_would_be_right() {
        for (name, right) in [
            ("ring", "direct, one-proxy, trapezoid"),
            ("direct:2", "direct, one-proxy, trapezoid"),
            ("", "direct, one-proxy, trapezoid"),
            ("chain:0", "1 to 69"),
            ("chain:70", "1 to 69"),
            ("chain:+5", "1 to 69"),
            ("chain:", "1 to 69"),
            ("fork:0", "1 to 20"),
            ("fork:21", "1 to 20"),
            ("crowd:x", "1 to 1000000"),
            ("crowd:1000001", "1 to 1000000"),
        ] {
            let error = name.parse::<Topology>().unwrap_err();
            assert!(error.contains(right) && !error.contains('\n'), "{name}: {error}");
        }
    }

    #[test]
    fn a_topology_has_the_nodes_that_it_names() {
        for topology in Topology::ALL {
            let world = Scenario::rfc3261(topology).world();
            let names: Vec<_> = world.trace().nodes().map(|(_, name)| name.to_owned()).collect();
            assert_eq!(names, topology.nodes(), "{topology}");
        }
    }
}
