//! Via: pushed by who asks, stamped by who is asked, followed and popped on the way back.

use std::net::{IpAddr, SocketAddr};

use super::exchange::any_fits;
use super::{Carried, Fault, Names, Part, Reading, Report, Rule, Seen};
use crate::packet::{Packet, Via};

/// The Via fields say where a message was and lead its responses back.
///
/// * A branch begins with `z9hG4bK` and is used for one request (RFC 3261 §8.1.1.7); its CANCEL and the ACK for a non-2xx have
///   it too (§9.1, §17.1.1.3), an ACK for a 2xx does not (§13.2.2.4).
/// * Who forwards a request leaves the Vias below his own as they came (§16.6 step 8), but for `received` and `rport`, which he
///   sets in the topmost one if it does not say where the packet came from, or asks for it (§18.2.1, RFC 3581 §4).
/// * A response has the Vias of its request, so stamped (§8.2.6.2, §16.7 step 3), and goes where the topmost one leads
///   (§18.2.2, RFC 3581 §4): over TCP, along the connection of the request as long as that is there.
pub const VIA: Rule = Rule::new("via", "RFC 3261 §8.1.1.7, §9.1, §16.6, §16.7, §17.1.1.3, §18.2; RFC 3581 §4")
    .of_runs(check_run)
    .of_parts(check_part);

fn check_run(run: &Reading<'_>, report: &mut Report<'_>) {
    // The branch belongs to the first part that sent it.
    let parts = run.parts().iter().enumerate();
    let mut used: Vec<(usize, usize, usize)> = parts
        .flat_map(|(number, part)| {
            let requests = part.sent().filter(|(_, packet, _)| packet.is_request());
            requests.map(move |(seen, ..)| (seen.hop, number, seen.index))
        })
        .collect();
    used.sort_unstable();
    for of_branch in used.chunk_by(|one, other| one.0 == other.0) {
        for (_, number, index) in of_branch.iter().filter(|(_, number, _)| *number != of_branch[0].1) {
            let (part, first) = (&run.parts()[*number], &run.parts()[of_branch[0].1]);
            // The branch of a stateless proxy is a function of the request, in any of its lives (§16.11).
            if part.is_stateless && (part.node, part.call_id) == (first.node, first.call_id) {
                continue;
            }
            let seen = &part.seen[*index];
            let Some((packet, _)) = seen.sent() else { continue };
            report.sent(part, seen, packet, "the branch was used in another call");
        }
    }
}

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    for (seen, packet, carried) in part.sent() {
        let verdict = if packet.is_request() {
            judge_request(part, seen, packet)
        } else {
            judge_response(part, seen, packet, carried)
        };
        if let Err(fault) = verdict {
            report.fault(part, seen, packet, &fault);
        }
    }
}

fn judge_request<'a>(part: &Part<'a>, seen: &Seen<'a>, packet: &'a Packet<'a>) -> Result<(), Fault> {
    if !packet.top().branch.starts_with("z9hG4bK") {
        return Err(Fault::seen("the branch has no magic cookie"));
    }
    let mut first = part.of(seen.hop).sent().filter(|(_, packet, _)| packet.is_request());
    let (owner_seen, owner, _) = first.next().ok_or_else(|| Fault::missing(""))?;
    if owner.method == packet.method && owner.start != packet.start {
        return Err(Fault::seen("the branch is that of another request"));
    }
    if owner_seen.index != seen.index && !std::ptr::eq(owner, packet) && owner.method != packet.method {
        match packet.method {
            "CANCEL" if owner.is("INVITE") => {}
            // A proxy forwards both under one branch for an INVITE that it knows nothing of any more (§16.11).
            "ACK" if owner.is("CANCEL") && is_of_one(owner_seen, seen) => {}
            "CANCEL" if owner.is("ACK") && is_of_one(owner_seen, seen) => {}
            "ACK" if owner.is("INVITE") => {
                if !part.of(seen.hop).received().any(|(_, response, _)| response.is_rejection()) {
                    // A rejection may not have been seen, but one end does not send both.
                    let mut answers = part.of(seen.hop).responses_received("INVITE");
                    let is_for_2xx = answers.any(|(_, it, _)| it.answers(2, "INVITE") && it.to_tag == packet.to_tag);
                    const WHY: &str = "it has the branch of the INVITE, which was not rejected";
                    return Err(if is_for_2xx { Fault::seen(WHY) } else { Fault::missing(WHY) });
                }
            }
            // Both may be of an INVITE that was not seen.
            "ACK" | "CANCEL" if matches!(owner.method, "ACK" | "CANCEL") => {
                return Err(Fault::missing("the branch is that of another request"));
            }
            _ => return Err(Fault::seen("the branch is that of another request")),
        }
    } else if packet.is("ACK") && packet.vias.len() == 1 && acknowledges_rejection(part, seen, packet) {
        return Err(Fault::seen("the branch is not that of the INVITE, which was rejected"));
    }
    let Some(below) = seen.below else { return Ok(()) };
    let copies = part.copies(below, packet.method, seen.index);
    let stamped = copies.map(|(_, request, came)| are_stamped(&packet.vias[1..], &request.vias, came.source));
    any_fits(Err(Fault::missing("it forwards nothing that came")), stamped)
}

/// Whether two requests were forwarded on behalf of one hop.
fn is_of_one(one: &Seen<'_>, other: &Seen<'_>) -> bool {
    one.below.is_some() && one.below == other.below
}

/// Whether the INVITE that this ACK is for got a final response with this To tag, and it was no 2xx.
fn acknowledges_rejection(part: &Part<'_>, seen: &Seen<'_>, ack: &Packet<'_>) -> bool {
    let mut responses = part.before(seen.index).responses_received("INVITE").filter(|(other, response, _)| {
        let is_of_ack = (response.to_tag, response.sequence) == (ack.to_tag, ack.sequence);
        is_of_ack && response.is_final() && other.below.is_none()
    });
    // Its INVITE may not have been seen.
    let mut of_branch = part.of(seen.hop).responses_received("INVITE");
    responses.next().is_some_and(|(_, first, _)| first.is_rejection())
        && responses.all(|(_, more, _)| more.is_rejection())
        && !of_branch.any(|(_, response, _)| response.is_rejection())
}

fn judge_response(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>, carried: Carried) -> Result<(), Fault> {
    let copies = part.copies(seen.hop, packet.method, seen.index);
    // To what nothing answers is another check's matter; but a Via of its own was to be popped.
    let own = || part.of(seen.hop).sent().any(|(_, request, _)| request.is_request());
    if copies.clone().next().is_none() && own() {
        return Err(Fault::seen("its own Via is still on top"));
    }
    let verdicts = copies.map(|(_, request, came)| {
        are_stamped(&packet.vias, &request.vias, came.source)?;
        match came.stream {
            None => leads_to(&request.top(), came.source, carried.destination),
            // The connection it came along may be there no more.
            Some(stream) if part.lost.iter().any(|(lost, by)| *lost == stream && *by <= seen.index) => Ok(()),
            stream if stream == carried.stream => Ok(()),
            // A request that goes on statelessly comes back by the Via alone (§16.10, §16.11).
            _ if packet.method == "CANCEL" && part.forwards(seen.hop, "CANCEL") => Ok(()),
            _ => Err(Fault::missing("it does not go along the connection of its request")),
        }
    });
    any_fits(Ok(()), verdicts)
}

/// Whether the response to a request with this topmost Via that came from `source` goes where it must.
fn leads_to(asked: &Via<'_>, source: SocketAddr, destination: SocketAddr) -> Result<(), Fault> {
    if !is_udp(asked) || asked.parameters().any(|(name, _)| name.eq_ignore_ascii_case("maddr")) {
        return Ok(());
    }
    let port = if asks_for_rport(asked) { source.port() } else { port_of(asked.sent_by).unwrap_or(5060) };
    if destination.ip() != source.ip() {
        return Err(Fault::missing("it goes to another address than the request came from"));
    }
    if destination.port() == port {
        return Ok(());
    }
    Err(Fault::missing("it goes to another port than the Via says"))
}

/// Whether these are the Vias of a request that came from `source`, stamped as they must be.
fn are_stamped(vias: &[Via<'_>], came: &[Via<'_>], source: SocketAddr) -> Result<(), Fault> {
    let ([top, rest @ ..], [came_top, came_rest @ ..]) = (vias, came) else {
        return Err(Fault::missing("it has no Via below"));
    };
    // The same hops may be written otherwise, or stamped on the way.
    let others = || {
        const WHY: &str = "its Vias are not those of the request";
        let is_same = vias.iter().map(Via::id).eq(came.iter().map(Via::id));
        Err(if is_same { Fault::remark(WHY) } else { Fault::seen(WHY) })
    };
    if rest.len() != came_rest.len() || rest.iter().zip(came_rest).any(|(one, other)| one.value != other.value) {
        return others();
    }
    let asks = asks_for_rport(came_top);
    let written = |name: &str| top.parameters().find(|(found, _)| found.eq_ignore_ascii_case(name))?.1;
    let is_other = |(name, _): &(&str, _)| !is_stamp(name);
    let are_others = || top.parameters().filter(is_other).eq(came_top.parameters().filter(is_other));
    if top.value == came_top.value && !asks && address_of(top.sent_by) == Some(source.ip()) {
        return Ok(());
    }
    if sender(top) != sender(came_top) || !are_others() {
        return others();
    }
    let received = written("received");
    let right = received.is_some_and(|received| address_of(received) == Some(source.ip()));
    const RECEIVED: &str = "`received` does not say where the request came from";
    const RPORT: &str = "`rport` does not say where the request came from";
    if (received.is_some() || address_of(top.sent_by) != Some(source.ip())) && !right {
        // There may be a NAT between where it was sent and where it was seen.
        return Err(Fault::missing(RECEIVED));
    }
    // An element that does not know RFC 3581 leaves `rport` as it came.
    match written("rport") {
        _ if !asks => Ok(()),
        None | Some("") if received.is_none() => Err(Fault::remark(RECEIVED)),
        None | Some("") => Err(Fault::remark(RPORT)),
        Some(port) if port != source.port().to_string() => Err(Fault::missing(RPORT)),
        Some(_) if !right => Err(Fault::missing(RECEIVED)),
        Some(_) => Ok(()),
    }
}

fn is_stamp(name: &str) -> bool {
    name.eq_ignore_ascii_case("received") || name.eq_ignore_ascii_case("rport")
}

fn asks_for_rport(via: &Via<'_>) -> bool {
    via.parameters().any(|(name, _)| name.eq_ignore_ascii_case("rport"))
}

fn is_udp(via: &Via<'_>) -> bool {
    sender(via).to_ascii_uppercase().contains("UDP")
}

/// The text before the parameters.
fn sender<'a>(via: &Via<'a>) -> &'a str {
    via.value.split(';').next().unwrap_or_default().trim()
}

/// The address of a host and port, if the host is one.
fn address_of(host_port: &str) -> Option<IpAddr> {
    let host = match host_port.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None if host_port.matches(':').count() == 1 => host_port.split(':').next()?,
        None => host_port,
    };
    host.parse().ok()
}

fn port_of(host_port: &str) -> Option<u16> {
    let (host, port) = host_port.rsplit_once(':')?;
    // Not inside of an IPv6 address.
    (!host.starts_with('[') || host.ends_with(']')).then(|| port.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, message, request, response};
    use super::*;

    fn says(story: Story, why: &str) -> bool {
        let breaches = story.breaches(VIA);
        assert!(breaches.len() < 2 && breaches.iter().all(|breach| breach.ends_with(why)), "{breaches:?}");
        !breaches.is_empty()
    }

    /// The response that came through the one Via of the other node, and what the judged one makes of it.
    fn forwards(story: Story, at: u64, method: &str, hop: &str, branch: &str) -> Story {
        let line = format!("{method} sip:b@b SIP/2.0");
        let came = message(&line, &[hop], "", method).replace("host;", "192.0.2.1;");
        let sent = message(&line, &[branch, hop], "", method)
            .replace(&format!("host;branch=z9hG4bK{hop}"), &format!("192.0.2.1;branch=z9hG4bK{hop}"));
        story.receives(at, &came).sends(at, &sent)
    }

    #[test]
    fn a_branch_is_for_one_request_and_its_cancel() {
        const ANOTHER: &str = "the branch is that of another request";
        let invite = || Story::new().sends(0, &request("INVITE", &["1"]));
        assert!(!says(invite().sends(9, &request("CANCEL", &["1"])), ANOTHER));
        assert!(says(invite().sends(9, &request("BYE", &["1"])), ANOTHER));
        assert!(says(Story::new().sends(0, &request("OPTIONS", &["1"])).sends(9, &request("CANCEL", &["1"])), ANOTHER));
    }

    #[test]
    fn what_is_forwarded_of_an_invite_that_is_over_has_one_branch() {
        const ANOTHER: &str = "the branch is that of another request";
        let ack = || forwards(Story::new(), 0, "ACK", "1", "p");
        assert!(!says(forwards(ack(), 9, "CANCEL", "1", "p"), ANOTHER));
        assert!(says(forwards(ack(), 9, "CANCEL", "2", "p"), ANOTHER), "on behalf of another");
        assert!(says(forwards(ack(), 9, "BYE", "1", "p"), ANOTHER));
        let own = Story::new().sends(0, &request("ACK", &["1"])).sends(9, &request("CANCEL", &["1"]));
        assert!(says(own, ANOTHER), "its own");
    }

    #[test]
    fn a_response_goes_along_the_connection_of_its_request() {
        let tcp = |message: &str| message.replace("/UDP host", "/TCP 192.0.2.1");
        let (asked, answer) = (tcp(&request("OPTIONS", &["1"])), tcp(&response(200, "OPTIONS", &["1"])));
        let came = || Story::new().reads(0, 7, &asked);
        const ANOTHER_WAY: &str = "it does not go along the connection of its request";
        assert!(!says(came().writes(9, 7, &answer), ANOTHER_WAY));
        assert!(says(came().writes(9, 8, &answer), ANOTHER_WAY));
        assert!(says(came().sends(9, &answer), ANOTHER_WAY));
        assert!(!says(came().loses(7).writes(9, 8, &answer), ANOTHER_WAY));
        assert!(says(came().loses(8).writes(9, 8, &answer), ANOTHER_WAY));
        let relayed = |method: &str| {
            let (top, both) = (tcp(&request(method, &["1"])), request(method, &["p", "1"]));
            let both = both.replace("/UDP host;branch=z9hG4bK1", "/TCP 192.0.2.1;branch=z9hG4bK1");
            Story::new().reads(0, 7, &top).sends(0, &both).writes(9, 8, &tcp(&response(481, method, &["1"])))
        };
        assert!(!says(relayed("CANCEL"), ANOTHER_WAY));
        assert!(says(relayed("BYE"), ANOTHER_WAY));
    }
}
