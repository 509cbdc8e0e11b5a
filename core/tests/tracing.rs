//! The feature `tracing`, heard by a subscriber of the test's own.

use std::fmt::{Debug, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use sansip::auth::{Login, Scope, Secret};
use sansip::server::{Settings, User};
use sansip::user_agent::{Event, Profile, Register, UserAgent};
use sansip::{Config, Input, Instant, Listener, Node, Output, Seed, Server};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

/// Writes a line for each thing that it hears.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<(u64, Vec<String>)>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").expect("a string");
    }
}

impl Lines {
    fn add(&self, line: String) -> Id {
        let mut lines = self.0.lock().expect("the lines");
        lines.0 += 1;
        lines.1.push(line);
        Id::from_u64(lines.0)
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields(String::new());
        span.record(&mut fields);
        self.add(format!("{} {}{}", span.metadata().target(), span.metadata().name(), fields.0))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        let _ = self.add(format!("{} {}{}", event.metadata().target(), event.metadata().level(), fields.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}

    fn try_close(&self, span: Id) -> bool {
        let _ = self.add(format!("closed {}", span.into_u64()));
        true
    }
}

/// Gives the lines that are told while `run` runs.
fn told(run: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), run);
    let lines = lines.0.lock().expect("the lines");
    lines.1.clone()
}

fn count(lines: &[String], begin: &str) -> usize {
    lines.iter().filter(|line| line.starts_with(begin)).count()
}

const A: &str = "192.0.2.1:5060";
const B: &str = "192.0.2.4:5060";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Carries datagrams between two nodes until neither has any; what each of them tells goes to `hear`.
fn carry<X: Node, Y: Node>(
    (a, at_a): (&mut X, sansip::ListenerId),
    (b, at_b): (&mut Y, sansip::ListenerId),
    mut hear_a: impl FnMut(&mut X, X::Event),
    mut hear_b: impl FnMut(&mut Y, Y::Event),
) {
    let mut is_busy = true;
    while is_busy {
        is_busy = false;
        while let Some(output) = a.poll() {
            is_busy = true;
            match output {
                Output::Send(sent) => {
                    b.handle(Instant::ZERO, Input::Datagram { listener: at_b, remote: address(A), bytes: &sent.bytes });
                }
                Output::Event(event) => hear_a(a, event),
                _ => {}
            }
        }
        while let Some(output) = b.poll() {
            is_busy = true;
            match output {
                Output::Send(sent) => {
                    a.handle(Instant::ZERO, Input::Datagram { listener: at_a, remote: address(B), bytes: &sent.bytes });
                }
                Output::Event(event) => hear_b(b, event),
                _ => {}
            }
        }
    }
}

fn phone(name: &str, at: &str) -> (UserAgent, sansip::ListenerId) {
    let profile = Profile::new(format!("<sip:{name}@biloxi.com>").parse().expect("an identity"));
    let mut agent = UserAgent::user_agent(Config::new(Seed::from_u64(name.len() as u64)), profile);
    let listener = agent.listen(Listener::udp(address(at)));
    (agent, listener)
}

#[test]
fn each_transaction_and_each_dialog_is_a_span_that_ends_with_it() {
    let lines = told(|| {
        let (mut alice, at_alice) = phone("alice", A);
        let (mut bob, at_bob) = phone("bob", B);
        let call = alice.call(Instant::ZERO, &"<sip:bob@192.0.2.4>".parse().expect("a target")).expect("a call");
        let now = Instant::ZERO;
        carry(
            (&mut alice, at_alice),
            (&mut bob, at_bob),
            |alice, event| {
                if let Event::Answered { .. } = event {
                    alice.hang_up(now, call).expect("an end");
                }
            },
            |bob, event| {
                if let Event::Incoming { call, .. } = event {
                    bob.answer(now, call, None).expect("an answer");
                }
            },
        );
        while let Some(deadline) = [alice.deadline(), bob.deadline()].into_iter().flatten().min() {
            alice.handle(deadline, Input::Tick);
            bob.handle(deadline, Input::Tick);
        }
        assert!(alice.is_idle() && bob.is_idle());
    });
    // INVITE and BYE at both ends.
    assert_eq!(count(&lines, "sansip::transaction client method=\"INVITE\" branch=\"z9hG4bK"), 1, "{lines:#?}");
    assert_eq!(count(&lines, "sansip::transaction client method=\"BYE\""), 1);
    assert_eq!(count(&lines, "sansip::transaction server method="), 2);
    assert_eq!(count(&lines, "sansip::dialog dialog call_id="), 2);
    assert_eq!(count(&lines, "closed "), 6, "{lines:#?}");
    assert!(count(&lines, "sansip::transaction DEBUG message=response status=200") >= 2, "{lines:#?}");
}

#[test]
fn a_drop_has_its_reason_and_no_message_has_credentials() {
    let lines = told(|| {
        let (mut bob, at_bob) = phone("bob", A);
        bob.login(Scope::Any, Login::new("bob", Secret::password("zanzibar"))).expect("a login");
        let settings = Settings {
            domains: vec!["biloxi.com".parse().expect("a name")],
            users: vec![User {
                name: "bob".into(),
                domain: "biloxi.com".parse().expect("a name"),
                secret: Secret::password("zanzibar"),
            }],
            ..Settings::default()
        };
        let mut server = Server::server(Config::new(Seed::from_u64(9)), settings);
        let at_server = server.listen(Listener::udp(address(B)));
        let aor = "<sip:bob@192.0.2.4>".parse().expect("an address");
        bob.register(Instant::ZERO, Register::of(&aor)).expect("a registration");
        carry((&mut bob, at_bob), (&mut server, at_server), |_, _| {}, |_, _| {});
        server.handle(
            Instant::ZERO,
            Input::Datagram { listener: at_server, remote: address(A), bytes: b"OPTIONS sip:a:pass@b SIP/9.0\r\n\r\n" },
        );
        server.handle(
            Instant::ZERO,
            Input::Datagram { listener: at_server, remote: address(A), bytes: b"SIP/2.0 200 OK\r\n\r\n" },
        );
    });
    assert_eq!(count(&lines, "sansip::drop DEBUG message=dropped why="), 2, "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("from=192.0.2.1:5060 start=SIP/2.0 200 OK")), "{lines:#?}");
    let authorized: Vec<_> = lines.iter().filter(|line| line.contains("Authorization: ")).collect();
    assert!(!authorized.is_empty(), "nobody was asked who he is: {lines:#?}");
    assert!(
        authorized.iter().all(|line| line.contains("Authorization: ***") && !line.contains("response=")),
        "{lines:#?}"
    );
}
