//! Recipes: a request that goes out is written from one.

use crate::message::bytes::SharedBytes;
use crate::message::error::BuildError;
use crate::message::method::Method;
use crate::message::name::HeaderId;
use crate::message::request::Request;

/// How the receiver finds the end of a message (RFC 3261 §18.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// It ends with its datagram.
    Datagram,
    /// It ends where Content-Length says, which is added if it is absent.
    Stream,
}

/// The additions of one attempt to a request.
#[derive(Clone, Copy)]
pub(crate) struct Hop<'a> {
    /// The parts of our Via (RFC 3261 §18.1.1).
    pub(crate) via: &'a [&'a str],
    /// The Contact or Record-Route that leads to the listener that the request goes from, if the request is to have one.
    pub(crate) here: Option<(HeaderId, &'a str)>,
    /// The second value of that header, below the first.
    pub(crate) below: Option<&'a str>,
    /// Whether a Content-Length is needed.
    pub(crate) framing: Framing,
}

/// Writes a request as often as it is sent: each attempt puts a Via of its own on top.
pub(crate) trait Recipe {
    /// The method.
    fn method(&self) -> Method<'_>;

    /// The octets for one attempt: the Via on top, a Record-Route before all others, a Contact behind CSeq, and a Content-Length
    /// where the framing needs one.
    ///
    /// # Errors
    /// A value cannot be written, or the header section becomes too long.
    fn octets_for(&self, hop: Hop<'_>) -> Result<SharedBytes, BuildError>;

    /// The request without what an attempt adds, to be kept for another one.
    ///
    /// # Errors
    /// A value cannot be written, or the header section becomes too long.
    fn request(&self) -> Result<Request, BuildError>;
}
