//! Credentials of requests that follow, and what a server says after.

use super::{again, alice, challenged, fields, gate, in_call, invite, keyring, lines, logged_in, look_up, parameter};
use super::{random, request, response, response_with, seconds, text};
use crate::auth::{Asker, Fields, Ha1, HashFunction, Keyring, Limits, Login, Scope, Secret, ServerProof, Unknown};
use crate::message::{HeaderId, Request, Response, StatusCode};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const CHALLENGE: &str = "realm=\"atlanta.com\", nonce=\"n1\", qop=\"auth\"";

/// Answers the challenge and returns what was sent then.
fn challenge(keyring: &mut Keyring, sent: &Request, status: u16, challenge: &str) -> Request {
    let response = challenged(sent, status, &[challenge]);
    again(sent, &fields(keyring.answer((), sent, &response, Unknown::Ask, &mut random(1))))
}

/// The nonce counts of the credentials that a request would get.
fn counts(keyring: &mut Keyring, request: &Request) -> Vec<String> {
    keyring.authorize((), request).iter().map(|(_, value)| parameter(&text(value), "nc").unwrap()).collect()
}

/// RFC 3261 §22.3: those for a proxy belong to the Call-ID.
#[test]
fn a_call_goes_on_with_the_credentials_for_its_proxy() {
    let mut keyring = keyring(&["atlanta.com"]);
    challenge(&mut keyring, &invite(1), 407, CHALLENGE);
    let bye = request("BYE", "sip:bob@192.0.2.4", 3, "", "");
    assert_eq!(counts(&mut keyring, &bye), ["00000002"]);
    assert_eq!(counts(&mut keyring, &bye), ["00000003"]);
    assert!(keyring.authorize((), &in_call("other", "INVITE", "sip:bob@biloxi.com", 1, "", "")).is_empty());
    keyring.forget_call((), "call@1");
    assert!(keyring.authorize((), &bye).is_empty());
    assert_eq!(keyring.spaces(), 0);
}

#[test]
fn those_for_the_outbound_proxy_belong_to_all_requests() {
    let mut keyring = Keyring::new(Limits::default());
    keyring.insert((), Scope::realm("atlanta.com"), alice().for_outbound_proxy()).unwrap();
    challenge(&mut keyring, &invite(1), 407, CHALLENGE);
    assert_eq!(counts(&mut keyring, &in_call("other", "INVITE", "sip:bob@biloxi.com", 1, "", "")), ["00000002"]);
}

/// RFC 3261 §22.2: those for a server belong to the To.
#[test]
fn those_for_a_server_belong_to_the_address_in_to() {
    let mut keyring = keyring(&["atlanta.com"]);
    challenge(&mut keyring, &invite(1), 401, CHALLENGE);
    assert_eq!(counts(&mut keyring, &in_call("other", "MESSAGE", "sip:bob@biloxi.com", 1, "", "")), ["00000002"]);
    let elsewhere = invite(1).edit().replace(HeaderId::To, "<sip:carol@biloxi.com>").finish().unwrap();
    assert!(keyring.authorize((), &elsewhere).is_empty());
}

#[test]
fn a_login_that_is_replaced_or_removed_is_not_used_any_more() {
    let bye = request("BYE", "sip:bob@biloxi.com", 3, "", "");
    let mut keyring = keyring(&["atlanta.com"]);
    challenge(&mut keyring, &invite(1), 407, CHALLENGE);
    let mut removed = keyring.clone();
    assert!(removed.remove((), &Scope::realm("atlanta.com")));
    assert!(removed.authorize((), &bye).is_empty());
    // The same login again replaces nothing.
    keyring.insert((), Scope::realm("atlanta.com"), alice()).unwrap();
    assert!(!keyring.authorize((), &bye).is_empty());
    keyring.insert((), Scope::realm("atlanta.com"), Login::new("alice", Secret::password("another"))).unwrap();
    assert!(keyring.authorize((), &bye).is_empty());
}

/// A login is known by user and secret, however it is given.
#[test]
fn logins_are_compared_by_user_and_secret() {
    let hash = |function, password| Ha1::of(function, "alice", "atlanta.com", password);
    let md5 = || Secret::hashes([hash(HashFunction::Md5, "a")]);
    let both = || Secret::hashes([hash(HashFunction::Sha256, "a"), hash(HashFunction::Md5, "a")]);
    let login = |secret| Login::new("alice", secret);
    for (one, other, is_same) in [
        (login(Secret::password("a")), login(Secret::password("a")), true),
        (login(Secret::password("a")), login(Secret::password("b")), false),
        (login(Secret::password("a")), Login::new("bob", Secret::password("a")), false),
        (login(Secret::password("a")), login(Secret::password("a")).for_outbound_proxy(), false),
        (login(md5()), login(md5()), true),
        (login(md5()), login(both()), false),
        (login(both()), login(both()), true),
        (login(md5()), login(Secret::hashes([hash(HashFunction::Md5, "b")])), false),
        (login(md5()), login(Secret::password("a")), false),
    ] {
        assert_eq!(one.is_same(&other), is_same, "{one:?} {other:?}");
    }
}

/// RFC 3261 §22.1.
#[test]
fn the_ack_has_those_of_its_invite_and_a_cancel_none() {
    let mut keyring = keyring(&["atlanta.com"]);
    let sent = challenge(&mut keyring, &invite(1), 407, CHALLENGE);
    for method in ["ACK", "CANCEL"] {
        assert!(keyring.authorize((), &request(method, "sip:bob@biloxi.com", 2, "", "")).is_empty());
    }
    let ack = request("ACK", "sip:bob@192.0.2.4", 2, "", "");
    let ack = Fields::of(&sent).edit(ack.edit()).finish().unwrap();
    assert_eq!(lines(&ack, HeaderId::ProxyAuthorization), lines(&sent, HeaderId::ProxyAuthorization));
    assert_eq!(counts(&mut keyring, &request("BYE", "sip:bob@biloxi.com", 3, "", "")), ["00000002"]);
}

#[test]
fn credentials_that_are_not_ours_stay() {
    let mut keyring = keyring(&["atlanta.com"]);
    let own = "Proxy-Authorization: Bearer abc.def\r\nAuthorization: Digest username=\"x\", realm=\"foreign\",\r\n nonce=\"n\", uri=\"sip:a\", response=\"0\"\r\n";
    let old = "Proxy-Authorization: Digest username=\"alice\", realm=\"atlanta.com\", nonce=\"old\", uri=\"sip:a\", response=\"0\"\r\n";
    let sent = request("INVITE", "sip:bob@biloxi.com", 1, &format!("{own}{old}"), "");
    // Old ones of our own realm go, whatever the keyring knows.
    let fields = keyring.authorize((), &sent);
    let request = fields.edit(sent.edit()).finish().unwrap();
    assert_eq!(lines(&request, HeaderId::ProxyAuthorization), ["Bearer abc.def"]);
    assert_eq!(
        lines(&request, HeaderId::Authorization),
        ["Digest username=\"x\", realm=\"foreign\", nonce=\"n\", uri=\"sip:a\", response=\"0\""]
    );
}

#[test]
fn the_space_used_longest_ago_is_forgotten_at_the_limit() {
    let mut keyring = Keyring::new(Limits { spaces: 3, ..Limits::default() });
    keyring.insert((), Scope::Any, alice()).unwrap();
    let call = |number: u32| in_call(&format!("call{number}"), "INVITE", "sip:bob@biloxi.com", 1, "", "");
    for number in 0..3 {
        challenge(&mut keyring, &call(number), 407, CHALLENGE);
    }
    assert_eq!(counts(&mut keyring, &call(0)), ["00000002"]);
    challenge(&mut keyring, &call(3), 407, CHALLENGE);
    let held: Vec<usize> = (0..4).map(|number| keyring.authorize((), &call(number)).iter().count()).collect();
    assert_eq!((held, keyring.spaces()), (alloc::vec![1, 0, 1, 1], 3));
}

#[test]
fn the_realm_challenged_longest_ago_is_forgotten_at_the_limit() {
    let mut keyring = Keyring::new(Limits { realms: 2, ..Limits::default() });
    keyring.insert((), Scope::Any, alice()).unwrap();
    for realm in ["a", "b", "c"] {
        challenge(&mut keyring, &invite(1), 407, &CHALLENGE.replace("atlanta.com", realm));
    }
    let fields = keyring.authorize((), &invite(1));
    let realms: Vec<_> = fields.iter().map(|(_, value)| parameter(&text(value), "realm").unwrap()).collect();
    assert_eq!(realms, ["b", "c"]);
}

#[test]
fn a_server_proves_itself_and_gives_the_next_nonce() {
    let mut gate = gate(Asker::Server, |settings| settings.offers_integrity = true);
    let mut keyring = keyring(&["atlanta.com"]);
    let sent = logged_in(&gate, &mut keyring, &invite(1), seconds(0));
    let pass = gate.check(&sent, seconds(200), look_up).unwrap().unwrap();
    let mut random = random(5);
    // Not near its age.
    let early = gate.info(&pass, b"v=0\r\n", seconds(225), &mut random);
    assert!(!text(early.iter().next().unwrap().1).contains("nextnonce"));
    let info = gate.info(&pass, b"v=0\r\n", seconds(226), &mut random);
    let ok = info.add_to_response(Response::to(&sent, StatusCode::OK)).body("application/sdp", b"v=0\r\n");
    let ok = ok.finish().unwrap();
    let value = text(ok.headers().raw(HeaderId::AuthenticationInfo).unwrap());
    assert_eq!((parameter(&format!(" {value}"), "nc").unwrap(), value.contains("qop=auth")), ("00000001".into(), true));
    assert_eq!(keyring.hear((), &sent, &ok), ServerProof::Good);
    let next = parameter(&format!(" {value}"), "nextnonce").unwrap();
    let message = in_call("other", "MESSAGE", "sip:bob@biloxi.com", 1, "", "");
    let fields = keyring.authorize((), &message);
    let line = text(fields.iter().next().unwrap().1);
    assert_eq!((parameter(&line, "nonce").unwrap(), parameter(&line, "nc").unwrap()), (next, "00000001".into()));
    // The next nonce is good for longer than the first.
    let message = fields.edit(message.edit()).finish().unwrap();
    assert!(gate.check(&message, seconds(400), look_up).is_ok());
    // The response is old now: its nonce is not that of the session.
    assert_eq!(keyring.hear((), &sent, &ok), ServerProof::Absent);
}

#[test]
fn a_proof_that_is_wrong_changes_nothing() {
    let mut keyring = keyring(&["atlanta.com"]);
    let sent = challenge(&mut keyring, &invite(1), 401, CHALLENGE);
    let cnonce = parameter(&lines(&sent, HeaderId::Authorization)[0], "cnonce").unwrap();
    let hear = |info: &str| {
        let response = response(&sent, 200, &format!("Authentication-Info: {info}\r\n"));
        let proof = keyring.clone().hear((), &sent, &response);
        let mut after = keyring.clone();
        assert_eq!(after.hear((), &sent, &response), proof);
        let line = text(after.authorize((), &invite(3)).iter().next().unwrap().1);
        (proof, parameter(&line, "nonce").unwrap())
    };
    let (zeros, n1, n2) = ("0".repeat(32), String::from("n1"), String::from("n2"));
    let wrong = (ServerProof::Wrong, n1.clone());
    assert_eq!(
        hear(&format!("nextnonce=\"n2\", qop=auth, rspauth=\"{zeros}\", cnonce=\"{cnonce}\", nc=00000001")),
        wrong
    );
    assert_eq!(hear("nextnonce=\"n2\", rspauth=\"\""), wrong);
    // Without a proof the nonce is taken (RFC 3261 §20.6).
    assert_eq!(hear("nextnonce=\"n2\""), (ServerProof::Absent, n2));
    // That of another request.
    assert_eq!(hear("nextnonce=\"n2\", cnonce=\"other\""), (ServerProof::Absent, n1.clone()));
    assert_eq!(hear("nextnonce=n2"), (ServerProof::Absent, n1.clone()));
    let long = "x".repeat(Limits::default().octets);
    assert_eq!(hear(&format!("nextnonce=\"{long}\"")), (ServerProof::Absent, n1));
    // A request without credentials has no proof to hear.
    let bare = response(&invite(1), 200, "Authentication-Info: nextnonce=\"n2\"\r\n");
    assert_eq!(keyring.hear((), &invite(1), &bare), ServerProof::Absent);
}

/// The proof covers the body with `auth-int`, and repeats quality, client nonce and count of the request.
#[test]
fn each_part_of_a_proof_counts() {
    let mut gate = gate(Asker::Server, |settings| settings.offers_integrity = true);
    let mut keyring = keyring(&["atlanta.com"]);
    let only_integrity = |fields: Fields, sent: &Request| {
        let lines: String = fields
            .iter()
            .map(|(id, value)| format!("{}: {}\r\n", id.as_str(), text(value).replace("auth,", "")))
            .collect();
        response(sent, 401, &lines)
    };
    let (_, challenge) = gate.refuse(crate::auth::Refusal::Absent, seconds(0), &mut random(1));
    let first = invite(1);
    let response = only_integrity(challenge, &first);
    let sent = again(&first, &fields(keyring.answer((), &first, &response, Unknown::Ask, &mut random(2))));
    assert!(lines(&sent, HeaderId::Authorization)[0].contains("qop=auth-int"));
    let pass = gate.check(&sent, seconds(1), look_up).unwrap().unwrap();
    let info = text(gate.info(&pass, b"good", seconds(1), &mut random(3)).iter().next().unwrap().1);
    let mut hear = |info: &str, body: &str| {
        let response = response_with(&sent, 200, &format!("Authentication-Info: {info}\r\n"), body);
        keyring.hear((), &sent, &response)
    };
    assert_eq!(hear(&info, "good"), ServerProof::Good);
    assert_eq!(hear(&info, "bad"), ServerProof::Wrong);
    assert_eq!(hear(&info.replace("nc=00000001", "nc=00000002"), "good"), ServerProof::Wrong);
    assert_eq!(hear(&info.replace("qop=auth-int", "qop=auth"), "good"), ServerProof::Wrong);
}
