//! One run of a call: from a [`Case`] over a world to a [`Verdict`].
//!
//! The commands `call`, `sweep` and `explore`, the shrinking of failures and the tests all run calls through here.

mod broken;
mod case;
mod digest;
mod options;
mod verdict;

pub use broken::{Broken, BrokenChecks};
pub use case::{ByWhom, Case, Reply};
pub use digest::digest;
pub(crate) use options::why;
pub use options::{OPTIONS, Opt};
pub use verdict::{Outcome, PANIC, Verdict};

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use sansip::Instant;

use crate::check::{Check, Judge, Library, standard};
use crate::topology::Wrap;
use crate::world::World;

/// More events than any run of a scene has in which something comes to an end.
const EVENTS: u64 = 50_000_000;

/// A call that was run to its end.
#[derive(Clone, Debug)]
pub struct Run {
    /// The world at the end, with its trace.
    pub world: World,
    /// The verdict of the checks.
    pub verdict: Verdict,
}

/// Runs a call through weather and calm to its end, and judges it by the [standard] checks. A node that panics has broken
/// what must never happen: the check is called [`PANIC`] then.
pub fn run(case: &Case) -> Run {
    run_with(case, &standard(), &mut |_, actor| actor)
}

/// As above, with other checks, and with something between some nodes and the world.
pub fn run_with(case: &Case, checks: &[Box<dyn Check>], wrap: Wrap<'_>) -> Run {
    let scenario = case.scenario();
    let mut world = scenario.world_with(wrap);
    let library = Library::default();
    let verdict = judged(&mut world, scenario.end(), &mut Judge::new(checks, &library, 0));
    Run { world, verdict }
}

/// As [`run`], with a trace that has what stands in the nodes besides ([`Case::watched`]). It is the same run, with the same digest.
pub fn run_watched(case: &Case) -> Run {
    run(&Case { watched: true, ..case.clone() })
}

/// Lets a world run until it is quiet, at the latest until `end`, and judges it.
pub(crate) fn judged(world: &mut World, end: Instant, judge: &mut Judge<'_>) -> Verdict {
    match guarded(|| finish(world, end)) {
        Ok(()) => Verdict::new(judge.breaches(world)),
        // The trace shows what led to it.
        Err(panic) => Verdict::panicked(world, &*panic),
    }
}

/// Does something in which a node may panic.
pub(crate) fn guarded<R>(work: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    RUNNING.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    RUNNING.set(false);
    done
}

thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in the midst of a [`run`], where a panic is a node's and is caught.
pub fn is_running() -> bool {
    RUNNING.get()
}

fn finish(world: &mut World, end: Instant) {
    let mut events = 0;
    while !world.is_quiet() && world.next_event().is_some_and(|next| next <= end) && events < EVENTS {
        world.step();
        events += 1;
    }
}
