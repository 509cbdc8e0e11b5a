//! Drivers under siege: whatever strangers do, good clients are served all the while, and everything is given back afterwards.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};

use sansip::user_agent::{Event, Profile, UserAgent};
use sansip::{Config, Duration, Listener};
use sansip_driver::blocking::Driver;
use sansip_driver::{Dns, Resolver, Turn};

/// How long a good client may have to wait.
const SOON: Duration = Duration::from_secs(2);

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

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
    fn new(resolver: Resolver) -> Self {
        let config = Config::new(sansip_driver::seed().expect("randomness"));
        let profile = Profile::new("<sip:bob@127.0.0.1>".parse().expect("an identity"));
        let mut agent = UserAgent::user_agent(config, profile);
        let mut driver = Driver::with_resolver(resolver).expect("a driver");
        let (_, udp) = driver.listen(&mut agent, Listener::udp(any_port())).expect("a port");
        let (_, tcp) = driver.listen(&mut agent, Listener::tcp(any_port())).expect("a port");
        Self { driver, agent, udp: udp.local, tcp: tcp.local, failed: 0 }
    }

    fn call(&mut self, target: &str) {
        let target = target.parse().expect("a target");
        self.agent.call(self.driver.now(), &target).expect("a call");
    }

    fn drive(&mut self, time: Duration) {
        let until = self.driver.now() + time;
        loop {
            match self.driver.next(&mut self.agent, Some(until)).expect("a driver that waits") {
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
        let options = |via: &str, local: SocketAddr| {
            format!(
                "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{via} {local};branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
                 From: <sip:a@a.example>;tag=1\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: {via}{local}\r\nCSeq: 1 OPTIONS\r\n\
                 Content-Length: 0\r\n\r\n"
            )
        };
        let request = options("UDP", udp.local_addr().expect("an address"));
        udp.send_to(request.as_bytes(), self.udp).expect("a datagram");
        tcp.write_all(options("TCP", tcp.local_addr().expect("an address")).as_bytes()).expect("a request");
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
            assert!(self.driver.now() < end, "{what}: {:?} {:?}", self.driver, self.agent.endpoint().census());
            self.drive(Duration::from_millis(50));
        }
    }

    fn has_no_connection(&self) -> bool {
        format!("{:?}", self.driver) == "Driver(2 listeners, 0 connections)"
            && self.agent.endpoint().census().connections == 0
    }
}

#[test]
fn connections_that_do_not_open() {
    // A listener with a queue that is full: the system answers nobody who comes then, at any address of the loopback.
    let tcp = || socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    let listener = tcp();
    let everywhere: SocketAddr = "0.0.0.0:0".parse().expect("an address");
    listener.bind(&everywhere.into()).and_then(|()| listener.listen(0)).expect("a listener");
    let port = listener.local_addr().expect("an address").as_socket().expect("an address of IP").port();
    let waiting = (0..3).map(|_| {
        let socket = tcp();
        socket.set_nonblocking(true).expect("a socket");
        let _ = socket.connect(&SocketAddr::from(([127, 0, 0, 1], port)).into());
        socket
    });
    let _waiting: Vec<_> = waiting.collect();
    let mut bob = Bob::new(Resolver::System);
    for number in 1..=200 {
        bob.call(&format!("<sip:alice@127.0.1.{number}:{port};transport=tcp>"));
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
fn questions_to_a_name_server_that_is_dead() {
    let dead = UdpSocket::bind(any_port()).expect("a port");
    let mut bob = Bob::new(Resolver::Dns(Dns { servers: vec![dead.local_addr().expect("an address")] }));
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
fn connections_that_drip() {
    let mut bob = Bob::new(Resolver::System);
    let mut strangers = Vec::new();
    for _ in 0..400 {
        let Ok(stranger) = TcpStream::connect(bob.tcp) else { break };
        strangers.push(stranger);
        bob.drive(Duration::ZERO);
    }
    for octet in b"OPTIONS s" {
        strangers.iter_mut().for_each(|stranger| drop(stranger.write(&[*octet])));
        bob.drive(Duration::from_millis(200));
        bob.serves();
    }
    let (held, there) = (bob.agent.endpoint().census().connections, strangers.len());
    assert!(there > 300 && held >= there, "{held} of {there}");
    drop(strangers);
    bob.until("nothing is left", Duration::from_secs(20), Bob::has_no_connection);
    bob.serves();
}
