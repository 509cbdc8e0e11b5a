//! Refreshes by re-INVITE of a session whose descriptions were not all in the INVITE and its 2xx (RFC 4028 §7.4, RFC 3262 §5).

use alloc::format;
use alloc::string::{String, ToString};

use super::lone::{CONTACT, Lone};
use super::pair::Pair;
use super::pair::Who::{self, Alice, Bob};
use super::session_timers::{OFF, with_timers};
use super::text::Text;
use crate::dialog::{End, SessionTimerSettings};
use crate::extension::{Extension, Extensions};
use crate::message::StatusCode;
use crate::time::Duration;
use crate::user_agent::{Body, CallId, Event, Outgoing};

fn sdp(version: u32) -> Body {
    Body::sdp(described(version))
}

fn described(version: u32) -> String {
    format!("v=0\r\no=- 1 {version} IN IP4 192.0.2.4\r\n")
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// Alice calls with this offer, or without one, and Bob's 183 has the description 1. Neither says that it takes UPDATE.
fn progressed(refresher: Who, offer: Option<Body>) -> (Pair, CallId, CallId) {
    let mut pair = Pair::with(|_, profile| {
        profile.capabilities = false;
        let is_caller = profile.identity.to_string().contains("alice");
        let choice = if refresher == Alice { End::Ours } else { End::Theirs };
        let asked = SessionTimerSettings { interval: Some(1_800), refresher: Some(choice), ..OFF };
        with_timers(profile, if is_caller { asked } else { OFF });
        profile.extensions = Extensions::of(&[Extension::Reliable, Extension::Timer]);
    });
    let to = "Bob <sip:bob@biloxi.com>".parse().unwrap();
    let alice = pair.command(Alice, |agent, now| agent.call(now, Outgoing::to(&to).body(offer))).unwrap();
    let bob = pair.incoming();
    let progress = StatusCode::SESSION_PROGRESS;
    pair.command(Bob, |agent, now| agent.progress_reliably(now, bob, progress, sdp(1))).unwrap();
    pair.run(seconds(1));
    (pair, alice, bob)
}

/// Bob answers, and the refresh has this description; the other end answers as it does, and both go on.
fn refreshes_with(mut pair: Pair, refresher: Who, [alice, bob]: [CallId; 2], version: u32) {
    pair.command(Bob, |agent, now| agent.answer(now, bob, None)).unwrap();
    pair.run(seconds(1));
    let before = pair.all(refresher, "INVITE").len();
    pair.events.clear();
    pair.run(seconds(900));
    assert_eq!(pair.all(refresher, "INVITE").len(), before + 1);
    assert_eq!(pair.last(refresher, "INVITE").body, described(version));
    let other = if refresher == Alice { Bob } else { Alice };
    // Who made the last offer cannot know the answer to an offer of the other end.
    let offered = pair.events.iter().any(|(_, who, event)| *who == other && matches!(event, Event::Offered { .. }));
    if offered {
        let call = if other == Alice { alice } else { bob };
        pair.command(other, |agent, now| agent.accept_offer(now, call, sdp(9))).unwrap();
    }
    pair.run(seconds(905));
    assert_eq!(pair.all(refresher, "INVITE").len(), before + 2);
    pair.hang_up(Alice, alice);
    pair.finish();
}

#[test]
fn an_answer_in_a_reliable_response_is_what_a_refresh_repeats() {
    for (refresher, version) in [(Alice, 7), (Bob, 1)] {
        let (pair, alice, bob) = progressed(refresher, Some(sdp(7)));
        refreshes_with(pair, refresher, [alice, bob], version);
    }
}

#[test]
fn an_offer_in_a_reliable_response_and_its_answer_in_a_prack_are_what_a_refresh_repeats() {
    for (refresher, version) in [(Alice, 2), (Bob, 1)] {
        let (mut pair, alice, bob) = progressed(refresher, None);
        pair.command(Alice, |agent, now| agent.answer_offer(now, alice, sdp(2))).unwrap();
        pair.run(seconds(1));
        refreshes_with(pair, refresher, [alice, bob], version);
    }
}

#[test]
fn an_update_before_the_answer_is_what_a_refresh_repeats() {
    for (updating, refresher, version) in [(Alice, Alice, 3), (Alice, Bob, 4), (Bob, Alice, 4), (Bob, Bob, 3)] {
        let (mut pair, alice, bob) = progressed(refresher, Some(sdp(7)));
        let [ours, theirs] = if updating == Alice { [alice, bob] } else { [bob, alice] };
        pair.command(updating, |agent, now| agent.update(now, ours, sdp(3))).unwrap();
        pair.run(seconds(1));
        let other = if updating == Alice { Bob } else { Alice };
        pair.command(other, |agent, now| agent.accept_offer(now, theirs, sdp(4))).unwrap();
        pair.run(seconds(1));
        refreshes_with(pair, refresher, [alice, bob], version);
    }
}

#[test]
fn a_refresh_that_repeats_the_offer_of_a_reliable_response_gets_the_same_answer_unasked() {
    let (mut pair, alice, bob) = progressed(Bob, None);
    pair.command(Alice, |agent, now| agent.answer_offer(now, alice, sdp(2))).unwrap();
    pair.command(Bob, |agent, now| agent.answer(now, bob, None)).unwrap();
    pair.run(seconds(1));
    pair.events.clear();
    pair.run(seconds(900));
    assert_eq!(pair.last(Alice, "200 INVITE").body, described(2));
    assert!(pair.events.is_empty(), "{:?} {:?}", pair.told(Alice), pair.told(Bob));
    pair.hang_up(Alice, alice);
    pair.finish();
}

/// Alice's refresh, a re-INVITE, gets an answer that changes the session in a reliable response, in which the 2xx does not repeat it.
#[test]
fn an_answer_to_a_refresh_in_a_reliable_response_is_told_if_it_is_another() {
    for (version, is_told) in [(5, true), (1, false)] {
        let mut bob = Lone::with(|_, profile| {
            profile.capabilities = false;
            with_timers(profile, SessionTimerSettings { interval: Some(1_800), ..OFF });
            profile.extensions = Extensions::of(&[Extension::Reliable, Extension::Timer]);
        });
        let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
        bob.command(|agent, now| agent.call(now, Outgoing::to(&carol).body(sdp(7)))).unwrap();
        let answered = |invite: &Text, status: &str, extra: &str, body: Option<u32>| {
            let timer = "Session-Expires: 1800;refresher=uac\r\nRequire: timer\r\n";
            let timer = if status.starts_with('2') { timer } else { "" };
            let plain = invite.respond(status, "c", &format!("{CONTACT}{timer}{extra}"));
            let Some(body) = body.map(described) else { return plain };
            let content = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            plain.replace("Content-Length: 0\r\n\r\n", &content)
        };
        let invite = bob.take().remove(0);
        bob.receive(&answered(&invite, "200 OK", "", Some(1)));
        bob.take();
        bob.events.clear();
        bob.run(seconds(900));
        let refresh = bob.take().into_iter().find(|text| text.label() == "INVITE").unwrap();
        let progress = answered(&refresh, "183 Session Progress", "Require: 100rel\r\nRSeq: 1\r\n", Some(version));
        let prack = bob.ask(&progress);
        assert_eq!(prack.label(), "PRACK");
        assert_eq!(bob.events.iter().any(|event| matches!(event, Event::ModifyProgress { .. })), is_told);
        bob.receive(&prack.respond("200 OK", "", ""));
        assert_eq!(bob.ask(&answered(&refresh, "200 OK", "", None)).label(), "ACK");
        assert_eq!(bob.events.iter().any(|event| matches!(event, Event::Modified { .. })), is_told);
    }
}
