//! Datagrams over real sockets: many at once, those that do not arrive, and those to a group.

mod shared;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

use sansip::user_agent::{Cause, Event, Profile, UserAgent};
use sansip::{Config, Duration, Listener};
use sansip_driver::{Attempt, Direction, Turn};
use shared::{Driver, any_port, options};

fn agent() -> UserAgent {
    let config = Config::new(sansip_driver::seed().expect("randomness"));
    let mut profile = Profile::new("<sip:bob@127.0.0.1>".parse().expect("an identity"));
    profile.any_user = true;
    UserAgent::user_agent(config, profile)
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
            let via = format!("UDP {}", peer.local_addr().expect("an address"));
            let request = options("sip:bob@127.0.0.1", &via, branch);
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
fn what_begins_as_stun_and_is_no_binding_request_is_counted_as_malformed() {
    // A lone octet, a binding indication (RFC 5389 §6), and a request with the cookie of nobody.
    let indication = [&[0, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], b"twelve bytes"].concat();
    let classic = [&[0, 1, 0, 0][..], b"sixteen octets.."].concat();
    for mut driver in Driver::both() {
        let mut bob = agent();
        let (_, listener) = driver.listen(&mut bob, Listener::udp(any_port()));
        let peer = UdpSocket::bind(any_port()).expect("a port");
        for (count, octets) in (1..).zip([b"\0".as_slice(), &indication, &classic]) {
            peer.send_to(octets, listener.local).expect("a datagram");
            driver.run(&mut bob, Duration::from_millis(100));
            assert_eq!(bob.endpoint().stats().malformed, count, "{octets:?}");
        }
        peer.set_nonblocking(true).expect("a socket");
        assert!(peer.recv(&mut [0; 64]).is_err(), "it is answered");
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
        if let Err(error) = peer.send_to(options("sip:bob@127.0.0.1", "UDP 127.0.0.1", 1).as_bytes(), (group, free)) {
            eprintln!("SKIPPED: this machine has no multicast: {error}");
            return;
        }
        driver.run(&mut bob, Duration::from_millis(200));
        assert_eq!(*count.lock().expect("a count"), 1);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn buffers_are_as_large_as_a_busy_server_needs_or_it_is_said_how_large_they_are() {
    let most = |name: &str| {
        let text = std::fs::read_to_string(format!("/proc/sys/net/core/{name}")).expect("a setting of the kernel");
        text.trim().parse::<usize>().expect("a number")
    };
    // The kernel counts twice what it is asked for.
    let granted = 2 * most("rmem_max").min(most("wmem_max")).min(4 << 20);
    for mut driver in Driver::both() {
        let mut bob = agent();
        driver.listen(&mut bob, Listener::udp(any_port()));
        let until = driver.now();
        match driver.next(&mut bob, until) {
            Turn::Trouble(trouble) => {
                assert_eq!(trouble.attempt, Attempt::Buffers);
                assert!(granted < 4 << 20 && trouble.to_string().contains(&format!(": {granted} octets of 4194304")));
            }
            _ => assert!(granted >= 4 << 20, "it is not said"),
        }
    }
}
