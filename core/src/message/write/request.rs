//! New requests.

use super::lines::{Content, Lines, check_section};
use super::parts::Parts;
use super::placing::Placing;
use super::recipe::{Hop, Recipe};
use super::writable::{is_request_uri, is_writable};
use crate::message::bytes::SharedBytes;
use crate::message::error::BuildError;
use crate::message::header::Header;
use crate::message::layout::StartLine;
use crate::message::method::Method;
use crate::message::name::{HeaderId, HeaderName};
use crate::message::read::Spans;
use crate::message::request::Request;
use crate::message::span::narrow;
use crate::message::text::{self, decimal};
use crate::message::uri::{Uri, UriBuf};
use alloc::vec::Vec;
use core::fmt;
use smallvec::SmallVec;

/// The parts that a new request is written from. Its fields stand in the order of the lines; Content-Type and Content-Length follow.
#[derive(Clone, Copy)]
pub(crate) struct RequestParts<'a> {
    /// The method.
    pub(crate) method: Method<'a>,
    /// The Request-URI.
    pub(crate) uri: &'a [u8],
    /// All fields but Content-Type and Content-Length.
    pub(crate) lines: &'a Lines,
    /// The body and its type.
    pub(crate) content: Content<'a>,
}

impl<'a> RequestParts<'a> {
    /// A request with these fields and without a body.
    pub(crate) fn new(method: Method<'a>, uri: &'a [u8], lines: &'a Lines) -> Self {
        Self { method, uri, lines, content: Content::default() }
    }

    /// The octets, with a Via of these parts before all other fields if there are any: one allocation.
    ///
    /// # Errors
    /// The first name or value that cannot be written, or the header section is too long.
    fn octets(&self, via: &[&str]) -> Result<SharedBytes, BuildError> {
        self.write(via, |parts| Ok(SharedBytes::of_parts(parts)))
    }

    fn write(
        &self,
        via: &[&str],
        write: impl FnOnce(&[&[u8]]) -> Result<SharedBytes, BuildError>,
    ) -> Result<SharedBytes, BuildError> {
        let method = self.method.as_str().as_bytes();
        if text::token(method).is_none() {
            return Err(BuildError::Method);
        }
        if !is_request_uri(self.uri) {
            return Err(BuildError::Uri);
        }
        let lines = self.lines.check()?;
        let content_type = self.content.type_parts()?;
        let length = decimal(self.content.octets.len());
        let (name, end): (&[u8], &[u8]) = if via.is_empty() { (b"", b"") } else { (b"Via: ", b"\r\n") };
        let mut parts: Parts<'_> = Parts::default();
        parts.put([method, b" ", self.uri, b" SIP/2.0\r\n", name]);
        for part in via {
            if !is_writable(part.as_bytes()) {
                return Err(BuildError::Control);
            }
            parts.put([part.as_bytes()]);
        }
        parts.put([end, lines]);
        parts.put(content_type);
        parts.put([b"Content-Length: ", length.as_bytes(), b"\r\n\r\n"]);
        check_section(parts.len())?;
        parts.put([self.content.octets]);
        write(parts.as_slice())
    }

    /// Finds where everything stands that is written without a Via, as a reader would: all of it is known to be well-formed.
    fn spans(&self) -> Spans {
        let method = self.method.as_str().len();
        let uri_end = method + 1 + self.uri.len();
        let start = StartLine::Request { method: narrow(method), uri: narrow(method + 1), uri_end: narrow(uri_end) };
        let mut placing = Placing::behind(start, uri_end + b" SIP/2.0\r\n".len());
        placing.lines(self.lines);
        placing.content(&self.content)
    }
}

impl Recipe for RequestParts<'_> {
    fn method(&self) -> Method<'_> {
        self.method
    }

    fn octets_for(&self, hop: Hop<'_>) -> Result<SharedBytes, BuildError> {
        match hop.here {
            None => self.octets(hop.via),
            // Where the field stands is found in the fields of the request.
            Some(_) => self.request()?.octets_for(hop),
        }
    }

    fn request(&self) -> Result<Request, BuildError> {
        self.write(&[], |parts| Ok(SharedBytes::of_written(parts, self.spans()))).map(Request::new)
    }
}

impl Request {
    /// Begins a new request.
    pub fn builder(method: Method<'_>, uri: Uri<'_>) -> RequestBuilder {
        RequestBuilder::new(method, uri.as_bytes())
    }

    /// Begins a new request to a URI that need not be read once more.
    pub(crate) fn builder_to(method: Method<'_>, uri: &UriBuf) -> RequestBuilder {
        RequestBuilder::new(method, uri.as_bytes())
    }
}

/// Writes a new request. Headers stand in the order given; Content-Type and Content-Length follow at the end.
#[derive(Clone)]
pub struct RequestBuilder {
    /// The method, and the Request-URI behind it.
    start: SmallVec<[u8; 64]>,
    /// Where the method ends.
    method: usize,
    // The lines are large, and the builder moves with each call.
    lines: alloc::boxed::Box<Lines>,
    content_type: SmallVec<[u8; 32]>,
    body: Vec<u8>,
}

/// Makes the methods with which both builders add to their lines; `copy` has a doc line of its own in each.
macro_rules! line_methods {
    ($(#[$of_copy:meta])* copy) => {
        /// Adds a field. A Content-Length given here is left out: the right one is written at the end.
        #[must_use]
        pub fn header<'n>(mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> Self {
            self.lines.header(name, value);
            self
        }

        /// Adds a typed field.
        #[must_use]
        pub fn typed<'h, H: Header<'h>>(mut self, header: &H) -> Self {
            self.lines.typed(header);
            self
        }

        $(#[$of_copy])*
        #[must_use]
        pub fn copy(mut self, request: &Request, id: HeaderId) -> Self {
            self.lines.copy(request.headers(), id);
            self
        }

        /// Sets the body and its Content-Type; an empty `content_type` writes none.
        #[must_use]
        pub fn body(mut self, content_type: &str, body: &[u8]) -> Self {
            // A type that cannot be written stays an error, whatever is set later.
            if !is_writable(content_type.as_bytes()) {
                self.lines.fail(BuildError::Control);
            }
            self.content_type = SmallVec::from_slice(content_type.as_bytes());
            self.body = body.to_vec();
            self
        }

        fn content(&self) -> Content<'_> {
            // It was text when it came.
            let content_type = core::str::from_utf8(&self.content_type).unwrap_or_default();
            Content { content_type, octets: &self.body }
        }
    };
}
pub(super) use line_methods;

impl RequestBuilder {
    /// Adds these fields.
    pub(crate) fn lines(mut self, fields: &Lines) -> Self {
        self.lines.append(fields);
        self
    }

    fn new(method: Method<'_>, uri: &[u8]) -> Self {
        let mut lines = alloc::boxed::Box::new(Lines::new());
        let method = method.as_str().as_bytes();
        if text::token(method).is_none() {
            lines.fail(BuildError::Method);
        }
        if !is_request_uri(uri) {
            lines.fail(BuildError::Uri);
        }
        let mut start = SmallVec::from_slice(method);
        start.extend_from_slice(uri);
        Self { start, method: method.len(), lines, content_type: SmallVec::new(), body: Vec::new() }
    }

    line_methods!(
        /// Copies every field of this header from another request byte for byte.
        copy
    );

    /// The request.
    ///
    /// # Errors
    /// The first name or value that cannot be written, or the headers are too long.
    pub fn finish(self) -> Result<Request, BuildError> {
        self.lines.check()?;
        let (method, uri) = self.start.split_at_checked(self.method).unwrap_or_default();
        let method = Method::parse(method).ok_or(BuildError::Method)?;
        RequestParts { method, uri, lines: &self.lines, content: self.content() }.request()
    }
}

/// The start line; values may be secrets.
impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, uri) = self.start.split_at_checked(self.method).unwrap_or_default();
        write!(f, "RequestBuilder({} {} SIP/2.0)", method.escape_ascii(), uri.escape_ascii())
    }
}
