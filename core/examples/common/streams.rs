//! The TCP connections of a driver: a thread that reads and one that writes for each.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel};
use std::thread;
use std::time::Duration;

use sansip::message::SharedBytes;
use sansip::{Change, ConnectionId};

use super::Wake;

/// Octets held for a connection before the node is told that it takes no more. What the node sends even so is bounded by
/// `Limits::stalled_octets`.
const HELD: usize = 64 * 1_024;

/// How long the system may try to open a connection; the node gives up before.
const OPEN_WITHIN: Duration = Duration::from_secs(30);

/// A far end that takes nothing for so long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(30);

/// All connections.
pub(crate) struct Streams {
    report: SyncSender<Wake>,
    connections: HashMap<ConnectionId, Connection>,
}

/// The octets to be written go here, also before the connection is open.
struct Connection {
    queue: Sender<SharedBytes>,
    /// The other end of the queue, until there is a thread to read it.
    unopened: Option<Receiver<SharedBytes>>,
    held: Arc<Held>,
}

#[derive(Default)]
struct Held {
    octets: AtomicUsize,
    /// The node was told that it takes no more.
    stalled: AtomicBool,
}

impl Streams {
    pub(crate) fn new(report: SyncSender<Wake>) -> Self {
        Self { report, connections: HashMap::new() }
    }

    /// Serves a connection that was accepted.
    pub(crate) fn accepted(&mut self, id: ConnectionId, stream: TcpStream) {
        self.add(id);
        self.serve(id, stream);
    }

    /// Opens a connection.
    pub(crate) fn open(&mut self, id: ConnectionId, remote: SocketAddr) {
        self.add(id);
        let report = self.report.clone();
        thread::spawn(move || {
            let stream = TcpStream::connect_timeout(&remote, OPEN_WITHIN).ok();
            let _ = report.send(Wake::Connected { connection: id, stream });
        });
    }

    /// The news for the node of an attempt to open; nothing if it wants that connection no more.
    pub(crate) fn connected(&mut self, id: ConnectionId, stream: Option<TcpStream>) -> Option<Change<'static>> {
        if !self.connections.contains_key(&id) {
            return None;
        }
        if let Some(stream) = stream {
            self.serve(id, stream);
            Some(Change::Opened { identities: &[] })
        } else {
            self.connections.remove(&id);
            Some(Change::Failed)
        }
    }

    /// Writes these octets after all those before; what to tell the node of it.
    pub(crate) fn send(&self, id: ConnectionId, bytes: SharedBytes) -> Option<Change<'static>> {
        let connection = self.connections.get(&id)?;
        let held = connection.held.octets.fetch_add(bytes.len(), Ordering::AcqRel) + bytes.len();
        let stalled = held > HELD && !connection.held.stalled.swap(true, Ordering::AcqRel);
        let _ = connection.queue.send(bytes);
        stalled.then_some(Change::Stalled)
    }

    /// Closes a connection when everything is written: the thread that writes finds its queue at the end.
    pub(crate) fn close(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
    }

    /// The connection is gone; whether the node does not know it yet.
    pub(crate) fn forget(&mut self, id: ConnectionId) -> bool {
        self.connections.remove(&id).is_some()
    }

    fn add(&mut self, id: ConnectionId) {
        let (queue, unopened) = channel();
        self.connections.insert(id, Connection { queue, unopened: Some(unopened), held: Arc::default() });
    }

    fn serve(&mut self, id: ConnectionId, stream: TcpStream) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let (Some(queue), Ok(reader)) = (connection.unopened.take(), stream.try_clone()) else {
            let _ = self.report.try_send(Wake::Closed { connection: id });
            return;
        };
        let _ = stream.set_nodelay(true);
        let _ = stream.set_write_timeout(Some(WRITE_WITHIN));
        let (held, report) = (connection.held.clone(), self.report.clone());
        thread::spawn(move || write(id, stream, &queue, &held, &report));
        let report = self.report.clone();
        thread::spawn(move || read(id, reader, &report));
    }
}

fn read(connection: ConnectionId, mut stream: TcpStream, report: &SyncSender<Wake>) {
    let mut buffer = vec![0; 16 * 1_024];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        if report.send(Wake::Stream { connection, bytes: buffer[..length].to_vec() }).is_err() {
            return;
        }
    }
    let _ = report.send(Wake::Closed { connection });
}

/// Ends when the queue does, or when nothing can be written any more; the thread that reads ends with it.
fn write(
    connection: ConnectionId,
    mut stream: TcpStream,
    queue: &Receiver<SharedBytes>,
    held: &Held,
    report: &SyncSender<Wake>,
) {
    while let Ok(bytes) = queue.recv() {
        if stream.write_all(&bytes).is_err() {
            break;
        }
        let left = held.octets.fetch_sub(bytes.len(), Ordering::AcqRel) - bytes.len();
        if left == 0 && held.stalled.swap(false, Ordering::AcqRel) {
            let _ = report.send(Wake::Written { connection });
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}
