//! Lines to the user, which the program never waits for: who reads them may be slow, or gone.

use std::fmt::{Arguments, Display};
use std::io::{self, Write};
use std::process::exit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Lines that wait to be written; those above it are left out, and counted.
const LINES: usize = 1_024;

/// Octets of a line; a peer chooses much of what stands there.
const LONGEST: usize = 4_096;

/// How long the last lines may take.
const GOODBYE: Duration = Duration::from_secs(1);

static OUT: Log = Log { lines: OnceLock::new(), left_out: AtomicU64::new(0) };
static ERR: Log = Log { lines: OnceLock::new(), left_out: AtomicU64::new(0) };

/// A line on standard output. That nobody reads it ends nothing.
pub(crate) fn say(line: Arguments<'_>) {
    OUT.say(line, io::stdout);
}

/// A line on standard error, likewise.
pub(crate) fn warn(line: impl Display) {
    ERR.say(format_args!("{line}"), io::stderr);
}

/// Ends the program with that exit code, when the lines before are written.
pub(crate) fn end(code: i32) -> ! {
    for log in [&OUT, &ERR] {
        log.finish();
    }
    exit(code)
}

/// Ends the program: it cannot do what it was asked for.
pub(crate) fn fail(problem: impl Display) -> ! {
    warn(problem);
    end(1)
}

enum Entry {
    Line(String),
    /// All before is to be written, and that told.
    Finish(SyncSender<()>),
}

/// A stream with a thread that writes it; without one nothing is written.
struct Log {
    lines: OnceLock<SyncSender<Entry>>,
    left_out: AtomicU64,
}

impl Log {
    fn say<W: Write + 'static>(&'static self, line: Arguments<'_>, stream: fn() -> W) {
        let lines = self.lines.get_or_init(|| {
            let (lines, waiting) = sync_channel(LINES);
            let _ = thread::Builder::new().spawn(move || self.write(&waiting, stream));
            lines
        });
        if lines.try_send(Entry::Line(bounded(line.to_string()))).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn write<W: Write>(&self, waiting: &Receiver<Entry>, stream: fn() -> W) {
        for entry in waiting {
            match entry {
                Entry::Line(line) => {
                    let _ = writeln!(stream(), "{line}");
                }
                Entry::Finish(done) => drop(done.try_send(())),
            }
            let left_out = self.left_out.swap(0, Ordering::Relaxed);
            if left_out > 0 {
                let _ = writeln!(stream(), "{left_out} lines are left out");
            }
        }
    }

    fn finish(&self) {
        let Some(lines) = self.lines.get() else { return };
        let (done, written) = sync_channel(1);
        if lines.try_send(Entry::Finish(done)).is_ok() {
            let _ = written.recv_timeout(GOODBYE);
        }
    }
}

/// That line, if it is not too long.
fn bounded(mut line: String) -> String {
    if line.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| line.is_char_boundary(*at));
        line.truncate(end.unwrap_or_default());
        line.push('…');
    }
    line
}
