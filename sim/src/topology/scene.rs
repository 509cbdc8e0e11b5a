//! A world in a few lines: phones and domains with their names, addresses and routes.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use sansip::extension::Extensions;
use sansip::proxy;
use sansip::server::{Server, Settings};
use sansip::user_agent::{Policy, Profile};
use sansip::{Config, Instant, Listener, ListenerId, Script, Seed, Stack, Timers, TransactionUser, UserAgent};

use super::people::{Domain, Phone};
use crate::actor::{
    Actor, Behaviour, Challenger, Flood, NodeActor, STRANGER, ServerActor, Stranger, StrictRouter, UserAgentActor,
};
use crate::fault::TimedFault;
use crate::world::{Bound, Nat, Setting, World, listeners_of};

/// Puts something between a node and the world, or nothing: it gets the node's name and the node.
pub type Wrap<'a> = &'a mut dyn FnMut(&str, Box<dyn Actor>) -> Box<dyn Actor>;

/// A world that is being peopled.
///
/// ```
/// use sansip_sim::{Setting, World, actor::Behaviour, topology::{Domain, Phone, Scene, Scenario, Topology}};
///
/// // Carol's calls go to a proxy that hands everything to Bob's domain.
/// let Scenario { alice, bob, .. } = Scenario::rfc3261(Topology::Trapezoid);
/// let mut scene = Scene::new(Setting::default());
/// scene.phone(Phone::new("carol", "Carol <sip:carol@chicago.com>", [192, 0, 2, 1]).outbound("chicago.com"), &alice);
/// scene.domain(Domain::new("chicago", [192, 0, 2, 2]).names(&["chicago.com"]).route("*", "biloxi.com"));
/// scene.domain(Domain::new("biloxi", [192, 0, 2, 3]).names(&["biloxi.com", "registrar.biloxi.com"]));
/// scene.phone(Phone::new("bob", "Bob <sip:bob@biloxi.com>", [192, 0, 2, 4]), &bob);
/// let mut world: World = scene.world(&mut |_, actor| actor);
/// assert!(world.run_until_quiet(sansip::Instant::from_millis(60_000)));
/// assert!(sansip_sim::render::ladder(world.trace()).contains("180 Ringing"));
/// ```
#[derive(Debug)]
pub struct Scene {
    setting: Setting,
    nats: Vec<(String, Nat)>,
    pub(super) nodes: Vec<Node>,
    /// Whether the servers have little room.
    pub(super) is_narrow: bool,
    pub(super) timers: Timers,
}

/// A node that waits for its world.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) actor: Box<dyn Actor>,
    pub(super) bounds: Vec<Bound>,
    pub(super) behind: Option<String>,
}

impl Scene {
    /// Nobody there yet.
    pub fn new(setting: Setting) -> Self {
        Self { setting, nats: Vec::new(), nodes: Vec::new(), is_narrow: false, timers: Timers::default() }
    }

    /// If floods are to come, the servers that are added from now on have room for 200 transactions, and for as many
    /// addresses-of-record.
    pub const fn expect_floods(&mut self, floods: bool) {
        self.is_narrow = floods;
    }

    /// Nodes that are added from now on have these timers (RFC 3261, table 4).
    pub const fn expect_timers(&mut self, timers: Timers) {
        self.timers = timers;
    }

    /// Adds the stranger who makes these floods, if there are any.
    pub fn stranger<'a>(&mut self, floods: impl IntoIterator<Item = &'a TimedFault>) {
        let addresses: Vec<_> =
            self.nodes.iter().flat_map(|node| node.bounds.first().map(|bound| (&node.name, bound.address))).collect();
        let floods: Vec<_> = floods
            .into_iter()
            .filter_map(|fault| {
                Flood::of(fault, |name| addresses.iter().find(|(known, _)| *known == name).map(|(_, address)| *address))
            })
            .collect();
        if !floods.is_empty() {
            let bounds = vec![Stranger::BOUND.into()];
            let actor = Box::new(Stranger::new(floods));
            self.nodes.push(Node { name: STRANGER.to_owned(), actor, bounds, behind: None });
        }
    }

    /// Adds a NAT, for phones to be behind.
    pub fn nat(&mut self, name: &str, nat: Nat) {
        self.nats.push((name.to_owned(), nat));
    }

    /// Adds a phone and what its user does.
    ///
    /// # Panics
    /// If a login or a guard cannot be said in messages.
    pub fn phone(&mut self, phone: Phone, behaviour: &Behaviour) {
        let Phone { name, identity, address, host, outbound, behind, script, logins, guard, .. } = phone;
        let (extensions, session_timer, methods) = (phone.extensions, phone.session_timer, phone.methods);
        let capabilities = extensions != Extensions::NONE && !phone.says_nothing;
        let policy = Policy { redirects: phone.redirects, ..Policy::NONE };
        let profile =
            Profile { outbound, capabilities, extensions, session_timer, methods, policy, ..Profile::new(identity) };
        let listeners = self.listeners(&[address], host.as_deref(), &[], false);
        let locals = listeners.clone();
        let birth =
            Birth { name: name.clone(), script, rport: behind.is_some(), is_narrow: false, timers: self.timers };
        let build = move |life| {
            let mut agent = UserAgent::user_agent(birth.config(life), profile.clone());
            let ids: Vec<_> = listeners.iter().map(|listener| agent.listen(listener.clone())).collect();
            for (scope, login) in &logins {
                agent.login(scope.clone(), login.clone()).unwrap_or_else(|error| panic!("the login: {error}"));
            }
            if guard.is_some() {
                agent.guard(Instant::ZERO, guard.clone()).unwrap_or_else(|error| panic!("the guard: {error}"));
            }
            (ids, agent)
        };
        let bounds = bounds(build(0).0, &locals);
        let actor = Box::new(UserAgentActor::restartable(move |life| build(life).1, behaviour.clone()));
        self.nodes.push(Node { name, actor, bounds, behind });
    }

    /// Adds a domain's server.
    ///
    /// # Panics
    /// If a challenge cannot be said in messages.
    pub fn domain(&mut self, domain: Domain) {
        let Domain { name, addresses, host, names, routes, record_route, tcp, script, challenge, .. } = domain;
        let (redirect, recursion, users, digest) = (domain.redirect, domain.recursion, domain.users, domain.digest);
        let domains = names.iter().map(|domain| parsed(domain)).collect();
        let proxy = proxy::Settings { record_route, recursion, ..proxy::Settings::default() };
        let mut settings = Settings { domains, routes, proxy, redirect, users, digest, ..Settings::default() };
        if self.is_narrow {
            settings.registrar.limits.addresses_of_record = ROOM;
        }
        let listeners = self.listeners(&addresses, host.as_deref(), &names, tcp);
        let locals = listeners.clone();
        let birth = Birth { name: name.clone(), script, rport: false, is_narrow: self.is_narrow, timers: self.timers };
        let (ids, actor): (_, Box<dyn Actor>) = match challenge {
            None => {
                let build = move |life| listening(Server::server(birth.config(life), settings.clone()), &listeners);
                (build(0).0, Box::new(ServerActor::server(move |life| build(life).1)))
            }
            Some((domain, gate, users)) => {
                let build = move |life| {
                    let (settings, gate, users) = (settings.clone(), gate.clone(), users.clone());
                    listening(Challenger::node(birth.config(life), settings, &domain, gate, users), &listeners)
                };
                (build(0).0, Box::new(NodeActor::challenger(move |life| build(life).1)))
            }
        };
        let bounds = bounds(ids, &locals);
        self.nodes.push(Node { name, actor, bounds, behind: None });
    }

    /// Adds a node of your own, which tells its listeners, under a name of your own. These names lead to its first address.
    ///
    /// # Panics
    /// If the node tells no listener.
    pub fn node(&mut self, name: &str, actor: impl Actor + 'static, hosts: &[&str]) {
        let bounds = listeners_of(name, &actor);
        for (host, first) in hosts.iter().zip(std::iter::repeat(bounds[0])) {
            self.setting.zone = std::mem::take(&mut self.setting.zone).with(host, first.address.ip());
        }
        self.nodes.push(Node { name: name.to_owned(), actor: Box::new(actor), bounds, behind: None });
    }

    /// Adds a router of RFC 2543 that stays on the path of dialogs, with the address of every host part that it sends to.
    pub fn strict_router(&mut self, name: &str, address: IpAddr, hosts: &[(&str, IpAddr)]) {
        let at = |address: IpAddr| SocketAddr::from((address, 5060));
        let hosts = hosts.iter().map(|(host, address)| ((*host).to_owned(), at(*address))).collect();
        let actor = Box::new(StrictRouter::new(at(address), hosts, true));
        let bounds = vec![Bound::from((StrictRouter::HERE, at(address)))];
        self.nodes.push(Node { name: name.to_owned(), actor, bounds, behind: None });
    }

    /// The world, at time zero; `wrap` may put something between a node and the world, such as a mistake that checks must find.
    ///
    /// # Panics
    /// If a phone is behind a NAT that is not there, or if two have one name or address.
    pub fn world(self, wrap: Wrap<'_>) -> World {
        let mut world = World::new(self.setting);
        for (name, nat) in self.nats {
            world.add_nat(&name, nat);
        }
        for Node { name, actor, bounds, behind } in self.nodes {
            let actor = wrap(&name, actor);
            let node = world.add(&name, actor, bounds);
            if let Some(nat) = behind {
                world.put_behind(node, &nat);
            }
        }
        world
    }

    /// Listeners at port 5060 of each address, with their names in the zone.
    pub(super) fn listeners(
        &mut self,
        addresses: &[IpAddr],
        host: Option<&str>,
        names: &[String],
        tcp: bool,
    ) -> Vec<Listener> {
        for name in host.into_iter().chain(names.iter().map(String::as_str)) {
            let zone = std::mem::take(&mut self.setting.zone);
            self.setting.zone = addresses.iter().fold(zone, |zone, address| zone.with(name, *address));
        }
        let locals = addresses.iter().map(|address| SocketAddr::from((*address, 5060)));
        let listeners = locals.flat_map(|local| {
            let tcp = tcp.then(|| Listener::tcp(local));
            [Listener::udp(local)].into_iter().chain(tcp)
        });
        let named = listeners.map(|listener| match host {
            Some(host) => listener.with_sent_by(parsed(host)),
            None => listener,
        });
        named.collect()
    }
}

/// A node that listens there, and its listeners.
pub(super) fn listening<U: TransactionUser>(mut node: Stack<U>, listeners: &[Listener]) -> (Vec<ListenerId>, Stack<U>) {
    (listeners.iter().map(|listener| node.listen(listener.clone())).collect(), node)
}

pub(super) fn bounds(ids: Vec<ListenerId>, listeners: &[Listener]) -> Vec<Bound> {
    ids.into_iter().zip(listeners).map(Bound::from).collect()
}

/// How a node is configured in each of its lives: no `rport` as in RFC 3261's examples, unless it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Birth {
    pub(super) name: String,
    pub(super) script: Script,
    pub(super) rport: bool,
    pub(super) is_narrow: bool,
    pub(super) timers: Timers,
}

/// The room of a server that expects floods: for so many transactions, and for so many addresses-of-record.
pub(super) const ROOM: usize = 200;

impl Birth {
    /// The seed is the name and the number of the life; the script is for the first life only.
    pub(super) fn config(&self, life: u32) -> Config {
        let mut seed = [0; 32];
        for (place, byte) in seed.iter_mut().take(28).zip(self.name.bytes()) {
            *place = byte;
        }
        seed[28..].copy_from_slice(&life.to_le_bytes());
        let script = if life == 0 { self.script.clone() } else { Script::default() };
        let mut config = Config { script, rport: self.rport, timers: self.timers, ..Config::new(Seed::new(seed)) };
        if self.is_narrow {
            config.limits.transaction.server_transactions = ROOM;
        }
        config
    }
}

/// For texts of code, which are right.
pub(super) fn parsed<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("`{text}` cannot be read"))
}
