//! Drivers under siege: whatever strangers do, good clients are served all the while, and everything is given back afterwards.

mod shared;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};

use sansip::user_agent::{Event, Profile, UserAgent};
use sansip::{Config, Duration, Listener};
use sansip_driver::{Dns, Resolver, Turn};
use shared::{Driver, FullQueue, any_port, options};

/// How long a good client may have to wait.
const SOON: Duration = Duration::from_secs(2);

/// Strangers whose requests drip, where there are descriptors for them.
const DRIPPING: usize = 1_000;

/// A user agent that is besieged.
struct Bob {
    driver: Driver,
    agent: UserAgent,
    udp: SocketAddr,
    tcp: SocketAddr,
    /// Calls of its own that came to nothing.
    failed: usize,
}

impl Bob {
    fn new(mut driver: Driver) -> Self {
        let config = Config::new(sansip_driver::seed().expect("randomness"));
        let profile = Profile::new("<sip:bob@127.0.0.1>".parse().expect("an identity"));
        let mut agent = UserAgent::user_agent(config, profile);
        let (_, udp) = driver.listen(&mut agent, Listener::udp(any_port()));
        let (_, tcp) = driver.listen(&mut agent, Listener::tcp(any_port()));
        Self { driver, agent, udp: udp.local, tcp: tcp.local, failed: 0 }
    }

    fn call(&mut self, target: &str) {
        let target = target.parse().expect("a target");
        self.agent.call(self.driver.now(), &target).expect("a call");
    }

    fn drive(&mut self, time: Duration) {
        let until = self.driver.now() + time;
        loop {
            match self.driver.next(&mut self.agent, until) {
                Turn::Event(Event::Failed { .. }) => self.failed += 1,
                Turn::Time => return,
                _ => {}
            }
        }
    }

    /// Asserts that it answers two good clients, one over UDP and one over TCP.
    fn serves(&mut self) {
        let udp = UdpSocket::bind(any_port()).expect("a port");
        let mut tcp = TcpStream::connect(self.tcp).expect("a connection");
        udp.set_nonblocking(true).expect("a socket");
        tcp.set_nonblocking(true).expect("a socket");
        let request = |via: &str, local: SocketAddr| options("sip:bob@127.0.0.1", &format!("{via} {local}"), 1);
        let by_datagram = request("UDP", udp.local_addr().expect("an address"));
        udp.send_to(by_datagram.as_bytes(), self.udp).expect("a datagram");
        tcp.write_all(request("TCP", tcp.local_addr().expect("an address")).as_bytes()).expect("a request");
        let (begun, mut buffer) = (self.driver.now(), [0; 4_096]);
        let (mut by_udp, mut by_tcp) = (false, false);
        while !(by_udp && by_tcp) {
            assert!(self.driver.now() < begun + SOON, "UDP {by_udp}, TCP {by_tcp}");
            self.drive(Duration::from_millis(5));
            by_udp |= udp.recv(&mut buffer).is_ok_and(|length| buffer[..length].starts_with(b"SIP/2.0 200 "));
            by_tcp |= tcp.read(&mut buffer).is_ok_and(|length| buffer[..length].starts_with(b"SIP/2.0 200 "));
        }
    }

    /// Drives until that holds.
    fn until(&mut self, what: &str, within: Duration, holds: impl Fn(&Self) -> bool) {
        let end = self.driver.now() + within;
        while !holds(self) {
            let (holdings, census) = (self.driver.holdings(), self.agent.endpoint().census());
            assert!(self.driver.now() < end, "{what}: {holdings} {census:?}");
            self.drive(Duration::from_millis(50));
        }
    }

    fn has_no_connection(&self) -> bool {
        self.driver.holdings() == "Driver(2 listeners, 0 connections)"
            && self.agent.endpoint().census().connections == 0
    }
}

fn connections_that_do_not_open(driver: Driver) {
    // At all addresses of the loopback.
    let port = FullQueue::at(Ipv4Addr::UNSPECIFIED.into());
    let mut bob = Bob::new(driver);
    for number in 1..=200 {
        bob.call(&format!("<sip:alice@127.0.1.{number}:{};transport=tcp>", port.address.port()));
    }
    bob.drive(Duration::from_millis(50));
    assert_eq!(bob.agent.endpoint().census().connections, 200);
    for _ in 0..3 {
        bob.serves();
    }
    bob.until("each is given up", Duration::from_secs(30), |bob| bob.failed == 200);
    bob.serves();
    bob.until("nothing is left", Duration::from_secs(20), Bob::has_no_connection);
}

#[test]
fn connections_that_do_not_open_in_one_thread() {
    connections_that_do_not_open(Driver::blocking(Resolver::System));
}

#[test]
fn connections_that_do_not_open_in_a_tokio_runtime() {
    connections_that_do_not_open(Driver::tokio(Resolver::System));
}

fn questions_to_a_name_server_that_is_dead(driver: fn(Resolver) -> Driver) {
    let dead = UdpSocket::bind(any_port()).expect("a port");
    let mut bob = Bob::new(driver(Resolver::Dns(Dns { servers: vec![dead.local_addr().expect("an address")] })));
    for number in 0..60 {
        bob.call(&format!("<sip:alice@n{number}.example>"));
    }
    bob.drive(Duration::from_millis(50));
    assert_eq!(bob.agent.endpoint().census().queries, 60);
    for _ in 0..3 {
        bob.serves();
    }
    bob.until("each is given up", Duration::from_secs(50), |bob| bob.failed == 60);
    bob.serves();
    assert_eq!(bob.agent.endpoint().census().queries, 0);
}

#[test]
fn questions_to_a_name_server_that_is_dead_in_one_thread() {
    questions_to_a_name_server_that_is_dead(Driver::blocking);
}

#[test]
fn questions_to_a_name_server_that_is_dead_in_a_tokio_runtime() {
    questions_to_a_name_server_that_is_dead(Driver::tokio);
}

/// How many strangers there are descriptors for, each with two ends in this process. Four tests may run at once.
fn dripping() -> usize {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
        let wanted = hard.min(8_192);
        let allowed =
            if soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok() { wanted } else { soft };
        let count = usize::try_from(allowed.saturating_sub(800) / 4).unwrap_or(usize::MAX);
        count.clamp(50, DRIPPING)
    }
    #[cfg(not(unix))]
    DRIPPING
}

fn connections_that_drip(driver: Driver) {
    let mut bob = Bob::new(driver);
    let (count, mut strangers) = (dripping(), Vec::new());
    for number in 0..count {
        // From one address there may be fewer than from all.
        let from = Ipv4Addr::new(127, 0, 2, u8::try_from(number % 100).expect("a number"));
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((from, 0)).into()).expect("a port");
        socket.connect(&bob.tcp.into()).expect("a connection");
        strangers.push(TcpStream::from(socket));
        bob.drive(Duration::ZERO);
    }
    for octet in b"OPTIONS s" {
        strangers.iter_mut().for_each(|stranger| drop(stranger.write(&[*octet])));
        bob.drive(Duration::from_millis(200));
        bob.serves();
    }
    let held = bob.agent.endpoint().census().connections;
    assert!(held >= count, "{held} of {count}");
    drop(strangers);
    bob.until("nothing is left", Duration::from_secs(20), Bob::has_no_connection);
    bob.serves();
}

#[test]
fn connections_that_drip_in_one_thread() {
    connections_that_drip(Driver::blocking(Resolver::System));
}

#[test]
fn connections_that_drip_in_a_tokio_runtime() {
    connections_that_drip(Driver::tokio(Resolver::System));
}
