//! A process that has no descriptors left. In a test binary of its own: the limit is the process's.
#![cfg(unix)]

use std::net::{SocketAddr, TcpStream, UdpSocket};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sansip::user_agent::{Cause, Event, Profile, UserAgent};
use sansip::{Config, Duration, Listener};
use sansip_driver::blocking::Driver;
use sansip_driver::{Attempt, Trouble, Turn};

/// Drives for so long; what went wrong meanwhile.
fn drive(driver: &mut Driver, agent: &mut UserAgent, time: Duration) -> Vec<Trouble> {
    let (until, mut troubles) = (driver.now() + time, Vec::new());
    loop {
        match driver.next(agent, Some(until)).expect("a driver that waits") {
            Turn::Time => return troubles,
            Turn::Trouble(trouble) => troubles.push(trouble),
            _ => {}
        }
    }
}

#[test]
fn without_descriptors_calls_go_on_and_connections_are_accepted_later() {
    let any_port: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let config = Config::new(sansip_driver::seed().expect("randomness"));
    let mut bob = UserAgent::user_agent(config, Profile::new("<sip:bob@127.0.0.1>".parse().expect("an identity")));
    let mut driver = Driver::new().expect("a driver");
    let (_, tcp) = driver.listen(&mut bob, Listener::tcp(any_port)).expect("a port");
    let (_, udp) = driver.listen(&mut bob, Listener::udp(any_port)).expect("a port");
    let threads = || std::fs::read_dir("/proc/self/task").map(Iterator::count).ok();
    let threads_before = threads();
    let peers: Vec<_> = (0..20).map(|_| TcpStream::connect(tcp.local).expect("a connection")).collect();
    let datagrams = UdpSocket::bind(any_port).expect("a port");
    datagrams.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");

    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    // One descriptor more than there are.
    let taken = UdpSocket::bind(any_port).map(|socket| std::os::fd::AsRawFd::as_raw_fd(&socket)).expect("a port");
    setrlimit(Resource::RLIMIT_NOFILE, u64::try_from(taken + 1).expect("a number"), hard).expect("a lower limit");
    let troubles = drive(&mut driver, &mut bob, Duration::from_millis(300));
    assert!(matches!(troubles.first(), Some(Trouble { attempt: Attempt::Accept, .. })), "{troubles:?}");
    assert_eq!(bob.endpoint().census().connections, 1);

    let local = datagrams.local_addr().expect("an address");
    let request = format!(
        "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:a@a.example>;tag=1\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"
    );
    datagrams.send_to(request.as_bytes(), udp.local).expect("a datagram");
    drive(&mut driver, &mut bob, Duration::from_millis(50));
    let mut buffer = [0; 2_000];
    let length = datagrams.recv(&mut buffer).expect("an answer");
    assert!(buffer[..length].starts_with(b"SIP/2.0 200 "));

    // A call that needs a connection fails at once.
    let carol = format!("<sip:carol@{};transport=tcp>", tcp.local).parse().expect("an address");
    bob.call(driver.now(), &carol).expect("a call");
    let until = driver.now() + Duration::from_secs(5);
    loop {
        match driver.next(&mut bob, Some(until)).expect("a driver that waits") {
            Turn::Event(Event::Failed { cause, .. }) => {
                break assert!(matches!(cause, Cause::Unreachable), "{cause:?}");
            }
            Turn::Trouble(trouble) => assert_eq!(trouble.attempt, Attempt::Open),
            Turn::Time => panic!("it does not fail"),
            _ => {}
        }
    }

    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).expect("the limit as it was");
    let troubles = drive(&mut driver, &mut bob, Duration::from_millis(400));
    assert_eq!(bob.endpoint().census().connections, peers.len());
    assert!(troubles.iter().all(|trouble| trouble.attempt != Attempt::Accept), "told once: {troubles:?}");
    assert_eq!(threads(), threads_before, "a thread for a stranger");

    let mut limits = sansip::transport::Limits::default();
    setrlimit(Resource::RLIMIT_NOFILE, 1_024, hard).expect("a lower limit");
    sansip_driver::fit_descriptors(&mut limits);
    assert_eq!(limits.connections, 1_024 - 64 - 256);
}
