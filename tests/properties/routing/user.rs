//! A phone of the network with its user.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sansip::message::{Method, Request, StatusCode};
use sansip::user_agent::{Body, Event, Outgoing, Register, Reply, RequestId, UserAgent};
use sansip::{CallId, CommandError, ConnectionId, Duration, Input, Instant, Node, Output};
use sansip_sim::actor::{Actor, Census};
use sansip_sim::packet::Packet;
use sansip_sim::trace::Note;

use super::plan::What;

/// How long a callee thinks.
const RINGING: Duration = Duration::from_millis(5_000);
/// When calls that nobody answers are given up, when calls are hung up, and when those that are left are.
const CANCEL: Instant = Instant::from_millis(40_000);
const HANG_UP: Instant = Instant::from_millis(60_000);
const LAST: Instant = Instant::from_millis(110_000);

/// How a request of a user has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The status and the body of the final response.
    Replied(u16, Vec<u8>),
    /// There was none.
    Unanswered,
    /// The call is up: its Call-ID, our tag and the callee's.
    Answered([String; 3]),
    Failed(u16),
}

/// The outcomes that a user was told, by the number of the request, or what went wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) outcomes: BTreeMap<usize, Vec<Outcome>>,
    pub(super) wrong: Vec<String>,
}

#[derive(Clone, Debug)]
enum Deed {
    Register(Box<Register>),
    Ask(usize, What, Box<Outgoing>),
    Answer(CallId),
    Cancel(CallId),
    HangUp(CallId),
}

#[derive(Clone, Debug)]
pub(super) struct User {
    agent: UserAgent,
    now: Instant,
    deeds: BTreeMap<(Instant, usize), Deed>,
    count: usize,
    calls: BTreeMap<CallId, (usize, What)>,
    asks: BTreeMap<RequestId, usize>,
    told: Arc<Mutex<Told>>,
}

impl User {
    pub(super) fn new(agent: UserAgent) -> (Self, Arc<Mutex<Told>>) {
        let told = Arc::<Mutex<Told>>::default();
        let (deeds, calls, asks) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        (Self { agent, now: Instant::ZERO, deeds, count: 0, calls, asks, told: Arc::clone(&told) }, told)
    }

    pub(super) fn register(&mut self, register: Register) {
        self.plan(Instant::ZERO, Deed::Register(Box::new(register)));
    }

    pub(super) fn ask(&mut self, at: u64, number: usize, what: What, outgoing: Outgoing) {
        self.plan(Instant::from_millis(at), Deed::Ask(number, what, Box::new(outgoing)));
    }

    fn plan(&mut self, at: Instant, deed: Deed) {
        self.count += 1;
        self.deeds.insert((at, self.count), deed);
    }

    fn change(&self, change: impl FnOnce(&mut Told)) {
        change(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn end(&self, number: usize, outcome: Outcome) {
        self.change(|told| told.outcomes.entry(number).or_default().push(outcome));
    }

    fn act(&mut self, deed: Deed) {
        let now = self.now;
        match deed {
            Deed::Register(register) => drop(self.agent.register(now, *register).expect("a registration")),
            Deed::Ask(number, What::Message, outgoing) => match self.agent.ask(now, Method::Message, *outgoing) {
                Ok(request) => drop(self.asks.insert(request, number)),
                Err(error) => self.change(|told| told.wrong.push(format!("{number}: {error}"))),
            },
            Deed::Ask(number, what, outgoing) => match self.agent.call(now, *outgoing) {
                Ok(call) => {
                    self.calls.insert(call, (number, what));
                    if what == What::Ringing {
                        self.plan(CANCEL, Deed::Cancel(call));
                    }
                }
                Err(error) => self.change(|told| told.wrong.push(format!("{number}: {error}"))),
            },
            Deed::Answer(call) => {
                let _ = self.agent.answer(now, call, Body::sdp("v=0\r\ns=answer\r\n"));
            }
            Deed::Cancel(call) => {
                let _ = self.agent.cancel(now, call);
            }
            Deed::HangUp(call) => match self.agent.hang_up(now, call) {
                Ok(()) | Err(CommandError::Gone | CommandError::WrongState | CommandError::Invalid(_)) => {}
                Err(error) => self.change(|told| told.wrong.push(format!("cannot hang up: {error}"))),
            },
        }
    }

    fn hear(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::RegistrationFailed { cause, .. } => {
                self.change(|told| told.wrong.push(format!("no registration: {cause:?}")));
            }
            Event::Asked { served, request, .. } => {
                let reply = Reply::new(StatusCode::OK).body(Body::new("text/plain", answer_to(request.body())));
                let _ = self.agent.respond(now, served, reply);
            }
            Event::Replied { request, response } => {
                if let Some(number) = self.asks.remove(&request) {
                    self.end(number, Outcome::Replied(response.status().get(), response.body().to_vec()));
                }
            }
            Event::Unanswered { request, .. } => {
                if let Some(number) = self.asks.remove(&request) {
                    self.end(number, Outcome::Unanswered);
                }
            }
            Event::Incoming { call, request, .. } => {
                let _ = self.agent.ring(now, call);
                if wish(&request) != What::Ringing {
                    self.plan(now + RINGING, Deed::Answer(call));
                }
                let hangs_up = wish(&request) == What::CallEndedThere;
                self.plan(if hangs_up { HANG_UP } else { LAST }, Deed::HangUp(call));
            }
            Event::Answered { call, response } => {
                if let Some((number, what)) = self.calls.get(&call).copied() {
                    let packet = Packet::read(response.as_bytes()).expect("a response");
                    let names = [packet.call_id, packet.from_tag, packet.to_tag].map(str::to_owned);
                    self.end(number, Outcome::Answered(names));
                    self.plan(if what == What::Call { HANG_UP } else { LAST }, Deed::HangUp(call));
                }
            }
            Event::Failed { call, cause } => {
                if let Some((number, _)) = self.calls.get(&call) {
                    self.end(*number, Outcome::Failed(cause.counts_as().get()));
                }
            }
            _ => {}
        }
    }
}

/// The body of the answer to a request with that body.
pub(super) fn answer_to(body: &[u8]) -> Vec<u8> {
    [b"re: ", body].concat()
}

/// The caller's wish for the call.
fn wish(request: &Request) -> What {
    match request.headers().raw("X-Wish") {
        Some(b"there") => What::CallEndedThere,
        Some(b"ringing") => What::Ringing,
        _ => What::Call,
    }
}

impl Node for User {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.now = self.now.max(now);
        while let Some(entry) = self.deeds.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let deed = entry.remove();
            self.act(deed);
        }
        self.agent.handle(now, input);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        loop {
            match self.agent.poll()?.into_event() {
                Ok(event) => self.hear(event),
                Err(output) => return Some(output),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let deed = self.deeds.first_key_value().map(|((at, _), _)| *at);
        [deed, self.agent.deadline()].into_iter().flatten().min()
    }

    fn is_idle(&self) -> bool {
        self.deeds.is_empty() && self.agent.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.agent.reserve()
    }
}

impl Actor for User {
    fn census(&self) -> Census {
        let (endpoint, user_agent) = (self.agent.endpoint().census(), self.agent.user().census());
        Census { endpoint, user_agent, ..Census::default() }
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
