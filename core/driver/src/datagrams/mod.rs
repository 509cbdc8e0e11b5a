//! Datagrams for both drivers: read and written in batches, and what the network gives back of those that did not arrive.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod portable;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

#[cfg(any(target_os = "linux", target_os = "android"))]
use linux as system;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use portable as system;
use sansip::{ListenerId, Transmit};
use socket2::SockRef;

use crate::limits::BATCH;
use crate::{socket, stun};

pub(crate) use system::{Handle, report_errors};

/// The largest datagram, and room for it.
const LARGEST: usize = 65_536;

/// The UDP socket of either driver.
pub(crate) trait Socket: Handle {
    fn reference(&self) -> SockRef<'_>;

    /// Reads without waiting.
    #[cfg_attr(
        not(any(target_os = "linux", target_os = "android")),
        expect(dead_code, reason = "only batches are not read by the socket itself")
    )]
    fn read<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T>;

    /// Sends one datagram without waiting, whatever the runtime knows of the room that there is.
    fn send_one(&self, bytes: &[u8], remote: SocketAddr) -> io::Result<usize> {
        self.reference().send_to(bytes, &remote.into())
    }
}

impl Socket for mio::net::UdpSocket {
    fn reference(&self) -> SockRef<'_> {
        self.into()
    }

    fn read<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.try_io(read)
    }
}

#[cfg(feature = "tokio")]
impl Socket for std::sync::Arc<tokio::net::UdpSocket> {
    fn reference(&self) -> SockRef<'_> {
        (&**self).into()
    }

    fn read<T>(&self, read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        // Whether there is an error is seen by reading: one that a send has met is none any more.
        let _ = self.try_io(tokio::io::Interest::ERROR, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        self.try_io(tokio::io::Interest::READABLE, read)
    }
}

/// Datagrams that were read at once and are not given to the node yet.
pub(crate) struct Inbox {
    buffer: Box<[u8]>,
    arrived: VecDeque<Arrived>,
    listener: Option<ListenerId>,
}

/// A datagram: where in the buffer, how long, and from where.
struct Arrived {
    slot: usize,
    length: usize,
    remote: SocketAddr,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self { buffer: vec![0; LARGEST * BATCH].into(), arrived: VecDeque::with_capacity(BATCH), listener: None }
    }

    /// Reads what there is for a listener, [`BATCH`] at most; whether there may be more. Binding requests of STUN are answered at once. To
    /// be called when all that was read before is taken.
    pub(crate) fn receive(&mut self, listener: ListenerId, socket: &impl Socket) -> io::Result<bool> {
        self.arrived.clear();
        self.listener = Some(listener);
        let more = system::receive(socket, &mut self.buffer, &mut self.arrived)?;
        let buffer = &self.buffer;
        self.arrived.retain(|arrived| {
            // The node counts whatever else is no SIP message.
            let Some(answer) = stun::answer(arrived.of(buffer), arrived.remote) else { return true };
            let _ = socket.send_one(&answer, arrived.remote);
            false
        });
        Ok(more)
    }

    /// The next datagram for the node.
    pub(crate) fn next(&mut self) -> Option<(ListenerId, SocketAddr, &[u8])> {
        let arrived = self.arrived.pop_front()?;
        Some((self.listener?, arrived.remote, arrived.of(&self.buffer)))
    }
}

impl Arrived {
    fn of<'a>(&self, buffer: &'a [u8]) -> &'a [u8] {
        let begin = self.slot * LARGEST;
        buffer.get(begin..begin + self.length).unwrap_or_default()
    }
}

/// A datagram that did not arrive, as a router or the far end has reported it (RFC 3261 §18.4).
pub(crate) struct Undelivered {
    pub(crate) remote: SocketAddr,
    /// As much of it as was quoted.
    pub(crate) quoted: Vec<u8>,
}

/// The oldest report of that kind. Others are no failure of the datagram: that it lived too long, or was too large for a hop and will be cut
/// from now on.
pub(crate) fn undelivered(socket: &impl Socket) -> Option<Undelivered> {
    system::undelivered(socket)
}

/// The socket of a listener, and how far its multicast datagrams go at present.
pub(crate) struct Sending<S> {
    pub(crate) socket: S,
    ttl: Option<u8>,
}

impl<S> Sending<S> {
    pub(crate) const fn new(socket: S) -> Self {
        Self { socket, ttl: None }
    }
}

impl<S: Socket> Sending<S> {
    /// Sends the first of `transmits` and as many of the others as go with it, which all go as far.
    pub(crate) fn send(&mut self, transmits: &[Transmit]) -> io::Result<usize> {
        if let Some(first) = transmits.first()
            && let Some(ttl) = first.ttl
            && self.ttl != Some(ttl)
        {
            socket::set_ttl(self.socket.reference(), first.flow.remote, ttl)?;
            self.ttl = Some(ttl);
        }
        match transmits {
            [one] => self.socket.send_one(&one.bytes, one.flow.remote).map(|_| 1),
            several => system::send(&self.socket, several),
        }
    }
}

#[cfg(test)]
mod tests {
    use sansip::user_agent::{Profile, UserAgent};
    use sansip::{Config, Flow, Listener, Seed};

    use super::*;

    #[test]
    fn a_datagram_to_a_group_goes_as_far_as_it_may() {
        let socket = socket::udp("127.0.0.1:0".parse().unwrap()).unwrap();
        let profile = Profile::new("<sip:bob@127.0.0.1>".parse().unwrap());
        let mut node = UserAgent::user_agent(Config::new(Seed::from_u64(1)), profile);
        let listener = node.listen(Listener::udp(socket.local_addr().unwrap()));
        let flow = Flow::datagram(listener, "224.0.1.75:5060".parse().unwrap());
        let mut sending = Sending::new(mio::net::UdpSocket::from_std(socket));
        for (ttl, expected) in [(Some(3), 3), (None, 3), (Some(1), 1)] {
            // Whether there is a way is no matter.
            let _ = sending.send(&[Transmit { flow, ttl, bytes: b"OPTIONS".as_slice().into() }]);
            assert_eq!(SockRef::from(&sending.socket).multicast_ttl_v4().unwrap(), expected);
        }
    }
}
