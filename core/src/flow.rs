//! Where bytes go to and come from: listeners, connections, flows.
//!
//! ```
//! use sansip::user_agent::{Profile, UserAgent};
//! use sansip::{Config, Flow, Listener, Seed};
//!
//! let mut bob = UserAgent::user_agent(Config::new(Seed::from_u64(1)), Profile::new("<sip:bob@biloxi.com>".parse()?));
//! let listener = bob.listen(Listener::udp("192.0.2.4:5060".parse()?));
//! let flow = Flow::datagram(listener, "192.0.2.1:5060".parse()?);
//! assert_eq!(flow.connection, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::net::SocketAddr;

use crate::id::handles;

handles! {
    /// A local address that datagrams or connections arrive at, named by the core when it is added.
    ListenerId = Id<ListenerKind>, "listener";
    /// A stream connection, named by the core before it is opened or accepted.
    ConnectionId = Id<ConnectionKind>, "connection";
}

/// An association between two ends over which messages go both ways (RFC 5626 §2): a pair of addresses of a datagram
/// protocol, or a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The local end.
    pub listener: ListenerId,
    /// The far end.
    pub remote: SocketAddr,
    /// The connection, of a protocol that has any.
    pub connection: Option<ConnectionId>,
}

impl Flow {
    /// Datagrams between a listener and an address.
    pub const fn datagram(listener: ListenerId, remote: SocketAddr) -> Self {
        Self { listener, remote, connection: None }
    }
}
