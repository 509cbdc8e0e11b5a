//! Route: requests in a dialog go the way that was recorded, to the Contact that was given.

use std::net::{IpAddr, SocketAddr};

use super::{Fault, Message, Names, Part, Report, Rule, Seen};
use crate::packet::{Packet, Via, alike, host_port};

/// A request in a dialog is addressed as the dialog says.
///
/// * Its Request-URI is the peer's Contact (RFC 3261 §12.1.1, §12.1.2, §12.2.1.1), its Route what was recorded: by the called
///   end in the order of the request, by the caller in the reverse order of the response.
/// * What has a Route is sent to the first one, by ends (§8.1.2) and proxies (§16.6 step 7); a proxy takes its own off before
///   (§16.4), none that leads elsewhere, and leaves the others as they are.
/// * A proxy does not pass a request on that it has passed on before with the Request-URI and the Route that it has now (§16.3 step 4 as
///   RFC 5393 §4.2 has it), if the branch that it wrote then has the second part of §16.6 step 8 to know it by.
///
/// * Of the two Record-Route values of one forwarding the next hop must use the upper one, the hop before the lower one (RFC 5658 §6.2).
/// * A node that keeps no transactions sends each copy of a request, and the CANCEL and the ACK of an INVITE with its branch, to where the first of
///   them went (§16.11).
///
/// A Route without `lr` (a strict router) is judged in one thing alone: it is the Request-URI where the request goes to it (§16.6 step 6).
pub const ROUTE: Rule = Rule::new(
    "route",
    "RFC 3261 §8.1.2, §12.1, §12.2.1.1, §16.3, §16.4, §16.6, §16.11, §16.12; RFC 5393 §4.2; RFC 5658 §6.2",
)
.of_parts(check_part);

fn check_part(part: &Part<'_>, names: &Names<'_>, report: &mut Report<'_>) {
    for (seen, packet, carried) in part.sent().filter(|_| part.is_stateless) {
        if goes_astray(part, seen, carried.destination) {
            report.sent(part, seen, packet, "another copy of it went elsewhere");
        }
    }
    for (seen, packet, carried) in part.sent() {
        if !packet.is_request() || packet.method == "CANCEL" || is_for_rejection(part, seen, packet) {
            continue;
        }
        let routes = packet.uris("route", "route");
        if routes.iter().any(|route| !is_loose(route)) {
            if is_for_strict_router(names, seen, packet, &routes, carried.destination.ip()) {
                report.sent(part, seen, packet, "its strict router is not its Request-URI");
            }
            continue;
        }
        let verdict = match seen.below {
            None => judge_own(part, seen, packet, &routes),
            // A proxy may add a Route, and its own may have a name or an address that nobody saw.
            Some(below) => judge_forwarded(part, seen, below, packet, &routes)
                .and_then(|()| judge_taken_off(part, names, seen, packet, &routes))
                .and_then(|()| judge_recorded(part, names, seen, packet, carried.source.ip()))
                .map_err(Fault::remark)
                .and_then(|()| judge_loop(part, seen, packet).map_err(Fault::missing)),
        };
        let first = routes.first().map(|route| host_port(route));
        let verdict = verdict.and_then(|()| match first {
            Some(first) if !leads_to(names, first, carried.destination.ip()) => {
                // Where a request goes is a matter of local policy, too (§8.1.2).
                Err(Fault::remark("it does not go to its first Route"))
            }
            _ => Ok(()),
        });
        if let Err(fault) = verdict {
            report.fault(part, seen, packet, &fault);
        }
    }
}

/// Whether a request that is passed on goes to a strict router that has its URI in the first Route still (RFC 3261 §16.6 step 6).
fn is_for_strict_router(
    names: &Names<'_>,
    seen: &Seen<'_>,
    packet: &Packet<'_>,
    routes: &[&str],
    destination: IpAddr,
) -> bool {
    let goes_to = |uri: &str| leads_to(names, host_port(uri), destination);
    seen.below.is_some()
        && routes.first().is_some_and(|first| !is_loose(first) && goes_to(first))
        && packet.uri().is_some_and(|uri| !goes_to(uri))
}

pub(super) fn is_loose(uri: &str) -> bool {
    uri.split(';').skip(1).any(|parameter| parameter.trim().to_ascii_lowercase().starts_with("lr"))
}

/// Whether a host, with or without port, is at that address.
pub(super) fn leads_to(names: &Names<'_>, host_port: &str, address: IpAddr) -> bool {
    let host = match host_port.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host_port.split(':').next().unwrap_or(host_port),
    };
    match host.parse::<IpAddr>() {
        Ok(ip) => ip == address,
        Err(_) => names.addresses(host).is_none_or(|addresses| addresses.contains(&address)),
    }
}

/// The ACK for a rejection goes with its INVITE.
fn is_for_rejection(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> bool {
    packet.is("ACK") && part.of(seen.hop).sends("INVITE")
}

fn judge_own(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>, routes: &[&str]) -> Result<(), Fault> {
    if packet.to_tag.is_empty() {
        return Ok(());
    }
    let before = part.before(seen.index).received();
    // The caller's end of the dialog: 2xx, or if there is none, what made it early. An INVITE in the dialog leaves the route set as
    // it is (§12.2).
    let is_first = |invite: &Packet<'_>| invite.is("INVITE") && invite.to_tag.is_empty();
    let ours = |other: &Seen<'_>, received: &Packet<'_>| {
        received.method == "INVITE"
            && (received.from_tag, received.to_tag) == (packet.from_tag, packet.to_tag)
            && part.of(other.hop).sent().any(|(_, invite, _)| is_first(invite))
    };
    let mut responses = before.clone().filter(|(other, received, _)| ours(other, received)).map(|(_, it, _)| it);
    let response = responses.clone().find(|received| received.answers(2, "INVITE"));
    let response = response.or_else(|| responses.find(|received| received.answers(1, "INVITE")));
    let by = if let Some(response) = response {
        response
    } else {
        // Of several INVITEs, as after a challenge, the one that this end has answered within the dialog makes it.
        let of_dialog = |answer: &Packet<'_>| {
            let answers = answer.answers(1, "INVITE") || answer.answers(2, "INVITE");
            answers && (answer.from_tag, answer.to_tag) == (packet.to_tag, packet.from_tag)
        };
        let answered = part.sent().map(|(_, answer, _)| answer).find(|answer| of_dialog(answer));
        let answered = answered.map(|answer| answer.top().branch);
        let makes = |it: &&Packet<'_>| {
            is_first(it) && it.from_tag == packet.to_tag && answered.is_none_or(|branch| branch == it.top().branch)
        };
        let Some(request) = before.map(|(_, it, _)| it).find(makes) else { return Ok(()) };
        request
    };
    // A 2xx settles what a provisional response has said (§13.2.2.4).
    let is_settled = !by.answers(1, "INVITE");
    let (mut set, target) = (by.uris("record-route", "record-route"), by.uris("contact", "m"));
    if response.is_some() {
        set.reverse();
    }
    if set.iter().any(|route| !is_loose(route)) {
        return Ok(());
    }
    if target.first().is_some_and(|target| Some(*target) != packet.uri()) {
        const WHY: &str = "its Request-URI is not the Contact of the peer";
        // The peer may have given another one since (§12.2), or before a 2xx that was not seen.
        let uri = packet.uri().unwrap_or_default();
        let mut given = part.received().flat_map(|(_, it, _)| it.uris("contact", "m"));
        let is_given = given.any(|contact| alike(contact, uri));
        return Err(if is_given || !is_settled { Fault::missing(WHY) } else { Fault::seen(WHY) });
    }
    set.retain(|route| !route.is_empty());
    if set != routes {
        const WHY: &str = "its Route is not what was recorded";
        let is_alike = set.len() == routes.len() && set.iter().zip(routes).all(|(one, other)| alike(one, other));
        return Err(match is_settled {
            _ if is_alike => Fault::remark(WHY),
            true => Fault::seen(WHY),
            false => Fault::missing(WHY),
        });
    }
    Ok(())
}

fn judge_forwarded(
    part: &Part<'_>,
    seen: &Seen<'_>,
    below: usize,
    packet: &Packet<'_>,
    routes: &[&str],
) -> Result<(), &'static str> {
    let mut copies = part.copies(below, packet.method, seen.index).peekable();
    let is_left = |request: &Packet<'_>| {
        let before = request.uris("route", "route");
        before.iter().any(|route| !is_loose(route)) || before.ends_with(routes)
    };
    if copies.peek().is_none() || copies.any(|(_, request, _)| is_left(request)) {
        return Ok(());
    }
    Err("its Route is not what was left of the one that came")
}

/// The Routes that are taken off lead here.
fn judge_taken_off(
    part: &Part<'_>,
    names: &Names<'_>,
    seen: &Seen<'_>,
    sent: &Packet<'_>,
    routes: &[&str],
) -> Result<(), &'static str> {
    let mut here: Vec<IpAddr> = part.sent().map(|(_, _, carried)| carried.source.ip()).collect();
    here.extend(part.received().map(|(_, _, carried)| carried.destination.ip()));
    let is_own = |route: &&str| {
        let at = host_port(route);
        at == sent.top().sent_by || here.iter().any(|address| leads_to(names, at, *address))
    };
    let Some(below) = seen.below else { return Ok(()) };
    let mut copies = part.copies(below, sent.method, seen.index).peekable();
    let takes_own = |request: &Packet<'_>| {
        let before = request.uris("route", "route");
        // What a strict router gets is made of the Routes otherwise (§16.6 step 6).
        let is_strict = before.iter().any(|route| !is_loose(route));
        is_strict || before.iter().take(before.len().saturating_sub(routes.len())).all(is_own)
    };
    if copies.peek().is_none() || copies.any(|(_, request, _)| takes_own(request)) {
        return Ok(());
    }
    Err("a Route that leads elsewhere is taken off")
}

/// The two values that a proxy records for one forwarding are each for its side.
fn judge_recorded(
    part: &Part<'_>,
    names: &Names<'_>,
    seen: &Seen<'_>,
    sent: &Packet<'_>,
    source: IpAddr,
) -> Result<(), &'static str> {
    let Some(below) = seen.below else { return Ok(()) };
    let recorded = sent.uris("record-route", "record-route");
    let mut copies = part.copies(below, sent.method, seen.index).peekable();
    let leads_here = |uri: &str, via: Via<'_>, address: IpAddr| {
        let mut parameters = uri.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
        let transport = parameters.find(|(name, _)| name.eq_ignore_ascii_case("transport"));
        transport.is_none_or(|(_, transport)| transport.eq_ignore_ascii_case(via.protocol()))
            && leads_to(names, host_port(uri), address)
    };
    let is_right = |(_, came, carried): Message<'_, '_>| {
        let before = came.values("record-route", "record-route").count();
        let [upper, lower] = &recorded[..recorded.len().saturating_sub(before)] else { return true };
        leads_here(upper, sent.top(), source) && leads_here(lower, came.top(), carried.destination.ip())
    };
    if copies.peek().is_none() || copies.any(is_right) {
        return Ok(());
    }
    Err("of its two Record-Route values one is not for its side")
}

/// Whether a node that keeps no transactions sends a copy to somewhere else than the first one. A copy that comes when the transactions of the first
/// have timed out is another request.
fn goes_astray(part: &Part<'_>, seen: &Seen<'_>, destination: SocketAddr) -> bool {
    let Some(below) = seen.below else { return false };
    let first = part.branches(below).before(seen.index).sent().find(|(_, packet, _)| packet.is_request());
    seen.sent().is_some_and(|(packet, _)| packet.is_request())
        && first.is_some_and(|(first, packet, carried)| {
            let is_in_time = seen.time.since(first.time) < part.timers.sixty_four_t1();
            // A request of a dialog goes to another server at once when its own is gone. A CANCEL whose INVITE is not known goes where that
            // would have gone before the servers changed, as long as it may have.
            let is_bound = packet.to_tag.is_empty() && packet.method != "CANCEL";
            is_bound && is_in_time && carried.destination != destination
        })
}

/// A second part of a branch is a hash, and no hash is shorter.
const SECOND_PART: usize = 8;

/// Whoever has passed a request on knows it by his Via, and by what decides where it goes.
fn judge_loop<'a>(part: &Part<'a>, seen: &Seen<'a>, sent: &Packet<'a>) -> Result<(), &'static str> {
    let [own, others @ ..] = sent.vias.as_slice() else { return Ok(()) };
    // A proxy without state looks for no loop: Max-Forwards ends it (§16.11).
    if part.is_stateless || others.iter().all(|via| via.sent_by != own.sent_by) {
        return Ok(());
    }
    let asks =
        |request: &Packet<'a>| (request.uri(), request.texts("route", "route"), request.from_tag, request.to_tag);
    let came = |below: usize| part.copies(below, sent.method, seen.index).map(|(_, request, _)| asks(request)).next();
    let now = seen.below.and_then(came);
    let mut before = part.before(seen.index).requests_sent(sent.method).filter(|(other, packet, _)| {
        let via = packet.top();
        let tells = via.branch.rsplit_once('.').is_some_and(|(_, second)| second.len() >= SECOND_PART);
        tells && other.hop != seen.hop && others.iter().any(|other| other.id() == via.id())
    });
    let loops = now.is_some() && before.any(|(other, ..)| other.below.and_then(came) == now);
    if loops { Err("it has passed it on before as it is") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, request, response, with};
    use super::*;

    const ROUTES: &str = "Record-Route: <sip:192.0.2.7;lr>, <sip:192.0.2.1;lr>";

    /// A BYE of the caller, after a 2xx with a Contact and two recorded routes.
    fn bye(bye: &str, why: &str) {
        let ok = with("Contact: <sip:b@192.0.2.9>", &with(ROUTES, &response(200, "INVITE", &["1"])));
        let story = Story::new().sends(0, &request("INVITE", &["1"])).receives(9, &ok);
        story.sends(20, bye).shows(ROUTE, why);
    }

    #[test]
    fn a_request_in_a_dialog_goes_to_the_contact_by_what_was_recorded() {
        let right = with("Route: <sip:192.0.2.1;lr>, <sip:192.0.2.7;lr>", &in_dialog("BYE", &["2"]));
        let right = right.replace("BYE sip:b@b ", "BYE sip:b@192.0.2.9 ");
        bye(&right, "");
        bye(&right.replace("BYE sip:b@192.0.2.9 ", "BYE sip:b@b "), "its Request-URI is not the Contact of the peer");
        bye(&right.replace("<sip:192.0.2.1;lr>, ", ""), "its Route is not what was recorded");
        let turned = right.replace("<sip:192.0.2.1;lr>, <sip:192.0.2.7;lr>", "<sip:192.0.2.7;lr>, <sip:192.0.2.1;lr>");
        bye(&turned, "its Route is not what was recorded");
    }

    #[test]
    fn what_has_a_route_goes_there_and_a_proxy_takes_off_only_its_own() {
        let came = with("Route: <sip:192.0.2.0;lr>, <sip:192.0.2.1;lr>", &request("OPTIONS", &["1"]));
        let sent =
            |route: &str| Story::new().receives(0, &came).sends(0, &with(route, &request("OPTIONS", &["p", "1"])));
        sent("Route: <sip:192.0.2.1;lr>").shows(ROUTE, "");
        sent("Route: <sip:192.0.2.0;lr>, <sip:192.0.2.1;lr>").shows(ROUTE, "it does not go to its first Route");
        sent("Route: <sip:192.0.2.8;lr>").shows(ROUTE, "its Route is not what was left of the one that came");
        let sent = Story::new().receives(0, &came).sends(0, &request("OPTIONS", &["p", "1"]));
        sent.shows(ROUTE, "a Route that leads elsewhere is taken off");
    }

    #[test]
    fn a_strict_router_gets_its_own_uri() {
        let came = with("Route: <sip:192.0.2.1>, <sip:c;lr>", &request("OPTIONS", &["1"]));
        let sent = |routes: &str, uri: &str| {
            let sent = with(routes, &request("OPTIONS", &["p", "1"])).replace("sip:b@b SIP", uri);
            Story::new().receives(0, &came).sends(0, &sent)
        };
        let why = "its strict router is not its Request-URI";
        sent("Route: <sip:192.0.2.1>, <sip:c;lr>", "sip:b@192.0.2.9 SIP").shows(ROUTE, why);
        sent("Route: <sip:192.0.2.9>, <sip:b@b>", "sip:192.0.2.1 SIP").shows(ROUTE, "");
    }

    #[test]
    fn of_two_recorded_values_the_upper_one_is_for_the_next_hop() {
        let passes = |came: &str, recorded: &str, why: &str| {
            let came = with(came, &request("INVITE", &["1"])).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
            let sent = with(recorded, &request("INVITE", &["p"])).replacen(
                "\r\nFrom",
                "\r\nVia: SIP/2.0/TCP host;branch=z9hG4bK1\r\nFrom",
                1,
            );
            Story::new().receives(0, &came).sends(0, &sent).shows(ROUTE, why);
        };
        const WRONG: &str = "of its two Record-Route values one is not for its side";
        let (udp, tcp) = ("<sip:192.0.2.0;transport=udp;lr>", "<sip:192.0.2.0;transport=tcp;lr>");
        passes("Subject: none", &format!("Record-Route: {udp}, {tcp}"), "");
        passes("Subject: none", &format!("Record-Route: {tcp}, {udp}"), WRONG);
        passes("Subject: none", "Record-Route: <sip:192.0.2.0;lr>, <sip:192.0.2.9;lr>", WRONG);
        // One value serves both sides; those of others say nothing.
        passes("Subject: none", &format!("Record-Route: {tcp}"), "");
        passes(&format!("Record-Route: {tcp}, {tcp}"), &format!("Record-Route: {tcp}, {tcp}"), "");
    }

    #[test]
    fn without_transactions_each_copy_goes_where_the_first_one_went() {
        let (came, sent) = (request("INVITE", &["1"]), request("INVITE", &["p", "1"]));
        let first = |story: Story| story.receives(0, &came).sends(0, &sent);
        const ASTRAY: &str = "another copy of it went elsewhere";
        let again =
            |story: Story, at: u64, came: &str, sent: &str| first(story).receives(at, came).sends_elsewhere(at, sent);
        again(Story::stateless(), 500, &came, &sent).shows(ROUTE, ASTRAY);
        again(Story::stateless(), 32_000, &came, &sent).shows(ROUTE, "");
        again(Story::new(), 500, &came, &sent).shows(ROUTE, "");
        let (cancel, on) = (request("CANCEL", &["1"]), request("CANCEL", &["p", "1"]));
        again(Story::stateless(), 500, &cancel, &on).shows(ROUTE, ASTRAY);
        first(Story::stateless()).receives(500, &came).sends(500, &sent).shows(ROUTE, "");
        let (came, sent) = (in_dialog("BYE", &["1"]), in_dialog("BYE", &["p", "1"]));
        let moved = Story::stateless().receives(0, &came).sends(0, &sent).receives(500, &came);
        moved.sends_elsewhere(500, &sent).shows(ROUTE, "");
    }

    #[test]
    fn what_comes_by_again_as_it_was_is_a_loop() {
        let again = |own: &str, uri: &str| {
            let first =
                Story::new().receives(0, &request("OPTIONS", &["1"])).sends(0, &request("OPTIONS", &[own, "1"]));
            let came = request("OPTIONS", &[own, "1"]).replace("sip:b@b SIP", uri);
            first.receives(9, &came).sends(9, &request("OPTIONS", &["q", own, "1"]))
        };
        again("p.01234567", "sip:b@b SIP").shows(ROUTE, "it has passed it on before as it is");
        again("p.01234567", "sip:c@b SIP").shows(ROUTE, "");
        again("p", "sip:b@b SIP").shows(ROUTE, "");
    }
}
