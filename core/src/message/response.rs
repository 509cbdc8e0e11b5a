//! Responses (RFC 3261 §7.2).

use super::build::ResponseBuilder;
use super::bytes::SharedBytes;
use super::edit::Edit;
use super::header::{CSeq, NameAddr, Via};
use super::headers::Headers;
use super::layout::Layout;
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

    /// The header fields.
    pub fn headers(&self) -> Headers<'_> {
        self.layout.headers(&self.bytes)
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        self.layout.body(&self.bytes)
    }

    /// The whole message.
    pub fn as_bytes(&self) -> &SharedBytes {
        &self.bytes
    }

    /// Begins a copy with changes.
    pub fn edit(&self) -> Edit<'_, Response> {
        Edit::new(&self.bytes, &self.layout)
    }

    /// Whether this can be processed at all; what cannot is to be dropped: a response is never answered.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn validate(&self) -> Result<(), Rejection> {
        validate::response(self, &self.layout)
    }

    /// The topmost Via; `None` if absent or malformed.
    pub fn top_via(&self) -> Option<Via<'_>> {
        self.headers().top_via()
    }

    /// From; `None` if absent or malformed.
    pub fn from(&self) -> Option<NameAddr<'_>> {
        self.headers().from()
    }

    /// To; `None` if absent or malformed.
    pub fn to_header(&self) -> Option<NameAddr<'_>> {
        self.headers().to()
    }

    /// Call-ID; `None` if absent or malformed.
    pub fn call_id(&self) -> Option<&str> {
        self.headers().call_id()
    }

    /// CSeq; `None` if absent or malformed.
    pub fn cseq(&self) -> Option<CSeq<'_>> {
        self.headers().cseq()
    }

    /// The first Contact; `None` if absent, malformed or `*`.
    pub fn contact(&self) -> Option<NameAddr<'_>> {
        self.headers().contact()
    }
}

impl PartialEq for Response {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Response {}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Response({})", self.layout.start_line(&self.bytes).escape_ascii())
    }
}
