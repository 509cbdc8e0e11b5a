//! The parts of both drivers: all but connections, and how to wait.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use sansip::message::SharedBytes;
use sansip::message::header::Protocol;
use sansip::{
    Change, ConnectionId, Duration, Input, Instant, Listener, ListenerId, Node, Output, QueryId, Question, Stack,
    TransactionUser, Transmit,
};

use crate::datagrams::{self, Inbox, Sending, Socket, Undelivered};
use crate::limits::BATCH;
use crate::resolver::{Found, Questions, Resolver};
use crate::seen::{Direction, Observer, Seen};
use crate::trouble::{Attempt, Troubles};
use crate::{Clock, Turn, Waker, socket};

/// Clock, resolver, listeners and datagrams of a driver, whose UDP sockets are `S`.
pub(crate) struct Common<S> {
    pub(crate) clock: Clock,
    pub(crate) waker: Waker,
    pub(crate) observer: Observer,
    pub(crate) troubles: Troubles,
    pub(crate) stop: Option<Instant>,
    listeners: HashMap<ListenerId, Listening<S>>,
    /// Datagrams that were read and are not given to the node yet.
    inbox: Inbox,
    /// Datagrams that are sent with those that come at the same time.
    outbox: VecDeque<Transmit>,
    questions: Questions,
    answers: Receiver<Found>,
}

/// A listener, with the socket that datagrams leave from.
struct Listening<S> {
    protocol: Protocol,
    local: SocketAddr,
    datagrams: Option<Sending<S>>,
}

/// The socket of a listener.
pub(crate) enum Bound {
    Datagrams(UdpSocket),
    Connections(TcpListener),
}

/// From where to where a connection leads, and over what.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    pub(crate) protocol: Protocol,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
}

/// How a driver does what a node wants of connections.
pub(crate) trait Connections {
    type Datagrams: Socket;

    fn common(&mut self) -> &mut Common<Self::Datagrams>;

    /// Writes that behind all before it, also where the connection is not open yet.
    fn write<N: Node>(&mut self, node: &mut N, connection: ConnectionId, bytes: SharedBytes);

    /// Begins to open a connection, whose fate is told later or at once.
    fn open<N: Node>(&mut self, node: &mut N, connection: ConnectionId, path: Path, server_name: Option<Box<str>>);

    /// Closes it when all is written; at once if it is not open yet.
    fn close(&mut self, connection: ConnectionId);

    /// Does what the node wants, but for events.
    fn carry_out<N: Node>(&mut self, node: &mut N, output: Output<N::Event>) -> Option<N::Event> {
        match output {
            Output::Send(transmit) => match transmit.flow.connection {
                Some(connection) => self.write(node, connection, transmit.bytes),
                None => self.common().send(transmit),
            },
            Output::Open { connection, listener, protocol, remote, server_name } => {
                match self.common().listeners.get(&listener).map(|listening| listening.local) {
                    Some(local) => self.open(node, connection, Path { protocol, local, remote }, server_name),
                    None => self.common().failed(node, connection, io::ErrorKind::NotFound.into()),
                }
            }
            Output::Close { connection } => self.close(connection),
            Output::Resolve { query, question } => self.common().ask(node, query, question),
            Output::Event(event) => return Some(event),
            _ => {}
        }
        None
    }
}

impl<S> Common<S> {
    /// With a way to end the waiting of this driver from another thread.
    pub(crate) fn new(resolver: Resolver, interrupt: impl Fn() + Send + Sync + 'static) -> Self {
        let (report, answers) = channel();
        let waker = Waker::new(interrupt);
        let wake = waker.clone();
        let report = move |found| {
            let _ = report.send(found);
            wake.interrupt();
        };
        Self {
            clock: Clock::new(),
            waker,
            observer: Observer::default(),
            troubles: Troubles::default(),
            stop: None,
            listeners: HashMap::new(),
            inbox: Inbox::new(),
            outbox: VecDeque::new(),
            questions: Questions::new(resolver, Arc::new(report)),
            answers,
        }
    }

    /// Binds the socket of a listener; the listener with the port that the system has chosen if it had none.
    pub(crate) fn bind(&mut self, listener: Listener) -> io::Result<(Bound, Listener)> {
        if listener.protocol != Protocol::Udp {
            let socket = socket::tcp(listener.local)?;
            let listener = socket::named(listener, socket.local_addr()?)?;
            return Ok((Bound::Connections(socket), listener));
        }
        let socket = socket::udp(listener.local)?;
        if let Err(error) = socket::enlarge(&socket) {
            self.troubles.note(Attempt::Buffers, error);
        }
        let listener = socket::named(listener, socket.local_addr()?)?;
        Ok((Bound::Datagrams(socket), listener))
    }

    /// Tells the node of a listener that is bound.
    pub(crate) fn listen<U: TransactionUser>(
        &mut self,
        node: &mut Stack<U>,
        listener: &Listener,
        socket: Option<S>,
    ) -> ListenerId {
        let (protocol, local) = (listener.protocol, listener.local);
        let (id, datagrams) = (node.listen(listener.clone()), socket.map(Sending::new));
        self.listeners.insert(id, Listening { protocol, local, datagrams });
        id
    }

    /// Describes a driver that has so many connections.
    pub(crate) fn describe(&self, f: &mut fmt::Formatter<'_>, connections: usize) -> fmt::Result {
        write!(f, "Driver({} listeners, {connections} connections)", self.listeners.len())
    }

    /// The protocol of a listener.
    #[cfg(feature = "tokio")]
    pub(crate) fn protocol(&self, listener: ListenerId) -> Option<Protocol> {
        self.listeners.get(&listener).map(|listening| listening.protocol)
    }

    pub(crate) fn show(&mut self, direction: Direction, path: Path, bytes: &[u8]) {
        let Path { protocol, local, remote } = path;
        self.observer.show(&Seen { now: self.clock.now(), direction, protocol, local, remote, bytes });
    }

    pub(crate) fn tell<N: Node>(&self, node: &mut N, connection: ConnectionId, change: Change<'_>) {
        node.handle(self.clock.now(), Input::Connection { connection, change });
    }

    /// A connection could not be opened.
    pub(crate) fn failed<N: Node>(&mut self, node: &mut N, connection: ConnectionId, error: io::Error) {
        self.troubles.note(Attempt::Open, error);
        self.tell(node, connection, Change::Failed);
    }

    /// Tells the node of a connection that has broken.
    pub(crate) fn broken<N: Node>(&mut self, node: &mut N, connection: ConnectionId, error: io::Error) {
        if !socket::is_ended(&error) {
            self.troubles.note(Attempt::Stream, error);
        }
        self.tell(node, connection, Change::Closed);
    }

    /// Has a thread of the resolver panic after that time.
    #[cfg(test)]
    pub(crate) fn resolver_panics(&self, after: Duration) {
        self.questions.panic_of_a_thread(after);
    }

    fn ask<N: Node>(&mut self, node: &mut N, query: QueryId, question: Question) {
        if let Err(error) = self.questions.ask(node, query, question) {
            self.troubles.note(Attempt::Resolve, error);
            node.handle(self.clock.now(), Input::Resolved { query, answers: &[] });
        }
    }

    /// Gives the next event for the application before the driver waits. If there is none, says until when the driver may wait.
    pub(crate) fn before<N: Node>(
        &mut self,
        node: &N,
        deadlines: impl IntoIterator<Item = Option<Instant>>,
        is_written: impl FnOnce() -> bool,
    ) -> Result<Option<Duration>, Turn<N::Event>> {
        self.questions.forget_unwanted(node);
        let now = self.clock.now();
        if let Some(trouble) = self.troubles.take(now) {
            return Err(Turn::Trouble(trouble));
        }
        if self.waker.is_asked() {
            return Err(Turn::Woken);
        }
        if let Some(end) = self.stop {
            let clean = node.is_idle() && is_written();
            if clean || now >= end {
                return Err(Turn::Stopped { clean });
            }
        }
        let deadline = deadlines.into_iter().chain([node.deadline(), self.stop]).flatten().min();
        Ok(deadline.map(|at| at.since(now)))
    }

    /// Gives the node what has happened while the driver waited, but for its sockets; whether it is `until`.
    pub(crate) fn after<N: Node>(&mut self, node: &mut N, until: Option<Instant>) -> bool {
        let now = self.clock.now();
        while let Ok(Found { question, answers }) = self.answers.try_recv() {
            let Some(answers) = answers else { panic!("a thread of the resolver has panicked") };
            for query in self.questions.answered(&question) {
                node.handle(now, Input::Resolved { query, answers: &answers });
            }
        }
        if node.deadline().is_some_and(|deadline| deadline <= now) {
            node.handle(now, Input::Tick);
        }
        until.is_some_and(|until| until <= now)
    }
}

impl<S: Socket> Common<S> {
    /// Reads datagrams of a listener; whether there may be more.
    pub(crate) fn receive<N: Node>(&mut self, node: &mut N, listener: ListenerId) -> bool {
        let Some(datagrams) = self.listeners.get(&listener).and_then(|listening| listening.datagrams.as_ref()) else {
            return false;
        };
        match self.inbox.receive(listener, &datagrams.socket) {
            Ok(more) => more,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            // The network's, about something sent before: nothing was read, this time.
            Err(_) => {
                self.undelivered(node, listener);
                true
            }
        }
    }

    /// Gives the node the next datagram of those that were read; whether there was one.
    pub(crate) fn arrived<N: Node>(&mut self, node: &mut N) -> bool {
        let Some((listener, remote, bytes)) = self.inbox.next() else { return false };
        let Some(&Listening { protocol, local, .. }) = self.listeners.get(&listener) else { return true };
        let now = self.clock.now();
        self.observer.show(&Seen { now, direction: Direction::In, protocol, local, remote, bytes });
        node.handle(now, Input::Datagram { listener, remote, bytes });
        true
    }

    /// Tells the node of datagrams that have not arrived.
    pub(crate) fn undelivered<N: Node>(&self, node: &mut N, listener: ListenerId) {
        let datagrams = self.listeners.get(&listener).and_then(|listening| listening.datagrams.as_ref());
        while let Some(Undelivered { remote, quoted }) =
            datagrams.and_then(|sending| datagrams::undelivered(&sending.socket))
        {
            node.handle(self.clock.now(), Input::Unreachable { listener, remote, quoted: &quoted });
        }
    }

    fn send(&mut self, transmit: Transmit) {
        let Some(&Listening { protocol, local, .. }) = self.listeners.get(&transmit.flow.listener) else { return };
        self.show(Direction::Out, Path { protocol, local, remote: transmit.flow.remote }, &transmit.bytes);
        self.outbox.push_back(transmit);
    }

    /// Sends the datagrams that were kept; whether there were any. The node hears of one that has no way to its destination; one that
    /// finds the system's buffers full is lost, as it might be further on: the timers see to it.
    pub(crate) fn send_all<N: Node>(&mut self, node: &mut N) -> bool {
        let had_any = !self.outbox.is_empty();
        let mut is_again = false;
        while let Some(first) = self.outbox.front() {
            let (listener, ttl) = (first.flow.listener, first.ttl);
            let is_like = |other: &&Transmit| (other.flow.listener, other.ttl) == (listener, ttl);
            let count = self.outbox.iter().take(BATCH).take_while(is_like).count();
            let batch = self.outbox.make_contiguous().get(..count).unwrap_or_default();
            let sending = self.listeners.get_mut(&listener).and_then(|listening| listening.datagrams.as_mut());
            match sending.map_or(Ok(count), |sending| sending.send(batch)) {
                Ok(sent) => {
                    self.outbox.drain(..sent.max(1));
                    is_again = false;
                }
                // It may be about one sent before: then it does not come twice.
                Err(_) if !is_again => {
                    self.undelivered(node, listener);
                    is_again = true;
                }
                Err(error) => {
                    let Some(transmit) = self.outbox.pop_front() else { break };
                    is_again = false;
                    let is_lost = socket::is_lost(&error);
                    self.troubles.note(Attempt::Send, error);
                    if !is_lost {
                        let (remote, quoted) = (transmit.flow.remote, &*transmit.bytes);
                        node.handle(self.clock.now(), Input::Unreachable { listener, remote, quoted });
                    }
                }
            }
        }
        had_any
    }
}
