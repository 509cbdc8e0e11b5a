//! URIs that are received in one place and go out in another one: a Route of a strict router as the Request-URI (RFC 3261 §16.6 step 6), a
//! binding as the Request-URI (§16.5), and a Contact as the target of a dialog (§12.2.1.1). Whatever octet stands in one of them, what goes
//! out is a message that can be read, or a refusal.

use std::net::SocketAddr;

use sansip::message::{Limits, Message};
use sansip::server::Settings;
use sansip::user_agent::{Outgoing, Profile};
use sansip::{
    Config, Input, Instant, Listener, ListenerId, Node, Output, Seed, Server, Stack, TransactionUser, UserAgent,
};

const PEER: &str = "198.18.0.2:5060";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// All that a node sends because of this input.
fn taken<U: TransactionUser>(node: &mut Stack<U>) -> Vec<Vec<u8>> {
    let outputs = std::iter::from_fn(|| node.poll());
    let sent = outputs.filter_map(|output| match output {
        Output::Send(transmit) => Some(transmit.bytes.to_vec()),
        _ => None,
    });
    sent.collect()
}

pub(crate) fn hear<U: TransactionUser>(node: &mut Stack<U>, listener: ListenerId, text: &[u8]) -> Vec<Vec<u8>> {
    node.handle(Instant::ZERO, Input::Datagram { listener, remote: address(PEER), bytes: text });
    taken(node)
}

/// A request of the peer's; `lines` are whole.
pub(crate) fn request(start: &[u8], method: &str, lines: &[u8]) -> Vec<u8> {
    let rest = format!(
        " SIP/2.0\r\nVia: SIP/2.0/UDP {PEER};branch=z9hG4bK{method}\r\nMax-Forwards: 70\r\nTo: <sip:bob@198.18.0.1>\r\n\
         From: <sip:bob@198.18.0.1>;tag=1\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\n"
    );
    [method.as_bytes(), b" ", start, rest.as_bytes(), lines, b"Content-Length: 0\r\n\r\n"].concat()
}

/// URIs of the peer with each octet in each part that may have any.
fn uris() -> impl Iterator<Item = Vec<u8>> {
    let parts: [(&str, &str); 4] = [
        ("sip:b", "b@198.18.0.2"),
        ("sip:b@198.18.0.2;x=", "y"),
        ("sip:b@198.18.0.2;x", "=y"),
        ("sip:b:p", "q@198.18.0.2"),
    ];
    let uri = |(before, after): (&str, &str), octet: u8| [before.as_bytes(), &[octet], after.as_bytes()].concat();
    parts.into_iter().flat_map(move |part| (0..=u8::MAX).map(move |octet| uri(part, octet)))
}

/// Each of these messages can be read, and its first line has nothing but what a request line or status line may have. The Request-URIs of
/// those that have that method.
#[track_caller]
fn clean(sent: &[Vec<u8>], method: &str) -> Vec<Vec<u8>> {
    let mut uris = Vec::new();
    for bytes in sent {
        let text = bytes.escape_ascii();
        match Message::parse(bytes, &Limits::default()) {
            Ok(Message::Request(request)) => {
                assert!(request.validate().is_ok(), "{text}: {:?}", request.validate());
                let uri = request.uri_bytes().to_vec();
                assert!(uri.iter().all(u8::is_ascii_graphic), "{text}");
                if request.method().as_str() == method {
                    uris.push(uri);
                }
            }
            Ok(Message::Response(response)) => assert!(response.validate().is_ok(), "{text}"),
            Err(error) => panic!("{text}: {error}"),
        }
    }
    uris
}

pub(crate) fn server(settings: Settings) -> (Server, ListenerId) {
    let mut server = Server::server(Config::new(Seed::from_u64(1)), settings);
    let listener = server.listen(Listener::udp(address("198.18.0.1:5060")));
    (server, listener)
}

#[test]
fn a_route_becomes_the_request_uri_and_the_request_uri_a_route() {
    let mut moved = 0;
    for uri in uris() {
        let (mut server, listener) = server(Settings { relay: true, ..Settings::default() });
        let route = [b"Route: <".as_slice(), &uri, b">\r\n"].concat();
        let sent = hear(&mut server, listener, &request(b"sip:carol@198.18.0.3", "OPTIONS", &route));
        assert!(sent.len() <= 1);
        for request_uri in clean(&sent, "OPTIONS") {
            assert_eq!(request_uri.escape_ascii().to_string(), uri.escape_ascii().to_string());
            moved += 1;
        }
        // And the other way round: what stood in the Request-URI is the last Route then.
        let (mut server, listener) = self::server(Settings { relay: true, ..Settings::default() });
        let sent = hear(&mut server, listener, &request(&uri, "OPTIONS", b"Route: <sip:strict@198.18.0.2>\r\n"));
        clean(&sent, "OPTIONS");
    }
    assert!(moved > 4 * 60, "{moved}");
}

#[test]
fn a_binding_becomes_the_request_uri() {
    let mut moved = 0;
    for uri in uris() {
        let domain = "198.18.0.1".parse().expect("a host");
        let (mut server, listener) = server(Settings { domains: vec![domain], ..Settings::default() });
        let contact = [b"Contact: <".as_slice(), &uri, b">\r\n"].concat();
        let answer = hear(&mut server, listener, &request(b"sip:198.18.0.1", "REGISTER", &contact));
        clean(&answer, "");
        assert_eq!(answer.len(), 1);
        let sent = hear(&mut server, listener, &request(b"sip:bob@198.18.0.1", "OPTIONS", b""));
        moved += clean(&sent, "OPTIONS").len();
    }
    assert!(moved > 4 * 60, "{moved}");
}

#[test]
fn a_contact_becomes_the_target_of_a_dialog() {
    let mut moved = 0;
    for uri in uris() {
        let mut alice = UserAgent::user_agent(
            Config::new(Seed::from_u64(1)),
            Profile::new("<sip:alice@198.18.0.1>".parse().expect("a name")),
        );
        let listener = alice.listen(Listener::udp(address("198.18.0.1:5060")));
        let bob = Outgoing::to(&"<sip:bob@198.18.0.2>".parse().expect("a name"));
        let call = alice.call(Instant::ZERO, bob).expect("a call");
        let invite = taken(&mut alice).remove(0);
        let invite = String::from_utf8(invite).expect("text");
        let lines = ["Via", "From", "Call-ID", "CSeq"].map(|name| {
            let of = |line: &&str| line.starts_with(&format!("{name}:"));
            format!("{}\r\n", invite.split("\r\n").find(of).expect("a line"))
        });
        let head = format!("SIP/2.0 200 OK\r\n{}To: <sip:bob@198.18.0.2>;tag=b\r\nContact: <", lines.concat());
        let ok = [head.as_bytes(), &uri, b">\r\nContent-Length: 0\r\n\r\n"].concat();
        let mut sent = hear(&mut alice, listener, &ok);
        let _ = alice.hang_up(Instant::ZERO, call);
        sent.extend(taken(&mut alice));
        moved += clean(&sent, "BYE").len();
    }
    assert!(moved > 4 * 60, "{moved}");
}
