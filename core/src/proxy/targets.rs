//! The targets of a request (RFC 3261 §16.5), as the owner of the core names them.

use alloc::vec::Vec;

use crate::message::{Parameter, Uri, UriBuf};
use crate::transport::NextHop;

/// Where one branch goes.
#[derive(Clone, Debug)]
pub enum Target {
    /// Where the request says itself: its first Route, else its Request-URI.
    Unchanged,
    /// A contact: becomes the Request-URI. Of an owner that is responsible for the Request-URI.
    Contact(UriBuf),
    /// The Request-URI stays; the request goes to this hop, which must be a loose router or the end (§16.6 step 6).
    NextHop(NextHop),
}

/// `uri` as a Request-URI: what §19.1.1 (table 1) does not allow there is left out.
pub(super) fn request_uri(uri: Uri<'_>) -> Vec<u8> {
    let text = uri.as_bytes();
    if !uri.is_sip() {
        return text.into();
    }
    let tail = uri.parameters().as_bytes().len() + uri.headers().map_or(0, |headers| headers.len() + 1);
    let head = text.get(..text.len().saturating_sub(tail)).unwrap_or(text);
    let mut out = Vec::from(head);
    for parameter in uri.parameters().iter() {
        if !parameter.name.eq_ignore_ascii_case("method") {
            write_parameter(&mut out, parameter);
        }
    }
    out
}

/// Writes `;name=value`.
pub(super) fn write_parameter(out: &mut Vec<u8>, parameter: Parameter<'_>) {
    out.push(b';');
    out.extend_from_slice(parameter.name.as_bytes());
    if let Some(value) = parameter.value {
        out.push(b'=');
        out.extend_from_slice(value);
    }
}
