//! The timer queue: exact, first in first out among equals.
//!
//! Most timers run for one of a few intervals, and the clock does not go back: a timer that is set now is due after all that were
//! set for the same interval before. So a timer is put behind the last one of a lane whose timers are all due before it, and
//! `heap.rs` takes the timers for which there is none. To set, move or take out a timer of a lane costs the same however many
//! there are. The structure is hidden behind a handful of methods, so that it can follow the benchmark.
//!
//! ```
//! use sansip::Instant;
//! use sansip::timer::TimerQueue;
//!
//! let mut timers = TimerQueue::new();
//! let timer_a = timers.set(Instant::from_millis(500), "A");
//! timers.set(Instant::from_millis(32_000), "B");
//! assert_eq!(timers.next(), Some(Instant::from_millis(500)));
//! assert_eq!(timers.cancel(timer_a), Some("A"));
//! assert_eq!(timers.pop_due(Instant::from_millis(500)), None);
//! assert_eq!(timers.pop_due(Instant::from_millis(32_000)), Some((Instant::from_millis(32_000), "B")));
//! ```

mod heap;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::fmt;

use crate::id::{Arena, handles};
use crate::time::Instant;
use heap::Heap;

handles! {
    /// An entry of a timer queue.
    TimerId = Id<TimerKind>, "timer";
}

/// Lanes of a queue: one for each interval of RFC 3261 §17, table 4, and some for the transaction user.
const LANES: usize = 12;

/// Stands for no timer.
const NO_TIMER: TimerId = TimerId::from_parts(u32::MAX, 0);

/// When a timer fires among the others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    deadline: Instant,
    /// Order of setting: breaks ties.
    sequence: u64,
}

impl Rank {
    /// After all timers.
    const LAST: Self = Self { deadline: Instant::NEVER, sequence: u64::MAX };
}

/// A timer and when it fires.
#[derive(Clone, Copy)]
struct Item {
    rank: Rank,
    id: TimerId,
}

impl Item {
    const NONE: Self = Self { rank: Rank::LAST, id: NO_TIMER };
}

/// Where a timer waits.
#[derive(Clone, Copy)]
enum Place {
    /// In a lane, between two others.
    Lane { lane: u8, before: TimerId, after: TimerId },
    /// In the heap, at this position.
    Heap(u32),
}

/// A timer that is set.
#[derive(Clone)]
struct Timer<K> {
    rank: Rank,
    place: Place,
    key: K,
}

/// Timers in the order in which they fire.
#[derive(Clone, Copy)]
struct Lane {
    first: Item,
    last: TimerId,
    /// The deadline of the last one, zero if there is none: a timer that is due then or later may be put behind.
    end: Instant,
}

/// A queue of deadlines, each with a key that says whose it is.
#[derive(Clone)]
pub struct TimerQueue<K> {
    timers: Arena<TimerKind, Timer<K>>,
    /// At most [`LANES`].
    lanes: Vec<Lane>,
    heap: Heap,
    /// The timer that fires next.
    first: Item,
    sequence: u64,
}

impl<K> TimerQueue<K> {
    /// An empty queue; allocates nothing.
    pub const fn new() -> Self {
        Self { timers: Arena::new(), lanes: Vec::new(), heap: Heap::new(), first: Item::NONE, sequence: 0 }
    }

    /// Number of timers set.
    pub const fn len(&self) -> usize {
        self.timers.len()
    }

    /// Timers that there is room for without another allocation.
    pub fn capacity(&self) -> usize {
        self.timers.capacity().max(self.heap.capacity())
    }

    /// Whether no timer is set.
    pub const fn is_empty(&self) -> bool {
        self.timers.is_empty()
    }

    /// Sets a timer. Among equal deadlines the one set first fires first.
    pub fn set(&mut self, deadline: Instant, key: K) -> TimerId {
        let rank = self.rank(deadline);
        let id = self.timers.insert(Timer { rank, place: Place::Heap(0), key });
        self.enter(Item { rank, id });
        id
    }

    /// Moves a timer to another deadline, as if it were set anew; false if it has fired or was cancelled.
    pub fn reset(&mut self, id: TimerId, deadline: Instant) -> bool {
        let Some(place) = self.timers.get(id).map(|timer| timer.place) else { return false };
        self.leave(id, place);
        let rank = self.rank(deadline);
        if let Some(timer) = self.timers.get_mut(id) {
            timer.rank = rank;
        }
        self.enter(Item { rank, id });
        true
    }

    /// Takes a timer out; its key if it was still set.
    pub fn cancel(&mut self, id: TimerId) -> Option<K> {
        let timer = self.timers.remove(id)?;
        self.leave(id, timer.place);
        Some(timer.key)
    }

    /// The earliest deadline: a look, at no cost.
    pub fn next(&self) -> Option<Instant> {
        self.first().map(|_| self.first.rank.deadline)
    }

    /// The timer that fires next.
    pub fn first(&self) -> Option<TimerId> {
        (self.first.id != NO_TIMER).then_some(self.first.id)
    }

    /// Takes out the earliest timer if it is due at `now`; its deadline and key.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Instant, K)> {
        let Item { rank, id } = self.first;
        if rank.deadline > now {
            return None;
        }
        self.cancel(id).map(|key| (rank.deadline, key))
    }

    /// The timers that are set, with their deadlines and keys, in the order of their slots.
    pub fn iter(&self) -> impl Iterator<Item = (TimerId, Instant, &K)> {
        self.timers.iter().map(|(id, timer)| (id, timer.rank.deadline, &timer.key))
    }

    fn rank(&mut self, deadline: Instant) -> Rank {
        self.sequence += 1;
        Rank { deadline, sequence: self.sequence }
    }

    /// Puts a timer behind the last one of the lane that ends latest before its deadline, else into the heap.
    fn enter(&mut self, item: Item) {
        if self.first.id == NO_TIMER || item.rank < self.first.rank {
            self.first = item;
        }
        let mut latest = None;
        for (number, lane) in (0..).zip(&self.lanes) {
            let is_later = latest.is_none_or(|(end, _)| lane.end >= end);
            if lane.end <= item.rank.deadline && is_later {
                latest = Some((lane.end, number));
            }
        }
        let number = match latest {
            Some((_, number)) => number,
            None if self.lanes.len() < LANES => {
                self.lanes.push(Lane { first: Item::NONE, last: NO_TIMER, end: Instant::ZERO });
                self.lanes.len() as u8 - 1
            }
            None => {
                let timers = &mut self.timers;
                return self.heap.push(item, |id, position| put(timers, id, Place::Heap(position)));
            }
        };
        let Some(lane) = self.lanes.get_mut(usize::from(number)) else { return };
        let before = core::mem::replace(&mut lane.last, item.id);
        lane.end = item.rank.deadline;
        if before == NO_TIMER {
            lane.first = item;
        } else if let Some(Timer { place: Place::Lane { after, .. }, .. }) = self.timers.get_mut(before) {
            *after = item.id;
        }
        put(&mut self.timers, item.id, Place::Lane { lane: number, before, after: NO_TIMER });
    }

    /// Takes a timer out of the place where it waited.
    fn leave(&mut self, id: TimerId, place: Place) {
        match place {
            Place::Heap(position) => {
                let timers = &mut self.timers;
                self.heap.remove(position as usize, |id, position| put(timers, id, Place::Heap(position)));
            }
            Place::Lane { lane, before, after } => self.leave_lane(usize::from(lane), before, after),
        }
        if self.first.id == id {
            let firsts = self.lanes.iter().map(|lane| lane.first).chain(self.heap.first());
            self.first = firsts.min_by_key(|item| item.rank).unwrap_or(Item::NONE);
        }
    }

    /// Joins the neighbours of a timer that leaves a lane.
    fn leave_lane(&mut self, lane: usize, left: TimerId, right: TimerId) {
        let Some(lane) = self.lanes.get_mut(lane) else { return };
        match self.timers.get_mut(left) {
            Some(Timer { place: Place::Lane { after, .. }, rank, .. }) => {
                *after = right;
                if right == NO_TIMER {
                    (lane.last, lane.end) = (left, rank.deadline);
                }
            }
            _ if right == NO_TIMER => (lane.last, lane.end) = (NO_TIMER, Instant::ZERO),
            _ => {}
        }
        match self.timers.get_mut(right) {
            Some(Timer { place: Place::Lane { before, .. }, rank, .. }) => {
                *before = left;
                if left == NO_TIMER {
                    lane.first = Item { rank: *rank, id: right };
                }
            }
            _ if left == NO_TIMER => lane.first = Item::NONE,
            _ => {}
        }
    }
}

fn put<K>(timers: &mut Arena<TimerKind, Timer<K>>, id: TimerId, place: Place) {
    if let Some(timer) = timers.get_mut(id) {
        timer.place = place;
    }
}

impl<K> Default for TimerQueue<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug> fmt::Debug for TimerQueue<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.timers.iter().map(|(_, timer)| (timer.rank.deadline, &timer.key))).finish()
    }
}
