//! TCP.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

use mio::Interest;
use sansip::message::SharedBytes;
use sansip::message::header::Protocol;
use sansip::{Change, ConnectionId, Input, Instant, ListenerId, Node};

use super::{Driver, Source};
use crate::limits::{HELD, LINGER, LINGERING, PAUSE};
use crate::seen::{Direction, Seen};
use crate::socket;
use crate::trouble::Attempt;

/// Messages written at once.
const AT_ONCE: usize = 16;

/// A socket where connections come in.
pub(super) struct Acceptor {
    pub(super) socket: mio::net::TcpListener,
    pub(super) listener: Option<ListenerId>,
}

impl Acceptor {
    pub(super) fn new(socket: TcpListener) -> Self {
        Self { socket: mio::net::TcpListener::from_std(socket), listener: None }
    }
}

/// A connection.
pub(super) struct Stream {
    pub(super) socket: mio::net::TcpStream,
    id: ConnectionId,
    local: SocketAddr,
    remote: SocketAddr,
    phase: Phase,
    /// The far end has ended its side.
    has_ended: bool,
    /// The node was told that it takes no more.
    is_stalled: bool,
    /// Messages to be written, of the first all but `written` octets.
    held: VecDeque<SharedBytes>,
    octets: usize,
    written: usize,
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
    fn new(id: ConnectionId, stream: TcpStream, remote: SocketAddr, phase: Phase) -> Self {
        let _ = stream.set_nodelay(true);
        let local = stream.local_addr().unwrap_or(remote);
        let socket = mio::net::TcpStream::from_std(stream);
        let (held, has_ended) = (VecDeque::new(), false);
        Self { socket, id, local, remote, phase, has_ended, is_stalled: false, held, octets: 0, written: 0 }
    }

    /// Writes what it can.
    fn write(&mut self) -> io::Result<()> {
        while self.octets > 0 {
            let mut slices = [IoSlice::new(&[]); AT_ONCE];
            let skip = |at| if at == 0 { self.written } else { 0 };
            for ((at, bytes), slice) in self.held.iter().enumerate().zip(&mut slices) {
                *slice = IoSlice::new(bytes.get(skip(at)..).unwrap_or_default());
            }
            match self.socket.write_vectored(&slices[..self.held.len().min(AT_ONCE)]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.has_written(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.phase == Phase::Closing {
            self.socket.shutdown(Shutdown::Write)?;
            self.phase = Phase::Ended;
        }
        Ok(())
    }

    fn has_written(&mut self, count: usize) {
        self.octets -= count;
        self.written += count;
        while let Some(first) = self.held.front()
            && self.written >= first.len()
        {
            self.written -= first.len();
            self.held.pop_front();
        }
    }
}

impl Driver {
    /// Accepts one connection; whether there may be another.
    pub(super) fn accept<N: Node>(&mut self, node: &mut N, key: usize) -> bool {
        let Some(Source::Acceptor(acceptor)) = self.entries.get(key).map(|entry| &entry.source) else { return false };
        let Some(listener) = acceptor.listener else { return false };
        let (stream, remote) = match acceptor.socket.accept() {
            Ok((stream, remote)) => (stream.into(), remote),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => return false,
                // Gone before it was accepted.
                io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted => {
                    return true;
                }
                _ => {
                    self.troubles.note(Attempt::Accept, error);
                    let end = self.clock.now() + PAUSE;
                    self.paused.get_or_insert_with(|| (end, Vec::new())).1.push(key);
                    return false;
                }
            },
        };
        let connection = node.reserve();
        match self.add_stream(Stream::new(connection, stream, remote, Phase::Open)) {
            Ok(()) => node.handle(self.clock.now(), Input::Accepted { listener, connection, remote }),
            Err(error) => self.troubles.note(Attempt::Accept, error),
        }
        true
    }

    /// Begins to open a connection; its fate is told later, or at once.
    pub(super) fn open<N: Node>(
        &mut self,
        node: &mut N,
        connection: ConnectionId,
        listener: ListenerId,
        protocol: Protocol,
        remote: SocketAddr,
    ) {
        let begun = match self.listeners.get(&listener) {
            Some((Protocol::Tcp, local, _)) => socket::connect(*local, remote),
            _ => Err(socket::unsupported(protocol)),
        };
        let stream = begun.map(|stream| Stream::new(connection, stream, remote, Phase::Opening));
        if let Err(error) = stream.and_then(|stream| self.add_stream(stream)) {
            self.failed(node, connection, error);
        }
    }

    fn failed<N: Node>(&mut self, node: &mut N, connection: ConnectionId, error: io::Error) {
        self.troubles.note(Attempt::Open, error);
        node.handle(self.clock.now(), Input::Connection { connection, change: Change::Failed });
    }

    fn add_stream(&mut self, stream: Stream) -> io::Result<()> {
        let id = stream.id;
        let key = self.add(Source::Stream(stream), Interest::READABLE | Interest::WRITABLE)?;
        self.connections.insert(id, key);
        Ok(())
    }

    fn stream_of(&mut self, connection: ConnectionId) -> Option<&mut Stream> {
        let key = *self.connections.get(&connection)?;
        self.stream_at(key)
    }

    fn stream_at(&mut self, key: usize) -> Option<&mut Stream> {
        match &mut self.entries.get_mut(key)?.source {
            Source::Stream(stream) => Some(stream),
            _ => None,
        }
    }

    /// Keeps a message for a connection, behind all before it; it is written with those that come at the same time.
    pub(super) fn write(&mut self, connection: ConnectionId, bytes: SharedBytes) {
        let now = self.clock.now();
        let Some(stream) = self.stream_of(connection) else { return };
        stream.octets += bytes.len();
        stream.held.push_back(bytes.clone());
        let (local, remote) = (stream.local, stream.remote);
        if stream.held.len() == 1 {
            self.unwritten.push(connection);
        }
        let (direction, protocol, bytes) = (Direction::Out, Protocol::Tcp, &*bytes);
        self.observer.show(&Seen { now, direction, protocol, local, remote, bytes });
    }

    /// Writes what was kept since the last time.
    pub(super) fn write_all<N: Node>(&mut self, node: &mut N) {
        while let Some(connection) = self.unwritten.pop() {
            if let Some(stream) = self.stream_of(connection)
                && stream.phase != Phase::Opening
            {
                self.flush(node, connection);
            }
        }
    }

    /// Writes what a connection takes; what there is to tell of it.
    fn flush<N: Node>(&mut self, node: &mut N, connection: ConnectionId) {
        let Some(stream) = self.stream_of(connection) else { return };
        let change = match stream.write() {
            Err(_) => Some(Change::Closed),
            Ok(()) if stream.octets > HELD && !stream.is_stalled => {
                stream.is_stalled = true;
                Some(Change::Stalled)
            }
            Ok(()) if stream.octets == 0 && stream.is_stalled => {
                stream.is_stalled = false;
                Some(Change::Writable)
            }
            Ok(()) => None,
        };
        let is_over = stream.phase == Phase::Ended && stream.has_ended;
        if let Some(change) = change {
            self.tell(node, connection, change);
        } else if is_over {
            self.forget(connection);
        }
    }

    /// Tells the node of a change, if it still wants to hear of that connection.
    fn tell<N: Node>(&mut self, node: &mut N, connection: ConnectionId, change: Change<'_>) {
        let Some(stream) = self.stream_of(connection) else { return };
        let is_wanted = matches!(stream.phase, Phase::Opening | Phase::Open);
        if change == Change::Closed {
            self.forget(connection);
        }
        if is_wanted {
            node.handle(self.clock.now(), Input::Connection { connection, change });
        }
    }

    /// Closes a connection when everything is written; one that is not open yet at once.
    pub(super) fn close(&mut self, connection: ConnectionId) {
        let end = self.clock.now() + LINGER;
        let Some(stream) = self.stream_of(connection) else { return };
        let is_open = stream.phase == Phase::Open;
        stream.phase = Phase::Closing;
        if !is_open || stream.write().is_err() || stream.phase == Phase::Ended && stream.has_ended {
            self.forget(connection);
            return;
        }
        self.lingering.push_back((end, connection));
        if self.lingering.len() > LINGERING
            && let Some((_, oldest)) = self.lingering.pop_front()
        {
            self.forget(oldest);
        }
    }

    /// Cuts what has been lingering for too long.
    pub(super) fn end_lingering(&mut self, now: Instant) {
        while let Some((end, connection)) = self.lingering.front().copied()
            && end <= now
        {
            self.lingering.pop_front();
            self.forget(connection);
        }
    }

    fn forget(&mut self, connection: ConnectionId) {
        if let Some(key) = self.connections.remove(&connection) {
            self.remove(key);
        }
    }

    /// Whether nothing is left to be written.
    pub(super) fn is_written(&self) -> bool {
        self.entries.iter().all(|(_, entry)| !matches!(&entry.source, Source::Stream(stream) if stream.octets > 0))
    }

    /// Does what there is to do at a connection; whether there may be more to read.
    pub(super) fn stream<N: Node>(&mut self, node: &mut N, key: usize) -> bool {
        let Some(stream) = self.stream_at(key) else { return false };
        let connection = stream.id;
        if stream.phase == Phase::Opening {
            match (stream.socket.take_error(), stream.socket.peer_addr()) {
                (Ok(None), Ok(_)) => {
                    stream.phase = Phase::Open;
                    stream.local = stream.socket.local_addr().unwrap_or(stream.local);
                    self.tell(node, connection, Change::Opened { identities: &[] });
                }
                (Ok(None), Err(error)) if error.kind() == io::ErrorKind::NotConnected => return false,
                (Ok(Some(error)) | Err(error), _) | (_, Err(error)) => {
                    self.forget(connection);
                    self.failed(node, connection, error);
                    return false;
                }
            }
        }
        if self.stream_at(key).is_some_and(|stream| stream.octets > 0 || stream.phase == Phase::Closing) {
            self.flush(node, connection);
        }
        self.read(node, connection)
    }

    /// Reads once; whether there may be more.
    fn read<N: Node>(&mut self, node: &mut N, connection: ConnectionId) -> bool {
        let Some(&key) = self.connections.get(&connection) else { return false };
        let Some(Source::Stream(stream)) = self.entries.get_mut(key).map(|entry| &mut entry.source) else {
            return false;
        };
        let is_closed = stream.phase != Phase::Open;
        let read =
            if stream.has_ended { Err(io::ErrorKind::WouldBlock.into()) } else { stream.socket.read(&mut self.buffer) };
        match read {
            Ok(0) => {
                stream.has_ended = true;
                if stream.phase == Phase::Ended {
                    self.forget(connection);
                } else {
                    self.tell(node, connection, Change::Ended);
                }
                false
            }
            // It brought more after we had closed it: nobody reads that.
            Ok(_) if is_closed => true,
            Ok(length) => {
                let now = self.clock.now();
                let (local, remote, bytes) = (stream.local, stream.remote, &self.buffer[..length]);
                let (direction, protocol) = (Direction::In, Protocol::Tcp);
                self.observer.show(&Seen { now, direction, protocol, local, remote, bytes });
                node.handle(now, Input::Stream { connection, bytes });
                true
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if let Ok(Some(_)) | Err(_) = stream.socket.take_error() {
                    self.tell(node, connection, Change::Closed);
                }
                false
            }
            Err(_) => {
                self.tell(node, connection, Change::Closed);
                false
            }
        }
    }
}
