//! What connections bring: messages, keep-alives, and streams that can be read no further (RFC 3261 §18.3).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::id::{ConnectionId, ListenerId};
use crate::message::header::Protocol;
use crate::message::{
    Frame, FrameError, Framer, Host, HostBuf, Message, Method, ParseError, Request, SharedBytes, StatusCode,
};
use crate::node::Output;
use crate::transport::stamp;

use super::super::Endpoint;
use super::table::{Connection, Connections, Phase};
use super::{PING, PONG};

/// What stands next on a stream.
enum Next {
    /// Nothing whole.
    More,
    Message(Box<Result<Message, ParseError>>),
    Ping,
    Pong,
    /// The stream can be read no further; the request that it broke off in, if its header section is there.
    Broken(FrameError, Option<Box<Request>>),
}

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
        if !self.connections.admits(remote.ip(), &self.config.limits) {
            self.stats.refused_connections += 1;
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
        let mut input = bytes;
        self.touch_connection(id);
        loop {
            match self.connections.next(id, &mut input, &self.config.limits.message) {
                Next::More => {
                    self.hold_unfinished(id);
                    return &[];
                }
                Next::Message(message) => {
                    self.hold_unfinished(id);
                    self.connection_message(id, *message);
                    return input;
                }
                Next::Ping => self.pong(id),
                Next::Pong => self.ponged(id),
                Next::Broken(error, request) => {
                    self.broken(id, error, request.map(|request| *request));
                    return &[];
                }
            }
        }
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
            PONG => self.ponged(id),
            _ => self.connection_message(id, Message::parse(bytes, &self.config.limits.message)),
        }
    }

    fn connection_message(&mut self, id: ConnectionId, message: Result<Message, ParseError>) {
        let Some(flow) = self.connections.flow(id).filter(|_| !self.is_overrun()) else { return };
        if message.is_ok() {
            self.established(id);
        }
        if let Ok(Message::Request(request)) = &message {
            self.alias(id, request);
        }
        self.message_in(flow, message);
    }

    /// A request along TLS may make its connection an alias for the address that its sender advertises, if the sender has
    /// proved to be the one of that name (RFC 5923 §8.2).
    fn alias(&mut self, id: ConnectionId, request: &Request) {
        let Some(connection) = self.connections.get(id) else { return };
        let Some(via) = request.top_via().filter(|_| connection.protocol == Protocol::Tls) else { return };
        if via.parameters.get("alias").is_some()
            && connection.identities.iter().any(|identity| identity.as_host() == via.sent_by.host)
        {
            self.connections.set_alias(id, via.sent_by.port.unwrap_or(Protocol::Tls.default_port()));
        }
    }

    fn hold_unfinished(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get(id) else { return };
        let octets = connection.framer.as_ref().map_or(0, Framer::unfinished);
        if octets == 0 && connection.unfinished.is_none() {
            return;
        }
        if self.connections.hold(id, octets, self.now, &self.config.limits) {
            self.set_connection_alarm(id);
        } else {
            self.stats.refused_connections += 1;
            self.close_connection(id);
        }
    }

    fn pong(&mut self, id: ConnectionId) {
        if let Some(flow) = self.connections.flow(id)
            && self.outputs.len() < self.config.limits.outputs
        {
            self.send(flow, SharedBytes::from(PONG));
        }
    }

    fn ponged(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.pong_due = None;
            self.set_connection_alarm(id);
        }
    }

    /// A stream that can be read no further is closed; a request that can be read so far is answered first (§18.3).
    fn broken(&mut self, id: ConnectionId, error: FrameError, request: Option<Request>) {
        self.stats.broken_streams += 1;
        if let (Some(flow), Some(request)) = (self.connections.flow(id), request)
            && request.method() != Method::Ack
            && request.top_via().is_some()
        {
            self.stats.rejected += 1;
            let stamped = stamp(&request, flow.remote).ok().flatten().unwrap_or(request);
            let reason = match error.status() {
                StatusCode::BAD_REQUEST => "Missing or malformed Content-Length",
                status => status.reason(),
            };
            self.answer(&stamped, flow, error.status(), reason, None);
        }
        self.close_connection(id);
    }
}

impl Connections {
    fn next(&mut self, id: ConnectionId, input: &mut &[u8], limits: &crate::message::Limits) -> Next {
        let Some(framer) = self.get_mut(id).and_then(|connection| connection.framer.as_mut()) else {
            return Next::More;
        };
        match framer.read(input) {
            None => Next::More,
            Some(Ok(Frame::Message(bytes))) => Next::Message(Box::new(Message::parse(bytes, limits))),
            Some(Ok(Frame::Ping)) => Next::Ping,
            Some(Ok(Frame::Pong)) => Next::Pong,
            Some(Err(error)) => {
                let request = match Message::parse(framer.rejected(), limits) {
                    Ok(Message::Request(request)) => Some(Box::new(request)),
                    _ => None,
                };
                Next::Broken(error, request)
            }
        }
    }
}
