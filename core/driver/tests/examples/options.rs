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

/// Sends a request for `uri` whose Call-ID and branch are `id`, and has the status line of its response, or whatever else comes.
fn asked(peer: &UdpSocket, server: SocketAddr, method: &str, uri: &str, id: &str) -> String {
    let via = peer.local_addr().expect("an address");
    let (_, host) = uri.split_once('@').unwrap_or(("", uri));
    let target = if method == "REGISTER" { format!("sip:{host}") } else { uri.into() };
    let text = format!(
        "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK{id}\r\nMax-Forwards: 70\r\n\
         From: <{uri}>;tag=1\r\nTo: <{uri}>\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\nContact: <sip:bob@{via}>\r\n\
         Content-Length: 0\r\n\r\n"
    );
    peer.send_to(text.as_bytes(), server).expect("a datagram");
    let mut buffer = [0; 4_096];
    let (length, _) = peer.recv_from(&mut buffer).expect("an answer");
    String::from_utf8_lossy(&buffer[..length]).lines().next().expect("a line").into()
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
