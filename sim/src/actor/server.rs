//! A domain's server: proxy and registrar.

use sansip::server::Server;
use sansip::{Input, Instant, Node, Output};

use super::Actor;
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
            match self.0.poll()? {
                Output::Send(transmit) => return Some(Output::Send(transmit)),
                Output::Resolve { query, question } => return Some(Output::Resolve { query, question }),
                // Bindings made and gone show in the REGISTER exchange already.
                _ => {}
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.0.deadline()
    }

    fn is_idle(&self) -> bool {
        self.0.is_idle()
    }
}

impl Actor for ServerActor {
    fn clone_box(&self) -> Box<dyn Actor> {
        Box::new(self.clone())
    }
}
