//! The price that every hop pays for a message: parse, read what routing needs, forward, answer. Beside it, as the floor in the same
//! run, a copy of the bytes and `httparse` over the same header block.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sansip::message::header::{CSeq, CallId, Contact, From, To, Via};
use sansip::message::{HeaderId, Limits, Message, MessageView, Request, Response, StatusCode};

/// RFC 3261 §24.2, F1, with a body of 142 octets.
fn invite() -> Vec<u8> {
    let mut message = b"INVITE sip:bob@biloxi.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8\r\n\
        Max-Forwards: 70\r\n\
        To: Bob <sip:bob@biloxi.com>\r\n\
        From: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
        Call-ID: a84b4c76e66710\r\n\
        CSeq: 314159 INVITE\r\n\
        Contact: <sip:alice@pc33.atlanta.com>\r\n\
        Content-Type: application/sdp\r\n\
        Content-Length: 142\r\n\r\n"
        .to_vec();
    message.resize(message.len() + 142, b'v');
    message
}

/// This header block again where `httparse` can read it: it wants a request line of its own dialect, so only the headers.
fn header_block(message: &[u8]) -> &[u8] {
    let start = message.windows(2).position(|pair| pair == b"\r\n").map_or(0, |end| end + 2);
    &message[start..]
}

fn request(bytes: &[u8]) -> Request {
    match Message::parse(bytes, &Limits::default()) {
        Ok(Message::Request(request)) => request,
        other => panic!("F1 is a request: {other:?}"),
    }
}

#[expect(clippy::expect_used, reason = "the sample is valid")]
fn message(c: &mut Criterion) {
    let bytes = invite();
    let limits = Limits::default();
    let owned = request(&bytes);
    let mut group = c.benchmark_group("F1");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("floor: copy", |b| b.iter(|| black_box(&bytes).clone()));
    group.bench_function("floor: httparse", |b| {
        b.iter(|| {
            let mut headers = [httparse::EMPTY_HEADER; 32];
            let _ = black_box(httparse::parse_headers(black_box(header_block(&bytes)), &mut headers));
        });
    });
    group.bench_function("parse, borrowed", |b| b.iter(|| MessageView::parse(black_box(&bytes), &limits)));
    group.bench_function("parse, owned", |b| b.iter(|| Message::parse(black_box(&bytes), &limits)));
    group.bench_function("parse and read six", |b| {
        b.iter(|| {
            let view = MessageView::parse(black_box(&bytes), &limits).expect("F1 is valid");
            let headers = view.headers();
            black_box((
                headers.get::<Via<'_>>().map(|via| via.map(|via| via.branch().map(str::len))),
                headers.get::<From<'_>>().map(|from| from.map(|from| from.tag().map(str::len))),
                headers.get::<To<'_>>().map(|to| to.map(|to| to.tag().map(str::len))),
                headers.get::<CallId<'_>>().map(|id| id.map(|id| id.0.len())),
                headers.get::<CSeq<'_>>().map(|cseq| cseq.map(|cseq| cseq.number)),
                headers.get::<Contact<'_>>().map(|contact| contact.is_ok()),
            ));
        });
    });
    group.bench_function("forward", |b| {
        b.iter(|| {
            black_box(&owned)
                .edit()
                .push_first(HeaderId::Via, b"SIP/2.0/UDP bigbox3.site3.atlanta.com;branch=z9hG4bK77ef4c2312983.1")
                .replace(HeaderId::MaxForwards, b"69")
                .finish()
        });
    });
    group.bench_function("forward as the hop does it", |b| {
        b.iter(|| {
            black_box(&owned)
                .edit()
                .push_first(HeaderId::Via, b"SIP/2.0/UDP bigbox3.site3.atlanta.com;branch=z9hG4bK77ef4c2312983.1")
                .replace(HeaderId::MaxForwards, b"69")
                .octets()
        });
    });
    group.bench_function("answer 200", |b| {
        b.iter(|| Response::to(black_box(&owned), StatusCode::OK).to_tag("a6c85cf").finish());
    });
    group.finish();
}

criterion_group!(benches, message);
criterion_main!(benches);
