//! Handles: a slot and a generation, typed by what they name, and the arenas they point into.
//!
//! ```
//! use sansip::CallId;
//! use sansip::id::Arena;
//!
//! let mut calls = Arena::new();
//! let call: CallId = calls.insert("Alice and Bob");
//! assert_eq!(calls.get(call), Some(&"Alice and Bob"));
//! calls.remove(call);
//! // The slot is used again, and the old handle names nothing.
//! let other = calls.insert("Bob and Carol");
//! assert_eq!(calls.get(call), None);
//! assert_ne!(call, other);
//! ```

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

use slab::Slab;

/// A kind of thing that a handle may name. Each kind is an empty type; its [`Kind::NAME`] is how the handle prints.
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

/// Slots of the first chunk: most arenas stay small.
const FIRST: usize = 2;

/// Slots of a chunk when there are many. Each chunk before has room for as many slots as all those before that one.
const CHUNK: usize = 512;

/// Chunks that have fewer than [`CHUNK`] slots.
const SMALL_CHUNKS: usize = (CHUNK / FIRST).ilog2() as usize + 1;

/// The end of the list of vacant slots.
const NO_SLOT: u32 = u32::MAX;

/// Slots whose keys are [`Id`]s.
///
/// A chunk has room for all its slots from its first one on and never moves, so that no insertion pauses for as long as it
/// takes to move all that is there.
pub struct Arena<K, T> {
    chunks: Vec<Chunk<T>>,
    len: usize,
    /// The slot vacated last.
    vacant: u32,
    next_generation: u32,
    kind: PhantomData<fn() -> K>,
}

/// Slots that lie together.
struct Chunk<T> {
    slots: Slab<Slot<T>>,
    /// Beside each vacant slot, the slot of any chunk that was vacated before it. Empty until a slot is vacated.
    vacated_before: Vec<u32>,
}

#[derive(Clone)]
struct Slot<T> {
    generation: u32,
    value: T,
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
        self.chunks.iter().map(|chunk| chunk.slots.capacity()).sum()
    }

    /// Whether nothing is alive.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts `value` into a free slot under a new handle.
    pub fn insert(&mut self, value: T) -> Id<K> {
        self.insert_with(|_| value)
    }

    /// Puts the value that `make` makes of its own handle into a free slot: the one vacated last, else the next that was never
    /// used.
    pub fn insert_with(&mut self, make: impl FnOnce(Id<K>) -> T) -> Id<K> {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        // No slot is vacant: then the slots up to `len` are taken. Memory ends long before four billion slots do.
        let at = if self.vacant == NO_SLOT { self.len as u32 } else { self.vacant };
        let (number, place) = locate(at);
        if number == self.chunks.len() {
            self.chunks.reserve_exact(usize::from(number == 0));
            self.chunks.push(Chunk::new(number));
        }
        let id = Id::from_parts(at, generation);
        if let Some(chunk) = self.chunks.get_mut(number) {
            if self.vacant != NO_SLOT {
                self.vacant = chunk.vacated_before.get(place).copied().unwrap_or(NO_SLOT);
            }
            let slot = chunk.slots.vacant_entry();
            // A slab takes the slot that it vacated last, which of the last of all its chunk vacated is the last of all.
            debug_assert_eq!(slot.key(), place);
            slot.insert(Slot { generation, value: make(id) });
            self.len += 1;
        }
        id
    }

    /// The entry that `id` names, if it is still alive.
    pub fn get(&self, id: Id<K>) -> Option<&T> {
        let (number, place) = locate(id.slot);
        let slot = self.chunks.get(number)?.slots.get(place)?;
        (slot.generation == id.generation).then_some(&slot.value)
    }

    /// The entry that `id` names, if it is still alive.
    pub fn get_mut(&mut self, id: Id<K>) -> Option<&mut T> {
        let (number, place) = locate(id.slot);
        let slot = self.chunks.get_mut(number)?.slots.get_mut(place)?;
        (slot.generation == id.generation).then_some(&mut slot.value)
    }

    /// Whether `id` is still alive.
    pub fn contains(&self, id: Id<K>) -> bool {
        self.get(id).is_some()
    }

    /// Takes the entry out; the handle is gone from then on.
    pub fn remove(&mut self, id: Id<K>) -> Option<T> {
        let (number, place) = locate(id.slot);
        let chunk = self.chunks.get_mut(number)?;
        if chunk.slots.get(place)?.generation != id.generation {
            return None;
        }
        let slot = chunk.slots.try_remove(place)?;
        if chunk.vacated_before.is_empty() {
            chunk.vacated_before = vec![NO_SLOT; chunk_size(number)];
        }
        if let Some(before) = chunk.vacated_before.get_mut(place) {
            *before = self.vacant;
        }
        self.vacant = id.slot;
        self.len -= 1;
        Some(slot.value)
    }

    /// All entries in slot order, which is the same in every run.
    pub fn iter(&self) -> impl Iterator<Item = (Id<K>, &T)> {
        self.chunks.iter().enumerate().flat_map(|(number, chunk)| {
            let first = first_slot(number);
            chunk
                .slots
                .iter()
                .map(move |(place, slot)| (Id::from_parts((first + place) as u32, slot.generation), &slot.value))
        })
    }
}

/// The chunk of a slot, and where in the chunk the slot is.
const fn locate(slot: u32) -> (usize, usize) {
    let slot = slot as usize;
    let number = if slot >= CHUNK {
        SMALL_CHUNKS - 1 + slot / CHUNK
    } else if slot < FIRST {
        0
    } else {
        (slot / FIRST).ilog2() as usize + 1
    };
    (number, slot - first_slot(number))
}

/// The first slot of a chunk.
const fn first_slot(number: usize) -> usize {
    if number == 0 {
        0
    } else if number < SMALL_CHUNKS {
        FIRST << (number - 1)
    } else {
        (number - SMALL_CHUNKS + 1) * CHUNK
    }
}

/// How many slots a chunk has.
const fn chunk_size(number: usize) -> usize {
    first_slot(number + 1) - first_slot(number)
}

impl<T> Chunk<T> {
    fn new(number: usize) -> Self {
        Self { slots: Slab::with_capacity(chunk_size(number)), vacated_before: Vec::new() }
    }
}

impl<K, T: Clone> Clone for Arena<K, T> {
    fn clone(&self) -> Self {
        let chunks = self.chunks.iter().enumerate().map(|(number, chunk)| {
            let mut slots = chunk.slots.clone();
            // A clone of a slab has no room for more.
            slots.reserve_exact(chunk_size(number) - slots.len());
            Chunk { slots, vacated_before: chunk.vacated_before.clone() }
        });
        Self { chunks: chunks.collect(), ..*self }
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

    #[test]
    fn each_slot_has_its_place_in_a_chunk() {
        let mut expected = Vec::new();
        for number in 0..SMALL_CHUNKS + 3 {
            expected.extend((0..chunk_size(number)).map(|place| (number, place)));
        }
        assert_eq!((chunk_size(0), chunk_size(1), chunk_size(SMALL_CHUNKS), expected.len()), (2, 2, CHUNK, 4 * CHUNK));
        assert!(expected.iter().zip(0..).all(|(place, slot)| locate(slot) == *place));
    }

    /// Against a plain list of slots and a stack of those vacated; a clone is made now and then and takes the place of the
    /// original.
    #[test]
    fn agrees_with_a_list_and_a_stack_under_random_use_and_no_chunk_grows() {
        let mut arena: Arena<Thing, u32> = Arena::new();
        let (mut slots, mut vacated) = (Vec::<Option<(Id<Thing>, u32)>>::new(), Vec::new());
        let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
        let mut roll = |n: usize| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            (dice % n as u64) as usize
        };
        for step in 0..30_000 {
            // Grows, then shrinks.
            if slots.is_empty() || roll(20) < if step < 20_000 { 11 } else { 8 } {
                let id = arena.insert(step);
                let at = vacated.pop().unwrap_or(slots.len());
                assert_eq!(id.parts().0, at as u32);
                slots.resize(slots.len().max(at + 1), None);
                slots[at] = Some((id, step));
            } else {
                let at = roll(slots.len());
                let Some((id, value)) = slots[at].take() else { continue };
                vacated.push(at);
                assert_eq!(arena.remove(id), Some(value));
                assert_eq!((arena.remove(id), arena.get(id), arena.contains(id)), (None, None, false));
            }
            if roll(500) == 0 {
                arena = arena.clone();
                let listed: Vec<_> = arena.iter().map(|(id, value)| (id, *value)).collect();
                assert_eq!(listed, slots.iter().flatten().copied().collect::<Vec<_>>());
                assert_eq!(arena.len(), listed.len());
            }
            for (number, chunk) in arena.chunks.iter().enumerate() {
                assert_eq!(chunk.slots.capacity(), chunk_size(number));
            }
        }
        assert!(slots.len() > 2 * CHUNK);
    }
}
