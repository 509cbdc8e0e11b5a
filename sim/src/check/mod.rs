//! Laws that must be true of every run.
//!
//! A check is judged when a run is over: weather, then calm, in which every end that still has a call hangs up, then
//! max(ring limit, timer C) + 64·T1 + the absorbing timers. By then none has a call, every node is idle, and nothing was
//! ever sent beyond the schedule that the RFCs allow.
//!
//! The run is read once, for all checks, by a reading of the messages that shares nothing with `core` ([`Packet`]).
//! Your own check implements [`Check`]:
//!
//! ```
//! use sansip_sim::check::{self, Check, Names, Part, Report};
//! use sansip_sim::topology::{Scenario, Topology};
//!
//! /// Nobody is told to try elsewhere.
//! struct NoRedirects;
//!
//! impl Check for NoRedirects {
//!     fn name(&self) -> &'static str {
//!         "no-redirects"
//!     }
//!
//!     fn source(&self) -> &'static str {
//!         "our own rule"
//!     }
//!
//!     fn check_part(&self, part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
//!         for (seen, packet, _) in part.sent() {
//!             if packet.status().is_some_and(|status| (300..400).contains(&status)) {
//!                 report.breach(part.node, seen.time, format!("{} redirects", part.name));
//!             }
//!         }
//!     }
//! }
//!
//! let scenario = Scenario::rfc3261(Topology::Trapezoid);
//! let mut world = scenario.world();
//! world.run_until_quiet(scenario.end());
//! let mut checks = check::standard();
//! checks.push(Box::new(NoRedirects));
//! assert_eq!(check::breaches(&checks, &world), []);
//! ```

mod acknowledged;
mod after_bye;
mod agreement;
mod answered;
mod binding;
mod cancel;
mod capacity;
mod census;
mod cseq;
mod digest;
mod exchange;
mod forks;
mod form;
mod idle;
mod judge;
mod negotiation;
mod offer_answer;
mod reader;
mod reading;
mod relay;
mod replaces;
mod resends;
mod responses;
mod route;
mod rseq;
mod rule;
mod schedule;
mod session_timer;
mod shelf;
#[cfg(test)]
mod story;
mod traffic;
mod transparency;
mod via;

pub use self::{
    acknowledged::ACKNOWLEDGED, after_bye::AFTER_BYE, agreement::AGREEMENT, answered::ANSWERED, binding::BINDING,
    cancel::CANCEL, capacity::CAPACITY, census::CENSUS, cseq::CSEQ, digest::DIGEST, form::FORM, idle::IDLE,
    offer_answer::OFFER_ANSWER, relay::RELAY, replaces::REPLACES, resends::RESENDS, responses::RESPONSES, route::ROUTE,
    rseq::RSEQ, schedule::SCHEDULE, session_timer::SESSION_TIMER, traffic::TRAFFIC, transparency::TRANSPARENCY,
    via::VIA,
};
pub use exchange::{Exchange, Message};
pub use reading::{Carried, Names, Part, Reading, Seen, Serving, Sight};
pub use rule::Rule;

use std::borrow::Cow;
use std::fmt;

use sansip::Instant;

use crate::packet::Packet;
use crate::trace::NodeId;
use crate::world::World;
pub(crate) use judge::Judge;
pub(crate) use reader::Library;

/// Something that must be true of every run.
pub trait Check {
    /// The name of the check where it is reported.
    fn name(&self) -> &'static str;

    /// Where it comes from, like "RFC 3261 §17.1.1.2".
    fn source(&self) -> &'static str;

    /// The kind of thing it says.
    fn property(&self) -> Property {
        Property::Safety
    }

    /// Looks at a run that is over, as a whole, and reports everything that should not be.
    fn check(&self, run: &Reading<'_>, report: &mut Report<'_>) {
        let _ = (run, report);
    }

    /// Looks at one node's part in one call, and reports everything that should not be. That must follow from the part and the names
    /// alone: a part that several runs have in common is judged once.
    fn check_part(&self, part: &Part<'_>, names: &Names<'_>, report: &mut Report<'_>) {
        let _ = (part, names, report);
    }
}

/// The kind of thing that a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// Something never happens. Holds in every run, also if messages were corrupted.
    Safety,
    /// Something is so in the end.
    Liveness,
}

/// How a breach shows. It matters where not all was seen, as in a capture: a simulated run has everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// By messages that were seen: no RFC allows them, whatever else there was.
    Seen,
    /// By what was not seen, or by the order in which it was: whoever sees all that a node sees can tell.
    Missing,
    /// By an interval, or by what an RFC only recommends: a remark.
    Remark,
}

/// Why something should not be, and how that shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    evidence: Evidence,
    why: Cow<'static, str>,
}

impl Fault {
    fn new(evidence: Evidence, why: impl Into<Cow<'static, str>>) -> Self {
        Self { evidence, why: why.into() }
    }

    /// Shows by messages that were seen.
    fn seen(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Evidence::Seen, why)
    }

    /// Shows by what was not seen, or by an order.
    fn missing(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Evidence::Missing, why)
    }

    /// Shows by an interval, or by what is only recommended.
    fn remark(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Evidence::Remark, why)
    }
}

/// Something that should not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The name of the check.
    pub check: &'static str,
    /// Its kind.
    pub property: Property,
    /// How it shows.
    pub evidence: Evidence,
    /// The node whose mistake it is.
    pub node: NodeId,
    /// When it happened.
    pub time: Instant,
    /// The mistake, in one line.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.check, self.time, self.what)
    }
}

/// Where a check reports what should not be.
#[derive(Debug)]
pub struct Report<'a> {
    check: &'static str,
    property: Property,
    evidence: Evidence,
    /// The check's place among the checks.
    place: usize,
    breaches: &'a mut Vec<(usize, Breach)>,
}

impl Report<'_> {
    /// Reports what shows so. If nothing is said, a breach shows by what was not seen.
    pub fn by(&mut self, evidence: Evidence) -> Report<'_> {
        Report { evidence, breaches: self.breaches, ..*self }
    }

    /// A node sent a message that it should not have sent, or not so.
    pub(crate) fn fault(&mut self, part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>, fault: &Fault) {
        self.by(fault.evidence).sent(part, seen, packet, &fault.why);
    }

    /// A node did, or is, what it should not.
    pub fn breach(&mut self, node: NodeId, time: Instant, what: impl Into<String>) {
        let Self { check, property, evidence, .. } = *self;
        let breach = Breach { check, property, evidence, node, time, what: what.into() };
        self.breaches.push((self.place, breach));
    }

    /// A node sent a message that it should not have sent, or not so.
    pub fn sent(&mut self, part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>, why: &str) {
        let what = format!("{} sent {} ({}): {why}", part.name, packet.what(), packet.top().branch);
        self.breach(part.node, seen.time, what);
    }
}

/// The checks that hold in every world of nodes with the usual timers.
pub fn standard() -> Vec<Box<dyn Check>> {
    const RULES: [Rule; 24] = [
        FORM,
        RESPONSES,
        VIA,
        CSEQ,
        CANCEL,
        ROUTE,
        TRANSPARENCY,
        RELAY,
        BINDING,
        AFTER_BYE,
        SCHEDULE,
        TRAFFIC,
        AGREEMENT,
        OFFER_ANSWER,
        RSEQ,
        SESSION_TIMER,
        REPLACES,
        DIGEST,
        CAPACITY,
        RESENDS,
        ACKNOWLEDGED,
        ANSWERED,
        IDLE,
        CENSUS,
    ];
    RULES.into_iter().map(|rule| Box::new(rule) as Box<dyn Check>).collect()
}

/// Every breach of the given checks, in the order of the checks.
pub fn breaches(checks: &[Box<dyn Check>], world: &World) -> Vec<Breach> {
    Judge::new(checks, &Library::default(), 0).breaches(world)
}
