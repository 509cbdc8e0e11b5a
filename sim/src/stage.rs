//! A network of your own, with nodes of your own, under the same sweep, exploration and shrinking as those that are built in.

use std::fmt;

use crate::check::{Check, Judge, Library, standard};
use crate::crew::Progress;
use crate::explore::{Exploration, Findings, walk_with};
use crate::fault::Plan;
use crate::run::{Case, Run, judged};
use crate::shrink::{Failure, folder};
use crate::sweep::{Results, Scope, Sweep, draw_among, work_with};
use crate::topology::{Scenario, Scene, Topology, Wrap};
use crate::world::World;

/// A network of your own. Which nodes are there and how they are called is yours; who calls whom when, weather, plan and seed are those of a [`Case`].
///
/// Says what breaks is cut down and printed with a line that [`case`](Self::case) reads again, in a call of the function that you name:
///
/// ```
/// use sansip_sim::stage::Stage;
/// use sansip_sim::topology::{Domain, Phone};
///
/// fn desk() -> Stage {
///     Stage::new("desk_replays", &["reception", "exchange", "director"], |scenario, scene| {
///         let phone = |name, last| Phone::new(name, &format!("<sip:{name}@example.com>"), [192, 0, 2, last]);
///         let mut calls = scenario.alice.clone();
///         calls.calls[0].to = "<sip:director@192.0.2.4>".parse().expect("a name-addr");
///         scene.phone(phone("reception", 1).outbound("exchange.example.com"), &calls);
///         scene.domain(Domain::new("exchange", [192, 0, 2, 2]).names(&["exchange.example.com"]).route("*", "192.0.2.4"));
///         scene.phone(phone("director", 4), &scenario.bob);
///     })
/// }
///
/// /// Runs what a failure has printed.
/// fn desk_replays(line: &str) {
///     let stage = desk();
///     stage.expect_holds(&stage.case(line).expect("a line of this stage"));
/// }
///
/// desk_replays("--plan 'exchange>director INVITE#1:drop' --seed 1");
/// assert_eq!(desk().case("--plan 'alice>bob#1:drop'").unwrap_err(), "there is no node `alice`; the nodes are reception, exchange, director");
/// ```
pub struct Stage {
    replays: String,
    nodes: Vec<String>,
    build: Box<Build>,
    checks: fn() -> Vec<Box<dyn Check>>,
}

/// Puts the nodes into a scene.
type Build = dyn Fn(&Scenario, &mut Scene) + Send + Sync;

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("replays", &self.replays).field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

impl Stage {
    /// A network with these nodes, which `build` puts into a scene. `replays` is the name of the function of your program that reads a line by
    /// [`case`](Self::case) and runs it: printed lines are calls of it.
    ///
    /// The scenario is that of the topology `direct`: `alice` is the behaviour of who calls, at one second, and `bob` of who is called.
    pub fn new(replays: &str, nodes: &[&str], build: impl Fn(&Scenario, &mut Scene) + Send + Sync + 'static) -> Self {
        let nodes = nodes.iter().map(|name| (*name).to_owned()).collect();
        Self { replays: replays.to_owned(), nodes, build: Box::new(build), checks: standard }
    }

    /// Judges by these checks in the place of the [standard] ones.
    #[must_use]
    pub fn judged_by(mut self, checks: fn() -> Vec<Box<dyn Check>>) -> Self {
        self.checks = checks;
        self
    }

    /// Reads a line that a failure has printed: options of `sansip-sim call`, but for the topology.
    ///
    /// # Errors
    /// One line that says what is wrong with it.
    pub fn case(&self, line: &str) -> Result<Case, String> {
        let mut case = Case { topology: Topology::Direct, ..Case::default() };
        case.set_all(line)?;
        if case.topology != Topology::Direct {
            return Err("--topology: the network is this program's".to_owned());
        }
        if let Some(name) = case.plan.nodes().find(|name| !self.nodes.iter().any(|node| node == name)) {
            return Err(format!("there is no node `{name}`; the nodes are {}", self.nodes.join(", ")));
        }
        Ok(case)
    }

    /// The line of a case, which [`case`](Self::case) reads.
    pub fn line(&self, case: &Case) -> String {
        let line = case.to_string();
        line.trim_start_matches("sansip-sim call --topology direct").trim_start().to_owned()
    }

    /// A call of the function that replays a line.
    pub(crate) fn replay(&self, case: &Case) -> String {
        format!("{}(\"{}\")", self.replays, self.line(case))
    }

    /// The names of the nodes.
    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    fn world(&self, case: &Case, wrap: Wrap<'_>) -> World {
        let scenario = case.scenario().acted();
        let mut scene = Scene::new(scenario.setting());
        (self.build)(&scenario, &mut scene);
        scene.world(wrap)
    }

    /// Runs a case to its end, and judges it.
    pub fn run(&self, case: &Case) -> Run {
        self.run_with(case, &mut |_, actor| actor)
    }

    /// As above, with something between some nodes and the world.
    pub fn run_with(&self, case: &Case, wrap: Wrap<'_>) -> Run {
        let mut world = self.world(case, wrap);
        let (checks, library) = ((self.checks)(), Library::default());
        let verdict = judged(&mut world, case.scenario().end(), &mut Judge::new(&checks, &library, 0));
        Run { world, verdict }
    }

    /// Runs a case, and cuts it down if it breaks a check.
    pub fn failure(&self, case: &Case) -> Option<Failure> {
        Failure::of_stage(case, self, &|case| self.run(case))
    }

    /// For tests: runs a case to its end. All checks hold, or the test fails with what is left of it and the call that replays that.
    ///
    /// # Panics
    /// If a check is broken.
    pub fn expect_holds(&self, case: &Case) {
        if let Some(failure) = self.failure(case) {
            failure.fail(&folder());
        }
    }

    /// The run of that number of a sweep: as [`draw`](crate::sweep::draw), with faults among the nodes of this network.
    pub fn draw(&self, scope: &Scope, seed: u64, number: u64) -> Case {
        draw_among(&self.nodes, scope, seed, number)
    }

    /// Sweeps on so many threads; [`draw`](Self::draw) gives the run of a number that broke a check.
    pub fn sweep(&self, sweep: &Sweep, jobs: usize, progress: &Progress) -> Results {
        let draw = |number| self.draw(&sweep.scope, sweep.seed, number);
        work_with(sweep, jobs, &draw, &|case| self.run(case), progress, &mut || {})
    }

    /// Explores every placement of up to so many faults on a case, on so many threads.
    pub fn explore(&self, case: &Case, faults: usize, jobs: usize, progress: &Progress) -> Findings {
        let exploration = Exploration::new(Case { plan: Plan::new(), ..case.clone() }, faults);
        let world = |case: &Case, wrap: Wrap<'_>| self.world(case, wrap);
        walk_with(&[exploration], &world, self.checks, jobs, progress, &mut || {}).swap_remove(0)
    }
}
