//! Registrations against words on the wire (RFC 3261 §10.2, §24.1).

use alloc::vec::Vec;

use super::lone::Lone;
use super::text::{Text, assert_same};
use crate::message::UriBuf;
use crate::user_agent::{Cause, Event, Register};
use crate::{CommandError, Duration, Node, RegistrationId, Script};

fn register(bob: &mut Lone, expires: u32) -> RegistrationId {
    let registrar: UriBuf = "sip:registrar.biloxi.com".parse().unwrap();
    bob.command(|agent, now| agent.register(now, Register::at(&registrar).expires(expires))).unwrap()
}

fn registrant() -> Lone {
    Lone::with(|config, profile| {
        profile.outbound = Some(core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into());
        config.script = Script {
            branches: ["nashds7".into()].into(),
            tags: ["456248".into()].into(),
            call_ids: ["843817637684230@998sdasdh09".into()].into(),
            sequence_numbers: [1826].into(),
            ..Script::default()
        };
    })
}

fn sent(bob: &mut Lone) -> Text {
    let sent = bob.take();
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.into_iter().next().unwrap()
}

const OURS: &str = "Contact: <sip:bob@192.0.2.4>;expires=3600\r\n";

#[test]
fn a_registration_is_that_of_rfc_3261_24_1() {
    let mut bob = registrant();
    register(&mut bob, 7200);
    let first = sent(&mut bob);
    assert_same(
        &first,
        "REGISTER sip:registrar.biloxi.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKnashds7
Max-Forwards: 70
To: Bob <sip:bob@biloxi.com>
From: Bob <sip:bob@biloxi.com>;tag=456248
Call-ID: 843817637684230@998sdasdh09
CSeq: 1826 REGISTER
Contact: <sip:bob@192.0.2.4>
Expires: 7200
Content-Length: 0",
    );
    bob.receive(&first.respond("200 OK", "2493k59kd", "Contact: <sip:bob@192.0.2.4>\r\nExpires: 7200\r\n"));
    assert_eq!(bob.told(), ["registered"]);
}

#[test]
fn a_binding_is_refreshed_before_it_ends_with_the_next_number() {
    let mut bob = registrant();
    register(&mut bob, 7200);
    let first = sent(&mut bob);
    // Others' bindings do not count, and ours is told by the rules of §19.1.4.
    let contacts = "Contact: <sip:bob@192.0.2.99>;expires=60, <SIP:bob@192.0.2.4:5060>;expires=3000\r\nContact: <sip:%62ob@192.0.2.4>;expires=3600\r\nExpires: 9\r\n";
    bob.receive(&first.respond("200 OK", "r", contacts));
    bob.run(Duration::from_secs(3239));
    assert!(bob.take().is_empty());
    assert!(bob.agent.is_idle());
    bob.run(Duration::from_secs(1));
    let second = sent(&mut bob);
    assert_eq!(second.header("cseq"), "1827 REGISTER");
    for name in ["call-id", "from", "to", "contact", "expires"] {
        assert_eq!(second.header(name), first.header(name));
    }
    bob.receive(&second.respond("200 OK", "r", OURS));
    assert_eq!(bob.told(), ["registered", "registered"]);
    bob.run(Duration::from_secs(3240));
    assert_eq!(sent(&mut bob).header("cseq"), "1828 REGISTER");
}

#[test]
fn a_binding_without_its_own_interval_has_that_of_expires_or_of_the_request() {
    for (extra, after) in [("Contact: <sip:bob@192.0.2.4>\r\nExpires: 1000\r\n", 900), ("", 6480)] {
        let mut bob = registrant();
        register(&mut bob, 7200);
        let first = sent(&mut bob);
        bob.receive(&first.respond("200 OK", "r", extra));
        bob.run(Duration::from_secs(after - 1));
        assert!(bob.take().is_empty());
        bob.run(Duration::from_secs(1));
        sent(&mut bob);
    }
}

#[test]
fn too_brief_an_interval_is_asked_for_again_once() {
    let mut bob = registrant();
    register(&mut bob, 60);
    let first = sent(&mut bob);
    bob.receive(&first.respond("423 Interval Too Brief", "r", "Min-Expires: 600\r\n"));
    let second = sent(&mut bob);
    assert_eq!((second.header("cseq"), second.header("expires")), ("1827 REGISTER", "600"));
    assert!(bob.told().is_empty());
    bob.receive(&second.respond("423 Interval Too Brief", "r", "Min-Expires: 6000\r\n"));
    assert_eq!(bob.told(), ["registration failed 423"]);
    assert!(bob.take().is_empty());
    bob.finish();
}

#[test]
fn a_refresh_asks_for_what_the_registrar_wants_at_least() {
    let mut bob = registrant();
    register(&mut bob, 60);
    let first = sent(&mut bob);
    bob.receive(&first.respond("423 Interval Too Brief", "r", "Min-Expires: 600\r\n"));
    let second = sent(&mut bob);
    bob.receive(&second.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=600\r\n"));
    bob.run(Duration::from_secs(540));
    assert_eq!(sent(&mut bob).header("expires"), "600");
}

#[test]
fn a_423_without_a_greater_minimum_is_a_failure() {
    for extra in ["", "Min-Expires: 60\r\n", "Min-Expires: soon\r\n"] {
        let mut bob = registrant();
        register(&mut bob, 60);
        let first = sent(&mut bob);
        bob.receive(&first.respond("423 Interval Too Brief", "r", extra));
        assert_eq!(bob.told(), ["registration failed 423"]);
        assert!(bob.take().is_empty());
    }
}

#[test]
fn zero_removes_the_binding_and_nothing_is_refreshed() {
    let mut bob = registrant();
    let first_id = register(&mut bob, 7200);
    let first = sent(&mut bob);
    bob.receive(&first.respond("200 OK", "r", OURS));
    assert_eq!(register(&mut bob, 0), first_id);
    let second = sent(&mut bob);
    assert_eq!((second.header("cseq"), second.header("expires")), ("1827 REGISTER", "0"));
    assert_eq!(second.header("call-id"), first.header("call-id"));
    bob.receive(&second.respond("200 OK", "r", ""));
    assert_eq!(bob.told(), ["registered", "registered"]);
    bob.run(Duration::from_secs(10_000));
    assert!(bob.take().is_empty());
    assert_eq!(bob.agent.endpoint().census().timers, 0);
    assert_ne!(register(&mut bob, 7200), first_id);
}

#[test]
fn a_change_waits_for_the_answer_to_the_request_that_is_out() {
    let mut bob = registrant();
    register(&mut bob, 7200);
    let first = sent(&mut bob);
    register(&mut bob, 1800);
    register(&mut bob, 0);
    assert!(bob.take().is_empty());
    bob.receive(&first.respond("200 OK", "r", OURS));
    let second = sent(&mut bob);
    assert_eq!((second.header("cseq"), second.header("expires")), ("1827 REGISTER", "0"));
    bob.receive(&second.respond("200 OK", "r", ""));
    bob.finish();
}

#[test]
fn a_refusal_and_a_time_out_are_told_and_not_repeated() {
    let mut bob = registrant();
    let id = register(&mut bob, 7200);
    let first = sent(&mut bob);
    bob.receive(&first.respond("403 Forbidden", "r", ""));
    assert!(
        matches!(&bob.events[0], Event::RegistrationFailed { registration, cause: Cause::Refused(_), again: None } if *registration == id)
    );
    bob.run(Duration::from_secs(10_000));
    assert!(bob.take().is_empty());
    // The Call-ID stays, the number rises.
    register(&mut bob, 7200);
    let second = sent(&mut bob);
    assert_eq!((second.header("cseq"), second.header("call-id")), ("1827 REGISTER", first.header("call-id")));
    bob.run(Duration::from_secs(10_000));
    assert_eq!(bob.told(), ["registration failed 403", "registration failed 408"]);
    assert!(bob.agent.is_idle());
}

#[test]
fn the_registrar_is_named_without_a_user() {
    let mut bob = registrant();
    let registrar: UriBuf = "sip:somebody:secret@registrar.biloxi.com:5070;transport=udp?a=b".parse().unwrap();
    bob.command(|agent, now| agent.register(now, &registrar)).unwrap();
    assert_eq!(sent(&mut bob).start, "REGISTER sip:registrar.biloxi.com:5070;transport=udp SIP/2.0");
    let tel: UriBuf = "tel:+1".parse().unwrap();
    let refused = bob.command(|agent, now| agent.register(now, &tel));
    assert_eq!(refused, Err(CommandError::NotSip));
}

#[test]
fn several_registrars_have_registrations_of_their_own() {
    let mut bob = registrant();
    let one = register(&mut bob, 7200);
    let other: UriBuf = "sip:registrar.chicago.com".parse().unwrap();
    let two = bob.command(|agent, now| agent.register(now, &other)).unwrap();
    assert_ne!(one, two);
    let sent = bob.take();
    let call_ids: Vec<&str> = sent.iter().map(|text| text.header("call-id")).collect();
    assert_ne!(call_ids[0], call_ids[1]);
}

/// RFC 3261 §10.2.1.1: without Expires the registrar chooses, and its word counts; a registration that is removed says so all the same.
#[test]
fn the_interval_may_be_left_to_the_registrar() {
    for (granted, refreshed) in
        [("Contact: <sip:bob@192.0.2.4>;expires=600\r\n", 540), ("Contact: <sip:bob@192.0.2.4>\r\n", 3_240)]
    {
        let mut bob = Lone::new();
        let register = Register::at(&"sip:192.0.2.9".parse().unwrap()).interval_of_registrar();
        let registration = bob.command(|agent, now| agent.register(now, register)).unwrap();
        let register = bob.take().remove(0);
        assert_eq!((register.find("expires"), register.header("contact")), (None, "<sip:bob@192.0.2.4>"));
        bob.receive(&register.respond("200 OK", "r", granted));
        bob.run(Duration::from_secs(refreshed - 1));
        assert!(bob.take().is_empty());
        bob.run(Duration::from_secs(1));
        let refresh = bob.take().remove(0);
        assert_eq!((refresh.label().as_str(), refresh.find("expires")), ("REGISTER", None));
        // 423: then an interval is asked for.
        bob.receive(&refresh.respond("423 Interval Too Brief", "r", "Min-Expires: 7200\r\n"));
        let again = bob.take().remove(0);
        assert_eq!(again.header("expires"), "7200");
        bob.receive(&again.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=7200\r\n"));
        bob.command(|agent, now| agent.unregister(now, registration)).unwrap();
        assert_eq!(bob.take().remove(0).header("expires"), "0");
    }
}
