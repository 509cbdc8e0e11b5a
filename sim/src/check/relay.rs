//! Relay: nobody carries for strangers.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use sansip::server::Peer;

use super::resends::is_at_once;
use super::route::{is_loose, leads_to};
use super::{Names, Part, Reading, Report, Rule, Seen, Serving};
use crate::packet::{Packet, host_port, uri_of};

/// A domain's server passes a request on only if somebody whom it serves has a right to that. The right is one of these:
///
/// * The Request-URI is of the domain, so that the request is for a user of the domain.
/// * A route of the settings is for it, or the settings relay everything, or trust the peer that it came from.
/// * It is of a dialog (it has a To tag) and came along a Record-Route value that a server wrote into a request of that Call-ID
///   (RFC 3261 §16.4, §16.6 step 4).
/// * It is of a dialog and came along a flow over which somebody registered or proved who he is.
/// * It has credentials (§22.3) with a nonce that this server gave.
///
/// None of these but the last three is a right to be led along a Route of somebody else.
///
/// Whatever the right, a request goes to a special address (loopback, private, shared, link-local, a group's, none) only if the settings name that, a
/// registration came from there, a message of its Call-ID did or went there, the copy that came did from the same block, or users prove who they are and so
/// may say where they are themselves.
///
/// Whoever has that right by a dialog is not refused for want of room: a call in progress goes on while others get 503.
pub const RELAY: Rule = Rule::new("relay", "RFC 3261 §16.3, §16.4, §22.3, §26.3.1").of_runs(check_run);

fn check_run(run: &Reading<'_>, report: &mut Report<'_>) {
    for serving in run.servers() {
        let server = Server::new(run, serving);
        for part in run.parts().iter().filter(|part| part.node == serving.node) {
            for (seen, packet, _) in part.sent().filter(|(_, packet, _)| packet.status() == Some(503)) {
                if server.stops_call(run, part, seen, packet) {
                    report.sent(part, seen, packet, "the call is in progress");
                }
            }
            for (seen, packet, carried) in part.sent().filter(|(_, packet, _)| packet.is_request()) {
                let is_first = !part.of(seen.hop).before(seen.index).sends(packet.method);
                if is_first && !server.may_pass_on(run, part, seen, packet) {
                    let (what, branch, to) = (packet.what(), packet.top().branch, carried.destination);
                    let what = format!("{} passed {what} ({branch}) on to {to} for a stranger", part.name);
                    report.breach(part.node, seen.time, what);
                }
                if is_first && !server.may_reach(part, seen, packet, carried.destination.ip()) {
                    let (what, branch, to) = (packet.what(), packet.top().branch, carried.destination);
                    report.breach(
                        part.node,
                        seen.time,
                        format!("{} sent {what} ({branch}) to {to}, for which nobody vouches", part.name),
                    );
                }
            }
        }
    }
}

/// A server, with whom it knows.
struct Server<'a> {
    serving: &'a Serving<'a>,
    names: Names<'a>,
    addresses: BTreeSet<IpAddr>,
    /// Where somebody registered or showed credentials from.
    flows: BTreeSet<SocketAddr>,
    /// The nonces of its challenges.
    nonces: BTreeSet<&'a str>,
}

impl<'a> Server<'a> {
    fn new(run: &Reading<'a>, serving: &'a Serving<'a>) -> Self {
        let (mut addresses, mut flows, mut nonces) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for part in run.parts().iter().filter(|part| part.node == serving.node) {
            for (seen, packet, carried) in part.sent() {
                addresses.insert(carried.source.ip());
                if packet.answers(2, "REGISTER") {
                    let asked = part.copies(seen.hop, "REGISTER", seen.index);
                    flows.extend(asked.map(|(_, _, carried)| carried.source));
                }
                nonces.extend(packet.values("proxy-authenticate", "proxy-authenticate").filter_map(nonce_of));
                nonces.extend(packet.values("www-authenticate", "www-authenticate").filter_map(nonce_of));
            }
        }
        for part in run.parts().iter().filter(|part| part.node == serving.node) {
            let proved = part.received().filter(|(_, packet, _)| packet.is_request() && has_nonce(packet, &nonces));
            flows.extend(proved.map(|(_, _, carried)| carried.source));
        }
        Self { serving, names: run.names(), addresses, flows, nonces }
    }

    /// Whether a request that was sent may have been, on behalf of any copy that came.
    fn may_pass_on(&self, run: &Reading<'_>, part: &Part<'_>, seen: &Seen<'_>, sent: &Packet<'_>) -> bool {
        let Some(below) = seen.below else { return true };
        let mut came = part.copies(below, sent.method, seen.index).peekable();
        came.peek().is_none() || came.any(|(_, request, carried)| self.serves(run, request, carried.source))
    }

    /// Whether somebody vouches for the address that a request was passed on to, if that is special.
    fn may_reach(&self, part: &Part<'_>, seen: &Seen<'_>, sent: &Packet<'_>, to: IpAddr) -> bool {
        let Some(below) = seen.below.filter(|_| is_special(to)) else { return true };
        let settings = &self.serving.settings;
        let domains = settings.domains.iter().chain(settings.aliases.iter().map(|alias| &alias.name));
        let hops = settings.routes.iter().map(|it| &it.next_hop).chain(settings.gateways.iter().map(|it| &it.next_hop));
        let mut named = domains.map(ToString::to_string).chain(hops.map(|hop| hop.target().to_string()));
        let mut before = part.messages().take_while(|(it, ..)| it.index < seen.index);
        let mut came = part.copies(below, sent.method, seen.index);
        !settings.users.is_empty() && !to.is_loopback()
            || named.any(|name| leads_to(&self.names, &name, to))
            || settings.trusted.iter().any(|peer| is_peer(peer, to))
            || self.flows.iter().any(|flow| flow.ip() == to)
            || before.any(|(_, _, carried)| [carried.source.ip(), carried.destination.ip()].contains(&to))
            || came.any(|(_, _, carried)| block(carried.source.ip()) == block(to))
    }

    /// Whether a request of a dialog that is known was refused at once, to be sent again later.
    fn stops_call(&self, run: &Reading<'_>, part: &Part<'_>, seen: &Seen<'_>, refusal: &Packet<'_>) -> bool {
        let came = part.copies(seen.hop, refusal.method, seen.index).next();
        let is_recorded = |request: &Packet<'_>| {
            let route = request.values("route", "route").map(uri_of).next();
            !request.to_tag.is_empty() && route.is_some_and(|route| is_recorded(run, request, route))
        };
        is_at_once(part, seen, refusal) && came.is_some_and(|(_, request, _)| is_recorded(request))
    }

    fn serves(&self, run: &Reading<'_>, request: &Packet<'_>, source: SocketAddr) -> bool {
        let settings = &self.serving.settings;
        let Some(uri) = request.uri() else { return true };
        let routes = request.uris("route", "route");
        let left = routes.iter().find(|route| !self.is_here(route));
        // A strict router has put what this server recorded into the Request-URI.
        let by_strict_router = self.is_here(uri) && is_loose(uri) && !uri.contains('@');
        if left.is_none() && !by_strict_router && (self.is_here(uri) || self.has_route(uri)) {
            return true;
        }
        if settings.relay || settings.trusted.iter().any(|peer| is_peer(peer, source.ip())) {
            return true;
        }
        let in_dialog = !request.to_tag.is_empty();
        if in_dialog
            && (self.flows.contains(&source) || routes.iter().chain([&uri]).any(|it| is_recorded(run, request, it)))
        {
            return true;
        }
        has_nonce(request, &self.nonces)
    }

    /// Whether a URI leads to this server.
    fn is_here(&self, uri: &str) -> bool {
        let at = host_port(uri);
        let host = at.split(':').next().unwrap_or(at);
        let settings = &self.serving.settings;
        let mut names = settings.domains.iter().chain(settings.aliases.iter().map(|alias| &alias.name));
        names.any(|domain| domain.to_string().eq_ignore_ascii_case(host))
            || self.addresses.iter().any(|address| leads_to(&self.names, at, *address))
    }

    fn has_route(&self, uri: &str) -> bool {
        let at = host_port(uri);
        let (host, whole) = (at.split(':').next().unwrap_or(at), uri.split([';', '?']).next().unwrap_or(uri));
        self.serving.settings.routes.iter().map(|route| route.key.to_string()).any(|key| {
            let is = |text: &str| key.eq_ignore_ascii_case(text);
            key == "*" || is(at) || is(host) || whole.split_once(':').is_some_and(|(_, whole)| is(whole))
        })
    }
}

/// Whether an address is special: loopback, private, shared, link-local, a group's, or none at all.
fn is_special(address: IpAddr) -> bool {
    block(address).is_some()
        || match address {
            IpAddr::V4(address) => {
                address.is_link_local()
                    || address.is_multicast()
                    || address.octets()[0] == 0
                    || address.octets()[0] == 255
            }
            IpAddr::V6(address) => {
                address.is_multicast() || address.is_unspecified() || address.is_unicast_link_local()
            }
        }
}

/// The block of loopback, private or shared addresses that an address is in (RFC 1122 §3.2.1.3, RFC 1918 §3, RFC 4193 §3.1, RFC 6598 §7), by a number.
fn block(address: IpAddr) -> Option<u8> {
    match address {
        IpAddr::V4(address) => match address.octets() {
            [10, ..] => Some(0),
            [172, 16..=31, ..] => Some(1),
            [192, 168, ..] => Some(2),
            [100, 64..=127, ..] => Some(3),
            [127, ..] => Some(4),
            _ => None,
        },
        IpAddr::V6(address) if address.is_loopback() => Some(5),
        IpAddr::V6(address) if address.is_unique_local() => Some(6),
        IpAddr::V6(_) => None,
    }
}

/// Whether a peer is trusted by its address; who it proves to be by TLS is not in the trace.
fn is_peer(peer: &Peer, address: IpAddr) -> bool {
    match (peer, address) {
        (Peer::Network { address: IpAddr::V4(network), bits }, IpAddr::V4(address)) => {
            (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(*bits)
        }
        (Peer::Network { address: IpAddr::V6(network), bits }, IpAddr::V6(address)) => {
            (network.to_bits() ^ address.to_bits()).leading_zeros() >= u32::from(*bits)
        }
        _ => false,
    }
}

/// Whether this Record-Route value was written into a request of this Call-ID by a server: it was not there when the request came.
fn is_recorded(run: &Reading<'_>, request: &Packet<'_>, value: &str) -> bool {
    // A server of a farm that has crashed since is in no list any more.
    let is_server = |part: &&Part<'_>| part.crashed || run.servers().iter().any(|serving| serving.node == part.node);
    run.parts().iter().filter(|part| part.call_id == request.call_id).filter(is_server).any(|part| {
        part.sent().any(|(seen, sent, _)| {
            let Some(below) = seen.below.filter(|_| sent.is_request() && records(sent, value)) else { return false };
            !part.copies(below, sent.method, seen.index).any(|(_, came, _)| records(came, value))
        })
    })
}

fn records(packet: &Packet<'_>, value: &str) -> bool {
    packet.values("record-route", "record-route").any(|it| uri_of(it) == value)
}

fn has_nonce(request: &Packet<'_>, nonces: &BTreeSet<&str>) -> bool {
    let credentials = request.fields.iter().filter(|(name, _)| {
        name.eq_ignore_ascii_case("proxy-authorization") || name.eq_ignore_ascii_case("authorization")
    });
    credentials.filter_map(|(_, value)| nonce_of(value)).any(|nonce| nonces.contains(nonce))
}

fn nonce_of(value: &str) -> Option<&str> {
    value.split_once("nonce=\"")?.1.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, request, response, with};
    use super::*;
    use sansip::server::Settings;

    /// The node that is judged, 192.0.2.0, is responsible for b, and passes something on that came.
    fn passes(came: &str, sent: &str, why: &str) {
        let settings = Settings { domains: vec!["b".parse().unwrap()], ..Settings::default() };
        Story::server(settings).receives(0, came).sends(9, sent).shows(RELAY, why);
    }

    const STRANGER: &str = "judged passed BYE (z9hG4bKp) on to 192.0.2.1:5060 for a stranger";

    fn to_address(text: &str) -> String {
        text.replace("sip:b@b SIP", "sip:b@192.0.2.1 SIP")
    }

    #[test]
    fn own_users_are_reached_and_nobody_else() {
        let (came, sent) = (in_dialog("BYE", &["1"]), in_dialog("BYE", &["p", "1"]));
        passes(&came, &sent, "");
        passes(&to_address(&came), &to_address(&sent), STRANGER);
        for route in ["Route: <sip:192.0.2.1;lr>", "Route: <sip:192.0.2.0;lr>, <sip:192.0.2.1;lr>"] {
            passes(&with(route, &came), &with("Route: <sip:192.0.2.1;lr>", &sent), STRANGER);
        }
    }

    #[test]
    fn what_was_recorded_leads_on_in_its_dialog_alone() {
        const OURS: &str = "<sip:192.0.2.0;lr;token=1>";
        let invite =
            (request("INVITE", &["9"]), with(&format!("Record-Route: {OURS}"), &request("INVITE", &["q", "9"])));
        let (came, sent) = (to_address(&in_dialog("BYE", &["1"])), to_address(&in_dialog("BYE", &["p", "1"])));
        let tells = |came: &str, sent: &str, why: &str| {
            let settings = Settings { domains: vec!["b".parse().unwrap()], ..Settings::default() };
            let story = Story::server(settings).receives(0, &invite.0).sends(0, &invite.1);
            story.receives(9, came).sends(9, sent).shows(RELAY, why);
        };
        let along = with(&format!("Route: {OURS}"), &came);
        tells(&along, &sent, "");
        tells(&came, &sent, STRANGER);
        tells(&with("Route: <sip:192.0.2.0;lr;token=2>", &came), &sent, STRANGER);
        let outside = |text: &str| text.replace(";tag=b", "");
        tells(&outside(&along), &outside(&sent), STRANGER);
        let full = |to: &str, fields: &str, why: &str| {
            let settings = Settings { domains: vec!["b".parse().unwrap()], ..Settings::default() };
            let story = Story::server(settings).receives(0, &invite.0).sends(0, &invite.1);
            let refusal = with(fields, &response(503, "BYE", &["1"]));
            story.receives(9, &along.replace(";tag=b", to)).sends(9, &refusal).shows(RELAY, why);
        };
        full(";tag=b", "Retry-After: 9", "judged sent 503 to BYE (z9hG4bK1): the call is in progress");
        full(";tag=b", "Subject: from downstream", "");
        full("", "Retry-After: 9", "");
        let of_another_call = |text: &str| text.replace("Call-ID: c", "Call-ID: d");
        tells(&of_another_call(&along), &of_another_call(&sent), STRANGER);
    }

    #[test]
    fn special_addresses_are_known_by_their_blocks() {
        let is = |text: &str| is_special(text.parse().unwrap());
        for special in [
            "10.0.0.1",
            "172.31.0.1",
            "192.168.1.1",
            "100.127.0.1",
            "127.0.0.1",
            "169.254.0.1",
            "224.0.0.1",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
            "::",
        ] {
            assert!(is(special), "{special}");
        }
        for usual in ["9.0.0.1", "172.32.0.1", "192.0.2.1", "100.128.0.1", "2001:db8::1"] {
            assert!(!is(usual), "{usual}");
        }
        assert_eq!(block("10.0.0.1".parse().unwrap()), block("10.9.0.1".parse().unwrap()));
        assert_ne!(block("10.0.0.1".parse().unwrap()), block("172.16.0.1".parse().unwrap()));
    }

    #[test]
    fn who_is_trusted_or_has_shown_credentials_is_no_stranger() {
        let (came, sent) = (to_address(&request("INVITE", &["1"])), to_address(&request("INVITE", &["p", "1"])));
        let trusting = |peer: &str| Settings { trusted: vec![peer.parse().unwrap()], ..Settings::default() };
        let story = |settings| Story::server(settings).receives(0, &came).sends(9, &sent);
        story(trusting("192.0.2.0/24")).shows(RELAY, "");
        story(trusting("192.0.3.0/24")).shows(RELAY, &STRANGER.replace("BYE", "INVITE"));
        let challenge = with("Proxy-Authenticate: Digest nonce=\"n\"", &response(407, "INVITE", &["0"]));
        let proves = |nonce: &str, why: &str| {
            let came = with(&format!("Proxy-Authorization: Digest nonce=\"{nonce}\""), &came);
            let story = Story::server(Settings::default()).receives(0, &request("INVITE", &["0"]));
            story.sends(0, &challenge).receives(1, &came).sends(9, &sent).shows(RELAY, why);
        };
        proves("n", "");
        proves("m", &STRANGER.replace("BYE", "INVITE"));
    }
}
