//! An INVITE that wants to take the place of another call (RFC 3891), from either end.

use alloc::format;
use alloc::string::{String, ToString};

use super::lone::{CONTACT, Lone, described, request};
use super::text::Text;
use crate::auth::{self, Keyring, Login, Outcome, Scope, Secret, Settings, Unknown, Users};
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::{Message, StatusCode};
use crate::random::{Random, Script, Seed};
use crate::user_agent::{Body, Event, Limits, Outgoing, Refer};
use crate::{CallId, Duration};

fn bob() -> Lone {
    Lone::with(|_, profile| {
        profile.extensions = Extensions::of(&[Extension::Replaces]);
        profile.limits.ended_dialogs = 2;
    })
}

/// Bob calls Carol, who answers with that status.
fn calling(bob: &mut Lone, status: &str) -> (CallId, Text) {
    let (call, invite) = bob.call();
    bob.receive(&invite.respond(status, "c", CONTACT));
    bob.take();
    (call, invite)
}

/// Replaces for a call that Bob has made, with more parameters.
fn replaces(invite: &Text, more: &str) -> String {
    format!("{CONTACT}Replaces: {};to-tag={};from-tag=c{more}\r\n", invite.header("call-id"), invite.tag_of("from"))
}

/// Somebody's INVITE that wants to replace a call.
fn replacing(branch: &str, number: u32, extra: &str) -> String {
    request("INVITE", branch, number, "", extra)
}

/// The call that the last INVITE wants to replace.
fn told(bob: &Lone) -> Option<CallId> {
    match bob.events.last() {
        Some(Event::Incoming { replaces, .. }) => *replaces,
        other => panic!("{other:?}"),
    }
}

fn labels(texts: &[Text]) -> alloc::vec::Vec<String> {
    texts.iter().map(Text::label).collect()
}

#[test]
fn a_confirmed_call_ends_with_a_bye_when_the_other_is_answered() {
    let mut bob = bob();
    let (old, invite) = calling(&mut bob, "200 OK");
    assert!(bob.exchange(&replacing("r", 1, &replaces(&invite, ""))).is_empty());
    assert_eq!(told(&bob), Some(old));
    let new = bob.incoming();
    bob.command(|agent, now| agent.ring(now, new)).unwrap();
    assert_eq!(labels(&bob.take()), ["180 INVITE"], "the other call stays until the answer");
    bob.command(|agent, now| agent.answer(now, new, None)).unwrap();
    let sent = bob.take();
    assert_eq!(labels(&sent), ["200 INVITE", "BYE"]);
    assert_eq!(sent[1].header("call-id"), invite.header("call-id"));
    // Once answered, nothing more is ended.
    assert_eq!(bob.command(|agent, now| agent.answer(now, new, None)), Err(CommandError::WrongState));
    assert!(bob.take().is_empty());
    // The other call is ending: a second INVITE comes too late.
    let late = replacing("s", 2, &replaces(&invite, "")).replace("1j9FpLxk", "late");
    assert_eq!(bob.ask(&late).label(), "603 INVITE");
    bob.receive(&sent[1].respond("200 OK", "", ""));
    assert_eq!(bob.told().last().unwrap(), "ended Local");
}

#[test]
fn an_early_call_of_ours_ends_with_a_cancel() {
    let mut bob = bob();
    let (old, invite) = calling(&mut bob, "180 Ringing");
    bob.receive(&replacing("r", 1, &replaces(&invite, ";early-only")));
    assert_eq!(told(&bob), Some(old));
    let new = bob.incoming();
    bob.command(|agent, now| agent.answer(now, new, None)).unwrap();
    let sent = bob.take();
    assert_eq!(labels(&sent), ["200 INVITE", "CANCEL"]);
    assert_eq!(sent[1].header("call-id"), invite.header("call-id"));
    // The call is cancelled: a second INVITE comes too late.
    let late = replacing("s", 2, &replaces(&invite, "")).replace("1j9FpLxk", "late");
    assert_eq!(bob.ask(&late).label(), "603 INVITE");
    bob.receive(&invite.respond("487 Request Terminated", "c", ""));
    assert_eq!(bob.told().last().unwrap(), "failed 487");
}

#[test]
fn what_matches_nothing_is_refused_with_481_and_what_has_ended_with_603() {
    let mut bob = bob();
    let (old, invite) = calling(&mut bob, "200 OK");
    for (place, wrong) in ["call-id", "to-tag", "from-tag"].into_iter().enumerate() {
        let text = replaces(&invite, "");
        let text = match wrong {
            "call-id" => text.replace("Replaces: ", "Replaces: x"),
            "to-tag" => text.replace("to-tag=", "to-tag=x"),
            _ => text.replace("from-tag=", "from-tag=x"),
        };
        let branch = format!("w{place}");
        assert_eq!(bob.ask(&replacing(&branch, 1 + place as u32, &text)).label(), "481 INVITE", "{wrong}");
    }
    assert_eq!(bob.ask(&replacing("e", 10, &replaces(&invite, ";early-only"))).label(), "486 INVITE");
    assert_eq!(bob.agent.calls().count(), 1);
    bob.command(|agent, now| agent.hang_up(now, old)).unwrap();
    let bye = bob.take().pop().unwrap();
    bob.receive(&bye.respond("200 OK", "", ""));
    assert_eq!(bob.ask(&replacing("f", 11, &replaces(&invite, ""))).label(), "603 INVITE");
    // Two further ends, and the first is forgotten.
    for _ in 0..2 {
        let (call, invite) = calling(&mut bob, "180 Ringing");
        bob.command(|agent, now| agent.cancel(now, call)).unwrap();
        bob.receive(&invite.respond("487 Request Terminated", "c", ""));
        bob.run(Duration::from_secs(64));
        bob.take();
    }
    bob.take();
    assert_eq!(bob.ask(&replacing("i", 13, &replaces(&invite, ""))).label(), "481 INVITE");
    assert_eq!(Limits::default().ended_dialogs, 256);
}

/// §3: the far end's own early dialog is nothing that somebody else may take.
#[test]
fn an_early_call_of_the_peer_is_not_replaced() {
    let mut bob = bob();
    bob.receive(&super::lone::invite("a", 1));
    let old = bob.incoming();
    bob.command(|agent, now| agent.ring(now, old)).unwrap();
    let ringing = bob.take().pop().unwrap();
    let named = format!(
        "{CONTACT}Replaces: {};to-tag={};from-tag=carol-tag\r\n",
        ringing.header("call-id"),
        ringing.tag_of("to")
    );
    let other = replacing("r", 1, &named).replace("Call-ID: 1j9F", "Call-ID: other");
    assert_eq!(bob.ask(&other).label(), "481 INVITE");
    // Its caller may be asked to let another call take its place.
    assert!(bob.agent.replacing(old).is_ok());
    assert_eq!(bob.agent.calls().count(), 1);
}

#[test]
fn a_tag_of_zero_stands_for_none() {
    let mut bob = bob();
    let (old, invite) = bob.call();
    // A callee of RFC 2543.
    bob.receive(&invite.respond("200 OK", "", CONTACT));
    bob.take();
    let named = replaces(&invite, "").replace("from-tag=c", "from-tag=0");
    bob.receive(&replacing("r", 1, &named));
    assert_eq!(told(&bob), Some(old));
    let value = Outgoing::to(&"<sip:carol@192.0.2.9>".parse().unwrap()).replaces(&bob.agent.replacing(old).unwrap());
    bob.command(|agent, now| agent.call(now, value)).unwrap();
    let from = invite.tag_of("from");
    let expected = format!("{};to-tag=0;from-tag={from}", invite.header("call-id"));
    assert_eq!(bob.take().pop().unwrap().header("replaces"), expected);
}

#[test]
fn replaces_in_the_wrong_place_is_refused_with_400() {
    let mut bob = bob();
    let (_, invite) = calling(&mut bob, "200 OK");
    let good = replaces(&invite, "");
    let twice = format!("{good}{}", good.strip_prefix(CONTACT).unwrap());
    let cases = [
        ("INVITE", twice),
        ("INVITE", format!("{CONTACT}Replaces: a@b;to-tag=1\r\n")),
        ("INVITE", format!("{good}Join: a@b;to-tag=1;from-tag=2\r\n")),
        ("OPTIONS", good.clone()),
    ];
    for (place, (method, extra)) in cases.into_iter().enumerate() {
        let text = request(method, &format!("w{place}"), 1 + place as u32, "", &extra);
        assert_eq!(bob.ask(&text).label(), format!("400 {method}"), "{text}");
    }
    assert!(bob.told().iter().all(|told| told != "incoming"));
}

#[test]
fn without_the_extension_the_field_says_nothing_and_a_demand_is_refused() {
    let mut bob = Lone::new();
    let (old, invite) = calling(&mut bob, "200 OK");
    assert_eq!(bob.agent.replacing(old), Err(CommandError::Invalid("extension")));
    let demand = bob.ask(&replacing("q", 1, &format!("{}Require: replaces\r\n", replaces(&invite, ""))));
    assert_eq!((demand.label().as_str(), demand.header("unsupported")), ("420 INVITE", "replaces"));
    bob.receive(&replacing("r", 2, &replaces(&invite, "")));
    assert_eq!(told(&bob), None);
    let new = bob.incoming();
    bob.command(|agent, now| agent.answer(now, new, None)).unwrap();
    assert_eq!(labels(&bob.take()), ["200 INVITE"]);
    assert_eq!(bob.agent.calls().count(), 2);
}

#[test]
fn a_demand_for_the_extension_is_met_and_supported_says_so() {
    let mut bob = bob();
    let (old, invite) = calling(&mut bob, "200 OK");
    assert_eq!(invite.header("supported"), "replaces");
    bob.receive(&replacing("r", 1, &format!("{}Require: replaces\r\n", replaces(&invite, ""))));
    assert_eq!(told(&bob), Some(old));
}

#[test]
fn a_rejection_leaves_the_other_call() {
    let mut bob = bob();
    let (old, invite) = calling(&mut bob, "200 OK");
    bob.receive(&replacing("r", 1, &replaces(&invite, "")));
    let new = bob.incoming();
    bob.command(|agent, now| agent.reject(now, new, StatusCode::DECLINE)).unwrap();
    assert_eq!(labels(&bob.take()), ["603 INVITE"]);
    assert_eq!(bob.agent.calls().map(|info| info.call).collect::<alloc::vec::Vec<_>>(), [old]);
}

#[test]
fn an_answer_ends_nothing_if_the_other_call_has_ended_before() {
    let mut bob = bob();
    let (old, invite) = calling(&mut bob, "200 OK");
    bob.receive(&replacing("r", 1, &replaces(&invite, "")));
    let new = bob.incoming();
    bob.command(|agent, now| agent.hang_up(now, old)).unwrap();
    let bye = bob.take().pop().unwrap();
    bob.receive(&bye.respond("200 OK", "", ""));
    bob.command(|agent, now| agent.answer(now, new, None)).unwrap();
    assert_eq!(labels(&bob.take()), ["200 INVITE"]);
}

#[test]
fn a_call_that_was_to_be_replaced_while_early_is_kept_if_it_was_answered_meanwhile() {
    let mut bob = bob();
    let (old, invite) = calling(&mut bob, "180 Ringing");
    assert_eq!(bob.agent.replacing(old), Err(CommandError::WrongState), "the peer has not called");
    bob.receive(&replacing("r", 1, &replaces(&invite, ";early-only")));
    let new = bob.incoming();
    bob.receive(&invite.respond("200 OK", "c", CONTACT));
    bob.take();
    assert_eq!(bob.command(|agent, now| agent.answer(now, new, None)), Err(CommandError::WrongState));
    assert!(bob.take().is_empty());
    bob.command(|agent, now| agent.reject(now, new, StatusCode::BUSY_HERE)).unwrap();
    assert_eq!(bob.agent.calls().count(), 1);
}

#[test]
fn a_target_names_the_call_once_and_as_its_peer_knows_it() {
    let mut bob = bob();
    let (old, invite) = calling(&mut bob, "200 OK");
    let replace = bob.agent.replacing(old).unwrap().early_only();
    let target = "sip:carol@192.0.2.9?Subject=x".parse().unwrap();
    bob.command(|agent, now| agent.refer(now, old, Refer::to(&target).replaces(&replace))).unwrap();
    let (call_id, from) = (invite.header("call-id").replace('@', "%40"), invite.tag_of("from"));
    let expected =
        format!("<sip:carol@192.0.2.9?Subject=x&Replaces={call_id}%3Bto-tag%3Dc%3Bfrom-tag%3D{from}%3Bearly-only>");
    assert_eq!(bob.take().pop().unwrap().header("refer-to"), expected);
    let twice = Refer::to(&target).replaces(&replace).replaces(&replace);
    assert_eq!(bob.command(|agent, now| agent.refer(now, old, twice)), Err(CommandError::Invalid("replaces")));
    let tel = Refer::to(&"tel:+1-201-555-0123".parse().unwrap()).replaces(&replace);
    assert_eq!(bob.command(|agent, now| agent.refer(now, old, tel)), Err(CommandError::NotSip));
    let carol = "<sip:carol@192.0.2.9>".parse().unwrap();
    let twice = Outgoing::to(&carol).replaces(&replace).replaces(&replace);
    assert_eq!(bob.command(|agent, now| agent.call(now, twice)), Err(CommandError::Invalid("replaces")));
    bob.command(|agent, now| agent.hang_up(now, old)).unwrap();
    assert_eq!(bob.agent.replacing(old), Err(CommandError::WrongState));
}

/// RFC 3262 §3: the 200 waits for the PRACK, and so does the end of the other call.
#[test]
fn an_answer_that_waits_for_a_prack_ends_the_other_call_when_it_goes_out() {
    for answered_meanwhile in [false, true] {
        let mut bob = Lone::with(|_, profile| {
            profile.extensions = Extensions::of(&[Extension::Reliable, Extension::Replaces]);
        });
        let (_, invite) = calling(&mut bob, "180 Ringing");
        let named = format!("{}Supported: 100rel\r\n", replaces(&invite, ";early-only"));
        bob.receive(&described(&replacing("r", 10, &named)));
        let new = bob.incoming();
        bob.command(|agent, now| agent.progress_reliably(now, new, StatusCode::SESSION_PROGRESS, Body::sdp("v=0\r\n")))
            .unwrap();
        let response = bob.take().pop().unwrap();
        bob.command(|agent, now| agent.answer(now, new, None)).unwrap();
        assert!(bob.take().is_empty());
        if answered_meanwhile {
            bob.receive(&invite.respond("200 OK", "c", CONTACT));
            assert_eq!(labels(&bob.take()), ["ACK"]);
        }
        let rack = format!("RAck: {} 10 INVITE\r\n", response.header("rseq"));
        let sent = bob.exchange(&request("PRACK", "p", 11, response.tag_of("to"), &rack));
        let expected: &[&str] =
            if answered_meanwhile { &["200 PRACK", "486 INVITE"] } else { &["200 PRACK", "200 INVITE", "CANCEL"] };
        assert_eq!(labels(&sent), expected);
    }
}

/// §3: the user who is being replaced may replace, whatever phone it is; another user is for the application to judge.
#[test]
fn the_application_hears_whether_it_is_the_same_user_who_replaces() {
    let mut bob = bob();
    let mut users = Users::new();
    for user in ["alice", "carol"] {
        users.insert(user, Secret::password(user));
    }
    bob.command(|agent, now| agent.guard(now, Some((Settings::new("biloxi.com"), users)))).unwrap();
    // An INVITE of a user: challenged, and sent again with credentials.
    let invite = |bob: &mut Lone, user: &str, number: u32, extra: &str| {
        let text = |number, extra: &str| {
            let text = replacing(&format!("b{number}"), number, &format!("{CONTACT}{extra}"));
            described(&text).replace("1j9FpLxk3uxtm8tn", &format!("call{}", number / 10))
        };
        let parse = |text: &str| {
            let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
            Message::parse(text.as_bytes(), &crate::message::Limits::default()).unwrap()
        };
        let challenge = bob.ask(&text(number, extra));
        assert_eq!(challenge.label(), "401 INVITE");
        bob.receive(&text(number, extra).replace("INVITE sip", "ACK sip").replace(" INVITE\r", " ACK\r"));
        let Message::Request(again) = parse(&text(number + 1, extra)) else { panic!() };
        let header = format!("WWW-Authenticate: {}\r\n", challenge.header("www-authenticate"));
        let refused = format!(
            "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nTo: <sip:b@c>\r\nFrom: <sip:b@c>;tag=1\r\nCall-ID: x\r\n\
             CSeq: 1 INVITE\r\n{header}\r\n"
        );
        let Message::Response(refused) = parse(&refused) else { panic!() };
        let mut keyring = Keyring::new(auth::Limits::default());
        keyring.insert((), Scope::Any, Login::new(user, Secret::password(user))).unwrap();
        let mut random = Random::new(Seed::from_u64(7), Script::default());
        let Outcome::Again(fields) = keyring.answer((), &again, &refused, Unknown::Ask, &mut random) else { panic!() };
        let (_, value) = fields.iter().next().unwrap();
        let value = core::str::from_utf8(value).unwrap();
        bob.receive(&text(number + 1, &format!("{extra}Authorization: {value}\r\n")));
        match bob.events.last() {
            Some(Event::Incoming { call, replaces, replaces_own, .. }) => (*call, *replaces, *replaces_own),
            other => panic!("{other:?}"),
        }
    };
    let (old, none, own) = invite(&mut bob, "carol", 10, "");
    assert_eq!((none, own), (None, false));
    bob.command(|agent, now| agent.answer(now, old, Body::sdp("v=0\r\n"))).unwrap();
    let tag = bob.take().pop().unwrap().tag_of("to").to_string();
    let name = format!("Replaces: call1@chicago.com;to-tag={tag};from-tag=carol-tag\r\n");
    for (user, number, expected) in [("alice", 20, false), ("carol", 30, true)] {
        let (_, replaces, own) = invite(&mut bob, user, number, &name);
        assert_eq!((replaces, own), (Some(old), expected), "{user}");
    }
    // Without a guard nobody has proved anything.
    let mut bob = self::bob();
    let (old, first) = calling(&mut bob, "200 OK");
    bob.receive(&replacing("r", 1, &replaces(&first, "")));
    assert!(
        matches!(bob.events.last(), Some(Event::Incoming { replaces: Some(call), replaces_own: false, .. }) if *call == old)
    );
}
