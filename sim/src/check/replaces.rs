//! Replaces: a call takes the place of another that is there, and ends it.

use sansip::Instant;

use super::{Part, Reading, Report, Rule};
use crate::packet::Packet;

/// An INVITE with Replaces, outside of dialogs, gets a 2xx only from who has the call that it names (RFC 3891 §3): a call that is confirmed, or
/// early by its own INVITE, and that no BYE has ended when the INVITE came. That call ends then, by a BYE, or by a CANCEL while it is early.
pub const REPLACES: Rule = Rule::new("replaces", "RFC 3891 §3").of_runs(check_run);

fn check_run(run: &Reading<'_>, report: &mut Report<'_>) {
    // The call that is named may be one of which nothing is known.
    if run.is_corrupted() {
        return;
    }
    for part in run.parts() {
        for (came, agreed, named) in agreements(part) {
            let others = run.parts().iter().filter(|other| other.node == part.node && other.call_id == named.call_id);
            let alive = others.clone().find(|other| named.is_there(other, came));
            // A BYE may have to wait for the ACK of a 2xx (RFC 3261 §15), and for its way.
            let due = agreed + part.timers.sixty_four_t1() + part.timers.t1;
            let wrong = match alive {
                None => "takes the place of a call that is over, or that there never was",
                Some(other) if due < other.until && !named.is_ended(other, due) => {
                    "has a call still that another has taken the place of"
                }
                Some(_) => continue,
            };
            report.breach(part.node, agreed, format!("{} {wrong}: {}", part.name, named.call_id));
        }
    }
}

/// The call that a Replaces names.
#[derive(Clone, Copy, Debug)]
struct Named<'a> {
    call_id: &'a str,
    local: &'a str,
    remote: &'a str,
}

/// Each INVITE with Replaces that this node has accepted: when it came, when it was accepted, and the call that it names.
fn agreements<'a>(part: &Part<'a>) -> Vec<(Instant, Instant, Named<'a>)> {
    let mut all: Vec<(usize, Instant, Instant, Named<'a>)> = Vec::new();
    for (seen, packet, _) in part.sent() {
        let is_first = !all.iter().any(|(hop, ..)| *hop == seen.hop);
        if !packet.answers(2, "INVITE") || !is_first || part.forwards(seen.hop, "INVITE") {
            continue;
        }
        if let Some((came, invite, _)) = part.copies(seen.hop, "INVITE", seen.index).next()
            && invite.to_tag.is_empty()
            && let Some(named) = named(invite)
        {
            all.push((seen.hop, came.time, seen.time, named));
        }
    }
    all.into_iter().map(|(_, came, agreed, named)| (came, agreed, named)).collect()
}

fn named<'a>(invite: &Packet<'a>) -> Option<Named<'a>> {
    let value = invite.values("replaces", "replaces").next()?;
    let (call_id, parameters) = value.split_once(';')?;
    let tag = |name: &str| parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix(name));
    // The tags are written as the one who is to replace the call sees them (§6.1).
    Some(Named { call_id: call_id.trim(), local: tag("to-tag=")?, remote: tag("from-tag=")? })
}

impl Named<'_> {
    /// Whether the node has the call at that time.
    fn is_there(&self, part: &Part<'_>, time: Instant) -> bool {
        let before = || part.messages().filter(|(seen, ..)| seen.time <= time);
        let has = before().any(|(seen, packet, _)| {
            let (ours, theirs) = (self.local, self.remote);
            let tags = (packet.from_tag, packet.to_tag);
            match (seen.is_sent(), packet.status().filter(|_| packet.method == "INVITE")) {
                (false, Some(100..=299)) => tags == (ours, theirs),
                (true, Some(200..=299)) => tags == (theirs, ours),
                _ => false,
            }
        });
        let is_over = self.byes(part).any(|bye| bye < time) || part.crashed && part.until <= time;
        has && !is_over
    }

    /// Whether the call was ended by that time.
    fn is_ended(&self, part: &Part<'_>, due: Instant) -> bool {
        let mut cancels = part.sent().filter(|(_, cancel, _)| cancel.is("CANCEL") && cancel.from_tag == self.local);
        cancels.any(|(seen, ..)| seen.time <= due) || self.byes(part).any(|bye| bye <= due)
    }

    /// When BYEs came or went.
    fn byes(&self, part: &Part<'_>) -> impl Iterator<Item = Instant> {
        let (ours, theirs) = ((self.local, self.remote), (self.remote, self.local));
        let byes = part.messages().filter(|(_, packet, _)| packet.is("BYE"));
        let of_call =
            byes.filter(move |(seen, bye, _)| (bye.from_tag, bye.to_tag) == if seen.is_sent() { ours } else { theirs });
        of_call.map(|(seen, ..)| seen.time)
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, request, response, with};
    use super::*;

    fn shows(story: Story, why: &str) {
        story.shows(REPLACES, why);
    }

    /// This message of another call.
    fn other(message: &str) -> String {
        message
            .replace("Call-ID: c\r\n", "Call-ID: d\r\n")
            .replace("tag=a", "tag=z")
            .replace("branch=", "branch=z9hG4bKd")
    }

    fn theirs(message: &str) -> String {
        message.replace("tag=a", "tag=x").replace("tag=b", "tag=a").replace("tag=x", "tag=b")
    }

    /// Another INVITE comes, to take the place of that call, and is accepted.
    fn replaced(story: Story, named: &str) -> Story {
        let invite = with(&format!("Replaces: {named}"), &other(&request("INVITE", &["r"])));
        story.receives(500, &invite).sends(600, &other(&response(200, "INVITE", &["r"])))
    }

    const GONE: &str = "takes the place of a call that is over, or that there never was: c";
    const KEPT: &str = "has a call still that another has taken the place of: c";
    /// As the peer of the node writes it, which has answered.
    const CALLED: &str = "c;to-tag=b;from-tag=a";
    const CALLING: &str = "c;from-tag=b;to-tag=a";

    #[test]
    fn a_call_that_is_there_is_ended_by_one_that_takes_its_place() {
        let called = || Story::new().receives(0, &request("INVITE", &["1"])).sends(9, &response(200, "INVITE", &["1"]));
        let bye = theirs(&in_dialog("BYE", &["2"]));
        shows(replaced(called(), CALLED).sends(601, &bye), "");
        shows(replaced(called(), CALLED).receives(601, &in_dialog("BYE", &["2"])), "");
        shows(replaced(called(), CALLED), KEPT);
        shows(replaced(called(), CALLED).sends(33_200, &bye), KEPT);
        let calling =
            || Story::new().sends(0, &request("INVITE", &["1"])).receives(9, &response(200, "INVITE", &["1"]));
        shows(replaced(calling(), CALLING).sends(601, &in_dialog("BYE", &["2"])), "");
        shows(replaced(calling(), CALLING), KEPT);
        let early = Story::new().sends(0, &request("INVITE", &["1"])).receives(9, &response(180, "INVITE", &["1"]));
        shows(replaced(early, CALLING).sends(601, &request("CANCEL", &["1"])), "");
    }

    #[test]
    fn no_call_takes_the_place_of_one_that_is_not_there() {
        let called = || Story::new().receives(0, &request("INVITE", &["1"])).sends(9, &response(200, "INVITE", &["1"]));
        shows(replaced(called().receives(400, &in_dialog("BYE", &["2"])), CALLED), GONE);
        shows(replaced(called(), CALLING), GONE);
        shows(replaced(Story::new(), CALLED), GONE);
        // Nobody takes the place of a call that rings here.
        let rings = Story::new().receives(0, &request("INVITE", &["1"])).sends(9, &response(180, "INVITE", &["1"]));
        shows(replaced(rings, CALLED), GONE);
    }
}
