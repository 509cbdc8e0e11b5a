//! Traffic: nobody is an amplifier.

use std::net::SocketAddr;

use sansip::Instant;

use super::{Reading, Report, Rule};
use crate::trace::{NodeId, What};

/// A node sends a bounded number of packets for each that comes (RFC 3261 §26.1.5, RFC 5393 §1): nobody can make it flood another.
///
/// * What comes of one packet at once is at most four packets to one destination.
/// * What a node sends to one destination in the whole run is at most 24 for each packet that came, from
///   anywhere, and for each request that the node began by itself.
///
/// Other destinations are counted by themselves: a request that goes to several targets is bounded by Max-Breadth (RFC 5393 §5).
pub const TRAFFIC: Rule = Rule::new("traffic", "RFC 3261 §26.1.5; RFC 5393 §1, §5").of_runs(check_run);

/// A proxy that hears a CANCEL sends 200 to it and 487 to the INVITE; an end whose cancelled INVITE is answered sends ACK and BYE.
/// With timers that are due at the same moment there may be as many again.
const AT_ONCE: usize = 4;
/// An INVITE brings out at most a 100, a 180, eleven copies of a 2xx, and eleven of the BYE that ends the call if no ACK comes.
const IN_ALL: usize = 24;

fn check_run(run: &Reading<'_>, report: &mut Report<'_>) {
    at_once(run, report);
    in_all(run, report);
}

fn at_once(run: &Reading<'_>, report: &mut Report<'_>) {
    let mut sent: Vec<(SocketAddr, usize)> = Vec::new();
    let mut cause: Option<(NodeId, Instant)> = None;
    for entry in run.trace().entries() {
        match &entry.what {
            What::Arrived { node, .. } => {
                cause = Some((*node, entry.time));
                sent.clear();
            }
            What::Sent(transmission) if cause == Some((transmission.from, entry.time)) => {
                let destination = transmission.destination;
                let place = match sent.iter().position(|(to, _)| *to == destination) {
                    Some(place) => place,
                    None => {
                        sent.push((destination, 0));
                        sent.len() - 1
                    }
                };
                sent[place].1 += 1;
                if sent[place].1 == AT_ONCE + 1 {
                    let name = run.trace().name(transmission.from);
                    let what = format!("{name} sent more than {} packets to {destination} for one", AT_ONCE);
                    report.breach(transmission.from, entry.time, what);
                }
            }
            What::Sent(_) => cause = None,
            _ => {}
        }
    }
}

fn in_all(run: &Reading<'_>, report: &mut Report<'_>) {
    // By node.
    let mut causes: Vec<usize> = Vec::new();
    let mut sent: Vec<(NodeId, SocketAddr)> = Vec::new();
    for part in run.parts() {
        let mut begun: Vec<usize> = Vec::new();
        for (seen, packet, carried) in part.sent() {
            sent.push((part.node, carried.destination));
            if packet.is_request() && seen.below.is_none() && !begun.contains(&seen.hop) {
                begun.push(seen.hop);
            }
        }
        let NodeId(node) = part.node;
        causes.resize(causes.len().max(node + 1), 0);
        causes[node] += part.received().count() + begun.len();
    }
    sent.sort_unstable();
    for packets in sent.chunk_by(|one, other| one == other) {
        let ((node, destination), number, causes) = (packets[0], packets.len(), causes[packets[0].0.0]);
        if number > causes * IN_ALL {
            let name = run.trace().name(node);
            let what = format!("{name} sent {number} packets to {destination} for {causes} causes");
            report.breach(node, run.now(), what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, request, response};
    use super::*;

    #[test]
    fn one_packet_brings_out_few_at_once() {
        let story = || Story::new().receives(0, &request("INVITE", &["1"]));
        let ringing = response(180, "INVITE", &["1"]);
        story().sends_at(&[0; 4], &ringing).shows(TRAFFIC, "");
        let five = story().sends_at(&[0; 5], &ringing);
        five.shows(TRAFFIC, "sent more than 4 packets to 192.0.2.1:5060 for one");
        story().sends_at(&[0, 0, 0, 0, 1], &ringing).shows(TRAFFIC, "");
    }

    #[test]
    fn all_that_is_sent_is_bounded_by_what_came_and_what_was_begun() {
        let times: Vec<u64> = (1..=25).collect();
        let ringing = response(180, "INVITE", &["1"]);
        let story = || Story::new().receives(0, &request("INVITE", &["1"]));
        story().sends_at(&times[..24], &ringing).shows(TRAFFIC, "");
        story().sends_at(&times, &ringing).shows(TRAFFIC, "sent 25 packets to 192.0.2.1:5060 for 1 causes");
        let own = Story::new().sends_at(&times, &in_dialog("BYE", &["1"]));
        own.shows(TRAFFIC, "sent 25 packets to 192.0.2.1:5060 for 1 causes");
    }
}
