//! After the BYE: a dialog that is over stays over.

use super::{Check, Names, Part, Report, Seen};
use crate::packet::Packet;

/// Once a BYE was answered, no side begins another transaction in its dialog: copies of what was sent before, and ACKs, aside
/// (RFC 3261 §15.1.1, §15.1.2, §12.3).
#[derive(Clone, Copy, Debug)]
pub struct AfterBye;

impl Check for AfterBye {
    fn name(&self) -> &'static str {
        "after-bye"
    }

    fn source(&self) -> &'static str {
        "RFC 3261 §12.3, §15.1"
    }

    fn check_part(&self, part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
        for (seen, packet, _) in part.sent() {
            let own = packet.is_request() && seen.below.is_none() && !packet.to_tag.is_empty();
            if own && packet.method != "ACK" && is_new(part, seen, packet) && is_over(part, seen, packet) {
                let what = format!(
                    "{} sent {} ({}) in a dialog that a BYE has ended",
                    part.name,
                    packet.what(),
                    packet.top().branch
                );
                report.breach(part.node, seen.time, what);
            }
        }
    }
}

/// Whether the node sent nothing of this number in the dialog before; another attempt at another address is no new request.
fn is_new(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> bool {
    !part.sent().take_while(|(other, ..)| other.index < seen.index).any(|(other, request, _)| {
        other.hop == seen.hop
            || (request.is(packet.method) && (request.to_tag, request.sequence) == (packet.to_tag, packet.sequence))
    })
}

/// Whether this node had answered a BYE of the dialog, or a BYE of its own had been answered.
fn is_over(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> bool {
    let ends = |response: &Packet<'_>, local: &str, remote: &str| {
        let accepted = response.answers(2, "BYE");
        accepted && (response.from_tag, response.to_tag) == (local, remote)
    };
    let (local, remote) = (packet.from_tag, packet.to_tag);
    part.sent().any(|(other, response, _)| other.index < seen.index && ends(response, remote, local))
        || part.received().any(|(other, response, _)| other.index < seen.index && ends(response, local, remote))
}
