//! Forks: what a proxy makes of several branches, as [`TRANSPARENCY`](super::TRANSPARENCY) judges it.

use super::{Part, Seen};
use crate::packet::Packet;

/// The most branches that a request may have at once if it does not say (RFC 5393 §5.3.3).
const BREADTH: u32 = 60;

/// A response that a proxy sends for a request that it has forwarded.
pub(super) fn judge_answer(part: &Part<'_>, seen: &Seen<'_>, sent: &Packet<'_>) -> Result<(), &'static str> {
    // A CANCEL is answered hop by hop, also where an earlier copy went on statelessly (§16.10).
    let Some(status) = sent.status().filter(|status| *status > 100 && sent.method != "CANCEL") else { return Ok(()) };
    if !part.forwards(seen.hop, sent.method) {
        return Ok(());
    }
    let came = || part.branches(seen.hop).before(seen.index).received().filter(|(_, it, _)| it.method == sent.method);
    let is_it = |packet: &Packet<'_>| (packet.status(), packet.to_tag) == (Some(status), sent.to_tag);
    let passed_on = came().any(|(_, packet, _)| is_it(packet));
    if !passed_on {
        return if status < 300 { Err("no branch has said that") } else { Ok(()) };
    }
    if matches!(status, 401 | 407) {
        judge_challenges(sent, came().map(|(_, packet, _)| packet))?;
    }
    if status >= 300 && sent.method == "INVITE" { judge_best(part, seen, status) } else { Ok(()) }
}

/// A challenge goes on with those of all branches (RFC 3261 §16.7 step 7).
fn judge_challenges<'a>(sent: &Packet<'_>, came: impl Iterator<Item = &'a Packet<'a>>) -> Result<(), &'static str> {
    let asked = came.filter(|packet| matches!(packet.status(), Some(401 | 407)));
    let mut challenges = asked.flat_map(|packet| &packet.fields).filter(|(name, _)| is_challenge(name));
    let has = |(name, value): &(&str, &str)| {
        sent.fields.iter().any(|(other, text)| other.eq_ignore_ascii_case(name) && text == value)
    };
    if challenges.all(has) { Ok(()) } else { Err("the challenge of a branch is missing") }
}

/// Whether a header of that name has a challenge.
pub(super) fn is_challenge(name: &str) -> bool {
    ["www-authenticate", "proxy-authenticate"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// A 6xx is preferred to all, and else the lowest class (RFC 3261 §16.7 step 6).
fn judge_best(part: &Part<'_>, seen: &Seen<'_>, status: u16) -> Result<(), &'static str> {
    let branches = part.branches(seen.hop).requests_sent("INVITE");
    let answers = branches.filter_map(|(branch, ..)| part.first_final(branch.hop));
    for (other, answer) in answers.filter(|(other, _)| other.index < seen.index) {
        // One that is followed is no answer any more, and one that finds nobody may be taken over by another way to the phone.
        let other_class = answer.status().filter(|it| !matches!(it, 408 | 430)).map_or(9, |it| it / 100);
        match (status / 100, other_class) {
            (6, _) | (_, 3 | 9) => {}
            (_, 6) => return Err("a branch has said 6xx"),
            (class, other_class) if other.hop != seen.hop && other_class > 3 && other_class < class => {
                return Err("a branch has said something of a lower class");
            }
            _ => {}
        }
    }
    Ok(())
}

/// A 3xx that goes on has none of the contacts that were tried when it came, and no others than it came with (RFC 3261 §16.7 step 4). Whether
/// any may have been tried.
pub(super) fn judge_redirection(
    part: &Part<'_>,
    (came_seen, came): (&Seen<'_>, &Packet<'_>),
    (seen, sent): (&Seen<'_>, &Packet<'_>),
) -> Result<bool, &'static str> {
    if sent.status().is_none_or(|status| status / 100 != 3) {
        return Ok(false);
    }
    let branches = part.branches(seen.hop);
    let earlier = branches.before(came_seen.index);
    let tried: Vec<&str> = earlier.requests_sent(sent.method).filter_map(|(_, packet, _)| packet.uri()).collect();
    // The contact of an earlier redirection is tried for that one, and stays in this.
    let named = |uri: &str| earlier.received().any(|(_, it, _)| it.answers(3, sent.method) && has_contact(it, uri));
    let later = branches.after(came_seen.index).before(seen.index).requests_sent(sent.method);
    let new: Vec<&str> = later.filter_map(|(_, packet, _)| packet.uri()).filter(|uri| !tried.contains(uri)).collect();
    if new.is_empty() {
        return Ok(false);
    }
    let mut came_with = came.uris("contact", "m").into_iter();
    for contact in sent.uris("contact", "m") {
        if !came_with.any(|other| other == contact) {
            return Err("a contact is not as it came");
        }
        if new.contains(&contact) && !named(contact) {
            return Err("a contact of it was tried");
        }
    }
    Ok(true)
}

fn has_contact(packet: &Packet<'_>, uri: &str) -> bool {
    packet.uris("contact", "m").contains(&uri)
}

/// The branches that are open at once share the Max-Breadth of the request (RFC 5393 §5.3.3.1).
pub(super) fn judge_breadth(part: &Part<'_>, seen: &Seen<'_>, sent: &Packet<'_>) -> Result<(), &'static str> {
    let (Some(below), Some(own)) = (seen.below, breadth(sent)) else { return Ok(()) };
    if matches!(sent.method, "ACK" | "CANCEL") {
        return Ok(());
    }
    let incoming = part.copies(below, sent.method, seen.index).filter_map(|(_, packet, _)| breadth(packet)).max();
    let is_over = |hop| is_over(part, hop, sent.method, seen);
    let (mut open, mut used) = (vec![seen.hop], own);
    for (other, packet, _) in part.branches(below).before(seen.index).requests_sent(sent.method) {
        if !open.contains(&other.hop) && !is_over(other.hop) {
            open.push(other.hop);
            used += breadth(packet).unwrap_or_default();
        }
    }
    if used <= incoming.unwrap_or(BREADTH) {
        Ok(())
    } else {
        Err("the branches have more Max-Breadth than it came with")
    }
}

/// Whether a branch has its final response, or none can come any more: nothing has answered for 64·T1 (timers B and F), or its CANCEL is that
/// old (RFC 3261 §9.1).
fn is_over(part: &Part<'_>, hop: usize, method: &str, seen: &Seen<'_>) -> bool {
    let branch = part.of(hop).before(seen.index);
    if branch.received().any(|(_, packet, _)| packet.is_final() && packet.method == method) {
        return true;
    }
    let rings = branch.received().any(|(_, packet, _)| packet.answers(1, "INVITE"));
    let from = if rings { branch.requests_sent("CANCEL").next() } else { branch.sent().next() };
    from.is_some_and(|(first, ..)| first.time + part.timers.sixty_four_t1() <= seen.time)
}

fn breadth(packet: &Packet<'_>) -> Option<u32> {
    packet.values("max-breadth", "max-breadth").next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::TRANSPARENCY;
    use super::super::story::{Story, request, response, with};

    fn shows(story: Story, why: &str) {
        story.shows(TRANSPARENCY, why);
    }

    fn hops(text: &str) -> String {
        with("Max-Forwards: 69", text)
    }

    /// A fork into p and q.
    fn fork() -> Story {
        let story = Story::new().receives(0, &request("INVITE", &["1"]));
        story.sends(0, &hops(&request("INVITE", &["p", "1"]))).sends(0, &hops(&request("INVITE", &["q", "1"])))
    }

    fn of(branch: &str, status: u16) -> String {
        response(status, "INVITE", &[branch, "1"])
    }

    fn on(status: u16) -> String {
        response(status, "INVITE", &["1"])
    }

    #[test]
    fn nobody_rings_or_answers_but_a_branch() {
        shows(fork().receives(5, &of("p", 180)).sends(5, &on(180)), "");
        let other = on(180).replace("tag=b", "tag=x");
        shows(fork().receives(5, &of("p", 180)).sends(5, &other), "no branch has said that");
        shows(fork().sends(5, &on(408)), "");
    }

    #[test]
    fn all_challenges_go_on() {
        let asks = |nonce: &str, text: &str| with(&format!("WWW-Authenticate: Digest nonce=\"{nonce}\""), text);
        let both = || fork().receives(5, &asks("one", &of("p", 401))).receives(6, &asks("two", &of("q", 401)));
        shows(both().sends(6, &asks("two", &asks("one", &on(401)))), "");
        shows(both().sends(6, &asks("one", &on(401))), "the challenge of a branch is missing");
    }

    #[test]
    fn the_best_response_goes_on() {
        let says = |first: u16, second: u16, sent: u16, why: &str| {
            shows(fork().receives(5, &of("p", first)).receives(6, &of("q", second)).sends(6, &on(sent)), why);
        };
        says(486, 500, 486, "");
        says(486, 500, 500, "a branch has said something of a lower class");
        says(486, 603, 603, "");
        says(486, 603, 486, "a branch has said 6xx");
        says(302, 486, 486, "");
    }

    #[test]
    fn contacts_that_were_tried_leave_their_redirection() {
        let contacts = |names: &[&str], text: &str| {
            names.iter().fold(text.to_owned(), |text, name| with(&format!("Contact: <sip:{name}@b>"), &text))
        };
        let to = |name: &str, branch: &str| {
            hops(&request("INVITE", &[branch, "1"])).replace("sip:b@b SIP", &format!("sip:{name}@b SIP"))
        };
        let redirected = || fork().receives(5, &contacts(&["c", "d"], &of("p", 302)));
        let says = |sent: &[&str], why: &str| {
            let story = redirected().sends(5, &to("c", "r")).receives(6, &of("r", 404)).receives(6, &of("q", 486));
            shows(story.sends(6, &contacts(sent, &on(302))), why);
        };
        says(&["d"], "");
        says(&["c", "d"], "a contact of it was tried");
        says(&["d", "e"], "a contact is not as it came");
        // Without another branch nothing is taken out.
        let untried = |sent: &[&str], why: &str| {
            shows(redirected().receives(6, &of("q", 486)).sends(6, &contacts(sent, &on(302))), why);
        };
        untried(&["c", "d"], "");
        untried(&["d"], "Contact is not as it came");
        // A redirection to what another one has led to already stays whole.
        let second = redirected().sends(5, &to("c", "r")).receives(6, &contacts(&["c"], &of("q", 301)));
        let second = second.receives(7, &of("r", 404)).sends(7, &contacts(&["c"], &on(301)));
        shows(second, "");
    }

    #[test]
    fn branches_share_the_breadth() {
        let breadth = |number: u32, text: &str| with(&format!("Max-Breadth: {number}"), &hops(text));
        let story = |came: &str| Story::new().receives(0, came).sends(0, &breadth(2, &request("INVITE", &["p", "1"])));
        let came = with("Max-Breadth: 3", &request("INVITE", &["1"]));
        let second = |share| breadth(share, &request("INVITE", &["q", "1"]));
        const TOO_MUCH: &str = "the branches have more Max-Breadth than it came with";
        shows(story(&came).sends(0, &second(1)), "");
        shows(story(&came).sends(0, &second(2)), TOO_MUCH);
        shows(story(&came).receives(5, &of("p", 486)).sends(5, &second(3)), "");
        // The CANCEL was answered, and not yet the INVITE.
        let cancelled = || story(&came).receives(5, &of("p", 180)).sends(6, &request("CANCEL", &["p"]));
        let cancelled = || cancelled().receives(7, &response(200, "CANCEL", &["p"]));
        shows(cancelled().sends(8, &second(3)), TOO_MUCH);
        shows(cancelled().sends(32_005, &second(3)), TOO_MUCH);
        shows(cancelled().sends(32_006, &second(3)), "");
        // Timers B and F, but none is left after a provisional response.
        shows(story(&came).sends(31_999, &second(3)), TOO_MUCH);
        shows(story(&came).sends(32_000, &second(3)), "");
        shows(story(&came).receives(5, &of("p", 180)).sends(32_000, &second(3)), TOO_MUCH);
        shows(story(&request("INVITE", &["1"])).sends(0, &second(58)), "");
        shows(story(&request("INVITE", &["1"])).sends(0, &second(59)), TOO_MUCH);
    }
}
