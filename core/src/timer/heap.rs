//! A heap of four children a node that holds the deadlines themselves, so that finding a place looks at nothing else.

use alloc::vec::Vec;

use super::{Item, TimerId};

/// Children of a node: their deadlines lie side by side.
const CHILDREN: usize = 4;

/// Timers by deadline. Who calls is told of each timer where in the heap it stands, as often as that changes, so that it can be
/// taken out in logarithmic time.
#[derive(Clone)]
pub(super) struct Heap(Vec<Item>);

impl Heap {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) const fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// The timer that fires next.
    pub(super) fn first(&self) -> Option<Item> {
        self.0.first().copied()
    }

    pub(super) fn push(&mut self, item: Item, mut stands: impl FnMut(TimerId, u32)) {
        self.0.push(item);
        self.sift_up(self.0.len() - 1, item, &mut stands);
    }

    /// Takes out the timer at a position.
    pub(super) fn remove(&mut self, position: usize, mut stands: impl FnMut(TimerId, u32)) {
        let Some(last) = self.0.pop() else { return };
        if position == self.0.len() {
            return;
        }
        // The last one goes to the place that is free, and from there to where it belongs.
        match self.parent(position) {
            Some((_, parent)) if last.rank < parent.rank => self.sift_up(position, last, &mut stands),
            _ => self.sift_down(position, last, &mut stands),
        }
    }

    fn place(&mut self, position: usize, item: Item, stands: &mut impl FnMut(TimerId, u32)) {
        if let Some(place) = self.0.get_mut(position) {
            *place = item;
        }
        stands(item.id, position as u32);
    }

    fn parent(&self, position: usize) -> Option<(usize, Item)> {
        let parent = position.checked_sub(1)? / CHILDREN;
        Some((parent, *self.0.get(parent)?))
    }

    fn sift_up(&mut self, mut position: usize, item: Item, stands: &mut impl FnMut(TimerId, u32)) {
        while let Some((above, parent)) = self.parent(position)
            && item.rank < parent.rank
        {
            self.place(position, parent, stands);
            position = above;
        }
        self.place(position, item, stands);
    }

    fn sift_down(&mut self, mut position: usize, item: Item, stands: &mut impl FnMut(TimerId, u32)) {
        while let Some((below, child)) = self.least_child(position)
            && child.rank < item.rank
        {
            self.place(position, child, stands);
            position = below;
        }
        self.place(position, item, stands);
    }

    fn least_child(&self, position: usize) -> Option<(usize, Item)> {
        let first = CHILDREN * position + 1;
        let children = self.0.get(first..(first + CHILDREN).min(self.0.len()))?;
        let (place, child) = (first..).zip(children).min_by_key(|(_, child)| child.rank)?;
        Some((place, *child))
    }
}
