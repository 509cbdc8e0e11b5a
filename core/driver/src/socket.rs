//! Sockets as SIP wants them, before any driver has them.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};

use sansip::transport::Limits;
use sansip::{Listener, message::header::Protocol};
use socket2::{Domain, SockRef, Socket, Type};

/// Octets of a buffer for datagrams, each way. At 6,000 calls a second the usual 208 kB of Linux lose one in a hundred.
const DATAGRAM_BUFFER: usize = 4 << 20;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1_024;

/// Descriptors that are not for connections: sockets of listeners, files, pipes, resolver.
const OTHER_DESCRIPTORS: u64 = 64;

/// Binds a UDP socket; the members of a group may share its port.
pub(crate) fn udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = new(address, Type::DGRAM)?;
    if address.ip().is_multicast() {
        socket.set_reuse_address(true)?;
    }
    socket.bind(&address.into())?;
    let socket = UdpSocket::from(socket);
    crate::datagrams::report_errors(&socket, address)?;
    match address.ip() {
        IpAddr::V4(group) if group.is_multicast() => {
            socket.join_multicast_v4(&group, &std::net::Ipv4Addr::UNSPECIFIED)?;
        }
        IpAddr::V6(group) if group.is_multicast() => socket.join_multicast_v6(&group, 0)?,
        _ => {}
    }
    Ok(socket)
}

/// Asks for buffers that a busy server needs.
///
/// # Errors
/// The system grants fewer, and says how many it does.
pub(crate) fn enlarge(socket: &UdpSocket) -> io::Result<()> {
    let socket = SockRef::from(socket);
    socket.set_recv_buffer_size(DATAGRAM_BUFFER)?;
    socket.set_send_buffer_size(DATAGRAM_BUFFER)?;
    let granted = socket.recv_buffer_size()?.min(socket.send_buffer_size()?);
    if granted < DATAGRAM_BUFFER {
        let hint = "net.core.rmem_max and net.core.wmem_max";
        return Err(io::Error::other(format!("{granted} octets of {DATAGRAM_BUFFER} (see {hint})")));
    }
    Ok(())
}

/// Binds a TCP socket. A port whose last connections are not quite over can be bound again.
pub(crate) fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = new(address, Type::STREAM)?;
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Begins to open a TCP connection from the address of `local`, whose port is another's.
pub(crate) fn connect(local: SocketAddr, remote: SocketAddr) -> io::Result<TcpStream> {
    let socket = new(remote, Type::STREAM)?;
    if !local.ip().is_unspecified() {
        socket.bind(&SocketAddr::new(local.ip(), 0).into())?;
    }
    match socket.connect(&remote.into()) {
        Err(error) if !is_in_progress(&error) => Err(error),
        _ => Ok(socket.into()),
    }
}

/// Whether a connection that is being opened is open.
///
/// # Errors
/// It could not be opened.
pub(crate) fn opened(stream: &mio::net::TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        other => other.map(|_| true),
    }
}

/// The result of accepting a connection.
pub(crate) enum Accepted<T> {
    One(T, SocketAddr),
    /// The peer was gone before.
    Gone,
    /// There is none.
    None,
    /// The system has refused it: a descriptor has to become free.
    Refused(io::Error),
}

pub(crate) fn accepted<T>(accepted: io::Result<(T, SocketAddr)>) -> Accepted<T> {
    match accepted {
        Ok((stream, remote)) => Accepted::One(stream, remote),
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock => Accepted::None,
            io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted => {
                Accepted::Gone
            }
            _ => Accepted::Refused(error),
        },
    }
}

/// Whether a datagram that the system has not sent is lost by that, as it might be further on: there is no room or memory for it at present.
/// Every other error is about the datagram or its destination.
pub(crate) fn is_lost(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(nix::errno::Errno::ENOBUFS as i32) {
        return true;
    }
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted | io::ErrorKind::OutOfMemory)
}

/// Whether a connection is over because the far end has ended or reset it, which is no trouble.
pub(crate) fn is_ended(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

fn is_in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(nix::errno::Errno::EINPROGRESS as i32) {
        return true;
    }
    error.kind() == io::ErrorKind::WouldBlock
}

fn new(address: SocketAddr, kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    Ok(socket)
}

/// How far a multicast datagram may go.
pub(crate) fn set_ttl(socket: SockRef<'_>, group: SocketAddr, ttl: u8) -> io::Result<()> {
    match group {
        SocketAddr::V4(_) => socket.set_multicast_ttl_v4(ttl.into()),
        SocketAddr::V6(_) => socket.set_multicast_hops_v6(ttl.into()),
    }
}

/// The listener with the port that was bound where it had none, also in its sent-by.
///
/// # Errors
/// It would tell peers to answer to an address that is none.
pub(crate) fn named(mut listener: Listener, bound: SocketAddr) -> io::Result<Listener> {
    if listener.sent_by.as_host_port().host.ip().is_some_and(|ip| ip.is_unspecified()) {
        let problem = format!("a listener at {bound} needs a sent-by that leads to it");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    if listener.sent_by.port == Some(0) {
        listener.sent_by.port = Some(bound.port());
    }
    listener.local = bound;
    Ok(listener)
}

/// A protocol that this driver does not have.
pub(crate) fn unsupported(protocol: Protocol) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("this driver has no {}", protocol.as_str()))
}

/// Lowers the limits on connections to what the process has descriptors for (`ulimit -n`), so that the node closes a connection
/// more properly and the system never has to refuse a socket.
///
/// ```
/// let mut config = sansip::Config::new(sansip_driver::seed()?);
/// sansip_driver::fit_descriptors(&mut config.limits.transport);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn fit_descriptors(limits: &mut Limits) {
    #[cfg(unix)]
    if let Ok((soft, _)) = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE) {
        let left = usize::try_from(soft.saturating_sub(OTHER_DESCRIPTORS)).unwrap_or(usize::MAX);
        // As many may be lingering after their close as are alive.
        let most = left.saturating_sub(crate::limits::LINGERING).max(left / 2).max(1);
        for limit in [&mut limits.connections, &mut limits.connections_per_address, &mut limits.half_open_connections] {
            *limit = most.min(*limit);
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn a_datagram_without_room_or_memory_is_lost_and_one_without_a_way_is_not() {
        let is_lost = |errno: Errno| is_lost(&io::Error::from_raw_os_error(errno as i32));
        for errno in [Errno::EAGAIN, Errno::EINTR, Errno::ENOBUFS, Errno::ENOMEM] {
            assert!(is_lost(errno), "{errno}");
        }
        for errno in [Errno::EHOSTUNREACH, Errno::ENETUNREACH, Errno::ECONNREFUSED, Errno::EMSGSIZE, Errno::EPERM] {
            assert!(!is_lost(errno), "{errno}");
        }
    }
}
