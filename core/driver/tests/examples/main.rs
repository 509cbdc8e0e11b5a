//! The examples as programs: what a user meets.
#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "processes take real time")]

mod options;
mod processes;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::process::Stdio;

use nix::sys::signal::Signal;
use processes::{Process, certificate, example, output};

/// A server of biloxi.com that knows Alice and Bob, and where it listens.
fn server(protocol: &str, more: &[&str]) -> (Process, String) {
    let mut command = example("server");
    command.args(["--listen", &format!("{protocol}:127.0.0.1:0"), "--domain", "biloxi.com"]);
    command.args(["--user", "alice:a", "--user", "bob:b", "--record-route"]).args(more);
    command.arg("--certificate").arg(certificate("biloxi.pem")).arg("--key").arg(certificate("biloxi.key"));
    let mut server = Process::start(command.stdin(Stdio::piped()));
    let place = server.listens();
    (server, place)
}

/// A phone that is registered there.
fn phone(name: &str, registrar: &str, more: &[&str]) -> Process {
    let (protocol, _) = registrar.split_once(':').expect("a protocol");
    let mut command = example("phone");
    command.args(["--aor", &format!("sip:{name}@biloxi.com"), "--registrar", registrar, "--password", &name[..1]]);
    command.args(["--listen", &format!("{protocol}:127.0.0.1:0")]).args(more);
    command.arg("--roots").arg(certificate("root.pem"));
    let mut phone = Process::start(command.stdin(Stdio::piped()));
    is_registered(&mut phone);
    phone
}

fn is_registered(phone: &mut Process) {
    let line = phone.says("registered");
    assert!(!line.contains("not registered"), "{line}");
}

/// Bob registers and answers, Alice calls him and hangs up.
fn call(protocol: &str) {
    let (mut server, place) = server(protocol, &[]);
    let mut bob = phone("bob", &place, &["--answer"]);
    let mut alice = phone("alice", &place, &["--call", "sip:bob@biloxi.com", "--hang-up-after", "1s"]);
    assert_eq!((alice.ends(), bob.ends()), (Some(0), Some(0)), "{}\n{}\n{}", alice.said, bob.said, server.said);
    let bound = server.says("bound bob@biloxi.com");
    // Whoever takes no connections says so.
    assert_eq!(bound.contains(".invalid"), !matches!(protocol, "udp" | "tcp"), "{bound}");
    server.says("unbound bob@biloxi.com");
}

#[test]
fn a_call_over_udp() {
    call("udp");
}

#[test]
fn a_call_over_tcp() {
    call("tcp");
}

#[test]
fn a_call_over_tls() {
    call("tls");
}

#[test]
fn a_call_over_websocket() {
    call("ws");
}

#[test]
fn a_call_over_secure_websocket() {
    call("wss");
}

/// Phones that know no other server than a stateless proxy register and call by way of it.
#[test]
fn a_call_by_way_of_a_stateless_proxy() {
    let (mut server, place) = server("udp", &[]);
    let mut command = example("server");
    command.args(["--listen", "udp:127.0.0.1:0", "--domain", "biloxi.com", "--stateless", "--record-route"]);
    let mut front = Process::start(command.args(["--route", &format!("biloxi.com={place}")]).stdin(Stdio::piped()));
    let place = front.listens();
    let mut bob = phone("bob", &place, &["--answer"]);
    let mut alice = phone("alice", &place, &["--call", "sip:bob@biloxi.com", "--hang-up-after", "0"]);
    assert_eq!((alice.ends(), bob.ends()), (Some(0), Some(0)), "{}\n{}\n{}", alice.said, bob.said, server.said);
    server.says("unbound bob@biloxi.com");
    front.hears("status");
    let status = front.says("status idle=");
    assert!(status.contains("idle=true") && !status.contains("server_transactions="), "{status}");
    front.signal(Signal::SIGTERM);
    assert_eq!(front.ends(), Some(0), "{}", front.said);
}

#[test]
fn a_server_with_nothing_in_progress_ends_as_soon_as_it_is_told() {
    let (mut server, _) = server("tls", &[]);
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ends(), Some(0), "{}", server.said);
}

/// Writes a request as a peer without a stack does.
fn request(method: &str, via: &UdpSocket) -> String {
    let via = via.local_addr().expect("an address");
    format!(
        "{method} sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:a@a.example>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:a@{via}>\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn a_server_that_is_told_to_end_waits_for_requests_without_a_response_and_for_nothing_else() {
    let [caller, callee] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("a port"));
    callee.set_read_timeout(Some(std::time::Duration::from_secs(10))).expect("a timeout");
    let route = format!("*=udp:{}", callee.local_addr().expect("an address"));
    let mut command = example("server");
    command.args(["--listen", "udp:127.0.0.1:0", "--domain", "biloxi.com", "--route", &route]);
    let mut server = Process::start(command.stdin(Stdio::piped()));
    let place = server.listens().replace("udp:", "");
    // Its transaction is there for another 32 s.
    caller.send_to(request("MESSAGE", &caller).as_bytes(), &place).expect("a datagram");
    let hear = |begin: &str| {
        let mut buffer = [0; 4_096];
        let (length, from) = callee.recv_from(&mut buffer).expect("a request");
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        assert!(text.starts_with(begin), "{text}");
        (text, from)
    };
    let respond = |(request, from): &(String, SocketAddr), status: &str| {
        let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let copied = request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
        let lines: String = copied.map(|line| format!("{line}\r\n")).collect();
        let response = format!("SIP/2.0 {status}\r\n{lines}Content-Length: 0\r\n\r\n");
        callee.send_to(response.replace("biloxi.com>\r", "biloxi.com>;tag=2\r").as_bytes(), from).expect("a datagram");
    };
    respond(&hear("MESSAGE "), "200 OK");
    let invite = request("INVITE", &caller).replace("bK1", "bK2");
    caller.send_to(invite.as_bytes(), &place).expect("a datagram");
    let invite = hear("INVITE ");
    respond(&invite, "180 Ringing");
    server.hears("status");
    let status = server.says(" status idle=false");
    assert!(status.contains(" server_transactions=2") && !status.contains("=0"), "{status}");
    server.signal(Signal::SIGTERM);
    server.says("stopping: transactions in progress: 2");
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert!(server.runs(), "it has not waited: {}", server.said);
    respond(&invite, "200 OK");
    let begun = std::time::Instant::now();
    assert_eq!(server.ends(), Some(0), "{}", server.said);
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "it has waited for what may come again");
}

#[test]
fn a_phone_that_is_told_to_end_hangs_up_and_takes_back_its_registration() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (mut server, place) = server("udp", &[]);
        let mut bob = phone("bob", &place, &["--answer"]);
        let mut alice = phone("alice", &place, &["--call", "sip:bob@biloxi.com"]);
        alice.says("is established");
        alice.signal(signal);
        assert_eq!((alice.ends(), bob.ends()), (Some(0), Some(0)), "{signal}: {}\n{}", alice.said, bob.said);
        server.says("unbound ");
        server.says("unbound ");
    }
}

#[test]
fn a_phone_holds_resumes_and_transfers_by_keys() {
    let (_server, place) = server("tcp", &[]);
    let mut bob = phone("bob", &place, &["--answer"]);
    let mut alice = phone("alice", &place, &["--call", "sip:bob@biloxi.com"]);
    alice.says("is established");
    for key in ["h", "r"] {
        alice.hears(key);
        alice.says("is changed");
        bob.says("was changed by the other end");
    }
    alice.hears("x");
    alice.says("h, r, t URI or q");
    // Nobody of that name is there; the call stays.
    alice.hears("t sip:carol@biloxi.com");
    alice.says("the transfer: 404");
    alice.hears("q");
    assert_eq!((alice.ends(), bob.ends()), (Some(0), Some(0)), "{}\n{}", alice.said, bob.said);
}

#[test]
fn a_phone_that_is_not_let_in_or_reaches_nobody_ends_with_a_failure() {
    let (_server, place) = server("udp", &[]);
    let mut command = example("phone");
    command.args(["--aor", "sip:bob@biloxi.com", "--registrar", &place, "--password", "wrong", "--answer"]);
    let mut bob = Process::start(command.args(["--listen", "udp:127.0.0.1:0"]));
    assert_eq!(bob.ends(), Some(1));
    assert!(bob.said.contains("not registered: 401"), "{}", bob.said);
    let mut alice = phone("alice", &place, &["--call", "sip:bob@biloxi.com"]);
    assert_eq!(alice.ends(), Some(1));
    assert!(alice.said.contains("came to nothing: 480"), "{}", alice.said);
}

#[test]
fn the_next_port_is_taken_if_one_is_taken_and_the_contact_says_so() {
    let (mut server, place) = server("udp", &[]);
    let taken = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr().map(|at| (socket, at)));
    let (_socket, taken) = taken.expect("a port");
    let mut command = example("phone");
    command.args(["--aor", "sip:bob@biloxi.com", "--registrar", &place, "--password", "b", "--answer"]);
    let mut bob = Process::start(command.args(["--listen", &format!("udp:{taken}")]));
    let bound = bob.listens();
    assert_ne!(bound, format!("udp:{taken}"));
    let port = bound.rsplit(':').next().expect("a port");
    assert!(server.says("bound bob@biloxi.com").ends_with(&format!("sip:bob@127.0.0.1:{port}")), "{}", server.said);
}

/// Its exit code, and its words, which must be one line on standard error.
fn refused(program: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let output = output(example(program).args(arguments));
    let said = String::from_utf8(output.stderr).expect("words");
    assert_eq!((said.lines().count(), &*output.stdout), (1, &b""[..]), "{said}");
    (output.status.code(), said)
}

#[test]
fn a_taken_port_or_a_certificate_that_cannot_be_read_is_one_sentence_and_exit_1() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let place = format!("tcp:{}", taken.local_addr().expect("an address"));
    let (code, said) = refused("server", &["--domain", "biloxi.com", "--listen", &place]);
    assert!(code == Some(1) && said.contains(&place) && said.contains("in use"), "{code:?} {said}");
    let tls =
        ["--domain", "biloxi.com", "--listen", "tls:127.0.0.1:0", "--certificate", "/none.pem", "--key", "/none.key"];
    let (code, said) = refused("server", &tls);
    assert!(code == Some(1) && said.contains("/none.pem") && said.contains("No such file"), "{code:?} {said}");
    let key = certificate("atlanta.key").display().to_string();
    let own = certificate("biloxi.pem").display().to_string();
    let (code, said) = refused(
        "server",
        &["--domain", "biloxi.com", "--listen", "tls:127.0.0.1:0", "--certificate", &own, "--key", &key],
    );
    assert!(code == Some(1) && said.contains(&own), "{code:?} {said}");
}

#[test]
fn each_example_says_how_it_is_used_and_exits_with_0() {
    let used: [(&str, &[&str]); 4] = [
        ("phone", &["--aor", "--answer", "--call", "--registrar"]),
        ("server", &["--domain", "--listen", "--certificate", "--debug"]),
        ("b2bua", &["--listen", "--debug"]),
        ("load", &["--listen", "--debug"]),
    ];
    for (program, flags) in used {
        let output = output(example(program).arg("--help"));
        let said = String::from_utf8(output.stdout).expect("words");
        assert!(output.status.success() && output.stderr.is_empty(), "{program}: {:?} {said}", output.status);
        for word in [&["Usage: "], flags].concat() {
            assert!(said.contains(word), "{program} does not say {word}:\n{said}");
        }
    }
}

#[test]
fn wrong_flags_are_one_sentence_and_exit_2() {
    let wrong: [(&str, &[&str], &str); 8] = [
        ("server", &[], "--domain"),
        ("server", &["--domain", "biloxi.com", "--listen", "sctp:127.0.0.1:5060"], "ADDR:PORT wanted"),
        ("server", &["--domain", "biloxi.com", "--listen", "udp:127.0.0.1:5060", "--fork", "twice"], "parallel or q"),
        ("server", &["--domain", "biloxi.com", "--listen", "udp:127.0.0.1:5060", "--stateless"], "--route"),
        ("phone", &["--aor", "sip:bob@biloxi.com"], "--answer"),
        ("phone", &["--aor", "sip:bob@biloxi.com", "--answer", "--password", "b"], "--registrar"),
        ("phone", &["--aor", "sip:bob@biloxi.com", "--answer", "--sing"], "--sing"),
        ("phone", &["--aor", "sip:bob@biloxi.com", "--answer", "--hang-up-after", "soon"], "such as 5s"),
    ];
    for (program, arguments, about) in wrong {
        let (code, said) = refused(program, arguments);
        assert!(code == Some(2) && said.contains(about), "{program} {arguments:?}: {code:?} {said}");
    }
}

#[test]
fn a_configuration_that_cannot_work_is_one_sentence_and_exit_1() {
    let twice = ["--domain", "biloxi.com", "--user", "bob:a", "--user", "bob:b"];
    let mut arguments = vec!["--listen", "udp:127.0.0.1:0"];
    arguments.extend(twice);
    let output = output(example("server").args(arguments));
    let said = String::from_utf8(output.stderr).expect("words");
    assert!(output.status.code() == Some(1) && said.contains("bob") && said.lines().count() == 1, "{said}");
}

#[test]
fn that_nobody_reads_what_it_says_ends_no_server() {
    let mut command = example("server");
    command.args(["--listen", "udp:127.0.0.1:0", "--domain", "biloxi.com"]);
    let mut child = Killed(command.stdout(Stdio::piped()).spawn().expect("an example that was built"));
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let place = line.trim().replace("listening on ", "");
    let mut bob = phone("bob", &place, &["--answer"]);
    let mut alice = phone("alice", &place, &["--call", "sip:bob@biloxi.com", "--hang-up-after", "0"]);
    assert_eq!((alice.ends(), bob.ends()), (Some(0), Some(0)), "{}\n{}", alice.said, bob.said);
    assert!(child.0.try_wait().expect("a child of ours").is_none(), "it has ended");
}

#[test]
fn certificates_are_read_anew_on_sighup() {
    let folder = Folder::new("certificates");
    let folder = &folder.0;
    let install = |name: &str| {
        for kind in ["pem", "key"] {
            std::fs::copy(certificate(&format!("{name}.{kind}")), folder.join(format!("own.{kind}"))).expect("a file");
        }
    };
    install("foreign");
    let mut command = example("server");
    command.args(["--listen", "tls:127.0.0.1:0", "--domain", "atlanta.com"]);
    command.arg("--certificate").arg(folder.join("own.pem")).arg("--key").arg(folder.join("own.key"));
    let mut server = Process::start(&mut command);
    let place = server.listens();
    let bob = || {
        let mut command = example("phone");
        command.args([
            "--aor",
            "sip:bob@atlanta.com",
            "--registrar",
            &place,
            "--answer",
            "--listen",
            "tls:127.0.0.1:0",
        ]);
        Process::start(command.arg("--roots").arg(certificate("root.pem")).stdin(Stdio::piped()))
    };
    assert_eq!(bob().ends(), Some(1), "a certificate that leads to no root of his");
    std::fs::write(folder.join("own.pem"), "").expect("a file");
    server.signal(Signal::SIGHUP);
    server.says("own.pem: there is no certificate");
    install("atlanta");
    server.signal(Signal::SIGHUP);
    server.says("certificates are read");
    is_registered(&mut bob());
}

#[test]
fn a_client_that_proves_a_trusted_name_by_its_certificate_needs_no_password() {
    let roots = certificate("root.pem").display().to_string();
    let (_server, place) = server("tls", &["--roots", &roots, "--trust", "atlanta.com"]);
    let carol = |own: Option<&str>| {
        let mut command = example("phone");
        command.args(["--aor", "sip:carol@biloxi.com", "--registrar", &place, "--listen", "tls:127.0.0.1:0"]);
        command.args(["--roots", &roots, "--answer"]);
        if let Some(own) = own {
            let file = |kind| certificate(&format!("{own}.{kind}"));
            command.arg("--certificate").arg(file("pem")).arg("--key").arg(file("key"));
        }
        Process::start(command.stdin(Stdio::piped()))
    };
    is_registered(&mut carol(Some("atlanta")));
    let refusals = [(None, "401"), (Some("wildcard"), "401"), (Some("foreign"), "503")];
    for (own, status) in refusals {
        let mut carol = carol(own);
        let line = carol.says("registered");
        assert!(line.contains(&format!("not registered: {status}")), "{own:?}: {line}");
        assert_eq!(carol.ends(), Some(1));
    }
}

/// Allows a process few others and makes it somebody whom that limit holds for; `None` if this test may not.
fn with_processes(most: u32, command: &std::process::Command) -> Option<std::process::Command> {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("SKIPPED: only root can start a process of another user, whose processes are few");
        return None;
    }
    let mut limited = std::process::Command::new("setpriv");
    limited.args(["--reuid=65534", "--regid=65534", "--clear-groups", "prlimit", &format!("--nproc={most}"), "--"]);
    limited.arg(command.get_program()).args(command.get_args());
    Some(limited)
}

#[test]
fn a_server_that_may_have_300_processes_serves_more_connections_than_that() {
    let mut command = example("server");
    command.args(["--listen", "tls:127.0.0.1:0", "--listen", "tcp:127.0.0.1:0", "--domain", "biloxi.com"]);
    command.arg("--certificate").arg(certificate("biloxi.pem")).arg("--key").arg(certificate("biloxi.key"));
    let Some(mut command) = with_processes(300, &command) else { return };
    let mut server = Process::start(command.stdin(Stdio::piped()));
    let (_, tcp) = (server.listens(), server.listens());
    let address: SocketAddr = tcp.replace("tcp:", "").parse().expect("an address");
    let strangers: Vec<_> = (0..400).map(|_| std::net::TcpStream::connect(address).expect("a connection")).collect();
    let mut bob = phone("bob", &tcp, &["--answer"]);
    let mut alice = phone("alice", &tcp, &["--call", "sip:bob@biloxi.com", "--hang-up-after", "0"]);
    assert_eq!((alice.ends(), bob.ends()), (Some(0), Some(0)), "{}\n{}\n{}", alice.said, bob.said, server.said);
    server.hears("status");
    let status = server.says("status idle=");
    let connections = status.split(" connections=").nth(1).and_then(|rest| rest.split([' ', ';']).next());
    let connections = connections.and_then(|count| count.parse::<usize>().ok());
    assert!(connections.is_some_and(|count| count >= strangers.len()), "{status}");
    assert!(server.threads() < 10, "{}", server.threads());
}

/// A process that goes with its test, whoever reads it.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that goes with its test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("sansip-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn each_message_is_in_the_trace_and_in_the_capture() {
    let folder = Folder::new("records");
    let (trace, pcap) = (folder.0.join("call.json"), folder.0.join("call.pcapng"));
    let [trace, pcap] = [trace, pcap].map(|path| path.display().to_string());
    let (_server, place) = server("tls", &["--trace", &trace, "--pcap", &pcap]);
    let mut bob = phone("bob", &place, &["--answer"]);
    let mut alice = phone("alice", &place, &["--call", "sip:bob@biloxi.com", "--hang-up-after", "0"]);
    assert_eq!((alice.ends(), bob.ends()), (Some(0), Some(0)), "{}\n{}", alice.said, bob.said);
    let trace = std::fs::read_to_string(trace).expect("a trace");
    let pcap = std::fs::read(pcap).expect("a capture");
    // Two of Alice's, with a challenge in between, and one of them on to Bob.
    let invites = |from: &str| {
        let of = |line: &&str| line.contains(&format!(r#""from":{from}"#));
        trace.lines().filter(of).map(|line| line.matches("INVITE sip:bob@").count()).sum::<usize>()
    };
    assert_eq!((invites("null"), invites(r#""server""#)), (2, 1), "{trace}");
    let versions = pcap.windows(7).filter(|octets| *octets == b"SIP/2.0").count();
    assert_eq!(versions, trace.matches("SIP/2.0").count());
    assert_eq!((&pcap[..4], &pcap[8..12]), (&[10, 13, 13, 10][..], &[0x4d, 0x3c, 0x2b, 0x1a][..]));
}

#[test]
fn a_full_disk_is_said_once_and_calls_go_on() {
    let (mut server, place) = server("udp", &["--trace", "/dev/full"]);
    let mut bob = phone("bob", &place, &["--answer"]);
    let mut alice = phone("alice", &place, &["--call", "sip:bob@biloxi.com", "--hang-up-after", "0"]);
    assert_eq!((alice.ends(), bob.ends()), (Some(0), Some(0)), "{}\n{}", alice.said, bob.said);
    server.says("unbound bob@biloxi.com");
    assert_eq!(server.said.matches("/dev/full: No space left on device").count(), 1, "{}", server.said);
    let (code, said) =
        refused("server", &["--domain", "biloxi.com", "--listen", "udp:127.0.0.1:0", "--pcap", "/nowhere/call.pcapng"]);
    assert!(code == Some(1) && said.contains("/nowhere/call.pcapng"), "{code:?} {said}");
}

#[test]
fn calls_at_a_steady_rate_cross_the_b2bua_and_are_counted() {
    let mut callee = Process::start(example("load").args(["--answer", "--listen", "udp:127.0.0.1:0"]));
    let to = callee.listens();
    let mut b2bua = Process::start(example("b2bua").args(["--listen", "udp:127.0.0.1:0", "--to", &to]));
    let through = b2bua.listens();
    let mut load = example("load");
    load.args(["--call", "sip:bob@127.0.0.1", "--through", &through, "--listen", "udp:127.0.0.1:0"]);
    let mut caller = Process::start(load.args(["--rate", "50", "--calls", "20", "--talk", "0"]));
    assert_eq!(caller.ends(), Some(0), "{}", caller.said);
    assert!(caller.said.contains("20 calls: 0 alive, 20 ended, 0 failed"), "{}", caller.said);
    callee.says("20 calls: 0 alive, 20 ended, 0 failed");
    callee.signal(Signal::SIGTERM);
    assert_eq!(callee.ends(), Some(0), "{}", callee.said);
    b2bua.signal(Signal::SIGTERM);
    assert_eq!(b2bua.ends(), Some(0), "{}", b2bua.said);
    // Nobody answers any more.
    let mut load = example("load");
    load.args(["--call", &format!("sip:bob@{}", through.replace("udp:", "")), "--calls", "1"]);
    let mut caller = Process::start(load.args(["--listen", "tcp:127.0.0.1:0"]));
    assert_eq!(caller.ends(), Some(1), "{}", caller.said);
}

#[test]
fn the_phone_of_the_readme_answers() {
    let readme = include_str!("../../../../README.md");
    let code = include_str!("../../examples/minimal.rs");
    let (_, code) = code.split_once("\n\n").expect("a line between words and code");
    assert!(readme.contains(&format!("```rust,no_run\n{code}```")), "the README has other code");
    let Ok(port) = UdpSocket::bind("127.0.0.1:5060") else {
        eprintln!("SKIPPED: port 5060 is taken");
        return;
    };
    drop(port);
    let _phone = Process::start(&mut example("minimal"));
    // A call to a port that nobody has opened yet fails at once: the host says so by ICMP, and so it does here.
    let probe = UdpSocket::bind("127.0.0.1:0").expect("a port");
    probe.connect("127.0.0.1:5060").expect("an address of this host");
    probe.set_read_timeout(Some(std::time::Duration::from_millis(100))).expect("a time that is not 0");
    let is_refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    while probe.send(b"\r\n").and_then(|_| probe.recv(&mut [0; 8])).is_err_and(is_refused) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let mut load = example("load");
    load.args(["--call", "sip:bob@127.0.0.1", "--calls", "1", "--talk", "0", "--listen", "udp:127.0.0.1:0"]);
    let mut caller = Process::start(&mut load);
    assert_eq!(caller.ends(), Some(0), "{}", caller.said);
}

#[test]
fn a_server_whose_words_nobody_reads_goes_on_and_says_how_many_were_left_out() {
    let mut command = example("server");
    command.args(["--listen", "udp:127.0.0.1:0", "--domain", "biloxi.com"]).stdin(Stdio::piped());
    let mut child = Killed(command.stdout(Stdio::piped()).spawn().expect("an example that was built"));
    let mut words = BufReader::new(child.0.stdout.take().expect("a pipe"));
    let mut line = String::new();
    words.read_line(&mut line).expect("a line");
    let place = line.trim().replace("listening on ", "");
    // More than a pipe and the queue before it hold.
    let mut user = child.0.stdin.take().expect("a pipe");
    user.write_all("status\n".repeat(50_000).as_bytes()).expect("it hears");
    let _bob = phone("bob", &place, &["--answer"]);
    let mut said = String::new();
    while !said.contains(" lines are left out\n") {
        let mut piece = [0; 4_096];
        let length = words.read(&mut piece).expect("words");
        assert!(length > 0, "it has ended");
        said += &String::from_utf8_lossy(&piece[..length]);
    }
}

#[test]
fn what_is_dropped_is_told_with_its_reason_where_that_is_asked_for() {
    let (mut server, place) = server("udp", &["--debug"]);
    let peer = UdpSocket::bind("127.0.0.1:0").expect("a port");
    peer.send_to(b"HELLO\r\nworld\r\n\r\n", place.replace("udp:", "")).expect("a datagram");
    let line = server.says("dropped from ");
    let local = peer.local_addr().expect("an address");
    assert!(line.contains(&format!("dropped from {local}: Malformed")) && line.ends_with(r#""HELLO""#), "{line}");
}

#[test]
fn a_line_is_cut_however_long_the_words_in_it_are() {
    let (path, key) = (format!("/{}", "b".repeat(6_000)), "/none.key");
    let options = ["--domain", "biloxi.com", "--listen", "tls:127.0.0.1:0", "--certificate", &path, "--key", key];
    let (code, said) = refused("server", &options);
    assert_eq!(code, Some(1));
    assert!(said.len() == 4_096 + "…\n".len() && said.ends_with("b…\n"), "{} octets", said.len());
}
