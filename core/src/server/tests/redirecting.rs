//! The redirect server (RFC 3261 §8.3).

use super::*;

fn bench() -> Bench {
    Bench::with(|settings| settings.redirect = true)
}

#[test]
fn a_caller_is_told_the_contacts_and_how_much_each_is_preferred() {
    let mut bench = bench();
    bench.bind(
        "<sip:bob@192.0.2.4>;q=0.25, <sip:bob@192.0.2.5>, <sip:bob@chicago.com:5070;transport=tcp>;q=0.9;expires=600",
    );
    let sent = bench.receive(ALICE, &invite());
    assert_eq!(summaries(&sent), ["302 192.0.2.1:5060"]);
    assert_eq!(
        sent[0].values(HeaderId::Contact),
        [
            "<sip:bob@192.0.2.5>;q=1;expires=3600",
            "<sip:bob@chicago.com:5070;transport=tcp>;q=0.9;expires=600",
            "<sip:bob@192.0.2.4>;q=0.25;expires=3600"
        ]
    );
    let told = bench.events.iter().any(|event| {
        matches!(event, Event::Redirected { address_of_record, contacts }
            if &**address_of_record == "bob@biloxi.com" && contacts.len() == 3)
    });
    assert!(told);
    assert!(bench.receive(ALICE, &invite().replace("INVITE", "ACK")).is_empty());
    bench.comes_to_rest();
}

#[test]
fn a_cancel_is_answered() {
    let mut bench = bench();
    bench.register(1);
    bench.receive(ALICE, &invite());
    let sent = bench.receive(ALICE, &invite().replace("INVITE", "CANCEL").replace("Contact", "X-Contact"));
    assert_eq!(summaries(&sent), ["200 192.0.2.1:5060"]);
    let unknown = invite().replace("INVITE", "CANCEL").replace("nashds8", "nashds9");
    assert_eq!(summaries(&bench.receive(ALICE, &unknown)), ["481 192.0.2.1:5060"]);
}

#[test]
fn methods_extensions_and_headers_that_are_not_known_do_not_matter() {
    let mut bench = bench();
    bench.register(1);
    let more = "Require: x-what\nProxy-Require: x-what\nX-Header: 1\nMax-Forwards: 0\n";
    for (place, method) in ["INVITE", "OPTIONS", "PUBLISH", "FROBNICATE"].into_iter().enumerate() {
        let text = request(method, "sip:bob@biloxi.com", more).replace("Max-Forwards: 70\n", "");
        let sent = bench.receive(ALICE, &text.replace("nashds8", &format!("m{place}")));
        assert_eq!(summaries(&sent), ["302 192.0.2.1:5060"], "{method}");
    }
}

#[test]
fn nobody_is_redirected_to_where_the_request_was_going() {
    let mut bench = bench();
    bench.bind("<sip:bob@biloxi.com>, <sip:bob@192.0.2.4>");
    let sent = bench.receive(ALICE, &invite());
    assert_eq!(sent[0].values(HeaderId::Contact), ["<sip:bob@192.0.2.4>;q=1;expires=3600"]);
    let mut bench = self::bench();
    bench.bind("<sip:bob@biloxi.com>");
    assert_eq!(summaries(&bench.receive(ALICE, &invite())), ["480 192.0.2.1:5060"]);
}

#[test]
fn who_is_not_known_or_not_there_is_not_redirected() {
    let mut bench = bench();
    assert_eq!(summaries(&bench.receive(ALICE, &invite())), ["404 192.0.2.1:5060"]);
    bench.register(1);
    // RFC 3261 §26.2.2: a SIPS URI has SIPS contacts.
    let secure = invite().replace("INVITE sip:", "INVITE sips:").replace("nashds8", "s");
    let sent = bench.receive(ALICE, &secure);
    assert_eq!(summaries(&sent), ["480 192.0.2.1:5060"]);
    assert_eq!(sent[0].values(HeaderId::Warning), ["380 server10.biloxi.com \"SIPS Not Allowed\""]);
    // Elsewhere this server is a proxy.
    let settings = bench.server.settings().clone();
    bench.server.set_settings(bench.now, Settings { relay: true, ..settings }).unwrap();
    let sent = bench.receive(ALICE, &request("OPTIONS", "sip:chicago.com", "").replace("nashds8", "p"));
    assert_eq!(summaries(&sent), ["OPTIONS 192.0.2.50:5060"]);
}

/// RFC 3841 §7.1 and §9.1.
#[test]
fn a_caller_who_wants_it_is_redirected_within_this_domain_alone() {
    let ask = |bench: &mut Bench, uri: &str, words: &str| {
        let more = format!("Request-Disposition: {words}\n        ");
        summaries(&bench.receive(ALICE, &request("INVITE", uri, &more)))
    };
    let mut bench = Bench::new();
    bench.register(1);
    assert_eq!(ask(&mut bench, "sip:bob@biloxi.com", "redirect"), ["302 192.0.2.1:5060"]);
    for (uri, words, to) in [
        ("sip:bob@biloxi.com", "proxy", BOB),
        ("sip:bob@biloxi.com", "redirect, proxy", BOB),
        ("sip:bob@chicago.com", "redirect", "192.0.2.50:5060"),
    ] {
        let mut bench = Bench::with(|settings| settings.relay = true);
        bench.register(1);
        assert_eq!(ask(&mut bench, uri, words), ["100 192.0.2.1:5060".into(), format!("INVITE {to}")], "{words}");
    }
    let mut deaf = Bench::with(|settings| settings.proxy.caller_decides = false);
    deaf.register(1);
    assert_eq!(ask(&mut deaf, "sip:bob@biloxi.com", "redirect").len(), 2);
}

#[test]
fn strangers_are_not_told_the_contacts_of_users() {
    use crate::auth::Secret;
    let user = || crate::server::User {
        name: "bob".into(),
        domain: "biloxi.com".parse().unwrap(),
        secret: Secret::password("zanzibar"),
    };
    let mut bench = Bench::new();
    bench.register(1);
    let settings = Settings { users: [user()].into(), ..bench.server.settings().clone() };
    bench.server.set_settings(bench.now, settings).unwrap();
    let more = "Request-Disposition: redirect\n        ";
    let sent = bench.receive(ALICE, &request("INVITE", "sip:bob@biloxi.com", more));
    assert_eq!(summaries(&sent), ["100 192.0.2.1:5060".into(), format!("INVITE {BOB}")]);
}
