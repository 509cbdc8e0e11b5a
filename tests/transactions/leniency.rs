//! Leniencies, and where each ends: `docs/decisions/leniency.md`.

use sansip::message::{HeaderId, UserPart};
use sansip::{Config, Seed};

use crate::bench::{Bench, Told, answer, ours, their_via, theirs};

/// The fate of a request in which a text stands for another: the method it arrives with, or the answer it gets.
fn fate(config: Config, from: &str, to: &str) -> String {
    let text = theirs("OPTIONS", &their_via("z9hG4bKa"));
    assert!(text.contains(from), "{from}");
    let mut bench = Bench::with(config);
    bench.receive(&text.replace(from, to));
    match bench.told.last() {
        Some((_, Told::Request(method))) => method.clone(),
        _ => bench.sent.last().map_or_else(String::new, |sent| sent.start_line().to_owned()),
    }
}

fn config() -> Config {
    Config::new(Seed::from_u64(1))
}

#[test]
fn what_an_endpoint_does_not_need_costs_nobody_a_request() {
    for (from, to) in [
        ("192.0.2.9;", "543dc521b9a2;"),
        ("sip:alice@192.0.2.1 ", "sip:alice@543dc521b9a2 "),
        ("sip:alice@192.0.2.1 ", "sip:alice@my_host.example.com "),
        ("tag=a6c85cf", "tag=a/b+c=="),
        ("tag=a6c85cf", "tag=x@y"),
        ("<sip:alice@atlanta.com>", "<sip:a|b@atlanta.com>"),
        ("Bob <sip:bob@biloxi.com>", "René <sip:@>"),
        ("Call-ID", "no colon\nCall-ID"),
        ("314159", "2147483648"),
        ("314159", "4294967295"),
        ("Call-ID", "Contact: <sip:a@b>;q=1.1, <sip:c@d>\nCall-ID"),
        ("Call-ID", "Subject: \0\nContact: \"\nCall-ID"),
    ] {
        assert_eq!(fate(config(), from, to), "OPTIONS", "{to}");
    }
}

#[test]
fn what_is_doubtful_is_answered_with_400() {
    for (from, to) in [
        ("sip:alice@192.0.2.1 ", "sip:alice@192.0.2.0x9 "),
        ("sip:alice@192.0.2.1 ", "sip:alice@192.0.2.256 "),
        ("tag=a6c85cf", "tag=a;tag=b"),
        ("tag=a6c85cf", "tag=\"a\""),
        ("<sip:alice@atlanta.com>", "\"Alice <sip:alice@atlanta.com>"),
        ("Alice <", "Alice, A. <"),
        ("Call-ID", "no colon\nnor here\nCall-ID"),
        ("Call-ID", "Route <sip:a>\nCall-ID"),
        ("314159", "4294967296"),
        ("sip:alice@192.0.2.1 ", "sip:*123#@192.0.2.1 "),
    ] {
        assert!(fate(config(), from, to).starts_with("SIP/2.0 400 "), "{to}");
    }
}

/// The choice of a telephone or a server: `#` in the user part, in the Request-URI and in every header, and written again.
#[test]
fn a_number_sign_is_a_choice() {
    let chosen = Config { user_part: UserPart::NumberSign, ..config() };
    assert_eq!(fate(chosen.clone(), "sip:alice@192.0.2.1 ", "sip:*123#@192.0.2.1 "), "OPTIONS");
    assert!(fate(chosen.clone(), "sip:alice@192.0.2.1 ", "sip:*123@192.0.2.1#x ").starts_with("SIP/2.0 400 "));
    let mut bench = Bench::with(chosen);
    let invite = theirs("OPTIONS", &their_via("z9hG4bKb"));
    bench.receive(&invite.replace("sip:alice@192.0.2.1 ", "sip:*123#@192.0.2.1 ").replace("sip:bob@", "sip:#@"));
    let request = &bench.arrivals.last().expect("a request").request;
    assert_eq!(request.uri().ok().and_then(|uri| uri.user()), Some("*123#"));
    assert_eq!(request.from().and_then(|from| from.uri.user()), Some("#"));
    let forwarded = request.edit().pop_first(HeaderId::Via).finish().expect("a copy");
    assert_eq!(forwarded.uri().ok().and_then(|uri| uri.user()), Some("*123#"));
}

/// RFC 3261 §18.3: over UDP a response that ends before its body does MUST be discarded, and the transaction goes on.
#[test]
fn a_response_shorter_than_its_content_length_is_dropped() {
    let mut bench = Bench::new();
    bench.request(&ours("OPTIONS"));
    let options = bench.last().clone();
    let short = answer(&options, 200).replace("Content-Length: 0", "Content-Length: 5") + "1234";
    bench.receive(&short);
    assert!(bench.told.is_empty());
    bench.receive(&(short + "5"));
    assert_eq!(bench.last_told().1, Told::Response(200));
}
