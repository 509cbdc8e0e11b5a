//! Two nodes in a tokio runtime, over every protocol.

mod shared;

use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use sansip::message::header::{NameAddrBuf, Protocol};
use sansip::user_agent::{Event, Profile, UserAgent};
use sansip::{Config, Duration, Instant, Limits, Listener};
use sansip_driver::tokio::Driver;
use sansip_driver::{Attempt, Direction, Resolver, Tls, Turn};
use shared::{FullQueue, any_port};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn pem(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/certificates/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a file")
}

fn tls(certificate: &str) -> Tls {
    Tls::new(&pem(&format!("{certificate}.pem")), &pem(&format!("{certificate}.key")), &pem("root.pem"))
        .expect("certificates")
}

/// A user agent with its driver.
struct Phone {
    driver: Driver,
    agent: UserAgent,
    /// How it is reached: by a name that DNS does not know, at an address that the URI says.
    uri: String,
    local: SocketAddr,
    /// Each `next` is polled once, dropped if it has nothing yet, and called again after 1 ms.
    is_impatient: bool,
}

impl Phone {
    /// At a port that is free, as `user` of `domain`, with the certificate of that name.
    fn new(protocol: Protocol, user: &str, domain: &str, certificate: &str) -> Self {
        let scheme = if protocol == Protocol::Wss { "sips" } else { "sip" };
        Self::with(protocol, (scheme, user, domain), certificate, |_| {})
    }

    fn with(
        protocol: Protocol,
        (scheme, user, domain): (&str, &str, &str),
        certificate: &str,
        limits: impl FnOnce(&mut Limits),
    ) -> Self {
        let local = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
        let transport = match protocol {
            Protocol::Udp => "udp",
            Protocol::Tcp => "tcp",
            Protocol::Tls => "tls",
            _ => "ws",
        };
        let uri = format!("{scheme}:{user}@{domain}:{};transport={transport};maddr=127.0.0.1", local.port());
        let mut profile = Profile::new(format!("<{scheme}:{user}@{domain}>").parse().expect("an identity"));
        profile.contact = Some(uri.parse().expect("a contact"));
        let mut config = Config::new(sansip_driver::seed().expect("randomness"));
        limits(&mut config.limits);
        let mut agent = UserAgent::user_agent(config, profile);
        let mut driver = Driver::new(Resolver::System);
        driver.set_tls(tls(certificate));
        let listener = match protocol {
            Protocol::Udp => Listener::udp(local),
            Protocol::Tcp => Listener::tcp(local),
            Protocol::Tls => Listener::tls(local),
            Protocol::Ws => Listener::ws(local),
            _ => Listener::wss(local),
        };
        driver.listen(&mut agent, listener).expect("a listener");
        Self { driver, agent, uri, local, is_impatient: false }
    }

    fn call(&mut self, target: &str) {
        let target: NameAddrBuf = format!("<{target}>").parse().expect("a target");
        self.agent.call(self.driver.now(), &target).expect("a call");
    }

    async fn next(&mut self, end: Instant) -> Turn<Event> {
        while self.is_impatient {
            let mut next = Box::pin(self.driver.next(&mut self.agent, Some(end)));
            if let Poll::Ready(turn) = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx))).await {
                return turn;
            }
            drop(next);
            if self.driver.now() >= end {
                return Turn::Time;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.driver.next(&mut self.agent, Some(end)).await
    }

    /// Drives until its call is over: takes one that comes, hangs up one that is answered.
    async fn run(mut self) -> Result<Self, String> {
        let end = self.driver.now() + Duration::from_secs(20);
        loop {
            let turn = self.next(end).await;
            let now = self.driver.now();
            match turn {
                Turn::Event(Event::Incoming { call, .. }) => self.agent.answer(now, call, None).expect("an answer"),
                Turn::Event(Event::Answered { call, .. }) => self.agent.hang_up(now, call).expect("an end"),
                Turn::Event(Event::Ended { .. }) => return Ok(self),
                Turn::Event(Event::Failed { cause, .. }) => return Err(format!("{:?}", cause.counts_as())),
                Turn::Time => return Err("nothing happens".into()),
                _ => {}
            }
        }
    }
}

fn call(protocol: Protocol) {
    runtime().block_on(async {
        let mut alice = Phone::new(protocol, "alice", "atlanta.com", "atlanta");
        let bob = Phone::new(protocol, "bob", "biloxi.com", "biloxi");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let shown = lines.clone();
        alice.driver.observe(move |seen| {
            let first = String::from_utf8_lossy(seen.bytes).lines().next().unwrap_or_default().to_owned();
            shown.lock().expect("the lines").push((seen.direction, seen.protocol, seen.remote, first));
        });
        let (uri, remote) = (bob.uri.clone(), bob.local);
        // A task of its own: drivers and nodes are `Send`.
        let bob = tokio::spawn(bob.run());
        alice.call(&uri);
        alice.run().await.map(drop).expect("a call of hers");
        bob.await.expect("a task").map(drop).expect("a call of his");
        let lines = lines.lock().expect("the lines");
        let has = |direction, begin: &str| {
            lines.iter().any(|(seen, over, to, line)| {
                (*seen, *over, *to) == (direction, protocol, remote) && line.starts_with(begin)
            })
        };
        assert!(has(Direction::Out, "INVITE ") && has(Direction::In, "SIP/2.0 200"), "{lines:?}");
    });
}

#[test]
fn a_call_over_udp() {
    call(Protocol::Udp);
}

#[test]
fn a_call_over_tcp() {
    call(Protocol::Tcp);
}

#[test]
fn a_call_over_tls() {
    call(Protocol::Tls);
}

#[test]
fn a_call_over_websocket() {
    call(Protocol::Ws);
}

#[test]
fn a_call_over_secure_websocket() {
    call(Protocol::Wss);
}

#[test]
fn a_next_that_is_dropped_loses_nothing() {
    for protocol in [Protocol::Udp, Protocol::Tcp, Protocol::Tls, Protocol::Ws] {
        runtime().block_on(async {
            let mut alice = Phone::new(protocol, "alice", "atlanta.com", "atlanta");
            let mut bob = Phone::new(protocol, "bob", "biloxi.com", "biloxi");
            (alice.is_impatient, bob.is_impatient) = (true, true);
            let uri = bob.uri.clone();
            let bob = tokio::spawn(bob.run());
            alice.call(&uri);
            alice.run().await.map(drop).expect("a call of hers");
            bob.await.expect("a task").map(drop).expect("a call of his");
        });
    }
}

/// Calls somebody at `domain` whose server has that certificate.
fn reach(domain: &str, certificate: &str) -> Result<(), String> {
    reach_by("sip", domain, certificate)
}

/// Calls, by a URI of that scheme, somebody at `domain` whose server has that certificate.
fn reach_by(scheme: &str, domain: &str, certificate: &str) -> Result<(), String> {
    runtime().block_on(async {
        let mut alice = Phone::with(Protocol::Tls, (scheme, "alice", "atlanta.com"), "atlanta", |_| {});
        let bob = Phone::with(Protocol::Tls, (scheme, "bob", domain), certificate, |_| {});
        alice.call(&bob.uri);
        tokio::spawn(bob.run());
        alice.run().await.map(drop)
    })
}

#[test]
fn a_server_has_to_prove_the_domain_that_was_asked_for() {
    assert_eq!(reach("biloxi.com", "biloxi"), Ok(()));
    assert_eq!(reach("BILOXI.com", "biloxi"), Ok(()), "names have no case");
    assert_eq!(reach("atlanta.com", "atlanta"), Ok(()), "a DNS name, where no SIP URI is");
    let refused = Err("503".to_owned());
    let status =
        |outcome: Result<(), String>| outcome.map_err(|status| status.replace(|c: char| !c.is_ascii_digit(), ""));
    assert_eq!(status(reach("chicago.com", "biloxi")), refused, "another domain");
    assert_eq!(status(reach("dns.biloxi.com", "biloxi")), refused, "a DNS name beside a SIP URI");
    assert_eq!(status(reach("other.com", "biloxi")), refused, "the URI of a user");
    assert_eq!(status(reach("web.atlanta.com", "atlanta")), refused, "a URI that is not SIP's");
    assert_eq!(status(reach("bob.biloxi.com", "wildcard")), refused, "a wildcard");
    assert_eq!(status(reach("biloxi.com", "foreign")), refused, "a root that is not trusted");
}

#[test]
fn a_sips_uri_leads_to_who_proves_its_domain_over_tls_and_to_nobody_else() {
    assert_eq!(reach_by("sips", "biloxi.com", "biloxi"), Ok(()));
    assert!(reach_by("sips", "chicago.com", "biloxi").is_err(), "another domain");
    assert!(reach_by("sips", "biloxi.com", "foreign").is_err(), "a root that is not trusted");
    // Without TLS there is no way, and nothing is sent.
    runtime().block_on(async {
        let mut alice = Phone::with(Protocol::Tcp, ("sips", "alice", "atlanta.com"), "atlanta", |_| {});
        let bob = Phone::new(Protocol::Tcp, "bob", "biloxi.com", "biloxi");
        let sent = Arc::new(Mutex::new(0));
        let count = sent.clone();
        alice.driver.observe(move |_| *count.lock().expect("a count") += 1);
        alice.call(&format!("sips:bob@biloxi.com:{};maddr=127.0.0.1", bob.local.port()));
        tokio::spawn(bob.run());
        assert!(alice.run().await.is_err());
        assert_eq!(*sent.lock().expect("a count"), 0);
    });
}

#[test]
fn certificates_that_do_not_fit_are_refused_when_they_are_read() {
    let error =
        |certificate: &[u8], key: &[u8], roots: &[u8]| Tls::new(certificate, key, roots).expect_err("no TLS").kind();
    let (certificate, key, roots) = (pem("biloxi.pem"), pem("biloxi.key"), pem("root.pem"));
    assert_eq!(error(&[], &key, &roots), std::io::ErrorKind::InvalidData);
    assert_eq!(error(&certificate, &certificate, &roots), std::io::ErrorKind::InvalidData);
    assert_eq!(error(&certificate, &pem("atlanta.key"), &roots), std::io::ErrorKind::InvalidData);
    assert!(Tls::new(&certificate, &key, &[]).is_ok(), "whoever trusts nobody can still be called");
}

const WEBSOCKET_WITHOUT_SIP: &str = "GET / HTTP/1.1\r\nHost: biloxi.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

#[test]
fn a_websocket_without_the_subprotocol_is_refused() {
    let runtime = runtime();
    let mut bob = runtime.block_on(async { Phone::new(Protocol::Ws, "bob", "biloxi.com", "biloxi") });
    let local = bob.local;
    let answer = std::thread::spawn(move || {
        let mut peer = TcpStream::connect(local).expect("a connection");
        peer.write_all(WEBSOCKET_WITHOUT_SIP.as_bytes()).expect("a request");
        peer.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let mut answer = String::new();
        let _ = peer.read_to_string(&mut answer);
        answer
    });
    runtime.block_on(async {
        let until = bob.driver.now() + Duration::from_millis(500);
        while !matches!(bob.driver.next(&mut bob.agent, Some(until)).await, Turn::Time) {}
    });
    let answer = answer.join().expect("a peer");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(bob.agent.endpoint().census().connections, 0);
}

/// Drives until a trouble of that kind is told; what it says.
async fn trouble(phone: &mut Phone, attempt: Attempt) -> String {
    let until = phone.driver.now() + Duration::from_secs(5);
    loop {
        match phone.driver.next(&mut phone.agent, Some(until)).await {
            Turn::Trouble(trouble) if trouble.attempt == attempt => return trouble.to_string(),
            Turn::Time => panic!("nothing is told of it"),
            _ => {}
        }
    }
}

#[test]
fn a_handshake_that_fails_is_told_and_opens_no_connection() {
    for (protocol, reason) in [(Protocol::Tls, "InvalidContentType"), (Protocol::Ws, "400")] {
        runtime().block_on(async {
            let mut bob = Phone::new(protocol, "bob", "biloxi.com", "biloxi");
            let mut peer = TcpStream::connect(bob.local).expect("a connection");
            // TLS takes that for junk. WebSocket takes it for a client that does not offer the subprotocol `sip`.
            peer.write_all(WEBSOCKET_WITHOUT_SIP.as_bytes()).expect("a request");
            let told = trouble(&mut bob, Attempt::Handshake).await;
            assert!(told.starts_with("a handshake failed: ") && told.contains(reason), "{told}");
            assert_eq!(bob.agent.endpoint().census().connections, 0);
        });
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_address_that_connects_and_says_nothing_does_not_keep_others_out_of_tls() {
    runtime().block_on(async {
        let mut bob = Phone::new(Protocol::Tls, "bob", "biloxi.com", "biloxi");
        let mut alice = Phone::new(Protocol::Tls, "alice", "atlanta.com", "atlanta");
        // More than may be at their handshakes at once, from an address of their own.
        let silent = (0..260).map(|_| {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
            socket.bind(&SocketAddr::from(([127, 0, 0, 2], 0)).into()).expect("an address");
            socket.connect(&bob.local.into()).expect("a connection");
            TcpStream::from(socket)
        });
        let silent: Vec<TcpStream> = silent.collect();
        let told = trouble(&mut bob, Attempt::Handshake).await;
        assert!(told.starts_with("a handshake failed: more than 32 at once from 127.0.0.2"), "{told}");
        let begun = alice.driver.now();
        let uri = bob.uri.clone();
        let bob = tokio::spawn(bob.run());
        alice.call(&uri);
        let alice = alice.run().await.expect("a call of hers");
        bob.await.expect("a task").map(drop).expect("a call of his");
        // Peers that say nothing have 10 s.
        assert!(alice.driver.now() < begun + Duration::from_secs(5), "she had to wait for them");
        let is_dropped = |mut peer: &TcpStream| {
            peer.set_read_timeout(Some(Duration::from_millis(1))).expect("a timeout");
            !matches!(peer.read(&mut [0; 64]), Err(error) if error.kind() == ErrorKind::WouldBlock)
        };
        assert!(!silent[..32].iter().any(is_dropped), "one within the limit is dropped");
        assert!(silent[32..].iter().all(is_dropped), "one above the limit is kept");
    });
}

#[test]
fn why_a_websocket_breaks_is_told_unless_the_peer_has_ended_it() {
    // A reserved opcode (RFC 6455 §5.2), and a message of 65,536 octets: each in a masked frame.
    let reserved = [0x83, 0x80, 0, 0, 0, 0].as_slice();
    let too_long = [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0].as_slice();
    let close = [0x88, 0x80, 0, 0, 0, 0].as_slice();
    for (frame, reason) in [(reserved, Some("protocol error")), (too_long, Some("65536 > 65535")), (close, None)] {
        runtime().block_on(async {
            let mut bob = Phone::new(Protocol::Ws, "bob", "biloxi.com", "biloxi");
            let mut peer = TcpStream::connect(bob.local).expect("a connection");
            let request = WEBSOCKET_WITHOUT_SIP.replace("\r\n\r\n", "\r\nSec-WebSocket-Protocol: sip\r\n\r\n");
            peer.write_all(request.as_bytes()).expect("a request");
            while bob.agent.endpoint().census().connections == 0 {
                let until = bob.driver.now() + Duration::from_millis(5);
                let _ = bob.driver.next(&mut bob.agent, Some(until)).await;
            }
            peer.write_all(frame).expect("a frame");
            if let Some(reason) = reason {
                let told = trouble(&mut bob, Attempt::Stream).await;
                assert!(told.starts_with("a connection has broken: ") && told.contains(reason), "{told}");
            }
            let until = bob.driver.now() + Duration::from_millis(200);
            loop {
                match bob.driver.next(&mut bob.agent, Some(until)).await {
                    Turn::Time => break,
                    Turn::Trouble(trouble) => assert_ne!(trouble.attempt, Attempt::Stream, "{trouble}"),
                    _ => {}
                }
            }
            assert_eq!(bob.agent.endpoint().census().connections, 0);
        });
    }
}

#[test]
fn a_driver_is_woken_and_stops() {
    runtime().block_on(async {
        let mut bob = Phone::new(Protocol::Tcp, "bob", "biloxi.com", "biloxi");
        let waker = bob.driver.waker();
        std::thread::spawn(move || (0..3).for_each(|_| waker.wake())).join().expect("a thread");
        assert!(matches!(bob.driver.next(&mut bob.agent, None).await, Turn::Woken));
        let until = bob.driver.now() + Duration::from_millis(30);
        assert!(matches!(bob.driver.next(&mut bob.agent, Some(until)).await, Turn::Time));
        bob.driver.stop(Duration::from_secs(20));
        assert!(matches!(bob.driver.next(&mut bob.agent, None).await, Turn::Stopped { clean: true }));
        // The task that accepts has to end first.
        tokio::task::yield_now().await;
        assert!(TcpStream::connect(bob.local).is_err(), "it accepts all the same");
    });
}

#[test]
fn who_half_closes_still_gets_the_answer_and_then_the_connection_is_closed() {
    let runtime = runtime();
    let mut bob = runtime.block_on(async { Phone::new(Protocol::Tcp, "bob", "biloxi.com", "biloxi") });
    let local = bob.local;
    let answer = std::thread::spawn(move || {
        let mut peer = TcpStream::connect(local).expect("a connection");
        let via = format!("TCP {}", peer.local_addr().expect("an address"));
        let request = shared::options("sip:bob@biloxi.com", &via, 1);
        peer.write_all(request.as_bytes()).expect("a request");
        peer.shutdown(std::net::Shutdown::Write).expect("an end");
        let mut answer = String::new();
        let _ = peer.read_to_string(&mut answer);
        answer
    });
    runtime.block_on(async {
        let until = bob.driver.now() + Duration::from_secs(1);
        while !matches!(bob.driver.next(&mut bob.agent, Some(until)).await, Turn::Time) {}
    });
    assert!(answer.is_finished(), "the connection stays open");
    assert!(answer.join().expect("a peer").starts_with("SIP/2.0 200 "));
}

#[test]
fn the_answer_of_the_user_goes_along_a_connection_whose_far_end_has_ended_its_side() {
    let runtime = runtime();
    let mut bob = runtime.block_on(async { Phone::new(Protocol::Tcp, "bob", "biloxi.com", "biloxi") });
    let mut peer = TcpStream::connect(bob.local).expect("a connection");
    let local = peer.local_addr().expect("an address");
    let request = format!(
        "INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/TCP {local};branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         From: <sip:a@a.example>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\nContact: <sip:a@{local};transport=tcp>\r\n\
         Call-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
    );
    peer.write_all(request.as_bytes()).expect("a request");
    peer.shutdown(std::net::Shutdown::Write).expect("an end");
    runtime.block_on(async {
        let (mut until, mut call) = (bob.driver.now() + Duration::from_secs(5), None);
        loop {
            match (bob.driver.next(&mut bob.agent, Some(until)).await, call) {
                (Turn::Event(Event::Incoming { call: incoming, .. }), _) => {
                    (call, until) = (Some(incoming), bob.driver.now() + Duration::from_millis(100));
                }
                (Turn::Time, Some(incoming)) => {
                    let busy = sansip::message::StatusCode::BUSY_HERE;
                    bob.agent.reject(bob.driver.now(), incoming, busy).expect("an answer");
                    (call, until) = (None, bob.driver.now() + Duration::from_millis(100));
                }
                (Turn::Time, None) => return,
                _ => {}
            }
        }
    });
    peer.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    let mut buffer = [0; 4_096];
    let mut answer = String::new();
    while !answer.contains("SIP/2.0 486 ") {
        let length = peer.read(&mut buffer).expect("an answer");
        assert!(length > 0, "closed after {answer}");
        answer += &String::from_utf8_lossy(&buffer[..length]);
    }
}

#[test]
fn output_that_lingers_after_a_close_has_ten_seconds_in_all() {
    runtime().block_on(async {
        let few = |limits: &mut Limits| limits.transport.stalled_octets = 20_000;
        let mut bob = Phone::with(Protocol::Tcp, ("sip", "bob", "biloxi.com"), "biloxi", few);
        // A peer that asks and asks, and reads nothing.
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        socket.connect(&bob.local.into()).expect("a connection");
        let mut peer: TcpStream = socket.into();
        peer.set_nonblocking(true).expect("a socket");
        let request = |branch| shared::options("sip:bob@biloxi.com", "TCP 192.0.2.1", branch);
        let requests: String = (0..100).map(request).collect();
        let end = bob.driver.now() + Duration::from_secs(60);
        while bob.agent.endpoint().stats().stalled_connections == 0 {
            assert!(bob.driver.now() < end, "{:?}", bob.agent.endpoint().stats());
            // That a request is cut in two when the buffers are full ends the stream as well.
            let _ = peer.write(requests.as_bytes());
            let until = bob.driver.now() + Duration::from_millis(5);
            let _ = bob.driver.next(&mut bob.agent, Some(until)).await;
        }
        let closed = bob.driver.now();
        // Whoever writes to a connection that is gone hears of it.
        let mut is_there = true;
        while is_there {
            assert!(bob.driver.now() < closed + Duration::from_secs(15), "it lingers for ever");
            let until = bob.driver.now() + Duration::from_millis(100);
            while !matches!(bob.driver.next(&mut bob.agent, Some(until)).await, Turn::Time) {}
            is_there = peer.write(b"\r\n").map_or_else(|error| error.kind() == ErrorKind::WouldBlock, |_| true);
        }
        assert!(bob.driver.now() > closed + Duration::from_secs(8), "it was cut at once");
    });
}

#[test]
fn a_connection_that_does_not_open_counts_and_ends_when_the_call_does() {
    let full = FullQueue::at(any_port().ip());
    runtime().block_on(async {
        let mut alice = Phone::new(Protocol::Tcp, "alice", "atlanta.com", "atlanta");
        let target: NameAddrBuf = format!("<sip:bob@{};transport=tcp>", full.address).parse().expect("a target");
        let call = alice.agent.call(alice.driver.now(), &target).expect("a call");
        let until = alice.driver.now() + Duration::from_millis(50);
        while !matches!(alice.driver.next(&mut alice.agent, Some(until)).await, Turn::Time) {}
        assert_eq!(alice.agent.endpoint().census().connections, 1);
        assert_eq!(format!("{:?}", alice.driver), "Driver(1 listeners, 1 connections)");
        alice.agent.hang_up(alice.driver.now(), call).expect("an end");
        let end = alice.driver.now() + Duration::from_secs(30);
        while format!("{:?}", alice.driver) != "Driver(1 listeners, 0 connections)" {
            assert!(alice.driver.now() < end, "the node waits for ever");
            let until = alice.driver.now() + Duration::from_millis(50);
            let _ = alice.driver.next(&mut alice.agent, Some(until)).await;
        }
        assert_eq!(alice.agent.endpoint().census().connections, 0);
    });
}
