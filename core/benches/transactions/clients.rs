//! Client transactions with their deliveries: OPTIONS, sent again once by timer E, and their 200, which comes twice.

use sansip::message::Message;
use sansip::{Duration, Indication, NextHop, Tag};

use super::{Bench, STEP, Template, Watch, remote, repeats};

/// Octets of a branch after the magic cookie.
const BRANCH: usize = 16;

/// Client transactions.
struct Clients {
    bench: Bench,
    request: Template,
    response: Template,
    /// Where the branch stands in the response, and the branches that were drawn.
    place: usize,
    branches: Vec<[u8; BRANCH]>,
}

impl Clients {
    fn new(size: usize) -> Self {
        let mark = "########";
        let tail = format!(
            "From: Alice <sip:alice@atlanta.com>;tag=1928301774\nCall-ID: a84b4c76e66710-{mark}\nCSeq: 314159 OPTIONS\nContent-Length: 0\n\n"
        );
        let request =
            format!("OPTIONS sip:bob@biloxi.com SIP/2.0\nMax-Forwards: 70\nTo: Bob <sip:bob@biloxi.com>\n{tail}");
        let via = format!("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{}", "@".repeat(BRANCH));
        let response = format!("SIP/2.0 200 OK\nVia: {via}\nTo: Bob <sip:bob@biloxi.com>;tag=a6c85cf\n{tail}");
        let response = Template::new(&response);
        let place = response.bytes.iter().position(|octet| *octet == b'@').unwrap_or(0);
        let branches = Vec::with_capacity(size);
        Self { bench: Bench::new(), request: Template::new(&request), response, place, branches }
    }

    /// The length of the request with its Via.
    fn begin(&mut self, number: u32) -> usize {
        self.bench.now += STEP;
        let request = match Message::parse(self.request.number(number), &sansip::message::Limits::default()) {
            Ok(Message::Request(request)) => request,
            other => panic!("a request: {other:?}"),
        };
        let next_hop = NextHop::from(remote(number));
        let delivery = self.bench.endpoint.request(self.bench.now, request, next_hop, Tag::NONE, "");
        assert!(delivery.is_ok());
        let Some(bytes) = self.bench.sent() else { panic!("a request is sent") };
        let at = bytes.windows(7).position(|window| window == b"z9hG4bK").unwrap_or(0) + 7;
        let mut branch = [0; BRANCH];
        branch.copy_from_slice(&bytes[at..at + BRANCH]);
        self.branches.push(branch);
        bytes.len()
    }

    fn answer(&mut self, number: u32) {
        self.response.number(number);
        let branch = &self.branches[number as usize];
        self.response.bytes[self.place..self.place + BRANCH].copy_from_slice(branch);
        self.bench.receive(number, &self.response.bytes);
    }
}

/// The kinds of operations of a round.
pub(crate) const PHASES: [&str; 5] = ["new request", "sent again", "response", "response again", "timer fired"];

/// So many rounds, each over all transactions, in this order after they have begun.
pub(crate) fn rounds(order: &[u32], watch: &mut impl Watch) {
    let size = order.len();
    for _ in 0..repeats(size) {
        let mut clients = Clients::new(size);
        let mut kept = 0;
        watch.phase(0, size, |lap| {
            for number in 0..size as u32 {
                kept += clients.begin(number);
                lap.done();
            }
        });
        watch.keeps(0, kept as f64 / size as f64);
        watch.phase(1, size, |lap| {
            assert_eq!(clients.bench.run(Duration::from_millis(600), lap), size);
        });
        watch.phase(2, size, |lap| {
            for &number in order {
                clients.answer(number);
                assert!(matches!(clients.bench.endpoint.indication(), Some(Indication::Response { .. })));
                lap.done();
            }
        });
        watch.keeps(2, 0.0);
        watch.phase(3, size, |lap| {
            for &number in order {
                clients.answer(number);
                lap.done();
            }
        });
        assert_eq!(clients.bench.endpoint.stats().absorbed, size as u64);
        assert_eq!(clients.bench.endpoint.census().client_transactions, size);
        watch.phase(4, size, |lap| {
            clients.bench.run(Duration::from_secs(40), lap);
        });
        assert!(clients.bench.endpoint.is_idle());
    }
}
