//! Reading options.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use super::{help, nearest};
use crate::fault::Preset;
use crate::run::{Case, OPTIONS, why};
use crate::topology::Topology;

/// A wrong command line: one line that says what and where and what would be right.
pub(super) struct Usage(pub(super) String);

/// An argument.
pub(super) enum Argument {
    /// `--name`
    Long(String),
    /// A word without dashes.
    Word(OsString),
}

/// The arguments of a command, one after the other.
pub(super) struct Options {
    parser: lexopt::Parser,
    /// The last `--weather` of a case. What it does besides what it does to messages depends on the other options.
    pub(super) weather: Option<Preset>,
    command: &'static str,
}

impl Options {
    pub(super) fn of(command: &'static str, arguments: &[OsString]) -> Self {
        Self { parser: lexopt::Parser::from_args(arguments), weather: None, command }
    }

    pub(super) fn next(&mut self) -> Result<Option<Argument>, Usage> {
        let command = self.command;
        let next = self.parser.next().map_err(|error| lists(command, &error))?;
        Ok(match next {
            None => None,
            Some(lexopt::Arg::Long(name)) => Some(Argument::Long(name.to_owned())),
            Some(lexopt::Arg::Short('h')) => Some(Argument::Long("help".to_owned())),
            Some(lexopt::Arg::Value(word)) => Some(Argument::Word(word)),
            Some(short @ lexopt::Arg::Short(_)) => return Err(lists(command, &short.unexpected())),
        })
    }

    /// The value of the option just read.
    pub(super) fn value<T: FromStr>(&mut self, name: &str) -> Result<T, Usage>
    where
        T::Err: Display + 'static,
    {
        let text = self.text(name)?;
        text.parse().map_err(|error| Usage(format!("--{name} `{text}`{}: {}", meant(name, &text), why(&error))))
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, Usage> {
        let value = self.parser.value().map_err(|error| lists(self.command, &error))?;
        value.into_string().map_err(|value| Usage(format!("--{name} `{}`: not UTF-8", value.display())))
    }

    pub(super) fn path(&mut self) -> Result<PathBuf, Usage> {
        self.parser.value().map(PathBuf::from).map_err(|error| lists(self.command, &error))
    }

    /// A folder, which need not be there yet.
    pub(super) fn folder(&mut self, name: &str) -> Result<PathBuf, Usage> {
        let path = self.path()?;
        if path.as_os_str().is_empty() || (path.exists() && !path.is_dir()) {
            return Err(Usage(format!("--{name} `{}`: no folder; a folder is meant, as in failures", path.display())));
        }
        Ok(path)
    }

    /// Reads the option if it is a part of a [`Case`], or sets the weather.
    pub(super) fn case(&mut self, name: &str, case: &mut Case) -> Result<bool, Usage> {
        if name == "weather" {
            let preset: Preset = self.value(name)?;
            (case.delay, case.conditions) = preset.parts();
            self.weather = Some(preset);
            return Ok(true);
        }
        let Some(option) = OPTIONS.iter().find(|option| option.name == name) else { return Ok(false) };
        let text = if option.is_switch { "yes".to_owned() } else { self.text(name)? };
        // A plan may be long, and says itself what is wrong with it where.
        let shown = if name == "plan" { String::new() } else { format!(" `{text}`{}", meant(name, &text)) };
        (option.set)(case, &text).map_err(|error| Usage(format!("--{name}{shown}: {error}")))?;
        Ok(true)
    }

    /// Nobody knows this argument.
    pub(super) fn unknown<T>(&self, argument: &Argument) -> Result<T, Usage> {
        let what = match argument {
            Argument::Long(name) => {
                let meant = nearest::hint(name, help::options(help::of(self.command)));
                format!("there is no option `--{name}`{}", meant.replacen('`', "`--", 1))
            }
            Argument::Word(word) => format!("what is `{}`?", word.display()),
        };
        Err(lists(self.command, &what))
    }
}

/// Guesses what a value may have been meant to be, among those that have a name.
pub(super) fn meant(option: &str, value: &str) -> String {
    match option {
        "weather" => nearest::hint(value, Preset::ALL.iter().map(|preset| preset.name())),
        "topology" => nearest::hint(value, Topology::names()),
        _ => String::new(),
    }
}

/// How many threads.
pub(super) struct Threads(pub(super) usize);

impl FromStr for Threads {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let threads = text.parse().ok().filter(|threads| (1..=1_024).contains(threads));
        threads.map(Self).ok_or("threads are a whole number from 1 to 1024, as in 4")
    }
}

fn lists(command: &str, what: &dyn Display) -> Usage {
    Usage(format!("{what}; `sansip-sim {command} --help` lists the options"))
}
