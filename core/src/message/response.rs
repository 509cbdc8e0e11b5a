//! Responses (RFC 3261 §7.2).

use super::accessors::message_accessors;
use super::build::ResponseBuilder;
use super::bytes::SharedBytes;
use super::edit::Edit;
use super::header::{CSeq, NameAddr, Via};
use super::headers::Headers;
use super::hop;
use super::layout::Layout;
use super::name::HeaderId;
use super::request::Request;
use super::status::StatusCode;
use super::validate::{self, Rejection};
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
        match hop::without_top_via(&self.bytes, &self.layout) {
            Some((bytes, layout)) => Some(Self { bytes, layout, status: self.status }),
            None => self.edit().pop_first(HeaderId::Via).finish().ok(),
        }
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
