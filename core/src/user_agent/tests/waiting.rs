//! Requests that wait to go out again when their owner wants something else, and requests of peers that come when all is over.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::bindings::{at_biloxi, register};
use super::lone::{CONTACT, Lone, request};
use super::text::Text;
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::{Method, StatusCode};
use crate::time::Duration;
use crate::user_agent::{Body, Event, Policy, Refer, Subscribe, UserAgent};
use crate::{CallId, SubscriptionId};

const LATER: &str = "Retry-After: 50\r\n";
const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"a\", nonce=\"n1\", qop=\"auth\", algorithm=MD5\r\n";

/// Bob, who waits where a server says so, and is asked for logins that he does not know.
fn bob() -> Lone {
    Lone::with(|_, profile| {
        let (questions, longest_wait) = (Some(Duration::from_secs(600)), Some(Duration::from_secs(60)));
        profile.policy = Policy { questions, longest_wait, ..Policy::NONE };
        profile.extensions = Extensions::of(&[Extension::Reliable]);
        profile.methods = ["INFO", "MESSAGE", "REFER"].map(Into::into).into();
        profile.outbound = Some(core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into());
    })
}

/// The requests that were sent since the last look.
fn requests(bob: &mut Lone) -> Vec<String> {
    bob.take().iter().map(Text::label).filter(|label| !label.as_bytes()[0].is_ascii_digit()).collect()
}

fn established(bob: &mut Lone) -> (CallId, Text) {
    let (call, invite) = bob.call();
    bob.receive(&invite.respond("200 OK", "c", CONTACT));
    bob.take();
    bob.events.clear();
    (call, invite)
}

/// A request of Carol's in the dialog of a request of Bob's.
fn inside(sent: &Text, method: &str, number: u32, extra: &str) -> String {
    request(method, &format!("{method}{number}"), number, "", extra)
        .replace("To: Bob <sip:bob@biloxi.com>", &format!("To: {}", sent.header("from")))
        .replace("From: Carol <sip:carol@chicago.com>;tag=carol-tag", "From: Carol <sip:carol@192.0.2.9>;tag=c")
        .replace("Call-ID: 1j9FpLxk3uxtm8tn@chicago.com", &format!("Call-ID: {}", sent.header("call-id")))
}

fn notify(sent: &Text, number: u32, event: &str, state: &str) -> String {
    inside(sent, "NOTIFY", number, &format!("{CONTACT}Event: {event}\r\nSubscription-State: {state}\r\n"))
}

/// Bob with a subscription whose refresh has got this answer.
fn refreshing(status: &str, extra: &str) -> (Lone, SubscriptionId, Text) {
    let mut bob = bob();
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let id = bob.command(|agent, now| agent.subscribe(now, Subscribe::to(&carol, "presence"))).unwrap();
    let sent = bob.take().remove(0);
    bob.receive(&sent.respond("200 OK", "c", "Expires: 3600\r\nContact: <sip:c@192.0.2.9>\r\n"));
    assert_eq!(bob.ask(&notify(&sent, 1, "presence", "active;expires=3600")).label(), "200 NOTIFY");
    bob.command(|agent, now| agent.refresh_subscription(now, id)).unwrap();
    let refresh = bob.take().remove(0);
    assert!(bob.exchange(&refresh.respond(status, "", extra)).is_empty());
    (bob, id, sent)
}

/// RFC 6665 §4.1.2.3: the end is asked for at once, not when the refresh goes out again.
#[test]
fn a_subscription_whose_refresh_waits_is_ended_at_once() {
    for (status, extra) in [("503 Busy", LATER), ("401 Unauthorized", CHALLENGE)] {
        for all in [false, true] {
            let (mut bob, id, sent) = refreshing(status, extra);
            if all {
                bob.command(UserAgent::shut_down);
            } else {
                bob.command(|agent, now| agent.unsubscribe(now, id)).unwrap();
            }
            let end = bob.take().remove(0);
            assert_eq!((end.label().as_str(), end.header("expires")), ("SUBSCRIBE", "0"), "{status}");
            bob.receive(&end.respond("200 OK", "", "Expires: 0\r\n"));
            bob.receive(&notify(&sent, 2, "presence", "terminated;reason=timeout"));
            assert_eq!(bob.told().last().unwrap(), "terminated Timeout", "{status}");
            bob.take();
            bob.run(Duration::from_secs(100));
            assert!(requests(&mut bob).is_empty(), "the refresh is taken back: {status}");
            assert_eq!(bob.told().last().unwrap() == "shut down", all, "{status}");
            bob.finish();
        }
    }
}

/// Where the end cannot be asked for, the subscription goes on and is refreshed.
#[test]
fn a_subscription_whose_end_cannot_be_sent_goes_on() {
    let mut bob = Lone::with(|config, _| config.limits.deliveries = 1);
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let id = bob.command(|agent, now| agent.subscribe(now, Subscribe::to(&carol, "presence").expires(600))).unwrap();
    let sent = bob.take().remove(0);
    bob.receive(&sent.respond("200 OK", "c", "Expires: 600\r\nContact: <sip:c@192.0.2.9>\r\n"));
    bob.receive(&notify(&sent, 1, "presence", "active;expires=600"));
    bob.run(Duration::from_secs(33));
    bob.take();
    bob.call();
    let refused = bob.command(|agent, now| agent.unsubscribe(now, id));
    assert_eq!(refused, Err(CommandError::Limit("deliveries")));
    bob.run(Duration::from_secs(500));
    let refresh = bob.take().into_iter().find(|sent| sent.label() == "SUBSCRIBE").unwrap();
    assert_eq!(refresh.header("expires"), "600");
}

/// A REFER that waits has told nobody of the subscription: there is nothing to ask the peer for.
#[test]
fn a_refer_that_waits_is_taken_back() {
    let mut bob = bob();
    let (call, _) = established(&mut bob);
    let dave = "sip:dave@denver.example.org".parse().unwrap();
    let id = bob.command(|agent, now| agent.refer(now, call, Refer::to(&dave))).unwrap();
    let refer = bob.take().remove(0);
    bob.receive(&refer.respond("503 Busy", "", LATER));
    bob.command(|agent, now| agent.unsubscribe(now, id)).unwrap();
    assert_eq!(bob.told(), ["subscription ended Unsubscribed"]);
    bob.run(Duration::from_secs(100));
    assert!(requests(&mut bob).is_empty());
}

/// §15: a BYE is the last request of a session. UPDATE, PRACK and INFO that were to go out again do not.
#[test]
fn nothing_that_waits_follows_our_bye() {
    for method in ["UPDATE", "INFO", "PRACK"] {
        for (status, extra) in [("503 Busy", LATER), ("401 Unauthorized", CHALLENGE)] {
            let mut bob = bob();
            let (call, invite) = bob.call();
            if method == "PRACK" {
                let reliable = format!("{CONTACT}Require: 100rel\r\nRSeq: 1\r\n");
                let prack = bob.ask(&invite.respond("180 Ringing", "c", &reliable));
                bob.receive(&prack.respond(status, "", extra));
            }
            bob.receive(&invite.respond("200 OK", "c", CONTACT));
            bob.take();
            bob.events.clear();
            let sent = match method {
                "UPDATE" => bob.command(|agent, now| agent.update(now, call, Body::sdp("v=0\r\n"))),
                "INFO" => bob.command(|agent, now| agent.ask_in(now, call, Method::Info, None)).map(|_| ()),
                _ => Ok(()),
            };
            sent.unwrap();
            if let Some(request) = bob.take().first() {
                bob.receive(&request.respond(status, "", extra));
            }
            bob.events.clear();
            bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
            let bye = bob.take().remove(0);
            assert_eq!(bye.label(), "BYE");
            bob.receive(&bye.respond("200 OK", "", ""));
            bob.run(Duration::from_secs(100));
            assert!(requests(&mut bob).is_empty(), "{method} {status}");
            let told: &[&str] = if method == "INFO" { &["unanswered 487", "ended Local"] } else { &["ended Local"] };
            assert_eq!(bob.told(), told, "{method} {status}");
            bob.finish();
        }
    }
}

/// One that is on its way goes its way; what comes back for it is its end.
#[test]
fn a_request_that_is_out_when_the_call_ends_is_not_sent_again() {
    let mut bob = bob();
    let (call, _) = established(&mut bob);
    bob.command(|agent, now| agent.ask_in(now, call, Method::Info, None)).unwrap();
    let info = bob.take().remove(0);
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take().remove(0);
    bob.receive(&info.respond("503 Busy", "", LATER));
    bob.receive(&bye.respond("200 OK", "", ""));
    bob.run(Duration::from_secs(100));
    assert!(requests(&mut bob).is_empty());
    assert_eq!(bob.told(), ["replied 503", "ended Local"]);
}

/// §10.2.2: the removal goes out in the place of the refresh that waits.
#[test]
fn a_registration_whose_refresh_waits_is_removed_at_once() {
    let mut bob = bob();
    let (id, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("503 Busy", "r", LATER));
    bob.command(|agent, now| agent.unregister(now, id)).unwrap();
    let removal = bob.take().remove(0);
    assert_eq!((removal.label().as_str(), removal.header("expires")), ("REGISTER", "0"));
    bob.receive(&removal.respond("200 OK", "r", ""));
    bob.run(Duration::from_secs(100));
    assert!(requests(&mut bob).is_empty());
    assert_eq!(bob.told(), ["registered"]);
    bob.finish();
}

/// RFC 6665 §4.1.3: `active` without `expires`. A 2xx to REFER says nothing either (RFC 3515 §2.4.4).
#[test]
fn a_notify_that_does_not_say_how_long_leaves_it_at_what_is_asked_for() {
    let mut bob = bob();
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    bob.command(|agent, now| agent.subscribe(now, Subscribe::to(&carol, "presence").expires(600))).unwrap();
    let sent = bob.take().remove(0);
    // No 2xx comes: the NOTIFY alone has made the subscription.
    bob.receive(&notify(&sent, 1, "presence", "active"));
    bob.run(Duration::from_secs(560));
    let refresh = bob.take().pop().unwrap();
    assert_eq!((refresh.method(), refresh.tag_of("to")), ("SUBSCRIBE", "c"));
    let mut bob = self::bob();
    let (call, _) = established(&mut bob);
    let dave = "sip:dave@denver.example.org".parse().unwrap();
    bob.command(|agent, now| agent.refer(now, call, Refer::to(&dave))).unwrap();
    let refer = bob.take().remove(0);
    bob.receive(&refer.respond("202 Accepted", "", CONTACT));
    bob.receive(&notify(&refer, 1, "refer", "active"));
    bob.take();
    bob.run(Duration::from_secs(3_600));
    let refresh = requests(&mut bob);
    assert_eq!(refresh.first().map(String::as_str), Some("SUBSCRIBE"));
}

/// RFC 5407 §3.2.2: after our BYE there is no session, and without another usage no dialog (RFC 5057 §4).
#[test]
fn what_comes_in_the_dialog_after_our_bye_gets_481() {
    const REFER_TO: &str = "Contact: <sip:carol@192.0.2.9>\r\nRefer-To: <sip:dave@denver.example.org>\r\n";
    let mut bob = bob();
    let (call, invite) = established(&mut bob);
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take().remove(0);
    for (number, method) in [(1, "REFER"), (2, "INFO"), (3, "MESSAGE"), (4, "OPTIONS")] {
        let label = bob.ask(&inside(&invite, method, number, REFER_TO)).label();
        assert_eq!(label, format!("481 {method}"));
    }
    bob.receive(&bye.respond("200 OK", "", ""));
    assert_eq!(bob.told(), ["ended Local"]);
    // Another usage keeps the dialog, and what belongs to no usage, or begins one, is asked.
    let mut bob = self::bob();
    let (call, invite) = established(&mut bob);
    let dave = "sip:dave@denver.example.org".parse().unwrap();
    bob.command(|agent, now| agent.refer(now, call, Refer::to(&dave))).unwrap();
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    bob.take();
    assert_eq!(bob.ask(&inside(&invite, "INFO", 1, "")).label(), "481 INFO");
    for (number, method, told) in [(2, "MESSAGE", "asked MESSAGE"), (3, "REFER", "referred")] {
        assert!(bob.exchange(&inside(&invite, method, number, REFER_TO)).is_empty());
        assert_eq!(bob.told().last().unwrap(), told);
    }
}

/// §21.5.4: whoever ends begins nothing, not even what it was asked before.
#[test]
fn a_refer_is_refused_by_whoever_shuts_down() {
    let refer = |branch: &str, number| {
        let extra = "Contact: <sip:carol@192.0.2.9>\r\nRefer-To: <sip:dave@denver.example.org>\r\n";
        request("REFER", branch, number, "", extra)
    };
    let mut bob = bob();
    bob.receive(&refer("a", 1));
    let Some(Event::Referred { served, .. }) = bob.events.last().cloned() else { panic!("{:?}", bob.told()) };
    bob.command(UserAgent::shut_down);
    let labels: Vec<String> = bob.take().iter().map(Text::label).collect();
    assert_eq!(labels, ["503 REFER"]);
    assert_eq!(bob.command(|agent, now| agent.accept_refer(now, served)), Err(CommandError::Gone));
    assert_eq!(bob.ask(&refer("b", 2)).label(), "503 REFER");
    assert_eq!(bob.told(), ["referred", "shut down"]);
    bob.finish();
}

/// RFC 5057 §5.1: 404 to a request in a dialog ends the dialog, whatever usage the request was for.
#[test]
fn a_dialog_that_is_lost_is_lost_for_all_its_usages() {
    for method in ["INFO", "UPDATE", "INVITE", "BYE", "SUBSCRIBE", "NOTIFY"] {
        let mut bob = bob();
        let (call, invite) = established(&mut bob);
        // A subscription of Bob's by his REFER, and one of Carol's by hers.
        let dave = "sip:dave@denver.example.org".parse().unwrap();
        let subscription = bob.command(|agent, now| agent.refer(now, call, Refer::to(&dave))).unwrap();
        let refer = bob.take().remove(0);
        bob.receive(&refer.respond("202 Accepted", "", CONTACT));
        bob.receive(&notify(&refer, 1, "refer", "active;expires=600"));
        let refer_to = format!("{CONTACT}Refer-To: <sip:dave@denver.example.org>\r\n");
        bob.receive(&inside(&invite, "REFER", 2, &refer_to));
        let Some(Event::Referred { served, .. }) = bob.events.last().cloned() else { panic!("{:?}", bob.told()) };
        bob.take();
        bob.command(|agent, now| agent.accept_refer(now, served)).unwrap();
        let notify = bob.take().pop().unwrap();
        if method != "NOTIFY" {
            bob.receive(&notify.respond("200 OK", "", ""));
        }
        bob.events.clear();
        match method {
            "INFO" => bob.command(|agent, now| agent.ask_in(now, call, Method::Info, None)).map(|_| ()),
            "UPDATE" => bob.command(|agent, now| agent.update(now, call, None)),
            "INVITE" => bob.command(|agent, now| agent.modify(now, call, None)),
            "BYE" => bob.command(|agent, now| agent.hang_up(now, call)),
            "SUBSCRIBE" => bob.command(|agent, now| agent.refresh_subscription(now, subscription)),
            _ => Ok(()),
        }
        .unwrap();
        let request = bob.take().pop().unwrap_or(notify);
        assert_eq!(request.method(), method);
        bob.receive(&request.respond("404 Not Found", "", ""));
        let mut told = bob.told();
        told.retain(|told| !told.starts_with("replied") && !told.starts_with("modify failed"));
        told.sort();
        let ended = if method == "BYE" { "ended Local" } else { "ended Lost" };
        let referral = if method == "NOTIFY" { "referral failed 404" } else { "referral failed 481" };
        let failed = if method == "SUBSCRIBE" { "subscription failed 404" } else { "subscription failed 481" };
        assert_eq!(told, [ended, referral, failed], "{method}");
        assert_eq!(bob.agent.user().census().dialogs, 0, "{method}");
        bob.run(Duration::from_secs(700));
        let mut left = requests(&mut bob);
        left.retain(|label| label != "ACK");
        assert!(left.is_empty(), "{method}: {left:?}");
        bob.finish();
    }
}

/// Nobody will say how a reference goes: the referrer is told how it stood, and the end does not wait for it to expire.
#[test]
fn a_referral_ends_with_everything_else() {
    for is_answered in [true, false] {
        let mut bob = bob();
        let extra = "Contact: <sip:carol@192.0.2.9>\r\nRefer-To: <sip:dave@denver.example.org>\r\n";
        bob.receive(&request("REFER", "a", 1, "", extra));
        let Some(Event::Referred { served, .. }) = bob.events.last().cloned() else { panic!("{:?}", bob.told()) };
        let referral = bob.command(|agent, now| agent.accept_refer(now, served)).unwrap().unwrap();
        let first = bob.take().pop().unwrap();
        let answer = |bob: &mut Lone, notify: &Text| bob.receive(&notify.respond("200 OK", "", ""));
        if is_answered {
            answer(&mut bob, &first);
        }
        bob.command(UserAgent::shut_down);
        if !is_answered {
            answer(&mut bob, &first);
        }
        let last = bob.take().pop().unwrap();
        let said = (last.method(), last.header("subscription-state"), last.body.as_str());
        assert_eq!(said, ("NOTIFY", "terminated;reason=noresource", "SIP/2.0 100 Trying\r\n"));
        let late = bob.command(|agent, now| agent.notify_refer(now, referral, StatusCode::OK));
        assert_eq!(late, Err(CommandError::Gone));
        answer(&mut bob, &last);
        assert_eq!(bob.told(), ["referred", "referral ended ShutDown", "shut down"]);
        bob.finish();
    }
}
