//! A 2xx that waits for PRACKs and for the answers to their offers (RFC 3262 §3, §5), and UPDATEs around a 2xx.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, invite, request};
use super::session_timers::{OFF, with_timers};
use super::text::Text;
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::StatusCode;
use crate::time::Duration;
use crate::user_agent::{Body, CallDialog, CallId, Event, Outgoing};

const PROGRESS: StatusCode = StatusCode::SESSION_PROGRESS;

fn labels(sent: &[Text]) -> Vec<String> {
    sent.iter().map(Text::label).collect()
}

fn sdp(version: u32) -> Body {
    Body::sdp(format!("v=0\r\no=- 1 {version} IN IP4 192.0.2.4\r\n"))
}

/// Carol has called Bob with these lines, and Bob's 183 has the answer.
fn progressed(extra: &str) -> (Lone, CallId, Text) {
    let mut bob = Lone::with(|_, profile| profile.extensions = Extensions::of(&[Extension::Reliable]));
    bob.receive(&described(&request("INVITE", "i", 10, "", &format!("{CONTACT}Supported: 100rel\r\n{extra}"))));
    let call = bob.incoming();
    bob.take();
    bob.events.clear();
    bob.command(|agent, now| agent.progress_reliably(now, call, PROGRESS, sdp(1))).unwrap();
    let progress = bob.take().remove(0);
    (bob, call, progress)
}

fn prack(response: &Text, number: u32) -> String {
    let rack = format!("RAck: {} 10 INVITE\r\n", response.header("rseq"));
    request("PRACK", &format!("p{number}"), number, "bob-tag", &rack)
}

/// RFC 3261 §13.3.1: the user has answered before the invitation has expired.
#[test]
fn an_invitation_that_is_answered_expires_no_more_while_its_2xx_waits() {
    let (mut bob, call, progress) = progressed("Expires: 5\r\n");
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.run(Duration::from_secs(20));
    let repeated = labels(&bob.take());
    assert!(!repeated.is_empty() && repeated.iter().all(|label| label == "183 INVITE"), "{repeated:?}");
    assert_eq!(labels(&bob.exchange(&prack(&progress, 11))), ["200 PRACK", "200 INVITE"]);
    assert_eq!(bob.told(), ["acknowledged"]);
    // One that is not answered expires.
    let (mut bob, _, _) = progressed("Expires: 5\r\n");
    bob.run(Duration::from_secs(5));
    assert_eq!(labels(&bob.take()).last().unwrap(), "487 INVITE");
}

/// RFC 3262 §5: the 200 to the PRACK has the answer to its offer, and the 2xx to the INVITE comes after.
#[test]
fn a_2xx_waits_for_the_answer_to_the_offer_of_a_prack() {
    for answers_first in [true, false] {
        for accepts in [Some(true), Some(false), None] {
            let (mut bob, call, progress) = progressed("");
            let answer = |bob: &mut Lone| bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
            if answers_first {
                answer(&mut bob);
            }
            assert!(bob.exchange(&described(&prack(&progress, 11))).is_empty());
            if !answers_first {
                answer(&mut bob);
            }
            assert_eq!(bob.told(), ["offered"]);
            assert!(bob.take().is_empty(), "the PRACK's offer is not answered");
            let twice = bob.command(|agent, now| agent.answer(now, call, None));
            assert_eq!(twice, Err(CommandError::WrongState));
            let expected = match accepts {
                Some(true) => {
                    bob.command(|agent, now| agent.accept_offer(now, call, sdp(2))).unwrap();
                    ["200 PRACK", "200 INVITE"]
                }
                Some(false) => {
                    bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
                    ["488 PRACK", "200 INVITE"]
                }
                None => {
                    bob.run(Duration::from_secs(10));
                    ["504 PRACK", "200 INVITE"]
                }
            };
            let mut sent = labels(&bob.take());
            sent.retain(|label| label != "100 PRACK");
            assert_eq!(sent, expected, "{answers_first} {accepts:?}");
            bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
            assert_eq!(bob.told().last().unwrap(), "confirmed");
        }
    }
}

/// RFC 6337 §2.3: after the refusal the PRACK may come again, without an offer.
#[test]
fn a_prack_whose_offer_was_refused_may_come_again_without_one() {
    let (mut bob, call, progress) = progressed("");
    bob.receive(&described(&prack(&progress, 11)));
    bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
    bob.take();
    assert_eq!(labels(&bob.exchange(&prack(&progress, 12))), ["200 PRACK"]);
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    assert_eq!(labels(&bob.take()), ["200 INVITE"]);
}

/// Bob calls Carol, whose two phones ring; his UPDATE to the second has met one of hers.
fn collided() -> (Lone, CallId, Text) {
    let mut bob = Lone::new();
    let (call, invite) = bob.call();
    for tag in ["a", "b"] {
        bob.receive(&invite.respond("180 Ringing", tag, CONTACT));
    }
    let Some(Event::Progress { dialog, .. }) = bob.events.last().cloned() else { panic!("{:?}", bob.told()) };
    bob.events.clear();
    bob.command(|agent, now| agent.update(now, CallDialog { call, dialog }, None)).unwrap();
    let update = bob.take().remove(0);
    bob.receive(&update.respond("491 Request Pending", "", ""));
    (bob, call, invite)
}

/// RFC 3311 §5.1: an UPDATE is for a dialog that somebody wants.
#[test]
fn an_update_that_waits_is_not_sent_to_a_branch_that_has_lost() {
    for is_cancelled in [false, true] {
        let (mut bob, call, invite) = collided();
        if is_cancelled {
            bob.command(|agent, now| agent.cancel(now, call)).unwrap();
        } else {
            bob.receive(&invite.respond("200 OK", "a", CONTACT));
        }
        bob.take();
        bob.events.clear();
        bob.run(Duration::from_secs(5));
        assert!(!labels(&bob.take()).contains(&"UPDATE".to_string()), "{is_cancelled}");
        assert_eq!(bob.told(), ["modify failed 487"], "{is_cancelled}");
    }
    let (mut bob, _, _) = collided();
    bob.run(Duration::from_secs(5));
    assert!(labels(&bob.take()).contains(&"UPDATE".to_string()), "without an answer it is sent again");
}

/// Until the ACK comes the peer may not know of the dialog.
#[test]
fn an_update_that_waits_does_not_overtake_our_2xx() {
    let mut bob = Lone::new();
    bob.receive(&described(&invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    bob.command(|agent, now| agent.update(now, call, None)).unwrap();
    let update = bob.take().pop().unwrap();
    bob.receive(&update.respond("491 Request Pending", "", ""));
    bob.command(|agent, now| agent.answer(now, call, sdp(1))).unwrap();
    bob.run(Duration::from_secs(10));
    assert!(labels(&bob.take()).iter().all(|label| label == "200 INVITE"));
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.run(Duration::from_secs(3));
    assert_eq!(labels(&bob.take()[..1]), ["UPDATE"]);
}

/// RFC 4028 §7.2: the 2xx to the INVITE says the interval; an UPDATE that went out before asked for none.
#[test]
fn an_early_update_that_is_answered_after_the_2xx_leaves_the_session_timer() {
    let mut bob = Lone::with(|_, profile| with_timers(profile, OFF));
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let call = bob.command(|agent, now| agent.call(now, Outgoing::to(&carol).body(sdp(1)))).unwrap();
    let invite = bob.take().remove(0);
    bob.receive(&invite.respond("180 Ringing", "c", CONTACT));
    bob.command(|agent, now| agent.update(now, call, None)).unwrap();
    let update = bob.take().remove(0);
    assert!(update.find("session-expires").is_none());
    let timer = format!("{CONTACT}Require: timer\r\nSession-Expires: 1200;refresher=uac\r\n");
    bob.receive(&described(&invite.respond("200 OK", "c", &timer)));
    bob.receive(&update.respond("200 OK", "", CONTACT));
    assert_eq!(bob.told(), ["progress 180", "answered 200", "modified 200"]);
    bob.take();
    bob.run(Duration::from_secs(599));
    assert!(bob.take().is_empty());
    bob.run(Duration::from_secs(1));
    assert_eq!(labels(&bob.take()), ["INVITE"], "the session is refreshed");
}
