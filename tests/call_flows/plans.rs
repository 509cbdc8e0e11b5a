//! Faults that select messages by kind, and faults that have their time.

use sansip_sim::topology::{CALL_AT, Scenario, Topology};
use sansip_sim::{World, render::ladder};

use crate::faults::{end, times};
use crate::{planned, run};

fn met(world: &World) -> String {
    world.faults_met().to_string()
}

#[test]
fn every_ack_to_bob_is_lost_and_he_gives_up() {
    let world = run(&planned(Topology::Trapezoid, "*>bob ACK:drop"));
    assert_eq!(times(&world, "alice", "ACK").len(), 11);
    assert_eq!(end(&world, "bob"), "no ACK came");
    let drops: Vec<_> = (1..=11).map(|ordinal| format!("alice>bob#{ordinal}:drop")).collect();
    let mut expected = drops;
    expected.sort();
    assert_eq!(met(&world), planned(Topology::Trapezoid, &expected.join(", ")).plan.to_string());
}

#[test]
fn the_second_200_to_the_invite_is_late_and_nothing_else() {
    // The first is lost, so that there is a second: the fourth that Bob sends to biloxi, after his REGISTER, 180 and 200.
    let world = run(&planned(Topology::Trapezoid, "bob>biloxi 200/INVITE#1:drop, bob>biloxi 200/INVITE#2:+700ms"));
    assert_eq!(met(&world), "bob>biloxi#3:drop, bob>biloxi#4:+700ms");
    assert_eq!(times(&world, "bob", "200 INVITE"), [0, 500]);
}

#[test]
fn all_provisional_responses_are_lost_and_the_call_is_made_all_the_same() {
    let world = run(&planned(Topology::Trapezoid, "*>* 1xx/INVITE:drop"));
    assert_eq!(end(&world, "alice"), "the other hung up");
    assert!(times(&world, "alice", "INVITE").len() > 1);
}

#[test]
fn a_cut_that_ends_in_time_only_delays_the_call() {
    let world = run(&planned(Topology::Trapezoid, "atlanta|biloxi@500ms..2s:cut"));
    assert_eq!(times(&world, "atlanta", "INVITE"), [0, 500, 1_500]);
    assert_eq!(end(&world, "alice"), "the other hung up");
    assert!(ladder(world.trace()).contains("#1 cut"));
}

#[test]
fn a_restarted_phone_registers_again_and_branches_do_not_repeat() {
    let world = run(&planned(Topology::Trapezoid, "bob@500ms:restart"));
    assert_eq!(times(&world, "bob", "REGISTER"), [0, 500]);
    assert_eq!(end(&world, "alice"), "the other hung up");
    let branches: Vec<_> = (world.trace().transmissions())
        .filter_map(|(_, _, sent)| sansip_sim::packet::Packet::read(&sent.bytes))
        .filter(|packet| packet.is_request() && packet.method == "REGISTER")
        .map(|packet| packet.top().branch)
        .collect();
    assert_ne!(branches[0], branches[1]);
}

#[test]
fn a_restarted_domain_has_forgotten_its_bindings() {
    let world = run(&planned(Topology::Trapezoid, "biloxi@200ms:crash, biloxi@500ms:restart"));
    assert_eq!(end(&world, "alice"), "404 Not Found");
}

#[test]
fn a_resolver_that_is_silent_for_a_while_delays_the_call() {
    // NAPTR is not answered within 8 s and counts as unknown; then SRV and the addresses are.
    let world = run(&planned(Topology::Trapezoid, "alice@0s..2s:dns(silent)"));
    let mut sent = world.trace().transmissions().filter(|(_, _, sent)| sent.bytes.starts_with(b"INVITE "));
    let (_, first, _) = sent.next().expect("an INVITE");
    assert_eq!(first.since(CALL_AT).as_millis(), 8_001);
    assert_eq!(end(&world, "alice"), "the other hung up");
}

#[test]
fn a_resolver_that_stays_silent_ends_the_call_before_it_began() {
    let world = run(&planned(Topology::Trapezoid, "alice@0s..20s:dns(silent)"));
    assert_eq!(times(&world, "alice", "INVITE").len(), 0);
    // A request that cannot be sent is treated as a 503 (RFC 3261 §8.1.3.1).
    assert_eq!(end(&world, "alice"), "503 Service Unavailable");
}

#[test]
fn a_call_through_a_chain_passes_every_proxy() {
    let world = run(&planned(Topology::Chain(5), ""));
    for proxy in ["proxy1", "proxy2", "proxy3", "proxy4", "biloxi"] {
        assert_eq!(times(&world, proxy, "INVITE"), [0], "{proxy}");
    }
}

#[test]
fn the_pairs_of_a_crowd_all_have_their_call() {
    let world = run(&planned(Topology::Crowd(20), ""));
    for number in 1..=20 {
        assert_eq!(end(&world, &format!("alice{number}")), "the other hung up");
    }
}

#[test]
fn a_call_over_tcp_and_udp_legs_has_no_resends_on_tcp_when_its_writes_are_cut_up_and_late() {
    let plan = "atlanta>biloxi#1:split(1), biloxi>atlanta#2:drop, biloxi>atlanta#3:split(7)";
    let world = run(&planned(Topology::Mixed, plan));
    assert_eq!(times(&world, "atlanta", "INVITE"), [0]);
    assert_eq!(met(&world), "atlanta>biloxi#1:split(1), biloxi>atlanta#2:+1s, biloxi>atlanta#3:split(7)");
    assert_eq!(end(&world, "alice"), "the other hung up");
    let over_tcp: Vec<_> = (world.trace().transmissions())
        .filter(|(_, _, sent)| sent.stream.is_some())
        .map(|(_, _, sent)| String::from_utf8_lossy(&sent.bytes).contains("SIP/2.0/TCP"))
        .collect();
    assert!(over_tcp.len() >= 4 && over_tcp.iter().all(|via| *via), "{over_tcp:?}");
}

#[test]
fn a_connection_that_is_reset_in_place_of_the_200_is_opened_again() {
    let world = run(&planned(Topology::Mixed, "biloxi>atlanta#3:reset"));
    assert_eq!(end(&world, "alice"), "the other hung up");
}

#[test]
fn alice_behind_a_nat_gets_her_responses_and_can_hang_up() {
    let mut scenario = planned(Topology::Nat, "");
    scenario.alice.hang_up_after = scenario.bob.hang_up_after.take();
    let world = run(&scenario);
    assert_eq!(end(&world, "bob"), "the other hung up");
    let invite =
        world.trace().transmissions().find(|(_, _, sent)| sent.bytes.starts_with(b"INVITE")).map(|found| found.2);
    assert_eq!(invite.map(|sent| sent.source.to_string()).as_deref(), Some("203.0.113.1:49152"));
}

/// RFC 5626 §5.3: Bob's BYE for her Contact, an address behind the NAT, goes along the flow that her proxy has recorded.
#[test]
fn alice_behind_a_nat_is_hung_up_on() {
    for record_route in [false, true] {
        let world = run(&Scenario { record_route, ..planned(Topology::Nat, "") });
        assert_eq!(end(&world, "alice"), "the other hung up");
    }
}

#[test]
fn a_nat_that_forgets_while_it_rings_keeps_the_200_from_alice_and_she_gives_up() {
    let world = run(&planned(Topology::Nat, "nat@2s:forget"));
    assert_eq!(end(&world, "bob"), "no ACK came");
}
