//! The description that a refresh by re-INVITE offers: the last one that this end has sent, wherever that was (RFC 4028 §7.4).

use alloc::format;
use alloc::string::String;

use super::lone::{CONTACT, Lone, request};
use super::session_timers::OFF;
use super::text::Text;
use crate::extension::{Extension, Extensions};
use crate::message::StatusCode;
use crate::time::Duration;
use crate::user_agent::{Body, CallId, Outgoing};

const TIMER: &str = "Supported: timer, 100rel\r\nSession-Expires: 1200;refresher=uas\r\n";

fn bob() -> Lone {
    Lone::with(|_, profile| {
        profile.extensions = Extensions::of(&[Extension::Reliable, Extension::Timer]);
        profile.session_timer = OFF;
    })
}

fn text(version: u32) -> String {
    format!("v=0\r\no=- 1 {version} IN IP4 192.0.2.4\r\n")
}

fn sdp(version: u32) -> Body {
    Body::sdp(text(version))
}

/// That message with a session description.
fn with(message: &str, version: u32) -> String {
    let body = text(version);
    let length = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    message.replace("Content-Length: 0\r\n\r\n", &length)
}

/// Carol calls Bob, whose 183 has the answer.
fn progressed() -> (Lone, CallId, Text) {
    let mut bob = bob();
    bob.receive(&with(&request("INVITE", "i", 10, "", &format!("{CONTACT}{TIMER}")), 91));
    let call = bob.incoming();
    bob.take();
    bob.command(|agent, now| agent.progress_reliably(now, call, StatusCode::SESSION_PROGRESS, sdp(1))).unwrap();
    let progress = bob.take().remove(0);
    (bob, call, progress)
}

fn prack(progress: &Text) -> String {
    request("PRACK", "p", 11, "bob-tag", &format!("RAck: {} 10 INVITE\r\n", progress.header("rseq")))
}

/// Bob answers without a description, and refreshes: what he offers.
#[track_caller]
fn refreshed_by_callee(bob: &mut Lone, call: CallId) -> String {
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    refreshed(bob)
}

#[track_caller]
fn refreshed(bob: &mut Lone) -> String {
    bob.take();
    bob.run(Duration::from_secs(600));
    let refresh = bob.take().remove(0);
    assert_eq!(refresh.label(), "INVITE");
    refresh.body
}

/// Bob calls Carol, whose 183 has a description: the answer, or the offer. The INVITE and the PRACK, if it has gone out.
fn calling(offer: Option<Body>) -> (Lone, CallId, Text, Option<Text>) {
    let mut bob = bob();
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let call = bob.command(|agent, now| agent.call(now, Outgoing::to(&carol).body(offer))).unwrap();
    let invite = bob.take().remove(0);
    let reliable = format!("{CONTACT}Require: 100rel\r\nRSeq: 7\r\n");
    let prack = bob.exchange(&with(&invite.respond("183 Session Progress", "c", &reliable), 81)).pop();
    (bob, call, invite, prack)
}

/// Carol's 200 to the INVITE, without a description; what Bob offers in his refresh.
#[track_caller]
fn refreshed_by_caller(bob: &mut Lone, invite: &Text) -> String {
    let timer = format!("{CONTACT}Require: timer\r\nSession-Expires: 1200;refresher=uac\r\n");
    bob.receive(&invite.respond("200 OK", "c", &timer));
    refreshed(bob)
}

/// RFC 3262 §5: the answer went in a reliable provisional response.
#[test]
fn a_callee_offers_the_answer_of_its_provisional_response() {
    let (mut bob, call, progress) = progressed();
    bob.receive(&prack(&progress));
    assert_eq!(refreshed_by_callee(&mut bob, call), text(1));
}

#[test]
fn a_callee_offers_its_answer_to_the_offer_of_a_prack() {
    let (mut bob, call, progress) = progressed();
    bob.receive(&with(&prack(&progress), 92));
    bob.command(|agent, now| agent.accept_offer(now, call, sdp(2))).unwrap();
    assert_eq!(refreshed_by_callee(&mut bob, call), text(2));
    // A refused one leaves it at the exchange before.
    let (mut bob, call, progress) = progressed();
    bob.receive(&with(&prack(&progress), 92));
    bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
    assert_eq!(refreshed_by_callee(&mut bob, call), text(1));
}

/// RFC 3311 §5.1, §5.2: before the answer to the INVITE.
#[test]
fn a_callee_offers_what_an_update_has_brought() {
    let (mut bob, call, progress) = progressed();
    bob.receive(&prack(&progress));
    bob.receive(&with(&request("UPDATE", "u", 12, "bob-tag", CONTACT), 93));
    bob.command(|agent, now| agent.accept_offer(now, call, sdp(3))).unwrap();
    assert_eq!(refreshed_by_callee(&mut bob, call), text(3));
    let (mut bob, call, progress) = progressed();
    bob.receive(&prack(&progress));
    bob.take();
    bob.command(|agent, now| agent.update(now, call, sdp(4))).unwrap();
    let update = bob.take().remove(0);
    bob.receive(&with(&update.respond("200 OK", "", CONTACT), 94));
    assert_eq!(refreshed_by_callee(&mut bob, call), text(4));
}

#[test]
fn a_caller_offers_what_it_has_sent_last() {
    let (mut bob, _, invite, prack) = calling(Some(sdp(1)));
    bob.receive(&prack.unwrap().respond("200 OK", "", ""));
    assert_eq!(refreshed_by_caller(&mut bob, &invite), text(1));
    // By an UPDATE.
    let (mut bob, call, invite, prack) = calling(Some(sdp(1)));
    bob.receive(&prack.unwrap().respond("200 OK", "", ""));
    bob.command(|agent, now| agent.update(now, call, sdp(2))).unwrap();
    let update = bob.take().pop().unwrap();
    bob.receive(&with(&update.respond("200 OK", "", CONTACT), 82));
    assert_eq!(refreshed_by_caller(&mut bob, &invite), text(2));
    // By a PRACK that answers.
    let (mut bob, call, invite, prack) = calling(None);
    assert!(prack.is_none());
    bob.command(|agent, now| agent.answer_offer(now, call, sdp(3))).unwrap();
    let prack = bob.take().remove(0);
    bob.receive(&prack.respond("200 OK", "", ""));
    assert_eq!(refreshed_by_caller(&mut bob, &invite), text(3));
}

/// RFC 6141 §3.4: an exchange within a re-INVITE stays in force, though the re-INVITE is refused.
#[test]
fn an_exchange_within_a_refused_change_counts() {
    let (mut bob, call, invite, prack) = calling(Some(sdp(1)));
    bob.receive(&prack.unwrap().respond("200 OK", "", ""));
    let timer = format!("{CONTACT}Require: timer\r\nSession-Expires: 1200;refresher=uac\r\n");
    bob.receive(&invite.respond("200 OK", "c", &timer));
    bob.take();
    bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
    let change = bob.take().remove(0);
    let reliable = format!("{CONTACT}Require: 100rel\r\nRSeq: 9\r\n");
    let prack = bob.ask(&with(&change.respond("183 Session Progress", "c", &reliable), 82));
    bob.receive(&prack.respond("200 OK", "", ""));
    bob.receive(&change.respond("488 Not Acceptable Here", "", ""));
    assert_eq!(bob.told().last().unwrap(), "modify failed 488 (synchronize)");
    assert_eq!(refreshed(&mut bob), text(2));
}

/// Where neither end wants a timer, nothing is kept.
#[test]
fn without_a_timer_no_description_is_kept() {
    let (mut bob, _, invite, prack) = calling(Some(sdp(1)));
    bob.receive(&prack.unwrap().respond("200 OK", "", ""));
    let kept = |bob: &Lone| format!("{:?}", bob.agent.user()).contains("exchange: Some");
    assert!(kept(&bob));
    bob.receive(&invite.respond("200 OK", "c", CONTACT));
    assert!(!kept(&bob));
}

/// RFC 3261 §13.2.1: the first description in a response is the answer, whatever the 2xx says. So a refresh brings news where its answer differs from
/// the first one, and not where the answer differs from that of the 2xx.
#[test]
fn the_first_description_of_the_called_end_counts() {
    for (answer, is_news) in [(81, false), (82, true)] {
        let mut bob = bob();
        let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
        bob.command(|agent, now| agent.call(now, Outgoing::to(&carol).body(sdp(1)))).unwrap();
        let invite = bob.take().remove(0);
        let timer = format!("{CONTACT}Require: timer\r\nSession-Expires: 1200;refresher=uac\r\n");
        bob.receive(&with(&invite.respond("183 Session Progress", "c", CONTACT), 81));
        bob.receive(&with(&invite.respond("200 OK", "c", &timer), 82));
        bob.take();
        bob.run(Duration::from_secs(600));
        let refresh = bob.take().remove(0);
        assert_eq!((refresh.label().as_str(), refresh.body.clone()), ("INVITE", text(1)));
        bob.told();
        bob.receive(&with(&refresh.respond("200 OK", "", &timer), answer));
        assert_eq!(bob.told().iter().any(|told| told.starts_with("modified")), is_news, "{answer}");
    }
}
