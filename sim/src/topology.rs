//! Networks by name, with the people of RFC 3261 §24 in them.
//!
//! | node | address | names |
//! |---|---|---|
//! | `alice` | 192.0.2.1 | pc33.atlanta.com |
//! | `atlanta` | 192.0.2.2 | atlanta.com, bigbox3.site3.atlanta.com |
//! | `biloxi` | 192.0.2.3 | biloxi.com, registrar.biloxi.com, server10.biloxi.com |
//! | `bob` | 192.0.2.4 | |
//! | `carol`, if a call is transferred to her | 192.0.2.5 | |
//! | `strict`, if there is a strict router | 192.0.2.6 | |
//! | `biloxi` of a farm, and behind it `s1`, `s2`, … | 192.0.2.3, and its ports 5071, … | biloxi.com, registrar.biloxi.com, server10.biloxi.com |
//! | `store` of a farm | 192.0.2.7 | |
//! | `alice` and `atlanta` of a dual-stack network | 2001:db8::1, 2001:db8::2 besides 192.0.2.2 | as above |
//! | `nat`, with Alice behind it at 10.0.0.1 | 203.0.113.1 | |
//! | `proxy1`, `proxy2`, … of a chain | 198.51.100.1, … | proxy1.example.net, … |
//! | `bob1`, `bob2`, … of a fork | 192.0.2.101, … | |
//! | `alice1`, `bob1`, … of a crowd | 10.0.0.1, … and 10.128.0.1, … | |

use std::fmt;
use std::str::FromStr;

use sansip::{Duration, Instant, Timers};

use crate::actor::{Behaviour, Incoming, Outgoing, Reaction, Register, Transfer};
use crate::fault::{Event, Plan, Preset, Weather};
use crate::link::Links;
use crate::world::{Setting, World};
pub use network::Topology;
pub use people::{Domain, Phone};
use rfc::{ALICE_SDP, ALICE6_SDP, BOB_SDP, CAROL_SDP, sdp};
use scene::parsed;
pub use scene::{Scene, Wrap};
pub use secrets::PASSWORDS;

mod build;
mod farm;
mod network;
mod people;
mod rfc;
mod scene;
mod secrets;

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
    /// Whether the proxies try the contacts of a redirection that their settings lead to (RFC 3261 §16.7 step 4).
    pub recurse: bool,
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
    /// The timers of all nodes (RFC 3261, table 4).
    pub timers: Timers,
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
        let offer = if topology == Topology::Dual { ALICE6_SDP } else { ALICE_SDP };
        let call =
            Outgoing { at: CALL_AT, to: parsed(bob), body: Some(sdp(offer)), late_offer: None, cancel_after: None };
        let register = Register { at: Instant::ZERO, registrar: parsed("sip:registrar.biloxi.com"), expires: 7_200 };
        let answer = (Duration::from_secs(2), Reaction::Answer(Some(sdp(BOB_SDP))));
        Self {
            topology,
            record_route: false,
            recurse: false,
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
            timers: Timers::default(),
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
        let mut setting = self.setting();
        if let Topology::Farm(servers) = self.topology {
            setting.links = farm::links(setting.links, servers);
        }
        let mut scene = Scene::new(setting);
        let floods: Vec<_> = self.plan.timed().filter(|fault| matches!(fault.event, Event::Flood { .. })).collect();
        scene.expect_floods(!floods.is_empty());
        scene.expect_timers(self.timers);
        self.people(&mut scene);
        scene.stranger(floods);
        scene.world(wrap)
    }

    /// The settings of a world in which this happens: links, plan, weather, and how much the trace keeps.
    pub fn setting(&self) -> Setting {
        let weather = self.seed.map(|seed| Weather { seed, from: CALL_AT, calm_from: self.calm_from });
        let (links, plan, recording) = (self.links.clone(), self.plan.clone(), self.recording);
        Setting { links, plan, weather, recording, ..Setting::default() }
    }

    /// The same with the acts of both ends as a scene has them: every call is ended when it is calm.
    pub(crate) fn acted(&self) -> Self {
        Self { alice: self.of(&self.alice), bob: self.of(&self.bob), ..self.clone() }
    }

    /// By when nobody has a call and every node is idle: calm, then max(ring limit, timer C) + 64·T1 + the absorbing timers
    /// (64·T1 for J, H, L, M, and T4 for I, K), by the slowest clock that may be there.
    pub fn end(&self) -> Instant {
        let timers = self.timers;
        let ring_limit = self.alice.ring_limit.max(self.bob.ring_limit);
        let end =
            self.calm_from + ring_limit.max(timers.c) + timers.sixty_four_t1() + timers.sixty_four_t1() + timers.t4;
        end + end.since(Instant::ZERO) / 1_000
    }
}
