//! Planted mistakes: real ones of SIP stacks, each switched on alone and found by the check that it is for.
//!
//! A mistake that shows in a node's messages or in what it says of itself is made between the node and the world
//! ([`Faulty`], [`Hooks`]). One that lies deeper is a patch of a copy of core, behind a switch of that copy
//! (docs/planted-faults.md). [`TABLE`] has them all.

mod faulty;
mod hunt;
mod on;
mod report;
mod scenes;
mod table;
mod text;
mod wrapped;
mod wrapped_servers;
mod wrapped_sessions;

pub use faulty::{Change, Claims, Faulty, Hooks, Notebook};
pub use hunt::{Caught, blamed, cut_down, find, hunt, is_caught, run};
pub use report::{Switch, report};
pub use table::TABLE;

use crate::run::Case;

/// A mistake that a SIP stack can make.
#[derive(Clone, Copy, Debug)]
pub struct Planted {
    /// Its name.
    pub name: &'static str,
    /// The mistake, in a few words.
    pub mistake: &'static str,
    /// The rule that it breaks.
    pub source: &'static str,
    /// The check that finds it.
    pub check: &'static str,
    /// How it is made.
    pub how: How,
    /// The world around that it shows in.
    pub scene: Scene,
}

/// How a mistake is made.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// Around this node; in a crowd, around each of its kind.
    Wrapped(&'static str, Hooks),
    /// In every node, by a patch.
    Patched,
}

/// The world around that a mistake shows in: nothing in it is a mistake itself.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Options of `sansip-sim call` that change what was drawn, one after the other.
    pub options: &'static [&'static str],
    /// Somebody else who behaves in an unusual way: a node and how.
    pub provoked: Option<(&'static str, Hooks)>,
}

impl Scene {
    /// Changes the case that was drawn by these options.
    pub const fn of(options: &'static [&'static str]) -> Self {
        Self { options, provoked: None }
    }

    const fn provoked_by(self, who: &'static str, how: Hooks) -> Self {
        Self { provoked: Some((who, how)), ..self }
    }

    /// Changes what was drawn.
    ///
    /// # Panics
    /// If an option is none.
    pub fn adapt(&self, case: &mut Case) {
        self.options.iter().try_for_each(|options| case.set_all(options)).expect("options of a call");
    }
}
