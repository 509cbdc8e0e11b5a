//! The two requests that a client makes of its own INVITE, for the next hop alone: the ACK for a non-2xx final response
//! (RFC 3261 §17.1.1.3) and the CANCEL (§9.1).

use alloc::format;

use crate::message::{HeaderId, Method, Request, Response};

/// The ACK for a non-2xx final response to `invite`, which has our Via on top.
pub(crate) fn ack(invite: &Request, response: &Response) -> Option<Request> {
    derive(invite, Method::Ack, response.headers().raw(HeaderId::To)?)
}

/// The CANCEL of `invite`, which has our Via on top.
pub(crate) fn cancel(invite: &Request) -> Option<Request> {
    derive(invite, Method::Cancel, invite.headers().raw(HeaderId::To)?)
}

/// Request-URI, topmost Via, Route, From, Call-ID and CSeq number of the INVITE, and no more: a CANCEL must not have
/// Require or Proxy-Require (§9.1), and neither has a use for a body.
fn derive(invite: &Request, method: Method<'_>, to: &[u8]) -> Option<Request> {
    let headers = invite.headers();
    Request::builder(method, invite.uri().ok()?)
        .header(HeaderId::Via, headers.raw(HeaderId::Via)?)
        .copy(invite, HeaderId::Route)
        .header(HeaderId::MaxForwards, "70")
        .copy(invite, HeaderId::From)
        .header(HeaderId::To, to)
        .copy(invite, HeaderId::CallId)
        .header(HeaderId::CSeq, format!("{} {method}", invite.cseq()?.number))
        .finish()
        .ok()
}
