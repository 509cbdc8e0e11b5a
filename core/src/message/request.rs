//! Requests (RFC 3261 §7.1).

use super::accessors::message_accessors;
use super::bytes::SharedBytes;
use super::error::ParseError;
use super::header::{CSeq, NameAddr, Via};
use super::headers::Headers;
use super::layout::Layout;
use super::method::Method;
use super::tag_param::TagParam;
use super::uri::Uri;
use super::validate::{self, Rejection};
use core::fmt;

/// A request: shared octets with a table of spans behind them. A clone is cheap; equality is that of the octets.
#[derive(Clone)]
pub struct Request {
    pub(super) bytes: SharedBytes,
}

impl Request {
    /// `bytes` must have their layout behind them, and be a request.
    pub(super) const fn new(bytes: SharedBytes) -> Self {
        Self { bytes }
    }

    /// The method.
    pub fn method(&self) -> Method<'_> {
        // A request is made only with a method; the other arm is never taken.
        self.layout().method(&self.bytes).unwrap_or(Method::Other(""))
    }

    /// The Request-URI; whether it can be used is a verdict of [`validate`](Self::validate).
    ///
    /// # Errors
    /// It is malformed.
    pub fn uri(&self) -> Result<Uri<'_>, ParseError> {
        Uri::parse_with(self.uri_bytes(), self.layout().user_part)
    }

    /// The Request-URI as written.
    pub fn uri_bytes(&self) -> &[u8] {
        self.layout().uri(&self.bytes)
    }

    /// Whether this can be processed at all, and else which status the sender is owed.
    ///
    /// # Errors
    /// The status and the reason phrase to answer with.
    pub fn validate(&self) -> Result<(), Rejection> {
        validate::message(&self.bytes, &self.layout()).map(drop)
    }
}

message_accessors!(Request);
