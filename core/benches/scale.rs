//! One endpoint with 1,000 to 1,000,000 live transactions: nanoseconds for each operation, octets for each transaction, and
//! what a poll costs when there is nothing to do. `cargo bench -p sansip --bench scale [-- LARGEST]`.

#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a benchmark reads the clock, and stops when it measures nothing"
)]

use std::hint::black_box;
use std::net::SocketAddr;
use std::time::Instant as Clock;

use allocation_counter::measure;
use sansip::message::{Message, Request, Response, StatusCode};
use sansip::{
    Arrival, Config, Duration, Endpoint, Indication, Input, Instant, Listener, ListenerId, NextHop, Output, Seed,
    ServerTransactionId, Tag,
};

/// How many transactions are alive at once.
const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Small sizes are repeated until so many operations of each kind are timed.
const OPERATIONS: usize = 200_000;
/// From one operation to the next on the endpoint's clock: no timer falls due while a round of a million is timed.
const STEP: Duration = Duration::from_nanos(50);

fn main() {
    // `cargo bench` adds a flag of its own.
    let largest = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(usize::MAX);
    let sizes: Vec<usize> = SIZES.into_iter().filter(|size| *size <= largest).collect();
    for (name, order) in [("in the order of their arrival", Order::Arrival), ("in random order", Order::Random)] {
        println!(
            "\nServer transactions {name}: every second an INVITE, refused with 486 and acknowledged; the others a BYE and its 200."
        );
        print_table(&sizes, &Servers::PHASES, |size| servers(&order.of(size)));
        println!(
            "\nClient transactions with their deliveries {name}: OPTIONS, sent again once by timer E, and their 200, which comes twice."
        );
        print_table(&sizes, &Clients::PHASES, |size| clients(&order.of(size)));
    }
    println!("\nA poll with nothing to do: fire, Tick, poll, deadline.");
    for size in [0].into_iter().chain(sizes.last().copied()) {
        println!("{size:>10} live {:>8.1} ns", idle_poll(size));
    }
}

/// One kind of operation in a round over all transactions.
#[derive(Clone, Copy, Debug, Default)]
struct Phase {
    nanos: f64,
    /// The slowest single operation.
    slowest: u128,
    operations: usize,
}

impl Phase {
    fn each(&self) -> f64 {
        self.nanos / self.operations as f64
    }

    fn time(&mut self, operations: usize, run: impl FnOnce(&mut Lap)) {
        let mut lap = Lap { last: Clock::now(), slowest: 0 };
        let (start, cpu) = (lap.last, cpu_nanos());
        run(&mut lap);
        self.nanos += match (cpu, cpu_nanos()) {
            (Some(start), Some(end)) => end - start,
            _ => start.elapsed().as_nanos() as f64,
        };
        self.operations += operations;
        self.slowest = self.slowest.max(lap.slowest);
    }
}

/// What this thread has had of the processor, where Linux tells it: others that use the machine count for less.
fn cpu_nanos() -> Option<f64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

/// Finds the slowest operation of a phase.
struct Lap {
    last: Clock,
    slowest: u128,
}

impl Lap {
    fn done(&mut self) {
        let now = Clock::now();
        self.slowest = self.slowest.max((now - self.last).as_nanos());
        self.last = now;
    }
}

/// What a size has cost.
#[derive(Clone, Debug)]
struct Report {
    phases: Vec<Phase>,
    /// Octets per transaction, and how many of them are those of the message that it keeps: after the request, and after the
    /// final response.
    octets: [(f64, f64); 2],
}

impl Report {
    /// Nanoseconds of all operations, for each transaction.
    fn whole(&self) -> f64 {
        self.phases.iter().map(|phase| phase.nanos).sum::<f64>() / self.phases[0].operations as f64
    }
}

fn print_table(sizes: &[usize], names: &[&str], run: impl Fn(usize) -> Report) {
    print!("{:>10}", "live");
    names.iter().for_each(|name| print!("{name:>18}"));
    println!("{:>18}{:>26}{:>26}", "all of these", "octets after the request", "after the response");
    let mut first: Option<Report> = None;
    for &size in sizes {
        let report = run(size);
        let base = first.get_or_insert_with(|| report.clone());
        print!("{size:>10}");
        for (phase, base) in report.phases.iter().zip(&base.phases) {
            print!("{:>18}", format!("{:.0} ns {:.2}x", phase.each(), phase.each() / base.each()));
        }
        let whole = report.whole();
        print!("{:>18}", format!("{whole:.0} ns {:.2}x", whole / base.whole()));
        for (all, kept) in report.octets {
            print!("{:>26}", format!("{:.0} + {kept:.0} of messages", all - kept));
        }
        println!();
        if size == 1_000_000 {
            print!("{:>10}", "slowest");
            report.phases.iter().for_each(|phase| print!("{:>18}", format!("{:.2} ms", phase.slowest as f64 / 1e6)));
            println!();
        }
    }
}

/// In which order the transactions are dealt with after they have begun.
#[derive(Clone, Copy)]
enum Order {
    /// As it mostly is.
    Arrival,
    /// As it never is: no cache can guess what comes next.
    Random,
}

impl Order {
    fn of(self, size: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..size as u32).collect();
        if let Self::Random = self {
            let mut state = 0x9E37_79B9_7F4A_7C15_u64;
            for place in (1..size).rev() {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                order.swap(place, (state % (place as u64 + 1)) as usize);
            }
        }
        order
    }
}

/// An endpoint, its clock, and one address.
struct Bench {
    endpoint: Endpoint,
    listener: ListenerId,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let mut config = Config::new(Seed::from_u64(1));
        config.limits.transaction.server_transactions = 2_000_000;
        config.limits.deliveries = 2_000_000;
        let mut endpoint = Endpoint::new(config);
        let listener = endpoint.listen(Listener::udp(SocketAddr::from(([192, 0, 2, 1], 5060))));
        Self { endpoint, listener, now: Instant::ZERO }
    }

    fn receive(&mut self, number: u32, bytes: &[u8]) {
        self.now += STEP;
        while self.endpoint.fire(self.now) {}
        let _ =
            self.endpoint.handle(self.now, Input::Datagram { listener: self.listener, remote: remote(number), bytes });
    }

    /// Takes the one output.
    fn sent(&mut self) -> Option<sansip::message::SharedBytes> {
        match self.endpoint.poll()? {
            Output::Send(transmit) => Some(transmit.bytes),
            _ => None,
        }
    }

    /// Fires all timers up to `until` and takes what comes of it; how many messages were sent.
    fn run(&mut self, until: Duration, lap: &mut Lap) -> usize {
        let end = Instant::ZERO + until;
        let mut sent = 0;
        while let Some(deadline) = self.endpoint.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.endpoint.fire(self.now);
            while self.endpoint.indication().is_some() {}
            while self.sent().is_some() {
                sent += 1;
            }
            lap.done();
        }
        self.now = end;
        sent
    }
}

/// Many peers, each with its address.
fn remote(number: u32) -> SocketAddr {
    SocketAddr::from(([10, 0, (number >> 8) as u8, number as u8], 5060))
}

/// A message with a number in eight digits, written over in place.
struct Template {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Template {
    const MARK: &[u8] = b"########";

    fn new(text: &str) -> Self {
        let bytes = text.replace('\n', "\r\n").into_bytes();
        let places =
            bytes.windows(8).enumerate().filter(|(_, window)| *window == Self::MARK).map(|(at, _)| at).collect();
        Self { bytes, places }
    }

    fn number(&mut self, number: u32) -> &[u8] {
        let mut digits = [b'0'; 8];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        for &place in &self.places {
            self.bytes[place..place + 8].copy_from_slice(&digits);
        }
        &self.bytes
    }
}

fn server_text(method: &str) -> String {
    format!(
        "{method} sip:bob@biloxi.com SIP/2.0\n\
         Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK{mark}nashds8;rport\n\
         Max-Forwards: 70\n\
         To: Bob <sip:bob@biloxi.com>\n\
         From: Alice <sip:alice@atlanta.com>;tag=1928301774\n\
         Call-ID: a84b4c76e66710-{mark}\n\
         CSeq: 314159 {method}\n\
         Contact: <sip:alice@pc33.atlanta.com>\n\
         Content-Length: 0\n\n",
        mark = "########"
    )
}

/// Server transactions.
struct Servers {
    bench: Bench,
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
    const PHASES: [&str; 5] = ["new request", "response sent", "request again", "ACK", "timer fired"];

    fn new(size: usize) -> Self {
        let [invite, bye, ack] = ["INVITE", "BYE", "ACK"].map(|method| Template::new(&server_text(method)));
        let ids = Vec::with_capacity(size);
        Self { bench: Bench::new(), invite, bye, ack, ids, arrivals: Vec::with_capacity(2) }
    }

    fn request(&mut self, number: u32) {
        let template = if is_invite(number) { &mut self.invite } else { &mut self.bye };
        self.bench.receive(number, template.number(number));
    }

    fn begin(&mut self, number: u32) {
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
    match Response::to(request, status).to_tag("a6c85cf").finish() {
        Ok(response) => response,
        Err(error) => panic!("a response: {error:?}"),
    }
}

fn servers(order: &[u32]) -> Report {
    let size = order.len();
    let mut phases = vec![Phase::default(); Servers::PHASES.len()];
    let mut octets = [(0.0, 0.0); 2];
    for _ in 0..(OPERATIONS / size).max(1) {
        let mut servers = Servers::new(size);
        let mut kept = 0;
        let begun = measure(|| {
            phases[0].time(size, |lap| {
                for number in 0..size as u32 {
                    servers.begin(number);
                    lap.done();
                }
            });
        });
        let requests: usize = servers.arrivals.iter().map(|arrival| arrival.request.as_bytes().len()).sum();
        let responded = measure(|| {
            phases[1].time(size, |lap| {
                for &number in order {
                    kept += servers.respond(number);
                    lap.done();
                }
            });
        });
        let of_each = |bytes: i64| bytes as f64 / size as f64;
        octets = [
            (of_each(begun.bytes_current), requests as f64 / 2.0),
            (of_each(begun.bytes_current + responded.bytes_current), kept as f64 / size as f64),
        ];
        phases[2].time(size, |lap| {
            for &number in order {
                servers.request(number);
                assert!(servers.bench.sent().is_some());
                lap.done();
            }
        });
        phases[3].time(size / 2, |lap| {
            for &number in order.iter().filter(|number| is_invite(**number)) {
                servers.bench.receive(number, servers.ack.number(number));
                lap.done();
            }
        });
        assert_eq!(servers.bench.endpoint.stats().absorbed, size as u64 + size as u64 / 2);
        assert_eq!(servers.bench.endpoint.census().server_transactions, size);
        phases[4].time(size, |lap| {
            servers.bench.run(Duration::from_secs(40), lap);
        });
        assert!(servers.bench.endpoint.is_idle());
    }
    Report { phases, octets }
}

/// Client transactions.
struct Clients {
    bench: Bench,
    request: Template,
    response: Template,
    /// Where the branch stands in the response, and the branches that were drawn.
    place: usize,
    branches: Vec<[u8; BRANCH]>,
}

/// Octets of a branch after the magic cookie.
const BRANCH: usize = 16;

impl Clients {
    const PHASES: [&str; 5] = ["new request", "sent again", "response", "response again", "timer fired"];

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

fn clients(order: &[u32]) -> Report {
    let size = order.len();
    let mut phases = vec![Phase::default(); Clients::PHASES.len()];
    let mut octets = [(0.0, 0.0); 2];
    for _ in 0..(OPERATIONS / size).max(1) {
        let mut clients = Clients::new(size);
        let mut kept = 0;
        let begun = measure(|| {
            phases[0].time(size, |lap| {
                for number in 0..size as u32 {
                    kept += clients.begin(number);
                    lap.done();
                }
            });
        });
        phases[1].time(size, |lap| {
            assert_eq!(clients.bench.run(Duration::from_millis(600), lap), size);
        });
        let answered = measure(|| {
            phases[2].time(size, |lap| {
                for &number in order {
                    clients.answer(number);
                    assert!(matches!(clients.bench.endpoint.indication(), Some(Indication::Response { .. })));
                    lap.done();
                }
            });
        });
        let of_each = |bytes: i64| bytes as f64 / size as f64;
        octets = [
            (of_each(begun.bytes_current), kept as f64 / size as f64),
            (of_each(begun.bytes_current + answered.bytes_current), 0.0),
        ];
        phases[3].time(size, |lap| {
            for &number in order {
                clients.answer(number);
                lap.done();
            }
        });
        assert_eq!(clients.bench.endpoint.stats().absorbed, size as u64);
        assert_eq!(clients.bench.endpoint.census().client_transactions, size);
        phases[4].time(size, |lap| {
            clients.bench.run(Duration::from_secs(40), lap);
        });
        assert!(clients.bench.endpoint.is_idle());
    }
    Report { phases, octets }
}

/// Nanoseconds of a poll that finds nothing, with so many transactions alive.
fn idle_poll(live: usize) -> f64 {
    const POLLS: u32 = 2_000_000;
    let mut servers = Servers::new(live);
    (0..live as u32).for_each(|number| servers.begin(number));
    let start = Clock::now();
    for _ in 0..POLLS {
        let bench = &mut servers.bench;
        assert!(!bench.endpoint.fire(black_box(bench.now)));
        let _ = bench.endpoint.handle(black_box(bench.now), Input::Tick);
        black_box(bench.endpoint.poll());
        black_box(bench.endpoint.deadline());
    }
    start.elapsed().as_nanos() as f64 / f64::from(POLLS)
}
