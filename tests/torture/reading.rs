//! Every message as the parser reads it, those of the RFCs and our own.

use sansip::message::header::{
    Allow, CSeq, CallId, Contact, ContentLength, ContentType, Expires, From, RecordRoute, Route, To, Via,
};
use sansip::message::{BuildError, HeaderId, Limits, Message, MessageView, Response, StatusCode};

use crate::samples::samples;

#[test]
fn what_is_read_is_kept_octet_for_octet() {
    for sample in samples() {
        let Ok(message) = sample.read() else { continue };
        let kept = message.as_bytes();
        assert!(sample.bytes.starts_with(kept), "{}", sample.file);
        // Only what lies beyond Content-Length is cut.
        if kept.len() < sample.bytes.len() {
            let length = message.headers().get::<ContentLength>().unwrap().unwrap();
            assert_eq!(length.0 as usize, message.body().len(), "{}", sample.file);
        }
        let lines: usize = message.headers().iter().map(|field| field.line.len()).sum();
        assert!(lines + message.body().len() < kept.len(), "{}", sample.file);
    }
}

#[test]
fn every_header_can_be_asked_for() {
    for sample in samples() {
        let Ok(view) = MessageView::parse(&sample.bytes, &Limits::default()) else { continue };
        let headers = view.headers();
        assert!(headers.iter().all(|field| headers.contains(field.name)), "{}", sample.file);
        let _ = (headers.get::<To<'_>>(), headers.get::<From<'_>>(), headers.get::<CSeq<'_>>());
        let _ = (headers.get::<CallId<'_>>(), headers.get::<ContentType<'_>>(), headers.get::<Expires>());
        let _ = headers.all::<Via<'_>>().count() + headers.all::<Contact<'_>>().count();
        let _ = headers.all::<Route<'_>>().count() + headers.all::<RecordRoute<'_>>().count();
        assert!(headers.all::<Allow<'_>>().all(|allow| allow.is_ok()), "{}", sample.file);
    }
}

#[test]
fn every_request_can_be_answered_and_forwarded() {
    for sample in samples() {
        let Ok(Message::Request(request)) = sample.read() else { continue };
        let answer = Response::to(&request, StatusCode::BAD_REQUEST).to_tag("1").finish();
        let vias = |headers: sansip::message::Headers<'_>| headers.count(HeaderId::Via);
        assert_eq!(answer.map(|answer| vias(answer.headers())), Ok(vias(request.headers())), "{}", sample.file);
        if request.validate().is_ok() {
            assert_eq!(request.edit().finish().as_ref(), Ok(&request), "{}", sample.file);
            let forwarded = request.edit().push_first(HeaderId::Via, "SIP/2.0/UDP x.com;branch=z9hG4bKx").finish();
            let back = forwarded.and_then(|forwarded| forwarded.edit().pop_first(HeaderId::Via).finish());
            assert_eq!(back.as_ref(), Ok::<_, &BuildError>(&request), "{}", sample.file);
        }
    }
}

#[test]
fn no_cut_of_a_message_does_harm() {
    for sample in samples().iter().filter(|sample| sample.bytes.len() < 4_000) {
        for end in 0..sample.bytes.len() {
            let Ok(message) = Message::parse(&sample.bytes[..end], &Limits::default()) else { continue };
            if let Message::Request(request) = &message {
                let _ = request.validate();
                let _ = Response::to(request, StatusCode::BAD_REQUEST).to_tag("1").finish();
            }
        }
    }
}

/// The sample of this name, if there is an index.
fn sample(file: &str) -> Option<Message> {
    let sample = samples().into_iter().find(|sample| sample.is(file))?;
    Some(sample.read().unwrap_or_else(|error| panic!("{file}: {error}")))
}

#[test]
fn odd_white_space_hides_nothing() {
    let Some(message) = sample("rfc4475/wsinv.dat") else { return };
    let headers = message.headers();
    assert_eq!(headers.to().and_then(|to| to.tag()), Some("1918181833n"));
    assert_eq!(headers.from().and_then(|from| from.tag()), Some("98asjd8"));
    assert_eq!(headers.from().and_then(|from| from.display_name), Some(&br#""J Rosenberg \\\"""#[..]));
    assert_eq!(headers.raw(HeaderId::MaxForwards), Some(&b"0068"[..]));
    assert_eq!(headers.cseq().map(|cseq| cseq.number), Some(9));
    let branches: Vec<_> = headers.all::<Via<'_>>().map(|via| via.unwrap().branch().unwrap_or_default()).collect();
    assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
    let contact = headers.get::<Contact<'_>>().unwrap().unwrap();
    assert_eq!(contact.q(), Some(330));
    assert!(contact.address().unwrap().parameters.has("secondparam"));
    let route = headers.get::<Route<'_>>().unwrap().unwrap();
    assert!(route.uri.is_loose_router() && route.uri.parameters().has("unknown-no-value"));
    assert_eq!(message.body().len(), 150);
}

#[test]
fn an_escape_is_none_outside_a_uri() {
    let Some(Message::Request(request)) = sample("rfc4475/esc02.dat") else { return };
    assert_eq!(request.method().as_str(), "RE%47IST%45R");
    assert_eq!(request.headers().all::<Contact<'_>>().count(), 2);
    assert_eq!(request.from().unwrap().display_name, Some(&br#""%Z%45""#[..]));
}

#[test]
fn long_messages_are_read_to_the_end() {
    let Some(message) = sample("rfc4475/longreq.dat") else { return };
    assert_eq!(message.headers().all::<Via<'_>>().filter(Result::is_ok).count(), 34);
    let transports = sample("rfc4475/transports.dat").unwrap();
    assert_eq!(transports.headers().all::<Via<'_>>().filter(Result::is_ok).count(), 5);
}

#[test]
fn ipv6_addresses_and_ports_are_told_apart() {
    let Some(Message::Request(ambiguous)) = sample("wire/port-ambiguous.sip") else { return };
    let host_port = ambiguous.uri().unwrap().host_port().unwrap();
    assert_eq!((host_port.host.ip(), host_port.port), (Some("2001:db8::10:5070".parse().unwrap()), None));
    let Some(Message::Request(clear)) = sample("wire/port-unambiguous.sip") else { panic!() };
    let host_port = clear.uri().unwrap().host_port().unwrap();
    assert_eq!((host_port.host.ip(), host_port.port), (Some("2001:db8::10".parse().unwrap()), Some(5070)));
    for file in ["wire/via-received-param-with-delim.sip", "wire/via-received-param-no-delim.sip"] {
        let message = sample(file).unwrap();
        assert_eq!(message.headers().top_via().unwrap().received(), Some("2001:db8::9:255".parse().unwrap()));
    }
}

#[test]
fn reason_phrases_may_be_empty_or_in_any_language() {
    let Some(Message::Response(none)) = sample("rfc4475/noreason.dat") else { return };
    assert_eq!((none.status(), none.reason()), (StatusCode::TRYING, &b""[..]));
    let Some(Message::Response(other)) = sample("rfc4475/unreason.dat") else { panic!() };
    assert_eq!(other.reason(), "= 2**3 * 5**2 но сто девяносто девять - простое".as_bytes());
}

#[test]
fn a_datagram_ends_where_its_message_does() {
    let Some(message) = sample("rfc4475/dblreq.dat") else { return };
    assert!(matches!(&message, Message::Request(request) if request.method().as_str() == "REGISTER"));
    assert!(message.as_bytes().ends_with(b"\r\n\r\n") && message.body().is_empty());
    let binary = sample("rfc4475/mpart01.dat").unwrap();
    assert!(binary.body().contains(&0));
}
