//! The server, driven by hand-written datagrams in virtual time.

mod accounting;
mod asking;
mod authenticating;
mod cancelling;
mod forking;
mod forwarding;
mod gateways;
mod gruu;
mod hostile;
mod locating;
mod mutating;
mod outbound;
mod phones;
#[cfg(feature = "serde")]
mod plain;
mod reaching;
mod recursing;
mod redirecting;
mod registering;
mod responding;
mod rewriting;
mod routing;
mod streams;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::{Event, Server, Settings};
use crate::message::header::{Header, Via};
use crate::message::{HeaderId, Message, Request, Response, StatusCode};
use crate::{Answer, Config, Duration, Flow, Input, Instant, Listener, ListenerId, Node, Output, Question, Seed};

/// The proxy of biloxi.com (RFC 3261 §24.2) and the network around it.
#[derive(Clone)]
struct Bench {
    server: Server,
    listener: ListenerId,
    now: Instant,
    events: Vec<Event>,
}

const ALICE: &str = "192.0.2.1:5060";
const OUR_ADDRESS: &str = "192.0.2.3:5060";
const BOB: &str = "192.0.2.4:5060";

/// A message that the server sent.
#[derive(Clone, Debug)]
struct Sent {
    to: String,
    flow: Flow,
    message: Message,
}

impl Sent {
    fn request(&self) -> &Request {
        match &self.message {
            Message::Request(request) => request,
            Message::Response(response) => panic!("a request wanted: {response:?}"),
        }
    }

    fn response(&self) -> &Response {
        match &self.message {
            Message::Response(response) => response,
            Message::Request(request) => panic!("a response wanted: {request:?}"),
        }
    }

    /// "INVITE 192.0.2.4:5060", "180 192.0.2.1:5060".
    fn summary(&self) -> String {
        match &self.message {
            Message::Request(request) => format!("{} {}", request.method(), self.to),
            Message::Response(response) => format!("{} {}", response.status().get(), self.to),
        }
    }

    /// All field values of that name, in order.
    fn values(&self, name: HeaderId) -> Vec<String> {
        values(&self.message, name)
    }
}

fn values(message: &Message, name: HeaderId) -> Vec<String> {
    let fields = message.headers().iter().filter(|field| field.name == name.into());
    fields.map(|field| String::from_utf8(field.value.into()).unwrap()).collect()
}

fn summaries(sent: &[Sent]) -> Vec<String> {
    sent.iter().map(Sent::summary).collect()
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::of(Config::new(Seed::from_u64(1)), change)
    }

    fn of(mut config: Config, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            domains: ["biloxi.com", "registrar.biloxi.com"].map(|name| name.parse().unwrap()).into(),
            ..Settings::default()
        };
        change(&mut settings);
        config.rport = false;
        let mut server = Server::server(config, settings);
        let local = OUR_ADDRESS.parse().unwrap();
        let listener = server.listen(Listener::udp(local).with_sent_by("server10.biloxi.com".parse().unwrap()));
        Self { server, listener, now: Instant::ZERO, events: Vec::new() }
    }

    /// A datagram arrives; what goes out for it. Line ends are made CRLF, and an empty line ends the headers.
    fn receive(&mut self, from: &str, text: &str) -> Vec<Sent> {
        let text: Vec<&str> = text.trim().lines().map(str::trim).collect();
        let text = text.join("\r\n") + "\r\n\r\n";
        self.receive_bytes(from, text.as_bytes())
    }

    fn receive_bytes(&mut self, from: &str, bytes: &[u8]) -> Vec<Sent> {
        let remote: SocketAddr = from.parse().unwrap();
        self.server.handle(self.now, Input::Datagram { listener: self.listener, remote, bytes });
        self.drain()
    }

    /// The receiver of `request` answers it; what goes out for it.
    fn answer(&mut self, request: &Sent, status: u16) -> Vec<Sent> {
        self.answer_with(request, status, &[])
    }

    fn answer_with(&mut self, request: &Sent, status: u16, headers: &[(HeaderId, &str)]) -> Vec<Sent> {
        let mut response = Response::to(request.request(), StatusCode::new(status).unwrap());
        for (name, value) in headers {
            response = response.header(*name, value);
        }
        if status > 100 {
            response = response.to_tag(&format!("t{}", request.to.replace(['.', ':'], "")));
        }
        let response = response.finish().unwrap();
        self.receive_bytes(&request.to, response.as_bytes())
    }

    /// Time passes; what goes out for it.
    fn wait(&mut self, time: Duration) -> Vec<Sent> {
        let end = self.now + time;
        let mut sent = self.drain();
        while let Some(deadline) = self.server.deadline().filter(|deadline| *deadline <= end) {
            self.now = deadline;
            self.server.handle(deadline, Input::Tick);
            sent.append(&mut self.drain());
        }
        self.now = end;
        sent
    }

    fn drain(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        while let Some(output) = self.server.poll() {
            match output {
                Output::Send(transmit) => {
                    let message = Message::parse(&transmit.bytes, &crate::message::Limits::default()).unwrap();
                    let flow = transmit.flow;
                    sent.push(Sent { to: flow.remote.to_string(), flow, message });
                }
                Output::Resolve { query, question: Question::Address { name } } => {
                    let answers: &[Answer] = match &*name {
                        "pc33.atlanta.com" => &[Answer::Address([192, 0, 2, 1].into())],
                        "chicago.com" => &[Answer::Address([192, 0, 2, 50].into())],
                        "inside.biloxi.com" => &[Answer::Address([10, 0, 0, 9].into())],
                        "mixed.example.com" => &[
                            Answer::Address([10, 0, 0, 9].into()),
                            Answer::Address([203, 0, 113, 9].into()),
                            Answer::Address([127, 0, 0, 1].into()),
                        ],
                        "outside.biloxi.com" => &[Answer::Address([203, 0, 113, 9].into())],
                        "carol.chicago.com" => &[Answer::Address([192, 0, 2, 51].into())],
                        _ => &[],
                    };
                    self.server.handle(self.now, Input::Resolved { query, answers });
                }
                Output::Resolve { query, .. } => {
                    self.server.handle(self.now, Input::Resolved { query, answers: &[] });
                }
                Output::Event(event) => self.events.push(event),
                other => panic!("{other:?}"),
            }
        }
        sent
    }

    /// Bob registers this many phones: 192.0.2.4 and on.
    fn register(&mut self, phones: u8) {
        for phone in 0..phones {
            let host = format!("192.0.2.{}", 4 + phone);
            let text = format!(
                "REGISTER sip:registrar.biloxi.com SIP/2.0
                Via: SIP/2.0/UDP {host};branch=z9hG4bKregister{phone}
                Max-Forwards: 70
                To: Bob <sip:bob@biloxi.com>
                From: Bob <sip:bob@biloxi.com>;tag=456248
                Call-ID: 843817637684230@998sdasdh{phone}
                CSeq: 1826 REGISTER
                Contact: <sip:bob@{host}>
                Expires: 7200
                Content-Length: 0"
            );
            let sent = self.receive(&format!("{host}:5060"), &text);
            assert_eq!(sent[0].response().status(), StatusCode::OK);
        }
    }

    /// Bob registers these values of Contact.
    fn bind(&mut self, contacts: &str) {
        let text = format!(
            "REGISTER sip:biloxi.com SIP/2.0
            Via: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bKr
            Max-Forwards: 70
            To: <sip:bob@biloxi.com>
            From: <sip:bob@biloxi.com>;tag=1
            Call-ID: 1
            CSeq: 1 REGISTER
            Contact: {contacts}
            Content-Length: 0"
        );
        self.receive(BOB, &text);
    }

    /// The questions that were asked since this was called last.
    fn questions(&mut self) -> Vec<super::Question> {
        let asked = self.events.extract_if(.., |event| matches!(event, Event::Question(_)));
        let question = |event| match event {
            Event::Question(question) => question,
            _ => unreachable!(),
        };
        asked.map(question).collect()
    }

    /// The Record-Route that we write for the dialog of these tests, as a Route with these URI parameters.
    fn own_route(&self, uri: &str) -> String {
        let [alone, ..] = self.route_parameters();
        format!("<{uri};lr{alone}>")
    }

    /// The last parameters of our Record-Route for the dialog of these tests, alone, above and below.
    fn route_parameters(&self) -> [String; 3] {
        let text = invite().lines().map(str::trim).collect::<Vec<_>>().join("\r\n") + "\r\n\r\n";
        match Message::parse(text.as_bytes(), &Default::default()).unwrap() {
            Message::Request(invite) => self.server.user().proxy.route_parameters(&invite, self.now),
            Message::Response(_) => unreachable!(),
        }
    }

    /// All timers run out; then nothing may be left.
    fn comes_to_rest(&mut self) {
        self.wait(Duration::from_secs(600));
        assert!(self.server.is_idle(), "{:?}", self.server);
    }
}

/// Alice's INVITE of RFC 3261 §24.2 as it leaves the proxy of atlanta.com would be; here straight from her phone (F1).
fn invite() -> String {
    request("INVITE", "sip:bob@biloxi.com", "")
}

/// A request of Alice's with more header lines, each ended by a line end.
fn request(method: &str, uri: &str, more: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0
        Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKnashds8
        {more}Max-Forwards: 70
        To: Bob <sip:bob@biloxi.com>
        From: Alice <sip:alice@atlanta.com>;tag=1928301774
        Call-ID: a84b4c76e66710
        CSeq: 314159 {method}
        Contact: <sip:alice@pc33.atlanta.com>
        Content-Length: 0"
    )
}

/// As [`request`], in a dialog.
fn in_dialog(method: &str, uri: &str, more: &str) -> String {
    request(method, uri, more).replace("To: Bob <sip:bob@biloxi.com>", "To: Bob <sip:bob@biloxi.com>;tag=a6c85cf")
}

/// Values of Record-Route without their tokens, each of which is there.
fn without_tokens(values: &[String]) -> Vec<String> {
    let bare = values.iter().map(|value| match value.split_once(";token=") {
        Some((before, token)) => {
            let token = token.trim_end_matches('>').split(";peers=").next().unwrap_or_default();
            assert_eq!(token.len(), 41, "{value}");
            format!("{before}>")
        }
        None => value.clone(),
    });
    bare.collect()
}

/// The branch of the topmost Via.
fn branch(sent: &Sent) -> String {
    let value = sent.values(HeaderId::Via).remove(0);
    Via::parse(value.as_bytes()).unwrap().branch().unwrap().into()
}
