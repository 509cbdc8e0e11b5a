//! Steps that the application takes over: who is let in, secrets, registrations and routes. Bindings: `locating`.

use super::authenticating::{ALICE_HERE, BOB_HERE, again, call, register, user};
use super::*;
use crate::auth::{Fields, Secret};
use crate::proxy::Target;
use crate::registrar::{self, Store};
use crate::server::{Answer, Question, Step, Steps};
use crate::{CommandError, Limit};

/// biloxi.com with the user alice, whose application takes over these steps.
fn bench(steps: Steps) -> Bench {
    Bench::with(|settings| {
        settings.users = [user("alice", "a")].into();
        settings.steps = steps;
    })
}

fn only(change: impl FnOnce(&mut Steps)) -> Steps {
    let mut steps = Steps::default();
    change(&mut steps);
    steps
}

fn admission() -> Steps {
    only(|steps| steps.admission = true)
}

fn secrets() -> Steps {
    only(|steps| steps.secrets = true)
}

fn registration() -> Steps {
    only(|steps| steps.registration = true)
}

fn routing() -> Steps {
    only(|steps| steps.routing = true)
}

fn refuse(status: u16) -> Answer {
    Answer::Refuse(StatusCode::new(status).unwrap(), Fields::default())
}

fn target(uri: &str) -> Target {
    Target::new(uri.parse().unwrap())
}

impl Bench {
    /// The one question that was asked.
    fn question(&mut self) -> Question {
        let mut questions = self.questions();
        assert_eq!(questions.len(), 1, "{questions:?}");
        questions.remove(0)
    }

    /// The one question that was asked is answered; what goes out for it.
    fn tell_it(&mut self, answer: Answer) -> Vec<Sent> {
        let question = self.question();
        self.server.answer(self.now, question.id, answer).unwrap();
        self.drain()
    }

    /// Something arrives, and the one question about it is answered so; what goes out for that.
    fn asked(&mut self, from: &str, text: &str, answer: Answer) -> Vec<String> {
        assert!(self.receive(from, text).is_empty());
        summaries(&self.tell_it(answer))
    }
}

const OUTSIDE: &str = "sip:carol@192.0.2.51";

#[test]
fn the_application_says_who_is_let_in() {
    let mut bench = bench(admission());
    let calls: [(Answer, &str, &[&str]); 7] = [
        // As the settings have it.
        (Answer::Proceed, BOB_HERE, &["407 192.0.2.1:5060"]),
        (Answer::Proceed, OUTSIDE, &["407 192.0.2.1:5060"]),
        (Answer::Known, OUTSIDE, &["100 192.0.2.1:5060", "INVITE 192.0.2.51:5060"]),
        (Answer::Stranger, BOB_HERE, &["404 192.0.2.1:5060"]),
        (Answer::Stranger, OUTSIDE, &["403 192.0.2.1:5060"]),
        (refuse(403), BOB_HERE, &["403 192.0.2.1:5060"]),
        (refuse(407), BOB_HERE, &["407 192.0.2.1:5060"]),
    ];
    for (place, (answer, uri, expected)) in calls.into_iter().enumerate() {
        let told = format!("{answer:?} {uri}");
        assert_eq!(bench.asked(ALICE, &call(&format!("c{place}"), ALICE_HERE, uri), answer), expected, "{told}");
    }
    let registers = [(Answer::Proceed, "401"), (Answer::Known, "200"), (Answer::Stranger, "403"), (refuse(500), "500")];
    for (place, (answer, expected)) in registers.into_iter().enumerate() {
        let told = format!("{answer:?}");
        let sent = bench.asked(BOB, &register(&format!("r{place}"), BOB_HERE, BOB_HERE), answer);
        assert_eq!(sent, [format!("{expected} 192.0.2.4:5060")], "{told}");
    }
    // What the server answers for itself is asked about too.
    let options = register("o", BOB_HERE, BOB_HERE).replace("REGISTER", "OPTIONS");
    assert_eq!(bench.asked(BOB, &options, Answer::Proceed), ["200 192.0.2.4:5060"]);
    let step = {
        bench.receive(BOB, &options.replace("bKo", "bKo2"));
        bench.question().step
    };
    assert!(matches!(step, Step::Admission { request, flow } if request.method().as_str() == "OPTIONS"
        && flow.remote == BOB.parse().unwrap()));
    bench.comes_to_rest();
}

/// RFC 3261 §26.3.2.4: what is not let in must not serve to flood whoever it pretends to be.
#[test]
fn who_is_not_let_in_is_told_once() {
    let mut bench = bench(admission());
    assert_eq!(bench.asked(ALICE, &call("1", ALICE_HERE, BOB_HERE), refuse(403)), ["403 192.0.2.1:5060"]);
    assert!(bench.wait(Duration::from_secs(40)).is_empty());
    assert!(bench.server.is_idle());
}

#[test]
fn later_requests_in_dialogs_along_the_flow_of_somebody_known_pass() {
    let mut bench = bench(admission());
    bench.asked(ALICE, &call("1", ALICE_HERE, OUTSIDE), Answer::Known);
    let bye = in_dialog("BYE", OUTSIDE, "");
    assert_eq!(bench.asked(ALICE, &bye, Answer::Proceed), ["BYE 192.0.2.51:5060"]);
    // An ACK is nobody's to answer, and not asked about.
    let ack = summaries(&bench.receive(ALICE, &in_dialog("ACK", OUTSIDE, "")));
    assert_eq!((ack, bench.questions().len()), (["ACK 192.0.2.51:5060".to_string()].into(), 0));
    bench.comes_to_rest();
}

#[test]
fn the_application_knows_the_secrets_of_users() {
    let mut bench = bench(secrets());
    // Every domain has users now, whoever they are.
    let text = register("1", BOB_HERE, BOB_HERE);
    let challenged = bench.receive(BOB, &text);
    assert_eq!((summaries(&challenged), bench.questions().len()), (["401 192.0.2.4:5060".to_string()].into(), 0));
    let answered = |branch: &str, password: &str| again(&text, branch, &challenged[0], "bob", password);
    for (place, answer, expected) in [
        ("2", Answer::Secret(None), "401"),
        ("3", refuse(503), "503"),
        ("4", Answer::Secret(Some(Secret::password("other"))), "401"),
        ("5", Answer::Secret(Some(Secret::password("b"))), "200"),
    ] {
        assert!(bench.receive(BOB, &answered(place, "b")).is_empty());
        let question = bench.question();
        assert!(matches!(&question.step, Step::Secret { user, domain }
            if &**user == "bob" && domain.to_string() == "biloxi.com"));
        bench.server.answer(bench.now, question.id, answer).unwrap();
        assert_eq!(summaries(&bench.drain()), [format!("{expected} 192.0.2.4:5060")]);
    }
    assert_eq!(bench.server.bindings("bob@biloxi.com").len(), 1);
    // The users of the settings are not asked about.
    let text = call("a1", ALICE_HERE, BOB_HERE);
    let challenged = bench.receive(ALICE, &text);
    let sent = bench.receive(ALICE, &again(&text, "a2", &challenged[0], "alice", "a"));
    assert_eq!(summaries(&sent), ["100 192.0.2.1:5060", "INVITE 192.0.2.4:5060"]);
    // Other calls of own users are.
    let text = call("b1", BOB_HERE, OUTSIDE);
    let challenged = bench.receive(BOB, &text);
    bench.receive(BOB, &again(&text, "b2", &challenged[0], "bob", "b"));
    let sent = bench.tell_it(Answer::Secret(Some(Secret::password("b"))));
    assert_eq!(summaries(&sent), ["100 192.0.2.4:5060", "INVITE 192.0.2.51:5060"]);
    bench.comes_to_rest();
}

#[test]
fn the_application_says_which_registrations_are_followed() {
    let mut bench = Bench::with(|settings| settings.steps = registration());
    let text = |branch| register(branch, BOB_HERE, BOB_HERE);
    assert_eq!(bench.asked(BOB, &text("1"), refuse(403)), ["403 192.0.2.4:5060"]);
    assert!(bench.server.bindings("bob@biloxi.com").is_empty());
    assert_eq!(bench.asked(BOB, &text("2"), Answer::Proceed), ["200 192.0.2.4:5060"]);
    assert_eq!(bench.server.bindings("bob@biloxi.com").len(), 1);
    // Who has not proved who they are is challenged first.
    let mut guarded = Bench::with(|settings| {
        settings.users = [user("bob", "b")].into();
        settings.steps = registration();
    });
    assert_eq!(summaries(&guarded.receive(BOB, &text("1"))), ["401 192.0.2.4:5060"]);
    assert!(guarded.questions().is_empty());
    bench.comes_to_rest();
}

#[test]
fn the_application_says_where_requests_go() {
    let mut bench = Bench::with(|settings| settings.steps = routing());
    bench.register(1);
    let calls: [(Answer, &[&str]); 6] = [
        (Answer::Proceed, &["100 192.0.2.1:5060", "INVITE 192.0.2.4:5060"]),
        (
            Answer::Forward([target("sip:b@192.0.2.60"), target("sip:b@192.0.2.61")].into()),
            &["100 192.0.2.1:5060", "INVITE 192.0.2.60:5060", "INVITE 192.0.2.61:5060"],
        ),
        (Answer::Forward(Vec::new()), &["100 192.0.2.1:5060", "480 192.0.2.1:5060"]),
        (Answer::Redirect([target("sip:b@192.0.2.60").with_q(500)].into()), &["302 192.0.2.1:5060"]),
        (Answer::Redirect(Vec::new()), &["480 192.0.2.1:5060"]),
        (refuse(603), &["603 192.0.2.1:5060"]),
    ];
    for (place, (answer, expected)) in calls.into_iter().enumerate() {
        let told = format!("{answer:?}");
        let text = invite().replace("nashds8", &format!("call{place}"));
        assert!(bench.receive(ALICE, &text).is_empty());
        let question = bench.question();
        assert!(matches!(&question.step, Step::Routing { uri, flow: Some(_), is_allowed: false, .. }
            if uri.to_string() == "sip:bob@biloxi.com"));
        bench.server.answer(bench.now, question.id, answer).unwrap();
        let sent = bench.drain();
        assert_eq!(summaries(&sent), expected, "{told}");
        if expected[0].starts_with("302") {
            assert_eq!(sent[0].values(HeaderId::Contact), ["<sip:b@192.0.2.60>;q=0.5"]);
        }
    }
    assert!(bench.events.iter().any(|event| matches!(event, Event::Redirected { address_of_record, contacts }
        if &**address_of_record == "bob@biloxi.com" && contacts[0].to_string() == "sip:b@192.0.2.60")));
    // An ACK is asked about, and follows the first target.
    let ack = in_dialog("ACK", "sip:bob@biloxi.com", "");
    let way = Answer::Forward([target("sip:b@192.0.2.60"), target("sip:b@192.0.2.61")].into());
    assert_eq!(bench.asked(ALICE, &ack, way), ["ACK 192.0.2.60:5060"]);
    assert!(bench.asked(ALICE, &ack.replace("nashds8", "a2"), refuse(403)).is_empty());
    // What the server settles itself is not.
    assert_eq!(
        summaries(&bench.receive(BOB, &register("o", BOB_HERE, BOB_HERE).replace("REGISTER", "OPTIONS"))).len(),
        1
    );
    assert!(bench.questions().is_empty());
    bench.comes_to_rest();
}

/// RFC 3261 §16.7 step 4: a contact goes where the application says, which is asked about each.
#[test]
fn the_application_says_where_the_contacts_of_a_3xx_lead() {
    let mut bench = Bench::with(|settings| {
        settings.steps = routing();
        settings.proxy.recursion = true;
    });
    bench.receive(ALICE, &invite());
    let sent = bench.tell_it(Answer::Forward([target("sip:b@192.0.2.60")].into()));
    let contacts = [(HeaderId::Contact, "<sip:x@biloxi.com>, <sip:y@biloxi.com>")];
    bench.answer_with(&sent[1], 302, &contacts);
    let first = bench.question();
    assert!(matches!(&first.step, Step::Routing { uri, flow: None, is_allowed: false, .. }
        if uri.to_string() == "sip:x@biloxi.com"));
    bench.server.answer(bench.now, first.id, refuse(403)).unwrap();
    assert!(bench.drain().is_empty());
    let sent = bench.tell_it(Answer::Forward([target("sip:y@192.0.2.62")].into()));
    assert_eq!(summaries(&sent), ["INVITE 192.0.2.62:5060"]);
    bench.comes_to_rest();
}

/// One request may be asked about in every step. Its credentials are no replay when it is decided on again.
#[test]
fn all_steps_of_one_request_are_asked_in_their_order() {
    let mut bench = Bench::with(|settings| {
        settings.steps = Steps { admission: true, secrets: true, registration: true, routing: true };
        settings.registrar.store = Store::Owner;
    });
    let text = register("1", BOB_HERE, BOB_HERE);
    assert!(bench.receive(BOB, &text).is_empty());
    let challenged = bench.tell_it(Answer::Proceed);
    bench.receive(BOB, &again(&text, "2", &challenged[0], "bob", "b"));
    let secret = || Answer::Secret(Some(Secret::password("b")));
    let unknown = || Answer::Bindings(registrar::Answer::Unknown);
    for answer in [Answer::Proceed, secret(), Answer::Proceed, unknown()] {
        assert!(bench.tell_it(answer).is_empty());
    }
    let sent = bench.tell_it(Answer::Bindings(registrar::Answer::Stored));
    assert_eq!(summaries(&sent), ["200 192.0.2.4:5060"]);
    assert!(sent[0].values(HeaderId::AuthenticationInfo)[0].contains("rspauth="));

    let text = call("c1", BOB_HERE, ALICE_HERE);
    bench.receive(BOB, &text);
    let challenged = bench.tell_it(Answer::Proceed);
    bench.receive(BOB, &again(&text, "c2", &challenged[0], "bob", "b"));
    for answer in [Answer::Proceed, secret()] {
        assert!(bench.tell_it(answer).is_empty());
    }
    let question = bench.question();
    assert!(matches!(question.step, Step::Routing { is_allowed: true, .. }));
    bench.server.answer(bench.now, question.id, Answer::Proceed).unwrap();
    assert_eq!(summaries(&bench.drain()), ["100 192.0.2.4:5060"]);
    assert_eq!(summaries(&bench.tell_it(unknown())), ["404 192.0.2.4:5060"]);
    bench.comes_to_rest();
}

/// For each step a request that it asks about, and an answer that is none to it.
fn each_step() -> [(Steps, String, Answer); 4] {
    let credentials = |text: String| {
        let mut other = bench(secrets());
        let challenged = other.receive(ALICE, &text);
        again(&text, "z", &challenged[0], "bob", "b")
    };
    let call = |branch| call(branch, ALICE_HERE, BOB_HERE);
    [
        (admission(), call("1"), Answer::Secret(None)),
        (secrets(), credentials(super::authenticating::call("1", BOB_HERE, OUTSIDE)), Answer::Proceed),
        (registration(), register("1", BOB_HERE, BOB_HERE), Answer::Known),
        (routing(), call("1"), Answer::Stranger),
    ]
}

fn open_bench(steps: Steps) -> Bench {
    Bench::with(|settings| settings.steps = steps)
}

#[test]
fn without_an_answer_a_request_gets_a_500_and_a_late_answer_is_gone() {
    for (steps, text, _) in each_step() {
        let mut bench = open_bench(steps);
        bench.receive(ALICE, &text);
        let question = bench.question();
        assert_eq!(bench.server.user().census().questions, 1);
        // A retransmission is absorbed, and nobody is asked again.
        bench.receive(ALICE, &text);
        assert!(bench.questions().is_empty());
        let almost = bench.wait(Duration::from_millis(9_999));
        assert!(summaries(&almost).iter().all(|sent| sent.starts_with("100 ")), "{:?}", summaries(&almost));
        let is_invite = text.starts_with("INVITE");
        assert_eq!(bench.now, Instant::from_millis(9_999));
        // RFC 3261 §17.2.1, RFC 4320 §4.1.
        assert!(!almost.is_empty(), "a 100 after 200 ms or 3.5 s, INVITE: {is_invite}");
        let sent = bench.wait(Duration::from_millis(1));
        assert!(summaries(&sent)[0].starts_with("500 "), "{:?}", summaries(&sent));
        assert_eq!(bench.server.answer(bench.now, question.id, refuse(403)), Err(CommandError::Gone));
        assert_eq!(bench.server.user().census().questions, 0);
        bench.comes_to_rest();
    }
}

/// The application has 20·T1 for all answers about a request, not for each.
#[test]
fn the_time_is_one_for_all_steps() {
    let steps = Steps { admission: true, routing: true, ..Steps::default() };
    let mut bench = open_bench(steps);
    bench.receive(ALICE, &invite());
    bench.wait(Duration::from_secs(9));
    assert!(bench.tell_it(Answer::Proceed).is_empty());
    assert_eq!(bench.questions().len(), 1);
    let sent = summaries(&bench.wait(Duration::from_secs(1)));
    assert!(sent.contains(&"500 192.0.2.1:5060".to_string()), "{sent:?}");
    bench.comes_to_rest();
}

/// RFC 4320 §4.2: the time that the application takes is the sender's, who gives up 64·T1 after the request.
#[test]
fn a_request_that_was_held_back_ends_when_its_sender_gives_up() {
    let mut bench = open_bench(routing());
    bench.receive(ALICE, &in_dialog("BYE", "sip:bob@biloxi.com", ""));
    bench.wait(Duration::from_secs(9));
    let bye = bench.tell_it(Answer::Forward([target("sip:bob@192.0.2.4")].into())).remove(0);
    assert_eq!(bye.summary(), "BYE 192.0.2.4:5060");
    let sent = bench.wait(Duration::from_millis(22_999));
    assert!(sent.iter().all(|sent| sent.summary() == bye.summary()), "{:?}", summaries(&sent));
    assert_eq!(bench.server.endpoint().census().client_transactions, 1);
    bench.wait(Duration::from_millis(1));
    assert_eq!(bench.server.endpoint().census().client_transactions, 0);
    assert_eq!(summaries(&bench.answer(&bye, 200)), [""; 0]);
    bench.comes_to_rest();
}

#[test]
fn a_wrong_answer_is_refused_and_a_second_one_gone() {
    for (steps, text, wrong) in each_step() {
        let mut bench = open_bench(steps);
        bench.receive(ALICE, &text);
        let question = bench.question();
        let none = Answer::Bindings(registrar::Answer::Failed);
        for wrong in [wrong, none] {
            assert_eq!(bench.server.answer(bench.now, question.id, wrong), Err(CommandError::WrongState));
        }
        for status in [180, 200, 302] {
            let told = bench.server.answer(bench.now, question.id, refuse(status));
            assert_eq!(told, Err(CommandError::Invalid("status")));
        }
        assert!(bench.drain().is_empty());
        bench.server.answer(bench.now, question.id, refuse(500)).unwrap();
        assert!(summaries(&bench.drain())[0].starts_with("500 "));
        assert_eq!(bench.server.answer(bench.now, question.id, refuse(500)), Err(CommandError::Gone));
        bench.comes_to_rest();
    }
}

/// RFC 3261 §9.2.
#[test]
fn a_cancel_ends_the_question_about_a_call() {
    for (steps, text, _) in each_step().into_iter().filter(|(_, text, _)| text.starts_with("INVITE")) {
        let mut bench = open_bench(steps);
        bench.receive(ALICE, &text);
        let question = bench.question();
        let cancel = text.replace("INVITE", "CANCEL");
        let sent = summaries(&bench.receive(ALICE, &cancel));
        assert_eq!(sent, ["200 192.0.2.1:5060", "487 192.0.2.1:5060"]);
        assert_eq!(bench.server.answer(bench.now, question.id, refuse(500)), Err(CommandError::Gone));
        assert!(bench.drain().is_empty());
        bench.comes_to_rest();
    }
    // Nothing but an INVITE is cancelled.
    let mut bench = open_bench(registration());
    let text = register("1", BOB_HERE, BOB_HERE);
    bench.receive(BOB, &text);
    assert_eq!(summaries(&bench.receive(BOB, &text.replace("REGISTER", "CANCEL"))), ["200 192.0.2.4:5060"]);
    assert_eq!(summaries(&bench.tell_it(Answer::Proceed)), ["200 192.0.2.4:5060"]);
}

#[test]
fn questions_have_a_limit() {
    let mut bench = Bench::with(|settings| {
        settings.steps = admission();
        settings.questions = 1;
    });
    assert!(bench.receive(ALICE, &invite()).is_empty());
    let sent = bench.receive(BOB, &register("1", BOB_HERE, BOB_HERE));
    assert_eq!(summaries(&sent), ["503 192.0.2.4:5060"]);
    assert_eq!(sent[0].values(HeaderId::RetryAfter), ["10"]);
    assert!(bench.events.iter().any(|event| matches!(event, Event::Overload { limit: Limit::QUESTIONS, .. })));
    bench.comes_to_rest();
}
