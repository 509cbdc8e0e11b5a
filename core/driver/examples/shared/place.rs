//! Addresses on the command line.

use std::fmt::{Display, Formatter};
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::str::FromStr;

use sansip::message::header::Protocol;
use sansip::message::{HostBuf, HostPortBuf};
use sansip::{Listener, NextHop};

/// How often a free port is looked for.
const TRIES: u16 = 100;

fn protocol(name: &str) -> Option<Protocol> {
    [Protocol::Udp, Protocol::Tcp, Protocol::Tls, Protocol::Ws, Protocol::Wss]
        .into_iter()
        .find(|protocol| protocol.as_str().eq_ignore_ascii_case(name))
}

/// Where to bind: `udp|tcp|tls|ws|wss:ADDR:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) protocol: Protocol,
    pub(crate) address: SocketAddr,
}

impl Place {
    pub(crate) const VALUE: &'static str = "udp|tcp|tls|ws|wss:ADDR:PORT";

    /// This place with a port that is free for UDP and TCP, if it has none.
    pub(crate) fn free_for_both(mut self) -> io::Result<Self> {
        let mut tries = 0;
        while self.address.port() == 0 {
            let tcp = TcpListener::bind(self.address)?.local_addr()?;
            match UdpSocket::bind(tcp) {
                Ok(_) => self.address = tcp,
                Err(error) if tries == TRIES => return Err(error),
                Err(_) => tries += 1,
            }
        }
        Ok(self)
    }

    /// The listener there, by that name if there is one.
    pub(crate) fn listener(self, sent_by: Option<&HostPortBuf>) -> Listener {
        let listener = match self.protocol {
            Protocol::Tcp => Listener::tcp(self.address),
            Protocol::Tls => Listener::tls(self.address),
            Protocol::Ws => Listener::ws(self.address),
            Protocol::Wss => Listener::wss(self.address),
            _ => Listener::udp(self.address),
        };
        match sent_by {
            Some(sent_by) => listener.with_sent_by(sent_by.clone()),
            None => listener,
        }
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = "udp, tcp, tls, ws or wss:ADDR:PORT wanted";
        let (name, address) = text.split_once(':').ok_or(wanted)?;
        Ok(Self { protocol: protocol(name).ok_or(wanted)?, address: address.parse().map_err(|_| wanted)? })
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.protocol.as_str().to_ascii_lowercase(), self.address)
    }
}

/// Where requests go: `udp|tcp|tls|ws|wss:HOST[:PORT]`. Over TLS the far end must prove to be HOST.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    protocol: Protocol,
    to: HostPortBuf,
}

impl Hop {
    pub(crate) const VALUE: &'static str = "udp|tcp|tls|ws|wss:HOST[:PORT]";

    /// This hop for a user of `domain`: where it is an address, it has to prove that domain, for it can hardly prove an address.
    pub(crate) fn of_domain(self, domain: Option<HostBuf>) -> NextHop {
        let is_secure = matches!(self.protocol, Protocol::Tls | Protocol::Wss);
        let hop = NextHop::from(self);
        match domain {
            Some(domain) if is_secure && hop.host.as_host().ip().is_some() => {
                NextHop { maddr: Some(hop.host), host: domain, ..hop }
            }
            _ => hop,
        }
    }
}

impl FromStr for Hop {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = "udp, tcp, tls, ws or wss:HOST[:PORT] wanted";
        let (name, to) = text.split_once(':').ok_or(wanted)?;
        Ok(Self { protocol: protocol(name).ok_or(wanted)?, to: to.parse().map_err(|_| wanted)? })
    }
}

impl From<Hop> for NextHop {
    fn from(hop: Hop) -> Self {
        Self { protocol: Some(hop.protocol), ..Self::from(hop.to.as_host_port()) }
    }
}
