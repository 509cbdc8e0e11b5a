//! New messages.

use super::error::BuildError;
use super::header::Header;
use super::name::{HeaderId, HeaderName};
use super::request::Request;
use super::response::Response;

/// Writes a new request. Headers stand in the order given; Content-Length is added at the end.
#[derive(Clone, Debug)]
pub struct RequestBuilder {}

impl RequestBuilder {
    /// Adds a field.
    #[must_use]
    pub fn header<'n>(self, _name: impl Into<HeaderName<'n>>, _value: impl AsRef<[u8]>) -> Self {
        todo!()
    }
    /// Adds a typed field.
    #[must_use]
    pub fn typed<'h, H: Header<'h>>(self, _header: &H) -> Self {
        todo!()
    }
    /// Copies every field of this header from a request byte for byte.
    #[must_use]
    pub fn copy(self, _request: &Request, _id: HeaderId) -> Self {
        todo!()
    }
    /// Sets the body and adds its Content-Type.
    #[must_use]
    pub fn body(self, _content_type: &str, _body: &[u8]) -> Self {
        todo!()
    }
    /// The request.
    ///
    /// # Errors
    /// A name or value cannot be written.
    pub fn finish(self) -> Result<Request, BuildError> {
        todo!()
    }
}

/// Writes a response. Headers stand in the order given; Content-Length is added at the end.
#[derive(Clone, Debug)]
pub struct ResponseBuilder {}

impl ResponseBuilder {
    /// Adds a field.
    #[must_use]
    pub fn header<'n>(self, _name: impl Into<HeaderName<'n>>, _value: impl AsRef<[u8]>) -> Self {
        todo!()
    }
    /// Adds a typed field.
    #[must_use]
    pub fn typed<'h, H: Header<'h>>(self, _header: &H) -> Self {
        todo!()
    }
    /// Copies every field of this header from the request byte for byte, such as Record-Route (RFC 3261 §12.1.1).
    #[must_use]
    pub fn copy(self, _request: &Request, _id: HeaderId) -> Self {
        todo!()
    }
    /// Another reason phrase than the usual one.
    #[must_use]
    pub fn reason(self, _reason: impl AsRef<[u8]>) -> Self {
        todo!()
    }
    /// Adds a tag to To if it has none (RFC 3261 §8.2.6.2).
    #[must_use]
    pub fn to_tag(self, _tag: &str) -> Self {
        todo!()
    }
    /// Sets the body and adds its Content-Type.
    #[must_use]
    pub fn body(self, _content_type: &str, _body: &[u8]) -> Self {
        todo!()
    }
    /// The response.
    ///
    /// # Errors
    /// A name or value cannot be written.
    pub fn finish(self) -> Result<Response, BuildError> {
        todo!()
    }
}
