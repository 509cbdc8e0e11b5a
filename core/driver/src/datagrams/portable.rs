//! Every other system: one datagram a call, and no report of those that did not arrive.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};

use sansip::Transmit;

use super::{Arrived, LARGEST, Socket, Undelivered};

pub(crate) trait Handle {
    /// Reads one datagram without waiting.
    fn receive_one(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)>;
}

impl Handle for mio::net::UdpSocket {
    fn receive_one(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.recv_from(buffer)
    }
}

#[cfg(feature = "tokio")]
impl Handle for std::sync::Arc<tokio::net::UdpSocket> {
    fn receive_one(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.try_recv_from(buffer)
    }
}

pub(crate) fn report_errors(_: &UdpSocket, _: SocketAddr) -> io::Result<()> {
    Ok(())
}

pub(super) fn receive(socket: &impl Socket, buffer: &mut [u8], arrived: &mut VecDeque<Arrived>) -> io::Result<bool> {
    let slot = buffer.get_mut(..LARGEST).unwrap_or_default();
    let (length, remote) = socket.receive_one(slot)?;
    arrived.push_back(Arrived { slot: 0, length, remote });
    Ok(true)
}

pub(super) fn send(socket: &impl Socket, transmits: &[Transmit]) -> io::Result<usize> {
    let Some(first) = transmits.first() else { return Ok(0) };
    socket.send_one(&first.bytes, first.flow.remote).map(|_| 1)
}

pub(super) fn undelivered(_: &impl Socket) -> Option<Undelivered> {
    None
}
