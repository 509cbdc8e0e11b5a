//! The poll API: what every node takes and gives, whatever its role (docs/poll.md).

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

use crate::id::{ListenerId, QueryId};
use crate::message::SharedBytes;
use crate::time::Instant;

/// A node of a SIP network: a pure state machine that a driver feeds with inputs and drains of outputs.
///
/// Any call in any order is legal. Four laws hold (and are tested for every node): ticks before the next
/// [`deadline`](Self::deadline) change nothing; a stream may be cut anywhere; outputs drained late are the same outputs
/// in the same order; a clone behaves like its original.
pub trait Node {
    /// What the application is told.
    type Event;

    /// Fires every timer due at `now`, in deadline order, then applies `input`. Never fails: what a peer sends is not the
    /// caller's error. A `now` before an earlier one is taken as that earlier one.
    fn handle(&mut self, now: Instant, input: Input<'_>);

    /// The oldest output not yet taken; `None` when all are.
    fn poll(&mut self) -> Option<Output<Self::Event>>;

    /// When this node next wants [`Input::Tick`]: exact, and a pure question.
    fn deadline(&self) -> Option<Instant>;

    /// No transaction, dialog, delivery, open question or undrained output is left. Bindings and listeners are holdings,
    /// not business, and do not count.
    fn is_idle(&self) -> bool;
}

/// What happens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A datagram arrived.
    Datagram {
        /// The listener it arrived at.
        listener: ListenerId,
        /// Where it came from.
        remote: SocketAddr,
        /// All of it.
        bytes: &'a [u8],
    },
    /// The answer to an [`Output::Resolve`]. An empty one says that there is none.
    Resolved {
        /// The question that is answered.
        query: QueryId,
        /// The answers, best first.
        answers: &'a [Answer],
    },
    /// What was sent to `remote` could not be delivered (ICMP, RFC 3261 §18.4).
    Unreachable {
        /// The listener it was sent from.
        listener: ListenerId,
        /// Where it was sent.
        remote: SocketAddr,
    },
    /// Time has passed.
    Tick,
}

/// What a node wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Output<E> {
    /// Send these bytes.
    Send(Transmit),
    /// Ask the resolver and answer with [`Input::Resolved`].
    Resolve {
        /// The name of the question, to be given back with its answer.
        query: QueryId,
        /// What to ask.
        question: Question,
    },
    /// Something for the application.
    Event(E),
}

/// Bytes on their way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The listener to send from.
    pub listener: ListenerId,
    /// Where to send to.
    pub destination: SocketAddr,
    /// The whole message. A retransmission is the same bytes behind the same pointer.
    pub bytes: SharedBytes,
}

/// A question for the driver's resolver (RFC 3263).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// The A and AAAA records of a name.
    Address {
        /// The host name, in lower case and without a final dot.
        name: Box<str>,
    },
}

/// One answer to a [`Question`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// An A or AAAA record.
    Address(IpAddr),
}
