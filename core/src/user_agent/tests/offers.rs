//! Offers and answers of a call: which message has to have which (RFC 3261 §13.2.1, §13.2.2.4, §13.3.1.4).

use alloc::string::String;
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, invite, request};
use super::text::Text;
use crate::error::CommandError;
use crate::message::StatusCode;
use crate::time::Duration;
use crate::user_agent::{Body, CallId, Event, Extra, Outgoing};

const REFUSAL: &str = "m=audio 0 RTP/AVP 0\r\n";

fn labels(sent: &[Text]) -> Vec<String> {
    sent.iter().map(Text::label).collect()
}

/// Bob calls Carol without an offer; Bob's refusal of an offer is known.
fn calling() -> (Lone, CallId, Text) {
    calling_with(Lone::new())
}

fn calling_with(mut bob: Lone) -> (Lone, CallId, Text) {
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let outgoing = Outgoing::to(&carol).refusal(Body::sdp(REFUSAL));
    let call = bob.command(|agent, now| agent.call(now, outgoing)).unwrap();
    let invite = bob.take().remove(0);
    (bob, call, invite)
}

fn offering(invite: &Text, tag: &str) -> String {
    described(&invite.respond("200 OK", tag, CONTACT))
}

#[test]
fn an_offer_is_answered_or_the_call_is_not() {
    let mut bob = Lone::new();
    bob.receive(&described(&invite("a", 1)));
    let call = bob.incoming();
    for extra in [Extra::new(), Extra::from(Body::new("text/plain", "v=0\r\n")), Extra::from(Body::sdp(""))] {
        let refused = bob.command(|agent, now| agent.answer(now, call, extra));
        assert_eq!(refused, Err(CommandError::Invalid("answer")));
    }
    assert!(bob.take().iter().all(|sent| sent.label() == "100 INVITE"));
    assert_eq!(bob.agent.user().census().dialogs, 0);
    let parts = "--x\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--x--\r\n";
    bob.command(|agent, now| agent.answer(now, call, Body::new("multipart/mixed;boundary=x", parts))).unwrap();
    assert_eq!(labels(&bob.take()), ["200 INVITE"]);
}

#[test]
fn before_the_offer_an_unreliable_response_describes_nothing() {
    let mut bob = Lone::new();
    bob.receive(&invite("a", 1));
    let call = bob.incoming();
    let media = || Body::sdp("v=0\r\n");
    let refused = bob.command(|agent, now| agent.progress(now, call, StatusCode::SESSION_PROGRESS, media()));
    assert_eq!(refused, Err(CommandError::Invalid("body")));
    assert_eq!(bob.agent.user().census().dialogs, 0);
}

#[test]
fn the_ack_hands_on_the_answer_to_the_offer_of_our_2xx() {
    let mut bob = Lone::new();
    bob.receive(&invite("a", 1));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=1\r\n"))).unwrap();
    bob.receive(&described(&request("ACK", "b", 1, "bob-tag", "")));
    let Some(Event::Confirmed { ack, .. }) = bob.events.last() else { panic!("{:?}", bob.events) };
    assert_eq!(Body::of_request(ack), Some(Body::sdp("v=0\r\n")));
}

#[test]
fn the_ack_of_an_offer_waits_for_the_answer_and_then_comes_as_often_as_the_2xx() {
    let (mut bob, call, invite) = calling();
    assert!(bob.exchange(&offering(&invite, "one")).is_empty());
    assert!(bob.exchange(&offering(&invite, "one")).is_empty(), "the ACK waits on");
    assert_eq!(bob.told(), ["answered 200"]);
    let refused = bob.command(|agent, now| agent.answer_offer(now, call, None));
    assert_eq!(refused, Err(CommandError::Invalid("answer")));
    let answer = || Extra::from(Body::sdp("v=2\r\n")).header("X-Thing", "1");
    bob.command(|agent, now| agent.answer_offer(now, call, answer())).unwrap();
    let ack = bob.take();
    assert_eq!(labels(&ack), ["ACK"]);
    assert_eq!((ack[0].body.as_str(), ack[0].header("content-type")), ("v=2\r\n", "application/sdp"));
    assert_eq!(
        (ack[0].header("x-thing"), ack[0].header("cseq")),
        ("1", "1 ACK".replace('1', number(&invite)).as_str())
    );
    assert_eq!(bob.exchange(&offering(&invite, "one")), ack);
    let again = bob.command(|agent, now| agent.answer_offer(now, call, answer()));
    assert_eq!(again, Err(CommandError::WrongState));
    bob.run(Duration::from_secs(60));
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take().pop().unwrap();
    bob.receive(&bye.respond("200 OK", "", ""));
    assert_eq!(bob.told(), ["answered 200", "ended Local"]);
    bob.finish();
}

fn number(message: &Text) -> &str {
    message.header("cseq").split(' ').next().unwrap()
}

#[test]
fn an_offer_that_nobody_answers_in_time_is_refused_and_the_call_ended() {
    let (mut bob, _, invite) = calling();
    bob.receive(&offering(&invite, "one"));
    bob.run(Duration::from_millis(9_999));
    assert!(bob.take().is_empty());
    bob.run(Duration::from_millis(1));
    let sent = bob.take();
    assert_eq!(labels(&sent), ["ACK", "BYE"]);
    assert_eq!((sent[0].body.as_str(), sent[1].body.as_str()), (REFUSAL, ""));
    assert_eq!(bob.told(), ["answered 200", "ended Unanswered"]);
    assert_eq!(labels(&bob.exchange(&offering(&invite, "one"))), ["ACK"]);
    bob.finish();
}

#[test]
fn an_answer_is_not_waited_for_longer_than_the_2xx_is_repeated() {
    let (mut bob, _, invite) = calling_with(Lone::with(|_, profile| profile.answer_time = Duration::from_secs(1_000)));
    bob.receive(&offering(&invite, "one"));
    bob.run(Duration::from_millis(31_500));
    assert_eq!(labels(&bob.take())[..2], ["ACK", "BYE"]);
    bob.finish();
}

#[test]
fn hanging_up_instead_of_answering_refuses_the_offer() {
    let (mut bob, call, invite) = calling();
    bob.receive(&offering(&invite, "one"));
    let reason = Extra::new().header("Reason", "SIP;cause=488");
    bob.command(|agent, now| agent.hang_up_with(now, call, reason)).unwrap();
    let sent = bob.take();
    assert_eq!(labels(&sent), ["ACK", "BYE"]);
    assert_eq!((sent[0].body.as_str(), sent[1].header("reason")), (REFUSAL, "SIP;cause=488"));
    bob.receive(&sent[1].respond("200 OK", "", ""));
    assert_eq!(bob.told(), ["answered 200", "ended Local"]);
    bob.finish();
}

#[test]
fn without_a_refusal_the_ack_has_no_body() {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    bob.receive(&offering(&invite, "one"));
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let sent = bob.take();
    assert_eq!((labels(&sent).join(" ").as_str(), sent[0].body.as_str()), ("ACK BYE", ""));
}

#[test]
fn each_fork_that_loses_has_its_offer_refused() {
    let (mut bob, call, invite) = calling_with(Lone::with(|_, profile| profile.limits.forks = 2));
    for fork in ["one", "two"] {
        bob.receive(&invite.respond("180 Ringing", fork, CONTACT));
    }
    assert!(bob.exchange(&offering(&invite, "two")).is_empty());
    // The other one that is known, and one more than are kept.
    for fork in ["one", "three"] {
        let sent = bob.exchange(&offering(&invite, fork));
        assert_eq!(labels(&sent), ["ACK", "BYE"]);
        assert_eq!((sent[0].tag_of("to"), sent[0].body.as_str(), sent[1].body.as_str()), (fork, REFUSAL, ""));
    }
    bob.command(|agent, now| agent.answer_offer(now, call, Body::sdp("v=2\r\n"))).unwrap();
    let ack = bob.take().remove(0);
    assert_eq!((ack.tag_of("to"), ack.body.as_str()), ("two", "v=2\r\n"));
}

#[test]
fn the_offer_of_a_call_that_was_cancelled_is_refused() {
    let (mut bob, call, invite) = calling();
    bob.receive(&invite.respond("180 Ringing", "one", CONTACT));
    bob.command(|agent, now| agent.cancel(now, call)).unwrap();
    bob.take();
    let sent = bob.exchange(&offering(&invite, "one"));
    assert_eq!((labels(&sent).join(" ").as_str(), sent[0].body.as_str()), ("ACK BYE", REFUSAL));
}

#[test]
fn a_bye_before_the_answer_ends_the_call() {
    let (mut bob, call, invite) = calling();
    bob.receive(&offering(&invite, "carol-tag"));
    let bye = request("BYE", "b", 1, invite.tag_of("from"), "")
        .replace("1j9FpLxk3uxtm8tn@chicago.com", invite.header("call-id"));
    let sent = bob.exchange(&bye);
    assert_eq!(labels(&sent), ["200 BYE", "ACK"]);
    assert_eq!(sent[1].body, REFUSAL);
    assert_eq!(bob.told(), ["answered 200", "ended Remote"]);
    let late = bob.command(|agent, now| agent.answer_offer(now, call, Body::sdp("v=2\r\n")));
    assert_eq!(late, Err(CommandError::Gone));
    bob.finish();
}
