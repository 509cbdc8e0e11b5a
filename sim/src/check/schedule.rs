//! Schedule: nothing is sent more often, or earlier, than the RFCs allow.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use sansip::{Duration, Instant, Timers};

use super::{Carried, Fault, Names, Part, Report, Rule};
use crate::packet::Packet;

/// Nothing was ever sent beyond the schedule that the RFCs allow, judged from the trace alone.
///
/// * INVITE: at most 7 copies of a branch, not before 0, ½, 1½, 3½, 7½, 15½ and 31½ s after the first (timer A, RFC 3261
///   §17.1.1.2), and none after any response came.
/// * Other requests: at most 11 copies, not before 0, ½, 1½, 3½, 7½, 11½, … 31½ s (timer E, §17.1.2.2), and none after a final
///   response came. A proxy that knows nothing of what a CANCEL cancels forwards one for each that came (§16.10).
/// * Neither is resent over TCP, nor is a rejection of an INVITE (§17.1.1.2, §17.1.2.2, §17.2.1).
/// * ACK: one for each final response that came (§17.1.1.3, §13.2.2.4); a proxy forwards one for each that came (§16).
/// * 2xx to INVITE: 11 copies by the same steps until the ACK comes (§13.3.1.4); a copy of the INVITE brings out none
///   (RFC 6026 §7.1); a proxy forwards one for each that came (§16.7).
/// * Other final responses to INVITE: timer G's steps and one for each copy of the INVITE (§17.2.1), until the ACK comes.
/// * Other responses: once as made or forwarded, and once for each further copy of the request (§17.2.1, §17.2.2); a
///   provisional response to INVITE as often as its user says it (§17.2.1), or, if it is reliable, by timer A's steps until its PRACK
///   comes (RFC 3262 §3).
/// * A node that keeps no transactions sends one message for each that came (§16.11).
/// * One final response besides 2xx (§17.2), but that each copy may be challenged anew (§26.3.2.4); a copy is never forwarded as if it were a new request (§16.2). Over
///   streams a request may go once more, on another connection, with the same branch.
pub const SCHEDULE: Rule =
    Rule::new("schedule", "RFC 3261 §13.2.2.4, §13.3.1.4, §16.7, §17.1, §17.2; RFC 3262 §3; RFC 6026 §7")
        .of_parts(check_part);

/// The key of the request that a response answers: its topmost Via and method.
type Asked<'a> = ((&'a str, &'a str), &'a str);

/// The times after the first copy at which further ones may go out: intervals that double, up to `cap`, within 64·T1.
fn steps(timers: &Timers, cap: Duration) -> Vec<Duration> {
    let mut steps = vec![Duration::ZERO];
    let (mut interval, mut at) = (timers.t1.min(cap), Duration::ZERO);
    loop {
        at += interval;
        if at >= timers.sixty_four_t1() {
            return steps;
        }
        steps.push(at);
        interval = (interval * 2).min(cap);
    }
}

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    if part.is_stateless {
        return judge_stateless(part, report);
    }
    let steps = [Duration::MAX, part.timers.t2].map(|cap| steps(&part.timers, cap));
    Counts::new(part.timers, &steps).judge(part, report);
}

/// A node that keeps no transactions sends one message for each that came, at once.
fn judge_stateless(part: &Part<'_>, report: &mut Report<'_>) {
    let mut came = 0;
    for (seen, packet, _) in part.messages() {
        match seen.is_sent() {
            false => came += 1,
            true if came == 0 => {
                let (what, branch) = (packet.what(), packet.top().branch);
                let what = format!("{} sent {what} ({branch}) for nothing that came", part.name);
                return report.breach(part.node, seen.time, what);
            }
            true => came -= 1,
        }
    }
}

/// The messages that one node sent and received up to some moment, as server and as client.
struct Counts<'a> {
    timers: Timers,
    /// For INVITE, and for everything else that is resent.
    steps: &'a [Vec<Duration>; 2],
    /// By what a response answers.
    served: BTreeMap<Asked<'a>, Served<'a>>,
    /// By branch and method.
    asked: BTreeMap<(&'a str, &'a str), Sent<'a>>,
    /// 2xx to INVITE that came to their end, and the ACKs sent for them.
    answered: BTreeMap<Answered<'a>, (usize, usize)>,
    /// The 2xx to INVITE for which an ACK came.
    acknowledged: BTreeSet<Answered<'a>>,
    /// The RAck of each PRACK that came, by topmost Via.
    racks: BTreeMap<(&'a str, &'a str), &'a str>,
    /// When the first PRACK was accepted, by RAck and To tag: one that is refused acknowledges nothing.
    pracks: BTreeMap<(&'a str, &'a str), Instant>,
}

/// A 2xx to INVITE from end to end: Call-ID, CSeq, To tag.
type Answered<'a> = (&'a str, u32, &'a str);

/// A request that came, and what was done with it.
#[derive(Default)]
struct Served<'a> {
    /// Copies of it that came.
    came: usize,
    /// When its transaction is over at the latest (timers H, I, J, L); a copy that still comes is a new request.
    over: Option<Instant>,
    /// The final response, if it is one of which there can be only one.
    rejection: Option<(&'a [u8], u16, &'a str)>,
    /// Challenges that differ from the first.
    challenges: usize,
    /// Whether the ACK for such a response to INVITE came.
    acknowledged: bool,
    responses: BTreeMap<&'a [u8], Copies>,
    /// Responses that came to be forwarded, by status and To tag.
    downstream: BTreeMap<(u16, &'a str), usize>,
    /// Where it was forwarded, under which branch.
    forwarded: BTreeMap<SocketAddr, &'a str>,
    /// Copies forwarded, if it is an ACK.
    acks: usize,
}

/// A request that was sent.
struct Sent<'a> {
    bytes: &'a [u8],
    destination: SocketAddr,
    /// The connection that the first copy was written to.
    stream: Option<u32>,
    copies: Copies,
    /// A response came after which no copy goes: any to INVITE, a final one to others.
    heard: bool,
    /// Final responses other than 2xx that came, and the ACKs sent for them; of an INVITE.
    rejections: usize,
    acks: usize,
}

/// Copies of one message that a node sent.
#[derive(Clone, Copy)]
struct Copies {
    first: Instant,
    number: usize,
    /// How many copies of the request had come by the first response.
    came: usize,
}

impl<'a> Counts<'a> {
    fn new(timers: Timers, steps: &'a [Vec<Duration>; 2]) -> Self {
        Self {
            timers,
            steps,
            served: BTreeMap::new(),
            asked: BTreeMap::new(),
            answered: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            racks: BTreeMap::new(),
            pracks: BTreeMap::new(),
        }
    }

    fn judge(mut self, part: &Part<'a>, report: &mut Report<'_>) {
        for (seen, packet, carried) in part.messages() {
            if !seen.is_sent() {
                self.receive(seen.time, packet);
                continue;
            }
            let verdict = match packet.status() {
                None if packet.method == "ACK" => self.ack(packet),
                None => self.request(seen.time, packet, carried),
                Some(status) => self.response(seen.time, packet, status),
            };
            if let Err(fault) = verdict {
                report.fault(part, seen, packet, &fault);
            }
        }
    }

    fn receive(&mut self, time: Instant, packet: &Packet<'a>) {
        let (top, method) = (packet.top().id(), packet.method);
        let Some(status) = packet.status() else {
            if method == "PRACK" {
                for rack in packet.values("rack", "rack") {
                    self.racks.insert(top, rack);
                }
            }
            if method == "ACK" {
                self.acknowledged.insert(answered(packet));
                if let Some(invite) = self.served.get_mut(&(top, "INVITE")).filter(|invite| invite.rejection.is_some())
                {
                    invite.acknowledged = true;
                    invite.over = invite.over.min(Some(time + self.timers.t4));
                }
            }
            let served = self.served.entry((top, method)).or_default();
            if served.over.is_some_and(|over| over <= time) {
                // The copies of a CANCEL that goes on statelessly are counted through (§16.10).
                let came = if method == "CANCEL" { served.came } else { 0 };
                *served = Served { came, ..Served::default() };
            }
            served.came += 1;
            return;
        };
        let invite = method == "INVITE";
        if let Some(sent) = self.asked.get_mut(&(top.0, method)) {
            sent.heard |= invite || status >= 200;
            sent.rejections += usize::from(status >= 300);
        }
        match packet.vias.get(1) {
            // A 100 goes no further than to the next hop.
            Some(_) if status == 100 => {}
            Some(below) => {
                let served = self.served.entry((below.id(), method)).or_default();
                *served.downstream.entry((status, packet.to_tag)).or_default() += 1;
            }
            None if invite && is_success(status) => self.answered.entry(answered(packet)).or_default().0 += 1,
            None => {}
        }
    }

    fn ack(&mut self, packet: &Packet<'a>) -> Result<(), Fault> {
        let (sent, allowed, of) = if let Some(below) = packet.vias.get(1) {
            let served = self.served.entry((below.id(), "ACK")).or_default();
            served.acks += 1;
            (served.acks, served.came, "ACKs came")
        } else if let Some(invite) = self.asked.get_mut(&(packet.top().branch, "INVITE")) {
            invite.acks += 1;
            (invite.acks, invite.rejections, "final responses came")
        } else {
            let (came, sent) = self.answered.entry(answered(packet)).or_default();
            *sent += 1;
            (*sent, *came, "2xx came")
        };
        if sent > allowed { Err(Fault::missing(format!("it is the {sent}. one, and {allowed} {of}"))) } else { Ok(()) }
    }

    fn request(&mut self, time: Instant, packet: &Packet<'a>, carried: Carried) -> Result<(), Fault> {
        let Carried { destination, stream, .. } = carried;
        let bytes = packet.text;
        let (branch, method) = (packet.top().branch, packet.method);
        let mut came = 0;
        if let Some(below) = packet.vias.get(1) {
            let served = self.served.entry((below.id(), method)).or_default();
            came = served.came;
            let known = served.forwarded.entry(destination).or_insert(branch);
            if *known != branch {
                return Err(Fault::missing("a copy was forwarded as if it were a new request"));
            }
        }
        let copies = Copies { first: time, number: 0, came: 0 };
        let new = Sent { bytes, destination, stream, copies, heard: false, rejections: 0, acks: 0 };
        let sent = self.asked.entry((branch, method)).or_insert(new);
        if (sent.bytes, sent.destination) != (bytes, destination) {
            const WHY: &str = "the branch was used for another message or destination";
            return Err(if sent.bytes == bytes { Fault::missing(WHY) } else { Fault::seen(WHY) });
        }
        sent.copies.number += 1;
        let Copies { first, number, .. } = sent.copies;
        let invite = method == "INVITE";
        if method == "CANCEL" && number <= came {
            return Ok(());
        }
        if number > 1 && sent.heard {
            return Err(Fault::missing(format!("resent after a {}response", if invite { "" } else { "final " })));
        }
        if number == 2 && packet.top().is_reliable() && sent.stream != stream {
            return Ok(());
        }
        if number > 1 && packet.top().is_reliable() {
            return Err(Fault::missing("resent over a transport that loses nothing"));
        }
        match self.steps[usize::from(!invite)].get(number - 1).map(|step| first + *step) {
            None => Err(Fault::missing(format!("it is copy {number}"))),
            // T1 may be another one.
            Some(due) if time < due => Err(Fault::remark(format!("copy {number} is allowed from {due} on"))),
            Some(_) => Ok(()),
        }
    }

    fn response(&mut self, time: Instant, packet: &Packet<'a>, status: u16) -> Result<(), Fault> {
        let bytes = packet.text;
        let served = self.served.entry((packet.top().id(), packet.method)).or_default();
        if served.came == 0 {
            // Another check's matter.
            return Ok(());
        }
        let invite = packet.method == "INVITE";
        let success = invite && is_success(status);
        let downstream = served.downstream.get(&(status, packet.to_tag)).copied().unwrap_or(0);
        if status >= 200 {
            // Timer J is zero where nothing is resent.
            let at_once = !invite && packet.top().is_reliable();
            served.over.get_or_insert(if at_once { time } else { time + self.timers.sixty_four_t1() });
            // A CANCEL without a context goes on statelessly, and each of its responses comes back so (§16.10).
            let stateless = packet.method == "CANCEL" && downstream > 0;
            let said = (bytes, status, packet.to_tag);
            if !success
                && !stateless
                && let (first, first_status, first_tag) = *served.rejection.get_or_insert(said)
                && first != bytes
            {
                // Whoever is not known may be asked for credentials without a transaction, anew for each copy (§26.3.2.4).
                let is_challenge = matches!(status, 401 | 407) && downstream == 0;
                if !is_challenge || served.challenges + 1 >= served.came {
                    const WHY: &str = "another final response was sent before";
                    // A server without transactions may date each anew (§8.2.7).
                    let is_another = (first_status, first_tag) != (status, packet.to_tag);
                    return Err(if is_another { Fault::seen(WHY) } else { Fault::missing(WHY) });
                }
                served.challenges += usize::from(!served.responses.contains_key(bytes));
            }
        }
        if packet.answers(2, "PRACK")
            && let Some(rack) = self.racks.get(&packet.top().id())
        {
            self.pracks.entry((rack, packet.to_tag)).or_insert(time);
        }
        let new = Copies { first: time, number: 0, came: served.came };
        let copies = served.responses.entry(bytes).or_insert(new);
        copies.number += 1;
        let Copies { first, number, came } = *copies;
        let since = time.since(first);
        let steps = self.steps[1].iter().filter(|step| **step <= since).count();
        let again = served.came - came;
        // The ACK of another rejection under the same branch has another To tag, and ends nothing (§17.1.1.3).
        let acknowledged = self.acknowledged.contains(&answered(packet)) && (success || served.acknowledged);
        if success && downstream > 0 {
            let fault = || Fault::missing(format!("forwarded {number} of {downstream}"));
            return if number > downstream { Err(fault()) } else { Ok(()) };
        }
        if invite && status >= 200 && number > 1 && acknowledged {
            return Err(Fault::missing("resent after the ACK"));
        }
        let rseq = packet.values("rseq", "rseq").next().filter(|_| invite && status < 200 && downstream == 0);
        let reliable = rseq.map(|rseq| {
            let rack = format!("{rseq} {} INVITE", packet.sequence);
            let until = self.pracks.get(&(&*rack, packet.to_tag)).map_or(time, |prack| time.min(*prack));
            self.steps[0].iter().filter(|step| first + **step <= until).count().max(1)
        });
        // A user may say again how it goes on (§17.2.1): no timer sends that.
        if invite && (101..200).contains(&status) && downstream == 0 && reliable.is_none() {
            return Ok(());
        }
        let allowed = match status {
            _ if success => steps,
            300.. if invite && packet.top().is_reliable() => 1 + again,
            300.. if invite => steps + again,
            _ => match reliable {
                Some(steps) => steps + again,
                None => downstream.max(1) + again + if invite { (since.as_secs() / 60) as usize } else { 0 },
            },
        };
        let fault = || Fault::remark(format!("it is copy {number}, and {allowed} are allowed by now"));
        if number > allowed { Err(fault()) } else { Ok(()) }
    }
}

fn answered<'a>(packet: &Packet<'a>) -> Answered<'a> {
    (packet.call_id, packet.sequence, packet.to_tag)
}

const fn is_success(status: u16) -> bool {
    200 <= status && status < 300
}

#[cfg(test)]
mod tests;
