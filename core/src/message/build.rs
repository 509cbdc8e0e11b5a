//! New messages: written line by line, Content-Length last.

use super::bytes::SharedBytes;
use super::error::BuildError;
use super::header::{Header, NameAddr};
use super::layout::Layout;
use super::limits::Limits;
use super::method::Method;
use super::name::{HeaderId, HeaderName};
use super::request::Request;
use super::response::Response;
use super::scan;
use super::status::StatusCode;
use super::uri::Uri;
use alloc::vec::Vec;
use core::fmt;
use smallvec::SmallVec;

/// Writes a new request. Headers stand in the order given; Content-Type and Content-Length follow at the end.
#[derive(Clone)]
pub struct RequestBuilder {
    draft: Draft,
}

impl RequestBuilder {
    pub(super) fn new(method: Method<'_>, uri: Uri<'_>) -> Self {
        let mut draft = Draft::default();
        if scan::token(method.as_str().as_bytes()).is_none() {
            draft.fail(BuildError::Method);
        }
        if !is_request_uri(uri.as_bytes()) {
            draft.fail(BuildError::Uri);
        }
        draft.lines.extend_from_slice(method.as_str().as_bytes());
        draft.lines.push(b' ');
        draft.lines.extend_from_slice(uri.as_bytes());
        draft.lines.extend_from_slice(b" SIP/2.0\r\n");
        Self { draft }
    }

    /// Adds a field. A Content-Length given here is left out: the right one is written at the end.
    #[must_use]
    pub fn header<'n>(mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> Self {
        self.draft.field(name.into(), value.as_ref());
        self
    }

    /// Adds a typed field.
    #[must_use]
    pub fn typed<'h, H: Header<'h>>(mut self, header: &H) -> Self {
        self.draft.typed(header);
        self
    }

    /// Copies every field of this header from another request byte for byte.
    #[must_use]
    pub fn copy(mut self, request: &Request, id: HeaderId) -> Self {
        self.draft.copy(request, id);
        self
    }

    /// Sets the body and its Content-Type; an empty `content_type` writes none.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Self {
        self.draft.body(content_type, body);
        self
    }

    /// The request.
    ///
    /// # Errors
    /// The first name or value that cannot be written, or the headers are too long.
    pub fn finish(self) -> Result<Request, BuildError> {
        let (bytes, layout) = self.draft.finish(&[])?;
        Ok(Request::new(bytes, layout))
    }
}

/// Writes a response. Headers stand in the order given; Content-Type and Content-Length follow at the end.
#[derive(Clone)]
pub struct ResponseBuilder {
    draft: Draft,
    status: StatusCode,
    /// Another reason phrase than the usual one.
    reason: Option<Vec<u8>>,
    /// Where the value of To stands among the lines.
    to: Option<(usize, usize)>,
}

impl ResponseBuilder {
    pub(super) fn new(request: &Request, status: StatusCode) -> Self {
        let mut builder = Self { draft: Draft::default(), status, reason: None, to: None };
        let mut seen = SmallVec::<[HeaderId; 4]>::new();
        for field in request.headers().iter() {
            let HeaderName::Known(id) = field.name else { continue };
            let copied = match id {
                HeaderId::Via => true,
                HeaderId::From | HeaderId::To | HeaderId::CallId | HeaderId::CSeq => {
                    let first = !seen.contains(&id);
                    seen.push(id);
                    first
                }
                HeaderId::Timestamp => status == StatusCode::TRYING,
                _ => false,
            };
            if !copied {
                continue;
            }
            if id == HeaderId::To {
                let start = builder.draft.lines.len() + scan::offset_in(field.line, field.value);
                builder.to = Some((start, start + field.value.len()));
            }
            builder.draft.line(field.line);
        }
        builder
    }

    /// Adds a field. A Content-Length given here is left out: the right one is written at the end.
    #[must_use]
    pub fn header<'n>(mut self, name: impl Into<HeaderName<'n>>, value: impl AsRef<[u8]>) -> Self {
        self.draft.field(name.into(), value.as_ref());
        self
    }

    /// Adds a typed field.
    #[must_use]
    pub fn typed<'h, H: Header<'h>>(mut self, header: &H) -> Self {
        self.draft.typed(header);
        self
    }

    /// Copies every field of this header from the request byte for byte, such as Record-Route (RFC 3261 §12.1.1).
    #[must_use]
    pub fn copy(mut self, request: &Request, id: HeaderId) -> Self {
        self.draft.copy(request, id);
        self
    }

    /// Another reason phrase than the usual one.
    #[must_use]
    pub fn reason(mut self, reason: impl AsRef<[u8]>) -> Self {
        let reason = reason.as_ref();
        self.draft.check(reason);
        self.reason = Some(reason.to_vec());
        self
    }

    /// Adds a tag to To if it has none (RFC 3261 §8.2.6.2). A To that is absent or malformed stays as it is.
    #[must_use]
    pub fn to_tag(mut self, tag: &str) -> Self {
        if scan::token(tag.as_bytes()).is_none() {
            self.draft.fail(BuildError::Tag);
            return self;
        }
        let Some((start, end)) = self.to else { return self };
        let value = self.draft.lines.get(start..end).unwrap_or_default();
        if NameAddr::parse(value).is_ok_and(|to| !to.parameters.has("tag")) {
            let text = b";tag=".iter().chain(tag.as_bytes()).copied();
            self.draft.lines.splice(end..end, text);
            self.to = Some((start, end + 5 + tag.len()));
        }
        self
    }

    /// Sets the body and its Content-Type; an empty `content_type` writes none.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: &[u8]) -> Self {
        self.draft.body(content_type, body);
        self
    }

    /// The response.
    ///
    /// # Errors
    /// The first name or value that cannot be written, or the headers are too long.
    pub fn finish(self) -> Result<Response, BuildError> {
        let reason = self.reason.as_deref().unwrap_or(self.status.reason().as_bytes());
        let [hundreds, tens, ones] =
            [100, 10, 1].map(|unit| b'0' + u8::try_from(self.status.get() / unit % 10).unwrap_or_default());
        let start_line = [b"SIP/2.0 ", [hundreds, tens, ones, b' '].as_slice(), reason, b"\r\n"].concat();
        let (bytes, layout) = self.draft.finish(&start_line)?;
        Ok(Response::new(bytes, layout, self.status))
    }
}

/// What both builders do.
#[derive(Clone, Default)]
struct Draft {
    lines: Vec<u8>,
    content_type: Vec<u8>,
    body: Vec<u8>,
    error: Option<BuildError>,
}

impl Draft {
    /// Keeps the first error.
    fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }

    fn check(&mut self, value: &[u8]) {
        if !is_writable(value) {
            self.fail(BuildError::Control);
        }
    }

    fn field(&mut self, name: HeaderName<'_>, value: &[u8]) {
        self.check(value);
        match writable_name(name) {
            Ok(HeaderName::Known(HeaderId::ContentLength)) => {}
            Ok(name) => write_field(&mut self.lines, name, value),
            Err(error) => self.fail(error),
        }
    }

    fn typed<'h, H: Header<'h>>(&mut self, header: &H) {
        let mut value = Vec::with_capacity(64);
        header.write(&mut value);
        self.field(H::ID.into(), &value);
    }

    fn copy(&mut self, request: &Request, id: HeaderId) {
        for field in request.headers().iter().filter(|field| field.name == id.into()) {
            self.line(field.line);
        }
    }

    /// Adds a line of another message.
    fn line(&mut self, line: &[u8]) {
        self.lines.extend_from_slice(scan::trim_end(line));
        self.lines.extend_from_slice(b"\r\n");
    }

    fn body(&mut self, content_type: &str, body: &[u8]) {
        self.check(content_type.as_bytes());
        self.content_type = content_type.as_bytes().to_vec();
        self.body = body.to_vec();
    }

    fn finish(self, start_line: &[u8]) -> Result<(SharedBytes, Layout), BuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let room = start_line.len() + self.lines.len() + self.content_type.len() + self.body.len() + 48;
        let mut out = Vec::with_capacity(room);
        out.extend_from_slice(start_line);
        out.extend_from_slice(&self.lines);
        if !self.content_type.is_empty() {
            write_field(&mut out, HeaderId::ContentType.into(), &self.content_type);
        }
        write_field(&mut out, HeaderId::ContentLength.into(), decimal(self.body.len()).as_ref());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        Ok((out.as_slice().into(), layout_of(&out)?))
    }
}

/// The start line; values may be secrets.
impl fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.draft.lines.split(|&octet| octet == b'\r').next().unwrap_or_default();
        write!(f, "RequestBuilder({})", line.escape_ascii())
    }
}

/// The status; values may be secrets.
impl fmt::Debug for ResponseBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseBuilder({:?})", self.status)
    }
}

/// `name: value` and a line end.
pub(super) fn write_field(out: &mut Vec<u8>, name: HeaderName<'_>, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Whether a value can be written without ending its line.
pub(super) fn is_writable(value: &[u8]) -> bool {
    !value.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0))
}

/// The name resolved, if it is a token.
pub(super) fn writable_name(name: HeaderName<'_>) -> Result<HeaderName<'_>, BuildError> {
    match name {
        HeaderName::Known(_) => Ok(name),
        HeaderName::Other(text) if scan::token(text.as_bytes()).is_some() => Ok(text.into()),
        HeaderName::Other(_) => Err(BuildError::HeaderName),
    }
}

/// Whether this can stand between two spaces.
pub(super) fn is_request_uri(uri: &[u8]) -> bool {
    !uri.is_empty() && uri.iter().all(u8::is_ascii_graphic)
}

/// The digits of a number.
pub(super) fn decimal(number: usize) -> impl AsRef<[u8]> {
    alloc::format!("{number}").into_bytes()
}

/// The spans of a message that was just written.
pub(super) fn layout_of(bytes: &[u8]) -> Result<Layout, BuildError> {
    const ANY: usize = usize::MAX;
    const NONE: Limits = Limits {
        start_line: ANY,
        header_section: ANY,
        headers: ANY,
        body: ANY,
        via_values: ANY,
        parameters: ANY,
        parts: ANY,
    };
    // Lines were checked one by one: only their sum can be wrong.
    Layout::read(bytes, &NONE).map_err(|_| BuildError::TooLong)
}

#[cfg(test)]
mod tests {
    use super::{Method, Request, Response, Uri};
    use crate::message::header::{CSeq, NameAddr, To};
    use crate::message::{BuildError, HeaderId, Limits, Message, StatusCode, UriBuf};
    use alloc::string::String;

    fn uri() -> UriBuf {
        "sip:bob@biloxi.com".parse().unwrap()
    }

    fn options() -> super::RequestBuilder {
        Request::builder(Method::Options, uri().as_uri())
    }

    fn parsed(text: &str) -> Request {
        match Message::parse(text.as_bytes(), &Limits::default()) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_is_written_in_the_order_given() {
        let bob = NameAddr::parse(b"\"Bob\" <sip:bob@biloxi.com>").unwrap();
        let request = options()
            .header(HeaderId::Via, "SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKhjhs8ass877")
            .header("max-forwards", "70")
            .typed(&To(bob))
            .header(HeaderId::ContentLength, "999")
            .typed(&CSeq { number: 63104, method: Method::Options })
            .header("X-Other", "y")
            .body("text/plain", b"hello")
            .finish()
            .unwrap();
        let expected = "OPTIONS sip:bob@biloxi.com SIP/2.0\r\n\
            Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bKhjhs8ass877\r\n\
            Max-Forwards: 70\r\n\
            To: \"Bob\" <sip:bob@biloxi.com>\r\n\
            CSeq: 63104 OPTIONS\r\n\
            X-Other: y\r\n\
            Content-Type: text/plain\r\n\
            Content-Length: 5\r\n\
            \r\n\
            hello";
        assert_eq!(String::from_utf8(request.as_bytes().to_vec()).unwrap(), expected);
        assert_eq!((request.method(), request.body()), (Method::Options, &b"hello"[..]));
        assert_eq!(request.uri().unwrap().user(), Some("bob"));
    }

    #[test]
    fn nothing_is_injected() {
        for bad in ["a\r\nEvil: 1", "a\nb", "\r", "\0"] {
            assert_eq!(options().header("Subject", bad).finish(), Err(BuildError::Control));
            assert_eq!(options().body(bad, b"").finish(), Err(BuildError::Control));
            let trying = Response::to(&options().finish().unwrap(), StatusCode::TRYING);
            assert_eq!(trying.clone().reason(bad).finish(), Err(BuildError::Control));
            assert_eq!(trying.to_tag(bad).finish(), Err(BuildError::Tag));
        }
        for bad in ["", "a b", "a:", "a\r\n", "ä"] {
            assert_eq!(options().header(bad, "x").finish(), Err(BuildError::HeaderName));
        }
        let odd = Request::builder(Method::Other("A B"), uri().as_uri()).finish();
        assert_eq!(odd, Err(BuildError::Method));
        assert_eq!(Request::builder(Method::Ack, Uri::EMPTY).finish(), Err(BuildError::Uri));
    }

    const REQUEST: &str = "INVITE sip:bob@biloxi.com SIP/2.0\r\n\
        Record-Route: <sip:p2.com;lr>\r\n\
        Via: SIP/2.0/UDP a.com;branch=z9hG4bKa,\r\n  SIP/2.0/UDP b.com\r\n\
        Timestamp: 54\r\n\
        t:  Bob\r\n <sip:bob@biloxi.com>  \r\n\
        v: SIP/2.0/UDP c.com\r\n\
        FROM: <sip:alice@atlanta.com>;tag=88\n\
        Call-ID: x\r\n\
        From: <sip:mallory@atlanta.com>\r\n\
        CSeq: 1 INVITE\r\n\
        Record-Route: <sip:p1.com;lr>\r\n\
        Content-Length: 3\r\n\
        \r\n\
        abc";

    #[test]
    fn a_response_copies_what_the_rfc_says() {
        let response = Response::to(&parsed(REQUEST), StatusCode::OK)
            .copy(&parsed(REQUEST), HeaderId::RecordRoute)
            .to_tag("314159")
            .to_tag("another")
            .body("application/sdp", b"v=0")
            .finish()
            .unwrap();
        let expected = "SIP/2.0 200 OK\r\n\
            Via: SIP/2.0/UDP a.com;branch=z9hG4bKa,\r\n  SIP/2.0/UDP b.com\r\n\
            t:  Bob\r\n <sip:bob@biloxi.com>;tag=314159\r\n\
            v: SIP/2.0/UDP c.com\r\n\
            FROM: <sip:alice@atlanta.com>;tag=88\r\n\
            Call-ID: x\r\n\
            CSeq: 1 INVITE\r\n\
            Record-Route: <sip:p2.com;lr>\r\n\
            Record-Route: <sip:p1.com;lr>\r\n\
            Content-Type: application/sdp\r\n\
            Content-Length: 3\r\n\
            \r\n\
            v=0";
        assert_eq!(String::from_utf8(response.as_bytes().to_vec()).unwrap(), expected);
        assert_eq!(response.to_header().unwrap().tag(), Some("314159"));
        assert_eq!((response.status(), response.reason()), (StatusCode::OK, &b"OK"[..]));
    }

    #[test]
    fn trying_has_the_timestamp_and_keeps_the_tag_that_is_there() {
        let request = parsed(&REQUEST.replace("biloxi.com>  ", "biloxi.com>;tag=1"));
        let trying = Response::to(&request, StatusCode::TRYING).to_tag("2").finish().unwrap();
        assert_eq!(trying.headers().raw(HeaderId::Timestamp), Some(&b"54"[..]));
        assert_eq!(trying.to_header().unwrap().tag(), Some("1"));
    }

    #[test]
    fn a_tag_goes_behind_an_address_without_brackets() {
        let request = parsed("BYE sip:a SIP/2.0\r\nTo: sip:bob@biloxi.com;x=y\r\n\r\n");
        let response = Response::to(&request, StatusCode::OK).reason("Fine").to_tag("2").finish().unwrap();
        assert_eq!(response.headers().raw(HeaderId::To), Some(&b"sip:bob@biloxi.com;x=y;tag=2"[..]));
        assert_eq!(response.reason(), b"Fine");
    }
}
