//! Every placement of a few faults on a call.
//!
//! A run is a path through a tree: wherever a datagram is sent, its fate is a choice. The tree is walked depth first, and a world
//! is cloned at each choice, so that what two runs have in common happens once; and what a node or a check made of the same things in
//! another run is remembered.

mod choice;
mod memory;
mod walk;

pub use walk::{Findings, First, walk, walk_all, walk_with};

use sansip::Duration;

use crate::fault::Event;
use crate::run::Case;

/// The call that is explored, without faults of its own, and how many it is given at most.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// The call, with neither weather nor plan.
    pub case: Case,
    /// The most faults of a run.
    pub faults: usize,
    /// Events that are faults, too: each at every moment after datagrams were sent.
    pub events: Vec<Event>,
}

impl Exploration {
    /// The faults of datagrams alone.
    pub const fn new(case: Case, faults: usize) -> Self {
        Self { case, faults, events: Vec::new() }
    }

    /// The six calls that matter most in a network: with and without Record-Route; Bob hangs up, or Alice does, or she
    /// cancels while it rings.
    pub fn calls(case: &Case) -> Vec<Case> {
        use crate::run::ByWhom;
        let mut calls = Vec::new();
        for record_route in [false, true] {
            for (hang_up, cancel_after) in [(ByWhom::BOB, None), (ByWhom::ALICE, None), (ByWhom::BOB, Some(CANCEL))] {
                calls.push(Case { record_route, hang_up, cancel_after, ..case.clone() });
            }
        }
        calls
    }
}

/// When Alice cancels: Bob's phone rings then.
pub const CANCEL: Duration = Duration::from_secs(1);
