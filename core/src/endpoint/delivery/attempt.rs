//! Sending what is located: one way after the other (RFC 3261 §18.1.1).

use alloc::boxed::Box;
use alloc::string::String;
use core::net::SocketAddr;

use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::message::header::Protocol;
use crate::message::{Method, SharedBytes};
use crate::time::Instant;
use crate::transaction::{ClientTransactions, DeliveryId};
use crate::transport::{Place, Way};

use super::super::Failure;
use super::relays::relay_name;
use super::{Below, Cancel, Deliveries, Delivery, Progress, Purpose, Source, Stage};

/// An attempt that may go out once more, to the same address and with the same branch: for the far end, which may have received the first
/// copy, the second is a retransmission (RFC 3261 §17.2.3), and its answer to either belongs to the request.
#[derive(Clone, Debug)]
pub(super) struct OnceMore {
    protocol: Protocol,
    address: SocketAddr,
    /// The branch; empty until the first copy is written.
    branch: String,
    /// Whether the second copy is on its way.
    is_due: bool,
}

/// An attempt is on its way, or waits for its connection to open.
pub(super) struct Tried;

impl Deliveries {
    /// Along which flow the present attempt has gone out, as long as its transaction lives.
    pub(in crate::endpoint) fn sent_along(&self, clients: &ClientTransactions, id: DeliveryId) -> Option<Flow> {
        match self.table.get(id)?.stage {
            Stage::Sent { client, .. } => clients.flow(client),
            _ => None,
        }
    }

    /// Sends what is located, written from what is kept.
    pub(super) fn dispatch(&mut self, below: &mut Below<'_>, id: DeliveryId) {
        if !self.attempt_again(below, id) {
            self.exhausted(below, id);
        }
    }

    /// There is no place that can be tried.
    pub(super) fn exhausted(&mut self, below: &mut Below<'_>, id: DeliveryId) {
        let Some(delivery) = self.table.get(id) else { return };
        if delivery.purpose.is_over_time(below.wire.now) {
            return self.fail(below, id, Failure::Timeout);
        }
        let failure = match () {
            () if delivery.too_large => Failure::TooLarge,
            () if delivery.places.are_forbidden() => Failure::Forbidden,
            () if delivery.places.are_unknown() => Failure::Unresolved,
            () => Failure::Transport,
        };
        self.no_destination(below, id, failure);
    }

    /// Tries the next place, with what is kept.
    pub(super) fn attempt_again(&mut self, below: &mut Below<'_>, id: DeliveryId) -> bool {
        self.with_kept(id, |deliveries, source| deliveries.attempt(below, id, source))
    }

    /// Makes an attempt with what is kept of the request, which is kept on as long as there may be another.
    fn with_kept(&mut self, id: DeliveryId, attempt: impl FnOnce(&mut Self, Source<'_>) -> bool) -> bool {
        let Some(again) = self.table.get_mut(id).and_then(|delivery| delivery.again.take()) else { return false };
        let tried = attempt(self, again.source());
        if let Some(delivery) = self.table.get_mut(id).filter(|delivery| delivery.may_go_again()) {
            delivery.again = Some(again);
        }
        tried
    }

    /// Tries the next place, in a new transaction if there is any; false if there is none that can be tried. While nothing was
    /// tried, a better place that may come is waited for.
    ///
    /// Each turn takes one place out, of which there are at most [`Limits::destinations`](crate::transport::Limits::destinations),
    /// or the one fallback of a large request to UDP.
    pub(super) fn attempt(&mut self, below: &mut Below<'_>, id: DeliveryId, source: Source<'_>) -> bool {
        loop {
            let Some(delivery) = self.table.get_mut(id) else { return false };
            if delivery.purpose.is_over_time(below.wire.now) {
                return false;
            }
            // Another place gets a branch of its own (RFC 3263 §4.3).
            delivery.once_more = None;
            let tried = match delivery.fallback.take() {
                // What was chosen could not be had, and a stateless proxy chooses once (RFC 3263 §4.4).
                _ if delivery.purpose == (Purpose::Stateless { chosen: true }) => return false,
                Some(address) => self.attempt_datagram(below, id, source, address, false),
                None => {
                    let wait = matches!(delivery.stage, Stage::Locating);
                    let place = match delivery.purpose {
                        // What a stateless proxy chooses depends on nothing that came before.
                        Purpose::Stateless { .. } => below.wire.take_next_place(&mut delivery.places, wait),
                        _ => below.wire.take_place(&mut delivery.places, wait),
                    };
                    if let (Some(_), Purpose::Stateless { chosen }) = (place, &mut delivery.purpose) {
                        *chosen = true;
                        self.end_places(below, id);
                    }
                    match place {
                        None => return false,
                        Some(Place { protocol: Protocol::Udp, address }) => {
                            self.attempt_datagram(below, id, source, address, true)
                        }
                        Some(Place { protocol, address }) => {
                            self.attempt_connection(below, id, source, protocol, address)
                        }
                    }
                }
            };
            if tried.is_some() {
                return true;
            }
        }
    }

    /// The listener from which a request goes to `address`: the one that is to send if it can, else the one that reaches it best.
    fn towards(
        &self,
        below: &Below<'_>,
        id: DeliveryId,
        protocol: Protocol,
        address: SocketAddr,
    ) -> Option<ListenerId> {
        let wanted = self.table.get(id)?.listener;
        let listeners = &below.wire.listeners;
        wanted
            .filter(|wanted| listeners.reaches(*wanted, protocol, address))
            .or_else(|| listeners.towards(protocol, address))
    }

    /// A request that may be too large for a datagram goes over TCP, if that can be had (§18.1.1).
    fn attempt_datagram(
        &mut self,
        below: &mut Below<'_>,
        id: DeliveryId,
        source: Source<'_>,
        address: SocketAddr,
        size_counts: bool,
    ) -> Option<Tried> {
        let listener = self.towards(below, id, Protocol::Udp, address)?;
        let attempt = self.write(below, id, source, Flow::datagram(listener, address))?;
        let largest = below.wire.listeners.get(listener)?.largest_request();
        let too_large = attempt.bytes.len() > largest && !address.ip().is_multicast();
        if size_counts && too_large && below.wire.listeners.towards(Protocol::Tcp, address).is_some() {
            self.table.get_mut(id)?.fallback = Some(address);
            return self.attempt_connection(below, id, source, Protocol::Tcp, address);
        }
        self.launch(below, id, attempt)
    }

    fn attempt_connection(
        &mut self,
        below: &mut Below<'_>,
        id: DeliveryId,
        source: Source<'_>,
        protocol: Protocol,
        address: SocketAddr,
    ) -> Option<Tried> {
        let listener = self.towards(below, id, protocol, address)?;
        let delivery = self.table.get_mut(id)?;
        let way = below.wire.connect(listener, address, &delivery.server_name)?;
        if matches!(way, Way::Open(Flow { connection: Some(_), .. })) && delivery.purpose.has_transactions() {
            let once_more = OnceMore { protocol, address, branch: String::new(), is_due: false };
            delivery.once_more = Some(Box::new(once_more));
        }
        self.attempt_way(below, id, source, way)
    }

    /// The connection that a request went along, which was there before, is lost, and nothing came back: the far end closed it at
    /// that moment, or took the request and could not answer. The request goes once more over a new connection to the same address, with the
    /// same branch, unless nobody wants it any more.
    pub(super) fn attempt_once_more(&mut self, below: &mut Below<'_>, id: DeliveryId) -> bool {
        let Some(delivery) = self.table.get_mut(id) else { return false };
        let is_wanted = matches!(delivery.stage, Stage::Sent { cancel: Cancel::No, .. })
            && !delivery.purpose.is_over_time(below.wire.now);
        let Some(once_more) = delivery.once_more.as_deref_mut().filter(|once_more| !once_more.is_due) else {
            return false;
        };
        if !is_wanted || below.clients.is_full() {
            return false;
        }
        once_more.is_due = true;
        let (protocol, address) = (once_more.protocol, once_more.address);
        let Some(listener) = self.towards(below, id, protocol, address) else { return false };
        let Some(delivery) = self.table.get(id) else { return false };
        let Some(way) = below.wire.connect_anew(listener, address, &delivery.server_name) else { return false };
        self.with_kept(id, |deliveries, source| deliveries.attempt_way(below, id, source, way).is_some())
    }

    /// Goes along this flow.
    pub(super) fn attempt_flow(
        &mut self,
        below: &mut Below<'_>,
        id: DeliveryId,
        source: Source<'_>,
        flow: Flow,
    ) -> Option<Tried> {
        match flow.connection {
            None => {
                below.wire.listeners.get(flow.listener).filter(|listener| !listener.protocol.is_reliable())?;
                self.attempt_way(below, id, source, Way::Open(flow))
            }
            Some(connection) => {
                let way = below.wire.way_along(connection)?;
                self.attempt_way(below, id, source, way)
            }
        }
    }

    fn attempt_way(&mut self, below: &mut Below<'_>, id: DeliveryId, source: Source<'_>, way: Way) -> Option<Tried> {
        match way {
            Way::Open(flow) => {
                let attempt = self.write(below, id, source, flow)?;
                self.launch(below, id, attempt)
            }
            Way::Opening(connection) => {
                let delivery = self.table.get_mut(id)?;
                delivery.stage = Stage::Opening { connection, place: self.waiting.enter(connection, id) };
                Some(Tried)
            }
        }
    }

    /// A connection that requests may wait for is open.
    pub(in crate::endpoint) fn opened(&mut self, below: &mut Below<'_>, connection: ConnectionId) {
        for id in self.waiting.end(connection) {
            let flow = below.wire.connections.flow(connection);
            let is_late = self.table.get(id).is_some_and(|delivery| delivery.purpose.is_over_time(below.wire.now));
            let sent = flow.filter(|_| !is_late).is_some_and(|flow| {
                self.with_kept(id, |deliveries, source| {
                    deliveries.attempt_way(below, id, source, Way::Open(flow)).is_some()
                })
            });
            if !sent {
                self.dispatch(below, id);
            }
        }
    }

    /// A connection that requests may wait for could not be opened: the next place.
    pub(in crate::endpoint) fn unopened(&mut self, below: &mut Below<'_>, connection: ConnectionId) {
        for id in self.waiting.end(connection) {
            let more = self.table.get(id).is_some_and(Delivery::has_more);
            below.wire.stats.failovers += u64::from(more);
            self.dispatch(below, id);
        }
    }

    /// Writes the request as it goes along `flow`, with a new branch unless it goes out once more.
    fn write<'a>(
        &mut self,
        below: &mut Below<'_>,
        id: DeliveryId,
        source: Source<'a>,
        flow: Flow,
    ) -> Option<Attempt<'a>> {
        let delivery = self.table.get_mut(id)?;
        let small = delivery.fallback;
        let branch = match delivery.purpose {
            Purpose::Transaction { .. } if delivery.once_more.as_ref().is_some_and(|once_more| once_more.is_due) => {
                Branch::New(delivery.once_more.take()?.branch)
            }
            Purpose::Transaction { .. } => Branch::New(below.random.branch(source.branch)),
            Purpose::Acknowledgement => Branch::New(below.random.branch("")),
            Purpose::Relay | Purpose::Stateless { .. } => Branch::Given(source.branch),
        };
        // A request that goes over TCP for its size alone says where its next hop was found to reach us (RFC 3261 §18.1.1).
        let small = small.and_then(|address| self.towards(below, id, Protocol::Udp, address));
        let here = (source.here, small.unwrap_or(flow.listener));
        let ttl = self.table.get(id)?.ttl;
        let written = below.wire.written(source.recipe, here, flow, branch.as_str(), ttl);
        // A request that cannot be written at all is refused, or was.
        self.table.get_mut(id)?.too_large = written.is_none();
        let bytes = written?;
        Some(Attempt { method: source.recipe.method(), flow, branch, bytes })
    }

    /// Sends the request; `None` if it is no more.
    fn launch(&mut self, below: &mut Below<'_>, id: DeliveryId, attempt: Attempt<'_>) -> Option<Tried> {
        let Attempt { method, flow, branch, bytes } = attempt;
        let delivery = self.table.get_mut(id)?;
        if flow.connection.is_some() {
            delivery.fallback = None;
        }
        match delivery.purpose {
            Purpose::Transaction { until, .. } => {
                let method = method.as_str();
                let client = below.clients.start(below.wire, Some(id), method, branch.as_str(), flow, bytes);
                if until != Instant::NEVER {
                    below.clients.end_by(below.wire, client, until);
                }
                if let (Some(once_more), Branch::New(branch)) = (&mut delivery.once_more, branch) {
                    once_more.branch = branch;
                }
                let since = below.wire.now;
                delivery.stage = Stage::Sent { client, since, progress: Progress::Nothing, cancel: Cancel::No };
            }
            Purpose::Acknowledgement => {
                delivery.stage = Stage::Kept { flow, bytes: bytes.clone() };
                self.end_places(below, id);
                below.wire.send(flow, bytes);
            }
            Purpose::Relay => {
                self.end(below, id);
                below.wire.send(flow, bytes);
            }
            Purpose::Stateless { .. } => {
                if !self.relays.is_empty() {
                    self.relays.remove(&relay_name(branch.as_str(), method));
                }
                self.end(below, id);
                below.wire.send(flow, bytes);
            }
        }
        Some(Tried)
    }
}

/// A request with our Via on top, ready for its way.
struct Attempt<'a> {
    method: Method<'a>,
    flow: Flow,
    branch: Branch<'a>,
    bytes: SharedBytes,
}

enum Branch<'a> {
    New(String),
    Given(&'a str),
}

impl Branch<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::New(branch) => branch,
            Self::Given(branch) => branch,
        }
    }
}
