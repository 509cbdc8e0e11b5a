//! Steps that the application takes over: decisions that need an answer of the application ask for it, and go on with the answer.
//!
//! A decision is made from its beginning as often as an answer has come, with all that is known by then. So a step needs no memory of where
//! it stood.

use alloc::boxed::Box;

use super::forwarding::Forwarding;
use super::known::{Ask, Known};
use super::question::{Answer, Question, QuestionId, QuestionKind, Step};
use super::{Core, Cx, Event, role};
use crate::endpoint::{Arrival, Held};
use crate::error::{CommandError, Limit};
use crate::flow::Flow;
use crate::id::Arena;
use crate::message::{HeaderId, Method, Request, Response, StatusCode};
use crate::proxy::{Redirection, Refusal};
use crate::registrar::{self, Progress, RegisterId, Registered};
use crate::stack::Stack;
use crate::tag::{Tag, work};
use crate::time::Instant;
use crate::timer::TimerId;

work! {
    /// The purpose of a transaction or timer.
    pub(super) enum Work {
        /// The server transaction of a request that is held back.
        Held(QuestionId) = 1,
        /// The end of the time for an answer.
        Deadline(QuestionId) = 2,
    }
}

impl Limit {
    /// [`Settings::questions`](super::Settings::questions): 503.
    pub const QUESTIONS: Self = Self::named("questions");
}

/// How long the application has for all answers about one request, in units of T1.
const ANSWER_WITHIN: u32 = 20;

/// Seconds after which a sender may try again for whom there was no room.
const RETRY_AFTER: &str = "10";

/// The purpose of a question.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// A request is decided on.
    Request(Box<Held>),
    /// A REGISTER goes on.
    Register(RegisterId),
    /// A request is forwarded.
    Forward(Box<Forwarding>),
    /// An ACK is relayed.
    Acknowledge { ack: Request, flow: Flow },
    /// The contacts of a 3xx are tried.
    Follow(Redirection),
}

/// A question that has no answer yet.
#[derive(Clone, Debug)]
struct Open {
    purpose: Purpose,
    step: Step,
    known: Known,
    deadline: TimerId,
}

/// The questions that have no answer yet.
#[derive(Clone, Debug)]
pub(super) struct Questions(Arena<QuestionKind, Open>);

impl Questions {
    pub(super) const fn new() -> Self {
        Self(Arena::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl Stack<Core> {
    /// The answer to a [`Question`].
    ///
    /// An application that says itself where calls go:
    ///
    /// ```
    /// use sansip::proxy::Target;
    /// use sansip::server::{Answer, Event, Settings, Step, Steps};
    /// use sansip::{Config, Input, Instant, Listener, Node, Output, Seed, Server};
    ///
    /// let steps = Steps { routing: true, ..Steps::default() };
    /// let settings = Settings { domains: vec!["biloxi.com".parse()?], steps, ..Settings::default() };
    /// let mut server = Server::server(Config::new(Seed::from_u64(1)), settings);
    /// let listener = server.listen(Listener::udp("192.0.2.3:5060".parse()?));
    /// let bytes = b"MESSAGE sip:sales@biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
    ///     Max-Forwards: 70\r\nTo: <sip:sales@biloxi.com>\r\nFrom: <sip:alice@atlanta.com>;tag=1\r\nCall-ID: 1\r\n\
    ///     CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n";
    /// let now = Instant::ZERO;
    /// server.handle(now, Input::Datagram { listener, remote: "192.0.2.1:5060".parse()?, bytes });
    /// let Some(Output::Event(Event::Question(question))) = server.poll() else { panic!("a question") };
    /// let Step::Routing { uri, is_allowed: false, .. } = question.step else { panic!("another question") };
    /// assert_eq!(uri.to_string(), "sip:sales@biloxi.com");
    /// let target = Target::new("sip:bob@192.0.2.4".parse()?);
    /// server.answer(now, question.id, Answer::Forward(vec![target]))?;
    /// let Some(Output::Send(message)) = server.poll() else { panic!("the request goes on") };
    /// assert!(message.bytes.starts_with(b"MESSAGE sip:bob@192.0.2.4 SIP/2.0\r\n"));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// And one that keeps the bindings in a store of its own:
    ///
    /// ```
    /// use sansip::registrar::{self, Store};
    /// use sansip::server::{Answer, Event, Settings, Step};
    /// use sansip::{Config, Input, Instant, Listener, Node, Output, Seed, Server};
    ///
    /// let registrar = registrar::Settings { store: Store::Owner, ..registrar::Settings::default() };
    /// let settings = Settings { domains: vec!["biloxi.com".parse()?], registrar, ..Settings::default() };
    /// let mut server = Server::server(Config::new(Seed::from_u64(1)), settings);
    /// let listener = server.listen(Listener::udp("192.0.2.3:5060".parse()?));
    /// let bytes = b"REGISTER sip:biloxi.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1\r\n\
    ///     Max-Forwards: 70\r\nTo: <sip:bob@biloxi.com>\r\nFrom: <sip:bob@biloxi.com>;tag=1\r\nCall-ID: 1\r\n\
    ///     CSeq: 1 REGISTER\r\nContact: <sip:bob@192.0.2.4>\r\nContent-Length: 0\r\n\r\n";
    /// let now = Instant::ZERO;
    /// server.handle(now, Input::Datagram { listener, remote: "192.0.2.4:5060".parse()?, bytes });
    /// let Some(Output::Event(Event::Question(fetch))) = server.poll() else { panic!("a question") };
    /// let Step::Bindings { address_of_record, step: registrar::Step::Fetch } = fetch.step else { panic!("to fetch") };
    /// assert_eq!(&*address_of_record, "bob@biloxi.com");
    /// server.answer(now, fetch.id, Answer::Bindings(registrar::Answer::Unknown))?;
    /// let Some(Output::Event(Event::Question(store))) = server.poll() else { panic!("another question") };
    /// let Step::Bindings { step: registrar::Step::Store(record), .. } = store.step else { panic!("to store") };
    /// assert_eq!((record.version, record.bindings.len()), (0, 1));
    /// server.answer(now, store.id, Answer::Bindings(registrar::Answer::Stored))?;
    /// assert!(matches!(server.poll(), Some(Output::Send(ok)) if ok.bytes.starts_with(b"SIP/2.0 200 ")));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Gone` if the question is: it was answered, given up 20·T1 after the first question about its request, or its call was cancelled. `WrongState` if
    /// this is no answer to it, and `Invalid` for a status below 400 that is to refuse it: it stays open then.
    pub fn answer(&mut self, now: Instant, question: QuestionId, answer: Answer) -> Result<(), CommandError> {
        self.command(now, |core, cx| core.answered(cx, question, answer))
    }
}

impl Core {
    /// Asks the application. If too many questions are open the purpose comes to nothing.
    pub(super) fn ask(&mut self, cx: &mut Cx<'_>, ask: Ask, purpose: Purpose, known: Known) {
        match self.has_room(cx) {
            true => self.open(cx, ask, known, |_, _| purpose),
            false => self.ends_without(cx, purpose, StatusCode::SERVICE_UNAVAILABLE),
        }
    }

    /// As [`ask`](Self::ask), about a request that is decided on then. Its sender is answered statelessly if too many questions are open.
    pub(super) fn ask_about(&mut self, cx: &mut Cx<'_>, ask: Ask, arrival: Arrival, known: Known) {
        if !self.has_room(cx) {
            let response = Response::to(&arrival.request, StatusCode::SERVICE_UNAVAILABLE);
            return cx.answer_once(&arrival, response.header(HeaderId::RetryAfter, RETRY_AFTER));
        }
        self.open(cx, ask, known, |cx, id| Purpose::Request(Box::new(cx.hold_back(arrival, Work::Held(id)))));
    }

    fn has_room(&self, cx: &mut Cx<'_>) -> bool {
        let has_room = self.questions.0.len() < self.settings.questions;
        if !has_room {
            cx.refused(Limit::QUESTIONS);
        }
        has_room
    }

    fn open(
        &mut self,
        cx: &mut Cx<'_>,
        Ask(step): Ask,
        mut known: Known,
        purpose: impl FnOnce(&mut Cx<'_>, QuestionId) -> Purpose,
    ) {
        let at = cx.now() + cx.config().timers.t1.saturating_mul(ANSWER_WITHIN);
        let at = *known.until.get_or_insert(at);
        let told = Step::clone(&step);
        let id = self.questions.0.insert_with(|id| {
            let mut cx = cx.for_role(role::QUESTION);
            let purpose = purpose(&mut cx, id);
            let deadline = cx.arm(at, Work::Deadline(id));
            Open { purpose, step: *step, known, deadline }
        });
        cx.emit(Event::Question(Question { id, step: told }));
    }

    fn answered(&mut self, cx: &mut Cx<'_>, id: QuestionId, answer: Answer) -> Result<(), CommandError> {
        let open = self.questions.0.get(id).ok_or(CommandError::Gone)?;
        answer.fits(&open.step)?;
        let Open { purpose, step, mut known, deadline } = self.questions.0.remove(id).ok_or(CommandError::Gone)?;
        cx.disarm(deadline);
        match (purpose, answer) {
            (Purpose::Register(id), Answer::Bindings(answer)) => {
                let progress = self.registrar.answer(&mut cx.for_role(role::REGISTRAR), id, answer)?;
                self.register_goes_on(cx, progress);
            }
            (Purpose::Forward(forwarding), _) if !self.proxy.is_asking(forwarding.id) => {
                return Err(CommandError::Gone);
            }
            (Purpose::Request(held), Answer::Refuse(status, fields)) => {
                let arrival = cx.resume(*held);
                let response = fields.add_to_response(Response::to(&arrival.request, status));
                match step {
                    Step::Admission { .. } | Step::Secret { .. } => cx.answer_once(&arrival, response),
                    _ => self.deny(cx, arrival, response),
                }
            }
            (purpose, answer) => match self.learn(cx, &mut known, step, answer) {
                Ok(()) => self.goes_on(cx, purpose, known),
                Err(status) => self.ends_without(cx, purpose, status),
            },
        }
        Ok(())
    }

    /// A purpose goes on with what is known now.
    fn goes_on(&mut self, cx: &mut Cx<'_>, purpose: Purpose, known: Known) {
        match purpose {
            Purpose::Request(held) => {
                let arrival = cx.resume(*held);
                self.request(cx, arrival, known);
            }
            Purpose::Register(_) => {}
            Purpose::Forward(forwarding) => self.go_on(cx, *forwarding, known),
            Purpose::Acknowledge { ack, flow } => self.ack(cx, &ack, flow, known),
            Purpose::Follow(redirection) => self.redirected(cx, redirection, known),
        }
    }

    /// A REGISTER is answered, or waits for the application's store.
    pub(super) fn register_goes_on(&mut self, cx: &mut Cx<'_>, progress: Progress) {
        match progress {
            Progress::Over(Registered { changes, is_bound, flow }) => {
                if let Some(flow) = flow.filter(|_| is_bound) {
                    self.knows(cx, flow);
                }
                changes.into_iter().for_each(|change| cx.emit(Event::Binding(change)));
            }
            Progress::Asks(registrar::Question { id, address_of_record, step }) => {
                let ask = Ask::new(Step::Bindings { address_of_record, step });
                self.ask(cx, ask, Purpose::Register(id), Known::default());
            }
        }
    }

    /// The time for an answer is over.
    pub(super) fn question_timer(&mut self, cx: &mut Cx<'_>, tag: Tag) {
        let Ok(Work::Deadline(id)) = tag.try_into() else { return };
        if let Some(open) = self.questions.0.remove(id) {
            self.ends_without(cx, open.purpose, StatusCode::SERVER_INTERNAL_ERROR);
        }
    }

    /// A CANCEL has come for a request that is held back: an INVITE is over (RFC 3261 §8.3, §9.2).
    pub(super) fn cancel_question(&mut self, cx: &mut Cx<'_>, tag: Tag) {
        let Ok(Work::Held(id)) = tag.try_into() else { return };
        let is_invite = |open: &Open| match &open.purpose {
            Purpose::Request(held) => held.request().method() == Method::Invite,
            _ => false,
        };
        if self.questions.0.get(id).is_some_and(is_invite)
            && let Some(open) = self.questions.0.remove(id)
        {
            cx.disarm(open.deadline);
            self.ends_without(cx, open.purpose, StatusCode::REQUEST_TERMINATED);
        }
    }

    /// A purpose comes to nothing, and a request that waits for it gets this status. Where proxy or registrar have given up already nothing is said.
    fn ends_without(&mut self, cx: &mut Cx<'_>, purpose: Purpose, status: StatusCode) {
        match purpose {
            Purpose::Request(held) => {
                let arrival = cx.resume(*held);
                self.answer(cx, arrival, status);
            }
            Purpose::Register(id) => {
                let failed = registrar::Answer::Failed;
                let ended = self.registrar.answer(&mut cx.for_role(role::REGISTRAR), id, failed);
                if let Ok(progress) = ended {
                    self.register_goes_on(cx, progress);
                }
            }
            Purpose::Forward(forwarding) => {
                let _ = self.proxy.refuse(&mut cx.for_role(role::PROXY), forwarding.id, status);
                self.call_goes_on(cx, forwarding.id, None);
            }
            Purpose::Acknowledge { ack, flow } => {
                let refusal = Refusal::Status(status);
                self.proxy.discard(cx, &ack, flow, &refusal);
            }
            Purpose::Follow(redirection) => {
                let _ = self.proxy.follow(&mut cx.for_role(role::PROXY), &redirection, &[]);
            }
        }
    }
}
