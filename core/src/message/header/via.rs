//! Via (RFC 3261 §20.42, RFC 3581).

use super::Header;
use crate::message::error::ParseError;
use crate::message::host::{Host, HostPort};
use crate::message::name::HeaderId;
use crate::message::parameters::Parameters;
use alloc::vec::Vec;
use core::net::IpAddr;

/// The transport of a Via's `sent-protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Protocol {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// SCTP (RFC 4168).
    Sctp,
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket over TLS (RFC 7118).
    Wss,
    /// Any other token.
    Other,
}

impl Protocol {
    /// The protocol of this token, without case; [`Other`](Self::Other) if it is not known.
    pub fn from_token(_token: &[u8]) -> Self {
        todo!()
    }
    /// The token, such as `UDP`.
    pub const fn as_str(self) -> &'static str {
        "UDP"
    }
    /// Whether it delivers or says that it did not: everything but UDP.
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }
    /// 5061 for TLS and WSS, else 5060 (RFC 3261 §18.2.2).
    pub const fn default_port(self) -> u16 {
        5060
    }
}

/// One value of Via.
#[derive(Clone, Copy, Debug)]
pub struct Via<'a> {
    /// The transport.
    pub protocol: Protocol,
    /// Host and port that the sender gave.
    pub sent_by: HostPort<'a>,
    /// The parameters.
    pub parameters: Parameters<'a>,
}

impl<'a> Via<'a> {
    /// The `branch`.
    pub fn branch(self) -> Option<&'a str> {
        todo!()
    }
    /// The `received` address.
    pub fn received(self) -> Option<IpAddr> {
        todo!()
    }
    /// The `rport`: `Some(None)` if it stands there without a value.
    pub fn rport(self) -> Option<Option<u16>> {
        todo!()
    }
    /// The `maddr`.
    pub fn maddr(self) -> Option<Host<'a>> {
        todo!()
    }
    /// The `ttl`.
    pub fn ttl(self) -> Option<u8> {
        todo!()
    }
}

impl<'a> Header<'a> for Via<'a> {
    const ID: HeaderId = HeaderId::Via;
    const LIST: bool = true;
    fn parse(_value: &'a [u8]) -> Result<Self, ParseError> {
        todo!()
    }
    fn write(&self, _out: &mut Vec<u8>) {
        todo!()
    }
}
