//! Each topology in a few lines.

use std::net::{IpAddr, Ipv4Addr};

use sansip::Duration;
use sansip::dialog::{End, SessionTimerSettings};
use sansip::extension::{Extension, Extensions};

use super::scene::parsed;
use super::{Domain, Phone, Scenario, Scene, SessionTimer, Topology, rfc, secrets};
use crate::actor::Behaviour;
use crate::world::Nat;

/// By so much later than the one before each phone of a fork answers.
const LATER: Duration = Duration::from_millis(100);

impl SessionTimer {
    /// The settings of the phone of Alice (0) or Bob (1).
    fn settings(self, who: usize) -> SessionTimerSettings {
        let asked = SessionTimerSettings { interval: Some(self.interval), ..SessionTimerSettings::default() };
        match who {
            0 => asked,
            _ => {
                let refresher = if self.bob_refreshes { End::Ours } else { End::Theirs };
                SessionTimerSettings { minimum: self.minimum, refresher: Some(refresher), ..asked }
            }
        }
    }
}

impl Scenario {
    /// Puts the nodes into the scene, from Alice to Bob.
    pub(super) fn people(&self, scene: &mut Scene) {
        match self.topology {
            Topology::Direct => {
                scene.phone(self.alice(), &self.of(&self.alice));
                scene.phone(self.bob(), &self.of(&self.bob));
            }
            Topology::OneProxy => {
                scene.phone(self.alice().outbound("biloxi.com"), &self.of(&self.alice));
                scene.domain(self.first(self.biloxi()));
                scene.phone(self.bob(), &self.of(&self.bob));
            }
            Topology::Trapezoid => {
                scene.phone(self.alice().outbound("atlanta.com"), &self.of(&self.alice));
                scene.domain(self.first(self.outbound()));
                scene.domain(self.biloxi());
                scene.phone(self.bob(), &self.of(&self.bob));
            }
            Topology::Nat => {
                scene.nat("nat", Nat::strict([203, 0, 113, 1].into()));
                let phone = Phone::new("alice", "Alice <sip:alice@atlanta.com>", [10, 0, 0, 1]).script(rfc::alice());
                let phone = self.armed(phone, 0);
                scene.phone(phone.outbound("atlanta.com").behind("nat"), &self.of(&self.alice));
                scene.domain(self.first(self.outbound()));
                scene.domain(self.biloxi());
                scene.phone(self.bob(), &self.of(&self.bob));
            }
            Topology::Mixed => {
                scene.phone(self.alice().outbound("atlanta.com"), &self.of(&self.alice));
                scene.domain(self.first(self.atlanta()).tcp().route_over_tcp("*", "biloxi.com"));
                scene.domain(self.biloxi().tcp());
                scene.phone(self.bob(), &self.of(&self.bob));
            }
            Topology::Redirect => {
                scene.phone(self.alice(), &self.of(&self.alice));
                scene.domain(self.first(self.biloxi()).redirects());
                scene.phone(self.bob(), &self.of(&self.bob));
            }
            Topology::Auth => {
                let alice = Phone::new("alice", "Alice <sip:alice@biloxi.com>", [192, 0, 2, 1]);
                scene.phone(self.armed(alice, 0).outbound("biloxi.com"), &self.of(&self.alice));
                scene.domain(self.biloxi().users(secrets::of_domain(secrets::BILOXI), self.nonce_age));
                let bob = Phone::new("bob", "Bob <sip:bob@biloxi.com>", [192, 0, 2, 4]);
                scene.phone(self.armed(bob, 1), &self.of(&self.bob));
            }
            Topology::Strict => self.strict(scene),
            Topology::Dual => {
                let alice = Phone::new("alice", "Alice <sip:alice@atlanta.com>", rfc::ALICE6).host("pc33.atlanta.com");
                let alice = self.armed(alice.script(rfc::alice()), 0);
                scene.phone(alice.outbound("atlanta.com"), &self.of(&self.alice));
                scene.domain(self.first(self.outbound()).also_at(rfc::ATLANTA6).record_route(true));
                scene.domain(self.biloxi());
                scene.phone(self.bob(), &self.of(&self.bob));
            }
            Topology::Farm(servers) => {
                scene.phone(self.alice().outbound("biloxi.com"), &self.of(&self.alice));
                let names = ("server10.biloxi.com", ["biloxi.com", "registrar.biloxi.com"]);
                let [address, store] = [3, 7].map(|last| IpAddr::from([192, 0, 2, last]));
                scene.farm("biloxi", address, (names.0, &names.1), store, servers);
                scene.phone(self.bob(), &self.of(&self.bob));
            }
            Topology::Chain(length) => self.chain(scene, length),
            Topology::Fork(phones) => self.fork(scene, phones),
            Topology::Crowd(pairs) => self.crowd(scene, pairs),
        }
        if let Some(carol) = &self.carol {
            let phone = Phone::new("carol", "Carol <sip:carol@biloxi.com>", [192, 0, 2, 5]);
            scene.phone(self.armed(phone, 2), &self.of(carol));
        }
    }

    fn chain(&self, scene: &mut Scene, length: u8) {
        let host =
            |number| if number < length { format!("proxy{number}.example.net") } else { "biloxi.com".to_owned() };
        scene.phone(self.alice().outbound(&host(1)), &self.of(&self.alice));
        for number in 1..length {
            let proxy = Domain::new(&format!("proxy{number}"), [198, 51, 100, number]).host(&host(number));
            let proxy = proxy.route("*", &host(number + 1)).record_route(self.record_route).recurses(self.recurse);
            scene.domain(if number == 1 { self.first(proxy) } else { proxy });
        }
        scene.domain(if length == 1 { self.first(self.biloxi()) } else { self.biloxi() });
        scene.phone(self.bob(), &self.of(&self.bob));
    }

    /// The strict router knows where all the others are.
    fn strict(&self, scene: &mut Scene) {
        let at = |last| IpAddr::from([192, 0, 2, last]);
        let hosts = [
            ("pc33.atlanta.com", at(1)),
            ("atlanta.com", at(2)),
            ("bigbox3.site3.atlanta.com", at(2)),
            ("biloxi.com", at(3)),
            ("server10.biloxi.com", at(3)),
        ];
        let named: Vec<_> = (1..=6).map(|last| (at(last).to_string(), at(last))).collect();
        let named = named.iter().map(|(host, address)| (host.as_str(), *address));
        scene.phone(self.alice().outbound("atlanta.com"), &self.of(&self.alice));
        scene.domain(self.first(self.atlanta().route("*", &at(6).to_string())));
        scene.strict_router("strict", at(6), &hosts.into_iter().chain(named).collect::<Vec<_>>());
        scene.domain(self.biloxi());
        scene.phone(self.bob(), &self.of(&self.bob));
    }

    /// Each phone takes a while longer to answer than the one before.
    fn fork(&self, scene: &mut Scene, phones: u8) {
        scene.phone(self.alice().outbound("biloxi.com"), &self.of(&self.alice));
        scene.domain(self.first(self.biloxi()));
        for number in 1..=phones {
            let phone = Phone::new(&format!("bob{number}"), "Bob <sip:bob@biloxi.com>", [192, 0, 2, 100 + number]);
            let mut behaviour = self.of(&self.bob);
            if let Some((after, _)) = &mut behaviour.incoming.then {
                *after += LATER * u32::from(number - 1);
            }
            scene.phone(self.armed(phone, 1), &behaviour);
        }
    }

    fn crowd(&self, scene: &mut Scene, pairs: u32) {
        let address = |first: [u8; 4], number: u32| Ipv4Addr::from(u32::from_be_bytes(first) + number);
        for number in 1..=pairs {
            let identity = format!("Alice <sip:alice{number}@atlanta.com>");
            let phone = Phone::new(&format!("alice{number}"), &identity, address([10, 0, 0, 0], number));
            let mut behaviour = self.of(&self.alice);
            for call in &mut behaviour.calls {
                call.to = parsed(&format!("Bob <sip:bob{number}@biloxi.com>"));
            }
            scene.phone(self.armed(phone.outbound("atlanta.com"), 0), &behaviour);
        }
        scene.domain(self.first(self.outbound()));
        scene.domain(self.biloxi());
        for number in 1..=pairs {
            let identity = format!("Bob <sip:bob{number}@biloxi.com>");
            let phone = Phone::new(&format!("bob{number}"), &identity, address([10, 128, 0, 0], number));
            scene.phone(self.armed(phone, 1), &self.of(&self.bob));
        }
    }

    /// The acts of everybody, and the end of it all.
    pub(super) fn of(&self, behaviour: &Behaviour) -> Behaviour {
        Behaviour { end_calls_from: Some(self.calm_from), rings_reliably: self.reliable, ..behaviour.clone() }
    }

    fn bob(&self) -> Phone {
        let phone = Phone::new("bob", "Bob <sip:bob@biloxi.com>", [192, 0, 2, 4]);
        self.armed(phone.script(rfc::bob(self.bob.register.is_some())), 1)
    }

    fn alice(&self) -> Phone {
        let phone = Phone::new("alice", "Alice <sip:alice@atlanta.com>", [192, 0, 2, 1]);
        self.armed(phone.host("pc33.atlanta.com").script(rfc::alice()), 0)
    }

    /// The phone of Alice (0), Bob (1) or Carol (2) with its extensions, the logins that are asked for, and its guard, if it is to have one.
    fn armed(&self, phone: Phone, who: usize) -> Phone {
        let used = [
            self.reliable.then_some(Extension::Reliable),
            self.session_timer.map(|_| Extension::Timer),
            self.carol.as_ref().map(|_| Extension::Replaces),
        ];
        let used: Vec<_> = used.into_iter().flatten().collect();
        let phone = if self.carol.is_some() { phone.refers() } else { phone };
        let phone = phone.extensions(Extensions::of(&used));
        let phone = match self.session_timer {
            Some(timer) => phone.session_timer(timer.settings(who), timer.by_invite),
            None => phone,
        };
        let phone = if self.topology == Topology::Redirect { phone.follows() } else { phone };
        let logins = secrets::logins(who, self.challenges, self.topology == Topology::Auth).into_iter();
        let phone = logins.fold(phone, |phone, (scope, login)| phone.login(scope, login));
        match [(self.challenges.alice, secrets::ALICE), (self.challenges.bob, secrets::BOB), (false, "")][who] {
            (true, realm) => phone.guard(secrets::phone(realm, self.nonce_age, self.topology), secrets::users()),
            (false, _) => phone,
        }
    }

    /// The first proxy on Alice's way, which may ask for credentials.
    fn first(&self, domain: Domain) -> Domain {
        if !self.challenges.proxy {
            return domain;
        }
        domain.challenge("atlanta.com", secrets::proxy(self.nonce_age), secrets::users())
    }

    /// Alice's proxy, which relays to biloxi.com and nowhere else.
    fn outbound(&self) -> Domain {
        self.atlanta().route("biloxi.com", "biloxi.com")
    }

    fn atlanta(&self) -> Domain {
        let domain = Domain::new("atlanta", [192, 0, 2, 2]).host("bigbox3.site3.atlanta.com").names(&["atlanta.com"]);
        domain.record_route(self.record_route).recurses(self.recurse).script(rfc::atlanta())
    }

    fn biloxi(&self) -> Domain {
        let domain = Domain::new("biloxi", [192, 0, 2, 3]).host("server10.biloxi.com");
        let domain = domain.names(&["biloxi.com", "registrar.biloxi.com"]);
        domain.record_route(self.record_route).recurses(self.recurse).script(rfc::biloxi())
    }
}
