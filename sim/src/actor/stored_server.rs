//! A domain's server whose bindings are in the store of its farm.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use sansip::registrar;
use sansip::server::{self, Answer, Event, Question, QuestionId, Server, Step};
use sansip::{ConnectionId, Duration, Flow, Input, Instant, ListenerId, Node, Output, Transmit};

use super::{Actor, Census, Recipe, states_of, store, transaction_of};
use crate::trace::{Note, State};

/// So long a question waits for its answer before it is asked again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A member of a farm in a world: a server, and the application that asks the store for it.
#[derive(Clone, Debug)]
pub struct StoredServerActor {
    name: String,
    server: Server,
    store: SocketAddr,
    life: u32,
    asked: BTreeMap<String, Asked>,
    questions: u64,
    out: VecDeque<Output<Note>>,
    /// Tells the front that the server is there again.
    hello: Transmit,
    recipe: Recipe<Server>,
}

/// A question that has no answer yet.
#[derive(Clone, Debug)]
struct Asked {
    question: QuestionId,
    text: String,
    again: Instant,
    /// When the server itself gives it up.
    until: Instant,
}

impl StoredServerActor {
    /// The listener from which the store is asked, for UDP.
    pub const ASKING: ListenerId = ListenerId::from_parts(u32::MAX, 1);

    /// The server of this recipe, which is given the number of its life, where its store is, and the flow to its front.
    pub fn new(
        name: &str,
        build: impl Fn(u32) -> Server + Send + Sync + 'static,
        store: SocketAddr,
        front: Flow,
    ) -> Self {
        let recipe = Recipe::new(build);
        Self {
            name: name.to_owned(),
            server: recipe.build(0),
            store,
            life: 0,
            asked: BTreeMap::new(),
            questions: 0,
            out: VecDeque::new(),
            hello: Transmit { flow: front, ttl: None, bytes: b"\r\n\r\n".as_slice().into() },
            recipe,
        }
    }

    fn ask(&mut self, now: Instant, question: QuestionId, address_of_record: &str, step: &registrar::Step) {
        self.questions += 1;
        let id = format!("{}.{}.{}", self.name, self.life, self.questions);
        let text = store::question(&id, address_of_record, step);
        self.send(&text);
        let until = now + AGAIN_AFTER * 20;
        self.asked.insert(id, Asked { question, text, again: now + AGAIN_AFTER, until });
    }

    fn send(&mut self, text: &str) {
        self.out.push_back(Output::Send(store::datagram(Self::ASKING, self.store, text)));
    }

    fn answered(&mut self, now: Instant, bytes: &[u8]) {
        let Some((id, answer)) = std::str::from_utf8(bytes).ok().and_then(store::answer) else { return };
        if let Some(asked) = self.asked.remove(id) {
            // The server may have given it up.
            let _ = self.server.answer(now, asked.question, Answer::Bindings(answer));
        }
    }

    fn ask_again(&mut self, now: Instant) {
        self.asked.retain(|_, asked| now < asked.until);
        let mut texts = Vec::new();
        for asked in self.asked.values_mut().filter(|asked| asked.again <= now) {
            asked.again = now + AGAIN_AFTER;
            texts.push(asked.text.clone());
        }
        texts.iter().for_each(|text| self.send(text));
    }
}

impl Node for StoredServerActor {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Datagram { listener, bytes, .. } if listener == Self::ASKING => self.answered(now, bytes),
            Input::Unreachable { listener, .. } if listener == Self::ASKING => {}
            input => self.server.handle(now, input),
        }
        self.ask_again(now);
        // A question that comes up is asked at this moment.
        let mut outputs = VecDeque::new();
        while let Some(output) = self.server.poll() {
            match output.into_event() {
                Ok(Event::Question(Question { id, step: Step::Bindings { address_of_record, step } })) => {
                    self.ask(now, id, &address_of_record, &step);
                }
                Ok(_) => {}
                Err(output) => outputs.push_back(output),
            }
        }
        self.out.append(&mut outputs);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        self.out.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        let asked = self.asked.values().map(|asked| asked.again.min(asked.until));
        asked.chain(self.server.deadline()).min()
    }

    fn is_idle(&self) -> bool {
        self.out.is_empty() && self.server.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.server.reserve()
    }
}

impl Actor for StoredServerActor {
    fn restarted(&self, _: Instant, life: u32) -> Option<Box<dyn Actor>> {
        let mut server = Self { life, ..self.clone() };
        server.server = self.recipe.build(life);
        server.asked.clear();
        server.out = [Output::Send(self.hello.clone())].into();
        Some(Box::new(server))
    }

    fn census(&self) -> Census {
        let (endpoint, server) = (self.server.endpoint().census(), self.server.user().census());
        Census { endpoint, server, ..Census::default() }
    }

    fn states(&self) -> Vec<State> {
        states_of(&self.server)
    }

    fn transaction_of(&self, request: &[u8], is_sent: bool) -> Option<String> {
        transaction_of(self.server.endpoint(), request, is_sent)
    }

    fn capacity(&self) -> Census {
        let (endpoint, server) = (self.server.endpoint().capacity(), self.server.user().capacity());
        Census { endpoint, server, ..Census::default() }
    }

    fn settings(&self) -> Option<Arc<server::Settings>> {
        Some(Arc::new(self.server.settings().clone()))
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
