//! Routes as RFC 3261 §16.12.1 and RFC 6157 §3.1.1 print them.

use sansip::Listener;
use sansip::transport::Network;

use super::{Bench, Sent, bare, named, udp};

/// The values of a field without their tokens, over lines and commas.
fn routes(sent: &Sent, name: &str) -> Vec<String> {
    bare(&values(sent, name))
}

/// The values of a field, over lines and commas.
fn values(sent: &Sent, name: &str) -> Vec<String> {
    sent.values(name).into_iter().flat_map(|line| line.split(',').map(|value| value.trim().to_owned())).collect()
}

/// A server of a domain that stays on the path.
fn proxy(domain: &str, address: &str, name: &str) -> Bench {
    Bench::new(domain, vec![named(address, name)], |settings| {
        settings.proxy.record_route = true;
        settings.relay = true;
    })
}

/// `user` is bound to this contact.
fn bind(bench: &mut Bench, listener: usize, from: &str, user: &str, contact: &str) {
    let (_, domain) = user.split_once('@').expect("a user");
    let sent = bench.hear(
        listener,
        from,
        &format!(
            "REGISTER sip:{domain} SIP/2.0
             From: <sip:{user}>;tag=1
             To: <sip:{user}>
             Call-ID: bind
             CSeq: 1 REGISTER
             Contact: <sip:{contact}>"
        ),
    );
    assert_eq!(sent[0].start(), "SIP/2.0 200 OK");
}

/// The fields that the examples leave out, of an INVITE and a BYE from either side.
const CALL: &str = "From: <sip:caller@u1.example.com>;tag=1
    To: <sip:callee@domain.com>
    Call-ID: 16.12
    CSeq: 1 INVITE";
const BYE_OF_CALLER: &str = "From: <sip:caller@u1.example.com>;tag=1
    To: <sip:callee@domain.com>;tag=4567
    Call-ID: 16.12
    CSeq: 2 BYE";
const BYE_OF_CALLEE: &str = "From: <sip:callee@domain.com>;tag=4567
    To: <sip:caller@u1.example.com>;tag=1
    Call-ID: 16.12
    CSeq: 1 BYE";

/// The one request among what was sent.
fn request(sent: Vec<Sent>) -> Sent {
    let mut requests = sent.into_iter().filter(|sent| !sent.start().starts_with("SIP/2.0"));
    let request = requests.next().expect("a request");
    assert!(requests.next().is_none(), "one request");
    request
}

/// RFC 3261 §16.12.1.1: U1 -> P1 -> P2 -> U2.
#[test]
fn the_basic_sip_trapezoid_of_rfc_3261_is_as_printed() {
    let mut p1 = proxy("example.com", "192.0.2.101:5060", "p1.example.com");
    let mut p2 = proxy("domain.com", "192.0.2.104:5060", "p2.domain.com");
    bind(&mut p2, 0, "192.0.2.112", "callee@domain.com", "callee@u2.domain.com");
    let contact = "sip:caller@u1.example.com";
    let invite = format!("INVITE sip:callee@domain.com SIP/2.0\nContact: {contact}\n{CALL}");
    let invite = request(p1.hear(0, "192.0.2.111", &invite));
    assert_eq!((invite.start(), &*invite.to), ("INVITE sip:callee@domain.com SIP/2.0", "192.0.2.104:5060"));
    assert_eq!(invite.values("Contact"), [contact]);
    assert_eq!(routes(&invite, "Record-Route"), ["<sip:p1.example.com;lr>"]);

    let invite = request(p2.take(0, "192.0.2.101:5060", &invite.text));
    assert_eq!((invite.start(), &*invite.to), ("INVITE sip:callee@u2.domain.com SIP/2.0", "192.0.2.112:5060"));
    assert_eq!(invite.values("Contact"), [contact]);
    let both = ["<sip:p2.domain.com;lr>", "<sip:p1.example.com;lr>"];
    assert_eq!(routes(&invite, "Record-Route"), both);

    let contact = "sip:callee@u2.domain.com";
    let ok = p2.answer(&invite, "200 OK", &format!("Contact: {contact}\r\n")).remove(0);
    let ok = p1.take(0, "192.0.2.104:5060", &ok.text).remove(0);
    assert_eq!((ok.start(), &*ok.to), ("SIP/2.0 200 OK", "192.0.2.111:5060"));
    assert_eq!(ok.values("Contact"), [contact]);
    assert_eq!(routes(&ok, "Record-Route"), both);

    let [second, first] = &values(&ok, "Record-Route")[..] else { panic!("two routes") };
    let start = "BYE sip:callee@u2.domain.com SIP/2.0";
    let bye = request(p1.hear(0, "192.0.2.111", &format!("{start}\nRoute: {first},{second}\n{BYE_OF_CALLER}")));
    assert_eq!((bye.start(), &*bye.to), (start, "192.0.2.104:5060"));
    assert_eq!(routes(&bye, "Route"), ["<sip:p2.domain.com;lr>"]);
    let bye = request(p2.take(0, "192.0.2.101:5060", &bye.text));
    assert_eq!((bye.start(), &*bye.to), (start, "192.0.2.112:5060"));
    assert_eq!(routes(&bye, "Route"), [""; 0]);
}

/// P3, as RFC 2543 has it: the first Route becomes the Request-URI.
fn strict(bye: &Sent) -> String {
    let routes = values(bye, "Route");
    let uri = routes[0].trim_matches(['<', '>']);
    let rest: String = routes[1..].iter().map(|route| format!("Route: {route}\r\n")).collect();
    let lines = bye.text.split("\r\n").skip(1).filter(|line| !line.starts_with("Route:"));
    let lines: Vec<&str> = lines.collect();
    let via = "Via: SIP/2.0/UDP p3.middle.com;branch=z9hG4bKp3";
    format!("BYE {uri} SIP/2.0\r\n{via}\r\n{rest}{}", lines.join("\r\n"))
}

/// RFC 3261 §16.12.1.2: U1 -> P1 -> P2 -> P3 -> P4 -> U2, where P3 is a strict router.
#[test]
fn the_strict_routing_proxy_of_rfc_3261_is_traversed_as_printed() {
    let mut p1 = proxy("example.com", "192.0.2.101:5060", "p1.example.com");
    let mut p2 = proxy("example.com", "192.0.2.102:5060", "p2.example.com");
    let mut p4 = proxy("domain.com", "192.0.2.104:5060", "p4.domain.com");
    bind(&mut p4, 0, "192.0.2.112", "callee@domain.com", "callee@u2.domain.com");
    let invite = format!("INVITE sip:callee@domain.com SIP/2.0\nContact: sip:caller@u1.example.com\n{CALL}");
    let invite = request(p1.hear(0, "192.0.2.111", &invite));
    let invite = request(p2.take(0, "192.0.2.101:5060", &invite.text));
    // P3 puts itself on top.
    let (start, rest) = invite.text.split_once("\r\n").expect("a start line");
    let own = "Via: SIP/2.0/UDP p3.middle.com;branch=z9hG4bKp3\r\nRecord-Route: <sip:p3.middle.com>";
    let invite = request(p4.take(0, "192.0.2.103:5060", &format!("{start}\r\n{own}\r\n{rest}")));
    assert_eq!(invite.start(), "INVITE sip:callee@u2.domain.com SIP/2.0");
    assert_eq!(invite.values("Contact"), ["sip:caller@u1.example.com"]);
    let all = ["<sip:p4.domain.com;lr>", "<sip:p3.middle.com>", "<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>"];
    assert_eq!(routes(&invite, "Record-Route"), all);

    let set: String = values(&invite, "Record-Route").iter().map(|route| format!("Route: {route}\n")).collect();
    let start = "BYE sip:caller@u1.example.com SIP/2.0";
    let bye = request(p4.hear(0, "192.0.2.112", &format!("{start}\n{set}{BYE_OF_CALLEE}")));
    assert_eq!((bye.start(), &*bye.to), ("BYE sip:p3.middle.com SIP/2.0", "192.0.2.103:5060"));
    let left = ["<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>", "<sip:caller@u1.example.com>"];
    assert_eq!(routes(&bye, "Route"), left);

    let bye = strict(&bye);
    assert!(bye.starts_with("BYE sip:p2.example.com;lr"), "{bye}");
    let bye = request(p2.take(0, "192.0.2.103:5060", &bye));
    assert_eq!((bye.start(), &*bye.to), (start, "192.0.2.101:5060"));
    assert_eq!(routes(&bye, "Route"), ["<sip:p1.example.com;lr>"]);

    let bye = request(p1.take(0, "192.0.2.102:5060", &bye.text));
    assert_eq!((bye.start(), &*bye.to), (start, "192.0.2.111:5060"));
    assert_eq!(routes(&bye, "Route"), [""; 0]);
}

/// RFC 3261 §16.12.1.3: U1 -> P1 -> U2, in two private namespaces. What the RFC rewrites in the response stands as two values in the request (RFC 5658
/// §6.2): U2 comes by the upper one, U1 by the lower one, as printed.
#[test]
fn each_namespace_of_rfc_3261_has_its_own_route_to_the_gateway() {
    let inside = |address: &str, name: &str| {
        let listener = named(address, name);
        let network = Network { address: listener.local.ip(), prefix: 16 };
        listener.with_networks([network])
    };
    let listeners = vec![
        inside("10.1.0.1:5060", "gateway.leftprivatespace.com"),
        inside("10.2.0.1:5060", "gateway.rightprivatespace.com"),
    ];
    let mut p1 = Bench::new("gateway.leftprivatespace.com", listeners, |settings| settings.proxy.record_route = true);
    bind(&mut p1, 1, "10.2.0.22", "callee@gateway.leftprivatespace.com", "callee@rightprivatespace.com");
    let contact = "<sip:caller@u1.leftprivatespace.com>";
    let invite = format!("INVITE sip:callee@gateway.leftprivatespace.com SIP/2.0\nContact: {contact}\n{CALL}");
    let invite = request(p1.hear(0, "10.1.0.11", &invite));
    assert_eq!((invite.start(), &*invite.to), ("INVITE sip:callee@rightprivatespace.com SIP/2.0", "10.2.0.22:5060"));
    assert_eq!(invite.values("Contact"), [contact]);
    let recorded = ["<sip:gateway.rightprivatespace.com;lr>", "<sip:gateway.leftprivatespace.com;lr>"];
    assert_eq!(routes(&invite, "Record-Route"), recorded);

    let contact = "<sip:callee@u2.rightprivatespace.com>";
    let ok = p1.answer(&invite, "200 OK", &format!("Contact: {contact}\r\n")).remove(0);
    assert_eq!((ok.start(), &*ok.to), ("SIP/2.0 200 OK", "10.1.0.11:5060"));
    assert_eq!(ok.values("Contact"), [contact]);
    assert_eq!(routes(&ok, "Record-Route"), recorded);

    let [right, left] = &values(&ok, "Record-Route")[..] else { panic!("two routes") };
    let start = "BYE sip:callee@u2.rightprivatespace.com SIP/2.0";
    let bye = request(p1.hear(0, "10.1.0.11", &format!("{start}\nRoute: {left}, {right}\n{BYE_OF_CALLER}")));
    assert_eq!((bye.start(), &*bye.to), (start, "10.2.0.22:5060"));
    assert_eq!(routes(&bye, "Route"), [""; 0]);
}

/// The routes that the proxy of RFC 6157 §3.1.1 records of a call to a phone at this address, and those in the 200, with these listeners.
fn between_families(listeners: Vec<Listener>, phone: &str) -> [Vec<String>; 2] {
    let mut p = Bench::new("example.com", listeners, |_| {});
    let side = usize::from(phone.starts_with('['));
    bind(&mut p, side, phone, "alice@example.com", &format!("alice@{}", phone.trim_end_matches(":5060")));
    let invite = format!("INVITE sip:alice@example.com SIP/2.0\nContact: <sip:caller@192.0.2.9>\n{CALL}");
    let f2 = request(p.hear(0, "192.0.2.9", &invite));
    assert_eq!(f2.listener, p.listeners[side]);
    let f4 = p.answer(&f2, "200 OK", "Contact: <sip:alice@[2001:db8::10]>\r\n").remove(0);
    [routes(&f2, "Record-Route"), routes(&f4, "Record-Route")]
}

/// RFC 6157 §3.1.1, F2 and F4, where the proxy has no other reason to stay. The RFC prints the IPv6 addresses without their brackets.
#[test]
fn a_proxy_between_the_families_records_its_route_as_rfc_6157_prints_it() {
    let both = || vec![udp("192.0.2.1:5060"), udp("[2001:db8::1]:5060")];
    let printed = ["<sip:[2001:db8::1];lr>", "<sip:192.0.2.1;lr>"];
    assert_eq!(between_families(both(), "[2001:db8::10]:5060"), [printed, printed]);
    assert_eq!(between_families(both(), "192.0.2.10:5060"), [[""; 0], [""; 0]], "it stays in its family");
    let named = vec![named("192.0.2.1:5060", "p.example.com"), named("[2001:db8::1]:5060", "p.example.com")];
    let one = ["<sip:p.example.com;lr>"];
    assert_eq!(between_families(named, "[2001:db8::10]:5060"), [one, one], "the name has both addresses");
}
