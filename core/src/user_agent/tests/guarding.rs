//! A user agent that asks for credentials, called by one that has them (RFC 3261 §22).

use alloc::string::ToString;
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, request};
use super::pair::{Pair, Who::Alice, Who::Bob};
use crate::auth::{Algorithm, Login, Scope, Secret, Settings, Users};
use crate::error::CommandError;
use crate::time::{Duration, Instant};
use crate::user_agent::{Body, Event};

fn users() -> Users {
    let mut users = Users::new();
    users.insert("alice", Secret::password("s3cret"));
    users
}

fn settings() -> Settings {
    Settings { uri_rule: crate::auth::UriRule::Forwarded, ..Settings::new("biloxi.com") }
}

#[test]
fn a_call_is_made_and_ended_by_who_proves_who_she_is() {
    let mut pair = Pair::new();
    pair.command(Bob, |agent, now| agent.guard(now, Some((settings(), users())))).unwrap();
    let login = Login::new("alice", Secret::password("s3cret"));
    pair.command(Alice, |agent, _| agent.login(Scope::realm("biloxi.com"), login)).unwrap();
    let (alice, _) = pair.establish();
    assert_eq!(pair.all(Alice, "INVITE").len(), 2, "one without and one with credentials");
    assert_eq!(pair.all(Bob, "401 INVITE").len(), 1);
    let acks = pair.all(Alice, "ACK");
    let ack = super::text::Text::of(&acks.last().unwrap().bytes);
    assert!(ack.find("authorization").is_some(), "{ack:?}");
    // The change of the session and its ACK, and the BYE, prove it too, without being asked again.
    pair.command(Alice, |agent, now| agent.modify(now, alice, Body::sdp("v=0\r\no=2\r\n"))).unwrap();
    pair.run(Duration::from_secs(1));
    let bob = pair.incoming();
    pair.command(Bob, |agent, now| agent.accept_offer(now, bob, Body::sdp("v=0\r\n"))).unwrap();
    pair.run(Duration::from_secs(1));
    pair.hang_up(Alice, alice);
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.all(Bob, "401 INVITE").len() + pair.all(Bob, "401 BYE").len(), 1);
    let counts: Vec<_> = pair.sent.iter().map(|sent| super::text::Text::of(&sent.bytes)).collect();
    let counts: Vec<_> =
        counts.iter().filter_map(|sent| sent.find("authorization")?.split("nc=").nth(1)?.get(..8)).collect();
    // §22.1: an ACK has the count of its INVITE.
    assert_eq!(counts, ["00000001", "00000001", "00000002", "00000002", "00000003"]);
    pair.finish();
}

/// A challenge in the dialog: the retry has the dialog's next number (§12.2.1.1, §22.2).
#[test]
fn a_bye_and_a_change_that_are_challenged_go_again() {
    let mut pair = Pair::new();
    let login = Login::new("alice", Secret::password("s3cret"));
    pair.command(Alice, |agent, _| agent.login(Scope::realm("biloxi.com"), login)).unwrap();
    let (alice, bob) = pair.establish();
    pair.command(Bob, |agent, now| agent.guard(now, Some((settings(), users())))).unwrap();
    pair.command(Alice, |agent, now| agent.modify(now, alice, Body::sdp("v=0\r\no=2\r\n"))).unwrap();
    pair.run(Duration::from_secs(1));
    pair.command(Bob, |agent, now| agent.accept_offer(now, bob, Body::sdp("v=0\r\n"))).unwrap();
    pair.run(Duration::from_secs(1));
    // Bob's nonces of before are good no more.
    pair.command(Bob, |agent, now| agent.guard(now, Some((settings(), users())))).unwrap();
    pair.hang_up(Alice, alice);
    pair.run(Duration::from_secs(1));
    let numbers: Vec<_> = ["INVITE", "BYE"]
        .into_iter()
        .flat_map(|label| pair.all(Alice, label))
        .map(|sent| super::text::Text::of(&sent.bytes))
        .map(|sent| sent.header("cseq").split_once(' ').unwrap().0.parse::<u32>().unwrap())
        .collect();
    let first = numbers[0];
    assert_eq!(numbers, [first, first + 1, first + 2, first + 3, first + 4]);
    assert_eq!((pair.all(Bob, "401 INVITE").len(), pair.all(Bob, "401 BYE").len()), (1, 1));
    assert!(pair.told(Alice).contains(&"ended Local".into()), "{:?}", pair.told(Alice));
    pair.finish();
}

#[test]
fn nobody_else_gets_in_and_no_password_is_shown() {
    for algorithm in [Algorithm::MD5, Algorithm::SHA_256] {
        let mut bob = Lone::new();
        let settings = Settings { algorithms: [algorithm].into(), hashes_users: true, ..settings() };
        bob.agent.guard(Instant::ZERO, Some((settings, users()))).unwrap();
        assert!(!alloc::format!("{:?}", bob.agent).contains("s3cret"));
        let refused = bob.ask(&request("INVITE", "a", 1, "", CONTACT));
        assert_eq!(refused.label(), "401 INVITE");
        assert!(refused.header("www-authenticate").contains(algorithm.as_str()));
        let forged = refused.header("www-authenticate").to_string();
        let nonce = forged.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        let wrong = alloc::format!(
            "Authorization: Digest username=\"alice\", realm=\"biloxi.com\", nonce=\"{nonce}\", \
             uri=\"sip:bob@192.0.2.4\", response=\"{}\", algorithm={}\r\n{CONTACT}",
            "0".repeat(32),
            algorithm.as_str()
        );
        bob.receive(&request("ACK", "a", 1, refused.tag_of("to"), ""));
        let again = bob.ask(&request("INVITE", "b", 2, "", &wrong));
        assert_eq!(again.label(), "401 INVITE");
        assert!(bob.told().is_empty());
        bob.receive(&request("ACK", "b", 2, again.tag_of("to"), ""));
        // A CANCEL and an ACK are never challenged (§22.1).
        assert_eq!(bob.ask(&request("CANCEL", "c", 3, "", "")).label(), "481 CANCEL");
        bob.agent.guard(Instant::ZERO, None).unwrap();
        bob.receive(&request("INVITE", "d", 4, "", CONTACT));
        assert_eq!(bob.told(), ["incoming"]);
        let call = bob.incoming();
        bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
        bob.run(Duration::from_secs(1));
    }
}

/// RFC 7616 §3.5, with a client that checks the proof: each 2xx to what was let through, and no other response.
#[test]
fn each_2xx_proves_that_the_callee_knows_the_secret_too() {
    let mut pair = Pair::new();
    pair.command(Bob, |agent, now| agent.guard(now, Some((settings(), users())))).unwrap();
    let login = Login::new("alice", Secret::password("s3cret"));
    pair.command(Alice, |agent, _| agent.login(Scope::realm("biloxi.com"), login)).unwrap();
    let (alice, _) = pair.establish();
    pair.hang_up(Alice, alice);
    pair.run(Duration::from_secs(1));
    for (label, count) in
        [("401 INVITE", None), ("180 INVITE", None), ("200 INVITE", Some("00000001")), ("200 BYE", Some("00000002"))]
    {
        let info = pair.last(Bob, label).find("authentication-info").map(ToString::to_string);
        assert_eq!(info.is_some(), count.is_some(), "{label}");
        if let (Some(info), Some(count)) = (info, count) {
            assert!(
                info.contains("qop=auth")
                    && info.contains("rspauth=\"")
                    && info.contains(&alloc::format!("nc={count}"))
            );
            assert!(!info.contains("nextnonce"), "the nonce is young: {info}");
        }
    }
    assert!(!pair.told(Alice).contains(&"wrong proof".into()), "{:?}", pair.told(Alice));
    pair.finish();
}

/// RFC 7616 §3.5: `nextnonce` before the old one is too old.
#[test]
fn a_nonce_that_gets_old_is_followed_by_another() {
    let mut pair = Pair::new();
    pair.command(Bob, |agent, now| agent.guard(now, Some((settings(), users())))).unwrap();
    let login = Login::new("alice", Secret::password("s3cret"));
    pair.command(Alice, |agent, _| agent.login(Scope::realm("biloxi.com"), login)).unwrap();
    let (alice, bob) = pair.establish();
    pair.run(Duration::from_secs(240));
    pair.command(Alice, |agent, now| agent.modify(now, alice, Body::sdp("v=0\r\no=2\r\n"))).unwrap();
    pair.run(Duration::from_secs(1));
    pair.command(Bob, |agent, now| agent.accept_offer(now, bob, Body::sdp("v=0\r\n"))).unwrap();
    pair.run(Duration::from_secs(120));
    assert!(pair.last(Bob, "200 INVITE").header("authentication-info").contains("nextnonce"));
    // The first nonce would be stale by now.
    pair.hang_up(Alice, alice);
    pair.run(Duration::from_secs(1));
    assert!(pair.all(Bob, "401 BYE").is_empty());
    pair.finish();
}

fn looking_up() -> Pair {
    let mut pair = Pair::with(|_, profile| profile.limits.look_ups = 1);
    pair.command(Bob, |agent, now| agent.guard_with_look_up(now, settings(), Duration::from_secs(5))).unwrap();
    let login = Login::new("alice", Secret::password("s3cret"));
    pair.command(Alice, |agent, _| agent.login(Scope::realm("biloxi.com"), login)).unwrap();
    pair
}

/// The request that Bob is asked about.
fn wanted(pair: &Pair) -> crate::user_agent::ServedId {
    let wanted = pair.events.iter().rev().find_map(|(_, who, event)| match event {
        Event::SecretWanted { served, realm, algorithm, .. } if *who == Bob => {
            assert_eq!((&**realm, *algorithm), ("biloxi.com", Algorithm::SHA_256));
            Some(*served)
        }
        _ => None,
    });
    wanted.expect("a question")
}

#[test]
fn a_request_waits_for_the_secret_that_is_looked_up_elsewhere() {
    let mut pair = looking_up();
    let alice = pair.call();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.told(Bob), ["secret wanted alice"]);
    let served = wanted(&pair);
    let secret = Some(("alice", Secret::password("s3cret")));
    assert_eq!(pair.command(Bob, |agent, now| agent.secret(now, served, secret.clone())), Ok(()));
    assert_eq!(pair.told(Bob), ["secret wanted alice", "incoming"]);
    assert_eq!(pair.command(Bob, |agent, now| agent.secret(now, served, secret)), Err(CommandError::Gone));
    assert!(!alloc::format!("{:?}", pair.agent(Bob)).contains("s3cret"));
    let bob = pair.incoming();
    pair.answer(bob);
    pair.run(Duration::from_secs(1));
    assert!(pair.last(Bob, "200 INVITE").header("authentication-info").contains("rspauth"));
    pair.hang_up(Alice, alice);
    pair.run(Duration::from_secs(1));
    // A hash in the place of the password.
    let served = wanted(&pair);
    let ha1 = crate::auth::Ha1::of(crate::auth::HashFunction::Sha256, "alice", "biloxi.com", "s3cret");
    pair.command(Bob, |agent, now| agent.secret(now, served, Some(("alice", Secret::hashes([ha1]))))).unwrap();
    assert_eq!(pair.told(Bob).last().map(|told| &**told), Some("ended Remote"));
    pair.finish();
}

#[test]
fn a_user_who_is_not_known_or_has_another_secret_is_challenged_again() {
    for user in [None, Some(("alice", Secret::password("other"))), Some(("bob", Secret::password("s3cret")))] {
        let mut pair = looking_up();
        pair.call();
        pair.run(Duration::from_secs(1));
        let served = wanted(&pair);
        pair.command(Bob, |agent, now| agent.secret(now, served, user)).unwrap();
        pair.run(Duration::from_secs(1));
        assert_eq!(pair.told(Alice), ["failed 401"]);
        assert_eq!(pair.told(Bob), ["secret wanted alice"]);
        pair.finish();
    }
}

/// RFC 3261 §21.5.5.
#[test]
fn a_secret_that_is_not_said_in_time_is_a_504() {
    let mut pair = looking_up();
    pair.call();
    pair.run(Duration::from_millis(4_900));
    assert!(pair.told(Alice).is_empty());
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.told(Alice), ["failed 504"]);
    let served = wanted(&pair);
    assert_eq!(pair.command(Bob, |agent, now| agent.secret(now, served, None)), Err(CommandError::Gone));
    pair.finish();
}

/// §9.2: the INVITE has no final response yet.
#[test]
fn a_request_that_waits_can_be_cancelled() {
    let mut pair = looking_up();
    let alice = pair.call();
    pair.run(Duration::from_secs(1));
    pair.command(Alice, |agent, now| agent.cancel(now, alice)).unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.told(Alice), ["failed 487"]);
    assert_eq!(pair.last(Bob, "200 CANCEL").find("authentication-info"), None);
    let served = wanted(&pair);
    assert_eq!(pair.command(Bob, |agent, now| agent.secret(now, served, None)), Err(CommandError::Gone));
    pair.finish();
}

#[test]
fn requests_that_wait_for_a_secret_have_a_limit() {
    assert_eq!(crate::user_agent::Limits::default().look_ups, 10_000);
    let mut pair = looking_up();
    pair.call();
    pair.run(Duration::from_secs(1));
    let carol = "Bob <sip:bob@biloxi.com>".parse().unwrap();
    pair.command(Alice, |agent, now| agent.call(now, &carol)).unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.told(Alice), ["failed 503"]);
    assert!(pair.told(Bob).contains(&"overload Limit(look_ups)".into()));
    // The one that waits is not lost, and its end makes room.
    let served = wanted(&pair);
    pair.command(Bob, |agent, now| agent.secret(now, served, Some(("alice", Secret::password("s3cret"))))).unwrap();
    assert!(pair.told(Bob).contains(&"incoming".into()));
    pair.command(Alice, |agent, now| agent.call(now, &carol)).unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.told(Bob).last().map(|told| &**told), Some("secret wanted alice"));
}
