//! Responses (RFC 3261 §7.2).

use super::accessors::message_accessors;
use super::bytes::SharedBytes;
use super::edit::{Edit, hop};
use super::error::BuildError;
use super::header::{CSeq, NameAddr, Via};
use super::headers::Headers;
use super::layout::Layout;
use super::name::HeaderId;
use super::request::Request;
use super::status::StatusCode;
use super::validate::{self, Rejection};
use super::write::{Framing, ResponseBuilder};
use core::fmt;

/// A response: shared octets and a table of spans. A clone is cheap; equality is that of the octets.
#[derive(Clone)]
pub struct Response {
    bytes: SharedBytes,
    layout: Layout,
    status: StatusCode,
}

impl Response {
    /// `layout` must be that of `bytes`, and of a response with this status.
    pub(super) const fn new(bytes: SharedBytes, layout: Layout, status: StatusCode) -> Self {
        Self { bytes, layout, status }
    }

    /// Begins the response to a request (RFC 3261 §8.2.6): every Via, From, To, Call-ID and CSeq are copied byte for byte,
    /// and Timestamp on a 100.
    pub fn to(request: &Request, status: StatusCode) -> ResponseBuilder {
        ResponseBuilder::new(request, status)
    }

    /// The status code.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase.
    pub fn reason(&self) -> &[u8] {
        self.layout.reason(&self.bytes)
    }

    /// A copy without the topmost Via (RFC 3261 §16.7 step 3); `None` if there is none.
    pub(crate) fn without_top_via(&self) -> Option<Self> {
        self.edit().pop_first(HeaderId::Via).finish().ok()
    }

    /// The octets, with a Content-Length where the framing needs one: a response that is passed on may lack it.
    ///
    /// # Errors
    /// The header section becomes too long.
    #[allow(dead_code, reason = "the endpoint begins to write octets with this")]
    pub(crate) fn octets(&self, framing: Framing) -> Result<SharedBytes, BuildError> {
        if framing == Framing::Datagram || self.headers().contains(HeaderId::ContentLength) {
            return Ok(self.bytes.clone());
        }
        hop::with_length(&self.bytes, &self.layout)
    }

    /// The octets of a copy without the topmost Via (RFC 3261 §16.7 step 3), and with a Content-Length where the framing needs
    /// one.
    ///
    /// # Errors
    /// There is no Via, or the header section becomes too long.
    #[allow(dead_code, reason = "the endpoint begins to write octets with this")]
    pub(crate) fn octets_without_top_via(&self, framing: Framing) -> Result<SharedBytes, BuildError> {
        hop::without_top_via(&self.bytes, &self.layout, framing)
    }

    /// Whether this can be processed at all; what cannot is to be dropped: a response is never answered.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn validate(&self) -> Result<(), Rejection> {
        validate::message(&self.bytes, &self.layout).map(drop)
    }
}

message_accessors!(Response);
