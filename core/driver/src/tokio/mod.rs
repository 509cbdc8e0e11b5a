//! A node in a program that has a tokio runtime: UDP and TCP, with the feature `tls` TLS, with `ws` WebSocket.
//!
//! [`Driver::next`] is to be awaited where the program waits, and may be dropped and called again: nothing is lost. Sockets are read
//! and written by tasks; the node stays with the program.

mod datagrams;
mod link;
#[cfg(feature = "ws")]
mod websocket;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sansip::message::header::Protocol;
use sansip::{
    Answer, Change, ConnectionId, Duration, Input, Instant, Listener, ListenerId, Node, Output, QueryId, Stack,
    TransactionUser, Transmit,
};
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{AbortHandle, JoinSet};

use crate::limits::{LINGER, LINGERING};
use crate::resolver::{Asker, Resolver};
use crate::seen::{Direction, Observer, Seen};
use crate::trouble::{Attempt, Troubles};
use crate::{Clock, Turn, socket};
use link::{Connection, Link, Security};

/// Things waiting for the node; above it the tasks wait, and the system drops datagrams and slows streams as it sees fit.
const QUEUE: usize = 1_024;

/// Something that a task tells.
enum Told {
    Datagram {
        listener: ListenerId,
        remote: SocketAddr,
        bytes: Vec<u8>,
    },
    Accepted {
        listener: ListenerId,
        remote: SocketAddr,
        link: Link,
    },
    Opened {
        connection: ConnectionId,
        identities: Vec<String>,
        local: SocketAddr,
    },
    NotOpened {
        connection: ConnectionId,
        error: io::Error,
    },
    Octets {
        connection: ConnectionId,
        bytes: Vec<u8>,
    },
    #[cfg_attr(not(feature = "ws"), expect(dead_code, reason = "WebSocket alone keeps messages apart"))]
    Message {
        connection: ConnectionId,
        bytes: Vec<u8>,
    },
    Changed {
        connection: ConnectionId,
        change: Change<'static>,
    },
    Failed {
        attempt: Attempt,
        error: io::Error,
    },
    /// There is something to look for elsewhere.
    Woken,
}

/// A listener: its protocol, its address, and what datagrams leave from.
struct Listening {
    protocol: Protocol,
    local: SocketAddr,
    socket: Option<Arc<UdpSocket>>,
    ttl: Option<u8>,
    task: Option<AbortHandle>,
}

/// The sockets, the clock and the resolver of one node.
pub struct Driver {
    clock: Clock,
    tell: Sender<Told>,
    told: Receiver<Told>,
    is_woken: Arc<AtomicBool>,
    listeners: HashMap<ListenerId, Listening>,
    connections: HashMap<ConnectionId, Connection>,
    /// Connections that the node has closed, each with its end.
    lingering: VecDeque<(Instant, AbortHandle)>,
    /// All tasks: they end with the driver.
    tasks: JoinSet<()>,
    security: Security,
    asker: Asker,
    answers: std::sync::mpsc::Receiver<(QueryId, Vec<Answer>)>,
    observer: Observer,
    troubles: Troubles,
    stop: Option<Instant>,
}

/// Wakes a [`Driver`] from another task or thread: its `next` returns [`Turn::Woken`].
#[derive(Clone)]
pub struct Waker {
    tell: Sender<Told>,
    is_asked: Arc<AtomicBool>,
}

impl Waker {
    /// Several calls before the driver looks are one.
    pub fn wake(&self) {
        if !self.is_asked.swap(true, Ordering::AcqRel) {
            // Where the queue is full the driver is awake.
            let _ = self.tell.try_send(Told::Woken);
        }
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waker")
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (listeners, connections) = (self.listeners.len(), self.connections.len());
        write!(f, "Driver({listeners} listeners, {connections} connections)")
    }
}

impl Driver {
    /// A driver with no socket yet.
    pub fn new(resolver: Resolver) -> Self {
        let (tell, told) = channel(QUEUE);
        let (report, answers) = std::sync::mpsc::channel();
        let wake = tell.clone();
        let report = move |query, found| {
            let _ = report.send((query, found));
            // Where the queue is full the driver is awake.
            let _ = wake.try_send(Told::Woken);
        };
        Self {
            clock: Clock::new(),
            tell,
            told,
            is_woken: Arc::default(),
            listeners: HashMap::new(),
            connections: HashMap::new(),
            lingering: VecDeque::new(),
            tasks: JoinSet::new(),
            security: Security::default(),
            asker: Asker::new(resolver, Arc::new(report)),
            answers,
            observer: Observer::default(),
            troubles: Troubles::default(),
            stop: None,
        }
    }

    /// Sets the certificates for TLS and secure WebSocket; given again, those of connections from now on, as on SIGHUP.
    #[cfg(feature = "tls")]
    pub fn set_tls(&mut self, tls: crate::Tls) {
        self.security.set(tls);
    }

    /// The time that commands to the node are given.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A handle that wakes this driver from another task or thread.
    pub fn waker(&self) -> Waker {
        Waker { tell: self.tell.clone(), is_asked: self.is_woken.clone() }
    }

    /// Shows what crosses the sockets to `observe`, until another is set.
    pub fn observe(&mut self, observe: impl FnMut(&Seen<'_>) + Send + 'static) {
        self.observer.set(observe);
    }

    /// Binds a socket and tells the node of it, as [`blocking::Driver::listen`](crate::blocking::Driver::listen) does. To be called within
    /// the runtime.
    ///
    /// # Errors
    /// As there; also TLS without [`set_tls`](Self::set_tls).
    pub fn listen<U: TransactionUser>(
        &mut self,
        node: &mut Stack<U>,
        listener: Listener,
    ) -> io::Result<(ListenerId, Listener)> {
        let protocol = listener.protocol;
        if protocol == Protocol::Udp {
            let socket = socket::udp(listener.local)?;
            if let Err(error) = socket::enlarge(&socket) {
                self.troubles.note(Attempt::Buffers, error);
            }
            let listener = socket::named(listener, socket.local_addr()?)?;
            let socket = Arc::new(UdpSocket::from_std(socket)?);
            let id = node.listen(listener.clone());
            let (local, reader) = (listener.local, socket.clone());
            self.tasks.spawn(datagrams::read(id, reader, self.tell.clone()));
            self.listeners.insert(id, Listening { protocol, local, socket: Some(socket), ttl: None, task: None });
            return Ok((id, listener));
        }
        self.security.check(protocol)?;
        let socket = socket::tcp(listener.local)?;
        let listener = socket::named(listener, socket.local_addr()?)?;
        let socket = tokio::net::TcpListener::from_std(socket)?;
        let (id, local) = (node.listen(listener.clone()), listener.local);
        let task = self.tasks.spawn(link::accept(id, protocol, socket, self.security.clone(), self.tell.clone()));
        self.listeners.insert(id, Listening { protocol, local, socket: None, ttl: None, task: Some(task) });
        Ok((id, listener))
    }

    /// Drives `node` until there is something for the application, or it is `until`.
    pub async fn next<N: Node>(&mut self, node: &mut N, until: Option<Instant>) -> Turn<N::Event> {
        loop {
            while let Some(output) = node.poll() {
                if let Some(event) = self.carry_out(node, output) {
                    return Turn::Event(event);
                }
            }
            self.reap();
            if let Ok((query, answers)) = self.answers.try_recv() {
                node.handle(self.clock.now(), Input::Resolved { query, answers: &answers });
                continue;
            }
            let now = self.clock.now();
            if let Some(trouble) = self.troubles.take(now) {
                return Turn::Trouble(trouble);
            }
            if self.is_woken.swap(false, Ordering::AcqRel) {
                return Turn::Woken;
            }
            let is_done = self.stop.is_some() && node.is_idle() && self.is_written();
            if is_done || self.stop.is_some_and(|end| now >= end) {
                return Turn::Stopped { clean: is_done };
            }
            if until.is_some_and(|until| now >= until) {
                return Turn::Time;
            }
            let linger = self.lingering.front().map(|(end, _)| *end);
            let deadline = [node.deadline(), until, self.stop, linger].into_iter().flatten().min();
            let told = match deadline {
                // A timer of tokio may be early by less than its millisecond.
                Some(deadline) => tokio::time::timeout(deadline.since(now), self.told.recv()).await.ok().flatten(),
                None => self.told.recv().await,
            };
            match told {
                Some(told) => self.take(node, told),
                None => node.handle(self.clock.now(), Input::Tick),
            }
        }
    }

    /// As [`blocking::Driver::stop`](crate::blocking::Driver::stop).
    pub fn stop(&mut self, within: Duration) {
        self.stop = Some(self.now() + within);
        #[expect(clippy::disallowed_methods, reason = "in which order they end is no matter")]
        self.listeners.values_mut().filter_map(|listening| listening.task.take()).for_each(|task| task.abort());
    }

    /// Whether nothing waits to be written.
    #[expect(clippy::disallowed_methods, reason = "all of them are asked")]
    fn is_written(&self) -> bool {
        self.connections.values().all(Connection::is_written)
    }

    fn take<N: Node>(&mut self, node: &mut N, told: Told) {
        let now = self.clock.now();
        match told {
            Told::Datagram { listener, remote, bytes } => {
                let local = self.listeners.get(&listener).map_or(remote, |listening| listening.local);
                self.show(Direction::In, Protocol::Udp, local, remote, &bytes);
                node.handle(now, Input::Datagram { listener, remote, bytes: &bytes });
            }
            Told::Accepted { listener, remote, link } => {
                let Some(listening) = self.listeners.get(&listener) else { return };
                let (connection, identities) = (node.reserve(), link.identities.clone());
                let protocol = listening.protocol;
                let accepted = Connection::accepted(&mut self.tasks, connection, protocol, remote, link, &self.tell);
                self.connections.insert(connection, accepted);
                node.handle(now, Input::Accepted { listener, connection, remote });
                if !identities.is_empty() {
                    self.opened(node, connection, &identities);
                }
            }
            Told::Opened { connection, identities, local } => {
                if let Some(opened) = self.connections.get_mut(&connection) {
                    opened.local = local;
                    self.opened(node, connection, &identities);
                }
            }
            Told::NotOpened { connection, error } => {
                if self.connections.remove(&connection).is_some() {
                    self.troubles.note(Attempt::Open, error);
                    node.handle(now, Input::Connection { connection, change: Change::Failed });
                }
            }
            Told::Octets { connection, bytes } => {
                if self.show_connection(Direction::In, connection, &bytes) {
                    node.handle(now, Input::Stream { connection, bytes: &bytes });
                }
            }
            Told::Message { connection, bytes } => {
                if self.show_connection(Direction::In, connection, &bytes) {
                    node.handle(now, Input::Message { connection, bytes: &bytes });
                }
            }
            Told::Changed { connection, change } => {
                let is_known = match change {
                    Change::Closed => self.connections.remove(&connection).is_some(),
                    _ => self.connections.contains_key(&connection),
                };
                if is_known {
                    node.handle(now, Input::Connection { connection, change });
                }
            }
            Told::Failed { attempt, error } => self.troubles.note(attempt, error),
            Told::Woken => {}
        }
    }

    fn opened<N: Node>(&self, node: &mut N, connection: ConnectionId, identities: &[String]) {
        let identities: Vec<&str> = identities.iter().map(String::as_str).collect();
        let change = Change::Opened { identities: &identities };
        node.handle(self.clock.now(), Input::Connection { connection, change });
    }

    fn carry_out<N: Node>(&mut self, node: &mut N, output: Output<N::Event>) -> Option<N::Event> {
        match output {
            Output::Send(transmit) => match transmit.flow.connection {
                Some(connection) => self.write(node, connection, &transmit),
                None => self.send_datagram(node, &transmit),
            },
            Output::Open { connection, listener, protocol, remote, server_name } => {
                let local = self.listeners.get(&listener).map_or(remote, |listening| listening.local);
                let security = self.security.clone();
                let way = link::Way { protocol, local, remote, server_name };
                let opening = Connection::opening(&mut self.tasks, connection, way, security, &self.tell);
                self.connections.insert(connection, opening);
            }
            Output::Close { connection } => {
                if let Some(connection) = self.connections.remove(&connection)
                    && let Some(task) = connection.close()
                {
                    self.lingering.push_back((self.clock.now() + LINGER, task));
                }
            }
            Output::Resolve { query, question } => {
                if let Err(error) = self.asker.ask(query, question) {
                    self.troubles.note(Attempt::Resolve, error);
                    node.handle(self.clock.now(), Input::Resolved { query, answers: &[] });
                }
            }
            Output::Event(event) => return Some(event),
            _ => {}
        }
        None
    }

    fn write<N: Node>(&mut self, node: &mut N, connection: ConnectionId, transmit: &Transmit) {
        if !self.show_connection(Direction::Out, connection, &transmit.bytes) {
            return;
        }
        if let Some(change) = self.connections.get(&connection).and_then(|to| to.write(transmit.bytes.clone())) {
            node.handle(self.clock.now(), Input::Connection { connection, change });
        }
    }

    /// Shows octets of a connection; whether there is that connection.
    fn show_connection(&mut self, direction: Direction, connection: ConnectionId, bytes: &[u8]) -> bool {
        let Some(of) = self.connections.get(&connection) else { return false };
        let (protocol, local, remote) = (of.protocol, of.local, of.remote);
        self.show(direction, protocol, local, remote, bytes);
        true
    }

    fn show(&mut self, direction: Direction, protocol: Protocol, local: SocketAddr, remote: SocketAddr, bytes: &[u8]) {
        self.observer.show(&Seen { now: self.clock.now(), direction, protocol, local, remote, bytes });
    }

    /// Forgets the tasks that have ended, and ends those that have lingered for too long. One that has panicked ends the program
    /// with its message: half a driver is none.
    fn reap(&mut self) {
        let now = self.clock.now();
        while let Some((end, task)) = self.lingering.front()
            && (*end <= now || self.lingering.len() > LINGERING || task.is_finished())
        {
            task.abort();
            self.lingering.pop_front();
        }
        while let Some(ended) = self.tasks.try_join_next() {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}
