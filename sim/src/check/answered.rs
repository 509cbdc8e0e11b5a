//! Answered: whoever is asked says something.

use sansip::Duration;

use super::{Evidence, Names, Part, Report, Rule, Seen};
use crate::packet::Packet;

/// Every request that comes to an end gets its final response: an INVITE when it is decided, by the end of the run, anything else
/// at once (RFC 3261 §8.2, §15.1.2, §17.2.2), that is, before its sender sends it a second time.
///
/// A registrar may ask a store before it answers a REGISTER, which has 20·T1 for it.
/// A request that a proxy passes on is answered from elsewhere, or never (RFC 4320 §4.2).
pub const ANSWERED: Rule = Rule::new("answered", "RFC 3261 §8.2, §15.1.2, §17.2").of_parts(check_part).in_the_end();

/// The time that the store of a registrar may take, in units of T1.
const STORE: u32 = 20;

fn is_answered(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> bool {
    let invite = packet.method == "INVITE";
    let by = match packet.method {
        "INVITE" => part.until,
        "REGISTER" => seen.time + part.timers.t1 * STORE,
        _ => seen.time + part.timers.t1,
    };
    let mut answers = part.of(seen.hop).responses_sent(packet.method);
    let out_of_time = by > part.until || (invite && part.crashed);
    out_of_time
        || part.forwards(seen.hop, packet.method)
        || answers.any(|(other, response, _)| response.is_final() && other.time <= by)
}

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    for (seen, packet, _) in part.received() {
        if packet.is_request() && packet.method != "ACK" && !is_answered(part, seen, packet) {
            let what = format!("{} did not answer {} ({})", part.name, packet.what(), packet.top().branch);
            report.by(evidence(part, seen, packet)).breach(part.node, seen.time, what);
        }
    }
}

/// An INVITE may ring so long that nothing more is heard (timer C, §16.6 step 11).
const RINGING: Duration = Duration::from_secs(185);

/// An answer that comes late is one, and what was seen may end before an INVITE is decided.
fn evidence(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> Evidence {
    let mut answers = part.of(seen.hop).responses_sent(packet.method).map(|(_, response, _)| response);
    let last = part.of(seen.hop).messages().map(|(other, ..)| other.time).max().unwrap_or(seen.time);
    let may_ring = packet.method == "INVITE" && part.until.since(last) < RINGING;
    if may_ring || answers.any(Packet::is_final) { Evidence::Remark } else { Evidence::Missing }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, request, response};
    use super::*;

    fn shows(story: Story, why: &str) {
        story.shows(ANSWERED, why);
    }

    #[test]
    fn a_request_is_answered_before_its_copy_comes() {
        let (asked, answer) = (in_dialog("BYE", &["1"]), response(200, "BYE", &["1"]));
        let story = || Story::new().receives(0, &asked);
        shows(story(), "did not answer BYE (z9hG4bK1)");
        shows(story().sends(500, &answer), "");
        shows(story().sends(501, &answer), "did not answer BYE (z9hG4bK1)");
        shows(story().sends(9, &response(100, "BYE", &["1"])), "did not answer BYE (z9hG4bK1)");
        shows(Story::new().receives(0, &in_dialog("ACK", &["1"])), "");
    }

    #[test]
    fn an_invite_is_answered_by_the_end_or_passed_on() {
        let story = || Story::new().receives(0, &request("INVITE", &["1"]));
        shows(story().sends(9, &response(180, "INVITE", &["1"])), "did not answer INVITE (z9hG4bK1)");
        shows(story().sends(90_000, &response(486, "INVITE", &["1"])), "");
        shows(story().sends(9, &request("INVITE", &["p", "1"])), "");
    }
}
