//! Responses (RFC 3261 §7.2).

use super::accessors::message_accessors;
use super::bytes::SharedBytes;
use super::header::{CSeq, NameAddr, Via};
use super::headers::Headers;
use super::layout::Layout;
use super::status::StatusCode;
use super::tag_param::TagParam;
use super::validate::{self, Rejection};
use core::fmt;

/// A response: shared octets with a table of spans behind them. A clone is cheap; equality is that of the octets.
#[derive(Clone)]
pub struct Response {
    pub(super) bytes: SharedBytes,
    status: StatusCode,
}

impl Response {
    /// `bytes` must have their layout behind them, and be a response with this status.
    pub(super) const fn new(bytes: SharedBytes, status: StatusCode) -> Self {
        Self { bytes, status }
    }

    /// The status code.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase.
    pub fn reason(&self) -> &[u8] {
        self.layout().reason(&self.bytes)
    }

    /// Whether this can be processed at all; what cannot is to be dropped: a response is never answered.
    ///
    /// # Errors
    /// Says what is wrong with the response.
    pub fn validate(&self) -> Result<(), Rejection> {
        validate::message(&self.bytes, &self.layout()).map(drop)
    }
}

message_accessors!(Response);
