//! Every topology in every weather: the same seed is the same run, byte for byte; the faults that were met are the run without
//! the weather; and the checks hold.

use sansip_sim::World;
use sansip_sim::fault::Preset;
use sansip_sim::run::{Case, run};
use sansip_sim::topology::Topology;

fn cases() -> impl Iterator<Item = Case> {
    let weathers = Topology::ALL.into_iter().flat_map(|topology| Preset::DRAWN.map(|preset| (topology, preset)));
    weathers.flat_map(|(topology, preset)| {
        (1..=6).map(move |seed| {
            let (delay, conditions) = preset.parts();
            let record_route = seed % 2 == 0;
            let mut case = Case { topology, record_route, delay, conditions, seed, ..Case::default() };
            case.add_events_of(preset);
            case
        })
    })
}

fn everything(world: &World) -> String {
    format!("{:?} {:?}", world.trace(), world.now())
}

#[test]
fn the_same_seed_is_the_same_run_and_its_faults_alone_are_too() {
    for case in cases() {
        let (one, same) = (run(&case), run(&case));
        assert_eq!(everything(&one.world), everything(&same.world), "{case}");
        let met = one.world.faults_met();
        let planned = run(&case.planned(&met.to_string().parse().expect("a plan")));
        assert_eq!(everything(&planned.world), everything(&one.world), "{case}\n{met}");
        assert_eq!(planned.world.faults_met(), met, "{case}");
    }
}

#[test]
fn all_checks_hold_in_every_weather() {
    for case in cases() {
        let run = run(&case);
        let broken: Vec<_> = run.verdict.breaches().map(ToString::to_string).collect();
        assert!(broken.is_empty(), "{case}\n{}", broken.join("\n"));
    }
}

#[test]
fn hostile_weather_meets_every_kind_of_fault() {
    let hostile = cases().filter(|case| case.conditions == Preset::Hostile.parts().1);
    let met: String = hostile.map(|case| format!("{}, ", run(&case).world.faults_met())).collect();
    for kind in [":drop", ":+", ":dup(+", ":split(", ":reset", ":cut", ":dns(+", ":clock("] {
        assert!(met.contains(kind), "{kind}");
    }
}
