//! Responses: to what they are sent, and what they have in common with it.

use super::{Fault, Names, Part, Report, Rule, Seen};
use crate::packet::{Packet, alike, uri_of};

/// A response answers a request that came, and says so.
///
/// * No response to a response, to an ACK, or to what never came (RFC 3261 §17, §17.1.1.3: "MUST NOT"). A node without transactions may pass on
///   one that came, or before a farm give it as it came to the server that has written its topmost Via.
/// * From, Call-ID and CSeq are those of the request; so is To, but for the tag that every response except 100 has
///   (§8.2.6.2).
/// * A server that answers by itself uses one To tag for a request (§8.2.6.2), until its transaction is over.
/// * Nobody answers 408 to anything but INVITE, nor 1xx other than 100 (RFC 4320 §4.1, §4.2).
pub const RESPONSES: Rule =
    Rule::new("responses", "RFC 3261 §8.2.6, §17.1.1.3, §17.2; RFC 4320 §4").of_parts(check_part);

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    let mut tags: Vec<(usize, &str, &str)> = Vec::new();
    for (seen, response, _) in part.sent() {
        let Some(status) = response.status() else { continue };
        let mut breach = |fault: Fault| report.fault(part, seen, response, &fault);
        if response.method == "ACK" {
            breach(Fault::seen("it answers an ACK"));
            continue;
        }
        let Some(request) = asked(part, seen, response) else {
            if !is_passed_on(part, seen, response) {
                breach(Fault::missing("it answers nothing that came"));
            }
            continue;
        };
        if let Some(fault) = mismatch(response, request) {
            breach(fault);
        }
        if status > 100 && response.to_tag.is_empty() {
            breach(Fault::seen("it has no To tag"));
        }
        if response.method != "INVITE" && (status == 408 || (101..200).contains(&status)) {
            breach(Fault::seen("only an INVITE is answered so"));
        }
        if status > 100 && request.to_tag.is_empty() && !is_forwarded(part, seen, response) {
            match tags.iter_mut().find(|(hop, method, _)| (*hop, *method) == (seen.hop, response.method)) {
                Some((_, _, tag)) if *tag != response.to_tag => {
                    if !is_of_straggler(part, seen, response, tag) {
                        // A proxy may pass on what several branches have said, of which the other side was not seen.
                        breach(Fault::missing("another To tag was in one before"));
                    }
                    *tag = response.to_tag;
                }
                Some(_) => {}
                None => tags.push((seen.hop, response.method, response.to_tag)),
            }
        }
    }
}

/// Whether a copy of the request came when the transaction answered with `tag` was over: it is a new request.
fn is_of_straggler(part: &Part<'_>, seen: &Seen<'_>, response: &Packet<'_>, tag: &str) -> bool {
    let Some(over) = part.served_until(seen.hop, response.method, tag) else { return false };
    part.copies(seen.hop, response.method, seen.index).any(|(came, ..)| came.time >= over)
}

/// The request that came before from the same hop; of several that differ, the one that fits.
fn asked<'a>(part: &Part<'a>, seen: &Seen<'a>, response: &'a Packet<'a>) -> Option<&'a Packet<'a>> {
    let mut copies = part.copies(seen.hop, response.method, seen.index).map(|(_, request, _)| request);
    let first = copies.next()?;
    if mismatch(response, first).is_none() {
        return Some(first);
    }
    copies.find(|request| mismatch(response, request).is_none()).or(Some(first))
}

/// Whether a node without transactions passes on a response to a request that it may have forwarded in another life, or gives one as it came to
/// the one who has written its topmost Via.
fn is_passed_on(part: &Part<'_>, seen: &Seen<'_>, response: &Packet<'_>) -> bool {
    let is_as_it_came = part.before(seen.index).received().any(|(_, came, _)| came.text == response.text);
    part.is_stateless && (is_as_it_came || is_forwarded(part, seen, response))
}

/// Whether the same response came from downstream.
fn is_forwarded(part: &Part<'_>, response: &Seen<'_>, packet: &Packet<'_>) -> bool {
    let mut above = part.branches(response.hop).received();
    above.any(|(_, above, _)| (above.start, above.to_tag) == (packet.start, packet.to_tag))
}

fn mismatch(response: &Packet<'_>, request: &Packet<'_>) -> Option<Fault> {
    // A field that is only written otherwise is the same to whoever reads it (§7.3.1).
    let written = |same: bool, why| Some(if same { Fault::remark(why) } else { Fault::seen(why) });
    if response.from != request.from {
        return written(alike(response.from, request.from), "its From is not the request's");
    }
    if response.sequence != request.sequence {
        return Some(Fault::seen("its CSeq is not the request's"));
    }
    let (differs, is_alike) = if request.to_tag.is_empty() {
        let bare = response.to.rsplit_once(";tag").map_or(response.to, |(bare, _)| bare);
        (!response.to.starts_with(request.to), alike(bare, request.to) || alike(uri_of(bare), uri_of(request.to)))
    } else {
        (response.to != request.to, alike(response.to, request.to))
    };
    if differs { written(is_alike, "its To is not the request's") } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, message, request, response};
    use super::*;

    fn shows(story: Story, why: &str) {
        story.shows(RESPONSES, why);
    }

    #[test]
    fn a_node_without_transactions_may_pass_on_a_response_as_it_came_or_without_its_via() {
        const NOTHING: &str = "it answers nothing that came";
        let came = response(180, "INVITE", &["s", "1"]);
        shows(Story::stateless().receives(0, &came).sends(0, &came), "");
        shows(Story::new().receives(0, &came).sends(0, &came), NOTHING);
        shows(Story::stateless().receives(0, &came).sends(0, &came.replace("Reason", "Changed")), NOTHING);
        let below = response(180, "INVITE", &["1"]);
        shows(Story::stateless().receives(0, &came).sends(0, &below), "");
        shows(Story::new().receives(0, &came).sends(0, &below), NOTHING);
    }

    #[test]
    fn what_came_is_answered_and_nothing_else() {
        let (invite, ringing) = (request("INVITE", &["1"]), response(180, "INVITE", &["1"]));
        shows(Story::new().receives(0, &invite).sends(9, &ringing), "");
        shows(Story::new().sends(9, &ringing), "it answers nothing that came");
        shows(
            Story::new().receives(0, &invite).sends(9, &response(200, "BYE", &["1"])),
            "it answers nothing that came",
        );
        let ack = in_dialog("ACK", &["1"]);
        shows(Story::new().receives(0, &ack).sends(9, &response(200, "ACK", &["1"])), "it answers an ACK");
    }

    #[test]
    fn a_response_looks_like_its_request() {
        let story = || Story::new().receives(0, &request("INVITE", &["1"]));
        let ringing = response(180, "INVITE", &["1"]);
        shows(story().sends(9, &ringing.replace(";tag=a", ";tag=x")), "its From is not the request's");
        shows(story().sends(9, &ringing.replace("CSeq: 1", "CSeq: 2")), "its CSeq is not the request's");
        shows(story().sends(9, &ringing.replace("sip:b@b", "sip:c@c")), "its To is not the request's");
        shows(story().sends(9, &ringing.replace(";tag=b", "")), "it has no To tag");
        shows(story().sends(9, &message("SIP/2.0 100 Trying", &["1"], "", "INVITE")), "");
    }

    #[test]
    fn one_tag_until_the_transaction_is_over() {
        let invite = request("INVITE", &["1"]);
        let other = response(200, "INVITE", &["1"]).replace("tag=b", "tag=x");
        let story = || Story::new().receives(0, &invite).sends(9, &response(200, "INVITE", &["1"]));
        shows(story().sends(99, &other), "another To tag was in one before");
        shows(story().receives(32_008, &invite).sends(32_008, &other), "another To tag was in one before");
        shows(story().receives(32_009, &invite).sends(32_009, &other), "");
    }

    #[test]
    fn only_an_invite_is_timed_out_or_rings() {
        let bye = || Story::new().receives(0, &in_dialog("BYE", &["1"]));
        shows(bye().sends(9, &response(408, "BYE", &["1"])), "only an INVITE is answered so");
        shows(bye().sends(9, &response(180, "BYE", &["1"])), "only an INVITE is answered so");
        shows(bye().sends(9, &response(481, "BYE", &["1"])), "");
    }
}
