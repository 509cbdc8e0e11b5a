//! TCP.

use std::io::{self, Read, Write};
use std::net::Shutdown;

use mio::net::TcpStream;
use mio::{Interest, Token};
use sansip::message::SharedBytes;
use sansip::message::header::Protocol;
use sansip::{Change, ConnectionId, Input, Node};

use super::{Driver, Entry, Source};
use crate::backlog::Backlog;
use crate::common::{Common, Connections, Path};
use crate::limits::{LINGER, LINGERING, PAUSE};
use crate::seen::Direction;
use crate::socket::{self, Accepted};
use crate::trouble::Attempt;

/// A connection.
pub(super) struct Stream {
    socket: TcpStream,
    pub(super) id: ConnectionId,
    path: Path,
    phase: Phase,
    /// The far end has ended its side.
    has_ended: bool,
    pub(super) backlog: Backlog,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Opening,
    Open,
    /// The node has closed it.
    Closing,
    /// That, and everything is written and our side ended.
    Ended,
}

impl Stream {
    /// Writes what it can, and ends our side when that is all of a connection that is closed.
    fn write(&mut self) -> io::Result<()> {
        self.backlog.write(|slices| self.socket.write_vectored(slices))?;
        if self.phase == Phase::Closing && self.backlog.is_empty() {
            self.socket.shutdown(Shutdown::Write)?;
            self.phase = Phase::Ended;
        }
        Ok(())
    }

    /// Whether the node still wants to hear of it.
    const fn is_wanted(&self) -> bool {
        matches!(self.phase, Phase::Opening | Phase::Open)
    }

    const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended) && self.has_ended
    }
}

impl Connections for Driver {
    type Datagrams = mio::net::UdpSocket;

    fn common(&mut self) -> &mut Common<mio::net::UdpSocket> {
        &mut self.common
    }

    /// It is written with what comes at the same time.
    fn write<N: Node>(&mut self, _: &mut N, connection: ConnectionId, bytes: SharedBytes) {
        let Some(stream) = self.stream_of(connection) else { return };
        let (path, is_first) = (stream.path, stream.backlog.is_empty());
        stream.backlog.push(bytes.clone());
        if is_first {
            self.unwritten.push(connection);
        }
        self.common.show(Direction::Out, path, &bytes);
    }

    fn open<N: Node>(&mut self, node: &mut N, connection: ConnectionId, path: Path, _: Option<Box<str>>) {
        let begun = match path.protocol {
            Protocol::Tcp => socket::connect(path.local, path.remote).map(TcpStream::from_std),
            other => Err(socket::unsupported(other)),
        };
        if let Err(error) = begun.and_then(|stream| self.add(connection, stream, path, Phase::Opening)) {
            self.common.failed(node, connection, error);
        }
    }

    fn close(&mut self, connection: ConnectionId) {
        let Some(stream) = self.stream_of(connection) else { return };
        let is_open = stream.phase == Phase::Open;
        stream.phase = Phase::Closing;
        if !is_open || stream.write().is_err() || stream.is_over() {
            self.forget(connection);
            return;
        }
        self.lingering.push(self.now() + LINGER, connection);
        if let Some(oldest) = self.lingering.beyond(LINGERING, |id| self.connections.contains_key(id)) {
            self.forget(oldest);
        }
    }
}

impl Driver {
    /// Accepts one connection; whether there may be another.
    pub(super) fn accept<N: Node>(&mut self, node: &mut N, key: usize) -> bool {
        let Some(Source::Acceptor(socket, listener)) = self.entries.get(key).map(|entry| &entry.source) else {
            return false;
        };
        match socket::accepted(socket.accept()) {
            Accepted::One(stream, remote) => {
                let connection = node.accept(self.common.clock.now(), *listener, remote);
                let path = Path { protocol: Protocol::Tcp, local: stream.local_addr().unwrap_or(remote), remote };
                if let Err(error) = self.add(connection, stream, path, Phase::Open) {
                    self.common.troubles.note(Attempt::Accept, error);
                    self.common.tell(node, connection, Change::Closed);
                }
                true
            }
            Accepted::Gone => true,
            Accepted::None => false,
            Accepted::Refused(error) => {
                self.common.troubles.note(Attempt::Accept, error);
                self.paused.push(self.now() + PAUSE, key);
                false
            }
        }
    }

    fn add(&mut self, id: ConnectionId, mut socket: TcpStream, path: Path, phase: Phase) -> io::Result<()> {
        let _ = socket.set_nodelay(true);
        let vacant = self.entries.vacant_entry();
        self.poll.registry().register(&mut socket, Token(vacant.key()), Interest::READABLE | Interest::WRITABLE)?;
        self.connections.insert(id, vacant.key());
        let stream = Stream { socket, id, path, phase, has_ended: false, backlog: Backlog::default() };
        vacant.insert(Entry { source: Source::Stream(stream), is_queued: false });
        Ok(())
    }

    fn stream_of(&mut self, connection: ConnectionId) -> Option<&mut Stream> {
        match &mut self.entries.get_mut(*self.connections.get(&connection)?)?.source {
            Source::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// Closes a connection at once.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        if let Some(key) = self.connections.remove(&connection) {
            self.entries.try_remove(key);
        }
    }

    /// Writes what a connection takes, once it is open, and tells what there is to tell of it.
    pub(super) fn flush<N: Node>(&mut self, node: &mut N, connection: ConnectionId) {
        let Some(stream) = self.stream_of(connection).filter(|stream| stream.phase != Phase::Opening) else { return };
        match stream.write() {
            Err(error) => self.broken(node, connection, error),
            Ok(()) if stream.is_over() => self.forget(connection),
            Ok(()) => {
                if let Some(change) = stream.backlog.change() {
                    self.tell(node, connection, change);
                }
            }
        }
    }

    /// Tells the node of a change, if it still wants to hear of that connection.
    fn tell<N: Node>(&mut self, node: &mut N, connection: ConnectionId, change: Change<'_>) {
        if self.stream_of(connection).is_some_and(|stream| stream.is_wanted()) {
            self.common.tell(node, connection, change);
        }
    }

    /// Forgets a connection that has broken, and tells the node so if it still wants to hear of it.
    fn broken<N: Node>(&mut self, node: &mut N, connection: ConnectionId, error: io::Error) {
        let is_wanted = self.stream_of(connection).is_some_and(|stream| stream.is_wanted());
        self.forget(connection);
        if is_wanted {
            self.common.broken(node, connection, error);
        }
    }

    /// Does what there is to do at a connection; whether there may be more to read.
    pub(super) fn stream<N: Node>(&mut self, node: &mut N, connection: ConnectionId) -> bool {
        let Some(stream) = self.stream_of(connection) else { return false };
        if stream.phase == Phase::Opening {
            match socket::opened(&stream.socket) {
                Ok(false) => return false,
                Ok(true) => {
                    stream.phase = Phase::Open;
                    stream.path.local = stream.socket.local_addr().unwrap_or(stream.path.local);
                    self.tell(node, connection, Change::Opened { identities: &[] });
                }
                Err(error) => {
                    self.forget(connection);
                    self.common.failed(node, connection, error);
                    return false;
                }
            }
        }
        self.flush(node, connection);
        let mut buffer = std::mem::take(&mut self.buffer);
        let more = self.read(node, connection, &mut buffer);
        self.buffer = buffer;
        more
    }

    /// Reads once; whether there may be more.
    fn read<N: Node>(&mut self, node: &mut N, connection: ConnectionId, buffer: &mut [u8]) -> bool {
        let Some(stream) = self.stream_of(connection) else { return false };
        let read = match stream.has_ended {
            true => stream.socket.take_error().and_then(|error| Err(error.unwrap_or(io::ErrorKind::WouldBlock.into()))),
            false => stream.socket.read(buffer),
        };
        match read {
            Ok(0) => {
                stream.has_ended = true;
                if stream.is_over() {
                    self.forget(connection);
                }
                self.tell(node, connection, Change::Ended);
                false
            }
            // It brought more after we had closed it: nobody reads that.
            Ok(_) if stream.phase != Phase::Open => true,
            Ok(length) => {
                let (path, bytes) = (stream.path, buffer.get(..length).unwrap_or_default());
                self.common.show(Direction::In, path, bytes);
                node.handle(self.now(), Input::Stream { connection, bytes });
                true
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
            Err(error) => {
                self.broken(node, connection, error);
                false
            }
        }
    }
}
