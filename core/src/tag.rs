//! The mark that a transaction user puts on its transactions, deliveries and timers.

use core::fmt;

use crate::id::Id;

/// A small mark that the endpoint carries for its user and gives back with every indication: to which of several cores the
/// transaction, delivery or timer belongs, what it is for, and which entry of the core's tables it is about. The endpoint never
/// looks at the mark.
///
/// A core writes its marks from one enum and reads them back into that enum, so that the kind of the mark decides what its
/// handle names, in one place:
///
/// ```
/// use sansip::{CallId, RegistrationId, Tag, id::Id};
///
/// #[derive(Clone, Copy, Debug, PartialEq)]
/// enum Work {
///     Bye(CallId),
///     Refresh(RegistrationId),
/// }
///
/// impl From<Work> for Tag {
///     fn from(work: Work) -> Self {
///         match work {
///             Work::Bye(call) => Self::new(1, call),
///             Work::Refresh(registration) => Self::new(2, registration),
///         }
///     }
/// }
///
/// impl TryFrom<Tag> for Work {
///     type Error = Tag;
///     fn try_from(tag: Tag) -> Result<Self, Tag> {
///         let (slot, generation) = tag.parts();
///         match tag.kind() {
///             1 => Ok(Self::Bye(Id::from_parts(slot, generation))),
///             2 => Ok(Self::Refresh(Id::from_parts(slot, generation))),
///             _ => Err(tag),
///         }
///     }
/// }
///
/// let bye = Work::Bye(CallId::from_parts(3, 1));
/// assert_eq!(Work::try_from(Tag::from(bye)), Ok(bye));
/// assert!(Work::try_from(Tag::NONE).is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tag {
    role: u8,
    kind: u8,
    slot: u32,
    generation: u32,
}

impl Tag {
    /// A mark that says nothing: its kind is 0, which no core gives a meaning.
    pub const NONE: Self = Self { role: 0, kind: 0, slot: 0, generation: 0 };

    /// A mark that names an entry of the core's tables. `kind`, from 1 on, says what for, and by that what sort of handle `id`
    /// is.
    pub const fn new<K>(kind: u8, id: Id<K>) -> Self {
        let (slot, generation) = id.parts();
        Self { role: 0, kind, slot, generation }
    }

    /// This mark as one of the core that has `role` among several over one endpoint.
    #[must_use]
    pub const fn in_role(self, role: u8) -> Self {
        Self { role, ..self }
    }

    /// Which of several cores over one endpoint the mark belongs to; 0 if there is one alone.
    pub const fn role(self) -> u8 {
        self.role
    }

    /// The purpose of what is marked: a number of the core's own choice.
    pub const fn kind(self) -> u8 {
        self.kind
    }

    /// Slot and generation of the handle, for [`Id::from_parts`](crate::id::Id::from_parts) where the kind has been looked at.
    pub const fn parts(self) -> (u32, u32) {
        (self.slot, self.generation)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tag({}/{} {}.{})", self.role, self.kind, self.slot, self.generation)
    }
}

/// Declares the enum of what a core's transactions, deliveries and timers are for, each variant with the handle of what it is
/// about, and both conversions between that enum and [`Tag`]. The variants are numbered once, here.
macro_rules! work {
    ($(#[$doc:meta])* $vis:vis enum $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident($id:ty) = $kind:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$variant_doc])* $variant($id),)*
        }

        impl From<$name> for $crate::tag::Tag {
            fn from(work: $name) -> Self {
                match work {
                    $($name::$variant(id) => Self::new($kind, id),)*
                }
            }
        }

        impl $name {
            /// The name of the variant.
            #[cfg_attr(test, allow(dead_code, reason = "marks of tests have no timers"))]
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant(_) => stringify!($variant),)*
                }
            }
        }

        impl TryFrom<$crate::tag::Tag> for $name {
            type Error = $crate::tag::Tag;

            fn try_from(tag: $crate::tag::Tag) -> Result<Self, Self::Error> {
                let (slot, generation) = tag.parts();
                match tag.kind() {
                    $($kind => Ok(Self::$variant(<$id>::from_parts(slot, generation))),)*
                    _ => Err(tag),
                }
            }
        }
    };
}
pub(crate) use work;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::DeliveryId;
    use crate::user_agent::CallId;

    work! {
        enum Work {
            Call(CallId) = 1,
            Delivery(DeliveryId) = 2,
        }
    }

    #[test]
    fn a_handle_is_read_as_what_its_kind_says_and_as_nothing_else() {
        let call = Work::Call(CallId::from_parts(3, 7));
        let delivery = Work::Delivery(DeliveryId::from_parts(3, 7));
        assert_ne!(Tag::from(call), Tag::from(delivery));
        for work in [call, delivery] {
            let tag = Tag::from(work).in_role(9);
            assert_eq!((tag.role(), tag.parts()), (9, (3, 7)));
            assert_eq!(Work::try_from(tag), Ok(work));
        }
        let other = Tag::new(3, CallId::from_parts(3, 7));
        assert_eq!(Work::try_from(other), Err(other));
        assert_eq!(Work::try_from(Tag::NONE), Err(Tag::NONE));
    }
}
