//! Datagrams on their way in (RFC 3261 §18.1.2, §18.2.1).

use alloc::format;
use core::net::SocketAddr;

use crate::id::{ListenerId, ServerTransactionId};
use crate::message::header::{Protocol, Via};
use crate::message::{HeaderId, HostPort, Message, Method, Parameters, Request, Response, StatusCode};
use crate::tag::Tag;
use crate::transaction::key::{self, KeptKey, RequestKey};
use crate::transport::{Flow, response_destination, stamp};

use super::{Endpoint, Indication};

/// A valid request that matches no transaction, waiting for the core's choice.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The request; its topmost Via says where it came from (RFC 3261 §18.2.1, RFC 3581 §4).
    pub request: Request,
    /// Where it came in, and where from.
    pub flow: Flow,
    /// Of a CANCEL: the transaction that it cancels, if there is one (RFC 3261 §9.2).
    pub cancels: Option<(ServerTransactionId, Tag)>,
    /// Of the request as it came in.
    pub(super) key: KeptKey,
    /// Where its responses go.
    pub(super) path: Flow,
}

/// What a CANCEL may cancel: anything but ACK and CANCEL (§9.2); it is an INVITE unless the peer is odd.
const CANCELLABLE: [Method<'_>; 12] = [
    Method::Invite,
    Method::Bye,
    Method::Register,
    Method::Options,
    Method::Prack,
    Method::Update,
    Method::Info,
    Method::Subscribe,
    Method::Notify,
    Method::Refer,
    Method::Message,
    Method::Publish,
];

impl Endpoint {
    pub(super) fn datagram(&mut self, listener: ListenerId, remote: SocketAddr, bytes: &[u8]) {
        self.stats.received += 1;
        if self.outputs.len() >= self.config.limits.outputs {
            self.stats.overrun += 1;
            return;
        }
        if self.listeners.get(listener).is_none() {
            self.stats.unlistened += 1;
            return;
        }
        match Message::parse(bytes, &self.config.limits.message) {
            Ok(Message::Request(request)) => self.request_in(Flow::datagram(listener, remote), request),
            Ok(Message::Response(response)) => self.response_in(response),
            Err(_) => self.stats.malformed += 1,
        }
    }

    fn request_in(&mut self, flow: Flow, request: Request) {
        let is_ack = request.method() == Method::Ack;
        let Some(destination) = answerable(&request, flow.remote) else {
            self.stats.unusable += 1;
            return;
        };
        let path = Flow { remote: destination, ..flow };
        if path.remote.port() == 0 {
            self.stats.unusable += 1;
            return;
        }
        if let Err(rejection) = request.validate() {
            if is_ack {
                self.stats.unusable += 1;
            } else {
                self.stats.rejected += 1;
                let stamped = stamp(&request, flow.remote).ok().flatten().unwrap_or(request);
                self.answer(&stamped, path, rejection.status, rejection.reason, None);
            }
            return;
        }
        let Some(keys) = RequestKey::of(&request) else {
            self.stats.unusable += 1;
            return;
        };
        let key = if is_ack { keys.acknowledged() } else { keys.method(request.method().as_str()) };
        match self.servers.find(&key) {
            Some(server) if is_ack => self.acknowledged(server, request, flow),
            Some(server) => self.repeated(server),
            None if is_ack => self.tell(Indication::Ack { request, flow, server: None }),
            None => self.arrived(&keys, self.servers.kept_key(&key), flow, path, &request),
        }
    }

    fn arrived(&mut self, keys: &RequestKey<'_>, key: KeptKey, flow: Flow, path: Flow, request: &Request) {
        let cancels = if request.method() == Method::Cancel { self.cancelled_by(keys) } else { None };
        let stamped = match stamp(request, flow.remote) {
            Ok(stamped) => stamped.unwrap_or_else(|| request.clone()),
            Err(_) => {
                self.stats.unusable += 1;
                return;
            }
        };
        // A CANCEL that finds its INVITE ends more than it begins.
        if cancels.is_none() && self.servers.len() >= self.config.limits.server_transactions {
            self.stats.refused += 1;
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let seconds = format!("{}", self.schedule.sixty_four_t1.as_secs().max(1));
            self.answer(&stamped, path, status, status.reason(), Some(&seconds));
            return;
        }
        self.tell(Indication::Request(Arrival { request: stamped, flow, cancels, key, path }));
    }

    /// The transaction that a CANCEL with these keys cancels (§9.2).
    fn cancelled_by(&self, keys: &RequestKey<'_>) -> Option<(ServerTransactionId, Tag)> {
        let server = CANCELLABLE.iter().find_map(|method| self.servers.find(&keys.method(method.as_str())))?;
        Some((server, self.servers.get(server)?.tag))
    }

    fn response_in(&mut self, response: Response) {
        let (Some(via), Some(cseq), Ok(())) = (response.top_via(), response.cseq(), response.validate()) else {
            self.stats.unusable += 1;
            return;
        };
        if !self.listeners.inserts(via.sent_by) {
            self.stats.foreign += 1;
            return;
        }
        let key = key::client(cseq.method.as_str(), via.branch().unwrap_or_default());
        match self.clients.find(&key) {
            Some(client) => self.responded(client, response),
            None => self.stats.stray += 1,
        }
    }
}

/// Where an answer to this request goes. A topmost Via of another version of SIP, or with malformed parameters, still says by
/// its sent-by where (its request is owed a 505 or a 400, RFC 4475 §3.1.2.1, §3.1.2.16); without a sent-by there is nobody
/// to answer.
fn answerable(request: &Request, remote: SocketAddr) -> Option<SocketAddr> {
    if let Some(via) = request.top_via() {
        return Some(response_destination(&via, remote));
    }
    let value = request.headers().raw(HeaderId::Via)?;
    let sender = value.split(|&octet| octet == b';' || octet == b',').next()?.trim_ascii();
    let gap = sender.iter().rposition(u8::is_ascii_whitespace)?;
    let (sent_protocol, sent_by) = sender.split_at_checked(gap)?;
    if sent_protocol.split(|&octet| octet == b'/').count() != 3 {
        return None;
    }
    let sent_by = HostPort::parse(sent_by.trim_ascii()).ok()?;
    Some(response_destination(&Via { protocol: Protocol::Udp, sent_by, parameters: Parameters::NONE }, remote))
}
