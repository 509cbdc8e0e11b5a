//! The bounds of a user agent, as they are by default, met one by one.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::{CONTACT, Lone, described, invite, request};
use super::text::Text;
use crate::error::CommandError;
use crate::extension::{Extension, Extensions};
use crate::message::{Method, StatusCode};
use crate::time::Duration;
use crate::user_agent::{Body, CallId, Event, Limits, Outgoing, Policy, Redirects};

fn bob(policy: Policy) -> Lone {
    Lone::with(|_, profile| {
        profile.policy = policy;
        profile.extensions = Extensions::of(&[Extension::Reliable]);
        profile.methods = ["INFO", "MESSAGE", "REFER"].map(Into::into).into();
    })
}

fn labels(sent: &[Text]) -> Vec<String> {
    sent.iter().map(Text::label).collect()
}

/// Carol has called Bob.
fn called(bob: &mut Lone) -> CallId {
    bob.receive(&described(&invite("i", 10)));
    let call = bob.incoming();
    bob.command(|agent, now| agent.answer(now, call, Body::sdp("v=0\r\n"))).unwrap();
    bob.receive(&request("ACK", "a", 10, "bob-tag", ""));
    bob.take();
    bob.events.clear();
    call
}

#[test]
fn the_bounds_are_these_by_default() {
    let Limits {
        calls,
        forks,
        retries,
        targets,
        glares,
        look_ups,
        accounts,
        service_route,
        asks,
        pending_requests,
        subscriptions,
        reliable_responses,
        ended_dialogs,
        auth,
    } = Limits::default();
    assert_eq!((calls, subscriptions, look_ups, accounts), (100_000, 10_000, 10_000, 100_000));
    assert_eq!((forks, retries, targets, glares), (16, 8, 8, 5));
    assert_eq!((asks, pending_requests, reliable_responses), (16, 16, 8));
    assert_eq!((service_route, ended_dialogs, auth), (16, 256, Default::default()));
}

/// A peer's requests in one dialog: the seventeenth that waits is told to come later. Another dialog has room of its own.
#[test]
fn a_dialog_holds_so_many_requests_for_the_application() {
    let mut bob = bob(Policy::NONE);
    called(&mut bob);
    let ask = |bob: &mut Lone, method: &str, number: u32| {
        let extra = format!("{CONTACT}Refer-To: <sip:dave@denver.example.org>\r\n");
        bob.exchange(&request(method, &format!("q{number}"), number, "bob-tag", &extra))
    };
    for number in 11..27 {
        let method = ["INFO", "MESSAGE", "REFER"][number as usize % 3];
        assert!(ask(&mut bob, method, number).is_empty(), "{number}");
    }
    for (number, method) in [(27, "INFO"), (28, "REFER")] {
        let refused = ask(&mut bob, method, number).remove(0);
        assert_eq!(refused.label(), format!("500 {method}"));
        assert!(refused.header("retry-after").parse::<u32>().unwrap() <= 10);
    }
    // Requests outside of dialogs are not counted here.
    assert!(bob.exchange(&request("MESSAGE", "o", 1, "", "")).is_empty());
    let overloads = bob.told().iter().filter(|told| *told == "overload Limit(pending_requests)").count();
    assert_eq!(overloads, 1, "of many refusals one is told");
    // Each answer makes room, and so does the end of the application's time.
    let Some(Event::Asked { served, .. }) =
        bob.events.iter().find(|event| matches!(event, Event::Asked { .. })).cloned()
    else {
        panic!("{:?}", bob.told())
    };
    bob.command(|agent, now| agent.respond(now, served, StatusCode::OK)).unwrap();
    bob.take();
    assert!(ask(&mut bob, "INFO", 29).is_empty());
    assert_eq!(labels(&ask(&mut bob, "INFO", 30)), ["500 INFO"]);
    bob.run(Duration::from_secs(21));
    bob.take();
    assert!(ask(&mut bob, "INFO", 31).is_empty());
    let call = bob.agent.calls().next().unwrap().call;
    bob.command(|agent, now| agent.hang_up(now, call)).unwrap();
    bob.finish();
}

#[test]
fn a_dialog_holds_so_many_requests_of_the_application() {
    let mut bob = bob(Policy::NONE);
    let call = called(&mut bob);
    let ask = |bob: &mut Lone| bob.command(|agent, now| agent.ask_in(now, call, Method::Info, None));
    for _ in 0..16 {
        ask(&mut bob).unwrap();
    }
    assert_eq!(ask(&mut bob), Err(CommandError::Limit("asks")));
    let first = bob.take().remove(0);
    bob.receive(&first.respond("200 OK", "", ""));
    ask(&mut bob).unwrap();
}

#[test]
fn an_invite_has_so_many_reliable_responses() {
    let mut bob = bob(Policy::NONE);
    bob.receive(&described(&request("INVITE", "i", 10, "", &format!("{CONTACT}Supported: 100rel\r\n"))));
    let call = bob.incoming();
    let progress = |bob: &mut Lone| {
        bob.command(|agent, now| agent.progress_reliably(now, call, StatusCode::SESSION_PROGRESS, None))
    };
    for _ in 0..8 {
        progress(&mut bob).unwrap();
    }
    assert_eq!(progress(&mut bob), Err(CommandError::Limit("reliable_responses")));
}

#[test]
fn a_request_goes_out_so_often_and_to_so_many_targets() {
    let follow = Policy { redirects: Redirects::Follow, ..Policy::NONE };
    // Each target names another one: the ninth INVITE is the last.
    let mut bob = Lone::with(|_, profile| {
        profile.policy = follow;
        profile.limits.targets = 100;
    });
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    bob.command(|agent, now| agent.call(now, Outgoing::to(&carol))).unwrap();
    let mut invite = bob.take().remove(0);
    let mut sent = 1;
    loop {
        let contact = format!("Contact: <sip:t{sent}@192.0.2.9>\r\n");
        let mut out = bob.exchange(&invite.respond("302 Moved", &format!("c{sent}"), &contact));
        let Some(next) = out.pop().filter(|next| next.label() == "INVITE") else { break };
        (invite, sent) = (next, sent + 1);
    }
    assert_eq!((sent, bob.told()), (9, Vec::from(["failed 302".to_string()])));
    // One answer names twenty: eight are tried.
    let mut bob = Lone::with(|_, profile| {
        profile.policy = follow;
        profile.limits.retries = 100;
    });
    bob.command(|agent, now| agent.call(now, Outgoing::to(&carol))).unwrap();
    let first = bob.take().remove(0);
    let contacts: String = (0..20).map(|target| format!("Contact: <sip:t{target}@192.0.2.9>\r\n")).collect();
    let mut invite = bob.exchange(&first.respond("300 Choices", "c", &contacts)).pop().unwrap();
    let mut tried = 1;
    while let Some(next) = bob.exchange(&invite.respond("486 Busy", "d", "")).pop().filter(|it| it.label() == "INVITE")
    {
        (invite, tried) = (next, tried + 1);
    }
    assert_eq!((tried, bob.told()), (8, Vec::from(["failed 486".to_string()])));
}

/// A change that meets one of the peer's again and again: `Limits::glares`.
#[test]
fn a_change_meets_one_of_the_peers_so_often() {
    let mut bob = bob(Policy::NONE);
    let call = called(&mut bob);
    bob.command(|agent, now| agent.modify(now, call, Body::sdp("v=0\r\n"))).unwrap();
    let mut sent = 0;
    while !bob.told().contains(&"modify failed 491".to_string()) {
        if let Some(change) = bob.take().into_iter().find(|sent| sent.label() == "INVITE") {
            sent += 1;
            bob.receive(&change.respond("491 Request Pending", "", ""));
        } else {
            bob.run(Duration::from_millis(10));
        }
    }
    assert_eq!(sent, 1 + 5);
}

#[test]
fn no_more_calls_are_taken_or_made() {
    let mut bob = Lone::with(|_, profile| profile.limits.calls = 1);
    called(&mut bob);
    let other = described(&invite("j", 11)).replace("1j9FpLxk3uxtm8tn", "other");
    assert_eq!(labels(&bob.exchange(&other)), ["486 INVITE"]);
    assert_eq!(bob.told(), ["overload Limit(calls)"]);
    let carol = "Carol <sip:carol@192.0.2.9>".parse().unwrap();
    let refused = bob.command(|agent, now| agent.call(now, Outgoing::to(&carol)));
    assert_eq!(refused, Err(CommandError::Limit("calls")));
}
