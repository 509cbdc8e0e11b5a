//! Server transactions: every second an INVITE, refused with 486 and acknowledged; the others a BYE and its 200.

use sansip::message::{Request, Response, StatusCode};
use sansip::{Arrival, Duration, Indication, ServerTransactionId, Tag};

use super::{Bench, STEP, Template, Watch, repeats};

/// The tag of all responses.
const TAG: &str = "a6c85cf";

/// All transactions are of one Call-ID, as the response of each repeats one request (an ACK must have the Call-ID of the rejection).
fn server_text(method: &str) -> String {
    let tag = if method == "ACK" { format!(";tag={TAG}") } else { String::new() };
    format!(
        "{method} sip:bob@biloxi.com SIP/2.0\n\
         Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK{mark}nashds8;rport\n\
         Max-Forwards: 70\n\
         To: Bob <sip:bob@biloxi.com>{tag}\n\
         From: Alice <sip:alice@atlanta.com>;tag=1928301774\n\
         Call-ID: a84b4c76e66710\n\
         CSeq: 314159 {method}\n\
         Contact: <sip:alice@pc33.atlanta.com>\n\
         Content-Length: 0\n\n",
        mark = "########"
    )
}

/// Server transactions.
pub(crate) struct Servers {
    pub(crate) bench: Bench,
    invite: Template,
    bye: Template,
    ack: Template,
    ids: Vec<ServerTransactionId>,
    /// The request of one transaction of each kind, as it arrived.
    arrivals: Vec<Arrival>,
}

fn is_invite(number: u32) -> bool {
    number.is_multiple_of(2)
}

impl Servers {
    pub(crate) fn new(size: usize) -> Self {
        let [invite, bye, ack] = ["INVITE", "BYE", "ACK"].map(|method| Template::new(&server_text(method)));
        let ids = Vec::with_capacity(size);
        Self { bench: Bench::new(), invite, bye, ack, ids, arrivals: Vec::with_capacity(2) }
    }

    fn request(&mut self, number: u32) {
        let template = if is_invite(number) { &mut self.invite } else { &mut self.bye };
        self.bench.receive(number, template.number(number));
    }

    pub(crate) fn begin(&mut self, number: u32) {
        self.request(number);
        let Some(Indication::Request(arrival)) = self.bench.endpoint.indication() else { panic!("a new request") };
        if self.arrivals.len() < 2 {
            self.arrivals.push(arrival.clone());
        }
        self.ids.push(self.bench.endpoint.accept(self.bench.now, arrival, Tag::NONE));
    }

    /// The length of the response.
    fn respond(&mut self, number: u32) -> usize {
        self.bench.now += STEP;
        let arrival = &self.arrivals[(number % 2) as usize];
        let status = if is_invite(number) { StatusCode::BUSY_HERE } else { StatusCode::OK };
        let response = response(&arrival.request, status);
        let responded = self.bench.endpoint.respond(self.bench.now, self.ids[number as usize], response);
        assert_eq!(responded, Ok(()));
        self.bench.sent().map_or(0, |bytes| bytes.len())
    }
}

fn response(request: &Request, status: StatusCode) -> Response {
    match Response::to(request, status).to_tag(TAG).finish() {
        Ok(response) => response,
        Err(error) => panic!("a response: {error:?}"),
    }
}

/// The kinds of operations of a round.
pub(crate) const PHASES: [&str; 5] = ["new request", "response sent", "request again", "ACK", "timer fired"];

/// So many rounds, each over all transactions, in this order after they have begun.
pub(crate) fn rounds(order: &[u32], watch: &mut impl Watch) {
    let size = order.len();
    for _ in 0..repeats(size) {
        let mut servers = Servers::new(size);
        let mut kept = 0;
        watch.phase(0, size, |lap| {
            for number in 0..size as u32 {
                servers.begin(number);
                lap.done();
            }
        });
        let requests: usize = servers.arrivals.iter().map(|arrival| arrival.request.as_bytes().len()).sum();
        watch.keeps(0, requests as f64 / 2.0);
        watch.phase(1, size, |lap| {
            for &number in order {
                kept += servers.respond(number);
                lap.done();
            }
        });
        watch.keeps(1, kept as f64 / size as f64);
        watch.phase(2, size, |lap| {
            for &number in order {
                servers.request(number);
                assert!(servers.bench.sent().is_some());
                lap.done();
            }
        });
        watch.phase(3, size / 2, |lap| {
            for &number in order.iter().filter(|number| is_invite(**number)) {
                servers.bench.receive(number, servers.ack.number(number));
                lap.done();
            }
        });
        assert_eq!(servers.bench.endpoint.stats().absorbed, size as u64 + size as u64 / 2);
        assert_eq!(servers.bench.endpoint.census().server_transactions, size);
        watch.phase(4, size, |lap| {
            servers.bench.run(Duration::from_secs(40), lap);
        });
        assert!(servers.bench.endpoint.is_idle());
    }
}
