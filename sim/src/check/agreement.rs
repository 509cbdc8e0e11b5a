//! Agreement: both ends of a call have it, or neither, once the message that decides has arrived.

use std::collections::BTreeSet;

use sansip::{Instant, Timers};

use super::{Names, Part, Report, Rule, Seen, Sight};
use crate::packet::Packet;

/// Two ends may disagree about a call only while no copy of the message that decides has arrived: judged from the messages and
/// from when the ends said that they have the call or have it no more. (That nobody has a call in the end is another check's,
/// [`IDLE`](super::IDLE).)
///
/// * The caller has it from the first 2xx that comes, and never without one (RFC 3261 §13.2.2.4). If it has given up
///   by then and the INVITE is still alive, it ends the call with a BYE, unless one came first.
/// * The called end does not have it after a CANCEL that came before its final response (§9.2); a copy of the INVITE that comes
///   when the cancelled transaction is over makes another call.
/// * An end does not have it after sending a BYE or after one came (§15.1), unless the BYE comes after a later request of its sender: then it
///   is refused with 500 (§12.2.2), and its sender sends another one. An end that has it gives it up in no other way, unless it
///   is told that the other has no such dialog (§12.2.1.2, RFC 5057 §5.1).
/// * The called end sends no BYE before the ACK came or 64·T1 passed (§15), and without an ACK it gives the call up then
///   (§13.3.1.4).
pub const AGREEMENT: Rule = Rule::new("agreement", "RFC 3261 §9.2, §13.2.2.4, §13.3.1.4, §15").of_parts(check_part);

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    // A proxy between the ends says nothing of the call.
    if part.seen.iter().any(|seen| matches!(seen.what, Sight::Began | Sight::Ended(_))) {
        End::of(part).judge(part, &mut |time, what| {
            report.breach(part.node, time, format!("{}, call {}: {what}", part.name, part.call_id));
        });
    }
}

/// The called end's tag, if this is a 2xx to the call's INVITE.
fn tag<'a>(sight: Sight<'a>) -> Option<&'a str> {
    let (Sight::Sent(packet, _) | Sight::Received(packet, _)) = sight else { return None };
    let success = packet.status().is_some_and(|status| (200..300).contains(&status));
    (success && packet.method == "INVITE").then_some(packet.to_tag)
}

/// Whether the exchange that this belongs to decides nothing about the call: an INVITE in the dialog, which changes the session (RFC
/// 3261 §14), or a request that this end, or for an INVITE anybody, wants to have again with credentials (§22).
fn decides_nothing(sight: Sight<'_>) -> bool {
    let (Sight::Sent(packet, _) | Sight::Received(packet, _)) = sight else { return false };
    let is_challenge = packet.status().is_some_and(|status| matches!(status, 401 | 407));
    is_change(packet) || (is_challenge && (packet.method == "INVITE" || matches!(sight, Sight::Sent(..))))
}

/// Whether a response to a request in a dialog ends the dialog or the session in it (RFC 5057 §5.1).
const fn ends_dialog(status: u16) -> bool {
    matches!(status, 404 | 410 | 416 | 481 | 482 | 484 | 485 | 502 | 604)
}

/// Whether the node refuses this BYE since a later request of its sender came before (RFC 3261 §12.2.2): one of a subscription in the dialog.
fn is_out_of_order(part: &Part<'_>, hop: usize, index: usize, bye: &Packet<'_>) -> bool {
    let overtaken = part.before(index).received().any(|(_, request, _)| {
        request.is_request()
            && (request.from_tag, request.to_tag) == (bye.from_tag, bye.to_tag)
            && request.sequence > bye.sequence
    });
    overtaken && part.of(hop).sent().any(|(_, answer, _)| answer.status() == Some(500))
}

/// Whether this says that a BYE of the node came after a later request of its own (RFC 3261 §12.2.2).
fn tells_of_order(part: &Part<'_>, index: usize, response: &Packet<'_>) -> bool {
    response.status() == Some(500)
        && response.method == "BYE"
        && part.before(index).sent().any(|(_, request, _)| {
            request.is_request()
                && (request.from_tag, request.to_tag) == (response.from_tag, response.to_tag)
                && request.sequence > response.sequence
        })
}

/// Whether this is an INVITE in a dialog.
fn is_change(packet: &Packet<'_>) -> bool {
    packet.is("INVITE") && !packet.to_tag.is_empty()
}

/// A moment of a run: when, and its place in the order of what the node saw.
type Moment = (Instant, usize);

/// The sight of one end of one call, each thing the first time. ACKs and BYEs only of the dialog that the first 2xx made: other
/// forks, and calls that a straggling INVITE makes when the transaction is over, have other tags.
#[derive(Debug, Default)]
struct End<'a> {
    /// The called end's tag in the first 2xx.
    tag: Option<&'a str>,
    invite_sent: Option<Moment>,
    /// From which place on the connection that the INVITE went along is no more.
    invite_lost: Option<usize>,
    cancel_sent: Option<Moment>,
    cancel_received: Option<Moment>,
    provisional_received: Option<Moment>,
    rejection_received: Option<Moment>,
    /// The first rejection of an INVITE, with its tag, and the ACK for it.
    rejection_sent: Option<(Moment, &'a str)>,
    rejection_acknowledged: Option<Moment>,
    /// Every copy.
    invites_received: Vec<Moment>,
    success_received: Option<Moment>,
    success_sent: Option<Moment>,
    ack_received: Option<Moment>,
    bye_sent: Option<Moment>,
    /// The first BYE of this end's that came after a later request was refused.
    bye_overtaken: Option<Moment>,
    /// Every copy.
    byes_sent: Vec<Moment>,
    /// The copies of each branch.
    byes_received: Vec<Moment>,
    began: Option<Moment>,
    ended: Option<Moment>,
    /// A response came that says that the other end has no such dialog any more.
    lost: Option<Moment>,
    /// The first 2xx to each INVITE in the dialog, with the moment from which on a BYE need not wait for it (§15).
    changes: Vec<(Moment, Instant)>,
}

impl<'a> End<'a> {
    fn of(part: &Part<'a>) -> Self {
        let seen = &part.seen;
        let mut end = Self { tag: seen.iter().find_map(|seen| tag(seen.what)), ..Self::default() };
        let (mut branches, mut hops) = (BTreeSet::new(), BTreeSet::new());
        let aside: BTreeSet<usize> =
            seen.iter().filter(|seen| decides_nothing(seen.what)).map(|seen| seen.hop).collect();
        let is_aside =
            |seen: &Seen<'_>| !matches!(seen.what, Sight::Began | Sight::Ended(_)) && aside.contains(&seen.hop);
        for seen in seen {
            let tells = seen.message().is_some_and(|(packet, _)| {
                !seen.is_sent() && packet.status().is_some_and(ends_dialog) && end.is_of_dialog(packet)
            });
            if tells {
                end.lost.get_or_insert((seen.time, seen.index));
            }
        }
        for seen in seen.iter().filter(|seen| !aside.is_empty() && is_aside(seen)) {
            end.note_change(part, seen);
        }
        for Seen { time, index, hop, what, .. } in seen.iter().filter(|seen| !is_aside(seen)) {
            let moment = (*time, *index);
            let place = match what {
                Sight::Sent(packet, carried) => {
                    if packet.is("INVITE") && end.invite_sent.is_none() {
                        end.invite_lost = part.lost_after(*index, carried.stream);
                    }
                    if packet.method == "INVITE" && packet.status().is_some_and(|status| status >= 300) {
                        end.rejection_sent.get_or_insert((moment, packet.to_tag));
                    }
                    if packet.is("BYE") && end.is_of_dialog(packet) {
                        end.byes_sent.push(moment);
                    }
                    end.place_of_sent(packet)
                }
                Sight::Received(packet, _) => {
                    if packet.is("INVITE") {
                        end.invites_received.push(moment);
                        hops.insert(*hop);
                    }
                    // A CANCEL that does not find its INVITE cancels nothing.
                    if packet.is("CANCEL") && !hops.contains(hop) {
                        continue;
                    }
                    if end.is_of_dialog(packet) && tells_of_order(part, *index, packet) {
                        end.bye_overtaken.get_or_insert(moment);
                    }
                    let bye = packet.status().is_none() && packet.method == "BYE";
                    if bye
                        && end.is_of_dialog(packet)
                        && !is_out_of_order(part, *hop, *index, packet)
                        && branches.insert(packet.top().id())
                    {
                        end.byes_received.push(moment);
                    }
                    end.place_of_received(packet)
                }
                Sight::Began => Some(&mut end.began),
                Sight::Ended(_) => Some(&mut end.ended),
            };
            if let Some(place) = place {
                place.get_or_insert(moment);
            }
        }
        end
    }

    fn is_of_dialog(&self, packet: &Packet<'_>) -> bool {
        self.tag.is_some_and(|tag| packet.to_tag == tag || packet.from_tag == tag)
    }

    fn place_of_sent(&mut self, packet: &Packet<'_>) -> Option<&mut Option<Moment>> {
        match (packet.status(), packet.method) {
            (None, "INVITE") => Some(&mut self.invite_sent),
            (None, "CANCEL") => Some(&mut self.cancel_sent),
            (None, "BYE") if self.is_of_dialog(packet) => Some(&mut self.bye_sent),
            (Some(200..=299), "INVITE") => Some(&mut self.success_sent),
            _ => None,
        }
    }

    fn place_of_received(&mut self, packet: &Packet<'_>) -> Option<&mut Option<Moment>> {
        match (packet.status(), packet.method) {
            (None, "CANCEL") => Some(&mut self.cancel_received),
            (None, "ACK") if self.is_of_dialog(packet) => Some(&mut self.ack_received),
            (None, "ACK") if self.rejection_sent.is_some_and(|(_, tag)| packet.to_tag == tag) => {
                Some(&mut self.rejection_acknowledged)
            }
            (Some(100..=199), "INVITE") => Some(&mut self.provisional_received),
            (Some(200..=299), "INVITE") => Some(&mut self.success_received),
            (Some(300..), "INVITE") => Some(&mut self.rejection_received),
            _ => None,
        }
    }

    fn judge(&self, part: &Part<'_>, breach: &mut impl FnMut(Instant, &'static str)) {
        if self.invite_sent.is_some() {
            self.judge_caller(&part.timers, breach);
        } else {
            self.judge_called(part, breach);
        }
        if let Some(began) = self.began {
            for bye in self.byes_received.iter().filter(|bye| **bye > began) {
                if !self.gave_up_by(bye.0) {
                    breach(bye.0, "has the call although a BYE came");
                }
            }
        }
        if let Some(overtaken) = self.bye_overtaken {
            let due = overtaken.0 + part.timers.t1;
            let own = self.byes_sent.iter().filter(|bye| **bye > overtaken);
            if due <= part.until && self.lost.is_none() && !self.byes_received.iter().chain(own).any(|bye| bye.0 <= due)
            {
                breach(overtaken.0, "sent no other BYE for the one that came after a later request");
            }
        }
        if let (Some(_), Some(ended)) = (self.began, self.ended) {
            let due = self.bye_due(&part.timers, ended);
            let byes = self.byes_received.iter().chain(&self.bye_sent);
            let is_lost = self.lost.is_some_and(|lost| lost.0 <= ended.0);
            if due <= part.until && !is_lost && !byes.into_iter().any(|bye| bye.0 <= due) {
                breach(ended.0, "gave the call up, and no BYE came or went");
            }
        }
    }

    /// Takes note of the 2xx that this end sends to an INVITE in the dialog, and of the ACK that it gets.
    fn note_change(&mut self, part: &Part<'_>, seen: &Seen<'_>) {
        let Some((response, _)) = seen.sent().filter(|(packet, _)| packet.answers(2, "INVITE")) else { return };
        let is_change = part.of(seen.hop).received().any(|(_, request, _)| is_change(request));
        let is_first = !part.of(seen.hop).before(seen.index).sent().any(|(_, packet, _)| packet.answers(2, "INVITE"));
        if is_change && is_first {
            let acks = part.after(seen.index).requests_received("ACK");
            let mut acks = acks.filter(|(_, ack, _)| ack.sequence == response.sequence);
            let over = seen.time + part.timers.sixty_four_t1();
            let free = acks.find(|(_, ack, _)| ack.from_tag == response.from_tag).map_or(over, |(ack, ..)| ack.time);
            self.changes.push(((seen.time, seen.index), free.min(over)));
        }
    }

    /// By when an end that gave the call up must have sent a BYE: the called end may have to wait for the ACK, and the resolver
    /// may have to be asked for the way.
    fn bye_due(&self, timers: &Timers, ended: Moment) -> Instant {
        let may = self.success_sent.map(|success| {
            let unacknowledged = success.0 + timers.sixty_four_t1();
            self.ack_received.map_or(unacknowledged, |ack| ack.0.min(unacknowledged))
        });
        let changes = self.changes.iter().filter(|(success, _)| success.0 <= ended.0).map(|(_, free)| *free);
        changes.chain(may).fold(ended.0, Instant::max) + timers.t1
    }

    fn judge_caller(&self, timers: &Timers, breach: &mut impl FnMut(Instant, &'static str)) {
        if let Some(began) = self.began
            && self.success_received.is_none_or(|success| success > began)
        {
            breach(began.0, "has the call, and no 2xx came");
        }
        let Some(success) = self.success_received else { return };
        if !self.is_alive(timers, success) {
            return;
        }
        let told = self.bye_sent.is_some_and(|bye| bye > success);
        // The called end gave up for want of an ACK, and its BYE overtook the 2xx, or came while the resolver was still asked where
        // ours goes.
        let overtaken = self.byes_received.iter().any(|bye| *bye < success || bye.0 < success.0 + timers.t1);
        if !told && !overtaken && self.began.is_none_or(|began| began.0 != success.0) {
            breach(success.0, "does not have the call although a 2xx came, and sent no BYE");
        }
    }

    /// Whether the INVITE is still waiting for a response when `response` comes (RFC 3261 §9.1, §17.1.1.2).
    fn is_alive(&self, timers: &Timers, response: Moment) -> bool {
        let over = |since: Moment| since.0 + timers.sixty_four_t1() <= response.0;
        let unheard = self.invite_sent.is_some_and(|invite| {
            let given_up = invite.0 + timers.sixty_four_t1();
            // Giving up comes before what arrives at the same moment.
            let unheard_by = |moment: &dyn Fn(Moment) -> bool| self.provisional_received.is_none_or(moment);
            let lost = self.invite_lost.is_some_and(|lost| lost <= response.1 && unheard_by(&|heard| heard.1 >= lost));
            lost || (over(invite) && unheard_by(&|heard| heard.0 >= given_up))
        });
        let cancelled = self.cancel_sent.is_some_and(|cancel| cancel < response && over(cancel));
        let rejected = self.rejection_received.is_some_and(|rejection| rejection < response);
        !unheard && !cancelled && !rejected
    }

    fn judge_called(&self, part: &Part<'_>, breach: &mut impl FnMut(Instant, &'static str)) {
        if let (Some(began), Some(cancel)) = (self.began, self.cancel_received)
            && cancel < began
            && self.success_sent.is_none_or(|success| cancel < success)
            && !self.is_of_straggler(&part.timers, began)
        {
            breach(began.0, "has the call although a CANCEL came before it was answered");
        }
        let deadline = self.success_sent.map(|success| success.0 + part.timers.sixty_four_t1());
        if let Some(bye) = self.bye_sent
            && self.ack_received.is_none_or(|ack| ack > bye)
            && deadline.is_none_or(|deadline| bye.0 < deadline)
        {
            breach(bye.0, "sent a BYE before the ACK came or 64·T1 passed");
        }
        if let Some(deadline) = deadline
            && deadline <= part.until
            && self.ack_received.is_none_or(|ack| ack.0 > deadline)
            && !self.gave_up_by(deadline)
        {
            breach(deadline, "has the call, and no ACK came for 64·T1");
        }
    }

    /// Whether the call that began then was made by a copy of the INVITE that came when the transaction of a rejected one was
    /// over (timers H and I): it is a new call, and no earlier CANCEL is about it.
    fn is_of_straggler(&self, timers: &Timers, began: Moment) -> bool {
        let Some((rejection, _)) = self.rejection_sent else { return false };
        let unacknowledged = rejection.0 + timers.sixty_four_t1();
        let over = self.rejection_acknowledged.map_or(unacknowledged, |ack| unacknowledged.min(ack.0 + timers.t4));
        self.invites_received.iter().any(|invite| over <= invite.0 && *invite <= began)
    }

    /// Whether it did not have the call any more at the end of that instant.
    fn gave_up_by(&self, time: Instant) -> bool {
        [self.ended, self.bye_sent].into_iter().flatten().any(|moment| moment.0 <= time)
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, numbered, request, response};
    use super::*;

    fn shows(story: Story, why: &str) {
        story.shows(AGREEMENT, why);
    }

    #[test]
    fn the_caller_has_the_call_from_the_2xx_on() {
        let call = || Story::new().sends(0, &request("INVITE", &["1"]));
        let ok = response(200, "INVITE", &["1"]);
        shows(call().receives(9, &ok).begins(9), "");
        shows(call().begins(9), "has the call, and no 2xx came");
        shows(call().ends(5).receives(9, &ok), "does not have the call although a 2xx came, and sent no BYE");
        shows(call().ends(5).receives(9, &ok).sends(9, &in_dialog("BYE", &["2"])), "");
        // Timer B has fired.
        shows(call().ends(32_000).receives(32_000, &ok), "");
    }

    #[test]
    fn a_2xx_that_comes_when_the_connection_of_its_invite_is_lost_is_a_stray() {
        let call = || Story::new().writes(0, 7, &request("INVITE", &["1"]));
        let (ringing, ok) = (response(180, "INVITE", &["1"]), response(200, "INVITE", &["1"]));
        let missed = "does not have the call although a 2xx came, and sent no BYE";
        shows(call().loses(7).ends(5).receives(9, &ok), "");
        shows(call().loses(8).ends(5).receives(9, &ok), missed);
        shows(call().receives(3, &ringing).loses(7).ends(5).receives(9, &ok), missed);
    }

    #[test]
    fn a_bye_ends_the_call_and_nothing_else_does() {
        let call = || {
            Story::new().sends(0, &request("INVITE", &["1"])).receives(9, &response(200, "INVITE", &["1"])).begins(9)
        };
        let theirs = in_dialog("BYE", &["2"]);
        shows(call().receives(99, &theirs).ends(99), "");
        shows(call().receives(99, &theirs), "has the call although a BYE came");
        shows(call().ends(99), "gave the call up, and no BYE came or went");
        shows(call().sends(99, &in_dialog("BYE", &["2"])).ends(99), "");
        // It was overtaken by a NOTIFY of the subscription that a REFER has made.
        let notify = numbered(2, &in_dialog("NOTIFY", &["3"]));
        let refused = response(500, "BYE", &["2"]);
        shows(call().receives(98, &notify).receives(99, &theirs).sends(99, &refused), "");
        shows(call().receives(99, &theirs).sends(99, &refused), "has the call although a BYE came");
        shows(call().receives(98, &notify).receives(99, &theirs), "has the call although a BYE came");
        // So it is for whoever has sent it.
        let (bye, later) = (in_dialog("BYE", &["2"]), numbered(2, &in_dialog("NOTIFY", &["3"])));
        let ended = || call().sends(99, &bye).sends(100, &later).receives(110, &refused);
        let missing = "sent no other BYE for the one that came after a later request";
        shows(ended().ends(110), missing);
        let another = numbered(3, &in_dialog("BYE", &["4"]));
        shows(ended().sends(110, &another).ends(120), "");
        // Its copy after T1 is no sign that it came late.
        shows(ended().sends(110, &another).sends(611, &another).ends(620), "");
        shows(ended().sends(611, &another).ends(620), missing);
        shows(ended().receives(110, &theirs).ends(110), "");
        shows(call().sends(99, &bye).receives(110, &refused).ends(110), "");
    }

    #[test]
    fn the_called_end_waits_for_the_ack_and_obeys_a_cancel() {
        let ok = response(200, "INVITE", &["1"]);
        let invited = || Story::new().receives(0, &request("INVITE", &["1"]));
        let (ack, bye) = (in_dialog("ACK", &["2"]), in_dialog("BYE", &["3"]));
        let answered = || invited().sends(9, &ok).begins(9);
        shows(answered().receives(20, &ack).sends(30, &bye).ends(30), "");
        shows(answered().sends(30, &bye).ends(30), "sent a BYE before the ACK came or 64·T1 passed");
        shows(answered(), "has the call, and no ACK came for 64·T1");
        shows(answered().sends(32_009, &bye).ends(32_009), "");
        let cancelled = || invited().receives(5, &request("CANCEL", &["1"])).sends(9, &ok).begins(9).receives(20, &ack);
        shows(cancelled(), "has the call although a CANCEL came before it was answered");
        shows(answered().receives(15, &request("CANCEL", &["1"])).receives(20, &ack), "");
    }
}
