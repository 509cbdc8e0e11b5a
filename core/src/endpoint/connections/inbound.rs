//! What connections bring: messages, keep-alives, and streams that can be read no further (RFC 3261 §18.3).

use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::error::Limit;
use crate::flow::{ConnectionId, ListenerId};
use crate::message::header::Protocol;
use crate::message::{Frame, FrameError, Framer, Host, HostBuf, MessageView, Request, SharedBytes, StatusCode};
use crate::node::Output;
use crate::transport::stamp;

use super::super::Endpoint;
use super::table::{Connection, Phase};
use super::{PING, PONG};

impl Endpoint {
    /// The far end has opened a connection.
    pub(in crate::endpoint) fn connection_accepted(
        &mut self,
        listener: ListenerId,
        id: ConnectionId,
        remote: SocketAddr,
    ) {
        let protocol = self.listeners.get(listener).map(|listener| listener.protocol);
        let Some(protocol) = protocol.filter(|protocol| protocol.is_reliable()) else {
            self.stats.unlistened += 1;
            self.outputs.push_back(Output::Close { connection: id });
            return;
        };
        if !self.connections.is_free(id) {
            return;
        }
        if !self.connections.admits(remote.ip(), &self.config.limits.transport) {
            self.stats.refused_connections += 1;
            self.overloaded(Limit::CONNECTIONS);
            self.outputs.push_back(Output::Close { connection: id });
            return;
        }
        let phase = Phase::Fresh { until: self.now + self.schedule.sixty_four_t1 };
        self.add_connection(id, Connection::new(listener, protocol, remote, phase, self.now));
    }

    pub(super) fn add_connection(&mut self, id: ConnectionId, mut connection: Connection) {
        if matches!(connection.protocol, Protocol::Tcp | Protocol::Tls) {
            connection.framer = Some(Framer::new(self.config.limits.message));
        }
        self.connections.insert(id, connection);
        self.set_connection_alarm(id);
    }

    /// It is open, or the far end of an accepted one has shown who it is.
    pub(super) fn connection_opened(&mut self, id: ConnectionId, identities: &[&str]) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        let read = |name: &&str| Host::parse(name.as_bytes()).map(Host::to_buf);
        connection.identities = identities.iter().filter_map(read).collect::<Vec<HostBuf>>();
        if connection.is_opening() {
            self.established(id);
        }
    }

    /// The connection is no longer half open: what waited for it goes out.
    fn established(&mut self, id: ConnectionId) {
        let waiting = self.connections.opened(id);
        self.touch_connection(id);
        for delivery in waiting {
            self.delivery_opened(delivery, id);
        }
    }

    /// Takes one message, and all that is none before it, off the front of what a byte stream brought; what is left.
    pub(in crate::endpoint) fn stream_in<'a>(&mut self, id: ConnectionId, bytes: &'a [u8]) -> &'a [u8] {
        // The framer is out of the table while what it has cut off is looked at.
        let Some(mut framer) = self.connections.get_mut(id).and_then(|connection| connection.framer.take()) else {
            return &[];
        };
        if !bytes.is_empty() {
            self.touch_connection(id);
        }
        let mut left = bytes;
        loop {
            match framer.read(&mut left) {
                None => break,
                Some(Ok(Frame::Message(message))) => {
                    self.connection_message(id, message);
                    break;
                }
                Some(Ok(Frame::Ping)) => self.pong(id),
                Some(Ok(Frame::Pong)) => {
                    if self.ponged(id) {
                        framer.pong_was_awaited();
                    }
                }
                Some(Err(error)) => {
                    self.broken(id, error, framer.rejected());
                    return &[];
                }
            }
        }
        let unfinished = framer.unfinished();
        if let Some(connection) = self.connections.get_mut(id) {
            connection.framer = Some(framer);
            self.hold_unfinished(id, unfinished);
        }
        left
    }

    /// A connection that keeps messages apart brought one (RFC 7118 §5, RFC 4168 §5). Keep-alives are messages too
    /// (RFC 7118 §6).
    pub(in crate::endpoint) fn connection_message_in(&mut self, id: ConnectionId, bytes: &[u8]) {
        if self.connections.get(id).is_none_or(|connection| connection.framer.is_some()) {
            return;
        }
        self.touch_connection(id);
        match bytes {
            PING => self.pong(id),
            PONG => _ = self.ponged(id),
            _ => self.connection_message(id, bytes),
        }
    }

    fn connection_message(&mut self, id: ConnectionId, bytes: &[u8]) {
        if let Some(flow) = self.connections.flow(id).filter(|_| !self.is_overrun()) {
            self.message_in(flow, bytes);
        }
    }

    /// A connection brought a message that can be read. A request along TLS may make it an alias for the address that its
    /// sender advertises, if the sender has proved to be the one of that name (RFC 5923 §8.2).
    pub(in crate::endpoint) fn connection_used(&mut self, id: ConnectionId, message: &MessageView<'_>) {
        self.established(id);
        let Some(connection) = self.connections.get(id).filter(|connection| connection.protocol == Protocol::Tls)
        else {
            return;
        };
        let Some(via) = message.headers().top_via().filter(|_| message.method().is_some()) else { return };
        if via.parameters.get("alias").is_some()
            && connection.identities.iter().any(|identity| identity.as_host() == via.sent_by.host)
        {
            self.connections.set_alias(id, via.sent_by.port.unwrap_or(Protocol::Tls.default_port()));
        }
    }

    fn hold_unfinished(&mut self, id: ConnectionId, octets: usize) {
        let before = self.connections.get(id).is_some_and(|connection| connection.unfinished.is_some());
        if octets == 0 && !before {
            return;
        }
        if self.connections.hold(id, octets, self.now, &self.config.limits.transport) {
            self.set_connection_alarm(id);
        } else {
            self.stats.refused_connections += 1;
            self.overloaded(Limit::UNFINISHED_OCTETS);
            self.close_connection(id);
        }
    }

    fn pong(&mut self, id: ConnectionId) {
        if let Some(flow) = self.connections.flow(id)
            && self.outputs.len() < self.config.limits.transport.outputs
        {
            self.send(flow, SharedBytes::from(PONG));
        }
    }

    /// A line end came alone; whether it is a pong that was awaited.
    fn ponged(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get_mut(id) else { return false };
        let awaited = connection.pong_due.take().is_some();
        self.set_connection_alarm(id);
        awaited
    }

    /// A stream that can be read no further is closed; a request that can be read so far is answered first (§18.3).
    fn broken(&mut self, id: ConnectionId, error: FrameError, head: &[u8]) {
        self.stats.broken_streams += 1;
        if let Some(flow) = self.connections.flow(id)
            && let Some(request) = Request::salvage(head, &self.config.limits.message)
            && self.answerable(request.headers(), flow).is_some()
        {
            self.stats.rejected += 1;
            let reason = match error.status() {
                StatusCode::BAD_REQUEST => "Missing or malformed Content-Length",
                status => status.reason(),
            };
            self.answer(&stamp(request, flow.remote), flow, error.status(), reason, None);
        }
        self.close_connection(id);
    }
}
