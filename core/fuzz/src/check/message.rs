//! Whole messages: lossless, and the same whether borrowed or owned.

use super::lines::{Lines, trim};
use super::{SMALL, header, stream};
use sansip::message::header::{ContentLength, ContentType};
use sansip::message::{
    Direction, HeaderId, HeaderName, Headers, Limits, Message, MessageView, Method, Multipart, ParseError, Peek,
    Request, Response, StatusCode, peek,
};

/// One datagram.
pub(crate) fn datagram(data: &[u8]) {
    within(data, &Limits::default());
    within(data, &SMALL);
    stream::agrees(data);
    peeks(data);
}

/// A glance finds what the reader finds, wherever the reader finds it.
fn peeks(data: &[u8]) {
    let glance = peek(data);
    let Ok(view) = MessageView::parse(data, &Limits::default()) else { return };
    let headers = view.headers();
    let via = headers.top_via();
    let method = view.method().or_else(|| headers.cseq().map(|cseq| cseq.method));
    let read = match (method, headers.call_id(), via) {
        (Some(method), Some(call_id), Some(via)) => {
            let direction = if view.is_request() { Direction::Request } else { Direction::Response };
            Some(Peek { direction, method, call_id, branch: via.branch() })
        }
        _ => None,
    };
    assert_eq!(glance, read);
}

fn within(data: &[u8], limits: &Limits) {
    let owned = Message::parse(data, limits);
    is_salvaged(data, limits, owned.as_ref().ok());
    match MessageView::parse(data, limits) {
        Err(error) => {
            assert_eq!(owned, Err(error));
            is_plain(error, data);
        }
        Ok(view) => {
            let owned = owned.expect("what can be borrowed can be owned");
            keeps_to(&view, limits);
            is_lossless(&view, data);
            agree(&view, &owned);
            assert_eq!(view.to_message(), owned);
            let again = MessageView::parse(view.as_bytes(), limits).expect("what was read can be read again");
            assert_eq!(again.as_bytes(), view.as_bytes());
            reads(&owned);
            parts(&owned, limits);
        }
    }
}

/// The salvaged part of a request is what an answer copies, and its answer is no larger than what came in by more than the
/// line and the tag that are new. Of a request that can be read it is what the reader finds.
fn is_salvaged(data: &[u8], limits: &Limits, read: Option<&Message>) {
    let salvaged = Request::salvage(data, limits);
    if let Some(request) = &salvaged {
        assert_ne!(request.method(), Method::Ack);
        assert!(request.as_bytes().len() <= limits.header_section);
        let plain = Lines::of(&data[data.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count()..]);
        let mut lines = plain.fields.iter();
        for field in request.headers().iter() {
            let kept = trim(field.line);
            assert!(lines.any(|line| trim(&line.0) == kept), "{}", kept.escape_ascii());
        }
        let answer = Response::to(request, StatusCode::BAD_REQUEST).to_tag("tag").finish().expect("an answer");
        assert!(answer.as_bytes().len() <= data.len() + 80, "{} of {}", answer.as_bytes().len(), data.len());
    }
    let Some(Message::Request(read)) = read else { return };
    let Some(salvaged) = salvaged else {
        // Another Request-URI may be too long, and a message without any line end has no header to answer to.
        let is_short = read.as_bytes().len() + 100 < limits.header_section && read.as_bytes().contains(&b'\n');
        assert!(read.method() == Method::Ack || !is_short, "{read:?}");
        return;
    };
    assert_eq!(salvaged.method(), read.method());
    for id in [HeaderId::To, HeaderId::From, HeaderId::CallId, HeaderId::CSeq, HeaderId::Via] {
        assert_eq!(salvaged.headers().raw(id), read.headers().raw(id), "{id}");
    }
    assert_eq!(salvaged.headers().count(HeaderId::Via), read.headers().count(HeaderId::Via));
}

/// An error is one line and points into the input.
pub(crate) fn is_plain(error: ParseError, data: &[u8]) {
    assert!(error.offset() as usize <= data.len(), "{error}: beyond {} octets", data.len());
    let text = error.to_string();
    assert!(!text.contains(['\r', '\n']) && text.len() < 200, "{text}");
}

fn keeps_to(view: &MessageView<'_>, limits: &Limits) {
    let bytes = view.as_bytes();
    let lines = Lines::of(bytes);
    let head = bytes.len() - view.body().len();
    assert!(lines.start.len() <= limits.start_line + 2);
    assert!(head <= limits.header_section);
    assert!(view.body().len() <= limits.body);
    assert!(view.headers().iter().count() <= limits.headers);
    let vias: usize = lines.places(HeaderId::Via).into_iter().map(|at| lines.fields[at].values().len()).sum();
    assert!(vias <= limits.via_values, "{vias} values of Via");
}

/// Every octet is there, in its place.
fn is_lossless(view: &MessageView<'_>, data: &[u8]) {
    let bytes = view.as_bytes();
    let before = data.iter().position(|octet| !matches!(octet, b'\r' | b'\n')).expect("there is a start line");
    assert!(data[before..].starts_with(bytes), "neither changed nor moved");
    let lines = Lines::of(bytes);
    assert_eq!(lines.write(), bytes);
    assert_eq!(lines.body, view.body());
    let fields: Vec<_> = view.headers().iter().collect();
    assert_eq!(fields.len(), lines.fields.len());
    for (field, line) in fields.iter().zip(&lines.fields) {
        assert_eq!(field.line, line.0);
        let (start, end) = line.value();
        assert_eq!(field.value, &line.0[start..end]);
        assert!(line.is(field.name), "{:?}", field.name);
    }
}

/// The borrowed view and the owned message say the same.
fn agree(view: &MessageView<'_>, owned: &Message) {
    assert_eq!(&owned.as_bytes()[..], view.as_bytes());
    assert_eq!(owned.body(), view.body());
    same_headers(owned.headers(), view.headers());
    match owned {
        Message::Request(request) => {
            assert!(view.is_request());
            assert_eq!((view.method(), view.status()), (Some(request.method()), None));
            assert_eq!((view.uri_bytes(), view.validate()), (request.uri_bytes(), request.validate()));
            assert_eq!((view.to_request().as_ref(), view.to_response()), (Some(request), None));
        }
        Message::Response(response) => {
            assert!(!view.is_request());
            assert_eq!((view.method(), view.status()), (None, Some(response.status())));
            assert_eq!(view.validate(), response.validate());
            assert_eq!((view.to_request(), view.to_response().as_ref()), (None, Some(response)));
        }
    }
}

pub(crate) fn same_headers(a: Headers<'_>, b: Headers<'_>) {
    let all = |headers: Headers<'_>| headers.iter().count();
    assert_eq!(all(a), all(b));
    for (a, b) in a.iter().zip(b.iter()) {
        assert_eq!((a.name, a.value, a.line), (b.name, b.value, b.line));
        let offset = |field: &sansip::message::Field<'_>| field.value.as_ptr() as usize - field.line.as_ptr() as usize;
        assert_eq!(offset(&a), offset(&b), "where the value stands");
    }
}

/// Every question that can be asked of a message has an answer, and the answers agree.
fn reads(message: &Message) {
    let headers = message.headers();
    for field in headers.iter() {
        assert_eq!(headers.contains(field.name), headers.raw(field.name).is_some());
        assert!(headers.contains(field.name));
    }
    header::of_message(headers);
    let length = headers.get::<ContentLength>();
    let verdict = match message {
        Message::Request(request) => {
            let verdict = request.validate();
            assert_eq!(
                request.top_via().is_some(),
                matches!(headers.get::<sansip::message::header::Via<'_>>(), Some(Ok(_)))
            );
            assert_eq!(request.uri().is_ok(), sansip::message::Uri::parse(request.uri_bytes()).is_ok());
            answers(request);
            verdict
        }
        Message::Response(response) => {
            assert!(!response.reason().contains(&b'\n'));
            response.validate()
        }
    };
    if verdict.is_ok() {
        let cseq = headers.cseq().expect("a valid message has a CSeq");
        // The address of From or To may be malformed, but neither is absent or stands twice.
        assert!(headers.call_id().is_some());
        assert!(headers.count(HeaderId::From) == 1 && headers.count(HeaderId::To) == 1);
        assert!(headers.top_via().is_some());
        if let Message::Request(request) = message {
            assert_eq!(cseq.method, request.method());
            assert!(request.uri().is_ok());
        }
        match length {
            Some(length) => assert_eq!(length.map(|length| length.0 as usize), Ok(message.body().len())),
            None => assert!(!headers.contains(HeaderId::ContentLength)),
        }
    }
}

/// The parts of a body stand in it, one behind the other.
fn parts(message: &Message, limits: &Limits) {
    let Some(Ok(parts)) = Multipart::of(message.headers(), message.body(), limits) else { return };
    let body = message.body();
    let (mut at, mut count) = (body.as_ptr() as usize, 0);
    for part in parts {
        let Ok(part) = part else { break };
        count += 1;
        let bytes = part.as_bytes();
        assert!(bytes.is_empty() || bytes.as_ptr() as usize >= at);
        at = at.max(bytes.as_ptr() as usize + bytes.len());
        assert!(at <= body.as_ptr() as usize + body.len());
        assert!(bytes.ends_with(part.body()));
        let lines: usize = part.headers().iter().map(|field| field.line.len()).sum();
        assert!(lines + part.body().len() <= bytes.len());
    }
    assert!(count <= limits.parts);
}

/// A response can be made of every request, and is one.
fn answers(request: &sansip::message::Request) {
    for (status, tag) in [(StatusCode::TRYING, None), (StatusCode::OK, Some("314159"))] {
        let builder = Response::to(request, status).header("X-Odd", "1").body("text/plain", b"\r\n\r\n");
        let response = match tag {
            Some(tag) => builder.copy(request, HeaderId::RecordRoute).to_tag(tag).finish(),
            None => builder.finish(),
        };
        let Ok(response) = response else { continue };
        let again = Message::parse(response.as_bytes(), &Limits { headers: usize::MAX, ..Limits::default() });
        match again {
            Ok(Message::Response(again)) => {
                assert_eq!(again, response);
                assert_eq!((again.status(), again.reason()), (response.status(), response.reason()));
                same_headers(again.headers(), response.headers());
                assert_eq!(again.body(), b"\r\n\r\n");
                let copied = |id| {
                    let values = |headers: Headers<'_>| -> Vec<Vec<u8>> {
                        let of = headers.iter().filter(|field| field.name == HeaderName::Known(id));
                        of.map(|field| trim(field.value).to_vec()).collect()
                    };
                    (values(request.headers()), values(again.headers()))
                };
                let (vias, same) = copied(HeaderId::Via);
                assert_eq!(vias, same, "every Via, in order");
                let type_of =
                    |headers: Headers<'_>| headers.get::<ContentType<'_>>().is_some_and(|found| found.is_ok());
                assert!(type_of(again.headers()));
            }
            other => panic!("{other:?} of {response:?}"),
        }
    }
}
