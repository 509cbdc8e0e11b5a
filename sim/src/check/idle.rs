//! Idle: nothing is left over.

use super::{Breach, Check};
use crate::world::World;

/// At the end of a run every node is idle: no transaction, dialog, delivery or open question is left (RFC 3261 §17: every
/// state machine has a timer that ends it).
#[derive(Clone, Copy, Debug)]
pub struct Idle;

impl Check for Idle {
    fn name(&self) -> &'static str {
        "idle"
    }

    fn source(&self) -> &'static str {
        "RFC 3261 §17.1, §17.2; RFC 6026 §7"
    }

    fn check(&self, world: &World) -> Vec<Breach> {
        let busy = world.actors().filter(|(_, _, actor)| !actor.is_idle());
        busy.map(|(_, name, _)| Breach { check: self.name(), time: world.now(), what: format!("{name} is not idle") })
            .collect()
    }
}
