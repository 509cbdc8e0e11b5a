//! How far a long command is.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sansip::Duration;

use super::{Out, wall_clock};

/// A bar with rate and estimate on a terminal; elsewhere a plain line now and then.
pub(super) struct Meter {
    bar: ProgressBar,
    of: Option<u64>,
    limit: Option<Duration>,
    terminal: bool,
    started: std::time::Instant,
    shown: std::time::Instant,
}

impl Meter {
    /// For so many runs, or so long, or neither.
    pub(super) fn new(out: &Out<'_>, of: Option<u64>, limit: Option<Duration>) -> Self {
        let target = if out.terminal { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(of.or(limit.map(millis)), target);
        // Whether there is colour is for `out` to say, not for the environment.
        let (on, off) = if out.colour { ("\x1b[36m", "\x1b[0m") } else { ("", "") };
        let style = if bar.length().is_some() {
            format!("[{on}{{bar:15}}{off}] {{percent}} %, {{msg}}, {{eta}} left")
        } else {
            format!("{on}{{spinner}}{off} {{msg}}")
        };
        if let Ok(style) = ProgressStyle::with_template(&style) {
            bar.set_style(style.progress_chars("#."));
        }
        let now = wall_clock();
        Self { bar, of, limit, terminal: out.terminal, started: now, shown: now }
    }

    /// For one run, of which nobody knows how long it takes.
    pub(super) fn of_one(out: &Out<'_>) -> Self {
        Self::new(out, None, None)
    }

    /// Whether the time is up.
    pub(super) fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.started.elapsed() >= limit)
    }

    /// Shows how far it is.
    pub(super) fn show(&mut self, done: u64) {
        let elapsed = self.started.elapsed();
        let rate = done as f64 / elapsed.as_secs_f64().max(1e-9);
        let of = self.of.map(|of| format!(" of {of}")).unwrap_or_default();
        let message = match done {
            0 if self.bar.length().is_none() => format!("{:.0} s", elapsed.as_secs_f64()),
            _ => format!("{done}{of} runs, {rate:.0} runs/s"),
        };
        self.bar.set_message(message.clone());
        self.bar.set_position(if self.of.is_some() { done } else { millis(elapsed) });
        if !self.terminal && self.shown.elapsed() >= std::time::Duration::from_secs(10) {
            self.shown = wall_clock();
            // Progress that cannot be shown is no reason to stop.
            let _ = writeln!(io::stderr(), "{message}");
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// The last line: how many runs there were in what time.
    pub(super) fn end(self, done: u64, out: &mut Out<'_>) -> io::Result<()> {
        self.clear();
        let seconds = self.started.elapsed().as_secs_f64();
        writeln!(out.stderr, "{done} runs in {seconds:.1} s, {:.0} runs/s", done as f64 / seconds.max(1e-9))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_a_terminal_there_are_plain_lines_only() {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut out = Out { stdout: &mut stdout, stderr: &mut stderr, terminal: false, colour: true };
        let mut meter = Meter::new(&out, Some(10), None);
        meter.show(1);
        meter.end(10, &mut out).unwrap();
        let err = String::from_utf8(stderr).unwrap();
        assert!(err.starts_with("10 runs in ") && err.lines().count() == 1 && !err.contains(['\r', '\x1b']), "{err:?}");
    }
}
