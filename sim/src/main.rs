//! The simulator's command line.

use std::io::Write as _;
use std::process::ExitCode;

use sansip_sim::cli::{Command, HELP};
use sansip_sim::inspect;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    if arguments.next_if(|argument| argument == "inspect").is_some() {
        let (mut stdin, mut stdout) = (std::io::stdin().lock(), std::io::stdout().lock());
        return ExitCode::from(inspect::run(arguments, &mut stdin, &mut stdout, &mut std::io::stderr()));
    }
    let command = match Command::parse(arguments) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("sansip-sim: {error}");
            return ExitCode::from(2);
        }
    };
    let (text, good) = match command {
        Command::Help => (HELP.to_owned(), true),
        Command::Call(options) => {
            let started = wall_clock();
            let printed = options.run();
            eprintln!("{:.1} ms of wall time", started.elapsed().as_secs_f64() * 1e3);
            (printed.text, printed.good)
        }
    };
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        // A reader that has seen enough is no error.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("sansip-sim: stdout: {error}");
            ExitCode::FAILURE
        }
        _ if good => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

#[expect(clippy::disallowed_methods, reason = "how long the user waited is no part of the simulation")]
fn wall_clock() -> std::time::Instant {
    std::time::Instant::now()
}
