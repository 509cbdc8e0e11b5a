//! Messages on their way out: our Via, and the Content-Length that a stream needs (RFC 3261 §18.1.1, §18.3).

use crate::flow::{Flow, ListenerId};
use crate::message::{HeaderId, Request, Response};

use super::wire::{TimerKey, Wire, group_parameters};

impl<K: TimerKey> Wire<K> {
    /// The request with our Via on top (§18.1.1), asking for rport if so configured (RFC 3581 §3), and with a Content-Length
    /// where a stream needs one (§18.3).
    pub(crate) fn with_via(&self, request: &Request, flow: Flow, branch: &str, ttl: Option<u8>) -> Option<Request> {
        let rport = if self.rport && flow.connection.is_none() { ";rport" } else { "" };
        let group = group_parameters(flow.remote.ip(), ttl);
        let with_length;
        let lacks_length = !request.headers().contains(HeaderId::ContentLength);
        let request = if lacks_length && self.is_stream(flow.listener) {
            with_length = request.edit().content_length().finish().ok()?;
            &with_length
        } else {
            request
        };
        request.with_via_on_top(&[self.listeners.via_up_to_branch(flow.listener)?, branch, rport, &group])
    }

    /// The response with a Content-Length where a stream needs one (§18.3): one that is passed on may lack it.
    pub(crate) fn framed(&self, listener: ListenerId, response: Response) -> Response {
        if response.headers().contains(HeaderId::ContentLength) || !self.is_stream(listener) {
            return response;
        }
        response.edit().content_length().finish().unwrap_or(response)
    }
}
