//! The processes of a live test: started here, and stopped by their own handle whatever happens. A test that fails prints all that
//! they have said.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a process may take for what is expected of it.
const WITHIN: Duration = Duration::from_secs(60);

/// A process that does not outlive its test, and the lines that it says.
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
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
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

    /// Asks it to end (SIGTERM), and waits for that for some seconds.
    pub(crate) fn ends_when_asked(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        self.ends_by(Instant::now() + Duration::from_secs(10));
    }

    /// Its exit code, once it has ended.
    pub(crate) fn ends(mut self) -> Option<i32> {
        assert!(self.ends_by(Instant::now() + WITHIN), "{} does not end", self.name);
        self.child.wait().expect("a child of ours").code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
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
    assert!(std::env::var("SANSIP_LIVE").as_deref() != Ok("require"), "{program} is required and was not found");
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {program} was not found (Debian: apt-get install {package})");
    false
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

/// The example server on ports of its own, for biloxi.com.
pub(crate) struct Server {
    process: Process,
    /// The port of UDP.
    pub(crate) port: u16,
    /// The port of TCP.
    pub(crate) tcp: u16,
    /// The port of TLS, or 0.
    pub(crate) tls: u16,
}

impl Server {
    /// One that listens on UDP and TCP.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::listening(options, false)
    }

    /// One that listens on TLS, too.
    pub(crate) fn with_tls(options: &[&str]) -> Self {
        Self::listening(options, true)
    }

    fn listening(options: &[&str], with_tls: bool) -> Self {
        let mut command = Command::new(example("server"));
        command.args(["--listen", "udp:127.0.0.1:0", "--domain", "biloxi.com"]).args(options);
        if with_tls {
            let (own, key, roots) = (certificate("biloxi.pem"), certificate("biloxi.key"), certificate("root.pem"));
            command.args(["--listen", "tls:127.0.0.1:0", "--certificate", &own, "--key", &key, "--roots", &roots]);
        }
        let mut process = Process::start("server", &mut command);
        let mut port_after = |prefix: &str| {
            let line = process.says(prefix);
            line.trim().strip_prefix(prefix).expect("its address").parse().expect("a port")
        };
        let port = port_after("listening on udp:127.0.0.1:");
        let tcp = port_after("listening on tcp:127.0.0.1:");
        let tls = if with_tls { port_after("listening on tls:127.0.0.1:") } else { 0 };
        Self { process, port, tcp, tls }
    }

    /// The port of `udp`, `tcp` or `tls`.
    pub(crate) fn port_of(&self, protocol: &str) -> u16 {
        match protocol {
            "udp" => self.port,
            "tcp" => self.tcp,
            _ => self.tls,
        }
    }

    /// Its own words.
    pub(crate) fn status(&mut self) -> String {
        self.process.hears("status");
        self.process.says(" status ")
    }

    pub(crate) fn is_idle_within(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            if self.status().contains("idle=true") {
                return true;
            }
            sleep(Duration::from_millis(500));
        }
        false
    }
}

/// The example phone of a user of biloxi.com; as [`phone_of`].
pub(crate) fn phone(name: &str, registrar: &str, password: &str, what: &[&str]) -> Process {
    phone_of(&format!("{name}@biloxi.com"), registrar, password, what)
}

/// The example phone on a port of its own, registered at `registrar` with that password, which is told `what` else.
pub(crate) fn phone_of(user: &str, registrar: &str, password: &str, what: &[&str]) -> Process {
    let (protocol, _) = registrar.split_once(':').expect("a protocol");
    let mut command = Command::new(example("phone"));
    command.args(["--aor", &format!("sip:{user}"), "--registrar", registrar, "--password", password]);
    command.args(["--listen", &format!("{protocol}:127.0.0.1:0")]);
    if protocol == "tls" {
        command.args(["--roots", &certificate("root.pem")]);
    }
    Process::start(user, command.args(what))
}

/// Builds the examples with the profile of this very test, and says where that one is.
fn example(name: &str) -> PathBuf {
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
