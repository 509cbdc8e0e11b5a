//! Validation (RFC 3261 §16.3) and forwarding (§16.6).

use super::*;

#[test]
fn an_invite_is_tried_first_and_then_forwarded_as_in_the_rfc() {
    let mut bench = Bench::new();
    bench.register(1);
    let sent = bench.receive(ALICE, &invite());
    assert_eq!(summaries(&sent), ["100 192.0.2.1:5060", "INVITE 192.0.2.4:5060"]);
    // F2: Via, To, From, Call-ID and CSeq of the request, and nothing else.
    let via = "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8;received=192.0.2.1";
    let rest = [
        "To: Bob <sip:bob@biloxi.com>",
        "From: Alice <sip:alice@atlanta.com>;tag=1928301774",
        "Call-ID: a84b4c76e66710",
        "CSeq: 314159 INVITE",
    ];
    let trying = [&["SIP/2.0 100 Trying", via][..], &rest, &["Content-Length: 0"]].concat();
    assert_eq!(sorted_lines(&sent[0]), sorted(trying));
    // F5: the Request-URI, one more Via, one hop less, Max-Breadth.
    let own_via = format!("Via: SIP/2.0/UDP server10.biloxi.com;branch={}", branch(&sent[1]));
    let changed = ["INVITE sip:bob@192.0.2.4 SIP/2.0", &own_via, via, "Max-Forwards: 69", "Max-Breadth: 60"];
    let same = ["Contact: <sip:alice@pc33.atlanta.com>", "Content-Length: 0"];
    assert_eq!(sorted_lines(&sent[1]), sorted([&changed[..], &rest, &same].concat()));
    assert!(sent[1].values(HeaderId::Via)[0].contains("server10"));
}

fn sorted_lines(sent: &Sent) -> Vec<&str> {
    let text = core::str::from_utf8(sent.message.as_bytes()).unwrap();
    sorted(text.trim_end().split("\r\n").collect())
}

fn sorted(mut lines: Vec<&str>) -> Vec<&str> {
    lines.sort_unstable();
    lines
}

#[test]
fn only_an_invite_is_told_that_it_is_tried() {
    let mut bench = Bench::new();
    bench.register(1);
    assert_eq!(
        summaries(&bench.receive(ALICE, &request("MESSAGE", "sip:bob@biloxi.com", ""))),
        ["MESSAGE 192.0.2.4:5060"]
    );
}

#[test]
fn what_it_does_not_touch_is_forwarded_byte_for_byte() {
    let mut bench = Bench::new();
    bench.register(1);
    let odd =
        request("INVITE", "sip:bob@biloxi.com", "dATE:   not a date\n\t at all\nX-Odd:;;==\n").replace("        ", "");
    let odd = odd.replace('\n', "\r\n") + "\r\n\r\n";
    let sent = bench.receive_bytes(ALICE, odd.as_bytes());
    let text = String::from_utf8(sent[1].message.as_bytes().to_vec()).unwrap();
    assert!(text.contains("\r\ndATE:   not a date\r\n\t at all\r\nX-Odd:;;==\r\n"), "{text}");
}

#[test]
fn a_request_without_max_forwards_gets_seventy() {
    let mut bench = Bench::new();
    bench.register(1);
    let sent = bench.receive(ALICE, &invite().replace("Max-Forwards: 70\n", ""));
    assert_eq!(sent[1].values(HeaderId::MaxForwards), ["70"]);
}

#[test]
fn max_forwards_one_is_the_last_hop_and_zero_is_too_many() {
    let mut bench = Bench::new();
    bench.register(1);
    let sent = bench.receive(ALICE, &invite().replace("Max-Forwards: 70", "Max-Forwards: 1"));
    assert_eq!(sent[1].values(HeaderId::MaxForwards), ["0"]);
    let second = invite().replace("Max-Forwards: 70", "Max-Forwards: 0").replace("nashds8", "nashds9");
    let sent = bench.receive(ALICE, &second);
    assert_eq!(summaries(&sent), ["483 192.0.2.1:5060"]);
    assert!(sent[0].response().to_header().unwrap().tag().is_some());
    bench.comes_to_rest();
}

#[test]
fn options_for_the_server_itself_are_answered_even_at_the_last_hop() {
    let mut bench = Bench::new();
    for uri in ["sip:biloxi.com", "sip:server10.biloxi.com", "sip:192.0.2.3:5060"] {
        let text =
            request("OPTIONS", uri, "").replace("Max-Forwards: 70", "Max-Forwards: 0").replace("nashds8", &uri[4..9]);
        let sent = bench.receive(ALICE, &text);
        assert_eq!(summaries(&sent), ["200 192.0.2.1:5060"], "{uri}");
        assert!(sent[0].response().headers().contains(HeaderId::Accept));
        assert!(sent[0].response().headers().contains(HeaderId::Supported));
        // A proxy is method agnostic (§11.2).
        assert!(!sent[0].response().headers().contains(HeaderId::Allow));
    }
    bench.comes_to_rest();
}

/// RFC 3261 §16.3: Max-Forwards is for those who forward; a registrar and a server that answers by itself need none.
/// §16.3 step 3 and §11.
#[test]
fn options_whose_last_hop_this_is_are_answered_here() {
    let mut bench = Bench::new();
    bench.register(1);
    let options = request("OPTIONS", "sip:bob@biloxi.com", "").replace("Max-Forwards: 70", "Max-Forwards: 0");
    let sent = bench.receive(ALICE, &options);
    assert_eq!(summaries(&sent), ["200 192.0.2.1:5060"]);
    assert_eq!(sent[0].values(HeaderId::Supported), [""]);
    let demanding = options.replace("nashds8", "b").replace("CSeq", "Require: x\nCSeq");
    let sent = bench.receive(ALICE, &demanding);
    assert_eq!(summaries(&sent), ["420 192.0.2.1:5060"]);
    assert_eq!(sent[0].values(HeaderId::Unsupported), ["x"]);
}

/// §16.6: what is to blame is said.
#[test]
fn a_copy_that_cannot_be_written_is_500_and_says_why() {
    let mut bench = Bench::new();
    bench.bind(
        "<sip:bob@192.0.2.4;x=yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy>",
    );
    // As long as can be received; the contact and Max-Breadth are too much.
    let bare = request("INVITE", "sip:bob@biloxi.com", "Subject: \n");
    let length = bare.trim().lines().map(|line| line.trim().len() + 2).sum::<usize>() + 2;
    let fits = format!("Subject: {}\n", "x".repeat(65_500 - length));
    let sent = bench.receive(ALICE, &request("INVITE", "sip:bob@biloxi.com", &fits));
    assert_eq!(summaries(&sent[1..]), ["500 192.0.2.1:5060"]);
    assert_eq!(sent[1].response().reason(), b"Request too long for forwarding");
    bench.comes_to_rest();
}

#[test]
fn a_malformed_max_forwards_costs_the_request_only_where_it_would_be_forwarded() {
    for (odd, reason) in [
        ("Max-Forwards: 256", "Bad hop limit"),
        ("Max-Forwards:", "Bad hop limit"),
        ("Max-Forwards: 70\nMax-Forwards: 9", "Repeated hop limit"),
    ] {
        let mut bench = Bench::with(|settings| settings.proxy.record_route = true);
        bench.register(1);
        let forwarded = request("INVITE", "sip:bob@biloxi.com", "").replace("Max-Forwards: 70", odd);
        let sent = bench.receive(ALICE, &forwarded);
        assert_eq!(summaries(&sent), ["400 192.0.2.1:5060"], "{odd}");
        assert_eq!(sent[0].response().reason(), reason.as_bytes());
        // An ACK is lost, and a CANCEL of something else is not forwarded either.
        assert_eq!(summaries(&bench.receive(ALICE, &forwarded.replace("INVITE", "ACK").replace("hds8", "1"))), [""; 0]);
        let cancel = forwarded.replace("INVITE", "CANCEL").replace("hds8", "2");
        assert_eq!(summaries(&bench.receive(ALICE, &cancel)), ["400 192.0.2.1:5060"]);
        let own = request("OPTIONS", "sip:biloxi.com", "").replace("Max-Forwards: 70", odd).replace("hds8", "3");
        assert_eq!(summaries(&bench.receive(ALICE, &own)), ["200 192.0.2.1:5060"]);
        bench.comes_to_rest();
    }
}

#[test]
fn what_the_server_itself_has_no_use_for_is_405_or_501() {
    let mut bench = Bench::new();
    let sent = bench.receive(ALICE, &request("MESSAGE", "sip:biloxi.com", ""));
    assert_eq!(summaries(&sent), ["405 192.0.2.1:5060"]);
    assert_eq!(sent[0].values(HeaderId::Allow), ["OPTIONS, REGISTER"]);
    let sent = bench.receive(ALICE, &request("DANCE", "sip:biloxi.com", "").replace("nashds8", "nashds9"));
    assert_eq!(summaries(&sent), ["501 192.0.2.1:5060"]);
}

#[test]
fn an_unknown_proxy_require_is_listed_back() {
    let mut bench = Bench::new();
    bench.register(1);
    let sent =
        bench.receive(ALICE, &request("INVITE", "sip:bob@biloxi.com", "Proxy-Require: foo, bar\nProxy-Require: baz\n"));
    assert_eq!(summaries(&sent), ["420 192.0.2.1:5060"]);
    assert_eq!(sent[0].values(HeaderId::Unsupported), ["foo, bar, baz"]);
}

#[test]
fn a_scheme_that_is_not_sip_is_416() {
    let mut bench = Bench::with(|settings| settings.relay = true);
    for (uri, branch) in [("tel:+1-201-555-0123", "a"), ("nobodyKnowsThisScheme:totallyopaquecontent", "b")] {
        let sent = bench.receive(ALICE, &request("INVITE", uri, "").replace("nashds8", branch));
        assert_eq!(summaries(&sent), ["416 192.0.2.1:5060"], "{uri}");
    }
}

#[test]
fn max_breadth_is_passed_on_capped_and_never_two() {
    for (line, expected) in
        [("Max-Breadth: 7\n", "7"), ("Max-Breadth: 600\n", "60"), ("Max-Breadth: 9\nMax-Breadth: 8\n", "9")]
    {
        let mut bench = Bench::new();
        bench.register(1);
        let sent = bench.receive(ALICE, &request("INVITE", "sip:bob@biloxi.com", line));
        assert_eq!(sent[1].values(HeaderId::MaxBreadth), [expected], "{line}");
    }
}

#[test]
fn a_fork_shares_its_breadth_and_one_that_is_too_wide_goes_on_as_branches_end() {
    let mut bench = Bench::new();
    bench.register(3);
    let sent = bench.receive(ALICE, &request("INVITE", "sip:bob@biloxi.com", "Max-Breadth: 7\n"));
    let shares: Vec<String> = sent[1..].iter().flat_map(|sent| sent.values(HeaderId::MaxBreadth)).collect();
    assert_eq!(shares, ["3", "2", "2"]);
    let narrow = request("INVITE", "sip:bob@biloxi.com", "Max-Breadth: 2\n").replace("nashds8", "nashds9");
    let sent = bench.receive(ALICE, &narrow);
    assert_eq!(summaries(&sent), ["100 192.0.2.1:5060", "INVITE 192.0.2.4:5060", "INVITE 192.0.2.5:5060"]);
    assert_eq!(sent[1].values(HeaderId::MaxBreadth), ["1"]);
    // A branch that has its final response holds nothing (RFC 5393 §5.3.3.1).
    let sent = bench.answer(&sent[2], 486);
    assert_eq!(summaries(&sent), ["ACK 192.0.2.5:5060", "INVITE 192.0.2.6:5060"]);
    assert_eq!(sent[1].values(HeaderId::MaxBreadth), ["1"]);
    // No branch at all: neither at once nor one after the other.
    let none = request("INVITE", "sip:bob@biloxi.com", "Max-Breadth: 0\n").replace("nashds8", "nashds7");
    assert_eq!(summaries(&bench.receive(ALICE, &none)), ["100 192.0.2.1:5060", "440 192.0.2.1:5060"]);
}

#[test]
fn record_route_is_added_on_wish_before_the_others_and_only_where_it_has_a_meaning() {
    let mut bench = Bench::with(|settings| settings.proxy.record_route = true);
    bench.register(1);
    let more = "Record-Route: <sip:bigbox3.site3.atlanta.com;lr>\n";
    let sent = bench.receive(ALICE, &request("INVITE", "sip:bob@biloxi.com", more));
    assert_eq!(
        without_tokens(&sent[1].values(HeaderId::RecordRoute)),
        ["<sip:server10.biloxi.com;lr>", "<sip:bigbox3.site3.atlanta.com;lr>"]
    );
    let sent = bench.receive(ALICE, &request("MESSAGE", "sip:bob@biloxi.com", "").replace("nashds8", "nashds9"));
    assert_eq!(sent[0].values(HeaderId::RecordRoute), [""; 0]);
}

#[test]
fn a_request_that_comes_back_unchanged_has_looped() {
    let mut bench = Bench::with(|settings| {
        settings.routes.push(crate::server::Route {
            key: "*".parse().unwrap(),
            next_hop: "192.0.2.2:5060".parse::<SocketAddr>().unwrap().into(),
        });
    });
    let sent = bench.receive(ALICE, &request("INVITE", "sip:carol@chicago.com", ""));
    assert_eq!(summaries(&sent[1..]), ["INVITE 192.0.2.2:5060"]);
    // A hop further on sends it back to us: with another Via on top, one hop less.
    let text = String::from_utf8(sent[1].message.as_bytes().to_vec()).unwrap();
    let again = text.replacen("Via:", "Via: SIP/2.0/UDP bigbox3.site3.atlanta.com;branch=z9hG4bKback\r\nVia:", 1);
    let again = again.replace("Max-Forwards: 69", "Max-Forwards: 68");
    let looped = bench.receive_bytes("192.0.2.2:5060", again.as_bytes());
    assert_eq!(summaries(&looped), ["482 192.0.2.2:5060"]);
    // With another Request-URI it is a spiral, which is legitimate.
    let spiral =
        again.replace("sip:carol@chicago.com SIP", "sip:bob@atlanta.com SIP").replace("z9hG4bKback", "z9hG4bKmore");
    let spiraled = bench.receive_bytes("192.0.2.2:5060", spiral.as_bytes());
    assert_eq!(summaries(&spiraled), ["100 192.0.2.2:5060", "INVITE 192.0.2.2:5060"]);
}

#[test]
fn the_branch_differs_each_time_but_its_second_part_follows_the_routing() {
    let mut bench = Bench::new();
    bench.register(1);
    let first = bench.receive(ALICE, &invite());
    let second = bench.receive(ALICE, &invite().replace("nashds8", "nashds9"));
    let (first, second) = (branch(&first[1]), branch(&second[1]));
    assert_ne!(first, second);
    assert_eq!(first.rsplit_once('.').unwrap().1, second.rsplit_once('.').unwrap().1);
    let other = bench.receive(ALICE, &invite().replace("nashds8", "x").replace("314159 INVITE", "314160 INVITE"));
    assert_ne!(branch(&other[1]).rsplit_once('.').unwrap().1, second.rsplit_once('.').unwrap().1);
}

#[test]
fn above_the_limit_of_contexts_a_request_is_refused_and_the_calls_in_progress_go_on() {
    let mut bench = Bench::with(|settings| settings.proxy.limits.response_contexts = 1);
    bench.register(1);
    let first = bench.receive(ALICE, &invite());
    let refused = bench.receive(ALICE, &invite().replace("nashds8", "nashds9"));
    assert_eq!(summaries(&refused), ["503 192.0.2.1:5060"]);
    assert!(refused[0].response().headers().contains(HeaderId::RetryAfter));
    assert_eq!(summaries(&bench.answer(&first[1], 200)), ["200 192.0.2.1:5060"]);
    bench.comes_to_rest();
}

/// §16.6 steps 6 and 7: who has named a way that cannot be is to blame.
#[test]
fn a_way_that_cannot_be_is_400_where_the_request_names_it_and_500_where_a_contact_of_ours_does() {
    let mut bench = Bench::with(|settings| settings.relay = true);
    bench.bind("<sip:bob@192.0.2.4;transport=pigeon>");
    let pigeon = "Route: <sip:x;transport=pigeon;lr>\n";
    for (number, (uri, more, status, reason)) in [
        ("sip:x@192.0.2.9", pigeon, 400, "Bad list of proxies"),
        ("sip:bob@biloxi.com", pigeon, 400, "Bad list of proxies"),
        ("sip:x@192.0.2.9;transport=pigeon", "", 400, "Bad Request-URI"),
        ("sips:x@192.0.2.9;transport=udp", "", 400, "Bad Request-URI"),
        ("sip:bob@biloxi.com", "", 500, "Next hop cannot be reached"),
    ]
    .into_iter()
    .enumerate()
    {
        let text = request("MESSAGE", uri, more).replace("nashds8", &format!("b{number}"));
        let sent = bench.receive(ALICE, &text);
        assert_eq!(summaries(&sent), [format!("{status} {ALICE}")], "{uri} {more}");
        assert_eq!(sent[0].response().reason(), reason.as_bytes(), "{uri} {more}");
    }
    bench.comes_to_rest();
}
