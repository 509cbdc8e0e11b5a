//! Credentials: each proof once, none that was rejected, and no secret on the wire.

use std::collections::BTreeMap;

use sansip::Instant;

use super::forks::is_challenge as asks_for;
use super::{Names, Part, Reading, Report, Rule, Seen, Serving};
use crate::packet::Packet;
use crate::topology::PASSWORDS;

/// Digest as clients and servers owe it to each other (RFC 3261 §22, RFC 7616).
///
/// * A client uses a nonce count once: for one request, its copies, and the ACK of an INVITE (RFC 7616 §3.4, RFC 3261 §22.1).
/// * The ACK for a 2xx has the credentials of its INVITE (§22.1).
/// * A nonce that was rejected is not used again (§22.1, RFC 7616 §3.4).
/// * A server serves one request for each nonce count (RFC 7616 §3.4), and never asks for credentials in answer to a CANCEL (§22.1).
/// * A domain's server serves no request with a nonce that is older than its settings say (§22.4, RFC 7616 §3.3). A server that has users lets the
///   requests of dialogs through along known flows, whatever credentials they have.
/// * No message has a password in it.
pub const DIGEST: Rule =
    Rule::new("digest", "RFC 3261 §22; RFC 7616 §3.3, §3.4").of_runs(check_run).of_parts(check_part);

/// Credentials as a request has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Credentials<'a> {
    value: &'a str,
    of_proxy: bool,
    realm: &'a str,
    nonce: &'a str,
    count: &'a str,
}

/// The request that a proof is for: Call-ID, CSeq number and method, that of an ACK or a CANCEL being INVITE.
type Use<'a> = (&'a str, u32, &'a str);

/// Counts are those of a node, whatever the call.
fn check_run(run: &Reading<'_>, report: &mut Report<'_>) {
    if !run.parts().iter().any(asks) {
        return;
    }
    let (mut sent, mut served) = (BTreeMap::new(), BTreeMap::new());
    for part in run.parts() {
        for (seen, packet, _) in part.sent().filter(|(_, packet, _)| is_own(packet)) {
            for Credentials { nonce, count, .. } in credentials(packet) {
                let this = use_of(packet);
                if *sent.entry((part.node, nonce, count)).or_insert(this) != this {
                    report.sent(part, seen, packet, &format!("count {count} of its nonce was used before"));
                }
            }
        }
        for (seen, packet, _) in part.received().filter(|(_, packet, _)| packet.is_request()) {
            for Credentials { nonce, count, .. } in credentials(packet) {
                if !is_issued(run, part, nonce) || !is_served(part, seen, packet) {
                    continue;
                }
                let this = use_of(packet);
                if *served.entry((part.node, nonce, count)).or_insert(this) != this {
                    let what = format!(
                        "{} served {} with count {count} of a nonce, which it had served before",
                        part.name,
                        name(packet)
                    );
                    report.breach(part.node, seen.time, what);
                }
            }
        }
    }
    for serving in run.servers() {
        judge_ages(run, serving, report);
    }
}

/// Nonces age by the clock of the node that made them.
fn judge_ages(run: &Reading<'_>, serving: &Serving<'_>, report: &mut Report<'_>) {
    let own = || run.parts().iter().filter(|part| part.node == serving.node);
    let (age, has_users) = (serving.settings.digest.nonce_age, !serving.settings.users.is_empty());
    let mut made: BTreeMap<&str, Instant> = BTreeMap::new();
    for part in own() {
        for (seen, packet, _) in part.sent().filter(|(_, packet, _)| is_challenge(packet)) {
            if !part.forwards(seen.hop, packet.method) {
                for nonce in
                    packet.fields.iter().filter(|(name, _)| asks_for(name)).map(|(_, it)| parameter(it, "nonce"))
                {
                    made.entry(nonce).or_insert(seen.time);
                }
            }
        }
    }
    for part in own() {
        for (seen, packet, _) in part.received().filter(|(_, packet, _)| packet.is_request()) {
            let is_copy = part.copies(seen.hop, packet.method, seen.index).next().is_some();
            let is_exempt = has_users && !packet.to_tag.is_empty();
            // A request for the server itself needs no credentials.
            let is_judged = packet.method == "REGISTER" || part.forwards(seen.hop, packet.method);
            let is_old = |used: Credentials<'_>| made.get(used.nonce).is_some_and(|made| seen.time.since(*made) > age);
            if !is_copy && !is_exempt && is_judged && is_served(part, seen, packet) && credentials(packet).any(is_old) {
                let what = format!("{} served {} with a nonce that is too old", part.name, name(packet));
                report.breach(part.node, seen.time, what);
            }
        }
    }
}

fn check_part(part: &Part<'_>, _: &Names<'_>, report: &mut Report<'_>) {
    if !asks(part) {
        return;
    }
    for (seen, packet, _) in part.sent() {
        if let Err(why) = judge(part, seen, packet) {
            report.breach(part.node, seen.time, format!("{} sent {}: {why}", part.name, name(packet)));
        }
    }
}

fn name(packet: &Packet<'_>) -> String {
    format!("{} ({})", packet.what(), packet.top().branch)
}

/// Whether somebody asks for credentials, or gives them.
fn asks(part: &Part<'_>) -> bool {
    let mut packets = part.messages().map(|(_, packet, _)| packet);
    packets.any(|packet| is_challenge(packet) || (packet.is_request() && credentials(packet).next().is_some()))
}

fn is_challenge(packet: &Packet<'_>) -> bool {
    packet.status().is_some_and(|status| matches!(status, 401 | 407))
}

/// Whether this is a request that its sender has made, and not passed on.
fn is_own(packet: &Packet<'_>) -> bool {
    packet.is_request() && packet.vias.len() == 1
}

fn use_of<'a>(packet: &Packet<'a>) -> Use<'a> {
    let method = if matches!(packet.method, "ACK" | "CANCEL") { "INVITE" } else { packet.method };
    (packet.call_id, packet.sequence, method)
}

fn judge(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> Result<(), &'static str> {
    if is_challenge(packet) && packet.method == "CANCEL" {
        return Err("a CANCEL is not challenged");
    }
    let has = |secret: &str| packet.text.windows(secret.len()).any(|word| word == secret.as_bytes());
    if PASSWORDS.into_iter().any(has) {
        return Err("a password is in it");
    }
    if !is_own(packet) {
        return Ok(());
    }
    if packet.method == "ACK" {
        // For a rejection it goes with its INVITE, hop by hop.
        let mut invites = part
            .before(seen.index)
            .requests_sent("INVITE")
            .filter(|(_, invite, _)| (invite.from_tag, invite.sequence) == (packet.from_tag, packet.sequence));
        let invite = invites.clone().next();
        let for_rejection = invites.any(|(other, ..)| other.hop == seen.hop);
        let values =
            |of: &Packet<'_>| credentials(of).map(|credentials| credentials.value.to_owned()).collect::<Vec<_>>();
        return match invite {
            Some((_, invite, _)) if !for_rejection && values(invite) != values(packet) => {
                Err("its credentials are not those of its INVITE")
            }
            _ => Ok(()),
        };
    }
    let is_copy = part.of(seen.hop).before(seen.index).sent().next().is_some();
    let rejected = |used: &Credentials<'_>| {
        part.before(seen.index).received().any(|(response, packet, _)| {
            let asked = part.of(response.hop).sent().find(|(_, request, _)| request.is_request());
            is_challenge(packet)
                && asked.is_some_and(|(_, request, _)| credentials(request).any(|earlier| earlier.nonce == used.nonce))
                && rejects(packet, used)
        })
    };
    if !is_copy && packet.method != "CANCEL" && credentials(packet).any(|used| rejected(&used)) {
        return Err("its nonce was rejected before");
    }
    Ok(())
}

/// Whether a challenge is to these credentials: those of the same realm, of a server (401) or of a proxy (407).
fn rejects(challenge: &Packet<'_>, used: &Credentials<'_>) -> bool {
    let name = if used.of_proxy { "proxy-authenticate" } else { "www-authenticate" };
    let mut fields = challenge.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
    fields.any(|(_, value)| parameter(value, "realm") == used.realm)
}

/// Whether this node has made this nonce.
fn is_issued(run: &Reading<'_>, part: &Part<'_>, nonce: &str) -> bool {
    let mut own = run.parts().iter().filter(|other| other.node == part.node);
    own.any(|part| {
        let mut challenges = part.sent().filter(|(_, packet, _)| is_challenge(packet));
        challenges.any(|(seen, packet, _)| {
            let says = packet.fields.iter().any(|(_, value)| parameter(value, "nonce") == nonce);
            says && !part.forwards(seen.hop, packet.method)
        })
    })
}

/// Whether this node has let the request through: it answers otherwise than by refusing the credentials, or sends the request on.
fn is_served(part: &Part<'_>, seen: &Seen<'_>, packet: &Packet<'_>) -> bool {
    let mut answers = part.of(seen.hop).responses_sent(packet.method).filter(|(_, response, _)| {
        response.status().is_some_and(|status| status > 100 && !matches!(status, 400 | 401 | 407))
    });
    !matches!(packet.method, "ACK" | "CANCEL") && (part.forwards(seen.hop, packet.method) || answers.next().is_some())
}

/// All credentials of a request, of servers and of proxies.
fn credentials<'a>(packet: &Packet<'a>) -> impl Iterator<Item = Credentials<'a>> + use<'a> {
    let fields = packet.fields.clone().into_iter().filter_map(|(name, value)| {
        let of_proxy = name.eq_ignore_ascii_case("proxy-authorization");
        (of_proxy || name.eq_ignore_ascii_case("authorization")).then_some((of_proxy, value))
    });
    fields.map(|(of_proxy, value)| Credentials {
        value,
        of_proxy,
        realm: parameter(value, "realm"),
        nonce: parameter(value, "nonce"),
        count: parameter(value, "nc"),
    })
}

/// The value of a parameter without its quotes, empty if it is not there.
fn parameter<'a>(value: &'a str, name: &str) -> &'a str {
    let mut quoted = false;
    let mut parts = value.split(move |c| {
        quoted ^= c == '"';
        !quoted && (c == ',' || c == ' ')
    });
    let found =
        parts.find_map(|part| part.split_once('=').filter(|(found, _)| found.trim().eq_ignore_ascii_case(name)));
    found.map_or("", |(_, value)| value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::super::story::{Story, in_dialog, numbered, request, response, with};
    use super::*;
    use sansip::Duration;
    use sansip::auth::Secret;
    use sansip::server::{Digest, Settings, User};

    fn by(nonce: &str, count: u32, message: &str) -> String {
        let value =
            format!("Digest username=\"alice\", realm=\"a, b\", nonce=\"{nonce}\", nc={count:08x}, response=\"0\"");
        with(&format!("Authorization: {value}"), message)
    }

    fn asked(number: u32, via: &str) -> String {
        numbered(number, &in_dialog("INFO", &[via]))
    }

    #[test]
    fn a_count_of_a_nonce_is_used_once() {
        const TWICE: &str = "count 00000001 of its nonce was used before";
        let first = || Story::new().sends(0, &by("n", 1, &asked(2, "1")));
        first().sends(1, &by("n", 2, &asked(3, "2"))).shows(DIGEST, "");
        first().sends(1, &by("m", 1, &asked(3, "2"))).shows(DIGEST, "");
        first().sends(1, &by("n", 1, &asked(2, "1"))).shows(DIGEST, "");
        first().sends(1, &by("n", 1, &asked(3, "2"))).shows(DIGEST, TWICE);
    }

    #[test]
    fn the_ack_for_a_2xx_has_the_credentials_of_its_invite() {
        let story = || Story::new().sends(0, &by("n", 1, &request("INVITE", &["1"])));
        let ack = in_dialog("ACK", &["2"]);
        story().sends(9, &by("n", 1, &ack)).shows(DIGEST, "");
        story().sends(9, &ack).shows(DIGEST, "its credentials are not those of its INVITE");
        story().sends(9, &request("ACK", &["1"])).shows(DIGEST, "");
    }

    fn rejection(realm: &str) -> String {
        with(&format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"m\""), &response(401, "INFO", &["1"]))
    }

    #[test]
    fn a_nonce_that_was_rejected_is_not_used_again_and_a_cancel_not_challenged() {
        let story = || Story::new().sends(0, &by("n", 1, &asked(2, "1"))).receives(5, &rejection("a, b"));
        story().sends(9, &by("m", 1, &asked(3, "2"))).shows(DIGEST, "");
        story().sends(9, &by("n", 2, &asked(3, "2"))).shows(DIGEST, "its nonce was rejected before");
        let elsewhere = Story::new().sends(0, &by("n", 1, &asked(2, "1"))).receives(5, &rejection("c"));
        elsewhere.sends(9, &by("n", 2, &asked(3, "2"))).shows(DIGEST, "");
        let cancelled = Story::new().receives(0, &request("CANCEL", &["1"]));
        cancelled.sends(1, &response(401, "CANCEL", &["1"])).shows(DIGEST, "a CANCEL is not challenged");
    }

    #[test]
    fn a_nonce_serves_no_request_when_it_is_too_old() {
        let users = || vec![User { name: "a".into(), domain: "b".parse().unwrap(), secret: Secret::password("s") }];
        let tells = |users: Vec<User>, to: &str, at: u64, why: &str| {
            let digest = Digest { nonce_age: Duration::from_secs(5), ..Digest::default() };
            let challenge = with("Proxy-Authenticate: Digest realm=\"a\", nonce=\"n\"", &response(407, "INFO", &["1"]));
            let proof = "Proxy-Authorization: Digest realm=\"a\", nonce=\"n\", nc=00000001";
            let [came, sent] =
                [&["2"][..], &["p", "2"]].map(|vias| numbered(3, &request("INFO", vias)).replace("<sip:b@b>", to));
            let story = Story::server(Settings { users, digest, ..Settings::default() });
            let story = story.receives(0, &asked(2, "1")).sends(0, &challenge);
            story.receives(at, &with(proof, &came)).sends(at, &with(proof, &sent)).shows(DIGEST, why);
        };
        const OLD: &str = "judged served INFO (z9hG4bK2) with a nonce that is too old";
        let (outside, inside) = ("<sip:b@b>", "<sip:b@b>;tag=b");
        tells(users(), outside, 5_000, "");
        tells(users(), outside, 5_001, OLD);
        tells(users(), inside, 5_001, "");
        tells(Vec::new(), inside, 5_001, OLD);
    }

    #[test]
    fn a_server_serves_a_count_once_and_nobody_says_a_password() {
        let challenge = with("WWW-Authenticate: Digest realm=\"a\", nonce=\"n\"", &response(401, "INFO", &["1"]));
        let asks = || Story::new().receives(0, &asked(2, "1")).sends(0, &challenge);
        let second = asks().receives(5, &by("n", 1, &asked(3, "2"))).sends(5, &response(200, "INFO", &["2"]));
        let third = |status| {
            let replay = by("n", 1, &asked(4, "3"));
            asks()
                .receives(5, &by("n", 1, &asked(3, "2")))
                .sends(5, &response(200, "INFO", &["2"]))
                .receives(9, &replay)
                .sends(9, &response(status, "INFO", &["3"]))
        };
        second.shows(DIGEST, "");
        third(401).shows(DIGEST, "");
        third(200).shows(DIGEST, "with count 00000001 of a nonce, which it had served before");
        let secret = with(&format!("X-Debug: {}", PASSWORDS[1]), &by("n", 1, &asked(2, "1")));
        Story::new().sends(0, &secret).shows(DIGEST, "a password is in it");
    }
}
