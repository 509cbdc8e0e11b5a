//! A node in a program that has a tokio runtime: UDP and TCP, with the feature `tls` TLS, with `ws` WebSocket.
//!
//! [`Driver::next`] is to be awaited where the program waits, and may be dropped and called again: nothing is lost. Sockets are read
//! and written by tasks; the node stays with the program.
//!
//! ```no_run
//! use sansip::{Config, Listener, Server, server::Settings};
//! use sansip_driver::{Resolver, Turn, tokio::Driver};
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let mut driver = Driver::new(Resolver::System);
//! let settings = Settings { domains: vec!["biloxi.com".parse()?], ..Settings::default() };
//! let mut server = Server::server(Config::new(sansip_driver::seed()?), settings);
//! driver.listen(&mut server, Listener::udp("192.0.2.4:5060".parse()?))?;
//! driver.listen(&mut server, Listener::tcp("192.0.2.4:5060".parse()?))?;
//! loop {
//!     match driver.next(&mut server, None).await {
//!         Turn::Event(event) => println!("{event:?}"),
//!         Turn::Trouble(trouble) => eprintln!("{trouble}"),
//!         _ => {}
//!     }
//! }
//! # }
//! ```

mod link;
mod queue;
#[cfg(feature = "ws")]
mod websocket;

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use sansip::message::SharedBytes;
use sansip::message::header::Protocol;
use sansip::{Change, ConnectionId, Duration, Input, Instant, Listener, ListenerId, Node, Stack, TransactionUser};
use tokio::io::Interest;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{AbortHandle, JoinError, JoinSet};

use crate::common::{Bound, Common, Connections, Path};
use crate::later::Later;
use crate::limits::{LINGER, LINGERING};
use crate::resolver::Resolver;
use crate::seen::{Direction, Seen};
use crate::trouble::Attempt;
use crate::{Turn, Waker};
use link::{Connection, Link, Security};
use queue::Queue;

/// Things waiting for the node; above it the tasks wait, and the system slows streams as it sees fit.
const QUEUE: usize = 1_024;

/// Something that a task tells.
enum Told {
    Accepted {
        listener: ListenerId,
        remote: SocketAddr,
        link: Link,
    },
    /// Something failed of which the node does not hear.
    Trouble {
        attempt: Attempt,
        error: io::Error,
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
    Broken {
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
    /// There is something to look for elsewhere.
    Woken,
}

/// The reason to go on after waiting.
enum Ready {
    Told(Told),
    Datagrams(ListenerId),
    /// A task has ended.
    Ended(Result<(), JoinError>),
    /// It is time for something.
    Due,
}

/// The sockets, the clock and the resolver of one node.
pub struct Driver {
    common: Common<Arc<UdpSocket>>,
    /// The listeners with a UDP socket.
    datagrams: Vec<(ListenerId, Arc<UdpSocket>)>,
    /// Whether this turn reads the words of tasks before datagrams.
    is_told_first: bool,
    tell: Sender<Told>,
    told: Receiver<Told>,
    connections: HashMap<ConnectionId, Connection>,
    /// Connections that the node has closed, each with its end.
    lingering: Later<(AbortHandle, Queue)>,
    /// Those that accept connections.
    acceptors: Vec<AbortHandle>,
    /// All tasks: they end with the driver.
    tasks: JoinSet<()>,
    security: Security,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.common.describe(f, self.connections.len())
    }
}

impl Driver {
    /// A driver with no socket yet.
    pub fn new(resolver: Resolver) -> Self {
        let (tell, told) = channel(QUEUE);
        let wake = tell.clone();
        Self {
            // Where the queue is full the driver is awake.
            common: Common::new(resolver, move || drop(wake.try_send(Told::Woken))),
            datagrams: Vec::new(),
            is_told_first: false,
            tell,
            told,
            connections: HashMap::new(),
            lingering: Later::new(),
            acceptors: Vec::new(),
            tasks: JoinSet::new(),
            security: Security::default(),
        }
    }

    /// Sets the certificates for TLS and secure WebSocket; given again, those of connections from now on, as on SIGHUP.
    #[cfg(feature = "tls")]
    pub fn set_tls(&mut self, tls: crate::Tls) {
        self.security.set(tls);
    }

    /// The time that commands to the node are given.
    pub fn now(&self) -> Instant {
        self.common.clock.now()
    }

    /// A handle that wakes this driver from another task or thread.
    pub fn waker(&self) -> Waker {
        self.common.waker.clone()
    }

    /// Shows what crosses the sockets to `observe`, until another is set.
    pub fn observe(&mut self, observe: impl FnMut(&Seen<'_>) + Send + 'static) {
        self.common.observer.set(observe);
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
        if protocol != Protocol::Udp {
            self.security.check(protocol)?;
        }
        let (bound, listener) = self.common.bind(listener)?;
        let id = match bound {
            Bound::Datagrams(socket) => {
                let socket = Arc::new(UdpSocket::from_std(socket)?);
                let id = self.common.listen(node, &listener, Some(socket.clone()));
                self.datagrams.push((id, socket));
                id
            }
            Bound::Connections(socket) => {
                let (socket, security) = (TcpListener::from_std(socket)?, self.security.clone());
                let id = self.common.listen(node, &listener, None);
                let accept = link::accept(id, protocol, socket, security, self.tell.clone());
                self.acceptors.push(self.tasks.spawn(accept));
                id
            }
        };
        Ok((id, listener))
    }

    /// Drives `node` until there is something for the application, or it is `until`.
    pub async fn next<N: Node>(&mut self, node: &mut N, until: Option<Instant>) -> Turn<N::Event> {
        loop {
            while let Some(output) = node.poll() {
                if let Some(event) = self.carry_out(node, output) {
                    self.common.send_all(node);
                    return Turn::Event(event);
                }
            }
            if self.common.arrived(node) || self.common.send_all(node) {
                continue;
            }
            self.reap();
            let deadlines = [until, self.lingering.deadline()];
            let is_written = || is_written(&self.connections, &self.lingering);
            let timeout = match self.common.before(node, deadlines, is_written) {
                Ok(timeout) => timeout,
                Err(turn) => return turn,
            };
            match self.wait(timeout).await {
                Ready::Told(told) => self.take(node, told),
                Ready::Datagrams(listener) => drop(self.common.receive(node, listener)),
                Ready::Ended(ended) => link::go_on(ended),
                Ready::Due => {}
            }
            if self.common.after(node, until) {
                return Turn::Time;
            }
        }
    }

    /// Waits until a task tells something or has ended, a datagram has come or was reported undelivered, or the time is over. Of the
    /// words of tasks and datagrams those that were looked at last are looked at first the next time.
    async fn wait(&mut self, timeout: Option<Duration>) -> Ready {
        self.is_told_first = !self.is_told_first;
        let last_looked_at = 1.min(self.datagrams.len());
        self.datagrams.rotate_left(last_looked_at);
        let (told, tasks, is_told_first) = (&mut self.told, &mut self.tasks, self.is_told_first);
        let either = Interest::READABLE | Interest::ERROR;
        let sockets = self.datagrams.iter().map(|(listener, socket)| (*listener, Box::pin(socket.ready(either))));
        let mut sockets: Vec<_> = sockets.collect();
        let mut next_told = |cx: &mut TaskContext<'_>| match told.poll_recv(cx) {
            Poll::Ready(Some(told)) => Some(Ready::Told(told)),
            _ => None,
        };
        let ready = poll_fn(|cx| {
            if let Poll::Ready(Some(ended)) = tasks.poll_join_next(cx) {
                return Poll::Ready(Ready::Ended(ended));
            }
            let first = if is_told_first { next_told(cx) } else { None };
            let ready = sockets.iter_mut().find_map(|(listener, ready)| {
                ready.as_mut().poll(cx).is_ready().then_some(Ready::Datagrams(*listener))
            });
            first.or(ready).or_else(|| next_told(cx)).map_or(Poll::Pending, Poll::Ready)
        });
        match timeout {
            // A timer of tokio may be early by less than its millisecond.
            Some(timeout) => tokio::time::timeout(timeout, ready).await.unwrap_or(Ready::Due),
            None => ready.await,
        }
    }

    /// As [`blocking::Driver::stop`](crate::blocking::Driver::stop).
    pub fn stop(&mut self, within: Duration) {
        self.common.stop = Some(self.now() + within);
        self.acceptors.drain(..).for_each(|task| task.abort());
    }

    fn take<N: Node>(&mut self, node: &mut N, told: Told) {
        match told {
            Told::Accepted { listener, remote, link } => {
                let Some(protocol) = self.common.protocol(listener) else { return };
                let connection = node.accept(self.now(), listener, remote);
                let Link { kind, local, identities } = link;
                let path = Path { protocol, local, remote };
                let accepted = Connection::accepted(&mut self.tasks, connection, (path, kind), &self.tell);
                self.connections.insert(connection, accepted);
                if !identities.is_empty() {
                    self.opened(node, connection, &identities);
                }
            }
            Told::Trouble { attempt, error } => self.common.troubles.note(attempt, error),
            Told::Opened { connection, identities, local } => {
                if let Some(opened) = self.connections.get_mut(&connection) {
                    opened.path.local = local;
                    self.opened(node, connection, &identities);
                }
            }
            Told::NotOpened { connection, error } => {
                if self.connections.remove(&connection).is_some() {
                    self.common.failed(node, connection, error);
                }
            }
            Told::Broken { connection, error } => {
                if self.connections.remove(&connection).is_some() {
                    self.common.broken(node, connection, error);
                }
            }
            Told::Octets { connection, bytes } => {
                if self.show(Direction::In, connection, &bytes) {
                    node.handle(self.now(), Input::Stream { connection, bytes: &bytes });
                }
            }
            Told::Message { connection, bytes } => {
                if self.show(Direction::In, connection, &bytes) {
                    node.handle(self.now(), Input::Message { connection, bytes: &bytes });
                }
            }
            Told::Changed { connection, change } => {
                if self.connections.contains_key(&connection) {
                    self.common.tell(node, connection, change);
                }
            }
            Told::Woken => {}
        }
    }

    fn opened<N: Node>(&self, node: &mut N, connection: ConnectionId, identities: &[String]) {
        let identities: Vec<&str> = identities.iter().map(String::as_str).collect();
        self.common.tell(node, connection, Change::Opened { identities: &identities });
    }

    /// Shows octets of a connection; whether there is that connection.
    fn show(&mut self, direction: Direction, connection: ConnectionId, bytes: &[u8]) -> bool {
        let Some(path) = self.connections.get(&connection).map(|connection| connection.path) else { return false };
        self.common.show(direction, path, bytes);
        true
    }

    /// Forgets the tasks that have ended, and ends those that have lingered for too long.
    fn reap(&mut self) {
        let now = self.now();
        while let Some((task, _)) = self.lingering.due(now) {
            task.abort();
        }
        while let Some(ended) = self.tasks.try_join_next() {
            link::go_on(ended);
        }
    }
}

impl Connections for Driver {
    type Datagrams = Arc<UdpSocket>;

    fn common(&mut self) -> &mut Common<Arc<UdpSocket>> {
        &mut self.common
    }

    fn write<N: Node>(&mut self, node: &mut N, connection: ConnectionId, bytes: SharedBytes) {
        if self.show(Direction::Out, connection, &bytes)
            && let Some(change) = self.connections.get(&connection).and_then(|to| to.queue.push(bytes))
        {
            self.common.tell(node, connection, change);
        }
    }

    fn open<N: Node>(&mut self, _: &mut N, connection: ConnectionId, path: Path, server_name: Option<Box<str>>) {
        let (way, security) = ((path, server_name), self.security.clone());
        let opening = Connection::opening(&mut self.tasks, connection, way, security, &self.tell);
        self.connections.insert(connection, opening);
    }

    fn close(&mut self, connection: ConnectionId) {
        let Some(connection) = self.connections.remove(&connection) else { return };
        let queue = connection.queue.clone();
        if let Some(task) = connection.close() {
            self.lingering.push(self.now() + LINGER, (task, queue));
        }
        if let Some((task, _)) = self.lingering.beyond(LINGERING, |(task, _)| !task.is_finished()) {
            task.abort();
        }
    }
}

/// Whether nothing waits to be written.
#[expect(clippy::disallowed_methods, reason = "all of them are asked")]
fn is_written(connections: &HashMap<ConnectionId, Connection>, lingering: &Later<(AbortHandle, Queue)>) -> bool {
    connections.values().all(|connection| connection.queue.is_empty())
        && lingering.iter().all(|(task, queue)| task.is_finished() || queue.is_empty())
}

#[cfg(test)]
mod tests {
    use sansip::user_agent::{Profile, UserAgent};
    use sansip::{Config, Seed};

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    fn agent() -> UserAgent {
        UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:bob@127.0.0.1>".parse().unwrap()))
    }

    #[test]
    #[should_panic(expected = "half a driver is none")]
    fn a_task_that_panics_takes_the_driver_with_it_though_nothing_else_happens() {
        runtime().block_on(async {
            let (mut driver, mut agent) = (Driver::new(Resolver::System), agent());
            driver.tasks.spawn(async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                panic!("half a driver is none");
            });
            let _ = tokio::time::timeout(Duration::from_secs(5), driver.next(&mut agent, None)).await;
        });
    }

    #[test]
    fn a_task_that_ends_ends_nothing_else() {
        runtime().block_on(async {
            let (mut driver, mut agent) = (Driver::new(Resolver::System), agent());
            driver.tasks.spawn(async {});
            driver.tasks.spawn(std::future::pending()).abort();
            let until = driver.now() + Duration::from_millis(50);
            assert!(matches!(driver.next(&mut agent, Some(until)).await, Turn::Time));
            assert!(driver.tasks.is_empty());
        });
    }

    /// A server's choice of its certificate, which panics.
    #[cfg(feature = "tls")]
    #[derive(Debug)]
    struct NoChoice;

    #[cfg(feature = "tls")]
    impl tokio_rustls::rustls::server::ResolvesServerCert for NoChoice {
        fn resolve(
            &self,
            _: tokio_rustls::rustls::server::ClientHello<'_>,
        ) -> Option<Arc<tokio_rustls::rustls::sign::CertifiedKey>> {
            panic!("no handshake is half done")
        }
    }

    #[test]
    #[cfg(feature = "tls")]
    #[should_panic(expected = "no handshake is half done")]
    fn a_tls_handshake_that_panics_takes_the_driver_with_it() {
        use tokio_rustls::rustls::{ServerConfig, crypto::ring::default_provider, pki_types::ServerName};

        let server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(NoChoice));
        let tls = crate::Tls { server: Some(Arc::new(server)), ..crate::Tls::trusting(&[]).unwrap() };
        let connector = tokio_rustls::TlsConnector::from(tls.client.clone());
        runtime().block_on(async {
            let (mut driver, mut agent) = (Driver::new(Resolver::System), agent());
            driver.set_tls(tls);
            let (_, listener) = driver.listen(&mut agent, Listener::tls("127.0.0.1:0".parse().unwrap())).unwrap();
            tokio::spawn(async move {
                let stream = tokio::net::TcpStream::connect(listener.local).await.unwrap();
                connector.connect(ServerName::from(listener.local.ip()), stream).await
            });
            let _ = tokio::time::timeout(Duration::from_secs(5), driver.next(&mut agent, None)).await;
        });
    }

    #[test]
    #[should_panic(expected = "a thread of the resolver has panicked")]
    fn a_thread_of_the_resolver_that_panics_takes_the_driver_with_it() {
        runtime().block_on(async {
            let (mut driver, mut agent) = (Driver::new(Resolver::System), agent());
            driver.common.resolver_panics(Duration::from_millis(20));
            let _ = tokio::time::timeout(Duration::from_secs(5), driver.next(&mut agent, None)).await;
        });
    }
}
