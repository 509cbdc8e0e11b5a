//! SUBSCRIBE and NOTIFY at a subscriber (RFC 6665 §4.1, §4.4).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::Lone;
use super::text::Text;
use crate::SubscriptionId;
use crate::auth::{Login, Scope, Secret};
use crate::error::CommandError;
use crate::message::header::NameAddrBuf;
use crate::node::Node;
use crate::time::Duration;
use crate::user_agent::{BackOff, Event, Limits, Outgoing, Policy, Reason, Redirects, Subscribe, SubscriptionEnd};

pub(super) fn carol() -> NameAddrBuf {
    "Carol <sip:carol@192.0.2.9>".parse().unwrap()
}

pub(super) fn presence() -> Subscribe {
    Subscribe::to(&carol(), "presence").accept("application/pidf+xml")
}

/// Bob subscribes; the handle and the SUBSCRIBE.
#[track_caller]
pub(super) fn subscribe(bob: &mut Lone, subscribe: Subscribe) -> (SubscriptionId, Text) {
    let id = bob.command(|agent, now| agent.subscribe(now, subscribe)).unwrap();
    (id, one(bob))
}

/// The one request that was sent.
#[track_caller]
pub(super) fn one(bob: &mut Lone) -> Text {
    let mut sent = bob.take();
    sent.retain(|text| !text.start.starts_with("SIP/2.0"));
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.remove(0)
}

/// A NOTIFY in the dialog, or for the dialog, of this SUBSCRIBE; `extra` is whole lines.
pub(super) fn notify(subscribe: &Text, tag: &str, number: u32, extra: &str) -> String {
    format!(
        "NOTIFY sip:bob@192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{}{tag}{number}\r\nMax-Forwards: 70\r\n\
         To: {}\r\nFrom: Carol <sip:carol@192.0.2.9>;tag={tag}\r\nCall-ID: {}\r\nCSeq: {number} NOTIFY\r\n\
         Contact: <sip:{tag}@192.0.2.9>\r\n{extra}Content-Length: 0\r\n\r\n",
        subscribe.header("call-id"),
        subscribe.header("from"),
        subscribe.header("call-id"),
    )
}

/// A NOTIFY of `presence` with that Subscription-State.
pub(super) fn state(subscribe: &Text, tag: &str, number: u32, state: &str) -> String {
    notify(subscribe, tag, number, &format!("Event: presence\r\nSubscription-State: {state}\r\n"))
}

/// Bob with a subscription of 600 s that is active; its handle and the SUBSCRIBE.
pub(super) fn active(bob: &mut Lone) -> (SubscriptionId, Text) {
    let (id, sent) = subscribe(bob, presence().expires(600));
    bob.receive(&sent.respond("200 OK", "c", "Expires: 600\r\nContact: <sip:c@192.0.2.9>\r\n"));
    assert_eq!(bob.ask(&state(&sent, "c", 1, "active;expires=600")).label(), "200 NOTIFY");
    (id, sent)
}

/// §4.1.2.1: the SUBSCRIBE; §4.4.1: the NOTIFY makes the dialog, with its own route set; §4.1.2.2: the refresh.
#[test]
fn a_subscription_is_made_by_its_notify_and_refreshed_in_its_dialog() {
    let mut bob = Lone::new();
    let wishes =
        Subscribe::to(Outgoing::to(&carol()).header("X-Thing", "1"), "presence").accept("application/pidf+xml");
    let (id, sent) = subscribe(&mut bob, wishes.accept("text/plain").expires(600));
    assert_eq!(sent.start, "SUBSCRIBE sip:carol@192.0.2.9 SIP/2.0");
    let fields = ["event", "expires", "accept", "contact", "x-thing"].map(|name| sent.header(name));
    assert_eq!(fields, ["presence", "600", "application/pidf+xml, text/plain", "<sip:bob@192.0.2.4>", "1"]);
    let record = "Record-Route: <sip:192.0.2.9:5060;lr>\r\n";
    bob.receive(&sent.respond("200 OK", "c", "Expires: 500\r\nRecord-Route: <sip:192.0.2.77;lr>\r\n"));
    let pending = "Event: presence\r\nSubscription-State: pending;expires=300\r\n";
    assert_eq!(bob.ask(&notify(&sent, "c", 7, &format!("{record}{pending}"))).label(), "200 NOTIFY");
    assert_eq!(bob.told(), ["subscribed 200", "notified"]);
    assert!(
        matches!(&bob.events[1], Event::Notified { subscription, request, .. } if *subscription == id && request.cseq().unwrap().number == 7)
    );
    assert_eq!(bob.agent.user().census().dialogs, 1);
    // The NOTIFY's own word counts: 300 s, and 30 s before.
    bob.run(Duration::from_secs(269));
    assert!(bob.take().is_empty());
    bob.run(Duration::from_secs(1));
    let refresh = one(&mut bob);
    assert_eq!(refresh.start, "SUBSCRIBE sip:c@192.0.2.9 SIP/2.0");
    let number = |text: &Text| text.header("cseq").split_once(' ').unwrap().0.parse::<u32>().unwrap();
    assert_eq!(number(&refresh), number(&sent) + 1);
    assert_eq!((refresh.header("from"), refresh.header("call-id")), (sent.header("from"), sent.header("call-id")));
    let fields = ["event", "expires", "route", "to", "x-thing"].map(|name| refresh.header(name));
    let to = "Carol <sip:carol@192.0.2.9>;tag=c";
    assert_eq!(fields, ["presence", "600", "<sip:192.0.2.9:5060;lr>", to, "1"]);
    bob.receive(&refresh.respond("200 OK", "", "Expires: 600\r\nContact: <sip:moved@192.0.2.9>\r\n"));
    bob.receive(&state(&sent, "c", 8, "active"));
    bob.run(Duration::from_secs(540));
    // Each of both said where the notifier is: the NOTIFY came last.
    assert_eq!(one(&mut bob).start, "SUBSCRIBE sip:c@192.0.2.9 SIP/2.0");
}

/// §4.1.2.3.
#[test]
fn unsubscribing_asks_for_no_time_and_ends_with_the_last_notify() {
    let mut bob = Lone::new();
    let (id, sent) = active(&mut bob);
    bob.command(|agent, now| agent.unsubscribe(now, id)).unwrap();
    let end = one(&mut bob);
    assert_eq!((end.method(), end.header("expires"), end.header("event")), ("SUBSCRIBE", "0", "presence"));
    assert_eq!(bob.command(|agent, now| agent.unsubscribe(now, id)), Err(CommandError::WrongState));
    assert_eq!(bob.command(|agent, now| agent.refresh_subscription(now, id)), Err(CommandError::WrongState));
    bob.receive(&end.respond("200 OK", "", "Expires: 0\r\n"));
    assert_eq!(bob.ask(&state(&sent, "c", 2, "terminated;reason=timeout")).label(), "200 NOTIFY");
    let told = ["subscribed 200", "notified", "subscribed 200", "notified", "terminated Timeout"];
    assert_eq!(bob.told(), told);
    assert_eq!(bob.agent.user().census().dialogs, 0);
    assert_eq!(bob.command(|agent, now| agent.unsubscribe(now, id)), Err(CommandError::Gone));
    assert_eq!(bob.ask(&state(&sent, "c", 3, "active")).label(), "481 NOTIFY");
    bob.finish();
}

#[test]
fn a_subscription_that_is_not_made_yet_ends_when_it_is_made() {
    let mut bob = Lone::new();
    let (id, sent) = subscribe(&mut bob, presence());
    bob.command(|agent, now| agent.unsubscribe(now, id)).unwrap();
    bob.receive(&sent.respond("200 OK", "c", "Expires: 3600\r\n"));
    assert!(bob.take().is_empty(), "there is no dialog yet");
    let answers = bob.exchange(&state(&sent, "c", 1, "active"));
    let labels: Vec<String> = answers.iter().map(Text::label).collect();
    assert_eq!((labels, answers[1].header("expires")), (Vec::from(["200 NOTIFY".into(), "SUBSCRIBE".into()]), "0"));
    bob.receive(&answers[1].respond("200 OK", "", ""));
    // No NOTIFY says so: timer N does.
    bob.run(Duration::from_secs(33));
    assert_eq!(bob.told().last().unwrap(), "subscription ended Unconfirmed");
    bob.finish();
}

/// §4.4.3: polling; §4.1.4: each of the forks tells its state.
#[test]
fn the_state_is_asked_for_once() {
    let mut bob = Lone::new();
    let (id, sent) = subscribe(&mut bob, presence().expires(0));
    assert_eq!(sent.header("expires"), "0");
    assert_eq!(bob.command(|agent, now| agent.unsubscribe(now, id)), Err(CommandError::WrongState));
    bob.receive(&state(&sent, "c", 1, "terminated;reason=timeout"));
    bob.receive(&sent.respond("200 OK", "c", "Expires: 0\r\n"));
    bob.receive(&state(&sent, "d", 9, "terminated;reason=timeout"));
    assert_eq!(bob.told(), ["notified", "terminated Timeout", "forked", "notified", "terminated Timeout"]);
    assert_eq!(bob.agent.subscriptions().count(), 0);
    bob.finish();
    // A notifier that goes on all the same is told.
    bob.events.clear();
    let (_, sent) = subscribe(&mut bob, presence().expires(0));
    bob.receive(&sent.respond("200 OK", "c", ""));
    let answers = bob.exchange(&state(&sent, "c", 1, "active;expires=99999"));
    assert_eq!((answers.len(), answers[1].header("expires")), (2, "0"));
    bob.receive(&answers[1].respond("481 Subscription does not exist", "", ""));
    assert_eq!(bob.told(), ["subscribed 200", "notified", "subscription failed 481"]);
    bob.finish();
}

/// §4.1.2.4: a NOTIFY may come before the response, and so makes the subscription. A peer of RFC 3265 answers 202.
#[test]
fn a_notify_may_come_before_the_response_which_may_be_202() {
    let mut bob = Lone::new();
    let (_, sent) = subscribe(&mut bob, presence().expires(600));
    assert_eq!(bob.ask(&state(&sent, "c", 1, "pending")).label(), "200 NOTIFY");
    bob.receive(&sent.respond("202 Accepted", "c", "Expires: 100\r\n"));
    assert_eq!(bob.told(), ["notified", "subscribed 202"]);
    // Its NOTIFYs need not say how long it lasts: the response does.
    bob.receive(&state(&sent, "c", 2, "active"));
    bob.run(Duration::from_secs(70));
    assert_eq!(one(&mut bob).method(), "SUBSCRIBE");
}

/// The duration is never longer than what was asked for (§4.1.2.1).
#[test]
fn more_time_than_was_asked_for_is_not_believed_of_a_response() {
    let mut bob = Lone::new();
    let (_, sent) = subscribe(&mut bob, presence().expires(100));
    bob.receive(&sent.respond("200 OK", "c", "Expires: 5000\r\n"));
    bob.receive(&state(&sent, "c", 1, "active"));
    bob.run(Duration::from_secs(70));
    assert_eq!(one(&mut bob).header("expires"), "100");
}

/// §4.1.2.4: timer N.
#[test]
fn without_a_notify_in_time_there_is_no_subscription() {
    let mut bob = Lone::new();
    let (id, sent) = subscribe(&mut bob, presence());
    bob.receive(&sent.respond("200 OK", "c", ""));
    bob.run(Duration::from_millis(31_999));
    assert_eq!(bob.told(), ["subscribed 200"]);
    bob.run(Duration::from_millis(1));
    assert_eq!(bob.told()[1..], ["subscription ended Unconfirmed"]);
    assert!(
        matches!(&bob.events[1], Event::SubscriptionEnded { subscription, again: None, .. } if *subscription == id)
    );
    assert_eq!(bob.ask(&state(&sent, "c", 1, "active")).label(), "481 NOTIFY");
    bob.finish();
}

/// §4.1.2.2: timer N of a refresh; a response to the refresh alone is not enough. After 204 no NOTIFY comes.
#[test]
fn without_a_notify_after_a_refresh_the_subscription_is_over() {
    let mut bob = Lone::new();
    let (id, sent) = active(&mut bob);
    bob.command(|agent, now| agent.refresh_subscription(now, id)).unwrap();
    assert_eq!(bob.command(|agent, now| agent.refresh_subscription(now, id)), Err(CommandError::WrongState));
    let refresh = one(&mut bob);
    bob.receive(&refresh.respond("204 No Notification", "", "Expires: 600\r\n"));
    bob.run(Duration::from_secs(60));
    bob.command(|agent, now| agent.refresh_subscription(now, id)).unwrap();
    let refresh = one(&mut bob);
    bob.receive(&refresh.respond("200 OK", "", "Expires: 600\r\n"));
    let mut other = bob.clone();
    other.receive(&state(&sent, "c", 2, "active"));
    other.command(|agent, now| agent.unsubscribe(now, id)).unwrap();
    let end = one(&mut other);
    other.receive(&end.respond("204 No Notification", "", ""));
    assert_eq!(other.told().last().unwrap(), "subscription ended Unsubscribed");
    other.finish();
    bob.run(Duration::from_secs(31));
    assert_eq!(bob.told()[2..], ["subscribed 204", "subscribed 200"]);
    bob.run(Duration::from_secs(1));
    assert_eq!(bob.told()[4..], ["subscription ended Unconfirmed"]);
    assert_eq!(bob.ask(&state(&sent, "c", 2, "active")).label(), "481 NOTIFY");
    bob.finish();
}

/// §4.1.4, §4.4.1: each fork is a subscription of its own, with a dialog and timers of its own.
#[test]
fn a_subscribe_that_forks_makes_several_subscriptions() {
    let mut bob = Lone::new();
    let (id, sent) = active(&mut bob);
    assert_eq!(bob.ask(&state(&sent, "d", 1, "active;expires=100")).label(), "200 NOTIFY");
    let fork = bob.events.iter().find_map(|event| match event {
        Event::SubscriptionForked { subscription, fork } if *subscription == id => Some(*fork),
        _ => None,
    });
    let fork = fork.unwrap();
    assert!(matches!(bob.events.last(), Some(Event::Notified { subscription, .. }) if *subscription == fork));
    assert_eq!((bob.agent.subscriptions().count(), bob.agent.user().census().dialogs), (2, 2));
    bob.run(Duration::from_secs(70));
    assert_eq!(one(&mut bob).start, "SUBSCRIBE sip:d@192.0.2.9 SIP/2.0");
    // After timer N nobody joins.
    assert_eq!(bob.ask(&state(&sent, "e", 1, "active")).label(), "481 NOTIFY");
    bob.command(|agent, now| agent.unsubscribe(now, id)).unwrap();
    assert_eq!(one(&mut bob).header("to"), "Carol <sip:carol@192.0.2.9>;tag=c");
    bob.receive(&state(&sent, "c", 2, "terminated"));
    assert_eq!(bob.agent.subscriptions().collect::<Vec<_>>(), [fork]);
}

/// A fork is not subscribed to anew: the SUBSCRIBE would fork again.
#[test]
fn the_end_of_a_fork_is_the_end() {
    let mut bob = Lone::new();
    let (_, sent) = active(&mut bob);
    bob.receive(&state(&sent, "d", 1, "active"));
    bob.receive(&state(&sent, "d", 2, "terminated;reason=deactivated"));
    assert_eq!(bob.told().last().unwrap(), "terminated Deactivated");
    assert_eq!(bob.agent.subscriptions().count(), 1);
}

#[test]
fn forks_and_subscriptions_have_limits() {
    assert_eq!((Limits::default().subscriptions, Limits::default().forks), (10_000, 16));
    let mut bob = Lone::with(|_, profile| profile.limits.forks = 2);
    let (_, sent) = active(&mut bob);
    assert_eq!(bob.ask(&state(&sent, "d", 1, "active")).label(), "200 NOTIFY");
    assert_eq!(bob.ask(&state(&sent, "e", 1, "active")).label(), "481 NOTIFY");
    assert_eq!(bob.told().last().unwrap(), "overload Limit(forks)");
    let mut bob = Lone::with(|_, profile| profile.limits.subscriptions = 1);
    let (_, sent) = active(&mut bob);
    let refused = bob.command(|agent, now| agent.subscribe(now, presence()));
    assert_eq!(refused, Err(CommandError::Limit("subscriptions")));
    assert_eq!(bob.ask(&state(&sent, "d", 1, "active")).label(), "481 NOTIFY");
    assert_eq!(bob.told().last().unwrap(), "overload Limit(subscriptions)");
    assert!(bob.take().is_empty());
}

/// §4.1.3: what a NOTIFY is answered that is for no subscription, or malformed.
#[test]
fn a_notify_that_is_not_for_us_or_malformed_is_refused() {
    let mut bob = Lone::new();
    let (_, sent) = active(&mut bob);
    let known = |number, extra: &str| notify(&sent, "c", number, extra);
    let good = "Subscription-State: active\r\n";
    for (text, label) in [
        (known(2, good), "400 NOTIFY"),
        (known(3, &format!("Event: a b\r\n{good}")), "400 NOTIFY"),
        (known(4, &format!("Event: dialog\r\n{good}")), "489 NOTIFY"),
        (known(5, &format!("Event: Presence\r\n{good}")), "489 NOTIFY"),
        (known(6, &format!("Event: presence;id=1\r\n{good}")), "481 NOTIFY"),
        (known(7, "Event: presence\r\n"), "400 NOTIFY"),
        (known(8, "Event: presence\r\nSubscription-State: active;expires=soon\r\n"), "400 NOTIFY"),
        (state(&sent, "c", 8, "active").replace("branch=z9hG4bK", "branch=z9hG4bKy"), "500 NOTIFY"),
        (state(&sent, "c", 9, "active"), "200 NOTIFY"),
        (state(&sent, "c", 9, "active").replace("branch=", "branch=z9hG4bKx"), "500 NOTIFY"),
        (state(&sent, "x", 1, "active").replace("Call-ID: ", "Call-ID: x"), "481 NOTIFY"),
        (state(&sent, "c", 10, "active").replace(";tag=bob-tag", ""), "405 NOTIFY"),
        (notify(&sent, "y", 1, &format!("Event: dialog\r\n{good}")), "489 NOTIFY"),
        (notify(&sent, "z", 1, &format!("Event: presence;id=1\r\n{good}")), "481 NOTIFY"),
        // What makes a dialog must say where its peer is.
        (state(&sent, "w", 1, "active").replace("Contact: <sip:w@192.0.2.9>\r\n", ""), "400 NOTIFY"),
    ] {
        assert_eq!(bob.ask(&text).label(), label, "{text}");
    }
    assert_eq!(bob.told(), ["subscribed 200", "notified", "notified"]);
    // The others in the dialog of a subscription.
    for (method, label) in [("BYE", "481 BYE"), ("INVITE", "481 INVITE"), ("OPTIONS", "200 OPTIONS")] {
        let text = state(&sent, "c", 20, "active").replace("NOTIFY", method);
        assert_eq!(bob.ask(&text).label(), label);
    }
}

/// An `id` is part of what is subscribed to (§8.2.1).
#[test]
fn an_event_with_an_id_is_another_one() {
    let mut bob = Lone::new();
    let (_, sent) = subscribe(&mut bob, Subscribe::to(&carol(), "presence;id=7;x=y"));
    assert_eq!(sent.header("event"), "presence;id=7;x=y");
    assert_eq!(bob.ask(&state(&sent, "c", 1, "active")).label(), "481 NOTIFY");
    let text = notify(&sent, "c", 2, "Event: presence;id=7\r\nSubscription-State: active\r\n");
    assert_eq!(bob.ask(&text).label(), "200 NOTIFY");
}

/// §4.1.3: the reasons of an end, each with what is done by itself, without and with a policy.
#[test]
fn each_reason_of_an_end_has_its_reaction() {
    let back_off = BackOff { base: Duration::from_secs(10), longest: Duration::from_secs(10), failures: None };
    for (words, reason, plain, policy) in [
        ("deactivated", Reason::Deactivated, Some((0, 0)), Some((0, 0))),
        ("probation", Reason::Probation, Some((30, 60)), Some((5, 10))),
        ("probation;retry-after=100", Reason::Probation, Some((100, 100)), Some((100, 100))),
        ("rejected", Reason::Rejected, None, None),
        ("timeout", Reason::Timeout, None, Some((5, 10))),
        ("giveup", Reason::GiveUp, None, Some((5, 10))),
        ("giveup;retry-after=99", Reason::GiveUp, None, Some((99, 99))),
        ("noresource", Reason::NoResource, None, None),
        ("invariant;retry-after=1", Reason::Invariant, None, None),
        ("strange;retry-after=98", Reason::Unknown, None, Some((98, 98))),
    ] {
        for (subscribing, expected) in [(None, plain), (Some(back_off), policy)] {
            let mut bob = Lone::with(|_, profile| profile.policy = Policy { subscribing, ..Policy::NONE });
            let (id, sent) = active(&mut bob);
            bob.take();
            bob.receive(&state(&sent, "c", 2, &format!("terminated;reason={words}")));
            let Some(Event::SubscriptionEnded { subscription, cause, again }) = bob.events.last().cloned() else {
                panic!("{:?}", bob.told())
            };
            let is_cause = matches!(cause, SubscriptionEnd::Terminated { reason: told, .. } if told == reason);
            assert!(is_cause && subscription == id, "{cause:?}");
            let wait = again.map(|at| at.since(bob.now));
            let range = expected.map(|(from, to)| Duration::from_secs(from)..=Duration::from_secs(to));
            assert_eq!(wait.is_some(), range.is_some(), "{words}");
            let (Some(wait), Some(range)) = (wait, range) else {
                assert!(!bob.agent.subscriptions().any(|other| other == id));
                continue;
            };
            assert!(range.contains(&wait), "{words}: {wait:?}");
            bob.run(wait);
            let sent_again = bob.take().pop().unwrap();
            // §4.1.2.2: a Call-ID and a tag of its own.
            assert!(sent_again.method() == "SUBSCRIBE" && sent_again.header("call-id") != sent.header("call-id"));
            assert!(sent_again.tag_of("from") != sent.tag_of("from") && !sent_again.header("to").contains("tag"));
            assert_eq!(bob.ask(&state(&sent_again, "f", 1, "active")).label(), "200 NOTIFY");
            assert!(matches!(bob.events.last(), Some(Event::Notified { subscription, .. }) if *subscription == id));
            assert_eq!(bob.ask(&state(&sent, "c", 3, "active")).label(), "481 NOTIFY");
        }
    }
}

/// A notifier that only ever deactivates does not make us ask without an end, nor without a pause.
#[test]
fn a_subscription_that_is_deactivated_again_and_again_is_given_up() {
    let mut bob = Lone::with(|_, profile| profile.limits.retries = 3);
    let (id, mut sent) = active(&mut bob);
    let mut waits = Vec::new();
    for _ in 0..3 {
        bob.take();
        bob.receive(&state(&sent, "c", 20, "terminated;reason=deactivated"));
        let Some(Event::SubscriptionEnded { again: Some(at), .. }) = bob.events.last().cloned() else {
            panic!("{:?}", bob.told())
        };
        waits.push(at.since(bob.now).as_secs() > 0);
        bob.run(at.since(bob.now));
        sent = bob.take().pop().unwrap();
    }
    assert_eq!(waits, [false, true, true]);
    bob.receive(&state(&sent, "c", 20, "terminated;reason=deactivated"));
    assert_eq!(bob.told().last().unwrap(), "terminated Deactivated");
    assert!(!bob.agent.subscriptions().any(|other| other == id));
    bob.finish();
}

#[test]
fn the_end_of_a_subscription_that_waits_to_begin_anew_is_told_at_once() {
    let mut bob = Lone::new();
    let (id, sent) = active(&mut bob);
    bob.receive(&state(&sent, "c", 2, "terminated;reason=probation"));
    bob.command(|agent, now| agent.unsubscribe(now, id)).unwrap();
    assert_eq!(bob.told().last().unwrap(), "subscription ended Unsubscribed");
    bob.run(Duration::from_secs(1000));
    assert_eq!(bob.take().iter().filter(|text| text.method() == "SUBSCRIBE").count(), 0);
    bob.finish();
}

/// §4.1.2.2: 404, 405, 410, 416, 480 to 485, 489, 501 and 604 to a refresh end the subscription.
#[test]
fn a_refusal_of_a_refresh_ends_the_subscription_or_leaves_it() {
    for status in [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604] {
        let mut bob = Lone::new();
        let (id, _) = active(&mut bob);
        bob.command(|agent, now| agent.refresh_subscription(now, id)).unwrap();
        let refresh = one(&mut bob);
        bob.receive(&refresh.respond(&format!("{status} No"), "", ""));
        assert_eq!(bob.told()[2..], [format!("subscription failed {status}")]);
        assert_eq!(bob.agent.user().census().dialogs, 0);
        bob.finish();
    }
    for status in [400, 403, 408, 486, 488, 500, 503, 603] {
        let mut bob = Lone::new();
        let (id, sent) = active(&mut bob);
        bob.run(Duration::from_secs(500));
        bob.command(|agent, now| agent.refresh_subscription(now, id)).unwrap();
        let refresh = one(&mut bob);
        bob.receive(&refresh.respond(&format!("{status} No"), "", ""));
        // Halfway to its end it is tried once more, and at its end it is over.
        bob.run(Duration::from_secs(49));
        assert!(bob.take().is_empty(), "{status}");
        assert_eq!(bob.ask(&state(&sent, "c", 2, "active")).label(), "200 NOTIFY", "{status}");
        bob.run(Duration::from_secs(1));
        let again = one(&mut bob);
        bob.receive(&again.respond("500 No", "", ""));
        bob.run(Duration::from_secs(49));
        assert_eq!(bob.told().len(), 3, "{status}: {:?}", bob.told());
        bob.run(Duration::from_secs(1));
        assert_eq!(bob.told().last().unwrap(), "subscription ended Expired");
        bob.finish();
    }
}

/// Without any response timer N ends the subscription with the transaction (§4.1.2).
#[test]
fn a_refresh_that_nobody_answers_ends_the_subscription() {
    let mut bob = Lone::new();
    let (id, _) = active(&mut bob);
    bob.command(|agent, now| agent.refresh_subscription(now, id)).unwrap();
    bob.run(Duration::from_secs(32));
    assert_eq!(bob.told()[2..], ["subscription ended Unconfirmed"]);
    bob.finish();
}

/// 489 and others to the SUBSCRIBE: there is no subscription (§4.1.2.1).
#[test]
fn a_subscribe_that_is_refused_makes_no_subscription() {
    for status in ["489 Bad Event", "403 Forbidden", "406 Not Acceptable", "503 Service Unavailable"] {
        let mut bob = Lone::new();
        let (_, sent) = subscribe(&mut bob, presence());
        bob.receive(&sent.respond(status, "c", ""));
        assert_eq!(bob.told(), [format!("subscription failed {}", &status[..3])]);
        assert_eq!(bob.ask(&state(&sent, "c", 1, "active")).label(), "481 NOTIFY");
        bob.finish();
    }
    // One that may pass is tried again where the policy says so.
    let policy = Policy { subscribing: Some(BackOff::default()), ..Policy::NONE };
    let mut bob = Lone::with(|_, profile| profile.policy = policy);
    let (_, sent) = subscribe(&mut bob, presence());
    bob.receive(&sent.respond("503 Service Unavailable", "c", "Retry-After: 70\r\n"));
    assert_eq!(bob.told(), ["subscription failed 503, again"]);
    bob.run(Duration::from_secs(69));
    assert!(bob.take().is_empty());
    bob.run(Duration::from_secs(1));
    let again = one(&mut bob);
    bob.receive(&again.respond("489 Bad Event", "c", ""));
    assert_eq!(bob.told()[1..], ["subscription failed 489"]);
    bob.finish();
}

/// Challenges, 423, 420, 3xx and Retry-After: as for every request (RFC 3261 §8.1.3).
#[test]
fn a_subscribe_goes_again_as_every_request_does() {
    let policy = Policy { redirects: Redirects::Follow, longest_wait: Some(Duration::from_secs(60)), ..Policy::NONE };
    let mut bob = Lone::with(|_, profile| profile.policy = policy);
    bob.agent.login(Scope::realm("a"), Login::new("bob", Secret::password("x"))).unwrap();
    let (_, first) = subscribe(&mut bob, presence().expires(60));
    let challenge = "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\"\r\n";
    let second = bob.ask(&first.respond("401 Unauthorized", "x", challenge));
    assert!(second.find("authorization").is_some());
    let third = bob.ask(&second.respond("423 Interval Too Brief", "x", "Min-Expires: 120\r\n"));
    assert_eq!(third.header("expires"), "120");
    let fourth = bob.ask(&third.respond("302 Moved", "x", "Contact: <sip:carol@192.0.2.9:5060>\r\n"));
    assert_eq!(fourth.start, "SUBSCRIBE sip:carol@192.0.2.9:5060 SIP/2.0");
    bob.receive(&fourth.respond("503 Busy", "x", "Retry-After: 50\r\n"));
    // Timer N does not run while the SUBSCRIBE waits.
    bob.run(Duration::from_secs(50));
    let fifth = one(&mut bob);
    let number = |text: &Text| text.header("cseq").split_once(' ').unwrap().0.parse::<u32>().unwrap();
    assert_eq!(number(&fifth), number(&first) + 4);
    bob.run(Duration::from_secs(20));
    bob.take();
    bob.receive(&fifth.respond("200 OK", "c", "Expires: 120\r\n"));
    assert_eq!(bob.ask(&state(&fifth, "c", 1, "active")).label(), "200 NOTIFY");
    // In the dialog the dialog counts on, and the credentials go along.
    bob.run(Duration::from_secs(90));
    let refresh = one(&mut bob);
    assert_eq!((number(&refresh), refresh.header("expires")), (number(&first) + 5, "120"));
    assert!(refresh.find("authorization").is_some());
    let again = bob.ask(&refresh.respond("423 Interval Too Brief", "", "Min-Expires: 300\r\n"));
    assert_eq!((number(&again), again.header("expires")), (number(&first) + 6, "300"));
    bob.receive(&again.respond("200 OK", "", "Expires: 300\r\n"));
    assert_eq!(bob.ask(&state(&fifth, "c", 2, "active")).label(), "200 NOTIFY");
    bob.run(Duration::from_secs(270));
    assert_eq!(one(&mut bob).header("expires"), "300");
}

#[test]
fn what_the_core_writes_itself_and_what_cannot_be_written_is_refused() {
    let mut bob = Lone::new();
    let with = |name: &str, value: &str| Subscribe::to(Outgoing::to(&carol()).header(name, value), "presence");
    for (wishes, error) in [
        (with("Event", "dialog"), CommandError::HeaderOwned("Event")),
        (with("Expires", "1"), CommandError::HeaderOwned("Expires")),
        (with("Accept", "a/b"), CommandError::HeaderOwned("Accept")),
        (with("Via", "x"), CommandError::HeaderOwned("Via")),
        (with("X-Thing", "a\r\nb"), CommandError::Invalid("header")),
        (Subscribe::to(&carol(), ""), CommandError::Invalid("event")),
        (Subscribe::to(&carol(), "a b"), CommandError::Invalid("event")),
        (presence().accept("text"), CommandError::Invalid("type")),
        (Subscribe::to(&"<tel:+1>".parse().unwrap(), "presence"), CommandError::NotSip),
    ] {
        assert_eq!(bob.command(|agent, now| agent.subscribe(now, wishes)), Err(error));
    }
    assert!(bob.take().is_empty());
    assert_eq!(bob.agent.user().census().subscriptions, 0);
    let stale = SubscriptionId::from_parts(3, 1);
    assert_eq!(bob.command(|agent, now| agent.unsubscribe(now, stale)), Err(CommandError::Gone));
    assert_eq!(bob.command(|agent, now| agent.refresh_subscription(now, stale)), Err(CommandError::Gone));
    bob.finish();
}

#[test]
fn all_subscriptions_end_by_one_command() {
    let mut bob = Lone::new();
    active(&mut bob);
    subscribe(&mut bob, Subscribe::to(&carol(), "dialog"));
    let (_, third) = subscribe(&mut bob, presence());
    bob.receive(&state(&third, "p", 1, "terminated;reason=probation"));
    bob.take();
    assert!(!bob.agent.is_idle());
    bob.command(|agent, now| agent.unsubscribe_everywhere(now));
    let ends = bob.take();
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(bob.told().last().unwrap(), "subscription ended Unsubscribed");
    bob.run(Duration::from_secs(40));
    assert_eq!(
        bob.told()[3..].to_vec(),
        [
            "terminated Probation, again",
            "subscription ended Unsubscribed",
            "subscription ended Unconfirmed",
            "subscription ended Unconfirmed"
        ]
        .map(|text| text.to_string())
    );
    bob.finish();
}
