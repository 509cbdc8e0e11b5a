//! Refreshes of a session by UPDATE (RFC 4028 §7.4).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, request};
use super::pair::Pair;
use super::pair::Who::{Alice, Bob};
use super::session_timers::{OFF, said, with_timers};
use super::text::Text;
use crate::dialog::SessionTimerSettings;
use crate::time::Duration;
use crate::user_agent::{Body, CallId};

const TIMER: &str = "Supported: timer\r\nSession-Expires: 1200;refresher=uac\r\n";

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn labels(bob: &mut Lone) -> Vec<String> {
    bob.take().iter().map(Text::label).collect()
}

/// Carol, who takes UPDATE, has called Bob, and who refreshes is said.
fn called(refresher: &str) -> (Lone, CallId) {
    let mut bob = Lone::with(|_, profile| with_timers(profile, OFF));
    let timer = TIMER.replace("uac", refresher);
    bob.receive(&described(&request("INVITE", "i", 10, "", &format!("{CONTACT}Allow: INVITE, UPDATE\r\n{timer}"))));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.take();
    bob.events.clear();
    (bob, call)
}

/// The same, and Bob's first refresh is out.
fn refreshing() -> (Lone, CallId, Text) {
    let (mut bob, call) = called("uas");
    bob.run(seconds(600));
    let refresh = bob.take().remove(0);
    assert_eq!(refresh.label(), "UPDATE");
    (bob, call, refresh)
}

#[test]
fn a_peer_that_takes_update_is_refreshed_by_it_and_nothing_is_offered() {
    let mut pair = Pair::with(|_, profile| {
        let interval = profile.identity.to_string().contains("alice").then_some(1_800);
        with_timers(profile, SessionTimerSettings { interval, ..OFF });
    });
    let (alice, _) = pair.establish();
    let told = pair.events.len();
    pair.run(seconds(3 * 3_600));
    assert_eq!((pair.all(Alice, "UPDATE").len(), pair.all(Alice, "INVITE").len()), (12, 1));
    let refresh = pair.last(Alice, "UPDATE");
    assert_eq!(said(&refresh), "supported: timer, session-expires: 1800;refresher=uac");
    assert_eq!((refresh.body.as_str(), refresh.find("content-type")), ("", None));
    let ok = pair.last(Bob, "200 UPDATE");
    assert_eq!(said(&ok), "supported: timer, require: timer, session-expires: 1800;refresher=uac");
    assert_eq!(pair.events.len(), told, "{:?}", pair.told(Bob));
    pair.hang_up(Alice, alice);
    pair.finish();
}

#[test]
fn an_update_of_the_peer_refreshes_the_session_whatever_it_is_sent_for() {
    let (mut bob, call) = called("uac");
    bob.run(seconds(600));
    let refresh = request("UPDATE", "u", 11, "bob-tag", &format!("{CONTACT}{TIMER}"));
    let refused = bob.ask(&refresh.replace("1200", "89").replace("bKu", "bKs"));
    assert_eq!((refused.label().as_str(), refused.header("min-se")), ("422 UPDATE", "90"));
    let ok = bob.ask(&refresh.replace("11 UPDATE", "12 UPDATE"));
    assert_eq!(said(&ok), "supported: timer, require: timer, session-expires: 1200;refresher=uac");
    assert!(bob.told().is_empty());
    bob.run(seconds(1_000));
    let offer = described(&request("UPDATE", "o", 13, "bob-tag", &format!("{CONTACT}{TIMER}")));
    bob.receive(&offer);
    assert_eq!(bob.told(), ["offered"]);
    bob.command(|agent, now| agent.accept_offer(now, call, Body::sdp("v=0\r\n"))).unwrap();
    assert_eq!(said(&bob.take()[0]), "supported: timer, require: timer, session-expires: 1200;refresher=uac");
    bob.run(seconds(1_168) - Duration::from_millis(1));
    assert!(bob.take().is_empty());
    bob.run(Duration::from_millis(1));
    assert_eq!((labels(&mut bob), bob.told().pop()), (["BYE".into()].into(), Some("ended Expired".into())));
}

#[test]
fn an_update_of_the_application_negotiates_too() {
    let (mut bob, call) = called("uas");
    bob.command(|agent, now| agent.update(now, call, None)).unwrap();
    let update = bob.take().remove(0);
    assert_eq!(said(&update), "supported: timer, session-expires: 1200;refresher=uac");
    bob.receive(&update.respond("200 OK", "", "Require: timer\r\nSession-Expires: 90;refresher=uas\r\n"));
    assert_eq!(bob.told(), ["modified 200"]);
    bob.run(seconds(60));
    assert_eq!(labels(&mut bob), ["BYE"]);
}

#[test]
fn a_422_and_a_491_are_answered_by_another_update() {
    let (mut bob, _, refresh) = refreshing();
    let again = bob.ask(&refresh.respond("422 X", "", "Min-SE: 3000\r\n"));
    assert_eq!(said(&again), "supported: timer, session-expires: 3000;refresher=uac, min-se: 3000");
    bob.receive(&again.respond("491 X", "", ""));
    assert!(bob.take().is_empty());
    bob.run(seconds(4));
    let last = bob.take().remove(0);
    assert_eq!((last.label().as_str(), said(&last)), ("UPDATE", said(&again)));
    bob.receive(&last.respond("200 OK", "", "Session-Expires: 3000;refresher=uac\r\n"));
    bob.run(seconds(1_500));
    assert_eq!(labels(&mut bob), ["UPDATE"]);
    assert!(bob.told().is_empty());
}

#[test]
fn a_peer_that_does_not_take_update_after_all_gets_a_re_invite() {
    for status in ["405 X", "501 X"] {
        let (mut bob, _, refresh) = refreshing();
        let invite = bob.ask(&refresh.respond(status, "", ""));
        assert_eq!((invite.label().as_str(), invite.body.as_str()), ("INVITE", "v=0\r\n"));
        assert_eq!(said(&invite), said(&refresh));
        bob.receive(&described(&invite.respond(
            "200 OK",
            "",
            &format!("{CONTACT}Session-Expires: 90;refresher=uac\r\n"),
        )));
        assert_eq!(labels(&mut bob), ["ACK"]);
        bob.run(seconds(45));
        assert_eq!(labels(&mut bob), ["INVITE"], "it is not asked again");
        assert!(bob.told().is_empty());
    }
}

#[test]
fn a_refused_update_ends_the_session_or_leaves_it_until_it_expires() {
    for status in ["481 X", "408 X"] {
        let (mut bob, _, refresh) = refreshing();
        bob.receive(&refresh.respond(status, "", ""));
        assert_eq!((labels(&mut bob), bob.told()), (["BYE".into()].into(), ["ended Lost".into()].into()), "{status}");
    }
    let (mut bob, _, refresh) = refreshing();
    bob.receive(&refresh.respond("500 X", "", ""));
    assert!(bob.take().is_empty());
    bob.run(seconds(300));
    assert_eq!(labels(&mut bob), ["UPDATE"]);
    assert!(bob.told().is_empty());
}
