//! All that the transport layer works on.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::IpAddr;

use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::id::Arena;
use crate::message::{self, Message, SharedBytes};
use crate::node::{Asker, Output, QueryKind, Transmit};
use crate::time::{Duration, Instant};
use crate::timer::TimerQueue;
use crate::trace::{self, Way};

use super::connections::Connections;
use super::silent::SilentPlaces;
use super::{Asked, Limits, Listeners, Network, Place, Places, Stats};

/// Says whose a timer is, or a question to the resolver. The layers above choose the type: this one knows its connections.
pub(crate) trait TimerKey: Copy + From<ConnectionId> {}

impl<K: Copy + From<ConnectionId>> TimerKey for K {}

/// The transport layer (RFC 3261 §18): listeners, connections, what is queued for the driver, and the time.
///
/// The transport layer knows no transaction. Its methods return what the layers above have to hear: that a connection is open
/// ([`opened`](Self::opened)), that a flow is lost ([`lose`](Self::lose)), that a limit was met.
#[derive(Clone, Debug)]
pub(crate) struct Wire<K> {
    /// The latest time seen: time that goes back is taken as this.
    pub(crate) now: Instant,
    /// How long a peer may keep us waiting, and a connection may be idle: 64·T1.
    pub(crate) patience: Duration,
    /// How long a connection may take to open.
    pub(super) opening_patience: Duration,
    pub(crate) limits: Limits,
    /// Bounds on one message.
    pub(crate) message_limits: message::Limits,
    /// Whether our Vias ask for `rport` (RFC 3581 §3).
    pub(super) rport: bool,
    pub(crate) listeners: Listeners,
    pub(crate) connections: Connections,
    /// Who is behind what is done at present: for whom a search that begins now asks.
    pub(crate) asker: Asker,
    /// The questions to the resolver, whose they are, and who is behind them.
    pub(crate) queries: Arena<QueryKind, (K, Asked, Asker)>,
    silent: SilentPlaces,
    /// The addresses that the configuration names.
    pub(super) named: Vec<IpAddr>,
    /// The networks each of which the configuration says to be one hop.
    pub(super) hops: Vec<Network>,
    pub(crate) timers: TimerQueue<K>,
    pub(crate) outputs: VecDeque<Output<()>>,
    pub(crate) stats: Stats,
}

/// A connection that is not open after 16·T1 (8 s) is given up: three SYNs of a usual TCP went unanswered by then.
const OPEN_WITHIN: u32 = 16;

impl<K: TimerKey> Wire<K> {
    /// A transport layer with no listener yet.
    pub(crate) fn new(t1: Duration, limits: Limits, message_limits: message::Limits, rport: bool) -> Self {
        Self {
            now: Instant::ZERO,
            patience: t1.saturating_mul(64),
            opening_patience: t1.saturating_mul(OPEN_WITHIN),
            limits,
            message_limits,
            rport,
            listeners: Listeners::default(),
            connections: Connections::default(),
            asker: Asker::Own,
            queries: Arena::new(),
            silent: SilentPlaces::default(),
            named: Vec::new(),
            hops: Vec::new(),
            timers: TimerQueue::new(),
            outputs: VecDeque::new(),
            stats: Stats::default(),
        }
    }

    /// Moves the clock, never back.
    pub(crate) fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// Whether what goes by this listener arrives or is known to be lost.
    pub(crate) fn is_reliable(&self, listener: ListenerId) -> bool {
        self.listeners.get(listener).is_some_and(|listener| listener.protocol.is_reliable())
    }

    /// Whether so much is queued for the driver that what peers send must be dropped.
    pub(crate) fn is_overrun(&self) -> bool {
        self.outputs.len() >= self.limits.outputs
    }

    /// The best of `places` that was not taken yet, one that was silent not long ago as the last one. See [`Places::take`].
    pub(crate) fn take_place(&self, places: &mut Places, wait: bool) -> Option<Place> {
        places.take(self, wait, |place| self.silent.has(place, self.now))
    }

    /// The best of `places` that was not taken yet, whether or not it was silent. See [`Places::take`].
    pub(crate) fn take_next_place(&self, places: &mut Places, wait: bool) -> Option<Place> {
        places.take(self, wait, |_| false)
    }

    /// The far end of a flow has been asked for long enough, and nothing came back.
    pub(crate) fn silent(&mut self, flow: Flow) {
        if let Some(listener) = self.listeners.get(flow.listener) {
            let place = Place { address: flow.remote, protocol: listener.protocol };
            self.silent.add(place, self.now, &self.limits);
        }
    }

    /// The far end of a flow has answered.
    pub(crate) fn spoke(&mut self, flow: Flow) {
        if let Some(listener) = self.listeners.get(flow.listener) {
            self.silent.remove(Place { address: flow.remote, protocol: listener.protocol });
        }
    }

    /// Queues a message for sending along `flow`. Counts it as dropped if the connection of that flow is gone, or holds too much.
    pub(crate) fn send(&mut self, flow: Flow, bytes: SharedBytes) {
        if let Some(id) = flow.connection {
            if !self.connections.sends(id, bytes.len(), self.limits.stalled_octets) {
                self.stats.disconnected += 1;
                return;
            }
            self.touch(id);
        }
        trace::message(Way::Out, flow, &bytes);
        self.stats.sent += 1;
        let group = Some(flow.remote.ip()).filter(IpAddr::is_multicast);
        let ttl = group.map(|group| multicast_ttl(&bytes, self.listeners.ttl_of(group)));
        self.outputs.push_back(Output::Send(Transmit { flow, ttl, bytes }));
    }
}

/// How far a multicast message may go: the `ttl` of its topmost Via, else 1 (RFC 3261 §18.1.1, §18.2.2), a response no farther than `most`.
fn multicast_ttl(bytes: &SharedBytes, most: u8) -> u8 {
    let via = |message: &Message| match message {
        Message::Request(request) => request.top_via().and_then(|via| via.ttl()),
        Message::Response(response) => response.top_via().map(|via| via.ttl().unwrap_or(1).min(most)),
    };
    Message::parse(bytes, &message::Limits::default()).ok().and_then(|message| via(&message)).unwrap_or(1)
}
