//! Acknowledged: every final response to INVITE gets its ACK, or its call ends.

use sansip::Duration;

use super::{Evidence, Names, Part, Report, Rule, Seen};
use crate::packet::{Packet, alike};

/// So long the ACK of a 2xx with an offer may wait for the answer
/// ([`Profile::answer_time`](sansip::user_agent::Profile::answer_time)).
const ANSWER: Duration = Duration::from_secs(10);

/// Every final response to INVITE is acknowledged; a 2xx that is not ends its call.
///
/// * A caller sends an ACK for each copy of each 2xx that comes while its INVITE is alive, at once, or as soon as the resolver has
///   said where (RFC 3261 §13.2.2.4), for 64·T1 after the first (timer M, RFC 6026 §8.4). One with an offer may wait 10 s for the answer.
/// * Who sent an INVITE sends an ACK for each copy of another final response, at once, for 32 s (§17.1.1.2, timer D).
/// * That ACK has the Request-URI, From and Route of its INVITE, and the To of the response (§17.1.1.3).
/// * A called end whose 2xx gets no ACK for 64·T1 sends a BYE, unless one came (§13.3.1.4).
pub const ACKNOWLEDGED: Rule = Rule::new("acknowledged", "RFC 3261 §13.2.2.4, §13.3.1.4, §17.1.1.2; RFC 6026 §8.4")
    .of_parts(check_part)
    .in_the_end();

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    if part.is_stateless {
        return;
    }
    for (seen, packet, _) in part.received() {
        if packet.is_final() && packet.method == "INVITE" && !is_acknowledged(part, seen, packet) {
            let (name, what, branch) = (part.name, packet.what(), packet.top().branch);
            // An ACK that comes late is one.
            let mut acks = part.after(seen.index).requests_sent("ACK");
            let (evidence, what) = match acks.find(|(_, ack, _)| ack.to_tag == packet.to_tag) {
                Some((late, ..)) => {
                    let late = late.time.since(seen.time).as_millis();
                    (Evidence::Remark, format!("{name} sent the ACK for {what} {late} ms late ({branch})"))
                }
                None => (Evidence::Missing, format!("{name} sent no ACK for {what} ({branch})")),
            };
            report.by(evidence).breach(part.node, seen.time, what);
        }
    }
    for (seen, packet, _) in part.sent() {
        // Without transactions a proxy passes on the ACK of others.
        if packet.is("ACK")
            && seen.below.is_none()
            && let Some(why) = difference(part, seen, packet)
        {
            report.by(Evidence::Seen).sent(part, seen, packet, why);
        }
        if packet.answers(2, "INVITE") && is_abandoned(part, seen, packet) {
            let what = format!("{} got no ACK for its 2xx for 64·T1 and sent no BYE", part.name);
            report.breach(part.node, seen.time, what);
        }
    }
}

fn is_acknowledged(part: &Part<'_>, seen: &Seen<'_>, response: &Packet<'_>) -> bool {
    let rejection = response.is_rejection();
    let Some((first, first_packet)) = part.first_final(seen.hop) else { return true };
    if first_packet.is_rejection() != rejection {
        return true;
    }
    if !rejection && response.vias.len() > 1 {
        // A proxy passes it on.
        return true;
    }
    let since = seen.time.since(first.time);
    let (absorbs, by) = if rejection {
        (part.timers.sixty_four_t1().max(Duration::from_secs(32)), seen.time + part.haste)
    } else {
        let at_once = seen.time + part.timers.t1;
        let mut invites = part.of(seen.hop).requests_sent("INVITE");
        let waits = response.describes && invites.any(|(_, invite, _)| !invite.describes);
        let answered = if waits { first.time + ANSWER + part.timers.t1 } else { at_once };
        (part.timers.sixty_four_t1(), at_once.max(answered))
    };
    let mut acks = part
        .after(seen.index)
        .requests_sent("ACK")
        .filter(|(ack, packet, _)| if rejection { ack.hop == seen.hop } else { packet.to_tag == response.to_tag });
    since >= absorbs || by > part.until || acks.any(|(ack, ..)| ack.time <= by)
}

/// Where the ACK for a rejection is unlike its INVITE (§17.1.1.3).
fn difference(part: &Part<'_>, seen: &Seen<'_>, ack: &Packet<'_>) -> Option<&'static str> {
    let (_, invite, _) = part.of(seen.hop).requests_sent("INVITE").next()?;
    let answers = part.of(seen.hop).before(seen.index).responses_received("INVITE").map(|(_, response, _)| response);
    let mut rejections = answers.filter(|response| response.is_rejection()).peekable();
    rejections.peek()?;
    if !alike(ack.uri().unwrap_or_default(), invite.uri().unwrap_or_default()) {
        return Some("its Request-URI is not that of its INVITE");
    }
    if !alike(ack.from, invite.from) {
        return Some("its From is not that of its INVITE");
    }
    if ack.uris("route", "route") != invite.uris("route", "route") {
        return Some("its Route is not that of its INVITE");
    }
    (!rejections.any(|response| alike(ack.to, response.to))).then_some("its To is not that of the response")
}

/// Whether a called end's first 2xx got no ACK in time, and no BYE followed.
fn is_abandoned(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> bool {
    let mut before = part.of(seen.hop).before(seen.index).sent();
    if part.forwards(seen.hop, "INVITE") || before.any(|(_, response, _)| response.answers(2, "INVITE")) {
        return false;
    }
    let deadline = seen.time + part.timers.sixty_four_t1();
    let due = deadline + part.timers.t1;
    let concerns = |other: &Packet<'_>| other.to_tag == packet.to_tag || other.from_tag == packet.to_tag;
    let told = part.received().any(|(other, request, _)| {
        // The BYE of the other end may come while the resolver is asked where ours goes: then that one is not sent.
        let in_time = (request.is("ACK") && other.time <= deadline) || (request.is("BYE") && other.time <= due);
        concerns(request) && in_time
    });
    let tells = part.sent().any(|(other, request, _)| concerns(request) && request.is("BYE") && other.time <= due);
    due <= part.until && !told && !tells
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, request, response};
    use super::*;

    fn breaches(story: Story) -> usize {
        story.breaches(ACKNOWLEDGED).len()
    }

    #[test]
    fn every_rejection_has_its_ack_at_once() {
        let busy = response(486, "INVITE", &["1"]);
        let story = || Story::new().sends(0, &request("INVITE", &["1"])).receives(9, &busy);
        let request = |method: &str, vias: &[&str]| request(method, vias).replace("<sip:b@b>", "<sip:b@b>;tag=b");
        assert_eq!(breaches(story()), 1);
        assert_eq!(breaches(story().sends(10, &request("ACK", &["1"]))), 1);
        assert_eq!(breaches(story().sends(9, &request("ACK", &["1"]))), 0);
        assert_eq!(breaches(story().sends(9, &request("ACK", &["1"])).receives(31_000, &busy)), 1);
        // A real node takes time to compute; the sentence on one that sends none is for one that sends none.
        let captured = |at| story().captured().sends(at, &request("ACK", &["1"])).breaches(ACKNOWLEDGED);
        assert_eq!(captured(509).len(), 0);
        let late = captured(510);
        assert_eq!(late.len(), 1);
        assert!(late[0].contains("sent the ACK for 486 to INVITE 501 ms late"), "{}", late[0]);
        // Timer D has fired.
        assert_eq!(breaches(story().sends(9, &request("ACK", &["1"])).receives(32_009, &busy)), 0);
    }

    #[test]
    fn the_ack_for_a_rejection_is_like_its_invite() {
        let busy = response(486, "INVITE", &["1"]);
        let story = || Story::new().sends(0, &request("INVITE", &["1"])).receives(9, &busy);
        let ack = request("ACK", &["1"]).replace("To: <sip:b@b>", "To: <sip:b@b>;tag=b");
        story().sends(9, &ack).shows(ACKNOWLEDGED, "");
        story().sends(9, &ack.replace("From: <sip:a@a>", "From: sip:A@a")).shows(ACKNOWLEDGED, "");
        for (wrong, why) in [
            (ack.replace("ACK sip:b@b", "ACK sip:c@c"), "its Request-URI is not that of its INVITE"),
            (ack.replace(";tag=a", ";tag=x"), "its From is not that of its INVITE"),
            (ack.replace(";tag=b", ";tag=x"), "its To is not that of the response"),
            (ack.replace("Call-ID", "Route: <sip:p;lr>\r\nCall-ID"), "its Route is not that of its INVITE"),
        ] {
            story().sends(9, &wrong).shows(ACKNOWLEDGED, why);
        }
    }

    #[test]
    fn a_2xx_has_its_ack_or_the_call_ends() {
        let ok = response(200, "INVITE", &["1"]);
        let ack = request("ACK", &["2"]).replace("To: <sip:b@b>", "To: <sip:b@b>;tag=b");
        let caller = || Story::new().sends(0, &request("INVITE", &["1"])).receives(9, &ok);
        assert_eq!((breaches(caller()), breaches(caller().sends(400, &ack))), (1, 0));
        let called = || Story::new().receives(0, &request("INVITE", &["1"])).sends(9, &ok);
        let bye = request("BYE", &["3"]).replace("tag=a", "tag=b");
        assert_eq!((breaches(called()), breaches(called().receives(30_000, &ack))), (1, 0));
        assert_eq!((breaches(called().sends(32_009, &bye)), breaches(called().sends(33_000, &bye))), (0, 1));
        // The other end's, while it is asked where its own goes.
        let theirs = request("BYE", &["4"]).replace("To: <sip:b@b>", "To: <sip:b@b>;tag=b");
        assert_eq!(
            (breaches(called().receives(32_509, &theirs)), breaches(called().receives(32_510, &theirs))),
            (0, 1)
        );
        assert_eq!(breaches(called().receives(32_011, &ack)), 1);
    }

    #[test]
    fn an_invite_whose_connection_is_lost_unheard_is_over() {
        let (ringing, rejected) = (response(180, "INVITE", &["1"]), response(480, "INVITE", &["1"]));
        let story = || Story::new().writes(0, 7, &request("INVITE", &["1"]));
        assert_eq!(breaches(story().loses(7).receives(9, &ringing).receives(20, &rejected)), 0);
        assert_eq!(breaches(story().loses(7).receives(20, &rejected)), 0);
        assert_eq!(breaches(story().receives(20, &rejected)), 1, "never acknowledged over TCP");
        assert_eq!(breaches(story().loses(8).receives(20, &rejected)), 1, "another connection");
        assert_eq!(breaches(story().receives(9, &ringing).loses(7).receives(20, &rejected)), 1, "it was heard");
        assert_eq!(breaches(story().receives(20, &rejected).loses(7)), 1, "it came before");
    }
}
