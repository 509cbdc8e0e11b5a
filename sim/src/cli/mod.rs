//! The command line: what was asked for, or one line that says what is wrong and what would be right.

mod call;
mod explore;
mod help;
mod nearest;
mod options;
mod planted;
mod progress;
mod sweep;

use std::ffi::OsString;
use std::io::{self, Write};

use crate::inspect;
use options::{Options, Usage};

/// Where a command prints.
pub struct Out<'a> {
    /// Results.
    pub stdout: &'a mut dyn Write,
    /// Progress, and what is wrong.
    pub stderr: &'a mut dyn Write,
    /// Whether `stderr` is a terminal, on which lines can be written over.
    pub terminal: bool,
    /// Whether colours are wanted there.
    pub colour: bool,
}

/// Why a command did not come to an end.
enum Stop {
    /// The command line is wrong: one line for the user.
    Usage(String),
    /// Nothing can be written any more.
    Output(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Usage> for Stop {
    fn from(Usage(line): Usage) -> Self {
        Self::Usage(line)
    }
}

/// Runs the command that the arguments after the program's name ask for, and returns the exit status.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString>>, out: &mut Out<'_>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let (command, rest) = match arguments.first().and_then(|first| first.to_str()) {
        Some(word) if !word.starts_with('-') => (word, &arguments[1..]),
        _ => ("call", &arguments[..]),
    };
    if command == "inspect" {
        return inspect::run(rest.iter().cloned(), &mut io::stdin().lock(), out.stdout, out.stderr);
    }
    let done = match command {
        "call" => call::run(rest, out),
        "sweep" => sweep::run(rest, out),
        "merge" => sweep::merge(rest, out),
        "explore" => explore::run(rest, out),
        "planted" => planted::run(rest, out),
        _ => {
            let meant = nearest::hint(command, help::COMMANDS.into_iter());
            Err(Stop::Usage(format!(
                "there is no command `{command}`{meant}; the commands are {}",
                help::COMMANDS.join(", ")
            )))
        }
    };
    match done {
        Ok(status) => status,
        Err(Stop::Usage(line)) => {
            // Where this line cannot be written, nothing can be said.
            let _ = writeln!(out.stderr, "sansip-sim: {line}");
            2
        }
        // A reader that has seen enough is no error.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(Stop::Output(error)) => {
            let _ = writeln!(out.stderr, "sansip-sim: {error}");
            2
        }
    }
}

/// The clock on the wall.
#[expect(clippy::disallowed_methods, reason = "how long the user waits is no part of the simulation")]
fn wall_clock() -> std::time::Instant {
    std::time::Instant::now()
}

/// How many threads work if nothing is said.
fn jobs() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests;
