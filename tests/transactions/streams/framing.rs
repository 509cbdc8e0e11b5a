//! Streams cut into messages, and streams that can be read no further (RFC 3261 §18.3, RFC 5626 §4.4.1, RFC 7118, RFC 4168).

use super::{bench, bench_with, their_via, there};
use crate::bench::{Told, answer, ours, theirs, wire};
use sansip::message::header::Protocol;
use sansip::{Change, Config, Failure, Input, Listener, Seed};

const LENGTH: &str = "Content-Length: 0\n";

#[test]
fn a_request_without_content_length_gets_400_and_the_connection_is_closed() {
    for bad in ["", "Content-Length: nine\n", "Content-Length: 1\nContent-Length: 2\n"] {
        let (mut bench, tcp) = bench();
        let connection = bench.accepted(tcp, "192.0.2.9:49152");
        bench.receive_along(connection, &theirs("OPTIONS", &their_via("z9hG4bKa")).replace(LENGTH, bad));
        assert!(bench.last().start_line().starts_with("SIP/2.0 400 "), "{}", bench.last().start_line());
        assert_eq!(bench.last().flow.connection, Some(connection));
        assert_eq!(bench.closed, [(0, connection)]);
        assert_eq!(bench.whats(), [Told::FlowFailed(bench.last().flow.remote)]);
        // Nothing behind it counts.
        bench.receive_along(connection, &theirs("OPTIONS", &their_via("z9hG4bKb")));
        assert_eq!((bench.told.len(), bench.endpoint.stats().broken_streams), (1, 1));
        bench.assert_over();
    }
}

/// A request that an element which takes half a line end sees as two: the second within the body of the first.
fn smuggler(method: &str) -> Vec<u8> {
    let hidden = theirs("BYE", &their_via("z9hG4bKhidden"));
    let length = format!("X: y%Content-Length: 0%%Content-Length: {}\n", wire(&hidden).len());
    let text = theirs(method, &their_via("z9hG4bKa")).replace(LENGTH, &length) + &hidden;
    String::from_utf8(wire(&text)).expect("text").replace('%', "\n").into_bytes()
}

#[test]
fn half_a_line_end_gets_400_and_the_connection_is_closed() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.stream(connection, &smuggler("OPTIONS"));
    let line = "SIP/2.0 400 carriage return or line feed stands alone";
    assert_eq!((bench.last().start_line(), bench.sent.len()), (line, 1));
    assert_eq!(bench.closed, [(0, connection)]);
    assert_eq!(bench.whats(), [Told::FlowFailed(bench.last().flow.remote)], "no request reaches the core");
    bench.assert_over();
}

#[test]
fn half_a_line_end_in_an_ack_or_a_response_is_not_answered_but_closes_as_well() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.stream(connection, &smuggler("ACK"));
    assert_eq!((bench.sent.len(), &bench.closed[..]), (0, &[(0, connection)][..]));
    let (mut bench, _) = self::bench();
    bench.request_to(&ours("OPTIONS"), there());
    let connection = bench.open();
    let ok = String::from_utf8(wire(&answer(bench.last(), 200))).unwrap();
    bench.stream(connection, ok.replace("Content-Length", "X: y\nContent-Length").as_bytes());
    assert_eq!((bench.sent.len(), &bench.closed[..]), (1, &[(0, connection)][..]));
    assert_eq!(bench.whats()[0], Told::Failed(Failure::Transport));
}

#[test]
fn an_ack_without_content_length_is_not_answered_but_closes_as_well() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.receive_along(connection, &theirs("ACK", &their_via("z9hG4bKa")).replace(LENGTH, ""));
    assert_eq!((bench.sent.len(), &bench.closed[..]), (0, &[(0, connection)][..]));
}

#[test]
fn a_response_without_content_length_closes_and_who_waits_for_it_is_told() {
    let (mut bench, _) = bench();
    bench.request_to(&ours("OPTIONS"), there());
    let connection = bench.open();
    let ok = answer(bench.last(), 200).replace(LENGTH, "");
    bench.receive_along(connection, &ok);
    assert_eq!(bench.closed, [(0, connection)]);
    assert_eq!(bench.whats()[0], Told::Failed(Failure::Transport));
    assert_eq!(bench.sent.len(), 1);
}

#[test]
fn a_body_above_the_limit_is_413_and_the_end() {
    let mut config = Config::new(Seed::from_u64(1));
    config.limits.message.body = 100;
    let (mut bench, tcp) = bench_with(config);
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    let text = theirs("MESSAGE", &their_via("z9hG4bKa")).replace(LENGTH, "Content-Length: 101\n");
    bench.receive_along(connection, &text);
    assert!(bench.last().start_line().starts_with("SIP/2.0 413 "));
    assert_eq!(bench.closed, [(0, connection)]);
}

#[test]
fn a_header_section_above_the_limit_is_the_end_and_is_not_held() {
    let mut config = Config::new(Seed::from_u64(1));
    config.limits.message.header_section = 1_000;
    let (mut bench, tcp) = bench_with(config);
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.stream(connection, b"OPTIONS sip:a@b SIP/2.0\r\nSubject: ");
    bench.stream(connection, &[b'a'; 1_000]);
    assert_eq!(bench.closed, [(0, connection)]);
    assert_eq!(bench.endpoint.census().connections, 0);
}

#[test]
fn a_message_that_is_bad_within_its_bounds_is_answered_and_the_stream_goes_on() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench
        .receive_along(connection, &theirs("OPTIONS", &their_via("z9hG4bKa")).replace("Call-ID: a84b4c76e66710\n", ""));
    assert!(bench.last().start_line().starts_with("SIP/2.0 400 "));
    bench.stream(connection, b"\x16\x03\x01 what is this\r\nl: 0\r\n\r\n");
    bench.receive_along(connection, &theirs("OPTIONS", &their_via("z9hG4bKb")));
    assert_eq!(bench.whats(), [Told::Request("OPTIONS".into())]);
    assert_eq!(bench.endpoint.stats().malformed, 1);
    assert!(bench.closed.is_empty());
}

/// Each message is settled before the next is looked at, so that it is no matter how the stream is cut.
#[test]
fn a_stream_may_be_cut_anywhere() {
    let via = their_via("z9hG4bKa");
    let invite = theirs("INVITE", &via);
    let text = [
        "\n\n",
        &invite.replace(LENGTH, "l: 4\n").replace("\n\n", "\n\nv=0\n"),
        "\n\n\n",
        &invite.replace(LENGTH, "l: 4\n").replace("\n\n", "\n\nv=0\n"),
        &theirs("CANCEL", &via),
        &theirs("OPTIONS", &their_via("z9hG4bKb")),
        &theirs("OPTIONS", &their_via("z9hG4bKb")).replace(LENGTH, ""),
        &theirs("BYE", &their_via("z9hG4bKc")),
    ]
    .concat();
    let stream = wire(&text);
    let play = |pieces: &[&[u8]]| {
        let (mut bench, tcp) = bench();
        let connection = bench.accepted(tcp, "192.0.2.9:49152");
        for piece in pieces {
            let mut left = Some(Input::Stream { connection, bytes: piece });
            while let Some(input) = left {
                left = bench.endpoint.handle(bench.now, input);
                let arrived = bench.arrivals.len();
                bench.collect();
                if bench.arrivals.len() > arrived {
                    let server = bench.accept();
                    bench.respond(server, 100 + 80 * u16::from(arrived == 0));
                }
            }
        }
        (bench.told, bench.sent, bench.closed, *bench.endpoint.stats())
    };
    let whole = play(&[&stream]);
    // Two pongs; 180 to the INVITE and again for the second one; CANCEL, OPTIONS: 100 each; 400.
    assert_eq!((whole.0.len(), whole.1.len(), whole.2.len()), (4, 7, 1), "{whole:#?}");
    assert_eq!((whole.3.received, whole.3.absorbed), (4, 1));
    assert_eq!(play(&stream.chunks(1).collect::<Vec<_>>()), whole);
    for cut in 0..stream.len() {
        assert_eq!(play(&[&stream[..cut], &stream[cut..]]), whole, "cut at {cut}");
    }
}

#[test]
fn two_line_ends_are_answered_with_one_on_a_stream_and_not_on_datagrams() {
    let (mut bench, tcp) = bench();
    let connection = bench.accepted(tcp, "192.0.2.9:49152");
    bench.stream(connection, b"\r\n\r");
    assert_eq!(bench.sent, []);
    bench.stream(connection, b"\n");
    assert_eq!((bench.last().text.as_str(), bench.last().flow.connection), ("\r\n", Some(connection)));
    bench.receive("\n\n");
    assert_eq!(bench.sent.len(), 1);
}

/// RFC 7118 §5, RFC 4168 §5: the protocol says where a message ends; §6: keep-alives are messages of their own.
#[test]
fn what_keeps_messages_apart_needs_no_content_length() {
    for (listener, via) in [
        (Listener::ws("192.0.2.1:80".parse().unwrap()), "SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKa"),
        (Listener::wss("192.0.2.1:443".parse().unwrap()), "SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bKa"),
        (Listener::sctp("192.0.2.1:5060".parse().unwrap()), "SIP/2.0/SCTP 192.0.2.9;branch=z9hG4bKa"),
    ] {
        let (mut bench, _) = bench();
        let listener = bench.endpoint.listen(listener);
        let connection = bench.accepted(listener, "192.0.2.9:49152");
        let text = theirs("MESSAGE", via).replace(LENGTH, "") + "hello\n";
        bench.handle(Input::Message { connection, bytes: &wire(&text) });
        assert_eq!(bench.arrivals[0].request.body(), b"hello\r\n");
        bench.handle(Input::Message { connection, bytes: b"\r\n\r\n" });
        assert_eq!((bench.last().text.as_str(), bench.last().flow.connection), ("\r\n", Some(connection)));
        // A byte stream is not what this protocol brings.
        bench.receive_along(connection, &theirs("OPTIONS", via));
        assert_eq!(bench.arrivals.len(), 1);
        let server = bench.accept();
        bench.respond(server, 200);
        assert_eq!(bench.last().flow.connection, Some(connection));
    }
}

#[test]
fn our_requests_along_a_web_socket_say_so() {
    let (mut bench, _) = bench();
    let listener =
        Listener::wss("192.0.2.1:443".parse().unwrap()).with_sent_by("df7jal23ls0d.invalid".parse().unwrap());
    bench.endpoint.listen(listener);
    bench.request_to(&ours("REGISTER"), super::over(Protocol::Wss));
    assert_eq!(bench.opened[0].server_name.as_deref(), Some("192.0.2.9"));
    let connection = bench.open();
    assert!(bench.last().header("Via").starts_with("SIP/2.0/WSS df7jal23ls0d.invalid;branch="));
    let ok = answer(bench.last(), 200);
    bench.handle(Input::Message { connection, bytes: &wire(&ok) });
    bench.run_to(0);
    assert_eq!(bench.whats(), [Told::Response(200), Told::Finished]);
    bench.change(connection, Change::Closed);
    bench.assert_over();
}
