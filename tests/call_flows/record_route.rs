//! Both proxies stay on the path: ACK and BYE follow the recorded route (RFC 3261 §12.1, §12.2.1.1, §16.12).

use sansip_sim::World;
use sansip_sim::packet::{Packet, Start};
use sansip_sim::topology::{Scenario, Topology};

use crate::{drawn, fields, numbered, run};

fn recorded() -> World {
    run(&Scenario { record_route: true, ..Scenario::rfc3261(Topology::Trapezoid) })
}

/// The values without the token that each of our own has, and that the RFC does not print.
fn without_tokens(values: Vec<String>) -> Vec<String> {
    let bare = |value: String| match value.split_once(";token=") {
        Some((before, token)) if token.len() == 42 => format!("{before}>"),
        _ => panic!("no token: {value}"),
    };
    values.into_iter().map(bare).collect()
}

/// The ways, Request-URIs and Routes of a method's requests, in the order of sending.
fn ways(world: &World, method: &str) -> Vec<(String, String, Vec<String>)> {
    let name = |node| world.trace().name(node);
    let sent = world.trace().transmissions();
    sent.filter_map(|(_, _, sent)| {
        let packet = Packet::read(&sent.bytes)?;
        let Start::Request { uri, .. } = packet.start else { return None };
        let route = fields(&sent.bytes).1.remove("route").map(without_tokens).unwrap_or_default();
        let way = format!("{}>{}", name(sent.from), sent.to.map_or("nobody", name));
        (packet.method == method).then(|| (way, uri.to_owned(), route))
    })
    .collect()
}

fn way(way: &str, uri: &str, route: &[&str]) -> (String, String, Vec<String>) {
    (way.to_owned(), uri.to_owned(), route.iter().map(|&value| value.to_owned()).collect())
}

const ATLANTA: &str = "<sip:bigbox3.site3.atlanta.com;lr>";
const BILOXI: &str = "<sip:server10.biloxi.com;lr>";

#[test]
fn each_proxy_puts_itself_on_top_and_the_answer_carries_both() {
    let world = recorded();
    let sent = numbered(&world);
    let recorded =
        |number: &str| fields(&sent[number].bytes).1.remove("record-route").map(without_tokens).unwrap_or_default();
    assert_eq!(recorded("F1"), Vec::<String>::new());
    assert_eq!(recorded("F3"), [ATLANTA]);
    assert_eq!(recorded("F5"), [BILOXI, ATLANTA]);
    for response in ["F9", "F10", "F11"] {
        assert_eq!(recorded(response), [BILOXI, ATLANTA], "{response}");
    }
}

#[test]
fn the_ack_takes_the_recorded_path() {
    let expected = [
        way("alice>atlanta", "sip:bob@192.0.2.4", &[ATLANTA, BILOXI]),
        way("atlanta>biloxi", "sip:bob@192.0.2.4", &[BILOXI]),
        way("biloxi>bob", "sip:bob@192.0.2.4", &[]),
    ];
    assert_eq!(ways(&recorded(), "ACK"), expected);
}

#[test]
fn the_bye_takes_the_recorded_path_back() {
    let expected = [
        way("bob>biloxi", "sip:alice@pc33.atlanta.com", &[BILOXI, ATLANTA]),
        way("biloxi>atlanta", "sip:alice@pc33.atlanta.com", &[ATLANTA]),
        way("atlanta>alice", "sip:alice@pc33.atlanta.com", &[]),
    ];
    assert_eq!(ways(&recorded(), "BYE"), expected);
}

#[test]
fn the_call_over_the_recorded_path_as_a_ladder() {
    insta::assert_snapshot!(drawn(&recorded()));
}
