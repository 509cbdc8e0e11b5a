//! An element forwards as it is what it does not need (RFC 3261 §16.3), and refuses what it needs: `docs/decisions/leniency.md`.

use std::net::SocketAddr;

use sansip::{Config, Input, Instant, Listener, Node, Output, Seed, Server, server};
use sansip_sim::inspect::{Role, judge};

const REQUEST: &str = "MESSAGE sip:wren@198.18.0.9 SIP/2.0\r\n\
    Via: SIP/2.0/UDP 198.18.0.2;branch=z9hG4bKlenient\r\n\
    Max-Forwards: 70\r\n\
    To: <sip:wren@kestrel.example>\r\n\
    From: <sip:finch@perch.example>;tag=1\r\n\
    Call-ID: lenient\r\n\
    CSeq: 4 MESSAGE\r\n\
    Content-Length: 0\r\n\r\n";

/// The first message that a proxy sends when this one comes in.
fn proxied(datagram: &str) -> String {
    let settings = server::Settings { relay: true, ..server::Settings::default() };
    let mut node = Server::server(Config::new(Seed::from_u64(3)), settings);
    let address = |last| SocketAddr::from(([198, 18, 0, last], 5060));
    let listener = node.listen(Listener::udp(address(1)));
    node.handle(Instant::ZERO, Input::Datagram { listener, remote: address(2), bytes: datagram.as_bytes() });
    let sent = std::iter::from_fn(|| node.poll()).find_map(|output| match output {
        Output::Send(transmit) => Some(String::from_utf8_lossy(&transmit.bytes).into_owned()),
        _ => None,
    });
    sent.unwrap_or_default()
}

#[test]
fn a_proxy_forwards_what_it_does_not_need_as_it_is() {
    for (from, to) in [
        ("To: <sip:wren@kestrel.example>", "To: Wren <sip:a|b@kestrel.example>;tag=x@y"),
        ("To: <sip:wren@kestrel.example>", "To: René \t<sip:w@kestrel.example>"),
        ("<sip:finch@perch.example>;tag=1", "<finch@perch.example>;tag=a/b+c=="),
        ("198.18.0.2;branch", "543dc521b9a2;branch"),
        ("Call-ID", "this is no header line\r\nCall-ID"),
        ("Call-ID", "Contact: <sip:[>;;q=7\r\nDate: soon\r\nRefer-To: \"\r\nCall-ID"),
        ("CSeq: 4", "CSeq: 4294967295"),
    ] {
        assert!(REQUEST.contains(from), "{from}");
        let sent = proxied(&REQUEST.replace(from, to));
        assert!(sent.starts_with("MESSAGE sip:wren@198.18.0.9 SIP/2.0\r\n"), "{to}: {sent}");
        assert!(sent.contains(to), "{to}: {sent}");
    }
}

#[test]
fn a_proxy_refuses_what_is_doubtful() {
    for (from, to) in [
        ("<sip:wren@kestrel.example>", "\"Wren <sip:wren@kestrel.example>"),
        ("<sip:wren@kestrel.example>", "Wren, W. <sip:wren@kestrel.example>"),
        ("<sip:wren@kestrel.example>", "< sip:wren@kestrel.example >"),
        ("tag=1", "tag=1;tag=2"),
        ("Call-ID", "Content-Length 0\r\nCall-ID"),
        ("CSeq: 4", "CSeq: 4294967296"),
    ] {
        assert!(REQUEST.contains(from), "{from}");
        let sent = proxied(&REQUEST.replace(from, to));
        assert!(sent.starts_with("SIP/2.0 400 "), "{to}: {sent}");
    }
}

#[test]
fn a_registrar_needs_the_address_in_to() {
    let register =
        REQUEST.replace("MESSAGE", "REGISTER").replace("<sip:wren@kestrel.example>", "<sip:a|b@kestrel.example>");
    let finding = judge(register.as_bytes(), Role::Registrar);
    assert_eq!(finding.answer.map(|answer| answer.status), Some(400));
}

#[test]
fn inspect_names_what_is_taken() {
    let text = REQUEST.replace("198.18.0.2;branch", "543dc521b9a2;branch").replace("tag=1", "tag=a/b");
    let finding = judge(text.as_bytes(), Role::Proxy);
    let names: Vec<_> =
        finding.leniencies.iter().map(|(leniency, at)| (leniency.name(), &text[*at..*at + 3])).collect();
    assert!(finding.valid);
    assert_eq!(names, [("digit-first", "543"), ("odd-tag", "a/b")]);
    assert!(judge(REQUEST.as_bytes(), Role::Proxy).leniencies.is_empty());
}
