//! REFER from either end, and the subscriptions that it makes (RFC 3515, 3892, 4488; RFC 5057).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, request};
use super::text::Text;
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::{StatusCode, UriBuf};
use crate::node::Node;
use crate::time::Duration;
use crate::user_agent::ServedId;
use crate::user_agent::{Event, Outgoing, Refer, Reply};
use crate::{CallId, ReferralId, SubscriptionId};

pub(super) fn carol() -> UriBuf {
    "sip:dave@denver.example.org".parse().unwrap()
}

/// The one request that was sent.
#[track_caller]
pub(super) fn one(bob: &mut Lone) -> Text {
    let mut sent = bob.take();
    sent.retain(|text| !text.start.starts_with("SIP/2.0"));
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.remove(0)
}

/// Bob in a call with Carol; the INVITE that he has sent.
pub(super) fn established(bob: &mut Lone) -> (CallId, Text) {
    let (call, invite) = bob.call();
    bob.receive(&invite.respond("200 OK", "c", CONTACT));
    bob.take();
    bob.events.clear();
    (call, invite)
}

/// Bob has sent a REFER in a call; its handle and itself.
pub(super) fn referring(bob: &mut Lone) -> (CallId, SubscriptionId, Text) {
    let (call, _) = established(bob);
    let id = bob.command(|agent, now| agent.refer(now, call, &carol())).unwrap();
    let refer = one(bob);
    (call, id, refer)
}

/// A request of Carol's in the dialog of a message of Bob's; `extra` is whole lines.
pub(super) fn inside(sent: &Text, method: &str, number: u32, extra: &str, body: &str) -> String {
    format!(
        "{method} sip:bob@192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{method}{number}\r\nMax-Forwards: 70\r\n\
         To: {}\r\nFrom: Carol <sip:carol@192.0.2.9>;tag=c\r\nCall-ID: {}\r\nCSeq: {number} {method}\r\n\
         Contact: <sip:carol@192.0.2.9>\r\n{extra}Content-Length: {}\r\n\r\n{body}",
        sent.header("from"),
        sent.header("call-id"),
        body.replace('\n', "\r\n").len(),
    )
}

pub(super) fn notify(sent: &Text, number: u32, id: &str, state: &str, status: &str) -> String {
    let extra = format!("Event: refer{id}\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag\r\n");
    inside(sent, "NOTIFY", number, &extra, &format!("SIP/2.0 {status}\n"))
}

pub(super) fn number(text: &Text) -> u32 {
    text.header("cseq").split_once(' ').unwrap().0.parse().unwrap()
}

/// RFC 3515 §4.1: REFER, 202, NOTIFY 100 and NOTIFY 200.
#[test]
fn a_refer_in_a_call_is_followed_by_what_becomes_of_it() {
    let mut bob = Lone::new();
    let (call, _) = established(&mut bob);
    let refer = Refer::to(&carol()).referred_by(&"Bob <sip:bob@biloxi.com>".parse().unwrap()).header("X-Thing", "1");
    let id = bob.command(|agent, now| agent.refer(now, call, refer)).unwrap();
    let sent = one(&mut bob);
    assert_eq!(sent.start, "REFER sip:carol@192.0.2.9 SIP/2.0");
    let fields = ["refer-to", "referred-by", "contact", "x-thing"].map(|name| sent.header(name));
    let bob_at = "<sip:bob@192.0.2.4>";
    assert_eq!(fields, ["<sip:dave@denver.example.org>", "Bob <sip:bob@biloxi.com>", bob_at, "1"]);
    assert!(sent.find("refer-sub").is_none() && sent.find("expires").is_none() && sent.find("event").is_none());
    // The NOTIFY may come before the response.
    assert_eq!(bob.ask(&notify(&sent, 1, "", "active;expires=60", "100 Trying")).label(), "200 NOTIFY");
    bob.receive(&sent.respond("202 Accepted", "", CONTACT));
    assert_eq!(bob.ask(&notify(&sent, 2, "", "active;expires=50", "180 Ringing")).label(), "200 NOTIFY");
    assert_eq!(bob.ask(&notify(&sent, 3, "", "terminated;reason=noresource", "200 OK")).label(), "200 NOTIFY");
    assert_eq!(bob.told(), ["notified 100", "subscribed 202", "notified 180", "notified 200", "terminated NoResource"]);
    assert!(matches!(&bob.events[0], Event::Notified { subscription, .. } if *subscription == id));
    assert_eq!(bob.ask(&notify(&sent, 4, "", "active", "200 OK")).label(), "481 NOTIFY");
    assert_eq!(bob.agent.calls().count(), 1);
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = one(&mut bob);
    bob.receive(&bye.respond("200 OK", "", ""));
    bob.finish();
}

/// RFC 5057 §5.5: BYE ends the session, and not the subscription; the dialog is over with both.
#[test]
fn the_subscription_of_a_refer_outlives_the_call() {
    let mut bob = Lone::new();
    let (_, _, sent) = referring(&mut bob);
    bob.receive(&sent.respond("202 Accepted", "", CONTACT));
    bob.receive(&notify(&sent, 1, "", "active;expires=60", "100 Trying"));
    assert_eq!(bob.ask(&inside(&sent, "BYE", 2, "", "")).label(), "200 BYE");
    assert_eq!(bob.told().last().unwrap(), "ended Remote");
    assert_eq!(bob.ask(&inside(&sent, "BYE", 3, "", "")).label(), "481 BYE");
    bob.run(Duration::from_secs(40));
    let refresh =
        bob.take().into_iter().find(|text| text.method() == "SUBSCRIBE" && !text.start.starts_with("SIP")).unwrap();
    assert_eq!((refresh.header("event"), refresh.header("expires")), ("refer", "60"));
    bob.receive(&refresh.respond("200 OK", "", "Expires: 60\r\n"));
    assert_eq!(bob.ask(&notify(&sent, 4, "", "terminated;reason=noresource", "603 Declined")).label(), "200 NOTIFY");
    assert_eq!(bob.told()[bob.told().len() - 2..], ["notified 603", "terminated NoResource"]);
    assert_eq!(bob.agent.user().census().dialogs, 0);
    bob.finish();
}

/// RFC 3515 §2.4.6.
#[test]
fn several_refers_in_a_dialog_are_told_apart_by_their_numbers() {
    let mut bob = Lone::new();
    let (call, first, sent) = referring(&mut bob);
    let second = bob.command(|agent, now| agent.refer(now, call, &carol())).unwrap();
    let other = one(&mut bob);
    for (sequence, id, expected) in [(1, number(&other), second), (2, number(&sent), first)] {
        let text = notify(&sent, sequence, &format!(";id={id}"), "active;expires=600", "100 Trying");
        assert_eq!(bob.ask(&text).label(), "200 NOTIFY");
        assert!(matches!(bob.events.last(), Some(Event::Notified { subscription, .. }) if *subscription == expected));
    }
    assert_eq!(bob.ask(&notify(&sent, 3, ";id=1", "active", "100 Trying")).label(), "481 NOTIFY");
    bob.receive(&notify(&sent, 4, "", "active", "100 Trying"));
    assert!(matches!(bob.events.last(), Some(Event::Notified { subscription, .. }) if *subscription == first));
    bob.take();
    bob.command(|agent, now| agent.unsubscribe(now, second)).unwrap();
    let end = bob.take();
    assert!(end.is_empty(), "the REFER is not answered yet: {end:?}");
    let end = bob.ask(&other.respond("202 Accepted", "", CONTACT));
    assert_eq!((end.header("event"), end.header("expires")), (&*format!("refer;id={}", number(&other)), "0"));
    let known: Vec<SubscriptionId> = bob.agent.subscriptions().collect();
    assert_eq!(known.len(), 2);
}

#[test]
fn a_refer_that_is_refused_makes_no_subscription_and_may_end_the_dialog() {
    for (status, ends_call) in [("603 Decline", false), ("481 Gone", false), ("405 No", false), ("404 Not Found", true)]
    {
        let mut bob = Lone::new();
        let (call, _, sent) = referring(&mut bob);
        bob.receive(&sent.respond(status, "", ""));
        assert_eq!(bob.told()[0], format!("subscription failed {}", &status[..3]));
        assert_eq!(bob.told().get(1).map(String::as_str), ends_call.then_some("ended Lost"));
        assert_eq!(bob.ask(&notify(&sent, 1, "", "active", "100 Trying")).label(), "481 NOTIFY");
        if !ends_call {
            bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
        }
        bob.finish();
    }
}

#[test]
fn a_refer_without_a_notify_or_a_response_comes_to_nothing() {
    let mut bob = Lone::new();
    let (call, _, sent) = referring(&mut bob);
    bob.receive(&sent.respond("202 Accepted", "", CONTACT));
    bob.run(Duration::from_secs(32));
    assert_eq!(bob.told(), ["subscribed 202", "subscription ended Unconfirmed"]);
    bob.command(|agent, now| agent.refer(now, call, &carol())).unwrap();
    bob.run(Duration::from_secs(33));
    // Timer N and the transaction end together.
    assert_eq!(bob.told()[2], "subscription ended Unconfirmed");
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    bob.finish();
}

/// RFC 4488 §4.
#[test]
fn a_refer_may_ask_for_no_subscription() {
    let without = || Refer::to(&carol()).without_subscription();
    let mut bob = Lone::new();
    let (call, _) = established(&mut bob);
    let refused = bob.command(|agent, now| agent.refer(now, call, without()));
    assert_eq!(refused, Err(CommandError::Invalid("extension")));
    for (answer, told) in [
        ("Refer-Sub: false\r\n", &["subscribed 200", "subscription ended WithoutSubscription"][..]),
        ("Refer-Sub: true\r\n", &["subscribed 200", "subscription ended Unconfirmed"]),
        ("", &["subscribed 200", "subscription ended Unconfirmed"]),
    ] {
        let mut bob = Lone::with(|_, profile| profile.extensions = Extensions::of(&[Extension::NoReferSubscription]));
        let (_, _) = established(&mut bob);
        let call = bob.agent.calls().next().unwrap().call;
        bob.command(|agent, now| agent.refer(now, call, without())).unwrap();
        let sent = one(&mut bob);
        assert_eq!((sent.header("refer-sub"), sent.header("supported")), ("false", "norefersub"));
        bob.receive(&sent.respond("200 OK", "", &format!("{CONTACT}{answer}")));
        bob.run(Duration::from_secs(32));
        assert_eq!(bob.told(), told);
    }
}

#[test]
fn a_refer_outside_of_dialogs_makes_one_by_its_notify() {
    let mut bob = Lone::new();
    let desk = Outgoing::to(&"<sip:carol@192.0.2.9>".parse().unwrap());
    let id = bob.command(|agent, now| agent.refer_outside(now, desk, &carol())).unwrap();
    let sent = one(&mut bob);
    assert_eq!(
        (sent.start.as_str(), sent.header("refer-to")),
        ("REFER sip:carol@192.0.2.9 SIP/2.0", "<sip:dave@denver.example.org>")
    );
    assert_eq!((sent.header("to"), sent.header("contact")), ("<sip:carol@192.0.2.9>", "<sip:bob@192.0.2.4>"));
    bob.receive(&sent.respond("202 Accepted", "c", CONTACT));
    assert_eq!(bob.ask(&notify(&sent, 1, "", "active;expires=60", "100 Trying")).label(), "200 NOTIFY");
    // Another phone has taken it, too.
    assert_eq!(
        bob.ask(&notify(&sent, 2, "", "active", "100 Trying").replace("tag=c", "tag=d").replace("NOTIFY2", "x"))
            .label(),
        "200 NOTIFY"
    );
    assert_eq!(bob.told(), ["subscribed 202", "notified 100", "forked", "notified 100"]);
    bob.command(|agent, now| agent.unsubscribe(now, id)).unwrap();
    let end = one(&mut bob);
    assert_eq!((end.method(), number(&end), end.header("expires")), ("SUBSCRIBE", number(&sent) + 1, "0"));
}

#[test]
fn a_refer_at_the_wrong_time_or_with_what_cannot_be_written_is_refused() {
    let mut bob = Lone::with(|_, profile| profile.limits.subscriptions = 1);
    let (call, invite) = bob.call();
    assert_eq!(bob.command(|agent, now| agent.refer(now, call, &carol())), Err(CommandError::WrongState));
    bob.receive(&invite.respond("200 OK", "c", CONTACT));
    for (refer, error) in [
        (Refer::to(&carol()).header("Refer-To", "x"), CommandError::HeaderOwned("Refer-To")),
        (Refer::to(&carol()).header("Referred-By", "x"), CommandError::HeaderOwned("Referred-By")),
        (Refer::to(&carol()).header("Via", "x"), CommandError::HeaderOwned("Via")),
        (Refer::to(&carol()).header("X-Thing", "a\r\nb"), CommandError::Invalid("header")),
    ] {
        assert_eq!(bob.command(|agent, now| agent.refer(now, call, refer)), Err(error));
    }
    bob.command(|agent, now| agent.refer(now, call, &carol())).unwrap();
    assert_eq!(bob.command(|agent, now| agent.refer(now, call, &carol())), Err(CommandError::Limit("subscriptions")));
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    assert_eq!(bob.command(|agent, now| agent.refer(now, call, &carol())), Err(CommandError::WrongState));
}

/// Bob who takes REFERs.
pub(super) fn referee() -> Lone {
    Lone::with(|_, profile| profile.methods = ["REFER", "NOTIFY"].map(Into::into).into())
}

pub(super) fn served(bob: &Lone) -> ServedId {
    let served = |event: &Event| if let Event::Referred { served, .. } = event { Some(*served) } else { None };
    bob.events.iter().rev().find_map(served).expect("a REFER")
}

const REFER_TO: &str = "Refer-To: <sip:dave@denver.example.org>\r\nContact: <sip:carol@192.0.2.9>\r\n";

/// Carol's REFER outside of dialogs is accepted; the handle and the NOTIFY.
fn accepted(bob: &mut Lone) -> (ReferralId, Text) {
    bob.receive(&request("REFER", "r", 7, "", REFER_TO));
    let served = served(bob);
    let referral = bob.command(|agent, now| agent.accept_refer(now, served)).unwrap().unwrap();
    let sent = bob.take();
    let labels: Vec<String> = sent.iter().map(Text::label).collect();
    assert_eq!(labels, ["202 REFER", "NOTIFY"]);
    assert_eq!(sent[0].header("contact"), "<sip:bob@192.0.2.4>");
    (referral, sent[1].clone())
}

/// RFC 3515 §2.4.2, §2.4.4, §2.4.7.
#[test]
fn a_refer_is_asked_of_the_application_and_its_outcome_is_told() {
    let mut bob = referee();
    let (referral, first) = accepted(&mut bob);
    assert_eq!(bob.told(), ["referred"]);
    assert_eq!(first.start, "NOTIFY sip:carol@192.0.2.9 SIP/2.0");
    let fields = ["event", "subscription-state", "content-type", "contact"].map(|name| first.header(name));
    let content = "message/sipfrag;version=2.0";
    assert_eq!(fields, ["refer", "active;expires=180", content, "<sip:bob@192.0.2.4>"]);
    assert_eq!(first.body, "SIP/2.0 100 Trying\r\n");
    let [from, to] = ["from", "to"].map(|name| first.header(name));
    assert_eq!((from, to), ("Bob <sip:bob@biloxi.com>;tag=bob-tag", "Carol <sip:carol@chicago.com>;tag=carol-tag"));
    // Of what happens before the answer the last is told.
    for status in [StatusCode::RINGING, StatusCode::SESSION_PROGRESS] {
        bob.command(|agent, now| agent.notify_refer(now, referral, status)).unwrap();
    }
    assert!(bob.take().is_empty());
    bob.run(Duration::from_secs(10));
    bob.take();
    let second = bob.ask(&first.respond("200 OK", "", ""));
    assert_eq!(
        (second.body.as_str(), second.header("subscription-state")),
        ("SIP/2.0 183 Session Progress\r\n", "active;expires=170")
    );
    bob.receive(&second.respond("200 OK", "", ""));
    bob.command(|agent, now| agent.notify_refer(now, referral, StatusCode::OK)).unwrap();
    let last = one(&mut bob);
    assert_eq!(
        (last.body.as_str(), last.header("subscription-state")),
        ("SIP/2.0 200 OK\r\n", "terminated;reason=noresource")
    );
    let again = bob.command(|agent, now| agent.notify_refer(now, referral, StatusCode::OK));
    assert_eq!(again, Err(CommandError::Gone));
    bob.receive(&last.respond("200 OK", "", ""));
    assert_eq!(bob.agent.user().census().subscriptions, 0);
    bob.finish();
}

#[test]
fn a_refer_is_refused_by_the_application_or_after_its_time() {
    let mut bob = referee();
    bob.receive(&request("REFER", "r", 7, "", REFER_TO));
    let id = served(&bob);
    let accepted = bob.command(|agent, now| agent.respond(now, id, StatusCode::ACCEPTED));
    assert_eq!(accepted, Err(CommandError::Invalid("status")));
    bob.command(|agent, now| agent.respond(now, id, Reply::new(StatusCode::DECLINE))).unwrap();
    assert_eq!(bob.take().pop().unwrap().label(), "603 REFER");
    assert_eq!(bob.command(|agent, now| agent.accept_refer(now, id)), Err(CommandError::Gone));
    bob.finish();
    bob.receive(&request("REFER", "s", 8, "", REFER_TO));
    let id = served(&bob);
    bob.run(Duration::from_secs(21));
    assert_eq!(bob.take().pop().unwrap().label(), "500 REFER");
    assert_eq!(bob.command(|agent, now| agent.accept_refer(now, id)), Err(CommandError::Gone));
    bob.finish();
}

/// RFC 3515 §2.4.2, RFC 3892 §2.1.
#[test]
fn a_refer_that_is_malformed_or_not_wanted_is_refused() {
    let mut bob = referee();
    let contact = "Contact: <sip:carol@192.0.2.9>\r\n";
    for (number, extra) in [
        (1, contact.into()),
        (2, format!("{contact}Refer-To: <sip:a@b.com>\r\nRefer-To: <sip:c@d.com>\r\n")),
        (3, format!("{contact}Refer-To: <sip:a@b.com>, <sip:c@d.com>\r\n")),
        (4, format!("{contact}Refer-To: nobody\r\n")),
        (5, "Refer-To: <sip:a@b.com>\r\n".into()),
        (6, format!("{REFER_TO}Referred-By: <sip:a@b.com>\r\nReferred-By: <sip:c@d.com>\r\n")),
    ] {
        let text = request("REFER", &format!("b{number}"), number, "", &extra);
        assert_eq!(bob.ask(&text).label(), "400 REFER", "{extra}");
    }
    assert_eq!(bob.ask(&request("REFER", "b7", 7, "other", REFER_TO)).label(), "481 REFER");
    assert!(bob.told().is_empty());
    let options = bob.ask(&request("OPTIONS", "o", 9, "", ""));
    assert!(options.header("allow").ends_with(", REFER, NOTIFY"), "{options:?}");
    let mut deaf = Lone::new();
    let refused = deaf.ask(&request("REFER", "r", 7, "", REFER_TO));
    assert_eq!(refused.label(), "405 REFER");
    assert!(!refused.header("allow").contains("REFER"));
}

/// RFC 3515 §2.4.4, RFC 6665 §4.2.1.
#[test]
fn the_referrer_refreshes_its_subscription_and_ends_it() {
    let mut bob = referee();
    let (referral, first) = accepted(&mut bob);
    bob.receive(&first.respond("200 OK", "", ""));
    let subscribe = |number, branch: &str, extra: &str| {
        request("SUBSCRIBE", branch, number, "bob-tag", &format!("{CONTACT}{extra}"))
    };
    for (number, extra, label) in [
        (8, "", "400 SUBSCRIBE"),
        (9, "Event: presence\r\n", "489 SUBSCRIBE"),
        (10, "Event: refer;id=8\r\n", "403 SUBSCRIBE"),
        (6, "Event: refer\r\n", "500 SUBSCRIBE"),
    ] {
        assert_eq!(bob.ask(&subscribe(number, &format!("e{number}"), extra)).label(), label);
    }
    assert_eq!(bob.ask(&request("SUBSCRIBE", "n", 1, "", "Event: refer\r\n")).label(), "403 SUBSCRIBE");
    assert_eq!(bob.ask(&request("SUBSCRIBE", "m", 1, "x", "Event: refer\r\n")).label(), "481 SUBSCRIBE");
    let sent = bob.exchange(&subscribe(11, "s", "Event: refer;id=7\r\nExpires: 5000\r\n"));
    assert_eq!((sent[0].label().as_str(), sent[0].header("expires")), ("200 SUBSCRIBE", "180"));
    assert_eq!(
        (sent[1].header("subscription-state"), sent[1].body.as_str()),
        ("active;expires=180", "SIP/2.0 100 Trying\r\n")
    );
    bob.receive(&sent[1].respond("200 OK", "", ""));
    let sent = bob.exchange(&subscribe(12, "t", "Event: refer\r\nExpires: 0\r\n"));
    assert_eq!((sent[0].label().as_str(), sent[0].header("expires")), ("200 SUBSCRIBE", "0"));
    assert_eq!(sent[1].header("subscription-state"), "terminated;reason=timeout");
    assert_eq!(bob.told(), ["referred", "referral ended Unsubscribed"]);
    assert_eq!(bob.command(|agent, now| agent.notify_refer(now, referral, StatusCode::OK)), Err(CommandError::Gone));
    bob.receive(&sent[1].respond("200 OK", "", ""));
    assert_eq!(bob.ask(&subscribe(13, "u", "Event: refer\r\n")).label(), "481 SUBSCRIBE");
    bob.finish();
}

#[test]
fn a_referral_expires_and_a_notify_that_is_refused_ends_it() {
    let mut bob = Lone::with(|_, profile| {
        profile.methods = ["REFER".into()].into();
        profile.refer_time = Duration::from_secs(60);
    });
    let (_, first) = accepted(&mut bob);
    assert_eq!(first.header("subscription-state"), "active;expires=60");
    bob.receive(&first.respond("200 OK", "", ""));
    bob.run(Duration::from_secs(60));
    let last = one(&mut bob);
    assert_eq!(last.header("subscription-state"), "terminated;reason=timeout");
    assert_eq!(bob.told(), ["referred", "referral ended Expired"]);
    bob.finish();
    for (status, told) in [("481 Gone", "referral failed 481"), ("489 Bad Event", "referral failed 489")] {
        let mut bob = referee();
        let (referral, first) = accepted(&mut bob);
        bob.receive(&first.respond(status, "", ""));
        assert_eq!(bob.told(), ["referred", told]);
        let late = bob.command(|agent, now| agent.notify_refer(now, referral, StatusCode::OK));
        assert_eq!(late, Err(CommandError::Gone));
        bob.finish();
    }
    let mut bob = referee();
    accepted(&mut bob);
    bob.run(Duration::from_secs(33));
    assert_eq!(bob.told(), ["referred", "referral failed 408"]);
    bob.finish();
    // A refusal that says nothing of the subscription leaves it.
    let mut bob = referee();
    let (referral, first) = accepted(&mut bob);
    bob.receive(&first.respond("500 Busy", "", ""));
    bob.command(|agent, now| agent.notify_refer(now, referral, StatusCode::OK)).unwrap();
    assert_eq!(one(&mut bob).method(), "NOTIFY");
    bob.finish();
}

#[test]
fn a_referrer_that_wants_no_subscription_gets_none_where_that_is_understood() {
    let refer =
        |branch| request("REFER", branch, 7, "", &format!("{REFER_TO}Refer-Sub: False;x=y\r\nRequire: norefersub\r\n"));
    let mut bob = referee();
    assert_eq!(bob.ask(&refer("r")).label(), "420 REFER");
    let mut bob = Lone::with(|_, profile| {
        profile.methods = ["REFER".into()].into();
        profile.extensions = Extensions::of(&[Extension::NoReferSubscription]);
    });
    bob.receive(&refer("r"));
    let id = served(&bob);
    assert_eq!(bob.command(|agent, now| agent.accept_refer(now, id)), Ok(None));
    let answer = bob.take().pop().unwrap();
    assert_eq!((answer.label().as_str(), answer.header("refer-sub")), ("200 REFER", "false"));
    assert_eq!(bob.agent.user().census().subscriptions, 0);
    bob.finish();
}

/// A REFER in a call: in its dialog, with the number in its NOTIFYs (§2.4.6).
#[test]
fn a_refer_in_a_call_says_which_and_ends_with_a_487_if_the_call_is_over_first() {
    let mut bob = referee();
    let (call, invite) = established(&mut bob);
    bob.receive(&inside(&invite, "REFER", 5, "Refer-To: <sip:dave@denver.example.org>\r\n", ""));
    assert!(matches!(bob.events.last(), Some(Event::Referred { call: Some(told), .. }) if *told == call));
    let id = served(&bob);
    bob.command(|agent, now| agent.accept_refer(now, id)).unwrap();
    let first = one(&mut bob);
    assert_eq!((first.header("event"), number(&first)), ("refer;id=5", number(&invite) + 1));
    // Two in a dialog: the second is still undecided when the call ends.
    bob.receive(&inside(&invite, "REFER", 6, "Refer-To: <sip:dave@denver.example.org>\r\n", ""));
    let id = served(&bob);
    bob.receive(&first.respond("481 Gone", "", ""));
    bob.receive(&inside(&invite, "BYE", 7, "", ""));
    bob.take();
    assert_eq!(bob.command(|agent, now| agent.accept_refer(now, id)), Err(CommandError::Gone));
    assert_eq!(bob.take().pop().unwrap().label(), "487 REFER");
    bob.finish();
}

#[test]
fn a_target_is_called_as_its_uri_says_and_no_field_that_lies() {
    let mut bob = referee();
    let target = "Refer-To: Dave <sip:dave@192.0.2.9;method=INVITE?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&From=x&Subject=a%20b>\r\n";
    bob.receive(&request(
        "REFER",
        "r",
        7,
        "",
        &format!("{CONTACT}{target}Referred-By: <sip:carol@chicago.com>;cid=\"a@b\"\r\n"),
    ));
    let Some(Event::Referred { request, .. }) = bob.events.last().cloned() else { panic!("{:?}", bob.told()) };
    let call = Outgoing::referred(&request).unwrap();
    bob.command(|agent, now| agent.call(now, call)).unwrap();
    let invite = one(&mut bob);
    assert_eq!(
        (invite.start.as_str(), invite.header("to")),
        ("INVITE sip:dave@192.0.2.9 SIP/2.0", "<sip:dave@192.0.2.9>")
    );
    let fields = ["replaces", "subject", "referred-by"].map(|name| invite.header(name));
    assert_eq!(fields, ["a@b;to-tag=1;from-tag=2", "a b", "<sip:carol@chicago.com>;cid=\"a@b\""]);
    assert!(invite.header("from").starts_with("Bob <sip:bob@biloxi.com>;tag="));
    bob.receive(&super::lone::request("REFER", "s", 8, "", &format!("{CONTACT}Refer-To: <http://www.ietf.org>\r\n")));
    let Some(Event::Referred { request, .. }) = bob.events.last().cloned() else { panic!("{:?}", bob.told()) };
    assert!(matches!(Outgoing::referred(&request), Err(CommandError::NotSip)));
    assert!(!bob.agent.is_idle());
}
