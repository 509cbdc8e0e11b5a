//! Connections: how they come to be, and the task that serves each.

use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use sansip::message::SharedBytes;
use sansip::message::header::Protocol;
use sansip::{Change, ConnectionId, Duration, ListenerId};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Sender;
use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::Told;
use super::queue::Queue;
use crate::common::Path;
use crate::limits::PAUSE;
use crate::socket::{self, Accepted};
use crate::trouble::Attempt;

/// How long a peer may take for the handshakes of TLS and WebSocket after it has connected.
const SHAKE_WITHIN: Duration = Duration::from_secs(10);

/// Peers that are at that at once; above it the next is not accepted before one is done.
const SHAKING: usize = 256;

/// Those of them that have one IP address; above it the next is dropped at once, so that one address cannot keep all others out.
const SHAKING_PER_ADDRESS: usize = 32;

/// A byte stream of any kind.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection that is open, handshakes included.
pub(super) struct Link {
    pub(super) kind: Kind,
    pub(super) local: SocketAddr,
    /// The names that the far end has proved.
    pub(super) identities: Vec<String>,
}

pub(super) enum Kind {
    Octets(Box<dyn Duplex>),
    #[cfg(feature = "ws")]
    Messages(Box<super::websocket::WebSocket>),
}

/// The certificates that connections begin with: those set last.
#[derive(Clone, Default)]
pub(super) struct Security {
    #[cfg(feature = "tls")]
    tls: Arc<Mutex<Option<crate::Tls>>>,
    #[cfg(not(feature = "tls"))]
    _none: Arc<Mutex<()>>,
}

impl Security {
    #[cfg(feature = "tls")]
    pub(super) fn set(&self, tls: crate::Tls) {
        *self.tls.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(tls);
    }

    #[cfg(feature = "tls")]
    fn get(&self) -> io::Result<crate::Tls> {
        let tls = self.tls.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        tls.ok_or_else(no_certificate)
    }

    /// Whether connections of that protocol can be made.
    pub(super) fn check(&self, protocol: Protocol) -> io::Result<()> {
        match protocol {
            Protocol::Tcp => Ok(()),
            #[cfg(feature = "ws")]
            Protocol::Ws => Ok(()),
            #[cfg(feature = "tls")]
            Protocol::Tls => self.get().map(drop),
            #[cfg(all(feature = "tls", feature = "ws"))]
            Protocol::Wss => self.get().map(drop),
            other => Err(socket::unsupported(other)),
        }
    }

    /// The handshakes of an accepted connection.
    async fn accept(&self, protocol: Protocol, stream: TcpStream) -> io::Result<Link> {
        let local = stream.local_addr()?;
        let _ = stream.set_nodelay(true);
        let (octets, identities): (Box<dyn Duplex>, _) = match protocol {
            #[cfg(feature = "tls")]
            Protocol::Tls | Protocol::Wss => {
                let stream = tokio_rustls::TlsAcceptor::from(self.get()?.server.ok_or_else(no_certificate)?)
                    .accept(stream)
                    .await?;
                let identities = proved(stream.get_ref().1.peer_certificates());
                (Box::new(stream), identities)
            }
            _ => (Box::new(stream), Vec::new()),
        };
        let kind = match protocol {
            #[cfg(feature = "ws")]
            Protocol::Ws | Protocol::Wss => Kind::Messages(Box::new(super::websocket::accept(octets).await?)),
            _ => Kind::Octets(octets),
        };
        Ok(Link { kind, local, identities })
    }

    /// Opens a connection, handshakes included.
    async fn open(
        &self,
        path: Path,
        #[cfg_attr(not(any(feature = "tls", feature = "ws")), expect(unused_variables, reason = "TCP has no names"))]
        server_name: Option<&str>,
    ) -> io::Result<Link> {
        self.check(path.protocol)?;
        let stream = TcpStream::from_std(socket::connect(path.local, path.remote)?)?;
        stream.writable().await?;
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        let local = stream.local_addr()?;
        let _ = stream.set_nodelay(true);
        let (octets, identities): (Box<dyn Duplex>, _) = match path.protocol {
            #[cfg(feature = "tls")]
            Protocol::Tls | Protocol::Wss => {
                let name = server_name.map_or_else(|| path.remote.ip().to_string(), str::to_owned);
                let name = name.trim_matches(['[', ']']).to_owned();
                let name = tokio_rustls::rustls::pki_types::ServerName::try_from(name).map_err(io::Error::other)?;
                let stream = tokio_rustls::TlsConnector::from(self.get()?.client).connect(name, stream).await?;
                let identities = proved(stream.get_ref().1.peer_certificates());
                (Box::new(stream), identities)
            }
            _ => (Box::new(stream), Vec::new()),
        };
        let kind = match path.protocol {
            #[cfg(feature = "ws")]
            Protocol::Ws | Protocol::Wss => {
                Kind::Messages(Box::new(super::websocket::open(octets, path.remote, server_name).await?))
            }
            _ => Kind::Octets(octets),
        };
        Ok(Link { kind, local, identities })
    }
}

#[cfg(feature = "tls")]
fn no_certificate() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "there is no certificate")
}

/// The names in the first certificate of a chain that was verified.
#[cfg(feature = "tls")]
fn proved(chain: Option<&[tokio_rustls::rustls::pki_types::CertificateDer<'_>]>) -> Vec<String> {
    chain.and_then(<[_]>::first).map(crate::tls::identities).unwrap_or_default()
}

/// Goes on after a task has ended. One that has panicked ends the program with its message: half a driver is none.
pub(super) fn go_on(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// How many peers of each IP address are at their handshakes.
#[derive(Default)]
struct Shaking(HashMap<IpAddr, usize>);

impl Shaking {
    fn admits(&self, ip: IpAddr) -> bool {
        self.0.get(&ip).is_none_or(|count| *count < SHAKING_PER_ADDRESS)
    }

    fn begins(&mut self, ip: IpAddr) {
        *self.0.entry(ip).or_default() += 1;
    }

    fn ends(&mut self, ip: IpAddr) {
        if let Some(count) = self.0.get_mut(&ip) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&ip);
            }
        }
    }
}

/// Accepts connections, and hands each over when its handshakes are done. The node does not hear of a peer that fails at them.
pub(super) async fn accept(
    listener: ListenerId,
    protocol: Protocol,
    socket: TcpListener,
    security: Security,
    tell: Sender<Told>,
) {
    // They end with this task.
    let mut handshakes = JoinSet::new();
    let mut shaking = Shaking::default();
    loop {
        let accepted = poll_fn(|cx| {
            while let Poll::Ready(Some(ended)) = handshakes.poll_join_next(cx) {
                go_on(ended.map(|ip| shaking.ends(ip)));
            }
            if handshakes.len() < SHAKING { socket.poll_accept(cx) } else { Poll::Pending }
        });
        let (stream, remote) = match socket::accepted(accepted.await) {
            Accepted::One(stream, remote) => (stream, remote),
            Accepted::Gone | Accepted::None => continue,
            Accepted::Refused(error) => {
                if tell.send(Told::Trouble { attempt: Attempt::Accept, error }).await.is_err() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // TCP has nothing to wait for.
        if protocol != Protocol::Tcp && !shaking.admits(remote.ip()) {
            let error = io::Error::other(format!("more than {SHAKING_PER_ADDRESS} at once from {}", remote.ip()));
            if tell.send(Told::Trouble { attempt: Attempt::Handshake, error }).await.is_err() {
                return;
            }
            continue;
        }
        shaking.begins(remote.ip());
        let (security, tell) = (security.clone(), tell.clone());
        handshakes.spawn(async move {
            let told = match tokio::time::timeout(SHAKE_WITHIN, security.accept(protocol, stream)).await {
                Ok(Ok(link)) => Told::Accepted { listener, remote, link },
                Ok(Err(error)) => Told::Trouble { attempt: Attempt::Handshake, error },
                Err(late) => Told::Trouble { attempt: Attempt::Handshake, error: late.into() },
            };
            let _ = tell.send(told).await;
            remote.ip()
        });
    }
}

/// The driver's side of a connection.
pub(super) struct Connection {
    pub(super) path: Path,
    /// The octets to write. They may come before the connection is open.
    pub(super) queue: Queue,
    is_open: Arc<AtomicBool>,
    task: AbortHandle,
}

impl Connection {
    pub(super) fn accepted(
        tasks: &mut JoinSet<()>,
        id: ConnectionId,
        (path, kind): (Path, Kind),
        tell: &Sender<Told>,
    ) -> Self {
        let queue = Queue::default();
        let task = tasks.spawn(serve(Served { id, queue: queue.clone(), tell: tell.clone() }, kind));
        Self { path, queue, is_open: Arc::new(true.into()), task }
    }

    pub(super) fn opening(
        tasks: &mut JoinSet<()>,
        id: ConnectionId,
        (path, server_name): (Path, Option<Box<str>>),
        security: Security,
        tell: &Sender<Told>,
    ) -> Self {
        let (queue, is_open) = (Queue::default(), Arc::new(AtomicBool::new(false)));
        let (served, opened) = (Served { id, queue: queue.clone(), tell: tell.clone() }, is_open.clone());
        let task = tasks.spawn(async move {
            // The node gives up by itself, and closes it.
            let told = match security.open(path, server_name.as_deref()).await {
                Ok(Link { kind, local, identities }) => {
                    opened.store(true, Ordering::Release);
                    let told = Told::Opened { connection: id, identities, local };
                    if served.tell.send(told).await.is_ok() {
                        serve(served, kind).await;
                    }
                    return;
                }
                Err(error) => Told::NotOpened { connection: id, error },
            };
            let _ = served.tell.send(told).await;
        });
        Self { path, queue, is_open, task }
    }

    /// Closes it when everything is written. The task that sees to it, unless it is not open yet.
    pub(super) fn close(self) -> Option<AbortHandle> {
        if self.is_open.load(Ordering::Acquire) {
            self.queue.close();
            return Some(self.task);
        }
        self.task.abort();
        None
    }
}

/// The task's side of a connection.
pub(super) struct Served {
    pub(super) id: ConnectionId,
    pub(super) queue: Queue,
    pub(super) tell: Sender<Told>,
}

impl Served {
    pub(super) async fn change(&self, change: Change<'static>) {
        let _ = self.tell.send(Told::Changed { connection: self.id, change }).await;
    }

    pub(super) async fn has_written(&self, messages: &[SharedBytes]) {
        if let Some(change) = self.queue.has_written(messages) {
            self.change(change).await;
        }
    }
}

/// Reads and writes until both sides have ended, or one has failed.
async fn serve(served: Served, kind: Kind) {
    let ended = match kind {
        Kind::Octets(stream) => octets(&served, stream).await,
        #[cfg(feature = "ws")]
        Kind::Messages(socket) => super::websocket::serve(&served, *socket).await,
    };
    if let Err(error) = ended {
        let _ = served.tell.send(Told::Broken { connection: served.id, error }).await;
    }
}

/// Serves a byte stream; an error if it is no more.
async fn octets(served: &Served, stream: Box<dyn Duplex>) -> io::Result<()> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let read = async {
        let mut buffer = vec![0; 16 * 1_024];
        loop {
            match reader.read(&mut buffer).await? {
                0 => break served.change(Change::Ended).await,
                length => {
                    let bytes = buffer[..length].to_vec();
                    let _ = served.tell.send(Told::Octets { connection: served.id, bytes }).await;
                }
            }
        }
        Ok(())
    };
    let write = async {
        while let Some(messages) = served.queue.first().await {
            match &*messages {
                [one] => writer.write_all(one).await?,
                several => {
                    writer.write_all(&several.iter().flat_map(|one| &**one).copied().collect::<Vec<_>>()).await?
                }
            }
            writer.flush().await?;
            served.has_written(&messages).await;
        }
        writer.shutdown().await
    };
    both(read, write).await
}

/// Until both are done, or one has failed.
pub(super) async fn both(
    one: impl Future<Output = io::Result<()>>,
    other: impl Future<Output = io::Result<()>>,
) -> io::Result<()> {
    let (mut one, mut other) = (Box::pin(one), Box::pin(other));
    let (mut one_done, mut other_done) = (false, false);
    poll_fn(move |cx| {
        if !one_done && let Poll::Ready(ended) = one.as_mut().poll(cx) {
            ended?;
            one_done = true;
        }
        if !other_done && let Poll::Ready(ended) = other.as_mut().poll(cx) {
            ended?;
            other_done = true;
        }
        if one_done && other_done { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_room_again_when_one_of_its_handshakes_ends() {
        let (mut shaking, ip, other) = (Shaking::default(), IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        (0..32).for_each(|_| shaking.begins(ip));
        assert!(!shaking.admits(ip) && shaking.admits(other));
        shaking.ends(ip);
        assert!(shaking.admits(ip));
        (0..31).for_each(|_| shaking.ends(ip));
        assert!(shaking.0.is_empty(), "an address without a handshake is remembered");
    }
}
