//! The two requests that a client makes of its own INVITE, for the next hop alone: the ACK for a non-2xx final response
//! (RFC 3261 §17.1.1.3) and the CANCEL (§9.1).

use alloc::borrow::Cow;
use alloc::format;

use crate::message::{HeaderId, Lines, Method, Request, RequestBuilder, Response, unfolded};

/// The ACK for a non-2xx final response to `invite`, which has our Via on top. Its To is that of the response; one that cannot be
/// written again is as if absent. It has these fields besides.
pub(crate) fn ack(invite: &Request, response: &Response, fields: Option<&Lines>) -> Option<Request> {
    let received = response.headers().raw(HeaderId::To).map(unfolded);
    let to = if let Some(Ok(to)) = received { to } else { Cow::Borrowed(invite.headers().raw(HeaderId::To)?) };
    derive(invite, Method::Ack, &to, |ack| {
        // No server can challenge an ACK: it must carry what proved the INVITE (§22.1).
        with(ack.copy(invite, HeaderId::Authorization).copy(invite, HeaderId::ProxyAuthorization), fields)
    })
}

/// The CANCEL of `invite`, which has our Via on top, with these fields besides, such as Reason (RFC 3326).
pub(crate) fn cancel(invite: &Request, fields: Option<&Lines>) -> Option<Request> {
    derive(invite, Method::Cancel, invite.headers().raw(HeaderId::To)?, |cancel| with(cancel, fields))
}

fn with(derived: RequestBuilder, fields: Option<&Lines>) -> RequestBuilder {
    match fields {
        Some(fields) => derived.lines(fields),
        None => derived,
    }
}

/// Request-URI, topmost Via, Route, From, Call-ID and CSeq number of the INVITE, and what `add` adds: a CANCEL must not have
/// Require or Proxy-Require (§9.1), and neither has a use for a body.
fn derive(
    invite: &Request,
    method: Method<'_>,
    to: &[u8],
    add: impl FnOnce(RequestBuilder) -> RequestBuilder,
) -> Option<Request> {
    let headers = invite.headers();
    let derived = Request::builder(method, invite.uri().ok()?)
        .header(HeaderId::Via, headers.raw(HeaderId::Via)?)
        .copy(invite, HeaderId::Route)
        .header(HeaderId::MaxForwards, "70")
        .copy(invite, HeaderId::From)
        .header(HeaderId::To, to)
        .copy(invite, HeaderId::CallId)
        .header(HeaderId::CSeq, format!("{} {method}", invite.cseq()?.number));
    let derived = add(derived).finish();
    // Neither has more than its INVITE, which could be written, but for fields that were checked.
    let Ok(derived) = derived else { return None };
    Some(derived)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Limits, Message};

    fn parse(text: &str) -> Message {
        Message::parse(text.as_bytes(), &Limits::default()).unwrap()
    }

    /// RFC 3261 §22.1: the ACK duplicates all credentials of its INVITE. RFC 3665 §3.3 F10 shows it. A CANCEL is never challenged.
    #[test]
    fn an_ack_has_the_credentials_of_its_invite_and_a_cancel_has_none() {
        let rest = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nTo: <sip:bob@biloxi.com>\r\nFrom: <sip:alice@atlanta.com>;tag=1\r\n\
                    Call-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
        let credentials = "Proxy-Authorization: a b=c\r\nAuthorization: d e=f\r\nProxy-Authorization: g h=i\r\n";
        let Message::Request(invite) = parse(&format!("INVITE sip:bob@biloxi.com SIP/2.0\r\n{credentials}{rest}"))
        else {
            panic!("a request")
        };
        let Message::Response(response) = parse(&format!("SIP/2.0 486 Busy Here\r\n{rest}")) else {
            panic!("a response")
        };
        let counts = |request: &Request| {
            [HeaderId::ProxyAuthorization, HeaderId::Authorization].map(|id| request.headers().count(id))
        };
        assert_eq!(counts(&ack(&invite, &response, None).unwrap()), [2, 1]);
        assert_eq!(counts(&cancel(&invite, None).unwrap()), [0, 0]);
    }

    #[test]
    fn a_to_that_was_received_is_written_again_in_the_ack() {
        let rest = "From: <sip:alice@atlanta.com>;tag=1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
        let via = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n";
        let invite = parse(&format!("INVITE sip:bob@biloxi.com SIP/2.0\r\n{via}To: <sip:bob@biloxi.com>\r\n{rest}"));
        let Message::Request(invite) = invite else { panic!("a request") };
        for (received, written) in [
            ("Bob\r\n <sip:bob@biloxi.com>;tag=2", "Bob <sip:bob@biloxi.com>;tag=2"),
            ("\"B\\\"ob\" \r\n\t<sip:bob@biloxi.com>\r\n ;tag=2", "\"B\\\"ob\" <sip:bob@biloxi.com> ;tag=2"),
            ("\"B\0ob\" <sip:bob@biloxi.com>;tag=2", "<sip:bob@biloxi.com>"),
        ] {
            let response = parse(&format!("SIP/2.0 486 Busy Here\r\n{via}To: {received}\r\n{rest}"));
            let Message::Response(response) = response else { panic!("a response") };
            let ack = ack(&invite, &response, None).unwrap();
            assert_eq!(ack.headers().raw(HeaderId::To), Some(written.as_bytes()), "{received:?}");
        }
    }
}
