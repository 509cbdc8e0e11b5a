//! The registrar (RFC 3261 §10.3).

use super::*;
use crate::Endpoint;
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
    let mut bench = Bench::with(|settings| settings.relay = true);
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
    // §10.3 step 7: an hour is never too brief, however long the registrar wants contacts bound, and neither is an end.
    let mut bench = Bench::with(|settings| settings.registrar.min_expires = 7_200);
    let mut cseq = 0;
    let mut asks = |seconds: u32| {
        cseq += 1;
        register(&mut bench, "1", cseq, &format!("Contact: <sip:bob@192.0.2.4>;expires={seconds}\n"))
    };
    let hour = asks(3_600);
    assert_eq!((hour.status(), contacts(&hour)), (StatusCode::OK, ["<sip:bob@192.0.2.4>;expires=3600".into()].into()));
    let brief = asks(3_599);
    assert_eq!(brief.status().get(), 423);
    assert_eq!(values(&Message::Response(brief), HeaderId::MinExpires), ["7200"]);
    let end = asks(0);
    assert_eq!((end.status(), contacts(&end).len()), (StatusCode::OK, 0));
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
    // Bindings of another Call-ID are removed whatever the CSeq is.
    register(&mut bench, "1", 9, "Contact: <sip:bob@192.0.2.4>, <sip:bob@192.0.2.5>\n");
    let response = register(&mut bench, "2", 1, "Contact: *\nExpires: 0\n");
    assert_eq!((response.status(), contacts(&response).len(), bindings(&bench).len()), (StatusCode::OK, 0, 0));
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
    let lines = "Require: timer, path, x-what, outbound\nContact: <sip:bob@192.0.2.4>\n";
    let response = register(&mut bench, "1", 1, lines);
    assert_eq!(response.status(), StatusCode::BAD_EXTENSION);
    assert_eq!(values(&Message::Response(response), HeaderId::Unsupported), ["timer, x-what"]);
}

#[test]
fn the_limits_hold_and_change_nothing() {
    let limits = crate::registrar::Limits { addresses_of_record: 1, bindings: 2, ..Default::default() };
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

#[test]
fn a_preference_out_of_range_is_refused_and_changes_nothing() {
    let mut bench = Bench::new();
    for q in ["1.001", "2", "-1", "0.1234", "high", ""] {
        let lines = format!("Contact: <sip:bob@192.0.2.4>, <sip:bob@192.0.2.5>;q={q}\n");
        let response = register(&mut bench, "1", 1, &lines);
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{q}");
    }
    assert_eq!(bindings(&bench), [""; 0]);
}

#[test]
fn nobody_registers_another_unless_the_settings_allow_it() {
    let text = "REGISTER sip:biloxi.com SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKthird
        Max-Forwards: 70
        To: <sip:bob@biloxi.com>
        From: <sip:carol@biloxi.com>;tag=1
        Call-ID: 1
        CSeq: 1 REGISTER
        Contact: <sip:bob@192.0.2.4>
        Content-Length: 0";
    for (third_party, status) in [(false, 403), (true, 200)] {
        let mut bench = Bench::with(|settings| settings.registrar.third_party = third_party);
        assert_eq!(bench.receive(BOB, text)[0].response().status().get(), status);
        assert_eq!(bindings(&bench).len(), usize::from(third_party));
    }
    // From and To are compared in canonical form (§10.3 step 5).
    let same = text.replace("From: <sip:carol@biloxi.com>", "From: \"B\" <sips:%62ob@BILOXI.com:5060;x=y>");
    assert_eq!(Bench::new().receive(BOB, &same)[0].response().status(), StatusCode::OK);
}

#[test]
fn an_alias_of_the_domain_names_the_same_users() {
    let mut bench = Bench::with(|settings| {
        let alias =
            |name: &str| crate::server::Alias { name: name.parse().unwrap(), domain: "biloxi.com".parse().unwrap() };
        settings.aliases = ["biloxi.example", "192.0.2.3"].map(alias).into();
    });
    let by_alias = register_to(&mut bench, "sip:bob@biloxi.example", "1", 1, "Contact: <sip:bob@192.0.2.4>\n");
    assert_eq!(by_alias.status(), StatusCode::OK);
    assert_eq!(bindings(&bench), ["sip:bob@192.0.2.4"]);
    let by_address = register_to(&mut bench, "sip:bob@192.0.2.3", "1", 2, "Contact: <sip:bob@192.0.2.5>\n");
    assert_eq!(contacts(&by_address).len(), 2);
    let sent = bench.receive(ALICE, &request("INVITE", "sip:bob@BILOXI.example", ""));
    assert_eq!(summaries(&sent), ["100 192.0.2.1:5060", "INVITE 192.0.2.4:5060", "INVITE 192.0.2.5:5060"]);
}

#[test]
fn a_date_is_said_where_it_is_known() {
    let mut bench = Bench::new();
    let response = register(&mut bench, "1", 1, "");
    assert!(!response.headers().contains(HeaderId::Date));
    // RFC 3261 §20.17.
    let date = crate::message::header::Date::parse(b"Sat, 13 Nov 2010 23:29:00 GMT").unwrap();
    let mut config = Config::new(Seed::from_u64(1));
    config.date_of_zero = Some(date);
    let mut bench = Bench::of(config, |_| {});
    bench.wait(Duration::from_millis(60_999));
    let response = register(&mut bench, "1", 1, "");
    assert_eq!(values(&Message::Response(response), HeaderId::Date), ["Sat, 13 Nov 2010 23:30:00 GMT"]);
}

#[test]
fn a_contact_is_found_again_however_it_is_written() {
    let mut bench = Bench::with(|settings| settings.answer_octets = 4_000);
    for cseq in 0..16 {
        let lines = format!("Contact: <sip:bob@192.0.2.{};transport=udp>;x={cseq}\n", 100 + cseq);
        register(&mut bench, "1", cseq, &lines);
    }
    let lines = "Contact: <sip:%62ob@192.0.2.107;Transport=UDP;new=1>;q=0.5;expires=100\n";
    let response = register(&mut bench, "1", 16, lines);
    assert_eq!(contacts(&response).len(), 16);
    assert_eq!(contacts(&response)[7], "<sip:%62ob@192.0.2.107;Transport=UDP;new=1>;q=0.5;expires=100");
    // Twice in one request: the last one counts.
    let lines = "Contact: <sip:bob@192.0.2.107;transport=udp>, <sip:bob@192.0.2.107;transport=udp>;expires=0\n";
    assert_eq!(contacts(&register(&mut bench, "1", 17, lines)).len(), 15);
    let lines = "Contact: <sip:bob@192.0.2.1>, <sip:bob@192.0.2.1>;expires=90\n";
    assert_eq!(contacts(&register(&mut bench, "1", 18, lines))[15], "<sip:bob@192.0.2.1>;expires=90");
}

/// RFC 3327 §5.3, with the Path of its §5.5.1.
#[test]
fn the_path_is_kept_and_told_to_those_who_know_of_it() {
    let mut bench = Bench::new();
    let path = "Path: <sip:P3.EXAMPLEHOME.COM;lr>,<sip:P1.EXAMPLEVISITED.COM;lr>\n";
    let lines = format!("{path}Contact: <sip:bob@192.0.2.4>\n");
    let response = register(&mut bench, "1", 1, &lines);
    assert_eq!(response.status(), StatusCode::BAD_EXTENSION);
    assert_eq!(values(&Message::Response(response), HeaderId::Unsupported), ["path"]);
    let response = register(&mut bench, "1", 2, &format!("Supported: path\n{lines}"));
    let told = values(&Message::Response(response), HeaderId::Path);
    assert_eq!(told, ["<sip:P3.EXAMPLEHOME.COM;lr>,<sip:P1.EXAMPLEVISITED.COM;lr>"]);
    let way = bench.server.bindings("bob@biloxi.com")[0].way().unwrap().clone();
    let path: Vec<String> = way.path.iter().map(ToString::to_string).collect();
    assert_eq!(path, ["sip:P3.EXAMPLEHOME.COM;lr", "sip:P1.EXAMPLEVISITED.COM;lr"]);
    let bad = "Supported: path\nPath: P1.EXAMPLEVISITED.COM\nContact: <sip:bob@192.0.2.4>\n";
    assert_eq!(register(&mut bench, "1", 3, bad).status(), StatusCode::BAD_REQUEST);
}

const INSTANCE: &str = "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"";

/// RFC 5626 §6, as in its §9.2: the registrar is the first hop here.
#[test]
fn an_instance_has_a_binding_for_each_of_its_flows() {
    let mut bench = Bench::new();
    let bind = |bench: &mut Bench, call_id: &str, cseq, host: &str, reg_id| {
        let lines =
            format!("Supported: path, outbound\nContact: <sip:bob@{host};transport=tcp>;reg-id={reg_id};{INSTANCE}\n");
        register(bench, call_id, cseq, &lines)
    };
    let response = bind(&mut bench, "16CB75F21C70", 1, "192.0.2.2", 1);
    assert_eq!(values(&Message::Response(response.clone()), HeaderId::Require), ["outbound"]);
    assert_eq!(contacts(&response), [format!("<sip:bob@192.0.2.2;transport=tcp>;reg-id=1;{INSTANCE};expires=3600")]);
    let response = bind(&mut bench, "E05133BD26DD", 1, "192.0.2.2", 2);
    assert_eq!(contacts(&response).len(), 2);
    // The contact may change: the binding is that of the instance and the flow's number.
    let response = bind(&mut bench, "16CB75F21C70", 2, "192.0.2.77", 1);
    assert_eq!(contacts(&response).len(), 2);
    assert!(contacts(&response)[0].starts_with("<sip:bob@192.0.2.77;"));
    let way = bench.server.bindings("bob@biloxi.com")[0].way().unwrap().clone();
    assert!(way.only_flow && way.flow.unwrap().remote == BOB.parse().unwrap());
}

#[test]
fn a_flow_number_counts_only_with_an_instance_and_alone() {
    let mut bench = Bench::new();
    // Without an instance it is ignored, and the contact counts.
    let response = register(&mut bench, "1", 1, "Supported: outbound\nContact: <sip:bob@192.0.2.4>;reg-id=1\n");
    assert!(!response.headers().contains(HeaderId::Require));
    let response = register(&mut bench, "1", 2, "Supported: outbound\nContact: <sip:bob@192.0.2.5>;reg-id=1\n");
    assert_eq!(contacts(&response).len(), 2);
    let several = format!("Contact: <sip:bob@192.0.2.6>;reg-id=1;{INSTANCE}, <sip:bob@192.0.2.7>\n");
    assert_eq!(register(&mut bench, "1", 3, &several).status(), StatusCode::BAD_REQUEST);
    let one_ends = format!("Contact: <sip:bob@192.0.2.6>;reg-id=1;{INSTANCE}, <sip:bob@192.0.2.5>;expires=0\n");
    assert_eq!(contacts(&register(&mut bench, "1", 4, &one_ends)).len(), 2);
}

/// RFC 5626 §6 and §11.6: the proxy in between has to keep the flow.
#[test]
fn a_proxy_in_between_that_keeps_no_flows_is_told_of() {
    let through = |supported: &str, path: &str| {
        format!(
            "REGISTER sip:biloxi.com SIP/2.0
            Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKnuiqisi
            Via: SIP/2.0/TCP 192.0.2.2;branch=z9hG4bKnashds7
            Max-Forwards: 69
            From: Bob <sip:bob@biloxi.com>;tag=7F94778B653B
            To: Bob <sip:bob@biloxi.com>
            Call-ID: 16CB75F21C70
            CSeq: 1 REGISTER
            {supported}{path}Contact: <sip:bob@192.0.2.2;transport=tcp>;reg-id=1;{INSTANCE}
            Content-Length: 0"
        )
    };
    const EDGE: &str = "Path: <sip:VskztcQ/S8p4WPbOnHbuyh5iJvJIW3ib@ep1.example.com;lr;ob>\n";
    const OTHER: &str = "Path: <sip:ep1.example.com;lr>\n";
    for (supported, path, status, requires) in [
        ("Supported: path, outbound\n", EDGE, 200, true),
        ("Supported: path, outbound\n", OTHER, 439, false),
        ("Supported: outbound\n", "", 439, false),
        ("Supported: path\n", OTHER, 200, false),
        ("", "", 200, false),
    ] {
        let mut bench = Bench::new();
        let sent = bench.receive("192.0.2.15:5060", &through(supported, path));
        let response = sent[0].response();
        assert_eq!(response.status().get(), status, "{supported}{path}");
        assert_eq!(response.headers().contains(HeaderId::Require), requires, "{supported}{path}");
    }
}

/// A stranger who asks over UDP gets no more than a few octets beyond what he has sent; those whom he has just bound come before others (a departure from
/// RFC 3261 §10.3 step 8).
#[test]
fn contacts_that_a_stranger_could_send_to_anybody_are_left_out_and_those_of_the_request_last() {
    let bind = |bench: &mut Bench, cseq: u32| {
        let contact = format!("Contact: <sip:{}@192.0.2.{}>\n", "b".repeat(200), 100 + cseq);
        register(bench, "1", cseq, &contact)
    };
    let mut bench = Bench::with(|settings| settings.answer_octets = Endpoint::ANSWER_GROWTH + 500);
    let all: Vec<usize> = (1..=6).map(|cseq| contacts(&bind(&mut bench, cseq)).len()).collect();
    assert_eq!((&all[..], bindings(&bench).len()), (&[1, 2, 2, 2, 2, 2][..], 6));
    for cseq in [7, 8] {
        // A refresh of the fourth, and of one that is new.
        let number = if cseq == 7 { 104 } else { 108 };
        let lines = format!("Contact: <sip:{}@192.0.2.{number}>\n", "b".repeat(200));
        let listed = contacts(&register(&mut bench, "1", cseq, &lines));
        assert!(listed.len() == 2 && listed[0].contains(&format!("@192.0.2.{number}>")), "{listed:?}");
    }
    assert_eq!(contacts(&register(&mut bench, "1", 9, "")).len(), 2, "a query");
    // Over a connection nobody can pretend to be somebody else.
    let tcp = bench.server.listen(Listener::tcp(OUR_ADDRESS.parse().unwrap()));
    let connection = bench.server.reserve();
    let remote = "192.0.2.4:40000".parse().unwrap();
    bench.server.handle(bench.now, Input::Accepted { connection, listener: tcp, remote });
    let text = "REGISTER sip:biloxi.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.4;branch=z9hG4bKtcp\r\nMax-Forwards: 70\r\n\
                To: <sip:bob@biloxi.com>\r\nFrom: <sip:bob@biloxi.com>;tag=1\r\nCall-ID: 2\r\nCSeq: 1 REGISTER\r\n\
                Content-Length: 0\r\n\r\n";
    bench.server.handle(bench.now, Input::Stream { connection, bytes: text.as_bytes() });
    assert_eq!(contacts(bench.drain()[0].response()).len(), 7);
}
