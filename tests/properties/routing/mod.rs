//! Requests through any network of stateful and stateless proxies, registrars, strict routers and phones, over faults, against a walk over
//! the network's routes: what can arrive does, and nothing else; what arrives is what was sent; responses and the requests of dialogs find
//! their way; nothing outlives Max-Forwards, and nothing is left.

mod judge;
mod plan;
mod routers;
mod user;
mod walk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use sansip::extension::Extensions;
use sansip::message::HostBuf;
use sansip::message::header::NameAddrBuf;
use sansip::proxy::stateless;
use sansip::server::{Route, Server, Settings};
use sansip::user_agent::{Binding, Body, Outgoing, Profile, Register, UserAgent};
use sansip::{
    Config, ConnectionId, Duration, Input, Instant, Listener, ListenerId, NextHop, Node, Output, Seed, Stack,
    TransactionUser, Transmit,
};
use sansip_sim::actor::{Actor, Census, NodeActor, ServerActor, StrictRouter};
use sansip_sim::check;
use sansip_sim::fault::Weather;
use sansip_sim::link::{Conditions, Link, Links, Probability};
use sansip_sim::trace::Note;
use sansip_sim::{Setting, World};

use plan::{Kind, Net, What, domain};
use routers::Front;
use user::{Told, User};

/// How many networks a normal test run tries; `SANSIP_ROUTING_CASES` says another number.
const CASES: u32 = 500;
/// These tests share the cases, so that they run at once.
const SHARES: u32 = 2;

/// The weather lasts from the first request to then.
const CALM: Instant = Instant::from_millis(10_000);
/// By then all that was begun has come to its end.
const END: Instant = Instant::from_millis(700_000);

/// No network has more to do.
const EVENTS: usize = 100_000;

fn parsed<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("`{text}` cannot be read"))
}

fn config(place: usize) -> Config {
    Config::new(Seed::from_u64(place as u64 + 1))
}

fn hop(place: usize) -> NextHop {
    NextHop::from(parsed::<HostBuf>(&domain(place)))
}

/// The body that a request of the users carries, by its number.
pub(crate) fn body_of(number: usize) -> Vec<u8> {
    format!("v=0\r\ns={number}\r\n\r\n\tany octets: {}", "\u{1}\u{7f}é".repeat(number + 1)).into_bytes()
}

/// Fields that no node knows, in their order.
pub(crate) const UNKNOWN: [(&str, &str); 3] =
    [("X-Odd", "a, \"b;c\" ;d"), ("P-Nobody-Knows", "<sip:x@y>;lr"), ("X-Odd", "again")];

/// The world of a network, and what each phone's user is told.
fn world(net: &Net, spoil: impl Fn(usize, Box<dyn Actor>) -> Box<dyn Actor>) -> (World, Vec<Arc<Mutex<Told>>>) {
    // Nobody who remembers nothing knows a copy: in a loop of such routers copies make copies.
    let is_forgetful = net.nodes.iter().any(|node| matches!(node.kind, Kind::Stateless | Kind::Strict));
    let twice = if is_forgetful { net.late.min(2) } else { net.late };
    let conditions = Conditions {
        loss: Probability::percent(net.loss),
        duplication: Probability::percent(twice),
        reordering: Probability::percent(net.late),
        latest: Duration::from_millis(500),
        ..Conditions::FINE
    };
    let links = Links::all(Link { conditions, ..Link::default() });
    let weather = Some(Weather { seed: net.seed, from: Instant::from_millis(1_000), calm_from: CALM });
    let mut setting = Setting { links, weather, ..Setting::default() };
    for (place, node) in net.nodes.iter().enumerate().filter(|(_, node)| node.kind != Kind::Phone) {
        for address in node.addresses(place) {
            setting.zone = std::mem::take(&mut setting.zone).with(&domain(place), address.ip());
        }
    }
    let mut world = World::new(setting);
    let mut all = Vec::new();
    for (place, node) in net.nodes.iter().enumerate() {
        // A stateless loop makes requests larger than those that may go in a datagram (§18.1.1).
        let listeners: Vec<Listener> =
            node.addresses(place).into_iter().map(|at| Listener::udp(at).with_mtu(u16::MAX)).collect();
        let (actor, ids): (Box<dyn Actor>, Vec<ListenerId>) = match node.kind {
            Kind::Phone => {
                let (user, ids, told) = phone(net, place, &listeners);
                all.push(told);
                (Box::new(user), ids)
            }
            Kind::Stateful => {
                let (server, ids) = listening(server(net, place), &listeners);
                (Box::new(ServerActor::server(move |_| server.clone())), ids)
            }
            Kind::Stateless => {
                let (front, ids) = listening(front(net, place), &listeners);
                (Box::new(NodeActor::of_stack(front, |_, _, _| None).stateless()), ids)
            }
            Kind::Strict => {
                let local = listeners[0].local;
                let mut hosts = BTreeMap::new();
                for (other, it) in net.nodes.iter().enumerate() {
                    for address in it.addresses(other).into_iter().filter(|at| at.is_ipv4() == local.is_ipv4()) {
                        hosts.insert(plan::host(address.ip()), address);
                        if it.kind != Kind::Phone {
                            hosts.insert(domain(other), address);
                        }
                    }
                }
                (Box::new(StrictRouter::new(local, hosts, node.records)), vec![StrictRouter::HERE])
            }
        };
        let bounds: Vec<_> = ids.into_iter().zip(&listeners).map(|(id, listener)| (id, listener.local)).collect();
        world.add(&format!("n{place}"), spoil(place, actor), bounds);
    }
    (world, all)
}

fn listening<U: TransactionUser>(mut node: Stack<U>, listeners: &[Listener]) -> (Stack<U>, Vec<ListenerId>) {
    let ids = listeners.iter().map(|listener| node.listen(listener.clone())).collect();
    (node, ids)
}

fn server(net: &Net, place: usize) -> Server {
    let node = &net.nodes[place];
    let keyed = node.routes.iter().map(|(key, to)| (domain(*key), *to));
    let all = keyed.chain(node.default.map(|to| ("*".to_owned(), to)));
    let routes = all.map(|(key, to)| Route { key: parsed(&key), next_hop: hop(to) }).collect();
    let proxy = sansip::proxy::Settings { record_route: node.records, ..Default::default() };
    let domains = vec![parsed(&domain(place))];
    // A spiral by a Route to the server's own address goes on where the settings name the address.
    let trusted = node.addresses(place).into_iter().map(|at| parsed(&at.ip().to_string())).collect();
    Server::server(config(place), Settings { domains, routes, trusted, relay: true, proxy, ..Settings::default() })
}

fn front(net: &Net, place: usize) -> Stack<Front> {
    let node = &net.nodes[place];
    let config = config(place);
    let settings = stateless::Settings { record_route: node.records, ..Default::default() };
    let addresses = node.addresses(place).into_iter().map(|at| plan::host(at.ip()));
    let front = Front {
        core: stateless::Core::new(&config, settings),
        names: std::iter::once(domain(place)).chain(addresses).collect(),
        target: node.users[0].first().map(|contact| parsed(&net.uri(*contact))),
        routes: node.routes.iter().map(|(key, to)| (domain(*key), hop(*to))).collect(),
        default: node.default.map(hop),
    };
    Stack::new(config, front)
}

fn phone(net: &Net, place: usize, listeners: &[Listener]) -> (User, Vec<ListenerId>, Arc<Mutex<Told>>) {
    let identity: NameAddrBuf = parsed(&format!("<sip:p{place}@phones.test>"));
    let methods = vec!["MESSAGE".into()];
    let profile = Profile { any_user: true, extensions: Extensions::NONE, methods, ..Profile::new(identity) };
    let (agent, ids) = listening(UserAgent::user_agent(config(place), profile), listeners);
    let (mut user, told) = User::new(agent);
    for (registrar, node) in net.nodes.iter().enumerate() {
        if node.kind != Kind::Stateful || net.registrant(registrar) != Some(place) {
            continue;
        }
        for (number, contacts) in node.users.iter().enumerate().filter(|(_, contacts)| !contacts.is_empty()) {
            let address = parsed(&format!("<{}>", net.uri(plan::Contact::User(registrar, number))));
            let at = Register::at(&parsed(&format!("sip:{}", domain(registrar)))).address_of_record(&address);
            let bindings = contacts.iter().map(|contact| Binding::to(&parsed(&net.uri(*contact))));
            user.register(bindings.fold(at.expires(7_200), Register::binding));
        }
    }
    for (number, ask) in net.asks.iter().enumerate().filter(|(_, ask)| ask.from == place) {
        let mut outgoing = Outgoing::to(&parsed(&format!("<{}>", net.uri(ask.to)))).header("X-Ask", number.to_string());
        for place in &ask.via {
            outgoing = outgoing.route(&parsed(&net.route(*place)));
        }
        for (name, value) in UNKNOWN {
            outgoing = outgoing.header(name, value);
        }
        let body = String::from_utf8(body_of(number)).expect("text");
        outgoing = match ask.what {
            What::Message => outgoing.body(Body::new("text/plain", body)),
            What::Call => outgoing.body(Body::sdp(body)),
            What::CallEndedThere => outgoing.header("X-Wish", "there").body(Body::sdp(body)),
            What::Ringing => outgoing.header("X-Wish", "ringing").body(Body::sdp(body)),
        };
        user.ask(ask.at, number, ask.what, outgoing);
    }
    (user, ids, told)
}

/// Runs a network, and says what is not as it should be.
fn contradictions(net: &Net, spoil: impl Fn(usize, Box<dyn Actor>) -> Box<dyn Actor>) -> Vec<String> {
    let (mut world, told) = world(net, spoil);
    let mut events = 0;
    while !world.is_quiet() && events < EVENTS && world.next_event().is_some_and(|next| next <= END) {
        world.step();
        events += 1;
    }
    let quiet = world.is_quiet();
    let mut wrong = judge::judge(net, &world, &told);
    wrong.extend(breaches(net, &world));
    if !quiet {
        wrong.push("somebody is not idle in the end".to_owned());
    }
    for (_, name, actor) in world.actors() {
        wrong.extend(actor.census().left_over().map(|(what, number)| format!("{name} has {number} {what} left")));
    }
    wrong
}

/// The breaches of safety that the checks of every run find. A strict router keeps few of the rules; one without memory keeps no schedule, and who forks
/// to itself sends more than one message there.
fn breaches(net: &Net, world: &World) -> Vec<String> {
    if net.nodes.iter().any(|node| node.kind == Kind::Strict) {
        return Vec::new();
    }
    let mut checks = check::standard();
    // A server here may send on what is for its own users, so `binding` cannot say who is rung.
    let apart = ["schedule", "traffic", "binding"];
    checks.retain(|check| check.property() == check::Property::Safety && !apart.contains(&check.name()));
    check::breaches(&checks, world).into_iter().map(|breach| format!("{}: {}", breach.check, breach.what)).collect()
}

/// The run of a network as a ladder.
fn drawn(net: &Net) -> String {
    let (mut world, _) = world(net, |_, actor| actor);
    world.run_until_quiet(END);
    sansip_sim::render::ladder(world.trace())
}

fn cases() -> u32 {
    let said = std::env::var("SANSIP_ROUTING_CASES").ok().and_then(|cases| cases.parse().ok());
    said.unwrap_or(CASES).div_ceil(SHARES)
}

/// One share of the cases, always the same ones.
fn share(number: u8) {
    let config = ProptestConfig {
        cases: cases(),
        max_shrink_iters: 4_000,
        max_shrink_time: 60_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[number; 32]));
    let done = runner.run(&plan::nets(), |net| {
        let wrong = contradictions(&net, |_, actor| actor);
        prop_assert!(wrong.is_empty(), "{wrong:#?}");
        Ok(())
    });
    match done {
        Err(TestError::Fail(why, net)) => panic!("{why}\n{net:?}\n{}", drawn(&net)),
        Err(error) => panic!("{error}"),
        Ok(()) => {}
    }
}

#[test]
fn what_can_arrive_does_1() {
    share(1);
}

#[test]
fn what_can_arrive_does_2() {
    share(2);
}

/// A mistake in what a node sends.
type Mistake = fn(&str) -> Option<String>;

/// A node with a mistake.
#[derive(Clone, Debug)]
struct Spoiled(Box<dyn Actor>, Mistake);

impl Node for Spoiled {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.0.handle(now, input);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        loop {
            match self.0.poll()? {
                Output::Send(transmit) => {
                    let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                    if let Some(text) = self.1(&text) {
                        return Some(Output::Send(Transmit { bytes: text.into_bytes().into(), ..transmit }));
                    }
                }
                output => return Some(output),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }

    fn is_idle(&self) -> bool {
        self.0.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.0.reserve()
    }
}

impl Actor for Spoiled {
    fn census(&self) -> Census {
        self.0.census()
    }

    fn is_stateless(&self) -> bool {
        self.0.is_stateless()
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}

/// The property can fail: each of these mistakes of proxies is found.
#[test]
fn mistakes_of_proxies_are_found() {
    let mistakes: [(&str, &str, Mistake); 7] = [
        ("a field is left out", "it was changed", |text| Some(text.replacen("X-Odd: again\r\n", "", 1))),
        ("a body is changed", "it was changed", |text| Some(text.replacen("any octets", "any letters", 1))),
        ("no hop is taken", "hops left", |text| Some(text.replacen("Max-Forwards: 69", "Max-Forwards: 70", 1))),
        ("a message is kept back", "it came to", |text| (!text.starts_with("MESSAGE")).then(|| text.to_owned())),
        ("the body of an answer is lost", "was told", |text| Some(text.replacen("re: v", "re: w", 1))),
        ("answers are kept back", "was told", |text| (!text.starts_with("SIP/2.0 200")).then(|| text.to_owned())),
        ("no route is recorded", "stay there", |text| Some(text.replacen("Record-Route:", "X-Route:", 1))),
    ];
    for (name, sign, mistake) in mistakes {
        let mut runner = TestRunner::deterministic();
        let found = (0..200).any(|_| {
            let net = plan::nets().new_tree(&mut runner).expect("a network").current();
            let is_proxy = |place: usize| net.nodes[place].is_proxy();
            let spoil = |place, actor| if is_proxy(place) { Box::new(Spoiled(actor, mistake)) } else { actor };
            contradictions(&net, spoil).iter().any(|wrong| wrong.contains(sign))
        });
        assert!(found, "{name} was not found");
    }
}
