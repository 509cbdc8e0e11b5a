//! Connections of stream and message protocols (RFC 3261 §18, RFC 5626 §3.5.1, RFC 5923).
//!
//! `table.rs` is what is known of each and how it is found; `opening.rs` is which one a message goes along, and how one is
//! opened; `inbound.rs` is how one is accepted, and what the bytes that it brings change; `keep_alive.rs` is pings and pongs;
//! here is how connections end.

mod inbound;
mod keep_alive;
mod opening;
mod table;

pub(crate) use keep_alive::{PING, PONG, PONG_WITHIN};
pub(crate) use opening::{Way, source_of};
pub(crate) use table::Connections;

use crate::flow::{ConnectionId, Flow};
use crate::node::Output;
use crate::time::Instant;

use super::wire::{TimerKey, Wire};
use table::Reason;

/// A connection that is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "whoever used the connection has to hear of it"]
pub(crate) struct Lost {
    /// The flow that went along the connection.
    pub(crate) flow: Flow,
    pub(crate) connection: ConnectionId,
    /// Whether the connection had been open.
    pub(crate) was_open: bool,
    /// Whether what was sent along the connection last has not left the driver. What has left it may have arrived.
    pub(crate) unwritten: bool,
}

impl<K: TimerKey> Wire<K> {
    /// A time limit of a connection has passed: the connection, if it is to be closed for that.
    pub(crate) fn connection_timer(&mut self, id: ConnectionId) -> Option<Lost> {
        let connection = self.connections.get_mut(id)?;
        connection.alarm.fired();
        match connection.deadline(self.patience) {
            Some((at, reason)) if at <= self.now => {
                self.stats.slow_connections += u64::from(reason == Reason::Slow);
                self.close(id)
            }
            _ => {
                self.set_connection_alarm(id);
                None
            }
        }
    }

    /// The driver holds bytes that it could not write.
    pub(crate) fn stalled(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.stalled.get_or_insert(0);
        }
    }

    /// The driver has written all that it held.
    pub(crate) fn writable(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.stalled = None;
        }
    }

    /// A connection that holds too much that was not written, and is to be closed.
    pub(crate) fn next_overflowed(&mut self) -> Option<ConnectionId> {
        let id = self.connections.overflowed.pop()?;
        self.stats.stalled_connections += 1;
        Some(id)
    }

    /// The far end has ended its side of a connection: an unfinished message is dropped, and the connection is closed as soon as no
    /// transaction uses it. The flow, along which no response to a request of ours can come any more; or, if the connection was not
    /// open, what is lost.
    pub(crate) fn end(&mut self, id: ConnectionId) -> Result<Flow, Option<Lost>> {
        let Some(connection) = self.connections.get_mut(id).filter(|connection| !connection.is_opening()) else {
            return Err(self.lose(id));
        };
        connection.ended = true;
        connection.framer = None;
        connection.pong_due = None;
        self.connections.establish(id);
        self.connections.hold(id, 0, self.now, 0);
        self.touch(id);
        self.connections.flow(id).ok_or(None)
    }

    /// Ends a connection from this side.
    pub(crate) fn close(&mut self, id: ConnectionId) -> Option<Lost> {
        self.connections.flow(id)?;
        self.outputs.push_back(Output::Close { connection: id });
        self.lose(id)
    }

    /// Takes out a connection that is no more (RFC 3261 §18.4).
    pub(crate) fn lose(&mut self, id: ConnectionId) -> Option<Lost> {
        let flow = self.connections.flow(id)?;
        let mut connection = self.connections.remove(id)?;
        connection.alarm.stop(&mut self.timers);
        let was_open = !connection.is_opening();
        let unwritten = !was_open || connection.stalled.is_some();
        Some(Lost { flow, connection: id, was_open, unwritten })
    }

    /// Takes note that one transaction more uses the connection of this flow.
    pub(crate) fn hold(&mut self, flow: Flow) {
        if let Some(id) = flow.connection
            && let Some(connection) = self.connections.get_mut(id)
        {
            connection.users += 1;
            self.set_connection_alarm(id);
        }
    }

    /// Takes note that one transaction less uses the connection of this flow.
    pub(crate) fn release(&mut self, flow: Flow) {
        if let Some(id) = flow.connection
            && let Some(connection) = self.connections.get_mut(id)
        {
            connection.users = connection.users.saturating_sub(1);
            connection.last_use = self.now;
            self.set_connection_alarm(id);
        }
    }

    /// Keeps the connection of a flow open until then though nothing uses it; `None`: no longer than any other.
    pub(crate) fn keep_until(&mut self, flow: Flow, until: Option<Instant>) {
        if let Some(id) = flow.connection
            && let Some(connection) = self.connections.get_mut(id)
        {
            connection.kept_until = until;
            self.set_connection_alarm(id);
        }
    }

    /// Takes note that something went along the connection: its idleness begins anew.
    pub(crate) fn touch(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.last_use = self.now;
            self.set_connection_alarm(id);
        }
    }

    /// Makes the entry in the timer queue that of the connection's deadline.
    pub(super) fn set_connection_alarm(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            let deadline = connection.deadline(self.patience).map(|(at, _)| at);
            connection.alarm.set(&mut self.timers, deadline, K::from(id));
        }
    }
}
