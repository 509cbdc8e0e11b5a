//! Fields and bodies that stand in every message of a sort, whoever sends that: a command, or the core by itself.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, invite, request};
use super::session_timers::{OFF, with_timers};
use super::text::Text;
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::{Method, StatusCode};
use crate::time::Duration;
use crate::user_agent::{
    Body, CallId, Event, Extra, Messages, Outgoing, Profile, Redirects, Refer, Register, Reply, Subscribe,
};

const RELIABLE: &str = "Contact: <sip:carol@192.0.2.9>\r\nSupported: 100rel\r\n";

fn traced(value: &str) -> Extra {
    Extra::new().header("X-Trace", value)
}

fn all_extensions(profile: &mut Profile) {
    profile.extensions = Extensions::of(&[Extension::Reliable, Extension::NoReferSubscription]);
    profile.methods = ["REFER", "NOTIFY"].map(Into::into).into();
}

/// Bob, who sets that for these messages.
fn bob(messages: Messages, extra: impl Into<Extra>) -> Lone {
    let mut bob = Lone::with(|_, profile| all_extensions(profile));
    bob.command(|agent, now| agent.standing(now, messages, extra)).unwrap();
    bob
}

/// Says what the messages of that label say, of those that were sent since the last look.
fn said(bob: &mut Lone, label: &str) -> Vec<String> {
    let sent = bob.take();
    let sent = sent.iter().filter(|sent| sent.label() == label);
    sent.map(|sent| sent.find("x-trace").unwrap_or_default().to_string()).collect()
}

/// Carol calls, and Bob answers.
fn answered(bob: &mut Lone) -> CallId {
    bob.receive(&described(&invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.take();
    call
}

/// Bob calls with that; his INVITE.
fn calling(bob: &mut Lone, outgoing: impl FnOnce(Outgoing) -> Outgoing) -> (CallId, Text) {
    let outgoing = outgoing(Outgoing::to(&"<sip:carol@192.0.2.9>".parse().unwrap()));
    let call = bob.command(|agent, now| agent.call(now, outgoing)).unwrap();
    (call, bob.take().remove(0))
}

/// The label of a message, and what brings it about.
type Case<'a> = (&'a str, &'a dyn Fn(&mut Lone));

/// Each final response that the core gives by itself.
#[test]
fn each_response_that_nobody_commands_has_what_stands_in_responses() {
    let cases: [Case<'_>; 13] = [
        ("200 BYE", &|bob| {
            answered(bob);
            bob.receive(&request("BYE", "b", 11, "bob-tag", ""));
        }),
        ("200 CANCEL", &|bob| {
            bob.receive(&invite("i", 10));
            bob.receive(&request("CANCEL", "i", 10, "", ""));
        }),
        ("487 INVITE", &|bob| {
            bob.receive(&invite("i", 10));
            bob.receive(&request("CANCEL", "i", 10, "", ""));
        }),
        ("481 CANCEL", &|bob| bob.receive(&request("CANCEL", "i", 10, "", ""))),
        ("200 PRACK", &|bob| {
            bob.receive(&described(&request("INVITE", "i", 10, "", RELIABLE)));
            let call = bob.incoming();
            bob.command(|agent, now| agent.progress_reliably(now, call, StatusCode::RINGING, None)).unwrap();
            let rack = format!("RAck: {} 10 INVITE\r\n", bob.take()[0].header("rseq"));
            bob.receive(&request("PRACK", "p", 11, "bob-tag", &rack));
        }),
        ("200 UPDATE", &|bob| {
            answered(bob);
            bob.receive(&request("UPDATE", "u", 11, "bob-tag", CONTACT));
        }),
        ("504 UPDATE", &|bob| {
            answered(bob);
            bob.receive(&described(&request("UPDATE", "u", 11, "bob-tag", CONTACT)));
            bob.run(Duration::from_secs(11));
        }),
        ("488 INVITE", &|bob| {
            answered(bob);
            bob.receive(&described(&request("INVITE", "r", 11, "bob-tag", CONTACT)));
            bob.run(Duration::from_secs(11));
        }),
        ("500 INVITE", &|bob| {
            answered(bob);
            bob.receive(&described(&request("INVITE", "r", 11, "bob-tag", CONTACT)));
            bob.receive(&described(&request("INVITE", "s", 12, "bob-tag", CONTACT)));
        }),
        ("200 OPTIONS", &|bob| bob.receive(&request("OPTIONS", "o", 10, "", ""))),
        ("200 NOTIFY", &|bob| {
            let subscribe = Subscribe::to(&"<sip:carol@192.0.2.9>".parse().unwrap(), "presence");
            bob.command(|agent, now| agent.subscribe(now, subscribe)).unwrap();
            let subscribe = bob.take().remove(0);
            bob.receive(&notify(&subscribe, 1, "presence", "active"));
        }),
        ("481 BYE", &|bob| bob.receive(&request("BYE", "b", 10, "other", ""))),
        ("420 OPTIONS", &|bob| bob.receive(&request("OPTIONS", "o", 10, "", "Require: x\r\n"))),
    ];
    for (label, happens) in cases {
        let mut bob = bob(Messages::responses(), traced("7f"));
        happens(&mut bob);
        // Some are sent more than once.
        let mut said = said(&mut bob, label);
        said.dedup();
        assert_eq!(said, ["7f"], "{label}");
    }
    // Those of commands have it too, and so has what makes a dialog.
    let mut bob = bob(Messages::responses(), traced("7f"));
    bob.receive(&described(&invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    assert_eq!(said(&mut bob, "180 INVITE"), ["7f"]);
    bob.command(|agent, now| agent.reject(now, call, StatusCode::BUSY_HERE)).unwrap();
    assert_eq!(said(&mut bob, "486 INVITE"), ["7f"]);
}

/// Carol's NOTIFY for a SUBSCRIBE or REFER of Bob's.
fn notify(of: &Text, number: u32, event: &str, state: &str) -> String {
    format!(
        "NOTIFY sip:bob@192.0.2.4 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKn{number}\r\nMax-Forwards: 70\r\n\
         From: <sip:carol@192.0.2.9>;tag=c\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {number} NOTIFY\r\n{CONTACT}Event: {event}\r\n\
         Subscription-State: {state}\r\nContent-Length: 0\r\n\r\n",
        of.header("from"),
        of.header("call-id")
    )
}

#[test]
fn a_response_is_chosen_by_its_method_and_its_status() {
    let to_bye = Some(Method::Bye);
    for (messages, bye, options) in [
        (Messages::responses(), "7f", "7f"),
        (Messages::responses_to(Method::Bye), "7f", ""),
        (Messages::responses_of(StatusCode::OK), "7f", "7f"),
        (Messages::responses_of(StatusCode::BUSY_HERE), "", ""),
        (Messages::Responses { to: to_bye, status: Some(StatusCode::OK) }, "7f", ""),
        (Messages::Responses { to: to_bye, status: Some(StatusCode::BUSY_HERE) }, "", ""),
        (Messages::Requests(Method::Bye), "", ""),
    ] {
        let mut bob = bob(messages, traced("7f"));
        answered(&mut bob);
        bob.receive(&request("OPTIONS", "o", 11, "bob-tag", ""));
        assert_eq!(said(&mut bob, "200 OPTIONS"), [options], "{messages:?}");
        bob.receive(&request("BYE", "b", 12, "bob-tag", ""));
        assert_eq!(said(&mut bob, "200 BYE"), [bye], "{messages:?}");
    }
}

#[test]
fn what_a_command_says_stands_in_the_place_of_a_field_of_that_name_and_of_the_body() {
    let text = |text: &str| Body::new("text/plain", text);
    let extra =
        traced("all").header("X-More", "1").header("X-More", "2").warning("All \"lines\"").body(text("standing"));
    let mut bob = bob(Messages::responses(), extra);
    let busy = |bob: &mut Lone, branch: &str, reply: Reply| {
        bob.receive(&invite(branch, 10).replace("1j9F", branch));
        let call = bob.incoming();
        bob.command(|agent, now| agent.reject(now, call, reply)).unwrap();
        bob.take().pop().unwrap()
    };
    let sent = busy(&mut bob, "i", Reply::new(StatusCode::BUSY_HERE));
    assert_eq!((sent.header("x-trace"), &*sent.body), ("all", "standing"));
    assert_eq!(
        (sent.header("warning"), sent.header("content-type")),
        ("399 sansip \"All \\\"lines\\\"\"", "text/plain")
    );
    assert_eq!(sent.headers["x-more"], ["1", "2"], "both stand there");
    let reply = Reply::new(StatusCode::BUSY_HERE).header("x-tRACE", "own").warning("own").body(text("own"));
    let sent = busy(&mut bob, "j", reply);
    assert_eq!((&sent.headers["x-trace"], &*sent.body), (&["own".to_string()].into(), "own"));
    assert_eq!(
        (&*sent.headers["warning"], &*sent.headers["x-more"]),
        (&["399 sansip \"own\"".into()][..], &["1".into(), "2".into()][..])
    );
    // The description of what we can do is a body of the core's.
    bob.command(|agent, now| agent.standing(now, Messages::responses(), Extra::new())).unwrap();
    assert_eq!(
        busy(&mut bob, "k", StatusCode::BUSY_HERE.into()).find("x-trace"),
        None,
        "nothing stands there any more"
    );
}

#[test]
fn what_stands_in_a_call_comes_before_what_stands_everywhere_and_ends_with_the_call() {
    let mut bob = bob(Messages::responses(), traced("everywhere"));
    bob.command(|agent, now| agent.standing(now, Messages::responses_to(Method::Options), traced("later"))).unwrap();
    let call = answered(&mut bob);
    let options = |bob: &mut Lone, number: u32, tag: &str| {
        bob.receive(&request("OPTIONS", &format!("o{number}"), number, tag, ""));
        said(bob, "200 OPTIONS").remove(0)
    };
    assert_eq!(options(&mut bob, 11, "bob-tag"), "later", "of two that was set last");
    bob.command(|agent, now| agent.standing_in(now, call, Messages::responses(), traced("call"))).unwrap();
    assert_eq!(options(&mut bob, 12, "bob-tag"), "call");
    assert_eq!(options(&mut bob, 13, ""), "later", "outside of the call");
    bob.receive(&request("BYE", "b", 14, "bob-tag", ""));
    assert_eq!(said(&mut bob, "200 BYE"), ["call"]);
    bob.run(Duration::from_secs(40));
    let gone = bob.command(|agent, now| agent.standing_in(now, call, Messages::responses(), traced("x")));
    assert_eq!(gone, Err(CommandError::Gone));
    bob.receive(&request("BYE", "c", 15, "bob-tag", ""));
    assert_eq!(said(&mut bob, "481 BYE"), ["everywhere"]);
    let standing = format!("{:?}", bob.agent.user().floor.standing);
    assert!(standing.contains("calls: {}"), "{standing}");
    bob.finish();
}

/// RFC 3261 §17.1.1.3: the ACK of a rejection, whoever has asked for what stands in it; and each attempt has one.
#[test]
fn the_ack_of_a_rejection_has_what_stands_in_acks() {
    let acks = Messages::Requests(Method::Ack);
    for (of_call, of_agent, expected) in
        [("", "", ""), ("call", "", "call"), ("", "agent", "agent"), ("call", "agent", "call")]
    {
        let mut bob = Lone::with(|_, profile| profile.policy.redirects = Redirects::Follow);
        if !of_agent.is_empty() {
            bob.command(|agent, now| agent.standing(now, acks, traced(of_agent))).unwrap();
        }
        let (_, invite) =
            calling(&mut bob, |outgoing| if of_call.is_empty() { outgoing } else { outgoing.ack(traced(of_call)) });
        bob.receive(&invite.respond("302 Moved", "c", "Contact: <sip:carol@192.0.2.9:5070>\r\n"));
        let sent = bob.take();
        let labels: Vec<_> = sent.iter().map(Text::label).collect();
        assert_eq!(labels, ["ACK", "INVITE"]);
        assert_eq!(sent[0].find("x-trace").unwrap_or_default(), expected);
        assert_eq!(sent[1].find("x-trace"), None, "the INVITE has what its command says");
        // The response comes again, and so does the ACK.
        let again = bob.exchange(&invite.respond("302 Moved", "c", "Contact: <sip:carol@192.0.2.9:5070>\r\n"));
        assert_eq!(again, sent[..1]);
        let last = bob.exchange(&sent[1].respond("486 Busy Here", "c", ""));
        assert_eq!((last[0].label().as_str(), last[0].find("x-trace").unwrap_or_default()), ("ACK", expected));
        bob.finish();
    }
}

#[test]
fn the_ack_of_a_refused_change_has_what_stands_in_acks() {
    let mut bob = bob(Messages::Requests(Method::Ack), traced("7f"));
    let call = answered(&mut bob);
    bob.command(|agent, now| agent.modify(now, call, Body::sdp("v=0\r\n"))).unwrap();
    let change = bob.take().remove(0);
    let sent = bob.exchange(&change.respond("488 No", "", ""));
    assert_eq!((sent[0].label().as_str(), sent[0].header("x-trace")), ("ACK", "7f"));
    bob.receive(&request("BYE", "b", 12, "bob-tag", ""));
    bob.finish();
}

/// Each request that goes out by itself.
#[test]
fn each_request_that_nobody_commands_has_what_stands_in_requests() {
    // The invitation expires.
    let mut lone = bob(Messages::Requests(Method::Cancel), traced("7f"));
    let (_, invite) = calling(&mut lone, |outgoing| outgoing.header("Expires", "5"));
    lone.receive(&invite.respond("180 Ringing", "c", CONTACT));
    lone.run(Duration::from_secs(5));
    assert_eq!(said(&mut lone, "CANCEL"), ["7f"]);
    // A reliable response.
    let mut lone = bob(Messages::Requests(Method::Prack), traced("7f").body(Body::new("text/plain", "well")));
    let (_, invite) = calling(&mut lone, |outgoing| outgoing);
    lone.receive(&invite.respond("180 Ringing", "c", &format!("{CONTACT}Require: 100rel\r\nRSeq: 1\r\n")));
    let prack = lone.take().remove(0);
    assert_eq!((prack.label().as_str(), prack.header("x-trace"), &*prack.body), ("PRACK", "7f", "well"));
    // The session timer.
    let mut lone = Lone::with(|_, profile| with_timers(profile, OFF));
    lone.command(|agent, now| agent.standing(now, Messages::Requests(Method::Invite), traced("7f"))).unwrap();
    let (_, invite) = calling(&mut lone, |outgoing| outgoing.body(Body::sdp("v=0\r\n")));
    assert_eq!(invite.header("x-trace"), "7f", "the command's INVITE has it too");
    let timer = format!("{CONTACT}Require: timer\r\nSession-Expires: 90;refresher=uac\r\n");
    lone.receive(&described(&invite.respond("200 OK", "c", &timer)));
    lone.take();
    lone.run(Duration::from_secs(45));
    assert_eq!(said(&mut lone, "INVITE")[0], "7f");
    // The subscription of a REFER: refreshed and ended.
    let mut lone = bob(Messages::Requests(Method::Subscribe), traced("7f"));
    let (call, invite) = calling(&mut lone, |outgoing| outgoing);
    lone.receive(&invite.respond("200 OK", "c", CONTACT));
    let refer = Refer::from(&"sip:dave@denver.example.org".parse().unwrap());
    let referred = lone.command(|agent, now| agent.refer(now, call, refer)).unwrap();
    let refer = lone.take().pop().unwrap();
    lone.receive(&refer.respond("202 Accepted", "", CONTACT));
    lone.receive(&notify(&refer, 1, "refer", "active;expires=60"));
    lone.command(|agent, now| agent.refresh_subscription(now, referred)).unwrap();
    let subscribe = lone.take().pop().unwrap();
    assert_eq!((subscribe.label().as_str(), subscribe.header("x-trace")), ("SUBSCRIBE", "7f"));
    lone.receive(&subscribe.respond("200 OK", "", &format!("{CONTACT}Expires: 60\r\n")));
    let extra = traced("own").header("X-Why", "enough");
    lone.command(|agent, now| agent.unsubscribe_with(now, referred, extra)).unwrap();
    let last = lone.take().pop().unwrap();
    assert_eq!((last.header("expires"), last.header("x-trace"), last.header("x-why")), ("0", "own", "enough"));
    // What becomes of the peer's REFER.
    let mut lone = bob(Messages::Requests(Method::Notify), traced("7f"));
    let contact = "Refer-To: <sip:dave@denver.example.org>\r\nContact: <sip:carol@192.0.2.9>\r\n";
    lone.receive(&request("REFER", "r", 7, "", contact));
    let Some(Event::Referred { served, .. }) = lone.events.last().cloned() else { panic!("{:?}", lone.told()) };
    lone.command(|agent, now| agent.accept_refer(now, served)).unwrap();
    assert_eq!(said(&mut lone, "NOTIFY"), ["7f"]);
    // A registration.
    let mut lone = bob(Messages::Requests(Method::Register), traced("7f"));
    let registrar = "sip:192.0.2.9".parse().unwrap();
    let register = Register::at(&registrar).header("X-Of", "terms").header("X-Why", "always");
    let registration = lone.command(|agent, now| agent.register(now, register)).unwrap();
    let register = lone.take().remove(0);
    assert_eq!((register.header("x-trace"), register.header("x-why")), ("7f", "always"));
    lone.receive(&register.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=60\r\n"));
    for (wrong, error) in [
        (Extra::new().header("Expires", "1"), CommandError::HeaderOwned("Expires")),
        (Extra::new().header("Via", "1"), CommandError::HeaderOwned("Via")),
    ] {
        assert_eq!(lone.command(|agent, now| agent.unregister_with(now, registration, wrong)), Err(error));
    }
    lone.command(|agent, now| agent.unregister_with(now, registration, Extra::new().header("X-Why", "power off")))
        .unwrap();
    let last = lone.take().remove(0);
    assert_eq!(last.headers["x-why"], ["power off"]);
    assert_eq!((last.header("expires"), last.header("x-of"), last.header("x-trace")), ("0", "terms", "7f"));
}

#[test]
fn what_the_last_subscribe_says_is_refused_by_name() {
    let mut bob = bob(Messages::Requests(Method::Subscribe), Extra::new());
    let subscribe = Subscribe::to(&"<sip:carol@192.0.2.9>".parse().unwrap(), "presence");
    let presence = bob.command(|agent, now| agent.subscribe(now, subscribe)).unwrap();
    let subscribe = bob.take().remove(0);
    bob.receive(&subscribe.respond("200 OK", "c", &format!("{CONTACT}Expires: 3600\r\n")));
    bob.receive(&notify(&subscribe, 1, "presence", "active"));
    bob.take();
    for name in ["Event", "Expires", "Accept", "Subscription-State", "CSeq"] {
        let refused = bob.command(|agent, now| agent.unsubscribe_with(now, presence, Extra::new().header(name, "x")));
        assert_eq!(refused, Err(CommandError::HeaderOwned(name)));
    }
    assert!(bob.take().is_empty());
    bob.command(|agent, now| agent.unsubscribe_with(now, presence, traced("last"))).unwrap();
    assert_eq!(said(&mut bob, "SUBSCRIBE"), ["last"]);
}

/// RFC 3261 §20.43: Warning stands in responses. A rejection is one, whichever command gives it.
#[test]
fn a_warning_is_for_responses() {
    let warning = || Extra::new().warning("The line is in use");
    let refused = Err(CommandError::HeaderOwned("Warning"));
    let mut bob = Lone::new();
    bob.receive(&described(&invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.hang_up_with(now, call, warning())).unwrap();
    assert_eq!(bob.take().remove(0).header("warning"), "399 sansip \"The line is in use\"");
    let mut bob = Lone::with(|_, profile| profile.methods = ["INFO"].map(Into::into).into());
    let call = answered(&mut bob);
    let commands = [
        bob.command(|agent, now| agent.modify(now, call, warning().body(Body::sdp("v=0\r\n")))),
        bob.command(|agent, now| agent.update(now, call, warning())),
        bob.command(|agent, now| agent.ask_in(now, call, Method::Info, warning()).map(drop)),
        bob.command(|agent, now| agent.hang_up_with(now, call, warning())),
        bob.command(|agent, now| agent.answer_offer(now, call, warning())),
    ];
    assert_eq!(commands, [refused; 5]);
    let (call, invite) = calling(&mut bob, |outgoing| outgoing);
    bob.receive(&invite.respond("180 Ringing", "c", CONTACT));
    assert_eq!(bob.command(|agent, now| agent.cancel_with(now, call, warning())), refused);
    assert!(bob.take().is_empty());
}

#[test]
fn what_messages_cannot_carry_is_refused() {
    let mut bob = Lone::new();
    let (bye, cancel, ack) = (Method::Bye, Method::Cancel, Method::Ack);
    let text = || Extra::from(Body::new("text/plain", "x"));
    for (messages, extra, error) in [
        (Messages::responses(), Extra::new().header("Via", "x"), CommandError::HeaderOwned("Via")),
        (Messages::responses(), traced("a\r\nb"), CommandError::Invalid("header")),
        (Messages::responses(), Body::sdp("v=0\r\n").into(), CommandError::Invalid("body")),
        (Messages::Requests(bye), Body::sdp("v=0\r\n").into(), CommandError::Invalid("body")),
        (Messages::Requests(bye), Extra::new().warning("x"), CommandError::HeaderOwned("Warning")),
        (Messages::Requests(cancel), text(), CommandError::Invalid("body")),
        (Messages::Requests(ack), text(), CommandError::Invalid("body")),
        (
            Messages::Requests(cancel),
            Extra::new().header("Proxy-Require", "x"),
            CommandError::HeaderOwned("Proxy-Require"),
        ),
        (
            Messages::Requests(ack),
            Extra::new().header("Proxy-Require", "x"),
            CommandError::HeaderOwned("Proxy-Require"),
        ),
    ] {
        let refused = bob.command(|agent, now| agent.standing(now, messages, extra.clone()));
        assert_eq!(refused, Err(error), "{messages:?}");
        let carol = Outgoing::to(&"<sip:carol@192.0.2.9>".parse().unwrap()).standing(messages, extra);
        assert_eq!(bob.command(|agent, now| agent.call(now, carol)), Err(error), "{messages:?}");
    }
    assert!(bob.take().is_empty());
    bob.finish();
}
