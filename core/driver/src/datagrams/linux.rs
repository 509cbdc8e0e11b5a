//! Linux: recvmmsg and sendmmsg, and the error queue of a socket (ip(7), `IP_RECVERR`).

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::libc::{EMSGSIZE, SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, sock_extended_err, sockaddr_in, sockaddr_in6};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, recvmsg, sendmmsg};
use nix::sys::socket::{setsockopt, sockopt};
use sansip::Transmit;

use super::{Arrived, LARGEST, Socket, Undelivered};

pub(crate) trait Handle: AsRawFd {}
impl<T: AsRawFd> Handle for T {}

/// Octets of a datagram that a report may quote: a router has room for no more than 548 of IPv4 (RFC 1812 §4.3.2.3), 1,232 of IPv6
/// (RFC 4443 §2.4). The start line is what counts.
const QUOTED: usize = 1_280;

/// ICMP: destination unreachable, but "fragmentation needed", and a parameter problem (RFC 792); the same of IPv6 (RFC 4443).
const UNREACHABLE: u8 = 3;
const TOO_LARGE: u8 = 4;
const PARAMETER_PROBLEM: u8 = 12;
const UNREACHABLE_6: u8 = 1;
const PARAMETER_PROBLEM_6: u8 = 4;

/// Asks that the socket keeps what the network reports of datagrams.
pub(crate) fn report_errors(socket: &UdpSocket, address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
        SocketAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(())
}

pub(super) fn receive(socket: &impl Socket, buffer: &mut [u8], arrived: &mut VecDeque<Arrived>) -> io::Result<bool> {
    let mut slices: Vec<_> = buffer.chunks_exact_mut(LARGEST).map(|slot| [IoSliceMut::new(slot)]).collect();
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(slices.len(), None);
    let (most, handle) = (slices.len(), socket.as_raw_fd());
    let mut read = 0;
    for message in socket.read(|| Ok(recvmmsg(handle, &mut headers, slices.iter_mut(), MsgFlags::empty(), None)?))? {
        if let Some(remote) = message.address.as_ref().and_then(address) {
            arrived.push_back(Arrived { slot: read, length: message.bytes, remote });
        }
        read += 1;
    }
    Ok(read == most)
}

pub(super) fn send(socket: &impl Handle, transmits: &[Transmit]) -> io::Result<usize> {
    let slices: Vec<_> = transmits.iter().map(|transmit| [IoSlice::new(&transmit.bytes)]).collect();
    let to: Vec<_> = transmits.iter().map(|transmit| Some(SockaddrStorage::from(transmit.flow.remote))).collect();
    let mut headers = MultiHeaders::preallocate(slices.len(), None);
    Ok(sendmmsg(socket.as_raw_fd(), &mut headers, &slices, to, [], MsgFlags::empty())?.count())
}

pub(super) fn undelivered(socket: &impl Handle) -> Option<Undelivered> {
    loop {
        let mut octets = [0; QUOTED];
        let mut control = nix::cmsg_space!(sock_extended_err, sockaddr_in, sock_extended_err, sockaddr_in6);
        let (mut slices, flags) = ([IoSliceMut::new(&mut octets)], MsgFlags::MSG_ERRQUEUE);
        let read = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags).ok()?;
        let is_failure = read.cmsgs().is_ok_and(|mut messages| messages.any(|message| is_failure(&message)));
        let (remote, length) = (read.address.as_ref().and_then(address), read.bytes);
        if let Some(remote) = remote.filter(|_| is_failure) {
            return Some(Undelivered { remote, quoted: octets.get(..length).unwrap_or_default().to_vec() });
        }
    }
}

/// Whether the datagram did not arrive and will not (RFC 3261 §18.4). What the system itself has refused was told by `send`.
fn is_failure(message: &ControlMessageOwned) -> bool {
    match message {
        ControlMessageOwned::Ipv4RecvErr(error, _) if error.ee_origin == SO_EE_ORIGIN_ICMP => {
            matches!(error.ee_type, UNREACHABLE | PARAMETER_PROBLEM)
                && (error.ee_type, error.ee_code) != (UNREACHABLE, TOO_LARGE)
        }
        ControlMessageOwned::Ipv6RecvErr(error, _) if error.ee_origin == SO_EE_ORIGIN_ICMP6 => {
            matches!(error.ee_type, UNREACHABLE_6 | PARAMETER_PROBLEM_6) && error.ee_errno != EMSGSIZE.unsigned_abs()
        }
        _ => false,
    }
}

fn address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = || address.as_sockaddr_in().map(|address| SocketAddr::from(*address));
    v4().or_else(|| address.as_sockaddr_in6().map(|address| SocketAddr::from(*address)))
}
