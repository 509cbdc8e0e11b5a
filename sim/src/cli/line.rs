//! The command line as clap reads it.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::io;
use std::num::NonZero;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches, Parser, Subcommand};
use sansip::Duration;

use super::captured::Captured;
use super::print::{Format, Printing};
use crate::fault::{Preset, Span};
use crate::run::{Case, OPTIONS, Opt, why};
use crate::shrink::can_be_written;
use crate::sweep::{Calls, Shard};
use crate::topology::Topology;

const STATUS: &str = "Exit status: 0 if all checks hold, 1 if one of safety is broken, 3 if one of liveness is, 2 for a wrong \
    command line, 4 if nothing was run, 5 if a run was not the same the second time.";

const CALL: &str = "\
A TIME is written 700ms or 5s. Loss, duplication and reordering begin with the call in second 1, when Bob is registered. A plan holds for the
registration too. The last line of a run with faults repeats it exactly. The same options give the same bytes on stdout; the time that a
run took goes to stderr.

Exit status: 0 if all checks hold, 1 if one of safety is broken, 3 if one of liveness is, 2 for a wrong command line.";

const SHOW: &str = "\
A node is an address and port; a connection's port is its node's that the topmost Via names. docs/captures.md tells more.

Exit status: 0 if calls were shown, 2 for a wrong command line or a file that cannot be read to its end, 4 if there was none.";

const CHECK: &str = "\
What is not in a capture may have been lost on its way to it. So a message is held against its sender only if no RFC allows it whatever else there was, and what
did not come, or came out of order, only if the capture was made at that node. docs/captures.md has what can be decided when.

Exit status: 0 if nothing was found, 1 if a message breaks a rule, 3 if only something is missing at a node of --at, 2 for a wrong command line or a file that
cannot be read to its end, 4 if there was no call.";

/// A SIP call on a simulated network, made visible
#[derive(Debug, Parser)]
#[command(name = "sansip-sim", version, args_conflicts_with_subcommands = true, args_override_self = true)]
#[command(after_help = CALL)]
pub(super) struct Line {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) call: Call,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Alice calls Bob as in RFC 3261 §24.2: F1 to F14, after Bob's registration R1, R2
    #[command(after_help = CALL)]
    Call(Call),
    /// Many calls, each drawn from a seed
    #[command(after_help = STATUS)]
    Sweep(Sweep),
    /// Puts the results of a sweep's shards together: every shard once, all of the same sweep, all finished
    #[command(after_help = STATUS)]
    Merge(Merge),
    /// Every placement of a few faults on a call: each datagram is lost, arrives twice, is late past its sender's next copy, or past 64*T1
    #[command(after_help = STATUS)]
    Explore(Explore),
    /// Real mistakes of SIP stacks, each found by the check that it is for; tests/planted/run has those that need a patch of core
    #[command(after_help = "Exit status: 0 if all were found, 1 if not, 2 for a wrong command line.")]
    Planted(Planted),
    /// The calls of captures (pcap, pcapng) and traces: a list, or those that are chosen as `call` prints them
    #[command(after_help = SHOW)]
    Show(Show),
    /// Judges the calls of captures (pcap, pcapng) and traces: which sentence of which RFC a message breaks, as it passed there
    #[command(after_help = CHECK)]
    Check(Check),
    /// Judges SIP messages; see inspect --help
    #[command(disable_help_flag = true)]
    Inspect {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        rest: Vec<OsString>,
    },
    /// Prints what completes this command line in a shell
    Completions {
        /// bash, elvish, fish, powershell or zsh
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(super) struct Call {
    #[command(flatten)]
    pub(super) parts: Parts<false>,
    #[command(flatten)]
    pub(super) printing: Printing,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    pub(super) captured: Captured,
    /// The call with this Call-ID
    #[arg(long, value_name = "CALL-ID")]
    pub(super) call: Option<String>,
    /// The calls whose first request has this in From
    #[arg(long, value_name = "TEXT")]
    pub(super) from: Option<String>,
    /// The calls whose first request has this in To
    #[arg(long, value_name = "TEXT")]
    pub(super) to: Option<String>,
    /// As of `call`; a list if nothing is chosen, else a ladder
    #[arg(long, value_parser = value::<Format>)]
    pub(super) format: Option<Format>,
    /// Write to FILE, and not to standard output
    #[arg(short, long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(output_file))]
    pub(super) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) captured: Captured,
    /// The capture was made at this node, by its name or address: what it did not send was not sent. Nodes on loopback are such anyway
    #[arg(long, value_name = "NODE")]
    pub(super) at: Vec<String>,
    /// Show remarks, too: intervals, and what is only recommended
    #[arg(long)]
    pub(super) advice: bool,
    /// One object a line: file, frame, time, node, call_id, evidence (seen, missing or remark), check, source, what, right
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Sweep {
    /// So many runs, over all shards
    #[arg(long, value_name = "N", value_parser = value::<u64>)]
    pub(super) runs: Option<u64>,
    /// As many as there is time for: 90s, 10m, 2h
    #[arg(long = "for", value_name = "TIME", value_parser = value::<Time>)]
    pub(super) time: Option<Time>,
    /// One of those that `call` has, or all (the default)
    #[arg(long, value_name = "NAME", default_value = "all", hide_default_value = true, value_parser = topology)]
    pub(super) topology: AnyTopology,
    /// calm, wifi, satellite, congested, hostile or flood; if not given, every run has one of its own, but no flood
    #[arg(long, value_name = "NAME", value_parser = weather)]
    pub(super) weather: Option<Preset>,
    /// plain: INVITE, CANCEL, BYE and REGISTER alone; any (the default): half of the calls have hold, an offer that comes late, or credentials
    /// besides, a fifth reliable provisional responses, a tenth a session timer, a tenth a transfer; one in twelve goes to several phones,
    /// one in six through one of redirect, auth, strict, dual and farm
    #[arg(long, value_name = "KIND", default_value = "any", hide_default_value = true, value_parser = value::<Calls>)]
    pub(super) calls: Calls,
    /// The base seed: run i is a function of it and of i; 1 if not given
    #[arg(long, value_name = "N", default_value = "1", hide_default_value = true, value_parser = value::<u64>)]
    pub(super) seed: u64,
    /// Only the I-th of N parts
    #[arg(long, value_name = "I/N", default_value = "1/1", hide_default_value = true, value_parser = value::<Shard>)]
    pub(super) shard: Shard,
    /// Run everything twice and compare
    #[arg(long)]
    pub(super) check_determinism: bool,
    /// Write the results to FILE, for merge
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(results_file))]
    pub(super) json: Option<PathBuf>,
    /// Write a page about the runs to FILE: what came of the calls, how soon they were set up, what broke
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(output_file))]
    pub(super) report: Option<PathBuf>,
    #[command(flatten)]
    pub(super) work: Work,
}

#[derive(Debug, Args)]
pub(super) struct Merge {
    /// The files that `sansip-sim sweep --shard I/N --json FILE` wrote
    pub(super) files: Vec<PathBuf>,
    /// Write the sum to FILE
    #[arg(long, value_name = "FILE", value_parser = OsStringValueParser::new().try_map(results_file))]
    pub(super) json: Option<PathBuf>,
    #[command(flatten)]
    pub(super) kept: Kept,
}

#[derive(Debug, Args)]
pub(super) struct Explore {
    /// At most so many faults, up to 8
    #[arg(long, value_name = "K", value_parser = value::<Faults>)]
    pub(super) faults: Option<Faults>,
    /// Each of these nodes crashes, as in s1,s2: at every moment after datagrams were sent, as one of the faults
    #[arg(long, value_name = "NODES", value_delimiter = ',')]
    pub(super) crash: Vec<String>,
    /// Each of these nodes crashes and starts anew at once, likewise
    #[arg(long, value_name = "NODES", value_delimiter = ',')]
    pub(super) restart: Vec<String>,
    /// Alice cancels while it rings
    #[arg(long)]
    pub(super) cancel: bool,
    /// Stop after 90s, 10m, 2h
    #[arg(long = "for", value_name = "TIME", value_parser = value::<Time>)]
    pub(super) time: Option<Time>,
    #[command(flatten)]
    pub(super) parts: Parts<true>,
    #[command(flatten)]
    pub(super) work: Work,
}

#[derive(Debug, Args)]
pub(super) struct Planted {
    /// These alone
    pub(super) mistakes: Vec<String>,
    /// Give a mistake up after so many runs; 1000 if not given
    #[arg(long, value_name = "N", default_value = "1000", hide_default_value = true, value_parser = value::<NonZero<u64>>)]
    pub(super) runs: NonZero<u64>,
}

/// How a long command works.
#[derive(Debug, Args)]
pub(super) struct Work {
    /// Threads; as many as there are processors if not given. The results do not depend on it
    #[arg(long, value_name = "N", value_parser = value::<Threads>)]
    jobs: Option<Threads>,
    #[command(flatten)]
    pub(super) kept: Kept,
}

impl Work {
    /// How many threads.
    pub(super) fn jobs(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.as_ref().map_or_else(all, |Threads(threads)| *threads)
    }
}

#[derive(Debug, Args)]
pub(super) struct Kept {
    /// Where failures are kept; target/sansip-failures if not given
    #[arg(long, value_name = "FOLDER", value_parser = OsStringValueParser::new().try_map(folder))]
    failures: Option<PathBuf>,
}

impl Kept {
    pub(super) fn failures(&self) -> PathBuf {
        self.failures.clone().unwrap_or_else(crate::shrink::folder)
    }
}

/// The parts of a case that were given, those of an exploration or all.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts<const EXPLORED: bool> {
    pub(super) case: Case,
    /// The weather by name. Some of it depends on the other parts.
    pub(super) weather: Option<Preset>,
    /// As they stood there: name and value, which is empty of a switch.
    pub(super) given: Vec<(&'static str, String)>,
}

/// The parts of a call that are options of `explore`, too.
const EXPLORED_PARTS: [&str; 15] = [
    "topology",
    "record-route",
    "recurse",
    "hang-up",
    "hold",
    "change-reply",
    "late-offer",
    "reliable",
    "session-expires",
    "min-se",
    "bob-refreshes",
    "refresh-by-invite",
    "transfer",
    "attended",
    "challenge",
];

impl<const EXPLORED: bool> Parts<EXPLORED> {
    fn options() -> impl Iterator<Item = &'static Opt> {
        OPTIONS.iter().filter(|option| !EXPLORED || EXPLORED_PARTS.contains(&option.name))
    }
}

impl<const EXPLORED: bool> Args for Parts<EXPLORED> {
    fn augment_args(command: clap::Command) -> clap::Command {
        let arg = |option: &'static Opt| {
            let arg = Arg::new(option.name).long(option.name).help(option.help);
            if option.is_switch {
                return arg.action(ArgAction::SetTrue);
            }
            arg.value_name(option.value).allow_hyphen_values(true).value_parser(move |text: &str| {
                let set = (option.set)(&mut Case::default(), text).map(|()| text.to_owned());
                set.map_err(|error| {
                    meant(if option.name == "topology" { Topology::names().collect() } else { vec![] }, text, error)
                })
            })
        };
        let command = command.args(Self::options().map(arg));
        if EXPLORED {
            return command;
        }
        const WEATHER: &str = "sets all of these: calm, wifi, satellite, congested, hostile or flood; hostile has cuts, slow resolvers \
            and drifting clocks besides, flood a stranger who sends a server too much";
        command.arg(Arg::new("weather").long("weather").value_name("NAME").help(WEATHER).value_parser(weather))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl<const EXPLORED: bool> FromArgMatches for Parts<EXPLORED> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut parts = Self::default();
        parts.update_from_arg_matches(matches).map(|()| parts)
    }

    /// In the order in which they were given: weather sets what others may change, or the other way round.
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let is_given = |name: &str| matches.value_source(name) == Some(clap::parser::ValueSource::CommandLine);
        let names = Self::options().map(|option| option.name).chain((!EXPLORED).then_some("weather"));
        let mut given: Vec<_> = names.filter(|name| is_given(name)).collect();
        given.sort_by_key(|name| matches.index_of(name));
        for name in given {
            if name == "weather" {
                let Some(weather) = matches.get_one::<Preset>(name).copied() else { continue };
                self.weather = Some(weather);
                (self.case.delay, self.case.conditions) = weather.parts();
            } else if let Some(option) = OPTIONS.iter().find(|option| option.name == name) {
                let value = if option.is_switch { None } else { matches.get_one::<String>(name) };
                let set = (option.set)(&mut self.case, value.map_or("yes", String::as_str));
                set.map_err(|error| clap::Error::raw(clap::error::ErrorKind::ValueValidation, error))?;
                self.given.push((name, value.cloned().unwrap_or_default()));
            }
        }
        Ok(())
    }
}

/// A value of any type that says what would be right.
pub(super) fn value<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: Display + 'static,
{
    text.parse().map_err(|error| why(&error))
}

/// An error with a guess of what may have been meant, if one of these words is near.
pub(super) fn meant(words: Vec<&str>, written: &str, error: impl Display) -> String {
    // Nobody writes so long a word by mistake.
    let near = |word: &&str| written.len() <= 40 && strsim::jaro(word, written) > 0.8;
    match words
        .into_iter()
        .filter(near)
        .max_by(|one, other| strsim::jaro(one, written).total_cmp(&strsim::jaro(other, written)))
    {
        Some(word) => format!("did you mean `{word}`? {error}"),
        None => error.to_string(),
    }
}

fn weather(text: &str) -> Result<Preset, String> {
    text.parse().map_err(|error: &str| meant(Preset::ALL.iter().map(|preset| preset.name()).collect(), text, error))
}

/// A topology, or all.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnyTopology(pub(super) Option<Topology>);

fn topology(text: &str) -> Result<AnyTopology, String> {
    if text == "all" {
        return Ok(AnyTopology(None));
    }
    let one = text.parse().map(|one| AnyTopology(Some(one)));
    one.map_err(|error| meant(Topology::names().collect(), text, format!("{error}, or all")))
}

fn folder(path: OsString) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(path);
    // It need not be there yet.
    let is_none = path.as_os_str().is_empty() || (path.exists() && !path.is_dir());
    if is_none { Err("no folder; a folder is meant, as in failures") } else { Ok(path) }
}

/// Where what is printed goes: a file that can be written.
pub(super) fn output_file(path: OsString) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    let wrong = |error| format!("{error}; a file that can be written is meant, as in call.html");
    can_be_written(&path).map(|()| path).map_err(wrong)
}

/// Where results go: a file that can be written, which is to be known before there are results.
fn results_file(path: OsString) -> Result<PathBuf, String> {
    let path = PathBuf::from(path);
    can_be_written(&path).map(|()| path).map_err(|error| not_written(&error))
}

pub(super) fn not_written(error: &io::Error) -> String {
    format!("{error}; a file that can be written is meant, as in results.json")
}

bounded!(
    /// How many threads.
    Threads, (1..=1_024), "threads are a whole number from 1 to 1024, as in 4"
);
bounded!(
    /// How many faults a run of an exploration has at most: of more nobody sees the end.
    Faults, (0..=8), "faults are a whole number from 0 to 8, as in 2"
);

/// A time on the wall: `90s`, `10m`, `2h`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(pub(super) Duration);

impl FromStr for Time {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds = |unit: char, seconds: u64| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(seconds).map(Duration::from_secs)
        };
        let time = seconds('h', 3_600).or_else(|| seconds('m', 60)).or_else(|| Span::parse(text));
        time.filter(|time| u64::try_from(time.as_nanos()).is_ok()).map(Self).ok_or("a time is written 90s, 10m or 2h")
    }
}

/// Whether the arguments are those of `inspect`, which reads its own.
pub(super) fn is_inspect(first: Option<&OsString>) -> bool {
    first.is_some_and(|first| first == OsStr::new("inspect"))
}
