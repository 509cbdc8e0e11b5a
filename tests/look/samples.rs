//! The pages that are looked at.

use sansip_sim::crew::Progress;
use sansip_sim::planted;
use sansip_sim::render::{Figures, Page, SweepReport};
use sansip_sim::run::{Case, Run, run};
use sansip_sim::sweep::{Length, Scope, Shard, Sweep, line, work};

fn page(done: &Run, replay: &str) -> String {
    let trace = done.world.trace();
    let figures = Figures::of(trace, done.world.now());
    Page { trace, figures, verdict: Some(&done.verdict), replay: Some(replay.to_owned()) }.to_string()
}

/// A run in bad weather that breaks a rule: a 2xx that comes again gets no ACK.
pub(crate) fn broken_run() -> (Case, Run) {
    let mistake = planted::TABLE.into_iter().find(|planted| planted.name == "ack-once").expect("the mistake");
    let line = "sansip-sim call --topology trapezoid --plan 'alice>atlanta INVITE#1:drop, alice>bob ACK#1:drop, \
                atlanta>biloxi INVITE#1:dup(+300ms), bob>biloxi 200/INVITE#1:+900ms' --seed 1";
    let case: Case = line.parse().expect("a case");
    let done = planted::run(&mistake, &case);
    (case, done)
}

pub(crate) fn broken() -> String {
    let (case, done) = broken_run();
    assert!(!done.verdict.holds(), "a rule is broken");
    page(&done, &case.to_string())
}

/// Ten pairs that call at once: more nodes than fit a screen.
pub(crate) fn crowd() -> String {
    let case: Case = "sansip-sim call --topology crowd:10 --loss 0.1 --seed 3".parse().expect("a case");
    page(&run(&case), &case.to_string())
}

/// More than ten thousand messages: a session that is refreshed for a day.
pub(crate) fn long() -> String {
    let line = "sansip-sim call --record-route --session-expires 90s --hang-up nobody --calm-after 86400s";
    let scenario = line.parse::<Case>().expect("a case").scenario();
    let mut world = scenario.world();
    assert!(world.run_until_quiet(scenario.end()));
    let (trace, figures) = (world.trace(), Figures::of(world.trace(), world.now()));
    assert!(figures.messages > 10_000, "{figures}");
    Page { trace, figures, verdict: None, replay: None }.to_string()
}

pub(crate) fn report() -> String {
    let (scope, shard) = (Scope::default(), Shard::WHOLE);
    let sweep = Sweep { seed: 1, length: Length::Runs(60), scope, shard, twice: false, learns: true };
    let results = work(&sweep, 1, &run, &Progress::default(), &mut || {});
    let learned = results.learned.clone().expect("it learns");
    let worst = Some((Case::default().to_string(), "a ladder".to_owned()));
    SweepReport {
        results: &results,
        learned: &learned,
        scope: scope.to_string(),
        line: line(&sweep),
        failures: &[],
        worst,
    }
    .to_string()
}
