//! Bytes to messages.

use super::bytes::SharedBytes;
use super::error::ParseError;
use super::headers::Headers;
use super::layout::Layout;
use super::limits::Limits;
use super::method::Method;
use super::request::Request;
use super::response::Response;
use super::status::StatusCode;

/// A message: a request or a response.
#[derive(Clone, Debug)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// Reads one datagram: leading line ends are skipped and what follows the body is cut (RFC 3261 §7.5, §18.3).
    ///
    /// # Errors
    /// It cannot be represented: no start line, a malformed header section, or a limit. Malformed values are no error here.
    pub fn parse(_datagram: &[u8], _limits: &Limits) -> Result<Self, ParseError> {
        todo!()
    }
    /// The header fields.
    pub fn headers(&self) -> Headers<'_> {
        match self {
            Self::Request(request) => request.headers(),
            Self::Response(response) => response.headers(),
        }
    }
    /// The body.
    pub fn body(&self) -> &[u8] {
        match self {
            Self::Request(request) => request.body(),
            Self::Response(response) => response.body(),
        }
    }
    /// The whole message.
    pub fn as_bytes(&self) -> &SharedBytes {
        match self {
            Self::Request(request) => request.as_bytes(),
            Self::Response(response) => response.as_bytes(),
        }
    }
}

/// A message that borrows the bytes it was read from. A usual one allocates nothing.
#[derive(Clone, Debug)]
pub struct MessageView<'a> {
    bytes: &'a [u8],
    layout: Layout,
}

impl<'a> MessageView<'a> {
    /// Reads one datagram, as [`Message::parse`] does.
    ///
    /// # Errors
    /// As [`Message::parse`].
    pub fn parse(_datagram: &'a [u8], _limits: &Limits) -> Result<Self, ParseError> {
        todo!()
    }
    /// Whether this is a request.
    pub fn is_request(&self) -> bool {
        todo!()
    }
    /// The method; `None` of a response.
    pub fn method(&self) -> Option<Method<'a>> {
        todo!()
    }
    /// The status code; `None` of a request.
    pub fn status(&self) -> Option<StatusCode> {
        todo!()
    }
    /// The header fields.
    pub fn headers(&self) -> Headers<'_> {
        self.layout.headers(self.bytes)
    }
    /// The body.
    pub fn body(&self) -> &'a [u8] {
        todo!()
    }
    /// The whole message, without what was before and after it.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }
    /// An owned copy: one allocation.
    pub fn to_message(&self) -> Message {
        todo!()
    }
}
