//! Connections that the far end opens, and what the bytes that a connection brings change (RFC 3261 §18.3).

use alloc::vec::Vec;
use core::net::SocketAddr;

use crate::error::Limit;
use crate::flow::{ConnectionId, ListenerId};
use crate::message::header::Protocol;
use crate::message::{Framer, Host, HostBuf, MessageView};
use crate::node::Output;

use super::super::wire::{TimerKey, Wire};
use super::table::{Connection, Phase};

impl<K: TimerKey> Wire<K> {
    /// The far end has opened a connection. The limit at which that is refused, if it is.
    pub(crate) fn accept(&mut self, listener: ListenerId, id: ConnectionId, remote: SocketAddr) -> Option<Limit> {
        let protocol = self.listeners.get(listener).map(|listener| listener.protocol);
        let Some(protocol) = protocol.filter(|protocol| protocol.is_reliable()) else {
            self.stats.unlistened += 1;
            self.outputs.push_back(Output::Close { connection: id });
            return None;
        };
        if !self.connections.is_free(id) {
            return None;
        }
        if !self.connections.admits(remote.ip(), &self.limits) {
            self.stats.refused_connections += 1;
            self.outputs.push_back(Output::Close { connection: id });
            return Some(Limit::CONNECTIONS);
        }
        let phase = Phase::Fresh { until: self.now + self.patience };
        self.add_connection(id, Connection::new(listener, protocol, remote, phase, self.now));
        None
    }

    pub(super) fn add_connection(&mut self, id: ConnectionId, mut connection: Connection) {
        if matches!(connection.protocol, Protocol::Tcp | Protocol::Tls) {
            connection.framer = Some(Framer::new(self.message_limits));
        }
        self.connections.insert(id, connection);
        self.set_connection_alarm(id);
    }

    /// A connection is open, or the far end of an accepted one has shown who it is. Whether requests may have waited for it.
    pub(crate) fn opened(&mut self, id: ConnectionId, identities: &[&str]) -> bool {
        let Some(connection) = self.connections.get_mut(id) else { return false };
        let read = |name: &&str| Host::parse(name.as_bytes()).map(Host::to_buf);
        connection.identities = identities.iter().filter_map(read).collect::<Vec<HostBuf>>();
        let was_opening = connection.is_opening();
        if was_opening {
            self.connections.establish(id);
            self.touch(id);
        }
        was_opening
    }

    /// A connection brought a message that can be read: it is open if it was not, and requests may have waited for that. A request
    /// along TLS may make the connection an alias for the address that its sender advertises, if the sender has proved to be the
    /// one of that name (RFC 5923 §8.2).
    pub(crate) fn used(&mut self, id: ConnectionId, message: &MessageView<'_>) -> bool {
        let Some(connection) = self.connections.get(id) else { return false };
        let was_opening = connection.is_opening();
        let is_alias = |sent_by: Host<'_>| connection.identities.iter().any(|identity| identity.as_host() == sent_by);
        let alias = (connection.protocol == Protocol::Tls && message.method().is_some())
            .then(|| message.headers().top_via())
            .flatten()
            .filter(|via| via.parameters.get("alias").is_some() && is_alias(via.sent_by.host))
            .map(|via| via.sent_by.port.unwrap_or(Protocol::Tls.default_port()));
        self.connections.establish(id);
        self.touch(id);
        if let Some(port) = alias {
            self.connections.set_alias(id, port);
        }
        was_opening
    }

    /// Takes the framer of a byte stream out of the table, for as long as what it has cut off is looked at.
    pub(crate) fn take_framer(&mut self, id: ConnectionId) -> Option<Framer> {
        self.connections.get_mut(id)?.framer.take()
    }

    /// Puts the framer back, if the connection is still there. The limit that is met by what it holds, if one is: then the
    /// connection is to be closed.
    pub(crate) fn put_back(&mut self, id: ConnectionId, framer: Framer) -> Option<Limit> {
        let octets = framer.unfinished();
        let connection = self.connections.get_mut(id)?;
        connection.framer = Some(framer);
        if octets == 0 && connection.unfinished.is_none() {
            return None;
        }
        if !self.connections.hold(id, octets, self.now, self.limits.unfinished_octets) {
            self.stats.refused_connections += 1;
            return Some(Limit::UNFINISHED_OCTETS);
        }
        self.set_connection_alarm(id);
        None
    }

    /// Whether the connection is there and keeps messages apart (RFC 7118 §5, RFC 4168 §5).
    pub(crate) fn keeps_messages_apart(&self, id: ConnectionId) -> bool {
        self.connections.get(id).is_some_and(|connection| connection.framer.is_none() && !connection.ended)
    }
}
