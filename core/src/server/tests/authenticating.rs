//! Digest in front of registrar and proxy (RFC 3261 §22), trusted peers, and settings that change.

use super::*;
use crate::auth::{Fields, Ha1, HashFunction, Keyring, Limits, Login, Outcome, Scope, Secret, ServerProof, Unknown};
use crate::server::{Digest, Misconfigured, Peer, Route, User};
use crate::{NextHop, Random, Script};

pub(super) fn user(name: &str, password: &str) -> User {
    User { name: name.into(), domain: "biloxi.com".parse().unwrap(), secret: Secret::password(password) }
}

/// biloxi.com with the users alice and bob.
fn bench() -> Bench {
    Bench::with(|settings| settings.users = [user("alice", "a"), user("bob", "b")].into())
}

pub(super) const ALICE_HERE: &str = "sip:alice@biloxi.com";

pub(super) fn register(branch: &str, to: &str, from: &str) -> String {
    format!(
        "REGISTER sip:biloxi.com SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK{branch}
        Max-Forwards: 70
        To: <{to}>
        From: <{from}>;tag=1
        Call-ID: r1
        CSeq: 1 REGISTER
        Contact: <sip:bob@192.0.2.4>
        Content-Length: 0"
    )
}

/// A call of alice's to `uri`.
pub(super) fn call(branch: &str, from: &str, uri: &str) -> String {
    format!(
        "INVITE {uri} SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{branch}
        Max-Forwards: 70
        To: <{uri}>
        From: <{from}>;tag=1
        Call-ID: c1
        CSeq: 1 INVITE
        Contact: <sip:alice@192.0.2.1>
        Content-Length: 0"
    )
}

fn parse(text: &str) -> Request {
    let lines: Vec<&str> = text.trim().lines().map(str::trim).collect();
    match Message::parse((lines.join("\r\n") + "\r\n\r\n").as_bytes(), &Default::default()).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a request"),
    }
}

/// The request again, under another branch, as someone with this login answers the challenge.
pub(super) fn again(text: &str, branch: &str, challenged: &Sent, user: &str, password: &str) -> String {
    let mut keyring = Keyring::new(Limits::default());
    keyring.insert((), Scope::realm("biloxi.com"), Login::new(user, Secret::password(password))).unwrap();
    let mut random = Random::new(Seed::from_u64(7), Script::default());
    let request = parse(text);
    let Outcome::Again(fields) = keyring.answer((), &request, challenged.response(), Unknown::Ask, &mut random) else {
        panic!("a challenge that can be answered");
    };
    with(text, branch, &fields)
}

fn with(text: &str, branch: &str, fields: &Fields) -> String {
    let mut out = String::new();
    for line in text.trim().lines().map(str::trim) {
        match line.split_once("branch=") {
            Some((before, _)) => out += &format!("{before}branch=z9hG4bK{branch}\n"),
            None => out += &format!("{}\n", line.replace("CSeq: 1 ", "CSeq: 2 ")),
        }
        if line.starts_with("Max-Forwards") {
            for (id, value) in fields.iter() {
                out += &format!("{}: {}\n", id.as_str(), core::str::from_utf8(value).unwrap());
            }
        }
    }
    out
}

pub(super) const BOB_HERE: &str = "sip:bob@biloxi.com";

#[test]
fn a_registration_is_challenged_by_the_registrar_and_bound_with_the_right_password() {
    let mut bench = bench();
    let text = register("1", BOB_HERE, BOB_HERE);
    let challenged = bench.receive(BOB, &text);
    assert_eq!(summaries(&challenged), ["401 192.0.2.4:5060"]);
    let challenges = challenged[0].values(HeaderId::WwwAuthenticate);
    // RFC 8760 §2.3: one for each algorithm, the most preferred first. §22.1: the realm is the domain.
    assert!(challenges[0].starts_with("Digest realm=\"biloxi.com\"") && challenges[0].contains("algorithm=SHA-256"));
    assert!(challenges.len() == 2 && challenges[1].contains("algorithm=MD5"));
    assert!(bench.server.bindings("bob@biloxi.com").is_empty());
    let wrong = bench.receive(BOB, &again(&text, "2", &challenged[0], "bob", "x"));
    assert_eq!(summaries(&wrong), ["401 192.0.2.4:5060"]);
    let nobody = bench.receive(BOB, &again(&text, "3", &wrong[0], "carol", "b"));
    assert_eq!(summaries(&nobody), ["401 192.0.2.4:5060"]);
    let right = bench.receive(BOB, &again(&text, "4", &nobody[0], "bob", "b"));
    assert_eq!(summaries(&right), ["200 192.0.2.4:5060"]);
    assert!(right[0].values(HeaderId::AuthenticationInfo)[0].contains("rspauth="));
    assert_eq!(bench.server.bindings("bob@biloxi.com").len(), 1);
    bench.comes_to_rest();
}

#[test]
fn nobody_registers_with_the_password_of_another() {
    // §10.3 step 4: alice proves to be alice, and may not change bob's bindings.
    for (to, from) in [(BOB_HERE, BOB_HERE), (BOB_HERE, ALICE_HERE), (ALICE_HERE, BOB_HERE)] {
        let mut bench = bench();
        let text = register("1", to, from);
        let challenged = bench.receive(BOB, &text);
        let sent = bench.receive(BOB, &again(&text, "2", &challenged[0], "alice", "a"));
        assert_eq!(summaries(&sent), ["403 192.0.2.4:5060"], "{to} {from}");
    }
    let mut bench = bench();
    let mut settings = bench.server.settings().clone();
    settings.registrar.third_party = true;
    bench.server.set_settings(bench.now, settings).unwrap();
    let text = register("1", BOB_HERE, ALICE_HERE);
    let challenged = bench.receive(BOB, &text);
    let sent = bench.receive(BOB, &again(&text, "2", &challenged[0], "alice", "a"));
    assert_eq!(summaries(&sent), ["200 192.0.2.4:5060"]);
}

#[test]
fn a_call_of_an_own_user_is_challenged_by_the_proxy_and_relayed_with_the_right_password() {
    let mut bench = bench();
    let text = call("1", ALICE_HERE, "sip:carol@192.0.2.77");
    let challenged = bench.receive(ALICE, &text);
    // RFC 3665 §3.2: no 100 before the 407.
    assert_eq!(summaries(&challenged), ["407 192.0.2.1:5060"]);
    assert_eq!(challenged[0].values(HeaderId::ProxyAuthenticate).len(), 2);
    // Even to a bare address, which is closed to others.
    let text_again = again(&text, "2", &challenged[0], "alice", "a");
    let sent = bench.receive(ALICE, &text_again);
    assert_eq!(summaries(&sent), ["100 192.0.2.1:5060", "INVITE 192.0.2.77:5060"]);
    // The credentials stay as they are: another proxy may be asked for the same realm.
    assert_eq!(sent[1].values(HeaderId::ProxyAuthorization).len(), 1);
}

#[test]
fn the_sender_must_be_the_user_or_hide() {
    let to = "sip:carol@chicago.com";
    for (from, status) in [(BOB_HERE, "403"), ("sip:anonymous@anonymous.invalid", "100")] {
        let mut bench = bench();
        let text = call("1", from, to);
        let challenged = bench.receive(ALICE, &text);
        assert_eq!(summaries(&challenged), ["407 192.0.2.1:5060"], "{from}");
        let sent = bench.receive(ALICE, &again(&text, "2", &challenged[0], "alice", "a"));
        assert_eq!(summaries(&sent)[0], format!("{status} 192.0.2.1:5060"), "{from}");
    }
    // Who is nobody of ours could not prove it, and is not asked.
    assert_eq!(summaries(&bench().receive(ALICE, &call("1", "sip:alice@chicago.com", to))), ["403 192.0.2.1:5060"]);
}

/// RFC 3261 §8.2.7: a stranger may pretend to be anybody, so a refusal is no more than the answer to each copy of the INVITE, and nothing is kept. What
/// §16.3 refuses is refused first. Whoever has credentials, or comes over a connection, gets a transaction.
#[test]
fn an_invite_of_a_stranger_is_refused_once_for_each_copy() {
    let mut bench = bench();
    let stranger = call("1", "sip:mallory@chicago.com", BOB_HERE);
    let first = bench.receive(ALICE, &stranger);
    let again = bench.receive(ALICE, &stranger);
    assert_eq!(summaries(&first), ["480 192.0.2.1:5060"]);
    assert_eq!(first[0].message.as_bytes(), again[0].message.as_bytes());
    assert_eq!(bench.server.endpoint().census().server_transactions, 0);
    let tag = first[0].response().to_header().unwrap().tag().unwrap();
    let ack =
        stranger.replace("INVITE", "ACK").replace(&format!("To: <{BOB_HERE}>"), &format!("To: <{BOB_HERE}>;tag={tag}"));
    let absorbed = bench.server.endpoint().stats().absorbed;
    assert!(bench.receive(ALICE, &ack).is_empty());
    assert_eq!(bench.server.endpoint().stats().absorbed, absorbed + 1, "{ack}");
    assert!(bench.wait(Duration::from_secs(64)).is_empty());
    let no_hops = stranger.replace("Max-Forwards: 70", "Max-Forwards: 0").replace("z9hG4bK1", "z9hG4bK2");
    assert_eq!(summaries(&bench.receive(ALICE, &no_hops)), ["483 192.0.2.1:5060"]);
    assert_eq!(bench.server.endpoint().census().server_transactions, 0);
}

#[test]
fn strangers_reach_own_users_and_nobody_else() {
    let mut bench = bench();
    bench.receive(BOB, &register("r", BOB_HERE, BOB_HERE));
    let stranger = "sip:mallory@chicago.com";
    let sent = bench.receive(ALICE, &call("1", stranger, BOB_HERE));
    // Known by the settings, and not registered.
    assert_eq!(summaries(&sent), ["480 192.0.2.1:5060"]);
    for uri in ["sip:carol@chicago.com", "sip:192.0.2.77", "sip:carol@carol.chicago.com"] {
        let sent = bench.receive(ALICE, &call(&format!("x{}", uri.len()), stranger, uri));
        assert_eq!(summaries(&sent), ["403 192.0.2.1:5060"], "{uri}");
    }
    let routed = "Route: <sip:192.0.2.3;lr>\nRoute: <sip:192.0.2.77;lr>\n";
    let text = call("y", stranger, BOB_HERE).replace("Max-Forwards", &format!("{routed}Max-Forwards"));
    assert_eq!(summaries(&bench.receive(ALICE, &text)), ["403 192.0.2.1:5060"]);
    // Neither an ACK nor a CANCEL, for which nobody can be asked, is a way around it.
    let ack = call("z", stranger, "sip:carol@chicago.com").replace("INVITE", "ACK");
    assert!(bench.receive(ALICE, &ack).is_empty());
    let cancel = call("z2", stranger, "sip:carol@chicago.com").replace("INVITE", "CANCEL");
    assert_eq!(summaries(&bench.receive(ALICE, &cancel)), ["481 192.0.2.1:5060"]);
}

/// Many phones have no credentials for a BYE, and none can have any for an ACK.
#[test]
fn in_a_dialog_a_flow_that_was_authenticated_is_known() {
    let bye = |branch: &str| {
        call(branch, ALICE_HERE, "sip:carol@192.0.2.77").replace("INVITE", "BYE").replace("77>\n", "77>;tag=x\n")
    };
    let ack = |branch: &str| bye(branch).replace("BYE", "ACK");
    let mut bench = bench();
    assert_eq!(summaries(&bench.receive(ALICE, &bye("1"))), ["407 192.0.2.1:5060"]);
    assert!(bench.receive(ALICE, &ack("1a")).is_empty());
    let text = call("2", ALICE_HERE, "sip:carol@192.0.2.77");
    let challenged = bench.receive(ALICE, &text);
    bench.receive(ALICE, &again(&text, "3", &challenged[0], "alice", "a"));
    assert_eq!(summaries(&bench.receive(ALICE, &ack("4"))), ["ACK 192.0.2.77:5060"]);
    assert_eq!(summaries(&bench.receive(ALICE, &bye("5"))), ["BYE 192.0.2.77:5060"]);
    // From another source, out of a dialog, or too late: no.
    assert_eq!(summaries(&bench.receive("192.0.2.1:5099", &bye("6")))[0], "407 192.0.2.1:5060");
    assert_eq!(summaries(&bench.receive(ALICE, &call("7", ALICE_HERE, BOB_HERE))), ["407 192.0.2.1:5060"]);
    bench.wait(Digest::default().flow_age);
    assert_eq!(summaries(&bench.receive(ALICE, &bye("8"))), ["407 192.0.2.1:5060"]);
}

/// A phone that has proved who it is to the registrar alone, and was called, has no credentials for the proxy.
#[test]
fn in_a_dialog_a_flow_that_was_registered_is_known() {
    let within = |method: &str, branch: &str| {
        let request = call(branch, BOB_HERE, "sip:carol@192.0.2.77").replace("INVITE", method);
        request.replace("192.0.2.1", "192.0.2.4").replace("77>\n", "77>;tag=x\n")
    };
    let mut bench = bench();
    let text = register("1", BOB_HERE, BOB_HERE);
    let challenged = bench.receive(BOB, &text);
    assert_eq!(summaries(&bench.receive(BOB, &within("BYE", "2"))), ["407 192.0.2.4:5060"]);
    assert!(bench.receive(BOB, &within("ACK", "3")).is_empty());
    assert_eq!(summaries(&bench.receive(BOB, &again(&text, "4", &challenged[0], "bob", "b"))), ["200 192.0.2.4:5060"]);
    assert_eq!(summaries(&bench.receive(BOB, &within("ACK", "5"))), ["ACK 192.0.2.77:5060"]);
    assert_eq!(summaries(&bench.receive(BOB, &within("BYE", "6"))), ["BYE 192.0.2.77:5060"]);
    // From another source: no.
    assert!(bench.receive("192.0.2.4:5099", &within("ACK", "7")).is_empty());
    assert_eq!(summaries(&bench.receive("192.0.2.4:5099", &within("BYE", "8"))), ["407 192.0.2.4:5060"]);
}

#[test]
fn a_trusted_peer_is_not_asked_and_is_relayed() {
    let mut bench = Bench::with(|settings| {
        settings.users = [user("alice", "a"), user("bob", "b")].into();
        settings.trusted = ["192.0.2.0/30".parse::<Peer>().unwrap()].into();
    });
    let sent = bench.receive(ALICE, &call("1", ALICE_HERE, "sip:carol@192.0.2.77"));
    assert_eq!(summaries(&sent), ["100 192.0.2.1:5060", "INVITE 192.0.2.77:5060"]);
    assert_eq!(summaries(&bench.receive(BOB, &register("2", BOB_HERE, BOB_HERE))), ["401 192.0.2.4:5060"]);
    let by_proxy = register("3", BOB_HERE, BOB_HERE);
    assert_eq!(summaries(&bench.receive(ALICE, &by_proxy)), ["200 192.0.2.1:5060"]);
}

#[test]
fn hashes_serve_as_well_as_passwords_and_a_hash_function_without_one_refuses() {
    let ha1 = Ha1::of(HashFunction::Md5, "bob", "biloxi.com", "b");
    let mut bench = Bench::with(|settings| {
        settings.users = [User { secret: Secret::hashes([ha1]), ..user("bob", "") }].into();
    });
    let text = register("1", BOB_HERE, BOB_HERE);
    let challenged = bench.receive(BOB, &text);
    let by_sha = bench.receive(BOB, &again(&text, "2", &challenged[0], "bob", "b"));
    assert_eq!(summaries(&by_sha), ["401 192.0.2.4:5060"]);
    let mut settings = bench.server.settings().clone();
    settings.digest.algorithms = [crate::auth::Algorithm::MD5].into();
    bench.server.set_settings(bench.now, settings).unwrap();
    let challenged = bench.receive(BOB, &register("3", BOB_HERE, BOB_HERE));
    let by_md5 = bench.receive(BOB, &again(&text, "4", &challenged[0], "bob", "b"));
    assert_eq!(summaries(&by_md5), ["200 192.0.2.4:5060"]);
}

#[test]
fn settings_change_while_a_call_runs_and_no_use_of_a_nonce_is_forgotten() {
    let mut bench = bench();
    let text = register("1", BOB_HERE, BOB_HERE);
    let challenged = bench.receive(BOB, &text);
    let credentials = again(&text, "2", &challenged[0], "bob", "b");
    assert_eq!(summaries(&bench.receive(BOB, &credentials)), ["200 192.0.2.4:5060"]);
    let ringing = bench.receive(ALICE, &call("3", "sip:carol@chicago.com", BOB_HERE));
    let mut settings = bench.server.settings().clone();
    settings.users.push(user("dave", "d"));
    bench.server.set_settings(bench.now, settings).unwrap();
    // The same proof for another request.
    let replay = credentials.replace("branch=z9hG4bK2", "branch=z9hG4bK4").replace("Call-ID: r1", "Call-ID: r2");
    let refused = bench.receive(BOB, &replay);
    assert_eq!(summaries(&refused), ["401 192.0.2.4:5060"]);
    assert!(refused[0].values(HeaderId::WwwAuthenticate)[0].contains("stale=true"));
    assert_eq!(summaries(&bench.answer(&ringing[1], 486)), ["ACK 192.0.2.4:5060", "486 192.0.2.1:5060"]);
    // A user that is gone cannot log in any more.
    let mut settings = bench.server.settings().clone();
    settings.users.retain(|user| &*user.name != "bob");
    bench.server.set_settings(bench.now, settings).unwrap();
    let gone = bench.receive(BOB, &again(&text, "5", &refused[0], "bob", "b"));
    assert_eq!(summaries(&gone), ["401 192.0.2.4:5060"]);
}

/// Settings that change while a call is up are for new requests. The name of the server stays in the Record-Route, so the call finds the listener that has moved.
#[test]
fn an_alias_and_a_route_are_added_and_a_listener_moves_while_a_call_is_up() {
    let mut bench = Bench::with(|settings| settings.proxy.record_route = true);
    bench.register(1);
    let ringing = bench.receive(ALICE, &call("1", "sip:alice@chicago.com", BOB_HERE));
    let mut settings = bench.server.settings().clone();
    let (name, domain) = ("biloxi.example".parse().unwrap(), "biloxi.com".parse().unwrap());
    settings.aliases.push(crate::server::Alias { name, domain });
    let next_hop = NextHop::from("192.0.2.60:5060".parse::<SocketAddr>().unwrap());
    settings.routes.push(Route { key: "chicago.com".parse().unwrap(), next_hop });
    bench.server.set_settings(bench.now, settings).unwrap();
    assert_eq!(summaries(&bench.answer(&ringing[1], 200)), ["200 192.0.2.1:5060"]);
    for (branch, uri, next_hop) in
        [("2", "sip:bob@biloxi.example", BOB), ("3", "sip:carol@chicago.com", "192.0.2.60:5060")]
    {
        let sent = bench.receive(ALICE, &call(branch, "sip:alice@chicago.com", uri));
        assert_eq!(summaries(&sent)[1], format!("INVITE {next_hop}"), "{uri}");
    }
    let moved = Listener::udp("192.0.2.33:5070".parse().unwrap());
    let moved = moved.with_sent_by("server10.biloxi.com".parse().unwrap());
    let id = bench.listener;
    bench.server.command(bench.now, |_, cx| cx.move_listener(id, moved)).unwrap();
    let routes = ringing[1].values(HeaderId::RecordRoute).join(", ");
    let (alice, bob) = ("<sip:alice@chicago.com>;tag=1", format!("<{BOB_HERE}>;tag=t1920245060"));
    for (branch, start, source, from, to, goes_to) in [
        ("4", "ACK sip:bob@192.0.2.4", ALICE, alice, &*bob, "ACK 192.0.2.4:5060"),
        ("5", "INFO sip:alice@192.0.2.1", BOB, &*bob, alice, "INFO 192.0.2.1:5060"),
        ("6", "BYE sip:bob@192.0.2.4", ALICE, alice, &*bob, "BYE 192.0.2.4:5060"),
    ] {
        let (method, host) = (start.split_once(' ').unwrap().0, source.trim_end_matches(":5060"));
        let text = format!(
            "{start} SIP/2.0
            Via: SIP/2.0/UDP {host};branch=z9hG4bK{branch}
            Max-Forwards: 70
            Route: {routes}
            From: {from}
            To: {to}
            Call-ID: c1
            CSeq: {branch} {method}
            Content-Length: 0"
        );
        let sent = bench.receive(source, &text);
        assert_eq!(summaries(&sent), [goes_to]);
        if method != "ACK" {
            assert_eq!(summaries(&bench.answer(&sent[0], 200)), [format!("200 {source}")]);
        }
    }
}

/// A nonce that was used under settings that are gone is not taken again when they come back.
#[test]
fn a_change_of_digest_and_back_lets_no_nonce_be_used_again() {
    let mut bench = bench();
    let text = register("1", BOB_HERE, BOB_HERE);
    let challenged = bench.receive(BOB, &text);
    let credentials = again(&text, "2", &challenged[0], "bob", "b");
    assert_eq!(summaries(&bench.receive(BOB, &credentials)), ["200 192.0.2.4:5060"]);
    bench.wait(Duration::from_secs(1));
    let before = bench.server.settings().clone();
    let mut other = before.clone();
    other.digest.algorithms = [crate::auth::Algorithm::MD5].into();
    bench.server.set_settings(bench.now, other).unwrap();
    bench.server.set_settings(bench.now, before).unwrap();
    let replay = credentials.replace("branch=z9hG4bK2", "branch=z9hG4bK4").replace("Call-ID: r1", "Call-ID: r2");
    let refused = bench.receive(BOB, &replay);
    assert_eq!(summaries(&refused), ["401 192.0.2.4:5060"]);
    assert!(refused[0].values(HeaderId::WwwAuthenticate)[0].contains("stale=true"));
}

/// A server of a farm goes down, and another one gets the ACK for its stateless refusal (RFC 3261 §8.2.7).
#[test]
fn the_ack_for_a_stateless_refusal_of_one_server_of_a_farm_ends_at_the_others() {
    let server = |owner: &str, key: u8| {
        let mut config = Config::new(Seed::from_u64(key.into()));
        (config.shared_key, config.owner) = (Some(crate::Key::new([key; 16])), owner.parse().unwrap());
        Bench::of(config, |settings| settings.users = [user("alice", "a"), user("bob", "b")].into())
    };
    let stranger = call("1", "sip:mallory@chicago.com", BOB_HERE);
    let refused = server("s1", 7).receive(ALICE, &stranger);
    assert_eq!(summaries(&refused), ["480 192.0.2.1:5060"]);
    let tag = refused[0].response().to_header().unwrap().tag().unwrap().to_string();
    assert!(tag.starts_with("s1."), "{tag}");
    let absorbs = |mut bench: Bench, tag: &str| {
        let to = format!("To: <{BOB_HERE}>");
        let ack = stranger.replace("INVITE", "ACK").replace(&to, &format!("{to};tag={tag}"));
        assert!(bench.receive(ALICE, &ack).is_empty());
        bench.server.endpoint().stats().absorbed == 1
    };
    assert!(absorbs(server("s1", 7), &tag) && absorbs(server("s2", 7), &tag));
    assert!(!absorbs(server("s2", 8), &tag), "another farm");
    assert!(!absorbs(server("s2", 7), &tag[..tag.len() - 1]), "no tag of ours");
    assert!(!absorbs(server("s2", 7), "s1."), "nothing behind the owner");
}

/// The servers of a farm take the nonces of one another, whatever was done to their settings before.
#[test]
fn a_nonce_of_one_server_of_a_farm_counts_at_the_others_with_equal_settings() {
    let server = |seed| {
        let mut config = Config::new(Seed::from_u64(seed));
        config.shared_key = Some(crate::Key::new([7; 16]));
        Bench::of(config, |settings| settings.users = [user("alice", "a"), user("bob", "b")].into())
    };
    let (mut one, mut other) = (server(1), server(2));
    let text = register("1", BOB_HERE, BOB_HERE);
    let challenged = one.receive(BOB, &text);
    let fits = other.receive(BOB, &again(&text, "2", &challenged[0], "bob", "b"));
    assert_eq!(summaries(&fits), ["200 192.0.2.4:5060"]);
    // One of them had other domains and other settings in between.
    let before = other.server.settings().clone();
    let mut changed = before.clone();
    changed.digest.nonce_age = Duration::from_secs(60);
    changed.domains.insert(0, "atlanta.com".parse().unwrap());
    changed.users.insert(0, User { domain: "atlanta.com".parse().unwrap(), ..user("zoe", "z") });
    other.server.set_settings(other.now, changed).unwrap();
    let refused = other.receive(BOB, &again(&text, "3", &challenged[0], "bob", "b"));
    assert_eq!(summaries(&refused), ["401 192.0.2.4:5060"], "its challenges are others");
    other.server.set_settings(other.now, before).unwrap();
    let text = register("4", BOB_HERE, BOB_HERE).replace("Call-ID: r1", "Call-ID: r4");
    one.wait(Duration::from_secs(1));
    other.wait(Duration::from_secs(1));
    let challenged = one.receive(BOB, &text);
    let fits = other.receive(BOB, &again(&text, "5", &challenged[0], "bob", "b"));
    assert_eq!(summaries(&fits), ["200 192.0.2.4:5060"]);
    // What is for the registrar is not for the proxy.
    let call = call("6", BOB_HERE, "sip:carol@chicago.com");
    let for_proxy = again(&call, "7", &challenged[0], "bob", "b").replace("\nAuthorization", "\nProxy-Authorization");
    assert_eq!(summaries(&other.receive(BOB, &for_proxy)), ["407 192.0.2.4:5060"]);
}

#[test]
fn settings_that_cannot_work_are_refused_in_one_sentence_and_change_nothing() {
    let mut bench = bench();
    let route = |address: &str| Route {
        key: "*".parse().unwrap(),
        next_hop: NextHop::from(address.parse::<SocketAddr>().unwrap()),
    };
    let alias = |name: &str, domain: &str| crate::server::Alias {
        name: name.parse().unwrap(),
        domain: domain.parse().unwrap(),
    };
    type Spoil<'a> = &'a dyn Fn(&mut Settings);
    let cases: [(&str, Spoil<'_>); 19] = [
        ("the server has no domain", &|settings| settings.domains.clear()),
        ("the domain biloxi.com stands there twice", &|settings| settings.domains.push("BILOXI.com".parse().unwrap())),
        ("the domain biloxi.com stands there twice", &|settings| {
            settings.aliases = [alias("biloxi.com", "biloxi.com")].into()
        }),
        ("the alias a.example is of no domain of the server", &|settings| {
            settings.aliases = [alias("a.example", "chicago.com")].into();
        }),
        ("the route for * leads to the server itself", &|settings| settings.routes = [route(OUR_ADDRESS)].into()),
        ("two users have the name bob@biloxi.com", &|settings| settings.users.push(user("bob", "c"))),
        ("the user dave is of chicago.com, which is no domain here", &|settings| {
            settings.users.push(User { domain: "chicago.com".parse().unwrap(), ..user("dave", "d") });
        }),
        ("the algorithms of Digest are none, or one of them stands there twice", &|settings| {
            settings.digest.algorithms.clear();
        }),
        ("the secret of dave@biloxi.com serves for no algorithm of Digest", &|settings| {
            let secret = Secret::hashes([Ha1::of(HashFunction::Sha512_256, "dave", "biloxi.com", "d")]);
            settings.users.push(User { secret, ..user("dave", "") });
        }),
        ("a nonce of Digest is good for no time", &|settings| settings.digest.nonce_age = Duration::ZERO),
        ("the shortest time for a binding is above the longest", &|settings| settings.registrar.max_expires = 59),
        ("the time for a contact that asks for none is 0 or below the shortest for a binding", &|settings| {
            settings.registrar.default_expires = 59;
        }),
        ("the time for a contact that asks for none is 0 or below the shortest for a binding", &|settings| {
            (settings.registrar.min_expires, settings.registrar.default_expires) = (0, 0);
        }),
        ("the limit addresses_of_record is 0", &|settings| settings.registrar.limits.addresses_of_record = 0),
        ("the limit bindings is 0", &|settings| settings.registrar.limits.bindings = 0),
        ("the token in a Record-Route is good for no time", &|settings| settings.proxy.token_age = Duration::ZERO),
        ("a branch has no time to answer", &|settings| settings.proxy.branch_limit = Some(Duration::ZERO)),
        ("the limit response_contexts is 0", &|settings| settings.proxy.limits.response_contexts = 0),
        ("the limit targets is 0", &|settings| settings.proxy.limits.targets = 0),
    ];
    for (sentence, spoil) in cases {
        let mut settings = bench.server.settings().clone();
        spoil(&mut settings);
        let error: Misconfigured = bench.server.set_settings(bench.now, settings).unwrap_err();
        assert_eq!(error.to_string(), sentence);
        assert_eq!((bench.server.settings().users.len(), bench.server.check()), (2, Ok(())));
    }
    let mut settings = bench.server.settings().clone();
    settings.routes = [route(BOB)].into();
    // An hour is never too brief.
    (settings.registrar.min_expires, settings.registrar.default_expires) = (7_200, 3_600);
    assert_eq!(bench.server.set_settings(bench.now, settings), Ok(()));
}

/// RFC 3261 §22.1: nobody is asked for the credentials of a CANCEL; it must come from the hop that sent the request.
#[test]
fn a_cancel_of_a_call_that_was_let_through_needs_no_credentials() {
    let mut bench = bench();
    let text = call("1", ALICE_HERE, "sip:carol@192.0.2.77");
    let challenged = bench.receive(ALICE, &text);
    let text = again(&text, "2", &challenged[0], "alice", "a");
    let sent = bench.receive(ALICE, &text);
    bench.answer(&sent[1], 180);
    let without = text.lines().filter(|line| !line.starts_with("Proxy-Authorization") && !line.starts_with("Contact"));
    let cancel = without.collect::<Vec<_>>().join("\n").replace("INVITE", "CANCEL");
    assert_eq!(summaries(&bench.receive(ALICE, &cancel)), ["200 192.0.2.1:5060", "CANCEL 192.0.2.77:5060"]);
}

#[test]
fn no_password_is_shown() {
    let mut bench = Bench::with(|settings| settings.users = [user("bob", "hunter2")].into());
    let text = register("1", BOB_HERE, BOB_HERE);
    let challenged = bench.receive(BOB, &text);
    bench.receive(BOB, &again(&text, "2", &challenged[0], "bob", "hunter2"));
    assert!(!format!("{:?} {:?}", bench.server, bench.events).contains("hunter2"));
}

#[test]
fn the_proof_of_the_server_is_good() {
    let mut bench = bench();
    let text = register("1", BOB_HERE, BOB_HERE);
    let challenged = bench.receive(BOB, &text);
    let mut keyring = Keyring::new(Limits::default());
    keyring.insert((), Scope::realm("biloxi.com"), Login::new("bob", Secret::password("b"))).unwrap();
    let mut random = Random::new(Seed::from_u64(7), Script::default());
    let Outcome::Again(fields) = keyring.answer((), &parse(&text), challenged[0].response(), Unknown::Ask, &mut random)
    else {
        panic!("a challenge that can be answered");
    };
    let again = with(&text, "2", &fields);
    let sent = bench.receive(BOB, &again);
    assert_eq!(keyring.hear((), &parse(&again), sent[0].response()), ServerProof::Good);
}
