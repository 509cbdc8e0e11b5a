//! The one entry that a holder of deadlines has in the timer queue.

use crate::time::Instant;
use crate::timer::{TimerId, TimerQueue};

/// The one entry that its holder has in the timer queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alarm {
    timer: TimerId,
    /// [`Instant::NEVER`] if there is none.
    deadline: Instant,
}

impl Alarm {
    /// Sets, moves or takes out the entry. One that stays where it is keeps its place among equals.
    pub(crate) fn set<K>(&mut self, timers: &mut TimerQueue<K>, deadline: Option<Instant>, key: K) {
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
    pub(crate) fn stop<K>(&mut self, timers: &mut TimerQueue<K>) {
        if self.deadline != Instant::NEVER {
            timers.cancel(self.timer);
            self.fired();
        }
    }

    /// The entry has fired: it is no longer in the queue.
    pub(crate) const fn fired(&mut self) {
        self.deadline = Instant::NEVER;
    }
}

impl Default for Alarm {
    fn default() -> Self {
        Self { timer: TimerId::from_parts(0, 0), deadline: Instant::NEVER }
    }
}
