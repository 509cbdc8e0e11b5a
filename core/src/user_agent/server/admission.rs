//! The checks of a request before it is processed: method, Request-URI, extensions, content (RFC 3261 §8.2.1 to §8.2.3).

use alloc::string::String;

use super::{Served, accept};
use crate::dialog::DialogKey;
use crate::endpoint::Arrival;
use crate::extension::{Demand, Extension, Extensions};
use crate::message::header::{Accept, Replaces};
use crate::message::{HeaderId, HeaderName, Method, Request, StatusCode, Uri};
use crate::user_agent::AccountId;
use crate::user_agent::agent::Cx;
use crate::user_agent::description::{Lacking, lacking};
use crate::user_agent::floor::Floor;
use crate::user_agent::profile::ACCEPT;

/// The field of RFC 3911.
const JOIN: HeaderName<'static> = HeaderName::Other("Join");

impl Floor {
    /// A request that matches no transaction: it gets one, and goes through §8.2. `None` if it is answered by that.
    pub(in crate::user_agent) fn admit(&mut self, cx: &mut Cx<'_>, arrival: Arrival) -> Option<Served> {
        // A registration that is sent to a group is for registrars alone (§10.2.6).
        let to_group = cx.listener(arrival.flow.listener).is_some_and(|listener| listener.local.ip().is_multicast());
        if to_group && arrival.request.method() == Method::Register {
            return None;
        }
        let (id, is_first) = self.serving.begin(&arrival.request);
        let served = accept(cx, arrival, id);
        if served.request.method() == Method::Cancel {
            return Some(served);
        }
        if !self.lets_through(cx, &served, is_first) {
            return None;
        }
        self.check(cx, served, is_first)
    }

    /// The checks of a request behind the gate. `None` if it is answered by them.
    pub(super) fn check(&mut self, cx: &mut Cx<'_>, mut served: Served, is_first: bool) -> Option<Served> {
        let request = &served.request;
        let asked = request.method();
        let is_asked = self.profile.takes(request);
        let uri = request.uri().ok();
        let account = uri.and_then(|uri| self.account_for(request, uri));
        let is_prack = asked == Method::Prack && self.profile.extensions().contains(Extension::Reliable);
        if let Some(status) = method(asked).filter(|_| !is_asked && !is_prack) {
            let allow = self.profile.allow();
            self.respond_final(cx, &served, status, |lines| {
                lines.header(HeaderId::Allow, &*allow);
            });
        } else if !uri.is_some_and(Uri::is_sip) {
            // We serve no other scheme (§8.2.2.1).
            self.respond_final(cx, &served, StatusCode::UNSUPPORTED_URI_SCHEME, |_| {});
        } else if account.is_none() {
            self.respond_final(cx, &served, StatusCode::NOT_FOUND, |_| {});
        } else if !is_first {
            self.respond_final(cx, &served, StatusCode::LOOP_DETECTED, |_| {});
        } else if let Some(unsupported) = required(request, self.profile.extensions()) {
            self.respond_final(cx, &served, StatusCode::BAD_EXTENSION, |lines| {
                lines.header(HeaderId::Unsupported, unsupported);
            });
        } else if self.profile.has_replaces() && has_wrong_replaces(request) {
            self.respond_final(cx, &served, StatusCode::BAD_REQUEST, |_| {});
        } else if let Some(lacks) = content(request, asked).filter(|_| !is_asked) {
            self.respond_final(cx, &served, StatusCode::UNSUPPORTED_MEDIA_TYPE, |lines| {
                if lacks.kind {
                    lines.header(HeaderId::Accept, ACCEPT);
                }
                if lacks.encoding {
                    lines.header(HeaderId::AcceptEncoding, "identity");
                }
            });
        } else if asked == Method::Invite && !takes_description(request) {
            self.respond_final(cx, &served, StatusCode::NOT_ACCEPTABLE, |lines| {
                lines.header(HeaderId::Warning, "399 sansip \"There is no answer but in application/sdp\"");
            });
        } else {
            served.account = account.unwrap_or(AccountId::DEFAULT);
            return Some(served);
        }
        None
    }
}

impl Floor {
    /// The account that a request is for (§8.2.2.1). A request in a dialog is found by the dialog. `None`: it is not for us.
    fn account_for(&self, request: &Request, uri: Uri<'_>) -> Option<AccountId> {
        if request.to_tag().is_some() {
            let dialog = DialogKey::of_request(request).filter(|_| self.accounts.len() > 0);
            let account = dialog.and_then(|name| self.dialogs.account(self.dialogs.find(name)?));
            return Some(account.unwrap_or(AccountId::DEFAULT));
        }
        let any_user = || self.profile.any_user.then(|| self.accounts.of_to(request));
        self.accounts.of_request(request, uri).or_else(any_user)
    }
}

/// The status for a method that is not taken: 405 if it is a known one, 501 if not (§8.2.1, §21.5.2).
fn method(method: Method<'_>) -> Option<StatusCode> {
    match method {
        Method::Invite | Method::Ack | Method::Bye | Method::Cancel | Method::Options | Method::Update => None,
        Method::Other(_) => Some(StatusCode::NOT_IMPLEMENTED),
        _ => Some(StatusCode::METHOD_NOT_ALLOWED),
    }
}

/// Whether a 2xx to this request may have a body that we can write: Accept, if there, must take `application/sdp` (§20.1).
pub(super) fn takes_description(request: &Request) -> bool {
    if !request.headers().contains(HeaderId::Accept) {
        return true;
    }
    // The most specific of the ranges that include it counts (RFC 9110 §12.5.1). A range that cannot be read is taken as leave
    // (§8.2): nothing says that SDP is not wanted.
    let mut best: Option<(usize, u16)> = None;
    for range in request.headers().all::<Accept<'_>>() {
        let Ok(range) = range else { return true };
        let stars = [range.kind, range.subtype].into_iter().filter(|word| *word == "*").count();
        if range.includes("application", "sdp") && best.is_none_or(|(more, _)| stars < more) {
            best = Some((stars, range.q()));
        }
    }
    best.is_some_and(|(_, q)| q > 0)
}

/// The option tags of Require that are not understood, as a value of Unsupported (§8.2.2.3).
fn required(request: &Request, understood: Extensions) -> Option<String> {
    let demand = Demand::of_require(request.headers(), understood);
    (!demand.unsupported.is_empty()).then_some(demand.unsupported)
}

/// Whether Replaces stands where it must not, twice, or beside Join, which contradicts it, or cannot be read (RFC 3891 §3). An INVITE in
/// a dialog begins no call that could take the place of another.
fn has_wrong_replaces(request: &Request) -> bool {
    let headers = request.headers();
    match headers.get::<Replaces<'_>>() {
        None => false,
        Some(Err(_)) => true,
        Some(Ok(_)) => {
            request.method() != Method::Invite
                || request.to_tag().is_some()
                || headers.count(HeaderId::Replaces) > 1
                || headers.raw(JOIN).is_some()
        }
    }
}

/// The reasons for a 415, if the body is not understood and has to be (§8.2.3, §20.11).
///
/// The body of a BYE is never looked at: whatever it is, the call is over.
fn content(request: &Request, method: Method<'_>) -> Option<Lacking> {
    if request.body().is_empty() || method == Method::Bye {
        return None;
    }
    lacking(request.headers(), request.body())
}
