//! Networks by name, with the people of RFC 3261 §24 in them.
//!
//! | node | address | names |
//! |---|---|---|
//! | `alice` | 192.0.2.1 | pc33.atlanta.com |
//! | `atlanta` | 192.0.2.2 | atlanta.com, bigbox3.site3.atlanta.com |
//! | `biloxi` | 192.0.2.3 | biloxi.com, registrar.biloxi.com, server10.biloxi.com |
//! | `bob` | 192.0.2.4 | |

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use sansip::server::{Server, Settings};
use sansip::user_agent::{Body, Profile};
use sansip::{Config, Duration, Instant, Listener, NextHop, Script, Seed, Timers, UserAgent};

use crate::actor::{Actor, Behaviour, Incoming, Outgoing, Reaction, Register, ServerActor, UserAgentActor};
use crate::fault::{Plan, Weather};
use crate::link::Links;
use crate::world::{Setting, World};
use crate::zone::Zone;

/// A network that can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// Alice calls Bob at his address.
    Direct,
    /// Alice's calls go to Bob's domain.
    OneProxy,
    /// Alice's calls go to her domain's proxy, from there to Bob's domain: RFC 3261 §24.2.
    Trapezoid,
}

impl Topology {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Direct, Self::OneProxy, Self::Trapezoid];

    /// The name by which it is asked for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::OneProxy => "one-proxy",
            Self::Trapezoid => "trapezoid",
        }
    }

    /// The names of its nodes, from Alice to Bob.
    pub const fn nodes(self) -> &'static [&'static str] {
        match self {
            Self::Direct => &["alice", "bob"],
            Self::OneProxy => &["alice", "biloxi", "bob"],
            Self::Trapezoid => &["alice", "atlanta", "biloxi", "bob"],
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Topology {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|topology| topology.name() == name);
        found.ok_or("a topology is direct, one-proxy or trapezoid")
    }
}

/// A call from Alice to Bob: who does what, in which network. A value; [`Scenario::world`] makes a world of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The network.
    pub topology: Topology,
    /// Whether the proxies stay on the path of dialogs.
    pub record_route: bool,
    /// What Alice does.
    pub alice: Behaviour,
    /// What Bob does.
    pub bob: Behaviour,
    /// The wires.
    pub links: Links,
    /// The faults.
    pub plan: Plan,
    /// What draws further faults, from [`CALL_AT`] on.
    pub seed: Option<u64>,
    /// From here on nothing draws faults any more, and both ends end every call that they have or get.
    pub calm_from: Instant,
}

/// What stands between a node and the world, if anything: it gets the node's name and the node.
pub type Wrap<'a> = &'a mut dyn FnMut(&str, Box<dyn Actor>) -> Box<dyn Actor>;

/// When Alice calls. Bob is registered by then.
pub const CALL_AT: Instant = Instant::from_millis(1_000);

impl Scenario {
    /// RFC 3261 §24: Bob registers, Alice calls, Bob rings, answers, and hangs up first.
    pub fn rfc3261(topology: Topology) -> Self {
        let bob = match topology {
            Topology::Direct => "Bob <sip:bob@192.0.2.4>",
            Topology::OneProxy | Topology::Trapezoid => "Bob <sip:bob@biloxi.com>",
        };
        let call = Outgoing { at: CALL_AT, to: parsed(bob), body: Some(sdp(ALICE_SDP)), cancel_after: None };
        let register = Register { at: Instant::ZERO, registrar: parsed("sip:registrar.biloxi.com"), expires: 7_200 };
        let answer = (Duration::from_secs(2), Reaction::Answer(Some(sdp(BOB_SDP))));
        Self {
            topology,
            record_route: false,
            alice: Behaviour { calls: vec![call], ..Behaviour::default() },
            bob: Behaviour {
                register: (topology != Topology::Direct).then_some(register),
                incoming: Incoming { ring_after: Some(Duration::from_millis(100)), then: Some(answer) },
                hang_up_after: Some(Duration::from_secs(5)),
                ..Behaviour::default()
            },
            links: Links::default(),
            plan: Plan::new(),
            seed: None,
            calm_from: Instant::from_millis(120_000),
        }
    }

    /// The world in which this happens, at time zero.
    pub fn world(&self) -> World {
        self.world_with(&mut |_, actor| actor)
    }

    /// The same with something between some nodes and the world, such as a mistake that checks must find.
    pub fn world_with(&self, wrap: Wrap<'_>) -> World {
        let weather = self.seed.map(|seed| Weather { seed, from: CALL_AT, calm_from: self.calm_from });
        let (links, plan) = (self.links.clone(), self.plan.clone());
        let mut world = World::new(Setting { links, zone: zone(), plan, weather });
        let mut stage = Stage { scenario: self, world: &mut world, wrap };
        match self.topology {
            Topology::Direct => {
                stage.alice(None);
                stage.bob();
            }
            Topology::OneProxy => {
                stage.alice(Some("biloxi.com"));
                stage.biloxi();
                stage.bob();
            }
            Topology::Trapezoid => {
                stage.alice(Some("atlanta.com"));
                stage.atlanta();
                stage.biloxi();
                stage.bob();
            }
        }
        world
    }

    /// By when nobody has a call and every node is idle: calm, then max(ring limit, timer C) + 64·T1 + the absorbing timers
    /// (64·T1 for J, H, L, M, and T4 for I, K).
    pub fn end(&self) -> Instant {
        let timers = Timers::default();
        let ring_limit = self.alice.ring_limit.max(self.bob.ring_limit);
        self.calm_from + ring_limit.max(timers.c) + timers.sixty_four_t1() + timers.sixty_four_t1() + timers.t4
    }
}

/// A world that is being peopled.
struct Stage<'a> {
    scenario: &'a Scenario,
    world: &'a mut World,
    wrap: Wrap<'a>,
}

impl Stage<'_> {
    fn alice(&mut self, outbound: Option<&str>) {
        let mut profile = Profile::new(parsed("Alice <sip:alice@atlanta.com>"));
        profile.outbound = outbound.map(|host| NextHop::from(parsed::<sansip::message::HostBuf>(host)));
        let script = script(["nashds8", "nashds9"], ["1928301774"], ["a84b4c76e66710"], [314_159]);
        let listener = Listener::udp(address(1)).with_sent_by(parsed("pc33.atlanta.com"));
        self.phone("alice", script, profile, listener, &self.scenario.alice);
    }

    fn bob(&mut self) {
        let behaviour = &self.scenario.bob;
        let profile = Profile::new(parsed("Bob <sip:bob@biloxi.com>"));
        let call_ids = ["843817637684230@998sdasdh09"];
        let mut script = script(["nashds7", "nashds10"], ["456248", "a6c85cf"], call_ids, [1_826, 231]);
        // The first of each is for a registration.
        let skipped = usize::from(behaviour.register.is_none());
        script.branches.drain(..skipped);
        script.tags.drain(..skipped);
        script.call_ids.drain(..skipped);
        script.sequence_numbers.drain(..skipped);
        self.phone("bob", script, profile, Listener::udp(address(4)), behaviour);
    }

    fn atlanta(&mut self) {
        let script = script(["77ef4c2312983.1"], [], [], []);
        let listener = Listener::udp(address(2)).with_sent_by(parsed("bigbox3.site3.atlanta.com"));
        self.server("atlanta", script, &["atlanta.com"], listener);
    }

    fn biloxi(&mut self) {
        let script = script(["4b43c2ff8.1"], ["2493k59kd"], [], []);
        let listener = Listener::udp(address(3)).with_sent_by(parsed("server10.biloxi.com"));
        self.server("biloxi", script, &["biloxi.com", "registrar.biloxi.com"], listener);
    }

    fn phone(&mut self, name: &str, script: Script, profile: Profile, listener: Listener, behaviour: &Behaviour) {
        let mut agent = UserAgent::user_agent(config(name, script), Profile { capabilities: false, ..profile });
        let local = listener.local;
        let listener = agent.listen(listener);
        let behaviour = Behaviour { end_calls_from: Some(self.scenario.calm_from), ..behaviour.clone() };
        let actor = (self.wrap)(name, Box::new(UserAgentActor::new(agent, behaviour)));
        self.world.add(name, actor, [(listener, local)]);
    }

    fn server(&mut self, name: &str, script: Script, domains: &[&str], listener: Listener) {
        let domains = domains.iter().map(|domain| parsed(domain)).collect();
        let settings = Settings { domains, record_route: self.scenario.record_route, ..Settings::default() };
        let mut server = Server::server(config(name, script), settings);
        let local = listener.local;
        let listener = server.listen(listener);
        let actor = (self.wrap)(name, Box::new(ServerActor::new(server)));
        self.world.add(name, actor, [(listener, local)]);
    }
}

/// As RFC 3261's examples: no `rport`, and the example's own branches and tags first.
fn config(name: &str, script: Script) -> Config {
    let mut seed = [0; 32];
    for (place, byte) in seed.iter_mut().zip(name.bytes()) {
        *place = byte;
    }
    Config { script, rport: false, ..Config::new(Seed::new(seed)) }
}

fn script<const B: usize, const T: usize, const C: usize, const S: usize>(
    branches: [&str; B],
    tags: [&str; T],
    call_ids: [&str; C],
    sequence_numbers: [u32; S],
) -> Script {
    Script {
        branches: branches.map(String::from).into(),
        tags: tags.map(String::from).into(),
        call_ids: call_ids.map(String::from).into(),
        sequence_numbers: sequence_numbers.into(),
    }
}

fn zone() -> Zone {
    Zone::new()
        .with("pc33.atlanta.com", address(1).ip())
        .with("atlanta.com", address(2).ip())
        .with("bigbox3.site3.atlanta.com", address(2).ip())
        .with("biloxi.com", address(3).ip())
        .with("registrar.biloxi.com", address(3).ip())
        .with("server10.biloxi.com", address(3).ip())
}

/// 192.0.2.n, port 5060.
fn address(n: u8) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n], 5060))
}

/// For the texts of this file, which are right.
fn parsed<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("`{text}` cannot be read"))
}

fn sdp(text: &str) -> Body {
    Body { content_type: "application/sdp".into(), bytes: text.as_bytes().into() }
}

/// Alice's offer, of 142 octets as in RFC 3261 §24.2.
const ALICE_SDP: &str = "v=0\r\no=alice 2890844526 2890844526 IN IP4 pc33.atlanta.com\r\ns=Call\r\n\
     c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// Bob's answer, of 131 octets as in RFC 3261 §24.2.
const BOB_SDP: &str = "v=0\r\no=bob 2808844564 2808844564 IN IP4 192.0.2.4\r\ns=Bob\r\n\
     c=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 3456 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bodies_have_the_lengths_of_the_rfc() {
        assert_eq!((ALICE_SDP.len(), BOB_SDP.len()), (142, 131));
    }

    #[test]
    fn every_topology_is_found_by_its_name() {
        for topology in Topology::ALL {
            assert_eq!(topology.to_string().parse(), Ok(topology));
        }
        assert!("ring".parse::<Topology>().is_err());
    }
}
