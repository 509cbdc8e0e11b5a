//! CANCEL: when it may be sent, what it looks like, and what it finds.

use sansip::{Duration, Instant};

use super::{Fault, Names, Part, Report, Rule, Seen};
use crate::packet::{Packet, alike};

/// A CANCEL comes after a provisional response, looks like its INVITE, and finds it.
///
/// * None is sent before a provisional response to the INVITE came, nor after a final one (RFC 3261 §9.1).
/// * Request-URI, Call-ID, From, To and Route are the INVITE's, and it goes the same way (§9.1).
/// * A proxy sends one only if one came, another branch brought a 2xx or 6xx, or timer C, set again by each provisional response
///   but 100, ran out (§16.7, §16.8, §16.10).
/// * A proxy sends one to each branch that has brought a provisional response and no final one when another brings a 2xx or 6xx (§16.7 step
///   10), or when one comes (§16.10).
/// * Whoever has the INVITE finds it by the CANCEL's branch and answers 200 (§9.2).
pub const CANCEL: Rule = Rule::new("cancel", "RFC 3261 §9.1, §9.2, §16.7, §16.8, §16.10").of_parts(check_part);

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    // Whoever keeps no transactions has no INVITE that a CANCEL could find.
    if part.is_stateless {
        return;
    }
    for (seen, packet, carried) in part.sent() {
        let first = !part.of(seen.hop).before(seen.index).sends("CANCEL");
        let verdict = if packet.is("CANCEL") && seen.below.is_none() && first {
            judge_sent(part, seen, packet, carried.destination)
        } else if packet.method == "CANCEL" && packet.is_rejection() {
            judge_refusal(part, seen)
        } else {
            Ok(())
        };
        if let Err(fault) = verdict {
            report.fault(part, seen, packet, &fault);
        }
        if let Some(due) = overdue(part, seen, packet) {
            let branch = packet.top().branch;
            let what = format!("{} sent no CANCEL for {branch}, though another branch or a CANCEL ended it", part.name);
            report.breach(part.node, due, what);
        }
    }
}

/// By when a proxy should have cancelled the branch of this INVITE, if it did not.
fn overdue(part: &Part<'_>, seen: &Seen<'_>, invite: &Packet<'_>) -> Option<Instant> {
    let below = seen.below.filter(|_| invite.is("INVITE"))?;
    let is_first = !part.of(seen.hop).before(seen.index).sends("INVITE");
    // A response that comes when the transaction is over is a stray.
    let given_up = seen.time + part.timers.sixty_four_t1();
    let answered = part.of(below).responses_sent("INVITE").find(|(_, packet, _)| packet.is_final());
    let is_in_time = |index| answered.is_none_or(|(answer, ..)| answer.index > index);
    let (decided, ..) = part.received().find(|(other, packet, _)| {
        let cancelled =
            packet.is("CANCEL") && other.hop == below && other.index > seen.index && is_in_time(other.index);
        cancelled || decides(packet) && other.below == Some(below) && other.hop != seen.hop
    })?;
    let mut heard = part.of(seen.hop).responses_received("INVITE").filter(|(_, packet, _)| packet.answers(1, "INVITE"));
    let (heard, ..) = heard.next()?;
    let due = decided.time.max(heard.time) + part.timers.t1;
    let mut of_branch = part.of(seen.hop).responses_received("INVITE");
    let is_over = of_branch.any(|(other, packet, _)| packet.is_final() && other.time <= due);
    let is_cancelled = part.of(seen.hop).requests_sent("CANCEL").any(|(other, ..)| other.time <= due);
    let is_owed = is_first && heard.time < given_up && due < part.until && part.lost.is_empty();
    (is_owed && !is_over && !is_cancelled).then_some(due)
}

/// Whether a response ends the other branches (§16.7 step 10).
pub(super) fn decides(packet: &Packet<'_>) -> bool {
    packet.answers(2, "INVITE") || packet.answers(6, "INVITE")
}

fn judge_sent(
    part: &Part<'_>,
    seen: &Seen<'_>,
    cancel: &Packet<'_>,
    destination: std::net::SocketAddr,
) -> Result<(), Fault> {
    let mut invites = part.of(seen.hop).requests_sent("INVITE");
    let (invite_seen, invite, to) = invites.next().ok_or_else(|| Fault::missing("it cancels no INVITE"))?;
    if (cancel.uri(), cancel.from, cancel.to) != (invite.uri(), invite.from, invite.to)
        || destination != to.destination
        || cancel.values("route", "route").ne(invite.values("route", "route"))
    {
        const WHY: &str = "it is not like its INVITE";
        let is_alike = alike(cancel.uri().unwrap_or_default(), invite.uri().unwrap_or_default())
            && alike(cancel.from, invite.from)
            && alike(cancel.to, invite.to)
            && cancel.uris("route", "route") == invite.uris("route", "route");
        return Err(if is_alike { Fault::remark(WHY) } else { Fault::seen(WHY) });
    }
    let (mut provisional, mut rings_since) = (false, invite_seen.time);
    for (other, response, _) in part.of(seen.hop).before(seen.index).responses_received("INVITE") {
        if response.is_final() {
            return Err(Fault::missing("a final response came before"));
        }
        provisional = true;
        if response.status() > Some(100) {
            rings_since = other.time;
        }
    }
    if !provisional {
        return Err(Fault::missing("no provisional response came before"));
    }
    let Some(below) = invite_seen.below else { return Ok(()) };
    let mut answers = part.branches(below).before(seen.index).received();
    let asked = part.of(below).before(seen.index).hears("CANCEL")
        || answers.any(|(other, packet, _)| other.hop != seen.hop && decides(packet));
    // Timer C is set when the request is proxied, and the next hop may have to be asked for first.
    let over = part.timers.c.min(SHORTEST_C);
    if asked || seen.time.since(rings_since) >= over { Ok(()) } else { Err(Fault::missing("nothing asked for it")) }
}

/// Timer C is larger than that (RFC 3261 §16.6 step 11).
const SHORTEST_C: Duration = Duration::from_secs(180);

/// A CANCEL is refused.
fn judge_refusal(part: &Part<'_>, seen: &Seen<'_>) -> Result<(), Fault> {
    let before = part.of(seen.hop).before(seen.index);
    let (invited, answered) =
        (before.hears("INVITE"), before.responses_sent("INVITE").any(|(_, packet, _)| packet.is_final()));
    if invited && !answered { Err(Fault::missing("the INVITE of this branch is there")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, request, response};
    use super::*;

    fn shows(story: Story, why: &str) {
        story.shows(CANCEL, why);
    }

    #[test]
    fn a_cancel_waits_for_a_provisional_response_and_for_no_final_one() {
        let call = || Story::new().sends(0, &request("INVITE", &["1"]));
        let (trying, busy) = (response(100, "INVITE", &["1"]), response(486, "INVITE", &["1"]));
        let cancel = request("CANCEL", &["1"]);
        shows(call().receives(9, &trying).sends(10, &cancel), "");
        shows(call().sends(10, &cancel), "no provisional response came before");
        shows(call().receives(9, &trying).receives(10, &busy).sends(10, &cancel), "a final response came before");
        shows(Story::new().sends(10, &cancel), "it cancels no INVITE");
        let elsewhere = cancel.replace("sip:b@b SIP", "sip:c@c SIP");
        shows(call().receives(9, &trying).sends(10, &elsewhere), "it is not like its INVITE");
    }

    #[test]
    fn a_proxy_cancels_when_it_is_asked_to_or_timer_c_runs_out() {
        let (both, cancel) = (["p", "1"], request("CANCEL", &["p"]));
        let forwarded = Story::new;
        let story = || {
            let story = forwarded().receives(0, &request("INVITE", &["1"])).sends(0, &request("INVITE", &both));
            story.receives(9, &response(180, "INVITE", &both))
        };
        shows(story().sends(20, &cancel), "nothing asked for it");
        shows(story().receives(20, &request("CANCEL", &["1"])).sends(20, &cancel), "");
        shows(story().sends(180_008, &cancel), "nothing asked for it");
        shows(story().sends(180_009, &cancel), "");
        let trying = || story().receives(100_000, &response(100, "INVITE", &both));
        shows(trying().sends(180_009, &cancel), "");
        let ringing = story().receives(100_000, &response(180, "INVITE", &both));
        shows(ringing.sends(180_009, &cancel), "nothing asked for it");
    }

    #[test]
    fn whoever_has_the_invite_finds_it() {
        let story = || Story::new().receives(0, &request("INVITE", &["1"])).receives(9, &request("CANCEL", &["1"]));
        let refusal = response(481, "CANCEL", &["1"]);
        shows(story().sends(9, &refusal), "the INVITE of this branch is there");
        shows(story().sends(9, &response(200, "CANCEL", &["1"])), "");
        shows(story().sends(9, &response(200, "INVITE", &["1"])).sends(10, &refusal), "");
    }

    #[test]
    fn a_proxy_cancels_what_rings_when_another_branch_is_answered() {
        const MISSING: &str = "though another branch or a CANCEL ended it";
        let forks = || {
            let story = Story::new().receives(0, &request("INVITE", &["1"])).sends(0, &request("INVITE", &["p", "1"]));
            story.sends(0, &request("INVITE", &["q", "1"])).receives(9, &response(180, "INVITE", &["q", "1"]))
        };
        let answered = || forks().receives(90, &response(200, "INVITE", &["p", "1"]));
        shows(forks(), "");
        shows(answered(), MISSING);
        shows(answered().sends(90, &request("CANCEL", &["q"])), "");
        shows(answered().sends(900, &request("CANCEL", &["q"])), MISSING);
        shows(answered().receives(95, &response(486, "INVITE", &["q", "1"])), "");
        shows(forks().receives(90, &response(600, "INVITE", &["p", "1"])), MISSING);
        shows(forks().receives(90, &response(486, "INVITE", &["p", "1"])), "");
        let cancelled = || forks().receives(90, &request("CANCEL", &["1"]));
        shows(cancelled(), MISSING);
        shows(cancelled().sends(90, &request("CANCEL", &["q"])), "");
        shows(forks().sends(80, &response(408, "INVITE", &["1"])).receives(90, &request("CANCEL", &["1"])), "");
        let silent = Story::new().receives(0, &request("INVITE", &["1"])).sends(0, &request("INVITE", &["p", "1"]));
        let silent =
            silent.sends(0, &request("INVITE", &["q", "1"])).receives(90, &response(200, "INVITE", &["p", "1"]));
        shows(silent, "");
    }
}
