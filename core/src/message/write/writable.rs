//! What can be written: names, values, Request-URIs.

use crate::message::error::BuildError;
use crate::message::name::HeaderName;
use crate::message::text;

/// Whether a value can be written without ending its line.
pub(in crate::message) fn is_writable(value: &[u8]) -> bool {
    text::find_control(value).is_none() || !value.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0))
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
