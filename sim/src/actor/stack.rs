//! Any node of the poll API, a transaction user of your own included, with what its application does.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use sansip::server::{self, Server};
use sansip::{ConnectionId, Input, Instant, Node, Output, Stack, TransactionUser};

use super::{Actor, Census, Challenger, Recipe, bindings, states_of, transaction_of};
use crate::trace::{Note, State};

/// A [`Stack`] in a world, and an application that hears its events and gives it commands at their times.
///
/// The memory of the application belongs into the transaction user, or into the stack's own state: the two closures see only
/// that, so a world with them can be cloned and repeated.
///
/// ```
/// use sansip::{Config, Listener, Seed, user_agent::{Event, Profile, UserAgent}};
/// use sansip_sim::{Setting, World, actor::StackActor};
///
/// let at = |last: u8| Listener::udp(([192, 0, 2, last], 5060).into());
/// let phone = |seed, name: &str| {
///     let identity = format!("<sip:{name}@example.com>").parse().expect("a name-addr");
///     UserAgent::user_agent(Config::new(Seed::from_u64(seed)), Profile::new(identity))
/// };
/// let (mut carol, mut dave) = (phone(1, "carol"), phone(2, "dave"));
/// let listeners = [(carol.listen(at(1)), at(1).local), (dave.listen(at(2)), at(2).local)];
/// let carol = StackActor::new(carol).at(sansip::Instant::ZERO, |carol, now| {
///     carol.call(now, &"<sip:dave@192.0.2.2>".parse().expect("a name-addr")).expect("a call");
/// });
/// let dave = StackActor::new(dave).hearing(|dave, now, event| match event {
///     Event::Incoming { call, .. } => dave.answer(now, call, None).ok().map(|()| "answered".to_owned()),
///     _ => None,
/// });
/// let mut world = World::new(Setting::default());
/// world.add("carol", Box::new(carol), [listeners[0]]);
/// world.add("dave", Box::new(dave), [listeners[1]]);
/// world.run_until(sansip::Instant::from_millis(100));
/// assert!(sansip_sim::render::ladder(world.trace()).contains("200 OK"));
/// ```
#[derive(Clone)]
pub struct StackActor<U: TransactionUser> {
    stack: Stack<U>,
    now: Instant,
    hear: Option<Hear<U>>,
    /// By time, then in the order of adding.
    tasks: BTreeMap<(Instant, usize), Task<U>>,
    notes: VecDeque<Note>,
    recipe: Option<Recipe<Stack<U>>>,
    count: Count<U>,
    tell: fn(&Stack<U>) -> Vec<State>,
    settings: Option<Arc<server::Settings>>,
    is_stateless: bool,
}

type Hear<U> = Arc<dyn Fn(&mut Stack<U>, Instant, <U as TransactionUser>::Event) -> Option<String> + Send + Sync>;
type Count<U> = fn(&Stack<U>) -> [Census; 2];
type Task<U> = Arc<dyn Fn(&mut Stack<U>, Instant) + Send + Sync>;

impl<U: TransactionUser> StackActor<U> {
    /// A node, listeners added, of which no one hears anything.
    pub fn new(stack: Stack<U>) -> Self {
        let count = |stack: &Stack<U>| {
            let endpoint = stack.endpoint();
            [endpoint.census(), endpoint.capacity()].map(|endpoint| Census { endpoint, ..Census::default() })
        };
        let (hear, tasks, notes, recipe) = (None, BTreeMap::new(), VecDeque::new(), None);
        let tell = states_of;
        Self { stack, now: Instant::ZERO, hear, tasks, notes, recipe, count, tell, settings: None, is_stateless: false }
    }

    /// The node of this recipe, which comes up again after a crash. It is given the number of the life, from 0, and must
    /// take another seed in each (RFC 3261 §8.1.1.7).
    pub fn restartable(build: impl Fn(u32) -> Stack<U> + Send + Sync + 'static) -> Self {
        let recipe = Recipe::new(build);
        Self { recipe: Some(recipe.clone()), ..Self::new(recipe.build(0)) }
    }

    /// Gives each event to the application; a text that comes back is noted in the trace.
    #[must_use]
    pub fn hearing(
        mut self,
        hear: impl Fn(&mut Stack<U>, Instant, U::Event) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.hear = Some(Arc::new(hear));
        self
    }

    /// Counts what is alive in it, and what it has room for, for the checks; if nothing is said, only the endpoint is counted.
    #[must_use]
    pub const fn counting(mut self, count: fn(&Stack<U>) -> [Census; 2]) -> Self {
        self.count = count;
        self
    }

    /// Tells what stands in it, for a trace that has that; if nothing is said, its transactions and timers ([`states_of`]).
    #[must_use]
    pub const fn telling(mut self, tell: fn(&Stack<U>) -> Vec<State>) -> Self {
        self.tell = tell;
        self
    }

    /// Keeps no transactions, and is judged by that ([`Actor::is_stateless`]).
    #[must_use]
    pub const fn stateless(mut self) -> Self {
        self.is_stateless = true;
        self
    }

    /// Is a domain's server, and tells its settings.
    fn serving(mut self, settings: fn(&Stack<U>) -> &server::Settings) -> Self {
        self.settings = Some(Arc::new(settings(&self.stack).clone()));
        self
    }

    /// Does something at its time, if the node is up then.
    #[must_use]
    pub fn at(mut self, time: Instant, task: impl Fn(&mut Stack<U>, Instant) + Send + Sync + 'static) -> Self {
        self.tasks.insert((time, self.tasks.len()), Arc::new(task));
        self
    }
}

impl StackActor<server::Core> {
    /// A domain's server, all of which is counted.
    pub fn server(build: impl Fn(u32) -> Server + Send + Sync + 'static) -> Self {
        let actor = Self::restartable(build).serving(|server| server.settings()).counting(|server| {
            let (endpoint, user) = (server.endpoint(), server.user());
            let both = [(endpoint.census(), user.census()), (endpoint.capacity(), user.capacity())];
            both.map(|(endpoint, server)| Census { endpoint, server, ..Census::default() })
        });
        actor.telling(|server| states_of(server).into_iter().chain(bindings(server.user().location())).collect())
    }
}

impl StackActor<Challenger> {
    /// A domain's server that asks for credentials, all of which is counted.
    pub fn challenger(build: impl Fn(u32) -> Stack<Challenger> + Send + Sync + 'static) -> Self {
        let actor = Self::restartable(build).serving(|node| node.user().settings()).counting(|node| {
            let (endpoint, user) = (node.endpoint(), node.user().server());
            let both = [(endpoint.census(), user.census()), (endpoint.capacity(), user.capacity())];
            both.map(|(endpoint, server)| Census { endpoint, server, ..Census::default() })
        });
        actor.telling(|node| states_of(node).into_iter().chain(bindings(node.user().server().location())).collect())
    }
}

impl<U: TransactionUser> fmt::Debug for StackActor<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks: Vec<_> = self.tasks.keys().collect();
        f.debug_struct("StackActor").field("stack", &self.stack).field("tasks", &tasks).finish_non_exhaustive()
    }
}

impl<U: TransactionUser> Node for StackActor<U> {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.now = self.now.max(now);
        while let Some(entry) = self.tasks.first_entry().filter(|entry| entry.key().0 <= self.now) {
            entry.remove()(&mut self.stack, self.now);
        }
        self.stack.handle(now, input);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        loop {
            if let Some(note) = self.notes.pop_front() {
                return Some(Output::Event(note));
            }
            match self.stack.poll()?.into_event() {
                Ok(event) => {
                    let said = self.hear.as_ref().and_then(|hear| hear(&mut self.stack, self.now, event));
                    self.notes.extend(said.map(Note::Said));
                }
                Err(output) => return Some(output),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let task = self.tasks.first_key_value().map(|((at, _), _)| *at);
        [task, self.stack.deadline()].into_iter().flatten().min()
    }

    fn is_idle(&self) -> bool {
        self.tasks.is_empty() && self.notes.is_empty() && self.stack.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.stack.reserve()
    }
}

impl<U> Actor for StackActor<U>
where
    U: TransactionUser + Send + 'static,
    U::Event: Send,
{
    fn restarted(&self, now: Instant, life: u32) -> Option<Box<dyn Actor>> {
        let recipe = self.recipe.clone()?;
        let stack = recipe.build(life);
        let tasks = self.tasks.range((now, 0)..).map(|(at, task)| (*at, Arc::clone(task))).collect();
        let (hear, notes) = (self.hear.clone(), VecDeque::new());
        Some(Box::new(Self {
            stack,
            now,
            hear,
            tasks,
            notes,
            recipe: Some(recipe),
            count: self.count,
            tell: self.tell,
            settings: self.settings.clone(),
            is_stateless: self.is_stateless,
        }))
    }

    fn census(&self) -> Census {
        let [census, _] = (self.count)(&self.stack);
        census
    }

    fn capacity(&self) -> Census {
        let [_, capacity] = (self.count)(&self.stack);
        capacity
    }

    fn states(&self) -> Vec<State> {
        (self.tell)(&self.stack)
    }

    fn transaction_of(&self, request: &[u8], is_sent: bool) -> Option<String> {
        transaction_of(self.stack.endpoint(), request, is_sent)
    }

    fn is_stateless(&self) -> bool {
        self.is_stateless
    }

    fn settings(&self) -> Option<Arc<server::Settings>> {
        self.settings.clone()
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
