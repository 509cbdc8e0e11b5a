//! The registrar (RFC 3261 §10.3).

use super::*;
use crate::registrar::Change;

/// A REGISTER of bob@biloxi.com; each one with a branch of its own.
fn register(bench: &mut Bench, call_id: &str, cseq: u32, lines: &str) -> Response {
    register_to(bench, "sip:bob@biloxi.com", call_id, cseq, lines)
}

fn register_to(bench: &mut Bench, to: &str, call_id: &str, cseq: u32, lines: &str) -> Response {
    let number = bench.server.endpoint().stats().received;
    let text = format!(
        "REGISTER sip:registrar.biloxi.com SIP/2.0
        Via: SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bK{number}
        Max-Forwards: 70
        To: Bob <{to}>
        From: Bob <{to}>;tag=456248
        Call-ID: {call_id}
        CSeq: {cseq} REGISTER
        {lines}Content-Length: 0"
    );
    let sent = bench.receive(BOB, &text);
    assert_eq!(sent.len(), 1, "{sent:?}");
    sent[0].response().clone()
}

fn contacts(response: &Response) -> Vec<String> {
    values(&Message::Response(response.clone()), HeaderId::Contact)
}

fn bindings(bench: &Bench) -> Vec<String> {
    bench.server.bindings("bob@biloxi.com").iter().map(|binding| binding.contact.to_string()).collect()
}

/// RFC 3261 §24.1.
#[test]
fn bob_registers_as_in_the_rfc() {
    let mut bench = Bench::new();
    let response =
        register(&mut bench, "843817637684230@998sdasdh09", 1826, "Contact: <sip:bob@192.0.2.4>\nExpires: 7200\n");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(contacts(&response), ["<sip:bob@192.0.2.4>;expires=7200"]);
    assert!(response.to_header().unwrap().tag().is_some());
    assert!(
        matches!(&bench.events[..], [Event::Binding(Change::Bound { address_of_record, .. })] if &**address_of_record == "bob@biloxi.com")
    );
    // A binding is a holding, not business.
    bench.wait(Duration::from_secs(64));
    assert!(bench.server.is_idle());
}

#[test]
fn a_register_is_served_at_the_last_hop_and_keeps_its_record_route_to_itself() {
    let mut bench = Bench::new();
    let text = "REGISTER sip:192.0.2.3 SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKr
        Route: <sip:server10.biloxi.com;lr>
        Record-Route: <sip:p1.example.com;lr>
        Max-Forwards: 0
        To: <sip:bob@biloxi.com>
        From: <sip:bob@biloxi.com>;tag=1
        Call-ID: 1
        CSeq: 1 REGISTER
        Contact: <sip:bob@192.0.2.4>
        Content-Length: 0";
    let sent = bench.receive(BOB, text);
    assert_eq!(summaries(&sent), ["200 192.0.2.4:5060"]);
    assert!(!sent[0].response().headers().contains(HeaderId::RecordRoute));
    assert_eq!(bindings(&bench), ["sip:bob@192.0.2.4"]);
}

#[test]
fn a_register_for_another_domain_is_forwarded_there() {
    let mut bench = Bench::new();
    let text = request("REGISTER", "sip:chicago.com", "");
    assert_eq!(summaries(&bench.receive(ALICE, &text)), ["REGISTER 192.0.2.50:5060"]);
}

#[test]
fn each_contact_has_its_own_time_and_the_header_and_the_default_serve_the_rest() {
    let mut bench = Bench::new();
    let lines = "Contact: <sip:bob@192.0.2.4>;expires=100;q=0.5, <sip:bob@192.0.2.5>\nExpires: 200\n";
    assert_eq!(
        contacts(&register(&mut bench, "1", 1, lines)),
        ["<sip:bob@192.0.2.4>;q=0.5;expires=100", "<sip:bob@192.0.2.5>;expires=200"]
    );
    let response = register(&mut bench, "1", 2, "Contact: <sip:bob@192.0.2.6>\n");
    assert_eq!(contacts(&response)[2], "<sip:bob@192.0.2.6>;expires=3600");
    bench.wait(Duration::from_millis(99_500));
    // A query lists what is left, in whole seconds begun.
    let left = contacts(&register(&mut bench, "1", 3, ""));
    assert_eq!(left[..2], ["<sip:bob@192.0.2.4>;q=0.5;expires=1", "<sip:bob@192.0.2.5>;expires=101"]);
    bench.wait(Duration::from_millis(500));
    assert_eq!(bindings(&bench), ["sip:bob@192.0.2.5", "sip:bob@192.0.2.6"]);
    assert!(
        matches!(bench.events.last(), Some(Event::Binding(Change::Unbound { contact, .. })) if contact.to_string() == "sip:bob@192.0.2.4")
    );
}

#[test]
fn times_are_bounded_from_below_and_above() {
    let mut bench = Bench::new();
    let response = register(&mut bench, "1", 1, "Contact: <sip:bob@192.0.2.4>;expires=59\n");
    assert_eq!(response.status().get(), 423);
    assert_eq!(values(&Message::Response(response), HeaderId::MinExpires), ["60"]);
    assert_eq!(bindings(&bench), [""; 0]);
    let response = register(&mut bench, "1", 1, "Contact: <sip:bob@192.0.2.4>;expires=4294967295\n");
    assert_eq!(contacts(&response), ["<sip:bob@192.0.2.4>;expires=86400"]);
    // §10.2.1.1: what cannot be read counts as an hour.
    let response = register(&mut bench, "1", 2, "Contact: <sip:bob@192.0.2.4>;expires=soon\n");
    assert_eq!(contacts(&response), ["<sip:bob@192.0.2.4>;expires=3600"]);
}

#[test]
fn expires_zero_removes_one_and_star_removes_all() {
    let mut bench = Bench::new();
    register(&mut bench, "1", 1, "Contact: <sip:bob@192.0.2.4>, <sip:bob@192.0.2.5>, <sip:bob@192.0.2.6>\n");
    // The RFC's URI equality: the host has no case, the default is not written.
    let response = register(&mut bench, "1", 2, "Contact: <sip:%62ob@192.0.2.5>;expires=0\n");
    assert_eq!(contacts(&response), ["<sip:bob@192.0.2.4>;expires=3600", "<sip:bob@192.0.2.6>;expires=3600"]);
    let response = register(&mut bench, "1", 3, "Contact: *\nExpires: 0\n");
    assert_eq!((response.status(), contacts(&response).len()), (StatusCode::OK, 0));
    assert_eq!(bindings(&bench), [""; 0]);
}

#[test]
fn star_must_be_alone_and_with_expires_zero() {
    let mut bench = Bench::new();
    register(&mut bench, "1", 1, "Contact: <sip:bob@192.0.2.4>\n");
    for lines in [
        "Contact: *\n",
        "Contact: *\nExpires: 60\n",
        "Contact: *, <sip:bob@192.0.2.5>\nExpires: 0\n",
        "Contact: <sip:bob@192.0.2.5>\nContact: *\nExpires: 0\n",
    ] {
        assert_eq!(register(&mut bench, "1", 2, lines).status(), StatusCode::BAD_REQUEST, "{lines}");
    }
    assert_eq!(bindings(&bench), ["sip:bob@192.0.2.4"]);
}

#[test]
fn an_older_register_of_the_same_call_id_fails_as_a_whole() {
    let mut bench = Bench::new();
    register(&mut bench, "1", 5, "Contact: <sip:bob@192.0.2.4>\n");
    for (cseq, lines) in [
        (5, "Contact: <sip:bob@192.0.2.4>\n"),
        (4, "Contact: <sip:bob@192.0.2.5>, <sip:bob@192.0.2.4>;expires=0\n"),
        (5, "Contact: *\nExpires: 0\n"),
    ] {
        assert_eq!(register(&mut bench, "1", cseq, lines).status().get(), 500, "{lines}");
        assert_eq!(bindings(&bench), ["sip:bob@192.0.2.4"]);
    }
    // Another Call-ID (the phone was restarted) has no order with it.
    assert_eq!(register(&mut bench, "2", 1, "Contact: <sip:bob@192.0.2.4>;expires=0\n").status(), StatusCode::OK);
    assert_eq!(bindings(&bench), [""; 0]);
}

#[test]
fn only_an_address_of_record_of_this_domain_is_bound() {
    let mut bench = Bench::new();
    for to in ["sip:bob@chicago.com", "sip:biloxi.com", "sip:bob@192.0.2.3"] {
        let response = register_to(&mut bench, to, "1", 1, "Contact: <sip:bob@192.0.2.4>\n");
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{to}");
    }
    // RFC 4475 §3.3.4: To must be a SIP or SIPS URI.
    let response = register_to(&mut bench, "tel:+1-201-555-0123", "1", 1, "Contact: <sip:bob@192.0.2.4>\n");
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    // The canonical form: no escapes, no parameters, no case in the host.
    let response = register_to(&mut bench, "sip:%62ob@BILOXI.com;user=phone", "1", 1, "Contact: <sip:bob@192.0.2.4>\n");
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(bindings(&bench), ["sip:bob@192.0.2.4"]);
}

#[test]
fn an_extension_that_is_required_is_refused() {
    let mut bench = Bench::new();
    let response = register(&mut bench, "1", 1, "Require: path, outbound\nContact: <sip:bob@192.0.2.4>\n");
    assert_eq!(response.status(), StatusCode::BAD_EXTENSION);
    assert_eq!(values(&Message::Response(response), HeaderId::Unsupported), ["path, outbound"]);
}

#[test]
fn the_limits_hold_and_change_nothing() {
    let limits = crate::registrar::Limits { addresses_of_record: 1, bindings: 2 };
    let mut bench = Bench::with(|settings| settings.registrar.limits = limits);
    register(&mut bench, "1", 1, "Contact: <sip:bob@192.0.2.4>, <sip:bob@192.0.2.5>\n");
    assert_eq!(register(&mut bench, "1", 2, "Contact: <sip:bob@192.0.2.6>\n").status(), StatusCode::FORBIDDEN);
    let other = register_to(&mut bench, "sip:carol@biloxi.com", "1", 1, "Contact: <sip:carol@192.0.2.7>\n");
    assert_eq!(other.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(other.headers().contains(HeaderId::RetryAfter));
    assert_eq!(bindings(&bench), ["sip:bob@192.0.2.4", "sip:bob@192.0.2.5"]);
    // One that takes the place of another fits.
    let lines = "Contact: <sip:bob@192.0.2.4>;expires=0, <sip:bob@192.0.2.6>\n";
    assert_eq!(register(&mut bench, "1", 3, lines).status(), StatusCode::OK);
    let long = format!("Contact: <sip:{}@192.0.2.4>\n", "b".repeat(20_000));
    assert_eq!(register(&mut bench, "1", 4, &long).status(), StatusCode::FORBIDDEN);
}
