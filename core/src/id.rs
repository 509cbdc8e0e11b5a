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

/// Slots that the first chunk has room for at first: most arenas stay small.
const FIRST: usize = 2;

/// Slots of a chunk.
const CHUNK: usize = 512;

/// Stands for no chunk.
const NO_CHUNK: u32 = u32::MAX;

/// Slots whose keys are [`Id`]s.
///
/// The first chunk grows by doubling. Each further chunk has room for all its slots from its first one on and never moves, so that no
/// insertion pauses for as long as it takes to move all that is there; and its memory is given back when its last slot is vacated, but for
/// the memory of one, which the next insertions use: what a burst has taken does not stay.
pub struct Arena<K, T> {
    chunks: Vec<Chunk<T>>,
    len: usize,
    /// The first of the chunks with vacant slots: the one that had none until last.
    open: u32,
    /// A chunk whose slots are all vacant, kept for when no other has a vacant one.
    spare: u32,
    /// The first of the chunks whose memory is given back.
    released: u32,
    next_generation: u32,
    kind: PhantomData<fn() -> K>,
}

/// Slots that lie together.
#[derive(Clone)]
struct Chunk<T> {
    slots: Slab<Slot<T>>,
    /// The neighbours of a chunk with vacant slots among those chunks.
    before: u32,
    /// The one behind; of a chunk whose memory is given back, the next such chunk.
    after: u32,
}

#[derive(Clone)]
struct Slot<T> {
    generation: u32,
    value: T,
}

impl<K, T> Arena<K, T> {
    /// An empty arena; allocates nothing.
    pub const fn new() -> Self {
        let none = NO_CHUNK;
        Self {
            chunks: Vec::new(),
            len: 0,
            open: none,
            spare: none,
            released: none,
            next_generation: 1,
            kind: PhantomData,
        }
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

    /// Puts the value that `make` makes of its own handle into a free slot: of a chunk the one vacated last, else the next that was
    /// never used.
    pub fn insert_with(&mut self, make: impl FnOnce(Id<K>) -> T) -> Id<K> {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let number = if self.open == NO_CHUNK { self.open_another() } else { self.open };
        let mut id = Id::from_parts(u32::MAX, generation);
        let Some(chunk) = self.chunks.get_mut(number as usize) else { return id };
        if chunk.slots.len() == chunk.slots.capacity() {
            // The first chunk.
            chunk.slots.reserve_exact(chunk.slots.len().max(FIRST));
        }
        let slot = chunk.slots.vacant_entry();
        // Memory ends long before four billion slots do.
        id.slot = first_slot(number) + slot.key() as u32;
        slot.insert(Slot { generation, value: make(id) });
        if chunk.slots.len() == CHUNK {
            self.unlink(number);
        }
        self.len += 1;
        id
    }

    /// The entry that `id` names, if it is still alive.
    pub fn get(&self, id: Id<K>) -> Option<&T> {
        let (number, place) = locate(id.slot);
        let slot = self.chunks.get(number as usize)?.slots.get(place)?;
        (slot.generation == id.generation).then_some(&slot.value)
    }

    /// The entry that `id` names, if it is still alive.
    pub fn get_mut(&mut self, id: Id<K>) -> Option<&mut T> {
        let (number, place) = locate(id.slot);
        let slot = self.chunks.get_mut(number as usize)?.slots.get_mut(place)?;
        (slot.generation == id.generation).then_some(&mut slot.value)
    }

    /// Whether `id` is still alive.
    pub fn contains(&self, id: Id<K>) -> bool {
        self.get(id).is_some()
    }

    /// Takes the entry out; the handle is gone from then on.
    pub fn remove(&mut self, id: Id<K>) -> Option<T> {
        let (number, place) = locate(id.slot);
        let chunk = self.chunks.get_mut(number as usize)?;
        if chunk.slots.get(place)?.generation != id.generation {
            return None;
        }
        let was_full = chunk.slots.len() == CHUNK;
        let slot = chunk.slots.try_remove(place)?;
        let is_vacant = chunk.slots.is_empty();
        self.len -= 1;
        if was_full {
            self.link(number);
        }
        if is_vacant && number > 0 {
            self.vacated(number);
        }
        Some(slot.value)
    }

    /// Gives a chunk with vacant slots where none is open: the spare one, else one whose memory was given back, else a new one.
    fn open_another(&mut self) -> u32 {
        let number = if self.spare != NO_CHUNK {
            core::mem::replace(&mut self.spare, NO_CHUNK)
        } else if let Some(chunk) = self.chunks.get_mut(self.released as usize) {
            chunk.slots.reserve_exact(CHUNK);
            core::mem::replace(&mut self.released, chunk.after)
        } else {
            let number = self.chunks.len();
            self.chunks.reserve_exact(usize::from(number == 0));
            let slots = if number == 0 { Slab::new() } else { Slab::with_capacity(CHUNK) };
            self.chunks.push(Chunk { slots, before: NO_CHUNK, after: NO_CHUNK });
            number as u32
        };
        self.link(number);
        number
    }

    /// Keeps a chunk, not the first, whose last slot was vacated as the spare one, or gives its memory back.
    fn vacated(&mut self, number: u32) {
        self.unlink(number);
        if self.spare == NO_CHUNK {
            self.spare = number;
        } else if let Some(chunk) = self.chunks.get_mut(number as usize) {
            chunk.slots = Slab::new();
            chunk.after = core::mem::replace(&mut self.released, number);
        }
    }

    /// Puts a chunk before the others with vacant slots.
    fn link(&mut self, number: u32) {
        let after = core::mem::replace(&mut self.open, number);
        if let Some(chunk) = self.chunks.get_mut(number as usize) {
            (chunk.before, chunk.after) = (NO_CHUNK, after);
        }
        if let Some(chunk) = self.chunks.get_mut(after as usize) {
            chunk.before = number;
        }
    }

    /// Takes a chunk out from among those with vacant slots.
    fn unlink(&mut self, number: u32) {
        let Some(chunk) = self.chunks.get(number as usize) else { return };
        let (before, after) = (chunk.before, chunk.after);
        match self.chunks.get_mut(before as usize) {
            Some(chunk) => chunk.after = after,
            None => self.open = after,
        }
        if let Some(chunk) = self.chunks.get_mut(after as usize) {
            chunk.before = before;
        }
    }

    /// All entries in slot order, which is the same in every run.
    pub fn iter(&self) -> impl Iterator<Item = (Id<K>, &T)> {
        (0..).zip(&self.chunks).flat_map(|(number, chunk)| {
            let first = first_slot(number);
            let slots = chunk.slots.iter();
            slots.map(move |(place, slot)| (Id::from_parts(first + place as u32, slot.generation), &slot.value))
        })
    }
}

/// The chunk of a slot, and where in the chunk the slot is.
const fn locate(slot: u32) -> (u32, usize) {
    (slot / CHUNK as u32, slot as usize % CHUNK)
}

/// The first slot of a chunk.
const fn first_slot(number: u32) -> u32 {
    number * CHUNK as u32
}

impl<K, T: Clone> Clone for Arena<K, T> {
    fn clone(&self) -> Self {
        let chunks = self.chunks.iter().map(|chunk| {
            let mut copy = chunk.clone();
            // A clone of a slab has no room for more.
            copy.slots.reserve_exact(chunk.slots.capacity() - chunk.slots.len());
            copy
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
    use alloc::vec;

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
    fn slots_of_a_chunk_are_used_again_the_last_vacated_first_and_listed_in_their_order() {
        let mut arena: Arena<Thing, u32> = Arena::new();
        let ids: Vec<_> = (0..3 * CHUNK as u32).map(|value| arena.insert(value)).collect();
        assert!(ids.iter().zip(0..).all(|(id, value)| arena.get(*id) == Some(&value) && id.parts().0 == value));
        for place in [700, 3, 5] {
            assert_eq!(arena.remove(ids[place]), Some(place as u32));
        }
        assert_eq!(arena.len(), 3 * CHUNK - 3);
        let slots: Vec<u32> = (0..4).map(|value| arena.insert(value).parts().0).collect();
        assert_eq!(slots, [5, 3, 700, 3 * CHUNK as u32]);
        let listed: Vec<u32> = arena.iter().map(|(id, _)| id.parts().0).collect();
        assert!(listed.is_sorted() && listed.len() == arena.len());
    }

    #[test]
    fn the_first_chunk_grows_and_each_other_has_room_for_all_its_slots_at_once() {
        let mut arena: Arena<Thing, u32> = Arena::new();
        let mut room = vec![arena.capacity()];
        for value in 0..2 * CHUNK as u32 + 1 {
            arena.insert(value);
            if room.last() != Some(&arena.capacity()) {
                room.push(arena.capacity());
            }
        }
        assert_eq!(room, [0, 2, 4, 8, 16, 32, 64, 128, 256, CHUNK, 2 * CHUNK, 3 * CHUNK]);
    }

    #[test]
    fn the_memory_of_a_burst_is_given_back_but_for_one_chunk() {
        let mut arena: Arena<Thing, u32> = Arena::new();
        let ids: Vec<_> = (0..10 * CHUNK as u32).map(|value| arena.insert(value)).collect();
        assert_eq!(arena.capacity(), 10 * CHUNK);
        // The last entry of all stays, in a chunk in the middle.
        let (last, others) = ids[4 * CHUNK..].split_first().unwrap();
        others.iter().chain(&ids[..4 * CHUNK]).for_each(|id| assert!(arena.remove(*id).is_some()));
        assert_eq!(
            (arena.len(), arena.capacity()),
            (1, 3 * CHUNK),
            "the first, that of the last entry, and a spare one"
        );
        assert_eq!(arena.get(*last), Some(&(4 * CHUNK as u32)));
        // A chunk that fills and empties in turn is neither given back nor taken anew.
        let more: Vec<_> = (0..3 * CHUNK as u32 - 1).map(|value| arena.insert(value)).collect();
        assert_eq!(arena.capacity(), 3 * CHUNK);
        let beyond = arena.insert(0);
        assert_eq!((arena.remove(beyond), arena.capacity()), (Some(0), 4 * CHUNK));
        more.iter().for_each(|id| assert!(arena.remove(*id).is_some()));
        assert_eq!((arena.remove(*last), arena.len()), (Some(4 * CHUNK as u32), 0));
        assert_eq!(arena.capacity(), 2 * CHUNK);
        assert!(ids.iter().chain(&more).all(|id| !arena.contains(*id)), "handles of the slots are gone for good");
    }

    /// Against a plain list of slots; a clone is made now and then and takes the place of the original.
    #[test]
    fn agrees_with_a_list_under_random_use_and_no_chunk_but_the_first_grows() {
        let mut arena: Arena<Thing, u32> = Arena::new();
        let mut slots = Vec::<Option<(Id<Thing>, u32)>>::new();
        let mut dice = 0x9E37_79B9_7F4A_7C15_u64;
        let mut roll = |n: usize| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            (dice % n as u64) as usize
        };
        let mut most = 0;
        for step in 0..40_000 {
            // Grows, then shrinks.
            if slots.is_empty() || roll(20) < if step < 20_000 { 11 } else { 1 } {
                let id = arena.insert(step);
                let at = id.parts().0 as usize;
                slots.resize(slots.len().max(at + 1), None);
                assert_eq!(slots[at].replace((id, step)), None, "a vacant slot");
            } else {
                let at = roll(slots.len());
                let Some((id, value)) = slots[at].take() else { continue };
                assert_eq!(arena.remove(id), Some(value));
                assert_eq!((arena.remove(id), arena.get(id), arena.contains(id)), (None, None, false));
            }
            if roll(500) == 0 {
                arena = arena.clone();
                let listed: Vec<_> = arena.iter().map(|(id, value)| (id, *value)).collect();
                assert_eq!(listed, slots.iter().flatten().copied().collect::<Vec<_>>());
                assert_eq!(arena.len(), listed.len());
            }
            let mut vacant = 0;
            for chunk in arena.chunks.iter().skip(1) {
                assert!([0, CHUNK].contains(&chunk.slots.capacity()));
                vacant += usize::from(chunk.slots.is_empty() && chunk.slots.capacity() > 0);
            }
            assert!(vacant <= 1, "one spare chunk at most");
            most = most.max(arena.len());
        }
        assert!(most > 3 * CHUNK && arena.len() < CHUNK && arena.capacity() < 4 * CHUNK);
        slots.iter().flatten().for_each(|(id, value)| assert_eq!(arena.remove(*id), Some(*value)));
        assert_eq!((arena.len(), arena.capacity()), (0, 2 * CHUNK), "the first and a spare one");
    }
}
