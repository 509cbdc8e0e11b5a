//! A whole node, driven by inputs as data: datagrams, streams, answers of the resolver, bad news, time and commands in any order.
//!
//! The octets are a script (`script.rs`). It is played once, and what the node was given is written down with its times. That
//! journal is played again to fresh nodes in other ways, as the laws of the poll API allow (`docs/poll.md`).

mod script;

use sansip::auth::{Login, Scope, Secret};
use sansip::endpoint::{Census, Endpoint};
use sansip::extension::{Extension, Extensions};
use sansip::message::header::NameAddrBuf;
use sansip::message::{Method, StatusCode, UriBuf};
use sansip::server::{Server, Settings};
use sansip::user_agent::{
    Account, AccountId, Extra, Outgoing, Profile, Refer, ReferralId, Register, RequestId, ServedId, Subscribe,
    UserAgent,
};
use sansip::{
    Answer, Change, Config, ConnectionId, Duration, Input, Instant, Listener, ListenerId, Node, Output, QueryId, Seed,
    Timers, registrar, user_agent,
};
use script::{Known, Octets};
use std::fmt::Debug;
use std::net::SocketAddr;

/// More inputs are not read from a script.
const STEPS: usize = 120;
/// More outputs than this never come of one input, which may be a stream of several messages.
const OUTPUTS: usize = 400;
/// Timers fire no more often than this until all is over: else one is due again at once.
const TICKS: usize = 50_000;

/// Something that a node was given.
#[derive(Clone, Debug)]
enum Step {
    Datagram(SocketAddr, Vec<u8>),
    Accepted(SocketAddr),
    Stream(ConnectionId, Vec<u8>),
    Message(ConnectionId, Vec<u8>),
    Change(ConnectionId, u8),
    Resolved(QueryId, Vec<Answer>),
    Unreachable(SocketAddr),
    Tick,
    Command(u8),
}

/// A node that a script can be played to.
trait Player: Node<Event: Debug> + Clone + Debug {
    /// Where datagrams and connections come in.
    fn listeners(&self) -> Vec<ListenerId>;
    /// Carries out a command if there is one of that number.
    fn command(&mut self, now: Instant, number: u8);
    /// Ends what the application has to end.
    fn hang_up(&mut self, now: Instant);
    /// Panics if anything is alive that should not outlive its deadline. Holdings may stay: bindings, registrations and
    /// connections.
    fn assert_nothing_is_left(&self);

    /// Gives the node what the step says; the name of the connection that it accepts.
    fn play(&mut self, now: Instant, step: &Step, cut: Option<usize>) -> Option<ConnectionId> {
        let mut accepted = None;
        let listeners = self.listeners();
        // Datagrams at the first, connections at the last.
        let (listener, streams) = (listeners[0], *listeners.last().unwrap_or(&listeners[0]));
        match step {
            Step::Datagram(remote, bytes) => self.handle(now, Input::Datagram { listener, remote: *remote, bytes }),
            Step::Accepted(remote) => {
                let connection = self.reserve();
                accepted = Some(connection);
                self.handle(now, Input::Accepted { listener: streams, connection, remote: *remote });
            }
            Step::Stream(connection, bytes) => {
                for bytes in bytes.chunks(cut.unwrap_or(bytes.len()).max(1)) {
                    self.handle(now, Input::Stream { connection: *connection, bytes });
                }
            }
            Step::Message(connection, bytes) => self.handle(now, Input::Message { connection: *connection, bytes }),
            Step::Change(connection, change) => {
                let change = match change % 6 {
                    0 => Change::Opened { identities: &["biloxi.com"] },
                    1 => Change::Stalled,
                    2 => Change::Writable,
                    3 => Change::Failed,
                    4 => Change::Ended,
                    _ => Change::Closed,
                };
                self.handle(now, Input::Connection { connection: *connection, change });
            }
            Step::Resolved(query, answers) => self.handle(now, Input::Resolved { query: *query, answers }),
            Step::Unreachable(remote) => {
                self.handle(now, Input::Unreachable { listener, remote: *remote, quoted: b"" })
            }
            Step::Tick => self.handle(now, Input::Tick),
            Step::Command(number) => self.command(now, *number),
        }
        // A timer that an input sets for this very moment, such as timer K over TCP, fires with the next tick.
        let ticked = matches!(step, Step::Tick);
        let left = self.deadline().filter(|deadline| *deadline < now || ticked && *deadline == now);
        assert!(left.is_none(), "a timer that is due was left");
        accepted
    }
}

impl Player for UserAgent {
    fn listeners(&self) -> Vec<ListenerId> {
        self.endpoint().listeners().map(|(id, _)| id).collect()
    }

    fn command(&mut self, now: Instant, number: u8) {
        let call = self.calls().nth(usize::from(number / 16)).map(|info| info.call);
        // A command that comes too late is refused, each time alike.
        let _ = match (number % 16, call) {
            (0 | 1, _) => {
                let names =
                    ["<sip:bob@biloxi.com>", "<sip:bob@192.0.2.9>", "<sips:bob@biloxi.com>", "<sip:bob@[2001:db8::9]>"];
                let to: Result<NameAddrBuf, _> = names[usize::from(number / 16) % 4].parse();
                let account = account(number);
                to.map_err(drop)
                    .and_then(|to| self.call(now, Outgoing::to(&to).account(account)).map(|_| ()).map_err(drop))
            }
            (2, _) if number > 200 => {
                let settings = sansip::auth::Settings::new("atlanta.com");
                self.guard_with_look_up(now, settings, Duration::from_secs(2)).map_err(drop)
            }
            (2, _) => {
                let registrar: Result<UriBuf, _> = "sip:biloxi.com".parse();
                let registrar = registrar.map_err(drop);
                registrar.and_then(|registrar| {
                    self.register(now, Register::at(&registrar).expires(600)).map(|_| ()).map_err(drop)
                })
            }
            (3, _) if number < 64 => {
                let identity: Result<NameAddrBuf, _> = "<sip:alice@biloxi.com>".parse();
                identity
                    .map_err(drop)
                    .and_then(|identity| self.add_account(Account::new(identity)).map(drop).map_err(drop))
            }
            (3, _) if number < 128 => self.remove_account(account(number)).map_err(drop),
            (3, _) if number < 192 => {
                let bob: Result<NameAddrBuf, _> = "<sip:bob@192.0.2.9>".parse();
                let expires = if number < 176 { 600 } else { 0 };
                bob.map_err(drop).and_then(|bob| {
                    let wishes = Subscribe::to(&bob, "presence").expires(expires);
                    self.subscribe(now, wishes).map(drop).map_err(drop)
                })
            }
            (3, _) if number < 220 => {
                let subscription = self.subscriptions().nth(usize::from(number / 16 % 4));
                subscription.map_or(Ok(()), |id| match number {
                    0..208 => self.unsubscribe(now, id).map_err(drop),
                    _ => self.refresh_subscription(now, id).map_err(drop),
                })
            }
            (3, _) if number > 220 => {
                self.shut_down(now);
                Ok(())
            }
            (4 | 5, Some(call)) => self.ring(now, call).map_err(drop),
            (6 | 7, Some(call)) => self.answer(now, call, None).map_err(drop),
            (8, Some(call)) => self.answer(now, call, sdp()).map_err(drop),
            (9, Some(call)) => self.reject(now, call, StatusCode::BUSY_HERE).map_err(drop),
            (10 | 11, Some(call)) => {
                self.cancel_with(now, call, Extra::new().header("Reason", "SIP;cause=200")).map_err(drop)
            }
            (12, Some(call)) if number < 80 => self.modify(now, call, sdp()).map_err(drop),
            (12, Some(call)) if number < 128 => {
                let offer = (number & 16 == 0).then(sdp);
                self.update(now, call, offer).map_err(drop)
            }
            (12, Some(call)) if number < 176 => self.answer_offer(now, call, sdp()).map_err(drop),
            (12, Some(call)) => self.accept_offer(now, call, sdp()).map_err(drop),
            (13, Some(call)) if number < 96 => {
                self.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE).map_err(drop)
            }
            (13, Some(call)) if number < 128 => {
                self.progress(now, call, StatusCode::SESSION_PROGRESS, sdp()).map_err(drop)
            }
            (13, Some(call)) if number < 176 => {
                self.progress_reliably(now, call, StatusCode::SESSION_PROGRESS, sdp()).map_err(drop)
            }
            (13, Some(call)) if number < 208 => self.cancel_change(now, call).map_err(drop),
            (13, Some(call)) => self.ask_in(now, call, Method::Info, None).map(drop).map_err(drop),
            (15, Some(call)) if number < 80 => {
                let carol: Result<UriBuf, _> = "sip:carol@192.0.2.8".parse();
                let refer = carol.map(|carol| match self.replacing(call) {
                    Ok(replace) => Refer::to(&carol).replaces(&replace),
                    Err(_) => Refer::to(&carol),
                });
                refer.map_err(drop).and_then(|refer| self.refer(now, call, refer).map(drop).map_err(drop))
            }
            (14, _) if number > 128 => {
                let (slot, generation) = (u32::from(number / 64), u32::from(number / 16 % 4) + 1);
                let (served, referral) =
                    (ServedId::from_parts(slot, generation), ReferralId::from_parts(slot, generation));
                let accepted = self.accept_refer(now, served).map(drop).map_err(drop);
                let status = if number > 192 { StatusCode::OK } else { StatusCode::RINGING };
                accepted.or_else(|()| self.notify_refer(now, referral, status).map_err(drop))
            }
            (14, Some(_)) => {
                // Handles that may name something, and mostly do not.
                let (slot, generation) = (u32::from(number / 64), u32::from(number / 16 % 4) + 1);
                let (served, request) =
                    (ServedId::from_parts(slot, generation), RequestId::from_parts(slot, generation));
                let answered = self.respond(now, served, StatusCode::OK).map_err(drop);
                let login = (Scope::Any, Login::new("alice", Secret::password("s3cret")));
                let user = Some(("alice", Secret::password("s3cret")));
                let answered = answered.or_else(|()| self.secret(now, served, user).map_err(drop));
                answered.or_else(|()| self.credentials(now, request, [login]).map_err(drop))
            }
            (_, Some(call)) => self.hang_up(now, call).map_err(drop),
            (_, None) => Ok(()),
        };
    }

    fn hang_up(&mut self, now: Instant) {
        let calls: Vec<_> = self.calls().map(|info| info.call).collect();
        for call in calls {
            let _ = UserAgent::hang_up(self, now, call);
        }
        self.unsubscribe_everywhere(now);
    }

    fn assert_nothing_is_left(&self) {
        let census = self.user().census();
        assert_endpoint_is_empty(self.endpoint(), census.registrations);
        assert_eq!(user_agent::Census { registrations: 0, ..census }, user_agent::Census::default(), "{self:?}");
    }
}

impl Player for Server {
    fn listeners(&self) -> Vec<ListenerId> {
        self.endpoint().listeners().map(|(id, _)| id).collect()
    }

    fn command(&mut self, _: Instant, number: u8) {
        if number > 250 {
            self.drain();
        }
    }

    fn hang_up(&mut self, _: Instant) {}

    fn assert_nothing_is_left(&self) {
        let census = self.user().census();
        // One timer for all bindings.
        assert_endpoint_is_empty(self.endpoint(), usize::from(census.addresses_of_record > 0));
        assert_eq!(census.response_contexts, 0, "{self:?}");
    }
}

/// No transaction, delivery or question, and no timer but those of holdings.
fn assert_endpoint_is_empty(endpoint: &Endpoint, timers_of_holdings: usize) {
    let census = endpoint.census();
    let timers = census.timers.saturating_sub(timers_of_holdings);
    let left = Census { timers, connections: 0, ..census };
    assert_eq!(left, Census::default(), "something is left: {endpoint:?}");
}

/// The first octet says which node, the second with which limits and timers, the third which law is tried; the rest is the
/// script.
pub(crate) fn endpoint(data: &[u8]) {
    let [node, config, law, script @ ..] = data else { return };
    let (few, timers) = (config & FEW == FEW, config & TIMERS == TIMERS);
    let config = configuration(*config);
    if node.is_multiple_of(2) {
        run(&user_agent(config, few, timers), *law, script);
    } else {
        run(&server(config, few), *law, script);
    }
}

/// The bit of the configuration that says that nothing may be held but a few things.
const FEW: u8 = 4;

/// The bit that says that the user agent uses session timers.
const TIMERS: u8 = 8;

fn configuration(octet: u8) -> Config {
    let mut config = Config::new(Seed::from_u64(7));
    config.rport = octet & 1 == 1;
    config.drops = true;
    if octet & 2 == 2 {
        config.timers =
            Timers { t1: Duration::ZERO, t2: Duration::ZERO, t4: Duration::ZERO, c: Duration::from_secs(1) };
    }
    if octet & FEW == FEW {
        let limits = &mut config.limits;
        (limits.transaction.server_transactions, limits.deliveries, limits.transaction.client_transactions) = (3, 3, 3);
        limits.transport.destinations = 2;
        limits.message.headers = 16;
    }
    config
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn user_agent(config: Config, few: bool, timers: bool) -> UserAgent {
    let name = "Alice <sip:alice@atlanta.com>".parse().unwrap_or_else(|error| panic!("{error:?}"));
    let mut profile = Profile::new(name);
    profile.any_user = true;
    profile.methods = ["MESSAGE", "INFO", "REFER"].map(Into::into).into();
    profile.policy = user_agent::Policy {
        questions: Some(Duration::from_secs(5)),
        longest_wait: Some(Duration::from_secs(10)),
        redirects: user_agent::Redirects::Follow,
        ..user_agent::Policy::NONE
    };
    if timers {
        profile.extensions = Extensions::of(&[Extension::Reliable, Extension::Replaces, Extension::Timer]);
        profile.session_timer.interval = Some(90);
    }
    if few {
        profile.limits = user_agent::Limits { calls: 2, forks: 2, ..user_agent::Limits::default() };
    }
    let mut agent = UserAgent::user_agent(config, profile);
    agent.listen(Listener::udp(address(script::HERE)));
    agent.listen(Listener::tcp(address(script::HERE)));
    agent
}

/// The default account, or one that may have been added.
fn account(number: u8) -> AccountId {
    if number.is_multiple_of(2) { AccountId::DEFAULT } else { AccountId::from_parts(u32::from(number / 64 % 2), 1) }
}

fn sdp() -> user_agent::Body {
    user_agent::Body::sdp("v=0\r\n")
}

fn server(config: Config, few: bool) -> Server {
    let domains = vec!["atlanta.com".parse().unwrap_or_else(|error| panic!("{error:?}"))];
    let mut settings = Settings { domains, relay: true, ..Settings::default() };
    settings.proxy.record_route = true;
    if few {
        settings.proxy.limits.response_contexts = 2;
        settings.registrar.limits = registrar::Limits { addresses_of_record: 2, bindings: 2, waiting_registers: 2 };
    }
    let mut server = Server::server(config, settings);
    server.listen(Listener::udp(address(script::HERE)));
    server.listen(Listener::tcp(address(script::HERE)));
    server
}

fn run<N: Player>(fresh: &N, law: u8, script: &[u8]) {
    let (journal, outputs) = record(fresh.clone(), script);
    let again = match law % 5 {
        0 => replay(fresh.clone(), &journal, Way { early_ticks: true, ..Way::default() }),
        1 => replay(fresh.clone(), &journal, Way { late: true, ..Way::default() }),
        2 => replay(
            fresh.clone(),
            &journal,
            Way { cloned: Some(usize::from(law) * journal.len() / 256), ..Way::default() },
        ),
        3 => replay(fresh.clone(), &journal, Way { cut: Some(1 + usize::from(law) / 5), ..Way::default() }),
        _ => return,
    };
    assert!(again == outputs, "law {}: {again:#?} instead of {outputs:#?} after {journal:#?}", law % 5);
}

/// Plays the script, then lets everything end; what the node was given, and what it put out.
fn record<N: Player>(mut node: N, script: &[u8]) -> (Vec<(Instant, Step)>, Vec<String>) {
    let mut octets = Octets(script);
    let (mut now, mut known) = (Instant::ZERO, Known::default());
    let (mut journal, mut outputs) = (Vec::new(), Vec::new());
    while journal.len() < STEPS && !octets.0.is_empty() {
        let step = script::step(&mut octets, &mut known, &mut now, node.deadline());
        known.connections.extend(node.play(now, &step, None));
        journal.push((now, step));
        let before = outputs.len();
        drain(&mut node, |output| {
            known.learn(&output);
            outputs.push(format!("{output:?}"));
        });
        assert!(outputs.len() - before <= OUTPUTS, "{} outputs of {:?}", outputs.len() - before, journal.last());
    }
    everything_ends(node.clone(), now);
    (journal, outputs)
}

/// The application hangs up, peers and the resolver are silent: in the end nothing is left.
fn everything_ends<N: Player>(mut node: N, mut now: Instant) {
    let end = now + Duration::from_secs(4_000);
    let mut ticks = 0;
    for _ in 0..4 {
        node.hang_up(now);
        drain(&mut node, drop);
        let pause = now + Duration::from_secs(1_000);
        while let Some(deadline) = node.deadline().filter(|deadline| *deadline <= pause.min(end)) {
            now = deadline;
            node.handle(now, Input::Tick);
            assert!(node.deadline().is_none_or(|deadline| deadline > now), "the deadline does not move on");
            drain(&mut node, drop);
            ticks += 1;
            assert!(ticks < TICKS, "timers fire without an end");
        }
        now = pause;
        node.handle(now, Input::Tick);
        drain(&mut node, drop);
    }
    assert!(node.is_idle(), "something is left: {node:?}");
    node.assert_nothing_is_left();
}

/// In which way a journal is played again.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    /// Between any two steps a tick before the deadline.
    early_ticks: bool,
    /// Nothing is drained before the end.
    late: bool,
    /// From this step on by a clone.
    cloned: Option<usize>,
    /// Streams come in pieces of so many octets.
    cut: Option<usize>,
}

fn replay<N: Player>(mut node: N, journal: &[(Instant, Step)], way: Way) -> Vec<String> {
    let mut outputs = Vec::new();
    let mut before = Instant::ZERO;
    for (place, (now, step)) in journal.iter().enumerate() {
        let between = before + (*now - before) / 2;
        if way.early_ticks && node.deadline().is_none_or(|deadline| between < deadline) {
            let deadline = node.deadline();
            node.handle(between, Input::Tick);
            assert_eq!(node.deadline(), deadline, "an early tick moved the deadline");
            drain(&mut node, |output| panic!("an early tick made {output:?}"));
        }
        if way.cloned == Some(place) {
            node = node.clone();
        }
        node.play(*now, step, way.cut);
        if !way.late {
            drain(&mut node, |output| outputs.push(format!("{output:?}")));
        }
        before = *now;
    }
    drain(&mut node, |output| outputs.push(format!("{output:?}")));
    outputs
}

fn drain<N: Player>(node: &mut N, mut take: impl FnMut(Output<N::Event>)) {
    while let Some(output) = node.poll() {
        take(output);
    }
}
