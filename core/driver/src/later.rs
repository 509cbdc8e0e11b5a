//! Work that is due later.

use std::collections::VecDeque;

use sansip::Instant;

/// Things with the time that each is due at, in the order in which they were pushed: each waits as long as those before it.
pub(crate) struct Later<T>(VecDeque<(Instant, T)>);

impl<T> Later<T> {
    pub(crate) const fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(crate) fn push(&mut self, at: Instant, thing: T) {
        self.0.push_back((at, thing));
    }

    /// When the first is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.front().map(|(at, _)| *at)
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, thing)| thing)
    }

    /// The first, if it is due at `now`.
    pub(crate) fn due(&mut self, now: Instant) -> Option<T> {
        if self.deadline()? <= now { self.0.pop_front().map(|(_, thing)| thing) } else { None }
    }

    /// The first, if there are more than `most` that still matter.
    pub(crate) fn beyond(&mut self, most: usize, matters: impl Fn(&T) -> bool) -> Option<T> {
        if self.0.len() > most {
            self.0.retain(|(_, thing)| matters(thing));
        }
        if self.0.len() > most { self.0.pop_front().map(|(_, thing)| thing) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_due_at_its_time_or_when_too_many_matter() {
        let (mut later, at) = (Later::new(), Instant::from_millis);
        for (time, thing) in [(10, 'a'), (10, 'b'), (20, 'c')] {
            later.push(at(time), thing);
        }
        assert_eq!((later.due(at(9)), later.deadline()), (None, Some(at(10))));
        assert_eq!(later.beyond(3, |_| true), None);
        assert_eq!((later.beyond(2, |_| true), later.beyond(2, |_| true)), (Some('a'), None));
        assert_eq!((later.beyond(1, |thing| *thing != 'b'), later.deadline()), (None, Some(at(20))));
        assert_eq!((later.due(at(19)), later.due(at(20)), later.deadline()), (None, Some('c'), None));
    }
}
