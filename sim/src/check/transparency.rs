//! Transparency: a proxy changes what it must, and nothing else.

use super::exchange::any_fits;
use super::{Evidence, Fault, Message, Names, Part, Report, Rule, Seen, forks};
use crate::packet::{Packet, alike};

/// A proxy passes on what came, byte for byte, but for what is its own business.
///
/// * Every other header field, its name as written, its value and its place among the others, and the body (RFC 3261 §16.6, §7.3.1).
/// * Status and reason of a response (§16.7); a 503 from downstream goes on as something else (§16.7 step 6), but from a
///   stateless proxy (§16.11).
/// * Max-Forwards is lowered by one (§16.6 step 3).
/// * The branches that are open at once have no more Max-Breadth together than the request came with (RFC 5393 §5.3.3.1).
/// * Of the final responses of several branches the best goes on (§16.7 step 6), with the challenges of all (step 7); nothing below 300 that no
///   branch has said.
/// * A 3xx goes on without the contacts that were tried (§16.7 step 4).
/// * An ACK that comes along what the proxy has recorded goes on (§16.11).
/// * Record-Route values are only added, in front; responses keep them (§16.6 step 4, §16.7 step 8).
/// * Each 2xx to INVITE that comes goes on at once, as long as the transaction takes one (§16.7 step 5, RFC 6026 §7.1).
pub const TRANSPARENCY: Rule =
    Rule::new("transparency", "RFC 3261 §7.3.1, §16.6, §16.7, §16.11; RFC 5393 §5.3.3; RFC 6026 §7.1")
        .of_parts(check_part);

/// The headers that a proxy may change, add or take off; Content-Length it may add.
const OWN: [&str; 12] = [
    "via",
    "v",
    "max-forwards",
    "max-breadth",
    "route",
    "record-route",
    "path",
    "proxy-authorization",
    "proxy-authenticate",
    "www-authenticate",
    "content-length",
    "l",
];

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    for (seen, packet, _) in part.sent() {
        let verdict = if packet.is_request() {
            judge_request(part, seen, packet)
                .and_then(|()| forks::judge_breadth(part, seen, packet).map_err(Fault::missing))
        } else {
            judge_response(part, seen, packet)
                .and_then(|()| forks::judge_answer(part, seen, packet).map_err(Fault::missing))
        };
        if let Err(Fault { evidence, why }) = verdict {
            let what = format!("{} passed {} on ({}): {why}", part.name, packet.what(), packet.top().branch);
            report.by(evidence).breach(part.node, seen.time, what);
        }
    }
    for (seen, packet, _) in part.received() {
        let is_ack = packet.is("ACK") && is_kept(part, seen, packet);
        if is_ack || packet.answers(2, "INVITE") && is_swallowed(part, seen, packet) {
            let (name, what, branch) = (part.name, packet.what(), packet.top().branch);
            // What goes on a little later goes on.
            let is_it = |other: &Packet<'_>| (other.status(), other.to_tag) == (packet.status(), packet.to_tag);
            let mut later = seen.below.into_iter().flat_map(|below| part.of(below).after(seen.index).sent());
            let (evidence, what) = match later.find(|(_, other, _)| is_it(other)) {
                Some((late, ..)) => {
                    let late = late.time.since(seen.time).as_millis();
                    (Evidence::Remark, format!("{name} passed {what} on ({branch}) {late} ms late"))
                }
                None => (Evidence::Missing, format!("{name} did not pass {what} on ({branch})")),
            };
            report.by(evidence).breach(part.node, seen.time, what);
        }
    }
}

fn judge_request(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> Result<(), Fault> {
    let Some(below) = seen.below else { return Ok(()) };
    any_fits(Ok(()), part.copies(below, packet.method, seen.index).map(|(_, request, _)| judge_copy(request, packet)))
}

/// Whether this is how a request goes on.
fn judge_copy(came: &Packet<'_>, sent: &Packet<'_>) -> Result<(), Fault> {
    let hops = |packet: &Packet<'_>| packet.values("max-forwards", "max-forwards").next().map(str::parse::<u32>);
    match (hops(came), hops(sent)) {
        (_, None) => return Err(Fault::seen("it has no Max-Forwards")),
        (Some(Ok(came)), Some(Ok(sent))) if came != sent + 1 => {
            return Err(Fault::seen(format!("Max-Forwards was {came} and is {sent}")));
        }
        _ => {}
    }
    compare(came, sent, false)?;
    if !sent.texts("record-route", "record-route").ends_with(&came.texts("record-route", "record-route")) {
        return Err(Fault::seen("Record-Route values of others are not as they came"));
    }
    Ok(())
}

fn judge_response(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> Result<(), Fault> {
    let came = part.branches(seen.hop).before(seen.index).received();
    let came: Vec<_> = came.filter(|(_, above, _)| above.method == packet.method).collect();
    let is_overload = |(_, above, _): &Message<'_, '_>| above.status() == Some(503);
    if !part.is_stateless && packet.status() == Some(503) && came.iter().any(is_overload) {
        return Err(Fault::remark("a 503 from downstream says nothing of this server"));
    }
    // The nearest first: a called end may send two that differ.
    let is_it = |above: &Packet<'_>| (above.status(), above.to_tag) == (packet.status(), packet.to_tag);
    let same = came.iter().rev().filter(|(_, above, _)| is_it(above) && above.status() != Some(100));
    any_fits(
        Ok(()),
        same.map(|(earlier, above, _)| {
            let is_followed =
                forks::judge_redirection(part, (earlier, above), (seen, packet)).map_err(Fault::missing)?;
            judge_answer(above, packet, is_followed)
        }),
    )
}

/// Whether this is how a response goes on; `is_followed`, if it may have lost contacts.
fn judge_answer(came: &Packet<'_>, sent: &Packet<'_>, is_followed: bool) -> Result<(), Fault> {
    if sent.start != came.start {
        return Err(Fault::remark("the reason phrase is another"));
    }
    let recorded = |packet: &Packet<'_>| packet.values("record-route", "record-route").count();
    if recorded(came) != recorded(sent) {
        return Err(Fault::remark("Record-Route values are not as they came"));
    }
    compare(came, sent, is_followed)
}

/// Whether everything that is not a proxy's is the same in both; the contacts are a proxy's if it `follows` them.
fn compare(came: &Packet<'_>, sent: &Packet<'_>, follows: bool) -> Result<(), Fault> {
    // A proxy may add header fields (§16.6 step 5), and is not to take any away or change the body.
    difference(came, sent, follows)
        .map_err(|why| if is_lost(came, sent) { Fault::seen(why) } else { Fault::remark(why) })
}

/// The headers that a proxy may change by other RFCs: RFC 3325 §5, RFC 3323 §5, RFC 4028 §8, RFC 7044 §7.
const OF_OTHER_RFCS: [&str; 7] = [
    "p-asserted-identity",
    "p-preferred-identity",
    "privacy",
    "session-expires",
    "min-se",
    "supported",
    "history-info",
];

/// Whether something is not there any more, under whatever name.
fn is_lost(came: &Packet<'_>, sent: &Packet<'_>) -> bool {
    // Contacts that were tried leave a 3xx (§16.7 step 4).
    let contacts: &[&str] = if came.answers(3, sent.method) { &["contact", "m"] } else { &[] };
    let known = OWN.iter().chain(&OF_OTHER_RFCS).chain(contacts);
    let may_go = |name: &str| known.clone().any(|known| name.eq_ignore_ascii_case(known));
    let is_there = |value: &str| sent.fields.iter().any(|(_, other)| alike(value, other));
    let mut fields = came.fields.iter().filter(|(name, _)| !may_go(name));
    came.body != sent.body || fields.any(|(_, value)| !is_there(value))
}

/// The first thing that is not a proxy's and is not the same in both.
fn difference(came: &Packet<'_>, sent: &Packet<'_>, follows: bool) -> Result<(), String> {
    let contacts: &[&str] = if follows { &["contact", "m"] } else { &[] };
    let is_own = |name: &str| OWN.iter().chain(contacts).any(|own| name.eq_ignore_ascii_case(own));
    let mut left = came.fields.iter().filter(|(name, _)| !is_own(name));
    for field @ (name, _) in sent.fields.iter().filter(|(name, _)| !is_own(name)) {
        if left.next() != Some(field) {
            return Err(format!("{name} is not as it came"));
        }
    }
    if let Some((name, _)) = left.next() {
        return Err(format!("{name} is missing"));
    }
    if came.body != sent.body { Err("the body is not as it came".into()) } else { Ok(()) }
}

/// Whether an ACK that came along a recorded route was not passed on, whatever had to be asked for before.
fn is_kept(part: &Part<'_>, seen: &Seen<'_>, ack: &Packet<'_>) -> bool {
    let Some(first) = ack.values("route", "route").next() else { return false };
    let recorded = part.sent().any(|(other, invite, _)| {
        let is_own = || invite.values("record-route", "record-route").next() == Some(first);
        other.below.is_some() && invite.is("INVITE") && invite.to_tag.is_empty() && is_own()
    });
    // An ACK for a rejection has the branch of its INVITE, and goes no further.
    let is_for_2xx = part.copies(seen.hop, "INVITE", seen.index).next().is_none();
    let by_then = seen.time + part.timers.sixty_four_t1();
    let passed_on = || part.forwards(seen.hop, "ACK");
    recorded && is_for_2xx && by_then < part.until && part.lost.is_empty() && !passed_on()
}

/// Whether a 2xx to a forwarded INVITE was not passed on although the server transaction takes one.
fn is_swallowed(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> bool {
    let Some(below) = seen.below else { return false };
    // Its transaction downstream is over when timer M has run out, or it was given up before.
    let Some((first, first_packet)) = part.first_final(seen.hop) else { return false };
    let absorbs = part.timers.sixty_four_t1();
    if first_packet.is_rejection() || seen.time.since(first.time) >= absorbs {
        return false;
    }
    let first_up = part.of(below).responses_sent("INVITE").find(|(_, packet, _)| packet.is_final());
    if first_up.is_some_and(|(up, response, _)| {
        up.index < seen.index && (response.is_rejection() || seen.time.since(up.time) >= absorbs)
    }) {
        return false;
    }
    !part.of(below).after(seen.index).sent().any(|(other, response, _)| {
        other.time <= seen.time + part.haste && response.answers(2, "INVITE") && response.to_tag == packet.to_tag
    })
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, request, response, with};
    use super::*;

    fn shows(story: Story, why: &str) {
        story.shows(TRANSPARENCY, why);
    }

    fn forwarded() -> String {
        with("Max-Forwards: 69", &request("INVITE", &["p", "1"]))
    }

    fn call() -> Story {
        Story::new().receives(0, &request("INVITE", &["1"])).sends(0, &forwarded())
    }

    #[test]
    fn a_request_goes_on_as_it_came() {
        let came = with("Subject: one", &with("Max-Forwards: 70", &request("INVITE", &["1"])));
        let sent = with("Subject: one", &with("Max-Forwards: 69", &request("INVITE", &["p", "1"])));
        let passes = |sent: &str, why: &str| shows(Story::new().receives(0, &came).sends(0, sent), why);
        passes(&sent, "");
        passes(&sent.replace("69", "70"), "Max-Forwards was 70 and is 70");
        passes(&sent.replace("Max-Forwards: 69\r\n", ""), "it has no Max-Forwards");
        passes(&sent.replace("one", "two"), "Subject is not as it came");
        passes(&sent.replace("Subject:", "s:"), "s is not as it came");
        passes(&sent.replace("Subject: one\r\n", ""), "Subject is missing");
        passes(&format!("{sent}body"), "the body is not as it came");
        passes(&with("Record-Route: <sip:p;lr>", &sent), "");
    }

    #[test]
    fn a_response_goes_on_as_it_came() {
        let story = |status: u16| call().receives(9, &response(status, "INVITE", &["p", "1"]));
        let busy = response(486, "INVITE", &["1"]);
        shows(story(486).sends(9, &busy), "");
        shows(story(486).sends(9, &busy.replace("Reason", "Busy")), "the reason phrase is another");
        shows(story(486).sends(9, &with("Subject: one", &busy)), "Subject is not as it came");
        let overload = response(503, "INVITE", &["1"]);
        shows(story(503).sends(9, &overload), "a 503 from downstream says nothing of this server");
        let (came, sent) = (request("INVITE", &["1"]), request("INVITE", &["p", "1"]));
        let (came, sent) = (with("Max-Forwards: 70", &came), with("Max-Forwards: 69", &sent));
        let stateless = Story::stateless().receives(0, &came).sends(0, &sent);
        shows(stateless.receives(9, &response(503, "INVITE", &["p", "1"])).sends(9, &overload), "");
    }

    #[test]
    fn an_ack_goes_on_along_what_was_recorded() {
        const OURS: &str = "<sip:192.0.2.0;lr>";
        let invite = with(&format!("Record-Route: {OURS}"), &forwarded());
        let call = || Story::new().receives(0, &request("INVITE", &["1"])).sends(0, &invite);
        let ack = with(&format!("Route: {OURS}"), &with("Max-Forwards: 70", &request("ACK", &["2"])));
        let passed = with("Max-Forwards: 69", &request("ACK", &["q", "2"]));
        shows(call().receives(9, &ack).sends(9, &passed), "");
        shows(call().receives(9, &ack), "did not pass ACK on (z9hG4bK2)");
        shows(call().receives(9, &ack.replace("192.0.2.0", "192.0.2.1")), "");
        shows(call().receives(99_000, &ack), "");
        shows(call().receives(9, &ack.replace("z9hG4bK2", "z9hG4bK1")), "");
    }

    #[test]
    fn each_2xx_goes_on_at_once() {
        let (ok, passed) = (response(200, "INVITE", &["p", "1"]), response(200, "INVITE", &["1"]));
        let swallowed = "did not pass 200 to INVITE on (z9hG4bKp)";
        shows(call().receives(9, &ok).sends(9, &passed), "");
        shows(call().receives(9, &ok), swallowed);
        shows(call().receives(9, &ok).sends(10, &passed), "passed 200 to INVITE on (z9hG4bKp) 1 ms late");
        let captured = |at| call().captured().receives(9, &ok).sends(at, &passed);
        shows(captured(509), "");
        shows(captured(510), "passed 200 to INVITE on (z9hG4bKp) 501 ms late");
        shows(call().captured().receives(9, &ok), swallowed);
        let first = || call().receives(9, &ok).sends(9, &passed);
        shows(first().receives(600, &ok), swallowed);
        // Timer M has fired.
        shows(first().receives(32_009, &ok), "");
        let lost = Story::new().receives(0, &request("INVITE", &["1"])).writes(0, 7, &forwarded());
        shows(lost.loses(7).receives(9, &ok), "");
    }
}
