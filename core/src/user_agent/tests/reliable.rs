//! Reliable provisional responses of either end, and their PRACKs (RFC 3262).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, request};
use super::pair::Pair;
use super::pair::Who::{Alice, Bob};
use super::text::Text;
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::{Method, StatusCode};
use crate::time::Duration;
use crate::user_agent::{Body, CallId, Event, Extra, Outgoing, Profile};

const OK: Result<(), CommandError> = Ok(());
const WRONG: Result<(), CommandError> = Err(CommandError::WrongState);
const PROGRESS: StatusCode = StatusCode::SESSION_PROGRESS;
const SUPPORTED: &str = "Contact: <sip:carol@192.0.2.9>\r\nSupported: 100rel\r\n";
const REQUIRED: &str = "Contact: <sip:carol@192.0.2.9>\r\nRequire: 100rel\r\n";

fn labels(sent: &[Text]) -> Vec<String> {
    sent.iter().map(Text::label).collect()
}

fn sdp(version: u32) -> Body {
    Body::sdp(format!("v=0\r\no=- 1 {version} IN IP4 192.0.2.4\r\n"))
}

fn use_100rel(profile: &mut Profile) {
    profile.extensions = Extensions::of(&[Extension::Reliable]);
}

/// Carol calls Bob; her INVITE has an offer, or none.
fn incoming(extra: &str, offers: bool) -> (Lone, CallId) {
    let mut bob = Lone::with(|_, profile| use_100rel(profile));
    let invite = request("INVITE", "i", 10, "", extra);
    bob.receive(&if offers { described(&invite) } else { invite });
    let call = bob.incoming();
    bob.take();
    bob.events.clear();
    (bob, call)
}

/// Bob says 183 with that description; the response.
fn progress(bob: &mut Lone, call: CallId, body: impl Into<Extra>) -> Text {
    bob.command(|agent, now| agent.progress_reliably(now, call, PROGRESS, body)).unwrap();
    bob.take().remove(0)
}

/// Carol's PRACK for a response.
fn prack(response: &Text, number: u32) -> String {
    let rack = format!("RAck: {} 10 INVITE\r\n", response.header("rseq"));
    request("PRACK", &format!("p{number}"), number, "bob-tag", &rack)
}

/// Bob calls Carol; his INVITE.
fn calling(outgoing: impl FnOnce(Outgoing) -> Outgoing) -> (Lone, CallId, Text) {
    let mut bob = Lone::with(|_, profile| use_100rel(profile));
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let call = bob.command(|agent, now| agent.call(now, outgoing(Outgoing::to(&carol)))).unwrap();
    let invite = bob.take().remove(0);
    (bob, call, invite)
}

fn reliable(invite: &Text, status: &str, tag: &str, rseq: u32) -> String {
    invite.respond(status, tag, &format!("{CONTACT}Require: 100rel\r\nRSeq: {rseq}\r\n"))
}

/// §3.
#[test]
fn a_reliable_response_is_repeated_with_growing_intervals_until_its_prack_comes() {
    let (mut bob, call) = incoming(SUPPORTED, true);
    let first = progress(&mut bob, call, sdp(1));
    assert_eq!((first.start.as_str(), first.header("require")), ("SIP/2.0 183 Session Progress", "100rel"));
    assert!((1..=0x7FFF_FFFF).contains(&first.header("rseq").parse::<u32>().unwrap()));
    // RFC 3311 §4.
    assert_eq!(first.header("allow"), "INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, PRACK");
    let mut sent = Vec::new();
    for tenth in 1..=160 {
        bob.run(Duration::from_millis(100));
        for again in bob.take() {
            assert_eq!(again, first);
            sent.push(tenth * 100);
        }
    }
    assert_eq!(sent, [500, 1_500, 3_500, 7_500, 15_500]);
    let wrong = [
        "RAck: 1 10 INVITE\r\n".to_string(),
        format!("RAck: {} 11 INVITE\r\n", first.header("rseq")),
        format!("RAck: {} 10 UPDATE\r\n", first.header("rseq")),
    ];
    for (place, rack) in wrong.iter().enumerate() {
        let prack = request("PRACK", &format!("w{place}"), 11 + place as u32, "bob-tag", rack);
        assert_eq!(bob.ask(&prack).start, "SIP/2.0 481 Call/Transaction Does Not Exist");
    }
    assert_eq!(bob.ask(&request("PRACK", "none", 14, "bob-tag", "")).label(), "400 PRACK");
    let done = bob.ask(&prack(&first, 15));
    assert_eq!((done.start.as_str(), done.find("contact")), ("SIP/2.0 200 OK", None));
    assert_eq!(bob.ask(&prack(&first, 16)).label(), "481 PRACK", "it is acknowledged");
    assert_eq!(bob.told(), ["acknowledged"]);
    bob.run(Duration::from_secs(40));
    assert!(bob.take().is_empty());
    // The next number is one more.
    let next = progress(&mut bob, call, Extra::new());
    let number = |text: &Text| text.header("rseq").parse::<u32>().unwrap();
    assert_eq!(number(&next), number(&first) + 1);
}

/// §3, §5: "it MUST NOT send a final response until those provisional responses are acknowledged".
#[test]
fn a_2xx_waits_for_the_prack_of_a_description_and_another_final_response_does_not() {
    let (mut bob, call) = incoming(SUPPORTED, true);
    let first = progress(&mut bob, call, sdp(1));
    assert_eq!(bob.command(|agent, now| agent.answer(now, call, None)), OK);
    assert!(bob.take().is_empty());
    assert_eq!(bob.command(|agent, now| agent.answer(now, call, None)), WRONG);
    assert_eq!(bob.command(|agent, now| agent.progress_reliably(now, call, PROGRESS, None)), WRONG);
    let sent = bob.exchange(&prack(&first, 11));
    assert_eq!(labels(&sent), ["200 PRACK", "200 INVITE"]);
    assert_eq!(sent[1].body, "", "the answer was given before");
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    assert_eq!(bob.told(), ["acknowledged", "confirmed"]);
    assert_eq!(bob.command(|agent, now| agent.modify(now, call, sdp(2))), OK);

    let (mut bob, call) = incoming(SUPPORTED, true);
    let first = progress(&mut bob, call, sdp(1));
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.command(|agent, now| agent.reject(now, call, StatusCode::BUSY_HERE)).unwrap();
    assert_eq!(labels(&bob.take()), ["486 INVITE"]);
    bob.receive(&request("ACK", "i", 10, "bob-tag", ""));
    bob.run(Duration::from_secs(2));
    assert!(bob.take().is_empty(), "it is not sent again");
    // A PRACK that was on its way is taken (§3); nothing else finds the dialog.
    assert_eq!(bob.command(|agent, now| agent.ring(now, call)), Err(CommandError::Gone));
    assert_eq!(bob.ask(&request("UPDATE", "u", 11, "bob-tag", CONTACT)).label(), "481 UPDATE");
    assert_eq!(bob.ask(&request("PRACK", "x", 12, "bob-tag", "RAck: 1 10 INVITE\r\n")).label(), "481 PRACK");
    assert_eq!(bob.ask(&prack(&first, 13)).label(), "200 PRACK");
    assert_eq!(bob.ask(&prack(&first, 14)).label(), "481 PRACK");
    bob.finish();

    // Without a description nothing waits, and the PRACK is taken after the 2xx too.
    let (mut bob, call) = incoming(SUPPORTED, true);
    let ringing = progress(&mut bob, call, Extra::new());
    bob.command(|agent, now| agent.answer(now, call, sdp(1))).unwrap();
    assert_eq!(labels(&bob.take()), ["200 INVITE"]);
    assert_eq!(bob.ask(&prack(&ringing, 11)).label(), "200 PRACK");
}

/// §3: "the UAS SHOULD reject the original request with a 5xx response".
#[test]
fn a_response_whose_prack_never_comes_ends_the_call() {
    for answers in [false, true] {
        let (mut bob, call) = incoming(SUPPORTED, true);
        progress(&mut bob, call, sdp(1));
        if answers {
            bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
        }
        bob.run(Duration::from_millis(31_999));
        assert!(bob.told().is_empty());
        bob.take();
        bob.run(Duration::from_millis(1));
        assert_eq!(labels(&bob.take()), ["504 INVITE"]);
        assert_eq!(bob.told(), ["failed 504 (none)"]);
        bob.receive(&request("ACK", "i", 10, "bob-tag", ""));
        bob.finish();
    }
    let (mut bob, call) = incoming(SUPPORTED, true);
    progress(&mut bob, call, sdp(1));
    assert_eq!(labels(&bob.exchange(&request("CANCEL", "i", 10, "", ""))), ["200 CANCEL", "487 INVITE"]);
    bob.receive(&request("ACK", "i", 10, "bob-tag", ""));
    bob.finish();
}

/// §3: one at a time.
#[test]
fn further_responses_wait_for_their_turn_and_there_is_a_limit() {
    let (mut bob, call) = incoming(SUPPORTED, true);
    let mut last = progress(&mut bob, call, Extra::new());
    let ring = |bob: &mut Lone| bob.command(|agent, now| agent.progress_reliably(now, call, StatusCode::RINGING, None));
    for _ in 1..8 {
        assert_eq!(ring(&mut bob), OK);
    }
    assert_eq!(ring(&mut bob), Err(CommandError::Limit("reliable_responses")));
    assert!(bob.take().is_empty());
    for number in 11..18 {
        let sent = bob.exchange(&prack(&last, number));
        assert_eq!(labels(&sent), ["200 PRACK", "180 INVITE"]);
        last = sent[1].clone();
    }
    assert_eq!(labels(&bob.exchange(&prack(&last, 18))), ["200 PRACK"]);
}

/// §3: where the INVITE requires it; not where nobody supports it.
#[test]
fn the_peer_says_whether_responses_are_reliable() {
    let (mut bob, call) = incoming(REQUIRED, true);
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    assert!(bob.take()[0].find("rseq").is_some());
    let (mut bob, call) = incoming(CONTACT, true);
    let refused = bob.command(|agent, now| agent.progress_reliably(now, call, PROGRESS, sdp(1)));
    assert_eq!(refused, Err(CommandError::Invalid("100rel")));
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    assert_eq!(bob.take()[0].find("rseq"), None);
    for status in [100, 200] {
        let (mut bob, call) = incoming(SUPPORTED, true);
        let status = StatusCode::new(status).unwrap();
        let refused = bob.command(|agent, now| agent.progress_reliably(now, call, status, None));
        assert_eq!(refused, Err(CommandError::Invalid("status")), "§3: a 100 is never reliable");
    }

    let mut bob = Lone::new();
    assert_eq!(bob.ask(&request("INVITE", "r", 10, "", REQUIRED)).header("unsupported"), "100rel");
    bob.receive(&described(&request("INVITE", "s", 11, "", SUPPORTED)));
    let call = bob.incoming();
    let refused = bob.command(|agent, now| agent.progress_reliably(now, call, PROGRESS, sdp(1)));
    assert_eq!(refused, Err(CommandError::Invalid("100rel")));
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    bob.take();
    let prack = request("PRACK", "p", 12, "bob-tag", "RAck: 1 11 INVITE\r\n");
    assert_eq!(bob.ask(&prack).start, "SIP/2.0 405 Method Not Allowed");
}

/// §5.
#[test]
fn an_invite_without_an_offer_gets_one_in_the_first_response_and_its_answer_in_the_prack() {
    let (mut bob, call) = incoming(SUPPORTED, false);
    let none = bob.command(|agent, now| agent.progress_reliably(now, call, PROGRESS, None));
    assert_eq!(none, Err(CommandError::Invalid("body")));
    let first = progress(&mut bob, call, sdp(1));
    assert_eq!(bob.ask(&prack(&first, 11)).label(), "400 PRACK", "the answer is missing");
    assert_eq!(bob.ask(&described(&prack(&first, 12))).label(), "200 PRACK");
    let answer = bob.events.iter().find_map(|event| match event {
        Event::Acknowledged { prack, .. } => Body::of_request(prack),
        _ => None,
    });
    assert_eq!(answer, Some(Body::sdp("v=0\r\n")));
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    assert_eq!(bob.take()[0].start, "SIP/2.0 200 OK");
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    assert_eq!(bob.told(), ["acknowledged", "confirmed"]);
}

/// §5: "the UAS MUST place the answer in the 2xx to the PRACK".
#[test]
fn an_offer_in_a_prack_is_decided_by_the_application() {
    for accepts in [Some(true), Some(false), None] {
        let (mut bob, call) = incoming(SUPPORTED, true);
        let first = progress(&mut bob, call, sdp(1));
        assert!(bob.exchange(&described(&prack(&first, 11))).is_empty());
        assert_eq!(bob.told(), ["offered"]);
        let update = described(&request("UPDATE", "u", 12, "bob-tag", CONTACT));
        assert_eq!(bob.ask(&update).label(), "500 UPDATE");
        match accepts {
            Some(true) => {
                let none = bob.command(|agent, now| agent.accept_offer(now, call, None));
                assert_eq!(none, Err(CommandError::Invalid("answer")));
                bob.command(|agent, now| agent.accept_offer(now, call, sdp(2))).unwrap();
                let sent = bob.take().remove(0);
                assert_eq!(
                    (sent.label(), sent.body),
                    ("200 PRACK".into(), "v=0\r\no=- 1 2 IN IP4 192.0.2.4\r\n".into())
                );
            }
            Some(false) => {
                bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
                assert_eq!(labels(&bob.take()), ["488 PRACK"]);
            }
            None => {
                bob.run(Duration::from_secs(10));
                assert_eq!(labels(&bob.take()).last().unwrap(), "504 PRACK");
            }
        }
        bob.run(Duration::from_secs(1));
        assert!(bob.take().is_empty(), "it is acknowledged all the same");
    }
}

/// §3: "once every two and a half minutes".
#[test]
fn a_call_that_rings_for_long_is_kept_alive_by_further_responses() {
    let (mut bob, call) = incoming(REQUIRED, true);
    bob.command(|agent, now| agent.ring(now, call)).unwrap();
    let first = bob.take().remove(0);
    bob.receive(&prack(&first, 11));
    bob.take();
    bob.run(Duration::from_millis(149_999));
    assert!(bob.take().is_empty());
    bob.run(Duration::from_millis(1));
    let second = bob.take().remove(0);
    assert_eq!(second.label(), "180 INVITE");
    bob.receive(&prack(&second, 12));
    bob.take();
    bob.run(Duration::from_secs(150));
    assert_eq!(bob.take()[0].label(), "180 INVITE");
}

/// §4.
#[test]
fn each_response_in_order_gets_a_prack_and_others_mean_nothing() {
    let (mut bob, _, invite) = calling(|outgoing| outgoing.prack(Extra::new().header("Subject", "Lunch")));
    assert_eq!((invite.header("supported"), invite.find("require")), ("100rel", None));
    assert!(invite.header("allow").ends_with(", PRACK"));
    assert!(bob.exchange(&reliable(&invite, "100 Trying", "", 5)).is_empty());
    assert!(bob.told().is_empty());
    let sent = bob.exchange(&reliable(&invite, "180 Ringing", "a", 776_656)).remove(0);
    let number: u32 = invite.header("cseq").split(' ').next().unwrap().parse().unwrap();
    assert_eq!(sent.header("rack"), format!("776656 {number} INVITE"));
    assert_eq!(sent.header("cseq"), format!("{} PRACK", number + 1));
    assert_eq!((sent.start.as_str(), sent.tag_of("to")), ("PRACK sip:carol@192.0.2.9 SIP/2.0", "a"));
    assert_eq!((sent.header("subject"), sent.find("contact"), sent.find("require")), ("Lunch", None, None));
    bob.receive(&sent.respond("200 OK", "", ""));
    for (rseq, expected) in [(776_656, 0), (776_658, 0), (776_655, 0), (0, 0), (776_657, 1)] {
        let sent = bob.exchange(&reliable(&invite, "183 Session Progress", "a", rseq));
        assert_eq!(sent.len(), expected, "{rseq}");
    }
    // Each early dialog has its own order (errata 4600, 4603).
    assert_eq!(bob.ask(&reliable(&invite, "180 Ringing", "b", 1)).tag_of("to"), "b");
    assert_eq!(bob.told(), ["progress 180", "progress 183", "progress 180"]);
    // One that is not reliable means what it says.
    assert!(bob.exchange(&invite.respond("181 Forwarded", "a", CONTACT)).is_empty());
    assert_eq!(bob.told().last().unwrap(), "progress 181");

    // Without the extension there is no PRACK.
    let mut bob = Lone::new();
    let (_, invite) = bob.call();
    assert!(bob.exchange(&reliable(&invite, "180 Ringing", "a", 1)).is_empty());
    assert_eq!(bob.told(), ["progress 180"]);
}

#[test]
fn pracks_that_nobody_answers_have_a_limit() {
    let (mut bob, _, invite) = calling(|outgoing| outgoing);
    for rseq in 1..=8 {
        assert_eq!(bob.ask(&reliable(&invite, "180 Ringing", "a", rseq)).label(), "PRACK");
    }
    assert!(bob.exchange(&reliable(&invite, "180 Ringing", "a", 9)).is_empty());
    assert_eq!(bob.told().len(), 8);
}

/// §5: "it MUST generate an answer in the PRACK".
#[test]
fn the_offer_of_a_reliable_response_waits_for_the_application() {
    let (mut bob, call, invite) = calling(|outgoing| outgoing);
    assert_eq!(bob.command(|agent, now| agent.answer_offer(now, call, sdp(1))), WRONG);
    assert!(bob.exchange(&described(&reliable(&invite, "183 Session Progress", "a", 1))).is_empty());
    assert!(bob.exchange(&described(&reliable(&invite, "183 Session Progress", "a", 1))).is_empty());
    assert_eq!(bob.told(), ["progress 183"]);
    assert_eq!(bob.command(|agent, now| agent.answer_offer(now, call, None)), Err(CommandError::Invalid("answer")));
    assert_eq!(bob.command(|agent, now| agent.update(now, call, sdp(2))), WRONG);
    bob.command(|agent, now| agent.answer_offer(now, call, sdp(1))).unwrap();
    let sent = bob.take().remove(0);
    assert_eq!((sent.label().as_str(), sent.body.as_str()), ("PRACK", "v=0\r\no=- 1 1 IN IP4 192.0.2.4\r\n"));
    bob.receive(&sent.respond("200 OK", "", ""));
    assert_eq!(bob.command(|agent, now| agent.update(now, call, sdp(2))), OK, "RFC 3311 §5.1");
    bob.take();
    let ack = bob.exchange(&invite.respond("200 OK", "a", CONTACT)).remove(0);
    assert_eq!((ack.label().as_str(), ack.body.as_str()), ("ACK", ""));
    assert_eq!(bob.told(), ["progress 183", "answered 200"]);

    let (mut bob, _, invite) = calling(|outgoing| outgoing.refusal(sdp(0)));
    bob.receive(&described(&reliable(&invite, "183 Session Progress", "a", 1)));
    bob.run(Duration::from_millis(9_999));
    assert!(bob.take().is_empty());
    bob.run(Duration::from_millis(1));
    let sent = bob.take();
    assert_eq!(labels(&sent), ["PRACK", "CANCEL"]);
    assert_eq!(sent[0].body, "v=0\r\no=- 1 0 IN IP4 192.0.2.4\r\n");
    assert_eq!(bob.told(), ["progress 183", "failed 487 (none)"]);
    bob.receive(&sent[0].respond("200 OK", "", ""));
    bob.receive(&sent[1].respond("200 OK", "", ""));
    bob.receive(&invite.respond("487 Request Terminated", "a", ""));
    bob.finish();
}

#[test]
fn a_caller_may_insist() {
    let (_, _, invite) = calling(|outgoing| outgoing.require(Extension::Reliable));
    assert_eq!(invite.header("require"), "100rel");
    let mut bob = Lone::with(|_, profile| use_100rel(profile));
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let refused = Err(CommandError::Invalid("require"));
    let replaces = Outgoing::to(&carol).require(Extension::Path);
    assert_eq!(bob.command(|agent, now| agent.call(now, replaces)).map(drop), refused, "not in the profile");
    let options = Outgoing::to(&carol).require(Extension::Reliable);
    assert_eq!(bob.command(|agent, now| agent.ask(now, Method::Options, options)).map(drop), refused, "§4");
    let offer = Outgoing::to(&carol).prack(sdp(1));
    assert_eq!(bob.command(|agent, now| agent.call(now, offer)).map(drop), Err(CommandError::Invalid("body")));
}

#[test]
fn a_prack_that_finds_no_dialog_ends_the_call() {
    // RFC 5057 §5.2: nor does one that nobody answers.
    for status in [Some("481 Call/Transaction Does Not Exist"), Some("408 Request Timeout"), None] {
        let (mut bob, _, invite) = calling(|outgoing| outgoing);
        let prack = bob.exchange(&reliable(&invite, "180 Ringing", "a", 1)).remove(0);
        match status {
            Some(status) => bob.receive(&prack.respond(status, "", "")),
            None => {
                bob.run(Duration::from_millis(31_999));
                assert!(bob.take().iter().all(|sent| *sent == prack));
                bob.run(Duration::from_millis(1));
            }
        }
        assert_eq!(labels(&bob.take()), ["CANCEL"], "{status:?}");
        assert_eq!(bob.told(), ["progress 180", "failed 481 (none)"], "{status:?}");
    }
}

/// RFC 6141 §3.4: a re-INVITE whose offer was answered reliably, and that is refused all the same.
#[test]
fn a_change_that_was_made_and_then_refused_asks_for_a_new_offer() {
    for (description, told) in [(true, "modify failed 488 (synchronize)"), (false, "modify failed 488")] {
        let (mut bob, call, invite) = calling(|outgoing| outgoing.body(sdp(1)));
        bob.receive(&described(&invite.respond("200 OK", "a", CONTACT)));
        bob.take();
        bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
        let again = bob.take().remove(0);
        let progress = reliable(&again, "183 Session Progress", "", 7);
        let prack = bob.ask(&if description { described(&progress) } else { progress });
        assert_eq!(prack.label(), "PRACK");
        bob.receive(&prack.respond("200 OK", "", ""));
        bob.receive(&again.respond("488 Not Acceptable Here", "", ""));
        assert_eq!(bob.told(), ["answered 200", "modify progress 183", told]);
        assert_eq!(bob.command(|agent, now| agent.modify(now, call, sdp(1))), OK);
    }
}

/// RFC 3261 §9.1, RFC 6141 §3.8.
#[test]
fn a_change_can_be_taken_back() {
    let (mut bob, call, invite) = calling(|outgoing| outgoing.body(sdp(1)));
    bob.receive(&described(&invite.respond("200 OK", "a", CONTACT)));
    assert_eq!(bob.command(|agent, now| agent.cancel_change(now, call)), WRONG);
    for (answer, told) in [("487 Request Terminated", "modify failed 487"), ("200 OK", "modified 200")] {
        bob.events.clear();
        bob.take();
        bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
        let again = bob.take().remove(0);
        bob.receive(&again.respond("180 Ringing", "", ""));
        assert_eq!(bob.command(|agent, now| agent.cancel_change(now, call)), OK);
        let cancel = bob.take().remove(0);
        assert_eq!(cancel.label(), "CANCEL");
        bob.receive(&cancel.respond("200 OK", "", ""));
        bob.receive(&described(&again.respond(answer, "", CONTACT)));
        assert_eq!(bob.told(), ["modify progress 180", told]);
    }
    // One that waits after a 491 is not sent again.
    bob.events.clear();
    bob.take();
    bob.command(|agent, now| agent.modify(now, call, sdp(3))).unwrap();
    let again = bob.take().remove(0);
    bob.receive(&again.respond("491 Request Pending", "", ""));
    bob.command(|agent, now| agent.cancel_change(now, call)).unwrap();
    assert_eq!(bob.command(|agent, now| agent.cancel_change(now, call)), WRONG);
    bob.take();
    bob.run(Duration::from_secs(5));
    assert!(bob.take().is_empty());
    assert_eq!(bob.told(), ["modify failed 487"]);
}

/// RFC 3311 §8: the answer in a reliable 180, an UPDATE of each end before the 200, which has no body.
#[test]
fn the_call_of_rfc_3311_section_8() {
    let mut pair = Pair::with(|_, profile| use_100rel(profile));
    let alice = pair.call();
    let bob = pair.incoming();
    pair.command(Bob, |agent, now| agent.progress_reliably(now, bob, StatusCode::RINGING, sdp(1))).unwrap();
    assert_eq!(pair.command(Bob, |agent, now| agent.update(now, bob, sdp(2))), WRONG, "not before the PRACK");
    pair.run(Duration::from_secs(1));
    for (who, call, other, its) in [(Alice, alice, Bob, bob), (Bob, bob, Alice, alice)] {
        pair.command(who, |agent, now| agent.update(now, call, sdp(2))).unwrap();
        pair.run(Duration::from_millis(100));
        pair.command(other, |agent, now| agent.accept_offer(now, its, sdp(3))).unwrap();
        pair.run(Duration::from_millis(100));
    }
    pair.command(Bob, |agent, now| agent.answer(now, bob, None)).unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.labels(Alice), ["INVITE", "PRACK", "UPDATE", "200 UPDATE", "ACK"]);
    assert_eq!(pair.labels(Bob), ["180 INVITE", "200 PRACK", "200 UPDATE", "UPDATE", "200 INVITE"]);
    assert_eq!((pair.last(Bob, "200 INVITE").body, pair.last(Alice, "ACK").body), (String::new(), String::new()));
    assert_eq!(pair.told(Alice), ["progress 180", "modified 200", "offered", "answered 200"]);
    assert_eq!(pair.told(Bob), ["incoming", "acknowledged", "offered", "modified 200", "confirmed"]);
    pair.hang_up(Alice, alice);
    pair.finish();
}

#[test]
fn losses_do_not_keep_a_reliable_call_from_its_answer() {
    for (from, label) in
        [(Bob, "183 INVITE"), (Alice, "PRACK"), (Bob, "200 PRACK"), (Bob, "200 INVITE"), (Alice, "ACK")]
    {
        let mut pair = Pair::with(|_, profile| use_100rel(profile));
        pair.lose(from, label, 1);
        let alice = pair.call();
        let bob = pair.incoming();
        pair.command(Bob, |agent, now| agent.progress_reliably(now, bob, PROGRESS, sdp(1))).unwrap();
        pair.command(Bob, |agent, now| agent.answer(now, bob, None)).unwrap();
        pair.run(Duration::from_secs(5));
        assert_eq!(pair.told(Alice), ["progress 183", "answered 200"], "{label}");
        assert_eq!(pair.told(Bob), ["incoming", "acknowledged", "confirmed"], "{label}");
        pair.hang_up(Alice, alice);
        pair.finish();
    }
}

/// RFC 3261 §13.3.1.1: "in the range 101 to 199", reliably or not.
#[test]
fn progress_is_said_by_each_status_from_101_to_199() {
    for (status, is_progress) in [(100, false), (101, true), (199, true), (200, false), (300, false)] {
        let code = StatusCode::new(status).unwrap();
        let expected = if is_progress { OK } else { Err(CommandError::Invalid("status")) };
        let (mut bob, call) = incoming(SUPPORTED, true);
        assert_eq!(bob.command(|agent, now| agent.progress(now, call, code, None)), expected, "{status}");
        let sent: Vec<String> = is_progress.then(|| format!("{status} INVITE")).into_iter().collect();
        assert_eq!(labels(&bob.take()), sent);
        assert_eq!(bob.command(|agent, now| agent.progress_reliably(now, call, code, None)), expected, "{status}");
        assert_eq!(labels(&bob.take()), sent);
    }
}
