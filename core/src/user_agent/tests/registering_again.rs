//! Registrations that are tried again by themselves (RFC 5626 §4.5, RFC 3261 §10.2.7).

use alloc::string::ToString;
use core::net::IpAddr;

use super::bindings::{at_biloxi, one, register};
use super::lone::Lone;
use super::text::Text;
use crate::time::Duration;
use crate::user_agent::{BackOff, Event, Policy};

fn bob(back_off: BackOff) -> Lone {
    Lone::with(|_, profile| {
        profile.outbound = Some(core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into());
        profile.policy = Policy { registering: Some(back_off), ..Policy::NONE };
    })
}

/// When the last failure says that the next attempt comes, from now.
fn again(bob: &Lone) -> Option<Duration> {
    let again = |event: &Event| match event {
        Event::RegistrationFailed { again, .. } => Some(*again),
        _ => None,
    };
    let at = bob.events.iter().rev().find_map(again).expect("a failure")?;
    Some(at - bob.now)
}

fn is_between(wait: Duration, least: u64, most: u64) -> bool {
    (Duration::from_secs(least)..=Duration::from_secs(most)).contains(&wait)
}

/// RFC 5626 §4.5: 30 to 60 s after the first failure, then up to twice as much each time; a success begins anew.
#[test]
fn a_registration_that_failed_is_tried_again_with_growing_waits() {
    let mut bob = bob(BackOff::default());
    let (_, first) = register(&mut bob, at_biloxi());
    let mut request = first.clone();
    for (least, most) in [(30, 60), (60, 120), (120, 240)] {
        bob.receive(&request.respond("503 Service Unavailable", "r", ""));
        let wait = again(&bob).expect("another attempt");
        assert!(is_between(wait, least, most), "{wait:?}");
        bob.run(wait - Duration::from_millis(1));
        assert!(bob.take().is_empty());
        bob.run(Duration::from_millis(1));
        request = one(&mut bob);
        assert_eq!(request.header("call-id"), first.header("call-id"));
    }
    bob.receive(&request.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=3600\r\n"));
    bob.run(Duration::from_secs(3240));
    let refresh = one(&mut bob);
    bob.receive(&refresh.respond("500 Server Internal Error", "r", ""));
    assert!(is_between(again(&bob).unwrap(), 30, 60));
}

/// §10.2.7: not at once after a time-out.
#[test]
fn one_that_timed_out_waits_too() {
    let mut bob = bob(BackOff::default());
    register(&mut bob, at_biloxi());
    bob.run(Duration::from_secs(32));
    bob.take();
    assert_eq!(bob.told(), ["registration failed 408"]);
    let wait = again(&bob).unwrap();
    bob.run(Duration::from_secs(29));
    assert!(bob.take().is_empty(), "{wait:?}");
    bob.run(Duration::from_secs(31));
    assert_eq!(bob.take()[0].method(), "REGISTER");
}

#[test]
fn a_longer_retry_after_is_waited_for() {
    let mut bob = bob(BackOff::default());
    let (_, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("503 Service Unavailable", "r", "Retry-After: 600\r\n"));
    assert_eq!(again(&bob), Some(Duration::from_secs(600)));
    bob.run(Duration::from_secs(600));
    let second = one(&mut bob);
    bob.receive(&second.respond("503 Service Unavailable", "r", "Retry-After: 1\r\n"));
    assert!(is_between(again(&bob).unwrap(), 60, 120));
}

#[test]
fn what_will_not_pass_by_itself_is_left_to_the_application() {
    for status in ["403 Forbidden", "404 Not Found", "423 Interval Too Brief", "501 Not Implemented", "603 Decline"] {
        let mut bob = bob(BackOff::default());
        let (_, first) = register(&mut bob, at_biloxi());
        bob.receive(&first.respond(status, "r", ""));
        assert_eq!(again(&bob), None, "{status}");
        bob.run(Duration::from_secs(10_000));
        assert!(bob.take().is_empty());
    }
}

#[test]
fn after_so_many_failures_the_next_command_must_come() {
    let mut bob = bob(BackOff { failures: Some(2), ..BackOff::default() });
    let (id, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("500 Server Internal Error", "r", ""));
    bob.run(again(&bob).unwrap());
    let second = one(&mut bob);
    bob.receive(&second.respond("500 Server Internal Error", "r", ""));
    assert_eq!(again(&bob), None);
    bob.run(Duration::from_secs(10_000));
    assert!(bob.take().is_empty());
    // A command begins anew.
    let (same, third) = register(&mut bob, at_biloxi());
    assert_eq!(same, id);
    bob.receive(&third.respond("500 Server Internal Error", "r", ""));
    assert!(again(&bob).is_some());
}

#[test]
fn a_command_comes_before_the_next_attempt_and_removals_and_queries_have_none() {
    let mut bob = bob(BackOff::default());
    let (id, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("500 Server Internal Error", "r", ""));
    bob.command(|agent, now| agent.unregister(now, id)).unwrap();
    let removal = one(&mut bob);
    assert_eq!(removal.header("expires"), "0");
    bob.receive(&removal.respond("500 Server Internal Error", "r", ""));
    assert_eq!(again(&bob), None);
    bob.command(|agent, now| agent.query_bindings(now, at_biloxi())).unwrap();
    let query = one(&mut bob);
    bob.receive(&query.respond("500 Server Internal Error", "r", ""));
    assert_eq!(again(&bob), None);
    bob.run(Duration::from_secs(10_000));
    assert!(bob.take().is_empty());
}

/// RFC 3261 §10.2.4: refreshes go to the address that the first registration went to, unless that one is no more.
#[test]
fn a_refresh_goes_to_the_address_of_before_until_that_does_not_answer() {
    let way = |bob: &Lone| bob.ways.last().unwrap().to_string();
    let moved: IpAddr = "192.0.2.10".parse().unwrap();
    let answer = |request: &Text| request.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=100\r\n");
    for dies in [false, true] {
        let mut bob = Lone::new();
        bob.addresses = ["192.0.2.9".parse().unwrap()].into();
        let (_, first) = register(&mut bob, at_biloxi());
        bob.receive(&answer(&first));
        // Another server stands first by now.
        bob.addresses = [moved, "192.0.2.9".parse().unwrap()].into();
        bob.run(Duration::from_secs(70));
        let refresh = one(&mut bob);
        assert_eq!((refresh.start.as_str(), way(&bob)), (first.start.as_str(), "192.0.2.9:5060".to_string()));
        if dies {
            bob.run(Duration::from_secs(32));
            let again = bob.take().pop().unwrap();
            assert_eq!((again.method(), way(&bob)), ("REGISTER", "192.0.2.10:5060".to_string()));
            assert!(!bob.told().iter().any(|told| told.contains("failed")), "{:?}", bob.told());
            bob.receive(&again.respond("403 Forbidden", "r", ""));
            assert_eq!(bob.told().last().unwrap(), "registration failed 403");
        } else {
            // What is refused there is not tried elsewhere.
            bob.receive(&refresh.respond("403 Forbidden", "r", ""));
            assert!(bob.take().is_empty());
        }
    }
}

/// A REGISTER for another next hop does not go to the place of the one before.
#[test]
fn a_place_is_that_of_its_next_hop() {
    let mut bob = Lone::new();
    bob.addresses = ["192.0.2.9".parse().unwrap()].into();
    let (id, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=100\r\n"));
    bob.addresses = ["192.0.2.10".parse().unwrap()].into();
    let by_edge = at_biloxi().route(&"sip:edge.biloxi.com;lr".parse().unwrap());
    assert_eq!(register(&mut bob, by_edge).0, id);
    assert_eq!(bob.ways.last().unwrap().to_string(), "192.0.2.10:5060");
}

/// RFC 3261 §8.1.3.1: a registrar that cannot be reached, or has no address, counts as one that says 503.
#[test]
fn a_registrar_that_cannot_be_reached_or_found_is_tried_again_after_the_wait() {
    for is_found in [true, false] {
        let policy = Policy { registering: Some(BackOff::default()), ..Policy::NONE };
        let mut bob = Lone::with(|_, profile| profile.policy = policy);
        bob.addresses.extend(is_found.then_some(IpAddr::from([192, 0, 2, 9])));
        bob.command(|agent, now| agent.register(now, at_biloxi())).unwrap();
        if is_found {
            assert_eq!(one(&mut bob).method(), "REGISTER");
            bob.unreachable();
        }
        assert_eq!(bob.told(), ["registration failed 503"], "{is_found}");
        let wait = again(&bob).expect("another attempt");
        assert!(is_between(wait, 30, 60), "{is_found}: {wait:?}");
        bob.addresses = [IpAddr::from([192, 0, 2, 10])].into();
        bob.run(wait - Duration::from_millis(1));
        assert!(bob.take().is_empty(), "{is_found}");
        bob.run(Duration::from_millis(1));
        let second = one(&mut bob);
        assert_eq!(bob.ways.last().unwrap().to_string(), "192.0.2.10:5060", "{is_found}");
        bob.receive(&second.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=3600\r\n"));
        assert_eq!(bob.told().last().unwrap(), "registered");
    }
}
