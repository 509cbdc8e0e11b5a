//! Octets of a stream, cut wherever a network may cut them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::examples::Server;

#[test]
fn requests_come_octet_by_octet() {
    let server = Server::start(&[]);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port_of("tcp"))).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    let mut heard = Vec::new();
    for number in 1..=3 {
        let request = format!(
            "OPTIONS sip:biloxi.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKf{number}\r\nMax-Forwards: 70\r\n\
             From: <sip:alice@atlanta.com>;tag=1\r\nTo: <sip:biloxi.com>\r\nCall-ID: fragments\r\nCSeq: {number} OPTIONS\r\n\
             Content-Type: text/plain\r\nContent-Length: 12\r\n\r\nin\r\n\r\npieces"
        );
        for octet in request.as_bytes().chunks(1) {
            stream.write_all(octet).expect("the server takes it");
        }
        let answered = |heard: &[u8]| String::from_utf8_lossy(heard).contains(&format!("CSeq: {number} OPTIONS"));
        while !answered(&heard) {
            let mut piece = [0; 500];
            let length = stream.read(&mut piece).expect("an answer");
            assert!(length > 0, "the server has closed: {}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&piece[..length]);
        }
    }
    assert_eq!(String::from_utf8_lossy(&heard).matches("SIP/2.0 200 OK\r\n").count(), 3);
    server.is_read_by_wireshark();
}
