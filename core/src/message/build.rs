//! New messages, by their builders.

use super::draft::{Draft, narrow};
use super::error::BuildError;
use super::header::{Header, NameAddr};
use super::layout::part;
use super::method::Method;
use super::name::{HeaderId, HeaderName};
use super::request::Request;
use super::response::Response;
use super::scan;
use super::start_line::StartLine;
use super::status::StatusCode;
use super::writable::is_request_uri;
use core::fmt;

/// What both builders hand to their draft; `copy` has a doc line of its own in each.
macro_rules! draft_methods {
    ($(#[$of_copy:meta])* copy) => {
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

        $(#[$of_copy])*
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
    };
}

/// Writes a new request. Headers stand in the order given; Content-Type and Content-Length follow at the end.
#[derive(Clone)]
pub struct RequestBuilder {
    draft: Draft,
    /// Where the method ends.
    method: usize,
    /// Where the Request-URI ends.
    uri_end: usize,
}

impl RequestBuilder {
    pub(super) fn new(method: Method<'_>, uri: &[u8]) -> Self {
        let mut draft = Draft::new(640);
        if scan::token(method.as_str().as_bytes()).is_none() {
            draft.fail(BuildError::Method);
        }
        if !is_request_uri(uri) {
            draft.fail(BuildError::Uri);
        }
        draft.lines.extend_from_slice(method.as_str().as_bytes());
        draft.lines.push(b' ');
        draft.lines.extend_from_slice(uri);
        let uri_end = draft.lines.len();
        draft.lines.extend_from_slice(b" SIP/2.0\r\n");
        Self { draft, method: method.as_str().len(), uri_end }
    }

    draft_methods!(
        /// Copies every field of this header from another request byte for byte.
        copy
    );

    /// The request.
    ///
    /// # Errors
    /// The first name or value that cannot be written, or the headers are too long.
    pub fn finish(self) -> Result<Request, BuildError> {
        let (method, uri) = (narrow(self.method)?, narrow(self.method + 1)?);
        let start = StartLine::Request { method, uri, uri_end: narrow(self.uri_end)? };
        let (bytes, layout) = self.draft.finish(start, self.uri_end + b" SIP/2.0\r\n".len())?;
        Ok(Request::new(bytes, layout))
    }
}

/// Writes a response. Headers stand in the order given; Content-Type and Content-Length follow at the end.
#[derive(Clone)]
pub struct ResponseBuilder {
    draft: Draft,
    status: StatusCode,
    /// Where the reason phrase ends.
    reason_end: usize,
    /// Which of the fields is To.
    to: Option<usize>,
}

/// How long `SIP/2.0 200 ` is.
const BEFORE_REASON: usize = 12;

impl ResponseBuilder {
    pub(super) fn new(request: &Request, status: StatusCode) -> Self {
        let headers = request.headers();
        // Room for all headers of the request: mostly those that are not copied make up for those that are added.
        let mut draft = Draft::new(headers.end() + 128);
        let [hundreds, tens, ones] =
            [100, 10, 1].map(|unit| b'0' + u8::try_from(status.get() / unit % 10).unwrap_or_default());
        draft.lines.extend_from_slice(b"SIP/2.0 ");
        draft.lines.extend_from_slice(&[hundreds, tens, ones, b' ']);
        draft.lines.extend_from_slice(status.reason().as_bytes());
        let reason_end = draft.lines.len();
        draft.lines.extend_from_slice(b"\r\n");
        let mut builder = Self { draft, status, reason_end, to: None };
        let (mut from, mut call_id, mut cseq) = (false, false, false);
        for (id, field) in headers.known() {
            let copied = match id {
                HeaderId::Via => true,
                HeaderId::From => !core::mem::replace(&mut from, true),
                HeaderId::CallId => !core::mem::replace(&mut call_id, true),
                HeaderId::CSeq => !core::mem::replace(&mut cseq, true),
                HeaderId::To if builder.to.is_none() => {
                    builder.to = Some(builder.draft.fields.len());
                    true
                }
                HeaderId::Timestamp => status == StatusCode::TRYING,
                _ => false,
            };
            if copied {
                builder.draft.line(headers, &field);
            }
        }
        builder
    }

    draft_methods!(
        /// Copies every field of this header from the request byte for byte, such as Record-Route (RFC 3261 §12.1.1).
        copy
    );

    /// Another reason phrase than the usual one.
    #[must_use]
    pub fn reason(mut self, reason: impl AsRef<[u8]>) -> Self {
        let reason = reason.as_ref();
        self.draft.check(reason);
        self.draft.put(BEFORE_REASON, self.reason_end - BEFORE_REASON, &[reason], 0);
        self.reason_end = BEFORE_REASON + reason.len();
        self
    }

    /// Adds a tag to To if it has none (RFC 3261 §8.2.6.2). A To that is absent or malformed stays as it is.
    #[must_use]
    pub fn to_tag(mut self, tag: &str) -> Self {
        if scan::token(tag.as_bytes()).is_none() {
            self.draft.fail(BuildError::Tag);
            return self;
        }
        let Some((index, to)) = self.to.and_then(|index| Some((index, *self.draft.fields.get(index)?))) else {
            return self;
        };
        if NameAddr::parse(part(&self.draft.lines, to.start, to.end)).is_ok_and(|to| !to.parameters.has("tag")) {
            self.draft.append(index, &[b";tag=", tag.as_bytes()]);
        }
        self
    }

    /// The response.
    ///
    /// # Errors
    /// The first name or value that cannot be written, or the headers are too long.
    pub fn finish(self) -> Result<Response, BuildError> {
        let (reason, reason_end) = (narrow(BEFORE_REASON)?, narrow(self.reason_end)?);
        let start = StartLine::Response { status: self.status, reason, reason_end };
        let (bytes, layout) = self.draft.finish(start, self.reason_end + b"\r\n".len())?;
        Ok(Response::new(bytes, layout, self.status))
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

#[cfg(test)]
mod tests {
    use super::{Method, Request, Response};
    use crate::message::header::{CSeq, NameAddr, To};
    use crate::message::{BuildError, HeaderId, Limits, Message, StatusCode, Uri, UriBuf};
    use alloc::string::String;
    use alloc::vec::Vec;

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
        assert_spans(&Message::Request(request.clone()));
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

    /// The spans that were noted are those that a reader of the octets finds.
    fn assert_spans(built: &Message) {
        let limits = Limits { header_section: 65_535, ..Limits::default() };
        let again = Message::parse(built.as_bytes(), &limits).unwrap();
        let fields = |message: &Message| -> Vec<_> {
            let headers = message.headers();
            headers.iter().map(|field| (field.name.as_str().len(), field.value.to_vec(), field.line.to_vec())).collect()
        };
        assert_eq!(fields(built), fields(&again));
        assert_eq!(built.body(), again.body());
        assert_eq!(alloc::format!("{built:?}"), alloc::format!("{again:?}"));
    }

    #[test]
    fn headers_do_not_grow_beyond_the_bound() {
        let long = "x".repeat(65_400);
        let request = options().header("X-Long", &long).finish().unwrap();
        assert_spans(&Message::Request(request.clone()));
        assert_eq!(options().header("X-Long", &long).header("X", &long).finish(), Err(BuildError::TooLong));
        let text = alloc::format!("BYE sip:a SIP/2.0\r\nTo: <sip:b>\r\nVia: {long}\r\n\r\n");
        let limits = Limits { header_section: 65_535, ..Limits::default() };
        let Ok(Message::Request(request)) = Message::parse(text.as_bytes(), &limits) else { panic!() };
        let tagged = |length: usize| Response::to(&request, StatusCode::OK).to_tag(&"t".repeat(length)).finish();
        assert!(tagged(10).is_ok());
        assert_eq!(tagged(200), Err(BuildError::TooLong));
        assert_eq!(tagged(70_000), Err(BuildError::TooLong));
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
        assert_spans(&Message::Response(response.clone()));
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
