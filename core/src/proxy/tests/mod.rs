//! The core under an owner that takes its time with the answers.

mod bounds;
mod forking;
mod record_route;
mod redirection;
mod sips;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Core, News, Question, Redirection, Settings, Target};
use crate::endpoint::Indication;
use crate::message::{HeaderId, Message, Method, Request, Response, StatusCode, Uri};
use crate::stack::{Context, Stack, TransactionUser};
use crate::{Answer, CommandError, Config, Duration, Input, Instant, Listener, ListenerId, Node, Output, Seed};

#[derive(Clone, Debug)]
struct Owner(Core);

impl TransactionUser for Owner {
    type Event = Asked;

    fn indicate(&mut self, cx: &mut Context<'_, Asked>, indication: Indication) {
        match indication {
            Indication::Request(arrival) if arrival.request.method() == Method::Cancel => {
                if let Some((_, tag)) = arrival.cancels {
                    self.0.cancel(cx, arrival, tag);
                }
            }
            Indication::Request(arrival) => {
                let names_us = |uri: Uri<'_>| {
                    uri.host_port().is_some_and(|at| cx.is_ours(at) || at.host.to_string() == "biloxi.com")
                };
                let listener = arrival.flow.listener;
                let preprocessed = self.0.preprocess(cx, &arrival.request, listener, names_us).unwrap();
                if let Some(question) = self.0.request(cx, arrival, preprocessed) {
                    cx.emit(Asked::Question(question));
                }
            }
            indication => {
                if let Some(News::Redirected(redirection)) = self.0.indicate(cx, indication) {
                    cx.emit(Asked::Redirection(redirection));
                }
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.0.is_idle()
    }
}

/// What the core asks.
#[derive(Clone, Debug)]
enum Asked {
    Question(Question),
    Redirection(Redirection),
}

struct Bench {
    proxy: Stack<Owner>,
    listener: ListenerId,
    now: Instant,
    questions: Vec<Question>,
    redirections: Vec<Redirection>,
    /// The requests that were sent last, as they went out.
    requests: Vec<Request>,
    /// The final responses that were sent last.
    responses: Vec<Response>,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let config = Config::new(Seed::from_u64(1));
        let core = Core::new(&config, settings);
        let mut proxy = Stack::new(config, Owner(core));
        let listener = proxy.listen(Listener::udp("192.0.2.3:5060".parse().unwrap()));
        Self {
            proxy,
            listener,
            now: Instant::ZERO,
            questions: Vec::new(),
            redirections: Vec::new(),
            requests: Vec::new(),
            responses: Vec::new(),
        }
    }

    fn receive(&mut self, method: &str) -> Vec<String> {
        self.receive_request(method, "sip:bob@biloxi.com", "")
    }

    fn receive_request(&mut self, method: &str, uri: &str, more: &str) -> Vec<String> {
        let mut text = Self::text(method, uri, more);
        // The ACK of a rejection has the To of that (RFC 3261 §17.1.1.3).
        let rejection = self.responses.last().filter(|_| method == "ACK");
        if let Some(to) = rejection.and_then(|rejection| rejection.headers().raw(HeaderId::To)) {
            text = text.replace("Bob <sip:bob@biloxi.com>", core::str::from_utf8(to).unwrap());
        }
        self.receive_text(&text)
    }

    fn text(method: &str, uri: &str, more: &str) -> String {
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnashds8\r\n\
             Max-Forwards: 70\r\nTo: Bob <sip:bob@biloxi.com>\r\nFrom: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
             Call-ID: a84b4c76e66710\r\nCSeq: 314159 {method}\r\n{more}Content-Length: 0\r\n\r\n"
        )
    }

    fn receive_text(&mut self, text: &str) -> Vec<String> {
        let remote = "192.0.2.1:5060".parse().unwrap();
        self.proxy.handle(self.now, Input::Datagram { listener: self.listener, remote, bytes: text.as_bytes() });
        self.drain()
    }

    fn wait(&mut self, time: Duration) -> Vec<String> {
        let end = self.now + time;
        while let Some(deadline) = self.proxy.deadline().filter(|deadline| *deadline <= end) {
            self.now = deadline;
            self.proxy.handle(deadline, Input::Tick);
        }
        self.now = end;
        self.drain()
    }

    fn forward(&mut self, targets: &[Target]) -> Result<(), CommandError> {
        let id = self.questions[0].id;
        self.proxy.command(self.now, |owner, cx| owner.0.forward(cx, id, targets))
    }

    /// Each of the targets that a question is answered with; what goes out.
    fn call(&mut self, targets: &[Target]) -> Vec<String> {
        self.receive("INVITE");
        self.forward(targets).unwrap();
        self.drain()
    }

    fn add(&mut self, targets: &[Target]) -> Result<usize, CommandError> {
        let id = self.questions[0].id;
        self.proxy.command(self.now, |owner, cx| owner.0.add(cx, id, targets))
    }

    /// A phone answers the INVITE that it got; what goes out.
    fn answer(&mut self, invite: &Request, status: u16, more: &[(HeaderId, &str)]) -> Vec<String> {
        let mut response = Response::to(invite, StatusCode::new(status).unwrap()).to_tag("b");
        for (name, value) in more {
            response = response.header(*name, value);
        }
        let response = response.finish().unwrap();
        let remote = "192.0.2.4:5060".parse().unwrap();
        let bytes = response.as_bytes();
        self.proxy.handle(self.now, Input::Datagram { listener: self.listener, remote, bytes });
        self.drain()
    }

    /// What is left ends by itself.
    fn comes_to_rest(&mut self) {
        self.wait(Duration::from_secs(300));
        assert!(self.proxy.is_idle());
        assert_eq!(self.proxy.endpoint().census(), Default::default());
    }

    fn drain(&mut self) -> Vec<String> {
        self.requests.clear();
        self.responses.clear();
        let mut sent = Vec::new();
        while let Some(output) = self.proxy.poll() {
            match output {
                Output::Send(transmit) => match Message::parse(&transmit.bytes, &Default::default()).unwrap() {
                    Message::Request(request) => {
                        sent.push(request.method().to_string());
                        self.requests.push(request);
                    }
                    Message::Response(response) => {
                        sent.push(summary(&response));
                        self.responses.push(response);
                    }
                },
                // Every name has eight addresses, and nothing else.
                Output::Resolve { query, question } => {
                    let all = (41..49).map(|number| Answer::Address([192, 0, 2, number].into())).collect::<Vec<_>>();
                    let answers = if matches!(question, crate::Question::Address { .. }) { &all[..] } else { &[] };
                    self.proxy.handle(self.now, Input::Resolved { query, answers });
                }
                Output::Event(Asked::Question(question)) => self.questions.push(question),
                Output::Event(Asked::Redirection(redirection)) => self.redirections.push(redirection),
                _ => {}
            }
        }
        sent
    }
}

fn summary(response: &Response) -> String {
    format!("{} {}", response.status().get(), response.cseq().unwrap().method)
}

fn bob() -> Target {
    phone(4)
}

/// The phone at 192.0.2.`number`.
fn phone(number: u8) -> Target {
    Target::new(format!("sip:bob@192.0.2.{number}").parse().unwrap())
}

#[test]
fn a_question_may_be_answered_later() {
    let mut bench = Bench::new();
    assert_eq!(bench.receive("INVITE"), ["100 INVITE"]);
    assert_eq!(bench.wait(Duration::from_secs(9)), [""; 0]);
    assert_eq!(bench.forward(&[bob()]), Ok(()));
    assert_eq!(bench.drain(), ["INVITE"]);
    assert_eq!(bench.forward(&[bob()]), Err(CommandError::Gone));
}

#[test]
fn a_question_that_nobody_answers_is_500_well_before_the_sender_gives_up() {
    for method in ["INVITE", "MESSAGE"] {
        let mut bench = Bench::new();
        bench.receive(method);
        let sent = bench.wait(Duration::from_secs(10));
        assert_eq!(sent.last().unwrap(), &format!("500 {method}"));
        assert_eq!(bench.forward(&[bob()]), Err(CommandError::Gone));
        bench.wait(Duration::from_secs(64));
        assert!(bench.proxy.is_idle());
    }
}

#[test]
fn an_answer_after_a_cancel_is_gone() {
    let mut bench = Bench::new();
    bench.receive("INVITE");
    assert_eq!(bench.receive("CANCEL"), ["200 CANCEL", "487 INVITE"]);
    assert_eq!(bench.forward(&[bob()]), Err(CommandError::Gone));
    let id = bench.questions[0].id;
    let refused = bench.proxy.command(bench.now, |owner, cx| owner.0.refuse(cx, id, StatusCode::NOT_FOUND));
    assert_eq!(refused, Err(CommandError::Gone));
    bench.wait(Duration::from_secs(64));
    assert!(bench.proxy.is_idle());
}

#[test]
fn no_targets_are_480() {
    let mut bench = Bench::new();
    bench.receive("INVITE");
    assert_eq!(bench.forward(&[]), Ok(()));
    assert_eq!(bench.drain(), ["480 INVITE"]);
}

/// §16.6 step 6; RFC 3327 §5.3.
#[test]
fn the_targets_own_proxies_come_before_all_others() {
    let mut bench = Bench::new();
    bench.receive_request("INVITE", "sip:bob@biloxi.com", "Route: <sip:last.example.com;lr>\r\n");
    let routes = ["sip:192.0.2.7;lr", "sip:p2.example.com;lr"].map(|uri| uri.parse().unwrap());
    bench.forward(&[bob().with_routes(routes.into())]).unwrap();
    let mut to = None;
    while let Some(output) = bench.proxy.poll() {
        if let Output::Send(transmit) = output {
            to = Some(transmit.flow.remote.to_string());
            if let Ok(Message::Request(invite)) = Message::parse(&transmit.bytes, &Default::default()) {
                assert_eq!(invite.uri_bytes(), b"sip:bob@192.0.2.4");
                let routes: Vec<_> = invite.headers().values(HeaderId::Route, true).collect();
                let all = [&b"<sip:192.0.2.7;lr>"[..], b"<sip:p2.example.com;lr>", b"<sip:last.example.com;lr>"];
                assert_eq!(routes, all);
            }
        }
    }
    assert_eq!(to.as_deref(), Some("192.0.2.7:5060"));
}

/// §16.3: one request that comes by two ways is forwarded twice.
#[test]
fn a_merged_request_is_no_error() {
    let mut bench = Bench::new();
    bench.receive("INVITE");
    let text = "INVITE sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother\r\n\
        Max-Forwards: 70\r\nTo: Bob <sip:bob@biloxi.com>\r\nFrom: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
        Call-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\nContent-Length: 0\r\n\r\n";
    let remote = "192.0.2.1:5060".parse().unwrap();
    bench.proxy.handle(bench.now, Input::Datagram { listener: bench.listener, remote, bytes: text.as_bytes() });
    assert_eq!(bench.drain(), ["100 INVITE"]);
    assert_eq!(bench.questions.len(), 2);
}
