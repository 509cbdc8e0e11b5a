//! Handles: a slot and a generation, typed by what they name, and the arenas they point into.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;

use slab::Slab;

/// What a handle may name. Each kind is an empty type; its [`Kind::NAME`] is how the handle prints.
pub trait Kind {
    /// The word before `#` when a handle is printed.
    const NAME: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $alias:ident;)*) => {
        /// The kinds of things that handles name.
        pub mod kind {
            $($(#[$doc])* #[derive(Clone, Copy, Debug)] pub enum $kind {}
              impl super::Kind for $kind { const NAME: &'static str = $name; })*
        }
        $($(#[$doc])* pub type $alias = Id<kind::$kind>;)*
    };
}

kinds! {
    /// A local address that datagrams or connections arrive at, named by the core when it is added.
    Listener = "listener", ListenerId;
    /// A stream connection, named by the core before it is opened or accepted.
    Connection = "connection", ConnectionId;
    /// A question to the driver's resolver (RFC 3263).
    Query = "query", QueryId;
    /// An outgoing request on its way, over all its attempts.
    Delivery = "delivery", DeliveryId;
    /// A client transaction (RFC 3261 §17.1): one attempt of a delivery.
    ClientTransaction = "client", ClientTransactionId;
    /// A server transaction (RFC 3261 §17.2).
    ServerTransaction = "server", ServerTransactionId;
    /// An entry of a timer queue.
    Timer = "timer", TimerId;
    /// A call of a user agent, from the INVITE to the end of its dialogs.
    Call = "call", CallId;
    /// A registration that a user agent keeps (RFC 3261 §10.2).
    Registration = "registration", RegistrationId;
    /// A proxy's response context (RFC 3261 §16.7).
    ResponseContext = "context", ResponseContextId;
}

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

/// A slab whose keys are [`Id`]s.
#[derive(Clone)]
pub struct Arena<K, T> {
    slots: Slab<(u32, T)>,
    next_generation: u32,
    kind: PhantomData<fn() -> K>,
}

impl<K, T> Arena<K, T> {
    /// An empty arena; allocates nothing.
    pub const fn new() -> Self {
        Self { slots: Slab::new(), next_generation: 1, kind: PhantomData }
    }

    /// Number of live entries.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Entries that there is room for without another allocation.
    pub fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// Whether nothing is alive.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Puts `value` into a free slot under a new handle.
    pub fn insert(&mut self, value: T) -> Id<K> {
        self.insert_with(|_| value)
    }

    /// Puts the value that `make` makes of its own handle into a free slot.
    pub fn insert_with(&mut self, make: impl FnOnce(Id<K>) -> T) -> Id<K> {
        let generation = self.next_generation;
        self.next_generation = generation.wrapping_add(1);
        let entry = self.slots.vacant_entry();
        // A slab of four billion entries meets the memory's limit long before this one.
        let id = Id::from_parts(u32::try_from(entry.key()).unwrap_or(u32::MAX), generation);
        entry.insert((generation, make(id)));
        id
    }

    /// The entry that `id` names, if it is still alive.
    pub fn get(&self, id: Id<K>) -> Option<&T> {
        match self.slots.get(id.slot as usize) {
            Some((generation, value)) if *generation == id.generation => Some(value),
            _ => None,
        }
    }

    /// The entry that `id` names, if it is still alive.
    pub fn get_mut(&mut self, id: Id<K>) -> Option<&mut T> {
        match self.slots.get_mut(id.slot as usize) {
            Some((generation, value)) if *generation == id.generation => Some(value),
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
        self.slots.try_remove(id.slot as usize).map(|(_, value)| value)
    }

    /// All entries in slot order, which is the same in every run.
    pub fn iter(&self) -> impl Iterator<Item = (Id<K>, &T)> {
        self.slots.iter().map(|(slot, (generation, value))| (Id::from_parts(slot as u32, *generation), value))
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

    #[test]
    fn a_stale_handle_is_gone_even_when_its_slot_is_used_again() {
        let mut arena: Arena<kind::Call, &str> = Arena::new();
        let first = arena.insert("first");
        assert_eq!(arena.remove(first), Some("first"));
        let second = arena.insert("second");
        assert_eq!(first.parts().0, second.parts().0);
        assert_eq!(arena.get(first), None);
        assert_eq!(arena.remove(first), None);
        assert_eq!(arena.get(second), Some(&"second"));
        assert_eq!(second.to_string(), "call#0.2");
    }
}
