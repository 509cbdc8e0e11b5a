//! The processes of a live test: started here, and stopped by their own handle whatever happens. A test that fails prints all that
//! they have said.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a process may take for what is expected of it.
const WITHIN: Duration = Duration::from_secs(60);

/// A process that does not outlive its test, nor do its own children, and the lines that it says.
pub(crate) struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
    said: String,
}

impl Process {
    /// Starts it with all its pipes in the hands of the test.
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::start_with(name, command)
    }

    /// Starts it with the pipes that it was given.
    pub(crate) fn start_with(name: &str, command: &mut Command) -> Self {
        let mut child = command.process_group(0).spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
        let (line, lines) = channel();
        let out = child.stdout.take().map(|out| Box::new(out) as Box<dyn Read + Send>);
        let err = child.stderr.take().map(|err| Box::new(err) as Box<dyn Read + Send>);
        for pipe in out.into_iter().chain(err) {
            let line = line.clone();
            std::thread::spawn(move || {
                let said = BufReader::new(pipe).split(b'\n').map_while(Result::ok);
                let mut said = said.map(|said| String::from_utf8_lossy(&said).into_owned());
                said.all(|said| line.send(said).is_ok())
            });
        }
        Self { name: name.to_owned(), child, lines, said: String::new() }
    }

    /// The next line that has `wanted` in it.
    pub(crate) fn says(&mut self, wanted: &str) -> String {
        let end = Instant::now() + WITHIN;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else { panic!("{} never said `{wanted}`", self.name) };
            let _ = writeln!(self.said, "{line}");
            if line.contains(wanted) {
                return line;
            }
        }
    }

    /// Types a line.
    pub(crate) fn hears(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("a pipe"), "{line}").expect("it reads");
    }

    /// Waits for it to end by itself; false if it has not by `deadline`.
    pub(crate) fn ends_by(&mut self, deadline: Instant) -> bool {
        while Instant::now() < deadline {
            if self.child.try_wait().expect("a child of ours").is_some() {
                return true;
            }
            sleep(Duration::from_millis(50));
        }
        false
    }

    /// Asks it to end (SIGTERM), and waits for that.
    pub(crate) fn ends_when_asked(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        self.ends_by(Instant::now() + WITHIN);
    }

    /// How much of its memory is resident, in kB.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its resident memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Its exit code, once it has ended.
    pub(crate) fn ends(mut self) -> Option<i32> {
        assert!(self.ends_by(Instant::now() + WITHIN), "{} does not end", self.name);
        self.child.wait().expect("a child of ours").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let left: String = self.lines.iter().map(|line| line + "\n").collect();
            eprintln!("== {}\n{}{left}", self.name, self.said);
        }
    }
}

/// Whether a peer is here. If not, says so past the test harness, which keeps what passing tests print.
pub(crate) fn is_here(program: &str, package: &str) -> bool {
    let is_file = |folder: PathBuf| folder.join(program).is_file();
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).chain(["/usr/sbin".into()]).any(is_file) {
        return true;
    }
    is_missing(program, &format!("Debian: apt-get install {package}"))
}

/// Whether a peer is here that `tests/live/peers/install` fetches, as [`is_here`].
pub(crate) fn is_installed(peer: &str) -> bool {
    Path::new(&peers()).join("installed").join(peer).is_dir() || is_missing(peer, "tests/live/peers/install")
}

/// Says that a peer is not here, and how that would change.
fn is_missing(peer: &str, remedy: &str) -> bool {
    assert!(
        std::env::var("SANSIP_LIVE").as_deref() != Ok("require"),
        "{peer} is required and was not found ({remedy})"
    );
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {peer} was not found ({remedy})");
    false
}

/// The folder of the peers that are scripts.
pub(crate) fn peers() -> String {
    format!("{}/live/peers", env!("CARGO_MANIFEST_DIR"))
}

/// A port on loopback that was free for UDP and TCP a moment ago, as was the next one, where some listen for TLS.
pub(crate) fn free_port() -> u16 {
    let is_free =
        |port: u16| UdpSocket::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok();
    for _ in 0..100 {
        let port = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        if port < u16::MAX && is_free(port) && is_free(port + 1) {
            return port;
        }
    }
    panic!("no free ports");
}

/// A certificate of the driver's tests, or a key.
pub(crate) fn certificate(name: &str) -> String {
    format!("{}/../core/driver/tests/certificates/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A path in the directory that cargo keeps for this package's tests.
pub(crate) fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}_{name}", std::process::id()))
}

/// Builds the examples with the profile of this very test, and says where that one is.
pub(crate) fn example(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let test = std::env::current_exe().expect("a path");
        let profile = test.ancestors().nth(2).expect("deps of a profile");
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or("cargo".into()));
        // The packages that `cargo test --workspace` has built: with fewer, features differ, and all is built once more.
        cargo.args(["build", "--quiet", "--workspace", "--examples"]);
        cargo.args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"), "--target-dir"]);
        cargo.arg(profile.parent().expect("the target directory"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().is_ok_and(|status| status.success()), "the examples do not build");
        profile.join("examples")
    });
    folder.join(name)
}
