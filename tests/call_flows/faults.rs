//! Single messages lost, late or doubled, and how the RFCs repair it.

use sansip_sim::render::labels;
use sansip_sim::topology::{CALL_AT, Scenario, Topology};
use sansip_sim::{World, packet::Packet, trace::Note, trace::What};

use crate::{drawn, planned, run};

/// When a message of this kind was sent by this node, in milliseconds after the first time.
pub(crate) fn times(world: &World, node: &str, kind: &str) -> Vec<u64> {
    let labels = labels(world.trace());
    let sent = world.trace().transmissions();
    let times: Vec<_> = sent
        .filter(|(index, _, sent)| {
            let method = Packet::read(&sent.bytes).map(|packet| packet.method.to_owned()).unwrap_or_default();
            let label = &labels[index];
            let named = if label.reason.is_empty() { label.kind.clone() } else { format!("{} {method}", label.kind) };
            world.trace().name(sent.from) == node && named == kind
        })
        .map(|(_, time, _)| time)
        .collect();
    let first = times.first().copied().unwrap_or_default();
    times.into_iter().map(|time| time.since(first).as_millis() as u64).collect()
}

/// How the call ended for a node.
pub(crate) fn end(world: &World, node: &str) -> String {
    let mut ends = world.trace().entries().iter().filter_map(|entry| match &entry.what {
        What::Noted { node: by, note: Note::CallEnded { why, .. } } if world.trace().name(*by) == node => Some(why),
        _ => None,
    });
    ends.next_back().cloned().unwrap_or_default()
}

#[test]
fn a_lost_invite_is_sent_again_after_t1() {
    let world = run(&planned(Topology::Trapezoid, "alice>atlanta#1:drop"));
    assert_eq!(times(&world, "alice", "INVITE"), [0, 500]);
    assert_eq!(end(&world, "alice"), "the other hung up");
}

#[test]
fn an_invite_lost_between_the_proxies_is_sent_again_by_the_proxy_alone() {
    let world = run(&planned(Topology::Trapezoid, "atlanta>biloxi#1:drop, atlanta>biloxi#2:drop"));
    assert_eq!(times(&world, "alice", "INVITE"), [0]);
    assert_eq!(times(&world, "atlanta", "INVITE"), [0, 500, 1_500]);
    insta::assert_snapshot!(drawn(&world));
}

#[test]
fn a_lost_ack_is_repaired_by_the_retransmitted_200() {
    let world = run(&planned(Topology::Trapezoid, "alice>bob#1:drop"));
    assert_eq!(times(&world, "bob", "200 INVITE"), [0, 500]);
    assert_eq!(times(&world, "alice", "ACK"), [0, 500]);
    insta::assert_snapshot!(drawn(&world));
}

#[test]
fn a_lost_200_is_sent_again_end_to_end() {
    // The first that biloxi sends to atlanta is 100, then 180, then 200.
    let world = run(&planned(Topology::Trapezoid, "biloxi>atlanta#3:drop, biloxi>atlanta#4:drop"));
    assert_eq!(times(&world, "bob", "200 INVITE"), [0, 500, 1_500]);
    assert_eq!(times(&world, "biloxi", "200 INVITE"), [0, 500, 1_500]);
    assert_eq!(times(&world, "atlanta", "200 INVITE"), [0]);
    insta::assert_snapshot!(drawn(&world));
}

#[test]
fn a_lost_bye_is_sent_again_and_a_lost_answer_to_it_too() {
    let world = run(&planned(Topology::Trapezoid, "bob>alice#1:drop, alice>bob#2:drop"));
    assert_eq!(times(&world, "bob", "BYE"), [0, 500, 1_500]);
    assert_eq!(times(&world, "alice", "200 BYE"), [0, 1_000]);
    assert_eq!((end(&world, "alice").as_str(), end(&world, "bob").as_str()), ("the other hung up", "hung up"));
    insta::assert_snapshot!(drawn(&world));
}

#[test]
fn an_ack_that_never_arrives_ends_the_call_after_64_t1() {
    let drops: Vec<_> = (1..=11).map(|ordinal| format!("alice>bob#{ordinal}:drop")).collect();
    let world = run(&planned(Topology::Trapezoid, &drops.join(", ")));
    let steps = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert_eq!(times(&world, "bob", "200 INVITE"), steps);
    assert_eq!(times(&world, "alice", "ACK"), steps);
    assert_eq!((end(&world, "alice").as_str(), end(&world, "bob").as_str()), ("the other hung up", "no ACK came"));
}

#[test]
fn when_every_bye_is_lost_the_other_end_keeps_the_call_until_it_hangs_up_itself() {
    // The first that Bob sends straight to Alice is the BYE.
    let drops: Vec<_> = (1..=11).map(|ordinal| format!("bob>alice#{ordinal}:drop")).collect();
    let world = run(&planned(Topology::Trapezoid, &drops.join(", ")));
    let steps = [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert_eq!(times(&world, "bob", "BYE"), steps);
    assert_eq!((end(&world, "alice").as_str(), end(&world, "bob").as_str()), ("hung up", "hung up"));
    assert_eq!(times(&world, "bob", "481 BYE"), [0]);
}

#[test]
fn an_invite_that_reaches_nobody_fails_after_64_t1() {
    let drops: Vec<_> = (1..=7).map(|ordinal| format!("alice>bob#{ordinal}:drop")).collect();
    let world = run(&planned(Topology::Direct, &drops.join(", ")));
    assert_eq!(times(&world, "alice", "INVITE"), [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!(end(&world, "alice"), "408 Request Timeout");
    let ended = world.trace().entries().last().map(|entry| entry.time.since(CALL_AT).as_millis());
    assert_eq!(ended, Some(32_000));
}

#[test]
fn a_doubled_invite_makes_one_call() {
    let world = run(&planned(Topology::Trapezoid, "alice>atlanta#1:dup(+5ms), biloxi>bob#2:dup(+150ms)"));
    assert_eq!(times(&world, "atlanta", "INVITE"), [0]);
    assert_eq!(times(&world, "bob", "200 INVITE"), [0]);
    assert_eq!(end(&world, "alice"), "the other hung up");
}

#[test]
fn a_200_that_overtakes_the_180_makes_the_call_all_the_same() {
    let world = run(&planned(Topology::Trapezoid, "biloxi>atlanta#2:+5s"));
    assert_eq!(end(&world, "alice"), "the other hung up");
}

#[test]
fn alice_can_hang_up_first() {
    let mut scenario = Scenario::rfc3261(Topology::Trapezoid);
    scenario.alice.hang_up_after = scenario.bob.hang_up_after.take();
    let world = run(&scenario);
    assert_eq!((end(&world, "alice").as_str(), end(&world, "bob").as_str()), ("hung up", "the other hung up"));
}

#[test]
fn a_call_that_is_cancelled_while_it_rings_as_a_ladder() {
    let mut scenario = Scenario::rfc3261(Topology::Trapezoid);
    scenario.alice.calls[0].cancel_after = Some(sansip::Duration::from_secs(1));
    let world = run(&scenario);
    assert_eq!(end(&world, "bob"), "487 Request Terminated");
    insta::assert_snapshot!(drawn(&world));
}

/// The called end answers, hears no ACK and gives up; the caller has cancelled too late, and the BYE overtakes the last 2xx.
#[test]
fn a_2xx_that_its_own_bye_overtakes_ends_the_cancelled_call() {
    // 180, seven 2xx, the answer to the CANCEL, and four more 2xx.
    let lost = [2, 3, 4, 5, 6, 7, 8, 10, 11, 12].map(|ordinal| format!("bob>alice#{ordinal}:drop"));
    let mut scenario = planned(Topology::Direct, &format!("{}, bob>alice#13:+700ms", lost.join(", ")));
    scenario.alice.calls[0].cancel_after = Some(sansip::Duration::from_secs(20));
    let world = run(&scenario);
    assert_eq!((end(&world, "alice").as_str(), end(&world, "bob").as_str()), ("cancelled too late", "no ACK came"));
}

#[test]
fn a_call_that_is_refused_as_a_ladder() {
    let mut scenario = Scenario::rfc3261(Topology::Trapezoid);
    let busy = sansip_sim::actor::Reaction::Reject(sansip::message::StatusCode::BUSY_HERE);
    scenario.bob.incoming.then = Some((sansip::Duration::from_secs(1), busy));
    let world = run(&scenario);
    assert_eq!(end(&world, "alice"), "486 Busy Here");
    insta::assert_snapshot!(drawn(&world));
}
