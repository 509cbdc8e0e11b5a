//! Whole calls, with the words of RFC 3261 §24.2 and what races can make of them.

use alloc::vec;
use alloc::vec::Vec;

use super::pair::{Pair, Who};
use super::text::assert_same;
use crate::message::StatusCode;
use crate::user_agent::{CallState, Outgoing, Profile};
use crate::{CommandError, Config, Duration};
use Who::{Alice, Bob};

const F1: &str = "INVITE sip:bob@biloxi.com SIP/2.0
Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8
Max-Forwards: 70
To: Bob <sip:bob@biloxi.com>
From: Alice <sip:alice@atlanta.com>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 314159 INVITE
Contact: <sip:alice@pc33.atlanta.com>
Content-Type: application/sdp
Content-Length: 5";

const F8: &str = "SIP/2.0 180 Ringing
Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8
 ;received=192.0.2.1
To: Bob <sip:bob@biloxi.com>;tag=a6c85cf
From: Alice <sip:alice@atlanta.com>;tag=1928301774
Call-ID: a84b4c76e66710
Contact: <sip:bob@192.0.2.4>
CSeq: 314159 INVITE
Content-Length: 0";

const F11: &str = "SIP/2.0 200 OK
Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8
 ;received=192.0.2.1
To: Bob <sip:bob@biloxi.com>;tag=a6c85cf
From: Alice <sip:alice@atlanta.com>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 314159 INVITE
Contact: <sip:bob@192.0.2.4>
Content-Type: application/sdp
Content-Length: 5";

const F12: &str = "ACK sip:bob@192.0.2.4 SIP/2.0
Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds9
Max-Forwards: 70
To: Bob <sip:bob@biloxi.com>;tag=a6c85cf
From: Alice <sip:alice@atlanta.com>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 314159 ACK
Content-Length: 0";

const F13: &str = "BYE sip:alice@pc33.atlanta.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKnashds10
Max-Forwards: 70
From: Bob <sip:bob@biloxi.com>;tag=a6c85cf
To: Alice <sip:alice@atlanta.com>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 231 BYE
Content-Length: 0";

const F14: &str = "SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKnashds10
From: Bob <sip:bob@biloxi.com>;tag=a6c85cf
To: Alice <sip:alice@atlanta.com>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 231 BYE
Content-Length: 0";

#[test]
fn a_call_has_the_messages_of_rfc_3261_24_2() {
    let mut pair = Pair::of_the_rfc();
    let (_, bob) = pair.establish();
    assert_same(&pair.last(Alice, "INVITE"), F1);
    assert_same(&pair.last(Bob, "180 INVITE"), F8);
    assert_same(&pair.last(Bob, "200 INVITE"), F11);
    assert_same(&pair.last(Alice, "ACK"), F12);
    pair.hang_up(Bob, bob);
    pair.finish();
    assert_same(&pair.last(Bob, "BYE"), F13);
    assert_same(&pair.last(Alice, "200 BYE"), F14);
    assert_eq!(pair.labels(Alice), ["INVITE", "ACK", "200 BYE"]);
    assert_eq!(pair.labels(Bob), ["180 INVITE", "200 INVITE", "BYE"]);
    assert_eq!(pair.told(Alice), ["progress 180", "answered 200", "ended Remote"]);
    assert_eq!(pair.told(Bob), ["incoming", "confirmed", "ended Local"]);
}

#[test]
fn states_follow_the_call() {
    let mut pair = Pair::new();
    let alice = pair.call();
    assert_eq!(pair.states(Alice), [CallState::Calling]);
    let bob = pair.incoming();
    assert_eq!(pair.states(Bob), [CallState::Incoming]);
    pair.command(Bob, |agent, now| agent.ring(now, bob)).unwrap();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.states(Alice), [CallState::Ringing]);
    pair.answer(bob);
    assert_eq!(pair.states(Bob), [CallState::Established]);
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.states(Alice), [CallState::Established]);
    let call_ids: Vec<_> = [Alice, Bob].map(|who| pair.agent(who).calls().next().unwrap().call_id.len()).into();
    assert!(call_ids[0] > 0 && call_ids[0] == call_ids[1]);
    pair.hang_up(Alice, alice);
    assert_eq!(pair.states(Alice), [CallState::Ending]);
    pair.run(Duration::from_secs(1));
    assert_eq!((pair.states(Alice), pair.states(Bob)), (vec![], vec![]));
    pair.finish();
}

#[test]
fn the_caller_hangs_up_with_the_number_after_its_invite() {
    let mut pair = Pair::of_the_rfc();
    let (alice, _) = pair.establish();
    pair.hang_up(Alice, alice);
    pair.finish();
    let bye = pair.last(Alice, "BYE");
    assert_eq!(bye.start, "BYE sip:bob@192.0.2.4 SIP/2.0");
    assert_eq!(bye.header("cseq"), "314160 BYE");
    assert_eq!(bye.header("to"), "Bob <sip:bob@biloxi.com>;tag=a6c85cf");
    assert_eq!(pair.told(Alice), ["progress 180", "answered 200", "ended Local"]);
    assert_eq!(pair.told(Bob), ["incoming", "confirmed", "ended Remote"]);
}

#[test]
fn a_caller_without_ringing_is_answered_in_a_new_dialog() {
    let mut pair = Pair::new();
    pair.call();
    let bob = pair.incoming();
    pair.answer(bob);
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.told(Alice), ["answered 200"]);
    pair.hang_up(Bob, bob);
    pair.finish();
    assert_eq!(pair.told(Bob), ["incoming", "confirmed", "ended Local"]);
}

#[test]
fn invite_and_2xx_name_methods_and_extensions_and_bye_does_not() {
    let mut pair = Pair::new();
    let (alice, _) = pair.establish();
    pair.hang_up(Alice, alice);
    pair.finish();
    for message in [pair.last(Alice, "INVITE"), pair.last(Bob, "200 INVITE")] {
        assert_eq!(message.header("allow"), "INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE");
        assert_eq!(message.header("supported"), "");
    }
    for message in [pair.last(Alice, "ACK"), pair.last(Alice, "BYE"), pair.last(Bob, "200 BYE")] {
        assert_eq!((message.find("allow"), message.find("contact")), (None, None));
    }
}

/// The default profile uses the extensions that run by themselves.
#[test]
fn by_default_reliable_responses_session_timers_and_norefersub_are_used() {
    let defaults = |_: &mut Config, profile: &mut Profile| {
        profile.extensions = Profile::new(profile.identity.clone()).extensions;
    };
    let mut pair = Pair::with(defaults);
    let (alice, _) = pair.establish();
    pair.hang_up(Alice, alice);
    pair.finish();
    for message in [pair.last(Alice, "INVITE"), pair.last(Bob, "200 INVITE")] {
        assert_eq!(message.header("allow"), "INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, PRACK");
        assert_eq!(message.header("supported"), "100rel, norefersub, timer");
        // Nobody has asked for a timer.
        assert_eq!((message.find("session-expires"), message.find("require")), (None, None));
    }
}

#[test]
fn a_rejection_is_told_with_its_response() {
    let mut pair = Pair::new();
    pair.call();
    let bob = pair.incoming();
    assert_eq!(
        pair.command(Bob, |agent, now| agent.reject(now, bob, StatusCode::OK)),
        Err(CommandError::Invalid("status"))
    );
    pair.command(Bob, |agent, now| agent.reject(now, bob, StatusCode::BUSY_HERE)).unwrap();
    assert_eq!(pair.command(Bob, |agent, now| agent.ring(now, bob)), Err(CommandError::Gone));
    pair.finish();
    assert_eq!(pair.told(Alice), ["failed 486"]);
    assert_eq!(pair.told(Bob), ["incoming"]);
}

#[test]
fn hanging_up_an_undecided_call_rejects_it() {
    let mut pair = Pair::new();
    pair.call();
    let bob = pair.incoming();
    pair.hang_up(Bob, bob);
    pair.finish();
    assert_eq!(pair.told(Alice), ["failed 480"]);
}

#[test]
fn a_redirection_is_left_to_the_application() {
    let mut pair = Pair::new();
    pair.call();
    let bob = pair.incoming();
    pair.command(Bob, |agent, now| agent.reject(now, bob, StatusCode::MOVED_TEMPORARILY)).unwrap();
    pair.finish();
    assert_eq!(pair.told(Alice), ["failed 302"]);
}

#[test]
fn a_cancelled_call_is_over_at_both_ends() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    pair.command(Bob, |agent, now| agent.ring(now, bob)).unwrap();
    pair.run(Duration::from_secs(1));
    pair.command(Alice, |agent, now| agent.cancel(now, alice)).unwrap();
    assert_eq!(pair.states(Alice), [CallState::Ending]);
    assert_eq!(pair.command(Alice, |agent, now| agent.cancel(now, alice)), Err(CommandError::WrongState));
    assert_eq!(pair.command(Alice, |agent, now| agent.hang_up(now, alice)), Err(CommandError::WrongState));
    pair.finish();
    assert_eq!(pair.told(Alice), ["progress 180", "failed 487"]);
    assert_eq!(pair.told(Bob), ["incoming", "failed 487 (none)"]);
    assert_eq!(pair.labels(Bob), ["180 INVITE", "200 CANCEL", "487 INVITE"]);
    // §9.2: the same To tag in both.
    assert_eq!(pair.last(Bob, "200 CANCEL").tag_of("to"), pair.last(Bob, "180 INVITE").tag_of("to"));
    assert_eq!(pair.last(Bob, "487 INVITE").tag_of("to"), pair.last(Bob, "180 INVITE").tag_of("to"));
}

#[test]
fn a_cancel_before_any_provisional_response_waits_for_one() {
    let mut pair = Pair::new();
    let alice = pair.call();
    pair.incoming();
    pair.hang_up(Alice, alice);
    assert_eq!(pair.labels(Alice), ["INVITE"]);
    pair.finish();
    assert_eq!(pair.labels(Alice), ["INVITE", "CANCEL", "ACK"]);
    assert_eq!(pair.labels(Bob), ["100 INVITE", "200 CANCEL", "487 INVITE"]);
    assert_eq!(pair.told(Alice), ["failed 487"]);
    assert_eq!(pair.last(Bob, "200 CANCEL").tag_of("to"), pair.last(Bob, "487 INVITE").tag_of("to"));
    assert!(!pair.last(Bob, "200 CANCEL").tag_of("to").is_empty());
}

#[test]
fn a_call_answered_while_it_is_cancelled_is_acknowledged_and_ended() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    pair.command(Bob, |agent, now| agent.ring(now, bob)).unwrap();
    pair.run(Duration::from_secs(1));
    // CANCEL and 200 cross.
    pair.command(Alice, |agent, now| agent.cancel(now, alice)).unwrap();
    pair.answer(bob);
    pair.finish();
    assert_eq!(pair.labels(Alice), ["INVITE", "CANCEL", "ACK", "BYE"]);
    assert_eq!(pair.labels(Bob), ["180 INVITE", "200 INVITE", "200 CANCEL", "200 BYE"]);
    assert_eq!(pair.told(Alice), ["progress 180", "ended Local"]);
    assert_eq!(pair.told(Bob), ["incoming", "confirmed", "ended Remote"]);
}

#[test]
fn a_callee_that_hangs_up_at_once_sends_its_bye_after_the_ack() {
    let mut pair = Pair::new();
    pair.call();
    let bob = pair.incoming();
    pair.answer(bob);
    pair.hang_up(Bob, bob);
    assert_eq!(pair.labels(Bob), ["200 INVITE"]);
    assert_eq!(pair.states(Bob), [CallState::Ending]);
    assert_eq!(pair.command(Bob, |agent, now| agent.hang_up(now, bob)), Err(CommandError::WrongState));
    pair.finish();
    assert_eq!(pair.labels(Bob), ["200 INVITE", "BYE"]);
    assert_eq!(pair.told(Alice), ["answered 200", "ended Remote"]);
    assert_eq!(pair.told(Bob), ["incoming", "ended Local"]);
}

#[test]
fn two_byes_that_cross_end_the_call_at_both_ends() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.establish();
    pair.hang_up(Alice, alice);
    pair.hang_up(Bob, bob);
    pair.finish();
    assert_eq!(pair.told(Alice).last().unwrap(), "ended Local");
    assert_eq!(pair.told(Bob).last().unwrap(), "ended Local");
    assert_eq!(pair.labels(Alice).iter().filter(|label| label.ends_with("BYE")).count(), 2);
}

#[test]
fn a_phone_that_rings_says_so_every_minute() {
    let mut pair = Pair::new();
    pair.call();
    let bob = pair.incoming();
    pair.run(Duration::from_secs(5));
    pair.command(Bob, |agent, now| agent.ring(now, bob)).unwrap();
    let first = pair.now;
    pair.run(Duration::from_secs(185));
    let times: Vec<u64> = pair.all(Bob, "180 INVITE").iter().map(|sent| (sent.at - first).as_secs()).collect();
    assert_eq!(times, [0, 60, 120, 180]);
    pair.answer(bob);
    pair.run(Duration::from_secs(120));
    assert_eq!(pair.all(Bob, "180 INVITE").len(), 4);
    pair.hang_up(Bob, bob);
    pair.finish();
}

#[test]
fn a_stale_handle_is_gone_and_a_wrong_command_changes_nothing() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.establish();
    assert_eq!(pair.command(Alice, |agent, now| agent.cancel(now, alice)), Err(CommandError::WrongState));
    assert_eq!(pair.command(Alice, |agent, now| agent.ring(now, alice)), Err(CommandError::WrongState));
    assert_eq!(pair.command(Bob, |agent, now| agent.answer(now, bob, None)), Err(CommandError::WrongState));
    assert_eq!(pair.command(Bob, |agent, now| agent.cancel(now, bob)), Err(CommandError::WrongState));
    let reject = pair.command(Bob, |agent, now| agent.reject(now, bob, StatusCode::DECLINE));
    assert_eq!(reject, Err(CommandError::WrongState));
    pair.hang_up(Alice, alice);
    assert_eq!(pair.command(Alice, |agent, now| agent.hang_up(now, alice)), Err(CommandError::WrongState));
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.command(Alice, |agent, now| agent.hang_up(now, alice)), Err(CommandError::Gone));
    assert_eq!(pair.command(Bob, |agent, now| agent.hang_up(now, bob)), Err(CommandError::Gone));
    pair.finish();
}

#[test]
fn above_the_limit_of_calls_others_are_busy_and_own_calls_refused() {
    let mut pair = Pair::with(|_, profile| profile.limits.calls = 1);
    let (alice, _) = pair.establish();
    let bob = "<sip:bob@biloxi.com>".parse().unwrap();
    let refused = pair.command(Alice, |agent, now| agent.call(now, &bob));
    assert_eq!(refused, Err(CommandError::Limit("calls")));
    pair.hang_up(Alice, alice);
    pair.finish();

    let mut pair = Pair::with(|_, profile| {
        if profile.identity.as_bytes().starts_with(b"Bob") {
            profile.limits.calls = 1;
        }
    });
    let (alice, _) = pair.establish();
    pair.call();
    pair.run(Duration::from_secs(1));
    assert_eq!(pair.told(Alice).last().unwrap(), "failed 486");
    pair.hang_up(Alice, alice);
    pair.finish();
}

#[test]
fn a_call_without_a_listener_or_to_no_sip_address_is_refused() {
    use crate::user_agent::UserAgent;
    use crate::{Instant, Seed};
    let mut agent =
        UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:alice@atlanta.com>".parse().unwrap()));
    let bob = "<sip:bob@biloxi.com>".parse().unwrap();
    assert_eq!(agent.call(Instant::ZERO, &bob), Err(CommandError::NoListener));
    let tel = "<tel:+358-555-1234567>".parse().unwrap();
    assert_eq!(agent.call(Instant::ZERO, &tel), Err(CommandError::NotSip));
}

#[test]
fn a_body_that_would_inject_a_header_is_refused() {
    let mut pair = Pair::new();
    let body = crate::user_agent::Body { content_type: "a/b\r\nEvil: yes".into(), bytes: b""[..].into() };
    let bob = "<sip:bob@biloxi.com>".parse().unwrap();
    let refused = pair.command(Alice, |agent, now| agent.call(now, Outgoing::to(&bob).body(body)));
    assert_eq!(refused, Err(CommandError::Invalid("body")));
    pair.finish();
}
