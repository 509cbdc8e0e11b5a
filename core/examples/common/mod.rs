//! A node on real sockets: all the input and output that the examples need, on the standard library alone.
//!
//! One thread waits at each UDP socket, two at each TCP connection, a few at the system's resolver, one at standard input; all
//! report to one queue. The node lives in the thread that takes from it, and its deadline is how long that thread waits.
//! `streams.rs` serves the connections.

mod streams;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufRead};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use sansip::{Answer, ConnectionId, Input, Instant, ListenerId, Node, Output, QueryId, Question, Seed, Transmit};

use streams::Streams;

/// Things waiting for the node; above it the threads wait, and the system drops datagrams and slows streams as it sees fit.
const QUEUE: usize = 4_096;

/// Names being looked up at once.
const RESOLVERS: usize = 4;

/// Something for the node's thread.
enum Wake {
    Datagram {
        listener: ListenerId,
        remote: SocketAddr,
        bytes: Vec<u8>,
    },
    Accepted {
        listener: ListenerId,
        remote: SocketAddr,
        stream: TcpStream,
    },
    /// The fate of a connection that the node wanted; none could be opened.
    Connected {
        connection: ConnectionId,
        stream: Option<TcpStream>,
    },
    Stream {
        connection: ConnectionId,
        bytes: Vec<u8>,
    },
    /// All that was held for it is written.
    Written {
        connection: ConnectionId,
    },
    Closed {
        connection: ConnectionId,
    },
    Resolved {
        query: QueryId,
        answers: Vec<Answer>,
    },
    Line(String),
}

/// The sockets, the clock and the resolver of one node.
pub(crate) struct Driver {
    started: std::time::Instant,
    report: SyncSender<Wake>,
    wakes: Receiver<Wake>,
    questions: SyncSender<(QueryId, Box<str>)>,
    sockets: Vec<(ListenerId, UdpSocket)>,
    streams: Streams,
}

impl Driver {
    /// A driver with no sockets.
    #[expect(clippy::disallowed_methods, reason = "a driver is where time comes from")]
    pub(crate) fn new() -> Self {
        let (report, wakes) = sync_channel(QUEUE);
        let (questions, asked) = sync_channel(QUEUE);
        let asked = Arc::new(Mutex::new(asked));
        for _ in 0..RESOLVERS {
            let (asked, report) = (asked.clone(), report.clone());
            thread::spawn(move || resolve(&asked, &report));
        }
        let streams = Streams::new(report.clone());
        Self { started: std::time::Instant::now(), report, wakes, questions, sockets: Vec::new(), streams }
    }

    /// The time since the driver was made: the node's clock.
    #[expect(clippy::disallowed_methods, reason = "a driver is where time comes from")]
    pub(crate) fn now(&self) -> Instant {
        let elapsed = std::time::Instant::now().duration_since(self.started);
        Instant::from_nanos(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Reads and writes at `socket` for `listener`.
    pub(crate) fn attach(&mut self, listener: ListenerId, socket: UdpSocket) -> io::Result<()> {
        let (reader, report) = (socket.try_clone()?, self.report.clone());
        thread::spawn(move || {
            let mut buffer = vec![0; 65_536];
            loop {
                // An error here is the network's about something sent earlier: there is nothing to read.
                let Ok((length, remote)) = reader.recv_from(&mut buffer) else { continue };
                let bytes = buffer[..length].to_vec();
                if report.send(Wake::Datagram { listener, remote, bytes }).is_err() {
                    return;
                }
            }
        });
        self.sockets.push((listener, socket));
        Ok(())
    }

    /// Accepts connections at `socket` for `listener`.
    pub(crate) fn attach_tcp(&self, listener: ListenerId, socket: TcpListener) {
        let report = self.report.clone();
        thread::spawn(move || {
            loop {
                let Ok((stream, remote)) = socket.accept() else { continue };
                if report.send(Wake::Accepted { listener, remote, stream }).is_err() {
                    return;
                }
            }
        });
    }

    /// Hands the lines of standard input to `run`'s caller.
    pub(crate) fn read_lines(&self) {
        let report = self.report.clone();
        thread::spawn(move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                if report.send(Wake::Line(line)).is_err() {
                    return;
                }
            }
        });
    }

    /// Drives `node` for ever: what `on_event` and `on_line` do with its events and with standard input.
    pub(crate) fn run<N: Node>(
        &mut self,
        node: &mut N,
        mut on_event: impl FnMut(&mut N, Instant, N::Event),
        mut on_line: impl FnMut(&mut N, Instant, &str),
    ) -> ! {
        loop {
            while let Some(output) = node.poll() {
                match output {
                    Output::Send(transmit) => self.send(node, transmit),
                    Output::Open { connection, remote, .. } => self.streams.open(connection, remote),
                    Output::Close { connection } => self.streams.close(connection),
                    Output::Resolve { query, question: Question::Address { name } } => self.ask(query, name),
                    // The system's resolver, as the standard library has it, knows addresses and nothing else.
                    Output::Resolve { query, .. } => {
                        node.handle(self.now(), Input::Resolved { query, answers: &[] });
                    }
                    Output::Event(event) => on_event(node, self.now(), event),
                    _ => {}
                }
            }
            match self.wait(node.deadline()) {
                Some(Wake::Line(line)) => on_line(node, self.now(), line.trim()),
                Some(wake) => self.wake(node, wake),
                None => node.handle(self.now(), Input::Tick),
            }
        }
    }

    fn wake<N: Node>(&mut self, node: &mut N, wake: Wake) {
        let now = self.now();
        match wake {
            Wake::Datagram { listener, remote, bytes } => {
                node.handle(now, Input::Datagram { listener, remote, bytes: &bytes });
            }
            Wake::Accepted { listener, remote, stream } => {
                let connection = node.reserve();
                self.streams.accepted(connection, stream);
                node.handle(now, Input::Accepted { listener, connection, remote });
            }
            Wake::Connected { connection, stream } => {
                if let Some(change) = self.streams.connected(connection, stream) {
                    node.handle(now, Input::Connection { connection, change });
                }
            }
            Wake::Stream { connection, bytes } => node.handle(now, Input::Stream { connection, bytes: &bytes }),
            Wake::Written { connection } => {
                let change = sansip::Change::Writable;
                node.handle(now, Input::Connection { connection, change });
            }
            Wake::Closed { connection } => {
                // The node wants to hear nothing of a connection that it has closed.
                if self.streams.forget(connection) {
                    node.handle(now, Input::Connection { connection, change: sansip::Change::Closed });
                }
            }
            Wake::Resolved { query, answers } => node.handle(now, Input::Resolved { query, answers: &answers }),
            Wake::Line(_) => {}
        }
    }

    /// The next thing that happens before `deadline`.
    fn wait(&self, deadline: Option<Instant>) -> Option<Wake> {
        match deadline {
            Some(deadline) => self.wakes.recv_timeout(deadline.since(self.now())).ok(),
            None => self.wakes.recv().ok(),
        }
    }

    /// A datagram that cannot be sent is lost, as it might be on the network: the timers see to it.
    fn send<N: Node>(&mut self, node: &mut N, transmit: Transmit) {
        if let Some(connection) = transmit.flow.connection {
            if let Some(change) = self.streams.send(connection, transmit.bytes) {
                node.handle(self.now(), Input::Connection { connection, change });
            }
        } else if let Some((_, socket)) = self.sockets.iter().find(|(listener, _)| *listener == transmit.flow.listener)
        {
            let _ = socket.send_to(&transmit.bytes, transmit.flow.remote);
        }
    }

    fn ask(&self, query: QueryId, name: Box<str>) {
        // With too many questions open this one stays without an answer, which the node is prepared for.
        let _ = self.questions.try_send((query, name));
    }
}

/// Answers questions with what the system knows.
fn resolve(asked: &Mutex<Receiver<(QueryId, Box<str>)>>, report: &SyncSender<Wake>) {
    loop {
        let Some((query, name)) = asked.lock().ok().and_then(|asked| asked.recv().ok()) else { return };
        // The system would read "127.1" as an address; RFC 3261 §25.1 knows no such name.
        let is_name = name.rsplit('.').next().is_some_and(|label| !label.starts_with(|c: char| c.is_ascii_digit()));
        let found = is_name.then(|| (&*name, 0).to_socket_addrs().ok()).flatten();
        let answers = found.into_iter().flatten().map(|address| Answer::Address(address.ip())).collect();
        if report.send(Wake::Resolved { query, answers }).is_err() {
            return;
        }
    }
}

/// A seed that nobody can guess, from the system's randomness behind the standard hasher.
pub(crate) fn seed() -> Seed {
    let keys = RandomState::new();
    let mut bytes = [0; 32];
    for (place, part) in bytes.chunks_exact_mut(8).zip(0_u64..) {
        let mut hasher = keys.build_hasher();
        hasher.write_u64(part);
        place.copy_from_slice(&hasher.finish().to_ne_bytes());
    }
    Seed::new(bytes)
}
