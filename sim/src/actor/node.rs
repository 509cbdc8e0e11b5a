//! Any node of the poll API, a transaction user of your own included, with what its application does.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use sansip::server::{self, Server};
use sansip::{ConnectionId, Input, Instant, Node, Output, Stack, TransactionUser};

use super::{Actor, Census, Challenger, Recipe, bindings, states_of, transaction_of};
use crate::trace::{Note, State};
use crate::world::Bound;

/// A node in a world, and an application that hears its events and gives it commands at their times.
///
/// The application is closures that may have a state of their own: whoever clones the world clones the closures, so that a world with them can be forked and
/// repeated.
///
/// ```
/// use sansip::{Config, Listener, Seed, user_agent::{Event, Profile, UserAgent}};
/// use sansip_sim::{Setting, World, actor::NodeActor};
///
/// let phone = |seed, name: &str, last: u8| {
///     let identity = format!("<sip:{name}@example.com>").parse().expect("a name-addr");
///     let mut agent = UserAgent::user_agent(Config::new(Seed::from_u64(seed)), Profile::new(identity));
///     agent.listen(Listener::udp(([192, 0, 2, last], 5060).into()));
///     agent
/// };
/// let carol = NodeActor::of_stack(phone(1, "carol", 1), |_, _, _| None).at(sansip::Instant::ZERO, |carol, now| {
///     carol.call(now, &"<sip:dave@192.0.2.2>".parse().expect("a name-addr")).expect("a call");
/// });
/// let mut calls = 0;
/// let dave = NodeActor::of_stack(phone(2, "dave", 2), move |dave, now, event| match event {
///     Event::Incoming { call, .. } => {
///         calls += 1;
///         dave.answer(now, call, None).ok().map(|()| format!("answered {calls}").into())
///     }
///     _ => None,
/// });
/// let mut world = World::new(Setting::default());
/// world.enter("carol", Box::new(carol));
/// world.enter("dave", Box::new(dave));
/// world.run_until(sansip::Instant::from_millis(100));
/// assert!(sansip_sim::render::ladder(world.trace()).contains("* answered 1"));
/// ```
#[derive(Clone)]
pub struct NodeActor<N: Node> {
    node: N,
    now: Instant,
    hear: Box<dyn Hear<N>>,
    /// By time, then in the order of adding.
    tasks: BTreeMap<(Instant, usize), Box<dyn Task<N>>>,
    notes: VecDeque<Note>,
    recipe: Option<Recipe<N>>,
    asked: Asked<N>,
    /// The listeners that the node has, if it is one that does not tell.
    bounds: Option<Vec<Bound>>,
    settings: Option<Arc<server::Settings>>,
    is_stateless: bool,
}

/// How a node is asked about itself.
struct Asked<N> {
    count: fn(&N) -> [Census; 2],
    tell: fn(&N) -> Vec<State>,
    transaction_of: fn(&N, &[u8], bool) -> Option<String>,
    listeners: fn(&N) -> Option<Vec<Bound>>,
}

impl<N> Clone for Asked<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Asked<N> {}

impl<N> Asked<N> {
    /// Nothing is known of the node.
    const NOTHING: Self = Self {
        count: |_| [Census::default(); 2],
        tell: |_| Vec::new(),
        transaction_of: |_, _, _| None,
        listeners: |_| None,
    };
}

impl<U: TransactionUser> Asked<Stack<U>> {
    const STACK: Self = Self {
        count: |stack| {
            let endpoint = stack.endpoint();
            [endpoint.census(), endpoint.capacity()].map(|endpoint| Census { endpoint, ..Census::default() })
        },
        tell: states_of,
        transaction_of: |stack, request, is_sent| transaction_of(stack.endpoint(), request, is_sent),
        listeners: |stack| Some(stack.endpoint().listeners().map(Bound::from).collect()),
    };
}

/// Hears an event, and may command the node; a note stands in the trace.
trait Hear<N: Node>: Send {
    fn hear(&mut self, node: &mut N, now: Instant, event: N::Event) -> Option<Note>;
    fn clone_box(&self) -> Box<dyn Hear<N>>;
}

impl<N: Node, F> Hear<N> for F
where
    F: FnMut(&mut N, Instant, N::Event) -> Option<Note> + Clone + Send + 'static,
{
    fn hear(&mut self, node: &mut N, now: Instant, event: N::Event) -> Option<Note> {
        self(node, now, event)
    }

    fn clone_box(&self) -> Box<dyn Hear<N>> {
        Box::new(self.clone())
    }
}

impl<N: Node> Clone for Box<dyn Hear<N>> {
    fn clone(&self) -> Self {
        // Not `self`: a box is another thing to hear.
        (**self).clone_box()
    }
}

/// Does something with a node at its time.
trait Task<N>: Send {
    fn run(&mut self, node: &mut N, now: Instant);
    fn clone_box(&self) -> Box<dyn Task<N>>;
}

impl<N, F: FnMut(&mut N, Instant) + Clone + Send + 'static> Task<N> for F {
    fn run(&mut self, node: &mut N, now: Instant) {
        self(node, now);
    }

    fn clone_box(&self) -> Box<dyn Task<N>> {
        Box::new(self.clone())
    }
}

impl<N> Clone for Box<dyn Task<N>> {
    fn clone(&self) -> Self {
        (**self).clone_box()
    }
}

impl<N: Node> NodeActor<N> {
    /// A node, listeners added, and what its application does with each event: a note that comes back stands in the trace. Nothing else is known of the node; of a
    /// [`Stack`] [`of_stack`](Self::of_stack) knows more.
    pub fn new(node: N, hear: impl FnMut(&mut N, Instant, N::Event) -> Option<Note> + Clone + Send + 'static) -> Self {
        Self::asking(node, Box::new(hear), Asked::NOTHING)
    }

    fn asking(node: N, hear: Box<dyn Hear<N>>, asked: Asked<N>) -> Self {
        let (tasks, notes) = (BTreeMap::new(), VecDeque::new());
        Self {
            node,
            now: Instant::ZERO,
            hear,
            tasks,
            notes,
            recipe: None,
            asked,
            bounds: None,
            settings: None,
            is_stateless: false,
        }
    }

    /// Comes up again after a crash, by this recipe. The recipe is given the number of the life, from 1, and must take another seed in each (RFC 3261
    /// §8.1.1.7).
    #[must_use]
    pub fn restartable(mut self, build: impl Fn(u32) -> N + Send + Sync + 'static) -> Self {
        self.recipe = Some(Recipe::new(build));
        self
    }

    /// Has these listeners: for a node that does not tell.
    #[must_use]
    pub fn listening(mut self, bounds: impl IntoIterator<Item = impl Into<Bound>>) -> Self {
        self.bounds = Some(bounds.into_iter().map(Into::into).collect());
        self
    }

    /// Counts what is alive in it, and what it has room for, for the checks; if nothing is said, only the endpoint of a stack is counted.
    #[must_use]
    pub const fn counting(mut self, count: fn(&N) -> [Census; 2]) -> Self {
        self.asked.count = count;
        self
    }

    /// Tells what stands in it, for a trace that has that; if nothing is said, the transactions and timers of a stack ([`states_of`]).
    #[must_use]
    pub const fn telling(mut self, tell: fn(&N) -> Vec<State>) -> Self {
        self.asked.tell = tell;
        self
    }

    /// Keeps no transactions, and is judged by that ([`Actor::is_stateless`]).
    #[must_use]
    pub const fn stateless(mut self) -> Self {
        self.is_stateless = true;
        self
    }

    /// Is a domain's server, and tells its settings.
    fn serving(mut self, settings: fn(&N) -> &server::Settings) -> Self {
        self.settings = Some(Arc::new(settings(&self.node).clone()));
        self
    }

    /// Does something at its time, if the node is up then.
    #[must_use]
    pub fn at(mut self, time: Instant, task: impl FnMut(&mut N, Instant) + Clone + Send + 'static) -> Self {
        self.tasks.insert((time, self.tasks.len()), Box::new(task));
        self
    }
}

impl<U: TransactionUser> NodeActor<Stack<U>> {
    /// As [`new`](Self::new), of a stack, which tells its listeners, and its transactions and timers.
    pub fn of_stack(
        stack: Stack<U>,
        hear: impl FnMut(&mut Stack<U>, Instant, U::Event) -> Option<Note> + Clone + Send + 'static,
    ) -> Self {
        Self::asking(stack, Box::new(hear), Asked::STACK)
    }

    /// A stack of which no one hears anything, which comes up again after a crash.
    fn silent(build: impl Fn(u32) -> Stack<U> + Send + Sync + 'static) -> Self {
        Self::of_stack(build(0), |_, _, _| None).restartable(build)
    }
}

impl NodeActor<Server> {
    /// A domain's server, all of which is counted. It is given the number of the life, from 0.
    pub fn server(build: impl Fn(u32) -> Server + Send + Sync + 'static) -> Self {
        let actor = Self::silent(build).serving(|server| server.settings()).counting(|server| {
            let (endpoint, user) = (server.endpoint(), server.user());
            let both = [(endpoint.census(), user.census()), (endpoint.capacity(), user.capacity())];
            both.map(|(endpoint, server)| Census { endpoint, server, ..Census::default() })
        });
        actor.telling(|server| states_of(server).into_iter().chain(bindings(server.user().location())).collect())
    }
}

impl NodeActor<Stack<Challenger>> {
    /// A domain's server that asks for credentials, all of which is counted.
    pub fn challenger(build: impl Fn(u32) -> Stack<Challenger> + Send + Sync + 'static) -> Self {
        let actor = Self::silent(build).serving(|node| node.user().settings()).counting(|node| {
            let (endpoint, user) = (node.endpoint(), node.user().server());
            let both = [(endpoint.census(), user.census()), (endpoint.capacity(), user.capacity())];
            both.map(|(endpoint, server)| Census { endpoint, server, ..Census::default() })
        });
        actor.telling(|node| states_of(node).into_iter().chain(bindings(node.user().server().location())).collect())
    }
}

impl<N: Node + fmt::Debug> fmt::Debug for NodeActor<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks: Vec<_> = self.tasks.keys().collect();
        f.debug_struct("NodeActor").field("node", &self.node).field("tasks", &tasks).finish_non_exhaustive()
    }
}

impl<N: Node> Node for NodeActor<N> {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.now = self.now.max(now);
        while let Some(entry) = self.tasks.first_entry().filter(|entry| entry.key().0 <= self.now) {
            entry.remove().run(&mut self.node, self.now);
        }
        self.node.handle(now, input);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        loop {
            if let Some(note) = self.notes.pop_front() {
                return Some(Output::Event(note));
            }
            match self.node.poll()?.into_event() {
                Ok(event) => self.notes.extend(self.hear.hear(&mut self.node, self.now, event)),
                Err(output) => return Some(output),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let task = self.tasks.first_key_value().map(|((at, _), _)| *at);
        [task, self.node.deadline()].into_iter().flatten().min()
    }

    fn is_idle(&self) -> bool {
        self.tasks.is_empty() && self.notes.is_empty() && self.node.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.node.reserve()
    }
}

impl<N> Actor for NodeActor<N>
where
    N: Node + Clone + fmt::Debug + Send + 'static,
{
    fn restarted(&self, now: Instant, life: u32) -> Option<Box<dyn Actor>> {
        let node = self.recipe.as_ref()?.build(life);
        let mut again = Self { node, notes: VecDeque::new(), ..self.clone() };
        again.tasks = again.tasks.split_off(&(now, 0));
        Some(Box::new(again))
    }

    fn census(&self) -> Census {
        let [census, _] = (self.asked.count)(&self.node);
        census
    }

    fn capacity(&self) -> Census {
        let [_, capacity] = (self.asked.count)(&self.node);
        capacity
    }

    fn states(&self) -> Vec<State> {
        (self.asked.tell)(&self.node)
    }

    fn transaction_of(&self, request: &[u8], is_sent: bool) -> Option<String> {
        (self.asked.transaction_of)(&self.node, request, is_sent)
    }

    fn listeners(&self) -> Option<Vec<Bound>> {
        self.bounds.clone().or_else(|| (self.asked.listeners)(&self.node))
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
