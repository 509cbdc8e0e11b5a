//! Offer and answer: one offer at a time, one answer to each, and one session at both ends.

use std::collections::BTreeSet;

use sansip::Instant;

use super::negotiation::{Agreed, Negotiation};
use super::{Names, Part, Reading, Report, Rule, Sight};
use crate::actor::Session;

/// Sessions are agreed upon by offers and answers (RFC 3264, RFC 6337), judged by the messages of each end of a dialog alone.
///
/// * No end makes an offer while one that it has made or received waits for its answer (RFC 3264 §4), and none accepts an offer of the
///   other while its own waits (RFC 3261 §14.2, RFC 3311 §5.2).
/// * Each offer is answered where it must be: that of an INVITE in the first reliable response, that of a 2xx in the ACK, that of an
///   UPDATE in its 2xx (RFC 3261 §13.2.1, RFC 3262 §5, RFC 3311 §5.2); nothing else has a description.
/// * The session that an end believes in at the end of the call is that of the last offer that was answered: a change that is
///   refused leaves it as it was (RFC 3261 §14.1).
/// * Where both ends saw the last offer answered, they have the same two descriptions.
pub const OFFER_ANSWER: Rule =
    Rule::new("offer-answer", "RFC 3264 §4, §8; RFC 3261 §13.2.1, §14; RFC 3262 §5; RFC 3311 §5; RFC 6337 §2")
        .of_runs(check_run)
        .of_parts(check_part);

fn check_run(run: &Reading<'_>, report: &mut Report<'_>) {
    let ends: Vec<_> = run.parts().iter().filter(|part| is_end(part)).collect();
    for (place, part) in ends.iter().enumerate() {
        for other in ends[..place].iter().filter(|other| other.call_id == part.call_id && other.node != part.node) {
            for (local, remote) in dialogs(part) {
                let [own, theirs] = [(part, local, remote), (other, remote, local)]
                    .map(|(part, local, remote)| Negotiation::of(part, local, remote).last_agreed());
                if let (Some(own), Some(theirs)) = (own, theirs)
                    && !is_agreed(&own, &theirs)
                {
                    let what = format!("{} and {} have different sessions by the same offer", part.name, other.name);
                    report.breach(part.node, part.until, what);
                }
            }
        }
    }
}

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    // Some of what a proxy forwards cannot be told from words of its own.
    if is_proxy(part) {
        return;
    }
    let dialogs = dialogs(part);
    for (local, remote) in &dialogs {
        let negotiation = Negotiation::of(part, local, remote);
        for (time, what) in &negotiation.wrong {
            report.breach(part.node, *time, format!("{}: {what}", part.name));
        }
    }
    if let Some((time, claimed)) = claimed(part)
        && let Some((local, remote)) = confirmed(part)
        && dialogs.contains(&(local, remote))
        && !Negotiation::of(part, local, remote).has(claimed, time)
    {
        report.breach(part.node, time, format!("{} believes in a session that was not agreed upon", part.name));
    }
}

/// Whether both say the same where they speak of the same offer.
fn is_agreed(own: &Agreed<'_>, theirs: &Agreed<'_>) -> bool {
    own.offer != theirs.offer || own.ours == theirs.ours || (own.local, own.remote) == (theirs.remote, theirs.local)
}

/// Whether the node is one of those who have the call, or have it not.
fn is_end(part: &Part<'_>) -> bool {
    part.seen.iter().any(|seen| matches!(seen.what, Sight::Began | Sight::Ended(_)))
}

/// Whether the node has forwarded an INVITE.
fn is_proxy(part: &Part<'_>) -> bool {
    part.sent().any(|(seen, packet, _)| seen.below.is_some() && packet.is("INVITE"))
}

/// The dialogs that this node is an end of: its tag, and the other's. A proxy is an end of none.
fn dialogs<'a>(part: &Part<'a>) -> BTreeSet<(&'a str, &'a str)> {
    let mut all = BTreeSet::new();
    for (seen, packet, _) in part.messages() {
        let sent = seen.is_sent();
        // A response to an INVITE makes it, or the request of it that has been served says so.
        if packet.method != "INVITE" || packet.to_tag.is_empty() || packet.status().is_none_or(|status| status >= 300) {
            continue;
        }
        if !sent && packet.vias.len() == 1 {
            all.insert((packet.from_tag, packet.to_tag));
        }
        if sent && !part.forwards(seen.hop, "INVITE") {
            all.insert((packet.to_tag, packet.from_tag));
        }
    }
    // Both ends send INVITEs in a dialog: it is one dialog all the same.
    all
}

/// The dialog of the first 2xx to an INVITE.
fn confirmed<'a>(part: &Part<'a>) -> Option<(&'a str, &'a str)> {
    let (seen, packet, _) = part.messages().find(|(_, packet, _)| packet.answers(2, "INVITE"))?;
    Some(if seen.is_sent() { (packet.to_tag, packet.from_tag) } else { (packet.from_tag, packet.to_tag) })
}

/// When the call was over that the node had first, and the session that it believed in by then, if it says so.
fn claimed<'a>(part: &Part<'a>) -> Option<(Instant, &'a Session)> {
    let mut began = part.seen.iter().skip_while(|seen| !matches!(seen.what, Sight::Began));
    began.find_map(|seen| match seen.what {
        Sight::Ended(session) => Some(session.map(|session| (seen.time, session))),
        _ => None,
    })?
}

#[cfg(test)]
mod tests {
    use crate::run::{Case, run};

    /// Alice has answered the offer of the 2xx and hangs up while the way of her ACK is still looked up.
    #[test]
    fn a_session_is_agreed_upon_though_the_ack_with_the_answer_is_still_to_be_sent() {
        let line = "sansip-sim call --topology one-proxy --record-route --hang-up alice:80ms --late-offer 60ms \
            --reply answer:6s --plan 'alice@6761ms..12977ms:dns(+8ms)' --seed 1";
        let case: Case = line.parse().expect("a case");
        assert_eq!(run(&case).verdict, Default::default());
    }
}
