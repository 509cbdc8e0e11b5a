//! Responses (RFC 3261 §7.2).

use super::accessors::message_accessors;
use super::bytes::SharedBytes;
use super::header::{CSeq, NameAddr, Via};
use super::headers::Headers;
use super::read::Layout;
use super::status::StatusCode;
use super::validate::{self, Rejection};
use core::fmt;

/// A response: shared octets and a table of spans. A clone is cheap; equality is that of the octets.
#[derive(Clone)]
pub struct Response {
    pub(super) bytes: SharedBytes,
    pub(super) layout: Layout,
    status: StatusCode,
}

impl Response {
    /// `layout` must be that of `bytes`, and of a response with this status.
    pub(super) const fn new(bytes: SharedBytes, layout: Layout, status: StatusCode) -> Self {
        Self { bytes, layout, status }
    }

    /// The status code.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase.
    pub fn reason(&self) -> &[u8] {
        self.layout.reason(&self.bytes)
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
