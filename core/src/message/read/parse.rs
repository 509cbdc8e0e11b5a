//! Bytes to messages.

use super::collect::Spans;
use crate::message::bytes::SharedBytes;
use crate::message::error::ParseError;
use crate::message::headers::Headers;
use crate::message::layout::StartLine;
use crate::message::limits::Limits;
use crate::message::method::Method;
use crate::message::request::Request;
use crate::message::response::Response;
use crate::message::status::StatusCode;
use crate::message::uri::UserPart;
use crate::message::validate::{self, Essentials, Rejection};
use core::fmt;

/// A message: a request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// Reads one datagram: leading line ends are skipped, and what follows the body is cut off (RFC 3261 §7.5, §18.3).
    /// Without Content-Length the body goes to the end. Only a carriage return and a line feed together end a line.
    ///
    /// # Errors
    /// It cannot be represented: no start line, a malformed header line, half a line end in the header section, or a limit is exceeded. Malformed values, a wrong
    /// version and the like are no error here, but of [`Request::validate`] and [`Response::validate`].
    pub fn parse(datagram: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        Ok(MessageView::parse(datagram, limits)?.to_message())
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
#[derive(Clone)]
pub struct MessageView<'a> {
    pub(in crate::message) bytes: &'a [u8],
    pub(in crate::message) spans: Spans,
}

impl<'a> MessageView<'a> {
    /// Reads one datagram, as [`Message::parse`] does.
    ///
    /// # Errors
    /// As [`Message::parse`].
    pub fn parse(datagram: &'a [u8], limits: &Limits) -> Result<Self, ParseError> {
        let mut view = Self::blank();
        view.read(datagram, limits)?;
        Ok(view)
    }

    /// Begins without octets. A view is large: whoever keeps it in place spares the copies of it.
    pub(crate) fn blank() -> Self {
        Self { bytes: &[], spans: Spans::blank() }
    }

    /// Reads one datagram, as [`parse`](Self::parse) does, into a blank view.
    pub(crate) fn read(&mut self, datagram: &'a [u8], limits: &Limits) -> Result<(), ParseError> {
        let bytes = behind_line_ends(datagram);
        let skipped = datagram.len() - bytes.len();
        self.spans.fill(bytes, limits).map_err(|error| error.moved(skipped))?;
        self.bytes = bytes.get(..self.spans.end as usize).unwrap_or(bytes);
        Ok(())
    }

    /// Takes such a user part in the URIs of this message and of copies of it.
    pub(crate) const fn set_user_part(&mut self, user_part: UserPart) {
        self.spans.user_part = user_part;
    }

    /// Takes such a user part in the URIs of this message and of copies of it; [`UserPart::Strict`] otherwise.
    #[must_use]
    pub fn with_user_part(mut self, user_part: UserPart) -> Self {
        self.set_user_part(user_part);
        self
    }

    /// Whether this is a request.
    pub fn is_request(&self) -> bool {
        self.spans.layout().is_request()
    }

    /// The method; `None` of a response.
    pub fn method(&self) -> Option<Method<'a>> {
        self.spans.layout().method(self.bytes)
    }

    /// The status code; `None` of a request.
    pub const fn status(&self) -> Option<StatusCode> {
        match self.spans.start {
            StartLine::Request { .. } => None,
            StartLine::Response { status, .. } => Some(status),
        }
    }

    /// The Request-URI as written; of a response empty.
    pub fn uri_bytes(&self) -> &'a [u8] {
        self.spans.layout().uri(self.bytes)
    }

    /// Whether this can be processed at all; the same verdict as [`Request::validate`] or [`Response::validate`].
    ///
    /// # Errors
    /// The status and the reason phrase to answer a request with, or why a response is to be dropped.
    pub fn validate(&self) -> Result<(), Rejection> {
        self.essentials().map(drop)
    }

    /// Judges as [`validate`](Self::validate), and gives what was read for that.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn essentials(&self) -> Result<Essentials<'_>, Rejection> {
        validate::message(self.bytes, &self.spans.layout())
    }

    /// The header fields.
    pub fn headers(&self) -> Headers<'_> {
        self.spans.layout().headers(self.bytes)
    }

    /// The body.
    pub fn body(&self) -> &'a [u8] {
        self.spans.layout().body(self.bytes)
    }

    /// The whole message, without what was before and after it.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// An owned copy: one allocation.
    pub fn to_message(&self) -> Message {
        let bytes = SharedBytes::of_message(self.bytes, &self.spans);
        match self.spans.start {
            StartLine::Request { .. } => Message::Request(Request::new(bytes)),
            StartLine::Response { status, .. } => Message::Response(Response::new(bytes, status)),
        }
    }

    /// An owned copy of a request, one allocation; `None` of a response.
    pub fn to_request(&self) -> Option<Request> {
        self.is_request().then(|| Request::new(SharedBytes::of_message(self.bytes, &self.spans)))
    }

    /// An owned copy of a response, one allocation; `None` of a request.
    pub fn to_response(&self) -> Option<Response> {
        Some(Response::new(SharedBytes::of_message(self.bytes, &self.spans), self.status()?))
    }
}

/// The datagram without the line ends, whole or half, before its message (RFC 3261 §7.5).
pub(in crate::message) fn behind_line_ends(datagram: &[u8]) -> &[u8] {
    let mut bytes = datagram;
    while let [b'\r' | b'\n', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

impl fmt::Debug for MessageView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageView({})", self.spans.layout().start_line(self.bytes).escape_ascii())
    }
}
