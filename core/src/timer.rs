//! The timer queue: exact, first in first out among equals.
//!
//! A heap of four children a node that holds the deadlines themselves, so that finding a place looks at nothing else, and
//! beside it where in the heap each timer stands, so that one can be moved or taken out in logarithmic time. The next deadline
//! is a look at the root. The structure is hidden behind a handful of methods, so that it can follow the benchmark.

use alloc::vec::Vec;
use core::fmt;

use crate::id::{Arena, handles};
use crate::time::Instant;

handles! {
    /// An entry of a timer queue.
    TimerId = Id<TimerKind>, "timer";
}

/// Children of a node: their deadlines lie side by side.
const CHILDREN: usize = 4;

/// A timer where it stands in the heap.
#[derive(Clone, Copy)]
struct Item {
    deadline: Instant,
    /// Order of setting: breaks ties.
    sequence: u64,
    id: TimerId,
}

impl Item {
    const fn rank(&self) -> (Instant, u64) {
        (self.deadline, self.sequence)
    }
}

/// A queue of deadlines, each with a key that says whose it is.
#[derive(Clone)]
pub struct TimerQueue<K> {
    keys: Arena<TimerKind, K>,
    /// Where in the heap the timer of each slot stands.
    positions: Vec<u32>,
    heap: Vec<Item>,
    sequence: u64,
}

impl<K> TimerQueue<K> {
    /// An empty queue; allocates nothing.
    pub const fn new() -> Self {
        Self { keys: Arena::new(), positions: Vec::new(), heap: Vec::new(), sequence: 0 }
    }

    /// Number of timers set.
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Timers that there is room for without another allocation.
    pub fn capacity(&self) -> usize {
        self.keys.capacity().max(self.heap.capacity())
    }

    /// Whether no timer is set.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Sets a timer. Among equal deadlines the one set first fires first.
    pub fn set(&mut self, deadline: Instant, key: K) -> TimerId {
        let id = self.keys.insert(key);
        let slot = id.parts().0 as usize;
        if self.positions.len() <= slot {
            self.positions.resize(slot + 1, 0);
        }
        let item = self.item(deadline, id);
        self.heap.push(item);
        self.sift_up(self.heap.len() - 1, item);
        id
    }

    /// Moves a timer to another deadline, as if it were set anew; false if it has fired or was cancelled.
    pub fn reset(&mut self, id: TimerId, deadline: Instant) -> bool {
        if !self.keys.contains(id) {
            return false;
        }
        let item = self.item(deadline, id);
        self.settle(self.position(id), item);
        true
    }

    /// Takes a timer out; its key if it was still set.
    pub fn cancel(&mut self, id: TimerId) -> Option<K> {
        let key = self.keys.remove(id)?;
        let position = self.position(id);
        if let Some(last) = self.heap.pop()
            && last.id != id
        {
            self.settle(position, last);
        }
        Some(key)
    }

    /// The earliest deadline: a look, at no cost.
    pub fn next(&self) -> Option<Instant> {
        self.heap.first().map(|item| item.deadline)
    }

    /// The timer that fires next.
    pub fn first(&self) -> Option<TimerId> {
        self.heap.first().map(|item| item.id)
    }

    /// Takes out the earliest timer if it is due at `now`; its deadline and key.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Instant, K)> {
        let Item { deadline, id, .. } = *self.heap.first()?;
        if deadline > now {
            return None;
        }
        self.cancel(id).map(|key| (deadline, key))
    }

    fn item(&mut self, deadline: Instant, id: TimerId) -> Item {
        self.sequence += 1;
        Item { deadline, sequence: self.sequence, id }
    }

    fn position(&self, id: TimerId) -> usize {
        self.positions.get(id.parts().0 as usize).map_or(0, |position| *position as usize)
    }

    fn place(&mut self, position: usize, item: Item) {
        if let Some(place) = self.heap.get_mut(position) {
            *place = item;
        }
        if let Some(place) = self.positions.get_mut(item.id.parts().0 as usize) {
            *place = position as u32;
        }
    }

    /// Puts an item into a place whose own item is gone, and from there to where it belongs.
    fn settle(&mut self, position: usize, item: Item) {
        match self.parent(position) {
            Some((_, parent)) if item.rank() < parent.rank() => self.sift_up(position, item),
            _ => self.sift_down(position, item),
        }
    }

    fn parent(&self, position: usize) -> Option<(usize, Item)> {
        let parent = position.checked_sub(1)? / CHILDREN;
        Some((parent, *self.heap.get(parent)?))
    }

    fn sift_up(&mut self, mut position: usize, item: Item) {
        while let Some((above, parent)) = self.parent(position)
            && item.rank() < parent.rank()
        {
            self.place(position, parent);
            position = above;
        }
        self.place(position, item);
    }

    fn sift_down(&mut self, mut position: usize, item: Item) {
        while let Some((below, child)) = self.least_child(position)
            && child.rank() < item.rank()
        {
            self.place(position, child);
            position = below;
        }
        self.place(position, item);
    }

    fn least_child(&self, position: usize) -> Option<(usize, Item)> {
        let first = CHILDREN * position + 1;
        let children = self.heap.get(first..(first + CHILDREN).min(self.heap.len()))?;
        let (place, child) = (first..).zip(children).min_by_key(|(_, child)| child.rank())?;
        Some((place, *child))
    }
}

impl<K> Default for TimerQueue<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug> fmt::Debug for TimerQueue<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deadline = |id| self.heap.get(self.position(id)).map(|item| item.deadline);
        f.debug_map().entries(self.keys.iter().map(|(id, key)| (deadline(id), key))).finish()
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
