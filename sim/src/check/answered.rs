//! Answered: whoever is asked says something.

use sansip::Timers;

use super::{Check, Kind, Names, Part, Report, Seen};
use crate::packet::Packet;

/// Every request that comes to an end gets its final response: an INVITE when it is decided, by the end of the run, anything else
/// at once (RFC 3261 §8.2, §15.1.2, §17.2.2), that is, before its sender sends it a second time.
///
/// What a proxy passes on is answered from elsewhere, or never (RFC 4320 §4.2).
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    timers: Timers,
}

impl Answered {
    /// For nodes with these timers.
    pub const fn new(timers: Timers) -> Self {
        Self { timers }
    }

    fn is_answered(&self, part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> bool {
        let invite = packet.method == "INVITE";
        let by = if invite { part.until } else { seen.time + self.timers.t1 };
        let out_of_time = by > part.until || (invite && part.crashed);
        out_of_time
            || part.forwards(seen.hop, packet.method)
            || part.sent().any(|(other, response, _)| {
                let is_final = response.status().is_some_and(|status| status >= 200);
                other.hop == seen.hop && is_final && response.method == packet.method && other.time <= by
            })
    }
}

impl Check for Answered {
    fn name(&self) -> &'static str {
        "answered"
    }

    fn source(&self) -> &'static str {
        "RFC 3261 §8.2, §15.1.2, §17.2"
    }

    fn kind(&self) -> Kind {
        Kind::Liveness
    }

    fn check_part(&self, part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
        for (seen, packet, _) in part.received() {
            if packet.is_request() && packet.method != "ACK" && !self.is_answered(part, seen, packet) {
                let what = format!("{} did not answer {} ({})", part.name, packet.what(), packet.top().branch);
                report.breach(part.node, seen.time, what);
            }
        }
    }
}
