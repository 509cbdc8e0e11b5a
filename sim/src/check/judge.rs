//! Judging runs, many of which may have parts in common.

use std::hash::{Hash, Hasher};

use sansip::Instant;

use super::reader::{Library, Reader, is_corrupted};
use super::reading::{Names, Part, Reading, Seen, Serving, Sight};
use super::{Breach, Check, Evidence, Property, Report};
use crate::trace::Trace;
use crate::world::World;
use crate::world::hash::Map;

/// So many different messages are kept from run to run. One run may have more.
const MESSAGES: usize = 1 << 16;

/// Judges runs, all of worlds with the same names. What a check says of a part follows from the part alone, so parts that are equal
/// in every respect are judged once, as long as there is room to remember them.
pub(crate) struct Judge<'a> {
    checks: &'a [Box<dyn Check>],
    reader: Reader<'a>,
    known: Map<Known<'a>, Vec<(usize, Breach)>>,
    /// So many parts are remembered at most.
    room: usize,
}

impl<'a> Judge<'a> {
    /// By these checks, with an empty library.
    pub(crate) fn new(checks: &'a [Box<dyn Check>], library: &'a Library<'a>, room: usize) -> Self {
        Self { checks, reader: Reader::new(library), known: Map::default(), room }
    }

    /// Every breach in a run that is over, in the order of the checks.
    pub(crate) fn breaches(&mut self, world: &World) -> Vec<Breach> {
        if self.reader.messages() > MESSAGES {
            // Its library cannot forget.
            return Judge::new(self.checks, &Library::default(), 0).breaches(world);
        }
        let servers = world
            .actors()
            .filter_map(|(node, name, actor)| actor.settings().map(|settings| Serving { node, name, settings }));
        self.judge(world.trace(), Some(world), world.now(), &servers.collect::<Vec<_>>())
    }

    /// As above, of a run whose world may be gone.
    pub(crate) fn judge(
        &mut self,
        trace: &Trace,
        world: Option<&World>,
        now: Instant,
        servers: &[Serving<'_>],
    ) -> Vec<Breach> {
        let mut parts = self.reader.read(trace, now);
        let corrupted = is_corrupted(trace);
        let names = Names(world.map(|world| &world.setting().zone));
        let mut breaches = Vec::new();
        let actors = world.into_iter().flat_map(World::actors);
        let strangers: Vec<_> = actors.filter_map(|(node, _, actor)| actor.is_stranger().then_some(node)).collect();
        let actors = world.into_iter().flat_map(World::actors);
        let others: Vec<_> = actors.filter_map(|(node, _, actor)| (!actor.speaks_sip()).then_some(node)).collect();
        for part in parts.extract_if(.., |part| others.contains(&part.node)) {
            self.reader.recycle(part.seen);
        }
        let run = Reading::of(trace, world, now, &parts, servers, corrupted);
        self.each(corrupted, &mut breaches, &mut |check, report| check.check(&run, report));
        breaches.retain(|(_, breach): &(usize, Breach)| !strangers.contains(&breach.node));
        for part in parts {
            if strangers.contains(&part.node) {
                self.reader.recycle(part.seen);
                continue;
            }
            self.judge_part(part, &names, corrupted, &mut breaches);
        }
        breaches.sort_by_key(|(place, _)| *place);
        breaches.into_iter().map(|(_, breach)| breach).collect()
    }

    fn judge_part(&mut self, part: Part<'a>, names: &Names<'_>, corrupted: bool, breaches: &mut Vec<(usize, Breach)>) {
        let mut part = Known(part);
        if !corrupted && let Some(found) = self.known.get(&part) {
            breaches.extend_from_slice(found);
            return self.reader.recycle(part.0.seen);
        }
        let mut found = Vec::new();
        self.each(corrupted, &mut found, &mut |check, report| check.check_part(&part.0, names, report));
        breaches.extend_from_slice(&found);
        if !corrupted && self.room > 0 {
            if self.known.len() >= self.room {
                self.known.clear();
            }
            // The memory has no room to spare.
            part.0.groups.take();
            let seen = part.0.seen.clone();
            self.reader.recycle(std::mem::replace(&mut part.0.seen, seen));
            self.known.insert(part, found);
        }
    }

    fn each(
        &self,
        corrupted: bool,
        breaches: &mut Vec<(usize, Breach)>,
        ask: &mut dyn FnMut(&dyn Check, &mut Report<'_>),
    ) {
        // Nothing can be asked of corrupted messages but that they do no harm.
        let judged = self.checks.iter().enumerate();
        for (place, check) in judged.filter(|(_, check)| check.property() == Property::Safety || !corrupted) {
            let (check_name, property, evidence) = (check.name(), check.property(), Evidence::Missing);
            ask(&**check, &mut Report { check: check_name, property, evidence, place, breaches });
        }
    }
}

/// A part, equal to another if every check must say the same of both. Of one reader, equal messages are one packet.
struct Known<'a>(Part<'a>);

impl PartialEq for Known<'_> {
    fn eq(&self, other: &Self) -> bool {
        let Part {
            node,
            name,
            call_id,
            seen,
            until,
            crashed,
            is_stateless,
            keeps_time,
            lost,
            timers,
            haste,
            groups: _,
        } = &self.0;
        let rest = &other.0;
        (*node, *until, *crashed, *keeps_time) == (rest.node, rest.until, rest.crashed, rest.keeps_time)
            && (*is_stateless, timers, *haste) == (rest.is_stateless, &rest.timers, rest.haste)
            && seen.len() == rest.seen.len()
            && seen.iter().zip(&rest.seen).all(|(one, other)| is_same(one, other))
            && (*name, *call_id, lost) == (rest.name, rest.call_id, &rest.lost)
    }
}

impl Eq for Known<'_> {}

impl Hash for Known<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.node, self.0.until).hash(state);
        for seen in &self.0.seen {
            state.write_u64(seen.time.as_nanos());
            state.write_usize(match seen.what {
                Sight::Sent(packet, _) => std::ptr::from_ref(packet).addr(),
                Sight::Received(packet, _) => !std::ptr::from_ref(packet).addr(),
                Sight::Began => 1,
                Sight::Ended(_) => 2,
            });
        }
    }
}

/// Whether two things seen are the same; a packet has its hop and what is below.
fn is_same(one: &Seen<'_>, other: &Seen<'_>) -> bool {
    let same = match (one.what, other.what) {
        (Sight::Sent(packet, carried), Sight::Sent(other, to))
        | (Sight::Received(packet, carried), Sight::Received(other, to)) => {
            std::ptr::eq(packet, other) && carried == to
        }
        (Sight::Began, Sight::Began) => true,
        (Sight::Ended(session), Sight::Ended(other)) => session == other,
        _ => false,
    };
    same && (one.time, one.world) == (other.time, other.world)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Case, run_with};
    use crate::sweep::{Scope, draw};
    use crate::topology::Topology;

    /// Tells all of every part.
    struct Tell;

    impl Check for Tell {
        fn name(&self) -> &'static str {
            "tell"
        }

        fn source(&self) -> &'static str {
            "us"
        }

        fn check_part(&self, part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
            let Part { node, until, crashed, .. } = part;
            for Seen { time, what, .. } in &part.seen {
                let what = match what {
                    Sight::Sent(packet, carried) => format!("sent {} to {}", packet.what(), carried.destination),
                    Sight::Received(packet, carried) => format!("got {} from {}", packet.what(), carried.source),
                    Sight::Began | Sight::Ended(_) => format!("{what:?}"),
                };
                report.breach(*node, *time, format!("{} until {until} {crashed} {what}", part.name));
            }
        }
    }

    #[test]
    fn a_part_that_is_judged_from_memory_is_judged_alike() {
        let checks: [Box<dyn Check>; 1] = [Box::new(Tell)];
        let library = Library::default();
        let mut judge = Judge::new(&checks, &library, 64);
        let scope = Scope { topology: Some(Topology::Mixed), ..Scope::default() };
        let mut most = 0;
        for number in 0..40 {
            let case = Case { topology: Topology::Mixed, ..draw(&scope, 1, number) };
            let world = run_with(&case, &[], &mut |_, node| node).world;
            let anew = super::super::breaches(&checks, &world);
            assert!(anew.len() > 10, "{case}");
            assert_eq!(judge.breaches(&world), anew, "{case}");
            assert_eq!(judge.breaches(&world), anew, "{case}");
            most = most.max(judge.known.len());
        }
        assert!(most > 20 && most <= 64, "{most}");
    }
}
