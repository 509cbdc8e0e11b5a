//! The user's word while a program runs: lines of standard input, and signals.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use sansip_driver::Waker;

/// The user's word.
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
