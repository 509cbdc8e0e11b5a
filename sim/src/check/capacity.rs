//! Capacity: what a node once had is what it has room for.

use super::{Check, Reading, Report};

/// What a node has room for, of each kind of thing, is bounded by what was alive of it at the peak: places are used again (RFC 3261
/// §26.3.2.4: nobody can make it grow by coming and going).
#[derive(Clone, Copy, Debug)]
pub struct Capacity;

impl Capacity {
    /// A table doubles when it is full, and a hash table leaves an eighth empty.
    pub const TIMES: usize = 4;
    /// The least that is ever asked for.
    pub const LEAST: usize = 16;
}

impl Check for Capacity {
    fn name(&self) -> &'static str {
        "capacity"
    }

    fn source(&self) -> &'static str {
        "RFC 3261 §26.3.2.4"
    }

    fn check(&self, run: &Reading<'_>, report: &mut Report<'_>) {
        for (node, name, actor) in run.actors() {
            let peak = run.peak(node);
            for ((what, room), (_, peak)) in actor.capacity().all().into_iter().zip(peak.all()) {
                if room > Self::LEAST.max(peak * Self::TIMES) {
                    let what = format!("{name} has room for {room} {what}, and {peak} were alive at most");
                    report.breach(node, run.now(), what);
                }
            }
        }
    }
}
