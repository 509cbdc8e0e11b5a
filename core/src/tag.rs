//! The transaction user's own mark on its transactions, deliveries and timers.

use core::fmt;

use crate::id::Id;

/// A small mark that the endpoint carries for its user and gives back with every indication: which core it belongs to,
/// what it is for, and which of the core's things it is about. The endpoint never looks at it.
///
/// ```
/// use sansip::{CallId, Tag};
/// let call = CallId::from_parts(3, 1);
/// let tag = Tag::new(0, 7, call);
/// assert_eq!((tag.role, tag.kind, tag.id()), (0, 7, call));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tag {
    /// Which of several cores over one endpoint.
    pub role: u8,
    /// What for: a number of the core's own choice.
    pub kind: u8,
    slot: u32,
    generation: u32,
}

impl Tag {
    /// A mark that says nothing.
    pub const NONE: Self = Self { role: 0, kind: 0, slot: 0, generation: 0 };

    /// A mark that names one of the core's things.
    pub const fn new<K>(role: u8, kind: u8, id: Id<K>) -> Self {
        let (slot, generation) = id.parts();
        Self { role, kind, slot, generation }
    }

    /// The thing that this mark names; the caller knows its kind.
    pub const fn id<K>(self) -> Id<K> {
        Id::from_parts(self.slot, self.generation)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tag({}/{} {}.{})", self.role, self.kind, self.slot, self.generation)
    }
}
