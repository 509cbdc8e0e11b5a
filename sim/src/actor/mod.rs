//! Actors: nodes together with whoever uses them.

mod census;
mod server;
mod user_agent;

pub use census::Census;
pub use server::ServerActor;
pub use user_agent::{Behaviour, Incoming, Outgoing, Reaction, Register, UserAgentActor};

use std::fmt::Debug;

use sansip::Node;

use crate::trace::Note;

/// A node in a world: the same poll API as on real sockets, with the application behind it built in, so that what comes
/// out as an event is only what is worth a note in the trace.
///
/// Its deadline is the earlier of the stack's and its script's, and it is idle when the stack is and the script has nothing
/// left to do.
pub trait Actor: Node<Event = Note> + Debug {
    /// The calls that it believes to be there at this moment.
    fn calls(&self) -> Vec<Call> {
        Vec::new()
    }

    /// What is alive in it at this moment; a node that tells nothing has nothing.
    fn census(&self) -> Census {
        Census::default()
    }

    /// How many of these it has room for without another allocation.
    fn capacity(&self) -> Census {
        Census::default()
    }

    /// A copy that behaves like the original; a world is forked with it.
    fn clone_box(&self) -> Box<dyn Actor>;
}

impl Clone for Box<dyn Actor> {
    fn clone(&self) -> Self {
        // Not `self`: a box of an actor is no actor.
        (**self).clone_box()
    }
}

/// A call as one end sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The Call-ID.
    pub call_id: String,
    /// How far it is.
    pub state: CallState,
}

/// How far one end believes a call to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Not answered yet.
    Trying,
    /// Answered: both ends should have it.
    Established,
    /// This end has given it up and is telling the other.
    Ending,
}
