//! The verdict of the checks on a run.

use std::any::Any;
use std::fmt;

use crate::check::{Breach, Check, Evidence, Property, breaches};
use crate::trace::{NodeId, What};
use crate::world::World;

/// The breaches of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Something that should never have happened.
    pub safety: Vec<Breach>,
    /// Something that should have happened by the end and did not.
    pub liveness: Vec<Breach>,
}

/// The name under which a panic is reported, beside those of the checks.
pub const PANIC: &str = "panic";

/// A verdict in a word. The worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// All checks hold.
    Holds,
    /// Only checks of [`Property::Liveness`] are broken.
    Liveness,
    /// A check of [`Property::Safety`] is broken.
    Safety,
}

impl Verdict {
    /// Judges a world at the end of its run.
    pub fn of(checks: &[Box<dyn Check>], world: &World) -> Self {
        Self::new(breaches(checks, world))
    }

    /// The verdict that these breaches come to.
    pub(crate) fn new(breaches: Vec<Breach>) -> Self {
        let (safety, liveness) = breaches.into_iter().partition(|breach| breach.property == Property::Safety);
        Self { safety, liveness }
    }

    /// The verdict on a run in which a node panicked: the one that did something last, as far as the trace tells.
    pub(crate) fn panicked(world: &World, panic: &dyn Any) -> Self {
        let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
        let what = message.unwrap_or("without a message").to_owned();
        let node = world.trace().entries().last().map(|entry| match &entry.what {
            What::Arrived { node, .. } | What::Noted { node, .. } => *node,
            What::Sent(sent) => sent.from,
        });
        let node = node.unwrap_or(NodeId(0));
        let (property, evidence) = (Property::Safety, Evidence::Seen);
        let breach = Breach { check: PANIC, property, evidence, node, time: world.now(), what };
        Self { safety: vec![breach], liveness: Vec::new() }
    }

    /// The verdict in a word.
    pub const fn outcome(&self) -> Outcome {
        match (self.safety.is_empty(), self.liveness.is_empty()) {
            (true, true) => Outcome::Holds,
            (true, false) => Outcome::Liveness,
            (false, _) => Outcome::Safety,
        }
    }

    /// Whether all checks hold.
    pub const fn holds(&self) -> bool {
        self.safety.is_empty() && self.liveness.is_empty()
    }

    /// Every breach, safety first.
    pub fn breaches(&self) -> impl Iterator<Item = &Breach> {
        self.safety.iter().chain(&self.liveness)
    }

    /// The check that is broken first.
    pub fn check(&self) -> Option<&'static str> {
        self.breaches().next().map(|breach| breach.check)
    }

    /// Whether this check is among the broken.
    pub fn breaks(&self, check: &str) -> bool {
        self.breaches().any(|breach| breach.check == check)
    }
}

impl Outcome {
    /// The exit status of a command that came to it: 0, 1 for safety, 3 for liveness.
    pub const fn status(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Safety => 1,
            Self::Liveness => 3,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "all checks hold",
            Self::Liveness => "liveness broken",
            Self::Safety => "safety broken",
        })
    }
}
