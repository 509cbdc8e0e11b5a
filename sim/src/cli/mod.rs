//! The command line: what was asked for, or one line that says what is wrong and what would be right.

/// A whole number within bounds.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident, $range:expr, $wrong:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(super) struct $name(pub(super) usize);

        impl std::str::FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().ok().filter(|number| $range.contains(number)).map(Self).ok_or($wrong)
            }
        }
    };
}

mod call;
mod captured;
mod check;
mod explore;
mod line;
mod planted;
mod print;
mod progress;
mod show;
mod sweep;
mod wrong;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use clap::{CommandFactory, Parser};

use crate::inspect;
use crate::shrink::Failure;
use line::{Command, Line};

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

impl Out<'_> {
    /// Draws a failure that was cut down, and keeps it.
    fn tell(&mut self, failure: &Failure, failures: &Path) -> io::Result<()> {
        writeln!(self.stdout, "cut down:\n\n{}{failure}", failure.ladder)?;
        match failure.save(failures) {
            Ok(path) => writeln!(self.stdout, "kept in {}", path.display()),
            Err(error) => writeln!(self.stderr, "sansip-sim: --failures {}: {error}", failures.display()),
        }
    }
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

/// Runs the command that the arguments after the program's name ask for, and returns the exit status.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString>>, out: &mut Out<'_>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    if line::is_inspect(arguments.first()) {
        return inspect::run(arguments.into_iter().skip(1), &mut io::stdin().lock(), out.stdout, out.stderr);
    }
    match dispatch(arguments, out) {
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

fn dispatch(arguments: Vec<OsString>, out: &mut Out<'_>) -> Result<u8, Stop> {
    let line = match Line::try_parse_from(std::iter::once("sansip-sim".into()).chain(arguments)) {
        Ok(line) => line,
        // Help and version are what was asked for.
        Err(asked) if asked.exit_code() == 0 => {
            write!(out.stdout, "{asked}")?;
            return Ok(0);
        }
        Err(error) => return Err(Stop::Usage(wrong::sentence(&error))),
    };
    match line.command.unwrap_or(Command::Call(line.call)) {
        Command::Call(call) => call::run(call, out),
        Command::Check(asked) => check::run(&asked, out),
        Command::Show(asked) => show::run(&asked, out),
        Command::Sweep(sweep) => sweep::run(sweep, out),
        Command::Merge(merge) => sweep::merge(merge, out),
        Command::Explore(explore) => explore::run(explore, out),
        Command::Planted(planted) => planted::run(planted, out),
        Command::Inspect { .. } => Err(Stop::Usage("`inspect` stands first".into())),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Line::command(), "sansip-sim", &mut text);
            out.stdout.write_all(&text)?;
            Ok(0)
        }
    }
}

/// The clock on the wall.
#[expect(clippy::disallowed_methods, reason = "how long the user waits is no part of the simulation")]
fn wall_clock() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(test)]
mod tests;
