//! Actors: nodes together with whoever uses them.

mod behaviour;
mod census;
mod challenger;
mod front;
mod line;
mod node;
mod session;
mod states;
mod store;
mod stored_server;
mod stranger;
mod strict;
mod user_agent;

pub use behaviour::{Behaviour, Consent, HOLD, Incoming, Outgoing, Reaction, Register, Transfer};
pub use census::Census;
pub use challenger::Challenger;
pub use front::{Front, FrontActor};
pub use node::NodeActor;
pub use session::Session;
pub use states::{bindings, dialogs, states_of, transaction_of};
pub use store::StoreActor;
pub(crate) use store::VERBS;
pub use stored_server::StoredServerActor;
pub use stranger::{Flood, STRANGER, Stranger};
pub use strict::StrictRouter;
pub use user_agent::UserAgentActor;

use std::fmt;
use std::sync::Arc;

use sansip::{Instant, Node, server};

use crate::trace::{Note, State};
use crate::world::Bound;

/// A server in a world. It needs nobody: bindings made and gone show in the REGISTER exchange already.
pub type ServerActor = NodeActor<server::Server>;

/// A node in a world: the same poll API as on real sockets, with the application behind it built in, so that what comes
/// out as an event is only what is worth a note in the trace.
///
/// Its deadline is the earlier of the stack's and its script's, and it is idle when the stack is and the script has nothing
/// left to do.
pub trait Actor: Node<Event = Note> + fmt::Debug + Send {
    /// The calls that it believes to be there at this moment.
    fn calls(&self) -> Vec<Call> {
        Vec::new()
    }

    /// The node that comes up again after a crash, with the same listeners and nothing else of what it had; its `life` counts
    /// from 1, and its randomness must be another in each (RFC 3261 §8.1.1.7). `None`: it stays down.
    fn restarted(&self, now: Instant, life: u32) -> Option<Box<dyn Actor>> {
        let _ = (now, life);
        None
    }

    /// Counts what is alive in it at this moment; a node that tells nothing has nothing.
    fn census(&self) -> Census {
        Census::default()
    }

    /// How many of these it has room for without another allocation.
    fn capacity(&self) -> Census {
        Census::default()
    }

    /// Says what stands in it at this moment, its times those of its own clock; a node that tells nothing has nothing.
    fn states(&self) -> Vec<State> {
        Vec::new()
    }

    /// The name that [`states`](Self::states) has for the transaction of a request that it has sent, or that came to it.
    fn transaction_of(&self, request: &[u8], is_sent: bool) -> Option<String> {
        let _ = (request, is_sent);
        None
    }

    /// The listeners that it has; `None` of a node that does not tell.
    fn listeners(&self) -> Option<Vec<Bound>> {
        None
    }

    /// Whether it keeps no transactions: each message goes on as often as it comes (RFC 3261 §16.11).
    fn is_stateless(&self) -> bool {
        false
    }

    /// Whether SIP is what it speaks: a node that speaks something else owes nothing to SIP messages that come to it.
    fn speaks_sip(&self) -> bool {
        true
    }

    /// Whether it keeps no rule on purpose: no check judges what it does.
    fn is_stranger(&self) -> bool {
        false
    }

    /// The settings that it began with, if it is a domain's server: the checks hold it to them.
    fn settings(&self) -> Option<Arc<server::Settings>> {
        None
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

/// How to build a node, listeners added, for its n-th life from 0.
pub(crate) struct Recipe<N>(Arc<dyn Fn(u32) -> N + Send + Sync>);

impl<N> Recipe<N> {
    pub(crate) fn new(build: impl Fn(u32) -> N + Send + Sync + 'static) -> Self {
        Self(Arc::new(build))
    }

    pub(crate) fn build(&self, life: u32) -> N {
        (self.0)(life)
    }
}

impl<N> Clone for Recipe<N> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<N> fmt::Debug for Recipe<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipe")
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
