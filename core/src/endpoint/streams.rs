//! Connections as the endpoint sees them: what they bring, and who has to hear that one is open or lost (RFC 3261 §18.3, §18.4).

use crate::error::CommandError;
use crate::error::Limit;
use crate::flow::{ConnectionId, Flow};
use crate::message::{Frame, FrameError, Framer, Phrase, Request, StatusCode};
use crate::node::Change;
use crate::time::Instant;
use crate::transport::{Lost, PING, PONG, stamp};

use super::{DropCause, Endpoint, Indication};

impl Endpoint {
    /// Sends a keep-alive along a connection (RFC 5626 §3.5.1): two CRLFs, to be answered with one within 10 s, else the flow
    /// has failed ([`Indication::FlowFailed`]). While a pong is awaited another ping does not move that time.
    ///
    /// # Errors
    /// `Gone` if the connection is not open; `Invalid` for a flow without a connection, which is kept alive by STUN (RFC
    /// 5626 §3.5.2): that is the driver's.
    pub fn ping(&mut self, now: Instant, flow: Flow) -> Result<(), CommandError> {
        self.wire.advance(now);
        self.wire.ping(flow)
    }

    /// Keeps a flow alive: a [`ping`](Self::ping) along a connection. Along a flow without one a single CRLF goes as a datagram, so that
    /// a NAT on the way keeps its mapping; nobody answers that, and it tells nothing of the flow.
    ///
    /// # Errors
    /// `Gone` if the connection is not open, or there is no such listener.
    pub fn keep_alive(&mut self, now: Instant, flow: Flow) -> Result<(), CommandError> {
        self.wire.advance(now);
        self.wire.keep_alive(flow)
    }

    /// Keeps the connection of a flow open though no transaction uses it, until as many [`release_flow`](Self::release_flow) have come.
    pub(crate) fn hold_flow(&mut self, flow: Flow) {
        self.wire.hold(flow);
    }

    /// Keeps the connection of a flow open until then though no transaction uses it; `None`: no longer than any other.
    pub(crate) fn keep_flow_until(&mut self, flow: Flow, until: Option<Instant>) {
        self.wire.keep_until(flow, until);
    }

    /// Ends one [`hold_flow`](Self::hold_flow).
    pub(crate) fn release_flow(&mut self, flow: Flow) {
        self.wire.release(flow);
    }

    /// A connection is not what it was.
    pub(super) fn connection_changed(&mut self, id: ConnectionId, change: Change<'_>) {
        match change {
            Change::Opened { identities } => {
                if self.wire.opened(id, identities) {
                    self.opened(id);
                }
            }
            Change::Stalled => self.wire.stalled(id),
            Change::Writable => self.wire.writable(id),
            Change::Ended => match self.wire.end(id) {
                Ok(flow) => self.clients_unsent(flow),
                Err(lost) => self.lost(lost),
            },
            Change::Failed | Change::Closed => {
                let lost = self.wire.lose(id);
                self.lost(lost);
            }
        }
    }

    /// Takes one message, and all that is none before it, off the front of what a byte stream brought; what is left.
    pub(super) fn stream_in<'a>(&mut self, id: ConnectionId, bytes: &'a [u8]) -> &'a [u8] {
        let Some(mut framer) = self.wire.take_framer(id) else { return &[] };
        if !bytes.is_empty() {
            self.wire.touch(id);
        }
        let mut left = bytes;
        loop {
            match framer.read(&mut left) {
                None => break,
                Some(Ok(Frame::Message(message))) => {
                    self.connection_message(id, message);
                    break;
                }
                Some(Ok(Frame::Ping)) => self.wire.pong(id),
                Some(Ok(Frame::Pong)) => {
                    if self.wire.ponged(id) {
                        framer.pong_was_awaited();
                    }
                }
                Some(Err(error)) => {
                    self.broken(id, error, framer.begun());
                    return &[];
                }
            }
        }
        if let Some(limit) = self.wire.put_back(id, framer) {
            self.overloaded(limit);
            let framer = self.wire.take_framer(id);
            let begun = framer.as_ref().map_or(&[][..], Framer::begun);
            let status = StatusCode::MESSAGE_TOO_LARGE;
            self.answer_last(id, begun, status, Phrase::of(status));
            self.close(id);
        }
        left
    }

    /// A connection that keeps messages apart brought one (RFC 7118 §5, RFC 4168 §5). Keep-alives are messages too
    /// (RFC 7118 §6).
    pub(super) fn connection_message_in(&mut self, id: ConnectionId, bytes: &[u8]) {
        if !self.wire.keeps_messages_apart(id) {
            return;
        }
        self.wire.touch(id);
        match bytes {
            PING => self.wire.pong(id),
            PONG => _ = self.wire.ponged(id),
            _ => self.connection_message(id, bytes),
        }
    }

    fn connection_message(&mut self, id: ConnectionId, bytes: &[u8]) {
        if let Some(flow) = self.wire.connections.flow(id) {
            self.message_in(flow, bytes);
        }
    }

    /// A stream that can be read no further is closed; a request that can be read so far is answered first (§18.3).
    fn broken(&mut self, id: ConnectionId, error: FrameError, begun: &[u8]) {
        self.wire.stats.broken_streams += 1;
        if !self.answer_last(id, begun, error.status(), error.reason())
            && let Some(flow) = self.wire.connections.flow(id)
        {
            self.dropped(DropCause::BrokenStream(error), flow, begun);
        }
        self.close(id);
    }

    /// Answers the request that has begun on a connection, which is about to be closed; whether that can be done.
    fn answer_last(&mut self, id: ConnectionId, begun: &[u8], status: StatusCode, reason: Phrase) -> bool {
        let Some(flow) = self.wire.connections.flow(id) else { return false };
        let request = Request::salvage_begun(begun, &self.config.limits.message);
        let Some(request) = request.filter(|request| self.answerable(request.headers(), flow).is_some()) else {
            return false;
        };
        self.wire.stats.rejected += 1;
        self.answer(&stamp(request, flow.remote), flow, status, reason, None);
        true
    }

    /// Tells the requests that wait for a connection that it is open.
    pub(super) fn opened(&mut self, id: ConnectionId) {
        let (deliveries, mut below) = self.deliveries();
        deliveries.opened(&mut below, id);
    }

    /// Closes each connection that holds too much that was not written.
    pub(super) fn close_overflowed(&mut self) {
        while let Some(id) = self.wire.next_overflowed() {
            self.overloaded(Limit::STALLED_OCTETS);
            self.close(id);
        }
    }

    pub(super) fn close(&mut self, id: ConnectionId) {
        let lost = self.wire.close(id);
        self.lost(lost);
    }

    /// A connection is no more: who waits for it goes another way, and who used it is told (RFC 3261 §17.1.4, §18.4).
    ///
    /// Whoever is told may open connections and never closes one at once, so that this does not lead here again.
    pub(super) fn lost(&mut self, lost: Option<Lost>) {
        let Some(Lost { flow, connection, was_open, unwritten }) = lost else { return };
        self.clients_unsent(flow);
        if unwritten {
            self.servers_unsent(flow);
        } else {
            // The last response may have arrived: the next one goes another way.
            self.servers.take_senders(flow);
        }
        let (deliveries, mut below) = self.deliveries();
        deliveries.unopened(&mut below, connection);
        if was_open {
            self.indications.tell(Indication::FlowFailed { flow });
        }
    }

    /// Tells the client transactions that have sent along `flow` that nothing arrives there.
    pub(super) fn clients_unsent(&mut self, flow: Flow) {
        for client in self.clients.take_senders(flow) {
            let heard = self.clients.unsent(&mut self.wire, client, flow);
            let (deliveries, mut below) = self.deliveries();
            deliveries.heard(&mut below, heard);
        }
    }

    /// Tells the server transactions that have sent along `flow` that nothing arrives there.
    pub(super) fn servers_unsent(&mut self, flow: Flow) {
        for server in self.servers.take_senders(flow) {
            let told = self.servers.unsent(&mut self.wire, server, flow);
            self.server_told(server, told);
        }
    }
}
