//! A node on UDP and TCP, in one thread that waits for all its sockets at once (epoll, kqueue, IOCP by mio).
//!
//! ```no_run
//! use sansip::user_agent::{Body, Event, Profile, UserAgent};
//! use sansip::{Config, Listener};
//! use sansip_driver::Turn;
//! use sansip_driver::blocking::Driver;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut driver = Driver::new()?;
//! let mut phone = UserAgent::user_agent(
//!     Config::new(sansip_driver::seed()?),
//!     Profile::new("Bob <sip:bob@127.0.0.1>".parse()?),
//! );
//! driver.listen(&mut phone, Listener::udp("127.0.0.1:5060".parse()?))?;
//! loop {
//!     match driver.next(&mut phone, None)? {
//!         // With the offer as the answer: whoever calls hears itself.
//!         Turn::Event(Event::Incoming { call, request, .. }) => {
//!             phone.answer(driver.now(), call, Body::of_request(&request))?;
//!         }
//!         other => println!("{other:?}"),
//!     }
//! }
//! # }
//! ```

mod datagrams;
mod streams;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};

use mio::{Events, Interest, Poll, Token};
use sansip::message::header::Protocol;
use sansip::{
    Answer, ConnectionId, Duration, Input, Instant, Listener, ListenerId, Node, Output, QueryId, Question, Stack,
    TransactionUser,
};
use slab::Slab;

use crate::resolver::{Asker, Resolver};
use crate::seen::{Observer, Seen};
use crate::trouble::{Attempt, Troubles};
use crate::{Clock, Turn, socket};
use datagrams::Datagrams;
use streams::{Acceptor, Stream};

/// Pieces of work done before the system is asked again what is ready.
const ROUND: usize = 64;

/// Sockets that one look at the system can tell of.
const EVENTS: usize = 1_024;

/// The token of what other threads report.
const WAKE: Token = Token(usize::MAX);

/// A socket that the driver waits for, and whether it is in the queue of those that may have something.
struct Entry {
    source: Source,
    is_queued: bool,
}

enum Source {
    Datagrams(Datagrams),
    Acceptor(Acceptor),
    Stream(Stream),
}

/// The sockets, the clock and the resolver of one node.
pub struct Driver {
    clock: Clock,
    poll: Poll,
    events: Events,
    entries: Slab<Entry>,
    /// Those that may have something to read or room to write.
    ready: VecDeque<usize>,
    worked: usize,
    /// The protocol of each listener, its address, and the socket that datagrams leave from or connections come to.
    listeners: HashMap<ListenerId, (Protocol, SocketAddr, usize)>,
    connections: HashMap<ConnectionId, usize>,
    /// Connections that the node has closed and that are not quite over, each with its end.
    lingering: VecDeque<(Instant, ConnectionId)>,
    /// Connections with something to be written that was not tried yet.
    unwritten: Vec<ConnectionId>,
    /// Listeners that accept nothing until then.
    paused: Option<(Instant, Vec<usize>)>,
    buffer: Box<[u8]>,
    waker: Waker,
    asker: Asker,
    answers: Receiver<(QueryId, Vec<Answer>)>,
    observer: Observer,
    troubles: Troubles,
    stop: Option<Instant>,
}

/// Wakes a [`Driver`] from another thread: its `next` returns [`Turn::Woken`].
#[derive(Clone)]
pub struct Waker {
    poll: Arc<mio::Waker>,
    is_asked: Arc<AtomicBool>,
}

impl Waker {
    /// Several calls before the driver looks are one.
    pub fn wake(&self) {
        self.is_asked.store(true, Ordering::Release);
        // A queue of wake-ups that is full wakes as well.
        let _ = self.poll.wake();
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
    /// A driver with no socket yet, which asks the system's resolver.
    ///
    /// # Errors
    /// The system gives nothing to wait with: no descriptors are left.
    pub fn new() -> io::Result<Self> {
        Self::with_resolver(Resolver::default())
    }

    /// A driver with no socket yet.
    ///
    /// # Errors
    /// As those of [`new`](Self::new).
    pub fn with_resolver(resolver: Resolver) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker { poll: Arc::new(mio::Waker::new(poll.registry(), WAKE)?), is_asked: Arc::default() };
        let (report, answers) = channel();
        let wake = waker.poll.clone();
        let report = move |query, found| {
            let _ = report.send((query, found));
            let _ = wake.wake();
        };
        Ok(Self {
            clock: Clock::new(),
            poll,
            events: Events::with_capacity(EVENTS),
            entries: Slab::new(),
            ready: VecDeque::new(),
            worked: 0,
            listeners: HashMap::new(),
            connections: HashMap::new(),
            lingering: VecDeque::new(),
            unwritten: Vec::new(),
            paused: None,
            buffer: vec![0; 65_536].into(),
            waker,
            asker: Asker::new(resolver, Arc::new(report)),
            answers,
            observer: Observer::default(),
            troubles: Troubles::default(),
            stop: None,
        })
    }

    /// The time that commands to the node are given.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// A handle that wakes this driver from another thread.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Shows what crosses the sockets to `observe`, until another is set.
    pub fn observe(&mut self, observe: impl FnMut(&Seen<'_>) + Send + 'static) {
        self.observer.set(observe);
    }

    /// Binds a UDP or TCP socket and tells the node of it; the listener as the node has it, with the port that the system has
    /// chosen if it had none. A UDP address that is a multicast group is joined.
    ///
    /// # Errors
    /// The address cannot be bound, or is no address for others (`0.0.0.0` without [`Listener::with_sent_by`]), or the protocol
    /// is another one. The node knows nothing of it then.
    pub fn listen<U: TransactionUser>(
        &mut self,
        node: &mut Stack<U>,
        listener: Listener,
    ) -> io::Result<(ListenerId, Listener)> {
        let (source, bound) = match listener.protocol {
            Protocol::Udp => {
                let socket = socket::udp(listener.local)?;
                if let Err(error) = socket::enlarge(&socket) {
                    self.troubles.note(Attempt::Buffers, error);
                }
                let bound = socket.local_addr()?;
                (Source::Datagrams(Datagrams::new(socket, bound)), bound)
            }
            Protocol::Tcp => {
                let socket = socket::tcp(listener.local)?;
                let bound = socket.local_addr()?;
                (Source::Acceptor(Acceptor::new(socket)), bound)
            }
            other => return Err(socket::unsupported(other)),
        };
        let listener = socket::named(listener, bound)?;
        let key = self.add(source, Interest::READABLE)?;
        let id = node.listen(listener.clone());
        match &mut self.entries[key].source {
            Source::Datagrams(datagrams) => datagrams.listener = Some(id),
            Source::Acceptor(acceptor) => acceptor.listener = Some(id),
            Source::Stream(_) => {}
        }
        self.listeners.insert(id, (listener.protocol, bound, key));
        Ok((id, listener))
    }

    /// Drives `node` until there is something for the application, or it is `until`.
    ///
    /// # Errors
    /// The system cannot wait for sockets any more. Nothing that a peer does leads to that.
    pub fn next<N: Node>(&mut self, node: &mut N, until: Option<Instant>) -> io::Result<Turn<N::Event>> {
        loop {
            while let Some(output) = node.poll() {
                if let Some(event) = self.carry_out(node, output) {
                    self.write_all(node);
                    return Ok(Turn::Event(event));
                }
            }
            if !self.unwritten.is_empty() {
                self.write_all(node);
                continue;
            }
            if let Some(trouble) = self.troubles.take(self.clock.now()) {
                return Ok(Turn::Trouble(trouble));
            }
            if self.worked < ROUND
                && let Some(key) = self.ready.pop_front()
            {
                self.worked += 1;
                self.work(node, key);
                continue;
            }
            if let Some(turn) = self.look(node, until)? {
                return Ok(turn);
            }
        }
    }

    /// Waits until a socket is ready or something is due; what the application has to be told.
    fn look<N: Node>(&mut self, node: &mut N, until: Option<Instant>) -> io::Result<Option<Turn<N::Event>>> {
        let now = self.clock.now();
        let is_done = self.stop.is_some() && node.is_idle() && self.is_written();
        if is_done || self.stop.is_some_and(|end| now >= end) {
            return Ok(Some(Turn::Stopped { clean: is_done }));
        }
        let linger = self.lingering.front().map(|(end, _)| *end);
        let paused = self.paused.as_ref().map(|(end, _)| *end);
        let deadline = [node.deadline(), until, linger, paused, self.stop].into_iter().flatten().min();
        let timeout = if self.ready.is_empty() { deadline.map(|at| at.since(now)) } else { Some(Duration::ZERO) };
        self.worked = 0;
        if let Err(error) = self.poll.poll(&mut self.events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            return Err(error);
        }
        for event in &self.events {
            if event.token() == WAKE {
                continue;
            }
            if let Some(entry) = self.entries.get_mut(event.token().0)
                && !entry.is_queued
            {
                entry.is_queued = true;
                self.ready.push_back(event.token().0);
            }
        }
        let now = self.clock.now();
        while let Ok((query, answers)) = self.answers.try_recv() {
            node.handle(now, Input::Resolved { query, answers: &answers });
        }
        self.end_lingering(now);
        if let Some((_, keys)) = self.paused.take_if(|(end, _)| *end <= now) {
            keys.into_iter().for_each(|key| self.enqueue(key));
        }
        if node.deadline().is_some_and(|deadline| deadline <= now) {
            node.handle(now, Input::Tick);
        }
        if self.waker.is_asked.swap(false, Ordering::AcqRel) {
            return Ok(Some(Turn::Woken));
        }
        Ok(until.is_some_and(|until| until <= now).then_some(Turn::Time))
    }

    /// Accepts no connections from now on. [`next`](Self::next) goes on as before until the node is idle and what it has sent is
    /// written, or until `within` is over; then it returns [`Turn::Stopped`]. A node that should begin nothing new is told so by
    /// [`Stack::drain`]; a phone first hangs up and takes back its registrations.
    pub fn stop(&mut self, within: Duration) {
        self.stop = Some(self.now() + within);
        for key in 0..self.entries.capacity() {
            if matches!(self.entries.get(key), Some(Entry { source: Source::Acceptor(_), .. })) {
                self.remove(key);
            }
        }
    }

    fn carry_out<N: Node>(&mut self, node: &mut N, output: Output<N::Event>) -> Option<N::Event> {
        match output {
            Output::Send(transmit) => match transmit.flow.connection {
                Some(connection) => self.write(connection, transmit.bytes),
                None => self.send_datagram(node, &transmit),
            },
            Output::Open { connection, listener, protocol, remote, .. } => {
                self.open(node, connection, listener, protocol, remote);
            }
            Output::Close { connection } => self.close(connection),
            Output::Resolve { query, question } => self.ask(node, query, question),
            Output::Event(event) => return Some(event),
            _ => {}
        }
        None
    }

    fn ask<N: Node>(&mut self, node: &mut N, query: QueryId, question: Question) {
        if let Err(error) = self.asker.ask(query, question) {
            self.troubles.note(Attempt::Resolve, error);
            node.handle(self.clock.now(), Input::Resolved { query, answers: &[] });
        }
    }

    /// Does one piece of work at a socket, which stays in the queue if there may be more.
    fn work<N: Node>(&mut self, node: &mut N, key: usize) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.is_queued = false;
        let more = match entry.source {
            Source::Datagrams(_) => self.receive(node, key),
            Source::Acceptor(_) => self.accept(node, key),
            Source::Stream(_) => self.stream(node, key),
        };
        if more {
            self.enqueue(key);
        }
    }

    fn enqueue(&mut self, key: usize) {
        if let Some(entry) = self.entries.get_mut(key)
            && !entry.is_queued
        {
            entry.is_queued = true;
            self.ready.push_back(key);
        }
    }

    fn add(&mut self, mut source: Source, interest: Interest) -> io::Result<usize> {
        let vacant = self.entries.vacant_entry();
        let (key, registry) = (vacant.key(), self.poll.registry());
        match &mut source {
            Source::Datagrams(datagrams) => registry.register(&mut datagrams.socket, Token(key), interest)?,
            Source::Acceptor(acceptor) => registry.register(&mut acceptor.socket, Token(key), interest)?,
            Source::Stream(stream) => registry.register(&mut stream.socket, Token(key), interest)?,
        }
        vacant.insert(Entry { source, is_queued: false });
        Ok(key)
    }

    /// Closes a socket. The queue may still have its key: work at an entry that is not there is none, and at another one that
    /// has taken its place is harmless.
    fn remove(&mut self, key: usize) {
        if self.entries.contains(key) {
            self.entries.remove(key);
        }
    }
}
