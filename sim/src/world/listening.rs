//! Where nodes listen, as they tell it themselves.

use super::{Bound, World};
use crate::actor::Actor;
use crate::trace::NodeId;

impl World {
    /// Puts a node into the world that tells its listeners, and listens there.
    ///
    /// # Panics
    /// As [`add`](Self::add), and if the node tells no listener.
    pub fn enter(&mut self, name: &str, actor: Box<dyn Actor>) -> NodeId {
        let listeners = listeners_of(name, &*actor);
        self.add(name, actor, listeners)
    }
}

/// The listeners that a node tells.
///
/// # Panics
/// If there is none.
pub(crate) fn listeners_of(name: &str, actor: &dyn Actor) -> Vec<Bound> {
    let listeners = actor.listeners().unwrap_or_default();
    assert!(!listeners.is_empty(), "`{name}` listens nowhere: `listen` comes before it enters a world");
    listeners
}

/// Compares where a node is said to listen with what it tells itself, so that a `listen` that is forgotten, or in another order, is said.
pub(super) fn compare_listeners(name: &str, actor: &dyn Actor, bounds: &[Bound]) {
    let Some(own) = actor.listeners() else { return };
    if let Some(bound) = bounds.iter().find(|bound| !own.contains(bound)) {
        let Bound { listener, protocol, address } = bound;
        panic!(
            "`{name}` is said to listen at {address} ({protocol}) as {listener}, which is none of its listeners: `listen` gives each address its own"
        );
    }
    if let Some(Bound { protocol, address, .. }) = own.iter().find(|own| !bounds.contains(own)) {
        panic!("`{name}` listens at {address} ({protocol}), where nobody reaches it: the world was not told");
    }
}
