//! A user agent and its user, who follows a script.

use std::collections::VecDeque;

use sansip::message::header::NameAddrBuf;
use sansip::message::{StatusCode, UriBuf};
use sansip::user_agent::{Body, EndCause, Event, UserAgent};
use sansip::{CallId, CommandError, ConnectionId, Duration, Input, Instant, Node, Output};

use super::{Actor, Call, CallState, Census, Recipe};
use crate::trace::Note;

/// The acts of the user of a phone, and when.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Registers.
    pub register: Option<Register>,
    /// Makes these calls.
    pub calls: Vec<Outgoing>,
    /// Treats every incoming call so.
    pub incoming: Incoming,
    /// Hangs up so long after a call is there for good: answered, or the ACK for the answer came.
    pub hang_up_after: Option<Duration>,
    /// Lets nothing ring longer: cancels or rejects then.
    pub ring_limit: Duration,
    /// From then on ends every call that it has, or gets.
    pub end_calls_from: Option<Instant>,
}

/// A registration to make.
#[derive(Clone, Debug)]
pub struct Register {
    /// When.
    pub at: Instant,
    /// The Request-URI.
    pub registrar: UriBuf,
    /// In seconds.
    pub expires: u32,
}

/// A call to make.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// When.
    pub at: Instant,
    /// Whom.
    pub to: NameAddrBuf,
    /// With what body.
    pub body: Option<Body>,
    /// Cancels it so long after, if it is not answered by then.
    pub cancel_after: Option<Duration>,
}

/// The reaction to an incoming call; times count from its arrival.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// Rings.
    pub ring_after: Option<Duration>,
    /// Then does this; nothing lets it ring.
    pub then: Option<(Duration, Reaction)>,
}

/// How an incoming call is decided.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// It is answered, with this body.
    Answer(Option<Body>),
    /// It is refused.
    Reject(StatusCode),
}

impl Default for Behaviour {
    /// Does nothing by itself; rings at once and lets it ring for a minute.
    fn default() -> Self {
        Self {
            register: None,
            calls: Vec::new(),
            incoming: Incoming { ring_after: Some(Duration::ZERO), then: None },
            hang_up_after: None,
            ring_limit: Duration::from_secs(60),
            end_calls_from: None,
        }
    }
}

/// Something to do at its time.
#[derive(Clone, Debug)]
enum Task {
    Register,
    Ring(CallId),
    React(CallId),
    Cancel(CallId),
    /// Ends what is still not answered.
    StopRinging(CallId),
    HangUp(CallId),
}

impl Task {
    const fn call(&self) -> Option<CallId> {
        match self {
            Self::Register => None,
            Self::Ring(call)
            | Self::React(call)
            | Self::Cancel(call)
            | Self::StopRinging(call)
            | Self::HangUp(call) => Some(*call),
        }
    }
}

/// A call that is there.
#[derive(Clone, Debug)]
struct Line {
    call_id: String,
    incoming: bool,
    answered: bool,
}

/// A user agent with its user.
#[derive(Clone, Debug)]
pub struct UserAgentActor {
    agent: UserAgent,
    behaviour: Behaviour,
    now: Instant,
    /// By time, then in the order of planning; the next one is the last.
    tasks: Vec<((Instant, u64), Task)>,
    planned: u64,
    /// How many of the calls of the script were made; they come before what is planned later for the same moment.
    calls_made: usize,
    calls: Vec<(CallId, Line)>,
    notes: VecDeque<Note>,
    recipe: Option<Recipe<UserAgent>>,
}

impl UserAgentActor {
    /// A user agent, listeners added, and what its user does with it.
    pub fn new(agent: UserAgent, mut behaviour: Behaviour) -> Self {
        behaviour.calls.sort_by_key(|call| call.at);
        let mut actor = Self {
            agent,
            behaviour,
            now: Instant::ZERO,
            tasks: Vec::new(),
            planned: 0,
            calls_made: 0,
            calls: Vec::new(),
            notes: VecDeque::new(),
            recipe: None,
        };
        if let Some(at) = actor.behaviour.register.as_ref().map(|register| register.at) {
            actor.plan(at, Task::Register);
        }
        actor.planned = 1 + actor.behaviour.calls.len() as u64;
        actor
    }

    /// The user agent of this recipe, which comes up again after a crash. It is given the number of the life, from 0, and must
    /// take another seed in each (RFC 3261 §8.1.1.7). Its user registers again at once, and makes the calls still to come.
    pub fn restartable(build: impl Fn(u32) -> UserAgent + Send + Sync + 'static, behaviour: Behaviour) -> Self {
        let recipe = Recipe::new(build);
        Self { recipe: Some(recipe.clone()), ..Self::new(recipe.build(0), behaviour) }
    }

    fn plan(&mut self, at: Instant, task: Task) {
        let key = (at, self.planned);
        let place = self.tasks.partition_point(|(other, _)| *other > key);
        self.tasks.insert(place, (key, task));
        self.planned += 1;
    }

    /// When the user next does something.
    fn next(&self) -> Option<Instant> {
        let task = self.tasks.last().map(|((at, _), _)| *at);
        let call = self.behaviour.calls.get(self.calls_made).map(|call| call.at);
        [task, call].into_iter().flatten().min()
    }

    /// Does the next thing, which is due.
    fn act(&mut self) {
        let call = self.behaviour.calls.get(self.calls_made).map(|call| (call.at, 1 + self.calls_made as u64));
        match (self.tasks.last(), call) {
            (task, Some(call)) if task.is_none_or(|(task, _)| call < *task) => {
                let index = self.calls_made;
                self.calls_made += 1;
                let done = self.call(index);
                self.note(done, || format!("Call({index})"));
            }
            _ => {
                if let Some((_, task)) = self.tasks.pop() {
                    self.run(&task);
                }
            }
        }
    }

    fn line(&mut self, call: CallId) -> Option<&mut Line> {
        self.calls.iter_mut().find(|(id, _)| *id == call).map(|(_, line)| line)
    }

    fn begin(&mut self, call: CallId, call_id: String, incoming: bool) {
        self.calls.push((call, Line { call_id, incoming, answered: false }));
        self.plan(self.now + self.behaviour.ring_limit, Task::StopRinging(call));
        if let Some(from) = self.behaviour.end_calls_from {
            self.plan(self.now.max(from), Task::HangUp(call));
        }
    }

    /// From now on this end has the call.
    fn establish(&mut self, call: CallId) {
        if let Some(line) = self.line(call) {
            line.answered = true;
            let call_id = line.call_id.clone();
            self.notes.push_back(Note::CallBegan { call_id });
        }
    }

    fn end(&mut self, call: CallId, why: String) {
        if let Some(place) = self.calls.iter().position(|(id, _)| *id == call) {
            let (_, line) = self.calls.swap_remove(place);
            self.tasks.retain(|(_, task)| task.call() != Some(call));
            self.notes.push_back(Note::CallEnded { call_id: line.call_id, why });
        }
    }

    fn plan_hang_up(&mut self, call: CallId) {
        if let Some(after) = self.behaviour.hang_up_after {
            self.plan(self.now + after, Task::HangUp(call));
        }
    }

    fn run(&mut self, task: &Task) {
        let now = self.now;
        let unanswered = |call| self.calls.iter().any(|(id, line)| *id == call && !line.answered);
        let done = match *task {
            Task::Register => match &self.behaviour.register {
                Some(register) => {
                    let register = sansip::user_agent::Register::at(&register.registrar).expires(register.expires);
                    self.agent.register(now, register).map(drop)
                }
                None => Ok(()),
            },
            Task::Ring(call) if unanswered(call) => self.agent.ring(now, call),
            Task::React(call) if unanswered(call) => self.react(call),
            Task::Cancel(call) if unanswered(call) => self.agent.cancel(now, call),
            Task::StopRinging(call) if unanswered(call) => self.hang_up(call),
            Task::HangUp(call) => self.hang_up(call),
            Task::Ring(_) | Task::React(_) | Task::Cancel(_) | Task::StopRinging(_) => Ok(()),
        };
        self.note(done, || format!("{task:?}"));
    }

    /// Says why something could not be done.
    fn note(&mut self, done: Result<(), CommandError>, what: impl FnOnce() -> String) {
        match done {
            // The other end was faster, or the same was asked for before.
            Ok(()) | Err(CommandError::Gone | CommandError::WrongState) => {}
            Err(error) => self.notes.push_back(Note::Said(format!("{}: {error}", what()))),
        }
    }

    fn call(&mut self, index: usize) -> Result<(), CommandError> {
        let Outgoing { to, body, cancel_after, .. } = &self.behaviour.calls[index];
        let cancel_after = *cancel_after;
        let call = self.agent.call(self.now, sansip::user_agent::Outgoing::to(to).body(body.clone()))?;
        let call_id = self.agent.calls().find(|info| info.call == call).map(|info| info.call_id.to_owned());
        self.begin(call, call_id.unwrap_or_default(), false);
        if let Some(after) = cancel_after {
            self.plan(self.now + after, Task::Cancel(call));
        }
        Ok(())
    }

    fn react(&mut self, call: CallId) -> Result<(), CommandError> {
        match &self.behaviour.incoming.then {
            Some((_, Reaction::Answer(body))) => {
                self.agent.answer(self.now, call, body.clone())?;
                self.establish(call);
                Ok(())
            }
            Some((_, Reaction::Reject(status))) => {
                let status = *status;
                self.agent.reject(self.now, call, status)?;
                self.end(call, format!("rejected, {}", status.get()));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn hang_up(&mut self, call: CallId) -> Result<(), CommandError> {
        self.agent.hang_up(self.now, call)?;
        // The other end is left to be told, which may have to wait; no event follows a rejection. A cancelled call can
        // still be answered, so its end is the event that follows.
        match self.line(call) {
            Some(line) if line.answered => self.end(call, "hung up".into()),
            Some(line) if line.incoming => self.end(call, "rejected".into()),
            _ => {}
        }
        Ok(())
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Incoming { call, request, .. } => {
                self.begin(call, request.call_id().unwrap_or_default().to_owned(), true);
                let Incoming { ring_after, then } = &self.behaviour.incoming;
                let ring = ring_after.map(|after| (self.now + after, Task::Ring(call)));
                let react = then.as_ref().map(|(after, _)| (self.now + *after, Task::React(call)));
                for (at, task) in ring.into_iter().chain(react) {
                    self.plan(at, task);
                }
            }
            Event::Answered { call, .. } => {
                self.establish(call);
                self.plan_hang_up(call);
            }
            Event::Confirmed { call, .. } => self.plan_hang_up(call),
            Event::Failed { call, cause } => {
                let status = cause.counts_as();
                self.end(call, format!("{} {}", status.get(), status.reason()));
            }
            Event::Ended { call, cause, .. } => {
                let why = match cause {
                    EndCause::Remote => "the other hung up",
                    EndCause::Local => "cancelled too late",
                    EndCause::Unacknowledged => "no ACK came",
                    _ => "for another reason",
                };
                self.end(call, why.to_owned());
            }
            Event::Registered { .. } => self.notes.push_back(Note::Said("registered".into())),
            Event::RegistrationFailed { cause, .. } => {
                self.notes.push_back(Note::Said(format!("not registered: {}", cause.counts_as().get())));
            }
            _ => {}
        }
    }
}

impl Node for UserAgentActor {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.now = self.now.max(now);
        while self.next().is_some_and(|at| at <= self.now) {
            self.act();
        }
        self.agent.handle(now, input);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        loop {
            if let Some(note) = self.notes.pop_front() {
                return Some(Output::Event(note));
            }
            match self.agent.poll()?.into_event() {
                Ok(event) => self.hear(event),
                Err(output) => return Some(output),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        [self.next(), self.agent.deadline()].into_iter().flatten().min()
    }

    fn is_idle(&self) -> bool {
        self.next().is_none() && self.notes.is_empty() && self.agent.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.agent.reserve()
    }
}

impl Actor for UserAgentActor {
    fn calls(&self) -> Vec<Call> {
        let state = |state| match state {
            sansip::user_agent::CallState::Calling
            | sansip::user_agent::CallState::Ringing
            | sansip::user_agent::CallState::Incoming => CallState::Trying,
            sansip::user_agent::CallState::Ending => CallState::Ending,
            _ => CallState::Established,
        };
        self.agent.calls().map(|info| Call { call_id: info.call_id.to_owned(), state: state(info.state) }).collect()
    }

    fn restarted(&self, now: Instant, life: u32) -> Option<Box<dyn Actor>> {
        let recipe = self.recipe.clone()?;
        let mut behaviour = self.behaviour.clone();
        if let Some(register) = &mut behaviour.register {
            register.at = register.at.max(now);
        }
        behaviour.calls.retain(|call| call.at > now);
        Some(Box::new(Self { now, recipe: Some(recipe.clone()), ..Self::new(recipe.build(life), behaviour) }))
    }

    fn census(&self) -> Census {
        let (endpoint, user_agent) = (self.agent.endpoint().census(), self.agent.user().census());
        Census { endpoint, user_agent, ..Census::default() }
    }

    fn capacity(&self) -> Census {
        let (endpoint, user_agent) = (self.agent.endpoint().capacity(), self.agent.user().capacity());
        Census { endpoint, user_agent, ..Census::default() }
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
