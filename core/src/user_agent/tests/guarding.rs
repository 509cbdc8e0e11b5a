//! A user agent that asks for credentials, called by one that has them (RFC 3261 §22).

use alloc::string::ToString;
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, request};
use super::pair::{Pair, Who::Alice, Who::Bob};
use crate::auth::{Algorithm, Login, Scope, Secret, Settings, Users};
use crate::time::{Duration, Instant};
use crate::user_agent::Body;

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
