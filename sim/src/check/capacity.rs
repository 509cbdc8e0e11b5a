//! Capacity: what a node once had is what it has room for.

use super::{Reading, Report, Rule};

/// The room of a node for each kind of thing is bounded by what was alive of it at the peak: places are used again (RFC 3261
/// §26.3.2.4: nobody can make it grow by coming and going).
pub const CAPACITY: Rule = Rule::new("capacity", "RFC 3261 §26.3.2.4").of_runs(check_run);

/// A table doubles when it is full, and a hash table leaves an eighth empty.
const TIMES: usize = 4;
/// The least that is ever asked for.
const LEAST: usize = 16;

fn check_run(run: &Reading<'_>, report: &mut Report<'_>) {
    for (node, name, actor) in run.actors() {
        let peak = run.peak(node);
        for ((what, room), (_, peak)) in actor.capacity().all().into_iter().zip(peak.all()) {
            if room > LEAST.max(peak * TIMES) {
                let what = format!("{name} has room for {room} {what}, and {peak} were alive at most");
                report.breach(node, run.now(), what);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::Still;
    use super::*;

    fn shows(alive: usize, room: usize, why: &str) {
        let mut still = Still::default();
        (still.census.endpoint.timers, still.capacity.endpoint.timers) = (alive, room);
        still.shows(CAPACITY, why);
    }

    #[test]
    fn there_is_room_for_four_times_what_was_alive_or_for_sixteen() {
        shows(0, 16, "");
        shows(0, 17, "judged has room for 17 timers, and 0 were alive at most");
        shows(5, 20, "");
        shows(5, 21, "judged has room for 21 timers, and 5 were alive at most");
    }
}
