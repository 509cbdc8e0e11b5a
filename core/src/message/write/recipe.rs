//! What a request that goes out is written from.

use crate::message::bytes::SharedBytes;
use crate::message::error::BuildError;
use crate::message::method::Method;
use crate::message::request::Request;

/// How the receiver finds the end of a message (RFC 3261 §18.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// It ends with its datagram.
    Datagram,
    /// It ends where Content-Length says, which is added if it is absent.
    Stream,
}

/// What a request is written from, as often as it is sent: each attempt puts a Via of its own on top.
pub(crate) trait Recipe {
    /// The method.
    fn method(&self) -> Method<'_>;

    /// The octets with a Via of these parts on top (RFC 3261 §18.1.1), and with a Content-Length where the framing needs one.
    ///
    /// # Errors
    /// A value cannot be written, or the header section becomes too long.
    fn octets_with_via(&self, via: &[&str], framing: Framing) -> Result<SharedBytes, BuildError>;

    /// The request without the Via, to be kept for another attempt.
    ///
    /// # Errors
    /// A value cannot be written, or the header section becomes too long.
    fn request(&self) -> Result<Request, BuildError>;
}
