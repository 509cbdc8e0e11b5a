//! Session timers: what is asked for, and who refreshes (RFC 4028 §7.1 to §7.3, §9).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, request};
use super::text::Text;
use crate::dialog::{End, SessionTimerSettings};
use crate::extension::{Extension, Extensions};
use crate::message::Method;
use crate::time::Duration;
use crate::user_agent::{Body, CallId, Outgoing, Profile, Register};

pub(super) const OFF: SessionTimerSettings = SessionTimerSettings { interval: None, minimum: 90, refresher: None };

/// Uses session timers.
pub(super) fn with_timers(profile: &mut Profile, settings: SessionTimerSettings) {
    profile.extensions = Extensions::of(&[Extension::Timer]);
    profile.session_timer = settings;
}

fn bob(settings: SessionTimerSettings) -> Lone {
    Lone::with(|_, profile| with_timers(profile, settings))
}

/// What a message says of session timers.
pub(super) fn said(message: &Text) -> String {
    let mut said = Vec::new();
    for name in ["supported", "require", "session-expires", "min-se"] {
        if let Some(value) = message.find(name) {
            said.push(format!("{name}: {value}"));
        }
    }
    said.join(", ")
}

/// Carol's INVITE with these lines; the response when Bob answers, or the one that is sent by itself.
fn answer(bob: &mut Lone, extra: &str) -> Text {
    let invite = described(&request("INVITE", "i", 10, "", &format!("{CONTACT}{extra}")));
    let mut sent = bob.exchange(&invite);
    if sent.is_empty() {
        let call = bob.incoming();
        bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
        sent = bob.take();
    }
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.remove(0)
}

/// Bob calls Carol; the INVITE.
fn call(bob: &mut Lone) -> (CallId, Text) {
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let offer = Outgoing::to(&carol).body(Body::sdp("v=0\r\n"));
    let call = bob.command(|agent, now| agent.call(now, offer)).unwrap();
    (call, bob.take().remove(0))
}

/// Carol answers; Bob's ACK is sent.
fn answered(bob: &mut Lone, invite: &Text, extra: &str) {
    let sent = bob.exchange(&described(&invite.respond("200 OK", "carol-tag", &format!("{CONTACT}{extra}"))));
    assert_eq!(sent[0].label(), "ACK");
}

/// RFC 4028 §9, Table 2: whether the UAC supports timers, the refresher that it asks for, and the refresher in our 2xx. A combination
/// that must not be is answered as the first row.
#[test]
fn each_cell_of_table_2() {
    for (supported, asked, ours, refresher) in [
        (false, "", None, "uas"),
        (false, ";refresher=uac", None, "uas"),
        (false, ";refresher=uas", None, "uas"),
        (true, "", None, "uac"),
        (true, "", Some(End::Ours), "uas"),
        (true, "", Some(End::Theirs), "uac"),
        (true, ";refresher=uac", Some(End::Ours), "uac"),
        (true, ";refresher=uas", Some(End::Theirs), "uas"),
    ] {
        let mut bob = bob(SessionTimerSettings { refresher: ours, ..OFF });
        let names = if supported { "Supported: timer\r\n" } else { "" };
        let ok = answer(&mut bob, &format!("{names}Session-Expires: 1200{asked}\r\n"));
        // The UAC must be told that it refreshes, and should be told that somebody does; without timers it could not obey.
        let require = if supported { "require: timer, " } else { "" };
        let expected = format!("supported: timer, {require}session-expires: 1200;refresher={refresher}");
        assert_eq!(said(&ok), expected, "{supported} {asked:?} {ours:?}");
        bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
        let sends = |sent: &[Text]| sent.iter().map(Text::label).collect::<Vec<_>>();
        bob.take();
        bob.run(Duration::from_secs(600));
        let refresh: &[&str] = if refresher == "uas" { &["INVITE"] } else { &[] };
        assert_eq!(sends(&bob.take()), refresh, "{supported} {asked:?} {ours:?}");
    }
}

#[test]
fn without_the_extension_nothing_is_said_and_nothing_understood() {
    let mut bob = Lone::with(|_, profile| profile.session_timer = SessionTimerSettings { interval: Some(90), ..OFF });
    let ok = answer(&mut bob, "Supported: timer\r\nSession-Expires: 30\r\nMin-SE: 30\r\n");
    assert_eq!((ok.label().as_str(), said(&ok).as_str()), ("200 INVITE", "supported: "));
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.take();
    bob.run(Duration::from_secs(10_000));
    assert!(bob.take().is_empty());
    let refused =
        bob.ask(&request("INVITE", "j", 1, "", &format!("{CONTACT}Require: timer\r\n")).replace("1j9F", "2j9F"));
    assert_eq!((refused.label().as_str(), refused.header("unsupported")), ("420 INVITE", "timer"));
    let mut bob = self::bob(OFF);
    let ok = answer(&mut bob, "Supported: timer\r\nRequire: timer\r\nSession-Expires: 1800\r\n");
    assert_eq!(ok.label(), "200 INVITE");
}

#[test]
fn an_interval_that_is_too_small_is_refused_after_all_else_that_is_wrong() {
    let settings = SessionTimerSettings { minimum: 600, ..OFF };
    let small = "Supported: timer\r\nSession-Expires: 599;refresher=uas\r\n";
    let mut bob = bob(settings);
    let refused = answer(&mut bob, small);
    assert_eq!((refused.label().as_str(), refused.header("min-se")), ("422 INVITE", "600"));
    assert!(bob.told().is_empty());
    let refused = answer(&mut self::bob(settings), &format!("Require: foo\r\n{small}"));
    assert_eq!(refused.label(), "420 INVITE");
    // A caller without timers cannot mend what a proxy has asked for.
    let ok = answer(&mut self::bob(settings), "Session-Expires: 100\r\n");
    assert_eq!(ok.header("session-expires"), "100;refresher=uas");
    // A field that cannot be read counts as absent.
    let ok = answer(&mut self::bob(settings), "Supported: timer\r\nSession-Expires: soon\r\nMin-SE: x\r\n");
    assert_eq!(said(&ok), "supported: timer");
    // No minimum is below 90.
    let refused = answer(&mut self::bob(SessionTimerSettings { minimum: 0, ..OFF }), "Supported: timer\r\nx: 89\r\n");
    assert_eq!((refused.label().as_str(), refused.header("min-se")), ("422 INVITE", "90"));
}

#[test]
fn a_change_with_an_interval_that_is_too_small_is_refused_and_the_call_goes_on() {
    let mut bob = bob(OFF);
    answer(&mut bob, "Supported: timer\r\nSession-Expires: 1800\r\n");
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    let extra = format!("{CONTACT}Supported: timer\r\nSession-Expires: 60\r\n");
    let refused = bob.ask(&described(&request("INVITE", "re", 11, "bob-tag", &extra)));
    assert_eq!((refused.label().as_str(), refused.header("min-se")), ("422 INVITE", "90"));
    assert_eq!(bob.told(), ["incoming", "confirmed"]);
    // The peer tries again.
    bob.receive(&request("ACK", "re", 11, "bob-tag", ""));
    let ok = bob.ask(&described(&request("INVITE", "re2", 12, "bob-tag", &extra.replace("60", "90"))));
    assert_eq!(ok.header("session-expires"), "90;refresher=uac");
}

#[test]
fn a_callee_asks_for_a_timer_if_the_caller_knows_what_it_is() {
    let settings = SessionTimerSettings { interval: Some(1_800), ..OFF };
    let ok = answer(&mut bob(settings), "Supported: timer\r\nMin-SE: 2000\r\n");
    assert_eq!(said(&ok), "supported: timer, require: timer, session-expires: 2000;refresher=uac");
    let ok = answer(&mut bob(settings), "");
    assert_eq!(said(&ok), "supported: timer");
    let ok = answer(&mut bob(OFF), "Supported: timer\r\n");
    assert_eq!(said(&ok), "supported: timer");
}

/// The messages 1 to 11 of RFC 4028 §13.
#[test]
fn a_422_is_answered_by_a_longer_interval_each_time() {
    let mut bob = bob(SessionTimerSettings { interval: Some(50), ..OFF });
    let (_, first) = call(&mut bob);
    // The 50 seconds of the RFC's example are fewer than it allows.
    assert_eq!(said(&first), "supported: timer, session-expires: 90");
    let mut last = first.clone();
    for (least, expected) in [("3600", "3600"), ("4000", "4000")] {
        let mut sent = bob.exchange(&last.respond("422 X", "p", &format!("Min-SE: {least}\r\n")));
        assert_eq!(sent.remove(0).label(), "ACK");
        let again = sent.remove(0);
        assert_eq!(said(&again), format!("supported: timer, session-expires: {expected}, min-se: {expected}"));
        for same in ["call-id", "from", "to", "content-type"] {
            assert_eq!(again.header(same), last.header(same), "{same}");
        }
        let number = |text: &Text| text.header("cseq").split(' ').next().unwrap().parse::<u32>().unwrap();
        assert_eq!((number(&again), &again.body), (number(&last) + 1, &first.body));
        last = again;
    }
    // One that asks for no more ends the call.
    let sent = bob.exchange(&last.respond("422 X", "p", "Min-SE: 4000\r\n"));
    assert_eq!(sent.iter().map(Text::label).collect::<Vec<_>>(), ["ACK"]);
    assert_eq!(bob.told(), ["failed 422"]);
    bob.finish();
}

#[test]
fn a_422_that_a_proxys_interval_has_brought_is_answered_with_the_least_one() {
    let mut bob = bob(OFF);
    let (_, first) = call(&mut bob);
    assert_eq!(said(&first), "supported: timer");
    let sent = bob.exchange(&first.respond("422 X", "p", "Min-SE: 600\r\n"));
    assert_eq!(said(&sent[1]), "supported: timer, min-se: 600");
}

#[test]
fn every_request_but_ack_and_cancel_says_that_timers_are_supported() {
    let mut bob = bob(OFF);
    let (id, invite) = call(&mut bob);
    answered(&mut bob, &invite, "");
    assert_eq!(said(&invite), "supported: timer");
    bob.command(|agent, now| agent.ask_in(now, id, Method::Info, None)).unwrap();
    assert_eq!(said(&bob.take()[0]), "supported: timer");
    bob.command(|agent, now| agent.hang_up(now, id)).unwrap();
    assert_eq!(said(&bob.take()[0]), "supported: timer");
    let carol = "<sip:carol@192.0.2.9>".parse().unwrap();
    bob.command(|agent, now| agent.ask(now, Method::Options, &carol)).unwrap();
    assert_eq!(said(&bob.take()[0]), "supported: timer");
    let registrar = "sip:192.0.2.9".parse().unwrap();
    bob.command(|agent, now| agent.register(now, Register::at(&registrar).expires(60))).unwrap();
    assert_eq!(said(&bob.take()[0]), "supported: timer");
    let (other, invite) = call(&mut bob);
    bob.receive(&invite.respond("180 Ringing", "x", ""));
    bob.command(|agent, now| agent.cancel(now, other)).unwrap();
    assert_eq!(said(&bob.take()[0]), "");
    // Without Allow too.
    let mut quiet = Lone::with(|_, profile| {
        with_timers(profile, OFF);
        profile.capabilities = false;
    });
    let (_, invite) = call(&mut quiet);
    assert_eq!((said(&invite).as_str(), invite.find("allow")), ("supported: timer", None));
}

/// RFC 4028 §7.2: what a 2xx says, and when the caller refreshes (half of the interval) or hangs up.
#[test]
fn the_2xx_says_who_refreshes() {
    const WANTED: SessionTimerSettings = SessionTimerSettings { interval: Some(1_800), ..OFF };
    for (settings, extra, at, expected) in [
        (WANTED, "Require: timer\r\nSession-Expires: 1200;refresher=uac\r\n", 600, Some("INVITE")),
        (WANTED, "Require: timer\r\nSession-Expires: 1200;refresher=uas\r\n", 1_168, Some("BYE")),
        (OFF, "Require: timer\r\nSession-Expires: 1200;refresher=uac\r\n", 600, Some("INVITE")),
        (OFF, "Session-Expires: 90;refresher=uas\r\n", 60, Some("BYE")),
        // A proxy speaks for a callee without timers.
        (OFF, "x: 90;refresher=uac\r\n", 45, Some("INVITE")),
        // The callee has no timers, and we want one: all of it is ours.
        (WANTED, "", 900, Some("INVITE")),
        (OFF, "", 100_000, None),
        // What cannot be read counts as absent.
        (OFF, "Session-Expires: 90;refresher=me\r\n", 100_000, None),
        // No interval makes us refresh more often than each 45 seconds.
        (OFF, "Session-Expires: 1;refresher=uac\r\n", 45, Some("INVITE")),
    ] {
        let mut bob = bob(settings);
        let (_, invite) = call(&mut bob);
        answered(&mut bob, &invite, extra);
        bob.run(Duration::from_secs(at) - Duration::from_millis(1));
        assert!(bob.take().is_empty(), "{extra}");
        bob.run(Duration::from_millis(1));
        let sent: Vec<String> = bob.take().iter().map(|text| text.method().to_string()).collect();
        assert_eq!(sent, expected.into_iter().collect::<Vec<_>>(), "{extra}");
        let told = if expected == Some("BYE") { "ended Expired" } else { "answered 200" };
        assert_eq!(bob.told().last().unwrap(), told);
    }
}

#[test]
fn a_caller_may_say_at_once_who_refreshes_and_the_least_interval() {
    for (end, role) in [(End::Ours, "uac"), (End::Theirs, "uas")] {
        let mut bob = bob(SessionTimerSettings { interval: Some(600), minimum: 300, refresher: Some(end) });
        let (_, invite) = call(&mut bob);
        assert_eq!(said(&invite), format!("supported: timer, session-expires: 600;refresher={role}, min-se: 300"));
    }
    let mut bob = bob(SessionTimerSettings { interval: Some(1), minimum: 300, refresher: None });
    assert_eq!(said(&call(&mut bob).1), "supported: timer, session-expires: 300, min-se: 300");
}
