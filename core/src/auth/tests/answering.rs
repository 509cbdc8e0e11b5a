//! A client's answers to challenges.

use super::{
    PASSWORD, again, alice, challenged, fields, in_call, invite, keyring, lines, parameter, random, request, response,
};
use crate::auth::{Asker, Ha1, HashFunction, Keyring, Limits, Login, Outcome, Scope, Secret, Unknown, Wanted};
use crate::error::CommandError;
use crate::message::{HeaderId, Request};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const ATLANTA: &str = "realm=\"atlanta.com\", nonce=\"n1\", qop=\"auth\", algorithm=MD5";

fn wanted(asker: Asker, realm: &str) -> Wanted {
    Wanted { asker, realm: realm.to_string() }
}

fn answer(keyring: &mut Keyring, sent: &Request, status: u16, challenges: &[&str]) -> Outcome {
    keyring.answer((), sent, &challenged(sent, status, challenges), Unknown::Ask, &mut random(1))
}

fn proxy_lines(keyring: &mut Keyring, sent: &Request, challenges: &[&str]) -> Vec<String> {
    let fields = fields(answer(keyring, sent, 407, challenges));
    lines(&again(sent, &fields), HeaderId::ProxyAuthorization)
}

/// The shape of RFC 3665 §3.3: the challenge of each proxy in turn, opaque empty, no algorithm left out.
#[test]
fn two_proxies_challenge_one_after_the_other() {
    let mut keyring = keyring(&["atlanta.example.com", "biloxi.example.com"]);
    let first = invite(1);
    let challenge = "realm=\"atlanta.example.com\", qop=\"auth\", nonce=\"wf84f1cczx41ae6cbeaea9ce88d359\", opaque=\"\", stale=FALSE, algorithm=MD5";
    let second = again(&first, &fields(answer(&mut keyring, &first, 407, &[challenge])));
    assert_eq!(second.cseq().unwrap().number, 2);
    let challenge = "realm=\"biloxi.example.com\", qop=\"auth\", nonce=\"f84f1cec41e6cbe5aea9c8e88d359\", opaque=\"\", stale=FALSE, algorithm=MD5";
    let third = again(&second, &fields(answer(&mut keyring, &second, 407, &[challenge])));
    let both = lines(&third, HeaderId::ProxyAuthorization);
    let shown: Vec<_> =
        both.iter().map(|line| ["realm", "nc", "opaque", "uri"].map(|name| parameter(line, name).unwrap())).collect();
    assert_eq!(
        shown,
        [
            ["atlanta.example.com", "00000002", "", "sip:bob@biloxi.com"],
            ["biloxi.example.com", "00000001", "", "sip:bob@biloxi.com"]
        ]
    );
}

#[test]
fn a_forking_proxy_collects_challenges_of_both_kinds_and_several_realms() {
    let mut keyring = keyring(&["a", "b", "c"]);
    let sent = invite(1);
    let response = response(
        &sent,
        401,
        "WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", qop=\"auth\"\r\n\
         Proxy-Authenticate: Digest realm=\"b\", nonce=\"2\", qop=\"auth\"\r\n\
         WWW-Authenticate: Digest realm=\"c\", nonce=\"3\", qop=\"auth\"\r\n\
         Proxy-Authenticate: Digest realm=\"b\", nonce=\"4\", qop=\"auth\"\r\n\
         Proxy-Authenticate: Digest realm=\"a\", nonce=\"5\", qop=\"auth\"\r\n",
    );
    let fields = fields(keyring.answer((), &sent, &response, Unknown::Ask, &mut random(1)));
    let again = again(&sent, &fields);
    let nonces = |id| lines(&again, id).iter().map(|line| parameter(line, "nonce").unwrap()).collect::<Vec<_>>();
    // One for each realm and kind; of two branches with one realm the topmost.
    assert_eq!(nonces(HeaderId::Authorization), ["1", "3"]);
    assert_eq!(nonces(HeaderId::ProxyAuthorization), ["2", "5"]);
}

/// RFC 8760 §2.4.
#[test]
fn the_topmost_challenge_that_is_understood_is_answered() {
    let of = |algorithm: &str, nonce: &str| {
        format!("realm=\"atlanta.com\", nonce=\"{nonce}\", qop=\"auth\", algorithm={algorithm}")
    };
    let (sha, md5, unknown) = (of("SHA-256", "1"), of("MD5", "2"), of("SHA-1024", "3"));
    let (sha, md5, unknown) = (sha.as_str(), md5.as_str(), unknown.as_str());
    let nonce = |challenges: &[&str]| {
        parameter(&proxy_lines(&mut keyring(&["atlanta.com"]), &invite(1), challenges)[0], "nonce").unwrap()
    };
    assert_eq!([nonce(&[sha, md5]), nonce(&[md5, sha]), nonce(&[unknown, md5, sha])], ["1", "2", "2"]);
    // Who knows the hash for one function alone answers that challenge.
    let mut known = Keyring::new(Limits::default());
    let ha1 = Ha1::of(HashFunction::Md5, "alice", "atlanta.com", PASSWORD);
    known.insert((), Scope::realm("atlanta.com"), Login::new("alice", Secret::hashes([ha1]))).unwrap();
    let with_hash = proxy_lines(&mut known, &invite(1), &[sha, md5]);
    let with_password = proxy_lines(&mut keyring(&["atlanta.com"]), &invite(1), &[md5]);
    assert_eq!(with_hash, with_password);
    assert!(matches!(answer(&mut known, &invite(1), 407, &[sha]), Outcome::Unsupported));
}

#[test]
fn what_is_not_known_is_asked_for_and_may_be_left_out() {
    let mut keyring = keyring(&["b"]);
    let sent = invite(1);
    let both = ["realm=\"a\", nonce=\"1\", qop=\"auth\"", "realm=\"b\", nonce=\"2\", qop=\"auth\""];
    let Outcome::Wanted(asked) = answer(&mut keyring, &sent, 407, &both) else { panic!("not asked for") };
    assert_eq!(asked, [wanted(Asker::Proxy, "a")]);
    let response = challenged(&sent, 407, &both);
    let outcome = keyring.answer((), &sent, &response, Unknown::LeaveOut, &mut random(1));
    assert_eq!(fields(outcome).iter().count(), 1);
    // If nothing is left, there is nothing to send.
    let outcome = keyring.answer((), &sent, &challenged(&sent, 407, &both[..1]), Unknown::LeaveOut, &mut random(1));
    assert!(matches!(outcome, Outcome::Wanted(_)));
    keyring.insert((), Scope::realm("a"), alice()).unwrap();
    assert_eq!(fields(answer(&mut keyring, &sent, 407, &both)).iter().count(), 2);
}

/// RFC 3261 §22.1.
#[test]
fn refused_credentials_are_not_sent_again() {
    let mut keyring = keyring(&["atlanta.com"]);
    let first = invite(1);
    let second = again(&first, &fields(answer(&mut keyring, &first, 407, &[ATLANTA])));
    for nonce in ["n1", "n2"] {
        let refused = ATLANTA.replace("n1", nonce);
        let Outcome::Rejected(realms) = answer(&mut keyring, &second, 407, &[&refused]) else { panic!("sent again") };
        assert_eq!(realms, [wanted(Asker::Proxy, "atlanta.com")]);
    }
    // Nor with a request that follows in the same call.
    assert!(keyring.authorize((), &request("BYE", "sip:bob@biloxi.com", 3, "", "")).is_empty());
    // A realm that could be answered does not change that.
    keyring.insert((), Scope::realm("b"), alice()).unwrap();
    let both = [ATLANTA, "realm=\"b\", nonce=\"2\", qop=\"auth\""];
    assert!(matches!(answer(&mut keyring, &second, 407, &both), Outcome::Rejected(_)));
    // Another password is another matter.
    keyring.insert((), Scope::realm("atlanta.com"), Login::new("alice", Secret::password("other"))).unwrap();
    assert!(matches!(answer(&mut keyring, &second, 407, &[ATLANTA]), Outcome::Again(_)));
}

#[test]
fn refused_credentials_are_known_without_their_session() {
    let mut one = keyring(&["atlanta.com"]);
    let second = again(&invite(1), &fields(answer(&mut one, &invite(1), 407, &[ATLANTA])));
    let mut other = keyring(&["atlanta.com"]);
    assert!(matches!(answer(&mut other, &second, 407, &[ATLANTA]), Outcome::Rejected(_)));
    let mut bob = Keyring::new(Limits::default());
    bob.insert((), Scope::realm("atlanta.com"), Login::new("bob", Secret::password(PASSWORD))).unwrap();
    assert!(matches!(answer(&mut bob, &second, 407, &[ATLANTA]), Outcome::Again(_)));
}

#[test]
fn a_stale_nonce_is_replaced() {
    let mut keyring = keyring(&["atlanta.com"]);
    let first = invite(1);
    let second = again(&first, &fields(answer(&mut keyring, &first, 407, &[ATLANTA])));
    let stale = "realm=\"atlanta.com\", nonce=\"n2\", qop=\"auth\", algorithm=MD5, stale=TRUE";
    let third = again(&second, &fields(answer(&mut keyring, &second, 407, &[stale])));
    let line = &lines(&third, HeaderId::ProxyAuthorization)[0];
    assert_eq!((parameter(line, "nonce").unwrap(), parameter(line, "nc").unwrap()), ("n2".into(), "00000001".into()));
}

#[test]
fn a_nonce_that_was_good_before_may_be_forgotten_by_a_server_that_restarts_once() {
    let mut keyring = keyring(&["atlanta.com"]);
    let first = invite(1);
    drop(fields(answer(&mut keyring, &first, 407, &[ATLANTA])));
    let bye = request("BYE", "sip:bob@biloxi.com", 3, "", "");
    let bye = keyring.authorize((), &bye).edit(bye.edit()).finish().unwrap();
    // This nonce is no new one.
    let mut same = keyring.clone();
    assert!(matches!(answer(&mut same, &bye, 407, &[ATLANTA]), Outcome::Rejected(_)));
    let other = ATLANTA.replace("n1", "n2");
    // Nor does another nonce help after that.
    assert!(matches!(answer(&mut same, &bye, 407, &[&other]), Outcome::Rejected(_)));
    let bye = again(&bye, &fields(answer(&mut keyring, &bye, 407, &[&other])));
    let another = ATLANTA.replace("n1", "n3");
    assert!(matches!(answer(&mut keyring, &bye, 407, &[&another]), Outcome::Rejected(_)));
}

#[test]
fn qop_is_sent_just_if_it_was_offered() {
    for (offered, sent) in [
        ("", None),
        (", qop=\"\"", None),
        (", qop=\"auth\"", Some("auth")),
        (", qop=auth", Some("auth")),
        (", qop=\"auth-int,auth\"", Some("auth")),
        (", qop=\"AUTH-INT\"", Some("auth-int")),
        (", qop=\"conf, auth\"", Some("auth")),
    ] {
        let challenge = format!("realm=\"atlanta.com\", nonce=\"n\"{offered}");
        let line = &proxy_lines(&mut keyring(&["atlanta.com"]), &invite(1), &[&challenge])[0];
        assert_eq!(parameter(line, "qop").as_deref(), sent, "{offered}");
        assert_eq!(
            (parameter(line, "cnonce").is_some(), parameter(line, "nc").is_some()),
            (sent.is_some(), sent.is_some())
        );
        // A challenge without an algorithm gets an answer without one.
        assert_eq!(parameter(line, "algorithm"), None);
    }
}

#[test]
fn what_cannot_be_understood_is_ignored() {
    for challenge in [
        "realm=\"atlanta.com\", nonce=\"n\", algorithm=AKAv1-MD5",
        "realm=\"atlanta.com\", nonce=\"n\", qop=\"conf\"",
        "realm=\"atlanta.com\", nonce=\"n\", algorithm=MD5-sess",
        "realm=\"atlanta.com\"",
        "nonce=\"n\"",
        "realm=\"atlanta.com\", nonce=\"n\", nonce=\"m\"",
        "realm=atlanta.com, nonce=\"n\"",
        "realm=\"atlanta.com\", nonce=\"n\",",
        "realm=\"atlanta.com\" nonce=\"n\"",
        "realm=\"atlanta.com\", nonce=\"n",
    ] {
        let mut keyring = keyring(&["atlanta.com"]);
        assert!(matches!(answer(&mut keyring, &invite(1), 407, &[challenge]), Outcome::Unsupported), "{challenge}");
        // Another one beside it is answered.
        assert_eq!(proxy_lines(&mut keyring, &invite(1), &[challenge, ATLANTA]).len(), 1, "{challenge}");
    }
    let sent = invite(1);
    for line in ["", "Proxy-Authenticate: Basic realm=\"atlanta.com\"\r\n", "Proxy-Authenticate: \r\n"] {
        let response = response(&sent, 407, line);
        let outcome = keyring(&["atlanta.com"]).answer((), &sent, &response, Unknown::Ask, &mut random(1));
        assert!(matches!(outcome, Outcome::Unsupported), "{line}");
    }
    // A realm that is no UTF-8.
    let text = [&b"realm=\"\xff\", nonce=\"n\""[..]].concat();
    let quoted = crate::message::Quoted::parse(&text[6..9]).unwrap();
    assert_eq!(crate::auth::challenges::text(quoted), None);
}

#[test]
fn a_login_is_found_by_realm_then_host_then_any() {
    let mut keyring = Keyring::new(Limits::default());
    let user = |user| Login::new(user, Secret::password(PASSWORD));
    let mut give = |scope, name| keyring.insert((), scope, user(name)).unwrap();
    give(Scope::Any, "any");
    give(Scope::host("Biloxi.COM").unwrap(), "host");
    give(Scope::host("proxy.atlanta.com").unwrap(), "route");
    give(Scope::realm("atlanta.com"), "realm");
    let found = |realm: &str, sent: &Request| {
        let challenge = format!("realm=\"{realm}\", nonce=\"n\", qop=\"auth\"");
        parameter(&proxy_lines(&mut keyring.clone(), sent, &[&challenge])[0], "username").unwrap()
    };
    assert_eq!(found("atlanta.com", &invite(1)), "realm");
    assert_eq!(found("ATLANTA.com", &invite(1)), "host");
    assert_eq!(
        found("x", &request("INVITE", "sip:bob@192.0.2.4", 1, "Route: <sip:proxy.atlanta.com;lr>\r\n", "")),
        "route"
    );
    assert_eq!(found("x", &request("INVITE", "sip:bob@192.0.2.4", 1, "", "")), "any");
    assert_eq!(Scope::host("a b"), None);
}

#[test]
fn accounts_do_not_share_logins_or_sessions() {
    let mut keyring = Keyring::<u8>::new(Limits::default());
    keyring.insert(1, Scope::Any, alice()).unwrap();
    keyring.insert(2, Scope::Any, Login::new("bob", Secret::password("x"))).unwrap();
    let sent = invite(1);
    let response = challenged(&sent, 401, &[ATLANTA]);
    let mut answer = |account| match keyring.answer(account, &sent, &response, Unknown::Ask, &mut random(1)) {
        Outcome::Again(fields) => parameter(&super::text(fields.iter().next().unwrap().1), "username"),
        _ => None,
    };
    assert_eq!([answer(1), answer(2), answer(3)], [Some("alice".into()), Some("bob".into()), None]);
    let message = in_call("other", "MESSAGE", "sip:bob@biloxi.com", 1, "", "");
    assert_eq!([1, 2, 3].map(|account| keyring.authorize(account, &message).iter().count()), [1, 1, 0]);
    keyring.forget_account(1);
    assert_eq!([1, 2].map(|account| keyring.authorize(account, &message).iter().count()), [0, 1]);
    assert_eq!(keyring.spaces(), 1);
}

#[test]
fn quotes_and_backslashes_are_digested_without_their_escapes() {
    let mut keyring = Keyring::new(Limits::default());
    let login = Login::new("J\u{e4}s \"the \\ man\"", Secret::password("p\u{e4}ss:word"));
    keyring.insert((), Scope::realm("a \"b\" \\c"), login).unwrap();
    let sent = request("REGISTER", "sips:ss2.biloxi.example.com", 1, "", "");
    let challenge = r#"realm="a \"b\" \\c", nonce="\n", qop="auth", algorithm=SHA-256"#;
    let script = crate::random::Script { client_nonces: ["c".into()].into(), ..Default::default() };
    let mut random = crate::random::Random::new(crate::random::Seed::from_u64(1), script);
    let response = challenged(&sent, 407, &[challenge]);
    let fields = fields(keyring.answer((), &sent, &response, Unknown::Ask, &mut random));
    let line = &lines(&again(&sent, &fields), HeaderId::ProxyAuthorization)[0];
    // Python: hashlib.sha256 over the texts without escapes, nonce n, cnonce c.
    assert!(line.contains("fbd17723f49801d252444068e1c1ebbd7aaf6ddd271848535c78007b29a0b35f"), "{line}");
    assert!(line.contains(r#"username="Jäs \"the \\ man\"", realm="a \"b\" \\c""#), "{line}");
}

#[test]
fn what_cannot_be_sent_is_refused_when_it_is_given() {
    let mut keyring = Keyring::new(Limits::default());
    let mut give = |user, realm| keyring.insert((), Scope::realm(realm), Login::new(user, Secret::password("")));
    assert_eq!(give("a\r\nb", "r"), Err(CommandError::Invalid("the user name")));
    assert_eq!(give("a:b", "r"), Err(CommandError::Invalid("the user name")));
    assert_eq!(give("a", "r\n"), Err(CommandError::Invalid("the realm")));
    assert_eq!(give("", ""), Ok(()));
    assert!(keyring.remove((), &Scope::realm("")) && !keyring.remove((), &Scope::realm("")));
}

#[test]
fn only_so_much_of_a_response_is_looked_at() {
    let realms: Vec<String> = (0..10).map(|number| format!("r{number}")).collect();
    let texts: Vec<&str> = realms.iter().map(String::as_str).collect();
    let challenges: Vec<String> = realms.iter().map(|realm| format!("realm=\"{realm}\", nonce=\"n\"")).collect();
    let challenges: Vec<&str> = challenges.iter().map(String::as_str).collect();
    let answered = |limits: Limits, challenges: &[&str]| {
        let mut keyring = Keyring::new(limits);
        texts.iter().for_each(|realm| keyring.insert((), Scope::realm(realm), alice()).unwrap());
        match answer(&mut keyring, &invite(1), 407, challenges) {
            Outcome::Again(fields) => fields.iter().count(),
            _ => 0,
        }
    };
    let all = Limits::default();
    assert_eq!(answered(all, &challenges), 10);
    assert_eq!(answered(Limits { challenges: 3, ..all }, &challenges), 3);
    assert_eq!(answered(Limits { realms: 4, ..all }, &challenges), 4);
    let length = "Digest ".len() + challenges[0].len();
    assert_eq!(answered(Limits { octets: length, ..all }, &challenges[..1]), 1);
    assert_eq!(answered(Limits { octets: length - 1, ..all }, &challenges[..1]), 0);
}
