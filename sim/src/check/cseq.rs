//! CSeq: numbers that rise by one, and what has the number of what.

use super::{Carried, Fault, Names, Part, Report, Rule, Seen};
use crate::packet::{Packet, Start};

/// CSeq orders the requests of a dialog and tells an ACK what it acknowledges.
///
/// * The method is the request's, the number below 2^31 (RFC 3261 §8.1.1.5).
/// * ACK and CANCEL have the number of their INVITE (§9.1, §13.2.2.4, §17.1.1.3).
/// * Each other request of a side has one more than the one before: in a dialog (§12.2.1.1), and out of it under one Call-ID, as
///   a registration is refreshed (§10.2.4) or a request repeated with credentials (§8.1.3.5, §22.2). Only the same request
///   to another address has the same number (RFC 3263 §4.3). A BYE may leave one out: that of a request that never went out.
/// * A request in a dialog with a lower number than one that was accepted gets no 2xx (§12.2.2).
pub const CSEQ: Rule =
    Rule::new("cseq", "RFC 3261 §8.1.1.5, §9.1, §12.2.1.1, §12.2.2, §13.2.2.4, §17.1.1.3, §22.2; RFC 3263 §4.3")
        .of_parts(check_part);

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    for (seen, packet, carried) in part.sent() {
        let verdict = match packet.start {
            Start::Request { method, .. } if method != packet.method => Err(Fault::seen("the method is another")),
            Start::Request { .. } if packet.sequence >= 1 << 31 => Err(Fault::seen("the number is too high")),
            Start::Request { .. } if seen.below.is_none() => judge_own(part, seen, packet, carried),
            Start::Request { .. } => Ok(()),
            Start::Response { .. } => judge_acceptance(part, seen, packet),
        };
        if let Err(Fault { evidence, why }) = verdict {
            let what = format!("{} sent {} with CSeq {}: {why}", part.name, packet.what(), packet.sequence);
            report.by(evidence).breach(part.node, seen.time, what);
        }
    }
}

/// A request of the node's own.
fn judge_own(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>, to: Carried) -> Result<(), Fault> {
    let number = packet.sequence;
    let is = |right: u32| if number == right { Ok(()) } else { Err(format!("that of its INVITE is {right}")) };
    let seen_is = |right: u32| is(right).map_err(Fault::seen);
    if matches!(packet.method, "ACK" | "CANCEL") {
        if let Some((_, invite, _)) = part.of(seen.hop).requests_sent("INVITE").next() {
            return seen_is(invite.sequence);
        }
        // For a 2xx: a number of an INVITE of this side, the last before that 2xx.
        let answered = part.received().find(|(_, response, _)| {
            response.answers(2, "INVITE") && (response.to_tag, response.from_tag) == (packet.to_tag, packet.from_tag)
        });
        return match answered {
            Some((_, response, _)) if !part.sent().any(|(_, it, _)| it.is("INVITE") && it.sequence == number) => {
                is(response.sequence).map_err(Fault::missing)
            }
            _ => Ok(()),
        };
    }
    let Some((last, last_packet, last_to)) = last_before(part, seen, packet) else { return Ok(()) };
    if last.hop == seen.hop {
        return Ok(());
    }
    let elsewhere = last_to.destination != to.destination || last_to.source != to.source;
    if number == last_packet.sequence && last_packet.method == packet.method && elsewhere {
        return Ok(());
    }
    // A BYE takes back a request whose way was still looked up, which has a number already; and a BYE whose way was still looked up is taken
    // back when that of the peer comes, which does not end a subscription in the dialog.
    let takes_back = packet.method == "BYE" && last_packet.method != "BYE";
    let mut byes = part.before(seen.index).requests_received("BYE");
    let after_bye = matches!(packet.method, "NOTIFY" | "SUBSCRIBE")
        && byes.any(|(_, bye, _)| (bye.from_tag, bye.to_tag) == (packet.to_tag, packet.from_tag));
    if (takes_back || after_bye) && number == last_packet.sequence + 2 {
        return Ok(());
    }
    // A NOTIFY whose way was still looked up has its number already, and a BYE may overtake it.
    let is_it = |sent: &Packet<'_>| sent.is_request() && sent.to_tag == packet.to_tag && sent.sequence == number;
    let sent_before = part.before(seen.index).sent().any(|(_, sent, _)| is_it(sent));
    if packet.method == "NOTIFY" && last_packet.method == "BYE" && number + 1 == last_packet.sequence && !sent_before {
        return Ok(());
    }
    if number == last_packet.sequence + 1 {
        return Ok(());
    }
    // The one between may not have been seen, and what overtakes another is seen before it. But no number is for two requests.
    let is_for_both = |other: &Seen<'_>, request: &Packet<'_>| {
        let is_own = request.is_request() && !matches!(request.method, "ACK" | "CANCEL") && other.below.is_none();
        let is_of_dialog = request.to_tag == packet.to_tag || request.to_tag.is_empty();
        is_own && is_of_dialog && request.from_tag == packet.from_tag && request.sequence == number
    };
    let mut before = part.before(seen.index).sent();
    let is_used = before.any(|(other, request, _)| is_for_both(other, request) && request.method != packet.method);
    let why = format!("the last one was {}", last_packet.sequence);
    Err(if is_used { Fault::seen(why) } else { Fault::missing(why) })
}

/// The request of this side before this one, or the one that this is a copy of.
fn last_before<'p, 'a>(
    part: &'p Part<'a>,
    seen: &Seen<'a>,
    packet: &Packet<'a>,
) -> Option<(&'p Seen<'a>, &'a Packet<'a>, Carried)> {
    let mut last = None;
    for (other, request, transmission) in part.before(seen.index).sent() {
        let counts = request.is_request() && !matches!(request.method, "ACK" | "CANCEL") && other.below.is_none();
        let ours = request.from_tag == packet.from_tag || packet.to_tag.is_empty();
        if !counts || !ours || !(request.to_tag == packet.to_tag || request.to_tag.is_empty()) {
            continue;
        }
        if other.hop == seen.hop {
            return Some((other, request, transmission));
        }
        // A copy of an older one says nothing.
        if last.is_none_or(|(_, newest, _): (_, &Packet<'_>, _)| newest.sequence <= request.sequence) {
            last = Some((other, request, transmission));
        }
    }
    last
}

/// A 2xx of the node's own to a request in a dialog.
fn judge_acceptance(part: &Part<'_>, seen: &Seen<'_>, response: &Packet<'_>) -> Result<(), Fault> {
    let accepts = |packet: &Packet<'_>| packet.status().is_some_and(|status| status / 100 == 2);
    if !accepts(response) || response.method == "CANCEL" || part.forwards(seen.hop, response.method) {
        return Ok(());
    }
    let copies = part.copies(seen.hop, response.method, seen.index).map(|(_, request, _)| request);
    let Some(request) = copies.filter(|request| !request.to_tag.is_empty()).max_by_key(|request| request.sequence)
    else {
        return Ok(());
    };
    let came = part.copies(seen.hop, response.method, seen.index).next().map_or(seen.index, |(first, ..)| first.index);
    for (other, earlier, _) in part.before(seen.index).sent() {
        let same = (earlier.from_tag, earlier.to_tag) == (request.from_tag, request.to_tag);
        if !same || !accepts(earlier) || earlier.method == "CANCEL" {
            continue;
        }
        // A copy of what was right when it was sent first.
        if other.hop == seen.hop && earlier.method == response.method {
            return Ok(());
        }
        // A request that waits for its user's answer is overtaken by later ones that need none.
        if other.hop != seen.hop && other.index < came && earlier.sequence > request.sequence {
            return Err(Fault::missing(format!("{} was accepted before", earlier.sequence)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, numbered, request, response};
    use super::*;

    #[test]
    fn numbers_rise_by_one() {
        let call = || Story::new().sends(0, &request("INVITE", &["1"]));
        call().sends(9, &numbered(2, &in_dialog("BYE", &["2"]))).shows(CSEQ, "");
        call().sends(9, &numbered(4, &in_dialog("BYE", &["2"]))).shows(CSEQ, "the last one was 1");
        call().sends(9, &in_dialog("BYE", &["2"])).shows(CSEQ, "the last one was 1");
        call().sends(9, &numbered(1 << 31, &in_dialog("BYE", &["2"]))).shows(CSEQ, "the number is too high");
        let theirs =
            in_dialog("BYE", &["t"]).replace("tag=a", "tag=x").replace("tag=b", "tag=a").replace("tag=x", "tag=b");
        let notify = |number| numbered(number, &in_dialog("NOTIFY", &["2"]));
        call().receives(5, &theirs).sends(9, &notify(3)).shows(CSEQ, "");
        call().receives(5, &theirs).sends(9, &notify(4)).shows(CSEQ, "the last one was 1");
        call().sends(9, &notify(3)).shows(CSEQ, "the last one was 1");
        let bye = numbered(3, &in_dialog("BYE", &["b"]));
        call().sends(5, &bye).sends(9, &notify(2)).shows(CSEQ, "");
        let twice = call().sends(3, &numbered(2, &in_dialog("INFO", &["i"]))).sends(5, &bye);
        twice.sends(9, &notify(2)).shows(CSEQ, "the last one was 3");
        let strange = in_dialog("BYE", &["2"]).replace("1 BYE", "2 INFO");
        call().sends(9, &strange).shows(CSEQ, "the method is another");
    }

    #[test]
    fn ack_and_cancel_have_the_number_of_their_invite() {
        let call = || Story::new().sends(0, &numbered(7, &request("INVITE", &["1"])));
        for method in ["ACK", "CANCEL"] {
            call().sends(9, &numbered(7, &request(method, &["1"]))).shows(CSEQ, "");
            call().sends(9, &numbered(8, &request(method, &["1"]))).shows(CSEQ, "that of its INVITE is 7");
        }
        let answered = || call().receives(5, &numbered(7, &response(200, "INVITE", &["1"])));
        answered().sends(5, &numbered(7, &in_dialog("ACK", &["2"]))).shows(CSEQ, "");
        answered().sends(5, &numbered(8, &in_dialog("ACK", &["2"]))).shows(CSEQ, "that of its INVITE is 7");
    }

    #[test]
    fn a_stale_request_is_not_accepted() {
        let asked = |number, via| numbered(number, &in_dialog("INFO", &[via]));
        let accepted = |number, via| numbered(number, &response(200, "INFO", &[via]));
        let story = || Story::new().receives(0, &asked(5, "1")).sends(0, &accepted(5, "1"));
        story().receives(9, &asked(4, "2")).sends(9, &accepted(4, "2")).shows(CSEQ, "5 was accepted before");
        story().receives(9, &asked(6, "2")).sends(9, &accepted(6, "2")).shows(CSEQ, "");
        let later = || story().receives(9, &asked(6, "2")).sends(9, &accepted(6, "2"));
        later().receives(10, &asked(5, "1")).sends(10, &accepted(5, "1")).shows(CSEQ, "");
        let waits = || story().receives(9, &asked(6, "2")).receives(10, &asked(7, "3")).sends(10, &accepted(7, "3"));
        waits().sends(20, &accepted(6, "2")).shows(CSEQ, "");
        let refused = numbered(4, &response(500, "INFO", &["2"]));
        story().receives(9, &asked(4, "2")).sends(9, &refused).shows(CSEQ, "");
    }
}
