//! Pings and pongs (RFC 5626 §3.5.1, RFC 7118 §6).

use crate::error::CommandError;
use crate::flow::{ConnectionId, Flow};
use crate::message::SharedBytes;
use crate::time::Duration;

use super::super::wire::{TimerKey, Wire};

/// How long a ping may stay without a pong (RFC 5626 §4.4.1).
pub(crate) const PONG_WITHIN: Duration = Duration::from_secs(10);

pub(crate) const PING: &[u8] = b"\r\n\r\n";
pub(crate) const PONG: &[u8] = b"\r\n";

impl<K: TimerKey> Wire<K> {
    /// Sends a ping along a connection that is open. While a pong is awaited another ping does not move the time at which that is
    /// missed.
    pub(crate) fn ping(&mut self, flow: Flow) -> Result<(), CommandError> {
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

    /// Sends what keeps a flow alive: a ping along a connection, and one line end as a datagram, which nobody answers.
    pub(crate) fn keep_alive(&mut self, flow: Flow) -> Result<(), CommandError> {
        if flow.connection.is_some() {
            return self.ping(flow);
        }
        if self.listeners.get(flow.listener).is_none() {
            return Err(CommandError::Gone);
        }
        self.send(flow, SharedBytes::from(PONG));
        Ok(())
    }

    /// Answers a ping, unless too much is queued.
    pub(crate) fn pong(&mut self, id: ConnectionId) {
        if let Some(flow) = self.connections.flow(id)
            && !self.is_overrun()
        {
            self.send(flow, SharedBytes::from(PONG));
        }
    }

    /// A line end came alone; whether it is a pong that was awaited.
    pub(crate) fn ponged(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get_mut(id) else { return false };
        let awaited = connection.pong_due.take().is_some();
        self.set_connection_alarm(id);
        awaited
    }
}
