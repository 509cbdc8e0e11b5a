//! A lost message is repaired or given up.

use alloc::vec::Vec;

use super::pair::{Pair, Who};
use crate::Duration;
use crate::message::StatusCode;
use crate::user_agent::{Cause, Event};
use Who::{Alice, Bob};

fn seconds(pair: &Pair, who: Who, label: &str) -> Vec<u64> {
    let all = pair.all(who, label);
    all.iter().map(|sent| (sent.at - all[0].at).as_millis() as u64).collect()
}

/// Why Alice's one call came to nothing, of which one event tells: a cause, never a status that nobody sent (RFC 3261 §8.1.3.1).
#[track_caller]
fn cause(pair: &Pair) -> &Cause {
    match &pair.events[..] {
        [(_, Alice, Event::Failed { cause, .. })] => cause,
        others => panic!("{others:?}"),
    }
}

#[test]
fn a_lost_ack_is_repaired_by_the_retransmitted_200() {
    let mut pair = Pair::new();
    pair.lose(Alice, "ACK", 1);
    let (_, bob) = pair.establish();
    assert_eq!(pair.told(Bob), ["incoming", "confirmed"]);
    let acks = pair.all(Alice, "ACK");
    assert_eq!(acks.len(), 2);
    assert_eq!(acks[0].bytes, acks[1].bytes);
    assert_eq!(seconds(&pair, Bob, "200 INVITE"), [0, 500]);
    pair.hang_up(Bob, bob);
    pair.finish();
    assert_eq!(pair.told(Alice), ["progress 180", "answered 200", "ended Remote"]);
}

#[test]
fn a_lost_200_is_sent_again_until_acknowledged() {
    let mut pair = Pair::new();
    for nth in 1..=4 {
        pair.lose(Bob, "200 INVITE", nth);
    }
    let (alice, _) = pair.establish();
    pair.run(Duration::from_secs(20));
    assert_eq!(seconds(&pair, Bob, "200 INVITE"), [0, 500, 1500, 3500, 7500]);
    assert_eq!(pair.told(Alice), ["progress 180", "answered 200"]);
    pair.hang_up(Alice, alice);
    pair.finish();
}

#[test]
fn a_late_200_is_acknowledged_again_and_told_once() {
    let mut pair = Pair::new();
    pair.hold(Bob, "200 INVITE", 1, Duration::from_millis(1_600));
    let (alice, _) = pair.establish();
    pair.run(Duration::from_secs(5));
    assert_eq!(pair.told(Alice), ["progress 180", "answered 200"]);
    assert_eq!(pair.all(Alice, "ACK").len(), pair.all(Bob, "200 INVITE").len());
    pair.hang_up(Alice, alice);
    pair.finish();
}

#[test]
fn a_200_that_nobody_acknowledges_ends_in_a_bye_after_64_t1() {
    let mut pair = Pair::new();
    pair.lose_all(Alice, "ACK");
    pair.establish();
    pair.run(Duration::from_secs(40));
    assert_eq!(seconds(&pair, Bob, "200 INVITE"), [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    let bye = &pair.all(Bob, "BYE")[0];
    assert_eq!((bye.at - pair.all(Bob, "200 INVITE")[0].at).as_secs(), 32);
    assert_eq!(pair.told(Bob), ["incoming", "ended Unacknowledged"]);
    assert_eq!(pair.told(Alice), ["progress 180", "answered 200", "ended Remote"]);
    pair.finish();
}

#[test]
fn a_bye_that_waits_for_a_lost_ack_goes_out_after_64_t1() {
    let mut pair = Pair::new();
    pair.lose_all(Alice, "ACK");
    pair.call();
    let bob = pair.incoming();
    pair.answer(bob);
    pair.hang_up(Bob, bob);
    pair.run(Duration::from_secs(31));
    assert!(pair.all(Bob, "BYE").is_empty());
    pair.finish();
    assert_eq!(pair.told(Bob), ["incoming", "ended Unacknowledged"]);
    assert_eq!(pair.told(Alice), ["answered 200", "ended Remote"]);
}

#[test]
fn a_call_with_every_200_lost_is_over_for_the_caller_with_the_bye_of_the_callee() {
    let mut pair = Pair::new();
    pair.lose_all(Bob, "200 INVITE");
    pair.establish();
    pair.finish();
    assert_eq!(pair.told(Bob), ["incoming", "ended Unacknowledged"]);
    assert_eq!(pair.told(Alice), ["progress 180", "failed 487 (none)"]);
    assert_eq!(pair.all(Alice, "200 BYE").len(), 1);
}

#[test]
fn a_bye_that_overtakes_the_last_200_ends_a_call_whose_2xx_is_acknowledged_all_the_same() {
    let mut pair = Pair::new();
    for nth in 1..=10 {
        pair.lose(Bob, "200 INVITE", nth);
    }
    pair.hold(Bob, "200 INVITE", 11, Duration::from_secs(2));
    pair.establish();
    pair.finish();
    // The 2xx is acknowledged as every 2xx is; a BYE would meet nothing.
    assert_eq!(pair.all(Alice, "ACK").len(), 1);
    assert!(pair.all(Alice, "BYE").is_empty());
    assert_eq!(pair.told(Alice), ["progress 180", "failed 487 (none)"]);
}

#[test]
fn a_lost_bye_and_a_lost_answer_to_it_are_repaired() {
    let mut pair = Pair::new();
    pair.lose(Bob, "BYE", 1);
    pair.lose(Alice, "200 BYE", 1);
    let (_, bob) = pair.establish();
    pair.hang_up(Bob, bob);
    pair.finish();
    assert_eq!(seconds(&pair, Bob, "BYE"), [0, 500, 1500]);
    assert_eq!(pair.told(Alice).last().unwrap(), "ended Remote");
    assert_eq!(pair.told(Bob).last().unwrap(), "ended Local");
    assert_eq!(pair.events.iter().filter(|entry| entry.1 == Alice).count(), 3);
}

#[test]
fn a_bye_without_an_answer_ends_the_call_all_the_same() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.establish();
    pair.lose_all(Alice, "BYE");
    let hung_up = pair.now;
    pair.hang_up(Alice, alice);
    pair.run(Duration::from_secs(40));
    let (at, _, _) = pair.events.last().unwrap();
    assert_eq!((*at - hung_up).as_secs(), 32);
    assert_eq!(pair.told(Alice).last().unwrap(), "ended Local");
    // Bob knows nothing of it until he hangs up: 481 ends his side too.
    pair.calm();
    pair.hang_up(Bob, bob);
    pair.finish();
    assert_eq!(pair.labels(Alice).last().unwrap(), &"481 BYE");
    assert_eq!(pair.told(Bob).last().unwrap(), "ended Local");
}

#[test]
fn a_bye_that_the_network_refuses_ends_the_call_all_the_same() {
    let mut pair = Pair::new();
    let (alice, bob) = pair.establish();
    pair.lose_all(Alice, "BYE");
    pair.hang_up(Alice, alice);
    pair.unreachable(Alice);
    assert_eq!(pair.told(Alice).last().unwrap(), "ended Local");
    pair.calm();
    pair.hang_up(Bob, bob);
    pair.finish();
}

#[test]
fn an_invite_that_nobody_answers_times_out_after_64_t1() {
    let mut pair = Pair::new();
    pair.lose_all(Alice, "INVITE");
    pair.call();
    pair.finish();
    assert!(matches!(cause(&pair), Cause::TimedOut));
    assert_eq!(cause(&pair).counts_as(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(pair.events[0].0.as_millis(), 32_000);
}

#[test]
fn an_invite_that_the_network_refuses_is_unreachable() {
    let mut pair = Pair::new();
    pair.lose_all(Alice, "INVITE");
    pair.call();
    pair.unreachable(Alice);
    assert!(matches!(cause(&pair), Cause::Unreachable));
    assert_eq!(cause(&pair).counts_as(), StatusCode::SERVICE_UNAVAILABLE);
    pair.finish();
}

#[test]
fn an_invite_to_a_name_without_address_is_unresolved() {
    let mut pair = Pair::new();
    let nobody = "<sip:nobody@nowhere.invalid>".parse().unwrap();
    pair.command(Alice, |agent, now| agent.call(now, &nobody)).unwrap();
    assert!(matches!(cause(&pair), Cause::Unresolved));
    assert_eq!(cause(&pair).counts_as(), StatusCode::SERVICE_UNAVAILABLE);
    pair.finish();
}

#[test]
fn an_invite_whose_cancel_is_lost_is_given_up_after_64_t1() {
    let mut pair = Pair::new();
    let alice = pair.call();
    let bob = pair.incoming();
    pair.command(Bob, |agent, now| agent.ring(now, bob)).unwrap();
    pair.run(Duration::from_secs(1));
    pair.lose_all(Alice, "CANCEL");
    pair.command(Alice, |agent, now| agent.cancel(now, alice)).unwrap();
    let cancelled = pair.now;
    pair.run(Duration::from_secs(50));
    assert_eq!(pair.told(Alice), ["progress 180", "failed 487 (none)"]);
    let (at, _, _) = pair.events.last().unwrap();
    assert_eq!((*at - cancelled).as_secs(), 32);
    pair.hang_up(Bob, bob);
    pair.finish();
}

#[test]
fn the_loss_of_the_first_of_each_message_is_repaired_in_any_combination() {
    for pattern in 0_u32..64 {
        let mut pair = Pair::new();
        let labels = [
            (Alice, "INVITE"),
            (Bob, "180 INVITE"),
            (Bob, "200 INVITE"),
            (Alice, "ACK"),
            (Alice, "BYE"),
            (Bob, "200 BYE"),
        ];
        for (bit, (who, label)) in labels.into_iter().enumerate() {
            if pattern & (1 << bit) != 0 {
                pair.lose(who, label, 1);
            }
        }
        let (alice, _) = pair.establish();
        pair.run(Duration::from_secs(5));
        pair.hang_up(Alice, alice);
        pair.finish();
        assert_eq!(pair.told(Alice).last().unwrap(), "ended Local", "{pattern:b}");
        assert_eq!(pair.told(Bob).last().unwrap(), "ended Remote", "{pattern:b}");
    }
}
