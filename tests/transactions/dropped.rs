//! Messages that are dropped without an answer, told on request: each cause, and how much of each.

use sansip::message::header::Protocol;
use sansip::message::{FrameErrorKind, ParseErrorKind};
use sansip::{Config, DropCause, Flow, Input, Listener, ListenerId, Node, Output, Seed, server};

use crate::bench::{Bench, THERE, Told, address, answer, ours, their_via, theirs, wire};

fn config() -> Config {
    let mut config = Config::new(Seed::from_u64(1));
    (config.rport, config.drops) = (false, true);
    config
}

fn bench() -> Bench {
    Bench::with(config())
}

/// The causes told so far, each with the octets as text.
fn causes(bench: &Bench) -> Vec<(DropCause, String)> {
    let causes = bench.told.iter().filter_map(|(_, told)| match told {
        Told::Dropped(why) => Some(*why),
        _ => None,
    });
    let texts = bench.dropped.iter().map(|(_, bytes)| String::from_utf8(bytes.clone()).expect("text"));
    causes.zip(texts).collect()
}

/// The one thing that was dropped was dropped for this cause, came from the peer, and is told as it came.
#[track_caller]
fn assert_dropped(bench: &Bench, is_cause: impl Fn(DropCause) -> bool, text: &str) {
    let [(why, told)] = &causes(bench)[..] else { panic!("{:?}", bench.told) };
    assert!(is_cause(*why), "{why:?}");
    assert_eq!(told.as_bytes(), wire(text));
    assert_eq!(bench.dropped[0].0.remote, address(THERE));
    assert!(bench.sent.iter().all(|sent| !sent.start_line().starts_with("SIP/2.0 ")), "{:?}", bench.sent);
}

#[test]
fn what_is_no_sip() {
    let mut bench = bench();
    bench.receive("GET / HTTP/1.1\nHost: a\n\n");
    let is_cause = |why| matches!(why, DropCause::Malformed(error) if error.kind() == ParseErrorKind::StartLine);
    assert_dropped(&bench, is_cause, "GET / HTTP/1.1\nHost: a\n\n");
    assert_eq!(
        (bench.endpoint.stats().malformed, bench.dropped[0].0),
        (1, Flow::datagram(bench.listener, address(THERE)))
    );
}

#[test]
fn a_response_with_half_a_line_end() {
    let mut bench = bench();
    bench.request(&ours("OPTIONS"));
    let text = answer(bench.last(), 200).replace("CSeq", "X: a\rb\nCSeq");
    bench.receive(&text);
    let is_cause = |why| matches!(why, DropCause::Malformed(error) if error.kind() == ParseErrorKind::LineEnd);
    assert_dropped(&bench, is_cause, &text);
}

#[test]
fn a_response_or_an_ack_that_lacks_what_is_needed() {
    let mut bench = bench();
    bench.request(&ours("OPTIONS"));
    let text = answer(bench.last(), 200).replace("CSeq", "X-CSeq");
    bench.receive(&text);
    let is_cause = |reason: &'static str| move |why| matches!(why, DropCause::Incomplete(rejection) if rejection.reason.as_str() == reason);
    assert_dropped(&bench, is_cause("Missing sequence number"), &text);
    let mut bench = self::bench();
    let text = theirs("ACK", &their_via("z9hG4bKa")).replace("Call-ID", "X-Call-ID");
    bench.receive(&text);
    assert_dropped(&bench, is_cause("Missing call identifier"), &text);
    assert_eq!(bench.endpoint.stats().unusable, 1);
}

#[test]
fn a_request_that_says_nowhere_where_an_answer_could_go() {
    for text in [
        theirs("OPTIONS", "SIP/2.0/UDP 192.0.2.9:0;branch=z9hG4bKa"),
        theirs("OPTIONS", "nonsense"),
        theirs("OPTIONS", "x").replace("Via: x\n", ""),
        // It cannot be read either.
        theirs("OPTIONS", "x").replace("Via: x\n", "two words: x\n"),
    ] {
        let mut bench = bench();
        bench.receive(&text);
        assert_dropped(&bench, |why| why == DropCause::Unanswerable, &text);
        assert_eq!(bench.endpoint.stats().unusable, 1);
    }
}

#[test]
fn a_request_with_more_to_copy_than_an_answer_can_hold() {
    let mut config = config();
    config.limits.message.header_section = 65_535;
    config.limits.drop_octets = usize::MAX;
    let mut bench = Bench::with(config);
    // The answer has a tag more, and a longer first line.
    let text = theirs("OPTIONS", &their_via("z9hG4bKa")).replace("314159 OPTIONS", "314159 BYE");
    let text = text.replace("Max-Forwards: 70\n", "");
    let padded =
        |length| text.replace("z9hG4bKa", &format!("z9hG4bKa, SIP/2.0/UDP a.example.com;x={}", "x".repeat(length)));
    let text = padded(65_536 - wire(&padded(1)).len());
    bench.receive(&text);
    assert_dropped(&bench, |why| why == DropCause::Unanswerable, &text);
}

#[test]
fn a_response_that_is_not_for_us_or_comes_too_late() {
    let mut bench = bench();
    bench.request(&ours("OPTIONS"));
    let foreign = answer(bench.last(), 200).replace("192.0.2.1", "192.0.2.2");
    bench.receive(&foreign);
    assert_dropped(&bench, |why| why == DropCause::Foreign, &foreign);
    let mut bench = self::bench();
    bench.request(&ours("OPTIONS"));
    let late = answer(bench.last(), 200);
    bench.run_to(100_000);
    bench.receive(&late);
    assert_dropped(&bench, |why| why == DropCause::Stray, &late);
    assert_eq!(bench.endpoint.stats().stray, 1);
}

#[test]
fn anything_while_too_many_outputs_are_queued() {
    let mut config = config();
    config.limits.transport.outputs = 0;
    let mut bench = Bench::with(config);
    let text = theirs("OPTIONS", &their_via("z9hG4bKa"));
    bench.receive(&text);
    assert_dropped(&bench, |why| why == DropCause::Overrun, &text);
}

#[test]
fn anything_at_a_listener_that_is_not_known() {
    let mut bench = bench();
    let (listener, remote) = (ListenerId::from_parts(7, 7), address(THERE));
    let text = theirs("OPTIONS", &their_via("z9hG4bKa"));
    bench.handle(Input::Datagram { listener, remote, bytes: &wire(&text) });
    assert_dropped(&bench, |why| why == DropCause::Unlistened, &text);
    assert_eq!(bench.dropped[0].0.listener, listener);
}

#[test]
fn what_ends_a_stream_and_cannot_be_answered() {
    let mut bench = bench();
    let tcp = bench.endpoint.listen(Listener::tcp(address(crate::bench::HERE)));
    let connection = bench.accepted(tcp, THERE);
    // An ACK is never answered.
    let text = theirs("ACK", &their_via("z9hG4bKa").replace("UDP", Protocol::Tcp.as_str()));
    let text = text.replace("Content-Length: 0\n", "");
    bench.receive_along(connection, &text);
    let is_cause =
        |why| matches!(why, DropCause::BrokenStream(error) if error.kind() == FrameErrorKind::NoContentLength);
    assert_dropped(&bench, is_cause, &text);
    assert_eq!((bench.dropped[0].0.connection, bench.closed.len()), (Some(connection), 1));
    assert_eq!(bench.endpoint.stats().broken_streams, 1);
}

#[test]
fn what_is_answered_or_absorbed_is_not_dropped_and_by_default_nothing_is_told() {
    let mut bench = bench();
    bench.receive(&theirs("OPTIONS", &their_via("z9hG4bKa")).replace("Call-ID", "X"));
    bench.receive(&theirs("OPTIONS", &their_via("z9hG4bKb")));
    bench.accept();
    bench.receive(&theirs("OPTIONS", &their_via("z9hG4bKb")));
    assert_eq!((bench.whats(), bench.sent.len()), (vec![Told::Request("OPTIONS".into())], 1));
    let mut silent = Bench::new();
    silent.receive("hello");
    assert_eq!((silent.told.len(), silent.endpoint.stats().malformed), (0, 1));
}

#[test]
fn so_many_octets_are_told_of_so_many_that_wait() {
    let mut config = config();
    (config.limits.drops, config.limits.drop_octets) = (2, 5);
    let mut bench = Bench::with(config);
    let drop = |bench: &mut Bench, number: u8| {
        let bytes = [b"hello ", &[b'0' + number][..]].concat();
        let input = Input::Datagram { listener: bench.listener, remote: address(THERE), bytes: &bytes };
        assert!(bench.endpoint.handle(bench.now, input).is_none());
    };
    (0..5).for_each(|number| drop(&mut bench, number));
    bench.collect();
    assert_eq!(causes(&bench).iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["hello", "hello"]);
    assert_eq!(bench.endpoint.stats().malformed, 5);
    // An indication that is taken makes room.
    drop(&mut bench, 5);
    bench.collect();
    assert_eq!(causes(&bench).len(), 3);
}

#[test]
fn a_server_tells_its_owner() {
    let mut node = server::Server::server(config(), server::Settings::default());
    let listener = node.listen(Listener::udp(address(crate::bench::HERE)));
    node.handle(sansip::Instant::ZERO, Input::Datagram { listener, remote: address(THERE), bytes: b"hello" });
    let Some(Output::Event(server::Event::Dropped { why: DropCause::Malformed(_), flow, bytes })) = node.poll() else {
        panic!("nothing was told");
    };
    assert_eq!((flow, &bytes[..]), (Flow::datagram(listener, address(THERE)), &b"hello"[..]));
}
