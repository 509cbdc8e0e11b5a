//! Limits of the lower layers where no other file of this folder meets them, and their defaults.

use sansip::{
    Answer, CommandError, Config, Duration, Limits, NextHop, Seed, Tag, endpoint, message, transaction, transport,
};

use crate::bench::{Bench, HERE, THERE, address, ours, request, theirs};

fn bench(set: impl FnOnce(&mut Limits)) -> Bench {
    let mut config = Config::new(Seed::from_u64(1));
    config.rport = false;
    set(&mut config.limits);
    Bench::with(config)
}

/// Every field is named here: a new one does not compile until somebody has thought of its default, and of a test that meets it.
#[test]
fn the_defaults_are_those_of_the_documentation() {
    let endpoint::Limits {
        message,
        transport,
        transaction,
        deliveries,
        waiting_relays,
        refused_branches,
        drops,
        drop_octets,
    } = Limits::default();
    assert_eq!((deliveries, waiting_relays, refused_branches), (1_000_000, 1_000, 1_024));
    assert_eq!((drops, drop_octets), (64, 2_048));
    let message::Limits { start_line, header_section, headers, body, via_values, parameters, parts } = message;
    assert_eq!((start_line, header_section, body), (8_192, 65_507, 65_536));
    assert_eq!((headers, via_values, parameters, parts), (256, 128, 64, 32));
    let transport::Limits { outputs, destinations, questions, records, .. } = transport;
    assert_eq!((outputs, destinations, questions, records), (65_536, 8, 16, 64));
    let transport::Limits {
        outputs: _,
        destinations: _,
        questions: _,
        records: _,
        destinations_after_silence,
        silent_places,
        silent_for,
        connections,
        connections_per_address,
        half_open_connections,
        unfinished_octets,
        stalled_octets,
    } = transport;
    assert_eq!((destinations_after_silence, silent_places, silent_for), (2, 1_000, Duration::from_secs(300)));
    assert_eq!((connections, connections_per_address, half_open_connections), (100_000, 1_000, 10_000));
    assert_eq!((unfinished_octets, stalled_octets), (64 << 20, 1 << 20));
    let transaction::Limits { server_transactions, client_transactions } = transaction;
    assert_eq!((server_transactions, client_transactions), (1_000_000, 2_000_000));
}

#[test]
fn whatever_is_sent_without_a_response_counts_as_a_delivery_too() {
    let mut bench = bench(|limits| limits.deliveries = 1);
    let next_hop = NextHop::from(address(THERE));
    let full = Err(CommandError::Limit("deliveries"));
    let ack = bench.endpoint.acknowledge(bench.now, request(&ours("ACK")), next_hop.clone(), Tag::NONE).unwrap();
    let second = bench.endpoint.acknowledge(bench.now, request(&ours("ACK")), next_hop.clone(), Tag::NONE);
    assert_eq!(second.map(drop), full);
    let forwarded = request(&theirs("CANCEL", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa"));
    assert_eq!(bench.endpoint.relay(bench.now, forwarded.clone(), next_hop.clone(), ""), full);
    bench.endpoint.release(ack);
    assert_eq!(bench.endpoint.relay(bench.now, forwarded, next_hop, ""), Ok(()));
    bench.collect();
    assert_eq!(bench.endpoint.census().deliveries, 0);
}

/// An INVITE whose sender names no address, answered with a 180 that does not arrive.
fn undelivered(set: impl FnOnce(&mut Limits)) -> Bench {
    let mut bench = bench(set);
    crate::backup::has_backups(&mut bench);
    bench.services = true;
    bench.receive(&theirs("INVITE", "SIP/2.0/UDP proxy.example.com;branch=z9hG4bKa"));
    let server = bench.accept();
    bench.respond(server, 180);
    bench.unreachable(THERE);
    bench
}

#[test]
fn a_response_goes_to_no_more_backups_than_the_limit() {
    let mut bench = undelivered(|limits| limits.transport.destinations = 2);
    bench.answer("SRV _sip._udp.proxy.example.com", &[]);
    let addresses =
        ["192.0.2.11", "192.0.2.12", "192.0.2.13"].map(|ip| Answer::Address(ip.parse().expect("an address")));
    bench.answer("proxy.example.com", &addresses);
    bench.unreachable("192.0.2.11:5060");
    bench.unreachable("192.0.2.12:5060");
    let ways: Vec<&str> = bench.sent.iter().map(|sent| sent.to.as_str()).collect();
    assert_eq!(ways, [THERE, "192.0.2.11:5060", "192.0.2.12:5060"]);
}

#[test]
fn no_more_is_asked_for_the_backups_of_a_response_than_the_limit() {
    let mut bench = undelivered(|limits| limits.transport.questions = 1);
    bench.answer("SRV _sip._udp.proxy.example.com", &[]);
    assert!(bench.asked().is_empty(), "{:?}", bench.asked());
    let mut bench = undelivered(|limits| limits.transport.questions = 2);
    bench.answer("SRV _sip._udp.proxy.example.com", &[]);
    assert_eq!(bench.asked(), ["proxy.example.com"]);
}

#[test]
fn a_ping_that_meets_the_limit_of_outputs_is_not_answered() {
    let mut bench = bench(|limits| limits.transport.outputs = 1);
    let tcp = bench.endpoint.listen(sansip::Listener::tcp(address(HERE)));
    let connection = bench.accepted(tcp, THERE);
    bench.draining = false;
    bench.stream(connection, b"\r\n\r\n\r\n\r\n\r\n\r\n");
    assert_eq!(bench.endpoint.census().outputs, 1);
}
