//! Checks of what is to be written: names, values, Request-URIs.

use crate::message::error::BuildError;
use crate::message::name::HeaderName;
use crate::message::text;

/// Whether a value can be written without ending its line. A NUL ends it for some readers: it stands in a quoted-pair only.
pub(in crate::message) fn is_writable(value: &[u8]) -> bool {
    let has = |octet| text::find(value, octet).is_some();
    text::find_control(value).is_none()
        || (!has(b'\r') && !has(b'\n') && (!has(0) || text::check_rewritable(value).is_ok()))
}

/// The name resolved, if it is a token.
pub(in crate::message) fn writable_name(name: HeaderName<'_>) -> Result<HeaderName<'_>, BuildError> {
    match name {
        HeaderName::Known(_) => Ok(name),
        HeaderName::Other(name) if text::token(name.as_bytes()).is_some() => Ok(name.into()),
        HeaderName::Other(_) => Err(BuildError::HeaderName),
    }
}

/// Whether this can stand between two spaces.
pub(in crate::message) fn is_request_uri(uri: &[u8]) -> bool {
    !uri.is_empty() && uri.iter().all(u8::is_ascii_graphic)
}
