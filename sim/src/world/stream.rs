//! Streams: connections between nodes, what is under way on them, and how they end.

use std::collections::VecDeque;
use std::net::SocketAddr;

use sansip::message::SharedBytes;
use sansip::message::header::Protocol;
use sansip::{Change, ConnectionId, Duration, Input, Instant, ListenerId, Question, Transmit};

use super::hash::Map;
use super::nat::Route;
use super::wire::Passage;
use super::{Happening, Port, World};
use crate::fault::{End, Event, Fate};
use crate::trace::{NodeId, Stopped, Transmission, What};

/// Every connection that there was. Those that are over stay, so that what is late finds out.
#[derive(Clone, Debug, Default)]
pub(super) struct Streams {
    all: Vec<Stream>,
    of_end: Map<(NodeId, u32, ConnectionId), (u32, Side)>,
}

/// A connection.
#[derive(Clone, Debug)]
struct Stream {
    protocol: Protocol,
    /// The name that the acceptor must prove to have.
    server_name: Option<Box<str>>,
    /// Who opened it, and who accepted it.
    ends: [EndPoint; 2],
    state: State,
    /// When it is open for who opened it.
    opens: Instant,
    /// The octets that come from each of the ends.
    ways: [Way; 2],
}

/// One end.
#[derive(Clone, Debug)]
struct EndPoint {
    node: NodeId,
    life: u32,
    listener: ListenerId,
    /// `None` before it was accepted, and after this end closed it.
    connection: Option<ConnectionId>,
    /// The address that the other end sees.
    address: SocketAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Opening,
    Open,
    Over,
}

/// Octets that an end has written and the other has not got yet.
#[derive(Clone, Debug, Default)]
struct Way {
    chunks: VecDeque<Chunk>,
    /// When the last of it arrives.
    last: Instant,
}

#[derive(Clone, Debug)]
struct Chunk {
    at: Instant,
    bytes: SharedBytes,
    from: usize,
    to: usize,
    /// The index of the transmission in the trace, for the last piece of a write.
    sent: Option<usize>,
}

impl Way {
    /// The oldest chunks that have come, with the end of one write among them at most; one whole write, if they are kept apart.
    fn take(&mut self, now: Instant, whole: bool) -> Option<Vec<Chunk>> {
        let mut come: Vec<Chunk> = Vec::new();
        while let Some(next) = self.chunks.front().filter(|next| next.at <= now) {
            let ended = come.iter().any(|chunk| chunk.sent.is_some());
            if ended && (whole || next.sent.is_some()) {
                break;
            }
            come.extend(self.chunks.pop_front());
        }
        (!come.is_empty()).then_some(come)
    }
}

/// An end of a stream: who opened it is 0, who accepted it is 1.
pub(super) type Side = usize;

/// Something that happens to a stream.
#[derive(Clone, Debug)]
pub(super) enum StreamEvent {
    /// Somebody wants a connection.
    Knock(u32),
    /// It is open.
    Opened(u32),
    /// It could not be opened.
    Failed(u32),
    /// The octets that this side wrote come to the other.
    Flow(u32, Side),
    /// This side has closed it; the other gets to know.
    Fin(u32, Side),
    /// Both sides lose it.
    Reset(u32),
    /// Those of a link take nothing any more, or take what they could not.
    Stalled { node: NodeId, life: u32, connection: ConnectionId, stalled: bool },
}

/// From one piece of a write that is split to the next.
const BETWEEN_PIECES: Duration = Duration::from_micros(100);
/// Nobody waits longer for a connection: shorter than timer B, so that the node hears of it.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first port from which connections are opened.
const FIRST_PORT: u16 = 49_152;

impl World {
    pub(super) fn open_stream(
        &mut self,
        from: NodeId,
        connection: ConnectionId,
        (listener, protocol, remote): (ListenerId, Protocol, SocketAddr),
        server_name: Option<Box<str>>,
    ) {
        let number = self.streams.all.len() as u32;
        let place = &self.nodes[from.0];
        let bound = place.listeners.iter().find(|bound| bound.listener == listener);
        let local = bound.map_or(remote, |bound| bound.address);
        let port = FIRST_PORT + (number % u32::from(u16::MAX - FIRST_PORT)) as u16;
        let own = SocketAddr::new(local.ip(), port);
        let route = self.route(from, own, remote);
        let address = route.map_or(own, |route| route.source);
        let opener =
            EndPoint { node: from, life: self.nodes[from.0].life, listener, connection: Some(connection), address };
        let found = route.ok().and_then(|Route { destination, .. }| self.ports.get(&(destination, true)).copied());
        let found = found.filter(|port: &Port| port.protocol == protocol);
        let (link, acceptor, fails) = match found {
            Some(Port { node, listener, .. }) => {
                let acceptor =
                    EndPoint { node, life: self.nodes[node.0].life, listener, connection: None, address: remote };
                (self.link(from, node), acceptor, false)
            }
            // Nobody is asked: both ends are the opener's.
            None => {
                (self.setting.links.default, EndPoint { connection: None, address: remote, ..opener.clone() }, true)
            }
        };
        self.streams.of_end.insert((from, opener.life, connection), (number, 0));
        let passes = self.passes(from, acceptor.node);
        let knock = passes.max(self.now) + link.delay;
        let opens = knock + link.delay;
        let ends = [opener, acceptor];
        let ways = [Way { last: opens, ..Way::default() }, Way { last: knock, ..Way::default() }];
        self.streams.all.push(Stream { protocol, server_name, ends, state: State::Opening, opens, ways });
        let (time, event) = match () {
            () if fails => (opens, StreamEvent::Failed(number)),
            () if opens > self.now + PATIENCE => (self.now + PATIENCE, StreamEvent::Failed(number)),
            () => (knock, StreamEvent::Knock(number)),
        };
        self.queue.add(time, Happening::Stream(event));
    }

    /// From when on something passes from one node to another: the end of cuts and stalls, if there are any.
    fn passes(&self, from: NodeId, to: NodeId) -> Instant {
        let (from, to) = (self.trace.name(from), self.trace.name(to));
        let hold = |event: &Event| match event {
            Event::Cut { until, .. } if event.cuts(from, to) => Some(*until),
            Event::Stall { from: f, to: t, until } if f.is(from) && t.is(to) => Some(*until),
            _ => None,
        };
        self.lasting.iter().filter_map(hold).max().unwrap_or(Instant::ZERO)
    }

    pub(super) fn write_stream(&mut self, from: NodeId, connection: ConnectionId, transmit: Transmit) {
        let Transmit { flow, bytes, .. } = transmit;
        let life = self.nodes[from.0].life;
        let found = self.streams.of_end.get(&(from, life, connection)).copied();
        let open = found.filter(|(number, side)| {
            let stream = &self.streams.all[*number as usize];
            stream.state != State::Over && stream.ends[*side].connection.is_some()
        });
        let Some((number, side)) = open else {
            let (stopped, fate) = (Some(Stopped::Closed), Fate::FINE);
            let (source, destination) = (flow.remote, flow.remote);
            let stream = found.map(|(number, _)| number);
            let (to, ordinal, changed) = (None, 0, None);
            let sent = Transmission { from, to, source, destination, ordinal, fate, stopped, stream, changed, bytes };
            self.trace.push(self.now, What::Sent(sent));
            return;
        };
        let (near, far) = (self.end_of(number, side), self.end_of(number, 1 - side));
        let Passage { link, ordinal, fate } = self.pass(from, far.node, &bytes);
        let fate = fate.of_stream();
        if fate != Fate::FINE {
            self.met.messages.push((from, far.node, ordinal, fate));
        }
        let (source, destination, stream) = (near.address, far.address, Some(number));
        let (to, stopped, changed) = (Some(far.node), None, None);
        let length = bytes.len();
        let kept = bytes.clone();
        let sent = Transmission { from, to, source, destination, ordinal, fate, stopped, stream, changed, bytes };
        let sent = self.trace.push(self.now, What::Sent(sent));
        let Fate::Arrives { late, split, .. } = fate else {
            self.queue.add(self.now, Happening::Stream(StreamEvent::Reset(number)));
            return;
        };
        let passes = self.passes(from, far.node);
        let stream = &mut self.streams.all[number as usize];
        let leaves = if side == 0 { self.now.max(stream.opens) } else { self.now };
        let way = &mut stream.ways[side];
        let mut at = (leaves.max(passes) + link.delay + late).max(way.last);
        // A protocol that keeps messages apart brings each whole.
        let whole = keeps_messages(stream.protocol);
        let size = split.filter(|_| !whole).map_or(length, |size| size.get() as usize).max(1);
        let mut start = 0;
        while start < length {
            let end = length.min(start + size);
            let sent = (end == length).then_some(sent);
            way.chunks.push_back(Chunk { at, bytes: kept.clone(), from: start, to: end, sent });
            self.queue.add(at, Happening::Stream(StreamEvent::Flow(number, side)));
            way.last = at;
            at += BETWEEN_PIECES;
            start = end;
        }
    }

    pub(super) fn close_stream(&mut self, node: NodeId, connection: ConnectionId) {
        let key = (node, self.nodes[node.0].life, connection);
        let Some((number, side)) = self.streams.of_end.remove(&key) else { return };
        self.trace.lose(node, number);
        let far = self.end_of(number, 1 - side).node;
        let delay = self.link(node, far).delay;
        let stream = &mut self.streams.all[number as usize];
        stream.ends[side].connection = None;
        let at = stream.ways[side].last.max(self.now + delay);
        self.queue.add(at, Happening::Stream(StreamEvent::Fin(number, side)));
    }

    fn end_of(&self, number: u32, side: Side) -> EndPoint {
        self.streams.all[number as usize].ends[side].clone()
    }

    pub(super) fn stream_event(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Knock(number) => self.knock(number),
            StreamEvent::Opened(number) => self.opened(number),
            StreamEvent::Failed(number) => self.end_stream(number, 0, Change::Failed),
            StreamEvent::Flow(number, side) => self.flow(number, side),
            StreamEvent::Fin(number, side) => self.end_stream(number, 1 - side, Change::Closed),
            StreamEvent::Reset(number) => {
                for side in [0, 1] {
                    self.end_stream(number, side, Change::Closed);
                }
            }
            StreamEvent::Stalled { node, life, connection, stalled } => {
                if self.is_alive(node, life) && self.streams.of_end.contains_key(&(node, life, connection)) {
                    let change = if stalled { Change::Stalled } else { Change::Writable };
                    self.wake(node);
                    self.handle(node, Input::Connection { connection, change });
                }
            }
        }
    }

    fn knock(&mut self, number: u32) {
        let [opener, acceptor] = [self.end_of(number, 0), self.end_of(number, 1)];
        let stream = &self.streams.all[number as usize];
        if stream.state != State::Opening {
            return;
        }
        let opens = stream.opens;
        if !self.nodes[acceptor.node.0].up {
            self.queue.add(opens, Happening::Stream(StreamEvent::Failed(number)));
            return;
        }
        self.wake(acceptor.node);
        let place = &mut self.nodes[acceptor.node.0];
        let (life, connection) = (place.life, place.actor.reserve());
        let stream = &mut self.streams.all[number as usize];
        stream.state = State::Open;
        stream.ends[1].connection = Some(connection);
        stream.ends[1].life = life;
        self.streams.of_end.insert((acceptor.node, life, connection), (number, 1));
        self.queue.add(opens, Happening::Stream(StreamEvent::Opened(number)));
        let (listener, remote) = (acceptor.listener, opener.address);
        self.handle(acceptor.node, Input::Accepted { listener, connection, remote });
    }

    fn opened(&mut self, number: u32) {
        let opener = self.end_of(number, 0);
        let Some(connection) = opener.connection.filter(|_| self.is_alive(opener.node, opener.life)) else { return };
        let stream = &self.streams.all[number as usize];
        if stream.state != State::Open {
            return;
        }
        // The far end has a certificate for every name that the zone has for its address.
        let name = stream.server_name.clone().filter(|_| matches!(stream.protocol, Protocol::Tls | Protocol::Wss));
        let address = stream.ends[1].address.ip();
        let proved = name.filter(|name| {
            let question = Question::Address { name: name.clone() };
            self.setting.zone.answer(&question).contains(&sansip::Answer::Address(address))
        });
        let identities: Vec<&str> = proved.as_deref().into_iter().collect();
        self.wake(opener.node);
        self.handle(opener.node, Input::Connection { connection, change: Change::Opened { identities: &identities } });
    }

    /// Gives the far end what has come by now: in pieces that end at most one write each, so that it is known what came of what.
    fn flow(&mut self, number: u32, side: Side) {
        loop {
            let far = self.end_of(number, 1 - side);
            let (now, stream) = (self.now, &mut self.streams.all[number as usize]);
            let whole = keeps_messages(stream.protocol);
            let Some(come) = stream.ways[side].take(now, whole) else { return };
            let Some(connection) = far.connection.filter(|_| self.is_alive(far.node, far.life)) else { return };
            self.wake(far.node);
            if let Some(sent) = come.iter().find_map(|chunk| chunk.sent) {
                self.trace.push(now, What::Arrived { node: far.node, sent });
            }
            let bytes: Vec<u8> =
                come.iter().flat_map(|chunk| chunk.bytes[chunk.from..chunk.to].iter().copied()).collect();
            let bytes = &bytes;
            let input = if whole { Input::Message { connection, bytes } } else { Input::Stream { connection, bytes } };
            self.handle(far.node, input);
        }
    }

    /// One side is told that it has the connection no more.
    fn end_stream(&mut self, number: u32, side: Side, change: Change<'_>) {
        let stream = &mut self.streams.all[number as usize];
        stream.state = State::Over;
        let end = &mut stream.ends[side];
        let (node, life, connection) = (end.node, end.life, end.connection.take());
        stream.ways[1 - side].chunks.clear();
        let Some(connection) = connection else { return };
        self.streams.of_end.remove(&(node, life, connection));
        if self.is_alive(node, life) {
            self.wake(node);
            self.trace.lose(node, number);
            self.handle(node, Input::Connection { connection, change });
        }
    }

    /// The connections of a node that is gone are closed for it.
    pub(super) fn drop_streams(&mut self, node: NodeId) {
        for (number, side, far) in self.streams_between(|ends, side| ends[side].0 == node) {
            let delay = self.link(node, far).delay;
            self.streams.all[number as usize].ends[side].connection = None;
            let at = self.now + delay;
            self.queue.add(at, Happening::Stream(StreamEvent::Fin(number, side)));
        }
    }

    /// Resets what one node opened to another; false if there is nothing.
    pub(super) fn reset_streams(&mut self, from: &End, to: &End) -> bool {
        let of_link = |ends: [(NodeId, &str); 2], side| side == 0 && from.is(ends[0].1) && to.is(ends[1].1);
        let reset = self.streams_between(of_link);
        for (number, ..) in &reset {
            self.queue.add(self.now, Happening::Stream(StreamEvent::Reset(*number)));
        }
        !reset.is_empty()
    }

    /// Resets what goes through a NAT that has lost its bindings.
    pub(super) fn reset_streams_behind(&mut self, nat: usize) {
        for (number, ..) in self.streams_between(|ends, side| self.nodes[ends[side].0.0].behind == Some(nat)) {
            self.queue.add(self.now, Happening::Stream(StreamEvent::Reset(number)));
        }
    }

    /// Tells who writes to a link that it takes nothing, and later that it does again.
    pub(super) fn stall_streams(&mut self, from: &End, to: &End, until: Instant) {
        let writers = self.streams_between(|ends, side| from.is(ends[side].1) && to.is(ends[1 - side].1));
        for (number, side, _) in writers {
            let EndPoint { node, life, connection, .. } = self.end_of(number, side);
            let Some(connection) = connection else { continue };
            for (at, stalled) in [(self.now, true), (until, false)] {
                self.queue.add(at, Happening::Stream(StreamEvent::Stalled { node, life, connection, stalled }));
            }
        }
    }

    /// The streams that are not over and of which a side is meant: that side, and the node at the other.
    fn streams_between(&self, is_meant: impl Fn([(NodeId, &str); 2], Side) -> bool) -> Vec<(u32, Side, NodeId)> {
        let alive = self.streams.all.iter().zip(0..).filter(|(stream, _)| stream.state != State::Over);
        let sides = alive.flat_map(|(stream, number)| [0, 1].map(|side| (stream, number, side)));
        let meant = sides.filter(|(stream, _, side)| {
            let end = |side: Side| (stream.ends[side].node, self.trace.name(stream.ends[side].node));
            is_meant([end(0), end(1)], *side)
        });
        meant.map(|(stream, number, side)| (number, side, stream.ends[1 - side].node)).collect()
    }
}

/// Whether a protocol keeps messages apart.
const fn keeps_messages(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Ws | Protocol::Wss | Protocol::Sctp)
}
