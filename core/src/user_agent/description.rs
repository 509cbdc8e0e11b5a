//! Which bodies describe a session (RFC 3264). What they say stays opaque.

use crate::message::header::{ContentType, Header};
use crate::message::{HeaderId, Limits, Multipart, Part, Request, Response};

/// Whether a request describes a session.
pub(super) fn request_describes(request: &Request) -> bool {
    !request.body().is_empty() && describes(request.headers().raw(HeaderId::ContentType), request.body())
}

/// Whether a response describes a session.
pub(super) fn response_describes(response: &Response) -> bool {
    !response.body().is_empty() && describes(response.headers().raw(HeaderId::ContentType), response.body())
}

/// Whether a body of that type describes a session: is SDP, or has a part that is (RFC 5621 §3.1).
pub(super) fn describes(content_type: Option<&[u8]>, body: &[u8]) -> bool {
    if body.is_empty() {
        return false;
    }
    // Nearly every description says no more than that.
    if content_type.is_some_and(|value| value.eq_ignore_ascii_case(b"application/sdp")) {
        return true;
    }
    let Some(content) = content_type.and_then(|value| ContentType::parse(value).ok()) else { return false };
    if content.is("application", "sdp") {
        return true;
    }
    if !content.kind.eq_ignore_ascii_case("multipart") {
        return false;
    }
    let is_sdp = |part: Part<'_>| {
        let content = part.headers().get::<ContentType<'_>>();
        content.is_some_and(|content| content.is_ok_and(|content| content.is("application", "sdp")))
    };
    let parts = Multipart::new(content, body, &Limits::default());
    parts.is_ok_and(|parts| parts.flatten().any(is_sdp))
}
