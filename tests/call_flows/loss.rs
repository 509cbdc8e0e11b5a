//! Shows what loss does to calls: docs/flows/loss.md.

use std::fmt::Write as _;

use sansip::{Duration, Timers};
use sansip_sim::link::Probability;
use sansip_sim::run::Case;
use sansip_sim::sweep::{Learned, SetUps};

use crate::gallery::{flows, holds};

/// Calls of each kind.
const CALLS: u64 = 60;

const WORDS: &str = "\
# What loss does to calls

Alice calls Bob across two proxies (`--topology trapezoid`), each way 10 ms long, and each datagram is lost with the probability on the left. 60 calls of each kind,
drawn from the seeds 1 to 60: how many were set up, how long that took on average without the time in which Bob's phone rings, and how many messages a call sent.
The columns are RFC 3261's timers (T1 500 ms, T2 4 s, T4 5 s), all of them halved, and all of them doubled.

Timer A sends an INVITE again after T1, 2·T1, 4·T1, and so on, on each hop by itself, so that a loss costs T1 most of the time, and a few losses in a row on one hop
cost the most. The number of copies until timer B is the same whatever T1 is. So other timers change how long it takes, and hardly whether it works.

Written by `UPDATE_DOCS=1 cargo test -p sansip-tests --test call_flows loss`.
";

/// Calls with so much loss, in hundredths, with timers of so many halves of the RFC's.
fn calls(loss: u32, halves: u32) -> (SetUps, u64) {
    let (mut learned, mut sent) = (Learned::default(), 0);
    for seed in 1..=CALLS {
        let mut case = Case { seed, ..Case::default() };
        case.conditions.loss = Probability::percent(loss);
        let usual = Timers::default();
        let scaled = |time: Duration| time * halves / 2;
        let mut scenario = case.scenario();
        scenario.timers = Timers { t1: scaled(usual.t1), t2: scaled(usual.t2), t4: scaled(usual.t4), ..usual };
        let mut world = scenario.world();
        assert!(world.run_until_quiet(scenario.end()), "{case}");
        learned.add(&Learned::of(&case, None, world.trace(), seed));
        sent += world.trace().transmissions().count() as u64;
    }
    let mut setups = learned.weathers.into_values();
    (setups.next().expect("calls"), sent)
}

#[test]
fn loss_and_set_up_are_as_the_page_says() {
    let mut page = String::from(WORDS);
    page.push_str("\n| loss | halved: set up | delay | messages | RFC 3261: set up | delay | messages | doubled: set up | delay | messages |\n");
    page.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
    let mut bars = Vec::new();
    for loss in (0..=50).step_by(10) {
        let _ = write!(page, "| {loss} %");
        for halves in [1, 2, 4] {
            let (setups, sent) = calls(loss, halves);
            let (set_up, delay) = (setups.set_up(), setups.sum.checked_div(setups.set_up()).unwrap_or_default());
            let _ = write!(page, " | {} % | {delay} ms | {}", set_up * 100 / setups.calls, sent / setups.calls);
            if halves == 2 {
                bars.push((loss, set_up * 100 / setups.calls, delay));
            }
        }
        page.push_str(" |\n");
    }
    // No loss takes no call, and each step costs time.
    assert_eq!(bars[0].1, 100);
    assert!(bars.first().expect("a row").2 < bars.last().expect("a row").2);
    let list = |each: &dyn Fn(&(u32, u64, u64)) -> u64| {
        bars.iter().map(|bar| each(bar).to_string()).collect::<Vec<_>>().join(", ")
    };
    let losses = bars.iter().map(|(loss, ..)| format!("\"{loss} %\"")).collect::<Vec<_>>().join(", ");
    for (title, axis, numbers) in [
        ("Calls set up, with the timers of RFC 3261", "\"%\" 0 --> 100", list(&|bar| bar.1)),
        ("Set-up delay, with the timers of RFC 3261", "\"ms\"", list(&|bar| bar.2)),
    ] {
        let _ = write!(
            page,
            "\n```mermaid\nxychart-beta\n    title \"{title}\"\n    x-axis [{losses}]\n    y-axis {axis}\n    bar [{numbers}]\n```\n"
        );
    }
    holds(&flows().join("loss.md"), &page);
}
