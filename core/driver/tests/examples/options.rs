//! Options of the example server that say what it listens on, and which names are its own.

use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use super::processes::{Process, example};

/// A server with these options beside a UDP port, and its address.
fn server(options: &[&str]) -> (Process, SocketAddr) {
    let mut command = example("server");
    let mut server = Process::start(command.args(["--listen", "udp:127.0.0.1:0"]).args(options));
    let place = server.listens();
    let at = place.strip_prefix("udp:").and_then(|at| at.parse().ok()).expect("an address of UDP");
    (server, at)
}

/// Sends a request for `uri` whose Call-ID and branch are `id`; its Contact has these parameters.
fn ask(peer: &UdpSocket, server: SocketAddr, method: &str, uri: &str, id: &str, parameters: &str) {
    let via = peer.local_addr().expect("an address");
    let (_, host) = uri.split_once('@').unwrap_or(("", uri));
    let target = if method == "REGISTER" { format!("sip:{host}") } else { uri.into() };
    let text = format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK{id}\r\nMax-Forwards: 70\r\n\
         From: <{uri}>;tag=1\r\nTo: <{uri}>\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:bob@{via}>{parameters}\r\nContent-Length: 0\r\n\r\n"
    );
    peer.send_to(text.as_bytes(), server).expect("a datagram");
}

/// The message that comes next, if one comes in time.
fn heard(peer: &UdpSocket) -> Option<String> {
    let mut buffer = [0; 4_096];
    let (length, _) = peer.recv_from(&mut buffer).ok()?;
    Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

/// Sends a request, and has the status line of its response, or whatever else comes.
fn asked(peer: &UdpSocket, server: SocketAddr, method: &str, uri: &str, id: &str) -> String {
    ask(peer, server, method, uri, id, "");
    heard(peer).expect("an answer").lines().next().expect("a line").into()
}

/// Answers a request.
fn respond(peer: &UdpSocket, server: SocketAddr, request: &str, status: &str) {
    let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let copied = request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name)));
    let lines: String = copied.map(|line| format!("{line}\r\n")).collect();
    let response = format!("SIP/2.0 {status}\r\n{lines}Content-Length: 0\r\n\r\n");
    peer.send_to(response.replace("biloxi.com>\r", "biloxi.com>;tag=2\r").as_bytes(), server).expect("a datagram");
}

fn peer() -> UdpSocket {
    let peer = UdpSocket::bind("127.0.0.1:0").expect("a port");
    peer.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    peer
}

#[test]
fn an_alias_is_another_name_of_the_first_domain_or_of_the_one_it_names() {
    let names = ["--domain", "biloxi.com", "--domain", "atlanta.com"];
    let aliases = ["--alias", "biloxi.example", "--alias", "atlanta.example=atlanta.com"];
    let (mut server, at) = server(&[names, aliases].concat());
    let peer = peer();
    assert_eq!(asked(&peer, at, "REGISTER", "sip:bob@biloxi.example", "r1"), "SIP/2.0 200 OK");
    server.says("bound bob@biloxi.com");
    assert_eq!(asked(&peer, at, "REGISTER", "sip:bob@atlanta.example", "r2"), "SIP/2.0 200 OK");
    server.says("bound bob@atlanta.com");
    // By either name it is he who is asked.
    for (number, host) in ["biloxi.com", "biloxi.example", "atlanta.com", "atlanta.example"].iter().enumerate() {
        let first = asked(&peer, at, "MESSAGE", &format!("sip:bob@{host}"), &format!("m{number}"));
        assert_eq!(first, format!("MESSAGE sip:bob@{} SIP/2.0", peer.local_addr().expect("an address")), "{host}");
    }
    // A name that is none of them is another domain's, where strangers are not led.
    assert_eq!(asked(&peer, at, "MESSAGE", "sip:bob@chicago.example", "m9"), "SIP/2.0 403 Forbidden");
}

/// RFC 3261 §18.2.1: a server that listens on UDP listens on the same port of TCP.
#[test]
fn a_port_of_udp_is_open_for_tcp_unless_the_options_say_no() {
    let (_with, at) = server(&["--domain", "biloxi.com"]);
    assert!(TcpStream::connect(at).is_ok());
    let (_without, at) = server(&["--domain", "biloxi.com", "--no-tcp"]);
    assert!(TcpStream::connect(at).is_err());
    // A place that is named for TCP is opened all the same.
    let (mut named, at) = server(&["--domain", "biloxi.com", "--no-tcp", "--listen", "tcp:127.0.0.1:0"]);
    assert!(TcpStream::connect(at).is_err());
    let tcp = named.listens();
    let tcp: SocketAddr = tcp.strip_prefix("tcp:").and_then(|at| at.parse().ok()).expect("an address of TCP");
    assert!(TcpStream::connect(tcp).is_ok());
}

const BOB: &str = "sip:bob@biloxi.com";

#[test]
fn a_caller_is_told_the_contacts_of_a_user_by_302_where_the_options_say_so() {
    let (mut server, at) = server(&["--domain", "biloxi.com", "--redirect"]);
    let (bob, alice) = (peer(), peer());
    assert_eq!(asked(&bob, at, "REGISTER", BOB, "r1"), "SIP/2.0 200 OK");
    ask(&alice, at, "INVITE", BOB, "i1", "");
    let answer = heard(&alice).expect("an answer");
    let contact = format!("sip:bob@{}", bob.local_addr().expect("an address"));
    assert!(answer.starts_with("SIP/2.0 302 "), "{answer}");
    assert!(answer.contains(&format!("\r\nContact: <{contact}>;q=1;expires=")), "{answer}");
    let line = server.says("redirected");
    assert!(line.ends_with(&format!(" bob@biloxi.com will now be redirected to {contact}")), "{line}");
}

#[test]
fn the_contacts_of_a_user_are_called_all_at_once_or_the_preferred_first_as_the_options_say() {
    for (fork, is_parallel) in [("parallel", true), ("q", false)] {
        let (_server, at) = server(&["--domain", "biloxi.com", "--fork", fork]);
        let (preferred, other, alice) = (peer(), peer(), peer());
        for (phone, id, q) in [(&preferred, "r1", ";q=0.9"), (&other, "r2", ";q=0.5")] {
            ask(phone, at, "REGISTER", BOB, id, q);
            assert!(heard(phone).is_some_and(|answer| answer.starts_with("SIP/2.0 200 ")), "{fork}");
        }
        ask(&alice, at, "MESSAGE", BOB, "m1", "");
        let request = heard(&preferred).expect("a request");
        assert!(request.starts_with("MESSAGE "), "{fork}: {request}");
        let is_request = |heard: Option<String>| heard.is_some_and(|text| text.starts_with("MESSAGE "));
        other.set_read_timeout(Some(Duration::from_millis(if is_parallel { 10_000 } else { 300 }))).expect("a timeout");
        assert_eq!(is_request(heard(&other)), is_parallel, "{fork}");
        if !is_parallel {
            respond(&preferred, at, &request, "486 Busy Here");
            other.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
            assert!(is_request(heard(&other)), "it is tried next");
        }
    }
}

#[test]
fn a_peer_that_is_trusted_by_its_address_needs_no_password() {
    let users = ["--domain", "biloxi.com", "--user", "bob:b"];
    for (more, registered, called) in [
        (&["--trust", "127.0.0.1"][..], "SIP/2.0 200 OK", "MESSAGE sip:bob@"),
        (&["--trust", "127.0.0.2"], "SIP/2.0 401 Unauthorized", "SIP/2.0 407 "),
    ] {
        let (_server, at) = server(&[&users[..], more].concat());
        let bob = peer();
        assert_eq!(asked(&bob, at, "REGISTER", BOB, "r1"), registered);
        let next = asked(&bob, at, "MESSAGE", BOB, "m1");
        assert!(next.starts_with(called), "{next}");
    }
}
