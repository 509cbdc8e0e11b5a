//! A world in a few lines: phones and domains with their names, addresses and routes.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use sansip::message::HostBuf;
use sansip::message::header::NameAddrBuf;
use sansip::server::{Route, Server, Settings};
use sansip::user_agent::Profile;
use sansip::{Config, Listener, NextHop, Script, Seed, UserAgent};

use crate::actor::{Actor, Behaviour, ServerActor, UserAgentActor};
use crate::world::{Bound, Setting, World};

/// What stands between a node and the world, if anything: it gets the node's name and the node.
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
    nodes: Vec<(String, Box<dyn Actor>, Bound)>,
}

/// A phone: who has it, and where it is.
#[derive(Clone, Debug)]
pub struct Phone {
    name: String,
    identity: NameAddrBuf,
    address: Ipv4Addr,
    host: Option<String>,
    outbound: Option<NextHop>,
    rport: bool,
    script: Script,
}

/// A domain's server: what it is responsible for, and where it is.
#[derive(Clone, Debug)]
pub struct Domain {
    name: String,
    address: Ipv4Addr,
    host: Option<String>,
    names: Vec<String>,
    routes: Vec<Route>,
    record_route: bool,
    script: Script,
}

impl Phone {
    /// A phone of that name in plans, of who is called so in From, at port 5060 of that address.
    ///
    /// # Panics
    /// If `identity` is no name-addr (RFC 3261 §25.1).
    pub fn new(name: &str, identity: &str, address: impl Into<Ipv4Addr>) -> Self {
        Self {
            name: name.to_owned(),
            identity: parsed(identity),
            address: address.into(),
            host: None,
            outbound: None,
            rport: false,
            script: Script::default(),
        }
    }

    /// A host name of its own, which stands in its Via and Contact and is in the zone.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// Where its requests outside of dialogs go.
    ///
    /// # Panics
    /// If `host` is no host.
    #[must_use]
    pub fn outbound(mut self, host: &str) -> Self {
        self.outbound = Some(hop(host));
        self
    }

    /// Asks for responses to where its requests come from (RFC 3581), as who is behind a NAT must.
    #[must_use]
    pub fn rport(mut self) -> Self {
        self.rport = true;
        self
    }

    /// Uses these tokens first.
    #[must_use]
    pub fn script(mut self, script: Script) -> Self {
        self.script = script;
        self
    }
}

impl Domain {
    /// A server of that name in plans, at port 5060 of that address, responsible for nothing.
    pub fn new(name: &str, address: impl Into<Ipv4Addr>) -> Self {
        Self {
            name: name.to_owned(),
            address: address.into(),
            host: None,
            names: Vec::new(),
            routes: Vec::new(),
            record_route: false,
            script: Script::default(),
        }
    }

    /// A host name of its own, which stands in its Via and Record-Route and is in the zone.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    /// The host parts that it is responsible for; they are in the zone.
    #[must_use]
    pub fn names(mut self, names: &[&str]) -> Self {
        self.names.extend(names.iter().map(|&name| name.to_owned()));
        self
    }

    /// Sends requests that fit the key (`*`, `host`, `user@host`) to that host, if it is not responsible for them.
    ///
    /// # Panics
    /// If `key` is no key of a route table, or `host` no host.
    #[must_use]
    pub fn route(mut self, key: &str, host: &str) -> Self {
        self.routes.push(Route { key: parsed(key), next_hop: hop(host) });
        self
    }

    /// Whether it stays on the path of dialogs.
    #[must_use]
    pub fn record_route(mut self, record_route: bool) -> Self {
        self.record_route = record_route;
        self
    }

    /// Uses these tokens first.
    #[must_use]
    pub fn script(mut self, script: Script) -> Self {
        self.script = script;
        self
    }
}

impl Scene {
    /// Nobody there yet.
    pub const fn new(setting: Setting) -> Self {
        Self { setting, nodes: Vec::new() }
    }

    /// Adds a phone and what its user does.
    pub fn phone(&mut self, phone: Phone, behaviour: &Behaviour) {
        let Phone { name, identity, address, host, outbound, rport, script } = phone;
        let profile = Profile { outbound, capabilities: false, ..Profile::new(identity) };
        let listener = self.listener(address, host.as_deref(), &[]);
        let bound = listener.clone();
        let birth = Birth { name: name.clone(), script, rport };
        let build = move |life| {
            let mut agent = UserAgent::user_agent(birth.config(life), profile.clone());
            (agent.listen(listener.clone()), agent)
        };
        let (listener, _) = build(0);
        let actor = UserAgentActor::restartable(move |life| build(life).1, behaviour.clone());
        self.nodes.push((name, Box::new(actor), Bound::from((listener, &bound))));
    }

    /// Adds a domain's server.
    pub fn domain(&mut self, domain: Domain) {
        let Domain { name, address, host, names, routes, record_route, script } = domain;
        let domains = names.iter().map(|domain| parsed(domain)).collect();
        let settings = Settings { domains, routes, record_route, ..Settings::default() };
        let listener = self.listener(address, host.as_deref(), &names);
        let bound = listener.clone();
        let birth = Birth { name: name.clone(), script, rport: false };
        let build = move |life| {
            let mut server = Server::server(birth.config(life), settings.clone());
            (server.listen(listener.clone()), server)
        };
        let (listener, _) = build(0);
        let actor = ServerActor::server(move |life| build(life).1);
        self.nodes.push((name, Box::new(actor), Bound::from((listener, &bound))));
    }

    /// The world, at time zero; `wrap` may put something between a node and the world, such as a mistake that checks must find.
    pub fn world(self, wrap: Wrap<'_>) -> World {
        let mut world = World::new(self.setting);
        for (name, actor, bound) in self.nodes {
            let actor = wrap(&name, actor);
            world.add(&name, actor, [bound]);
        }
        world
    }

    /// A listener at port 5060, with its names in the zone.
    fn listener(&mut self, address: Ipv4Addr, host: Option<&str>, names: &[String]) -> Listener {
        let zone = std::mem::take(&mut self.setting.zone);
        let all = host.into_iter().chain(names.iter().map(String::as_str));
        self.setting.zone = all.fold(zone, |zone, name| zone.with(name, address.into()));
        let listener = Listener::udp(SocketAddr::from((address, 5060)));
        match host {
            Some(host) => listener.with_sent_by(parsed(host)),
            None => listener,
        }
    }
}

/// How a node is configured in each of its lives: no `rport` as in RFC 3261's examples, unless it is asked for.
#[derive(Clone, Debug)]
struct Birth {
    name: String,
    script: Script,
    rport: bool,
}

impl Birth {
    /// The seed is the name and the number of the life; the script is for the first life only.
    fn config(&self, life: u32) -> Config {
        let mut seed = [0; 32];
        for (place, byte) in seed.iter_mut().take(28).zip(self.name.bytes()) {
            *place = byte;
        }
        seed[28..].copy_from_slice(&life.to_le_bytes());
        let script = if life == 0 { self.script.clone() } else { Script::default() };
        Config { script, rport: self.rport, ..Config::new(Seed::new(seed)) }
    }
}

fn hop(host: &str) -> NextHop {
    NextHop::from(parsed::<HostBuf>(host))
}

/// For texts of code, which are right.
pub(super) fn parsed<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("`{text}` cannot be read"))
}
