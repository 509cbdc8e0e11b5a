//! A world in a few lines: phones and domains with their names, addresses and routes.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use sansip::auth::{self, Login, Scope, Users};
use sansip::dialog::SessionTimerSettings;
use sansip::extension::Extensions;
use sansip::message::HostBuf;
use sansip::message::header::{NameAddrBuf, Protocol};
use sansip::proxy;
use sansip::server::{Route, Server, Settings};
use sansip::user_agent::Profile;
use sansip::{Config, Instant, Listener, ListenerId, NextHop, Script, Seed, Stack, TransactionUser, UserAgent};

use crate::actor::{Actor, Behaviour, Challenger, ServerActor, StackActor, UserAgentActor};
use crate::world::{Bound, Nat, Setting, World};

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
    nodes: Vec<Node>,
}

/// A node that waits for its world.
#[derive(Debug)]
struct Node {
    name: String,
    actor: Box<dyn Actor>,
    bounds: Vec<Bound>,
    behind: Option<String>,
}

/// A phone: who has it, and where it is.
#[derive(Clone, Debug)]
pub struct Phone {
    name: String,
    identity: NameAddrBuf,
    address: Ipv4Addr,
    host: Option<String>,
    outbound: Option<NextHop>,
    behind: Option<String>,
    script: Script,
    logins: Vec<(Scope, Login)>,
    guard: Option<(auth::Settings, Users)>,
    extensions: Extensions,
    session_timer: SessionTimerSettings,
    says_nothing: bool,
    methods: Vec<Box<str>>,
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
    tcp: bool,
    script: Script,
    challenge: Option<(String, auth::Settings, Users)>,
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
            behind: None,
            script: Script::default(),
            logins: Vec::new(),
            guard: None,
            extensions: Extensions::NONE,
            session_timer: SessionTimerSettings::default(),
            says_nothing: false,
            methods: Vec::new(),
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

    /// Is behind that NAT of the scene, and so asks for responses to where its requests come from (RFC 3581).
    #[must_use]
    pub fn behind(mut self, nat: &str) -> Self {
        self.behind = Some(nat.to_owned());
        self
    }

    /// Uses these tokens first.
    #[must_use]
    pub fn script(mut self, script: Script) -> Self {
        self.script = script;
        self
    }

    /// Has this login for challenges of that scope.
    #[must_use]
    pub fn login(mut self, scope: Scope, login: Login) -> Self {
        self.logins.push((scope, login));
        self
    }

    /// Asks everybody for credentials, and serves these users.
    #[must_use]
    pub fn guard(mut self, settings: auth::Settings, users: Users) -> Self {
        self.guard = Some((settings, users));
        self
    }

    /// Uses these extensions of SIP.
    #[must_use]
    pub const fn extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// Takes REFER and NOTIFY (RFC 3515).
    #[must_use]
    pub fn refers(mut self) -> Self {
        self.methods = ["REFER", "NOTIFY"].map(Into::into).into();
        self
    }

    /// Has these wishes for session timers, if its extensions have [`timer`](sansip::extension::Extension::Timer). `by_invite`: it says nothing
    /// of the methods that it takes, so that the other end refreshes the session by re-INVITEs.
    #[must_use]
    pub const fn session_timer(mut self, settings: SessionTimerSettings, by_invite: bool) -> Self {
        (self.session_timer, self.says_nothing) = (settings, by_invite);
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
            tcp: false,
            script: Script::default(),
            challenge: None,
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

    /// As above, over TCP, to a server that listens there.
    ///
    /// # Panics
    /// If `key` is no key of a route table, or `host` no host.
    #[must_use]
    pub fn route_over_tcp(mut self, key: &str, host: &str) -> Self {
        let next_hop = NextHop { protocol: Some(Protocol::Tcp), ..hop(host) };
        self.routes.push(Route { key: parsed(key), next_hop });
        self
    }

    /// Listens for TCP as well.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
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

    /// Asks those of that domain for credentials as a proxy does, and lets these users through.
    #[must_use]
    pub fn challenge(mut self, domain: &str, settings: auth::Settings, users: Users) -> Self {
        self.challenge = Some((domain.to_owned(), settings, users));
        self
    }
}

impl Scene {
    /// Nobody there yet.
    pub const fn new(setting: Setting) -> Self {
        Self { setting, nats: Vec::new(), nodes: Vec::new() }
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
        let profile = Profile { outbound, capabilities, extensions, session_timer, methods, ..Profile::new(identity) };
        let listeners = self.listeners(address, host.as_deref(), &[], false);
        let locals = listeners.clone();
        let birth = Birth { name: name.clone(), script, rport: behind.is_some() };
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
        let Domain { name, address, host, names, routes, record_route, tcp, script, challenge } = domain;
        let domains = names.iter().map(|domain| parsed(domain)).collect();
        let proxy = proxy::Settings { record_route, ..proxy::Settings::default() };
        let settings = Settings { domains, routes, proxy, ..Settings::default() };
        let listeners = self.listeners(address, host.as_deref(), &names, tcp);
        let locals = listeners.clone();
        let birth = Birth { name: name.clone(), script, rport: false };
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
                (build(0).0, Box::new(StackActor::challenger(move |life| build(life).1)))
            }
        };
        let bounds = bounds(ids, &locals);
        self.nodes.push(Node { name, actor, bounds, behind: None });
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

    /// Listeners at port 5060, with their names in the zone.
    fn listeners(&mut self, address: Ipv4Addr, host: Option<&str>, names: &[String], tcp: bool) -> Vec<Listener> {
        let zone = std::mem::take(&mut self.setting.zone);
        let all = host.into_iter().chain(names.iter().map(String::as_str));
        self.setting.zone = all.fold(zone, |zone, name| zone.with(name, address.into()));
        let local = SocketAddr::from((address, 5060));
        let tcp = tcp.then(|| Listener::tcp(local));
        let listeners = [Listener::udp(local)].into_iter().chain(tcp);
        let named = listeners.map(|listener| match host {
            Some(host) => listener.with_sent_by(parsed(host)),
            None => listener,
        });
        named.collect()
    }
}

/// A node that listens there, and its listeners.
fn listening<U: TransactionUser>(mut node: Stack<U>, listeners: &[Listener]) -> (Vec<ListenerId>, Stack<U>) {
    (listeners.iter().map(|listener| node.listen(listener.clone())).collect(), node)
}

fn bounds(ids: Vec<ListenerId>, listeners: &[Listener]) -> Vec<Bound> {
    ids.into_iter().zip(listeners).map(Bound::from).collect()
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
