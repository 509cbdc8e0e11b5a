//! A node on UDP and TCP, in one thread that waits for all its sockets at once (epoll, kqueue, IOCP by mio).
//! The example of [`Turn`] is a phone on it.
//! ```
//! let driver = sansip_driver::blocking::Driver::new()?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod streams;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;

use mio::net::{TcpListener, UdpSocket};
use mio::{Events, Interest, Poll, Token};
use sansip::message::header::Protocol;
use sansip::{ConnectionId, Duration, Instant, Listener, ListenerId, Node, Stack, TransactionUser};
use slab::Slab;

use crate::common::{Bound, Common, Connections};
use crate::later::Later;
use crate::resolver::Resolver;
use crate::seen::Seen;
use crate::{Turn, Waker, socket};
use streams::Stream;

/// Pieces of work done before the system is asked again what is ready.
const ROUND: usize = 16;

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
    /// The socket is that of the listener.
    Datagrams(ListenerId),
    Acceptor(TcpListener, ListenerId),
    Stream(Stream),
}

/// The sockets, the clock and the resolver of one node.
pub struct Driver {
    common: Common<UdpSocket>,
    poll: Poll,
    events: Events,
    entries: Slab<Entry>,
    /// Those that may have something to read or room to write.
    ready: VecDeque<usize>,
    worked: usize,
    connections: HashMap<ConnectionId, usize>,
    /// Connections that the node has closed and that are not quite over, each with its end.
    lingering: Later<ConnectionId>,
    /// Connections with something to be written that was not tried yet.
    unwritten: Vec<ConnectionId>,
    /// Listeners that accept nothing until then.
    paused: Later<usize>,
    buffer: Box<[u8]>,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.common.describe(f, self.connections.len())
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
        let waker = mio::Waker::new(poll.registry(), WAKE)?;
        // A queue of wake-ups that is full wakes as well.
        let common = Common::new(resolver, move || drop(waker.wake()));
        Ok(Self {
            common,
            poll,
            events: Events::with_capacity(EVENTS),
            entries: Slab::new(),
            ready: VecDeque::new(),
            worked: 0,
            connections: HashMap::new(),
            lingering: Later::new(),
            unwritten: Vec::new(),
            paused: Later::new(),
            buffer: vec![0; 65_536].into(),
        })
    }

    /// The time that commands to the node are given.
    pub fn now(&self) -> Instant {
        self.common.clock.now()
    }

    /// A handle that wakes this driver from another thread.
    pub fn waker(&self) -> Waker {
        self.common.waker.clone()
    }

    /// Shows what crosses the sockets to `observe`, until another is set.
    pub fn observe(&mut self, observe: impl FnMut(&Seen<'_>) + Send + 'static) {
        self.common.observer.set(observe);
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
        if !matches!(listener.protocol, Protocol::Udp | Protocol::Tcp) {
            return Err(socket::unsupported(listener.protocol));
        }
        let (bound, listener) = self.common.bind(listener)?;
        let (registry, vacant) = (self.poll.registry(), self.entries.vacant_entry());
        let token = Token(vacant.key());
        let (id, source) = match bound {
            Bound::Datagrams(socket) => {
                let mut socket = UdpSocket::from_std(socket);
                registry.register(&mut socket, token, Interest::READABLE)?;
                let id = self.common.listen(node, &listener, Some(socket));
                (id, Source::Datagrams(id))
            }
            Bound::Connections(socket) => {
                let mut socket = TcpListener::from_std(socket);
                registry.register(&mut socket, token, Interest::READABLE)?;
                let id = self.common.listen(node, &listener, None);
                (id, Source::Acceptor(socket, id))
            }
        };
        vacant.insert(Entry { source, is_queued: false });
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
            if !self.common.arrived(node)
                && !self.write_all(node)
                && !self.work(node)
                && let Some(turn) = self.look(node, until)?
            {
                return Ok(turn);
            }
        }
    }

    /// Waits until a socket is ready or something is due; what the application has to be told.
    fn look<N: Node>(&mut self, node: &mut N, until: Option<Instant>) -> io::Result<Option<Turn<N::Event>>> {
        let deadlines = [until, self.lingering.deadline(), self.paused.deadline()];
        let waits = |entry: &Entry| matches!(&entry.source, Source::Stream(stream) if !stream.backlog.is_empty());
        let is_written = || !self.entries.iter().any(|(_, entry)| waits(entry));
        let timeout = match self.common.before(node, deadlines, is_written) {
            Ok(timeout) if self.ready.is_empty() => timeout,
            Ok(_) => Some(Duration::ZERO),
            Err(turn) => return Ok(Some(turn)),
        };
        self.worked = 0;
        if let Err(error) = self.poll.poll(&mut self.events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            return Err(error);
        }
        for event in &self.events {
            enqueue(&mut self.entries, &mut self.ready, event.token().0);
        }
        let now = self.now();
        while let Some(connection) = self.lingering.due(now) {
            self.forget(connection);
        }
        while let Some(key) = self.paused.due(now) {
            enqueue(&mut self.entries, &mut self.ready, key);
        }
        Ok(self.common.after(node, until).then_some(Turn::Time))
    }

    /// Accepts no connections from now on. [`next`](Self::next) goes on as before until the node is idle and what it has sent is
    /// written, or until `within` is over; then it returns [`Turn::Stopped`]. A node that should begin nothing new is told so by
    /// [`Stack::drain`]; a phone first hangs up and takes back its registrations.
    pub fn stop(&mut self, within: Duration) {
        self.common.stop = Some(self.now() + within);
        self.entries.retain(|_, entry| !matches!(entry.source, Source::Acceptor(..)));
    }

    /// Does one piece of work at a socket, which stays in the queue if there may be more; whether there was any to do before the
    /// system is asked again. The queue may have the key of a socket that is closed: work at another one that has taken its place is
    /// harmless.
    fn work<N: Node>(&mut self, node: &mut N) -> bool {
        if self.worked >= ROUND {
            return false;
        }
        let Some(key) = self.ready.pop_front() else { return false };
        self.worked += 1;
        let Some(entry) = self.entries.get_mut(key) else { return true };
        entry.is_queued = false;
        let more = match &entry.source {
            &Source::Datagrams(listener) => self.common.receive(node, listener),
            Source::Acceptor(..) => self.accept(node, key),
            &Source::Stream(Stream { id, .. }) => self.stream(node, id),
        };
        if more {
            enqueue(&mut self.entries, &mut self.ready, key);
        }
        true
    }

    /// Sends and writes what was kept since the last time; whether there was anything.
    fn write_all<N: Node>(&mut self, node: &mut N) -> bool {
        let has_sent = self.common.send_all(node);
        let has_written = !self.unwritten.is_empty();
        while let Some(connection) = self.unwritten.pop() {
            self.flush(node, connection);
        }
        has_sent || has_written
    }
}

/// Puts a socket into the queue of those that may have something.
fn enqueue(entries: &mut Slab<Entry>, ready: &mut VecDeque<usize>, key: usize) {
    if let Some(entry) = entries.get_mut(key)
        && !std::mem::replace(&mut entry.is_queued, true)
    {
        ready.push_back(key);
    }
}

#[cfg(test)]
mod tests {
    use sansip::user_agent::{Profile, UserAgent};
    use sansip::{Config, Seed};

    use super::*;

    #[test]
    fn a_thread_of_the_resolver_that_panics_takes_the_driver_with_it_at_once() {
        let profile = Profile::new("<sip:bob@127.0.0.1>".parse().unwrap());
        let mut agent = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
        let mut driver = Driver::new().unwrap();
        driver.common.resolver_panics(Duration::from_millis(20));
        let until = driver.now() + Duration::from_secs(5);
        let next = std::panic::AssertUnwindSafe(|| driver.next(&mut agent, Some(until)));
        let panicked = std::panic::catch_unwind(next).expect_err("it has gone on");
        assert_eq!(panicked.downcast_ref(), Some(&"a thread of the resolver has panicked"));
        assert!(driver.now() < until, "it has waited");
    }
}
