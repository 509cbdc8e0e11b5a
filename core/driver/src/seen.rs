//! Octets that cross the sockets, for whoever wants to see it.

use std::fmt;
use std::net::SocketAddr;

use sansip::Instant;
use sansip::message::header::Protocol;

/// Whether octets came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From a peer.
    In,
    /// To a peer.
    Out,
}

/// Octets that came from a peer or went to one, as they are before TLS: what a trace or a capture is written from. The driver
/// has no format of its own.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When, by the driver's clock.
    pub now: Instant,
    /// In or out.
    pub direction: Direction,
    /// The protocol.
    pub protocol: Protocol,
    /// The address here.
    pub local: SocketAddr,
    /// The address there.
    pub remote: SocketAddr,
    /// A datagram or a message; of a byte stream so much as was read or sent at once.
    pub bytes: &'a [u8],
}

type Observe = dyn FnMut(&Seen<'_>) + Send;

/// Who is shown each [`Seen`]; nobody at first.
#[derive(Default)]
pub(crate) struct Observer(Option<Box<Observe>>);

impl Observer {
    pub(crate) fn set(&mut self, observe: impl FnMut(&Seen<'_>) + Send + 'static) {
        self.0 = Some(Box::new(observe));
    }

    pub(crate) fn show(&mut self, seen: &Seen<'_>) {
        if let Some(observe) = &mut self.0 {
            observe(seen);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer(set)" } else { "Observer" })
    }
}
