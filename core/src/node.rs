//! The poll API: what every node takes and gives, whatever its role (docs/poll.md).
//!
//! A driver drains what a node wants done, then waits until something arrives or the node's deadline comes:
//!
//! ```
//! use sansip::{Instant, Node, Output};
//!
//! fn drain<N: Node>(node: &mut N, mut send: impl FnMut(sansip::Transmit), mut tell: impl FnMut(N::Event)) -> Option<Instant> {
//!     while let Some(output) = node.poll() {
//!         match output {
//!             Output::Send(transmit) => send(transmit),
//!             Output::Event(event) => tell(event),
//!             // A name to resolve, a connection to open or to close.
//!             _ => {}
//!         }
//!     }
//!     node.deadline()
//! }
//! ```

use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};

use crate::flow::{ConnectionId, Flow, ListenerId};
use crate::id::handles;
use crate::message::SharedBytes;
use crate::message::header::Protocol;
use crate::time::Instant;

handles! {
    /// A question to the driver's resolver (RFC 3263).
    QueryId = Id<QueryKind>, "query";
}

/// A node of a SIP network: a pure state machine that a driver feeds with inputs and drains of outputs.
///
/// Any call in any order is legal. Four laws hold (and are tested for every node): ticks before the next
/// [`deadline`](Self::deadline) change nothing; a stream may be cut anywhere; outputs drained late are the same outputs
/// in the same order; a clone behaves like its original.
pub trait Node {
    /// An event that the application is told.
    type Event;

    /// Fires every timer due at `now`, in deadline order, then applies `input`. Never fails: what a peer sends is not the
    /// caller's error. A `now` before an earlier one is taken as that earlier one.
    fn handle(&mut self, now: Instant, input: Input<'_>);

    /// The oldest output not yet taken; `None` when all are.
    fn poll(&mut self) -> Option<Output<Self::Event>>;

    /// When this node next wants [`Input::Tick`]: exact, and a pure question.
    fn deadline(&self) -> Option<Instant>;

    /// No transaction, dialog, delivery, open question or undrained output is left. Bindings, listeners and connections are
    /// holdings, not business, and do not count.
    fn is_idle(&self) -> bool;

    /// Who waits for the answer to a question; `None` if nobody does any more, so that a driver may stop asking. A node that does not tell
    /// is taken to want each answer.
    fn asker(&self, query: QueryId) -> Option<Asker> {
        let _ = query;
        Some(Asker::Own)
    }

    /// A name for a connection that the driver has accepted, to be told with [`Input::Accepted`]. Never the same twice.
    fn reserve(&mut self) -> ConnectionId;

    /// Tells the node of a connection that the driver has accepted at a listener; the name for it.
    fn accept(&mut self, now: Instant, listener: ListenerId, remote: SocketAddr) -> ConnectionId {
        let connection = self.reserve();
        self.handle(now, Input::Accepted { listener, connection, remote });
        connection
    }
}

/// Something that happens to a node.
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
    /// A peer has opened a connection to a listener.
    Accepted {
        /// The listener it was opened to.
        listener: ListenerId,
        /// The name for it, from [`Node::reserve`].
        connection: ConnectionId,
        /// The far end.
        remote: SocketAddr,
    },
    /// A byte stream (TCP, TLS) brought so much, cut anywhere.
    Stream {
        /// The connection it came on.
        connection: ConnectionId,
        /// The octets.
        bytes: &'a [u8],
    },
    /// A connection that keeps messages apart (WebSocket, SCTP) brought one.
    Message {
        /// The connection it came on.
        connection: ConnectionId,
        /// All of it.
        bytes: &'a [u8],
    },
    /// A connection is not what it was.
    Connection {
        /// The connection.
        connection: ConnectionId,
        /// The change.
        change: Change<'a>,
    },
    /// The answer to an [`Output::Resolve`]. An empty one says that there is none.
    Resolved {
        /// The question that is answered.
        query: QueryId,
        /// The answers. Addresses are tried in the order in which they stand here (RFC 6724).
        answers: &'a [Answer],
    },
    /// A datagram to `remote` could not be delivered (ICMP, RFC 3261 §18.4).
    Unreachable {
        /// The listener it was sent from.
        listener: ListenerId,
        /// Where it was sent.
        remote: SocketAddr,
        /// As much of what was sent as the network gives back, from its first byte on; empty if nothing. The start line tells
        /// whether a request or a response did not arrive, and only transactions of that side hear of it. With fewer than eight
        /// bytes that is not known: a side hears of it that alone has sent there, and if both have, neither does.
        quoted: &'a [u8],
    },
    /// Time has passed.
    Tick,
}

/// A change of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change<'a> {
    /// It is open (TLS, WebSocket: its handshake is done as well). Told of each connection that an [`Output::Open`] asked for;
    /// of an accepted one only if the far end has shown who it is.
    Opened {
        /// The names that the far end has proved to have (RFC 5922 §7.1); none without TLS.
        identities: &'a [&'a str],
    },
    /// It takes no more bytes for now: the driver holds some that it could not write.
    Stalled,
    /// Everything that the driver held for it is written.
    Writable,
    /// The far end has ended its side of a byte stream (TCP half-closed): no more comes, and writing still works.
    Ended,
    /// It could not be opened: refused, unreachable, no answer, wrong certificate.
    Failed,
    /// It is gone: the far end closed or reset it, or the driver did.
    Closed,
}

/// Something that a node wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub enum Output<E> {
    /// Send these bytes.
    Send(Transmit),
    /// Open a connection and tell with [`Input::Connection`] what became of it. Bytes may be sent on it before that; the driver
    /// keeps them.
    Open {
        /// The name of the connection.
        connection: ConnectionId,
        /// The listener whose connection it is: its protocol, its side of the network.
        listener: ListenerId,
        /// The protocol.
        protocol: Protocol,
        /// The far end.
        remote: SocketAddr,
        /// The name that the far end must prove to have (TLS, RFC 5922 §7.2), and that a WebSocket handshake asks for.
        server_name: Option<Box<str>>,
    },
    /// Close a connection, after what was sent on it. Nothing is to be told of it any more.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// Ask the resolver and answer with [`Input::Resolved`].
    Resolve {
        /// The name of the question, to be given back with its answer.
        query: QueryId,
        /// The question.
        question: Question,
    },
    /// Something for the application.
    Event(E),
}

impl<E> Output<E> {
    /// The event, or what is not one: for whoever passes outputs on and has events of another type.
    ///
    /// # Errors
    /// Everything but an event.
    pub fn into_event<T>(self) -> Result<E, Output<T>> {
        Err(match self {
            Self::Event(event) => return Ok(event),
            Self::Send(transmit) => Output::Send(transmit),
            Self::Open { connection, listener, protocol, remote, server_name } => {
                Output::Open { connection, listener, protocol, remote, server_name }
            }
            Self::Close { connection } => Output::Close { connection },
            Self::Resolve { query, question } => Output::Resolve { query, question },
        })
    }
}

/// Bytes on their way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// From where to where, or on which connection.
    pub flow: Flow,
    /// How far a multicast datagram may go (RFC 3261 §18.1.1); `None` of everything else.
    pub ttl: Option<u8>,
    /// The whole message, or a keep-alive. A retransmission is the same bytes behind the same pointer.
    pub bytes: SharedBytes,
}

/// A question for the driver's resolver (RFC 3263).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// The A and AAAA records of a host.
    Address {
        /// The host name, in lower case and without a final dot, as all names here.
        name: Box<str>,
    },
    /// The SRV records of a service (RFC 2782).
    Srv {
        /// Service, protocol and domain, such as `_sip._udp.example.com`.
        name: Box<str>,
    },
    /// The NAPTR records of a domain (RFC 3403).
    Naptr {
        /// The domain.
        name: Box<str>,
    },
}

/// Who waits for the answer to a [`Question`]: a driver bounds what one peer may have asked at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Asker {
    /// A command of the application, or a timer.
    Own,
    /// Something that came from that address: a request to be forwarded, or one whose response finds its connection closed and looks for
    /// its sender (RFC 3263 §5).
    Peer(IpAddr),
}

/// One answer to a [`Question`]. Names may be in any case and with or without a final dot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// An A or AAAA record, to [`Question::Address`].
    Address(IpAddr),
    /// An SRV record, to [`Question::Srv`].
    Srv {
        /// The lowest is tried first.
        priority: u16,
        /// Its share of what goes to this priority.
        weight: u16,
        /// The port of the service.
        port: u16,
        /// The host; the root, `.`, if there is decidedly no such service.
        target: Box<str>,
    },
    /// A NAPTR record, to [`Question::Naptr`]. Records with a regular expression are of other applications and left out.
    Naptr {
        /// Only the lowest with a service that we can use counts.
        order: u16,
        /// Within one order the lowest is tried first.
        preference: u16,
        /// `s` of what concerns SIP.
        flags: Box<str>,
        /// Such as `SIP+D2U`.
        service: Box<str>,
        /// The name of the SRV records of this service.
        replacement: Box<str>,
    },
    /// An address that came along with SRV records. If a target has any they must be all that it has: it is not asked for
    /// again. They may always be left out.
    Additional {
        /// The host, one of the targets.
        name: Box<str>,
        /// An address of it.
        address: IpAddr,
    },
}
