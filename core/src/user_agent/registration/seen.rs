//! Our own address as the registrar's side sees it (RFC 3581 §4, RFC 3261 §18.2.1).

use super::book::Registration;
use crate::message::header::Via;
use crate::message::{HostPortBuf, Response, Scheme, UriBuf};
use crate::user_agent::agent::Cx;
use crate::user_agent::floor::Floor;

impl Registration {
    /// Notes where a 2xx says that its request came from; true if the binding has to name that place instead.
    pub(super) fn learn(&mut self, on: &Floor, cx: &Cx<'_>, response: &Response) -> bool {
        if !self.terms.as_seen
            || !self.names_ours()
            || on.accounts.get(self.terms.account).contact.is_some()
            || self.is_corrected
            || self.outbound_flow().is_some()
        {
            return false;
        }
        let Some((bound, seen)) = self.seen_in(on, cx, response) else { return false };
        if seen.as_uri().equivalent(bound.as_uri()) {
            return false;
        }
        self.add_stale(bound);
        self.seen = Some(seen);
        self.is_corrected = true;
        true
    }

    /// Whether our own contact is among those that are bound.
    pub(super) fn names_ours(&self) -> bool {
        self.terms.bindings.iter().any(|binding| binding.uri().is_none())
    }

    /// Our contact as it is bound now, and as it was seen. `None` if the response does not say where its request came from.
    fn seen_in(&self, on: &Floor, cx: &Cx<'_>, response: &Response) -> Option<(UriBuf, UriBuf)> {
        let via = response.headers().get::<Via<'_>>()?.ok()?;
        let (received, rport) = (via.received(), via.rport().flatten());
        if received.is_none() && rport.is_none() {
            return None;
        }
        let (_, listener) = cx.listeners().find(|(_, listener)| {
            listener.protocol == via.protocol && listener.sent_by.as_host_port() == via.sent_by
        })?;
        let place = HostPortBuf {
            host: received.map_or_else(|| listener.sent_by.host.clone(), Into::into),
            // The default port is as good as none (RFC 3261 §18.2.2).
            port: rport.or(listener.sent_by.port).filter(|port| *port != listener.protocol.default_port()),
        };
        let is_secure = self.terms.likeness().scheme() == Scheme::Sips;
        let user = on.accounts.get(self.terms.account).identity.uri().user();
        let uri =
            |listener: &crate::transport::Listener| UriBuf::parse(listener.uri(user, is_secure, "").as_bytes()).ok();
        let bound = match &self.seen {
            Some(seen) => seen.clone(),
            None => uri(listener)?,
        };
        Some((bound, uri(&listener.clone().with_sent_by(place))?))
    }
}
