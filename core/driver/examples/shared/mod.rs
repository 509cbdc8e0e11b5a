//! The common parts of the examples: addresses on the command line, sockets, lines and signals while they run, words to the user.

#![allow(dead_code, unused_imports, reason = "each example uses a part of it")]

mod log;
mod place;
mod program;
mod records;
mod session;
mod sockets;

use std::fmt::Display;
use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use sansip::{DropCause, Duration, Flow, Instant};
use sansip_driver::Waker;

pub(crate) use log::{end, fail, say, warn};
pub(crate) use place::{Hop, Place};
pub(crate) use program::{GOODBYE, Outcome, Program, Running, Usual, run};
pub(crate) use records::Records;
pub(crate) use session::Sessions;
pub(crate) use sockets::{Certificates, Sockets};

/// Seconds on the command line: `5s`, or `5`.
pub(crate) fn seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.strip_suffix('s').unwrap_or(text).parse();
    seconds.map(Duration::from_secs).map_err(|_| "seconds wanted, such as 5s")
}

/// The options of the command line. Wrong ones are one sentence, and the end.
fn parse<O: clap::Parser>() -> O {
    O::try_parse().unwrap_or_else(|error| {
        if !error.use_stderr() {
            error.exit();
        }
        let text = error.to_string();
        let sentence: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
        warn(sentence.join(" "));
        end(2)
    })
}

/// The option to tell what is dropped.
#[derive(clap::Args)]
pub(crate) struct Debug {
    /// Tell on standard error what of peers is dropped, and why
    #[arg(long)]
    pub(crate) debug: bool,
}

impl Debug {
    /// A line about a message that was dropped.
    pub(crate) fn dropped(now: Instant, why: DropCause, flow: Flow, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let first = text.lines().next().unwrap_or_default();
        warn(format_args!("{now} dropped from {}: {why:?}: {first:?}", flow.remote));
    }
}

/// The user's word while the program runs.
pub(crate) enum Said {
    /// A line of standard input.
    Line(String),
    /// SIGINT or SIGTERM.
    Stop,
    /// SIGHUP: files are to be read anew.
    Reload,
}

/// Hears what the user says; each time the driver is woken.
pub(crate) fn hear(waker: Waker) -> Receiver<Said> {
    let (said, heard) = channel();
    listen_for_signals(said.clone(), waker.clone());
    let lines = move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if said.send(Said::Line(line.trim().to_owned())).is_err() {
                return;
            }
            waker.wake();
        }
    };
    // Without it the program works all the same.
    let _ = thread::Builder::new().spawn(lines);
    heard
}

/// Without signals, or without a thread for them, they end the process at once.
#[cfg(unix)]
fn listen_for_signals(said: Sender<Said>, waker: Waker) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
    let hear = move || {
        for signal in signals.forever() {
            let _ = said.send(if signal == SIGHUP { Said::Reload } else { Said::Stop });
            waker.wake();
        }
    };
    let _ = thread::Builder::new().spawn(hear);
}

#[cfg(not(unix))]
fn listen_for_signals(_: Sender<Said>, _: Waker) {}

/// That error, with what it is about.
fn named(what: impl Display, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
