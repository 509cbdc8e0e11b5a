//! A 2xx to REGISTER tells of ways and addresses (RFC 3608, RFC 3327, RFC 3581).

use alloc::string::String;
use alloc::vec::Vec;

use super::bindings::{at_biloxi, bob, one, register};
use super::lone::Lone;
use super::text::Text;
use crate::message::UriBuf;
use crate::time::Duration;
use crate::user_agent::{Binding, Outgoing, Register};

const OURS: &str = "Contact: <sip:bob@192.0.2.4>;expires=3600\r\n";

/// The Route of a call by the identity, or by another caller.
fn route(bob: &mut Lone, from: Option<&str>) -> Option<String> {
    let mut outgoing = Outgoing::to(&"<sip:carol@chicago.com>".parse().unwrap());
    if let Some(from) = from {
        outgoing = outgoing.from(&from.parse().unwrap());
    }
    bob.command(|agent, now| agent.call(now, outgoing)).unwrap();
    one(bob).find("route").map(String::from)
}

/// RFC 3608 §6.1, with the values of its §6.4.
#[test]
fn a_service_route_leads_the_calls_of_the_address_of_record() {
    let mut bob = Lone::with(|_, profile| {
        profile.outbound = Some(core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into());
        profile.routes.push("sip:edge.biloxi.com;lr".parse().unwrap());
    });
    let edge = Some(String::from("<sip:edge.biloxi.com;lr>"));
    assert_eq!(route(&mut bob, None), edge);
    let (id, first) = register(&mut bob, at_biloxi());
    let given = "Service-Route: <sip:P2.HOME.EXAMPLE.COM;lr>, <sip:HSP.HOME.EXAMPLE.COM;lr>\r\n";
    bob.receive(&first.respond("200 OK", "r", &[OURS, given].concat()));
    let service = Some(String::from("<sip:P2.HOME.EXAMPLE.COM;lr>, <sip:HSP.HOME.EXAMPLE.COM;lr>"));
    assert_eq!(route(&mut bob, None), service);
    assert_eq!(route(&mut bob, Some("\"B\" <sip:bob@biloxi.com>")), service);
    // Another caller has none, and a REGISTER goes as it did.
    assert_eq!(route(&mut bob, Some("<sip:sales@biloxi.com>")), edge);
    bob.run(Duration::from_secs(3_240));
    let refresh = bob.take().into_iter().find(|text| text.method() == "REGISTER").unwrap();
    assert_eq!(refresh.find("route"), edge.as_deref());
    // The latest 2xx counts.
    bob.receive(&refresh.respond("200 OK", "r", &[OURS, "Service-Route: <tel:+1>, <sip:other.com;lr>\r\n"].concat()));
    assert_eq!(route(&mut bob, None).as_deref(), Some("<sip:other.com;lr>"));
    bob.command(|agent, now| agent.register(now, at_biloxi())).unwrap();
    let third = one(&mut bob);
    bob.receive(&third.respond("200 OK", "r", OURS));
    assert_eq!(route(&mut bob, None), edge);
    // A refusal and a removal end it too.
    for end in ["403 Forbidden", "200 OK"] {
        let (_, again) = register(&mut bob, at_biloxi());
        bob.receive(&again.respond("200 OK", "r", &[OURS, given].concat()));
        assert_eq!(route(&mut bob, None), service);
        bob.command(|agent, now| agent.unregister(now, id)).unwrap();
        let removal = one(&mut bob);
        bob.receive(&removal.respond(end, "r", ""));
        assert_eq!(route(&mut bob, None), edge, "{end}");
    }
}

#[test]
fn a_service_route_ends_with_the_registration_that_brought_it_alone() {
    let mut bob = bob();
    let (_, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("200 OK", "r", "Service-Route: <sip:p.com;lr>\r\n"));
    let (_, other) = register(&mut bob, Register::at(&"sip:elsewhere.com".parse::<UriBuf>().unwrap()));
    bob.receive(&other.respond("403 Forbidden", "r", ""));
    assert_eq!(route(&mut bob, None).as_deref(), Some("<sip:p.com;lr>"));
    bob.command(|agent, now| agent.query_bindings(now, at_biloxi())).unwrap();
    let query = one(&mut bob);
    bob.receive(&query.respond("403 Forbidden", "r", ""));
    assert_eq!(route(&mut bob, None).as_deref(), Some("<sip:p.com;lr>"));
}

/// RFC 3261 §10.2: a REGISTER makes no dialog, and its responses no route set.
#[test]
fn record_route_in_a_2xx_to_register_makes_no_route() {
    let mut bob = bob();
    let (_, first) = register(&mut bob, at_biloxi());
    bob.receive(&first.respond("200 OK", "r", &[OURS, "Record-Route: <sip:p.com;lr>\r\n"].concat()));
    assert_eq!(route(&mut bob, None), None);
    let (_, second) = register(&mut bob, at_biloxi());
    assert_eq!(second.find("route"), None);
}

/// RFC 3327 §5.1.
#[test]
fn path_is_supported_if_the_application_says_so() {
    let mut bob = bob();
    let (_, sent) = register(&mut bob, at_biloxi());
    assert_eq!(sent.find("supported"), None);
    bob.receive(&sent.respond("200 OK", "r", OURS));
    let (_, sent) = register(&mut bob, at_biloxi().supports_path());
    assert_eq!(sent.find("supported"), Some("path"));
}

/// A 2xx whose Via says where the request came from.
fn seen(request: &Text, at: &str) -> String {
    let via = request.header("via");
    request.respond("200 OK", "r", "").replace(via, &[via, at].concat())
}

fn contacts(text: &Text) -> Vec<&str> {
    text.headers["contact"].iter().map(String::as_str).collect()
}

const NAT: &str = ";received=198.51.100.7;rport=40000";

#[test]
fn a_contact_is_bound_as_it_was_seen_and_the_old_one_removed() {
    let mut bob = bob();
    let (id, first) = register(&mut bob, at_biloxi().binding(Binding::ours().q(500)).as_seen());
    assert_eq!(contacts(&first), ["<sip:bob@192.0.2.4>;q=0.5"]);
    bob.receive(&seen(&first, NAT));
    let second = one(&mut bob);
    assert_eq!(second.header("call-id"), first.header("call-id"));
    assert_eq!(contacts(&second), ["<sip:bob@198.51.100.7:40000>;q=0.5", "<sip:bob@192.0.2.4>;expires=0"]);
    // However often the address changes, the next one waits for the refresh.
    bob.receive(
        &seen(&second, ";received=198.51.100.8;rport=40001")
            .replace("Content-Length", "Contact: <sip:bob@198.51.100.7:40000>;expires=100\r\nContent-Length"),
    );
    assert!(bob.take().is_empty());
    assert_eq!(bob.told(), ["registered", "registered"]);
    bob.run(Duration::from_secs(70));
    let refresh = one(&mut bob);
    assert_eq!(contacts(&refresh), ["<sip:bob@198.51.100.7:40000>;q=0.5"]);
    bob.receive(&seen(&refresh, ";received=198.51.100.7;rport=40001"));
    let moved = one(&mut bob);
    assert_eq!(contacts(&moved), ["<sip:bob@198.51.100.7:40001>;q=0.5", "<sip:bob@198.51.100.7:40000>;expires=0"]);
    bob.receive(&seen(&moved, ";received=198.51.100.7;rport=40001"));
    bob.command(|agent, now| agent.unregister(now, id)).unwrap();
    assert_eq!(contacts(&one(&mut bob)), ["<sip:bob@198.51.100.7:40001>;q=0.5"]);
}

#[test]
fn without_the_switch_the_contact_is_ours_again() {
    let mut bob = bob();
    let (_, first) = register(&mut bob, at_biloxi().as_seen());
    bob.receive(&seen(&first, NAT));
    let second = one(&mut bob);
    bob.receive(&seen(&second, NAT));
    let (_, third) = register(&mut bob, at_biloxi());
    let mut both = contacts(&third);
    both.sort_unstable();
    assert_eq!(both, ["<sip:bob@192.0.2.4>", "<sip:bob@198.51.100.7:40000>;expires=0"]);
    bob.receive(&seen(&third, NAT));
    assert!(bob.take().is_empty());
}

#[test]
fn nothing_is_bound_anew_where_nothing_else_was_seen() {
    let plain = at_biloxi();
    let other = || Binding::to(&"sip:bob@192.0.2.99".parse().unwrap());
    for (asked, at) in [
        (plain.clone(), NAT),
        (plain.clone().as_seen(), ""),
        (plain.clone().as_seen(), ";received=192.0.2.4"),
        (plain.clone().as_seen(), ";received=192.0.2.4;rport=5060"),
        (plain.clone().as_seen(), ";rport=soon"),
        (plain.clone().as_seen().binding(other()), NAT),
    ] {
        let mut bob = bob();
        let (_, first) = register(&mut bob, asked);
        bob.receive(&seen(&first, at));
        assert!(bob.take().is_empty(), "{at}");
        assert_eq!(bob.told(), ["registered"], "{at}");
    }
    let mut bob = Lone::with(|_, profile| {
        profile.outbound = Some(core::net::SocketAddr::from(([192, 0, 2, 9], 5060)).into());
        profile.contact = Some("sip:bob@pc.biloxi.com".parse().unwrap());
    });
    let (_, first) = register(&mut bob, plain.as_seen());
    bob.receive(&seen(&first, NAT));
    assert!(bob.take().is_empty());
}
