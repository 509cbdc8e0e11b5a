//! The timer queue: exact, first in first out among equals.
//!
//! A binary heap over a slab of entries, each of which knows its place in the heap, so that a timer can be moved or
//! taken out in logarithmic time and the next deadline is a look at the root. The structure is hidden behind a handful of
//! methods, so that it can follow the benchmark.

use alloc::vec::Vec;
use core::fmt;

use crate::id::{Arena, TimerId, kind};
use crate::time::Instant;

#[derive(Clone)]
struct Entry<K> {
    deadline: Instant,
    /// Order of setting: breaks ties.
    sequence: u64,
    /// Where in `heap` this entry stands.
    position: usize,
    key: K,
}

/// A queue of deadlines, each with a key that says whose it is.
#[derive(Clone)]
pub struct TimerQueue<K> {
    entries: Arena<kind::Timer, Entry<K>>,
    heap: Vec<TimerId>,
    sequence: u64,
}

impl<K> TimerQueue<K> {
    /// An empty queue; allocates nothing.
    pub const fn new() -> Self {
        Self { entries: Arena::new(), heap: Vec::new(), sequence: 0 }
    }

    /// Number of timers set.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Timers that there is room for without another allocation.
    pub fn capacity(&self) -> usize {
        self.entries.capacity().max(self.heap.capacity())
    }

    /// Whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Sets a timer. Among equal deadlines the one set first fires first.
    pub fn set(&mut self, deadline: Instant, key: K) -> TimerId {
        let position = self.heap.len();
        let sequence = self.next_sequence();
        let id = self.entries.insert(Entry { deadline, sequence, position, key });
        self.heap.push(id);
        self.sift_up(position);
        id
    }

    /// Moves a timer to another deadline, as if it were set anew; false if it has fired or was cancelled.
    pub fn reset(&mut self, id: TimerId, deadline: Instant) -> bool {
        let sequence = self.next_sequence();
        let Some(entry) = self.entries.get_mut(id) else { return false };
        entry.deadline = deadline;
        entry.sequence = sequence;
        let position = entry.position;
        self.restore(position);
        true
    }

    /// Takes a timer out; its key if it was still set.
    pub fn cancel(&mut self, id: TimerId) -> Option<K> {
        let entry = self.entries.remove(id)?;
        self.heap.swap_remove(entry.position);
        if let Some(&moved) = self.heap.get(entry.position) {
            self.place(moved, entry.position);
            self.restore(entry.position);
        }
        Some(entry.key)
    }

    /// The earliest deadline: a look, at no cost.
    pub fn next(&self) -> Option<Instant> {
        self.heap.first().and_then(|id| self.entries.get(*id)).map(|entry| entry.deadline)
    }

    /// The timer that fires next.
    pub fn first(&self) -> Option<TimerId> {
        self.heap.first().copied()
    }

    /// Takes out the earliest timer if it is due at `now`; its deadline and key.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Instant, K)> {
        let id = *self.heap.first()?;
        let deadline = self.entries.get(id)?.deadline;
        if deadline > now {
            return None;
        }
        self.cancel(id).map(|key| (deadline, key))
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    fn rank(&self, position: usize) -> Option<(Instant, u64)> {
        let entry = self.entries.get(*self.heap.get(position)?)?;
        Some((entry.deadline, entry.sequence))
    }

    fn place(&mut self, id: TimerId, position: usize) {
        if let Some(entry) = self.entries.get_mut(id) {
            entry.position = position;
        }
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        for position in [a, b] {
            if let Some(&id) = self.heap.get(position) {
                self.place(id, position);
            }
        }
    }

    fn restore(&mut self, position: usize) {
        self.sift_up(position);
        self.sift_down(position);
    }

    fn sift_up(&mut self, mut position: usize) {
        while position > 0 {
            let parent = (position - 1) / 2;
            if self.rank(position) >= self.rank(parent) {
                return;
            }
            self.swap(position, parent);
            position = parent;
        }
    }

    fn sift_down(&mut self, mut position: usize) {
        loop {
            let left = 2 * position + 1;
            let Some(left_rank) = self.rank(left) else { return };
            let child = match self.rank(left + 1) {
                Some(right_rank) if right_rank < left_rank => left + 1,
                _ => left,
            };
            if self.rank(position) <= self.rank(child) {
                return;
            }
            self.swap(position, child);
            position = child;
        }
    }
}

impl<K> Default for TimerQueue<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug> fmt::Debug for TimerQueue<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries.iter().map(|(_, entry)| (entry.deadline, &entry.key))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn drain(queue: &mut TimerQueue<u32>) -> Vec<(u64, u32)> {
        core::iter::from_fn(|| queue.pop_due(Instant::from_nanos(u64::MAX)))
            .map(|(deadline, key)| (deadline.as_nanos(), key))
            .collect()
    }

    #[test]
    fn equal_deadlines_fire_in_the_order_of_setting() {
        let mut queue = TimerQueue::new();
        let moved = queue.set(Instant::from_nanos(5), 1);
        queue.set(Instant::from_nanos(5), 2);
        queue.set(Instant::from_nanos(3), 3);
        assert!(queue.reset(moved, Instant::from_nanos(5)));
        assert_eq!(drain(&mut queue), vec![(3, 3), (5, 2), (5, 1)]);
        assert!(!queue.reset(moved, Instant::ZERO));
    }

    #[test]
    fn nothing_fires_before_its_time() {
        let mut queue = TimerQueue::new();
        queue.set(Instant::from_nanos(5), 1);
        assert_eq!(queue.pop_due(Instant::from_nanos(4)), None);
        assert_eq!(queue.next(), Some(Instant::from_nanos(5)));
        assert_eq!(queue.pop_due(Instant::from_nanos(5)), Some((Instant::from_nanos(5), 1)));
        assert_eq!(queue.next(), None);
    }

    /// Against the obvious model: a list sorted by (deadline, order of setting).
    #[test]
    fn agrees_with_a_sorted_list_under_random_use() {
        let mut queue = TimerQueue::new();
        let mut model: Vec<(u64, u64, u32, TimerId)> = Vec::new();
        let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
        let mut roll = |n: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % n
        };
        for step in 0..20_000u64 {
            match roll(4) {
                0 | 1 => {
                    let deadline = roll(500);
                    let id = queue.set(Instant::from_nanos(deadline), step as u32);
                    model.push((deadline, step, step as u32, id));
                }
                2 if !model.is_empty() => {
                    let (_, _, key, id) = model.remove(roll(model.len() as u64) as usize);
                    assert_eq!(queue.cancel(id), Some(key));
                    assert_eq!(queue.cancel(id), None);
                }
                _ if !model.is_empty() => {
                    let index = roll(model.len() as u64) as usize;
                    let deadline = roll(500);
                    model[index].0 = deadline;
                    model[index].1 = step;
                    assert!(queue.reset(model[index].3, Instant::from_nanos(deadline)));
                }
                _ => {}
            }
            assert_eq!(queue.next().map(Instant::as_nanos), model.iter().map(|entry| entry.0).min());
        }
        model.sort();
        assert_eq!(drain(&mut queue), model.iter().map(|entry| (entry.0, entry.2)).collect::<Vec<_>>());
    }
}
