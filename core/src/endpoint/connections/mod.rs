//! Connections of stream and message protocols (RFC 3261 §18, RFC 5626 §3.5.1, RFC 5923).
//!
//! `table.rs` is what is known of each and how it is found; `inbound.rs` is what they bring; `opening.rs` is which one a
//! message goes along, and how one is opened; here is how they end.

mod inbound;
mod opening;
mod table;

pub(super) use opening::Way;
pub(super) use table::Connections;

use crate::error::CommandError;
use crate::error::Limit;
use crate::flow::{ConnectionId, Flow};
use crate::message::SharedBytes;
use crate::node::{Change, Output};
use crate::time::{Duration, Instant};

use super::timers::TimerKey;
use super::{Endpoint, Indication};

use table::Reason;

/// How long a ping may stay without a pong (RFC 5626 §4.4.1).
const PONG_WITHIN: Duration = Duration::from_secs(10);

const PING: &[u8] = b"\r\n\r\n";
const PONG: &[u8] = b"\r\n";

impl Endpoint {
    /// Sends a keep-alive along a connection (RFC 5626 §3.5.1): two CRLFs, to be answered with one within 10 s, else the flow
    /// has failed ([`Indication::FlowFailed`]). While a pong is awaited another ping does not move that time.
    ///
    /// # Errors
    /// `Gone` if the connection is not open; `Invalid` for a flow without a connection, which is kept alive by STUN (RFC
    /// 5626 §3.5.2): that is the driver's.
    pub fn ping(&mut self, now: Instant, flow: Flow) -> Result<(), CommandError> {
        self.advance(now);
        let id = flow.connection.ok_or(CommandError::Invalid("flow"))?;
        let due = self.now + PONG_WITHIN;
        let connection = self.connections.get_mut(id).filter(|connection| !connection.is_opening());
        let connection = connection.ok_or(CommandError::Gone)?;
        connection.pong_due.get_or_insert(due);
        self.set_connection_alarm(id);
        if let Some(flow) = self.connections.flow(id) {
            self.send(flow, SharedBytes::from(PING));
        }
        Ok(())
    }

    /// A connection is not what it was.
    pub(super) fn connection_changed(&mut self, id: ConnectionId, change: Change<'_>) {
        match change {
            Change::Opened { identities } => self.connection_opened(id, identities),
            Change::Stalled => {
                if let Some(connection) = self.connections.get_mut(id) {
                    connection.stalled.get_or_insert(0);
                }
            }
            Change::Writable => {
                if let Some(connection) = self.connections.get_mut(id) {
                    connection.stalled = None;
                }
            }
            Change::Failed | Change::Closed => self.connection_lost(id),
        }
    }

    /// A time limit of a connection has passed.
    pub(super) fn connection_timer(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.get_mut(id) else { return };
        connection.alarm.fired();
        match connection.deadline(self.schedule.sixty_four_t1) {
            Some((at, reason)) if at <= self.now => {
                self.stats.slow_connections += u64::from(reason == Reason::Slow);
                self.close_connection(id);
            }
            _ => self.set_connection_alarm(id),
        }
    }

    /// Closes those that hold too much that was not written.
    pub(super) fn close_overflowed(&mut self) {
        while let Some(id) = self.connections.overflowed.pop() {
            self.stats.stalled_connections += 1;
            self.overloaded(Limit::STALLED_OCTETS);
            self.close_connection(id);
        }
    }

    /// Ends a connection from this side.
    pub(super) fn close_connection(&mut self, id: ConnectionId) {
        if self.connections.flow(id).is_some() {
            self.outputs.push_back(Output::Close { connection: id });
            self.connection_lost(id);
        }
    }

    /// A connection is no more: who waits for it goes another way, and who used it is told (RFC 3261 §17.1.4, §18.4).
    fn connection_lost(&mut self, id: ConnectionId) {
        let Some(flow) = self.connections.flow(id) else { return };
        let Some(mut connection) = self.connections.remove(id) else { return };
        connection.alarm.stop(&mut self.timers);
        let was_opening = connection.is_opening();
        // What was written may have arrived, and what was not has not.
        let unwritten = was_opening || connection.stalled.is_some();
        self.clients_unreachable(flow);
        if unwritten {
            self.servers_unreachable(flow);
        } else {
            self.servers_disconnected(flow);
        }
        for delivery in connection.take_waiting() {
            self.delivery_unopened(delivery, id);
        }
        if !was_opening {
            self.tell(Indication::FlowFailed { flow });
        }
    }

    /// One transaction more uses the connection of this flow.
    pub(super) fn hold_connection(&mut self, flow: Flow) {
        if let Some(id) = flow.connection
            && let Some(connection) = self.connections.get_mut(id)
        {
            connection.users += 1;
            self.set_connection_alarm(id);
        }
    }

    /// One transaction less uses the connection of this flow.
    pub(super) fn release_connection(&mut self, flow: Flow) {
        if let Some(id) = flow.connection
            && let Some(connection) = self.connections.get_mut(id)
        {
            connection.users = connection.users.saturating_sub(1);
            connection.last_use = self.now;
            self.set_connection_alarm(id);
        }
    }

    /// Something went along the connection: its idleness begins anew.
    pub(super) fn touch_connection(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            connection.last_use = self.now;
            self.set_connection_alarm(id);
        }
    }

    fn set_connection_alarm(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(id) {
            let deadline = connection.deadline(self.schedule.sixty_four_t1).map(|(at, _)| at);
            connection.alarm.set(&mut self.timers, deadline, TimerKey::Connection(id));
        }
    }
}
