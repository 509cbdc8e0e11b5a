//! A request that a later one of its sender has overtaken is refused with 500 (RFC 3261 §12.2.2). Where the two ends would disagree from then
//! on, the request goes out once more. Drawn runs hardly ever come to this.

use sansip_sim::planted::{Hooks, Notebook};

use super::player::Kind;
use super::transfers::change;
use super::{Script, played};

/// The first of Alice and Bob, by number, calls the other one and refers that one to Carol, who answers 2,120 ms after the beginning. Then these
/// acts follow.
fn script(referrer: usize, acts: &[(usize, u64, Kind, usize)], plan: &'static str) -> Script {
    let begins = [(referrer, 1_000, Kind::Call, 0), (referrer, 2_000, Kind::Refer, 1)];
    Script {
        users: 3,
        proxy: false,
        record_route: false,
        acts: begins.iter().chain(acts).copied().collect(),
        calls: vec![(Some(Kind::Answer), 100)],
        changes: vec![(None, 0)],
        states: (Vec::new(), false),
        seed: 1,
        loss: 0,
        late: 0,
        plan,
    }
}

/// Sends no request that has been refused with 500 again.
macro_rules! gives_up {
    ($method:literal) => {
        Hooks {
            hearing: |memory: &mut Notebook, kind: &str, text: String| {
                memory.count += usize::from(kind == concat!("500 ", $method));
                vec![text]
            },
            sending: |memory: &mut Notebook, kind: &str, text: String| {
                if memory.count > 0 && kind == $method { vec![] } else { vec![text] }
            },
            ..Hooks::NONE
        }
    };
}

/// The last status that a referrer was told, and whether the other end has ended the subscription.
fn outcome(script: &Script, referrer: usize, mistake: Option<Hooks>) -> (Option<u16>, bool) {
    let (wrong, all) = played(script, mistake);
    assert!(wrong.is_empty(), "{wrong:#?}");
    change(&all[referrer], |transfers| (transfers.watches[0].last, transfers.watches[0].is_done))
}

/// Bob hangs up, and Carol's answer comes: his NOTIFY comes before his BYE.
#[test]
fn the_peer_is_told_of_the_end_by_a_bye_that_was_overtaken() {
    let script = script(0, &[(1, 2_125, Kind::HangUp, 0)], "bob>alice BYE#1:drop");
    assert!(played(&script, None).0.is_empty(), "{:#?}", played(&script, None).0);
    let wrong = played(&script, Some(gives_up!("BYE"))).0;
    assert!(wrong.iter().any(|what| what.contains("it is over, and the ends are")), "{wrong:#?}");
}

/// Carol's answer comes, and Bob hangs up: his BYE comes before his NOTIFY.
#[test]
fn the_referrer_is_told_of_the_outcome_by_a_notify_that_was_overtaken() {
    let script = script(0, &[(1, 2_140, Kind::HangUp, 0)], "bob>alice NOTIFY#2:drop");
    assert_eq!(outcome(&script, 0, None), (Some(200), true));
    assert_eq!(outcome(&script, 0, Some(gives_up!("NOTIFY"))), (Some(100), false));
}

/// Bob wants to hear no more of his REFER, and asks something: his INFO comes before his SUBSCRIBE.
#[test]
fn the_notifier_is_told_of_the_end_by_a_subscribe_that_was_overtaken() {
    let acts = [(1, 2_050, Kind::Unsubscribe, 0), (1, 2_055, Kind::Ask, 0)];
    let script = script(1, &acts, "bob>alice SUBSCRIBE#1:drop, carol>alice 200/INVITE#1:drop");
    assert_eq!(outcome(&script, 1, None), (Some(100), true));
    assert_eq!(outcome(&script, 1, Some(gives_up!("SUBSCRIBE"))), (Some(200), true));
}
