//! Refreshes of a session, and the end of one that is not refreshed (RFC 4028 §7.4, §10).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, request};
use super::pair::Pair;
use super::pair::Who::{Alice, Bob};
use super::session_timers::{OFF, said, with_timers};
use super::text::Text;
use crate::dialog::{End, SessionTimerSettings};
use crate::error::CommandError;
use crate::message::{Method, StatusCode};
use crate::time::{Duration, Instant};
use crate::user_agent::{Body, CallId, Event, Outgoing};

const HOUR: Duration = Duration::from_secs(3_600);
const BY_CALLER: &str = "Supported: timer\r\nSession-Expires: 1200;refresher=uac\r\n";
const BY_CALLEE: &str = "Supported: timer\r\nSession-Expires: 1200;refresher=uas\r\n";

fn sdp(version: u32) -> Body {
    Body::sdp(format!("v=0\r\no=- 1 {version} IN IP4 192.0.2.4\r\n"))
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn labels(bob: &mut Lone) -> Vec<String> {
    bob.take().iter().map(Text::label).collect()
}

/// Carol has called Bob with these lines; her offer is `v=0`, and his answer version 1.
fn called(extra: &str) -> (Lone, CallId) {
    let mut bob = Lone::with(|_, profile| with_timers(profile, OFF));
    bob.receive(&described(&request("INVITE", "i", 10, "", &format!("{CONTACT}{extra}"))));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, sdp(1))).unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.take();
    bob.events.clear();
    (bob, call)
}

/// The same, and Bob's first refresh is out.
fn refreshing() -> (Lone, CallId, Text) {
    let (mut bob, call) = called(BY_CALLEE);
    bob.run(seconds(600));
    let refresh = bob.take().remove(0);
    (bob, call, refresh)
}

/// Carol's re-INVITE with her offer, which is the one of her INVITE.
fn reinvite(branch: &str, number: u32, extra: &str) -> String {
    described(&request("INVITE", branch, number, "bob-tag", &format!("{CONTACT}{extra}")))
}

/// Carol answers the refresh as she has described the session before.
fn refreshed(bob: &mut Lone, refresh: &Text, extra: &str) {
    bob.receive(&described(&refresh.respond("200 OK", "", &format!("{CONTACT}{extra}"))));
    assert_eq!(labels(bob), ["ACK"]);
}

/// Two that do not say that they take UPDATE.
fn pair(refresher: End) -> Pair {
    Pair::with(|_, profile| {
        profile.capabilities = false;
        let is_caller = profile.identity.to_string().contains("alice");
        let interval = is_caller.then_some(1_800);
        with_timers(profile, SessionTimerSettings { interval, refresher: is_caller.then_some(refresher), ..OFF });
    })
}

#[test]
fn a_caller_refreshes_for_hours_and_no_application_hears_of_it() {
    let mut pair = pair(End::Ours);
    let (alice, _) = pair.establish();
    let (before, told) = (pair.all(Alice, "INVITE").len(), pair.events.len());
    pair.run(3 * HOUR);
    let refreshes = pair.all(Alice, "INVITE");
    assert_eq!(refreshes.len() - before, 12, "every 900 seconds");
    for refresh in &refreshes[before..] {
        let refresh = Text::of(&refresh.bytes);
        assert_eq!(said(&refresh), "supported: timer, session-expires: 1800;refresher=uac");
        assert_eq!((refresh.body.as_str(), refresh.header("content-type")), ("v=0\r\n", "application/sdp"));
    }
    assert_eq!((refreshes[before].at - refreshes[before - 1].at).as_secs(), 902, "the call was answered after 2");
    let ok = pair.last(Bob, "200 INVITE");
    assert_eq!(said(&ok), "supported: timer, require: timer, session-expires: 1800;refresher=uac");
    assert_eq!(ok.body, "v=0\r\n");
    assert_eq!(pair.events.len(), told, "{:?}", pair.told(Bob));
    pair.hang_up(Alice, alice);
    pair.finish();
}

#[test]
fn a_callee_refreshes_and_its_first_offer_is_new_to_the_caller_alone() {
    let mut pair = pair(End::Theirs);
    let (alice, bob) = pair.establish();
    pair.events.clear();
    pair.run(seconds(900));
    let refresh = pair.last(Bob, "INVITE");
    assert_eq!(said(&refresh), "supported: timer, session-expires: 1800;refresher=uac");
    // The offer was Alice's: what answers Bob's is hers to say, once.
    assert_eq!(pair.told(Alice), ["offered"]);
    pair.command(Alice, |agent, now| agent.accept_offer(now, alice, Body::sdp("v=0\r\n"))).unwrap();
    pair.run(HOUR);
    assert_eq!(pair.told(Alice), ["offered", "confirmed"]);
    assert!(pair.told(Bob).is_empty());
    assert_eq!(pair.all(Bob, "INVITE").len(), 4);
    pair.hang_up(Bob, bob);
    pair.finish();
}

#[test]
fn the_answer_of_an_ack_is_what_is_offered_again() {
    let mut pair = pair(End::Ours);
    let bob = "Bob <sip:bob@biloxi.com>".parse().unwrap();
    let alice = pair.command(Alice, |agent, now| agent.call(now, Outgoing::to(&bob))).unwrap();
    let bob = pair.incoming();
    pair.command(Bob, |agent, now| agent.answer(now, bob, sdp(1))).unwrap();
    pair.run(seconds(1));
    pair.command(Alice, |agent, now| agent.answer_offer(now, alice, sdp(2))).unwrap();
    pair.run(seconds(1));
    pair.events.clear();
    pair.run(seconds(900));
    assert_eq!(pair.last(Alice, "INVITE").body, "v=0\r\no=- 1 2 IN IP4 192.0.2.4\r\n");
    assert_eq!(pair.told(Bob), ["offered"]);
    pair.command(Bob, |agent, now| agent.accept_offer(now, bob, sdp(1))).unwrap();
    pair.run(seconds(1));
    assert!(pair.told(Alice).is_empty(), "the answer is the offer of before: {:?}", pair.told(Alice));
    pair.hang_up(Alice, alice);
    pair.finish();
}

#[test]
fn an_end_that_gets_no_refresh_hangs_up_in_time() {
    for (interval, end) in [(1_800, 1_768), (96, 64), (90, 60)] {
        let (mut bob, _) = called(&format!("Supported: timer\r\nSession-Expires: {interval};refresher=uac\r\n"));
        bob.run(seconds(end) - Duration::from_millis(1));
        assert!(bob.take().is_empty());
        bob.run(Duration::from_millis(1));
        let bye = bob.take().remove(0);
        assert_eq!((bye.label().as_str(), bob.told()), ("BYE", ["ended Expired".into()].into()));
        bob.receive(&bye.respond("200 OK", "", ""));
        bob.finish();
    }
}

#[test]
fn a_peer_that_is_gone_ends_the_session_and_proxies_hear_of_it() {
    for status in ["481 X", "408 X", ""] {
        let (mut bob, _, refresh) = refreshing();
        if status.is_empty() {
            bob.run(seconds(32));
        } else {
            bob.receive(&refresh.respond(status, "", ""));
        }
        let bye = bob.take().pop().unwrap();
        assert_eq!((bye.label().as_str(), bob.told()), ("BYE", ["ended Lost".into()].into()), "{status}");
        bob.receive(&bye.respond("481 X", "", ""));
        bob.finish();
    }
}

#[test]
fn a_refresh_that_fails_otherwise_is_tried_again_until_the_session_expires() {
    let (mut bob, _, refresh) = refreshing();
    let start = bob.now;
    let mut refresh = refresh;
    // Half of what is left each time: of 600, 300, 150 and 75 s; 37.5 s are too few for another.
    for wait in [300_000, 150_000, 75_000, 37_500].map(Duration::from_millis) {
        bob.receive(&refresh.respond("500 X", "", ""));
        assert_eq!(labels(&mut bob), ["ACK"]);
        bob.run(wait - Duration::from_millis(1));
        assert!(bob.take().is_empty());
        bob.run(Duration::from_millis(1));
        refresh = bob.take().remove(0);
        assert_eq!(refresh.label(), "INVITE");
    }
    bob.receive(&refresh.respond("500 X", "", ""));
    bob.take();
    bob.run(Duration::from_millis(37_499));
    assert!(bob.take().is_empty() && bob.told().is_empty());
    bob.run(Duration::from_millis(1));
    assert_eq!((labels(&mut bob), bob.told()), (["BYE".into()].into(), ["ended Expired".into()].into()));
    assert_eq!(bob.now - start, seconds(600));
}

#[test]
fn a_422_raises_the_interval_of_all_refreshes_and_only_the_2xx_prolongs_the_session() {
    let (mut bob, _, refresh) = refreshing();
    let sent = bob.exchange(&refresh.respond("422 X", "", "Min-SE: 3000\r\n"));
    assert_eq!(said(&sent[1]), "supported: timer, session-expires: 3000;refresher=uac, min-se: 3000");
    assert_eq!(sent[1].body, refresh.body);
    bob.receive(&sent[1].respond("500 X", "", ""));
    bob.take();
    bob.run(seconds(300));
    let again = bob.take().remove(0);
    assert_eq!(said(&again), "supported: timer, session-expires: 3000;refresher=uac, min-se: 3000");
    refreshed(&mut bob, &again, "Require: timer\r\nSession-Expires: 3000;refresher=uac\r\n");
    bob.run(seconds(1_500));
    assert_eq!(labels(&mut bob), ["INVITE"]);
    assert!(bob.told().is_empty());
}

#[test]
fn two_refreshes_that_meet_are_one() {
    let (mut bob, _, refresh) = refreshing();
    let refused = bob.ask(&reinvite("r", 11, BY_CALLER));
    assert_eq!(refused.label(), "491 INVITE");
    bob.receive(&request("ACK", "r", 11, "bob-tag", ""));
    bob.receive(&refresh.respond("491 Request Pending", "", ""));
    bob.take();
    // Carol comes first, and takes the refreshes over.
    let ok = bob.ask(&reinvite("r2", 12, BY_CALLER));
    assert_eq!(said(&ok), "supported: timer, require: timer, session-expires: 1200;refresher=uac");
    assert_eq!(ok.body, "v=0\r\no=- 1 1 IN IP4 192.0.2.4\r\n", "the answer of before");
    bob.receive(&request("ACK", "a2", 12, "bob-tag", ""));
    bob.run(seconds(1_167));
    assert!(bob.take().is_empty() && bob.told().is_empty(), "{:?}", bob.told());
    bob.run(seconds(1));
    assert_eq!((labels(&mut bob), bob.told()), (["BYE".into()].into(), ["ended Expired".into()].into()));
}

#[test]
fn a_refresh_that_has_met_another_request_goes_out_again() {
    let (mut bob, _, refresh) = refreshing();
    bob.receive(&refresh.respond("491 Request Pending", "", ""));
    bob.take();
    bob.run(seconds(4));
    let again = bob.take().remove(0);
    assert_eq!((said(&again), &again.body), (said(&refresh), &refresh.body));
    refreshed(&mut bob, &again, "Session-Expires: 1200;refresher=uac\r\n");
    assert!(bob.told().is_empty());
}

#[test]
fn an_offer_that_differs_is_a_change_and_refreshes_all_the_same() {
    let (mut bob, call) = called(BY_CALLER);
    bob.run(seconds(600));
    let changed = reinvite("r", 11, BY_CALLER).replace("v=0", "v=1");
    assert!(bob.exchange(&changed).is_empty());
    assert_eq!(bob.told(), ["offered"]);
    bob.command(|agent, now| agent.accept_offer(now, call, sdp(2))).unwrap();
    bob.receive(&request("ACK", "a2", 11, "bob-tag", ""));
    assert_eq!(said(&bob.take()[0]), "supported: timer, require: timer, session-expires: 1200;refresher=uac");
    // From now on that one is no news.
    let same = bob.ask(&changed.replace("11 INVITE", "12 INVITE").replace("bKr", "bKr2"));
    assert_eq!((same.label().as_str(), same.body.as_str()), ("200 INVITE", "v=0\r\no=- 1 2 IN IP4 192.0.2.4\r\n"));
    bob.receive(&request("ACK", "a3", 12, "bob-tag", ""));
    assert_eq!(bob.told(), ["offered", "confirmed"]);
    // Without a description it asks for an offer, which the application makes.
    bob.receive(&request("INVITE", "r3", 13, "bob-tag", &format!("{CONTACT}{BY_CALLER}")));
    assert_eq!(bob.told(), ["offered", "confirmed", "offered"]);
}

#[test]
fn an_answer_that_differs_is_told() {
    let (mut bob, _, refresh) = refreshing();
    let other = described(&refresh.respond("200 OK", "", CONTACT)).replace("v=0", "v=1");
    bob.receive(&other);
    assert_eq!((labels(&mut bob), bob.told()), (["ACK".into()].into(), ["modified 200".into()].into()));
}

#[test]
fn each_2xx_negotiates_anew_who_refreshes_and_whether_anybody_does() {
    let (mut bob, _, refresh) = refreshing();
    // Carol takes over.
    refreshed(&mut bob, &refresh, "Require: timer\r\nSession-Expires: 900;refresher=uas\r\n");
    bob.run(seconds(867));
    assert!(bob.take().is_empty());
    // She gives the refreshes back, with another interval, in an offer that Bob's application has to answer.
    bob.receive(&reinvite("r", 11, "Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n"));
    let Some(Event::Offered { call, .. }) = bob.events.last() else { panic!("{:?}", bob.told()) };
    let call = *call;
    bob.command(|agent, now| agent.accept_offer(now, call, sdp(1))).unwrap();
    bob.receive(&request("ACK", "a2", 11, "bob-tag", ""));
    bob.take();
    bob.run(seconds(300));
    let refresh = bob.take().remove(0);
    assert_eq!(said(&refresh), "supported: timer, session-expires: 600;refresher=uac");
    // A 2xx without Session-Expires ends it, as Bob has no wish for a timer.
    refreshed(&mut bob, &refresh, "");
    bob.run(10 * HOUR);
    assert!(bob.take().is_empty());
}

/// A session that nobody wanted a timer for may get one later (RFC 4028 §7.2), and be refreshed from then on.
#[test]
fn a_re_invite_may_begin_a_timer() {
    let (mut bob, call) = called("Supported: timer\r\n");
    bob.receive(&reinvite("r", 11, BY_CALLEE));
    assert_eq!(bob.told(), ["offered"]);
    bob.command(|agent, now| agent.accept_offer(now, call, sdp(1))).unwrap();
    bob.receive(&request("ACK", "a2", 11, "bob-tag", ""));
    bob.take();
    bob.run(seconds(600));
    let refresh = bob.take().remove(0);
    assert_eq!(said(&refresh), "supported: timer, session-expires: 1200;refresher=uac");
    assert!(refresh.body.contains("o=- 1 1 IN"), "{}", refresh.body);
    // A minimum is remembered without a timer, too: no later request of the dialog asks for less (§7.4).
    let (mut bob, call) = called("Supported: timer\r\nMin-SE: 700\r\n");
    bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
    assert_eq!(said(&bob.take().remove(0)), "supported: timer, min-se: 700");
}

#[test]
fn a_refresh_waits_for_a_change_that_is_in_progress() {
    let (mut bob, call) = called(BY_CALLEE);
    bob.run(seconds(595));
    bob.receive(&reinvite("r", 11, BY_CALLEE).replace("v=0", "v=1"));
    assert_eq!(bob.told(), ["offered"]);
    bob.run(seconds(8));
    assert_eq!(labels(&mut bob), ["100 INVITE"], "the refresh was due after 600 s");
    bob.command(|agent, now| agent.refuse_offer(now, call, StatusCode::NOT_ACCEPTABLE_HERE)).unwrap();
    bob.receive(&request("ACK", "r", 11, "bob-tag", ""));
    bob.take();
    bob.run(seconds(4));
    assert_eq!(labels(&mut bob)[0], "INVITE");
}

#[test]
fn a_change_that_is_asked_for_during_a_refresh_follows_it() {
    const WRONG: Result<(), CommandError> = Err(CommandError::WrongState);
    // While our refresh is out.
    for status in ["200 OK", "488 X"] {
        let (mut bob, call, refresh) = refreshing();
        bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
        assert_eq!(bob.command(|agent, now| agent.modify(now, call, sdp(3))), WRONG, "one at a time");
        assert!(bob.take().is_empty());
        let mut response = refresh.respond(status, "", CONTACT);
        if status.starts_with('2') {
            response = described(&response);
        }
        let sent = bob.exchange(&response);
        assert_eq!(
            (sent[0].label().as_str(), sent[1].body.as_str()),
            ("ACK", &*String::from_utf8_lossy(&sdp(2).bytes))
        );
        assert!(bob.told().is_empty());
        bob.receive(&described(&sent[1].respond("200 OK", "", CONTACT)));
        assert_eq!(bob.told(), ["modified 200"]);
    }
    // While our refresh waits after a 491, the change takes its place.
    let (mut bob, call, refresh) = refreshing();
    bob.receive(&refresh.respond("491 X", "", ""));
    bob.take();
    bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
    let change = bob.take().remove(0);
    assert_eq!(change.header("session-expires"), "1200;refresher=uac");
    bob.receive(&change.respond("488 X", "", ""));
    assert_eq!((labels(&mut bob), bob.told()), (["ACK".into()].into(), ["modify failed 488".into()].into()));
    bob.run(seconds(300));
    assert_eq!(labels(&mut bob), ["INVITE"], "the refresh is due still");
    // While the ACK for the answer to the peer's refresh is on its way, in which other requests may go too.
    let (mut bob, call) = called(BY_CALLER);
    bob.ask(&reinvite("r", 11, BY_CALLER));
    bob.command(|agent, now| agent.modify(now, call, sdp(2))).unwrap();
    bob.command(|agent, now| agent.ask_in(now, call, Method::Info, None)).unwrap();
    assert_eq!(labels(&mut bob), ["INFO"]);
    bob.receive(&request("ACK", "a2", 11, "bob-tag", ""));
    assert_eq!(labels(&mut bob), ["INVITE"]);
    assert!(bob.told().is_empty());
}

#[test]
fn a_call_that_ends_takes_its_timer_along() {
    let (mut bob, call) = called(BY_CALLEE);
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    let bye = bob.take().remove(0);
    bob.receive(&bye.respond("200 OK", "", ""));
    bob.run(seconds(33));
    assert_eq!(bob.agent.endpoint().census().timers, 0);
    let (mut bob, _, _) = refreshing();
    bob.receive(&request("BYE", "b", 11, "bob-tag", ""));
    assert_eq!(bob.told(), ["ended Remote"]);
    bob.finish();
}

#[test]
fn the_end_of_a_session_waits_for_the_ack_of_its_2xx() {
    let mut bob = Lone::with(|config, profile| {
        config.timers.t1 = seconds(2);
        with_timers(profile, OFF);
    });
    bob.receive(&described(&request(
        "INVITE",
        "i",
        10,
        "",
        &format!("{CONTACT}Supported: timer\r\nx: 90;refresher=uac\r\n"),
    )));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, sdp(1))).unwrap();
    bob.run(seconds(70));
    assert!(!labels(&mut bob).contains(&"BYE".to_string()), "a callee must not send it before");
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.run(seconds(4));
    assert_eq!((labels(&mut bob)[0].as_str(), bob.told().pop()), ("BYE", Some("ended Expired".into())));
    assert!(bob.now < Instant::from_millis(75_000));
}
