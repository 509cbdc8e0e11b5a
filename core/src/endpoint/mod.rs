//! Transport and transactions as one: the layer that a transaction user sits on.
//!
//! ```
//! use sansip::{Config, Endpoint, Indication, Input, Instant, Listener, Seed};
//!
//! let mut endpoint = Endpoint::new(Config::new(Seed::from_u64(1)));
//! let listener = endpoint.listen(Listener::udp("192.0.2.4:5060".parse()?));
//! let options = b"OPTIONS sip:192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKhjhs8ass877\r\n\
//!     Max-Forwards: 70\r\nTo: <sip:192.0.2.4>\r\nFrom: <sip:alice@192.0.2.1>;tag=1928301774\r\n\
//!     Call-ID: a84b4c76e66710\r\nCSeq: 63104 OPTIONS\r\n\r\n";
//! endpoint.handle(Instant::ZERO, Input::Datagram { listener, remote: "192.0.2.1:5060".parse()?, bytes: options });
//! assert!(matches!(endpoint.indication(), Some(Indication::Request { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arrival;
mod census;
mod config;
mod delivery;
mod dropped;
mod indication;
mod info;
mod overload;
mod requests;
mod responses;
mod stateless;
mod streams;

pub use arrival::Arrival;
pub use census::Census;
pub(crate) use config::KeyPurpose;
pub use config::{Config, Limits};
pub use dropped::DropCause;
pub use indication::{Failure, Indication};
pub(crate) use requests::Terms;
pub use responses::Held;

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use crate::error::CommandError;
use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::message::{Host, HostBuf, HostPort, Uri};
use crate::node::{Answer, Asker, Input, Output, QueryId};
use crate::random::Random;
use crate::tag::Tag;
use crate::time::Instant;
use crate::timer::TimerId;
pub use crate::transaction::DeliveryId;
use crate::transaction::{ClientTransactions, Owner, Schedule, ServerTransactions, Wire};
pub use crate::transport::Stats;
use crate::transport::{Listener, Network, NextHop};

use delivery::{Below, Deliveries};
use indication::Indications;
use overload::{Refusals, RefusedBranches};
use stateless::TokenKey;

/// Transport and transactions as one. Takes datagrams, answers of the resolver and time; gives messages to send and
/// [`Indication`]s for its transaction user.
///
/// [`Stack`](crate::Stack) joins it with a transaction user; without one, call [`fire`](Self::fire) until it returns false
/// before each [`handle`](Self::handle) or command, and take the indications after each.
#[derive(Clone, Debug)]
pub struct Endpoint {
    config: Config,
    random: Random,
    token_key: TokenKey,
    /// The transport layer.
    wire: Wire,
    /// The transaction layer.
    servers: ServerTransactions,
    clients: ClientTransactions,
    deliveries: Deliveries,
    indications: Indications,
    draining: bool,
    shows_strays: bool,
    refusals: Refusals,
    refused_branches: RefusedBranches,
}

impl Endpoint {
    /// An endpoint with no listener yet.
    pub fn new(config: Config) -> Self {
        let mut random = Random::new(config.seed, config.script.clone()).with_owner(config.owner);
        // The seed's own key is drawn in any case: what is drawn behind it stays the same.
        let own_key = random.hash_key();
        let token_key = config.shared_hash_key(KeyPurpose::StatelessTokens).unwrap_or(own_key);
        let config = Config { timers: config.timers.usable(), ..config };
        let Config { timers, limits, rport, .. } = &config;
        let schedule = Schedule::new(timers);
        let Limits { message, transport, transaction, .. } = *limits;
        Self {
            token_key: TokenKey::new(token_key, config.owner),
            wire: Wire::new(timers.t1, transport, message, *rport),
            servers: ServerTransactions::new(
                schedule,
                transaction.server_transactions,
                random.hash_key(),
                random.hash_key(),
            ),
            clients: ClientTransactions::new(
                schedule,
                transaction.client_transactions,
                random.hash_key(),
                random.hash_key(),
            ),
            deliveries: Deliveries::new(),
            indications: Indications::default(),
            draining: false,
            shows_strays: false,
            refusals: Refusals::default(),
            refused_branches: RefusedBranches::new(limits.refused_branches),
            random,
            config,
        }
    }

    /// Shows responses that no transaction waits for from now on ([`Indication::Stray`]), in the place of dropping
    /// them.
    pub const fn show_strays(&mut self) {
        self.shows_strays = true;
    }

    /// The key of the tokens that are computed instead of being kept.
    #[cfg(test)]
    pub(crate) const fn token_key(&self) -> [u8; 16] {
        self.token_key.key()
    }

    /// Adds a local address.
    pub fn listen(&mut self, listener: Listener) -> ListenerId {
        self.wire.listeners.add(listener)
    }

    /// A local address has changed: the driver has bound `to` in its place, with the same handle. Via, Contact and Record-Route say `to`
    /// from now on, and responses to what went out before are still taken. Connections from and to the IP address that is no
    /// more are closed, as if they had failed. Gives what was there before.
    ///
    /// # Errors
    /// `Gone`: there is no such listener; `Invalid("listener")`: `to` has another protocol.
    pub fn move_listener(&mut self, now: Instant, id: ListenerId, to: Listener) -> Result<Listener, CommandError> {
        self.wire.advance(now);
        let ip = to.local.ip();
        let before = self.wire.listeners.replace(id, to)?;
        if before.local.ip() != ip {
            for connection in self.wire.connections.of_listener(id) {
                self.close(connection);
            }
        }
        Ok(before)
    }

    /// The configuration names these addresses: requests may be sent there for anybody. Each of the networks is one hop, whose CANCELs may come from any
    /// address of it.
    pub(crate) fn name(&mut self, addresses: Vec<IpAddr>, hops: Vec<Network>) {
        self.wire.name(addresses, hops);
    }

    /// The local address of that name.
    pub fn listener(&self, id: ListenerId) -> Option<&Listener> {
        self.wire.listeners.get(id)
    }

    /// All local addresses, in the order of adding.
    pub fn listeners(&self) -> impl Iterator<Item = (ListenerId, &Listener)> {
        self.wire.listeners.iter()
    }

    /// The local address from which a request to `next_hop` will go, as far as that is known before its name is resolved;
    /// else the first that there is.
    pub fn listener_towards(&self, next_hop: &NextHop) -> Option<&Listener> {
        let named = match (next_hop.flow, next_hop.target().as_host().ip()) {
            (Some(flow), _) => Some(flow.listener),
            (None, Some(ip)) => self.wire.listeners.towards(next_hop.protocol(), SocketAddr::new(ip, 0)),
            (None, None) => self
                .wire
                .listeners
                .iter()
                .find(|(_, it)| it.protocol == next_hop.protocol())
                .map(|(listener, _)| listener),
        };
        let first = || self.wire.listeners.iter().next().map(|(_, listener)| listener);
        named.and_then(|listener| self.wire.listeners.get(listener)).or_else(first)
    }

    /// The local address that `uri` names, by sent-by and transport.
    pub(crate) fn listener_named_by(&self, uri: Uri<'_>) -> Option<ListenerId> {
        self.wire.listeners.named_by(uri)
    }

    /// Whether this names one of our listeners, by sent-by or by bound address.
    pub fn is_ours(&self, host_port: HostPort<'_>) -> bool {
        self.wire.listeners.is_ours(host_port)
    }

    /// The names that the far end of a connection has proved to have (RFC 5922): see [`Change::Opened`](crate::Change::Opened).
    pub fn identities(&self, connection: ConnectionId) -> impl Iterator<Item = Host<'_>> {
        self.wire
            .connections
            .get(connection)
            .into_iter()
            .flat_map(|connection| &connection.identities)
            .map(HostBuf::as_host)
    }

    /// Whether messages can go along a flow: its listener is there, and its connection, if it has one.
    pub fn has_flow(&self, flow: Flow) -> bool {
        let is_connected = |connection| self.wire.connections.get(connection).is_some();
        self.listener(flow.listener).is_some() && flow.connection.is_none_or(is_connected)
    }

    /// The flow along which a request was sent, as long as the transaction of its last attempt lives. Its response may have come from another
    /// address.
    pub fn sent_along(&self, delivery: DeliveryId) -> Option<Flow> {
        self.deliveries.sent_along(&self.clients, delivery)
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The one source of randomness.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Counts what has happened.
    pub fn stats(&self) -> &Stats {
        &self.wire.stats
    }

    /// Transactions that are at work: requests without a final response, ours and those of peers, and rejected INVITEs without their ACK.
    /// The others only wait for what may come again. Each transaction is looked at.
    pub fn in_progress(&self) -> usize {
        self.clients.in_progress() + self.servers.in_progress()
    }

    /// Counts what is alive.
    pub fn census(&self) -> Census {
        Census {
            client_transactions: self.clients.len(),
            server_transactions: self.servers.len(),
            deliveries: self.deliveries.len(),
            waiting: self.deliveries.waiting(),
            queries: self.wire.queries.len(),
            connections: self.wire.connections.len(),
            timers: self.wire.timers.len(),
            outputs: self.wire.outputs.len(),
        }
    }

    /// How many there is room for without another allocation: grows with what is alive and never shrinks.
    pub fn capacity(&self) -> Census {
        Census {
            client_transactions: self.clients.capacity(),
            server_transactions: self.servers.capacity(),
            deliveries: self.deliveries.capacity(),
            waiting: self.deliveries.waiting(),
            queries: self.wire.queries.capacity(),
            connections: self.wire.connections.len(),
            timers: self.wire.timers.capacity(),
            outputs: self.wire.outputs.capacity(),
        }
    }

    /// A name for a connection; never the same twice.
    pub fn reserve(&mut self) -> ConnectionId {
        self.wire.connections.reserve()
    }

    /// Applies one input. Fires no timer: see [`fire`](Self::fire).
    ///
    /// A stream is taken message by message, so that each is settled before the next is looked at: what this gives back is to be
    /// given again, once the indications are taken.
    #[must_use = "what is left of a stream is to be handled too"]
    pub fn handle<'a>(&mut self, now: Instant, input: Input<'a>) -> Option<Input<'a>> {
        self.wire.advance(now);
        self.wire.asker = self.behind(&input);
        match input {
            Input::Datagram { listener, remote, bytes } => self.datagram(listener, remote, bytes),
            Input::Accepted { listener, connection, remote } => {
                if let Some(limit) = self.wire.accept(listener, connection, remote) {
                    self.overloaded(limit);
                }
            }
            Input::Stream { connection, bytes } => {
                let bytes = self.stream_in(connection, bytes);
                return (!bytes.is_empty()).then_some(Input::Stream { connection, bytes });
            }
            Input::Message { connection, bytes } => self.connection_message_in(connection, bytes),
            Input::Connection { connection, change } => self.connection_changed(connection, change),
            Input::Resolved { query, answers } => self.resolved(query, answers),
            Input::Unreachable { listener, remote, quoted } => {
                self.wire.stats.unreachable += 1;
                let flow = Flow::datagram(listener, remote);
                const RESPONSE: &[u8] = b"SIP/2.0 ";
                // That a response did not arrive says nothing of the requests that went to the same address (§16.9). If too little is
                // quoted to tell them apart, those are told who alone have sent there; if both sides have, their timers tell them.
                let is_response = quoted.starts_with(RESPONSE);
                let is_unknown = !is_response && RESPONSE.starts_with(quoted);
                let [clients, servers] = if is_unknown {
                    [!self.servers.have_sent(flow), !self.clients.have_sent(flow)]
                } else {
                    [!is_response, is_response]
                };
                if clients {
                    self.clients_unsent(flow);
                }
                if servers {
                    self.servers_unsent(flow);
                }
            }
            Input::Tick => {}
        }
        None
    }

    /// Who is behind an input.
    fn behind(&self, input: &Input<'_>) -> Asker {
        let far_end = |connection| self.wire.connections.get(connection).map(|connection| connection.remote);
        let remote = match *input {
            Input::Datagram { remote, .. } | Input::Unreachable { remote, .. } => Some(remote),
            Input::Stream { connection, .. }
            | Input::Message { connection, .. }
            | Input::Connection { connection, .. } => far_end(connection),
            Input::Accepted { .. } | Input::Resolved { .. } | Input::Tick => None,
        };
        remote.map_or(Asker::Own, |remote| Asker::Peer(remote.ip()))
    }

    /// Who waits for the answer to a question of [`Output::Resolve`]; `None` if nobody does any more.
    pub fn asker(&self, query: QueryId) -> Option<Asker> {
        self.wire.asker_of(query)
    }

    /// Fires the earliest timer if it is due; false when none is.
    pub fn fire(&mut self, now: Instant) -> bool {
        self.wire.advance(now);
        self.wire.asker = Asker::Own;
        if self.wire.timers.next().is_none_or(|at| at > self.wire.now) {
            return false;
        }
        let Some(timer) = self.wire.timers.first() else { return false };
        let Some((_, owner)) = self.wire.timers.pop_due(self.wire.now) else { return false };
        match owner {
            Owner::Client(client) => {
                let heard = self.clients.fire(&mut self.wire, client);
                let (deliveries, mut below) = self.deliveries();
                deliveries.heard(&mut below, heard);
            }
            Owner::Server(server) => {
                let told = self.servers.fire(&mut self.wire, server);
                self.server_told(server, told);
            }
            Owner::Backup(server) => {
                let told = self.servers.backup_unanswered(&mut self.wire, server, &mut self.random);
                self.server_told(server, told);
            }
            Owner::Delivery(delivery) => {
                let (deliveries, mut below) = self.deliveries();
                deliveries.unresolved(&mut below, delivery);
            }
            Owner::Connection(connection) => {
                let lost = self.wire.connection_timer(connection);
                self.lost(lost);
            }
            Owner::User(tag) => self.indications.tell(Indication::Timer { timer, tag }),
        }
        true
    }

    /// The oldest indication not yet taken.
    pub fn indication(&mut self) -> Option<Indication> {
        if self.indications.is_empty() {
            self.close_overflowed();
        }
        self.indications.next()
    }

    /// The oldest output not yet taken. [`Output::Event`] is a place kept by [`mark_event`](Self::mark_event).
    pub fn poll(&mut self) -> Option<Output<()>> {
        self.wire.outputs.pop_front()
    }

    /// When the earliest timer is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.wire.timers.next()
    }

    /// No transaction, delivery, question, indication or undrained output is left. Connections are holdings, and timers of the
    /// transaction user are its own business.
    pub fn is_idle(&self) -> bool {
        self.clients.len() == 0
            && self.servers.len() == 0
            && self.deliveries.len() == 0
            && self.wire.queries.is_empty()
            && self.indications.is_empty()
            && self.wire.outputs.is_empty()
    }

    /// Keeps one place in the order of outputs for an event of the transaction user.
    pub fn mark_event(&mut self) {
        self.wire.outputs.push_back(Output::Event(()));
    }

    /// Arms a timer of the transaction user.
    pub fn arm(&mut self, at: Instant, tag: Tag) -> TimerId {
        self.wire.timers.set(at, Owner::User(tag))
    }

    /// Moves a timer; false if it has fired or was disarmed.
    pub fn rearm(&mut self, timer: TimerId, at: Instant) -> bool {
        self.wire.timers.reset(timer, at)
    }

    /// Takes a timer out.
    pub fn disarm(&mut self, timer: TimerId) {
        self.wire.timers.cancel(timer);
    }

    /// The resolver has answered.
    fn resolved(&mut self, query: QueryId, answers: &[Answer]) {
        match self.wire.answered(query) {
            Some((Owner::Delivery(delivery), asked)) => {
                let (deliveries, mut below) = self.deliveries();
                deliveries.resolved(&mut below, delivery, (query, asked), answers);
            }
            Some((Owner::Backup(server), asked)) => {
                let question = (query, asked);
                let told = self.servers.backup_answered(&mut self.wire, server, question, answers, &mut self.random);
                self.server_told(server, told);
            }
            _ => {}
        }
    }

    /// The deliveries, and what they work with.
    fn deliveries(&mut self) -> (&mut Deliveries, Below<'_>) {
        let Self { wire, clients, deliveries, random, indications, .. } = self;
        (deliveries, Below { wire, clients, random, indications })
    }
}
