//! Requests (RFC 3261 §7.1).

use super::accessors::message_accessors;
use super::bytes::SharedBytes;
use super::edit::{Edit, hop};
use super::error::{BuildError, ParseError};
use super::header::{CSeq, NameAddr, Via};
use super::headers::Headers;
use super::layout::Layout;
use super::limits::Limits;
use super::method::Method;
use super::name::HeaderId;
use super::salvage;
use super::uri::{Uri, UriBuf};
use super::validate::{self, Rejection};
use super::write::{Framing, Recipe, RequestBuilder};
use core::fmt;
use core::net::IpAddr;

/// A request: shared octets and a table of spans. A clone is cheap; equality is that of the octets.
#[derive(Clone)]
pub struct Request {
    bytes: SharedBytes,
    layout: Layout,
}

impl Request {
    /// `layout` must be that of `bytes`, and of a request.
    pub(super) const fn new(bytes: SharedBytes, layout: Layout) -> Self {
        Self { bytes, layout }
    }

    /// Begins a new request.
    pub fn builder(method: Method<'_>, uri: Uri<'_>) -> RequestBuilder {
        RequestBuilder::new(method, uri.as_bytes())
    }

    /// The same with a URI that need not be read once more.
    pub(crate) fn builder_to(method: Method<'_>, uri: &UriBuf) -> RequestBuilder {
        RequestBuilder::new(method, uri.as_bytes())
    }

    /// Of a datagram that [`Message::parse`](super::Message::parse) refuses, as much as it takes to answer it: a request of
    /// that method with every Via and the first To, From, Call-ID and CSeq byte for byte. Other lines are left out, whatever is
    /// wrong with them, and so is the body; the Request-URI is a stand-in.
    ///
    /// `None` if it is not to be answered, being no request or an ACK, or if even that much cannot be read or exceeds
    /// [`Limits::header_section`].
    pub fn salvage(datagram: &[u8], limits: &Limits) -> Option<Self> {
        salvage::salvage(datagram, limits)
    }

    /// The method.
    pub fn method(&self) -> Method<'_> {
        // A request is made only with a method; the other arm is never taken.
        self.layout.method(&self.bytes).unwrap_or(Method::Other(""))
    }

    /// The Request-URI; whether it can be used is a verdict of [`validate`](Self::validate).
    ///
    /// # Errors
    /// It is malformed.
    pub fn uri(&self) -> Result<Uri<'_>, ParseError> {
        Uri::parse(self.uri_bytes())
    }

    /// The Request-URI as written.
    pub fn uri_bytes(&self) -> &[u8] {
        self.layout.uri(&self.bytes)
    }

    /// A copy whose topmost Via, which is `via`, says where it came from (RFC 3261 §18.2.1, RFC 3581 §4); `None` if it becomes
    /// too long.
    pub(crate) fn stamped(&self, via: &Via<'_>, received: IpAddr, rport: Option<u16>) -> Option<Self> {
        let (bytes, layout) = hop::stamped(&self.bytes, &self.layout, via, received, rport).ok()?;
        Some(Self { bytes, layout })
    }

    /// A copy with a Via of these parts on top (RFC 3261 §18.1.1); `None` if they cannot be written or it becomes too long.
    pub(crate) fn with_via_on_top(&self, via: &[&str]) -> Option<Self> {
        self.edit().push_first(HeaderId::Via, via.concat()).finish().ok()
    }

    /// Whether this can be processed at all, and else which status the sender is owed.
    ///
    /// # Errors
    /// The status and the reason phrase to answer with.
    pub fn validate(&self) -> Result<(), Rejection> {
        validate::message(&self.bytes, &self.layout).map(drop)
    }
}

impl Recipe for Request {
    fn method(&self) -> Method<'_> {
        self.method()
    }

    fn octets_with_via(&self, via: &[&str], framing: Framing) -> Result<SharedBytes, BuildError> {
        hop::with_via(&self.bytes, &self.layout, via, framing)
    }

    fn request(&self) -> Result<Request, BuildError> {
        Ok(self.clone())
    }
}

message_accessors!(Request);
