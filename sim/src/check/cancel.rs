//! CANCEL: when it may be sent, what it looks like, and what it finds.

use sansip::{Duration, Instant, Timers};

use super::{Check, Names, Part, Report, Seen};
use crate::packet::Packet;

/// A CANCEL comes after a provisional response, looks like its INVITE, and finds it.
///
/// * None is sent before a provisional response to the INVITE came, nor after a final one (RFC 3261 §9.1).
/// * Request-URI, Call-ID, From, To and Route are the INVITE's, and it goes the same way (§9.1).
/// * A proxy sends one only if one came, another branch brought a 2xx or 6xx, or timer C, set again by each provisional response
///   but 100, ran out (§16.7, §16.8, §16.10).
/// * A proxy sends one to each branch that has brought a provisional response and no final one when another brings a 2xx or 6xx (§16.7 step
///   10), or when one comes (§16.10).
/// * Whoever has the INVITE finds it by the CANCEL's branch and answers 200 (§9.2).
#[derive(Clone, Copy, Debug)]
pub struct Cancel {
    timers: Timers,
}

impl Cancel {
    /// For nodes with these timers.
    pub const fn new(timers: Timers) -> Self {
        Self { timers }
    }
}

impl Check for Cancel {
    fn name(&self) -> &'static str {
        "cancel"
    }

    fn source(&self) -> &'static str {
        "RFC 3261 §9.1, §9.2, §16.7, §16.8, §16.10"
    }

    fn check_part(&self, part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
        // Whoever keeps no transactions has no INVITE that a CANCEL could find.
        if part.is_stateless {
            return;
        }
        for (seen, packet, carried) in part.sent() {
            let first = !part
                .sent()
                .any(|(other, cancel, _)| other.index < seen.index && other.hop == seen.hop && cancel.is("CANCEL"));
            let verdict = if packet.is("CANCEL") && seen.below.is_none() && first {
                self.judge_sent(part, seen, packet, carried.destination)
            } else if packet.method == "CANCEL" && packet.is_rejection() {
                judge_refusal(part, seen)
            } else {
                Ok(())
            };
            if let Err(why) = verdict {
                let what = format!("{} sent {} ({}): {why}", part.name, packet.what(), packet.top().branch);
                report.breach(part.node, seen.time, what);
            }
            if let Some(due) = self.overdue(part, seen, packet) {
                let branch = packet.top().branch;
                let what =
                    format!("{} sent no CANCEL for {branch}, though another branch or a CANCEL ended it", part.name);
                report.breach(part.node, due, what);
            }
        }
    }
}

impl Cancel {
    /// By when a proxy should have cancelled the branch of this INVITE, if it did not.
    fn overdue(&self, part: &Part<'_>, seen: &Seen<'_>, invite: &Packet<'_>) -> Option<Instant> {
        let below = seen.below.filter(|_| invite.is("INVITE"))?;
        let is_first = !part
            .sent()
            .any(|(other, packet, _)| other.index < seen.index && other.hop == seen.hop && packet.is("INVITE"));
        // What comes when the transaction is over is a stray.
        let given_up = seen.time + self.timers.sixty_four_t1();
        let responses =
            || part.received().filter(|(_, packet, _)| packet.method == "INVITE" && packet.status().is_some());
        let is_final = |packet: &Packet<'_>| packet.status().is_some_and(|status| status >= 200);
        let answered =
            part.sent().find(|(other, packet, _)| other.hop == below && packet.method == "INVITE" && is_final(packet));
        let (decided, ..) = part.received().find(|(other, packet, _)| {
            let decides = packet.answers(2, "INVITE") || packet.answers(6, "INVITE");
            let cancelled = packet.is("CANCEL")
                && other.hop == below
                && other.index > seen.index
                && answered.as_ref().is_none_or(|(answer, ..)| answer.index > other.index);
            cancelled || decides && other.below == Some(below) && other.hop != seen.hop
        })?;
        let of_branch = || responses().filter(|(other, ..)| other.hop == seen.hop);
        let (heard, ..) = of_branch().find(|(_, packet, _)| packet.answers(1, "INVITE"))?;
        let due = decided.time.max(heard.time) + self.timers.t1;
        let is_over = of_branch().any(|(other, packet, _)| is_final(packet) && other.time <= due);
        let is_cancelled =
            part.sent().any(|(other, packet, _)| other.hop == seen.hop && packet.is("CANCEL") && other.time <= due);
        let is_owed = is_first && heard.time < given_up && due < part.until && part.lost.is_empty();
        (is_owed && !is_over && !is_cancelled).then_some(due)
    }

    fn judge_sent(
        &self,
        part: &Part<'_>,
        seen: &Seen<'_>,
        cancel: &Packet<'_>,
        destination: std::net::SocketAddr,
    ) -> Result<(), &'static str> {
        let mut invites = part.sent().filter(|(other, packet, _)| other.hop == seen.hop && packet.is("INVITE"));
        let (invite_seen, invite, to) = invites.next().ok_or("it cancels no INVITE")?;
        let route = |packet: &Packet<'_>| packet.values("route", "route").map(str::to_owned).collect::<Vec<_>>();
        if (cancel.uri(), cancel.from, cancel.to) != (invite.uri(), invite.from, invite.to)
            || destination != to.destination
            || route(cancel) != route(invite)
        {
            return Err("it is not like its INVITE");
        }
        let mut provisional = false;
        let mut rings_since = invite_seen.time;
        for (other, response, _) in part.received().take_while(|(other, ..)| other.index < seen.index) {
            if other.hop == seen.hop && response.method == "INVITE" {
                match response.status() {
                    Some(status) if status >= 200 => return Err("a final response came before"),
                    Some(status) => {
                        provisional = true;
                        if status > 100 {
                            rings_since = other.time;
                        }
                    }
                    None => {}
                }
            }
        }
        if !provisional {
            return Err("no provisional response came before");
        }
        let Some(below) = invite_seen.below else { return Ok(()) };
        let asked = part.received().take_while(|(other, ..)| other.index < seen.index).any(|(other, packet, _)| {
            let another = other.below == Some(below) && other.hop != seen.hop;
            (other.hop == below && packet.is("CANCEL"))
                || (another && (packet.answers(2, "INVITE") || packet.answers(6, "INVITE")))
        });
        // Timer C is set when the request is proxied, and the next hop may have to be asked for first.
        let over = self.timers.c.min(SHORTEST_C);
        if asked || seen.time.since(rings_since) >= over { Ok(()) } else { Err("nothing asked for it") }
    }
}

/// Timer C is larger than that (RFC 3261 §16.6 step 11).
const SHORTEST_C: Duration = Duration::from_secs(180);

/// A CANCEL is refused.
fn judge_refusal(part: &Part<'_>, seen: &Seen<'_>) -> Result<(), &'static str> {
    let mut before = part.received().take_while(|(other, ..)| other.index < seen.index);
    let invited = before.any(|(other, packet, _)| other.hop == seen.hop && packet.is("INVITE"));
    let mut sent = part.sent().take_while(|(other, ..)| other.index < seen.index);
    let answered = sent.any(|(other, packet, _)| {
        other.hop == seen.hop && packet.method == "INVITE" && packet.status().is_some_and(|status| status >= 200)
    });
    if invited && !answered { Err("the INVITE of this branch is there") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, request, response};
    use super::*;

    fn shows(story: Story, why: &str) {
        story.shows(Cancel::new(Timers::default()), why);
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
