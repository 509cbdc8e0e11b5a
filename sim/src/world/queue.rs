//! The queue of all that is going to happen, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use sansip::Instant;

use super::Happening;
use crate::trace::NodeId;

/// Events in order of time and, at one time, in the order in which they were put there.
///
/// A heap of small keys; what happens is kept beside it, in slots that are used again. A wake-up that nobody needs any more stays
/// until its time comes, and whoever takes it then sees that.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Key>>,
    /// Counts events as they are put into the queue: breaks ties.
    sequence: u64,
    slots: Vec<Option<Happening>>,
    free: Vec<u32>,
    /// Happenings that the network has yet to finish: neither wake-ups nor faults.
    in_flight: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    time: Instant,
    sequence: u64,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Wake(u32),
    Slot(u32),
}

/// An entry that is taken out of the queue.
#[derive(Clone, Debug)]
pub(super) enum Due {
    /// The deadline of a node, as it was when this was put there.
    Wake(NodeId),
    /// Something else.
    Happening(Happening),
}

impl Queue {
    /// Whether the network has finished everything.
    pub(super) const fn is_quiet(&self) -> bool {
        self.in_flight == 0
    }

    pub(super) fn wake(&mut self, time: Instant, node: NodeId) {
        self.push(time, What::Wake(node.0 as u32));
    }

    pub(super) fn add(&mut self, time: Instant, happening: Happening) {
        self.in_flight += usize::from(happening.is_business());
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(happening);
                slot
            }
            None => {
                self.slots.push(Some(happening));
                self.slots.len() as u32 - 1
            }
        };
        self.push(time, What::Slot(slot));
    }

    fn push(&mut self, time: Instant, what: What) {
        self.heap.push(Reverse(Key { time, sequence: self.sequence, what }));
        self.sequence += 1;
    }

    /// When the next event is.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(key)| key.time)
    }

    /// Time and node of the next event, if that is a wake-up.
    pub(super) fn next_wake(&self) -> Option<(Instant, NodeId)> {
        match self.heap.peek() {
            Some(Reverse(Key { time, what: What::Wake(node), .. })) => Some((*time, NodeId(*node as usize))),
            _ => None,
        }
    }

    /// Takes the next event.
    pub(super) fn pop(&mut self) -> Option<(Instant, Due)> {
        let Reverse(Key { time, what, .. }) = self.heap.pop()?;
        match what {
            What::Wake(node) => Some((time, Due::Wake(NodeId(node as usize)))),
            What::Slot(slot) => {
                let happening = self.slots[slot as usize].take()?;
                self.free.push(slot);
                self.in_flight -= usize::from(happening.is_business());
                Some((time, Due::Happening(happening)))
            }
        }
    }
}
