//! A server's challenges, and the requests that it lets through.

use super::{AGE, PASSWORD, again, fields, gate, invite, keyring, lines, logged_in, look_up, parameter};
use super::{random, request, seconds, text};
use crate::auth::{Algorithm, Asker, Fields, Gate, Ha1, Reading, Refusal, Settings, Unknown, UriRule, UserName};
use crate::auth::{HashFunction, Keyring, Limits, Login, Scope, Secret, hashed_user};
use crate::error::CommandError;
use crate::message::{HeaderId, Response, StatusCode};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

#[test]
fn the_most_preferred_algorithm_comes_first_and_each_has_a_challenge() {
    let settings = |settings: &mut Settings| {
        settings.algorithms = [Algorithm::SHA_512_256, Algorithm::SHA_256.session(), Algorithm::MD5].into();
        settings.offers_integrity = true;
        settings.opaque = Some("o".into());
    };
    let gate = gate(Asker::Proxy, settings);
    let (status, fields) = gate.refuse(Refusal::Stale, seconds(1), &mut random(1));
    assert_eq!(status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    let written: Vec<String> = fields.iter().map(|(id, value)| format!("{}: {}", id.as_str(), text(value))).collect();
    let nonce = parameter(&written[0], "nonce").unwrap();
    let common = |rest: &str| {
        format!(
            "Proxy-Authenticate: Digest realm=\"atlanta.com\", qop=\"auth,auth-int\", nonce=\"{nonce}\", opaque=\"o\", stale=true, algorithm={rest}"
        )
    };
    assert_eq!(written, [common("SHA-512-256, charset=UTF-8"), common("SHA-256-sess, charset=UTF-8"), common("MD5")]);
}

/// The challenge has the parameters of RFC 3665 §2.1 F2 in their order, but for `stale=FALSE` and an empty `opaque`.
#[test]
fn the_shape_of_a_challenge_is_that_of_rfc_3665() {
    let settings = |settings: &mut Settings| {
        settings.realm = "atlanta.example.com".into();
        settings.algorithms = [Algorithm::MD5].into();
        settings.opaque = Some(String::new());
    };
    let gate = gate(Asker::Server, settings);
    let (status, fields) = gate.refuse(Refusal::Absent, seconds(1), &mut random(1));
    let challenged = fields.add_to_response(Response::to(&invite(1), status)).finish().unwrap();
    assert_eq!(challenged.status(), StatusCode::UNAUTHORIZED);
    let value = text(challenged.headers().raw(HeaderId::WwwAuthenticate).unwrap());
    let nonce = parameter(&value, "nonce").unwrap();
    let printed = "Digest realm=\"atlanta.example.com\", qop=\"auth\", nonce=\"ea9c8e88df84f1cec4341ae6cbe5a359\", opaque=\"\", algorithm=MD5";
    assert_eq!(value, printed.replace("ea9c8e88df84f1cec4341ae6cbe5a359", &nonce));
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let refused = |change: &dyn Fn(&mut Settings)| {
        let mut settings = Settings::new("atlanta.com");
        change(&mut settings);
        Gate::new(Asker::Server, settings, [0; 16]).err()
    };
    assert_eq!(refused(&|settings| settings.realm = "a\nb".into()), Some(CommandError::Invalid("the realm")));
    assert_eq!(refused(&|settings| settings.opaque = Some("\r".into())), Some(CommandError::Invalid("the opaque")));
    assert_eq!(refused(&|settings| settings.algorithms.clear()), Some(CommandError::Invalid("the algorithms")));
    let twice = |settings: &mut Settings| settings.algorithms.push(Algorithm::SHA_256);
    assert_eq!(refused(&twice), Some(CommandError::Invalid("the algorithms")));
    assert_eq!(refused(&|_| ()), None);
}

#[test]
fn each_verdict() {
    let mut gate = gate(Asker::Proxy, |_| ());
    assert_eq!(gate.check(&invite(1), seconds(0), look_up).unwrap_err(), Refusal::Absent);
    let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
    let pass = gate.clone().check(&sent, seconds(0) + AGE, look_up).unwrap().unwrap();
    assert_eq!((pass.user(), pass.realm()), (&UserName::Clear("alice".into()), "atlanta.com"));
    assert_eq!(pass.algorithm(), Algorithm::SHA_256);
    let check = |gate: &mut Gate, now, ha1| gate.check(&sent, now, |_| ha1).unwrap_err();
    let too_old = seconds(300) + core::time::Duration::from_nanos(1);
    assert_eq!(check(&mut gate, too_old, None), Refusal::Stale);
    assert_eq!(check(&mut gate, seconds(0), None), Refusal::Wrong);
    let other = Ha1::of(HashFunction::Sha256, "alice", "atlanta.com", "other");
    assert_eq!(check(&mut gate, seconds(0), Some(other)), Refusal::Wrong);
    let of_md5 = Ha1::of(HashFunction::Md5, "alice", "atlanta.com", PASSWORD);
    assert_eq!(check(&mut gate, seconds(0), Some(of_md5)), Refusal::Wrong);
    // Nothing of that counts as a use.
    assert_eq!(gate.uses(), 0);
    for (refusal, status, stale) in [
        (Refusal::Absent, 407, false),
        (Refusal::Wrong, 407, false),
        (Refusal::Stale, 407, true),
        (Refusal::Replayed, 407, true),
        (Refusal::Malformed, 400, false),
    ] {
        let (answer, fields) = gate.refuse(refusal, seconds(0), &mut random(1));
        assert_eq!((answer.get(), fields.is_empty()), (status, status == 400));
        assert_eq!(fields.iter().any(|(_, value)| text(value).contains("stale=true")), stale, "{refusal:?}");
    }
}

#[test]
fn a_nonce_from_elsewhere_is_stale() {
    let here = gate(Asker::Server, |_| ());
    let sent = logged_in(&here, &mut keyring(&["atlanta.com"]), &invite(1), seconds(9));
    let elsewhere = Gate::new(Asker::Server, Settings::new("atlanta.com"), [7; 16]).unwrap();
    assert!(matches!(elsewhere.read(&sent, seconds(9)), Reading::Refused(Refusal::Stale)));
    let line = lines(&sent, HeaderId::Authorization)[0].clone();
    let nonce = parameter(&line, "nonce").unwrap();
    assert!(matches!(here.read(&sent, seconds(9)), Reading::Claimed(_)));
    let mut others: Vec<String> = (0..nonce.len())
        .map(|at| {
            let mut other = nonce.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            text(&other)
        })
        .collect();
    others.extend([
        nonce[1..].into(),
        format!("{nonce}0"),
        nonce.to_uppercase(),
        format!("+{}", &nonce[1..]),
        "\u{e9}".into(),
    ]);
    for other in others {
        let changed = sent.edit().replace(HeaderId::Authorization, line.replace(&nonce, &other)).finish().unwrap();
        assert!(matches!(here.read(&changed, seconds(9)), Reading::Refused(Refusal::Stale)), "{other}");
    }
}

/// The nonce of one realm is of no use in another with the same key.
#[test]
fn a_nonce_belongs_to_its_realm() {
    let atlanta = gate(Asker::Server, |_| ());
    let biloxi = gate(Asker::Server, |settings| settings.realm = "biloxi.com".into());
    let sent = logged_in(&atlanta, &mut keyring(&["atlanta.com"]), &invite(1), seconds(9));
    let line = lines(&sent, HeaderId::Authorization)[0].replace("atlanta.com", "biloxi.com");
    let moved = sent.edit().replace(HeaderId::Authorization, line).finish().unwrap();
    assert!(matches!(biloxi.read(&moved, seconds(9)), Reading::Refused(Refusal::Stale)));
}

/// RFC 3261 §22.3: values of another realm are not ours to look at.
#[test]
fn the_credentials_of_our_realm_are_found_among_others() {
    let mut gate = gate(Asker::Proxy, |_| ());
    let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
    let foreign = "Digest username=\"x\", realm=\"other\", nonce=\"n\", uri=\"sip:a\", response=\"0\"";
    let among = |first: &str| {
        let edit = sent.edit().push_first(HeaderId::ProxyAuthorization, first);
        edit.append(HeaderId::Authorization, "Digest nonsense").finish().unwrap()
    };
    for first in [foreign, "Basic QWxhZGRpbg==", "Digest realm=\"other\", nc=1", "Digest nonsense", ""] {
        assert!(gate.check(&among(first), seconds(0), look_up).is_ok(), "{first}");
    }
    // Only so many are looked at.
    let edit = (0..16).fold(sent.edit(), |edit, _| edit.push_first(HeaderId::ProxyAuthorization, foreign));
    let hidden = edit.finish().unwrap();
    assert_eq!(gate.check(&hidden, seconds(0), look_up).unwrap_err(), Refusal::Absent);
    let edit = (0..15).fold(sent.edit(), |edit, _| edit.push_first(HeaderId::ProxyAuthorization, foreign));
    assert!(gate.check(&edit.finish().unwrap(), seconds(0), look_up).is_ok());
    // And only so long ones.
    let long = lines(&sent, HeaderId::ProxyAuthorization)[0].clone() + &format!(", x=\"{}\"", "y".repeat(4_096));
    let long = sent.edit().replace(HeaderId::ProxyAuthorization, long).finish().unwrap();
    assert_eq!(gate.check(&long, seconds(0), look_up).unwrap_err(), Refusal::Absent);
}

/// RFC 8760 §2.7: a client that has not been challenged yet may say who it is.
#[test]
fn empty_credentials_are_none() {
    let mut gate = gate(Asker::Server, |_| ());
    let line = "Authorization: Digest username=\"alice\", realm=\"atlanta.com\", nonce=\"\", uri=\"sip:atlanta.com\", response=\"\"\r\n";
    let sent = request("REGISTER", "sip:atlanta.com", 1, line, "");
    assert_eq!(gate.check(&sent, seconds(0), look_up).unwrap_err(), Refusal::Absent);
}

/// RFC 3261 §22.1.
#[test]
fn ack_and_cancel_are_never_challenged() {
    let mut gate = gate(Asker::Proxy, |_| ());
    let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
    let ack = |line: &Fields, cseq, uri: &str| {
        let ack = request("ACK", uri, cseq, "", "");
        line.edit(ack.edit()).finish().unwrap()
    };
    let is_known = |gate: &Gate, ack: &_, now| match gate.read(ack, now) {
        Reading::Exempt { is_known } => is_known,
        other => panic!("{other:?}"),
    };
    let credentials = Fields::of(&sent);
    let good = ack(&credentials, 2, "sip:bob@192.0.2.4");
    assert!(!is_known(&gate, &good, seconds(0)), "the INVITE was not let through yet");
    assert!(gate.check(&sent, seconds(0), look_up).is_ok());
    assert!(is_known(&gate, &good, seconds(0)));
    assert!(is_known(&gate, &good, seconds(3_000)), "a long time to answer");
    assert!(!is_known(&gate, &ack(&credentials, 3, "sip:bob@192.0.2.4"), seconds(0)));
    assert!(!is_known(&gate, &ack(&Fields::default(), 2, "sip:bob@192.0.2.4"), seconds(0)));
    let line = lines(&sent, HeaderId::ProxyAuthorization)[0].clone();
    let response = parameter(&line, "response").unwrap();
    let forged = good.edit().replace(HeaderId::ProxyAuthorization, line.replace(&response, &"0".repeat(64)));
    assert!(!is_known(&gate, &forged.finish().unwrap(), seconds(0)));
    assert!(!is_known(&gate, &request("CANCEL", "sip:bob@biloxi.com", 2, "", ""), seconds(0)));
    assert!(matches!(gate.check(&good, seconds(0), |_| None), Ok(None)));
}

#[test]
fn a_uri_may_differ_from_the_request_uri_as_the_rule_says() {
    let verdict = |rule, digest_uri: &str, uri: &str| {
        let mut gate = gate(Asker::Server, |settings| settings.uri_rule = rule);
        let sent =
            logged_in(&gate, &mut keyring(&["atlanta.com"]), &request("INVITE", digest_uri, 1, "", ""), seconds(0));
        let moved = sent.edit().uri(uri).finish().unwrap();
        gate.check(&moved, seconds(0), look_up).map(drop)
    };
    let (good, bad) = (Ok(()), Err(Refusal::Malformed));
    for (digest_uri, uri, target, forwarded) in [
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com", good, good),
        ("sip:bob@biloxi.com", "sips:bob@BILOXI.com:5061;transport=tcp", good, good),
        ("sip:b%6Fb@biloxi.com", "sip:bob@biloxi.com", good, good),
        ("sip:biloxi.com", "sip:biloxi.com:5060", good, good),
        ("sip:bob@biloxi.com", "sip:carol@biloxi.com", bad, good),
        ("sip:bob@biloxi.com", "sip:biloxi.com", bad, good),
        ("sip:bob@biloxi.com", "sip:bob@192.0.2.4", bad, good),
        ("sip:bob@biloxi.com", "sip:carol@192.0.2.4", bad, bad),
        ("sip:biloxi.com", "sip:192.0.2.4", bad, bad),
        ("tel:+1-212", "tel:+1212", good, good),
        ("tel:+1212", "tel:+1213", bad, good),
        ("tel:+1212", "sip:+1212@biloxi.com", bad, good),
    ] {
        assert_eq!(verdict(UriRule::Target, digest_uri, uri), target, "{digest_uri} {uri}");
        assert_eq!(verdict(UriRule::Forwarded, digest_uri, uri), forwarded, "{digest_uri} {uri}");
        assert_eq!(verdict(UriRule::Any, digest_uri, uri), good, "{digest_uri} {uri}");
    }
}

#[test]
fn a_hashed_user_is_looked_up_by_the_hash() {
    let mut gate = gate(Asker::Server, |settings| settings.hashes_users = true);
    let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
    assert!(!lines(&sent, HeaderId::Authorization)[0].contains("alice"));
    let hash = hashed_user(HashFunction::Sha256, "alice", "atlanta.com");
    let pass = gate.check(&sent, seconds(0), |claim| {
        assert_eq!(claim.user(), &UserName::Hashed(hash.clone()));
        Some(Ha1::of(claim.algorithm().function, "alice", "atlanta.com", PASSWORD))
    });
    assert_eq!(pass.unwrap().unwrap().user().as_str(), &*hash);
}

#[test]
fn a_proxy_has_no_authentication_info() {
    let mut gate = gate(Asker::Proxy, |_| ());
    let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
    let pass = gate.check(&sent, seconds(299), look_up).unwrap().unwrap();
    assert!(gate.info(&pass, b"", seconds(299), &mut random(1)).is_empty());
}

/// The hash that is computed in the place of an unknown user's hash is no way in.
#[test]
fn nobody_is_let_through_without_a_secret() {
    let mut gate = gate(Asker::Proxy, |_| ());
    let nobody = Secret::hashes([Ha1::of(HashFunction::Sha256, "", "", "")]);
    let mut keyring = Keyring::new(Limits::default());
    keyring.insert((), Scope::Any, Login::new("", nobody)).unwrap();
    let sent = logged_in(&gate, &mut keyring, &invite(1), seconds(0));
    assert_eq!(gate.check(&sent, seconds(0), |_| None).unwrap_err(), Refusal::Wrong);
}

/// Clients do not agree on whether the session key stays.
#[test]
fn a_session_gets_no_next_nonce() {
    for (algorithm, expected) in [(Algorithm::MD5, true), (Algorithm::MD5.session(), false)] {
        let mut gate = gate(Asker::Server, |settings| settings.algorithms = [algorithm].into());
        let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
        let pass = gate.check(&sent, seconds(299), look_up).unwrap().unwrap();
        let info = gate.info(&pass, b"", seconds(299), &mut random(1));
        let value = text(info.iter().next().unwrap().1);
        assert_eq!((value.contains("nextnonce"), value.contains("rspauth")), (expected, true));
    }
}

/// The look-up may take its time.
#[test]
fn a_nonce_may_become_stale_before_the_secret_is_known() {
    let mut gate = gate(Asker::Server, |_| ());
    let sent = logged_in(&gate, &mut keyring(&["atlanta.com"]), &invite(1), seconds(0));
    let Reading::Claimed(claim) = gate.read(&sent, seconds(300)) else { panic!("no claim") };
    let ha1 = look_up(&claim);
    assert_eq!(gate.verify(claim, ha1.as_ref(), seconds(301)).unwrap_err(), Refusal::Stale);
}

/// A client whose nonce was too old tries again without asking its user, and one with a wrong password does not.
#[test]
fn stale_and_wrong_are_told_apart_by_the_client() {
    let mut gate = gate(Asker::Proxy, |_| ());
    let mut keyring = keyring(&["atlanta.com"]);
    let mut sent = logged_in(&gate, &mut keyring, &invite(1), seconds(0));
    for (now, expected) in [(seconds(400), Refusal::Stale), (seconds(401), Refusal::Wrong)] {
        let refusal = gate.check(&sent, now, |_| None).unwrap_err();
        assert_eq!(refusal, expected);
        let (status, challenge) = gate.refuse(refusal, now, &mut random(3));
        let response = challenge.add_to_response(Response::to(&sent, status)).finish().unwrap();
        let outcome = keyring.answer((), &sent, &response, Unknown::Ask, &mut random(4));
        if expected == Refusal::Stale {
            sent = again(&sent, &fields(outcome));
        } else {
            assert!(matches!(outcome, crate::auth::Outcome::Rejected(_)));
        }
    }
}
