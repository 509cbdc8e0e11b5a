//! Resends: what may have been lost is sent again, in time.

use sansip::{Duration, Instant};

use super::{Names, Part, Report, Rule, Seen};
use crate::packet::Packet;

/// A message that waits for an answer is sent again at each step of its timer until the answer comes: over UDP, and a 2xx
/// to INVITE over anything, since it goes from end to end.
///
/// * INVITE: ½, 1½, 3½, 7½, 15½ and 31½ s after the first copy (timer A, RFC 3261 §17.1.1.2), until any response.
/// * Other requests: timer E's steps, up to T2, and T2 after a provisional response (§17.1.2.2), until a final response.
/// * A final response to INVITE: the steps up to T2 until its ACK comes (timer G, §17.2.1; a 2xx by the called end, §13.3.1.4).
///
/// A request that is forwarded without a transaction (§16.11) is not sent again, nor is a response so given (§8.2.7), such as a challenge
/// (§26.3.2.4), a 503 with Retry-After before which nothing was said, or another refusal in the moment in which
/// its request came.
pub const RESENDS: Rule =
    Rule::new("resends", "RFC 3261 §13.3.1.4, §17.1.1.2, §17.1.2.2, §17.2.1").of_parts(check_part).in_the_end();

/// The end of the waiting of a message, and when.
#[derive(Clone, Copy, Default)]
struct Heard {
    /// A provisional response to a request.
    provisional: Option<Instant>,
    /// The message or time that ends the resending.
    end: Option<Instant>,
}

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    // A clock that jumps makes timers late.
    if !part.keeps_time || part.is_stateless {
        return;
    }
    for (seen, packet, _) in part.sent() {
        if packet.top().is_reliable() && !packet.answers(2, "INVITE") {
            continue;
        }
        let first = !part.of(seen.hop).before(seen.index).sent().any(|(_, copy, _)| is_copy(copy, packet));
        let Some((heard, cap)) = first.then(|| heard(part, seen, packet)).flatten() else { continue };
        if let Some(due) = missed(part, seen, packet, heard, cap) {
            let what = format!("{} did not send {} ({}) again at {due}", part.name, packet.what(), packet.top().branch);
            report.breach(part.node, due, what);
        }
    }
}

/// Whether nothing was said to the request before this refusal, which says when to ask again.
pub(super) fn is_at_once(part: &Part<'_>, seen: &Seen<'_>, refusal: &Packet<'_>) -> bool {
    refusal.values("retry-after", "retry-after").next().is_some()
        && part.of(seen.hop).before(seen.index).sent().all(|(_, response, _)| response.is_request())
}

/// Whether a refusal may have been given without a transaction (§8.2.7): in the moment in which the request came, and as the first thing said to it.
fn is_stateless(part: &Part<'_>, seen: &Seen<'_>, refusal: &Packet<'_>) -> bool {
    let mut came = part.of(seen.hop).requests_received(refusal.method);
    came.next().is_some_and(|(came, ..)| came.time == seen.time)
        && part.of(seen.hop).before(seen.index).sent().all(|(_, response, _)| response.is_request())
}

/// A clock that runs fast shows a little more than was waited for.
fn is_at(time: Instant, due: Instant) -> bool {
    time >= due && time.since(due) < Duration::from_micros(1)
}

fn is_copy(one: &Packet<'_>, other: &Packet<'_>) -> bool {
    (one.method, one.status(), one.to_tag) == (other.method, other.status(), other.to_tag)
}

/// The answers that a message heard, and the cap of its intervals; `None` if it is not sent again at all.
fn heard(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> Option<(Heard, Duration)> {
    match packet.status() {
        None if packet.method == "ACK" || (packet.method == "CANCEL" && seen.below.is_some()) => None,
        None => Some(heard_of_request(part, seen, packet)),
        // Whoever is not known may be asked for credentials without a transaction (§26.3.2.4).
        Some(401 | 407) if !part.forwards(seen.hop, packet.method) => None,
        Some(503) if is_at_once(part, seen, packet) => None,
        Some(300..=499) if is_stateless(part, seen, packet) => None,
        Some(status) if packet.method == "INVITE" && status >= 200 => {
            let heard = if packet.is_rejection() {
                heard_of_rejection(part, seen)
            } else {
                heard_of_success(part, seen, packet)?
            };
            Some((heard, part.timers.t2))
        }
        Some(_) => None,
    }
}

fn heard_of_request(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> (Heard, Duration) {
    let mut heard = Heard::default();
    for (other, response, _) in part.of(seen.hop).responses_received(packet.method) {
        let ends = response.is_final() || packet.method == "INVITE";
        if ends { &mut heard.end } else { &mut heard.provisional }.get_or_insert(other.time);
    }
    (heard, if packet.method == "INVITE" { Duration::MAX } else { part.timers.t2 })
}

/// When a copy was due that did not go out.
fn missed(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>, heard: Heard, cap: Duration) -> Option<Instant> {
    let over = seen.time + part.timers.sixty_four_t1();
    let (mut interval, mut due) = (part.timers.t1, seen.time + part.timers.t1);
    while due < over && due < part.until && heard.end.is_none_or(|end| end > due) {
        // An event of that very moment may have been before or after it.
        if heard.provisional == Some(due) {
            return None;
        }
        let mut sent = part.of(seen.hop).sent();
        let sent = sent.any(|(other, copy, _)| is_at(other.time, due) && is_copy(copy, packet));
        if !sent {
            return Some(due);
        }
        let slow = heard.provisional.is_some_and(|provisional| provisional < due);
        interval = if slow { cap } else { (interval * 2).min(cap) };
        due += interval;
    }
    None
}

fn heard_of_rejection(part: &Part<'_>, seen: &Seen<'_>) -> Heard {
    Heard { provisional: None, end: part.of(seen.hop).requests_received("ACK").next().map(|(ack, ..)| ack.time) }
}

/// The answers to a 2xx; `None` if the node only passes it on.
fn heard_of_success(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> Option<Heard> {
    if part.forwards(seen.hop, "INVITE") {
        return None;
    }
    let mut ends = part.after(seen.index).received().filter(|(_, request, _)| {
        let concerns = request.to_tag == packet.to_tag && request.from_tag == packet.from_tag;
        concerns && (request.is("ACK") || request.is("BYE"))
    });
    Some(Heard { provisional: None, end: ends.next().map(|(end, ..)| end.time) })
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, request, response, with};
    use super::*;

    fn shows(story: Story, why: &str) {
        story.shows(RESENDS, why);
    }

    #[test]
    fn an_invite_is_sent_again_until_it_is_heard_of() {
        let invite = request("INVITE", &["1"]);
        let all = [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500];
        shows(Story::new().sends_at(&all, &invite), "");
        shows(Story::new().sends_at(&all[..6], &invite), "did not send INVITE (z9hG4bK1) again at 31.500");
        shows(Story::new().sends_at(&all[..2], &invite).receives(1_499, &response(100, "INVITE", &["1"])), "");
        let other = response(100, "INVITE", &["2"]);
        shows(Story::new().sends(0, &invite).receives(9, &other), "did not send INVITE (z9hG4bK1) again at 0.500");
    }

    #[test]
    fn a_refusal_that_says_when_to_ask_again_may_be_said_once() {
        let came = || Story::new().receives(0, &request("INVITE", &["1"]));
        let later = with("Retry-After: 32", &response(503, "INVITE", &["1"]));
        shows(came().sends(0, &later), "");
        const AGAIN: &str = "did not send 503 to INVITE (z9hG4bK1) again at 0.500";
        shows(came().sends(0, &response(503, "INVITE", &["1"])), AGAIN);
        let tried = || came().sends(0, &response(100, "INVITE", &["1"]));
        shows(tried().sends(0, &later), AGAIN);
    }

    #[test]
    fn a_refusal_in_the_moment_of_its_request_may_be_said_once() {
        let came = || Story::new().receives(0, &request("INVITE", &["1"]));
        let refusal = response(404, "INVITE", &["1"]);
        shows(came().sends(0, &refusal), "");
        const AGAIN: &str = "did not send 404 to INVITE (z9hG4bK1) again at 0.5";
        assert!(came().sends(1, &refusal).breaches(RESENDS)[0].contains(AGAIN));
        let tried = came().sends(0, &response(100, "INVITE", &["1"]));
        assert!(tried.sends(0, &refusal).breaches(RESENDS)[0].contains(AGAIN));
    }

    #[test]
    fn another_request_goes_on_slowly_after_a_provisional_response() {
        let bye = in_dialog("BYE", &["1"]);
        let story = || Story::new().sends(0, &bye).receives(9, &response(100, "BYE", &["1"])).sends(500, &bye);
        let slow: Vec<u64> = (0..7).map(|number| 4_500 + number * 4_000).collect();
        shows(story().sends_at(&slow, &bye), "");
        shows(story().sends_at(&slow[..6], &bye), "did not send BYE (z9hG4bK1) again at 28.500");
    }

    #[test]
    fn what_loses_nothing_needs_no_copies_but_of_a_2xx() {
        let tcp = |message: &str| message.replace("/UDP", "/TCP");
        shows(Story::new().writes(0, 1, &tcp(&request("INVITE", &["1"]))), "");
        let invite = tcp(&request("INVITE", &["1"]));
        let answered =
            |status| Story::new().receives(0, &invite).writes(0, 1, &tcp(&response(status, "INVITE", &["1"])));
        shows(answered(486), "");
        shows(answered(200), "did not send 200 to INVITE (z9hG4bK1) again at 0.500");
        shows(answered(200).receives(499, &tcp(&in_dialog("ACK", &["2"]))), "");
    }
}
