//! UDP.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use sansip::message::header::Protocol;
use sansip::{Input, ListenerId, Node, Transmit};
use socket2::SockRef;

use super::{Driver, Source};
use crate::seen::{Direction, Seen};
use crate::trouble::Attempt;
use crate::{socket, stun};

/// The socket of a listener.
pub(super) struct Datagrams {
    pub(super) socket: mio::net::UdpSocket,
    pub(super) local: SocketAddr,
    pub(super) listener: Option<ListenerId>,
    /// How far multicast datagrams go at present.
    ttl: Option<u8>,
}

impl Datagrams {
    pub(super) fn new(socket: UdpSocket, local: SocketAddr) -> Self {
        Self { socket: mio::net::UdpSocket::from_std(socket), local, listener: None, ttl: None }
    }

    fn send(&mut self, transmit: &Transmit) -> io::Result<usize> {
        if let Some(ttl) = transmit.ttl
            && self.ttl != Some(ttl)
        {
            socket::set_ttl(SockRef::from(&self.socket), transmit.flow.remote, ttl)?;
            self.ttl = Some(ttl);
        }
        self.socket.send_to(&transmit.bytes, transmit.flow.remote)
    }
}

impl Driver {
    /// Reads one datagram; whether there may be another.
    pub(super) fn receive<N: Node>(&mut self, node: &mut N, key: usize) -> bool {
        let Some(Source::Datagrams(datagrams)) = self.entries.get_mut(key).map(|entry| &mut entry.source) else {
            return false;
        };
        let Some(listener) = datagrams.listener else { return false };
        let (length, remote) = match datagrams.socket.recv_from(&mut self.buffer) {
            Ok(received) => received,
            // Any other error is the network's about something sent before: there is nothing to read, this time.
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        };
        let bytes = &self.buffer[..length];
        if stun::is_stun(bytes) {
            if let Some(answer) = stun::answer(bytes, remote) {
                let _ = datagrams.socket.send_to(&answer, remote);
            }
            return true;
        }
        let now = self.clock.now();
        let (direction, protocol, local) = (Direction::In, Protocol::Udp, datagrams.local);
        self.observer.show(&Seen { now, direction, protocol, local, remote, bytes });
        node.handle(now, Input::Datagram { listener, remote, bytes });
        true
    }

    /// Sends a datagram. The node hears of it if there is no way to its destination; one that finds the system's buffers full is
    /// lost, as it might be further on: the timers see to it.
    pub(super) fn send_datagram<N: Node>(&mut self, node: &mut N, transmit: &Transmit) {
        let (listener, remote) = (transmit.flow.listener, transmit.flow.remote);
        let Some((_, local, key)) = self.listeners.get(&listener) else { return };
        let Some(Source::Datagrams(datagrams)) = self.entries.get_mut(*key).map(|entry| &mut entry.source) else {
            return;
        };
        let now = self.clock.now();
        let (direction, protocol, local, bytes) = (Direction::Out, Protocol::Udp, *local, &*transmit.bytes);
        self.observer.show(&Seen { now, direction, protocol, local, remote, bytes });
        let Err(error) = datagrams.send(transmit) else { return };
        let is_lost = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted);
        self.troubles.note(Attempt::Send, error);
        if !is_lost {
            node.handle(now, Input::Unreachable { listener, remote, quoted: bytes });
        }
    }
}
