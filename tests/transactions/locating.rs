//! Locating servers while a request waits, and going from one to the next (RFC 3263 §4).

use crate::bench::{Bench, Told, address, answer, host, ours, request, their_via, theirs};
use sansip::message::header::Protocol;
use sansip::{Answer, Asker, Change, Config, Failure, Listener, NextHop, Seed};

/// A bench whose resolver knows NAPTR and SRV, with listeners of these protocols.
fn bench(protocols: &[Protocol]) -> Bench {
    bench_with(Config::new(Seed::from_u64(1)), protocols)
}

fn bench_with(config: Config, protocols: &[Protocol]) -> Bench {
    let mut bench = Bench::with(config);
    bench.services = true;
    for protocol in protocols {
        bench.endpoint.listen(match protocol {
            Protocol::Tcp => Listener::tcp(address("192.0.2.1:5060")),
            Protocol::Tls => Listener::tls(address("192.0.2.1:5061")),
            other => panic!("no {other} here"),
        });
    }
    bench
}

fn naptr(preference: u16, service: &str, replacement: &str) -> Answer {
    let (flags, service, replacement) = ("s".into(), service.into(), replacement.into());
    Answer::Naptr { order: 1, preference, flags, service, replacement }
}

fn srv(priority: u16, weight: u16, target: &str) -> Answer {
    Answer::Srv { priority, weight, port: 5060, target: target.into() }
}

fn ip(text: &str) -> Answer {
    Answer::Address(text.parse().expect("an address"))
}

fn uri(text: &str) -> NextHop {
    NextHop::of_uri(sansip::message::Uri::parse(text.as_bytes()).expect("a URI")).expect("a SIP URI")
}

#[test]
fn naptr_srv_and_addresses_are_asked_for_one_after_the_other() {
    let mut bench = bench(&[Protocol::Tcp]);
    bench.request_to(&ours("INVITE"), host("Example.COM"));
    assert_eq!(bench.asked(), ["NAPTR example.com"]);
    bench.answer("NAPTR example.com", &[naptr(1, "SIP+D2U", "_sip._udp.example.com.")]);
    assert_eq!(bench.asked(), ["SRV _sip._udp.example.com"]);
    bench.answer("SRV _sip._udp.example.com", &[srv(1, 0, "b.example.com."), srv(0, 0, "a.example.com.")]);
    assert_eq!(bench.asked(), ["a.example.com", "b.example.com"]);
    assert_eq!(bench.sent, []);
    // The best is known: what else there is need not be waited for.
    bench.answer("a.example.com", &[ip("192.0.2.11")]);
    assert_eq!(bench.last().to, "192.0.2.11:5060");
    // The Request-URI is not rewritten by what the resolver said.
    assert_eq!(bench.last().start_line(), "INVITE sip:bob@biloxi.com SIP/2.0");
    bench.answer("b.example.com", &[ip("192.0.2.12")]);
    assert_eq!(bench.sent.len(), 1);
    bench.unreachable("192.0.2.11:5060");
    assert_eq!(bench.last().to, "192.0.2.12:5060");
}

#[test]
fn from_tcp_to_udp_when_no_connection_can_be_opened() {
    let mut bench = bench(&[Protocol::Tcp]);
    bench.request_to(&ours("INVITE"), host("example.com"));
    let services = [naptr(1, "SIP+D2T", "_sip._tcp.example.com"), naptr(2, "SIP+D2U", "_sip._udp.example.com")];
    bench.answer("NAPTR example.com", &services);
    bench.answer("SRV _sip._tcp.example.com", &[srv(0, 0, "a.example.com")]);
    bench.answer("SRV _sip._udp.example.com", &[srv(0, 0, "a.example.com")]);
    bench.answer("a.example.com", &[ip("192.0.2.11")]);
    assert_eq!((bench.sent.len(), bench.opened.len()), (0, 1));
    let connection = bench.opened[0].connection;
    bench.change(connection, Change::Failed);
    assert!(bench.last().header("Via").starts_with("SIP/2.0/UDP 192.0.2.1;"));
    assert_eq!(bench.last().to, "192.0.2.11:5060");
    assert_eq!(bench.endpoint.stats().failovers, 1);
}

#[test]
fn a_503_over_tcp_goes_on_to_the_next_server_with_a_new_branch() {
    let mut bench = bench(&[Protocol::Tcp]);
    bench.request_to(&ours("INVITE"), uri("sip:example.com;transport=tcp"));
    bench.answer("SRV _sip._tcp.example.com", &[srv(0, 0, "a.example.com"), srv(1, 0, "b.example.com")]);
    bench.answer("a.example.com", &[ip("192.0.2.11")]);
    bench.answer("b.example.com", &[ip("192.0.2.12")]);
    let connection = bench.open();
    let first = bench.last().clone();
    bench.receive_along(connection, &answer(&first, 503));
    bench.open();
    assert_eq!(bench.last().to, "192.0.2.12:5060");
    assert_ne!(bench.last().branch(), first.branch());
    assert_eq!(bench.told, []);
}

#[test]
fn the_name_that_tls_must_prove_is_that_of_the_uri_not_of_the_server() {
    let mut bench = bench(&[Protocol::Tls]);
    bench.request_to(&ours("INVITE"), uri("sips:Example.com"));
    bench.answer("NAPTR example.com", &[naptr(1, "SIPS+D2T", "_sips._tcp.hosting.example.net")]);
    bench.answer("SRV _sips._tcp.hosting.example.net", &[srv(0, 0, "box7.hosting.example.net")]);
    bench.answer("box7.hosting.example.net", &[ip("192.0.2.11")]);
    let opened = &bench.opened[0];
    assert_eq!((opened.protocol, opened.server_name.as_deref()), (Protocol::Tls, Some("example.com")));
}

#[test]
fn without_tls_a_secure_request_goes_nowhere_and_nobody_is_asked() {
    let mut bench = bench(&[Protocol::Tcp]);
    bench.request_to(&ours("INVITE"), uri("sips:example.com"));
    bench.request_to(&ours("INVITE"), uri("sips:192.0.2.9"));
    assert_eq!(bench.asked(), <[&str; 0]>::default());
    assert_eq!(bench.whats(), [Told::Failed(Failure::Transport), Told::Failed(Failure::Transport)]);
    assert!(bench.sent.is_empty() && bench.opened.is_empty());
    bench.assert_over();
}

#[test]
fn a_resolver_that_knows_nothing_of_naptr_and_srv_leads_to_an_address_all_the_same() {
    let mut bench = bench(&[]);
    bench.request_to(&ours("INVITE"), host("example.com"));
    // A quarter of 64·T1 for each, and they count as unknown.
    bench.run_to(7_999);
    assert_eq!(bench.asked(), ["NAPTR example.com"]);
    bench.run_to(8_000);
    assert_eq!(bench.asked(), ["NAPTR example.com", "SRV _sip._udp.example.com"]);
    bench.run_to(16_000);
    assert_eq!(bench.asked()[2..], ["example.com"]);
    // An answer that comes later is nothing.
    bench.answer("NAPTR example.com", &[naptr(1, "SIP+D2U", "_sip._udp.example.net")]);
    bench.answer("example.com", &[ip("192.0.2.10")]);
    assert_eq!((bench.last().at, bench.last().to.as_str()), (16_000, "192.0.2.10:5060"));
}

#[test]
fn what_is_never_answered_fails_after_64_t1_in_all() {
    let mut bench = bench(&[]);
    bench.request_to(&ours("INVITE"), host("example.com"));
    bench.run_to(100_000);
    assert_eq!(bench.told, [(32_000, Told::Failed(Failure::Unresolved))]);
    for question in ["NAPTR example.com", "SRV _sip._udp.example.com", "example.com"] {
        bench.answer(question, &[ip("192.0.2.10")]);
    }
    assert_eq!(bench.sent, []);
    bench.assert_over();
}

#[test]
fn when_time_is_up_what_is_known_is_used() {
    let mut bench = bench(&[]);
    bench.request_to(&ours("INVITE"), uri("sip:example.com;transport=udp"));
    bench.answer("SRV _sip._udp.example.com", &[srv(0, 0, "a.example.com"), srv(1, 0, "b.example.com")]);
    bench.answer("b.example.com", &[ip("192.0.2.12")]);
    bench.run_to(31_999);
    assert_eq!(bench.sent, []);
    bench.run_to(32_000);
    assert_eq!(bench.last().to, "192.0.2.12:5060");
}

#[test]
fn a_failure_waits_for_the_address_of_the_next_server() {
    let mut bench = bench(&[]);
    let delivery = bench.request_to(&ours("INVITE"), uri("sip:example.com;transport=udp"));
    bench.answer("SRV _sip._udp.example.com", &[srv(0, 0, "a.example.com"), srv(1, 0, "b.example.com")]);
    bench.answer("a.example.com", &[ip("192.0.2.11")]);
    bench.unreachable("192.0.2.11:5060");
    assert_eq!(bench.told, []);
    let mut late = bench.clone();
    bench.run_to(100);
    bench.answer("b.example.com", &[ip("192.0.2.12")]);
    assert_eq!((bench.last().at, bench.last().to.as_str()), (100, "192.0.2.12:5060"));
    // It has none, or it is cancelled meanwhile.
    let mut cancelled = late.clone();
    late.answer("b.example.com", &[]);
    assert_eq!(late.whats(), [Told::Failed(Failure::Transport)]);
    late.assert_over();
    cancelled.cancel(delivery);
    assert_eq!(cancelled.whats(), [Told::Failed(Failure::Cancelled)]);
    cancelled.assert_over();
}

#[test]
fn nothing_is_asked_or_awaited_for_a_request_that_has_its_answer() {
    let mut bench = bench(&[]);
    bench.request_to(&ours("MESSAGE"), uri("sip:example.com;transport=udp"));
    bench.answer("SRV _sip._udp.example.com", &[srv(0, 0, "a.example.com"), srv(1, 0, "b.example.com")]);
    bench.answer("a.example.com", &[ip("192.0.2.11")]);
    assert_eq!(bench.endpoint.census().queries, 1);
    let sent = bench.last().clone();
    bench.receive_from("192.0.2.11:5060", &answer(&sent, 200));
    assert_eq!(bench.endpoint.census().queries, 0);
    bench.answer("b.example.com", &[ip("192.0.2.12")]);
    bench.run_to(100_000);
    assert_eq!(bench.whats(), [Told::Response(200), Told::Finished]);
    bench.assert_over();
}

#[test]
fn a_request_cancelled_while_its_servers_are_looked_for_is_forgotten() {
    let mut bench = bench(&[]);
    let delivery = bench.request_to(&ours("INVITE"), host("example.com"));
    bench.answer("NAPTR example.com", &[]);
    bench.cancel(delivery);
    assert_eq!(bench.whats(), [Told::Failed(Failure::Cancelled)]);
    bench.assert_over();
    bench.answer("SRV _sip._udp.example.com", &[srv(0, 0, "a.example.com")]);
    assert_eq!(bench.asked(), <[&str; 0]>::default());
}

#[test]
fn an_answer_counts_once() {
    let mut bench = bench(&[]);
    bench.request_to(&ours("INVITE"), uri("sip:example.com:5060"));
    let (query, _) = bench.questions[0];
    bench.answer("example.com", &[ip("192.0.2.10")]);
    bench.handle(sansip::Input::Resolved { query, answers: &[ip("192.0.2.66")] });
    bench.unreachable("192.0.2.10:5060");
    assert_eq!(bench.whats(), [Told::Failed(Failure::Transport)]);
    bench.assert_over();
}

/// The servers of `example.com` in a random order of answers, for one request.
fn first_server(bench: &mut Bench, turn: usize) -> String {
    let mut servers: Vec<Answer> = (1..=5).map(|n| srv(0, 10, &format!("s{n}.example.com"))).collect();
    servers.rotate_left(turn % 5);
    bench.answer("SRV _sip._udp.example.com", &servers);
    for n in 1..=5 {
        bench.answer(&format!("s{n}.example.com"), &[ip(&format!("192.0.2.{}", 10 + n))]);
    }
    bench.last().to.clone()
}

#[test]
fn the_same_seed_chooses_the_same_servers_and_another_seed_others() {
    let chosen = |seed: u64| {
        let mut bench = bench_with(Config::new(Seed::from_u64(seed)), &[]);
        let next = |turn| {
            bench.request_to(&ours("MESSAGE"), uri("sip:example.com;transport=udp"));
            first_server(&mut bench, turn)
        };
        (0..10).map(next).collect::<Vec<_>>()
    };
    assert_eq!(chosen(1), chosen(1));
    assert_ne!(chosen(1), chosen(2));
}

#[test]
fn what_is_forwarded_statelessly_goes_to_the_same_server_each_time() {
    let mut bench = bench(&[]);
    let mut chosen = Vec::new();
    for call in 0..20 {
        let via = their_via(&format!("z9hG4bK{call}"));
        // The INVITE, its retransmission, its CANCEL, and the ACK for a non-2xx final response.
        let servers = ["INVITE", "INVITE", "CANCEL", "ACK"].into_iter().enumerate().map(|(turn, method)| {
            let next_hop = uri("sip:example.com;transport=udp");
            bench.endpoint.relay(bench.now, request(&theirs(method, &via)), next_hop, "").expect("within limits");
            bench.collect();
            first_server(&mut bench, turn + call)
        });
        let servers: Vec<String> = servers.collect();
        assert!(servers.iter().all(|server| *server == servers[0]), "{servers:?}");
        chosen.push(servers[0].clone());
    }
    chosen.sort();
    chosen.dedup();
    assert_eq!(chosen.len(), 5);
    bench.assert_over();
}

#[test]
fn the_records_of_a_lying_resolver_cost_no_more_than_the_limits() {
    let mut bench = bench(&[]);
    bench.request_to(&ours("INVITE"), host("example.com"));
    let flood: Vec<Answer> = (0..60_000).map(|n| naptr(n, "SIP+D2U", &format!("_sip._udp.n{n}.example.com"))).collect();
    bench.answer("NAPTR example.com", &flood);
    assert_eq!(bench.endpoint.census().queries, 8);
    let open: Vec<String> = bench.asked().into_iter().map(String::from).collect();
    let flood: Vec<Answer> = (0..60_000).map(|n| srv(n, 1, &format!("h{n}.example.com"))).collect();
    for question in open {
        bench.answer(&question, &flood);
    }
    let open: Vec<String> = bench.asked().into_iter().map(String::from).collect();
    assert_eq!(open.len(), 7);
    let flood: Vec<Answer> = (0..60_000).map(|n| ip(&format!("10.0.{}.{}", n / 250, n % 250 + 1))).collect();
    for question in open {
        bench.answer(&question, &flood);
    }
    for _ in 0..20 {
        let last = bench.last().to.clone();
        bench.unreachable(&last);
    }
    bench.run_to(1_000_000);
    assert_eq!(bench.sent.iter().map(|sent| &sent.to).collect::<std::collections::BTreeSet<_>>().len(), 8);
    assert_eq!(bench.whats(), [Told::Failed(Failure::Transport)]);
    bench.assert_over();
}

#[test]
fn nobody_waits_for_an_answer_once_the_request_is_over_or_the_time_for_it() {
    // It is answered; the request is cancelled; NAPTR has a quarter of 64·T1.
    for end in ["answered", "cancelled", "too late"] {
        let mut bench = bench(&[Protocol::Tcp]);
        let delivery = bench.request_to(&ours("INVITE"), host("example.com"));
        let (query, _) = bench.questions[0];
        assert_eq!(bench.endpoint.asker(query), Some(Asker::Own));
        match end {
            "answered" => bench.answer("NAPTR example.com", &[]),
            "cancelled" => bench.cancel(delivery),
            _ => {
                bench.run_to(7_999);
                assert_eq!(bench.endpoint.asker(query), Some(Asker::Own));
                bench.run_to(8_000);
            }
        }
        assert_eq!(bench.endpoint.asker(query), None, "{end}");
    }
}
