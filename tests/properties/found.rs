//! Runs that a check once took for wrong, and that are right: each is kept with the reason.

use sansip_sim::run::Case;
use sansip_sim::shrink::expect_holds;
use sansip_sim::topology::Topology;

use sansip::Duration;

/// The first thing that biloxi sends along the connection resets it. Atlanta's INVITE, of which nothing was heard, fails with it (RFC
/// 3261 §17.1.4, §16.9), and Alice gets a 500. What biloxi answers later comes by a connection of its own, finds no client
/// transaction, and is dropped (RFC 6026 §8.9): it gets no ACK, though a 180 came before it.
#[test]
fn what_answers_an_invite_that_ended_with_its_connection_gets_no_ack() {
    expect_holds(&Case {
        topology: Topology::Mixed,
        ring_limit: Duration::from_millis(200),
        plan: "biloxi>atlanta#1:reset".parse().unwrap(),
        seed: 16_779_179_208_554_859_354,
        ..Case::default()
    });
}

/// Of an INVITE that is over, biloxi gets another ACK, and later a copy of its CANCEL. It forwards both without a transaction, under
/// a branch that is made from the received one, which the two have in common (§9.1, §17.1.1.3, §16.11).
#[test]
fn an_ack_and_a_cancel_that_come_too_late_go_on_under_one_branch() {
    expect_holds(&Case {
        topology: Topology::OneProxy,
        cancel_after: Some(Duration::from_millis(10)),
        plan: "alice>biloxi#2:+500ms, alice>biloxi#3:+32s, biloxi>alice#4:+10s".parse().unwrap(),
        ..Case::default()
    });
}
