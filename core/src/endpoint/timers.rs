//! Whose a timer is, and the one entry that a transaction has in the queue.

use crate::id::{ClientTransactionId, ConnectionId, ServerTransactionId, TimerId};
use crate::tag::Tag;
use crate::time::Instant;
use crate::timer::TimerQueue;

use super::search::Asker;

/// Whose a timer is.
#[derive(Clone, Copy, Debug)]
pub(super) enum TimerKey {
    Client(ClientTransactionId),
    Server(ServerTransactionId),
    /// The resolver has not answered in time.
    Search(Asker),
    Connection(ConnectionId),
    User(Tag),
}

/// The one entry that its holder has in the timer queue.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Alarm(Option<(TimerId, Instant)>);

impl Alarm {
    /// Sets, moves or takes out the entry. One that stays where it is keeps its place among equals.
    pub(super) fn set(&mut self, timers: &mut TimerQueue<TimerKey>, deadline: Option<Instant>, key: TimerKey) {
        match (self.0, deadline) {
            (Some((_, old)), Some(new)) if old == new => {}
            (Some((timer, _)), Some(new)) => {
                timers.reset(timer, new);
                self.0 = Some((timer, new));
            }
            (Some(_), None) => self.stop(timers),
            (None, Some(new)) => self.0 = Some((timers.set(new, key), new)),
            (None, None) => {}
        }
    }

    /// Takes the entry out.
    pub(super) fn stop(&mut self, timers: &mut TimerQueue<TimerKey>) {
        if let Some((timer, _)) = self.0.take() {
            timers.cancel(timer);
        }
    }

    /// The entry has fired: it is no longer in the queue.
    pub(super) fn fired(&mut self) {
        self.0 = None;
    }
}
