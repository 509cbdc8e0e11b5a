//! An endpoint on a bench: datagrams in, a log of what came out and when.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use sansip::ServerTransactionId;
use sansip::message::header::Protocol;
use sansip::message::{Message, Request, Response, StatusCode};
use sansip::timer::TimerId;
use sansip::{
    Answer, Arrival, Change, Config, ConnectionId, DeliveryId, DropCause, Endpoint, Failure, Flow, Indication, Input,
    Instant, Limit, Listener, ListenerId, NextHop, Output, QueryId, Question, Seed, Tag, Transmit,
};

/// Our own address: the sent-by of our Vias.
pub(crate) const HERE: &str = "192.0.2.1:5060";
/// The peer.
pub(crate) const THERE: &str = "192.0.2.9:5060";

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) at: u64,
    pub(crate) to: String,
    pub(crate) flow: Flow,
    pub(crate) ttl: Option<u8>,
    pub(crate) text: String,
}

impl Sent {
    pub(crate) fn of(at: u64, transmit: &Transmit) -> Self {
        Self {
            at,
            to: transmit.flow.remote.to_string(),
            flow: transmit.flow,
            ttl: transmit.ttl,
            text: String::from_utf8(transmit.bytes.to_vec()).expect("our messages are text"),
        }
    }

    /// The request line or status line.
    pub(crate) fn start_line(&self) -> &str {
        self.text.lines().next().expect("a message has a start line")
    }

    /// The value of the first field of that name.
    pub(crate) fn header(&self, name: &str) -> &str {
        let field = self.text.lines().find_map(|line| {
            line.split_once(':').filter(|(found, _)| found.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value)
        });
        field.unwrap_or_else(|| panic!("no {name} in {}", self.text)).trim()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.text.lines().any(|line| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name)))
    }

    pub(crate) fn branch(&self) -> &str {
        parameter(self.header("Via"), "branch").expect("our Via has a branch")
    }
}

/// The value of a parameter of a header value.
pub(crate) fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    value.split(';').skip(1).find_map(|part| match part.split_once('=') {
        Some((found, value)) if found == name => Some(value),
        None if part == name => Some(""),
        _ => None,
    })
}

/// A connection that was to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) at: u64,
    pub(crate) connection: ConnectionId,
    pub(crate) protocol: Protocol,
    pub(crate) to: String,
    pub(crate) server_name: Option<String>,
}

/// An indication, in a form that is easy to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Request(String),
    Ack { matched: bool },
    Response(u16),
    Failed(Failure),
    Finished,
    Unsent,
    Stray(u16),
    Completed { acknowledged: bool },
    FlowFailed(SocketAddr),
    Timer(Tag),
    Overload(Limit, u64),
    Dropped(DropCause),
}

/// An endpoint, its clock and its log.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) endpoint: Endpoint,
    pub(crate) listener: ListenerId,
    pub(crate) now: Instant,
    pub(crate) sent: Vec<Sent>,
    pub(crate) told: Vec<(u64, Told)>,
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) acks: Vec<Request>,
    pub(crate) responses: Vec<Response>,
    /// The messages that were told as dropped, each with its flow.
    pub(crate) dropped: Vec<(Flow, Vec<u8>)>,
    /// Where the responses came in.
    pub(crate) flows: Vec<Flow>,
    pub(crate) questions: Vec<(QueryId, String)>,
    /// Whether the resolver knows NAPTR and SRV; if not, these questions are answered at once and not shown.
    pub(crate) services: bool,
    /// Connections that the endpoint wanted opened, and closed.
    pub(crate) opened: Vec<Opened>,
    pub(crate) closed: Vec<(u64, ConnectionId)>,
    /// Requests of ours of which nothing more may be heard.
    pub(crate) ended: BTreeSet<DeliveryId>,
    /// Whether outputs are taken at once.
    pub(crate) draining: bool,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut config = Config::new(Seed::from_u64(1));
        config.rport = false;
        Self::with(config)
    }

    pub(crate) fn with(config: Config) -> Self {
        let mut endpoint = Endpoint::new(config);
        let listener = endpoint.listen(Listener::udp(address(HERE)));
        Self {
            endpoint,
            listener,
            now: Instant::ZERO,
            sent: Vec::new(),
            told: Vec::new(),
            arrivals: Vec::new(),
            acks: Vec::new(),
            responses: Vec::new(),
            dropped: Vec::new(),
            flows: Vec::new(),
            questions: Vec::new(),
            services: false,
            opened: Vec::new(),
            closed: Vec::new(),
            ended: BTreeSet::new(),
            draining: true,
        }
    }

    /// A datagram from the peer.
    pub(crate) fn receive(&mut self, text: &str) {
        self.receive_from(THERE, text);
    }

    pub(crate) fn receive_from(&mut self, remote: &str, text: &str) {
        let bytes = wire(text);
        let input = Input::Datagram { listener: self.listener, remote: address(remote), bytes: &bytes };
        self.handle(input);
    }

    pub(crate) fn unreachable(&mut self, remote: &str) {
        self.handle(Input::Unreachable { listener: self.listener, remote: address(remote), quoted: b"" });
    }

    /// Answers the oldest question of the endpoint.
    pub(crate) fn resolve(&mut self, addresses: &[&str]) {
        let (query, _) = self.questions.remove(0);
        let answers: Vec<Answer> =
            addresses.iter().map(|ip| Answer::Address(ip.parse().expect("an address"))).collect();
        self.handle(Input::Resolved { query, answers: &answers });
    }

    /// Answers this question, which must be open.
    pub(crate) fn answer(&mut self, question: &str, answers: &[Answer]) {
        let open = self.questions.iter().position(|(_, text)| text == question);
        let open = open.unwrap_or_else(|| panic!("`{question}` is not among {:?}", self.questions));
        let (query, _) = self.questions.remove(open);
        self.handle(Input::Resolved { query, answers });
    }

    /// The open questions, oldest first.
    pub(crate) fn asked(&self) -> Vec<&str> {
        self.questions.iter().map(|(_, text)| text.as_str()).collect()
    }

    pub(crate) fn handle(&mut self, input: Input<'_>) {
        let mut left = Some(input);
        while let Some(input) = left {
            left = self.endpoint.handle(self.now, input);
            self.collect();
        }
    }

    /// A connection from the far end to a listener.
    pub(crate) fn accepted(&mut self, listener: ListenerId, remote: &str) -> ConnectionId {
        let connection = self.endpoint.reserve();
        self.handle(Input::Accepted { listener, connection, remote: address(remote) });
        connection
    }

    /// Octets along a byte stream, as they are.
    pub(crate) fn stream(&mut self, connection: ConnectionId, bytes: &[u8]) {
        self.handle(Input::Stream { connection, bytes });
    }

    /// A message along a byte stream.
    pub(crate) fn receive_along(&mut self, connection: ConnectionId, text: &str) {
        self.stream(connection, &wire(text));
    }

    pub(crate) fn change(&mut self, connection: ConnectionId, change: Change<'_>) {
        self.handle(Input::Connection { connection, change });
    }

    /// The last connection that the endpoint wanted is open.
    pub(crate) fn open(&mut self) -> ConnectionId {
        let connection = self.opened.last().expect("a connection was wanted").connection;
        self.change(connection, Change::Opened { identities: &[] });
        connection
    }

    /// Lets time pass up to this millisecond; every timer fires when it is due.
    pub(crate) fn run_to(&mut self, millis: u64) {
        let end = Instant::from_millis(millis);
        while let Some(deadline) = self.endpoint.deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            while self.endpoint.fire(self.now) {
                self.collect();
            }
        }
        self.now = end;
        self.collect();
    }

    /// The clock jumps: what was due in between fires late.
    pub(crate) fn jump_to(&mut self, millis: u64) {
        self.now = Instant::from_millis(millis);
        while self.endpoint.fire(self.now) {
            self.collect();
        }
    }

    pub(crate) fn request(&mut self, text: &str) -> DeliveryId {
        self.request_to(text, NextHop::from(address(THERE)))
    }

    pub(crate) fn request_to(&mut self, text: &str, next_hop: NextHop) -> DeliveryId {
        let delivery = self.endpoint.request(self.now, request(text), next_hop, Tag::NONE, "").expect("within limits");
        self.collect();
        delivery
    }

    pub(crate) fn cancel(&mut self, delivery: DeliveryId) {
        self.endpoint.cancel(self.now, delivery).expect("can be cancelled");
        self.collect();
    }

    /// Begins a server transaction for the last arrival.
    pub(crate) fn accept(&mut self) -> ServerTransactionId {
        let arrival = self.arrivals.last().expect("a request has arrived").clone();
        self.endpoint.accept(self.now, arrival, Tag::NONE)
    }

    /// Responds to the last arrival in its transaction.
    pub(crate) fn respond(&mut self, server: ServerTransactionId, status: u16) {
        let response = self.response(status);
        self.endpoint.respond(self.now, server, response).expect("in a state to respond");
        self.collect();
    }

    /// A response to the last arrival, with a To tag of ours.
    pub(crate) fn response(&self, status: u16) -> Response {
        let arrival = self.arrivals.last().expect("a request has arrived");
        let status = StatusCode::new(status).expect("a status code");
        Response::to(&arrival.request, status).to_tag("ours").finish().expect("a response")
    }

    pub(crate) fn arm(&mut self, millis: u64, tag: Tag) -> TimerId {
        self.endpoint.arm(Instant::from_millis(millis), tag)
    }

    pub(crate) fn collect(&mut self) {
        let at = self.now.as_millis();
        while let Some(indication) = self.endpoint.indication() {
            let told = match indication {
                Indication::Request(arrival) => {
                    let method = arrival.request.method().as_str().to_string();
                    self.arrivals.push(arrival);
                    Told::Request(method)
                }
                Indication::Ack { request, server, .. } => {
                    self.acks.push(request);
                    Told::Ack { matched: server.is_some() }
                }
                Indication::Response { response, delivery, flow, .. } => {
                    self.flows.push(flow);
                    assert!(!self.ended.contains(&delivery), "{delivery} has ended");
                    let status = response.status().get();
                    self.responses.push(response);
                    Told::Response(status)
                }
                Indication::Failed { failure, delivery, .. } => {
                    assert!(self.ended.insert(delivery), "{delivery} ends twice");
                    Told::Failed(failure)
                }
                Indication::Finished { delivery, .. } => {
                    assert!(self.ended.insert(delivery), "{delivery} ends twice");
                    Told::Finished
                }
                Indication::Unsent { .. } => Told::Unsent,
                Indication::Stray { response, .. } => {
                    let status = response.status().get();
                    self.responses.push(response);
                    Told::Stray(status)
                }
                Indication::Completed { acknowledged, .. } => Told::Completed { acknowledged },
                Indication::FlowFailed { flow } => Told::FlowFailed(flow.remote),
                Indication::Timer { tag, .. } => Told::Timer(tag),
                Indication::Overload { limit, refused } => Told::Overload(limit, refused),
                Indication::Dropped { why, flow, bytes } => {
                    self.dropped.push((flow, bytes.to_vec()));
                    Told::Dropped(why)
                }
            };
            self.told.push((at, told));
        }
        if self.draining {
            self.drain();
        }
    }

    pub(crate) fn drain(&mut self) {
        let at = self.now.as_millis();
        let mut unknown = Vec::new();
        while let Some(output) = self.endpoint.poll() {
            match output {
                Output::Send(transmit) => self.sent.push(Sent::of(at, &transmit)),
                Output::Resolve { query, question } => match question {
                    Question::Address { name } => self.questions.push((query, name.to_string())),
                    Question::Srv { name } if self.services => self.questions.push((query, format!("SRV {name}"))),
                    Question::Naptr { name } if self.services => self.questions.push((query, format!("NAPTR {name}"))),
                    _ => unknown.push(query),
                },
                Output::Open { connection, protocol, remote, server_name, .. } => self.opened.push(Opened {
                    at,
                    connection,
                    protocol,
                    to: remote.to_string(),
                    server_name: server_name.map(String::from),
                }),
                Output::Close { connection } => self.closed.push((at, connection)),
                other => panic!("an output that nobody asked for: {other:?}"),
            }
        }
        for query in unknown {
            self.handle(Input::Resolved { query, answers: &[] });
        }
    }

    /// When messages with this start of their start line were sent, in milliseconds.
    pub(crate) fn times(&self, start: &str) -> Vec<u64> {
        self.sent.iter().filter(|sent| sent.text.starts_with(start)).map(|sent| sent.at).collect()
    }

    /// The last message sent.
    pub(crate) fn last(&self) -> &Sent {
        self.sent.last().expect("something was sent")
    }

    /// The indications, without their times.
    pub(crate) fn whats(&self) -> Vec<Told> {
        self.told.iter().map(|(_, told)| told.clone()).collect()
    }

    pub(crate) fn last_told(&self) -> (u64, Told) {
        self.told.last().expect("something was told").clone()
    }

    /// Nothing is left, not even a timer.
    pub(crate) fn assert_over(&self) {
        let census = self.endpoint.census();
        assert!(self.endpoint.is_idle(), "{census:?}");
        assert_eq!(census, sansip::endpoint::Census::default());
    }
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect("address and port")
}

pub(crate) fn host(name: &str) -> NextHop {
    NextHop::from(name.parse::<sansip::message::HostBuf>().expect("a host"))
}

/// Line ends as on the wire.
pub(crate) fn wire(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

pub(crate) fn request(text: &str) -> Request {
    match Message::parse(&wire(text), &sansip::message::Limits::default()) {
        Ok(Message::Request(request)) => request,
        other => panic!("no request: {other:?}"),
    }
}

/// A request of ours, without Via.
pub(crate) fn ours(method: &str) -> String {
    format!(
        "{method} sip:bob@biloxi.com SIP/2.0\n\
         Max-Forwards: 70\n\
         From: Alice <sip:alice@atlanta.com>;tag=88sja8x\n\
         To: Bob <sip:bob@biloxi.com>\n\
         Call-ID: 987asjd97y7atg\n\
         CSeq: 986759 {method}\n\
         Content-Length: 0\n\n"
    )
}

/// A request of the peer with this Via value.
pub(crate) fn theirs(method: &str, via: &str) -> String {
    // The ACK of a rejection has the tag that it came with (RFC 3261 §17.1.1.3); tests of the rules of RFC 2543 say it themselves.
    let has_branch = via.split_once("z9hG4bK").is_some_and(|(_, rest)| !rest.is_empty());
    let tag = if method == "ACK" && has_branch { ";tag=ours" } else { "" };
    format!(
        "{method} sip:alice@192.0.2.1 SIP/2.0\n\
         Via: {via}\n\
         Max-Forwards: 70\n\
         From: Bob <sip:bob@biloxi.com>;tag=a6c85cf\n\
         To: Alice <sip:alice@atlanta.com>{tag}\n\
         Call-ID: a84b4c76e66710\n\
         CSeq: 314159 {method}\n\
         Content-Length: 0\n\n"
    )
}

/// A Via value of the peer's own address.
pub(crate) fn their_via(branch: &str) -> String {
    format!("SIP/2.0/UDP 192.0.2.9;branch={branch}")
}

/// The peer's response to a request of ours.
pub(crate) fn answer(request: &Sent, status: u16) -> String {
    let cseq = request.header("CSeq");
    let to = match parameter(request.header("To"), "tag") {
        Some(_) => request.header("To").to_string(),
        None => format!("{};tag=99sa0xk", request.header("To")),
    };
    format!(
        "SIP/2.0 {status} Something\n\
         Via: {}\n\
         From: {}\n\
         To: {to}\n\
         Call-ID: {}\n\
         CSeq: {cseq}\n\
         Content-Length: 0\n\n",
        request.header("Via"),
        request.header("From"),
        request.header("Call-ID"),
    )
}
