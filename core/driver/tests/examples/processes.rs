//! The examples as processes, which do not outlive their test.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long a process may take for what is expected of it.
const WITHIN: Duration = Duration::from_secs(40);

/// An example, which `cargo test` has built beside this test; `cargo test --test examples` alone builds none.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("a path");
    let profile = test.ancestors().nth(2).expect("deps of a profile");
    let mut command = Command::new(profile.join("examples").join(name));
    command.stdin(Stdio::null());
    command
}

pub(crate) fn certificate(name: &str) -> PathBuf {
    PathBuf::from(format!("{}/tests/certificates/{name}", env!("CARGO_MANIFEST_DIR")))
}

/// Runs it to its end; it is expected to be short.
pub(crate) fn output(command: &mut Command) -> Output {
    command.output().expect("an example that was built")
}

/// A process and the lines that it says.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    /// All that it has said and that was read.
    pub(crate) said: String,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("an example that was built");
        let (line, lines) = channel();
        let out = child.stdout.take().expect("a pipe");
        let err = child.stderr.take().expect("a pipe");
        for pipe in [Box::new(out) as Box<dyn Read + Send>, Box::new(err)] {
            let line = line.clone();
            std::thread::spawn(move || {
                BufReader::new(pipe).lines().map_while(Result::ok).all(|said| line.send(said).is_ok())
            });
        }
        Self { child, lines, said: String::new() }
    }

    /// The next line that has `wanted` in it.
    pub(crate) fn says(&mut self, wanted: &str) -> String {
        let end = Instant::now() + WITHIN;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else { panic!("it never said `{wanted}`:\n{}", self.said) };
            self.said += &line;
            self.said.push('\n');
            if line.contains(wanted) {
                return line;
            }
        }
    }

    /// The place where it says next that it listens.
    pub(crate) fn listens(&mut self) -> String {
        self.says("listening on ").replace("listening on ", "")
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).expect("an id"));
        nix::sys::signal::kill(id, signal).expect("a child of ours");
    }

    /// Types a line.
    pub(crate) fn hears(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("a pipe"), "{line}").expect("it reads");
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs").count()
    }

    /// Whether it has not ended.
    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_none()
    }

    /// Its exit code, once it has ended.
    pub(crate) fn ends(&mut self) -> Option<i32> {
        let end = Instant::now() + WITHIN;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                let left: String = self.lines.iter().map(|line| line + "\n").collect();
                self.said += &left;
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end:\n{}", self.said)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
