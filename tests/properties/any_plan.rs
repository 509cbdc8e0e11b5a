//! Weather, then calm: for any loss up to a half, duplication and reordering, whatever the two ends do, they agree about the
//! call as soon as the message that decides has arrived, everything ends, and nobody sends more than the RFCs allow.

use sansip::Instant;
use sansip_sim::run::{ByWhom, Case, run};
use sansip_sim::shrink::expect_holds;
use sansip_sim::sweep::{Scope, Shard, draw};
use sansip_sim::topology::Topology;

/// How many runs a normal test run tries. The same ones each time: a sweep over others is a command,
/// `sansip-sim sweep --seed N`.
const RUNS: u64 = 4_000;
const SEED: u64 = 3_261;

/// All checks hold in the runs of a shard; the first in which one does not is cut down and drawn.
fn sweep(number: u64, of: u64) {
    let shard = Shard { number, of };
    for n in 0..shard.share(RUNS) {
        expect_holds(&draw(&Scope::default(), SEED, shard.run(n)));
    }
}

// Tests of their own, so that a test runner spreads them over threads and machines.
#[test]
fn ends_agree_nodes_become_idle_and_nothing_is_sent_beyond_the_schedule_1() {
    sweep(1, 4);
}

#[test]
fn ends_agree_nodes_become_idle_and_nothing_is_sent_beyond_the_schedule_2() {
    sweep(2, 4);
}

#[test]
fn ends_agree_nodes_become_idle_and_nothing_is_sent_beyond_the_schedule_3() {
    sweep(3, 4);
}

#[test]
fn ends_agree_nodes_become_idle_and_nothing_is_sent_beyond_the_schedule_4() {
    sweep(4, 4);
}

#[test]
fn in_a_calm_network_the_checks_hold_and_the_call_is_soon_over() {
    for topology in Topology::ALL {
        // Alice reaches Bob in any topology; behind a NAT she gets no BYE.
        let done = run(&Case { topology, hang_up: ByWhom::ALICE, ..Case::default() });
        assert!(done.verdict.holds() && done.world.is_quiet());
        assert!(done.world.now() < Instant::from_millis(60_000), "{topology}: {}", done.world.now());
    }
}
