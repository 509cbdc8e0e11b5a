//! Bodies of messages, as the application gives and takes them.

use alloc::string::String;

use crate::message::{Content, HeaderId, Message, Request, Response, SharedBytes};
use crate::user_agent::description::description;

/// A message body and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The value of Content-Type, such as `application/sdp`.
    pub content_type: String,
    /// The octets.
    pub bytes: SharedBytes,
}

impl Body {
    /// A session description (RFC 4566): `application/sdp`.
    ///
    /// ```
    /// # use sansip::user_agent::Body;
    /// let offer = Body::sdp("v=0\r\n");
    /// assert_eq!(offer.content_type, "application/sdp");
    /// ```
    pub fn sdp(text: impl AsRef<[u8]>) -> Self {
        Self::new("application/sdp", text)
    }

    /// A body of that type.
    pub fn new(content_type: &str, bytes: impl AsRef<[u8]>) -> Self {
        Self { content_type: content_type.into(), bytes: bytes.as_ref().into() }
    }

    /// The body of a request, if there is one.
    pub fn of_request(request: &Request) -> Option<Self> {
        Self::read(request.headers().raw(HeaderId::ContentType), request.body())
    }

    /// The body of a response, if there is one.
    pub fn of_response(response: &Response) -> Option<Self> {
        Self::read(response.headers().raw(HeaderId::ContentType), response.body())
    }

    /// The body of a message, if there is one.
    pub fn of_message(message: &Message) -> Option<Self> {
        match message {
            Message::Request(request) => Self::of_request(request),
            Message::Response(response) => Self::of_response(response),
        }
    }

    /// The session description in the body of a request, if it has one: the body, or one of its parts (RFC 5621). This is the offer of an
    /// INVITE, or the answer of an ACK.
    ///
    /// ```
    /// # use sansip::user_agent::{Body, Event, UserAgent};
    /// # fn answer_to(_: &Body) -> Body { Body::sdp("v=0\r\n") }
    /// # fn example(bob: &mut UserAgent, now: sansip::Instant, event: Event) -> Result<(), sansip::CommandError> {
    /// if let Event::Incoming { call, request, .. } = event {
    ///     let answer = Body::session_of_request(&request).map(|offer| answer_to(&offer));
    ///     bob.answer(now, call, answer)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn session_of_request(request: &Request) -> Option<Self> {
        description(request.headers().raw(HeaderId::ContentType), request.body()).map(Self::sdp)
    }

    /// The session description in the body of a response, if it has one: see [`session_of_request`](Self::session_of_request).
    pub fn session_of_response(response: &Response) -> Option<Self> {
        description(response.headers().raw(HeaderId::ContentType), response.body()).map(Self::sdp)
    }

    /// The body as a message takes it.
    pub(in crate::user_agent) fn content(&self) -> Content<'_> {
        Content { content_type: &self.content_type, octets: &self.bytes }
    }

    fn read(content_type: Option<&[u8]>, bytes: &[u8]) -> Option<Self> {
        // Without a word the type is that of plain octets (§20.15 asks for the header, and not every peer gives it).
        let content_type = content_type.and_then(|value| core::str::from_utf8(value).ok()).unwrap_or_default();
        (!bytes.is_empty()).then(|| Self::new(content_type, bytes))
    }
}

impl<'a> Content<'a> {
    /// This content, or if there is none that of the body which stands in such messages.
    pub(in crate::user_agent) fn or(self, standing: Option<&'a Body>) -> Self {
        match standing {
            Some(body) if self.octets.is_empty() && self.content_type.is_empty() => body.content(),
            _ => self,
        }
    }
}
