//! A user agent that asks for credentials, called by one that has them (RFC 3261 §22).

use alloc::string::ToString;

use super::lone::{CONTACT, Lone, request};
use super::pair::{Pair, Who::Alice, Who::Bob};
use crate::auth::{Algorithm, Login, Scope, Secret, Settings, Users};
use crate::time::{Duration, Instant};

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
    let _ = alice;
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
