//! Transport and transactions as one: the layer that a transaction user sits on.

mod arrival;
mod clients;
mod config;
mod connections;
mod delivery;
mod indication;
mod overload;
mod response_path;
mod search;
mod servers;
mod stateless;
mod stats;
mod timers;

pub use arrival::Arrival;
pub use config::{Config, Limits};
pub use indication::{Failure, Indication};
pub use stats::{Census, Stats};

use alloc::collections::VecDeque;
use core::net::SocketAddr;

use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::id::{Arena, handles};
use crate::message::header::Protocol;
use crate::message::{self, HostPort, Message, SharedBytes};
use crate::node::{Input, Output, QueryKind, Transmit};
use crate::random::Random;
use crate::tag::Tag;
use crate::time::Instant;
use crate::timer::{TimerId, TimerQueue};
use crate::transaction::{Clock, Schedule};
use crate::transport::{Asked, Listener, Listeners, NextHop};

use clients::Clients;
use connections::Connections;
use delivery::Delivery;
use overload::Refusals;
use search::Asker;
use servers::Servers;
use stateless::TokenKey;
use timers::TimerKey;

handles! {
    /// An outgoing request on its way, over all its attempts.
    DeliveryId = Id<DeliveryKind>, "delivery";
}

/// Transport and transactions as one. Takes datagrams, answers of the resolver and time; gives messages to send and
/// [`Indication`]s for its transaction user.
///
/// [`Stack`](crate::Stack) joins it with a transaction user; without one, call [`fire`](Self::fire) until it returns false
/// before each [`handle`](Self::handle) or command, and take the indications after each.
#[derive(Clone, Debug)]
pub struct Endpoint {
    config: Config,
    schedule: Schedule,
    random: Random,
    token_key: TokenKey,
    /// The latest time seen: time that goes back is taken as this.
    now: Instant,
    listeners: Listeners,
    connections: Connections,
    servers: Servers,
    clients: Clients,
    deliveries: Arena<DeliveryKind, Delivery>,
    queries: Arena<QueryKind, (Asker, Asked)>,
    timers: TimerQueue<TimerKey>,
    indications: VecDeque<Indication>,
    outputs: VecDeque<Output<()>>,
    draining: bool,
    refusals: Refusals,
    stats: Stats,
}

impl Endpoint {
    /// An endpoint with no listener yet.
    pub fn new(config: Config) -> Self {
        let mut random = Random::new(config.seed, config.script.clone());
        let config = Config { timers: config.timers.usable(), ..config };
        Self {
            schedule: Schedule::new(&config.timers),
            token_key: TokenKey::new(random.hash_key()),
            now: Instant::ZERO,
            listeners: Listeners::default(),
            connections: Connections::default(),
            servers: Servers::new(random.hash_key(), random.hash_key()),
            clients: Clients::new(random.hash_key(), random.hash_key()),
            deliveries: Arena::new(),
            queries: Arena::new(),
            timers: TimerQueue::new(),
            indications: VecDeque::new(),
            outputs: VecDeque::new(),
            draining: false,
            refusals: Refusals::default(),
            stats: Stats::default(),
            random,
            config,
        }
    }

    /// Adds a local address.
    pub fn listen(&mut self, listener: Listener) -> ListenerId {
        self.listeners.add(listener)
    }

    /// The local address of that name.
    pub fn listener(&self, id: ListenerId) -> Option<&Listener> {
        self.listeners.get(id)
    }

    /// All local addresses, in the order of adding.
    pub fn listeners(&self) -> impl Iterator<Item = (ListenerId, &Listener)> {
        self.listeners.iter()
    }

    /// The local address from which a request to `next_hop` will go, as far as that is known before its name is resolved;
    /// else the first that there is.
    pub fn listener_towards(&self, next_hop: &NextHop) -> Option<&Listener> {
        let named = match (next_hop.flow, next_hop.target().as_host().ip()) {
            (Some(flow), _) => Some(flow.listener),
            (None, Some(ip)) => self.listeners.towards(next_hop.protocol(), SocketAddr::new(ip, 0)),
            (None, None) => {
                self.listeners.iter().find(|(_, it)| it.protocol == next_hop.protocol()).map(|(listener, _)| listener)
            }
        };
        let first = || self.listeners.iter().next().map(|(_, listener)| listener);
        named.and_then(|listener| self.listeners.get(listener)).or_else(first)
    }

    /// Whether this names one of our listeners, by sent-by or by bound address.
    pub fn is_ours(&self, host_port: HostPort<'_>) -> bool {
        self.listeners.is_ours(host_port)
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The one source of randomness.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// What has happened.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What is alive.
    pub fn census(&self) -> Census {
        Census {
            client_transactions: self.clients.len(),
            server_transactions: self.servers.len(),
            deliveries: self.deliveries.len(),
            queries: self.queries.len(),
            connections: self.connections.len(),
            timers: self.timers.len(),
            outputs: self.outputs.len(),
        }
    }

    /// How many there is room for without another allocation: grows with what is alive and never shrinks.
    pub fn capacity(&self) -> Census {
        Census {
            client_transactions: self.clients.capacity(),
            server_transactions: self.servers.capacity(),
            deliveries: self.deliveries.capacity(),
            queries: self.queries.capacity(),
            connections: self.connections.len(),
            timers: self.timers.capacity(),
            outputs: self.outputs.capacity(),
        }
    }

    /// A name for a connection; never the same twice.
    pub fn reserve(&mut self) -> ConnectionId {
        self.connections.reserve()
    }

    /// Applies one input. Fires no timer: see [`fire`](Self::fire).
    ///
    /// A stream is taken message by message, so that each is settled before the next is looked at: what this gives back is to be
    /// given again, once the indications are taken.
    #[must_use = "what is left of a stream is to be handled too"]
    pub fn handle<'a>(&mut self, now: Instant, input: Input<'a>) -> Option<Input<'a>> {
        self.advance(now);
        match input {
            Input::Datagram { listener, remote, bytes } => self.datagram(listener, remote, bytes),
            Input::Accepted { listener, connection, remote } => self.connection_accepted(listener, connection, remote),
            Input::Stream { connection, bytes } => {
                let bytes = self.stream_in(connection, bytes);
                return (!bytes.is_empty()).then_some(Input::Stream { connection, bytes });
            }
            Input::Message { connection, bytes } => self.connection_message_in(connection, bytes),
            Input::Connection { connection, change } => self.connection_changed(connection, change),
            Input::Resolved { query, answers } => self.resolved(query, answers),
            Input::Unreachable { listener, remote } => {
                self.stats.unreachable += 1;
                let flow = Flow::datagram(listener, remote);
                self.clients_unreachable(flow);
                self.servers_unreachable(flow);
            }
            Input::Tick => {}
        }
        None
    }

    /// Fires the earliest timer if it is due; false when none is.
    pub fn fire(&mut self, now: Instant) -> bool {
        self.advance(now);
        let Some(timer) = self.timers.first() else { return false };
        let Some((_, key)) = self.timers.pop_due(self.now) else { return false };
        match key {
            TimerKey::Client(client) => self.client_timer(client),
            TimerKey::Server(server) => self.server_timer(server),
            TimerKey::Search(asker) => self.search_timer(asker),
            TimerKey::Connection(connection) => self.connection_timer(connection),
            TimerKey::User(tag) => self.tell(Indication::Timer { timer, tag }),
        }
        true
    }

    /// The oldest indication not yet taken.
    pub fn indication(&mut self) -> Option<Indication> {
        if self.indications.is_empty() {
            self.close_overflowed();
        }
        self.indications.pop_front()
    }

    /// The oldest output not yet taken. [`Output::Event`] is a place kept by [`mark_event`](Self::mark_event).
    pub fn poll(&mut self) -> Option<Output<()>> {
        self.outputs.pop_front()
    }

    /// When the earliest timer is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// No transaction, delivery, question, indication or undrained output is left. Connections are holdings, and timers of the
    /// transaction user are its own business.
    pub fn is_idle(&self) -> bool {
        self.clients.len() == 0
            && self.servers.len() == 0
            && self.deliveries.is_empty()
            && self.queries.is_empty()
            && self.indications.is_empty()
            && self.outputs.is_empty()
    }

    /// Keeps one place in the order of outputs for an event of the transaction user.
    pub fn mark_event(&mut self) {
        self.outputs.push_back(Output::Event(()));
    }

    /// Arms a timer of the transaction user.
    pub fn arm(&mut self, at: Instant, tag: Tag) -> TimerId {
        self.timers.set(at, TimerKey::User(tag))
    }

    /// Moves a timer; false if it has fired or was disarmed.
    pub fn rearm(&mut self, timer: TimerId, at: Instant) -> bool {
        self.timers.reset(timer, at)
    }

    /// Takes a timer out.
    pub fn disarm(&mut self, timer: TimerId) {
        self.timers.cancel(timer);
    }

    /// Moves the clock, never back.
    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// The present, for a machine whose messages go by this listener.
    fn clock(&self, listener: ListenerId) -> Clock<'_> {
        Clock { now: self.now, reliable: self.is_reliable(listener), schedule: &self.schedule }
    }

    fn is_reliable(&self, listener: ListenerId) -> bool {
        self.listeners.get(listener).is_some_and(|listener| listener.protocol.is_reliable())
    }

    /// Whether messages from this listener go into a byte stream (RFC 3261 §18.3).
    fn needs_content_length(&self, listener: ListenerId) -> bool {
        let protocol = self.listeners.get(listener).map(|listener| listener.protocol);
        matches!(protocol, Some(Protocol::Tcp | Protocol::Tls))
    }

    fn send(&mut self, flow: Flow, bytes: SharedBytes) {
        if let Some(id) = flow.connection {
            if !self.connections.sends(id, bytes.len(), &self.config.limits.transport) {
                self.stats.disconnected += 1;
                return;
            }
            self.touch_connection(id);
        }
        self.stats.sent += 1;
        let ttl = flow.remote.ip().is_multicast().then(|| multicast_ttl(&bytes));
        self.outputs.push_back(Output::Send(Transmit { flow, ttl, bytes }));
    }

    fn tell(&mut self, indication: Indication) {
        self.indications.push_back(indication);
    }
}

/// How far a multicast message may go: the `ttl` of its topmost Via, else 1 (RFC 3261 §18.1.1, §18.2.2).
fn multicast_ttl(bytes: &SharedBytes) -> u8 {
    let via = |message: &Message| match message {
        Message::Request(request) => request.top_via().and_then(|via| via.ttl()),
        Message::Response(response) => response.top_via().and_then(|via| via.ttl()),
    };
    Message::parse(bytes, &message::Limits::default()).ok().and_then(|message| via(&message)).unwrap_or(1)
}
