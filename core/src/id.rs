//! Handles: a slot and a generation, typed by what they name, and the arenas they point into.

use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

/// What a handle may name. Each kind is an empty type; its [`Kind::NAME`] is how the handle prints.
pub trait Kind {
    /// The word before `#` when a handle is printed.
    const NAME: &'static str;
}

/// Declares handles: the type of each, and the kind of what it names.
macro_rules! handles {
    ($($(#[$doc:meta])* $handle:ident = Id<$kind:ident>, $name:literal;)*) => {$(
        $(#[$doc])*
        pub type $handle = $crate::id::Id<$kind>;

        #[doc = concat!("The kind that [`", stringify!($handle), "`] names.")]
        #[derive(Clone, Copy, Debug)]
        pub enum $kind {}

        impl $crate::id::Kind for $kind {
            const NAME: &'static str = $name;
        }
    )*};
}
pub(crate) use handles;

/// A handle: never a bare index, so that a stale one is an ordinary "gone", and never somebody else's thing.
///
/// Prints as `call#3.1` (slot 3, generation 1).
pub struct Id<K> {
    slot: u32,
    generation: u32,
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// The handle of a given slot and generation, as [`Id::parts`] gave them.
    pub const fn from_parts(slot: u32, generation: u32) -> Self {
        Self { slot, generation, kind: PhantomData }
    }

    /// Slot and generation.
    pub const fn parts(self) -> (u32, u32) {
        (self.slot, self.generation)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.parts().cmp(&other.parts())
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}
impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}.{}", K::NAME, self.slot, self.generation)
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How many slots lie together. A full chunk is never moved, so that no insertion pauses for as long as it takes to move all
/// that is there.
const CHUNK: usize = 512;

/// The end of the list of vacant slots.
const NO_SLOT: u32 = u32::MAX;

/// Slots whose keys are [`Id`]s.
#[derive(Clone)]
pub struct Arena<K, T> {
    /// All of [`CHUNK`] slots but the last.
    chunks: Vec<Vec<Slot<T>>>,
    len: usize,
    /// The slot vacated last.
    vacant: u32,
    next_generation: u32,
    kind: PhantomData<fn() -> K>,
}

#[derive(Clone)]
enum Slot<T> {
    Taken { generation: u32, value: T },
    Vacant { next: u32 },
}

impl<K, T> Arena<K, T> {
    /// An empty arena; allocates nothing.
    pub const fn new() -> Self {
        Self { chunks: Vec::new(), len: 0, vacant: NO_SLOT, next_generation: 1, kind: PhantomData }
    }

    /// Number of live entries.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Entries that there is room for without another allocation.
    pub fn capacity(&self) -> usize {
        self.chunks.iter().map(Vec::capacity).sum()
    }

    /// Whether nothing is alive.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts `value` into a free slot under a new handle.
    pub fn insert(&mut self, value: T) -> Id<K> {
        self.insert_with(|_| value)
    }

    /// Puts the value that `make` makes of its own handle into a free slot.
    pub fn insert_with(&mut self, make: impl FnOnce(Id<K>) -> T) -> Id<K> {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let at = match self.slot(self.vacant) {
            Some(_) => self.vacant,
            None => self.fresh_slot(),
        };
        let id = Id::from_parts(at, generation);
        let value = make(id);
        if let Some(slot) = self.slot_mut(at) {
            if let Slot::Vacant { next } = *slot {
                *slot = Slot::Taken { generation, value };
                self.vacant = next;
            }
            self.len += 1;
        }
        id
    }

    /// The entry that `id` names, if it is still alive.
    pub fn get(&self, id: Id<K>) -> Option<&T> {
        match self.slot(id.slot) {
            Some(Slot::Taken { generation, value }) if *generation == id.generation => Some(value),
            _ => None,
        }
    }

    /// The entry that `id` names, if it is still alive.
    pub fn get_mut(&mut self, id: Id<K>) -> Option<&mut T> {
        match self.slot_mut(id.slot) {
            Some(Slot::Taken { generation, value }) if *generation == id.generation => Some(value),
            _ => None,
        }
    }

    /// Whether `id` is still alive.
    pub fn contains(&self, id: Id<K>) -> bool {
        self.get(id).is_some()
    }

    /// Takes the entry out; the handle is gone from then on.
    pub fn remove(&mut self, id: Id<K>) -> Option<T> {
        self.get(id)?;
        let next = self.vacant;
        let slot = core::mem::replace(self.slot_mut(id.slot)?, Slot::Vacant { next });
        self.vacant = id.slot;
        self.len -= 1;
        match slot {
            Slot::Taken { value, .. } => Some(value),
            Slot::Vacant { .. } => None,
        }
    }

    /// All entries in slot order, which is the same in every run.
    pub fn iter(&self) -> impl Iterator<Item = (Id<K>, &T)> {
        (0..).zip(self.chunks.iter().flatten()).filter_map(|(at, slot)| match slot {
            Slot::Taken { generation, value } => Some((Id::from_parts(at, *generation), value)),
            Slot::Vacant { .. } => None,
        })
    }

    fn slot(&self, at: u32) -> Option<&Slot<T>> {
        let (chunk, place) = (at as usize / CHUNK, at as usize % CHUNK);
        self.chunks.get(chunk)?.get(place)
    }

    fn slot_mut(&mut self, at: u32) -> Option<&mut Slot<T>> {
        let (chunk, place) = (at as usize / CHUNK, at as usize % CHUNK);
        self.chunks.get_mut(chunk)?.get_mut(place)
    }

    /// A vacant slot behind all others.
    fn fresh_slot(&mut self) -> u32 {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            // The first one grows, as most arenas stay small.
            let capacity = if self.chunks.is_empty() { 0 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(capacity));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let Some(chunk) = self.chunks.last_mut() else { return NO_SLOT };
        let at = before + chunk.len();
        chunk.push(Slot::Vacant { next: NO_SLOT });
        // Memory ends long before four billion slots do.
        u32::try_from(at).unwrap_or(NO_SLOT)
    }
}

impl<K, T> Default for Arena<K, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Kind, T: fmt::Debug> fmt::Debug for Arena<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    enum Thing {}

    impl Kind for Thing {
        const NAME: &'static str = "thing";
    }

    #[test]
    fn a_stale_handle_is_gone_even_when_its_slot_is_used_again() {
        let mut arena: Arena<Thing, &str> = Arena::new();
        let first = arena.insert("first");
        assert_eq!(arena.remove(first), Some("first"));
        let second = arena.insert("second");
        assert_eq!(first.parts().0, second.parts().0);
        assert_eq!(arena.get(first), None);
        assert_eq!(arena.remove(first), None);
        assert_eq!(arena.get(second), Some(&"second"));
        assert_eq!(second.to_string(), "thing#0.2");
    }

    #[test]
    fn slots_are_used_again_the_last_vacated_first_and_listed_in_their_order() {
        let mut arena: Arena<Thing, u32> = Arena::new();
        let ids: Vec<_> = (0..3 * CHUNK as u32).map(|value| arena.insert(value)).collect();
        assert!(ids.iter().zip(0..).all(|(id, value)| arena.get(*id) == Some(&value)));
        for place in [700, 3, CHUNK] {
            assert_eq!(arena.remove(ids[place]), Some(place as u32));
        }
        assert_eq!(arena.len(), 3 * CHUNK - 3);
        let slots: Vec<u32> = (0..4).map(|value| arena.insert(value).parts().0).collect();
        assert_eq!(slots, [CHUNK as u32, 3, 700, 3 * CHUNK as u32]);
        let listed: Vec<u32> = arena.iter().map(|(id, _)| id.parts().0).collect();
        assert!(listed.is_sorted() && listed.len() == arena.len());
    }
}
