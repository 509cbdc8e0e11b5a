//! Runs that a check once took for wrong, and that are right: each is kept with the reason.

use sansip_sim::run::{Case, Reply};
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

/// When an INVITE is over, biloxi gets another ACK, and later a copy of its CANCEL. It forwards both without a transaction, under
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

/// Bob's 2xx gets no ACK for 64·T1. While the resolver is asked where his BYE goes Alice's comes and ends the call (§15.1.2): he need not
/// send his any more.
#[test]
fn a_bye_that_comes_while_the_way_of_ones_own_is_looked_up_is_enough() {
    let plan = "atlanta>alice 200/INVITE#1:drop, atlanta>alice 200/INVITE#2:drop, atlanta>alice 200/INVITE#3:drop, \
        atlanta>alice 200/INVITE#4:drop, atlanta>alice 200/INVITE#5:+110ms, biloxi>atlanta 200/INVITE#5:+140ms, \
        biloxi>bob ACK#1:+10ms, biloxi>bob BYE#1:+10ms, bob>biloxi 200/INVITE#5:drop, bob>biloxi 200/INVITE#9:drop, \
        bob|*@7230ms..14606ms:cut, bob@35232ms..47198ms:dns(+1ms)";
    expect_holds(&Case {
        record_route: true,
        reply: Reply::Answer(Duration::from_millis(6_500)),
        ring_limit: Duration::from_secs(10),
        delay: Duration::from_millis(40),
        plan: plan.parse().unwrap(),
        ..Case::default()
    });
}
