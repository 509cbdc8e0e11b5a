//! The simulator's command line.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use sansip_sim::cli::{Out, run};
use sansip_sim::run::is_running;

fn main() -> ExitCode {
    let usual = std::panic::take_hook();
    // A node that panics is a result, printed with what led to it.
    std::panic::set_hook(Box::new(move |panic| {
        if !is_running() {
            usual(panic);
        }
    }));
    let terminal = io::stderr().is_terminal();
    // https://no-color.org: any value but the empty one.
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // Whole lines, though others write to the same file or terminal.
    let (mut stdout, mut stderr) = (io::stdout().lock(), io::LineWriter::new(io::stderr()));
    let mut out = Out { stdout: &mut stdout, stderr: &mut stderr, terminal, colour };
    ExitCode::from(run(std::env::args_os().skip(1), &mut out))
}
