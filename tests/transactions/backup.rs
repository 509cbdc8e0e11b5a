//! Responses that cannot be sent where their request came from (RFC 3263 §5, RFC 6026 §8.8).

use crate::bench::{Bench, Told, host, ours, theirs};
use crate::streams;
use sansip::ServerTransactionId;
use sansip::{Answer, Asker, Change};

/// Where the request came from.
const SOURCE: &str = "192.0.2.8:5060";

/// An accepted request whose topmost Via has this sent-by, at a listener whose responses have backups.
fn with_request(method: &str, sent_by: &str) -> (Bench, ServerTransactionId, String) {
    let mut bench = Bench::new();
    has_backups(&mut bench);
    accepted(bench, method, sent_by)
}

fn accepted(mut bench: Bench, method: &str, sent_by: &str) -> (Bench, ServerTransactionId, String) {
    bench.services = true;
    let text = theirs(method, &format!("SIP/2.0/UDP {sent_by};rport;branch=z9hG4bKa"));
    bench.receive_from(SOURCE, &text);
    let server = bench.accept();
    (bench, server, text)
}

/// All listeners have `Listener::backups`.
pub(crate) fn has_backups(bench: &mut Bench) {
    let listeners: Vec<_> = bench.endpoint.listeners().map(|(id, listener)| (id, listener.clone())).collect();
    for (id, listener) in listeners {
        bench.endpoint.move_listener(bench.now, id, listener.with_backups()).expect("a listener");
    }
}

fn ip(text: &str) -> Answer {
    Answer::Address(text.parse().expect("an address"))
}

fn srv(priority: u16, target: &str) -> Answer {
    Answer::Srv { priority, weight: 0, port: 5070, target: target.into() }
}

fn destinations(bench: &Bench) -> Vec<&str> {
    bench.sent.iter().map(|sent| sent.to.as_str()).collect()
}

fn unsent(bench: &Bench) -> usize {
    bench.told.iter().filter(|(_, told)| *told == Told::Unsent).count()
}

#[test]
fn an_address_in_sent_by_is_the_backup_and_stays_the_way_for_what_follows() {
    let (mut bench, server, invite) = with_request("INVITE", "192.0.2.9:5072");
    bench.respond(server, 180);
    bench.unreachable(SOURCE);
    assert_eq!(destinations(&bench), [SOURCE, "192.0.2.9:5072"]);
    assert_eq!(bench.sent[0].text, bench.sent[1].text);
    bench.receive_from(SOURCE, &invite);
    bench.respond(server, 486);
    bench.run_to(500);
    assert_eq!(destinations(&bench)[2..], ["192.0.2.9:5072"; 3]);
    assert_eq!(unsent(&bench), 0);
    // When that fails too the user is told, the transaction stays, and the next goes where the request came from.
    bench.unreachable("192.0.2.9:5072");
    assert_eq!(unsent(&bench), 1);
    bench.run_to(1_500);
    assert_eq!(bench.last().to, SOURCE);
    bench.unreachable(SOURCE);
    assert_eq!(unsent(&bench), 2);
    assert_eq!(bench.endpoint.census().server_transactions, 1);
    assert!(bench.questions.is_empty());
}

#[test]
fn a_sent_by_that_is_the_source_is_no_backup() {
    let (mut bench, server, _) = with_request("INVITE", "192.0.2.8");
    bench.respond(server, 180);
    bench.unreachable(SOURCE);
    assert_eq!((destinations(&bench), unsent(&bench)), (vec![SOURCE], 1));
}

#[test]
fn a_name_with_a_port_has_the_addresses_of_the_name() {
    let (mut bench, server, _) = with_request("INVITE", "Proxy.Example.com:5072");
    bench.respond(server, 180);
    bench.unreachable(SOURCE);
    assert_eq!(bench.asked(), ["proxy.example.com"]);
    // A response that is sent meanwhile takes the old way.
    bench.respond(server, 183);
    assert_eq!(destinations(&bench), [SOURCE, SOURCE]);
    bench.answer("proxy.example.com", &[ip("192.0.2.11"), ip("192.0.2.12")]);
    assert_eq!(
        (bench.last().to.as_str(), bench.last().start_line()),
        ("192.0.2.11:5072", "SIP/2.0 183 Session Progress")
    );
    bench.unreachable("192.0.2.11:5072");
    assert_eq!((bench.last().to.as_str(), unsent(&bench)), ("192.0.2.12:5072", 0));
    bench.unreachable("192.0.2.12:5072");
    assert_eq!(unsent(&bench), 1);
    // Nobody is asked a second time.
    bench.respond(server, 180);
    bench.unreachable(SOURCE);
    assert_eq!((bench.asked().len(), unsent(&bench)), (0, 2));
}

#[test]
fn a_name_without_a_port_has_the_servers_of_its_service() {
    let (mut bench, server, _) = with_request("OPTIONS", "example.com");
    bench.respond(server, 200);
    bench.unreachable(SOURCE);
    bench.answer("SRV _sip._udp.example.com", &[srv(2, "b.example.com"), srv(1, "a.example.com")]);
    assert_eq!(bench.asked(), ["a.example.com", "b.example.com"]);
    bench.answer("b.example.com", &[ip("192.0.2.12")]);
    assert_eq!(destinations(&bench), [SOURCE]);
    bench.answer("a.example.com", &[ip("192.0.2.11")]);
    bench.unreachable("192.0.2.11:5070");
    assert_eq!(destinations(&bench), [SOURCE, "192.0.2.11:5070", "192.0.2.12:5070"]);
    bench.run_to(32_000);
    bench.assert_over();
}

#[test]
fn a_2xx_to_invite_has_backups_too() {
    let (mut bench, server, _) = with_request("INVITE", "192.0.2.9:5072");
    bench.respond(server, 200);
    bench.unreachable(SOURCE);
    bench.respond(server, 200);
    assert_eq!(destinations(&bench), [SOURCE, "192.0.2.9:5072", "192.0.2.9:5072"]);
}

#[test]
fn a_name_that_nobody_knows_is_told_and_one_that_is_never_answered_after_64_t1() {
    let (mut bench, server, _) = with_request("INVITE", "example.com:5072");
    bench.respond(server, 180);
    bench.unreachable(SOURCE);
    let mut silent = bench.clone();
    bench.answer("example.com", &[]);
    assert_eq!((unsent(&bench), bench.endpoint.census().queries), (1, 0));
    silent.run_to(31_999);
    assert_eq!(unsent(&silent), 0);
    silent.run_to(32_000);
    assert_eq!((unsent(&silent), silent.endpoint.census().queries), (1, 0));
}

#[test]
fn the_end_of_the_transaction_ends_the_search() {
    let (mut bench, server, _) = with_request("OPTIONS", "example.com");
    bench.respond(server, 200);
    bench.run_to(31_000);
    bench.unreachable(SOURCE);
    assert_eq!(bench.endpoint.census().queries, 1);
    bench.run_to(32_000);
    assert_eq!(bench.last_told().1, Told::Completed { acknowledged: true });
    bench.assert_over();
}

#[test]
fn over_tcp_the_backups_come_after_the_connection_to_the_source() {
    let (mut bench, tcp) = streams::bench();
    has_backups(&mut bench);
    bench.services = true;
    let connection = bench.accepted(tcp, "192.0.2.8:49152");
    bench.receive_along(connection, &theirs("OPTIONS", "SIP/2.0/TCP example.com;branch=z9hG4bKa"));
    let server = bench.accept();
    bench.change(connection, Change::Closed);
    bench.respond(server, 200);
    // Timer J is zero, but the response may still have to go elsewhere.
    bench.run_to(1_000);
    assert_eq!(bench.opened.last().map(|opened| opened.to.as_str()), Some("192.0.2.8:5060"));
    let connection = bench.opened[0].connection;
    bench.change(connection, Change::Failed);
    bench.answer("SRV _sip._tcp.example.com", &[srv(0, "a.example.com")]);
    bench.answer("a.example.com", &[ip("192.0.2.11")]);
    let connection = bench.open();
    assert_eq!((bench.last().to.as_str(), bench.last().flow.connection), ("192.0.2.11:5070", Some(connection)));
    assert_eq!(unsent(&bench), 0);
    bench.run_to(100_000);
    bench.assert_over();
}

#[test]
fn the_peer_whose_request_leads_to_a_question_is_behind_it_and_behind_those_that_follow() {
    let (mut bench, server, _) = with_request("OPTIONS", "example.com");
    bench.respond(server, 200);
    bench.unreachable(SOURCE);
    let peer = Asker::Peer("192.0.2.8".parse().expect("an address"));
    let (query, _) = bench.questions[0];
    assert_eq!(bench.endpoint.asker(query), Some(peer));
    bench.answer("SRV _sip._udp.example.com", &[srv(1, "a.example.com")]);
    assert_eq!(bench.asked(), ["a.example.com"]);
    let (query, _) = bench.questions[0];
    assert_eq!(bench.endpoint.asker(query), Some(peer));
    // A question of our own accord is not the peer's doing.
    while bench.endpoint.fire(bench.now) {}
    bench.request_to(&ours("OPTIONS"), host("chicago.example"));
    let (query, _) = bench.questions[1];
    assert_eq!(bench.endpoint.asker(query), Some(Asker::Own));
}

/// A stranger leads no response to anybody else: there is nothing but its own address, at the port of sent-by.
#[test]
fn without_backups_of_its_own_a_listener_tries_the_source_at_the_port_of_sent_by_alone() {
    for sent_by in ["203.0.113.9:5072", "victim.example.com:5072"] {
        let (mut bench, server, _) = accepted(Bench::new(), "INVITE", sent_by);
        bench.respond(server, 486);
        bench.unreachable(SOURCE);
        assert_eq!(destinations(&bench), [SOURCE, "192.0.2.8:5072"]);
        bench.unreachable("192.0.2.8:5072");
        assert_eq!((unsent(&bench), bench.questions.len()), (1, 0));
        bench.run_to(32_000);
        assert!(bench.sent.iter().all(|sent| sent.to.starts_with("192.0.2.8:")), "{:?}", destinations(&bench));
    }
    let (mut bench, tcp) = streams::bench();
    let connection = bench.accepted(tcp, "192.0.2.8:49152");
    bench.receive_along(connection, &theirs("OPTIONS", "SIP/2.0/TCP victim.example.com:5072;branch=z9hG4bKa"));
    let server = bench.accept();
    bench.change(connection, Change::Closed);
    bench.respond(server, 200);
    bench.change(bench.opened[0].connection, Change::Failed);
    let opened: Vec<&str> = bench.opened.iter().map(|opened| opened.to.as_str()).collect();
    assert_eq!((opened, unsent(&bench), bench.questions.len()), (vec!["192.0.2.8:5072"], 1, 0));
    bench.run_to(100_000);
    bench.assert_over();
}
