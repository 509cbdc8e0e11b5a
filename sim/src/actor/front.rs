//! The stateless proxy before a farm, and the application that knows which of its members are there.

use std::net::SocketAddr;

use sansip::message::header::Route;
use sansip::message::{StatusCode, Uri};
use sansip::proxy::Refusal;
use sansip::proxy::stateless::{Core, Farm, Member, Settings};
use sansip::{
    Config, ConnectionId, Context, Indication, Input, Instant, NextHop, Node, Output, Stack, TransactionUser,
};

use super::{Actor, Census, Recipe};
use crate::trace::Note;
use crate::world::Bound;

/// A stateless proxy (RFC 3261 §16.11) that gives all that comes for it to the members of its farm.
#[derive(Clone, Debug)]
pub struct Front {
    core: Core,
    farm: Farm,
    /// The host parts that mean it and its farm.
    names: Vec<String>,
}

impl Front {
    /// A node with no listener yet, before members of these names at these addresses.
    pub fn node(config: Config, names: &[String], members: &[(String, SocketAddr)]) -> Stack<Self> {
        let members = members.iter().map(|(name, at)| Member::new(name, NextHop::from(*at))).collect();
        let (core, farm) = (Core::new(&config, Settings::default()), Farm::new(&config, members));
        Stack::new(config, Self { core, farm, names: names.to_vec() })
    }

    /// Whether nobody but the front, or its farm, is meant. A Route that a member has recorded is left for the members.
    fn names_us(&self, uri: Uri<'_>) -> bool {
        let host = uri.host().map(|host| host.to_string());
        !self.farm.has_recorded(uri) && host.is_some_and(|host| self.names.contains(&host))
    }
}

impl TransactionUser for Front {
    type Event = ();

    const TAKES_STRAYS: bool = true;

    fn indicate(&mut self, cx: &mut Context<'_, ()>, indication: Indication) {
        if let Indication::Stray { response, flow } = &indication {
            return self.core.stray(cx, response, *flow, &self.farm);
        }
        let now = cx.now();
        self.core.indicate(
            cx,
            indication,
            |uri| self.names_us(uri),
            // A member settles what is for its domain, and what came along its Route. Along another Route nobody is led.
            |preprocessed| {
                let request = &preprocessed.request;
                match request.headers().get::<Route<'_>>() {
                    Some(Ok(route)) if !self.farm.has_recorded(route.uri) => {
                        Err(Refusal::Status(StatusCode::FORBIDDEN))
                    }
                    _ => self.farm.target(now, request),
                }
            },
        );
    }

    fn is_idle(&self) -> bool {
        true
    }
}

/// A front in a world. A member that cannot be reached, as the network tells (ICMP), is down; one of which something comes is up.
#[derive(Clone, Debug)]
pub struct FrontActor {
    stack: Stack<Front>,
    members: Vec<(String, SocketAddr)>,
    recipe: Recipe<Stack<Front>>,
    notes: Vec<String>,
}

impl FrontActor {
    /// The node of this recipe, which is given the number of its life, with its members.
    pub fn new(
        build: impl Fn(u32) -> Stack<Front> + Send + Sync + 'static,
        members: Vec<(String, SocketAddr)>,
    ) -> Self {
        let recipe = Recipe::new(build);
        Self { stack: recipe.build(0), members, recipe, notes: Vec::new() }
    }

    fn mark(&mut self, now: Instant, at: SocketAddr, up: bool) {
        let Some((name, _)) = self.members.iter().find(|(_, address)| *address == at) else { return };
        if self.stack.command(now, |front, _| front.farm.mark(now, name, up)) {
            self.notes.push(format!("{name} is {}", if up { "up" } else { "down" }));
        }
    }
}

impl Node for FrontActor {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Unreachable { remote, .. } => self.mark(now, remote, false),
            Input::Datagram { remote, .. } => self.mark(now, remote, true),
            _ => {}
        }
        self.stack.handle(now, input);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        if !self.notes.is_empty() {
            return Some(Output::Event(Note::Said(self.notes.remove(0))));
        }
        loop {
            if let Err(output) = self.stack.poll()?.into_event() {
                return Some(output);
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.stack.deadline()
    }

    fn is_idle(&self) -> bool {
        self.notes.is_empty() && self.stack.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.stack.reserve()
    }
}

impl Actor for FrontActor {
    fn restarted(&self, _: Instant, life: u32) -> Option<Box<dyn Actor>> {
        let stack = self.recipe.build(life);
        Some(Box::new(Self { stack, notes: Vec::new(), ..self.clone() }))
    }

    fn is_stateless(&self) -> bool {
        true
    }

    fn census(&self) -> Census {
        Census { endpoint: self.stack.endpoint().census(), ..Census::default() }
    }

    fn listeners(&self) -> Option<Vec<Bound>> {
        Some(self.stack.endpoint().listeners().map(Bound::from).collect())
    }

    fn capacity(&self) -> Census {
        Census { endpoint: self.stack.endpoint().capacity(), ..Census::default() }
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
