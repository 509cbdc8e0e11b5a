//! A domain's server: proxy and registrar.

use sansip::server::Server;
use sansip::{ConnectionId, Input, Instant, Node, Output};

use super::{Actor, Census};
use crate::trace::Note;

/// A server in a world. It needs nobody: its events are only noted.
#[derive(Clone, Debug)]
pub struct ServerActor(Server);

impl ServerActor {
    /// A server, listeners added.
    pub const fn new(server: Server) -> Self {
        Self(server)
    }
}

impl Node for ServerActor {
    type Event = Note;

    fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.0.handle(now, input);
    }

    fn poll(&mut self) -> Option<Output<Note>> {
        loop {
            // Of events: bindings made and gone show in the REGISTER exchange already.
            if let Err(output) = self.0.poll()?.into_event() {
                return Some(output);
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }

    fn is_idle(&self) -> bool {
        self.0.is_idle()
    }

    fn reserve(&mut self) -> ConnectionId {
        self.0.reserve()
    }
}

impl Actor for ServerActor {
    fn census(&self) -> Census {
        Census { endpoint: self.0.endpoint().census(), server: self.0.user().census(), ..Census::default() }
    }

    fn capacity(&self) -> Census {
        Census { endpoint: self.0.endpoint().capacity(), server: self.0.user().capacity(), ..Census::default() }
    }

    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
