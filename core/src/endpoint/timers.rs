//! Whose a timer is, and the one entry that a transaction has in the queue.

use crate::flow::ConnectionId;
use crate::tag::Tag;
use crate::time::Instant;
use crate::timer::{TimerId, TimerQueue};
use crate::transaction::{ClientTransactionId, ServerTransactionId};

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
#[derive(Clone, Copy, Debug)]
pub(super) struct Alarm {
    timer: TimerId,
    /// [`Instant::NEVER`] if there is none.
    deadline: Instant,
}

impl Alarm {
    /// Sets, moves or takes out the entry. One that stays where it is keeps its place among equals.
    pub(super) fn set(&mut self, timers: &mut TimerQueue<TimerKey>, deadline: Option<Instant>, key: TimerKey) {
        match deadline {
            Some(new) if self.deadline == new => {}
            Some(new) => {
                if self.deadline == Instant::NEVER || !timers.reset(self.timer, new) {
                    self.timer = timers.set(new, key);
                }
                self.deadline = new;
            }
            None => self.stop(timers),
        }
    }

    /// Takes the entry out.
    pub(super) fn stop(&mut self, timers: &mut TimerQueue<TimerKey>) {
        if self.deadline != Instant::NEVER {
            timers.cancel(self.timer);
            self.fired();
        }
    }

    /// The entry has fired: it is no longer in the queue.
    pub(super) const fn fired(&mut self) {
        self.deadline = Instant::NEVER;
    }
}

impl Default for Alarm {
    fn default() -> Self {
        Self { timer: TimerId::from_parts(0, 0), deadline: Instant::NEVER }
    }
}
