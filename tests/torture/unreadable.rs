//! Requests that cannot be parsed, or are above a limit, have their sender told so (RFC 3261 §8.2, §18.3, §21.4), as long as so
//! much of them can be read as an answer copies; responses, ACKs and junk never.

use std::net::SocketAddr;

use sansip::message::{HeaderId, Limits, Message, Response, StatusCode};
use sansip::user_agent::Profile;
use sansip::{Config, Input, Instant, Listener, Node, Output, Seed, Server, Stack, TransactionUser, UserAgent, server};

const LINE: &str = "INVITE sip:wren@kestrel.example SIP/2.0\r\n";
const NEEDED: &str = "Via: SIP/2.0/UDP perch.example:5070;branch=z9hG4bKunread;rport\r\n\
    Via: SIP/2.0/TCP nest.example;branch=z9hG4bKbelow\r\n\
    To: <sip:wren@kestrel.example>\r\n\
    From: <sip:finch@perch.example>;tag=1\r\n\
    Call-ID: unread\r\n\
    CSeq: 4 INVITE\r\n\
    Contact: <sip:finch@perch.example>\r\n";

/// All that a node sends when this datagram comes in, with the address that it goes to.
fn sent<U: TransactionUser>(mut node: Stack<U>, datagram: &[u8]) -> Vec<(SocketAddr, Vec<u8>)> {
    let address = |last| SocketAddr::from(([198, 18, 0, last], 5060));
    let listener = node.listen(Listener::udp(address(1)));
    node.handle(Instant::ZERO, Input::Datagram { listener, remote: address(2), bytes: datagram });
    let outputs = std::iter::from_fn(|| node.poll());
    outputs
        .filter_map(|output| match output {
            Output::Send(transmit) => Some((transmit.flow.remote, transmit.bytes.to_vec())),
            _ => None,
        })
        .collect()
}

fn sent_by_each(config: &Config, datagram: &[u8]) -> Vec<Vec<(SocketAddr, Vec<u8>)>> {
    let profile = Profile::new("<sip:wren@198.18.0.1>".parse().expect("an address"));
    let relay = server::Settings { relay: true, ..server::Settings::default() };
    let domain =
        server::Settings { domains: vec!["kestrel.example".parse().expect("a host")], ..server::Settings::default() };
    vec![
        sent(UserAgent::user_agent(config.clone(), profile), datagram),
        sent(Server::server(config.clone(), relay), datagram),
        sent(Server::server(config.clone(), domain), datagram),
    ]
}

fn config() -> Config {
    Config::new(Seed::from_u64(3))
}

/// The one answer that each kind of element gives, all the same but for the tag.
fn answer(config: &Config, datagram: &str) -> Response {
    let mut answers = sent_by_each(config, datagram.as_bytes()).into_iter().map(|sent| {
        let [(remote, bytes)] = &*sent else { panic!("{} answers to {datagram}", sent.len()) };
        assert_eq!(remote.to_string(), "198.18.0.2:5060", "rport");
        assert!(bytes.len() <= datagram.len() + 200, "no amplifier");
        match Message::parse(bytes, &Limits { via_values: 1_000, ..Limits::default() }) {
            Ok(Message::Response(response)) => response,
            other => panic!("{other:?}"),
        }
    });
    let first = answers.next().expect("three answers");
    assert!(answers.all(|answer| answer.status() == first.status() && answer.reason() == first.reason()));
    assert!(first.validate().is_ok() && first.to_header().expect("To").tag().is_some());
    assert_eq!(first.headers().raw(HeaderId::CallId), Some(&b"unread"[..]));
    let via = first.headers().raw(HeaderId::Via).expect("Via");
    let stamped = "SIP/2.0/UDP perch.example:5070;branch=z9hG4bKunread;rport=5060;received=198.18.0.2";
    assert_eq!(String::from_utf8_lossy(via), stamped);
    assert!(first.headers().count(HeaderId::Via) >= 2, "every Via");
    first
}

#[test]
fn a_malformed_line_is_answered_with_400_and_what_is_wrong() {
    for (line, reason) in [
        ("no colon\r\nnor here", "one header line has no colon"),
        ("Via no colon", "one header line has no colon"),
        ("two words: x", "one header name is no token"),
        ("<sip:wren@kestrel.example;lr>", "one header name is no token"),
        ("X: a\rb", "carriage return or line feed stands alone"),
        ("X: a\nb", "carriage return or line feed stands alone"),
        ("X: a\nContent-Length: 99\n\nBYE sip:b SIP/2.0", "carriage return or line feed stands alone"),
    ] {
        for datagram in [format!("{LINE}{line}\r\n{NEEDED}\r\n"), format!("{LINE}{NEEDED}{line}\r\n\r\nbody")] {
            let answer = answer(&config(), &datagram);
            assert_eq!((answer.status(), answer.reason()), (StatusCode::BAD_REQUEST, reason.as_bytes()), "{datagram}");
        }
    }
}

#[test]
fn each_limit_has_its_answer() {
    let mut config = config();
    config.limits.message = Limits { body: 10, ..Limits::default() };
    let limits = config.limits.message;
    for (datagram, status) in [
        (format!("INVITE sip:{} SIP/2.0\r\n{NEEDED}\r\n", "x".repeat(limits.start_line)), 414),
        (format!("{LINE}{NEEDED}X: {}\r\n\r\n", "x".repeat(limits.header_section)), 513),
        (format!("{LINE}X: {}\r\n{NEEDED}\r\n", "x".repeat(limits.header_section)), 513),
        (format!("{LINE}{NEEDED}{}\r\n", "X: y\r\n".repeat(limits.headers)), 513),
        (format!("{LINE}{NEEDED}Route: <sip:a.example{}>\r\n\r\n", ";x".repeat(limits.parameters + 1)), 400),
        (format!("{LINE}{NEEDED}\r\n{}", "x".repeat(limits.body + 1)), 413),
    ] {
        assert_eq!(answer(&config, &datagram).status().get(), status, "{}", &datagram[..60]);
    }
}

/// An answer has every Via of its request (RFC 3261 §8.2.6.2): one that would have more of them than a reader takes is not sent.
#[test]
fn a_request_with_too_many_vias_gets_no_answer() {
    let (limits, via) = (Limits::default(), "v: SIP/2.0/UDP a.example\r\n");
    for (vias, answers) in [(limits.via_values - 3, 3), (limits.via_values, 0)] {
        let datagram = format!("{LINE}<no name>: x\r\n{NEEDED}{}\r\n", via.repeat(vias));
        assert_eq!(sent_by_each(&config(), datagram.as_bytes()).iter().flatten().count(), answers, "{vias}");
    }
}

#[test]
fn what_is_owed_nothing_gets_nothing() {
    let bad = format!("{LINE}<no name>: x\r\n{NEEDED}\r\n");
    assert_eq!(sent_by_each(&config(), bad.as_bytes()).iter().flatten().count(), 3);
    for datagram in [
        bad.replace("INVITE", "ACK"),
        bad.replace(LINE, "SIP/2.0 200 OK\r\n"),
        bad.replace(LINE, "GET / HTTP/1.1\r\n"),
        bad.replace("Via", "X"),
        bad.replace("perch.example:5070", "perch.example:0").replace(";rport", ""),
        bad.replace("SIP/2.0/UDP perch", "SIP/2.0/UDP /"),
        bad.replace("no colon", "X: a\nb").replace("INVITE", "ACK"),
        bad.replace("no colon", "X: a\nb").replace(LINE, "SIP/2.0 200 OK\r\n"),
        bad.replace("no colon", "X: y").replace("Call-ID: unread\r\n", "Call-ID: unread\n"),
        bad.replace("no colon", "X: y").replace("Call-ID: unread", "Call-ID: unread\nX: y"),
        bad.replace("\r\n", "\n"),
        "no colon\r\n".repeat(3),
    ] {
        assert_eq!(sent_by_each(&config(), datagram.as_bytes()).iter().flatten().count(), 0, "{datagram}");
    }
}

#[test]
fn the_same_datagram_has_the_same_answer() {
    // RFC 3261 §8.2.7: nothing is kept, and a retransmission must not get another tag.
    let bad = format!("{LINE}<no name>: x\r\n{NEEDED}\r\n");
    assert_eq!(sent_by_each(&config(), bad.as_bytes()), sent_by_each(&config(), bad.as_bytes()));
}

/// Nobody needs a line without a colon: it is taken for nothing, and a proxy forwards it as it is (RFC 3261 §16.3).
#[test]
fn one_line_without_a_colon_costs_nothing() {
    let datagram = format!("{LINE}no colon\r\n{NEEDED}\r\n");
    let sent = sent_by_each(&config(), datagram.as_bytes());
    for (_, bytes) in sent.iter().flatten() {
        assert!(!bytes.starts_with(b"SIP/2.0 400"), "{}", bytes.escape_ascii());
    }
}
