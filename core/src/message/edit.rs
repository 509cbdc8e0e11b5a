//! Copies with changes: a splice.

use super::error::BuildError;
use super::name::{HeaderId, HeaderName};
use super::request::Request;
use super::response::Response;
use core::marker::PhantomData;
use core::net::IpAddr;

/// A copy of a message with changes. What is not changed goes out byte for byte. `M` is [`Request`] or [`Response`].
#[derive(Clone, Debug)]
pub struct Edit<'a, M> {
    kind: PhantomData<&'a M>,
}

impl<M> Edit<'_, M> {
    /// Puts a new field before the first of that name; if there is none, Via first of all, others after the Vias.
    #[must_use]
    pub fn push_first(self, _id: HeaderId, _value: impl AsRef<[u8]>) -> Self {
        todo!()
    }
    /// Takes the first value, leaving the rest of its field.
    #[must_use]
    pub fn pop_first(self, _id: HeaderId) -> Self {
        todo!()
    }
    /// Takes the last value, leaving the rest of its field.
    #[must_use]
    pub fn pop_last(self, _id: HeaderId) -> Self {
        todo!()
    }
    /// All fields of that name by one, in the place of the first, or appended.
    #[must_use]
    pub fn replace(self, _id: HeaderId, _value: impl AsRef<[u8]>) -> Self {
        todo!()
    }
    /// Adds a field after all others.
    #[must_use]
    pub fn append<'n>(self, _name: impl Into<HeaderName<'n>>, _value: impl AsRef<[u8]>) -> Self {
        todo!()
    }
    /// Takes out all fields of that name.
    #[must_use]
    pub fn remove<'n>(self, _name: impl Into<HeaderName<'n>>) -> Self {
        todo!()
    }
    /// Fills in the topmost Via: `received` added or replaced, `rport` filled in where it stands (RFC 3261 §18.2.1, RFC 3581 §4).
    #[must_use]
    pub fn stamp_via(self, _received: Option<IpAddr>, _rport: Option<u16>) -> Self {
        todo!()
    }
    /// Another body; Content-Type and Content-Length follow.
    #[must_use]
    pub fn body(self, _content_type: &str, _body: &[u8]) -> Self {
        todo!()
    }
}

impl Edit<'_, Request> {
    /// Another Request-URI.
    #[must_use]
    pub fn uri(self, _uri: impl AsRef<[u8]>) -> Self {
        todo!()
    }
    /// The changed copy.
    ///
    /// # Errors
    /// A value cannot be written, or what was to be changed is not there.
    pub fn finish(self) -> Result<Request, BuildError> {
        todo!()
    }
}

impl Edit<'_, Response> {
    /// The changed copy.
    ///
    /// # Errors
    /// A value cannot be written, or what was to be changed is not there.
    pub fn finish(self) -> Result<Response, BuildError> {
        todo!()
    }
}
