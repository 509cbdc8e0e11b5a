//! Wishes of a REGISTER besides our own contact (RFC 3261 §10.2.1, §10.2.2, §10.2.3).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::lone::Lone;
use super::text::Text;
use crate::RegistrationId;
use crate::error::CommandError;
use crate::message::UriBuf;
use crate::time::Duration;
use crate::transport::NextHop;
use crate::user_agent::{Binding, Body, Event, Register};

pub(super) fn bob() -> Lone {
    Lone::with(|_, profile| profile.outbound = Some(core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into()))
}

fn uri(text: &str) -> UriBuf {
    text.parse().unwrap()
}

pub(super) fn at_biloxi() -> Register {
    Register::at(&uri("sip:registrar.biloxi.com"))
}

/// Sends a REGISTER; its handle, and what went out.
#[track_caller]
pub(super) fn register(bob: &mut Lone, register: Register) -> (RegistrationId, Text) {
    let id = bob.command(|agent, now| agent.register(now, register)).unwrap();
    (id, one(bob))
}

/// The one message that was sent.
#[track_caller]
pub(super) fn one(bob: &mut Lone) -> Text {
    let mut sent = bob.take();
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent.remove(0)
}

/// The Contacts of a message, in any order.
fn contacts(text: &Text) -> Vec<&str> {
    let mut all: Vec<&str> = text.headers.get("contact").into_iter().flatten().map(String::as_str).collect();
    all.sort_unstable();
    all
}

/// RFC 3261 §10.2: To is the address-of-record, From is who registers; they are the same unless a third party does it.
#[test]
fn a_third_party_binds_several_contacts_of_another_address_of_record() {
    let mut bob = bob();
    let asked = at_biloxi()
        .address_of_record(&"Chief <sip:chief@biloxi.com>".parse().unwrap())
        .from(&"Bob <sip:bob@biloxi.com>".parse().unwrap())
        .binding(Binding::to(&uri("sip:chief@192.0.2.7")).q(700))
        .binding(Binding::to(&uri("mailto:chief@biloxi.com")).q(1000).expires(60))
        .binding(Binding::ours().q(50))
        .binding(Binding::to(&uri("sip:chief@192.0.2.8")).q(0).expires(0))
        .expires(7200)
        .header("Subject", "moving");
    let (_, sent) = register(&mut bob, asked);
    assert_eq!(sent.start, "REGISTER sip:registrar.biloxi.com SIP/2.0");
    assert_eq!(sent.header("to"), "Chief <sip:chief@biloxi.com>");
    assert!(sent.header("from").starts_with("Bob <sip:bob@biloxi.com>;tag="));
    assert_eq!(
        contacts(&sent),
        [
            "<mailto:chief@biloxi.com>;q=1;expires=60",
            "<sip:bob@192.0.2.4>;q=0.05",
            "<sip:chief@192.0.2.7>;q=0.7",
            "<sip:chief@192.0.2.8>;q=0;expires=0",
        ]
    );
    assert_eq!((sent.header("expires"), sent.header("subject")), ("7200", "moving"));
    // The refresh comes before that binding ends which ends first, and asks no more for the end of what was removed.
    let granted = "Contact: <sip:chief@192.0.2.7>;expires=7200, <mailto:chief@biloxi.com>;expires=60, <sip:bob@192.0.2.4>;expires=100\r\n";
    bob.receive(&sent.respond("200 OK", "r", granted));
    bob.run(Duration::from_secs(29));
    assert!(bob.take().is_empty());
    bob.run(Duration::from_secs(1));
    assert_eq!(contacts(&one(&mut bob)).len(), 3);
}

/// A visitor has an address-of-record at home and a binding at the registrar of where he is: both are his own.
#[test]
fn without_a_third_party_from_is_the_address_of_record() {
    let mut bob = bob();
    let (_, sent) = register(&mut bob, at_biloxi().address_of_record(&"<sip:carol@chicago.com>".parse().unwrap()));
    assert_eq!(sent.header("to"), "<sip:carol@chicago.com>");
    assert!(sent.header("from").starts_with("<sip:carol@chicago.com>;tag="));
    assert_eq!((contacts(&sent), sent.header("expires")), (Vec::from(["<sip:bob@192.0.2.4>"]), "3600"));
}

#[test]
fn each_address_of_record_has_a_registration_of_its_own() {
    let mut bob = bob();
    let (ours, first) = register(&mut bob, at_biloxi());
    let other = at_biloxi().address_of_record(&"<sip:sales@biloxi.com>".parse().unwrap());
    let (sales, second) = register(&mut bob, other.clone());
    assert_ne!(ours, sales);
    assert_ne!(first.header("call-id"), second.header("call-id"));
    bob.receive(&second.respond("200 OK", "r", ""));
    let (again, third) = register(&mut bob, other.expires(60));
    assert_eq!(again, sales);
    assert_eq!(third.header("call-id"), second.header("call-id"));
    assert_eq!(third.header("expires"), "60");
}

#[test]
fn the_register_goes_through_its_own_proxies_or_to_its_own_next_hop() {
    let mut bob = bob();
    let (_, sent) = register(&mut bob, at_biloxi().route(&uri("sip:192.0.2.77;lr")));
    assert_eq!(sent.header("route"), "<sip:192.0.2.77;lr>");
    let other = Register::at(&uri("sip:chicago.com"));
    let next_hop = NextHop::from(core::net::SocketAddr::from(([192, 0, 2, 55], 5070)));
    register(&mut bob, other.next_hop(next_hop));
    assert_eq!(bob.ways.last().unwrap().to_string(), "192.0.2.55:5070");
}

#[test]
fn what_cannot_be_asked_for_is_refused_and_nothing_changes() {
    let mut bob = bob();
    let ours = Binding::ours;
    for (asked, error) in [
        (at_biloxi().binding(ours().q(1001)), CommandError::Invalid("q")),
        (at_biloxi().binding(ours()).binding(ours()), CommandError::Invalid("binding")),
        (at_biloxi().header("Contact", "*"), CommandError::HeaderOwned("Contact")),
        (at_biloxi().header("Expires", "5"), CommandError::HeaderOwned("Expires")),
        (at_biloxi().header("Subject", "a\r\nb"), CommandError::Invalid("header")),
        (at_biloxi().address_of_record(&"<tel:+1>".parse().unwrap()), CommandError::NotSip),
        (at_biloxi().route(&uri("tel:+1")), CommandError::NotSip),
    ] {
        assert_eq!(bob.command(|agent, now| agent.register(now, asked.clone())), Err(error));
        assert_eq!(bob.command(|agent, now| agent.query_bindings(now, asked.clone())), Err(error));
        assert_eq!(bob.command(|agent, now| agent.unregister_all(now, asked)), Err(error));
    }
    assert_eq!(bob.agent.user().census().registrations, 0);
    // A registration that stands keeps its terms when a command is refused.
    let (_, first) = register(&mut bob, at_biloxi().expires(100));
    bob.receive(&first.respond("200 OK", "r", ""));
    let refused = at_biloxi().expires(500).route(&uri("tel:+1"));
    assert_eq!(bob.command(|agent, now| agent.register(now, refused)), Err(CommandError::NotSip));
    bob.run(Duration::from_secs(70));
    assert_eq!(one(&mut bob).header("expires"), "100");
}

/// §10.2.8: the intervals of all contacts are raised, those that single bindings have of their own too.
#[test]
fn a_423_raises_the_interval_of_each_binding_once() {
    let mut bob = bob();
    let to = |host: &str| Binding::to(&uri(host));
    let bindings = at_biloxi()
        .expires(600)
        .binding(Binding::ours().expires(30))
        .binding(to("sip:bob@192.0.2.7").expires(900))
        .binding(to("sip:bob@192.0.2.8").expires(0));
    let (_, first) = register(&mut bob, bindings);
    bob.receive(&first.respond("423 Interval Too Brief", "r", "Min-Expires: 60\r\n"));
    let second = one(&mut bob);
    let raised = ["<sip:bob@192.0.2.4>;expires=60", "<sip:bob@192.0.2.7>;expires=900", "<sip:bob@192.0.2.8>;expires=0"];
    assert_eq!((second.header("expires"), contacts(&second)), ("600", Vec::from(raised)));
    assert!(bob.told().is_empty());
    // A registrar that asks for ever more is not followed.
    bob.receive(&second.respond("423 Interval Too Brief", "r", "Min-Expires: 90\r\n"));
    assert!(bob.take().is_empty());
    assert_eq!(bob.told(), ["registration failed 423"]);
}

#[test]
fn unregistering_removes_our_bindings_and_the_handle() {
    let mut bob = bob();
    let bindings =
        at_biloxi().binding(Binding::ours().expires(60)).binding(Binding::to(&uri("sip:bob@192.0.2.7")).q(5));
    let (id, first) = register(&mut bob, bindings);
    bob.receive(&first.respond("200 OK", "r", ""));
    bob.command(|agent, now| agent.unregister(now, id)).unwrap();
    let second = one(&mut bob);
    assert_eq!(second.header("expires"), "0");
    assert_eq!(contacts(&second), ["<sip:bob@192.0.2.4>", "<sip:bob@192.0.2.7>;q=0.005"]);
    bob.receive(&second.respond("200 OK", "r", ""));
    assert_eq!(bob.told(), ["registered", "registered"]);
    assert_eq!(bob.command(|agent, now| agent.unregister(now, id)), Err(CommandError::Gone));
    assert_eq!(bob.agent.user().census().registrations, 0);
    bob.run(Duration::from_secs(10_000));
    assert!(bob.take().is_empty());
}

#[test]
fn a_removal_that_is_asked_for_while_a_request_is_out_comes_after_it() {
    let mut bob = bob();
    let (id, first) = register(&mut bob, at_biloxi());
    bob.command(|agent, now| agent.unregister(now, id)).unwrap();
    assert!(bob.take().is_empty());
    bob.receive(&first.respond("200 OK", "r", ""));
    let second = one(&mut bob);
    assert_eq!((second.header("expires"), contacts(&second)), ("0", Vec::from(["<sip:bob@192.0.2.4>"])));
    bob.receive(&second.respond("200 OK", "r", ""));
    bob.finish();
    assert_eq!(bob.agent.user().census().registrations, 0);
}

/// §10.2.2: `*` stands alone, with Expires 0, in a request of the same Call-ID.
#[test]
fn everything_bound_to_the_address_of_record_is_removed() {
    let mut bob = bob();
    let (id, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("200 OK", "r", ""));
    let all = at_biloxi().binding(Binding::to(&uri("sip:other@192.0.2.7")));
    assert_eq!(bob.command(|agent, now| agent.unregister_all(now, all)).unwrap(), id);
    let second = one(&mut bob);
    assert_eq!((contacts(&second), second.header("expires")), (Vec::from(["*"]), "0"));
    assert_eq!(second.header("call-id"), first.header("call-id"));
    bob.receive(&second.respond("200 OK", "r", ""));
    assert_eq!(bob.agent.user().census().registrations, 0);
    bob.run(Duration::from_secs(10_000));
    assert!(bob.take().is_empty());
}

/// §10.2.3: a REGISTER without Contact changes nothing.
#[test]
fn the_bindings_are_asked_for_beside_the_registration() {
    let mut bob = bob();
    let (id, first) = register(&mut bob, at_biloxi());
    let query = bob.command(|agent, now| agent.query_bindings(now, at_biloxi())).unwrap();
    assert_ne!(query, id);
    let asked = one(&mut bob);
    assert_eq!((asked.find("contact"), asked.find("expires")), (None, None));
    assert_ne!(asked.header("call-id"), first.header("call-id"));
    bob.receive(&first.respond("200 OK", "r", ""));
    bob.receive(&asked.respond("200 OK", "r", "Contact: <sip:bob@192.0.2.4>;expires=3600\r\n"));
    assert_eq!(bob.told(), ["registered", "bindings"]);
    assert!(matches!(&bob.events[1], Event::Bindings { query: told, .. } if *told == query));
    assert_eq!(bob.command(|agent, now| agent.unregister(now, query)), Err(CommandError::Gone));
    // The registration is refreshed as if nobody had asked.
    bob.run(Duration::from_secs(3240));
    assert_eq!(one(&mut bob).header("call-id"), first.header("call-id"));
    assert_eq!(bob.agent.user().census().registrations, 1);
}

#[test]
fn a_query_that_fails_is_told_and_gone() {
    let mut bob = bob();
    bob.command(|agent, now| agent.query_bindings(now, at_biloxi())).unwrap();
    let asked = one(&mut bob);
    bob.receive(&asked.respond("403 Forbidden", "r", ""));
    assert_eq!(bob.told(), ["registration failed 403"]);
    assert_eq!(bob.agent.user().census().registrations, 0);
}

#[test]
fn the_end_of_all_registrations_is_told_when_each_has_its_answer() {
    let mut bob = bob();
    let (_, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("200 OK", "r", ""));
    let (_, second) = register(&mut bob, Register::at(&uri("sip:chicago.com")));
    let (_, third) = register(&mut bob, Register::at(&uri("sip:atlanta.com")));
    bob.receive(&third.respond("403 Forbidden", "r", ""));
    bob.events.clear();
    bob.command(|agent, now| agent.unregister_everywhere(now));
    let removals = bob.take();
    assert_eq!(removals.len(), 2);
    bob.receive(&removals[0].respond("200 OK", "r", ""));
    bob.receive(&removals[1].respond("500 Server Internal Error", "r", ""));
    assert_eq!(bob.told(), ["registered", "registration failed 500"]);
    bob.receive(&second.respond("200 OK", "r", ""));
    let last = one(&mut bob);
    assert_eq!((last.header("expires"), last.header("call-id")), ("0", second.header("call-id")));
    bob.receive(&last.respond("200 OK", "r", ""));
    assert_eq!(bob.told()[2..], ["registered", "registered", "unregistered"]);
    // It is told once, and at once where there is nothing to do.
    bob.events.clear();
    let (_, fourth) = register(&mut bob, at_biloxi());
    bob.receive(&fourth.respond("403 Forbidden", "r", ""));
    assert_eq!(bob.told(), ["registration failed 403"]);
    let mut idle = self::bob();
    idle.command(|agent, now| agent.unregister_everywhere(now));
    assert_eq!(idle.told(), ["unregistered"]);
}

/// §10.2.1: the contacts of a SIPS address-of-record are SIPS URIs, and are known again as such.
#[test]
fn our_contact_is_a_sips_uri_where_the_address_of_record_is() {
    let mut bob = bob();
    let (_, sent) = register(&mut bob, at_biloxi().address_of_record(&"<sips:bob@biloxi.com>".parse().unwrap()));
    assert_eq!(contacts(&sent), ["<sips:bob@192.0.2.4>"]);
    bob.receive(&sent.respond("200 OK", "r", "Contact: <sips:bob@192.0.2.4>;expires=100\r\nExpires: 3600\r\n"));
    bob.run(Duration::from_secs(70));
    assert_eq!(contacts(&one(&mut bob)), ["<sips:bob@192.0.2.4>"]);
}

/// §10.2.6: the host part of the address-of-record is the Request-URI.
#[test]
fn without_a_registrar_the_domain_of_the_address_of_record_is_asked() {
    let mut bob = bob();
    let (_, sent) = register(&mut bob, Register::of(&"Carol <sip:carol@chicago.com>".parse().unwrap()));
    assert_eq!(
        (sent.start.as_str(), sent.header("to")),
        ("REGISTER sip:chicago.com SIP/2.0", "Carol <sip:carol@chicago.com>")
    );
}

#[test]
fn a_register_may_have_a_body() {
    let mut bob = Lone::new();
    let body = Body::new("text/plain", "a body");
    let (_, sent) = register(&mut bob, Register::at(&uri("sip:192.0.2.9")).body(body));
    assert_eq!((sent.header("content-type"), sent.body.as_str()), ("text/plain", "a body"));
}
