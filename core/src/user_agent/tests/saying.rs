//! Fields and bodies that the application gives to messages that the core sends by itself, or by a command that says little (RFC 3326, 3420, 3515).

use alloc::format;
use alloc::string::{String, ToString};

use super::lone::{CONTACT, Lone, described, invite, request};
use super::session_timers::{OFF, with_timers};
use super::text::Text;
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::StatusCode;
use crate::time::Duration;
use crate::user_agent::{Body, CallId, Event, Extra, Outgoing, Profile, Reply, ServedId};

const REFER_TO: &str = "Refer-To: <sip:dave@denver.example.org>\r\nContact: <sip:carol@192.0.2.9>\r\n";
const REASON: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

/// Carol's REFER to Bob.
fn referred(extra: &str) -> (Lone, ServedId) {
    let mut bob = Lone::with(|_, profile| {
        profile.methods = ["REFER", "NOTIFY"].map(Into::into).into();
        profile.extensions = Extensions::of(&[Extension::NoReferSubscription]);
    });
    bob.receive(&request("REFER", "r", 7, "", &format!("{REFER_TO}{extra}")));
    let Some(Event::Referred { served, .. }) = bob.events.last().cloned() else { panic!("{:?}", bob.told()) };
    (bob, served)
}

#[test]
fn a_refer_is_accepted_with_fields_and_a_body() {
    let extra = || Extra::new().header("X-Ticket", "4711").body(Body::new("text/plain", "soon"));
    for (wishes, label) in [("", "202 REFER"), ("Refer-Sub: false\r\n", "200 REFER")] {
        let (mut bob, served) = referred(wishes);
        for (wrong, error) in [
            (Extra::new().header("Via", "x"), CommandError::HeaderOwned("Via")),
            (Extra::new().header("Expires", "9"), CommandError::HeaderOwned("Expires")),
            (Extra::new().header("X-Thing", "a\r\nb"), CommandError::Invalid("header")),
        ] {
            assert_eq!(bob.command(|agent, now| agent.accept_refer_with(now, served, wrong)), Err(error));
        }
        assert!(bob.take().is_empty(), "the REFER waits still");
        bob.command(|agent, now| agent.accept_refer_with(now, served, extra())).unwrap();
        let accepted = bob.take().remove(0);
        let said = (accepted.label(), accepted.header("x-ticket").to_string(), accepted.body);
        assert_eq!(said, (label.into(), "4711".into(), "soon".into()));
    }
}

/// RFC 3420 §2: a fragment may have header fields and a body behind its status line.
#[test]
fn a_notify_shows_what_the_response_has_said() {
    let (mut bob, served) = referred("");
    let referral = bob.command(|agent, now| agent.accept_refer(now, served)).unwrap().unwrap();
    let first = bob.take().pop().unwrap();
    bob.receive(&first.respond("200 OK", "", ""));
    let told = |bob: &mut Lone, reply: Reply| {
        bob.command(|agent, now| agent.notify_refer(now, referral, reply)).unwrap();
        let notify = bob.take().pop().unwrap();
        assert_eq!(notify.header("content-type"), "message/sipfrag;version=2.0");
        bob.receive(&notify.respond("200 OK", "", ""));
        notify.body
    };
    let early = Reply::new(StatusCode::SESSION_PROGRESS).body(Body::new("text/plain", "wait"));
    let text = "SIP/2.0 183 Session Progress\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nwait";
    assert_eq!(told(&mut bob, early), text);
    let owned = Reply::new(StatusCode::OK).header("Via", "x");
    let refused = bob.command(|agent, now| agent.notify_refer(now, referral, owned));
    assert_eq!(refused, Err(CommandError::HeaderOwned("Via")));
    let unwritable = Reply::new(StatusCode::OK).body(Body::new("a\r\nb", "c"));
    let refused = bob.command(|agent, now| agent.notify_refer(now, referral, unwritable));
    assert_eq!(refused, Err(CommandError::Invalid("body")));
    let moved = Reply::new(StatusCode::MOVED_TEMPORARILY).contact(&"sip:dave@home.example.org".parse().unwrap());
    let text = "SIP/2.0 302 Moved Temporarily\r\nContact: <sip:dave@home.example.org>\r\nX-Thing: 1\r\n";
    assert_eq!(told(&mut bob, moved.header("X-Thing", "1")), text);
    bob.finish();
}

/// RFC 3326: the CANCEL of a re-INVITE says why.
#[test]
fn a_change_is_taken_back_with_a_reason() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    bob.receive(&invite.respond("200 OK", "c", CONTACT));
    bob.take();
    bob.command(|agent, now| agent.modify(now, call, Body::sdp("v=0\r\n"))).unwrap();
    let change = bob.take().remove(0);
    bob.receive(&change.respond("180 Ringing", "", ""));
    for (wrong, error) in [
        (Extra::new().body(Body::sdp("v=0\r\n")), CommandError::Invalid("body")),
        (Extra::new().header("Proxy-Require", "x"), CommandError::HeaderOwned("Proxy-Require")),
        (Extra::new().header("CSeq", "1 CANCEL"), CommandError::HeaderOwned("CSeq")),
    ] {
        assert_eq!(bob.command(|agent, now| agent.cancel_change_with(now, call, wrong)), Err(error));
    }
    let reason = Extra::new().header("Reason", REASON);
    bob.command(|agent, now| agent.cancel_change_with(now, call, reason)).unwrap();
    let cancel = bob.take().remove(0);
    assert_eq!((cancel.label().as_str(), cancel.header("reason")), ("CANCEL", REASON));
}

/// Bob calls Carol with a farewell; his INVITE.
fn calling(adapt: impl FnOnce(&mut Profile)) -> (Lone, CallId, Text) {
    let mut bob = Lone::with(|_, profile| adapt(profile));
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let farewell = Extra::new().header("Reason", REASON).body(Body::new("text/plain", "bye"));
    let outgoing = Outgoing::to(&carol).body(Body::sdp("v=0\r\n")).farewell(farewell);
    let call = bob.command(|agent, now| agent.call(now, outgoing)).unwrap();
    let invite = bob.take().remove(0);
    (bob, call, invite)
}

/// Reason and body of the last BYE.
#[track_caller]
fn said(bob: &mut Lone) -> (String, String) {
    let bye = bob.take().into_iter().rev().find(|sent| sent.label() == "BYE").expect("a BYE");
    (bye.find("reason").unwrap_or_default().into(), bye.body)
}

#[test]
fn a_bye_that_nobody_commands_says_what_was_given_beforehand() {
    let given = || (REASON.to_string(), "bye".to_string());
    let ok =
        |invite: &Text, tag: &str, extra: &str| described(&invite.respond("200 OK", tag, &format!("{CONTACT}{extra}")));
    // A fork that has lost, and one that is above the limit.
    for forks in [16, 1] {
        let (mut bob, _, invite) = calling(|profile| profile.limits.forks = forks);
        bob.receive(&ok(&invite, "c", ""));
        bob.receive(&ok(&invite, "d", ""));
        assert_eq!(said(&mut bob), given(), "{forks}");
    }
    // A session that is not refreshed.
    let (mut bob, _, invite) = calling(|profile| with_timers(profile, OFF));
    bob.receive(&ok(&invite, "c", "Require: timer\r\nSession-Expires: 90;refresher=uas\r\n"));
    bob.run(Duration::from_secs(90));
    assert_eq!(bob.told().last().unwrap(), "ended Expired");
    assert_eq!(said(&mut bob), given());
    // A command that says nothing else, and one that does.
    let (mut bob, call, invite) = calling(|_| {});
    bob.receive(&ok(&invite, "c", ""));
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    assert_eq!(said(&mut bob), given());
    let (mut bob, call, invite) = calling(|_| {});
    bob.receive(&ok(&invite, "c", ""));
    bob.command(|agent, now| agent.hang_up_with(now, call, Extra::new().header("Reason", "Q.850;cause=16"))).unwrap();
    assert_eq!(said(&mut bob), ("Q.850;cause=16".into(), "bye".into()), "the field of that name, and no other");
    // What cannot be carried is told by the command that calls.
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let owned = Outgoing::to(&carol).farewell(Extra::new().header("CSeq", "1 BYE"));
    assert_eq!(bob.command(|agent, now| agent.call(now, owned)), Err(CommandError::HeaderOwned("CSeq")));
}

#[test]
fn a_bye_of_a_call_that_came_in_says_what_was_given_beforehand() {
    let mut bob = Lone::new();
    bob.receive(&invite("i", 1));
    let call = bob.incoming();
    let owned = Extra::new().header("CSeq", "1 BYE");
    assert_eq!(bob.command(|agent, now| agent.farewell(now, call, owned)), Err(CommandError::HeaderOwned("CSeq")));
    bob.command(|agent, now| agent.farewell(now, call, Extra::new().header("Reason", REASON))).unwrap();
    bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
    // No ACK comes for 64·T1.
    bob.run(Duration::from_secs(33));
    assert_eq!(said(&mut bob), (REASON.into(), String::new()));
    bob.run(Duration::from_secs(64));
    assert_eq!(bob.command(|agent, now| agent.farewell(now, call, Extra::new())), Err(CommandError::Gone));
}
