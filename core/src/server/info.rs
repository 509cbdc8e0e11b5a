//! Questions about what a server knows at this moment.

use super::{Core, asking, gateways, role};
use crate::proxy;
use crate::registrar::{self, Binding, Location};
use crate::stack::Stack;
use crate::tag::Tag;

impl Stack<Core> {
    /// The bindings of `user@host` in the order of registration; none if there is no such user, or if bindings are not kept in memory.
    pub fn bindings(&self, address_of_record: &str) -> &[Binding] {
        self.user().location().bindings(address_of_record).unwrap_or_default()
    }
}

impl Core {
    /// The bindings of all users (RFC 3261 §10.3); none if they are not kept in memory.
    pub const fn location(&self) -> &Location {
        self.registrar.location()
    }
}

/// A name for the timer of the part that has put this mark on it.
pub(super) fn timer_name(tag: Tag) -> &'static str {
    match tag.role() {
        role::PROXY => proxy::Core::timer_name(tag),
        role::REGISTRAR => registrar::Core::timer_name(tag),
        role::QUESTION => asking::Work::try_from(tag).map_or("Timer", asking::Work::name),
        role::GATEWAY => gateways::Work::try_from(tag).map_or("Timer", gateways::Work::name),
        _ => "Timer",
    }
}
