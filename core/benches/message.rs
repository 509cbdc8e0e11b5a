//! What reading, typing, forwarding and writing one usual INVITE costs: `cargo bench --bench message`.
//!
//! Each line is the best of many rounds, so that a busy machine shows as little as may be. Without `--bench` (as `cargo test
//! --all-targets` runs it) everything runs once.

use sansip::message::header::Contact;
use sansip::message::{HeaderId, Limits, Message, MessageView, Method, Request, Response, StatusCode};
use std::hint::black_box;
use std::time::Duration;

/// As a second proxy receives it (after RFC 3665 §3.2).
const INVITE: &[u8] = b"INVITE sip:bob@biloxi.example.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1\r\n\
    Via: SIP/2.0/TCP client.atlanta.example.com:5060;branch=z9hG4bK74b76\r\n ;received=192.0.2.101\r\n\
    Max-Forwards: 69\r\n\
    Record-Route: <sip:ss1.atlanta.example.com;lr>\r\n\
    From: Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n\
    To: Bob <sip:bob@biloxi.example.com>\r\n\
    Call-ID: 2xTb9vxSit55XU7p8@atlanta.example.com\r\n\
    CSeq: 2 INVITE\r\n\
    Contact: <sip:alice@client.atlanta.example.com;transport=tcp>\r\n\
    Route: <sip:ss2.biloxi.example.com;lr>, <sip:ss3.biloxi.example.com;lr>\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 151\r\n\
    \r\n\
    v=0\r\n\
    o=alice 2890844526 2890844526 IN IP4 client.atlanta.example.com\r\n\
    s=-\r\n\
    c=IN IP4 192.0.2.101\r\n\
    t=0 0\r\n\
    m=audio 49172 RTP/AVP 0\r\n\
    a=rtpmap:0 PCMU/8000\r\n";

struct Bench {
    rounds: u32,
    calls: u32,
}

impl Bench {
    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    fn measure<R>(&self, name: &str, mut call: impl FnMut() -> R) {
        let mut best = Duration::MAX;
        for _ in 0..self.rounds {
            let start = std::time::Instant::now();
            for _ in 0..self.calls {
                black_box(call());
            }
            best = best.min(start.elapsed());
        }
        println!("{name:<28} {:>6} ns", best.as_nanos() / u128::from(self.calls));
    }
}

fn main() {
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let bench = if is_bench { Bench { rounds: 500, calls: 1000 } } else { Bench { rounds: 1, calls: 1 } };
    let limits = Limits::default();
    let Ok(Message::Request(invite)) = Message::parse(INVITE, &limits) else { panic!("the sample is a request") };
    println!("one INVITE of {} octets", INVITE.len());
    bench.measure("parse, borrowed", || MessageView::parse(black_box(INVITE), &limits).is_ok());
    bench.measure("parse, owned", || Message::parse(black_box(INVITE), &limits));
    bench.measure("clone", || black_box(&invite).clone());
    bench.measure("validate", || black_box(&invite).validate());
    typed(&bench, &invite);
    written(&bench, &invite);
}

fn typed(bench: &Bench, invite: &Request) {
    bench.measure("topmost Via", || black_box(invite).top_via());
    bench.measure("From", || black_box(invite).from());
    bench.measure("Contact", || black_box(invite).headers().get::<Contact<'_>>());
    bench.measure("Call-ID", || black_box(invite).call_id());
    bench.measure("CSeq", || black_box(invite).cseq());
    bench.measure("Request-URI", || black_box(invite).uri());
    let Ok(uri) = invite.uri() else { panic!("the sample has a URI") };
    bench.measure("URIs equivalent", || black_box(uri).equivalent(black_box(uri)));
    bench.measure("address-of-record", || black_box(uri).address_of_record());
}

fn written(bench: &Bench, invite: &Request) {
    bench.measure("forward", || {
        black_box(invite)
            .edit()
            .uri("sip:bob@client.biloxi.example.com")
            .stamp_via(Some([192, 0, 2, 111].into()), None)
            .push_first(HeaderId::Via, "SIP/2.0/UDP ss2.biloxi.example.com:5060;branch=z9hG4bK721e4.1")
            .replace(HeaderId::MaxForwards, "68")
            .pop_first(HeaderId::Route)
            .push_first(HeaderId::RecordRoute, "<sip:ss2.biloxi.example.com;lr>")
            .finish()
    });
    bench.measure("respond", || {
        Response::to(black_box(invite), StatusCode::RINGING)
            .copy(invite, HeaderId::RecordRoute)
            .to_tag("314159")
            .header(HeaderId::Contact, "<sip:bob@client.biloxi.example.com>")
            .finish()
    });
    let Ok(uri) = invite.uri() else { panic!("the sample has a URI") };
    bench.measure("build", || {
        Request::builder(Method::Bye, black_box(uri))
            .header(HeaderId::Via, "SIP/2.0/UDP client.biloxi.example.com:5060;branch=z9hG4bKnashds7")
            .header(HeaderId::MaxForwards, "70")
            .header(HeaderId::From, "Bob <sip:bob@biloxi.example.com>;tag=314159")
            .header(HeaderId::To, "Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl")
            .header(HeaderId::CallId, "2xTb9vxSit55XU7p8@atlanta.example.com")
            .header(HeaderId::CSeq, "1 BYE")
            .finish()
    });
}
