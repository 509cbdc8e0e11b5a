//! Changes of a session: re-INVITEs of either end (RFC 3261 §14).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, invite, request};
use super::pair::Pair;
use super::pair::Who::{Alice, Bob};
use super::text::Text;
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::{Method, StatusCode};
use crate::time::Duration;
use crate::user_agent::{Body, CallId, CallState, Event, Extra};

const OK: Result<(), CommandError> = Ok(());
const WRONG: Result<(), CommandError> = Err(CommandError::WrongState);

fn labels(sent: &[Text]) -> Vec<String> {
    sent.iter().map(Text::label).collect()
}

fn sdp(version: u32) -> Body {
    Body::sdp(format!("v=0\r\no=- 1 {version} IN IP4 192.0.2.4\r\n"))
}

/// Carol has called Bob.
fn called() -> (Lone, CallId) {
    let mut bob = Lone::new();
    bob.receive(&described(&invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, sdp(1))).unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.take();
    bob.events.clear();
    (bob, call)
}

/// Bob wants to change the session; his re-INVITE.
fn modifying() -> (Lone, CallId, Text) {
    let (mut bob, call) = called();
    bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
    let invite = bob.take().remove(0);
    (bob, call, invite)
}

/// Carol wants to change the session.
fn offered() -> (Lone, CallId) {
    let (mut bob, call) = called();
    bob.receive(&described(&request("INVITE", "re", 11, "bob-tag", CONTACT)));
    assert_eq!(bob.told(), ["offered"]);
    bob.take();
    (bob, call)
}

fn hang_up(bob: &mut Lone, call: CallId) -> Text {
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take().pop().unwrap();
    assert_eq!(bye.label(), "BYE");
    bob.receive(&bye.respond("200 OK", "", ""));
    bye
}

#[test]
fn either_end_changes_the_session_as_often_as_wanted() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.establish();
    for (who, call, other, its) in [(Alice, alice, Bob, bob), (Bob, bob, Alice, alice), (Alice, alice, Bob, bob)] {
        pair.events.clear();
        assert_eq!(pair.command(who, |agent, now| agent.modify(now, call, sdp(2))), OK);
        pair.run(Duration::from_millis(500));
        assert_eq!(pair.told(other), ["offered"]);
        assert_eq!(pair.command(other, |agent, now| agent.accept_offer(now, its, sdp(3))), OK);
        pair.run(Duration::from_secs(3));
        assert_eq!(
            (pair.told(who), pair.told(other)),
            (["modified 200".into()].into(), ["offered".into(), "confirmed".into()].into())
        );
        assert_eq!(
            pair.all(other, "200 INVITE").last().map(|sent| Text::of(&sent.bytes).body),
            Some("v=0\r\no=- 1 3 IN IP4 192.0.2.4\r\n".into())
        );
    }
    let first = Text::of(&pair.all(Alice, "INVITE")[0].bytes);
    let again = Text::of(&pair.all(Alice, "INVITE")[1].bytes);
    for same in ["call-id", "from", "contact", "allow"] {
        assert_eq!(again.header(same), first.header(same), "{same}");
    }
    let number = |text: &Text| text.header("cseq").split(' ').next().unwrap().parse::<u32>().unwrap();
    assert_eq!((number(&again), again.tag_of("to").is_empty()), (number(&first) + 1, false));
    assert_eq!(again.start, "INVITE sip:bob@192.0.2.4 SIP/2.0");
    assert_ne!(again.header("via"), first.header("via"));
    pair.hang_up(Alice, alice);
    pair.finish();
}

#[test]
fn the_2xx_to_a_change_is_repeated_until_its_ack_comes_and_each_is_acknowledged() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.establish();
    pair.lose(Alice, "ACK", 2);
    pair.lose(Alice, "ACK", 3);
    pair.command(Alice, |agent, now| agent.modify(now, alice, sdp(2))).unwrap();
    pair.run(Duration::from_millis(100));
    pair.command(Bob, |agent, now| agent.accept_offer(now, bob, sdp(3))).unwrap();
    pair.run(Duration::from_secs(20));
    assert_eq!((pair.all(Bob, "200 INVITE").len(), pair.all(Alice, "ACK").len()), (4, 4));
    assert_eq!(pair.told(Bob).last().unwrap(), "confirmed");
    pair.hang_up(Bob, bob);
    pair.finish();
}

#[test]
fn a_change_whose_ack_never_comes_ends_the_call() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.establish();
    pair.lose_all(Alice, "ACK");
    pair.command(Alice, |agent, now| agent.modify(now, alice, sdp(2))).unwrap();
    pair.run(Duration::from_millis(100));
    pair.command(Bob, |agent, now| agent.accept_offer(now, bob, sdp(3))).unwrap();
    pair.run(Duration::from_secs(40));
    assert_eq!(pair.told(Bob).last().unwrap(), "ended Unacknowledged");
    assert_eq!(pair.told(Alice).last().unwrap(), "ended Remote");
    pair.finish();
}

#[test]
fn a_change_that_is_refused_leaves_the_session_as_it_was() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.establish();
    pair.events.clear();
    for _ in 0..2 {
        pair.command(Alice, |agent, now| agent.modify(now, alice, sdp(2))).unwrap();
        pair.run(Duration::from_millis(100));
        for status in [200, 404, 408, 481] {
            let status = StatusCode::new(status).unwrap();
            let refused = pair.command(Bob, |agent, now| agent.refuse_offer(now, bob, status));
            assert_eq!(refused, Err(CommandError::Invalid("status")));
        }
        pair.command(Bob, |agent, now| agent.refuse_offer(now, bob, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
        assert_eq!(pair.command(Bob, |agent, now| agent.accept_offer(now, bob, sdp(3))), WRONG);
        pair.run(Duration::from_secs(1));
    }
    assert_eq!(pair.told(Alice), ["modify failed 488", "modify failed 488"]);
    assert_eq!(
        (pair.states(Alice), pair.states(Bob)),
        ([CallState::Established].into(), [CallState::Established].into())
    );
    pair.hang_up(Alice, alice);
    pair.finish();
}

#[test]
fn a_change_that_nobody_decides_on_is_refused_in_time() {
    let (mut bob, call) = offered();
    bob.run(Duration::from_millis(9_999));
    assert!(bob.take().iter().all(|sent| sent.label() == "100 INVITE"));
    bob.run(Duration::from_millis(1));
    let refused = bob.take().remove(0);
    assert_eq!(refused.start, "SIP/2.0 488 Not Acceptable Here");
    assert!(refused.header("warning").starts_with("399 "));
    bob.receive(&request("ACK", "re", 11, "bob-tag", ""));
    assert_eq!(bob.told(), ["offered", "offer lapsed 487"]);
    assert_eq!(bob.command(|agent, now| agent.accept_offer(now, call, sdp(3))), WRONG);
    hang_up(&mut bob, call);
    bob.finish();
}

#[test]
fn a_change_that_the_peer_cancels_is_over() {
    let (mut bob, call) = offered();
    let sent = bob.exchange(&request("CANCEL", "re", 11, "bob-tag", ""));
    assert_eq!(labels(&sent), ["200 CANCEL", "487 INVITE"]);
    bob.receive(&request("ACK", "re", 11, "bob-tag", ""));
    assert_eq!(bob.told(), ["offered", "offer lapsed 487"]);
    bob.run(Duration::from_secs(60));
    assert_eq!(bob.told().len(), 2);
    // The session can be changed again.
    assert_eq!(bob.command(|agent, now| agent.modify(now, call, sdp(2))), OK);
}

/// §14.1: the owner of the Call-ID waits 2.1 to 4 s, the other end less than 2 s.
#[test]
fn the_end_that_owns_the_call_id_waits_longer_after_a_491() {
    for (is_caller, shortest, longest) in [(true, 2_100, 4_000), (false, 10, 2_000)] {
        let mut bob = Lone::with(|_, profile| profile.limits.glares = 12);
        let call = if is_caller {
            let (call, invite) = bob.call();
            bob.receive(&invite.respond("200 OK", "carol-tag", CONTACT));
            call
        } else {
            bob.receive(&invite("i", 10));
            let call = bob.incoming();
            bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
            bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
            call
        };
        bob.take();
        bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
        let mut waits = Vec::new();
        let mut sent = bob.take();
        for _ in 0..12 {
            bob.exchange(&sent.remove(0).respond("491 Request Pending", "", ""));
            let mut wait = 0;
            while sent.is_empty() && wait < 5_000 {
                bob.run(Duration::from_millis(10));
                wait += 10;
                sent = bob.take();
            }
            waits.push(wait);
        }
        assert!(waits.iter().all(|wait| *wait >= shortest && *wait <= longest), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
    }
}

#[test]
fn changes_that_meet_are_both_made_one_after_the_other() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.establish();
    pair.events.clear();
    for (who, call) in [(Alice, alice), (Bob, bob)] {
        pair.command(who, |agent, now| agent.modify(now, call, sdp(2))).unwrap();
    }
    for _ in 0..80 {
        pair.run(Duration::from_millis(100));
        for (who, call) in [(Alice, alice), (Bob, bob)] {
            let _ = pair.command(who, |agent, now| agent.accept_offer(now, call, sdp(3)));
        }
    }
    assert_eq!((pair.all(Alice, "491 INVITE").len(), pair.all(Bob, "491 INVITE").len()), (1, 1));
    for who in [Alice, Bob] {
        assert_eq!(pair.told(who).iter().filter(|told| *told == "modified 200").count(), 1, "{:?}", pair.told(who));
    }
    pair.hang_up(Alice, alice);
    pair.finish();
}

#[test]
fn a_change_is_tried_again_no_more_often_than_the_limit_says() {
    let mut bob = Lone::with(|_, profile| profile.limits.glares = 2);
    bob.receive(&invite("i", 10));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, None)).unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.take();
    bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
    for _ in 0..3 {
        let mut sent = bob.take();
        for _ in 0..200 {
            if sent.is_empty() {
                bob.run(Duration::from_millis(10));
                sent = bob.take();
            }
        }
        assert_eq!(
            (labels(&sent), sent[0].body.as_str()),
            (["INVITE".into()].into(), "v=0\r\no=- 1 2 IN IP4 192.0.2.4\r\n")
        );
        assert_eq!(labels(&bob.exchange(&sent[0].respond("491 Request Pending", "", ""))), ["ACK"]);
    }
    assert_eq!(bob.told().last().unwrap(), "modify failed 491");
    hang_up(&mut bob, call);
    bob.finish();
}

/// §14.2; RFC 5407 §3.1.4 for the last.
#[test]
fn a_second_change_before_the_first_is_done_is_told_to_come_later() {
    let (mut bob, call) = offered();
    let response = bob.ask(&described(&request("INVITE", "re2", 12, "bob-tag", CONTACT)));
    assert_eq!(response.start, "SIP/2.0 500 Server Internal Error");
    assert!(response.header("retry-after").parse::<u32>().unwrap() <= 10);
    assert_eq!(bob.command(|agent, now| agent.modify(now, call, sdp(2))), WRONG);
    bob.command(|agent, now| agent.accept_offer(now, call, sdp(3))).unwrap();
    bob.take();
    let response = bob.ask(&described(&request("INVITE", "re3", 13, "bob-tag", CONTACT)));
    assert_eq!(response.start, "SIP/2.0 491 Request Pending");

    let (mut bob, _, _) = modifying();
    let response = bob.ask(&described(&request("INVITE", "re", 11, "bob-tag", CONTACT)));
    assert_eq!(response.start, "SIP/2.0 491 Request Pending");
}

#[test]
fn a_change_is_for_an_established_call_without_another_change() {
    let mut bob = Lone::new();
    bob.receive(&described(&invite("i", 10)));
    let call = bob.incoming();
    assert_eq!(bob.command(|agent, now| agent.modify(now, call, sdp(2))), WRONG);
    bob.command(|agent, now| agent.answer(now, call, sdp(1))).unwrap();
    assert_eq!(bob.command(|agent, now| agent.modify(now, call, sdp(2))), WRONG);
    for wrong in [
        bob.command(|agent, now| agent.accept_offer(now, call, sdp(2))),
        bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)),
        bob.command(|agent, now| agent.answer_offer(now, call, sdp(2))),
    ] {
        assert_eq!(wrong, WRONG);
    }
    let (mut bob, call, _) = modifying();
    assert_eq!(bob.command(|agent, now| agent.modify(now, call, sdp(2))), WRONG);
    let owned = bob.command(|agent, now| agent.modify(now, call, Extra::new().header("Contact", "x")));
    assert_eq!(owned, Err(CommandError::HeaderOwned("Contact")));
}

/// §12.2.1.2, §12.2.2.
#[test]
fn a_change_says_anew_where_its_end_can_be_reached() {
    let moved = "Contact: <sip:carol@192.0.2.9:5070>\r\n";
    for (accepts, target) in [(true, "sip:carol@192.0.2.9:5070"), (false, "sip:carol@192.0.2.9")] {
        let (mut bob, call) = called();
        bob.receive(&described(&request("INVITE", "re", 11, "bob-tag", moved)));
        if accepts {
            bob.command(|agent, now| agent.accept_offer(now, call, sdp(3))).unwrap();
        } else {
            bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
        }
        bob.receive(&request("ACK", if accepts { "a2" } else { "re" }, 11, "bob-tag", ""));
        bob.take();
        assert_eq!(hang_up(&mut bob, call).start, format!("BYE {target} SIP/2.0"));
    }
    let (mut bob, call, invite) = modifying();
    let ack = bob.exchange(&described(&invite.respond("200 OK", "", moved))).remove(0);
    assert_eq!(ack.start, "ACK sip:carol@192.0.2.9:5070 SIP/2.0");
    assert_eq!(hang_up(&mut bob, call).start, "BYE sip:carol@192.0.2.9:5070 SIP/2.0");
    bob.finish();
}

/// RFC 5057 §5.1 and §5.2, RFC 3261 §12.2.1.2.
#[test]
fn the_failure_of_a_change_ends_the_call_where_it_says_that_there_is_none() {
    for (status, ends, says_bye) in [
        ("481 Call/Transaction Does Not Exist", true, false),
        ("404 Not Found", true, false),
        ("408 Request Timeout", true, true),
        ("488 Not Acceptable Here", false, false),
        ("503 Service Unavailable", false, false),
        ("603 Decline", false, false),
    ] {
        let (mut bob, call, invite) = modifying();
        let sent = labels(&bob.exchange(&invite.respond(status, "", "")));
        assert_eq!(sent, if says_bye { ["ACK", "BYE"].as_slice() } else { &["ACK"] }, "{status}");
        let mut told = Vec::from([format!("modify failed {}", &status[..3])]);
        told.extend(ends.then(|| "ended Lost".to_string()));
        assert_eq!(bob.told(), told);
        if !ends {
            hang_up(&mut bob, call);
        }
        bob.finish();
    }
    let (mut bob, _, _) = modifying();
    bob.run(Duration::from_secs(33));
    assert_eq!(bob.told(), ["modify failed 408", "ended Lost"]);
    assert!(labels(&bob.take()).contains(&"BYE".to_string()));
    bob.finish();
}

#[test]
fn hanging_up_during_a_change_of_ours_cancels_it_and_still_acknowledges_it() {
    let (mut bob, call, invite) = modifying();
    bob.receive(&invite.respond("180 Ringing", "", ""));
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let sent = bob.take();
    assert_eq!(labels(&sent), ["BYE", "CANCEL"]);
    bob.receive(&sent[0].respond("200 OK", "", ""));
    for _ in 0..2 {
        let ack = bob.exchange(&described(&invite.respond("200 OK", "", CONTACT)));
        assert_eq!(labels(&ack), ["ACK"]);
    }
    assert_eq!(bob.told(), ["modify progress 180", "ended Local"]);
    bob.finish();
}

#[test]
fn a_peer_that_rings_for_ever_and_hangs_up_leaves_nothing_behind() {
    let (mut bob, _, invite) = modifying();
    bob.receive(&invite.respond("180 Ringing", "", ""));
    let sent = bob.exchange(&request("BYE", "b", 11, "bob-tag", ""));
    assert_eq!(labels(&sent), ["200 BYE", "CANCEL"]);
    assert_eq!(bob.told(), ["modify progress 180", "ended Remote"]);
    bob.finish();
}

/// §15.1.2.
#[test]
fn the_end_of_the_call_answers_a_change_of_the_peers() {
    let (mut bob, _) = offered();
    let mut sent = labels(&bob.exchange(&request("BYE", "b", 12, "bob-tag", "")));
    sent.sort();
    assert_eq!(sent, ["200 BYE", "487 INVITE"]);
    assert_eq!(bob.told(), ["offered", "ended Remote"]);
    bob.finish();

    let (mut bob, call) = offered();
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let sent = bob.take();
    assert_eq!(labels(&sent), ["BYE", "487 INVITE"]);
    bob.receive(&sent[0].respond("200 OK", "", ""));
    assert_eq!(bob.told(), ["offered", "ended Local"]);
    bob.finish();
}

#[test]
fn a_change_without_an_offer_asks_for_one() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.establish();
    pair.events.clear();
    pair.command(Alice, |agent, now| agent.modify(now, alice, None)).unwrap();
    pair.run(Duration::from_millis(100));
    let none = pair.command(Bob, |agent, now| agent.accept_offer(now, bob, None));
    assert_eq!(none, Err(CommandError::Invalid("answer")));
    pair.command(Bob, |agent, now| agent.accept_offer(now, bob, sdp(3))).unwrap();
    pair.run(Duration::from_secs(2));
    assert_eq!((pair.told(Alice), pair.told(Bob)), (["modified 200".into()].into(), ["offered".into()].into()));
    assert_eq!(pair.command(Alice, |agent, now| agent.modify(now, alice, sdp(4))), WRONG);
    pair.command(Alice, |agent, now| agent.answer_offer(now, alice, sdp(4))).unwrap();
    pair.run(Duration::from_secs(2));
    let ack = pair.events.iter().rev().find_map(|(_, _, event)| match event {
        Event::Confirmed { ack, .. } => Body::of_request(ack),
        _ => None,
    });
    assert_eq!(ack, Some(sdp(4)));
    // And once more, unanswered.
    pair.command(Bob, |agent, now| agent.modify(now, bob, None)).unwrap();
    pair.run(Duration::from_millis(100));
    pair.command(Alice, |agent, now| agent.accept_offer(now, alice, sdp(5))).unwrap();
    pair.run(Duration::from_secs(12));
    assert_eq!(pair.told(Bob).last().unwrap(), "ended Unanswered");
    assert_eq!(pair.told(Alice).last().unwrap(), "ended Remote");
    pair.finish();
}

/// RFC 6141 §3.3: a change may be refused if no exchange was completed within its re-INVITE. A UAS of ours lets none be completed there, whatever the
/// peer asks and the application commands: so each refusal is one of a session that stays as it was.
#[test]
fn no_exchange_is_completed_within_a_change_that_may_be_refused() {
    let contact = "Contact: <sip:carol@192.0.2.9>\r\nSupported: 100rel\r\n";
    for has_offer in [true, false] {
        let mut bob = Lone::with(|_, profile| profile.extensions = Extensions::of(&[Extension::Reliable]));
        bob.receive(&described(&request("INVITE", "i", 1, "", contact)));
        let call = bob.incoming();
        bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
        bob.receive(&request("ACK", "a", 1, "bob-tag", ""));
        let change = request("INVITE", "r", 2, "bob-tag", &format!("{contact}Require: 100rel\r\n"));
        bob.receive(&if has_offer { described(&change) } else { change });
        bob.take();
        assert_eq!(bob.told().last().unwrap(), "offered");
        // A reliable provisional response would carry the answer, or an offer.
        let status = StatusCode::SESSION_PROGRESS;
        let body = || Body::sdp("v=0\r\n");
        let refused: [Result<(), CommandError>; 3] = [
            bob.command(|agent, now| agent.progress_reliably(now, call, status, body())),
            bob.command(|agent, now| agent.progress(now, call, status, body())),
            bob.command(|agent, now| agent.update(now, call, body())),
        ];
        assert_eq!(refused, [Err(CommandError::WrongState); 3], "{has_offer}");
        assert!(bob.take().is_empty(), "nothing is sent");
        let events = bob.events.len();
        let update = bob.ask(&described(&request("UPDATE", "u", 3, "bob-tag", contact)));
        assert_eq!(update.label(), "500 UPDATE", "{has_offer}");
        let prack = bob.ask(&described(&request("PRACK", "p", 4, "bob-tag", "RAck: 1 2 INVITE\r\n")));
        assert_eq!(prack.label(), "481 PRACK");
        assert_eq!(bob.events.len(), events, "the application is asked nothing else");
        bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
        assert_eq!(bob.take().remove(0).label(), "488 INVITE");
        bob.receive(&request("ACK", "r", 2, "bob-tag", ""));
        bob.receive(&request("BYE", "b", 5, "bob-tag", ""));
        bob.finish();
    }
}

/// §8.1.3.1: a transport error counts as a 503, which ends no session (RFC 5057 §5.1).
#[test]
fn a_request_that_the_network_refuses_leaves_the_session_as_it_was() {
    type Command = fn(&mut Lone, CallId) -> Result<(), CommandError>;
    let commands: [(&str, Command, &str); 3] = [
        ("INVITE", |bob, call| bob.command(|agent, now| agent.modify(now, call, sdp(2))), "modify failed 503"),
        ("UPDATE", |bob, call| bob.command(|agent, now| agent.update(now, call, sdp(2))), "modify failed 503"),
        (
            "INFO",
            |bob, call| bob.command(|agent, now| agent.ask_in(now, call, Method::Info, None)).map(drop),
            "unanswered 503",
        ),
    ];
    for (method, command, told) in commands {
        let (mut bob, call) = called();
        assert_eq!(command(&mut bob, call), OK);
        assert_eq!(labels(&bob.take()), [method]);
        bob.unreachable();
        assert_eq!(bob.told(), [told], "{method}");
        assert!(bob.take().is_empty(), "{method}: no BYE");
        let states: Vec<CallState> = bob.agent.calls().map(|info| info.state).collect();
        assert_eq!(states, [CallState::Established], "{method}");
        assert_eq!(bob.command(|agent, now| agent.modify(now, call, sdp(3))), OK);
        let again = bob.take().remove(0);
        bob.receive(&described(&again.respond("200 OK", "", CONTACT)));
        assert_eq!(bob.told(), [told, "modified 200"], "{method}");
        hang_up(&mut bob, call);
        bob.finish();
    }
}
