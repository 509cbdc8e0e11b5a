//! Acknowledged: every final response to INVITE gets its ACK, or its call ends.

use sansip::{Duration, Timers};

use super::{Check, Kind, Part, Reading, Report, Seen};
use crate::packet::Packet;

/// Every final response to INVITE is acknowledged; a 2xx that is not ends its call.
///
/// * A caller sends an ACK for each copy of each 2xx that comes while its INVITE is alive, at once, or as soon as the resolver has
///   said where (RFC 3261 §13.2.2.4), for 64·T1 after the first (timer M, RFC 6026 §8.4).
/// * Who sent an INVITE sends an ACK for each copy of another final response, at once, for 32 s (§17.1.1.2, timer D).
/// * A called end whose 2xx gets no ACK for 64·T1 sends a BYE, unless one came (§13.3.1.4).
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    timers: Timers,
}

impl Acknowledged {
    /// For nodes with these timers.
    pub const fn new(timers: Timers) -> Self {
        Self { timers }
    }
}

impl Check for Acknowledged {
    fn name(&self) -> &'static str {
        "acknowledged"
    }

    fn source(&self) -> &'static str {
        "RFC 3261 §13.2.2.4, §13.3.1.4, §17.1.1.2; RFC 6026 §8.4"
    }

    fn kind(&self) -> Kind {
        Kind::Liveness
    }

    fn check(&self, run: &Reading<'_>, report: &mut Report<'_>) {
        for part in run.parts() {
            for (seen, packet, _) in part.received() {
                let is_final = packet.status().is_some_and(|status| status >= 200);
                if is_final && packet.method == "INVITE" && !self.is_acknowledged(part, seen, packet) {
                    let what = format!("{} sent no ACK for {} ({})", part.name, packet.what(), packet.top().branch);
                    report.breach(part.node, seen.time, what);
                }
            }
            for (seen, packet, _) in part.sent() {
                if packet.answers(2, "INVITE") && self.is_abandoned(part, seen, packet) {
                    let what = format!("{} got no ACK for its 2xx for 64·T1 and sent no BYE", part.name);
                    report.breach(part.node, seen.time, what);
                }
            }
        }
    }
}

impl Acknowledged {
    fn is_acknowledged(&self, part: &Part<'_>, seen: &Seen<'_>, response: &Packet<'_>) -> bool {
        let rejection = response.is_rejection();
        let Some((first, first_packet)) = part.first_final(seen.hop, &self.timers) else { return true };
        if first_packet.is_rejection() != rejection {
            return true;
        }
        if !rejection && response.vias.len() > 1 {
            // A proxy passes it on.
            return true;
        }
        let since = seen.time.since(first.time);
        let (absorbs, by) = if rejection {
            (self.timers.sixty_four_t1().max(Duration::from_secs(32)), seen.time)
        } else {
            (self.timers.sixty_four_t1(), seen.time + self.timers.t1)
        };
        let mut acks = part.sent().filter(|(ack, packet, _)| {
            let fits = if rejection { ack.hop == seen.hop } else { packet.to_tag == response.to_tag };
            packet.is("ACK") && fits && ack.index > seen.index
        });
        since >= absorbs || by > part.until || acks.any(|(ack, ..)| ack.time <= by)
    }

    /// Whether a called end's first 2xx got no ACK in time, and no BYE followed.
    fn is_abandoned(&self, part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> bool {
        let first = part.sent().find(|(other, response, _)| other.hop == seen.hop && response.answers(2, "INVITE"));
        if part.forwards(seen.hop, "INVITE") || first.is_none_or(|(first, ..)| first.index != seen.index) {
            return false;
        }
        let deadline = seen.time + self.timers.sixty_four_t1();
        let due = deadline + self.timers.t1;
        let concerns = |other: &Packet<'_>| other.to_tag == packet.to_tag || other.from_tag == packet.to_tag;
        let told = part.received().any(|(other, request, _)| {
            concerns(request) && (request.is("BYE") || request.is("ACK")) && other.time <= deadline
        });
        let tells = part.sent().any(|(other, request, _)| concerns(request) && request.is("BYE") && other.time <= due);
        due <= part.until && !told && !tells
    }
}
