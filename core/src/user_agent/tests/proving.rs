//! Each attempt and each fork of a request carries its own: the fields of its target, and its credentials (RFC 3261 §19.1.5, §22.1).

use alloc::format;

use super::lone::{CONTACT, Lone};
use super::text::Text;
use crate::auth::{self, Login, Scope, Secret};
use crate::time::Duration;
use crate::user_agent::{Event, Redirects};
use crate::user_agent::{Limits, Outgoing, Policy, RequestId, Wanted};

const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"a\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\n";
const OF_PROXY: &str = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n2\", algorithm=MD5\r\n";

fn login(password: &str) -> Login {
    Login::new("bob", Secret::password(password))
}

/// Bob, who has a login for each realm, follows redirections, and is asked for what he does not know.
fn bob_with(limits: impl FnOnce(&mut Limits)) -> Lone {
    let mut bob = Lone::with(|_, profile| {
        let questions = Some(Duration::from_secs(30));
        profile.policy = Policy { questions, redirects: Redirects::Follow, ..Policy::NONE };
        limits(&mut profile.limits);
    });
    for realm in ["a", "p"] {
        bob.agent.login(Scope::realm(realm), login("zanzibar")).unwrap();
    }
    bob
}

fn bob() -> Lone {
    bob_with(|_| {})
}

/// The answer to an INVITE of Bob's, and the INVITE that goes out because of it.
#[track_caller]
fn again(bob: &mut Lone, invite: &Text, status: &str, extra: &str) -> Text {
    let sent = bob.exchange(&invite.respond(status, "c", extra));
    let labels: alloc::vec::Vec<_> = sent.iter().map(Text::label).collect();
    assert_eq!(labels, ["ACK", "INVITE"]);
    sent.into_iter().nth(1).unwrap()
}

fn wanted(bob: &Lone) -> RequestId {
    match bob.events.last() {
        Some(Event::Wanted { request, wanted: Wanted::Credentials(_), .. }) => *request,
        other => panic!("{other:?}"),
    }
}

/// §19.1.5: the header fields of a Contact are for the request to that Contact.
#[test]
fn the_fields_of_one_target_are_not_sent_to_the_next() {
    let mut bob = bob();
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let outgoing = Outgoing::to(&carol).header("Subject", "Lunch").header("X-Own", "1");
    bob.command(|agent, now| agent.call(now, outgoing)).unwrap();
    let first = bob.take().remove(0);
    let contacts = "Contact: <sip:a@192.0.2.9?Subject=Dinner&X-Own=2&X-Theirs=3>;q=0.9\r\n\
                    Contact: <sip:b@192.0.2.9?Priority=urgent>;q=0.8\r\nContact: <sip:c@192.0.2.9>;q=0.7\r\n";
    let fields = |text: &Text| {
        let find = |name| text.headers.get(name).cloned().unwrap_or_default().join(",");
        ["subject", "x-own", "x-theirs", "priority"].map(find)
    };
    let a = again(&mut bob, &first, "302 Moved", contacts);
    assert_eq!(
        (a.start.as_str(), fields(&a)),
        ("INVITE sip:a@192.0.2.9 SIP/2.0", ["Dinner", "1,2", "3", ""].map(Into::into))
    );
    // A retry at the same target keeps them.
    let a = again(&mut bob, &a, "401 Unauthorized", CHALLENGE);
    assert_eq!(fields(&a), ["Dinner", "1,2", "3", ""]);
    let b = again(&mut bob, &a, "486 Busy Here", "");
    assert_eq!(
        (b.start.as_str(), fields(&b)),
        ("INVITE sip:b@192.0.2.9 SIP/2.0", ["Lunch", "1", "", "urgent"].map(Into::into))
    );
    let c = again(&mut bob, &b, "486 Busy Here", "");
    assert_eq!(
        (c.start.as_str(), fields(&c)),
        ("INVITE sip:c@192.0.2.9 SIP/2.0", ["Lunch", "1", "", ""].map(Into::into))
    );
    assert!(c.find("authorization").is_some());
}

/// §22.1, §22.3: the ACK has the credentials of the INVITE, and the BYE its own.
#[test]
fn a_fork_that_is_turned_away_gets_the_credentials_too() {
    let mut bob = bob_with(|limits| limits.forks = 1);
    let (_, first) = bob.call();
    let invite = again(&mut bob, &first, "407 Proxy Authentication Required", OF_PROXY);
    bob.receive(&invite.respond("200 OK", "c", CONTACT));
    let sent = bob.exchange(&invite.respond("200 OK", "d", CONTACT));
    assert_eq!([sent[0].method(), sent[1].method()], ["ACK", "BYE"]);
    assert_eq!(sent[0].header("proxy-authorization"), invite.header("proxy-authorization"));
    let of_bye = sent[1].header("proxy-authorization");
    assert!(of_bye.contains("nonce=\"n2\"") && of_bye != invite.header("proxy-authorization"), "{of_bye}");
}

/// §22.1: "MUST NOT re-attempt requests with the credentials that have just been rejected", whoever gives them.
#[test]
fn a_login_that_was_refused_is_not_sent_again_when_it_is_given_again() {
    let mut bob = bob();
    let (_, first) = bob.call();
    let second = again(&mut bob, &first, "401 Unauthorized", CHALLENGE);
    let refused = |bob: &mut Lone, invite: &Text| {
        assert_eq!(bob.exchange(&invite.respond("401 Unauthorized", "c", CHALLENGE)).len(), 1, "an ACK alone");
    };
    refused(&mut bob, &second);
    // The same under another scope is the same.
    for scope in [Scope::realm("a"), Scope::Any, Scope::host("192.0.2.9").unwrap()] {
        let request = wanted(&bob);
        bob.command(|agent, now| agent.credentials(now, request, [(scope.clone(), login("zanzibar"))])).unwrap();
        assert!(bob.take().is_empty(), "{scope:?}");
    }
    let request = wanted(&bob);
    bob.command(|agent, now| agent.credentials(now, request, [(Scope::realm("a"), login("other"))])).unwrap();
    let third = bob.take().remove(0);
    assert_ne!(third.header("authorization"), second.header("authorization"));
    refused(&mut bob, &third);
    let request = wanted(&bob);
    bob.command(|agent, now| agent.give_up(now, request)).unwrap();
    // A request that has not been tried with it is: the server may have changed its mind.
    bob.command(|agent, _| agent.login(Scope::realm("a"), login("other"))).unwrap();
    let (_, next) = bob.call();
    assert!(next.find("authorization").is_none());
    let next = again(&mut bob, &next, "401 Unauthorized", &CHALLENGE.replace("n1", "n7"));
    assert!(next.header("authorization").contains("n7"));
}

/// `Limits::auth`: of several challenges no more are looked at than that.
#[test]
fn the_bounds_of_the_keyring_are_those_of_the_profile() {
    assert_eq!(Limits::default().auth, auth::Limits::default());
    for (challenges, is_answered) in [(1, false), (2, true)] {
        let mut bob = bob_with(|limits| limits.auth.challenges = challenges);
        let (_, first) = bob.call();
        let unknown = CHALLENGE.replace("MD5", "unknown");
        let sent = bob.exchange(&first.respond("401 Unauthorized", "c", &format!("{unknown}{CHALLENGE}")));
        assert_eq!(sent.iter().any(|sent| sent.method() == "INVITE"), is_answered, "{challenges}");
    }
}
