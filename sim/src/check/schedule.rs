//! Schedule: nothing is sent more often, or earlier, than the RFCs allow.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use sansip::{Duration, Instant, Timers};

use super::{Breach, Check, Seen, Sight};
use crate::packet::{Packet, Via};
use crate::trace::{NodeId, Trace};
use crate::world::World;

/// Nothing was ever sent beyond the schedule that the RFCs allow, judged from the trace alone.
///
/// * INVITE: at most 7 copies of a branch, not before 0, ½, 1½, 3½, 7½, 15½ and 31½ s after the first (timer A, RFC 3261
///   §17.1.1.2), and none after any response came.
/// * Other requests: at most 11 copies, not before 0, ½, 1½, 3½, 7½, 11½, … 31½ s (timer E, §17.1.2.2), and none after a final
///   response came. A proxy that knows nothing of what a CANCEL cancels forwards one for each that came (§16.10).
/// * ACK: one for each final response that came (§17.1.1.3, §13.2.2.4); a proxy forwards one for each that came (§16).
/// * 2xx to INVITE: 11 copies by the same steps until the ACK comes (§13.3.1.4); a copy of the INVITE brings out none
///   (RFC 6026 §7.1); a proxy forwards one for each that came (§16.7).
/// * Other final responses to INVITE: timer G's steps and one for each copy of the INVITE (§17.2.1), until the ACK comes.
/// * Other responses: once as made or forwarded, and once for each further copy of the request (§17.2.1, §17.2.2); a
///   provisional response to INVITE once a minute besides (§13.3.1.1).
/// * No response to what was never asked, so none to a response or an ACK; one final response besides 2xx (§17.2); a copy is
///   never forwarded as if it were a new request (§16.2).
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    timers: Timers,
}

/// What a response answers: the request's topmost Via and method.
type Asked<'a> = (Via<'a>, &'a str);

impl Schedule {
    /// For nodes with these timers.
    pub const fn new(timers: Timers) -> Self {
        Self { timers }
    }

    /// The breaches of a trace.
    fn judge(&self, trace: &Trace) -> Vec<Breach> {
        trace.nodes().flat_map(|(node, _)| Judge::new(self, trace, node).judge()).collect()
    }

    /// The times after the first copy at which further ones may go out: intervals that double, up to `cap`, within 64·T1.
    fn steps(&self, cap: Duration) -> Vec<Duration> {
        let mut steps = vec![Duration::ZERO];
        let (mut interval, mut at) = (self.timers.t1.min(cap), Duration::ZERO);
        loop {
            at += interval;
            if at >= self.timers.sixty_four_t1() {
                return steps;
            }
            steps.push(at);
            interval = (interval * 2).min(cap);
        }
    }
}

impl Check for Schedule {
    fn name(&self) -> &'static str {
        "schedule"
    }

    fn source(&self) -> &'static str {
        "RFC 3261 §13.2.2.4, §13.3.1.4, §16.7, §17.1, §17.2; RFC 6026 §7"
    }

    fn check(&self, world: &World) -> Vec<Breach> {
        self.judge(world.trace())
    }
}

/// What one node sent and received up to some moment.
struct Judge<'a> {
    name: &'a str,
    /// For INVITE, and for everything else that is resent.
    steps: [Vec<Duration>; 2],
    seen: Vec<Seen<'a>>,
    sent: BTreeMap<&'a [u8], Copies>,
    requests: BTreeMap<(&'a str, &'a str), (&'a [u8], SocketAddr)>,
    forwarded: BTreeMap<(Asked<'a>, SocketAddr), &'a str>,
    rejected: BTreeMap<Asked<'a>, &'a [u8]>,
    counts: BTreeMap<Counted<'a>, usize>,
    ended: BTreeSet<Ended<'a>>,
    breaches: Vec<Breach>,
}

/// Copies of one message that a node sent.
struct Copies {
    first: Instant,
    number: usize,
    /// How many copies of the request had come when the first copy of a response went.
    asked: usize,
}

/// Things that are counted.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Counted<'a> {
    /// Requests that came, by what a response to them would answer.
    Request(Asked<'a>),
    /// Responses to a branch of ours: branch, method, status class ≥ 3.
    Rejection(&'a str),
    /// 2xx to INVITE that came to their end: Call-ID, CSeq, To tag.
    Success(&'a str, u32, &'a str),
    /// Responses that came to be forwarded: what they answer, status, To tag.
    Downstream(Asked<'a>, u16, &'a str),
    /// ACKs sent for a rejection, by branch.
    AckOfRejection(&'a str),
    /// ACKs sent for a 2xx: Call-ID, CSeq, To tag.
    AckOfSuccess(&'a str, u32, &'a str),
    /// ACKs forwarded, by the Via below ours.
    AckForwarded(Asked<'a>),
    /// 2xx to INVITE forwarded.
    SuccessForwarded(Asked<'a>, u16, &'a str),
}

/// Things after which copies must stop.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Ended<'a> {
    /// A response to this branch and method came: any for INVITE, a final one for others.
    Request(&'a str, &'a str),
    /// The ACK for a 2xx came: Call-ID, CSeq, To tag.
    Success(&'a str, u32, &'a str),
    /// The ACK for another final response came: the INVITE's Via.
    Rejection(Via<'a>),
}

impl<'a> Judge<'a> {
    fn new(schedule: &Schedule, trace: &'a Trace, node: NodeId) -> Self {
        Self {
            name: trace.name(node),
            steps: [schedule.steps(Duration::MAX), schedule.steps(schedule.timers.t2)],
            seen: Seen::by(trace, node),
            sent: BTreeMap::new(),
            requests: BTreeMap::new(),
            forwarded: BTreeMap::new(),
            rejected: BTreeMap::new(),
            counts: BTreeMap::new(),
            ended: BTreeSet::new(),
            breaches: Vec::new(),
        }
    }

    fn judge(mut self) -> Vec<Breach> {
        for Seen { time, what } in std::mem::take(&mut self.seen) {
            let verdict = match &what {
                Sight::Received(packet) => {
                    self.receive(packet);
                    Ok(())
                }
                Sight::Sent { packet, bytes, destination } => match packet.status() {
                    None if packet.method == "ACK" => self.ack(packet),
                    None => self.request(time, packet, bytes, *destination),
                    Some(status) => self.response(time, packet, bytes, status),
                },
                Sight::Noted(_) => Ok(()),
            };
            if let (Err(what), Sight::Sent { packet, .. }) = (verdict, &what) {
                let message = match packet.status() {
                    Some(status) => format!("{status} to {}", packet.method),
                    None => packet.method.to_owned(),
                };
                let what = format!("{} sent {message} ({}): {what}", self.name, packet.top().branch);
                self.breaches.push(Breach { check: "schedule", time, what });
            }
        }
        self.breaches
    }

    fn count(&self, what: &Counted<'a>) -> usize {
        self.counts.get(what).copied().unwrap_or(0)
    }

    /// Counts once more; the new number.
    fn add(&mut self, what: Counted<'a>) -> usize {
        let count = self.counts.entry(what).or_default();
        *count += 1;
        *count
    }

    fn receive(&mut self, packet: &Packet<'a>) {
        let top = packet.top();
        let dialog = (packet.call_id, packet.sequence, packet.to_tag);
        let Some(status) = packet.status() else {
            if packet.method == "ACK" {
                self.ended.insert(Ended::Rejection(top));
                self.ended.insert(Ended::Success(dialog.0, dialog.1, dialog.2));
            }
            self.add(Counted::Request((top, packet.method)));
            return;
        };
        let invite = packet.method == "INVITE";
        if invite || status >= 200 {
            self.ended.insert(Ended::Request(top.branch, packet.method));
        }
        if invite && status >= 300 {
            self.add(Counted::Rejection(top.branch));
        }
        match packet.vias.get(1) {
            Some(&below) => {
                self.add(Counted::Downstream((below, packet.method), status, packet.to_tag));
            }
            None if invite && (200..300).contains(&status) => {
                self.add(Counted::Success(dialog.0, dialog.1, dialog.2));
            }
            None => {}
        }
    }

    fn ack(&mut self, packet: &Packet<'a>) -> Result<(), String> {
        let top = packet.top();
        let (sent, allowed, of) = if let Some(&below) = packet.vias.get(1) {
            let asked = (below, "ACK");
            (self.add(Counted::AckForwarded(asked)), self.count(&Counted::Request(asked)), "ACKs came")
        } else if self.requests.contains_key(&(top.branch, "INVITE")) {
            let sent = self.add(Counted::AckOfRejection(top.branch));
            (sent, self.count(&Counted::Rejection(top.branch)), "final responses came")
        } else {
            let (call_id, sequence, to_tag) = (packet.call_id, packet.sequence, packet.to_tag);
            let sent = self.add(Counted::AckOfSuccess(call_id, sequence, to_tag));
            (sent, self.count(&Counted::Success(call_id, sequence, to_tag)), "2xx came")
        };
        if sent > allowed { Err(format!("it is the {sent}. one, and {allowed} {of}")) } else { Ok(()) }
    }

    fn request(
        &mut self,
        time: Instant,
        packet: &Packet<'a>,
        bytes: &'a [u8],
        destination: SocketAddr,
    ) -> Result<(), String> {
        let branch = packet.top().branch;
        let invite = packet.method == "INVITE";
        let message = (bytes, destination);
        if *self.requests.entry((branch, packet.method)).or_insert(message) != message {
            return Err("the branch was used for another message or destination".into());
        }
        if let Some(&below) = packet.vias.get(1)
            && *self.forwarded.entry(((below, packet.method), destination)).or_insert(branch) != branch
        {
            return Err("a copy was forwarded as if it were a new request".into());
        }
        let came = packet.vias.get(1).map_or(0, |below| self.count(&Counted::Request((*below, packet.method))));
        let copies = self.sent.entry(bytes).or_insert(Copies { first: time, number: 0, asked: 0 });
        copies.number += 1;
        if packet.method == "CANCEL" && copies.number <= came {
            return Ok(());
        }
        if copies.number > 1 && self.ended.contains(&Ended::Request(branch, packet.method)) {
            return Err(format!("resent after a {}response", if invite { "" } else { "final " }));
        }
        let step = self.steps[usize::from(!invite)].get(copies.number - 1);
        match step.map(|step| copies.first + *step) {
            None => Err(format!("it is copy {}", copies.number)),
            Some(due) if time < due => Err(format!("copy {} is allowed from {due} on", copies.number)),
            Some(_) => Ok(()),
        }
    }

    fn response(&mut self, time: Instant, packet: &Packet<'a>, bytes: &'a [u8], status: u16) -> Result<(), String> {
        let asked: Asked<'a> = (packet.top(), packet.method);
        let requests = self.count(&Counted::Request(asked));
        if requests == 0 || packet.method == "ACK" {
            return Err("it answers nothing that came".into());
        }
        let invite = packet.method == "INVITE";
        let success = (200..300).contains(&status);
        if status >= 200 && !(invite && success) && *self.rejected.entry(asked).or_insert(bytes) != bytes {
            return Err("another final response was sent before".into());
        }
        let downstream = self.count(&Counted::Downstream(asked, status, packet.to_tag));
        let copies = self.sent.entry(bytes).or_insert(Copies { first: time, number: 0, asked: requests });
        copies.number += 1;
        let since = time.since(copies.first);
        let steps = self.steps[1].iter().filter(|step| **step <= since).count();
        let (number, again) = (copies.number, requests - copies.asked);
        let dialog = (packet.call_id, packet.sequence, packet.to_tag);
        let allowed = if invite && success {
            if downstream > 0 {
                let sent = self.add(Counted::SuccessForwarded(asked, status, packet.to_tag));
                return if sent > downstream { Err(format!("forwarded {sent} of {downstream}")) } else { Ok(()) };
            }
            if number > 1 && self.ended.contains(&Ended::Success(dialog.0, dialog.1, dialog.2)) {
                return Err("resent after the ACK".into());
            }
            steps
        } else if invite && status >= 300 {
            if number > 1 && self.ended.contains(&Ended::Rejection(asked.0)) {
                return Err("resent after the ACK".into());
            }
            steps + again
        } else {
            let minutes = if invite { (since.as_secs() / 60) as usize } else { 0 };
            downstream.max(1) + again + minutes
        };
        if number > allowed { Err(format!("it is copy {number}, and {allowed} are allowed by now")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
