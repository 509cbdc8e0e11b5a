//! What is asked of a request before it is processed: method, Request-URI, extensions, content (RFC 3261 §8.2.1 to §8.2.3).

use alloc::vec::Vec;

use crate::message::header::{Accept, ContentType, Header, Require};
use crate::message::{HeaderId, Method, Request, StatusCode, Uri};

/// The status for a method that is not taken: 405 if it is a known one, 501 if not (§8.2.1, §21.5.2).
pub(super) fn method(method: Method<'_>) -> Option<StatusCode> {
    match method {
        Method::Invite | Method::Ack | Method::Bye | Method::Cancel | Method::Options => None,
        Method::Other(_) => Some(StatusCode::NOT_IMPLEMENTED),
        _ => Some(StatusCode::METHOD_NOT_ALLOWED),
    }
}

/// Whether the scheme of the Request-URI is one that we serve (§8.2.2.1).
pub(super) fn scheme(request: &Request) -> bool {
    request.uri().is_ok_and(Uri::is_sip)
}

/// Whether a 2xx to this INVITE may have a body that we can write: Accept, if there, must take `application/sdp` (§20.1).
pub(super) fn acceptable(request: &Request) -> bool {
    if request.method() != Method::Invite || !request.headers().contains(HeaderId::Accept) {
        return true;
    }
    // Of the ranges that include it the most specific counts (RFC 9110 §12.5.1). What cannot be read is taken as leave
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

/// The option tags of Require, all of which are unknown here, as a value of Unsupported (§8.2.2.3).
pub(super) fn required(request: &Request) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    for option in request.headers().all::<Require<'_>>().flatten() {
        if !value.is_empty() {
            value.extend_from_slice(b", ");
        }
        option.write(&mut value);
    }
    (!value.is_empty()).then_some(value)
}

/// The header that a 415 must carry, if the body is not understood and not optional (§8.2.3, §20.11).
///
/// The body of a BYE is never looked at: whatever it is, the call is over.
pub(super) fn content(request: &Request) -> Option<HeaderId> {
    if request.body().is_empty() || request.method() == Method::Bye || is_optional(request) {
        return None;
    }
    let headers = request.headers();
    if headers.raw(HeaderId::ContentEncoding).is_some_and(|value| !value.eq_ignore_ascii_case(b"identity")) {
        return Some(HeaderId::AcceptEncoding);
    }
    let is_sdp = |content: ContentType<'_>| {
        content.kind.eq_ignore_ascii_case("application") && content.subtype.eq_ignore_ascii_case("sdp")
    };
    match headers.get::<ContentType<'_>>() {
        Some(Ok(content)) if is_sdp(content) => None,
        _ => Some(HeaderId::Accept),
    }
}

/// Content-Disposition says `handling=optional`; without a word `required` holds (§20.11, erratum 4567).
fn is_optional(request: &Request) -> bool {
    let Some(value) = request.headers().raw(HeaderId::ContentDisposition) else { return false };
    value.split(|byte| *byte == b';').skip(1).any(|parameter| {
        let mut sides = parameter.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
        let name = sides.next().unwrap_or_default();
        let value = sides.next().unwrap_or_default();
        name.eq_ignore_ascii_case(b"handling") && value.eq_ignore_ascii_case(b"optional")
    })
}
