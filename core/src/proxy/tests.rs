//! The core under an owner that takes its time with the answers.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Core, Limits, Question, Target, preprocess};
use crate::endpoint::Indication;
use crate::message::{Message, Method, Response, StatusCode};
use crate::stack::{Context, Stack, TransactionUser};
use crate::{CommandError, Config, Duration, Input, Instant, Listener, ListenerId, Node, Output, Seed};

#[derive(Clone, Debug)]
struct Owner(Core);

impl TransactionUser for Owner {
    type Event = Question;

    fn indicate(&mut self, cx: &mut Context<'_, Question>, indication: Indication) {
        match indication {
            Indication::Request(arrival) if arrival.request.method() == Method::Cancel => {
                if let Some((_, tag)) = arrival.cancels {
                    self.0.cancel(cx, arrival, tag);
                }
            }
            Indication::Request(arrival) => {
                let preprocessed = preprocess(&arrival.request, None, |_| false).unwrap();
                if let Some(question) = self.0.request(cx, arrival, preprocessed) {
                    cx.emit(question);
                }
            }
            indication => self.0.indicate(cx, indication),
        }
    }

    fn is_idle(&self) -> bool {
        self.0.is_idle()
    }
}

struct Bench {
    proxy: Stack<Owner>,
    listener: ListenerId,
    now: Instant,
    questions: Vec<Question>,
}

impl Bench {
    fn new() -> Self {
        let mut proxy = Stack::new(Config::new(Seed::from_u64(1)), Owner(Core::new(false, Limits::default())));
        let listener = proxy.listen(Listener::udp("192.0.2.3:5060".parse().unwrap()));
        Self { proxy, listener, now: Instant::ZERO, questions: Vec::new() }
    }

    fn receive(&mut self, method: &str) -> Vec<String> {
        let text = format!(
            "{method} sip:bob@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnashds8\r\n\
             Max-Forwards: 70\r\nTo: Bob <sip:bob@biloxi.com>\r\nFrom: Alice <sip:alice@atlanta.com>;tag=1928301774\r\n\
             Call-ID: a84b4c76e66710\r\nCSeq: 314159 {method}\r\nContent-Length: 0\r\n\r\n"
        );
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

    fn drain(&mut self) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(output) = self.proxy.poll() {
            match output {
                Output::Send(transmit) => match Message::parse(&transmit.bytes, &Default::default()).unwrap() {
                    Message::Request(request) => sent.push(request.method().to_string()),
                    Message::Response(response) => sent.push(summary(&response)),
                },
                Output::Event(question) => self.questions.push(question),
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
    Target::Contact("sip:bob@192.0.2.4".parse().unwrap())
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
