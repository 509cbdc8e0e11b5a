//! Hosts and ports (RFC 3261 §25.1 `host`, `hostport`; RFC 5954).

use super::error::ParseError;
use alloc::boxed::Box;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::str::FromStr;

/// A host: a name (compared without case and without a final dot) or an address (compared by value, RFC 5954).
#[derive(Clone, Copy, Debug)]
pub enum Host<'a> {
    /// A host name, as written.
    Name(&'a str),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; in text between brackets.
    V6(Ipv6Addr),
}

impl<'a> Host<'a> {
    /// Reads a host name, an IPv4 address or an IPv6 address in brackets.
    pub fn parse(_text: &'a [u8]) -> Option<Self> {
        todo!()
    }
    /// The address, if this is one.
    pub fn ip(self) -> Option<IpAddr> {
        todo!()
    }
    /// An owned copy, in canonical form.
    pub fn to_buf(self) -> HostBuf {
        todo!()
    }
}

impl PartialEq for Host<'_> {
    fn eq(&self, _other: &Self) -> bool {
        todo!()
    }
}
impl Eq for Host<'_> {}

impl From<IpAddr> for Host<'_> {
    fn from(_ip: IpAddr) -> Self {
        todo!()
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// An owned [`Host`] in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostBuf {
    /// A host name: lower case, no final dot.
    Name(Box<str>),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

impl HostBuf {
    /// The host, borrowed.
    pub fn as_host(&self) -> Host<'_> {
        todo!()
    }
}

impl From<IpAddr> for HostBuf {
    fn from(_ip: IpAddr) -> Self {
        todo!()
    }
}

impl FromStr for HostBuf {
    type Err = ParseError;
    fn from_str(_text: &str) -> Result<Self, ParseError> {
        todo!()
    }
}

impl fmt::Display for HostBuf {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// A host and perhaps a port: `sent-by` of a Via, `hostport` of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort<'a> {
    /// The host.
    pub host: Host<'a>,
    /// The port, if one is written.
    pub port: Option<u16>,
}

impl<'a> HostPort<'a> {
    /// Reads `host` or `host:port`.
    pub fn parse(_text: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    /// An owned copy, in canonical form.
    pub fn to_buf(self) -> HostPortBuf {
        todo!()
    }
}

impl From<SocketAddr> for HostPort<'_> {
    fn from(_address: SocketAddr) -> Self {
        todo!()
    }
}

impl fmt::Display for HostPort<'_> {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// An owned [`HostPort`] in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPortBuf {
    /// The host.
    pub host: HostBuf,
    /// The port, if one is written.
    pub port: Option<u16>,
}

impl HostPortBuf {
    /// The host and port, borrowed.
    pub fn as_host_port(&self) -> HostPort<'_> {
        todo!()
    }
}

impl From<SocketAddr> for HostPortBuf {
    fn from(_address: SocketAddr) -> Self {
        todo!()
    }
}

impl FromStr for HostPortBuf {
    type Err = ParseError;
    fn from_str(_text: &str) -> Result<Self, ParseError> {
        todo!()
    }
}

impl fmt::Display for HostPortBuf {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
