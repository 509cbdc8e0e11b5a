//! UDP.

use std::io;
use std::sync::Arc;

use sansip::message::header::Protocol;
use sansip::{Input, ListenerId, Node, Transmit};
use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::Sender;

use super::{Driver, Told};
use crate::seen::Direction;
use crate::trouble::Attempt;
use crate::{socket, stun};

impl Driver {
    /// As that of the blocking driver.
    pub(super) fn send_datagram<N: Node>(&mut self, node: &mut N, transmit: &Transmit) {
        let (listener, remote) = (transmit.flow.listener, transmit.flow.remote);
        let Some(listening) = self.listeners.get_mut(&listener) else { return };
        let Some(socket) = listening.socket.clone() else { return };
        let local = listening.local;
        let sent = if transmit.ttl.is_some() && transmit.ttl != listening.ttl {
            listening.ttl = transmit.ttl;
            socket::set_ttl(SockRef::from(&*socket), remote, transmit.ttl.unwrap_or(1))
        } else {
            Ok(())
        };
        self.show(Direction::Out, Protocol::Udp, local, remote, &transmit.bytes);
        let Err(error) = sent.and_then(|()| socket.try_send_to(&transmit.bytes, remote)) else { return };
        let is_lost = matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted);
        self.troubles.note(Attempt::Send, error);
        if !is_lost {
            node.handle(self.clock.now(), Input::Unreachable { listener, remote, quoted: &transmit.bytes });
        }
    }
}

/// Reads the datagrams of a listener.
pub(super) async fn read(listener: ListenerId, socket: Arc<UdpSocket>, tell: Sender<Told>) {
    let mut buffer = vec![0; 65_536];
    loop {
        // An error is the network's about something sent before.
        let Ok((length, remote)) = socket.recv_from(&mut buffer).await else { continue };
        let bytes = &buffer[..length];
        if stun::is_stun(bytes) {
            if let Some(answer) = stun::answer(bytes, remote) {
                let _ = socket.try_send_to(&answer, remote);
            }
            continue;
        }
        if tell.send(Told::Datagram { listener, remote, bytes: bytes.to_vec() }).await.is_err() {
            return;
        }
    }
}
