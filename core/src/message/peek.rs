//! A glance at a datagram: enough to say which node of several it is for.

use super::header::{CSeq, CallId, Header, Via};
use super::layout::StartLine;
use super::limits::Limits;
use super::method::Method;
use super::name::HeaderId;
use super::read::{Section, behind_line_ends, start_line};
use super::text::Values;

/// Whether a message asks or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It is a request.
    Request,
    /// It is a response.
    Response,
}

/// The findings of [`peek`] in a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peek<'a> {
    /// Request or response.
    pub direction: Direction,
    /// The method of the request line, or of the CSeq of a response.
    pub method: Method<'a>,
    /// The Call-ID.
    pub call_id: &'a str,
    /// The `branch` of the topmost Via; `None` if it has none.
    pub branch: Option<&'a str>,
}

/// Looks into a datagram for its direction and method, its Call-ID and the branch of its topmost Via (RFC 3261 §20.8, §20.42), so
/// that a front of several nodes can tell whose it is. Nothing is allocated, no span is kept, and no line is read behind the
/// last that is needed.
///
/// `None` if the datagram is no message, or if one of the three headers is absent or malformed. Whatever
/// [`Message::parse`](super::Message::parse) takes and [`validate`](super::Request::validate) finds in order, `peek` reads the
/// same; it may read more, as nothing behind the last line needed is looked at. Bounds of [`Limits`] are not applied, as nothing grows.
pub fn peek(datagram: &[u8]) -> Option<Peek<'_>> {
    let mut section = Section::new(behind_line_ends(datagram), &Limits::UNBOUNDED);
    let line = section.line().ok()?;
    let (start, _) = start_line(line, &Limits::UNBOUNDED).ok()?;
    let (direction, mut method) = match start {
        StartLine::Request { method, .. } => (Direction::Request, Some(Method::parse(line.get(..method.into())?)?)),
        StartLine::Response { .. } => (Direction::Response, None),
    };
    let (mut call_id, mut via) = (None, None);
    loop {
        if let (Some(method), Some(call_id), Some(branch)) = (method, call_id, via) {
            return Some(Peek { direction, method, call_id, branch });
        }
        let (field, value) = section.field().ok()??;
        match field.id {
            Some(HeaderId::CallId) if call_id.is_none() => call_id = Some(CallId::parse(value).ok()?.0),
            Some(HeaderId::CSeq) if method.is_none() => method = Some(CSeq::parse(value).ok()?.method),
            // A field without a value has no topmost one.
            Some(HeaderId::Via) if via.is_none() => {
                if let Some(first) = Values::new(value).next() {
                    via = Some(Via::parse(first).ok()?.branch());
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction, Peek, peek};
    use crate::message::Method;

    #[test]
    fn what_names_a_transaction_and_a_dialog_is_found() {
        let request =
            b"\r\nOPTIONS sip:b SIP/2.0\r\nVia:\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1 , SIP/2.0/UDP b\r\ni: x@y\r\n";
        let expected =
            Peek { direction: Direction::Request, method: Method::Options, call_id: "x@y", branch: Some("z9hG4bK1") };
        assert_eq!(peek(request), Some(expected));
        let twice = b"BYE sip:b SIP/2.0\r\ni: 1\r\nCall-ID: 2\r\nVia: SIP/2.0/UDP a;branch=b\r\nVia: SIP/2.0/UDP c;branch=d\r\n";
        let expected = Peek { direction: Direction::Request, method: Method::Bye, call_id: "1", branch: Some("b") };
        assert_eq!(peek(twice), Some(expected), "the first of each counts");
        let response = b"SIP/2.0 200 OK\r\nCall-ID: 1\r\nVia: SIP/2.0/UDP a\r\nCSeq: 1 BYE\r\nwhatever";
        let expected = Peek { direction: Direction::Response, method: Method::Bye, call_id: "1", branch: None };
        assert_eq!(peek(response), Some(expected));
    }

    #[test]
    fn what_lacks_one_of_them_is_not_looked_at() {
        for text in [
            "",
            "\r\n\r\n",
            "GET / HTTP/1.1\r\nVia: SIP/2.0/UDP a\r\nCall-ID: 1\r\n\r\n",
            "BYE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\nCall-ID: 1\r\n",
            "BYE sip:b SIP/2.0\r\nCall-ID: 1\r\n\r\n",
            "BYE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nCall-ID: 1 2\r\n\r\n",
            "BYE sip:b SIP/2.0\r\nVia: a\r\nCall-ID: 1\r\n\r\n",
            "BYE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nno colon\r\nnor here\r\nCall-ID: 1\r\n\r\n",
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a\r\nCall-ID: 1\r\n\r\n",
        ] {
            assert_eq!(peek(text.as_bytes()), None, "{text}");
        }
    }
}
