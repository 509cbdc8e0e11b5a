//! Responses to requests (RFC 3261 §8.2.6).

use super::lines::{Content, Lines, check_section};
use super::parts::Parts;
use super::placing::Placing;
use super::request::line_methods;
use super::writable::is_writable;
use crate::message::bytes::SharedBytes;
use crate::message::error::BuildError;
use crate::message::header::{Header, NameAddrText, Timestamp};
use crate::message::layout::StartLine;
use crate::message::name::{HeaderId, HeaderName};
use crate::message::request::Request;
use crate::message::response::Response;
use crate::message::span::{FieldSpan, narrow, part};
use crate::message::status::StatusCode;
use crate::message::text::{self, decimal};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;
use smallvec::SmallVec;

/// The parts that a response is written from. Every Via, From, To, Call-ID and CSeq of the request, and Timestamp if this is a 100, come
/// first, in the request's order and byte for byte; then the lines, then Content-Type and Content-Length.
#[derive(Clone, Copy)]
pub(crate) struct ResponseParts<'a> {
    /// The request that is answered.
    pub(crate) request: &'a Request,
    /// The status code.
    pub(crate) status: StatusCode,
    /// Another reason phrase than the usual one.
    pub(crate) reason: Option<&'a [u8]>,
    /// The tag that To gets if it has none (§8.2.6.2). A To that is absent or malformed stays as it is.
    pub(crate) to_tag: Option<&'a str>,
    /// The seconds that a 100 was delayed, for a Timestamp that says none (§8.2.6.1).
    pub(crate) delay: Option<&'a str>,
    /// The fields that are added.
    pub(crate) lines: &'a Lines,
    /// The body and its type.
    pub(crate) content: Content<'a>,
}

impl<'a> ResponseParts<'a> {
    /// A response with the usual reason phrase and these fields besides those that are copied; no tag is added.
    pub(crate) fn new(request: &'a Request, status: StatusCode, lines: &'a Lines) -> Self {
        Self { request, status, reason: None, to_tag: None, delay: None, lines, content: Content::default() }
    }

    /// The octets: one allocation.
    ///
    /// # Errors
    /// The first name or value that cannot be written, or the header section is too long.
    pub(crate) fn octets(&self) -> Result<SharedBytes, BuildError> {
        self.write(|_, _| {}, SharedBytes::of_parts)
    }

    /// Hands all parts to `write`. `copied` is told each field that is copied from the request, and how many octets are added to it.
    fn write(
        &self,
        copied: impl FnMut(FieldSpan, usize),
        write: impl FnOnce(&[&[u8]]) -> SharedBytes,
    ) -> Result<SharedBytes, BuildError> {
        let reason = self.reason.unwrap_or(self.status.reason().as_bytes());
        if !is_writable(reason) {
            return Err(BuildError::Control);
        }
        let lines = self.lines.check()?;
        let content_type = self.content.type_parts()?;
        let length = decimal(self.content.octets.len());
        let code = decimal(self.status.get().into());
        let mut parts: Parts<'_> = Parts::default();
        parts.put([b"SIP/2.0 ", code.as_bytes(), b" ", reason, b"\r\n"]);
        self.copies(&mut parts, copied)?;
        parts.put([lines]);
        parts.put(content_type);
        parts.put([b"Content-Length: ", length.as_bytes(), b"\r\n\r\n"]);
        check_section(parts.len())?;
        parts.put([self.content.octets]);
        Ok(write(parts.as_slice()))
    }

    /// Adds what is copied from the request, To with its tag.
    fn copies(&self, parts: &mut Parts<'a>, mut copied: impl FnMut(FieldSpan, usize)) -> Result<(), BuildError> {
        if self.to_tag.is_some_and(|tag| text::token(tag.as_bytes()).is_none()) {
            return Err(BuildError::Tag);
        }
        let (headers, bytes) = (self.request.headers(), self.request.as_bytes());
        let (mut to, mut from, mut call_id, mut cseq) = (false, false, false, false);
        // Fields that follow one another are copied at once.
        let mut run = 0..0;
        for (id, field) in headers.known() {
            let is_copied = match id {
                HeaderId::Via => true,
                HeaderId::From => !core::mem::replace(&mut from, true),
                HeaderId::CallId => !core::mem::replace(&mut call_id, true),
                HeaderId::CSeq => !core::mem::replace(&mut cseq, true),
                HeaderId::To => !core::mem::replace(&mut to, true),
                HeaderId::Timestamp => self.status == StatusCode::TRYING,
                _ => false,
            };
            if !is_copied {
                continue;
            }
            let value = part(bytes, field.start, field.end);
            let added: Option<[&[u8]; 2]> = match (id, self.to_tag, self.delay) {
                (HeaderId::To, Some(tag), _) if self.lacks_tag(value) => Some([b";tag=", tag.as_bytes()]),
                (HeaderId::Timestamp, _, Some(delay)) if lacks_delay(value) => Some([b" ", delay.as_bytes()]),
                _ => None,
            };
            let (line, end) = (usize::from(field.line), usize::from(field.end));
            if run.end != line {
                parts.put([bytes.get(core::mem::replace(&mut run, line..line)).unwrap_or_default()]);
            }
            // A line end that follows at once is copied, too.
            run.end = match bytes.get(end..) {
                Some([b'\r', b'\n', ..]) if added.is_none() => end + b"\r\n".len(),
                _ => end,
            };
            if run.end == end {
                parts.put([bytes.get(core::mem::take(&mut run)).unwrap_or_default()]);
                parts.put(added.unwrap_or_default());
                parts.put([b"\r\n"]);
            }
            copied(field, added.map_or(0, |parts| parts.iter().map(|part| part.len()).sum()));
        }
        parts.put([bytes.get(run).unwrap_or_default()]);
        Ok(())
    }

    /// Whether it can be read without doubt that the To of the request has no tag.
    fn lacks_tag(&self, to: &[u8]) -> bool {
        match self.request.headers().marked_to() {
            Some(to) => to.tag().is_none(),
            None => NameAddrText::parse(to).is_ok_and(|to| to.tags() == [None; 2]),
        }
    }

    /// The response, with its spans.
    ///
    /// # Errors
    /// As [`octets`](Self::octets).
    pub(crate) fn response(&self) -> Result<Response, BuildError> {
        let reason = b"SIP/2.0 200 ".len();
        let reason_end = reason + self.reason.map_or(self.status.reason().len(), <[u8]>::len);
        let start = StartLine::Response { status: self.status, reason: narrow(reason), reason_end: narrow(reason_end) };
        let placing = RefCell::new(Placing::behind(start, reason_end + b"\r\n".len()));
        let bytes = self.write(
            |field, added| placing.borrow_mut().copied(field, added),
            |parts| {
                let mut placing = placing.replace(Placing::behind(start, 0));
                placing.lines(self.lines);
                SharedBytes::of_written(parts, placing.content(&self.content))
            },
        )?;
        Ok(Response::new(bytes, self.status))
    }
}

/// Whether a Timestamp says no delay.
fn lacks_delay(timestamp: &[u8]) -> bool {
    Timestamp::parse(timestamp).is_ok_and(|timestamp| timestamp.delay.is_none())
}

impl Response {
    /// Begins the response to a request (RFC 3261 §8.2.6): every Via, From, To, Call-ID and CSeq are copied byte for byte,
    /// and Timestamp on a 100.
    pub fn to(request: &Request, status: StatusCode) -> ResponseBuilder {
        ResponseBuilder::new(request, status)
    }
}

/// Writes a response. Headers stand in the order given; Content-Type and Content-Length follow at the end.
#[derive(Clone)]
pub struct ResponseBuilder {
    request: Request,
    status: StatusCode,
    reason: Option<SmallVec<[u8; 32]>>,
    to_tag: Option<SmallVec<[u8; 32]>>,
    // The lines are large, and the builder moves with each call.
    lines: Box<Lines>,
    content_type: SmallVec<[u8; 32]>,
    body: Vec<u8>,
}

impl ResponseBuilder {
    fn new(request: &Request, status: StatusCode) -> Self {
        let request = request.clone();
        let lines = Box::new(Lines::new());
        Self { request, status, reason: None, to_tag: None, lines, content_type: SmallVec::new(), body: Vec::new() }
    }

    /// The status code.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    line_methods!(
        /// Copies every field of this header from the request byte for byte, such as Record-Route (RFC 3261 §12.1.1).
        copy
    );

    /// Another reason phrase than the usual one.
    #[must_use]
    pub fn reason(mut self, reason: impl AsRef<[u8]>) -> Self {
        // One that cannot be written stays an error, whatever is set later.
        if !is_writable(reason.as_ref()) {
            self.lines.fail(BuildError::Control);
        }
        self.reason = Some(SmallVec::from_slice(reason.as_ref()));
        self
    }

    /// Adds a tag to To if it has none (RFC 3261 §8.2.6.2). A To that is absent or malformed stays as it is; of several tags
    /// given the first counts.
    #[must_use]
    pub fn to_tag(mut self, tag: &str) -> Self {
        if text::token(tag.as_bytes()).is_none() {
            self.lines.fail(BuildError::Tag);
        }
        self.to_tag.get_or_insert_with(|| SmallVec::from_slice(tag.as_bytes()));
        self
    }

    fn write<T>(&self, write: impl FnOnce(&ResponseParts<'_>) -> Result<T, BuildError>) -> Result<T, BuildError> {
        // The first error is that of the call that came first.
        self.lines.check()?;
        let to_tag = self.to_tag.as_deref().map(text::ascii);
        let parts = ResponseParts::new(&self.request, self.status, &self.lines);
        write(&ResponseParts { reason: self.reason.as_deref(), to_tag, content: self.content(), ..parts })
    }

    /// The octets of the response: one allocation, and no spans.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn octets(&self) -> Result<SharedBytes, BuildError> {
        self.write(|parts| parts.octets())
    }

    /// The response.
    ///
    /// # Errors
    /// The first name or value that cannot be written, or the headers are too long.
    pub fn finish(self) -> Result<Response, BuildError> {
        self.write(|parts| parts.response())
    }
}

/// The status; values may be secrets.
impl fmt::Debug for ResponseBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseBuilder({:?})", self.status)
    }
}
