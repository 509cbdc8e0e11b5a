//! Messages on their way in (RFC 3261 §18.1.2, §18.2.1).

use core::net::SocketAddr;

use crate::error::Limit;
use crate::flow::Flow;
use crate::flow::ListenerId;
use crate::message::header::{Protocol, Via};
use crate::message::{
    Essentials, HeaderId, Headers, HostPort, MessageView, Method, Parameters, ParseError, Phrase, Rejection, Request,
    StatusCode, TagParam,
};
use crate::tag::Tag;
use crate::time::Instant;
use crate::trace::{self, Way};
use crate::transaction::ServerTransactionId;
use crate::transaction::key::{KeptKey, RequestKey};
use crate::transport::{stamp, stamped};

use super::{DropCause, Endpoint, Indication};

/// A valid request that matches no transaction, waiting for the core's choice.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The request; its topmost Via says where it came from (RFC 3261 §18.2.1, RFC 3581 §4).
    pub request: Request,
    /// Where it came in, and where from.
    pub flow: Flow,
    /// The transaction that a CANCEL cancels, if there is one (RFC 3261 §9.2).
    pub cancels: Option<(ServerTransactionId, Tag)>,
    /// When it was held back, if it was.
    pub(super) since: Option<Instant>,
    /// The key of the request as it came in.
    pub(super) key: KeptKey,
    /// Where its responses go.
    pub(super) path: Flow,
    pub(super) is_beyond_limit: bool,
    /// The bound on what is said to its sender, if there is one.
    pub(super) room: Option<Room>,
}

/// A bound on what is said to a sender who may be somebody else than the source of a datagram says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// By how many octets the answers may exceed the request.
    pub(super) octets: usize,
    /// Whether that holds for all copies that its transaction sends.
    pub(super) counts_copies: bool,
}

impl Arrival {
    /// Bounds what is said to the sender, if that is a datagram's: answers of our own exceed the request by so many octets at the most. With `counts_copies`
    /// no response is sent again beyond that.
    pub(crate) fn bound(&mut self, octets: usize, counts_copies: bool) {
        if self.flow.connection.is_none() {
            self.room = Some(Room { octets, counts_copies });
        }
    }

    /// Ends the bound, as the sender is known.
    pub(crate) const fn unbound(&mut self) {
        self.room = None;
    }

    /// How many octets of Contact an answer may have.
    pub(crate) fn room_for_contacts(&self) -> Option<usize> {
        self.room.map(|room| room.octets.saturating_sub(Endpoint::ANSWER_GROWTH))
    }

    /// Whether an answer is said once for each copy of the request, statelessly: a rejection that is sent again until its ACK comes would flood whoever the
    /// sender of an INVITE pretends to be.
    pub(crate) fn is_answered_once(&self) -> bool {
        self.room.is_some_and(|room| room.counts_copies) && self.request.method() == Method::Invite
    }

    /// Whether it has found no room among the server transactions but what is kept for requests in dialogs
    /// ([`Limits::server_transactions`](crate::transaction::Limits::server_transactions)). It has a To tag then, which anybody can write.
    pub const fn is_beyond_limit(&self) -> bool {
        self.is_beyond_limit
    }

    /// When the request came, `now` if it was never [held back](Endpoint::hold_back).
    pub(crate) fn came(&self, now: Instant) -> Instant {
        self.since.unwrap_or(now)
    }
}

/// The methods that a CANCEL may cancel: all but ACK and CANCEL (§9.2); the request is an INVITE unless the peer is odd.
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
        self.message_in(Flow::datagram(listener, remote), bytes);
    }

    /// A message came along `flow`: it is dropped if too many outputs are queued.
    pub(super) fn message_in(&mut self, flow: Flow, bytes: &[u8]) {
        trace::message(Way::In, flow, bytes);
        self.wire.stats.received += 1;
        if self.wire.is_overrun() {
            self.overloaded(Limit::OUTPUTS);
            return self.dropped(DropCause::Overrun, flow, bytes);
        }
        if self.wire.listeners.get(flow.listener).is_none() {
            return self.dropped(DropCause::Unlistened, flow, bytes);
        }
        let mut view = MessageView::blank();
        if let Err(error) = view.read(bytes, &self.config.limits.message) {
            return self.unreadable(flow, bytes, error);
        }
        view.set_user_part(self.config.user_part);
        if let Some(connection) = flow.connection
            && self.wire.used(connection, &view)
        {
            self.opened(connection);
        }
        match view.method() {
            Some(method) => self.request_in(flow, &view, method),
            None => self.response_in(flow, &view),
        }
    }

    /// Answers a request that cannot be read or is above a limit, if so much of it can be read as an answer copies.
    fn unreadable(&mut self, flow: Flow, bytes: &[u8], error: ParseError) {
        let Some(request) = Request::salvage(bytes, &self.config.limits.message) else {
            return self.dropped(DropCause::Malformed(error), flow, bytes);
        };
        let Some(path) = self.answerable(request.headers(), flow) else {
            return self.dropped(DropCause::Unanswerable, flow, bytes);
        };
        self.wire.stats.rejected += 1;
        self.answer(&stamp(request, flow.remote), path, error.status(), error.reason(), None);
    }

    /// Copies the request only where it is kept: neither a retransmission nor what is rejected needs it.
    fn request_in(&mut self, flow: Flow, view: &MessageView<'_>, method: Method<'_>) {
        let is_ack = method == Method::Ack;
        let Essentials { via, .. } = match view.essentials() {
            Ok(essentials) => essentials,
            Err(rejection) => return self.unprocessable(flow, view, rejection),
        };
        let path = self.wire.path_back(&via, flow);
        let keys = RequestKey::with_via(&via, view.headers(), view.uri_bytes());
        let (Some(path), Some(keys)) = (path, keys) else {
            return self.dropped(DropCause::Unanswerable, flow, view.as_bytes());
        };
        let key = if is_ack { keys.acknowledged() } else { keys.method(method.as_str()) };
        let fingerprint = self.servers.fingerprint(&key);
        let server = self.servers.find(fingerprint);
        if is_ack && server.is_some_and(|server| !self.servers.is_acknowledged_by(server, view.headers())) {
            return self.dropped(DropCause::Mismatched, flow, view.as_bytes());
        }
        if let Some(server) = server.filter(|_| !is_ack) {
            let told = self.servers.repeated(&mut self.wire, server, view.as_bytes().len());
            return self.server_told(server, told);
        }
        let Some(request) = stamped(view, &via, flow.remote) else {
            // The parameters that we note in its Via lift the request above what can be held.
            let status = StatusCode::MESSAGE_TOO_LARGE;
            let rejection = Rejection { status, reason: Phrase::of(status), offset: None };
            return self.unprocessable(flow, view, rejection);
        };
        match server {
            Some(server) => self.acknowledged(server, request, flow),
            None if is_ack && self.acknowledges_refusal(view.headers()) => self.wire.stats.absorbed += 1,
            None if is_ack => self.indications.tell(Indication::Ack { request, flow, server: None }),
            None => self.arrived(&keys, KeptKey::of(&key, fingerprint), flow, path, request),
        }
    }

    /// Answers a request that can be read and not processed; an ACK is never answered.
    fn unprocessable(&mut self, flow: Flow, view: &MessageView<'_>, rejection: Rejection) {
        let Some(request) = view.to_request().filter(|request| request.method() != Method::Ack) else {
            return self.dropped(DropCause::Incomplete(rejection), flow, view.as_bytes());
        };
        let Some(path) = self.answerable(view.headers(), flow) else {
            return self.dropped(DropCause::Unanswerable, flow, view.as_bytes());
        };
        self.wire.stats.rejected += 1;
        self.answer(&stamp(request, flow.remote), path, rejection.status, rejection.reason, None);
    }

    /// Where an answer to this request goes: along the connection it came by if there is one (§18.2.2), and never from a group's
    /// address. A topmost Via of another version of SIP, or with malformed parameters, still says by its sent-by where (its
    /// request is owed a 505 or a 400, RFC 4475 §3.1.2.1, §3.1.2.16); without a sent-by there is nobody to answer, and nobody
    /// has port 0.
    pub(super) fn answerable(&self, headers: Headers<'_>, flow: Flow) -> Option<Flow> {
        match headers.top_via() {
            Some(via) => self.wire.path_back(&via, flow),
            None => self.wire.path_back(&unusual_via(headers.raw(HeaderId::Via)?)?, flow),
        }
    }

    fn arrived(&mut self, keys: &RequestKey<'_>, key: KeptKey, flow: Flow, path: Flow, request: Request) {
        let is_cancel = request.method() == Method::Cancel;
        let cancels = if is_cancel { self.cancelled_by(keys) } else { None };
        let may_cancel = |server| {
            let sender = self.servers.first_path(server);
            self.servers.is_cancelled_by(server, request.headers())
                && sender.is_some_and(|sender| self.wire.may_cancel(sender, flow))
        };
        if cancels.is_some_and(|(server, _)| !may_cancel(server)) {
            self.wire.stats.rejected += 1;
            let status = StatusCode::CALL_DOES_NOT_EXIST;
            return self.answer(&request, path, status, Phrase::of(status), None);
        }
        // A CANCEL that finds its INVITE ends more than it begins.
        if cancels.is_none() {
            if is_cancel && self.cancels_refused(keys) {
                // It has no effect on a request that has its final response (§9.2).
                return self.answer(&request, path, StatusCode::OK, Phrase::of(StatusCode::OK), None);
            }
            if self.refuses(&request, key.fingerprint, path) {
                return;
            }
        }
        let is_beyond_limit = self.servers.is_full();
        let arrival = Arrival { request, flow, cancels, since: None, key, path, is_beyond_limit, room: None };
        self.indications.tell(Indication::Request(arrival));
    }

    /// Whether an ACK is for a stateless refusal: then its To tag is the one that we, or another server of the farm, computed for it (§8.2.7).
    fn acknowledges_refusal(&self, headers: Headers<'_>) -> bool {
        let tag = headers.text_of_to().and_then(|to| to.tag()).map(TagParam::as_bytes);
        tag.is_some_and(|tag| self.token_key.has_tagged(tag, headers)) && headers.to().is_some()
    }

    /// Whether a CANCEL with these keys is for a request that was refused statelessly.
    fn cancels_refused(&self, keys: &RequestKey<'_>) -> bool {
        CANCELLABLE
            .iter()
            .any(|method| self.refused_branches.contains(self.servers.fingerprint(&keys.method(method.as_str()))))
    }

    /// The transaction that a CANCEL with these keys cancels (§9.2).
    fn cancelled_by(&self, keys: &RequestKey<'_>) -> Option<(ServerTransactionId, Tag)> {
        let find = |method: &Method<'_>| self.servers.find(self.servers.fingerprint(&keys.method(method.as_str())));
        let server = CANCELLABLE.iter().find_map(find)?;
        Some((server, self.servers.tag(server)?))
    }

    /// The ACK of an INVITE transaction came.
    fn acknowledged(&mut self, server: ServerTransactionId, request: Request, flow: Flow) {
        let tag = self.servers.tag(server).unwrap_or_default();
        let (for_user, told) = self.servers.acknowledged(&mut self.wire, server);
        if for_user {
            self.indications.tell(Indication::Ack { request, flow, server: Some((server, tag)) });
        }
        self.server_told(server, told);
    }

    fn response_in(&mut self, flow: Flow, view: &MessageView<'_>) {
        let Essentials { via, cseq, .. } = match view.essentials() {
            Ok(essentials) => essentials,
            Err(rejection) => return self.dropped(DropCause::Incomplete(rejection), flow, view.as_bytes()),
        };
        if !self.wire.listeners.inserts(via.sent_by) {
            return self.dropped(DropCause::Foreign, flow, view.as_bytes());
        }
        let client = self.clients.find(cseq.method.as_str(), via.branch_octets().unwrap_or_default());
        match (client, view.to_response()) {
            (Some(client), Some(response)) => {
                let (deliveries, mut below) = self.deliveries();
                deliveries.responded(&mut below, client, response, flow);
            }
            (None, Some(response)) if self.shows_strays => self.indications.tell(Indication::Stray { response, flow }),
            _ => self.dropped(DropCause::Stray, flow, view.as_bytes()),
        }
    }
}

/// The sent-by of a topmost Via that cannot be read, if the sent-by can.
fn unusual_via(value: &[u8]) -> Option<Via<'_>> {
    let sender = value.split(|&octet| octet == b';' || octet == b',').next()?.trim_ascii();
    let gap = sender.iter().rposition(u8::is_ascii_whitespace)?;
    let (sent_protocol, sent_by) = sender.split_at_checked(gap)?;
    if sent_protocol.split(|&octet| octet == b'/').count() != 3 {
        return None;
    }
    let sent_by = HostPort::parse(sent_by.trim_ascii()).ok()?;
    Some(Via::new(Protocol::Udp, sent_by, Parameters::NONE))
}
