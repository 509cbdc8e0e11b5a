//! How far a long command is.

use std::io::{self, Write};

use sansip::Duration;

use super::wall_clock;

/// A bar with rate and estimate on a terminal; elsewhere a plain line now and then.
pub(super) struct Meter<'a> {
    err: &'a mut dyn Write,
    of: Option<u64>,
    limit: Option<Duration>,
    terminal: bool,
    colour: bool,
    started: std::time::Instant,
    shown: Option<std::time::Instant>,
}

/// A bar is no longer than this.
const BAR: usize = 30;
/// Characters that fit into a line of any terminal: a line that is broken cannot be written over.
const LINE: usize = 79;

impl<'a> Meter<'a> {
    /// For so many runs, or so long, or neither.
    pub(super) fn new(
        err: &'a mut dyn Write,
        of: Option<u64>,
        limit: Option<Duration>,
        terminal: bool,
        colour: bool,
    ) -> Self {
        Self { err, of, limit, terminal, colour, started: wall_clock(), shown: None }
    }

    /// Whether the time is up.
    pub(super) fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.started.elapsed() >= limit)
    }

    /// Shows how far it is, if that was not shown just now.
    pub(super) fn show(&mut self, done: u64) {
        let pause = std::time::Duration::from_millis(if self.terminal { 100 } else { 10_000 });
        if self.shown.unwrap_or(self.started).elapsed() < pause {
            return;
        }
        self.shown = Some(wall_clock());
        let elapsed = self.started.elapsed();
        let line = text(done, self.of, self.limit, elapsed, self.terminal);
        // Progress that cannot be shown is no reason to stop.
        let _ = if self.terminal {
            let (on, off) = if self.colour { ("\x1b[36m", "\x1b[0m") } else { ("", "") };
            write!(self.err, "\r\x1b[K{on}{line}{off}")
        } else {
            writeln!(self.err, "{line}")
        };
        let _ = self.err.flush();
    }

    /// The last line: what was done in what time.
    pub(super) fn end(self, done: u64) -> io::Result<()> {
        let seconds = self.started.elapsed().as_secs_f64();
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        writeln!(self.err, "{clear}{done} runs in {seconds:.1} s, {:.0} runs/s", done as f64 / seconds.max(1e-9))
    }
}

fn text(done: u64, of: Option<u64>, limit: Option<Duration>, elapsed: Duration, bar: bool) -> String {
    let seconds = elapsed.as_secs_f64();
    let rate = done as f64 / seconds.max(1e-9);
    let part = match (of, limit) {
        (Some(of), _) => done as f64 / of.max(1) as f64,
        (None, Some(limit)) => (seconds / limit.as_secs_f64().max(1e-9)).min(1.0),
        (None, None) => return format!("{done} runs, {rate:.0} runs/s"),
    };
    let left = if part > 0.0 { seconds / part - seconds } else { 0.0 };
    let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
    let left = if left < 600.0 { format!("{left:.0} s") } else { format!("{:.0} min", left / 60.0) };
    let text = format!("{:.0} %, {done}{of} runs, {rate:.0} runs/s, {left} left", (part * 100.0).floor());
    match LINE.saturating_sub(text.len() + "[] ".len()).min(BAR) {
        width @ 1.. if bar => {
            let full = (part * width as f64) as usize;
            format!("[{}{}] {text}", "#".repeat(full), ".".repeat(width.saturating_sub(full)))
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_and_estimate_are_shown() {
        let second = Duration::from_secs(10);
        assert_eq!(text(250, Some(1_000), None, second, false), "25 %, 250 of 1000 runs, 25 runs/s, 30 s left");
        let shown = text(500, Some(1_000), None, second, true);
        assert_eq!(
            shown,
            format!("[{}{}] 50 %, 500 of 1000 runs, 50 runs/s, 10 s left", "#".repeat(15), ".".repeat(15))
        );
        let timed = text(500, None, Some(Duration::from_secs(40)), second, false);
        assert_eq!(timed, "25 %, 500 runs, 50 runs/s, 30 s left");
        let long = text(10_000_000, Some(100_000_000), None, Duration::from_secs(1_000), true);
        let bar = ".".repeat(15);
        assert_eq!(long, format!("[#{bar}] 10 %, 10000000 of 100000000 runs, 10000 runs/s, 150 min left"));
        assert!(long.len() <= LINE && text(1 << 50, Some(u64::MAX), None, second, true).len() <= LINE + 20);
        assert_eq!(text(0, Some(0), None, Duration::ZERO, false), "0 %, 0 of 0 runs, 0 runs/s, 0 s left");
    }

    #[test]
    fn off_a_terminal_there_are_plain_lines_only() {
        let mut err = Vec::new();
        let mut meter = Meter::new(&mut err, Some(10), None, false, true);
        meter.show(1);
        meter.end(10).unwrap();
        let err = String::from_utf8(err).unwrap();
        assert!(err.starts_with("10 runs in ") && err.lines().count() == 1 && !err.contains(['\r', '\x1b']), "{err:?}");
    }
}
