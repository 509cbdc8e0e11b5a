//! A node: an endpoint with a transaction user on top.

mod answer;
mod context;
mod forward;

pub(crate) use answer::bare_500;
pub use context::Context;

use alloc::collections::VecDeque;
use core::fmt::Debug;

use crate::endpoint::Config;
use crate::endpoint::{Endpoint, Indication};
use crate::flow::{ConnectionId, ListenerId};
use crate::node::{Asker, Input, Node, Output, QueryId};
use crate::tag::Tag;
use crate::time::Instant;
use crate::transport::Listener;

/// A transaction user (RFC 3261 §5), which sits on the transaction layer: a core, or several over one endpoint.
///
/// The trait is public: a B2BUA, a presence server or a load balancer is a transaction user of its own. Indications come one
/// by one, never re-entrantly.
pub trait TransactionUser: Clone + Debug {
    /// An event that the application is told.
    type Event: Clone + Debug;

    /// Whether it takes responses that no transaction waits for ([`Indication::Stray`]). A stateless proxy passes them on (RFC 3261 §16.11); any
    /// other element must discard them (RFC 6026 §8.9), which the endpoint then does.
    const TAKES_STRAYS: bool = false;

    /// Takes what the endpoint has to say.
    fn indicate(&mut self, cx: &mut Context<'_, Self::Event>, indication: Indication);

    /// Whether no dialog or other business of its own is left; the endpoint answers for transactions and deliveries.
    fn is_idle(&self) -> bool;

    /// A name for the timer that has this mark, for who draws or watches a node ([`Endpoint::user_timers`]).
    fn timer_name(&self, tag: Tag) -> &'static str {
        let _ = tag;
        "Timer"
    }
}

/// An [`Endpoint`] and its transaction user as one [`Node`].
#[derive(Clone, Debug)]
pub struct Stack<U: TransactionUser> {
    endpoint: Endpoint,
    user: U,
    /// The events whose places the endpoint keeps in the order of outputs.
    events: VecDeque<U::Event>,
    now: Instant,
}

impl<U: TransactionUser> Stack<U> {
    /// A node with no listener yet.
    pub fn new(config: Config, user: U) -> Self {
        let mut endpoint = Endpoint::new(config);
        if U::TAKES_STRAYS {
            endpoint.show_strays();
        }
        Self { endpoint, user, events: VecDeque::new(), now: Instant::ZERO }
    }

    /// Adds a local address; the driver binds it and gives the handle back with each datagram.
    pub fn listen(&mut self, listener: Listener) -> ListenerId {
        self.endpoint.listen(listener)
    }

    /// The transaction user, to look at.
    pub fn user(&self) -> &U {
        &self.user
    }

    /// The endpoint, to look at.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Begins nothing new from now on: see [`Endpoint::drain`].
    pub const fn drain(&mut self) {
        self.endpoint.drain();
    }

    /// Whether [`drain`](Self::drain) was called and no business is left.
    pub fn is_drained(&self) -> bool {
        self.endpoint.is_draining() && self.is_idle()
    }

    /// Fires the timers due at `now`, runs `command` against the transaction user, then hands on what follows from it.
    pub fn command<R>(&mut self, now: Instant, command: impl FnOnce(&mut U, &mut Context<'_, U::Event>) -> R) -> R {
        self.advance(now);
        let mut cx = Context::new(self.now, &mut self.endpoint, &mut self.events);
        let result = command(&mut self.user, &mut cx);
        self.settle();
        result
    }

    /// Moves the clock, never back, and fires every due timer in deadline order.
    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.settle();
    }

    /// Hands on what is to be told and fires what is due, until there is neither: timers of zero (J and K of a reliable
    /// transport) fire at once, so that it is no matter what came in one read of a stream and what in the next.
    fn settle(&mut self) {
        self.indicate();
        while self.endpoint.fire(self.now) {
            self.indicate();
        }
    }

    fn indicate(&mut self) {
        while let Some(indication) = self.endpoint.indication() {
            let mut cx = Context::new(self.now, &mut self.endpoint, &mut self.events);
            self.user.indicate(&mut cx, indication);
        }
    }
}

impl<U: TransactionUser> Node for Stack<U> {
    type Event = U::Event;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        let mut left = Some(input);
        while let Some(input) = left {
            // Before each message of a stream, as if it had come alone: one may have set a timer for this very moment.
            self.advance(now);
            left = self.endpoint.handle(self.now, input);
            self.settle();
        }
    }

    fn poll(&mut self) -> Option<Output<U::Event>> {
        loop {
            match self.endpoint.poll()?.into_event() {
                Err(output) => return Some(output),
                Ok(()) => match self.events.pop_front() {
                    Some(event) => return Some(Output::Event(event)),
                    None => continue,
                },
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.endpoint.deadline()
    }

    fn asker(&self, query: QueryId) -> Option<Asker> {
        self.endpoint.asker(query)
    }

    fn reserve(&mut self) -> ConnectionId {
        self.endpoint.reserve()
    }

    fn is_idle(&self) -> bool {
        self.events.is_empty() && self.endpoint.is_idle() && self.user.is_idle()
    }
}
