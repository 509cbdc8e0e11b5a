//! Session timers: each session is refreshed by one end, or is over in time.

use std::collections::{BTreeMap, BTreeSet};

use sansip::{Duration, Instant, Timers};

use super::negotiation::Negotiation;
use super::{Names, Part, Report, Rule, Seen, Sight};
use crate::packet::Packet;

/// Sessions that have a timer (RFC 4028), judged by the messages of each end alone. A 2xx to an INVITE or UPDATE in the dialog says how long
/// the session lasts, and who refreshes it, from then on; one without Session-Expires ends the timer.
///
/// * An end whose peer refreshes sends no refresh: no UPDATE without a description, and no re-INVITE with the description that it has in
///   force (§7.4, §10). A change of the session is none.
/// * The end that refreshes has begun to do so, or to change the session, before the other end gives the session up (§10).
/// * An end has the session no more when it was not refreshed: the one that refreshes when the interval is over, the other a third of the
///   interval before that, but at most 32 s (§10). A BYE may have to wait for an ACK (RFC 3261 §15).
/// * A 2xx says who refreshes, which is its sender if the peer has no timers; if it is the peer, the 2xx requires `timer`. It does not
///   raise the interval above what was asked for, but to what is the least (§9).
/// * A request asks for 90 s at least, and for what the last 422 said (§4, §7.3). A 422 says the least interval, which is more than that of its
///   request, and only to who has timers (§6, §9).
pub const SESSION_TIMER: Rule = Rule::new("session-timer", "RFC 4028 §4, §6, §7, §9, §10").of_parts(check_part);

/// The least interval (§4).
const LEAST: u32 = 90;

/// So often an end looks whether its BYE, or its refresh, may be sent: as long as a change that has met another one waits at most
/// (RFC 3261 §14.1).
const WAIT: Duration = Duration::from_secs(4);

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    let is_proxy = part.sent().any(|(seen, packet, _)| packet.is_request() && seen.below.is_some());
    if is_proxy || !part.messages().any(|(_, packet, _)| session_expires(packet).is_some()) {
        return;
    }
    let mut ends = Ends::default();
    for seen in &part.seen {
        if let Some(why) = ends.see(part, seen)
            && let Some((packet, _)) = seen.sent()
        {
            let what = format!("{}: {} ({}) {why}", part.name, packet.what(), packet.top().branch);
            report.breach(part.node, seen.time, what);
        }
    }
    if part.keeps_time {
        for end in ends.dialogs.values() {
            for (time, why) in end.overdue(part) {
                report.breach(part.node, time, format!("{} {why}", part.name));
            }
        }
    }
}

/// All that one node knows of the sessions of one Call-ID.
#[derive(Debug, Default)]
struct Ends<'a> {
    /// By the tags of this end and of the other.
    dialogs: BTreeMap<(&'a str, &'a str), End>,
    /// The greatest Min-SE of the 422s that came, by the dialog; outside of dialogs the other end has no tag.
    least: BTreeMap<(&'a str, &'a str), u32>,
    /// The 2xx that were looked at, by direction and topmost Via: copies say nothing new.
    known: BTreeSet<(bool, usize, &'a str)>,
}

/// One end of a session.
#[derive(Debug, Default)]
struct End {
    terms: Vec<Term>,
    /// When this end sent an INVITE or an UPDATE in the dialog, or got one.
    attempts: Vec<Instant>,
    /// When this end sent its 2xx to an INVITE, with its number and when the ACK came.
    accepted: Vec<(Instant, u32, Option<Instant>)>,
    /// When the session was over.
    over: Option<Instant>,
}

/// A session timer from one 2xx to the next.
#[derive(Clone, Copy, Debug)]
struct Term {
    since: Instant,
    /// The interval, and whether this end refreshes; `None`: there is no timer.
    timer: Option<(Duration, bool)>,
}

impl<'a> Ends<'a> {
    /// Takes note of something. Says why, if this end should not have sent it.
    fn see(&mut self, part: &Part<'a>, seen: &Seen<'a>) -> Option<String> {
        let (Some((packet, _)), sent) = (seen.message(), seen.is_sent()) else {
            if matches!(seen.what, Sight::Ended(_)) {
                for end in self.dialogs.values_mut() {
                    end.over.get_or_insert(seen.time);
                }
            }
            return None;
        };
        let tags = if sent == packet.is_request() {
            (packet.from_tag, packet.to_tag)
        } else {
            (packet.to_tag, packet.from_tag)
        };
        match (packet.status(), packet.method) {
            (None, "BYE") => {
                self.dialogs.entry(tags).or_default().over.get_or_insert(seen.time);
                None
            }
            (None, "ACK") if !sent => {
                let accepted = self.dialogs.get_mut(&tags)?.accepted.iter_mut();
                let acknowledged = accepted.rev().find(|(_, number, _)| *number == packet.sequence)?;
                acknowledged.2.get_or_insert(seen.time);
                None
            }
            (None, "INVITE" | "UPDATE") => {
                let is_wrong = sent && self.is_refresh_of_other(part, seen, packet, tags);
                if let Some(end) = self.dialogs.get_mut(&tags) {
                    end.attempts.push(seen.time);
                }
                let asked = session_expires(packet).map(|(seconds, _)| seconds).filter(|_| sent)?;
                let least = self.least.get(&tags).copied().unwrap_or(LEAST);
                if is_wrong {
                    Some("refreshes a session that the other end refreshes".to_owned())
                } else {
                    (asked < least).then(|| format!("asks for {asked} s, and {least} s are the least"))
                }
            }
            (Some(422), "INVITE" | "UPDATE") => {
                let min_se = min_se(packet);
                if !sent {
                    // A response outside of dialogs has a tag of its own.
                    let is_first = !self.dialogs.contains_key(&tags);
                    let least = self.least.entry(if is_first { (tags.0, "") } else { tags }).or_default();
                    *least = (*least).max(min_se.unwrap_or_default());
                    return None;
                }
                let (_, request, _) = part.copies(seen.hop, packet.method, seen.index).next()?;
                match (min_se, session_expires(request)) {
                    (None, _) => Some("has no Min-SE".to_owned()),
                    (Some(least), Some((asked, _))) if asked < least && supports(request) => None,
                    _ => Some("refuses an interval that is none too small, or of who has no timers".to_owned()),
                }
            }
            (Some(200..=299), "INVITE" | "UPDATE") if self.known.insert((sent, seen.hop, packet.to_tag)) => {
                self.accepted(part, seen, packet, sent, tags)
            }
            _ => None,
        }
    }

    /// A 2xx: the timer begins anew.
    fn accepted(
        &mut self,
        part: &Part<'a>,
        seen: &Seen<'a>,
        packet: &'a Packet<'a>,
        sent: bool,
        tags: (&'a str, &'a str),
    ) -> Option<String> {
        let said = session_expires(packet);
        let end = self.dialogs.entry(tags).or_default();
        if sent && packet.method == "INVITE" {
            end.accepted.push((seen.time, packet.sequence, None));
        }
        // The sender of the 2xx is the UAS.
        let timer =
            said.map(|(seconds, refresher)| (Duration::from_secs(seconds.into()), (refresher == "uas") == sent));
        end.terms.push(Term { since: seen.time, timer });
        let (seconds, refresher) = said.filter(|_| sent)?;
        let (_, request, _) = part.copies(seen.hop, packet.method, seen.index).next()?;
        let most = session_expires(request).map(|(asked, _)| asked.max(min_se(request).unwrap_or_default()).max(LEAST));
        match refresher {
            _ if most.is_some_and(|most| seconds > most) => Some(format!("raises the interval to {seconds} s")),
            "uas" => None,
            "uac" if !supports(request) => Some("lets an end refresh that has no timers".to_owned()),
            "uac" if !names_timer(packet, "require", "require") => Some("does not require timer".to_owned()),
            "uac" => None,
            _ => Some("does not say who refreshes".to_owned()),
        }
    }

    /// Whether this is a refresh of a session that the other end refreshes.
    fn is_refresh_of_other(
        &self,
        part: &Part<'a>,
        seen: &Seen<'a>,
        packet: &Packet<'a>,
        tags: (&'a str, &'a str),
    ) -> bool {
        let term = self.dialogs.get(&tags).and_then(|end| end.terms.last());
        if term.is_none_or(|term| term.timer.is_none_or(|(_, ours)| ours)) {
            return false;
        }
        if packet.method == "UPDATE" {
            return !packet.describes;
        }
        packet.describes && Negotiation::of(part, tags.0, tags.1).local_before(seen.time) == Some(packet.body)
    }
}

impl End {
    /// The duty that this end did not do in time.
    fn overdue(&self, part: &Part<'_>) -> Vec<(Instant, &'static str)> {
        let mut overdue = Vec::new();
        for (place, Term { since, timer }) in self.terms.iter().enumerate() {
            let Some((interval, ours)) = *timer else { continue };
            let next = self.terms.get(place + 1).map(|next| next.since);
            let over = [next, self.over].into_iter().flatten().min();
            let early = Duration::from_secs(32).min(interval / 3);
            let lapses = *since + (interval - early);
            let until = over.unwrap_or(part.until);
            let tried = self.attempts.iter().any(|attempt| since < attempt && *attempt <= lapses);
            if ours && !tried && lapses < until {
                overdue.push((lapses, "does not refresh the session"));
            }
            let due = self.free_from(if ours { *since + interval } else { lapses }, &part.timers);
            if due < until {
                overdue.push((due, "still has the session, which was not refreshed"));
            }
        }
        overdue
    }

    /// From when on a BYE that is due then, or the next look whether it may be sent, need not wait any more.
    fn free_from(&self, due: Instant, timers: &Timers) -> Instant {
        let waits = self.accepted.iter().filter(|(sent, ..)| *sent <= due).map(|(sent, _, ack)| {
            let over = *sent + timers.sixty_four_t1();
            ack.map_or(over, |ack| ack.min(over))
        });
        let free = waits.filter(|free| *free > due).max();
        free.map_or(due, |free| free + WAIT) + timers.t1
    }
}

/// Session-Expires: the interval in seconds, and who refreshes if that is said.
fn session_expires<'a>(packet: &Packet<'a>) -> Option<(u32, &'a str)> {
    let value = packet.values("session-expires", "x").next()?;
    let (seconds, parameters) = value.split_once(';').unwrap_or((value, ""));
    let refresher = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("refresher="));
    Some((seconds.trim().parse().ok()?, refresher.unwrap_or_default()))
}

fn min_se(packet: &Packet<'_>) -> Option<u32> {
    packet.values("min-se", "min-se").next()?.split(';').next()?.trim().parse().ok()
}

fn supports(packet: &Packet<'_>) -> bool {
    names_timer(packet, "supported", "k") || names_timer(packet, "require", "require")
}

fn names_timer(packet: &Packet<'_>, long: &'static str, short: &'static str) -> bool {
    packet.values(long, short).any(|tag| tag.eq_ignore_ascii_case("timer"))
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, numbered, request, response, with};
    use super::*;

    fn shows(story: Story, why: &str) {
        story.shows(SESSION_TIMER, why);
    }

    fn theirs(message: &str) -> String {
        message.replace("tag=a", "tag=x").replace("tag=b", "tag=a").replace("tag=x", "tag=b")
    }

    fn expires(value: &str, message: &str) -> String {
        with(&format!("Session-Expires: {value}"), &with("Supported: timer", message))
    }

    fn sdp(text: &str, message: &str) -> String {
        format!("{}{text}", with("Content-Type: application/sdp", message))
    }

    /// The node has called, and the 2xx says this of the timer.
    fn calls(value: &str) -> Story {
        let invite = sdp("offer", &expires("90", &request("INVITE", &["1"])));
        let ok = sdp("answer", &expires(value, &response(200, "INVITE", &["1"])));
        Story::new().sends(0, &invite).receives(0, &ok).begins(0).sends(0, &in_dialog("ACK", &["2"]))
    }

    /// The node is called by an INVITE with these fields, and sends this 2xx.
    fn accepts(invite: &str, ok: &str) -> Story {
        Story::new().receives(0, invite).sends(0, ok).receives(0, &in_dialog("ACK", &["2"])).ends(1)
    }

    fn update(number: u32) -> String {
        let update = in_dialog("UPDATE", &[&format!("u{number}")]);
        expires("90;refresher=uac", &numbered(number, &update))
    }

    fn updated(number: u32) -> String {
        let ok = response(200, "UPDATE", &[&format!("u{number}")]);
        expires("90;refresher=uac", &numbered(number, &ok))
    }

    const NO_REFRESH: &str = "does not refresh the session";
    const LASTS: &str = "still has the session, which was not refreshed";

    #[test]
    fn the_end_that_refreshes_does_so_or_ends_the_session_in_time() {
        let story = || calls("90;refresher=uac");
        // Second 100 ends the story: the first refresh lasts beyond that.
        shows(story().sends(45_000, &update(2)).receives(45_010, &updated(2)), "");
        shows(story().sends(59_000, &update(2)).receives(59_010, &updated(2)), "");
        shows(story().ends(59_999), "");
        shows(story().ends(70_000), NO_REFRESH);
        shows(story().sends(60_500, &update(2)).receives(60_501, &updated(2)), NO_REFRESH);
        // It is tried, and the answer does not come.
        let tried = || story().sends(45_000, &update(2));
        shows(tried().ends(77_000), "");
        shows(tried(), LASTS);
        shows(tried().receives(80_000, &theirs(&in_dialog("BYE", &["x"]))), "");
        let refused = numbered(2, &response(500, "UPDATE", &["u2"]));
        shows(tried().receives(46_000, &refused), LASTS);
        // A 2xx without the field ends the timer.
        shows(tried().receives(46_000, &numbered(2, &response(200, "UPDATE", &["u2"]))), "");
    }

    #[test]
    fn the_other_end_gives_the_session_up_a_third_before() {
        shows(calls("90;refresher=uas"), LASTS);
        shows(calls("90;refresher=uas").ends(60_400), "");
        shows(calls("90;refresher=uas").ends(60_600), LASTS);
        shows(calls("120;refresher=uas").ends(88_400), "");
        shows(calls("120;refresher=uas").ends(88_600), LASTS);
        shows(calls("120;refresher=uas").sends(88_000, &in_dialog("BYE", &["3"])), "");
        let refresh = theirs(&update(7));
        let ok = theirs(&expires("120;refresher=uac", &with("Require: timer", &updated(7))));
        shows(calls("120;refresher=uas").receives(60_000, &refresh), LASTS);
        let refreshed = calls("120;refresher=uas").receives(60_000, &refresh);
        shows(refreshed.sends(60_000, &ok), "");
    }

    #[test]
    fn a_bye_may_have_to_wait_for_an_ack() {
        let invite = theirs(&sdp("other", &numbered(7, &in_dialog("INVITE", &["r"]))));
        let ok = theirs(&sdp("yes", &numbered(7, &response(200, "INVITE", &["r"]))));
        let ok = with("Require: timer", &expires("90;refresher=uas", &ok));
        // The timer of the 2xx that waits for its ACK is another one, which begins with it: look at the first.
        let waits = |at| calls("90;refresher=uas").receives(at, &invite).sends(at, &ok);
        shows(waits(59_000).sends(99_000, &update(2)).ends(99_500), "");
    }

    #[test]
    fn one_end_refreshes() {
        const OTHER: &str = "refreshes a session that the other end refreshes";
        let story = || calls("300;refresher=uas");
        shows(story().sends(50_000, &update(2)), OTHER);
        shows(story().sends(50_000, &sdp("other", &update(2))), "");
        let reinvite = |text| sdp(text, &expires("300;refresher=uas", &numbered(2, &in_dialog("INVITE", &["r"]))));
        shows(story().sends(50_000, &reinvite("offer")), OTHER);
        shows(story().sends(50_000, &reinvite("other")), "");
        // Who refreshes is what the last 2xx says.
        let turned = expires("300;refresher=uac", &numbered(2, &response(200, "INVITE", &["r"])));
        let turned = sdp("yes", &turned);
        shows(story().sends(50_000, &reinvite("other")).receives(50_001, &turned).sends(60_000, &update(3)), "");
    }

    #[test]
    fn a_2xx_says_who_refreshes_and_does_not_raise_the_interval() {
        let invite = |value: &str| expires(value, &request("INVITE", &["1"]));
        let ok = |value: &str| with("Require: timer", &expires(value, &response(200, "INVITE", &["1"])));
        shows(accepts(&invite("120"), &ok("120;refresher=uac")), "");
        shows(accepts(&invite("120"), &ok("100;refresher=uas")), "");
        shows(accepts(&invite("120"), &ok("120")), "does not say who refreshes");
        shows(accepts(&invite("120"), &ok("121;refresher=uac")), "raises the interval to 121 s");
        shows(accepts(&with("Min-SE: 130", &invite("120")), &ok("130;refresher=uac")), "");
        shows(accepts(&request("INVITE", &["1"]), &ok("300;refresher=uas")), "");
        shows(accepts(&invite("120"), &ok("120;refresher=uac").replace("Require", "Y")), "does not require timer");
        let old = invite("120").replace("Supported", "Y");
        shows(accepts(&old, &ok("120;refresher=uac")), "lets an end refresh that has no timers");
    }

    #[test]
    fn a_request_asks_for_no_less_than_the_422_said() {
        let invite = |value: &str, via| expires(value, &request("INVITE", &[via]));
        let small = with("Min-SE: 120", &response(422, "INVITE", &["1"]));
        let asked = || Story::new().sends(0, &invite("90", "1")).receives(9, &small);
        shows(asked().sends(10, &invite("120", "2")), "");
        shows(asked().sends(10, &invite("119", "2")), "asks for 119 s, and 120 s are the least");
        shows(Story::new().sends(0, &invite("89", "1")), "asks for 89 s, and 90 s are the least");
        let refused = |value| Story::new().receives(0, &invite(value, "1"));
        shows(refused("90").sends(9, &small), "");
        shows(refused("90").sends(9, &small.replace("Min-SE", "Y")), "has no Min-SE");
        const WHY: &str = "refuses an interval that is none too small, or of who has no timers";
        shows(refused("120").sends(9, &small), WHY);
        let old = invite("90", "1").replace("Supported", "Y");
        shows(Story::new().receives(0, &old).sends(9, &small), WHY);
    }
}
