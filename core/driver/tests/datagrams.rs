//! Datagrams over real sockets: many at once, those that do not arrive, and those to a group.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

use sansip::user_agent::{Cause, Event, Profile, UserAgent};
use sansip::{Config, Duration, Instant, Listener, ListenerId};
use sansip_driver::{Direction, Resolver, Turn, blocking, tokio as asynchronous};

/// Either driver.
enum Driver {
    Blocking(blocking::Driver),
    Tokio(tokio::runtime::Runtime, asynchronous::Driver),
}

impl Driver {
    fn both() -> [Self; 2] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let blocking = blocking::Driver::new().expect("a driver");
        [Self::Blocking(blocking), Self::Tokio(runtime, asynchronous::Driver::new(Resolver::System))]
    }

    fn now(&self) -> Instant {
        match self {
            Self::Blocking(driver) => driver.now(),
            Self::Tokio(_, driver) => driver.now(),
        }
    }

    fn listen(&mut self, agent: &mut UserAgent, listener: Listener) -> (ListenerId, Listener) {
        match self {
            Self::Blocking(driver) => driver.listen(agent, listener).expect("a port"),
            Self::Tokio(runtime, driver) => {
                let _within = runtime.enter();
                driver.listen(agent, listener).expect("a port")
            }
        }
    }

    fn next(&mut self, agent: &mut UserAgent, until: Instant) -> Turn<Event> {
        match self {
            Self::Blocking(driver) => driver.next(agent, Some(until)).expect("a driver that waits"),
            Self::Tokio(runtime, driver) => runtime.block_on(driver.next(agent, Some(until))),
        }
    }

    fn observe(&mut self, observe: impl FnMut(&sansip_driver::Seen<'_>) + Send + 'static) {
        match self {
            Self::Blocking(driver) => driver.observe(observe),
            Self::Tokio(_, driver) => driver.observe(observe),
        }
    }

    /// Drives for so long.
    fn run(&mut self, agent: &mut UserAgent, time: Duration) {
        let until = self.now() + time;
        while !matches!(self.next(agent, until), Turn::Time) {}
    }
}

fn agent() -> UserAgent {
    let config = Config::new(sansip_driver::seed().expect("randomness"));
    let mut profile = Profile::new("<sip:bob@127.0.0.1>".parse().expect("an identity"));
    profile.any_user = true;
    UserAgent::user_agent(config, profile)
}

fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

fn options(via: SocketAddr, branch: usize) -> String {
    format!(
        "OPTIONS sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK{branch}\r\nMax-Forwards: 70\r\n\
         From: <sip:a@a.example>;tag=1\r\nTo: <sip:bob@127.0.0.1>\r\nCall-ID: {branch}\r\nCSeq: 1 OPTIONS\r\n\r\n"
    )
}

#[test]
fn a_burst_is_answered_whole_and_each_one_to_whom_it_came_from() {
    for mut driver in Driver::both() {
        let mut bob = agent();
        let (_, listener) = driver.listen(&mut bob, Listener::udp(any_port()));
        let peers: Vec<_> = (0..3).map(|_| UdpSocket::bind(any_port()).expect("a port")).collect();
        // More than are read at once, among them a binding request.
        for branch in 0..120 {
            let peer = &peers[branch % peers.len()];
            let request = options(peer.local_addr().expect("an address"), branch);
            peer.send_to(request.as_bytes(), listener.local).expect("a datagram");
        }
        let binding = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], b"twelve bytes"].concat();
        peers[0].send_to(&binding, listener.local).expect("a datagram");
        driver.run(&mut bob, Duration::from_millis(300));
        for (number, peer) in peers.iter().enumerate() {
            peer.set_nonblocking(true).expect("a socket");
            let mut buffer = [0; 4_096];
            let answers: Vec<Vec<u8>> =
                std::iter::from_fn(|| peer.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec())).collect();
            let (stun, sip): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer[0] == 1);
            assert_eq!((stun.len(), sip.len()), (usize::from(number == 0), 40));
            let branch_of = |answer: &[u8]| {
                let text = String::from_utf8_lossy(answer);
                let (_, rest) = text.split_once("branch=z9hG4bK").expect("a branch");
                rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
            };
            assert!(sip.iter().all(|answer| branch_of(answer) % peers.len() == number), "an answer of another");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn that_nobody_is_there_is_known_at_once_and_is_nobody_elses_failure() {
    for any_port in ["127.0.0.1:0", "[::1]:0"].map(|address| address.parse::<SocketAddr>().expect("an address")) {
        let Ok(bob) = UdpSocket::bind(any_port) else {
            eprintln!("SKIPPED: this machine has no IPv6");
            continue;
        };
        for mut driver in Driver::both() {
            let mut alice = agent();
            driver.listen(&mut alice, Listener::udp(any_port));
            let closed = UdpSocket::bind(any_port).and_then(|socket| socket.local_addr()).expect("a port");
            let begun = driver.now();
            // The report of the first is there when the second is sent.
            for (at, to) in [closed, bob.local_addr().expect("a port")].into_iter().enumerate() {
                let target = format!("<sip:bob@{to}>").parse().expect("a target");
                alice.call(driver.now(), &target).expect("a call");
                if at == 0 {
                    driver.run(&mut alice, Duration::ZERO);
                }
            }
            let mut failed = 0;
            let until = begun + Duration::from_millis(300);
            loop {
                match driver.next(&mut alice, until) {
                    Turn::Event(Event::Failed { cause, .. }) => {
                        assert!(matches!(cause, Cause::Unreachable), "{cause:?}");
                        failed += 1;
                    }
                    Turn::Time => break,
                    _ => {}
                }
            }
            assert_eq!(failed, 1, "the call to nobody fails, the one to Bob does not");
            let mut buffer = [0; 4_096];
            bob.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
            let length = bob.recv(&mut buffer).expect("a request");
            assert!(buffer[..length].starts_with(b"INVITE "));
        }
    }
}

#[test]
fn a_group_is_joined_by_listening_at_its_address() {
    for mut driver in Driver::both() {
        let group = Ipv4Addr::new(224, 0, 1, 75);
        let peer = UdpSocket::bind("0.0.0.0:0").expect("a port");
        let free = UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let mut bob = agent();
        let sent_by = format!("127.0.0.1:{free}").parse().expect("a name");
        driver.listen(&mut bob, Listener::udp(SocketAddr::from((group, free))).with_sent_by(sent_by));
        let count = Arc::new(Mutex::new(0));
        let counted = count.clone();
        driver.observe(move |seen| {
            let is_heard = seen.direction == Direction::In && seen.local == SocketAddr::from((group, free));
            *counted.lock().expect("a count") += usize::from(is_heard);
        });
        if let Err(error) = peer.send_to(options(any_port(), 1).as_bytes(), (group, free)) {
            eprintln!("SKIPPED: this machine has no multicast: {error}");
            return;
        }
        driver.run(&mut bob, Duration::from_millis(200));
        assert_eq!(*count.lock().expect("a count"), 1);
    }
}
