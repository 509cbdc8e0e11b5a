//! The address that refreshes go to: the one that the registration before went to (RFC 3261 §10.2.4).

use core::net::SocketAddr;

use super::book::Registration;
use crate::flow::Flow;
use crate::message::header::Protocol;
use crate::message::{HostBuf, StatusCode};
use crate::transport::NextHop;
use crate::user_agent::agent::Cx;
use crate::user_agent::event::Cause;

/// The place at which the next hop of a registration, a name, was found when a REGISTER was last accepted.
#[derive(Clone, Debug)]
pub(super) struct Home {
    /// The next hop, as it is known without a question to the resolver.
    of: NextHop,
    remote: SocketAddr,
    protocol: Protocol,
    /// The request that is out goes there.
    is_asked: bool,
}

impl Home {
    /// The place where `next_hop` was found, by the protocol of this flow. `None` if the next hop says itself where it is.
    pub(super) fn of(next_hop: NextHop, cx: &Cx<'_>, flow: Flow, remote: SocketAddr) -> Option<Self> {
        let is_name = next_hop.flow.is_none() && next_hop.target().as_host().ip().is_none();
        let protocol = cx.listener(flow.listener)?.protocol;
        is_name.then_some(Self { of: next_hop, remote, protocol, is_asked: false })
    }

    /// This place as a next hop; `None` if no listener goes there any more, or if it is not where `next_hop` was found.
    pub(super) fn found_for(&self, next_hop: &NextHop, cx: &Cx<'_>) -> Option<NextHop> {
        let place = NextHop {
            maddr: Some(HostBuf::from(self.remote.ip())),
            port: Some(self.remote.port()),
            protocol: Some(self.protocol),
            ..self.of.clone()
        };
        let can_reach = cx.listener_towards(&place).is_some_and(|listener| {
            listener.protocol == self.protocol && listener.local.is_ipv4() == self.remote.is_ipv4()
        });
        (self.of == *next_hop && can_reach).then_some(place)
    }
}

impl Registration {
    /// Notes whether the request that has gone out goes to the place of before.
    pub(super) fn note_home(&mut self, is_asked: bool) {
        if let Some(home) = &mut self.home {
            home.is_asked = is_asked;
        }
    }

    /// Leaves the place of before, if the request went there and it does not serve any more: true if the resolver is to be asked anew.
    pub(super) fn leave_home(&mut self, cause: &Cause) -> bool {
        let is_dead = !matches!(cause, Cause::Refused(_)) || cause.counts_as() == StatusCode::SERVICE_UNAVAILABLE;
        is_dead && self.home.take_if(|home| home.is_asked).is_some()
    }
}
