//! A user agent and its user, who follows a script.

mod asked;
mod negotiating;
mod transferring;

use std::collections::VecDeque;

use sansip::message::StatusCode;
use sansip::user_agent::{Body, EndCause, Event, UserAgent};
use sansip::{CallId, CommandError, ConnectionId, Duration, Input, Instant, Node, Output};

use super::Recipe;
use super::behaviour::{Behaviour, HOLD, Incoming, Outgoing, Reaction};
use super::line::Line;
use crate::trace::Note;
use transferring::Transfers;

/// So often a change is tried again that is asked for at the wrong time, and so long after.
const ATTEMPTS: u8 = 5;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

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
    /// Asks for hold, or for its end; the number counts the attempts.
    Change(CallId, bool, u8),
    /// Decides about a change that the peer wants.
    Decide(CallId),
    /// Answers the offer of a 2xx.
    AnswerOffer(CallId),
    /// Gives the call to somebody else.
    Transfer(CallId),
}

impl Task {
    const fn call(&self) -> Option<CallId> {
        match self {
            Self::Register => None,
            Self::Ring(call)
            | Self::React(call)
            | Self::Cancel(call)
            | Self::StopRinging(call)
            | Self::HangUp(call)
            | Self::Change(call, ..)
            | Self::Decide(call)
            | Self::AnswerOffer(call)
            | Self::Transfer(call) => Some(*call),
        }
    }
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
    transfers: Transfers,
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
            transfers: Transfers::default(),
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

    fn begin(&mut self, call: CallId, line: Line) {
        self.calls.push((call, line));
        self.plan(self.now + self.behaviour.ring_limit, Task::StopRinging(call));
        if let Some(from) = self.behaviour.end_calls_from {
            self.plan(self.now.max(from), Task::HangUp(call));
        }
    }

    /// From now on this end has the call.
    fn establish(&mut self, call: CallId) {
        if let Some(line) = self.line(call) {
            line.answered = true;
            let (call_id, replaced) = (line.call_id.clone(), line.replaces.take());
            self.notes.push_back(Note::CallBegan { call_id });
            if let Some(replaced) = replaced {
                self.end(replaced, "another took its place".into());
            }
        }
    }

    fn end(&mut self, call: CallId, why: String) {
        if let Some(place) = self.calls.iter().position(|(id, _)| *id == call) {
            let (_, line) = self.calls.swap_remove(place);
            self.tasks.retain(|(_, task)| task.call() != Some(call));
            self.tell(call, StatusCode::REQUEST_TERMINATED);
            self.notes.push_back(Note::CallEnded { call_id: line.call_id, why, session: line.session });
        }
    }

    /// The call is there for good: plans what is done with it. At most once in a call.
    fn settle(&mut self, call: CallId) {
        if self.line(call).is_none_or(|line| std::mem::replace(&mut line.settled, true)) {
            return;
        }
        if let Some(after) = self.behaviour.hang_up_after {
            self.plan(self.now + after, Task::HangUp(call));
        }
        if let Some(after) = self.behaviour.hold_after {
            self.plan(self.now + after, Task::Change(call, true, 0));
        }
        self.plan_transfer(call);
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
            Task::Ring(call) if unanswered(call) => self.ring(call),
            Task::React(call) if unanswered(call) => self.react(call),
            Task::Cancel(call) if unanswered(call) => self.agent.cancel(now, call),
            Task::StopRinging(call) if unanswered(call) => self.hang_up(call),
            Task::HangUp(call) => self.hang_up(call),
            Task::Change(call, hold, attempt) => self.change(call, hold, attempt),
            Task::Decide(call) => self.decide(call),
            Task::AnswerOffer(call) => self.answer_offer(call),
            Task::Transfer(call) => self.transfer(call),
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
        let Outgoing { to, body, late_offer, cancel_after, .. } = &self.behaviour.calls[index];
        let cancel_after = *cancel_after;
        let line = Line::calling(body.as_ref(), *late_offer);
        let outgoing = sansip::user_agent::Outgoing::to(to);
        let outgoing = match late_offer.and_then(|_| line.refusal()) {
            Some(refusal) => outgoing.refusal(refusal),
            None if late_offer.is_some() => outgoing,
            None => outgoing.body(body.clone()),
        };
        let call = self.place(outgoing, line)?;
        if let Some(after) = cancel_after {
            self.plan(self.now + after, Task::Cancel(call));
        }
        Ok(())
    }

    /// Makes a call.
    fn place(&mut self, outgoing: sansip::user_agent::Outgoing, mut line: Line) -> Result<CallId, CommandError> {
        let call = self.agent.call(self.now, outgoing)?;
        let call_id = self.agent.calls().find(|info| info.call == call).map(|info| info.call_id.to_owned());
        line.call_id = call_id.unwrap_or_default();
        self.begin(call, line);
        Ok(call)
    }

    fn react(&mut self, call: CallId) -> Result<(), CommandError> {
        match &self.behaviour.incoming.then {
            Some((_, Reaction::Answer(body))) => {
                let line = self.calls.iter_mut().find(|(id, _)| *id == call).map(|(_, line)| line);
                let is_described = line.as_ref().is_some_and(|line| line.is_described);
                let body = body.clone().filter(|_| !is_described);
                self.agent.answer(self.now, call, body.clone())?;
                if let Some(line) = line {
                    line.answer_waits = is_described && !line.is_acknowledged;
                    if line.answer_waits {
                        return Ok(());
                    }
                    if let Some(body) = body {
                        line.answer(body.bytes);
                    }
                }
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
            Event::Incoming { call, request, replaces, .. } => {
                let call_id = request.call_id().unwrap_or_default().to_owned();
                self.begin(call, Line::called(call_id, Body::of_request(&request), replaces));
                let Incoming { ring_after, then } = &self.behaviour.incoming;
                let ring = ring_after.map(|after| (self.now + after, Task::Ring(call)));
                let react = then.as_ref().map(|(after, _)| (self.now + *after, Task::React(call)));
                for (at, task) in ring.into_iter().chain(react) {
                    self.plan(at, task);
                }
            }
            Event::Answered { call, response } => {
                self.establish(call);
                self.settle(call);
                let tag = response.to_header().and_then(|to| to.tag()).unwrap_or_default();
                let after = self.line(call).and_then(|line| {
                    let body = Body::of_response(&response).or_else(|| line.early(tag));
                    line.was_answered(body)
                });
                if let Some(after) = after {
                    self.plan(self.now + after, Task::AnswerOffer(call));
                }
                self.reached(call);
            }
            Event::Progress { call, response, .. } => {
                self.progressed(call, &response);
                self.tell(call, response.status());
            }
            Event::Acknowledged { call, prack } => self.acknowledged(call, &prack),
            Event::Confirmed { call, ack } => {
                self.settle(call);
                if let (Some(line), Some(body)) = (self.line(call), Body::of_request(&ack)) {
                    line.was_confirmed(body);
                }
            }
            Event::Modified { call, response, .. } => {
                let held = self.line(call).is_some_and(|line| line.was_modified(Body::of_response(&response)));
                if held {
                    self.plan(self.now + HOLD, Task::Change(call, false, 0));
                }
            }
            Event::ModifyFailed { call, .. } => {
                if let Some(line) = self.line(call) {
                    line.was_refused();
                }
            }
            Event::Offered { call, request, .. } => {
                if let Some(line) = self.line(call) {
                    line.was_offered(Body::of_request(&request));
                }
                if let Some((after, _)) = self.behaviour.change {
                    self.plan(self.now + after, Task::Decide(call));
                }
            }
            Event::OfferLapsed { call, .. } => {
                self.tasks.retain(|(_, task)| !matches!(task, Task::Decide(of) if *of == call));
                if let Some(line) = self.line(call) {
                    line.lapse();
                }
            }
            Event::Failed { call, cause } => {
                let status = cause.counts_as();
                self.tell(call, status);
                self.end(call, format!("{} {}", status.get(), status.reason()));
            }
            Event::Ended { call, cause, .. } => {
                let why = match cause {
                    EndCause::Remote => "the other hung up",
                    EndCause::Local => "cancelled too late",
                    EndCause::Unacknowledged => "no ACK came",
                    EndCause::Unanswered => "the offer was not answered",
                    EndCause::Expired => "the session was not refreshed",
                    EndCause::Lost => "the other has lost it",
                    _ => "for another reason",
                };
                self.end(call, why.to_owned());
            }
            Event::Referred { served, call, request, .. } => {
                let done = self.follow(served, call, &request);
                self.note(done, || "Follow".to_owned());
            }
            Event::Notified { subscription, status: Some(status), .. } => self.told(subscription, status),
            Event::SubscriptionEnded { subscription, again: None, .. } => self.untold(subscription),
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
