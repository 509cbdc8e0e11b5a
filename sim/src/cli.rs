//! The command line: what was asked for, or one line that says what is wrong and what would be right.

use std::ffi::OsString;
use std::fmt::Write as _;

use crate::check;
use crate::fault::Plan;
use crate::link::{Conditions, Link, Links};
use crate::render::{Figures, ladder};
use crate::topology::{Scenario, Topology};

/// What `--help` prints.
pub const HELP: &str = "\
sansip-sim: a SIP call on a simulated network, as a ladder

Usage: sansip-sim [call] [OPTIONS]
       sansip-sim inspect [OPTIONS] FILE...    judges SIP messages; see inspect --help

Alice calls Bob as in RFC 3261 §24.2: F1 to F14, after Bob's registration R1, R2.

Options of call:
  --topology NAME       direct, one-proxy, trapezoid (the default), chain:N (N proxies) or crowd:N (N pairs)
  --record-route        the proxies stay on the path of the call
  --hang-up WHO         alice or bob (the default)
  --loss P              lose datagrams with probability P, from 0 to 1
  --duplicate P         let datagrams arrive twice
  --reorder P           hold datagrams up for up to a second, so that others overtake them
  --seed N              which of the possible losses, duplicates and delays; 1 if not given
  --plan 'FAULTS'       exact faults: 'atlanta>biloxi#3:drop, bob>biloxi#1:+700ms, alice>atlanta#2:dup(+20ms)';
                        #3 is the third datagram from atlanta to biloxi; docs/simulation.md has all forms
  --help                this text

Loss, duplication and reordering begin with the call in second 1, when Bob is registered, and are over in second 120; every
call still there then is ended. A plan holds for the registration too. The last line of a run with faults repeats it exactly.
The same options give the same bytes on stdout; the time that a run took goes to stderr.

Exit status: 0, 1 if the run broke a rule (the rules are in the library's module `check`), 2 for a wrong command line.
";

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Print [`HELP`].
    Help,
    /// Run a call.
    Call(Box<CallOptions>),
}

/// The options of `call`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOptions {
    /// `--topology`
    pub topology: Topology,
    /// `--record-route`
    pub record_route: bool,
    /// `--hang-up`: whether it is Alice.
    pub alice_hangs_up: bool,
    /// `--loss`, `--duplicate`, `--reorder`
    pub conditions: Conditions,
    /// `--seed`
    pub seed: u64,
    /// `--plan`
    pub plan: Plan,
}

impl Default for CallOptions {
    fn default() -> Self {
        Self {
            topology: Topology::Trapezoid,
            record_route: false,
            alice_hangs_up: false,
            conditions: Conditions::FINE,
            seed: 1,
            plan: Plan::new(),
        }
    }
}

impl Command {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// One line for the user.
    pub fn parse(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Self, String> {
        use lexopt::Arg::{Long, Short, Value};
        let mut parser = lexopt::Parser::from_args(arguments);
        let mut options = CallOptions::default();
        let mut command = None;
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                Long("help") | Short('h') => return Ok(Self::Help),
                Long("topology") => options.topology = value(&mut parser, "--topology")?,
                Long("record-route") => options.record_route = true,
                Long("hang-up") => options.alice_hangs_up = value::<Caller>(&mut parser, "--hang-up")?.0,
                Long("loss") => options.conditions.loss = value(&mut parser, "--loss")?,
                Long("duplicate") => options.conditions.duplication = value(&mut parser, "--duplicate")?,
                Long("reorder") => options.conditions.reordering = value(&mut parser, "--reorder")?,
                Long("seed") => options.seed = value(&mut parser, "--seed")?,
                Long("plan") => options.plan = value(&mut parser, "--plan")?,
                Value(word) if command.is_none() => {
                    if word != "call" {
                        return Err(format!(
                            "there is no command `{}`; the commands are `call` and `inspect`",
                            word.display()
                        ));
                    }
                    command = Some(word);
                }
                other => return Err(format!("{}; `--help` lists the options", other.unexpected())),
            }
        }
        options.check()?;
        Ok(Self::Call(Box::new(options)))
    }
}

/// Alice or not.
struct Caller(bool);

impl std::str::FromStr for Caller {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "alice" => Ok(Self(true)),
            "bob" => Ok(Self(false)),
            _ => Err("alice or bob hangs up"),
        }
    }
}

fn value<T: std::str::FromStr>(parser: &mut lexopt::Parser, option: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    let value = parser.value().map_err(|error| error.to_string())?;
    let text = value.to_str().ok_or_else(|| format!("{option}: the value is not UTF-8"))?;
    text.parse().map_err(|error| format!("{option} `{text}`: {error}"))
}

/// What a run printed, and whether it broke a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// For stdout.
    pub text: String,
    /// Whether all checks held.
    pub good: bool,
}

impl CallOptions {
    /// A plan may only name nodes that are there.
    fn check(&self) -> Result<(), String> {
        let nodes = self.topology.nodes();
        match self.plan.nodes().find(|name| !nodes.iter().any(|node| node == name)) {
            Some(name) => Err(format!(
                "--plan: there is no node `{name}` in topology {}; its nodes are {}",
                self.topology,
                nodes.join(", ")
            )),
            None => Ok(()),
        }
    }

    /// The call that is asked for.
    pub fn scenario(&self) -> Scenario {
        let mut scenario = Scenario::rfc3261(self.topology);
        scenario.record_route = self.record_route;
        if self.alice_hangs_up {
            scenario.alice.hang_up_after = scenario.bob.hang_up_after.take();
        }
        scenario.links = Links::all(Link { conditions: self.conditions, ..Link::default() });
        scenario.plan = self.plan.clone();
        scenario.seed = (self.conditions != Conditions::FINE).then_some(self.seed);
        scenario
    }

    /// Runs the call and draws it: the ladder, a line of figures, rules that were broken, and the line that repeats it.
    pub fn run(&self) -> Printed {
        let scenario = self.scenario();
        let mut world = scenario.world();
        world.run_until_quiet(scenario.end());
        let breaches = check::breaches(&check::standard(), &world);
        let mut text = ladder(world.trace());
        let _ = writeln!(text, "\n{}", Figures::of(world.trace(), world.now()));
        for breach in &breaches {
            let _ = writeln!(text, "rule broken: {breach}");
        }
        if !world.faults_met().is_empty() {
            let _ = writeln!(text, "replay: {}", self.replay(&world.faults_met()));
        }
        Printed { text, good: breaches.is_empty() }
    }

    /// The command that repeats the run exactly.
    fn replay(&self, met: &Plan) -> String {
        let mut line = format!("sansip-sim call --topology {}", self.topology);
        if self.record_route {
            line.push_str(" --record-route");
        }
        if self.alice_hangs_up {
            line.push_str(" --hang-up alice");
        }
        let _ = write!(line, " --plan '{met}'");
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::Probability;

    fn options(line: &[&str]) -> CallOptions {
        match Command::parse(line) {
            Ok(Command::Call(options)) => *options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_arguments_it_is_the_call_of_the_rfc() {
        assert_eq!(options(&[]), CallOptions::default());
        assert_eq!(options(&["call"]), CallOptions::default());
    }

    #[test]
    fn every_option_is_read() {
        let line =
            "call --topology one-proxy --record-route --hang-up alice --loss 0.3 --duplicate=.1 --reorder 1 --seed 7";
        let read = options(&line.split(' ').collect::<Vec<_>>());
        assert_eq!((read.topology, read.record_route, read.alice_hangs_up), (Topology::OneProxy, true, true));
        assert_eq!(read.conditions.loss, Probability::percent(30));
        assert_eq!(read.conditions.duplication, Probability::percent(10));
        assert_eq!(read.conditions.reordering, Probability::percent(100));
        assert_eq!(read.seed, 7);
        let plan = "atlanta>biloxi#3:drop";
        assert_eq!(options(&["--plan", plan]).plan.to_string(), plan);
        assert_eq!(Command::parse(["call", "--help"]), Ok(Command::Help));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line_with_what_would_be_right() {
        for (line, right) in [
            (&["ring"][..], "`call` and `inspect`"),
            (&["call", "call"], "--help"),
            (&["--topology", "star"], "direct, one-proxy or trapezoid"),
            (&["--hang-up", "carol"], "alice or bob"),
            (&["--loss", "30%"], "from 0 to 1"),
            (&["--loss"], "--loss"),
            (&["--seed", "x"], "--seed `x`"),
            (&["--plan", "a>b"], "a fault reads"),
            (&["--topology", "direct", "--plan", "alice>atlanta#1:drop"], "its nodes are alice, bob"),
            (&["--record-route=yes"], "yes"),
            (&["--fast"], "--help"),
        ] {
            let error = Command::parse(line).unwrap_err();
            assert!(error.contains(right) && !error.contains('\n'), "{line:?}: {error}");
        }
    }
}
