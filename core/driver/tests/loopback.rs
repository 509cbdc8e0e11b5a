//! Two nodes on real sockets of this machine, each with a driver of its own.

mod shared;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};

use sansip::message::header::NameAddrBuf;
use sansip::user_agent::{Cause, Event, Profile, UserAgent};
use sansip::{Config, Duration, Limits, Listener, Node, Output};
use sansip_driver::blocking::Driver;
use sansip_driver::{Direction, Turn};
use shared::{FullQueue, any_port};

/// A user agent with its driver.
struct Phone {
    driver: Driver,
    agent: UserAgent,
    listener: Listener,
}

impl Phone {
    fn new(name: &str, listener: Listener) -> Self {
        Self::with(name, listener, |_| {})
    }

    fn with(name: &str, listener: Listener, limits: impl FnOnce(&mut Limits)) -> Self {
        let mut config = Config::new(sansip_driver::seed().expect("randomness"));
        limits(&mut config.limits);
        let profile = Profile::new(format!("<sip:{name}@127.0.0.1>").parse().expect("an identity"));
        let mut agent = UserAgent::user_agent(config, profile);
        let mut driver = Driver::new().expect("a driver");
        let (_, listener) = driver.listen(&mut agent, listener).expect("a free port");
        Self { driver, agent, listener }
    }

    fn uri(&self, user: &str) -> String {
        format!("<{}>", self.listener.uri(Some(user), false, ""))
    }

    fn call(&mut self, target: &str) {
        let target: NameAddrBuf = target.parse().expect("a target");
        self.agent.call(self.driver.now(), &target).expect("a call");
    }

    /// The next event; `None` if there is none for a moment.
    fn event(&mut self) -> Option<Event> {
        let until = self.driver.now() + Duration::from_millis(5);
        loop {
            match self.driver.next(&mut self.agent, Some(until)).expect("a driver that waits") {
                Turn::Event(event) => return Some(event),
                Turn::Time => return None,
                Turn::Trouble(trouble) => eprintln!("{trouble}"),
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Runs both until `seen` is satisfied by the names of what both were told.
fn run(alice: &mut Phone, bob: &mut Phone, is_done: impl Fn(&str) -> bool) -> String {
    let mut told = String::new();
    let end = alice.driver.now() + Duration::from_secs(20);
    while !is_done(&told) && alice.driver.now() < end {
        for (name, phone) in [("alice", &mut *alice), ("bob", &mut *bob)] {
            let Some(event) = phone.event() else { continue };
            let now = phone.driver.now();
            match event {
                Event::Incoming { call, .. } => {
                    told += &format!("{name}: incoming\n");
                    phone.agent.ring(now, call).expect("a call that rings");
                    phone.agent.answer(now, call, None).expect("a call that is answered");
                }
                Event::Answered { call, .. } => {
                    told += &format!("{name}: answered\n");
                    phone.agent.hang_up(now, call).expect("a call that ends");
                }
                Event::Ended { .. } => told += &format!("{name}: ended\n"),
                Event::Failed { cause, .. } => told += &format!("{name}: failed {cause:?}\n"),
                _ => {}
            }
        }
    }
    told
}

fn call_between(alice: Listener, bob: Listener) -> (Phone, Phone) {
    let (mut alice, mut bob) = (Phone::new("alice", alice), Phone::new("bob", bob));
    let target = bob.uri("bob");
    alice.call(&target);
    let told = run(&mut alice, &mut bob, |told| told.contains("alice: ended") && told.contains("bob: ended"));
    for wanted in ["bob: incoming", "alice: answered", "alice: ended", "bob: ended"] {
        assert!(told.contains(wanted), "{wanted} is missing of:\n{told}");
    }
    (alice, bob)
}

#[test]
fn a_call_over_udp() {
    call_between(Listener::udp(any_port()), Listener::udp(any_port()));
}

#[test]
fn a_call_over_udp_in_ipv6() {
    let any_port: SocketAddr = "[::1]:0".parse().expect("an address");
    if UdpSocket::bind(any_port).is_err() {
        eprintln!("SKIPPED: this machine has no IPv6");
        return;
    }
    call_between(Listener::udp(any_port), Listener::udp(any_port));
}

#[test]
fn a_call_over_tcp() {
    let (alice, _) = call_between(Listener::tcp(any_port()), Listener::tcp(any_port()));
    assert_eq!(alice.agent.endpoint().census().connections, 1);
}

#[test]
fn what_crosses_the_sockets_is_shown_both_ways() {
    let (mut alice, mut bob) =
        (Phone::new("alice", Listener::udp(any_port())), Phone::new("bob", Listener::udp(any_port())));
    let lines = Arc::new(Mutex::new(Vec::new()));
    let shown = lines.clone();
    alice.driver.observe(move |seen| {
        let first = String::from_utf8_lossy(seen.bytes).lines().next().unwrap_or_default().to_owned();
        shown.lock().expect("the lines").push((seen.direction, seen.local, seen.remote, first));
    });
    let target = bob.uri("bob");
    alice.call(&target);
    run(&mut alice, &mut bob, |told| told.contains("alice: ended") && told.contains("bob: ended"));
    let lines = lines.lock().expect("the lines");
    let has = |direction, begin: &str| {
        lines.iter().any(|(seen, local, remote, line)| {
            let ends = (*local, *remote) == (alice.listener.local, bob.listener.local);
            *seen == direction && ends && line.starts_with(begin)
        })
    };
    assert!(
        has(Direction::Out, "INVITE ") && has(Direction::In, "SIP/2.0 180") && has(Direction::Out, "BYE "),
        "{lines:?}"
    );
}

#[test]
fn where_nobody_listens_a_call_over_tcp_fails_at_once() {
    let closed = TcpListener::bind(any_port()).and_then(|socket| socket.local_addr()).expect("a port");
    let mut alice = Phone::new("alice", Listener::tcp(any_port()));
    let target = format!("<sip:bob@{closed};transport=tcp>");
    alice.call(&target);
    let end = alice.driver.now() + Duration::from_secs(5);
    while alice.driver.now() < end {
        if let Some(Event::Failed { .. }) = alice.event() {
            return;
        }
    }
    panic!("the call did not fail");
}

#[test]
fn a_binding_request_is_answered_and_the_node_does_not_hear_of_it() {
    let mut bob = Phone::new("bob", Listener::udp(any_port()));
    let peer = UdpSocket::bind(any_port()).expect("a port");
    peer.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    let mut request = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    request.extend_from_slice(b"twelve bytes");
    peer.send_to(&request, bob.listener.local).expect("a datagram");
    while bob.event().is_some() {}
    let mut buffer = [0; 64];
    let length = peer.recv(&mut buffer).expect("an answer");
    assert_eq!((length, buffer[0], buffer[1]), (32, 1, 1));
    let port = u16::from_be_bytes([buffer[26] ^ 0x21, buffer[27] ^ 0x12]);
    assert_eq!(port, peer.local_addr().expect("an address").port());
    assert_eq!(bob.agent.endpoint().stats().malformed, 0);
}

#[test]
fn who_half_closes_still_gets_the_answer() {
    let mut bob = Phone::new("bob", Listener::tcp(any_port()));
    let mut peer = TcpStream::connect(bob.listener.local).expect("a connection");
    let request = options(&bob, &format!("TCP {}", peer.local_addr().expect("an address")), 1);
    peer.write_all(request.as_bytes()).expect("a request");
    peer.shutdown(std::net::Shutdown::Write).expect("an end");
    peer.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
    let (mut answer, end) = (Vec::new(), bob.driver.now() + Duration::from_secs(10));
    let mut buffer = [0; 4_096];
    while bob.driver.now() < end {
        let _ = bob.event();
        match peer.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&buffer[..length]),
            Err(_) => {}
        }
    }
    assert!(answer.starts_with(b"SIP/2.0 200 "), "{}", String::from_utf8_lossy(&answer));
    assert!(bob.driver.now() < end, "the connection stays open");
}

#[test]
fn another_thread_wakes_the_driver_and_a_time_ends_its_waiting() {
    let mut bob = Phone::new("bob", Listener::udp(any_port()));
    let waker = bob.driver.waker();
    let thread = std::thread::spawn(move || (0..3).for_each(|_| waker.wake()));
    thread.join().expect("a thread");
    let until = bob.driver.now() + Duration::from_millis(50);
    assert!(matches!(bob.driver.next(&mut bob.agent, Some(until)), Ok(Turn::Woken)));
    assert!(matches!(bob.driver.next(&mut bob.agent, Some(until)), Ok(Turn::Time)));
    assert!(bob.driver.now() >= until);
}

#[test]
fn a_listener_that_says_nothing_of_use_is_refused_before_the_node_knows_of_it() {
    let mut bob = Phone::new("bob", Listener::udp(any_port()));
    let everywhere: SocketAddr = "0.0.0.0:0".parse().expect("an address");
    let error = bob.driver.listen(&mut bob.agent, Listener::udp(everywhere)).expect_err("no sent-by");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let sent_by = "bob.example".parse().expect("a name");
    let (_, listener) =
        bob.driver.listen(&mut bob.agent, Listener::udp(everywhere).with_sent_by(sent_by)).expect("a listener");
    assert_ne!(listener.local.port(), 0);
    let error = bob.driver.listen(&mut bob.agent, Listener::sctp(any_port())).expect_err("no SCTP here");
    assert_eq!(error.to_string(), "this driver has no SCTP");
    let error = bob.driver.listen(&mut bob.agent, Listener::udp(bob.listener.local)).expect_err("it is taken");
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}

#[test]
fn a_driver_that_stops_waits_for_what_is_in_progress_and_for_no_longer_than_it_may() {
    let mut alice = Phone::new("alice", Listener::tcp(any_port()));
    alice.driver.stop(Duration::from_secs(20));
    assert!(matches!(alice.driver.next(&mut alice.agent, None), Ok(Turn::Stopped { clean: true })));
    assert!(TcpStream::connect(alice.listener.local).is_err(), "it accepts all the same");

    // A peer that never answers.
    let silent = UdpSocket::bind(any_port()).expect("a port");
    let mut alice = Phone::new("alice", Listener::udp(any_port()));
    let target = format!("<sip:bob@{}>", silent.local_addr().expect("a port"));
    alice.call(&target);
    let begun = alice.driver.now();
    alice.driver.stop(Duration::from_millis(700));
    assert!(matches!(alice.driver.next(&mut alice.agent, None), Ok(Turn::Stopped { clean: false })));
    let took = alice.driver.now() - begun;
    assert!(took >= Duration::from_millis(700) && took < Duration::from_secs(5), "{took:?}");
    // The INVITE, and once more after 500 ms.
    silent.set_nonblocking(true).expect("a socket");
    let sent = std::iter::from_fn(|| silent.recv(&mut [0; 4_096]).ok()).count();
    assert_eq!(sent, 2);
}

#[test]
fn a_name_that_the_system_knows_is_found() {
    let mut bob = Phone::new("bob", Listener::udp(any_port()));
    let mut alice = Phone::new("alice", Listener::udp(any_port()));
    let target = format!("<sip:bob@localhost:{}>", bob.listener.local.port());
    alice.call(&target);
    let told = run(&mut alice, &mut bob, |told| told.contains("bob: incoming") || told.contains("failed"));
    assert!(told.contains("bob: incoming"), "{told}");
    assert!(!matches!(alice.agent.poll(), Some(Output::Resolve { .. })));
}

/// An OPTIONS for Bob, as a peer without a stack writes it.
fn options(bob: &Phone, via: &str, branch: usize) -> String {
    shared::options(&bob.listener.uri(Some("bob"), false, "").to_string(), via, branch)
}

#[test]
fn a_peer_that_reads_nothing_costs_no_more_than_the_limit_and_is_cut_in_the_end() {
    let mut bob = Phone::with("bob", Listener::tcp(any_port()), |limits| limits.transport.stalled_octets = 20_000);
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    socket.connect(&bob.listener.local.into()).expect("a connection");
    let mut peer: TcpStream = socket.into();
    peer.set_nonblocking(true).expect("a socket");
    let requests: String = (0..100).map(|branch| options(&bob, "TCP 192.0.2.1", branch)).collect();
    let end = bob.driver.now() + Duration::from_secs(60);
    while bob.agent.endpoint().stats().stalled_connections == 0 {
        assert!(bob.driver.now() < end, "{:?}", bob.agent.endpoint().stats());
        // That a request is cut in two when the buffers are full makes it no SIP any more, and the connection is closed for that.
        let _ = peer.write(requests.as_bytes());
        let _ = bob.event();
    }
    while bob.event().is_some() {}
    assert_eq!(bob.agent.endpoint().census().connections, 0, "{:?}", bob.agent.endpoint().stats());
    assert_eq!(format!("{:?}", bob.driver), "Driver(1 listeners, 1 connections)", "what is left is still written");
    let closed = bob.driver.now();
    while format!("{:?}", bob.driver) != "Driver(1 listeners, 0 connections)" {
        assert!(bob.driver.now() < closed + Duration::from_secs(15), "it lingers for ever");
        let _ = bob.event();
    }
    assert!(bob.driver.now() > closed + Duration::from_secs(8), "it was cut at once");
}

#[test]
fn where_no_way_leads_a_call_over_udp_fails_at_once() {
    let mut alice = Phone::new("alice", Listener::udp(any_port()));
    // From the address of the loopback nothing leaves the machine.
    alice.call("<sip:bob@192.0.2.1>");
    let begun = alice.driver.now();
    while alice.driver.now() < begun + Duration::from_secs(5) {
        if let Some(Event::Failed { cause, .. }) = alice.event() {
            assert!(matches!(cause, Cause::Unreachable), "{cause:?}");
            return;
        }
    }
    panic!("the call did not fail");
}

#[test]
fn the_answer_of_the_user_goes_along_a_connection_whose_far_end_has_ended_its_side() {
    let mut bob = Phone::new("bob", Listener::tcp(any_port()));
    let mut peer = TcpStream::connect(bob.listener.local).expect("a connection");
    let local = peer.local_addr().expect("an address");
    let request = options(&bob, &format!("TCP {local}"), 1).replace("OPTIONS", "INVITE");
    let request = request.replace("Call-ID", &format!("Contact: <sip:a@{local};transport=tcp>\r\nCall-ID"));
    peer.write_all(request.as_bytes()).expect("a request");
    peer.shutdown(std::net::Shutdown::Write).expect("an end");
    let (mut call, end) = (None, bob.driver.now() + Duration::from_secs(5));
    while call.is_none() && bob.driver.now() < end {
        if let Some(Event::Incoming { call: incoming, .. }) = bob.event() {
            call = Some(incoming);
        }
    }
    (0..20).for_each(|_| drop(bob.event()));
    let busy = sansip::message::StatusCode::BUSY_HERE;
    bob.agent.reject(bob.driver.now(), call.expect("a call"), busy).expect("an answer");
    (0..20).for_each(|_| drop(bob.event()));
    peer.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    let (mut answer, mut buffer) = (String::new(), [0; 4_096]);
    while !answer.contains("SIP/2.0 486 ") {
        let length = peer.read(&mut buffer).expect("an answer");
        assert!(length > 0, "closed after {answer}");
        answer += &String::from_utf8_lossy(&buffer[..length]);
    }
}

#[test]
fn a_connection_that_does_not_open_counts_and_ends_when_the_call_does() {
    let full = FullQueue::at(any_port().ip());
    let mut alice = Phone::new("alice", Listener::tcp(any_port()));
    let call = format!("<sip:bob@{};transport=tcp>", full.address).parse::<NameAddrBuf>().expect("a target");
    let call = alice.agent.call(alice.driver.now(), &call).expect("a call");
    while alice.event().is_some() {}
    assert_eq!(alice.agent.endpoint().census().connections, 1);
    assert_eq!(format!("{:?}", alice.driver), "Driver(1 listeners, 1 connections)");
    alice.agent.hang_up(alice.driver.now(), call).expect("an end");
    let end = alice.driver.now() + Duration::from_secs(30);
    while alice.agent.endpoint().census().connections > 0 {
        assert!(alice.driver.now() < end, "the node waits for ever");
        let _ = alice.event();
    }
    let _ = alice.event();
    assert_eq!(format!("{:?}", alice.driver), "Driver(1 listeners, 0 connections)");
}
