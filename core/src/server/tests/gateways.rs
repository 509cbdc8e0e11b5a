//! Gateways that are pinged by OPTIONS, and left out of the routes while they do not answer.

use super::*;
use crate::NextHop;
use crate::proxy::Target;
use crate::server::{Answer, Gateway, Route};

const FIRST: &str = "192.0.2.21:5060";
const SECOND: &str = "192.0.2.22:5060";

fn hop(address: &str) -> NextHop {
    NextHop::from(address.parse::<SocketAddr>().unwrap())
}

/// Everything goes to the first gateway, or else to the second.
fn bench() -> Bench {
    Bench::with(|settings| {
        let gateway = |address| Gateway { next_hop: hop(address), interval: Duration::from_secs(30) };
        settings.gateways = [gateway(FIRST), gateway(SECOND)].into();
        let route = |address| Route { key: "*".parse().unwrap(), next_hop: hop(address) };
        settings.routes = [route(FIRST), route(SECOND)].into();
    })
}

/// A call to somewhere; where it goes, or how it is answered.
fn call(bench: &mut Bench, branch: &str) -> String {
    let sent = bench.receive(ALICE, &request("INVITE", "sip:carol@chicago.com", "").replace("nashds8", branch));
    assert_eq!(sent.len(), 2, "{:?}", summaries(&sent));
    let summary = sent[1].summary();
    if matches!(sent[1].message, Message::Request(_)) {
        bench.answer(&sent[1], 486);
    }
    summary
}

/// The events about gateways.
fn told(bench: &mut Bench) -> Vec<(String, bool)> {
    let events = core::mem::take(&mut bench.events).into_iter();
    events
        .filter_map(|event| match event {
            Event::Gateway { next_hop, is_up } => Some((format!("{}", next_hop.host), is_up)),
            _ => None,
        })
        .collect()
}

/// The last OPTIONS to an address.
fn last(pings: &[Sent], to: &str) -> Option<Sent> {
    pings.iter().rfind(|sent| sent.summary() == format!("OPTIONS {to}")).cloned()
}

#[test]
fn a_gateway_that_does_not_answer_is_passed_over_until_it_does() {
    let mut bench = bench();
    let pings = bench.wait(Duration::from_millis(500));
    assert_eq!(summaries(&pings), [format!("OPTIONS {FIRST}"), format!("OPTIONS {SECOND}")]);
    assert_eq!(pings[0].request().uri_bytes(), b"sip:192.0.2.21:5060");
    assert!(pings[0].values(HeaderId::From)[0].starts_with("<sip:biloxi.com>;tag="));
    // Whatever it says, it is there; and nobody doubts one before it is silent.
    assert!(bench.answer(&pings[0], 404).is_empty());
    assert!(bench.answer(&pings[1], 200).is_empty());
    assert_eq!((call(&mut bench, "1"), told(&mut bench).len()), (format!("INVITE {FIRST}"), 0));
    let pings: Vec<Sent> = bench.wait(Duration::from_secs(30));
    let pings: Vec<&Sent> = pings.iter().filter(|sent| sent.summary().starts_with("OPTIONS")).collect();
    assert_eq!(pings.len(), 2);
    bench.answer(pings[1], 200);
    // The first one is silent for 64·T1.
    assert_eq!(call(&mut bench, "2"), format!("INVITE {FIRST}"));
    bench.wait(Duration::from_secs(29));
    assert_eq!(told(&mut bench), []);
    let pings = bench.wait(Duration::from_millis(3_100));
    assert_eq!(told(&mut bench), [("192.0.2.21".into(), false)]);
    bench.answer(&last(&pings, SECOND).unwrap(), 200);
    assert_eq!(call(&mut bench, "3"), format!("INVITE {SECOND}"));
    // The other one says that it is overloaded.
    let pings = bench.wait(Duration::from_secs(31));
    let (first, second) = (last(&pings, FIRST).unwrap(), last(&pings, SECOND).unwrap());
    bench.answer(&second, 503);
    assert_eq!(told(&mut bench), [("192.0.2.22".into(), false)]);
    assert_eq!(call(&mut bench, "4"), "503 192.0.2.1:5060");
    bench.answer(&first, 200);
    assert_eq!(told(&mut bench), [("192.0.2.21".into(), true)]);
    assert_eq!(call(&mut bench, "5"), format!("INVITE {FIRST}"));
}

#[test]
fn a_gateway_that_does_not_answer_is_left_out_of_the_forks_of_the_application() {
    let mut bench = bench();
    let mut settings = bench.server.settings().clone();
    settings.steps.routing = true;
    bench.server.set_settings(bench.now, settings).unwrap();
    let pings = bench.wait(Duration::from_millis(500));
    let uri = |host: &str| Target::new(format!("sip:carol@{host}").parse().unwrap());
    let targets = [uri("chicago.com").with_next_hop(hop(FIRST)), uri("192.0.2.22:5060"), uri("192.0.2.51")];
    let fork = |bench: &mut Bench, branch: &str, targets: &[Target]| {
        let invite = request("INVITE", "sip:carol@chicago.com", "").replace("nashds8", branch);
        bench.receive(ALICE, &invite);
        let question = bench.questions().remove(0);
        bench.server.answer(bench.now, question.id, Answer::Forward(targets.into())).unwrap();
        let sent = summaries(&bench.drain());
        sent.into_iter().filter(|sent| !sent.starts_with("100 ")).collect::<Vec<_>>()
    };
    bench.answer(&pings[0], 200);
    bench.answer(&pings[1], 200);
    let all = ["INVITE 192.0.2.21:5060", "INVITE 192.0.2.22:5060", "INVITE 192.0.2.51:5060"];
    assert_eq!(fork(&mut bench, "1", &targets), all);
    let pings = bench.wait(Duration::from_secs(31));
    bench.answer(&last(&pings, FIRST).unwrap(), 503);
    assert_eq!(fork(&mut bench, "2", &targets), all[1..]);
    bench.answer(&last(&pings, SECOND).unwrap(), 503);
    assert_eq!(fork(&mut bench, "3", &targets), all[2..]);
    assert_eq!(fork(&mut bench, "4", &targets[..2]), ["503 192.0.2.1:5060"]);
}

/// Calls of two gateways that share them by Call-ID: while one does not answer the other one has all, and no call of its own moves.
#[test]
fn a_gateway_that_does_not_answer_is_left_out_of_the_hash_of_its_routes() {
    let mut bench = bench();
    let mut settings = bench.server.settings().clone();
    settings.spread = true;
    bench.server.set_settings(bench.now, settings.clone()).unwrap();
    let pings = bench.wait(Duration::from_millis(500));
    bench.answer(&pings[0], 200);
    bench.answer(&pings[1], 200);
    let mut round = 0;
    let mut all = |bench: &mut Bench| -> Vec<bool> {
        round += 1;
        let to_first = (0..16).map(|number| {
            let invite =
                request("INVITE", "sip:carol@chicago.com", "").replace("a84b4c76e66710", &format!("c{number}"));
            let sent = bench.receive(ALICE, &invite.replace("nashds8", &format!("{round}x{number}")));
            bench.answer(&sent[1], 486);
            sent[1].summary() == format!("INVITE {FIRST}")
        });
        to_first.collect()
    };
    let shares = all(&mut bench);
    assert!(shares.contains(&true) && shares.contains(&false), "{shares:?}");
    assert_eq!(all(&mut bench), shares, "a Call-ID stays where it is");
    settings.routes.reverse();
    bench.server.set_settings(bench.now, settings).unwrap();
    assert_eq!(all(&mut bench), shares, "the order says nothing");
    let pings = bench.wait(Duration::from_secs(31));
    bench.answer(&last(&pings, FIRST).unwrap(), 503);
    bench.answer(&last(&pings, SECOND).unwrap(), 200);
    assert_eq!(all(&mut bench), [false; 16]);
    let pings = bench.wait(Duration::from_secs(31));
    bench.answer(&last(&pings, FIRST).unwrap(), 200);
    assert_eq!(all(&mut bench), shares);
}

#[test]
fn a_gateway_that_is_no_more_is_not_pinged_and_one_that_stays_is_remembered() {
    let mut bench = bench();
    let pings = bench.wait(Duration::from_millis(500));
    bench.answer(&pings[0], 503);
    bench.answer(&pings[1], 200);
    let mut settings = bench.server.settings().clone();
    settings.gateways.remove(1);
    bench.server.set_settings(bench.now, settings.clone()).unwrap();
    assert_eq!(call(&mut bench, "1"), format!("INVITE {SECOND}"));
    let pings = bench.wait(Duration::from_secs(31));
    let to = |address: &str| pings.iter().filter(|sent| sent.summary() == format!("OPTIONS {address}")).count();
    assert!(to(FIRST) > 0 && to(SECOND) == 0);
    settings.gateways.clear();
    bench.server.set_settings(bench.now, settings.clone()).unwrap();
    assert_eq!(call(&mut bench, "2"), format!("INVITE {FIRST}"));
    // An answer to a ping of before says nothing.
    bench.answer(&last(&pings, FIRST).unwrap(), 503);
    assert_eq!(told(&mut bench), [("192.0.2.21".into(), false)]);
    bench.comes_to_rest();
    assert_eq!(bench.server.deadline(), None);
    settings.gateways = [Gateway { next_hop: hop(FIRST), interval: Duration::ZERO }].into();
    let error = bench.server.set_settings(bench.now, settings).unwrap_err();
    assert_eq!(error.to_string(), "the gateway 192.0.2.21 is pinged without a pause");
}

/// RFC 3261 §10.3: a user at two ports of one host has two contacts.
#[test]
fn a_user_at_two_ports_rings_on_both() {
    let mut bench = Bench::new();
    for (port, sequence) in [(5060, 1), (5062, 2)] {
        let text = format!(
            "REGISTER sip:biloxi.com SIP/2.0
            Via: SIP/2.0/UDP 192.0.2.4:{port};branch=z9hG4bKport{port}
            Max-Forwards: 70
            To: <sip:bob@biloxi.com>
            From: <sip:bob@biloxi.com>;tag=1
            Call-ID: port{port}
            CSeq: {sequence} REGISTER
            Contact: <sip:bob@192.0.2.4:{port}>
            Content-Length: 0"
        );
        bench.receive(&format!("192.0.2.4:{port}"), &text);
    }
    assert_eq!(bench.server.bindings("bob@biloxi.com").len(), 2);
    let sent = bench.receive(ALICE, &invite());
    assert_eq!(summaries(&sent), ["100 192.0.2.1:5060", "INVITE 192.0.2.4:5060", "INVITE 192.0.2.4:5062"]);
    assert_eq!(summaries(&bench.answer(&sent[1], 180)), ["180 192.0.2.1:5060"]);
    assert_eq!(summaries(&bench.answer(&sent[2], 180)), ["180 192.0.2.1:5060"]);
    let taken = bench.answer(&sent[2], 200);
    assert_eq!(summaries(&taken), ["200 192.0.2.1:5060", "CANCEL 192.0.2.4:5060"]);
}

/// RFC 3261 §10.2: whoever does not know his registrar registers at `sip.mcast.net`. It is served where a listener has joined.
#[test]
fn the_group_of_all_sip_servers_is_served_where_a_listener_has_joined() {
    let register = "REGISTER sip:sip.mcast.net SIP/2.0
        Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKgroup
        Max-Forwards: 70
        To: <sip:bob@biloxi.com>
        From: <sip:bob@biloxi.com>;tag=1
        Call-ID: group
        CSeq: 1 REGISTER
        Contact: <sip:bob@192.0.2.4>
        Content-Length: 0";
    let mut bench = Bench::new();
    assert_ne!(summaries(&bench.receive(BOB, register)), ["200 192.0.2.4:5060"], "it has not joined");
    let mut bench = Bench::new();
    bench.listener = bench.server.listen(Listener::udp("224.0.1.75:5060".parse().unwrap()));
    assert_eq!(summaries(&bench.receive(BOB, register)), ["200 192.0.2.4:5060"]);
    assert_eq!(bench.server.bindings("bob@biloxi.com").len(), 1);
    // The group has no users of its own.
    let other = register.replace("bob@biloxi.com", "bob@sip.mcast.net").replace("group", "other");
    assert_eq!(summaries(&bench.receive(BOB, &other)), ["404 192.0.2.4:5060"]);
}
