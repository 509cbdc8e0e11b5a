//! After the BYE: a dialog that is over stays over.

use super::{Names, Part, Report, Rule, Seen};
use crate::packet::Packet;

/// Once a BYE was answered, no side begins another transaction in its dialog: copies of what was sent before, and ACKs, aside
/// (RFC 3261 §15.1.1, §15.1.2, §12.3). A subscription that a REFER or SUBSCRIBE has begun in the dialog goes on there (RFC 5057 §4.2,
/// RFC 5359 §2.4).
pub const AFTER_BYE: Rule = Rule::new("after-bye", "RFC 3261 §12.3, §15.1").of_parts(check_part);

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    for (seen, packet, _) in part.sent() {
        let own = packet.is_request() && seen.below.is_none() && !packet.to_tag.is_empty();
        let is_free = packet.method == "ACK" || is_of_subscription(part, packet);
        if own && !is_free && is_new(part, seen, packet) && is_over(part, seen, packet) {
            let (what, branch) = (packet.what(), packet.top().branch);
            let what = format!("{} sent {what} ({branch}) in a dialog that a BYE has ended", part.name);
            report.breach(part.node, seen.time, what);
        }
    }
}

/// Whether the request is of a subscription that was begun in the dialog.
fn is_of_subscription(part: &Part<'_>, packet: &Packet<'_>) -> bool {
    let ours = (packet.from_tag, packet.to_tag);
    let begins = |request: &Packet<'_>| {
        let tags = (request.from_tag, request.to_tag);
        matches!(request.method, "REFER" | "SUBSCRIBE") && (tags == ours || (tags.1, tags.0) == ours)
    };
    let mut all = part.messages().map(|(_, other, _)| other);
    matches!(packet.method, "NOTIFY" | "SUBSCRIBE") && all.any(|other| other.is_request() && begins(other))
}

/// Whether the node sent nothing of this number in the dialog before; another attempt at another address is no new request.
fn is_new(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> bool {
    !part.before(seen.index).sent().any(|(other, request, _)| {
        other.hop == seen.hop
            || (request.is(packet.method) && (request.to_tag, request.sequence) == (packet.to_tag, packet.sequence))
    })
}

/// Whether this node had answered a BYE of the dialog, or a BYE of its own had been answered.
fn is_over(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> bool {
    let ends = |response: &Packet<'_>, local: &str, remote: &str| {
        response.answers(2, "BYE") && (response.from_tag, response.to_tag) == (local, remote)
    };
    let (local, remote, before) = (packet.from_tag, packet.to_tag, part.before(seen.index));
    before.sent().any(|(_, response, _)| ends(response, remote, local))
        || before.received().any(|(_, response, _)| ends(response, local, remote))
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, numbered, response};
    use super::*;

    #[test]
    fn a_dialog_is_over_when_its_bye_was_answered() {
        const OVER: &str = "in a dialog that a BYE has ended";
        let (bye, info) = (in_dialog("BYE", &["1"]), numbered(2, &in_dialog("INFO", &["2"])));
        let asked = || Story::new().sends(0, &bye);
        let answered = || asked().receives(9, &response(200, "BYE", &["1"]));
        answered().sends(10, &info).shows(AFTER_BYE, OVER);
        asked().sends(10, &info).shows(AFTER_BYE, "");
        asked().receives(9, &response(481, "BYE", &["1"])).sends(10, &info).shows(AFTER_BYE, "");
        answered().sends(10, &info.replace("tag=b", "tag=c")).shows(AFTER_BYE, "");
        answered().sends(10, &bye).shows(AFTER_BYE, "");
        answered().sends(10, &in_dialog("ACK", &["3"])).shows(AFTER_BYE, "");
        // A subscription of the dialog outlives its call, and nothing else does.
        let notify = numbered(3, &in_dialog("NOTIFY", &["4"]));
        answered().sends(10, &notify).shows(AFTER_BYE, OVER);
        let referring = || Story::new().sends(0, &in_dialog("REFER", &["5"])).sends(1, &numbered(2, &bye));
        let over = || referring().receives(9, &numbered(2, &response(200, "BYE", &["1"])));
        over().sends(10, &notify).shows(AFTER_BYE, "");
        over().sends(10, &numbered(3, &info)).shows(AFTER_BYE, OVER);
    }

    #[test]
    fn so_it_is_for_whoever_answered() {
        let theirs =
            |message: &str| message.replace("tag=a", "tag=x").replace("tag=b", "tag=a").replace("tag=x", "tag=b");
        let asked = Story::new().receives(0, &theirs(&in_dialog("BYE", &["1"])));
        let answered = asked.sends(0, &theirs(&response(200, "BYE", &["1"])));
        answered.sends(9, &in_dialog("INFO", &["2"])).shows(AFTER_BYE, "in a dialog that a BYE has ended");
    }
}
